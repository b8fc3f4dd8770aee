"""The meter against signals whose loudness is known (as in EBU Tech 3341), and the limiter."""

from __future__ import annotations

import numpy as np
import pytest

from demo.loudness import integrated, limit


def _sine(level_db: float, seconds: float, rate: int, hz: float = 997.0) -> np.ndarray:
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
    return np.stack([wave, wave]).astype(np.float32)


@pytest.mark.parametrize("rate", [32_000, 44_100, 48_000])
def test_a_stereo_sine_at_minus_23_reads_minus_23(rate):
    assert integrated(_sine(-23, 5, rate), rate) == pytest.approx(-23, abs=0.1)


def test_one_channel_alone_at_full_scale_reads_minus_3():
    sound = _sine(0, 5, 48_000)
    sound[1] = 0
    assert integrated(sound, 48_000) == pytest.approx(-3.01, abs=0.1)


def test_quiet_stretches_are_not_counted():
    sound = np.concatenate([_sine(-36, 10, 32_000), _sine(-23, 60, 32_000), _sine(-36, 10, 32_000)], axis=1)
    assert integrated(sound, 32_000) == pytest.approx(-23, abs=0.1)


def test_silence_has_no_loudness():
    assert integrated(np.zeros((2, 48_000), np.float32), 48_000) == -np.inf


def test_the_limiter_keeps_peaks_under_its_ceiling_and_leaves_the_rest_alone():
    sound = _sine(-12, 2, 32_000)
    sound[:, 32_000:32_040] *= 6
    quiet = limit(sound, 32_000, ceiling=0.8)
    assert np.abs(quiet).max() <= 0.8
    assert np.array_equal(quiet[:, :16_000], sound[:, :16_000])
