"""Playlist files: what is written is read again, what others write is understood, what is hostile is refused."""

from __future__ import annotations

import csv
import io
import json
import random
from urllib.parse import unquote

import m3u8
import pytest
import xspf_lib
from hypothesis import given, settings
from hypothesis import strategies as st

from media import list_csv, list_json, list_m3u, list_text, list_xspf, lists
from media.list_row import MOST_ROWS, Listing, Row
from media.provider import Trouble

ROUND = ("m3u8", "xspf", "jspf", "csv")
TITLES = (
    "Ночь на Лысой горе", "夜に駆ける", "ليلة الجمعة", "שיר לשלום", "한밤의 노래", "रात का गीत", "Für Elise — live",
    "🎉 Party 👩\u200d👩\u200d👧 time", 'She said "stop", twice', "Two\nlines", "Three\r\nmore\nlines", "A, b; c\td",
    "=1+2", "-5", "+49", "@home", "'=quoted", "''@twice", "<b>&amp;</b>", "]]>", "#EXTINF:1,No", "#remark",
    "Artist - Title - Mix", "a – b", "\u202eevil", "e\u0301", "\u2028line", "100% %20", "C:\\music\\song",
    '{"json": 1}', "Ａ＝Ｂ", "＝1", "\x0bup", "1. One (3:42)",
)  # fmt: skip


def five_hundred() -> list[Row]:
    """Rows of every kind, made of the titles above."""
    dice = random.Random(4)
    rows = []
    for number in range(500):
        title = TITLES[number % len(TITLES)] + (f" {number}" if number >= len(TITLES) else "")
        rows.append(
            Row(
                title,
                dice.choice(("", *TITLES[:26])),
                dice.choice(("", "An album", *TITLES[:12])),
                dice.choice((0, 1, 61_000, 213_456, 3_723_001)),
                dice.choice(
                    (
                        "",
                        f"https://party.example/media/{number}/Ab-_9/file",
                        "https://x.example/a%20b?c=1&d=2#e",
                    )
                ),
            )
        )
    return [
        Row(row.title.strip(), row.artist.strip(), row.album.strip(), row.duration_ms, row.link)
        for row in rows
    ]


def plain(row: Row, name: str) -> Row:
    """What of a row the format can hold at all: XML has no control characters."""
    if name != "xspf":
        return row
    gone = {**dict.fromkeys(range(32)), 9: "\t", 10: "\n", 13: "\r"}
    return Row(
        *(text.translate(gone).strip() for text in (row.title, row.artist, row.album)),
        row.duration_ms,
        row.link,
    )


@pytest.mark.parametrize("name", ROUND)
def test_five_hundred_tracks_of_every_script_come_back_as_they_were(name: str) -> None:
    rows = five_hundred()
    assert len(rows) == 500
    written = lists.write(Listing(rows, "Nacht & Tag „x“"), name)
    read = lists.read(written.encode())
    assert list(read.rows) == [plain(row, name) for row in rows]
    assert read.name == ("" if name == "csv" else "Nacht & Tag „x“")
    again = lists.write(read, name)
    assert list(lists.read(again).rows) == list(read.rows)


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30).map(str.strip)
links = st.sampled_from(("", "https://x.example/ä b"))
lengths = st.integers(0, 86_399_999)
some_rows = st.lists(st.builds(Row, words.filter(bool), words, words, lengths, links), min_size=1, max_size=4)


@pytest.mark.parametrize("name", ["m3u8", "jspf", "csv"])
@given(rows=some_rows)
@settings(max_examples=200)
def test_any_text_at_all_comes_back_as_it_was(name: str, rows: list[Row]) -> None:
    assert list(lists.read(lists.write(Listing(rows), name)).rows) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ROUND)
def test_the_encoding_is_found_out(name: str, encoding: str) -> None:
    rows = [Row("Ночь, 夜", "Ärzte", "", 61_000, "https://x.example/1")]
    assert list(lists.read(lists.write(Listing(rows), name).encode(encoding)).rows) == rows


def test_latin_letters_of_old_programs_are_read() -> None:
    [row] = lists.read("Die Ärzte - Für immer".encode("latin-1")).rows
    assert row == Row("Für immer", "Die Ärzte")


