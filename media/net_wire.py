"""One connection to one address that was checked: looked up once, and nothing on it outlasts its patience.

Reads and writes never block on the socket itself, so that the deadline holds against one byte a second, inside a
TLS record too, in a thread and under gevent alike.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

import certifi

from media.net_address import NOT_THERE, Address, is_neighbour, is_public
from media.provider import Trouble, Unreachable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Answer = TypeVar("Answer")

SLOW = "It takes too long to answer."
UNKNOWN = "Nobody knows that address."
NOBODY = "Nobody answers at that address."
BAD_CERTIFICATE = "The certificate at that address is not good, so we stayed away."
UNSAFE = "A safe connection to that address cannot be made."
LONG_HEADER = "Its answer begins with more than we read."

MOST_HEADER_BYTES = 65_536
_MOST_TRIES = 3

# A resolver that hangs keeps its thread for half a minute; that many may hang at once.
_resolving = threading.BoundedSemaphore(32)


def _look_up(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def _connect(ip: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((ip, port), timeout=seconds)


@cache
def _trusted() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True, slots=True)
class Internet:
    """What is out there. Tests put their own names, roads and certificates here; nothing else does."""

    resolve: Callable[[str, int], Sequence[str]] = _look_up
    connect: Callable[[str, int, float], socket.socket] = _connect
    context: Callable[[], ssl.SSLContext] = _trusted


INTERNET = Internet()


class Patience:
    """How long we wait: until a moment; later, for a stream, from one piece to the next. Also for how much header."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._idle: float | None = None
        self._header_bytes: int | None = MOST_HEADER_BYTES

    def left(self) -> float:
        """Seconds that are left. Raises Trouble when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise Trouble(SLOW, again=True)
        return left

    def begin_header(self) -> None:
        self._header_bytes = MOST_HEADER_BYTES

    def end_header(self) -> None:
        self._header_bytes = None

    def only_idle(self, seconds: float) -> None:
        """From now on each piece has this long, and the whole as long as it takes."""
        self._idle = seconds
        self._until = time.monotonic() + seconds

    def came(self, count: int) -> None:
        """Something was read."""
        if self._header_bytes is not None:
            self._header_bytes -= count
            if self._header_bytes < 0:
                raise Trouble(LONG_HEADER)

    def asked(self) -> None:
        """A piece is wanted now: time that the reader of a stream spent elsewhere is not the other side's."""
        if self._idle is not None:
            self._until = time.monotonic() + self._idle


class Channel:
    """A socket, with TLS or without, as http.client uses one: `sendall`, `makefile`, `close`."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock, self._patience = sock, patience

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """TLS for the name that was asked for, not for the number behind it."""
        tls = context.wrap_socket(self._sock, server_hostname=host, do_handshake_on_connect=False)
        self._sock = tls
        self._patiently(tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        sent = 0
        while sent < len(data):
            sent += self._patiently(partial(self._sock.send, memoryview(data)[sent:]))

    def receive_into(self, buffer: WriteableBuffer) -> int:
        self._patience.asked()
        count = self._patiently(partial(self._sock.recv_into, buffer))
        self._patience.came(count)
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        self._sock.close()

    def _patiently(self, act: Callable[[], Answer]) -> Answer:
        while True:
            self._patience.left()
            try:
                return act()
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)

    def _wait(self, event: int) -> None:
        poll = select.poll()
        poll.register(self._sock.fileno(), event)
        poll.poll(int(self._patience.left() * 1000) + 1)


class _Reader(io.RawIOBase):
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._channel.receive_into(buffer)


def open_channel(address: Address, internet: Internet, patience: Patience) -> Channel:
    """A connection to where the name leads now. Raises Trouble, also when a single one of its numbers is private."""
    numbers = _numbers(address, internet, patience)
    sock = _first_that_answers(numbers[:_MOST_TRIES], address.port, internet, patience)
    channel = Channel(sock, patience)
    if address.scheme == "https":
        try:
            channel.secure(internet.context(), address.host)
        except BaseException as error:
            channel.close()
            if isinstance(error, ssl.SSLCertVerificationError):
                raise Trouble(BAD_CERTIFICATE) from error
            if isinstance(error, OSError):
                raise Trouble(UNSAFE) from error
            raise
    return channel


def _numbers(address: Address, internet: Internet, patience: Patience) -> Sequence[str]:
    is_number = ":" in address.host or address.host.replace(".", "").isdigit()
    numbers = [address.host] if is_number else _resolved(address, internet, patience)
    if not numbers:
        raise Unreachable(UNKNOWN)
    may = is_neighbour if address.is_listed else is_public
    if not all(may(number) for number in numbers):
        raise Trouble(NOT_THERE)
    return numbers


def _resolved(address: Address, internet: Internet, patience: Patience) -> Sequence[str]:
    """Looked up in a thread of its own: the system's resolver knows no deadline."""
    found: list[str] = []
    done = threading.Event()

    def look_up() -> None:
        try:
            # A resolver's order is its preference; each number once.
            found.extend(dict.fromkeys(internet.resolve(address.host, address.port)))
        except (OSError, UnicodeError):
            pass
        finally:
            _resolving.release()
            done.set()

    if not _resolving.acquire(timeout=patience.left()):
        raise Trouble(SLOW, again=True)
    threading.Thread(target=look_up, daemon=True, name="resolving").start()
    if not done.wait(patience.left()):
        raise Trouble(SLOW, again=True)
    return found


def _first_that_answers(
    numbers: Sequence[str], port: int, internet: Internet, patience: Patience
) -> socket.socket:
    for tried, number in enumerate(numbers):
        try:
            # All of them are checked; those behind a silent one still get their share of the time.
            return internet.connect(number, port, patience.left() / (len(numbers) - tried))
        except OSError:
            continue
    patience.left()
    raise Unreachable(NOBODY)
