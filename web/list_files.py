"""Playlist files as they come and go: reading what was sent, writing what is asked for, and what links in them are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from flask import current_app, request
from werkzeug.wrappers import Response

from media import direct, embeds, lists, registry
from media.lists import FORMATS, Listing, Row
from media.provider import Reference, Trouble
from party import matching
from party.errors import Invalid, NotFound
from party.playlist_views import ListedTrack
from party.views import TrackView
from web.addresses import public_address

PAGES = {
    "youtube": "https://www.youtube.com/watch?v=",
    "vimeo": "https://vimeo.com/",
    "spotify": "https://open.spotify.com/track/",
    "archive": "https://archive.org/details/",
    "jamendo": "https://www.jamendo.com/track/",
}
"""Where other programs find what has no address of its own, or none yet; their providers read it again."""


def download(name: str, listed: Iterable[ListedTrack], format: str) -> Response:
    """A file of that name in a format. Raises NotFound for a format that is not written here."""
    if format not in FORMATS:
        raise NotFound("A list can be had as " + ", ".join(FORMATS) + ".")
    kind, rows = FORMATS[format], [_row(each) for each in listed]
    answer = Response(matching.run(lambda: lists.write(Listing(rows, name), format)), mimetype=kind.mime)
    # RFC 6266: a plain name for old programs, the whole one (RFC 5987) for all others.
    plain = (
        "".join(ch if ch.isascii() and (ch.isalnum() or ch in " -_.") else "_" for ch in name).strip()
        or "playlist"
    )
    whole = quote(f"{name.replace('/', '_')}.{kind.ending}", safe="")
    answer.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}.{kind.ending}\"; filename*=UTF-8''{whole}"
    )
    return answer


def recognised(links: Iterable[str]) -> list[tuple[str, Reference]]:
    """The links that a provider here reads, and what they are; no network."""
    return list(registry.recognise_all(links, current_app.config["SETTINGS"]))


def playing(links: Iterable[str]) -> frozenset[str]:
    """The same links alone, but for pages that may be anything. There may be thousands, so other threads read them."""
    wanted = current_app.config["SETTINGS"]

    def read() -> list[str]:
        return [link for link, known in registry.recognise_all(links, wanted) if direct.says_what(known)]

    return frozenset(matching.run(read))


def as_facts(links: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The same as adding.add_link takes it."""
    return {link: asdict(known) for link, known in recognised(links)}


def _row(listed: ListedTrack) -> Row:
    line = listed.line
    link = line.link if listed.track is None else _link(listed.track)
    return Row(
        line.title, line.artist, line.album, line.duration_ms, link, listed.votes, listed.by, listed.at
    )


def _link(track: TrackView) -> str:
    """Where a track is found again: by players where there is a file, and by ourselves in any case."""
    if track.media_url.startswith("/"):
        return public_address(track.media_url)
    if track.media_url.startswith(("https://", "http://")):
        return track.media_url
    if track.provider == embeds.NAME:
        try:
            return embeds.link(current_app.config["SETTINGS"], track.reference)
        except Trouble:
            # Not set up here any more: its name is all there is.
            return track.reference
    return PAGES[track.provider] + quote(track.reference) if track.provider in PAGES else track.reference


def sent_list() -> Listing:
    """What the form holds: a file, or text. Raises Invalid with the reader's sentence."""
    file = request.files.get("file")
    data: bytes | str = (
        file.read(lists.MOST_BYTES + 1) if file and file.filename else request.form.get("text", "")
    )
    if not data:
        raise Invalid("Choose a file, or paste a list.")
    read: Callable[[], Any] = lambda: lists.read(data)  # noqa: E731
    try:
        listing: Listing = matching.run(read)
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
    return listing
