"""One-use links: to confirm an address, to change it, to set a new password. Only the hash of a link's token is kept.

Whoever orders a link makes up a handle; the token follows from it and SECRET_KEY. So the worker that mails a link can
name it again after a failure, and neither the tables nor the queue hold anything that opens it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from config import settings
from models import Link
from party.change import write
from party.clock import now_ms
from party.errors import NotFound
from party.sessions import hashed

HOUR_MS = 3_600_000
LASTS_MS = {"reset": HOUR_MS, "confirm": 24 * HOUR_MS, "email": 24 * HOUR_MS}
STALE = "This link has been used already, or it is too old. Ask for a new one."


def fresh_handle() -> str:
    """A handle no link has."""
    return secrets.token_urlsafe(24)


def token_of(handle: str) -> str:
    """The token of the link with this handle: what its address ends with."""
    made = hmac.new(settings.secret_key.encode(), f"link {handle}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def make(
    handle: str, purpose: str, email: str, *, user_id: int | None = None, password_hash: str | None = None
) -> str:
    """The link with this handle, made unless it is there. Returns its token."""
    token, now = token_of(handle), now_ms()
    with write():
        Link.insert(
            token_hash=hashed(token),
            user=user_id,
            purpose=purpose,
            email=email,
            password_hash=password_hash,
            created_at=now,
            expires_at=now + LASTS_MS[purpose],
        ).on_conflict_ignore().execute()
    return token


def read(token: str, *purposes: str) -> Link:
    """The link of a token, if it can still be used for one of these. Raises NotFound."""
    link: Link | None = Link.get_or_none(
        Link.token_hash == hashed(token),
        Link.purpose.in_(purposes),
        Link.used_at.is_null(),
        Link.expires_at > now_ms(),
    )
    if link is None:
        raise NotFound(STALE)
    return link


def spend(link: Link) -> None:
    """Use the link up, in the open transaction. Raises NotFound when somebody was faster."""
    unused = (Link.token_hash == link.token_hash) & Link.used_at.is_null()
    if not Link.update(used_at=now_ms()).where(unused).execute():
        raise NotFound(STALE)


def drop(user_id: int, *purposes: str) -> None:
    """Forget a person's links of these kinds, in the open transaction: what was ordered before no longer counts."""
    Link.delete().where(Link.user == user_id, Link.purpose.in_(purposes)).execute()
