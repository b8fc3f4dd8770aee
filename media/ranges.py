"""Parts of a file that somebody asked for, and whether what they have is still the same: RFC 9110, sections 13 and 14.

Plain values in and out: headers as text, a size and a validator; nothing is read or sent here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

MOST_PARTS = 8
"""More parts than that (14.2: many small ranges) are answered with the whole file."""
MOST_OVERLAPS = 2
CRLF = b"\r\n"
_DIGITS_KEPT = 18
_SPEC = re.compile(r"([0-9]*)-([0-9]*)")
_ETAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class Unsatisfiable(Exception):
    """None of the parts is there (15.5.17)."""


@dataclass(frozen=True, slots=True)
class Validator:
    """What tells one content from another: a strong tag, and when it was last changed, in whole seconds."""

    tag: str
    changed_at: int

    @property
    def etag(self) -> str:
        return f'"{self.tag}"'

    @property
    def last_modified(self) -> str:
        return format_datetime(datetime.fromtimestamp(self.changed_at, UTC), usegmt=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """The headers of a request that matter here; None where it has none."""

    range: str | None = None
    if_range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


def precondition(asked: Asked, known: Validator) -> int | None:
    """304 or 412 where the request's conditions say so, in the order of 13.2.2; None to go on."""
    if asked.if_match is not None:
        if not _lists(asked.if_match, known, is_weak_enough=False):
            return 412
    elif asked.if_unmodified_since is not None:
        since = _date(asked.if_unmodified_since)
        if since is not None and known.changed_at > since:
            return 412
    if asked.if_none_match is not None:
        return 304 if _lists(asked.if_none_match, known, is_weak_enough=True) else None
    since = _date(asked.if_modified_since) if asked.if_modified_since is not None else None
    return 304 if since is not None and known.changed_at <= since else None


def spans(asked: Asked, size: int, known: Validator, now: int) -> list[Span] | None:
    """The parts to send for a GET, None for the whole file. `now` is in whole seconds. Raises Unsatisfiable."""
    if asked.range is None or (asked.if_range is not None and not _is_same(asked.if_range, known, now)):
        return None
    return parse(asked.range, size)


def parse(header: str, size: int) -> list[Span] | None:
    """The parts that a Range header asks for (14.1.1, 14.1.2), None where it is to be ignored. Raises Unsatisfiable.

    Parts that touch or overlap become one (15.3.7.2); what asks for too many, or overlaps too often, gets the whole.
    """
    unit, mark, listed = header.strip(" \t").partition("=")
    if not mark or unit.lower() != "bytes" or not size:
        return None
    # A list may hold empty elements, which a recipient passes over (5.6.1.2).
    words = [word for word in (part.strip(" \t") for part in listed.split(",")) if word]
    matches = [_SPEC.fullmatch(word) for word in words]
    if not words or any(match is None or match[0] == "-" for match in matches):
        return None
    pairs = [(_number(match[1]), _number(match[2])) for match in matches if match]
    if any(first is not None and last is not None and last < first for first, last in pairs):
        return None
    found = [span for span in (_within(first, last, size) for first, last in pairs) if span is not None]
    if not found:
        raise Unsatisfiable
    overlaps = sum(_overlap(one, other) for place, one in enumerate(found) for other in found[:place])
    if len(words) > MOST_PARTS or overlaps > MOST_OVERLAPS:
        return None
    return _joined(found)


def part_head(span: Span, size: int, mime: str, boundary: str) -> bytes:
    """What stands before one part of a multipart/byteranges answer (14.6)."""
    lines = (f"--{boundary}", f"Content-Type: {mime}", f"Content-Range: {content_range(span, size)}", "", "")
    return CRLF + CRLF.join(line.encode("ascii") for line in lines)


def tail(boundary: str) -> bytes:
    """What stands after the last part."""
    return CRLF + f"--{boundary}--".encode("ascii") + CRLF


def content_range(span: Span, size: int) -> str:
    """Which part of how much this is (14.4)."""
    return f"bytes {span.first}-{span.last}/{size}"


def _number(text: str) -> int | None:
    """Digits as a number; of one that is longer than any file, only that it is large."""
    if not text:
        return None
    bare = text.lstrip("0") or "0"
    return int(bare) if len(bare) <= _DIGITS_KEPT else int("9" * _DIGITS_KEPT)


def _within(first: int | None, last: int | None, size: int) -> Span | None:
    """The part as far as there is something, or None."""
    if first is None:
        return Span(max(0, size - (last or 0)), size - 1) if last else None
    if first >= size:
        return None
    return Span(first, size - 1 if last is None else min(last, size - 1))


def _overlap(one: Span, other: Span) -> bool:
    return one.first <= other.last and other.first <= one.last


def _joined(found: list[Span]) -> list[Span]:
    """One span for those that touch, where the first of them stood; otherwise in the order they were asked for."""
    kept: list[Span] = []
    for span in found:
        touching = [each for each in kept if each.first <= span.last + 1 and span.first <= each.last + 1]
        if not touching:
            kept.append(span)
            continue
        whole = [*touching, span]
        place = kept.index(touching[0])
        kept[place] = Span(min(each.first for each in whole), max(each.last for each in whole))
        kept = [each for each in kept if each not in touching[1:]]
    return kept


def _lists(header: str, known: Validator, *, is_weak_enough: bool) -> bool:
    """True when the tag is among those of the header, or it says any (8.8.3.2, 13.1.1, 13.1.2)."""
    if header.strip() == "*":
        return True
    return any(tag == known.tag and (is_weak_enough or not weak) for weak, tag in _ETAG.findall(header))


def _is_same(if_range: str, known: Validator, now: int) -> bool:
    """13.1.5: the very same strong tag, or the very same date where that was a strong validator (8.8.2.2)."""
    text = if_range.strip(" \t")
    if text.startswith(('"', "W/")):
        return text == known.etag
    return _date(text) == known.changed_at and known.changed_at < now


def _date(text: str) -> int | None:
    """An HTTP date in whole seconds, or None for what is none (13.1.3: then the header is ignored)."""
    try:
        moment = parsedate_to_datetime(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
