"""The Jellyfin client against one on loopback: signing in, lists, films, pictures, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from media import fetch, jellyfin, servers
from media.provider import Trouble
from media.servers import Login, SignInAgain
from tests.media.home_servers import (
    KEY,
    PASSWORD,
    PICTURE,
    SOUND,
    TOKEN,
    USER,
    USERNAME,
    Home,
    Song,
    jellyfin_at_home,
)
from tests.payloads import CORPUS


@pytest.fixture
def home() -> Iterator[Home]:
    with jellyfin_at_home() as running:
        yield running


def login(home: Home, **other: str) -> Login:
    return Login(home.url, **({"username": USERNAME, "key": TOKEN, "user": USER, "device": "d1"} | other))


def test_a_password_becomes_a_token_and_is_forgotten(home: Home) -> None:
    kept = jellyfin.sign_in(Login(home.url, USERNAME, PASSWORD, device="d1"), home.settings)
    assert kept == login(home)
    [(method, path, headers)] = home.asked
    assert (method, path) == ("POST", "/Users/AuthenticateByName")
    assert 'DeviceId="d1"' in headers["authorization"] and "Token" not in headers["authorization"]


def test_a_token_and_an_api_key_are_looked_at(home: Home) -> None:
    assert jellyfin.sign_in(Login(home.url, key=TOKEN), home.settings).user == USER
    assert jellyfin.sign_in(Login(home.url, key=KEY), home.settings) == Login(home.url, key=KEY)
    for wrong in (
        Login(home.url, key="no"),
        Login(home.url, USERNAME, "no"),
        Login(home.url, "ben", PASSWORD),
    ):
        with pytest.raises(SignInAgain):
            jellyfin.sign_in(wrong, home.settings)


def test_keys_are_quoted_and_never_in_an_address(home: Home) -> None:
    asked = jellyfin.stream(login(home, key='a"b, c\r\nX: y'), "s1", "raw", False)
    assert asked.url == f"{home.url}/Audio/s1/stream?static=true"
    assert 'Token="a%22b%2C%20c%0D%0AX%3A%20y"' in asked.headers["Authorization"]
    assert TOKEN not in repr([login(home), jellyfin.stream(login(home), "s1", "raw", False)])


def test_an_expired_token_asks_to_sign_in_again(home: Home) -> None:
    home.has_expired = True
    with pytest.raises(SignInAgain, match=servers.SIGN_IN_AGAIN):
        jellyfin.browse(login(home), "night", home.settings)
    assert isinstance(jellyfin.refusal(401, b""), SignInAgain)
    assert not isinstance(jellyfin.refusal(403, b""), SignInAgain)


def test_words_find_songs_films_and_lists(home: Home) -> None:
    [row] = jellyfin.browse(login(home), "night", home.settings).rows
    assert (row.what, row.id, row.title, row.artist, row.album, row.duration_ms, row.mime, row.way) == (
        "track", "s1", "Night Bus", "The Herons", "Wires", 61_000, "audio/mpeg", "raw",
    )  # fmt: skip
    films = {row.id: row for row in jellyfin.browse(login(home), "film", home.settings).rows}
    assert (films["f1"].is_video, films["f1"].mime) == (True, "video/mp4")
    assert films["f2"].mime == "", "what no browser plays is shown, and not put on"
    [album] = jellyfin.browse(login(home), "rails", home.settings).rows
    assert (album.what, album.id) == ("album", "al-2")


def test_what_no_browser_plays_is_made_into_mp3(home: Home) -> None:
    [row] = jellyfin.browse(login(home), "slow", home.settings).rows
    assert (row.mime, row.way) == ("audio/mpeg", "mp3")
    assert "/Audio/s3/universal?" in jellyfin.stream(login(home), "s3", "mp3", False).url
    assert "/Videos/f1/stream?" in jellyfin.stream(login(home), "f1", "raw", True).url


def test_lists_come_page_by_page(home: Home) -> None:
    home.songs = [Song(f"s{n}", "A", album=f"Album {n:03}", album_id=f"al-{n}") for n in range(70)]
    pages = [jellyfin.browse(login(home), f"albums:{n}", home.settings) for n in range(2)]
    assert [(len(page.rows), page.more) for page in pages] == [(50, "albums:1"), (20, "")]
    [late] = jellyfin.browse(login(home), "playlists:0", home.settings).rows
    assert (late.what, late.id, late.title) == ("playlist", "pl-1", "Late")


def test_an_album_and_a_playlist_are_opened(home: Home) -> None:
    album = jellyfin.browse(login(home), "album:al-1", home.settings)
    assert (album.title, [row.id for row in album.rows]) == ("Wires", ["s1", "s2"])
    assert {row.id for row in jellyfin.browse(login(home), "playlist:pl-1", home.settings).rows} == {
        "s1",
        "s3",
    }
    with pytest.raises(Trouble, match=servers.GONE):
        jellyfin.browse(login(home), "album:gone", home.settings)


def test_hostile_words_are_words(home: Home) -> None:
    texts = [text for kind in CORPUS.values() for text in kind][:40]
    home.songs = [Song(f"s{n}", text, artist=text) for n, text in enumerate(texts)]
    rows = jellyfin.browse(login(home), "album:al-1", home.settings).rows
    assert rows and all(len(row.title) <= 200 and "\n" not in row.title for row in rows)


@pytest.mark.parametrize(
    "item",
    [None, 7, {}, {"Id": "../x", "Name": "A", "Type": "Audio"}, {"Id": "a", "Name": "A", "Type": "Person"},
     {"Id": "a", "Type": "Audio"}, {"Id": {}, "Name": "A", "Type": "Audio"}],
)  # fmt: skip
def test_rows_that_are_none_are_passed_over(home: Home, item: object) -> None:
    good = {"Id": "g", "Name": "Good", "Type": "Audio", "RunTimeTicks": "x", "Container": ["x"], "Artists": 7}
    body = json.dumps({"Items": [item, good]}).encode()
    home.instead["/Items"] = (200, "application/json", body, {})
    [row] = jellyfin.browse(login(home), "album:al-1", home.settings).rows
    assert (row.id, row.duration_ms, row.way) == ("g", 0, "mp3")


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b'{"Items": 7}', b"{}", b"[" * 100_000])
def test_malformed_answers_are_a_sentence(home: Home, body: bytes) -> None:
    home.instead["*"] = (200, "application/json", body, {})
    with pytest.raises(Trouble, match=servers.UNREADABLE):
        jellyfin.browse(login(home), "x", home.settings)
    with pytest.raises(Trouble, match=servers.UNREADABLE):
        jellyfin.sign_in(Login(home.url, USERNAME, PASSWORD), home.settings)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_may_be_asked_again(home: Home, status: int) -> None:
    home.instead["*"] = (status, "text/plain", b"", {"Retry-After": "60"})
    with pytest.raises(Trouble, match=servers.BUSY) as said:
        jellyfin.browse(login(home), "x", home.settings)
    assert said.value.again


def test_some_page_is_no_server(home: Home) -> None:
    for status in (200, 404):
        home.instead["*"] = (status, "text/html", b"<html>", {})
        with pytest.raises(Trouble, match=servers.NOT_A_SERVER):
            jellyfin.sign_in(login(home), home.settings)


def test_bytes_and_pictures(home: Home) -> None:
    asked = jellyfin.stream(login(home), "f1", "raw", True)
    with fetch.stream(asked.url, home.settings, headers=asked.headers) as come:
        assert b"".join(come.chunks) == SOUND
    # A song has no picture of its own there: it is its album's.
    assert jellyfin.picture(login(home), "s1", home.settings) == PICTURE
    assert home.asked[-1][1].startswith("/Items/al-1/Images/Primary?")
    assert jellyfin.picture(login(home), "f1", home.settings) is None
