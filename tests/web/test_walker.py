"""T2 and T27: nothing anywhere is changed by a foreign page, by reading, or by a cookie that was signed out."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from models import Member, Room, Session, User, database
from party import people, rooms, sessions
from party.change import Person
from tests.doors import COOKIE, Browser, session_for
from tests.ledger import every_row
from tests.stage import Cast
from tests.web.walk import FORM, changing, furnish, reading

FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example", "Referer": "http://localhost/"},
]


@pytest.fixture
def boss(app: Flask, cast: Cast) -> Browser:
    """Ada, who hosts and is an admin too: nobody may do more."""
    User.update(is_admin=True, email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    return Browser(app, cast.ada)


def ask(browser: Browser, method: str, path: str, headers: dict[str, str], **rest: object) -> TestResponse:
    """A request with exactly these headers."""
    database.obj.close()
    answer = browser.client.open(path, method=method, headers=headers, **rest)
    database.obj.connect(reuse_if_open=True)
    return answer


@pytest.mark.parametrize("headers", FOREIGN)
def test_t2_nothing_can_be_done_from_a_foreign_page(
    cast: Cast, app: Flask, boss: Browser, headers: dict[str, str]
) -> None:
    addresses = changing(app, furnish(cast))
    assert len(addresses) >= 60
    before = every_row()
    for method, path in addresses:
        answer = ask(boss, method, path, headers, data=FORM | {"code": cast.code, "room": cast.code})
        assert answer.status_code == 403, (method, path)
        assert not answer.headers.getlist("Set-Cookie"), path
    assert every_row() == before


def test_the_same_requests_from_our_own_page_do_change_things(cast: Cast, app: Flask, boss: Browser) -> None:
    addresses = changing(app, furnish(cast))
    before, statuses = every_row(), set()
    for method, path in addresses:
        if not re.search(r"/(leave|end|deletion|sign-out.*|delete|removal)$", path):
            answer = ask(
                boss, method, path, {"Sec-Fetch-Site": "same-origin"}, data=FORM | {"room": cast.code}
            )
            statuses.add(answer.status_code)
            assert answer.status_code < 500, (method, path)
    # Otherwise the walk above would only prove that nothing works at all.
    assert every_row() != before and statuses >= {303}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_t2_nothing_changes_by_reading(cast: Cast, app: Flask, boss: Browser, method: str) -> None:
    values = furnish(cast)
    addresses = reading(app, values)
    assert len(addresses) >= 30
    before = every_row()
    for path in addresses:
        for query in ("", "?action=skip&value=1&decision=approve&page=1&search=x"):
            answer = ask(boss, method, path + query, {"Sec-Fetch-Site": "cross-site"})
            assert answer.status_code < 500 or path == "/readyz", path
    assert every_row() == before


def test_only_a_seat_is_taken_by_opening_a_room(cast: Cast, app: Flask) -> None:
    eve = Person(people.enter("Eve")[0])
    values = furnish(cast)
    browser = Browser(app, eve)
    before = every_row()
    for path in reading(app, values):
        if not path.endswith(cast.code):
            browser.get(path)
            assert every_row() == before, path
    browser.get(f"/rooms/{cast.code}")
    after = every_row()
    assert {name for name in after if after[name] != before[name]} == {"Member", "Event", "Room"}
    assert Member.select().where(Member.user == eve.user_id).count() == 1


def test_a_session_is_renewed_by_using_it_and_nothing_else(cast: Cast, app: Flask, time) -> None:
    browser = Browser(app, cast.ada)
    time.move(7_200)
    before = every_row()
    browser.get("/library")
    after = every_row()
    assert {name for name in after if after[name] != before[name]} == {"Session"}


def test_a_head_says_what_a_get_would(cast: Cast, app: Flask, boss: Browser) -> None:
    for path in reading(app, furnish(cast)):
        if not path.endswith("/live"):
            assert boss.ask("HEAD", path).status_code == boss.get(path).status_code, path


def is_known(browser: Browser, cast: Cast) -> bool:
    """True when the browser's cookie opens a session."""
    answer = browser.post(f"/rooms/{cast.code}/queue/999/vote", value="1")
    assert answer.status_code in (401, 404)
    return answer.status_code != 401


@pytest.mark.parametrize("path", ["/sign-out", "/sign-out-everywhere"])
def test_t27_an_old_cookie_is_anonymous_after_signing_out(cast: Cast, app: Flask, path: str) -> None:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    token = session_for(cast.ada)
    browser, thief = Browser(app), Browser(app)
    for each in (browser, thief):
        each.client.set_cookie(COOKIE, token, domain="localhost")
    assert is_known(browser, cast) and is_known(thief, cast)
    assert browser.post(path).status_code == 303
    assert not is_known(thief, cast) and not is_known(browser, cast)
    assert not Session.select().where(Session.token_hash == sessions.hashed(token)).exists()
    assert thief.get("/account").status_code in (302, 401, 403)


def test_t27_a_cookie_somebody_chose_becomes_nobodys_session(cast: Cast, app: Flask) -> None:
    chosen = "chosen-by-somebody-else-and-planted"
    browser = Browser(app)
    browser.client.set_cookie(COOKIE, chosen, domain="localhost")
    answer = browser.post("/guest", display_name="Eve")
    assert answer.status_code == 303
    given = answer.headers.getlist("Set-Cookie")
    assert any(each.startswith(f"{COOKIE}=") for each in given) and chosen not in " ".join(given)
    planted = Browser(app)
    planted.client.set_cookie(COOKIE, chosen, domain="localhost")
    assert not is_known(planted, cast)


def test_t27_the_cookie_is_kept_from_scripts_and_other_sites(cast: Cast, app: Flask) -> None:
    answer = Browser(app).post("/guest", display_name="Eve")
    [cookie] = [each for each in answer.headers.getlist("Set-Cookie") if each.startswith(COOKIE)]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_walking_reaches_everything_that_was_furnished(cast: Cast, app: Flask) -> None:
    values = furnish(cast)
    rules = " ".join(rule.rule for rule in app.url_map.iter_rules())
    unused = {name for name in values if f"{name.rpartition('.')[2]}>" not in rules}
    assert unused == set() and Room.select().count() == 1 and rooms.find(cast.code) is not None
