"""The chat by URL: with our scripts and without, and what hostile words come to."""

from __future__ import annotations

import pytest
from flask import Flask

from models import Message, Reaction
from party import chat
from tests.doors import Browser, tree, words
from tests.screen import Screen
from tests.stage import Cast
from web import chat as door

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '<li id="frame" hx-swap-oob="true" data-to="9">',
    "https://a.example/\"onclick='x' <b>",
    "{{ 7 * 7 }} {% raw %}",
    "' hx-get='/' data-hx-post=\"/\"",
)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    door.taps_allowed._acts.clear()


@pytest.fixture
def cleo(app: Flask, cast: Cast) -> Browser:
    return Browser(app, cast.cleo, htmx=True)


def address(cast: Cast, rest: str = "") -> str:
    return f"/rooms/{cast.code}/messages{rest}"


def position(cast: Cast) -> dict[str, str]:
    room = cast.seen()
    return {"X-Partyline-Epoch": room.epoch, "X-Partyline-After": str(room.seq)}


def test_what_is_said_comes_back_as_one_line_for_the_end(cast: Cast, cleo: Browser) -> None:
    answer = cleo.post(address(cast), position(cast), text="hello there")
    assert answer.status_code == 200
    [new] = [node for node in tree(answer).all() if node.id == "chat-new"]
    assert new.attrs["hx-swap-oob"] == "beforeend:#chat-list"
    assert [line.id for line in new.children] == [f"message-{Message.get().id}"]
    assert "hello there" in words(answer)


def test_the_same_key_says_it_once(cast: Cast, cleo: Browser) -> None:
    for _ in range(3):
        assert cleo.post(address(cast), {"Idempotency-Key": "k"}, text="hello").status_code == 200
    assert Message.select().count() == 1


def test_a_plain_form_works_and_leads_back_to_the_room(app: Flask, cast: Cast) -> None:
    browser = Browser(app, cast.cleo)
    answer = browser.post(address(cast), text="hello", reply_to="")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rooms/{cast.code}")
    page = browser.get(f"/rooms/{cast.code}")
    assert "hello" in words(page)
    form = tree(page).find("chat-form")
    assert form.attrs["action"] == address(cast) and form.attrs["method"] == "post"


def test_refusals_are_sentences(cast: Cast, cleo: Browser) -> None:
    for form, status in (
        ({"text": " "}, 422),
        ({"text": "x" * 5_000}, 422),
        ({"text": "a", "reply_to": "9"}, 404),
    ):
        assert cleo.post(address(cast), **form).status_code == status
    assert cleo.post(address(cast), text="x" * 1_000_000).status_code == 413
    assert Message.select().count() == 0
    cleo.post(address(cast), text="hello")
    again = cleo.post(address(cast), text="hello")
    assert again.status_code == 429 and "a moment ago" in words(again)


def test_a_word_after_a_slash_answers_with_a_note(cast: Cast, cleo: Browser) -> None:
    answer = cleo.post(address(cast), text="/help")
    assert answer.status_code == 200 and "/skip" in words(answer)
    assert cleo.post(address(cast), text="/dance").status_code == 422
    assert Message.select().count() == 0


def test_deleting_and_reacting(cast: Cast, cleo: Browser, app: Flask, time) -> None:
    cleo.post(address(cast), text="hello")
    message = Message.get().id
    ben = Browser(app, cast.ben, htmx=True)
    answer = ben.post(address(cast, f"/{message}/reactions"), position(cast), emoji="🎉")
    assert answer.status_code == 200
    [line] = [node for node in tree(answer).all() if node.id == f"message-{message}"]
    assert line.attrs["hx-swap-oob"] == "outerMorph"
    assert ben.post(address(cast, f"/{message}/reactions"), emoji="<x>").status_code == 422
    assert ben.delete(address(cast, f"/{message}/reactions?emoji=🎉")).status_code == 200
    assert Reaction.select().count() == 0
    assert Browser(app, cast.dan, htmx=True).delete(address(cast, f"/{message}")).status_code == 403
    assert cleo.delete(address(cast, f"/{message}")).status_code == 200
    assert Message.get().text == ""
    assert cleo.post(address(cast, "/99999/removal")).status_code == 404


