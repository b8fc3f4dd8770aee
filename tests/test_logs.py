"""What the program says of itself: one JSON object a line, numbered, and nothing of anybody in it."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

import fragments
import logs
from tests.doors import Browser, make_app, session_for
from tests.stage import Cast
from web.tracing import request_number, session_mark


class Lines(io.StringIO):
    """What was logged."""

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that this thread logs from here on, at every level."""
    root, stream = logging.getLogger(), Lines()
    before, level = list(root.handlers), root.level
    own = logs.configure(stream, logging.DEBUG)
    # Threads that other tests left behind may have something to say too.
    here = threading.get_ident()
    own.addFilter(lambda record: record.thread == here)
    yield stream
    root.removeHandler(own)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


@pytest.fixture
def app(cast: Cast) -> Flask:
    """The application over this test's database."""
    fragments._recent.clear()
    return make_app()


def test_a_line_is_one_json_object_whatever_is_in_it(lines: Lines) -> None:
    logging.getLogger("party.test").warning('a\n{"event": "forged"}\r\n\u2028\x00\x1b[31m %s', "b\nc")
    text = lines.getvalue()
    assert text.count("\n") == 1 and text.isascii()
    [line] = lines.told()
    assert line["level"] == "warning" and line["logger"] == "party.test"
    assert line["time"].endswith("Z") and "forged" in line["event"]


def test_a_failure_is_told_with_where_it_happened(lines: Lines) -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        logging.getLogger("party.test").exception("it broke")
    [line] = lines.told()
    assert "ValueError: no such thing" in line["exception"] and "test_logs.py" in line["exception"]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("mail to ann.canary@example.org failed", "ann.canary@example.org"),
        ("failure at POST /rooms/CANARY99/queue", "CANARY99"),
        ("commit listener failed for room CANARY99", "CANARY99"),
        ("failure at GET /reset/canary-token", "canary-token"),
        ("at GET /confirm/canary-token", "canary-token"),
        ("at GET /invites/canary-token?x=1", "canary-token"),
        ("the cookie was fK3-canaryZ_0aaaaaaaaaaaaaaaaa", "canary"),
        ("kept as $argon2id$v=19$m=65536$canary", "canary"),
        ("asked by 203.0.113.77", "203.0.113.77"),
        ("asked by 2001:db8:0:1:0:0:0:77", "2001:db8"),
        ("DETAIL:  Key (email)=(canary) already exists.", "canary"),
    ],
)
def test_t32_what_belongs_to_people_is_struck_out(lines: Lines, text: str, gone: str) -> None:
    logging.getLogger("party.test").error(text)
    try:
        raise RuntimeError(text)
    except RuntimeError:
        logging.getLogger("party.test").exception("at %s", {"deep": [text]})
    assert gone not in lines.getvalue() and len(lines.told()) == 2


def test_ordinary_words_stay(lines: Lines) -> None:
    kept = "the tail could not read the rooms at 12:30:59 in party/ordering.py:120 after 12345 tries"
    logging.getLogger("party.test").error(kept)
    assert lines.told()[0]["event"] == kept


def test_a_request_is_told_by_its_pattern_and_number(cast: Cast, app, lines: Lines) -> None:
    token = session_for(cast.ada)
    browser = Browser(app)
    browser.client.set_cookie("partyline_session", token, domain="localhost")
    answer = browser.get(f"/rooms/{cast.code}?tab=canary")
    [line] = [line for line in lines.told() if line["event"] == "request"]
    assert line["path"] == "/rooms/<code>" and line["method"] == "GET" and line["status"] == 200
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert line["session"] == session_mark(token) and len(line["session"]) == 12
    assert line["duration_ms"] > 0
    for secret in (token, cast.code, "canary", "Ada"):
        assert secret not in lines.getvalue()


def test_a_failures_lines_carry_the_number_that_was_answered(
    cast: Cast, app, lines: Lines, monkeypatch
) -> None:
    from party import library

    def broken(*_: object) -> None:
        raise RuntimeError("canary@example.org broke it")

    monkeypatch.setattr(library, "browse", broken)
    answer = Browser(app).get("/library")
    failure = next(line for line in lines.told() if line["level"] == "error")
    assert failure["request_id"] == answer.headers["X-Request-ID"]
    assert "canary@" not in lines.getvalue()


