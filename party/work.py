"""Work that is too slow for a command: it is named here, and carried to the worker once the command is committed.

app.py and the worker fill in the carriers. Where one is missing, or the queue is away, the worker's sweep finds what
was left: everything handed over here can be seen from the rows as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from models import database

carriers: dict[str, Callable[..., Any]] = {}


def hand_over(name: str, *arguments: Any) -> None:
    """Have a task run after the open transaction, or now where none is open."""
    if database.obj.in_transaction():
        database.obj.after_commit(lambda: _carry(name, arguments))
    else:
        _carry(name, arguments)


def _carry(name: str, arguments: tuple[Any, ...]) -> None:
    carrier = carriers.get(name)
    if carrier is None:
        return
    try:
        carrier(*arguments)
    except Exception:
        # What is committed stays; the sweep will see to it.
        logging.getLogger(__name__).exception("%s was not handed over", name)
