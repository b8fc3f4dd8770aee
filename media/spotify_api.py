"""Spotify's Web API in the name of somebody whose account is connected (spotify_login.py).

Calls: developer.spotify.com/documentation/web-api/reference; a list's rows are under `item` or, before February 2026,
under `track`, what is in a list is told only to those it belongs to, and a search gives ten rows in development mode
(…/web-api/tutorials/february-2026-migration-guide). Rate limits: …/web-api/concepts/rate-limits and
developer.spotify.com/blog/2026-07-23-web-api-quota-updates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode

from config import Settings
from media import catalogues, spotify
from media.fetch import Fetched, fetch
from media.oembed import Busy
from media.pasted import plain
from media.provider import Facts, Found, Trouble

API = "https://api.spotify.com/v1"
WHERE = "Spotify"
PAGE, SEARCHED, APPENDED = 50, 10, 100
ENDED = "Spotify no longer lets us in. Connect it again."
GONE = "Spotify has nothing like that any more."
NOT_YOURS = "Spotify shows what is in a playlist only to its owner and those it is shared with."
BUSY = "Spotify is too busy just now. It goes on by itself in a moment."
QUOTA = "This house has asked Spotify as often as it may for now. It goes on by itself later."

_KEY = re.compile(r"[0-9A-Za-z]{22}")


class Expired(Trouble):
    """The access token is too old: renew it and ask again."""


class Forbidden(Trouble):
    """Not with this account, or not with what it was allowed to do."""


@dataclass(frozen=True, slots=True)
class Song:
    """A track as the Web API tells of it; without a key it is a file of the person's own."""

    key: str
    title: str
    artist: str
    album: str
    duration_ms: int
    cover_url: str
    is_explicit: bool

    def facts(self) -> Facts:
        """The same as a lookup tells it."""
        return Facts(
            title=self.title,
            artist=self.artist,
            album=self.album,
            duration_ms=self.duration_ms or None,
            cover_url=self.cover_url,
            is_video=False,
        )

    def found(self) -> Found:
        """The same as a row of a search."""
        return Found(
            spotify.NAME,
            self.key,
            self.title,
            self.artist,
            self.album,
            self.duration_ms,
            self.cover_url,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list. `lost` counts those that Spotify no longer has, and what is no music."""

    songs: tuple[Song, ...]
    lost: int
    total: int
    has_more: bool


def profile(access: str, settings: Settings) -> tuple[str, str]:
    """The account's id and the name it shows. Whether it is Premium is no longer told in development mode."""
    known = _ask("/me", access, settings)
    name = plain(known.get("id"), 100)
    if not name:
        raise catalogues.unreadable(WHERE)
    return name, plain(known.get("display_name"), 100) or name


def track(key: str, access: str, settings: Settings) -> Song:
    """What is known of a track."""
    song = _song(_ask(f"/tracks/{key}", access, settings))
    if song is None:
        raise Trouble(GONE)
    return song


def search(words: str, access: str, settings: Settings) -> list[Found]:
    """Tracks by words, as Spotify ranks them."""
    asked = urlencode({"q": words, "type": "track", "limit": SEARCHED})
    rows = _ask(f"/search?{asked}", access, settings).get("tracks")
    songs = map(_song, catalogues.listed(rows.get("items") if isinstance(rows, dict) else None))
    return [song.found() for song in songs if song is not None and song.key]


def list_title(what: str, access: str, settings: Settings) -> str:
    """What a playlist or album (playlist:ID, album:ID) is called."""
    kind, _, key = what.partition(":")
    wanted = "?fields=name" if kind == "playlist" else ""
    return plain(_ask(f"/{kind}s/{key}{wanted}", access, settings).get("name"), 100)


def list_page(what: str, offset: int, access: str, settings: Settings) -> Page:
    """The rows of a playlist or album from `offset` on."""
    kind, _, key = what.partition(":")
    path = f"/playlists/{key}/items" if kind == "playlist" else f"/albums/{key}/tracks"
    known = _ask(f"{path}?{urlencode({'limit': PAGE, 'offset': offset})}", access, settings)
    rows, total = known.get("items"), known.get("total")
    if not isinstance(rows, list):
        raise catalogues.unreadable(WHERE)
    songs = [_song(_inside(row) if kind == "playlist" else row) for row in rows]
    good = tuple(song for song in songs if song is not None)
    # Where the next page is, it says itself; it is asked for by its number all the same, and only ever there.
    return Page(
        good,
        len(songs) - len(good),
        number(total, offset + len(rows)),
        bool(rows) and bool(known.get("next")),
    )


def make_list(name: str, description: str, access: str, settings: Settings) -> tuple[str, str]:
    """A new playlist that only its owner sees: its id, and the mark of what it holds."""
    wanted = {"name": name, "description": description, "public": False}
    made = _ask("/me/playlists", access, settings, wanted)
    if not _KEY.fullmatch(str(made.get("id"))):
        raise catalogues.unreadable(WHERE)
    return str(made["id"]), plain(made.get("snapshot_id"), 200)


def list_mark(key: str, access: str, settings: Settings) -> str:
    """The mark of what a playlist holds now; another after every change."""
    return plain(_ask(f"/playlists/{key}?fields=snapshot_id", access, settings).get("snapshot_id"), 200)


def list_end(key: str, count: int, access: str, settings: Settings) -> list[str]:
    """The keys of the last `count` tracks of a playlist."""
    total = list_page(f"playlist:{key}", 0, access, settings).total
    found: list[str] = []
    for offset in range(max(0, total - count), total, PAGE):
        found += [song.key for song in list_page(f"playlist:{key}", offset, access, settings).songs]
    return found[-count:]


def append(key: str, tracks: Iterable[str], access: str, settings: Settings) -> str:
    """Put tracks at the end of a playlist. Returns the mark of what it holds then."""
    wanted = {"uris": [f"spotify:track:{each}" for each in tracks]}
    return plain(_ask(f"/playlists/{key}/items", access, settings, wanted).get("snapshot_id"), 200)


def _ask(path: str, access: str, settings: Settings, data: object = None) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {access}"}
    if data is not None:
        headers["content-type"] = "application/json"
    answer = fetch(
        f"{API}{path}",
        settings,
        headers=headers,
        method="GET" if data is None else "POST",
        data=None if data is None else json.dumps(data).encode(),
        seconds=catalogues.SECONDS,
    )
    if answer.status not in (200, 201):
        _refuse(answer)
    known = answer.json()
    if not isinstance(known, dict):
        raise catalogues.unreadable(WHERE)
    return known


def _refuse(answer: Fetched) -> NoReturn:
    if answer.status == 401:
        raise Expired(ENDED, again=True)
    if answer.status == 403:
        raise Forbidden(NOT_YOURS)
    if answer.status == 429 or answer.status >= 500:
        raise busy(answer)
    raise Trouble(GONE if answer.status in (400, 404, 410) else f"{WHERE} would not answer us.")


def busy(answer: Fetched) -> Busy:
    """What an answer says that works another time."""
    wait = catalogues.refusal(answer, WHERE)
    is_quota = answer.status == 429 and b"QUOTA_EXCEEDED" in answer.body[:2_000]
    return Busy(QUOTA if is_quota else BUSY, wait.after_seconds if isinstance(wait, Busy) else 0)


def _inside(row: object) -> object:
    """What a row of a playlist holds: null for what has vanished."""
    return (row.get("item") or row.get("track")) if isinstance(row, dict) else None


def _song(known: object) -> Song | None:
    if not isinstance(known, dict) or known.get("type", "track") != "track":
        return None
    album = known.get("album") if isinstance(known.get("album"), dict) else {}
    pictures = catalogues.listed(album.get("images")) if isinstance(album, dict) else []
    key, title = str(known.get("id") or ""), plain(known.get("name"))
    if not title or (key and not _KEY.fullmatch(key)):
        return None
    return Song(
        key,
        title,
        catalogues.text([each.get("name") for each in catalogues.listed(known.get("artists"))]),
        plain(album.get("name")) if isinstance(album, dict) else "",
        min(number(known.get("duration_ms"), 0), catalogues.LONGEST_MS),
        str(pictures[0].get("url") or "") if pictures else "",
        known.get("explicit") is True,
    )


def number(value: object, otherwise: int) -> int:
    """A whole number, or something else where there is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
