"""How the commands of bin/ speak: one line per step, one sentence when it cannot go on."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Refusal(Exception):
    """One sentence for the person at the terminal: what is wrong and what to do."""


class Steps:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._line = ""
        self._note = ""

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """Shows the words at once and the time when done."""
        began = time.monotonic()
        self._line, self._note = f"  {words} … ", ""
        self._write(self._line)
        try:
            yield
        except BaseException:
            self._write("\n")
            raise
        self._redraw(f"{self._note}{time.monotonic() - began:.1f} s\n")

    def progress(self, words: str) -> None:
        """How far the open step is. A terminal shows it at once, a log file only the last of it."""
        self._note = f"{words}, "
        if self._stream.isatty():
            self._redraw(words)

    def _redraw(self, end: str) -> None:
        self._write(f"\r\x1b[K{self._line}{end}" if self._stream.isatty() else end)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def speak_utf8() -> None:
    """A terminal in another character set gets question marks instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
