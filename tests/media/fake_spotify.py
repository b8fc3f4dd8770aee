"""A fake of Spotify on loopback: the accounts service and the Web API as developer.spotify.com documents them.

It checks PKCE and redirect addresses, rotates refresh tokens, ends access tokens, limits and refuses as told, keeps
playlists with their marks, and counts what it was asked. Pages it follows: web-api/tutorials/code-pkce-flow and
refreshing-tokens, web-api/reference (get-track, search, get-playlist, get-playlists-items, get-an-albums-tracks,
create-playlist, add-items-to-playlist, get-current-users-profile), web-api/concepts/api-calls and rate-limits,
web-api/tutorials/february-2026-migration-guide, embeds/reference/oembed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from config import Settings, settings
from media import spotify, spotify_api, spotify_login

CLIENT = "the-client-id"
ALL_SCOPES = " ".join(scope for scopes in spotify_login.SCOPES.values() for scope in scopes)


def key(number: int) -> str:
    """The id of a track, album or list: 22 letters."""
    return f"{number:022d}"


def track(number: int, **more: Any) -> dict[str, Any]:
    """A track object, as full as it is in extended mode."""
    return {
        "id": key(number), "type": "track", "uri": f"spotify:track:{key(number)}", "name": f"Song {number}",
        "artists": [{"name": "Ada"}, {"name": "Ben"}], "duration_ms": 180_000 + number, "explicit": False,
        "album": {"name": "An album", "images": [{"url": "https://i.scdn.co/image/1", "width": 640, "height": 640}]},
        "is_local": False, **more,
    }  # fmt: skip


@dataclass
class Listed:
    """A playlist there: whose it is, its rows, and the mark that changes with them."""

    name: str
    owner: str = "ada"
    rows: list[Any] = field(default_factory=list)
    mark: int = 0


@dataclass
class FakeSpotify:
    """What is there, what was asked, and what goes wrong next: `troubles` are answers given before anything else."""

    url: str = ""
    tracks: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, Listed] = field(default_factory=dict)
    albums: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    troubles: list[tuple[str, int, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    access: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    spent: list[str] = field(default_factory=list)
    scopes: str = ALL_SCOPES
    inner: str = "item"
    loses_answers: bool = False
    """The next list that is added to grows, and the answer is lost on the way."""

    def settings(self) -> Settings:
        """Settings under which it is reached."""
        return replace(settings, private_hosts=(urlsplit(self.url).netloc,), spotify_client_id=CLIENT)

    def sign_in(self, address: str) -> str:
        """Somebody says yes on its page; the code that it sends their browser back with."""
        asked = parse_qs(urlsplit(address).query)
        code = secrets.token_urlsafe(100)
        self.codes[code] = (
            asked["code_challenge"][0],
            asked["redirect_uri"][0],
            " ".join(asked.get("scope", [])),
        )
        return code

    def let_in(self, scopes: str = ALL_SCOPES) -> dict[str, Any]:
        """Tokens, as the accounts service answers them."""
        access, refresh = f"access-{secrets.token_hex(12)}", f"refresh-{secrets.token_hex(12)}"
        self.access.add(access)
        self.refresh.add(refresh)
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh,
            "scope": scopes,
        }  # fmt: skip

    def trouble(self, path: str, status: int, body: dict[str, Any] | None = None, **headers: str) -> None:
        """The next question whose path begins so is answered like this."""
        self.troubles.append((path, status, {k.replace("_", "-"): v for k, v in headers.items()}, body or {}))

    def count(self, method: str, path: str) -> int:
        """How often it was asked so."""
        return sum(one == method and two.startswith(path) for one, two in self.asked)

    # --- answers ---

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of an answer."""
        split = urlsplit(target)
        path, query = split.path, dict(parse_qsl(split.query))
        self.asked.append((method, target))
        for trouble in self.troubles:
            if path.startswith(trouble[0]):
                self.troubles.remove(trouble)
                return trouble[1:]
        if path == "/oembed":
            return self._oembed(query)
        if path == "/accounts/api/token":
            return self._token(dict(parse_qsl(body.decode())), headers)
        if not path.startswith("/v1/"):
            return 404, {}, {}
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.access:
            return _error(401, "The access token expired")
        said = json.loads(body) if body else {}
        return self._api(method, path.removeprefix("/v1/").split("/"), query, said)

    def _oembed(self, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        known = self.tracks.get(query["url"].rpartition("/")[2])
        if known is None:
            return 404, {}, {}
        return (
            200,
            {},
            {"title": known["name"], "thumbnail_url": "", "html": "<iframe></iframe>", "type": "rich"},
        )

    def _token(self, form: dict[str, str], headers: Any) -> tuple[int, dict[str, str], Any]:
        is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        if not is_form or form.get("client_id") != CLIENT or "authorization" in headers:
            return 400, {}, {"error": "invalid_client"}
        if form["grant_type"] == "authorization_code":
            challenge, redirect, scopes = self.codes.pop(form["code"], ("", "", ""))
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if (
                base64.urlsafe_b64encode(digest).decode().rstrip("=") != challenge
                or form["redirect_uri"] != redirect
            ):
                return 400, {}, {"error": "invalid_grant", "error_description": "code_verifier was incorrect"}
            return 200, {}, self.let_in(scopes)
        if form["grant_type"] == "refresh_token" and form["refresh_token"] in self.refresh:
            self.refresh.remove(form["refresh_token"])
            self.spent.append(form["refresh_token"])
            self.access.clear()
            return 200, {}, self.let_in(self.scopes)
        return 400, {}, {"error": "invalid_grant", "error_description": f"Refresh token revoked {form}"}

    def _api(
        self, method: str, parts: list[str], query: dict[str, str], said: Any
    ) -> tuple[int, dict[str, str], Any]:
        match method, parts:
            case "GET", ["me"]:
                return 200, {}, {"id": "ada", "display_name": "Ada <b>"}
            case "GET", ["tracks", wanted] if wanted in self.tracks:
                return 200, {}, self.tracks[wanted]
            case "GET", ["search"]:
                if int(query["limit"]) > 10:
                    return _error(400, "Invalid limit")
                found = [each for each in self.tracks.values() if query["q"].lower() in each["name"].lower()]
                return 200, {}, {"tracks": {"items": found[: int(query["limit"])], "total": len(found)}}
            case "POST", ["me", "playlists"]:
                made = key(9_000 + len(self.lists))
                self.lists[made] = Listed(said["name"])
                return (
                    201,
                    {},
                    {"id": made, "name": said["name"], "public": said["public"], "snapshot_id": "0"},
                )
            case "GET", ["playlists", wanted] if wanted in self.lists:
                one = self.lists[wanted]
                return 200, {}, {"name": one.name, "snapshot_id": str(one.mark)}
            case "GET", ["playlists", wanted, "items"] if wanted in self.lists:
                if self.lists[wanted].owner != "ada":
                    return _error(403, "Forbidden")
                return 200, {}, self._page([{self.inner: row} for row in self.lists[wanted].rows], query)
            case "GET", ["albums", wanted] if wanted in self.albums:
                return 200, {}, {"name": "An album", "type": "album"}
            case "GET", ["albums", wanted, "tracks"] if wanted in self.albums:
                return 200, {}, self._page(self.albums[wanted], query)
            case "POST", ["playlists", wanted, "items"] if wanted in self.lists:
                return self._add(self.lists[wanted], said["uris"])
        return _error(404, "Resource not found")

    def _page(self, rows: list[Any], query: dict[str, str]) -> dict[str, Any]:
        limit, offset = int(query.get("limit", 20)), int(query.get("offset", 0))
        assert limit <= 50
        more = "https://evil.example/next" if offset + limit < len(rows) else None
        return {"items": rows[offset : offset + limit], "total": len(rows), "next": more, "offset": offset}

    def _add(self, one: Listed, uris: list[str]) -> tuple[int, dict[str, str], Any]:
        if len(uris) > 100:
            return _error(400, "You can add a maximum of 100 tracks per request.")
        one.rows += [track(int(uri.rpartition(":")[2])) for uri in uris]
        one.mark += 1
        if self.loses_answers:
            self.loses_answers = False
            return 502, {}, {}
        return 201, {}, {"snapshot_id": str(one.mark)}


def _error(status: int, message: str) -> tuple[int, dict[str, str], Any]:
    return status, {}, {"error": {"status": status, "message": message}}


@contextmanager
def running() -> Iterator[FakeSpotify]:
    """It, on a free port."""
    fake, lock = FakeSpotify(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = {name.lower(): value for name, value in self.headers.items()}
            with lock:
                status, headers, said = fake.answer(self.command, self.path, sent, body)
            text = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = handle_one

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSpotify]:
    """Spotify, as far as the house can tell."""
    with running() as one:
        monkeypatch.setattr(spotify, "OEMBED", f"{one.url}/oembed")
        monkeypatch.setattr(spotify_api, "API", f"{one.url}/v1")
        monkeypatch.setattr(spotify_login, "ACCOUNTS", f"{one.url}/accounts")
        yield one
