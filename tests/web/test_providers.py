"""The operator's page of providers: which are on, what they lack, how looking up goes, ffmpeg and storage."""

from __future__ import annotations

import pytest
from flask import Flask

from config import settings
from media import registry, storage, tools
from media.provider import Trouble
from models import Search, SearchAnswer, Source, Track, User
from party import adding, lookups, sources, work
from party.clock import now_ms
from tests.doors import Browser, make_app, tree, words
from tests.stage import Cast

PATH = "/admin/providers"
FILMS = {"films": ("https://films.example/movie/{id}", "https://films.example/tv/{id}/{season}/{episode}")}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "carriers", {})


@pytest.fixture
def boss(cast: Cast):
    """An admin's browser, for a house with these settings."""
    User.update(is_admin=True, email="dan@example.org").where(User.id == cast.dan.user_id).execute()
    return lambda **wanted: Browser(make_app(**wanted), cast.dan)


def row(browser: Browser, name: str) -> str:
    """What the page says of one provider."""
    page = tree(browser.get(PATH))
    node = next(each for each in page.all() if each.id == name)
    return " ".join(each for part in node.all() for each in part.children if isinstance(each, str))


def test_nobody_else_finds_it(cast: Cast, app: Flask) -> None:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    User.update(is_admin=True).where(User.id == cast.ben.user_id).execute()
    for browser in (Browser(app), Browser(app, cast.ada), Browser(app, cast.ben), Browser(app, cast.cleo)):
        assert browser.get(PATH).status_code == 404
        assert browser.get(PATH).get_data() == browser.get("/nowhere").get_data()


def test_every_provider_has_a_row_in_the_order_of_their_names(boss) -> None:
    page = tree(boss().get(PATH))
    shown = [
        node.id.removeprefix("provider-") for node in page.all() if (node.id or "").startswith("provider-")
    ]
    by_title = sorted(registry.PROVIDERS, key=lambda each: each.title.casefold())
    assert shown == [each.name for each in by_title] and len(shown) >= 3
    [marked] = [node.attrs["href"] for node in page.all() if "aria-current" in node.attrs]
    assert marked == PATH


def test_on_off_and_not_set_up_are_said_in_words(boss) -> None:
    assert " on " in f" {row(boss(), 'provider-youtube')} "
    assert "off" in row(boss(providers_off=("youtube",)), "provider-youtube")
    lacking = row(boss(), "provider-embed")
    assert "not set up" in lacking and "needs EMBED_PROVIDERS" in lacking
    assert "not set up" not in row(boss(embed_providers=FILMS), "provider-embed")
    assert "https://youtu.be/ID" in row(boss(), "provider-youtube")


def test_how_its_links_fared_and_what_went_wrong_last(cast: Cast, boss) -> None:
    for key in ("aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc"):
        adding.add_link(
            cast.cleo,
            cast.code,
            provider="youtube",
            key=key,
            reference=key,
            player="youtube",
            title="A video",
        )
    ids = [track.id for track in Track.select().where(Track.provider == "youtube").order_by(Track.id)]
    lookups.fill_in(ids[0], title="A film")
    lookups.give_up(ids[1], "That video is <private>.")
    said = row(boss(), "provider-youtube")
    assert "1 ready, 1 failed, 1 being looked up" in said and "<private>" in said
    html = boss().get(PATH).get_data(as_text=True)
    assert "&lt;private&gt;" in html and "<private>" not in html
    assert "Nothing yet" in row(boss(), "provider-vimeo")


def connect(cast: Cast, number: int, state: str = "ready", failure: str = "", at: int = 0) -> int:
    made = Source.create(
        user=cast.ada.user_id,
        kind="subsonic",
        name=f"secret-house-{number}.example",
        address=f"https://secret-house-{number}.example",
        username="private-name",
        secret="sealed-secret",
        state=state,
        failure=failure,
        created_at=at,
        checked_at=at,
    )
    return int(made.id)


