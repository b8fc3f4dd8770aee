"""The bytes of a WebSocket (RFC 6455, section 5): our frames out, a browser's frames in. No socket here."""

from __future__ import annotations

import struct
from collections.abc import Iterator

UNSUPPORTED, NO_CODE, BAD_TEXT, TOO_BIG = 1003, 1005, 1007, 1009
PROTOCOL_ERROR, TOO_MANY = 4400, 4429

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))


class Refused(Exception):
    """What came in cannot stand; `code` is what the other side is told."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def frame(text: str) -> bytes:
    """The text as one server frame, made once and written to any number of sockets."""
    return pack(TEXT, text.encode())


def pack(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def read_text(payload: bytes) -> str:
    """The payload as text, or Refused."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Refused(BAD_TEXT) from None


def read_close_code(payload: bytes) -> int:
    """The code in a close frame's payload; one that may not be sent is Refused."""
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise Refused(PROTOCOL_ERROR)
    read_text(payload[2:])
    return code


class Inbound:
    """Takes a browser's bytes apart, holding at most one message and refusing a frame by its first bytes.

    Every frame counts towards `messages` in `per_seconds`, pings and empty fragments too; 0 is no limit.
    """

    __slots__ = (
        "_buffer",
        "_count",
        "_is_partial",
        "_message",
        "_message_bytes",
        "_messages",
        "_per_seconds",
        "_since",
    )

    def __init__(self, message_bytes: int, messages: int, per_seconds: float) -> None:
        self._message_bytes = message_bytes
        self._messages = messages
        self._per_seconds = per_seconds
        self._buffer = bytearray()
        self._message = bytearray()
        self._is_partial = False
        self._since = 0.0
        self._count = 0

    def take(self, data: bytes, now: float) -> Iterator[tuple[int, bytes]]:
        """The control frames and whole messages that `data` completes, as (opcode, payload)."""
        self._buffer += data
        while found := self._take_frame():
            self._admit(now)
            is_final, opcode, payload = found
            if opcode >= CLOSE:
                yield opcode, payload
                continue
            self._message += payload
            self._is_partial = not is_final
            if is_final:
                message = bytes(self._message)
                self._message.clear()
                yield TEXT, message

    def _admit(self, now: float) -> None:
        if now - self._since > self._per_seconds:
            self._since, self._count = now, 0
        self._count += 1
        if self._count > self._messages > 0:
            raise Refused(TOO_MANY)

    def _take_frame(self) -> tuple[bool, int, bytes] | None:
        """Remove the buffer's first frame as (is_final, opcode, payload); None while part is missing."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        is_final, opcode = buffer[0] >= 0x80, buffer[0] & 0x0F
        is_masked, size = buffer[1] >= 0x80, buffer[1] & 0x7F
        if buffer[0] & 0x70 or not is_masked or opcode not in _OPCODES:
            raise Refused(PROTOCOL_ERROR)
        is_control = opcode >= CLOSE
        if is_control and (size > 125 or not is_final):
            raise Refused(PROTOCOL_ERROR)
        if not is_control and (opcode == CONTINUATION) != self._is_partial:
            raise Refused(PROTOCOL_ERROR)
        if opcode == BINARY:
            raise Refused(UNSUPPORTED)
        start = 2
        if size > 125:
            start, shortest = (4, 126) if size == 126 else (10, 1 << 16)
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
            if size < shortest or size >> 63:
                raise Refused(PROTOCOL_ERROR)
        if not is_control and size > self._message_bytes - len(self._message):
            raise Refused(TOO_BIG)
        end = start + 4 + size
        if len(buffer) < end:
            return None
        payload = _unmask(buffer[start : start + 4], buffer[start + 4 : end])
        del buffer[:end]
        return is_final, opcode, payload


def _unmask(mask: bytearray, data: bytearray) -> bytes:
    size = len(data)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
