"""Rooms: their names, their codes and how people type them."""

from __future__ import annotations

import pytest

from models import Member, Playback, Room
from party import people, rooms
from party.change import Person
from party.errors import Invalid, NotFound, NotKnown
from party.snapshot import take
from tests.stage import Cast


def test_an_opened_room_waits_for_its_host(cast: Cast) -> None:
    code = rooms.open_room(cast.dan, "  Saturday \n night ", 120)
    room = Room.get(Room.code == code)
    assert (room.name, room.state, room.seq, room.grace_seconds) == ("Saturday night", "CREATED", 1, 120)
    assert Member.get(Member.room == room).role == "host"
    assert Playback.get_by_id(room.id).state == "idle"
    assert take(code).host.name == "Dan"


def test_codes_are_eight_of_thirty_one_signs_without_look_alikes(cast: Cast) -> None:
    assert len(set(rooms.ALPHABET)) == 31
    assert not set(rooms.ALPHABET) & set("IL1O0")
    codes = {rooms.open_room(cast.dan, "Room", 300) for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 8 and set(code) <= set(rooms.ALPHABET) for code in codes)


def test_every_sign_is_drawn(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        rooms.secrets, "choice", lambda signs: drawn.append(signs) or signs[len(drawn) % len(signs)]
    )
    rooms.open_room(cast.dan, "Room", 300)
    assert set(drawn) == {rooms.ALPHABET}


def test_a_taken_code_is_not_given_twice(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:
    signs = iter(cast.code + "ZZZZ2222")
    monkeypatch.setattr(rooms.secrets, "choice", lambda _: next(signs))
    assert rooms.open_room(cast.dan, "Room", 300) == "ZZZZ2222"


@pytest.mark.parametrize(
    "typed",
    [
        "K7QM4TXD",
        "k7qm4txd",
        " K7QM 4TXD ",
        "k7qm-4txd",
        "K7QM–4TXD",
        "K 7 Q M 4 T X D",
        "Ｋ７ＱＭ４ＴＸＤ",
        "\tK7QM4TXD\n",
    ],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert rooms.readings(typed) == ["K7QM4TXD"]


def test_look_alikes_are_forgiven(cast: Cast) -> None:
    Room.update(code="QDJ7ABCD").where(Room.code == cast.code).execute()
    for typed in ("QDJ7ABCD", "00J7ABCD", "qo17abcd", "ODL7ABCD", "QDI7-ABC0"):
        found = rooms.find(typed)
        assert found is not None and found.code == "QDJ7ABCD", typed


def test_a_code_that_could_be_two_rooms_is_neither(cast: Cast) -> None:
    Room.update(code="QAAAAAAA").where(Room.code == cast.code).execute()
    other = rooms.open_room(cast.dan, "Other", 300)
    Room.update(code="DAAAAAAA").where(Room.code == other).execute()
    assert rooms.find("0AAAAAAA") is None
    assert rooms.find("QAAAAAAA").code == "QAAAAAAA"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ABC",
        "ABCDEFGHJ",
        "ABCDEFG!",
        "ABCD EFG",
        "' OR 1=1",
        "%%%%%%%%",
        "00000000",
        "ÄBCDEFGH",
        "A" * 10_000,
        "\0" * 8,
    ],
)
def test_what_is_no_code_finds_nothing(cast: Cast, typed: str) -> None:
    assert rooms.find(typed) is None


def test_a_code_nobody_has_finds_nothing(cast: Cast) -> None:
    assert rooms.readings("ABCDEFGH") == ["ABCDEFGH"]
    assert rooms.find("ABCDEFGH") is None
    with pytest.raises(NotFound, match="No room answers"):
        take("ABCDEFGH")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Cafe\u0301", "Café"),
        ("a\u0000b", "a b"),
        ("\u202eFriday\u200b", "Friday"),
        ("金曜日", "金曜日"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_rooms_name_is_kept_on_one_line_in_one_form(typed: str, kept: str) -> None:
    assert rooms.clean_room_name(typed) == kept
    assert rooms.clean_room_name(kept) == kept


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\n\0", "x" * 61])
def test_no_name_and_too_long_a_name_open_no_room(cast: Cast, typed: str) -> None:
    with pytest.raises(Invalid):
        rooms.open_room(cast.dan, typed, 300)
    assert Room.select().count() == 1


def test_nobody_in_particular_opens_no_room(cast: Cast) -> None:
    with pytest.raises(NotKnown):
        rooms.open_room(Person(999), "Room", 300)
    assert Room.select().count() == 1


def test_my_rooms_are_those_i_sit_in_and_that_go_on(cast: Cast, time) -> None:
    mine = rooms.open_room(cast.cleo, "Mine", 300)
    assert [room.code for room in rooms.open_rooms_of(cast.cleo.user_id)] == [mine, cast.code]
    people.leave(cast.cleo, cast.code)
    assert [room.code for room in rooms.open_rooms_of(cast.cleo.user_id)] == [mine]
    Room.update(state="GRACE", host_grace_until=time.now_ms).where(Room.code == mine).execute()
    assert rooms.open_rooms_of(cast.cleo.user_id) == []
    for number in range(12):
        rooms.open_room(cast.dan, f"Room {number}", 300)
    assert len(rooms.open_rooms_of(cast.dan.user_id)) == 10
