"""Searching everywhere by URL: the library at once, a block for each other source, with scripts and without."""

from __future__ import annotations

from dataclasses import asdict, replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from config import settings
from media.provider import Found
from models import Item, Room, Search, SearchAnswer, Track
from party import configuring, moderation, searching, work
from tests.doors import Browser, make_app, tree, words
from tests.ledger import every_row
from tests.screen import Node
from tests.stage import Cast

SOURCES = ["archive", "jamendo", "musicbrainz"]
HOSTILE = "<b onclick=alert(1)>\"'>"


@pytest.fixture
def app() -> Flask:
    return make_app(jamendo_client_id="key", public_url="", providers_off=())


@pytest.fixture
def everywhere() -> Flask:
    """The same, where all three catalogues are set up."""
    return make_app(jamendo_client_id="key", public_url="http://localhost")


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    given: list[int] = []
    monkeypatch.setattr(work, "carriers", {"ask_source": given.append, "look_up": lambda _: None})
    return given


def node(page: Node, wanted: str) -> Node | None:
    return next((each for each in page.all() if each.id == wanted), None)


def url(cast: Cast) -> str:
    return f"/rooms/{cast.code}/search"


def answered(cast: Cast, *found: Found) -> int:
    """Cleo's search, which the Internet Archive answered with these."""
    search_id = searching.ask(cast.cleo, cast.code, "new song", ("archive",))
    searching.fill_in(
        SearchAnswer.select().order_by(SearchAnswer.id.desc()).get().id, [asdict(each) for each in found]
    )
    return search_id


def test_the_library_answers_at_once_and_the_page_asks_the_others_next(
    cast: Cast, app: Flask, handed: list[int]
) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    before = every_row()
    page = tree(cleo.get(url(cast), search="Song 1"))
    assert page.id == "library" or node(page, "library")
    assert len([each for each in page.all() if each.attrs.get("data-track")]) == 5
    [asking] = [each for each in page.all() if each.attrs.get("hx-post")]
    assert (asking.attrs["hx-post"], asking.attrs["hx-target"]) == ("/searches", "#elsewhere")
    assert asking.attrs["hx-trigger"].startswith("load")
    assert (every_row(), handed) == (before, []), "looking changes nothing"


def test_other_words_are_another_question(cast: Cast, app: Flask) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    asked = {
        next(each.id for each in tree(cleo.get(url(cast), search=words)).all() if "hx-post" in each.attrs)
        for words in ("song", "song 1", "夜の")
    }
    assert len(asked) == 3


@pytest.mark.parametrize("typed", ["", "ab", "https://youtu.be/dQw4w9WgXcQ", "x" * 201])
def test_nobody_is_asked_for_too_little_or_for_a_link(cast: Cast, app: Flask, typed: str) -> None:
    page = tree(Browser(app, cast.cleo, htmx=True).get(url(cast), search=typed))
    assert node(page, "elsewhere") is None


def test_nobody_is_asked_where_links_are_off_or_for_somebody_outside(cast: Cast, app: Flask) -> None:
    for person in (None, cast.dan):
        page = tree(Browser(app, person, htmx=True).get(url(cast), search="song"))
        assert node(page, "library") and node(page, "elsewhere") is None
    none = make_app(jamendo_client_id="", providers_off=("archive", "musicbrainz"))
    assert node(tree(Browser(none, cast.cleo, htmx=True).get(url(cast), search="song")), "elsewhere") is None
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    assert node(tree(Browser(app, cast.cleo, htmx=True).get(url(cast), search="song")), "elsewhere") is None
    answer = Browser(app, cast.cleo, htmx=True).post("/searches", room=cast.code, search="song")
    assert answer.status_code == 403 and Search.select().count() == 0


def test_who_was_banned_searches_nothing_there(cast: Cast, app: Flask, handed: list[int]) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    cleo.post("/searches", room=cast.code, search="song")
    search_id = Search.get().id
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    before = every_row()
    answers = (
        cleo.get(url(cast), search="song"),
        cleo.post("/searches", room=cast.code, search="song"),
        cleo.get(f"/searches/{search_id}/archive"),
        cleo.get(f"/rooms/{cast.code}/shelf"),
        cleo.post(f"/rooms/{cast.code}/shelf", source=1, words="x"),
        cleo.get(f"/rooms/{cast.code}/shelf/{search_id}"),
        cleo.post(f"/rooms/{cast.code}/shelf/{search_id}/tracks", item="s1"),
    )
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert every_row() == before


def test_a_private_room_is_not_there_for_strangers(cast: Cast, app: Flask) -> None:
    Room.update(visibility="private").where(Room.code == cast.code).execute()
    dan = Browser(app, cast.dan, htmx=True)
    before = every_row()
    assert dan.get(url(cast), search="song").status_code == 404
    assert dan.post("/searches", room=cast.code, search="song").status_code == 404
    assert every_row() == before


