"""What holds for every request: foreign pages, headers, bad input, haste."""

from __future__ import annotations

import itertools
import re
import sqlite3
from typing import Any

import pytest
from flask import Flask

from models import Item, Vote
from models import database as tables
from party import change, playback, queue, rooms
from tests.doors import Browser, make_app, words
from tests.ledger import every_row
from tests.screen import roots
from tests.stage import Cast

FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://evil.example/localhost"},
    {"Origin": "http://localhost@evil.example"},
    {"Origin": "http://localhost:81"},
    {"Origin": "http://sub.localhost"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "file://"},
    {"Origin": "https://evil.example", "Referer": "http://localhost/", "X-Forwarded-Host": "evil.example"},
]
OWN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {},
]


def from_page(browser: Browser, method: str, path: str, headers: dict[str, str], **rest: Any) -> Any:
    """A request with exactly these headers of origin."""
    tables.obj.close()
    response = browser.client.open(path, method=method, headers=headers, **rest)
    tables.obj.connect(reuse_if_open=True)
    return response


def changing(app: Flask, cast: Cast, item: int) -> list[tuple[str, str]]:
    """Method and address of everything that changes something."""
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods & {"POST", "PUT", "PATCH", "DELETE"}):
            path = rule.rule.replace("<code>", cast.code)
            found.append((method, re.sub(r"<int[^>]*:item_id>", str(item), path)))
    return found


FORM = {
    "display_name": "Mallory",
    "name": "Mallory",
    "theme": "dark",
    "track_id": "9",
    "value": "1",
    "after": "",
    "action": "skip",
    "mode": "hand",
}


def test_t2_no_foreign_page_acts_for_a_person(cast: Cast, app: Flask, ada: Browser) -> None:
    items = cast.add(3)
    addresses = changing(app, cast, items[2])
    assert len(addresses) >= 14
    before = every_row()
    for (method, path), headers in itertools.product(addresses, FOREIGN):
        form = FORM | {"code": cast.code}
        answer = from_page(ada, method, path, headers, data=form)
        assert answer.status_code == 403, (method, path, headers)
        assert "came from another page" in words(answer)
        assert not answer.headers.getlist("Set-Cookie")
    assert every_row() == before


@pytest.mark.parametrize("headers", OWN)
def test_pages_of_ours_and_programs_do_act(cast: Cast, ada: Browser, headers: dict[str, str]) -> None:
    cast.add(2)
    answer = from_page(ada, "POST", f"/rooms/{cast.code}/playback", headers, data={"action": "skip"})
    assert answer.status_code == 303


def test_the_public_address_counts_as_ours(cast: Cast) -> None:
    browser = Browser(make_app(public_url="https://party.example"))
    for origin, status in (
        ("https://party.example", 303),
        ("http://localhost", 303),
        ("https://party.example.evil", 403),
        ("https://party.example:444", 403),
    ):
        answer = from_page(browser, "POST", "/theme", {"Origin": origin}, data={"theme": "dark"})
        assert answer.status_code == status, origin


def test_t2_nothing_but_a_seat_is_taken_by_reading(cast: Cast, app: Flask, ada: Browser) -> None:
    cast.add(3)
    ada.get(f"/rooms/{cast.code}")
    before = every_row()
    for path in (
        "/",
        "/library",
        f"/rooms/{cast.code}",
        f"/rooms/{cast.code}/changes",
        "/healthz",
        "/readyz",
    ):
        for method in ("GET", "HEAD", "OPTIONS"):
            assert ada.ask(method, path).status_code in (200, 503)
    assert every_row() == before


STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_every_answer_carries_the_strict_headers(
    cast: Cast, app: Flask, ada: Browser, nobody: Browser
) -> None:
    cast.add(1)
    script = Browser(app, cast.ada, htmx=True)
    answers = [
        nobody.get("/"),
        ada.get(f"/rooms/{cast.code}"),
        ada.get("/rooms/ABCDEFGH"),
        ada.get("/nowhere"),
        ada.get("/healthz"),
        ada.post("/guest", display_name=""),
        ada.post(f"/rooms/{cast.code}/queue", track_id="x"),
        script.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[4]),
        script.post(f"/rooms/{cast.code}/queue", track_id="x"),
        ada.ask("PUT", "/"),
        ada.get("/static/js/live.js"),
        nobody.post("/theme", theme="dark"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert (
            "default-src 'self'" in policy
            and "frame-ancestors 'none'" in policy
            and "object-src 'none'" in policy
        )
        assert "base-uri 'none'" in policy and "form-action 'self'" in policy
        assert "unsafe" not in policy and "script-src 'self'" in policy and "style-src 'self'" in policy
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT
    for answer in answers[:10]:
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("GET", "/guest"),
        ("GET", "/join"),
        ("DELETE", "/rooms"),
        ("PUT", "/rooms/{code}"),
        ("PATCH", "/rooms/{code}/queue"),
        ("GET", "/rooms/{code}/queue"),
        ("GET", "/rooms/{code}/queue/1/vote"),
        ("PUT", "/rooms/{code}/queue/1/vote"),
        ("HEAD", "/rooms/{code}/queue/1/move"),
        ("GET", "/rooms/{code}/queue/1"),
        ("GET", "/rooms/{code}/playback"),
        ("TRACE", "/library"),
        ("BREW", "/"),
        ("POST", "/healthz"),
        ("DELETE", "/library"),
        ("POST", "/media/1/mark/file"),
    ],
)
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(
    cast: Cast, ada: Browser, method: str, path: str
) -> None:
    answer = ada.ask(method, path.format(code=cast.code))
    assert answer.status_code == 405
    assert answer.headers["Allow"]
    assert method not in answer.headers["Allow"].split(", ")


ODD = ["", " ", "0", "-1", "--1", "1.5", "1e3", "0x10", "١", "1_0", "NaN", "true", "[]", "9" * 15, "9" * 400]
ODD += [
    "2147483648",
    "9223372036854775808",
    "\x00",
    "1\x00",
    "\ud800".encode("utf-8", "replace").decode(),
    "' OR 1=1",
]
ODD += ["<script>", "\u202e1", "x" * 3_000]


def assert_polite(answer: Any, what: object) -> None:
    """Refused, with a sentence, and never our fault."""
    assert 400 <= answer.status_code < 500, (what, answer.status_code)
    assert len(words(answer).split()) >= 3, what


def test_bad_input_is_refused_with_a_sentence_and_changes_nothing(cast: Cast, app: Flask) -> None:
    items = cast.add(4)
    room = f"/rooms/{cast.code}"
    fields = [
        (f"{room}/queue", "track_id", {}),
        (f"{room}/queue/{items[1]}/vote", "value", {}),
        (f"{room}/playback", "position_ms", {"action": "seek"}),
        (f"{room}/playback", "action", {}),
        (f"{room}/mode", "mode", {}),
        ("/theme", "theme", {}),
        ("/join", "code", {"display_name": "Eve"}),
    ]
    # These mean something: a vote down or taken back, the start of the track.
    fine = {("value", "0"), ("value", "-1"), ("position_ms", "0")}
    for htmx in (True, False):
        browser = Browser(app, cast.ada, htmx=htmx)
        before = every_row()
        for path, field, others in fields:
            assert_polite(browser.post(path, **others), (path, "missing"))
            for value in ODD:
                if (field, value) not in fine:
                    assert_polite(browser.post(path, **others, **{field: value}), (path, field, value))
        for value in ODD:
            if value.strip():
                assert_polite(browser.post(f"{room}/queue/{items[2]}/move", after=value), ("after", value))
        for version in ODD:
            if version.strip():
                answer = browser.post(f"{room}/playback", action="pause", version=version, item=version)
                assert_polite(answer, ("version", version))
        assert every_row() == before


