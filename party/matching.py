"""Which track a line of words means: by its letters, its artist and its length. Plain values in and out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nlargest
from typing import Any

from party.library import fold

SURE = 80
"""From this score (of 100) on a match is taken for what was meant."""
LIKELY = 45
"""Below this score a track is not even offered."""
SURE_TITLE, SURE_ARTIST = 0.88, 0.75
CLEAR = 5
"""So much likelier than any other has to be what a bare title means."""
OFFERED = 3
LOOKED_AT = 12
"""So many tracks that share rare words with a line are compared letter by letter."""
PLACES_MOST = 1_000
NEAR_MS, FAR_MS = 3_000, 20_000
"""Lengths this near speak for a match; lengths further apart than the second speak against it."""

_TOGETHER = re.compile(r"\s+(?:feat|featuring|ft|with|vs|x)\.?\s+|\s*[,;&/+、，]\s*")
_ASIDE = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_NUMBERS = re.compile(r"\d+")
_WORDS = re.compile(r"\w+")


def run_here(act: Callable[[], Any]) -> Any:
    """Run it in the thread that asks."""
    return act()


run: Callable[[Callable[[], Any]], Any] = run_here
"""How long lists are read and matched: app.py puts the hub's thread pool here, so that nobody else waits."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A line of words: what is looked for."""

    title: str
    artist: str = ""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """A track that may be meant."""

    track_id: int
    title: str
    artist: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Match:
    """A track and how surely it is meant, 0 to 100."""

    track_id: int
    score: int

    @property
    def is_sure(self) -> bool:
        return self.score >= SURE


def main_artist(artist: str) -> str:
    """The first of several artists, folded: one name whoever else plays along."""
    folded = fold(artist)
    return _TOGETHER.split(folded, maxsplit=1)[0] or folded


def recording(title: str, artist: str) -> tuple[str, str]:
    """What makes two tracks the same recording for the ear: title and main artist, blind to case and accents."""
    return fold(title), main_artist(artist)


class Shelf:
    """Tracks to be matched with, found by their rarest words."""

    def __init__(self, tracks: Iterable[Known]) -> None:
        self.tracks = list(tracks)
        self._folded = [(_title(track.title), fold(track.artist)) for track in self.tracks]
        self._places: dict[str, set[int]] = defaultdict(set)
        for place, (title, artist) in enumerate(self._folded):
            for word in _words(title) | _words(artist):
                self._places[word].add(place)

    def best(self, wanted: Wanted, most: int = OFFERED) -> list[Match]:
        """The tracks that may be meant, the likeliest first. Of equals the one that came first."""
        title, artist = _title(wanted.title), fold(wanted.artist)
        found = (Match(self.tracks[at].track_id, self._score(at, title, artist, wanted.duration_ms))
                 for at in self._near(_words(title) | _words(artist)))  # fmt: skip
        return nlargest(
            most, (match for match in found if match.score >= LIKELY), key=lambda match: match.score
        )

    def _near(self, words: set[str]) -> list[int]:
        """Places of tracks that share words, those with rare ones first."""
        weights: dict[int, float] = defaultdict(float)
        for places in sorted((self._places[word] for word in words if word in self._places), key=len):
            # What everybody sings of tells those apart that rarer words have found, and finds no more.
            for place in places if len(weights) < PLACES_MOST else places & weights.keys():
                weights[place] += 1 / len(places)
        return nlargest(LOOKED_AT, sorted(weights), key=lambda place: weights[place])

    def _score(self, at: int, title: str, artist: str, duration_ms: int) -> int:
        own_title, own_artist = self._folded[at]
        of_title, is_sure = alike(title, own_title), True
        if artist:
            of_artist = max(alike(artist, own_artist), alike(main_artist(artist), main_artist(own_artist)))
            score = 0.62 * of_title + 0.38 * of_artist
            # One letter or number may be another song, and one name another person.
            is_sure = of_title >= SURE_TITLE and of_artist >= SURE_ARTIST
            is_sure = is_sure and _numbers(title) == _numbers(own_title)
            is_sure = is_sure and (
                _numbers(artist) == _numbers(own_artist) or main_artist(artist) == main_artist(own_artist)
            )
        else:
            # A line of one piece may hold the artist as well.
            both = (f"{own_artist} {own_title}", f"{own_title} {own_artist}")
            score = max(0.9 * of_title, *(alike(title, each) for each in both))
            is_sure = _numbers(title) in (_numbers(own_title), _numbers(both[0]))
        rated = round(100 * score) + _of_length(duration_ms, self.tracks[at].duration_ms)
        return max(0, min(100 if is_sure else SURE - 1, rated))


def alike(one: str, other: str) -> float:
    """How alike two folded texts are, 0 to 1: the same words in any order, else the same letters."""
    if one == other:
        return 1.0
    ours, theirs = _words(one), _words(other)
    if not ours or not theirs:
        return 0.0
    shared = 2 * len(ours & theirs) / (len(ours) + len(theirs))
    return max(shared * 0.98, SequenceMatcher(None, one[:120], other[:120], autojunk=False).ratio() * 0.96)


def rated(wanted: Sequence[Wanted], shelf: Shelf) -> list[Match | None]:
    """The sure match of each line, or None."""
    found = []
    for each in wanted:
        best = shelf.best(each, 2)
        # A bare title that two tracks share says too little.
        is_clear = each.artist or len(best) < 2 or best[0].score - best[1].score >= CLEAR
        found.append(best[0] if best and best[0].is_sure and is_clear else None)
    return found


def _title(text: str) -> str:
    """Folded; what stands in brackets is left out where something is left then."""
    folded = fold(text)
    return _ASIDE.sub("", folded).strip() or folded


def _numbers(text: str) -> list[str]:
    return sorted(_NUMBERS.findall(text))


def _words(text: str) -> set[str]:
    return set(_WORDS.findall(text))


def _of_length(one: int, other: int) -> int:
    if not one or not other:
        return 0
    apart = abs(one - other)
    return 6 if apart <= NEAR_MS else -12 if apart > FAR_MS else 0
