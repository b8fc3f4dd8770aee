"""Rooms: opening one, its code, finding it, the ones somebody was in, deleting one with all its data."""

from __future__ import annotations

import itertools
import math
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, fn

from models import VISIBILITIES, Ban, Event, Member, Playback, Presence, Room, database
from party import audit, events, lifecycle, work
from party.change import NO_ROOM, Person, hold_known, locked_room, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound
from party.line import PRESENT_MS
from party.names import clean_title, one_line
from party.people import seat

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""31 letters and digits; I, L, O, 0 and 1 are left out because people mistake them for one another."""

CODE_LENGTH = 8
NAME_LONGEST = 60
MY_ROOMS_SHOWN = 20
LOOK_ALIKES = {"0": "QD", "O": "QD", "1": "J7", "I": "J7", "L": "J7"}
"""A sign that no code holds was misread: what it may have been instead."""

READINGS = 64
"""More ways than this to read what was typed means it is no code."""


def open_room(actor: Person, name: str, grace_seconds: int, visibility: str = "unlisted") -> str:
    """Open a room with the actor as its host. Returns its code."""
    name = clean_room_name(name)
    if visibility not in VISIBILITIES:
        raise Invalid("A room is public, unlisted or private.")
    now = now_ms()
    with write():
        hold_known(actor.user_id)
        room = Room.create(
            code=fresh_code(),
            name=name,
            epoch=secrets.token_hex(8),
            grace_seconds=grace_seconds,
            created_at=now,
            owner=actor.user_id,
            visibility=visibility,
        )
        Playback.create(room=room, at_ms=now, force_insert=True)
        host = seat(room, actor.user_id, "host", now)
        events.append(room, "room_opened", host.id, advance=room.advance)
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


def find(text: str, user_id: int | None = None) -> Room | None:
    """The room of a code as people type it; None when no room, or more than one, answers to it.

    A code that was changed still finds the room for whoever has a seat in it.
    """
    codes = readings(text)
    found = list(Room.select().where(_opens(codes)).limit(2))
    if not found and user_id is not None:
        seats = Member.select().where(
            Member.room == Room.id, Member.user == user_id, Member.left_at.is_null()
        )
        found = list(Room.select().where(Room.code.in_(codes), fn.EXISTS(seats)).limit(2))
    return found[0] if len(found) == 1 else None


def _opens(codes: list[str]) -> Any:
    return Room.door_code.in_(codes) | (Room.door_code.is_null() & Room.code.in_(codes))


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
    return [MyRoom(room.spoken_code, room.name) for room in query if not is_over(room)]


@dataclass(frozen=True, slots=True)
class RoomOfMine:
    """One line of My rooms. `code` opens it; `door_code` is what to tell others, empty once the seat was given up.

    `state` is CREATED, LIVE, GRACE or EXPIRED; `next_code` is the room an ended one goes on in, or empty.
    """

    code: str
    door_code: str
    name: str
    state: str
    role: str
    is_owner: bool
    is_kept: bool
    people: int
    active_at: int
    next_code: str

    @property
    def is_over(self) -> bool:
        return self.state == "EXPIRED"

    @property
    def may_delete(self) -> bool:
        return self.is_owner or self.role == "host"

    @property
    def may_start_again(self) -> bool:
        return self.is_over and self.may_delete and not self.next_code

    @property
    def door_text(self) -> str:
        return f"{self.door_code[:4]} {self.door_code[4:]}"


def my_rooms(user_id: int, page: int = 1) -> tuple[list[RoomOfMine], bool]:
    """The rooms somebody hosts or was in, newest activity first, and whether older ones follow.

    Left out are rooms they are banned from, and private ones whose seat they gave up.
    """
    now = now_ms()
    newer = Room.alias()
    last = Event.select(Event.at).where(Event.room == Room.id).order_by(Event.seq.desc()).limit(1)
    active_at = fn.COALESCE(last, Room.created_at)
    here = (
        Presence.select(fn.COUNT(fn.DISTINCT(Presence.member)))
        .join(Member)
        .where(Member.room == Room.id, Presence.seen_at > now - PRESENT_MS)
    )
    is_banned = fn.EXISTS(
        Ban.select().where(
            Ban.room == Room.id,
            Ban.user == user_id,
            Ban.lifted_at.is_null(),
            Ban.until.is_null() | (Ban.until > now),
        )
    )
    is_seated = Member.left_at.is_null() | (Room.owner == user_id)
    found = (
        Room.select(
            Room,
            Member.role.alias("role"),
            Member.left_at.alias("left_at"),
            newer.code.alias("next_code"),
            active_at.alias("active_at"),
            here.alias("people"),
        )
        .join(Member)
        .join(newer, JOIN.LEFT_OUTER, on=(newer.continues == Room.id))
        .where(Member.user == user_id, ~is_banned, is_seated | (Room.visibility != "private"))
        .order_by(active_at.desc(), Room.id.desc())
        .limit(MY_ROOMS_SHOWN + 1)
        .offset((page - 1) * MY_ROOMS_SHOWN)
    )
    mine = [_of_mine(room, user_id, now) for room in found.objects()]
    return mine[:MY_ROOMS_SHOWN], len(mine) > MY_ROOMS_SHOWN


def _of_mine(room: Any, user_id: int, now: int) -> RoomOfMine:
    state = lifecycle.effective(room, now)[0]
    is_owner = room.owner_id == user_id
    is_inside = room.left_at is None or is_owner
    return RoomOfMine(
        code=room.code,
        door_code=room.spoken_code if is_inside else "",
        name=room.name,
        state=state,
        role=room.role,
        is_owner=is_owner,
        is_kept=lifecycle.is_kept(room),
        people=0 if state == "EXPIRED" else room.people,
        active_at=room.active_at,
        next_code=room.next_code or "",
    )


def delete_room(actor: Person, code: str, name: str) -> None:
    """Delete a room and everything in it, open or ended: its owner, or where none is left its host, by its exact name.

    Screens that are open on it are told as when it ends. Raises Invalid when the name is another.
    """
    with write():
        room = locked_room(code)
        member = Member.get_or_none(Member.room == room, Member.user == actor.user_id)
        is_host = member is not None and member.role == "host"
        # Whoever came to lead by chance must not be able to wipe out what somebody else opened.
        if room.owner_id != actor.user_id and not (room.owner_id is None and is_host):
            is_stranger = member is None or member.left_at is not None
            if room.visibility == "private" and is_stranger:
                raise NotFound(NO_ROOM)
            raise NotAllowed("Only whoever opened the room may delete it.")
        if one_line(name) != room.name:
            raise Invalid("That is not the room’s name, letter for letter. Nothing was deleted.")
        after = room.seq + 1
        audit.note(actor.user_id, "room_deleted", room_id=room.id)
        room.delete_instance()
        work.hand_over("sweep_files")
        # Nothing is left to number; whoever watches looks again and finds no room.
        database.obj.after_commit(lambda: events.announce(code, after))


def clean_room_name(text: str) -> str:
    """A room's name as kept. Raises Invalid."""
    return clean_title(text, "room", NAME_LONGEST)


def fresh_code() -> str:
    """A code no room has or had. Raises Conflict when none is found."""
    for _ in range(5):
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        # An old code is never given out again: it may still be on somebody's wall.
        if not Room.select().where((Room.code == code) | (Room.door_code == code)).exists():
            return code
    raise Conflict("No free room code was found. Please try again.")
