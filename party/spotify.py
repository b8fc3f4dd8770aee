"""Somebody's Spotify account: connected, kept open by the worker, forgotten. What is done with it: spotify_lists.py.

It is a Source of kind spotify. `secret` holds the tokens, sealed; `options` what is under way: `begun` (a sign-in that
Spotify has not answered yet), `code` (its answer, sealed, until the worker has exchanged it), `may` (what was allowed),
`renewing_at`, `ended` (the mark of a refresh token that was refused), `imports` and `mirror`. Tokens leave this module
for the worker, and the access token alone, for an hour at most, for its owner's own page: Spotify's player takes it
from there and has no other way.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from models import Source, User, locking
from party import sealing, work
from party.change import Person, hold_known, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed
from party.names import one_line

KIND, NAME = "spotify", "Spotify"
TOKENS, CODE, STATE = "spotify tokens", "spotify code", "spotify state"
WISHES = ("play", "lists", "keep")
LASTS_MS = 600_000
"""So long Spotify may take to answer, and the worker to exchange what it answered."""
EARLY_MS = 60_000
"""An access token that ends within this is renewed first."""
LEASE_MS = 30_000
STATE_BYTES, VERIFIER_BYTES = 24, 48
FAILURE_LONGEST = 200
NEEDS_ACCOUNT = "Spotify is connected to an account of this house. Make one first."
STRANGE = "That was not asked for from this browser, or it took too long. Connect Spotify once more."
SLOW = "Spotify’s answer was lost. Connect it once more."
LOST = "Its keys cannot be read any more. Connect it again."
NOT_CONNECTED = "Connect your Spotify account first."
NOT_FOR_THIS = "Your Spotify account is connected, but not for this. Connect it again and tick it."
RENEWING = "Spotify is being asked to let us in again. Try once more in a moment."


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that begins: what Spotify is to send back, and the verifier whose digest it is shown."""

    state: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """What Spotify answered to a sign-in, for the worker to exchange."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str
    at: int


@dataclass(frozen=True, slots=True)
class Access:
    """A token that opens an account until `ends_at`."""

    token: str = field(repr=False)
    ends_at: int


@dataclass(frozen=True, slots=True)
class Renewal:
    """The right to renew an account's tokens, by what, and since when."""

    refresh: str = field(repr=False)
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """How somebody's Spotify account stands: state none, connecting, ready or failed."""

    state: str = "none"
    name: str = ""
    may: tuple[str, ...] = ()
    failure: str = ""


# --- the person ------------------------------------------------------------------------------------------------------


def connection(actor: Person) -> Connection:
    """How this person's account stands."""
    source = of_person(actor.user_id)
    if source is None or (source.state == "connecting" and "code_at" not in source.options):
        return Connection()
    may = tuple(source.options.get("may", ()))
    if source.state == "ready" and _tokens(source) is None:
        return Connection("failed", source.name, may, LOST)
    return Connection(source.state, source.name, may, source.failure)


def begin(actor: Person, session: str, redirect: str, wishes: Iterable[str]) -> Begun:
    """Begin to connect an account, from one browser (its session). What was begun before counts no longer."""
    begun = Begun(secrets.token_urlsafe(STATE_BYTES), secrets.token_urlsafe(VERIFIER_BYTES))
    with write():
        _need_account(actor)
        known = of_person(actor.user_id) or Source.create(
            user=actor.user_id, kind=KIND, name=NAME, created_at=now_ms()
        )
        with held(known.id) as source:
            if source is None:
                raise Conflict(STRANGE)
            source.options["begun"] = {
                "mark": _mark(begun.state, session, source.id),
                "verifier": sealing.seal(begun.verifier, CODE),
                "redirect": redirect,
                "wishes": [wish for wish in WISHES if wish in wishes],
                "at": now_ms(),
            }
    return begun


def finish(actor: Person, session: str, state: str, code: str) -> None:
    """Take what Spotify answered to a sign-in of this very browser, once; the worker does the rest."""
    with _answered(actor, session, state) as (source, begun):
        verifier = sealing.unseal(begun["verifier"], CODE)
        if not code or verifier is None:
            raise Invalid(STRANGE)
        grant = {"code": code, "verifier": verifier, "redirect": begun["redirect"]}
        source.options["code"] = sealing.seal(json.dumps(grant), CODE)
        source.options["code_at"] = now_ms()
        source.state, source.failure = "connecting", ""
        work.hand_over("spotify_connect", source.id)


def decline(actor: Person, session: str, state: str) -> None:
    """Spotify's page was answered with no, from this very browser: what was begun is dropped."""
    with _answered(actor, session, state):
        pass


