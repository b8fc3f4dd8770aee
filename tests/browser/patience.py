"""How long a browser test waits for what comes by itself: longer than any busy machine needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Frame, Page

PATIENCE_SECONDS = 30
PATIENCE_MS = PATIENCE_SECONDS * 1000


def eventually(page: Page, check: Callable[[], Any], what: str = "it did not happen in time") -> Any:
    """Wait until `check()` is true and return what it said."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (said := check()):
        assert time.monotonic() < deadline, what
        # Events and routes reach a test only while it asks its browser for something.
        page.wait_for_timeout(20)
    return said


def becomes(page: Page | Frame, script: str, wanted: Any) -> None:
    """Wait until a script says this: what a page changes gradually, or a moment after it was asked to."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (said := page.evaluate(script)) != wanted:
        assert time.monotonic() < deadline, f"{script} is {said}, not {wanted}"
        page.wait_for_timeout(20)
