"""What people paste, read without any network: an address and its parts, or nothing. Which host means what is a
provider's own business."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

LONGEST = 2_000
TITLE_LONGEST = 200

_PORTS = {"https": (None, 443), "http": (None, 80)}
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")


@dataclass(frozen=True, slots=True)
class Address:
    """An https or http address: the host in small letters, the path's parts, the first value of each query name."""

    host: str
    parts: tuple[str, ...]
    query: dict[str, str]


def address(text: str) -> Address | None:
    """The parts of what looks like an address; a scheme may be missing. None for anything that browsers read otherwise.

    No user names, no odd ports, no backslashes or blanks: by those an address says one host and means another.
    """
    typed = text.strip()
    if not 0 < len(typed) <= LONGEST or re.search(r"[\s\\\x00-\x1f\x7f]", typed):
        return None
    if typed.startswith("//"):
        typed = f"https:{typed}"
    elif not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", typed) or re.match(
        r"[^/?#]*:(?:443|80)(?:[/?#]|$)", typed
    ):
        typed = f"https://{typed}"
    try:
        split = urlsplit(typed)
        host, port = split.hostname or "", split.port
    except ValueError:
        return None
    if split.scheme not in _PORTS or port not in _PORTS[split.scheme] or "@" in split.netloc:
        return None
    if not re.fullmatch(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", host):
        return None
    try:
        pairs = parse_qsl(split.query, max_num_fields=50)
    except ValueError:
        return None
    return Address(host, tuple(part for part in split.path.split("/") if part), dict(reversed(pairs)))


def named(text: str, name: str) -> str | None:
    """What follows `name:` where somebody typed an id that way, else None."""
    word, colon, rest = text.strip().partition(":")
    return rest.strip() if colon and word.strip().lower() == name and not rest.startswith("//") else None


def plain(text: object, longest: int = TITLE_LONGEST) -> str:
    """A provider's words as one line of text, without signs nobody sees, cut to length; nothing for what is no text."""
    if not isinstance(text, str):
        return ""
    seen = "".join(
        " " if ch.isspace() else ch
        for ch in text[: longest * 4]
        if ch.isspace() or unicodedata.category(ch) not in _HIDDEN
    )
    return " ".join(unicodedata.normalize("NFC", seen).split())[:longest].rstrip()