def disconnect(actor: Person) -> None:
    """Forget the account, its tokens and what was under way. None there changes nothing."""
    with write():
        Source.delete().where(Source.user == actor.user_id, Source.kind == KIND).execute()


def access_for_page(actor: Person) -> Access | None:
    """The access token for this person's own player; None while the worker renews it. Raises Conflict, NotAllowed."""
    source = of_person(actor.user_id)
    if source is None or source.state != "ready":
        raise Conflict(NOT_CONNECTED)
    need(source, "play")
    access = _access(source)
    if access is None:
        raise Conflict(LOST)
    if access.ends_at - now_ms() < EARLY_MS:
        work.hand_over("spotify_renew", source.id)
        return None
    return access


def need(source: Source, wish: str) -> None:
    """Raise NotAllowed where the account was not connected for this."""
    if wish not in source.options.get("may", ()):
        raise NotAllowed(NOT_FOR_THIS)


def ready(actor: Person) -> Source:
    """This person's connected account. Raises Conflict."""
    source = of_person(actor.user_id)
    if source is None or source.state != "ready":
        raise Conflict(NOT_CONNECTED)
    return source


def of_person(user_id: int) -> Source | None:
    """The row of somebody's account, however it stands."""
    found: Source | None = (
        Source.select().where(Source.user == user_id, Source.kind == KIND).order_by(Source.id.desc()).first()
    )
    return found


@contextmanager
def held(source_id: int) -> Iterator[Source | None]:
    """An account's row, locked, and kept as it is afterwards; None when it was disconnected meanwhile.

    Its person is locked before it: what is done meanwhile may be written to their playlists.
    """
    with write():
        query = Source.select().where(Source.id == source_id, Source.kind == KIND)
        whose = Source.select(Source.user).where(Source.id == source_id)
        list(locking(User.select(User.id).where(User.id.in_(whose))))
        source = locking(query).first()
        yield source
        if source is not None:
            source.save()


# --- the worker ------------------------------------------------------------------------------------------------------


def claim_code(source_id: int) -> Grant | None:
    """Take what is to be exchanged, so that nobody else does: a code is good for one use."""
    with held(source_id) as source:
        if source is None or not source.options.get("code"):
            return None
        sealed = source.options.pop("code")
        source.options["exchanging_at"] = now_ms()
        text = sealing.unseal(sealed, CODE)
        if text is None:
            _fail(source, SLOW)
            return None
        return Grant(**json.loads(text), at=int(source.options.get("code_at", 0)))


def give_code_back(source_id: int, grant: Grant, sentence: str) -> None:
    """It could not be exchanged just now: another try, or the end of it when it is too old."""
    with held(source_id) as source:
        if source is None or source.options.get("code"):
            return
        if now_ms() - grant.at > LASTS_MS:
            _fail(source, sentence)
            return
        text = json.dumps({"code": grant.code, "verifier": grant.verifier, "redirect": grant.redirect})
        source.options["code"] = sealing.seal(text, CODE)


def keep_connected(
    source_id: int,
    *,
    access: str,
    refresh: str,
    lasts_seconds: int,
    may: Iterable[str],
    username: str,
    name: str,
) -> None:
    """The account is open: its tokens are kept, sealed."""
    with held(source_id) as source:
        if source is None:
            return
        _keep_tokens(source, access, refresh, lasts_seconds)
        for name_of in ("code", "code_at", "exchanging_at", "renewing_at", "ended"):
            source.options.pop(name_of, None)
        source.options["may"] = [wish for wish in WISHES if wish in may]
        source.username, source.name = one_line(username)[:100], one_line(name)[:100] or NAME
        source.state, source.failure, source.checked_at = "ready", "", now_ms()


def fail_connecting(source_id: int, sentence: str) -> None:
    """The account could not be connected. One that was before stays as it was."""
    with held(source_id) as source:
        if source is not None and source.state == "connecting" and not source.options.get("code"):
            _fail(source, sentence)


def access(source_id: int) -> Access | None:
    """What opens an account; None when it is not open."""
    source = Source.get_or_none(Source.id == source_id, Source.kind == KIND, Source.state == "ready")
    return _access(source) if source else None


def claim_renewal(source_id: int, old: str) -> Access | Renewal | None:
    """Begin to renew a token: what another made of it meanwhile, or the right to do it; None when it is not open.

    A refresh token is good for one use, so two at once would lose the account. Raises Conflict while another is at it.
    """
    with held(source_id) as source:
        if source is None or source.state != "ready":
            return None
        known = _tokens(source)
        if known is None:
            _lose(source)
            return None
        if known["access"] != old:
            return Access(known["access"], known["ends_at"])
        if source.options.get("renewing_at", 0) > now_ms() - LEASE_MS:
            raise Conflict(RENEWING)
        source.options["renewing_at"] = now_ms()
        return Renewal(known["refresh"], source.options["renewing_at"])


