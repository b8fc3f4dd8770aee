"""Makes the whole demo library and prints time, size, loudness, peaks, silences, and how the genres differ.

Run from the top folder: `python bench/demo_library.py [folder]`. Two processes, as on a machine with two
cores; the folder keeps the files when one is given.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import demo
from demo.loudness import integrated
from media.covers import hue_of

SILENT = 10 ** (-50 / 20)


def main() -> None:
    """Renders, measures, prints."""
    with tempfile.TemporaryDirectory() as spare:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else spare)
        folder.mkdir(parents=True, exist_ok=True)
        began = time.perf_counter()
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(_rendered, [folder] * len(demo.PIECES), demo.PIECES))
        took, spent = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu, memory = spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1024
        rows = [_measured(piece, folder) for piece in demo.PIECES]
        size = sum(path.stat().st_size for path in folder.iterdir())
    for row in rows:
        print(
            f"{row['genre']:14} {row['slug']:28} {row['seconds']:5.1f} s "
            f"{row['lufs']:6.2f} LUFS {row['peak']:6.2f} dB "
            f"silence {row['silence']:4.2f} s ends {row['ends']:6.1f} dB tempo {row['tempo']:5.1f} "
            f"centroid {row['centroid']:5.0f} Hz onsets {row['onsets']:4.1f}/s "
            f"low {row['low']:4.0%} hue {row['hue']}"
        )
    print()
    by_genre = defaultdict(list)
    for row in rows:
        by_genre[row["genre"]].append(row)
    for genre, group in by_genre.items():
        means = {
            key: np.mean([row[key] for row in group])
            for key in ("tempo", "centroid", "onsets", "low", "crest")
        }
        print(
            f"{genre:14} {len(group)} pieces  tempo {means['tempo']:5.1f}  "
            f"centroid {means['centroid']:5.0f} Hz  onsets {means['onsets']:4.1f}/s  "
            f"below 150 Hz {means['low']:4.0%}  crest {means['crest']:4.1f} dB"
        )
    loud = [row["lufs"] for row in rows]
    print(
        f"\n{len(rows)} pieces, {sum(row['seconds'] for row in rows):.0f} s of music, "
        f"{size / 1e6:.1f} MB with covers, {took:.1f} s ({cpu:.1f} s of processor), "
        f"at most {memory:.0f} MB of memory in a process\n"
        f"loudness {min(loud):.2f} to {max(loud):.2f} LUFS, "
        f"peak {max(row['peak'] for row in rows):.2f} dBFS, "
        f"longest inner silence {max(row['silence'] for row in rows):.2f} s"
    )


def _rendered(folder: Path, piece: demo.Piece) -> None:
    demo.render(piece, *_paths(folder, piece))


def _paths(folder: Path, piece: demo.Piece) -> tuple[Path, Path]:
    return folder / f"{piece.slug}.mp3", folder / f"{piece.slug}.webp"


def _measured(piece: demo.Piece, folder: Path) -> dict:
    audio, cover = _paths(folder, piece)
    sound, rate = soundfile.read(audio, dtype="float32")
    mono = sound.mean(axis=1)
    edge = np.concatenate([sound[: rate // 500], sound[-rate // 500 :]])
    peak = float(np.abs(sound).max())
    lufs = integrated(sound.T, rate)
    return {
        "genre": piece.genre,
        "slug": piece.slug,
        "tempo": piece.tempo,
        "seconds": len(sound) / rate,
        "lufs": lufs,
        "peak": 20 * np.log10(peak),
        "crest": 20 * np.log10(peak) - lufs,
        "ends": 20 * np.log10(float(np.abs(edge).max()) + 1e-9),
        "silence": _longest_silence(sound, rate),
        "hue": hue_of(cover),
        **_character(mono, rate),
    }


def _longest_silence(sound: np.ndarray, rate: int) -> float:
    hop = rate // 100
    level = np.sqrt((sound[: len(sound) // hop * hop].reshape(-1, hop * 2) ** 2).mean(axis=1))
    heard = np.nonzero(level >= SILENT)[0]
    return float(max(np.diff(heard) - 1, default=0)) / 100


def _character(mono: np.ndarray, rate: int) -> dict[str, float]:
    """Centre of the spectrum, how often something begins, and how much of the power lies in the bass."""
    size, hop = 1024, 512
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    hz = np.fft.rfftfreq(size, 1 / rate)
    flux = np.maximum(0, np.diff(np.log10(power + 1e-4), axis=0)).mean(axis=1)
    around = np.convolve(flux, np.full(15, 1 / 15), mode="same")
    peaks = (flux[1:-1] > flux[:-2]) & (flux[1:-1] >= flux[2:]) & (flux[1:-1] > around[1:-1] * 1.5 + 0.02)
    return {
        "centroid": float((np.sqrt(power) @ hz).sum() / np.sqrt(power).sum()),
        "onsets": float(peaks.sum() / (len(mono) / rate)),
        "low": float(power[:, hz < 150].sum() / power.sum()),
    }


if __name__ == "__main__":
    main()
