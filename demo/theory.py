"""Chords, voice leading and melody: what is on the page before anyone plays it. Pitches are MIDI numbers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "hijaz": (0, 1, 4, 5, 7, 8, 10),
    "in": (0, 1, 5, 7, 8),
}

QUALITIES = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
    "M9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
    "9": (0, 4, 7, 10, 14),
    "13": (0, 4, 10, 14, 21),
    "6": (0, 4, 7, 9),
    "69": (0, 4, 7, 9, 14),
    "m6": (0, 3, 7, 9),
    "m11": (0, 3, 7, 10, 14, 17),
    "sus": (0, 5, 7),
    "sus9": (0, 5, 7, 10, 14),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9),
    "ø": (0, 3, 6, 10),
    "7b9": (0, 4, 10, 13),
    "5": (0, 7),
}


@dataclass(frozen=True, slots=True)
class Chord:
    """A root pitch class and the intervals that stand on it."""

    root: int
    intervals: tuple[int, ...]

    @property
    def classes(self) -> tuple[int, ...]:
        """Its pitch classes, root first."""
        return tuple((self.root + step) % 12 for step in self.intervals)

    def bass(self, low: int) -> int:
        """The root at or above `low`."""
        return low + (self.root - low) % 12

    def fifth(self, low: int) -> int:
        """The fifth (or what stands for it) at or above `low`."""
        step = next((s for s in self.intervals if s in (7, 6, 8)), 7)
        return low + (self.root + step - low) % 12


@dataclass(frozen=True, slots=True)
class Note:
    """One note: when and how long in beats, which pitch, how loud from 0 to 1."""

    beat: float
    length: float
    pitch: int
    loud: float = 0.7


def progression(text: str, tonic: int) -> list[Chord]:
    """Chords from text such as "0M7 9m7 2m9 7:13": semitones above the tonic, then the quality."""
    chords = []
    for word in text.split():
        if ":" in word:
            number, quality = word.split(":")
        else:
            number = word[:2] if word[:2].isdigit() and int(word[:2]) in (10, 11) else word[0]
            quality = word[len(number) :]
        chords.append(Chord((tonic + int(number)) % 12, QUALITIES[quality]))
    return chords


def voicings(
    chords: list[Chord], low: int, high: int, size: int = 4, rootless: bool = False
) -> list[list[int]]:
    """Each chord laid between `low` and `high` so that every voice moves as little as it can."""
    result: list[list[int]] = []
    for chord in chords:
        classes = list(
            dict.fromkeys(chord.classes[1:] if rootless and len(chord.classes) > size else chord.classes)
        )
        classes = classes[:2] + classes[-(size - 2) :] if len(classes) > size else classes
        options = _inversions(sorted(classes), low, high)
        before = (
            result[-1] if result else [low + round((high - low) * (i + 1) / (size + 1)) for i in range(size)]
        )
        result.append(min(options, key=lambda option: _distance(before, option)))
    return result


def _inversions(classes: list[int], low: int, high: int) -> list[list[int]]:
    """Close positions and drop-two positions that fit."""
    options = []
    for start in range(len(classes)):
        turned = classes[start:] + classes[:start]
        for base in range(low, low + 12):
            if base % 12 != turned[0]:
                continue
            for octave in (0, 12):
                notes = [base + octave]
                for pitch_class in turned[1:]:
                    notes.append(notes[-1] + 1 + (pitch_class - notes[-1] - 1) % 12)
                options.append(notes)
                if len(notes) >= 4:
                    options.append(sorted([notes[-2] - 12, *notes[:-2], notes[-1]]))
    fitting = [notes for notes in options if notes[0] >= low and notes[-1] <= high]
    return fitting or [min(options, key=lambda notes: abs(notes[0] - low) + abs(notes[-1] - high))]


def _distance(before: list[int], after: list[int]) -> float:
    near = sum(min(abs(a - b) for b in before) for a in after) + sum(
        min(abs(a - b) for a in after) for b in before
    )
    harsh = sum(8 for one, two in combinations(after, 2) if two - one in (1, 13))
    muddy = 4 if after[1] - after[0] < 3 and after[0] < 55 else 0
    return near + harsh + muddy


# Melody


def ladder(scale: str, tonic: int, low: int, high: int) -> list[int]:
    """Every pitch of the scale from `low` to `high`."""
    classes = {(tonic + step) % 12 for step in SCALES[scale]}
    return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


@dataclass(frozen=True, slots=True)
class Motif:
    """A bar's rhythm as (beat, length), and the steps on the scale from note to note."""

    rhythm: tuple[tuple[float, float], ...]
    contour: tuple[int, ...]