def keep_renewed(source_id: int, used: str, *, access: str, refresh: str, lasts_seconds: int) -> None:
    """New tokens for those that were used up."""
    with held(source_id) as source:
        if source is None:
            return
        # Who was slow may have been taken for crashed, and another refused for what was used up already.
        is_late = not source.secret and source.options.get("ended") == sealing.mark(used, TOKENS)
        if is_late or (_tokens(source) or {}).get("refresh") == used:
            _keep_tokens(source, access, refresh, lasts_seconds)
            for name in ("renewing_at", "ended"):
                source.options.pop(name, None)
            source.checked_at = now_ms()
        if is_late:
            source.state, source.failure = "ready", ""


def drop_renewal(source_id: int, renewal: Renewal) -> None:
    """It could not be renewed just now. Another's renewal goes on."""
    with held(source_id) as source:
        if source is not None and source.options.get("renewing_at") == renewal.at:
            source.options.pop("renewing_at")


def end_access(source_id: int, used: str, sentence: str) -> None:
    """Spotify lets us in no more: the tokens are forgotten, what was under way waits for the next connection."""
    with held(source_id) as source:
        if source is not None and (_tokens(source) or {}).get("refresh") == used:
            source.secret, source.state = "", "failed"
            source.failure = sentence[:FAILURE_LONGEST]
            source.options.pop("renewing_at", None)
            source.options["ended"] = sealing.mark(used, TOKENS)


def unfinished() -> list[int]:
    """Accounts whose sign-in was answered and not exchanged; those that took too long are given up here."""
    found = []
    for source in Source.select().where(Source.kind == KIND, Source.state == "connecting"):
        options = source.options
        if options.get("code"):
            found.append(int(source.id))
        elif options.get("exchanging_at") and now_ms() - options["exchanging_at"] > LASTS_MS:
            fail_connecting(source.id, SLOW)
        elif not options.get("exchanging_at") and now_ms() - options.get("begun", {}).get("at", 0) > LASTS_MS:
            Source.delete().where(Source.id == source.id, Source.state == "connecting").execute()
    return found


@contextmanager
def _answered(actor: Person, session: str, state: str) -> Iterator[tuple[Source, dict[str, Any]]]:
    """A sign-in that was begun in this browser, used up with this. Raises Invalid, and changes nothing then."""
    known = of_person(actor.user_id)
    if known is None:
        raise Invalid(STRANGE)
    with held(known.id) as source:
        begun = source.options.get("begun") if source is not None else None
        if source is None or not begun or now_ms() - begun["at"] > LASTS_MS:
            raise Invalid(STRANGE)
        if not hmac.compare_digest(begun["mark"], _mark(state, session, source.id)):
            raise Invalid(STRANGE)
        del source.options["begun"]
        yield source, begun


def _mark(state: str, session: str, source_id: int) -> str:
    return sealing.mark(f"{source_id} {session} {state}", STATE)


def _need_account(actor: Person) -> None:
    # Of two presses at once the second has to find what the first one made.
    if hold_known(actor.user_id).email is None:
        raise NotAllowed(NEEDS_ACCOUNT)


def _keep_tokens(source: Source, access: str, refresh: str, lasts_seconds: int) -> None:
    known = {"access": access, "refresh": refresh, "ends_at": now_ms() + lasts_seconds * 1000}
    source.secret = sealing.seal(json.dumps(known), TOKENS)


def _tokens(source: Source) -> dict[str, Any] | None:
    text = sealing.unseal(source.secret, TOKENS) if source.secret else None
    return json.loads(text) if text else None


def _access(source: Source) -> Access | None:
    """What opens a connected account; None, and said in its row, when that cannot be read any more."""
    known = _tokens(source)
    if known is not None:
        return Access(known["access"], known["ends_at"])
    with held(source.id) as row:
        # Connected again meanwhile, it has others.
        if row is not None and row.state == "ready" and row.secret == source.secret:
            _lose(row)
    return None


def _lose(source: Source) -> None:
    # Sealed with another SECRET_KEY: nobody opens them again, and what was under way waits for the next connection.
    source.secret, source.state, source.failure = "", "failed", LOST
    source.options.pop("renewing_at", None)


def _fail(source: Source, sentence: str) -> None:
    for name in ("code_at", "exchanging_at"):
        source.options.pop(name, None)
    source.state = "ready" if source.secret else "failed"
    source.failure = sentence[:FAILURE_LONGEST]
