"""People: guests and their sessions, seats in rooms, and who is here now."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from peewee import fn

from models import Member, Presence, Room, Session, User, rows
from party import lifecycle
from party.change import OVER, Change, Person, change, locked_room, settle, wake_after_commit, write
from party.clock import now_ms
from party.errors import Invalid, NotKnown, Over
from party.events import append
from party.line import PRESENT_MS

SESSION_DAYS = 90
SAY_SECONDS = 15.0
"""How often a web process renews the presence of everybody it serves."""
COLORS = 10
NEW_PRESENCE = [Presence.member, Presence.process, Presence.seen_at]
NAME_LONGEST = 50


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who a session belongs to."""

    user_id: int
    name: str


def enter(display_name: str) -> tuple[int, str]:
    """Make a guest with this name. Returns the person's id and the session's token, shown never again."""
    name = clean_name(display_name)
    now = now_ms()
    token = secrets.token_urlsafe(32)
    with write():
        user = User.create(display_name=name, created_at=now)
        _keep_session(user, token, now)
    return int(user.id), token


def rename(actor: Person, display_name: str) -> None:
    """Change the name people see, in every open room at once."""
    name = clean_name(display_name)
    with write():
        User.update(display_name=name).where(User.id == actor.user_id).execute()
        for code, member_id in _open_seats(actor.user_id):
            room = locked_room(code)
            before = room.seq
            append(room, "person_renamed", member_id, member_id=member_id)
            room.save()
            wake_after_commit(room, before)


def signed_in(token: str) -> SignedIn | None:
    """The person behind a session's token, or None when it is unknown or past its time."""
    now = now_ms()
    session = (
        Session.select(Session, User)
        .join(User)
        .where(Session.token_hash == _hashed(token), Session.expires_at > now)
        .first()
    )
    if session is None:
        return None
    if session.last_seen_at < now - 3_600_000:
        with write():
            Session.update(last_seen_at=now, expires_at=now + SESSION_DAYS * 86_400_000).where(
                Session.token_hash == session.token_hash
            ).execute()
    return SignedIn(session.user.id, session.user.display_name)


def sign_out(token: str) -> None:
    """End a session; its token opens nothing any more."""
    with write():
        Session.delete().where(Session.token_hash == _hashed(token)).execute()


def join(actor: Person, code: str) -> int:
    """Take a seat in an open room, or the one kept from before. Returns the seat's id."""
    known = _seat(code, actor.user_id)
    if known is not None and known.left_at is None:
        return int(known.id)
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        if lifecycle.effective(room, now)[0] == "EXPIRED":
            raise Over(OVER)
        if not User.select().where(User.id == actor.user_id).exists():
            raise NotKnown("Tell us your name first.")
        before = room.seq
        member = _seat(code, actor.user_id)
        if member is None:
            member = seat(room, actor.user_id, "guest", now)
            append(room, "person_joined", member.id, member_id=member.id)
        elif member.left_at is not None:
            Member.update(left_at=None).where(Member.id == member.id).execute()
            append(room, "person_joined", member.id, member_id=member.id)
        room.save()
        wake_after_commit(room, before)
        return int(member.id)


def leave(actor: Person, code: str) -> None:
    """Give up the seat for now. Its tracks and votes stay; coming back finds it again."""
    with change(actor, code, may="leave") as c:
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
        Presence.insert(member=member_id, process=process, seen_at=now_ms()).on_conflict(
            conflict_target=[Presence.member, Presence.process], update={Presence.seen_at: now_ms()}
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
        Presence.update(seen_at=now).where(own).execute()
        for some in _chunks(known - member_ids):
            Presence.delete().where(own, Presence.member.in_(some)).execute()
        for some in _chunks(member_ids - known):
            there = [row[0] for row in rows(Member.select(Member.id).where(Member.id.in_(some)))]
            Presence.insert_many([(member, process, now) for member in there], NEW_PRESENCE).execute()


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


def clean_name(text: str) -> str:
    """A display name as kept. Raises Invalid."""
    name = one_line(text)
    if not name:
        raise Invalid("Please tell us a name, so that the others know who you are.")
    if len(name) > NAME_LONGEST:
        raise Invalid(f"That name is too long. Up to {NAME_LONGEST} letters fit.")
    return name


def one_line(text: str) -> str:
    """What somebody typed, on one line with single spaces, in NFC, without signs that nobody sees."""
    kinds = ((ch, unicodedata.category(ch)) for ch in text)
    # What is invisible goes first, or it would hold apart what NFC joins and hide spaces from the split.
    seen = "".join(" " if kind == "Cc" else ch for ch, kind in kinds if kind not in ("Cf", "Cs", "Co", "Cn"))
    return " ".join(unicodedata.normalize("NFC", seen).split())


def _seat(code: str, user_id: int) -> Member | None:
    query = Member.select().join(Room).where(Room.code == code, Member.user == user_id)
    return query.first()


def _open_seats(user_id: int) -> list[tuple[str, int]]:
    # Seats given up count too: their tracks still carry the name.
    seats = Member.select(Member.id, Room).join(Room).where(Member.user == user_id, Room.state != "EXPIRED")
    # In one order for everybody, so that two renamings never wait for each other.
    seats = seats.order_by(Room.id)
    now = now_ms()
    return [(s.room.code, s.id) for s in seats if lifecycle.effective(s.room, now)[0] != "EXPIRED"]


def _keep_session(user: User, token: str, now: int) -> None:
    Session.insert(
        token_hash=_hashed(token),
        user=user,
        created_at=now,
        last_seen_at=now,
        expires_at=now + SESSION_DAYS * 86_400_000,
    ).execute()


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def friendly_name() -> str:
    """A name to suggest, such as “Gentle Otter”."""
    import coolname

    return " ".join(word.capitalize() for word in coolname.generate(2))
