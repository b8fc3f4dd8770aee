"""How loud files are: made ones of known loudness, silence, and what cannot be measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from demo.loudness import integrated
from media import loudness, tools
from media.loudness import SILENT_LUFS, measure, patience
from tests.media import making

NEEDS_FFMPEG = pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")


@NEEDS_FFMPEG
@pytest.mark.parametrize("level", [-30.0, -18.0, -9.0])
def test_what_is_measured_is_what_the_recommendation_says(level: float, tmp_path: Path) -> None:
    sound, path = making.wave(6, level), tmp_path / "x.wav"
    soundfile.write(path, sound, making.RATE, format="WAV")
    wanted = integrated(np.ascontiguousarray(sound.T), making.RATE)
    assert measure(path, "wav", 6_000) == pytest.approx(wanted, abs=0.3)


@NEEDS_FFMPEG
def test_silence_and_what_has_no_sound_are_silent(tmp_path: Path) -> None:
    for name, data, demuxer in (("a", making.wav(3), "wav"), ("b", making.mp4(), "mov"), ("c", b"", "mp3")):
        path = tmp_path / name
        path.write_bytes(data)
        assert measure(path, demuxer, 3_000) == SILENT_LUFS


@pytest.mark.parametrize(
    ("said", "lufs"),
    [
        ('title: {"input_i": "-1.0"}\n{\n"input_i" : "-14.27"\n}\n', -14.27),
        ('{"input_i" : "-inf"}', SILENT_LUFS),
        ('{"input_i" : "-99.5"}', SILENT_LUFS),
        ('{"input_i" : "nan"}', SILENT_LUFS),
        ('{"input_tp" : "1"}', SILENT_LUFS),
        ("nothing", SILENT_LUFS),
    ],
)
def test_only_the_report_at_the_end_counts(said: str, lufs: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "ffmpeg", lambda *_a, **_k: tools.Output(b"", said))
    assert measure(Path("x"), "mp3", 1_000) == lufs


def test_longer_files_may_take_longer_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert patience(0) == 30
    assert patience(240_000) == 90
    assert patience(86_400_000) == 1_800
    given: list[float] = []

    def ffmpeg(*_a: object, seconds: float, **_k: object) -> tools.Output:
        given.append(seconds)
        raise tools.Failed

    monkeypatch.setattr(loudness.tools, "ffmpeg", ffmpeg)
    assert measure(Path("x"), "mp3", 240_000) == SILENT_LUFS
    assert given == [90]
