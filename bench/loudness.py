"""Makes twelve tracks between -8 and -30 LUFS, and prints how far apart they are before and after what we do.

Run from the top folder: `python bench/loudness.py`. Needs ffmpeg. "before" is the files as they are; "after" is what is
heard: the raised rendition (media.opus, party.tracks.lift) or the file, at the volume that the page gives it
(party.tracks.gain), measured again. Also printed: what browsers without Ogg Opus hear, the true peak of what plays, and
how far its length is from what was made.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from demo.loudness import integrated
from media import loudness, opus, tools, waveform
from party.tracks import gain, lift

RATE, HEARD_RATE, SECONDS = 44_100, 48_000, 30
LEVELS = tuple(float(level) for level in range(-8, -32, -2))
FORMS = (("mp3", "MP3", None), ("flac", "FLAC", None), ("wav", "WAV", "PCM_16"), ("ogg", "OGG", "VORBIS"))


def main() -> None:
    """Makes, measures, raises or turns down, measures again, prints."""
    if not tools.has_ffmpeg():
        raise SystemExit("ffmpeg is not installed")
    with tempfile.TemporaryDirectory() as folder:
        rows = [_row(Path(folder), number, level) for number, level in enumerate(LEVELS)]
        print("track  form   made   before   raised   volume    after   unraised     peak    apart   took")
        for number, row in enumerate(rows, 1):
            print(
                f"{number:5}  {row.form:4} {row.made:6.1f} {row.before:8.2f} {row.lift:5.2f} dB {row.volume:8.3f} "
                f"{row.after:8.2f} {row.unraised:10.2f} {row.peak_db:5.1f} dB {row.apart_ms:5.1f} ms {row.took:4.1f} s"
            )
        before, after, unraised = (
            [getattr(row, name) for row in rows] for name in ("before", "after", "unraised")
        )
        print(f"{len(rows)} tracks: spread {np.ptp(before):.2f} LU before, {np.ptp(after):.2f} LU after")
        print(f"in browsers without Ogg Opus: {np.ptp(unraised):.2f} LU after")
        _picture(Path(folder))


@dataclass(frozen=True, slots=True)
class Row:
    """One track: how loud in LUFS before and after, and what was done to it."""

    form: str
    made: float
    before: float
    lift: float
    volume: float
    after: float
    unraised: float
    peak_db: float
    apart_ms: float
    took: float


def _row(folder: Path, number: int, level: float) -> Row:
    form, kind, subtype = FORMS[number % len(FORMS)]
    sound = _music(number)
    sound *= 10 ** ((level - integrated(np.ascontiguousarray(sound.T), RATE)) / 20)
    path = folder / f"{number}.{form}"
    # What would clip is turned into what a mastering limiter makes of it.
    soundfile.write(path, np.tanh(sound) if np.abs(sound).max() > 1 else sound, RATE, subtype, format=kind)
    began = time.perf_counter()
    before = loudness.measure(path, form, SECONDS * 1000)
    raised, played = lift(before), path
    if raised:
        played = folder / f"{number}-made.opus"
        assert opus.render(path, form, SECONDS * 1000, played, raised), form
    took, volume = time.perf_counter() - began, gain(before + raised)
    return Row(
        form=form,
        made=level,
        before=before,
        lift=raised,
        volume=volume,
        after=_loudness(folder, played, volume),
        unraised=_loudness(folder, path, gain(before)),
        peak_db=_peak_db(played),
        apart_ms=abs(len(_heard(played)) / HEARD_RATE - SECONDS) * 1000,
        took=took,
    )


def _loudness(folder: Path, path: Path, volume: float) -> float:
    quiet = folder / "quiet.wav"
    soundfile.write(quiet, _heard(path) * volume, HEARD_RATE, "FLOAT", format="WAV")
    return loudness.measure(quiet, "wav", SECONDS * 1000)


def _peak_db(path: Path) -> float:
    """The true peak: that of four times as many samples (ITU-R BS.1770-4, annex 2)."""
    return float(20 * np.log10(np.abs(_heard(path, 4 * HEARD_RATE)).max()))


def _heard(path: Path, rate: int = HEARD_RATE) -> np.ndarray:
    form = "ogg" if path.suffix == ".opus" else path.suffix[1:]
    words = ["-ac", "2", "-ar", str(rate), "-f", "f32le", "-"]
    return np.frombuffer(tools.ffmpeg(path, form, words, seconds=60, most=10**9).out, "<f4").reshape(-1, 2)


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
