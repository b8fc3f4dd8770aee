"""Accounts: making one, signing in, and a forgotten password. What is answered tells nobody which addresses are known.

Each command counts the try, does its hashing outside transactions, and then writes once.
"""

from __future__ import annotations

from dataclasses import dataclass

from peewee import IntegrityError

from models import Link, Session, User, database, locking
from party import attempts, audit, letters, links, merging, passwords, sealing, secondfactor, sessions
from party.attempts import EVERYBODY, Limit
from party.change import write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound
from party.names import clean_name
from party.people import SignedIn, enter, friendly_name, words_for

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
WRONG = "That address and password do not fit together."
TOO_LATE = "That took too long. Sign in again, please."
SEALED_FOR, STEP_LASTS_SECONDS = "second step", 600


class WrongCode(Invalid):
    """The second factor's code does not fit."""

    code = "wrong_code"


@dataclass(frozen=True, slots=True)
class Visit:
    """Where somebody comes from: their network, as limits count it, and their device in a few words."""

    network: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Signed in: the token of a new session. Without one the second step is missing, and `ticket` leads to it."""

    token: str | None
    ticket: str = ""


def sign_up(email: str, password: str, visit: Visit, name: str, viewer: SignedIn | None = None) -> str | None:
    """Ask for an account. Where letters are sent it is made by the link in one; else at once, if the address is free.

    Whether it was free is not said: the same work is done either way, and signing in tells. A guest keeps everything:
    by becoming the account, or when they sign in to it. Somebody who is nobody yet is a guest while the letter is
    under way; then their session's token is returned.
    """
    if viewer is not None and viewer.has_account:
        raise Conflict("You are signed in with an account already.")
    address, name = letters.clean_address(email), clean_name(name)
    passwords.check_strength(password, address, name)
    attempts.spend("sign_up", _limits(address, visit, 5, 60, 500))
    made, handle = passwords.hash_password(password), links.fresh_handle()
    token = None
    with write():
        person_id = viewer.user_id if viewer is not None else None
        if person_id is None and letters.can_send():
            person_id, token = enter(name, visit.device)
        links.make(handle, "confirm", address, user_id=person_id, password_hash=made)
        if not letters.can_send():
            link = links.read(links.token_of(handle), "confirm")
            _redeem(link, None, name)
            link.delete_instance()
    letters.post("confirm", address, handle)
    return token


def confirm(token: str, visit: Visit, viewer: SignedIn | None) -> str | None:
    """Make the account whose link was followed. Raises NotFound, Conflict when the address has one by now.

    The guest who asked for it becomes it, and is signed in if it is they who follow the link: then the token of their
    new session is returned. Anybody else signs in with the password.
    """
    with write():
        link = links.read(token, "confirm")
        if link.user_id:
            # Rooms before people, and asked once they are ours: they may sign in, or become an account, just now.
            merging.hold(link.user_id)
        guest = User.get_or_none(User.id == link.user_id, User.email.is_null()) if link.user_id else None
        user_id = _redeem(link, guest, guest.display_name if guest else friendly_name())
        if user_id is None:
            raise Conflict("That address has an account already. Sign in, or ask for a new password.")
        sessions.end_all(user_id)
        is_same = viewer is not None and viewer.user_id == user_id
        return sessions.begin(user_id, visit.device) if is_same else None


def sign_in(email: str, password: str, visit: Visit, viewer: SignedIn | None = None) -> Arrival:
    """Open a session of the account. Raises Invalid with one sentence, whatever was wrong, after the same work.

    A guest keeps what they have in every room: it becomes the account's.
    """
    try:
        address = letters.clean_address(email)
    except Invalid:
        address = email.strip().lower()[:300]
    limits = _limits(address, visit, 10, 60, 2_000, 15 * MINUTE_MS)
    attempts.spend("sign_in", limits)
    user = User.get_or_none(User.email == address)
    if not passwords.is_right(user.password_hash if user else None, password) or user is None:
        audit.note(None, "sign_in_failed", user_id=user.id if user else None)
        raise Invalid(WRONG)
    if passwords.needs_rehash(user.password_hash):
        before, user.password_hash = user.password_hash, passwords.hash_password(password)
        with write():
            same = (User.id == user.id) & (User.password_hash == before)
            User.update(password_hash=user.password_hash).where(same).execute()
    _refuse_banned(user)
    of_address, of_others = list(limits)[:2], list(limits)[2:]
    for subject in of_address:
        attempts.forget("sign_in", subject)
    attempts.give_back("sign_in", of_others)
    if user.totp_since is not None:
        return Arrival(None, sealing.seal(f"{user.id} {_mark(user)}", SEALED_FOR))
    return Arrival(_arrive(user, visit, viewer))


def answer_second_step(ticket: str, code: str, visit: Visit, viewer: SignedIn | None = None) -> str:
    """The code after the password. Returns the session's token. Raises NotAllowed for a stale ticket, WrongCode."""
    opened = (sealing.unseal(ticket, SEALED_FOR, STEP_LASTS_SECONDS) or "0 ").split(" ")
    user = User.get_or_none(User.id == int(opened[0]))
    if user is None or _mark(user) != opened[1] or user.totp_since is None:
        raise NotAllowed(TOO_LATE)
    subject, network = f"person {user.id}", f"network {visit.network}"
    attempts.spend("second_step", {subject: secondfactor.TRIES, network: Limit(60, 15 * MINUTE_MS)})
    with write():
        if viewer is not None and not viewer.has_account:
            merging.hold(viewer.user_id, user.id)
        if not secondfactor.use(user, code):
            raise WrongCode(secondfactor.WRONG)
        token = _arrive(user, visit, viewer)
    attempts.forget("second_step", subject)
    attempts.give_back("second_step", [network])
    return token