def test_servers_are_counted_by_how_they_stand_and_named_by_nobody(cast: Cast, boss) -> None:
    at = now_ms()
    connect(cast, 1)
    connect(cast, 2)
    connect(cast, 3, "connecting")
    connect(cast, 4, "failed", "The newer <trouble>.", at)
    connect(cast, 5, "failed", "The older trouble.", at - 1)
    said, other = row(boss(), "server-subsonic"), row(boss(), "server-jellyfin")
    assert "2 working, 2 failing, 1 being looked at" in said
    assert "The newer <trouble>." in said and "older" not in said
    assert "None connected" in other and "trouble" not in other
    html = boss().get(PATH).get_data(as_text=True)
    assert "<trouble>" not in html
    assert not [each for each in ("secret-house", "private-name", "sealed-secret") if each in html]


def test_a_kind_of_server_that_is_switched_off_says_so(boss) -> None:
    assert " on " in f" {row(boss(), 'server-jellyfin')} "
    assert " off " in f" {row(boss(providers_off=('jellyfin',)), 'server-jellyfin')} "


def answered(cast: Cast, source: str, words: str, failure: str = "", minutes: int = 1, at: int = 0) -> None:
    """One who looked for some words, and what came of it."""
    moment = now_ms() - minutes * 60_000 + at
    search = Search.create(user=cast.cleo.user_id, room=cast.room(), words=words, asked_at=moment)
    state = "failed" if failure else "ready"
    SearchAnswer.create(search=search, source=source, state=state, failure=failure, answered_at=moment)


def test_how_searches_of_the_last_hour_went(cast: Cast, boss) -> None:
    for number in range(3):
        answered(cast, "archive", "private words", at=number)
    answered(cast, "archive", "private words", "The older trouble.", minutes=9)
    # One answer, told to two people.
    answered(cast, "archive", "private words", "The newer <trouble>.", minutes=5)
    answered(cast, "archive", "private words", "The newer <trouble>.", minutes=5)
    answered(cast, "archive", "private words", "Long ago.", minutes=61)
    answered(cast, "jamendo", "private words")
    home = connect(cast, 1)
    answered(cast, f"source:{home}", "album:1", sources.LOST)
    waiting = Search.create(user=cast.cleo.user_id, room=cast.room(), words="w", asked_at=now_ms())
    SearchAnswer.create(search=waiting, source="archive")
    browser = boss()
    said = " ".join(row(browser, "provider-archive").split())
    assert (
        "Searches of the last hour: 2 of 5 failed. Last trouble," in said and "The newer <trouble>." in said
    )
    assert "older" not in said and "Long ago" not in said
    assert "Searches of the last hour: 1, all answered" in row(browser, "provider-jamendo")
    assert "1 of 1 failed" in row(browser, "server-subsonic") and sources.LOST in row(
        browser, "server-subsonic"
    )
    for quiet in ("provider-musicbrainz", "server-jellyfin"):
        assert "Searches" not in row(browser, quiet)
    assert "private words" not in browser.get(PATH).get_data(as_text=True)


@pytest.mark.parametrize("there", [True, False])
def test_what_is_missing_without_ffmpeg_is_said(boss, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: there)
    said = row(boss(), "tool-ffmpeg")
    assert ("missing" in said, "no waveform" in said) == (not there, not there)


def test_where_files_lie_is_said_without_a_secret(boss, monkeypatch: pytest.MonkeyPatch) -> None:
    assert storage.open_store(settings).says() in row(boss(), "tool-storage")

    class Away:
        def says(self) -> str:
            raise Trouble("The bucket does not answer.")

        def origin(self) -> str:
            return "https://s3.example.org"

    monkeypatch.setattr(storage, "open_store", lambda wanted: Away())
    page = boss(media_url="s3://key:verysecret@s3.example.org/bucket").get(PATH)
    assert "The bucket does not answer." in words(page) and "verysecret" not in page.get_data(as_text=True)
