"""The numbered migrations make exactly the tables that models.py describes, and applying them twice does nothing."""

from __future__ import annotations

import re
from pathlib import Path

from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

import models
from party import storage


def described(handle) -> dict[str, object]:
    """Every table's columns, pointers and checks, and every index, in whatever order they were made."""
    names = [
        name
        for (name,) in handle.execute_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        if not name.startswith(("schema_migration", "sqlite_"))
    ]
    return {name: one_table(handle, name) for name in names} | {"indexes": indexes(handle)}


def one_table(handle, name: str) -> tuple[list, list, list]:
    columns = handle.execute_sql(f'PRAGMA table_info("{name}")').fetchall()
    pointers = handle.execute_sql(f'PRAGMA foreign_key_list("{name}")').fetchall()
    (made,) = handle.execute_sql("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    # A renamed column comes out quoted.
    checks = re.findall(r"CHECK \((?:[^()]|\([^()]*\))*\)", made.replace('"', ""))
    # A column added later carries the value that rows from before took; that is all the difference.
    return (
        sorted((column, kind, is_required, key) for _, column, kind, is_required, _, key in columns),
        sorted(pointer[2:] for pointer in pointers),
        sorted(checks),
    )


def indexes(handle) -> list[tuple[str, str]]:
    rows = handle.execute_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND type = 'index' "
        "AND name NOT LIKE 'schema_migration%' ORDER BY name"
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
