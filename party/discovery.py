"""Which rooms strangers may find: the open public ones, with who hosts, how many listen and what is on.

`listing` is the one place that decides it. Lists, searches, counts, cards, pictures and live updates all ask it, so a
room that is not in it appears in none of them.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, fn

from models import Item, Member, Play, Playback, Prepared, Presence, Room, Track, User, database, rows
from party import lifecycle, snapshot, tracks
from party.clock import now_ms
from party.errors import Invalid
from party.library import MOST_WORDS, fold
from party.people import SAY_SECONDS
from party.reads import TRACK_COLUMNS
from party.settings import load
from party.views import TrackView

PAGE = 24
FRESH_MS = 1_000
"""How long one reading of the list serves everybody."""

HERE_MS = int(SAY_SECONDS * 1000) + 4_000
"""A seat counts as listening while its sign of life is younger: one renewal may be late, two may not."""

MOOD_PLAYS, MOOD_MS, MOOD_WORDS = 20, 6 * 3_600_000, 2
SHOWN_MOST = 240
"""So many cards of one page are kept up to date."""

CODE = re.compile("[A-HJKMNP-Z2-9]{8}")
SORTS = ("people", "newest")
SEARCH_LONGEST = 200


@dataclass(frozen=True, slots=True)
class RoomCard:
    """What strangers see of an open public room. `cord` counts the waiting tracks by their people's colours."""

    code: str
    name: str
    host: str
    entry: str
    is_locked: bool
    is_hosted: bool
    created_at: int
    people: int
    cord: tuple[tuple[int, int], ...]
    track: TrackView | None
    is_paused: bool
    moods: tuple[str, ...]

    @property
    def waiting(self) -> int:
        """How many tracks are on the line."""
        return sum(count for _, count in self.cord)

    @property
    def hue(self) -> str:
        """The hue of the cover that is on, or the house's own."""
        return self.track.hue if self.track else "90"

    @property
    def stretches(self) -> tuple[tuple[int, int, int], ...]:
        """The cord's stretches in hundredths, as (colour, start, width)."""
        found, done, total = [], 0, self.waiting
        for color, count in self.cord:
            start, end = 100 * done // total, 100 * (done + count) // total
            found.append((color, start, end - start))
            done += count
        return tuple(found)

    @property
    def words(self) -> str:
        """Everything a search looks at, folded."""
        now = (self.track.title, self.track.artist) if self.track else ()
        return _folded((self.name, self.host, *now, *self.moods))


@dataclass(frozen=True, slots=True)
class Listing:
    """Every open public room at one moment, how many people listen in all, and when each was first seen here."""

    cards: dict[str, RoomCard]
    people: int
    at: int
    since: dict[str, int]

    def come_after(self, at: int) -> list[str]:
        """The codes of rooms that were listed later than a page that was made then."""
        return [code for code, since in self.since.items() if since > at]


@dataclass(frozen=True, slots=True)
class FoundRooms:
    """A page of the list as it stood `at` an instant. `next` is where the following one begins, or empty.

    `found` counts what the search finds, `rooms` and `people` everything that is listed.
    """

    cards: tuple[RoomCard, ...]
    search: str
    sort: str
    next: str
    found: int
    rooms: int
    people: int
    at: int


def find_rooms(search: str, sort: str, cursor: str) -> FoundRooms:
    """Twenty-four open public rooms in which every word of `search` is found, blind to accents and case.

    Words are looked for in the room's and the host's name, what is on and its genres. A cursor names a place in the
    order and no page number: rooms that stay where they are come once, whatever happens to others meanwhile.
    """
    if sort not in SORTS:
        raise Invalid("Rooms can be ordered by people or newest.")
    place, all_rooms = _read_cursor(cursor), listing()
    words = fold(search[:SEARCH_LONGEST]).split()[:MOST_WORDS]
    found = [card for card in all_rooms.cards.values() if all(word in card.words for word in words)]
    found.sort(key=lambda card: _rank(sort, *_place(card)))
    left = (
        found
        if place is None
        else [card for card in found if _rank(sort, *_place(card)) > _rank(sort, *place)]
    )
    shown = left[:PAGE]
    following = _cursor(shown[-1]) if len(left) > PAGE else ""
    return FoundRooms(
        tuple(shown),
        search,
        sort,
        following,
        len(found),
        len(all_rooms.cards),
        all_rooms.people,
        all_rooms.at,
    )


