"""T17: what was pressed on a screen that had not seen who hosts by now has no effect, though its person leads again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from party import hosting, playback, queue
from party.change import Person
from party.errors import Conflict
from tests.party.test_hosting import arrive
from tests.party.test_hosting_roles import hand_over, refused
from tests.stage import Cast

LEADING: dict[str, Callable[[Cast, Person], object]] = {
    "end_room": lambda c, who: hosting.end_room(who, c.code),
    "offer_host": lambda c, who: hosting.offer_host(who, c.code, c.members["cleo"]),
    "name_cohost": lambda c, who: hosting.name_cohost(who, c.code, c.members["cleo"]),
    "change_mode": lambda c, who: queue.change_mode(who, c.code, "hand"),
    "skip": lambda c, who: playback.skip(who, c.code),
    "pause": lambda c, who: playback.pause(who, c.code),
}


@pytest.fixture
def since(cast: Cast) -> Person:
    """Ada as a tab of hers has her that slept through giving the line away and taking it back."""
    for name in ("ada", "ben", "cleo"):
        arrive(cast, name)
    cast.add(3)
    asleep = replace(cast.ada, fence=cast.room().fence)
    hand_over(cast, "ben")
    hosting.claim_host(cast.ada, cast.code)
    assert cast.room().fence == asleep.fence + 2
    return asleep


@pytest.mark.parametrize("name", LEADING)
def test_t17_an_older_fence_has_no_effect(cast: Cast, since: Person, name: str) -> None:
    refused(Conflict, lambda: LEADING[name](cast, since))
    refused(Conflict, lambda: LEADING[name](cast, replace(since, fence=since.fence + 1)))


@pytest.mark.parametrize("name", LEADING)
def test_the_newest_fence_has(cast: Cast, since: Person, name: str) -> None:
    LEADING[name](cast, replace(since, fence=cast.room().fence))


def test_what_everybody_may_do_needs_no_fence(cast: Cast, since: Person) -> None:
    queue.cast_vote(since, cast.code, cast.line()[0], 1)
