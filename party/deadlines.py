"""What time will do to a room, so that somebody can be there in time. Reading only; the commands compare again."""

from __future__ import annotations

from dataclasses import dataclass

from models import Playback, Room, rows
from party.clock import now_ms
from party.playback import lock_at


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The instants at which something is due in a room; None where nothing is."""

    play_id: int | None
    ends_at: int | None
    locks_at: int | None
    grace_until: int | None


def of(code: str) -> Deadlines | None:
    """The deadlines of a room, or None for an unknown one."""
    room = Room.get_or_none(Room.code == code)
    if room is None:
        return None
    playback = Playback.get_by_id(room.id)
    is_playing = playback.state == "playing"
    return Deadlines(
        playback.play_id if is_playing else None,
        playback.ends_at if is_playing else None,
        lock_at(playback) if is_playing and playback.locked_item_id is None else None,
        room.host_grace_until,
    )


def is_expected(code: str, play_id: int, ends_at: int) -> bool:
    """True while the play still ends at that instant."""
    found = of(code)
    return found is not None and (found.play_id, found.ends_at) == (play_id, ends_at)


def playing_codes() -> list[str]:
    """Codes of the rooms in which something plays or grace runs."""
    query = (
        Room.select(Room.code)
        .join(Playback)
        .where((Playback.state == "playing") | Room.host_grace_until.is_null(False))
    )
    return [code for (code,) in rows(query)]


def overdue_plays() -> list[tuple[str, int]]:
    """(code, play) of every play that should have ended by now."""
    query = (
        Playback.select(Room.code, Playback.play)
        .join(Room)
        .where(Playback.state == "playing", Playback.ends_at <= now_ms())
    )
    return rows(query)
