"""Players in frames on a real page: real scripts and addresses, a strict policy, fakes of the providers behind them."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.browser import frame_room
from tests.browser.frame_room import FrameStage, fake_providers, inside
from tests.browser.patience import PATIENCE_MS, eventually
from tests.browser.player_room import Stage, now_ms

pytestmark = pytest.mark.browser

STATE = "state => partyline.player.state === state"
TOLD = "version => document.getElementById('playback').dataset.version === String(version)"
SOUGHT = "() => fake.commands.filter(([name]) => name === 'seekTo').length"
QUICK = {
    "coldMs": 200,
    "coldJitterMs": 50,
    "seekMs": 120,
    "seekJitterMs": 30,
    "warmMs": 80,
    "warmJitterMs": 20,
}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with frame_room.running() as running:
        yield running


@pytest.fixture
def embed_stage() -> Iterator[FrameStage]:
    with frame_room.running(player="embed", reference="movie:603", durationMs=0) as running:
        yield running


def enter(browser: Browser, stage: Stage, **habits: Any) -> Page:
    """Somebody's page of the room; what its policy forbids or its scripts raise is kept."""
    context = browser.new_context()
    fake_providers(context, **QUICK | habits)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => (window.refused ??= []).push(e.blockedURI))"
    )
    page.goto(stage.url)
    return page


def visit(browser: Browser, stage: Stage, state: str = "in step", **habits: Any) -> tuple[Page, Frame]:
    page = enter(browser, stage, **habits)
    frame = inside(page)
    reach(page, state)
    return page, frame


def reach(page: Page, state: str) -> None:
    page.wait_for_function(STATE, arg=state, polling=20)


def hear(page: Page, stage: Stage) -> None:
    page.wait_for_function(TOLD, arg=stage.anchor["version"], polling=20)


def off_ms(frame: Frame, stage: Stage) -> float:
    """How far what really plays is off, by the machine's clock."""
    truth = frame.evaluate("fake.truth()")
    return float(truth["ms"] - stage.anchor["positionMs"] - (truth["at"] - stage.anchor["atMs"]))


def expect_near(page: Page, frame: Frame, stage: Stage, ms: float = 150) -> None:
    eventually(
        page,
        lambda: page.evaluate(STATE, "in step") and abs(off_ms(frame, stage)) <= ms,
        "it does not keep up",
    )


def slips(page: Page, frame: Frame, ms: int) -> None:
    """What plays leaps by itself, and is sought back."""
    before = page.evaluate("partyline.player.seeks")
    frame.evaluate("ms => fake.slip(ms)", ms)
    page.wait_for_function("before => partyline.player.seeks > before", arg=before)


# YouTube


