"""Rank keys keep a strict order under any moves, stay short enough, and nothing malformed gets in."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from party.ranks import MAX_LENGTH, BadRank, NoGap, between, needs_renumbering, several

thousand = settings(max_examples=1000)

LOWEST = "A" + "0" * 26
MALFORMED = [
    "",
    "a",
    "0",
    "a0 ",
    " a0",
    "a0\n",
    "a00",
    "a0V0",
    "b0",
    "Y0",
    "aé",
    "a０",
    "á0",
    "a-",
    "a0_",
    "1a0",
    "~42",
    LOWEST,
    "a0" + "V" * 31,
]


def insert(keys: list[str], place: int) -> list[str]:
    """The keys with one more at the place, renumbered when it grew too long, as the line does it."""
    key = between(keys[place - 1] if place else None, keys[place] if place < len(keys) else None)
    assert len(key) <= MAX_LENGTH + 1
    keys = [*keys[:place], key, *keys[place:]]
    return several(len(keys)) if needs_renumbering(key) else keys


@thousand
@given(st.lists(st.integers(0, 255), max_size=60))
def test_any_inserts_keep_a_strict_order(places: list[int]) -> None:
    keys: list[str] = []
    for place in places:
        keys = insert(keys, place % (len(keys) + 1))
    assert len(keys) == len(places)
    assert all(first < second for first, second in zip(keys, keys[1:], strict=False))
    assert [key.encode() for key in keys] == sorted(key.encode() for key in keys)


@pytest.mark.parametrize("place", ["always first", "always last", "after the first", "before the last"])
def test_a_thousand_inserts_at_one_place_never_outgrow_the_cap(place: str) -> None:
    keys = several(2)
    for _ in range(1000):
        spot = {"always first": 0, "always last": len(keys), "after the first": 1}.get(place, len(keys) - 1)
        keys = insert(keys, spot)
    assert len(set(keys)) == 1002
    assert keys == sorted(keys)
    assert not any(needs_renumbering(key) for key in keys)


@thousand
@given(st.integers(0, 10), st.lists(st.booleans(), min_size=20, max_size=240))
def test_a_gap_narrowed_from_either_side_takes_keys_up_to_the_cap(start: int, sides: list[bool]) -> None:
    before, after = several(start + 2)[-2:]
    for is_left in sides:
        key = between(before, after)
        assert before < key < after
        if needs_renumbering(key):
            return
        before, after = (before, key) if is_left else (key, after)


@given(st.integers(0, 700))
@example(1000)
def test_renumbering_gives_short_keys_in_order_and_as_many_as_asked(count: int) -> None:
    keys = several(count)
    assert len(keys) == len(set(keys)) == count
    assert keys == sorted(keys)
    assert all(len(key) <= 3 for key in keys)
    assert all(first < between(first, second) < second for first, second in zip(keys, keys[1:], strict=False))


@thousand
@given(st.permutations(list(range(8))))
def test_renumbering_keeps_the_order_of_the_rows(places: list[int]) -> None:
    keys = [str(between(f"a{place}V", f"a{place}l")) for place in places]
    fresh = dict(zip(sorted(keys), several(len(keys)), strict=True))
    by_old = sorted(range(8), key=lambda row: keys[row])
    assert sorted(range(8), key=lambda row: fresh[keys[row]]) == by_old


@pytest.mark.parametrize("key", MALFORMED)
def test_a_malformed_key_is_refused_on_either_side(key: str) -> None:
    with pytest.raises(BadRank):
        between(key, None)
    with pytest.raises(BadRank):
        between(None, key)
    with pytest.raises(BadRank):
        between(key, key)


@thousand
@given(st.text(max_size=6) | st.from_regex(r"[A-Za-z]\w{0,5}\s?", fullmatch=True))
def test_whatever_text_is_accepted_works_and_the_rest_is_refused(text: str) -> None:
    try:
        above = between(text, None)
    except BadRank:
        with pytest.raises(BadRank):
            between(None, text)
        return
    assert text.isascii() and text.isalnum()
    below = between(None, text)
    assert below < between(below, text) < text < between(text, above) < above


def test_a_key_may_reach_the_cap_and_not_pass_it() -> None:
    longest = "a0" + "V" * (MAX_LENGTH - 2)
    assert not needs_renumbering(longest)
    assert between(longest, None) == "a1"
    assert needs_renumbering(longest + "V")
    with pytest.raises(BadRank, match="renumbered"):
        between(longest + "V", None)


@pytest.mark.parametrize(("before", "after"), [("a1", "a1"), ("a2", "a1"), ("a1V", "a1"), ("a0", "Zz")])
def test_equal_or_reversed_neighbours_are_refused(before: str, after: str) -> None:
    with pytest.raises(NoGap, match="does not stand before"):
        between(before, after)


def test_the_very_ends_of_all_keys_are_refused_clearly_or_filled_by_fractions() -> None:
    with pytest.raises(NoGap):
        between(None, LOWEST[:-1] + "1")
    highest = "z" * 27
    assert highest < between(highest, None)
    assert LOWEST < between(None, LOWEST + "V") < LOWEST + "V"


def test_a_negative_number_of_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        several(-1)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 60))
def test_several_keys_fit_between_any_neighbours(one: int, other: int, count: int) -> None:
    keys = several(301)
    before, after = (keys[min(one, other)], keys[max(one, other)]) if one != other else (keys[one], None)
    fresh = several(count, before, after)
    assert [before, *fresh, *([after] if after else [])] == sorted(
        {before, *fresh, *([after] if after else [])}
    )
    assert len(fresh) == count


def test_several_keys_are_refused_like_one() -> None:
    with pytest.raises(NoGap):
        several(2, "a1", "a1")
    with pytest.raises(BadRank):
        several(2, "~4")
