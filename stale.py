"""The pieces of the room's screen, and which kinds of event make which piece stale."""

from __future__ import annotations

PIECES = (
    "status",
    "title",
    "banner",
    "now_playing",
    "playback",
    "skip",
    "queue_sum",
    "requests",
    "queue",
    "people",
    "chat",
    "history",
    "settings",
    "share",
    "mini",
)
EVERYTHING = frozenset(PIECES)
_STAGE = frozenset({"now_playing", "playback", "skip", "mini"})
_TRAY = frozenset({"requests"})
_NOTHING: frozenset[str] = frozenset()

STALE: dict[str, frozenset[str]] = {
    "room_opened": EVERYTHING,
    "room_went_live": frozenset({"status", "banner", "people"}),
    "host_lost": frozenset({"status", "banner", "people"}),
    "host_returned": frozenset({"status", "banner", "people"}),
    "room_expired": EVERYTHING,
    "mode_changed": EVERYTHING,
    "person_joined": frozenset({"people"}),
    "person_left": frozenset({"people"}),
    "person_renamed": frozenset({"banner", "now_playing", "queue", "people", "chat", "history"}),
    "item_added": frozenset({"queue", "queue_sum"}),
    "item_removed": frozenset({"queue", "queue_sum"}),
    "item_restored": frozenset({"queue", "queue_sum"}),
    "item_moved": frozenset({"queue"}),
    "item_started": _STAGE | {"queue", "queue_sum"},
    "item_ended": _STAGE | {"queue", "history"},
    "next_locked": frozenset({"queue"}),
    "vote_cast": frozenset({"queue"}),
    "vote_withdrawn": frozenset({"queue"}),
    "playback_changed": _STAGE | {"queue"},
    "settings_changed": EVERYTHING,
    "code_changed": frozenset({"title", "share", "settings"}),
    "room_ended": frozenset({"status"}),
    "host_changed": EVERYTHING,
    "host_offered": frozenset({"people", "banner"}),
    "host_declined": frozenset({"people", "banner"}),
    "role_changed": EVERYTHING,
    "control_asked": _TRAY,
    "control_granted": EVERYTHING,
    "control_declined": _TRAY,
    "control_ended": EVERYTHING,
    "suggestion_made": _TRAY,
    "suggestion_approved": _TRAY,
    "suggestion_declined": _TRAY,
    "suggestion_withdrawn": _TRAY,
    "skip_voted": frozenset({"skip"}),
    "skip_withdrawn": frozenset({"skip"}),
    "knock_made": _TRAY,
    "knock_approved": _TRAY,
    "knock_declined": _TRAY,
    "knock_withdrawn": _TRAY,
    "knock_expired": _TRAY,
    "invite_made": frozenset({"share"}),
    "invite_revoked": frozenset({"share"}),
    "person_removed": frozenset({"people", "requests"}),
    "person_readmitted": frozenset({"people"}),
    "person_banned": frozenset({"people", "requests"}),
    "ban_lifted": frozenset({"settings"}),
    "person_muted": frozenset({"people"}),
    "person_unmuted": frozenset({"people"}),
    "item_described": _STAGE | {"queue", "queue_sum", "requests", "chat", "history"},
    "item_filled": frozenset({"queue", "queue_sum"}),
    "length_told": _NOTHING,
    "length_known": _STAGE | {"queue", "queue_sum"},
    "subtitles_changed": _STAGE,
    "message_sent": _NOTHING,
    "message_deleted": _NOTHING,
    "message_reacted": _NOTHING,
}
"""What was said is appended row by row (party.chat); the piece `chat` itself is only redrawn whole."""

# Whose own share (#mine) an event changes, beside that of whoever did it: everybody's, the person's whom it names, or
# that of those who put an item on or voted for it.
TOUCHING_ALL = frozenset({"room_expired", "mode_changed", "settings_changed", "host_changed"})
TOUCHING_ONE = frozenset(
    {"control_granted", "control_declined", "control_ended", "role_changed", "person_muted", "person_unmuted"}
)
TOUCHING_ITEMS = frozenset({"item_removed", "item_restored", "item_started", "item_ended"})
