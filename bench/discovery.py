"""What finding a room costs: 300 public and 100 hidden rooms with people, the front page, searches, counts, ghosts.

The real gunicorn on one core, this script on the other, loopback only, every limit off. Rooms and their people are
written beside the process; one room is real, and its people's sockets open and close as browsers' do.

    bin/bench discovery               all of it
    bin/bench discovery --pages 100   fewer pages
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import models
from party import people
from party.discovery import listing
from tests.live.servers import Guest, House, LiveSocket, request, running

SERVER_CORE, LOAD_CORE = 0, 1
PUBLIC, HIDDEN, PEOPLE_EACH, TRACKS = 300, 100, 8, 60
ROUNDS = 12
SEARCHES = (
    "/?search=kitchen",
    "/?search=host+7",
    "/?search=song+12",
    "/?sort=newest",
    "/discover?search=waltz",
)
AIMS = "aims: page p95 100 ms, counts at most 2 s old, ghosts gone within 8 s"


def main() -> None:
    """Measures and prints."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--pages", type=int, default=300)
    asked.add_argument("--watchers", type=int, default=100)
    sizes = asked.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    print(f"load before: {os.getloadavg()[0]:.1f}; {PUBLIC} public and {HIDDEN} hidden rooms; {AIMS}")
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder, running(Path(folder)) as house:
        os.sched_setaffinity(house.web_pid(), {SERVER_CORE})
        house.tracks(TRACKS)
        fill(house)
        keep_young(house)
        measure_pages(house, sizes.pages)
        measure_counts(house)
        measure_watching(house, sizes.watchers)


def fill(house: House) -> None:
    """Rooms with people, a song, a line, and plays behind them."""
    handle = models.open_database("", str(house.database), wait_ms=5_000)
    now = int(time.time() * 1000)
    with handle.connection_context(), handle.atomic():
        # One clock for all: what is young stays so while this runs.
        for number in range(PUBLIC + HIDDEN):
            _write_room(number, now)
    with handle.connection_context():
        print(f"{len(listing().cards)} rooms are listed, {listing().people} people listen")
    handle.close_all()


def _write_room(number: int, now: int) -> None:
    users = [
        models.User.create(display_name=f"Host {number}" if not place else f"Guest {place}", created_at=now)
        for place in range(PEOPLE_EACH)
    ]
    room = models.Room.create(
        code=f"{_letters(number)}", name=f"{('Kitchen', 'Garden', 'Night bus')[number % 3]} {number}",
        state="LIVE", epoch=f"{number:x}", advance=10, created_at=now - number,
        visibility="public" if number < PUBLIC else ("private", "unlisted")[number % 2], owner=users[0],
    )  # fmt: skip
    seats = [
        models.Member.create(
            room=room, user=user, role="guest" if place else "host", color=1 + place, joined_at=now
        )
        for place, user in enumerate(users)
    ]
    models.Presence.insert_many(
        [{"member": seat, "process": "bench", "seen_at": now, "since_at": now} for seat in seats]
    ).execute()
    items = [
        models.Item.create(
            room=room, track=1 + (number + place) % TRACKS, added_by=seats[place % PEOPLE_EACH], position=f"{place:04}",
            state="played" if place < 10 else "playing" if place == 10 else "waiting",
            added_seq=place, added_at_advance=0, guard_limit=100, added_at=now,
        )
        for place in range(20)
    ]  # fmt: skip
    plays = [
        models.Play.create(room=room, item=item, started_at=now, ended_at=now if place < 10 else None)
        for place, item in enumerate(items[:11])
    ]
    models.Playback.create(
        room=room, item=items[10], play=plays[10], state="playing", at_ms=now, force_insert=True
    )


