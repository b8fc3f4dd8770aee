"""The one table of abilities and roles. Doors ask nobody else; what is missing here is forbidden."""

from __future__ import annotations

HOST, COHOST, GUEST, SCREEN, CLOCK_ROLE = "host", "cohost", "guest", "screen", "clock"

ABILITIES: dict[str, frozenset[str]] = {
    "see": frozenset({HOST, COHOST, GUEST, SCREEN, CLOCK_ROLE}),
    "leave": frozenset({HOST, COHOST, GUEST}),
    "add_item": frozenset({HOST, COHOST, GUEST}),
    "vote": frozenset({HOST, COHOST, GUEST}),
    "remove_own_item": frozenset({HOST, COHOST, GUEST}),
    "remove_item": frozenset({HOST, COHOST}),
    "move_item": frozenset({HOST, COHOST}),
    "control_playback": frozenset({HOST}),
    "change_mode": frozenset({HOST}),
    "advance": frozenset({CLOCK_ROLE}),
    "keep_time": frozenset({CLOCK_ROLE}),
}


def can(role: str, ability: str) -> bool:
    """True when the table grants the ability to the role. Raises KeyError for an unknown ability."""
    return role in ABILITIES[ability]
