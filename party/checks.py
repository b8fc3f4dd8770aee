"""What the auditor asks of a room: each check gets its rows and what its log tells, and yields what does not hold.

The numbers of the invariants are explained in party.auditor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from party import ranks
from party.books import Books
from party.ordering import Entry, Line, order
from party.people import SAY_SECONDS
from party.replay import Finding, Told

LEAD_MS = 1_000
"""A track that was on when the room ended may have been due to start a moment later."""
LAST_FRAME_MS = int(SAY_SECONDS * 1000) + 5_000
"""So long after a ban a dying screen may still have been noted."""


def _numbers(books: Books, told: Told) -> Iterator[Finding]:
    numbers = [row.seq for row in books.log]
    if numbers != list(range(1, books.room.seq + 1)):
        yield Finding(
            "I1", f"{len(numbers)} events up to {max(numbers, default=0)}, the room says {books.room.seq}"
        )


def _people(books: Books, told: Told) -> Iterator[Finding]:
    for member in books.members:
        here, known = member.left_at is None, told.present.get(member.id)
        if here != bool(known) and member.id not in told.merged and not books.is_over:
            yield Finding("I2", f"member {member.id} is {_in(here)}, the log says {_in(known)}")
        role = told.roles.get(member.id)
        if role is not None and role != member.role:
            yield Finding("I2", f"member {member.id} is {member.role}, the log says {role}")
    users = {member.user for member in books.members}
    for ban in books.bans:
        is_on, known = ban.lifted_at is None, told.bans.get(ban.id)
        # Of somebody who was banned from the room this one continues no seat is known here.
        if is_on != known and (known is not None or ban.user in users):
            yield Finding("I2", f"ban {ban.id} is {_on(is_on)}, the log says {_on(known)}")


def _rows_and_log(books: Books, told: Told) -> Iterator[Finding]:
    """Rows nobody was told of break I2; what was told and is gone breaks I15, unless its person's account is gone."""
    kept_from = min((message.id for message in books.messages), default=0)
    said = {number: state for number, state in told.messages.items() if kept_from and number >= kept_from}
    kinds: list[tuple[str, dict[int, Any], dict[int, Any]]] = [
        ("item", {item.id: item.state for item in books.items}, dict(told.items)),
        ("suggestion", _suggestions_as_told(books), dict(told.suggestions)),
        ("knock", _knocks_as_told(books, told), dict(told.knocks)),
        ("message", _messages_as_told(books), said),
    ]
    is_whole = _is_whole(books, told)
    for noun, there, known in kinds:
        for number, state in there.items():
            if number not in known:
                yield Finding("I2", f"{noun} {number} is in no event")
            elif known[number] != state:
                yield Finding("I2", f"{noun} {number} is {_word(state)}, the log says {_word(known[number])}")
        for number in known.keys() - there.keys() if is_whole else ():
            yield Finding("I15", f"{noun} {number} is in the log and gone from the tables")


def _suggestions_as_told(books: Books) -> dict[int, str]:
    # Whoever takes one back is named; an account that goes takes its own along without a word.
    silent = [each.id for each in books.suggestions if each.state == "withdrawn" and each.decided_by is None]
    return {each.id: "waiting" if each.id in silent else each.state for each in books.suggestions}


def _messages_as_told(books: Books) -> dict[int, bool]:
    return {each.id: each.deleted_at is None or each.deleted_by is None for each in books.messages}


def _knocks_as_told(books: Books, told: Told) -> dict[int, str]:
    # Running out needs no event of its own: the deadline, or the room's end, says it. Nor does a deleted account.
    silent = {knock for knock, state in told.knocks.items() if state == "waiting"}
    return {
        knock.id: "waiting" if knock.state in ("expired", "withdrawn") and knock.id in silent else knock.state
        for knock in books.knocks
    }


