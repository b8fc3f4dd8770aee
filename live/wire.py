"""A WebSocket as the house sees it: whole frames out, short messages in, strangers kept out.

The only module that touches the WebSocket library. flask-sock and simple-websocket answer the handshake; from
then on the socket is ours, because they check no Origin, write without lock or deadline, and start a thread
for each. TLS ends at the proxy.
"""

from __future__ import annotations

import _thread
import contextlib
import logging
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Flask, abort, current_app, request
from flask_sock import Sock

from live import protocol
from live.protocol import PROTOCOL_ERROR, Inbound, Refused, frame

__all__ = ["FAILED", "LOST", "PROTOCOL_ERROR", "TOO_SLOW"]
__all__ += ["Closed", "Limits", "Wire", "frame", "is_own_origin", "route"]

LOST, FAILED, TOO_SLOW = 1006, 1011, 1013

_RECEIVE_BYTES = 4096
_DISCARD_BYTES = 1 << 20
_USER_TIMEOUT_MS = 20_000
# Carries a full redraw at once, and is all that a screen which stopped reading can cost the kernel.
_SEND_BUFFER_BYTES = 128 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one socket may cost. `messages` counts frames, so pings and fragments too; 0 is no limit."""

    send_seconds: float = 10.0
    farewell_seconds: float = 1.0
    message_bytes: int = 8192
    messages: int = 20
    per_seconds: float = 10.0


class Closed(Exception):
    """The socket is no longer open; `code` says why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def is_own_origin(origin: str, host: str, public_url: str = "") -> bool:
    """True for a page of the host it asked, or of the public address."""
    allowed = {f"http://{host}", f"https://{host}"} if host else set()
    if public_url:
        allowed.add("/".join(public_url.split("/")[:3]))
    return origin.lower() in {name.lower() for name in allowed}


