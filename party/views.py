"""What one audience may see of a room, as frozen values; built by snapshot.py, read by templates and the JSON door.

Equal values render to equal bytes, which is how a screen's missing rows are found.
"""

from __future__ import annotations

from dataclasses import dataclass

from party.permissions import can
from party.settings import DEFAULTS, RoomSettings

PEOPLE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Audience:
    """A class of viewers that sees the same bytes: one of permissions.ROLES, in a room with these settings."""

    role: str
    settings: RoomSettings = DEFAULTS

    def can(self, ability: str) -> bool:
        """True when every member of this audience may do it."""
        return can(self.role, ability, self.settings)

    @property
    def leads(self) -> bool:
        """True for the host and the co-hosts."""
        return self.role in ("host", "cohost")


@dataclass(frozen=True, slots=True)
class PersonView:
    """Somebody in the room. `color` is 1 to 10 (class `who-N`); beyond the tenth person colours repeat, ringed."""

    id: int
    name: str
    initials: str
    color: int
    is_ringed: bool
    role: str
    is_here: bool
    is_idle: bool = False
    is_muted: bool = False


@dataclass(frozen=True, slots=True)
class TrackView:
    """A piece of media. `hue` is the cover's hue in steps of 15 degrees as text, or "none"."""

    id: int
    title: str
    artist: str
    album: str
    genre: str
    duration_ms: int
    hue: str
    audio_url: str
    cover_url: str

    @property
    def duration_text(self) -> str:
        """Minutes and seconds, hours when there are any: 3:42, 1:02:07."""
        return clock_text(self.duration_ms)


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why a row stands first. `code` is one of ordering.REASONS; `other_title` names the row it is compared with."""

    code: str
    votes: int
    other_title: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """A row of the line, or the item that plays. `reason` and `voters` are filled for the first row only."""

    id: int
    track: TrackView
    by: PersonView
    up: int
    down: int
    net: int
    is_pinned: bool
    is_locked: bool
    reason: ReasonView | None
    voters: tuple[PersonView, ...]


@dataclass(frozen=True, slots=True)
class KnockView:
    """Somebody who waits outside."""

    id: int
    name: str
    asked_at: int


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """A track that waits for the host's word."""

    id: int
    track: TrackView
    by: PersonView


@dataclass(frozen=True, slots=True)
class SkipView:
    """How many of those present want the next track, and how many it takes."""

    play_id: int
    votes: int
    needed: int


@dataclass(frozen=True, slots=True)
class PlayedView:
    """One line of the history. `was_skipped` is False when it played to its end."""

    play_id: int
    item_id: int
    track: TrackView
    by: PersonView
    net: int
    started_at: int
    was_skipped: bool


@dataclass(frozen=True, slots=True)
class PlaybackView:
    """The room's anchor: at `at_ms` (server clock) the item stood at `position_ms` and moves at `rate`."""

    item_id: int | None
    state: str
    position_ms: int
    at_ms: int
    rate: float
    version: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A room as it stood at `seq`; everything a template may ask for.

    `people` holds those who are here, the host first, at most PEOPLE_SHOWN of them; `people_count` counts all.
    `code` never changes and is what our own addresses carry; `door_code` is what opens the door, on links and in talk.
    `heir` is who takes over when grace ends; `member_roles` are the roles people act in (permissions.standing).
    """

    id: int
    code: str
    name: str
    state: str
    mode: str
    epoch: str
    seq: int
    fence: int
    grace_until_ms: int | None
    host: PersonView | None
    playback: PlaybackView
    now: ItemView | None
    items: tuple[ItemView, ...]
    people: tuple[PersonView, ...]
    here: frozenset[int]
    idle: frozenset[int]
    history: tuple[PlayedView, ...]
    member_roles: tuple[tuple[int, str], ...]
    settings: RoomSettings
    visibility: str
    entry: str
    is_locked: bool
    door_code: str
    knocks: tuple[KnockView, ...]
    suggestions: tuple[SuggestionView, ...]
    control_asks: tuple[PersonView, ...]
    drivers: tuple[PersonView, ...]
    offered_host: PersonView | None
    heir: PersonView | None
    paused_by: PersonView | None
    skip: SkipView | None

    @property
    def code_text(self) -> str:
        """The code as people read it: two groups of four."""
        return f"{self.door_code[:4]} {self.door_code[4:]}"

    def audience(self, role: str) -> Audience:
        """The class of viewers of one role, in this room as it is set."""
        return Audience(role, self.settings)

    @property
    def people_count(self) -> int:
        return len(self.here)

    @property
    def mode_name(self) -> str:
        return {"charts": "Charts", "hand": "By hand"}[self.mode]

    @property
    def is_over(self) -> bool:
        return self.state == "EXPIRED"

    @property
    def is_host_away(self) -> bool:
        return self.state == "GRACE"

    @property
    def hue(self) -> str:
        return self.now.track.hue if self.now else "none"

    @property
    def total_ms(self) -> int:
        """How long the waiting line plays."""
        return sum(item.track.duration_ms for item in self.items)

    @property
    def total_text(self) -> str:
        """The waiting line's length in words: 1 h 2 min, 12 min, 40 s."""
        seconds = self.total_ms // 1000
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        if hours:
            return f"{hours} h {minutes} min"
        return f"{minutes} min" if minutes else f"{seconds} s"


def clock_text(milliseconds: int) -> str:
    """Minutes and seconds, hours when there are any: 3:42, 1:02:07."""
    seconds = milliseconds // 1000
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
