"""What those who run the site see across rooms: rooms, people, tracks and long work, searched and in pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import JOIN, SQL, fn

from models import Item, Job, Member, Presence, Room, Session, Track, User, rows
from party import files, lifecycle
from party.clock import now_ms
from party.errors import Invalid
from party.library import NUL, fold
from party.line import PRESENT_MS
from party.rooms import readings

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what was looked for. `page` counts from 1; `total` is how much there is."""

    rows: tuple[Any, ...]
    search: str
    page: int
    total: int

    @property
    def has_more(self) -> bool:
        return self.page * PAGE < self.total


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room. `here` counts the people with a screen open."""

    code: str
    door_code: str
    name: str
    state: str
    visibility: str
    host: str
    here: int
    waiting: int
    created_at: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person; `email` is empty for a guest, `banned_until` None while no end is set."""

    id: int
    name: str
    email: str
    is_admin: bool
    is_banned: bool
    banned_until: int | None
    reason: str
    rooms: int
    sessions: int
    created_at: int


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A track of the library, shown or hidden. One that `is_brought` has a file that can be deleted."""

    id: int
    title: str
    artist: str
    is_hidden: bool
    is_explicit: bool
    used: int
    is_brought: bool
    file_bytes: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """Long work, and when its worker was seen last."""

    name: str
    done: int
    total: int
    seen_at: int


def find_rooms(search: str = "", state: str = "", page: int = 1) -> Page:
    """Rooms by name or code, newest first. `state` is open, ended or empty for both."""
    query = Room.select(Room, User).join(
        Member, JOIN.LEFT_OUTER, on=((Member.room == Room.id) & (Member.role == "host"))
    )
    query = query.join(User, JOIN.LEFT_OUTER, on=(Member.user == User.id))
    if state in ("open", "ended"):
        query = query.where((Room.state == "EXPIRED") == (state == "ended"))
    search = _typed(search)
    if search:
        codes = readings(search)
        query = query.where(Room.name.contains(search) | Room.code.in_(codes) | Room.door_code.in_(codes))
    total = query.count()
    found = list(query.order_by(Room.id.desc()).paginate(_page(page), PAGE).objects())
    here, waiting = _here([room.id for room in found]), _waiting([room.id for room in found])
    now = now_ms()
    shown = tuple(
        RoomRow(
            room.code,
            room.spoken_code,
            room.name,
            lifecycle.effective(room, now)[0],
            room.visibility,
            room.display_name or "",
            here.get(room.id, 0),
            waiting.get(room.id, 0),
            room.created_at,
        )
        for room in found
    )
    return Page(shown, search, page, total)


def find_people(search: str = "", page: int = 1) -> Page:
    """People by name, address or number, newest first."""
    query, search = User.select(), _typed(search)
    if search:
        number = int(search) if search.isascii() and search.isdigit() and len(search) < 10 else 0
        query = query.where(
            User.display_name.contains(search) | User.email.contains(search.lower()) | (User.id == number)
        )
    total = query.count()
    found = list(query.order_by(User.id.desc()).paginate(_page(page), PAGE))
    ids, now = [user.id for user in found], now_ms()
    seats = _counted(Member, Member.user, ids, Member.left_at.is_null())
    alive = _counted(Session, Session.user, ids, Session.expires_at > now)
    shown = tuple(
        PersonRow(
            user.id,
            user.display_name,
            user.email or "",
            bool(user.is_admin),
            is_banned(user, now),
            user.banned_until,
            user.ban_reason,
            seats.get(user.id, 0),
            alive.get(user.id, 0),
            user.created_at,
        )
        for user in found
    )
    return Page(shown, search, page, total)


def find_tracks(search: str = "", which: str = "", page: int = 1) -> Page:
    """Tracks by title, artist or album. `which` is hidden, explicit, brought or empty for all."""
    query, search = Track.select(), _typed(search)
    for word in fold(search).split()[:12]:
        query = query.where(Track.search.contains(word))
    if which in ("hidden", "explicit"):
        query = query.where(Track.is_hidden if which == "hidden" else Track.is_explicit)
    if which == "brought":
        query = query.where(*files.is_brought())
    total = query.count()
    found = list(query.order_by(Track.search, Track.id).paginate(_page(page), PAGE))
    used = _counted(Item, Item.track, [track.id for track in found])
    shown = tuple(
        TrackRow(
            track.id,
            track.title,
            track.artist,
            bool(track.is_hidden),
            bool(track.is_explicit),
            used.get(track.id, 0),
            not track.is_listed and track.media_file != "",
            track.size_bytes,
        )
        for track in found
    )
    return Page(shown, search, page, total)


def jobs() -> list[JobRow]:
    """Long work, by name."""
    return [JobRow(job.name, job.done, job.total, job.seen_at) for job in Job.select().order_by(Job.name)]


def is_banned(user: User, now: int) -> bool:
    """True while the whole site is closed to this person."""
    return user.banned_at is not None and (user.banned_until is None or user.banned_until > now)


def _typed(search: str) -> str:
    return search[:100].replace(NUL, "").strip()


def _page(page: int) -> int:
    if not 1 <= page <= 100_000:
        raise Invalid("There is no such page.")
    return page


def _here(ids: list[int]) -> dict[int, int]:
    seats = Presence.select(Member.room, fn.COUNT(fn.DISTINCT(Presence.member))).join(Member)
    alive = (Presence.seen_at > now_ms() - PRESENT_MS) & Member.room.in_(ids)
    return dict(rows(seats.where(alive).group_by(Member.room)))


def _waiting(ids: list[int]) -> dict[int, int]:
    return _counted(Item, Item.room, ids, Item.state == "waiting")


def _counted(table: Any, column: Any, ids: list[int], *where: Any) -> dict[int, int]:
    counts = table.select(column, fn.COUNT(SQL("*"))).where(column.in_(ids), *where).group_by(column)
    return dict(rows(counts))
