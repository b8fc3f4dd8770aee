"""Who is looking at a room from this process, and the frames they share: rendered and framed once per audience."""

from __future__ import annotations

import _thread
import json
import logging
import random
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

import fragments
from live import tail, wire
from party import presence
from party.change import connected
from party.errors import NotFound
from party.presence import StepView
from party.settings import DEFAULTS
from party.views import Audience, Snapshot

FRAME_SPACING = 0.05
"""Seconds between two frames of a room: a burst is at most 20 a second, and coalesces."""

PEOPLE_SPACING = 1.0
PEOPLE_LOOK_SECONDS = 5.0
HEARTBEAT_SECONDS = 10.0
FRAMES_KEPT = 64
LEADERS = ("host", "cohost")
LEAD_LEAST_MS, LEAD_MOST_MS = 150, 1000

logger = logging.getLogger(__name__)

counters: Counter[str] = Counter()
"""How often screens were brought up to date without loss, by a delta, or whole; and what was sent."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A frame on its way: bytes for the wire, the number it leads to, the seats whose own share changed."""

    data: bytes
    to: int
    epoch: str
    actors: frozenset[int]


class Screen:
    """One open page: its socket, whose it is, and the number it has.

    While `is_behind` its own writer brings it up to date; else a wake-up of the room hands it the next frame.
    """

    __slots__ = (
        "asked",
        "beat_at",
        "cursor",
        "epoch",
        "is_behind",
        "is_idle",
        "member_id",
        "people",
        "session",
        "step",
        "steps",
        "user_id",
        "wake",
        "wire",
    )

    def __init__(self, socket: wire.Wire, user_id: int, member_id: int, cursor: int, epoch: str) -> None:
        self.wire, self.user_id, self.member_id = socket, user_id, member_id
        self.cursor, self.epoch = cursor, epoch
        self.wake = threading.Event()
        self.is_behind = True
        self.asked: tuple[int, str] | None = None
        self.people, self.steps = -1, 0
        self.is_idle, self.step = False, ""
        self.session = ""
        self.beat_at = 0.0
        self.plan_beat(time.monotonic())

    def ask(self, cursor: int, epoch: str) -> None:
        """The page says where it is and wants what lacks."""
        self.asked = (cursor, epoch)
        self.is_behind = True
        self.wake.set()

    def plan_beat(self, now: float) -> None:
        """The next heartbeat, spread so that screens do not beat in step."""
        self.beat_at = now + HEARTBEAT_SECONDS * random.uniform(0.8, 1.2)


