"""Door 3, the WebSocket: a cursor and one writer per screen. What a browser sends here changes no room."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass

from flask import Flask, current_app, request

from config import Settings
from live import knocks, presence, reactions, screens, tail, wire
from live.errands import Errands
from live.screens import RoomScreens, Screen, counters
from party import attempts, doorway, people, snapshot
from party.change import connected
from party.doorway import Doorway
from party.errors import TooMany
from party.storage import database_file

SIGNED_OUT, REMOVED, ENDED, TOO_MANY_SCREENS = 4401, 4403, 4404, 4409
TOO_OFTEN = 4429
RESTART, OVERLOADED = 1012, 1013
LARGEST_NUMBER = 2**53
DRAIN_BATCH, DRAIN_PAUSE = 200, 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A page at a door: it counts like a screen, and sees nothing of the room."""

    wire: wire.Wire
    user_id: int


_all: dict[Screen | Waiting, None] = {}
_per_person: Counter[int] = Counter()
_per_network: Counter[str] = Counter()

logger = logging.getLogger(__name__)


def init(app: Flask, settings: Settings) -> None:
    """Open the door: the socket's address and the two loops beside it."""

    def is_allowed(origin: str, host: str) -> bool:
        return wire.is_own_origin(origin, host, settings.public_url)

    # A page asks the time eight times at once when it opens and whenever it wakes up, twice in five seconds else.
    limits = wire.Limits(messages=60)
    wire.route(app, "/rooms/<code>/live", is_allowed, limits)(_serve)
    wire.route(app, "/rooms/<code>/knock/live", is_allowed)(_serve_knock)
    app.config["START_LEAD_MS"] = screens.start_lead_ms
    app.config["TAPS"] = reactions.tap


def start(settings: Settings, errands: Errands) -> None:
    """Start following the database and keeping time, in the process that holds the sockets."""
    probe = tail.AlwaysProbe() if settings.database_url else tail.SqliteProbe(database_file(settings))
    _spawn(lambda: tail.follow(probe, presence.is_running))
    if settings.redis_url:
        reactions.share(tail.teller(settings.redis_url))
        _spawn(lambda: tail.follow_redis(settings.redis_url, presence.is_running))
    _spawn(presence.keep)
    _spawn(lambda: errands.run(presence.is_running))


def drain() -> None:
    """Tell every screen to come back in a moment (1012), in batches. Their seats stay theirs meanwhile."""
    presence.stopping.set()
    leaving = list(_all)
    for first in range(0, len(leaving), DRAIN_BATCH):
        for screen in leaving[first : first + DRAIN_BATCH]:
            # Each by itself: one that is stuck half-way through a frame must not keep the others waiting.
            _spawn(lambda screen=screen: screen.wire.close(RESTART, "restarting"))
        time.sleep(DRAIN_PAUSE)


def _serve(socket: wire.Wire, code: str) -> None:
    settings, network = current_app.config["SETTINGS"], request.remote_addr or ""
    with connected():
        viewer = current_app.extensions["viewer"]()
        refusal = _refusal(settings, viewer, network)
        if refusal is not None and refusal[0] == TOO_MANY_SCREENS and request.args.get("here"):
            refusal = _make_room(viewer)
        door, refusal = (None, refusal) if refusal is not None else _door(code, viewer, network)
        seat = snapshot.mine(door.code, viewer.user_id) if door and viewer else None
    if refusal is None and seat is None:
        refusal = (REMOVED, "not in this room")
    if refusal is not None:
        socket.close(*refusal)
        return
    after, epoch = request.args.get("after", 0, type=int), request.args.get("epoch", "")
    screen = Screen(socket, viewer.user_id, seat.member_id, max(0, after), epoch)
    screen.session = viewer.session
    _run(screen, door.code, seat.role, network)


def _serve_knock(socket: wire.Wire, code: str) -> None:
    settings, network = current_app.config["SETTINGS"], request.remote_addr or ""
    with connected():
        viewer = current_app.extensions["viewer"]()
        refusal = _refusal(settings, viewer, network)
        door, refusal = (None, refusal) if refusal is not None else _door(code, viewer, network, knew=True)
    if refusal is not None:
        socket.close(*refusal)
        return
    waiting = Waiting(socket, viewer.user_id)
    _count(waiting, network)
    try:
        knocks.follow(socket, door.code, viewer.user_id)
    finally:
        _discount(waiting, network)


def _door(
    code: str, viewer: people.SignedIn, network: str, *, knew: bool = False
) -> tuple[Doorway | None, tuple[int, str] | None]:
    """The door behind a code, and why there is nothing to follow: no room, none for these eyes, or one that ended."""
    try:
        digest = attempts.digest(attempts.network_of(network))
        door = doorway.find(code, viewer.user_id, digest, knew=knew)
    except TooMany:
        return None, (TOO_OFTEN, "too many wrong codes")
    if door is None or door.way == "over":
        return None, (ENDED, "this room has ended")
    return door, None


def _refusal(settings: Settings, viewer: people.SignedIn | None, network: str) -> tuple[int, str] | None:
    if viewer is None:
        return SIGNED_OUT, "signed out"
    if not presence.is_running() or 0 < settings.max_sockets <= len(_all):
        return OVERLOADED, "full"
    if 0 < settings.max_sockets_per_network <= _per_network[network]:
        return OVERLOADED, "too many from one network"
    if 0 < settings.max_sockets_per_person <= _per_person[viewer.user_id]:
        return TOO_MANY_SCREENS, "too many screens"
    return None