def shown(codes: list[str]) -> tuple[list[RoomCard], list[str]]:
    """The cards of these codes, and which of the codes no listed room has."""
    return pick(listing(), codes)


def pick(all_rooms: Listing, codes: list[str]) -> tuple[list[RoomCard], list[str]]:
    """The same from a reading at hand. What is no code is passed over."""
    known, asked = (
        all_rooms.cards,
        [code for code in dict.fromkeys(codes) if CODE.fullmatch(code)][:SHOWN_MOST],
    )
    return [known[code] for code in asked if code in known], [code for code in asked if code not in known]


def card_of(code: str) -> RoomCard | None:
    """The card of the listed room with this spoken code."""
    return listing().cards.get(code)


def listing() -> Listing:
    """The open public rooms as they stood at most a second ago; read once for all who ask within it."""
    kept = _kept
    if kept is not None and kept.is_fresh():
        return kept.listing
    with _lock:
        kept = _kept
        return kept.listing if kept is not None and kept.is_fresh() else look()


def look() -> Listing:
    """The open public rooms as they stand now."""
    global _kept
    now = now_ms()
    with snapshot.reading():
        found = _read(now)
    cards = {card.code: card for card in found}
    before = (
        _kept.listing.since if _kept is not None and _kept.source is database.obj else dict.fromkeys(cards, 0)
    )
    since = {code: before.get(code, now) for code in cards}
    read = Listing(cards, sum(card.people for card in found), now, since)
    _kept = _Kept(database.obj, read)
    return read


@dataclass(frozen=True, slots=True)
class _Kept:
    """A listing and where it was read: another database has other rooms."""

    source: object
    listing: Listing

    def is_fresh(self) -> bool:
        return self.source is database.obj and 0 <= now_ms() - self.listing.at < FRESH_MS


_kept: _Kept | None = None
_lock = threading.Lock()
_moods: dict[tuple[str, int], tuple[str, ...]] = {}
"""Genres by the room's epoch and how many songs it started: they change with the song and not before."""


def _is_visible() -> Any:
    return (Room.visibility == "public") & Room.state.in_(("LIVE", "GRACE"))


_rooms = Prepared(
    lambda: (
        Room.select(
            Room.id,
            Room.code,
            Room.door_code,
            Room.name,
            Room.state,
            Room.epoch,
            Room.advance,
            Room.entry,
            Room.is_locked,
            Room.created_at,
            Room.host_gone_at,
            Room.host_grace_until,
            Room.grace_seconds,
            Room.settings,
            User.display_name,
            Playback.state,
            *TRACK_COLUMNS,
        )
        .join(Member, on=((Member.room == Room.id) & (Member.role == "host")))
        .join(User)
        .switch(Room)
        .join(Playback, JOIN.LEFT_OUTER, on=(Playback.room == Room.id))
        .join(Item, JOIN.LEFT_OUTER, on=(Playback.item == Item.id))
        .join(Track, JOIN.LEFT_OUTER)
        .where(_is_visible())
    )
)

_listeners = Prepared(
    lambda since: (
        Presence.select(Member.room, fn.COUNT(fn.DISTINCT(Presence.member)))
        .join(Member)
        .join(Room)
        .where(_is_visible(), Presence.seen_at > since, Member.left_at.is_null())
        .group_by(Member.room)
    )
)

_cords = Prepared(
    lambda state: (
        Item.select(Item.room, Member.color, fn.COUNT(Item.id))
        .join(Member, on=(Item.added_by == Member.id))
        .switch(Item)
        .join(Room)
        .where(_is_visible(), Item.state == state, ~Item.is_filler)
        .group_by(Item.room, Member.color)
        .order_by(Item.room, Member.color)
    )
)


