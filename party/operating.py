"""What those who run the site do across rooms. Whoever acts is an admin, or None: the operator's command line.

Everything done is written into the site's log (party.audit).
"""

from __future__ import annotations

from models import Track, User
from party import accounts, audit, files, lifecycle, passwords, sessions, work
from party.change import CLOCK, change, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotFound
from party.letters import clean_address
from party.names import clean_name, one_line
from party.overview import is_banned

REASON_LONGEST = 200
NOTHING_HERE = "There is nothing at this address."


def end_room(admin_id: int | None, code: str) -> None:
    """End a room for good. Ended already raises Over."""
    _refuse_others(admin_id)
    with change(CLOCK, code, may="keep_time") as c:
        c.log("room_ended")
        lifecycle.expire(c.room, c.now)
        audit.note(admin_id, "room_ended", room_id=c.room.id)


def ban(admin_id: int | None, user_id: int, until: int | None = None, reason: str = "") -> None:
    """Close the whole site to a person: every session ends. Admins are banned from the command line only."""
    reason = one_line(reason)
    if len(reason) > REASON_LONGEST:
        raise Invalid(f"That reason is too long. Up to {REASON_LONGEST} letters fit.")
    if until is not None and until <= now_ms():
        raise Invalid("A ban ends in the future, or not at all.")
    with write():
        _refuse_others(admin_id)
        user = _person(user_id)
        if admin_id is not None and user.is_admin:
            raise Conflict("That is an admin. The operator’s command line can ban them.")
        User.update(banned_at=now_ms(), banned_until=until, ban_reason=reason).where(
            User.id == user_id
        ).execute()
        sessions.end_all(user_id)
        audit.note(admin_id, "person_banned", user_id=user_id, until=until)


def unban(admin_id: int | None, user_id: int) -> None:
    """Open the site to a person again. Nobody banned changes nothing."""
    with write():
        _refuse_others(admin_id)
        if _person(user_id).banned_at is None:
            return
        User.update(banned_at=None, banned_until=None, ban_reason="").where(User.id == user_id).execute()
        audit.note(admin_id, "person_unbanned", user_id=user_id)


def end_sessions(admin_id: int | None, user_id: int) -> int:
    """Sign a person out everywhere. Returns how many sessions there were."""
    with write():
        _refuse_others(admin_id)
        count = sessions.end_all(_person(user_id).id)
        if count:
            audit.note(admin_id, "sessions_ended", user_id=user_id, sessions=count)
        return count


def reset_link(admin_id: int | None, user_id: int) -> str:
    """The path of a link to a new password for an account."""
    _refuse_others(admin_id)
    user = _person(user_id)
    if user.email is None:
        raise Conflict("That is a guest, who has no password.")
    return accounts.make_reset_link(user.email, admin_id)


def hide_track(admin_id: int | None, track_id: int, is_hidden: bool) -> None:
    """Keep a track out of the library, or show it again. What waits already still plays."""
    _mark_track(admin_id, track_id, "is_hidden", is_hidden, "track_hidden" if is_hidden else "track_shown")


def mark_explicit(admin_id: int | None, track_id: int, is_explicit: bool) -> None:
    """Mark a track explicit, or take the mark away."""
    kind = "track_marked_explicit" if is_explicit else "track_marked_clean"
    _mark_track(admin_id, track_id, "is_explicit", is_explicit, kind)


def delete_file(admin_id: int | None, track_id: int) -> None:
    """Delete the file of a track that somebody brought, whoever holds it."""
    with write():
        _refuse_others(admin_id)
        track = Track.get_or_none(Track.id == track_id)
        if track is None or not track.media_file:
            raise NotFound("That track has no file here.")
        if track.is_listed:
            raise Conflict("That track belongs to the library of all. It can be hidden.")
        names = files.give_up(track_id, by_force=True)
        audit.note(admin_id, "file_deleted", track_id=track_id)
        work.hand_over("delete_files", names)


def make_admin(email: str, password: str | None = None, name: str = "Admin") -> bool:
    """Make an account an admin; without one at this address make it too. True when it was new. The operator's only."""
    address = clean_address(email)
    user = User.get_or_none(User.email == address)
    if user is None and password is None:
        raise NotFound("No account has that address. A password makes one.")
    made = None
    if user is None:
        passwords.check_strength(password or "", address)
        made = passwords.hash_password(password or "")
    with write():
        if user is None:
            user = User.create(
                display_name=clean_name(name),
                created_at=now_ms(),
                email=address,
                password_hash=made,
                is_admin=True,
            )
        elif not user.is_admin:
            User.update(is_admin=True).where(User.id == user.id).execute()
        else:
            return False
        audit.note(None, "admin_made", user_id=user.id)
    return made is not None


def has_account(email: str) -> bool:
    """True when somebody signs in with this address."""
    return bool(User.select().where(User.email == clean_address(email)).exists())


def find_person(text: str) -> int:
    """The person an operator means by an address or a number. Raises NotFound."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    user = User.get_or_none(User.id == int(text) if is_number else User.email == clean_address(text))
    if user is None:
        raise NotFound(f"Nobody has the {'number' if is_number else 'address'} {text}.")
    return int(user.id)


def _mark_track(admin_id: int | None, track_id: int, column: str, value: bool, kind: str) -> None:
    with write():
        _refuse_others(admin_id)
        track = Track.get_or_none(Track.id == track_id)
        if track is None:
            raise NotFound("That track is not in the library.")
        if getattr(track, column) != value:
            Track.update({column: value}).where(Track.id == track_id).execute()
            audit.note(admin_id, kind, track_id=track_id)


def _refuse_others(admin_id: int | None) -> None:
    """Raise NotFound, as for an address that is not there, for whoever is no admin."""
    if admin_id is None:
        return
    user = User.get_or_none(User.id == admin_id)
    if user is None or not user.is_admin or user.email is None or is_banned(user, now_ms()):
        raise NotFound(NOTHING_HERE)


def _person(user_id: int) -> User:
    user: User | None = User.get_or_none(User.id == user_id)
    if user is None:
        raise NotFound("There is no such person.")
    return user
