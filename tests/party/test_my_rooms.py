"""My rooms, and deleting one: whose, what is told, and that nothing of it is left."""

from __future__ import annotations

import pytest

from models import TABLES, Ban, Member, Message, Presence, Room, Session, SiteEvent, Track, User, database
from party import events, hosting, people, playback, queue, restart, rooms, snapshot
from party.change import Person
from party.errors import Invalid, NotAllowed, NotFound
from tests.party.test_hosting import arrive
from tests.party.test_hosting_roles import hand_over, lose_host, refused, set_room
from tests.stage import Cast


def listed(person: Person, page: int = 1) -> list[rooms.RoomOfMine]:
    return rooms.my_rooms(person.user_id, page)[0]


def test_my_rooms_are_those_i_host_or_was_in_the_latest_first(cast: Cast, time) -> None:
    time.move(10)
    second = rooms.open_room(cast.ben, "Second", 300)
    time.move(10)
    third = rooms.open_room(cast.dan, "Third", 300)
    assert [room.code for room in listed(cast.ben)] == [second, cast.code]
    time.move(10)
    cast.add(1)
    assert [(room.code, room.role) for room in listed(cast.ben)] == [(cast.code, "cohost"), (second, "host")]
    assert [room.code for room in listed(cast.dan)] == [third]
    assert listed(Person(10_000)) == []


def test_each_line_says_how_the_room_stands(cast: Cast, time) -> None:
    assert (listed(cast.ada)[0].state, listed(cast.ada)[0].people) == ("CREATED", 0)
    arrive(cast)
    arrive(cast, "cleo")
    [mine] = listed(cast.ada)
    assert (mine.state, mine.people, mine.role, mine.is_owner, mine.name) == (
        "LIVE",
        2,
        "host",
        True,
        "Friday",
    )
    assert (mine.may_delete, mine.may_start_again, mine.next_code) == (True, False, "")
    assert not listed(cast.cleo)[0].may_delete
    set_room(cast, keep=True)
    lose_host(cast, time)
    assert (listed(cast.cleo)[0].state, listed(cast.cleo)[0].is_kept) == ("GRACE", True)
    hosting.end_room(cast.ada, cast.code)
    [mine] = listed(cast.ada)
    assert (mine.is_over, mine.may_start_again, mine.people) == (True, True, 0)
    code = restart.start_again(cast.ada, cast.code)
    newer, older = sorted(listed(cast.ada), key=lambda room: room.is_over)
    assert (newer.code, older.next_code, older.may_start_again) == (code, code, False)


def test_a_room_whose_time_ran_out_is_over_before_anybody_wrote_it_down(cast: Cast, time) -> None:
    lose_host(cast, time)
    time.move(300)
    assert (cast.room().state, listed(cast.ben)[0].state) == ("GRACE", "EXPIRED")


def test_nobody_is_told_more_than_they_may_know(cast: Cast, time) -> None:
    Room.update(door_code="ZZZZZZZZ").execute()
    assert listed(cast.cleo)[0].door_code == "ZZZZZZZZ"
    people.leave(cast.cleo, cast.code)
    assert listed(cast.cleo)[0].door_code == "", "who gave the seat up does not learn the new code"
    Room.update(visibility="private").execute()
    assert listed(cast.cleo) == []
    assert len(listed(cast.ben)) == 1
    Room.update(visibility="public").execute()
    ban = Ban.create(room=cast.room(), user=cast.ben.user_id, banned_at=0, until=time.now_ms + 1_000)
    assert listed(cast.ben) == []
    time.move(1)
    assert len(listed(cast.ben)) == 1
    Ban.update(until=None).where(Ban.id == ban.id).execute()
    assert listed(cast.ben) == []
    Ban.update(lifted_at=1).where(Ban.id == ban.id).execute()
    assert len(listed(cast.ben)) == 1


