"""Waking the screens of a room when its number grows: at once for this process's commits, soon for all others'."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from party import snapshot
from party.change import connected

_rooms: dict[str, set[Callable[[], None]]] = {}
_heads: dict[str, int] = {}

logger = logging.getLogger(__name__)


def watch(code: str, wake: Callable[[], None]) -> None:
    """Have `wake` called whenever the room's number grows or its people change."""
    _rooms.setdefault(code, set()).add(wake)


def unwatch(code: str, wake: Callable[[], None]) -> None:
    """No longer call `wake`."""
    watchers = _rooms.get(code)
    if watchers is not None:
        watchers.discard(wake)
        if not watchers:
            del _rooms[code]
            _heads.pop(code, None)


def committed(code: str, seq: int) -> None:
    """A commit listener: this process moved the room on."""
    if code in _rooms and _heads.get(code, 0) < seq:
        _heads[code] = seq
        _rouse(code)


def heads_changed(heads: list[tuple[str, int]]) -> None:
    """What the database says; rooms that moved on are woken."""
    for code, seq in heads:
        committed(code, seq)


def watched() -> list[str]:
    """Codes of the rooms somebody here looks at."""
    return list(_rooms)


def _rouse(code: str) -> None:
    for wake in list(_rooms.get(code, ())):
        wake()


class SqliteProbe:
    """Says whether another connection has committed: PRAGMA data_version costs microseconds and reads no table.

    Source: https://sqlite.org/pragma.html#pragma_data_version
    """

    interval = 0.05

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._last = self._read()

    def moved(self) -> bool:
        """True once after each change by any other connection."""
        version = self._read()
        moved, self._last = version != self._last, version
        return moved

    def _read(self) -> Any:
        return self._connection.execute("PRAGMA data_version").fetchone()[0]


class AlwaysProbe:
    """For databases without such a sign: every poll looks."""

    interval = 0.25

    def moved(self) -> bool:
        """Always true."""
        return True


def read_heads() -> list[tuple[str, int]]:
    """The numbers of the watched rooms as the database has them."""
    with connected():
        return snapshot.heads(watched())


def follow(probe: SqliteProbe | AlwaysProbe, is_running: Callable[[], bool]) -> None:
    """Poll until told to stop. A failure is logged and the next poll tries again."""
    while is_running():
        try:
            if _rooms and probe.moved():
                heads_changed(read_heads())
        except Exception:
            logger.exception("the tail could not read the rooms")
        time.sleep(probe.interval)


def follow_redis(url: str, is_running: Callable[[], bool]) -> None:
    """Take wake-ups from Redis; after any gap look at the database, since a subscriber is never told what it missed."""
    import redis

    while is_running():
        try:
            listener = redis.Redis.from_url(url).pubsub()
            listener.subscribe(CHANNEL, HINTS)
            heads_changed(read_heads())
            while is_running():
                message = listener.get_message(ignore_subscribe_messages=True, timeout=5.0)
                if message is not None and message["channel"] == HINTS.encode():
                    for take in on_hint:
                        take(message["data"].decode())
                elif message is not None:
                    code, _, seq = message["data"].decode().partition(" ")
                    committed(code, int(seq))
        except redis.RedisError:
            time.sleep(1.0)
        except Exception:
            logger.exception("the Redis listener failed")
            time.sleep(1.0)


CHANNEL, HINTS = "partyline:rooms", "partyline:hints"
on_hint: list[Callable[[str], object]] = []
"""Who takes what other processes tell and nobody keeps: taps, typing."""


def publisher(url: str) -> Callable[[str, int], None]:
    """A commit listener that tells the other processes through Redis. Failing costs a poll's delay, nothing else."""
    import redis

    client = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2)

    def publish(code: str, seq: int) -> None:
        client.publish(CHANNEL, f"{code} {seq}")

    return publish


def teller(url: str) -> Callable[[str], object]:
    """Tells the other processes something that may be lost."""
    import redis

    client = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2)

    def tell(text: str) -> None:
        with contextlib.suppress(redis.RedisError):
            client.publish(HINTS, text)

    return tell


def has_bus(url: str) -> Callable[[], bool]:
    """Whether wake-ups from other processes arrive: by Redis when it is named, else by watching the database."""
    if not url:
        return lambda: True
    import redis

    client = redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False

    return answers
