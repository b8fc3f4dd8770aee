"""The links of the playlist that plays on: a few become tracks before their turn comes, so that they can have one."""

from __future__ import annotations

from typing import Any

from models import Item, Play, Playlist, PlaylistEntry, Track, rows
from party.change import Change

NEW_AHEAD = 5
"""While fewer of a playlist's tracks are new to the room, more of its links are brought in: so many at a time."""


def lines(playlist: Playlist, *columns: Any) -> Any:
    """What a playlist holds that is a track by now."""
    found = PlaylistEntry.select(*columns).join(Track)
    return found.where(PlaylistEntry.playlist == playlist, PlaylistEntry.removed_at.is_null())


def links_of(playlist: Playlist) -> list[str]:
    """Its links that are no tracks yet, each once, in its order."""
    query = PlaylistEntry.select(PlaylistEntry.position, PlaylistEntry.link).where(
        PlaylistEntry.playlist == playlist,
        PlaylistEntry.removed_at.is_null(),
        PlaylistEntry.track.is_null(),
        PlaylistEntry.link != "",
    )
    # Sorted here and not by the database: its collation need not be the keys' own byte order.
    return list(dict.fromkeys(link for _, link in sorted(rows(query))))


def next_links(c: Change, playlist: Playlist, may_come: Any) -> list[str]:
    """The links whose turn nears; none where links are off, or while enough that may come is new to the room."""
    if not c.settings.links:
        return []
    played = Play.select(Item.track).join(Item).where(Play.room == c.room)
    new = lines(playlist, Track.id).where(may_come, Track.id.not_in(played))
    return links_of(playlist) if new.distinct().count() < NEW_AHEAD else []
