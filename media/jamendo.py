"""Jamendo: music that its artists let everybody play, searched and played by its API, version 3.0.

By developer.jamendo.com/v3.0/tracks and developer.jamendo.com/v3.0/response-codes: every answer has `headers` with a
code, 0 where it went well, 6 where that was too often, and `results`. It needs a client id of the operator's own.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from config import Settings
from media import catalogues, pasted
from media.oembed import Busy
from media.provider import Facts, Found, Provider, Reference, Trouble

NAME = "jamendo"
BASE = "https://api.jamendo.com"
WHERE = "Jamendo"
GONE = "Jamendo has no such track."
NO_SOUND = "Jamendo does not play that track."
NO_KEY = "Jamendo does not take this house’s key. Whoever runs it can set another."

_HOSTS = ("jamendo.com", "www.jamendo.com")
_SHORT = ("jamen.do", "www.jamen.do")
_ID = re.compile(r"[1-9][0-9]{0,11}")
_TOO_OFTEN, _BAD_KEYS = 6, (5, 10, 11, 12, 13)


def recognise(text: str, settings: Settings) -> Reference | None:
    """The track that a link of Jamendo, or jamendo:ID, names."""
    typed = pasted.named(text, NAME)
    if typed is not None:
        return _reference(typed)
    link = pasted.address(text)
    if link is None or link.host not in (*_HOSTS, *_SHORT):
        return None
    # Addresses of its pages may begin with a language.
    parts = link.parts[1:] if link.parts and len(link.parts[0]) == 2 else link.parts
    is_track = parts[:1] == (("t",) if link.host in _SHORT else ("track",))
    return _reference(parts[1] if is_track and len(parts) > 1 else "")


def search(words: str, settings: Settings) -> list[Found]:
    """Tracks by title, artist, album and tags, as Jamendo ranks them. Raises Trouble."""

    def page(number: int) -> tuple[list[Found], bool]:
        asked: dict[str, str | int] = {
            "search": words,
            "limit": catalogues.MOST_ROWS,
            "offset": number * catalogues.MOST_ROWS,
        }
        tracks = _ask(asked, settings)
        rows = [row for row in (_row(track, settings) for track in tracks) if row]
        return rows, len(tracks) >= catalogues.MOST_ROWS

    return catalogues.gather(page)


def fetch(reference: Reference, settings: Settings) -> Facts:
    """What is known of a track, and where its sound is."""
    tracks = _ask({"id": reference.key, "include": "musicinfo"}, settings)
    if not tracks:
        raise Trouble(GONE)
    sound = catalogues.address(tracks[0].get("audio"), settings)
    if not sound:
        raise Trouble(NO_SOUND)
    return Facts(
        title=catalogues.text(tracks[0].get("name")),
        artist=catalogues.text(tracks[0].get("artist_name")),
        album=catalogues.text(tracks[0].get("album_name")),
        genre=_genre(tracks[0]),
        duration_ms=catalogues.milliseconds(tracks[0].get("duration")) or None,
        cover_url=_cover(tracks[0], settings),
        is_video=False,
        mime="audio/mpeg",
        reference=sound,
        player="file",
    )


def _ask(more: dict[str, str | int], settings: Settings) -> list[dict[str, Any]]:
    asked = {"client_id": settings.jamendo_client_id, "format": "json", "audioformat": "mp32", **more}
    known = catalogues.ask(f"{BASE}/v3.0/tracks/?{urlencode(asked)}", WHERE, settings)
    headers = known.get("headers")
    code = headers.get("code") if isinstance(headers, dict) else None
    if code == _TOO_OFTEN:
        raise Busy(f"{WHERE} is too busy just now. Try again in a moment.", 0)
    if code in _BAD_KEYS:
        raise Trouble(NO_KEY)
    if code != 0 or not isinstance(known.get("results"), list):
        raise catalogues.unreadable(WHERE)
    return catalogues.listed(known["results"])


def _row(track: dict[str, Any], settings: Settings) -> Found | None:
    key, title = str(track.get("id", "")), catalogues.text(track.get("name"))
    sound = catalogues.address(track.get("audio"), settings)
    if not _ID.fullmatch(key) or not title or not sound:
        return None
    return Found(
        NAME,
        key,
        title,
        artist=catalogues.text(track.get("artist_name")),
        album=catalogues.text(track.get("album_name")),
        duration_ms=catalogues.milliseconds(track.get("duration")),
        cover_url=_cover(track, settings),
        preview_url=sound,
        licence=catalogues.licence(track.get("license_ccurl")),
    )


def _cover(track: dict[str, Any], settings: Settings) -> str:
    # A single belongs to no album and has a picture of its own.
    return catalogues.address(track.get("album_image") or track.get("image"), settings)


def _genre(track: dict[str, Any]) -> str:
    known: Any = track
    for name in ("musicinfo", "tags", "genres"):
        known = known.get(name) if isinstance(known, dict) else None
    return pasted.plain(known[0], 60) if isinstance(known, list) and known else ""


def _reference(key: str) -> Reference:
    if not _ID.fullmatch(key):
        raise Trouble("There is no track in that Jamendo link.")
    return Reference(NAME, key, key, "file", "A track on Jamendo")


PROVIDER = Provider(
    name=NAME,
    title=WHERE,
    recognise=recognise,
    fetch=fetch,
    search=search,
    media=("https://*.jamendo.com",),
    is_set_up=lambda settings: bool(settings.jamendo_client_id),
    needs="JAMENDO_CLIENT_ID",
    tries=("https://www.jamendo.com/track/ID/a-title", "https://jamen.do/t/ID"),
)
