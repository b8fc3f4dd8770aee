"""The library: searching it, and adding what has been made or found."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from peewee import fn

from models import Job, Member, Track, rows
from party import shelf, tracks
from party.change import write
from party.clock import now_ms
from party.errors import Invalid
from party.views import Snapshot, TrackView

PAGE = 20
MOST_WORDS = 12
"""Each word is one more condition, and a database parses only so many."""
DEMO_JOB = "demo"
NUL = "\0"
"""The one sign that PostgreSQL takes in no text."""
ORDERINGS = {
    "title": (Track.title, Track.id),
    "artist": (fn.LOWER(Track.artist), Track.search, Track.id),
    "newest": (Track.added_at.desc(), Track.id.desc()),
    "oldest": (Track.added_at, Track.id),
    "duration": (Track.duration_ms, Track.id),
    "longest": (Track.duration_ms.desc(), Track.id.desc()),
}


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """A track, and where it stands on the room's line when it already waits there."""

    track: TrackView
    queue_position: int | None
    item_id: int | None


@dataclass(frozen=True, slots=True)
class LibraryView:
    """One page of the library. `making` is (done, total) while the demo library is being made.

    Only whoever has a seat in the room may listen to its tracks beforehand (`may_listen`).
    """

    rows: tuple[LibraryRow, ...]
    search: str
    genre: str
    genres: tuple[str, ...]
    ordering: str
    page: int
    has_more: bool
    total: int
    making: tuple[int, int] | None
    may_listen: bool


def browse(
    search: str, genre: str, ordering: str, page: int, room: Snapshot | None, user_id: int | None = None
) -> LibraryView:
    """Twenty tracks whose title, artist or album hold every word of `search`, blind to accents and case.

    For `room` it is shown where each stands on the line, what was brought there or by `user_id` is found too, and what
    the room does not take is left out.
    Words beyond the twelfth are not looked for.
    """
    if ordering not in ORDERINGS:
        raise Invalid("The library can be ordered by title, artist, newest, oldest, duration or longest.")
    if not 1 <= page <= 100_000:
        raise Invalid("There is no such page.")
    is_shown = _is_shown(room, user_id)
    query = Track.select().where(is_shown)
    for word in fold(search[:200]).split()[:MOST_WORDS]:
        query = query.where(Track.search.contains(word))
    if genre:
        query = query.where(Track.genre == genre.replace(NUL, ""))
    total = query.count()
    found = list(query.order_by(*_blind(ordering)).paginate(page, PAGE))
    places = places_of(room)
    genres = [name for (name,) in rows(_genres(is_shown)) if name]
    shown = tuple(LibraryRow(tracks.view_of(track), *places.get(track.id, (None, None))) for track in found)
    return LibraryView(
        rows=shown,
        search=search,
        genre=genre,
        genres=tuple(genres),
        ordering=ordering,
        page=page,
        has_more=page * PAGE < total,
        total=total,
        making=making(),
        may_listen=_has_seat(room, user_id),
    )


def _has_seat(room: Snapshot | None, user_id: int | None) -> bool:
    if room is None or user_id is None:
        return False
    return bool(
        Member.select()
        .where(Member.room == room.id, Member.user == user_id, Member.left_at.is_null())
        .exists()
    )


def _is_shown(room: Snapshot | None, user_id: int | None) -> Any:
    is_shown = ~Track.is_hidden & (Track.state == "ready") & shelf.shown(room.id if room else None, user_id)
    return is_shown if room is None or room.settings.explicit else is_shown & ~Track.is_explicit


def _genres(is_shown: Any) -> Any:
    return Track.select(Track.genre).where(is_shown).distinct().order_by(Track.genre)


def _blind(ordering: str) -> tuple[object, ...]:
    # The folded text starts with the title, so titles sort without regard to case or accents.
    return (Track.search, Track.id) if ordering == "title" else ORDERINGS[ordering]


def places_of(room: Snapshot | None) -> dict[int, tuple[int, int]]:
    """Where each track waits on the room's line, and the item it is. What the room put on by itself may be added."""
    if room is None:
        return {}
    return {
        item.track.id: (number, item.id) for number, item in enumerate(room.items, 1) if not item.is_filler
    }


def making() -> tuple[int, int] | None:
    """How far the demo library is, or None when it is not being made."""
    job = Job.get_or_none(Job.name == DEMO_JOB)
    return (job.done, job.total) if job and job.done < job.total else None


def report_demo(done: int, total: int) -> None:
    """How many pieces of the demo library are ready."""
    with write():
        Job.insert(name=DEMO_JOB, done=done, total=total, seen_at=now_ms()).on_conflict(
            conflict_target=[Job.name], update={Job.done: done, Job.total: total, Job.seen_at: now_ms()}
        ).execute()


def known_slugs() -> set[str]:
    """Slugs of the tracks that are there already."""
    return {slug for (slug,) in rows(Track.select(Track.slug))}


def add_track(
    *,
    slug: str,
    title: str,
    artist: str,
    album: str,
    genre: str,
    duration_ms: int,
    media_file: str,
    cover_file: str,
    hue: str,
) -> None:
    """Put a track into everybody's library; the same slug again changes nothing. Files are below the media folder."""
    with write():
        Track.insert(
            slug=slug,
            title=title,
            artist=artist,
            album=album,
            genre=genre,
            duration_ms=duration_ms,
            media_file=media_file,
            cover_file=cover_file,
            hue=hue,
            search=fold(f"{title} {artist} {album}"),
            added_at=now_ms(),
            is_listed=True,
            mime="audio/mpeg",
        ).on_conflict_ignore().execute()


def cover_of(track_id: int) -> str:
    """The cover's file below the media folder, or nothing."""
    track = Track.get_or_none(Track.id == track_id)
    return track.cover_file if track else ""


def fold(text: str) -> str:
    """Text as it is searched: compatibility forms apart, marks dropped, case folded, single spaces."""
    apart = unicodedata.normalize("NFKD", text).casefold()
    bare = "".join(ch for ch in apart if ch != NUL and not unicodedata.category(ch).startswith("M"))
    return " ".join(unicodedata.normalize("NFKC", bare).split())
