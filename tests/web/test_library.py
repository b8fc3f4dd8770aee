"""The library's page and its pieces."""

from __future__ import annotations

import pytest

from tests import stage
from tests.doors import Browser, tree, words
from tests.screen import Node, parse
from tests.stage import Cast


def offered(top: Node) -> list[Node]:
    """The buttons that put a track on the line."""
    buttons = [node for node in top.all() if node.attrs.get("name") == "track_id"]
    return [button for button in buttons if not {"hidden", "disabled"} & set(button.attrs)]


def test_the_library_is_a_page_of_its_own(cast: Cast, nobody: Browser) -> None:
    page = nobody.get("/library")
    assert page.status_code == 200
    assert "12 tracks in the library" in words(page)
    assert offered(tree(page)) == []


def test_from_a_room_its_rows_can_be_added_without_scripts(cast: Cast, cleo: Browser) -> None:
    cast.add(2)
    page = cleo.get("/library", room=cast.code)
    buttons = offered(tree(page))
    assert {button.attrs["value"] for button in buttons} == {
        str(t) for t in cast.tracks if t != cast.tracks[1]
    }
    assert "In line, 1st" in words(page)
    form = tree(page).find(buttons[0].attrs["form"])
    assert (form.attrs["action"], form.attrs["method"]) == (f"/rooms/{cast.code}/queue", "post")


def test_our_scripts_get_the_results_alone(cast: Cast, app) -> None:
    browser = Browser(app, cast.cleo, htmx=True)
    top = parse(browser.get("/library", search="song 11", room=cast.code).text)
    assert [child.id for child in top.children] == ["library"]
    assert [button.attrs["value"] for button in offered(top)] == [str(cast.tracks[11])]


def test_more_keeps_the_search_and_leads_to_every_track(cast: Cast, nobody: Browser) -> None:
    stage.library(45)
    titles: list[str] = []
    address = "/library?search=song&genre=&ordering=newest"
    for _ in range(3):
        top = tree(nobody.get(address))
        titles += [" ".join(n.children) for n in top.all() if n.attrs.get("class") == "result__title"]
        more = top.find("more")
        address = more.attrs["href"] if more else ""
    assert len(titles) == len(set(titles)) == 45
    assert address == ""


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"page": "0"}, 422),
        ({"page": "-1"}, 422),
        ({"page": "x"}, 422),
        ({"page": ""}, 422),
        ({"page": "٣"}, 422),
        ({"page": "9" * 30}, 422),
        ({"ordering": "chaos"}, 422),
        ({"ordering": ""}, 422),
        ({"room": "ABCDEFGH"}, 404),
        ({"room": "\x00"}, 404),
        ({"page": "999"}, 200),
        ({"search": "\x00"}, 200),
        ({"search": "%_\\'\""}, 200),
        ({"search": "x" * 5_000}, 200),
        ({"genre": "\x00"}, 200),
        ({"genre": "<script>"}, 200),
    ],
)
def test_odd_questions_get_an_answer_or_a_sentence(
    cast: Cast, app, query: dict[str, str], status: int
) -> None:
    for htmx in (True, False):
        answer = Browser(app, cast.cleo, htmx=htmx).get("/library", **query)
        assert answer.status_code == status
        assert "<script>" not in answer.text
        assert len(words(answer)) > 10
