"""Links by URL: pasted, tried again, how long, and the frames of other sites; with scripts and without."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask

from config import settings
from models import Item, Room, Suggestion, Track
from party import adding, configuring, lookups, playback, work
from tests.doors import Browser, make_app, tree, words
from tests.ledger import every_row
from tests.screen import Node
from tests.stage import Cast

ID = "dQw4w9WgXcQ"
LINK = f"https://youtu.be/{ID}?si=abc"
FILMS = {"films": ("https://films.example/movie/{id}", "https://films.example/tv/{id}/{season}/{episode}")}


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    given: list[int] = []
    monkeypatch.setitem(work.carriers, "look_up", given.append)
    return given


def row(app: Flask, cast: Cast, who: str = "cleo") -> Node:
    """The first row of the line as this person's page has it."""
    page = tree(Browser(app, getattr(cast, who)).get(f"/rooms/{cast.code}"))
    return next(node for node in page.all() if (node.id or "").startswith("queue-item-"))


def text(node: Node) -> str:
    return " ".join(each if isinstance(each, str) else text(each) for each in node.children)


def ids(node: Node) -> set[str]:
    return {each.id for each in node.all() if each.id}


def test_a_pasted_link_is_a_row_at_once(cast: Cast, app: Flask, handed: list[int]) -> None:
    answer = Browser(app, cast.cleo, htmx=True).post(f"/rooms/{cast.code}/links", link=LINK)
    assert answer.status_code == 200 and "Looking it up…" in answer.get_data(as_text=True)
    assert handed == [Track.get(Track.slug == f"youtube-{ID}").id]
    found = row(app, cast)
    assert "is-pending" in found.attrs["class"] and "track--next" not in found.attrs["class"]
    assert "A video on YouTube" in text(found) and "0:00" not in text(found)
    assert not [node for node in found.all() if node.tag == "img"], "there is no cover yet"


@pytest.mark.parametrize("name", ["link", "search"])
def test_a_plain_form_is_led_back_to_the_room(cast: Cast, app: Flask, name: str) -> None:
    answer = Browser(app, cast.cleo).post(f"/rooms/{cast.code}/links", **{name: LINK, "room": cast.code})
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert Item.select().count() == 1


def test_the_page_has_a_way_to_paste_with_scripts_and_without(cast: Cast, app: Flask) -> None:
    page = tree(Browser(app, cast.cleo).get(f"/rooms/{cast.code}"))
    form = next(node for node in page.all() if node.id == "add-link")
    assert form.attrs["action"] == form.attrs["hx-post"] == f"/rooms/{cast.code}/links"
    button = next(node for node in page.all() if "formaction" in node.attrs)
    assert (button.attrs["formaction"], button.attrs["formmethod"]) == (f"/rooms/{cast.code}/links", "post")
    field = next(node for node in page.all() if node.id == "search")
    assert field.attrs["placeholder"] == field.attrs["aria-label"] == "Search, or paste a link"
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    page = tree(Browser(app, cast.cleo).get(f"/rooms/{cast.code}"))
    assert (
        next(node for node in page.all() if node.id == "search").attrs["placeholder"] == "Search the library"
    )
    assert not [node for node in page.all() if "formaction" in node.attrs]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Paste a link first."),
        ("   ", "Paste a link first."),
        ("slow dance", "That link won’t play here."),
        (ID, "That link won’t play here."),
        (
            "https://www.youtube.com/playlist?list=PL123",
            "That link is a whole playlist. Paste the link of one video.",
        ),
        ("https://vimeo.com/somebody", "There is no video in that Vimeo link."),
        ("javascript:alert(1)", "That link won’t play here."),
        ("<script>alert(1)</script>", "That link won’t play here."),
        ("films:movie:603", "That link won’t play here."),
    ],
)
def test_what_is_no_link_of_ours_is_refused_in_a_sentence(
    cast: Cast, app: Flask, handed: list[int], typed: str, sentence: str
) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    before = every_row()
    answer = cleo.post(f"/rooms/{cast.code}/links", link=typed)
    assert (
        answer.status_code == 422
        and sentence in words(answer)
        and "<script>" not in answer.get_data(as_text=True)
    )
    assert every_row() == before
    assert handed == []


