"""What the player's tests share: a Chromium page with the pure timing code and the simulated party in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "static" / "js"
CHROMIUM = "/usr/bin/chromium"


@contextmanager
def launcher() -> Iterator[Callable[..., Browser]]:
    """Starts Debian's Chromium with the given flags; without a sound card it plays into nothing, in real time."""
    with sync_playwright() as playwright:
        opened: list[Browser] = []

        def launch(*flags: str) -> Browser:
            opened.append(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *flags]))
            return opened[-1]

        try:
            yield launch
        finally:
            for browser in opened:
                browser.close()


def open_simulation(browser: Browser) -> Page:
    """A page that knows ClockFilter, ClockProbe, Follower and `sim`, and no room."""
    page = browser.new_page()
    page.evaluate("window.partyline = { link: null, send() {}, on() {} }")
    for name in ("clock", "steering", "controller"):
        page.evaluate((SCRIPTS / f"{name}.js").read_text())
    page.evaluate((HERE / "player_sim.js").read_text())
    return page
