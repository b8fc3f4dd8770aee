"""Fixtures of the tests on the real house: one house per module, a new room and new people per test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import FAILED
from tests.browser.story import Party, furnish
from tests.live.servers import House, running


@contextmanager
def held(
    house: House, browser: Browser, tracks: list[int], request: pytest.FixtureRequest, pictures: Path
) -> Iterator[Party]:
    """A party in a house; pictures of its pages when the test fails, and no page may have had an error."""
    party = Party(house, browser, tracks)
    yield party
    party.close(pictures if request.node.stash.get(FAILED, True) else None)
    assert [error for seat in party.seats for error in seat.errors] == []


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
    with held(real_house, browser, tracks, request, tmp_path) as party:
        yield party
