"""The socket against the real processes: what comes first, what follows a change, who is shut out and how."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from live.screens import PEOPLE_LOOK_SECONDS
from party import queue
from party.change import Person
from tests.live.rawsocket import BINARY, TEXT, eventually, pack
from tests.live.servers import STOP_SECONDS, Guest, House, LiveSocket, Trio, faultless, running

GRACE_SECONDS = 4
"""Short, and long enough for grace to be seen before it is over."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web and worker without limits, and with a short grace; neither may write a traceback."""
    folder = tmp_path_factory.mktemp("house")
    with faultless(folder, 40, worker=True, GRACE_SECONDS=str(GRACE_SECONDS)) as started:
        yield started


@pytest.fixture(scope="module")
def strict_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web that holds six sockets: two of a person, four of a network."""
    limits = {"MAX_SOCKETS": "6", "MAX_SOCKETS_PER_PERSON": "2", "MAX_SOCKETS_PER_NETWORK": "4"}
    with faultless(tmp_path_factory.mktemp("strict"), **limits) as started:
        yield started


@pytest.fixture
def strict(strict_house: House) -> House:
    """The strict house, once it holds no screens of the test before."""
    eventually(lambda: not strict_house.rows("SELECT 1 FROM presence"))
    return strict_house


class Party(Trio):
    """A room of the three with three tracks waiting behind the one that plays."""

    COUNT = 4

    @property
    def head(self) -> int:
        return self.house.head(self.code)

    def column(self, name: str):
        """A column of the room's row."""
        return self.house.value(f"SELECT {name} FROM room WHERE code = ?", self.code)


@pytest.fixture
def party(house: House) -> Party:
    return Party(house)


# What comes first


def test_the_first_words_are_the_rooms_number(party):
    page = party.ben.page(party.code)
    with party.ben.socket(party.code, page.epoch, page.applied) as live:
        assert live.read_message() == ("head", {"t": "head", "epoch": page.epoch, "seq": party.head})


def test_a_screen_that_has_everything_is_sent_nothing(party):
    page = party.ben.page(party.code)
    with party.ben.socket(party.code, page.epoch, page.applied) as live:
        assert "frame" not in live.kinds_before_clock()


def test_a_screen_that_lacks_something_gets_just_that(party):
    page = party.ben.page(party.code)
    party.cleo.vote(party.code, party.items[2])
    with party.ben.socket(party.code, page.epoch, page.applied) as live:
        frame = live.read_kind("frame")
    assert f'data-from="{page.applied}" data-to="{party.head}"' in frame
    assert f"queue-item-{party.items[2]}" in frame
    page.apply(frame)
    assert not differences(party, page)


@pytest.mark.parametrize("after, epoch", [
    (0, "own"), (3, "feedfeedfeedfeed"), (3, ""), (10**6, "own"), (10**30, "own"), (-5, "own"), ("x", "own"),
])  # fmt: skip
def test_a_position_that_cannot_be_followed_is_answered_with_everything(party, after, epoch):
    page = party.ben.page(party.code)
    with party.ben.socket(party.code, page.epoch if epoch == "own" else epoch, after) as live:
        frame = live.read_kind("frame")
        assert live.read_kind("mine")
    assert f'data-from="0" data-to="{party.head}"' in frame
    assert all(f'id="{piece}"' in frame for piece in ("queue", "people", "playback", "history", "banner"))


def test_a_screen_more_than_two_hundred_behind_is_redrawn(party):
    page = party.ben.page(party.code)
    with other_process(party.house):
        for turn in range(101):
            for value in (1, -1):
                queue.cast_vote(person(party.cleo), party.code, party.items[turn % 3], value)
    assert party.head - page.applied > 200
    with party.ben.socket(party.code, page.epoch, page.applied) as live:
        assert 'data-from="0"' in live.read_kind("frame")