def _votes(books: Books, told: Told) -> Iterator[Finding]:
    items, members = {item.id for item in books.items}, {member.id for member in books.members}
    there: dict[tuple[int, int], int] = {}
    for vote in books.votes:
        key = (vote.item, vote.member)
        if vote.item not in items or vote.member not in members:
            yield Finding(
                "I7", f"vote {vote.id} is by member {vote.member} on item {vote.item} of another room"
            )
        elif key in there:
            yield Finding("I7", f"member {vote.member} has two votes on item {vote.item}")
        there[key] = vote.value
    known = {key: value for key, value in told.votes.items() if key[0] in items and key[1] in members}
    for key in sorted(known.keys() | there.keys()):
        if key[1] in told.merged or key[0] not in items or key[1] not in members:
            continue
        if known.get(key) != there.get(key):
            yield Finding(
                "I2",
                f"member {key[1]}’s vote on item {key[0]} is {there.get(key)}, the log says {known.get(key)}",
            )


def _stage(books: Books, told: Told) -> Iterator[Finding]:
    playing = [item.id for item in books.items if item.state == "playing"]
    stage, room = books.playback, books.room
    if stage is None:
        yield Finding("keys", "the room has no playback")
        return
    if len(playing) > 1:
        yield Finding("I6", f"items {playing} play at once")
    elif playing != ([stage.item] if stage.item else []):
        yield Finding("I6", f"items {playing} play, the stage says {stage.item}")
    if (stage.state == "idle") != (stage.item is None):
        yield Finding("I6", f"the stage is {stage.state} with item {stage.item}")
    open_plays = [play.id for play in books.plays if play.ended_at is None]
    if open_plays != ([stage.play] if stage.play else []):
        yield Finding("I11", f"plays {open_plays} are open, the stage says {stage.play}")
    is_waiting = any(item.state == "waiting" and books.is_playable(item.track) for item in books.items)
    if room.state == "LIVE" and room.advance and is_waiting and not playing:
        yield Finding("I6", "the line is not empty and nothing plays")


def _order(books: Books, told: Told) -> Iterator[Finding]:
    waiting = [item for item in books.items if item.state == "waiting"]
    for name in ("position", "pin_position", "track"):
        for value, count in Counter(getattr(item, name) for item in waiting).items():
            if count > 1 and value is not None:
                yield Finding("I8", f"{count} waiting items have {name} {value}")
    for item in waiting:
        try:
            ranks.between(item.position, None)
        except (ranks.BadRank, ranks.NoGap):
            yield Finding("I8", f"item {item.id} stands at {item.position!r}, which is no place")
    entries = _entries(books, waiting)
    locked = books.playback.locked_item if books.playback else None
    there, back = (
        [placed.entry_id for placed in order(Line(books.room.mode, each, locked_id=locked))]
        for each in (entries, entries[::-1])
    )
    if there != back or sorted(there) != sorted(item.id for item in waiting):
        yield Finding("I8", f"the line is {there} or {back}, depending on how it is read")
    if locked is not None and locked not in there:
        yield Finding("I8", f"item {locked} is locked in and does not wait")


def _entries(books: Books, waiting: list[Any]) -> tuple[Entry, ...]:
    sums = Counter((vote.item, vote.value) for vote in books.votes)
    return tuple(
        Entry(
            item.id,
            item.added_seq,
            item.added_at_advance,
            sums[(item.id, 1)],
            sums[(item.id, -1)],
            item.position,
            item.pin_position,
            item.guard_limit,
            item.overtakes,
            books.is_playable(item.track),
            bool(item.is_filler),
        )
        for item in waiting
    )


def _host(books: Books, told: Told) -> Iterator[Finding]:
    hosts = [member.id for member in books.members if member.role == "host"]
    if len(hosts) > 1 or (not hosts and not books.is_over):
        yield Finding("I9", f"the room has hosts {hosts}")
    elif hosts and told.host is not None and hosts != [told.host] and _is_whole(books, told):
        yield Finding("I9", f"member {hosts[0]} is host, the log says {told.host}")
    least = 1 + told.hosts_changed + books.is_over
    if books.room.fence < least:
        yield Finding("I9", f"the fence is {books.room.fence} after {told.hosts_changed} changes of host")


