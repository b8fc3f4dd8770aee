"""Starting again: the same line in a new room with a new code, once, for whoever opened or led the old one."""

from __future__ import annotations

import pytest

from models import Ban, Event, Item, Member, Play, Playback, Room, Track, Vote
from party import auditor, change, hosting, lifecycle, people, playback, queue, restart, snapshot
from party.errors import Conflict, NotAllowed, NotFound
from party.permissions import can
from tests.party.test_hosting import arrive
from tests.party.test_hosting_roles import hand_over, refused, set_room
from tests.party.test_races import at_once
from tests.stage import SONG_MS, Cast


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


def test_eight_presses_at_once_open_one_room(cast: Cast, time, monkeypatch: pytest.MonkeyPatch) -> None:
    # A loaded machine must not look like a fault.
    monkeypatch.setattr(change, "LOCK_WAIT_SECONDS", 60.0)
    busy(cast)
    end(cast)
    found = at_once(*[lambda: restart.start_again(cast.ada, cast.code)] * 8)
    assert len(set(found)) == 1 and isinstance(found[0], str)
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


def stage(code: str) -> tuple[int | None, str, int]:
    """What is on, whether it plays, and where it stands."""
    seen = snapshot.take(code)
    return (seen.now.track.id if seen.now else None, seen.playback.state, seen.playback.position_ms)


@pytest.mark.parametrize("is_paused", [False, True])
def test_what_played_at_the_end_goes_on_first_and_paused_where_it_stood(
    cast: Cast, time, is_paused: bool
) -> None:
    arrive(cast)
    _, *items = cast.add(4)
    playing, *waiting = [Item.get_by_id(item).track_id for item in items]
    queue.cast_vote(cast.ben, cast.code, items[0], 1)
    playback.skip(cast.ada, cast.code)
    playback.seek(cast.ada, cast.code, 30_000, lead_ms=0)
    time.move(12)
    if is_paused:
        playback.pause(cast.ada, cast.code)
        time.move(500)
    end(cast)
    assert stage(cast.code)[:2] == (None, "idle")
    assert restart.memory_of(cast.code, cast.ada.user_id).stood_at_ms == 42_000
    assert restart.memory_of(cast.code, cast.dan.user_id).stood_at_ms == 0
    time.move(3_600)
    code = restart.start_again(cast.ada, cast.code)
    assert stage(code) == (playing, "paused", 42_000)
    assert tracks(code) == waiting and snapshot.take(code).now.up == 1
    room, anchor = Room.get(Room.code == code), Playback.get(Playback.room == Room.get(Room.code == code))
    assert (anchor.at_ms, anchor.version, anchor.ends_at) == (time.now_ms, 2, None)
    assert (anchor.paused_by.user_id, room.advance) == (cast.ada.user_id, cast.room().advance + 1)
    log = [row.kind for row in Event.select().where(Event.room == room).order_by(Event.seq)]
    assert log[-2:] == ["item_started", "playback_changed"] and len(log) == room.seq
    assert auditor.audit_all() == []
    # Nothing but a person starts it, and then it goes on to the rest.
    time.move(1_000)
    people.screen_opened(people.join(cast.ada, code), "web-2")
    hosting.screen_arrived(cast.ada, code)
    assert stage(code) == (playing, "paused", 42_000)
    playback.play(cast.ada, code, lead_ms=0)
    time.move((SONG_MS - 42_000) / 1_000)
    assert playback.advance(code, Playback.get(Playback.room == room).play_id)
    assert stage(code)[0] == waiting[0]
    assert auditor.audit_all() == []
    # It is theirs to end and to start again, too.
    hosting.end_room(cast.ada, code)
    assert stage(restart.start_again(cast.ada, code)) == (None, "idle", 0)


def test_a_room_whose_host_never_came_back_goes_on_where_it_was_when_grace_ran_out(cast: Cast, time) -> None:
    arrive(cast)
    [item] = cast.add(1)
    Track.update(duration_ms=7_200_000).where(Track.id == Item.get_by_id(item).track_id).execute()
    playback.seek(cast.ada, cast.code, 0, lead_ms=0)
    people.screens_closed(cast.members["ada"], "web-1")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(4_000)
    code = restart.start_again(cast.ada, cast.code)
    assert stage(code) == (Item.get_by_id(item).track_id, "paused", 305_000)
    assert auditor.audit_all() == []


def test_nobody_goes_back_to_what_had_hardly_begun_was_all_but_over_or_the_room_chose(
    cast: Cast, time
) -> None:
    arrive(cast)
    [item, _] = cast.add(2)
    playback.seek(cast.ada, cast.code, 40_000, lead_ms=0)
    end(cast)
    ended = cast.room().expired_at

    def goes_on(position_ms: int) -> bool:
        Playback.update(position_ms=position_ms).where(Playback.room == cast.room()).execute()
        return restart.memory_of(cast.code, cast.ada.user_id).stood_at_ms == position_ms

    places = (0, 14_999, 15_000, 94_999, 95_000, 3 * SONG_MS)
    assert [goes_on(place) for place in places] == [True, False, True, True, False, False]
    Item.update(is_filler=True).where(Item.id == item).execute()
    assert not goes_on(40_000)
    Item.update(is_filler=False).where(Item.id == item).execute()
    Track.update(state="failed").where(Track.id == Item.get_by_id(item).track_id).execute()
    assert not goes_on(40_000)
    Track.update(state="ready", duration_ms=0).where(Track.id == Item.get_by_id(item).track_id).execute()
    assert goes_on(3 * SONG_MS), "nobody knows how long it is"
    Item.update(length_ms=SONG_MS).where(Item.id == item).execute()
    assert not goes_on(3 * SONG_MS) and goes_on(40_000)
    for changed in ({"end_reason": "skipped"}, {"ended_at": ended - 1, "end_reason": "finished"}):
        Play.update(**changed).where(Play.room == cast.room()).execute()
        assert not goes_on(40_000), "it was over before the room was"
    code = restart.start_again(cast.ada, cast.code)
    assert stage(code) == (None, "idle", 0) and len(tracks(code)) == 1
