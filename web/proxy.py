"""Bytes of somebody's own media server, passed on as they come: people get our address, and only we have the keys.

Ranges go there and back (RFC 9110, section 14). Of the server's own headers only those come through that say which
bytes these are; what kind they are is said by us, from a list, and no cookie goes either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from flask import Response, current_app, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from media import fetch, registry, servers
from media.fetch import Streamed
from media.provider import Trouble
from media.servers import Login, Server, SignInAgain
from party import sources
from party.sources import Elsewhere
from party.uploads import apart
from web.answers import network
from web.places import Places, Share

IDLE_SECONDS = 20.0
MOST_EXPLAINED = 64 * 1024
FOR_A_WHILE = "private, max-age=3600"
FULL = "Many people listen to libraries of others just now. This one goes on in a moment."
FULL_HERE = "Many of you listen to libraries of others just now. This one goes on in a moment."
OTHER_KIND = "That server sent something that is no music and no film."

_UNSAID = ("", "application/octet-stream", "binary/octet-stream")
_RANGE = re.compile(r"bytes=(?:[0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})")
_FORMS = {
    "content-length": re.compile(r"[0-9]{1,18}"),
    "content-range": re.compile(r"bytes [0-9]{1,18}-[0-9]{1,18}/(?:[0-9]{1,18}|\*)"),
    "accept-ranges": re.compile(r"bytes|none"),
    "etag": re.compile(r'(?:W/)?"[!#-~]{0,200}"'),
    "last-modified": re.compile(r"[A-Za-z0-9 ,:+-]{1,40}"),
}

places = Places(Share(64, FULL), network=Share(32, FULL_HERE))
"""One for each who is sent to, which is a connection to somebody's server. Addresses of media know no person, and a
whole party may sit in one network.
"""


def pass_on(found: sources.Streamed) -> Response:
    """A track's bytes, or the range of them that was asked for. Raises Elsewhere, TooMany, Busy."""
    with ExitStack() as held:
        held.enter_context(places.held(network=network()))
        answered = _asked(found, held)
        mime = servers.played(answered.headers.get("content-type")) or found.mime
        headers = {"Content-Type": mime, "Content-Disposition": "inline", "Cache-Control": FOR_A_WHILE}
        headers |= _known(answered.headers)
        response = Response(status=answered.status, headers=headers, direct_passthrough=True)
        if request.method == "GET":
            # From here on it is closed by whoever sends it.
            response.response = Passed(answered.chunks, held.pop_all())
        return response


def _asked(found: sources.Streamed, held: ExitStack) -> Streamed:
    """The server's answer, when it is what was asked for."""
    wanted, keys = current_app.config["SETTINGS"], found.keys
    try:
        server = registry.server(keys.kind, wanted)
        asked = server.stream(Login(**keys.login), found.item, found.way, found.is_video)
        headers = {**asked.headers, **_passed_there()}
        with apart():
            opened = fetch.stream(asked.url, wanted, headers=headers, seconds_idle=IDLE_SECONDS)
            answered = held.enter_context(opened)
            trouble = _trouble(answered, server, found.mime)
    except Trouble as why:
        trouble = why
    if isinstance(trouble, SignInAgain):
        sources.found_bad(keys, servers.SIGN_IN_AGAIN)
        raise Elsewhere(servers.SIGN_IN_AGAIN)
    if trouble is not None:
        raise Elsewhere(trouble.sentence)
    return answered


def _passed_there() -> dict[str, str]:
    """The range that a browser asks for. Several at once nobody's player wants, and without them all of it is right."""
    wanted, condition = request.headers.get("Range", ""), request.headers.get("If-Range", "")
    if request.method != "GET" or not _RANGE.fullmatch(wanted):
        return {}
    is_known = _FORMS["etag"].fullmatch(condition) or _FORMS["last-modified"].fullmatch(condition)
    return {"range": wanted} | ({"if-range": condition} if is_known else {})


def _trouble(answered: Streamed, server: Server, mime: str) -> Trouble | None:
    """Why an answer is not passed on, if it is not."""
    kind = answered.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answered.status == 416:
        said = re.fullmatch(r"bytes \*/([0-9]{1,18})", answered.headers.get("content-range", ""))
        raise RequestedRangeNotSatisfiable(int(said[1]) if said else None)
    if answered.status in (200, 206) and "content-encoding" not in answered.headers:
        if answered.status == 206 and not _FORMS["content-range"].fullmatch(
            answered.headers.get("content-range", "")
        ):
            return Trouble(OTHER_KIND)
        if servers.played(kind) or (kind in _UNSAID and servers.played(mime)):
            return None
        if not kind.startswith("text/") and kind not in ("application/json", "application/xml"):
            return Trouble(OTHER_KIND)
    return server.refusal(answered.status, _beginning(answered.chunks))


def _beginning(chunks: Iterator[bytes]) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) >= MOST_EXPLAINED:
            break
    return bytes(body[:MOST_EXPLAINED])


def _known(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.title().replace("Etag", "ETag"): headers[name]
        for name, form in _FORMS.items()
        if name in headers and form.fullmatch(headers[name])
    }


class Passed:
    """An answer's body while it comes. Closing it lets go of the server and of the place."""

    def __init__(self, chunks: Iterator[bytes], held: ExitStack) -> None:
        self._chunks, self._held = chunks, held

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except Trouble as trouble:
            # Its length was promised; only a broken connection says that it is not kept.
            raise OSError(trouble.sentence) from None
        finally:
            self.close()

    def close(self) -> None:
        self._held.close()
