"""People's own libraries by URL: the page that connects, looking into one from a room, and bytes by way of us."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

import fragments
from media import servers
from models import Item, SearchAnswer, Source, Track, User, database
from party import source_shelf, sources, tracks
from tasks import sources as tasks
from tests.doors import Browser, make_app, tree, words
from tests.home_fixtures import home, kind
from tests.ledger import every_row
from tests.media.home_servers import (
    ETAG,
    KEY,
    MODIFIED,
    PASSWORD,
    SOUND,
    TOKEN,
    USERNAME,
    Home,
)
from tests.payloads import CORPUS
from tests.screen import Node
from tests.stage import Cast
from web import proxy
from web.places import Places, Share

__all__ = ["home", "kind"]

SECRETS = (PASSWORD, KEY, TOKEN, "Quokka", "apiKey", "MediaBrowser")


@pytest.fixture
def app(cast: Cast, home: Home) -> Iterator[Flask]:
    """The application, in a house where that server is."""
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    fragments._recent.clear()
    yield make_app(private_hosts=home.settings.private_hosts)
    fragments._recent.clear()


def connect(ada: Browser, home: Home, kind: str, **other: str) -> int:
    form = {"kind": kind, "address": home.url, "username": USERNAME, "secret": PASSWORD} | other
    answer = ada.post("/sources", **form)
    assert (answer.status_code, answer.location) == (303, "/sources"), words(answer)
    source = Source.select().order_by(Source.id.desc()).get()
    tasks.check_source_here(source.id, home.settings)
    return int(source.id)


def asked(ada: Browser, cast: Cast, home: Home, source_id: int, text: str = "night") -> str:
    answer = ada.post(f"/rooms/{cast.code}/shelf", source=source_id, words=text)
    assert answer.status_code == 303
    tasks.browse_source_here(SearchAnswer.select().order_by(SearchAnswer.id.desc()).get().id, home.settings)
    return str(answer.location)


def put(ada: Browser, cast: Cast, home: Home, kind: str, item: str = "s1", text: str = "night") -> str:
    """A song on the line; where its bytes are."""
    shelf = asked(ada, cast, home, connect(ada, home, kind), text)
    assert ada.post(f"{shelf}/tracks", item=item).status_code == 303
    track = Track.get(Track.provider == kind)
    return tracks.view_of(track).media_url


def leads_home(page: str, home: Home) -> bool:
    """True when the page says where that server is. Its number alone may stand in any mark by chance."""
    return f":{home.port}" in page or "127.0.0.1" in page


def ids(node: Node) -> set[str]:
    return {each.id for each in node.all() if each.id}


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_library_is_connected_on_its_page(ada: Browser, home: Home, kind: str) -> None:
    assert "Connect one" in words(ada.get("/sources"))
    connect(ada, home, kind)
    page = ada.get("/sources")
    assert "Connected" in words(page) and f"127.0.0.1:{home.port}" in words(page)
    assert not [secret for secret in SECRETS[:4] if secret in page.get_data(as_text=True)]


def test_it_is_linked_where_people_look(ada: Browser, cleo: Browser, cast: Cast) -> None:
    for path in ("/", "/account"):
        assert 'href="/sources"' in ada.get(path).get_data(as_text=True)
    room = f"/rooms/{cast.code}"
    assert "From your own library" in words(ada.get(room)) and "From your own library" not in words(
        cleo.get(room)
    )


def test_a_guest_reads_how_to_get_there(cleo: Browser, nobody: Browser) -> None:
    assert "Make an account" in words(cleo.get("/sources"))
    assert nobody.get("/sources").location == "/sign-in?next=/sources"


@pytest.mark.parametrize(
    "wrong",
    [{"address": "http://10.0.0.1"}, {"address": "https://ada:pw@127.0.0.1"}, {"address": ""}, {"kind": "x"},
     {"secret": ""}, {"address": "http://169.254.169.254/latest"}],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(ada: Browser, home: Home, kind: str, wrong: dict[str, str]) -> None:
    form = {"kind": kind, "address": home.url, "username": USERNAME, "secret": PASSWORD} | wrong
    ada.htmx = True
    before = every_row()
    answer = ada.post("/sources", **form)
    assert answer.status_code == 422 and 'id="notice"' in answer.get_data(as_text=True)
    assert every_row() == before and home.asked == []
    assert PASSWORD not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("http://192.168.1.5:4533", servers.INSIDE.format("192.168.1.5:4533")),
        ("https://navidrome.lan", servers.INSIDE.format("navidrome.lan")),
        ("http://music.example.org", servers.UNUSUAL.format("music.example.org")),
    ],
)
def test_an_address_that_the_house_does_not_go_to_says_who_can_change_that(
    ada: Browser, home: Home, kind: str, address: str, sentence: str
) -> None:
    assert "has named it in PRIVATE_HOSTS" in words(ada.get("/sources"))
    before = every_row()
    answer = ada.post("/sources", kind=kind, address=address, username=USERNAME, secret=PASSWORD)
    assert answer.status_code == 422 and sentence in words(answer)
    assert every_row() == before and home.asked == []
    form = tree(answer).find("connect")
    typed = {node.attrs["name"]: node.attrs.get("value") for node in form.all() if node.tag == "input"}
    assert typed == {"address": address, "username": USERNAME, "secret": None}
    assert [node.attrs["value"] for node in form.all() if "selected" in node.attrs] == [kind]


def test_what_the_operator_named_is_connected_however_it_is_written(
    cast: Cast, app: Flask, kind: str
) -> None:
    listed = make_app(private_hosts=("NAS.lan:80", "192.168.1.5:4533"))
    for address in ("http://nas.lan", "http://NAS.lan:80/", "http://192.168.1.5:4533"):
        form = {"kind": kind, "address": address, "username": address, "secret": "x"}
        assert Browser(listed, cast.ada).post("/sources", **form).status_code == 303
    assert {source.address for source in Source.select()} == {"http://nas.lan", "http://192.168.1.5:4533"}


def test_a_kind_that_is_switched_off_is_not_offered(cast: Cast, app: Flask, kind: str) -> None:
    off = make_app(providers_off=(kind,))
    page = Browser(off, cast.ada).get("/sources").get_data(as_text=True)
    assert f'value="{kind}"' not in page
    answer = Browser(off, cast.ada).post("/sources", kind=kind, address="https://a.example.org", secret="x")
    assert answer.status_code == 422


def test_scripts_are_told_where_to_go_and_how_it_stands(ada: Browser, home: Home, kind: str) -> None:
    ada.htmx = True
    form = {"kind": kind, "address": home.url, "username": USERNAME, "secret": "wrong"}
    assert ada.post("/sources", **form).headers["HX-Redirect"] == "/sources"
    waiting = tree(ada.get("/sources"))
    assert "source-list" in ids(waiting)
    assert [node for node in waiting.all() if node.attrs.get("hx-trigger") == "every 1s"]
    tasks.check_source_here(Source.get().id, home.settings)
    failed = tree(ada.get("/sources"))
    assert not [node for node in failed.all() if "hx-trigger" in node.attrs]
    assert "That name and password are not right there." in words(ada.get("/sources"))
    ada.post(f"/sources/{Source.get().id}/sign-in", secret=PASSWORD)
    tasks.check_source_here(Source.get().id, home.settings)
    assert "Connected" in words(ada.get("/sources"))


# --- a room -----------------------------------------------------------------------------------------------------------


def test_a_library_is_looked_into_without_scripts(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    source_id = connect(ada, home, kind)
    assert "Look for" in words(ada.get(f"/rooms/{cast.code}/shelf"))
    shelf = asked(ada, cast, home, source_id)
    assert "Night Bus" in words(ada.get(shelf))
    answer = ada.post(f"{shelf}/tracks", item="s1")
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert Item.select().count() == 1


def test_a_library_is_looked_into_with_scripts(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    source_id = connect(ada, home, kind)
    cast.add(1)
    ada.htmx = True
    assert "source-shelf" in ids(tree(ada.get(f"/rooms/{cast.code}/shelf")))
    waiting = ada.post(f"/rooms/{cast.code}/shelf", source=source_id, list="albums")
    [poll] = [node for node in tree(waiting).all() if node.attrs.get("hx-trigger") == "every 600ms"]
    tasks.browse_source_here(SearchAnswer.get().id, home.settings)
    rows = tree(ada.get(poll.attrs["hx-get"]))
    assert "source-rows" in ids(rows) and "source-shelf" not in ids(rows)
    opens = [node.attrs["value"] for node in rows.all() if node.attrs.get("form") == "source-open"]
    assert opens == ["album:al-2", "album:al-1"]
    ada.post(f"/rooms/{cast.code}/shelf", source=source_id, words=opens[1])
    last = SearchAnswer.select().order_by(SearchAnswer.id.desc()).get()
    tasks.browse_source_here(last.id, home.settings)
    answer = ada.post(f"/rooms/{cast.code}/shelf/{last.search_id}/tracks")
    text = answer.get_data(as_text=True)
    assert "2 went on." in text and "In line, 1st" in text and "In line, 2nd" in text
    marked = [node.attrs["data-track"] for node in tree(answer).all() if node.attrs.get("data-what")]
    put_on = Track.select().where(Track.source == source_id).order_by(Track.id)
    assert marked == [str(track.id) for track in put_on]


def test_what_a_page_says_of_a_track_is_not_believed(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    shelf = asked(ada, cast, home, connect(ada, home, kind))
    lies = {"title": "A lie", "duration_ms": "1", "mime": "text/html", "reference": "raw/s2"}
    ada.post(f"{shelf}/tracks", item="s1", **lies)
    track = Track.get(Track.provider == kind)
    assert (track.title, track.duration_ms, track.mime) == ("Night Bus", 61_000, "audio/mpeg")
    before = every_row()
    assert ada.post(f"{shelf}/tracks", item="s2").status_code == 404
    assert ada.post(f"{shelf}/tracks", item="../../x").status_code == 404
    assert every_row() == before


def test_only_its_owner_looks_into_a_library(
    ada: Browser, ben: Browser, nobody: Browser, cast: Cast, home: Home, kind: str
) -> None:
    source_id = connect(ada, home, kind)
    shelf = asked(ada, cast, home, source_id)
    before = every_row()
    for answer in (
        ben.get(shelf),
        ben.post(f"{shelf}/tracks", item="s1"),
        ben.post(f"/rooms/{cast.code}/shelf", source=source_id, words="x"),
        ben.post(f"/sources/{source_id}/disconnection"),
        ben.post(f"/sources/{source_id}/sign-in", secret="x"),
    ):
        assert answer.status_code == 404
        assert "Night Bus" not in answer.get_data(as_text=True)
    assert nobody.get(shelf).status_code == 401
    assert every_row() == before


def test_hostile_rows_are_words(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    texts = [text for group in CORPUS.values() for text in group][:60]
    home.songs = [replace(home.songs[0], id=f"s{n}", title=text, artist=text) for n, text in enumerate(texts)]
    shelf = asked(ada, cast, home, connect(ada, home, kind), "album:al-1")
    page = tree(ada.get(shelf))
    assert not [
        node for node in page.all() if node.tag in ("script", "img", "svg") and "onerror" in node.attrs
    ]
    rows = [node for node in page.all() if node.attrs.get("class") == "result own__row"]
    kept = Source.get()
    assert len(rows) == len(source_shelf.look(cast.ada, int(shelf.rsplit("/", 1)[1]), cast.seen()).rows) > 40
    assert {node.tag for row in rows for node in row.all()} <= {
        "li",
        "span",
        "svg",
        "use",
        "div",
        "p",
        "bdi",
        "button",
    }
    assert kept.state == "ready"


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_everybody_hears_it_by_way_of_us(
    ada: Browser, cleo: Browser, nobody: Browser, cast: Cast, home: Home, kind: str
) -> None:
    address = put(ada, cast, home, kind)
    for who in (cleo, nobody):
        answer = who.get(address)
        assert (answer.status_code, answer.get_data()) == (200, SOUND)
        headers = answer.headers
        assert headers["Content-Type"] == "audio/mpeg" and headers["Content-Length"] == str(len(SOUND))
        assert (headers["Accept-Ranges"], headers["ETag"], headers["Last-Modified"]) == (
            "bytes",
            ETAG,
            MODIFIED,
        )
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Content-Disposition"] == "inline"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "Set-Cookie" not in headers and headers["Cache-Control"] == proxy.FOR_A_WHILE
        assert "cookie" not in home.asked[-1][2] and "referer" not in home.asked[-1][2]
    assert address.startswith("/media/")
    page = cleo.get(f"/rooms/{cast.code}").get_data(as_text=True)
    assert address.rsplit("/", 1)[0] in page and not leads_home(page, home)


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, 10_239),
        ("bytes=100-199", 100, 199),
        ("bytes=-10", 10_230, 10_239),
        ("bytes=10000-99999", 10_000, 10_239),
    ],
)
def test_a_range_goes_there_and_back(
    ada: Browser, cast: Cast, home: Home, kind: str, wanted: str, first: int, last: int
) -> None:
    address = put(ada, cast, home, kind)
    answer = ada.get(address, {"Range": wanted})
    assert (answer.status_code, answer.get_data()) == (206, SOUND[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert home.asked[-1][2]["range"] == wanted


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-9", "bytes=a-b", "lines=1-2", "bytes=--", "bytes=0-1\t"])
def test_a_range_that_is_none_is_not_passed_on(
    ada: Browser, cast: Cast, home: Home, kind: str, wanted: str
) -> None:
    answer = ada.get(put(ada, cast, home, kind), {"Range": wanted})
    assert answer.status_code in (200, 206) and answer.get_data() in (SOUND, SOUND[:2])
    assert home.asked[-1][2].get("range") in (None, "bytes=0-1")


def test_a_range_of_something_else_by_now_is_all_of_it(
    ada: Browser, cast: Cast, home: Home, kind: str
) -> None:
    address = put(ada, cast, home, kind)
    assert ada.get(address, {"Range": "bytes=5-", "If-Range": ETAG}).status_code == 206
    assert home.asked[-1][2]["if-range"] == ETAG
    assert ada.get(address, {"Range": "bytes=5-", "If-Range": MODIFIED}).status_code == 206
    assert ada.get(address, {"Range": "bytes=5-", "If-Range": '"other"'}).status_code == 200
    ada.get(address, {"Range": "bytes=5-", "If-Range": "\x7f<script>"})
    assert "if-range" not in home.asked[-1][2]


def test_a_range_beyond_the_end_is_said_so(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    answer = ada.get(put(ada, cast, home, kind), {"Range": "bytes=99999-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(SOUND)}")


def test_head_says_the_same_without_the_bytes(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    address = put(ada, cast, home, kind)
    answer = ada.ask("HEAD", address, {"Range": "bytes=0-9"})
    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert (
        answer.headers["Content-Length"] == str(len(SOUND)) and answer.headers["Content-Type"] == "audio/mpeg"
    )


def test_what_is_made_into_mp3_has_no_ranges(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    answer = ada.get(put(ada, cast, home, kind, "s3", "slow"), {"Range": "bytes=5-"})
    assert (answer.status_code, answer.headers["Accept-Ranges"], answer.get_data()) == (200, "none", SOUND)


def test_an_address_without_its_mark_is_nothing(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    address = put(ada, cast, home, kind)
    count = len(home.asked)
    parts = address.split("/")
    assert ada.get("/".join([*parts[:3], "x" * 20, parts[4]])).status_code == 404
    assert len(home.asked) == count


STREAM = {"subsonic": "/rest/stream", "jellyfin": "/Audio/s1/stream"}


@pytest.mark.parametrize(
    ("instead", "sentence"),
    [
        ((200, "text/html", b"<script>alert(1)</script>", {}), None),
        ((200, "image/svg+xml", b"<svg/>", {}), proxy.OTHER_KIND),
        ((200, "audio/mpeg", b"x", {"Content-Encoding": "gzip"}), None),
        ((206, "audio/mpeg", b"x", {"Content-Range": "bytes x"}), proxy.OTHER_KIND),
        ((206, "multipart/byteranges; boundary=x", b"x", {"Content-Range": "bytes 0-0/9"}), proxy.OTHER_KIND),
        ((404, "text/plain", b"", {}), servers.GONE),
        ((500, "text/plain", b"Quokka", {}), None),
        ((302, "text/plain", b"", {"Location": "http://169.254.169.254/"}), None),
    ],
)
def test_what_is_no_music_is_a_sentence(
    ada: Browser, cast: Cast, home: Home, kind: str, instead: tuple, sentence: str | None
) -> None:
    address = put(ada, cast, home, kind)
    home.instead[STREAM[kind]] = instead
    answer = ada.get(address)
    assert answer.status_code == 502 and "alert" not in answer.get_data(as_text=True)
    assert sentence is None or sentence in words(answer)
    assert answer.headers["Cache-Control"] == "no-store" and Source.get().state == "ready"
    assert not [secret for secret in SECRETS if secret in answer.get_data(as_text=True)]


def test_bytes_of_no_kind_are_what_the_list_said(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    address = put(ada, cast, home, kind)
    for said in ("application/octet-stream", ""):
        home.instead[STREAM[kind]] = (200, said, b"x", {"ETag": '"a\x01b"', "Accept-Ranges": "lines"})
        answer = ada.get(address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
        assert "ETag" not in answer.headers and "Accept-Ranges" not in answer.headers


def test_an_expired_token_asks_the_owner_to_sign_in(
    ada: Browser, cleo: Browser, cast: Cast, home: Home, kind: str
) -> None:
    address = put(ada, cast, home, kind)
    home.has_expired = True
    answer = cleo.get(address)
    assert answer.status_code == 502 and servers.SIGN_IN_AGAIN in words(answer)
    assert (Source.get().state, Source.get().failure) == ("failed", servers.SIGN_IN_AGAIN)
    count = len(home.asked)
    assert cleo.get(address).status_code == 502 and len(home.asked) == count, "not asked in vain"
    home.has_expired = False
    sources.sign_in_again(cast.ada, Source.get().id, PASSWORD)
    tasks.check_source_here(Source.get().id, home.settings)
    assert cleo.get(address).status_code == 200


def test_a_server_that_went_away_is_a_sentence(ada: Browser, cast: Cast, home: Home, kind: str) -> None:
    address = put(ada, cast, home, kind)
    Source.update(address="http://127.0.0.1:1").execute()
    assert ada.get(address).status_code == 502


def test_after_disconnecting_there_is_nothing(
    ada: Browser, cleo: Browser, cast: Cast, home: Home, kind: str
) -> None:
    address = put(ada, cast, home, kind)
    assert ada.post(f"/sources/{Source.get().id}/disconnection").status_code == 303
    answer = cleo.get(address)
    assert answer.status_code == 404 and sources.GONE in words(answer)


def test_too_many_at_once_are_told_so_and_places_come_back(
    ada: Browser, cast: Cast, home: Home, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = put(ada, cast, home, kind)
    monkeypatch.setattr(proxy, "places", Places(Share(2, proxy.FULL), network=Share(1, proxy.FULL_HERE)))
    first = ada.ask("GET", address, buffered=False)
    busy = ada.get(address)
    assert busy.status_code == 429 and proxy.FULL_HERE in words(busy) and "Retry-After" in busy.headers
    elsewhere = {"environ_base": {"REMOTE_ADDR": "198.51.100.7"}}
    second = ada.ask("GET", address, buffered=False, **elsewhere)
    assert second.status_code == 200
    busy = ada.ask("GET", address, environ_base={"REMOTE_ADDR": "198.51.100.8"})
    assert busy.status_code == 503 and proxy.FULL in words(busy) and "Retry-After" in busy.headers
    first.close()
    second.close()
    assert proxy.places.taken == 0
    assert ada.get(address).status_code == 200
    assert ada.ask("HEAD", address).status_code == 200
    home.instead[STREAM[kind]] = (404, "text/plain", b"", {})
    for _ in range(3):
        assert ada.get(address).status_code == 502
    home.instead.clear()
    assert ada.get(address).get_data() == SOUND


def test_no_connection_is_held_while_bytes_flow(
    ada: Browser, cast: Cast, home: Home, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = put(ada, cast, home, kind)
    held: list[bool] = []
    real = proxy.fetch.stream

    def watched(*args: object, **more: object) -> object:
        held.append(not database.obj.is_closed())
        return real(*args, **more)

    monkeypatch.setattr(proxy.fetch, "stream", watched)
    database.obj.close()
    answer = ada.client.get(address, buffered=False)
    chunks = iter(answer.response)
    next(chunks)
    held.append(not database.obj.is_closed())
    answer.close()
    database.obj.connect(reuse_if_open=True)
    assert held == [False, False]


def test_nothing_that_opens_a_library_is_shown_or_logged(
    ada: Browser, cleo: Browser, cast: Cast, home: Home, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    address = put(ada, cast, home, kind)
    home.instead["*"] = (500, "text/plain", b"", {})
    cleo.get(address)
    home.instead["*"] = (200, "audio/mpeg", b"x", {"Content-Length": "9"})
    cut = cleo.client.get(address, buffered=False)
    with pytest.raises(OSError):
        cut.get_data()
    shown = caplog.text
    for who in (ada, cleo):
        for path in (
            "/sources",
            f"/rooms/{cast.code}",
            f"/rooms/{cast.code}/log",
            "/account/export.json",
            "/account",
        ):
            shown += who.get(path).get_data(as_text=True)
    for secret in SECRETS:
        assert secret not in shown, secret
    assert not leads_home(cleo.get(f"/rooms/{cast.code}").get_data(as_text=True), home)
