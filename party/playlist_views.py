"""What playlists show: the list of one's own, a page of one, a shared one, and rooms as lists of lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from peewee import JOIN, fn

from models import Item, Member, Play, Playlist, PlaylistEntry, Room, Track, User, Vote, rows
from party import lifecycle, playlists, reads, snapshot, tracks
from party.change import NOT_INSIDE, Person
from party.clock import now_ms
from party.errors import NotAllowed, NotFound
from party.importing import track_views
from party.playlists import ENTRIES_MOST, KEPT_MS, Line
from party.settings import load
from party.views import TrackView, clock_text

PAGE = 100
PLAYS_ON, PLAYED_ON = "Plays on", "Played on by itself"
"""What files name in place of a person where the room put a track on."""


@dataclass(frozen=True, slots=True)
class PlaylistCard:
    """A line of one's playlists."""

    id: int
    name: str
    count: int
    total_ms: int
    is_shared: bool

    @property
    def total_text(self) -> str:
        return clock_text(self.total_ms)


@dataclass(frozen=True, slots=True)
class EntryView:
    """A track of a playlist; without one, its words, and whether their link `plays`. `number` is its place, from 1.

    `up` and `down` name what it stands after when it moves one place: an id, 0 for the very start, None at an end.
    """

    id: int
    number: int
    title: str
    artist: str
    duration_ms: int
    link: str
    track: TrackView | None
    up: int | None = None
    down: int | None = None
    plays: bool = False

    @property
    def duration_text(self) -> str:
        return clock_text(self.duration_ms) if self.duration_ms else ""


@dataclass(frozen=True, slots=True)
class PlaylistView:
    """A page of a playlist. `linked` counts the lines whose link plays, `words` those without a track or such a link.

    `by` is whose it is. `before` is the last track of the page before this one, 0 on the first.
    """

    id: int
    name: str
    by: str
    token: str
    entries: tuple[EntryView, ...]
    page: int
    count: int
    total_ms: int
    words: int
    linked: int
    before: int = 0

    @property
    def has_more(self) -> bool:
        return self.page * PAGE < self.count

    @property
    def total_text(self) -> str:
        return clock_text(self.total_ms)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What may be done with playlists in a room. `purpose` is track, tonight, line or empty; `item_id` the track's row.

    `has_account` False shows the way to one; `suggested` stands in the field for a name or a link; `when_empty` and
    `chosen` are what plays on now.
    """

    purpose: str
    code: str
    cards: tuple[PlaylistCard, ...]
    has_account: bool
    item_id: int = 0
    title: str = ""
    suggested: str = ""
    when_empty: str = "nothing"
    chosen: int = 0


@dataclass(frozen=True, slots=True)
class ListedTrack:
    """A line for a file: the track's words, who put it on (or that the room did), when (ISO 8601), its votes."""

    line: Line
    track: TrackView | None
    votes: int | None = None
    by: str = ""
    at: str = ""


def mine(actor: Person) -> list[PlaylistCard]:
    """One's own playlists, those changed last first; a guest has none."""
    return _cards(Playlist.user == actor.user_id, Playlist.deleted_at.is_null(), newest=Playlist.changed_at)


def deleted(actor: Person) -> list[PlaylistCard]:
    """Those of one's own that can still be brought back, the one deleted last first."""
    since = now_ms() - KEPT_MS
    return _cards(Playlist.user == actor.user_id, Playlist.deleted_at >= since, newest=Playlist.deleted_at)


def view(
    actor: Person, playlist_id: int, page: int = 1, plays: Collection[str] = frozenset()
) -> PlaylistView:
    """A page of one's own playlist. `plays` are the links that are known to play. Raises NotFound."""
    return _view(playlists.own(actor, playlist_id), page, plays)


def shared(token: str, page: int = 1) -> PlaylistView:
    """A page of a playlist, for whoever has its link. Raises NotFound."""
    return _view(playlists.shared(token), page, frozenset())


def lines(playlist: Playlist) -> list[ListedTrack]:
    """All of a playlist, for a file."""
    entries = playlists.entries_of(playlist.id)
    known = track_views(entry.track_id for entry in entries)
    listed = []
    for entry in entries:
        track = known.get(entry.track_id or 0)
        line = (
            _line_of(track)
            if track
            else Line(entry.title, entry.artist, entry.album, entry.duration_ms, entry.link)
        )
        listed.append(ListedTrack(line, track, at=_iso(entry.added_at)))
    return listed


def line_of_room(code: str) -> list[ListedTrack]:
    """What waits in a room, in its order."""
    return [
        ListedTrack(_line_of(item.track), item.track, item.net, PLAYS_ON if item.is_filler else item.by.name)
        for item in snapshot.take(code).items
    ]


def tonight(code: str) -> list[ListedTrack]:
    """What was played in a room, the first first."""
    net = Vote.select(fn.COALESCE(fn.SUM(Vote.value), 0)).where(Vote.item == Item.id)
    query = (
        Play.select(Play.started_at, User.display_name, Item.is_filler, net, *reads.TRACK_COLUMNS)
        .join(Item)
        .join(Track)
        .switch(Item)
        .join(Member, on=(Item.added_by == Member.id))
        .join(User)
        .switch(Play)
        .join(Room, on=(Play.room == Room.id))
        .where(Room.code == code)
        .order_by(Play.id.desc())
        .limit(ENTRIES_MOST)
    )
    played = []
    for started, name, is_filler, votes, *columns in reversed(rows(query)):
        track = tracks.view(*columns)
        played.append(
            ListedTrack(_line_of(track), track, int(votes), PLAYED_ON if is_filler else name, _iso(started))
        )
    return played


