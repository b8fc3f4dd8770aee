"""A picture out of a video that brings none: one good frame near its beginning, by ffmpeg where it is installed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from media import tools

SECONDS = 4.0
LATEST_MS = 60_000
# Of a few frames the one most like the others (so no black one), and no larger than a cover needs.
FILTER = "thumbnail=12,scale=w='min(1280,iw)':h=-2"


def take(path: Path, demuxer: str, duration_ms: int) -> bytes | None:
    """A frame as JPEG from a tenth into the video, a minute at most; None where there is none to be had."""
    with tempfile.TemporaryDirectory(prefix="partyline-poster-") as folder:
        frame = Path(folder) / "frame.jpg"
        words = ["-map", "0:v:0", "-an", "-vf", FILTER, "-frames:v", "1", "-f", "image2", "-c:v", "mjpeg"]
        start = min(LATEST_MS, duration_ms // 10) / 1000
        try:
            tools.ffmpeg(path, demuxer, [*words, f"file:{frame}"], seconds=SECONDS, start=start)
            return frame.read_bytes() or None
        except (tools.Failed, OSError):
            return None
