"""What one audience may see of a room, as frozen values; built by snapshot.py, read by templates and the JSON door.

Equal values render to equal bytes, which is how a screen's missing rows are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from party.permissions import can
from party.settings import DEFAULTS, RoomSettings

PEOPLE_SHOWN = 60
BARS_SHOWN = 96
LEAST_BAR = 2
"""A moment of silence is still a dot of the line."""


@dataclass(frozen=True, slots=True)
class Audience:
    """A class of viewers that sees the same bytes: one of permissions.ROLES, in a room with these settings.

    Whoever only looks in, without a seat (`is_inside` False), sees what guests see, but is given nothing to play.
    """

    role: str
    settings: RoomSettings = DEFAULTS
    is_inside: bool = True

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
    """A piece of media. `hue` is the cover's hue in steps of 15 degrees as text, or "none".

    `duration_ms` 0 is not known, or endless. `player` is one of models.PLAYERS; what a frame plays has no `media_url`
    and is named by `reference`. `gain` (0 to 1) is the volume at which it is as loud as the others, `opus_gain` that of
    its Opus rendition, which is to be preferred where it was raised (`is_lifted`).
    """

    id: int
    title: str
    artist: str
    album: str
    genre: str
    duration_ms: int
    hue: str
    media_url: str
    cover_url: str
    provider: str = "house"
    reference: str = ""
    player: str = "file"
    is_video: bool = False
    state: str = "ready"
    failure: str = ""
    mime: str = ""
    opus_url: str = ""
    gain: float = 1.0
    opus_gain: float = 1.0
    is_lifted: bool = False

    @property
    def duration_text(self) -> str:
        """Minutes and seconds, hours when there are any: 3:42, 1:02:07; nothing while it is not known."""
        return clock_text(self.duration_ms) if self.duration_ms else ""

    @property
    def cover_small_url(self) -> str:
        """The cover for a row: 96 pixels where it was made in sizes, else what there is."""
        return f"{self.cover_url}/96" if self.cover_url else ""

    @property
    def has_picture(self) -> bool:
        """True for moving pictures, and for what plays in a frame of its own."""
        return self.is_video or self.player not in ("file", "hls", "spotify")

    @property
    def takes_subtitles(self) -> bool:
        """True for pictures in our own player, which can show words with them."""
        return self.player == "hls" or (self.player == "file" and self.is_video)

    @property
    def is_ready(self) -> bool:
        """True when it can be played: neither looked up still nor broken."""
        return self.state == "ready"


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
    is_filler: bool = False


@dataclass(frozen=True, slots=True)
class SubtitleView:
    """Words to the video that plays, as WebVTT."""

    id: int
    label: str
    language: str
    url: str


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
    """One line of the history. `was_skipped` is False when it played to its end.

    One that `is_filler` was put on by the room itself: `by` is then the host, who had nothing to do with it.
    """

    play_id: int
    item_id: int
    track: TrackView
    by: PersonView
    net: int
    started_at: int
    was_skipped: bool
    is_filler: bool = False


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
    `peaks` is the waveform of what plays, one digit of base 36 a bar; `subtitles` are its words.
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
    peaks: str = ""
    subtitles: tuple[SubtitleView, ...] = ()

    @property
    def code_text(self) -> str:
        """The code as people read it: two groups of four."""
        return f"{self.door_code[:4]} {self.door_code[4:]}"

    def audience(self, role: str, *, is_inside: bool = True) -> Audience:
        """The class of viewers of one role, in this room as it is set."""
        return Audience(role, self.settings, is_inside)

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
    def has_picture(self) -> bool:
        """True while the stage shows moving pictures, or somebody else's player, in place of the cover."""
        return self.now is not None and self.now.track.has_picture

    @property
    def peaks_width(self) -> int:
        """How many bars the waveform is drawn with."""
        return min(len(self.peaks), BARS_SHOWN)

    @property
    def peaks_path(self) -> str:
        """The waveform as the path of an SVG: upright bars, one unit each, about the middle of a height of 36."""
        width = self.peaks_width
        edges = [number * len(self.peaks) // width for number in range(width + 1)] if width else [0]
        tallest = [max(int(digit, 36) for digit in self.peaks[start:end]) for start, end in pairwise(edges)]
        return "".join(
            f"M{number}.5 {18 - tall * 16 / 35:.3g}V{18 + tall * 16 / 35:.3g}"
            for number, tall in enumerate(max(each, LEAST_BAR) for each in tallest)
        )

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
