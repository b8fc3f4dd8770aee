"""Who is here through this web process: seats whose first screen opened or last one closed, renewed from memory."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable

from live import screens
from live.screens import RoomScreens, Screen, later
from party import hosting, people, playback, presence, sessions, skipping
from party.change import Person, connected
from party.errors import Busy, Refusal

GOODBYE_SECONDS = 2.0
STALL_SECONDS = 5.0
"""A loop that ran so late, or a clock that moved so far, may have let everybody here look gone."""

SIGNED_OUT = 4401
LOOK_SPACING = 1.0
"""Seconds in which changes of one room's presence are gathered into one write."""

process = secrets.token_hex(8)
_looking: set[str] = set()
stopping = threading.Event()

logger = logging.getLogger(__name__)


def is_running() -> bool:
    """False once the process is on its way out."""
    return not stopping.is_set()


def arrived(screen: Screen, room: RoomScreens, role: str) -> bool:
    """A seat's first screen in this process opened. False when the database cannot be had."""
    try:
        with connected():
            people.screen_opened(screen.member_id, process)
            hosting.screen_arrived(Person(screen.user_id), room.code)
    except Busy:
        return False
    except Refusal:
        # The room ended, or the seat was given up, a moment ago: the writer will see that and say so.
        logger.info("a screen came too late for room %s", room.code)
    room.people_changed()
    return True


def gone(screen: Screen, room: RoomScreens) -> None:
    """A seat's last screen in this process closed. A reload is no goodbye, but a host's time runs at once."""
    if room.roles.get(screen.member_id) == "host":
        _leave(screen, room)
    else:
        later(GOODBYE_SECONDS, lambda: _leave(screen, room))


def _leave(screen: Screen, room: RoomScreens) -> None:
    # By now it may be watched afresh.
    room = screens.rooms.get(room.code, room)
    if room.seats[screen.member_id] or not is_running():
        return
    is_host = room.roles.get(screen.member_id) == "host"
    try:
        with connected():
            people.screens_closed(screen.member_id, process)
            begins_at = hosting.screens_gone(Person(screen.user_id), room.code) if is_host else None
            if room.seats[screen.member_id]:
                # Back while the lock was waited for: what that wrote has just been deleted.
                people.screen_opened(screen.member_id, process)
                if is_host:
                    hosting.screen_arrived(Person(screen.user_id), room.code)
                return
    except Refusal:
        begins_at = None
    if begins_at is not None:
        later(begins_at / 1000 - time.time() + 0.02, lambda: _begin_grace(room.code))
    if room.screens:
        room.people_changed()
    else:
        screens.forget_if_empty(room)


def _begin_grace(code: str) -> None:
    with connected():
        hosting.keep_promises(code)


def note_beat(screen: Screen, room: RoomScreens, is_idle: object, step: object) -> None:
    """A page says whether somebody is at it, and how its player keeps up. Words that mean nothing change nothing."""
    look = (
        is_idle if isinstance(is_idle, bool) else screen.is_idle,
        step if step in ("", *presence.STEPS) else screen.step,
    )
    if look == (screen.is_idle, screen.step):
        return
    screen.is_idle, screen.step = look
    if room.code not in _looking:
        _looking.add(room.code)
        later(LOOK_SPACING, lambda: _write_looks(room))


def _write_looks(room: RoomScreens) -> None:
    _looking.discard(room.code)
    with connected():
        has_changed = presence.note(process, room.looks())
    if has_changed:
        room.people_changed()


def keep() -> None:
    """Once a second: wake the screens whose heartbeat is due, look who is here, say that they are."""
    looked = said = steady = time.monotonic()
    wall = time.time()
    while is_running():
        time.sleep(1.0)
        now, wall_now = time.monotonic(), time.time()
        has_stalled = now - steady > STALL_SECONDS or abs((wall_now - wall) - (now - steady)) > STALL_SECONDS
        steady, wall = now, wall_now
        _wake_for_heartbeats(now)
        _guarded(close_signed_out)
        if has_stalled or now - said >= people.SAY_SECONDS:
            said = now
            _guarded(renew)
        if now - looked >= screens.PEOPLE_LOOK_SECONDS:
            looked = now
            _guarded(_count_skips)
            for room in list(screens.rooms.values()):
                _guarded(room.look_at_people)
                _guarded(lambda code=room.code: _keep_time(code))


def renew() -> None:
    """Write down who is here as this process sees it; a host who is here takes back a grace that began meanwhile."""
    rooms = list(screens.rooms.values())
    with connected():
        people.still_here(process, {member_id for room in rooms for member_id in room.seats})
        presence.note(process, {seat: look for room in rooms for seat, look in room.looks().items()})
        hosted = [room.code for room in rooms if any(room.roles.get(seat) == "host" for seat in room.seats)]
        for code in hosting.doubted(hosted):
            hosting.note_host_here(code)


def close_signed_out() -> None:
    """A session that ended, here or anywhere, takes its screens with it within a second."""
    looking = [
        screen for room in list(screens.rooms.values()) for screen in list(room.screens) if screen.session
    ]
    with connected():
        gone = sessions.gone({screen.session for screen in looking}) if looking else set()
    for screen in looking:
        if screen.session in gone:
            # Each by itself: one that is stuck half-way through a frame must not keep the others waiting.
            later(0.0, lambda screen=screen: screen.wire.close(SIGNED_OUT, "signed out"))


def _wake_for_heartbeats(now: float) -> None:
    for room in list(screens.rooms.values()):
        for screen in list(room.screens):
            if now >= screen.beat_at:
                screen.wake.set()


def _keep_time(code: str) -> None:
    """The worker keeps the time; when it is away, a room somebody looks at goes on all the same."""
    with connected():
        hosting.keep_promises(code)
        play_id = playback.forgotten_play(code)
        if play_id is not None:
            playback.advance(code, play_id)


def _count_skips() -> None:
    """Somebody who left may have been what a vote to skip was short of."""
    with connected():
        for code in skipping.contested_rooms():
            if code in screens.rooms:
                skipping.settle_skip(code)


def _guarded(act: Callable[[], object]) -> None:
    # One room's trouble must not stop the care for all the others.
    try:
        act()
    except Exception:
        logger.exception("keeping presence stumbled")
