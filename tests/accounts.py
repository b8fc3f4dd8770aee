"""What tests of accounts share: hashing that costs nothing, a carrier that keeps its letters, people with accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from argon2 import PasswordHasher

from models import User
from party import accounts, letters, people
from party.accounts import Visit
from party.change import Person
from party.people import SignedIn

PASSWORD = "two herons on a wire"
HOME = Visit("192.0.2.7", "Firefox on Linux")
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str]]]:
    """An installation that sends letters: what the carrier was given."""
    carried: list[tuple[str, str, str]] = []
    monkeypatch.setattr(letters, "carrier", lambda *order: carried.append(order))
    yield carried


@pytest.fixture
def known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps for the second factor with the same secrets in every run, so that no code is another's by chance."""
    secrets = (letter * 32 for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    monkeypatch.setattr(pyotp, "random_base32", lambda: next(secrets))


def make_account(email: str = "ada@example.org", name: str = "Ada Byron", password: str = PASSWORD) -> Person:
    """An account, made where no letters are sent."""
    accounts.sign_up(email, password, HOME, name)
    return Person(User.get(User.email == email).id)


def seen_as(person: Person, device: str = "") -> SignedIn:
    """The person as a request with a session of its own sees them."""
    from party import sessions

    known = people.signed_in(sessions.begin(person.user_id, device))
    assert known is not None
    return known
