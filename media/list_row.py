"""One line of a playlist file as plain values, whatever the file's format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from media.provider import Trouble

MOST_ROWS = 2_000
LONGEST_TEXT, LONGEST_LINK = 1_000, 2_000
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Row:
    """A track as a file names it. `duration_ms` 0 is not said, `link` an address or empty.

    `votes`, `added_by` and `added_at` (ISO 8601) are written where they are known, and never read back.
    """

    title: str
    artist: str = ""
    album: str = ""
    duration_ms: int = 0
    link: str = ""
    votes: int | None = field(default=None, compare=False)
    added_by: str = field(default="", compare=False)
    added_at: str = field(default="", compare=False)

    @property
    def words(self) -> str:
        """Artist and title on one line."""
        return (
            " ".join(f"{self.artist} – {self.title}".split()) if self.artist else " ".join(self.title.split())
        )


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file holds: its rows, and a name where it has one."""

    rows: Sequence[Row]
    name: str = ""


def made(title: str, artist: str = "", album: str = "", duration_ms: float = 0, link: str = "") -> Row | None:
    """A row from what a file says; None for one that names nothing."""
    title, artist, album, link = (text.strip() for text in (title, artist, album, link))
    if not title and not link:
        return None
    title = title or _name_of(link)
    is_sane = 0 < duration_ms < DAY_MS
    return Row(
        title[:LONGEST_TEXT],
        artist[:LONGEST_TEXT],
        album[:LONGEST_TEXT],
        int(duration_ms) if is_sane else 0,
        link if len(link) <= LONGEST_LINK else "",
    )


def bounded(rows: Sequence[Row]) -> list[Row]:
    """The rows, unless they are none or too many. Raises Trouble."""
    if not rows:
        raise Trouble("No tracks were found in that. Is it a playlist?")
    if len(rows) > MOST_ROWS:
        raise Trouble(f"That list has more than {MOST_ROWS} tracks. Bring it in parts.")
    return list(rows)


def clock(duration_ms: int) -> str:
    """h:mm:ss, or m:ss."""
    seconds = round(duration_ms / 1000)
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def from_clock(text: str) -> int:
    """Milliseconds from m:ss, h:mm:ss or a number of seconds; 0 for anything else."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(_is_number(part) for part in parts):
        return 0
    total = 0.0
    for part in parts:
        total = total * 60 + float(part)
    return round(total * 1000) if total < DAY_MS / 1000 else 0


def _is_number(text: str) -> bool:
    whole, _, rest = text.partition(".")
    return (
        whole.isascii()
        and whole.isdigit()
        and len(whole) < 8
        and (not rest or (rest.isascii() and rest.isdigit()))
    )


def _name_of(link: str) -> str:
    """What to call an address that came without words: its last piece."""
    bare = link.split("?")[0].split("#")[0].replace("\\", "/").rstrip("/")
    return bare.rsplit("/", 1)[-1].rsplit(".", 1)[0] or link