def _life(books: Books, told: Told) -> Iterator[Finding]:
    room = books.room
    if books.log and books.log[0].kind != "room_opened":
        yield Finding("I10", f"the first event is {books.log[0].kind}")
    if told.state and told.state != room.state:
        yield Finding("I2", f"the room is {room.state}, the log says {told.state}")
    if told.mode is not None and told.mode != room.mode:
        yield Finding("I2", f"the line is ordered by {room.mode}, the log says {told.mode}")
    if books.is_over != (room.expired_at is not None):
        yield Finding("I10", f"the room is {room.state} and its end is {room.expired_at}")
    if books.is_over and room.expired_at is not None:
        yield from _after_the_end(books, room.expired_at)


def _after_the_end(books: Books, end: int) -> Iterator[Finding]:
    instants: dict[str, Iterable[int | None]] = {
        "item was added": (item.added_at for item in books.items),
        "item was removed": (item.removed_at for item in books.items),
        "vote was cast": (vote.cast_at for vote in books.votes),
        "member came": (member.joined_at for member in books.members),
        "play started": (play.started_at - LEAD_MS for play in books.plays),
        "play ended": (play.ended_at for play in books.plays),
        "message was said": (message.said_at for message in books.messages),
        "knock was made": (knock.asked_at for knock in books.knocks),
        "knock was decided": (knock.decided_at for knock in books.knocks),
        "suggestion was made": (each.asked_at for each in books.suggestions),
    }
    for what, when in instants.items():
        late = [at for at in when if at is not None and at > end]
        if late:
            yield Finding("I10", f"{len(late)} times a {what} after the room ended")


def _plays(books: Books, told: Told) -> Iterator[Finding]:
    for play in books.plays:
        starts, ends = told.started[play.id], told.ended[play.id]
        if starts != 1:
            yield Finding("I11", f"play {play.id} started {starts} times")
        if ends != (play.ended_at is not None):
            yield Finding("I11", f"play {play.id} ended {ends} times and its end is {play.ended_at}")
        if told.play_items.get(play.id, play.item) != play.item:
            yield Finding(
                "I11", f"play {play.id} is of item {play.item}, the log says {told.play_items[play.id]}"
            )
    if not _is_whole(books, told):
        return
    for number in (told.started | told.ended).keys() - {play.id for play in books.plays}:
        yield Finding("I15", f"play {number} is in the log and gone from the tables")
    before = told.advances_before
    if before is not None and books.room.advance - before != len(books.plays):
        yield Finding("I11", f"{books.room.advance} advances and {len(books.plays)} plays")


def _skips(books: Books, told: Told) -> Iterator[Finding]:
    members, there = (
        {member.id for member in books.members},
        {(vote.play, vote.member) for vote in books.skips},
    )
    if len(there) != len(books.skips):
        yield Finding("I7", "a member voted twice to skip the same play")
    for key in sorted(there):
        if key[1] not in members:
            yield Finding("I7", f"a vote to skip play {key[0]} is by member {key[1]} of another room")
        elif not told.skips.get(key):
            yield Finding("I2", f"member {key[1]}’s vote to skip play {key[0]} is in no event")
    for key, is_cast in told.skips.items():
        if is_cast and key not in there and key[1] in members and _is_whole(books, told):
            yield Finding("I15", f"member {key[1]}’s vote to skip play {key[0]} is in the log and gone")


def _knocks(books: Books, told: Told) -> Iterator[Finding]:
    for knock in books.knocks:
        if (knock.state == "waiting") != (knock.decided_at is None):
            yield Finding("I12", f"knock {knock.id} is {knock.state} and was decided at {knock.decided_at}")
        if knock.state not in ("approved", "declined") or knock.decided_at is None:
            continue
        if knock.decided_at > knock.deadline_at:
            yield Finding("I12", f"knock {knock.id} was {knock.state} after its deadline")
        if knock.state == "approved" and any(_holds(ban, knock.user, knock.decided_at) for ban in books.bans):
            yield Finding("I12", f"knock {knock.id} was approved while its person was banned")
    waiting = Counter(knock.user for knock in books.knocks if knock.state == "waiting")
    for user, count in waiting.items():
        if count > 1:
            yield Finding("I12", f"person {user} knocks {count} times at once")


