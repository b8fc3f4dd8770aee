"""How other pages fare while a large file is sent: one gunicorn worker, several people fetching the same film.

The film is real bytes and begins outside the page cache. Measured are a page asked for again and again before and
meanwhile, how fast the film comes, whether it comes whole, and the web process's memory.
Run: bin/bench serving [megabytes] [people]
"""

from __future__ import annotations

import hashlib
import http.client
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.live.servers import ROOT, House

MEGABYTE = 1024 * 1024
QUIET_SECONDS = 4.0
PAGES = ("/library", "/healthz")
MARK = "import sys; from party import tracks; print(tracks.mark(*sys.argv[1:]))"


def main(megabytes: int, people: int) -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), SECRET_KEY="only for measuring, and long enough")
        digest, path = _film(house, megabytes)
        house.start_web()
        try:
            for page in PAGES:
                _ask(house.port, page)
            until = time.monotonic() + QUIET_SECONDS
            quiet, before = _pages(house.port, lambda: time.monotonic() < until), _memory(house)
            found: list[str] = []
            fetching = [
                threading.Thread(target=lambda: found.append(_fetch(house.port, path))) for _ in range(people)
            ]
            began = time.monotonic()
            for each in fetching:
                each.start()
            busy = _pages(house.port, lambda: any(each.is_alive() for each in fetching))
            took, after = time.monotonic() - began, _memory(house)
        finally:
            house.close()
    print(f"{megabytes} MB to {people} at once: {megabytes * people / took:.0f} MB/s in all, {took:.1f} s")
    print("whole:", found == [digest] * people)
    for name, times in (("alone", quiet), ("meanwhile", busy)):
        for page, milliseconds in times.items():
            print(f"{page} {name}: {_summary(milliseconds)}")
    print(f"memory of web: {before} MB before, at most {after} MB")


def _film(house: House, megabytes: int) -> tuple[str, str]:
    file = house.folder / "media/uploads/film.mp4"
    file.parent.mkdir(parents=True)
    digest = hashlib.sha256()
    with file.open("wb") as film:
        for _ in range(megabytes):
            piece = os.urandom(MEGABYTE)
            film.write(piece)
            digest.update(piece)
        film.flush()
        os.fsync(film.fileno())
        os.posix_fadvise(film.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    house.tracks(20)
    connection = sqlite3.connect(house.database)
    with connection:
        connection.execute(
            "UPDATE track SET media_file = 'uploads/film.mp4', mime = 'video/mp4' WHERE id = 1"
        )
        [facts] = connection.execute("SELECT id, media_file, cover_file, added_at FROM track WHERE id = 1")
    connection.close()
    words = [sys.executable, "-c", MARK, *map(str, facts)]
    done = subprocess.run(words, cwd=ROOT, env=house.environment, check=True, capture_output=True, text=True)
    return digest.hexdigest(), f"/media/1/{done.stdout.strip()}/file"


def _fetch(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    digest = hashlib.sha256()
    while piece := answer.read(MEGABYTE):
        digest.update(piece)
    connection.close()
    return digest.hexdigest()


def _pages(port: int, goes_on: Callable[[], bool]) -> dict[str, list[float]]:
    """How long each page took, in milliseconds, for as long as it goes on."""
    times: dict[str, list[float]] = {page: [] for page in PAGES}
    while goes_on():
        for page in PAGES:
            times[page].append(_ask(port, page))
    return times


def _ask(port: int, page: str) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", page)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 200, (page, answer.status)
    return (time.monotonic() - began) * 1000


def _memory(house: House) -> int:
    """The most that the web process ever had, in MB."""
    [line] = [
        line
        for line in Path(f"/proc/{house.web_pid()}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) // 1024


def _summary(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return f"{len(ordered)} times, p50 {at[0]:.0f} ms, p95 {at[1]:.0f} ms, p99 {at[2]:.0f} ms, max {ordered[-1]:.0f} ms"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 700, int(sys.argv[2]) if len(sys.argv) > 2 else 4)
