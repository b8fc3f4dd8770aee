"""Whether the parts that keep the promises are there."""

from __future__ import annotations

from typing import Any

from peewee import OperationalError, PeeweeException, fn

from models import (
    Attempt,
    Ban,
    Job,
    Knock,
    Link,
    Member,
    Outcome,
    Presence,
    Room,
    Search,
    Session,
    SiteEvent,
    Upload,
    User,
    database,
)
from party import searching, uploads, work
from party.attempts import KEPT_MS
from party.change import connected, write
from party.clock import now_ms

WORKER_JOB = "worker"
WORKER_SILENCE_MS = 60_000
DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
FULL = ("is full", "No space left")
"""What SQLite and PostgreSQL say when their disk is full."""


def has_database() -> bool:
    """True when the database answers."""
    try:
        with connected():
            database.obj.execute_sql("SELECT 1").fetchone()
    except PeeweeException:
        return False
    return True


def is_full(error: BaseException | None) -> bool:
    """True when an error of the database says, or hides, that its disk is full."""
    while error is not None:
        # SQLite has rolled back by itself then, so what is heard first is often that there is nothing to roll back.
        if isinstance(error, OperationalError) and any(words in str(error) for words in FULL):
            return True
        error = error.__cause__ or error.__context__
    return False


def has_worker() -> bool:
    """True when a worker was seen in the last minute."""
    try:
        with connected():
            job = Job.get_or_none(Job.name == WORKER_JOB)
    except PeeweeException:
        return False
    return job is not None and job.seen_at > now_ms() - WORKER_SILENCE_MS


def tidy() -> int:
    """Let go of what nobody may ask for any more. Returns how many rows went.

    Old answers, sessions past their time, screens of dead processes, counted tries, links that open nothing, uploads
    that are over, searches of an hour ago, what the site's log kept for a year, and guests without a session whom no
    room remembers.
    """
    now = now_ms()
    old = (
        Outcome.delete().where(Outcome.at < now - DAY_MS),
        Session.delete().where(Session.expires_at < now),
        Presence.delete().where(Presence.seen_at < now - DAY_MS),
        Attempt.delete().where(Attempt.at < now - KEPT_MS),
        Link.delete().where((Link.expires_at < now) | (Link.used_at < now - DAY_MS)),
        Upload.delete().where(Upload.state.not_in(uploads.OPEN), Upload.touched_at < now - DAY_MS),
        Search.delete().where(Search.asked_at < now - searching.KEPT_MS),
        SiteEvent.delete().where(SiteEvent.at < now - YEAR_MS),
        SiteEvent.delete().where(SiteEvent.kind == "sign_in_failed", SiteEvent.at < now - 30 * DAY_MS),
        User.delete().where(User.email.is_null(), User.created_at < now - DAY_MS, *_left_no_trace()),
    )
    with write():
        return sum(int(query.execute()) for query in old)


def _left_no_trace() -> list[Any]:
    """What holds for a guest nobody can be any more, and whom no room remembers."""
    return [
        ~fn.EXISTS(table.select().where(pointer == User.id))
        for table, pointer in (
            (Session, Session.user),
            (Member, Member.user),
            (Knock, Knock.user),
            (Ban, Ban.user),
            (Room, Room.owner),
        )
    ]


def forget_ended_rooms(days: int) -> int:
    """Delete the rooms that ended longer than so many days ago, with all they hold. Returns how many went."""
    with write():
        late = (Room.state == "EXPIRED") & (Room.expired_at < now_ms() - days * DAY_MS)
        work.hand_over("sweep_files")
        return int(Room.delete().where(late).execute())


def worker_lives() -> None:
    """The worker's sign of life."""
    with write():
        Job.insert(name=WORKER_JOB, seen_at=now_ms()).on_conflict(
            conflict_target=[Job.name], update={Job.seen_at: now_ms()}
        ).execute()
