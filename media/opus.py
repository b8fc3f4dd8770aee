"""Opus renditions: smaller ones for browsers that play no FLAC or would fetch a whole WAV, raised ones of quiet tracks.

By "FFmpeg Filters Documentation": volume, and alimiter, whose `level` would raise what it limits and whose `latency`
takes its look-ahead out again, so that nothing moves. It looks at samples; at four times the rate these are true peaks.
"""

from __future__ import annotations

from pathlib import Path

from media import tools
from media.loudness import patience

KINDS = ("wav", "flac")
BITS = 128_000
RATE, OVERSAMPLED = 48_000, 192_000
CEILING_DB = -1.0
LIMITER = f"alimiter=limit={CEILING_DB}dB:attack=5:release=50:level=disabled:latency=1"


def render(path: Path, demuxer: str, duration_ms: int, into: Path, gain_db: float = 0.0) -> bool:
    """Write Opus in Ogg at 128 kbit/s, raised by so much, without tags or pictures. False where that cannot be done."""
    raised = f"aresample={OVERSAMPLED},volume={gain_db}dB:precision=double,{LIMITER},aresample={RATE}"
    words = ["-map", "0:a:0", "-map_metadata", "-1", *(["-af", raised] if gain_db else [])]
    words += ["-c:a", "libopus", "-b:a", str(BITS), "-f", "ogg"]
    most = 1_000_000 + duration_ms * BITS // 8_000 * 3 // 2
    try:
        tools.ffmpeg(path, demuxer, [*words, f"file:{into}"], seconds=patience(duration_ms), most=most)
    except tools.Failed:
        return False
    return into.exists()
