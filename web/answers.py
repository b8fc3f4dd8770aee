"""How a command's route answers: the pieces that changed for our scripts, a redirect for plain forms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import g, redirect, request
from werkzeug.wrappers import Response

import fragments
from party import attempts, doorway, people
from party.change import NO_ROOM, NOT_INSIDE, Person, once
from party.errors import Invalid, NotAllowed, NotFound
from party.views import Audience
from web.guard import is_htmx
from web.viewer import actor, viewer

KEY_LONGEST = 64


def room_code(text: str) -> str:
    """The code of a room that whoever asks may look into. Raises NotFound, or NotAllowed with what the door says."""
    known = viewer()
    return doorway.look(text, known.user_id if known else None, network())


def network() -> str:
    """Whose network a request comes from, as it is kept: a keyed hash."""
    return attempts.digest(attempts.network_of(request.remote_addr or ""))


def command(code: str, act: Callable[[str], Any], extra: Callable[[], str] | None = None) -> Response | str:
    """Run a command for the person who asks, once per idempotency key, and answer with what changed.

    Somebody who opened no page yet takes their seat first, where the door is open. `extra` adds pieces to the answer
    for our scripts.
    """
    code, person = _take_seat(code)
    # Somebody was faster: the refusal comes with what the screen had not seen yet.
    g.fresh = lambda: changes(code, person.user_id)
    once(person, idempotency_key(), lambda: act(code))
    if not is_htmx():
        return redirect(f"/rooms/{code}", 303)
    return changes(code, person.user_id) + (extra() if extra else "")


def _take_seat(typed: str) -> tuple[str, Person]:
    known = viewer()
    door = doorway.find(typed, known.user_id if known else None, network())
    if door is None:
        raise NotFound(NO_ROOM)
    person = actor()
    if door.way == "inside":
        return door.code, person
    if door.was_sent_out and door.way == "open":
        # Who was sent out comes back by the door, not by a button on a page they still had.
        raise NotAllowed(NOT_INSIDE)
    people.join(person, door.code, network())
    return door.code, person


def changes(code: str, user_id: int) -> str:
    """What the person's screen lacks, and their own share; empty for somebody without a seat."""
    share = fragments.own_share(code, user_id)
    if share is None:
        return ""
    after = request.headers.get("X-Partyline-After", type=int)
    frame = fragments.since(code, Audience(share.role), after, request.headers.get("X-Partyline-Epoch"))
    return frame.html + fragments.own(share)


def idempotency_key() -> str | None:
    """What makes a repeated request known as such. Raises Invalid."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= KEY_LONGEST:
        raise Invalid("An idempotency key has 1 to 64 letters.")
    # One key, one effect: the same letters sent to another address are another key.
    return hashlib.sha256(f"{request.method} {request.path} {key}".encode()).hexdigest() if key else None


def whole_number(name: str, *, required: bool = True, low: int = 0, high: int = 2**53) -> int | None:
    """A form field as a whole number. Raises Invalid with a sentence."""
    text = request.values.get(name, "").strip()
    if not text:
        if required:
            raise Invalid(f"“{name}” is missing.")
        return None
    # int() takes underscores and other scripts' digits; a form field has neither.
    if not re.fullmatch("-?[0-9]{1,16}", text):
        raise Invalid(f"“{name}” should be a whole number.")
    number = int(text)
    if not low <= number <= high:
        raise Invalid(f"“{name}” is out of range.")
    return number
