"""The optional second factor: codes of an authenticator app, each good once, and recovery codes for when it is lost."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass

import pyotp

from models import RecoveryCode, User, locking
from party import attempts, audit, letters, sealing
from party.attempts import Limit
from party.change import Person, write
from party.clock import now_ms
from party.credentials import account_of, prove
from party.errors import Conflict, Invalid
from party.rooms import ALPHABET

ISSUER, SEALED_FOR = "Partyline", "second factor"
STEP_SECONDS = 30
STEPS_AROUND = 1
"""Clocks of phones go wrong: the code before and the one after count as well."""
RECOVERY_CODES, RECOVERY_LENGTH = 10, 12
TRIES = Limit(8, 15 * 60_000)
WRONG = "That code does not fit. Wait for the next one and try again."


@dataclass(frozen=True, slots=True)
class Setup:
    """A second factor that waits for its first code: the secret to type, and what an app reads from a picture."""

    secret: str
    address: str

    @property
    def secret_text(self) -> str:
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))


@dataclass(frozen=True, slots=True)
class State:
    """How an account's second factor stands."""

    is_on: bool
    codes_left: int
    setup: Setup | None


def state(actor: Person) -> State:
    """How one's own second factor stands."""
    user = account_of(actor)
    if user.totp_since is not None:
        unused = RecoveryCode.select().where(RecoveryCode.user == user.id, RecoveryCode.used_at.is_null())
        return State(True, unused.count(), None)
    secret = sealing.unseal(user.totp_secret, SEALED_FOR) if user.totp_secret else None
    return State(False, 0, _setup(user, secret) if secret else None)


def begin(actor: Person, password: str) -> Setup:
    """Make a secret. It counts for nothing until a code of it was typed."""
    user = prove(actor, password)
    secret = pyotp.random_base32()
    with write():
        off = (User.id == user.id) & User.totp_since.is_null()
        if not User.update(totp_secret=sealing.seal(secret, SEALED_FOR)).where(off).execute():
            raise Conflict("Your second factor is on already.")
    return _setup(user, secret)


def cancel(actor: Person) -> None:
    """Forget a secret no code of which was typed. One that counts stays."""
    with write():
        off = (User.id == actor.user_id) & User.totp_since.is_null()
        User.update(totp_secret=None, totp_last_step=None).where(off).execute()


def confirm(actor: Person, code: str) -> list[str]:
    """Turn it on with the first code. Returns the recovery codes, shown never again."""
    user = account_of(actor)
    if user.totp_since is not None:
        raise Conflict("Your second factor is on already.")
    if user.totp_secret is None:
        raise Conflict("That took too long. Begin again.")
    attempts.spend("second_factor", {f"person {user.id}": TRIES})
    with write():
        if not _fits_app(user, _plain(code)):
            raise Invalid(WRONG)
        # Compared again: another tab may have begun anew meanwhile, and that secret was tried by nobody.
        same = (User.id == user.id) & User.totp_since.is_null() & (User.totp_secret == user.totp_secret)
        if not User.update(totp_since=now_ms()).where(same).execute():
            raise Conflict("Another setup was begun meanwhile. Use its picture.")
        codes = _make_codes(user)
        audit.note(user.id, "second_factor_on")
    attempts.forget("second_factor", f"person {user.id}")
    letters.post("second_factor_on", str(user.email))
    return codes


def renew_codes(actor: Person, password: str) -> list[str]:
    """New recovery codes; the old ones open nothing any more."""
    user = prove(actor, password)
    with write():
        # Of two at once the second takes the first one's codes away too.
        held = locking(User.select().where(User.id == user.id)).first()
        if held is None or held.totp_since is None:
            raise Conflict("Your second factor is off.")
        return _make_codes(held)


def turn_off(actor: Person, password: str) -> None:
    """Sign in with the password alone again."""
    user = prove(actor, password)
    with write():
        clear(user.id)
        audit.note(user.id, "second_factor_off")
    letters.post("second_factor_off", str(user.email))


def clear(user_id: int) -> None:
    """Forget everything of a person's second factor, in the open transaction if there is one."""
    with write():
        User.update(totp_secret=None, totp_since=None, totp_last_step=None).where(
            User.id == user_id
        ).execute()
        RecoveryCode.delete().where(RecoveryCode.user == user_id).execute()


def use(user: User, code: str) -> bool:
    """True when the code opens the account, in the open transaction: an app's or a recovery code. None opens twice."""
    typed = _plain(code)
    if re.fullmatch("[0-9]{6}", typed):
        return _fits_app(user, typed)
    unused = (
        (RecoveryCode.user == user.id)
        & RecoveryCode.used_at.is_null()
        & (RecoveryCode.code_hash == _kept(user.id, typed))
    )
    if not RecoveryCode.update(used_at=now_ms()).where(unused).execute():
        return False
    audit.note(user.id, "recovery_code_used")
    return True


def _fits_app(user: User, typed: str) -> bool:
    secret = sealing.unseal(user.totp_secret or "", SEALED_FOR)
    if secret is None:
        return False
    app, now = pyotp.TOTP(secret), now_ms() // 1000 // STEP_SECONDS
    for step in range(now - STEPS_AROUND, now + STEPS_AROUND + 1):
        if hmac.compare_digest(app.generate_otp(step).encode(), typed.encode()):
            # A code that was seen over a shoulder is worth nothing once it was used, nor are those before it.
            newer = (User.id == user.id) & (User.totp_last_step.is_null() | (User.totp_last_step < step))
            return bool(User.update(totp_last_step=step).where(newer).execute())
    return False


def _make_codes(user: User) -> list[str]:
    signs = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.delete().where(RecoveryCode.user == user.id).execute()
    RecoveryCode.insert_many(
        [(user.id, _kept(user.id, each)) for each in signs], [RecoveryCode.user, RecoveryCode.code_hash]
    ).execute()
    return [f"{each[:4]}-{each[4:8]}-{each[8:]}" for each in signs]


def _setup(user: User, secret: str) -> Setup:
    return Setup(secret, pyotp.TOTP(secret).provisioning_uri(name=str(user.email), issuer_name=ISSUER))


def _plain(code: str) -> str:
    return re.sub(r"[\s\-–]", "", code[:40]).upper()


def _kept(user_id: int, code: str) -> str:
    return attempts.digest(f"recovery {user_id} {code}")
