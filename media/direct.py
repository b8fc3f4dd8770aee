"""Links to sound and video files on the web, played by the browser from where they are.

What a link leads to is decided by its first bytes (`filetype` knows them by their magic numbers) and, where those say
nothing, by the content type; ranges as RFC 9110, section 14, has them. Never more than the first megabyte is read.
"""

from __future__ import annotations

import re

import filetype  # type: ignore[import-untyped]

from config import Settings
from media import fetch as net
from media import hls_list, link_tags, weblinks
from media.net_address import parse
from media.provider import Facts, Provider, Reference, Trouble

HEAD_BYTES = 1_000_000
SECONDS = 15.0
NOT_MEDIA = "That is not a sound or a video."
EMPTY = "That file is empty."
# A sound or video by its extension; what has none is decided when it is looked up.
VIDEOS = ("mp4", "webm")
SOUNDS = ("mp3", "m4a", "flac", "ogg", "oga", "opus", "wav")

# How filetype and servers call what browsers play, and what we call it.
_MIMES = {
    "audio/mpeg": "audio/mpeg", "audio/mp3": "audio/mpeg", "audio/mp4": "audio/mp4", "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4", "audio/flac": "audio/flac", "audio/x-flac": "audio/flac", "audio/ogg": "audio/ogg",
    "audio/opus": "audio/ogg", "application/ogg": "audio/ogg", "audio/wav": "audio/wav", "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav", "audio/vnd.wave": "audio/wav", "video/mp4": "video/mp4", "video/x-m4v": "video/mp4",
    "audio/webm": "audio/webm", "video/webm": "video/webm",
}  # fmt: skip
_LISTS = ("application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl")
_MOST_READ_AS_TEXT = 512


def recognise(text: str, settings: Settings) -> Reference | None:
    """A link to a file by its name, or one whose name does not say."""
    if not weblinks.looks_like_one(text):
        return None
    address = weblinks.address_of(text, settings)
    extension = weblinks.extension_of(address.url)
    if extension and extension not in VIDEOS + SOUNDS:
        return None
    return Reference(
        "link",
        weblinks.key_of(address),
        address.url,
        "file",
        weblinks.title_of(address),
        is_video=extension in VIDEOS,
    )


def says_what(reference: Reference) -> bool:
    """False for a link whose name does not say what it leads to: only looking it up tells."""
    return reference.provider != PROVIDER.name or bool(weblinks.extension_of(reference.reference))


def fetch(reference: Reference, settings: Settings) -> Facts:
    """What is at the link, from its beginning."""
    answer = net.fetch(
        reference.reference,
        settings,
        headers={"range": f"bytes=0-{HEAD_BYTES - 1}"},
        most_bytes=HEAD_BYTES,
        seconds=SECONDS,
        only_start=True,
    )
    if answer.status == 416:
        raise Trouble(EMPTY)
    weblinks.check_status(answer.status)
    if not answer.body:
        raise Trouble(EMPTY)
    if answer.mime in _LISTS or answer.body.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
        return hls_list.look_into(reference.reference, settings)
    mime = _mime(answer)
    tags = link_tags.read(answer.body, _size(answer), mime)
    return Facts(
        title=tags.title or weblinks.title_of(parse(reference.reference, settings)),
        artist=tags.artist,
        album=tags.album,
        genre=tags.genre,
        duration_ms=tags.duration_ms,
        is_video=mime.startswith("video/"),
        mime=mime,
    )


def _mime(answer: net.Fetched) -> str:
    """What browsers will take it for. Raises Trouble for what is none of ours."""
    guess = filetype.guess_mime(bytearray(answer.body[:8192])) or ""
    if guess == "video/x-matroska" and b"webm" in answer.body[:64]:
        guess = "video/webm"
    if not guess and not _reads_as_text(answer.body):
        guess = answer.mime
    known = _MIMES.get(guess)
    if known is None:
        raise Trouble(NOT_MEDIA)
    # The container is one and the same; only the server knows that there are no pictures in it.
    return "audio/webm" if (known, answer.mime) == ("video/webm", "audio/webm") else known


def _reads_as_text(body: bytes) -> bool:
    start = body[:_MOST_READ_AS_TEXT]
    return b"\0" not in start and re.search(rb"[\x80-\xff]{2}", start) is None


def _size(answer: net.Fetched) -> int | None:
    """How long the whole file is, where the server says so."""
    if answer.status == 206:
        said = re.fullmatch(r"bytes 0-[0-9]+/([0-9]{1,15})", answer.headers.get("content-range", "").strip())
        return int(said[1]) if said else None
    said = re.fullmatch(r"([0-9]{1,15})", answer.headers.get("content-length", ""))
    return int(said[1]) if said else None


PROVIDER = Provider(
    name="link",
    title="Direct links",
    recognise=recognise,
    fetch=fetch,
    media=("https:",),
    connects=("https:",),
    tries=("https://files.example/a-song.mp3", "https://files.example/a-film.mp4"),
)