def _letters(number: int) -> str:
    signs = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
    return "QQQQQ" + signs[number // 961] + signs[number // 31 % 31] + signs[number % 31]


def keep_young(house: House) -> None:
    """Renew the written people's signs of life, as the processes they would belong to do."""

    def renew() -> None:
        while house.web is not None:
            with sqlite3.connect(house.database, timeout=10) as connection:
                connection.execute(
                    "UPDATE presence SET seen_at = ? WHERE process = 'bench'", (int(time.time() * 1000),)
                )
            connection.close()
            time.sleep(people.SAY_SECONDS)

    threading.Thread(target=renew, daemon=True).start()


def measure_pages(house: House, count: int) -> None:
    """The front page and searches, one after another, and spread so that no reading of the list is shared."""
    for name, path in [("front page", "/"), *[(path, path) for path in SEARCHES]]:
        headers = {"HX-Request": "true"} if path.startswith("/discover") else {}
        took, size = [], 0
        for _ in range(count if path == "/" else count // 4):
            began = time.perf_counter()
            answer = request(house.port, "GET", path, headers=headers)
            took.append((time.perf_counter() - began) * 1000)
            size = len(answer.text)
            assert answer.status == 200
        print(f"{name:26} {shown(took)}  {size // 1024} kB")
    cold = []
    for _ in range(ROUNDS):
        time.sleep(1.05)
        began = time.perf_counter()
        request(house.port, "GET", "/")
        cold.append((time.perf_counter() - began) * 1000)
    print(f"{'front page, read anew':26} {shown(cold)}")


def measure_counts(house: House) -> None:
    """From a socket opened or closed to the count on the page and in a watcher's frame."""
    host = Guest(house, "Ada")
    code = host.post("/rooms", name="The real one", public="yes").headers["location"].rsplit("/", 1)[1]
    host_screen = host.socket(code)
    guest = Guest(house, "Ben")
    guest.join(code)
    watcher = LiveSocket(house.port, "/live/lobby")
    watcher.say(t="shown", codes=[code], since=int(time.time() * 1000))
    frame_at: dict[int, float] = {}
    threading.Thread(target=lambda: _listen(watcher, code, frame_at), daemon=True).start()
    wait_until(lambda: on_page(house, code) == 1)
    shown_on_page, shown_live, gone_on_page, gone_live = [], [], [], []
    for _ in range(ROUNDS):
        frame_at.clear()
        began = time.monotonic()
        screen = guest.socket(code)
        wait_until(lambda: on_page(house, code) == 2)
        shown_on_page.append((time.monotonic() - began) * 1000)
        wait_until(lambda: 2 in frame_at)
        shown_live.append((frame_at[2] - began) * 1000)
        frame_at.clear()
        began = time.monotonic()
        screen.sock.close()
        wait_until(lambda: on_page(house, code) == 1)
        gone_on_page.append((time.monotonic() - began) * 1000)
        wait_until(lambda: 1 in frame_at)
        gone_live.append((frame_at[1] - began) * 1000)
    for name, took in (
        ("came, on a page", shown_on_page),
        ("came, on a watched page", shown_live),
        ("left, on a page", gone_on_page),
        ("left, on a watched page", gone_live),
    ):
        print(f"{name:26} {shown(took)}")
    watcher.sock.close()
    host_screen.sock.close()


def measure_watching(house: House, count: int) -> None:
    """What watchers cost the processor while rooms change, and that nobody's watching costs nothing."""
    pid = house.web_pid()
    for watching in (0, 1, count):
        sockets = [LiveSocket(house.port, "/live/lobby") for _ in range(watching)]
        for each in sockets:
            each.say(
                t="shown", codes=[_letters(number) for number in range(24)], since=int(time.time() * 1000)
            )
        time.sleep(2)
        before, began = processor_ms(pid), time.monotonic()
        time.sleep(10)
        spent = (processor_ms(pid) - before) / (time.monotonic() - began)
        print(f"{watching:4} watching: {spent:.1f} ms of processor a second")
        for each in sockets:
            each.sock.close()


def _listen(watcher: LiveSocket, code: str, frame_at: dict[int, float]) -> None:
    try:
        while True:
            found = re.search(rf'id="room-people-{code}"[^>]*><b>(\d+)</b>', watcher.read())
            if found:
                frame_at[int(found[1])] = time.monotonic()
    except OSError:
        return


def on_page(house: House, code: str) -> int:
    """How many listen in a room, as the front page says."""
    page = request(house.port, "GET", "/?search=the+real+one").text
    found = re.search(rf'id="room-people-{code}"[^>]*><b>(\d+)</b>', page)
    return int(found[1]) if found else 0


def wait_until(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    """Look fifty times a second until it is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not happen")
        time.sleep(0.02)


def processor_ms(pid: int) -> float:
    """Processor time a process has used."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def shown(milliseconds: list[float]) -> str:
    """Median and the slow ends."""
    late = sorted(milliseconds)
    p95, p99 = (late[math.ceil(len(late) * share) - 1] for share in (0.95, 0.99))
    return f"p50 {statistics.median(late):7.1f}  p95 {p95:7.1f}  p99 {p99:7.1f}  max {late[-1]:7.1f} ms"


if __name__ == "__main__":
    main()
