"""A small blocking WebSocket client that does exactly what a test says, right or wrong."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
PATIENCE_SECONDS = 30.0


class Frame(NamedTuple):
    """One frame as the server sent it; `head` is its first byte."""

    head: int
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.head & 0x0F

    @property
    def text(self) -> str:
        return self.payload.decode()

    @property
    def code(self) -> int:
        """The code of a close frame; 1005 when it has none."""
        return int.from_bytes(self.payload[:2], "big") or 1005


class Gone(Exception):
    """The server closed or reset the connection where a frame was due."""


class RawSocket:
    """Connects and asks for an upgrade; `status` and `headers` (lower case) tell the answer.

    `headers` add to the usual ones, replace them, or leave one out (None).
    """

    def __init__(
        self,
        port: int,
        path: str,
        headers: dict[str, str | None] | None = None,
        receive_buffer: int = 0,
        source: str = "",
    ) -> None:
        self._received = b""
        self.sock = socket.socket()
        if receive_buffer:
            # Only before connecting does it also bound the window that is offered.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.sock.bind((source, 0))
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(("127.0.0.1", port))
        asked = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items() if value is not None)
        self.send_bytes(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
        status, _, rest = self._read_until(b"\r\n\r\n").decode("latin-1").partition("\r\n")
        self.status = int(status.split()[1])
        pairs = (line.partition(": ") for line in rest.split("\r\n") if line)
        self.headers = {name.lower(): value for name, _, value in pairs}

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(self, *failure: object) -> None:
        self.sock.close()

    def send_bytes(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send_frame(
        self, opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
    ) -> None:
        self.send_bytes(pack(opcode, payload, final=final, masked=masked, reserved=reserved))

    def send(self, text: str) -> None:
        self.send_frame(TEXT, text.encode())

    def read_frame(self) -> Frame:
        head, size = self._read(2)
        assert not size & 0x80, "a server never masks"
        if size == 126:
            size = int.from_bytes(self._read(2), "big")
        elif size == 127:
            size = int.from_bytes(self._read(8), "big")
        return Frame(head, self._read(size))

    def take_in(self, size: int) -> None:
        """Take that many bytes off the network, for a later read to look at."""
        end = len(self._received) + size
        while len(self._received) < end:
            self._received += self._receive(size)

    def read(self) -> str:
        """The next message, which must be one whole uncompressed text frame."""
        frame = self.read_frame()
        assert frame.head == 0x80 | TEXT, f"not a text message: {frame.head:#x} {frame.payload[:80]!r}"
        return frame.text

    def read_close(self) -> int:
        """Pass over what comes first and return the close code; 1006 when the connection just ends."""
        try:
            while (frame := self.read_frame()).opcode != CLOSE:
                pass
        except Gone:
            return 1006
        return frame.code

    def close(self, code: int = 1000) -> None:
        """Say goodbye, wait for the server's goodbye, leave."""
        self.send_frame(CLOSE, struct.pack("!H", code))
        self.read_close()
        self.sock.close()

    def reset(self) -> None:
        """Leave abruptly, as a lost process does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _read(self, size: int) -> bytes:
        pieces, missing = [self._received[:size]], size - len(self._received)
        self._received = self._received[size:]
        while missing > 0:
            pieces.append(self._receive(missing))
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._received += self._receive(4096)
        found, _, self._received = self._received.partition(end)
        return found

    def _receive(self, size: int) -> bytes:
        try:
            data = self.sock.recv(size)
        except ConnectionError:
            data = b""
        if not data:
            raise Gone
        return data


def pack(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """One client frame, by default a right one."""
    size = len(payload)
    mark = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mark | size])
    elif size < 1 << 16:
        head += struct.pack("!BH", mark | 126, size)
    else:
        head += struct.pack("!BQ", mark | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    key = (mask * (size // 4 + 1))[:size]
    return head + mask + bytes(one ^ other for one, other in zip(payload, key, strict=True))


def eventually(check, patience: float = PATIENCE_SECONDS):
    """Wait until `check()` is true and return what it said."""
    deadline = time.monotonic() + patience
    while not (said := check()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
    return said
