"""Rank keys: short texts whose byte order is the order of rows, so a move writes one row.

A strict door in front of the fractional-indexing library, which accepts some malformed keys and fails on
others in its own ways. Keys use 0-9A-Za-z and are compared byte by byte, never by a locale.
"""

from __future__ import annotations

import re

from fractional_indexing import (
    FIError,
    generate_key_between,
    generate_n_keys_between,
)

MAX_LENGTH = 32
"""A longer key asks for renumbering. The library recurses once per character, so this bounds that too."""

_DIGIT = "[0-9A-Za-z]"
# The head says how many digits follow: a to z are 1 to 26 of them, Z down to A the same below zero.
_WHOLE = "|".join(f"[{chr(97 + n)}{chr(90 - n)}]{_DIGIT}{{{n + 1}}}" for n in range(26))
# The lowest whole number has nothing before it, so it is no key; a fraction never ends in 0.
_KEY = re.compile(rf"(?!A0{{26}}\Z)(?:{_WHOLE})(?:{_DIGIT}*[1-9A-Za-z])?")


class BadRank(ValueError):
    """A text that is no rank key."""


class NoGap(ValueError):
    """No place between two neighbours: equal, the wrong way round, or at the very end of all keys."""


def between(before: str | None, after: str | None) -> str:
    """A key after `before` and before `after`; None stands for the end of the line on that side.

    The key may be one digit over the cap: then `needs_renumbering` says so and the caller renumbers at once.
    """
    _refuse_no_gap(before, after)
    try:
        key: str = generate_key_between(before, after)
    except FIError as trouble:
        raise NoGap(f"no key between {before!r} and {after!r}: {trouble}") from trouble
    if not _KEY.fullmatch(key):
        raise NoGap(f"no key between {before!r} and {after!r}")
    return key


def several(count: int, before: str | None = None, after: str | None = None) -> list[str]:
    """So many keys in ascending order, short and with room between them: what renumbering hands out.

    All stand after `before` and before `after`; between neighbours that are close they grow long like any other.
    """
    if count < 0:
        raise ValueError(f"{count} keys cannot be made")
    _refuse_no_gap(before, after)
    keys: list[str] = generate_n_keys_between(before, after, count)
    return keys


def needs_renumbering(key: str) -> bool:
    """True when the rows around this key should be given fresh ones in the same transaction."""
    return len(key) > MAX_LENGTH


def _refuse_no_gap(before: str | None, after: str | None) -> None:
    for neighbour in (before, after):
        if neighbour is not None:
            _refuse_malformed(neighbour)
    if before is not None and after is not None and before >= after:
        raise NoGap(f"{before!r} does not stand before {after!r}")


def _refuse_malformed(key: str) -> None:
    if len(key) > MAX_LENGTH:
        raise BadRank(f"a rank key of {len(key)} characters; over {MAX_LENGTH} it had to be renumbered")
    if not _KEY.fullmatch(key):
        raise BadRank(f"{key!r} is no rank key")
