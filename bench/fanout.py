"""What a vote costs when very many look: 100, 1,000 and 3,000 sockets in one room, 60 votes one after another.

Compares the numbers of sockets with one another and with a run that has none; and a line of 60 rows with one of 600.
The real gunicorn runs on one core, this load generator on the other, loopback only, every limit off. Each person holds
five sockets. A vote is cast over HTTP and the next one a moment after everybody has it: frames of a room are 50 ms
apart at least, and without the pause that alone would be measured. Lateness counts from the instant written in the
log row inside the vote's transaction, so it holds the commit as well.

    bin/bench fanout                  all of it
    bin/bench fanout --sockets 1000   one size
    bin/bench fanout --pause 0        as fast as the room takes them
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import models
from bench.crowd import Crowd
from party import people, queue, rooms
from party.change import Person
from tests.live.servers import COOKIE, House, request, running

SERVER_CORE, LOAD_CORE = 0, 1
SCREENS_EACH = 5
VOTES, WARM_VOTES = 60, 10
SETTLE_SECONDS = 3.0
AIMS = (
    "aims: 20 ms per 1,000 deliveries at 1,000 sockets, 60 kB per socket, 600 rows at most 1.2 times 60 rows"
)


@dataclass
class Party:
    """A room with people and a line, made beside the processes."""

    code: str
    epoch: str
    items: list[int]
    cookies: list[str]


@dataclass
class Run:
    """What one size came to."""

    sockets: int
    lateness_ms: list[float]
    cpu_ms: float
    rss_kb: float
    bytes_each: list[int]
    seconds: float

    @property
    def deliveries(self) -> int:
        return len(self.lateness_ms)


def main() -> None:
    """Measures and prints."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--sockets", type=int, nargs="*", default=[100, 1000, 3000])
    asked.add_argument("--rows", type=int, nargs="*", default=[60, 600])
    asked.add_argument("--pause", type=float, default=0.1)
    sizes = asked.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE % os.cpu_count()})
    print(f"load before: {os.getloadavg()[0]:.1f}; {SCREENS_EACH} sockets a person; {VOTES} votes; {AIMS}")
    alone = measure(0, 60, sizes.pause)
    print(f"no sockets: {alone.cpu_ms / VOTES:.1f} ms of processor a vote, its HTTP answer included")
    print(
        f"{'sockets':>7} {'p50 ms':>7} {'p95 ms':>7} {'p99 ms':>7} {'max ms':>7} "
        f"{'cpu ms/1000':>11} {'net of votes':>12} {'kB/socket':>9} {'bytes/vote':>10} {'seconds':>7}"
    )
    for count in sizes.sockets:
        show(measure(count, 60, sizes.pause), alone)
    sizes_of = {}
    for count in sizes.rows:
        found = measure(SCREENS_EACH, count, sizes.pause)
        sizes_of[count] = sum(found.bytes_each) / len(found.bytes_each)
        print(
            f"{count} rows on the line: {sizes_of[count]:.0f} bytes a vote ({max(found.bytes_each)} at most)"
        )
    if len(sizes_of) == 2:
        few, many = sizes_of.values()
        print(f"ratio {many / few:.2f}")


def show(run: Run, alone: Run) -> None:
    """One line of the table."""
    late = sorted(run.lateness_ms)
    p50, p95, p99 = (late[math.ceil(len(late) * share) - 1] for share in (0.5, 0.95, 0.99))
    thousands = run.deliveries / 1000
    print(
        f"{run.sockets:>7} {p50:>7.1f} {p95:>7.1f} {p99:>7.1f} {late[-1]:>7.1f} "
        f"{run.cpu_ms / thousands:>11.1f} {(run.cpu_ms - alone.cpu_ms) / thousands:>12.1f} "
        f"{run.rss_kb:>9.1f} {sum(run.bytes_each) / len(run.bytes_each):>10.0f} {run.seconds:>7.1f}",
        flush=True,
    )


