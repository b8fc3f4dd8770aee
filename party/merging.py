"""A guest signs in: what they were and did in every room becomes the account's, and the guest's row goes.

Where both have a seat in one room the two become one: the higher role, every track, every word, one vote per track.
"""

from __future__ import annotations

from typing import Any

from models import (
    Ban,
    Event,
    Holding,
    Invite,
    Item,
    Knock,
    Link,
    Member,
    Message,
    Outcome,
    Playback,
    Playlist,
    Presence,
    Progress,
    Reaction,
    Room,
    Search,
    SiteEvent,
    SkipVote,
    Source,
    Subtitle,
    SubtitleChoice,
    Suggestion,
    Upload,
    User,
    Vote,
)
from party import events, lifecycle
from party.change import ban_on, hold_people, hold_with_rooms, locked_rooms, wake_after_commit
from party.control import NOTHING_LENT
from party.errors import Conflict
from party.people import refuse_look_alike
from party.settings import load

RANKS = ("guest", "cohost", "host")
NAMED = ("member_id", "from_id")
"""Fields of the log that hold a seat."""

# Columns that name a seat and are free to name the same one many times.
_SEATS: tuple[Any, ...] = (
    Item.added_by,
    Item.removed_by,
    Suggestion.member,
    Suggestion.decided_by,
    Message.member,
    Message.deleted_by,
    Playback.paused_by,
    Event.actor,
    Knock.decided_by,
    Invite.made_by,
    Ban.banned_by,
)
# Columns that may name a seat once beside something else: the table, its seat, what else is in the key.
_ONCE: tuple[tuple[Any, tuple[Any, ...]], ...] = (
    (SkipVote, (SkipVote.play,)),
    (Reaction, (Reaction.message, Reaction.emoji)),
    (Presence, (Presence.process,)),
)
# What is somebody's own beside any seat: columns that may name a person many times, and tables that name one once
# beside something else, of which the newer row is kept.
_OWN: tuple[Any, ...] = (Upload.user, Source.user, Search.user, Playlist.user, Subtitle.added_by)
_OWN_ONCE: tuple[tuple[Any, tuple[Any, ...], Any], ...] = (
    (Holding, (Holding.track, Holding.room), Holding.added_at),
    (SubtitleChoice, (SubtitleChoice.track,), SubtitleChoice.id),
    (Progress, (Progress.room, Progress.content), Progress.saved_at),
)


def merge(guest_id: int, account_id: int, now: int) -> None:
    """Everything of the guest becomes the account's, in the open transaction."""
    rooms = hold(guest_id, account_id)
    is_renamed = _keep_apart(guest_id, account_id, now)
    theirs = _room_ids(guest_id, *([account_id] if is_renamed else []))
    for room in rooms:
        if room.id in theirs:
            _merge_in(room, guest_id, account_id, now)
    Room.update(owner=account_id).where(Room.owner == guest_id).execute()
    _move_own(guest_id, account_id)
    SiteEvent.update(actor=account_id).where(SiteEvent.actor == guest_id).execute()
    # An address that was not confirmed yet can still become an account of its own.
    Link.update(user=None).where(Link.user == guest_id).execute()
    Outcome.delete().where(Outcome.user == guest_id).execute()
    User.delete().where(User.id == guest_id).execute()


def hold(*user_ids: int) -> list[Room]:
    """Lock people's rooms and then the people, in the open transaction: from now on nothing more becomes theirs."""
    return hold_with_rooms(lambda: _is_of(*user_ids), lambda: hold_people(*user_ids))


def note_account(user_id: int, now: int) -> None:
    """A guest became an account, in the open transaction: where only accounts take part they may do more now."""
    for room in rooms_of(user_id):
        seat = Member.get_or_none(Member.room == room, Member.user == user_id)
        if seat is not None and _asks_for_accounts(room) and not _is_over(room, now):
            before = room.seq
            events.append(room, "role_changed", seat.id, member_id=seat.id, role=seat.role)
            _keep(room, before)


