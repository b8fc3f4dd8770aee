"""CSV (RFC 4180) with a header: ten columns of ours; read with any of the names that other programs give theirs.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection); on reading that apostrophe goes again, so nothing is lost, and
a cell that starts with a formula's sign is text like any other.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from media.list_row import Listing, Row, clock, from_clock, made
from media.provider import Trouble

MIME, ENDING = "text/csv", "csv"
COLUMNS = (
    "position", "title", "artist", "album", "duration", "duration_ms", "votes", "added_by", "added_at", "url",
)  # fmt: skip
_NAMES = {
    "title": ("title", "track name", "track", "song", "song name", "name", "titel", "titre", "título"),
    "artist": (
        "artist",
        "artist name(s)",
        "artist name",
        "artists",
        "creator",
        "performer",
        "interpret",
        "artiste",
    ),
    "album": ("album", "album name", "release"),
    "duration_ms": ("duration_ms", "duration (ms)", "track duration (ms)", "duration ms", "length_ms"),
    "duration": ("duration", "length", "time", "dauer", "seconds", "duration (s)"),
    "url": (
        "url",
        "link",
        "location",
        "uri",
        "track url",
        "address",
        "spotify uri",
        "track uri",
        "path",
        "file",
    ),
}
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_ESCAPED = re.compile("'+[=+\\-@\t\r\n＝＋－＠]")


def is_it(text: str) -> bool:
    header = next(iter(text.lstrip("\ufeff").splitlines()), "")
    return bool(
        _columns(next(csv.reader([header], delimiter=_delimiter(header)), [])).get("title") is not None
    )


def read(text: str) -> Listing:
    """Rows by their header. Raises Trouble where no column is called title."""
    text = text.lstrip("\ufeff")
    header = next(iter(text.splitlines()), "")
    try:
        cells = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(header)))
    except csv.Error as error:
        raise Trouble("That CSV file is broken. Save it once more and try again.") from error
    columns = _columns(cells[0]) if cells else {}
    if "title" not in columns:
        raise Trouble("That CSV file needs a first line that says which column is the title.")
    rows = (_row(line, columns) for line in cells[1:])
    return Listing([row for row in rows if row is not None])


def write(listing: Listing) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, row in enumerate(listing.rows, 1):
        facts = (
            row.title,
            row.artist,
            row.album,
            clock(row.duration_ms) if row.duration_ms else "",
            str(row.duration_ms or ""),
            "" if row.votes is None else str(row.votes),
            row.added_by,
            row.added_at,
            row.link,
        )
        writer.writerow([str(number), *(_armed(fact) for fact in facts)])
    return out.getvalue()


def _row(cells: Sequence[str], columns: dict[str, int]) -> Row | None:
    def cell(name: str) -> str:
        at = columns.get(name, -1)
        return _disarmed(cells[at]) if 0 <= at < len(cells) else ""

    length = cell("duration_ms").strip()
    exact = int(length) if length.isascii() and length.isdigit() and len(length) < 12 else 0
    return made(
        cell("title"), cell("artist"), cell("album"), exact or from_clock(cell("duration")), cell("url")
    )


def _columns(header: Sequence[str]) -> dict[str, int]:
    heads = [_disarmed(cell).strip().casefold() for cell in header]
    found = {}
    for column, names in _NAMES.items():
        at = next((heads.index(name) for name in names if name in heads), None)
        if at is not None:
            found[column] = at
    return found


def _delimiter(header: str) -> str:
    return max(",;\t", key=lambda sign: (header.count(sign), sign == ","))


def _armed(cell: str) -> str:
    # A number below zero is no formula to be afraid of, but one rule for all is easier to trust.
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _disarmed(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell
