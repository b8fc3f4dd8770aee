"""XSPF, version 1: https://www.xspf.org/spec. Files that declare a DOCTYPE or an entity are refused."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

from media.list_row import Listing, Row, made
from media.provider import Trouble

MIME, ENDING = "application/xspf+xml", "xspf"
SPACE = "http://xspf.org/ns/0/"
DEEPEST = 20
_FIELDS = {
    "title": "title",
    "creator": "artist",
    "album": "album",
    "duration": "duration",
    "location": "link",
}
_ADDRESS = re.compile(r"[^\x21-\x7e]|[<>\"{}|\\^`]")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BROKEN = "That XSPF file is broken. Save it once more and try again."
HOSTILE = "That XSPF file defines its own entities, and such files are not read here."


def is_it(text: str) -> bool:
    start = text.lstrip("\ufeff \t\r\n")[:2_000]
    return start.startswith("<?xml") or "<playlist" in start


def read(text: str) -> Listing:
    """The tracks of the file and its title. Raises Trouble."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text.lstrip("\ufeff \t\r\n"), True)
    except expat.ExpatError as error:
        raise Trouble(BROKEN) from error
    return Listing(reader.rows, reader.name.strip())


def write(listing: Listing) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<playlist version="1" xmlns="{SPACE}">']
    if listing.name:
        lines.append(f"  <title>{_text(listing.name)}</title>")
    lines.append("  <trackList>")
    for row in listing.rows:
        facts = [
            ("location", _address(row.link)),
            ("title", row.title),
            ("creator", row.artist),
            ("album", row.album),
            ("duration", str(row.duration_ms) if row.duration_ms else ""),
        ]
        inner = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in facts if value)
        lines.append(f"    <track>{inner}</track>")
    return "\n".join([*lines, "  </trackList>", "</playlist>", ""])


class _Reader:
    """Takes the elements of XSPF by their names, in its namespace or in none."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.name = ""
        self._path: list[str] = []
        self._track: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2])
        if len(self._path) > DEEPEST:
            raise Trouble(BROKEN)
        if self._path[-1] == "track":
            self._track = {}

    def end(self, name: str) -> None:
        if self._path == ["playlist", "trackList", "track"]:
            known = self._track
            length = known.get("duration", "").strip()
            is_number = length.isascii() and length.isdigit() and len(length) < 12
            row = made(
                known.get("title", ""),
                known.get("artist", ""),
                known.get("album", ""),
                int(length) if is_number else 0,
                known.get("link", ""),
            )
            self.rows += [row] if row else []
        self._path.pop()

    def text(self, text: str) -> None:
        if self._path == ["playlist", "title"]:
            self.name += text
        elif self._path[:-1] == ["playlist", "trackList", "track"]:
            name = _FIELDS.get(self._path[-1])
            if name:
                self._track[name] = self._track.get(name, "") + text


def _refuse(*_: Any) -> int:
    raise Trouble(HOSTILE)


def _text(text: str) -> str:
    # A bare carriage return would come back as a line feed.
    return escape(_NO_XML.sub("", text), {"\r": "&#13;"})


def _address(link: str) -> str:
    """As a URI: anything a URI may not hold is escaped, and what is escaped already stays."""
    return _ADDRESS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), link)
