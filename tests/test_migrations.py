"""The numbered migrations make exactly the tables that models.py describes, and applying them twice does nothing."""

from __future__ import annotations

from pathlib import Path

from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

import models
from party import storage


def described(handle) -> list[tuple[str, str]]:
    """Every table and index as SQLite keeps it, without what differs in spelling only."""
    rows = handle.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'schema_migration%' "
        "AND type IN ('table', 'index') ORDER BY name"
    ).fetchall()
    return [(name, " ".join(sql.replace("IF NOT EXISTS ", "").split())) for name, sql in rows]


def test_an_empty_file_migrated_equals_the_models(database: Path, tmp_path: Path) -> None:
    migrated = described(models.database.obj)
    assert not diff_models(models.database.obj, models.TABLES)
    handle = models.open_database("", str(tmp_path / "made.db"))
    with handle.connection_context():
        handle.create_tables(models.TABLES)
        made = described(handle)
    handle.close_all()
    assert migrated == made


def test_migrating_again_applies_nothing(database: Path) -> None:
    assert Runner(models.database.obj, str(storage.MIGRATIONS)).up() == []
