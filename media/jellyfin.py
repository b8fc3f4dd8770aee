"""Jellyfin: signing in, searching, browsing and streaming by its own API.

By https://api.jellyfin.org/: POST /Users/AuthenticateByName, GET /Users/Me, GET /Items (searchTerm, includeItemTypes,
parentId, recursive, startIndex, limit), GET /Items/{itemId}, GET /Audio/{itemId}/stream and /Videos/{itemId}/stream
with static=true, GET /Audio/{itemId}/universal, GET /Items/{itemId}/Images/Primary. Keys go in the header
Authorization with the scheme MediaBrowser, whose values are quoted and URL-encoded. Lengths are in ticks, ten thousand
to a millisecond.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from config import Settings
from media import catalogues
from media.fetch import Fetched
from media.provider import Trouble
from media.servers import (
    GONE,
    LISTS,
    MOST_TRACKS,
    NOT_A_SERVER,
    NOT_ALLOWED,
    PAGE_ROWS,
    SIGN_IN_AGAIN,
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
    words_of,
)

NAME = "jellyfin"
CLIENT, VERSION = "Partyline", "1.0"
TICKS = 10_000

_TRACKS = ("Audio", "Movie", "Episode", "MusicVideo", "Video")
_SOUND = {
    "mp3": "mpeg", "flac": "flac", "ogg": "ogg", "oga": "ogg", "opus": "ogg", "wav": "wav", "webm": "webm",
    "webma": "webm", "m4a": "mp4", "m4b": "mp4", "mp4": "mp4", "mov": "mp4",
}  # fmt: skip
_FILM = {"mp4": "mp4", "m4v": "mp4", "mov": "mp4", "webm": "webm"}


def sign_in(login: Login, settings: Settings) -> Login:
    """Change a password for a token, which is all that is kept; or see whether a key is good, and whose it is."""
    if login.password:
        body = json.dumps({"Username": login.username, "Pw": login.password}).encode()
        asked = _request(login, "/Users/AuthenticateByName")
        typed = Request(asked.url, {**asked.headers, "Content-Type": "application/json"})
        answer = ask(typed, settings, method="POST", data=body)
        if answer.status in (400, 401, 403):
            raise SignInAgain(WRONG)
        known = _object(answer)
        user, token = known.get("User"), known.get("AccessToken")
        if not isinstance(token, str) or not 0 < len(token) <= 500:
            raise Trouble(UNREADABLE)
        name = user.get("Id") if isinstance(user, dict) else ""
        return Login(login.address, login.username, key=token, user=_id(name), device=login.device)
    answer = ask(_request(login, "/Users/Me"), settings)
    if answer.status == 400:
        # An API key is nobody's: it sees what there is.
        _object(ask(_request(login, "/Items", limit="1"), settings))
        return login
    user = _object(answer)
    return Login(login.address, login.username, key=login.key, user=_id(user.get("Id")), device=login.device)


def browse(login: Login, words: str, settings: Settings) -> Page:
    """A page of the library, or of what it has for some words."""
    kind, rest = words_of(words, LISTS)
    if kind in ("albums", "playlists"):
        return _lists(login, kind, page_of(rest), settings)
    if kind:
        sort = {"sortBy": "ParentIndexNumber,IndexNumber,SortName"} if kind == "album" else {}
        asked = {"parentId": rest, "limit": str(MOST_TRACKS), **sort}
        about = _object(ask(_request(login, f"/Items/{rest}", **_user(login)), settings))
        return Page(_items(login, settings, MOST_TRACKS, **asked), catalogues.text(about.get("Name")))
    asked = {"searchTerm": words, "recursive": "true", "limit": str(PAGE_ROWS)}
    tracks = _items(login, settings, PAGE_ROWS, includeItemTypes="Audio,Movie,Episode", **asked)
    lists = _items(login, settings, 10, includeItemTypes="MusicAlbum,Playlist", **asked | {"limit": "10"})
    return Page(tracks + lists)


def stream(login: Login, item: str, way: str, is_video: bool) -> Request:
    """Where a track's bytes are: as they are, so that ranges mean something, or made into MP3."""
    if way == "raw":
        return _request(login, f"/{'Videos' if is_video else 'Audio'}/{item}/stream", static="true")
    made = {
        "container": "mp3",
        "audioCodec": "mp3",
        "transcodingContainer": "mp3",
        "transcodingProtocol": "http",
    }
    return _request(login, f"/Audio/{item}/universal", **made, **_user(login))


