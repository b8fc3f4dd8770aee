"""What plays on when nobody put anything on: choosing it, and the clock's turn to start it. The choice: filling.py."""

from __future__ import annotations

from models import Item, Playback, Playlist, Room
from party import configuring, filling
from party.change import CLOCK, Change, Person, change, write
from party.errors import Invalid, NotFound, Over
from party.playback import start_if_idle
from party.settings import CHOICES, load

NOT_YOURS = "That playlist is not yours, and its link was not given."


def choose_filler(actor: Person, code: str, when_empty: str, playlist_id: int = 0, token: str = "") -> None:
    """Set what plays on when the line is empty: nothing, favourites, alike, or a playlist by id or by its link."""
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
        .where(Playback.state == "idle", Room.state.in_(("LIVE", "GRACE")), Room.advance > 0)
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
