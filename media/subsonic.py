"""Servers that speak the Subsonic API with OpenSubsonic's additions: Navidrome, Gonic and others.

By https://opensubsonic.netlify.app/docs/: “API reference” (parameters u, t = md5(password + salt), s, v, c, f),
“API Key Authentication” (apiKey, and then no u), “error” (codes), “search3”, “getAlbumList2”, “getAlbum”,
“getPlaylists”, “getPlaylist”, “getCoverArt” and “stream” (format=raw is the file as it is; what comes in place of a
file is an XML or JSON document). All are GETs: POST is an addition that a server need not have.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import Any
from urllib.parse import urlencode

from config import Settings
from media import catalogues
from media.provider import Trouble
from media.servers import (
    GONE,
    LISTS,
    MOST_TRACKS,
    NOT_A_SERVER,
    NOT_ALLOWED,
    PAGE_ROWS,
    UNREADABLE,
    WRONG,
    Login,
    Page,
    Request,
    Row,
    Server,
    SignInAgain,
    ask,
    gathered,
    is_id,
    number,
    object_in,
    page_of,
    picture_in,
    played,
    words_of,
)

NAME = "subsonic"
VERSION, CLIENT = "1.16.1", "Partyline"
WRONG_KEY = "That server does not know this API key."
NO_TOKEN = "That server takes no password this way. Make an API key there, and give that without a name."
TOO_OLD = "That server is too old, or too new, for us."
FORBIDDEN = "That server, or what stands before it, would not let us in."
MISSING = "That server wants to be told something we do not tell."

_SENTENCES = {10: MISSING, 20: TOO_OLD, 30: TOO_OLD, 50: NOT_ALLOWED, 60: NOT_ALLOWED, 70: GONE}
_KEYS = {40: WRONG, 41: NO_TOKEN, 42: NO_TOKEN, 43: WRONG_KEY, 44: WRONG_KEY}


def sign_in(login: Login, settings: Settings) -> Login:
    """Ask whether the keys are good; they are kept as they are."""
    _ask(login, settings, "ping")
    return login


def browse(login: Login, words: str, settings: Settings) -> Page:
    """A page of the library, or of what it has for some words."""
    kind, rest = words_of(words, LISTS)
    if kind == "albums":
        return _albums(login, page_of(rest), settings)
    if kind == "playlists":
        # The API has no pages of these.
        known = _ask(login, settings, "getPlaylists")
        return Page(gathered(_in(known, "playlists", "playlist"), _playlist, 4 * PAGE_ROWS), "Playlists")
    if kind == "album":
        known = _part(_ask(login, settings, "getAlbum", id=rest), "album")
        title = catalogues.text(known.get("name")) or catalogues.text(known.get("title"))
        return Page(gathered(known.get("song"), _song, MOST_TRACKS), title)
    if kind == "playlist":
        known = _part(_ask(login, settings, "getPlaylist", id=rest), "playlist")
        return Page(gathered(known.get("entry"), _song, MOST_TRACKS), catalogues.text(known.get("name")))
    counts = {"artistCount": "0", "albumCount": "10", "songCount": str(PAGE_ROWS)}
    found = _part(_ask(login, settings, "search3", query=words, **counts), "searchResult3")
    songs = gathered(found.get("song"), _song, PAGE_ROWS)
    return Page(songs + gathered(found.get("album"), _album, 10))


def stream(login: Login, item: str, way: str, is_video: bool) -> Request:
    """Where a track's bytes are: as they are, so that ranges mean something, or made into MP3."""
    return _request(login, "stream", id=item, format="raw" if way == "raw" else "mp3")


def picture(login: Login, item: str, settings: Settings) -> bytes | None:
    """A track's cover."""
    return picture_in(ask(_request(login, "getCoverArt", id=item, size="640"), settings))


def refusal(status: int, body: bytes) -> Trouble:
    """What a document says that came in place of a file or an answer: JSON, or the API's own XML."""
    found = re.search(rb"<error\b[^>]*\bcode=[\"']([0-9]{1,3})[\"']", body[:4_096])
    code = int(found[1]) if found else 0
    try:
        known = json.loads(body)["subsonic-response"]["error"]["code"]
        code = known if isinstance(known, int) else code
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    if status == 401 and not code:
        return SignInAgain(WRONG)
    # A bare 403 may be what stands before the server: the keys can be good all the same.
    bare = {403: FORBIDDEN, 404: GONE}.get(status) if not code else None
    return Trouble(bare) if bare else _said(code)


