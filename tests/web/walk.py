"""Every address of the house with something real in it, for tests that walk through all of them."""

from __future__ import annotations

import re

from flask import Flask
from werkzeug.routing import Rule

from models import (
    Event,
    Item,
    Knock,
    Member,
    Message,
    PlaylistEntry,
    Room,
    Source,
    Subtitle,
    Suggestion,
    Track,
    User,
)
from party import (
    adding,
    chat,
    configuring,
    invites,
    moderation,
    people,
    playlists,
    progress,
    queue,
    searching,
    source_shelf,
    sources,
    subtitles,
    tracks,
    uploads,
)
from party.playlists import Line
from tests.stage import Cast

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
FORM = {
    "name": "Mallory",
    "display_name": "Mallory",
    "theme": "dark",
    "email": "mallory@example.org",
    "password": "a long pass phrase",
    "text": "hello",
    "value": "1",
    "after": "",
    "action": "skip",
    "mode": "hand",
    "decision": "approve",
    "role": "cohost",
    "grant": "while",
    "answer": "accept",
    "preset": "radio",
    "locked": "yes",
    "visibility": "private",
    "entry": "open",
    "emoji": "🎉",
    "mark": "hidden",
    "quota": "3",
    "hours": "3",
    "days": "3",
    "link": "https://youtu.be/dQw4w9WgXcQ",
    "item": "1",
    "position_ms": "5",
    "duration_ms": "90000",
    "size": "10",
    "search": "something",
    "share": "on",
    "when_empty": "alike",
}
SERVER = "https://music.example.org"
WATCH = {"provider": "youtube", "key": "dQw4w9WgXcQ", "reference": "dQw4w9WgXcQ", "player": "youtube"}


def furnish(cast: Cast) -> dict[str, str]:
    """A room in which every kind of thing is there; what stands for each name in an address."""
    items = cast.add(4)
    queue.remove_item(cast.ada, cast.code, items[3])
    message = chat.say(cast.cleo, cast.code, "hello")
    dan = people.join(cast.dan, cast.code)
    ban = moderation.ban(cast.ada, cast.code, dan)
    token = invites.make_invite(cast.ada, cast.code)
    room = cast.room()
    knock = Knock.create(room=room, user=cast.dan.user_id, asked_at=1, deadline_at=2**45)
    wish = Suggestion.create(room=room, member=cast.members["cleo"], track=cast.tracks[9], asked_at=1)
    configuring.change_settings(cast.ada, cast.code, {"vote": "cohosts"})
    brought = bring(cast, items)
    seq = Event.select(Event.seq).where(Event.kind == "item_removed").scalar()
    assert Item.get_by_id(items[2]) and Member.get_by_id(dan) and Message.get_by_id(message) and Room.get()
    return {
        "code": cast.code,
        "item_id": str(items[2]),
        "member_id": str(cast.members["cleo"]),
        "message_id": str(message),
        "ban_id": str(ban),
        "knock_id": str(knock.id),
        "invite_id": "1",
        "suggestion_id": str(wish.id),
        "track_id": str(cast.tracks[0]),
        "user_id": str(cast.cleo.user_id),
        "seq": str(seq),
        "token": str(token),
        "handle": "0" * 16,
        "filename": "css/base.css",
        "kind": "file",
        "size": "96",
        "format": "m3u8",
        "what": "line",
    } | brought


def bring(cast: Cast, items: list[int]) -> dict[str, str]:
    """What people bring: a film with words, a link, a file on its way, a playlist, a search, and where one stopped.

    A name that means something else elsewhere is said with its endpoint or its blueprint.
    """
    film = Item.get_by_id(items[2]).track
    Track.update(is_video=True, is_listed=False, provider="upload", cover_file="").where(
        Track.id == film
    ).execute()
    subtitle = subtitles.add_subtitles(cast.ada, cast.code, items[2], "English", "en", "subtitles/a.vtt")
    words, film = Subtitle.get_by_id(subtitle), Track.get_by_id(film)
    link = adding.add_link(cast.cleo, cast.code, title="A video", is_video=True, **WATCH)
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    playlist = playlists.keep_lines(
        cast.ada, "Late", [Line("A song", track_id=cast.tracks[0]), Line("Words")]
    )
    shared = playlists.share_playlist(cast.ada, playlist)
    progress.save_progress(cast.ada, cast.code, items[0], 5_000)
    source = sources.connect(cast.ada, kind="subsonic", address=SERVER, username="ada", secret="a password")
    Source.update(state="ready").where(Source.id == source).execute()
    return {
        "marked": tracks.mark(film.id, film.media_file, film.cover_file, film.added_at),
        "media.track_id": str(film.id),
        "media.send_cover.marked": tracks.mark(
            film.id, film.media_file, film.cover_file, film.added_at, "cover"
        ),
        "media.send_subtitles.marked": tracks.mark(words.id, words.file, words.added_at),
        "subtitle_id": str(subtitle),
        "links.item_id": str(link.item_id),
        "uploads.token": uploads.begin(cast.ada, cast.code, "song.mp3", 10),
        "playlist_id": str(playlist),
        "entry_id": str(PlaylistEntry.select(PlaylistEntry.id).order_by(PlaylistEntry.id).scalar()),
        "playlists.token": shared,
        "search_id": str(searching.ask(cast.ada, cast.code, "something", ("archive",))),
        "source": "archive",
        "source_id": str(source),
        "sources.search_id": str(source_shelf.ask(cast.ada, cast.code, source, "something")),
        "room_id": str(cast.room().id),
    }


def address(rule: Rule, values: dict[str, str]) -> str:
    """The rule's address with real things in it; a name nobody furnished fails here."""
    blueprint = rule.endpoint.rpartition(".")[0]

    def value(found: re.Match[str]) -> str:
        told = (values.get(f"{where}.{found[1]}") for where in (rule.endpoint, blueprint))
        return next(filter(None, told), None) or values[found[1]]

    return re.sub(r"<(?:[^<>:]+:)?(\w+)>", value, rule.rule)


def changing(app: Flask, values: dict[str, str]) -> list[tuple[str, str]]:
    """Method and address of everything that may change something."""
    return [
        (method, address(rule, values))
        for rule in app.url_map.iter_rules()
        for method in sorted(rule.methods & CHANGING)
    ]


def reading(app: Flask, values: dict[str, str]) -> list[str]:
    """Every address that can be looked at."""
    return sorted({address(rule, values) for rule in app.url_map.iter_rules() if "GET" in rule.methods})
