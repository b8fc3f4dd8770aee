"""Knocks: asking to come in where the host opens the door. Decided at most once, and never too late."""

from __future__ import annotations

from dataclasses import dataclass

from models import Knock, Member, Room, rows
from party import attempts, doorway, lifecycle
from party.attempts import Limit
from party.change import (
    CLOCK,
    NO_ROOM,
    Actor,
    Change,
    Person,
    ban_on,
    change,
    locked_room,
    settle,
    wake_after_commit,
    write,
)
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotFound, Over
from party.events import append
from party.people import NameTaken, banned_sentence, refuse_look_alike

PATIENCE_MS = 600_000
"""How long a knock waits for an answer."""

KNOCKED = "knock"
OF_PERSON, OF_NETWORK = Limit(5, 600_000), Limit(100, 600_000)
"""A school class, or a hall, knocks from one network and all at once."""

DECISIONS = {"approve": "approved", "decline": "declined"}
DECIDED = {
    "approved": "They were let in a moment ago.",
    "declined": "They were told no a moment ago.",
    "withdrawn": "They stopped knocking a moment ago.",
    "expired": "They waited too long and went. They can knock again.",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How somebody's knock stands. `state` is waiting, in, open, declined, expired, withdrawn, banned or over."""

    state: str
    until_ms: int
    sentence: str

    @property
    def is_decided(self) -> bool:
        """True when waiting on would bring nothing more."""
        return self.state != "waiting"


def knock(actor: Person, code: str, network_hash: str, *, is_invited: bool = False) -> int:
    """Ask to come in. Somebody who waits already goes on waiting. Returns the knock's id."""
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        before = room.seq
        latest = _latest(room, actor.user_id)
        member = Member.get_or_none(Member.room == room, Member.user == actor.user_id)
        if room.visibility == "private" and not is_invited and latest is None and member is None:
            raise NotFound(NO_ROOM)
        if member is not None and member.left_at is None:
            raise Conflict("You are in this room already.")
        doorway.refuse_entry(room, actor.user_id, now, network_hash)
        if room.entry != "approval":
            raise Conflict("Nobody has to knock here. Open the room’s link.")
        if latest is not None and latest.state == "waiting":
            if latest.deadline_at > now:
                return int(latest.id)
            doorway.close_knocks(room, actor.user_id, now)
        if member is None:
            refuse_look_alike(room, actor.user_id, now)
        attempts.spend(KNOCKED, {f"person {actor.user_id}": OF_PERSON, f"network {network_hash}": OF_NETWORK})
        made = Knock.create(room=room, user=actor.user_id, asked_at=now, deadline_at=now + PATIENCE_MS)
        append(room, "knock_made", None, knock_id=made.id)
        room.save()
        wake_after_commit(room, before)
        return int(made.id)


def withdraw_knock(actor: Person, code: str) -> None:
    """Stop knocking. No knock that waits changes nothing."""
    with write():
        room, now = locked_room(code), now_ms()
        before = room.seq
        if lifecycle.effective(room, now)[0] == "EXPIRED":
            raise Over(doorway.SENTENCES["over"])
        doorway.close_knocks(room, actor.user_id, now)
        room.save()
        wake_after_commit(room, before)


def decide_knock(actor: Actor, code: str, knock_id: int, decision: str) -> None:
    """Let somebody in or tell them no: once, before the deadline, nobody who is banned. The same again is nothing."""
    if decision not in DECISIONS:
        raise Invalid("A knock is approved or declined.")
    wanted = DECISIONS[decision]
    with change(actor, code, may="decide_knocks") as c:
        knock = Knock.get_or_none(Knock.id == knock_id, Knock.room == c.room)
        if knock is None:
            raise NotFound("Nobody of that kind is at the door.")
        if knock.state == wanted:
            return
        if knock.state != "waiting":
            raise Conflict(DECIDED[knock.state])
        if knock.deadline_at <= c.now:
            raise Conflict(DECIDED["expired"])
        if wanted == "approved" and ban_on(c.room, knock.user_id, c.now) is not None:
            raise Conflict("They are banned from this room. Lift the ban first.")
        is_open = (Knock.id == knock.id) & (Knock.state == "waiting") & (Knock.deadline_at > c.now)
        done = Knock.update(state=wanted, decided_at=c.now, decided_by=c.member).where(is_open).execute()
        if not done:
            raise Conflict("Somebody was faster. Look again.")
        if wanted == "declined":
            c.log("knock_declined", knock_id=knock.id)
            return
        c.log("knock_approved", knock_id=knock.id)
        _seat(c, knock)


def expire_knocks(code: str) -> int:
    """The clock's turn: knocks nobody answered in time are over. Early or twice: nothing. Returns how many."""
    with change(CLOCK, code, may="keep_time") as c:
        late = Knock.select().where(
            Knock.room == c.room, Knock.state == "waiting", Knock.deadline_at <= c.now
        )
        knocks = list(late.order_by(Knock.id))
        for knock in knocks:
            doorway.close_knocks(c.room, knock.user_id, c.now)
        return len(knocks)


def overdue_codes() -> list[str]:
    """Codes of the rooms where somebody knocked and nobody answered in time."""
    query = Knock.select(Room.code).join(Room).where(Knock.state == "waiting", Knock.deadline_at <= now_ms())
    return sorted({code for (code,) in rows(query)})


def send_away(c: Change) -> None:
    """Nobody has to knock any more: who waits is told that the door works otherwise, in the open transaction."""
    for knock in list(Knock.select().where(Knock.room == c.room, Knock.state == "waiting")):
        doorway.close_knocks(c.room, knock.user_id, c.now)


def waiting(code: str, user_id: int) -> Waiting | None:
    """How a person's knock at a room stands; None for somebody who never knocked there."""
    room = Room.get_or_none(Room.code == code)
    knock = _latest(room, user_id) if room is not None else None
    if room is None or knock is None:
        return None
    now = now_ms()
    member = Member.get_or_none(Member.room == room, Member.user == user_id, Member.left_at.is_null())
    if lifecycle.effective(room, now)[0] == "EXPIRED":
        return Waiting("over", 0, doorway.SENTENCES["over"])
    if member is not None:
        return Waiting("in", 0, "You’re in.")
    ban = ban_on(room, user_id, now)
    if ban is not None:
        return Waiting("banned", 0, banned_sentence(ban, now))
    if room.entry != "approval" and knock.state in ("waiting", "withdrawn"):
        return Waiting("open", 0, "Nobody has to knock here any more.")
    if knock.state == "waiting" and knock.deadline_at > now:
        return Waiting("waiting", knock.deadline_at, "")
    # Let in once and gone since is, at the door, like having gone away from it.
    state = {"waiting": "expired", "approved": "withdrawn"}.get(knock.state, knock.state)
    return Waiting(state, 0, "")


def _seat(c: Change, knock: Knock) -> None:
    try:
        doorway.let_in(c.room, knock.user_id, c.now, None)
    except NameTaken as taken:
        raise Conflict(
            "Somebody here goes by that name, or nearly. Ask them to knock under another one."
        ) from taken


def _latest(room: Room, user_id: int) -> Knock | None:
    query = Knock.select().where(Knock.room == room, Knock.user == user_id).order_by(Knock.id.desc())
    found: Knock | None = query.first()
    return found
