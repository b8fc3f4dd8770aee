"""The Internet Archive: what people keep there of sound and film, searched and played from its own address.

By archive.org/advancedsearch.php (its own page of help: `output=json`, `fl[]`, `rows`, `page`) and the Item Metadata
API, archive.org/developers/md-read.html and md-record.html: an item has `metadata` and `files`, an unknown one is an
empty object, and its files are fetched from /download/, since items move from server to server.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import quote, unquote, urlencode

from config import Settings
from media import catalogues, pasted
from media.provider import Facts, Found, Provider, Reference, Trouble

NAME = "archive"
BASE = "https://archive.org"
WHERE = "the Internet Archive"
GONE = "There is nothing by that name at the Internet Archive."
NO_SOUND = "Nothing in there plays here."
KINDS = ("audio", "etree", "movies")
FIELDS = ("identifier", "title", "creator", "mediatype", "licenseurl")

_HOSTS = ("archive.org", "www.archive.org")
# Letters that an item's name may have: archive.org/developers/metadata-schema, “identifier”.
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MIMES = {"mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac", "mp4": "video/mp4"}
# What every browser plays comes first; what was made small for telephones comes last.
_ORDER = ("mp3", "ogg", "flac", "mp4")
_SMALL = ("64kbps", "512kb")


def recognise(text: str, settings: Settings) -> Reference | None:
    """The item, or one file of it, that a link of the archive, or archive:ITEM, names."""
    typed = pasted.named(text, NAME)
    if typed is not None:
        return _reference(typed, "")
    link = pasted.address(text)
    if link is None or link.host not in _HOSTS or link.parts[:1] not in (("details",), ("embed",)):
        return None
    parts = [unquote(part, errors="replace") for part in link.parts[1:]]
    return _reference(parts[0] if parts else "", "/".join(parts[1:]))


def search(words: str, settings: Settings) -> list[Found]:
    """Items of sound and film that hold every word, what is fetched most often first. Raises Trouble."""
    query = catalogues.lucene(words)

    def page(number: int) -> tuple[list[Found], bool]:
        asked: list[tuple[str, str | int]] = [
            ("q", f"{query} AND mediatype:({' OR '.join(KINDS)}) AND NOT access-restricted-item:true"),
            *(("fl[]", field) for field in FIELDS),
            ("sort[]", "downloads desc"),
            ("rows", catalogues.MOST_ROWS),
            ("page", number + 1),
            ("output", "json"),
        ]
        known = catalogues.ask(f"{BASE}/advancedsearch.php?{urlencode(asked)}", WHERE, settings)
        response = known.get("response")
        if not isinstance(response, dict):
            raise catalogues.unreadable(WHERE)
        docs, count = catalogues.listed(response.get("docs")), response.get("numFound")
        rows = [row for row in map(_row, docs) if row]
        return rows, isinstance(count, int) and count > (number + 1) * catalogues.MOST_ROWS

    return catalogues.gather(page) if query else []


def fetch(reference: Reference, settings: Settings) -> Facts:
    """What is known of an item, and the file to play: the one that was named, else the first of its songs."""
    item, _, wanted = reference.reference.partition("/")
    known = catalogues.ask(f"{BASE}/metadata/{quote(item)}", WHERE, settings)
    about = known.get("metadata")
    if not isinstance(about, dict) or known.get("is_dark"):
        raise Trouble(GONE)
    songs = _songs(catalogues.listed(known.get("files")))
    song = _wanted(songs, wanted) if wanted else next(iter(songs), None)
    if song is None:
        raise Trouble(NO_SOUND)
    title, artist = catalogues.text(about.get("title")) or item, catalogues.text(about.get("creator"))
    is_alone = len(songs) == 1
    played = _named(song, wanted) or song[0]
    return Facts(
        title=title if is_alone else _first(song, "title") or pasted.plain(_stem(played["name"])),
        artist=_first(song, "artist") or _first(song, "creator") or artist,
        album=_first(song, "album") or ("" if is_alone else title),
        genre=_first(song, "genre")[:60],
        duration_ms=catalogues.milliseconds(played.get("length")) or _length(song),
        cover_url=cover_of(item),
        is_video=_extension(played["name"]) == "mp4",
        mime=_MIMES[_extension(played["name"])],
        reference=f"{BASE}/download/{quote(item)}/{quote(played['name'])}",
        player="file",
    )


def cover_of(item: str) -> str:
    """The picture that stands for an item."""
    return f"{BASE}/services/img/{quote(item)}"


def _row(doc: dict[str, Any]) -> Found | None:
    item, title = doc.get("identifier"), catalogues.text(doc.get("title"))
    if (
        not isinstance(item, str)
        or not _ITEM.fullmatch(item)
        or not title
        or doc.get("mediatype") not in KINDS
    ):
        return None
    return Found(
        NAME,
        item,
        title,
        artist=catalogues.text(doc.get("creator")),
        cover_url=cover_of(item),
        licence=catalogues.licence(doc.get("licenseurl")),
    )


def _songs(files: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The files that play, those made from one original together, the best of them first; songs by their number."""
    songs: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        name = file.get("name")
        if not isinstance(name, str) or file.get("private") == "true":
            continue
        if _is_playable(name):
            original = file.get("original")
            songs.setdefault(original if isinstance(original, str) else name, []).append(file)
    for song in songs.values():
        song.sort(key=_rank)
    return sorted(songs.values(), key=lambda song: (_number(song), song[0]["name"]))


