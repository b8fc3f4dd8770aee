"""What guessing room codes and passwords comes to, and how the pages of people inside fare meanwhile. Real server.

A try counts as evaluated when its answer is not 429. Everything comes from one network, as from one attacker.
Run: bin/bench guessing [codes] [passwords]
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median

from tests.live.servers import Guest, House, request

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
ROOMS = 100
GUESSERS = 8
LOOK_SECONDS = 0.05


def main(codes: int, passwords: int) -> None:
    """Guess, and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        house.start_web()
        try:
            host = house.person("Hannah")
            rooms = [host.open_room(f"Room {number}") for number in range(ROOMS)]
            host.post(
                f"/rooms/{rooms[0]}/access",
                visibility="unlisted",
                entry="password",
                password="moss and lichen",
            )
            guess_passwords(house, host, rooms[0], passwords)
            guess_codes(house, codes)
            host.page(rooms[1])
            print("  who has a seat still comes in")
        finally:
            house.close()


def guess_codes(house: House, count: int) -> None:
    """Random codes, one after the other, by somebody without a name."""
    random.seed(7)
    answers: Counter[int] = Counter()
    first_limited = None
    started = time.perf_counter()
    for number in range(1, count + 1):
        code = "".join(random.choice(ALPHABET) for _ in range(8))
        status = request(house.port, "GET", f"/rooms/{code}").status
        answers[status] += 1
        if status == 429 and first_limited is None:
            first_limited = number
    took = time.perf_counter() - started
    print(
        f"{count} codes guessed against {ROOMS} rooms: in {answers[200]}, answers {dict(sorted(answers.items()))}, "
    )
    print(f"  limited from guess {first_limited} on, {took / count * 1000:.1f} ms a guess")


def guess_passwords(house: House, host: Guest, code: str, count: int) -> None:
    """Wrong passwords by eight people at once, while somebody inside opens the room again and again."""
    quiet = _look(host, code, threading.Event(), 60)
    guessers = [house.person(f"Guesser {'abcdefgh'[number]}") for number in range(GUESSERS)]
    answers: Counter[int] = Counter()
    done = threading.Event()
    looks: list[float] = []
    watcher = threading.Thread(target=lambda: looks.extend(_look(host, code, done, None)))
    watcher.start()

    def guess(person: Guest, numbers: range) -> None:
        for number in numbers:
            answer = person.ask("POST", f"/rooms/{code}/door", {"password": f"wrong password {number}"})
            answers[answer.status] += 1

    threads = [
        threading.Thread(target=guess, args=(person, range(number, count, GUESSERS)))
        for number, person in enumerate(guessers)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    done.set()
    watcher.join()
    evaluated = sum(number for status, number in answers.items() if status != 429)
    print(f"{count} wrong passwords by {GUESSERS} people in {took:.1f} s: evaluated {evaluated}, ", end="")
    print(f"answers {dict(sorted(answers.items()))}")
    for name, times in (("before", quiet), ("meanwhile", looks)):
        times.sort()
        print(f"  pages inside {name}: {len(times)} looks, p50 {median(times):.0f} ms, ", end="")
        print(f"p99 {times[int(len(times) * 0.99)]:.0f} ms, max {times[-1]:.0f} ms")


def _look(person: Guest, code: str, done: threading.Event, most: int | None) -> list[float]:
    times: list[float] = []
    while not done.is_set() and (most is None or len(times) < most):
        started = time.perf_counter()
        person.page(code)
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(LOOK_SECONDS)
    return times


if __name__ == "__main__":
    main(*(int(text) for text in (sys.argv[1:] + ["10000", "1000"][len(sys.argv) - 1 :])))
