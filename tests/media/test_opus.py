"""The smaller rendition of large files."""

from __future__ import annotations

from pathlib import Path

import pytest

from media import opus, tools
from media.filetypes import OPUS
from media.probing import probe
from tests.media import making


@pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")
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
