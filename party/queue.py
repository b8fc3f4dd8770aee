"""The line: putting tracks on, taking them off, voting, moving. What plays is playback's business."""

from __future__ import annotations

from typing import Any

from peewee import IntegrityError

from models import Item, Member, Room, Track, Vote, rows
from party import filling, ranks, shelf
from party.allowance import chosen_track, fitting_track, refuse_too_fast, refuse_too_many
from party.change import Actor, Change, change, refusal, retry_on_clash
from party.errors import Conflict, Invalid, NotAllowed
from party.line import LINE_FULL, active_seats, read_line
from party.ordering import MAX_PINS, MODES, guard_limit_for, order
from party.playback import hold_lock, renew_lock, start_if_idle

UNDO_MS = 12_000
"""How long a removal can be undone: ten seconds on the screen, and the way there."""
TOO_LATE = "It is too late to bring that one back. You can put it on again."


def add_item(actor: Actor, code: str, track_id: int) -> int:
    """Put a track on the line. A track that already waits is refused with where it stands. Returns the item's id."""
    with change(actor, code, may="add_item") as c:
        track = chosen_track(c, track_id)
        hold_lock(c)
        refuse_duplicate(c, track)
        refuse_too_many(c, c.seat)
        refuse_too_fast(c)
        item = new_item(c, track, c.seat)
        c.log("item_added", item_id=item.id)
        start_if_idle(c)
        return int(item.id)


def remove_item(actor: Actor, code: str, item_id: int) -> None:
    """Take a waiting item off the line: your own, or any as host. Removed already changes nothing."""
    with change(actor, code, may="remove_own_item") as c:
        item = c.item(item_id)
        if item.added_by_id != c.seat.id and not c.can("remove_item"):
            raise NotAllowed(refusal("remove_item"))
        if item.state == "removed":
            return
        c.waiting_item(item_id)
        take_off(c, [item])


def restore_item(actor: Actor, code: str, item_id: int) -> None:
    """Undo a removal within ten seconds, for whoever removed it or may remove anything."""
    with change(actor, code, may="remove_own_item") as c:
        item = c.item(item_id)
        if item.state == "waiting":
            return
        if item.state != "removed" or c.now > (item.removed_at or 0) + UNDO_MS:
            raise Conflict(TOO_LATE)
        if item.removed_by_id != c.seat.id and not c.can("remove_item"):
            raise NotAllowed(refusal("remove_item"))
        hold_lock(c)
        track = fitting_track(c, item.track_id)
        refuse_duplicate(c, track)
        if item.added_by_id == c.seat.id:
            refuse_too_many(c, c.seat)
        bring_back(c, item)


def take_off(c: Change, items: list[Item]) -> None:
    """Take waiting items off the line, in the open change."""
    hold_lock(c)
    for item in items:
        Item.update(state="removed", removed_at=c.now, removed_by=c.member, pin_position=None).where(
            Item.id == item.id
        ).execute()
        if c.playback.locked_item_id == item.id:
            c.playback.locked_item = None
            c.playback.save()
        c.log("item_removed", item_id=item.id)
    if filling.fill(c):
        start_if_idle(c)


def bring_back(c: Change, item: Item) -> None:
    """Put a removed item where it stood, or at the end when somebody stands there now, in the open change."""
    refuse_full(c)
    if item.is_filler and (item.removed_by_id is None or c.settings.when_empty == "nothing"):
        raise Conflict(TOO_LATE)
    filling.make_way(c, item.track_id)
    item.state, item.removed_at, item.removed_by = "waiting", None, None
    is_taken = Item.select().where(
        Item.room == c.room, Item.state == "waiting", Item.position == item.position
    )
    if is_taken.exists():
        item.position = _end_of_line(c)
    item.save()
    c.log("item_restored", item_id=item.id)
    filling.trim(c)
    start_if_idle(c)


def cast_vote(actor: Actor, code: str, item_id: int, value: int) -> None:
    """Vote a waiting item up or down. One vote per person and item; the same vote again changes nothing."""
    if value not in (-1, 1):
        raise Invalid("A vote is up or down.")
    with change(actor, code, may="vote") as c:
        item = c.waiting_item(item_id)
        known = Vote.get_or_none(Vote.item == item, Vote.member == c.member)
        if known is not None and known.value == value:
            return
        hold_lock(c)
        if known is None:
            Vote.insert(item=item, member=c.member, value=value, cast_at=c.now).execute()
        else:
            Vote.update(value=value, cast_at=c.now).where(Vote.id == known.id).execute()
        c.log("vote_cast", item_id=item.id, value=value)
        start_if_idle(c)


