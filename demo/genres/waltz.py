"""Folk waltz: three in a bar, bass and two plucked chords, a tune that a second voice joins."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Note, harmony, melody, motif, moved, together, voicings

RHYTHMS = ["x---x-", "x-x-x-", "x-----", "x--xx-", "x-x-xx", "x---xx"]
LEADS = {
    "accordion": voices.accordion,
    "clarinet": voices.clarinet,
    "flute": voices.flute,
    "strings": voices.strings,
}


def compose(piece: Piece) -> Sound:
    """A tune to turn to."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=3.0)
    voice = LEADS[piece.lead]
    ideas = [motif(score.rng, RHYTHMS, 0.5) for _ in range(4)]
    rungs = piece.rungs(62, 82)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "abacabaD", "B": "cdcdcdCb", "C": "acbDacbd"}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 3)
        shapes = voicings(section.chords, 52, 70, 3)
        for bar, (chord, notes) in enumerate(zip(section.chords, shapes, strict=True)):
            beat = start + bar * 3
            low = chord.bass(38) if bar % 2 == 0 else chord.fifth(36)
            score.play(voices.upright, [Note(beat, 1.2, low, 0.8)], 0.22, room=0.08)
            strum = [Note(beat + n + 0.03 * k, 0.8, p, 0.55) for n in (1, 2) for k, p in enumerate(notes)]
            score.play(voices.string, strum, 0.2, pan=-0.3, room=0.2, loose=0.004)
            if letter in "BC":
                score.play(voices.strings, together(beat, 3, notes, 0.4), 0.06, wide=0.5, room=0.3)
            if letter == "B" or section.turn:
                score.hit(
                    drums.tambourine,
                    [(beat + 1, 0.6), (beat + 2, 0.8)],
                    0.22,
                    pan=0.35,
                    room=0.12,
                    loose=0.005,
                )
                score.hit(drums.brush, [(beat, 0.7)], 0.24, pan=0.1, room=0.1)
        tune = moved(tunes[letter], start)
        score.play(voice, tune, 0.24, pan=0.15, room=0.25, loose=0.01)
        if section.turn or letter == "B":
            score.play(
                voices.clarinet if piece.lead != "clarinet" else voices.accordion,
                harmony(tune, section.chords, start, 3),
                0.13,
                pan=-0.2,
                room=0.25,
            )
        if letter in "io":
            _turning(score, start, shapes)
    last = piece.total_beats
    home = voicings([piece.final()], 50, 72, 4)[0]
    score.play(voices.string, [Note(last + 0.06 * k, 4, p, 0.7) for k, p in enumerate(home)], 0.2, room=0.3)
    score.play(voice, [Note(last, 2.6, home[-1] + 12, 0.6)], 0.18, room=0.3)
    score.play(voices.upright, [Note(last, 3, piece.final().bass(38), 0.8)], 0.28)
    return score.finish(room_seconds=1.5)


def _turning(score: Score, start: float, shapes: list[list[int]]) -> None:
    """Broken chords where the tune is silent."""
    for bar, notes in enumerate(shapes):
        steps = [notes[0], notes[1], notes[2], notes[1] + 12, notes[2], notes[1]]
        line = [
            Note(start + bar * 3 + n * 0.5, 1, p + 12, 0.55 + 0.1 * (n == 0)) for n, p in enumerate(steps)
        ]
        score.play(voices.string, line, 0.18, pan=0.3, room=0.25, loose=0.006)
