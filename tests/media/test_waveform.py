"""The waveform: 120 digits that follow the sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from media import tools
from media.waveform import BARS, DIGITS, bars, draw
from tests.media import making


def test_the_bars_follow_the_sound() -> None:
    loud, soft, none = (np.full(6_000, level, "<i2") for level in (20_000, 10_000, 0))
    shown = bars(np.concatenate([none, soft, loud]).tobytes())
    assert len(shown) == BARS == 120
    assert (shown[:40], shown[40:80], shown[80:]) == ("0" * 40, DIGITS[18] * 40, "z" * 40)


def test_a_soft_track_is_drawn_as_large_as_a_loud_one() -> None:
    sound = (np.sin(np.arange(24_000) / 9) * np.linspace(0, 900, 24_000)).astype("<i2")
    assert bars(sound.tobytes())[-1] == "z" and bars(sound.tobytes())[0] == "0"


def test_silence_is_flat_and_next_to_nothing_is_nothing() -> None:
    assert bars(bytes(5_000)) == "0" * BARS
    assert bars(bytes(2 * BARS - 1)) == ""
    assert bars(b"") == ""


def test_the_lowest_sample_does_not_wrap_and_half_a_one_is_left_out() -> None:
    assert bars(b"\0\x80" * 240 + b"\0") == "z" * BARS


@pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")
def test_a_file_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "x.flac"
    rising = making.wave(6, -20.0) * np.linspace(0, 1, making.RATE * 6, dtype=np.float32)[:, None]
    soundfile.write(path, rising, making.RATE, format="FLAC")
    shown = [DIGITS.index(digit) for digit in draw(path, "flac", 6_000)]
    assert len(shown) == BARS and shown[0] <= 2 and shown[-1] >= 30
    assert np.mean(shown[:40]) < np.mean(shown[40:80]) < np.mean(shown[80:])
    path.write_bytes(b"nothing")
    assert draw(path, "flac", 6_000) == ""


def test_the_samples_of_a_long_file_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[int] = []

    def ffmpeg(_path: Path, _demuxer: str, words: list[str], **_more: object) -> tools.Output:
        rates.append(int(words[words.index("-ar") + 1]))
        return tools.Output(b"", "")

    monkeypatch.setattr(tools, "ffmpeg", ffmpeg)
    for hours in (0.05, 2, 24):
        draw(Path("x"), "mp3", int(hours * 3_600_000))
    assert rates == [8_000, 1_388, 115]
