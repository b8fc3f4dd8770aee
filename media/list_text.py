"""Plain text: one track a line, “artist – title”, as people write and paste it."""

from __future__ import annotations

import re

from media.list_row import Listing, Row, clock, from_clock, made

MIME, ENDING = "text/plain", "txt"
_NUMBER = re.compile(r"^\s*(?:\d{1,4}\s*[.)]\s+|[-*•]\s+)")
_LENGTH = re.compile(r"\s*[(\[]?\b(\d{1,2}:\d{2}(?::\d{2})?)[)\]]?\s*$")
_DASH = re.compile(r"\s+[-–—−]\s+|\s*[–—]\s*")
_LINK = re.compile(r"https?://\S+", re.I)


def read(text: str) -> Listing:
    """Every line that names something; lines that begin with # are remarks."""
    found = (_row(line) for line in text.splitlines() if not line.lstrip("\ufeff").startswith("#"))
    return Listing([row for row in found if row is not None])


def write(listing: Listing) -> str:
    """For the clipboard as well: the name with the count and the total time, then the lines."""
    total = clock(sum(row.duration_ms for row in listing.rows))
    count = len(listing.rows)
    words = " ".join(listing.name.split())
    head = f"# {words}{': ' if words else ''}{count} {'track' if count == 1 else 'tracks'}, {total}"
    lines = [
        f"{number}. {row.words}{f' ({clock(row.duration_ms)})' if row.duration_ms else ''}"
        for number, row in enumerate(listing.rows, 1)
    ]
    return "\n".join([head, *lines, ""])


def _row(line: str) -> Row | None:
    line = line.strip("\ufeff \t\r")
    link = _LINK.search(line)
    if link:
        line = (line[: link.start()] + line[link.end() :]).strip(" \t-–—|")
    line = _NUMBER.sub("", line)
    length = _LENGTH.search(line)
    if length and length.start():
        line = line[: length.start()].rstrip(" \t-–—")
    parts = [part for part in _DASH.split(line, maxsplit=1) if part]
    artist, title = parts if len(parts) == 2 else ("", line)
    return made(title, artist, "", from_clock(length[1]) if length else 0, link[0] if link else "")
