"""What playlists do to a room: what plays on comes, yields, is taken over and goes; a playlist goes on the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Item, Room, Track, User
from party import playback, playing_on, playlists, putting_on, queue
from party.playlists import Line

Step = Callable[[Any], object]
NOTHING: Step = lambda s: None  # noqa: E731


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


def _keep(s: Any, first: int, last: int) -> int:
    """A playlist of Ada's with some tracks of the library."""
    User.update(email="ada@example.org").where(User.id == s.cast.ada.user_id).execute()
    Room.update(epoch="tonight").where(Room.code == s.code).execute()
    lines = [Line("A song", track_id=track_id) for track_id in s.cast.tracks[first:last]]
    return playlists.keep_lines(s.cast.ada, "Late", lines)


def _empty(s: Any) -> None:
    """Nothing waits any more, and one song plays."""
    for item in s.cast.line():
        queue.remove_item(s.cast.ada, s.code, item)


def _made(s: Any) -> int:
    return int(playlists.Playlist.select().order_by(playlists.Playlist.id.desc()).get().id)


def _filler(s: Any) -> Item:
    return Item.select().where(Item.is_filler, Item.state == "waiting").order_by(Item.id).get()


def plays_on(how: str) -> Step:
    return lambda s: playing_on.choose_filler(s.cast.ada, s.code, how, _made(s) if how == "playlist" else 0)


EMPTY: Step = both(_empty, lambda s: _keep(s, 0, 12))
FILLED: Step = both(EMPTY, plays_on("playlist"))
QUIET: Step = both(EMPTY, lambda s: playback.skip(s.cast.ada, s.code))

COMMANDS: dict[str, tuple[Step, Step]] = {
    "choose_filler: playlist": (EMPTY, plays_on("playlist")),
    "choose_filler: in a quiet room": (QUIET, plays_on("playlist")),
    "choose_filler: favourites": (QUIET, plays_on("favourites")),
    "choose_filler: alike": (EMPTY, plays_on("alike")),
    "choose_filler: nothing": (FILLED, plays_on("nothing")),
    "fill_line": (
        both(QUIET, lambda s: _set(s)),
        lambda s: playing_on.fill_line(s.code),
    ),
    "bring_links of one that is known": (
        both(QUIET, lambda s: _link(s), lambda s: _set(s)),
        lambda s: playing_on.bring_links(s.code, {LINK: KNOWN}),
    ),
    "delete_playlist that plays on": (FILLED, lambda s: playlists.delete_playlist(s.cast.ada, _made(s))),
    "skip with rows that play on": (FILLED, lambda s: playback.skip(s.cast.ada, s.code)),
    "add_item over rows that play on": (FILLED, lambda s: queue.add_item(s.cast.cleo, s.code, s.spare())),
    "add_item of a row that plays on": (
        FILLED,
        lambda s: queue.add_item(s.cast.cleo, s.code, _filler(s).track_id),
    ),
    "cast_vote on a row that plays on": (
        FILLED,
        lambda s: queue.cast_vote(s.cast.cleo, s.code, s.cast.line()[-1], 1),
    ),
    "move_item of a row that plays on": (
        FILLED,
        lambda s: queue.move_item(s.cast.ada, s.code, s.cast.line()[-1], None),
    ),
    "remove_item of a row that plays on": (
        FILLED,
        lambda s: queue.remove_item(s.cast.ada, s.code, _filler(s).id),
    ),
    "restore_item of a row that plays on": (
        both(FILLED, lambda s: queue.remove_item(s.cast.ada, s.code, _filler(s).id)),
        lambda s: queue.restore_item(
            s.cast.ada, s.code, Item.select().where(Item.is_filler, Item.removed_by.is_null(False)).get().id
        ),
    ),
    "put_on_line": (
        lambda s: _keep(s, 0, 12),
        lambda s: putting_on.put_on_line(s.cast.ada, s.code, _made(s)),
    ),
}


LINK = "https://youtu.be/abcdefghijk"
KNOWN = {
    "provider": "youtube",
    "key": "abcdefghijk",
    "reference": "abcdefghijk",
    "player": "youtube",
    "title": "A video",
}


def _link(s: Any) -> None:
    """A playlist of Ada's that is a link alone, to what another room had before."""
    Track.update(slug="youtube-abcdefghijk").where(Track.id == s.cast.tracks[9]).execute()
    playlists.keep_lines(s.cast.ada, "Tube", [Line("A video", link=LINK)])


def _set(s: Any) -> None:
    """What plays on is chosen, and nobody has pressed anything since."""
    Room.update(settings={"when_empty": "playlist", "empty_playlist": _made(s)}).where(
        Room.code == s.code
    ).execute()
