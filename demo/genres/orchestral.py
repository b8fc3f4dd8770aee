"""Orchestral: strings in parts, a wind that sings, harp and pizzicato, horns and timpani when it opens up."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Note, harmony, melody, motif, moved, together, voicings

RHYTHMS = ["x---x-x-", "x-----x-", "x--xx---", "x---x---", "x-x-x-x-", "x-------"]
LEADS = {"flute": voices.flute, "clarinet": voices.clarinet, "strings": voices.strings, "horn": voices.horn}


def compose(piece: Piece) -> Sound:
    """Curtain up."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=4.0)
    meter = piece.beats
    rhythms = [r[: meter * 2] for r in RHYTHMS]
    ideas = [motif(score.rng, rhythms, 0.5) for _ in range(4)]
    rungs = piece.rungs(65, 84)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        grand = letter == "B" or section.turn > 0
        if letter not in tunes:
            plan = {"A": "abacabaD", "B": "cdcbcdCa", "C": "a.b.a.c."}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, meter)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 50, 74, 4), strict=True)
        ):
            beat = start + bar * meter
            loud = 0.75 if grand else 0.45
            score.play(
                voices.strings,
                together(beat, meter + 0.1, notes, loud),
                0.12,
                wide=0.65,
                room=0.4,
                loose=0.015,
            )
            score.play(voices.strings, [Note(beat, meter, chord.bass(36), loud)], 0.17, pan=0.35, room=0.3)
            if grand:
                score.play(voices.horn, together(beat, meter, notes[:2], 0.6), 0.1, pan=-0.3, room=0.45)
                if bar % 2 == 0:
                    _timpani(score, beat, chord.bass(38), meter)
            elif letter != "i":
                picked = [Note(beat + n, 0.3, notes[n % len(notes)], 0.6) for n in range(1, meter)]
                score.play(voices.string, picked, 0.16, pan=0.3, room=0.35)
            spread = [*notes, *[p + 12 for p in notes]]
            step = meter / 8
            score.play(
                voices.harp,
                [Note(beat + n * step, 1.2, p, 0.5) for n, p in enumerate(spread)],
                0.1 if letter != "i" else 0.16,
                pan=-0.45,
                room=0.4,
            )
        tune = moved(tunes[letter], start)
        score.play(LEADS[piece.lead], tune, 0.2, pan=0.1, room=0.4, loose=0.012)
        if grand:
            score.play(
                voices.strings, moved(tune, 0, 12 if piece.lead == "horn" else 0), 0.12, wide=0.5, room=0.4
            )
            score.play(
                voices.clarinet, harmony(tune, section.chords, start, meter), 0.09, pan=-0.15, room=0.4
            )
            score.hit(
                drums.cymbal, [(start - 1.6 * piece.tempo / 60, 0.8)] if start > 4 else [], 0.14, room=0.3
            )
    _close(score, piece)
    return score.finish(room_seconds=2.6, room_gain=1.0)


def _close(score: Score, piece: Piece) -> None:
    end = piece.total_beats
    home = voicings([piece.final()], 50, 74, 4)[0]
    score.play(voices.strings, together(end, 3, home, 0.7), 0.14, wide=0.65, room=0.5)
    score.play(voices.horn, together(end, 3, home[:2], 0.6), 0.12, room=0.5)
    score.play(voices.strings, [Note(end, 3, piece.final().bass(36), 0.7)], 0.2, room=0.3)
    _timpani(score, end, piece.final().bass(38), 2)


def _timpani(score: Score, beat: float, pitch: int, meter: int) -> None:
    strokes = [(beat, 1.0), (beat + meter - 0.5, 0.5)]
    score.hit(drums.timpani_skin, strokes, 0.22, room=0.4)
    score.play(voices.upright, [Note(at, 1.5, pitch, loud) for at, loud in strokes], 0.2, room=0.4)
