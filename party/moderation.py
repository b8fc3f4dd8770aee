"""Keeping the peace: sending somebody out, banning, muting, and taking each of them back."""

from __future__ import annotations

from dataclasses import dataclass

from peewee import JOIN

from models import Ban, Item, Member, Presence, User
from party import doorway, invites, queue, suggestions
from party.change import Actor, Change, ban_on, change, look
from party.control import reclaim
from party.errors import Conflict, Invalid, NotAllowed, NotFound
from party.names import one_line

REASON_LONGEST = 200
MUTE_MINUTES = 10
MINUTES_MOST = 525_600
MINUTE_MS = 60_000
FOR_GOOD = 253_402_300_799_000
"""The end of the year 9999: a mute column holds an end, and this one is never reached."""


@dataclass(frozen=True, slots=True)
class BanView:
    """A ban as hosts see it. `until` (epoch ms) is None for good."""

    id: int
    name: str
    reason: str
    until: int | None
    by_name: str
    has_network: bool


def kick(actor: Actor, code: str, member_id: int) -> None:
    """Send somebody out: their seat is given up, and they may return through the door."""
    with change(actor, code, may="kick") as c:
        member = c.member_of(member_id)
        _refuse_rank(c, member)
        _send_out(c, member)
        c.log("person_removed", member_id=member.id)


def readmit(actor: Actor, code: str, member_id: int) -> None:
    """Undo sending somebody out: their seat is theirs again. Somebody who is in changes nothing."""
    with change(actor, code, may="kick") as c:
        member = _anybody(c, member_id)
        if member.left_at is None:
            return
        if ban_on(c.room, member.user_id, c.now) is not None or not doorway.was_sent_out(c.room, member):
            raise Conflict("They left by themselves, or are banned. An invitation brings them back.")
        Member.update(left_at=None).where(Member.id == member.id).execute()
        c.log("person_readmitted", member_id=member.id)


def ban(
    actor: Actor,
    code: str,
    member_id: int,
    reason: str = "",
    minutes: int | None = None,
    *,
    with_network: bool = False,
    remove_items: bool = False,
) -> int:
    """Send somebody out and keep them out, for so many minutes or for good. Returns the ban's id.

    What they wait for is taken back; their tracks stay on the line unless `remove_items`. `with_network` also keeps out
    whoever comes from where they came from.
    """
    reason = one_line(reason)
    if len(reason) > REASON_LONGEST:
        raise Invalid(f"That reason is too long. Up to {REASON_LONGEST} letters fit.")
    if minutes is not None and not 1 <= minutes <= MINUTES_MOST:
        raise Invalid("A ban lasts a minute at least; longer than a year is for good.")
    with change(actor, code, may="ban") as c:
        member = _anybody(c, member_id)
        _refuse_rank(c, member)
        if ban_on(c.room, member.user_id, c.now) is not None:
            raise Conflict("They are banned already.")
        made = Ban.create(
            room=c.room,
            user=member.user_id,
            network_hash=member.network_hash if with_network else None,
            reason=reason,
            banned_by=c.member,
            banned_at=c.now,
            until=None if minutes is None else c.now + minutes * MINUTE_MS,
        )
        _send_out(c, member)
        suggestions.withdraw_all_of(c, member)
        doorway.close_knocks(c.room, member.user_id, c.now)
        if remove_items:
            _take_off(c, member)
        c.log("person_banned", member_id=member.id, ban_id=made.id)
        return int(made.id)


def lift_ban(actor: Actor, code: str, ban_id: int) -> None:
    """Let somebody through the door again. Lifted already changes nothing."""
    with change(actor, code, may="ban") as c:
        found = Ban.get_or_none(Ban.id == ban_id, Ban.room == c.room)
        if found is None:
            raise NotFound("There is no such ban in this room.")
        if found.lifted_at is None:
            Ban.update(lifted_at=c.now).where(Ban.id == found.id).execute()
            c.log("ban_lifted", ban_id=found.id)


def bans(actor: Actor, code: str) -> list[BanView]:
    """The bans that hold, the newest first, for those who may lift them."""
    c = look(actor, code, may="ban")
    holds = Ban.lifted_at.is_null() & (Ban.until.is_null() | (Ban.until > c.now))
    by, judge = Member.alias(), User.alias()
    query = (
        Ban.select(Ban, User, by, judge)
        .join(User)
        .switch(Ban)
        .join(by, JOIN.LEFT_OUTER, on=(Ban.banned_by == by.id))
        .join(judge, JOIN.LEFT_OUTER, on=(by.user == judge.id))
        .where(Ban.room == c.room, holds)
        .order_by(Ban.id.desc())
    )
    return [
        BanView(
            each.id,
            each.user.display_name,
            each.reason,
            each.until,
            each.banned_by.user.display_name if each.banned_by is not None else "",
            each.network_hash is not None,
        )
        for each in query
    ]


def mute(actor: Actor, code: str, member_id: int, minutes: int | None = MUTE_MINUTES) -> None:
    """Let somebody hear and vote but not talk, for so many minutes or (None) for good. The same again moves the end."""
    if minutes is not None and not 1 <= minutes <= MINUTES_MOST:
        raise Invalid("Somebody is muted for a minute at least; longer than a year is for good.")
    with change(actor, code, may="mute") as c:
        member = c.member_of(member_id)
        _refuse_rank(c, member)
        until = FOR_GOOD if minutes is None else c.now + minutes * MINUTE_MS
        Member.update(muted_until=until).where(Member.id == member.id).execute()
        c.log("person_muted", member_id=member.id, until=until)


def unmute(actor: Actor, code: str, member_id: int) -> None:
    """Let somebody talk again. Somebody who may talk changes nothing."""
    with change(actor, code, may="mute") as c:
        member = c.member_of(member_id)
        _refuse_rank(c, member)
        if member.muted_until is not None and member.muted_until > c.now:
            Member.update(muted_until=None).where(Member.id == member.id).execute()
            c.log("person_unmuted", member_id=member.id)


def _refuse_rank(c: Change, member: Member) -> None:
    """Nobody does this to themselves, to the host or the owner, and to a co-host only the host."""
    if member.id == c.seat.id:
        raise NotAllowed("That is you. Leave by the door in the settings.")
    if member.role == "host" or member.user_id == c.room.owner_id:
        raise NotAllowed("Whoever hosts or opened this room stays.")
    if member.role == "cohost" and c.role != "host":
        raise NotAllowed("Only the host may do that to a co-host.")


def _send_out(c: Change, member: Member) -> None:
    """Give up somebody's seat and everything that was lent to them, in the open transaction."""
    reclaim(c, member)
    if member.role != "guest":
        # Whoever comes back comes back as a guest, and the doors they opened are closed.
        c.log("role_changed", member_id=member.id, role="guest")
        invites.revoke_all_of(c, member)
    Member.update(left_at=member.left_at or c.now, role="guest").where(Member.id == member.id).execute()
    Presence.delete().where(Presence.member == member.id).execute()


def _take_off(c: Change, member: Member) -> None:
    mine = Item.select().where(Item.room == c.room, Item.added_by == member.id, Item.state == "waiting")
    items = list(mine.order_by(Item.id))
    if items:
        queue.take_off(c, items)


def _anybody(c: Change, member_id: int) -> Member:
    member = Member.get_or_none(Member.id == member_id, Member.room == c.room)
    if member is None:
        raise NotFound("That person is not in this room.")
    return member
