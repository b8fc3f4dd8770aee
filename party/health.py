"""Whether the parts that keep the promises are there."""

from __future__ import annotations

from peewee import PeeweeException

from models import Job, database
from party.change import write
from party.clock import now_ms

WORKER_JOB = "worker"
WORKER_SILENCE_MS = 60_000


def has_database() -> bool:
    """True when the database answers."""
    try:
        database.obj.execute_sql("SELECT 1").fetchone()
    except PeeweeException:
        return False
    return True


def has_worker() -> bool:
    """True when a worker was seen in the last minute."""
    try:
        job = Job.get_or_none(Job.name == WORKER_JOB)
    except PeeweeException:
        return False
    return job is not None and job.seen_at > now_ms() - WORKER_SILENCE_MS


def worker_lives() -> None:
    """The worker's sign of life."""
    with write():
        Job.insert(name=WORKER_JOB, seen_at=now_ms()).on_conflict(
            conflict_target=[Job.name], update={Job.seen_at: now_ms()}
        ).execute()
