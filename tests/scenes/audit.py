"""What undoing from the log adds to the table of tests/test_stale_screen.py, and an operator who ends a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Event
from party import configuring, moderation, operating, queue, undoing

Step = Callable[[Any], object]


def newest(s: Any, kind: str) -> int:
    """The number of the newest entry of a kind."""
    entry = Event.select(Event.seq).where(Event.kind == kind).order_by(Event.seq.desc())
    return int(entry.scalar())


def removed_long_ago(s: Any) -> None:
    """A track taken off a minute ago."""
    queue.remove_item(s.cast.ada, s.code, s.items[3])
    s.time.move(60)


def undo(kind: str) -> Step:
    """Undo the newest entry of a kind."""
    return lambda s: undoing.undo(s.cast.ada, s.code, newest(s, kind))


COMMANDS: dict[str, tuple[Step, Step]] = {
    "put_back": (removed_long_ago, lambda s: undoing.put_back(s.cast.ada, s.code, s.items[3])),
    "undo of a removal": (removed_long_ago, undo("item_removed")),
    "undo of sending somebody out": (
        lambda s: moderation.kick(s.cast.ada, s.code, s.cast.members["cleo"]),
        undo("person_removed"),
    ),
    "undo of a ban": (
        lambda s: moderation.ban(s.cast.ada, s.code, s.cast.members["cleo"]),
        undo("person_banned"),
    ),
    "undo of settings": (
        lambda s: configuring.change_settings(s.cast.ada, s.code, {"vote": "host", "chat": "off"}),
        undo("settings_changed"),
    ),
    "end_room by an operator": (lambda s: None, lambda s: operating.end_room(None, s.code)),
}
