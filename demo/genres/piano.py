"""Solo piano: one felt piano, the left hand in waves, the right hand singing, nothing in a hurry."""

from __future__ import annotations

from demo import voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, melody, motif, moved, voicings

RHYTHMS = ["x---x-x-", "x-----x-", "x-x-x---", "..x-x-x-", "x-------", "x--x----"]


def compose(piece: Piece) -> Sound:
    """Late, with the lid half down."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=3.5)
    meter = piece.beats
    ideas = [motif(score.rng, [r[: meter * 2] for r in RHYTHMS], 0.5) for _ in range(4)]
    rungs = piece.rungs(65, 84)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "abacabad", "B": "cdcDcdab"}.get(letter, "....")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, meter)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 50, 66, 3), strict=True)
        ):
            beat = start + bar * meter
            _left_hand(score, beat, meter, chord, notes, wide=letter == "B")
        tune = moved(tunes[letter], start)
        score.play(
            voices.piano,
            [Note(n.beat, n.length + 0.4, n.pitch, n.loud) for n in tune],
            0.34,
            pan=0.15,
            room=0.32,
            loose=0.012,
        )
        if section.turn or letter == "B":
            score.play(
                voices.piano,
                moved([n for n in tune if n.length >= 1], 0, -12, 0.7),
                0.18,
                pan=0.1,
                room=0.3,
                loose=0.012,
            )
    end = piece.total_beats
    home = [piece.final().bass(38), *voicings([piece.final()], 52, 72, 4)[0]]
    score.play(voices.piano, [Note(end + 0.14 * k, 4, p, 0.55) for k, p in enumerate(home)], 0.26, room=0.4)
    return score.finish(room_seconds=2.0)


def _left_hand(score: Score, beat: float, meter: int, chord: Chord, notes: list[int], wide: bool) -> None:
    root = chord.bass(38)
    low, middle, high = notes[0] + 12, notes[2], notes[1] + 12
    wave = [root, *notes, high, *notes[::-1]]
    if wide:
        wave = [root, chord.fifth(45), high, middle, low, middle, high, middle]
    hand = [Note(beat + n * 0.5, 1.4, p, 0.5 + 0.15 * (n == 0)) for n, p in enumerate(wave[: meter * 2])]
    score.play(voices.piano, hand, 0.2, pan=-0.2, room=0.3, loose=0.009)
    deep = root - 12 if root > 42 else root
    score.play(voices.piano, [Note(beat, meter, deep, 0.5)], 0.2, pan=-0.3, room=0.3)
