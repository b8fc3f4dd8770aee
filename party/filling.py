"""What plays on: up to three rows that the room itself keeps on its line while nothing that people want could play.

The rows yield to everything people put on (party.ordering ranks them last) and count for nobody's limits. What is
chosen depends on the rows of the database alone: the same room at the same song chooses the same.

The no-repeat window: no recording (title and main artist, blind to case and accents) that is among the room's last
30 plays, and no main artist that is among the last two. It is counted in plays and not in hours, as all ages here are.
Where there is too little to choose from the window shrinks, so that a short playlist goes round instead of falling
silent: it never holds back more than half of the recordings, nor, where no row would be left, an artist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

from models import Item, Member, Play, Playlist, Presence, Track, Vote, rows
from party import ahead, events, ranks, shelf, work
from party.change import Change
from party.ends import TELLING
from party.line import LINE_FULL, PRESENT_MS, active_seats
from party.matching import main_artist, recording
from party.ordering import guard_limit_for

ROWS = 3
"""So many rows the room keeps on its line."""
RECORDINGS_BACK, ARTISTS_BACK = 30, 2
PLAYS_READ, VOTED_READ = 500, 2_000
POOL_MOST = 400
"""Of a large library so many tracks are looked at, others each time."""
SKIPPED_WEIGHT, GENRE_WEIGHT, ARTIST_WEIGHT = 0, 1, 2
MOODS = 8
"""So many genres, and artists, of tonight are looked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track the room may choose. The smallest `place` is chosen first."""

    track_id: int
    recording: tuple[str, str]
    place: tuple[Any, ...] = ()

    @property
    def artist(self) -> str:
        return self.recording[1]


@dataclass(frozen=True, slots=True)
class Heard:
    """What must not come again: `plays` are the room's last recordings, the newest first; `waiting` wait on the line
    in this order; `refused` were taken off by people."""

    plays: Sequence[tuple[str, str]] = ()
    waiting: Sequence[tuple[str, str]] = ()
    refused: frozenset[tuple[str, str]] = frozenset()


def fill(c: Change) -> bool:
    """Put rows on, in the open transaction, when nothing waits that people want and that could play. True when any."""
    if c.settings.when_empty == "nothing" or not _has_listeners(c):
        return False
    if _waiting(c, Item.id).where(~Item.is_filler, Track.state == "ready").exists():
        return False
    waiting = rows(_waiting(c, Item.track, Item.is_filler, Track.title, Track.artist))
    missing = ROWS - sum(bool(is_filler) for _, is_filler, *_ in waiting)
    host = Member.get_or_none(Member.room == c.room, Member.role == "host")
    if missing <= 0 or host is None or len(waiting) >= LINE_FULL:
        return False
    tonight = _Tonight(c)
    on_line = {row[0] for row in waiting}
    heard = Heard(
        [recording(row.title, row.artist) for row in tonight.plays[:RECORDINGS_BACK]],
        [recording(title, artist) for *_, title, artist in waiting],
        frozenset(_refused(c)),
    )
    pool = [each for each in _POOLS[c.settings.when_empty](c, tonight, host) if each.track_id not in on_line]
    return any([_put(c, track_id, host) for track_id in choose(pool, heard, missing)])


def choose(pool: Sequence[Candidate], heard: Heard, count: int) -> list[int]:
    """Up to so many tracks of the pool, in the order they are to wait. See the window above."""
    known = {each.recording for each in pool} | set(heard.waiting)
    back = min(RECORDINGS_BACK, len(known) // 2)
    out = set(heard.plays[:back]) | set(heard.waiting) | heard.refused
    free = sorted(
        (each for each in pool if each.recording not in out), key=lambda each: (each.place, each.track_id)
    )
    # The artists in the order they will have been heard: what waits comes after what was played.
    artists = [artist for _, artist in reversed(heard.plays[:ARTISTS_BACK])] + [
        artist for _, artist in heard.waiting
    ]
    chosen: list[int] = []
    is_silent = not heard.waiting
    while len(chosen) < count and free:
        late = set(artists[-ARTISTS_BACK:])
        best = next((each for each in free if each.artist not in late or not each.artist), None)
        if best is None and (chosen or not is_silent):
            break
        best = best or min(free, key=lambda each: (each.artist == artists[-1], each.place, each.track_id))
        chosen.append(best.track_id)
        artists.append(best.artist)
        free = [each for each in free if each.recording != best.recording]
    return chosen


def clear(c: Change) -> None:
    """Take off what the room put on, in the open transaction."""
    take_off(c, [item_id for (item_id,) in rows(_waiting(c, Item.id).where(Item.is_filler))])


def trim(c: Change) -> None:
    """Let the newest rows go beyond those the room keeps: one may have been brought back."""
    kept = rows(_waiting(c, Item.id).where(Item.is_filler).order_by(Item.added_seq, Item.id))
    take_off(c, [item_id for (item_id,) in kept[ROWS:]])


def make_way(c: Change, track_id: int) -> None:
    """A row of the room's own goes where somebody's row of the same track comes back."""
    same = rows(_waiting(c, Item.id).where(Item.is_filler, Item.track == track_id))
    take_off(c, [item_id for (item_id,) in same])


def take_off(c: Change, item_ids: list[int]) -> None:
    """By the room itself: nobody removed them."""
    for item_id in item_ids:
        Item.update(state="removed", removed_at=c.now, removed_by=None).where(Item.id == item_id).execute()
        events.append(c.room, "item_removed", None, item_id=item_id)


def follow(c: Change) -> bool:
    """What plays on was set anew, or is gone: the old rows go and others come, in the open transaction."""
    clear(c)
    return fill(c)


def playlist_of(c: Change) -> Playlist | None:
    """The playlist the room plays on: its host's or its owner's own, or one that is shared; None when it is gone."""
    found = Playlist.get_or_none(Playlist.id == c.settings.empty_playlist, Playlist.deleted_at.is_null())
    if found is None or found.share_token is not None:
        return found
    host = Member.select(Member.user).where(Member.room == c.room, Member.role == "host").scalar()
    return found if found.user_id in (host, c.room.owner_id) else None


def _put(c: Change, track_id: int, host: Member) -> bool:
    # Sorted here and not by the database: its collation need not be the keys' own byte order.
    last = max((place for (place,) in rows(_waiting(c, Item.position))), default=None)
    key = ranks.between(last, None)
    if ranks.needs_renumbering(key):
        # The next row somebody puts on gives short keys to all; until then nothing is forced.
        return False
    shelf.hold(Track.get_by_id(track_id), c.room.id, host.user_id, c.now)
    item = Item.create(
        room=c.room,
        track=track_id,
        added_by=host,
        position=key,
        added_seq=c.room.seq + 1,
        added_at_advance=c.room.advance,
        guard_limit=guard_limit_for(active_seats(c.room, c.now)),
        added_at=c.now,
        is_filler=True,
        length_ms=_learnt(c, track_id),
    )
    events.append(c.room, "item_filled", None, item_id=item.id)
    return True


def _has_listeners(c: Change) -> bool:
    """False while a room waits for its host and nobody is there: it need not play to empty chairs for days."""
    if c.room.state != "GRACE":
        return True
    here = Presence.select().join(Member).where(Member.room == c.room, Presence.seen_at > c.now - PRESENT_MS)
    return bool(here.exists())


def _waiting(c: Change, *columns: Any) -> Any:
    waiting = Item.select(*columns).join(Track).where(Item.room == c.room, Item.state == "waiting")
    return waiting.order_by(Item.added_seq, Item.id)


def _refused(c: Change) -> list[tuple[str, str]]:
    """What people took off lately does not come back by itself."""
    query = (
        Item.select(Track.title, Track.artist)
        .join(Track)
        .where(
            Item.room == c.room,
            Item.is_filler,
            Item.state == "removed",
            Item.removed_by.is_null(False),
            Item.added_at_advance > c.room.advance - RECORDINGS_BACK,
        )
    )
    return [recording(title, artist) for title, artist in rows(query)]


@dataclass(frozen=True, slots=True)
class _Played:
    """A play of tonight, the newest first."""

    track_id: int
    title: str
    artist: str
    genre: str
    was_skipped: bool


@dataclass(slots=True)
class _Tonight:
    """What was played here, how often, and how it was liked."""

    c: Change
    plays: list[_Played] = field(init=False)
    times: dict[int, int] = field(init=False)
    net: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        query = (
            Play.select(Track.id, Track.title, Track.artist, Track.genre, Play.end_reason)
            .join(Item)
            .join(Track)
            .where(Play.room == self.c.room)
            .order_by(Play.id.desc())
            .limit(PLAYS_READ)
        )
        self.plays = [
            _Played(track_id, title, artist, genre, reason == "skipped")
            for track_id, title, artist, genre, reason in rows(query)
        ]
        self.times = {}
        for play in self.plays:
            self.times[play.track_id] = self.times.get(play.track_id, 0) + 1
        voted = (
            Vote.select(Item.track, fn.SUM(Vote.value))
            .join(Item)
            .where(Item.room == self.c.room, Item.state.in_(("playing", "played")))
            .group_by(Item.track)
            .limit(VOTED_READ)
        )
        self.net = {track_id: int(total) for track_id, total in rows(voted)}

    def shuffled(self, track_id: int) -> tuple[int, str]:
        """What was played least here comes first, else by lot: a new one each time round, and the same for all."""
        times = self.times.get(track_id, 0)
        lot = hashlib.sha256(f"{self.c.room.epoch} {times} {track_id}".encode()).hexdigest()
        return times, lot


def _learnt(c: Change, track_id: int) -> int:
    """The length that this room learnt last of a track without one; 0 where its player is asked anew each time.

    So what somebody once said of a track is not believed for longer than it has to be.
    """
    is_unknown = (Track.duration_ms == 0) & Track.player.not_in(TELLING)
    here = Item.select(Item.length_ms).join(Track).where(Item.room == c.room, Item.track == track_id)
    learnt = here.where(is_unknown, Item.length_ms > 0).order_by(Item.id.desc()).limit(1)
    return int(learnt.scalar() or 0)


def _playable(c: Change) -> Any:
    """What a room may play by itself: it has to end, or nothing would ever follow it."""
    learnt = Item.select(Item.track).where(Item.room == c.room, Item.length_ms > 0)
    ends = (Track.duration_ms > 0) | Track.player.in_(TELLING) | Track.id.in_(learnt)
    fits = ~Track.is_hidden & (Track.state == "ready") & ends
    return fits if c.settings.explicit else fits & ~Track.is_explicit


def may_come(c: Change) -> Any:
    """The condition that it may, or that nobody knows yet because it is still looked up."""
    return _playable(c) | (~Track.is_hidden & (Track.state == "looking_up"))


def _of_playlist(c: Change, tonight: _Tonight, host: Member) -> list[Candidate]:
    playlist = playlist_of(c)
    if playlist is None:
        return []
    if ahead.is_due(c.room, ahead.next_links(c, playlist, may_come(c)), c.now):
        work.hand_over("bring_links", c.room.code)
    query = ahead.lines(playlist, Track.id, Track.title, Track.artist).where(_playable(c)).distinct()
    return [
        Candidate(track_id, recording(title, artist), tonight.shuffled(track_id))
        for track_id, title, artist in rows(query)
    ]


def _of_favourites(c: Change, tonight: _Tonight, host: Member) -> list[Candidate]:
    liked = [track_id for track_id in tonight.times if tonight.net.get(track_id, 0) >= 0][:POOL_MOST]
    query = Track.select(Track.id, Track.title, Track.artist).where(Track.id.in_(liked), _playable(c))
    return [
        Candidate(
            track_id,
            recording(title, artist),
            (-tonight.net.get(track_id, 0), -tonight.times[track_id], tonight.shuffled(track_id)[1]),
        )
        for track_id, title, artist in rows(query)
    ]


def _like_tonight(c: Change, tonight: _Tonight, host: Member) -> list[Candidate]:
    """By genre and artist of what was played, each weighing as much as it was liked; skipped weighs nothing."""
    genres: dict[str, int] = {}
    artists: dict[str, int] = {}
    names: dict[str, int] = {}
    for play in tonight.plays[: 2 * RECORDINGS_BACK]:
        weight = SKIPPED_WEIGHT if play.was_skipped else max(0, 1 + tonight.net.get(play.track_id, 0))
        for key, sums in ((play.genre, genres), (main_artist(play.artist), artists), (play.artist, names)):
            if key and weight:
                sums[key] = sums.get(key, 0) + weight
    first_genres, first_names = _first(genres), _first(names)
    if not first_genres and not first_names:
        return []
    query = Track.select(Track.id, Track.title, Track.artist, Track.genre).where(
        shelf.shown(c.room.id, None),
        _playable(c),
        Track.genre.in_(first_genres) | Track.artist.in_(first_names),
    )
    # A large library is entered at another place with each song, without a sort of all of it.
    pivot = _lot(c) % (int(Track.select(fn.MAX(Track.id)).scalar() or 0) + 1)
    found = rows(query.where(Track.id >= pivot).order_by(Track.id).limit(POOL_MOST))
    if len(found) < POOL_MOST:
        found += rows(query.where(Track.id < pivot).order_by(Track.id).limit(POOL_MOST - len(found)))
    return [
        Candidate(
            track_id,
            recording(title, artist),
            (
                -GENRE_WEIGHT * genres.get(genre, 0) - ARTIST_WEIGHT * artists.get(main_artist(artist), 0),
                *tonight.shuffled(track_id),
            ),
        )
        for track_id, title, artist, genre in found
    ]


def _first(sums: dict[str, int]) -> list[str]:
    return sorted(sums, key=lambda key: (-sums[key], key))[:MOODS]


def _lot(c: Change) -> int:
    return int(hashlib.sha256(f"{c.room.epoch} {c.room.advance}".encode()).hexdigest()[:8], 16)


_POOLS = {"playlist": _of_playlist, "favourites": _of_favourites, "alike": _like_tonight}
