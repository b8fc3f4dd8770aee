"""How those who are here are: whether anybody touched their screens lately, and how their players keep up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models import Member, Presence, User, rows
from party.change import write
from party.clock import now_ms
from party.line import PRESENT_MS

STEPS = ("in_step", "muted", "adjusting", "in_ad", "alone", "waiting")
"""From the best: of several screens the one that keeps up best counts."""

WORDS = {
    "muted": "still muted by their browser",
    "adjusting": "getting into step",
    "in_ad": "in an ad",
    "alone": "watching alone",
    "waiting": "not playing along",
}
NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class StepView:
    """Those whose players are in one state: how many, what that is, and some of their names."""

    step: str
    count: int
    words: str
    names: tuple[str, ...]


def best(steps: list[str]) -> str:
    """The step that counts among several screens; empty when none plays."""
    return next((step for step in STEPS if step in steps), "")


def note(process: str, looks: Mapping[int, tuple[bool, str]]) -> bool:
    """Write down, for seats of this web process, whether they are idle and how they keep up. True when any changed."""
    own = Presence.process == process
    known = rows(Presence.select(Presence.member, Presence.is_idle, Presence.step).where(own))
    changed: dict[tuple[bool, str], list[int]] = {}
    for member_id, is_idle, step in known:
        look = looks.get(member_id)
        if look is not None and look != (bool(is_idle), step):
            changed.setdefault(look, []).append(member_id)
    if not changed:
        return False
    with write():
        for (is_idle, step), members in changed.items():
            for start in range(0, len(members), 300):
                some = Presence.member.in_(members[start : start + 300])
                Presence.update(is_idle=is_idle, step=step).where(own, some).execute()
    return True


def steps(room_id: int) -> tuple[StepView, ...]:
    """Who of those present does not hear what everybody hears, for the host's eyes."""
    query = (
        Presence.select(Presence.member, Presence.step, User.display_name)
        .join(Member)
        .join(User)
        .where(Member.room == room_id, Presence.seen_at > now_ms() - PRESENT_MS)
    )
    seats: dict[int, tuple[str, list[str]]] = {}
    for member_id, step, name in rows(query.order_by(Member.id)):
        seats.setdefault(member_id, (name, []))[1].append(step)
    found: dict[str, list[str]] = {}
    for name, each in seats.values():
        found.setdefault(best(each), []).append(name)
    return tuple(
        StepView(step, len(found[step]), words, tuple(found[step][:NAMES_SHOWN]))
        for step, words in WORDS.items()
        if step in found
    )
