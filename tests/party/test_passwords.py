"""Passwords: what may be one, how it is kept, and how many are hashed at once."""

from __future__ import annotations

import threading
import unicodedata

import pytest

from party import passwords
from party.errors import Busy, Invalid
from tests.accounts import CHEAP


def test_a_password_is_right_for_its_own_hash_alone() -> None:
    kept = passwords.hash_password("two herons on a wire")
    assert kept.startswith("$argon2id$") and "herons" not in kept
    assert passwords.is_right(kept, "two herons on a wire")
    assert not passwords.is_right(kept, "Two herons on a wire")
    assert not passwords.is_right(kept, "")
    assert not passwords.is_right("not a hash", "two herons on a wire")
    assert kept != passwords.hash_password("two herons on a wire")


def test_nobodys_hash_is_never_right_and_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    monkeypatch.setattr(passwords, "_fits", lambda kept, text: checked.append(kept) or True)
    assert not passwords.is_right(None, "a password that nobody has")
    assert passwords.is_right(passwords.hash_password("something else"), "something else")
    assert len(checked) == 2 and all(kept.startswith("$argon2id$") for kept in checked)


def test_the_same_signs_composed_differently_are_one_password() -> None:
    kept = passwords.hash_password(unicodedata.normalize("NFD", "café café café"))
    assert passwords.is_right(kept, unicodedata.normalize("NFC", "café café café"))


@pytest.mark.parametrize(
    "text", ["x9 kw2m!", "herons wire", "한국어 비밀번호 입니다", " " * 3 + "abcde fg", "x1y2z3" * 21]
)
def test_eight_to_128_characters_of_any_kind_will_do(text: str) -> None:
    passwords.check_strength(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "at least 8"),
        ("short77", "at least 8"),
        ("e\u0301" * 7, "at least 8"),
        ("x1y2z3" * 22, "Up to 128"),
        ("password", "first"),
        ("PassWord123", "first"),
        ("qwertyuiop", "first"),
        ("12345678", "first"),
        ("iloveyou", "first"),
        ("Summer2025", "first"),
        ("aaaaaaaabbbb", "first"),
        ("ADA@example.org", "next to your name"),
    ],
)
def test_what_is_too_short_too_long_or_tried_first_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        passwords.check_strength(text, "ada@example.org")


def test_the_list_of_the_commonest_is_long_and_every_line_of_it_counts() -> None:
    assert len(passwords.common()) > 1_000
    assert all(word == word.casefold() and len(word) >= passwords.SHORTEST for word in passwords.common())


def test_a_hash_of_other_costs_asks_to_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = passwords.hash_password("two herons on a wire")
    assert not passwords.needs_rehash(kept)
    monkeypatch.setattr(passwords, "hasher", type(CHEAP)(time_cost=2, memory_cost=8, parallelism=1))
    assert passwords.needs_rehash(kept) and passwords.needs_rehash("not a hash")
    assert passwords.is_right(kept, "two herons on a wire")


def test_two_are_hashed_at_once_and_a_third_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    both_in, go_on, counts = threading.Barrier(3), threading.Event(), []

    def slow(act):
        both_in.wait(60)
        go_on.wait(60)
        return act()

    monkeypatch.setattr(passwords, "run", slow)
    monkeypatch.setattr(passwords, "PATIENCE_SECONDS", 0.01)
    threads = [
        threading.Thread(target=lambda: counts.append(passwords.hash_password("two herons on a wire")))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    both_in.wait(60)
    with pytest.raises(Busy, match="moment"):
        passwords.hash_password("two herons on a wire")
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert len(counts) == 2
    monkeypatch.setattr(passwords, "run", passwords.run_here)
    assert passwords.hash_password("two herons on a wire")


def test_hashing_runs_where_the_process_says(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr(passwords, "run", lambda act: ran.append(1) or act())
    assert passwords.is_right(passwords.hash_password("two herons on a wire"), "two herons on a wire")
    assert len(ran) == 2
