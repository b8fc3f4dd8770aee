"""What is left after kill -9: web in the middle of 500 votes, the worker just before an advance and an expiry.

Compares what was acknowledged with what the database holds, and every screen that came back with a fresh page. Votes
are sent by several people at once, each with an idempotency key, and again until they are answered. Screens come back
at once; a browser waits up to five seconds first. Times count from the kill.

    bin/bench crash               500 votes, 20 screens
    bin/bench crash --votes 2000
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from tests.live.rawsocket import eventually
from tests.live.servers import Guest, House, LoyalScreen, running

VOTERS = 20
AT_ONCE = 8
SOON_MS = 250
GRACE_SECONDS = 1


@dataclass
class Outcome:
    """What a kill came to: sentences to print, and everything that went wrong."""

    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def main() -> int:
    """Both kills, one after another; the exit code says whether anything was lost, doubled or unequal."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--votes", type=int, default=500)
    asked.add_argument("--screens", type=int, default=20)
    sizes = asked.parse_args()
    print(f"load before: {os.getloadavg()[0]:.1f}")
    faults = []
    with (
        tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder,
        running(Path(folder), worker=True, GRACE_SECONDS=str(GRACE_SECONDS)) as house,
    ):
        for kill, *amounts in ((web_killed, sizes.votes, sizes.screens), (worker_killed, sizes.screens)):
            outcome = kill(house, *amounts)
            print("\n".join(outcome.said), flush=True)
            faults += outcome.faults
    print("\n".join(faults) or "nothing lost, nothing doubled, no hole, every screen equal to a fresh page")
    return 1 if faults else 0


