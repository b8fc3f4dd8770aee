"""Starting again: a new room with what an ended one left, and what the memory of an ended room offers to whom."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models import Ban, Event, Item, Member, Play, Playback, Room, Track, Vote
from party import lifecycle
from party.change import NO_ROOM, Person, ban_on, locked_room, settle, write
from party.clock import now_ms
from party.errors import Conflict, NotAllowed, NotFound
from party.progress import DONE_PERCENT, WORTH_MS
from party.rooms import fresh_code

ROWS_AT_ONCE = 300
"""SQLite limits how many values one statement may carry."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What one person may do with an ended room. `left` is how many tracks still waited when it ended.

    `next_code` is the room it goes on in, empty for those who had no seat or are banned from it. `stood_at_ms` is where
    what played stood, 0 where nothing is worth going back to.
    """

    may_start_again: bool
    may_delete: bool
    left: int
    next_code: str
    stood_at_ms: int = 0


def memory_of(code: str, user_id: int | None) -> Memory:
    """What an ended room offers to this person. Raises NotFound."""
    room = Room.get_or_none(Room.code == code)
    if room is None:
        raise NotFound(NO_ROOM)
    left = Item.select().where(Item.room == room, Item.state == "waiting", ~Item.is_filler).count()
    member = _seat(room, user_id)
    if user_id is None or (member is None and room.owner_id != user_id):
        return Memory(False, False, left, "")
    newer = Room.get_or_none(Room.continues == room)
    is_theirs = _is_theirs(room, member, user_id)
    is_shut_out = any(ban_on(each, user_id, now_ms()) for each in (room, newer) if each is not None)
    next_code = str(newer.code) if newer is not None and not is_shut_out else ""
    _, stood_at_ms = _stood(room)
    return Memory(is_theirs and newer is None, is_theirs, left, next_code, stood_at_ms)


def start_again(actor: Person, code: str) -> str:
    """Open a new room with what an ended one left: its owner, or who hosted it last. Returns the new room's code.

    Name, order, settings, doors, seats, bans, what waits and its votes go along, and what played, paused where it
    stood; a second press finds the same room.
    """
    settle(code)
    with write():
        old, now = locked_room(code), now_ms()
        member = _seat(old, actor.user_id)
        if not _is_theirs(old, member, actor.user_id):
            if old.visibility == "private" and (member is None or member.left_at is not None):
                raise NotFound(NO_ROOM)
            raise NotAllowed("Only the host, or whoever opened the room, may start it again.")
        if lifecycle.effective(old, now)[0] != "EXPIRED":
            raise Conflict("This party is still on.")
        known = Room.get_or_none(Room.continues == old)
        room = known or _continue(old, actor.user_id, now)
        return str(room.code)


def _seat(room: Room, user_id: int | None) -> Member | None:
    member: Member | None = Member.get_or_none(Member.room == room, Member.user == user_id)
    return member


def _is_theirs(room: Room, member: Member | None, user_id: int | None) -> bool:
    return room.owner_id == user_id or (member is not None and member.role == "host")


def _continue(old: Room, host_id: int, now: int) -> Room:
    room = Room.create(
        code=fresh_code(),
        name=old.name,
        mode=old.mode,
        epoch=secrets.token_hex(8),
        # What waits keeps its age, which is counted in songs.
        advance=old.advance,
        grace_seconds=old.grace_seconds,
        created_at=now,
        owner=old.owner_id or host_id,
        visibility=old.visibility,
        entry=old.entry,
        password_hash=old.password_hash,
        is_locked=old.is_locked,
        settings=old.settings,
        continues=old,
    )
    Playback.create(room=room, at_ms=now, force_insert=True)
    log = _Log(room, now)
    seats = _carry_seats(old, room, host_id, now, log)
    playing, stood_at_ms = _stood(old)
    items = _carry_items(old, playing, room, seats, now, log)
    _carry_votes(items, seats, log)
    if playing is not None:
        host = Member.get(Member.room == room, Member.role == "host")
        _carry_stage(room, items[playing.id], stood_at_ms, host.id, now, log)
    _carry_bans(old, room, seats, now, log)
    log.write()
    room.save()
    return room


class _Log:
    """The new room's first rows, written in one go: a long line must not keep others from the database."""

    def __init__(self, room: Room, now: int) -> None:
        self._room, self._now, self._rows = room, now, []  # type: ignore[var-annotated]

    def add(self, kind: str, actor_id: int | None, **data: Any) -> int:
        """One row; its number."""
        self._room.seq += 1
        row = {"room": self._room.id, "seq": self._room.seq, "kind": kind, "actor": actor_id, "data": data}
        self._rows.append(row | {"at": self._now})
        return int(self._room.seq)

    def write(self) -> None:
        _insert(Event, self._rows)