def test_an_independent_library_reads_our_m3u8() -> None:
    # That library looks for its tags anywhere in a line.
    rows = [row for row in five_hundred() if row.link and "#EXTINF" not in row.words]
    assert len(rows) > 300
    read = m3u8.loads(lists.write(Listing(rows, "Tonight"), "m3u8"))
    assert [segment.uri for segment in read.segments] == [row.link for row in rows]
    assert [segment.title for segment in read.segments] == [row.words for row in rows]
    assert [segment.duration for segment in read.segments] == [row.duration_ms / 1000 or -1 for row in rows]


def test_an_independent_library_reads_our_xspf(tmp_path) -> None:
    rows, path = five_hundred(), tmp_path / "tonight.xspf"
    path.write_text(lists.write(Listing(rows, "Tonight"), "xspf"), newline="")
    read = xspf_lib.Playlist.parse(str(path))
    assert read.title == "Tonight"
    # That library trims what we keep, and calls what is not there None.
    assert [(track.title or "").split() for track in read] == [
        plain(row, "xspf").title.split() for row in rows
    ]
    assert [(track.creator or "").split() for track in read] == [
        plain(row, "xspf").artist.split() for row in rows
    ]
    assert [int(track.duration or 0) for track in read] == [row.duration_ms for row in rows]
    assert [list(track.location) for track in read] == [
        [unquote(row.link)] if row.link else [] for row in rows
    ]


# --- what others write -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (
            "#EXTM3U\n#EXTINF:213,Miles Davis - So What\nC:\\Music\\so what.mp3\n",
            Row("So What", "Miles Davis", "", 213_000, "C:\\Music\\so what.mp3"),
        ),
        (
            '#EXTM3U\r\n#EXTINF:-1 tvg-id="x",Radio\r\nhttp://radio.example/live\r\n',
            Row("Radio", "", "", 0, "http://radio.example/live"),
        ),
        ("#EXTM3U\nmusic/A%20song.mp3\n", Row("A%20song", "", "", 0, "music/A%20song.mp3")),
        (
            "#EXTM3U\n#EXTART:Simon & Garfunkel\n#EXTINF:10,America\na.mp3",
            Row("America", "Simon & Garfunkel", "", 10_000, "a.mp3"),
        ),
        ("#EXTM3U\n#EXTINF:bad,Words\na.mp3", Row("Words", "", "", 0, "a.mp3")),
    ],
)  # fmt: skip
def test_m3u_of_other_programs(text: str, row: Row) -> None:
    assert list(lists.read(text).rows) == [row]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Miles Davis - So What", Row("So What", "Miles Davis")),
        ("Miles Davis – So What", Row("So What", "Miles Davis")),
        ("Miles Davis — So What (9:22)", Row("So What", "Miles Davis", "", 562_000)),
        ("12. Miles Davis–So What [1:02:07]", Row("So What", "Miles Davis", "", 3_727_000)),
        ("- So What", Row("So What")),
        ("Jay-Z - 99 Problems", Row("99 Problems", "Jay-Z")),
        ("7 Nation Army", Row("7 Nation Army")),
        ("99 Luftballons", Row("99 Luftballons")),
        ("So What", Row("So What")),
        ("https://youtu.be/abc", Row("abc", "", "", 0, "https://youtu.be/abc")),
        ("Miles – So What https://youtu.be/abc", Row("So What", "Miles", "", 0, "https://youtu.be/abc")),
    ],
)
def test_lines_of_text(text: str, row: Row) -> None:
    assert list(lists.read(f"# a remark\n\n{text}\n").rows) == [row]


def test_what_is_copied_as_text_can_be_pasted_again() -> None:
    rows = [
        Row("So What", "Miles Davis", "", 562_000),
        Row("Intro", "", "", 0),
        Row("Part 2: The End", "A", "", 61_000),
    ]
    text = lists.write(Listing(rows, "Tonight"), "txt")
    assert text.splitlines()[:2] == ["# Tonight: 3 tracks, 10:23", "1. Miles Davis – So What (9:22)"]
    assert list(lists.read(text).rows) == rows


@pytest.mark.parametrize(
    "header",
    [
        "Title,Artist,Album,Duration,URL",
        "track name;artist name(s);album name;duration;link",
        "NAME\tARTIST\tALBUM\tLENGTH\tLOCATION",
        '"title","creator","album","time","uri"',
    ],
)
def test_a_csv_says_itself_what_its_columns_are(header: str) -> None:
    sign = list_csv._delimiter(header)
    line = sign.join(("So What", "Miles", "Kind of Blue", "9:22", "https://x.example/1"))
    assert list(lists.read(f"\ufeff{header}\r\n{line}\r\n\r\n").rows) == [
        Row("So What", "Miles", "Kind of Blue", 562_000, "https://x.example/1")
    ]


