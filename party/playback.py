"""Playing: the server-held anchor and who may move it. Position is computed on reading; nothing ticks."""

from __future__ import annotations

from dataclasses import dataclass

from models import Item, Play, Playback, Room, Track
from party import filling
from party.change import CLOCK, Actor, Change, change
from party.clock import now_ms
from party.control import spend_once
from party.ends import end_of
from party.errors import Conflict, Invalid
from party.line import head, read_line
from party.ordering import MODES, lock_threshold_ms, next_up, overtaken_by
from party.reads import LENGTH

START_LEAD_MS = 300
"""How far in the future a start lies, so that every screen can begin at the same instant."""
TOGETHER_LEAD_MS = 4_000
"""The same for a player that nobody can steer: time for a countdown before people press play together."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person's screen showed when they pressed; None where it does not say."""

    version: int | None = None
    item_id: int | None = None


ANYTHING = Seen()


def position_at(playback: Playback, now: int) -> int:
    """Where the item stands at `now`, in milliseconds: p0 + max(0, t − t0) · rate while it plays."""
    if playback.state != "playing":
        return int(playback.position_ms)
    return int(playback.position_ms + max(0, now - playback.at_ms) * playback.rate)


def play(actor: Actor, code: str, *, seen: Seen = ANYTHING, lead_ms: int = START_LEAD_MS) -> None:
    """Go on playing, or start the line when nothing is on. Already playing changes nothing."""
    with change(actor, code, may="control_playback") as c:
        _expect(c, seen)
        if c.playback.state == "idle":
            if not start_next(c, lead_ms):
                raise Conflict("The line is empty. Put something on first.")
            spend_once(c)
        elif c.playback.state == "paused":
            _anchor(c, "playing", c.playback.position_ms, c.now + _lead(c.playback.item_id, lead_ms))
            c.log("playback_changed", action="play", position_ms=c.playback.position_ms)
            spend_once(c)


def pause(actor: Actor, code: str, *, seen: Seen = ANYTHING) -> None:
    """Stop where it is. Already paused, or nothing on, changes nothing."""
    with change(actor, code, may="control_playback") as c:
        _expect(c, seen)
        if c.playback.state == "playing":
            c.playback.paused_by = c.member
            _anchor(c, "paused", _bounded(c, position_at(c.playback, c.now)), c.now)
            c.log("playback_changed", action="pause", position_ms=c.playback.position_ms)
            spend_once(c)


def seek(
    actor: Actor, code: str, position_ms: int, *, seen: Seen = ANYTHING, lead_ms: int = START_LEAD_MS
) -> None:
    """Move to a position of the playing item; playing goes on playing, paused stays paused."""
    with change(actor, code, may="control_playback") as c:
        _expect(c, seen)
        if c.playback.item_id is None:
            raise Conflict("Nothing is playing.")
        if not 0 <= position_ms <= (_duration(c) or position_ms):
            raise Invalid("That place is outside the track.")
        lead_ms = _lead(c.playback.item_id, lead_ms) if c.playback.state == "playing" else 0
        _anchor(c, c.playback.state, position_ms, c.now + lead_ms)
        c.log("playback_changed", action="seek", position_ms=position_ms)
        spend_once(c)


def restart(actor: Actor, code: str, *, seen: Seen = ANYTHING, lead_ms: int = START_LEAD_MS) -> None:
    """Back to the start of the item that is on."""
    seek(actor, code, 0, seen=seen, lead_ms=lead_ms)


def skip(actor: Actor, code: str, *, seen: Seen = ANYTHING, lead_ms: int = START_LEAD_MS) -> None:
    """End the item that is on and start the next; with an empty line the room falls quiet."""
    with change(actor, code, may="skip_item") as c:
        _expect(c, seen)
        if c.playback.item_id is None:
            raise Conflict("Nothing is playing.")
        end_item(c, "skipped")
        start_next(c, lead_ms)
        spend_once(c)


def advance(code: str, play_id: int, *, lead_ms: int = START_LEAD_MS) -> bool:
    """The clock's turn: the play reached its end. Early, late and repeated calls do nothing. True when it advanced."""
    with change(CLOCK, code, may="advance") as c:
        playback = c.playback
        is_due = playback.ends_at is not None and c.now >= playback.ends_at
        if playback.play_id != play_id or playback.state != "playing" or not is_due:
            return False
        end_item(c, "finished")
        start_next(c, lead_ms)
        if c.settings.keep and c.settings.when_away == "pause" and c.room.state == "GRACE":
            _anchor(c, "paused" if c.playback.play_id else "idle", 0, c.now)
        return True


FORGOTTEN_MS = 1_500
"""So long after its end a play counts as forgotten by the worker."""


