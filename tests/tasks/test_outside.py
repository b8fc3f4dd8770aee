"""However slow others are: what asks them holds half of the worker's threads at most, and nothing of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

import tasks
from party import work
from tasks import huey, outside
from tasks.outside import AT_ONCE, goes_outside

SECONDS = 30


class Others:
    """Somebody slow: each question is answered when they are let go on, and not before."""

    def __init__(self) -> None:
        self.begun: SimpleQueue[int] = SimpleQueue()
        self.may_answer = threading.Event()
        self.answered: list[int] = []

    def ask(self, number: int) -> None:
        self.begun.put(number)
        assert self.may_answer.wait(SECONDS)
        self.answered.append(number)


class Broken(Exception):
    pass


others = Others()
ticks: list[int] = []


@goes_outside("ask_others")
def ask_others(number: int) -> None:
    others.ask(number)


@goes_outside("break_down")
def break_down() -> None:
    raise Broken


@huey.task()
def tick() -> None:
    ticks.append(1)


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    global others
    others = Others()
    ticks.clear()
    huey.flush()
    monkeypatch.setattr(work, "carriers", {"ask_others": ask_others})
    yield
    others.may_answer.set()
    huey.flush()
    assert (outside._held, outside._waiting) == (0, []), "every place was given back"


@pytest.fixture
def busy() -> Iterator[list[threading.Thread]]:
    """Every place is held by a question that nobody answers yet."""
    threads = [threading.Thread(target=ask_others.call_local, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    assert {others.begun.get(timeout=SECONDS) for _ in threads} == set(range(AT_ONCE))
    yield threads
    let_go(threads)


def let_go(threads: list[threading.Thread]) -> None:
    others.may_answer.set()
    for thread in threads:
        thread.join(SECONDS)


def work_off() -> list[str]:
    """One thread of the worker does what is in the queue; the names of what it took."""
    taken = []
    while (task := huey.dequeue()) is not None:
        taken.append(task.name)
        huey.execute(task)
    return taken


def in_queue() -> list[tuple[str, tuple[object, ...]]]:
    return [(task.name, tuple(task.args)) for task in (*huey.pending(), *huey.scheduled())]


def test_with_every_place_held_the_clock_goes_on_and_the_rest_waits(busy: list[threading.Thread]) -> None:
    ask_others(10)
    ask_others(11)
    tick()
    assert work_off() == ["tick", "ask_others", "ask_others"], "what waits for others is behind the clock"
    assert (ticks, others.answered) == ([1], [])
    assert in_queue() == [], "nobody asks the queue again and again"
    let_go(busy)
    assert sorted(in_queue()) == [("ask_others", (10,)), ("ask_others", (11,))]
    work_off()
    assert sorted(others.answered) == [*range(AT_ONCE), 10, 11]


def test_each_place_that_gets_free_takes_the_one_that_waited_longest(busy: list[threading.Thread]) -> None:
    for number in range(20, 20 + AT_ONCE + 2):
        ask_others(number)
    work_off()
    let_go(busy)
    assert sorted(arguments for _, arguments in in_queue()) == [(20 + place,) for place in range(AT_ONCE)]
    work_off()
    assert sorted(others.answered[AT_ONCE:]) == list(range(20, 20 + AT_ONCE + 2))


def test_the_same_work_waits_once(busy: list[threading.Thread]) -> None:
    for _ in range(3):
        ask_others(10)
    work_off()
    let_go(busy)
    assert in_queue() == [("ask_others", (10,))]


def test_what_breaks_gives_its_place_back() -> None:
    for _ in range(AT_ONCE + 1):
        with pytest.raises(Broken):
            break_down.call_local()
    others.may_answer.set()
    ask_others.call_local(1)
    assert others.answered == [1]


def test_a_queue_that_is_away_breaks_nothing_that_was_done(
    busy: list[threading.Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_words: object) -> None:
        raise OSError

    ask_others(10)
    work_off()
    monkeypatch.setitem(outside._tasks, "ask_others", away)
    let_go(busy)
    assert sorted(others.answered) == list(range(AT_ONCE))


def test_a_worker_that_ends_gives_back_what_waits(busy: list[threading.Thread]) -> None:
    ask_others(10)
    ask_others(11)
    work_off()
    for hook in huey._shutdown.values():
        hook()
    assert in_queue() == [("ask_others", (10,)), ("ask_others", (11,))]
    let_go(busy)
    assert len(in_queue()) == 2, "and only once"


def test_the_sweep_hands_nothing_over_that_waits_already(busy: list[threading.Thread]) -> None:
    ask_others(10)
    work_off()
    ask_others(11)
    lost = [("ask_others", (number,)) for number in (10, 11, 12)]
    outside.hand_over_lost(lost)
    outside.hand_over_lost(lost)
    assert in_queue() == [("ask_others", (11,)), ("ask_others", (12,))]
    let_go(busy)
    work_off()
    assert sorted(others.answered) == [*range(AT_ONCE), 10, 11, 12]


def test_all_that_asks_others_is_bounded() -> None:
    here = {"check_upload", "measure_track", "bring_links"}
    assert set(tasks.CARRIERS) - here <= set(outside._tasks)
    assert all(tasks.CARRIERS[name] is outside._tasks[name] for name in set(tasks.CARRIERS) - here)
