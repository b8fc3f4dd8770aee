"""Where somebody stopped: how far one person got with one work in one room. Never touches what the room plays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import EXCLUDED, fn

from models import Item, Member, Play, Progress, Room, Track, rows
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
READ = 3 * SHOWN
"""So many are looked at: some lie in rooms that nobody gets into any more."""
SONG_BELOW_MS = 600_000
"""Without a picture and shorter than this it is a song: where a room skipped one, nobody goes on with it."""
ROOMS_IN_A_ROW = 8
"""So often a room may have been started again before what was begun in the first is forgotten."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where one person is with one work in one room, or in the one it continues. `percent` is 0 to 100."""

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
    """Where the person is with this track's work in this room, else in the newest of those it continues."""
    return _stopped_at(user_id, _rooms_until(room_id), track_id)


def stopped_in(actor: Person, code: str, item_id: int) -> Stopped | None:
    """Where the person is with a track of this room they have a seat in. Raises NotFound, NotAllowed, Over."""
    room, track = _part_taken(actor, code, item_id, now_ms())
    return stopped_at(actor.user_id, room.id, track.id)


def unfinished(user_id: int) -> list[Stopped]:
    """What the person began and did not finish, newest first, in all rooms they may still go into.

    What was begun in a room that was started again is shown with the one it goes on in, unless they heard of it there
    since.
    """
    return _unfinished(user_id, (Room.state != "EXPIRED") | fn.EXISTS(_continuation()))


def in_room(user_id: int, room_id: int, track_id: int | None) -> tuple[list[Stopped], Stopped | None]:
    """The same in one room, without what is in line there; and where they are with the track that plays, if any."""
    row_of = _rooms_until(room_id)
    in_line = Item.select(Item.track).where(Item.room == room_id, Item.state.in_(("waiting", "playing")))
    begun = _unfinished(user_id, Progress.room.in_(row_of), Progress.track.not_in(in_line))
    return begun, _stopped_at(user_id, row_of, track_id) if track_id is not None else None


def forget(actor: Person, code: str, track_id: int) -> None:
    """Take a work off the list of what was begun, here and in the rooms this one continues. Gone already is nothing."""
    with write():
        room = Room.get_or_none(Room.code == code)
        track = Track.get_or_none(Track.id == track_id)
        if room is None or track is None:
            raise NotFound(NO_ROOM)
        Progress.delete().where(
            Progress.user == actor.user_id,
            Progress.room.in_(_rooms_until(room.id)),
            Progress.content == content_of(track),
        ).execute()


def content_of(track: Track) -> str:
    """The work a track is, for progress: one film is one, whoever shows it; each episode is its own."""
    return str(track.content or f"track:{track.id}")


def _stopped_at(user_id: int, row_of: list[int], track_id: int) -> Stopped | None:
    track = Track.get_by_id(track_id)
    known = Progress.select().where(
        Progress.user == user_id, Progress.room.in_(row_of), Progress.content == content_of(track)
    )
    found = min(known, key=lambda each: row_of.index(each.room_id), default=None)
    return _view(found, track) if found else None


def _unfinished(user_id: int, *where: Any) -> list[Stopped]:
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
            Track.is_video | (Progress.duration_ms >= SONG_BELOW_MS) | ~_was_skipped(),
            Member.left_at.is_null() | (Room.owner == user_id),
            *where,
        )
        .order_by(Progress.saved_at.desc(), Progress.id.desc())
        .limit(READ)
    )
    begun = list(query)
    if not begun:
        return []
    later = _rooms_after({row.room_id for row in begun})
    newer = _begun_in(user_id, {room for after in later.values() for room in after})
    open_rooms = _open_to(user_id, {after[-1] if after else room for room, after in later.items()})
    found = []
    for row in begun:
        after = later[row.room_id]
        room = open_rooms.get(after[-1] if after else row.room_id)
        if room is not None and not any((each, row.content) in newer for each in after):
            found.append(_view(row, row.track, room))
    return found[:SHOWN]


def _was_skipped() -> Any:
    """The condition that the work's track was skipped when the room last played it."""
    last = (
        Play.select(Play.end_reason)
        .join(Item)
        .where(Play.room == Progress.room, Item.track == Progress.track)
    )
    return fn.COALESCE(last.order_by(Play.id.desc()).limit(1), "") == "skipped"


def _rooms_until(room_id: int) -> list[int]:
    """A room and those it continues, the newest first."""
    found = [room_id]
    while len(found) < ROOMS_IN_A_ROW:
        before = Room.select(Room.continues).where(Room.id == found[-1]).scalar()
        if before is None:
            break
        found.append(before)
    return found


def _continuation() -> Any:
    newer = Room.alias()
    return newer.select(newer.id).where(newer.continues == Room.id)


def _rooms_after(room_ids: set[int]) -> dict[int, list[int]]:
    """The rooms each of these goes on in, the newest last."""
    after: dict[int, list[int]] = {room_id: [] for room_id in room_ids}
    for _ in range(ROOMS_IN_A_ROW - 1):
        ends = {rooms[-1] if rooms else room_id for room_id, rooms in after.items()}
        newer = Room.select(Room.continues, Room.id).where(Room.continues.in_(ends))
        goes_on = dict(rows(newer))
        if not goes_on:
            break
        for room_id, found in after.items():
            next_id = goes_on.get(found[-1] if found else room_id)
            if next_id is not None:
                found.append(next_id)
    return after


def _begun_in(user_id: int, room_ids: set[int]) -> set[tuple[int, str]]:
    """The rooms and works of which the person heard anything, to the end or not."""
    if not room_ids:
        return set()
    heard = Progress.select(Progress.room, Progress.content)
    return set(rows(heard.where(Progress.user == user_id, Progress.room.in_(room_ids))))


def _open_to(user_id: int, room_ids: set[int]) -> dict[int, Room]:
    """Those of the rooms that are not over and that the person may go into."""
    is_seated = Member.left_at.is_null() | (Room.owner == user_id)
    found = Room.select().join(Member, on=((Member.room == Room.id) & (Member.user == user_id)))
    now = now_ms()
    return {
        room.id: room
        for room in found.where(Room.id.in_(room_ids), is_seated)
        if lifecycle.effective(room, now)[0] != "EXPIRED"
    }


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