@pytest.mark.parametrize("htmx", [True, False])
def test_things_that_are_not_there_are_not_found(cast: Cast, app: Flask, htmx: bool) -> None:
    cast.add(2)
    browser = Browser(app, cast.ada, htmx=htmx)
    before = every_row()
    numbers = ["999", "0", "-1", "2147483648", "9" * 30, "x", "%00", "1.5", "", "%20"]
    codes = [cast.code, "ABCDEFGH", "x", "%00", "a" * 300]
    for code, number in itertools.product(codes, numbers):
        for method, end in (
            ("POST", "/vote"),
            ("DELETE", "/vote"),
            ("POST", "/move"),
            ("DELETE", ""),
            ("POST", "/removal"),
            ("POST", "/restoration"),
        ):
            if not number and not end:
                continue
            answer = browser.ask(method, f"/rooms/{code}/queue/{number}{end}", data={"value": "1"})
            assert answer.status_code in (404, 405), (method, code, number, end)
    for code in codes[1:]:
        for end in ("queue", "playback", "leave", "mode"):
            answer = browser.post(f"/rooms/{code}/{end}", track_id="1", action="skip", mode="hand")
            assert answer.status_code == 404, (code, end)
        assert browser.get(f"/rooms/{code}/changes").status_code == 404
    assert every_row() == before


def test_t14_another_rooms_things_are_not_found_through_this_one(
    cast: Cast, app: Flask, ada: Browser
) -> None:
    other = rooms.open_room(cast.dan, "Other", 300)
    theirs = [queue.add_item(cast.dan, other, track) for track in cast.tracks[:3]]
    queue.remove_item(cast.dan, other, theirs[2])
    mine = cast.add(2)[1]
    before = every_row()
    for item in theirs:
        line = f"/rooms/{cast.code}/queue/{item}"
        for method, path in (
            ("POST", f"{line}/vote"),
            ("DELETE", f"{line}/vote"),
            ("POST", f"{line}/move"),
            ("DELETE", line),
            ("POST", f"{line}/removal"),
            ("POST", f"{line}/restoration"),
        ):
            assert ada.ask(method, path, data={"value": "1"}).status_code == 404, path
        assert ada.post(f"/rooms/{cast.code}/queue/{mine}/move", after=item).status_code == 404
        assert ada.post(f"/rooms/{cast.code}/playback", action="pause", item=item).status_code == 409
    assert every_row() == before


