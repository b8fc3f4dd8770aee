"""The one way to change a room: fresh standing, one transaction, listeners afterwards, keys that act once."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from models import Event, Item, Member, Outcome, Room, User, Vote, database, is_sqlite
from party import change as house
from party import events, people, queue, rooms
from party.change import CLOCK, Change, Person, change, connected, once, write
from party.errors import Busy, Conflict, NotAllowed, NotFound, NotKnown
from tests.conftest import POSTGRES_URL
from tests.party.test_races import at_once
from tests.stage import Cast


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """What commit listeners hear: room, number, and the number another connection reads at that moment."""
    heard: list[tuple[str, int, int]] = []

    def read(code: str) -> int:
        with connected():
            return int(Room.get(Room.code == code).seq)

    def listener(code: str, seq: int) -> None:
        with ThreadPoolExecutor(1) as other:
            heard.append((code, seq, other.submit(read, code).result(30)))

    monkeypatch.setattr(events, "on_commit", [listener])
    return heard


def test_standing_is_read_when_the_change_is_made(cast: Cast) -> None:
    Member.update(role="guest").where(Member.id == cast.members["ben"]).execute()
    with pytest.raises(NotAllowed), change(cast.ben, cast.code, may="move_item"):
        pass
    Member.update(role="cohost").where(Member.id == cast.members["cleo"]).execute()
    with change(cast.cleo, cast.code, may="move_item") as c:
        assert (c.role, c.member.id, c.room.code) == ("cohost", cast.members["cleo"], cast.code)


def test_an_ability_nobody_wrote_down_is_an_error_and_changes_nothing(cast: Cast) -> None:
    for actor in (cast.ada, CLOCK):
        with pytest.raises(KeyError), change(actor, cast.code, may="fly") as c:
            c.log("room_went_live")
    assert "room_went_live" not in cast.kinds()


def test_strangers_and_unknown_rooms_are_refused_with_a_sentence(cast: Cast) -> None:
    with pytest.raises(NotAllowed, match="not in this room"), change(cast.dan, cast.code, may="vote"):
        pass
    with pytest.raises(NotKnown, match="name first"), change(Person(999), cast.code, may="vote"):
        pass
    with pytest.raises(NotFound, match="No room answers"), change(cast.ada, "ABCDEFGH", may="vote"):
        pass


def test_an_item_of_another_room_is_not_there(cast: Cast) -> None:
    other = rooms.open_room(cast.ada, "Other", 300)
    queue.add_item(cast.ada, other, cast.tracks[0])
    theirs = queue.add_item(cast.ada, other, cast.tracks[1])
    cast.add(2)
    for command in (
        lambda: queue.cast_vote(cast.cleo, cast.code, theirs, 1),
        lambda: queue.withdraw_vote(cast.cleo, cast.code, theirs),
        lambda: queue.remove_item(cast.ada, cast.code, theirs),
        lambda: queue.restore_item(cast.ada, cast.code, theirs),
        lambda: queue.move_item(cast.ada, cast.code, theirs, None),
        lambda: queue.move_item(cast.ada, cast.code, cast.line()[0], theirs),
    ):
        with pytest.raises(NotFound):
            command()
    assert Item.get_by_id(theirs).state == "waiting"


def test_a_refusal_half_way_leaves_no_trace(cast: Cast, told: list) -> None:
    before = cast.room().seq
    with pytest.raises(Conflict), change(cast.ada, cast.code, may="change_mode") as c:
        c.room.mode = "hand"
        c.room.save()
        c.log("mode_changed", mode="hand")
        Vote.insert(item=Item.insert(**_row(c)).execute(), member=c.member, value=1, cast_at=0).execute()
        raise Conflict("Somebody was faster.")
    assert (cast.room().seq, cast.room().mode) == (before, "charts")
    assert not Item.select().exists() and not Vote.select().exists()
    assert told == []


def _row(c: Change) -> dict[str, object]:
    return {
        "room": c.room,
        "track": 1,
        "added_by": c.member,
        "position": "a0",
        "added_seq": 1,
        "added_at_advance": 0,
        "guard_limit": 12,
        "added_at": 0,
    }


def test_listeners_hear_of_a_change_once_it_is_committed_and_only_then(cast: Cast, told: list) -> None:
    item = cast.add(2)[1]
    told.clear()
    with write():
        queue.cast_vote(cast.cleo, cast.code, item, 1)
        assert told == []
    seq = cast.room().seq
    assert told == [(cast.code, seq, seq)]
    queue.cast_vote(cast.cleo, cast.code, item, 1)
    assert len(told) == 1


def test_listeners_hear_nothing_of_what_was_rolled_back(cast: Cast, told: list) -> None:
    item = cast.add(2)[1]
    told.clear()
    with pytest.raises(RuntimeError), write():
        queue.cast_vote(cast.cleo, cast.code, item, 1)
        raise RuntimeError("power cut")
    assert told == []
    assert not Vote.select().exists()


def test_a_listener_that_fails_harms_nobody(cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    heard: list[int] = []

    def broken(code: str, seq: int) -> None:
        raise RuntimeError("no bus")

    monkeypatch.setattr(events, "on_commit", [broken, lambda code, seq: heard.append(seq)])
    cast.add(1)
    assert heard == [cast.room().seq]
    assert "commit listener failed" in caplog.text


def test_the_numbers_of_the_log_have_no_holes_even_after_refusals(cast: Cast) -> None:
    items = cast.add(4)
    for turn in range(5):
        queue.cast_vote(cast.cleo, cast.code, items[1], 1 if turn % 2 else -1)
        with pytest.raises(NotAllowed):
            queue.move_item(cast.cleo, cast.code, items[2], None)
    numbers = [row.seq for row in Event.select().where(Event.room == cast.room()).order_by(Event.seq)]
    assert numbers == list(range(1, cast.room().seq + 1))


# --- idempotency keys ------------------------------------------------------------------------------------------------


def test_the_same_key_acts_once_and_answers_the_same(cast: Cast) -> None:
    acts: list[int] = []

    def add() -> int:
        acts.append(queue.add_item(cast.cleo, cast.code, cast.tracks[len(acts)]))
        return acts[-1]

    first = once(cast.cleo, "key-1", add)
    before = cast.room().seq
    assert once(cast.cleo, "key-1", add) == first
    assert (acts, cast.room().seq) == ([first], before)
    assert once(cast.cleo, "key-2", add) != first


def test_another_persons_same_key_is_another_key(cast: Cast) -> None:
    item = cast.add(2)[1]
    for person in (cast.ada, cast.ben, cast.cleo):
        once(person, "key", lambda person=person: queue.cast_vote(person, cast.code, item, 1))
    assert Vote.select().count() == 3


def test_a_refused_command_stores_nothing_and_may_be_tried_again(cast: Cast) -> None:
    cast.add(2)
    with pytest.raises(NotFound):
        once(cast.cleo, "key", lambda: queue.cast_vote(cast.cleo, cast.code, 999, 1))
    assert not Outcome.select().exists()
    item = cast.line()[0]
    once(cast.cleo, "key", lambda: queue.cast_vote(cast.cleo, cast.code, item, 1))
    assert Vote.select().count() == 1


def test_the_answer_and_the_effect_are_kept_together_or_not_at_all(cast: Cast, monkeypatch) -> None:
    item = cast.add(2)[1]
    monkeypatch.setattr(house.Outcome, "insert", lambda **_: (_ for _ in ()).throw(RuntimeError("disk full")))
    with pytest.raises(RuntimeError):
        once(cast.cleo, "key", lambda: queue.cast_vote(cast.cleo, cast.code, item, 1))
    assert not Vote.select().exists()


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_a_command_just_runs(cast: Cast, key: str | None) -> None:
    acts: list[int] = []
    for _ in range(2):
        once(cast.cleo, key, lambda: acts.append(1))
    assert acts == [1, 1]
    assert not Outcome.select().exists()


# --- the lock --------------------------------------------------------------------------------------------------------


of_one_lock = pytest.mark.skipif(bool(POSTGRES_URL), reason="one lock for all is SQLite's")


class Hog:
    """Another process' connection that holds the write lock."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("BEGIN IMMEDIATE")

    def let_go(self) -> None:
        self.connection.rollback()
        self.connection.close()