def _albums(login: Login, page: int, settings: Settings) -> Page:
    asked = {"type": "alphabeticalByName", "size": str(PAGE_ROWS), "offset": str(page * PAGE_ROWS)}
    known = _in(_ask(login, settings, "getAlbumList2", **asked), "albumList2", "album")
    is_full = isinstance(known, list) and len(known) >= PAGE_ROWS
    more = f"albums:{page + 1}" if is_full and page_of(str(page + 1)) > page else ""
    return Page(gathered(known, _album, PAGE_ROWS), "Albums", more)


def _ask(login: Login, settings: Settings, method: str, **asked: str) -> dict[str, Any]:
    """What a method answers. Raises Trouble, SignInAgain for keys that are not good."""
    answer = ask(_request(login, method, **asked), settings)
    if answer.status in (401, 403):
        raise refusal(answer.status, answer.body)
    if answer.status != 200:
        # Servers answer 200 to everything, errors too.
        raise Trouble(NOT_A_SERVER)
    if answer.mime == "text/html":
        raise Trouble(NOT_A_SERVER)
    known = object_in(answer).get("subsonic-response")
    if not isinstance(known, dict):
        raise Trouble(NOT_A_SERVER)
    error = known.get("error")
    if known.get("status") != "ok" or isinstance(error, dict):
        code = error.get("code") if isinstance(error, dict) else None
        raise _said(code if isinstance(code, int) else 0)
    return known


def _said(code: int) -> Trouble:
    if code in _KEYS:
        return SignInAgain(_KEYS[code])
    return Trouble(_SENTENCES.get(code, UNREADABLE))


def _request(login: Login, method: str, **asked: str) -> Request:
    if login.key:
        keys = {"apiKey": login.key}
    else:
        salt = secrets.token_hex(8)
        # The API knows no other digest.
        token = hashlib.md5((login.password + salt).encode(), usedforsecurity=False).hexdigest()
        keys = {"u": login.username, "t": token, "s": salt}
    query = urlencode({**asked, **keys, "v": VERSION, "c": CLIENT, "f": "json"})
    return Request(f"{login.address}/rest/{method}?{query}")


def _part(known: dict[str, Any], name: str) -> dict[str, Any]:
    part = known.get(name, {})
    if not isinstance(part, dict):
        raise Trouble(UNREADABLE)
    return part


def _in(known: dict[str, Any], name: str, listed: str) -> object:
    return _part(known, name).get(listed)


def _song(song: dict[str, Any]) -> Row | None:
    """A `Child`. What no browser plays is made into MP3 by the server; films are not made into anything."""
    title, is_video = catalogues.text(song.get("title")), song.get("isVideo") is True
    if not is_id(song.get("id")) or not title or song.get("isDir") is True:
        return None
    mime = played(song.get("contentType"))
    way = "raw" if mime or is_video else "mp3"
    return Row(
        "track",
        song["id"],
        title,
        catalogues.text(song.get("displayArtist")) or catalogues.text(song.get("artist")),
        catalogues.text(song.get("album")),
        number(song.get("duration"), 2_000_000) * 1_000,
        mime=mime or ("" if is_video else "audio/mpeg"),
        way=way,
        is_video=is_video,
        is_explicit=song.get("explicitStatus") == "explicit",
    )


def _album(album: dict[str, Any]) -> Row | None:
    title = catalogues.text(album.get("name")) or catalogues.text(album.get("title"))
    if not is_id(album.get("id")) or not title:
        return None
    artist, count = catalogues.text(album.get("artist")), number(album.get("songCount"))
    return Row("album", album["id"], title, artist, count=count)


def _playlist(known: dict[str, Any]) -> Row | None:
    title = catalogues.text(known.get("name"))
    if not is_id(known.get("id")) or not title:
        return None
    return Row("playlist", known["id"], title, count=number(known.get("songCount")))


SERVER = Server(NAME, "Navidrome, Gonic or another Subsonic", sign_in, browse, stream, picture, refusal)
