"""Loudness as people hear it, and a limiter that nobody hears.

Integrated loudness follows Recommendation ITU-R BS.1770-4: K-weighting, 400 ms blocks every 100 ms, gates at
-70 LUFS and at 10 LU under the mean of what passed the first. The recommendation gives its filters for 48 kHz
only; the analogue values behind them, good for any rate, are from Brecht De Man's evaluation of 2014.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]

CEILING = 10 ** (-1.6 / 20)  # room for what the encoder adds to peaks


def integrated(stereo: Sound, rate: int) -> float:
    """Integrated loudness in LUFS of an array of shape (channels, samples)."""
    step = rate // 10
    power = np.zeros(0)
    for channel in stereo:
        weighted = convolve(channel, _weighting(rate))[: len(channel)]
        whole = weighted[: len(weighted) // step * step].reshape(-1, step)
        squares = np.einsum("ij,ij->i", whole, whole, dtype=np.float64) / step
        power = squares if not len(power) else power + squares
    if len(power) < 4:
        return -np.inf
    blocks = np.convolve(power, np.full(4, 0.25), mode="valid")
    levels = -0.691 + 10 * np.log10(blocks + 1e-12)
    heard = blocks[levels > -70]
    if not len(heard):
        return -np.inf
    gate = -0.691 + 10 * np.log10(heard.mean()) - 10
    return float(-0.691 + 10 * np.log10(blocks[levels > max(gate, -70)].mean()))


def limit(stereo: Sound, rate: int, ceiling: float = CEILING) -> Sound:
    """Turns peaks down ahead of time instead of cutting them off."""
    hop = rate // 500
    count = stereo.shape[1]
    padded = np.zeros(-(-count // hop) * hop, np.float32)
    padded[:count] = np.abs(stereo).max(axis=0)
    wanted = np.minimum(1.0, ceiling / (padded.reshape(-1, hop).max(axis=1) + 1e-9))
    if wanted.min() >= 1.0:
        return stereo
    reach = 8
    around = np.pad(wanted, reach, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(around, 2 * reach + 1).min(axis=1)
    shape = np.hanning(
        2 * reach + 1
    )  # narrower than the minimum's window, so a peak's gain is already down when it comes
    smooth = np.convolve(np.pad(lowest, reach - 1, mode="edge"), shape[1:-1] / shape.sum(), mode="valid")
    centres = (np.arange(len(smooth)) + 0.5) * hop
    gain = np.interp(np.arange(count), centres, smooth).astype(np.float32)
    return np.clip(stereo * gain, -ceiling, ceiling)


def convolve(wave: Sound, response: Sound) -> Sound:
    """Linear convolution in blocks (overlap and add), returning len(wave) + len(response) - 1 samples."""
    size = 1 << max(15, (len(response) * 4 - 1).bit_length())
    hop = size - len(response) + 1
    blocks = -(-len(wave) // hop)
    padded = np.zeros(blocks * hop, np.float32)
    padded[: len(wave)] = wave
    spectra = np.fft.rfft(padded.reshape(blocks, hop), size, axis=1)
    spectra *= np.fft.rfft(response, size)
    parts = np.fft.irfft(spectra, size, axis=1)
    out = np.zeros(blocks * hop + size, np.float32)
    out[: blocks * hop].reshape(blocks, hop)[:] = parts[:, :hop]
    tail = size - hop
    for block in range(blocks):
        start = (block + 1) * hop
        out[start : start + tail] += parts[block, hop:]
    return out[: len(wave) + len(response) - 1]


@lru_cache
def _weighting(rate: int) -> Sound:
    """The impulse response of K-weighting: a shelf for the head, a high-pass for what is not heard."""
    count = rate // 4
    turns = np.exp(-1j * np.linspace(0, np.pi, rate + 1))
    shelf = _shelf(rate)
    high_pass = _high_pass(rate)
    response = _answer(shelf, turns) * _answer(high_pass, turns)
    return np.fft.irfft(response)[:count].astype(np.float32)


def _answer(
    filter_: tuple[tuple[float, float, float], tuple[float, float, float]], turns: NDArray
) -> NDArray:
    top, bottom = filter_
    return np.polyval(top[::-1], turns) / np.polyval(bottom[::-1], turns)


def _shelf(rate: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    k = np.tan(np.pi * 1681.974450955533 / rate)
    q = 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    base = 1 + k / q + k * k
    top = (
        (high + band * k / q + k * k) / base,
        2 * (k * k - high) / base,
        (high - band * k / q + k * k) / base,
    )
    return top, (1.0, 2 * (k * k - 1) / base, (1 - k / q + k * k) / base)


def _high_pass(rate: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    k = np.tan(np.pi * 38.13547087602444 / rate)
    q = 0.5003270373238773
    base = 1 + k / q + k * k
    return (1.0, -2.0, 1.0), (1.0, 2 * (k * k - 1) / base, (1 - k / q + k * k) / base)
