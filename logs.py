"""What this program says of itself: one JSON object a line, with a request's number, and nobody's words in it.

Standard `logging` calls come out the same way. A line never holds a cookie, a token, an address of a person or the code
of a room, since that opens a door. What slips into a message or the text of an exception is struck out on the way.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, TextIO

import structlog

FACTS = ("method", "path", "status", "duration_ms", "session")
"""What web.tracing says of a request beside its number."""
OUR_OWN = ("time", "request_id", "session")
TAKEN_OVER = ("gunicorn.error", "gunicorn.access", "huey")
TALKATIVE = ("huey", "peewee")
"""These tell every task and every query with its values, at levels that somebody might ask for."""

LONGEST = 8_000
PLACES = (" ", "Traceback (")
QUOTED = re.compile(r"""(?<!\w)b?'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|“[^”]*”""")
STRUCK_OUT = (
    (re.compile(r"[^\s@\"'<>()\[\]=:,;]+@[^\s@\"'<>()\[\]=:,;]+"), "[address]"),
    (re.compile(r"(?<=/rooms/)[^\s/?\"'<]+|(?<=for room )\S+"), "[room]"),
    (
        re.compile(r"(?<=/invites/)[^\s/?\"'<]+|(?<=/reset/)[^\s/?\"'<]+|(?<=/confirm/)[^\s/?\"'<]+"),
        "[token]",
    ),
    (re.compile(r"(?<![\w/.-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[A-Za-z0-9_-]{22,}(?![\w/.-])"), "[token]"),
    (re.compile(r"\$argon2\S+"), "[hash]"),
    (
        re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{0,4}"),
        "[network]",
    ),
    # The database repeats the values it would not take.
    (re.compile(r"DETAIL:[^\n]*"), "DETAIL: [values]"),
)


def configure(stream: TextIO | None = None, level: int | None = None) -> logging.Handler:
    """Send every logger's lines to the stream (stderr) as JSON. Requests are told unless a person is looking on."""
    stream = stream or sys.stderr
    if level is None:
        level = logging.WARNING if stream.isatty() else logging.INFO
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(FACTS),
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                strike_words,
                strike_out,
                structlog.processors.JSONRenderer(ensure_ascii=True, default=repr),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in TAKEN_OVER:
        # These bring handlers of their own, which write plain lines.
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    return handler


def strike_words(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """What failed and where stays; what an exception quotes may be a person's name or words, and goes."""
    if isinstance(line.get("exception"), str):
        said = line["exception"].split("\n")
        line["exception"] = "\n".join(
            each if each.startswith(PLACES) else QUOTED.sub("[words]", each) for each in said
        )
    return line


def strike_out(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """The line without what belongs to people: addresses, tokens, codes of rooms."""
    return {name: value if name in OUR_OWN else _struck(value) for name, value in line.items()}


def _struck(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, mark in STRUCK_OUT:
            value = pattern.sub(mark, value)
        return value if len(value) <= LONGEST else f"{value[:LONGEST]} …"
    if isinstance(value, dict):
        return {_struck(name): _struck(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_struck(each) for each in value]
    return value
