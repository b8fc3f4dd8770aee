"""Files that people brought: who may have one, how much they hold, and when one is given up for good.

A file is given up once nobody holds its track any more; whoever still keeps it in a playlist then comes to hold it
and carries it, with what that takes of their share. Names only: the files themselves are the worker's
(tasks/storing.py), after the commit.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from peewee import fn

from models import (
    Holding,
    Item,
    Playlist,
    PlaylistEntry,
    Room,
    Subtitle,
    Suggestion,
    Track,
    Upload,
    User,
    locking,
    rows,
)
from party import lookups, playback, shelf, tracks, work
from party.change import CLOCK, Person, change, write
from party.clock import now_ms
from party.errors import NotFound, Over

GONE = "Its file was deleted."
NO_TRACK = "That track is not in the library."
UNDO_MS = 86_400_000
"""What was taken off a playlist so lately may still be put back."""
COVER_SIZES = (640, 320, 96)
NAMED_AT_ONCE = 200
UPLOADS_UNDER_WAY = ("receiving", "checking")
PAGE = 50


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file that somebody brought, and when they did so last."""

    track_id: int
    title: str
    artist: str
    size_bytes: int
    brought_at: int


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """Some of the files that somebody brought, the latest first. `page` counts from 1; `total` is of all pages."""

    rows: tuple[OwnFile, ...]
    page: int
    total: int

    @property
    def has_more(self) -> bool:
        """True when there are older ones."""
        return self.page * PAGE < self.total


def file_of(track_id: int, marked: str, kind: str) -> tuple[str, str]:
    """A track's file, opus or cover below the media folder, and its type, to whoever has the address with its mark.

    A cover that is not made yet has no name. Raises NotFound.
    """
    track = Track.get_or_none(Track.id == track_id)
    if track is None:
        raise NotFound(NO_TRACK)
    facts = (track.id, track.media_file, track.cover_file, track.added_at)
    if not tracks.is_marked(marked, *facts, *(("cover",) if kind == "cover" else ())):
        raise NotFound(NO_TRACK)
    found: tuple[str, str] = {
        "file": (track.media_file, track.mime),
        "opus": (track.opus_file, "audio/ogg"),
        "cover": (track.cover_file, "image/webp"),
    }[kind]
    if not found[0] and kind != "cover":
        raise NotFound("That track has no such file.")
    return found


def cover_names(cover_file: str) -> list[str]:
    """A cover's files: three where it was made in sizes, else the one."""
    if not cover_file:
        return []
    stem = cover_file.removesuffix(f"-{COVER_SIZES[0]}.webp")
    return [f"{stem}-{size}.webp" for size in COVER_SIZES] if stem != cover_file else [cover_file]


def is_brought() -> tuple[Any, ...]:
    """The condition that a track has a file that somebody brought."""
    return ~Track.is_listed, Track.media_file != ""


def held_by_person(user_id: int) -> int:
    """The bytes of all that a person brought, each file once."""
    return _held(Holding.user == user_id)


def held_by_room(room_id: int) -> int:
    """The bytes of all that was brought into a room, each file once."""
    return _held(Holding.room == room_id)


def counted_for_person(user_id: int) -> int:
    """The same with what is on its way from them: what counts against their share."""
    # What is on its way is counted first: what arrives in between counts twice rather than not at all.
    coming = _coming(Upload.user == user_id)
    return coming + held_by_person(user_id)


def counted_for_room(room_id: int) -> int:
    """The same with what is on its way into it: what counts against its share."""
    coming = _coming(Upload.room == room_id)
    return coming + held_by_room(room_id)


