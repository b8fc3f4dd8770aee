"""Techno: a dry kick, a bass line that opens slowly, one echoing chord, a sequence that drifts."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Note, together, voicings

LEADS = {"pluck": voices.pluck, "marimba": voices.marimba, "bells": voices.music_box}


def compose(piece: Piece) -> Sound:
    """A long corridor."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=3.0)
    rng = score.rng
    bass = [int(s) for s in rng.choice([0, 0, 0, 12, 3, 7, 10], 16)]
    rests = rng.random(16) < 0.22
    length = int(rng.choice([5, 6, 7]))  # a sequence that does not divide the bar walks across it
    rungs = piece.rungs(64, 82)
    sequence = [rungs[int(i)] for i in rng.integers(1, len(rungs) - 1, length)]
    kicks: list[float] = []
    sections = list(piece.sections())
    for number, section in enumerate(sections):
        letter, start = section.letter, section.beat
        openness = 0.25 + 0.65 * number / len(sections)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 55, 72, 3), strict=True)
        ):
            beat = start + bar * 4
            root = chord.bass(33)
            line = [
                Note(
                    beat + n * 0.25,
                    0.2,
                    root + (bass[n] if letter in "AB" else 0),
                    openness + 0.2 * (n % 4 == 2),
                )
                for n in range(16)
                if n % 4 and not rests[n]
            ]
            score.play(voices.acid, line, 0.36 if letter != "C" else 0.22, room=0.03, loose=0)
            hits = [
                Note(beat + at, 0.3, p, 0.4 + 0.4 * openness)
                for at in ((1.75,) if bar % 2 else (0.5, 3.25))
                for p in notes
            ]
            score.play(voices.stab, hits, 0.19, wide=0.5, room=0.3, echo=0.5, loose=0)
            if letter in "BC":
                score.play(voices.pad, together(beat, 4, notes, 0.6), 0.13, wide=0.8, room=0.35)
            if letter in "ABC":
                first = (section.beat + bar * 4) * 4
                turn = [
                    Note(beat + n * 0.25, 0.2, sequence[int(first + n) % length], 0.5 + 0.3 * (n % 3 == 0))
                    for n in range(0, 16, 1 if letter == "B" else 2)
                ]
                score.play(LEADS[piece.lead], turn, 0.2, pan=0.3, room=0.3, echo=0.3, loose=0)
            if letter != "C":
                kicks += [beat + n for n in range(4)]
                _drums(score, beat, letter, bar)
    score.duck(kicks, 0.5, 0.2)
    score.hit(drums.hard_kick, [*kicks, piece.total_beats], 0.5, room=0.03, loose=0)
    home = voicings([piece.final()], 52, 72, 3)[0]
    score.play(voices.stab, together(piece.total_beats, 0.4, home, 0.6), 0.2, wide=0.5, room=0.5, echo=0.6)
    return score.finish(room_seconds=2.0, echo_beats=0.75, feedback=0.58)


def _drums(score: Score, beat: float, letter: str, bar: int) -> None:
    score.hit(
        drums.hat, [(beat + n * 0.25, 1.0 if n % 4 == 2 else 0.4) for n in range(16)], 0.28, pan=-0.1, loose=0
    )
    if letter == "i":
        return
    score.hit(drums.open_hat, [beat + n + 0.5 for n in range(4)], 0.22, pan=0.2, loose=0)
    score.hit(drums.clap, [(beat + 1, 0.8), (beat + 3, 0.8)], 0.32, room=0.25, loose=0)
    if letter == "B":
        score.hit(
            drums.rim,
            [(beat + n, 0.7) for n in (0.75, 1.5, 2.75, 3.5)],
            0.2,
            pan=0.4,
            room=0.25,
            echo=0.2,
            loose=0,
        )
    if bar % 4 == 3:
        score.hit(drums.tom, [(beat + 3.25, 0.7), (beat + 3.75, 0.9)], 0.25, pan=-0.3, room=0.2, loose=0)