def test_a_guest_whose_links_wait_for_the_host_is_told(cast: Cast, app: Flask) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    answer = Browser(app, cast.cleo, htmx=True).post(f"/rooms/{cast.code}/links", link=LINK)
    assert "The host will let your track onto the line" in words(answer)
    assert Suggestion.select().count() == 1 and Item.select().count() == 0
    tray = words(Browser(app, cast.ada).get(f"/rooms/{cast.code}"))
    assert "wants to add · looking it up…" in tray


def test_a_stranger_of_a_private_room_learns_nothing(cast: Cast, app: Flask, handed: list[int]) -> None:
    Room.update(visibility="private").where(Room.code == cast.code).execute()
    dan = Browser(app, cast.dan)
    for path in ("links", "length", "queue/1/lookup"):
        there = dan.post(f"/rooms/{cast.code}/{path}", link=LINK, item="1", duration_ms="90000")
        nowhere = dan.post(f"/rooms/ABCDEFGH/{path}", link=LINK, item="1", duration_ms="90000")
        assert there.status_code == nowhere.status_code == 404 and there.get_data() == nowhere.get_data()
    assert dan.get(f"/rooms/{cast.code}/embed/1").get_data() == dan.get("/rooms/ABCDEFGH/embed/1").get_data()
    assert handed == []


# --- broken ----------------------------------------------------------------------------------------------------------


def broken(cast: Cast, sentence: str = "That video is private.") -> int:
    added = adding.add_link(
        cast.cleo, cast.code, provider="youtube", key=ID, reference=ID, player="youtube", title="A video on YouTube"
    )  # fmt: skip
    lookups.give_up(Item.get_by_id(added.item_id).track_id, sentence)
    return int(added.item_id or 0)


def test_a_broken_row_says_why_and_can_be_tried_again(cast: Cast, app: Flask, handed: list[int]) -> None:
    item_id = broken(cast)
    for who in ("ada", "ben", "cleo"):
        found = row(app, cast, who)
        assert "is-failed" in found.attrs["class"] and "That video is private." in text(found)
        assert f"again-{item_id}" in ids(found) and f"up-{item_id}" not in ids(found)
        assert f"remove-{item_id}" in ids(found)
    answer = Browser(app, cast.cleo, htmx=True).post(f"/rooms/{cast.code}/queue/{item_id}/lookup")
    assert (
        answer.status_code == 200 and "Looking it up…" in answer.get_data(as_text=True) and len(handed) == 2
    )
    configuring.change_settings(cast.ada, cast.code, {"add": "cohosts"})
    lookups.give_up(handed[0], "Gone.")
    assert f"again-{item_id}" in ids(row(app, cast, "ben")) and f"again-{item_id}" not in ids(row(app, cast))
    assert Browser(app, cast.cleo).post(f"/rooms/{cast.code}/queue/{item_id}/lookup").status_code == 403


def test_a_reason_is_text_and_nothing_else(cast: Cast, app: Flask) -> None:
    broken(cast, "<img src=x onerror=alert(1)> & more")
    html = Browser(app, cast.ada).get(f"/rooms/{cast.code}").get_data(as_text=True)
    assert "<img src=x" not in html and "&lt;img src=x onerror=alert(1)&gt; &amp; more" in html


# --- how long --------------------------------------------------------------------------------------------------------


def test_a_row_of_unknown_length_says_so_and_the_sum_leaves_it_out(cast: Cast, app: Flask) -> None:
    cast.add(2)
    Track.update(duration_ms=0).where(Track.id == Item.get_by_id(cast.line()[0]).track_id).execute()
    found = row(app, cast)
    assert "length not known yet" in text(found) and "0:00" not in text(found)
    cast.add(1)
    assert cast.seen().total_text == "1 min"


def test_the_player_tells_the_length(cast: Cast, app: Flask) -> None:
    [item] = cast.add(1)
    track = Item.get_by_id(item).track_id
    Track.update(duration_ms=0).where(Track.id == track).execute()
    ada = Browser(app, cast.ada, htmx=True)
    for form in (
        {},
        {"item": item},
        {"item": item, "duration_ms": "long"},
        {"item": item, "duration_ms": "999"},
    ):
        assert ada.post(f"/rooms/{cast.code}/length", **form).status_code == 422
    assert Track.get_by_id(track).duration_ms == 0
    assert ada.post(f"/rooms/{cast.code}/length", item=item, duration_ms=90_500).status_code == 200
    assert cast.seen().now.track.duration_ms == 90_500


