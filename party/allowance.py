"""How much one person may put on a line, and which tracks a room takes: the limits that its settings draw."""

from __future__ import annotations

from models import Item, Member, Suggestion, Track, locking, rows
from party import shelf
from party.change import Change
from party.errors import Conflict, NotAllowed, NotFound, TooMany
from party.line import read_line
from party.ordering import order
from party.permissions import COHOST, HOST

MINUTE_MS = 60_000
NO_TRACK = "That track is not in the library."
SUGGESTED_MOST = 20
"""More suggestions than this of one person wait in no room, whatever its settings."""

NUMBERS = (
    "No",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
)


def chosen_track(c: Change, track_id: int) -> Track:
    """A fitting track that the actor may choose, since it is shown to them. Raises as fitting_track."""
    track = Track.get_or_none(Track.id == track_id)
    # Asked first: what is wrong with it is nobody's business who cannot find it.
    if track is None or not shelf.is_known(track, c.room.id, c.seat.user_id):
        raise NotFound(NO_TRACK)
    return fitting_track(c, track_id)


def fitting_track(c: Change, track_id: int) -> Track:
    """A track that this room's line may take. Raises NotFound, or NotAllowed for one that is too explicit for it."""
    known = Track.select().where(Track.id == track_id, Track.is_hidden == False)  # noqa: E712
    # As by the row that is going to name it: what is being found out about it is known here, or tells that row.
    track: Track | None = locking(known, to_name=True).first()
    if track is None:
        raise NotFound(NO_TRACK)
    if track.state == "failed":
        raise Conflict(track.failure or "That one cannot be played here.")
    if track.is_explicit and not c.settings.explicit:
        raise NotAllowed(f"This room leaves explicit tracks out, and {track.title} is one.")
    return track


def refuse_too_many(c: Change, member: Member) -> None:
    """Raise TooMany when as many tracks of one person wait as may. The host has no such limit."""
    most = c.settings.max_waiting
    if c.role == HOST or not most:
        return
    own = {item_id for (item_id,) in rows(Item.select(Item.id).where(_waits_of(c, Item, member)))}
    if len(own) + Suggestion.select().where(_waits_of(c, Suggestion, member)).count() < most:
        return
    first = next(
        (placed.entry_id for placed in order(read_line(c.room, c.playback)) if placed.entry_id in own), None
    )
    when = "once the host has decided" if first is None else f"after {Item.get_by_id(first).track.title}"
    raise TooMany(f"{_in_words(most)} at a time. Your next spot opens {when}.")


def refuse_too_many_suggestions(c: Change) -> None:
    """Raise TooMany when one person's suggestions would bury the host."""
    refuse_too_many(c, c.seat)
    if Suggestion.select().where(_waits_of(c, Suggestion, c.seat)).count() >= SUGGESTED_MOST:
        raise TooMany(f"{SUGGESTED_MOST} of yours wait for the host already. Let them have a look first.")


def refuse_too_fast(c: Change) -> None:
    """Raise TooMany when a guest put on, or suggested, as many tracks within a minute as may."""
    most = c.settings.adds_per_minute
    if c.role in (HOST, COHOST) or not most:
        return
    since = c.now - MINUTE_MS
    # What was suggested counts when it was suggested, not again when it was let onto the line.
    suggested = Suggestion.select(Suggestion.item).where(
        Suggestion.member == c.seat, Suggestion.item.is_null(False)
    )
    added = Item.select(Item.added_at).where(
        Item.room == c.room,
        Item.added_by == c.seat,
        Item.added_at > since,
        Item.id.not_in(suggested),
        ~Item.is_filler,
    )
    asked = Suggestion.select(Suggestion.asked_at).where(
        Suggestion.room == c.room, Suggestion.member == c.seat, Suggestion.asked_at > since
    )
    times = sorted(at for (at,) in [*rows(added), *rows(asked)])
    if len(times) >= most:
        wait = (times[-most] + MINUTE_MS - c.now + 999) // 1000
        raise TooMany(f"Easy. You can put on another in {wait} s.")


def _waits_of(c: Change, table: type[Item] | type[Suggestion], member: Member) -> object:
    whose = table.added_by if table is Item else table.member
    waits = (table.room == c.room) & (whose == member) & (table.state == "waiting")
    # What the room put on by itself is nobody's.
    return waits & ~Item.is_filler if table is Item else waits


def _in_words(number: int) -> str:
    return NUMBERS[number] if number < len(NUMBERS) else str(number)