def find_own(actor: Person, page: int = 1) -> OwnFiles:
    """The files somebody brought and may give up again; of pages that are not there the last."""
    last = fn.MAX(Holding.added_at)
    found = (
        Track.select(Track.id, Track.title, Track.artist, Track.size_bytes, last)
        .join(Holding)
        .where(Holding.user == actor.user_id, *is_brought())
        .group_by(Track.id)
    )
    total = found.count()
    page = max(1, min(page, -(-total // PAGE)))
    shown = rows(found.order_by(last.desc(), Track.id.desc()).paginate(page, PAGE))
    return OwnFiles(tuple(OwnFile(*facts) for facts in shown), page, total)


def forget(actor: Person, track_id: int) -> None:
    """Take an upload out of one's own library and playlists, here and in every room one brought it to.

    Its file goes unless somebody else brought it too, or keeps it in a playlist: then it is theirs. Lines that had it
    go on without.
    """
    with write():
        gone = Holding.delete().where(Holding.track == track_id, Holding.user == actor.user_id).execute()
        if not gone:
            raise NotFound("That track is not among yours.")
        # Kept in a playlist of one's own it would stay, and come back as one's own.
        mine = Playlist.select(Playlist.id).where(Playlist.user == actor.user_id)
        PlaylistEntry.update(track=None).where(
            PlaylistEntry.track == track_id, PlaylistEntry.playlist.in_(mine)
        ).execute()
        work.hand_over("sweep_files")


def orphans() -> list[int]:
    """Tracks with a file that somebody brought and nobody holds any more: no person, no room, no playlist."""
    return [track_id for (track_id,) in rows(Track.select(Track.id).where(*_is_orphan()).order_by(Track.id))]


def give_up_orphans() -> list[str]:
    """Give up every file that nobody holds any more, and hand on what playlists keep of them.

    Returns the names of the files to delete.
    """
    for track_id, user_ids in _kept_only().items():
        _hand_on(track_id, user_ids)
    return [name for track_id in orphans() for name in give_up(track_id)]


def give_up(track_id: int, *, by_force: bool = False) -> list[str]:
    """Give up a track's files, if still nobody holds it, or `by_force`. Returns the names of the files to delete.

    Where no line ever had it the row goes; else it stays for the history, and rooms where it waits or plays go on.
    """
    with write():
        # Whoever brings it again, or puts it on a line, meanwhile waits for us, or we for them.
        track = lookups.hold(Track.id == track_id)
        # Asked once it is ours: PostgreSQL would answer the wait with what was held before it.
        if track is None or not (
            by_force or Track.select().where(Track.id == track_id, *_is_orphan()).exists()
        ):
            return []
        names = _names_of(track)
        Holding.delete().where(Holding.track == track).execute()
        is_named = any(table.select().where(table.track == track.id).exists() for table in (Item, Suggestion))
        if not is_named:
            Track.delete().where(Track.id == track.id).execute()
            return names
        Subtitle.delete().where(Subtitle.track == track).execute()
        Track.update(
            # The same bytes may come again, and become a track of their own.
            slug=f"gone-{track.id}",
            sha256=None,
            media_file="",
            cover_file="",
            opus_file="",
            peaks="",
            size_bytes=0,
            state="failed",
            failure=GONE,
        ).where(Track.id == track.id).execute()
        _tell_rooms(track.id)
        return names


def unnamed(names: list[str]) -> list[str]:
    """Those of the names that no row has: files left behind."""
    left: list[str] = []
    for start in range(0, len(names), NAMED_AT_ONCE):
        part = names[start : start + NAMED_AT_ONCE]
        whole = {name: _whole_cover(name) for name in part}
        wanted = [*whole, *whole.values()]
        known = {
            found
            for table, column in (
                (Track, Track.media_file),
                (Track, Track.opus_file),
                (Track, Track.cover_file),
                (Subtitle, Subtitle.file),
            )
            for (found,) in rows(table.select(column).where(column.in_(wanted)))
        }
        left += [name for name in part if not {name, whole[name]} & known]
    return left


def _whole_cover(name: str) -> str:
    """The name by which a row has a cover, given one of its sizes."""
    for size in COVER_SIZES:
        if name.endswith(f"-{size}.webp"):
            return f"{name.removesuffix(f'-{size}.webp')}-{COVER_SIZES[0]}.webp"
    return name


def _held(whose: Any) -> int:
    held = Holding.select(Holding.track).where(whose)
    return int(Track.select(fn.COALESCE(fn.SUM(Track.size_bytes), 0)).where(Track.id.in_(held)).scalar())


def _kept_only(*which: Any) -> dict[int, list[int]]:
    """The files that nobody holds, though playlists have them: each with the people whose playlists those are."""
    keeping = (
        PlaylistEntry.select(Track.id, Playlist.user)
        .distinct()
        .join(Playlist)
        .switch(PlaylistEntry)
        .join(Track)
        .where(PlaylistEntry.removed_at.is_null(), Playlist.deleted_at.is_null(), *_is_unheld(), *which)
    )
    kept: dict[int, list[int]] = {}
    for track_id, user_id in sorted(rows(keeping)):
        kept.setdefault(track_id, []).append(user_id)
    return kept


def _hand_on(track_id: int, user_ids: list[int]) -> None:
    """From now on these people hold a file, if still nobody does. More than they may bring is theirs all the same."""
    with write():
        people = {user.id for user in locking(User.select().where(User.id.in_(user_ids)).order_by(User.id))}
        track = locking(Track.select().where(Track.id == track_id)).first()
        # Asked once all are ours, as when it is given up: somebody may have brought it, or not keep it any more.
        for user_id in _kept_only(Track.id == track_id).get(track_id, []):
            if user_id in people:
                shelf.bring(track, None, user_id, now_ms())


def _is_orphan() -> tuple[Any, ...]:
    since = now_ms() - UNDO_MS
    kept = (
        PlaylistEntry.select()
        .join(Playlist)
        .where(
            PlaylistEntry.track == Track.id,
            PlaylistEntry.removed_at.is_null() | (PlaylistEntry.removed_at > since),
            Playlist.deleted_at.is_null() | (Playlist.deleted_at > since),
        )
    )
    return (*_is_unheld(), ~fn.EXISTS(kept))


def _is_unheld() -> tuple[Any, ...]:
    return (
        *is_brought(),
        ~fn.EXISTS(Holding.select().where(Holding.track == Track.id)),
        # Not held yet: it has only just been looked at.
        ~fn.EXISTS(Upload.select().where(Upload.track == Track.id, Upload.state.in_(UPLOADS_UNDER_WAY))),
    )


def _coming(whose: Any) -> int:
    size = Upload.select(fn.COALESCE(fn.SUM(Upload.size_bytes), 0))
    return int(size.where(whose, Upload.state.in_(UPLOADS_UNDER_WAY)).scalar())


def _names_of(track: Track) -> list[str]:
    words = [file for (file,) in rows(Subtitle.select(Subtitle.file).where(Subtitle.track == track))]
    names = [track.media_file, track.opus_file, *cover_names(track.cover_file), *words]
    return [name for name in names if name]


def _lines_with(track_id: int) -> dict[str, list[int]]:
    """The open rooms where a track waits or plays, in one order for everybody, each with its items."""
    waiting = (
        Item.select(Room.code, Item.id)
        .join(Room)
        .where(Item.track == track_id, Item.state.in_(("waiting", "playing")), Room.state != "EXPIRED")
        .order_by(Room.id, Item.id)
    )
    lines: dict[str, list[int]] = {}
    for code, item_id in rows(waiting):
        lines.setdefault(code, []).append(item_id)
    return lines


def _tell_rooms(track_id: int) -> None:
    """Say on every line that has it what became of it, in the open transaction; what plays goes on with the next."""
    for code, item_ids in _lines_with(track_id).items():
        # One whose time ran out this moment needs to hear nothing.
        with suppress(Over), change(CLOCK, code, may="describe_item") as c:
            for item_id in item_ids:
                c.log("item_described", item_id=item_id)
            if c.playback.item_id in item_ids:
                playback.end_item(c, "skipped")
                playback.start_next(c)
