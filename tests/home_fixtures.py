"""Fixtures of the tests that ask somebody's own media server: each is run with either kind of server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from party import work
from tests.media.home_servers import Home, jellyfin_at_home, subsonic_at_home


@pytest.fixture(params=["subsonic", "jellyfin"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setattr(work, "carriers", {})
    with (subsonic_at_home if kind == "subsonic" else jellyfin_at_home)() as running:
        yield running
