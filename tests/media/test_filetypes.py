"""What a file really is: eight kinds by their bytes, whatever they are called."""

from __future__ import annotations

import io

import pytest

from media.filetypes import (
    FLAC,
    M4A,
    MP3,
    MP4,
    OGG,
    OPUS,
    WAV,
    WEBM,
    WEBM_SOUND,
    Damaged,
    Kind,
    kind_of,
    wav_duration,
)
from tests.media import making as m


def known(data: bytes) -> Kind | None:
    return kind_of(io.BytesIO(data))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (m.mp3(), MP3),
        (m.sound("MP3"), MP3),
        (m.tagged(m.text("TIT2", "A")), MP3),
        (m.id3(m.text("TIT2", "A")) + m.tagged(m.text("TIT2", "B")), MP3),
        (m.id3(bytes(50)) + bytes(3_000) + m.mp3(), MP3),
        (m.mp3(3), MP3),
        (m.sound("FLAC"), FLAC),
        (m.id3(m.text("TIT2", "A")) + m.sound("FLAC"), FLAC),
        (m.sound("OGG", "VORBIS"), OGG),
        (m.sound("OGG", "OPUS", rate=48_000), OPUS),
        (m.sound("WAV"), WAV),
        (m.wav(), WAV),
        (m.mp4(), MP4),
        (m.mp4(brand=b"dash"), MP4),
        (m.mp4(kinds=(b"soun",), brand=b"M4A "), M4A),
        (m.mp4(kinds=(b"soun",)), M4A),
        (m.webm(), WEBM),
        (m.webm(kinds=(2,)), WEBM_SOUND),
        (m.webm(is_endless=True), WEBM),
    ],
)
def test_each_kind_is_known_by_its_bytes(data: bytes, kind: Kind) -> None:
    assert known(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 5_000,
        b"RIFF\x20\0\0\0AVI LIST" + bytes(200),
        m.webm(doctype=b"matroska"),
        m.mp4(kinds=(b"text",)),
        m.mp4(brand=b"qt  ").replace(b"mp41", b"qt  "),
        b"OggS\0\x02" + bytes(22) + b"\x80theora",
        b"MThd" + bytes(100),
        b"\xff\xf1\x50\x80" + bytes(400),
        m.mp3()[1:],
    ],
    ids=["empty", "zeros", "avi", "mkv", "text only", "quicktime", "theora", "midi", "adts", "mid-frame"],
)
def test_what_no_browser_here_plays_is_not_known(data: bytes) -> None:
    try:
        assert known(data) is None
    except Damaged:
        assert data.startswith(b"OggS")


def test_chance_makes_no_sound_of_noise() -> None:
    noise = b"\xff\xfb\x90\x64" + bytes(range(256)) * 20
    assert known(noise) is None


@pytest.mark.parametrize(
    "marker", [b"<HTML", b"<script", b"<svg", b"%PDF-", b"<?xml", b"PK\x03\x04", b"#EXTM3U"]
)
def test_what_could_run_near_the_beginning_is_refused(marker: bytes) -> None:
    assert known(m.id3(m.frame("PRIV", bytes(600) + marker)) + m.mp3()) is None
    assert known(m.id3(m.frame("PRIV", bytes(1_100) + marker)) + m.mp3()) == MP3


def test_letters_of_a_zip_alone_make_no_archive() -> None:
    assert known(m.mp3() + b"PK\x05\x06" + b"\xff" * 40) == MP3
    assert known(m.mp3() + b"PK\x05\x06" + bytes(18)) is None


def test_a_wav_is_as_long_as_its_bytes() -> None:
    def seconds(data: bytes) -> float | None:
        return wav_duration(io.BytesIO(data), len(data))

    assert seconds(m.wav(2)) == 2.0
    assert seconds(m.wav(2, data_size=0xFFFFFFFF)) == 2.0
    assert seconds(m.wav(2, data_size=0)) == 2.0
    assert seconds(m.wav(2, data_size=8_000)) == 1.0
    assert seconds(m.wav(2)[:-8_000]) == 1.0
    assert seconds(m.wav(2, code=2)) is None
    with pytest.raises(Damaged):
        seconds(b"RIFF\0\0\0\0WAVE")
