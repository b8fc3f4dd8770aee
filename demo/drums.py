"""Struck things without a pitch: each drum is a function of loudness that returns a short mono array."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from demo.synth import RATE, Sound, fall, noise, ramp, steps

Drum = Callable[[], Sound]


def _sweep(seconds: float, high: float, low: float, speed: float) -> Sound:
    moments = np.arange(steps(seconds)) / RATE
    cycles = low * moments + (high - low) * speed * (1 - np.exp(-moments / speed))
    return np.sin(2 * np.pi * cycles).astype(np.float32)


def _burst(
    seed: int, seconds: float, low: float, high: float, half_life: float, attack: float = 0.001
) -> Sound:
    count = steps(seconds)
    wave = noise(seed, count, low, high) * fall(count, half_life, attack)
    return wave * ramp(count, (0, 1), (seconds * 0.7, 1), (seconds, 0))


@lru_cache
def kick() -> Sound:
    """A round house kick."""
    wave = _sweep(0.32, 190, 50, 0.028)
    return (
        wave
        * fall(len(wave), 0.085, 0.002)
        * ramp(len(wave), (0, 1), (0.25, 1), (0.32, 0))
        * np.float32(0.95)
    )


@lru_cache
def hard_kick() -> Sound:
    """A drier, longer one, for techno."""
    wave = np.tanh(1.8 * _sweep(0.4, 240, 46, 0.022))
    return (
        wave * fall(len(wave), 0.11, 0.0015) * ramp(len(wave), (0, 1), (0.3, 1), (0.4, 0)) * np.float32(0.95)
    )


@lru_cache
def dusty_kick() -> Sound:
    """A short, worn one, for slow beats."""
    wave = _sweep(0.22, 130, 56, 0.03)
    return (
        wave * fall(len(wave), 0.055, 0.004) * ramp(len(wave), (0, 1), (0.16, 1), (0.22, 0)) * np.float32(0.9)
    )


@lru_cache
def snare() -> Sound:
    """A plain snare."""
    rattle = _burst(1, 0.24, 900, 5_500, 0.045)
    tone = _sweep(0.24, 260, 185, 0.02)
    return (0.8 * rattle + 0.45 * tone * fall(len(tone), 0.035)).astype(np.float32)


@lru_cache
def soft_snare() -> Sound:
    """A snare through an old cloth."""
    rattle = _burst(2, 0.22, 400, 2_800, 0.04, 0.003)
    tone = _sweep(0.22, 220, 165, 0.02)
    return (0.75 * rattle + 0.4 * tone * fall(len(tone), 0.03, 0.003)).astype(np.float32)


@lru_cache
def clap() -> Sound:
    """Several hands."""
    wave = np.zeros(steps(0.3), np.float32)
    for number, offset in enumerate((0.0, 0.011, 0.021)):
        part = _burst(3 + number, 0.25, 800, 3_800, 0.012 if number < 2 else 0.05)
        start = steps(offset)
        wave[start : start + len(part)] += part[: len(wave) - start]
    return wave * np.float32(0.75)


@lru_cache
def hat() -> Sound:
    """A closed hi-hat."""
    return _burst(6, 0.09, 5_000, 9_500, 0.018) * np.float32(0.55)


@lru_cache
def open_hat() -> Sound:
    """An open hi-hat."""
    return _burst(7, 0.32, 4_500, 9_000, 0.08) * np.float32(0.5)


@lru_cache
def shaker() -> Sound:
    """Seeds in a gourd."""
    return _burst(8, 0.12, 3_500, 7_500, 0.025, 0.02) * np.float32(0.5)


@lru_cache
def rim() -> Sound:
    """A cross-stick."""
    click = _burst(9, 0.07, 1_200, 4_000, 0.008)
    tone = _sweep(0.07, 900, 780, 0.01)
    return (0.4 * click + 0.5 * tone * fall(len(tone), 0.01)).astype(np.float32)


@lru_cache
def brush() -> Sound:
    """A brush drawn over a skin."""
    return _burst(10, 0.3, 1_500, 5_500, 0.07, 0.035) * np.float32(0.5)


@lru_cache
def conga() -> Sound:
    """A hand on a tall drum."""
    wave = _sweep(0.25, 330, 262, 0.02)
    return (0.6 * wave * fall(len(wave), 0.05) + 0.2 * _burst(12, 0.25, 700, 2_500, 0.01)).astype(np.float32)


@lru_cache
def tom() -> Sound:
    """A low tom."""
    wave = _sweep(0.4, 160, 92, 0.05)
    return wave * fall(len(wave), 0.1, 0.002) * ramp(len(wave), (0, 1), (0.3, 1), (0.4, 0)) * np.float32(0.7)


@lru_cache
def tambourine() -> Sound:
    """Jingles."""
    return _burst(13, 0.16, 4_500, 9_000, 0.035, 0.004) * np.float32(0.45)


@lru_cache
def cymbal() -> Sound:
    """A mallet roll that grows and fades."""
    count = steps(3.0)
    grow = ramp(count, (0, 0), (1.6, 1), (3.0, 0)) ** 2
    return noise(14, count, 2_500, 7_500) * grow * np.float32(0.5)


@lru_cache
def timpani_skin() -> Sound:
    """The mallet's knock; the pitch is a voice."""
    return _burst(15, 0.12, 90, 700, 0.02) * np.float32(0.7)


@lru_cache
def chip_noise() -> Sound:
    """A console's noise channel, short."""
    return _held_noise(16, 0.1, 3, 0.02)


@lru_cache
def chip_snare() -> Sound:
    """The same, longer and lower."""
    return _held_noise(17, 0.16, 6, 0.045)


@lru_cache
def chip_kick() -> Sound:
    """A triangle falling down the stairs."""
    wave = _sweep(0.14, 240, 55, 0.03)
    return np.round(wave * 8) / 8 * fall(len(wave), 0.05) * ramp(len(wave), (0, 1), (0.1, 1), (0.14, 0))


def _held_noise(seed: int, seconds: float, hold: int, half_life: float) -> Sound:
    count = steps(seconds)
    wave = np.repeat(np.random.default_rng(seed).choice([-1.0, 1.0], count // hold + 1), hold)[:count]
    smooth = np.convolve(wave, (0.25, 0.5, 0.25), mode="same")
    return (
        smooth * fall(count, half_life) * ramp(count, (0, 1), (seconds * 0.7, 1), (seconds, 0)) * 0.28
    ).astype(np.float32)
