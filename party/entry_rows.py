"""Rows of playlists written many at once, in as little time as can be while everybody else waits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from models import PlaylistEntry, Track, database
from party import ranks

ROWS_AT_ONCE = 200
"""SQLite limits how many values one statement may carry."""
WINDOWS = (4, 16, 64, 256)
"""So many rows on each side of a crowded place are given fresh keys; the next when that makes no room."""
ROOMY = ranks.MAX_LENGTH // 2
"""Keys up to this length leave room for many more moves."""
E = PlaylistEntry
FIELDS = (E.playlist, E.title, E.artist, E.album, E.duration_ms, E.link, E.position, E.added_at, E.track)

Facts = tuple[int, str, str, str, int, str, str, int, int | None]
"""What is known of a row, in the order of FIELDS."""


def insert(facts: Sequence[Facts]) -> None:
    """New rows, in the open transaction. Those of a track that went meanwhile keep their words."""
    handle = database.obj
    for start in range(0, len(facts), ROWS_AT_ONCE):
        some = facts[start : start + ROWS_AT_ONCE]
        handle.execute_sql(
            _statement(type(handle).__name__, len(some)), [value for row in some for value in row]
        )


@lru_cache
def _statement(_kind: str, count: int) -> str:
    """The SQL for so many rows: making it costs more than running it, so it is kept for each kind of database."""
    track = Track.select(Track.id).where(Track.id == 0)
    sql, _ = PlaylistEntry.insert_many([(0, "", "", "", 0, "", "", 0, track)] * count, FIELDS).sql()
    return str(sql)


def make_room(places: Sequence[tuple[int, str]], at: int) -> None:
    """Fresh keys in this order for as few rows as will do around the place `at`, in the open transaction."""
    for width in (*WINDOWS, len(places)):
        start, end = max(0, at - width), min(len(places), at + width + 1)
        keys = ranks.several(
            end - start,
            places[start - 1][1] if start else None,
            places[end][1] if end < len(places) else None,
        )
        if max(map(len, keys)) <= ROOMY:
            break
    moved = [entry_id for entry_id, _ in places[start:end]]
    # Two passes, since the unique key would trip over a half-renumbered list.
    for entry_id, key in [*((each, f"~{each}") for each in moved), *zip(moved, keys, strict=True)]:
        PlaylistEntry.update(position=key).where(PlaylistEntry.id == entry_id).execute()
