"""Patience for what runs beside the tests: a busy machine lets it wait."""

from __future__ import annotations

import pytest

from media import thumbnails

PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is not given up on because the machine is busy; tests of giving up set a bound of their own."""
    monkeypatch.setattr(thumbnails, "SECONDS", PATIENCE_SECONDS)
