"""The worker asks people's own servers: keys, lists, covers; what they refuse becomes a sentence in a row."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from config import Settings
from media import servers, storage, subsonic
from models import SearchAnswer, Source, Track, User, database
from party import source_shelf, sources
from tasks import sources as tasks
from tests.home_fixtures import home, kind
from tests.media.home_servers import (
    KEY,
    PASSWORD,
    TOKEN,
    USER,
    USERNAME,
    Home,
)
from tests.stage import Cast

__all__ = ["home", "kind"]


@pytest.fixture
def wanted(home: Home, tmp_path: Path) -> Settings:
    return replace(home.settings, data_dir=tmp_path)


def connected(cast: Cast, home: Home, wanted: Settings, kind: str, **other: str) -> Source:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    given = {"username": USERNAME, "secret": PASSWORD} | other
    source_id = sources.connect(
        cast.ada, kind=kind, address=home.url, private_hosts=wanted.private_hosts, **given
    )
    tasks.check_source_here(source_id, wanted)
    return Source.get_by_id(source_id)


def asked(cast: Cast, source: Source, wanted: Settings, words: str) -> source_shelf.ShelfView:
    search_id = source_shelf.ask(cast.ada, cast.code, source.id, words)
    tasks.browse_source_here(SearchAnswer.get(SearchAnswer.search == search_id).id, wanted)
    return source_shelf.look(cast.ada, search_id, cast.seen())


def test_good_keys_make_it_ready(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind)
    assert (source.state, source.failure) == ("ready", "")
    keys = sources.keys_of(source)
    assert keys is not None
    kept = (keys.password, keys.key, keys.user)
    assert kept == ((PASSWORD, "", "") if kind == "subsonic" else ("", TOKEN, USER))


def test_an_api_key_does_as_well(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    assert connected(cast, home, wanted, kind, username="", secret=KEY).state == "ready"


def test_a_wrong_password_is_a_sentence(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind, secret="wrong")
    assert (source.state, source.failure) == ("failed", subsonic.WRONG)
    sources.sign_in_again(cast.ada, source.id, PASSWORD)
    tasks.check_source_here(source.id, wanted)
    assert Source.get().state == "ready"
    count = len(home.asked)
    tasks.check_source_here(source.id, wanted)
    assert len(home.asked) == count, "looked at already"


def test_a_kind_that_is_switched_off_is_not_asked(
    cast: Cast, home: Home, wanted: Settings, kind: str
) -> None:
    source = connected(cast, home, replace(wanted, providers_off=(kind,)), kind)
    assert source.state == "failed" and "switched off" in source.failure and home.asked == []


def test_a_library_is_looked_into(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind)
    assert [row.title for row in asked(cast, source, wanted, "night").rows] == ["Night Bus"]
    assert [row.title for row in asked(cast, source, wanted, "albums:0").rows if row.title] == [
        "Rails",
        "Wires",
    ]
    album = asked(cast, source, wanted, "album:al-1")
    assert (album.title, [row.id for row in album.rows], album.can_all) == ("Wires", ["s1", "s2"], True)


def test_an_expired_token_makes_the_source_fail(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind)
    home.has_expired = True
    assert asked(cast, source, wanted, "night").state == "failed"
    assert Source.get().state == "failed" and Source.get().failure


def test_a_busy_server_fails_the_question_alone(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind)
    home.instead["*"] = (503, "text/plain", b"", {"Retry-After": "9"})
    view = asked(cast, source, wanted, "night")
    assert (view.state, view.failure, Source.get().state) == ("failed", servers.BUSY, "ready")


def test_a_cover_is_fetched(cast: Cast, home: Home, wanted: Settings, kind: str) -> None:
    source = connected(cast, home, wanted, kind)
    source_shelf.put_on(cast.ada, cast.code, asked(cast, source, wanted, "night").search_id, "s1")
    track = Track.get(Track.provider == kind)
    home.instead["*"] = (503, "text/plain", b"", {})
    tasks.fetch_cover_here(track.id, wanted)
    assert Track.get_by_id(track.id).cover_file == "", "left to the sweep"
    home.instead.clear()
    count = len(home.asked)
    tasks.fetch_cover_here(track.id, wanted)
    assert len(home.asked) > count
    track = Track.get_by_id(track.id)
    path = storage.open_store(wanted).path(track.cover_file)
    assert path is not None
    with Image.open(path) as cover:
        assert cover.format == "WEBP"
    tasks.fetch_cover_here(track.id, wanted)
    # Another server may be given the number of this one, and its track this one's name.
    Track.update(cover_file="", added_at=track.added_at + 1).execute()
    tasks.fetch_cover_here(track.id, wanted)
    assert Track.get_by_id(track.id).cover_file != track.cover_file


def test_no_connection_is_held_while_a_server_is_asked(
    cast: Cast, home: Home, wanted: Settings, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = connected(cast, home, wanted, kind)
    search_id = source_shelf.ask(cast.ada, cast.code, source.id, "night")
    answer_id = SearchAnswer.get(SearchAnswer.search == search_id).id
    held: list[bool] = []
    real = servers.fetch
    monkeypatch.setattr(
        servers, "fetch", lambda *a, **k: (held.append(not database.obj.is_closed()), real(*a, **k))[1]
    )
    database.obj.close()
    tasks.browse_source_here(answer_id, wanted)
    database.obj.connect()
    assert held and not any(held)


def test_nothing_of_a_library_is_logged(
    cast: Cast, home: Home, wanted: Settings, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    source = connected(cast, home, wanted, kind)
    home.instead["*"] = (500, "text/plain", b"", {})
    asked(cast, source, wanted, "night")
    home.instead["*"] = (200, "application/json", b"no", {})
    asked(cast, source, wanted, "tram")
    sources.sign_in_again(cast.ada, source.id, "")
    tasks.check_source_here(source.id, wanted)
    for secret in (PASSWORD, TOKEN, KEY, f":{home.port}"):
        assert secret not in caplog.text
