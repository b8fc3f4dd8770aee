"""Waking: at once for this process, soon for others, and never for a room nobody looks at."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator

import pytest

from live import tail
from models import Room
from party import queue
from party.change import connected
from tests.live.rawsocket import PATIENCE_SECONDS, eventually
from tests.stage import Cast


@pytest.fixture(autouse=True)
def unwatched() -> Iterator[None]:
    """Nothing is left over from other tests."""
    tail._rooms.clear()
    tail._heads.clear()
    yield
    tail._rooms.clear()
    tail._heads.clear()


class Waker:
    """Counts its calls; looks the same to `watch` each time."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


def test_a_higher_number_wakes_and_the_same_again_does_not():
    waker = Waker()
    tail.watch("FRIDAYAB", waker)
    tail.committed("FRIDAYAB", 4)
    tail.committed("FRIDAYAB", 4)
    tail.committed("FRIDAYAB", 3)
    assert waker.calls == 1
    tail.committed("FRIDAYAB", 5)
    assert waker.calls == 2


def test_only_the_rooms_own_watchers_are_woken():
    here, elsewhere = Waker(), Waker()
    tail.watch("FRIDAYAB", here)
    tail.watch("SUNDAYAB", elsewhere)
    tail.committed("FRIDAYAB", 1)
    assert (here.calls, elsewhere.calls) == (1, 0)


def test_what_is_not_watched_leaves_nothing_behind():
    tail.committed("FRIDAYAB", 9)
    assert tail._heads == {}
    waker = Waker()
    tail.watch("FRIDAYAB", waker)
    tail.committed("FRIDAYAB", 10)
    tail.unwatch("FRIDAYAB", waker)
    tail.unwatch("FRIDAYAB", waker)
    assert (tail._rooms, tail._heads, tail.watched()) == ({}, {}, [])
    tail.committed("FRIDAYAB", 11)
    assert waker.calls == 1


def test_a_watcher_may_go_while_it_is_being_called():
    calls: list[str] = []

    def leave() -> None:
        calls.append("leave")
        tail.unwatch("FRIDAYAB", leave)

    tail.watch("FRIDAYAB", leave)
    tail.watch("FRIDAYAB", lambda: calls.append("stay"))
    tail.committed("FRIDAYAB", 1)
    tail.committed("FRIDAYAB", 2)
    assert sorted(calls) == ["leave", "stay", "stay"]


def test_the_probe_notices_other_connections_once(database):
    probe = tail.SqliteProbe(database)
    assert not probe.moved()
    other = sqlite3.connect(database)
    with other:
        other.execute("UPDATE room SET name = name")
    assert not probe.moved(), "nothing was written"
    with other:
        other.execute("INSERT INTO person (display_name, created_at) VALUES ('Eve', 0)")
    assert probe.moved()
    assert not probe.moved()
    other.close()


def test_the_heads_are_those_of_the_database(cast: Cast):
    waker = Waker()
    tail.watch(cast.code, waker)
    tail.watch("NOSUCHAB", waker)
    assert tail.read_heads() == [(cast.code, cast.room().seq)]
    tail.heads_changed(tail.read_heads())
    tail.heads_changed(tail.read_heads())
    assert waker.calls == 1
    cast.add(1)
    tail.heads_changed(tail.read_heads())
    assert waker.calls == 2


def test_more_rooms_than_fit_into_one_query_are_read(cast: Cast):
    for number in range(1_200):
        tail.watch(f"CODE{number:04}", Waker())
    tail.watch(cast.code, Waker())
    assert tail.read_heads() == [(cast.code, cast.room().seq)]


class Following:
    """The tail's loop in a thread of its own, until the block ends."""

    def __init__(self, probe) -> None:
        self.is_running, self.rounds = True, 0
        self.thread = threading.Thread(target=lambda: tail.follow(probe, self._goes_on), daemon=True)

    def _goes_on(self) -> bool:
        self.rounds += 1
        return self.is_running

    def __enter__(self) -> Following:
        self.thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.is_running = False
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive()


def test_another_connections_commit_wakes_at_the_next_look_a_quarter_of_a_second_away(cast: Cast, database):
    item = cast.add(2)[1]
    following = Following(tail.SqliteProbe(database))
    woken_in: list[int] = []
    tail.watch(cast.code, lambda: woken_in.append(following.rounds))
    tail.heads_changed(tail.read_heads())
    with following:
        eventually(lambda: following.rounds)
        queue.cast_vote(cast.ben, cast.code, item, 1)
        committed_in = following.rounds
        eventually(lambda: len(woken_in) == 2)
    assert woken_in[1] <= committed_in + 1
    assert tail.SqliteProbe.interval <= 0.25 and tail.AlwaysProbe.interval <= 0.25


def test_a_failing_read_is_logged_and_the_next_poll_tries_again(cast: Cast, monkeypatch, caplog):
    waker = Waker()
    tail.watch(cast.code, waker)
    monkeypatch.setattr(tail.AlwaysProbe, "interval", 0.01)
    answers = iter([RuntimeError("as asked"), [(cast.code, 99)]])

    def read() -> list[tuple[str, int]]:
        said = next(answers, [])
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(tail, "read_heads", read)
    with Following(tail.AlwaysProbe()):
        eventually(lambda: waker.calls)
    assert "the tail could not read the rooms" in caplog.text


def test_nothing_is_read_while_nobody_looks(monkeypatch):
    polls: list[int] = []

    class Probe:
        interval = 0.001

        def moved(self) -> bool:
            polls.append(1)
            return False

    with Following(Probe()) as following:
        eventually(lambda: following.rounds > 10)
        assert not polls
        tail.watch("FRIDAYAB", Waker())
        eventually(lambda: polls)


def test_reading_gives_its_connection_back(cast: Cast):
    from models import database

    database.obj.close()
    tail.watch(cast.code, Waker())
    assert tail.read_heads()
    assert database.obj.is_closed()
    with connected():
        assert Room.select().count() == 1
