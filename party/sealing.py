"""Small secrets that are read again: sealed with a key made from SECRET_KEY, so that the tables alone tell nothing."""

from __future__ import annotations

import base64
import functools
import hmac

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config import settings
from party.clock import now_ms


def seal(text: str, purpose: str) -> str:
    """The text, sealed for one purpose."""
    return _box(purpose).encrypt_at_time(text.encode(), now_ms() // 1000).decode()


def mark(text: str, purpose: str) -> str:
    """A keyed digest (HMAC-SHA-256, its first 120 bits) of the text, in 20 letters for an address."""
    key = _derived(f"mark {purpose}")
    return base64.urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")[:15]).decode()


def unseal(sealed: str, purpose: str, lasts_seconds: int | None = None) -> str | None:
    """What was sealed for this purpose; None when it is not ours, or older than it lasts."""
    try:
        if lasts_seconds is None:
            return _box(purpose).decrypt(sealed.encode()).decode()
        return _box(purpose).decrypt_at_time(sealed.encode(), lasts_seconds, now_ms() // 1000).decode()
    except (InvalidToken, UnicodeError):
        return None


@functools.cache
def _box(purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derived(purpose)))


@functools.cache
def _derived(purpose: str) -> bytes:
    key = HKDF(SHA256(), length=32, salt=None, info=f"partyline {purpose}".encode())
    return key.derive(settings.secret_key.encode())
