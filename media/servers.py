"""Somebody's own media server, whatever it is called: what its client is given, what it gives, and how it is reached.

One module for each kind (media/subsonic.py, media/jellyfin.py) keeps its API to itself. All of it goes through
media.fetch, in the worker; only `Request`, for the proxy, is used by the web process. Nothing here logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import Settings
from media import catalogues
from media.fetch import Fetched, fetch
from media.net_address import NOT_THERE, Unlisted, is_inside, is_neighbour, is_number, parse
from media.provider import Trouble

PAGE_ROWS = 50
MOST_PAGE = 200
MOST_TRACKS = 100
"""Of an album or a playlist no more is read, however long it is."""
MOST_BYTES = 8_000_000
SECONDS = 15.0
SIGN_IN_AGAIN = "Your library’s server wants you to sign in again."
NOT_A_SERVER = "There is no server of that kind at that address."
UNREADABLE = "That server answered with something we cannot read."
LISTS = ("albums", "playlists", "album", "playlist")
WRONG = "That name and password are not right there."
GONE = "That is not in your library any more."
NOT_ALLOWED = "Your account there may not do that."
INSIDE = "That is in a network of its own. Whoever runs this house has to name it in PRIVATE_HOSTS first: {}."
UNUSUAL = (
    "Servers on the internet are reached by https://, at port 443 or 8443. "
    "Whoever runs this house has to name any other in PRIVATE_HOSTS first: {}."
)
BUSY = "Your library’s server is busy just now. Try again in a moment."

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# As browsers know them; what a server says otherwise is said in these words.
_PLAYED = {
    "audio/mpeg": "audio/mpeg", "audio/mp3": "audio/mpeg",
    "audio/mp4": "audio/mp4", "audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4",
    "audio/flac": "audio/flac", "audio/x-flac": "audio/flac",
    "audio/ogg": "audio/ogg", "application/ogg": "audio/ogg", "audio/opus": "audio/ogg", "audio/vorbis": "audio/ogg",
    "audio/wav": "audio/wav", "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/webm": "audio/webm",
    "video/mp4": "video/mp4", "video/x-m4v": "video/mp4", "video/webm": "video/webm",
}  # fmt: skip


class SignInAgain(Trouble):
    """The server does not take these keys, or not any more."""


@dataclass(frozen=True, slots=True)
class Login:
    """What opens a server. Exactly one of password and key is there; with a key there need be no name."""

    address: str
    username: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    user: str = ""
    """The id that the server has for this person, where it wants to be told."""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Something in a library: a track, or an album or playlist of them. `way` is how a track is asked for: as it is
    (raw), or made into MP3 by the server; `mime` is what comes then, and empty for what no browser plays."""

    what: str
    id: str
    title: str
    artist: str = ""
    album: str = ""
    duration_ms: int = 0
    count: int = 0
    mime: str = ""
    way: str = "raw"
    is_video: bool = False
    is_explicit: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, what they are of, and where more of them are (words as `browse` takes them; empty for the last page)."""

    rows: tuple[Row, ...]
    title: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask the server for. It opens the library, so it is told to nobody."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A kind of media server.

    `sign_in` checks the keys and gives back those to keep. `browse` takes “albums:PAGE”, “playlists:PAGE”, “album:ID”,
    “playlist:ID”, or words to look for. `stream` is where a track's bytes are, `picture` its cover, if there is one.
    `refusal` reads an answer that came in place of bytes.
    """

    name: str
    title: str
    sign_in: Callable[[Login, Settings], Login]
    browse: Callable[[Login, str, Settings], Page]
    stream: Callable[[Login, str, str, bool], Request]
    picture: Callable[[Login, str, Settings], bytes | None]
    refusal: Callable[[int, bytes], Trouble]


def clean_address(typed: str, settings: Settings) -> str:
    """A server's address as it is kept: no query, nothing behind its folder. Raises Trouble.

    What is refused is told by its form alone: nothing is looked up, so that nobody learns what there is in a network.
    """
    text = typed.strip()
    if text and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        text = f"https://{text}"
    try:
        url = parse(text.partition("#")[0].partition("?")[0], settings).url
    except Unlisted as unlisted:
        raise Trouble(_way_in(unlisted)) from unlisted
    return re.sub(r"(?:/(?:rest|web|app)(?:/[^/]*)?)?/*$", "", url)


def _way_in(unlisted: Unlisted) -> str:
    """What it takes for an address of somebody's own server that is not on the list."""
    if not is_inside(unlisted.host):
        return UNUSUAL.format(unlisted.name)
    if is_number(unlisted.host) and not is_neighbour(unlisted.host):
        # What is nobody's own, such as 169.254.169.254, is not gone to even when it is on the list.
        return NOT_THERE
    return INSIDE.format(unlisted.name)


def words_of(words: str, kinds: tuple[str, ...]) -> tuple[str, str]:
    """The kind of a list and which one, for words such as “album:ID”; ("", words) for what is to be looked for."""
    kind, colon, rest = words.partition(":")
    if colon and kind in kinds and is_id(rest):
        return kind, rest
    return "", words


def page_of(rest: str) -> int:
    """The number in “albums:PAGE”; pages are not without end."""
    return min(int(rest), MOST_PAGE) if rest.isascii() and rest.isdigit() and len(rest) < 6 else 0


def is_id(value: object) -> bool:
    """True for an id that may stand in an address and in a row of ours."""
    return isinstance(value, str) and bool(_ID.fullmatch(value)) and value.strip(".") != ""


def played(mime: object) -> str:
    """The type as browsers know it; empty for what they do not play."""
    return _PLAYED.get(mime.partition(";")[0].strip().lower(), "") if isinstance(mime, str) else ""


def ask(request: Request, settings: Settings, *, method: str = "GET", data: bytes | None = None) -> Fetched:
    """The answer of a server, whatever its status. Raises Trouble."""
    answer = fetch(
        request.url,
        settings,
        headers=request.headers,
        method=method,
        data=data,
        most_bytes=MOST_BYTES,
        seconds=SECONDS,
    )
    if answer.status in (408, 425, 429) or answer.status >= 500:
        # Its Retry-After is of no use here: whoever waits for the answer is a person with a screen.
        raise Trouble(BUSY, again=True)
    return answer


def object_in(answer: Fetched) -> dict[str, Any]:
    """The JSON object of an answer. Raises Trouble for anything else."""
    try:
        known = answer.json()
    except Trouble as trouble:
        raise Trouble(UNREADABLE) from trouble
    if not isinstance(known, dict):
        raise Trouble(UNREADABLE)
    return known


def number(value: object, most: int = 2**31 - 1) -> int:
    """A whole number that is not negative; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most else 0


def gathered(known: object, make: Callable[[dict[str, Any]], Row | None], most: int) -> tuple[Row, ...]:
    """The rows that a list has, at most so many, each id once; what is no row is passed over."""
    made: dict[tuple[str, str], Row] = {}
    for each in catalogues.listed(known):
        row = make(each)
        if row is not None:
            made.setdefault((row.what, row.id), row)
        if len(made) >= most:
            break
    return tuple(made.values())


def picture_in(answer: Fetched) -> bytes | None:
    """The bytes of a picture, if that is what came."""
    return answer.body if answer.status == 200 and answer.mime.startswith("image/") else None
