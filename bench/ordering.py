"""How long ordering a line takes, on one core: `python -m bench.ordering` from the root of the repository.

Prints the best and the median of many calls, in microseconds, for a usual line and a very long one.
"""

from __future__ import annotations

import random
import statistics
from time import perf_counter_ns

from party import ranks
from party.ordering import MAX_PINS, MODES, Entry, Line, order

CALLS = 300


def main() -> None:
    print(f"{'rows':>5} {'mode':<7} {'best µs':>9} {'median µs':>10}")
    for rows in (60, 600):
        entries = mixed_line(rows)
        for mode in MODES:
            times = timed(Line(mode, entries))
            print(f"{rows:>5} {mode:<7} {min(times):>9.0f} {statistics.median(times):>10.0f}")


def mixed_line(rows: int) -> list[Entry]:
    """A line as a long evening leaves it: votes both ways, pins, a few rows the guard has reached."""
    chance = random.Random(rows)
    positions = ranks.several(rows)
    chance.shuffle(positions)
    return [
        Entry(
            id=number,
            added_seq=number,
            added_at_advance=number // 4,
            up=chance.randrange(8),
            down=chance.randrange(4),
            position=positions[number],
            pin_position=positions[number] if number % (rows // MAX_PINS) == 0 else None,
            guard_limit=12,
            overtakes=chance.randrange(13) if number < rows // 10 else 0,
        )
        for number in range(rows)
    ]


def timed(line: Line) -> list[float]:
    """Microseconds of each call."""
    times = []
    for _ in range(CALLS):
        began = perf_counter_ns()
        order(line)
        times.append((perf_counter_ns() - began) / 1000)
    return times


if __name__ == "__main__":
    main()
