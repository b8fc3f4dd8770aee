"""What lives for a moment, on the real processes: taps, typing, who is away, whose player does not keep up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from live import reactions, screens
from tests.live.rawsocket import eventually
from tests.live.servers import Guest, House, running

CROWD, TAPS_EACH = 100, 6
MOST_A_SECOND = 5


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house")) as started:
        yield started
        assert "Traceback" not in started.said(), started.said()


@pytest.fixture
def ada(house: House) -> Guest:
    return house.person("Ada")


@pytest.fixture
def code(ada: Guest) -> str:
    return ada.open_room()


def somebody(house: House, code: str, name: str) -> Guest:
    guest = house.person(name)
    guest.join(code)
    return guest


def test_a_hundred_people_tapping_cost_few_frames_and_every_tap_counts(
    house: House, ada: Guest, code: str
) -> None:
    crowd = [somebody(house, code, f"Guest {number}") for number in range(CROWD)]
    refused: list[int] = []

    def tap(some: list[Guest]) -> None:
        for number in range(TAPS_EACH):
            for guest in some:
                emoji = "🔥" if number % 2 else "❤️"
                answer = guest.ask("POST", f"/rooms/{code}/taps", {"emoji": emoji}, {"HX-Request": "true"})
                refused.extend([answer.status] * (answer.status != 204))

    with ada.socket(code) as live:
        live.read_kind("head")
        hands = [threading.Thread(target=tap, args=(crowd[n::10],)) for n in range(10)]
        began = time.monotonic()
        for hand in hands:
            hand.start()
        counted: Counter[str] = Counter()
        frames = 0
        while sum(counted.values()) < CROWD * TAPS_EACH and not refused:
            counted.update(live.read_kind("taps")["e"])
            frames += 1
        seconds = time.monotonic() - began
        for hand in hands:
            hand.join()
    assert refused == []
    assert counted == {"❤️": CROWD * TAPS_EACH // 2, "🔥": CROWD * TAPS_EACH // 2}
    assert frames <= 1 + seconds * MOST_A_SECOND, f"{frames} frames in {seconds:.1f} s"


def test_typing_is_told_once_and_ends_by_itself(house: House, ada: Guest, code: str) -> None:
    ben, cleo = somebody(house, code, "Ben"), somebody(house, code, "Cleo")
    with ada.socket(code) as live, ben.socket(code) as by_ben, cleo.socket(code) as by_cleo:
        for one in (live, by_ben, by_cleo):
            one.read_kind("head")
        began = time.monotonic()
        for _ in range(4):
            by_ben.say(t="typing")
        [seat] = live.read_kind("typing")["ids"]
        by_cleo.say(t="typing")
        assert len(live.read_kind("typing")["ids"]) == 2
        assert time.monotonic() - began >= reactions.TYPING_SPACING * 0.8
        while ids := live.read_kind("typing")["ids"]:
            assert seat not in ids
        assert time.monotonic() - began <= 3 * reactions.TYPING_SECONDS


def idle(house: House, code: str) -> dict[str, bool]:
    """Who of those present is away, by name."""
    rows = house.rows(
        "SELECT display_name, is_idle FROM presence JOIN member ON member.id = member_id"
        " JOIN person ON person.id = user_id JOIN room ON room.id = room_id WHERE code = ?",
        code,
    )
    return {name: bool(is_idle) for name, is_idle in rows}


def test_a_seat_is_away_when_all_its_screens_are(house: House, ada: Guest, code: str) -> None:
    ben = somebody(house, code, "Ben")
    with ada.socket(code), ben.socket(code) as first, ben.socket(code) as second:
        eventually(lambda: idle(house, code) == {"Ada": False, "Ben": False})
        first.say(t="beat", idle=True, step="in_step")
        second.say(t="beat", idle=False)
        second.say(t="beat", idle="yes", step="<b>")
        second.say(t="beat")
        eventually(lambda: _step(house, "Ben") == "in_step")
        assert not idle(house, code)["Ben"]
        second.say(t="beat", idle=True)
        eventually(lambda: idle(house, code)["Ben"])
        first.say(t="beat", idle=False)
        eventually(lambda: not idle(house, code)["Ben"])


def _step(house: House, name: str) -> str:
    return house.value(
        "SELECT step FROM presence JOIN member ON member.id = member_id JOIN person ON person.id = user_id"
        " WHERE display_name = ? ORDER BY presence.id DESC",
        name,
    )


def test_the_host_alone_is_told_who_is_not_in_step(house: House, ada: Guest, code: str) -> None:
    ben, cleo = somebody(house, code, "Bengt"), somebody(house, code, "Cleo")
    with ada.socket(code) as live, ben.socket(code) as by_ben, cleo.socket(code) as by_cleo:
        by_ben.say(t="beat", idle=False, step="muted")
        by_cleo.say(t="beat", idle=False, step="in_step")
        told = live.read_kind("steps")
        assert "still muted by their browser" in told and "Bengt" in told and "Cleo" not in told
        by_ben.say(t="beat", idle=False, step="in_step")
        # Told anew as long as it is so, if others' beats come late.
        assert any("muted" not in live.read_kind("steps") for _ in range(5))
        assert "steps" not in by_ben.kinds_before_clock() + by_cleo.kinds_before_clock()


def test_signing_out_takes_every_screen_along_within_two_seconds(house: House, code: str) -> None:
    ben, cleo = somebody(house, code, "Ben"), somebody(house, code, "Cleo")
    with ben.socket(code) as first, ben.socket(code) as second, cleo.socket(code) as by_cleo:
        first.read_kind("head"), second.read_kind("head")
        ben.post("/sign-out")
        began = time.monotonic()
        assert (first.read_close(), second.read_close()) == (4401, 4401)
        assert time.monotonic() - began < 5
        assert by_cleo.kinds_before_clock() is not None


# Without processes


class Ear:
    """Stands for a socket."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def offer(self, data: bytes) -> bool:
        self.sent.append(data)
        return True


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    acts: list = []
    monkeypatch.setattr(reactions, "later", lambda seconds, act: acts.append(act))
    yield acts
    screens.rooms.clear()
    for kept in (reactions._taps, reactions._own, reactions._typing, reactions._told, reactions._planned):
        kept.clear()


def test_what_another_process_tells_is_added_and_not_told_again(planned, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(reactions, "_publish", told.append)
    room = screens.rooms["CODE"] = screens.RoomScreens("CODE")
    room.screens.add(type("S", (), {"wire": Ear(), "__hash__": object.__hash__})())
    [screen] = room.screens
    reactions.tap("CODE", "🔥", 2)
    reactions.heard('{"p": "another", "c": "CODE", "taps": {"🔥": 3}}')
    reactions.heard(f'{{"p": "{reactions.process}", "c": "CODE", "taps": {{"🔥": 9}}}}')
    reactions.heard('{"p": "another", "c": "UNKNOWN", "taps": {"🔥": 3}}')
    assert len(planned) == 1
    planned.pop(0)()
    assert '{"🔥": 5}' in screen.wire.sent[0].decode(errors="ignore")
    planned.pop(0)()
    assert len(told) == 1 and '"taps": {"\\ud83d\\udd25": 2}' in told[0]
    reactions.heard('{"p": "another", "c": "CODE", "typing": 7}')
    planned.pop(0)()
    assert '"ids": [7]' in screen.wire.sent[1].decode(errors="ignore")
    assert not reactions._own and len(told) == 1
