"""The line: adding, voting, moving, removing; state, log and refusals."""

from __future__ import annotations

import pytest
from peewee import IntegrityError

from models import Item, Vote
from party import playback, queue
from party.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.stage import SONG_MS, Cast


def test_the_first_track_starts_at_once(cast: Cast) -> None:
    [item] = cast.add(1, by=cast.cleo)
    assert cast.seen().now.id == item
    assert cast.line() == []
    assert cast.kinds()[-2:] == ["item_added", "item_started"]


def test_a_waiting_track_is_refused_with_where_it_stands(cast: Cast) -> None:
    items = cast.add(3)
    track = Item.get_by_id(items[2]).track_id
    before = cast.room().seq
    with pytest.raises(Conflict, match="already in line, 2nd"):
        queue.add_item(cast.cleo, cast.code, track)
    assert cast.room().seq == before


def test_the_database_itself_refuses_a_doubled_waiting_track(cast: Cast) -> None:
    waiting = Item.get_by_id(cast.add(2)[1])
    with pytest.raises(IntegrityError):
        Item.create(
            room=waiting.room,
            track=waiting.track,
            added_by=waiting.added_by,
            position="zz",
            added_seq=99,
            added_at_advance=0,
            guard_limit=12,
            added_at=0,
        )


def test_a_played_track_may_be_put_on_again(cast: Cast) -> None:
    [item] = cast.add(1)
    playback.skip(cast.ada, cast.code)
    again = queue.add_item(cast.ada, cast.code, Item.get_by_id(item).track_id)
    assert cast.seen().now.id == again != item


def test_an_unknown_track_is_refused(cast: Cast) -> None:
    with pytest.raises(NotFound):
        queue.add_item(cast.ada, cast.code, 999)


def test_a_second_vote_changes_nothing(cast: Cast) -> None:
    item = cast.add(2)[1]
    queue.cast_vote(cast.cleo, cast.code, item, 1)
    before = cast.room().seq
    queue.cast_vote(cast.cleo, cast.code, item, 1)
    assert cast.room().seq == before
    assert [(vote.item_id, vote.value) for vote in Vote.select()] == [(item, 1)]


def test_a_vote_can_be_turned_round_and_taken_back(cast: Cast) -> None:
    item = cast.add(2)[1]
    queue.cast_vote(cast.cleo, cast.code, item, 1)
    queue.cast_vote(cast.cleo, cast.code, item, -1)
    assert cast.seen().items[0].net == -1
    queue.withdraw_vote(cast.cleo, cast.code, item)
    queue.withdraw_vote(cast.cleo, cast.code, item)
    assert cast.seen().items[0].net == 0
    assert cast.kinds()[-3:] == ["vote_cast", "vote_cast", "vote_withdrawn"]


@pytest.mark.parametrize("value", [0, 2, -2, 1000])
def test_a_vote_is_up_or_down(cast: Cast, value: int) -> None:
    item = cast.add(2)[1]
    with pytest.raises(Invalid):
        queue.cast_vote(cast.cleo, cast.code, item, value)


def test_votes_order_the_line_and_say_why(cast: Cast) -> None:
    _, first, second = cast.add(3)
    queue.cast_vote(cast.cleo, cast.code, second, 1)
    room = cast.seen()
    assert [item.id for item in room.items] == [second, first]
    assert (room.items[0].reason.code, room.items[0].reason.votes) == ("votes_ahead", 1)
    assert [voter.name for voter in room.items[0].voters] == ["Cleo"]
    assert room.items[1].reason is None


def test_a_stranger_may_not_vote(cast: Cast) -> None:
    item = cast.add(2)[1]
    with pytest.raises(NotAllowed):
        queue.cast_vote(cast.dan, cast.code, item, 1)
    assert not Vote.select().exists()


def test_what_plays_or_went_takes_no_votes(cast: Cast) -> None:
    playing, waiting = cast.add(2)
    queue.remove_item(cast.ada, cast.code, waiting)
    for item in (playing, waiting):
        with pytest.raises(Conflict):
            queue.cast_vote(cast.cleo, cast.code, item, 1)
    with pytest.raises(NotFound):
        queue.cast_vote(cast.cleo, cast.code, 999, 1)


def test_guests_remove_their_own_and_nobody_elses(cast: Cast) -> None:
    cast.add(1)
    [hers] = cast.add(1, by=cast.cleo)
    [his] = cast.add(1, by=cast.ben)
    with pytest.raises(NotAllowed):
        queue.remove_item(cast.cleo, cast.code, his)
    queue.remove_item(cast.cleo, cast.code, hers)
    queue.remove_item(cast.cleo, cast.code, hers)
    assert cast.line() == [his]
    assert cast.kinds().count("item_removed") == 1


def test_a_removal_can_be_undone_in_time_only(cast: Cast, time) -> None:
    _, first, second = cast.add(3)
    queue.cast_vote(cast.cleo, cast.code, first, 1)
    for item in (first, second):
        queue.remove_item(cast.ada, cast.code, item)
    time.move(9)
    with pytest.raises(NotAllowed):
        queue.restore_item(cast.cleo, cast.code, first)
    queue.restore_item(cast.ada, cast.code, first)
    queue.restore_item(cast.ada, cast.code, first)
    assert cast.line() == [first]
    assert cast.seen().items[0].net == 1
    time.move(9)
    with pytest.raises(Conflict):
        queue.restore_item(cast.ada, cast.code, second)


