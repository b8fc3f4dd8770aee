"""How a room is entered: who may see it, its password, its code, its lock. Knocks and invitations stand beside it."""

from __future__ import annotations

from models import ENTRIES, VISIBILITIES, Member
from party import attempts, doorway, knocks, passwords, rooms
from party.attempts import Limit
from party.change import NO_ROOM, Actor, Person, change, locked_room, settle, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound
from party.rooms import fresh_code

PASSWORD_SHORTEST, PASSWORD_LONGEST = 6, passwords.LONGEST
WRONG_PASSWORD = "room password"
OF_PERSON = Limit(10, 600_000)
OF_NETWORK = Limit(30, 600_000)
OF_ROOM = Limit(100, 3_600_000)
"""Wrong passwords. Whoever has a seat needs none, so what strangers spend locks nobody out who is in."""

CONTRADICTION = (
    "Private and open to everybody who has the code contradict each other: "
    "choose Unlisted, a password or approval."
)
NOT_THE_PASSWORD = "That is not this room’s password. Ask whoever invited you."


def new_password(actor: Actor, code: str, entry: str, password: str) -> str | None:
    """The hash of a room's new password, for `set_access`; None when there is none. Made outside any transaction."""
    if entry != "password" or not password:
        return None
    with change(actor, code, may="change_settings"):
        # Asked before anything slow: only whoever may change it makes us hash.
        pass
    return _hashed(password)


def set_access(actor: Actor, code: str, visibility: str, entry: str, fresh: str | None = None) -> None:
    """Choose who may see the room and how it is entered; `fresh` is a new password's hash, else the old one stays."""
    if visibility not in VISIBILITIES:
        raise Invalid("A room is public, unlisted or private.")
    if entry not in ENTRIES:
        raise Invalid("A room is entered freely, with a password or by approval.")
    if (visibility, entry) == ("private", "open"):
        raise Invalid(CONTRADICTION)
    with change(actor, code, may="change_settings") as c:
        kept = fresh or c.room.password_hash if entry == "password" else None
        if entry == "password" and kept is None:
            raise Invalid("Choose the password that opens the door.")
        after = {"visibility": visibility, "entry": entry, "password": kept}
        before = {"visibility": c.room.visibility, "entry": c.room.entry, "password": c.room.password_hash}
        names = [name for name in after if after[name] != before[name]]
        if not names:
            return
        c.room.visibility, c.room.entry, c.room.password_hash = visibility, entry, kept
        if entry != "approval":
            knocks.send_away(c)
        c.log("settings_changed", names=names, before={})


def check_password(
    typed: str, password: str, user_id: int | None, network_hash: str, *, knew: bool = False
) -> tuple[str, str | None]:
    """The room's code and what opens it for `enter_with_key`. Every try is counted; right ones are given back.

    Raises TooMany, NotAllowed for a wrong password, and NotFound where there is no room, or a private one it does not
    open: with the same work, so that neither words nor time tell them apart. `knew` is somebody who knows of the room.
    """
    doorway.refuse_guessing(network_hash)
    room = rooms.find(typed, user_id)
    is_hidden = room is None or (room.visibility == "private" and not knew)
    if room is not None and not is_hidden and room.entry != "password":
        return str(room.code), None
    limits = _limits(room.code if room else (rooms.readings(typed) or ["none"])[0], user_id, network_hash)
    # Counted before it is checked: a thousand at once must not all pass the count together.
    attempts.spend(WRONG_PASSWORD, limits)
    kept = room.password_hash if room is not None and room.entry == "password" else None
    if room is not None and passwords.is_right(kept, password):
        attempts.give_back(WRONG_PASSWORD, limits)
        return str(room.code), kept
    if room is None:
        # As long as with one.
        passwords.is_right(None, password)
    if is_hidden:
        doorway.count_wrong_code(typed, network_hash)
        raise NotFound(NO_ROOM)
    raise NotAllowed(NOT_THE_PASSWORD)


def enter_with_key(actor: Person, code: str, key: str | None, network_hash: str | None = None) -> int:
    """Take a seat with a password that was right a moment ago. Returns the seat's id."""
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        member = Member.get_or_none(
            Member.room == room, Member.user == actor.user_id, Member.left_at.is_null()
        )
        if member is not None:
            return int(member.id)
        doorway.refuse_entry(room, actor.user_id, now, network_hash)
        if room.entry == "approval":
            raise NotAllowed(doorway.SENTENCES["approval"])
        if room.entry == "password" and room.password_hash != key:
            raise Conflict("The password changed a moment ago. Ask for the new one.")
        return int(doorway.let_in(room, actor.user_id, now, network_hash).id)


def rotate_code(actor: Actor, code: str) -> None:
    """Give the room another code. Who is inside keeps everything; the old code leads strangers nowhere."""
    with change(actor, code, may="rotate_code") as c:
        c.room.door_code = fresh_code()
        c.log("code_changed")


def lock_room(actor: Actor, code: str, is_locked: bool) -> None:
    """Let nobody new in by any way, or open the door again. Locked already changes nothing."""
    with change(actor, code, may="lock_room") as c:
        if bool(c.room.is_locked) != is_locked:
            c.room.is_locked = is_locked
            c.log("settings_changed", names=["is_locked"], before={})


def _limits(code: str, user_id: int | None, network_hash: str) -> dict[str, Limit]:
    limits = {f"network {network_hash}": OF_NETWORK, f"room {code}": OF_ROOM}
    return limits | ({f"person {user_id}": OF_PERSON} if user_id is not None else {})


def _hashed(password: str) -> str:
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(f"A room’s password has {PASSWORD_SHORTEST} to {PASSWORD_LONGEST} characters.")
    if password.casefold() in passwords.common() or len(set(password)) < 3:
        raise Invalid("That is one of the first passwords anybody would try. Choose another one.")
    return passwords.hash_password(password)
