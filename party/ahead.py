"""The links of the playlist that plays on: a few become tracks before their turn comes, so that they can have one."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from models import Item, Play, Playlist, PlaylistEntry, Room, Track, rows
from party.change import Change

NEW_AHEAD = 5
"""While fewer of a playlist's tracks are new to the room, more of its links are brought in: so many at a time."""
AGAIN_MS, ROOMS_REMEMBERED = 60_000, 10_000

# The links handed over last in each room, and when. What is lost with a process is handed over once more.
_handed: OrderedDict[str, tuple[int, int]] = OrderedDict()


def is_living(playlist: Playlist) -> Any:
    """The condition that a line is in the playlist, and was not taken out."""
    return (PlaylistEntry.playlist == playlist) & PlaylistEntry.removed_at.is_null()


def lines(playlist: Playlist, *columns: Any) -> Any:
    """What a playlist holds that is a track by now."""
    return PlaylistEntry.select(*columns).join(Track).where(is_living(playlist))


def links_of(playlist: Playlist) -> list[str]:
    """Its links that are no tracks yet, each once, in its order."""
    query = PlaylistEntry.select(PlaylistEntry.position, PlaylistEntry.link).where(
        is_living(playlist), PlaylistEntry.track.is_null(), PlaylistEntry.link != ""
    )
    # Sorted here and not by the database: its collation need not be the keys' own byte order.
    return list(dict.fromkeys(link for _, link in sorted(rows(query))))


def next_links(c: Change, playlist: Playlist, may_come: Any) -> list[str]:
    """The links whose turn nears; none where links are off, or while enough that may come is new to the room."""
    if not c.settings.links:
        return []
    played = Play.select(Item.track).join(Item).where(Play.room == c.room)
    taken_off = Item.select(Item.track).where(
        Item.room == c.room, Item.is_filler, Item.state == "removed", Item.removed_by.is_null(False)
    )
    # One that was asked for in vain is waited for no longer.
    comes = (Track.state == "ready") | (Track.tries <= 1)
    new = lines(playlist, Track.id).where(
        may_come, comes, Track.id.not_in(played), Track.id.not_in(taken_off)
    )
    return links_of(playlist) if new.distinct().count() < NEW_AHEAD else []


def is_due(room: Room, links: list[str], now: int) -> bool:
    """True where there are links to hand over; the same ones once a minute, since those that nobody reads stay."""
    before, at = _handed.get(room.epoch, (0, 0))
    mark = hash(tuple(links))
    if not links or (before == mark and at <= now < at + AGAIN_MS):
        return False
    _handed[room.epoch] = (mark, now)
    _handed.move_to_end(room.epoch)
    if len(_handed) > ROOMS_REMEMBERED:
        _handed.popitem(last=False)
    return True
