"""Rooms: opening one, its code, finding it."""

from __future__ import annotations

import itertools
import math
import secrets
import unicodedata
from dataclasses import dataclass

from models import Member, Playback, Room, User
from party import events, lifecycle
from party.change import Person, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotKnown
from party.people import one_line, seat

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""31 letters and digits; I, L, O, 0 and 1 are left out because people mistake them for one another."""

CODE_LENGTH = 8
NAME_LONGEST = 60
LOOK_ALIKES = {"0": "QD", "O": "QD", "1": "J7", "I": "J7", "L": "J7"}
"""A sign that no code holds was misread: what it may have been instead."""

READINGS = 64
"""More ways than this to read what was typed means it is no code."""


def open_room(actor: Person, name: str, grace_seconds: int) -> str:
    """Open a room with the actor as its host. Returns its code."""
    name = clean_room_name(name)
    now = now_ms()
    with write():
        if not User.select().where(User.id == actor.user_id).exists():
            raise NotKnown("Tell us your name first.")
        room = Room.create(
            code=_fresh_code(),
            name=name,
            epoch=secrets.token_hex(8),
            grace_seconds=grace_seconds,
            created_at=now,
        )
        Playback.create(room=room, at_ms=now, force_insert=True)
        host = seat(room, actor.user_id, "host", now)
        events.append(room, "room_opened", host.id)
        room.save()
    return str(room.code)


def readings(text: str) -> list[str]:
    """The codes somebody may have meant: any case, spaces and dashes ignored, look-alikes forgiven. Empty when none."""
    typed = unicodedata.normalize("NFKC", text[:40]).upper()
    signs = [ch for ch in typed if not ch.isspace() and unicodedata.category(ch) != "Pd"]
    choices = [LOOK_ALIKES.get(ch, ch) for ch in signs]
    if len(signs) != CODE_LENGTH or any(ch not in ALPHABET for choice in choices for ch in choice):
        return []
    if math.prod(len(choice) for choice in choices) > READINGS:
        return []
    return ["".join(letters) for letters in itertools.product(*choices)]


def find(text: str) -> Room | None:
    """The room of a code as people type it; None when no room, or more than one, answers to it."""
    rooms = list(Room.select().where(Room.code.in_(readings(text))).limit(2))
    return rooms[0] if len(rooms) == 1 else None


def is_over(room: Room) -> bool:
    """True when the room has ended, whether or not anybody wrote it down yet."""
    return lifecycle.effective(room, now_ms())[0] == "EXPIRED"


@dataclass(frozen=True, slots=True)
class MyRoom:
    """A room somebody has a seat in."""

    code: str
    name: str

    @property
    def code_text(self) -> str:
        return f"{self.code[:4]} {self.code[4:]}"


def open_rooms_of(user_id: int) -> list[MyRoom]:
    """The open rooms a person has a seat in, newest first, at most ten."""
    query = (
        Room.select()
        .join(Member)
        .where(Member.user == user_id, Member.left_at.is_null(), Room.state != "EXPIRED")
        .order_by(Room.id.desc())
        .limit(10)
    )
    return [MyRoom(room.code, room.name) for room in query if not is_over(room)]


def clean_room_name(text: str) -> str:
    """A room's name as kept. Raises Invalid."""
    name = one_line(text)
    if not name:
        raise Invalid("Give the room a name first.")
    if len(name) > NAME_LONGEST:
        raise Invalid(f"That name is too long. Up to {NAME_LONGEST} letters fit.")
    return name


def _fresh_code() -> str:
    for _ in range(5):
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        if not Room.select().where(Room.code == code).exists():
            return code
    raise Conflict("No free room code was found. Please try again.")