def _sent_out(books: Books, told: Told) -> Iterator[Finding]:
    users = {member.id: member.user for member in books.members}
    for presence in books.presences:
        for ban in books.bans:
            seen = presence.seen_at - LAST_FRAME_MS
            if ban.banned_at < seen and _holds(ban, users[presence.member], seen):
                yield Finding("I13", f"member {presence.member} had a screen open after ban {ban.id}")
    for member in books.members:
        for ban in books.bans:
            if (
                member.left_at is None
                and member.joined_at > ban.banned_at
                and _holds(ban, member.user, member.joined_at)
            ):
                yield Finding("I13", f"member {member.id} came in during ban {ban.id}")


def _doors(books: Books, told: Told) -> Iterator[Finding]:
    room = books.room
    if (room.entry == "password") != (room.password_hash is not None):
        has = "set" if room.password_hash else "missing"
        yield Finding("I14", f"entry is by {room.entry}, and a password is {has}")
    for invite in books.invites:
        if invite.used > invite.quota:
            yield Finding(
                "I14", f"invitation {invite.id} let {invite.used} people in, {invite.quota} were meant"
            )


POINTERS = {
    "presences": {"member": "members"},
    "items": {"added_by": "members", "removed_by": "members"},
    "plays": {"item": "items"},
    "suggestions": {"member": "members", "item": "items", "decided_by": "members"},
    "knocks": {"decided_by": "members"},
    "bans": {"banned_by": "members"},
    "invites": {"made_by": "members"},
    "messages": {"member": "members", "deleted_by": "members", "reply_to": "messages"},
    "reactions": {"member": "members"},
}
"""Columns that name a row of the same room; votes are I7."""


def _keys(books: Books, told: Told) -> Iterator[Finding]:
    known = {
        name: {row.id for row in getattr(books, name)} for name in ("members", "items", "plays", "messages")
    }
    for name, columns in POINTERS.items():
        for column, target in columns.items():
            for row in getattr(books, name):
                value = getattr(row, column)
                if value is not None and value not in known[target]:
                    yield Finding("keys", f"{name[:-1]} {row.id} names {column} {value} of another room")
    stage = books.playback
    pointers = (("item", "items"), ("locked_item", "items"), ("play", "plays"), ("paused_by", "members"))
    for column, target in pointers if stage else ():
        value = getattr(stage, column)
        if value is not None and value not in known[target]:
            yield Finding("keys", f"the playback names {column} {value} of another room")
    for row in books.log:
        if row.actor is not None and row.actor not in known["members"]:
            yield Finding("keys", f"event {row.seq} is by member {row.actor} of another room")


CHECKS: tuple[Callable[[Books, Told], Iterator[Finding]], ...] = (
    _numbers,
    _people,
    _rows_and_log,
    _votes,
    _stage,
    _order,
    _host,
    _life,
    _plays,
    _skips,
    _knocks,
    _sent_out,
    _doors,
    _keys,
)


def _is_whole(books: Books, told: Told) -> bool:
    """False when somebody of the log has no seat any more: a deleted account took along what it had made."""
    return told.present.keys() <= {member.id for member in books.members}


def _holds(ban: Any, user: int, at: int) -> bool:
    """True when the ban kept this person out at this instant."""
    # In one and the same millisecond the approval came first: a banned person is never let in.
    is_begun = ban.banned_at < at and (ban.lifted_at is None or ban.lifted_at > at)
    return bool(ban.user == user and is_begun and (ban.until is None or ban.until > at))


def _in(is_in: bool | None) -> str:
    return "nowhere" if is_in is None else "in" if is_in else "out"


def _on(is_on: bool | None) -> str:
    return "nowhere" if is_on is None else "on" if is_on else "lifted"


def _word(state: Any) -> str:
    return state if isinstance(state, str) else "said" if state else "deleted"
