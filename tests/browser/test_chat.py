"""People who talk: what shows at once, what is kept, and what a reader's hands and eyes do not lose."""

from __future__ import annotations

import re
import sqlite3

import pytest
from playwright.sync_api import expect

from tests.browser.story import Party, Seat, held

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
AT_END = """() => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById('chat-log');
  return scrollHeight - scrollTop - clientHeight < 4;
}"""
# A sign is gone again before a slow look at the page.
FLOATED = """() => {
  window.floated = [];
  const keep = (changes) => {
    for (const { addedNodes } of changes) floated.push(...[...addedNodes].map((one) => one.textContent));
  };
  new MutationObserver(keep).observe(document.getElementById('floats'), { childList: true });
}"""
SCROLLED = "() => document.getElementById('chat-log').scrollTop"


def write(seat: Seat, text: str) -> None:
    seat.page.fill("#chat-text", text)
    seat.page.keyboard.press("Enter")


def said(seat: Seat) -> list[str]:
    """What the messages on a screen say."""
    return seat.page.eval_on_selector_all(
        "#chat-list > .msg:not([hidden])",
        "(rows) => rows.map((row) => row.querySelector('.msg__text').textContent)",
    )


def test_two_people_talk_answer_react_and_take_it_back(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    with held(ada.page, "**/messages") as waiting:
        write(ada, "hello <b>you</b> https://a.example/x")
        expect(ada.page.locator(".msg--pending")).to_contain_text("hello <b>you</b>")
        expect(ada.page.locator("#chat-text")).to_have_value("")
        waiting.wait_for(1)
    expect(ben.page.locator("#chat-list .msg")).to_contain_text("hello <b>you</b>")
    expect(ada.page.locator(".msg--pending")).to_have_count(0)
    expect(ada.page.locator("#chat-list .msg")).to_have_count(1)
    link = ben.page.locator(".msg__text a")
    expect(link).to_have_attribute("href", "https://a.example/x")
    expect(link).to_have_attribute("rel", "nofollow noopener noreferrer")

    ben.page.locator("#chat-list .msg").hover()
    ben.page.click(".msg__more")
    ben.page.click("#message-answer")
    expect(ben.page.locator("#chat-reply")).to_contain_text("Answer to Ada")
    ben.page.keyboard.press("Escape")
    expect(ben.page.locator("#chat-reply")).to_be_hidden()
    ben.page.click(".msg__more")
    ben.page.click("#message-answer")
    ben.page.keyboard.type("yes @Ada")
    expect(ada.page.locator("#chat-typing")).to_have_text("Ben is typing")
    ben.page.keyboard.press("Shift+Enter")
    ben.page.keyboard.type("indeed")
    ben.page.keyboard.press("Enter")
    expect(ada.page.locator(".msg.is-mention")).to_contain_text("indeed")
    expect(ada.page.locator(".msg.is-mention .msg__reply")).to_contain_text("Ada: hello")
    expect(ada.page.locator("#chat-typing")).to_have_text("")
    assert said(ada) == said(ben) and "yes @Ada\nindeed" in said(ada)[1]

    ada.page.locator(".msg.is-mention").hover()
    ada.page.click(".msg.is-mention .msg__more")
    ada.page.click("#message-sign-3")
    sign = ada.page.locator(".sign")
    expect(sign).to_have_attribute("aria-pressed", "true")
    expect(ben.page.locator(".sign")).to_have_attribute("aria-pressed", "false")
    ben.page.click(".sign")
    expect(sign).to_contain_text("2")
    sign.click()
    expect(sign).to_have_attribute("aria-pressed", "false")
    expect(ben.page.locator(".sign .n")).to_have_text("1")

    ada.page.locator("#chat-list .msg").first.hover()
    ada.page.locator(".msg__more").first.click()
    ada.page.click("#message-delete")
    expect(ben.page.locator("#chat-list .msg").first).to_contain_text("This message was deleted.")
    expect(ben.page.locator(".msg__reply")).to_contain_text("deleted")
    for seat in (ada, ben):
        seat.is_fresh()
        assert seat.loads == 1


def test_words_that_did_not_get_through_stay_and_are_said_once(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    write(ada, "first")
    expect(ben.page.locator("#chat-list .msg")).to_have_count(1)
    ada.page.route("**/messages", lambda route: route.abort())
    write(ada, "second")
    expect(ada.page.locator(".msg--pending.is-lost")).to_contain_text("Not sent.")
    ada.page.unroute("**/messages")
    ada.page.click(".msg__again")
    expect(ben.page.locator("#chat-list .msg")).to_have_count(2)
    expect(ada.page.locator(".msg--pending")).to_have_count(0)
    write(ada, "second")
    expect(ada.page.locator("#notice")).to_contain_text("a moment ago")
    expect(ada.page.locator("#chat-text")).to_have_value("second")
    write(ada, "/nonsense")
    expect(ada.page.locator("#notice")).to_contain_text("/skip")
    assert said(ben) == said(ada) == ["first", "second"]


def test_a_reader_keeps_their_place_and_their_half_typed_words(party: Party) -> None:
    party.begin("Ada", tracks=1)
    guests = [party.house.person(name) for name in ("Gil", "Hana", "Ivo")]
    for guest in guests:
        guest.join(party.code)
    for number in range(75):
        _say(party, guests[number % 3].name, number)
    ben = party.visit("Ben")
    page = ben.page
    page.wait_for_function(AT_END)
    expect(page.locator("#chat-list .msg")).to_have_count(50)
    page.fill("#chat-text", "half a thou")
    page.eval_on_selector("#chat-log", "(log) => { log.scrollTop = 0; }")
    expect(page.locator("#chat-list .msg")).to_have_count(75)
    # What was read stays where it was.
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    top = page.evaluate(SCROLLED)
    party.guests["Ada"].post(f"/rooms/{party.code}/messages", text="news for Ben")
    expect(page.locator("#chat-jump")).to_be_visible()
    page.wait_for_function(f"(top) => Math.abs(({SCROLLED})() - top) < 2", arg=top)
    expect(page.locator(".is-first-new")).to_contain_text("news for Ben")
    # Everything is drawn anew; what hands hold stays.
    party.guests["Ada"].post(f"/rooms/{party.code}/mode", mode="hand")
    expect(page.locator("#mode-open")).to_contain_text("By hand")
    page.wait_for_function(f"(top) => Math.abs(({SCROLLED})() - top) < 2", arg=top)
    expect(page.locator("#chat-list .msg")).to_have_count(76)
    expect(page.locator("#chat-text")).to_have_value("half a thou")
    page.click("#chat-jump")
    page.wait_for_function(AT_END)
    expect(page.locator("#chat-jump")).to_be_hidden()
    page.click("#chat-fold")
    expect(page.locator("#chat-list .event").first).to_be_hidden()


def _say(party: Party, name: str, number: int) -> None:
    """A message of long ago, past the limits of haste."""
    connection = sqlite3.connect(party.house.database, timeout=30)
    with connection:
        [(room, member)] = connection.execute(
            "SELECT room.id, member.id FROM member JOIN person ON person.id = user_id JOIN room ON room.id = room_id"
            " WHERE code = ? AND display_name = ?",
            (party.code, name),
        ).fetchall()
        connection.execute(
            "INSERT INTO message (room_id, member_id, text, mentions, said_at) VALUES (?, ?, ?, '[]', ?)",
            (room, member, f"word {number} of {name}", 1_700_000_000_000 + number),
        )
    connection.close()


def test_a_phone_shows_that_there_is_news_behind_the_tab(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben = party.visit("Ada"), party.visit("Ben", **PHONE)
    tab = ben.page.locator('#tabs [data-tab="people"]')
    write(ada, "anybody there")
    expect(tab).to_have_class(re.compile("has-new"))
    expect(tab).to_contain_text("1 new message")
    write(ada, "@Ben hello")
    expect(tab).to_have_class(re.compile("has-mention"))
    tab.click()
    expect(ben.page.locator("#chat-list .msg").last).to_be_in_viewport()
    expect(tab).not_to_have_class(re.compile("has-new"))
    expect(ben.page.locator("#chat-text")).to_be_in_viewport()


def test_taps_float_on_every_screen_and_stay_nowhere(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben = (
        party.visit("Ada", reduced_motion="no-preference"),
        party.visit("Ben", reduced_motion="no-preference"),
    )
    for seat in (ada, ben):
        seat.page.evaluate(FLOATED)
    for _ in range(3):
        ada.page.click("#tap-2")
    for seat in (ada, ben):
        seat.page.wait_for_function("() => floated.length")
        assert set(seat.page.evaluate("floated")) == {"🔥"}
        expect(seat.page.locator(".float")).to_have_count(0)


def test_the_host_sees_whose_player_does_not_keep_up(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben = party.visit("Ada"), party.visit("Ben").in_step()
    ben.page.evaluate("() => Object.defineProperty(partyline.player, 'isBlocked', { get: () => true })")
    expect(ada.page.locator("#steps")).to_have_text(re.compile(r"1 still muted by their browser.*Ben", re.S))
    expect(ben.page.locator("#steps")).not_to_contain_text("Ben")


def test_coming_and_going_is_told_calmly(party: Party) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    guests = [party.house.person(name) for name in ("Ben", "Cleo")]
    for guest in guests:
        guest.join(party.code)
    # Without browsers of their own, which take their time: who comes within four seconds is told of together.
    with guests[0].socket(party.code) as ben, guests[1].socket(party.code):
        expect(ada.page.locator("#announcer")).to_contain_text("Ben and Cleo are here")
        ben.close()
        expect(ada.page.locator("#announcer")).to_contain_text("Ben left")


def test_a_flood_is_paused_and_disturbs_nobody(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, ben, cleo = party.visit("Ada", **PHONE), party.visit("Ben"), party.visit("Cleo")
    cleo.page.locator("#chat-text").press_sequentially("I was about to say")
    cleo.page.keyboard.press("Home")
    words = [f"word {number}" for number in range(1, 7)]
    with held(ben.page, "**/messages") as waiting:
        for word in words:
            write(ben, word)
        # All six reach the house within one breath, however slowly they were typed.
        waiting.wait_for(6)
    expect(ben.page.locator("#notice")).to_contain_text("Easy. You can write again in")
    expect(ben.page.locator("#chat-list .msg:not([hidden])")).to_have_count(5)
    expect(ben.page.locator(".msg--pending")).to_have_count(0)
    expect(cleo.page.locator("#chat-list .msg")).to_have_count(5)
    kept = ben.page.input_value("#chat-text")
    assert sorted([*said(cleo), kept]) == words and said(ben) == said(cleo)
    expect(ada.page.locator('#tabs [data-tab="people"]')).to_contain_text("5 new messages")
    expect(cleo.page.locator("#chat-text")).to_be_focused()
    cleo.page.keyboard.type("Yes, ")
    expect(cleo.page.locator("#chat-text")).to_have_value("Yes, I was about to say")
    cleo.page.keyboard.press("Enter")
    expect(ben.page.locator("#chat-list .msg").last).to_contain_text("Yes, I was about to say")
    expect(ben.page.locator("#chat-text")).to_have_value(kept)
    expect(ada.page.locator('#tabs [data-tab="people"]')).to_contain_text("6 new messages")
    assert [seat.loads for seat in (ada, ben, cleo)] == [1, 1, 1]
