"""Passwords of people and of rooms: what may be one, how it is kept, and whether it is right. Argon2id.

Hashing takes its time on purpose, so it happens outside transactions and, where a hub serves everybody, in a thread.
"""

from __future__ import annotations

import functools
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from party.errors import Busy, Invalid

SHORTEST, LONGEST = 8, 128
AT_ONCE = 2
"""Hashes at the same time in one process: each takes 19 MiB and a core, and pages must go on."""
PATIENCE_SECONDS = 3.0
COMMON = Path(__file__).with_name("common_passwords.txt")

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""What a hash costs: the least that is recommended, since a small machine serves its pages beside it. Tests put a
cheaper one here."""


def run_here(act: Callable[[], Any]) -> Any:
    """Hash in the thread that asks."""
    return act()


run: Callable[[Callable[[], Any]], Any] = run_here
"""Where hashing runs. A process that serves by gevent puts its hub's thread pool here (app.start)."""

_slots = threading.BoundedSemaphore(AT_ONCE)


def check_strength(text: str, *personal: str) -> None:
    """Raise Invalid when this cannot be a password: too short, too long, or among the first that anybody tries.

    `personal` is what everybody may know of the person, such as the address: not a secret either.
    """
    kept = _kept(text)
    if len(kept) < SHORTEST:
        raise Invalid(
            f"A password has at least {SHORTEST} characters. A few words in a row are easy to keep in mind."
        )
    if len(kept) > LONGEST:
        raise Invalid(f"That password is too long. Up to {LONGEST} characters fit.")
    folded = kept.casefold()
    if folded in common() or len(set(folded)) < 3:
        raise Invalid("That is one of the first passwords anybody would try. Choose another one.")
    if folded in {_kept(known).casefold() for known in personal}:
        raise Invalid("That password is written next to your name. Choose another one.")


def hash_password(text: str) -> str:
    """What is kept of a password. Raises Busy when too many are waiting."""
    return str(_slowly(lambda: hasher.hash(_kept(text))))


def is_right(kept_hash: str | None, text: str) -> bool:
    """True when the text is the password of this hash. Without a hash: False, after the same work. Raises Busy."""
    # Longer ones are none, and must not cost more than others.
    typed = _kept(text)[: LONGEST + 1]
    has_fitted = bool(_slowly(lambda: _fits(kept_hash or _nobodys_hash(), typed)))
    return has_fitted and kept_hash is not None


def needs_rehash(kept_hash: str) -> bool:
    """True when the hash was made with other costs than today's."""
    try:
        return hasher.check_needs_rehash(kept_hash)
    except InvalidHashError:
        return True


@functools.cache
def common() -> frozenset[str]:
    """The commonest passwords, folded."""
    return frozenset(COMMON.read_text(encoding="utf-8").casefold().split())


def _kept(text: str) -> str:
    # The same signs typed on another keyboard may come composed differently.
    return unicodedata.normalize("NFC", text)


def _fits(kept_hash: str, text: str) -> bool:
    # Answered by value: what is raised in the pool's thread would be printed there as a failure.
    try:
        return hasher.verify(kept_hash, text)
    except (Argon2Error, InvalidHashError):
        return False


def _slowly(act: Callable[[], Any]) -> Any:
    with _slot():
        return run(act)


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=PATIENCE_SECONDS):
        raise Busy("Many passwords are being checked just now. Please try again in a moment.")
    try:
        yield
    finally:
        _slots.release()


def _nobodys_hash() -> str:
    return _hash_with(hasher)


@functools.lru_cache(maxsize=2)
def _hash_with(made_by: PasswordHasher) -> str:
    return made_by.hash("a password that nobody has")
