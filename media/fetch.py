"""The one way out: `fetch` for an answer that is read whole, `stream` for one that is passed on as it comes.

Addresses come from people and from other machines, so each one is checked (media.net_address), looked up once and
connected to as checked (media.net_wire); redirects too. No cookies, no proxies of the environment, and everything has
an end: in time, in bytes once inflated, in steps. What fails is a `Trouble` with a sentence to the person.
"""

from __future__ import annotations

import http.client
import json
import socket
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urljoin

from config import Settings
from media.net_address import NOT_THERE, Address, parse
from media.net_wire import INTERNET, LONG_HEADER, NOBODY, SLOW, Internet, Patience, open_channel
from media.provider import Trouble, Unreachable

CIRCLES = "It sends us on and on."
TOO_LARGE = "It sent more than we take."
GARBLED = "Its answer makes no sense to us."
CUT_OFF = "It stopped in the middle of its answer."
OTHER_KIND = "What is there is not what we asked for."

MOST_REDIRECTS = 3
_PIECE = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
# All else that a caller sends may be a secret between it and that host.
_HARMLESS = {
    "accept",
    "accept-encoding",
    "accept-language",
    "range",
    "if-range",
    "if-none-match",
    "user-agent",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, whatever its status; names of headers in lower case. `url` is where the redirects ended."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str

    @property
    def mime(self) -> str:
        """The content type without its parameters, in lower case."""
        return _mime(self.headers)

    def json(self) -> Any:
        """The body as JSON. Raises Trouble when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Trouble(GARBLED, again=True) from error


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body comes in pieces, as it was sent. Reading them may raise Trouble."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class _Request:
    address: Address
    method: str
    headers: dict[str, str]
    data: bytes | None


def fetch(
    url: str,
    settings: Settings,
    *,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    data: bytes | None = None,
    most_bytes: int = 2_000_000,
    seconds: float = 10.0,
    accept: tuple[str, ...] = (),
    only_start: bool = False,
    internet: Internet = INTERNET,
) -> Fetched:
    """What is at a URL, all of it within `seconds` and `most_bytes`. Raises Trouble; a status of 400 is no trouble.

    `accept` names content types ("audio/" for all that begin so) and refuses a good answer of another. With
    `only_start` what lies beyond `most_bytes` is left unread instead of refused.
    """
    patience = Patience(seconds)
    asked = {"accept-encoding": "identity" if only_start else "gzip", "accept": _accepted(accept)}
    asked |= {name.lower(): value for name, value in (headers or {}).items()}
    request = _Request(parse(url, settings), method, asked, data)
    with _exchange(request, settings, internet, patience) as (last, response):
        known = _headers(response)
        if accept and 200 <= response.status < 300 and not _is_of(_mime(known), accept):
            raise Trouble(OTHER_KIND)
        body = b"" if method == "HEAD" else _body(response, known, most_bytes, only_start)
        return Fetched(response.status, known, body, last.url)


@contextmanager
def stream(
    url: str,
    settings: Settings,
    *,
    headers: Mapping[str, str] | None = None,
    seconds_idle: float = 20.0,
    internet: Internet = INTERNET,
) -> Iterator[Streamed]:
    """What is at a URL, piece by piece: its header and then each piece within `seconds_idle`. Raises Trouble."""
    patience = Patience(seconds_idle)
    asked = {"accept-encoding": "identity", "accept": "*/*"}
    asked |= {name.lower(): value for name, value in (headers or {}).items()}
    request = _Request(parse(url, settings), "GET", asked, None)
    with _exchange(request, settings, internet, patience) as (_, response):
        patience.only_idle(seconds_idle)
        yield Streamed(response.status, _headers(response), _pieces(response))


@contextmanager
def _exchange(
    request: _Request, settings: Settings, internet: Internet, patience: Patience
) -> Iterator[tuple[Address, http.client.HTTPResponse]]:
    """The answer at the end of the redirects, its header read and its body not."""
    for _ in range(MOST_REDIRECTS + 1):
        with _answer(request, internet, patience) as response:
            onward = response.getheader("location") if response.status in _REDIRECTS else None
            if onward is None:
                yield request.address, response
                return
        request = _redirected(request, onward, response.status, settings)
    raise Trouble(CIRCLES)


@contextmanager
def _answer(request: _Request, internet: Internet, patience: Patience) -> Iterator[http.client.HTTPResponse]:
    patience.begin_header()
    channel = open_channel(request.address, internet, patience)
    try:
        response = _asked(request, cast(socket.socket, channel))
        patience.end_header()
        yield response
        response.close()
    finally:
        channel.close()


def _asked(request: _Request, channel: socket.socket) -> http.client.HTTPResponse:
    """The answer with its header read. The standard library writes and reads HTTP, and never sees the address."""
    own = {"host": request.address.authority, "connection": "close"}
    connection = http.client.HTTPConnection("")
    connection.sock = channel
    response = http.client.HTTPResponse(channel, method=request.method)
    try:
        headers = {"user-agent": "Partyline", **request.headers, **own}
        connection.request(request.method, request.address.target, request.data, headers)
        response.begin()
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _trouble(error, in_header=True) from error
    return response


def _redirected(request: _Request, onward: str, status: int, settings: Settings) -> _Request:
    """The request to make instead. Raises Trouble for one that leads from the internet into a house, or off https."""
    try:
        # Header bytes are latin-1 to the standard library and most often UTF-8 to whoever wrote them.
        onward = onward.encode("latin-1").decode(errors="replace").replace(" ", "%20")
        address = parse(urljoin(request.address.url, onward), settings)
    except ValueError as error:
        raise Trouble(NOT_THERE) from error
    if address.is_listed and not request.address.is_listed:
        raise Trouble(NOT_THERE)
    if address.scheme == "http" and request.address.scheme == "https":
        raise Trouble(NOT_THERE)
    headers, method, data = request.headers, request.method, request.data
    if address.origin != request.address.origin:
        headers = {name: value for name, value in headers.items() if name in _HARMLESS}
    if method == "POST" and status in (301, 302, 303):
        method, data = "GET", None
        headers = {name: value for name, value in headers.items() if name != "content-type"}
    if data is not None and address.origin != request.address.origin:
        raise Trouble(GARBLED)
    return _Request(address, method, headers, data)


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it comes, to its promised end."""
    left = response.length
    try:
        while left is None or left > 0:
            piece = response.read1(_PIECE if left is None else min(left, _PIECE))
            if not piece:
                break
            left = None if left is None else left - len(piece)
            yield piece
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _trouble(error, in_header=False) from error
    if left:
        raise Trouble(CUT_OFF, again=True)


def _body(
    response: http.client.HTTPResponse, headers: Mapping[str, str], most: int, only_start: bool
) -> bytes:
    if (response.length or 0) > most and not only_start:
        raise Trouble(TOO_LARGE)
    body = bytearray()
    for piece in _inflated(_pieces(response), headers.get("content-encoding", ""), most + 1):
        body += piece
        if len(body) > most:
            if not only_start:
                raise Trouble(TOO_LARGE)
            break
    return bytes(body[:most])


def _inflated(pieces: Iterator[bytes], coding: str, most: int) -> Iterator[bytes]:
    """Pieces without their content coding, none larger than `most`: a bomb is stopped while it goes off."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        yield from pieces
        return
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise Trouble(GARBLED)
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for piece in pieces:
            yield inflating.decompress(piece, most)
            while inflating.unconsumed_tail:
                yield inflating.decompress(inflating.unconsumed_tail, most)
            if inflating.eof:
                return
    except zlib.error as error:
        raise Trouble(GARBLED) from error
    raise Trouble(CUT_OFF, again=True)


def _headers(response: http.client.HTTPResponse) -> Mapping[str, str]:
    known: dict[str, str] = {}
    for name, value in response.getheaders():
        lower = name.lower()
        known[lower] = f"{known[lower]}, {value}" if lower in known else value
    return known


def _mime(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _accepted(accept: tuple[str, ...]) -> str:
    return ", ".join(f"{each}*" if each.endswith("/") else each for each in accept) or "*/*"


def _is_of(mime: str, accept: tuple[str, ...]) -> bool:
    return any(mime.startswith(each) if each.endswith("/") else mime == each for each in accept)


def _trouble(error: Exception, in_header: bool) -> Trouble:
    """The sentence for what went wrong on the wire."""
    if isinstance(error, TimeoutError):
        return Trouble(SLOW, again=True)
    if isinstance(error, http.client.IncompleteRead):
        return Trouble(CUT_OFF, again=True)
    if isinstance(error, http.client.LineTooLong) or "more than 100 headers" in str(error):
        return Trouble(LONG_HEADER)
    if isinstance(error, OSError):
        return Unreachable(NOBODY) if in_header else Trouble(CUT_OFF, again=True)
    return Trouble(GARBLED)
