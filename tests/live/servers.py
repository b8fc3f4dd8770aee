"""A whole house on a free port: the real web and worker processes on a folder of their own, and people who use it."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.live.rawsocket import CLOSE, PATIENCE_SECONDS, TEXT, Gone, RawSocket, eventually
from tests.screen import Screen

ROOT = Path(__file__).parents[2]
START_SECONDS, STOP_SECONDS = 60.0, 60.0
WORKERS, PORTS_EACH = 12, 1_000
FIRST_PORT = 20_000 + int("0" + os.environ.get("PYTEST_XDIST_WORKER", "")[2:]) % WORKERS * PORTS_EACH
"""Below those the system gives to whoever connects, so that a port stays free while its house is down."""

COOKIE = "partyline_session"
UNLIMITED = dict.fromkeys(
    ("MAX_SOCKETS", "MAX_SOCKETS_PER_PERSON", "MAX_SOCKETS_PER_NETWORK", "MAX_ACTIONS_PER_MINUTE"), "0"
)
WEB = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "app:app"]
WORKER = [
    sys.executable,
    "-m",
    "huey.bin.huey_consumer",
    "tasks.huey",
    "-w",
    "8",
    "-k",
    "thread",
    "-m",
    "0.5",
]


class House:
    """One data folder with a migrated database; its processes write what they have to say into `log`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.database = folder / "partyline.db"
        self.log = folder / "log"
        self.environment = {
            **os.environ,
            **UNLIMITED,
            "MALLOC_ARENA_MAX": "2",
            "DATA_DIR": str(folder),
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "PUBLIC_URL": "",
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DEMO": "0",
            # The worker would ask it for what people type into the search.
            "PROVIDERS_OFF": "archive",
            "WEB_CONCURRENCY": "1",
            **settings,
        }
        self.web: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None
        migrate = [sys.executable, "-m", "migrations"]
        subprocess.run(migrate, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start_web(self, cores: set[int] | None = None) -> None:
        """Start gunicorn, on these cores when they are named, and wait until it answers."""
        self.web = self._start(WEB, cores)
        try:
            eventually(self._answers, START_SECONDS)
        except AssertionError as late:
            raise AssertionError(self.said()[-4000:]) from late

    def start_worker(self) -> None:
        """Start the worker and wait for its first sign of life."""
        before = int(time.time() * 1000)
        self.worker = self._start(WORKER)
        eventually(
            lambda: (self.value("SELECT seen_at FROM job WHERE name = 'worker'") or 0) >= before,
            START_SECONDS,
        )

    def web_pid(self) -> int:
        """The process that holds the sockets: gunicorn's one child."""
        assert self.web is not None
        return int(Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split()[0])

    def stop_web(self, number: int = signal.SIGTERM) -> int:
        """End web by a signal to gunicorn; with SIGKILL all of it at once, as when the power fails."""
        process, self.web = self.web, None
        return _end(process, number)

    def stop_worker(self, number: int = signal.SIGTERM) -> int:
        """End the worker by a signal."""
        process, self.worker = self.worker, None
        return _end(process, number)

    def close(self) -> None:
        """End whatever runs."""
        if self.web is not None:
            self.stop_web()
        if self.worker is not None:
            self.stop_worker()

    def said(self) -> str:
        """Everything both processes wrote so far."""
        return self.log.read_text() if self.log.exists() else ""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, read beside the processes."""
        with sqlite3.connect(self.database, timeout=PATIENCE_SECONDS) as connection:
            found = connection.execute(query, values).fetchall()
        connection.close()
        return found

    def value(self, query: str, *values: object) -> Any:
        """The first column of the first row."""
        found = self.rows(query, *values)
        return found[0][0] if found else None

    def tracks(self, count: int, duration_ms: int = 100_000) -> list[int]:
        """More tracks for the library, without sound; their ids."""
        last = self.value("SELECT coalesce(max(id), 0) FROM track")
        row = (
            "INSERT INTO track (id, slug, title, artist, album, genre, duration_ms, media_file, cover_file, hue,"
            " search, added_at, is_explicit, is_hidden, is_listed, loudness_lufs) VALUES "
            # Measured already: the worker would otherwise spend the test on measuring them.
            "(?, ?, ?, ?, 'An album', 'waltz', ?, 'audio/none', 'covers/none', '30', ?, 0, 0, 0, 1, -70)"
        )
        numbers = range(last + 1, last + count + 1)
        connection = sqlite3.connect(self.database, timeout=PATIENCE_SECONDS)
        with connection:
            connection.executemany(
                row,
                [(n, f"song-{n}", f"Song {n}", f"Artist {n % 7}", duration_ms, f"song {n}") for n in numbers],
            )
        connection.close()
        return list(numbers)

    def head(self, code: str) -> int:
        """The room's number."""
        return int(self.value("SELECT seq FROM room WHERE code = ?", code))

    def person(self, name: str) -> Guest:
        """Somebody new, past the name field."""
        return Guest(self, name)

    def _start(self, command: list[str], cores: set[int] | None = None) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        if cores:
            os.sched_setaffinity(process.pid, cores)
        return process

    def _answers(self) -> bool:
        assert self.web is not None and self.web.poll() is None, self.said()
        try:
            return request(self.port, "GET", "/healthz").status == 200
        except (OSError, HTTPException):
            return False


def _end(process: subprocess.Popen[bytes] | None, number: int) -> int:
    assert process is not None
    if number == signal.SIGKILL:
        # Everything it started is in its own group.
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    headers: dict[str, str]
    text: str


class Guest:
    """A person with a session, who asks by HTTP and opens screens."""

    def __init__(self, house: House, name: str) -> None:
        self.house, self.port, self.name = house, house.port, name
        self.cookie = ""
        answer = self.post("/guest", display_name=name)
        found = re.search(rf"{COOKIE}=([^;]+)", answer.headers["set-cookie"])
        assert found is not None
        self.cookie = f"{COOKIE}={found[1]}"

    def ask(
        self,
        method: str,
        path: str,
        fields: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request as this person."""
        own = {"Cookie": self.cookie} if self.cookie else {}
        return request(self.port, method, path, fields, {**own, **(headers or {})})

    def post(self, path: str, **fields: object) -> Answer:
        """Send a form; anything but success fails the test."""
        answer = self.ask("POST", path, fields)
        assert answer.status < 400, f"{path}: {answer.status} {answer.text[:300]}"
        return answer

    def open_room(self, name: str = "Friday") -> str:
        """A room of their own; its code."""
        return self.post("/rooms", name=name).headers["location"].rsplit("/", 1)[1]

    def join(self, code: str) -> None:
        """Take a seat."""
        self.post("/join", code=code)

    def add(self, code: str, tracks: list[int]) -> None:
        """Put tracks on the line."""
        for track in tracks:
            self.post(f"/rooms/{code}/queue", track_id=track)

    def vote(self, code: str, item: int, value: int = 1, **headers: str) -> Answer:
        """Vote as the page's script does."""
        asked = {"HX-Request": "true", **headers}
        return self.ask("POST", f"/rooms/{code}/queue/{item}/vote", {"value": value}, asked)

    def page(self, code: str) -> Screen:
        """The room as a fresh page shows it."""
        answer = self.ask("GET", f"/rooms/{code}")
        assert answer.status == 200, answer.text[:300]
        return Screen(answer.text)

    def socket(self, code: str, epoch: str = "", after: int = 0, **options: Any) -> LiveSocket:
        """An open socket to a room, at a position."""
        query = urlencode({"epoch": epoch, "after": after})
        client = LiveSocket(
            self.port, f"/rooms/{code}/live?{query}", headers={"Cookie": self.cookie}, **options
        )
        assert client.status == 101
        return client

    def screen(self, code: str) -> LiveScreen:
        """A page of the room with its socket."""
        shown = self.page(code)
        return LiveScreen(shown, self.socket(code, shown.epoch, shown.applied))


class Trio:
    """A room of Ada's with Ben and Cleo in it and so many tracks: one plays, the others are its `items`."""

    COUNT = 1

    def __init__(self, house: House) -> None:
        self.house = house
        self.ada, self.ben, self.cleo = (house.person(name) for name in ("Ada", "Ben", "Cleo"))
        self.code = self.ada.open_room()
        self.ben.join(self.code)
        self.cleo.join(self.code)
        self.ada.add(self.code, house.library[: self.COUNT])
        self.items = [item for (item,) in house.rows(
            "SELECT i.id FROM item i JOIN room r ON r.id = i.room_id"
            " WHERE r.code = ? AND i.state = 'waiting' ORDER BY i.id", self.code
        )]  # fmt: skip


class Ended(Exception):
    """The server said goodbye where a message was due."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LiveSocket(RawSocket):
    """A socket whose frames are told apart: JSON messages by their `t`, pieces of HTML by their first id."""

    def read(self) -> str:
        """The next message. Raises Ended on a goodbye."""
        frame = self.read_frame()
        if frame.opcode == CLOSE:
            raise Ended(frame.code)
        assert frame.head == 0x80 | TEXT, f"not a text message: {frame.head:#x}"
        return frame.text

    def read_message(self) -> tuple[str, Any]:
        """The next message as (kind, what it holds); kind is t, or the id of its first element."""
        text = self.read()
        if text.startswith("{"):
            said = json.loads(text, parse_constant=_no_constant)
            return said["t"], said
        found = re.search(r'\bid="([^"]+)"', text)
        assert found is not None, text[:200]
        return found[1], text

    def read_kind(self, kind: str) -> Any:
        """Pass over other messages until one of this kind."""
        while True:
            found, said = self.read_message()
            if found == kind:
                return said

    def say(self, **said: object) -> None:
        """Send a JSON message."""
        self.send(json.dumps(said))

    def kinds_before_clock(self, number: int = 1) -> list[str]:
        """The kinds of everything sent before the answer to a clock question asked now."""
        self.say(t="clock", id=number, c=0.0, rtt=None)
        kinds = []
        while (message := self.read_message())[0] != "clock":
            kinds.append(message[0])
        return kinds


class LiveScreen:
    """A page that applies what its socket brings by the page's own rules."""

    def __init__(self, shown: Screen, live: LiveSocket) -> None:
        self.shown, self.live = shown, live
        self.frames: list[str] = []

    def __enter__(self) -> LiveScreen:
        return self

    def __exit__(self, *failure: object) -> None:
        self.live.__exit__(*failure)

    def take(self) -> str:
        """Apply the next message and return its kind; what is missing is asked for, as the page does."""
        kind, said = self.live.read_message()
        if isinstance(said, str):
            if kind == "frame":
                self.frames.append(said)
            if self.shown.apply(said) == "gap":
                self.live.say(t="sync", epoch=self.shown.epoch, after=self.shown.applied)
        return kind

    def reach(self, number: int) -> None:
        """Apply until the screen has the room's number."""
        while self.shown.applied < number:
            self.take()

    def wait_for(self, is_so: Callable[[Screen], object]) -> None:
        """Apply until the screen shows it."""
        while not is_so(self.shown):
            self.take()


class LoyalScreen(threading.Thread):
    """A page that comes back whenever its socket is lost, from where it was, until told to stop or told it is over."""

    def __init__(self, who: Guest, code: str) -> None:
        super().__init__(daemon=True)
        self.who, self.code = who, code
        self.shown = who.page(code)
        self.codes: list[int] = []
        self.opened_at: list[float] = []
        self._live: LiveSocket | None = None
        self._is_wanted = True
        self.start()

    def run(self) -> None:
        while self._is_wanted and 4404 not in self.codes:
            try:
                self._follow()
            except Ended as end:
                self.codes.append(end.code)
            except (Gone, OSError):
                self.codes.append(1006)
            time.sleep(random.uniform(0.02, 0.1))

    def leave(self) -> None:
        """Close the page."""
        self._is_wanted = False
        if self._live is not None:
            with suppress(OSError):
                self._live.sock.shutdown(socket.SHUT_RDWR)
        self.join(PATIENCE_SECONDS)

    def _follow(self) -> None:
        with self.who.socket(self.code, self.shown.epoch, self.shown.applied) as live:
            self._live = live
            screen = LiveScreen(self.shown, live)
            self.opened_at.append(time.time())
            while True:
                screen.take()


def request(
    port: int,
    method: str,
    path: str,
    fields: dict[str, object] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    sent = dict(headers or {})
    if fields is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        connection.request(method, path, urlencode(fields or {}), sent)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read().decode())
    finally:
        connection.close()


# Each worker of the tests has ports of its own, and gives each of them out once a round.
_given = itertools.count(random.randrange(PORTS_EACH))


def free_port() -> int:
    """A port nobody listens on, and that nobody else is given soon."""
    while True:
        port = FIRST_PORT + next(_given) % PORTS_EACH
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def running(folder: Path, *, worker: bool = False, **settings: str) -> Iterator[House]:
    """A house with web, and with a worker when asked; both end with the block."""
    house = House(folder, **settings)
    try:
        house.start_web()
        if worker:
            house.start_worker()
        yield house
    finally:
        house.close()


@contextmanager
def faultless(folder: Path, tracks: int = 0, *, worker: bool = False, **settings: str) -> Iterator[House]:
    """A house that runs, with so many tracks; none of its processes may write a traceback."""
    with running(folder, worker=worker, **settings) as started:
        started.library = started.tracks(tracks) if tracks else []
        yield started
        assert "Traceback" not in started.said(), started.said()


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")
