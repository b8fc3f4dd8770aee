"""Where the tables live: opening them for a process, and bringing their schema up to date."""

from __future__ import annotations

from pathlib import Path

import models
from config import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def open_storage(settings: Settings, wait_ms: int = 0) -> None:
    """Bind the tables to this installation's database; once per process. Only a process that serves nobody may wait."""
    if models.database.obj is None:
        models.open_database(settings.database_url, str(database_file(settings)), wait_ms)


def database_file(settings: Settings) -> Path:
    """The SQLite file, where no other database is named."""
    return settings.data_dir / "partyline.db"


def migrate() -> list[str]:
    """Apply the numbered migrations that are not applied yet. Returns their names."""
    from playhouse.migrations import Runner

    handle = models.database.obj
    with handle.connection_context():
        return list(Runner(handle, str(MIGRATIONS)).up())
