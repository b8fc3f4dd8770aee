"""The Subsonic client against a server on loopback that speaks the API: keys, lists, streams, and what goes wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from media import fetch, servers, subsonic
from media.provider import Trouble
from media.servers import Login, Row, SignInAgain
from tests.media.home_servers import (
    KEY,
    PASSWORD,
    PICTURE,
    SOUND,
    USERNAME,
    Home,
    Song,
    furnished,
    subsonic_at_home,
)
from tests.payloads import CORPUS

WORDS = [text for kind in CORPUS.values() for text in kind]


@pytest.fixture
def home() -> Iterator[Home]:
    with subsonic_at_home() as running:
        yield running


def login(home: Home, **other: str) -> Login:
    return Login(home.url, **({"username": USERNAME, "password": PASSWORD} | other))


def answered(home: Home, method: str, **response: object) -> None:
    body = json.dumps({"subsonic-response": {"status": "ok", **response}}).encode()
    home.instead[f"/rest/{method}"] = (200, "application/json", body, {})


def test_a_password_signs_in_and_is_never_sent(home: Home) -> None:
    assert subsonic.sign_in(login(home), home.settings) == login(home)
    subsonic.sign_in(login(home), home.settings)
    asked = [parse_qs(urlsplit(path).query) for _, path, _ in home.asked]
    assert all(each["u"] == [USERNAME] and each["f"] == ["json"] and "p" not in each for each in asked)
    assert asked[0]["s"] != asked[1]["s"] and asked[0]["t"] != asked[1]["t"]
    assert PASSWORD not in repr(home.asked) and "Quokka" not in repr(home.asked)


def test_the_token_is_the_one_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    # API Reference, “Authentication”: md5("sesamec19b2d").
    monkeypatch.setattr(subsonic.secrets, "token_hex", lambda count: "c19b2d")
    asked = subsonic.stream(Login("https://music.example.org", "joe", "sesame"), "s1", "raw", False)
    assert "t=26719a1196d2a940705a59634eb18eab&s=c19b2d&" in asked.url


def test_an_api_key_signs_in_without_a_name(home: Home) -> None:
    subsonic.sign_in(Login(home.url, key=KEY), home.settings)
    [(_, path, _)] = home.asked
    assert set(parse_qs(urlsplit(path).query)) == {"apiKey", "v", "c", "f"}


@pytest.mark.parametrize("wrong", [{"password": "no"}, {"username": "ben"}, {"key": "no", "username": ""}])
def test_wrong_keys_are_told_as_such(home: Home, wrong: dict[str, str]) -> None:
    with pytest.raises(SignInAgain):
        subsonic.sign_in(login(home, **wrong), home.settings)


@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        (10, Trouble, subsonic.MISSING),
        (20, Trouble, subsonic.TOO_OLD),
        (30, Trouble, subsonic.TOO_OLD),
        (40, SignInAgain, subsonic.WRONG),
        (41, SignInAgain, subsonic.NO_TOKEN),
        (42, SignInAgain, subsonic.NO_TOKEN),
        (43, SignInAgain, subsonic.WRONG_KEY),
        (44, SignInAgain, subsonic.WRONG_KEY),
        (50, Trouble, servers.NOT_ALLOWED),
        (70, Trouble, servers.GONE),
        (0, Trouble, servers.UNREADABLE),
    ],
)
def test_every_code_has_its_sentence(home: Home, code: int, kind: type[Trouble], sentence: str) -> None:
    answered(home, "ping", status="failed", error={"code": code, "message": "<b>x</b>"})
    with pytest.raises(kind) as said:
        subsonic.sign_in(login(home), home.settings)
    assert (type(said.value), said.value.sentence) == (kind, sentence)
    xml = f'<subsonic-response status="failed"><error code="{code}" message="x"/></subsonic-response>'
    assert (type(subsonic.refusal(200, xml.encode())), subsonic.refusal(200, xml.encode()).sentence) == (
        kind,
        sentence,
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (401, b"<h1>No</h1>", SignInAgain, subsonic.WRONG),
        (403, b"<h1>Forbidden</h1>", Trouble, subsonic.FORBIDDEN),
        (403, b"", Trouble, subsonic.FORBIDDEN),
        (403, b'{"subsonic-response": {"error": {"code": 40}}}', SignInAgain, subsonic.WRONG),
        (401, b'{"subsonic-response": {"error": {"code": 50}}}', Trouble, servers.NOT_ALLOWED),
    ],
)
def test_a_bare_refusal_to_enter_says_nothing_of_the_keys(
    home: Home, status: int, body: bytes, kind: type[Trouble], sentence: str
) -> None:
    refused = subsonic.refusal(status, body)
    assert (type(refused), refused.sentence) == (kind, sentence)
    home.instead["*"] = (status, "text/html", body, {})
    with pytest.raises(Trouble) as said:
        subsonic.sign_in(login(home), home.settings)
    assert (type(said.value), said.value.sentence) == (kind, sentence)


def test_an_error_under_ok_is_an_error(home: Home) -> None:
    answered(home, "ping", error={"code": 40})
    with pytest.raises(SignInAgain):
        subsonic.sign_in(login(home), home.settings)


def test_words_find_songs_and_albums(home: Home) -> None:
    page = subsonic.browse(login(home), "night", home.settings)
    assert page.rows == (Row("track", "s1", "Night Bus", "The Herons", "Wires", 61_000, mime="audio/mpeg"),)
    assert [row.what for row in subsonic.browse(login(home), "wires", home.settings).rows] == ["album"]


def test_what_no_browser_plays_is_made_into_mp3(home: Home) -> None:
    [row] = subsonic.browse(login(home), "slow train", home.settings).rows
    assert (row.mime, row.way) == ("audio/mpeg", "mp3")
    assert "format=mp3" in subsonic.stream(login(home), "s3", "mp3", False).url
    assert "format=raw" in subsonic.stream(login(home), "s1", "raw", False).url


def test_albums_come_page_by_page(home: Home) -> None:
    home.songs = [Song(f"s{n}", "A", album=f"Album {n:03}", album_id=f"al-{n}") for n in range(120)]
    pages = [subsonic.browse(login(home), f"albums:{n}", home.settings) for n in range(3)]
    assert [len(page.rows) for page in pages] == [50, 50, 20]
    assert [page.more for page in pages] == ["albums:1", "albums:2", ""]
    assert len({row.id for page in pages for row in page.rows}) == 120


def test_pages_are_not_without_end(home: Home) -> None:
    album = [{"id": f"a{n}", "name": "A"} for n in range(50)]
    answered(home, "getAlbumList2", albumList2={"album": album})
    assert subsonic.browse(login(home), f"albums:{servers.MOST_PAGE}", home.settings).more == ""
    subsonic.browse(login(home), "albums:99999", home.settings)
    assert f"offset={servers.MOST_PAGE * 50}" in home.asked[-1][1]


def test_an_album_and_a_playlist_are_opened_in_their_order(home: Home) -> None:
    album = subsonic.browse(login(home), "album:al-1", home.settings)
    assert (album.title, [row.id for row in album.rows]) == ("Wires", ["s1", "s2"])
    assert [row.is_explicit for row in album.rows] == [False, True]
    lists = subsonic.browse(login(home), "playlists:0", home.settings)
    assert [(row.what, row.id, row.title, row.count) for row in lists.rows] == [
        ("playlist", "pl-1", "Late", 2)
    ]
    late = subsonic.browse(login(home), "playlist:pl-1", home.settings)
    assert (late.title, [row.id for row in late.rows]) == ("Late", ["s3", "s1"])
    with pytest.raises(Trouble, match=servers.GONE):
        subsonic.browse(login(home), "album:gone", home.settings)


def test_a_huge_album_is_read_to_a_hundred(home: Home) -> None:
    home.songs = [Song(f"s{n}", f"Song {n}") for n in range(500)]
    assert len(subsonic.browse(login(home), "album:al-1", home.settings).rows) == servers.MOST_TRACKS


@pytest.mark.parametrize(
    "words", ["album:../x", "album:", "album:a b", "playlist:" + "a" * 65, "albums", "x:y"]
)
def test_what_is_no_list_is_looked_for(home: Home, words: str) -> None:
    subsonic.browse(login(home), words, home.settings)
    assert urlsplit(home.asked[-1][1]).path == "/rest/search3"


def test_hostile_words_are_words(home: Home) -> None:
    home.songs = [Song(f"s{n}", text, artist=text, album=text) for n, text in enumerate(WORDS[:50])]
    rows = subsonic.browse(login(home), "album:al-1", home.settings).rows
    assert rows and all(
        len(row.title) <= 200 and "\n" not in row.title and "\0" not in row.title for row in rows
    )
    for text in WORDS[:40]:
        subsonic.browse(login(home), text, home.settings)


@pytest.mark.parametrize(
    "song",
    [
        {}, {"id": "a"}, {"title": "a"}, {"id": "../a", "title": "A"}, {"id": "..", "title": "A"},
        {"id": "a" * 65, "title": "A"}, {"id": 7, "title": "A"}, {"id": "a", "title": ["x", {}][1:]},
        {"id": "a", "title": "A", "isDir": True}, None, 7, "text", [],
    ],
)  # fmt: skip
def test_rows_that_are_none_are_passed_over(home: Home, song: object) -> None:
    good = {"id": "s1", "title": "Good", "duration": -5, "contentType": 7}
    answered(home, "search3", searchResult3={"song": [song, good, good]})
    [row] = subsonic.browse(login(home), "x", home.settings).rows
    assert (row.id, row.duration_ms, row.mime, row.way) == ("s1", 0, "audio/mpeg", "mp3")


@pytest.mark.parametrize(
    "body",
    [b"", b"no", b"[]", b"7", b'{"subsonic-response": 7}',
     b'{"subsonic-response": {"status": "ok", "searchResult3": 7}}', b"[" * 100_000,
     b'{"subsonic-response": {}}', b"\xff\xfe"],
)  # fmt: skip
def test_malformed_answers_are_a_sentence(home: Home, body: bytes) -> None:
    home.instead["*"] = (200, "application/json", body, {})
    with pytest.raises(Trouble) as said:
        subsonic.browse(login(home), "x", home.settings)
    assert said.value.sentence in (servers.UNREADABLE, servers.NOT_A_SERVER)


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_busy_server_may_be_asked_again(home: Home, status: int) -> None:
    home.instead["*"] = (status, "text/plain", b"", {"Retry-After": "60"})
    with pytest.raises(Trouble, match=servers.BUSY) as said:
        subsonic.sign_in(login(home), home.settings)
    assert said.value.again


def test_some_page_is_no_server(home: Home) -> None:
    for status in (200, 404):
        home.instead["*"] = (status, "text/html", b"<html>", {})
        with pytest.raises(Trouble, match=servers.NOT_A_SERVER):
            subsonic.sign_in(login(home), home.settings)


def test_an_answer_beyond_measure_is_not_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "MOST_BYTES", 1_000)
    home.instead["*"] = (200, "application/json", b" " * 2_000, {})
    with pytest.raises(Trouble, match=fetch.TOO_LARGE):
        subsonic.browse(login(home), "x", home.settings)


def test_a_server_that_is_not_there_is_a_sentence(home: Home) -> None:
    away = furnished()
    away.port = 1
    with pytest.raises(Trouble):
        subsonic.sign_in(login(away), away.settings)


def test_bytes_and_pictures(home: Home) -> None:
    asked = subsonic.stream(login(home), "s1", "raw", False)
    with fetch.stream(asked.url, home.settings, headers=asked.headers) as come:
        assert b"".join(come.chunks) == SOUND
    assert subsonic.picture(login(home), "s1", home.settings) == PICTURE
    assert subsonic.picture(login(home), "gone", home.settings) is None


def test_nothing_that_opens_a_library_is_printed(home: Home) -> None:
    key = Login(home.url, key=KEY)
    shown = repr([login(home), key, subsonic.stream(key, "s1", "raw", False)])
    assert PASSWORD not in shown and KEY not in shown


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("music.example.org", "https://music.example.org"),
        (" https://Music.Example.org/ ", "https://music.example.org"),
        ("https://music.example.org/navidrome/", "https://music.example.org/navidrome"),
        ("https://music.example.org/rest/ping", "https://music.example.org"),
        ("https://films.example.org/web/index.html#!/home", "https://films.example.org"),
        ("https://music.example.org/?u=ada&p=secret", "https://music.example.org"),
    ],
)
def test_an_address_is_kept_in_one_way(typed: str, clean: str) -> None:
    assert servers.clean_address(typed, furnished().settings) == clean


@pytest.mark.parametrize(
    "typed", ["", "http://music.example.org", "https://ada:secret@music.example.org", "https://127.0.0.1",
              "http://127.0.0.1:9", "https://localhost", "ftp://music.example.org", "https://nas.local", "file:///etc"],
)  # fmt: skip
def test_an_address_inside_a_house_is_none(typed: str) -> None:
    with pytest.raises(Trouble):
        servers.clean_address(typed, furnished().settings)


def closed_door(typed: str, named: str) -> str:
    """What is said of an address that is not listed; what the sentence names is just what opens it."""
    closed = furnished().settings
    with pytest.raises(Trouble) as refused:
        servers.clean_address(typed, closed)
    servers.clean_address(typed, replace(closed, private_hosts=(named,)))
    return str(refused.value.sentence)


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("http://192.168.1.5:4533", "192.168.1.5:4533"), ("192.168.1.5:4533", "192.168.1.5:4533"),
        ("http://10.0.0.1/music", "10.0.0.1"), ("https://Navidrome.LAN", "navidrome.lan"),
        ("http://nas1:8096/web/", "nas1:8096"), ("https://localhost:8443", "localhost:8443"),
        ("http://127.0.0.1:9", "127.0.0.1:9"), ("https://100.100.7.7", "100.100.7.7"),
        ("http://[fd00::5]:4533", "[fd00::5]:4533"),
    ],
)  # fmt: skip
def test_an_address_of_a_network_of_its_own_says_who_opens_it(typed: str, named: str) -> None:
    assert closed_door(typed, named) == (
        f"That is in a network of its own. Whoever runs this house has to name it in PRIVATE_HOSTS first: {named}."
    )


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        ("http://music.example.org", "music.example.org"), ("https://music.example.org:4533", "music.example.org:4533"),
        ("http://93.184.215.14:8443", "93.184.215.14:8443"),
    ],
)  # fmt: skip
def test_an_unusual_address_on_the_internet_says_what_is_usual(typed: str, named: str) -> None:
    assert closed_door(typed, named) == servers.UNUSUAL.format(named)


@pytest.mark.parametrize(
    "typed",
    [
        "http://169.254.169.254/latest",
        "https://0.0.0.0",
        "http://[fe80::1]",
        "https://224.0.0.1",
        "http://0x7f.1",
    ],
)
def test_what_is_nobodys_own_is_not_offered_to_the_list(typed: str) -> None:
    with pytest.raises(Trouble, match="^That address is not on the internet.$"):
        servers.clean_address(typed, furnished().settings)


def test_a_refused_address_is_told_by_its_form_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_more: asked.append(given))
    monkeypatch.setattr(socket, "create_connection", lambda *given, **_more: asked.append(given))
    for typed in ("https://navidrome.lan", "http://192.168.1.5:4533", "http://music.example.org"):
        with pytest.raises(Trouble):
            servers.clean_address(typed, furnished().settings)
    assert asked == []
