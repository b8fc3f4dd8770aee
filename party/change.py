"""The one way to change a room: transaction, fresh membership, ability, log, commit, wake.

Who holds two things took them in the order everybody takes them, so that nobody waits in a ring: rooms by ascending
id, all that are needed at once (`locked_rooms`); then people (`hold_people`); then what people have, and tracks.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from peewee import IntegrityError, OperationalError

from models import Ban, Item, Member, Outcome, Playback, Room, User, database, is_sqlite, locking
from party import events, lifecycle
from party.clock import now_ms
from party.errors import Busy, Conflict, NotAllowed, NotFound, NotKnown, Over
from party.permissions import CLOCK_ROLE, GUEST, WATCHER, can, standing
from party.settings import RoomSettings, load

LOCK_WAIT_SECONDS = 5.0
OVER = "This party is over. Its line is kept as it was."
NO_ROOM = "No room answers to that code. It may have changed: ask for the new one."
ACCOUNTS_ONLY = "In this room people with an account take part. Sign in, and you keep your seat."
NOT_INSIDE = "You are not in this room yet. Open its link to come in."


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in person who asks for something. `fence` is the authority their screen had last seen, if it says so."""

    user_id: int
    fence: int | None = None


class _Clock:
    """Time itself, asking for what is due."""


CLOCK = _Clock()
Actor = Person | _Clock


class Change:
    """A room held in a write transaction: `room` locked, `member` and `role` as they are now (none, CLOCK_ROLE)."""

    def __init__(self, room: Room, member: Member | None, now: int) -> None:
        self.room, self.member, self.now = room, member, now
        self.settings: RoomSettings = load(room.settings)
        self.role = role_of(room, member, now) if member else CLOCK_ROLE

    @property
    def seat(self) -> Member:
        """The actor's seat, where only people may act."""
        if self.member is None:
            raise NotAllowed("Only somebody in the room may do that.")
        return self.member

    def can(self, ability: str) -> bool:
        """True when the actor may, in this room as it is set."""
        return can(self.role, ability, self.settings)

    def need(self, ability: str) -> None:
        """A second ability on the way. Raises NotAllowed with its sentence."""
        if not self.can(ability):
            is_watching = self.role == WATCHER and can(GUEST, ability, self.settings)
            raise NotAllowed(ACCOUNTS_ONLY if is_watching else refusal(ability))

    def need_to_offer(self) -> None:
        """Raise NotAllowed for whoever may neither put tracks on the line nor suggest any."""
        if not self.can("suggest_item"):
            self.need("add_item")

    def member_of(self, member_id: int) -> Member:
        """Somebody who has a seat in this room. Raises NotFound."""
        member = Member.get_or_none(
            Member.id == member_id, Member.room == self.room, Member.left_at.is_null()
        )
        if member is None:
            raise NotFound("That person is not in this room.")
        return member

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

    Raises NotFound for an unknown room and for a private one to strangers, Over for an ended one, NotAllowed, and Busy
    when the lock is not had in time.
    """
    settle(code)
    with write():
        room = locked_room(code)
        held = _seen(room, actor, may)
        _refuse_old_fence(actor, held, may)
        before = room.seq
        yield held
        if room.seq != before or room.dirty_fields:
            room.save()
        wake_after_commit(room, before)


def look(actor: Actor, code: str, *, may: str) -> Change:
    """The room as it is, for whoever may, without its lock: raises as `change` does. Only what time did is written."""
    settle(code)
    room = Room.get_or_none(Room.code == code)
    if room is None:
        raise NotFound(NO_ROOM)
    return _seen(room, actor, may)


def _seen(room: Room, actor: Actor, may: str) -> Change:
    now = now_ms()
    member = seat_in(room, actor) if isinstance(actor, Person) else None
    if lifecycle.effective(room, now)[0] == "EXPIRED":
        raise Over(OVER)
    seen = Change(room, member, now)
    seen.need(may)
    return seen


def _refuse_old_fence(actor: Actor, held: Change, may: str) -> None:
    """Raise Conflict for what only those who lead may do, pressed on a screen that had not seen who hosts by now."""
    is_leading = not can(GUEST, may, held.settings)
    if is_leading and isinstance(actor, Person) and actor.fence not in (None, held.room.fence):
        raise Conflict("Who hosts changed while you pressed. Have another look.")


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
    room: Room | None = locking(Room.select().where(Room.code == code)).first()
    if room is None:
        raise NotFound(NO_ROOM)
    return room


def locked_rooms(which: Any) -> list[Room]:
    """The rows of these rooms (a condition), locked like `locked_room`, in the one order. Those gone are left out."""
    return list(locking(Room.select().where(which).order_by(Room.id)))


def hold_known(user_id: int) -> User:
    """Somebody's row, locked in the open transaction, so that they neither go nor change meanwhile. Raises NotKnown."""
    user: User | None = locking(User.select().where(User.id == user_id)).first()
    if user is None:
        raise NotKnown("Tell us your name first.")
    return user


