"""Very many open sockets in one process, read by epoll: who got which number when. Used by the measurements."""

from __future__ import annotations

import select
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

AT_ONCE = 64
READ_BYTES = 1 << 18
PATIENCE_SECONDS = 60.0
FRAME_START = b'<div id="frame"'
NUMBER = b'data-to="'


@dataclass(slots=True)
class Seat:
    """One socket of the crowd: what it has read of an unfinished frame, and the number it is at."""

    sock: socket.socket
    number: int
    rest: bytes = b""
    is_open: bool = False
    frames: int = 0


@dataclass(slots=True)
class Delivery:
    """A frame that came: when, how many bytes on the wire, and the number it leads to."""

    at: float
    size: int
    number: int


@dataclass
class Crowd:
    """Sockets of one room. `deliveries` fills while `watch` runs."""

    port: int
    seats: dict[int, Seat] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    poll: select.epoll = field(default_factory=select.epoll)

    def open(self, code: str, cookies: list[str], epoch: str, after: int) -> None:
        """One socket for each cookie, at a position; returns when all are upgraded."""
        waiting = list(reversed(cookies))
        deadline = time.monotonic() + PATIENCE_SECONDS
        opening: set[int] = set()
        while waiting or opening:
            while waiting and len(opening) < AT_ONCE:
                opening.add(self._connect(code, waiting.pop(), epoch, after))
            self._turn(0.1)
            opening = {number for number in opening if not self.seats[number].is_open}
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(opening) + len(waiting)} sockets were not opened in time")

    def reach(self, number: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Read until every socket has the room's number."""
        deadline = time.monotonic() + seconds
        while any(seat.number < number for seat in self.seats.values()):
            self._turn(0.05)
            if time.monotonic() > deadline:
                late = sum(seat.number < number for seat in self.seats.values())
                raise TimeoutError(f"{late} of {len(self.seats)} sockets did not get {number}")

    def read_for(self, seconds: float) -> None:
        """Read whatever comes for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._turn(0.02)

    def close(self) -> None:
        """Let go of every socket."""
        for seat in self.seats.values():
            seat.sock.close()
        self.seats.clear()
        self.poll.close()

    def _connect(self, code: str, cookie: str, epoch: str, after: int) -> int:
        sock = socket.create_connection(("127.0.0.1", self.port))
        query = urlencode({"epoch": epoch, "after": after})
        sock.sendall(
            f"GET /rooms/{code}/live?{query} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        sock.setblocking(False)
        self.seats[sock.fileno()] = Seat(sock, after)
        self.poll.register(sock, select.EPOLLIN)
        return sock.fileno()

    def _turn(self, seconds: float) -> None:
        for number, _ in self.poll.poll(seconds, 512):
            seat = self.seats[number]
            data = seat.sock.recv(READ_BYTES)
            if not data:
                raise ConnectionError("the server closed a socket")
            self._take(seat, data, time.time())

    def _take(self, seat: Seat, data: bytes, now: float) -> None:
        data = seat.rest + data
        if not seat.is_open:
            head, mark, data = data.partition(b"\r\n\r\n")
            if not mark:
                seat.rest = head
                return
            if b" 101 " not in head[:32]:
                raise ConnectionError(head.decode(errors="replace"))
            seat.is_open = True
        start = 0
        while (found := _frame(data, start)) is not None:
            begin, end = found
            if data.startswith(FRAME_START, begin):
                at = data.index(NUMBER, begin) + len(NUMBER)
                seat.number = int(data[at : data.index(b'"', at)])
                seat.frames += 1
                self.deliveries.append(Delivery(now, end - start, seat.number))
            elif data[start] == 0x88:
                raise ConnectionError(f"closed with {int.from_bytes(data[begin : begin + 2], 'big')}")
            start = end
        seat.rest = data[start:]


def _frame(data: bytes, start: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `start` begins and ends; None while part is missing."""
    if len(data) - start < 2:
        return None
    size, begin = data[start + 1], start + 2
    if size > 125:
        begin += 2 if size == 126 else 8
        if len(data) < begin:
            return None
        size = int.from_bytes(data[start + 2 : begin], "big")
    end = begin + size
    return (begin, end) if len(data) >= end else None
