"""What tests build instead of loading data files."""

from __future__ import annotations

from dataclasses import dataclass

from models import Event, Room, Track
from party import entry, queue, snapshot
from party import library as house_library
from party.change import Person
from party.views import Snapshot

SONG_MS = 100_000


@dataclass(frozen=True)
class Cast:
    """A room and its people. `members` are the seats' ids by name; `tracks` the library's ids."""

    code: str
    ada: Person
    ben: Person
    cleo: Person
    dan: Person
    members: dict[str, int]
    tracks: list[int]

    def add(self, count: int, by: Person | None = None) -> list[int]:
        """Put the first tracks that were never used on the line; the ids of their items."""
        used = {play.track.id for play in self.seen().history} | {item.track.id for item in self.seen().items}
        if self.seen().now:
            used.add(self.seen().now.track.id)
        free = [track for track in self.tracks if track not in used]
        return [queue.add_item(by or self.ada, self.code, track) for track in free[:count]]

    def seen(self) -> Snapshot:
        """The room as it stands."""
        return snapshot.take(self.code)

    def line(self) -> list[int]:
        """The ids of the waiting items in order."""
        return [item.id for item in self.seen().items]

    def room(self) -> Room:
        """The room's row."""
        return Room.get(Room.code == self.code)

    def kinds(self, after: int = 0) -> list[str]:
        """The kinds of the log's rows above a number."""
        rows = Event.select().where(Event.room == self.room(), Event.seq > after).order_by(Event.seq)
        return [row.kind for row in rows]


def library(count: int, first: int = 0) -> list[int]:
    """That many tracks of a hundred seconds each; their ids."""
    for number in range(first, first + count):
        house_library.add_track(
            slug=f"song-{number}",
            title=f"Song {number}",
            artist=f"Artist {number % 3}",
            album="An album",
            genre=("rock", "jazz", "waltz")[number % 3],
            duration_ms=SONG_MS,
            media_file=f"audio/{number}.mp3",
            cover_file=f"covers/{number}.webp",
            hue=str(number * 15 % 360),
        )
    slugs = [f"song-{number}" for number in range(first, first + count)]
    return [track.id for track in Track.select().where(Track.slug.in_(slugs)).order_by(Track.id)]


def set_access(host: Person, code: str, visibility: str, way: str, password: str = "") -> None:
    """How a room is entered, with a password as it is typed: hashed first, as the page does."""
    entry.set_access(host, code, visibility, way, entry.new_password(host, code, way, password))


def enter_with_password(person: Person, code: str, password: str, network_hash: str) -> int:
    """A seat for somebody who types the password; its id."""
    found, key = entry.check_password(code, password, person.user_id, network_hash, knew=True)
    return entry.enter_with_key(person, found, key, network_hash)