def _is_playable(name: str) -> bool:
    """True for a file that browsers play, at a place of its own within the item."""
    is_inside = len(name) <= 500 and not {"..", "."} & set(name.split("/"))
    return is_inside and _extension(name) in _MIMES


def _rank(file: dict[str, Any]) -> tuple[bool, int, str]:
    form = str(file.get("format", "")).casefold()
    return form.startswith(_SMALL), _ORDER.index(_extension(file["name"])), file["name"]


def _number(song: list[dict[str, Any]]) -> int:
    """Where a song stands on its record: 3, or 3/12; songs without a number come last."""
    found = (re.match(r"[0-9]{1,4}", str(file.get("track", "")), re.ASCII) for file in song)
    return min((int(number[0]) for number in found if number), default=10_000)


def _wanted(songs: list[list[dict[str, Any]]], name: str) -> list[dict[str, Any]] | None:
    return next((song for song in songs if _named(song, name)), None)


def _named(song: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    return next((file for file in song if name and file["name"] == name), None)


def _first(song: list[dict[str, Any]], field: str) -> str:
    """What the first file of a song that says so calls it: what was made from an original often says nothing."""
    return next((said for said in (catalogues.text(file.get(field)) for file in song) if said), "")


def _length(song: list[dict[str, Any]]) -> int | None:
    lengths = (catalogues.milliseconds(file.get("length")) for file in song)
    return next((length for length in lengths if length), None)


def _extension(name: str) -> str:
    return name.rpartition(".")[2].casefold()


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0].replace("_", " ")


def _reference(item: str, file: str) -> Reference:
    if not _ITEM.fullmatch(item):
        raise Trouble("That link names nothing at the Internet Archive.")
    if not file:
        return Reference(NAME, item, item, "file", "Something of the Internet Archive")
    if not _is_playable(file):
        raise Trouble(NO_SOUND)
    # No item's name begins like this, so the two kinds of key cannot be taken for each other.
    digest = hashlib.sha256(f"{item}/{file}".encode()).hexdigest()[:32]
    title = pasted.plain(_stem(file)) or "Something of the Internet Archive"
    return Reference(NAME, f"_{digest}", f"{item}/{file}", "file", title, is_video=_extension(file) == "mp4")


PROVIDER = Provider(
    name=NAME,
    title="Internet Archive",
    recognise=recognise,
    fetch=fetch,
    search=search,
    media=("https://archive.org", "https://*.archive.org"),
    tries=("https://archive.org/details/ITEM", "https://archive.org/details/ITEM/a-song.mp3"),
)
