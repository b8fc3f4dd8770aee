"""Media by its own addresses: files, covers and words, by ranges, to whoever has the address. No cookie is looked at.

Ranges and conditions are RFC 9110, sections 13 and 14 (media/ranges.py); what lies in a bucket is redirected to there.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import PreconditionFailed, RequestedRangeNotSatisfiable

from media import ranges, storage, words
from media.provider import Trouble
from media.ranges import Span, Validator
from media.storage import open_store
from party import files, sources, subtitles
from party.errors import NotFound
from web import proxy
from web.addresses import HIGHEST_ID

media_pages = Blueprint("media", __name__)

FOR_GOOD = "public, max-age=31536000, immutable"
SIGNED_SECONDS = 6 * 3_600
REDIRECT_SECONDS = 300
PIECE_BYTES = 128 * 1024
"""So much of a file is in memory for each that is being sent."""
MISSING = "That file is not here any more."
PLACEHOLDER_TYPE = "image/svg+xml"
PLACEHOLDER = Path(__file__).parents[1] / "static/img/no-cover.svg"
# What browsers play and show; anything else is a download of unknown bytes.
SHOWN = frozenset(
    {
        *("audio/mpeg", "audio/mp4", "audio/flac", "audio/ogg", "audio/wav", "audio/webm"),
        *("video/mp4", "video/webm", "image/webp", "text/vtt"),
    }
)
UNKNOWN = "application/octet-stream"
ADDRESS = f"/media/<int(max={HIGHEST_ID}):track_id>/<marked>"


@media_pages.after_request
def add_headers(response: Response) -> Response:
    """Whatever lies here, no browser runs it as a page of ours, and no other site embeds it."""
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@media_pages.get(f"{ADDRESS}/<any(file, opus):kind>")
def send_media(track_id: int, marked: str, kind: str) -> Response:
    """A track's file, as it came or as Opus; from somebody's own server by way of us."""
    if kind == "opus":
        return send(*files.file_of(track_id, marked, kind))
    found = sources.served(track_id, marked)
    return proxy.pass_on(found) if isinstance(found, sources.Streamed) else send(*found)


@media_pages.get(f"{ADDRESS}/cover")
@media_pages.get(f"{ADDRESS}/cover/<any('96', '320', '640'):size>")
def send_cover(track_id: int, marked: str, size: str = "640") -> Response:
    """A track's cover, in that size where it was made in sizes; a drawn one while there is none."""
    name, mime = files.file_of(track_id, marked, "cover")
    if not name:
        # The address itself is another once there is a cover.
        return _send_from_here(PLACEHOLDER, PLACEHOLDER_TYPE)
    sized = [each for each in files.cover_names(name) if each.endswith(f"-{size}.webp")]
    return send(sized[0] if sized else name, mime)


@media_pages.get(f"/media/subtitles/<int(max={HIGHEST_ID}):subtitle_id>/<marked>")
def send_subtitles(subtitle_id: int, marked: str) -> Response:
    """Words to a video. Out of a bucket too they come by way of us: a player takes them from the page's own house."""
    name = subtitles.file_of(subtitle_id, marked)
    store = open_store(current_app.config["SETTINGS"])
    try:
        path = store.path(name)
        if path is not None:
            return _send_from_here(path, "text/vtt")
        # What is kept may be a little more than what was sent.
        kept = store.read(name, 2 * words.MOST_BYTES)
    except (ValueError, Trouble) as trouble:
        raise NotFound(MISSING) from trouble
    answer = Response(kept, mimetype="text/vtt")
    answer.headers["Cache-Control"] = FOR_GOOD
    return answer


def send(name: str, mime: str) -> Response:
    """A file of the store, which never changes under its address. Raises NotFound."""
    store = open_store(current_app.config["SETTINGS"])
    mime = mime if mime in SHOWN else UNKNOWN
    try:
        path = store.path(name)
        if path is not None:
            return _send_from_here(path, mime)
        address = store.url(
            name,
            mime=mime,
            seconds=SIGNED_SECONDS,
            download_name=Path(name).name if mime == UNKNOWN else None,
            method=request.method,
        )
    except ValueError as error:
        raise NotFound(MISSING) from error
    answer = Response(status=302, headers={"Location": address or "", "Content-Length": "0"})
    answer.headers["Cache-Control"] = f"private, max-age={REDIRECT_SECONDS}"
    return answer


