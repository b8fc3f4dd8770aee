"""A room's page, what changed on it, leaving it, and how its line is ordered."""

from __future__ import annotations

import pytest

import fragments
import stale
from models import Member, Room
from party import hosting, people, playback, queue, snapshot
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.screen import PIECES, Screen, parse
from tests.stage import Cast
from web.rooms import Picture, picture


@pytest.mark.parametrize(
    ("who", "role"), [("ada", "host"), ("ben", "cohost"), ("cleo", "guest"), ("dan", "guest")]
)
def test_a_page_is_its_fragments_and_the_number_they_are_true_for(
    cast: Cast, app, who: str, role: str
) -> None:
    cast.add(4)
    queue.cast_vote(cast.cleo, cast.code, cast.line()[1], 1)
    playback.skip(cast.ada, cast.code)
    page = Browser(app, getattr(cast, who)).get(f"/rooms/{cast.code}")
    assert page.status_code == 200
    room, screen = snapshot.take(cast.code), Screen(page.text.removeprefix("<!doctype html>"))
    assert (screen.applied, screen.epoch) == (room.seq, room.epoch)
    for name in stale.PIECES:
        html = fragments.piece(room, role, name, oob="")
        piece = name.replace("_", "-")
        assert screen.shows(piece) == str(parse(html).find(piece)), piece
    share = fragments.mine(cast.code, getattr(cast, who).user_id, oob="")
    assert screen.shows("mine") == str(parse(share).find("mine"))


def test_every_piece_stands_on_the_page_once(cast: Cast, ada: Browser) -> None:
    cast.add(3)
    ids = [node.id for node in tree(ada.get(f"/rooms/{cast.code}")).all() if node.id]
    assert len(ids) == len(set(ids))
    assert {*PIECES, "frame", "mine", "notice", "media", "live"} <= set(ids)


def test_what_plays_stands_outside_everything_that_is_swapped(cast: Cast, ada: Browser) -> None:
    top = tree(ada.get(f"/rooms/{cast.code}"))
    for piece in PIECES:
        assert top.find(piece).find("media") is None


def test_somebody_without_a_name_is_asked_and_sees_no_controls(cast: Cast, nobody: Browser) -> None:
    cast.add(2)
    before = every_row()
    page = nobody.get(f"/rooms/{cast.code}")
    top = tree(page)
    assert page.status_code == 200
    assert top.find("hello").tag == "dialog"
    assert top.find("frame") is None and top.find("mine") is None
    assert every_row() == before
    answer = nobody.post("/guest", display_name="Eve", next=f"/rooms/{cast.code}")
    assert tree(nobody.get(answer.location)).find("hello") is None
    assert Member.select().count() == 4


def test_opening_the_page_takes_a_seat_and_opening_it_again_takes_no_other(cast: Cast, dan: Browser) -> None:
    before = cast.room().seq
    for _ in range(3):
        dan.get(f"/rooms/{cast.code}")
    assert cast.kinds(before) == ["person_joined"]


def test_a_code_in_any_form_leads_to_the_one_address(cast: Cast, dan: Browser) -> None:
    # A code that chance made of digits alone has no other case.
    Room.update(code="K7QM4TXD").where(Room.code == cast.code).execute()
    for typed in ("k7qm4txd", "K7QM-4TXD", "K7QM%204TXD"):
        answer = dan.get(f"/rooms/{typed}")
        assert (answer.status_code, answer.location) == (302, "/rooms/K7QM4TXD")
        assert dan.get(f"/rooms/{typed}?tab=player").location == "/rooms/K7QM4TXD?tab=player"
        assert dan.get(f"/rooms/{typed}?tab=nonsense").location == "/rooms/K7QM4TXD"


@pytest.mark.parametrize("typed", ["ABCDEFGH", "nothing", "%00", "%ff%fe", "a" * 3_000, "<script>"])
def test_no_room_answers_with_a_friendly_page(cast: Cast, dan: Browser, typed: str) -> None:
    answer = dan.get(f"/rooms/{typed}")
    assert answer.status_code == 404
    assert "No room answers to that code" in words(answer)
    assert tree(answer).find("join-code") is not None
    assert "<script>" not in answer.text


