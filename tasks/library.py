"""Making the demo library on the worker's first start: in the background, with visible progress."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from config import ROOT, settings
from party import library
from party.change import connected
from tasks import huey

AT_ONCE = 2
PREFIX = "demo-"


_begun = threading.Lock()


@huey.on_startup()
def start_demo() -> None:
    """In the worker, whose threads all come by here: see that the demo library is there."""
    if settings.demo and _begun.acquire(blocking=False):
        make_demo_library()


@huey.task()
def make_demo_library() -> None:
    """Render the pieces that are missing, two at a time; each can be put on the line as soon as it is ready."""
    with connected():
        known = sorted(slug.removeprefix(PREFIX) for slug in library.known_slugs() if slug.startswith(PREFIX))
        media = settings.data_dir / "media"
        for folder in ("audio", "covers"):
            (media / folder).mkdir(parents=True, exist_ok=True)
        keeper = _Keeper()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for done in [pool.submit(_follow, media, part, known, keeper) for part in range(AT_ONCE)]:
                done.result()


class _Keeper:
    """Takes the renderers' lines, one at a time, into the library."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = self._total = 0

    def take(self, facts: dict[str, Any]) -> None:
        with self._lock, connected():
            if "total" in facts:
                self._total = facts["total"]
                self._done = max(self._done, facts["total"] - facts["missing"])
            else:
                library.add_track(**{**facts, "slug": PREFIX + facts["slug"]})
                self._done += 1
            library.report_demo(self._done, self._total)


def _follow(media: Path, part: int, known: list[str], keeper: _Keeper) -> None:
    words = [sys.executable, "-m", "demo", str(media), str(part), str(AT_ONCE), *known]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as renderer:
        try:
            for line in renderer.stdout or ():
                keeper.take(json.loads(line))
        except BaseException:
            renderer.terminate()
            raise
    if renderer.returncode:
        raise RuntimeError(f"rendering the demo library stopped with code {renderer.returncode}")