def test_youtube_plays_in_step_under_the_strict_policy(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    expect_near(page, frame, stage)
    assert page.evaluate("window.refused ?? []") == []
    assert frame.url.startswith("https://www.youtube-nocookie.com/embed/aaaaaaaaaaa?")
    box = page.locator("#player-frame iframe").bounding_box()
    assert box and box["width"] >= 200 and box["height"] >= 200
    assert page.evaluate("""() => {
      const frame = document.querySelector('#player-frame iframe'), box = frame.getBoundingClientRect();
      const at = [[0.5, 0.5], [0.05, 0.05], [0.95, 0.95]];
      const over = ([x, y]) => document.elementFromPoint(box.left + box.width * x, box.top + box.height * y);
      return at.every((place) => over(place) === frame);
    }""")


def test_its_script_is_loaded_only_while_something_of_youtube_plays(browser: Browser) -> None:
    with frame_room.running(player="file", reference="", src="/track/1", durationMs=60_000) as stage:
        asked: list[str] = []
        page = browser.new_context().new_page()
        page.on("request", lambda request: asked.append(request.url))
        fake_providers(page.context, **QUICK)
        page.goto(stage.url)
        page.wait_for_function("() => partyline.clock.isLocked")
        assert not [url for url in asked if url.startswith("https://")]
        stage.move(
            player="youtube", reference="bbbbbbbbbbb", item="2", durationMs=240_000, atMs=int(now_ms())
        )
        inside(page)
        stage.move(player="file", reference="", src="/track/1", item="3", durationMs=60_000)
        hear(page, stage)
        expect(page.locator("#player-frame iframe")).to_have_count(0)


def test_pause_seek_and_the_start_reach_the_frame(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    stage.move(state="paused", positionMs=0, atMs=int(now_ms()))
    reach(page, "paused")
    frame.wait_for_function("fake.truth().state === 2 && fake.truth().ms === 0")
    stage.move(state="playing", positionMs=0, atMs=int(now_ms()) + 400)
    reach(page, "in step")
    expect_near(page, frame, stage)
    stage.move(positionMs=90_000, atMs=int(now_ms()) + 300)
    hear(page, stage)
    expect_near(page, frame, stage)


def test_the_next_video_uses_the_same_frame(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    stage.move(item="2", reference="bbbbbbbbbbb", positionMs=0, atMs=int(now_ms()) + 300)
    frame.wait_for_function("fake.video === 'bbbbbbbbbbb'")
    expect_near(page, frame, stage)
    assert "aaaaaaaaaaa" in frame.url


def test_two_pages_on_youtube_are_together_and_an_ad_on_one_never_steers(
    browser: Browser, stage: Stage
) -> None:
    first, one = visit(browser, stage)
    second, two = visit(browser, stage)
    expect_near(first, one, stage)
    expect_near(second, two, stage)
    calm, sought = first.evaluate("[partyline.player.starts, partyline.player.seeks]"), two.evaluate(SOUGHT)
    two.evaluate("fake.advertise(5000)")
    reach(second, "in an ad")
    expect(second.locator("#sync-badge")).to_have_text("in an ad")
    assert two.evaluate(SOUGHT) == sought
    expect_near(second, two, stage)
    assert sought < two.evaluate(SOUGHT) <= sought + 2
    assert first.evaluate("[partyline.player.starts, partyline.player.seeks]") == calm
    assert stage.posts == []
    assert {json.loads(text)["t"] for text in stage.said} == {"clock"}


def test_an_ad_before_the_video_ends_in_step(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage, "in an ad", adMs=4000, adDurationMs=15_000)
    expect_near(page, frame, stage)


def test_what_somebody_does_in_the_frame_stays_on_this_device(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    frame.evaluate("fake.pressPause()")
    reach(page, "held")
    expect(page.locator("#sound-chip")).to_be_visible()
    page.click("#sound-chip")
    expect_near(page, frame, stage)
    frame.evaluate("fake.pressPause()")
    reach(page, "held")
    frame.evaluate("fake.pressPlay()")
    expect_near(page, frame, stage)
    slips(page, frame, 30_000)
    expect_near(page, frame, stage)
    assert stage.posts == []
    assert {json.loads(text)["t"] for text in stage.said} == {"clock"}


def test_fine_speeds_are_taken_when_offered_and_else_left(browser: Browser, stage: Stage) -> None:
    fine, its = visit(browser, stage, hasFineRates=True)
    its.evaluate("fake.slip(350)")
    # It may still be trimming its start the other way.
    its.wait_for_function("fake.truth().rate < 1")
    assert (
        its.evaluate(
            "Math.min(...fake.commands.filter(([name]) => name === 'setPlaybackRate').map(([, rate]) => rate))"
        )
        >= 0.97
    )
    coarse, other = visit(browser, stage)
    slips(coarse, other, 350)
    assert other.evaluate("fake.truth().rate") == 1
    assert (
        len(
            other.evaluate("fake.commands.filter(([name, rate]) => name === 'setPlaybackRate' && rate !== 1)")
        )
        <= 1
    )
    assert fine.evaluate("partyline.player.seeks") == 0


# Playwright's own questions count as a person's gesture, so this page tells by itself what it shows.
TELL = """addEventListener('DOMContentLoaded', () => {
  const badge = document.getElementById('sync-badge');
  let isTold = false;
  new MutationObserver(() => {
    if (badge.dataset.state === 'muted' && !isTold) isTold = !console.log('muted and in step');
  }).observe(badge, { childList: true, attributes: true });
})"""


def test_refused_sound_is_muted_in_step_until_one_tap(strict_browser: Browser, stage: Stage) -> None:
    context = strict_browser.new_context()
    fake_providers(context, **QUICK)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(TELL)
    with page.expect_console_message(lambda message: message.text == "muted and in step"):
        page.goto(stage.url)
    frame = inside(page)
    assert frame.evaluate("fake.isMuted")
    expect(page.locator("#sound-chip")).to_have_text("Tap for sound")
    page.click("#sound-chip")
    frame.wait_for_function("!fake.isMuted")
    expect(page.locator("#sound-chip")).to_be_hidden()
    expect_near(page, frame, stage)


def test_volume_and_mute_reach_the_frame(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    page.locator("#volume").fill("40")
    page.locator("#mute").check()
    frame.wait_for_function("fake.volume === 40 && fake.isMuted")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (2, "knows no such video"), (5, "in your browser"), (100, "gone from YouTube"), (101, "outside YouTube"),
        (150, "outside YouTube"), (153, "which page"),
    ],
)  # fmt: skip
def test_what_youtube_refuses_is_said_with_a_way_to_it(
    browser: Browser, stage: Stage, error: int, words: str
) -> None:
    page = enter(browser, stage, error=error)
    reach(page, "failed")
    problem = page.evaluate("partyline.player.problem")
    assert words in problem["text"]
    assert problem["url"] == "https://www.youtube.com/watch?v=aaaaaaaaaaa"
    stage.move(item="2", player="file", reference="", src="/track/1")
    page.wait_for_function("() => partyline.player.problem === null")


def test_youtube_out_of_reach_is_said_and_tried_again(browser: Browser, stage: Stage) -> None:
    context = browser.new_context()
    fake_providers(context, **QUICK)
    context.route("https://www.youtube.com/iframe_api", lambda route: route.abort())
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.url)
    reach(page, "failed")
    assert "can’t be reached" in page.evaluate("partyline.player.problem.text")
    context.unroute("https://www.youtube.com/iframe_api")
    fake_providers(context, **QUICK)
    page.evaluate("dispatchEvent(new Event('online'))")
    frame = inside(page)
    expect_near(page, frame, stage)


def test_the_length_is_told_by_a_player_that_has_kept_up_for_a_while(browser: Browser) -> None:
    with frame_room.running(durationMs=0) as stage:
        page = enter(browser, stage, adMs=3000, adDurationMs=15_000)
        page.evaluate("""() => {
          partyline.link = document.body;
          window.sent = [];
          window.htmx = { ajax: (verb, url, { values }) => sent.push([verb, url, values]) };
        }""")
        inside(page)
        page.wait_for_function("() => sent.length === 1")
        assert page.evaluate("sent") == [["POST", "/length", {"item": "1", "duration_ms": 240_000}]]


def test_whoever_may_not_control_says_the_length_later_and_a_refusal_shows_nothing(browser: Browser) -> None:
    with frame_room.running(durationMs=0, canControl="false") as stage:
        page = enter(browser, stage)
        page.evaluate("""() => {
          partyline.link = document.body;
          document.getElementById('mine').dataset.member = '8';
          window.sent = [];
          window.htmx = { ajax: () => sent.push('at once') };
          const real = window.fetch;
          window.fetch = async (url, asked) => {
            if (!url.endsWith('/length')) return real(url, asked);
            sent.push([asked.method, Object.fromEntries(asked.body)]);
            return new Response('', { status: 403 });
          };
        }""")
        inside(page)
        page.wait_for_function("() => sent.length === 1")
        assert page.evaluate("sent") == [["POST", {"item": "1", "duration_ms": "240000"}]]
        assert page.evaluate("partyline.player.state") == "in step"


# T6: frames are not trusted


def test_the_room_and_its_page_are_out_of_a_frames_reach(browser: Browser, stage: Stage) -> None:
    page, frame = visit(browser, stage)
    assert frame.evaluate("fake.referrer") == f"{stage.url}/"
    assert "rooms" not in frame.url and "forigin" not in frame.url
    frame.evaluate("fake.go('https://www.youtube.com/')")
    page.wait_for_timeout(300)
    assert page.url == f"{stage.url}/"
    assert "allow-top-navigation" not in str(page.locator("iframe").get_attribute("sandbox"))


# Vimeo


def test_vimeo_plays_in_step_by_its_own_library(browser: Browser) -> None:
    with frame_room.running(player="vimeo", reference="76979871/abcdef0123") as stage:
        page, frame = visit(browser, stage)
        expect_near(page, frame, stage)
        assert frame.url.startswith("https://player.vimeo.com/video/76979871?")
        assert "h=abcdef0123" in frame.url and "dnt=1" in frame.url
        assert page.evaluate("window.refused ?? []") == []
        slips(page, frame, 350)
        expect_near(page, frame, stage)
        stage.move(state="paused", positionMs=65_000, atMs=int(now_ms()))
        reach(page, "paused")
        frame.wait_for_function("fake.truth().state === 'paused' && fake.truth().ms === 65000")
        stage.move(state="playing", positionMs=65_000, atMs=int(now_ms()) + 400)
        expect_near(page, frame, stage)
        stage.move(item="2", reference="1084537", positionMs=0, atMs=int(now_ms()))
        frame.wait_for_function("fake.video.includes('1084537')")
        expect_near(page, frame, stage)


def test_vimeo_takes_fine_speeds_where_the_account_allows_them(browser: Browser) -> None:
    with frame_room.running(player="vimeo", reference="76979871") as stage:
        page, frame = visit(browser, stage, mayChangeSpeed=True)
        frame.evaluate("fake.slip(350)")
        frame.wait_for_function("fake.truth().rate < 1")
        assert frame.evaluate("fake.truth().rate") >= 0.97
        assert page.evaluate("partyline.player.seeks") == 0


@pytest.mark.parametrize(
    ("name", "words"), [("PrivacyError", "outside Vimeo"), ("PasswordError", "password")]
)
def test_what_vimeo_refuses_is_said(browser: Browser, name: str, words: str) -> None:
    with frame_room.running(player="vimeo", reference="76979871") as stage:
        page = enter(browser, stage, refusal=name)
        reach(page, "failed")
        problem = page.evaluate("partyline.player.problem")
        assert words in problem["text"] and problem["url"] == "https://vimeo.com/76979871"


# What cannot be steered


def test_an_embed_says_that_it_cannot_be_steered_and_counts_down_to_the_anchor(
    browser: Browser, embed_stage: FrameStage
) -> None:
    pages = [enter(browser, embed_stage) for _ in range(2)]
    for page in pages:
        frame = inside(page)
        assert frame.url == f"{embed_stage.embeds}/movie/1"
        expect(page.locator(".together__words")).to_contain_text(
            "This player can’t be steered from here. Press play together."
        )
        page.evaluate("""() => {
          const count = document.querySelector('.together__count');
          window.counted = [];
          const note = () => { if (count.textContent) counted.push([count.textContent, partyline.clock.now()]); };
          new MutationObserver(note).observe(count, { childList: true });
          window.alive = [];
          setInterval(() => alive.push(partyline.clock.now()), 50);
        }""")
    embed_stage.move(state="paused", positionMs=65_000)
    for page in pages:
        expect(page.locator(".together__words")).to_have_text(
            "Paused for everyone at 1:05. Press pause here, too."
        )
    at = int(now_ms()) + 6000
    embed_stage.move(state="playing", positionMs=65_000, atMs=at)

    def due(when: float) -> str:
        return "Play" if when >= at else str(min(3, math.ceil((at - when) / 1000)))

    for page in pages:
        page.wait_for_function("() => counted.some(([words]) => words === 'Play')")
        counted, alive = page.evaluate("[counted, alive]")
        # Whatever shows is what the room's clock says at that moment, so that everybody sees the same at once,
        assert all(words in (due(when), due(when - 100)) for words, when in counted), (at, counted)
        # and nothing is left out, but for a second in which the machine gave this page no time.
        lived = Counter(due(when) for when in alive if counted[0][1] <= when < at)
        assert {words for words, ticks in lived.items() if ticks > 8} <= {words for words, _ in counted}
        assert counted[-1][0] == "Play"
    expect(pages[0].locator(".together__words")).to_contain_text(re.compile(r"The room is at 1:[0-5]\d"))
    assert embed_stage.posts == []


def test_a_latecomer_sees_no_countdown_and_where_the_room_is(
    browser: Browser, embed_stage: FrameStage
) -> None:
    embed_stage.anchor.update(positionMs=3_720_000, atMs=int(now_ms()))
    page = enter(browser, embed_stage)
    expect(page.locator(".together__words")).to_contain_text("The room is at 1:02:")
    expect(page.locator(".together__count")).to_have_text("")


STRAY = """(src) => new Promise((done) => {
  const stray = Object.assign(document.createElement('iframe'), { src, onload: done });
  document.body.append(stray);
})"""
LISTEN = """() => {
  window.heard = [];
  document.addEventListener('partyline:progress', ({ detail }) => heard.push(detail));
}"""


def test_progress_is_believed_from_the_frame_alone(browser: Browser, embed_stage: FrameStage) -> None:
    page = enter(browser, embed_stage)
    frame = inside(page)
    page.evaluate(LISTEN)
    page.evaluate("window.postMessage({ currentTime: 99, duration: 100 }, '*')")
    page.evaluate(STRAY, f"{embed_stage.embeds}/other")
    stray = next(one for one in page.frames if one.url.endswith("/other"))
    stray.evaluate("fake.say({ currentTime: 98, duration: 100 })")
    frame.evaluate("fake.say({ type: 'timeupdate', currentTime: 12.5, duration: 100 })")
    page.wait_for_function("() => heard.length === 1")
    assert page.evaluate("heard") == [{"item": "1", "positionMs": 12_500, "durationMs": 100_000}]
    assert embed_stage.posts == []


def test_a_frame_of_an_unknown_origin_is_not_believed(browser: Browser, embed_stage: FrameStage) -> None:
    page = enter(browser, embed_stage)
    frame = inside(page)
    page.evaluate(LISTEN)
    page.evaluate("document.getElementById('screen').dataset.origins += '1 http://localhost'")
    # Who listens later is told later: then the page has had the message, too.
    page.evaluate("() => addEventListener('message', () => { window.isSaid = true; })")
    frame.evaluate("fake.say({ currentTime: 12.5, duration: 100 })")
    page.wait_for_function("() => window.isSaid")
    assert page.evaluate("heard") == []


@pytest.mark.parametrize(
    ("length_ms", "before", "end_ms"),
    [
        (0, {"currentTime": 50, "duration": 60}, 60_000),
        (0, {"currentTime": 50}, 50_000),
        (90_000, {"currentTime": 50, "duration": 60}, 90_000),
        (0, None, 1),
    ],
)  # fmt: skip
def test_an_end_without_times_is_where_it_ends_as_far_as_anybody_knows(
    browser: Browser, embed_stage: FrameStage, length_ms: int, before: object, end_ms: int
) -> None:
    embed_stage.anchor.update(durationMs=length_ms, state="paused", positionMs=0)
    page = enter(browser, embed_stage)
    frame = inside(page)
    page.evaluate(LISTEN)
    said = [before] if before else []
    # Right after a place, and twice.
    for message in (*said, {"event": "ended"}, {"event": "ended"}):
        frame.evaluate("message => fake.say(message)", message)
    page.evaluate(STRAY, f"{embed_stage.embeds}/other")
    stray = next(one for one in page.frames if one.url.endswith("/other"))
    stray.evaluate("fake.say({ event: 'ended', duration: 7 })")
    page.wait_for_function("count => heard.length === count", arg=len(said) + 1)
    assert page.evaluate("heard")[-1] == {"item": "1", "positionMs": end_ms, "durationMs": end_ms}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"event": "time", "time": 5, "duration": 10}, [5000, 10_000]),
        ('{"type":"progress","currentTime":"7.5"}', [7500, None]),
        ({"type": "PLAYER_EVENT", "data": {"event": "timeupdate", "currentTime": 0, "duration": 60}}, [0, 60_000]),
        ({"progress": 50, "duration": 60}, [30_000, 60_000]),
        ({"event": "ended"}, [None, None]),
        ('{"type":"PLAYER_EVENT","data":{"event":"completed","currentTime":3,"duration":60}}', [60_000, 60_000]),
        ({"event": ["ended"]}, None),
        ({"state": "ended"}, None),
        ({"currentTime": -1}, None),
        ({"currentTime": 1e12}, None),
        ({"currentTime": None, "duration": 10}, None),
        ({"currentTime": [5]}, None),
        ({"currentTime": 50, "duration": 10}, None),
        ({"progress": 400, "duration": 10}, None),
        ("not json", None),
        ("[1, 2]", None),
        ('{"currentTime":1e999}', None),
        (7, None),
        (None, None),
    ],
)  # fmt: skip
def test_messages_of_many_shapes_are_read_and_others_are_not(
    progress_page: Page, message: object, told: list[int | None] | None
) -> None:
    found = progress_page.evaluate("message => partyline.frames.progressIn(message)", message)
    assert (found and [found["positionMs"], found["durationMs"]]) == told


@pytest.fixture(scope="module")
def progress_page(browser: Browser) -> Iterator[Page]:
    with frame_room.running(player="embed", reference="movie:603") as stage:
        yield enter(browser, stage)


def test_an_embed_can_do_little(browser: Browser, embed_stage: FrameStage) -> None:
    page = enter(browser, embed_stage)
    frame = inside(page)
    assert frame.evaluate("fake.referrer") == f"{embed_stage.url}/"
    assert frame.evaluate("fake.read()") == "SecurityError"
    assert frame.evaluate("fake.open('/popup')")
    frame.evaluate("fake.go('/away')")
    page.wait_for_timeout(300)
    assert page.url == f"{embed_stage.url}/"
    iframe = page.locator("#player-frame iframe")
    expect(iframe).to_have_attribute("sandbox", "allow-scripts allow-same-origin allow-presentation")
    # Our own address leads elsewhere, and the film there may fill the screen.
    assert frame.evaluate("document.fullscreenEnabled")
    expect(iframe).to_have_attribute("referrerpolicy", "strict-origin-when-cross-origin")
