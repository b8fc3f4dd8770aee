"""Chiptune: two pulses, a triangle and a noise channel, nothing else, and no room."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Note, harmony, melody, motif, moved, voicings

RHYTHMS = ["x-x-x-xxx---x-x-", "x--x--x-x-x-x---", "x-xxx-x-x---x-x-", "x---x-x-x-xxx-x-", "x-x---x-x-x-----"]
LEADS = {"pulse": voices.pulse, "square": voices.square}


def compose(piece: Piece) -> Sound:
    """One more level."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, swing=piece.swing, grid=0.25, tail=1.5)
    voice = LEADS[piece.lead]
    ideas = [motif(score.rng, RHYTHMS, 0.25) for _ in range(4)]
    rungs = piece.rungs(65, 86)
    tunes: dict[str, list[Note]] = {}
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "abacabad", "B": "cdcDcdab", "C": "b.d.b.d."}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 60, 79, 3), strict=True)
        ):
            beat = start + bar * 4
            run = [*notes, notes[0] + 12, *notes[:0:-1], notes[0] + 12]
            arpeggio = [
                Note(beat + n * 0.25, 0.22, run[n % len(run)], 0.5 + 0.2 * (n % 4 == 0)) for n in range(16)
            ]
            score.play(voices.thin_pulse, arpeggio, 0.15, pan=-0.35, room=0, loose=0)
            low = chord.bass(40)
            if letter == "C":
                bass = [Note(beat, 1.8, low, 0.8), Note(beat + 2, 1.8, chord.fifth(36), 0.8)]
            else:
                pattern = (0, 12, 0, 12, 0, 12, 7, 12) if letter == "B" else (0, 0, 12, 0, 0, 12, 0, 12)
                bass = [Note(beat + n * 0.5, 0.4, low + step, 0.8) for n, step in enumerate(pattern)]
            score.play(voices.triangle, bass, 0.28, room=0, loose=0)
            if letter != "i":
                _drums(score, beat, fill=bar == section.bars - 1, busy=letter == "B")
        tune = moved(tunes[letter], start)
        score.play(voice, tune, 0.36, pan=0.15, room=0, echo=0.28, loose=0)
        if section.turn or letter == "B":
            score.play(
                voices.thin_pulse, harmony(tune, section.chords, start, 4), 0.15, pan=-0.1, room=0, loose=0
            )
    end = piece.total_beats
    home = voicings([piece.final()], 60, 79, 3)[0]
    score.play(
        voices.pulse,
        [Note(end + n * 0.125, 0.12, p, 0.7) for n, p in enumerate([*home, home[0] + 12])],
        0.25,
        room=0,
        loose=0,
    )
    score.play(voice, [Note(end + 0.5, 1.5, home[0] + 12, 0.7)], 0.25, echo=0.2, room=0, loose=0)
    score.play(voices.triangle, [Note(end, 2, piece.final().bass(40), 0.8)], 0.28, room=0, loose=0)
    return score.finish(room_seconds=0.4, room_gain=0.3, echo_beats=0.75, feedback=0.4)


def _drums(score: Score, beat: float, fill: bool, busy: bool) -> None:
    kicks = (0, 1.5, 2, 2.75) if busy else (0, 2, 2.5)
    score.hit(drums.chip_kick, [beat + k for k in kicks], 0.36, room=0, loose=0)
    snares = (1, 3, 3.25, 3.5, 3.75) if fill else (1, 3)
    score.hit(drums.chip_snare, [(beat + s, 0.7 + 0.3 * (s % 1 == 0)) for s in snares], 0.36, room=0, loose=0)
    score.hit(
        drums.chip_noise, [(beat + n * 0.5, 0.5 + 0.3 * (n % 2)) for n in range(8)], 0.2, room=0, loose=0
    )
