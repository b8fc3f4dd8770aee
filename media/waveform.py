"""The waveform in the progress line: 120 bars, each one digit of base 36, the loudest of them z."""

from __future__ import annotations

from pathlib import Path

from media import tools
from media.loudness import patience

BARS = 120
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HIGHEST_RATE, LOWEST_RATE = 8_000, 100
SAMPLE_BYTES = 2
MOST_SAMPLES = 10_000_000
MOST_BYTES = 24_000_000
SILENCE = 8.0
"""Of 32768: less than anybody hears, or a converter makes of nothing."""


def draw(path: Path, demuxer: str, duration_ms: int) -> str:
    """A file's bars, or nothing where it has no sound or no ffmpeg reads it."""
    seconds = max(1, duration_ms // 1000)
    rate = max(LOWEST_RATE, min(HIGHEST_RATE, MOST_SAMPLES // seconds))
    words = ["-map", "0:a:0", "-ac", "1", "-ar", str(rate), "-f", "s16le", "-"]
    try:
        sound = tools.ffmpeg(path, demuxer, words, seconds=patience(duration_ms), most=MOST_BYTES).out
    except tools.Failed:
        return ""
    return bars(sound)


def bars(sound: bytes) -> str:
    """120 bars of samples of 16 bits, one channel: the middle loudness of each stretch, against that of the loudest."""
    # Only here: the web process loads this module too, to hand work over, and never counts.
    import numpy as np

    samples = np.frombuffer(sound[: len(sound) // SAMPLE_BYTES * SAMPLE_BYTES], "<i2").astype(np.float32)
    if len(samples) < BARS:
        return ""
    edges = np.linspace(0, len(samples), BARS + 1).astype(int)
    loud = np.sqrt(np.add.reduceat(samples**2, edges[:-1]) / np.diff(edges))
    most = float(loud.max())
    steps = np.zeros(BARS, int) if most < SILENCE else np.rint(loud / most * (len(DIGITS) - 1)).astype(int)
    return "".join(DIGITS[step] for step in steps)