def test_a_screen_may_ask_again_for_what_it_lacks(party):
    page = party.ben.page(party.code)
    start = page.applied
    party.cleo.vote(party.code, party.items[1])
    with party.ben.socket(party.code, page.epoch, party.head) as live:
        live.say(t="sync", epoch=page.epoch, after=start)
        assert f'data-from="{start}"' in live.read_kind("frame")
        live.say(t="sync", epoch="elsewhere", after=start)
        assert 'data-from="0"' in live.read_kind("frame")
        for nonsense in (None, -1, "3", 2.5, [], 10**40):
            live.say(t="sync", epoch=page.epoch, after=nonsense)
            assert 'data-from="0"' in live.read_kind("frame")


def test_a_screen_that_asks_and_lacks_nothing_hears_the_number(party):
    page = party.ben.page(party.code)
    with party.ben.socket(party.code, page.epoch, page.applied) as live:
        live.read_kind("head")
        live.say(t="sync", epoch=page.epoch, after=page.applied)
        assert live.read_kind("head")["seq"] == party.head


# Changes


def test_a_vote_reaches_every_other_screen_which_then_equals_a_fresh_page(party):
    with party.ada.screen(party.code) as ada, party.cleo.screen(party.code) as cleo:
        for screen in (ada, cleo):
            screen.wait_for(lambda shown: state(shown) == "LIVE")
            screen.frames.clear()
        assert party.ben.vote(party.code, party.items[2]).status == 200
        for person, screen in ((party.ada, ada), (party.cleo, cleo)):
            screen.reach(party.head)
            assert screen.shown.pieces["queue"].rows()[0].id == f"queue-item-{party.items[2]}"
            assert not differences(party, screen.shown, person)
            assert len(screen.frames) == 1


def test_the_voters_other_screen_learns_of_its_own_vote(party):
    with party.ben.screen(party.code) as tablet:
        party.ben.vote(party.code, party.items[0], -1)
        tablet.wait_for(lambda shown: shown.pieces["mine"].attrs["data-votes"] == f"{party.items[0]}:-1")


def test_whose_track_is_taken_off_is_told_that_it_is_no_longer_theirs(party):
    party.cleo.add(party.code, party.house.library[5:6])
    with party.cleo.screen(party.code) as cleo, party.ben.socket(party.code) as ben:
        own = cleo.shown.pieces["mine"].attrs["data-items"]
        assert own
        ben.read_kind("mine")
        party.ada.ask("DELETE", f"/rooms/{party.code}/queue/{own}", headers={"HX-Request": "true"})
        cleo.wait_for(lambda shown: not shown.pieces["mine"].attrs["data-items"])
        ben.read_kind("frame")
        assert "mine" not in ben.kinds_before_clock()


def test_changes_made_by_another_process_reach_the_screens_long_before_a_heartbeat(party):
    took: list[float] = []
    with party.ben.screen(party.code) as ben:
        assert ben.take() == "head"
        for value in (1, -1, 1, -1):
            with other_process(party.house):
                queue.cast_vote(person(party.cleo), party.code, party.items[1], value)
            began = time.monotonic()
            ben.frames.clear()
            ben.reach(party.head)
            took.append(time.monotonic() - began)
            assert ben.frames and not differences(party, ben.shown)
    # The look at who is here finds a change too: one of four by chance as soon, the others only with its next turns.
    assert sorted(took)[1] < PEOPLE_LOOK_SECONDS / 2


def test_a_burst_is_told_in_at_most_twenty_frames_a_second(party):
    with party.ada.screen(party.code) as ada, party.cleo.screen(party.code) as cleo:
        began = time.monotonic()
        with other_process(party.house):
            for turn in range(60):
                queue.cast_vote(
                    person(party.ben), party.code, party.items[turn % 3], -1 if turn // 3 % 2 else 1
                )
        for person_, screen in ((party.ada, ada), (party.cleo, cleo)):
            screen.reach(party.head)
            assert not differences(party, screen.shown, person_)
        most = 20 * (time.monotonic() - began) + 2
        assert 1 <= len(ada.frames) <= most and 1 <= len(cleo.frames) <= most


