"""People: guests and their sessions, seats in rooms, and who is here now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from peewee import fn

from models import Ban, Member, Presence, Room, Session, User, rows
from party import lifecycle, sessions
from party.change import (
    NO_ROOM,
    OVER,
    Change,
    Person,
    ban_on,
    change,
    hold_known,
    hold_with_rooms,
    locked_room,
    settle,
    wake_after_commit,
    write,
)
from party.clock import now_ms
from party.control import reclaim
from party.errors import Conflict, NotAllowed, NotFound, Over
from party.events import append
from party.line import PRESENT_MS
from party.names import clean_name, skeleton
from party.sessions import LASTS_MS

SAY_SECONDS = 3.0
"""How often a web process renews the presence of everybody it serves."""
COLORS = 10
NEW_PRESENCE = [Presence.member, Presence.process, Presence.seen_at, Presence.since_at]
PASSWORD_FIRST = "This room asks for a password first."
KNOCK_FIRST = "In this room the host opens the door. Knock first."
LOCKED = "The door of this room is locked just now. Ask the host to open it."


class NameTaken(Conflict):
    """Somebody present could be taken for this person: another name is needed first."""

    code = "name_taken"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to. `email` is None for a guest; `session` is the token's hash."""

    user_id: int
    name: str
    email: str | None = None
    is_admin: bool = False
    session: str = field(default="", compare=False)

    @property
    def has_account(self) -> bool:
        return self.email is not None


def enter(display_name: str, device: str = "") -> tuple[int, str]:
    """Make a guest with this name. Returns the person's id and the session's token, shown never again."""
    name = clean_name(display_name)
    with write():
        user = User.create(display_name=name, created_at=now_ms())
        return int(user.id), sessions.begin(user.id, device)


def rename(actor: Person, display_name: str) -> None:
    """Change the name people see, in every open room at once."""
    name = clean_name(display_name)
    with write():
        rooms = hold_with_rooms(
            lambda: Room.id.in_(list(_open_seats(actor.user_id))), lambda: hold_known(actor.user_id)
        )
        # Asked once they are ours: one may have ended meanwhile, or the seat in it have become another.
        seats = _open_seats(actor.user_id)
        for room in rooms:
            if room.id not in seats:
                continue
            refuse_look_alike(room, actor.user_id, now_ms(), name)
            before = room.seq
            append(room, "person_renamed", seats[room.id], member_id=seats[room.id])
            room.save()
            wake_after_commit(room, before)
        User.update(display_name=name).where(User.id == actor.user_id).execute()


def signed_in(token: str) -> SignedIn | None:
    """The person behind a session's token, or None when it is unknown or past its time, or the person banned."""
    now = now_ms()
    session = (
        Session.select(Session, User)
        .join(User)
        .where(Session.token_hash == sessions.hashed(token), sessions.may_act(now))
        .first()
    )
    if session is None:
        return None
    if session.last_seen_at < now - 3_600_000:
        with write():
            Session.update(last_seen_at=now, expires_at=now + LASTS_MS).where(
                Session.token_hash == session.token_hash
            ).execute()
    user = session.user
    return SignedIn(user.id, user.display_name, user.email, bool(user.is_admin), session.token_hash)


def sign_out(token: str) -> None:
    """End a session; its token opens nothing any more."""
    sessions.end(sessions.hashed(token))


def join(actor: Person, code: str, network_hash: str | None = None) -> int:
    """Take a seat in a room that is open to the person, or the one kept from before. Returns the seat's id.

    Raises Over, NotFound for a private room, and NotAllowed where a password, an approval or an open door is lacking.
    """
    known = _seat(code, actor.user_id)
    if known is not None and known.left_at is None:
        return int(known.id)
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        check_door(room, actor.user_id, now, network_hash)
        return int(sit(room, actor.user_id, now, network_hash).id)


def check_door(room: Room, user_id: int, now: int, network_hash: str | None = None) -> None:
    """Raise what keeps a person out of the room: its end, a ban, a lock, how it is entered. None of it: nothing."""
    member = Member.get_or_none(Member.room == room, Member.user == user_id)
    is_leading = room.owner_id == user_id or (member is not None and member.role != "guest")
    is_stranger = not is_leading and (member is None or member.left_at is not None)
    if room.visibility == "private" and is_stranger:
        raise NotFound(NO_ROOM)
    refuse_entry(room, user_id, now, network_hash, is_let_through=not is_stranger)
    if is_stranger and room.entry == "password":
        raise NotAllowed(PASSWORD_FIRST)
    if is_stranger and room.entry == "approval":
        raise NotAllowed(KNOCK_FIRST)


def refuse_entry(
    room: Room, user_id: int, now: int, network_hash: str | None, *, is_let_through: bool
) -> None:
    """Raise what nothing opens: the end for everybody, a ban and the lock for whom they are not waived."""
    if lifecycle.effective(room, now)[0] == "EXPIRED":
        raise Over(OVER)
    if is_let_through:
        return
    ban = ban_on(room, user_id, now, network_hash)
    if ban is not None:
        raise NotAllowed(banned_sentence(ban, now))
    if room.is_locked:
        raise NotAllowed(LOCKED)


def sit(room: Room, user_id: int, now: int, network_hash: str | None = None) -> Member:
    """A seat for somebody who was let in, in the open transaction: a new one, or the one kept from before."""
    hold_known(user_id)
    before = room.seq
    member = Member.get_or_none(Member.room == room, Member.user == user_id)
    if member is None:
        refuse_look_alike(room, user_id, now)
        member = seat(room, user_id, "guest", now)
        append(room, "person_joined", member.id, member_id=member.id)
    elif member.left_at is not None:
        refuse_look_alike(room, user_id, now)
        member.left_at = None
        append(room, "person_joined", member.id, member_id=member.id)
    member.network_hash = network_hash or member.network_hash
    member.save()
    room.save()
    wake_after_commit(room, before)
    return member


