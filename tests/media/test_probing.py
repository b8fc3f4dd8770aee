"""Looking into files: length, words and picture of each kind, in a process that can be stopped."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import pytest

from media import boxes, matroska, probing, tools
from media.probing import DAMAGED, NOT_KNOWN, TOO_LONG, NotPlayable, probe
from tests.media import making as m


def probed(data: bytes, folder: Path) -> probing.Probed:
    path = folder / "a file without an ending"
    path.write_bytes(data)
    return probe(path)


@pytest.mark.parametrize(
    ("data", "name", "low", "high"),
    [
        (m.mp3(100), "mp3", 2_500, 2_700),
        (m.sound("FLAC"), "flac", 2_000, 2_000),
        (m.sound("OGG", "VORBIS"), "ogg", 1_990, 2_010),
        (m.sound("OGG", "OPUS", rate=48_000, seconds=2), "opus", 1_800, 2_050),
        (m.wav(2), "wav", 2_000, 2_000),
        (m.mp4(seconds=7), "mp4", 7_000, 7_000),
        (m.mp4(seconds=7, kinds=(b"soun",)), "m4a", 7_000, 7_000),
        (m.webm(seconds=3.5), "webm", 3_500, 3_500),
        (m.webm(seconds=None, is_endless=True), "webm", 1_500, 1_500),
    ],
)
def test_each_kind_says_how_long_it_is(data: bytes, name: str, low: int, high: int, tmp_path: Path) -> None:
    found = probed(data, tmp_path)
    assert found.kind.name == name
    assert low <= found.duration_ms <= high


def test_words_and_the_front_cover_are_read(tmp_path: Path) -> None:
    cover = m.image("PNG")
    words = [m.text("TIT2", "Ωδή"), m.text("TPE1", "Them"), m.text("TALB", "It"), m.text("TCON", "(17)")]
    found = probed(m.tagged(*words, m.picture(cover)), tmp_path)
    assert (found.title, found.artist, found.album, found.genre) == ("Ωδή", "Them", "It", "Rock")
    assert found.picture == cover
    assert probed(m.mp3(), tmp_path).picture is None


BLOOD, KINO = "Группа крови", "Кино"


@pytest.mark.parametrize(
    "data",
    [
        m.tagged(m.old_text("TIT2", BLOOD.encode("cp1251")), m.old_text("TPE1", KINO.encode("cp1251"))),
        m.mp3() + m.id3v1(BLOOD.encode("cp1251"), KINO.encode("cp1251")),
        m.tagged(m.old_text("TIT2", BLOOD.encode("utf-16"), 1), m.old_text("TPE1", KINO.encode("utf-16"), 1)),
        m.tagged(m.old_text("TIT2", BLOOD.encode("utf-16-be"), 2), m.old_text("TPE1", KINO.encode("utf-16-be"), 2)),
        m.tagged(m.text("TIT2", BLOOD), m.text("TPE1", KINO)),
    ],
    ids=["Latin-1", "ID3v1", "UTF-16", "UTF-16BE", "UTF-8"],
)  # fmt: skip
def test_cyrillic_words_are_read_from_every_kind_of_tag(data: bytes, tmp_path: Path) -> None:
    found = probed(data, tmp_path)
    assert (found.title, found.artist) == (BLOOD, KINO)


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("Café", "Motörhead"),
        ("Ágætis byrjun", "Sigur Rós"),
        ("Ærø", "ÅÄÖ"),
        ("Été à Öland", "Þú"),
        ("Ä", "Mötley Crüe"),
    ],
)
def test_western_words_are_read_from_every_kind_of_tag(title: str, artist: str, tmp_path: Path) -> None:
    latin, wide = (title.encode("latin-1"), artist.encode("latin-1")), title.encode("utf-16")
    for data in (
        m.tagged(m.old_text("TIT2", latin[0]), m.old_text("TPE1", latin[1])),
        m.mp3() + m.id3v1(*latin),
        m.tagged(m.old_text("TIT2", wide, 1), m.old_text("TPE1", latin[1])),
    ):
        found = probed(data, tmp_path)
        assert (found.title, found.artist) == (title, artist)


def test_a_name_beyond_latin_1_is_read_from_a_frame_of_utf_16(tmp_path: Path) -> None:
    assert probed(m.tagged(m.old_text("TIT2", "Žižek".encode("utf-16"), 1)), tmp_path).title == "Žižek"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"words", NOT_KNOWN),
        (m.mp4()[:200], DAMAGED),
        (m.webm(seconds=90_000, more=m.element(0xEC, bytes(1_200_000))), TOO_LONG),
        (m.webm(seconds=90_000), DAMAGED),
    ],
)
def test_a_file_that_does_not_play_is_refused_with_a_sentence(
    data: bytes, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(NotPlayable) as refused:
        probed(data, tmp_path)
    assert refused.value.sentence == sentence


def test_a_reader_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "READ_SECONDS", 0.5)
    monkeypatch.setattr(sys, "executable", "yes")
    began = time.monotonic()
    with pytest.raises(NotPlayable) as refused:
        probed(m.mp3(), tmp_path)
    assert refused.value.sentence == DAMAGED
    assert time.monotonic() - began < 30


def test_the_reader_loads_nothing_that_it_does_not_need() -> None:
    # Settings would be read, and files of keys made, in a process that knows nothing of ours.
    program = "import media.probing, sys; print({'config', 'numpy', 'PIL', 'models'} & set(sys.modules))"
    assert tools.run([sys.executable, "-c", program], seconds=60).out == b"set()\n"


@pytest.mark.parametrize("answer", ["", "[]x", '{"refusal": "No."}'])
def test_only_what_the_reader_says_counts(
    answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "run", lambda *_a, **_k: tools.Output(answer.encode(), ""))
    with pytest.raises(NotPlayable) as refused:
        probed(m.mp3(), tmp_path)
    assert refused.value.sentence == ("No." if "refusal" in answer else DAMAGED)


def test_the_length_nobody_wrote_down_is_asked_of_ffprobe_or_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = m.mp4(seconds=0)
    asked: list[str] = []

    def answer(_path: Path, demuxer: str, *_words: object, **_more: object) -> bytes:
        asked.append(demuxer)
        return b'{"format": {"duration": "4.2"}}'

    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(tools, "ffprobe", answer)
    assert probed(data, tmp_path).duration_ms == 4_200
    monkeypatch.setattr(tools, "ffprobe", lambda *_a, **_k: b'{"format": {"duration": "nan"}}')
    assert probed(data, tmp_path).duration_ms == 0
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: False)
    assert probed(data, tmp_path).duration_ms == 0
    assert asked == ["mov"]


def test_a_film_in_fragments_says_its_length_elsewhere() -> None:
    length = m.box(b"mvex", m.box(b"mehd", bytes(4), (9_000).to_bytes(4, "big")))
    data = m.mp4(seconds=0, more=length)
    assert boxes.read(io.BytesIO(data), len(data)).seconds == 9.0


def test_boxes_do_not_reach_beyond_what_holds_them() -> None:
    for bad in (m.mp4()[:-1], m.mp4() + m.box(b"free", size=7), m.mp4() + b"\0\0\0\1free" + b"\xff" * 8):
        with pytest.raises(boxes.Broken):
            boxes.read(io.BytesIO(bad), len(bad))
    with pytest.raises(boxes.Broken):
        boxes.read(io.BytesIO(m.box(b"ftyp", b"isom")), 12)


def test_elements_without_a_cluster_are_no_film() -> None:
    data = m.webm()
    head = data[: data.index(b"\x1f\x43\xb6\x75")]
    with pytest.raises(matroska.Broken):
        matroska.read(io.BytesIO(head), len(head))
