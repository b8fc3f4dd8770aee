"""Sound from numbers: wavetables, envelopes and noise, all vectorised. Knows nothing of music or mixing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 32_000
Sound = NDArray[np.float32]
Voice = Callable[[float, float, float, int], Sound]

_SIZE = 8192
TOP_HZ = 9_000.0  # nothing is built above this: soft highs, and nothing left to alias


def steps(seconds: float) -> int:
    """Seconds as a number of samples, at least one."""
    return max(1, round(seconds * RATE))


@lru_cache(maxsize=1024)
def _table(amplitudes: tuple[float, ...]) -> Sound:
    spectrum = np.zeros(_SIZE // 2 + 1, np.complex128)
    for number, amplitude in enumerate(amplitudes, start=1):
        spectrum[number] = amplitude * np.exp(
            1j * (number * number * 0.9 - np.pi / 2)
        )  # spread phases: lower peaks
    wave = np.fft.irfft(spectrum)
    return (wave / (np.sqrt(np.mean(wave**2)) * 1.5)).astype(np.float32)


def harmonics(hz: float, slope: float, cut: float = 4_000.0, odd: float = 0.0) -> tuple[float, ...]:
    """Amplitudes falling by `slope`, rolled off above `cut`; `odd` 1 removes the even ones, as in a reed."""
    count = max(1, min(24, int(TOP_HZ / hz)))
    levels = []
    for number in range(1, count + 1):
        level = number**-slope / (1 + (number * hz / cut) ** 4) ** 0.5
        levels.append(round(level * (1 - odd if number % 2 == 0 else 1), 4))
    return tuple(levels)


def read(
    amplitudes: tuple[float, ...], hz: float, count: int, bend: Sound | float = 0.0, phase: float = 0.0
) -> Sound:
    """A steady tone from a wavetable; `bend` is a phase offset in cycles, for vibrato and FM."""
    position = np.arange(count, dtype=np.float64) * (hz * _SIZE / RATE) + (bend + phase + 8.0) * _SIZE
    return _table(amplitudes)[position.astype(np.int64) & (_SIZE - 1)]


def ramp(count: int, *points: tuple[float, float]) -> Sound:
    """Straight lines through (seconds, level)."""
    times, levels = zip(*points, strict=True)
    return np.interp(np.arange(count, dtype=np.float32) / RATE, times, levels).astype(np.float32)


def swell(held: float, attack: float, release: float, settle: float = 1.0, decay: float = 0.3) -> Sound:
    """A sustained envelope with rounded corners: up, down to `settle`, held, and away."""
    count = steps(held + release)
    attack = min(attack, held * 0.8)
    line = ramp(
        count, (0, 0), (attack, 1), (min(held, attack + decay), settle), (held, settle), (held + release, 0)
    )
    return line * line * (3 - 2 * line)


def fall(count: int, half_life: float, attack: float = 0.003) -> Sound:
    """A struck envelope: quick rise, exponential fall."""
    moments = np.arange(count, dtype=np.float32) / RATE
    return np.exp2(-moments / half_life) * np.minimum(1, moments / attack)


def damp(wave: Sound, held: float, release: float) -> Sound:
    """Lets go of a struck note: fades to nothing within `release` after `held`."""
    out = wave[: steps(held + release)].copy()
    start = min(steps(held), len(out) - 1)
    out[start:] *= np.cos(np.linspace(0, np.pi / 2, len(out) - start, dtype=np.float32)) ** 2
    return out


def vibrato(count: int, hz: float, rate: float, depth: float, onset: float = 0.3) -> Sound:
    """Phase offset in cycles for a pitch that sways by `depth` (0.005 is about a tenth of a semitone)."""
    moments = np.arange(count, dtype=np.float32) / RATE
    sway = np.sin(moments * np.float32(2 * np.pi * rate)) * np.minimum(1, moments / max(onset, 0.01))
    return sway * np.float32(depth * hz / (2 * np.pi * rate))


@lru_cache(maxsize=64)
def noise(seed: int, count: int, low: float, high: float) -> Sound:
    """Noise between two frequencies with soft edges, at a root mean square of 0.3."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE) + 1e-3
    spectrum *= 1 / np.sqrt((1 + (hz / high) ** 6) * (1 + (low / hz) ** 4))
    wave = np.fft.irfft(spectrum, count)
    return (wave * (0.3 / np.sqrt(np.mean(wave**2)))).astype(np.float32)
