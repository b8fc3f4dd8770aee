"""What may be seen of a room now, with the number it is true for; read in one read transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from models import (
    Item,
    Member,
    Playback,
    Room,
    SkipVote,
    SubtitleChoice,
    Suggestion,
    Vote,
    database,
    is_sqlite,
    rows,
)
from party import lifecycle, reads, tracks
from party.change import NO_ROOM
from party.clock import now_ms
from party.errors import NotFound
from party.line import PRESENT_MS
from party.ordering import MODES, Entry, Line, Reason, order
from party.permissions import standing
from party.settings import load
from party.skipping import needed
from party.views import (
    PEOPLE_SHOWN,
    ItemView,
    KnockView,
    PersonView,
    PlaybackView,
    PlayedView,
    ReasonView,
    SkipView,
    Snapshot,
    SubtitleView,
    SuggestionView,
    TrackView,
)

HISTORY_SHOWN = 50
MEMORY_SHOWN = 1_000
VOTERS_SHOWN = 40
ANSWERS_SHOWN = 5
ROLE_ORDER = {"host": 0, "cohost": 1, "guest": 2}


def take(code: str, known: Snapshot | None = None) -> Snapshot:
    """The room as it stands; `known` itself when that is still true. Raises NotFound."""
    with reading():
        room = Room.get_or_none(Room.code == code)
        if room is None:
            raise NotFound(NO_ROOM)
        reader = _Reader(room)
        return known if known is not None and reader.is_still(known) else reader.snapshot()


def heads(codes: list[str]) -> list[tuple[str, int]]:
    """The numbers of several rooms."""
    found: list[tuple[str, int]] = []
    for start in range(0, len(codes), 500):
        found += rows(Room.select(Room.code, Room.seq).where(Room.code.in_(codes[start : start + 500])))
    return found


@dataclass(frozen=True, slots=True)
class Share:
    """What is one person's own: seat, the role they act in, votes by item, own waiting items and suggestions.

    `suggested` is their waiting suggestions by track; `answers` the last ones that were decided, newest first: id,
    state, title, by whom, reason. `skips` is the play they voted to skip; `muted_until` (epoch ms) while they may not
    talk; `is_asking` while they wait for the controls; `is_owner` opened the room. `subtitle` is what they read with
    the playing track.
    """

    member_id: int
    role: str
    votes: dict[int, int]
    items: list[int]
    suggested: dict[int, int]
    skips: int | None
    muted_until: int | None
    controls_until: int | None
    is_owner: bool
    has_account: bool
    is_asking: bool = False
    answers: tuple[tuple[int, str, str, str, str], ...] = ()
    subtitle: int | None = None

    @property
    def answers_text(self) -> str:
        """The answers as JSON, for our scripts."""
        return json.dumps(self.answers) if self.answers else ""


def mine(code: str, user_id: int) -> Share | None:
    """One person's own share. None without a seat."""
    seats = reads.seat(code, user_id)
    if not seats:
        return None
    now = now_ms()
    [(member_id, role, email, controls_until, muted_until, asked, visibility, settings, owner_id, words)] = (
        seats
    )
    acting = standing(
        role,
        has_account=email is not None,
        controls_until=controls_until,
        now=now,
        is_listed=visibility == "public",
        settings=load(json.loads(settings)),
    )
    return Share(
        member_id,
        acting,
        dict(reads.votes_of(member_id)),
        [item_id for (item_id,) in reads.items_of(member_id)],
        dict(reads.suggestions_of(member_id)),
        next((play_id for (play_id,) in reads.skips_of(member_id)), None),
        muted_until if muted_until and muted_until > now else None,
        controls_until if controls_until and controls_until > now else None,
        owner_id == user_id,
        email is not None,
        asked is not None,
        tuple(tuple(row) for row in reads.answers_to(member_id, ANSWERS_SHOWN)),
        words,
    )


