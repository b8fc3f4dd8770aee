"""F7: a disk that is full is said as such, loses nothing that was acknowledged, and heals."""

from __future__ import annotations

from models import Message, database
from tests.conftest import MovableClock
from tests.doors import Browser, words
from tests.stage import Cast


def test_f7_simulated_a_full_database_refuses_clearly_keeps_everything_and_heals(
    cast: Cast, ada: Browser, time: MovableClock
) -> None:
    handle = database.obj
    pages = handle.execute_sql("PRAGMA page_count").fetchone()[0]

    def say(count: int) -> list[int]:
        answers = []
        for _ in range(count):
            time.move(30)
            answers.append(ada.post(f"/rooms/{cast.code}/messages", text="words " * 80))
        statuses = [answer.status_code for answer in answers]
        if 503 in statuses:
            refused = answers[statuses.index(503)]
            assert "no space left on this server" in words(refused) and refused.headers["Retry-After"]
        return statuses

    # SQLite's own way to be full: for the test, the file may grow no further.
    handle.pragma("max_page_count", pages, permanent=True)
    full = say(60)
    assert set(full) == {303, 503} and Message.select().count() == full.count(303)
    assert ada.get(f"/rooms/{cast.code}").status_code == 200
    handle.pragma("max_page_count", 1_000_000, permanent=True)
    assert say(2) == [303, 303] and Message.select().count() == full.count(303) + 2
    assert handle.execute_sql("PRAGMA integrity_check").fetchone()[0] == "ok"
