"""A picture out of a video, where ffmpeg is installed and the video can be read."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from media import posters, tools
from tests.media import making

NEEDS_FFMPEG = pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of black, then twenty-seven of green, without sound."""
    path = tmp_path_factory.mktemp("film") / "film.webm"
    scene = "color=black:s=160x120:r=5:d=3[a];color=green:s=160x120:r=5:d=27[b];[a][b]concat"
    words = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", scene, "-c:v", "libvpx"]
    subprocess.run([*words, "-b:v", "100k", "-cpu-used", "8", path], check=True)
    return path


@NEEDS_FFMPEG
def test_a_frame_is_taken_from_a_little_into_the_film(film: Path) -> None:
    taken = posters.take(film, "matroska", 30_000)
    assert taken is not None
    picture = Image.open(io.BytesIO(taken))
    red, green, blue = picture.convert("RGB").getpixel((80, 60))  # type: ignore[misc]
    assert (picture.format, picture.size) == ("JPEG", (160, 120))
    assert green > 90 > 40 > red and blue < 40


@NEEDS_FFMPEG
def test_without_a_frame_there_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    for data in (making.mp4(), b""):
        path.write_bytes(data)
        assert posters.take(path, "mov", 2_000) is None


def test_without_ffmpeg_there_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert posters.take(tmp_path / "x", "mov", 2_000) is None
