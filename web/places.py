"""Places for what lasts, such as sending and being sent to: how many there are, and how many of them one may hold.

They are counted in this process alone, so with several processes there are as many times more. That keeps a few from
holding all of them; how much anybody may bring is counted in the database (party.uploads).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from party.errors import Busy, TooMany


@dataclass(frozen=True, slots=True)
class Share:
    """So many places at most, and what is said to whoever asks for one more."""

    most: int
    sentence: str


class Places:
    """All the places of a kind. One holder of a kind (a person, a network) has at most its share of them."""

    def __init__(self, together: Share, **each: Share) -> None:
        self._together, self._each = together, each
        self._taken = 0
        self._held: Counter[tuple[str, object]] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        """How many are held just now."""
        return self._taken

    @contextmanager
    def held(self, **holders: object) -> Iterator[None]:
        """One of the places, until the end. Every kind of holder has to be named. Raises TooMany, Busy."""
        names = [(kind, holders[kind]) for kind in self._each]
        with self._lock:
            for kind, holder in names:
                if self._held[kind, holder] >= self._each[kind].most:
                    raise TooMany(self._each[kind].sentence)
            if self._taken >= self._together.most:
                raise Busy(self._together.sentence)
            self._taken += 1
            self._held.update(names)
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
                self._held.subtract(names)
                # Nobody is remembered who holds none.
                self._held = +self._held
