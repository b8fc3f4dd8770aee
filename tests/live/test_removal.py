"""Real processes: who is sent out or banned hears nothing of what comes after, and is told so; who knocks is let in."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator

import pytest

from live.screens import PEOPLE_LOOK_SECONDS
from tests.live.rawsocket import eventually
from tests.live.servers import Ended, Guest, House, LiveSocket, Trio, faultless, running

SOON_SECONDS = PEOPLE_LOOK_SECONDS - 1
"""So late the look at who is here may have found it just as well: what tells the two apart is done several times."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web without limits; it may not write a traceback."""
    with faultless(tmp_path_factory.mktemp("house"), 40) as started:
        yield started


class Party(Trio):
    """A room of the three with some tracks to vote on."""

    COUNT = 6

    def seat(self, name: str) -> int:
        """The seat of somebody."""
        return self.house.value(
            "SELECT m.id FROM member m JOIN person p ON p.id = m.user_id JOIN room r ON r.id = m.room_id"
            " WHERE p.display_name = ? AND r.code = ?",
            name,
            self.code,
        )

    def number_of(self, kind: str) -> int:
        """The number of the last event of a kind."""
        return self.house.value(
            "SELECT max(e.seq) FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ? AND e.kind = ?",
            self.code,
            kind,
        )


@pytest.fixture
def party(house: House) -> Party:
    return Party(house)


class Listener(threading.Thread):
    """Takes everything a socket brings until it ends: what, up to which number, and when."""

    def __init__(self, live: LiveSocket) -> None:
        super().__init__(daemon=True)
        self.live, self.code, self.ended_at = live, 0, 0.0
        self.numbers: list[int] = []
        self.pieces: list[str] = []
        self.start()

    def run(self) -> None:
        try:
            while True:
                kind, said = self.live.read_message()
                if kind == "frame":
                    self.numbers.append(int(re.search(r'data-to="(\d+)"', said)[1]))
                if kind != "head":
                    self.pieces.append(said if isinstance(said, str) else json.dumps(said))
        except Ended as end:
            self.code, self.ended_at = end.code, time.monotonic()


@pytest.mark.parametrize("act", ["kick", "ban"])
def test_i13_nothing_after_the_removal_reaches_whoever_was_removed(party: Party, act: str) -> None:
    with party.cleo.socket(party.code) as phone, party.cleo.socket(party.code) as laptop:
        screens = [Listener(phone), Listener(laptop)]
        eventually(lambda: all(screen.numbers for screen in screens))
        done = threading.Event()

        def stir() -> None:
            # Everybody else goes on voting, before, while and after.
            value = 1
            while not done.is_set():
                for item in party.items:
                    party.ben.vote(party.code, item, value)
                value = -value

        stirring = threading.Thread(target=stir)
        stirring.start()
        try:
            eventually(lambda: all(len(screen.numbers) > 5 for screen in screens))
            party.ada.post(f"/rooms/{party.code}/people/{party.seat('Cleo')}/{act}", reason="enough")
            answered_at = time.monotonic()
            eventually(lambda: all(screen.code for screen in screens))
            number = party.number_of("person_banned" if act == "ban" else "person_removed")
            # The house goes on for a while: nothing of it may still arrive.
            eventually(lambda: party.house.head(party.code) > number + 20)
        finally:
            done.set()
            stirring.join()
    for screen in screens:
        assert screen.code == 4403
        assert screen.ended_at - answered_at < SOON_SECONDS
        assert max(screen.numbers) < number
        # Without a number go the list of people and one's own share; neither may know of the removal.
        assert "reason" not in " ".join(screen.pieces) and "enough" not in " ".join(screen.pieces)
    again = party.cleo.ask("GET", f"/rooms/{party.code}/changes")
    assert again.status == 403
    assert party.cleo.socket(party.code).read_close() == 4403