def leave(actor: Person, code: str) -> None:
    """Give up the seat for now. Its tracks and votes stay; coming back finds it again, without what was lent."""
    with change(actor, code, may="leave") as c:
        reclaim(c, c.seat)
        Member.update(left_at=c.now).where(Member.id == c.seat.id).execute()
        Presence.delete().where(Presence.member == c.member).execute()
        c.log("person_left", member_id=c.seat.id)
        note_host_gone(c)


def seat(room: Room, user_id: int, role: str, now: int) -> Member:
    """A new seat in the open transaction, in the colour least used so far."""
    taken = Member.select(Member.color, fn.COUNT(Member.id)).where(Member.room == room).group_by(Member.color)
    counts = dict.fromkeys(range(1, COLORS + 1), 0) | dict(rows(taken))
    color = min(counts, key=lambda each: (counts[each], each))
    return Member.create(
        room=room,
        user=user_id,
        role=role,
        color=color,
        is_ringed=sum(counts.values()) >= COLORS,
        joined_at=now,
    )


def screen_opened(member_id: int, process: str) -> None:
    """A seat's first screen in this web process. Presence is not in the log."""
    with write():
        now = now_ms()
        Presence.insert(member=member_id, process=process, seen_at=now, since_at=now).on_conflict(
            conflict_target=[Presence.member, Presence.process], update={Presence.seen_at: now}
        ).execute()


def screens_closed(member_id: int, process: str) -> None:
    """A seat's last screen in this web process went away."""
    with write():
        Presence.delete().where(Presence.member == member_id, Presence.process == process).execute()


def still_here(process: str, member_ids: set[int]) -> None:
    """These seats, and no others, have a screen open in this web process: the rows follow what it sees."""
    with write():
        now, own = now_ms(), Presence.process == process
        known = {member_id for (member_id,) in rows(Presence.select(Presence.member).where(own))}
        # Whoever was not seen for so long counted as gone and has come back: an ended room must find no heir again.
        Presence.update(since_at=now).where(own, Presence.seen_at <= now - PRESENT_MS).execute()
        Presence.update(seen_at=now).where(own).execute()
        for some in _chunks(known - member_ids):
            Presence.delete().where(own, Presence.member.in_(some)).execute()
        for some in _chunks(member_ids - known):
            there = [row[0] for row in rows(Member.select(Member.id).where(Member.id.in_(some)))]
            fresh = Presence.insert_many([(member, process, now, now) for member in there], NEW_PRESENCE)
            # Its first screen may be written down at this very moment.
            fresh.on_conflict_ignore().execute()


def _chunks(ids: set[int]) -> Iterator[list[int]]:
    # SQLite limits how many values one statement may carry.
    listed = sorted(ids)
    for start in range(0, len(listed), 300):
        yield listed[start : start + 300]


def is_here(member_id: int, now: int) -> bool:
    """True when the seat has a screen open in any process."""
    query = Presence.select().where(Presence.member == member_id, Presence.seen_at > now - PRESENT_MS)
    return bool(query.exists())


def note_host_gone(c: Change) -> None:
    """Start the host's five seconds when no screen of theirs is left. Others change nothing."""
    if c.member is None or c.member.role != "host" or c.room.host_gone_at is not None:
        return
    if c.room.state == "LIVE" and not is_here(c.member.id, c.now):
        c.room.host_gone_at = c.now
        c.room.save()


def refuse_look_alike(room: Room, user_id: int, now: int, name: str | None = None) -> None:
    """Raise Conflict when somebody present in the room has a name that could be taken for this person's."""
    name = name or User.get_by_id(user_id).display_name
    here = Presence.select(Presence.member).where(Presence.seen_at > now - PRESENT_MS)
    others = (
        User.select(User.display_name)
        .join(Member)
        .where(Member.room == room, Member.user != user_id, Member.left_at.is_null(), Member.id.in_(here))
    )
    if any(skeleton(other) == skeleton(name) for (other,) in rows(others)):
        raise NameTaken(f"Somebody here goes by {name}, or nearly. Choose a name that tells you apart.")


def banned_sentence(ban: Ban, now: int) -> str:
    """What a banned person is told: until when, and why where a reason was given."""
    end = f" for another {words_for(ban.until - now)}" if ban.until is not None else ""
    return f"You cannot come into this room{end}." + (f" The host says: {ban.reason}" if ban.reason else "")


def words_for(milliseconds: int) -> str:
    """A span in words, rounded up: 40 s, 12 min, 3 h, 5 days."""
    seconds = max(1, (milliseconds + 999) // 1000)
    for size, word in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds > size:
            return f"{-(-seconds // size)} {word}"
    return f"{seconds} s"


def _seat(code: str, user_id: int) -> Member | None:
    query = Member.select().join(Room).where(Room.code == code, Member.user == user_id)
    return query.first()


def _open_seats(user_id: int) -> dict[int, int]:
    """The seats of somebody by the room."""
    # Seats given up count too: their tracks still carry the name.
    seats = Member.select(Member.id, Room).join(Room).where(Member.user == user_id, Room.state != "EXPIRED")
    now = now_ms()
    return {s.room_id: s.id for s in seats if lifecycle.effective(s.room, now)[0] != "EXPIRED"}


def friendly_name() -> str:
    """A name to suggest, such as “Gentle Otter”."""
    import coolname

    return " ".join(word.capitalize() for word in coolname.generate(2))
