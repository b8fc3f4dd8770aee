"""The desk: notes go in at beats, come out as a finished stereo recording at an even loudness."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from demo.drums import Drum
from demo.loudness import convolve, integrated, limit
from demo.synth import RATE, Sound, Voice, noise, steps
from demo.theory import Note

LOUDNESS = -15.6  # LUFS; the encoder takes 0.4 off, which leaves the -16 that streaming is used to


class Score:
    """One piece being put together.

    `swing` is the first one's share of two slots of `grid` beats: 0.5 is even, 0.67 a shuffle.
    """

    def __init__(
        self,
        tempo: float,
        beats: float,
        seed: int,
        *,
        swing: float = 0.5,
        grid: float = 0.5,
        tail: float = 3.0,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.tempo, self.swing, self.grid = tempo, swing, grid
        self.length = steps(beats * 60 / tempo + tail)
        self._dry = np.zeros((2, self.length), np.float32)
        self._room = np.zeros(self.length, np.float32)
        self._echo = np.zeros(self.length, np.float32)
        self._kept: dict[tuple[Voice, int, float, float, int], Sound] = {}

    def at(self, beat: float) -> float:
        """Seconds of a beat, swung."""
        pair = self.grid * 2
        whole, part = divmod(beat, pair)
        part = part / self.grid
        bent = part * self.swing * 2 if part <= 1 else self.swing * 2 + (part - 1) * (2 - self.swing * 2)
        return (whole * pair + bent * self.grid) * 60 / self.tempo

    def play(
        self,
        voice: Voice,
        notes: Iterable[Note],
        gain: float,
        *,
        pan: float = 0.0,
        wide: float = 0.0,
        room: float = 0.15,
        echo: float = 0.0,
        loose: float = 0.006,
    ) -> None:
        """Plays notes. `wide` sets two takes apart; `loose` is how many seconds a hand strays."""
        for note in notes:
            start = self.at(note.beat) + 0.012 + float(self.rng.normal(0, loose)) * (loose > 0)
            held = self.at(note.beat + note.length) - self.at(note.beat)
            level = gain * (0.35 + 0.65 * note.loud) * float(self.rng.uniform(0.94, 1.06))
            if wide:
                self._lay(self._sound(voice, note, held, 0), start, level * 0.75, pan - wide, room, echo)
                self._lay(
                    self._sound(voice, note, held, 1), start + 0.004, level * 0.75, pan + wide, room, echo
                )
            else:
                self._lay(self._sound(voice, note, held, 0), start, level, pan, room, echo)

    def hit(
        self,
        drum: Drum,
        beats: Iterable[float | tuple[float, float]],
        gain: float,
        *,
        pan: float = 0.0,
        room: float = 0.05,
        echo: float = 0.0,
        loose: float = 0.002,
    ) -> None:
        """Plays a drum at beats, or at (beat, loud)."""
        wave = drum()
        for entry in beats:
            beat, loud = entry if isinstance(entry, tuple) else (entry, 1.0)
            start = self.at(beat) + 0.012 + float(self.rng.normal(0, loose)) * (loose > 0)
            self._lay(wave, start, gain * loud * float(self.rng.uniform(0.92, 1.05)), pan, room, echo)

    def hiss(self, gain: float, low: float = 700, high: float = 5_000, crackle: float = 0.0) -> None:
        """Air, tape or vinyl under the whole piece."""
        loop = noise(40, RATE * 4, low, high)
        for channel, shift in zip(self._dry, (0, RATE), strict=True):
            channel += np.resize(np.roll(loop, shift), self.length) * np.float32(gain)
        ticks = self.rng.integers(0, self.length - 200, int(self.length / RATE * crackle))
        for tick in ticks:
            count = int(self.rng.integers(12, 40))
            wave = noise(41, 200, 1_000, 6_000)[:count] * np.hanning(count).astype(np.float32)
            self._lay(
                wave,
                tick / RATE,
                gain * float(self.rng.uniform(3, 14)),
                float(self.rng.uniform(-0.6, 0.6)),
                0,
                0,
            )

    def duck(self, beats: Iterable[float], depth: float, recovery: float = 0.25) -> None:
        """Makes everything laid so far breathe under a kick."""
        gain = np.ones(self.length, np.float32)
        curve = np.linspace(0, 1, steps(recovery), dtype=np.float32)
        shape = 1 - depth * np.cos(curve * np.pi / 2) ** 2 * np.minimum(1, curve * recovery / 0.004)
        for beat in beats:
            start = steps(self.at(beat) + 0.012)
            gain[start : start + len(shape)] = np.minimum(
                gain[start : start + len(shape)], shape[: self.length - start]
            )
        self._dry *= gain
        self._room *= gain

    def finish(
        self,
        *,
        room_seconds: float = 1.4,
        room_gain: float = 1.0,
        echo_beats: float = 0.75,
        feedback: float = 0.4,
    ) -> Sound:
        """Room, echo, an even loudness, soft peaks and clean ends; an array of shape (2, samples)."""
        self._repeat(echo_beats, feedback)
        for channel, response in zip(self._dry, _room(room_seconds), strict=True):
            channel += convolve(self._room, response)[: self.length] * np.float32(room_gain)
        mix = self._dry
        mix -= mix.mean(axis=1, keepdims=True)
        end = self._last_sound(mix)
        mix = mix[:, :end]
        fade = min(steps(0.9), end // 4)
        mix[:, -fade:] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
        mix[:, : steps(0.01)] *= np.linspace(0, 1, steps(0.01), dtype=np.float32)
        mix *= np.float32(10 ** ((LOUDNESS - integrated(mix, RATE)) / 20))
        return limit(mix, RATE)

    def _sound(self, voice: Voice, note: Note, held: float, take: int) -> Sound:
        key = (voice, note.pitch, round(held * 40) / 40, round(note.loud * 5) / 5, take)
        if key not in self._kept:
            hz = 440 * 2 ** ((note.pitch - 69) / 12)
            self._kept[key] = voice(hz, max(key[2], 0.03), key[3], take)
        return self._kept[key]

    def _lay(self, wave: Sound, start: float, level: float, pan: float, room: float, echo: float) -> None:
        first = max(0, round(start * RATE))
        last = min(self.length, first + len(wave))
        if last <= first:
            return
        part = wave[: last - first]
        angle = (np.clip(pan, -1, 1) + 1) * np.pi / 4
        self._dry[0, first:last] += part * np.float32(level * np.cos(angle) * 1.414)
        self._dry[1, first:last] += part * np.float32(level * np.sin(angle) * 1.414)
        if room:
            self._room[first:last] += part * np.float32(level * room)
        if echo:
            self._echo[first:last] += part * np.float32(level * echo)

    def _repeat(self, beats: float, feedback: float) -> None:
        """Echoes that wander from side to side and sink into the room."""
        if not self._echo.any():
            return
        delay = steps(beats * 60 / self.tempo)
        level = 1.0
        for turn in range(1, 6):
            if delay * turn >= self.length:
                return
            late = self._echo[: self.length - delay * turn] * np.float32(level)
            side = turn % 2
            self._dry[side, delay * turn :] += late
            self._dry[1 - side, delay * turn :] += late * np.float32(0.35)
            self._room[delay * turn :] += late * np.float32(0.25)
            level *= feedback

    def _last_sound(self, mix: Sound) -> int:
        """Where to end: half a second after the level has sunk by 36 dB, so that no silence hangs on."""
        hop = RATE // 20
        level = np.sqrt((mix[:, : mix.shape[1] // hop * hop].reshape(2, -1, hop) ** 2).mean(axis=(0, 2)))
        heard = np.nonzero(level > level.max() * 10 ** (-36 / 20))[0]
        return min(mix.shape[1], int(heard[-1] + 1) * hop + RATE // 2)


@lru_cache(maxsize=16)
def _room(seconds: float) -> tuple[Sound, Sound]:
    """Two decaying noises, highs dying first: a room of that reverberation time."""
    count = steps(seconds * 0.9)
    moments = np.arange(count, dtype=np.float32) / RATE
    sides = []
    for seed in (70, 71):
        wave = np.zeros(count, np.float32)
        for low, high, share in ((150, 900, 1.0), (900, 2_800, 0.75), (2_800, 6_500, 0.4)):
            wave += (
                noise(seed + int(low), count, low, high)
                * 10 ** (-3 * moments / (seconds * share))
                * np.float32(share)
            )
        wave *= np.minimum(1, moments / 0.02)
        wave *= np.minimum(1, (moments[-1] - moments) / (seconds * 0.1))
        early = np.zeros(steps(0.012), np.float32)
        whole = np.concatenate([early, wave])
        sides.append((whole / np.sqrt(np.sum(whole**2))).astype(np.float32))
    return sides[0], sides[1]
