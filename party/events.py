"""The room's log: the kinds and their fields, appending, reading after a number, and who is told of a commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from models import Event, Room
from party.clock import now_ms

KINDS: dict[str, frozenset[str]] = {
    "room_opened": frozenset({"advance"}),
    "room_went_live": frozenset(),
    "host_lost": frozenset({"until"}),
    "host_returned": frozenset(),
    "room_expired": frozenset(),
    "mode_changed": frozenset({"mode"}),
    "person_joined": frozenset({"member_id"}),
    "person_left": frozenset({"member_id"}),
    "person_renamed": frozenset({"member_id"}),
    "item_added": frozenset({"item_id"}),
    "item_removed": frozenset({"item_id"}),
    "item_restored": frozenset({"item_id"}),
    "item_moved": frozenset({"item_id", "after_id"}),
    "item_started": frozenset({"item_id", "play_id"}),
    "item_ended": frozenset({"item_id", "play_id", "reason"}),
    "next_locked": frozenset({"item_id"}),
    "vote_cast": frozenset({"item_id", "value"}),
    "vote_withdrawn": frozenset({"item_id"}),
    "playback_changed": frozenset({"action", "position_ms"}),
    "settings_changed": frozenset({"names", "before"}),
    "code_changed": frozenset(),
    "room_ended": frozenset(),
    "host_changed": frozenset({"member_id", "from_id", "how"}),
    "host_offered": frozenset({"member_id"}),
    "host_declined": frozenset({"member_id"}),
    "role_changed": frozenset({"member_id", "role"}),
    "control_asked": frozenset({"member_id"}),
    "control_granted": frozenset({"member_id", "until"}),
    "control_declined": frozenset({"member_id"}),
    "control_ended": frozenset({"member_id"}),
    "suggestion_made": frozenset({"suggestion_id"}),
    "suggestion_approved": frozenset({"suggestion_id"}),
    "suggestion_declined": frozenset({"suggestion_id"}),
    "suggestion_withdrawn": frozenset({"suggestion_id"}),
    "skip_voted": frozenset({"play_id"}),
    "skip_withdrawn": frozenset({"play_id"}),
    "knock_made": frozenset({"knock_id"}),
    "knock_approved": frozenset({"knock_id"}),
    "knock_declined": frozenset({"knock_id"}),
    "knock_withdrawn": frozenset({"knock_id"}),
    "knock_expired": frozenset({"knock_id"}),
    "invite_made": frozenset({"invite_id"}),
    "invite_revoked": frozenset({"invite_id"}),
    "person_removed": frozenset({"member_id"}),
    "person_readmitted": frozenset({"member_id"}),
    "person_banned": frozenset({"member_id", "ban_id"}),
    "ban_lifted": frozenset({"ban_id"}),
    "person_muted": frozenset({"member_id", "until"}),
    "person_unmuted": frozenset({"member_id"}),
    "item_described": frozenset({"item_id"}),
    "item_filled": frozenset({"item_id"}),
    "length_told": frozenset({"item_id", "duration_ms"}),
    "length_known": frozenset({"item_id", "duration_ms"}),
    "subtitles_changed": frozenset({"track_id"}),
    "message_sent": frozenset({"message_id"}),
    "message_deleted": frozenset({"message_id"}),
    "message_reacted": frozenset({"message_id"}),
}
"""`before` holds what the settings named in `names` were, so that it can be undone; never a name or a password.

`advance` is how many songs had begun in the ended room that this one continues.
"""

SENTENCES: dict[str, str] = {
    "room_opened": "{who} opened the room",
    "room_went_live": "The room went live",
    "host_lost": "The host’s connection dropped",
    "host_returned": "The host came back",
    "room_expired": "The party ended",
    "mode_changed": "{who} changed how the line is ordered",
    "person_joined": "{who} came in",
    "person_left": "{who} left",
    "person_renamed": "{who} took another name",
    "item_added": "{who} put a track on the line",
    "item_removed": "{who} took a track off the line",
    "item_restored": "{who} put a track back",
    "item_moved": "{who} moved a track",
    "item_started": "A track started",
    "item_ended": "A track ended",
    "next_locked": "The next track was locked in",
    "vote_cast": "{who} voted",
    "vote_withdrawn": "{who} took a vote back",
    "playback_changed": "{who} changed the playback",
    "settings_changed": "{who} changed the settings",
    "code_changed": "{who} changed the room’s code",
    "room_ended": "{who} ended the party",
    "host_changed": "The host changed",
    "host_offered": "{who} offered the host’s place",
    "host_declined": "{who} did not take the host’s place",
    "role_changed": "{who} changed a role",
    "control_asked": "{who} asked for the controls",
    "control_granted": "{who} gave the controls to somebody",
    "control_declined": "{who} kept the controls",
    "control_ended": "The controls went back",
    "suggestion_made": "{who} suggested a track",
    "suggestion_approved": "{who} let a track onto the line",
    "suggestion_declined": "{who} declined a track",
    "suggestion_withdrawn": "{who} took a suggestion back",
    "skip_voted": "{who} voted to skip",
    "skip_withdrawn": "{who} took a vote to skip back",
    "knock_made": "Somebody knocked",
    "knock_approved": "{who} let somebody in",
    "knock_declined": "{who} did not let somebody in",
    "knock_withdrawn": "Somebody stopped knocking",
    "knock_expired": "A knock was not answered",
    "invite_made": "{who} made an invitation",
    "invite_revoked": "{who} took an invitation back",
    "person_removed": "{who} sent somebody out",
    "person_readmitted": "{who} let somebody back in",
    "person_banned": "{who} banned somebody",
    "ban_lifted": "{who} lifted a ban",
    "person_muted": "{who} muted somebody",
    "person_unmuted": "{who} unmuted somebody",
    "item_described": "More became known of a track",
    "item_filled": "The room put a track on by itself",
    "length_told": "{who}’s player said how long a track is",
    "length_known": "The length of a track became known",
    "subtitles_changed": "{who} changed the subtitles",
    "message_sent": "{who} said something",
    "message_deleted": "{who} deleted a message",
    "message_reacted": "{who} reacted to a message",
}

Listener = Callable[[str, int], None]
on_commit: list[Listener] = []


def append(room: Room, kind: str, actor_id: int | None, **data: Any) -> None:
    """Number and store one row in the open transaction. Raises ValueError when the fields are not the kind's."""
    if frozenset(data) != KINDS[kind]:
        raise ValueError(f"{kind} takes {sorted(KINDS[kind])}, not {sorted(data)}")
    room.seq += 1
    Event.insert(room=room.id, seq=room.seq, kind=kind, actor=actor_id, data=data, at=now_ms()).execute()


def after(room_id: int, seq: int, limit: int) -> list[Event]:
    """Rows of the room's log numbered above `seq`, in order, at most `limit`."""
    query = Event.select().where(Event.room == room_id, Event.seq > seq).order_by(Event.seq).limit(limit)
    return list(query)


def announce(code: str, seq: int) -> None:
    """Tell the listeners that a room's log grew. They may fail: the tail reads the table as well."""
    for listener in on_commit:
        try:
            listener(code, seq)
        except Exception:
            logging.getLogger(__name__).exception("commit listener failed for room %s", code)