def hold_people(*user_ids: int) -> None:
    """Lock the rows of people who go, in the open transaction: nothing that names them is written meanwhile."""
    list(locking(User.select().where(User.id.in_(user_ids)).order_by(User.id), to_delete=True))


def hold_with_rooms(which: Callable[[], Any], hold: Callable[[], object]) -> list[Room]:
    """Lock rooms and then what `hold` locks, in the open transaction. `which` tells the rooms as things are now.

    Where more rooms are told of by the time `hold` is done, all is let go and taken again, so that they come first too.
    """
    while True:
        with database.obj.atomic() as step:
            rooms = locked_rooms(which())
            hold()
            if is_sqlite():
                return rooms
            late = Room.select().where(which(), Room.id.not_in([room.id for room in rooms]))
            if not late.exists():
                return rooms
            step.rollback(False)


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
            # No row is locked for it: the command takes the room first, as everybody does.
            twin = (actor.user_id, zlib.crc32(key.encode()) - 2**31)
            database.obj.execute_sql("SELECT pg_advisory_xact_lock(%s, %s)", twin)
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


def role_of(room: Room, member: Member, now: int) -> str:
    """What somebody may be taken for at `now`: their stored role, or driver or watcher in its place."""
    return standing(
        member.role,
        has_account=member.user.email is not None,
        controls_until=member.controls_until,
        now=now,
        is_listed=room.visibility == "public",
        settings=load(room.settings),
    )


def seat_in(room: Room, actor: Person) -> Member:
    """The person's seat, with who they are. Raises NotKnown, NotFound where the room is private, or NotAllowed."""
    member: Member | None = (
        Member.select(Member, User)
        .join(User)
        .where(Member.room == room, Member.user == actor.user_id, Member.left_at.is_null())
        .first()
    )
    if member is None:
        if not User.select().where(User.id == actor.user_id).exists():
            raise NotKnown("Tell us your name first.")
        if room.visibility == "private":
            raise NotFound(NO_ROOM)
        raise NotAllowed(NOT_INSIDE)
    return member


def ban_on(room: Room, user_id: int, now: int, network_hash: str | None = None) -> Ban | None:
    """The ban that keeps this person, or whoever comes from this network, out of the room; or None."""
    whom = Ban.user == user_id
    if network_hash:
        whom |= Ban.network_hash == network_hash
    holds = Ban.lifted_at.is_null() & (Ban.until.is_null() | (Ban.until > now))
    ban: Ban | None = Ban.select().where(Ban.room == room, whom, holds).first()
    return ban


REFUSALS: dict[str, str] = {
    "add_item": "Only the host and co-hosts put tracks on this line.",
    "suggest_item": "Nothing has to be suggested here. Put it on the line.",
    "vote": "Only the host and co-hosts vote in this room.",
    "remove_item": "Only the host, or whoever put it on, may take a track off.",
    "set_subtitles": "Only the host, co-hosts and whoever put the video on may change its subtitles.",
    "report_length": "Only those who take part say how long a track is.",
    "save_progress": "Only those who are in the room are remembered in it.",
    "move_item": "Only the host may move tracks. A vote helps.",
    "decide_suggestions": "The host and co-hosts decide what goes onto the line.",
    "control_playback": "Only the host may do that. Ask for the controls, or vote for what comes next.",
    "ask_control": "There is nothing to ask for: the controls are not given away here, or yours already.",
    "grant_control": "Only those who have the controls themselves give them away.",
    "skip_item": "Only the host may skip. Vote to skip, or for what comes next.",
    "vote_skip": "There is no vote to skip in this room.",
    "chat": "The chat is closed just now.",
    "react": "The chat is closed just now.",
    "moderate_chat": "Only the host, co-hosts and whoever said it may delete a message.",
    "decide_knocks": "The host and co-hosts open the door.",
    "invite": "Only the host and co-hosts make invitations.",
    "rotate_code": "Only the host may change the room’s code.",
    "lock_room": "Only the host and co-hosts lock the room.",
    "kick": "Only the host and co-hosts may send somebody out.",
    "ban": "Only the host and co-hosts may ban somebody.",
    "mute": "Only the host and co-hosts may mute somebody.",
    "see_log": "Only the host and co-hosts see who did what.",
    "change_mode": "Only the host may change how the line is ordered.",
    "change_settings": "Only the host may change the room’s settings.",
    "name_cohost": "Only the host names co-hosts.",
    "hand_over": "Only the host may hand the room over.",
    "end_room": "Only the host may end the party.",
}


def refusal(ability: str) -> str:
    """The sentence for somebody who may not."""
    return REFUSALS.get(ability, "You may not do that in this room.")