def test_a_removed_track_that_was_put_on_again_does_not_come_back_twice(cast: Cast) -> None:
    item = cast.add(2)[1]
    queue.remove_item(cast.ada, cast.code, item)
    queue.add_item(cast.cleo, cast.code, Item.get_by_id(item).track_id)
    with pytest.raises(Conflict, match="already in line"):
        queue.restore_item(cast.ada, cast.code, item)


def test_what_comes_back_late_in_a_song_does_not_push_the_next_one_away(cast: Cast, time) -> None:
    _, a, b = cast.add(3)
    queue.cast_vote(cast.cleo, cast.code, b, 1)
    time.move(SONG_MS / 1000 - 1)
    Item.update(state="removed", removed_at=time.now_ms, removed_by=cast.members["ada"]).where(
        Item.id == b
    ).execute()
    queue.restore_item(cast.ada, cast.code, b)
    assert cast.line() == [a, b]
    assert cast.kinds()[-2:] == ["next_locked", "item_restored"]


def test_nothing_comes_back_to_a_full_line(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    items = cast.add(4)
    queue.remove_item(cast.ada, cast.code, items[3])
    monkeypatch.setattr(queue, "LINE_FULL", 2)
    with pytest.raises(Conflict, match="line is full"):
        queue.restore_item(cast.ada, cast.code, items[3])
    with pytest.raises(Conflict, match="line is full"):
        cast.add(1)
    assert cast.line() == items[1:3]


def test_the_host_moves_a_track_in_a_voted_line_by_holding_it_there(cast: Cast) -> None:
    _, a, b, c, d = cast.add(5)
    queue.move_item(cast.ada, cast.code, d, None)
    assert cast.line() == [d, a, b, c]
    queue.move_item(cast.ada, cast.code, c, a)
    assert cast.line() == [d, a, c, b]
    queue.cast_vote(cast.cleo, cast.code, b, 1)
    assert cast.line() == [d, a, c, b]
    assert cast.seen().items[0].reason.code == "pinned"


def test_only_five_places_are_held_by_hand(cast: Cast) -> None:
    items = cast.add(9)[1:]
    before = cast.line()
    with pytest.raises(Conflict, match="first 5 places"):
        queue.move_item(cast.ada, cast.code, items[0], items[6])
    assert cast.line() == before


def test_by_hand_anything_goes_anywhere(cast: Cast) -> None:
    items = cast.add(9)[1:]
    queue.change_mode(cast.ada, cast.code, "hand")
    assert cast.line() == items
    queue.move_item(cast.ada, cast.code, items[0], items[6])
    assert cast.line() == [*items[1:7], items[0], items[7]]
    queue.cast_vote(cast.cleo, cast.code, items[7], 1)
    assert cast.line() == [*items[1:7], items[0], items[7]]


def test_hundreds_of_moves_into_one_gap_keep_the_line_whole(cast: Cast) -> None:
    items = cast.add(6)[1:]
    queue.change_mode(cast.ada, cast.code, "hand")
    expected = list(items)
    for turn in range(300):
        moved = items[1 + turn % 4]
        queue.move_item(cast.ada, cast.code, moved, items[0])
        expected.remove(moved)
        expected.insert(expected.index(items[0]) + 1, moved)
        assert cast.line() == expected
    assert all(len(item.position) <= 32 for item in Item.select().where(Item.state == "waiting"))


def test_switching_the_mode_keeps_pins_and_votes(cast: Cast) -> None:
    _, a, b, c = cast.add(4)
    queue.move_item(cast.ada, cast.code, c, None)
    queue.cast_vote(cast.cleo, cast.code, b, 1)
    assert cast.line() == [c, b, a]
    queue.change_mode(cast.ada, cast.code, "hand")
    assert cast.line() == [c, b, a]
    queue.change_mode(cast.ada, cast.code, "charts")
    assert cast.line() == [c, b, a]


def test_a_vanished_neighbour_counts_as_the_end(cast: Cast) -> None:
    _, a, b, c = cast.add(4)
    queue.change_mode(cast.ada, cast.code, "hand")
    queue.remove_item(cast.ada, cast.code, c)
    queue.move_item(cast.ada, cast.code, a, c)
    assert cast.line() == [b, a]


def test_guests_may_not_move_or_change_the_mode(cast: Cast) -> None:
    _, a, b = cast.add(3)
    before = cast.room().seq
    with pytest.raises(NotAllowed):
        queue.move_item(cast.cleo, cast.code, b, None)
    with pytest.raises(NotAllowed):
        queue.change_mode(cast.cleo, cast.code, "hand")
    with pytest.raises(Invalid):
        queue.move_item(cast.ada, cast.code, a, a)
    with pytest.raises(Invalid):
        queue.change_mode(cast.ada, cast.code, "chaos")
    assert cast.room().seq == before


def test_the_head_is_locked_when_the_song_is_nearly_over(cast: Cast, time) -> None:
    _, a, b = cast.add(3)
    time.move(90)
    queue.cast_vote(cast.cleo, cast.code, b, 1)
    assert cast.line() == [a, b]
    assert cast.seen().items[0].reason.code == "locked"
    queue.remove_item(cast.ada, cast.code, a)
    assert cast.line() == [b]


def test_ordinals() -> None:
    assert [queue.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "112th",
    ]
