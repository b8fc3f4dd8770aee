"""Fixtures of the page script tests: one browser and one served house per module, a new stage and page per test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.harness import House, Stage, serving
from tests.browser.harness_page import opened
from tests.browser.patience import PATIENCE_MS

DESK: dict[str, Any] = {"viewport": {"width": 1200, "height": 800}, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def desk(chromium: Browser) -> Iterator[BrowserContext]:
    """One browser for many pages, so that files are fetched once."""
    context = chromium.new_context(**DESK)
    yield context
    context.close()


@pytest.fixture
def stage(house: House) -> Stage:
    return house.new_stage()


def watched(page: Page) -> Iterator[Page]:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def blank(desk: BrowserContext) -> Iterator[Page]:
    yield from watched(desk.new_page())


@pytest.fixture
def timed(chromium: Browser) -> Iterator[Page]:
    """A page whose time stands still and moves only when told, however long the test takes."""
    context = chromium.new_context(**DESK)
    now = datetime.now()
    context.clock.install(time=now)
    # Installed, it would run on by itself.
    context.clock.pause_at(now + timedelta(hours=1))
    yield from watched(context.new_page())
    context.close()


@pytest.fixture
def screen(blank: Page, stage: Stage) -> Page:
    return opened(blank, stage)


@pytest.fixture
def still(timed: Page, stage: Stage) -> Page:
    """An open page whose time moves only when told: nothing in it can be too late."""
    return opened(timed, stage, is_timed=True)
