"""Names: kept on one line without tricks, and refused where they could be taken for somebody present."""

from __future__ import annotations

import unicodedata

import pytest

from party import names, people
from party.errors import Conflict, Invalid
from tests.stage import Cast

PLAIN = [
    "Ada", "Ada Lovelace", "Đorđe", "Łukasz", "Øyvind", "Ægir", "Žofie",
    "Nguyễn Văn Anh", "İpek", "Søren", "Zoë", "O’Brien",
    "Анна", "Дмитрий", "Ольга", "Ελένη", "Γιώργος", "שרה כהן", "محمد", "فاطمة",
    "李小龙", "田中さくら", "민준", "มณี", "สมชาย",
    "प्रिया", "कृष्ण", "தமிழ்", "ქეთევან", "Արամ", "ትዕግስት", "D.J. Bobo", "x_X_x",
    "R2-D2", "Mary Jane 3rd",
]  # fmt: skip
TRICKS = {
    "zero width": "\u200b",
    "joiner": "\u200d",
    "right to left": "\u202e",
    "isolate": "\u2066",
    "byte order": "\ufeff",
    "soft hyphen": "\u00ad",
    "hangul filler": "\u3164",
    "braille blank": "\u2800",
    "grapheme joiner": "\u034f",
    "tag": "\U000e0041",
    "private": "\ue000",
}
FLOODS = [
    "A" + "\u0301" * 60 + "da", "\u0301\u0302Ada",
    "A\u20dd\u20dd\u20dd\u20dd\u20ddda", "Ada \u0301\u0302\u0303",
    "Z̸̛̻͓̙͎a̷̧̛̺l̶̨̹̿g̷̱̐o̵̩͌",
    "Ada\ud800", "A\x00da\x07", "A\u2028da", "A\u2029da", "A\tda\r\n",
    "Ada\u00a0\u2003Ada", "𝔄𝔡𝔞", "Ａｄａ", "ⓐⓓⓐ", "👩‍👩‍👧 Ada", "🇩🇪 Ada",
    "❤️ Ada", "(ง •̀_•́)ง Ada", "<script>alert(1)</script>",
    "'; DROP TABLE person;--", "{{7*7}}", "%s%s%s", "../../etc", "‮adA",
]  # fmt: skip
CORPUS = [
    *PLAIN,
    *(f"{sign}{name}" for name in PLAIN[:12] for sign in TRICKS.values()),
    *(f"{name[:2]}{sign}{name[2:]}" for name in PLAIN[12:24] for sign in TRICKS.values()),
    *FLOODS,
]


def kept(text: str) -> str | None:
    try:
        return names.clean_name(text)
    except Invalid as refusal:
        assert refusal.message.endswith(".")
        return None


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) >= 300


@pytest.mark.parametrize("typed", CORPUS, ids=[f"{number}" for number in range(len(CORPUS))])
def test_whatever_is_typed_a_kept_name_is_one_clean_line(typed: str) -> None:
    name = kept(typed)
    if name is None:
        return
    kinds = [unicodedata.category(ch) for ch in name]
    assert names.clean_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert not {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} & set(kinds) and not set(name) & names.INVISIBLE
    assert name == " ".join(name.split()) and len(name) <= 50 and any(ch.isalnum() for ch in name)
    marks = "".join("m" if kind in ("Mn", "Me") else "." for kind in kinds)
    assert "m" * (names.MARKS_MOST + 1) not in marks and not marks.startswith("m")


@pytest.mark.parametrize("name", PLAIN)
def test_the_worlds_names_are_kept_as_they_are(name: str) -> None:
    assert kept(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("sign", TRICKS.values(), ids=TRICKS)
def test_an_invisible_sign_tells_no_two_names_apart(sign: str) -> None:
    assert kept(f"A{sign}da{sign}") == "Ada"
    assert kept(sign * 5) is None


@pytest.mark.parametrize(
    "typed", ["x", "ab", "é", "e\u200b\u0301", "a\u0301\u0302\u0303", "...", "🎸🎸🎸", "x" * 51]
)
def test_fewer_than_three_letters_more_than_fifty_or_none_at_all_is_no_name(typed: str) -> None:
    assert kept(typed) is None


@pytest.mark.parametrize(
    "other",
    [
        "ADA", "ada", "A d a", "a.d.a", "Аdа", "АDА", "Adа", "Ａｄａ", "𝔄𝔡𝔞", "Áda",
        "Ädå", "@d@", "ᴀᴅᴀ", "ꓮꓓꓮ", "ᎪᎠᎪ", "Αdα",
        "Ada.", "-Ada-", "A\u0301\u0302da",
    ],
)  # fmt: skip
def test_what_looks_like_ada_is_taken_for_ada(other: str) -> None:
    assert names.skeleton(names.clean_name(other)) == names.skeleton("Ada")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bill", "B1ll"),
        ("Bill", "BiII"),
        ("Modern", "Modem"),
        ("William", "VVilliam"),
        ("Oskar", "0skar"),
        ("Strauss", "Strauß"),
    ],
)
def test_digits_and_pairs_of_letters_that_pass_for_others_are_seen(one: str, other: str) -> None:
    assert names.skeleton(one) == names.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Ada", "Ida"), ("민준", "민지"), ("李小龙", "李小明"), ("Анна", "Алла")]
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert names.skeleton(one) != names.skeleton(other)


def test_somebody_present_keeps_their_name_to_themselves(cast: Cast) -> None:
    people.screen_opened(cast.members["ada"], "web-1")
    with pytest.raises(Conflict, match="Somebody here"):
        people.rename(cast.cleo, "АDА")
    people.screens_closed(cast.members["ada"], "web-1")
    people.rename(cast.cleo, "АDА")
