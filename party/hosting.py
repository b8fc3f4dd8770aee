"""The host: arriving and being gone, handing the room over, claiming it, naming co-hosts, ending the party."""

from __future__ import annotations

from models import Event, Member, Presence, Room, User, rows
from party import lifecycle
from party.change import CLOCK, Change, Person, change, settle
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed
from party.line import PRESENT_MS
from party.people import is_here, note_host_gone

ROLES_GIVEN = ("cohost", "guest")


def screen_arrived(actor: Person, code: str) -> None:
    """A person's screen opened. The host's makes the room LIVE, or ends grace; the owner's may make them host again."""
    if not _may_matter(actor, code):
        return
    with change(actor, code, may="see") as c:
        if c.seat.role != "host":
            if _returns_at_once(c):
                lifecycle.crown(c.room, c.seat.id, "returned", c.seat.id, c.now)
            return
        if c.room.state == "CREATED":
            c.room.state = "LIVE"
            c.log("room_went_live")
        lifecycle.host_is_back(c.room, c.seat.id, c.now)


def screens_gone(actor: Person, code: str) -> int | None:
    """A person's last screen closed. Returns when the room would be in grace, if this person is its lost host."""
    with change(actor, code, may="see") as c:
        note_host_gone(c)
        return _grace_starts_at(c)


def offer_host(actor: Person, code: str, member_id: int | None) -> None:
    """Offer the host's place to somebody who is here, or to nobody any more. One offer at a time; the last counts."""
    with change(actor, code, may="hand_over") as c:
        offered = Member.get_or_none(Member.room == c.room, Member.offered_host_at.is_null(False))
        if member_id is None:
            if offered is not None:
                _forget_offers(c)
                c.log("host_declined", member_id=offered.id)
            return
        member = c.member_of(member_id)
        if member.id == c.seat.id:
            raise Invalid("The host’s place is yours already.")
        if not is_here(member.id, c.now):
            raise Conflict("They stepped away just now. Pick somebody who is here.")
        if offered is not None and offered.id == member.id:
            return
        _forget_offers(c)
        Member.update(offered_host_at=c.now).where(Member.id == member.id).execute()
        c.log("host_offered", member_id=member.id)


def answer_offer(actor: Person, code: str, is_accepted: bool) -> None:
    """Take the host's place that was offered, or not. Raises Conflict when the offer was taken back meanwhile."""
    with change(actor, code, may="claim_host") as c:
        if c.seat.offered_host_at is None:
            if is_accepted and c.seat.role != "host":
                raise Conflict("The host kept their place meanwhile.")
            return
        if is_accepted:
            lifecycle.crown(c.room, c.seat.id, "handed_over", c.seat.id, c.now)
        else:
            _forget_offers(c)
            c.log("host_declined", member_id=c.seat.id)


def claim_host(actor: Person, code: str) -> None:
    """Take the line: the room's owner whenever they are back, a co-host while the host is away. Yours already: nothing.

    Raises Conflict for a co-host whose host came back meanwhile, NotAllowed for everybody else.
    """
    with change(actor, code, may="claim_host") as c:
        if c.seat.role == "host":
            return
        if c.room.owner_id == c.seat.user_id:
            how = "returned"
        elif c.seat.role != "cohost":
            raise NotAllowed("Only a co-host, or whoever opened the room, may take the line.")
        elif c.room.state != "GRACE":
            raise Conflict("The host is here. They can hand the room over to you.")
        else:
            how = "claimed"
        lifecycle.crown(c.room, c.seat.id, how, c.seat.id, c.now)


def name_cohost(actor: Person, code: str, member_id: int, role: str = "cohost") -> None:
    """Make somebody a co-host, or a guest again. That they are already changes nothing."""
    if role not in ROLES_GIVEN:
        raise Invalid("Somebody can be a co-host or a guest.")
    with change(actor, code, may="name_cohost") as c:
        member = c.member_of(member_id)
        if member.role == "host":
            raise Conflict("The host stays the host. Hand the room over instead.")
        if member.role == role:
            return
        Member.update(role=role, asked_control_at=None, controls_until=None, controls_once=False).where(
            Member.id == member.id
        ).execute()
        c.log("role_changed", member_id=member.id, role=role)


