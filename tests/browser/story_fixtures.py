"""Fixtures of the tests on the real house: one house and one browser per module, a new room and new people per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import player_stage
from tests.browser.conftest import FAILED
from tests.browser.story import Launch, Party, furnish
from tests.live.servers import House, running


@pytest.fixture(scope="module")
def launch() -> Iterator[Launch]:
    with player_stage.launcher() as launch:
        yield launch


@pytest.fixture(scope="module")
def browser(launch: Launch) -> Browser:
    return launch("--autoplay-policy=no-user-gesture-required")


@pytest.fixture(scope="module")
def real_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("house"), worker=True) as house:
        yield house


@pytest.fixture(scope="module")
def tracks(real_house: House) -> list[int]:
    return furnish(real_house, 24)


@pytest.fixture
def party(
    real_house: House, browser: Browser, tracks: list[int], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Party]:
    party = Party(real_house, browser, tracks)
    yield party
    has_failed = request.node.stash.get(FAILED, True)
    party.close(tmp_path if has_failed else None)
    assert [error for seat in party.seats for error in seat.errors] == []