def forgotten_play(code: str) -> int | None:
    """The open play of a room that should have ended a while ago, or None."""
    late = (
        Playback.select(Playback.play)
        .join(Room)
        .where(Room.code == code, Playback.state == "playing", Playback.ends_at < now_ms() - FORGOTTEN_MS)
    )
    return late.scalar()


def lock_next(code: str, play_id: int) -> bool:
    """The clock's turn: the song is nearly over, so the head of the line stays. True when it was locked now."""
    with change(CLOCK, code, may="advance") as c:
        if c.playback.play_id != play_id:
            return False
        return hold_lock(c)


def hold_lock(c: Change) -> bool:
    """Freeze the head once the playing song has little left, before anything else changes the line."""
    playback = c.playback
    if (
        MODES[c.room.mode].uses_positions
        or playback.state != "playing"
        or playback.locked_item_id is not None
    ):
        return False
    if playback.ends_at is None or c.now < lock_at(playback):
        return False
    first = head(c.room, playback)
    if first is None or Item.get_by_id(first).is_filler:
        # What the room put on by itself yields to whatever somebody puts on, to the very end.
        return False
    playback.locked_item_id = first
    Playback.update(locked_item=first).where(Playback.room == c.room).execute()
    c.log("next_locked", item_id=first)
    return True


def renew_lock(c: Change) -> None:
    """The host's hand goes before the lock: after it, whatever stands first is what is frozen."""
    if c.playback.locked_item_id is not None:
        c.playback.locked_item = None
        Playback.update(locked_item=None).where(Playback.room == c.room).execute()
        hold_lock(c)


def lock_at(playback: Playback) -> int:
    """The instant from which the head of the line is frozen."""
    return int(playback.ends_at or 0) - lock_threshold_ms(length_of(playback.item_id))


def length_of(item_id: int | None) -> int:
    """How long an item is, in ms; 0 while it is not known, and for what has no end."""
    return int(Item.select(LENGTH).join(Track).where(Item.id == item_id).scalar() or 0)


def start_next(c: Change, lead_ms: int = START_LEAD_MS) -> bool:
    """Start whatever the ordering puts first. False, and quiet, when nothing may play."""
    filling.fill(c)
    line = read_line(c.room, c.playback)
    first = next_up(line)
    if first is None:
        if c.playback.state != "idle":
            _anchor(c, "idle", 0, c.now)
        return False
    waited = overtaken_by(line, first)
    lead_ms = _lead(first, lead_ms)
    Item.update(state="playing").where(Item.id == first).execute()
    if waited:
        Item.update(overtakes=Item.overtakes + 1).where(Item.id.in_(waited)).execute()
    started = Play.create(room=c.room, item=first, started_at=c.now + lead_ms)
    c.room.advance += 1
    c.playback.item_id, c.playback.play_id = first, started.id
    _anchor(c, "playing", 0, c.now + lead_ms)
    c.log("item_started", item_id=first, play_id=started.id)
    filling.fill(c)
    return True


def start_if_idle(c: Change) -> None:
    """An empty stage takes the next track at once."""
    if c.playback.state == "idle":
        start_next(c)


def end_item(c: Change, reason: str) -> None:
    """Close the play that is open. The caller starts the next or falls quiet."""
    playback = c.playback
    Play.update(ended_at=c.now, end_reason=reason).where(
        Play.id == playback.play_id, Play.ended_at.is_null()
    ).execute()
    Item.update(state="played").where(Item.id == playback.item_id).execute()
    c.log("item_ended", item_id=playback.item_id, play_id=playback.play_id, reason=reason)


def _anchor(c: Change, state: str, position_ms: int, at_ms: int) -> None:
    playback = c.playback
    if state == "idle":
        playback.item = playback.play = None
    playback.state, playback.position_ms, playback.at_ms = state, position_ms, at_ms
    playback.version += 1
    playback.locked_item = None
    playback.ends_at = end_of(playback) if state == "playing" else None
    if state != "paused":
        playback.paused_by = None
    playback.save()


def _lead(item_id: int | None, lead_ms: int) -> int:
    player = Track.select(Track.player).join(Item).where(Item.id == item_id).scalar()
    return max(lead_ms, TOGETHER_LEAD_MS) if player == "embed" else lead_ms


def _duration(c: Change) -> int:
    return length_of(c.playback.item_id)


def _bounded(c: Change, position_ms: int) -> int:
    return max(0, min(position_ms, _duration(c) or position_ms))


def _expect(c: Change, seen: Seen) -> None:
    """Refuse what was pressed on a screen that had not seen the newest anchor."""
    is_stale = seen.version is not None and seen.version != c.playback.version
    if is_stale or (seen.item_id is not None and seen.item_id != c.playback.item_id):
        raise Conflict("The player moved on while you pressed. Have another look.")
