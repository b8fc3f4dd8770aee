"""Small pictures of what was found elsewhere, fetched by us, made anew, and kept as text in the row that shows them.

Where a picture lies is told to no browser: whose it is would read there who looks for what.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from config import Settings
from media.artwork import read_square
from media.fetch import fetch
from media.provider import Trouble

SIDE = 96
MOST = 8
"""So many are fetched for one answer, all at once."""
SECONDS = 1.5
"""Words are not kept waiting for pictures any longer."""
MOST_BYTES, MOST_PIXELS = 1_000_000, 4_000_000
LONGEST = 12_000
HEAD = "data:image/webp;base64,"


def of(addresses: Sequence[str], settings: Settings) -> list[str]:
    """The picture at each address as a data: URL; empty where there is none, not in time, or after the first few."""
    wanted = list(dict.fromkeys(filter(None, addresses)))[:MOST]
    if not wanted:
        return [""] * len(addresses)
    with ThreadPoolExecutor(len(wanted)) as pool:
        made = dict(zip(wanted, pool.map(lambda address: _one(address, settings), wanted), strict=True))
    return [made.get(address, "") for address in addresses]


def _one(address: str, settings: Settings) -> str:
    try:
        answer = fetch(address, settings, accept=("image/",), most_bytes=MOST_BYTES, seconds=SECONDS)
    except Trouble:
        return ""
    square = read_square(answer.body, MOST_PIXELS) if answer.status == 200 else None
    if square is None:
        return ""
    small = io.BytesIO()
    square.resize((SIDE, SIDE)).save(small, "WEBP", quality=70, method=4)
    text = HEAD + base64.b64encode(small.getvalue()).decode()
    return text if len(text) <= LONGEST else ""
