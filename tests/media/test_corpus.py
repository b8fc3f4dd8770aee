"""The hostile files (T7, T8): every one ends refused or inert, soon, alone, and without asking anybody anything."""

from __future__ import annotations

import resource
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from media import filetypes, tools
from models import Holding, Item, Track
from tasks import uploads
from tests.media.arrivals import Arrivals
from tests.media.conftest import PATIENCE_SECONDS
from tests.media.corpus import KEPT, Hostile, corpus
from tests.stage import Cast

MOST_SECONDS = 12.0
"""Of computing, here and in what is started: a busy machine makes everything wait, but costs nothing."""
KIND_OF = {each.name: each.kind for each in corpus("http://canary")}


class Canary:
    """A machine that nobody has any reason to ask."""

    def __init__(self) -> None:
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def files(canary: Canary) -> dict[str, Hostile]:
    return {each.name: each for each in corpus(canary.address)}


@pytest.fixture
def arrivals(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    spare = tmp_path / "spare"
    spare.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spare))
    return Arrivals(cast, tmp_path, monkeypatch)


def spent() -> float:
    """Seconds of computing so far, here and in what was started and has ended."""
    started = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + started.ru_utime + started.ru_stime


def test_there_are_enough_of_every_kind() -> None:
    kinds = list(KIND_OF.values())
    assert len(kinds) >= 100
    assert min(kinds.count(kind) for kind in set(kinds)) >= 10


@pytest.mark.parametrize("name", KIND_OF)
def test_a_hostile_file_is_refused_or_inert(
    name: str, files: dict[str, Hostile], arrivals: Arrivals, canary: Canary, tmp_path: Path
) -> None:
    hostile, before = files[name], set(tmp_path.iterdir())
    began, came = spent(), time.monotonic()
    row = arrivals.check(name, hostile.data)
    assert spent() - began < MOST_SECONDS and time.monotonic() - came < PATIENCE_SECONDS
    if hostile.end == KEPT:
        assert row.state == "ready", row.reason
        _is_inert(arrivals, row.track, hostile)
        uploads.measure_track.call_local(row.track_id)
    else:
        assert (row.state, row.reason, row.track_id) == ("refused", hostile.end, None)
        assert arrivals.files() == set()
        assert not Track.select().where(Track.provider == "upload").exists()
        assert not Item.select().exists() and not Holding.select().exists()
    assert canary.asked == []
    assert set(tmp_path.iterdir()) == before | {arrivals.folder}
    assert list((tmp_path / "spare").iterdir()) == []


def _is_inert(arrivals: Arrivals, track: Track, hostile: Hostile) -> None:
    """Stored as it came under a type of ours, with covers of our own making and words that are only words."""
    stem = track.cover_file.removesuffix("-640.webp")
    covers = [f"{stem}-{size}.webp" for size in (640, 320, 96)]
    assert arrivals.files() == {f"media/{name}" for name in (track.media_file, *covers)}
    assert arrivals.stored(track.media_file).read_bytes() == hostile.data
    ending = track.media_file.rpartition(".")[2]
    assert (ending, track.mime) in {(kind.name, kind.mime) for kind in filetypes.KINDS}
    for name, size in zip(covers, (640, 320, 96), strict=True):
        with Image.open(arrivals.stored(name)) as cover:
            cover.load()
            assert (cover.format, cover.mode, cover.info.get("exif")) == ("WEBP", "RGB", None)
            assert cover.width == cover.height <= size
        assert b"<script" not in arrivals.stored(name).read_bytes()
    with Image.open(arrivals.stored(covers[0])) as cover:
        # Drawn ones are 640 wide; nobody's picture here is.
        assert (cover.width == 640) == hostile.is_drawn
    for words in (track.title, track.artist, track.album, track.genre):
        assert len(words) <= 200
        assert not any(unicodedata.category(sign).startswith("C") for sign in words)
    assert track.title


@pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")
@pytest.mark.parametrize("demuxer", ["mp3", "mov", "matroska", "hls", "concat"])
def test_a_playlist_reaches_nobody_even_if_it_is_read_as_one(
    demuxer: str, files: dict[str, Hostile], canary: Canary, tmp_path: Path
) -> None:
    for number, hostile in enumerate(each for each in files.values() if each.kind == "playlist"):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(hostile.data)
        began = spent()
        with pytest.raises(tools.Failed, match="ended with"):
            tools.ffmpeg(path, demuxer, ["-map", "0:a:0", "-f", "null", "-"], seconds=PATIENCE_SECONDS)
        assert spent() - began < MOST_SECONDS
    assert canary.asked == []


def test_without_ffmpeg_the_ends_are_the_same(
    files: dict[str, Hostile], arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert not tools.has_ffmpeg()
    for hostile in [each for each in files.values() if each.kind in ("sizes", "truncated")][::3]:
        row = arrivals.check(hostile.name, hostile.data)
        assert (row.state, row.reason) == (("ready", "") if hostile.end == KEPT else ("refused", hostile.end))
