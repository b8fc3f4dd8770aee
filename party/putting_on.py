"""A whole playlist goes on a room's line, in its order and under the room's rules; what stays behind says why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models import Item, PlaylistEntry, Room, Track, rows
from party import adding, ahead, playlists, suggestions
from party.allowance import NO_TRACK
from party.change import NO_ROOM, Person, change, write
from party.errors import Busy, Conflict, NotAllowed, NotFound, Refusal
from party.line import LINE_FULL
from party.settings import load

AT_ONCE = 5
"""So many tracks share one transaction, so that nobody waits long for theirs."""
BREATH_SECONDS = 0.01
"""Between two transactions: whoever waits for theirs looks again about so often."""
WORDS_ONLY, IN_LINE, EXPLICIT, BROKEN = "words", "in_line", "explicit", "broken"
WHY = {
    WORDS_ONLY: ("is words only so far", "are words only so far"),
    IN_LINE: ("was in line already", "were in line already"),
    EXPLICIT: ("is too explicit for this room", "are too explicit for this room"),
    BROKEN: ("cannot be played here", "cannot be played here"),
}


@dataclass(frozen=True, slots=True)
class PutOn:
    """How many went on the line, or among the suggestions, and how many did not, by reason.

    `stopped` is the sentence that ended it, a limit's or the room's, for the `behind` ones that follow it.
    """

    added: int
    suggested: int
    left: tuple[tuple[str, int], ...]
    stopped: str
    behind: int

    @property
    def sentence(self) -> str:
        """The whole story in a few words."""
        rest = [f"{count} {WHY[why][count > 1]}." for why, count in self.left]
        if self.stopped:
            total = self.added + self.suggested + self.behind + sum(count for _, count in self.left)
            went = [f"{self.added} of {total} were put on"] if self.added or not self.suggested else []
            went += [f"{self.suggested} of {total} were suggested"] if self.suggested else []
            return " ".join([f"{', '.join(went)}: {self.stopped}", *rest])
        words = [f"{self.added} went on." if self.added or not self.suggested else ""]
        if self.suggested:
            words.append(f"{self.suggested} wait for the host’s word.")
        return " ".join(word for word in [*words, *rest] if word)


def put_on_line(
    actor: Person, code: str, playlist_id: int, links: Mapping[str, Mapping[str, Any]] | None = None
) -> PutOn:
    """Put everything of one's playlist on a room's line, in order. `links` are what links are, as add_link takes it.

    A few at a time: what is on stays on, whatever happens to those that follow. Raises the room's refusal where this
    person may put nothing on at all.
    """
    entries = playlists.entries_of(playlists.own(actor, playlist_id).id)
    _need_to_add(actor, code)
    room, known = _Room(actor, code, links or {}), _tracks_of(entries)
    added = suggested = seen = 0
    left: Counter[str] = Counter()
    stopped = ""
    for some in _parts(entries):
        if seen:
            time.sleep(BREATH_SECONDS)
        try:
            with write():
                done = room.take(some, known)
        except Busy as busy:
            stopped = busy.message
            break
        # Counted once it is committed.
        added, suggested, seen = added + done.added, suggested + done.suggested, seen + done.seen
        left += done.left
        stopped = done.stopped
        if stopped:
            break
    return PutOn(added, suggested, tuple(sorted(left.items())), stopped, len(entries) - seen)


@dataclass(slots=True)
class _Done:
    """What became of the tracks of one transaction."""

    added: int = 0
    suggested: int = 0
    seen: int = 0
    left: Counter[str] = field(default_factory=Counter)
    stopped: str = ""


class _Room:
    """Where they go, and for whom."""

    def __init__(self, actor: Person, code: str, links: Mapping[str, Mapping[str, Any]]) -> None:
        self.actor, self.code, self.links = actor, code, links
        room = Room.get(Room.code == code)
        self.room_id, self.is_open = room.id, load(room.settings).explicit

    def take(self, entries: Sequence[PlaylistEntry], known: Mapping[int, Track]) -> _Done:
        """Put these on, in the open transaction, unless something stops it on the way."""
        done, waiting = _Done(), self._waiting()
        for entry in entries:
            why = self._why_not(entry, known, waiting)
            try:
                if not why:
                    is_wish = self._put(entry)
                    done.suggested, done.added = done.suggested + is_wish, done.added + (not is_wish)
                    waiting.add(entry.track_id)
            except Refusal as refusal:
                why = self._reason(refusal)
                if not why:
                    done.stopped = refusal.message
                    break
            if why:
                done.left[why] += 1
            done.seen += 1
        return done

    def _put(self, entry: PlaylistEntry) -> bool:
        """True when it was suggested. A refusal leaves nothing behind."""
        if entry.track_id is not None:
            return suggestions.offer_item(self.actor, self.code, entry.track_id)
        added = adding.add_link(self.actor, self.code, **self.links[entry.link])
        if added.item_id is not None:
            PlaylistEntry.update(track=Item.get_by_id(added.item_id).track_id).where(
                PlaylistEntry.id == entry.id
            ).execute()
        return added.suggestion_id is not None

    def _why_not(self, entry: PlaylistEntry, known: Mapping[int, Track], waiting: set[int | None]) -> str:
        if entry.track_id is None:
            return "" if entry.link in self.links else WORDS_ONLY
        track = known.get(entry.track_id)
        if track is None or track.state == "failed" or track.is_hidden:
            return BROKEN
        if track.is_explicit and not self.is_open:
            return EXPLICIT
        return IN_LINE if entry.track_id in waiting else ""

    def _reason(self, refusal: Refusal) -> str:
        """What a refusal says of this one track; empty when it goes for all that follow as well."""
        if refusal.message in (NO_TRACK, adding.NO_LINKS):
            return BROKEN
        if isinstance(refusal, NotAllowed) and "explicit" in refusal.message:
            return EXPLICIT
        if isinstance(refusal, Conflict) and not self._is_full():
            return IN_LINE if "already" in refusal.message else BROKEN
        return ""

    def _is_full(self) -> bool:
        here = Item.select().where(Item.room == self.room_id, Item.state == "waiting")
        return bool(here.count() >= LINE_FULL)

    def _waiting(self) -> set[int | None]:
        here = Item.select(Item.track).where(
            Item.room == self.room_id, Item.state == "waiting", ~Item.is_filler
        )
        return {track_id for (track_id,) in rows(here)}


def _parts(entries: Sequence[PlaylistEntry]) -> Iterator[Sequence[PlaylistEntry]]:
    """What shares a transaction. A link stands alone: it locks other rooms too, in their order and before its own."""
    some: list[PlaylistEntry] = []
    for entry in entries:
        if some and (len(some) == AT_ONCE or entry.track_id is None or some[-1].track_id is None):
            yield some
            some = []
        some.append(entry)
    if some:
        yield some


def _tracks_of(entries: Sequence[PlaylistEntry]) -> dict[int, Track]:
    """The tracks as they are before anything is locked; the rules look again."""
    columns = Track.id, Track.state, Track.is_hidden, Track.is_explicit
    wanted = sorted({entry.track_id for entry in entries if entry.track_id is not None})
    found: dict[int, Track] = {}
    for start in range(0, len(wanted), 500):
        some = Track.select(*columns).where(Track.id.in_(wanted[start : start + 500]))
        found |= {track.id: track for track in some}
    return found


def unknown_links(actor: Person, playlist_id: int) -> list[str]:
    """Links of a playlist's lines that have no track yet."""
    return ahead.links_of(playlists.own(actor, playlist_id))


def _need_to_add(actor: Person, code: str) -> None:
    if not Room.select().where(Room.code == code).exists():
        raise NotFound(NO_ROOM)
    with change(actor, code, may="see") as c:
        c.need_to_offer()
