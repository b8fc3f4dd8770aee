"""One's own data: all of it to take along, or all of it gone. What others did stands, beside a neutral name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from peewee import JOIN

from models import (
    Ban,
    Holding,
    Item,
    Knock,
    Link,
    Member,
    Message,
    Outcome,
    Playback,
    Playlist,
    PlaylistEntry,
    Presence,
    Progress,
    Reaction,
    RecoveryCode,
    Room,
    Search,
    Session,
    SiteEvent,
    SkipVote,
    Source,
    Subtitle,
    SubtitleChoice,
    Suggestion,
    Track,
    Upload,
    User,
    Vote,
)
from party import audit, doorway, events, hosting, lifecycle, sessions, sources, work
from party.change import Person, hold_people, hold_with_rooms, wake_after_commit, write
from party.clock import now_ms
from party.credentials import prove
from party.errors import NotKnown
from party.line import PRESENT_MS
from party.settings import changed, load, stored

NOBODY = "Somebody who left"
OWN = (Holding, Upload, SubtitleChoice, Search, Playlist, Progress, Source)
"""What people bring and keep for themselves: it goes with them."""


def export(actor: Person) -> dict[str, Any]:
    """Everything kept about a person, except what would open their account."""
    user = User.get_or_none(User.id == actor.user_id)
    if user is None:
        raise NotKnown("Tell us your name first.")
    seats = Member.select(Member.id).where(Member.user == user.id)
    inside = {row.room_id for row in Member.select().where(Member.user == user.id, Member.left_at.is_null())}

    def place(room: Room) -> str | None:
        # A room may have become another's secret since: only those who sit in it are told how it is called.
        return str(room.spoken_code) if room.id in inside else None

    return {
        "account": _facts(user),
        "sessions": [
            {"device": row.device, "begun_at": _time(row.created_at), "last_used_at": _time(row.last_seen_at)}
            for row in Session.select().where(Session.user == user.id).order_by(Session.created_at)
        ],
        "rooms": [_seat(row, place) for row in _mine(Member, user).order_by(Member.joined_at)],
        "tracks_put_on": [
            {**_track(row), "room": place(row.room), "state": row.state, "at": _time(row.added_at)}
            for row in Item.select(Item, Track, Room).join(Track).switch(Item).join(Room)
            .where(Item.added_by.in_(seats), ~Item.is_filler).order_by(Item.id)
        ],
        **_kept(user.id, place),
        "votes": [
            {**_track(row.item), "room": place(row.item.room), "value": row.value, "at": _time(row.cast_at)}
            for row in Vote.select(Vote, Item, Track, Room).join(Item).join(Track).switch(Item).join(Room)
            .where(Vote.member.in_(seats)).order_by(Vote.id)
        ],
        "votes_to_skip": [
            {"at": _time(row.cast_at)} for row in SkipVote.select().where(SkipVote.member.in_(seats))
        ],
        "suggestions": [
            {**_track(row), "room": place(row.room), "state": row.state, "at": _time(row.asked_at)}
            for row in Suggestion.select(Suggestion, Track, Room).join(Track).switch(Suggestion).join(Room)
            .where(Suggestion.member.in_(seats)).order_by(Suggestion.id)
        ],
        "messages": [
            {"room": place(row.room), "text": row.text, "at": _time(row.said_at)}
            for row in Message.select(Message, Room).join(Room)
            .where(Message.member.in_(seats), Message.deleted_at.is_null()).order_by(Message.id)
        ],
        "reactions": [
            {"message": row.message_id, "emoji": row.emoji}
            for row in Reaction.select().where(Reaction.member.in_(seats)).order_by(Reaction.id)
        ],
        "knocks": [
            {"room": place(row.room), "state": row.state, "at": _time(row.asked_at)}
            for row in _mine(Knock, user).order_by(Knock.id)
        ],
        "bans": [
            {"room": place(row.room), "reason": row.reason, "at": _time(row.banned_at), "until": _time(row.until)}
            for row in _mine(Ban, user).order_by(Ban.id)
        ],
        "history": [
            {"what": row.kind, "at": _time(row.at)}
            for row in SiteEvent.select().where(SiteEvent.actor == user.id).order_by(SiteEvent.id)
        ],
    }  # fmt: skip


def delete(actor: Person, password: str) -> None:
    """Delete a person and all their data; an account is asked for its password.

    A room they host goes to the co-host who is longest there, else it ends. Rooms nobody else was ever in go too, and
    the files they brought that nobody else did.
    """
    user = User.get_or_none(User.id == actor.user_id)
    if user is None:
        raise NotKnown("Tell us your name first.")
    if user.email is not None:
        prove(actor, password)
    now = now_ms()
    with write():
        rooms = hold_with_rooms(lambda: _is_changed(user.id), lambda: _hold(user.id))
        mine = _room_ids(user.id)
        for room in rooms:
            if room.id in mine:
                _leave_for_good(room, user.id, now)
        sources.give_up_all(user.id)
        _forget_words(user.id, now)
        _forget_person(user)
        audit.note(None, "account_deleted", user_id=user.id)
        work.hand_over("sweep_files")


def _room_ids(user_id: int) -> set[int]:
    seats = Member.select(Member.room).where(Member.user == user_id)
    doors = Knock.select(Knock.room).where(Knock.user == user_id, Knock.state == "waiting")
    is_theirs = (Room.owner == user_id) | Room.id.in_(seats) | Room.id.in_(doors)
    return {room_id for (room_id,) in Room.select(Room.id).where(is_theirs).tuples()}


def _is_changed(user_id: int) -> Any:
    return Room.id.in_(_room_ids(user_id)) | Room.code.in_(sources.codes_with(user_id))


def _hold(user_id: int) -> None:
    hold_people(user_id)
    sources.hold_of(Source.user == user_id)


def _leave_for_good(room: Room, user_id: int, now: int) -> None:
    if not Member.select().where(Member.room == room, Member.user != user_id).exists():
        Room.delete().where(Room.id == room.id).execute()
        return
    before = room.seq
    lifecycle.settle(room, now)
    seat = Member.get_or_none(Member.room == room, Member.user == user_id)
    is_open = room.state != "EXPIRED"
    if is_open:
        doorway.close_knocks(room, user_id, now)
    if seat is not None and is_open:
        is_open = _give_up(room, seat, now)
    if room.owner_id == user_id:
        host = Member.get_or_none(Member.room == room, Member.role == "host", Member.user != user_id)
        room.owner = host.user_id if host is not None and is_open else None
        if is_open and not hosting.may_keep(room):
            # A kept room waits for an account; without one it is a room like any other.
            room.settings = stored(changed(load(room.settings), {"keep": False}))  # type: ignore[assignment]
    room.save()
    wake_after_commit(room, before)


def _give_up(room: Room, seat: Member, now: int) -> bool:
    """Leave an open room, in the open transaction; a host hands it over or ends it. False when it ended."""
    heir = _heir(room, now) if seat.role == "host" else None
    if heir is not None:
        lifecycle.crown(room, heir, "handed_over", seat.id, now)
    events.append(room, "person_renamed", seat.id, member_id=seat.id)
    if seat.role == "host" and heir is None:
        events.append(room, "room_ended", seat.id)
        lifecycle.expire(room, now)
        return False
    events.append(room, "person_left", seat.id, member_id=seat.id)
    Member.update(role="guest").where(Member.id == seat.id).execute()
    # Their words go from every screen: everything is drawn again.
    events.append(room, "role_changed", seat.id, member_id=seat.id, role="guest")
    return True


def _heir(room: Room, now: int) -> int | None:
    """The co-host who takes over: one who is here before one who is not, else whoever came first."""
    here = {
        seat
        for (seat,) in Presence.select(Presence.member).where(Presence.seen_at > now - PRESENT_MS).tuples()
    }
    cohosts = Member.select().where(Member.room == room, Member.role == "cohost", Member.left_at.is_null())
    ranked = sorted(cohosts, key=lambda each: (each.id not in here, each.joined_at, each.id))
    return int(ranked[0].id) if ranked else None


def _forget_words(user_id: int, now: int) -> None:
    seats = Member.select(Member.id).where(Member.user == user_id)
    Message.update(text="", mentions=[], deleted_at=now).where(
        Message.member.in_(seats), Message.deleted_at.is_null()
    ).execute()
    Reaction.delete().where(Reaction.member.in_(seats)).execute()
    Presence.delete().where(Presence.member.in_(seats)).execute()
    Suggestion.update(state="withdrawn", decided_at=now).where(
        Suggestion.member.in_(seats), Suggestion.state == "waiting"
    ).execute()
    Playback.update(paused_by=None).where(Playback.paused_by.in_(seats)).execute()
    Knock.update(state="withdrawn", decided_at=now).where(
        Knock.user == user_id, Knock.state == "waiting"
    ).execute()
    Ban.update(reason="").where(Ban.user == user_id).execute()
    Member.update(
        network_hash=None,
        muted_until=None,
        asked_control_at=None,
        controls_until=None,
        controls_once=False,
        offered_host_at=None,
    ).where(Member.user == user_id).execute()
    Member.update(left_at=now).where(Member.user == user_id, Member.left_at.is_null()).execute()


def _forget_person(user: User) -> None:
    user_id = user.id
    sessions.end_all(user_id)
    Link.delete().where(Link.email == user.email).execute()
    _take_out_of_playlists(user_id)
    for table in (RecoveryCode, Link, Outcome, *OWN):
        table.delete().where(table.user == user_id).execute()
    Subtitle.update(added_by=None).where(Subtitle.added_by == user_id).execute()
    is_named = any(table.select().where(table.user == user_id).exists() for table in (Member, Ban, Knock))
    if not is_named:
        User.delete().where(User.id == user_id).execute()
        return
    User.update(
        display_name=NOBODY,
        email=None,
        password_hash=None,
        totp_secret=None,
        totp_since=None,
        totp_last_step=None,
        is_admin=False,
        ban_reason="",
    ).where(User.id == user_id).execute()


def _take_out_of_playlists(user_id: int) -> None:
    """Files go with whoever alone brought them; in playlists of others the words stay."""
    others = Holding.select(Holding.track).where(Holding.user != user_id)
    mine = (
        Holding.select(Holding.track)
        .join(Track)
        .where(Holding.user == user_id, Track.provider == "upload", Holding.track.not_in(others))
    )
    PlaylistEntry.update(track=None).where(PlaylistEntry.track.in_(mine)).execute()


def _mine(table: Any, user: User) -> Any:
    return table.select(table, Room).join(Room).where(table.user == user.id)


def _facts(user: User) -> dict[str, Any]:
    return {
        "name": user.display_name,
        "email": user.email,
        "since": _time(user.created_at),
        "is_admin": bool(user.is_admin),
        "second_factor_since": _time(user.totp_since),
    }


def _seat(row: Member, place: Callable[[Room], str | None]) -> dict[str, Any]:
    code = place(row.room)
    return {
        "code": code,
        "name": row.room.name if code else None,
        "state": row.room.state,
        "role": row.role,
        "is_owner": row.room.owner_id == row.user_id,
        "joined_at": _time(row.joined_at),
        "left_at": _time(row.left_at),
    }


def _kept(user_id: int, place: Callable[[Room], str | None]) -> dict[str, Any]:
    """What somebody brought and keeps; of a server all but what opens it."""
    held = Holding.select(Holding, Track).join(Track).where(Holding.user == user_id).order_by(Holding.id)
    sent = Upload.select(Upload, Room).join(Room, JOIN.LEFT_OUTER).where(Upload.user == user_id)
    begun = (
        Progress.select(Progress, Track, Room).join(Track).switch(Progress).join(Room)
        .where(Progress.user == user_id).order_by(Progress.id)
    )  # fmt: skip
    lists = Playlist.select().where(Playlist.user == user_id, Playlist.deleted_at.is_null())
    libraries = Source.select().where(Source.user == user_id).order_by(Source.id)
    return {
        "tracks_brought": [
            {**_track(row), "bytes": row.track.size_bytes, "at": _time(row.added_at)} for row in held
        ],
        "uploads": [
            {"name": row.name, "bytes": row.size_bytes, "state": row.state, "reason": row.reason,
             "room": place(row.room) if row.room_id else None, "at": _time(row.began_at)}
            for row in sent.order_by(Upload.id)
        ],
        "playlists": [
            {"name": row.name, "is_shared": row.share_token is not None, "since": _time(row.created_at),
             "tracks": _entries(row)}
            for row in lists.order_by(Playlist.id)
        ],
        "stopped_at": [
            {**_track(row), "room": place(row.room), "position_ms": row.position_ms, "duration_ms": row.duration_ms,
             "is_done": bool(row.is_done), "at": _time(row.saved_at)}
            for row in begun
        ],
        "libraries": [
            {"kind": row.kind, "name": row.name, "address": row.address, "username": row.username, "state": row.state,
             "since": _time(row.created_at)}
            for row in libraries
        ],
    }  # fmt: skip


def _entries(playlist: Playlist) -> list[dict[str, Any]]:
    kept = PlaylistEntry.select().where(
        PlaylistEntry.playlist == playlist, PlaylistEntry.removed_at.is_null()
    )
    names = ("title", "artist", "album", "duration_ms", "link")
    return [{name: getattr(row, name) for name in names} for row in kept.order_by(PlaylistEntry.position)]


def _track(row: Any) -> dict[str, str]:
    return {"title": row.track.title, "artist": row.track.artist}


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
