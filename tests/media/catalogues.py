"""Catalogues on loopback that speak as the real ones document it; each recorded shape names the page it follows.

`Catalogues` sends the three providers here (their base addresses are one constant each) and keeps what it was asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from config import Settings, settings
from media import archive, jamendo, musicbrainz

CLIENT_ID = "56d30c95"
Answer = Callable[[Request], Response]


def uuid(number: int) -> str:
    return f"b1a9c0e9-d987-4042-ae91-{number:012d}"


def recording(number: int, title: str = "", artist: str = "Luke Vibert", **more: Any) -> dict[str, Any]:
    """musicbrainz.org/doc/MusicBrainz_API/Search/RecordingSearch, as JSON."""
    return {
        "id": uuid(number),
        "score": 100,
        "artist-credit-id": uuid(900 + number),
        "title": title or f"We Hear You {number}",
        "length": 272_000,
        "video": None,
        "artist-credit": [
            {"name": artist, "artist": {"id": uuid(800), "name": artist, "sort-name": "Vibert, Luke"}}
        ],
        "first-release-date": "2009-02-09",
        "releases": [
            {"id": uuid(700 + number), "title": "We Hear You", "status": "Official", "track-count": 12}
        ],
        **more,
    }


def doc(number: int, **more: Any) -> dict[str, Any]:
    """A row of archive.org/advancedsearch.php with output=json and the fields that were asked for."""
    return {
        "identifier": f"item-{number}",
        "title": f"Tape {number}",
        "creator": "The Band",
        "mediatype": "audio",
        **more,
    }


ITEM: dict[str, Any] = {
    # archive.org/developers/md-read.html and md-record.html.
    "created": 1_616_004_182,
    "d1": "ia600308.us.archive.org",
    "dir": "/21/items/escales",
    "server": "ia800308.us.archive.org",
    "metadata": {
        "identifier": "escales",
        "mediatype": "audio",
        "title": "Escales",
        "creator": ["Artur Rodzinski", "New York Philharmonic"],
        "collection": ["78rpm", "audio_music"],
    },
    "files": [
        {"name": "escales_files.xml", "source": "original", "format": "Metadata"},
        {"name": "cover.jpg", "source": "original", "format": "JPEG"},
        {
            "name": "02 Tunis.flac", "source": "original", "format": "Flac", "length": "171.5", "track": "2/3",
            "title": "Tunis - Nefta", "album": "IBERT: Escales", "genre": "classical", "artist": "Artur Rodzinski",
        },
        {
            "name": "02 Tunis.mp3", "source": "derivative", "original": "02 Tunis.flac", "format": "VBR MP3",
            "length": "2:51",
        },
        {
            "name": "01.I.Palermo.flac", "source": "original", "format": "Flac", "length": "351.4", "track": "1/3",
            "title": "01. I. Palermo", "album": "IBERT: Escales", "genre": "classical", "artist": "Artur Rodzinski",
        },
        {
            "name": "01.I.Palermo_64kb.mp3", "source": "derivative", "original": "01.I.Palermo.flac",
            "format": "64Kbps MP3",
        },
        {
            "name": "01.I.Palermo.mp3", "source": "derivative", "original": "01.I.Palermo.flac", "format": "VBR MP3",
            "length": "351.42",
        },
        {"name": "hidden.mp3", "source": "original", "format": "VBR MP3", "track": "0", "private": "true"},
    ],
    "files_count": 8,
}  # fmt: skip


def track(number: int, **more: Any) -> dict[str, Any]:
    """developer.jamendo.com/v3.0/tracks, with include=musicinfo."""
    return {
        "id": str(number),
        "name": f"Mañana {number}",
        "duration": 272,
        "artist_id": "421168",
        "artist_name": "Fankel",
        "album_name": "Será tarde",
        "license_ccurl": "http://creativecommons.org/licenses/by-nc-nd/3.0/",
        "album_image": f"https://usercontent.jamendo.com?type=album&id=368084&width=300&trackid={number}",
        "audio": f"https://prod-1.storage.jamendo.com/?trackid={number}&format=mp32&from=app-devsite",
        "image": f"https://usercontent.jamendo.com?type=album&id=368084&width=300&trackid={number}",
        "musicinfo": {"vocalinstrumental": "vocal", "tags": {"genres": ["latin", "pop"], "vartags": []}},
        **more,
    }


class Catalogues:
    """What the three have, and what they were asked. `instead` answers in place of all of them."""

    def __init__(self, server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.recordings: list[dict[str, Any]] = [recording(number) for number in range(3)]
        self.docs: list[dict[str, Any]] = [doc(number) for number in range(3)]
        self.items: dict[str, dict[str, Any]] = {"escales": ITEM}
        self.tracks: list[dict[str, Any]] = [track(number) for number in range(1, 4)]
        self.instead: Answer | None = None
        self.asked: list[Request] = []
        base = f"http://{server.host}:{server.port}"
        for provider in (archive, jamendo, musicbrainz):
            monkeypatch.setattr(provider, "BASE", base)
        monkeypatch.setattr(musicbrainz, "pace", musicbrainz.Pace(0))
        self.settings: Settings = replace(
            settings,
            private_hosts=(f"{server.host}:{server.port}",),
            jamendo_client_id=CLIENT_ID,
            public_url="https://party.example.org",
            providers_off=(),
        )
        server.expect_request("/ws/2/recording").respond_with_handler(self._through(self._musicbrainz))
        server.expect_request("/advancedsearch.php").respond_with_handler(self._through(self._search))
        for name in ("escales", "item-1", "dark", "gone"):
            server.expect_request(f"/metadata/{name}").respond_with_handler(self._through(self._metadata))
        server.expect_request("/v3.0/tracks/").respond_with_handler(self._through(self._jamendo))

    def _through(self, answer: Answer) -> Answer:
        def handle(request: Request) -> Response:
            self.asked.append(request)
            return (self.instead or answer)(request)

        return handle

    def _musicbrainz(self, request: Request) -> Response:
        asked = request.args
        if "(" not in request.headers.get("User-Agent", ""):
            return said({"error": "Your requests are anonymous."}, 403)
        if not asked.get("query") or asked.get("fmt") != "json" or not 1 <= int(asked["limit"]) <= 100:
            return said({"error": "Unable to complete search."}, 400)
        offset = int(asked["offset"])
        rows = self.recordings[offset : offset + int(asked["limit"])]
        return said({"created": "", "count": len(self.recordings), "offset": offset, "recordings": rows})

    def _search(self, request: Request) -> Response:
        asked = request.args
        if asked.get("output") != "json" or set(asked.getlist("fl[]")) != set(archive.FIELDS):
            return Response("<html>Advanced search</html>", content_type="text/html")
        rows, start = int(asked["rows"]), (int(asked["page"]) - 1) * int(asked["rows"])
        found = {"numFound": len(self.docs), "start": start, "docs": self.docs[start : start + rows]}
        return said({"responseHeader": {"status": 0, "params": {"q": asked["q"]}}, "response": found})

    def _metadata(self, request: Request) -> Response:
        return said(self.items.get(request.path.rpartition("/")[2], {}))

    def _jamendo(self, request: Request) -> Response:
        asked = request.args
        if asked.get("client_id") != CLIENT_ID:
            return jamendo_said([], 5, "Your credential is not authorized.")
        if "id" in asked:
            return jamendo_said([each for each in self.tracks if each.get("id") == asked["id"]])
        offset = int(asked["offset"])
        return jamendo_said(self.tracks[offset : offset + int(asked["limit"])])


def said(value: object, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): it for name, it in headers.items()}
    return Response(json.dumps(value), status, named, content_type="application/json; charset=utf-8")


def jamendo_said(results: list[dict[str, Any]], code: int = 0, message: str = "") -> Response:
    """The envelope of developer.jamendo.com/v3.0/response-codes."""
    status = "failed" if code else "success"
    headers = {"status": status, "code": code, "error_message": message, "warnings": ""}
    return said({"headers": {**headers, "results_count": len(results)}, "results": results})


@pytest.fixture
def catalogues(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Catalogues:
    return Catalogues(httpserver, monkeypatch)


FAILURES: dict[str, tuple[Answer, str]] = {
    "too many": (lambda _: said({}, 429, Retry_After="7"), "too busy"),
    "unavailable": (lambda _: said({}, 503, Retry_After="7"), "too busy"),
    "broken": (lambda _: Response("<h1>502</h1>", 502, content_type="text/html"), "too busy"),
    "forbidden": (lambda _: said({}, 403), "would not answer"),
    "bad request": (lambda _: said({}, 400), "would not answer"),
    "a page": (lambda _: Response("<h1>Hello</h1>", content_type="text/html"), "makes no sense"),
    "half of it": (lambda _: Response('{"a": [1,', content_type="application/json"), "makes no sense"),
    "a list": (lambda _: said([1, 2]), "cannot read"),
    "deep": (lambda _: Response("[" * 100_000, content_type="application/json"), "makes no sense"),
    "a picture": (lambda _: Response(b"\x89PNG", content_type="image/png"), "not what we asked for"),
    "too much": (lambda _: Response(b" " * 2_000_001, content_type="application/json"), "more than we take"),
}
"""What may come back in place of an answer, and what the sentence to the person says."""

HOSTILE = "<img src=x onerror=alert(1)>\u202e\u0000\u200b\r\nBcc: a\u0301\u0301" + "x" * 5_000
"""A title as nobody wants it (T5): markup, hidden signs, lines, length."""