def withdraw_vote(actor: Actor, code: str, item_id: int) -> None:
    """Take a vote back. No vote to take back changes nothing."""
    with change(actor, code, may="vote") as c:
        item = c.waiting_item(item_id)
        hold_lock(c)
        if Vote.delete().where(Vote.item == item, Vote.member == c.member).execute():
            c.log("vote_withdrawn", item_id=item.id)
            start_if_idle(c)


def move_item(actor: Actor, code: str, item_id: int, after_id: int | None) -> None:
    """Put an item right after another, or first when `after_id` is None. In voted modes this holds it there."""
    with change(actor, code, may="move_item") as c:
        item = c.waiting_item(item_id)
        if after_id == item_id:
            raise Invalid("A track cannot stand after itself.")
        hold_lock(c)
        if item.is_filler:
            # Whoever gives it a place wants to hear it.
            c.need("add_item")
            item = adopt(c, item, c.seat)
            c.log("item_added", item_id=item.id)
        ids = [placed.entry_id for placed in order(read_line(c.room, c.playback))]
        target = _place_after(c, ids, item_id, after_id)
        if target == ids:
            return
        if MODES[c.room.mode].uses_positions:
            changed = _move_by_hand(c, item, target)
        else:
            changed = _move_by_pins(c, item, target)
        if changed:
            renew_lock(c)
            c.log("item_moved", item_id=item.id, after_id=after_id)
            start_if_idle(c)


def change_mode(actor: Actor, code: str, mode: str) -> None:
    """Choose how the line is ordered. Votes, ages and pins are kept; only the comparison changes."""
    with change(actor, code, may="change_mode") as c:
        if mode not in MODES:
            raise Invalid("That is not a way to order the line.")
        if mode == c.room.mode:
            return
        hold_lock(c)
        if MODES[mode].uses_positions:
            _number_as_seen(c)
        c.room.mode = mode
        renew_lock(c)
        c.log("mode_changed", mode=mode)
        start_if_idle(c)


def title_of(code: str, item_id: int) -> str:
    """The title of an item of this room; empty when there is none."""
    query = Track.select(Track.title).join(Item).join(Room, on=Item.room == Room.id)
    return query.where(Room.code == code, Item.id == item_id).scalar() or ""


def refuse_duplicate(c: Change, track: Track) -> None:
    """Raise Conflict, with where it stands, for a track that already waits because somebody wants it."""
    known = Item.get_or_none(Item.room == c.room, Item.track == track, Item.state == "waiting")
    if known is not None and not known.is_filler:
        ids = [placed.entry_id for placed in order(read_line(c.room, c.playback))]
        raise Conflict(f"{track.title} is already in line, {ordinal(ids.index(known.id) + 1)}. Vote it up.")


def refuse_full(c: Change) -> None:
    """Raise Conflict when more waiting tracks would help nobody."""
    if _waiting(c).count() >= LINE_FULL:
        raise Conflict("The line is full. Let a few songs play first.")


def new_item(c: Change, track: Track, by: Member) -> Item:
    """A row at the end of the line, in the open transaction; the caller logs it. Raises Conflict.

    Where the room put that track on by itself, its row becomes this person's.
    """
    waits = (Item.room == c.room) & (Item.track == track) & (Item.state == "waiting")
    filler = Item.get_or_none(waits, Item.is_filler)
    if filler is not None:
        return adopt(c, filler, by)
    refuse_full(c)
    shelf.hold(track, c.room.id, by.user_id, c.now)
    guard_limit = guard_limit_for(active_seats(c.room, c.now))

    def insert() -> Item:
        return Item.create(
            room=c.room,
            track=track,
            added_by=by,
            position=_end_of_line(c),
            added_seq=c.room.seq + 1,
            added_at_advance=c.room.advance,
            guard_limit=guard_limit,
            added_at=c.now,
        )

    try:
        item: Item = retry_on_clash(insert)
        return item
    except IntegrityError as clash:
        raise Conflict(f"{track.title} is already in line.") from clash


def adopt(c: Change, item: Item, by: Member) -> Item:
    """A row that the room put on becomes somebody's, as if added now; its votes stay. The caller logs it."""
    shelf.hold(item.track, c.room.id, by.user_id, c.now)
    item.position = _end_of_line(c)
    item.is_filler, item.added_by = False, by
    item.added_seq, item.added_at, item.added_at_advance = c.room.seq + 1, c.now, c.room.advance
    item.guard_limit = guard_limit_for(active_seats(c.room, c.now))
    item.save()
    return item


