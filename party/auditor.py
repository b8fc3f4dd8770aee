"""The auditor: reads a room whole and says which promises its rows break. It changes nothing.

I1 the log has no holes, I2 the log tells what the tables hold, I6 one track plays, I7 votes, I8 the order, I9 one host,
I10 nothing after the end, I11 each play once, I12 knocks, I13 who was sent out stays out, I14 the doors, I15 nothing
that was logged is lost, I16 one key one answer; “keys”: rows point into their own room. What only screens saw (I3 to
I5, I17 to I20) no database can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from peewee import fn

from models import Outcome, Room, database, is_sqlite, rows
from party.books import read
from party.checks import CHECKS
from party.replay import Finding, fold
from party.snapshot import reading


class Violation(NamedTuple):
    """A promise that does not hold. `room` is the room's code, empty for what belongs to none."""

    invariant: str
    room: str
    sentence: str


def audit_all() -> list[Violation]:
    """Everything the database holds, at one moment."""
    with reading():
        found = [Violation(invariant, "", sentence) for invariant, sentence in _site()]
        for room in list(Room.select().order_by(Room.id)):
            found += _audited(room)
    return found


def audit_room(code: str) -> list[Violation]:
    """One room, at one moment. An unknown code has nothing to find."""
    with reading():
        room = Room.get_or_none(Room.code == code)
        return _audited(room) if room is not None else []


def _audited(room: Room) -> list[Violation]:
    books = read(room)
    told, findings = fold(books.log, {ban.id: ban.until for ban in books.bans})
    for check in CHECKS:
        findings += check(books, told)
    return [Violation(finding.invariant, room.code, finding.sentence) for finding in dict.fromkeys(findings)]


def _site() -> Iterator[Finding]:
    """What belongs to no room."""
    keys = Outcome.select(Outcome.user, Outcome.key, fn.COUNT(Outcome.id)).group_by(Outcome.user, Outcome.key)
    for user, _key, count in rows(keys.having(fn.COUNT(Outcome.id) > 1)):
        yield Finding("I16", f"person {user} has {count} answers for one key")
    if is_sqlite():
        for table, row, other, _ in database.obj.execute_sql("PRAGMA foreign_key_check").fetchall():
            yield Finding("keys", f"row {row} of {table} names a row of {other} that is gone")
