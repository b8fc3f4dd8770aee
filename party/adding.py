"""Links: what somebody pasted goes on the line at once; what it is, the clock finds out meanwhile (party.lookups)."""

from __future__ import annotations

from dataclasses import dataclass

from models import Item, Playback, Room, Suggestion, Track
from party import lookups, shelf, suggestions, work
from party.change import Change, Person, change, write
from party.clock import now_ms
from party.errors import NotAllowed, NotFound
from party.names import one_line
from party.playback import position_at

NO_LINKS = "Links are switched off in this room."


@dataclass(frozen=True, slots=True)
class Added:
    """Where a link went: onto the line, or among the suggestions."""

    item_id: int | None
    suggestion_id: int | None


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a frame of another site shows in a room, and where it stands now."""

    reference: str
    hue: str
    position_ms: int


def add_link(
    actor: Person,
    code: str,
    *,
    provider: str,
    key: str,
    reference: str,
    player: str,
    title: str,
    is_video: bool = False,
    content: str = "",
) -> Added:
    """Put what a link names on the line, or suggest it where this person has to.

    The same link is the same track. One that failed before is looked up anew, also where it still stands.
    """
    slug = f"{provider}-{key}"
    with write():
        failed = lookups.hold((Track.slug == slug) & (Track.state == "failed"), code)
        with change(actor, code, may="see") as c:
            if not c.settings.links:
                raise NotAllowed(NO_LINKS)
            track = found_or_made(
                c,
                provider=provider,
                key=key,
                reference=reference,
                player=player,
                title=title,
                is_video=is_video,
                content=content,
            )
            shelf.hold(track, c.room.id, c.seat.user_id, c.now)
            if failed is not None:
                c.need_to_offer()
                lookups.begin_anew(failed)
                standing = Item.get_or_none(_in_room(c.room), Item.track == track, Item.state == "waiting")
                if standing is not None:
                    return Added(int(standing.id), None)
        if suggestions.offer_item(actor, code, track.id):
            wish = Suggestion.get(
                Suggestion.room == c.room, Suggestion.track == track, Suggestion.state == "waiting"
            )
            return Added(None, int(wish.id))
        item = Item.get(_in_room(c.room), Item.track == track, Item.state.in_(("waiting", "playing")))
        return Added(int(item.id), None)


def look_again(actor: Person, code: str, item_id: int) -> None:
    """Have a track that could not be had looked up once more. One that is not broken is left as it is."""
    with write():
        item = Item.get_or_none(Item.id == item_id)
        is_broken = (Track.state == "failed") & (Track.reference != "")
        failed = lookups.hold((Track.id == (item.track_id if item else 0)) & is_broken, code)
        with change(actor, code, may="see") as c:
            c.need_to_offer()
            c.waiting_item(item_id)
            if failed is not None:
                lookups.begin_anew(failed)


def embedded(code: str, item_id: int) -> Embedded:
    """What the frame of an item shows that is on, or waits, in this room. Raises NotFound."""
    item = (
        Item.select(Item, Track)
        .join(Track)
        .switch(Item)
        .join(Room)
        .where(
            Item.id == item_id,
            Room.code == code,
            Item.state.in_(("waiting", "playing")),
            Track.player == "embed",
            Track.state == "ready",
        )
        .first()
    )
    if item is None:
        raise NotFound("That track is not on this line.")
    playback = Playback.get_or_none(Playback.item == item)
    position_ms = position_at(playback, now_ms()) if playback else 0
    return Embedded(item.track.reference, item.track.hue, position_ms)


def found_or_made(
    c: Change, *, provider: str, key: str, title: str, is_video: bool = False, **facts: str
) -> Track:
    """The track that a link names, in the open transaction: as it is known, or made and handed over to be looked up."""
    slug = f"{provider}-{key}"
    track = Track.get_or_none(Track.slug == slug)
    if track is None:
        # Somebody else may paste the same at this moment: then theirs is the track.
        Track.insert(
            slug=slug,
            title=one_line(title)[: lookups.WORDS_LONGEST],
            artist="",
            media_file="",
            cover_file="",
            search="",
            added_at=c.now,
            is_video=is_video,
            state="looking_up",
            looked_up_at=c.now,
            provider=provider,
            **facts,
        ).on_conflict_ignore().execute()
        track = Track.get(Track.slug == slug)
        work.hand_over("look_up", track.id)
    return track


def _in_room(room: Room) -> object:
    return Item.room == room