def request_reset(email: str, visit: Visit) -> None:
    """Have a link to a new password mailed, if the address has an account. Nothing tells whether it has."""
    address = letters.clean_address(email)
    attempts.spend("reset", _limits(address, visit, 3, 20, 500))
    letters.post("reset", address, links.fresh_handle())


def make_reset_link(email: str, by: int | None = None) -> str:
    """An operator's way (`by`: an admin): the path of a link to a new password, good for an hour. Raises NotFound."""
    address = letters.clean_address(email)
    user = User.get_or_none(User.email == address)
    if user is None:
        raise NotFound("No account has that address.")
    with write():
        token = links.make(links.fresh_handle(), "reset", address, user_id=user.id)
        audit.note(by, "link_made", user_id=user.id, purpose="reset")
    return f"/reset/{token}"


def reset_password(token: str, password: str) -> str:
    """Set a new password by link; every session ends. Returns the address to sign in with. Raises NotFound, Invalid."""
    passwords.check_strength(password, links.read(token, "reset").email)
    made = passwords.hash_password(password)
    with write():
        link = links.read(token, "reset")
        links.spend(link)
        user = User.get_by_id(link.user_id)
        User.update(password_hash=made).where(User.id == user.id).execute()
        sessions.end_all(user.id)
        links.drop(user.id, "email")
        Link.update(used_at=now_ms()).where(
            Link.user == user.id, Link.purpose == "reset", Link.used_at.is_null()
        ).execute()
        audit.note(user.id, "password_reset")
    letters.post("password_changed", str(user.email))
    return str(user.email)


def _limits(
    address: str, visit: Visit, of_address: int, of_network: int, of_all: int, window_ms: int = HOUR_MS
) -> dict[str, Limit]:
    # From one network an address is tried less often than from all together: nobody locks its owner out at once.
    return {
        f"{address} from {visit.network}": Limit(of_address, window_ms),
        f"address {address}": Limit(5 * of_address, window_ms),
        f"network {visit.network}": Limit(of_network, window_ms),
        EVERYBODY: Limit(of_all, window_ms),
    }


def _redeem(link: Link, guest: User | None, name: str) -> int | None:
    """The account a link asked for, in the open transaction; None when the address is taken. The link is used up."""
    links.spend(link)
    now, is_free = now_ms(), not User.select().where(User.email == link.email).exists()
    try:
        # Written either way, and taken back: how long it takes tells nobody whether the address was free.
        with database.obj.atomic() as step:
            made = guest or User.create(display_name=name, created_at=now)
            address = link.email if is_free else None
            User.update(email=address, password_hash=link.password_hash).where(User.id == made.id).execute()
            audit.note(made.id, "account_made")
            if not is_free:
                step.rollback()
    except IntegrityError:
        is_free = False
    if not is_free:
        return None
    if guest is not None:
        merging.note_account(guest.id, now)
    return int(made.id)


def _arrive(user: User, visit: Visit, viewer: SignedIn | None) -> str:
    """A new session; the one the browser had before ends, and a guest's seats become the account's."""
    with write():
        guest_id = viewer.user_id if viewer is not None and not viewer.has_account else None
        if guest_id is not None:
            # Rooms before people.
            merging.hold(guest_id, user.id)
        # The hash is compared again: a password changed meanwhile has ended every session, and this must be none.
        fresh = locking(User.select().where(User.id == user.id)).first()
        if fresh is None or fresh.password_hash != user.password_hash:
            raise NotAllowed(TOO_LATE)
        # They may have become an account meanwhile.
        if guest_id is not None and User.select().where(User.id == guest_id, User.email.is_null()).exists():
            merging.merge(guest_id, user.id, now_ms())
        audit.note(user.id, "signed_in")
        token = sessions.begin(user.id, visit.device)
        if viewer is not None:
            Session.delete().where(Session.token_hash == viewer.session).execute()
        return token


def _refuse_banned(user: User) -> None:
    now = now_ms()
    if user.banned_at is None or (user.banned_until is not None and user.banned_until <= now):
        return
    end = f" for another {words_for(user.banned_until - now)}" if user.banned_until is not None else ""
    raise NotAllowed(f"This account cannot come in{end}. Ask whoever runs this server.")


def _mark(user: User) -> str:
    """Changes with the password, so that a ticket given before is worth nothing after."""
    return attempts.digest(f"ticket {user.password_hash}")[:32]
