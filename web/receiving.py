"""Reading what people send: piece by piece to the disk, patiently but not without end, and no database meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import gevent
from flask import request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from config import settings
from party import parts, uploads
from party.change import Person
from party.errors import Busy, Invalid, Refusal, TooMany
from party.parts import DiskFull, Part

PIECE_MOST = 8 * 2**20
"""What one PATCH may carry: so much at most is sent again when its answer is lost."""
FORM_MOST = settings.upload_mb * uploads.MEGABYTE + 64 * 1024
STREAMED = {
    "uploads.receive_piece": PIECE_MOST,
    "uploads.send_files": FORM_MOST,
    "uploads.take_share": FORM_MOST,
}
"""Addresses whose bodies are read here, in pieces, after who sends them is known; and how much each takes."""
READ_BYTES = 64 * 1024
IDLE_SECONDS, PIECE_SECONDS, FORM_SECONDS = 20.0, 300.0, 3_600.0
AT_ONCE_PERSON, AT_ONCE = 4, 32
SHAPE = "That did not come through in one piece. Please try again."

_sending: Counter[int] = Counter()


class Patient:
    """A request's body that may pause for so long, and last for so long."""

    def __init__(self, stream: IO[bytes], seconds: float) -> None:
        self._stream, self._deadline = stream, time.monotonic() + seconds

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next bytes, nothing at the end. Raises TimeoutError, and what a broken connection raises."""
        seconds = min(IDLE_SECONDS, self._deadline - time.monotonic())
        with gevent.Timeout(max(seconds, 0.001), TimeoutError):
            return self._stream.read(min(size, READ_BYTES))


@contextmanager
def slot(user_id: int) -> Iterator[None]:
    """One of the places for those who send. Raises TooMany, Busy."""
    if _sending[user_id] >= AT_ONCE_PERSON:
        raise TooMany("Four pieces of yours are on their way already. One moment.")
    if _sending.total() >= AT_ONCE:
        raise Busy("Many people are sending files just now. Yours goes on in a moment.")
    _sending[user_id] += 1
    try:
        yield
    finally:
        _sending[user_id] -= 1
        if not _sending[user_id]:
            del _sending[user_id]


def receive(person: Person, token: str, offset: int, length: int) -> tuple[uploads.Standing, int, bool]:
    """Append one piece. How the upload stands then, how much is here, and whether the piece went where it belongs.

    What came before a connection broke is kept too.
    """
    uploads.standing(person, token)
    with slot(person.user_id), _held(token) as part:
        # Only now: whoever held the file before may have counted more.
        seen = uploads.standing(person, token)
        kept = min(seen.kept_bytes, part.size)
        if seen.state != "receiving" or offset != kept:
            return seen, kept, False
        if kept + length > seen.size_bytes:
            raise Invalid("That is more than the file was said to hold.")
        parts.run(lambda: parts.refuse_full_disk(length))
        with uploads.apart():
            received = _append(part, kept, length)
        uploads.receive(person, token, seen.kept_bytes, received)
        return uploads.standing(person, token), received, True


def take_files(person: Person) -> tuple[dict[str, str], list[tuple[str, Part]]]:
    """The fields and the files of a form that is sent whole; `settle` has to follow. Raises Invalid, DiskFull."""
    made: list[Part] = []

    def incoming(**_facts: object) -> Any:
        made.append(parts.run(lambda: Part(parts.fresh_name())))
        return _Written(made[-1])

    length = request.content_length
    if not length:
        # Without it nobody could say beforehand whether there is room.
        raise Invalid("That came without its length. Send the files one by one.")
    parts.run(lambda: parts.refuse_full_disk(length))
    parser = FormDataParser(
        incoming,
        max_form_memory_size=READ_BYTES,
        max_content_length=FORM_MOST,
        max_form_parts=200,
        silent=False,
    )
    body: Any = Patient(request.stream, FORM_SECONDS)
    with slot(person.user_id), uploads.apart():
        try:
            _, form, files = parser.parse(
                body, request.mimetype, request.content_length, request.mimetype_params
            )
            sent = [(file.filename or "", file.stream.part) for _, file in files.items(multi=True)]
            for _name, part in sent:
                parts.run(part.keep)
        except (OSError, ClientDisconnected, ValueError, DiskFull) as error:
            _drop(made)
            raise error if isinstance(error, DiskFull) else Invalid(SHAPE) from error
    return form.to_dict(), sent


def settle(person: Person, code: str | None, sent: list[tuple[str, Part]]) -> list[str]:
    """Make uploads of files that are here whole. Their tokens; raises the reason when none of them is taken."""
    tokens: list[str] = []
    reason: Refusal | None = None
    for name, part in sent:
        try:
            if name or part.size:
                tokens.append(_settle(person, code, name, part))
        except Refusal as refusal:
            reason = refusal
    _drop([part for _, part in sent if part.token not in tokens])
    if reason and not tokens:
        raise reason
    return tokens


def _settle(person: Person, code: str | None, name: str, part: Part) -> str:
    if code is None:
        token = uploads.begin_shared(person, name, part.size)
    else:
        token = uploads.begin(person, code, name, part.size)
    parts.run(lambda: [part.rename(token), part.keep(), part.close()])
    uploads.receive(person, token, 0, part.size)
    return token


class _Written:
    """What the form's parser writes a file into."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def write(self, data: bytes) -> None:
        parts.run(lambda: self.part.write(data))

    def seek(self, _place: int) -> None:
        """The parser rewinds what it wrote; nobody reads it here."""


@contextmanager
def _held(token: str) -> Iterator[Part]:
    part = parts.run(lambda: Part(token))
    try:
        yield part
    finally:
        parts.run(part.close)


def _append(part: Part, kept: int, length: int) -> int:
    """Write the request's body behind what is kept. How much there is then, on the disk for good."""
    body, left = Patient(request.stream, PIECE_SECONDS), length
    parts.run(lambda: part.cut(kept))
    try:
        while left and (data := _next(body, left)):
            parts.run(lambda data=data: part.write(data))  # type: ignore[misc]
            left -= len(data)
        return int(parts.run(part.keep))
    except DiskFull:
        parts.run(lambda: part.cut(kept))
        raise


def _next(body: Patient, left: int) -> bytes:
    try:
        return body.read(min(READ_BYTES, left))
    except (OSError, ClientDisconnected):
        return b""


def _drop(made: list[Part]) -> None:
    for part in made:
        parts.run(lambda part=part: [part.close(), parts.remove(part.token)])  # type: ignore[misc]
