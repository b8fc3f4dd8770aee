"""The live list of rooms: what its watchers are sent, what they are not, and who is let in to watch."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from live import lobby
from live.lobby import Watcher
from models import Room
from party import discovery, people, rooms
from tests.live.rawsocket import PATIENCE_SECONDS, TEXT, RawSocket, eventually
from tests.live.servers import Guest, House, LiveSocket, faultless, request, running
from tests.stage import Cast

CANARY = "Quokka-Zanzibar"
NOW = 2**52
"""Since then no room was opened."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with faultless(tmp_path_factory.mktemp("house"), 5) as started:
        yield started


class Place:
    """A listed room whose host has a screen open."""

    def __init__(self, house: House, name: str = "Friday", public: str = "yes") -> None:
        self.house = house
        self.host = house.person(f"Host of {name}")
        self.code = self.host.post("/rooms", name=name, public=public).headers["location"].rsplit("/", 1)[1]
        self.screen = self.host.socket(self.code)
        eventually(lambda: house.value("SELECT state FROM room WHERE code = ?", self.code) == "LIVE")

    def set(self, column: str, value: object) -> None:
        connection = sqlite3.connect(self.house.database, timeout=PATIENCE_SECONDS)
        with connection:
            connection.execute(f"UPDATE room SET {column} = ? WHERE code = ?", (value, self.code))
        connection.close()


class Watching(LiveSocket):
    """A front page's socket that keeps all it was ever sent."""

    def __init__(self, house: House, **options: object) -> None:
        super().__init__(house.port, "/live/lobby", **options)
        self.heard: list[str] = []

    def read(self) -> str:
        self.heard.append(super().read())
        return self.heard[-1]

    def until(self, *parts: str) -> str:
        """The first message that holds all of these."""
        while True:
            text = self.read()
            if all(part in text for part in parts):
                return text


def people_of(code: str, count: int) -> str:
    return f'id="room-people-{code}" hx-swap-oob=outerMorph class="open__people"><b>{count}</b>'


# Against the real process


def test_somebody_without_a_name_sees_people_come_and_go_within_seconds(house: House) -> None:
    place = Place(house)
    with Watching(house) as page:
        page.say(t="shown", codes=[place.code], since=NOW)
        page.until(f'id="room-card-{place.code}"', "Friday")
        ben = house.person("Ben")
        ben.join(place.code)
        with ben.socket(place.code):
            told = page.until(people_of(place.code, 2))
            assert f'id="room-card-{place.code}"' not in told, "a count alone redraws no card"
        page.until(people_of(place.code, 1))


def test_a_new_song_redraws_its_card_once(house: House) -> None:
    place = Place(house, "Songs")
    with Watching(house) as page:
        page.say(t="shown", codes=[place.code], since=NOW)
        page.until("The line is quiet")
        place.host.add(place.code, house.library[:1])
        page.until(f'id="room-card-{place.code}"', "Song 1", "waltz")


def test_rooms_that_come_and_go_are_told_by_code_and_never_those_that_are_not_listed(house: House) -> None:
    with Watching(house) as page:
        page.say(t="shown", codes=[], since=NOW)
        page.until('id="rooms-sum"')
        hidden = [Place(house, f"{CANARY} {number}", public="") for number in range(2)]
        hidden[1].set("visibility", "private")
        shown = Place(house, "Marker")
        assert shown.code in json.loads(page.until('"come"', shown.code))["come"]
        for place in hidden:
            place.host.add(place.code, house.library[:1])
        shown.set("visibility", "private")
        page.until("has left the list", f'id="room-card-{shown.code}"')
        assert shown.code in json.loads(page.until('"gone"'))["gone"]
        everything = "".join(page.heard)
        assert CANARY not in everything and not any(place.code in everything for place in hidden)


def test_a_room_that_is_not_listed_is_answered_like_one_that_does_not_exist(house: House) -> None:
    place = Place(house, CANARY, public="")
    with Watching(house) as page:
        page.say(t="shown", codes=["ABCDEFGH", "<b>", "x" * 50], since=NOW)
        unknown = page.until("ABCDEFGH")
        page.say(t="shown", codes=[place.code], since=NOW)
        assert page.until(place.code) == unknown.replace("ABCDEFGH", place.code)


