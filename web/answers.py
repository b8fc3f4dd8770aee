"""How a command's route answers: the pieces that changed for our scripts, a redirect for plain forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import g, redirect, request
from werkzeug.wrappers import Response

import fragments
from party import people, rooms
from party.change import once
from party.errors import Invalid, NotFound
from party.views import Audience
from web.guard import is_htmx
from web.viewer import actor

KEY_LONGEST = 64


def room_code(text: str) -> str:
    """The code of the room that answers to what the address says. Raises NotFound."""
    room = rooms.find(text)
    if room is None:
        raise NotFound("No room answers to that code. It may have changed: ask for the new one.")
    return str(room.code)


def command(code: str, act: Callable[[str], Any], extra: Callable[[], str] | None = None) -> Response | str:
    """Run a command for the person who asks, once per idempotency key, and answer with what changed.

    Somebody who opened no page yet takes their seat first. `extra` adds pieces to the answer for our scripts.
    """
    code, person = room_code(code), actor()
    people.join(person, code)
    # Somebody was faster: the refusal comes with what the screen had not seen yet.
    g.fresh = lambda: changes(code, person.user_id)
    once(person, _key(), lambda: act(code))
    if not is_htmx():
        return redirect(f"/rooms/{code}", 303)
    return changes(code, person.user_id) + (extra() if extra else "")


def changes(code: str, user_id: int) -> str:
    """What the person's screen lacks, and their own share."""
    share = fragments.own_share(code, user_id)
    role = share.role if share else "guest"
    after = request.headers.get("X-Partyline-After", type=int)
    frame = fragments.since(code, Audience(role), after, request.headers.get("X-Partyline-Epoch"))
    return frame.html + fragments.own(share)


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 0 < len(key) <= KEY_LONGEST:
        raise Invalid("An idempotency key has 1 to 64 letters.")
    return key


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
