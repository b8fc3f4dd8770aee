"""Spotify on a real page: the real script and addresses, a strict policy, and a fake of their SDK behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from media import spotify
from tests.browser import frame_room
from tests.browser.frame_room import FrameStage
from tests.browser.patience import PATIENCE_MS, eventually
from tests.browser.player_room import HERE, now_ms

pytestmark = pytest.mark.browser

STATE = "state => partyline.player.state === state"
TRACK, OTHER = "1" * 22, "2" * 22
SDK, PLAY = "https://sdk.scdn.co/spotify-player.js", "https://api.spotify.com/v1/me/player/play"
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-allow-methods": "PUT",
}


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[FrameStage]:
    monkeypatch.setattr(frame_room, "PLAYERS", (*frame_room.PLAYERS, "spotify"))
    own = {"script-src": spotify.PROVIDER.scripts, "connect-src": spotify.PROVIDER.connects}
    policy = frame_room.POLICY
    for name, sources in own.items():
        policy = policy.replace(f"{name} 'self'", f"{name} 'self' {' '.join(sources)}")
    monkeypatch.setattr(frame_room, "POLICY", policy)
    with frame_room.running(player="spotify", reference=TRACK) as running:
        yield running


class Answers:
    """What the house and Spotify answer: the token's statuses in turn, the Web API's, and what was asked."""

    def __init__(self, tokens: tuple[int, ...] = (), plays: tuple[int, ...] = ()) -> None:
        self.tokens, self.plays = list(tokens), list(plays)
        self.asked: list[tuple[str, dict[str, str]]] = []

    def token(self, route: Route) -> None:
        status = self.tokens.pop(0) if self.tokens else 200
        self.asked.append(("token", route.request.headers))
        good = {"token": f"token-{len(self.asked)}", "ends_at": int(now_ms()) + 3_600_000}
        body = {200: good, 202: {"again_ms": 50}}.get(status, {})
        route.fulfill(status=status, body=json.dumps(body), content_type="application/json")

    def play(self, route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.fulfill(status=204, headers=CORS)
            return
        self.asked.append(("play", route.request.headers))
        route.fulfill(status=self.plays.pop(0) if self.plays else 204, headers=CORS)


def enter(browser: Browser, stage: FrameStage, answers: Answers, **habits: Any) -> Page:
    """Somebody's page; nothing of it leaves the machine."""
    context = browser.new_context()
    context.route("https://**/*", lambda route: route.abort())
    context.route(
        SDK, lambda route: route.fulfill(path=HERE / "fake_spotify.js", content_type="text/javascript")
    )
    context.route(f"{PLAY}*", answers.play)
    context.route("**/spotify/token", answers.token)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(
        f"window.spotifyHabits = {json.dumps(habits)};"
        "addEventListener('securitypolicyviolation', (e) => (window.refused ??= []).push(e.blockedURI))"
    )
    page.goto(stage.url)
    return page


def reach(page: Page, state: str) -> None:
    page.wait_for_function(STATE, arg=state, polling=20)


def commands(page: Page, name: str) -> list[Any]:
    return [each for each in page.evaluate("fake.commands") if each[0] == name]


def off_ms(page: Page, stage: FrameStage) -> float:
    """How far what really plays is off, by the machine's clock."""
    truth = page.evaluate("fake.truth()")
    return float(truth["ms"] - stage.anchor["positionMs"] - (truth["at"] - stage.anchor["atMs"]))


def expect_near(page: Page, stage: FrameStage, ms: float = 150) -> None:
    eventually(
        page,
        lambda: page.evaluate(STATE, "in step") and abs(off_ms(page, stage)) <= ms,
        "it does not keep up",
    )


def test_it_plays_in_step_under_the_strict_policy(browser: Browser, stage: FrameStage) -> None:
    answers = Answers()
    page = enter(browser, stage, answers)
    reach(page, "in step")
    expect_near(page, stage)
    assert page.evaluate("window.refused ?? []") == []
    [[_, uri, _]] = commands(page, "play")
    assert uri == f"spotify:track:{TRACK}"
    assert (
        answers.asked[0] == ("token", answers.asked[0][1])
        and answers.asked[0][1]["x-partyline-player"] == "spotify"
    )
    [sent] = [headers for what, headers in answers.asked if what == "play"]
    assert sent["authorization"] == "Bearer token-1" and "cookie" not in sent and "referer" not in sent
    assert "token-1" not in page.evaluate(
        "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"
    )
    assert "token-1" not in page.content()


