"""HLS in the one media element: lists with an end, live ones, the browser's own and hls.js, a place that is away."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import media_files, player_room
from tests.browser.patience import PATIENCE_MS, becomes, eventually
from tests.browser.player_room import Stage, now_ms

pytestmark = pytest.mark.browser

PIECES = 60
SECONDS = PIECES * media_files.PIECE_SECONDS
IN_STEP = "() => partyline.player.state === 'in step'"
AT_ITS_SPEED = "() => partyline.player.state === 'in step' && partyline.player.rate === 1"
APART = "() => partyline.player.media.currentTime * 1000 - (performance.timeOrigin + performance.now())"
# The time of day the picture was made at, as hls.js reads it from the list, beside the clock of the machine.
BEHIND = "() => performance.timeOrigin + performance.now() - hls.playingDate.getTime()"
# hls.js as the page starts it, and what the page would have told the room.
LOOK = """
let Library;
Object.defineProperty(window, 'Hls', {
  get: () => Library,
  set: (Given) => { Library = class extends Given { constructor(...how) { super(...how); window.hls = this; } }; },
});
window.told = [];
window.htmx = { ajax: (method, url, { values }) => window.told.push([method, url, values]) };
"""
# A browser with HLS of its own that can tell the time of day in it, as WebKit's.
OWN_HLS = "HTMLMediaElement.prototype.getStartDate = () => new Date(NaN);"


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hls")
    media_files.make_hls(folder, SECONDS)
    media_files.make_noise(folder / "noise.m3u8")
    return folder


@pytest.fixture
def stage(pieces: Path) -> Iterator[Stage]:
    """Something of two minutes that is on already, as a list."""
    known: dict[str, Any] = {"src": "/media/list.m3u8", "player": "hls", "durationMs": SECONDS * 1000}
    with player_room.running(pieces, **known) as running:
        yield running


def go_live(stage: Stage, **how: Any) -> None:
    """The stage broadcasts, since half a minute."""
    began = time.time() - 30
    stage.live = lambda: media_files.live_list(began, time.time(), PIECES, **how)
    stage.anchor.update(src="/media/live.m3u8", durationMs=0, atMs=int(now_ms()))


def visit(browser: Browser, stage: Stage, *scripts: str) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    for script in (LOOK, *scripts):
        page.add_init_script(script)
    page.goto(stage.url)
    return page


def go_on(page: Page, seconds: float) -> None:
    """Wait until so much more has been played."""
    at = page.evaluate("partyline.player.media.currentTime")
    page.wait_for_function("(to) => partyline.player.media.currentTime > to", arg=at + seconds)


def expect_alike(first: Page, second: Page, reading: str) -> None:
    """Both pages come to give the same reading, within 40 ms."""

    def are_alike() -> bool:
        are_steady = all(page.evaluate(AT_ITS_SPEED) for page in (first, second))
        return are_steady and abs(first.evaluate(reading) - second.evaluate(reading)) <= 40

    eventually(first, are_alike, "the two pages do not play together")


def test_two_pages_play_a_list_in_step_through_a_seek(browser: Browser, stage: Stage) -> None:
    first, second = visit(browser, stage), visit(browser, stage)
    expect_alike(first, second, APART)
    stage.move(positionMs=90_000, atMs=int(now_ms()) + 300)
    for page in (first, second):
        page.wait_for_function("() => partyline.player.media.currentTime > 90")
        assert page.evaluate("document.querySelectorAll('video').length") == 1
    expect_alike(first, second, APART)
    expect(first.locator("#sync-badge")).to_have_text(re.compile(r"^in step · \d+ ms$"))


def test_a_track_after_a_list_plays_in_the_same_element(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    page.evaluate("window.one = document.getElementById('media')")
    file = {"item": "2", "player": "file", "src": "/track/2", "durationMs": 60_000}
    stage.move(**file, positionMs=0, atMs=int(now_ms()) + 300)
    page.wait_for_function("() => partyline.player.media.getAttribute('src') === '/track/2'")
    page.wait_for_function(IN_STEP)
    assert page.evaluate("partyline.player.media === window.one")
    again = {"item": "3", "player": "hls", "src": "/media/list.m3u8", "durationMs": SECONDS * 1000}
    stage.move(**again, positionMs=20_000, atMs=int(now_ms()) + 300)
    page.wait_for_function("() => partyline.player.media.src.startsWith('blob:')")
    page.wait_for_function(IN_STEP)
    page.wait_for_function("() => partyline.player.media.currentTime > 20")


def test_a_browser_with_hls_of_its_own_uses_it(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage, OWN_HLS)
    page.wait_for_function(IN_STEP)
    assert page.evaluate("[partyline.player.media.getAttribute('src'), typeof Hls]") == [
        "/media/list.m3u8",
        "undefined",
    ]


def test_where_its_own_fails_hls_js_is_tried(browser: Browser, stage: Stage) -> None:
    breaks = """HTMLMediaElement.prototype.canPlayType = () => 'maybe';
      const { set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'src');
      Object.defineProperty(HTMLMediaElement.prototype, 'src', {
        set(src) { set.call(this, src.endsWith('.m3u8') ? '/media/none.mp4' : src); },
        get() { return this.getAttribute('src') ?? ''; },
      });"""
    page = visit(browser, stage, OWN_HLS, breaks)
    page.wait_for_function(IN_STEP)
    assert page.evaluate("partyline.player.media.src").startswith("blob:")


def test_live_lists_that_tell_the_time_are_seen_at_the_same_moment(browser: Browser, stage: Stage) -> None:
    go_live(stage)
    first = visit(browser, stage)
    first.wait_for_function(IN_STEP)
    # Somebody who comes later sees another window of the list.
    go_on(first, 2 * media_files.PIECE_SECONDS)
    second = visit(browser, stage)
    second.wait_for_function(IN_STEP)
    expect_alike(first, second, BEHIND)
    eventually(first, lambda: 7_000 < first.evaluate(BEHIND) < 9_000, "it is not eight seconds behind")
    assert first.evaluate("partyline.player.isLive")
    # Where the machine was busy a stall costs one; it does not leap again and again.
    assert first.evaluate("partyline.player.seeks - partyline.player.stalls") < 3


@pytest.mark.parametrize("how", [{"has_time": False}, {"skew": -3600.0}], ids=["no time", "a wrong clock"])
def test_other_live_lists_are_played_as_they_come(
    browser: Browser, stage: Stage, how: dict[str, Any]
) -> None:
    go_live(stage, **how)
    page = visit(browser, stage)
    expect(page.locator("#sync-badge")).to_have_text("live")
    expect(page.locator(".progress__left")).to_have_text("Live")
    expect(page.locator(".progress__elapsed")).to_have_text("")
    go_on(page, 1)
    assert page.evaluate("[partyline.player.seeks, partyline.player.starts, window.told]") == [0, 1, []]
    stage.move(state="paused", positionMs=5_000, atMs=int(now_ms()))
    page.wait_for_function("() => partyline.player.state === 'paused' && partyline.player.media.paused")
    stood = page.evaluate("partyline.player.media.currentTime")
    page.wait_for_function("(stood) => hls.liveSyncPosition > stood + 3", arg=stood)
    stage.move(state="playing", atMs=int(now_ms()) + 300)
    expect(page.locator("#sync-badge")).to_have_text("live")
    page.wait_for_function("(to) => partyline.player.media.currentTime > to", arg=stood + 2)


def test_a_list_that_is_away_says_so_and_comes_back(browser: Browser, stage: Stage) -> None:
    stage.is_away = True
    page = visit(browser, stage)
    expect(page.locator("#sync-badge")).to_have_text("can’t play this here")
    assert page.evaluate("partyline.player.problem") == {
        "text": "The stream cannot be reached.", "url": "/media/list.m3u8",
    }  # fmt: skip
    stage.is_away = False
    page.wait_for_function(IN_STEP)
    becomes(page, "partyline.player.problem", None)


def test_what_is_no_list_is_not_played(browser: Browser, stage: Stage) -> None:
    stage.anchor["src"] = "/media/noise.m3u8"
    page = visit(browser, stage)
    expect(page.locator("#sync-badge")).to_have_text("can’t play this here")
    assert page.evaluate("partyline.player.problem.text") == "The stream cannot be reached."


def test_a_gap_in_the_network_is_waited_out(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    stage.is_away = True
    stage.move(positionMs=100_000, atMs=int(now_ms()) + 300)
    page.wait_for_function("() => partyline.player.state !== 'in step'")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ responseStatus }) => responseStatus === 503)"
    )
    stage.is_away = False
    page.wait_for_function(IN_STEP)
    page.wait_for_function("() => partyline.player.media.currentTime > 100")


def test_a_length_nobody_knew_is_told_once_by_who_may(browser: Browser, stage: Stage) -> None:
    stage.anchor["durationMs"] = 0
    page = visit(browser, stage)
    page.wait_for_function("() => window.told.length")
    [[method, url, values]] = page.evaluate("window.told")
    assert (method, url, values["item"]) == ("POST", "/length", "1")
    assert abs(values["duration_ms"] - SECONDS * 1000) < 200
    expect(page.locator(".progress__elapsed")).to_have_text(re.compile(r"^\d+:\d\d$"))
    stage.move(positionMs=1_000)
    page.wait_for_function(IN_STEP)
    go_on(page, 2)
    assert len(page.evaluate("window.told")) == 1
    stage.anchor["canControl"] = "false"
    quiet = visit(browser, stage)
    quiet.wait_for_function(IN_STEP)
    go_on(quiet, 2)
    assert quiet.evaluate("window.told") == []