def test_many_people_at_once_leave_every_screen_equal(party):
    screens = [(who, who.screen(party.code)) for who in (party.ada, party.ben, party.cleo)]
    voters = [
        threading.Thread(target=lambda who=who: [who.vote(party.code, item) for item in party.items])
        for who in (party.ada, party.ben, party.cleo)
    ]
    for voter in voters:
        voter.start()
    for voter in voters:
        voter.join()
    for who, screen in screens:
        with screen:
            screen.reach(party.head)
            assert not differences(party, screen.shown, who)


# The clock


def test_clock_questions_are_answered_with_the_servers_time(party):
    with party.ben.socket(party.code) as live:
        for number in (1, 2, 2**52):
            before = time.time() * 1000
            live.say(t="clock", id=number, c=12.5, rtt=30 if number > 1 else None)
            answer = live.read_kind("clock")
            assert (answer["id"], answer["c"]) == (number, 12.5)
            assert before - 1 <= answer["r"] <= answer["s"] <= time.time() * 1000 + 1


# Who may not


def test_a_stranger_without_a_session_is_told_to_sign_in(party):
    party.ben.cookie = "partyline_session=made-up"
    assert party.ben.socket(party.code).read_close() == 4401
    party.ben.cookie = ""
    assert party.ben.socket(party.code).read_close() == 4401


def test_somebody_without_a_seat_is_kept_out(party):
    dan = party.house.person("Dan")
    assert dan.socket(party.code).read_close() == 4403


def test_a_seat_taken_a_moment_ago_counts(party):
    with party.ada.socket(party.code) as ada:
        ada.read_kind("frame")
        dan = party.house.person("Dan")
        dan.join(party.code)
        with dan.socket(party.code) as live:
            assert live.read_kind("frame")


def test_whoever_leaves_is_shut_out_at_once(party):
    with party.cleo.socket(party.code) as tablet, party.ben.socket(party.code) as ben:
        tablet.read_kind("frame")
        ben.read_kind("frame")
        party.cleo.post(f"/rooms/{party.code}/leave")
        assert tablet.read_close() == 4403
        assert ben.read_kind("frame")


def test_no_room_is_told_like_an_ended_one(party):
    assert party.ben.socket("ABCDEFGH").read_close() == 4404
    assert party.ben.socket("nothing-like-a-code").read_close() == 4404


def test_too_many_screens_of_one_person_are_refused_and_the_next_is_let_in(strict):
    ada = strict.person("Ada")
    code = ada.open_room()
    with ada.socket(code) as first, ada.socket(code) as second:
        first.read_kind("frame")
        second.read_kind("frame")
        assert ada.socket(code).read_close() == 4409
        second.close()
        eventually(lambda: opens(ada, code))


def test_whoever_wants_it_here_takes_the_place_of_their_oldest_screen(strict):
    ada = strict.person("Ada")
    code = ada.open_room()
    wanted = f"/rooms/{code}/live?epoch=&after=0&here=1"
    with ada.socket(code) as first, ada.socket(code) as second:
        first.read_kind("frame")
        second.read_kind("frame")
        with LiveSocket(ada.port, wanted, headers={"Cookie": ada.cookie}) as third:
            assert first.read_close() == 4409
            assert third.read_kind("frame")


def test_too_many_sockets_of_a_network_or_at_all_are_refused(strict):
    people = [strict.person(f"Person {number}") for number in range(4)]
    code = people[0].open_room()
    for each in people[1:]:
        each.join(code)
    here = [eventually(lambda who=who: opens(who, code)) for who in (*people[:2], *people[:2])]
    assert people[2].socket(code).read_close() == 1013
    there = [people[number].socket(code, source="127.0.0.2") for number in (2, 3)]
    for live in there:
        assert live.read_kind("frame")
    assert people[3].socket(code, source="127.0.0.3").read_close() == 1013
    assert people[3].ask("GET", f"/rooms/{code}").status == 200
    for live in (*here, *there):
        live.close()


