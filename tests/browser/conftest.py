"""Patience for every expectation, the browsers, and what a test leaves behind when it fails: pictures of its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import player_stage
from tests.browser.patience import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Browser]]:
    with player_stage.launcher() as launch:
        yield launch


@pytest.fixture(scope="module")
def browser(launch: Callable[..., Browser]) -> Browser:
    """Plays as soon as it is asked to."""
    return launch("--autoplay-policy=no-user-gesture-required")


@pytest.fixture(scope="module")
def strict_browser(launch: Callable[..., Browser]) -> Browser:
    """Plays nothing aloud before somebody tapped."""
    return launch("--autoplay-policy=document-user-activation-required")