def test_many_rooms_come_in_pages_and_cost_one_query(
    cast: Cast, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(44):
        time.move(1)
        rooms.open_room(cast.dan, f"Room {number}", 300)
    asked: list[str] = []
    run = database.obj.execute_sql

    def record(sql: str, *rest: object, **how: object) -> object:
        asked.append(sql)
        return run(sql, *rest, **how)

    monkeypatch.setattr(database.obj, "execute_sql", record)
    pages = [rooms.my_rooms(cast.dan.user_id, page) for page in (1, 2, 3, 4)]
    assert len(asked) == 4
    assert [(len(found), has_more) for found, has_more in pages] == [
        (20, True),
        (20, True),
        (4, False),
        (0, False),
    ]
    names = [room.name for found, _ in pages for room in found]
    assert names == [f"Room {number}" for number in reversed(range(44))]


# --- deleting --------------------------------------------------------------------------------------------------------


def fill(cast: Cast, time) -> None:
    """Rows in every table that hangs on a room."""
    arrive(cast)
    arrive(cast, "cleo")
    items = cast.add(4)
    queue.cast_vote(cast.cleo, cast.code, items[2], 1)
    playback.skip(cast.ada, cast.code)
    Ban.create(room=cast.room(), user=cast.dan.user_id, banned_at=0, banned_by=cast.members["ada"])
    first = Message.create(room=cast.room(), member=cast.members["ada"], text="Hello", said_at=0)
    Message.create(room=cast.room(), member=cast.members["cleo"], text="Hi", said_at=1, reply_to=first)


def what_is_left() -> dict[str, int]:
    kept = (User, Session, Track, SiteEvent)
    return {
        table.__name__: table.select().count()
        for table in TABLES
        if table not in kept and table.select().count()
    }


@pytest.mark.parametrize("is_over", [False, True])
def test_deleting_a_room_leaves_nothing_of_it(cast: Cast, time, is_over: bool) -> None:
    fill(cast, time)
    if is_over:
        hosting.end_room(cast.ada, cast.code)
    told: list[tuple[str, int]] = []
    before = cast.room()
    events.on_commit.append(lambda code, seq: told.append((code, seq)))
    try:
        rooms.delete_room(cast.ada, cast.code, "Friday")
    finally:
        events.on_commit.pop()
    assert what_is_left() == {}
    assert told == [(cast.code, before.seq + 1)], "whoever watches is woken, and finds no room"
    with pytest.raises(NotFound):
        snapshot.take(cast.code)
    [trace] = SiteEvent.select()
    assert (trace.kind, trace.actor_id, trace.data) == (
        "room_deleted",
        cast.ada.user_id,
        {"room_id": before.id},
    )
    refused(NotFound, lambda: rooms.delete_room(cast.ada, cast.code, "Friday"))


def test_only_that_room_goes(cast: Cast, time) -> None:
    fill(cast, time)
    other = rooms.open_room(cast.dan, "Friday", 300)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert [room.code for room in Room.select()] == [other]
    assert snapshot.take(other).name == "Friday"


@pytest.mark.parametrize("typed", ["", "friday", "Frida", "Friday!", "Fri day", "%", "Friday\u200b\u200b x"])
def test_a_name_typed_otherwise_deletes_nothing(cast: Cast, time, typed: str) -> None:
    refused(Invalid, lambda: rooms.delete_room(cast.ada, cast.code, typed))


def test_the_name_counts_as_it_is_kept(cast: Cast) -> None:
    rooms.delete_room(cast.ada, cast.code, "  Friday ")
    assert not Room.select().exists()


def test_only_the_owner_and_the_host_delete(cast: Cast, time) -> None:
    for who in (cast.ben, cast.cleo, cast.dan):
        refused(NotAllowed, lambda who=who: rooms.delete_room(who, cast.code, "Friday"))
    Room.update(visibility="private").execute()
    refused(NotFound, lambda: rooms.delete_room(cast.dan, cast.code, "Friday"))
    arrive(cast)
    arrive(cast, "ben")
    hand_over(cast, "ben")
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert not Room.select().exists()


def test_the_room_that_went_on_stays_when_the_old_one_is_deleted(cast: Cast) -> None:
    hosting.end_room(cast.ada, cast.code)
    code = restart.start_again(cast.ada, cast.code)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert Room.get(Room.code == code).continues_id is None
    assert not Presence.select().join(Member).where(Member.room == Room.get(Room.code == code)).exists()
