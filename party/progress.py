"""Where somebody stopped: how far one person got with one work in one room. Never touches what the room plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import EXCLUDED

from models import Item, Member, Progress, Room, Track
from party import lifecycle, tracks
from party.change import ACCOUNTS_ONLY, NO_ROOM, OVER, Person, role_of, seat_in, write
from party.clock import now_ms
from party.errors import Invalid, NotAllowed, NotFound, Over
from party.permissions import can
from party.settings import load
from party.views import TrackView

SAVE_EVERY_MS = 5_000
"""What comes sooner after the last one is heard and not written, unless it ends the work."""
DONE_PERCENT = 95
"""So far counts as seen to the end: what is left is the credits."""
WORTH_MS = 15_000
"""Whoever heard less than this did not stop anywhere."""
LONGEST_MS = 86_400_000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where one person is with one work in one room. `percent` is 0 to 100."""

    track: TrackView
    position_ms: int
    duration_ms: int
    is_done: bool
    saved_at: int
    room_code: str = ""
    room_name: str = ""

    @property
    def percent(self) -> int:
        if self.is_done:
            return 100
        return min(100, self.position_ms * 100 // self.duration_ms) if self.duration_ms else 0


def save_progress(actor: Person, code: str, item_id: int, position_ms: int, duration_ms: int = 0) -> bool:
    """Remember how far the person got with a track of this room: the newest by our clock counts, repeats are nothing.

    `duration_ms` is what their player says and counts only where we do not know. The position is bounded by the length.
    Returns False when the last one was written a moment ago. Raises Invalid, NotFound, NotAllowed, Over.
    """
    if not 0 <= position_ms <= LONGEST_MS or not 0 <= duration_ms <= LONGEST_MS:
        raise Invalid("That place is outside the track.")
    with write():
        now = now_ms()
        room, track = _part_taken(actor, code, item_id, now)
        length = track.duration_ms or duration_ms
        position = min(position_ms, length) if length else position_ms
        is_done = bool(length) and position * 100 >= length * DONE_PERCENT
        content = content_of(track)
        mine = (Progress.user == actor.user_id) & (Progress.room == room) & (Progress.content == content)
        known = Progress.get_or_none(mine)
        values = {
            "track": track,
            "position_ms": position,
            "duration_ms": length,
            "is_done": is_done,
            "saved_at": now,
        }
        if known is None:
            return _begin(values | {"user": actor.user_id, "room": room, "content": content})
        is_same = (known.position_ms, known.duration_ms) == (position, length)
        # A clock set back would otherwise keep everybody waiting until it caught up.
        is_early = known.saved_at <= now < known.saved_at + SAVE_EVERY_MS
        if is_same or (is_early and not (is_done and not known.is_done)):
            return False
        Progress.update(**values).where(mine).execute()
        return True


def stopped_at(user_id: int, room_id: int, track_id: int) -> Stopped | None:
    """Where the person is with this track's work in this room."""
    track = Track.get_by_id(track_id)
    known = Progress.get_or_none(
        Progress.user == user_id, Progress.room == room_id, Progress.content == content_of(track)
    )
    return _view(known, track) if known else None


def stopped_in(actor: Person, code: str, item_id: int) -> Stopped | None:
    """Where the person is with a track of this room they have a seat in. Raises NotFound, NotAllowed, Over."""
    room, track = _part_taken(actor, code, item_id, now_ms())
    return stopped_at(actor.user_id, room.id, track.id)


def unfinished(user_id: int, room_id: int | None = None) -> list[Stopped]:
    """What the person began and did not finish, newest first, in all rooms they may still look into, or in one of them.

    In one room, without what is in line there already.
    """
    query = (
        Progress.select(Progress, Track, Room)
        .join(Track)
        .switch(Progress)
        .join(Room)
        .join(Member, on=((Member.room == Room.id) & (Member.user == user_id)))
        .where(
            Progress.user == user_id,
            Progress.is_done == False,  # noqa: E712
            Progress.position_ms >= WORTH_MS,
            Progress.duration_ms > 0,
            Track.state == "ready",
            Member.left_at.is_null() | (Room.owner == user_id),
        )
        .order_by(Progress.saved_at.desc(), Progress.id.desc())
        .limit(SHOWN)
    )
    if room_id is not None:
        in_line = Item.select(Item.track).where(Item.room == room_id, Item.state.in_(("waiting", "playing")))
        query = query.where(Progress.room == room_id, Progress.track.not_in(in_line))
    return [_view(row, row.track, row.room) for row in query]


def forget(actor: Person, code: str, track_id: int) -> None:
    """Take a work off the list of what was begun. Gone already changes nothing."""
    with write():
        room = Room.get_or_none(Room.code == code)
        track = Track.get_or_none(Track.id == track_id)
        if room is None or track is None:
            raise NotFound(NO_ROOM)
        Progress.delete().where(
            Progress.user == actor.user_id, Progress.room == room, Progress.content == content_of(track)
        ).execute()


def content_of(track: Track) -> str:
    """The work a track is, for progress: one film is one, whoever shows it; each episode is its own."""
    return str(track.content or f"track:{track.id}")


def _begin(values: dict[str, Any]) -> bool:
    """Write a work's first place. Where another page's first came in between, on PostgreSQL, the newer one counts."""
    wanted = Progress.insert(**values).on_conflict(
        conflict_target=(Progress.user, Progress.room, Progress.content),
        preserve=(
            Progress.track,
            Progress.position_ms,
            Progress.duration_ms,
            Progress.is_done,
            Progress.saved_at,
        ),
        where=EXCLUDED.saved_at > Progress.saved_at,
    )
    return bool(wanted.as_rowcount().execute())


def _part_taken(actor: Person, code: str, item_id: int, now: int) -> tuple[Room, Track]:
    room = Room.get_or_none(Room.code == code)
    if room is None:
        raise NotFound(NO_ROOM)
    member = seat_in(room, actor)
    if lifecycle.effective(room, now)[0] == "EXPIRED":
        raise Over(OVER)
    if not can(role_of(room, member, now), "save_progress", load(room.settings)):
        raise NotAllowed(ACCOUNTS_ONLY)
    item = Item.get_or_none(Item.id == item_id, Item.room == room)
    if item is None:
        raise NotFound("That track is not on this line.")
    return room, item.track


def _view(row: Progress, track: Track, room: Room | None = None) -> Stopped:
    return Stopped(
        tracks.view_of(track),
        row.position_ms,
        row.duration_ms,
        bool(row.is_done),
        row.saved_at,
        room.spoken_code if room else "",
        room.name if room else "",
    )