def _make_room(viewer: people.SignedIn) -> None:
    """“Use it here”: the screen this person opened first gives way."""
    oldest = next((screen for screen in _all if screen.user_id == viewer.user_id), None)
    if oldest is not None:
        oldest.wire.close(TOO_MANY_SCREENS, "used elsewhere")


def _run(screen: Screen, code: str, role: str, network: str) -> None:
    room = screens.of(code)
    room.screens.add(screen)
    _count(screen, network)
    room.seats[screen.member_id] += 1
    try:
        if room.seats[screen.member_id] == 1 and not presence.arrived(screen, room, role):
            screen.wire.close(OVERLOADED, "busy")
            return
        if screen.member_id not in room.roles:
            # The first screen of a room, or somebody who took their seat a moment ago.
            room.refresh()
        screen.wire.listen(lambda text: _hear(screen, room, text), screen.wake.set)
        _write(screen, room)
    finally:
        room.screens.discard(screen)
        _discount(screen, network)
        _count_down(room.seats, screen.member_id)
        if not room.seats[screen.member_id] and presence.is_running():
            presence.gone(screen, room)


def _write(screen: Screen, room: RoomScreens) -> None:
    """The one writer: sleep, look at the number, send what lacks whole, move the cursor, sleep."""
    socket = screen.wire
    socket.send(screens.heartbeat(room))
    while socket.is_open:
        # Who was sent out a moment ago gets nothing more, neither a frame nor who is here.
        if (screen.is_behind or screen.member_id not in room.roles) and not _catch_up(screen, room):
            return
        if screen.people != room.people_version:
            screen.people = room.people_version
            socket.send(room.people_data)
        if time.monotonic() >= screen.beat_at:
            screen.plan_beat(time.monotonic())
            socket.send(screens.heartbeat(room))
        screen.wake.wait()
        screen.wake.clear()


def _catch_up(screen: Screen, room: RoomScreens) -> bool:
    """Send what the screen lacks, until nothing does. False when its person may not see any more."""
    if screen.asked is not None:
        (screen.cursor, screen.epoch), screen.asked = screen.asked, None
    role = room.roles.get(screen.member_id)
    if role is None:
        screen.wire.close(REMOVED, "removed")
        return False
    if (screen.epoch, screen.cursor) != (room.epoch, room.head):
        ready = room.frame(role, screen.cursor, screen.epoch)
        if room.roles.get(screen.member_id) != role:
            # While it was made the room moved on, and the person is no longer who it was made for.
            return _catch_up(screen, room)
        screen.wire.send(ready.data)
        screen.cursor, screen.epoch = ready.to, ready.epoch
        counters["frames"] += 1
        if screen.member_id in ready.actors:
            screen.wire.send(room.own_share(screen.user_id))
    else:
        counters["lossless"] += 1
    if room.state == "EXPIRED":
        screen.wire.close(ENDED, "the party is over")
        return False
    if screen.asked is None and (screen.epoch, screen.cursor) == (room.epoch, room.head):
        screen.is_behind = False
        return True
    return _catch_up(screen, room)


def _hear(screen: Screen, room: RoomScreens, text: str) -> None:
    received = time.time() * 1000
    try:
        said = json.loads(text)
        kind = said.get("t")
    except (ValueError, AttributeError, RecursionError):
        screen.wire.close(wire.PROTOCOL_ERROR, "not understood")
        return
    if kind == "clock":
        _answer_clock(screen, room, said, received)
    elif kind == "sync":
        epoch, after = said.get("epoch"), said.get("after")
        is_known = isinstance(after, int) and after >= 0 and epoch == room.epoch
        # Answered even when nothing is missing: a page that woke up wants to hear that.
        screen.beat_at = 0.0
        screen.ask(*((after, room.epoch) if is_known else (0, "")))
    elif kind == "typing":
        reactions.typing(screen, room)
    elif kind == "beat":
        presence.note_beat(screen, room, said.get("idle"), said.get("step"))
    else:
        screen.wire.close(wire.PROTOCOL_ERROR, "not understood")


def _answer_clock(screen: Screen, room: RoomScreens, said: dict[str, object], received: float) -> None:
    number, sent, trip = said.get("id"), said.get("c"), said.get("rtt")
    if not (_is_number(number) and _is_number(sent)):
        screen.wire.close(wire.PROTOCOL_ERROR, "not understood")
        return
    if _is_number(trip):
        room.note_trip(trip)
    answer = {"t": "clock", "id": number, "c": sent, "r": received, "s": time.time() * 1000}
    screen.wire.send(wire.frame(json.dumps(answer)))


def _is_number(value: object) -> bool:
    # JSON as Python reads it knows NaN, Infinity and numbers without end; a browser's knows none of them.
    return isinstance(value, int | float) and abs(value) < LARGEST_NUMBER


def _count(screen: Screen | Waiting, network: str) -> None:
    _all[screen] = None
    _per_person[screen.user_id] += 1
    _per_network[network] += 1


def _discount(screen: Screen | Waiting, network: str) -> None:
    _all.pop(screen, None)
    _count_down(_per_person, screen.user_id)
    _count_down(_per_network, network)


def _count_down(counter: Counter, key: object) -> None:  # type: ignore[type-arg]
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def _spawn(act: object) -> None:
    threading.Thread(target=act, daemon=True).start()  # type: ignore[arg-type]
