"""Waiting at a door: a small socket that says when somebody's knock stands otherwise, so that the page looks."""

from __future__ import annotations

import json
import threading

from live import tail, wire
from party import knocks
from party.change import connected
from party.clock import now_ms

DECIDED = 4404
LOOK_SECONDS = 20.0
"""Looked at so often in any case: a ban of the house, a wake-up that was lost."""


def follow(socket: wire.Wire, code: str, user_id: int) -> None:
    """Tell the page whenever the knock changes, and close once it is decided. Returns when the page goes."""
    wake = threading.Event()
    tail.watch(code, wake.set)
    shown = None
    try:
        socket.listen(lambda _text: None, wake.set)
        while socket.is_open:
            wake.clear()
            with connected():
                stands = knocks.waiting(code, user_id)
            if stands != shown:
                # What it came to, the page asks for itself: it may have been away while this was sent.
                socket.send(wire.frame(json.dumps({"t": "knock", "state": stands.state if stands else ""})))
                shown = stands
            if stands is None or stands.is_decided:
                socket.close(DECIDED, "decided")
                return
            wake.wait(min(LOOK_SECONDS, max(0.05, (stands.until_ms - now_ms()) / 1000 + 0.05)))
    finally:
        tail.unwatch(code, wake.set)
