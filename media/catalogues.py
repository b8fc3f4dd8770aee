"""What the catalogues of others have in common: asked politely, read page by page, their words taken as plain text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from config import Settings
from media.fetch import Fetched, fetch
from media.net_address import parse
from media.oembed import LONGEST_WAIT_SECONDS, Busy
from media.pasted import plain
from media.provider import Found, Trouble, reaching

MOST_ROWS = 20
MOST_PAGES = 3
MOST_BYTES = 2_000_000
SECONDS = 8.0
LONGEST_MS = 2**31 - 1
JSON = ("application/json", "text/")

_LICENCE = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?P<kind>licenses|publicdomain)/(?P<name>[a-z-]{2,20})/",
    re.ASCII | re.I,
)
_LICENCES = ("by", "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd")


def ask(
    address: str, where: str, settings: Settings, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON object at an address of a catalogue; `where` is its name. Raises Trouble, Busy with its Retry-After."""
    with reaching(_begun(where)):
        answer = fetch(
            address, settings, headers=headers, accept=JSON, most_bytes=MOST_BYTES, seconds=SECONDS
        )
    if answer.status != 200:
        raise refusal(answer, where)
    known = answer.json()
    if not isinstance(known, dict):
        raise unreadable(where)
    return known


def refusal(answer: Fetched, where: str) -> Trouble:
    """What a status that is not 200 means."""
    if answer.status in (404, 410):
        return Trouble(f"There is nothing like that at {where}.")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        return Busy(f"{_begun(where)} is too busy just now. Try again in a moment.", _wait(answer))
    return Trouble(f"{_begun(where)} would not answer us.")


def unreadable(where: str) -> Trouble:
    """What cannot be understood now may be another time."""
    return Trouble(f"{_begun(where)} answered with something we cannot read.", again=True)


def gather(page: Callable[[int], tuple[list[Found], bool]]) -> list[Found]:
    """At most twenty rows, each once. `page` gives the rows of a page, from 0, and whether there are more pages.

    Another page is asked for only where too few rows of the ones before were of any use.
    """
    rows: dict[tuple[str, str], Found] = {}
    for number in range(MOST_PAGES):
        found, has_more = page(number)
        for row in found:
            rows.setdefault((row.title.casefold(), row.artist.casefold()), row)
        if not has_more or len(rows) >= MOST_ROWS // 2:
            break
    return list(rows.values())[:MOST_ROWS]


def lucene(words: str, fields: tuple[str, ...] = ()) -> str:
    """Words as a query in Lucene's syntax that asks for all of them: none of its signs or operators is left.

    Operators are written in capitals, so small letters are only ever words.
    """
    bare = re.findall(r"\w+", words.casefold().replace("_", " "))[:12]
    if not fields:
        return " AND ".join(bare)
    return " AND ".join("(" + " OR ".join(f"{name}:{word}" for name in fields) + ")" for word in bare)


def listed(value: object) -> list[dict[str, Any]]:
    """The objects of a list; nothing for what is none."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """One line of plain text; of a list of texts the first three, parted by commas."""
    if isinstance(value, list):
        return plain(", ".join(each for each in map(plain, value[:3]) if each))
    return plain(value)


def milliseconds(value: object) -> int:
    """A length in seconds, as a number, in digits, or as minutes and seconds; 0 for what is none."""
    if isinstance(value, str) and re.fullmatch(r"(?:[0-9]{1,3}:){1,2}[0-9]{2}(?:\.[0-9]+)?", value, re.ASCII):
        value = sum(float(part) * 60**place for place, part in enumerate(reversed(value.split(":"))))
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", value, re.ASCII):
        value = float(value)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return 0
    return round(value * 1000) if 0 < value * 1000 <= LONGEST_MS else 0


def address(value: object, settings: Settings) -> str:
    """An address that a browser of ours may be sent to, in the one way to write it; nothing for any other."""
    try:
        return parse(value, settings).url if isinstance(value, str) else ""
    except Trouble:
        return ""


def licence(value: object) -> str:
    """The short name of a Creative Commons licence or mark, of its address (creativecommons.org/licenses/list.en)."""
    known = _LICENCE.match(value) if isinstance(value, str) else None
    if known is None:
        return ""
    kind, name = known["kind"].lower(), known["name"].lower()
    if kind == "publicdomain":
        return {"zero": "CC0", "mark": "Public domain"}.get(name, "")
    return f"CC {name.upper()}" if name in _LICENCES else ""


def _begun(where: str) -> str:
    """A name at the beginning of a sentence."""
    return where[:1].upper() + where[1:]


def _wait(answer: Fetched) -> int:
    """Retry-After in seconds (RFC 9110, section 10.2.3); as a date it is left out."""
    said = answer.headers.get("retry-after", "").strip()
    return min(int(said), LONGEST_WAIT_SECONDS) if re.fullmatch(r"[0-9]{1,7}", said) else 0
