"""The one table of abilities and roles, and how a room's settings widen or narrow it; what is missing is forbidden.

The stored roles are host, cohost and guest. Two more are computed for a moment: a *driver* is a guest who was given
the controls, a *watcher* is somebody without an account in a listed room that lets only accounts take part.
"""

from __future__ import annotations

from dataclasses import dataclass

from party.settings import DEFAULTS, RoomSettings

HOST, COHOST, DRIVER, GUEST, WATCHER, SCREEN = "host", "cohost", "driver", "guest", "watcher", "screen"
CLOCK_ROLE = "clock"

ROLES = (HOST, COHOST, DRIVER, GUEST, WATCHER, SCREEN, CLOCK_ROLE)

_HOSTS = frozenset({HOST})
_LEADERS = frozenset({HOST, COHOST})
_TAKING_PART = frozenset({HOST, COHOST, DRIVER, GUEST})
_SEATED = _TAKING_PART | {WATCHER}
_NOBODY: frozenset[str] = frozenset()
_LEVELS = {"all": _TAKING_PART, "cohosts": _LEADERS, "host": _HOSTS}


@dataclass(frozen=True, slots=True)
class Governed:
    """An ability that one of the room's settings gives to more or fewer."""

    setting: str
    grants: dict[str, frozenset[str]]


ABILITIES: dict[str, frozenset[str] | Governed] = {
    "see": _SEATED | {SCREEN, CLOCK_ROLE},
    "leave": _SEATED,
    # The line.
    "add_item": Governed("add", {**_LEVELS, "approval": _LEADERS}),
    "suggest_item": Governed("add", {"approval": _TAKING_PART - _LEADERS}),
    "vote": Governed("vote", _LEVELS),
    "remove_own_item": _TAKING_PART,
    "remove_item": Governed("take_off", _LEVELS),
    "move_item": Governed("reorder", _LEVELS),
    "decide_suggestions": _LEADERS,
    "set_subtitles": _TAKING_PART,
    # Playing.
    "control_playback": Governed(
        "control", {"all": _TAKING_PART, "cohosts": _LEADERS | {DRIVER}, "host": _HOSTS | {DRIVER}}
    ),
    "ask_control": Governed("control", {"cohosts": frozenset({GUEST}), "host": frozenset({GUEST})}),
    "grant_control": Governed("control", {"all": _LEADERS, "cohosts": _LEADERS, "host": _HOSTS}),
    "skip_item": Governed(
        "skip",
        {"vote": _LEADERS | {DRIVER}, "cohosts": _LEADERS | {DRIVER}, "host": _HOSTS | {DRIVER}},
    ),
    "vote_skip": Governed("skip", {"vote": frozenset({GUEST})}),
    "report_length": _TAKING_PART,
    "save_progress": _SEATED,
    # Talking.
    "chat": Governed("chat", {"all": _TAKING_PART, "cohosts": _LEADERS}),
    "react": Governed("chat", {"all": _TAKING_PART, "cohosts": _TAKING_PART}),
    "moderate_chat": _LEADERS,
    # Doors.
    "decide_knocks": _LEADERS,
    "invite": _LEADERS,
    "rotate_code": _HOSTS,
    "lock_room": _LEADERS,
    "kick": _LEADERS,
    "ban": _LEADERS,
    "mute": _LEADERS,
    # The house.
    "see_log": _LEADERS,
    "change_mode": _HOSTS,
    "change_settings": _HOSTS,
    "name_cohost": _HOSTS,
    "hand_over": _HOSTS,
    "claim_host": _SEATED,
    "end_room": _HOSTS,
    "start_again": _SEATED,
    # Time.
    "advance": frozenset({CLOCK_ROLE}),
    "keep_time": frozenset({CLOCK_ROLE}),
    "describe_item": frozenset({CLOCK_ROLE}),
    "fill_line": frozenset({CLOCK_ROLE}),
}
"""`claim_host` and `start_again` are everybody's to ask; whose they are depends on who somebody was (party.hosting)."""


def can(role: str, ability: str, settings: RoomSettings = DEFAULTS) -> bool:
    """True when the table grants the ability to the role in a room with these settings. KeyError: unknown ability."""
    rule = ABILITIES[ability]
    if isinstance(rule, Governed):
        return role in rule.grants.get(getattr(settings, rule.setting), _NOBODY)
    return role in rule


def standing(
    role: str,
    *,
    has_account: bool,
    controls_until: int | None,
    now: int,
    is_listed: bool,
    settings: RoomSettings,
) -> str:
    """The role somebody acts in at `now` (epoch ms): the stored one, or driver or watcher in place of guest."""
    if is_listed and settings.accounts_only and not has_account and role == GUEST:
        return WATCHER
    if role == GUEST and controls_until is not None and now < controls_until:
        return DRIVER
    return role


def printed() -> str:
    """The table as text: one line per ability, one column per role, settings named where they decide."""
    lines = [f"{'ability':20} " + " ".join(f"{role:8}" for role in ROLES)]
    for ability, rule in ABILITIES.items():
        if not isinstance(rule, Governed):
            lines.append(f"{ability:20} " + " ".join(f"{'yes' if role in rule else '-':8}" for role in ROLES))
            continue
        for value, roles in rule.grants.items():
            marks = " ".join(f"{'yes' if role in roles else '-':8}" for role in ROLES)
            lines.append(f"{ability:20} {marks} when {rule.setting} is {value}")
    return "\n".join(line.rstrip() for line in lines)
