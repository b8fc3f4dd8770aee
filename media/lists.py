"""Playlist files: which format one has, what it holds, and writing one. Text in and out; no network, no database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from media import list_csv, list_json, list_m3u, list_text, list_xspf
from media.charsets import text_of
from media.list_row import MOST_ROWS, Listing, Row, bounded
from media.provider import Trouble

__all__ = [
    "FORMATS",
    "MOST_BYTES",
    "MOST_ROWS",
    "TOO_MUCH",
    "Format",
    "Listing",
    "Row",
    "decoded",
    "read",
    "write",
]

MOST_BYTES = 2_000_000
TOO_MUCH = f"That is too much for a playlist. Up to {MOST_BYTES // 1_000_000} MB fit."


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. `title` is what people call it."""

    title: str
    mime: str
    ending: str
    write: Callable[[Listing], str]


FORMATS = {
    "m3u8": Format("M3U8", list_m3u.MIME, list_m3u.ENDING, list_m3u.write),
    "xspf": Format("XSPF", list_xspf.MIME, list_xspf.ENDING, list_xspf.write),
    "jspf": Format("JSPF", list_json.JSPF_MIME, list_json.JSPF_ENDING, list_json.write_jspf),
    "csv": Format("CSV", list_csv.MIME, list_csv.ENDING, list_csv.write),
    "json": Format("JSON", list_json.MIME, list_json.ENDING, list_json.write),
    "txt": Format("Text", list_text.MIME, list_text.ENDING, list_text.write),
}


def read(data: bytes | str) -> Listing:
    """What the file holds, by its content and not by its name. Raises Trouble with a sentence."""
    if len(data) > MOST_BYTES:
        raise Trouble(TOO_MUCH)
    text = decoded(data) if isinstance(data, bytes) else data
    for is_it, reader in (
        (list_m3u.is_it, list_m3u.read),
        (list_xspf.is_it, list_xspf.read),
        (list_json.is_it, list_json.read),
        (list_csv.is_it, list_csv.read),
    ):
        if is_it(text):
            found = reader(text)
            break
    else:
        found = list_text.read(text)
    return Listing(bounded(found.rows), found.name[:1_000])


def write(listing: Listing, name: str) -> str:
    """The listing in the format of that name."""
    return FORMATS[name].write(listing)


def decoded(data: bytes) -> str:
    """The text of a file, whatever it is written in. Raises Trouble for what is none."""
    text = text_of(data)
    if "\0" in text:
        raise Trouble("That is no playlist: it is no text.")
    return text