def stakeholders(
    item_ids: set[int], play_ids: set[int] | None = None, suggestion_ids: set[int] | None = None
) -> frozenset[int]:
    """The seats these items, plays or suggestions mean something to.

    Who put the items on, voted for them or reads words with them; wanted the plays skipped; made the suggestions.
    """
    found = rows(Item.select(Item.added_by).where(Item.id.in_(item_ids)))
    found += rows(
        Item.select(Member.id)
        .join(SubtitleChoice, on=(SubtitleChoice.track == Item.track))
        .join(Member, on=((Member.user == SubtitleChoice.user) & (Member.room == Item.room)))
        .where(Item.id.in_(item_ids))
    )
    found += rows(Vote.select(Vote.member).where(Vote.item.in_(item_ids)))
    if play_ids:
        found += rows(SkipVote.select(SkipVote.member).where(SkipVote.play.in_(play_ids)))
    if suggestion_ids:
        found += rows(Suggestion.select(Suggestion.member).where(Suggestion.id.in_(suggestion_ids)))
    return frozenset(member_id for (member_id,) in found)


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
        self.settings = load(room.settings)
        self.state, self.until = lifecycle.effective(room, self.now)
        self.here, self.idle = self._read_here()
        self.persons: dict[int, PersonView] = {}

    def is_still(self, known: Snapshot) -> bool:
        """True when nothing was logged since, and what is not in the log, time and presence, stands as it did."""
        return (known.epoch, known.seq, known.state, known.grace_until_ms, known.here, known.idle) == (
            self.room.epoch,
            self.room.seq,
            self.state,
            self.until,
            self.here,
            self.idle,
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
            fence=room.fence,
            grace_until_ms=self.until,
            host=next((person for person in self.persons.values() if person.role == "host"), None),
            playback=_playback_view(playback, state),
            now=self._now(playback) if state != "EXPIRED" else None,
            items=self._waiting(playback),
            people=self._here(),
            here=self.here,
            idle=self.idle,
            history=self._history(),
            member_roles=tuple(self.roles),
            settings=self.settings,
            visibility=room.visibility,
            entry=room.entry,
            is_locked=bool(room.is_locked),
            door_code=room.spoken_code,
            knocks=tuple(KnockView(*row) for row in reads.knocks(room.id, self.now)),
            suggestions=self._suggestions(),
            control_asks=tuple(self._quiet(member_id) for member_id in self.asking),
            drivers=tuple(self._quiet(member_id) for member_id, role in self.roles if role == "driver"),
            offered_host=self._quiet(self.offered) if self.offered else None,
            heir=self._heir(),
            paused_by=self._quiet(playback.paused_by_id) if playback.paused_by_id else None,
            skip=self._skip(playback),
            **self._beside(playback),
        )

    def _beside(self, playback: Playback) -> dict[str, Any]:
        """What belongs to the playing track alone and is too much for every row."""
        if playback.item_id is None or self.state == "EXPIRED":
            return {}
        found = reads.beside_playing(playback.item_id)
        words = tuple(
            SubtitleView(
                number, label, language, f"/media/subtitles/{number}/{tracks.mark(number, file, at)}"
            )
            for _, number, label, language, file, at in found
            if number is not None
        )
        return {"peaks": found[0][0], "subtitles": words}

    def _suggestions(self) -> tuple[SuggestionView, ...]:
        return tuple(
            SuggestionView(suggestion_id, tracks.view(*track), self._quiet(member_id))
            for suggestion_id, member_id, *track in reads.suggestions(self.room.id)
        )

    def _heir(self) -> PersonView | None:
        heir = lifecycle.heir(self.room, self.now) if self.state == "GRACE" else None
        return self._quiet(heir) if heir is not None else None

    def _skip(self, playback: Playback) -> SkipView | None:
        if playback.play_id is None:
            return None
        voters = {member_id for (member_id,) in reads.skip_voters(playback.play_id)}
        return SkipView(playback.play_id, len(voters & self.here), needed(len(self.here - self.idle)))

    def _read_here(self) -> tuple[frozenset[int], frozenset[int]]:
        """Who has a screen open, and which of them nobody touched for a while."""
        rows_here = reads.present_members(self.room.id, self.now - PRESENT_MS)
        awake = {member_id for member_id, is_idle, _ in rows_here if not is_idle}
        here = frozenset(member_id for member_id, *_ in rows_here)
        return here, here - awake

    def _read_people(self) -> None:
        self.roles: list[tuple[int, str]] = []
        self.asking: list[int] = []
        self.offered: int | None = None
        is_listed = self.room.visibility == "public"
        for row in reads.everybody(self.room.id):
            member_id, name, color, is_ringed, role, left_at, email, muted, controls, asked, offered = row
            acting = standing(
                role,
                has_account=email is not None,
                controls_until=controls,
                now=self.now,
                is_listed=is_listed,
                settings=self.settings,
            )
            if left_at is None:
                self.roles.append((member_id, acting))
                if asked is not None:
                    self.asking.append(member_id)
                if offered is not None:
                    self.offered = member_id
            self.persons[member_id] = PersonView(
                member_id,
                name,
                initials(name),
                color,
                bool(is_ringed),
                role,
                member_id in self.here,
                member_id in self.idle,
                muted is not None and muted > self.now,
            )

    def _here(self) -> tuple[PersonView, ...]:
        present = [person for person in self.persons.values() if person.is_here]
        present.sort(key=lambda person: (ROLE_ORDER[person.role], person.id))
        return tuple(present[:PEOPLE_SHOWN])

    def _waiting(self, playback: Playback) -> tuple[ItemView, ...]:
        entries, parts = [], {}
        for row in reads.items(self.room.id, "waiting"):
            entry, adder, track = _parts(row)
            entries.append(entry)
            parts[entry.id] = (entry, adder, track)
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
            entry.is_filler,
        )

    def _quiet(self, member_id: int) -> PersonView:
        return self._still(self.persons[member_id])

    @staticmethod
    def _still(person: PersonView) -> PersonView:
        """The person without presence or role, so that a row does not change when somebody comes or goes."""
        return replace(person, role="guest", is_here=True, is_idle=False, is_muted=False)

    def _now(self, playback: Playback) -> ItemView | None:
        if playback.item_id is None:
            return None
        [row] = reads.items(self.room.id, "playing")
        return self._item_view(*_parts(row))

    def _history(self) -> tuple[PlayedView, ...]:
        most = MEMORY_SHOWN if self.room.state == "EXPIRED" else HISTORY_SHOWN
        return tuple(self._played(*row) for row in reads.plays(self.room.id, most))

    def _played(self, play: int, item: int, at: int, reason: str, adder: int, *rest: Any) -> PlayedView:
        is_filler, votes, *track = rest
        by, was_skipped = self._quiet(adder), reason == "skipped"
        return PlayedView(play, item, tracks.view(*track), by, int(votes), at, was_skipped, bool(is_filler))


def _parts(row: Any) -> tuple[Entry, int, TrackView]:
    """A row of reads.items: what orders it, who put it on, its track."""
    return Entry(*row[:9], *map(bool, row[9:11])), row[11], tracks.view(*row[12:])


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
