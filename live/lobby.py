"""The list of rooms, live: whoever looks at the front page gets what changed, once a second, made once for all.

Anybody may watch, without a name. While nobody does, nothing is read and nothing is made.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Any

from flask import Flask, current_app, request

import fragments
from config import Settings
from live import presence, wire
from party import discovery
from party.change import connected
from party.discovery import Listing, RoomCard

RESTART, OVERLOADED = 1012, 1013
TICK_SECONDS = 1.0
BEAT_SECONDS = 20.0
MOST_WATCHERS = 1_000
"""Beyond these a page asks by HTTP now and then. gunicorn.conf.py leaves room for them beside rooms and pages."""

logger = logging.getLogger(__name__)


class Watcher:
    """One front page that is open. `asked` is what it shows, and since when, while it waits to be told of all that."""

    __slots__ = ("asked", "has_missed", "network", "wake", "wire")

    def __init__(self, socket: wire.Wire, network: str) -> None:
        self.wire, self.network = socket, network
        self.wake = threading.Event()
        self.asked: tuple[list[str], int] | None = None
        self.has_missed = False


_watchers: dict[Watcher, None] = {}
_per_network: Counter[str] = Counter()
_lock = threading.Lock()
_is_ticking = False
_made: dict[str, tuple[RoomCard, str]] = {}
"""Cards as HTML, by code, while the list is watched: many pages ask for the same ones."""


def init(app: Flask, settings: Settings) -> None:
    """Open the door."""

    def is_allowed(origin: str, host: str) -> bool:
        return wire.is_own_origin(origin, host, settings.public_url)

    wire.route(app, "/live/lobby", is_allowed, wire.Limits())(_watch)


def _watch(socket: wire.Wire) -> None:
    settings: Settings = current_app.config["SETTINGS"]
    watcher = Watcher(socket, request.remote_addr or "")
    if not _admit(watcher, settings):
        socket.close(OVERLOADED, "full")
        return
    try:
        socket.listen(lambda text: _hear(watcher, text), watcher.wake.set)
        while socket.is_open:
            watcher.wake.wait()
            watcher.wake.clear()
    finally:
        with _lock:
            del _watchers[watcher]
            _per_network[watcher.network] -= 1
            if not _per_network[watcher.network]:
                del _per_network[watcher.network]


def _admit(watcher: Watcher, settings: Settings) -> bool:
    global _is_ticking
    most = min(settings.max_sockets or MOST_WATCHERS, MOST_WATCHERS)
    with _lock:
        is_full = len(_watchers) >= most or not presence.is_running()
        if is_full or 0 < settings.max_sockets_per_network <= _per_network[watcher.network]:
            return False
        _watchers[watcher] = None
        _per_network[watcher.network] += 1
        if not _is_ticking:
            _is_ticking = True
            threading.Thread(target=_tick_while_watched, daemon=True).start()
    return True


def _hear(watcher: Watcher, text: str) -> None:
    try:
        said = json.loads(text)
        kind, codes, since = said.get("t"), said.get("codes"), said.get("since")
    except (ValueError, AttributeError, RecursionError):
        kind = codes = since = None
    is_list = isinstance(codes, list) and all(isinstance(code, str) for code in codes)
    if kind != "shown" or not is_list or not isinstance(since, int):
        watcher.wire.close(wire.PROTOCOL_ERROR, "not understood")
        return
    # Answered with the next tick, so that asking often costs no more than asking once.
    watcher.asked = (codes, since)


def _tick_while_watched() -> None:
    global _is_ticking
    known: Listing | None = None
    beat_at = time.monotonic() + BEAT_SECONDS
    while True:
        began = time.monotonic()
        with _lock:
            if not _watchers or not presence.is_running():
                _is_ticking = False
                _made.clear()
                leaving = list(_watchers)
                break
        try:
            known = _tick(known, is_beat_due=began >= beat_at)
        except Exception:
            # What was not sent now is in the next difference.
            logger.exception("the list of rooms could not be brought up to date")
        if began >= beat_at:
            beat_at = began + BEAT_SECONDS
        time.sleep(max(0.05, began + TICK_SECONDS - time.monotonic()))
    for watcher in leaving:
        # Only on the way out of the process is anybody left.
        watcher.wire.close(RESTART, "restarting")


def _tick(known: Listing | None, is_beat_due: bool) -> Listing:
    """Read the list, send everybody what differs from the last reading, answer those who asked."""
    with connected():
        now = discovery.look()
    frames = _difference(known, now) if known is not None else []
    if not frames and is_beat_due:
        frames = [wire.frame('{"t":"beat"}')]
    for watcher in list(_watchers):
        if watcher.has_missed:
            # It says what it shows and gets all of that: what exactly it missed nobody kept.
            watcher.has_missed = False
            _offer(watcher, wire.frame('{"t":"again"}'))
            continue
        asked, watcher.asked = watcher.asked, None
        for data in [*frames, *(_answer(*asked, now) if asked is not None else [])]:
            _offer(watcher, data)
    return now


def _offer(watcher: Watcher, data: bytes) -> None:
    if not watcher.wire.offer(data):
        watcher.has_missed = True


def _difference(known: Listing, now: Listing) -> list[bytes]:
    """What leads from one reading to the next: pieces of HTML, and which rooms came or went."""
    come = [code for code in now.cards if code not in known.cards]
    gone = [code for code in known.cards if code not in now.cards]
    changed: list[RoomCard] = []
    counts: list[RoomCard] = []
    for code, card in now.cards.items():
        before = known.cards.get(code)
        if before is not None and before != card:
            is_count = replace(before, people=card.people) == card
            (counts if is_count else changed).append(card)
    frames = []
    if come or gone or changed or counts:
        html = _sum(now) + _pieces(changed, counts, gone)
        frames.append(wire.frame(html))
    if come or gone:
        frames.append(_news(come, gone))
    return frames


def _answer(asked: list[str], since: int, now: Listing) -> list[bytes]:
    """The cards a page shows as they are now, and the rooms that opened while nobody told it."""
    fresh, gone = discovery.pick(now, asked)
    html = _sum(now) + "".join(_card(card) for card in fresh) + _pieces([], [], gone)
    return [wire.frame(html), _news(now.come_after(since), [])]


def _news(come: list[str], gone: list[str]) -> bytes:
    return wire.frame(json.dumps({"t": "rooms", "come": come, "gone": gone}))


def _sum(now: Listing) -> str:
    return _render("fragments/rooms_sum.html", rooms=len(now.cards), people=now.people)


def _card(card: RoomCard) -> str:
    made = _made.get(card.code)
    if made is None or made[0] != card:
        made = _made[card.code] = (card, _render("fragments/room_card.html", card=card))
    return made[1]


def _pieces(changed: list[RoomCard], counts: list[RoomCard], gone: list[str]) -> str:
    for code in gone:
        _made.pop(code, None)
    return _render("layouts/fresh_cards.html", cards=changed, counts=counts, gone=gone)


def _render(template: str, **values: Any) -> str:
    return fragments.render(template, **values, oob=fragments.IN_PLACE)
