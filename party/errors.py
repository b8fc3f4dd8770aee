"""The refusals: each with a code, a status and one sentence to the person."""

from __future__ import annotations


class Refusal(Exception):
    """What was asked is not done, and nothing changed. `message` says so to the person."""

    code = "refused"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(Refusal):
    """The input makes no sense."""

    code, status = "invalid", 422


class NotKnown(Refusal):
    """Nobody is signed in: a name is needed first."""

    code, status = "not_known", 401


class NotAllowed(Refusal):
    """Seen, but not permitted."""

    code, status = "not_allowed", 403


class NotFound(Refusal):
    """Not there, or not for these eyes; the two answer alike."""

    code, status = "not_found", 404


class Conflict(Refusal):
    """Somebody was faster, or the state moved on."""

    code, status = "conflict", 409


class Over(Refusal):
    """The room has ended; nothing changes any more."""

    code, status = "over", 410


class TooMany(Refusal):
    """Too fast, or too much."""

    code, status = "too_many", 429


class Busy(Refusal):
    """The database could not be had in time; try again."""

    code, status = "busy", 503
