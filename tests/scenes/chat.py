"""What the chat adds to the table of tests/test_stale_screen.py: each command, and what comes before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Message
from party import chat, people

Step = Callable[[Any], object]


def say(s: Any, text: str = "hello", who: str = "cleo", **more: Any) -> int:
    """Somebody of the cast says something."""
    return chat.say(getattr(s.cast, who), s.code, text, **more)


def newest(s: Any) -> int:
    """The newest message."""
    return int(Message.select(Message.id).order_by(Message.id.desc()).scalar())


def talked(s: Any) -> None:
    """Three messages, an answer among them."""
    first = say(s, "one")
    say(s, "two", "ben", reply_to=first)
    say(s, "three @Ben https://a.example", "ada")


def many(s: Any) -> None:
    """More messages than are shown."""
    for number in range(60):
        s.time.move(1)
        say(s, f"word {number}")


def leave_and_come_back(s: Any) -> None:
    """Somebody goes and returns, with words between."""
    people.leave(s.cast.cleo, s.code)
    say(s, "gone", "ben")
    people.join(s.cast.cleo, s.code)


COMMANDS: dict[str, tuple[Step, Step]] = {
    "say": (lambda s: None, say),
    "say after others": (talked, lambda s: say(s, "four")),
    "say an answer": (talked, lambda s: say(s, "yes", reply_to=newest(s))),
    "say, doing something": (talked, lambda s: say(s, "/me dances")),
    "delete_message, one's own": (talked, lambda s: chat.delete_message(s.cast.ada, s.code, newest(s))),
    "delete_message that was answered": (
        talked,
        lambda s: chat.delete_message(s.cast.ada, s.code, newest(s) - 2),
    ),
    "react": (talked, lambda s: chat.react(s.cast.cleo, s.code, newest(s), "🔥")),
    "take_back": (
        lambda s: [talked(s), chat.react(s.cast.cleo, s.code, newest(s), "🔥")],
        lambda s: chat.take_back(s.cast.cleo, s.code, newest(s), "🔥"),
    ),
    "rename of somebody who talked": (talked, lambda s: people.rename(s.cast.cleo, "Clementine")),
    "comings and goings between words": (talked, leave_and_come_back),
    "react to one of many": (
        many,
        lambda s: chat.react(s.cast.ada, s.code, newest(s), "👍"),
    ),
}
