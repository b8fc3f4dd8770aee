"""A room's rows, read whole and at one moment for the auditor: the same few queries whatever the room holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models import (
    Ban,
    Event,
    Invite,
    Item,
    Knock,
    Member,
    Message,
    Play,
    Playback,
    Presence,
    Reaction,
    Room,
    SkipVote,
    Suggestion,
    Track,
    Vote,
    rows,
)
from party.replay import Row


@dataclass(frozen=True)
class Books:
    """The rows of one room. Each list holds named tuples with the table's columns."""

    room: Room
    log: list[Row]
    members: list[Any]
    presences: list[Any]
    items: list[Any]
    votes: list[Any]
    plays: list[Any]
    playback: Any
    skips: list[Any]
    suggestions: list[Any]
    knocks: list[Any]
    bans: list[Any]
    invites: list[Any]
    messages: list[Any]
    reactions: list[Any]
    unplayable: frozenset[int]

    def is_playable(self, track_id: int) -> bool:
        """True unless the track is still looked up, or cannot be played."""
        return track_id not in self.unplayable

    @property
    def is_over(self) -> bool:
        return bool(self.room.state == "EXPIRED")


def read(room: Room) -> Books:
    """The room's rows; inside a read transaction they belong to one moment."""
    log = Event.select(Event.seq, Event.kind, Event.actor, Event.data, Event.at).where(Event.room == room.id)
    items = Item.select(Item.id).where(Item.room == room.id)
    members = Member.select(Member.id).where(Member.room == room.id)
    plays = Play.select(Play.id).where(Play.room == room.id)
    messages = Message.select(Message.id).where(Message.room == room.id)
    unplayable = Track.select(Track.id).join(Item).where(Item.room == room.id, Track.state != "ready")
    stages = _of(Playback, Playback.room == room.id)
    return Books(
        room=room,
        log=[Row(*row) for row in rows(log.order_by(Event.seq))],
        members=_of(Member, Member.room == room.id),
        presences=_of(Presence, Presence.member.in_(members)),
        items=_of(Item, Item.room == room.id),
        votes=_of(Vote, Vote.item.in_(items) | Vote.member.in_(members)),
        plays=_of(Play, Play.room == room.id),
        playback=stages[0] if stages else None,
        skips=_of(SkipVote, SkipVote.play.in_(plays)),
        suggestions=_of(Suggestion, Suggestion.room == room.id),
        knocks=_of(Knock, Knock.room == room.id),
        bans=_of(Ban, Ban.room == room.id),
        invites=_of(Invite, Invite.room == room.id),
        messages=_of(Message, Message.room == room.id),
        reactions=_of(Reaction, Reaction.message.in_(messages)),
        unplayable=frozenset(track_id for (track_id,) in rows(unplayable)),
    )


def _of(table: Any, where: Any) -> list[Any]:
    return list(table.select().where(where).order_by(table._meta.primary_key).namedtuples())