@pytest.mark.parametrize(
    "said", ["nonsense", "[]", '{"t":"shown"}', '{"t":"shown","codes":[1],"since":1}', '{"t":"sync"}']
)
def test_what_is_not_understood_ends_the_socket(house: House, said: str) -> None:
    with Watching(house) as page:
        page.send_frame(TEXT, said.encode())
        assert page.read_close() == 4400


def test_a_foreign_page_gets_no_socket(house: House) -> None:
    with RawSocket(house.port, "/live/lobby", headers={"Origin": "https://evil.example"}) as page:
        assert page.status == 403


def test_many_watchers_leave_the_pages_their_connections_to_the_database(house: House) -> None:
    pages = [Watching(house) for _ in range(80)]
    try:
        assert request(house.port, "GET", "/").status == 200
        assert Guest(house, "Somebody").cookie
    finally:
        for page in pages:
            page.sock.close()


def test_one_network_may_not_take_every_place_and_a_restart_is_told(tmp_path: Path) -> None:
    with running(tmp_path, MAX_SOCKETS_PER_NETWORK="2") as strict:
        pages = [Watching(strict) for _ in range(2)]
        with Watching(strict) as third:
            assert third.read_close() == 1013
        pages[0].close()
        with Watching(strict) as again:
            again.say(t="shown", codes=[], since=NOW)
            again.until('id="rooms-sum"')
            assert strict.web is not None
            strict.web.send_signal(signal.SIGTERM)
            assert [page.read_close() for page in (again, pages[1])] == [1012, 1012]


# What a tick does


class Sent:
    """A wire that keeps what it is offered, or takes nothing."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.is_stuck = False

    def offer(self, data: bytes) -> bool:
        if not self.is_stuck:
            self.data.append(data)
        return not self.is_stuck


@pytest.fixture
def watchers(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[Watcher]:
    Room.update(visibility="public", state="LIVE").where(Room.code == cast.code).execute()
    made = [Watcher(Sent(), "here") for _ in range(2)]  # type: ignore[arg-type]
    monkeypatch.setattr(lobby, "_watchers", dict.fromkeys(made))
    lobby._made.clear()
    return made


def test_a_change_is_made_once_and_the_same_bytes_go_to_everybody(
    cast: Cast, watchers: list[Watcher]
) -> None:
    known = discovery.look()
    assert lobby._tick(known, is_beat_due=False) == known
    assert watchers[0].wire.data == []
    people.screen_opened(cast.members["cleo"], "web")
    lobby._tick(known, is_beat_due=False)
    [one], [other] = (watcher.wire.data for watcher in watchers)
    assert one is other and people_of(cast.code, 1).encode() in one


def test_a_page_that_comes_late_is_told_which_rooms_opened_meanwhile(
    cast: Cast, watchers: list[Watcher], time
) -> None:
    made_at = discovery.look().at
    time.move(1)
    late = rooms.open_room(cast.dan, "Late", 300, "public")
    Room.update(state="LIVE").where(Room.code == late).execute()
    for since, come in ((made_at, [late]), (made_at + 1_000, [])):
        watchers[0].asked = ([], since)
        lobby._tick(None, is_beat_due=False)
        assert json.loads(b"{" + watchers[0].wire.data[-1].split(b"{", 1)[1])["come"] == come


def test_a_page_that_took_nothing_is_asked_what_it_shows(cast: Cast, watchers: list[Watcher]) -> None:
    known = discovery.look()
    slow = watchers[0].wire
    slow.is_stuck = True
    people.screen_opened(cast.members["cleo"], "web")
    known = lobby._tick(known, is_beat_due=False)
    slow.is_stuck = False
    known = lobby._tick(known, is_beat_due=False)
    assert [b'"again"' in data for data in slow.data] == [True]
    watchers[0].asked = ([cast.code], NOW)
    lobby._tick(known, is_beat_due=False)
    assert b"<b>1</b> listening" in slow.data[-2] and len(watchers[1].wire.data) == 1


def test_a_quiet_list_beats_so_that_no_line_falls_asleep(cast: Cast, watchers: list[Watcher]) -> None:
    lobby._tick(discovery.look(), is_beat_due=True)
    assert [b'"beat"' in data for data in watchers[0].wire.data] == [True]


def test_nothing_is_read_once_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby, "_watchers", {})
    monkeypatch.setattr(lobby, "_tick", lambda *_, **__: pytest.fail("read although nobody watches"))
    monkeypatch.setattr(lobby, "_is_ticking", True)
    lobby._tick_while_watched()
    assert not lobby._is_ticking and not lobby._made