@pytest.mark.parametrize(
    "said", ["", "short", "x" * 65, "has space 1234", "line\nbreak123", "ünïcödé-12345", "a_b_c_d_e_f"]
)
def test_a_number_that_is_none_is_replaced(said: str) -> None:
    assert request_number(said, True) != said


def test_a_number_is_taken_from_the_proxy_only_where_there_is_one(cast: Cast, app) -> None:
    said = "0af7651916cd43dd-8448"
    assert Browser(app).get("/healthz", {"X-Request-ID": said}).headers["X-Request-ID"] != said
    behind = Browser(make_app(public_url="https://party.example"))
    assert behind.get("/healthz", {"X-Request-ID": said}).headers["X-Request-ID"] == said


def test_two_requests_have_two_numbers(cast: Cast, app) -> None:
    numbers = {Browser(app).get("/healthz").headers["X-Request-ID"] for _ in range(20)}
    assert len(numbers) == 20 and all(len(number) == 16 for number in numbers)


SECRETS = {
    "email": "canary.address@example.org",
    "password": "canary pass phrase 1",
    "display_name": "Canary Name",
    "text": "canary words",
    "reason": "canary reason",
    "name": "Canary Room",
}


def test_t32_a_night_out_leaves_nothing_of_anybody_in_the_log(cast: Cast, app: Flask, lines: Lines) -> None:
    from party import accounts

    eve = Browser(app, htmx=True)
    room = f"/rooms/{cast.code}"
    host, answers = Browser(app, cast.ada), []

    def post(browser: Browser, path: str, **form: Any) -> None:
        answers.append(
            browser.post(path, {"User-Agent": "canary agent", "Referer": "http://localhost/canary"}, **form)
        )

    post(eve, "/guest", display_name=SECRETS["display_name"], next="/?canary=query")
    post(eve, "/sign-up", **SECRETS)
    post(eve, "/sign-in", email=SECRETS["email"], password="canary wrong phrase")
    post(eve, "/sign-in", email=SECRETS["email"], password=SECRETS["password"])
    link = accounts.make_reset_link(SECRETS["email"])
    answers.append(eve.get(link))
    post(eve, link, password="canary new phrase")
    post(eve, "/forgot", email=SECRETS["email"])
    post(host, f"{room}/access", visibility="public", entry="approval", password="")
    post(eve, "/guest", display_name="Canary Two")
    post(eve, f"{room}/knock")
    post(host, f"{room}/access", visibility="public", entry="password", password="canary door word")
    post(eve, f"{room}/door", password="canary wrong door")
    post(eve, f"{room}/door", password="canary door word")
    post(host, f"{room}/messages", text=SECRETS["text"])
    post(host, f"{room}/people/{cast.members['cleo']}/ban", reason=SECRETS["reason"])
    post(host, f"{room}/settings", name=SECRETS["name"])
    post(host, "/rooms", name=SECRETS["name"])
    answers += [
        eve.get(path) for path in ("/library?search=canary", "/rooms/CANARY99", "/canary", "/reset/canary")
    ]
    assert {answer.status_code for answer in answers} >= {200, 303, 404} and len(lines.told()) >= len(answers)
    told = lines.getvalue().casefold()
    cookies = [each.value for each in eve.client._cookies.values()] + [
        each.value for each in host.client._cookies.values()
    ]
    for secret in (
        "canary",
        "203.0.113",
        "127.0.0.1",
        cast.code.casefold(),
        *(each.casefold() for each in cookies),
    ):
        assert secret not in told, secret
    assert link.rpartition("/")[2].casefold() not in told


def test_t32_a_failure_on_the_way_tells_nothing_either(
    cast: Cast, app: Flask, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    from party import links, people

    def broken(*values: object, **_: object) -> None:
        raise ValueError(f"no: {values}")

    monkeypatch.setattr(people, "enter", broken)
    monkeypatch.setattr(links, "read", broken)
    browser = Browser(app)
    token = "canary-Token-0123456789-abcdefghij"
    assert browser.post(f"/reset/{token}", password="a good pass phrase").status_code == 500
    assert browser.post("/guest", display_name="Canary Name").status_code == 500
    assert len([line for line in lines.told() if line["level"] == "error"]) == 2
    assert token not in lines.getvalue() and "Canary" not in lines.getvalue()
    assert "ValueError: no: ([words]" in lines.getvalue() and "party" in lines.getvalue()