def rooms_of(*user_ids: int) -> list[Room]:
    """The rooms these people own, or have a seat, a knock or a ban in, locked: before anything else of theirs is."""
    return locked_rooms(_is_of(*user_ids))


def _is_of(*user_ids: int) -> Any:
    owned = {room_id for (room_id,) in Room.select(Room.id).where(Room.owner.in_(user_ids)).tuples()}
    return Room.id.in_(owned | _room_ids(*user_ids))


def _room_ids(*user_ids: int) -> set[int]:
    return {
        room_id
        for table in (Member, Knock, Ban)
        for (room_id,) in table.select(table.room).where(table.user.in_(user_ids)).tuples()
    }


def _is_over(room: Room, now: int) -> bool:
    return lifecycle.effective(room, now)[0] == "EXPIRED"


def _asks_for_accounts(room: Room) -> bool:
    return room.visibility == "public" and load(room.settings).accounts_only


def _keep_apart(guest_id: int, account_id: int, now: int) -> bool:
    """Where the account's name could be taken for somebody's present, the name the guest was let in with is kept."""
    names = {user.id: user.display_name for user in User.select().where(User.id.in_((guest_id, account_id)))}
    for seat in Member.select().where(Member.user == guest_id, Member.left_at.is_null()):
        try:
            refuse_look_alike(Room.get_by_id(seat.room_id), guest_id, now, names[account_id])
        except Conflict:
            own = Member.select().where(Member.room == seat.room_id, Member.user == account_id)
            if not own.exists():
                User.update(display_name=names[guest_id]).where(User.id == account_id).execute()
                return True
    return False


def _merge_in(room: Room, guest_id: int, account_id: int, now: int) -> None:
    guests = Member.get_or_none(Member.room == room, Member.user == guest_id)
    own = Member.get_or_none(Member.room == room, Member.user == account_id)
    before = room.seq
    Ban.update(user=account_id).where(Ban.room == room, Ban.user == guest_id).execute()
    _merge_knocks(room, guest_id, account_id, now)
    if guests is not None and own is not None:
        _join_seats(room, guests, own)
    elif guests is not None:
        Member.update(user=account_id).where(Member.id == guests.id).execute()
    seat = Member.get_or_none(Member.room == room, Member.user == account_id)
    if seat is None or _is_over(room, now):
        _keep(room, before)
        return
    events.append(room, "person_renamed", seat.id, member_id=seat.id)
    if (guests is not None and own is not None) or _asks_for_accounts(room):
        # Votes became one, buttons others: everything is drawn again.
        events.append(room, "role_changed", seat.id, member_id=seat.id, role=seat.role)
    if seat.role != "host" and seat.left_at is None and ban_on(room, account_id, now) is not None:
        # Banned under either name is banned.
        Member.update(role="guest", left_at=now).where(Member.id == seat.id).execute()
        Presence.delete().where(Presence.member == seat.id).execute()
        events.append(room, "person_removed", None, member_id=seat.id)
    _keep(room, before)


def _keep(room: Room, before: int) -> None:
    if room.seq != before:
        room.save()
        wake_after_commit(room, before)


def _merge_knocks(room: Room, guest_id: int, account_id: int, now: int) -> None:
    """One person knocks once: of two that wait the older waits on; who sits inside already does not wait."""
    waiting = Knock.select().where(
        Knock.room == room, Knock.user.in_((guest_id, account_id)), Knock.state == "waiting"
    )
    both = list(waiting.order_by(Knock.id))
    is_inside = Member.select().where(
        Member.room == room, Member.user.in_((guest_id, account_id)), Member.left_at.is_null()
    )
    for knock in both if is_inside.exists() else both[1:]:
        Knock.update(state="withdrawn", decided_at=now).where(Knock.id == knock.id).execute()
        if not _is_over(room, now):
            events.append(room, "knock_withdrawn", None, knock_id=knock.id)
    Knock.update(user=account_id).where(Knock.room == room, Knock.user == guest_id).execute()


