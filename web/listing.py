"""What pages with long lists share: the number of the page asked for, and instants as text."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request

from party.errors import Invalid
from web.addresses import HIGHEST_ID


def page_number() -> int:
    """Which page the address asks for, 1 unless it says. Raises Invalid."""
    return positive("page") or 1


def positive(name: str) -> int | None:
    """A number of the address, or None when it is not there. Raises Invalid."""
    text = request.args.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= HIGHEST_ID):
        raise Invalid("There is no such page.")
    return int(text)


def when(at: int) -> str:
    """An instant (epoch ms) as text: 24 Dec 2026, 18:05 UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%-d %b %Y, %H:%M} UTC"


def machine_time(at: int) -> str:
    """The same for programs."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
