"""Makes twelve tracks between -8 and -30 LUFS, and prints how far apart they are before and after our volume.

Run from the top folder: `python bench/loudness.py`. Needs ffmpeg. The volume is what the page applies (party.tracks).
"after" is measured again on renderings at that volume. Tracks quieter than the target stay as they are.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.loudness import integrated
from media import loudness, tools, waveform
from party.tracks import TARGET_LUFS, gain

RATE, SECONDS = 44_100, 30
LEVELS = tuple(float(level) for level in range(-8, -32, -2))
FORMS = (("mp3", "MP3", None), ("flac", "FLAC", None), ("wav", "WAV", "PCM_16"), ("ogg", "OGG", "VORBIS"))


def main() -> None:
    """Makes, measures, turns down, measures again, prints."""
    if not tools.has_ffmpeg():
        raise SystemExit("ffmpeg is not installed")
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(Path(folder), number, level) for number, level in enumerate(LEVELS)]
        print("track  form   made   measured   volume   after   took")
        for number, (form, made, before, volume, after, took) in enumerate(rows, 1):
            print(f"{number:5}  {form:4} {made:7.1f} {before:8.2f} {volume:9.3f} {after:9.2f} {took:5.1f} s")
        for name, wanted in (
            ("all", rows),
            ("louder than the target", [r for r in rows if r[2] > TARGET_LUFS]),
        ):
            before, after = [row[2] for row in wanted], [row[4] for row in wanted]
            print(
                f"{name}, {len(wanted)} tracks: spread {np.ptp(before):.1f} LU before, {np.ptp(after):.1f} LU after"
            )
        _picture(Path(folder))


def _row(folder: Path, number: int, level: float) -> tuple[str, float, float, float, float, float]:
    form, kind, subtype = FORMS[number % len(FORMS)]
    sound = _music(number)
    sound *= 10 ** ((level - integrated(np.ascontiguousarray(sound.T), RATE)) / 20)
    path = folder / f"{number}.{form}"
    # What would clip is turned into what a mastering limiter makes of it.
    soundfile.write(path, np.tanh(sound) if np.abs(sound).max() > 1 else sound, RATE, subtype, format=kind)
    began = time.perf_counter()
    before = loudness.measure(path, form, SECONDS * 1000)
    took, volume = time.perf_counter() - began, gain(before)
    played, _ = soundfile.read(path, dtype="float32")
    quiet = folder / "quiet.wav"
    soundfile.write(quiet, played * volume, RATE, "FLOAT", format="WAV")
    return form, level, before, volume, loudness.measure(quiet, "wav", SECONDS * 1000), took


def _music(number: int) -> np.ndarray:
    """A chord that swells and a beat, each track its own."""
    chance, at = np.random.default_rng(number), np.arange(RATE * SECONDS) / RATE
    tones = sum(np.sin(2 * np.pi * chance.uniform(110, 880) * at + part) for part in range(4))
    swell = 0.4 + 0.6 * np.sin(np.pi * at / chance.uniform(4, 11)) ** 2
    beat = chance.standard_normal(len(at)) * np.exp(-12 * (at % chance.uniform(0.4, 0.7)))
    side = np.roll(tones, 200)
    return np.stack([tones * swell + beat, side * swell + beat], axis=1).astype(np.float64) * 0.05


def _picture(folder: Path) -> None:
    path = folder / "0.mp3"
    began = time.perf_counter()
    drawn = waveform.draw(path, "mp3", SECONDS * 1000)
    print(f"\nwaveform of track 1, {len(drawn)} bars in {time.perf_counter() - began:.2f} s: {drawn}")
    for row in range(6, 0, -1):
        print("".join("█" if waveform.DIGITS.index(bar) >= row * 6 - 5 else " " for bar in drawn))


if __name__ == "__main__":
    main()