@pytest.mark.parametrize("text", [
    "", "not json", "[]", "3", "null", '"words"', "{}", "{", '{"t":null}', '{"t":"vote","item":1}', '{"t":["clock"]}',
    '{"t":{"t":"clock"}}', "[" * 4000, '{"t":' + "[" * 2000 + "]" * 2000 + "}", '{"t":"clock"}', '{"t":"clock","id":1}',
    '{"t":"clock","id":1,"c":NaN}', '{"t":"clock","id":1,"c":Infinity}', '{"t":"clock","id":1,"c":1e999}',
    '{"t":"clock","id":1,"c":"now"}', '{"t":"clock","id":"1","c":1}', '{"t":"clock","id":null,"c":1}',
    '{"t":"clock","id":' + "9" * 4000 + ',"c":1}', '{"t":"clock","id":' + "9" * 5000 + ',"c":1}',
    '{"t":"clock","id":1,"c":' + "9" * 4000 + "}", '{"t":"clock","id":NaN,"c":1}',
])  # fmt: skip
def test_words_that_make_no_sense_end_the_socket(party, text):
    with party.ben.socket(party.code) as live:
        live.send(text)
        assert live.read_close() == 4400


@pytest.mark.parametrize("trip", [float("nan"), float("inf"), -1, 10**30, "fast", [], {}, True])
def test_a_senseless_round_trip_is_passed_over(party, trip):
    with party.ben.socket(party.code) as live:
        live.send(json.dumps({"t": "clock", "id": 1, "c": 1.0, "rtt": trip}))
        assert live.read_kind("clock")["id"] == 1


def test_the_last_of_a_doubled_key_counts(party):
    with party.ben.socket(party.code) as live:
        live.send('{"t":"vote","t":"clock","id":7,"id":8,"c":1}')
        assert live.read_kind("clock")["id"] == 8


@pytest.mark.parametrize("opcode, data, code", [
    (TEXT, b"\xff\xfe", 1007), (TEXT, b"x" * 9000, 1009), (BINARY, b"{}", 1003),
])  # fmt: skip
def test_bytes_that_are_no_short_text_end_the_socket(party, opcode, data, code):
    with party.ben.socket(party.code) as live:
        live.send_frame(opcode, data)
        assert live.read_close() == code


def test_whoever_talks_without_end_is_sent_away(party):
    with party.ben.socket(party.code) as live:
        live.send_bytes(pack(TEXT, json.dumps({"t": "beat"}).encode()) * 61)
        assert live.read_close() == 4429


# Presence


def test_people_see_who_comes_and_goes_and_tabs_are_one_person(party):
    with party.ada.screen(party.code) as ada:
        ada.wait_for(lambda shown: here(shown) == ["Ada"])
        tabs = [party.cleo.socket(party.code) for _ in range(3)]
        ada.wait_for(lambda shown: here(shown) == ["Ada", "Cleo"])
        tabs.pop().close()
        tabs.pop().reset()
        with party.ben.socket(party.code):
            ada.wait_for(lambda shown: here(shown) == ["Ada", "Ben", "Cleo"])
        tabs.pop().close()
        ada.wait_for(lambda shown: here(shown) == ["Ada"])
        assert party.house.rows("SELECT 1 FROM presence p JOIN member m ON m.id = p.member_id"
                                " JOIN room r ON r.id = m.room_id WHERE r.code = ?", party.code) == [(1,)]  # fmt: skip


# The host


def test_the_hosts_first_screen_makes_the_room_live(party):
    with party.ben.screen(party.code) as ben:
        assert state(ben.shown) == "CREATED"
        with party.ada.socket(party.code):
            ben.wait_for(lambda shown: state(shown) == "LIVE")


