"""What may be seen of a room now, with the number it is true for; read in one read transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from models import Item, Playback, Room, Track, Vote, database, is_sqlite, rows
from party import lifecycle, reads
from party.clock import now_ms
from party.errors import NotFound
from party.line import PRESENT_MS
from party.ordering import MODES, Entry, Line, Reason, order
from party.views import (
    PEOPLE_SHOWN,
    ItemView,
    PersonView,
    PlaybackView,
    PlayedView,
    ReasonView,
    Snapshot,
    TrackView,
)

HISTORY_SHOWN = 50
MEMORY_SHOWN = 1_000
VOTERS_SHOWN = 40
ROLE_ORDER = {"host": 0, "cohost": 1, "guest": 2}


def take(code: str, known: Snapshot | None = None) -> Snapshot:
    """The room as it stands; `known` itself when that is still true. Raises NotFound."""
    with reading():
        room = Room.get_or_none(Room.code == code)
        if room is None:
            raise NotFound("No room answers to that code. It may have changed: ask for the new one.")
        reader = _Reader(room)
        return known if known is not None and reader.is_still(known) else reader.snapshot()


def heads(codes: list[str]) -> list[tuple[str, int]]:
    """The numbers of several rooms."""
    found: list[tuple[str, int]] = []
    for start in range(0, len(codes), 500):
        found += rows(Room.select(Room.code, Room.seq).where(Room.code.in_(codes[start : start + 500])))
    return found


def mine(code: str, user_id: int) -> tuple[int, str, dict[int, int], list[int]] | None:
    """One person's own share: seat, role, votes on waiting items, own waiting items. None without a seat."""
    seats = reads.seat(code, user_id)
    if not seats:
        return None
    [(member_id, role)] = seats
    items = [item_id for (item_id,) in reads.items_of(member_id)]
    return member_id, role, dict(reads.votes_of(member_id)), items


def stakeholders(item_ids: set[int]) -> frozenset[int]:
    """The seats that put these items on the line or voted for them."""
    owners = Item.select(Item.added_by).where(Item.id.in_(item_ids))
    voters = Vote.select(Vote.member).where(Vote.item.in_(item_ids))
    return frozenset(member_id for (member_id,) in [*rows(owners), *rows(voters)])


@contextmanager
def reading() -> Iterator[None]:
    """A read transaction: everything in it is seen at one moment."""
    handle = database.obj
    if handle.in_transaction():
        yield
        return
    with handle.atomic() if is_sqlite() else handle.atomic(isolation_level="REPEATABLE READ"):
        yield


