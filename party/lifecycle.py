"""The room's states and what time alone does to them: CREATED → LIVE → GRACE → LIVE or EXPIRED.

The effective state is computed from the row and the clock, so a promise holds even when no worker runs.
"""

from __future__ import annotations

from models import Item, Play, Playback, Room
from party import events

HOST_GONE_MS = 5_000
"""How long the host's last screen must be gone before the room is in grace."""


def effective(room: Room, now: int) -> tuple[str, int | None]:
    """The room's state at `now` and, in GRACE, the instant it ends; else None."""
    state, until = room.state, room.host_grace_until
    if state == "LIVE" and room.host_gone_at is not None and now >= room.host_gone_at + HOST_GONE_MS:
        state, until = "GRACE", grace_ends_at(room)
    if state == "GRACE" and until is not None and now >= until:
        return "EXPIRED", None
    return state, until if state == "GRACE" else None


def grace_ends_at(room: Room) -> int:
    """When the host has to be back, given when the last screen went."""
    return int(room.host_gone_at or 0) + HOST_GONE_MS + int(room.grace_seconds) * 1000


def is_overdue(room: Room, now: int) -> bool:
    """True when the stored state lags behind the effective one."""
    return effective(room, now)[0] != room.state


def settle(room: Room, now: int) -> bool:
    """Write what time has done to the room into the open transaction. True when anything changed."""
    state, _ = effective(room, now)
    if state == room.state:
        return False
    if room.state == "LIVE":
        room.state, room.host_grace_until = "GRACE", grace_ends_at(room)
        events.append(room, "host_lost", None, until=room.host_grace_until)
    if state == "EXPIRED":
        _expire(room, min(now, int(room.host_grace_until or now)))
    room.save()
    return True


def _expire(room: Room, at: int) -> None:
    room.state, room.expired_at = "EXPIRED", at
    room.host_grace_until = room.host_gone_at = None
    room.fence += 1
    playback = Playback.get_by_id(room.id)
    if playback.item_id is not None:
        Play.update(ended_at=at, end_reason="finished").where(Play.id == playback.play_id).execute()
        Item.update(state="played").where(Item.id == playback.item_id).execute()
        events.append(
            room, "item_ended", None, item_id=playback.item_id, play_id=playback.play_id, reason="finished"
        )
    playback.item = playback.play = playback.locked_item = playback.ends_at = None
    playback.state, playback.position_ms, playback.at_ms = "idle", 0, at
    playback.version += 1
    playback.save()
    events.append(room, "room_expired", None)
