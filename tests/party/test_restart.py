"""Starting again: the same line in a new room with a new code, once, for whoever opened or led the old one."""

from __future__ import annotations

import threading

import pytest

from models import Ban, Event, Item, Member, Room, Vote
from party import hosting, lifecycle, people, playback, queue, restart, snapshot
from party.change import connected
from party.errors import Conflict, NotAllowed, NotFound
from party.permissions import can
from tests.party.test_hosting import arrive
from tests.party.test_hosting_roles import hand_over, refused, set_room
from tests.stage import Cast


def end(cast: Cast) -> None:
    hosting.end_room(cast.ada, cast.code)


def busy(cast: Cast) -> None:
    """A line with votes of all kinds, a pin and a few songs behind it."""
    arrive(cast)
    items = cast.add(4) + cast.add(3, by=cast.cleo) + cast.add(2, by=cast.ben)
    for who, item, value in (
        (cast.cleo, items[8], 1),
        (cast.ben, items[8], 1),
        (cast.ada, items[2], -1),
        (cast.ben, items[5], 1),
    ):
        queue.cast_vote(who, cast.code, item, value)
    playback.skip(cast.ada, cast.code)
    playback.skip(cast.ada, cast.code)
    queue.move_item(cast.ada, cast.code, cast.line()[4], None)


def tracks(code: str) -> list[int]:
    return [item.track.id for item in snapshot.take(code).items]


@pytest.mark.parametrize("mode", ["charts", "hand"])
def test_the_new_room_has_what_was_left_in_the_same_order(cast: Cast, time, mode: str) -> None:
    busy(cast)
    queue.change_mode(cast.ada, cast.code, mode)
    set_room(cast, add="approval", max_waiting=7)
    Room.update(visibility="private", entry="password", password_hash="x", is_locked=True).execute()
    end(cast)
    before = snapshot.take(cast.code)
    time.move(60)
    code = restart.start_again(cast.ada, cast.code)
    after = snapshot.take(code)
    assert code != cast.code
    shown = [
        (item.track.id, item.up, item.down, item.is_pinned, item.by.name, item.by.color)
        for item in after.items
    ]
    assert shown == [
        (item.track.id, item.up, item.down, item.is_pinned, item.by.name, item.by.color)
        for item in before.items
    ]
    assert (after.name, after.mode, after.settings) == (before.name, mode, before.settings)
    assert (after.visibility, after.entry, after.is_locked, after.state) == (
        "private",
        "password",
        True,
        "CREATED",
    )
    room = Room.get(Room.code == code)
    assert (room.password_hash, room.owner_id, room.continues_id) == ("x", cast.ada.user_id, cast.room().id)
    assert [row.seq for row in Event.select().where(Event.room == room).order_by(Event.seq)] == list(
        range(1, room.seq + 1)
    )


def test_what_is_put_on_later_stands_behind_what_was_carried(cast: Cast) -> None:
    arrive(cast)
    cast.add(4)
    end(cast)
    waiting = tracks(cast.code)
    code = restart.start_again(cast.ada, cast.code)
    spare = next(track for track in cast.tracks if track not in waiting)
    queue.add_item(cast.cleo, code, spare)
    playing = snapshot.take(code).now.track.id
    assert [playing, *tracks(code)] == [*waiting, spare]


def test_everybody_keeps_their_seat_colour_and_role(cast: Cast, time) -> None:
    busy(cast)
    dan = people.join(cast.dan, cast.code)
    people.leave(cast.dan, cast.code)
    muted = time.now_ms + 3_600_000
    Member.update(muted_until=muted).where(Member.id == cast.members["cleo"]).execute()
    end(cast)
    room = Room.get(Room.code == restart.start_again(cast.ada, cast.code))

    def seats(of: Room) -> dict[int, tuple[object, ...]]:
        return {
            seat.user_id: (
                seat.role,
                seat.color,
                bool(seat.is_ringed),
                seat.left_at is None,
                seat.muted_until,
            )
            for seat in Member.select().where(Member.room == of)
        }

    assert seats(room) == seats(cast.room())
    assert Member.get_by_id(dan).left_at is not None
    assert people.join(cast.cleo, room.code)


def test_whoever_hosted_last_may_start_again_and_leads_while_the_owner_stays_the_owner(cast: Cast) -> None:
    arrive(cast)
    arrive(cast, "ben")
    hand_over(cast, "ben")
    hosting.end_room(cast.ben, cast.code)
    room = Room.get(Room.code == restart.start_again(cast.ben, cast.code))
    roles = {seat.user_id: seat.role for seat in Member.select().where(Member.room == room)}
    assert (roles[cast.ben.user_id], roles[cast.ada.user_id], room.owner_id) == (
        "host",
        "cohost",
        cast.ada.user_id,
    )
    hosting.claim_host(cast.ada, room.code)


