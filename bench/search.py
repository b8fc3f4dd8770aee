"""What a search costs with 10,000 tracks in the library: its first results, and a block of what another catalogue said.

The real gunicorn on one core, this script on the other, loopback only, every limit off, no worker: what a catalogue
says is written beside the process, twenty rows of which every second is a song of the library.

    bin/bench search               all of it
    bin/bench search --rounds 40   fewer rounds
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sqlite3
import statistics
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlencode

from media.provider import Found
from party.library import fold
from tests.live.servers import Guest, House, running

SERVER_CORE, LOAD_CORE = 0, 1
TRACKS, ROWS = 10_000, 20
AIMS = "aim: first results in 300 ms"
FIRST = ("Slow", "Blue", "Night", "Tin", "Café", "夜の", "Paper", "Salt", "Copper", "Late")
SECOND = ("Elevator", "Tide", "Bus", "Roof", "Radiator", "バス停", "Lantern", "Window", "Moon", "Garden")
TYPED = {"two words": None, "one letter": "s", "nothing found": "zzzz", "no words": ""}
HTMX = {"HX-Request": "true"}


def main() -> None:
    """Measures and prints."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--rounds", type=int, default=100)
    rounds = asked.parse_args().rounds
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    print(f"load before: {os.getloadavg()[0]:.1f}; {TRACKS:,} tracks; {AIMS}")
    with (
        tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder,
        running(Path(folder), PROVIDERS_OFF="") as house,
    ):
        os.sched_setaffinity(house.web_pid(), {SERVER_CORE})
        fill(house)
        ada = house.person("Ada")
        code = ada.open_room()
        ada.add(code, list(range(1, 21)))
        for name, words in TYPED.items():
            measure_library(ada, code, name, words, rounds)
        measure_block(house, ada, code, rounds)


def fill(house: House) -> None:
    """Ten thousand songs with words that are looked for."""
    house.tracks(TRACKS)
    chance = random.Random(4)
    rows = []
    for number in range(1, TRACKS + 1):
        title = f"{chance.choice(FIRST)} {chance.choice(SECOND)} {number}"
        artist = f"{chance.choice(SECOND)} {chance.choice(FIRST)}"
        rows.append((title, artist, fold(f"{title} {artist} An album"), number))
    with sqlite3.connect(house.database, timeout=10) as connection:
        connection.executemany("UPDATE track SET title = ?, artist = ?, search = ? WHERE id = ?", rows)
    connection.close()


def measure_library(ada: Guest, code: str, name: str, words: str | None, rounds: int) -> None:
    """From the request to the library's first twenty results."""
    chance, took, size = random.Random(7), [], 0
    for _ in range(rounds):
        typed = f"{chance.choice(FIRST)} {chance.choice(SECOND)}" if words is None else words
        milliseconds, size = _timed(ada, f"/rooms/{code}/search", search=typed)
        took.append(milliseconds)
    print(f"{name:24} {shown(took)}  {size // 1024} kB")


def measure_block(house: House, ada: Guest, code: str, rounds: int) -> None:
    """A block that waits, as it is asked for every 600 ms, and one with twenty rows compared with the library."""
    ada.post("/searches", room=code, search="slow elevator")
    search_id = house.value("SELECT max(id) FROM search")
    path = f"/searches/{search_id}/archive"
    waited = [_timed(ada, path)[0] for _ in range(rounds)]
    print(f"{'block that waits':24} {shown(waited)}")
    own = house.rows("SELECT title, artist FROM track ORDER BY id LIMIT ?", ROWS // 2)
    found = [Found("archive", f"own-{at}", title, artist) for at, (title, artist) in enumerate(own)]
    found += [Found("archive", f"new-{at}", f"New song {at}", "Somebody") for at in range(ROWS // 2)]
    with sqlite3.connect(house.database, timeout=10) as connection:
        connection.execute(
            "UPDATE search_answer SET state = 'ready', results = ?, answered_at = ?",
            (json.dumps([asdict(row) for row in found]), int(time.time() * 1000)),
        )
    connection.close()
    took = [_timed(ada, path)[0] for _ in range(rounds)]
    count = ada.ask("GET", path, headers=HTMX).text.count("in the library")
    print(f"{'block of twenty rows':24} {shown(took)}  {count} of them in the library")


def _timed(ada: Guest, path: str, **query: str) -> tuple[float, int]:
    began = time.perf_counter()
    answer = ada.ask("GET", f"{path}?{urlencode(query)}", headers=HTMX)
    assert answer.status == 200, answer.text[:200]
    return (time.perf_counter() - began) * 1000, len(answer.text)


def shown(took: list[float]) -> str:
    """Median, 95th percentile and worst in milliseconds."""
    ordered = sorted(took)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return f"p50 {statistics.median(ordered):6.1f} ms   p95 {p95:6.1f} ms   worst {ordered[-1]:6.1f} ms"


if __name__ == "__main__":
    main()
