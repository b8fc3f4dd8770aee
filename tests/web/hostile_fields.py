"""The kinds of text that people write or bring, by what rule each is kept, and what is kept of each payload."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from models import (
    Ban,
    Message,
    Playlist,
    PlaylistEntry,
    Room,
    SearchAnswer,
    Source,
    Subtitle,
    Suggestion,
    Track,
    Upload,
    User,
)
from party import letters, names, playlists, rooms, searching, source_shelf, subtitles, uploads
from party.chat_text import clean_message
from party.errors import Invalid
from party.moderation import REASON_LONGEST
from tests.payloads import PAYLOADS

TOKEN = re.compile(r"([A-Z])q(\d\d)q")


def _title(text: str) -> str:
    if len(text) > 200 or "\0" in text:
        raise Invalid("The library takes no such title.")
    return text


def _reason(text: str) -> str:
    if len(kept := names.one_line(text)) > REASON_LONGEST:
        raise Invalid("Too long.")
    return kept


def _genre(text: str) -> str:
    if len(_title(text)) > 60:
        raise Invalid("The library takes no such genre.")
    return text


def _local_part(text: str) -> str:
    return letters.clean_address(f"{text}@example.org").removesuffix("@example.org")


def _sentence(text: str) -> str:
    return names.one_line(text)[:200]


def _file_name(text: str) -> str:
    return uploads.clean_file_name(f"{text}.mp3").removesuffix(".mp3")


def _label(text: str) -> str:
    return subtitles._label(text, "en")


def _entry(text: str) -> str:
    return playlists.cleaned(playlists.Line(text)).title


def _server(text: str) -> str:
    return names.one_line(text)[:100]


def _found(text: str, column: str = "title") -> str:
    """What is kept of a catalogue's word for a song."""
    [row] = searching._bounded([found("A found song") | {column: text}]) or [{column: ""}]
    if not row[column]:
        raise Invalid("A row without words is left out.")
    return str(row[column])


def found(title: str, artist: str = "") -> dict[str, Any]:
    """A row of a catalogue's answer."""
    return {
        "provider": "archive", "key": "a", "title": title, "artist": artist, "album": artist, "duration_ms": 60_000,
        "preview_url": "https://archive.org/a.mp3", "is_playable": True,
    }  # fmt: skip


def _on_shelf(text: str) -> str:
    return str(source_shelf._kept(Source(id=1, kind="subsonic"), {"title": text, "what": "album"})["title"])


def shelf_rows(text: str) -> list[dict[str, Any]]:
    """What somebody's own server shows: the name of a list, an album and a track in it."""
    source = Source(id=1, kind="subsonic")
    return [
        source_shelf._kept(
            source, {"what": what, "id": "i", "title": text, "artist": text, "album": text, **more}
        )
        | {"more": ""}
        for what, more in (
            (source_shelf.PAGE, {}),
            ("album", {"count": 2}),
            ("track", {"mime": "audio/mpeg"}),
        )
    ]


@dataclass(frozen=True)
class Field:
    """A kind of text: the letter of its tokens, the rule that keeps it, where it is kept, and within what."""

    name: str
    letter: str
    rule: Callable[[str], str]
    table: Any
    column: Any
    within: Callable[[str], Any] = str

    def token(self, slot: int) -> str:
        """A harmless text that stands nowhere else."""
        return f"{self.letter}q{slot:02d}q"


FIELDS = [
    Field("name", "N", names.clean_name, User, User.display_name),
    Field("room name", "R", rooms.clean_room_name, Room, Room.name),
    Field("title", "T", _title, Track, Track.title),
    Field("artist", "A", _title, Track, Track.artist),
    Field("album", "B", _title, Track, Track.album),
    Field("genre", "G", _genre, Track, Track.genre),
    Field("message", "M", clean_message, Message, Message.text),
    Field("ban reason", "K", _reason, Ban, Ban.reason),
    Field("decline reason", "D", _reason, Suggestion, Suggestion.reason),
    Field("site ban reason", "S", _reason, User, User.ban_reason),
    Field("e-mail address", "E", _local_part, User, User.email, "{}@example.org".format),
    Field("failure", "F", _sentence, Track, Track.failure),
    Field("file name", "U", _file_name, Upload, Upload.name, "{}.mp3".format),
    Field("refused file", "J", _sentence, Upload, Upload.reason),
    Field("subtitles", "L", _label, Subtitle, Subtitle.label),
    Field("playlist", "P", playlists.clean_name, Playlist, Playlist.name),
    Field("entry", "W", _entry, PlaylistEntry, PlaylistEntry.title),
    Field("entry artist", "X", _sentence, PlaylistEntry, PlaylistEntry.artist),
    Field("server", "V", _server, Source, Source.name),
    Field("name at a server", "Y", _server, Source, Source.username),
    Field("server failure", "O", _sentence, Source, Source.failure),
    Field("found", "H", _found, SearchAnswer, SearchAnswer.results, lambda text: [found(text)]),
    Field(
        "found artist", "C", partial(_found, column="artist"), SearchAnswer, SearchAnswer.results,
        lambda text: [found("A found song", text)],
    ),
    Field("search failure", "Q", _sentence, SearchAnswer, SearchAnswer.failure),
    Field("on a server", "Z", _on_shelf, SearchAnswer, SearchAnswer.results, shelf_rows),
]  # fmt: skip
BY_LETTER = {each.letter: each for each in FIELDS}
KEPT: dict[str, list[str | None]] = {}
"""By field, what is kept of each payload; None where it is refused."""

for _field in FIELDS:
    KEPT[_field.name] = []
    for _payload in PAYLOADS:
        try:
            KEPT[_field.name].append(_field.rule(_payload.text))
        except Invalid:
            KEPT[_field.name].append(None)
