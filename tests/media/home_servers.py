"""Media servers as people have them at home, on loopback: one that speaks Subsonic, one that is a Jellyfin.

They do what the documented APIs say and no more, to whoever has the right keys: rows, pictures, and files by ranges.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from config import Settings, settings

USERNAME, PASSWORD, KEY = "ada", "Quokka pass & word", "NumbatKey0123456789"
TOKEN, USER = "WombatToken0123456789", "0123456789abcdef0123456789abcdef"
SOUND = bytes(range(256)) * 40
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005000"
    "1ff5fe3b1bd0000000049454e44ae426082"
)
ETAG, MODIFIED = '"a-song-1"', "Wed, 21 Oct 2026 07:28:00 GMT"


@dataclass
class Song:
    """A file that somebody has."""

    id: str
    title: str
    artist: str = "The Herons"
    album: str = "Wires"
    album_id: str = "al-1"
    seconds: int = 61
    mime: str = "audio/mpeg"
    container: str = "mp3"
    kind: str = "Audio"
    is_explicit: bool = False
    body: bytes = SOUND


@dataclass
class Home:
    """What is there, what was asked, and how the server misbehaves: `instead` answers everything, or a path, that way.

    An answer is (status, content type, body, more headers).
    """

    port: int = 0
    songs: list[Song] = field(default_factory=list)
    playlists: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    instead: dict[str, tuple[int, str, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    has_expired: bool = False
    salts: set[str] = field(default_factory=set)
    hold: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return replace(settings, private_hosts=(f"127.0.0.1:{self.port}",), media_url="")

    def song(self, song_id: str) -> Song | None:
        return next((song for song in self.songs if song.id == song_id), None)

    def albums(self) -> list[tuple[str, str, str, int]]:
        found: dict[str, tuple[str, str, str, int]] = {}
        for song in self.songs:
            known = found.get(song.album_id, (song.album_id, song.album, song.artist, 0))
            found[song.album_id] = (*known[:3], known[3] + 1)
        return sorted(found.values(), key=lambda each: each[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    home: Home

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._go()

    def do_GET(self) -> None:
        self.body = b""
        self._go()

    def _go(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
        self.home.asked.append(
            (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        )
        strange = self.home.instead.get(parts.path) or self.home.instead.get("*")
        if strange:
            self._say(strange[2], strange[0], strange[1], strange[3])
        else:
            self.answer(parts.path)

    def answer(self, path: str) -> None:
        raise NotImplementedError

    def _say(
        self,
        body: bytes,
        status: int = 200,
        mime: str = "application/json",
        more: dict[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": mime, "Content-Length": str(len(body)), **(more or {})}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: Any, status: int = 200) -> None:
        self._say(json.dumps(value).encode(), status)

    def _file(self, song: Song) -> None:
        """RFC 9110, section 14, for one range."""
        known = {"Accept-Ranges": "bytes", "ETag": ETAG, "Last-Modified": MODIFIED, "Set-Cookie": "theirs=1"}
        size, wanted = len(song.body), self.headers.get("Range", "")
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted)
        condition = self.headers.get("If-Range", ETAG)
        if not found or condition not in (ETAG, MODIFIED):
            self._say(song.body, 200, song.mime, known)
            return
        first = int(found[1]) if found[1] else max(0, size - int(found[2]))
        last = min(int(found[2]), size - 1) if found[1] and found[2] else size - 1
        if first >= size:
            self._say(b"", 416, song.mime, {"Content-Range": f"bytes */{size}"})
            return
        known["Content-Range"] = f"bytes {first}-{last}/{size}"
        self._say(song.body[first : last + 1], 206, song.mime, known)


class _Subsonic(_Handler):
    def answer(self, path: str) -> None:
        method = path.removeprefix("/rest/")
        code = self._refused()
        if code:
            self._failed(code, method in ("stream", "getCoverArt"))
            return
        act = getattr(self, f"_{method}", None)
        if act is None:
            self._say(b"", 404, "text/plain")
        else:
            act()

    def _refused(self) -> int:
        asked, home = self.query, self.home
        if not asked.get("c") or not asked.get("v") or asked.get("f") != "json":
            return 10
        if "apikey" in asked:
            return (
                43
                if "u" in asked or "t" in asked
                else 0
                if asked["apikey"] == KEY and not home.has_expired
                else 44
            )
        salt = asked.get("s", "")
        if len(salt) < 6 or salt in home.salts:
            return 10
        home.salts.add(salt)
        right = hashlib.md5((PASSWORD + salt).encode(), usedforsecurity=False).hexdigest()
        is_right = hmac.compare_digest(right, asked.get("t", "")) and asked.get("u") == USERNAME
        return 0 if is_right and not home.has_expired else 40

    def _failed(self, code: int, is_bytes: bool) -> None:
        if is_bytes:
            body = f'<?xml version="1.0"?><subsonic-response status="failed"><error code="{code}"/></subsonic-response>'
            self._say(body.encode(), 200, "text/xml")
        else:
            self._reply("failed", error={"code": code, "message": "<b>No</b>"})

    def _reply(self, status: str = "ok", **more: Any) -> None:
        known = {"status": status, "version": "1.16.1", "type": "navidrome", "openSubsonic": True, **more}
        self._json({"subsonic-response": known})

    def _ping(self) -> None:
        self._reply()

    def _child(self, song: Song) -> dict[str, Any]:
        return {
            "id": song.id, "isDir": False, "title": song.title, "album": song.album, "artist": song.artist,
            "duration": song.seconds, "contentType": song.mime, "coverArt": f"mf-{song.id}", "isVideo": False,
            "explicitStatus": "explicit" if song.is_explicit else "", "size": len(song.body),
        }  # fmt: skip

    def _search3(self) -> None:
        words = self.query.get("query", "").lower()
        songs = [
            self._child(song) for song in self.home.songs if words in f"{song.title} {song.artist}".lower()
        ]
        albums = [self._album(each) for each in self.home.albums() if words in each[1].lower()]
        result = {"song": songs[: int(self.query.get("songcount", 20))], "album": albums}
        self._reply(searchResult3=result)

    @staticmethod
    def _album(album: tuple[str, str, str, int]) -> dict[str, Any]:
        return {"id": album[0], "name": album[1], "artist": album[2], "songCount": album[3]}

    def _getAlbumList2(self) -> None:
        first, size = int(self.query.get("offset", 0)), int(self.query.get("size", 10))
        listed = [self._album(each) for each in self.home.albums()][first : first + size]
        self._reply(albumList2={"album": listed} if listed else {})

    def _getAlbum(self) -> None:
        songs = [song for song in self.home.songs if song.album_id == self.query.get("id")]
        if not songs:
            self._failed(70, False)
            return
        self._reply(album={"id": "x", "name": songs[0].album, "song": [self._child(song) for song in songs]})

    def _getPlaylists(self) -> None:
        listed = [
            {"id": key, "name": name, "songCount": len(ids)}
            for key, (name, ids) in self.home.playlists.items()
        ]
        self._reply(playlists={"playlist": listed})

    def _getPlaylist(self) -> None:
        known = self.home.playlists.get(self.query.get("id", ""))
        if known is None:
            self._failed(70, False)
            return
        songs = [song for song in map(self.home.song, known[1]) if song]
        self._reply(playlist={"id": "x", "name": known[0], "entry": [self._child(song) for song in songs]})

    def _getCoverArt(self) -> None:
        if self.home.song(self.query.get("id", "")):
            self._say(PICTURE, 200, "image/png")
        else:
            self._failed(70, True)

    def _stream(self) -> None:
        song = self.home.song(self.query.get("id", ""))
        if song is None:
            self._failed(70, True)
        elif self.query.get("format") == "raw":
            self._file(song)
        else:
            self._say(song.body, 200, "audio/mpeg", {"Accept-Ranges": "none"})


class _Jellyfin(_Handler):
    def answer(self, path: str) -> None:
        if path == "/Users/AuthenticateByName":
            self._sign_in()
            return
        said = self._said()
        if said.get("Token") not in (TOKEN, KEY) or self.home.has_expired:
            self._say(b"", 401, "text/plain")
            return
        self.is_person = said["Token"] == TOKEN
        found = re.fullmatch(r"/(Items|Audio|Videos)/([^/]+)(/.*)?", path)
        if path == "/Users/Me":
            if self.is_person:
                self._json({"Id": USER, "Name": USERNAME})
            else:
                self._say(b'"Error processing request."', 400)
        elif path == "/Items":
            self._items()
        elif found:
            self._one(found[1], found[2], found[3] or "")
        else:
            self._say(b"", 404, "text/plain")

    def _said(self) -> dict[str, str]:
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        known = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
        return known if scheme == "MediaBrowser" else {}

    def _sign_in(self) -> None:
        said, typed = self._said(), json.loads(self.body)
        if not all(said.get(name) for name in ("Client", "Device", "DeviceId", "Version")):
            self._say(b"", 400, "text/plain")
        elif (typed.get("Username"), typed.get("Pw")) != (USERNAME, PASSWORD):
            self._say(b"", 401, "text/plain")
        else:
            self._json({"AccessToken": TOKEN, "User": {"Id": USER, "Name": USERNAME}, "ServerId": "s"})

    def _dto(self, song: Song) -> dict[str, Any]:
        return {
            "Id": song.id, "Name": song.title, "Type": song.kind, "Album": song.album, "AlbumId": song.album_id,
            "Artists": [song.artist], "RunTimeTicks": song.seconds * 10_000_000, "Container": song.container,
            "ImageTags": {},
        }  # fmt: skip

    def _items(self) -> None:
        asked, home = self.query, self.home
        kinds = [kind for kind in asked.get("includeitemtypes", "").split(",") if kind]
        parent, words = asked.get("parentid", ""), asked.get("searchterm", "").lower()
        listed = home.playlists.get(parent, ("", []))[1]
        songs = [s for s in home.songs if not parent or s.album_id == parent or s.id in listed]
        rows = [self._dto(song) for song in songs if not kinds or song.kind in kinds]
        if "MusicAlbum" in kinds:
            rows += [
                {
                    "Id": each[0],
                    "Name": each[1],
                    "Type": "MusicAlbum",
                    "AlbumArtist": each[2],
                    "ChildCount": each[3],
                }
                for each in home.albums()
            ]
        if "Playlist" in kinds:
            rows += [
                {"Id": key, "Name": name, "Type": "Playlist"} for key, (name, _) in home.playlists.items()
            ]
        rows = [row for row in rows if words in row["Name"].lower()]
        first, limit = int(asked.get("startindex", 0)), int(asked.get("limit", 100))
        self._json({"Items": rows[first : first + limit], "TotalRecordCount": len(rows), "StartIndex": first})

    def _one(self, kind: str, item: str, rest: str) -> None:
        song = self.home.song(item)
        names = {each[0]: each[1] for each in self.home.albums()}
        names |= {key: name for key, (name, _) in self.home.playlists.items()}
        if rest == "/Images/Primary" and item in names:
            self._say(PICTURE, 200, "image/png")
        elif kind == "Items" and not rest and (song or item in names):
            self._json(self._dto(song) if song else {"Id": item, "Name": names[item]})
        elif song and rest == "/stream" and self.query.get("static") == "true":
            self._file(song)
        elif song and rest == "/universal":
            self._say(song.body, 200, "audio/mpeg", {"Accept-Ranges": "none"})
        else:
            self._say(b"", 404, "text/plain")


@contextmanager
def _running(handler: type[_Handler], home: Home) -> Iterator[Home]:
    bound = type("Bound", (handler,), {"home": home})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    server.daemon_threads = True
    home.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.05), daemon=True)
    thread.start()
    try:
        yield home
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def furnished() -> Home:
    """A small library: two albums, a playlist, and things that need care."""
    return Home(
        songs=[
            Song("s1", "Night Bus"),
            Song("s2", "Morning Tram", is_explicit=True),
            Song("s3", "Slow Train", album="Rails", album_id="al-2", mime="audio/x-ms-wma", container="wma"),
        ],
        playlists={"pl-1": ("Late", ["s3", "s1"])},
    )


@contextmanager
def subsonic_at_home(home: Home | None = None) -> Iterator[Home]:
    """A server that speaks the Subsonic API."""
    with _running(_Subsonic, home or furnished()) as running:
        yield running


@contextmanager
def jellyfin_at_home(home: Home | None = None) -> Iterator[Home]:
    """A Jellyfin."""
    home = home or furnished()
    home.songs.append(
        Song("f1", "A Film", album="", album_id="", container="mp4", mime="video/mp4", kind="Movie")
    )
    home.songs.append(
        Song("f2", "Old Film", album="", album_id="", container="avi", mime="video/x-msvideo", kind="Movie")
    )
    with _running(_Jellyfin, home) as running:
        yield running
