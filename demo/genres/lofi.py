"""Lo-fi hip hop: a lazy, dusty beat, ninth chords on a tine piano, a little melody, vinyl underneath."""

from __future__ import annotations

from demo import drums, voices
from demo.piece import Piece
from demo.score import Score
from demo.synth import Sound
from demo.theory import Chord, Note, melody, motif, moved, voicings

RHYTHMS = ["x--.x-x---......", "..x-x---x-......", "x-x-x-----..x---", "......x-x-x-----", "x------.x--x----"]
BEATS = [
    ((0, 1.75, 2.5), (1, 3)),
    ((0, 0.75, 2.5), (1, 3)),
    ((0, 2.25, 2.75), (1, 3)),
    ((0, 1.5, 2.5, 3.75), (1, 3)),
]
LEADS = {
    "vibraphone": (voices.vibraphone, 0.21),
    "piano": (voices.piano, 0.25),
    "string": (voices.string, 0.34),
    "flute": (voices.flute, 0.17),
}


def compose(piece: Piece) -> Sound:
    """Rain on the other side of the glass."""
    score = Score(piece.tempo, piece.total_beats, piece.seed, swing=piece.swing, grid=0.25, tail=3.0)
    voice, gain = LEADS[piece.lead]
    kicks, snares = BEATS[int(score.rng.integers(len(BEATS)))]
    ideas = [motif(score.rng, RHYTHMS, 0.25) for _ in range(3)]
    rungs = piece.rungs(64, 81)
    tunes: dict[str, list[Note]] = {}
    score.hiss(0.009, 900, 5_000, crackle=9)
    for section in piece.sections():
        letter, start = section.letter, section.beat
        if letter not in tunes:
            plan = {"A": "a.ba", "B": "bcb.", "C": "c..a"}.get(letter, ".")
            tunes[letter] = melody(score.rng, ideas, plan, section.chords, rungs, 4)
        for bar, (chord, notes) in enumerate(
            zip(section.chords, voicings(section.chords, 50, 71, 4, rootless=True), strict=True)
        ):
            beat = start + bar * 4
            late = 2.5 if bar % 2 else 1.75
            strum = [Note(beat + 0.03 * k, late - 0.1, p, 0.6) for k, p in enumerate(notes)]
            strum += [Note(beat + late + 0.02 * k, 3.9 - late, p, 0.45) for k, p in enumerate(notes)]
            score.play(voices.electric_piano, strum, 0.22, wide=0.35, room=0.2, loose=0.01)
            if letter != "i":
                _bass(score, chord, beat, section.chords[(bar + 1) % section.bars])
                if not (section.is_last and bar == section.bars - 1):
                    _beat(score, beat, kicks, snares, letter, bar)
        score.play(voice, moved(tunes[letter], start), gain, pan=0.2, room=0.35, echo=0.25, loose=0.014)
        if section.turn and letter == "A":
            score.play(
                voices.flute, moved(tunes["A"][::2], start, 0, 0.6), 0.08, pan=-0.35, room=0.4, loose=0.02
            )
    end = piece.total_beats
    home = voicings([piece.final()], 50, 71, 4)[0]
    score.play(
        voices.electric_piano,
        [Note(end + 0.05 * k, 3, p, 0.5) for k, p in enumerate(home)],
        0.22,
        wide=0.35,
        room=0.3,
    )
    return score.finish(room_seconds=1.5, echo_beats=0.75, feedback=0.4)


def _bass(score: Score, chord: Chord, beat: float, following: Chord) -> None:
    root = chord.bass(31)
    nearing = following.bass(31) + (-1 if following.bass(31) > root else 1)
    line = [
        Note(beat, 1.5, root, 0.8),
        Note(beat + 1.75, 0.6, root, 0.5),
        Note(beat + 2.5, 0.9, chord.fifth(31), 0.7),
    ]
    score.play(voices.round_bass, [*line, Note(beat + 3.5, 0.4, nearing, 0.5)], 0.28, room=0.02)


def _beat(score: Score, beat: float, kicks: tuple, snares: tuple, letter: str, bar: int) -> None:
    score.hit(drums.dusty_kick, [beat + k for k in kicks], 0.42, room=0.04, loose=0.006)
    score.hit(drums.soft_snare, [beat + s + 0.03 for s in snares], 0.36, room=0.15, loose=0.006)
    score.hit(
        drums.hat,
        [(beat + n * 0.5, 0.9 if n % 2 == 0 else 0.55) for n in range(8)],
        0.17,
        pan=0.25,
        loose=0.008,
    )
    if letter == "B":
        score.hit(drums.rim, [(beat + 2.25, 0.5), (beat + 3.75, 0.4)], 0.12, pan=-0.3, room=0.2)
    if bar % 4 == 3:
        score.hit(drums.soft_snare, [(beat + 3.75, 0.4)], 0.3, room=0.15)
