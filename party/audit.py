"""What was done outside any one room: the kinds, writing one down, and reading them again. A room's log is events.py.

`data` holds ids and small facts; never an address, a name, a reason's words or a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import JOIN, Cast

from models import Room, SiteEvent, Track, User, rows
from party.change import write
from party.clock import now_ms

KINDS: dict[str, frozenset[str]] = {
    "account_made": frozenset(),
    "account_deleted": frozenset({"user_id"}),
    "signed_in": frozenset(),
    "signed_out_everywhere": frozenset(),
    "sign_in_failed": frozenset({"user_id"}),
    "session_ended": frozenset(),
    "password_changed": frozenset(),
    "password_reset": frozenset(),
    "email_changed": frozenset(),
    "second_factor_on": frozenset(),
    "second_factor_off": frozenset(),
    "recovery_code_used": frozenset(),
    "link_made": frozenset({"user_id", "purpose"}),
    "admin_made": frozenset({"user_id"}),
    "person_banned": frozenset({"user_id", "until"}),
    "person_unbanned": frozenset({"user_id"}),
    "sessions_ended": frozenset({"user_id", "sessions"}),
    "room_ended": frozenset({"room_id"}),
    "room_deleted": frozenset({"room_id"}),
    "track_hidden": frozenset({"track_id"}),
    "track_shown": frozenset({"track_id"}),
    "track_marked_explicit": frozenset({"track_id"}),
    "track_marked_clean": frozenset({"track_id"}),
    "file_deleted": frozenset({"track_id"}),
    "library_seeded": frozenset({"tracks"}),
    "rows_pruned": frozenset({"rows"}),
}
"""`sign_in_failed` names the account that was tried, or None where there is none."""

SENTENCES: dict[str, str] = {
    "account_made": "{who} made an account",
    "account_deleted": "An account was deleted",
    "signed_in": "{who} signed in",
    "signed_out_everywhere": "{who} signed out everywhere",
    "sign_in_failed": "Somebody could not sign in",
    "session_ended": "{who} ended a session",
    "password_changed": "{who} changed their password",
    "password_reset": "{who} set a new password by link",
    "email_changed": "{who} changed their address",
    "second_factor_on": "{who} turned the second factor on",
    "second_factor_off": "{who} turned the second factor off",
    "recovery_code_used": "{who} signed in with a recovery code",
    "link_made": "{who} made a link",
    "admin_made": "{who} made an admin",
    "person_banned": "{who} banned a person",
    "person_unbanned": "{who} lifted a person’s ban",
    "sessions_ended": "{who} ended a person’s sessions",
    "room_ended": "{who} ended a room",
    "room_deleted": "{who} deleted a room",
    "track_hidden": "{who} hid a track",
    "track_shown": "{who} showed a track again",
    "track_marked_explicit": "{who} marked a track explicit",
    "track_marked_clean": "{who} marked a track not explicit",
    "file_deleted": "{who} deleted a track’s file",
    "library_seeded": "{who} filled the library",
    "rows_pruned": "{who} pruned old rows",
}

OPERATOR = "The operator"
"""Who acts at the command line: nobody with a row of their own."""

PAGE = 50
NAMED: dict[str, tuple[Any, Any]] = {
    "user_id": (User.id, User.display_name),
    "room_id": (Room.id, Room.name),
    "track_id": (Track.id, Track.title),
}
"""Fields that name a row, and what it is called."""


def note(actor_id: int | None, kind: str, **data: Any) -> None:
    """Write one row, in the open transaction if there is one. Raises ValueError when the fields are not the kind's."""
    if frozenset(data) != KINDS[kind]:
        raise ValueError(f"{kind} takes {sorted(KINDS[kind])}, not {sorted(data)}")
    with write():
        SiteEvent.insert(actor=actor_id, kind=kind, data=data, at=now_ms()).execute()


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """One line of the site's log. `who` did it; `about` names the person, room or track, as they are called now."""

    id: int
    kind: str
    at: int
    who: str
    words: str
    about: str


def entries(kind: str, person: int | None, page: int) -> tuple[list[SiteEntry], bool]:
    """A page of the site's log, newest first, and whether there is another."""
    query = SiteEvent.select(SiteEvent, User).join(User, JOIN.LEFT_OUTER)
    if kind:
        query = query.where(SiteEvent.kind == kind)
    if person is not None:
        facts = Cast(SiteEvent.data, "text")
        named = facts.contains(f'"user_id":{person},') | facts.contains(f'"user_id":{person}}}')
        query = query.where((SiteEvent.actor == person) | named)
    found = list(query.order_by(SiteEvent.id.desc()).limit(PAGE + 1).offset((page - 1) * PAGE))
    shown = found[:PAGE]
    names = _names(shown)
    return [_entry(row, names) for row in shown], len(found) > PAGE


def _entry(row: SiteEvent, names: dict[tuple[str, int], str]) -> SiteEntry:
    sentence = SENTENCES[row.kind]
    who = row.actor.display_name if row.actor_id is not None else OPERATOR
    about = [
        names.get((field, row.data[field]), f"number {row.data[field]}")
        for field in NAMED
        if row.data.get(field)
    ]
    about += [
        f"{row.data[field]}" for field in ("tracks", "rows", "sessions", "purpose") if field in row.data
    ]
    return SiteEntry(
        row.id,
        row.kind,
        row.at,
        who if "{who}" in sentence else "",
        sentence.replace("{who}", "").strip(),
        ", ".join(about),
    )


def _names(shown: list[SiteEvent]) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for field, (key, name) in NAMED.items():
        ids = {row.data[field] for row in shown if row.data.get(field)}
        found |= {
            (field, number): text for number, text in rows(key.model.select(key, name).where(key.in_(ids)))
        }
    return found