def _end_of_line(c: Change) -> str:
    """A place behind everything that waits."""
    # Sorted here and not by the database: its collation need not be the keys' own byte order.
    key = ranks.between(_last_place(c), None)
    if not ranks.needs_renumbering(key):
        return key
    _number_as_seen(c)
    return ranks.between(_last_place(c), None)


def _last_place(c: Change) -> str | None:
    places = Item.select(Item.position).where(Item.room == c.room, Item.state == "waiting")
    return max((place for (place,) in rows(places)), default=None)


def _waiting(c: Change) -> Any:
    return Item.select().where(Item.room == c.room, Item.state == "waiting")


def _place_after(c: Change, ids: list[int], item_id: int, after_id: int | None) -> list[int]:
    """The order wanted. Where the anchor is gone its nearest neighbour that is left counts, else the end."""
    rest = [each for each in ids if each != item_id]
    if after_id is None:
        at = 0
    elif after_id in rest:
        at = rest.index(after_id) + 1
    else:
        at = _place_left_by(c, c.item(after_id), rest)
    return [*rest[:at], item_id, *rest[at:]]


def _place_left_by(c: Change, gone: Item, rest: list[int]) -> int:
    if gone.state in ("playing", "played"):
        return 0
    if not MODES[c.room.mode].uses_positions:
        return len(rest)
    positions = {item.id: item.position for item in _waiting(c)}
    return sum(positions[each] < gone.position for each in rest)


def _move_by_hand(c: Change, item: Item, target: list[int]) -> bool:
    """One row written: a key between the neighbours as they are now."""
    entries = {entry.id: entry for entry in read_line(c.room, c.playback).entries}
    if any(entry.pin_position for entry in entries.values()):
        # Pins from a voted mode stay until the host sets the order themselves; then they become plain places.
        _take_over_order(c, [each for each in target if each != item.id] + [item.id])
        entries = {entry.id: entry for entry in read_line(c.room, c.playback).entries}
    at = target.index(item.id)
    before = entries[target[at - 1]].position if at else None
    after = entries[target[at + 1]].position if at + 1 < len(target) else None
    is_crossed = before is not None and after is not None and before >= after
    key = None if is_crossed else ranks.between(before, after)
    if key is None or ranks.needs_renumbering(key):
        _take_over_order(c, target)
    else:
        Item.update(position=key).where(Item.id == item.id).execute()
    return True


def _move_by_pins(c: Change, item: Item, target: list[int]) -> bool:
    """Hold the moved item, and every row above it, at the top of a voted line; dropped further down it is let go."""
    entries = {entry.id: entry for entry in read_line(c.room, c.playback).entries}
    at = target.index(item.id)
    last_pin = max(
        (i for i, each in enumerate(target) if entries[each].pin_position and each != item.id), default=-1
    )
    # What the room put on yields wherever it stands, so it is never held.
    fillers = {entry.id for entry in entries.values() if entry.is_filler}
    held = [each for each in target[: max(at, last_pin) + 1] if each not in fillers]
    if len(held) > MAX_PINS:
        if item.pin_position is not None and at > last_pin:
            Item.update(pin_position=None).where(Item.id == item.id).execute()
            return True
        raise Conflict(
            f"The first {MAX_PINS} places can be held by hand, votes order the rest. "
            "Switch the line to “By hand” to move anything anywhere."
        )
    keys = ranks.several(len(held))
    Item.update(pin_position=None).where(Item.id.in_(held)).execute()
    for item_id, key in zip(held, keys, strict=True):
        Item.update(pin_position=key).where(Item.id == item_id).execute()
    return True


def _number_as_seen(c: Change) -> None:
    """Short, even keys for everything that waits, in the order people see now; pins stay."""
    ids = [placed.entry_id for placed in order(read_line(c.room, c.playback))]
    pins = {item.id: item.pin_position for item in _waiting(c) if item.pin_position is not None}
    _take_over_order(c, ids)
    for item_id, key in pins.items():
        Item.update(pin_position=key).where(Item.id == item_id).execute()


def _take_over_order(c: Change, ids: list[int]) -> None:
    """Number the waiting items afresh in this order, pins becoming plain places."""
    # Two passes, since the unique key would trip over a half-renumbered line.
    for item_id in ids:
        Item.update(position=f"~{item_id}").where(Item.id == item_id).execute()
    for item_id, key in zip(ids, ranks.several(len(ids)), strict=True):
        Item.update(position=key, pin_position=None).where(Item.id == item_id).execute()


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th … 11th, 12th, 13th."""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
