"""Tasks that ask others over the network: together, and with letters, they hold half of the worker's threads at most.

However slow others are, the other half keeps the promises of rooms. What finds no place waits here, in its order, and
is handed over again as places get free; what is lost with a worker is found by the sweep, from the rows.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

from party import work
from tasks import huey

AT_ONCE = 3
"""With the one that letters have (tasks/mail.py) half of the worker's threads (Procfile)."""
BEHIND = -1
"""The priority of what waits for others: tracks that end go first."""

Work = tuple[str, tuple[Any, ...]]

_lock = threading.Lock()
_tasks: dict[str, Callable[..., Any]] = {}
_waiting: list[Work] = []
_held = 0
logger = logging.getLogger(__name__)


def goes_outside(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a task of what asks others, by the name that party.work has for it."""

    def make(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def bounded(*arguments: Any) -> Any:
            if not _enter((name, arguments)):
                return None
            try:
                return function(*arguments)
            finally:
                _leave()

        _tasks[name] = huey.task(priority=BEHIND, name=name)(bounded)
        return _tasks[name]

    return make


def hand_over_lost(found: Iterable[Work]) -> None:
    """Hand over what the rows say is left to do, but for what still waits for a thread or a place."""
    left = list(found)
    if not left:
        return
    with _lock:
        waiting = list(_waiting)
    waiting += [(task.name, tuple(task.args)) for task in huey.pending()]
    for name, arguments in left:
        if (name, arguments) not in waiting:
            work.hand_over(name, *arguments)


@huey.on_shutdown()
def give_back() -> None:
    """In a worker that ends: what waits here goes back into the queue, for the next one."""
    with _lock:
        left = list(_waiting)
        _waiting.clear()
    for each in left:
        _hand_over(each)


def _enter(wanted: Work) -> bool:
    """Take a place; without a free one, remember what is to be done, once."""
    global _held
    with _lock:
        if _held < AT_ONCE:
            _held += 1
            return True
        if wanted not in _waiting:
            _waiting.append(wanted)
        return False


def _leave() -> None:
    """Give the place back, and have done what waits longest for one."""
    global _held
    with _lock:
        _held -= 1
        longest = _waiting.pop(0) if _waiting else None
    if longest is not None:
        _hand_over(longest)


def _hand_over(waiting: Work) -> None:
    name, arguments = waiting
    try:
        _tasks[name](*arguments)
    except Exception:
        # The queue is away; the task that was just done is done all the same.
        logger.exception("%s was not handed over again", name)
