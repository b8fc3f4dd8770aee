"""Which encoding a text is in: told by its byte order mark, its language, or the look of its letters."""

from __future__ import annotations

import codecs

# The longer marks first: UTF-32's begins like UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN, _CYRILLIC = "cp1252", "cp1251"
# What Windows wrote in each language, by its code of two letters and of three.
_LANGUAGES = {
    _CYRILLIC: "ru rus uk ukr bg bul sr srp mk mkd mac be bel",
    "cp1250": "pl pol cs ces cze sk slk slo hu hun hr hrv sl slv ro ron rum bs bos sr-latn",
    "cp1253": "el ell gre",
    "cp1254": "tr tur",
    "cp1255": "he heb iw",
    "cp1256": "ar ara fa fas per",
    "cp1257": "lt lit lv lav et est",
    "cp1258": "vi vie",
    "cp932": "ja jpn",
    "cp949": "ko kor",
    "gb18030": "zh zho chi",
    "big5hkscs": "zh-tw zh-hk zh-mo zh-hant",
    "cp874": "th tha",
}
_BY_LANGUAGE = {code: name for name, codes in _LANGUAGES.items() for code in codes.split()}
_MOSTLY, _NEARLY_ALL, _SEVERAL = 0.5, 0.9, 6
"""Of a whole file's letters (its tags and links are Latin), of a short text's, and how many different ones.

A name in a Western language may be nothing but accents (“ÅÄÖ”), yet not with so many different ones.
"""


def text_of(data: bytes, language: str = "") -> str:
    """The text of a file; `language` (BCP 47) helps where it is not Unicode. What cannot be read becomes �."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    if data[1:2] == b"\0" and data[:1] != b"\0":
        return data.decode("utf-16-le", "replace")
    if data[:1] == b"\0" and data[1:2] != b"\0":
        return data.decode("utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # A UTF-8 tail cut short is rarer than a file of a program that knows only the letters of one language.
        return data.decode(_of_language(language) or _by_look(data), "replace")


def read_again(texts: dict[str, str]) -> dict[str, str]:
    """Short texts of one file, with what was Cyrillic and taken for Latin-1 (“Êèíî”) put right."""
    misread = {name: text for name, text in texts.items() if _share(text) >= _NEARLY_ALL}
    if not _is_various("".join(misread.values())):
        return texts
    return texts | {name: _as_cyrillic(text) for name, text in misread.items()}


def _of_language(language: str) -> str:
    tag = language.strip().lower()
    while tag and tag not in _BY_LANGUAGE:
        tag = tag.rpartition("-")[0]
    return _BY_LANGUAGE.get(tag, "")


def _by_look(data: bytes) -> str:
    text = data.decode("latin-1")
    return _CYRILLIC if _share(text) > _MOSTLY and _is_various(text) else _WESTERN


def _share(text: str) -> float:
    """Which part of a text's letters are among those that Latin-1 has in the place of Cyrillic ones."""
    letters = [sign for sign in text if _is_high(sign) or (sign.isalpha() and sign not in "ªµº")]
    return sum(map(_is_high, letters)) / len(letters) if letters else 0.0


def _is_various(text: str) -> bool:
    return len(set(filter(_is_high, text.lower()))) >= _SEVERAL


def _is_high(sign: str) -> bool:
    return "À" <= sign <= "ÿ"


def _as_cyrillic(text: str) -> str:
    try:
        return text.encode("latin-1").decode(_CYRILLIC, "replace")
    except UnicodeEncodeError:
        return text
