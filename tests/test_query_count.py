"""A line of twenty costs the database no more questions than a line of ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playhouse.test_utils import count_queries

import fragments
import stale
from models import Room
from party import library, people, queue, rooms, snapshot
from party.change import Person
from party.views import Audience
from tests.doors import Browser, make_app
from tests.stage import Cast
from tests.stage import library as shelf

SHORT, LONG = 10, 20


@pytest.fixture(scope="module")
def app_of_module() -> Flask:
    return make_app()


@pytest.fixture
def parties(cast: Cast, app_of_module: Flask) -> Iterator[tuple[list[str], Browser]]:
    """A room with ten waiting tracks and one with twenty, each with votes and people, and Cleo's browser."""
    tracks = shelf(30)
    codes = []
    for count in (SHORT, LONG):
        code = rooms.open_room(cast.ada, "Party", 300)
        for number in range(count // 2):
            guest = Person(people.enter(f"Guest {number}")[0])
            people.screen_opened(people.join(guest, code), "web")
            for track in tracks[number * 2 : number * 2 + 2]:
                item = queue.add_item(guest, code, track)
                if number:
                    queue.cast_vote(guest, code, item, 1)
        queue.add_item(cast.ada, code, tracks[count])
        people.join(cast.cleo, code)
        codes.append(code)
    assert [len(snapshot.take(code).items) for code in codes] == [SHORT, LONG]
    fragments._recent.clear()
    yield codes, Browser(app_of_module, cast.cleo, htmx=True)
    fragments._recent.clear()


def costs(codes: list[str], act: Callable[[str], object]) -> list[int]:
    """How many queries something takes in each room, once everything is warm."""
    found = []
    for code in codes:
        act(code)
        with count_queries() as counted:
            act(code)
        found.append(counted.count)
    return found


def test_a_page_costs_the_same_however_long_the_line(parties: tuple[list[str], Browser]) -> None:
    codes, cleo = parties
    short, long = costs(codes, lambda code: cleo.get(f"/rooms/{code}"))
    assert long <= short <= 30


def test_the_answer_to_a_vote_costs_the_same_however_long_the_line(
    parties: tuple[list[str], Browser],
) -> None:
    codes, cleo = parties
    turns = {code: 1 for code in codes}

    def vote(code: str) -> None:
        room = snapshot.take(code)
        turns[code] = -turns[code]
        position = {"X-Partyline-Epoch": room.epoch, "X-Partyline-After": str(room.seq)}
        path = f"/rooms/{code}/queue/{room.items[-1].id}/vote"
        assert cleo.post(path, headers=position, value=turns[code]).status_code == 200

    short, long = costs(codes, vote)
    assert long <= short <= 46


def test_a_push_costs_the_same_however_long_the_line_and_whatever_lacks(
    parties: tuple[list[str], Browser],
) -> None:
    codes, _ = parties

    def push(code: str, behind: int) -> None:
        room = Room.get(Room.code == code)
        fragments.since(code, Audience("guest"), room.seq - behind, room.epoch)

    for behind in (0, 1, 10):
        short, long = costs(codes, lambda code, behind=behind: push(code, behind))
        assert long <= short <= 15
    short, long = costs(codes, lambda code: fragments.since(code, Audience("host"), None, None))
    assert long <= short <= 16


def test_rendering_asks_the_database_nothing(parties: tuple[list[str], Browser]) -> None:
    codes, _ = parties
    room = snapshot.take(codes[1])
    with count_queries() as counted:
        fragments.pieces(room, Audience("host"), stale.EVERYTHING - {"chat"})
    assert counted.count == 0
    # What was said is no part of a snapshot, so that a vote does not read it: it is read when it is drawn whole.
    with count_queries() as counted:
        fragments.pieces(room, Audience("host"), frozenset({"chat"}))
    assert 0 < counted.count <= 8


def test_the_library_costs_the_same_however_many_tracks_wait(parties: tuple[list[str], Browser]) -> None:
    codes, _ = parties
    short, long = costs(codes, lambda code: library.browse("song", "", "title", 1, snapshot.take(code)))
    assert long <= short <= 16