def test_grace_begins_five_seconds_after_the_hosts_last_screen_and_ends_the_party(party):
    laptop, phone = party.ada.socket(party.code), party.ada.socket(party.code)
    with party.ben.screen(party.code) as ben:
        ben.wait_for(lambda shown: state(shown) == "LIVE" and here(shown) == ["Ada", "Ben"])
        laptop.close()
        # Had closing one of two tabs begun the five seconds, the other's end would not begin them.
        assert party.cleo.vote(party.code, party.items[0]).status == 200
        assert party.column("host_gone_at") is None
        left_at = time.time() * 1000
        phone.close()
        gone_at = eventually(lambda: party.column("host_gone_at"))
        assert gone_at >= int(left_at)
        ben.wait_for(lambda shown: state(shown) == "GRACE")
        assert time.time() * 1000 >= gone_at + 5_000
        ends_at = gone_at + 5_000 + GRACE_SECONDS * 1000
        assert f'data-until-ms="{ends_at}"' in str(ben.shown.pieces["banner"]).replace("'", '"')
        assert "hidden" not in ben.shown.pieces["banner"].attrs
        assert ben.shown.pieces["playback"].attrs["data-state"] == "playing"
        ben.wait_for(lambda shown: state(shown) == "EXPIRED")
        assert time.time() * 1000 >= ends_at
        assert ben.live.read_close() == 4404
    assert party.ada.socket(party.code).read_close() == 4404
    assert party.cleo.vote(party.code, party.items[0], -1).status == 410


def test_a_host_who_returns_in_time_changes_nothing(party):
    party.ada.socket(party.code).close()
    eventually(lambda: party.column("host_gone_at"))
    with party.ada.screen(party.code) as ada:
        eventually(lambda: party.column("host_gone_at") is None)
        ada.wait_for(lambda shown: state(shown) == "LIVE")
    assert party.house.rows("SELECT kind FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ?"
                            " AND kind IN ('host_lost', 'host_returned')", party.code) == []  # fmt: skip


# Leaving


def test_a_restart_is_told_to_every_screen(tmp_path):
    with running(tmp_path) as house:
        ada = house.person("Ada")
        code = ada.open_room()
        live = [ada.socket(code) for _ in range(20)]
        for each in live:
            each.read_kind("frame")
        process = house.web
        process.send_signal(signal.SIGTERM)
        assert [each.read_close() for each in live] == [1012] * 20
        for each in live:
            each.sock.close()
        assert process.wait(STOP_SECONDS) == 0
        house.web = None
        assert "Traceback" not in house.said(), house.said()


# Helpers


class other_process:
    """The tables as another process on the same database has them."""

    def __init__(self, house: House) -> None:
        self.path: Path = house.database

    def __enter__(self) -> None:
        self.before = models.database.obj
        self.handle = models.open_database("", str(self.path))
        self.handle.connect()

    def __exit__(self, *failure: object) -> None:
        self.handle.close_all()
        models.database.initialize(self.before)


def person(guest: Guest) -> Person:
    """The same person for the rules."""
    token = guest.cookie.partition("=")[2]
    from party import people

    return Person(people.signed_in(token).user_id)


def differences(party: Party, shown, who: Guest | None = None) -> dict[str, object]:
    """What a fresh page of the same person shows otherwise; presence comes and goes by itself."""
    found = shown.differences((who or party.ben).page(party.code))
    found.pop("people", None)
    return found


def here(shown) -> list[str]:
    """Names of the people who are shown as being here, in order of name."""
    rows = [node for node in shown.pieces["people"].all() if "is-here" in (node.attrs.get("class") or "")]
    names = [next(node for node in row.all() if node.tag == "bdi") for row in rows]
    return sorted(str(name.children[0]) for name in names)


def state(shown) -> str | None:
    return shown.pieces["status"].attrs["data-state"]


def opens(guest: Guest, code: str) -> LiveSocket | None:
    """An open socket, or None where it was refused."""
    live = guest.socket(code)
    kind = live.read_frame()
    return live if kind.opcode == TEXT else None
