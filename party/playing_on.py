"""What plays on when nobody put anything on: choosing it, and the clock's turn to start it. The choice: filling.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models import Item, Playback, Playlist, PlaylistEntry, Room
from party import adding, ahead, configuring, filling
from party.change import CLOCK, Change, Person, change, look, write
from party.errors import Invalid, NotFound, Over
from party.playback import start_if_idle
from party.settings import CHOICES, load

NOT_YOURS = "That playlist is not yours, and its link was not given."
AT_ONCE = ahead.NEW_AHEAD
SILENT = (
    "Nothing in that playlist can play on by itself. Choose one with tracks, or with links that play here."
)


def choose_filler(
    actor: Person,
    code: str,
    when_empty: str,
    playlist_id: int = 0,
    token: str = "",
    links: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """Set what plays on when the line is empty: nothing, favourites, alike, or a playlist by id or by its link.

    `links` are those of the playlist that play here, as add_link takes them. Returns how much of it can play on, where
    that is not all. Raises Invalid where that is nothing.
    """
    if when_empty not in CHOICES["when_empty"]:
        raise Invalid("A line can play on with nothing, a playlist, the favourites, or more like tonight.")
    with write():
        values: dict[str, object] = {"when_empty": when_empty}
        if when_empty == "playlist" and not (playlist_id or token):
            room = Room.get_or_none(Room.code == code)
            if room is not None and not load(room.settings).empty_playlist:
                raise Invalid("Choose the playlist first.")
        if playlist_id or token:
            values["empty_playlist"] = _playlist(actor, code, playlist_id, token).id
        configuring.change_settings(actor, code, values)
        if when_empty != "playlist":
            return ""
        can, count = _can_play(look(actor, code, may="change_settings"), links or {})
        if not can:
            raise Invalid(SILENT)
        return f"{can} of {count} can play on here." if can < count else ""


def links_of(actor: Person, code: str, playlist_id: int = 0, token: str = "") -> list[str]:
    """The links without a track in a playlist that is about to be chosen, or is chosen. Raises NotFound."""
    if not (playlist_id or token):
        room = Room.get_or_none(Room.code == code)
        playlist_id = load(room.settings).empty_playlist if room is not None else 0
    return ahead.links_of(_playlist(actor, code, playlist_id, token)) if playlist_id or token else []


def next_links(code: str) -> list[str]:
    """Links of what plays on in a room whose turn nears, in their order; none where nothing plays on from any."""
    return _next_of(look(CLOCK, code, may="fill_line"))[1]


def bring_links(code: str, links: Mapping[str, Mapping[str, Any]]) -> int:
    """The clock's turn: make tracks of some links of what plays on, to be looked up. `links` as add_link takes them.

    No more than the room needs, whatever is given. Returns how many lines have a track now.
    """
    brought = 0
    for link, facts in list(links.items())[:AT_ONCE]:
        # Each alone: two rooms may bring the same ones, in their own orders.
        with change(CLOCK, code, may="fill_line") as c:
            playlist, wanted = _next_of(c)
            if playlist is None or link not in wanted:
                continue
            track = adding.found_or_made(c, **facts)
            is_it = ahead.is_living(playlist) & (PlaylistEntry.link == link) & PlaylistEntry.track.is_null()
            brought += PlaylistEntry.update(track=track).where(is_it).execute()
            if track.state == "ready":
                start_if_idle(c)
    return brought


def fill_line(code: str) -> bool:
    """The clock's turn: what plays on is gone or there again, or nobody pressed anything. True when the room plays."""
    with change(CLOCK, code, may="fill_line") as c:
        if c.settings.when_empty == "nothing" or not _has_source(c):
            filling.clear(c)
        start_if_idle(c)
        return bool(c.playback.state != "idle")


def playlist_gone(playlist_id: int) -> None:
    """Take what the rooms took from a playlist off their lines, after it was deleted or is no longer shared."""
    for code in _rooms_playing(playlist_id):
        try:
            fill_line(code)
        except Over:
            # Its line is kept as it was.
            continue


def quiet_codes() -> list[str]:
    """Open rooms where nothing plays though something should play on: a person who came back presses nothing."""
    query = (
        Room.select(Room.code, Room.settings)
        .join(Playback)
        .where(Playback.state == "idle", Room.state.in_(("LIVE", "GRACE")))
    )
    return [code for code, settings in query.tuples() if load(settings).when_empty != "nothing"]


def _playlist(actor: Person, code: str, playlist_id: int, token: str) -> Playlist:
    """One's own by its id, one that stays chosen, or anybody's by its link. Raises NotFound."""
    is_there = Playlist.deleted_at.is_null()
    if token:
        found = Playlist.get_or_none(Playlist.share_token == token, is_there)
    else:
        found = Playlist.get_or_none(Playlist.id == playlist_id, is_there)
        room = Room.get_or_none(Room.code == code)
        is_chosen = room is not None and load(room.settings).empty_playlist == playlist_id
        if found is not None and found.user_id != actor.user_id and not (is_chosen and found.share_token):
            found = None
    if found is None:
        raise NotFound(NOT_YOURS)
    return found


def _next_of(c: Change) -> tuple[Playlist | None, list[str]]:
    """The playlist that plays on, if one does, and its links whose turn nears."""
    playlist = filling.playlist_of(c) if c.settings.when_empty == "playlist" else None
    return playlist, ahead.next_links(c, playlist, filling.may_come(c)) if playlist is not None else []


def _can_play(c: Change, links: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """How many lines of the chosen playlist can play on, those that are still looked up too, and how many it has."""
    playlist = filling.playlist_of(c)
    if playlist is None:
        return 0, 0
    living = PlaylistEntry.select().where(ahead.is_living(playlist))
    can = ahead.lines(playlist, PlaylistEntry.id).where(filling.may_come(c)).count()
    unread = [entry.link for entry in living.where(PlaylistEntry.track.is_null())] if c.settings.links else []
    # A frame of another site never says that it is over.
    ending = {link for link, facts in links.items() if facts["player"] != "embed"}
    return can + sum(link in ending for link in unread), living.count()


def _has_source(c: Change) -> bool:
    return c.settings.when_empty != "playlist" or filling.playlist_of(c) is not None


def _rooms_playing(playlist_id: int) -> list[str]:
    filled = (
        Item.select(Room.code, Room.settings)
        .join(Room)
        .where(Item.is_filler, Item.state == "waiting", Room.state != "EXPIRED")
        .distinct()
    )
    return [code for code, settings in filled.tuples() if load(settings).empty_playlist == playlist_id]