def test_asking_brings_a_block_for_each_source_that_asks_again_until_it_is_answered(
    cast: Cast, everywhere: Flask, handed: list[int]
) -> None:
    cleo = Browser(everywhere, cast.cleo, htmx=True)
    page = tree(cleo.post("/searches", room=cast.code, search="new song"))
    search_id = Search.get().id
    blocks = [each for each in page.all() if each.tag == "section"]
    assert [each.id for each in blocks] == [f"search-source-{name}" for name in SOURCES]
    for name, block in zip(SOURCES, blocks, strict=True):
        assert block.attrs["hx-get"] == f"/searches/{search_id}/{name}"
        assert block.attrs["hx-trigger"] == "every 600ms" and block.attrs["aria-busy"] == "true"
    assert len(handed) == 3
    searching.fill_in(handed[0], [asdict(Found("archive", "tape-1", "A tape", "The Band"))])
    answer = cleo.get(f"/searches/{search_id}/archive")
    assert "hx-trigger" not in answer.get_data(as_text=True) and "A tape" in words(answer)
    assert "every 600ms" in cleo.get(f"/searches/{search_id}/jamendo").get_data(as_text=True)


def test_a_block_stops_asking_after_fifteen_seconds(cast: Cast, app: Flask, time) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    cleo.post("/searches", room=cast.code, search="new song")
    time.move(15)
    answer = cleo.get(f"/searches/{Search.get().id}/archive")
    assert "every 600ms" not in answer.get_data(as_text=True)
    assert "Internet Archive takes its time today." in words(answer)
    link = node(tree(answer), "again-archive")
    assert link and link.attrs["href"] == link.attrs["hx-get"] == f"/searches/{Search.get().id}/archive"


def test_without_scripts_a_button_asks_and_a_link_looks_again(
    cast: Cast, app: Flask, handed: list[int]
) -> None:
    cleo = Browser(app, cast.cleo)
    page = tree(cleo.get(url(cast), search="new song"))
    button = node(page, "ask")
    assert button and (button.attrs["formaction"], button.attrs["formmethod"]) == ("/searches", "post")
    sent = cleo.post("/searches", room=cast.code, search="new song")
    where = urlsplit(sent.location)
    assert (sent.status_code, where.path) == (303, url(cast))
    assert parse_qs(where.query) == {"search": ["new song"], "asked": [str(Search.get().id)]}
    page = tree(cleo.get(sent.location))
    again = node(page, "again-archive")
    assert again and again.attrs["href"] == f"/searches/{Search.get().id}/archive"
    back = cleo.get(again.attrs["href"])
    assert (back.status_code, back.location) == (303, sent.location)
    searching.fill_in(handed[0], [asdict(Found("archive", "tape-1", "A tape"))])
    page = tree(cleo.get(sent.location))
    button = node(page, "add-archive-1")
    assert button and (button.attrs["form"], button.attrs["value"]) == ("add-found", "archive:tape-1")
    form = node(page, "add-found")
    assert form and form.attrs["action"] == form.attrs["hx-post"] == f"/rooms/{cast.code}/links"


def test_a_row_of_the_library_leads_there_and_one_that_only_has_a_name_is_looked_for(
    cast: Cast, app: Flask
) -> None:
    own = Track.get_by_id(cast.tracks[2])
    search_id = answered(
        cast,
        Found("archive", "own", own.title, own.artist),
        Found("archive", "name", "Heroes & Co", "Ada", is_playable=False),
    )
    page = tree(Browser(app, cast.cleo, htmx=True).get(f"/searches/{search_id}/archive"))
    add, look = node(page, "add-archive-1"), node(page, "look-archive-2")
    assert add and (add.attrs["form"], add.attrs["name"], add.attrs["value"]) == (
        "add-item",
        "track_id",
        str(own.id),
    )
    assert "in the library" in words(Browser(app, cast.cleo, htmx=True).get(f"/searches/{search_id}/archive"))
    assert look and look.attrs["href"] == f"/rooms/{cast.code}/search?search=Ada%20Heroes%20%26%20Co"
    assert look.attrs["data-look"] == "Ada Heroes & Co"
    assert not [each for each in page.all() if each.attrs.get("form") == "add-found"]


def test_a_found_row_is_put_on_by_its_provider_and_key_alone(cast: Cast, app: Flask) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    sent = cleo.post(
        f"/rooms/{cast.code}/links", found="archive:tape-1", title=HOSTILE, reference="https://evil.example/"
    )
    assert sent.status_code == 200
    track = Track.get(Track.slug == "archive-tape-1")
    assert (track.reference, track.player, track.state) == ("tape-1", "file", "looking_up")
    assert track.title == "Something of the Internet Archive"
    assert Item.get().track_id == track.id


def test_a_found_row_is_called_as_its_source_called_it_to_this_person(cast: Cast, app: Flask) -> None:
    answered(cast, Found("archive", "tape-1", "A tape"), Found("archive", "tape-2", HOSTILE))
    for who, key in ((cast.cleo, "tape-2"), (cast.ada, "tape-1")):
        Browser(app, who, htmx=True).post(f"/rooms/{cast.code}/links", found=f"archive:{key}", title="Mine")
    titles = [track.title for track in Track.select().where(Track.provider == "archive").order_by(Track.slug)]
    assert titles == ["Something of the Internet Archive", HOSTILE]


