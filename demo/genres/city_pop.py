"""City pop: a busy round bass, tine chords ahead of the beat, a crisp backbeat, an evening melody."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, harmony, melody, motif, moved, together, voicings

RHYTHMS = ["x-x-x--x-x--x---", "x---x-x-..x-x-x-", "..x-x-x-x--x----", "x--x--x-x---x-x-", "x-----x-x-x-x---"]
LEADS = {"lead": voices.lead, "flute": voices.flute, "vibraphone": voices.vibraphone, "organ": voices.organ}


def compose(piece: Piece) -> Sound:
    """Headlights on wet road."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=3.0)
    ideas = [motif(score.rng, RHYTHMS, 0.25) for _ in range(4)]
    rungs = piece.rungs(65, 83)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "ab.cabD.", "B": "cdcacdcb", "C": "b...d..."}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        shapes = voicings(section.chords, 53, 74, 4, rootless=True)
        for bar, (chord, notes) in enumerate(zip(section.chords, shapes, strict=True)):
            beat = start + bar * 4
            comp = (
                [(0, 1.3), (1.5, 0.4), (2.75, 0.9)]
                if bar % 2 == 0
                else [(0, 0.6), (1.0, 0.3), (1.75, 1.5), (3.5, 0.4)]
            )
            score.play(
                voices.electric_piano,
                [Note(beat + at, held, p, 0.8) for at, held in comp for p in notes],
                0.14,
                wide=0.45,
                room=0.2,
            )
            if letter in "BC":
                score.play(
                    voices.strings,
                    [Note(beat, 4, p + 12, 0.55) for p in notes[1:]],
                    0.055,
                    wide=0.7,
                    room=0.3,
                )
            picked = [
                Note(
                    beat + n * 0.5 + 0.25,
                    0.2,
                    notes[(n * 2 + bar) % len(notes)] + 12,
                    0.4 + 0.2 * (n % 3 == 0),
                )
                for n in range(8)
            ]
            score.play(voices.pluck, picked, 0.15, pan=-0.45, room=0.25, echo=0.2)
            if letter != "i":
                _bass(score, chord, beat, bar)
                if letter != "C":
                    _drums(score, beat, letter, bar, section.bars)
        tune = moved(tunes[letter], start)
        score.play(LEADS[piece.lead], tune, 0.24, pan=0.1, room=0.28, echo=0.22)
        if section.turn or letter == "B":
            score.play(LEADS[piece.lead], harmony(tune, section.chords, start, 4), 0.1, pan=-0.25, room=0.28)
    end = piece.total_beats
    home = voicings([piece.final()], 53, 74, 4)[0]
    score.play(voices.electric_piano, together(end, 4, home, 0.8), 0.16, wide=0.45, room=0.3)
    score.play(voices.round_bass, [Note(end, 3, piece.final().bass(33), 0.8)], 0.28)
    score.hit(drums.kick, [end], 0.4)
    return score.finish(room_seconds=1.5, echo_beats=0.75, feedback=0.4)


def _bass(score: Score, chord: Chord, beat: float, bar: int) -> None:
    root, fifth = chord.bass(33), chord.fifth(33)
    steps = [
        (0, root, 0.6),
        (0.75, root, 0.2),
        (1.0, root + 12, 0.2),
        (1.5, root, 0.4),
        (2.25, fifth, 0.2),
        (2.5, root, 0.4),
        (3.0, root + 12, 0.2),
    ]
    steps += (
        [(3.5, fifth, 0.4)]
        if bar % 2 == 0
        else [(3.25, root + 10, 0.2), (3.5, fifth, 0.2), (3.75, root - 1, 0.2)]
    )
    score.play(
        voices.round_bass,
        [Note(beat + at, held, p, 0.85) for at, p, held in steps],
        0.26,
        room=0.02,
        loose=0.003,
    )


def _drums(score: Score, beat: float, letter: str, bar: int, bars: int) -> None:
    score.hit(
        drums.kick,
        [beat, beat + 1.75, beat + 2] if bar % 2 else [beat, beat + 2, beat + 2.5],
        0.42,
        loose=0.002,
    )
    score.hit(drums.snare, [beat + 1, beat + 3], 0.34, room=0.2)
    score.hit(drums.hat, [(beat + n * 0.25, (1.0, 0.35, 0.7, 0.35)[n % 4]) for n in range(16)], 0.2, pan=0.25)
    if letter == "B":
        score.hit(drums.tambourine, [(beat + n + 0.5, 0.8) for n in range(4)], 0.2, pan=-0.35)
    if bar == bars - 1:
        score.hit(
            drums.tom,
            [(beat + 2.5, 0.7), (beat + 2.75, 0.8), (beat + 3.25, 0.9), (beat + 3.5, 1)],
            0.22,
            room=0.15,
        )
