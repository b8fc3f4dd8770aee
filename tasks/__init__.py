"""Door 4, the clock: the Huey queue, and the listener that plans a wake-up for every deadline a commit made.

Tasks are hints: they may be lost, late or doubled. The commands they call compare again, and the sweep finds the rest.
"""

from __future__ import annotations

from typing import Any

from huey import Huey, PostgresHuey, PriorityRedisHuey, SqliteHuey
from huey.serializer import SignedSerializer

from config import Settings, settings
from party.storage import open_storage


def sizes() -> tuple[int, int]:
    """How many tasks wait to be run, and how many for their time."""
    return int(huey.pending_count()), int(huey.scheduled_count())


def make_queue(wanted: Settings) -> Huey:
    """The queue on whatever this installation has; SQLite keeps it in a file of its own."""
    common: dict[str, Any] = {
        "results": False,
        "serializer": SignedSerializer(secret=wanted.secret_key, salt="partyline tasks"),
    }
    if wanted.redis_url:
        return PriorityRedisHuey("partyline", url=wanted.redis_url, **common)
    if wanted.database_url:
        return PostgresHuey("partyline", dsn=wanted.database_url, **common)
    return SqliteHuey("partyline", filename=str(wanted.data_dir / "huey.db"), fsync=False, **common)


huey = make_queue(settings)
open_storage(settings)

from tasks import keeping, library, mail  # noqa: E402  (their tasks register themselves with the queue above)

__all__ = ["huey", "keeping", "library", "mail", "make_queue", "sizes"]
