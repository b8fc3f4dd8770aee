"""What direct links and HLS links share: how they are written and named, and what a refusal of theirs means."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

from config import Settings
from media.net_address import LONGEST, NOT_THERE, Address, parse
from media.pasted import plain
from media.provider import Trouble

GONE = "There is nothing at that address."
LOCKED = "That address asks for a password."
NOT_NOW = "That site cannot answer just now."
REFUSED = "That site would not give it to us."

# Names that say what a file is for and not what it is.
_NAMELESS = re.compile(
    r"(?:index|master|playlist|manifest|main|chunklist|prog_index|stream|video|audio|media)[_0-9-]*", re.I
)


def looks_like_one(text: str) -> bool:
    """True for what somebody meant as a web address."""
    return re.match(r"https?://", text.strip(), re.I) is not None


def address_of(text: str, settings: Settings) -> Address:
    """Where a pasted link leads. Raises Trouble; hosts of the house are for its own sources, not for links."""
    address = parse(text.strip(), settings)
    # It has grown by what had to be quoted.
    if address.is_listed or len(address.url) > LONGEST:
        raise Trouble(NOT_THERE)
    return address


def key_of(address: Address) -> str:
    """One key for one thing, however its address is written."""
    return f"u-{hashlib.sha256(address.url.encode()).hexdigest()[:32]}"


def extension_of(url: str) -> str:
    """What follows the last dot of the file's name, in lower case; nothing where there is none."""
    name = url.partition("?")[0].partition("://")[2].partition("/")[2].rpartition("/")[2]
    found = re.search(r"[^.]\.([A-Za-z0-9]{1,5})$", name)
    return found[1].lower() if found and not found[1].isdigit() else ""


def title_of(address: Address) -> str:
    """The file's name in words; its folder's where it says nothing, the site's where there is no other."""
    for part in reversed(address.target.partition("?")[0].split("/")[-2:]):
        name = unquote(part, errors="replace")
        stem = re.sub(r"(?<=[^.])\.[A-Za-z0-9]{1,5}$", "", name)
        words = plain(stem.replace("_", " ").replace("+", " "))
        if re.search(r"\w", words) and not _NAMELESS.fullmatch(stem):
            return words
    return address.host


def check_status(status: int) -> None:
    """Raises Trouble for what is neither the thing nor a part of it."""
    if status in (200, 206):
        return
    if status in (404, 410):
        raise Trouble(GONE)
    if status in (401, 402, 403, 407):
        raise Trouble(LOCKED)
    if status in (408, 425, 429) or status >= 500:
        raise Trouble(NOT_NOW, again=True)
    raise Trouble(REFUSED)
