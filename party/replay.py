"""What a room's log says happened, folded into what the tables should hold. Used by the auditor; changes nothing.

On the way it finds what no order of events may hold: see I10 to I13 in the list of invariants (party.auditor).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

LIFE = {
    "room_went_live": ({"CREATED"}, "LIVE"),
    "host_lost": ({"LIVE"}, "GRACE"),
    "host_returned": ({"GRACE"}, "LIVE"),
    "room_expired": ({"CREATED", "LIVE", "GRACE"}, "EXPIRED"),
}
"""The events that move the room's state: from where they may come, and where they lead."""

DECISIONS = {
    "suggestion_approved": "approved",
    "suggestion_declined": "declined",
    "suggestion_withdrawn": "withdrawn",
    "knock_approved": "approved",
    "knock_declined": "declined",
    "knock_withdrawn": "withdrawn",
    "knock_expired": "expired",
}
BY_ANYBODY = {"person_renamed", "person_joined", "person_left", "role_changed"}
"""What a person without a seat is named for: their name stands on tracks they left behind, their account may go."""


class Row(NamedTuple):
    """A row of the log."""

    seq: int
    kind: str
    actor: int | None
    data: dict[str, Any]
    at: int


class Finding(NamedTuple):
    """A promise that does not hold, and the sentence that says where."""

    invariant: str
    sentence: str


@dataclass
class Told:
    """What the log tells: what each thing came to, by its id.

    `merged` are seats that say their own role anew: two seats of one person that became one, or one whose account went.
    What either did stands in the log one after the other, so presence and votes cannot be folded from it.
    `advances_before` are the songs of the ended room this one continues; None where its opening did not tell yet.
    """

    state: str = ""
    mode: str | None = None
    host: int | None = None
    present: dict[int, bool] = field(default_factory=dict)
    roles: dict[int, str] = field(default_factory=dict)
    items: dict[int, str] = field(default_factory=dict)
    votes: dict[tuple[int, int], int] = field(default_factory=dict)
    suggestions: dict[int, str] = field(default_factory=dict)
    knocks: dict[int, str] = field(default_factory=dict)
    bans: dict[int, bool] = field(default_factory=dict)
    messages: dict[int, bool] = field(default_factory=dict)
    started: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    play_items: dict[int, int] = field(default_factory=dict)
    skips: dict[tuple[int, int], bool] = field(default_factory=dict)
    merged: set[int] = field(default_factory=set)
    hosts_changed: int = 0
    advances_before: int | None = None


def fold(log: list[Row], ban_ends: dict[int, int | None]) -> tuple[Told, list[Finding]]:
    """Run through the log once. `ban_ends` says when each ban ends by itself (epoch ms), None for never."""
    replay = _Replay(ban_ends)
    findings = [finding for row in log for finding in replay.take(row)]
    return replay.told, findings


