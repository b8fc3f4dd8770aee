"""Files go on the line in the order their person chose them, whichever of them is looked at first.

What was looked at and waits for a file chosen before it is `checking` still, and has its track already; nobody holds
that track before its turn, so calling the file off leaves nothing.
"""

from __future__ import annotations

from models import Room, Upload, locking, rows
from party import shelf, suggestions
from party.change import Person, locked_rooms, write
from party.clock import now_ms
from party.errors import Refusal
from party.files import UPLOADS_UNDER_WAY

REASON_LONGEST = 200
STALLED_MS = 60_000
"""A file of which nothing came for so long holds up none behind it."""
LOOKED_AT_MOST_MS = 600_000
"""A file that has been ready for so long waits no longer for one that is still looked at."""


def is_ready(row: Upload) -> bool:
    """True for a file that was looked at and only waits for its turn."""
    return row.state == "checking" and row.track_id is not None


def close(row: Upload, state: str, reason: str = "") -> None:
    """An upload is over, in the open transaction."""
    row.state, row.reason, row.touched_at = state, reason[:REASON_LONGEST], now_ms()
    row.save(only=[Upload.state, Upload.reason, Upload.touched_at, Upload.track])


def put_on_ready(room_id: int | None, user_id: int) -> None:
    """Put on whatever of somebody's files is ready and has none before it, in the open transaction that has the room.

    What the line does not take is ready all the same, and the reason is kept.
    """
    whose = (Upload.room == room_id, Upload.user == user_id, Upload.goes_on_line)
    coming = Upload.select().where(*whose, Upload.state.in_(UPLOADS_UNDER_WAY)).order_by(Upload.id)
    before: list[Upload] = []
    now = now_ms()
    for row in list(locking(coming)):
        if not is_ready(row):
            before.append(row)
        elif any(_holds_up(earlier, row, now) for earlier in before):
            return
        else:
            arrive(row)


def put_on_stalled() -> None:
    """Put on what waited for a file that comes no more, and what was left when the worker died."""
    waiting = Upload.select(Upload.room, Upload.user).where(
        Upload.state == "checking", Upload.track.is_null(False)
    )
    for room_id, user_id in sorted(rows(waiting.distinct())):
        with write():
            locked_rooms(Room.id == room_id)
            put_on_ready(room_id, user_id)


def arrive(row: Upload) -> None:
    """Its person holds a file from now on; it goes where they wanted it."""
    shelf.bring(row.track, row.room_id, row.user_id, now_ms())
    close(row, "ready", _offer(row) if row.goes_on_line else "")


def _holds_up(earlier: Upload, row: Upload, now: int) -> bool:
    if earlier.state == "receiving":
        return bool(earlier.touched_at > now - STALLED_MS)
    # That one is touched again and again while it is looked at; this one was when it got ready.
    return bool(row.touched_at > now - LOOKED_AT_MOST_MS)


def _offer(row: Upload) -> str:
    """Put the file on the line, or suggest it, as its person. Returns why not, or nothing."""
    try:
        with write():
            suggestions.offer_item(Person(row.user_id), row.room.code, row.track.id)
    except Refusal as refusal:
        return refusal.message
    return ""