@pytest.mark.parametrize("is_written", [True, False])
def test_an_ended_room_is_a_memory_nothing_can_be_done_with(
    cast: Cast, time, dan: Browser, is_written: bool
) -> None:
    cast.add(2)
    playback.skip(cast.ada, cast.code)
    people.screen_opened(cast.members["ada"], "web")
    hosting.screen_arrived(cast.ada, cast.code)
    people.screens_closed(cast.members["ada"], "web")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(305)
    if is_written:
        hosting.keep_promises(cast.code)
    for browser in (dan, Browser(dan.client.application, cast.ada)):
        page = browser.get(f"/rooms/{cast.code}")
        assert page.status_code == 200
        assert "This party is over" in words(page)
        forms = {form.attrs["action"] for form in tree(page).all() if form.tag == "form"}
        # Whoever opened it may start again with what was left, or delete it; the party itself is untouchable.
        again = {f"/rooms/{cast.code}/again", f"/rooms/{cast.code}/deletion"}
        assert forms == {"/theme"} | (again if browser is not dan else set())
        # What was on when it ended was played too.
        assert "2 tracks by 1 person" in words(page)
    assert Member.select().count() == 3


def test_the_tab_of_a_phone_is_kept_in_the_address(cast: Cast, ada: Browser) -> None:
    for tab, shown in (("player", "player"), ("people", "people"), ("nonsense", "line"), ("", "line")):
        assert f'data-tab="{shown}" data-room' in ada.get(f"/rooms/{cast.code}", tab=tab).text


def test_what_changed_is_told_to_a_screen_without_a_socket(cast: Cast, app) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    cast.add(2)
    screen = Screen(cleo.get(f"/rooms/{cast.code}").text.removeprefix("<!doctype html>"))
    queue.cast_vote(cast.ben, cast.code, cast.line()[0], 1)
    position = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
    answer = cleo.get(f"/rooms/{cast.code}/changes", headers=position)
    assert screen.apply(answer.text) == "applied"
    assert screen.applied == cast.room().seq
    assert Browser(app).get(f"/rooms/{cast.code}/changes").status_code == 401


def test_leaving_gives_up_the_seat_and_the_front_page_follows(cast: Cast, cleo: Browser) -> None:
    answer = cleo.post(f"/rooms/{cast.code}/leave")
    assert (answer.status_code, answer.location) == (303, "/")
    assert Member.get_by_id(cast.members["cleo"]).left_at is not None
    assert cleo.post(f"/rooms/{cast.code}/leave").status_code == 403
    assert cast.code not in cleo.get("/").text
    cleo.get(f"/rooms/{cast.code}")
    assert Member.get_by_id(cast.members["cleo"]).left_at is None


def test_the_host_chooses_how_the_line_is_ordered(cast: Cast, ada: Browser, cleo: Browser) -> None:
    answer = ada.post(f"/rooms/{cast.code}/mode", mode="hand")
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert cast.room().mode == "hand"
    assert cleo.post(f"/rooms/{cast.code}/mode", mode="charts").status_code == 403
    for mode in ("chaos", "", "HAND"):
        assert ada.post(f"/rooms/{cast.code}/mode", mode=mode).status_code == 422
    assert cast.room().mode == "hand"


def test_the_invitation_is_an_address_and_a_picture_of_it(cast: Cast, ada: Browser) -> None:
    page = tree(ada.get(f"/rooms/{cast.code}"))
    addresses = [
        node.attrs["data-copy"] for node in page.all() if "/rooms/" in (node.attrs.get("data-copy") or "")
    ]
    assert addresses == [f"/rooms/{cast.code}"]
    # The page makes it whole with the origin it was given, which is where others reach us.
    [body] = [node for node in page.all() if node.tag == "body"]
    assert body.attrs["data-origin"].startswith("http://")
    picture_of_it = ada.get(f"/rooms/{cast.code}/qr.svg")
    assert picture_of_it.mimetype == "image/svg+xml" and "<path" in picture_of_it.text
    assert ada.get("/rooms/ABCDEFGH/qr.svg").status_code == 200, (
        "a picture tells nobody whether a room answers"
    )


def test_an_address_too_long_for_a_picture_has_a_blank_one() -> None:
    assert picture("http://localhost/rooms/ABCDEFGH").size == 29
    assert picture(f"http://{'a' * 4_000}/rooms/ABCDEFGH") == Picture(0, "")


def test_a_page_asks_the_database_the_same_for_any_room(cast: Cast, ada: Browser) -> None:
    Room.update(name="R" * 60).execute()
    assert "R" * 60 in ada.get(f"/rooms/{cast.code}").text
