"""Who hosts, on real sockets: everybody sees a handover, an end and a deletion; the owner returns."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator

import pytest

from tests.live.rawsocket import PATIENCE_SECONDS, eventually
from tests.live.servers import House, running
from tests.live.test_socket import Party


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("hosting")) as started:
        started.library = started.tracks(4)
        yield started
        assert "Traceback" not in started.said(), started.said()


@pytest.fixture
def party(house: House) -> Party:
    return Party(house)


def member(party: Party, name: str) -> int:
    return party.house.value(
        "SELECT m.id FROM member m JOIN person p ON p.id = m.user_id JOIN room r ON r.id = m.room_id"
        " WHERE r.code = ? AND p.display_name = ? ORDER BY p.id DESC",
        party.code,
        name,
    )


def host(party: Party) -> str:
    return party.house.value(
        "SELECT p.display_name FROM member m JOIN person p ON p.id = m.user_id JOIN room r ON r.id = m.room_id"
        " WHERE r.code = ? AND m.role = 'host'",
        party.code,
    )


def end_grace(party: Party) -> None:
    connection = sqlite3.connect(party.house.database, timeout=PATIENCE_SECONDS)
    with connection:
        now = int(time.time() * 1000)
        connection.execute("UPDATE room SET host_grace_until = ? WHERE code = ?", (now, party.code))
    connection.close()


def test_a_handover_is_seen_by_everybody_and_moves_the_fence(party: Party) -> None:
    with party.ada.screen(party.code) as ada, party.ben.screen(party.code) as ben:
        ben.wait_for(lambda shown: shown.pieces["status"].attrs["data-state"] == "LIVE")
        ben.wait_for(lambda shown: "Ada" in str(shown.pieces["people"]))
        fence = ben.shown.pieces["status"].attrs["data-fence"]
        assert party.ada.post(f"/rooms/{party.code}/host", to=member(party, "Ben")).status == 303
        ben.wait_for(lambda shown: "offers you the line" in str(shown.pieces["banner"]))
        assert party.ben.post(f"/rooms/{party.code}/host/answer", answer="accept").status == 303
        for screen in (ada, ben):
            screen.wait_for(lambda shown: shown.pieces["status"].attrs["data-fence"] == str(int(fence) + 1))
            screen.wait_for(lambda shown: "offers you" not in str(shown.pieces["banner"]))
        assert host(party) == "Ben"


@pytest.mark.parametrize("what", ["end", "deletion"])
def test_the_end_and_the_deletion_of_a_room_close_every_screen(party: Party, what: str) -> None:
    with party.ada.socket(party.code) as ada, party.ben.socket(party.code) as ben:
        ben.read_kind("frame")
        assert party.ada.post(f"/rooms/{party.code}/{what}", name="Friday").status == 303
        assert (ada.read_close(), ben.read_close()) == (4404, 4404)
    assert party.ben.ask("GET", f"/rooms/{party.code}").status == (200 if what == "end" else 404)


def test_who_takes_over_is_shown_as_cohosts_come_and_go_and_takes_over(party: Party) -> None:
    assert (
        party.ada.post(f"/rooms/{party.code}/people/{member(party, 'Ben')}/role", role="cohost").status == 303
    )
    laptop = party.ada.socket(party.code)
    with party.cleo.screen(party.code) as cleo:
        cleo.wait_for(lambda shown: shown.pieces["status"].attrs["data-state"] == "LIVE")
        laptop.close()
        cleo.wait_for(lambda shown: shown.pieces["status"].attrs["data-state"] == "GRACE")
        with party.ben.screen(party.code):
            cleo.wait_for(lambda shown: "takes the line" in str(shown.pieces["banner"]))
            # Grace lasts until everybody has seen that, and is over then.
            end_grace(party)
            eventually(lambda: host(party) == "Ben")
            cleo.wait_for(lambda shown: shown.pieces["status"].attrs["data-state"] == "LIVE")
            with party.ada.screen(party.code) as ada:
                ada.wait_for(lambda shown: "has the line now" in str(shown.pieces["banner"]))
                assert party.ada.post(f"/rooms/{party.code}/host/claim").status == 303
                cleo.wait_for(lambda shown: "Ada" in str(shown.pieces["banner"]))
                assert host(party) == "Ada"
