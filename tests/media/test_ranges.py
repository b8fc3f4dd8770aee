"""Ranges and conditions of RFC 9110: sections 13 (conditions) and 14 (ranges), case by case and for anything at all."""

from __future__ import annotations

import random

import pytest

from media import ranges
from media.ranges import Asked, Span, Unsatisfiable, Validator

SIZE, NOW = 1000, 1_800_000_000
KNOWN = Validator("abc-1", NOW - 60)
DATE, EARLIER, LATER = (Validator("", KNOWN.changed_at + more).last_modified for more in (0, -1, 1))


def spans(header: str, size: int = SIZE) -> list[tuple[int, int]] | None:
    found = ranges.parse(header, size)
    return None if found is None else [(span.first, span.last) for span in found]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        # 14.1.2, its own examples among them: a part, an open end, a suffix, several.
        ("bytes=0-499", [(0, 499)]),
        ("bytes=500-999", [(500, 999)]),
        ("bytes=-500", [(500, 999)]),
        ("bytes=950-", [(950, 999)]),
        ("bytes=0-0", [(0, 0)]),
        ("bytes=0-0,-1", [(0, 0), (999, 999)]),
        ("bytes= 0-99, 200-299 ,\t400-499", [(0, 99), (200, 299), (400, 499)]),
        # More than there is: as much as there is.
        ("bytes=900-99999", [(900, 999)]),
        ("bytes=-99999", [(0, 999)]),
        ("bytes=900-" + "9" * 400, [(900, 999)]),
        ("bytes=-" + "9" * 400, [(0, 999)]),
        ("bytes=" + "0" * 400 + "5-6", [(5, 6)]),
        # What cannot be had is left out where something else can.
        ("bytes=0-9,5000-", [(0, 9)]),
        ("bytes=5000-,0-9", [(0, 9)]),
        ("bytes=-0,0-9", [(0, 9)]),
        # A unit is told in any case (14.1); empty elements of a list are passed over (5.6.1.2).
        ("BYTES=0-9", [(0, 9)]),
        ("bytes=,0-9,,", [(0, 9)]),
        # In the order they were asked for (15.3.7.2); those that touch or overlap are one.
        ("bytes=500-599,0-99", [(500, 599), (0, 99)]),
        ("bytes=0-99,100-199", [(0, 199)]),
        ("bytes=0-99,50-149", [(0, 149)]),
        ("bytes=200-299,0-99,100-199", [(0, 299)]),
        ("bytes=200-299,0-99,90-250", [(0, 299)]),
    ],
)
def test_parts_that_are_there(header: str, expected: list[tuple[int, int]]) -> None:
    assert spans(header) == expected


@pytest.mark.parametrize(
    "header",
    [
        # Not the grammar of 14.1.1, or a last before its first: ignored (14.2).
        "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=--1", "bytes=x-y", "bytes=1-x", "bytes=0x1-2",
        "bytes=1.5-2", "bytes=5-1", "bytes=5-1,0-9", "bytes=0-9,x", "bytes=0-9;1-2", "bytes 0-9", "bytes:0-9",
        "0-9", "=0-9", "bytes=+1-2", "bytes=1 - 2", "bytes=1-2-3", "bytes=\u0661-2", "bytes=\xe9-", "bytes=1_0-20",
        "bytes=1-\n2",
        # Units nobody here knows (14.1).
        "lines=0-1", "items=0-9", "bytess=0-9",
    ],
)  # fmt: skip
def test_what_is_no_range_is_ignored(header: str) -> None:
    assert spans(header) is None


@pytest.mark.parametrize(
    "header", ["bytes=1000-", "bytes=1000-1000", "bytes=5000-6000", "bytes=-0", "bytes=1000-,2000-,-0"]
)
def test_parts_of_which_none_is_there_cannot_be_had(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        ranges.parse(header, SIZE)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=" + ",".join(f"{place * 10}-{place * 10}" for place in range(9)),
        "bytes=" + ",".join("0-" for _ in range(4)),
        "bytes=0-,0-,0-",
        "bytes=" + ",".join(f"{place}-" for place in range(2000)),
    ],
)
def test_what_asks_for_too_much_gets_the_whole(header: str) -> None:
    assert spans(header) is None


def test_eight_parts_are_not_too_many() -> None:
    wanted = [(place * 10, place * 10) for place in range(8)]
    assert spans("bytes=" + ",".join(f"{first}-{last}" for first, last in wanted)) == wanted


