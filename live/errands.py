"""What is to be done after a commit but must not keep anybody waiting: telling other processes, planning deadlines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

Act = Callable[[str, int], object]
logger = logging.getLogger(__name__)


class Errands:
    """Runs the acts for each room that moved on, in one thread of its own; of several numbers only the last counts."""

    def __init__(self, acts: list[Act]) -> None:
        self._acts = acts
        self._due: dict[str, int] = {}
        self._wake = threading.Event()

    def take(self, code: str, seq: int) -> None:
        """A commit listener: note it and return at once."""
        self._due[code] = seq
        self._wake.set()

    def run(self, is_running: Callable[[], bool]) -> None:
        """Go on until told to stop. A failure is logged; what it lost, the sweep and the tail find."""
        while is_running():
            if self._wake.wait(1.0):
                self._wake.clear()
                self.settle()

    def settle(self) -> None:
        """Do what is due now."""
        due, self._due = self._due, {}
        for code, seq in due.items():
            for act in self._acts:
                try:
                    act(code, seq)
                except Exception:
                    logger.exception("an errand for room %s failed", code)
