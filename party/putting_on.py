"""A whole playlist goes on a room's line, in its order and under the room's rules; what stays behind says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models import Item, PlaylistEntry, Room, Track, rows
from party import adding, playlists, suggestions
from party.change import NO_ROOM, Person, change, write
from party.errors import Conflict, NotFound, Refusal, TooMany
from party.line import LINE_FULL
from party.settings import load

AT_ONCE = 25
"""So many tracks share one transaction, so that nobody waits long for theirs."""
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

    `stopped` is the sentence of a limit that was reached, for the `behind` ones that follow it.
    """

    added: int
    suggested: int
    left: tuple[tuple[str, int], ...]
    stopped: str
    behind: int

    @property
    def sentence(self) -> str:
        """The whole story in a few words."""
        words = [f"{self.added} went on." if self.added or not self.suggested else ""]
        if self.suggested:
            words.append(f"{self.suggested} wait for the host’s word.")
        words += [f"{count} {WHY[why][count > 1]}." for why, count in self.left]
        if self.stopped:
            words.append(f"{self.behind} stayed behind: {self.stopped}")
        return " ".join(word for word in words if word)


def put_on_line(
    actor: Person, code: str, playlist_id: int, links: Mapping[str, Mapping[str, Any]] | None = None
) -> PutOn:
    """Put everything of one's playlist on a room's line, in order. `links` are what links are, as add_link takes it.

    Raises the room's refusal where this person may put nothing on at all.
    """
    entries = playlists.entries_of(playlists.own(actor, playlist_id).id)
    _need_to_add(actor, code)
    done = _Done(actor, code, links or {})
    for start in range(0, len(entries), AT_ONCE):
        if done.stopped:
            break
        with write():
            for entry in entries[start : start + AT_ONCE]:
                done.take(entry)
    return PutOn(
        done.added, done.suggested, tuple(sorted(done.left.items())), done.stopped, len(entries) - done.seen
    )


class _Done:
    """What became of the tracks so far."""

    def __init__(self, actor: Person, code: str, links: Mapping[str, Mapping[str, Any]]) -> None:
        self.actor, self.code, self.links = actor, code, links
        self.added = self.suggested = self.seen = 0
        self.left: Counter[str] = Counter()
        self.stopped = ""
        room = Room.get(Room.code == code)
        self.room_id, self.is_open = room.id, load(room.settings).explicit

    def take(self, entry: PlaylistEntry) -> None:
        """One more, unless a limit was reached."""
        if self.stopped:
            return
        why = self._why_not(entry)
        if why:
            self.left[why] += 1
        else:
            try:
                self._put(entry)
            except (TooMany, Conflict) as refusal:
                if isinstance(refusal, Conflict) and not self._is_full():
                    self.left[IN_LINE if "already" in refusal.message else BROKEN] += 1
                else:
                    self.stopped = refusal.message
                    return
            except Refusal:
                self.left[BROKEN] += 1
        self.seen += 1

    def _put(self, entry: PlaylistEntry) -> None:
        if entry.track_id is not None:
            is_wish = suggestions.offer_item(self.actor, self.code, entry.track_id)
        else:
            added = adding.add_link(self.actor, self.code, **self.links[entry.link])
            is_wish = added.suggestion_id is not None
            if added.item_id is not None:
                PlaylistEntry.update(track=Item.get_by_id(added.item_id).track_id).where(
                    PlaylistEntry.id == entry.id
                ).execute()
        self.suggested += is_wish
        self.added += not is_wish

    def _why_not(self, entry: PlaylistEntry) -> str:
        if entry.track_id is None:
            return "" if entry.link in self.links else WORDS_ONLY
        track = Track.get_by_id(entry.track_id)
        if track.state == "failed" or track.is_hidden:
            return BROKEN
        if track.is_explicit and not self.is_open:
            return EXPLICIT
        waits = Item.select().where(
            Item.room == self.room_id, Item.track == track, Item.state == "waiting", ~Item.is_filler
        )
        return IN_LINE if waits.exists() else ""

    def _is_full(self) -> bool:
        return bool(
            Item.select().where(Item.room == self.room_id, Item.state == "waiting").count() >= LINE_FULL
        )


def unknown_links(actor: Person, playlist_id: int) -> list[str]:
    """Links of a playlist's lines that have no track yet."""
    living = PlaylistEntry.playlist == playlists.own(actor, playlist_id), PlaylistEntry.removed_at.is_null()
    query = PlaylistEntry.select(PlaylistEntry.link).where(*living, PlaylistEntry.track.is_null())
    return [link for (link,) in rows(query.distinct()) if link]


def _need_to_add(actor: Person, code: str) -> None:
    if not Room.select().where(Room.code == code).exists():
        raise NotFound(NO_ROOM)
    with change(actor, code, may="see") as c:
        if not c.can("suggest_item"):
            c.need("add_item")
