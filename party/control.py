"""The controls, lent to a guest: asking for them, giving them once or for a while, and their end."""

from __future__ import annotations

import contextlib

from models import Event, Member, Room, rows
from party.change import CLOCK, Actor, Change, change, role_of
from party.clock import now_ms
from party.errors import Conflict, Invalid, Over, TooMany
from party.permissions import DRIVER, WATCHER

GRANTS = ("once", "while", "cohost", "no")
GRANTED_MS = 600_000
"""Ten minutes. A grant for one press ends then too, should nothing be pressed."""

ASK_AGAIN_MS = 60_000
"""So long after a no somebody may ask again."""


def ask_control(actor: Actor, code: str) -> None:
    """Ask the host for the controls. Asking again before an answer changes nothing."""
    with change(actor, code, may="ask_control") as c:
        if c.seat.asked_control_at is not None:
            return
        _refuse_after_a_no(c)
        Member.update(asked_control_at=c.now).where(Member.id == c.seat.id).execute()
        c.log("control_asked", member_id=c.seat.id)


def grant_control(actor: Actor, code: str, member_id: int, grant: str) -> None:
    """Answer in one tap: the controls once, for ten minutes, a co-host's place, or no. No also takes them back."""
    if grant not in GRANTS:
        raise Invalid("The controls are given once, for a while, with a co-host’s place, or not.")
    with change(actor, code, may="grant_control") as c:
        member = c.member_of(member_id)
        if grant == "no":
            _keep(c, member)
            return
        if member.role != "guest":
            raise Conflict("They need nobody’s leave: they lead this room.")
        if grant == "cohost":
            c.need("name_cohost")
            Member.update(role="cohost", **NOTHING_LENT).where(Member.id == member.id).execute()
            c.log("role_changed", member_id=member.id, role="cohost")
            return
        if role_of(c.room, member, c.now) == WATCHER:
            raise Conflict("In this room people with an account take part. They need one first.")
        until = c.now + GRANTED_MS
        Member.update(asked_control_at=None, controls_until=until, controls_once=grant == "once").where(
            Member.id == member.id
        ).execute()
        c.log("control_granted", member_id=member.id, until=until)


def give_back(actor: Actor, code: str) -> None:
    """Give the controls back before their time, or stop asking for them. Neither lent nor asked for: nothing."""
    with change(actor, code, may="leave") as c:
        if c.seat.controls_until is not None or c.seat.asked_control_at is not None:
            end_grant(c, c.seat)


def end_due_controls() -> list[str]:
    """The clock's turn: grants whose time is up end, and everybody's screen shows it. Returns the rooms' codes."""
    due = Member.controls_until <= now_ms()
    found = Member.select(Room.code).join(Room).where(due, Room.state != "EXPIRED").distinct()
    codes = [str(code) for (code,) in rows(found)]
    for code in codes:
        # A room whose time ran out meanwhile has nothing left to take back.
        with contextlib.suppress(Over), change(CLOCK, code, may="keep_time") as c:
            for member in Member.select().where(Member.room == c.room, Member.controls_until <= c.now):
                end_grant(c, member)
    return codes


def end_grant(c: Change, member: Member) -> None:
    """Take the controls back, in the open transaction."""
    Member.update(**NOTHING_LENT).where(Member.id == member.id).execute()
    c.log("control_ended", member_id=member.id)


def reclaim(c: Change, member: Member) -> None:
    """Whoever goes takes nothing along that was lent or offered to them, in the open transaction."""
    if member.asked_control_at is not None or (member.controls_until or 0) > c.now:
        end_grant(c, member)
    if member.offered_host_at is not None:
        c.log("host_declined", member_id=member.id)
    Member.update(offered_host_at=None, **NOTHING_LENT).where(Member.id == member.id).execute()


def end_all_grants(c: Change) -> None:
    """Nobody has the controls on loan any more: the room's rule about them became stricter."""
    for member in list(Member.select().where(Member.room == c.room, Member.controls_until.is_null(False))):
        end_grant(c, member)


def spend_once(c: Change) -> None:
    """Something was pressed: controls given for one press go back."""
    if c.role == DRIVER and c.seat.controls_once:
        end_grant(c, c.seat)


NOTHING_LENT = {"asked_control_at": None, "controls_until": None, "controls_once": False}


def _keep(c: Change, member: Member) -> None:
    if member.controls_until is not None:
        end_grant(c, member)
    elif member.asked_control_at is not None:
        Member.update(asked_control_at=None).where(Member.id == member.id).execute()
        c.log("control_declined", member_id=member.id)


def _refuse_after_a_no(c: Change) -> None:
    """One no holds for a minute, so that nobody is asked into saying yes."""
    since = c.now - ASK_AGAIN_MS
    declined = Event.select().where(Event.room == c.room, Event.kind == "control_declined", Event.at > since)
    said = [row.at for row in declined if row.data["member_id"] == c.seat.id]
    if said:
        wait = (max(said) + ASK_AGAIN_MS - c.now + 999) // 1000
        raise TooMany(f"The host keeps the controls for now. You can ask again in {wait} s.")
