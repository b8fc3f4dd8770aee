"""Letters to addresses: which ones there are, and what they say. Nothing is sent here; app.start names the carrier.

Whether an address has an account is looked up when the letter is written, in the worker, so that the page that ordered
it does the same work, and says the same, for every address. No letter carries words that somebody else typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from config import settings
from models import User
from party import links
from party.errors import Invalid, NotFound

ADDRESS_LONGEST = 254
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*")

carrier: Callable[[str, str, str], None] | None = None
"""Takes (kind, address, handle) to the worker. None: this installation sends no letters."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter as it is sent: plain text."""

    to: str
    subject: str
    text: str


def clean_address(text: str) -> str:
    """An e-mail address as kept: in small letters, a name of another script in its own spelling. Raises Invalid."""
    typed = text.strip()
    local, _, domain = typed.rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}".lower()
    except UnicodeError:
        address = ""
    if len(address) > ADDRESS_LONGEST or len(local) > 64 or not _ADDRESS.fullmatch(address):
        raise Invalid("That does not look like an e-mail address. It should be like ada@example.org.")
    return address


def can_send() -> bool:
    """True when this installation sends letters."""
    return carrier is not None


def post(kind: str, address: str, handle: str = "") -> None:
    """Have a letter sent, once what it is about is committed. Without a carrier: nothing."""
    if carrier is not None:
        carrier(kind, address, handle)


def compose(kind: str, address: str, handle: str = "") -> Letter | None:
    """The letter that was ordered, as things are now; None when there is nothing to say to this address."""
    if kind in NOTICES:
        subject, sentence = NOTICES[kind]
        return Letter(address, subject, f"{sentence}\n\n{_NOT_YOU}\n\n{_address('/forgot')}\n")
    account = User.get_or_none(User.email == address)
    if kind == "reset":
        if account is None:
            return None
        path = f"/reset/{links.make(handle, 'reset', address, user_id=account.id)}"
        return Letter(address, "A new password for Partyline", f"{_RESET}\n\n{_address(path)}\n\n{_IGNORE}\n")
    if account is not None:
        return Letter(
            address, "You have a Partyline account", f"{_KNOWN}\n\n{_address('/sign-in')}\n\n{_IGNORE}\n"
        )
    try:
        links.read(links.token_of(handle), kind)
    except NotFound:
        return None
    path = f"/confirm/{links.token_of(handle)}"
    return Letter(address, "Is this your address?", f"{_CONFIRM[kind]}\n\n{_address(path)}\n\n{_IGNORE}\n")


def _address(path: str) -> str:
    # Never the address a request named: whoever asks could name their own.
    return f"{settings.public_url}{path}"


_IGNORE = "If this was not you, do nothing: without the link nothing changes."
_NOT_YOU = "If this was not you, set a new password now. That signs out everybody else:"
_RESET = "Somebody forgot the password of the Partyline account with this address. This link sets one, for an hour:"
_KNOWN = "Somebody asked to use this address at Partyline. It has an account already, so just sign in:"
_CONFIRM = {
    "confirm": "Somebody asked for a Partyline account with this address. This link makes it, for a day:",
    "email": "Somebody asked to move a Partyline account to this address. This link does it, for a day:",
}
NOTICES = {
    "password_changed": ("Your password was changed", "The password of your Partyline account was changed."),
    "email_changed": ("Your address was changed", "Your Partyline account no longer uses this address."),
    "second_factor_on": (
        "Your second factor is on",
        "Signing in to your Partyline account now asks for a code as well.",
    ),
    "second_factor_off": (
        "Your second factor is off",
        "Signing in to your Partyline account no longer asks for a code.",
    ),
}