def picture(login: Login, item: str, settings: Settings) -> bytes | None:
    """A track's own picture, else that of its album or series."""
    about = _object(ask(_request(login, f"/Items/{item}", **_user(login)), settings))
    tags = about.get("ImageTags")
    wanted = item if isinstance(tags, dict) and tags.get("Primary") else ""
    for name in ("AlbumId", "SeriesId"):
        wanted = wanted or _id(about.get(name))
    if not wanted:
        return None
    size = {"maxWidth": "640", "maxHeight": "640"}
    return picture_in(ask(_request(login, f"/Items/{wanted}/Images/Primary", **size), settings))


def refusal(status: int, body: bytes) -> Trouble:
    """What a status says in place of a file."""
    if status == 401:
        return SignInAgain(SIGN_IN_AGAIN)
    return Trouble({403: NOT_ALLOWED, 404: GONE}.get(status, UNREADABLE))


def _lists(login: Login, kind: str, page: int, settings: Settings) -> Page:
    what = "MusicAlbum" if kind == "albums" else "Playlist"
    start = page * PAGE_ROWS
    asked = {"includeItemTypes": what, "recursive": "true", "sortBy": "SortName", "startIndex": str(start)}
    known = _object(ask(_request(login, "/Items", **asked, limit=str(PAGE_ROWS), **_user(login)), settings))
    has_more = number(known.get("TotalRecordCount")) > start + PAGE_ROWS and page_of(str(page + 1)) > page
    rows = gathered(known.get("Items"), _row, PAGE_ROWS)
    return Page(rows, kind.capitalize(), f"{kind}:{page + 1}" if has_more else "")


def _items(login: Login, settings: Settings, most: int, **asked: str) -> tuple[Row, ...]:
    known = _object(ask(_request(login, "/Items", **asked, **_user(login)), settings))
    if not isinstance(known.get("Items"), list):
        raise Trouble(UNREADABLE)
    return gathered(known["Items"], _row, most)


def _object(answer: Fetched) -> dict[str, Any]:
    """The object that an answer holds. Raises Trouble, SignInAgain for a key that is not good (any more)."""
    if answer.status == 401:
        raise SignInAgain(SIGN_IN_AGAIN)
    if answer.status == 403:
        raise Trouble(NOT_ALLOWED)
    if answer.status in (400, 404) and answer.mime != "text/html":
        raise Trouble(GONE)
    if answer.status != 200 or answer.mime == "text/html":
        raise Trouble(NOT_A_SERVER)
    return object_in(answer)


def _request(login: Login, path: str, **asked: str) -> Request:
    said = {"Client": CLIENT, "Device": CLIENT, "DeviceId": login.device or CLIENT, "Version": VERSION}
    if login.key:
        said["Token"] = login.key
    keys = ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in said.items())
    query = f"?{urlencode(asked)}" if asked else ""
    return Request(f"{login.address}{path}{query}", {"Authorization": f"MediaBrowser {keys}"})


def _user(login: Login) -> dict[str, str]:
    return {"userId": login.user} if login.user else {}


def _id(value: object) -> str:
    return value if isinstance(value, str) and is_id(value) else ""


def _row(item: dict[str, Any]) -> Row | None:
    """A `BaseItemDto`."""
    kind, title = item.get("Type"), catalogues.text(item.get("Name"))
    if not is_id(item.get("Id")) or not title:
        return None
    if kind in ("MusicAlbum", "Playlist"):
        what = "album" if kind == "MusicAlbum" else "playlist"
        count = number(item.get("ChildCount"))
        return Row(what, item["Id"], title, catalogues.text(item.get("AlbumArtist")), count=count)
    if kind not in _TRACKS:
        return None
    is_video = kind != "Audio"
    mime = _mime(item.get("Container"), is_video)
    artist = catalogues.text(item.get("Artists")) or catalogues.text(item.get("AlbumArtist"))
    ticks = number(item.get("RunTimeTicks"), 2**31 * TICKS)
    return Row(
        "track",
        item["Id"],
        title,
        artist or catalogues.text(item.get("SeriesName")),
        catalogues.text(item.get("Album")),
        min(ticks // TICKS, 2**31 - 1),
        mime=mime or ("" if is_video else "audio/mpeg"),
        way="raw" if mime or is_video else "mp3",
        is_video=is_video,
    )


def _mime(container: object, is_video: bool) -> str:
    """The type of a container; several names are those it may have (mov,mp4,m4a,…)."""
    names = container.lower().split(",") if isinstance(container, str) else []
    known = _FILM if is_video else _SOUND
    found = next((known[name] for name in names if name in known), "")
    return f"{'video' if is_video else 'audio'}/{found}" if found else ""


SERVER = Server(NAME, "Jellyfin", sign_in, browse, stream, picture, refusal)
