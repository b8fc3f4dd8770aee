"""How far apart two real browsers are with a player in a frame: two Chromium pages, a fake of YouTube's player in each.

The fake starts and seeks as late and as unevenly as its habits say, tells its time four times a second, and refuses or
takes fine speeds. What really plays inside both frames is read beside the system's clock they share and subtracted.

    bin/bench frames                 refusing and taking fine speeds, and with an ad on one page
    bin/bench frames --seconds 120
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from bench.sync import CHROMIUM, FLAGS, PATIENCE_MS, apart, quantiles
from tests.browser import frame_room
from tests.browser.player_room import now_ms

IN_STEP = "() => window.partyline?.player?.state === 'in step'"
STATE = "state => partyline.player.state === state"
READ = """() => {
  window.rows = [];
  // timeOrigin is taken once from a clock that may have been corrected since.
  const shift = Date.now() - performance.timeOrigin - performance.now();
  window.reading = setInterval(() => {
    const { at, ms, isMoving } = fake.truth();
    if (isMoving) rows.push([at + shift, ms]);
  }, 50);
}"""
AD_MS, QUIET_MS = 8000, 6000


def enter(browser: Browser, url: str, **habits: Any) -> tuple[Page, Frame]:
    """A page of the room in a browser of its own, in step."""
    context = browser.new_context()
    frame_room.fake_providers(context, **habits)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(url)
    frame = frame_room.inside(page)
    page.wait_for_function(IN_STEP)
    return page, frame


def readings(page: Page, frames: list[Frame], seconds: float) -> list[np.ndarray]:
    for frame in frames:
        frame.evaluate(READ)
    page.wait_for_timeout(seconds * 1000)
    return [np.array(frame.evaluate("(clearInterval(reading), rows)")) for frame in frames]


def measure(browser: Browser, title: str, seconds: float, **habits: Any) -> None:
    """Join, drift, and corrections of two pages whose fakes have these habits."""
    print(title)
    with frame_room.running(durationMs=3_600_000) as stage:
        habits = {"durationMs": 3_600_000} | habits
        seats = [enter(browser, stage.url, **habits) for _ in range(2)]
        pages, frames = [page for page, _ in seats], [frame for _, frame in seats]
        pages[0].wait_for_timeout(QUIET_MS)
        before = [page.evaluate("[partyline.player.seeks, partyline.player.starts]") for page in pages]
        taken = readings(pages[0], frames, seconds)
        after = [page.evaluate("[partyline.player.seeks, partyline.player.starts]") for page in pages]
        print(f"  apart            {quantiles(np.abs(apart(taken)))}")
        print(f"  corrective seeks {[b[0] - a[0] for a, b in zip(before, after, strict=True)]}, "
              f"starts before {[a[1] for a in before]}")  # fmt: skip
        print(
            f"  join to in step  {[round(page.evaluate('partyline.player.firstInStepAt')) for page in pages]} ms"
        )
        measure_ad(pages, frames)
        measure_starts(pages, frames, stage)
        for page in pages:
            page.context.close()


def measure_ad(pages: list[Page], frames: list[Frame]) -> None:
    """An ad on the second page: the first must not notice, the second must come back."""
    counted = "[partyline.player.starts, partyline.player.seeks]"
    calm = pages[0].evaluate(counted)
    sought = len(frames[1].evaluate("fake.commands"))
    frames[1].evaluate(f"fake.advertise({AD_MS})")
    pages[1].wait_for_function(STATE, arg="in an ad")
    commanded = len(frames[1].evaluate("fake.commands")) - sought
    began = now_ms()
    pages[1].wait_for_function(IN_STEP)
    back = now_ms() - began
    drift = np.abs(apart(readings(pages[0], frames, 3)))
    print(f"  ad of {AD_MS // 1000} s: commands to it meanwhile {commanded}, first page disturbed "
          f"{pages[0].evaluate(counted) != calm}, said until in step again {back / 1000:.1f} s")  # fmt: skip
    print(f"  after the ad     {quantiles(drift)}")


def measure_starts(pages: list[Page], frames: list[Frame], stage: Any, times: int = 6) -> None:
    """The host's pause and play, as both frames felt them."""
    gaps = []
    for number in range(times):
        stage.move(state="paused", positionMs=20_000 + number, atMs=int(now_ms()))
        for page in pages:
            page.wait_for_function(STATE, arg="paused")
        pages[0].wait_for_timeout(1500)
        stage.move(state="playing", atMs=int(now_ms()) + 400)
        pages[0].wait_for_timeout(2500)
        gaps.append(float(np.median(np.abs(apart(readings(pages[0], frames, 1))))))
    print(f"  play: apart      {quantiles(gaps)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args().seconds
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        measure(browser, "refusing fine speeds", seconds)
        sys.stdout.flush()
        measure(browser, "taking fine speeds", seconds, hasFineRates=True)
        browser.close()


if __name__ == "__main__":
    main()
