"""How often somebody may do something."""

from __future__ import annotations

import pytest

from party import limits
from party.errors import TooMany
from party.limits import Minute


def test_the_minute_slides(time) -> None:
    minute = Minute(3)
    for _ in range(3):
        minute.spend("ada")
        time.move(10)
    with pytest.raises(TooMany, match="in 30 s"):
        minute.spend("ada")
    time.move(29.999)
    with pytest.raises(TooMany, match="in 1 s"):
        minute.spend("ada")
    time.move(0.001)
    minute.spend("ada")
    with pytest.raises(TooMany, match="in 10 s"):
        minute.spend("ada")


def test_what_was_refused_is_not_counted(time) -> None:
    minute = Minute(1)
    minute.spend("ada")
    for _ in range(100):
        with pytest.raises(TooMany):
            minute.spend("ada")
    time.move(60)
    minute.spend("ada")


def test_a_clock_set_back_locks_nobody_out(time) -> None:
    minute = Minute(2)
    minute.spend("ada")
    time.move(30)
    minute.spend("ada")
    time.move(-20)
    minute.spend("ada")
    with pytest.raises(TooMany, match="in 50 s"):
        minute.spend("ada")
    time.move(-3_600)
    minute.spend("ada")


def test_everybody_has_their_own(time) -> None:
    minute = Minute(1)
    for name in ("ada", "ben", "cleo"):
        minute.spend(name)


def test_nought_is_no_limit(time) -> None:
    minute = Minute(0)
    for _ in range(1_000):
        minute.spend("ada")


def test_the_longest_unseen_are_forgotten_first(time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYS_KEPT", 2)
    minute = Minute(1)
    minute.spend("ada")
    minute.spend("ben")
    with pytest.raises(TooMany):
        minute.spend("ada")
    minute.spend("cleo")
    with pytest.raises(TooMany):
        minute.spend("ada")
    minute.spend("ben")