def test_no_cell_of_ours_is_a_formula_and_none_of_theirs_is_lost() -> None:
    hostile = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "plain", "it's"]
    rows = [Row(f"{text}x" if text.isspace() else text, text.strip()) for text in hostile]
    text = lists.write(Listing(rows), "csv")
    for line in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        assert len(line) == 10
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in line), line
    assert [row.title for row in lists.read(text).rows] == [row.title.strip() for row in rows]
    assert lists.read("title,artist\n=HYPERLINK(1),@x\n").rows[0] == Row("=HYPERLINK(1)", "@x")


def test_json_of_ours_tells_votes_and_is_read_again() -> None:
    row = Row(
        "So What", "Miles", "Kind of Blue", 562_000, "https://x.example/1", 3, "Ada", "2026-11-21T20:00:00Z"
    )
    told = json.loads(lists.write(Listing([row], "Tonight"), "json"))
    assert told["tracks"][0]["votes"] == 3 and told["duration_ms"] == 562_000 and told["count"] == 1
    read = lists.read(json.dumps(told))
    assert list(read.rows) == [row] and read.name == "Tonight" and read.rows[0].votes is None


@pytest.mark.parametrize(
    "text", ['["So What", {"title": "Blue"}]', '{"songs": [{"name": "So What"}, {"title": "Blue"}]}']
)
def test_simple_json_is_understood(text: str) -> None:
    assert [row.title for row in lists.read(text).rows] == ["So What", "Blue"]


# --- what is hostile -------------------------------------------------------------------------------------------------

BOMB = '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">]><playlist><title>&a;</title></playlist>'
FILE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><playlist><trackList><track><title>&e;</title></track></trackList></playlist>'
DTD = '<?xml version="1.0"?><!DOCTYPE playlist SYSTEM "http://127.0.0.1:1/x.dtd"><playlist/>'


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        FILE,
        DTD,
        DTD.replace("SYSTEM", 'PUBLIC "x"'),
        "<?xml version='1.0'?><playlist>",
        "<playlist>" * 50,
        "<playlist><trackList><track><title>&nothing;</title></track></trackList></playlist>",
        '{"playlist": ' + "[" * 100_000,
        '{"a":' * 5_000,
        '{"tracks": [NaN]}',
        '{"tracks": 5}',
        "{",
        "[]",
        "",
        "\n\n",
        "#EXTM3U\n",
        "artist,album\na,b\n" * 1 + "\0",
    ],
)
def test_what_is_hostile_or_broken_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Trouble) as refusal:
        lists.read(text.encode())
    assert refusal.value.sentence.endswith((".", "?"))


def test_numbers_beyond_all_reason_are_not_lengths() -> None:
    for number in ("9" * 500, "1e308", "-5", "true", '"5"', str(10**12)):
        [row] = lists.read('{"tracks": [{"title": "x", "duration": ' + number + "}]}").rows
        assert row.duration_ms == 0, number
    [row] = lists.read("title,duration\nx,99999999999999999999:00\n").rows
    assert row.duration_ms == 0


def test_too_much_is_refused() -> None:
    with pytest.raises(Trouble, match="2000 tracks"):
        lists.read("\n".join(f"Song {number}" for number in range(MOST_ROWS + 1)))
    assert len(lists.read("\n".join(f"Song {number}" for number in range(MOST_ROWS))).rows) == MOST_ROWS
    with pytest.raises(Trouble, match="2 MB"):
        lists.read(b"x" * (lists.MOST_BYTES + 1))


def test_very_long_texts_are_cut_and_long_addresses_left_out() -> None:
    [row] = list_json.read(
        json.dumps([{"title": "x" * 5_000, "url": "https://x.example/" + "y" * 5_000}])
    ).rows
    assert (len(row.title), row.link) == (1_000, "")


def test_modules_name_their_files_as_programs_expect() -> None:
    assert {name: (each.mime, each.ending) for name, each in lists.FORMATS.items()} == {
        "m3u8": ("audio/x-mpegurl", "m3u8"),
        "xspf": ("application/xspf+xml", "xspf"),
        "jspf": ("application/jspf+json", "jspf"),
        "csv": ("text/csv", "csv"),
        "json": ("application/json", "json"),
        "txt": ("text/plain", "txt"),
    }
    assert all(module.read for module in (list_csv, list_json, list_m3u, list_text, list_xspf))
