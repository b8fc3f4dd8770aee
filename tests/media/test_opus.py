"""Opus renditions: smaller, raised, and in time with what they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from media import loudness, opus, tools
from media.filetypes import OPUS
from media.probing import probe
from tests.media import making

HEARD_RATE = 48_000
NEEDS_FFMPEG = pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")


@NEEDS_FFMPEG
def test_a_large_file_gets_smaller_and_stays_as_long(tmp_path: Path) -> None:
    path, into = tmp_path / "x.wav", tmp_path / "made.opus"
    path.write_bytes(making.sound("WAV", seconds=4))
    assert opus.render(path, "wav", 4_000, into)
    found = probe(into)
    assert found.kind == OPUS and abs(found.duration_ms - 4_000) < 60
    assert into.stat().st_size < path.stat().st_size / 5
    path.write_bytes(b"nothing")
    assert not opus.render(path, "wav", 4_000, tmp_path / "other.opus")


def test_without_ffmpeg_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not opus.render(tmp_path / "x.wav", "wav", 4_000, tmp_path / "made.opus")


@NEEDS_FFMPEG
@pytest.mark.parametrize(
    ("form", "subtype", "demuxer", "rate"),
    [("WAV", None, "wav", 44_100), ("FLAC", None, "flac", 48_000), ("MP3", None, "mp3", 44_100),
     ("OGG", "VORBIS", "ogg", 44_100), ("OGG", "OPUS", "ogg", 48_000), ("WAV", None, "wav", 8_000)],
)  # fmt: skip
@pytest.mark.parametrize("gain_db", [0.0, 12.0])
def test_nothing_moves_in_a_rendition(
    form: str, subtype: str | None, demuxer: str, rate: int, gain_db: float, tmp_path: Path
) -> None:
    path, into = tmp_path / "x", tmp_path / "made.opus"
    soundfile.write(path, clicks(rate, 6), rate, format=form, subtype=subtype)
    assert opus.render(path, demuxer, 6_000, into, gain_db)
    before, after = heard(path, demuxer), heard(into, "ogg")
    assert abs(len(before) - len(after)) / HEARD_RATE < 0.010
    assert len(places(before)) == len(places(after)) == 6
    assert np.abs(places(before) - places(after)).max() / HEARD_RATE < 0.002


@NEEDS_FFMPEG
def test_a_raised_rendition_is_that_much_louder_and_nothing_is_cut_off(tmp_path: Path) -> None:
    """Soft noise for the loudness, and a chord that would be three times too high: the limiter has to hold it."""
    path, into = tmp_path / "x.wav", tmp_path / "made.opus"
    sound = making.wave(8, -30.0)
    soundfile.write(path, sound, making.RATE, "FLOAT", format="WAV")
    assert opus.render(path, "wav", 8_000, into, 9.5)
    assert loudness.measure(into, "ogg", 8_000) == pytest.approx(
        loudness.measure(path, "wav", 8_000) + 9.5, abs=0.4
    )
    at = np.arange(making.RATE) / making.RATE
    chord = sum(np.sin(2 * np.pi * pitch * at + pitch) for pitch in (110, 220, 660, 1_500)) * 0.2
    sound[making.RATE : 2 * making.RATE] = chord[:, None]
    soundfile.write(path, sound, making.RATE, "FLOAT", format="WAV")
    assert opus.render(path, "wav", 8_000, into, 12.0)
    peak_db = 20 * np.log10(np.abs(heard(into, "ogg", 4 * HEARD_RATE, channels=2)).max())
    # The encoder adds a little to what was kept.
    assert opus.CEILING_DB - 0.5 < peak_db < opus.CEILING_DB + 0.5


def clicks(rate: int, seconds: int) -> np.ndarray:
    """A short burst at half past each second, on nearly nothing."""
    sound = np.random.default_rng(3).standard_normal((rate * seconds, 2)).astype(np.float32) * 1e-4
    for second in range(seconds):
        start = second * rate + rate // 2
        burst = np.sin(2 * np.pi * 1_000 * np.arange(rate // 100) / rate) * 0.2
        sound[start : start + len(burst)] += burst[:, None]
    return sound


def heard(path: Path, demuxer: str, rate: int = HEARD_RATE, channels: int = 1) -> np.ndarray:
    """What a player makes of it, one channel after the other in each sample."""
    words = ["-map", "0:a:0", "-ac", str(channels), "-ar", str(rate), "-f", "f32le", "-"]
    return np.frombuffer(tools.ffmpeg(path, demuxer, words, seconds=30).out, "<f4")


def places(sound: np.ndarray) -> np.ndarray:
    """Where each second's burst begins."""
    loud = np.abs(sound) > np.abs(sound).max() / 4
    return np.array([s + np.argmax(loud[s : s + HEARD_RATE]) for s in range(0, 6 * HEARD_RATE, HEARD_RATE)])
