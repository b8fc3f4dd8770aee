"""Dub: a heavy melodic bass, organ on the off-beat, one drop in the middle of the bar, echoes for walls."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, melody, motif, moved, together, voicings

RHYTHMS = ["x---x-x-", "..x-x---", "x-x-x---", "x------.", "..x-x-x-"]
RIFFS = [
    ((0, 0, 0.9), (1, 0, 0.4), (1.5, 7, 0.4), (2.5, 12, 0.4), (3, 10, 0.9)),
    ((0.5, 0, 0.4), (1, 0, 0.4), (1.5, 3, 0.4), (2, 7, 1.4), (3.5, 5, 0.4)),
]
LEADS = {"melodica": voices.accordion, "flute": voices.flute, "horn": voices.horn}


def compose(piece: Piece) -> Sound:
    """Bass in the floorboards."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, swing=piece.swing, grid=0.25, tail=3.5)
    ideas = [motif(score.rng, RHYTHMS, 0.5) for _ in range(3)]
    rungs = piece.rungs(62, 79)
    riff = RIFFS[int(score.rng.integers(len(RIFFS)))]
    tunes: dict[str, list[Note]] = {}
    score.hiss(0.006, 700, 3_500)
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "a.b.", "B": "abac", "C": "c..."}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 55, 72, 3), strict=True)
        ):
            beat = start + bar * 4
            score.play(
                voices.organ,
                [Note(beat + n + 0.5, 0.22, p, 0.7) for n in range(4) for p in notes],
                0.21,
                pan=-0.3,
                room=0.2,
                echo=0.12,
            )
            if bar % 4 == 3:
                score.play(
                    voices.stab,
                    [Note(beat + 1.5, 0.3, p + 12, 0.7) for p in notes],
                    0.14,
                    pan=0.4,
                    room=0.4,
                    echo=0.9,
                )
            if letter != "i" or bar >= section.bars // 2:
                _bass(score, chord, beat, riff)
            _drums(score, beat, letter, bar)
        score.play(
            LEADS[piece.lead], moved(tunes[letter], start), 0.2, pan=0.2, room=0.35, echo=0.5, loose=0.012
        )
    end = piece.total_beats
    home = voicings([piece.final()], 55, 72, 3)[0]
    score.play(voices.organ, together(end, 0.4, home, 0.8), 0.2, room=0.4, echo=0.9)
    score.play(voices.sub, [Note(end, 1.5, piece.final().bass(31), 0.8)], 0.4)
    return score.finish(room_seconds=2.2, echo_beats=0.75, feedback=0.62)


def _bass(score: Score, chord: Chord, beat: float, riff: tuple[tuple[float, int, float], ...]) -> None:
    third = next((s for s in chord.intervals if s in (3, 4)), 5)
    sevenths = {3: third, 10: 9 if third == 4 else 10, 5: 5}
    root = chord.bass(31)
    line = [Note(beat + at, held, root + sevenths.get(step, step), 0.8) for at, step, held in riff]
    score.play(voices.round_bass, line, 0.24, room=0.02)
    score.play(voices.sub, line, 0.16, room=0)


def _drums(score: Score, beat: float, letter: str, bar: int) -> None:
    score.hit(drums.dusty_kick, [beat + 2] if letter != "B" else [beat, beat + 2], 0.5, room=0.06)
    score.hit(drums.rim, [(beat + 2, 1.0)], 0.3, room=0.3, echo=0.3 if bar % 4 == 3 else 0)
    score.hit(drums.hat, [(beat + n * 0.5, 0.6 if n % 2 == 0 else 1.0) for n in range(8)], 0.2, pan=0.25)
    if bar % 4 == 3:
        score.hit(drums.soft_snare, [(beat + 3.5, 0.8)], 0.28, room=0.3, echo=0.7)
    if letter == "B" and bar % 2:
        score.hit(
            drums.conga,
            [(beat + 0.75, 0.6), (beat + 1.5, 0.8), (beat + 3.25, 0.7)],
            0.18,
            pan=-0.45,
            room=0.25,
        )
