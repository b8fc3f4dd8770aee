"""JSPF (https://www.xspf.org/jspf), XSPF as JSON; and JSON of our own, which tells votes and times as well."""

from __future__ import annotations

import json
from typing import Any

from media.list_row import Listing, Row, made
from media.provider import Trouble

JSPF_MIME, JSPF_ENDING = "application/jspf+json", "jspf"
MIME, ENDING = "application/json", "json"
DEEPEST = 12
BROKEN = "That JSON file is broken. Save it once more and try again."
_OURS = ("tracks", "items", "entries", "songs")


def is_it(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def read(text: str) -> Listing:
    """JSPF, JSON of ours, or a bare list of objects with a title. Raises Trouble."""
    found = parse(text.lstrip("\ufeff"))
    if isinstance(found, dict) and isinstance(found.get("playlist"), dict):
        found = found["playlist"]
    name, rows = "", found
    if isinstance(found, dict):
        name = _text(found.get("title")) or _text(found.get("name"))
        rows = found.get("track") or next((found[key] for key in _OURS if key in found), [])
    if not isinstance(rows, list):
        raise Trouble(BROKEN)
    made_rows = (_row(each) for each in rows)
    return Listing([row for row in made_rows if row is not None], name)


def parse(text: str) -> Any:
    """JSON of bounded depth; numbers that are none are refused. Raises Trouble."""
    _refuse_deep(text)
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise Trouble(BROKEN) from error


def write_jspf(listing: Listing) -> str:
    tracks = []
    for row in listing.rows:
        facts: dict[str, Any] = {"title": row.title, "creator": row.artist, "album": row.album}
        facts = {name: value for name, value in facts.items() if value}
        if row.link:
            facts["location"] = [row.link]
        if row.duration_ms:
            facts["duration"] = row.duration_ms
        tracks.append(facts)
    playlist = ({"title": listing.name} if listing.name else {}) | {"track": tracks}
    return json.dumps({"playlist": playlist}, ensure_ascii=False, indent=1) + "\n"


def write(listing: Listing) -> str:
    tracks = [
        {
            "title": row.title,
            "artist": row.artist,
            "album": row.album,
            "duration_ms": row.duration_ms,
            "url": row.link,
            "votes": row.votes,
            "added_by": row.added_by,
            "added_at": row.added_at,
        }
        for row in listing.rows
    ]
    total = sum(row.duration_ms for row in listing.rows)
    whole = {"name": listing.name, "count": len(tracks), "duration_ms": total, "tracks": tracks}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _row(facts: Any) -> Row | None:
    if not isinstance(facts, dict):
        return made(facts) if isinstance(facts, str) else None
    link = facts.get("location") or facts.get("url") or facts.get("link")
    if isinstance(link, list):
        link = next((each for each in link if isinstance(each, str)), "")
    length = next((facts[key] for key in ("duration", "duration_ms") if _is_length(facts.get(key))), 0)
    return made(
        _text(facts.get("title")) or _text(facts.get("name")),
        _text(facts.get("creator")) or _text(facts.get("artist")),
        _text(facts.get("album")),
        length,
        _text(link),
    )


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _refuse_deep(text: str) -> None:
    # The parser recurses with the depth of what it reads, so that is counted first.
    depth, is_quoted, is_escaped = 0, False, False
    for sign in text:
        if is_escaped:
            is_escaped = False
        elif is_quoted:
            is_escaped, is_quoted = sign == "\\", sign != '"'
        elif sign == '"':
            is_quoted = True
        elif sign in "[{":
            depth += 1
            if depth > DEEPEST:
                raise Trouble(BROKEN)
        elif sign in "]}":
            depth -= 1


def _whole(digits: str) -> int:
    return int(digits) if len(digits) < 20 else 0


def _no_constant(name: str) -> float:
    raise ValueError(name)
