"""Chords are read, laid out and sung over as written."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from demo import PIECES
from demo.theory import ladder, melody, motif, progression, voicings


def test_chord_text_is_semitones_then_quality():
    tonic, dominant, leading = progression("0M7 7:13 11ø", 2)
    assert (tonic.root, tonic.intervals) == (2, (0, 4, 7, 11))
    assert (dominant.root, dominant.intervals) == (9, (0, 4, 10, 14, 21))
    assert (leading.root, leading.intervals) == (1, (0, 3, 6, 10))


def test_voices_move_little_and_stay_in_range():
    chords = progression("2m9 7:13 0M9 9m9 5M9 4m7 2m7 7sus9", 0)
    shapes = voicings(chords, 50, 74, 4)
    for before, after in pairwise(shapes):
        assert sum(min(abs(a - b) for b in before) for a in after) <= 12
    assert all(50 <= pitch <= 74 for shape in shapes for pitch in shape)


def test_long_notes_of_a_melody_belong_to_their_chord():
    chance = np.random.default_rng(3)
    chords = progression("0 9m 5 7", 0)
    ideas = [motif(chance, ["x---x-x-", "x-------"], 0.5) for _ in range(3)]
    tune = melody(chance, ideas, "abac", chords, ladder("major", 0, 60, 79), 4)
    assert tune
    for note in tune:
        if note.length >= 1:
            assert note.pitch % 12 in chords[int(note.beat // 4)].classes


def test_every_written_chord_can_be_read():
    for piece in PIECES:
        for section in piece.sections():
            assert section.bars == piece.bars
