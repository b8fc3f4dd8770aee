"""The player on a real page: real media, real scripts, a room that only plays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import player_room
from tests.browser.patience import PATIENCE_MS, becomes, eventually
from tests.browser.player_room import Stage, now_ms

pytestmark = pytest.mark.browser

AT_ITS_SPEED = "() => partyline.player.state === 'in step' && partyline.player.rate === 1"
CLOSE = "() => partyline.player.state === 'in step' && Math.abs(partyline.player.driftMs()) <= 40"
TOLD = "version => document.getElementById('playback').dataset.version === String(version)"
STATE = "state => partyline.player.state === state"
APART = "() => partyline.player.media.currentTime * 1000 - (performance.timeOrigin + performance.now())"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with player_room.running() as running:
        yield running


def visit(browser: Browser, stage: Stage, state: str = "in step") -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.url)
    reach(page, state)
    return page


def reach(page: Page, state: str) -> None:
    page.wait_for_function(STATE, arg=state, polling=20)


def expect_together(first: Page, second: Page) -> None:
    """They come within 40 ms of each other. At another speed a browser reports a place that is off."""

    def are_together() -> bool:
        are_steady = all(page.evaluate(AT_ITS_SPEED) for page in (first, second))
        return are_steady and abs(first.evaluate(APART) - second.evaluate(APART)) <= 40

    eventually(first, are_together, "the two pages do not play together")


def hear(page: Page, stage: Stage) -> None:
    """Wait until the page has the newest anchor."""
    page.wait_for_function(TOLD, arg=stage.anchor["version"], polling=20)


def test_two_pages_play_in_step_and_say_so(browser: Browser, stage: Stage) -> None:
    first, second = visit(browser, stage), visit(browser, stage)
    expect_together(first, second)
    expect(first.locator("#sync-badge")).to_have_text(re.compile(r"^in step · \d+ ms$"))


def test_a_scheduled_seek_and_a_pause_reach_both_alike(browser: Browser, stage: Stage) -> None:
    first, second = visit(browser, stage), visit(browser, stage)
    stage.move(positionMs=0, atMs=int(now_ms()) + 300)
    for page in (first, second):
        hear(page, stage)
        page.wait_for_function("() => partyline.player.starts >= 2")
        reach(page, "in step")
    expect_together(first, second)
    stage.move(state="paused", positionMs=1234, atMs=int(now_ms()))
    for page in (first, second):
        reach(page, "paused")
        becomes(page, "[partyline.player.media.currentTime, partyline.player.media.paused]", [1.234, True])


def test_the_next_track_starts_in_step(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    stage.move(item="2", src="/track/2", positionMs=0, atMs=int(now_ms()) + 300)
    page.wait_for_function("partyline.player.media.src.endsWith('/track/2')")
    page.wait_for_function(CLOSE, polling=20)


# Playwright's own questions count as a person's gesture, so this page tells by itself what it shows.
TELL = """addEventListener('DOMContentLoaded', () => {
  const badge = document.getElementById('sync-badge');
  let isTapped = false, isTold = false;
  new MutationObserver(() => {
    if (badge.dataset.state === 'muted' && !isTapped && !isTold) isTold = !console.log('muted and in step');
    if (badge.dataset.state === 'in-step' && isTapped) console.log('sound and in step');
  }).observe(badge, { childList: true, attributes: true });
  addEventListener('click', () => { isTapped = true; }, true);
})"""


def test_refused_sound_is_muted_in_step_until_one_tap(strict_browser: Browser, stage: Stage) -> None:
    page = strict_browser.new_context().new_page()
    page.add_init_script(TELL)
    with page.expect_console_message(lambda message: message.text == "muted and in step"):
        page.goto(stage.url)
    assert page.evaluate("partyline.player.media.muted")
    with page.expect_console_message(lambda message: message.text == "sound and in step"):
        page.click("#sound-chip")
    becomes(page, "partyline.player.media.muted", False)
    expect(page.locator("#sound-chip")).to_be_hidden()
    page.wait_for_function(CLOSE, polling=20)


def test_what_happens_to_the_media_is_never_sent_to_the_room(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.evaluate("partyline.player.media.pause()")
    reach(page, "held")
    expect(page.locator("#sound-chip")).to_be_visible()
    page.click("#sound-chip")
    reach(page, "in step")
    before = page.evaluate("partyline.player.seeks")
    page.evaluate("partyline.player.media.currentTime = 20")
    page.wait_for_function("before => partyline.player.seeks > before", arg=before)
    reach(page, "in step")
    assert stage.posts == []
    assert {json.loads(text)["t"] for text in stage.said} == {"clock"}


def test_volume_mute_and_speaker_delay_are_remembered(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.locator("#volume").fill("40")
    page.locator("#delay").fill("120")
    page.locator("#mute").check()
    page.reload()
    reach(page, "in step")
    becomes(page, "[partyline.player.media.volume, partyline.player.media.muted]", [0.4, True])
    expect(page.locator("#volume-words")).to_have_text("40 %")
    expect(page.locator("#delay-words")).to_have_text("120 ms")
    before, wanted, after = page.evaluate(
        "[partyline.clock.now(), partyline.player.wantedMs(), partyline.clock.now()]"
    )
    early = stage.anchor["atMs"] - 120
    assert before - early - 1 <= wanted <= after - early + 1


def test_keys_work_on_the_page_and_rest_in_fields(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.evaluate("""() => document.addEventListener('submit', (event) => {
      event.preventDefault();
      (window.sent ??= []).push(event.submitter?.value ?? 'seek');
    })""")
    page.focus("#text")
    page.keyboard.press("m")
    page.keyboard.press("Space")
    assert page.evaluate("[document.getElementById('mute').checked, window.sent ?? []]") == [False, []]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("m")
    page.keyboard.press("Space")
    assert page.evaluate("[document.getElementById('mute').checked, window.sent]") == [True, ["pause"]]


def test_the_wave_follows_and_a_hand_on_it_is_left_alone(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    stage.move(positionMs=30000, atMs=int(now_ms()))
    page.wait_for_function("parseFloat(document.querySelector('.progress__done').getAttribute('width')) > 50")
    expect(page.locator(".progress__elapsed")).to_have_text(re.compile("^0:[345]"))
    page.dispatch_event("#seek", "pointerdown")
    page.evaluate("document.getElementById('seek').value = 5000")
    page.evaluate("document.getElementById('seek').dispatchEvent(new Event('input', { bubbles: true }))")
    expect(page.locator(".progress__elapsed")).to_have_text("0:05")
    stage.move(positionMs=31000)
    hear(page, stage)
    expect(page.locator(".progress__elapsed")).to_have_text("0:05")
    assert page.evaluate("Number(document.getElementById('seek').value)") == 5000