class _Reader:
    """Reads one room; each person and track is made into a view once."""

    def __init__(self, room: Room) -> None:
        self.room, self.now = room, now_ms()
        self.state, self.until = lifecycle.effective(room, self.now)
        self.here = self._read_here()
        self.persons: dict[int, PersonView] = {}

    def is_still(self, known: Snapshot) -> bool:
        """True when nothing was logged since, and what is not in the log, time and presence, stands as it did."""
        return (known.epoch, known.seq, known.state, known.grace_until_ms, known.here) == (
            self.room.epoch,
            self.room.seq,
            self.state,
            self.until,
            self.here,
        )

    def snapshot(self) -> Snapshot:
        room, state = self.room, self.state
        playback = Playback.get_by_id(room.id)
        self._read_people()
        return Snapshot(
            id=room.id,
            code=room.code,
            name=room.name,
            state=state,
            mode=room.mode,
            epoch=room.epoch,
            seq=room.seq,
            grace_until_ms=self.until,
            host=next((person for person in self.persons.values() if person.role == "host"), None),
            playback=_playback_view(playback, state),
            now=self._now(playback) if state != "EXPIRED" else None,
            items=self._waiting(playback),
            people=self._here(),
            here=self.here,
            history=self._history(),
            member_roles=tuple(self.roles),
        )

    def _read_here(self) -> frozenset[int]:
        here = reads.present_members(self.room.id, self.now - PRESENT_MS)
        return frozenset(member_id for (member_id,) in here)

    def _read_people(self) -> None:
        self.roles: list[tuple[int, str]] = []
        for member_id, name, color, is_ringed, role, left_at in reads.everybody(self.room.id):
            if left_at is None:
                self.roles.append((member_id, role))
            self.persons[member_id] = PersonView(
                member_id, name, initials(name), color, bool(is_ringed), role, member_id in self.here
            )

    def _here(self) -> tuple[PersonView, ...]:
        present = [person for person in self.persons.values() if person.is_here]
        present.sort(key=lambda person: (ROLE_ORDER[person.role], person.id))
        return tuple(present[:PEOPLE_SHOWN])

    def _waiting(self, playback: Playback) -> tuple[ItemView, ...]:
        entries, parts = [], {}
        for row in reads.items(self.room.id, "waiting"):
            entry = Entry(*row[:9])
            entries.append(entry)
            parts[entry.id] = (entry, row[9], _track_view(*row[10:]))
        locked_id = None if MODES[self.room.mode].uses_positions else playback.locked_item_id
        placed = order(Line(self.room.mode, entries, locked_id=locked_id))
        views = []
        for number, place in enumerate(placed):
            entry, adder, track = parts[place.entry_id]
            reason = _reason_view(place.reason, parts) if number == 0 else None
            is_locked = number == 0 and entry.id == locked_id
            views.append(self._item_view(entry, adder, track, reason, is_locked))
        return tuple(views)

    def _item_view(
        self,
        entry: Entry,
        adder: int,
        track: TrackView,
        reason: ReasonView | None = None,
        is_locked: bool = False,
    ) -> ItemView:
        voters: tuple[PersonView, ...] = ()
        if reason is not None:
            up = reads.voters(entry.id, VOTERS_SHOWN)
            voters = tuple(self.persons[member_id] for (member_id,) in up)
        return ItemView(
            entry.id,
            track,
            self._quiet(adder),
            entry.up,
            entry.down,
            entry.up - entry.down,
            entry.pin_position is not None,
            is_locked,
            reason,
            tuple(self._still(voter) for voter in voters),
        )

    def _quiet(self, member_id: int) -> PersonView:
        return self._still(self.persons[member_id])

    @staticmethod
    def _still(person: PersonView) -> PersonView:
        """The person without presence or role, so that a row does not change when somebody comes or goes."""
        return PersonView(
            person.id, person.name, person.initials, person.color, person.is_ringed, "guest", True
        )

    def _now(self, playback: Playback) -> ItemView | None:
        if playback.item_id is None:
            return None
        [row] = reads.items(self.room.id, "playing")
        return self._item_view(Entry(*row[:9]), row[9], _track_view(*row[10:]))

    def _history(self) -> tuple[PlayedView, ...]:
        most = MEMORY_SHOWN if self.room.state == "EXPIRED" else HISTORY_SHOWN
        return tuple(
            PlayedView(
                play, item, _track_view(*track), self._quiet(adder), int(votes), started, reason == "skipped"
            )
            for play, item, started, reason, adder, votes, *track in reads.plays(self.room.id, most)
        )


_tracks: dict[tuple[Any, ...], TrackView] = {}
"""Track views already made: a library is small, a line is read for every change."""


def _track_view(*columns: Any) -> TrackView:
    view = _tracks.get(columns)
    if view is None:
        track_id, title, artist, album, genre, duration_ms, hue, audio, cover, added_at = columns
        view = TrackView(
            track_id,
            title,
            artist,
            album,
            genre,
            duration_ms,
            hue,
            f"/tracks/{track_id}/audio?v={_version(audio, added_at)}",
            f"/tracks/{track_id}/cover?v={_version(cover, added_at)}",
        )
        if len(_tracks) > 20_000:
            _tracks.clear()
        _tracks[columns] = view
    return view


def _version(file: str, added_at: int) -> str:
    """What makes a file's address its own: numbers are given out again in a fresh database, browsers keep a year."""
    return blake2b(f"{file} {added_at}".encode(), digest_size=4).hexdigest()


def track_view(track: Track) -> TrackView:
    """A library row as templates see it."""
    return _track_view(*(getattr(track, column.name) for column in reads.TRACK_COLUMNS))


def _playback_view(playback: Playback, state: str) -> PlaybackView:
    if state == "EXPIRED":
        return PlaybackView(None, "idle", 0, playback.at_ms, playback.rate, playback.version)
    return PlaybackView(
        playback.item_id,
        playback.state,
        playback.position_ms,
        playback.at_ms,
        playback.rate,
        playback.version,
    )


def _reason_view(reason: Reason, parts: dict[int, Any]) -> ReasonView:
    other = parts[reason.other_id][2].title if reason.other_id is not None else ""
    return ReasonView(reason.code, reason.votes, other)


def initials(name: str) -> str:
    """One or two letters for a face: the first of the first two words, or the first two of one word."""
    words = name.split()
    letters = words[0][:1] + words[1][:1] if len(words) > 1 else name[:2]
    return letters if letters.isupper() else letters[:1].upper() + letters[1:]