# --- frames ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def films(cast: Cast) -> Flask:
    """A house with players of another site, and one of its movies on."""
    made = make_app(embed_providers=FILMS)
    Browser(made, cast.cleo).post(f"/rooms/{cast.code}/links", link="films:tv:1399:1:2")
    track = Track.get(Track.slug == "embed-films-tv-1399-1-2")
    lookups.fill_in(track.id, title=track.title, hue="345")
    return made


def test_a_frame_is_led_to_the_one_address_that_we_build(cast: Cast, time, films: Flask) -> None:
    item = cast.seen().now.id
    time.move(75 + playback.TOGETHER_LEAD_MS / 1000)
    answer = Browser(films, cast.cleo).get(f"/rooms/{cast.code}/embed/{item}")
    assert answer.status_code == 302 and answer.location.startswith("https://films.example/tv/1399/1/2?")
    query = dict(parse_qsl(urlsplit(answer.location).query))
    assert query.pop("color") and query == {
        "autoPlay": "false",
        "nextEpisode": "false",
        "episodeSelector": "false",
        "progress": "75",
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_nothing_from_the_address_bar_comes_into_the_frames_address(cast: Cast, films: Flask) -> None:
    item = cast.seen().now.id
    bare = Browser(films, cast.cleo).get(f"/rooms/{cast.code}/embed/{item}").location
    asked = Browser(films, cast.cleo).get(
        f"/rooms/{cast.code}/embed/{item}",
        color="zzz",
        progress="999999",
        id="../x",
        next="https://evil.example",
    )
    assert asked.location == bare


def test_a_frame_that_is_not_set_up_any_more_is_a_sentence(cast: Cast, films: Flask, app: Flask) -> None:
    item = cast.seen().now.id
    answer = Browser(app, cast.cleo).get(f"/rooms/{cast.code}/embed/{item}")
    assert answer.status_code == 422 and "not set up here" in words(answer)
    assert Browser(films, cast.cleo).get(f"/rooms/{cast.code}/embed/99999").status_code == 404
    assert replace(settings).embed_providers == {}


def test_a_movie_or_an_episode_can_be_chosen_in_a_form(cast: Cast, films: Flask, app: Flask) -> None:
    cleo = Browser(films, cast.cleo)
    page = tree(cleo.get(f"/rooms/{cast.code}"))
    assert {"embeds", "embed-name", "embed-kind", "embed-id", "embed-season", "embed-episode"} <= ids(page)
    assert "embeds" not in ids(tree(Browser(app, cast.cleo).get(f"/rooms/{cast.code}"))), "none is set up"
    path = f"/rooms/{cast.code}/links"
    cleo.post(path, embed="films", kind="movie", id=" 603 ", season="", episode="")
    cleo.post(path, embed="films", kind="tv", id="1399", season="1", episode="3")
    made = [track.reference for track in Track.select().where(Track.provider == "embed").order_by(Track.id)]
    assert made == ["films:tv:1399:1:2", "films:movie:603", "films:tv:1399:1:3"]
    before = every_row()
    for form in (
        {"kind": "tv", "id": "1399"},
        {"kind": "tv", "id": "1399", "season": "1", "episode": "0"},
        {"kind": "movie", "id": "603:1:1"},
        {"kind": "song", "id": "603"},
        {"kind": "movie", "id": ""},
    ):
        assert cleo.post(path, embed="films", **form).status_code == 422, form
    assert cleo.post(path, embed="nobody", kind="movie", id="603").status_code == 422
    assert every_row() == before


def test_a_good_link_clears_what_was_wrong_with_the_one_before(cast: Cast, app: Flask) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    assert "no video" in words(cleo.post(f"/rooms/{cast.code}/links", link="https://vimeo.com/nobody"))
    html = cleo.post(f"/rooms/{cast.code}/links", link=LINK).get_data(as_text=True)
    assert 'id="notice"' in html and "no video" not in html