def _read(now: int) -> list[RoomCard]:
    """Four questions to the database, however many rooms there are."""
    people = dict(_listeners(now - HERE_MS))
    cords: dict[int, list[tuple[int, int]]] = {}
    for room_id, color, count in _cords("waiting"):
        cords.setdefault(room_id, []).append((color, count))
    found = []
    for columns in _rooms():
        room, host, playing, track = _room_of(columns[:14]), columns[14], columns[15], columns[16:]
        listens = people.get(room.id, 0)
        if _is_open(room, now) and (listens or not _is_put_away(room)):
            found.append((room, host, playing, track, listens))
    moods = _moods_of([room for room, *_ in found], now)
    return [
        RoomCard(
            code=room.spoken_code,
            name=room.name,
            host=host,
            entry=room.entry,
            is_locked=bool(room.is_locked),
            is_hosted=lifecycle.effective(room, now)[0] == "LIVE",
            created_at=room.created_at,
            people=listens,
            cord=tuple(cords.get(room.id, ())),
            track=_track_of(track) if track[0] is not None else None,
            is_paused=playing == "paused",
            moods=moods[room.id],
        )
        for room, host, playing, track, listens in found
    ]


def _room_of(columns: Any) -> Room:
    names = (
        "id", "code", "door_code", "name", "state", "epoch", "advance", "entry", "is_locked", "created_at",
        "host_gone_at", "host_grace_until", "grace_seconds",
    )  # fmt: skip
    *plain, settings = columns
    return Room(settings=json.loads(settings), **dict(zip(names, plain, strict=True)))


def _track_of(columns: Any) -> TrackView:
    names = (column.name for column in TRACK_COLUMNS)
    return tracks.view_of(Track(**dict(zip(names, columns, strict=True))))


def _is_open(room: Room, now: int) -> bool:
    """True while grace, begun or due, has not run out.

    Whether somebody takes over then is not asked here, one question for each room: once that is written down, moments
    later, the room is back.
    """
    if room.state == "GRACE":
        ends_at = room.host_grace_until
    else:
        ends_at = lifecycle.grace_ends_at(room) if room.host_gone_at is not None else None
    return ends_at is None or now < ends_at


def _is_put_away(room: Room) -> bool:
    """A kept room may wait for its host for weeks; with nobody in it there is nothing to find."""
    return room.state == "GRACE" and load(room.settings).keep


def _moods_of(found: list[Room], now: int) -> dict[int, tuple[str, ...]]:
    """The commonest genres of what each room lately played, the song that is on included."""
    global _moods
    keys = {room.id: (room.epoch, room.advance) for room in found}
    # Put together aside: another reading may be under way, and have seen a room a song further on.
    moods = {key: _moods[key] for key in keys.values() if key in _moods}
    unknown = [room_id for room_id, key in keys.items() if key not in moods]
    if unknown:
        heard: dict[int, Counter[str]] = {room_id: Counter() for room_id in unknown}
        for room_id, genre in _lately_played(unknown, now):
            heard[room_id][genre] += 1
        for room_id, genres in heard.items():
            # Of equals, the one heard last comes first: that is the order they were read in.
            moods[keys[room_id]] = tuple(name for name, _ in genres.most_common(MOOD_WORDS))
    _moods = moods
    return {room_id: moods[key] for room_id, key in keys.items()}


def _lately_played(room_ids: list[int], now: int) -> list[Any]:
    back = fn.ROW_NUMBER().over(partition_by=[Play.room], order_by=[Play.id.desc()])
    plays = (
        Play.select(Play.room.alias("room"), Track.genre.alias("genre"), back.alias("back"))
        .join(Item)
        .join(Track)
        .where(Play.room.in_(room_ids), Play.started_at > now - MOOD_MS, Track.genre != "")
    )
    latest = Play.select(plays.c.room, plays.c.genre).from_(plays).where(plays.c.back <= MOOD_PLAYS)
    return rows(latest.order_by(plays.c.room, plays.c.back))


@functools.lru_cache(maxsize=20_000)
def _folded(texts: tuple[str, ...]) -> str:
    return fold("\n".join(texts))


def _place(card: RoomCard) -> tuple[int, int, str]:
    return card.people, card.created_at, card.code


def _rank(sort: str, people: int, created_at: int, code: str) -> tuple[int, int, str]:
    return (-people if sort == "people" else 0, -created_at, code)


def _cursor(card: RoomCard) -> str:
    packed = json.dumps(_place(card), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[int, int, str] | None:
    if not text:
        return None
    try:
        people, created_at, code = json.loads(base64.urlsafe_b64decode(text[:200] + "==="))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Invalid("That part of the list is gone. Begin at the top.") from None
    if not (type(people) is int and type(created_at) is int and isinstance(code, str)):
        raise Invalid("That part of the list is gone. Begin at the top.")
    return people, created_at, code