def route(
    target: Flask | Blueprint,
    rule: str,
    is_allowed_origin: Callable[[str, str], bool],
    limits: Limits | None = None,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate `handler(wire, **parts of the URL)`; its socket lives until it returns."""

    def decorator(handler: Callable[..., None]) -> Callable[..., None]:
        @wraps(handler)
        def upgraded(library_socket: Any, **parts: Any) -> None:
            wire = Wire(_take_over(library_socket), limits or Limits())
            try:
                handler(wire, **parts)
            except Closed:
                pass
            except Exception:
                # Let out, it would be answered as an HTTP error page into the upgraded stream.
                logger.exception("a socket's handler failed")
            finally:
                wire.finish()

        Sock().route(rule, bp=_Gate(target, is_allowed_origin))(upgraded)
        return handler

    return decorator


class Wire:
    """An open WebSocket. Anybody may send and close; only the reader that `listen` starts receives."""

    __slots__ = ("_lock", "_on_close", "_raw", "_reading", "_sock", "code", "heard_at", "is_open", "limits")

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        self.limits = limits
        self.is_open = True
        self.code = 0
        self.heard_at = time.monotonic()
        self._sock = sock
        # gevent's socket waits inside send(); the system's own below it tells at once how much went out.
        self._raw = getattr(sock, "_sock", sock)
        self._lock = threading.Lock()
        self._reading: Any = None
        self._on_close: Callable[[], object] | None = None
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)

    def listen(self, on_message: Callable[[str], object], on_close: Callable[[], object]) -> None:
        """Start the reader. `on_message` runs in it; `on_close` runs anywhere and only wakes the writer."""
        self._on_close = on_close
        self._reading = threading.Lock()
        self._reading.acquire()
        _thread.start_new_thread(self._read, (on_message,))

    def send(self, data: bytes) -> None:
        """Write a whole frame, or raise Closed. A screen that does not take it in time is cut off."""
        with self._lock:
            if not self.is_open:
                raise Closed(self.code)
            sent = self._push(data)
            if sent < len(data):
                self._send_rest(memoryview(data)[sent:])

    def offer(self, data: bytes) -> bool:
        """Write a whole frame without waiting. False, and nothing is written, when the screen cannot take it now."""
        if not self._lock.acquire(blocking=False):
            return False
        sent = 0
        try:
            if self.is_open:
                sent = self._push(data)
        except Closed:
            pass
        finally:
            if 0 < sent < len(data):
                # What is begun has to be ended, but not by the one who offers.
                _thread.start_new_thread(self._end_begun, (memoryview(data)[sent:],))
            else:
                self._lock.release()
        return sent > 0

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a code of the contract; nothing is sent after it."""
        words = reason.encode()[:120].decode(errors="ignore").encode()
        self._say_goodbye(code, struct.pack("!H", code) + words)

    def finish(self) -> None:
        """End for good; 1011 if the handler merely returned, as a screen stays deaf after a 1000."""
        self.close(FAILED)
        # Hear the other side's goodbye: closing over unread bytes resets the connection, and a reset can
        # overtake our close code. A page sends its first words at once, so this holds for a refusal too.
        if self._reading is None:
            self.listen(_ignore, _ignore)
        self._reading.acquire(timeout=self.limits.farewell_seconds)
        self._cut(LOST)

    def _push(self, data: bytes | memoryview) -> int:
        try:
            return self._raw.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            self._cut(LOST)
            raise Closed(self.code) from None

    def _send_rest(self, rest: memoryview) -> None:
        deadline = time.monotonic() + self.limits.send_seconds
        writable = select.poll()
        writable.register(self._raw, select.POLLOUT)
        while rest:
            left = deadline - time.monotonic()
            if left <= 0 or not writable.poll(left * 1000):
                self._cut(TOO_SLOW)
                raise Closed(self.code)
            rest = rest[self._push(rest) :]

    def _end_begun(self, rest: memoryview) -> None:
        try:
            with contextlib.suppress(Closed):
                self._send_rest(rest)
        finally:
            self._lock.release()

    def _say_goodbye(self, code: int, payload: bytes) -> None:
        if not self._lock.acquire(timeout=self.limits.farewell_seconds):
            # Somebody is stuck half-way through a frame, where no close frame fits.
            self._cut(code)
            return
        try:
            if self.is_open:
                self._leave(code)
                data = protocol.pack(protocol.CLOSE, payload)
                with contextlib.suppress(Closed):
                    if self._push(data) < len(data):
                        self._cut(code)
        finally:
            self._lock.release()

    def _cut(self, code: int) -> None:
        self._leave(code)
        # Not close(): others may still wait on this file number, and the next connection would be given it.
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def _leave(self, code: int) -> None:
        if self.is_open:
            self.is_open = False
            self.code = code
            if self._on_close is not None:
                self._on_close()

    def _read(self, on_message: Callable[[str], object]) -> None:
        try:
            self._hear(on_message)
            self._cut(LOST)
        except Refused as refusal:
            self.close(refusal.code)
        except Closed:
            pass
        except Exception:
            logger.exception("a socket's reader failed")
            self.close(FAILED)
        finally:
            self._discard()
            self._cut(LOST)
            self._reading.release()

    def _hear(self, on_message: Callable[[str], object]) -> None:
        inbound = Inbound(self.limits.message_bytes, self.limits.messages, self.limits.per_seconds)
        while data := self._receive():
            self.heard_at = time.monotonic()
            for opcode, payload in inbound.take(data, self.heard_at):
                if opcode == protocol.CLOSE:
                    self._say_goodbye(protocol.read_close_code(payload), payload[:2])
                    return
                if not self.is_open:
                    continue
                if opcode == protocol.PING:
                    self.send(protocol.pack(protocol.PONG, payload))
                elif opcode == protocol.TEXT:
                    on_message(protocol.read_text(payload))

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(_RECEIVE_BYTES)
        except OSError:
            return b""

    def _discard(self) -> None:
        left = _DISCARD_BYTES
        while left > 0 and (data := self._receive()):
            left -= len(data)


class _Gate:
    """Stands where flask-sock expects a blueprint, so that refusals come before the upgrade."""

    def __init__(self, target: Flask | Blueprint, is_allowed_origin: Callable[[str, str], bool]) -> None:
        self._target = target
        self._is_allowed_origin = is_allowed_origin

    def route(self, rule: str, **options: Any) -> Callable[[Callable[..., Any]], None]:
        def decorator(upgrade: Callable[..., Any]) -> None:
            @wraps(upgrade)
            def guarded(**parts: Any) -> Any:
                self._refuse_strangers()
                # The library accepts compression whenever it is offered, at about 100 KiB for each socket.
                request.environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
                current_app.config["SOCK_SERVER_OPTIONS"] = _LIBRARY_OPTIONS
                try:
                    return upgrade(**parts)
                except Exception:
                    # A handler lets nothing out, so this is a handshake the library could not read.
                    abort(400)

            self._target.route(rule, **options)(guarded)

        return decorator

    def _refuse_strangers(self) -> None:
        # No Origin means no browser, so nobody's cookies are being borrowed.
        origin = request.environ.get("HTTP_ORIGIN")
        if origin is not None and not self._is_allowed_origin(origin, request.environ.get("HTTP_HOST", "")):
            abort(403)
        if request.environ.get("HTTP_SEC_FETCH_SITE", "").lower() == "cross-site":
            abort(403)


class _Nothing:
    """What the library is given in place of its thread and event, since the socket is read here."""

    name = ""

    def __init__(self, target: object = None) -> None:
        pass

    def start(self) -> None:
        pass

    set = start


_LIBRARY_OPTIONS = {"thread_class": _Nothing, "event_class": _Nothing}


def _ignore(*_: object) -> None:
    pass


def _take_over(library_socket: Any) -> socket.socket:
    # Not connected in its own eyes, the library leaves the goodbye to us; the rest is memory set free.
    library_socket.connected = False
    library_socket.ws = library_socket.environ = None
    sock: socket.socket = library_socket.sock
    return sock