def test_pause_seek_and_the_next_track_are_followed_by_one_player(
    browser: Browser, stage: FrameStage
) -> None:
    page = enter(browser, stage, Answers(), relinks=True)
    reach(page, "in step")
    stage.move(state="paused", positionMs=30_000, atMs=int(now_ms()))
    reach(page, "paused")
    eventually(
        page, lambda: page.evaluate("fake.isPaused") and abs(page.evaluate("fake.place()") - 30_000) < 60
    )
    stage.move(state="playing", positionMs=30_000, atMs=int(now_ms()) + 500)
    reach(page, "in step")
    expect_near(page, stage)
    stage.move(item="2", reference=OTHER, positionMs=0, atMs=int(now_ms()) + 800)
    eventually(page, lambda: page.evaluate("fake.track") == OTHER)
    expect_near(page, stage)
    assert page.evaluate("fake.made") == 1 and len(commands(page, "play")) == 2
    stage.move(item="", state="idle", reference="", player="file")
    eventually(page, lambda: commands(page, "disconnect"))


def test_the_sdk_is_loaded_only_while_something_of_spotify_plays(browser: Browser, stage: FrameStage) -> None:
    stage.move(player="file", reference="", src="/track/1", durationMs=60_000)
    answers, asked = Answers(), list[str]()
    page = enter(browser, stage, answers)
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_function("() => partyline.clock.isLocked")
    assert not page.evaluate("Boolean(window.Spotify)") and answers.asked == []
    stage.move(player="spotify", reference=TRACK, item="2", src="", durationMs=240_000, atMs=int(now_ms()))
    reach(page, "in step")
    assert SDK in asked


def test_a_token_that_is_being_renewed_is_waited_for(browser: Browser, stage: FrameStage) -> None:
    answers = Answers(tokens=(202, 202, 200))
    page = enter(browser, stage, answers)
    reach(page, "in step")
    assert [what for what, _ in answers.asked][:3] == ["token"] * 3


def test_an_expired_token_is_asked_for_anew_once(browser: Browser, stage: FrameStage) -> None:
    answers = Answers(plays=(401,))
    page = enter(browser, stage, answers)
    reach(page, "in step")
    assert [what for what, _ in answers.asked] == ["token", "play", "token", "play"]


@pytest.mark.parametrize("status", [401, 403, 409])
def test_without_ones_own_account_the_page_says_what_it_takes(
    browser: Browser, stage: FrameStage, status: int
) -> None:
    page = enter(browser, stage, Answers(tokens=(status,) * 9))
    reach(page, "failed")
    problem = page.evaluate("partyline.player.problem")
    assert problem["text"].startswith("Needs your own Spotify Premium.")
    assert problem["url"] == f"https://open.spotify.com/track/{TRACK}"
    expect(page.locator("#player-frame a", has_text="Connect it")).to_have_attribute("href", "/spotify")
    expect(page.locator("#player-frame a", has_text="Open in Spotify")).to_have_attribute(
        "href", problem["url"]
    )
    assert not page.evaluate("Boolean(window.Spotify)"), "nothing of theirs is loaded"


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("account_error", "The account you connected has none."),
        ("authentication_error", "Connect it on your Spotify page."),
        ("initialization_error", "doesn’t work in this browser"),
    ],
)
def test_what_the_player_refuses_is_said(
    browser: Browser, stage: FrameStage, trouble: str, said: str
) -> None:
    page = enter(browser, stage, Answers(), trouble=trouble)
    reach(page, "failed")
    assert said in page.evaluate("partyline.player.problem.text")


def test_a_track_it_cannot_play_leaves_the_next_one_its_turn(browser: Browser, stage: FrameStage) -> None:
    page = enter(browser, stage, Answers(plays=(404,)))
    reach(page, "failed")
    assert page.evaluate("partyline.player.problem.text") == "Spotify can’t play this track here."
    stage.move(item="2", reference=OTHER, positionMs=0, atMs=int(now_ms()))
    reach(page, "in step")


def test_what_goes_on_elsewhere_is_paused_here_until_a_tap(browser: Browser, stage: FrameStage) -> None:
    page = enter(browser, stage, Answers())
    reach(page, "in step")
    page.evaluate("fake.elsewhere()")
    reach(page, "held")
    page.locator("#sound-chip").click()
    reach(page, "in step")
    expect_near(page, stage)
    assert len(commands(page, "play")) == 2
