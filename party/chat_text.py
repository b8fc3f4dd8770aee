"""What people type, as it is kept: signs cleaned, letters counted as people see them, links and names found.

Letters are counted as extended grapheme clusters (UAX #29, without the rule for Indic conjuncts, so that such a text
counts a little longer rather than shorter).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from party.errors import Invalid
from party.names import MARKS_MOST

LONGEST_RAW = 4_000
"""More characters than this are refused before any work is done with them."""
LONGEST = 500
NEWLINES_MOST = 5
MENTIONS_MOST = 20
ZWJ, VARIATION = "\u200d", "\ufe0f"

_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn")
# Letters and symbols that show nothing: a message of them would be an empty line.
_UNSEEN = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_TAGS = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f")
_LINK = re.compile(r"https?://[^\s<>\"“”„‘’`{}|\\^]+", re.IGNORECASE)
_HOST = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a message: plain `text`, and where it leads (`url`) or whose name it is (`mention`, a seat's id)."""

    text: str
    url: str = ""
    mention: int = 0


def clean_message(text: str) -> str:
    """A message as kept: NFC, nothing that nobody sees, few marks, few lines. Raises Invalid when blank or too long."""
    if len(text) > LONGEST_RAW:
        raise Invalid(f"That is too long. Up to {LONGEST} letters fit into a message.")
    kept = _lines(
        unicodedata.normalize("NFC", _with_few_marks(_seen(text.replace("\r\n", "\n").replace("\r", "\n"))))
    )
    if not kept.replace(VARIATION, "").strip():
        raise Invalid("There is nothing to say yet. Type a word first.")
    length = letters(kept)
    if length > LONGEST:
        raise Invalid(f"That is {length - LONGEST} letters too long. Up to {LONGEST} fit into a message.")
    return kept


def letters(text: str) -> int:
    """How many letters people see: extended grapheme clusters."""
    count, before, flags, is_joined = 0, "", 0, False
    has_picture = False
    for ch in text:
        kind = _break_kind(ch)
        is_same = _belongs(before, kind, flags, is_joined)
        count += not is_same
        flags = flags + 1 if kind == "flag" and (is_same or flags == 0) else int(kind == "flag")
        is_joined = kind == "zwj" and has_picture
        has_picture = kind == "picture" or (has_picture and kind in ("extend", "zwj"))
        before = kind
    return count


def segments(text: str, names: Iterable[tuple[int, str]] = ()) -> tuple[Segment, ...]:
    """The text in stretches: links, the names of those who were meant, and what lies between."""
    found: list[Segment] = []
    for piece, url in _links(text):
        found += [Segment(piece, url=url)] if url else list(_named(piece, list(names)))
    return tuple(found)


def mentioned(text: str, names: Iterable[tuple[int, str]]) -> list[int]:
    """The seats whose name stands after an @, longest names first, in the order of the text."""
    wanted = list(names)
    ids = [
        part.mention
        for piece, url in _links(text)
        if not url
        for part in _named(piece, wanted)
        if part.mention
    ]
    return list(dict.fromkeys(ids))[:MENTIONS_MOST]


def _seen(text: str) -> str:
    """The text without what is invisible or unassigned; emoji keep what joins them, lines their ends."""
    flags = {place for match in _TAGS.finditer(text) for place in range(match.start(), match.end())}
    return "".join(_kept(text, place, place in flags) for place in range(len(text)))


def _kept(text: str, place: int, is_flag: bool) -> str:
    """What becomes of one character: itself, a space, or nothing."""
    ch = text[place]
    category = unicodedata.category(ch)
    if ch == "\n" or is_flag:
        return ch
    if ch == "\t" or category in ("Zl", "Zp"):
        return " "
    if ch == ZWJ:
        return ch if _joins_pictures(text, place) else ""
    is_shown = ch not in _UNSEEN and (category not in _DROPPED or _is_new_picture(ch))
    return ch if is_shown else ""


def _joins_pictures(text: str, place: int) -> bool:
    before = place - 1
    while before >= 0 and place - before < 4 and _break_kind(text[before]) == "extend":
        before -= 1
    is_after = before >= 0 and _break_kind(text[before]) == "picture"
    return is_after and place + 1 < len(text) and _break_kind(text[place + 1]) == "picture"


def _is_new_picture(ch: str) -> bool:
    """An emoji younger than the tables of this Python."""
    return "\U0001f000" <= ch <= "\U0001faff"


def _with_few_marks(text: str) -> str:
    kept, marks = [], 0
    for ch in text:
        marks = marks + 1 if unicodedata.category(ch) in ("Mn", "Me") else 0
        if marks <= MARKS_MOST:
            kept.append(ch)
    return "".join(kept)


