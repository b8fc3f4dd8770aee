"""House: four on the floor, an off-beat bass, warm stabs, everything breathing under the kick."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, harmony, melody, motif, moved, together, voicings

RHYTHMS = ["x-.x-.x-..x-x---", "..x-x-x-..x-....", "x-x-..x-.x-...x-", "x---..x-x-.x-..."]
STABS = [(0.75, 0.4), (1.5, 0.3), (2.75, 0.4), (3.5, 0.3)]
LEADS = {"piano": voices.piano, "pluck": voices.pluck, "vibraphone": voices.vibraphone, "lead": voices.lead}


def compose(piece: Piece) -> Sound:
    """A groove that opens and closes."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, swing=piece.swing, grid=0.25, tail=2.5)
    stabs = STABS[: 2 + int(score.rng.integers(1, 3))]
    ideas = [motif(score.rng, RHYTHMS, 0.25) for _ in range(3)]
    rungs = piece.rungs(65, 84)
    tunes: dict[str, list[Note]] = {}
    kicks: list[float] = []
    bar_hits: list[tuple[str, float]] = []
    for section in piece.sections():
        letter = section.letter
        full = letter in "AB"
        if letter not in tunes:
            plan = {"A": "abac", "B": "cbcB", "C": "a..b"}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 53, 76, 4), strict=True)
        ):
            beat = section.beat + bar * 4
            score.play(voices.pad, together(beat, 4, notes, 0.5), 0.1, wide=0.8, room=0.3)
            if letter != "C":
                hits = [Note(beat + at, held, p, 0.75) for at, held in stabs for p in notes]
                score.play(
                    voices.stab if full else voices.electric_piano, hits, 0.19, wide=0.4, room=0.25, echo=0.15
                )
            if letter != "i":
                _bass(score, chord, beat, lively=letter == "B")
            if letter != "C":
                kicks += [beat + n for n in range(4)]
                bar_hits.append((letter, beat))
        tune = moved(tunes[letter], section.beat)
        score.play(LEADS[piece.lead], tune, 0.25, pan=0.15, room=0.3, echo=0.3)
        if section.turn and letter == "A":
            score.play(
                LEADS[piece.lead],
                harmony(tune, section.chords, section.beat, 4),
                0.11,
                pan=-0.3,
                room=0.3,
                echo=0.2,
            )
    score.duck(kicks, 0.62, 0.3)
    _drums(score, kicks, bar_hits)
    end = piece.total_beats
    score.play(
        voices.electric_piano,
        together(end, 3, voicings([piece.final()], 53, 74)[0], 0.7),
        0.2,
        wide=0.4,
        room=0.4,
    )
    score.play(voices.sub, [Note(end, 2, piece.final().bass(33), 0.7)], 0.3)
    return score.finish(room_seconds=1.6, echo_beats=0.75, feedback=0.45)


def _bass(score: Score, chord: Chord, beat: float, lively: bool) -> None:
    root = chord.bass(33)
    line = [Note(beat + n + 0.5, 0.4, root, 0.8) for n in range(4)]
    if lively:
        line += [Note(beat + 1.25, 0.2, root + 12, 0.6), Note(beat + 3.75, 0.2, chord.fifth(33), 0.7)]
    score.play(voices.round_bass, line, 0.33, room=0.02, loose=0.003)


def _drums(score: Score, kicks: list[float], bars: list[tuple[str, float]]) -> None:
    score.hit(drums.kick, kicks, 0.48, room=0.02, loose=0)
    for number, (letter, beat) in enumerate(bars):
        score.hit(drums.open_hat, [(beat + n + 0.5, 0.8) for n in range(4)], 0.26, pan=0.15, room=0.06)
        if letter == "i" and number < 2:
            continue
        score.hit(drums.clap, [beat + 1, beat + 3], 0.34, room=0.2)
        score.hit(
            drums.hat,
            [(beat + n * 0.25, 0.5 + 0.4 * (n % 2)) for n in range(16) if n % 4 != 2],
            0.2,
            pan=-0.2,
        )
        if letter == "B":
            score.hit(drums.shaker, [(beat + n * 0.5 + 0.25, 0.8) for n in range(8)], 0.3, pan=0.4)
        if number % 8 == 7:
            score.hit(
                drums.conga,
                [(beat + 3.25, 0.7), (beat + 3.5, 0.8), (beat + 3.75, 1)],
                0.25,
                pan=-0.3,
                room=0.2,
            )
