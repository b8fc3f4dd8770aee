"""The line as the ordering sees it: the waiting items with their votes, read in one query."""

from __future__ import annotations

from peewee import JOIN, Case, fn

from models import Item, Member, Playback, Presence, Room, Track, Vote, rows
from party.ordering import Entry, Line, next_up

PRESENT_MS = 45_000
"""A seat is here while its newest sign of life is younger than this."""

LINE_FULL = 1_000
"""More waiting items than this help nobody; further adds are refused."""


def read_line(room: Room, playback: Playback) -> Line:
    """The room's waiting line, ready for ordering.order()."""
    up = fn.COUNT(Case(None, [(Vote.value == 1, 1)]))
    down = fn.COUNT(Case(None, [(Vote.value == -1, 1)]))
    waiting = (
        Item.select(
            Item.id,
            Item.added_seq,
            Item.added_at_advance,
            up,
            down,
            Item.position,
            Item.pin_position,
            Item.guard_limit,
            Item.overtakes,
            Track.state == "ready",
            Item.is_filler,
        )
        .join(Vote, JOIN.LEFT_OUTER)
        .switch(Item)
        .join(Track)
        .where(Item.room == room.id, Item.state == "waiting")
        .group_by(Item.id, Track.id)
    )
    entries = tuple(Entry(*row[:9], *map(bool, row[9:])) for row in rows(waiting))
    return Line(mode=room.mode, entries=entries, locked_id=playback.locked_item_id)


def head(room: Room, playback: Playback) -> int | None:
    """The item that would play now, or None."""
    return next_up(read_line(room, playback))


def active_seats(room: Room, now: int) -> int:
    """How many seats have a screen open, at least one."""
    query = (
        Presence.select(fn.COUNT(fn.DISTINCT(Presence.member)))
        .join(Member)
        .where(Member.room == room.id, Presence.seen_at > now - PRESENT_MS)
    )
    return max(1, int(query.scalar() or 0))