class _Replay:
    def __init__(self, ban_ends: dict[int, int | None]) -> None:
        self.told, self.ban_ends = Told(), ban_ends
        self.out: dict[int, int] = {}
        self.banned: dict[int, tuple[int, int]] = {}
        self.decided: dict[tuple[str, int], int] = {}
        self.over: int | None = None

    def take(self, row: Row) -> Iterator[Finding]:
        """One row: what it breaks, and what it changes."""
        if self.over is not None:
            yield Finding(
                "I10", f"event {row.seq} ({row.kind}) comes after the room ended with event {self.over}"
            )
        yield from self._absent(row)
        if row.kind in LIFE or row.kind == "room_opened":
            yield from self._live(row)
        elif row.kind in DECISIONS:
            yield from self._decide(row)
        else:
            step = _STEPS.get(row.kind)
            if step is not None:
                step(self, row)

    def _absent(self, row: Row) -> Iterator[Finding]:
        if row.actor is None:
            return
        since = self.out.get(row.actor)
        if since is not None and row.kind not in BY_ANYBODY:
            yield Finding(
                "I13", f"event {row.seq} ({row.kind}) is by member {row.actor}, sent out with event {since}"
            )
        if row.kind == "person_joined" and row.actor in self.banned:
            ban_id, seq = self.banned[row.actor]
            until = self.ban_ends.get(ban_id)
            if until is None or row.at < until:
                yield Finding("I13", f"event {row.seq} lets member {row.actor} in, banned with event {seq}")

    def _live(self, row: Row) -> Iterator[Finding]:
        told = self.told
        if row.kind == "room_opened":
            if row.seq != 1:
                yield Finding("I10", f"event {row.seq} opens a room that was open")
            told.state, told.advances_before = "CREATED", row.data.get("advance")
            if row.actor is not None:
                told.host, told.present[row.actor] = row.actor, True
            return
        before, told.state = told.state, LIFE[row.kind][1]
        if before not in LIFE[row.kind][0]:
            yield Finding(
                "I10", f"event {row.seq} ({row.kind}) leads from {before or 'nothing'} to {told.state}"
            )
        if row.kind == "room_expired":
            self.over = row.seq

    def _decide(self, row: Row) -> Iterator[Finding]:
        noun = row.kind.partition("_")[0]
        number = row.data[f"{noun}_id"]
        first = self.decided.setdefault((noun, number), row.seq)
        if first != row.seq and noun == "knock":
            yield Finding("I12", f"knock {number} is decided by event {first} and again by event {row.seq}")
        elif first != row.seq:
            yield Finding(
                "I2", f"suggestion {number} is decided by event {first} and again by event {row.seq}"
            )
        states = self.told.knocks if noun == "knock" else self.told.suggestions
        states[number] = DECISIONS[row.kind]

    def come(self, row: Row) -> None:
        member = row.data["member_id"]
        self.told.present[member] = True
        self.out.pop(member, None)

    def go(self, row: Row) -> None:
        member = row.data["member_id"]
        self.told.present[member] = False
        if row.kind != "person_left":
            self.out.setdefault(member, row.seq)

    def ban(self, row: Row) -> None:
        self.go(row)
        self.told.bans[row.data["ban_id"]] = True
        self.banned[row.data["member_id"]] = (row.data["ban_id"], row.seq)

    def lift(self, row: Row) -> None:
        lifted = row.data["ban_id"]
        self.told.bans[lifted] = False
        self.banned = {member: known for member, known in self.banned.items() if known[0] != lifted}

    def crown(self, row: Row) -> None:
        told, member = self.told, row.data["member_id"]
        if row.data["from_id"] is not None:
            told.roles[row.data["from_id"]] = "cohost"
        told.roles[member], told.host = "host", member
        told.hosts_changed += 1
        if told.state == "GRACE":
            told.state = "LIVE"

    def start(self, row: Row) -> None:
        self.told.items[row.data["item_id"]] = "playing"
        self.told.started[row.data["play_id"]] += 1
        self.told.play_items[row.data["play_id"]] = row.data["item_id"]

    def end(self, row: Row) -> None:
        self.told.items[row.data["item_id"]] = "played"
        self.told.ended[row.data["play_id"]] += 1

    def vote(self, row: Row) -> None:
        if row.actor is not None:
            self.told.votes[(row.data["item_id"], row.actor)] = row.data["value"]

    def unvote(self, row: Row) -> None:
        self.told.votes.pop((row.data["item_id"], row.actor or 0), None)

    def skip(self, row: Row) -> None:
        if row.actor is not None:
            self.told.skips[(row.data["play_id"], row.actor)] = row.kind == "skip_voted"

    def role(self, row: Row) -> None:
        self.told.roles[row.data["member_id"]] = row.data["role"]
        if row.actor == row.data["member_id"]:
            self.told.merged.add(row.data["member_id"])

    def item(self, row: Row) -> None:
        self.told.items[row.data["item_id"]] = "removed" if row.kind == "item_removed" else "waiting"

    def order(self, row: Row) -> None:
        self.told.mode = row.data["mode"]

    def suggest(self, row: Row) -> None:
        self.told.suggestions[row.data["suggestion_id"]] = "waiting"

    def knock(self, row: Row) -> None:
        self.told.knocks[row.data["knock_id"]] = "waiting"

    def say(self, row: Row) -> None:
        self.told.messages[row.data["message_id"]] = row.kind == "message_sent"


_STEPS: dict[str, Callable[[_Replay, Row], None]] = {
    "person_joined": _Replay.come,
    "person_readmitted": _Replay.come,
    "person_left": _Replay.go,
    "person_removed": _Replay.go,
    "person_banned": _Replay.ban,
    "ban_lifted": _Replay.lift,
    "host_changed": _Replay.crown,
    "role_changed": _Replay.role,
    "item_added": _Replay.item,
    "item_filled": _Replay.item,
    "item_restored": _Replay.item,
    "item_removed": _Replay.item,
    "item_started": _Replay.start,
    "item_ended": _Replay.end,
    "vote_cast": _Replay.vote,
    "vote_withdrawn": _Replay.unvote,
    "skip_voted": _Replay.skip,
    "skip_withdrawn": _Replay.skip,
    "mode_changed": _Replay.order,
    "suggestion_made": _Replay.suggest,
    "knock_made": _Replay.knock,
    "message_sent": _Replay.say,
    "message_deleted": _Replay.say,
}
"""What each kind does to the fold; the other kinds leave nothing behind in a table."""
