"""Messages as they are kept: what is dropped, how letters are counted, which links and names are found."""

from __future__ import annotations

import pytest

from party.chat_text import LONGEST, LONGEST_RAW, Segment, clean_message, letters, mentioned, segments
from party.errors import Invalid

FAMILY, RAINBOW, WAVE = "👨‍👩‍👧‍👦", "🏳️‍🌈", "👋🏽"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("abc", 3),
        ("e\u0301", 1),
        ("a\nb", 3),
        ("夜のバス停", 5),
        ("각각", 2),
        ("\u1100\u1161\u11a8", 1),
        ("\u1100\u1161\u1100", 2),
        ("நி", 1),
        (FAMILY, 1),
        (FAMILY * 3, 3),
        (RAINBOW, 1),
        (WAVE, 1),
        (ENGLAND, 1),
        ("❤️", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫", 2),
        ("🇩a🇪🇫", 3),
        ("a\u200db", 2),
    ],
)
def test_letters_are_counted_as_people_see_them(text: str, count: int) -> None:
    assert letters(text) == count


def test_five_hundred_families_fit_and_one_more_does_not() -> None:
    assert clean_message(FAMILY * LONGEST) == FAMILY * LONGEST
    with pytest.raises(Invalid, match="1 letters too long"):
        clean_message("a" * (LONGEST + 1))


def test_a_flood_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("party.chat_text.unicodedata", None)
    with pytest.raises(Invalid):
        clean_message("a" * (LONGEST_RAW + 1))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  hello   there ", "hello there"),
        ("cafe\u0301", "café"),
        ("a\u202eb\u200bc\u00add\ufeff", "abcd"),
        ("a\u200db", "ab"),
        (FAMILY, FAMILY),
        (f"{WAVE}\u200d", WAVE),
        (ENGLAND, ENGLAND),
        ("a\U000e0041\U000e0042b", "ab"),
        ("a\x00\x1b[31mb", "a[31mb"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("1\n2\n3\n4\n5\n6\n7\n8", "1\n2\n3\n4\n5\n6 7 8"),
        ("z" + "\u0335" * 40, "z" + "\u0335" * 3),
        ("a\tb\u2028c", "a b c"),
        ("🫨", "🫨"),
    ],
)
def test_what_nobody_sees_is_dropped(typed: str, kept: str) -> None:
    assert clean_message(typed) == kept


@pytest.mark.parametrize("text", ["", " \n ", "\u200b\u200d", "\u202e", "\u3164", "\u2800 \u2800", "\ufe0f"])
def test_a_blank_message_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="nothing to say"):
        clean_message(text)


def test_cleaning_twice_is_cleaning_once() -> None:
    for text in ("a\n\n\n b\u200b", f"{FAMILY} x\u0335\u0335\u0335\u0335", "1\n2\n3\n4\n5\n6\n7"):
        assert clean_message(clean_message(text)) == clean_message(text)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://example.org/a?b=c#d.", ["https://example.org/a?b=c#d"]),
        ("(http://example.org/x_(y))", ["http://example.org/x_(y)"]),
        ("https://a.example, https://b.example!", ["https://a.example", "https://b.example"]),
        ("HTTPS://EXAMPLE.ORG", ["HTTPS://EXAMPLE.ORG"]),
        ("http://[::1]:8080/a", ["http://[::1]:8080/a"]),
        ("javascript:alert(1) data:text/html,x ftp://x.example //x.example", []),
        ("http://name:word@example.org/", []),
        ("http:// https://", []),
        ('https://example.org/"onmouseover=x', ["https://example.org/"]),
        ("https://example.org/<script>", ["https://example.org/"]),
    ],
)
def test_only_plain_web_addresses_become_links(text: str, urls: list[str]) -> None:
    found = segments(text)
    assert [part.url for part in found if part.url] == urls
    assert "".join(part.text for part in found) == text


NAMES = [(1, "Ben"), (2, "Ben Doe"), (3, "Zoë"), (4, "夜子さん")]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("@ben", [1]),
        ("hi @BEN DOE, and @Ben!", [2, 1]),
        ("@Benjamin", []),
        ("mail me@ben", []),
        ("@zoë @zoë", [3]),
        ("@夜子さん", [4]),
        ("@nobody @ @@ben", [1]),
        ("https://example.org/@ben", []),
    ],
)
def test_the_longest_name_after_an_at_is_meant(text: str, ids: list[int]) -> None:
    assert mentioned(text, NAMES) == ids


def test_a_text_falls_into_words_links_and_names() -> None:
    assert segments("@Ben see https://a.example now", NAMES) == (
        Segment("@Ben", mention=1),
        Segment(" see "),
        Segment("https://a.example", url="https://a.example"),
        Segment(" now"),
    )