def save_tonight(actor: Person, code: str, name: str) -> int:
    """A playlist of everything that was played in a room and still waits, each track once. Returns its id."""
    playlists.need_account(actor)
    need_seat(actor, code)
    waiting = [item.track for item in snapshot.take(code).items if not item.is_filler]
    listed = [row.track for row in tonight(code)] + waiting
    kept = {track.id: _line_of(track) for track in listed if track is not None}
    return playlists.keep_lines(actor, name, list(kept.values())[:ENTRIES_MOST])


def name_of(code: str) -> tuple[str, bool]:
    """What a room is called, and whether it has ended."""
    room = Room.get(Room.code == code)
    return str(room.name), lifecycle.effective(room, now_ms())[0] == "EXPIRED"


def need_seat(actor: Person, code: str) -> int:
    """The room's id, for somebody who has a seat in it, or had one when it ended. Raises NotAllowed."""
    room = Room.get_or_none(Room.code == code)
    seat = Member.get_or_none(Member.room == room, Member.user == actor.user_id) if room else None
    if room is None or seat is None or seat.left_at is not None:
        raise NotAllowed(NOT_INSIDE)
    return int(room.id)


def sheet(actor: Person, code: str, purpose: str, item_id: int = 0) -> Sheet:
    """What a person may do with playlists in a room they are in. Raises NotFound, NotAllowed."""
    room_id = need_seat(actor, code)
    user, room = User.get_by_id(actor.user_id), Room.get_by_id(room_id)
    settings = load(room.settings)
    track = track_of(room_id, item_id) if purpose == "track" else None
    day = datetime.fromtimestamp(now_ms() / 1000, UTC).strftime("%-d %B")
    return Sheet(
        purpose,
        code,
        tuple(mine(actor)),
        user.email is not None,
        item_id,
        track.title if track else "",
        f"{room.name}, {day}"[: playlists.NAME_LONGEST] if purpose == "tonight" else "",
        settings.when_empty,
        settings.empty_playlist,
    )


def track_of(room_id: int, item_id: int) -> Track:
    """The track of a row of a room, waiting or played. Raises NotFound."""
    item = Item.get_or_none(Item.id == item_id, Item.room == room_id)
    if item is None:
        raise NotFound("That track is not on this line.")
    return item.track


def _cards(*where: Any, newest: Any) -> list[PlaylistCard]:
    is_in = (PlaylistEntry.playlist == Playlist.id) & PlaylistEntry.removed_at.is_null()
    query = (
        Playlist.select(
            Playlist.id,
            Playlist.name,
            fn.COUNT(PlaylistEntry.id),
            fn.COALESCE(fn.SUM(fn.COALESCE(Track.duration_ms, PlaylistEntry.duration_ms)), 0),
            Playlist.share_token,
        )
        .join(PlaylistEntry, JOIN.LEFT_OUTER, on=is_in)
        .join(Track, JOIN.LEFT_OUTER)
        .where(*where)
        .group_by(Playlist.id)
        .order_by(newest.desc(), Playlist.id.desc())
    )  # fmt: skip
    return [
        PlaylistCard(number, name, count, int(total), token is not None)
        for number, name, count, total, token in rows(query)
    ]


def _view(playlist: Playlist, page: int, plays: Collection[str]) -> PlaylistView:
    entries = playlists.entries_of(playlist.id)
    page = max(1, min(page, (len(entries) + PAGE - 1) // PAGE))
    lengths = dict(rows(
        PlaylistEntry.select(PlaylistEntry.id, Track.duration_ms).join(Track).where(PlaylistEntry.playlist == playlist)
    ))  # fmt: skip
    first = (page - 1) * PAGE
    ids = [entry.id for entry in entries]
    known = track_views(entry.track_id for entry in entries[first : first + PAGE])
    shown = []
    for number, entry in enumerate(entries[first : first + PAGE], first + 1):
        track = known.get(entry.track_id or 0)
        title, artist = (track.title, track.artist) if track else (entry.title, entry.artist)
        length = lengths.get(entry.id) or entry.duration_ms
        up = None if number == 1 else ids[number - 3] if number > 2 else 0
        down = ids[number] if number < len(ids) else None
        is_linked = not track and entry.link in plays
        shown.append(
            EntryView(entry.id, number, title, artist, length, entry.link, track, up, down, is_linked)
        )
    without = [entry.link in plays for entry in entries if entry.track_id is None]
    return PlaylistView(
        playlist.id,
        playlist.name,
        playlist.user.display_name,
        playlist.share_token or "",
        tuple(shown),
        page,
        len(entries),
        sum(lengths.get(entry.id) or entry.duration_ms for entry in entries),
        without.count(False),
        without.count(True),
        ids[first - 1] if first else 0,
    )


def _line_of(track: TrackView) -> Line:
    return Line(track.title, track.artist, track.album, track.duration_ms, "", track.id)


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
