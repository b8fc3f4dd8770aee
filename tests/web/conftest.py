"""Browsers for the cast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

import fragments
from tests.doors import Browser, make_app
from tests.stage import Cast


@pytest.fixture(scope="session")
def app_of_session() -> Flask:
    return make_app()


@pytest.fixture
def app(cast: Cast, app_of_session: Flask) -> Iterator[Flask]:
    """The application over this test's database."""
    fragments._recent.clear()
    yield app_of_session
    fragments._recent.clear()


@pytest.fixture
def ada(app: Flask, cast: Cast) -> Browser:
    return Browser(app, cast.ada)


@pytest.fixture
def ben(app: Flask, cast: Cast) -> Browser:
    return Browser(app, cast.ben)


@pytest.fixture
def cleo(app: Flask, cast: Cast) -> Browser:
    return Browser(app, cast.cleo)


@pytest.fixture
def dan(app: Flask, cast: Cast) -> Browser:
    return Browser(app, cast.dan)


@pytest.fixture
def nobody(app: Flask) -> Browser:
    """Somebody without a name yet."""
    return Browser(app)
