"""What a room's host may set: the values, what they may be, the presets. Stored is what differs from the defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from party.errors import Invalid


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """One room's settings. `all`, `cohosts` and `host` name the least role that may; 0 is no limit."""

    add: str = "all"
    vote: str = "all"
    reorder: str = "cohosts"
    take_off: str = "cohosts"
    skip: str = "vote"
    control: str = "cohosts"
    chat: str = "all"
    max_waiting: int = 0
    adds_per_minute: int = 0
    slow_seconds: int = 0
    chat_kept: int = 500
    accounts_only: bool = False
    explicit: bool = True
    succession: str = "cohost"
    owner_returns: str = "asks"
    keep: bool = False
    keep_days: int = 30
    when_away: str = "play"
    uploads: bool = True
    links: bool = True
    when_empty: str = "nothing"
    empty_playlist: int = 0

    @property
    def preset(self) -> str:
        """The preset that the room is set up as; empty when it is none of them."""
        fits = (name for name, values in PRESETS.items() if changed(self, values) == self)
        return next(fits, "")


LEVELS = ("all", "cohosts", "host")

CHOICES: dict[str, tuple[str, ...]] = {
    "add": ("all", "approval", "cohosts", "host"),
    "vote": LEVELS,
    "reorder": LEVELS,
    "take_off": LEVELS,
    "skip": ("vote", "cohosts", "host"),
    "control": LEVELS,
    "chat": ("all", "cohosts", "off"),
    "succession": ("cohost", "anybody", "nobody"),
    "owner_returns": ("asks", "at_once"),
    "when_away": ("play", "pause"),
    "when_empty": ("nothing", "playlist", "favourites", "alike"),
}
"""`skip=vote`: the people present skip together, cohosts and host alone. `add=approval`: guests suggest."""

RANGES: dict[str, tuple[int, int]] = {
    "max_waiting": (0, 100),
    "adds_per_minute": (0, 60),
    "slow_seconds": (0, 300),
    "chat_kept": (50, 5_000),
    "keep_days": (1, 90),
    "empty_playlist": (0, 2**31 - 1),
}

SWITCHES = ("accounts_only", "explicit", "keep", "uploads", "links")

PRESETS: dict[str, dict[str, Any]] = {
    "party": {
        "add": "all",
        "vote": "all",
        "reorder": "all",
        "take_off": "all",
        "skip": "vote",
        "control": "all",
        "chat": "all",
        "max_waiting": 0,
        "adds_per_minute": 0,
    },
    "radio": {
        "add": "cohosts",
        "vote": "all",
        "reorder": "host",
        "take_off": "host",
        "skip": "host",
        "control": "host",
        "chat": "all",
        "max_waiting": 0,
        "adds_per_minute": 0,
    },
    "class": {
        "add": "approval",
        "vote": "all",
        "reorder": "cohosts",
        "take_off": "cohosts",
        "skip": "cohosts",
        "control": "cohosts",
        "chat": "cohosts",
        "max_waiting": 3,
        "adds_per_minute": 5,
        "explicit": False,
    },
}
"""Party: all open. Radio: the host leads. Class: approval for everything (the room's entry turns to approval too)."""

DEFAULTS = RoomSettings()


def load(stored: dict[str, Any]) -> RoomSettings:
    """The settings from what a room's row holds."""
    return RoomSettings(**stored)


def stored(settings: RoomSettings) -> dict[str, Any]:
    """What a room's row has to hold: the values that differ from the defaults."""
    default = asdict(DEFAULTS)
    return {name: value for name, value in asdict(settings).items() if value != default[name]}


def changed(settings: RoomSettings, values: dict[str, Any]) -> RoomSettings:
    """The settings with some values replaced. Raises Invalid for an unknown name or a value it may not have."""
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for name, value in values.items():
        if name not in known:
            raise Invalid(f"There is no setting called “{name}”.")
        known[name] = _checked(name, value)
    return RoomSettings(**known)


def _checked(name: str, value: Any) -> Any:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise Invalid(f"“{name}” can be {', '.join(CHOICES[name])}.")
        return value
    if name in RANGES:
        low, high = RANGES[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Invalid(f"“{name}” can be a whole number from {low} to {high}.")
        return value
    if not isinstance(value, bool):
        raise Invalid(f"“{name}” can be on or off.")
    return value
