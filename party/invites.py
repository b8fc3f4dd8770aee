"""Invitations: links of 128 bits that let so many people in until they end. Only the hash of a link is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from config import settings
from models import Invite, Member, Room, User
from party import doorway, knocks, lifecycle
from party.change import OVER, Actor, Change, Person, change, locked_room, look, settle, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over

QUOTA, QUOTA_MOST = 3, 50
HOURS, HOURS_MOST = 24, 168
OPEN_AT_ONCE = 20
HOUR_MS = 3_600_000
TOKEN_BYTES = 16
NO_INVITATION = "This invitation leads nowhere. It may have ended: ask for a new one."
USED_UP = "This invitation is used up. Ask whoever sent it for a new one."


@dataclass(frozen=True, slots=True)
class InviteView:
    """An invitation as hosts see it: never its link."""

    id: int
    quota: int
    left: int
    expires_at: int
    by_name: str


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation says to whoever opens it."""

    code: str
    room_name: str
    by_name: str
    is_used_up: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """What became of an invitation: a seat, or a knock that waits where the quota was used up."""

    code: str
    has_knocked: bool


def fresh_token(actor: Person, key: str | None) -> str:
    """A link's token. The same request again, known by its idempotency key, is given the same one."""
    if key is None:
        return secrets.token_urlsafe(TOKEN_BYTES)
    words = f"invitation {actor.user_id} {key}".encode()
    made = hmac.new(settings.secret_key.encode(), words, hashlib.sha256).digest()[:TOKEN_BYTES]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def make_invite(
    actor: Actor, code: str, quota: int = QUOTA, hours: int = HOURS, token: str | None = None
) -> str:
    """Make a link that lets so many people in for so many hours. Returns its token, shown never again."""
    if not 1 <= quota <= QUOTA_MOST:
        raise Invalid(f"An invitation is for 1 to {QUOTA_MOST} people.")
    if not 1 <= hours <= HOURS_MOST:
        raise Invalid("An invitation lasts an hour at least and a week at most.")
    token = token or secrets.token_urlsafe(TOKEN_BYTES)
    with change(actor, code, may="invite") as c:
        if Invite.select().where(Invite.room == c.room, _holds(c.now)).count() >= OPEN_AT_ONCE:
            raise Conflict(f"{OPEN_AT_ONCE} invitations are out already. Take one back first.")
        made = Invite.create(
            room=c.room,
            token_hash=_hashed(token),
            quota=quota,
            made_by=c.member,
            made_at=c.now,
            expires_at=c.now + hours * HOUR_MS,
        )
        c.log("invite_made", invite_id=made.id)
    return token


def revoke_invite(actor: Actor, code: str, invite_id: int) -> None:
    """Take an invitation back: nobody comes in by it any more. Taken back already changes nothing."""
    with change(actor, code, may="invite") as c:
        invite = Invite.get_or_none(Invite.id == invite_id, Invite.room == c.room)
        if invite is None:
            raise NotFound("There is no such invitation to this room.")
        if invite.revoked_at is None:
            _revoke(c, invite)


def revoke_all_of(c: Change, member: Member) -> None:
    """Take back what somebody made who may make none any more, in the open transaction."""
    for invite in list(Invite.select().where(Invite.room == c.room, Invite.made_by == member, _holds(c.now))):
        _revoke(c, invite)


def open_invites(actor: Actor, code: str) -> list[InviteView]:
    """The invitations that still hold, the newest first, for those who may make them."""
    c = look(actor, code, may="invite")
    query = (
        Invite.select(Invite, Member, User)
        .join(Member)
        .join(User)
        .where(Invite.room == c.room, _holds(c.now))
        .order_by(Invite.id.desc())
    )
    return [
        InviteView(
            each.id, each.quota, each.quota - each.used, each.expires_at, each.made_by.user.display_name
        )
        for each in query
    ]


def read_invite(token: str) -> Invited:
    """What a link leads to. Raises NotFound, alike for a wrong one, one taken back and one that ended."""
    invite = _invite(token, now_ms())
    room, maker = invite.room, invite.made_by
    by_name = maker.user.display_name if maker is not None else ""
    return Invited(room.code, room.name, by_name, invite.used >= invite.quota)


def enter_by_invite(actor: Person, token: str, network_hash: str) -> Entered:
    """Take a seat by a link, whatever the door asks of others. Past its quota it is a knock where the host opens."""
    code = str(_invite(token, now_ms()).room.code)
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        invite = _invite(token, now)
        member = Member.get_or_none(Member.room == room, Member.user == actor.user_id)
        if member is not None and member.left_at is None:
            return Entered(code, has_knocked=False)
        doorway.refuse_entry(room, actor.user_id, now, network_hash)
        fits = (Invite.id == invite.id) & (Invite.used < Invite.quota) & _holds(now)
        if Invite.update(used=Invite.used + 1).where(fits).execute():
            doorway.let_in(room, actor.user_id, now, network_hash)
            return Entered(code, has_knocked=False)
        if room.entry != "approval":
            raise NotAllowed(USED_UP)
        knocks.knock(actor, code, network_hash, is_invited=True)
        return Entered(code, has_knocked=True)


def _revoke(c: Change, invite: Invite) -> None:
    Invite.update(revoked_at=c.now).where(Invite.id == invite.id).execute()
    c.log("invite_revoked", invite_id=invite.id)


def _invite(token: str, now: int) -> Invite:
    query = Invite.select(Invite, Room).join(Room).where(Invite.token_hash == _hashed(token), _holds(now))
    invite: Invite | None = query.first()
    if invite is None:
        raise NotFound(NO_INVITATION)
    if lifecycle.effective(invite.room, now)[0] == "EXPIRED":
        raise Over(OVER)
    return invite


def _holds(now: int) -> object:
    return Invite.revoked_at.is_null() & (Invite.expires_at > now)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
