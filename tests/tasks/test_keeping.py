"""The clock's door: wake-ups near every deadline, and commands that compare again."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest
from huey.exceptions import TaskException
from huey.serializer import SignedSerializer

from config import settings
from models import Knock, Member, Playback, Room
from party import deadlines, events, health, hosting, people, playback, queue
from party.line import PRESENT_MS
from tasks import huey, keeping
from tests.stage import SONG_MS, Cast

Planned = list[tuple[str, tuple, int]]


@pytest.fixture(autouse=True)
def memory() -> None:
    keeping._planned.clear()


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Planned:
    """What was put on Huey's schedule: task, arguments, instant."""
    found: Planned = []
    for name in ("end_play", "lock_head", "settle_room", "end_controls"):

        def schedule(args: tuple, eta: datetime, name: str = name) -> None:
            found.append((name, args, round(eta.timestamp() * 1000)))

        monkeypatch.setattr(getattr(keeping, name), "schedule", schedule)
    monkeypatch.setattr(events, "on_commit", [keeping.plan])
    return found


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, time) -> list[float]:
    """How long tasks waited; time passes as they do."""
    found: list[float] = []

    def sleep(seconds: float) -> None:
        found.append(seconds)
        time.move(seconds)

    monkeypatch.setattr(keeping, "time", SimpleNamespace(sleep=sleep))
    return found


def anchor() -> Playback:
    return Playback.get()


def lose_host(cast: Cast, time) -> int:
    """The host goes; the instant at which grace ends."""
    people.screen_opened(cast.members["ada"], "web")
    hosting.screen_arrived(cast.ada, cast.code)
    people.screens_closed(cast.members["ada"], "web")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(5)
    hosting.keep_promises(cast.code)
    return int(cast.room().host_grace_until)


def test_a_start_plans_its_end_and_the_lock_before_it(cast: Cast, planned: Planned) -> None:
    cast.add(1)
    ends_at = anchor().ends_at
    play = anchor().play_id
    assert planned == [
        ("end_play", (cast.code, play, ends_at), ends_at - keeping.EARLY_MS),
        ("lock_head", (cast.code, play), ends_at - 15_000),
    ]


def test_each_deadline_is_planned_once_whatever_else_is_committed(cast: Cast, planned: Planned) -> None:
    cast.add(4)
    for turn in range(4):
        queue.cast_vote(cast.cleo, cast.code, cast.line()[-1], 1 if turn % 2 else -1)
    keeping.plan(cast.code)
    assert [name for name, _, _ in planned] == ["end_play", "lock_head"]


def test_a_deadline_that_moved_is_planned_anew_and_a_pause_has_none(
    cast: Cast, time, planned: Planned
) -> None:
    cast.add(1)
    playback.pause(cast.ada, cast.code)
    assert len(planned) == 2
    time.move(1)
    playback.play(cast.ada, cast.code)
    playback.seek(cast.ada, cast.code, 50_000)
    ends = [args[2] for name, args, _ in planned if name == "end_play"]
    assert len(ends) == len(set(ends)) == 3
    assert ends[-1] == anchor().ends_at


def test_grace_plans_its_end(cast: Cast, time, planned: Planned) -> None:
    until = lose_host(cast, time)
    assert planned == [("settle_room", (cast.code, until), until - keeping.EARLY_MS)]


def test_a_room_nobody_knows_plans_nothing(cast: Cast, planned: Planned) -> None:
    keeping.plan("ABCDEFGH")
    assert planned == []


def test_only_so_many_rooms_are_remembered(
    cast: Cast, planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "ROOMS_REMEMBERED", 1)
    cast.add(1)
    keeping._planned["OLDER"] = keeping._planned[cast.code]
    keeping._planned.move_to_end("OLDER", last=False)
    playback.restart(cast.ada, cast.code)
    playback.pause(cast.ada, cast.code)
    assert list(keeping._planned) == [cast.code]


def test_a_track_ends_at_its_very_end(cast: Cast, time, waits: list[float]) -> None:
    items = cast.add(2)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = (ends_at - keeping.EARLY_MS) / 1000
    keeping.end_play.call_local(cast.code, play, ends_at)
    assert waits == [pytest.approx(keeping.EARLY_MS / 1000)]
    assert cast.seen().now.id == items[1]
    assert anchor().at_ms == ends_at + playback.START_LEAD_MS


