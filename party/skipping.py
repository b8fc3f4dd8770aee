"""Skipping together: the people present may end a track that nobody wants. Leaders skip alone (party.playback.skip)."""

from __future__ import annotations

from models import Play, Room, SkipVote, rows
from party import reads
from party.change import CLOCK, Actor, Change, change
from party.errors import Conflict
from party.line import PRESENT_MS
from party.playback import START_LEAD_MS, end_item, position_at, start_next

PROTECTED_MS = 15_000
"""A track is safe from votes while less than this of it was heard."""


def needed(awake: int) -> int:
    """How many votes pass with `awake` people present and not idle: max(min(2, E), ceil(E / 2)), at least one."""
    return max(min(2, awake), -(-awake // 2), 1)


def vote_skip(actor: Actor, code: str, play_id: int, *, lead_ms: int = START_LEAD_MS) -> bool:
    """Vote to end the track that is on. True when that decided it. Raises Conflict for another play, or too early.

    Whoever put the track on ends it at once, whatever the room's rule about skipping.
    """
    with change(actor, code, may="remove_own_item") as c:
        is_on = c.playback.play_id == play_id
        is_own = is_on and c.playback.item.added_by_id == c.seat.id
        if not is_own:
            c.need("vote_skip")
        if not is_on:
            raise Conflict("That track is over already.")
        if not is_own and position_at(c.playback, c.now) < PROTECTED_MS:
            raise Conflict("Give it a chance: the first 15 seconds are safe.")
        if SkipVote.get_or_none(SkipVote.play == play_id, SkipVote.member == c.member) is None:
            SkipVote.insert(play=play_id, member=c.member, cast_at=c.now).execute()
            c.log("skip_voted", play_id=play_id)
        if not is_own and not _passes(c.room, play_id, c.now):
            return False
        _move_on(c, lead_ms)
        return True


def withdraw_skip(actor: Actor, code: str, play_id: int) -> None:
    """Take a vote to skip back. None to take back, or a play that is over, changes nothing."""
    with change(actor, code, may="vote_skip") as c:
        if c.playback.play_id != play_id:
            return
        if SkipVote.delete().where(SkipVote.play == play_id, SkipVote.member == c.member).execute():
            c.log("skip_withdrawn", play_id=play_id)


def settle_skip(code: str) -> bool:
    """The clock's turn: people left, so the votes that are there may be enough by now. True when they were."""
    with change(CLOCK, code, may="advance") as c:
        play_id = c.playback.play_id
        if play_id is None or c.settings.skip != "vote" or position_at(c.playback, c.now) < PROTECTED_MS:
            return False
        if not _passes(c.room, play_id, c.now):
            return False
        _move_on(c, START_LEAD_MS)
        return True


def contested_rooms() -> list[str]:
    """Codes of the rooms in which somebody wants the playing track skipped."""
    wanted = SkipVote.select(Room.code).join(Play).join(Room).where(Play.ended_at.is_null()).distinct()
    return [str(code) for (code,) in rows(wanted)]


def present(room_id: int, now: int) -> tuple[set[int], set[int]]:
    """The seats that have a screen open, and those of them that somebody touched lately."""
    found = reads.present_members(room_id, now - PRESENT_MS)
    return {row[0] for row in found}, {row[0] for row in found if not row[1]}


def _move_on(c: Change, lead_ms: int) -> None:
    end_item(c, "skipped")
    start_next(c, lead_ms)


def _passes(room: Room, play_id: int, now: int) -> bool:
    """Of those who voted only the people who are still here count."""
    here, awake = present(room.id, now)
    voters = {
        member_id for (member_id,) in rows(SkipVote.select(SkipVote.member).where(SkipVote.play == play_id))
    }
    return bool(voters & here) and len(voters & here) >= needed(len(awake))
