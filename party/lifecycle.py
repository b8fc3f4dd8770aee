"""The room's states and what time alone does to them: CREATED → LIVE → GRACE → LIVE or EXPIRED.

The effective state is computed from the row and the clock, so a promise holds even when no worker runs.
"""

from __future__ import annotations

from peewee import fn

from models import Item, Knock, Member, Play, Playback, Presence, Room, User, rows
from party import events
from party.ends import end_of
from party.line import PRESENT_MS
from party.settings import load

HOST_GONE_MS = 5_000
"""How long the host's last screen must be gone before the room is in grace."""

RESUME_LEAD_MS = 1_000
"""How far ahead the music starts again when a host comes back: their own screen has only just arrived."""

DAY_MS = 86_400_000
NEVER_BEGUN_MS = 7 * DAY_MS
"""A room whose host never came to it is over after so long; a kept one waits as long as for a host who is away."""


def effective(room: Room, now: int) -> tuple[str, int | None]:
    """The room's state at `now` and, in GRACE, the instant it ends; else None.

    Past that instant the room is EXPIRED, unless somebody present takes over: then it stays in GRACE until `settle`
    has written that down.
    """
    state, until = room.state, room.host_grace_until
    if state == "CREATED" and now >= begins_until(room):
        return "EXPIRED", None
    if state == "LIVE" and room.host_gone_at is not None and now >= room.host_gone_at + HOST_GONE_MS:
        state, until = "GRACE", grace_ends_at(room)
    if state == "GRACE" and until is not None and now >= until and heir(room, now) is None:
        return "EXPIRED", None
    return state, until if state == "GRACE" else None


def grace_ends_at(room: Room) -> int:
    """When the host has to be back, given when the last screen went; a kept room waits for days."""
    return int(room.host_gone_at or 0) + HOST_GONE_MS + patience_ms(room)


def begins_until(room: Room) -> int:
    """When a room whose host never came is over."""
    return int(room.created_at) + max(NEVER_BEGUN_MS, patience_ms(room))


def patience_ms(room: Room) -> int:
    """How long the room waits for its host."""
    settings = load(room.settings)
    return settings.keep_days * DAY_MS if settings.keep else int(room.grace_seconds) * 1000


def is_overdue(room: Room, now: int) -> bool:
    """True when the stored state lags behind the effective one, or grace ran out and somebody takes over."""
    state, until = effective(room, now)
    return state != room.state or (until is not None and now >= until)


def heir(room: Room, now: int) -> int | None:
    """The seat that takes over when grace ends: the longest-present cohost, else, where it is set, whoever was longest.

    After grace ended only those count who were there when it did, so that nobody can bring an ended room back.
    """
    settings = load(room.settings)
    if settings.succession == "nobody":
        return None
    ends_at = room.host_grace_until or (now + 1 if room.host_gone_at is None else grace_ends_at(room))
    since = fn.MIN(Presence.since_at)
    present = (
        Member.select(Member.id, Member.role, User.email, since)
        .join(Presence)
        .switch(Member)
        .join(User)
        .where(
            Member.room == room.id,
            Member.role != "host",
            Member.left_at.is_null(),
            Presence.seen_at > now - PRESENT_MS,
            Presence.since_at < ends_at,
        )
        .group_by(Member.id, Member.role, User.email)
        .order_by(since, Member.id)
    )
    seats = rows(present)
    cohosts = [seat for seat, role, *_ in seats if role == "cohost"]
    # Who may only watch does not come to lead by staying longest.
    is_for_accounts = room.visibility == "public" and settings.accounts_only
    guests = [seat for seat, _, email, _ in seats if email is not None or not is_for_accounts]
    return next(iter(cohosts or (guests if settings.succession == "anybody" else [])), None)


def settle(room: Room, now: int) -> bool:
    """Write what time has done to the room into the open transaction. True when anything changed."""
    if not is_overdue(room, now):
        return False
    if room.state == "CREATED":
        expire(room, begins_until(room))
        room.save()
        return True
    if room.state == "LIVE":
        room.state, room.host_grace_until = "GRACE", grace_ends_at(room)
        events.append(room, "host_lost", None, until=room.host_grace_until)
    until = int(room.host_grace_until or now)
    if now >= until:
        successor = heir(room, now)
        if successor is None:
            expire(room, min(now, until))
        else:
            crown(room, successor, "grace", None, now)
    room.save()
    return True