def _send_from_here(path: Path, mime: str) -> Response:
    handle = storage.run(lambda: _open(path))
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise NotFound(MISSING)
        known = Validator(f"{facts.st_size:x}-{facts.st_mtime_ns:x}", int(facts.st_mtime))
        condition = ranges.precondition(_asked(), known)
        if condition == 412:
            raise PreconditionFailed()
        headers = _kept(known, mime)
        if condition == 304:
            return Response(status=304, headers=headers)
        answer, pieces = _answer(facts.st_size, known, headers, mime)
        if request.method == "GET":
            # From here on it is closed by whoever sends it.
            answer.response, handle = Pieces(handle, pieces), -1
        return answer
    finally:
        if handle >= 0:
            os.close(handle)


def _answer(
    size: int, known: Validator, headers: dict[str, str], mime: str
) -> tuple[Response, list[bytes | Span]]:
    """The answer without its body, and what that is made of: bytes, and parts of the file."""
    try:
        # Ranges are defined for GET alone (14.2).
        spans = ranges.spans(_asked(), size, known, int(time.time())) if request.method == "GET" else None
    except ranges.Unsatisfiable:
        raise RequestedRangeNotSatisfiable(size) from None
    pieces: list[bytes | Span] = [Span(0, size - 1)] if size else []
    if spans is not None and len(spans) == 1:
        headers["Content-Range"], pieces = ranges.content_range(spans[0], size), [spans[0]]
    elif spans is not None:
        boundary = secrets.token_hex(12)
        kind, headers["Content-Type"] = headers["Content-Type"], f"multipart/byteranges; boundary={boundary}"
        pieces = [part for span in spans for part in (ranges.part_head(span, size, kind, boundary), span)] + [
            ranges.tail(boundary)
        ]
    length = sum(each.length if isinstance(each, Span) else len(each) for each in pieces)
    headers["Content-Length"] = str(length)
    return Response(status=200 if spans is None else 206, headers=headers, direct_passthrough=True), pieces


def _kept(known: Validator, mime: str) -> dict[str, str]:
    """The headers of every answer that says what is there."""
    return {
        # Said by us: what a system knows of file types differs, and browsers must not guess.
        "Content-Type": mime,
        "Content-Disposition": "attachment" if mime == UNKNOWN else "inline",
        "ETag": known.etag,
        "Last-Modified": known.last_modified,
        "Accept-Ranges": "bytes",
        "Cache-Control": FOR_GOOD if mime != PLACEHOLDER_TYPE else "public, max-age=86400",
    }


def _asked() -> ranges.Asked:
    get = request.headers.get
    return ranges.Asked(
        range=get("Range"),
        if_range=get("If-Range"),
        if_match=get("If-Match"),
        if_none_match=get("If-None-Match"),
        if_modified_since=get("If-Modified-Since"),
        if_unmodified_since=get("If-Unmodified-Since"),
    )


def _open(path: Path) -> int:
    try:
        # Without waiting, should somebody have put a pipe there.
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise NotFound(MISSING) from error


class Pieces:
    """An answer's body: bytes as they are, parts of the file read piece by piece, off the hub that serves everybody."""

    def __init__(self, handle: int, pieces: list[bytes | Span]) -> None:
        self._handle, self._pieces = handle, pieces

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                if isinstance(piece, bytes):
                    yield piece
                else:
                    yield from self._read(piece)
        finally:
            self.close()

    def _read(self, span: Span) -> Iterator[bytes]:
        at = span.first
        while at <= span.last:
            data = storage.run(partial(os.pread, self._handle, min(PIECE_BYTES, span.last + 1 - at), at))
            if not data:
                # The length was promised; only a broken connection says that it is not kept.
                raise OSError("the file became shorter while it was sent")
            yield data
            at += len(data)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
