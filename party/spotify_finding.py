"""Whose Spotify account may answer for the house: somebody's own for what they brought or look for, else the host's."""

from __future__ import annotations

from typing import Any

from models import Holding, Item, Member, Room, Search, SearchAnswer, Source, Suggestion, Track, rows
from party import lookups, queue
from party.change import Change, write
from party.spotify import KIND


def account_for_track(track_id: int) -> int | None:
    """Whose account may look a track up: of somebody who brought it, or of the host of a room it was brought to."""
    held_by = Holding.select(Holding.user).where(Holding.track == track_id)
    shown = Room.id.in_(Item.select(Item.room).where(Item.track == track_id))
    shown |= Room.id.in_(Suggestion.select(Suggestion.room).where(Suggestion.track == track_id))
    shown |= Room.id.in_(Holding.select(Holding.room).where(Holding.track == track_id))
    hosts = Member.select(Member.user).join(Room).where(Member.role == "host", shown)
    return _first_open(held_by) or _first_open(hosts)


def account_for_room(user_id: int, room_id: int | None) -> int | None:
    """Whose account may search for somebody in a room: their own, or its host's."""
    hosts = Member.select(Member.user).where(Member.role == "host", Member.room == room_id)
    return _first_open([user_id]) or _first_open(hosts)


def account_for_answer(answer_id: int) -> int | None:
    """Whose account may look for the words of a search (party.searching)."""
    search = Search.select().join(SearchAnswer).where(SearchAnswer.id == answer_id).first()
    return account_for_room(search.user_id, search.room_id) if search else None


def mark_explicit(track_id: int) -> None:
    """Spotify says that its words are not for everybody: it leaves the lines of rooms that leave such tracks out."""

    def leave(c: Change) -> None:
        waits = (Item.room == c.room) & (Item.track == track_id) & (Item.state == "waiting")
        items = [] if c.settings.explicit else list(Item.select().where(waits))
        if items:
            queue.take_off(c, items)

    with write():
        if lookups.hold((Track.id == track_id) & (Track.provider == KIND) & ~Track.is_explicit) is None:
            return
        Track.update(is_explicit=True).where(Track.id == track_id).execute()
        for code in sorted({code for code, _ in lookups.places(track_id)}):
            lookups.as_clock(code, leave)


def _first_open(users: Any) -> int | None:
    found = Source.select(Source.id).where(
        Source.kind == KIND, Source.state == "ready", Source.user.in_(users)
    )
    return next((int(source_id) for (source_id,) in rows(found.order_by(Source.id).limit(1))), None)
