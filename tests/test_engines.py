"""The same rules on the other engines: PostgreSQL for truth, Redis for wake-ups."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from config import ROOT
from live import tail
from tests import engines
from tests.live.rawsocket import eventually

RULES = {
    "rooms": ("change", "queue", "playback", "hosting", "rooms", "snapshot", "races"),
    "people": ("people", "moderation", "merging", "discovery", "personal"),
    "accounts": ("attempts", "accounts", "secondfactor", "adding"),
    "files": ("library", "files", "uploads", "subtitles", "lookups", "measuring"),
    "lists": ("playlists", "putting_on", "filling", "progress"),
    "sources": ("sources", "searching", "spotify"),
    "locks": ("rings",),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("nouns", RULES.values(), ids=RULES)
def test_the_rules_hold_on_postgresql(tmp_path: Path, nouns: tuple[str, ...]) -> None:
    with engines.postgres(tmp_path) as address:
        words = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider"]
        files = [str(ROOT / "tests" / "party" / f"test_{noun}.py") for noun in nouns]
        run = subprocess.run(
            [*words, *files],
            cwd=ROOT,
            env={**os.environ, "TEST_DATABASE_URL": address},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]


def test_a_wake_up_through_redis_reaches_the_other_process_and_survives_its_restart(
    tmp_path: Path, database
) -> None:
    heard: list[int] = []
    is_over = threading.Event()

    def wake() -> None:
        heard.append(1)

    with engines.redis_server(tmp_path) as address:
        tail.watch("ROOMCODE", wake)
        listener = threading.Thread(
            target=tail.follow_redis, args=(address, lambda: not is_over.is_set()), daemon=True
        )
        listener.start()
        publish = tail.publisher(address)
        numbers = iter(range(1, 10_000))
        eventually(lambda: publish("ROOMCODE", next(numbers)) or heard)
    tail.unwatch("ROOMCODE", wake)
    is_over.set()
    listener.join(60)
    assert not listener.is_alive()
