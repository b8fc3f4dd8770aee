"""Bossa nova: a nylon guitar against a rim click that never agree, a bass in two, a cool melody on top."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Note, melody, motif, moved, voicings

RHYTHMS = ["x--x--x-", "..x-x--x", "x-x--x--", "x---..x-", ".x-x-x--", "x-----.."]
COMPING = [(0, 0.8), (1.5, 0.45), (3, 0.4), (4.5, 0.8), (5.5, 0.4), (7, 0.5)]
LEADS = {
    "flute": voices.flute,
    "vibraphone": voices.vibraphone,
    "clarinet": voices.clarinet,
    "piano": voices.piano,
}


def compose(piece: Piece) -> Sound:
    """An afternoon with the windows open."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=3.0)
    voice = LEADS[piece.lead]
    ideas = [motif(score.rng, RHYTHMS, 0.5) for _ in range(4)]
    rungs = piece.rungs(64, 83)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "ab.caB.d", "B": "cdcdab.d", "C": "a.b.c.d."}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        shapes = voicings(section.chords, 50, 69, 4, rootless=True)
        for bar in range(0, section.bars, 2):
            for beat, held in COMPING:
                notes = shapes[min(bar + int((beat + 0.5) // 4), section.bars - 1)]
                chord = [Note(start + bar * 4 + beat + 0.015 * k, held, p, 0.6) for k, p in enumerate(notes)]
                score.play(voices.string, chord, 0.2, pan=-0.25, room=0.15, loose=0.005)
        for bar, chord in enumerate(section.chords):
            beat = start + bar * 4
            root, fifth = chord.bass(35), chord.fifth(31)
            line = [
                Note(beat, 1.4, root, 0.8),
                Note(beat + 1.5, 0.45, fifth, 0.5),
                Note(beat + 2, 1.4, fifth, 0.75),
            ]
            score.play(voices.upright, [*line, Note(beat + 3.5, 0.45, root, 0.5)], 0.22, room=0.06)
            if letter in "BC":
                score.play(
                    voices.strings,
                    [Note(beat, 4, p + 12, 0.35) for p in shapes[bar][-2:]],
                    0.06,
                    wide=0.6,
                    room=0.4,
                )
        _percussion(score, start, section.bars, letter)
        score.play(voice, moved(tunes[letter], start), 0.24, pan=0.2, room=0.28, loose=0.012)
        if section.turn and letter == "A":
            score.play(
                voices.vibraphone,
                moved(tunes["A"], start, 12 if piece.lead != "vibraphone" else -12, 0.7),
                0.09,
                pan=-0.4,
                room=0.35,
            )
    end = piece.total_beats
    home = voicings([piece.final()], 50, 72, 4)[0]
    score.play(voices.string, [Note(end + 0.08 * k, 3.5, p, 0.6) for k, p in enumerate(home)], 0.2, room=0.25)
    score.play(voices.upright, [Note(end, 3, piece.final().bass(35), 0.7)], 0.28)
    return score.finish(room_seconds=1.2)


def _percussion(score: Score, start: float, bars: int, letter: str) -> None:
    for bar in range(0, bars, 2):
        beat = start + bar * 4
        if letter != "i":
            clave = [beat, beat + 1.5, beat + 3, beat + 5, beat + 6.5]
            score.hit(drums.rim, [(b, 0.8) for b in clave], 0.25, pan=0.3, room=0.15)
            score.hit(
                drums.dusty_kick,
                [(beat + n, 0.7 + 0.3 * (n % 2 == 0)) for n in (0, 1.5, 2, 3.5, 4, 5.5, 6, 7.5)],
                0.15,
            )
        score.hit(
            drums.shaker,
            [(beat + n * 0.5, 0.9 if n % 2 else 0.5) for n in range(16)],
            0.19,
            pan=-0.4,
            loose=0.005,
        )
        if letter == "B":
            score.hit(
                drums.conga,
                [(beat + 3.5, 0.6), (beat + 6, 0.5), (beat + 7, 0.8), (beat + 7.5, 0.7)],
                0.16,
                pan=0.45,
                room=0.15,
            )
