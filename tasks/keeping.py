"""Keeping the promises that only time can break: tracks that end, heads that lock, grace that runs out."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from huey import crontab

import logs
import tasks
from party import (
    control,
    deadlines,
    events,
    health,
    hosting,
    knocks,
    lookups,
    playback,
    playing_on,
    playlists,
    searching,
    skipping,
    sources,
    uploads,
    work,
)
from party.change import connected
from party.clock import now_ms
from party.deadlines import Deadlines
from party.errors import Refusal
from tasks import huey, outside

EARLY_MS = 2_500
"""How long before a deadline its task is woken: Huey looks once a second, the rest is waited precisely."""

PULSE_SECONDS = 5.0
JUMP_SECONDS, PAUSE_SECONDS = 5.0, 60.0
ROOMS_REMEMBERED = 10_000

_planned: OrderedDict[str, Deadlines] = OrderedDict()
_pulse_started = threading.Lock()
_skew: float | None = None
_jumped_at: float | None = None
logger = logging.getLogger(__name__)


def plan(code: str, _seq: int = 0) -> None:
    """A commit listener: have a task near each deadline of the room that is not planned yet."""
    with connected():
        due, before = deadlines.of(code), _planned.get(code)
    if due is None or due == before:
        return
    _schedule(code, due, before)
    # Only now, so that what could not be planned is planned the next time.
    _planned[code] = due
    _planned.move_to_end(code)
    if len(_planned) > ROOMS_REMEMBERED:
        _planned.popitem(last=False)


def _schedule(code: str, due: Deadlines, before: Deadlines | None) -> None:
    if due.ends_at is not None and (
        before is None or (before.play_id, before.ends_at) != (due.play_id, due.ends_at)
    ):
        end_play.schedule((code, due.play_id, due.ends_at), eta=_instant(due.ends_at - EARLY_MS))
    if due.locks_at is not None and (before is None or before.locks_at != due.locks_at):
        lock_head.schedule((code, due.play_id), eta=_instant(due.locks_at))
    if due.settles_at is not None and (before is None or before.settles_at != due.settles_at):
        settle_room.schedule((code, due.settles_at), eta=_instant(due.settles_at - EARLY_MS))
    if due.lent_until is not None and (before is None or before.lent_until != due.lent_until):
        end_controls.schedule((due.lent_until,), eta=_instant(due.lent_until - EARLY_MS))


@huey.task()
def end_play(code: str, play_id: int, ends_at: int) -> None:
    """Advance the room at the very end of the play, if it is still that play and that end."""
    with connected():
        if not deadlines.is_expected(code, play_id, ends_at):
            return
    _wait_until(ends_at)
    _quietly(lambda: playback.advance(code, play_id))


@huey.task()
def lock_head(code: str, play_id: int) -> None:
    """Freeze what comes next, if that play is still on."""
    _quietly(lambda: playback.lock_next(code, play_id))


@huey.task()
def settle_room(code: str, until: int) -> None:
    """Begin grace, or end the room whose host did not come back, if that is still due then."""
    _wait_until(until)
    _quietly(lambda: hosting.keep_promises(code))


@huey.task()
def end_controls(until: int) -> None:
    """Take back the controls that were lent until then, and whatever else is due."""
    _wait_until(until)
    _quietly(control.end_due_controls)


@huey.task()
def sweep() -> None:
    """Say that the worker lives; find what was lost: overdue rooms, forgotten plays, late knocks, lent controls."""
    with connected():
        health.worker_lives()
        for code in hosting.find_lost_hosts() if _is_steady() else ():
            _quietly(lambda code=code: hosting.note_lost_host(code))  # type: ignore[misc]
        for code in hosting.overdue_codes():
            _quietly(lambda code=code: hosting.keep_promises(code))  # type: ignore[misc]
        for code, play_id in deadlines.overdue_plays():
            _quietly(lambda code=code, play_id=play_id: playback.advance(code, play_id))  # type: ignore[misc]
        _quietly(control.end_due_controls)
        for code in skipping.contested_rooms():
            _quietly(lambda code=code: skipping.settle_skip(code))  # type: ignore[misc]
        for code in knocks.overdue_codes():
            _quietly(lambda code=code: knocks.expire_knocks(code))  # type: ignore[misc]
        for code in playing_on.quiet_codes():
            _quietly(lambda code=code: playing_on.fill_line(code))  # type: ignore[misc]
        _quietly(_hand_over_lost)
        _quietly(searching.give_up_lost)
        _quietly(uploads.check_again)
        _quietly(tasks.uploads.measure_next)
        for code in deadlines.running_codes():
            plan(code)


@huey.periodic_task(crontab(minute="*"))
def sweep_every_minute() -> None:
    """The sweep, should the pulse have stopped; and old rows go."""
    sweep.call_local()
    with connected():
        health.tidy()
        playlists.forget_deleted()
        uploads.forget_abandoned()


@huey.on_startup()
def start_pulse() -> None:
    """In the worker: plan after commits here too, sweep at once, and go on sweeping."""
    if _pulse_started.acquire(blocking=False):
        logs.configure()
        work.carriers.update(tasks.CARRIERS)
        events.on_commit.append(plan)
        threading.Thread(target=_pulse, daemon=True).start()


def _hand_over_lost() -> None:
    found: list[outside.Work] = [("look_up", (track_id,)) for track_id in lookups.due()]
    found += [("check_source", (source_id,)) for source_id in sources.due()]
    found += [("fetch_cover", (track_id,)) for track_id in sources.coverless()]
    outside.hand_over_lost(found + tasks.spotify.left())


def _is_steady() -> bool:
    """False for a minute after the clock jumped: then everybody looks gone who has only not been renewed yet."""
    global _skew, _jumped_at
    skew, now = time.time() - time.monotonic(), time.monotonic()
    if _skew is not None and abs(skew - _skew) > JUMP_SECONDS:
        _jumped_at = now
    _skew = skew
    return _jumped_at is None or now - _jumped_at > PAUSE_SECONDS


def _pulse() -> None:
    while True:
        try:
            # Not by way of the queue: this is what goes on when that is away.
            sweep.call_local()
        except Exception:
            logger.exception("the sweep stumbled")
        time.sleep(PULSE_SECONDS)


def _wait_until(instant: int) -> None:
    left = instant - now_ms()
    if 0 < left <= 2 * EARLY_MS:
        time.sleep(left / 1000)


def _quietly(command: Callable[[], object]) -> None:
    """Run a command of the clock; refused, somebody was faster. What breaks must not keep the others back."""
    try:
        with connected():
            command()
    except Refusal as refusal:
        logger.info("the clock was refused: %s", refusal.message)
    except Exception:
        logger.exception("a step of the clock stumbled")


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