def end_room(actor: Person, code: str) -> None:
    """End the party for everybody, for good; what was played is kept."""
    with change(actor, code, may="end_room") as c:
        c.log("room_ended")
        lifecycle.expire(c.room, c.now)


def may_keep(room: Room) -> bool:
    """True when the room may be kept while its host is away: that takes an owner with an account."""
    return bool(User.select().where(User.id == room.owner_id, User.email.is_null(False)).exists())


def keep_changed(c: Change) -> None:
    """Whether, or how long, the room is kept was changed in `c.room.settings`: a grace that runs ends by that."""
    lifecycle.wait_anew(c.room, c.now)


def keep_promises(code: str) -> bool:
    """The clock's turn: grace may begin, or have run out. Early, late, twice: nothing. True when the state moved."""
    return settle(code)


def find_lost_hosts() -> list[str]:
    """Codes of LIVE rooms without a living screen of their host though nobody said so: a web process that died."""
    here = (
        Presence.select(Member.room)
        .join(Member)
        .where(Member.role == "host", Presence.seen_at > now_ms() - PRESENT_MS)
    )
    lost = Room.select(Room.code).where(
        Room.state == "LIVE", Room.host_gone_at.is_null(), Room.id.not_in(here)
    )
    return [code for (code,) in rows(lost)]


def note_lost_host(code: str) -> None:
    """The clock's turn: start the five seconds of a host whose process died. A host who is here changes nothing."""
    with change(CLOCK, code, may="keep_time") as c:
        host = Member.get_or_none(Member.room == c.room, Member.role == "host")
        if c.room.state == "LIVE" and c.room.host_gone_at is None and not (host and is_here(host.id, c.now)):
            c.room.host_gone_at = c.now
            c.room.save()


def doubted(codes: list[str]) -> list[str]:
    """Of these rooms, the ones whose host counts as gone."""
    is_doubted = Room.host_gone_at.is_null(False) | (Room.state == "GRACE")
    return [code for (code,) in rows(Room.select(Room.code).where(Room.code.in_(codes), is_doubted))]


def note_host_here(code: str) -> None:
    """The clock's turn: a host who only seemed gone is here, and grace that began meanwhile is taken back."""
    with change(CLOCK, code, may="keep_time") as c:
        host = Member.get_or_none(Member.room == c.room, Member.role == "host")
        if host is not None and is_here(host.id, c.now):
            lifecycle.host_is_back(c.room, None, c.now)


def overdue_codes() -> list[str]:
    """Codes of rooms whose stored state lags behind the clock."""
    now = now_ms()
    late = Room.select().where(
        ((Room.state == "LIVE") & (Room.host_gone_at <= now - lifecycle.HOST_GONE_MS))
        | ((Room.state == "GRACE") & (Room.host_grace_until <= now))
        | ((Room.state == "CREATED") & (Room.created_at <= now - lifecycle.NEVER_BEGUN_MS))
    )
    return [str(room.code) for room in late if lifecycle.is_overdue(room, now)]


def _may_matter(actor: Person, code: str) -> bool:
    """False for somebody whose coming changes nothing: a crowd takes no lock. A stranger is for change to refuse."""
    seats = Member.select(Member.role, Room.owner).join(Room)
    found = rows(seats.where(Room.code == code, Member.user == actor.user_id, Member.left_at.is_null()))
    return not found or found[0][0] == "host" or found[0][1] == actor.user_id


def _returns_at_once(c: Change) -> bool:
    """True for the owner of a room that is set so, unless they gave the role away themselves."""
    if c.room.owner_id != c.seat.user_id or c.settings.owner_returns != "at_once":
        return False
    changes = (
        Event.select().where(Event.room == c.room, Event.kind == "host_changed").order_by(Event.seq.desc())
    )
    lost = next((row.data["how"] for row in changes if row.data["from_id"] == c.seat.id), "")
    return bool(lost != "handed_over")


def _forget_offers(c: Change) -> None:
    Member.update(offered_host_at=None).where(
        Member.room == c.room, Member.offered_host_at.is_null(False)
    ).execute()


def _grace_starts_at(c: Change) -> int | None:
    if c.member is None or c.member.role != "host" or c.room.host_gone_at is None:
        return None
    return int(c.room.host_gone_at) + lifecycle.HOST_GONE_MS
