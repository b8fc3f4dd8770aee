"""The list on the front page and its parts, pictures and previews of links, opening a room for all."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Flask, render_template
from PIL import Image

from models import Room, Track
from party import discovery, people, rooms
from tests.doors import Browser, tree, words
from tests.stage import Cast
from web import discovery as door


@pytest.fixture
def listed(app: Flask, cast: Cast, time) -> Iterator[str]:
    """Ada's room, open to strangers, with Cleo listening to a song."""
    door._pictures.clear()
    cast.add(2)
    Room.update(visibility="public", state="LIVE").where(Room.code == cast.code).execute()
    people.screen_opened(cast.members["cleo"], "web")
    time.move(1)
    yield cast.code
    door._pictures.clear()


def more_rooms(cast: Cast, count: int) -> None:
    """That many listed rooms beside Ada's."""
    for number in range(count):
        code = rooms.open_room(cast.dan, f"Place {number}", 300, "public")
        Room.update(state="LIVE", created_at=Room.created_at + number).where(Room.code == code).execute()


def names(answer) -> list[str]:
    return [str(node.children[0]) for node in tree(answer).all() if node.id.startswith("room-link-")]


def test_the_front_page_lists_open_rooms_to_whoever_comes(listed: str, nobody: Browser, cast: Cast) -> None:
    page = nobody.get("/")
    said = words(page)
    assert names(page) == ["Friday"]
    for part in ("1 person in 1 room", "Song 0", "Artist 0", "Hosted by Ada", "rock", "listening", "in line"):
        assert part in " ".join(said.split()), part
    assert page.headers["Cache-Control"] == "no-store"


def test_an_empty_list_says_so(nobody: Browser, time) -> None:
    assert "Nobody has put their room on this page just now" in words(nobody.get("/"))


def test_searching_works_without_script_and_keeps_what_was_typed(listed: str, nobody: Browser) -> None:
    page = nobody.get("/", search="FRÍDAY", sort="newest")
    assert names(page) == ["Friday"]
    field = tree(page).find("find-text")
    assert field is not None and field.attrs["value"] == "FRÍDAY"
    assert names(nobody.get("/", search="elsewhere")) == []
    assert "No open room by that name" in words(nobody.get("/", search="elsewhere"))


def test_a_page_holds_twenty_four_and_more_follow(listed: str, nobody: Browser, cast: Cast, time) -> None:
    more_rooms(cast, 30)
    time.move(1)
    first = nobody.get("/", sort="newest")
    link = tree(first).find("more-rooms")
    assert len(names(first)) == 24 and link is not None
    second = nobody.get(str(link.attrs["href"]).replace("#rooms", ""))
    found = names(first) + names(second)
    assert len(found) == len(set(found)) == 31
    script = Browser(nobody.client.application, htmx=True)
    assert names(script.get(str(link.attrs["hx-get"]))) == names(second)


@pytest.mark.parametrize("query", ["sort=loudest", "cursor=nonsense"])
def test_what_is_no_order_and_no_place_is_refused(listed: str, nobody: Browser, query: str) -> None:
    assert nobody.get(f"/?{query}").status_code == 422


def test_a_script_gets_the_list_alone_and_a_browser_the_page(
    listed: str, app: Flask, nobody: Browser
) -> None:
    piece = Browser(app, htmx=True).get("/discover", search="friday")
    assert tree(piece).find("room-cards") and not tree(piece).find("main")
    page = nobody.get("/discover?search=friday")
    assert (page.status_code, page.headers["Location"]) == (302, "/?search=friday")


def test_a_page_without_a_socket_asks_for_the_cards_it_shows(
    listed: str, app: Flask, cast: Cast, time
) -> None:
    script = Browser(app, htmx=True)
    html = script.get("/discover", shown=f"{listed},ABCDEFGH,<b>,{listed}").get_data(as_text=True)
    assert html.count(f'id="room-card-{listed}"') == 1 and 'id="rooms-sum"' in html
    assert html.count("has left the list") == 1 and "&lt;b" not in html and "<b>," not in html
    Room.update(visibility="private").where(Room.code == listed).execute()
    time.move(1)
    unknown = script.get("/discover", shown="ABCDEFGH").get_data()
    assert script.get("/discover", shown=listed).get_data() == unknown.replace(b"ABCDEFGH", listed.encode())


def test_names_of_people_stay_text(listed: str, nobody: Browser, cast: Cast, time) -> None:
    evil = "<img src=x onerror=alert(1)>"
    Room.update(name=evil).execute()
    Track.update(title=evil, artist=evil, genre=evil).execute()
    discovery._moods.clear()
    people.rename(cast.ada, evil)
    time.move(1)
    page = nobody.get("/")
    assert names(page) == [evil]
    assert not [node for node in tree(page).all() if "onerror" in node.attrs]


# Opening


@pytest.mark.parametrize(
    ("form", "visibility"),
    [({}, "unlisted"), ({"public": "yes"}, "public"), ({"public": "private"}, "unlisted")],
)
def test_a_room_is_listed_only_when_its_host_says_so(
    dan: Browser, form: dict[str, str], visibility: str
) -> None:
    code = dan.post("/rooms", name="Mine", visibility="private", **form).headers["Location"].rsplit("/", 1)[1]
    assert Room.get(Room.code == code).visibility == visibility


# Pictures and previews


def test_a_listed_room_has_a_picture(listed: str, nobody: Browser) -> None:
    answer = nobody.get(f"/rooms/{listed}/card.png")
    assert answer.mimetype == "image/png"
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = nobody.get(f"/rooms/{listed}/card.png", {"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_picture_is_drawn_once_a_minute_however_often_people_come_and_go(
    listed: str, nobody: Browser, cast: Cast, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(door.cards, "draw", lambda what: drawn.append(what) or b"picture")
    for act in (people.screen_opened, people.screens_closed) * 2:
        act(cast.members["ben"], "web")
        time.move(1)
        nobody.get(f"/rooms/{listed}/card.png")
    assert len(drawn) == 1
    monkeypatch.setattr(door, "PICTURE_SECONDS", 0.0)
    for name in ("ada", "ben"):
        people.screen_opened(cast.members[name], "web")
    time.move(1)
    nobody.get(f"/rooms/{listed}/card.png")
    assert [what.people for what in drawn] == [2, 3]


@pytest.mark.parametrize(
    "values", [{"visibility": "unlisted"}, {"visibility": "private"}, {"state": "EXPIRED"}]
)
def test_of_any_other_room_there_is_no_picture_not_even_for_its_host(
    listed: str, ada: Browser, nobody: Browser, values: dict[str, str]
) -> None:
    nobody.get(f"/rooms/{listed}/card.png")
    Room.update(values).where(Room.code == listed).execute()
    if "state" in values:
        discovery.look()
    unknown = nobody.get("/rooms/ABCDEFGH/card.png")
    assert unknown.status_code == 404
    for browser in (ada, nobody):
        answer = browser.get(f"/rooms/{listed}/card.png")
        assert (answer.status_code, answer.data) == (404, unknown.data)


def test_a_link_to_a_listed_room_previews_it_and_any_other_says_nothing(listed: str, app: Flask) -> None:
    with app.test_request_context():

        def shown(card: object) -> str:
            return render_template("layouts/preview.html", preview=card, origin="https://party.example")

        html = shown(discovery.card_of(listed))
        assert f'content="https://party.example/rooms/{listed}/card.png"' in html
        assert "On now: Song 0 by Artist 0. 1 person listening with Ada." in html
        assert shown(None).split() == render_template("layouts/site_card.html").split()
