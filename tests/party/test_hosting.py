"""The host: arriving makes a room live, being gone starts grace, grace that ran out ends it for good."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from peewee import DatabaseError

from models import Play, Room, database
from party import auditor, hosting, people, playback, queue, rooms
from party.change import CLOCK, change
from party.errors import Over, Refusal
from party.line import PRESENT_MS
from tests.ledger import every_row
from tests.stage import Cast

PROCESS = "web-1"
GONE, GRACE = 5.0, 300.0


def arrive(cast: Cast, name: str = "ada") -> None:
    people.screen_opened(cast.members[name], PROCESS)
    hosting.screen_arrived(getattr(cast, name), cast.code)


def go(cast: Cast, name: str = "ada") -> int | None:
    people.screens_closed(cast.members[name], PROCESS)
    return hosting.screens_gone(getattr(cast, name), cast.code)


def state(cast: Cast) -> tuple[str, str]:
    """As the row says, and as everybody sees it."""
    return cast.room().state, cast.seen().state


def expire(cast: Cast, time) -> None:
    arrive(cast)
    go(cast)
    time.move(GONE + GRACE)
    hosting.keep_promises(cast.code)
    assert state(cast) == ("EXPIRED", "EXPIRED")


def test_the_hosts_first_screen_makes_the_room_live_once(cast: Cast) -> None:
    assert state(cast) == ("CREATED", "CREATED")
    for _ in range(3):
        arrive(cast)
    assert state(cast) == ("LIVE", "LIVE")
    assert cast.kinds().count("room_went_live") == 1


@pytest.mark.parametrize(("kept", "days"), [({}, 7), ({"keep": True, "keep_days": 30}, 30)])
def test_a_room_whose_host_never_comes_is_over_some_day(cast: Cast, time, kept: dict, days: int) -> None:
    Room.update(settings=kept).where(Room.code == cast.code).execute()
    time.move(days * 86_400 - 1)
    assert (hosting.overdue_codes(), state(cast)) == ([], ("CREATED", "CREATED"))
    time.move(1)
    assert (hosting.overdue_codes(), state(cast)) == ([cast.code], ("CREATED", "EXPIRED"))
    with pytest.raises(Over):
        hosting.screen_arrived(cast.ada, cast.code)
    assert state(cast) == ("EXPIRED", "EXPIRED") and cast.kinds()[-1] == "room_expired"
    assert not hosting.keep_promises(cast.code) and auditor.audit_room(cast.code) == []


def test_nobody_else_makes_a_room_live(cast: Cast) -> None:
    for name in ("ben", "cleo"):
        arrive(cast, name)
    with pytest.raises(Refusal):
        hosting.screen_arrived(cast.dan, cast.code)
    assert state(cast) == ("CREATED", "CREATED")


@pytest.mark.parametrize("name", ["ben", "cleo"])
def test_a_cohost_or_guest_who_goes_starts_nothing(cast: Cast, time, name: str) -> None:
    arrive(cast)
    arrive(cast, name)
    assert go(cast, name) is None
    people.leave(getattr(cast, name), cast.code)
    time.move(PRESENT_MS / 1000 - 1)
    assert not hosting.keep_promises(cast.code)
    assert state(cast) == ("LIVE", "LIVE")
    assert cast.room().host_gone_at is None


def test_a_host_with_a_screen_left_is_not_gone(cast: Cast, time) -> None:
    arrive(cast)
    people.screen_opened(cast.members["ada"], "web-2")
    assert go(cast) is None
    time.move(GONE)
    assert state(cast) == ("LIVE", "LIVE")


def test_a_host_who_reloads_within_five_seconds_was_never_gone(cast: Cast, time) -> None:
    arrive(cast)
    due = go(cast)
    assert due == time.now_ms + GONE * 1000
    before = cast.room().seq
    time.move(GONE - 0.001)
    assert not hosting.keep_promises(cast.code)
    arrive(cast)
    time.move(60)
    assert not hosting.keep_promises(cast.code)
    assert (state(cast), cast.room().seq) == (("LIVE", "LIVE"), before)


def test_grace_begins_five_seconds_after_the_last_screen_whether_or_not_a_worker_runs(
    cast: Cast, time
) -> None:
    arrive(cast)
    gone_at = time.now_ms
    go(cast)
    time.move(GONE - 0.001)
    assert cast.seen().state == "LIVE"
    time.move(0.001)
    assert state(cast) == ("LIVE", "GRACE")
    assert cast.seen().grace_until_ms == gone_at + (GONE + GRACE) * 1000
    assert hosting.keep_promises(cast.code)
    assert not hosting.keep_promises(cast.code)
    assert state(cast) == ("GRACE", "GRACE")
    assert cast.seen().grace_until_ms == gone_at + (GONE + GRACE) * 1000
    assert cast.kinds().count("host_lost") == 1


def test_grace_begun_late_ends_no_later(cast: Cast, time) -> None:
    arrive(cast)
    gone_at = time.now_ms
    go(cast)
    time.move(100)
    hosting.keep_promises(cast.code)
    assert cast.room().host_grace_until == gone_at + (GONE + GRACE) * 1000


def test_music_plays_on_in_grace_and_everybody_may_act(cast: Cast, time) -> None:
    cast.add(3)
    arrive(cast)
    go(cast)
    time.move(101)
    assert cast.seen().state == "GRACE"
    assert playback.advance(cast.code, cast.room().playback.get().play_id)
    queue.cast_vote(cast.cleo, cast.code, cast.line()[0], 1)
    assert state(cast) == ("GRACE", "GRACE")


def test_the_host_back_in_time_makes_it_live_again(cast: Cast, time) -> None:
    arrive(cast)
    for _ in range(2):
        go(cast)
        time.move(GONE + GRACE - 0.001)
        arrive(cast)
        arrive(cast)
        assert state(cast) == ("LIVE", "LIVE")
        assert (cast.room().host_gone_at, cast.room().host_grace_until) == (None, None)
    assert cast.kinds().count("host_returned") == 2


def test_grace_that_ran_out_ends_the_room_at_its_deadline_even_without_a_worker(cast: Cast, time) -> None:
    cast.add(2)
    arrive(cast)
    gone_at = time.now_ms
    go(cast)
    time.move(GONE)
    hosting.keep_promises(cast.code)
    time.move(GRACE - 0.001)
    assert not hosting.keep_promises(cast.code)
    assert state(cast) == ("GRACE", "GRACE")
    time.move(0.001)
    assert state(cast) == ("GRACE", "EXPIRED")
    assert rooms.is_over(cast.room())
    assert (cast.seen().now, cast.seen().playback.state) == (None, "idle")
    time.move(1_000)
    assert hosting.keep_promises(cast.code)
    assert not hosting.keep_promises(cast.code)
    assert cast.room().expired_at == gone_at + (GONE + GRACE) * 1000
    assert cast.kinds()[-3:] == ["host_lost", "item_ended", "room_expired"]
    assert not Play.select().where(Play.ended_at.is_null()).exists()


def test_a_room_nobody_looked_after_for_a_day_was_lost_and_ended_in_order(cast: Cast, time) -> None:
    arrive(cast)
    go(cast)
    time.move(86_400)
    assert state(cast) == ("LIVE", "EXPIRED")
    with pytest.raises(Over):
        arrive(cast)
    assert state(cast) == ("EXPIRED", "EXPIRED")
    assert cast.kinds()[-2:] == ["host_lost", "room_expired"]


def test_a_room_whose_host_never_came_waits(cast: Cast, time) -> None:
    go(cast)
    time.move(86_400)
    assert not hosting.keep_promises(cast.code)
    assert state(cast) == ("CREATED", "CREATED")


def test_a_host_who_leaves_starts_grace_too(cast: Cast, time) -> None:
    arrive(cast)
    people.leave(cast.ada, cast.code)
    time.move(GONE)
    assert state(cast) == ("LIVE", "GRACE")
    people.join(cast.ada, cast.code)
    arrive(cast)
    assert state(cast) == ("LIVE", "LIVE")


def test_a_host_whose_process_died_is_found(cast: Cast, time) -> None:
    arrive(cast)
    assert hosting.find_lost_hosts() == []
    time.move(PRESENT_MS / 1000)
    assert hosting.find_lost_hosts() == [cast.code]
    hosting.note_lost_host(cast.code)
    hosting.note_lost_host(cast.code)
    assert cast.room().host_gone_at == time.now_ms
    assert hosting.find_lost_hosts() == []


def test_a_host_who_is_here_is_not_lost(cast: Cast, time) -> None:
    arrive(cast)
    hosting.note_lost_host(cast.code)
    assert cast.room().host_gone_at is None


def test_overdue_rooms_are_found_when_they_are_due(cast: Cast, time) -> None:
    arrive(cast)
    go(cast)
    for wait in (GONE, GRACE):
        time.move(wait - 0.001)
        assert hosting.overdue_codes() == []
        time.move(0.001)
        assert hosting.overdue_codes() == [cast.code]
        hosting.keep_promises(cast.code)
    assert hosting.overdue_codes() == []


def test_the_fence_grows_when_the_room_ends(cast: Cast, time) -> None:
    before = cast.room().fence
    expire(cast, time)
    assert cast.room().fence == before + 1


T20: dict[str, Callable[[Cast, list[int]], object]] = {
    "add_item": lambda c, items: queue.add_item(c.ada, c.code, c.tracks[9]),
    "remove_item": lambda c, items: queue.remove_item(c.ada, c.code, items[1]),
    "restore_item": lambda c, items: queue.restore_item(c.ada, c.code, items[3]),
    "cast_vote": lambda c, items: queue.cast_vote(c.cleo, c.code, items[1], 1),
    "withdraw_vote": lambda c, items: queue.withdraw_vote(c.cleo, c.code, items[2]),
    "move_item": lambda c, items: queue.move_item(c.ada, c.code, items[2], None),
    "change_mode": lambda c, items: queue.change_mode(c.ada, c.code, "hand"),
    "play": lambda c, items: playback.play(c.ada, c.code),
    "pause": lambda c, items: playback.pause(c.ada, c.code),
    "seek": lambda c, items: playback.seek(c.ada, c.code, 0),
    "restart": lambda c, items: playback.restart(c.ada, c.code),
    "skip": lambda c, items: playback.skip(c.ada, c.code),
    "advance": lambda c, items: playback.advance(c.code, 1),
    "lock_next": lambda c, items: playback.lock_next(c.code, 1),
    "join": lambda c, items: people.join(c.dan, c.code),
    "leave": lambda c, items: people.leave(c.cleo, c.code),
    "offer_host": lambda c, items: hosting.offer_host(c.ada, c.code, c.members["ben"]),
    "answer_offer": lambda c, items: hosting.answer_offer(c.ben, c.code, True),
    "claim_host": lambda c, items: hosting.claim_host(c.ben, c.code),
    "name_cohost": lambda c, items: hosting.name_cohost(c.ada, c.code, c.members["cleo"]),
    "end_room": lambda c, items: hosting.end_room(c.ada, c.code),
    "note_host_here": lambda c, items: hosting.note_host_here(c.code),
    "screen_arrived": lambda c, items: hosting.screen_arrived(c.ada, c.code),
    "screens_gone": lambda c, items: hosting.screens_gone(c.ada, c.code),
    "note_lost_host": lambda c, items: hosting.note_lost_host(c.code),
}


def test_t20_nothing_changes_after_the_end(cast: Cast, time) -> None:
    items = cast.add(4)
    queue.cast_vote(cast.cleo, cast.code, items[2], 1)
    queue.remove_item(cast.ada, cast.code, items[3])
    arrive(cast)
    go(cast)
    time.move(GONE + GRACE)
    with pytest.raises(Over):
        T20["skip"](cast, items)
    after_the_end = every_row()
    for name, command in T20.items():
        with pytest.raises(Over):
            command(cast, items)
        assert every_row() == after_the_end, f"{name} changed an ended room"
    assert not hosting.keep_promises(cast.code)
    assert people.join(cast.cleo, cast.code) == cast.members["cleo"]
    assert every_row() == after_the_end


@pytest.mark.parametrize("name", T20)
def test_t20_a_command_that_comes_before_the_end_is_written_down_only_ends_it(
    cast: Cast, time, name: str
) -> None:
    items = cast.add(4)
    arrive(cast)
    go(cast)
    time.move(GONE + GRACE)
    before = cast.room().seq
    with pytest.raises(Over):
        T20[name](cast, items)
    assert cast.kinds(before) == ["host_lost", "item_ended", "room_expired"]


@pytest.mark.parametrize("wanted", ["CREATED", "LIVE", "GRACE"])
def test_t20_the_database_itself_lets_no_room_come_back(cast: Cast, time, wanted: str) -> None:
    expire(cast, time)
    # A constraint to one database, an exception of its own to the other.
    with pytest.raises(DatabaseError, match="stays expired"):
        Room.update(state=wanted).execute()
    with pytest.raises(DatabaseError, match="stays expired"):
        database.obj.execute_sql(f"UPDATE room SET state = '{wanted}'")
    Room.update(name="Still readable").execute()
    assert cast.room().state == "EXPIRED"


def test_the_clock_may_keep_time_and_nothing_else(cast: Cast) -> None:
    with change(CLOCK, cast.code, may="keep_time"):
        pass
    for ability in ("add_item", "vote", "control_playback", "leave"):
        with pytest.raises(Refusal), change(CLOCK, cast.code, may=ability):
            pass
