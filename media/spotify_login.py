"""Letting us into somebody's Spotify account: Authorization Code with PKCE, by Authlib, with a client id only.

By developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow and …/refreshing-tokens. A refresh token is good
for one use and for six months (developer.spotify.com/blog/2026-06-18-refresh-token-expiration); then the answer is
invalid_grant. Where a person is sent back to is https or a loopback address (…/web-api/concepts/redirect_uri).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2 import OAuth2Error  # type: ignore[import-untyped]
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]

from config import Settings
from media import catalogues
from media.fetch import Fetched, fetch
from media.oembed import Busy
from media.provider import Trouble
from media.spotify_api import BUSY, ENDED, WHERE, busy, number

ACCOUNTS = "https://accounts.spotify.com"
SCOPES = {
    "play": ("streaming", "user-read-email", "user-read-private", "user-modify-playback-state"),
    "lists": ("playlist-read-private", "playlist-read-collaborative"),
    "keep": ("playlist-modify-private",),
}
"""What is asked for, by what the person wants to do; looking up and searching needs none."""

LONGEST_TOKEN = 4_000
REFUSED = "Spotify did not accept that. Connect it once more."


class Ended(Trouble):
    """The person, or time, took the access away: only connecting again helps."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens an account for a while, and what it may do (names of SCOPES)."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    lasts_seconds: int
    wishes: tuple[str, ...]


def sign_in_address(
    settings: Settings, redirect: str, state: str, verifier: str, wishes: Iterable[str]
) -> str:
    """Where a person lets us in; no network."""
    scopes = " ".join(scope for wish in SCOPES if wish in wishes for scope in SCOPES[wish])
    client = OAuth2Client(
        None,
        settings.spotify_client_id,
        redirect_uri=redirect,
        scope=scopes or None,
        code_challenge_method="S256",
    )
    address, _ = client.create_authorization_url(f"{ACCOUNTS}/authorize", state=state, code_verifier=verifier)
    return str(address)


def exchange(code: str, verifier: str, redirect: str, settings: Settings) -> Tokens:
    """Tokens for the code that Spotify gave the person's browser. Raises Trouble, Ended where it is no good."""
    return _tokens(
        lambda client: client.fetch_token(
            f"{ACCOUNTS}/api/token",
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=redirect,
        ),
        settings,
        REFUSED,
    )


def renew(refresh: str, settings: Settings) -> Tokens:
    """New tokens for old; the refresh token is another one afterwards. Raises Trouble, Ended when there is none."""
    return _tokens(
        lambda client: client.refresh_token(f"{ACCOUNTS}/api/token", refresh_token=refresh), settings, ENDED
    )


class _Ours:
    """What Authlib takes for a session of requests: its questions go out by media.fetch."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def post(self, url: str, data: dict[str, str], headers: dict[str, str], auth: Any) -> _Said:
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        answer = fetch(url, self.settings, headers=headers, method="POST", data=body.encode())
        if answer.status == 429 or answer.status >= 500:
            raise busy(answer)
        return _Said(answer)


class _Said:
    """An answer as Authlib reads it."""

    def __init__(self, answer: Fetched) -> None:
        self.status_code, self._answer = answer.status, answer

    def json(self) -> Any:
        known = self._answer.json()
        if not isinstance(known, dict):
            raise catalogues.unreadable(WHERE)
        return known


def _tokens(ask: Callable[[OAuth2Client], Any], settings: Settings, sentence: str) -> Tokens:
    client = OAuth2Client(_Ours(settings), settings.spotify_client_id)
    try:
        known = ask(client)
    except OAuth2Error as error:
        if error.error in ("temporarily_unavailable", "server_error"):
            raise Busy(BUSY, 0) from None
        # What it says besides may repeat what we sent.
        raise Ended(sentence) from None
    access, refresh, lasts = (known.get(name) for name in ("access_token", "refresh_token", "expires_in"))
    is_good = all(isinstance(each, str) and 0 < len(each) <= LONGEST_TOKEN for each in (access, refresh))
    if not is_good or str(known.get("token_type", "")).lower() != "bearer":
        raise catalogues.unreadable(WHERE)
    granted = str(known.get("scope") or "").split()
    wishes = tuple(wish for wish, scopes in SCOPES.items() if set(scopes) <= set(granted))
    return Tokens(access, refresh, min(number(lasts, 3_600), 86_400), wishes)
