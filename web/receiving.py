"""Reading what people send: piece by piece to the disk, patiently but not without end, and no database meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import IO, Any

import gevent
from flask import request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from config import settings
from party import parts, under_way, uploads
from party.change import Person
from party.errors import Invalid, Refusal
from party.parts import DiskFull, Part
from web.answers import network
from web.places import Places, Share

PIECE_MOST = 8 * 2**20
"""What one PATCH may carry: so much at most is sent again when its answer is lost."""
FORM_FILES, FORM_WORDS = 40, 64 * 1024
"""How many files one form may bring, and how many bytes it takes beside theirs."""
FORM_MOST = settings.upload_mb * uploads.MEGABYTE + FORM_WORDS
STREAMED = {
    "uploads.receive_piece": PIECE_MOST,
    "uploads.send_files": FORM_MOST,
    "uploads.take_share": FORM_MOST,
}
"""Addresses whose bodies are read here, in pieces, after who sends them is known; and how much each takes."""
READ_BYTES, BOUNDARY_MOST = 64 * 1024, 1024
IDLE_SECONDS, PIECE_SECONDS, FORM_SECONDS = 20.0, 300.0, 3_600.0
SHAPE = "That did not come through in one piece. Please try again."
MANY_FILES = f"One form takes {FORM_FILES} files. Send the rest after these."

places = Places(
    Share(32, "Many people are sending files just now. Yours goes on in a moment."),
    person=Share(4, "Four pieces of yours are on their way already. One moment."),
    # A whole party may sit in one network.
    network=Share(16, "Many files are on their way from where you are already. One moment."),
)
"""One for each request that sends; so many of this process, a person and a network at once."""


class Patient:
    """A request's body that may pause for so long, and last for so long."""

    def __init__(self, stream: IO[bytes], seconds: float) -> None:
        self._stream, self._deadline = stream, time.monotonic() + seconds

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next bytes, nothing at the end. Raises TimeoutError, and what a broken connection raises."""
        seconds = min(IDLE_SECONDS, self._deadline - time.monotonic())
        with gevent.Timeout(max(seconds, 0.001), TimeoutError):
            return self._stream.read(min(size, READ_BYTES))


def receive(person: Person, token: str, offset: int, length: int) -> tuple[uploads.Standing, int, bool]:
    """Append one piece. How the upload stands then, how much is here, and whether the piece went where it belongs.

    What came before a connection broke is kept too.
    """
    uploads.standing(person, token)
    with _place(person), _held(token) as part:
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


def form_bytes() -> int:
    """How many bytes of files a form brings at the least, by what it says of its length; 0 where it may be none."""
    return max(0, (request.content_length or 0) - FORM_WORDS)


def take_files(person: Person) -> tuple[dict[str, str], list[tuple[str, Part]]]:
    """The fields and the files of a form that is sent whole; `settle` has to follow. Raises Invalid, DiskFull.

    What is refused leaves nothing on the disk, however far it came.
    """
    length = request.content_length
    if not length:
        # Without it nobody could say beforehand whether there is room.
        raise Invalid("That came without its length. Send the files one by one.")
    parts.run(lambda: parts.refuse_full_disk(length))
    coming = _Form(length)
    parser = FormDataParser(
        coming.open_file,
        # The parser keeps what may be the beginning of a boundary, and counts it with what is read next.
        max_form_memory_size=READ_BYTES + BOUNDARY_MOST,
        max_content_length=FORM_MOST,
        max_form_parts=200,
        silent=False,
    )
    body: Any = Patient(request.stream, FORM_SECONDS)
    with _place(person), uploads.apart(), ExitStack() as unfinished:
        unfinished.callback(_drop, coming.made)
        try:
            _, form, files = parser.parse(body, request.mimetype, length, request.mimetype_params)
            sent = [(file.filename or "", file.stream.part) for _, file in files.items(multi=True)]
            for _name, part in sent:
                parts.run(part.keep)
        except (OSError, ClientDisconnected, ValueError) as error:
            raise Invalid(SHAPE) from error
        unfinished.pop_all()
    return form.to_dict(), sent


def settle(
    person: Person, code: str | None, sent: list[tuple[str, Part]]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Make uploads of files that are here whole. Their tokens, and the names of those not taken, each with the reason.

    Raises when none of them is taken; else the room's page tells of the others too.
    """
    tokens: list[str] = []
    refused: list[tuple[str, int, str]] = []
    reason: Refusal | None = None
    try:
        for name, part in sent:
            try:
                if name or part.size:
                    tokens.append(_settle(person, code, name, part))
            except Refusal as refusal:
                reason = refusal
                refused.append((under_way.clean_name(name), part.size, refusal.message))
    finally:
        _drop([part for _, part in sent if part.token not in tokens])
    told = [(name, sentence) for name, _, sentence in refused]
    if reason and not tokens:
        reason.message = _in_words(told)
        raise reason
    if refused:
        under_way.note_refused(person, code, refused)
    return tokens, told


def _in_words(told: list[tuple[str, str]]) -> str:
    """Each reason once, behind the files that it is about."""
    about: dict[str, list[str]] = {}
    for name, sentence in told:
        about.setdefault(sentence, []).append(f"“{name}”")
    return " ".join(f"{', '.join(names)}: {sentence}" for sentence, names in about.items())


def _settle(person: Person, code: str | None, name: str, part: Part) -> str:
    if code is None:
        token = uploads.begin_shared(person, name, part.size)
    else:
        token = uploads.begin(person, code, name, part.size)
    parts.run(lambda: [part.rename(token), part.keep(), part.close()])
    uploads.receive(person, token, 0, part.size)
    return token


def _place(person: Person) -> AbstractContextManager[None]:
    return places.held(person=person.user_id, network=network())


class _Form:
    """The files of a form while they come: not too many, and the disk is asked again for each PIECE_MOST of them."""

    def __init__(self, length: int) -> None:
        self.made: list[Part] = []
        self._left, self._granted = length, 0

    def open_file(self, **_facts: object) -> Any:
        """What the parser writes the next file into. Raises Invalid."""
        if len(self.made) >= FORM_FILES:
            raise Invalid(MANY_FILES)
        self.made.append(parts.run(lambda: Part(parts.fresh_name())))
        return _Written(self, self.made[-1])

    def write(self, part: Part, data: bytes) -> None:
        """Append to one of the files. Raises DiskFull."""
        if self._granted < len(data):
            self._granted = max(min(PIECE_MOST, self._left), len(data))
            parts.refuse_full_disk(self._granted)
        part.write(data)
        self._left, self._granted = self._left - len(data), self._granted - len(data)


class _Written:
    """What the form's parser writes a file into."""

    def __init__(self, form: _Form, part: Part) -> None:
        self._form, self.part = form, part

    def write(self, data: bytes) -> None:
        parts.run(lambda: self._form.write(self.part, data))

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