def _carry_seats(old: Room, room: Room, host_id: int, now: int, log: _Log) -> dict[int, int]:
    """Everybody's seat, in the colour they had; by the old seat's id. Whoever starts again is the host."""
    before = list(Member.select().where(Member.room == old).order_by(Member.id))
    fresh = []
    for member in before:
        is_host = member.user_id == host_id
        role = "host" if is_host else ("guest" if member.role == "guest" else "cohost")
        is_muted = not is_host and member.muted_until is not None and member.muted_until > now
        fresh.append(
            {
                "room": room.id,
                "user": member.user_id,
                "role": role,
                "color": member.color,
                "is_ringed": member.is_ringed,
                "joined_at": now,
                "left_at": None if is_host else member.left_at,
                "network_hash": member.network_hash,
                "muted_until": member.muted_until if is_muted else None,
            }
        )
    _insert(Member, fresh)
    after = {member.user_id: member for member in Member.select().where(Member.room == room)}
    host = after[host_id]
    log.add("room_opened", host.id, advance=room.advance)
    for member in after.values():
        if member.id != host.id:
            log.add("person_joined", member.id, member_id=member.id)
            if member.role == "cohost":
                log.add("role_changed", host.id, member_id=member.id, role="cohost")
            if member.left_at is not None:
                log.add("person_left", member.id, member_id=member.id)
    if room.mode != Room.mode.default:
        log.add("mode_changed", host.id, mode=room.mode)
    return {member.id: after[member.user_id].id for member in before}


def _stood(old: Room) -> tuple[Item | None, int]:
    """What was on when the room ended, and where it stood; nothing where it had hardly begun, or was all but over.

    What the room put on by itself is nobody's to go back to.
    """
    position_ms = int(Playback.select(Playback.position_ms).where(Playback.room == old).scalar() or 0)
    if position_ms < WORTH_MS:
        return None, 0
    last = (Play.room == old) & (Play.ended_at == old.expired_at) & (Play.end_reason == "finished")
    items = Item.select(Item, Track).join(Track).switch(Item).join(Play)
    item = items.where(last).order_by(Play.id.desc()).first()
    if item is None or item.is_filler or item.track.state != "ready":
        return None, 0
    length = item.track.duration_ms or item.length_ms
    is_done = bool(length) and position_ms * 100 >= length * DONE_PERCENT
    return (None, 0) if is_done else (item, position_ms)


def _carry_items(
    old: Room, playing: Item | None, room: Room, seats: dict[int, int], now: int, log: _Log
) -> dict[int, int]:
    """What played, and what waits with its place, pin and age, numbered as it was put on; by the old item's id."""
    is_wanted = (Item.room == old) & (Item.state == "waiting") & ~Item.is_filler
    waiting = Item.select().where(is_wanted).order_by(Item.added_seq, Item.id)
    before = [*([playing] if playing is not None else []), *waiting]
    fresh = [
        {
            "room": room.id,
            "track": item.track_id,
            "state": "playing" if item is playing else "waiting",
            "length_ms": item.length_ms,
            "added_by": seats[item.added_by_id],
            "position": item.position,
            "pin_position": item.pin_position,
            "added_seq": room.seq + place,
            "added_at_advance": old.advance if item is playing else item.added_at_advance,
            "guard_limit": item.guard_limit,
            "overtakes": item.overtakes,
            "added_at": now,
        }
        for place, item in enumerate(before, 1)
    ]
    _insert(Item, fresh)
    after = list(Item.select().where(Item.room == room).order_by(Item.added_seq))
    for item, new in zip(before, after, strict=True):
        log.add("item_added", seats[item.added_by_id], item_id=new.id)
    return {item.id: new.id for item, new in zip(before, after, strict=True)}


def _carry_stage(room: Room, item_id: int, position_ms: int, host_id: int, now: int, log: _Log) -> None:
    """The stage as it was left, paused in the host's name: nothing but a person starts it again."""
    started = Play.create(room=room, item=item_id, started_at=now)
    room.advance += 1
    Playback.update(
        item=item_id,
        play=started,
        state="paused",
        position_ms=position_ms,
        at_ms=now,
        version=Playback.version + 1,
        paused_by=host_id,
    ).where(Playback.room == room).execute()
    log.add("item_started", host_id, item_id=item_id, play_id=started.id)
    log.add("playback_changed", host_id, action="pause", position_ms=position_ms)


def _carry_votes(items: dict[int, int], seats: dict[int, int], log: _Log) -> None:
    fresh = []
    for some in _chunks(list(items)):
        for vote in Vote.select().where(Vote.item.in_(some)).order_by(Vote.id):
            item_id, member_id = items[vote.item_id], seats[vote.member_id]
            fresh.append({"item": item_id, "member": member_id, "value": vote.value, "cast_at": vote.cast_at})
            log.add("vote_cast", member_id, item_id=item_id, value=vote.value)
    _insert(Vote, fresh)


def _carry_bans(old: Room, room: Room, seats: dict[int, int], now: int, log: _Log) -> None:
    by_user = {member.user_id: member.id for member in Member.select().where(Member.room == room)}
    holds = Ban.lifted_at.is_null() & (Ban.until.is_null() | (Ban.until > now))
    for ban in Ban.select().where(Ban.room == old, holds):
        made = Ban.create(
            room=room,
            user=ban.user_id,
            network_hash=ban.network_hash,
            reason=ban.reason,
            banned_by=seats.get(ban.banned_by_id) if ban.banned_by_id else None,
            banned_at=ban.banned_at,
            until=ban.until,
        )
        if ban.user_id in by_user:
            log.add("person_banned", made.banned_by_id, member_id=by_user[ban.user_id], ban_id=made.id)


def _insert(table: Any, fresh: list[dict[str, Any]]) -> None:
    for some in _chunks(fresh):
        table.insert_many(some).execute()


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), ROWS_AT_ONCE):
        yield values[start : start + ROWS_AT_ONCE]
