"""The host: arriving makes the room live, being gone starts grace, grace that ran out ends the room."""

from __future__ import annotations

from models import Member, Presence, Room, rows
from party import lifecycle
from party.change import CLOCK, Change, Person, change, settle
from party.clock import now_ms
from party.line import PRESENT_MS
from party.people import is_here, note_host_gone


def screen_arrived(actor: Person, code: str) -> None:
    """A person's screen opened. The host's first makes the room LIVE, or ends grace."""
    with change(actor, code, may="see") as c:
        if c.member is None or c.member.role != "host":
            return
        if c.room.state == "CREATED":
            c.room.state = "LIVE"
            c.log("room_went_live")
        _take_back_grace(c)


def screens_gone(actor: Person, code: str) -> int | None:
    """A person's last screen closed. Returns when the room would be in grace, if this person is its lost host."""
    with change(actor, code, may="see") as c:
        note_host_gone(c)
        return _grace_starts_at(c)


def keep_promises(code: str) -> bool:
    """The clock's turn: grace may begin, or have run out. Early, late, twice: nothing. True when the state moved."""
    return settle(code)


def find_lost_hosts() -> list[str]:
    """Codes of LIVE rooms whose host has no living screen though nobody said so: a web process that died."""
    now = now_ms()
    here = Presence.select(Presence.member).where(Presence.seen_at > now - PRESENT_MS)
    hosts = (
        Member.select(Room.code)
        .join(Room)
        .where(
            Member.role == "host", Room.state == "LIVE", Room.host_gone_at.is_null(), Member.id.not_in(here)
        )
    )
    return [code for (code,) in rows(hosts)]


def note_lost_host(code: str) -> None:
    """The clock's turn: start the five seconds of a host whose process died. A host who is here changes nothing."""
    with change(CLOCK, code, may="keep_time") as c:
        host = Member.get_or_none(Member.room == c.room, Member.role == "host")
        if c.room.state == "LIVE" and c.room.host_gone_at is None and not (host and is_here(host.id, c.now)):
            c.room.host_gone_at = c.now
            c.room.save()


def doubted(codes: list[str]) -> list[str]:
    """Of these rooms, the ones whose host counts as gone."""
    is_doubted = Room.host_gone_at.is_null(False) | (Room.state == "GRACE")
    return [code for (code,) in rows(Room.select(Room.code).where(Room.code.in_(codes), is_doubted))]


def note_host_here(code: str) -> None:
    """The clock's turn: a host who only seemed gone is here, and grace that began meanwhile is taken back."""
    with change(CLOCK, code, may="keep_time") as c:
        host = Member.get_or_none(Member.room == c.room, Member.role == "host")
        if host is not None and is_here(host.id, c.now):
            _take_back_grace(c)


def _take_back_grace(c: Change) -> None:
    c.room.host_gone_at = None
    if c.room.state == "GRACE":
        c.room.state, c.room.host_grace_until = "LIVE", None
        c.log("host_returned")
    c.room.save()


def overdue_codes() -> list[str]:
    """Codes of rooms whose stored state lags behind the clock."""
    now = now_ms()
    late = Room.select().where(
        ((Room.state == "LIVE") & (Room.host_gone_at <= now - lifecycle.HOST_GONE_MS))
        | ((Room.state == "GRACE") & (Room.host_grace_until <= now))
    )
    return [str(room.code) for room in late]


def _grace_starts_at(c: Change) -> int | None:
    if c.member is None or c.member.role != "host" or c.room.host_gone_at is None:
        return None
    return int(c.room.host_gone_at) + lifecycle.HOST_GONE_MS
