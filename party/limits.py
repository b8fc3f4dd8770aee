"""How often somebody may do something: a sliding minute, kept in memory by the door that asks."""

from __future__ import annotations

from collections import OrderedDict, deque

from party.clock import now_ms
from party.errors import TooMany

WINDOW_MS = 60_000
KEYS_KEPT = 50_000


class Minute:
    """At most `limit` acts a minute for each key; 0 is no limit. The least recently seen keys are forgotten."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._acts: OrderedDict[str, deque[int]] = OrderedDict()

    def spend(self, key: str) -> None:
        """Count one act. Raises TooMany with the seconds to wait."""
        if not self.limit:
            return
        now = now_ms()
        acts = self._acts.setdefault(key, deque())
        self._acts.move_to_end(key)
        while acts and acts[0] <= now - WINDOW_MS:
            acts.popleft()
        # A clock set back must lock nobody out: what it has not reached yet is not counted.
        while acts and acts[-1] > now:
            acts.pop()
        if len(acts) >= self.limit:
            wait = (acts[0] + WINDOW_MS - now + 999) // 1000
            raise TooMany(f"Easy. You can go on in {wait} s.")
        acts.append(now)
        if len(self._acts) > KEYS_KEPT:
            self._acts.popitem(last=False)
