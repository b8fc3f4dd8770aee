"""Texts that do not say what they are written in: by marks, by language, by the look of their letters."""

from __future__ import annotations

import pytest

from media.charsets import read_again, text_of

RUSSIAN, CZECH = "Привет, мир! Ещё <i>раз</i>.", "Příliš žluťoučký kůň"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
        ("utf-32-le", b"\xff\xfe\0\0"), ("utf-32-be", b"\0\0\xfe\xff"), ("utf-16-le", b""), ("utf-16-be", b""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["", "ru", "zh"])
def test_unicode_is_read_whatever_the_language(encoding: str, mark: bytes, language: str) -> None:
    text = f"1 {RUSSIAN} {CZECH}"
    assert text_of(mark + text.encode(encoding), language) == text


@pytest.mark.parametrize(
    ("languages", "encoding", "text"),
    [
        ("ru uk bg sr mk be RU-ru rus", "cp1251", "Ёлка, їжак"),
        ("pl cs sk hu hr sl ro sr-Latn", "cp1250", "Žluťoučký Łódź ő"),
        ("el", "cp1253", "Καλημέρα"),
        ("tr", "cp1254", "Işık ğ"),
        ("he", "cp1255", "שלום"),
        ("ar fa", "cp1256", "مرحبا"),
        ("lt lv et", "cp1257", "Ąžuolas šķiņ õ"),
        ("vi", "cp1258", "Đường"),
        ("ja", "shift_jis", "こんにちは"),
        ("ko", "cp949", "안녕하세요"),
        ("zh zh-CN", "gb18030", "你好"),
        ("zh-TW", "big5", "你好"),
        ("th", "cp874", "สวัสดี"),
        ("de fr pt-BR xx", "cp1252", "Über – ça €"),
    ],
)
def test_what_is_not_unicode_is_read_by_its_language(languages: str, encoding: str, text: str) -> None:
    # Windows writes some of Vietnamese's accents as signs of their own.
    data = text.replace("ờ", "ơ\u0300").encode(encoding)
    for language in languages.split():
        assert text_of(data, language) == data.decode(encoding), language


def test_without_a_language_cyrillic_is_known_by_its_look() -> None:
    assert text_of(f"1\n00:00:01,000 --> 00:00:02,000\n{RUSSIAN}\n".encode("cp1251")).count(RUSSIAN) == 1
    for text in (
        "Où êtes-vous allés ? À la fête…",
        "Þú átt að færa mér öl",
        "Größe",
        "ÅÄÖ – ÆØÅ",
        "Åh, är öl gött på ön?",
    ):
        assert text_of(text.encode("cp1252")) == text
        assert text_of(text.encode("cp1252"), "nonsense, no tag") == text


@pytest.mark.parametrize(
    "language",
    ["", "ru", "pl", "el", "he", "ja", "ko", "zh", "zh-tw", "zh-Hant-TW", "sr-Latn-RS", "vi", "th"],
)
def test_bytes_that_are_no_letters_never_raise(language: str) -> None:
    for data in (b"\x81\x8d\x98\xff\xfe\xff", b"a\x98\xc0\x80", bytes(range(255, 0, -1)), b"\xff\xfea", b""):
        assert isinstance(text_of(data, language), str)
    assert "\N{REPLACEMENT CHARACTER}" in text_of(b"\x98\xe0", "ru")


def test_cyrillic_that_was_taken_for_latin_is_put_right() -> None:
    words = {"title": "Группа крови", "artist": "Кино", "album": "ЁЛКА № 5 – чуть-чуть", "genre": "Rock"}
    misread = {name: text.encode("cp1251").decode("latin-1") for name, text in words.items()}
    assert misread["artist"] == "Êèíî"
    assert read_again(misread) == words


@pytest.mark.parametrize(
    "words",
    [
        ["Café", "Motörhead", "Sigur Rós"],
        ["Ágætis byrjun"], ["Žižek"], ["Ærø"], ["Mötley Crüe", "Dés été à l’Étoile"],
        ["ÅÄÖ"], ["Öö", "Ää", "ÄÖÜß"], ["Þú", "ÅÄÖ"], ["ÆØÅ", "Å"], ["é" * 40, "È" * 40], ["×÷"], ["", "123", "!?"],
        ["Ääliö", "Hääyöaie", "Þórður Ýr", "Óðinn í Ásgarði"], ["Группа крови", "Кино"], ["こんにちは"],
    ],
)  # fmt: skip
def test_real_names_are_left_as_they_are(words: list[str]) -> None:
    texts = {str(number): text for number, text in enumerate(words)}
    assert read_again(texts) == texts


def test_a_real_name_beside_a_misread_one_stays() -> None:
    title = "Звезда по имени Солнце"
    texts = {"title": title.encode("cp1251").decode("latin-1"), "artist": "Motörhead"}
    assert read_again(texts) == {"title": title, "artist": "Motörhead"}
