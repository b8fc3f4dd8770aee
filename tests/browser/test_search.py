"""Searching everywhere in a real browser: blocks that fill in, a row put on the line, a song looked for, a listen.

No worker runs here, so nobody beyond this machine is asked; the tests answer for the catalogues.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from media.provider import Found
from tests.browser.patience import PATIENCE_SECONDS, eventually
from tests.browser.story import Party, Seat, furnish
from tests.browser.story_fixtures import held
from tests.live.servers import House, running

ITEM = Found("archive", "tape-1", "Rotterdam tape", "The Quay")
OWN = Found("archive", "tape-2", "Song 7", "Artist 0")
NAME = Found("archive", "tape-3", "Song 9", "", is_playable=False)
# Nobody types so slowly that others are asked meanwhile: their time has come once the test says so.
HOLDS_BACK = """() => {
  const { setTimeout: after, clearTimeout: forget } = window, dropped = new Set();
  window.heldBack = [];
  const holdBack = (act, words) => -heldBack.push(() => act(...words));
  window.setTimeout = (act, ms, ...words) => (ms === 600 ? holdBack(act, words) : after(act, ms, ...words));
  window.clearTimeout = (id) => (id < 0 ? dropped.add(id) : forget(id));
  window.goOn = () => {
    Object.assign(window, { setTimeout: after, clearTimeout: forget });
    heldBack.forEach((act, place) => { if (!dropped.has(-1 - place)) act(); });
  };
}"""
LISTENS = """() => { window.heard = []; const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this.id !== 'media') window.heard.push(this);
    return play.call(this);
  }; }"""
HEARD = "() => window.heard?.length ?? 0"
SOUNDS = "() => window.heard.some((ear) => !ear.paused && ear.currentTime >= 29)"
SILENT = "() => window.heard.every((ear) => ear.paused)"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house"), PROVIDERS_OFF="") as house:
        yield house


@pytest.fixture(scope="module")
def tracks(house: House) -> list[int]:
    ids = furnish(house, 12)
    connection = sqlite3.connect(house.database, timeout=PATIENCE_SECONDS)
    with connection:
        connection.execute("UPDATE track SET search = lower(title || ' ' || artist || ' ' || album)")
    connection.close()
    return ids


@pytest.fixture
def party(
    house: House,
    browser: Browser,
    tracks: list[int],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Party]:
    with held(house, browser, tracks, request, tmp_path) as party:
        party.begin("Ada", 2)
        yield party


ASKED = "state = 'waiting' AND search_id IN (SELECT id FROM search WHERE words = ?)"


def answer(party: Party, page: Page, *found: Found) -> None:
    """Whoever was asked for what stands in the field says this."""
    words = page.locator("#search").input_value()
    asked = f"SELECT count(*) FROM search_answer WHERE {ASKED}"
    eventually(page, lambda: party.house.value(asked, words) > 0, "nobody was asked")
    connection = sqlite3.connect(party.house.database, timeout=PATIENCE_SECONDS)
    with connection:
        connection.execute(
            f"UPDATE search_answer SET state = 'ready', results = ?, answered_at = ? WHERE {ASKED}",
            (json.dumps([asdict(row) for row in found]), int(time.time() * 1000), words),
        )
    connection.close()


def look_for(seat: Seat, words: str) -> None:
    seat.page.locator("#search").fill(words)
    expect(seat.page.locator("#library .results__note")).to_contain_text(words)


def test_the_library_comes_first_and_others_fill_in(party: Party) -> None:
    ada = party.visit("Ada")
    look_for(ada, "song")
    block = ada.page.locator("#search-source-archive")
    expect(block).to_have_attribute("aria-busy", "true")
    expect(ada.page.locator("#library-list .result")).not_to_have_count(0)
    answer(party, ada.page, ITEM, OWN, NAME)
    expect(block.locator(".result__title")).to_have_text(["Rotterdam tape", "Song 7", "Song 9"])
    expect(block).not_to_have_attribute("aria-busy", "true")
    expect(block.locator(".result").nth(1)).to_contain_text("in the library")
    expect(ada.page.locator("#announcer")).to_contain_text("Internet Archive: 3 found")
    assert ada.loads == 1


def test_a_found_row_goes_onto_the_line_and_says_so(party: Party) -> None:
    ada = party.visit("Ada")
    look_for(ada, "rotterdam")
    answer(party, ada.page, ITEM, OWN)
    row = ada.page.locator("#search-source-archive .result")
    row.nth(0).get_by_role("button", name="Add Rotterdam tape").click()
    expect(row.nth(0).locator(".btn--done")).to_have_text("Added")
    expect(ada.page.locator("#queue")).to_contain_text("Rotterdam tape")
    ada.page.locator("#search").click()
    row.nth(1).get_by_role("button", name="Add Song 7").click()
    expect(row.nth(1).locator(".btn--done")).to_contain_text("In line,")
    expect(ada.page.locator("#queue")).to_contain_text("Song 7")
    ada.is_fresh()


def test_a_song_that_only_has_a_name_is_looked_for(party: Party) -> None:
    ada = party.visit("Ada")
    look_for(ada, "only a name")
    answer(party, ada.page, NAME)
    ada.page.get_by_role("link", name="Look for Song 9").click()
    expect(ada.page.locator("#search")).to_have_value("Song 9")
    expect(ada.page.locator("#library-list .result__title")).to_have_text(["Song 9"])
    assert ada.loads == 1


def test_words_typed_on_leave_nobody_asked_for_those_before(party: Party) -> None:
    ada = party.visit("Ada")
    ada.page.evaluate(HOLDS_BACK)
    look_for(ada, "unheard")
    ada.page.wait_for_function("() => heldBack.length === 1")
    look_for(ada, "unheard of")
    ada.page.wait_for_function("() => heldBack.length === 2")
    ada.page.evaluate("() => goOn()")
    expect(ada.page.locator("#search-source-archive")).to_be_visible()
    assert party.house.rows("SELECT words FROM search WHERE words LIKE 'unheard%'") == [("unheard of",)]
    answer(party, ada.page)
    expect(ada.page.locator("#search-source-archive")).to_contain_text("Nothing by that name.")


def test_pointing_at_a_row_plays_a_bit_of_it_and_leaving_ends_it(party: Party) -> None:
    ada = party.visit("Ada").in_step()
    ada.page.evaluate(LISTENS)
    look_for(ada, "song 6")
    anchor = ada.page.locator("#playback").get_attribute("data-version")
    full = ada.page.evaluate("partyline.player.media.volume")
    row = ada.page.locator("#library-list .result").first
    row.hover()
    ada.page.wait_for_function(SOUNDS)
    expect(row.locator("[data-hear]")).to_have_attribute("aria-pressed", "true")
    expect(ada.page.locator("#announcer")).to_contain_text("Listening to Song 6")
    # The room's sound steps back gradually.
    ada.page.wait_for_function(f"() => partyline.player.media.volume < {full} / 2")
    ada.page.mouse.move(2, 2)
    ada.page.wait_for_function(SILENT)
    ada.page.wait_for_function(f"() => Math.abs(partyline.player.media.volume - {full}) < 0.01")
    expect(row.locator("[data-hear]")).to_have_attribute("aria-pressed", "false")
    assert ada.page.locator("#playback").get_attribute("data-version") == anchor, "the room heard nothing"
    ada.in_step()


def test_by_keyboard_p_on_a_row_listens_and_ends_it(party: Party) -> None:
    ada = party.visit("Ada").in_step()
    ada.page.evaluate(LISTENS)
    look_for(ada, "song 6")
    ada.page.keyboard.press("ArrowDown")
    ada.page.keyboard.press("p")
    ada.page.wait_for_function(SOUNDS)
    ada.page.keyboard.press("p")
    ada.page.wait_for_function(SILENT)
    ada.page.keyboard.press("Tab")
    expect(ada.page.get_by_role("button", name="Listen to a bit of Song 6")).to_be_focused()
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_function(SOUNDS)
    ada.page.keyboard.press("Shift+Tab")
    ada.page.keyboard.press("Shift+Tab")
    ada.page.wait_for_function(SILENT)


def test_a_finger_that_rests_on_a_row_listens_and_adds_nothing(party: Party) -> None:
    ada = party.visit("Ada", viewport={"width": 390, "height": 844}, has_touch=True).in_step()
    ada.page.evaluate(LISTENS)
    ada.page.locator("#tabs a[data-tab=add]").tap()
    look_for(ada, "song 8")
    box = ada.page.locator("#library-list .result").first.bounding_box()
    assert box
    finger = ada.page.context.new_cdp_session(ada.page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    ada.page.wait_for_function(SOUNDS)
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    ada.page.wait_for_function(SILENT)
    assert len(party.items()) == 1
    assert ada.page.evaluate("document.documentElement.scrollWidth") == 390


def test_what_saves_data_plays_nothing_unasked(party: Party) -> None:
    ada = party.visit("Ada").in_step()
    ada.page.evaluate(LISTENS)
    ada.page.evaluate("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    look_for(ada, "song 5")
    row = ada.page.locator("#library-list .result").first
    row.hover()
    row.locator("[data-hear]").click()
    ada.page.wait_for_function(SOUNDS)
    assert ada.page.evaluate(HEARD) == 1, "the button did, and pointing did not"


def test_where_the_host_lets_tracks_on_a_found_row_is_suggested(party: Party) -> None:
    ada = party.visit("Ada")
    ada.page.evaluate(
        "() => fetch(`${partyline.base}settings`,"
        " { method: 'POST', body: new URLSearchParams({ add: 'approval' }) })"
    )
    ben = party.visit("Ben")
    expect(ben.page.locator("#queue")).to_have_attribute("data-add", "suggest")
    look_for(ben, "rotterdam by approval")
    answer(party, ben.page, ITEM)
    row = ben.page.locator("#search-source-archive .result").first
    row.get_by_role("button", name="Suggest Rotterdam tape").click()
    expect(row.locator(".btn--done")).to_have_text("Suggested")
    expect(ada.page.locator("#requests")).to_contain_text("Rotterdam tape")
