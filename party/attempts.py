"""How often something may be tried, counted in the database: one count for all processes, kept over restarts.

What is counted is who tries what (a person, a network, everybody); addresses are kept only as keyed hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from config import settings
from models import Attempt, database, is_sqlite
from party.change import write
from party.clock import now_ms
from party.errors import TooMany
from party.people import words_for

EVERYBODY = "everybody"
KEPT_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of one subject within `window_ms`."""

    most: int
    window_ms: int


def check(kind: str, limits: dict[str, Limit]) -> None:
    """Raise TooMany when one of the subjects has no try left; counts nothing.

    While EVERYBODY together tried too often, whoever has not tried yet still has one: a flood from elsewhere must not
    lock the right person out.
    """
    crowd = limits.get(EVERYBODY)
    others = {subject: limit for subject, limit in limits.items() if subject != EVERYBODY}
    wait = _wait(kind, EVERYBODY, crowd) if crowd else 0
    if wait and not others:
        raise _too_many(wait)
    for subject, limit in others.items():
        left = _wait(kind, subject, Limit(1, limit.window_ms) if wait else limit)
        if left:
            raise _too_many(left)


def _wait(kind: str, subject: str, limit: Limit) -> int:
    """How many milliseconds until the subject may try again; 0 when now."""
    now = now_ms()
    tries = Attempt.select(Attempt.at).where(
        Attempt.kind == kind, Attempt.subject == digest(subject), Attempt.at > now - limit.window_ms
    )
    times = [at for (at,) in tries.order_by(Attempt.at.desc()).limit(limit.most).tuples()]
    return int(times[-1] + limit.window_ms - now) if len(times) >= limit.most else 0


def _too_many(wait_ms: int) -> TooMany:
    return TooMany(f"That was tried too often. You can go on in {words_for(wait_ms)}.")


def count(kind: str, limits: dict[str, Limit]) -> None:
    """Note one try of each subject."""
    now = now_ms()
    with write():
        Attempt.insert_many(
            [(kind, digest(subject), now) for subject in limits], [Attempt.kind, Attempt.subject, Attempt.at]
        ).execute()


def spend(kind: str, limits: dict[str, Limit]) -> None:
    """Check and count in one step. Raises TooMany."""
    with write():
        _hold(kind, limits)
        check(kind, limits)
        count(kind, limits)


def forget(kind: str, subject: str) -> None:
    """Start a subject's count afresh, after it got it right."""
    with write():
        Attempt.delete().where(Attempt.kind == kind, Attempt.subject == digest(subject)).execute()


def give_back(kind: str, subjects: Iterable[str]) -> None:
    """A try that was right costs its subjects nothing: many people of one house are no attack."""
    subjects = list(subjects)
    with write():
        _hold(kind, subjects)
        for subject in subjects:
            tries = Attempt.select(Attempt.id).where(Attempt.kind == kind, Attempt.subject == digest(subject))
            last = tries.order_by(Attempt.id.desc()).first()
            if last is not None:
                Attempt.delete().where(Attempt.id == last.id).execute()


def _hold(kind: str, subjects: Iterable[str]) -> None:
    """Keep the same subjects' other tries waiting until this one is counted."""
    if is_sqlite():
        return
    # There a transaction does not hold the others off, and there is no row to lock before the first try.
    for number in sorted({int(digest(f"{kind} {subject}")[:15], 16) for subject in subjects}):
        database.obj.execute_sql("SELECT pg_advisory_xact_lock(%s)", (number,))


def digest(subject: str) -> str:
    """A subject as it is kept: nobody who reads the table learns an address from it."""
    return hmac.new(settings.secret_key.encode(), subject.encode(), hashlib.sha256).hexdigest()


def network_of(address: str) -> str:
    """Whose network an address is: an IPv4 address itself, of IPv6 the first 64 bits."""

    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network(f"{ip}/64", strict=False))
