"""What an account signs in with, changed by whoever is signed in: every change asks for the password again."""

from __future__ import annotations

from peewee import IntegrityError

from models import User, database
from party import attempts, audit, letters, links, passwords, sessions
from party.attempts import Limit
from party.change import Person, write
from party.errors import Conflict, Invalid, NotAllowed, NotKnown

MINUTE_MS = 60_000
TRIES = Limit(10, 15 * MINUTE_MS)
MOVES = Limit(5, 60 * MINUTE_MS)
TAKEN = "That address cannot be used. Choose another one."


class WrongPassword(Invalid):
    """The password typed to confirm a change is not the account's."""

    code = "wrong_password"


def account_of(actor: Person) -> User:
    """The actor's row, where only accounts may act. Raises NotKnown, NotAllowed for a guest."""
    user: User | None = User.get_or_none(User.id == actor.user_id)
    if user is None:
        raise NotKnown("Sign in first, then try again.")
    if user.email is None:
        raise NotAllowed("That takes an account. You can make one in a minute, and you keep your seat.")
    return user


def prove(actor: Person, password: str) -> User:
    """The account, if this is its password. Raises WrongPassword, and TooMany after too many tries."""
    user, subject = account_of(actor), f"person {actor.user_id}"
    attempts.spend("password", {subject: TRIES})
    if not passwords.is_right(user.password_hash, password):
        raise WrongPassword("That is not your password.")
    attempts.forget("password", subject)
    return user


def change_password(actor: Person, old: str, new: str, device: str) -> str:
    """Set a new password; every session ends, and the token of a new one is returned."""
    passwords.check_strength(new, account_of(actor).email or "")
    user = prove(actor, old)
    made = passwords.hash_password(new)
    with write():
        # Compared again: another change may have come first while this one was hashed.
        same = (User.id == user.id) & (User.password_hash == user.password_hash)
        if not User.update(password_hash=made).where(same).execute():
            raise Conflict("Your password was changed elsewhere a moment ago.")
        sessions.end_all(user.id)
        links.drop(user.id, "reset", "email")
        audit.note(user.id, "password_changed")
        token = sessions.begin(user.id, device)
    letters.post("password_changed", str(user.email))
    return token


def change_email(actor: Person, password: str, address: str) -> bool:
    """Move the account to another address: at once, or by a link mailed there. True when it has moved already."""
    address = letters.clean_address(address)
    account_of(actor)
    attempts.spend("email", {f"person {actor.user_id}": MOVES})
    user = prove(actor, password)
    if letters.can_send():
        handle = links.fresh_handle()
        with write():
            links.drop(user.id, "email")
            links.make(handle, "email", address, user_id=user.id)
        letters.post("email", address, handle)
        return False
    with write():
        _move(user, address)
    return True


def confirm_email(token: str) -> None:
    """The link mailed to the new address was followed. Raises NotFound, Conflict when somebody has it by now."""
    with write():
        link = links.read(token, "email")
        links.spend(link)
        user = User.get_by_id(link.user_id)
        before = str(user.email)
        _move(user, link.email)
    letters.post("email_changed", before)


def _move(user: User, address: str) -> None:
    if User.select().where(User.email == address, User.id != user.id).exists():
        raise Conflict(TAKEN)
    try:
        with database.obj.atomic():
            User.update(email=address).where(User.id == user.id).execute()
    except IntegrityError as error:
        raise Conflict(TAKEN) from error
    links.drop(user.id, "reset")
    audit.note(user.id, "email_changed")
