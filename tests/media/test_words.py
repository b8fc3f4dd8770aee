"""Subtitles as people bring them become WebVTT of ours, with nothing in it that could run or lead anywhere."""

from __future__ import annotations

import re

import pytest

from media import words
from media.words import Cue, Unreadable, clean, read
from tests.payloads import PAYLOADS

SRT = b"""1
00:00:01,000 --> 00:00:02,500
Hello there.
Second line.

2
00:01:02,03 --> 00:01:04,000 X1:1 X2:2
<font color="red">Red</font> and <i>leaning</i>
"""
VTT = b"""WEBVTT - A title
Kind: captions

STYLE
::cue { background: url(https://example.org/x) }

NOTE a remark
that goes on

REGION
id:fred

intro
00:01.000 --> 00:02.500 align:start line:0%
<v Ada>Hello <b>there</b></v>

01:00:00.000 --> 01:00:01.000
<c.yellow>Bye</c> &amp; thanks
"""


def test_srt_becomes_webvtt() -> None:
    assert clean(SRT) == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.500\nHello there.\nSecond line.\n\n"
        "00:01:02.030 --> 00:01:04.000\nRed and <i>leaning</i>\n"
    )


def test_of_webvtt_only_times_and_words_are_kept() -> None:
    assert clean(VTT) == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.500\nHello <b>there</b>\n\n"
        "01:00:00.000 --> 01:00:01.000\nBye &amp; thanks\n"
    )


def test_what_was_cleaned_stays_as_it_is() -> None:
    for data in (SRT, VTT):
        assert clean(clean(data).encode()) == clean(data)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_texts_are_read_as_they_were_written(encoding: str, end: str) -> None:
    data = "1\n00:00:01,000 --> 00:00:02,000\nÜber ça\n".replace("\n", end).encode(encoding)
    data = (b"\xfe\xff" if encoding == "utf-16-be" else b"") + data
    assert read(data) == [Cue(1_000, 2_000, "Über ça")]


@pytest.mark.parametrize(
    ("encoding", "language", "line"),
    [
        ("cp1251", "ru", "Привет, мир"), ("cp1251", "", "Привет, мир"), ("cp1250", "cs", "Příliš žluťoučký"),
        ("gb18030", "zh", "你好"), ("utf-16-le", "", "Привет"), ("utf-32", "ru", "Привет"), ("utf-8", "ru", "Über ça"),
    ],
)  # fmt: skip
def test_texts_of_other_languages_are_read_as_they_were_written(
    encoding: str, language: str, line: str
) -> None:
    data = f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n".encode(encoding)
    assert read(data, language) == [Cue(1_000, 2_000, line)]
    assert line in clean(data, language)


def test_cues_come_in_the_order_of_time_and_senseless_ones_go() -> None:
    cue = "00:00:{} --> 00:00:{}\n{}\n\n"
    text = cue.format("05.000", "06.000", "late") + cue.format("01.000", "02.000", "early")
    text += cue.format("03.000", "03.000", "never") + cue.format("09.000", "08.000", "backwards")
    text += "99:00:00.000 --> 99:00:01.000\nbeyond\n\n00:00:02.000 --> 00:00:03.000\n\n"
    assert [each.text for each in read(text.encode())] == ["early", "late"]


def test_cues_without_an_empty_line_between_them_keep_apart() -> None:
    text = "1\n00:00:01,0 --> 00:00:02,0\none\n2\n00:00:03,0 --> 00:00:04,0\ntwo\n"
    assert [each.text for each in read(text.encode())] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("<b>a", "<b>a</b>"),
        ("a</b>", "a"),
        ("<b><i>a</b> b</i>", "<b><i>a</i></b> b"),
        ("<B class=x>a</B>", "<b>a</b>"),
        ("<b.loud onclick=x>a</b>", "<b>a</b>"),
        ("<00:00:01.000>a", "a"),
        ("{\\an8}a", "a"),
        ("<ruby>a<rt>b</rt></ruby>", "ab"),
        ("1 < 2 > 1 & so", "1 &lt; 2 &gt; 1 &amp; so"),
        ("&lt;b&gt;", "&lt;b&gt;"),
        ("<script>x</script>", "x"),
        ("a\0\x1b\u202eb\tc\u2066d\u200e", "ab cd\u200e"),
    ],
)
def test_only_three_tags_are_kept_and_they_come_in_pairs(text: str, kept: str) -> None:
    body = clean(b"\xef\xbb\xbf00:01.000 --> 00:02.000\n" + text.encode())
    assert body == f"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n{kept}\n"


def test_no_hostile_text_leaves_a_tag_or_an_arrow() -> None:
    for payload in PAYLOADS:
        line = payload.text.replace("\n", " ").replace("\r", " ")
        try:
            body = clean(b"\xef\xbb\xbf00:01.000 --> 00:02.000\n" + f"a {line}".encode("utf-8", "replace"))
        except Unreadable:
            assert "-->" in line
            continue
        shown = body.partition("02.000\n")[2]
        assert set(re.findall(r"<[^>]*>?", shown)) <= {"<b>", "</b>", "<i>", "</i>", "<u>", "</u>"}
        assert "-->" not in shown and shown.count("\n\n") == 0


@pytest.mark.parametrize("data", [b"", b"WEBVTT\n\n", b"hello", b"\0\1\2--> \0", b"\x7fELF", b"\xff\xfea"])
def test_what_holds_no_subtitles_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="There are no subtitles"):
        clean(data)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unreadable, match="1 MB"):
        clean(b"a" * 1_000_001)
    monkeypatch.setattr(words, "MOST_CUES", 2)
    cue = b"00:01.000 --> 00:02.000\na\n\n"
    assert len(read(cue * 2)) == 2
    with pytest.raises(Unreadable, match="too many"):
        read(cue * 3)


def test_a_line_without_end_is_cut() -> None:
    [cue] = read(b"00:01.000 --> 00:02.000\n" + b"a" * 900_000)
    assert len(cue.text) == 2_000
