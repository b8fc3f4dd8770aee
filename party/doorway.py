"""A room's door as one person finds it: whether it is there for them at all, what it asks, and being let in.

A room somebody may not see answers exactly like none: the same reads, the same count of wrong codes, the same None.
"""

from __future__ import annotations

from dataclasses import dataclass

from peewee import fn

from models import Event, Knock, Member, Room
from party import attempts, lifecycle, people, rooms
from party.attempts import EVERYBODY, Limit
from party.change import NO_ROOM, NOT_INSIDE, OVER, ban_on, wake_after_commit
from party.clock import now_ms
from party.errors import NotAllowed, NotFound, TooMany
from party.events import append
from party.people import (
    KNOCK_FIRST,
    LOCKED,
    PASSWORD_FIRST,
    NameTaken,
    banned_sentence,
    refuse_look_alike,
    sit,
)

TEN_MINUTES_MS = 600_000
WRONG_CODE = "room code"
CODES_OF_NETWORK = Limit(20, TEN_MINUTES_MS)
CODES_OVERALL = Limit(2_000, TEN_MINUTES_MS)
ONCE = Limit(1, TEN_MINUTES_MS)

SENTENCES = {
    "inside": "You are in.",
    "open": "The door is open.",
    "password": PASSWORD_FIRST,
    "approval": KNOCK_FIRST,
    "locked": LOCKED,
    "over": OVER,
}


@dataclass(frozen=True, slots=True)
class Doorway:
    """What the door asks: `way` is inside, open, name (another one), password, approval, locked, banned or over.

    `name` is empty for a private room: whoever is not inside learns nothing about it.
    """

    code: str
    door_code: str
    name: str
    way: str
    sentence: str
    has_knocked: bool
    was_sent_out: bool


@dataclass(frozen=True, slots=True)
class _Trace:
    """What a room knows of a person."""

    member: Member | None
    knock: Knock | None
    is_owner: bool

    @property
    def is_inside(self) -> bool:
        return self.member is not None and self.member.left_at is None

    @property
    def leads(self) -> bool:
        return self.is_owner or (self.member is not None and self.member.role != "guest")

    @property
    def waits(self) -> bool:
        return self.knock is not None and self.knock.state == "waiting"


def find(typed: str, user_id: int | None, network_hash: str, *, knew: bool = False) -> Doorway | None:
    """The door behind a code, or None: no room, or none for these eyes. `knew` opens them to who was inside or knocked.

    What is not found counts as a wrong code of the network. Raises TooMany, for hits and misses alike.
    """
    room, old = rooms.find(typed, user_id), None
    if knew:
        old = _known_once(typed, user_id)
        room = room or old
    trace = _trace(room, user_id)
    if room is not None and trace.is_inside:
        return _doorway(room, trace, user_id, network_hash)
    refuse_guessing(network_hash)
    is_old = room is not None and old is room and room.code != room.spoken_code
    # Who waits at a door whose code was changed waits on, but is not told the new one; who leads may know it.
    if is_old and not (trace.waits or trace.leads):
        room = None
    if room is not None and _is_seen(room, trace, knew):
        return _doorway(room, trace, user_id, network_hash, is_by_old_code=is_old)
    count_wrong_code(typed, network_hash)
    return None


def look(typed: str, user_id: int | None, network_hash: str) -> str:
    """The code of a room somebody may look into: they are inside, or the door is open. Raises what the door says."""
    door = find(typed, user_id, network_hash)
    if door is None:
        raise NotFound(NO_ROOM)
    # Whoever waits at a private door is not told the room's name before they are inside, open or not.
    if door.way in ("inside", "open", "over", "name"):
        if not door.name:
            raise NotAllowed(NOT_INSIDE)
        return door.code
    raise NotAllowed(door.sentence)


def refuse_guessing(network_hash: str) -> None:
    """Raise TooMany when too many wrong codes came from a network, or from everywhere and one of them from there."""
    attempts.check(WRONG_CODE, _limits(network_hash))


def count_wrong_code(typed: str, network_hash: str) -> None:
    """Note a code that led nowhere. The same one again is no new guess: many screens of a room that went may ask."""
    code = (rooms.readings(typed) or [typed[:40]])[0]
    known = {f"{_network(network_hash)} {code}": ONCE}
    try:
        attempts.check(WRONG_CODE, known)
    except TooMany:
        return
    attempts.count(WRONG_CODE, _limits(network_hash) | known)


def refuse_entry(room: Room, user_id: int, now: int, network_hash: str | None) -> None:
    """Raise what nothing opens: the end, a ban, the lock. Who leads the room is let through."""
    people.refuse_entry(room, user_id, now, network_hash, is_let_through=_trace(room, user_id).leads)


def let_in(room: Room, user_id: int, now: int, network_hash: str | None) -> Member:
    """A seat for somebody the door opened to, in the open transaction; a knock of theirs needs no answer any more."""
    before = room.seq
    close_knocks(room, user_id, now)
    member = sit(room, user_id, now, network_hash)
    room.save()
    wake_after_commit(room, before)
    return member