def test_only_those_who_led_start_again_and_only_after_the_end(cast: Cast) -> None:
    refused(Conflict, lambda: restart.start_again(cast.ada, cast.code))
    end(cast)
    for who in (cast.ben, cast.cleo, cast.dan):
        refused(NotAllowed, lambda who=who: restart.start_again(who, cast.code))
    Room.update(visibility="private").execute()
    refused(NotFound, lambda: restart.start_again(cast.dan, cast.code))
    refused(NotFound, lambda: restart.start_again(cast.ada, "ABCDEFGH"))


def test_a_room_that_ended_by_itself_is_started_again_before_anybody_wrote_the_end_down(
    cast: Cast, time
) -> None:
    arrive(cast)
    cast.add(3)
    people.screens_closed(cast.members["ada"], "web-1")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(400)
    assert cast.room().state == "LIVE"
    code = restart.start_again(cast.ada, cast.code)
    assert cast.room().state == "EXPIRED"
    assert len(tracks(code)) == 2


def test_a_second_press_finds_the_same_room(cast: Cast) -> None:
    end(cast)
    first = restart.start_again(cast.ada, cast.code)
    count = Room.select().count()
    assert restart.start_again(cast.ada, cast.code) == first
    assert Room.select().count() == count


def test_eight_presses_at_once_open_one_room(cast: Cast, time) -> None:
    busy(cast)
    end(cast)
    found: list[str] = []
    gate = threading.Barrier(8)

    def press() -> None:
        with connected():
            gate.wait(30)
            found.append(restart.start_again(cast.ada, cast.code))

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert len(set(found)) == 1
    assert Room.select().where(Room.continues == cast.room()).count() == 1


def test_bans_go_along_and_the_banned_are_told_of_no_new_room(cast: Cast, time) -> None:
    busy(cast)
    Ban.create(room=cast.room(), user=cast.cleo.user_id, banned_at=time.now_ms, banned_by=cast.members["ada"])
    Ban.create(room=cast.room(), user=cast.dan.user_id, banned_at=0, until=time.now_ms - 1)
    Member.update(left_at=time.now_ms).where(Member.id == cast.members["cleo"]).execute()
    end(cast)
    code = restart.start_again(cast.ada, cast.code)
    room = Room.get(Room.code == code)
    [ban] = Ban.select().where(Ban.room == room)
    assert (ban.user_id, ban.banned_by.room_id) == (cast.cleo.user_id, room.id)
    theirs = Item.select().join(Member, on=Item.added_by == Member.id)
    assert theirs.where(Item.room == room, Member.user == cast.cleo.user_id).exists()
    with pytest.raises(NotAllowed):
        people.join(cast.cleo, code)
    assert restart.memory_of(cast.code, cast.cleo.user_id).next_code == ""


def test_the_memory_offers_to_each_what_is_theirs(cast: Cast) -> None:
    arrive(cast)
    cast.add(3)
    end(cast)
    offers = {
        name: restart.memory_of(cast.code, getattr(cast, name).user_id) for name in ("ada", "ben", "dan")
    }
    assert offers["ada"] == restart.Memory(True, True, 2, "")
    assert offers["ben"] == restart.Memory(False, False, 2, "")
    assert offers["dan"] == restart.memory_of(cast.code, None) == restart.Memory(False, False, 2, "")
    code = restart.start_again(cast.ada, cast.code)
    assert restart.memory_of(cast.code, cast.ada.user_id) == restart.Memory(False, True, 2, code)
    assert restart.memory_of(cast.code, cast.ben.user_id).next_code == code
    assert restart.memory_of(cast.code, cast.dan.user_id).next_code == ""
    with pytest.raises(NotFound):
        restart.memory_of("ABCDEFGH", None)


def test_the_carried_log_tells_how_the_tables_stand(cast: Cast) -> None:
    busy(cast)
    end(cast)
    room = Room.get(Room.code == restart.start_again(cast.ada, cast.code))
    log = list(Event.select().where(Event.room == room).order_by(Event.seq))
    added = [row.data["item_id"] for row in log if row.kind == "item_added"]
    assert added == [item.id for item in Item.select().where(Item.room == room).order_by(Item.added_seq)]
    numbers = {row.data["item_id"]: row.seq for row in log if row.kind == "item_added"}
    assert all(numbers[item.id] == item.added_seq for item in Item.select().where(Item.room == room))
    votes = {(row.data["item_id"], row.actor_id): row.data["value"] for row in log if row.kind == "vote_cast"}
    kept = Vote.select().join(Item).where(Item.room == room)
    assert votes == {(vote.item_id, vote.member_id): vote.value for vote in kept}


def test_the_old_room_stays_as_it_was(cast: Cast) -> None:
    busy(cast)
    end(cast)
    before = snapshot.take(cast.code)
    restart.start_again(cast.ada, cast.code)
    assert snapshot.take(cast.code) == before
    assert lifecycle.effective(cast.room(), 0)[0] == "EXPIRED"
    assert can("guest", "start_again")