class RoomScreens:
    """The screens of one room in this process."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.screens: set[Screen] = set()
        self.seats: Counter[int] = Counter()
        self.roles: dict[int, str] = {}
        self.state = ""
        self.epoch, self.head = "", 0
        self.people_version, self._people_html = 0, ""
        self.people_data = b""
        self.settings = DEFAULTS
        self.muted: frozenset[int] = frozenset()
        self._steps: tuple[StepView, ...] = ()
        self._steps_version, self._steps_data = 0, b""
        self._room: Snapshot
        self._frames: OrderedDict[tuple[str, int], Ready] = OrderedDict()
        self._shares: dict[tuple[int, int], bytes] = {}
        self._lock = threading.Lock()
        self._woken_at = self._people_at = 0.0
        self._is_wake_planned = self._is_people_planned = False
        self._trips: deque[float] = deque(maxlen=200)

    def wake(self) -> None:
        """The room moved on: now, or when the last frame is far enough away."""
        if not self._is_wake_planned:
            self._is_wake_planned = True
            later(self._woken_at + FRAME_SPACING - time.monotonic(), self._wake_all)

    def _wake_all(self) -> None:
        self._is_wake_planned = False
        self._woken_at = time.monotonic()
        self.refresh()
        for screen in list(self.screens):
            try:
                is_served = self._hand_on(screen)
            except Exception:
                logger.exception("a frame for room %s failed", self.code)
                is_served = False
            if not is_served:
                screen.is_behind = True
                screen.wake.set()

    def _hand_on(self, screen: Screen) -> bool:
        """Give a screen the frame that everybody gets, without waking its writer. False when it needs more, or time."""
        role = self.roles.get(screen.member_id)
        if screen.is_behind or role is None or self.state == "EXPIRED":
            return False
        if (screen.epoch, screen.cursor) != (self.epoch, self.head):
            ready = self.frame(role, screen.cursor, screen.epoch)
            # Somebody may have been sent out while it was made.
            is_theirs = self.roles.get(screen.member_id) == role and screen.member_id not in ready.actors
            if not is_theirs or not screen.wire.offer(ready.data):
                return False
            screen.cursor, screen.epoch = ready.to, ready.epoch
            counters["frames"] += 1
        return True

    def refresh(self) -> Snapshot:
        """Read the room as it stands: its number, its state, and everybody's standing."""
        with self._lock, connected():
            try:
                room = fragments.current(self.code)
            except NotFound:
                # Deleted while people looked at it: to them it ended.
                self.state = "EXPIRED"
                for screen in self.screens:
                    screen.is_behind = True
                    screen.wake.set()
                if not hasattr(self, "_room"):
                    raise
                return self._room
            if (room.epoch, room.seq, room.state) != (self.epoch, self.head, self.state):
                self._frames.clear()
                self._shares.clear()
            self.epoch, self.head, self.state = room.epoch, room.seq, room.state
            self.roles = dict(room.member_roles)
            self.settings = room.settings
            self.muted = frozenset(person.id for person in room.people if person.is_muted)
            self._room = room
        return room

    def frame(self, role: str, after: int, epoch: str) -> Ready:
        """What an audience lacks after a number, made once for everybody who lacks the same."""
        start = after if epoch == self.epoch and self._room.seq - fragments.MOST_BEHIND <= after else 0
        start = start if start <= self._room.seq else 0
        ready = self._frames.get((role, start))
        if ready is not None:
            return ready
        with self._lock:
            ready = self._frames.get((role, start))
            if ready is None:
                ready = self._make(role, start)
                self._frames[role, start] = ready
                if len(self._frames) > FRAMES_KEPT:
                    self._frames.popitem(last=False)
        return ready

    def _make(self, role: str, start: int) -> Ready:
        with connected():
            made = fragments.lacking(self._room, Audience(role), start, self.epoch)
        counters["full" if made.start == 0 else "delta"] += 1
        if 'id="people"' in made.html:
            # This frame too says who is here, so what the last look found is no longer what screens show.
            self._people_html = ""
            self.people_changed()
        return Ready(wire.frame(made.html), made.to, made.epoch, made.actors)

    def own_share(self, user_id: int) -> bytes:
        """What is one person's own, read once for all of their screens."""
        key = (self.head, user_id)
        share = self._shares.get(key)
        if share is None:
            with connected():
                share = self._shares[key] = wire.frame(fragments.mine(self.code, user_id))
        return share

    def people_changed(self) -> None:
        """Somebody came or went: shown calmly, once a second at most."""
        if not self._is_people_planned:
            self._is_people_planned = True
            later(max(0.0, self._people_at + PEOPLE_SPACING - time.monotonic()), self.look_at_people)

    def look_at_people(self) -> None:
        """Render who is here; when it differs from what the screens have, have it sent."""
        self._is_people_planned = False
        self._people_at = time.monotonic()
        head, room = self.head, self.refresh()
        if head != room.seq:
            # A wake-up was lost, or is on its way.
            self.wake()
        html = fragments.people(room, Audience("guest"))
        if html != self._people_html:
            self._people_html, self.people_data = html, wire.frame(html)
            self.people_version += 1
            for screen in list(self.screens):
                screen.wake.set()
        self._tell_steps(room.id)

    def _tell_steps(self, room_id: int) -> None:
        """Who is not in step, for the host and co-hosts; a screen that cannot take it now gets it at the next look."""
        leading = [screen for screen in self.screens if self.roles.get(screen.member_id) in LEADERS]
        if not leading:
            return
        with connected():
            steps = presence.steps(room_id)
        if steps != self._steps:
            self._steps, self._steps_data = steps, wire.frame(fragments.steps(steps))
            self._steps_version += 1
        for screen in leading:
            is_due = screen.steps != self._steps_version and self.roles.get(screen.member_id) in LEADERS
            if is_due and screen.wire.offer(self._steps_data):
                screen.steps = self._steps_version

    def looks(self) -> dict[int, tuple[bool, str]]:
        """Of each seat: idle when all its screens are, and how the screen that keeps up best does."""
        by_seat: dict[int, list[Screen]] = {}
        for screen in list(self.screens):
            by_seat.setdefault(screen.member_id, []).append(screen)
        return {
            seat: (all(one.is_idle for one in some), presence.best([one.step for one in some]))
            for seat, some in by_seat.items()
        }

    def note_trip(self, milliseconds: float) -> None:
        """A screen's round trip, as it measured it."""
        if 0 <= milliseconds < 10_000:
            self._trips.append(milliseconds)

    def start_lead_ms(self) -> int:
        """How far ahead a start must lie so that all can make it: 1.5 times the trips' 95th percentile, and 50."""
        trips = sorted(self._trips)
        p95 = trips[int(len(trips) * 0.95)] if trips else 0.0
        return int(min(LEAD_MOST_MS, max(LEAD_LEAST_MS, 1.5 * p95 + 50)))


rooms: dict[str, RoomScreens] = {}


def of(code: str) -> RoomScreens:
    """The room's screens, watched from now on."""
    room = rooms.get(code)
    if room is None:
        room = rooms[code] = RoomScreens(code)
        tail.watch(code, room.wake)
    return room


def forget_if_empty(room: RoomScreens) -> None:
    """Nobody here looks at the room any more."""
    if not room.screens and rooms.get(room.code) is room:
        del rooms[room.code]
        tail.unwatch(room.code, room.wake)


def start_lead_ms(code: str) -> int:
    """How far in the future a start of this room should lie, in milliseconds."""
    room = rooms.get(code)
    return room.start_lead_ms() if room else LEAD_LEAST_MS


def heartbeat(room: RoomScreens) -> bytes:
    """The room's number, for screens that heard nothing else."""
    return wire.frame(json.dumps({"t": "head", "epoch": room.epoch, "seq": room.head}))


def later(seconds: float, act: Callable[[], object]) -> None:
    """Call `act` in its own greenlet after a while, never at once."""

    def wait() -> None:
        time.sleep(max(0.0, seconds))
        try:
            act()
        except Exception:
            logger.exception("what was planned for a room failed")

    _thread.start_new_thread(wait, ())
