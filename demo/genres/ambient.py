"""Ambient: long chords that breathe, a low drone, a few bells far away. No drums."""

from __future__ import annotations

from demo import voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, melody, motif, together, voicings

RHYTHMS = ["x---....x-------", "..x---x---......", "x-------....x---", "....x-----x-...."]
LEADS = {
    "bells": (voices.music_box, 0.3),
    "vibraphone": (voices.vibraphone, 0.24),
    "flute": (voices.flute, 0.14),
    "harp": (voices.harp, 0.34),
}


def compose(piece: Piece) -> Sound:
    """A slow tide."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, tail=4.0)
    voice, gain = LEADS[piece.lead]
    low = 72 if piece.lead != "flute" else 67
    ideas = [motif(score.rng, RHYTHMS, 0.25) for _ in range(3)]
    rungs = piece.rungs(low, low + 19)
    tune = {
        letter: melody(score.rng, ideas, plan, chords, rungs, 4)
        for letter, plan, chords in _themes(piece, {"A": "a.b.abcb", "B": "abacabac", "C": "c.a.c.b."})
    }
    score.hiss(0.012, 250, 1_400)
    for section in piece.sections():
        start = section.beat
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 48, 72, 4), strict=True)
        ):
            beat = start + bar * 4
            if bar == 0 or chord != section.chords[bar - 1]:
                held = 4 * next(
                    (n for n in range(1, section.bars - bar) if section.chords[bar + n] != chord),
                    section.bars - bar,
                )
                score.play(
                    voices.pad,
                    together(beat, held, notes, 0.6),
                    0.16,
                    wide=0.7,
                    room=0.35,
                    loose=0.03,
                )
                score.play(voices.sub, [Note(beat, held - 0.1, chord.bass(33), 0.5)], 0.12, room=0.05)
            if section.letter in "ABC" and bar % 2 == 1:
                rise = [Note(beat + n * 0.5, 2, p + 12, 0.35 + 0.05 * n) for n, p in enumerate(notes)]
                score.play(voices.harp, rise, 0.2, pan=-0.35, room=0.5, echo=0.3, loose=0.015)
        if section.letter in tune:
            score.play(
                voice, _shift(tune[section.letter], start), gain, pan=0.25, room=0.55, echo=0.45, loose=0.02
            )
        if section.turn and section.letter == "A":
            score.play(
                voices.flute, _shift(tune["A"][::3], start, -12, 2.0), 0.09, pan=-0.2, room=0.5, loose=0.03
            )
    return score.finish(room_seconds=4.2, room_gain=1.0, echo_beats=0.75, feedback=0.55)


def _themes(piece: Piece, plans: dict[str, str]) -> list[tuple[str, str, list[Chord]]]:
    seen = {section.letter: section for section in piece.sections()}
    return [(letter, plan, seen[letter].chords) for letter, plan in plans.items() if letter in seen]


def _shift(notes: list[Note], beats: float, up: int = 0, stretch: float = 1.0) -> list[Note]:
    return [Note(n.beat + beats, n.length * stretch, n.pitch + up, n.loud) for n in notes]
