"""Everything the database holds, for tests that say that nothing changed."""

from __future__ import annotations

from models import TABLES, Attempt


def every_row() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables but the counted tries: that something was tried is all a refusal may leave behind."""
    return {
        table.__name__: sorted(table.select().tuples(), key=str) for table in TABLES if table is not Attempt
    }
