"""A smaller rendition of large sound files, for browsers that play no FLAC or would have to fetch a whole WAV."""

from __future__ import annotations

from pathlib import Path

from media import tools
from media.loudness import patience

KINDS = ("wav", "flac")
BITS = 128_000


def render(path: Path, demuxer: str, duration_ms: int, into: Path) -> bool:
    """Write Opus in Ogg at 128 kbit/s, without tags or pictures. False where that cannot be done."""
    words = ["-map", "0:a:0", "-map_metadata", "-1", "-c:a", "libopus", "-b:a", str(BITS), "-f", "ogg"]
    most = 1_000_000 + duration_ms * BITS // 8_000 * 3 // 2
    try:
        tools.ffmpeg(path, demuxer, [*words, f"file:{into}"], seconds=patience(duration_ms), most=most)
    except tools.Failed:
        return False
    return into.exists()
