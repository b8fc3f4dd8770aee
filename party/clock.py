"""The only clock of the rules, so that tests can move it."""

from __future__ import annotations

import time
from collections.abc import Callable

_read: Callable[[], float] = time.time


def now_ms() -> int:
    """Milliseconds since the Unix epoch, UTC."""
    return int(_read() * 1000)


def replace(read: Callable[[], float]) -> Callable[[], float]:
    """Put another source of seconds in place and return the one before it."""
    global _read
    before, _read = _read, read
    return before
