"""How a command's route answers: the pieces that changed for our scripts, a redirect for plain forms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import g, redirect, request
from werkzeug.wrappers import Response

import fragments
from party import attempts, doorway, people, sealing
from party.change import NO_ROOM, NOT_INSIDE, Person, once
from party.errors import Invalid, NotAllowed, NotFound, NotKnown, Refusal
from party.views import Audience
from web.guard import is_htmx
from web.viewer import actor, viewer

Answer = Response | str | tuple[str, int]
KEY_LONGEST = 64
SAID_SECONDS = 60
"""So long the page that follows a plain form says what came of it."""


def room_code(text: str) -> str:
    """The code of a room that whoever asks may look into. Raises NotFound, or NotAllowed with what the door says."""
    known = viewer()
    return doorway.look(text, known.user_id if known else None, network())


def network() -> str:
    """Whose network a request comes from, as it is kept: a keyed hash."""
    return attempts.digest(attempts.network_of(request.remote_addr or ""))


def command(
    code: str,
    act: Callable[[str], Any],
    extra: Callable[[], str] | None = None,
    *,
    said: Callable[[], str | None] | None = None,
) -> Response | str:
    """Run a command for the person who asks, once per idempotency key, and answer with what changed.

    Somebody who opened no page yet takes their seat first, where the door is open. `extra` adds pieces to the answer
    for our scripts; `said` is a sentence for everybody, "" takes the one before away, None leaves it.
    """
    code, person = _take_seat(code)
    # Somebody was faster: the refusal comes with what the screen had not seen yet.
    g.fresh = lambda: changes(code, person.user_id)
    once(person, idempotency_key(), lambda: act(code))
    words = said() if said else None
    if not is_htmx():
        return redirect(f"/rooms/{code}" + (f"?{_carried(words, person)}" if words else ""), 303)
    told = "" if words is None else fragments.notice(words)
    return changes(code, person.user_id) + (extra() if extra else "") + told


def said_before(user_id: int) -> str:
    """What came of the plain form that led this person here, for a minute."""
    sealed = request.args.get("said", "")
    told = sealing.unseal(sealed, "said", SAID_SECONDS) if sealed else None
    whose, _, words = (told or "").partition(" ")
    return words if whose == str(user_id) else ""


def tried(act: Callable[[], Answer], again: Callable[[str], str]) -> Answer:
    """Do what a form asks, or show its page again with the sentence; our scripts have a place of their own for it."""
    try:
        return act()
    except NotKnown:
        raise
    except Refusal as refusal:
        if is_htmx():
            raise
        return again(refusal.message), refusal.status


def _carried(words: str, person: Person) -> str:
    # Sealed: nobody makes our page say something to somebody else.
    return urlencode({"said": sealing.seal(f"{person.user_id} {words}", "said")})


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
