"""The front page, coming in with a name, and light or dark."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from models import Member, Room, User
from party import people, sessions
from tests.doors import COOKIE, Browser, make_app, tree, words
from tests.stage import Cast


def test_the_front_page_offers_to_join_and_to_start(nobody: Browser) -> None:
    answer = nobody.get("/")
    top = tree(answer)
    assert answer.status_code == 200
    assert [form.attrs["action"] for form in top.all() if form.tag == "form"] == [
        "/theme",
        "/join",
        "/rooms",
        "/#rooms",
    ]
    assert top.find("display-name").attrs["value"]
    assert not answer.headers.getlist("Set-Cookie")


def test_one_field_and_you_are_in(nobody: Browser) -> None:
    answer = nobody.post("/guest", display_name="  Eve ")
    assert (answer.status_code, answer.location) == (303, "/")
    cookie = nobody.client.get_cookie(COOKIE)
    assert cookie.http_only and cookie.same_site == "Lax" and cookie.path == "/"
    assert cookie.max_age == sessions.SESSION_DAYS * 86_400
    assert 'value="Eve"' in nobody.get("/").text
    assert cookie.value not in nobody.get("/").text


@pytest.mark.parametrize("name", [None, "", "   ", "\u200b", "x" * 51])
def test_without_a_usable_name_the_form_comes_again_with_a_sentence(
    nobody: Browser, name: str | None
) -> None:
    before = User.select().count()
    answer = nobody.post("/guest", **({} if name is None else {"display_name": name}))
    assert answer.status_code == 422
    assert "name" in tree(answer).find("display-name-error").children[0]
    assert User.select().count() == before


def test_a_name_given_again_is_a_new_name_and_not_a_new_person(cast: Cast, cleo: Browser) -> None:
    count = User.select().count()
    assert cleo.post("/guest", display_name="Cleopatra").status_code == 303
    assert (User.select().count(), User.get_by_id(cast.cleo.user_id).display_name) == (count, "Cleopatra")


LOCAL = ["/", "/rooms/ABCDEFGH", "/rooms/ABCDEFGH?tab=people", "/library?search=a%20b"]
ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/%0d%0aSet-Cookie:%20a=b\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "http:evil.example",
    "https:/evil.example",
    "/\u2028/evil.example",
    "/\x00/evil.example",
    "",
]


@pytest.mark.parametrize("address", ["/guest", "/theme"])
def test_next_leads_to_a_page_of_ours_or_to_the_front_page(nobody: Browser, address: str) -> None:
    for wanted in LOCAL:
        answer = nobody.post(address, display_name="Eve", theme="dark", next=wanted)
        assert (answer.status_code, answer.location) == (303, wanted)
    for wanted in ELSEWHERE:
        answer = nobody.post(address, display_name="Eve", theme="dark", next=wanted)
        assert (answer.status_code, answer.location) == (303, "/"), wanted
        assert "a=b" not in str(answer.headers.getlist("Set-Cookie"))


def test_a_code_typed_in_any_form_leads_to_its_room(cast: Cast, dan: Browser) -> None:
    for typed in (cast.code, cast.code.lower(), f" {cast.code[:4]}-{cast.code[4:]} "):
        answer = dan.post("/join", code=typed)
        assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert Member.select().where(Member.user == cast.dan.user_id).count() == 1


def test_joining_with_a_name_beside_the_code_makes_a_person(cast: Cast, nobody: Browser) -> None:
    answer = nobody.post("/join", code=cast.code, display_name="Eve")
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert Member.select().count() == 4
    assert "Eve" in nobody.get(answer.location).text


def test_joining_without_a_name_asks_for_one_and_keeps_the_code(cast: Cast, nobody: Browser) -> None:
    answer = nobody.post("/join", code=cast.code)
    assert answer.status_code == 401
    assert tree(answer).find("join-code").attrs["value"] == cast.code
    assert tree(answer).find("display-name-error").children
    assert Member.select().count() == 3


@pytest.mark.parametrize("typed", ["ABCDEFGH", "abc", "", "<script>", "x" * 5_000])
def test_a_code_nobody_has_gets_a_friendly_word(
    cast: Cast, nobody: Browser, dan: Browser, typed: str
) -> None:
    for answer in (nobody.post("/join", code=typed), dan.post("/join", code=typed)):
        assert answer.status_code == 404
        assert "No room answers to that code" in words(answer)
        assert "<script>" not in answer.text


def test_a_code_whose_party_is_over_shows_what_was(cast: Cast, dan: Browser) -> None:
    Room.update(state="EXPIRED").execute()
    answer = dan.post("/join", code=cast.code)
    assert answer.status_code == 410
    assert "This party is over" in words(answer)
    assert Member.select().count() == 3


def test_a_room_of_ones_own(cast: Cast, nobody: Browser) -> None:
    answer = nobody.post("/rooms", name="  Saturday ", display_name="Eve")
    assert answer.status_code == 303
    room = Room.get(Room.name == "Saturday")
    assert answer.location == f"/rooms/{room.code}"
    assert room.grace_seconds == 300
    page = nobody.get(answer.location)
    assert tree(page).find("mine").attrs["data-role"] == "host"
    assert f"{room.code[:4]} {room.code[4:]}" in nobody.get("/").text


@pytest.mark.parametrize(
    ("form", "status"), [({"name": ""}, 422), ({"name": "x" * 61}, 422), ({}, 422), ({"name": "A"}, 401)]
)
def test_no_room_without_both_names(cast: Cast, nobody: Browser, form: dict[str, str], status: int) -> None:
    answer = nobody.post("/rooms", **form)
    assert answer.status_code == status
    assert tree(answer).find("room-error") is not None
    assert Room.select().count() == 1


def test_light_or_dark_is_remembered(nobody: Browser) -> None:
    assert "data-theme" not in nobody.get("/").text.split(">")[1]
    for theme in ("dark", "light"):
        nobody.post("/theme", theme=theme)
        assert f'<html lang="en" data-theme="{theme}">' in nobody.get("/").text
    nobody.post("/theme", theme="system")
    assert '<html lang="en">' in nobody.get("/").text
    assert nobody.post("/theme", theme="pink").status_code == 422


def test_a_session_survives_a_restart(cast: Cast, nobody: Browser) -> None:
    nobody.post("/guest", display_name="Eve")
    again = Browser(make_app())
    again.client.set_cookie(COOKIE, nobody.client.get_cookie(COOKIE).value, domain="localhost")
    assert 'value="Eve"' in again.get("/").text


def test_two_tabs_are_one_person(cast: Cast, app: Flask, nobody: Browser) -> None:
    nobody.post("/guest", display_name="Eve")
    tab = Browser(app)
    tab.client.set_cookie(COOKIE, nobody.client.get_cookie(COOKIE).value, domain="localhost")
    seats = {
        tree(each.get(f"/rooms/{cast.code}")).find("mine").attrs["data-member"] for each in (nobody, tab)
    }
    assert len(seats) == 1
    assert Member.select().count() == 4


@pytest.mark.parametrize("token", ["", "x", "x" * 2_000, "é", "' OR 1=1 --"])
def test_a_made_up_session_opens_nothing(cast: Cast, app: Flask, token: str) -> None:
    browser = Browser(app)
    browser.client.set_cookie(COOKIE, token, domain="localhost")
    assert browser.get("/").status_code == 200
    assert browser.post(f"/rooms/{cast.code}/leave").status_code == 401


def test_a_session_that_was_ended_opens_nothing(cast: Cast, nobody: Browser) -> None:
    nobody.post("/guest", display_name="Eve")
    people.sign_out(nobody.client.get_cookie(COOKIE).value)
    assert nobody.post(f"/rooms/{cast.code}/queue", track_id=1).status_code == 401


def test_over_https_the_cookie_is_bound_to_the_host(cast: Cast) -> None:
    browser = Browser(make_app(public_url="https://party.example"))
    answer = browser.post("/guest", display_name="Eve")
    [cookie] = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith(f"__Host-{COOKIE}=")
    assert "Secure" in cookie and "HttpOnly" in cookie and "Domain" not in cookie


HOSTILE = ['<script>alert("x")</script>', '"><img src=x onerror=1>', "{{ 1234*5678 }}", "' onmouseover='x"]


@pytest.mark.parametrize("name", HOSTILE)
def test_t3_a_hostile_name_is_text_everywhere(cast: Cast, nobody: Browser, ada: Browser, name: str) -> None:
    nobody.post("/guest", display_name=name)
    code = nobody.post("/rooms", name=name).location.rpartition("/")[2]
    ada.post("/guest", display_name=name)
    cast.add(3)
    for browser, path in ((nobody, "/"), (nobody, f"/rooms/{code}"), (ada, f"/rooms/{cast.code}")):
        page = browser.get(path)
        assert page.status_code == 200
        for node in tree(page).all():
            assert not any(attribute.startswith("on") for attribute in node.attrs), node
            assert node.tag != "script" or (node.attrs.get("src") or "").startswith("/static/")
            is_ours = re.fullmatch(r"/media/.*|/rooms/[A-Z0-9]{8}/qr\.svg", node.attrs.get("src") or "")
            assert node.tag != "img" or is_ours
        assert "7006652" not in words(page)