def test_earlier_messages_come_for_the_top_and_only_to_people_inside(
    cast: Cast, cleo: Browser, app: Flask, time
) -> None:
    for number in range(60):
        time.move(1)
        chat.say(cast.ben, cast.code, f"word {number}")
    page = tree(cleo.get(f"/rooms/{cast.code}"))
    back = page.find("chat-back").attrs["hx-get"]
    answer = cleo.get(back)
    earlier = tree(answer).find("chat-earlier")
    assert earlier.attrs["hx-swap-oob"] == "afterbegin:#chat-list" and len(earlier.children) == 10
    assert tree(answer).find("chat-back") is None
    assert Browser(app, cast.dan, htmx=True).get(back).status_code == 403
    assert Browser(app, htmx=True).get(back).status_code == 401
    assert cleo.get(address(cast, "?before=x")).status_code == 422


def test_a_stranger_at_the_door_does_not_hear_what_is_said(cast: Cast, app: Flask) -> None:
    chat.say(cast.ben, cast.code, "a canary sings")
    assert "canary" not in Browser(app).get(f"/rooms/{cast.code}").get_data(as_text=True)


def test_hostile_words_make_the_same_tree_as_plain_ones(cast: Cast, cleo: Browser, time) -> None:
    def shape(text: str) -> list[tuple[str, list[str]]]:
        time.move(4)
        answer = cleo.post(address(cast), position(cast), text=text)
        [line] = [node for node in tree(answer).all() if node.id == f"message-{newest()}"]
        return [(node.tag, sorted(node.attrs)) for node in line.all() if node.tag != "a"]

    plain = shape("hello")
    for text in HOSTILE:
        assert shape(text) == plain, text


def newest() -> int:
    return Message.select().order_by(Message.id.desc()).get().id


def test_a_link_is_a_link_and_says_where_it_does_not_lead(cast: Cast, cleo: Browser) -> None:
    answer = cleo.post(address(cast), position(cast), text="see https://a.example/x now")
    [link] = [node for node in tree(answer).all() if node.tag == "a"]
    assert link.attrs == {
        "href": "https://a.example/x",
        "rel": "nofollow noopener noreferrer",
        "target": "_blank",
    }


def test_a_screen_with_every_change_equals_a_fresh_page(cast: Cast, cleo: Browser, time) -> None:
    screen = Screen(cleo.get(f"/rooms/{cast.code}").get_data(as_text=True).removeprefix("<!doctype html>"))
    first = chat.say(cast.ben, cast.code, "one")
    chat.say(cast.ada, cast.code, "two @Cleo", reply_to=first)
    cast.add(2)
    for step in (
        lambda: chat.react(cast.cleo, cast.code, first, "🔥"),
        lambda: chat.say(cast.cleo, cast.code, "three"),
        lambda: chat.delete_message(cast.ben, cast.code, first),
    ):
        headers = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
        answer = cleo.get(f"/rooms/{cast.code}/changes", headers).get_data(as_text=True)
        assert screen.apply(answer) == "applied"
        assert screen.apply(answer) == "old"
        step()
    headers = {"X-Partyline-Epoch": screen.epoch, "X-Partyline-After": str(screen.applied)}
    screen.apply(cleo.get(f"/rooms/{cast.code}/changes", headers).get_data(as_text=True))
    fresh = Screen(cleo.get(f"/rooms/{cast.code}").get_data(as_text=True).removeprefix("<!doctype html>"))
    assert screen.shows("chat") == fresh.shows("chat")


def test_taps_are_added_up_and_limited(cast: Cast, cleo: Browser, app: Flask, monkeypatch) -> None:
    tapped: list[tuple[str, int]] = []
    monkeypatch.setitem(app.config, "TAPS", lambda room, emoji, count: tapped.append((emoji, count)))
    assert cleo.post(f"/rooms/{cast.code}/taps", emoji="❤", count="12").status_code == 204
    assert tapped == [("❤️", 12)]
    for form in ({"emoji": "x"}, {"emoji": "❤", "count": "21"}, {"emoji": "❤", "count": "0"}):
        assert cleo.post(f"/rooms/{cast.code}/taps", **form).status_code == 422
    assert Browser(app, cast.dan, htmx=True).post(f"/rooms/{cast.code}/taps", emoji="❤").status_code == 403
    for _ in range(149):
        cleo.post(f"/rooms/{cast.code}/taps", emoji="❤")
    assert cleo.post(f"/rooms/{cast.code}/taps", emoji="❤").status_code == 429
