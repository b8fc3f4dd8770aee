"""Whether the parts that keep the promises are there."""

from __future__ import annotations

from peewee import PeeweeException

from models import Job, Outcome, Presence, Session, database
from party.change import connected, write
from party.clock import now_ms

WORKER_JOB = "worker"
WORKER_SILENCE_MS = 60_000
DAY_MS = 86_400_000


def has_database() -> bool:
    """True when the database answers."""
    try:
        with connected():
            database.obj.execute_sql("SELECT 1").fetchone()
    except PeeweeException:
        return False
    return True


def has_worker() -> bool:
    """True when a worker was seen in the last minute."""
    try:
        with connected():
            job = Job.get_or_none(Job.name == WORKER_JOB)
    except PeeweeException:
        return False
    return job is not None and job.seen_at > now_ms() - WORKER_SILENCE_MS


def tidy() -> None:
    """Let go of what nobody may ask for any more: old answers, sessions past their time, screens of dead processes."""
    now = now_ms()
    with write():
        Outcome.delete().where(Outcome.at < now - DAY_MS).execute()
        Session.delete().where(Session.expires_at < now).execute()
        Presence.delete().where(Presence.seen_at < now - DAY_MS).execute()


def worker_lives() -> None:
    """The worker's sign of life."""
    with write():
        Job.insert(name=WORKER_JOB, seen_at=now_ms()).on_conflict(
            conflict_target=[Job.name], update={Job.seen_at: now_ms()}
        ).execute()
