"""M3U and M3U8 (https://en.wikipedia.org/wiki/M3U): #EXTINF as in RFC 8216 4.3.2.1, #EXTART, #EXTALB and #PLAYLIST.

What a line of that format cannot hold (line breaks, a track without an address) stands beside it in a remark of ours,
#PARTYLINE:{json}, that other programs pass over.
"""

from __future__ import annotations

import json
import re
from typing import Any

from media.list_row import Listing, Row, made

MIME, ENDING = "audio/x-mpegurl", "m3u8"
REMARK = "#PARTYLINE:"
_INFO = re.compile(r"#EXTINF:\s*(-?\d{1,9}(?:\.\d{1,9})?)([^,]*),?(.*)", re.I)
_SPLIT = re.compile(r"\s+[-–—]\s+")
_FIELDS = ("title", "artist", "album", "link")


def is_it(text: str) -> bool:
    return text.lstrip().upper().startswith(("#EXTM3U", "#EXTINF"))


def read(text: str) -> Listing:
    """The entries of the file, and the name that #PLAYLIST gives it."""
    rows: list[Row] = []
    name = ""
    told: dict[str, Any] = {}
    for line in text.splitlines():
        line = line.strip("\ufeff \t\r")
        upper = line.upper()
        if upper.startswith("#PLAYLIST:"):
            name = line.partition(":")[2].strip()
        elif upper.startswith("#EXTINF:"):
            told |= _info(line)
        elif upper.startswith("#EXTART:"):
            told["artist"] = line.partition(":")[2]
        elif upper.startswith("#EXTALB:"):
            told["album"] = line.partition(":")[2]
        elif line.startswith(REMARK):
            told |= _remark(line)
            if "link" in told:
                rows += filter(None, [_row(told, told["link"])])
                told = {}
        elif line and not line.startswith("#"):
            rows += filter(None, [_row(told, line)])
            told = {}
    return Listing(rows, name)


def write(listing: Listing) -> str:
    """The file. Titles are on one line for others, and whole for us."""
    lines = ["#EXTM3U", *([f"#PLAYLIST:{_flat(listing.name)}"] if listing.name else [])]
    for row in listing.rows:
        lines += _lines(row)
    return "\n".join(lines) + "\n"


def _lines(row: Row) -> list[str]:
    if not row.link or _flat(row.link) != row.link or row.link.startswith("#"):
        # No player can do anything with it: it is kept for whoever reads the list here again.
        return [_remarked(row, with_link=True)]
    seconds = f"{row.duration_ms / 1000:.3f}".rstrip("0").rstrip(".") if row.duration_ms else "-1"
    lines = [f"#EXTINF:{seconds},{_flat(row.words)}"]
    if row.artist:
        lines.append(f"#EXTART:{_flat(row.artist)}")
    if row.album:
        lines.append(f"#EXTALB:{_flat(row.album)}")
    again = read("\n".join([*lines, row.link])).rows
    if list(again) != [row]:
        lines.append(_remarked(row, with_link=False))
    return [*lines, row.link]


def _remarked(row: Row, *, with_link: bool) -> str:
    facts = {
        name: getattr(row, name) for name in _FIELDS if getattr(row, name) and (with_link or name != "link")
    }
    if with_link:
        facts |= {"link": row.link, "duration_ms": row.duration_ms}
    return REMARK + json.dumps(facts, ensure_ascii=True, separators=(",", ":"))


def _info(line: str) -> dict[str, Any]:
    found = _INFO.match(line)
    if found is None:
        return {"words": line.partition(",")[2]}
    return {"duration_ms": round(max(0.0, float(found[1])) * 1000), "words": found[3]}


def _remark(line: str) -> dict[str, Any]:
    try:
        facts = json.loads(line[len(REMARK) :]) if len(line) < 10_000 else None
    except (ValueError, RecursionError):
        return {}
    if not isinstance(facts, dict):
        return {}
    known = {name: facts[name] for name in _FIELDS if isinstance(facts.get(name), str)}
    length = facts.get("duration_ms")
    return known | (
        {"duration_ms": length} if isinstance(length, int) and not isinstance(length, bool) else {}
    )


def _row(told: dict[str, Any], link: str) -> Row | None:
    artist, title = told.get("artist", ""), told.get("title", "")
    if not title:
        artist, title = _apart(told.get("words", "").strip(), artist.strip())
    return made(title, artist, told.get("album", ""), told.get("duration_ms", 0), link)


def _apart(words: str, artist: str) -> tuple[str, str]:
    """Artist and title of “artist – title”, where the artist may be known already."""
    if artist:
        start = re.match(re.escape(_flat(artist)) + _SPLIT.pattern, words)
        return artist, words[start.end() :] if start else words
    parts = _SPLIT.split(words, maxsplit=1)
    return (parts[0], parts[1]) if len(parts) == 2 else ("", words)


def _flat(text: str) -> str:
    # Everything that str.splitlines() takes for the end of a line.
    return " ".join(text.split())
