"""What becomes of somebody's own uploads, as they are told it: in a room just now, and what was begun and left."""

from __future__ import annotations

from collections.abc import Iterable

from models import Room, Upload
from party.change import Person, write
from party.clock import now_ms
from party.parts import fresh_name
from party.turns import REASON_LONGEST
from party.uploads import NAME_LONGEST, Standing, own_name, standing_of

SHOWN_MS = 600_000
"""So long a room's page says what became of a file."""
MOST_SHOWN = 50


def shown_in_room(user_id: int, room_id: int) -> tuple[Standing, ...]:
    """Somebody's files for this room that are being looked at, or were a moment ago, the latest last.

    Refused before a room was chosen, they are told in whichever is opened.
    """
    is_here = (Upload.room == room_id) | (Upload.room.is_null() & (Upload.state == "refused"))
    is_over = Upload.state.in_(("ready", "refused")) & (Upload.touched_at > now_ms() - SHOWN_MS)
    found = (
        Upload.select()
        .where(Upload.user == user_id, is_here, (Upload.state == "checking") | is_over)
        .order_by(Upload.id.desc())
        .limit(MOST_SHOWN)
    )
    return tuple(reversed([standing_of(row) for row in found]))


def unfinished(user_id: int) -> tuple[Standing, ...]:
    """What somebody began to send and did not finish; it counts against their share until it goes."""
    found = Upload.select().where(Upload.user == user_id, Upload.state == "receiving").order_by(Upload.id)
    return tuple(standing_of(row) for row in found)


def note_refused(actor: Person, code: str | None, refused: Iterable[tuple[str, int, str]]) -> None:
    """Keep names and sizes of files that were not taken, each with the sentence why, for the page that follows."""
    with write():
        room = Room.get_or_none(Room.code == code) if code else None
        now = now_ms()
        for name, size_bytes, sentence in refused:
            Upload.insert(
                token=fresh_name(),
                user=actor.user_id,
                room=room,
                name=clean_name(name),
                # A file that is empty may be why.
                size_bytes=max(1, size_bytes),
                state="refused",
                reason=sentence[:REASON_LONGEST],
                began_at=now,
                touched_at=now,
            ).execute()


def clean_name(text: str) -> str:
    """The name of a file of whatever kind, which may have none."""
    return own_name(text)[:NAME_LONGEST] or "A file without a name"