@of_one_lock
def test_a_write_waits_for_a_lock_somebody_else_holds(cast: Cast, database: Path, monkeypatch) -> None:
    hog, waits = Hog(database), []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            hog.let_go()

    monkeypatch.setattr(house.time, "sleep", wait)
    cast.add(1)
    assert len(waits) == 3
    assert all(0 < seconds < 0.05 for seconds in waits)
    assert cast.seen().now is not None


@of_one_lock
def test_a_lock_that_is_never_let_go_is_busy_and_nothing_is_done(
    cast: Cast, database: Path, monkeypatch
) -> None:
    monkeypatch.setattr(house, "LOCK_WAIT_SECONDS", 0.02)
    before = cast.room().seq
    hog = Hog(database)
    with pytest.raises(Busy, match="try again"):
        cast.add(1)
    hog.let_go()
    assert (cast.room().seq, Item.select().count()) == (before, 0)
    cast.add(1)


@of_one_lock
def test_reading_goes_on_while_somebody_writes(cast: Cast, database: Path) -> None:
    cast.add(2)
    hog = Hog(database)
    assert len(cast.line()) == 1
    hog.let_go()


def test_a_write_inside_a_write_is_part_of_it(cast: Cast) -> None:
    with pytest.raises(RuntimeError), write():
        with write():
            User.create(display_name="Eve", created_at=0)
        raise RuntimeError
    assert User.select().count() == 4
    with write():
        with pytest.raises(NotFound), change(cast.ada, "ABCDEFGH", may="see"):
            pass
        User.create(display_name="Eve", created_at=0)
    assert User.select().count() == 5


def test_a_connection_is_opened_for_a_moment_or_shared(cast: Cast) -> None:
    found: list[bool] = []

    def elsewhere() -> None:
        with connected():
            found.append(Room.select().exists())
            with connected():
                pass
            found.append(database.obj.is_closed())
        found.append(database.obj.is_closed())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [True, False, True]


def test_who_is_gone_meanwhile_is_asked_for_a_name(cast: Cast) -> None:
    people.leave(cast.cleo, cast.code)
    with pytest.raises(NotAllowed, match="Open its link"), change(cast.cleo, cast.code, may="see"):
        pass


def test_rooms_that_come_late_are_locked_before_what_is_held(cast: Cast) -> None:
    """Somebody has the first room and wants the second; who has the second lets it go before they want the first."""
    other = rooms.open_room(cast.ada, "Other", 300)
    has_first, has_second = threading.Event(), threading.Event()

    def in_order() -> None:
        with house.write():
            house.locked_room(cast.code)
            has_first.set()
            has_second.wait(0.5)
            house.locked_room(other)

    def which() -> Any:
        return Room.code.in_([cast.code, other] if has_second.is_set() else [other])

    def late() -> list[str]:
        assert has_first.wait(30)
        with house.write():
            return [room.code for room in house.hold_with_rooms(which, has_second.set)]

    _, held = at_once(in_order, late)
    assert held == ([other] if is_sqlite() else [cast.code, other])