@pytest.mark.parametrize("late", [0.0, 0.001, 600.0])
def test_a_late_wake_up_ends_it_at_once(cast: Cast, time, waits: list[float], late: float) -> None:
    items = cast.add(2)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = ends_at / 1000 + late
    keeping.end_play.call_local(cast.code, play, ends_at)
    assert waits == []
    assert cast.seen().now.id == items[1]


def test_a_wake_up_far_too_early_neither_waits_nor_ends_anything(
    cast: Cast, time, waits: list[float]
) -> None:
    items = cast.add(2)
    keeping.end_play.call_local(cast.code, anchor().play_id, anchor().ends_at)
    assert waits == []
    assert cast.seen().now.id == items[0]


def test_a_doubled_wake_up_ends_one_track(cast: Cast, time, waits: list[float]) -> None:
    items = cast.add(4)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = ends_at / 1000
    for _ in range(3):
        keeping.end_play.call_local(cast.code, play, ends_at)
        time.move(0.5)
    assert cast.seen().now.id == items[1]


def test_a_wake_up_for_what_has_changed_since_does_nothing(cast: Cast, time, waits: list[float]) -> None:
    cast.add(3)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = ends_at / 1000 - 1
    playback.seek(cast.ada, cast.code, 0)
    before = cast.room().seq
    keeping.end_play.call_local(cast.code, play, ends_at)
    assert (waits, cast.room().seq) == ([], before)
    playback.skip(cast.ada, cast.code)
    before = cast.room().seq
    keeping.end_play.call_local(cast.code, play, anchor().ends_at)
    playback.pause(cast.ada, cast.code)
    keeping.end_play.call_local(cast.code, anchor().play_id, ends_at)
    assert (waits, cast.room().seq) == ([], before + 1)


def test_a_host_who_seeks_back_while_the_task_waits_is_obeyed(cast: Cast, time, monkeypatch) -> None:
    items = cast.add(2)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = ends_at / 1000 - 2

    def sleep(seconds: float) -> None:
        playback.seek(cast.ada, cast.code, 0)
        time.move(seconds)

    monkeypatch.setattr(keeping, "time", SimpleNamespace(sleep=sleep))
    keeping.end_play.call_local(cast.code, play, ends_at)
    assert cast.seen().now.id == items[0]


def test_the_head_is_locked_by_its_wake_up_once(cast: Cast, time) -> None:
    items = cast.add(3)
    play = anchor().play_id
    keeping.lock_head.call_local(cast.code, play)
    assert anchor().locked_item_id is None
    time.move(90)
    for _ in range(2):
        keeping.lock_head.call_local(cast.code, play)
    assert anchor().locked_item_id == items[1]
    assert cast.kinds().count("next_locked") == 1


def test_grace_ends_at_its_very_end_and_once(cast: Cast, time, waits: list[float]) -> None:
    until = lose_host(cast, time)
    time.seconds = (until - keeping.EARLY_MS) / 1000
    keeping.settle_room.call_local(cast.code, until)
    keeping.settle_room.call_local(cast.code, until)
    assert waits == [pytest.approx(keeping.EARLY_MS / 1000)]
    assert cast.room().state == "EXPIRED"
    assert cast.room().expired_at == until
    assert cast.kinds().count("room_expired") == 1


def test_grace_ended_by_the_host_is_not_ended_by_its_wake_up(cast: Cast, time, waits: list[float]) -> None:
    until = lose_host(cast, time)
    time.move(200)
    people.screen_opened(cast.members["ada"], "web")
    hosting.screen_arrived(cast.ada, cast.code)
    time.seconds = until / 1000
    keeping.settle_room.call_local(cast.code, until)
    assert cast.room().state == "LIVE"


def test_a_second_grace_is_not_ended_by_the_first_ones_wake_up(cast: Cast, time, waits: list[float]) -> None:
    first = lose_host(cast, time)
    time.move(290)
    second = lose_host(cast, time)
    assert second > first
    time.seconds = first / 1000
    keeping.settle_room.call_local(cast.code, first)
    assert cast.room().state == "GRACE"


def test_the_sweep_says_that_the_worker_lives(cast: Cast, time) -> None:
    assert not health.has_worker()
    keeping.sweep.call_local()
    assert health.has_worker()
    time.move(60)
    assert not health.has_worker()
    keeping.sweep.call_local()
    assert health.has_worker()


def test_the_sweep_ends_what_everybody_forgot(cast: Cast, time, planned: Planned) -> None:
    items = cast.add(3)
    time.move(SONG_MS / 1000 + 60)
    planned.clear()
    keeping.sweep.call_local()
    assert cast.seen().now.id == items[1]
    assert [name for name, _, _ in planned] == ["end_play", "lock_head"]


