"""F1 and F2 in small: kill -9 of web among votes, and of the worker just before its deadlines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.crash import GRACE_SECONDS, web_killed, worker_killed
from tests.live.servers import House, running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web and worker without limits, and with a short grace."""
    folder = tmp_path_factory.mktemp("house")
    with running(folder, worker=True, GRACE_SECONDS=str(GRACE_SECONDS)) as started:
        yield started
        assert "Traceback" not in started.said(), started.said()


def test_votes_survive_the_death_of_web_once_each_and_screens_come_back_equal(house):
    outcome = web_killed(house, votes=80, screens=6)
    assert not outcome.faults, outcome.said


def test_advance_and_expiry_survive_the_death_of_the_worker_once_each(house):
    outcome = worker_killed(house, screens=4)
    assert not outcome.faults, outcome.said