def motif(rng: np.random.Generator, rhythms: list[str], grid: float) -> Motif:
    """A short idea. A rhythm is slots of `grid` beats: x begins a note, - holds it, . is a rest."""
    text = rhythms[rng.integers(len(rhythms))]
    rhythm, contour = [], []
    heading = int(rng.choice([-1, 1]))
    for slot, mark in enumerate(text):
        if mark != "x":
            continue
        length = 1
        while slot + length < len(text) and text[slot + length] == "-":
            length += 1
        rhythm.append((slot * grid, length * grid))
        heading = -heading if rng.random() < 0.35 else heading
        contour.append(heading * int(rng.choice([1, 1, 1, 2, 0, 3], p=[0.3, 0.2, 0.15, 0.2, 0.08, 0.07])))
    return Motif(tuple(rhythm), tuple(contour))


def melody(
    rng: np.random.Generator, ideas: list[Motif], plan: str, chords: list[Chord], rungs: list[int], bar: float
) -> list[Note]:
    """Lays ideas over chords, one chord a bar. `plan` names an idea per bar: "." rests, a capital inverts.

    Notes on the beat lean to the chord, notes between walk the scale, and the range's edges turn it back.
    """
    notes: list[Note] = []
    middle = len(rungs) // 2
    place = middle + int(rng.integers(-2, 3))
    openings: dict[str, int] = {}
    for number, chord in enumerate(chords):
        mark = plan[number % len(plan)]
        if mark == ".":
            continue
        idea = ideas["abcdef".index(mark.lower()) % len(ideas)]
        turn = -1 if mark.isupper() else 1
        place = openings.setdefault(mark, place)
        for index, ((beat, length), step) in enumerate(zip(idea.rhythm, idea.contour, strict=True)):
            place += turn * step
            if place < 2 or place > len(rungs) - 3:
                place += -3 if place > middle else 3
            place = max(0, min(len(rungs) - 1, place))
            pitch = rungs[place]
            leans = beat % 1 == 0 or length >= 1 or index == len(idea.rhythm) - 1
            if leans or (length >= 0.5 and _rubs(pitch, chord)):
                pitch = _nearest(pitch, chord, rungs)
                place = min(range(len(rungs)), key=lambda rung: abs(rungs[rung] - pitch))
            loud = 0.62 + 0.14 * (beat % bar == 0) + 0.12 * float(rng.random())
            notes.append(Note(number * bar + beat, length, pitch, loud))
    return notes


def _rubs(pitch: int, chord: Chord) -> bool:
    near = {(pitch - 1) % 12, (pitch + 1) % 12}
    return pitch % 12 not in chord.classes and not near.isdisjoint(chord.classes)


def _nearest(pitch: int, chord: Chord, rungs: list[int]) -> int:
    """The closest tone of the chord that does not rub, a semitone above another of its tones."""
    classes = {tone for tone in chord.classes if (tone - 1) % 12 not in chord.classes}
    choices = [p for p in range(rungs[0], rungs[-1] + 1) if p % 12 in classes]
    return min(choices, key=lambda choice: (abs(choice - pitch), choice)) if choices else pitch


def together(beat: float, length: float, pitches: list[int], loud: float) -> list[Note]:
    """A chord struck at once."""
    return [Note(beat, length, pitch, loud) for pitch in pitches]


def moved(notes: list[Note], beats: float, up: int = 0, loud: float = 1.0) -> list[Note]:
    """The same notes later, higher or softer."""
    return [Note(n.beat + beats, n.length, n.pitch + up, n.loud * loud) for n in notes]


def harmony(notes: list[Note], chords: list[Chord], start: float, bar: float) -> list[Note]:
    """A second voice: under each note, the first tone of its chord that is at least a third lower."""
    out = []
    for note in notes:
        chord = chords[min(int((note.beat - start) // bar), len(chords) - 1)]
        pitch = next(p for p in range(note.pitch - 3, note.pitch - 15, -1) if p % 12 in chord.classes)
        out.append(Note(note.beat, note.length, pitch, note.loud * 0.8))
    return out
