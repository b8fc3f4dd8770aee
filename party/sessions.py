"""Sessions: a row for each signed-in browser, what device it is, and ending them. Only a token's hash is kept.

A token is given once, by whoever begins the session; signing in, signing up and a new password begin a new one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models import Session, User, rows
from party import audit
from party.change import Person, write
from party.clock import now_ms
from party.errors import NotFound

SESSION_DAYS = 90
LASTS_MS = SESSION_DAYS * 86_400_000
HANDLE_LENGTH = 16
ASKED_AT_ONCE = 300
"""SQLite limits how many values one statement may carry."""


@dataclass(frozen=True, slots=True)
class Device:
    """One of a person's sessions, as they see it. `handle` names it and opens nothing."""

    handle: str
    device: str
    begun_at: int
    seen_at: int
    is_this: bool


def begin(user_id: int, device: str = "") -> str:
    """A new session, in the open transaction if there is one. Returns its token, shown never again."""
    token, now = secrets.token_urlsafe(32), now_ms()
    with write():
        Session.insert(
            token_hash=hashed(token),
            user=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + LASTS_MS,
            device=device[:200],
        ).execute()
    return token


def hashed(token: str) -> str:
    """A token as it is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def end(session: str) -> None:
    """End the session of this hash; its token opens nothing any more."""
    with write():
        Session.delete().where(Session.token_hash == session).execute()


def end_all(user_id: int) -> int:
    """End every session of a person. Returns how many there were."""
    with write():
        return int(Session.delete().where(Session.user == user_id).execute())


def sign_out_everywhere(actor: Person) -> None:
    """End all of one's sessions, this one too."""
    with write():
        end_all(actor.user_id)
        audit.note(actor.user_id, "signed_out_everywhere")


def devices(actor: Person, session: str) -> list[Device]:
    """One's sessions, the last used first. `session` is the hash of the one that asks."""
    kept = Session.select().where(Session.user == actor.user_id, Session.expires_at > now_ms())
    return [
        Device(
            row.token_hash[:HANDLE_LENGTH],
            row.device or "A browser",
            row.created_at,
            row.last_seen_at,
            row.token_hash == session,
        )
        for row in kept.order_by(Session.last_seen_at.desc(), Session.created_at.desc())
    ]


def end_one(actor: Person, handle: str) -> None:
    """End one of one's own sessions. Raises NotFound for anybody else's."""
    with write():
        own = Session.select().where(Session.user == actor.user_id)
        found = [row for row in own if row.token_hash[:HANDLE_LENGTH] == handle]
        if not found:
            raise NotFound("That session has ended already.")
        end(found[0].token_hash)
        audit.note(actor.user_id, "session_ended")


def gone(sessions: Iterable[str]) -> set[str]:
    """Of these hashes, those that open nothing any more: signed out, ended, past their time, or a banned person's."""
    asked, now = sorted(set(sessions)), now_ms()
    alive: set[str] = set()
    for start in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[start : start + ASKED_AT_ONCE]
        holds = (
            Session.select(Session.token_hash).join(User).where(Session.token_hash.in_(some), may_act(now))
        )
        alive |= {kept for (kept,) in rows(holds)}
    return set(asked) - alive


def may_act(now: int) -> Any:
    """The condition under which a session opens anything: it has time left, and its person is not banned."""
    is_free = User.banned_at.is_null() | (User.banned_until.is_null(False) & (User.banned_until <= now))
    return (Session.expires_at > now) & is_free


_BROWSERS = (
    ("Edge", r"\bEdgA?(iOS)?/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Chrome|Chromium|CriOS)/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("iPhone", r"\biPhone\b"),
    ("iPad", r"\biPad\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("a Chromebook", r"\bCrOS\b"),
    ("a Mac", r"\bMac(intosh| OS X)\b"),
    ("Linux", r"\bLinux\b"),
)


def device_words(user_agent: str) -> str:
    """What a browser says of itself, in a few words: Firefox on Windows. What is not known is left out."""
    # The order decides: each browser also claims to be those below it.
    text = user_agent[:500]
    browser = next((name for name, sign in _BROWSERS if re.search(sign, text)), "A browser")
    system = next((name for name, sign in _SYSTEMS if re.search(sign, text)), "")
    return f"{browser} on {system}" if system else browser


def ago(instant: int) -> str:
    """When something was, as people say it; a session notes its use once an hour."""
    hours = (now_ms() - instant) // 3_600_000
    if hours < 1:
        return "within the hour"
    if hours < 48:
        return f"{hours} {'hour' if hours == 1 else 'hours'} ago"
    return f"{hours // 24} days ago"
