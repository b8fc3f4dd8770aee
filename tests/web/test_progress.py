"""Where somebody stopped, by URL: saved by the page, shown in the room and on My rooms, forgotten by a button."""

from __future__ import annotations

from models import Item, Member, Progress, Room
from tests.conftest import MovableClock
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.stage import Cast


def test_a_page_saves_how_far_its_player_got_and_nobody_else_is_told(cast: Cast, cleo: Browser) -> None:
    [item] = cast.add(1)
    seq = cast.room().seq
    answer = cleo.post(f"/rooms/{cast.code}/progress", item=item, position_ms=42_000)
    assert (answer.status_code, answer.text) == (204, "")
    assert [row.position_ms for row in Progress.select()] == [42_000]
    assert cast.room().seq == seq


def test_a_place_that_is_none_is_a_sentence(cast: Cast, cleo: Browser) -> None:
    [item] = cast.add(1)
    for fields, status in (
        ({"item": item}, 422),
        ({"item": item, "position_ms": "soon"}, 422),
        ({"item": item, "position_ms": -5}, 422),
        ({"position_ms": 5}, 422),
        ({"item": 999, "position_ms": 5}, 404),
    ):
        assert cleo.post(f"/rooms/{cast.code}/progress", **fields).status_code == status, fields
    assert not Progress.select().exists()


def test_a_stranger_saves_nothing(cast: Cast, dan: Browser, nobody: Browser) -> None:
    [item] = cast.add(1)
    assert dan.post(f"/rooms/{cast.code}/progress", item=item, position_ms=5).status_code == 403
    assert nobody.post(f"/rooms/{cast.code}/progress", item=item, position_ms=5).status_code in (401, 403)
    assert not Progress.select().exists()


def test_a_page_asks_where_its_person_stopped_with_what_has_just_come_on(
    cast: Cast, cleo: Browser, ben: Browser, dan: Browser
) -> None:
    first, second = cast.add(2)
    address = f"/rooms/{cast.code}/progress"
    cleo.post(address, item=first, position_ms=42_000)
    cleo.post(address, item=second, position_ms=99_000)
    before = every_row()
    answer = cleo.get(f"{address}?item={first}")
    assert (answer.status_code, answer.json) == (200, {"position_ms": 42_000})
    assert "no-store" in answer.headers["Cache-Control"]
    for who, item in ((ben, first), (cleo, second)):
        answer = who.get(f"{address}?item={item}")
        assert (answer.status_code, answer.text) == (204, ""), "not begun, or heard to its end"
    for who, item, status in (
        (dan, first, 403),
        (cleo, 999, 404),
        (cleo, 0, 422),
        (cleo, "x", 422),
        (cleo, "", 422),
    ):
        assert who.get(f"{address}?item={item}").status_code == status, item
    assert every_row() == before


def test_what_was_begun_is_on_my_rooms_and_in_the_room_until_it_is_forgotten(
    cast: Cast, cleo: Browser, ben: Browser
) -> None:
    items = cast.add(2)
    track = Item.get_by_id(items[1]).track
    cleo.post(f"/rooms/{cast.code}/progress", item=items[1], position_ms=42_000)
    assert "Continue where you stopped" not in words(cleo.get(f"/rooms/{cast.code}")), "it is in line"
    Item.update(state="played").where(Item.id == items[1]).execute()
    for path in ("/my-rooms", f"/rooms/{cast.code}"):
        page = cleo.get(path)
        assert "Continue where you stopped" in words(page) and "0:42 of 1:40" in words(page), path
        assert tree(page).find(f"begun-{cast.room().spoken_code}-{track.id}") is not None
        assert "Continue where you stopped" not in words(ben.get(path)), "this is Cleo's alone"
    assert cleo.post(f"/rooms/{cast.code}/progress/{track.id}/removal").status_code == 303
    assert "Continue where you stopped" not in words(cleo.get("/my-rooms"))


def test_whoever_left_a_room_is_not_led_back_into_it(cast: Cast, cleo: Browser) -> None:
    [item] = cast.add(1)
    cleo.post(f"/rooms/{cast.code}/progress", item=item, position_ms=42_000)
    Member.update(left_at=1).where(Member.id == cast.members["cleo"]).execute()
    assert "Continue where you stopped" not in words(cleo.get("/my-rooms"))


def test_the_memory_of_a_room_says_where_a_new_one_goes_on(
    cast: Cast, time: MovableClock, ada: Browser, cleo: Browser
) -> None:
    cast.add(2)
    time.move(62)
    ada.post(f"/rooms/{cast.code}/end")
    said = "A new room can go on where this one stopped, paused at 1:01, with 1 track still waiting"
    assert said in words(ada.get(f"/rooms/{cast.code}"))
    assert "can go on" not in words(cleo.get(f"/rooms/{cast.code}"))
    assert ada.post(f"/rooms/{cast.code}/again").status_code == 303
    new = Room.get(Room.continues == cast.room())
    stage = tree(ada.get(f"/rooms/{new.code}")).find("playback")
    assert stage is not None
    assert (stage.attrs["data-state"], stage.attrs["data-position-ms"]) == ("paused", "61700")
