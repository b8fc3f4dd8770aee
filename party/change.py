"""The one way to change a room: transaction, fresh membership, ability, log, commit, wake."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from peewee import IntegrityError, OperationalError

from models import Item, Member, Outcome, Playback, Room, User, database, is_sqlite
from party import events, lifecycle
from party.clock import now_ms
from party.errors import Busy, Conflict, NotAllowed, NotFound, NotKnown, Over
from party.permissions import CLOCK_ROLE, can

LOCK_WAIT_SECONDS = 5.0
OVER = "This party is over. Its line is kept as it was."


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person who asks for something."""

    user_id: int


class _Clock:
    """Time itself, asking for what is due."""


CLOCK = _Clock()
Actor = Person | _Clock


class Change:
    """A room held in a write transaction: `room` locked, `member` as it is now (None for the clock)."""

    def __init__(self, room: Room, member: Member | None, now: int) -> None:
        self.room, self.member, self.now = room, member, now

    @property
    def seat(self) -> Member:
        """The actor's seat, where only people may act."""
        if self.member is None:
            raise NotAllowed("Only somebody in the room may do that.")
        return self.member

    @property
    def role(self) -> str:
        return self.member.role if self.member else CLOCK_ROLE

    @property
    def playback(self) -> Playback:
        """The room's anchor, read once per change."""
        if not hasattr(self, "_playback"):
            self._playback = Playback.get_by_id(self.room.id)
        return self._playback

    def log(self, kind: str, **data: Any) -> None:
        """Append to the room's log in this transaction."""
        events.append(self.room, kind, self.member.id if self.member else None, **data)

    def item(self, item_id: int) -> Item:
        """An item of this room, whatever its state. Raises NotFound."""
        item = Item.get_or_none(Item.id == item_id, Item.room == self.room)
        if item is None:
            raise NotFound("That track is not on this line.")
        return item

    def waiting_item(self, item_id: int) -> Item:
        """An item that still waits. Raises NotFound, or Conflict when it played or went."""
        item = self.item(item_id)
        if item.state == "removed":
            raise Conflict("That track was taken off the line a moment ago.")
        if item.state != "waiting":
            raise Conflict("That track already had its turn.")
        return item


@contextmanager
def change(actor: Actor, code: str, *, may: str) -> Iterator[Change]:
    """Hold the room, check that the actor may, run the body, commit, wake the screens.

    Raises NotFound for an unknown room, Over for an ended one, NotAllowed, and Busy when the lock is not had in time.
    """
    settle(code)
    with write():
        room, now = locked_room(code), now_ms()
        if lifecycle.effective(room, now)[0] == "EXPIRED":
            raise Over(OVER)
        held = Change(room, _member(actor, room), now)
        if not can(held.role, may):
            raise NotAllowed(refusal(may))
        before = room.seq
        yield held
        if room.seq != before or room.dirty_fields:
            room.save()
        wake_after_commit(room, before)


def settle(code: str) -> bool:
    """Write down what time has done to the room, in a transaction of its own. True when anything changed."""
    room = Room.get_or_none(Room.code == code)
    if room is None or not lifecycle.is_overdue(room, now_ms()):
        return False
    with write():
        room = locked_room(code)
        before = room.seq
        changed = lifecycle.settle(room, now_ms())
        wake_after_commit(room, before)
    return changed


@contextmanager
def write() -> Iterator[None]:
    """A transaction that holds the write lock from its start; joins one that is already open. Raises Busy."""
    handle = database.obj
    if handle.in_transaction():
        with handle.atomic():
            yield
        return
    transaction = _begin(handle)
    try:
        yield
    except BaseException as error:
        transaction.__exit__(type(error), error, error.__traceback__)
        raise
    transaction.__exit__(None, None, None)


@contextmanager
def connected() -> Iterator[None]:
    """A database connection for a moment, or the one that is already open."""
    handle = database.obj
    if not handle.is_closed():
        yield
        return
    handle.connect()
    try:
        yield
    finally:
        handle.close()


def _begin(handle: Any) -> Any:
    # The wait happens here and not inside SQLite: under gevent a wait in C would stop every other greenlet.
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        transaction = handle.atomic("IMMEDIATE") if is_sqlite() else handle.atomic()
        try:
            transaction.__enter__()
            return transaction
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            if time.monotonic() > deadline:
                raise Busy("The line is very busy just now. Please try again in a moment.") from error
        time.sleep(random.uniform(0.002, 0.02))


def locked_room(code: str) -> Room:
    """The room's row, locked until the end of the transaction. Raises NotFound."""
    query = Room.select().where(Room.code == code)
    room: Room | None = (query if is_sqlite() else query.for_update()).first()
    if room is None:
        raise NotFound("No room answers to that code. It may have changed: ask for the new one.")
    return room


def wake_after_commit(room: Room, before: int) -> None:
    """Have the listeners told of the room's new number once it is committed."""
    if room.seq != before:
        code, seq = room.code, room.seq
        database.obj.after_commit(lambda: events.announce(code, seq))


def once(actor: Person, key: str | None, command: Callable[[], Any]) -> Any:
    """Run the command; the same person's same key again answers the same without doing it again.

    The answer is stored in the command's own transaction (kept a day). Without a key the command just runs.
    """
    if not key:
        return command()
    with write():
        if not is_sqlite():
            # There a transaction does not hold the others off: the twin of this request has to wait for its answer.
            User.select(User.id).where(User.id == actor.user_id).for_update().execute()
        known = Outcome.get_or_none(Outcome.user == actor.user_id, Outcome.key == key)
        if known is not None:
            return known.answer
        answer = command()
        Outcome.insert(user=actor.user_id, key=key, answer=answer, at=now_ms()).execute()
        return answer


def retry_on_clash(command: Callable[[], Any], tries: int = 3) -> Any:
    """Run a write again when a unique key clashed: the safety net under the room's lock."""
    for left in range(tries - 1, -1, -1):
        try:
            with database.obj.atomic():
                return command()
        except IntegrityError:
            if not left:
                raise
    return None


def _member(actor: Actor, room: Room) -> Member | None:
    if isinstance(actor, _Clock):
        return None
    member = Member.get_or_none(Member.room == room, Member.user == actor.user_id)
    if member is None or member.left_at is not None:
        if not User.select().where(User.id == actor.user_id).exists():
            raise NotKnown("Tell us your name first.")
        raise NotAllowed("You are not in this room yet. Open its link to come in.")
    return member


REFUSALS: dict[str, str] = {
    "remove_item": "Only the host, or whoever put it on, may take a track off.",
    "move_item": "Only the host may move tracks. A vote helps.",
    "control_playback": "Only the host may do that. Ask them, or vote for what comes next.",
    "change_mode": "Only the host may change how the line is ordered.",
}


def refusal(ability: str) -> str:
    """The sentence for somebody who may not."""
    return REFUSALS.get(ability, "You may not do that in this room.")