def measure(sockets: int, line: int, pause: float) -> Run:
    """One size in a house of its own."""
    with tempfile.TemporaryDirectory(prefix="partyline-bench-") as folder, running(Path(folder)) as house:
        os.sched_setaffinity(house.web_pid(), {SERVER_CORE})
        party = prepare(house, max(1, sockets // SCREENS_EACH), line)
        warm_up(house, party)
        pid, crowd = house.web_pid(), Crowd(house.port)
        before = resident_kb(pid)
        cookies = [party.cookies[number // SCREENS_EACH] for number in range(sockets)]
        crowd.open(party.code, cookies, party.epoch, house.head(party.code))
        crowd.read_for(SETTLE_SECONDS if sockets else 0)
        crowd.deliveries.clear()
        began, cpu = time.monotonic(), processor_ms(pid)
        for vote in range(VOTES):
            cast(house, party, WARM_VOTES + vote)
            crowd.reach(house.head(party.code))
            crowd.read_for(pause)
        cpu, seconds = processor_ms(pid) - cpu, time.monotonic() - began
        grown = (resident_kb(pid) - before) / max(1, sockets)
        if "Traceback" in house.said():
            sys.exit(house.said())
        late, sizes = tally(house, party, crowd)
        crowd.close()
        return Run(sockets, late, cpu, grown, sizes, seconds)


def tally(house: House, party: Party, crowd: Crowd) -> tuple[list[float], list[int]]:
    """Lateness of every delivery, and the size of each frame as the first screen got it."""
    query = "SELECT e.seq, e.at FROM event e JOIN room r ON r.id = e.room_id WHERE r.code = ?"
    said = dict(house.rows(query, party.code))
    first: dict[int, int] = {}
    for each in crowd.deliveries:
        first.setdefault(each.number, each.size)
    return [each.at * 1000 - said[each.number] for each in crowd.deliveries], list(first.values())


def prepare(house: House, count: int, line: int) -> Party:
    """A room whose people sit in it and whose line is full; by the rules themselves, beside the processes."""
    tracks = house.tracks(line + 1)
    handle = models.open_database("", str(house.database))
    with handle.connection_context():
        host, token = people.enter("Ada")
        code = rooms.open_room(Person(host), "Friday", 300)
        tokens = [token]
        with handle.atomic():
            for number in range(1, max(count, WARM_VOTES + VOTES)):
                user, token = people.enter(f"Person {number}")
                people.join(Person(user), code)
                tokens.append(token)
            for track in tracks:
                queue.add_item(Person(host), code, track)
        epoch = models.Room.get(models.Room.code == code).epoch
        items = [item.id for item in models.Item.select().where(models.Item.state == "waiting")]
    handle.close_all()
    return Party(code, epoch, items, [f"{COOKIE}={token}" for token in tokens])


def warm_up(house: House, party: Party) -> None:
    """Some sockets and votes first, so that what is made once is not counted."""
    crowd = Crowd(house.port)
    crowd.open(party.code, [party.cookies[0]] * 20, party.epoch, house.head(party.code))
    for vote in range(WARM_VOTES):
        cast(house, party, vote)
        crowd.reach(house.head(party.code))
    crowd.close()


def cast(house: House, party: Party, vote: int) -> None:
    """Each vote by another person for another row, spread over the line."""
    item = party.items[vote * 7 % 60 * len(party.items) // 60]
    headers = {
        "Cookie": party.cookies[vote % len(party.cookies)],
        "HX-Request": "true",
        "X-Partyline-Epoch": party.epoch,
        "X-Partyline-After": str(house.head(party.code)),
    }
    answer = request(house.port, "POST", f"/rooms/{party.code}/queue/{item}/vote", {"value": 1}, headers)
    if answer.status != 200:
        sys.exit(f"a vote was answered with {answer.status}: {answer.text[:300]}")


def processor_ms(pid: int) -> float:
    """Processor time of another process, user and system together."""
    # The kernel's number for that process's clock: clock_getcpuclockid(3), finer than the ticks of /proc.
    return time.clock_gettime(~pid << 3 | 2) * 1000


def resident_kb(pid: int) -> int:
    """Memory of another process that is really there."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


if __name__ == "__main__":
    main()
