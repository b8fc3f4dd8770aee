"""The players: each voice is `voice(hz, held_seconds, loud, take)` and returns a short mono array.

`take` is which of two slightly different players it is, so that a pair sounds wide.
"""

from __future__ import annotations

import numpy as np

from demo.synth import RATE, TOP_HZ, Sound, damp, fall, harmonics, noise, ramp, read, steps, swell, vibrato


def _detuned(hz: float, take: int, cents: float) -> float:
    return hz * 2 ** ((cents if take else -cents) / 1200)


# Struck and plucked


def piano(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A soft felt piano: bright table fading into a dark one, two strings a hair apart."""
    release = 0.25
    count = steps(held + release)
    long = 0.9 * (220 / hz) ** 0.45
    bright = read(harmonics(hz, 1.0, 900 + 2600 * loud), hz, count)
    dark = read(harmonics(hz, 1.7, 900), hz * 1.0009, count, phase=0.1 * take)
    wave = 0.55 * bright * fall(count, long * 0.28) + 0.7 * dark * fall(count, long)
    thump = steps(0.05)
    wave[:thump] += (0.12 * loud * noise(11, thump, 120, 1_200) * fall(thump, 0.01))[: len(wave)]
    return damp(wave * 0.5, held, release)


def electric_piano(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A tine piano by frequency modulation, with a slow tremolo."""
    release = 0.3
    count = steps(held + release)
    body = fall(count, 1.1 * (260 / hz) ** 0.3, 0.006)
    bell = np.sin(np.arange(count, dtype=np.float32) * np.float32(2 * np.pi * hz * 7 / RATE)) * fall(
        count, 0.06
    )
    push = read((1.0,), hz * 1.0006, count) * body * np.float32(0.05 + 0.16 * loud) + bell * np.float32(0.012)
    tone = read((1.0, 0.12), hz, count, push)
    moments = np.arange(count, dtype=np.float32) / RATE
    tremolo = 1 - 0.12 * (1 + np.sin(2 * np.pi * 4.6 * moments + np.pi * take).astype(np.float32))
    return damp(tone * body * tremolo * 0.5, held, release)


def string(hz: float, held: float, loud: float, take: int = 0, ring: float = 1.6) -> Sound:
    """A plucked string (Karplus and Strong): one period of noise, averaged with itself period by period."""
    release = 0.15
    count = steps(held + release)
    period = max(8, round(RATE / hz))
    burst = noise(100 + take, period * 2, 40, 500 + 3_000 * loud)[:period].copy()
    burst -= burst.mean()
    pluck_at = max(1, int(period * 0.23))
    burst -= np.roll(burst, pluck_at)
    keep = 0.5 ** (1 / (ring * (220 / hz) ** 0.5 * hz))
    # The averaging below delays by 0.28 of a sample each time round; this reading speed tunes it again.
    speed = hz * (period + 0.28) / RATE
    rows = int(count * speed / period) + 2
    out = np.empty((rows, period), np.float32)
    current = burst * np.float32(0.35 / (np.sqrt(np.mean(burst**2)) + 1e-6))
    for row in range(rows):
        out[row] = current
        current = keep * (0.72 * current + 0.28 * np.roll(current, 1))
    flat = out.ravel()
    where = np.arange(count) * speed
    wave = np.interp(where, np.arange(len(flat)), flat).astype(np.float32)
    wave *= ramp(count, (0, 0), (0.002, 1), (held + release, 1))
    return damp(wave * 0.8, held, release)


def harp(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A longer, rounder string."""
    return string(hz, held + 0.6, loud * 0.45, take, ring=2.4)


def _struck(
    hz: float, held: float, partials: tuple[tuple[float, float, float], ...], release: float
) -> Sound:
    count = steps(held + release)
    moments = np.arange(count, dtype=np.float32) / RATE
    wave = np.zeros(count, np.float32)
    for ratio, level, half_life in partials:
        if hz * ratio < TOP_HZ:
            wave += (
                np.float32(level)
                * np.sin(moments * np.float32(2 * np.pi * hz * ratio))
                * np.exp2(-moments / half_life)
            )
    return damp(wave * np.minimum(1, moments / 0.003) * 0.5, held, release)


def vibraphone(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Metal bars with a turning fan."""
    wave = _struck(hz, held + 0.5, ((1, 0.9, 1.0), (4, 0.2 * loud, 0.25), (10, 0.05 * loud, 0.05)), 0.4)
    moments = np.arange(len(wave), dtype=np.float32) / RATE
    return wave * (1 - 0.22 * (1 + np.sin(2 * np.pi * 5.2 * moments + 1.6 * take).astype(np.float32)) / 2)


def marimba(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Wooden bars."""
    return _struck(
        hz, max(held, 0.3), ((1, 1.0, 0.16), (3.93, 0.22 * loud, 0.05), (9.2, 0.08 * loud, 0.02)), 0.2
    )


def music_box(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Small bright teeth."""
    return _struck(hz, max(held, 0.8), ((1, 0.7, 0.45), (2.01, 0.25, 0.25), (5.4, 0.1 * loud, 0.08)), 0.3)


# Bowed, blown and held


def pad(
    hz: float, held: float, loud: float, take: int = 0, attack: float = 0.9, release: float = 1.4
) -> Sound:
    """A warm bed: three detuned tables that open and close slowly."""
    envelope = swell(held, attack, release)
    count = len(envelope)
    moments = np.arange(count, dtype=np.float32) / RATE
    opening = 0.5 - 0.5 * np.cos(2 * np.pi * moments / (held + release)).astype(np.float32)
    dark = read(harmonics(hz, 1.5, 700), _detuned(hz, take, 4), count, phase=0.31 * take)
    light = read(
        harmonics(hz, 1.1, 1_500 + 900 * loud), _detuned(hz, take, 7), count, phase=0.77 + 0.2 * take
    )
    return (dark + light * (0.2 + 0.5 * opening)) * envelope * np.float32(0.3)


def strings(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A small section: two players, each with a vibrato of their own."""
    envelope = swell(held, 0.11 + 0.1 * (1 - loud), 0.4, 0.85)
    count = len(envelope)
    color = harmonics(hz, 1.15, 1_600 + 1_600 * loud)
    one = read(color, _detuned(hz, take, 5), count, vibrato(count, hz, 5.1 + 0.3 * take, 0.004), 0.2 * take)
    two = read(color, hz * 1.0013, count, vibrato(count, hz, 4.6 - 0.2 * take, 0.003), 0.6)
    return (one + two) * envelope * np.float32(0.26)


def flute(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Nearly a sine, some breath, a late vibrato."""
    envelope = swell(held, 0.06, 0.16, 0.85)
    count = len(envelope)
    wave = read(
        (1.0, 0.22 * loud, 0.1 * loud, 0.03), hz, count, vibrato(count, hz, 5.0, 0.005, 0.45), 0.1 * take
    )
    breath = np.resize(noise(31, RATE, 1_500, 5_000), count) * np.float32(0.05)
    return (wave + breath) * envelope * np.float32(0.5)


def clarinet(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A dark reed: odd harmonics, gentle attack."""
    envelope = swell(held, 0.05, 0.12, 0.9)
    count = len(envelope)
    wave = read(
        harmonics(hz, 1.2, 1_500 + 900 * loud, odd=0.86), hz, count, vibrato(count, hz, 4.7, 0.0025, 0.6)
    )
    return wave * envelope * np.float32(0.4)


def accordion(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Two reeds a few cents apart."""
    envelope = swell(held, 0.05, 0.1, 0.92)
    count = len(envelope)
    color = harmonics(hz, 1.0, 1_900 + 700 * loud, odd=0.3)
    return (
        (read(color, hz * 0.9985, count) + read(color, hz * 1.003, count, phase=0.3))
        * envelope
        * np.float32(0.27)
    )


def horn(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Soft brass: the louder the moment, the brighter."""
    envelope = swell(held, 0.12, 0.25, 0.8)
    count = len(envelope)
    dark = read(harmonics(hz, 1.8, 700), hz, count)
    bright = read(harmonics(hz, 1.0, 1_100 + 900 * loud), hz, count, vibrato(count, hz, 4.4, 0.002))
    return (dark * (1 - 0.5 * envelope) + bright * 0.5 * envelope) * envelope * np.float32(0.45)


def organ(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """Drawbars with a slow rotor."""
    envelope = swell(held, 0.012, 0.06)
    count = len(envelope)
    color = (0.5, 1.0, 0.35, 0.5, 0.0, 0.22, 0.0, 0.16 * loud)
    limit = max(1, int(5_000 / hz))
    return (
        read(color[:limit], hz, count, vibrato(count, hz, 5.8, 0.003, 0.05), 0.2 * take)
        * envelope
        * np.float32(0.33)
    )


# Electronic


def lead(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A rounded synthesiser lead."""
    envelope = swell(held, 0.02, 0.18, 0.75)
    count = len(envelope)
    color = harmonics(hz, 1.0, 1_500 + 1_500 * loud)
    sway = vibrato(count, hz, 5.3, 0.004, 0.5)
    return (
        (read(color, _detuned(hz, take, 3), count, sway) + read(color, hz * 1.004, count, sway, 0.4))
        * envelope
        * 0.28
    )


def stab(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A short chord machine: a saw that closes quickly."""
    release = 0.12
    count = steps(held + release)
    bright = read(harmonics(hz, 0.9, 2_600), _detuned(hz, take, 6), count)
    dark = read(harmonics(hz, 1.5, 800), _detuned(hz, take, 9), count, phase=0.3)
    wave = bright * fall(count, 0.05 + 0.08 * loud, 0.004) + dark * fall(count, 0.35, 0.004)
    return damp(wave * 0.34, held, release)


def pluck(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A glassy sequencer pluck by frequency modulation."""
    count = steps(max(held, 0.25) + 0.2)
    push = read((1.0,), hz * 2, count) * fall(count, 0.05) * np.float32(0.12 + 0.22 * loud)
    return damp(
        read((1.0, 0.15), _detuned(hz, take, 3), count, push) * fall(count, 0.16) * 0.55, max(held, 0.25), 0.2
    )


def pulse(hz: float, held: float, loud: float, take: int = 0, duty: float = 0.25) -> Sound:
    """A game console's pulse wave with its stepped volume."""
    count = steps(held + 0.02)
    top = max(1, min(24, int(TOP_HZ / hz)))
    color = tuple(
        round(abs(np.sin(np.pi * k * duty)) / k / (1 + (k * hz / 4_500) ** 4) ** 0.5, 4)
        for k in range(1, top + 1)
    )
    level = np.maximum(0.35, 1 - np.floor(np.arange(count) / RATE * 15) / 15).astype(np.float32)
    sway = vibrato(count, hz, 6.0, 0.004, 0.35)
    return damp(
        read(color, hz, count, sway, 0.25 * take) * level * swell(held, 0.002, 0.02) * 0.34, held, 0.02
    )


def thin_pulse(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """The narrow pulse, for arpeggios."""
    return pulse(hz, held, loud, take, duty=0.125)


def square(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """The hollow pulse."""
    return pulse(hz, held, loud, take, duty=0.5)


def triangle(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """The console's bass."""
    count = steps(held + 0.02)
    return read((1.0, 0, 0.111, 0, 0.04, 0, 0.02), hz, count) * swell(held, 0.004, 0.02) * np.float32(0.6)


# Basses


def upright(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A double bass, plucked."""
    release = 0.12
    count = steps(held + release)
    body = read(harmonics(hz, 1.5, 520), hz, count) * fall(count, 0.5, 0.006)
    finger = read(harmonics(hz, 0.8, 1_100), hz, count, phase=0.2) * fall(count, 0.07, 0.004)
    return damp((body + 0.35 * loud * finger) * 0.65, held, release)


def round_bass(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A soft electric bass."""
    envelope = swell(held, 0.008, 0.08, 0.7, 0.25)
    count = len(envelope)
    edge = read(harmonics(hz, 1.0, 700), hz, count) * fall(count, 0.1)
    return (read((1.0, 0.3, 0.1), hz, count) + 0.4 * loud * edge) * envelope * np.float32(0.55)


def sub(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A bass felt more than heard."""
    envelope = swell(held, 0.015, 0.1, 0.9)
    return read((1.0, 0.22, 0.05), hz, len(envelope)) * envelope * np.float32(0.65)


def acid(hz: float, held: float, loud: float, take: int = 0) -> Sound:
    """A sequenced saw bass whose filter snaps shut."""
    release = 0.05
    count = steps(held + release)
    bright = read(harmonics(hz, 0.9, 700 + 1_500 * loud), hz, count) * fall(count, 0.06)
    dark = read(harmonics(hz, 1.2, 320), hz, count)
    return damp((0.7 * bright + dark) * swell(held, 0.004, release, 0.8) * 0.42, held, release)
