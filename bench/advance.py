"""How late the next track starts when nobody's browser is open: real web and worker, the worker idle before.

Lateness is the instant the advance was committed minus the instant the track was to end, both on the server's clock.
Run: bin/bench advance [ends]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.live.rawsocket import eventually
from tests.live.servers import House

ROOMS = 4
LONGEST_MS, STEP_MS = 6_000, 137


def main(ends: int) -> None:
    """Let `ends` tracks end in four rooms, a few seconds apart, and print how late their successors were."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.start_web()
        house.start_worker()
        try:
            for number in range(ROOMS):
                _fill(house, number, -(-ends // ROOMS) + 1)
            eventually(lambda: _ended(house) >= ends, 120 + ends * LONGEST_MS / 1000 / ROOMS)
            late = sorted(_lateness(house))[:ends]
        finally:
            house.close()
    print(f"{len(late)} ends in {ROOMS} rooms, no browser open, worker idle before")
    print(f"late by: median {median(late):.0f} ms, p95 {late[int(len(late) * 0.95)]} ms, max {late[-1]} ms")


def _fill(house: House, number: int, count: int) -> None:
    host = house.person(f"Host {number}")
    code = host.open_room(f"Room {number}")
    for place in range(count):
        # Different lengths, so that the rooms do not end in step.
        [track] = house.tracks(1, LONGEST_MS - STEP_MS * ((place * ROOMS + number) % 13))
        host.post(f"/rooms/{code}/queue", track_id=track)


def _ended(house: House) -> int:
    return int(house.value("SELECT count(*) FROM play WHERE ended_at IS NOT NULL"))


def _lateness(house: House) -> list[int]:
    """A track is to end its length after it started; nobody pauses or seeks here."""
    return [
        late
        for (late,) in house.rows(
            "SELECT play.ended_at - play.started_at - track.duration_ms FROM play "
            "JOIN item ON item.id = play.item_id JOIN track ON track.id = item.track_id WHERE play.ended_at IS NOT NULL"
        )
    ]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
