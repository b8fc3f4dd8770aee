"""Tries are counted for everybody who asks, in all processes, and a flood locks nobody out who made none."""

from __future__ import annotations

from functools import partial

import pytest

from models import Attempt
from party import attempts
from party.attempts import EVERYBODY, Limit
from party.errors import TooMany
from tests.party.test_races import meanwhile

MINUTE = 60_000


def test_a_subject_has_so_many_tries_in_its_window(database, time) -> None:
    limits = {"network a": Limit(3, MINUTE)}
    for _ in range(3):
        attempts.spend("sign_in", limits)
    with pytest.raises(TooMany, match="60 s"):
        attempts.spend("sign_in", limits)
    attempts.spend("reset", limits)
    attempts.spend("sign_in", {"network b": Limit(3, MINUTE)})
    time.move(61)
    attempts.spend("sign_in", limits)


def test_while_everybody_is_at_it_a_newcomer_still_has_one_try(database, time) -> None:
    def limits(network: str) -> dict[str, Limit]:
        return {network: Limit(10, MINUTE), EVERYBODY: Limit(5, MINUTE)}

    for _ in range(5):
        attempts.spend("sign_in", limits("network a"))
    with pytest.raises(TooMany):
        attempts.spend("sign_in", limits("network a"))
    attempts.spend("sign_in", limits("network b"))
    with pytest.raises(TooMany):
        attempts.spend("sign_in", limits("network b"))
    with pytest.raises(TooMany):
        attempts.check("sign_in", {EVERYBODY: Limit(5, MINUTE)})


def test_a_refusal_counts_nothing_and_no_address_is_kept(database, time) -> None:
    from models import Attempt

    limits = {"ada@example.org": Limit(1, MINUTE)}
    attempts.spend("sign_in", limits)
    for _ in range(3):
        with pytest.raises(TooMany):
            attempts.spend("sign_in", limits)
    [row] = Attempt.select()
    assert "ada" not in row.subject and len(row.subject) == 64


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a socket", "a socket"),
    ],
)
def test_whose_network_an_address_is(address: str, network: str) -> None:
    assert attempts.network_of(address) == network


def test_tries_at_the_same_instant_are_counted_one_after_the_other(database, time, monkeypatch) -> None:
    limits = {"network a": Limit(3, MINUTE), EVERYBODY: Limit(9, MINUTE)}
    attempts.count("sign_in", limits)
    attempts.count("sign_in", limits)
    spend = partial(attempts.spend, "sign_in", limits)
    answers = meanwhile(monkeypatch, (attempts, "check"), spend, spend)
    assert [type(answer) for answer in answers] == [type(None), TooMany]
    assert Attempt.select().count() == 6


def test_right_tries_at_the_same_instant_are_all_given_back(database, time, monkeypatch) -> None:
    limits = {"network a": Limit(3, MINUTE)}
    attempts.count("sign_in", limits)
    attempts.count("sign_in", limits)
    give_back = partial(attempts.give_back, "sign_in", ["network a"])
    meanwhile(monkeypatch, (Attempt, "delete"), give_back, give_back, is_before=True)
    assert not Attempt.select().exists()
