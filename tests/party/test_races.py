"""Many people at the same instant, on a real file with real threads and processes: nothing doubled or lost."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from peewee import fn

import models
from models import Event, Item, Member, Play, Playback, Room, User, Vote
from party import change, clock, hosting, people, playback, queue, snapshot
from party.change import Person, connected, once
from party.errors import Conflict, Refusal
from tests.conftest import POSTGRES_URL
from tests.stage import SONG_MS, Cast

MOST_AT_ONCE = 50


@pytest.fixture(autouse=True)
def patience(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a fault, nor a crowd that is larger than what one process serves at once."""
    monkeypatch.setattr(change, "LOCK_WAIT_SECONDS", 60.0)
    monkeypatch.setattr(models.database.obj, "_max_connections", MOST_AT_ONCE + 1)


def at_once(*commands: Callable[[], Any]) -> list[Any]:
    """Run every command in a thread of its own, all let go at the same instant; answers or refusals in order."""
    answers: list[Any] = [None] * len(commands)
    gate = threading.Barrier(len(commands))

    def run(number: int, command: Callable[[], Any]) -> None:
        try:
            with connected():
                gate.wait(30)
                answers[number] = command()
        except BaseException as failure:
            answers[number] = failure

    threads = [threading.Thread(target=run, args=each) for each in enumerate(commands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    failures = [
        answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, Refusal)
    ]
    assert not failures, failures[0]
    return answers


def meanwhile(
    monkeypatch: pytest.MonkeyPatch,
    point: tuple[Any, str],
    act: Callable[[], Any],
    other: Callable[[], Any],
    *,
    is_before: bool = False,
) -> list[Any]:
    """Two commands, the other while the first stands at a function it called, or is about to call; their answers.

    The first goes on once the other is through, or after a moment, when the other has come to wait for it.
    """
    where, name = point
    whole, has_come, is_through = getattr(where, name), threading.Event(), threading.Event()
    firsts: list[int] = []

    def stop() -> None:
        if not has_come.is_set() and threading.get_ident() in firsts:
            has_come.set()
            is_through.wait(0.5)

    def stopping(*words: Any, **facts: Any) -> Any:
        if is_before:
            stop()
        answer = whole(*words, **facts)
        stop()
        return answer

    def first() -> Any:
        firsts.append(threading.get_ident())
        try:
            return act()
        finally:
            has_come.set()

    def second() -> Any:
        assert has_come.wait(30)
        try:
            return other()
        finally:
            is_through.set()

    monkeypatch.setattr(where, name, stopping)
    return at_once(first, second)


def crowd(cast: Cast, count: int) -> list[Person]:
    """So many guests with a seat, written in one go."""
    with models.database.obj.atomic():
        return [_guest(cast, number) for number in range(count)]


def _guest(cast: Cast, number: int) -> Person:
    person = Person(User.create(display_name=f"Guest {number}", created_at=0).id)
    people.join(person, cast.code)
    return person


def assert_invariants(code: str) -> None:
    """I1, I6, I7, I8 and I11 of promises.md."""
    room = Room.get(Room.code == code)
    log = list(Event.select().where(Event.room == room).order_by(Event.seq))
    assert [row.seq for row in log] == list(range(1, room.seq + 1)), "I1: numbers are 1..head"
    items = list(Item.select().where(Item.room == room))
    stage = Playback.get_by_id(room.id)
    playing = [item.id for item in items if item.state == "playing"]
    assert playing == ([stage.item_id] if stage.item_id else []), "I6: what plays is what the stage says"
    waiting = {item.id for item in items if item.state == "waiting"}
    assert playing or not waiting, "I6: a line that is not empty plays"
    pairs = Vote.select(Vote.item, Vote.member).join(Item).where(Item.room == room).tuples()
    assert len(list(pairs)) == len(set(pairs)), "I7: one vote per person and item"
    strays = Vote.select().join(Member).switch(Vote).join(Item).where(Member.room != Item.room)
    assert not strays.exists(), "I7: vote and item share the room"
    seen = snapshot.take(code)
    for row in seen.items:
        counts = Counter(vote.value for vote in Vote.select().where(Vote.item == row.id))
        assert (row.up, row.down) == (counts[1], counts[-1]), "I7: what is shown is what was cast"
    ids = [row.id for row in seen.items]
    assert len(ids) == len(set(ids)) and set(ids) == waiting, "I8: everything that waits stands in one place"
    positions = [item.position for item in items if item.state == "waiting"]
    assert len(positions) == len(set(positions)), "I8: no two stand in the same place"
    plays = list(Play.select().where(Play.room == room))
    kinds = Counter(row.kind for row in log)
    ended = [play for play in plays if play.ended_at is not None]
    assert len(plays) - len(ended) <= 1
    assert (kinds["item_started"], kinds["item_ended"]) == (len(plays), len(ended)), (
        "I11: each starts and ends once"
    )
    assert room.advance == len(plays) == len({play.item_id for play in plays}), "I11: one start per item"


def test_t21_fifty_people_double_clicking_cast_fifty_votes(cast: Cast) -> None:
    item = cast.add(3)[1]
    guests = crowd(cast, 50)
    before = cast.room().seq
    at_once(*(lambda who=who: [queue.cast_vote(who, cast.code, item, 1) for _ in range(2)] for who in guests))
    assert Vote.select(fn.COUNT(Vote.id)).where(Vote.item == item).scalar() == 50
    assert cast.kinds(before) == ["vote_cast"] * 50
    assert cast.seen().items[0].net == 50
    assert_invariants(cast.code)


def test_t21_one_persons_many_screens_cast_one_vote(cast: Cast) -> None:
    item = cast.add(2)[1]
    before = cast.room().seq
    at_once(*([lambda: queue.cast_vote(cast.cleo, cast.code, item, 1)] * 20))
    assert [(vote.member_id, vote.value) for vote in Vote.select()] == [(cast.members["cleo"], 1)]
    assert cast.kinds(before) == ["vote_cast"]


def test_one_key_sent_many_times_at_once_acts_once_and_answers_alike(cast: Cast) -> None:
    cast.add(1)
    answers = at_once(
        *([lambda: once(cast.cleo, "key", lambda: queue.add_item(cast.cleo, cast.code, cast.tracks[5]))] * 10)
    )
    assert answers == [cast.line()[0]] * 10
    assert_invariants(cast.code)


def test_t23_twenty_calls_for_the_next_track_advance_once(cast: Cast, time) -> None:
    items = cast.add(4)
    play = Playback.get().play_id
    time.move(SONG_MS / 1000 + 1)
    answers = at_once(*([lambda: playback.advance(cast.code, play)] * 20))
    assert answers.count(True) == 1 and answers.count(False) == 19
    assert cast.seen().now.id == items[1]
    assert_invariants(cast.code)


def test_t23_the_clock_and_the_hosts_skip_at_the_same_instant_end_the_track_once(cast: Cast, time) -> None:
    items = cast.add(4)
    for turn in range(3):
        play, seen = Playback.get().play_id, playback.Seen(item_id=items[turn])
        time.move(SONG_MS / 1000 + 1)
        skip = lambda seen=seen: playback.skip(cast.ada, cast.code, seen=seen)  # noqa: E731
        advance = lambda play=play: playback.advance(cast.code, play)  # noqa: E731
        at_once(skip, advance, advance, skip)
        assert cast.seen().now.id == items[turn + 1]
    assert_invariants(cast.code)


def test_one_track_added_by_twenty_people_at_once_stands_on_the_line_once(cast: Cast) -> None:
    cast.add(1)
    guests = crowd(cast, 20)
    answers = at_once(*(lambda who=who: queue.add_item(who, cast.code, cast.tracks[7]) for who in guests))
    refused = [answer for answer in answers if isinstance(answer, Conflict)]
    assert len(refused) == 19
    assert {refusal.message for refusal in refused} == {"Song 7 is already in line, 1st. Vote it up."}
    assert len(cast.line()) == 1
    assert_invariants(cast.code)


def test_the_first_add_of_many_starts_and_the_others_wait(cast: Cast) -> None:
    answers = at_once(*(lambda t=t: queue.add_item(cast.cleo, cast.code, t) for t in cast.tracks))
    assert {cast.seen().now.id, *cast.line()} == set(answers)
    assert_invariants(cast.code)


@pytest.mark.parametrize("mode", ["charts", "hand"])
def test_t24_moves_at_the_same_instant_keep_every_track_on_the_line(cast: Cast, mode: str) -> None:
    cast.add(9)
    queue.change_mode(cast.ada, cast.code, mode)
    line = cast.line()

    def drag(who: Person, first: int) -> None:
        for turn in range(6):
            moved, after = line[(first + turn) % 8], line[(first * 3 + turn * 5 + 1) % 8]
            with suppress(Refusal):
                queue.move_item(who, cast.code, moved, after if turn % 3 else None)

    at_once(*(lambda n=n: drag((cast.ada, cast.ben)[n % 2], n) for n in range(8)))
    assert sorted(cast.line()) == sorted(line)
    assert_invariants(cast.code)


def test_everything_at_once_leaves_a_room_in_order(cast: Cast, time) -> None:
    cast.add(5)
    guests = crowd(cast, 6)
    line = cast.line()

    def storm(who: Person, number: int) -> None:
        for turn in range(5):
            item, track = line[(number + turn) % 4], cast.tracks[(number + turn) % 12]
            acts = (
                partial(queue.cast_vote, who, cast.code, item, 1 if (number + turn) % 3 else -1),
                partial(queue.add_item, who, cast.code, track),
                partial(queue.withdraw_vote, who, cast.code, item),
                partial(queue.remove_item, who, cast.code, item),
            )
            for act in acts[turn % 2 :]:
                with suppress(Refusal):
                    act()

    def host() -> None:
        for turn in range(4):
            with suppress(Refusal, IndexError):
                playback.skip(cast.ada, cast.code)
                queue.move_item(cast.ada, cast.code, cast.line()[-1], None)
                queue.change_mode(cast.ada, cast.code, ("hand", "charts")[turn % 2])

    at_once(host, *(lambda who=who, n=n: storm(who, n) for n, who in enumerate(guests)))
    assert_invariants(cast.code)


def test_the_host_back_and_grace_running_out_at_the_same_instant_agree(cast: Cast, time) -> None:
    people.screen_opened(cast.members["ada"], "web")
    hosting.screen_arrived(cast.ada, cast.code)
    people.screens_closed(cast.members["ada"], "web")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(305)
    at_once(
        *([lambda: hosting.keep_promises(cast.code)] * 5),
        *([lambda: hosting.screen_arrived(cast.ada, cast.code)] * 5),
    )
    assert cast.room().state == "EXPIRED"
    assert cast.kinds()[-2:] == ["host_lost", "room_expired"]
    assert cast.kinds().count("room_expired") == 1


def _advance_in_a_process(path: str, code: str, play: int, now: float, gate: Any, answers: Any) -> None:
    clock.replace(lambda: now)
    models.open_database(POSTGRES_URL, path)
    with connected():
        gate.wait(30)
        for _ in range(5):
            answers.put(playback.advance(code, play))


def test_t23_four_processes_advance_once(cast: Cast, database: Path, time) -> None:
    items = cast.add(3)
    play = Playback.get().play_id
    time.move(SONG_MS / 1000 + 1)
    forked = multiprocessing.get_context("fork")
    gate, answers = forked.Barrier(4), forked.Queue()
    facts = (str(database), cast.code, play, time.seconds, gate, answers)
    # A connection must not cross a fork.
    models.database.obj.close_all()
    workers = [forked.Process(target=_advance_in_a_process, args=facts) for _ in range(4)]
    for worker in workers:
        worker.start()
    said = [answers.get(timeout=60) for _ in range(20)]
    for worker in workers:
        worker.join(30)
    models.database.obj.connect(reuse_if_open=True)
    assert said.count(True) == 1
    assert cast.seen().now.id == items[1]
    assert_invariants(cast.code)
