"""How long a track is that came without a length: its player says so once it plays, to this room alone."""

from __future__ import annotations

from typing import Any

from models import Event, Item, Member, Presence, User, rows
from party.change import Actor, Change, change, role_of
from party.ends import end_of
from party.errors import Invalid, NotAllowed
from party.line import PRESENT_MS
from party.permissions import COHOST, DRIVER, GUEST, HOST, can

SHORTEST_MS, LONGEST_MS = 1_000, 86_400_000
SAME_MS = 2_000
"""Two players that differ by less say the same."""
AGAIN_MS = 30_000
"""What the same seat says sooner after its last word is not heard."""
WORDS_READ = 200
NOT_YOURS = "Whoever put it on, or has the controls, says how long it is."
PLAYING_ALONG = ("in_step", "muted", "adjusting", "in_ad")


def report_length(actor: Actor, code: str, item_id: int, duration_ms: int) -> None:
    """Say how long the item is that plays: whoever may control the playback, or put it on. Known already is nothing.

    While none of those is here, two guests who say the same are believed, or the only one whose player plays along: one
    among several cuts nothing short. What one room's players say ends the track in that room and nowhere
    else, or anybody could cut it short for all.
    """
    if not SHORTEST_MS <= duration_ms <= LONGEST_MS:
        raise Invalid("A length lies between a second and a day.")
    with change(actor, code, may="report_length") as c:
        item, playback = c.item(item_id), c.playback
        is_believed = c.can("control_playback") or c.seat.id == _bringer(item)
        if not is_believed and _somebody_knows(c, item):
            raise NotAllowed(NOT_YOURS)
        if playback.item_id != item.id or item.track.duration_ms or item.length_ms:
            return
        agreed = duration_ms if is_believed else _agreed(c, item, duration_ms)
        if not agreed:
            return
        Item.update(length_ms=agreed).where(Item.id == item.id).execute()
        if playback.state == "playing":
            playback.ends_at = end_of(playback)
            playback.save()
        c.log("length_known", item_id=item.id, duration_ms=agreed)


def _bringer(item: Item) -> int | None:
    """Whose item it is; nobody's where the room put it on by itself."""
    return None if item.is_filler else item.added_by_id


def _here(c: Change, *columns: Any) -> Any:
    seats = Presence.select(*columns).join(Member)
    return seats.where(Member.room == c.room, Member.left_at.is_null(), Presence.seen_at > c.now - PRESENT_MS)


def _somebody_knows(c: Change, item: Item) -> bool:
    """True while somebody is here whose word counts by itself."""
    leading = [role for role in (HOST, COHOST) if can(role, "control_playback", c.settings)]
    counts = Member.role.in_(leading) | (Member.id == _bringer(item))
    if can(DRIVER, "control_playback", c.settings):
        counts |= (Member.role == GUEST) & (Member.controls_until > c.now)
    return bool(_here(c, Presence.id).where(counts).exists())


def _agreed(c: Change, item: Item, duration_ms: int) -> int:
    """What this seat says, if it alone plays along, or another that does said the same; 0 while neither is so."""
    along = _here(c, Presence.member).where(Presence.step.in_(PLAYING_ALONG))
    heard = {member.id for member in _seats(along) if can(role_of(c.room, member, c.now), "report_length")}
    others = heard - {c.seat.id}
    words = _words(c, item)
    said, at = words.get(c.seat.id, (0, 0))
    if heard and not others:
        return duration_ms
    for member_id in others & words.keys():
        if abs(words[member_id][0] - duration_ms) <= SAME_MS:
            return max(words[member_id][0], duration_ms)
    if said != duration_ms and not at <= c.now < at + AGAIN_MS:
        c.log("length_told", item_id=item.id, duration_ms=duration_ms)
    return 0


def _seats(which: Any) -> list[Member]:
    return list(Member.select(Member, User).join(User).where(Member.id.in_(which)))


def _words(c: Change, item: Item) -> dict[int, tuple[int, int]]:
    """What each seat said last of the item, and when."""
    told = Event.select(Event.actor, Event.data, Event.at).where(
        Event.room == c.room, Event.kind == "length_told", Event.seq > item.added_seq
    )
    words: dict[int, tuple[int, int]] = {}
    for actor_id, data, at in rows(told.order_by(Event.seq.desc()).limit(WORDS_READ)):
        if data["item_id"] == item.id:
            words.setdefault(actor_id, (int(data["duration_ms"]), at))
    return words