@pytest.mark.parametrize(
    "found",
    [
        "archive:../../etc", "archive:", ":x", "nobody:x", "archive", "jamendo:abc", "link:https://evil.example/a.mp3",
        f"musicbrainz:{'0' * 36}", "archive:" + "x" * 101, "archive:a b", "<script>",
    ],
)  # fmt: skip
def test_what_is_no_row_of_ours_is_refused(cast: Cast, app: Flask, found: str) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    before = every_row()
    answer = cleo.post(f"/rooms/{cast.code}/links", found=found)
    assert answer.status_code == 422 and "<script>" not in answer.get_data(as_text=True)
    assert every_row() == before


def test_a_search_is_shown_to_who_asked_alone(cast: Cast, app: Flask) -> None:
    search_id = answered(cast, Found("archive", "tape-1", "A tape"))
    for who, status in ((cast.ada, 404), (cast.dan, 404), (None, 401)):
        browser = Browser(app, who, htmx=True)
        assert browser.get(f"/searches/{search_id}/archive").status_code == status
        if who:
            assert browser.get(url(cast), asked=search_id).status_code == 404
    cleo = Browser(app, cast.cleo, htmx=True)
    assert cleo.get(f"/searches/{search_id}/archive").status_code == 200
    assert cleo.get(f"/searches/{search_id}/nobody").status_code == 404
    assert cleo.get(f"/searches/{search_id + 1}/archive").status_code == 404
    assert cleo.get(url(cast), asked="x").status_code == 422


def test_hostile_words_stay_words(cast: Cast, app: Flask) -> None:
    plain = Found("archive", "tape-1", "A tape", "Somebody", preview_url="https://sound.example/a.mp3")
    hostile = replace(
        plain, title=HOSTILE, artist=HOSTILE, preview_url='https://sound.example/" onerror="x', key="tape-2"
    )
    search_id = answered(cast, plain, hostile)
    page = tree(Browser(app, cast.cleo, htmx=True).get(f"/searches/{search_id}/archive"))
    rows = [each for each in page.all() if each.attrs.get("class") == "result"]
    shapes = [[(each.tag, sorted(each.attrs)) for each in row.all()] for row in rows]
    assert shapes[0] == shapes[1]


def test_too_many_searches_are_a_sentence_and_the_library_still_answers(cast: Cast, app: Flask, time) -> None:
    cleo = Browser(app, cast.cleo, htmx=True)
    for number in range(20):
        assert cleo.post("/searches", room=cast.code, search=f"song {number}").status_code == 200
    answer = cleo.post("/searches", room=cast.code, search="one more")
    assert answer.status_code == 429 and "You can go on in" in words(answer)
    assert cleo.get(url(cast), search="one more").status_code == 200


def test_a_library_row_says_what_may_be_listened_to(cast: Cast, app: Flask) -> None:
    Track.update(player="youtube", reference="x", media_file="").where(Track.id == cast.tracks[0]).execute()
    page = tree(Browser(app, cast.cleo, htmx=True).get(url(cast), search="song"))
    rows = {each.attrs["data-track"]: each for each in page.all() if each.attrs.get("data-track")}
    assert "data-preview" not in rows[str(cast.tracks[0])].attrs
    other = rows[str(cast.tracks[1])]
    assert other.attrs["data-preview"].startswith(f"/media/{cast.tracks[1]}/")
    button = next(each for each in other.all() if "data-hear" in each.attrs)
    assert "hidden" in button.attrs and button.attrs["aria-pressed"] == "false", "only scripts can play it"


def test_the_form_searches_the_room(cast: Cast, app: Flask) -> None:
    form = node(tree(Browser(app, cast.cleo).get(f"/rooms/{cast.code}")), "add-words")
    assert form and form.attrs["action"] == form.attrs["hx-get"] == url(cast)
    form = node(tree(Browser(app).get("/library")), "add-words")
    assert form and form.attrs["action"] == "/library"


def test_what_narrows_the_results_belongs_to_the_form_though_it_stands_with_them(
    cast: Cast, app: Flask
) -> None:
    page = tree(Browser(app, cast.cleo).get(f"/rooms/{cast.code}"))
    words, others = node(page, "add-words"), ("genre", "ordering")
    assert words and "input from:#library" in str(words.attrs["hx-trigger"])
    for name in others:
        narrowing = node(page, name)
        assert narrowing and narrowing.attrs["form"] == "add-words" and words.find(name) is None
    found = tree(Browser(app, cast.cleo, htmx=True).get(url(cast), search="song"))
    [asking] = [each for each in found.all() if each.attrs.get("hx-post")]
    assert asking.attrs["hx-include"] == "#add-words"
    assert settings.providers_off == ()