def crown(room: Room, member_id: int, how: str, actor_id: int | None, now: int) -> None:
    """Make somebody the one host, in the open transaction; who was it stays as a cohost. The fence grows.

    `how` is grace, handed_over, claimed or returned. A new host who has no screen open has the usual five seconds.
    """
    before = Member.get_or_none(Member.room == room.id, Member.role == "host")
    from_id = before.id if before else None
    Member.update(role="cohost").where(Member.room == room.id, Member.role == "host").execute()
    Member.update(
        role="host", asked_control_at=None, controls_until=None, controls_once=False, muted_until=None
    ).where(Member.id == member_id).execute()
    Member.update(offered_host_at=None).where(Member.room == room.id).execute()
    room.fence += 1
    is_here = (
        Presence.select().where(Presence.member == member_id, Presence.seen_at > now - PRESENT_MS).exists()
    )
    room.host_gone_at = None
    was_away = room.state == "GRACE"
    if was_away:
        room.state, room.host_grace_until = "LIVE", None
    events.append(room, "host_changed", actor_id, member_id=member_id, from_id=from_id, how=how)
    if room.state == "CREATED" and is_here:
        room.state = "LIVE"
        events.append(room, "room_went_live", member_id)
    if room.state == "LIVE" and not is_here:
        room.host_gone_at = now
    if was_away:
        play_on(room, now)


def is_kept(room: Room) -> bool:
    """True for a room that waits for its host for days."""
    return load(room.settings).keep


def host_is_back(room: Room, host_id: int | None, now: int) -> None:
    """The host has a screen open: whatever was counted is forgotten, and grace ends, in the open transaction."""
    room.host_gone_at = None
    if room.state == "GRACE":
        room.state, room.host_grace_until = "LIVE", None
        events.append(room, "host_returned", host_id)
        play_on(room, now)


def play_on(room: Room, now: int) -> None:
    """Start what a kept room paused because its host was away; what a person paused stays paused."""
    settings = load(room.settings)
    playback = Playback.get_by_id(room.id)
    is_waiting = playback.state == "paused" and playback.paused_by_id is None and playback.item_id is not None
    if not (is_waiting and settings.keep and settings.when_away == "pause"):
        return
    playback.state, playback.at_ms = "playing", now + RESUME_LEAD_MS
    playback.ends_at = end_of(playback)
    playback.version += 1
    playback.save()
    if playback.position_ms == 0:
        Play.update(started_at=playback.at_ms).where(Play.id == playback.play_id).execute()
    events.append(room, "playback_changed", None, action="play", position_ms=playback.position_ms)


def wait_anew(room: Room, now: int) -> None:
    """How long the room waits for its host was set anew: a running grace ends by that, but never at once."""
    if room.state == "GRACE" and room.host_grace_until != grace_ends_at(room):
        room.host_grace_until = max(grace_ends_at(room), now + int(room.grace_seconds) * 1000)


def expire(room: Room, at: int) -> None:
    """End the room for good, in the open transaction. What plays ends; who still knocks is not let in.

    Where it stood stays in the anchor: a room that is started again goes on from there.
    """
    room.state, room.expired_at = "EXPIRED", at
    room.host_grace_until = room.host_gone_at = None
    room.fence += 1
    Knock.update(state="expired", decided_at=at).where(
        Knock.room == room.id, Knock.state == "waiting"
    ).execute()
    playback = Playback.get_by_id(room.id)
    moved = max(0, at - playback.at_ms) * playback.rate if playback.state == "playing" else 0
    if playback.item_id is not None:
        Play.update(ended_at=at, end_reason="finished").where(Play.id == playback.play_id).execute()
        Item.update(state="played").where(Item.id == playback.item_id).execute()
        events.append(
            room, "item_ended", None, item_id=playback.item_id, play_id=playback.play_id, reason="finished"
        )
    playback.item = playback.play = playback.locked_item = playback.ends_at = None
    playback.position_ms = min(DAY_MS, round(playback.position_ms + moved))
    playback.state, playback.at_ms = "idle", at
    playback.version += 1
    playback.save()
    events.append(room, "room_expired", None)
