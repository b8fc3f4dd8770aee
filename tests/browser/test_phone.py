"""A class on three phones, by touch alone: who knocks is let in, who suggests is heard, and nothing is too wide."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.browser.patience import PATIENCE_SECONDS
from tests.browser.story import Party, Seat
from tests.browser.test_axe_media import become_account

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


# Top edges of whatever keys stop at, in the order they do; what is at the field's own height counts as one row.
STOPS = """() => [...document.querySelectorAll('.line__top :is(a[href], button, input, select, summary)')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }))
  .filter((each) => !each.matches('[type="hidden"], :disabled, .sr'))
  .map((each) => Math.round((each.closest('.add__field, .result, .results__head, .own__ways') ?? each)
    .getBoundingClientRect().top))"""


def test_keys_go_through_the_ways_to_add_as_they_are_seen(party: Party) -> None:
    party.begin("Ada", tracks=1)
    become_account(party)
    for options in (PHONE, {"viewport": {"width": 1280, "height": 800}}):
        page = party.visit("Ada", **options).page
        if options == PHONE:
            page.tap('#tabs [data-tab="add"]')
        else:
            assert page.evaluate(STOPS) == sorted(page.evaluate(STOPS))
            page.click("#search")
            expect(page.locator("#own-lists")).to_be_hidden()
        expect(page.locator("#library-list .result").first).to_be_visible()
        stops = page.evaluate(STOPS)
        assert len(stops) > 5 and stops == sorted(stops)
        if options == PHONE:
            way, results = (page.locator(each).bounding_box() for each in ("#own-lists", "#library"))
            assert way and results and way["y"] < results["y"], (
                "the other ways are not below the whole library"
            )
            page.tap("#own")
            expect(page.locator("#source-shelf summary")).to_be_visible()
            assert page.evaluate(STOPS) == sorted(page.evaluate(STOPS))
        page.select_option("#ordering", "newest")
        expect(page.locator("#more, #library-list .result").first).to_be_visible()
        with page.expect_response("**/search?*genre=waltz*"):
            page.select_option("#genre", "waltz")


def test_what_was_begun_is_offered_where_a_phone_comes_in(party: Party) -> None:
    guest = party.begin("Ada", tracks=2)
    for _ in range(2):
        playing = party.house.value(
            "SELECT item_id FROM playback JOIN room ON room.id = room_id WHERE code = ?", party.code
        )
        guest.post(f"/rooms/{party.code}/progress", item=playing, position_ms=40_000, duration_ms=100_000)
        guest.post(f"/rooms/{party.code}/playback", action="skip")
    # A song that a room skipped is not offered; these just ended.
    with closing(sqlite3.connect(party.house.database, timeout=PATIENCE_SECONDS)) as connection, connection:
        connection.execute("UPDATE play SET end_reason = 'finished' WHERE end_reason = 'skipped'")
    ada = party.visit("Ada", **PHONE)
    for tab in ("line", "player"):
        page = go_to(ada, tab)
        rows = page.locator(".begun__row")
        expect(rows.first).to_be_visible()
        expect(rows).to_have_count(2)
        expect(rows.nth(1)).to_be_hidden()
        expect(page.locator(".chat, .people, .history")).to_have_count(3)
        assert not any(each.is_visible() for each in page.locator(".rail > :not(.begun)").all())
        # Under the stage or the line, and over neither.
        above = page.locator("#main").bounding_box()
        row = page.locator(".begun").bounding_box()
        tabs = page.locator("#tabs").bounding_box()
        assert above and row and tabs
        assert above["y"] + above["height"] <= row["y"] + 1 and row["y"] + row["height"] <= tabs["y"] + 1
        assert row["height"] < 100
    go_to(ada, "add")
    expect(page.locator(".begun")).to_be_hidden()
    go_to(ada, "people")
    expect(rows.nth(1)).to_be_visible()
    go_to(ada, "player")
    title = rows.first.locator(".begun__title").inner_text()
    tap(page, f"Forget {title}")
    expect(rows).to_have_count(1)
    expect(rows.first).to_be_visible()
    tap(page, f"Forget {rows.first.locator('.begun__title').inner_text()}")
    expect(page.locator(".begun")).to_be_hidden()
    assert page.evaluate("() => document.getElementById('live') !== null"), "it listens on"


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
