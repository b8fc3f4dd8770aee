"""The room's log: its kinds, its numbers, its readers."""

from __future__ import annotations

import json

import pytest

from models import Event, Room
from party import events, people, queue, rooms
from party.change import write
from tests.stage import Cast


def test_a_kind_takes_its_own_fields_and_no_others(cast: Cast) -> None:
    room = cast.room()
    for kind, data in (
        ("item_added", {}),
        ("item_added", {"item_id": 1, "title": "x"}),
        ("room_opened", {"a": 1}),
    ):
        with pytest.raises(ValueError, match=kind), write():
            events.append(room, kind, None, **data)
    with pytest.raises(KeyError), write():
        events.append(room, "item_exploded", None)
    assert Event.select().where(Event.room == room).count() == cast.room().seq


def test_every_kind_has_a_sentence() -> None:
    assert events.KINDS.keys() == events.SENTENCES.keys()
    for sentence in events.SENTENCES.values():
        sentence.format(who="Ada")


def test_each_room_counts_for_itself(cast: Cast) -> None:
    other = rooms.open_room(cast.dan, "Other", 300)
    cast.add(2)
    queue.add_item(cast.dan, other, cast.tracks[0])
    for code in (cast.code, other):
        room = Room.get(Room.code == code)
        numbers = [row.seq for row in events.after(room.id, 0, 100)]
        assert numbers == list(range(1, room.seq + 1))


def test_reading_after_a_number_gives_the_next_ones_in_order(cast: Cast) -> None:
    cast.add(4)
    room = cast.room()
    assert [row.seq for row in events.after(room.id, 2, 3)] == [3, 4, 5]
    assert events.after(room.id, room.seq, 10) == []


def test_rows_say_who_and_when_and_hold_no_words_of_people(cast: Cast, time) -> None:
    people.rename(cast.cleo, "Very Particular Name")
    cast.add(2, by=cast.cleo)
    row = events.after(cast.room().id, cast.room().seq - 1, 1)[0]
    assert (row.actor_id, row.at, row.kind) == (cast.members["cleo"], time.now_ms, "item_added")
    log = json.dumps([row.data for row in Event.select()])
    assert "Particular" not in log and "Song" not in log
