"""What time will do to a room, so that somebody can be there in time. Reading only; the commands compare again."""

from __future__ import annotations

from dataclasses import dataclass

from peewee import fn

from models import Member, Playback, Prepared, Room, rows
from party import lifecycle, reads
from party.clock import now_ms
from party.ordering import lock_threshold_ms


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The instants at which something is due in a room; None where nothing is.

    `settles_at` is when the room's state changes by itself: grace begins, or runs out; `lent_until` when controls
    that were lent go back.
    """

    play_id: int | None
    ends_at: int | None
    locks_at: int | None
    settles_at: int | None
    lent_until: int | None = None


next_end_of_controls = Prepared(
    lambda code: (
        Member.select(fn.MIN(Member.controls_until))
        .join(Room)
        .where(Room.code == code, Member.controls_until.is_null(False))
    )
)


def of(code: str) -> Deadlines | None:
    """The deadlines of a room, or None for an unknown one."""
    found = reads.deadlines(code)
    if not found:
        return None
    [(state, gone_at, grace_until, playing, play_id, ends_at, locked_id, duration_ms)] = found
    settles_at = grace_until
    if state == "LIVE" and gone_at is not None:
        settles_at = gone_at + lifecycle.HOST_GONE_MS
    [(lent_until,)] = next_end_of_controls(code)
    if playing != "playing" or ends_at is None:
        return Deadlines(None, None, None, settles_at, lent_until)
    locks_at = ends_at - lock_threshold_ms(duration_ms) if locked_id is None else None
    return Deadlines(play_id, ends_at, locks_at, settles_at, lent_until)


def is_expected(code: str, play_id: int, ends_at: int) -> bool:
    """True while the play still ends at that instant."""
    found = of(code)
    return found is not None and (found.play_id, found.ends_at) == (play_id, ends_at)


def running_codes() -> list[str]:
    """Codes of the rooms in which something plays, controls are lent, the host is gone or grace runs."""
    lending = Member.select(Member.room).where(Member.controls_until.is_null(False))
    query = (
        Room.select(Room.code)
        .join(Playback)
        .where(
            (Playback.state == "playing")
            | Room.host_grace_until.is_null(False)
            | Room.host_gone_at.is_null(False)
            | (Room.id.in_(lending) & (Room.state != "EXPIRED"))
        )
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