def _join_seats(room: Room, guests: Member, own: Member) -> None:
    _move_votes(guests.id, own.id)
    for column in _SEATS:
        column.model.update({column: own.id}).where(column == guests.id).execute()
    for table, others in _ONCE:
        _move_once(table, others, guests.id, own.id)
    _rename_in_log(room, guests.id, own.id)
    _rename_in_talk(room, guests.id, own.id)
    Member.delete().where(Member.id == guests.id).execute()
    Member.update(**_best_of(guests, own)).where(Member.id == own.id).execute()


def _best_of(guests: Member, own: Member) -> dict[str, Any]:
    """What the one seat of two is: each kept where it is more, also a mute. Who leads has nothing on loan."""
    role = max(guests.role, own.role, key=RANKS.index)
    best = {
        "role": role,
        "left_at": None
        if guests.left_at is None or own.left_at is None
        else max(guests.left_at, own.left_at),
        "joined_at": min(guests.joined_at, own.joined_at),
        "network_hash": guests.network_hash or own.network_hash,
        "muted_until": _later(guests.muted_until, own.muted_until),
        "controls_until": _later(guests.controls_until, own.controls_until),
        "controls_once": guests.controls_once or own.controls_once,
        "asked_control_at": guests.asked_control_at or own.asked_control_at,
        "offered_host_at": guests.offered_host_at or own.offered_host_at,
    }
    if role != "guest":
        best |= NOTHING_LENT
    if role == "host":
        # Nobody could take these back from a host.
        best |= {"muted_until": None, "offered_host_at": None}
    return best


def _later(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _move_votes(guests: int, own: int) -> None:
    """One vote per track: where both voted, what was said last."""
    ours = {vote.item_id: vote for vote in Vote.select().where(Vote.member == own)}
    for vote in list(Vote.select().where(Vote.member == guests)):
        other = ours.get(vote.item_id)
        if other is not None:
            older = min(vote, other, key=lambda each: (each.cast_at, each.id))
            Vote.delete().where(Vote.id == older.id).execute()
    Vote.update(member=own).where(Vote.member == guests).execute()


def _move_once(table: Any, others: tuple[Any, ...], guests: int, own: int) -> None:
    kept = set(table.select(*others).where(table.member == own).tuples())
    for row in list(table.select(table.id, *others).where(table.member == guests).tuples()):
        if row[1:] in kept:
            table.delete().where(table.id == row[0]).execute()
    table.update(member=own).where(table.member == guests).execute()


def _move_own(guest_id: int, account_id: int) -> None:
    for column in _OWN:
        column.model.update({column: account_id}).where(column == guest_id).execute()
    for table, key, age in _OWN_ONCE:
        ours = {
            row[2:]: row[:2]
            for row in table.select(age, table.id, *key).where(table.user == account_id).tuples()
        }
        for row in list(table.select(age, table.id, *key).where(table.user == guest_id).tuples()):
            other = ours.get(row[2:])
            if other is not None:
                table.delete().where(table.id == min(row[:2], other)[1]).execute()
        table.update(user=account_id).where(table.user == guest_id).execute()


def _rename_in_log(room: Room, guests: int, own: int) -> None:
    kinds = [kind for kind, fields in events.KINDS.items() if fields & set(NAMED)]
    for row in list(Event.select().where(Event.room == room, Event.kind.in_(kinds))):
        if guests in (row.data.get(name) for name in NAMED):
            data = {
                key: own if key in NAMED and value == guests else value for key, value in row.data.items()
            }
            Event.update(data=data).where(Event.id == row.id).execute()


def _rename_in_talk(room: Room, guests: int, own: int) -> None:
    for message in list(Message.select(Message.id, Message.mentions).where(Message.room == room)):
        if guests in message.mentions:
            named = list(dict.fromkeys(own if each == guests else each for each in message.mentions))
            Message.update(mentions=named).where(Message.id == message.id).execute()
