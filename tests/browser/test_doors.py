"""Doors as people meet them: knocking and being let in or not, and being banned while everybody else goes on."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.browser.patience import eventually
from tests.browser.story import Party, Seat

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser

# What the socket of a page brought, kept where it outlives the page: up to which number, when, and how it ended.
LISTEN = """(() => {
  const Plain = WebSocket;
  const kept = JSON.parse(sessionStorage.getItem('heard') ?? '{"frames": 0, "number": 0}');
  const keep = (news) => sessionStorage.setItem('heard', JSON.stringify(Object.assign(kept, news)));
  window.WebSocket = class extends Plain {
    constructor(...where) {
      super(...where);
      this.addEventListener('message', ({ data }) => {
        const to = /id="frame"[^>]*data-to="(\\d+)"/.exec(data)?.[1];
        if (to) keep({ frames: kept.frames + 1, number: Math.max(kept.number, Number(to)), at: Date.now() });
      });
      this.addEventListener('close', ({ code }) => keep({ code, closedAt: Date.now() }));
    }
  };
})()"""
HEARD = "() => JSON.parse(sessionStorage.getItem('heard') ?? '{}')"
CLICKS = """() => addEventListener('click', ({ target }) => {
  if (target.closest('#ban [type="submit"]')) window.clickedAt = Date.now();
}, true)"""


def knocker(party: Party, name: str, **options: object) -> Seat:
    """Somebody new who types the room's code, gives a name, and knocks."""
    seat = party.browse(**options)
    seat.page.goto(party.url)
    seat.page.fill("#join-code", party.code)
    seat.page.fill("#display-name", name)
    seat.page.click("#join button")
    expect(seat.page.get_by_role("heading", name="Knock first")).to_be_visible()
    seat.page.click(".door__form button[type=submit]")
    expect(seat.page.get_by_role("heading", name="You knocked")).to_be_visible()
    return seat


def test_one_who_knocks_is_let_in_and_another_is_told_no(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada = party.visit("Ada")
    ada.page.click("[data-open=settings]")
    ada.page.check("#access-approval")
    ada.page.click("#access-save")
    expect(ada.page.locator("#requests")).to_be_visible()
    ada.page.keyboard.press("Escape")
    ada.page.click("#requests-sum")

    ben = knocker(party, "Ben")
    expect(ada.page.locator("#requests-sum")).to_contain_text("Ben is at the door")
    cleo = knocker(party, "Cleo")
    expect(ada.page.locator(".tray__count")).to_have_text("2")
    for seat in (ben, cleo):
        seat.loads = 0

    ada.page.get_by_role("button", name="Let in Ben").click()
    ben.page.wait_for_url(f"**/rooms/{party.code}")
    ben.live()
    assert ben.loads == 1, "the page goes in by itself, once"
    expect(ada.page.locator("#people")).to_contain_text("Ben")
    ben.is_fresh()

    ada.page.get_by_role("button", name="Not now, Cleo").click()
    expect(cleo.page.get_by_role("heading", name="Not just now")).to_be_visible()
    expect(ada.page.locator("#requests .ask")).to_have_count(0)
    assert cleo.loads == 0
    cleo.page.goto(f"{party.url}/rooms/{party.code}")
    expect(cleo.page.locator("#queue")).to_have_count(0)

    cleo.page.click("button:has-text('Knock')")
    expect(ada.page.locator("#requests-sum")).to_contain_text("Cleo is at the door")
    cleo.page.click("#knock-stop")
    expect(ada.page.locator("#requests .ask")).to_have_count(0)
    expect(ada.page.locator("#requests-sum")).to_contain_text("Nobody just now")
    for seat in (ada, ben):
        seat.is_fresh()


@contextmanager
def voting(party: Party, name: str) -> Iterator[None]:
    """Meanwhile somebody votes up and down without a pause."""
    is_over, guest, items = threading.Event(), party.guests[name], party.items()

    def act() -> None:
        value = 1
        while not is_over.is_set():
            for item in items:
                guest.vote(party.code, item, value)
                is_over.wait(0.02)
            value = -value

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_whoever_is_banned_while_the_room_streams_hears_nothing_more_and_is_told_why(party: Party) -> None:
    party.begin("Ada", tracks=6)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    cleo = party.visit("Cleo")
    cleo.page.add_init_script(LISTEN)
    cleo.page.reload()
    cleo.live()
    ada.page.evaluate(CLICKS)
    with voting(party, "Ben"):
        eventually(cleo.page, lambda: cleo.page.evaluate(HEARD).get("frames", 0) > 5)
        ada.page.locator("#people .person", has_text="Cleo").locator(".person__more").click()
        ada.page.get_by_role("menuitem", name="Ban").click()
        ada.page.fill("#ban-reason", "Enough <b>noise</b>")
        ada.page.click("#ban button[type=submit]")
        expect(cleo.page.get_by_role("heading", name="Not this room")).to_be_visible()
        expect(cleo.page.locator("#main")).to_contain_text("Enough <b>noise</b>")
        banned = party.house.value(
            "SELECT max(event.seq) FROM event JOIN room ON room.id = room_id"
            " WHERE code = ? AND kind = 'person_banned'",
            party.code,
        )
        # The room streams on: nothing of it may still arrive.
        eventually(ben.page, lambda: party.house.head(party.code) > banned + 20)
    heard = cleo.page.evaluate(HEARD)
    assert heard["code"] == 4403 and heard["number"] < banned
    clicked_at = ada.page.evaluate("() => clickedAt")
    print(
        f"\nfrom the click on Ban: {heard['at'] - clicked_at} ms to the last frame,"
        f" {heard['closedAt'] - clicked_at} ms to the close; {heard['frames']} frames before"
    )
    for seat in (ada, ben):
        expect(seat.page.locator("#people")).not_to_contain_text("Cleo")
        seat.is_fresh()
    assert cleo.page.goto(f"{party.url}/rooms/{party.code}").status == 403
    expect(cleo.page.locator("#queue")).to_have_count(0)

    ada.page.click("[data-open=settings]")
    ada.page.click("#banned summary")
    ada.page.get_by_role("button", name="Lift the ban on Cleo").click()
    expect(ada.page.locator("#bans")).to_contain_text("Nobody is banned")
    cleo.page.goto(f"{party.url}/rooms/{party.code}")
    cleo.live()
    expect(ben.page.locator("#people")).to_contain_text(re.compile("Cleo"))
