"""What a piece of the library is on paper: its names, its key and tempo, its chords and its form."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from demo.theory import Chord, ladder, progression


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the form: which letter, where it starts, its chords (one a bar), the how-manieth time."""

    letter: str
    beat: float
    chords: list[Chord]
    turn: int
    is_last: bool

    @property
    def bars(self) -> int:
        """How many bars it lasts."""
        return len(self.chords)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece to be played.

    In `form` a letter is a section of `bars` bars: i an intro, o an outro, capitals themes. The chords `a`
    are under i, A and o, the chords `b` under the others.
    """

    slug: str
    title: str
    artist: str
    album: str
    genre: str
    tempo: float
    tonic: int
    scale: str
    a: str
    b: str
    form: str
    bars: int = 8
    beats: int = 4
    lead: str = ""
    swing: float = 0.5
    cover: str = ""

    @property
    def seed(self) -> int:
        """Chance, the same every time."""
        return zlib.crc32(self.slug.encode())

    @property
    def music_seconds(self) -> float:
        """How long the written bars last; the sound rings on for up to three seconds."""
        return self.total_beats * 60 / self.tempo

    @property
    def total_beats(self) -> float:
        """All beats of the form."""
        return len(self.form) * self.bars * self.beats

    def sections(self) -> Iterator[Section]:
        """The form, section by section."""
        turns: dict[str, int] = {}
        for number, letter in enumerate(self.form):
            written = progression(self.a if letter in "iAo" else self.b, self.tonic)
            chords = [written[bar % len(written)] for bar in range(self.bars)]
            turn = turns.get(letter, 0)
            turns[letter] = turn + 1
            yield Section(letter, number * self.bars * self.beats, chords, turn, number == len(self.form) - 1)

    def rungs(self, low: int, high: int) -> list[int]:
        """The pitches of its scale in a range."""
        return ladder(self.scale, self.tonic, low, high)

    def final(self) -> Chord:
        """The chord everything comes home to."""
        return progression(self.a, self.tonic)[0]