def test_an_empty_file_is_sent_whole() -> None:
    for header in ("bytes=0-", "bytes=-5", "bytes=0-0"):
        assert spans(header, 0) is None


def test_whatever_is_asked_for_no_byte_is_sent_twice_or_from_outside() -> None:
    chance = random.Random(4)
    for _ in range(3000):
        size = chance.choice((1, 2, 7, 1000))
        words = [
            f"{chance.choice(('', chance.randrange(size + 3)))}-{chance.choice(('', chance.randrange(size + 3)))}"
            for _ in range(chance.randrange(1, 11))
        ]
        try:
            found = ranges.parse("bytes=" + ",".join(words), size) or []
        except Unsatisfiable:
            continue
        asked = {byte for span in found for byte in range(span.first, span.last + 1)}
        assert sum(span.length for span in found) == len(asked) <= size
        assert asked <= set(range(size)), words


# --- conditions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(), None),
        # 13.1.2: If-None-Match, by the weak comparison.
        (Asked(if_none_match='"abc-1"'), 304),
        (Asked(if_none_match='W/"abc-1"'), 304),
        (Asked(if_none_match='"x", "abc-1"'), 304),
        (Asked(if_none_match='"x","abc-1"'), 304),
        (Asked(if_none_match="*"), 304),
        (Asked(if_none_match='"x"'), None),
        (Asked(if_none_match="abc-1"), None),
        (Asked(if_none_match='"ABC-1"'), None),
        (Asked(if_none_match=""), None),
        # 13.1.3: If-Modified-Since, where there is no If-None-Match.
        (Asked(if_modified_since=DATE), 304),
        (Asked(if_modified_since=LATER), 304),
        (Asked(if_modified_since=EARLIER), None),
        (Asked(if_modified_since="yesterday"), None),
        (Asked(if_none_match='"x"', if_modified_since=LATER), None),
        # 13.1.1 and 13.1.4: If-Match by the strong comparison, If-Unmodified-Since where there is none.
        (Asked(if_match='"abc-1"'), None),
        (Asked(if_match="*"), None),
        (Asked(if_match='W/"abc-1"'), 412),
        (Asked(if_match='"x"'), 412),
        (Asked(if_unmodified_since=DATE), None),
        (Asked(if_unmodified_since=EARLIER), 412),
        (Asked(if_unmodified_since="never"), None),
        (Asked(if_match='"abc-1"', if_unmodified_since=EARLIER), None),
        # 13.2.2: If-Match comes first.
        (Asked(if_match='"x"', if_none_match='"abc-1"'), 412),
    ],
)
def test_a_condition_is_judged_as_the_rules_say(asked: Asked, expected: int | None) -> None:
    assert ranges.precondition(asked, KNOWN) == expected


@pytest.mark.parametrize(
    ("if_range", "is_part"),
    [
        (None, True),
        ('"abc-1"', True),
        (' "abc-1" ', True),
        # Only a strong tag will do, and only one (13.1.5).
        ('W/"abc-1"', False),
        ('"abc-2"', False),
        ('"abc-1", "x"', False),
        ("*", False),
        ("abc-1", False),
        ("", False),
        # The very date, not merely one that is no older.
        (DATE, True),
        (LATER, False),
        (EARLIER, False),
        ("yesterday", False),
    ],
)
def test_a_range_is_sent_only_of_what_somebody_has_the_start_of(if_range: str | None, is_part: bool) -> None:
    found = ranges.spans(Asked(range="bytes=0-9", if_range=if_range), SIZE, KNOWN, NOW)
    assert found == ([Span(0, 9)] if is_part else None)


def test_a_date_of_this_very_second_proves_nothing() -> None:
    asked = Asked(range="bytes=0-9", if_range=DATE)
    assert ranges.spans(asked, SIZE, KNOWN, KNOWN.changed_at) is None
    assert ranges.spans(asked, SIZE, KNOWN, KNOWN.changed_at + 1) == [Span(0, 9)]


def test_what_changed_is_sent_whole_even_where_the_range_is_past_its_end() -> None:
    asked = Asked(range="bytes=5000-", if_range='"older"')
    assert ranges.spans(asked, SIZE, KNOWN, NOW) is None
    assert ranges.spans(Asked(if_range='"abc-1"'), SIZE, KNOWN, NOW) is None
