"""What lives for a moment: signs that float over the track, and who is typing. Kept nowhere, added up, sent seldom."""

from __future__ import annotations

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable

from live import screens, tail, wire
from live.screens import RoomScreens, Screen, later
from party.permissions import can

TAPS_SECONDS = 0.25
"""Taps are added up for so long: a room gets four frames of them a second, however many tap."""
TYPING_SECONDS = 5.0
TYPING_SPACING = 1.0
TYPING_SHOWN = 20
LARGEST_HINT = 4096

process = secrets.token_hex(8)
_taps: dict[str, Counter[str]] = {}
_own: dict[str, Counter[str]] = {}
_typing: dict[str, dict[int, float]] = {}
_told: dict[str, tuple[list[int], float]] = {}
_planned: set[str] = set()
_publish: Callable[[str], object] | None = None


def share(publish: Callable[[str], object]) -> None:
    """Tell the other web processes, and hear what they tell."""
    global _publish
    _publish = publish
    tail.on_hint.append(heard)


def tap(code: str, emoji: str, count: int = 1) -> None:
    """Somebody in this process tapped along."""
    _own.setdefault(code, Counter())[emoji] += count
    _add(code, {emoji: count})


def typing(screen: Screen, room: RoomScreens) -> None:
    """Somebody writes something; those who may not talk are passed over in silence."""
    role = room.roles.get(screen.member_id)
    if role is None or not can(role, "chat", room.settings) or screen.member_id in room.muted:
        return
    _mark(room.code, screen.member_id)
    _tell_others({"c": room.code, "typing": screen.member_id})


def heard(text: str) -> None:
    """What another process tells."""
    said = json.loads(text) if len(text) <= LARGEST_HINT else {}
    if said.get("p") == process or said.get("c") not in screens.rooms:
        return
    if "taps" in said:
        _add(said["c"], said["taps"])
    if "typing" in said:
        _mark(said["c"], int(said["typing"]))


def _add(code: str, taps: dict[str, int]) -> None:
    if code in _taps:
        _taps[code].update(taps)
        return
    _taps[code] = Counter(taps)
    later(TAPS_SECONDS, lambda: _send_taps(code))


def _send_taps(code: str) -> None:
    taps, own = _taps.pop(code, Counter()), _own.pop(code, None)
    _send(code, {"t": "taps", "e": dict(taps)})
    if own:
        _tell_others({"c": code, "taps": dict(own)})


def _mark(code: str, member_id: int) -> None:
    _typing.setdefault(code, {})[member_id] = time.monotonic() + TYPING_SECONDS
    _plan_typing(code)


def _plan_typing(code: str) -> None:
    if code not in _planned:
        _planned.add(code)
        _, told_at = _told.get(code, ([], 0.0))
        later(told_at + TYPING_SPACING - time.monotonic(), lambda: _tell_typing(code))


def _tell_typing(code: str) -> None:
    """Send who writes when that changed; look again until nobody does."""
    _planned.discard(code)
    now = time.monotonic()
    marks = _typing[code] = {seat: until for seat, until in _typing.get(code, {}).items() if until > now}
    ids = sorted(marks)[:TYPING_SHOWN]
    known, _ = _told.get(code, ([], 0.0))
    _told[code] = (ids, now)
    if ids != known:
        _send(code, {"t": "typing", "ids": ids})
    if marks:
        _plan_typing(code)
    else:
        del _typing[code], _told[code]


def _send(code: str, message: dict[str, object]) -> None:
    room = screens.rooms.get(code)
    if room is not None:
        data = wire.frame(json.dumps(message, ensure_ascii=False))
        for screen in list(room.screens):
            # A screen that cannot take it now does without.
            screen.wire.offer(data)


def _tell_others(message: dict[str, object]) -> None:
    if _publish is not None:
        publish, text = _publish, json.dumps({"p": process, **message})
        later(0.0, lambda: publish(text))