BODIES = [
    (b'{"track_id": 1}', "application/json"),
    (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
    (b"track_id=%ff%fe", "application/x-www-form-urlencoded"),
    (b"track_id[]=1", "application/x-www-form-urlencoded"),
    (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
    (b"--x\r\nbroken", "multipart/form-data"),
    (b"", "text/plain"),
    (b"track_id=1", "nonsense/\x7f"),
]


@pytest.mark.parametrize(("body", "kind"), BODIES)
def test_a_body_of_the_wrong_kind_is_refused_with_a_sentence(
    cast: Cast, ada: Browser, body: bytes, kind: str
) -> None:
    for end in ("queue", "playback", "mode"):
        answer = ada.ask("POST", f"/rooms/{cast.code}/{end}", data=body, content_type=kind)
        assert_polite(answer, (end, body, kind))
    assert not Item.select().exists()


def test_asking_for_a_socket_where_there_is_none_breaks_nothing(cast: Cast, app: Flask, ada: Browser) -> None:
    cast.add(2)
    asking = {"Upgrade": "websocket"}
    fully = asking | {"Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"}
    room = f"/rooms/{cast.code}"
    for headers in (asking, fully):
        for path in (
            "/",
            "/library",
            room,
            f"{room}/changes",
            f"{room}/live",
            "/media/1/mark/file",
            "/live",
            "/healthz",
        ):
            assert ada.get(path, headers=headers).status_code < 500, (path, headers)
        for method, path in [
            *changing(app, cast, cast.line()[0]),
            ("POST", f"{room}/live"),
            ("PUT", "/live"),
        ]:
            assert ada.ask(method, path, headers, data=FORM).status_code < 500, (method, path)


def test_too_much_at_once_is_refused(cast: Cast, ada: Browser) -> None:
    answer = ada.post(f"/rooms/{cast.code}/queue", track_id="1" * 100_000)
    assert answer.status_code == 413
    assert "too much at once" in words(answer)
    answer = ada.ask(
        "POST", "/guest", data="&".join(f"a{n}=1" for n in range(20_000)), content_type=FORM_KIND
    )
    assert answer.status_code == 413


FORM_KIND = "application/x-www-form-urlencoded"


def test_a_field_given_twice_counts_once(cast: Cast, ada: Browser) -> None:
    cast.add(1)
    body = f"track_id={cast.tracks[3]}&track_id={cast.tracks[4]}"
    assert ada.ask("POST", f"/rooms/{cast.code}/queue", data=body, content_type=FORM_KIND).status_code == 303
    assert len(cast.line()) == 1


def test_haste_is_limited_for_each_person_and_reading_is_not(cast: Cast, time) -> None:
    app = make_app(max_actions_per_minute=3)
    cleo, ben, nobody = Browser(app, cast.cleo, htmx=True), Browser(app, cast.ben), Browser(app)
    item = cast.add(2)[1]
    path = f"/rooms/{cast.code}/queue/{item}/vote"
    for value in (1, -1, 1):
        assert cleo.post(path, value=value).status_code == 200
    answer = cleo.post(path, value=-1)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    [notice] = roots(answer.text)
    assert notice.id == "notice" and "60 s" in words(answer)
    assert Vote.get().value == 1
    assert cleo.get(f"/rooms/{cast.code}").status_code == 200
    assert ben.post(path, value=1).status_code == 303
    for _ in range(3):
        assert nobody.post("/theme", theme="dark").status_code == 303
    assert nobody.post("/theme", theme="dark").status_code == 429
    time.move(60)
    assert cleo.post(path, value=-1).status_code == 200


def test_a_limit_of_nought_is_none(cast: Cast) -> None:
    browser = Browser(make_app(max_actions_per_minute=0))
    assert {browser.post("/theme", theme="dark").status_code for _ in range(300)} == {303}


def test_what_breaks_on_our_side_gets_a_number_and_not_its_reason(
    cast: Cast, app: Flask, monkeypatch, caplog
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(playback, "skip", broken)
    cast.add(1)
    for htmx in (True, False):
        answer = Browser(app, cast.ada, htmx=htmx).post(f"/rooms/{cast.code}/playback", action="skip")
        assert answer.status_code == 500
        assert "secret" not in answer.text
        [reference] = re.findall(r"failure ([0-9a-f]{8})", caplog.text)
        assert reference in answer.text
        caplog.clear()


def test_a_busy_database_asks_for_patience(cast: Cast, ada: Browser, database, monkeypatch) -> None:
    cast.add(1)
    monkeypatch.setattr(change, "LOCK_WAIT_SECONDS", 0.02)
    hog = sqlite3.connect(database, isolation_level=None)
    hog.execute("BEGIN IMMEDIATE")
    answer = ada.post(f"/rooms/{cast.code}/queue", track_id=cast.tracks[4])
    assert ada.get(f"/rooms/{cast.code}").status_code == 200
    hog.rollback()
    hog.close()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "try again" in words(answer)


@pytest.mark.parametrize("host", ["x" * 250, "x" * 4_000, "localhost:abc", "a b"])
def test_a_host_nobody_could_have_is_no_failure_of_ours(nobody: Browser, host: str) -> None:
    for path in ("/", "/rooms/ABCDEFGH", "/healthz"):
        assert nobody.get(path, headers={"Host": host}).status_code < 500