def test_the_sweep_finds_a_host_whose_process_died_and_sees_it_through(cast: Cast, time) -> None:
    people.screen_opened(cast.members["ada"], "web")
    hosting.screen_arrived(cast.ada, cast.code)
    time.move(PRESENT_MS / 1000)
    keeping.sweep.call_local()
    assert (cast.room().state, cast.room().host_gone_at) == ("LIVE", time.now_ms)
    time.move(5)
    keeping.sweep.call_local()
    assert cast.room().state == "GRACE"
    time.move(299.9)
    keeping.sweep.call_local()
    assert cast.room().state == "GRACE"
    time.move(0.1)
    keeping.sweep.call_local()
    keeping.sweep.call_local()
    assert cast.room().state == "EXPIRED"
    assert cast.kinds()[-2:] == ["host_lost", "room_expired"]


def test_the_sweep_plans_what_was_planned_before_the_worker_came(cast: Cast, planned: Planned) -> None:
    cast.add(1)
    keeping._planned.clear()
    planned.clear()
    keeping.sweep.call_local()
    keeping.sweep.call_local()
    assert [name for name, _, _ in planned] == ["end_play", "lock_head"]


def test_one_room_that_ended_does_not_keep_the_sweep_from_the_others(cast: Cast, time, caplog) -> None:
    items = cast.add(2)
    Room.update(state="EXPIRED").execute()
    other = anchor().play_id
    time.move(SONG_MS / 1000 + 60)
    assert deadlines.overdue_plays() == [(cast.code, other)]
    keeping.sweep.call_local()
    assert health.has_worker()
    assert anchor().item_id == items[0]


def test_a_refusal_is_a_line_in_the_log_and_anything_else_an_alarm(cast: Cast, caplog) -> None:
    with caplog.at_level("INFO"):
        keeping.settle_room.call_local("ABCDEFGH", 0)
        keeping.lock_head.call_local("ABCDEFGH", 1)
    assert "the clock was refused" in caplog.text
    keeping._quietly(lambda: (_ for _ in ()).throw(RuntimeError("broken")))
    [alarm] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert alarm.getMessage() == "a step of the clock stumbled" and "broken" in str(alarm.exc_info)


def test_the_queue_takes_only_what_this_house_has_signed(cast: Cast) -> None:
    assert isinstance(huey.serializer, SignedSerializer)
    task = keeping.sweep.s()
    sent = huey.serialize_task(task)
    assert huey.deserialize_task(sent).id == task.id
    with pytest.raises(ValueError):
        huey.deserialize_task(sent[:-1] + bytes([sent[-1] ^ 1]))
    assert settings.secret_key.encode() not in sent


def test_the_queue_runs_the_tasks(cast: Cast, time) -> None:
    items = cast.add(2)
    play, ends_at = anchor().play_id, anchor().ends_at
    time.seconds = ends_at / 1000
    huey.immediate = True
    try:
        keeping.end_play(cast.code, play, ends_at)
        keeping.sweep()
    except TaskException as failure:
        raise AssertionError from failure
    finally:
        huey.immediate = False
    assert cast.seen().now.id == items[1]
    assert health.has_worker()


def lend(cast: Cast, until: int) -> None:
    Member.update(controls_until=until).where(Member.id == cast.members["cleo"]).execute()


def test_lent_controls_are_planned_to_go_back_and_go_back_at_their_time(
    cast: Cast, time, planned: Planned, waits: list[float]
) -> None:
    until = time.now_ms + 600_000
    lend(cast, until)
    keeping.plan(cast.code)
    assert planned == [("end_controls", (until,), until - keeping.EARLY_MS)]
    time.seconds = until / 1000 - 1
    keeping.end_controls.call_local(until)
    keeping.end_controls.call_local(until)
    assert cast.kinds().count("control_ended") == 1
    assert Member.get_by_id(cast.members["cleo"]).controls_until is None


def test_the_sweep_takes_back_lent_controls_and_ends_late_knocks(cast: Cast, time) -> None:
    lend(cast, time.now_ms + 1_000)
    Knock.create(
        room=cast.room(), user=cast.dan.user_id, asked_at=time.now_ms, deadline_at=time.now_ms + 1_000
    )
    keeping.sweep.call_local()
    before = cast.room().seq
    assert not {"control_ended", "knock_expired"} & set(cast.kinds())
    time.move(1)
    keeping.sweep.call_local()
    keeping.sweep.call_local()
    assert cast.kinds(before) == ["control_ended", "knock_expired"]