def close_knocks(room: Room, user_id: int, now: int) -> None:
    """Take back what somebody still waits for at the door, in the open transaction."""
    waiting = Knock.select().where(Knock.room == room, Knock.user == user_id, Knock.state == "waiting")
    for knock in list(waiting):
        is_late = knock.deadline_at <= now
        state = "expired" if is_late else "withdrawn"
        Knock.update(state=state, decided_at=now).where(Knock.id == knock.id).execute()
        if is_late:
            append(room, "knock_expired", None, knock_id=knock.id)
        else:
            append(room, "knock_withdrawn", None, knock_id=knock.id)


def was_sent_out(room: Room, member: Member) -> bool:
    """True when somebody without a seat did not give it up themselves."""
    return member.id in sent_out(room, since=member.left_at or 0)


def sent_out(room: Room, since: int = 0) -> set[int]:
    """The seats whose people, when they last went since then (epoch ms), did not go themselves."""
    kinds = ("person_left", "person_removed", "person_banned")
    log = Event.select().where(Event.room == room, Event.kind.in_(kinds), Event.at >= since)
    last = {row.data["member_id"]: row.kind for row in log.order_by(Event.seq)}
    return {member_id for member_id, kind in last.items() if kind != "person_left"}


def _known_once(typed: str, user_id: int | None) -> Room | None:
    """The room that had this code at first, for who was inside or knocked. `find` says whether they may see it."""
    seats = Member.select().where(Member.room == Room.id, Member.user == (user_id or 0))
    asked = Knock.select().where(Knock.room == Room.id, Knock.user == (user_id or 0))
    query = Room.select().where(Room.code.in_(rooms.readings(typed)), fn.EXISTS(seats) | fn.EXISTS(asked))
    found = list(query.limit(2))
    return found[0] if len(found) == 1 else None


def _trace(room: Room | None, user_id: int | None) -> _Trace:
    # A room that is not there is asked about all the same, so that nobody can tell by the time it takes.
    room_id, person = room.id if room else 0, user_id or 0
    member = Member.get_or_none(Member.room == room_id, Member.user == person)
    is_owner = room is not None and user_id is not None and room.owner_id == user_id
    if member is not None and member.left_at is None:
        # Every command comes by here: who sits inside knocks at no door.
        return _Trace(member, None, is_owner)
    knocks = Knock.select().where(Knock.room == room_id, Knock.user == person).order_by(Knock.id.desc())
    return _Trace(member, knocks.first(), is_owner)


def _is_seen(room: Room, trace: _Trace, knew: bool) -> bool:
    if rooms.is_over(room):
        is_open = room.visibility != "private" and room.entry == "open"
        return is_open or trace.is_inside or trace.leads or _may_remember(room, trace.member)
    if room.visibility != "private" or trace.leads or trace.waits:
        return True
    return knew and (trace.member is not None or trace.knock is not None)


def _may_remember(room: Room, member: Member | None) -> bool:
    """True for somebody who was there and went by themselves."""
    if member is None or ban_on(room, member.user_id, now_ms()) is not None:
        return False
    return not was_sent_out(room, member)


def _doorway(
    room: Room, trace: _Trace, user_id: int | None, network_hash: str, *, is_by_old_code: bool = False
) -> Doorway:
    way, sentence = _way(room, trace, user_id, network_hash)
    has_name = room.visibility != "private" or trace.is_inside or trace.leads or way == "over"
    return Doorway(
        code=room.code,
        door_code=room.code if is_by_old_code and not trace.leads else room.spoken_code,
        name=room.name if has_name else "",
        way=way,
        sentence=sentence or SENTENCES[way],
        has_knocked=trace.waits,
        was_sent_out=trace.member is not None and not trace.is_inside and was_sent_out(room, trace.member),
    )


def _way(room: Room, trace: _Trace, user_id: int | None, network_hash: str) -> tuple[str, str]:
    now = now_ms()
    if lifecycle.effective(room, now)[0] == "EXPIRED":
        return "over", ""
    if trace.is_inside:
        return "inside", ""
    if not trace.leads:
        ban = ban_on(room, user_id or 0, now, network_hash)
        if ban is not None:
            return "banned", banned_sentence(ban, now)
        if room.is_locked:
            return "locked", ""
        if room.entry != "open":
            return str(room.entry), ""
    if user_id is not None and trace.member is None:
        try:
            refuse_look_alike(room, user_id, now)
        except NameTaken as taken:
            return "name", taken.message
    return "open", ""


def _limits(network_hash: str) -> dict[str, Limit]:
    return {_network(network_hash): CODES_OF_NETWORK, EVERYBODY: CODES_OVERALL}


def _network(network_hash: str) -> str:
    return f"network {network_hash}"