def web_killed(house: House, votes: int, screens: int) -> Outcome:
    """kill -9 of gunicorn and its child while votes arrive."""
    outcome = Outcome()
    host = house.person("Ada")
    code = host.open_room()
    rows = -(-votes // VOTERS)
    host.add(code, house.tracks(rows + 1))
    voters = [house.person(f"Voter {number}") for number in range(VOTERS)]
    for voter in voters:
        voter.join(code)
    items = waiting(house, code)
    watching = [LoyalScreen(host, code)]
    watching += [LoyalScreen(voters[number % VOTERS], code) for number in range(screens - 1)]
    eventually(lambda: all(screen.opened_at for screen in watching))
    wanted = [(voter, item) for voter in voters for item in items][:votes]
    random.Random(votes).shuffle(wanted)
    ballot = Ballot(code)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = [pool.submit(ballot.cast, number, *each) for number, each in enumerate(wanted)]
        eventually(lambda: len(ballot.acknowledged) > votes * 0.4, 120)
        before, killed_at = len(ballot.acknowledged), time.time()
        house.stop_web(signal.SIGKILL)
        house.start_web()
        up = time.time() - killed_at
        for each in done:
            each.result()
    head = house.head(code)
    eventually(lambda: all(screen.shown.applied >= head for screen in watching), 60)
    back = [screen.opened_at[-1] - killed_at for screen in watching]
    outcome.said += [
        f"web killed after {before} of {votes} votes were acknowledged; {ballot.repeats} were sent again",
        f"web answered again after {up:.2f} s, the last of {len(watching)} screens was back after {max(back):.2f} s",
    ]
    outcome.faults += [*ballot.faults(house, wanted), *holes(house, code), *unequal(watching)]
    for screen in watching:
        screen.leave()
    return outcome


class Ballot:
    """Votes sent until they are answered, and which of them were."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.acknowledged: list[tuple[str, int]] = []
        self.repeats = 0
        self._lock = threading.Lock()

    def cast(self, number: int, voter: Guest, item: int) -> None:
        """One vote, as a page sends it and sends it again."""
        key = {"Idempotency-Key": f"vote-{number}"}
        while True:
            try:
                answer = voter.vote(self.code, item, 1, **key)
            except (OSError, HTTPException):
                with self._lock:
                    self.repeats += 1
                time.sleep(0.05)
                continue
            if answer.status != 200:
                raise AssertionError(f"a vote was answered with {answer.status}: {answer.text[:200]}")
            with self._lock:
                self.acknowledged.append((voter.name, item))
            return

    def faults(self, house: House, wanted: list[tuple[Guest, int]]) -> list[str]:
        """What is lost, doubled, or there though nobody asked."""
        kept = house.rows(
            "SELECT p.display_name, json_extract(e.data, '$.item_id') FROM event e JOIN room r ON r.id = e.room_id "
            "JOIN member m ON m.id = e.actor_id JOIN person p ON p.id = m.user_id "
            "WHERE r.code = ? AND e.kind = 'vote_cast'",
            self.code,
        )
        rows = house.rows(
            "SELECT p.display_name, v.item_id FROM vote v JOIN member m ON m.id = v.member_id "
            "JOIN person p ON p.id = m.user_id JOIN room r ON r.id = m.room_id WHERE r.code = ?",
            self.code,
        )
        asked = {(voter.name, item) for voter, item in wanted}
        found = []
        for what, there in (("log rows", [(name, int(item)) for name, item in kept]), ("votes", rows)):
            if len(there) != len(set(there)):
                found.append(f"{len(there) - len(set(there))} doubled {what}")
            if lost := set(self.acknowledged) - set(there):
                found.append(f"{len(lost)} acknowledged votes are not among the {what}")
            if more := set(there) - asked:
                found.append(f"{len(more)} {what} that nobody asked for")
        return found


def worker_killed(house: House, screens: int) -> Outcome:
    """kill -9 of the worker just before a track ends in one room and grace runs out in another; a second's absence."""
    outcome = Outcome()
    playing, ending = house.person("Ben"), house.person("Cleo")
    room, lost = playing.open_room("Goes on"), ending.open_room("Ends")
    watching = [LoyalScreen(playing, room) for _ in range(max(1, screens // 2))]
    guest = house.person("Dan")
    guest.join(lost)
    mourning = [LoyalScreen(guest, lost) for _ in range(max(1, screens // 2))]
    ending.add(lost, house.tracks(1, 600_000))
    with ending.socket(lost) as last:
        last.read_kind("mine")
        eventually(lambda: house.value("SELECT state FROM room WHERE code = ?", lost) == "LIVE")
    left_at = eventually(lambda: house.value("SELECT host_gone_at FROM room WHERE code = ?", lost))
    ends_at = left_at + 5_000 + GRACE_SECONDS * 1000
    # A track that ends with the grace, and one to follow it.
    start = int(time.time() * 1000)
    playing.add(room, [*house.tracks(1, ends_at - start - 300), *house.tracks(1, 600_000)])
    due = house.value(
        "SELECT b.ends_at FROM playback b JOIN room r ON r.id = b.room_id WHERE r.code = ?", room
    )
    time.sleep(max(0.0, (min(due, ends_at) - SOON_MS) / 1000 - time.time()))
    house.stop_worker(signal.SIGKILL)
    killed_at = time.time()
    time.sleep(1.0)
    house.start_worker()
    query = (
        "SELECT p.ended_at FROM play p JOIN room r ON r.id = p.room_id WHERE r.code = ? ORDER BY p.id LIMIT 1"
    )
    ended_at = eventually(lambda: house.value(query, room), 30)
    eventually(lambda: house.value("SELECT state FROM room WHERE code = ?", lost) == "EXPIRED", 30)
    eventually(lambda: all(4404 in screen.codes for screen in mourning), 30)
    head = house.head(room)
    eventually(lambda: all(screen.shown.applied >= head for screen in watching), 30)
    told = house.value("SELECT e.at FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ?"
                       " AND e.kind = 'room_expired'", lost)  # fmt: skip
    outcome.said += [
        f"worker killed {due - killed_at * 1000:.0f} ms before an advance and {ends_at - killed_at * 1000:.0f} ms "
        f"before an expiry, started again 1 s later",
        f"the track ended {ended_at - due} ms late, the room {told - ends_at} ms late; "
        f"all screens knew {time.time() - killed_at:.2f} s after the kill",
    ]
    outcome.faults += [
        *once_each(house, room, lost),
        *holes(house, room),
        *holes(house, lost),
        *unequal(watching),
    ]
    for screen in (*watching, *mourning):
        screen.leave()
    return outcome


def once_each(house: House, room: str, lost: str) -> list[str]:
    """The advance and the expiry happened, and happened once."""
    query = "SELECT e.kind, count(*) FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ? GROUP BY e.kind"
    went_on, over = dict(house.rows(query, room)), dict(house.rows(query, lost))
    expected = (
        (went_on, "item_ended", 1),
        (went_on, "item_started", 2),
        (over, "host_lost", 1),
        (over, "room_expired", 1),
    )
    return [f"{kind}: {there.get(kind)} times" for there, kind, count in expected if there.get(kind) != count]


def holes(house: House, code: str) -> list[str]:
    """The room's numbers are 1 to its head."""
    query = "SELECT e.seq FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ? ORDER BY e.seq"
    numbers = [number for (number,) in house.rows(query, code)]
    return (
        [] if numbers == list(range(1, house.head(code) + 1)) else [f"room {code} has a hole in its numbers"]
    )


def unequal(watching: list[LoyalScreen]) -> list[str]:
    """Screens that show anything but what a fresh page of the same person shows."""
    found = []
    for screen in watching:
        with suppress(AssertionError):
            eventually(lambda screen=screen: not differing(screen), 5)
        found += [f"a screen differs in {name}" for name in differing(screen)]
    return found


def differing(screen: LoyalScreen) -> set[str]:
    """The pieces that a fresh page of the same person shows otherwise; who is here goes its own way."""
    return set(screen.shown.differences(screen.who.page(screen.code))) - {"people"}


def waiting(house: House, code: str) -> list[int]:
    """The ids of the waiting items."""
    query = (
        "SELECT i.id FROM item i JOIN room r ON r.id = i.room_id "
        "WHERE r.code = ? AND i.state = 'waiting' ORDER BY i.id"
    )
    return [item for (item,) in house.rows(query, code)]


if __name__ == "__main__":
    sys.exit(main())