def test_twenty_bans_leave_no_frame_behind_and_the_last_one_comes_soon(party: Party) -> None:
    lags: list[float] = []
    for _ in range(20):
        with party.cleo.socket(party.code) as live:
            screen = Listener(live)
            eventually(lambda screen=screen: screen.numbers)
            voting = threading.Thread(
                target=lambda: [party.ben.vote(party.code, item, 1) for item in party.items[:3]]
            )
            voting.start()
            party.ada.post(f"/rooms/{party.code}/people/{party.seat('Cleo')}/ban")
            answered_at = time.monotonic()
            eventually(lambda screen=screen: screen.code)
            voting.join()
            lags.append(screen.ended_at - answered_at)
            assert screen.code == 4403
            assert max(screen.numbers) < party.number_of("person_banned")
        ban = party.house.value("SELECT max(id) FROM ban")
        party.ada.post(f"/rooms/{party.code}/bans/{ban}/removal")
        party.cleo.join(party.code)
    # Two of twenty may meet a busy machine.
    assert sorted(lags)[-3] < SOON_SECONDS / 2
    print(f"ban to goodbye, 20 times: p50 {sorted(lags)[10] * 1000:.0f} ms, max {max(lags) * 1000:.0f} ms")


def test_a_private_room_is_to_a_socket_what_none_is(party: Party) -> None:
    dan = party.house.person("Dan")
    assert dan.socket(party.code).read_close() == 4403
    party.ada.post(f"/rooms/{party.code}/access", visibility="private", entry="approval")
    assert dan.socket(party.code).read_close() == 4404
    assert dan.socket("ABCDEFGH").read_close() == 4404
    assert knocking(dan, party.code).read_close() == 4404


def knocking(person: Guest, code: str) -> LiveSocket:
    """The socket of the page that waits at a door."""
    client = LiveSocket(person.port, f"/rooms/{code}/knock/live", headers={"Cookie": person.cookie})
    assert client.status == 101
    return client


@pytest.mark.parametrize(
    ("decision", "state"),
    [("approve", "in"), ("decline", "declined"), ("withdrawal", "withdrawn"), ("open", "open")],
)
def test_who_knocks_hears_at_once_what_became_of_it(party: Party, decision: str, state: str) -> None:
    rounds = [time_of_knock(party, decision, state) for _ in range(3)]
    assert sorted(rounds)[1] < SOON_SECONDS / 2


def time_of_knock(party: Party, decision: str, state: str) -> float:
    """Dan knocks, and is told of what is decided: the seconds until then."""
    party.ada.post(f"/rooms/{party.code}/access", visibility="unlisted", entry="approval")
    dan = party.house.person("Dan")
    dan.post(f"/rooms/{party.code}/knock")
    knock = party.house.value("SELECT max(id) FROM knock")
    with knocking(dan, party.code) as live:
        assert live.read_kind("knock")["state"] == "waiting"
        # What happens inside is none of theirs.
        party.ben.vote(party.code, party.items[0], 1)
        asked_at = time.monotonic()
        if decision == "withdrawal":
            dan.post(f"/rooms/{party.code}/knock/withdrawal")
        elif decision == "open":
            party.ada.post(f"/rooms/{party.code}/access", visibility="unlisted", entry="open")
        else:
            party.ada.post(f"/rooms/{party.code}/knocks/{knock}", decision=decision)
        assert live.read_kind("knock") == {"t": "knock", "state": state}
        took = time.monotonic() - asked_at
        assert live.read_close() == 4404
    piece = dan.ask("GET", f"/rooms/{party.code}/knock", headers={"HX-Request": "true"}).text
    assert f'data-state="{state}"' in piece
    if state == "in":
        assert f'data-go="/rooms/{party.code}"' in piece
        assert dan.page(party.code).applied
    return took


def test_guessing_by_socket_is_limited_like_guessing_by_page(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("guessed")) as house:
        ada, dan = house.person("Ada"), house.person("Dan")
        code = ada.open_room()
        closes = [dan.socket(f"GUESS{number:03}").read_close() for number in range(23)]
        assert closes == [4404] * 20 + [4429] * 3
        assert dan.socket(code).read_close() == 4429
        with ada.socket(code) as live:
            assert live.read_kind("frame")