def _lines(text: str) -> str:
    """Single spaces, no spaces at the ends of lines, at most one empty line together, and few lines."""
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    kept = [line for number, line in enumerate(lines) if line or lines[number - 1]]
    if len(kept) > NEWLINES_MOST + 1:
        kept = [*kept[:NEWLINES_MOST], " ".join(line for line in kept[NEWLINES_MOST:] if line)]
    return "\n".join(kept).strip()


def _links(text: str) -> Iterator[tuple[str, str]]:
    """Stretches of the text with the address each leads to, empty where it is no link."""
    end = 0
    for match in _LINK.finditer(text):
        url = match[0].rstrip(".,;:!?'*_~")
        # A bracket belongs to the sentence unless it was opened inside the address.
        while url.endswith((")", "]")) and url.count(url[-1]) > url.count({")": "(", "]": "["}[url[-1]]):
            url = url[:-1].rstrip(".,;:!?'*_~")
        if not _HOST.match(url):
            continue
        if match.start() > end:
            yield text[end : match.start()], ""
        yield url, url
        end = match.start() + len(url)
    if end < len(text):
        yield text[end:], ""


def _named(text: str, names: list[tuple[int, str]]) -> Iterator[Segment]:
    start = place = looked = 0
    while names and looked < MENTIONS_MOST and (place := text.find("@", place)) >= 0:
        looked += 1
        found = None if place and text[place - 1].isalnum() else _name_at(text, place + 1, names)
        if found is None:
            place += 1
            continue
        member_id, length = found
        if place > start:
            yield Segment(text[start:place])
        yield Segment(text[place : place + 1 + length], mention=member_id)
        start = place = place + 1 + length
    if start < len(text):
        yield Segment(text[start:])


def _name_at(text: str, place: int, names: list[tuple[int, str]]) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    for member_id, name in names:
        end = place + len(name)
        is_whole = end >= len(text) or not text[end].isalnum()
        if (
            is_whole
            and (best is None or len(name) > best[1])
            and text[place:end].casefold() == name.casefold()
        ):
            best = member_id, len(name)
    return best


# Where letters end, after UAX #29.


def _belongs(before: str, kind: str, flags: int, is_joined: bool) -> bool:
    """True when a character of this kind goes on with the letter before it."""
    if not before:
        return False
    if before == "control" or kind == "control":
        return False
    if kind in ("extend", "zwj", "mark"):
        return True
    if kind == "picture":
        return is_joined
    if kind == "flag":
        return before == "flag" and flags % 2 == 1
    if before == "L":
        return kind in ("L", "V", "LV", "LVT")
    if before in ("LV", "V"):
        return kind in ("V", "T")
    return before in ("LVT", "T") and kind == "T"


def _break_kind(ch: str) -> str:
    point = ord(ch)
    if point < 0xA9:
        return "control" if point < 0x20 or point == 0x7F else "other"
    if ch == ZWJ:
        return "zwj"
    if 0x1F3FB <= point <= 0x1F3FF or 0xE0020 <= point <= 0xE007F or point == 0x200C:
        return "extend"
    if 0x1F1E6 <= point <= 0x1F1FF:
        return "flag"
    if _is_picture(point):
        return "picture"
    if 0x1100 <= point <= 0x11FF or 0xA960 <= point <= 0xA97C or 0xAC00 <= point <= 0xD7FB:
        return _hangul_kind(point)
    category = unicodedata.category(ch)
    if category in ("Mn", "Me"):
        return "extend"
    if category == "Mc":
        return "mark"
    return "control" if category in ("Cc", "Zl", "Zp") else "other"


def _is_picture(point: int) -> bool:
    """Roughly Extended_Pictographic: it only matters where a joiner stands between two of them."""
    if point in (0xA9, 0xAE, 0x203C, 0x2049, 0x2122, 0x2139, 0x3030, 0x303D, 0x3297, 0x3299):
        return True
    blocks = ((0x2194, 0x21AA), (0x231A, 0x23FF), (0x25AA, 0x27BF), (0x2934, 0x2935), (0x2B05, 0x2B55))
    return any(low <= point <= high for low, high in blocks) or 0x1F000 <= point <= 0x1FAFF


def _hangul_kind(point: int) -> str:
    if 0xAC00 <= point <= 0xD7A3:
        return "LVT" if (point - 0xAC00) % 28 else "LV"
    if 0x1100 <= point <= 0x115F or 0xA960 <= point <= 0xA97C:
        return "L"
    if 0x1160 <= point <= 0x11A7 or 0xD7B0 <= point <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= point <= 0x11FF or 0xD7CB <= point <= 0xD7FB else "other"
