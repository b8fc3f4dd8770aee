"""Door 4, the clock: the Huey queue, and the listener that plans a wake-up for every deadline a commit made.

Tasks are hints: they may be lost, late or doubled. The commands they call compare again, and the sweep finds the rest.
"""

from __future__ import annotations

from collections.abc import Callable
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

from tasks import keeping, library, mail, media, outside, searching, sources, spotify, storing, uploads  # noqa: E402  (their tasks register themselves with the queue above)

CARRIERS: dict[str, Callable[..., Any]] = {
    "look_up": media.look_up,
    "bring_links": media.bring_links,
    "check_upload": uploads.check_upload,
    "measure_track": uploads.measure_track,
    "ask_source": searching.ask_source,
    "check_source": sources.check_source,
    "browse_source": sources.browse_source,
    "fetch_cover": sources.fetch_cover,
    "spotify_connect": spotify.connect,
    "spotify_renew": spotify.renew,
    "spotify_import": spotify.bring_in,
    "spotify_keep": spotify.keep,
    "delete_files": storing.delete_files,
    "sweep_files": storing.sweep_files,
}
"""What party.work may hand over, by name."""

__all__ = [
    "CARRIERS",
    "huey",
    "keeping",
    "library",
    "mail",
    "make_queue",
    "media",
    "outside",
    "searching",
    "sizes",
    "sources",
    "spotify",
    "storing",
    "uploads",
]
