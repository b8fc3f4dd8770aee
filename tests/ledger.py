"""Everything the database holds, for tests that say that nothing changed."""

from __future__ import annotations

from models import TABLES


def every_row() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    return {table.__name__: sorted(table.select().tuples(), key=str) for table in TABLES}
