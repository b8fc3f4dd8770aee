"""A class on three phones, by touch alone: who knocks is let in, who suggests is heard, and nothing is too wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.story import Party, Seat

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FITS = "() => document.documentElement.scrollWidth <= innerWidth && innerWidth === 390"
BY_HAND = """addEventListener('pointerdown', ({ pointerType }) => {
  window.pointers = new Set([...(window.pointers ?? []), pointerType]);
}, true)"""
POINTERS = "() => [...(window.pointers ?? ['touch'])]"


def go_to(seat: Seat, tab: str) -> Page:
    """One of the four tabs; nothing on it is wider than the phone."""
    seat.page.tap(f'#tabs [data-tab="{tab}"]')
    expect(seat.page.locator(f'#tabs [data-tab="{tab}"]')).to_have_attribute("aria-current", "page")
    assert seat.page.evaluate(FITS), tab
    return seat.page


def tap(page: Page, name: str) -> None:
    """The button of this name, by touch."""
    page.get_by_role("button", name=name, exact=True).tap()


def come_to_the_door(party: Party, name: str) -> Seat:
    """From the front page to waiting at the door."""
    seat = party.browse(**PHONE)
    seat.page.add_init_script(BY_HAND)
    seat.page.goto(party.url)
    seat.page.fill("#join-code", party.code.lower())
    seat.page.fill("#display-name", name)
    tap(seat.page, "Join the room")
    expect(seat.page.get_by_role("heading", name="Knock first")).to_be_visible()
    assert seat.page.evaluate(FITS)
    tap(seat.page, "Knock")
    expect(seat.page.get_by_role("heading", name="You knocked")).to_be_visible()
    assert seat.page.evaluate(FITS)
    return seat


def test_a_class_by_touch_somebody_knocks_suggests_and_is_heard(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada = party.visit("Ada", **PHONE)
    ada.page.evaluate(BY_HAND)
    ada.page.tap("[data-open=settings]")
    ada.page.tap("label[for=set-preset-class]")
    expect(ada.page.locator("#set-add")).to_have_value("approval")
    expect(ada.page.locator("#access-approval")).to_be_checked()
    assert ada.page.evaluate(FITS)
    ada.page.tap("#settings-close")
    expect(ada.page.locator("#requests-sum")).to_contain_text("Nobody just now")

    go_to(ada, "people")
    ben = come_to_the_door(party, "Ben")
    expect(ada.page.locator("#tabs .tabs__badge")).to_have_text("1 waiting for your OK")
    go_to(ada, "line")
    ada.page.tap("#requests-sum")
    assert ada.page.evaluate(FITS)
    tap(ada.page, "Let in Ben")
    ben.page.wait_for_url(f"**/rooms/{party.code}")
    ben.live()
    cleo = come_to_the_door(party, "Cleo")
    tap(ada.page, "Not now, Cleo")
    expect(cleo.page.get_by_role("heading", name="Not just now")).to_be_visible()
    assert cleo.page.evaluate(FITS)

    page = go_to(ben, "add")
    rows = page.locator("#library-list [data-track]:has(button:not([hidden]))")
    titles = [rows.nth(at).locator(".result__title").inner_text() for at in range(2)]
    for at, title in enumerate(titles):
        tap(page, f"Suggest {title}")
        expect(rows.nth(at).locator("button")).to_have_text("Suggested")
        expect(ada.page.locator(".tray__count")).to_have_text(str(at + 1))
    assert ada.page.evaluate(FITS)
    tap(ada.page, f"Approve {titles[0]}")
    expect(page.locator("#toasts")).to_contain_text(f"Ada let {titles[0]} onto the line.")
    ada.page.locator("#requests .ask__reason").fill("We had it twice")
    tap(ada.page, f"Not now, {titles[1]}")
    expect(page.locator("#toasts")).to_contain_text(f"Ada declined {titles[1]}: We had it twice")
    expect(page.get_by_role("button", name=f"Suggest {titles[1]}", exact=True)).to_have_text("Suggest")
    go_to(ben, "line")
    expect(page.locator("#queue")).to_contain_text(titles[0])
    expect(ada.page.locator("#requests .ask")).to_have_count(0)

    page.tap("#queue .vote__up >> nth=0")
    expect(ada.page.locator("#queue .vote__count").first).to_have_text("Score 1")
    for tab in ("player", "people", "line"):
        go_to(ben, tab)
        go_to(ada, tab)
    for seat in (ada, ben):
        seat.is_fresh()
        assert seat.page.evaluate(POINTERS) == ["touch"]


def test_a_link_that_is_typed_has_a_button_and_a_word_that_it_is_in(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada = party.visit("Ada", **PHONE)
    page = go_to(ada, "add")
    go = page.locator("[data-put-link]")
    page.fill("#search", "song")
    expect(go).to_be_hidden()
    page.fill("#search", "https://films.example/a-film.mp4")
    expect(go).to_be_visible()
    assert page.evaluate(FITS)
    go.tap()
    expect(page.locator("#toasts")).to_contain_text("Your link is in")
    expect(go).to_be_hidden()
    expect(page.locator("#search")).to_have_value("")
