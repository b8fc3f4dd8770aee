"""The room's log: the kinds and their fields, appending, reading after a number, and who is told of a commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from models import Event, Room
from party.clock import now_ms

KINDS: dict[str, frozenset[str]] = {
    "room_opened": frozenset(),
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
}

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
