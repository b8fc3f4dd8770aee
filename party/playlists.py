"""Saved playlists: an account's own, in their order, private or shared by a link. What they show: playlist_views.py."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import Holding, Playlist, PlaylistEntry, Track, User, locking, rows
from party import entry_rows, ranks, shelf
from party.change import Person, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, TooMany
from party.names import clean_title, one_line
from party.playing_on import playlist_gone

PLAYLISTS_MOST, ENTRIES_MOST = 200, 2_000
NAME_LONGEST, TEXT_LONGEST, LINK_LONGEST = 100, 200, 2_000
TOKEN_BYTES = 16
"""As 22 random letters."""
KEPT_MS = 30 * 86_400_000
"""So long can be brought back what was taken away."""
FORGOTTEN_AT_ONCE = 500
"""So many rows go in one transaction, so that nobody waits long."""
NEEDS_ACCOUNT = "Playlists are kept with an account. Make one, and they are yours on every device."
GONE = "There is no such playlist. It may have been deleted, or its link taken back."
NO_ENTRY = "That track is not in this playlist."


@dataclass(frozen=True, slots=True)
class Line:
    """What a playlist is to hold: words, and a link or a track where there is one."""

    title: str
    artist: str = ""
    album: str = ""
    duration_ms: int = 0
    link: str = ""
    track_id: int | None = None


def create_playlist(actor: Person, name: str) -> int:
    """Begin an empty playlist. Returns its id."""
    name = clean_name(name)
    with write():
        need_account(actor)
        return int(_made(actor, name).id)


def rename_playlist(actor: Person, playlist_id: int, name: str) -> None:
    """Call it something else. The same name changes nothing."""
    name = clean_name(name)
    with write():
        playlist = own(actor, playlist_id)
        if playlist.name != name:
            _touch(playlist, name=name)


def delete_playlist(actor: Person, playlist_id: int) -> str:
    """Take it away, with its link. It can be brought back for thirty days. Returns its name."""
    with write():
        playlist = own(actor, playlist_id, with_deleted=True)
        if playlist.deleted_at is None:
            Playlist.update(deleted_at=now_ms()).where(Playlist.id == playlist.id).execute()
    playlist_gone(playlist_id)
    return str(playlist.name)


def restore_playlist(actor: Person, playlist_id: int) -> None:
    """Bring it back as it was. Not deleted changes nothing."""
    with write():
        playlist = own(actor, playlist_id, with_deleted=True)
        if playlist.deleted_at is not None:
            _refuse_many(actor)
            Playlist.update(deleted_at=None).where(Playlist.id == playlist.id).execute()


def share_playlist(actor: Person, playlist_id: int, *, anew: bool = False) -> str:
    """Let whoever has the link look at it and copy it; `anew` makes another link, and the old one opens nothing."""
    with write():
        # Of two presses at once the second has to find the link the first one gave out.
        _hold(Playlist, own(actor, playlist_id).id)
        playlist = own(actor, playlist_id)
        if playlist.share_token and not anew:
            return str(playlist.share_token)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        Playlist.update(share_token=token).where(Playlist.id == playlist.id).execute()
        return token


def stop_sharing(actor: Person, playlist_id: int) -> None:
    """Take the link back. Where others let a room play on from it, that ends."""
    with write():
        playlist = own(actor, playlist_id)
        Playlist.update(share_token=None).where(Playlist.id == playlist.id).execute()
    playlist_gone(playlist_id)


def add_track(actor: Person, playlist_id: int, track_id: int, room_id: int = 0) -> str:
    """Put a track at the end that this person may use, in `room_id` or anywhere. Returns its title."""
    with write():
        playlist = own(actor, playlist_id)
        track = usable_track(actor, track_id, room_id)
        append(playlist, [line_of(track)])
        return str(track.title)


def save_track(actor: Person, playlist_id: int, name: str, track_id: int, room_id: int) -> tuple[str, str]:
    """Keep a track of a room in a playlist, or, without one, in a new one of that name. Returns title and name."""
    with write():
        playlist_id = playlist_id or create_playlist(actor, name)
        title = add_track(actor, playlist_id, track_id, room_id)
        return title, str(own(actor, playlist_id).name)


def remove_entry(actor: Person, playlist_id: int, entry_id: int) -> str:
    """Take a track out. Taken out already changes nothing. Returns its title."""
    with write():
        playlist = own(actor, playlist_id)
        entry = _entry(playlist, entry_id)
        if entry.removed_at is None:
            PlaylistEntry.update(removed_at=now_ms()).where(PlaylistEntry.id == entry.id).execute()
            _touch(playlist)
        return str(entry.title)


def restore_entry(actor: Person, playlist_id: int, entry_id: int) -> None:
    """Bring a track back where it stood, or to the end when something stands there now. There already is nothing."""
    with write():
        playlist = own(actor, playlist_id)
        _hold(Playlist, playlist.id)
        entry = _entry(playlist, entry_id)
        if entry.removed_at is None:
            return
        places = dict(in_order(playlist.id))
        refuse_too_long(len(places) + 1)
        position = entry.position if entry.position not in places.values() else _after(max(places.values()))
        PlaylistEntry.update(removed_at=None, position=position).where(PlaylistEntry.id == entry.id).execute()
        _touch(playlist)


def move_entry(actor: Person, playlist_id: int, entry_id: int, after_id: int | None) -> None:
    """Put a track right after another, or first. Where the neighbour is gone it goes to the end."""
    if entry_id == after_id:
        raise Invalid("A track cannot stand after itself.")
    with write():
        playlist = own(actor, playlist_id)
        _hold(Playlist, playlist.id)
        if _entry(playlist, entry_id).removed_at is not None:
            raise Conflict("That track was taken out a moment ago.")
        before = in_order(playlist.id)
        rest = [place for place in before if place[0] != entry_id]
        ids = [each for each, _ in rest]
        at = 0 if after_id is None else ids.index(after_id) + 1 if after_id in ids else len(ids)
        if [*ids[:at], entry_id, *ids[at:]] == [each for each, _ in before]:
            return
        key = ranks.between(rest[at - 1][1] if at else None, rest[at][1] if at < len(rest) else None)
        if ranks.needs_renumbering(key):
            entry_rows.make_room([*rest[:at], (entry_id, key), *rest[at:]], at)
        else:
            PlaylistEntry.update(position=key).where(PlaylistEntry.id == entry_id).execute()
        _touch(playlist)


def match_entry(actor: Person, playlist_id: int, entry_id: int, track_id: int | None) -> None:
    """Say which track a line of words means, or with None that it is none of ours. The words it came with stay."""
    with write():
        playlist = own(actor, playlist_id)
        entry = _entry(playlist, entry_id)
        track = usable_track(actor, track_id) if track_id is not None else None
        if entry.track_id != (track.id if track else None):
            PlaylistEntry.update(track=track).where(PlaylistEntry.id == entry.id).execute()
            _touch(playlist)


def copy_entry(actor: Person, playlist_id: int, entry_id: int, to_id: int) -> tuple[str, str]:
    """Put a track of one playlist at the end of another of one's own. Returns its title and the other's name."""
    with write():
        entry = _entry(own(actor, playlist_id), entry_id)
        if entry.removed_at is not None:
            raise Conflict("That track was taken out a moment ago.")
        target = own(actor, to_id)
        append(target, [_line_of_entry(entry)])
        return str(entry.title), str(target.name)


def copy_playlist(actor: Person, source: Playlist, to_id: int = 0) -> tuple[int, int]:
    """Copy everything of a playlist, one's own or a shared one, into another, or without one into a new one.

    Returns the id of what it was copied into, and how many tracks that were.
    """
    need_account(actor)
    lines = [_line_of_entry(entry) for entry in entries_of(source.id)]
    if not to_id:
        return keep_lines(actor, str(source.name), lines), len(lines)
    with write():
        target = own(actor, to_id)
        _append_clean(target, lines)
        return int(target.id), len(lines)


def keep_lines(actor: Person, name: str, lines: Sequence[Line]) -> int:
    """A new playlist that holds these lines. Returns its id."""
    name, lines = clean_name(name), [cleaned(line) for line in lines]
    with write():
        need_account(actor)
        playlist = _made(actor, name)
        _append_clean(playlist, lines)
        return int(playlist.id)


def forget_deleted() -> None:
    """What was deleted thirty days ago goes for good, a few rows at a time."""
    since, is_full = now_ms() - KEPT_MS, True
    deleted = Playlist.select(Playlist.id).where(Playlist.deleted_at < since).order_by(Playlist.id)
    while is_full:
        with write():
            # Held and then asked: what is brought back at this moment is not old any more.
            gone = [row.id for row in locking(deleted.limit(FORGOTTEN_AT_ONCE))]
            is_old = (PlaylistEntry.removed_at < since) | PlaylistEntry.playlist.in_(gone)
            some = PlaylistEntry.select(PlaylistEntry.id).where(is_old).limit(FORGOTTEN_AT_ONCE)
            left = PlaylistEntry.delete().where(PlaylistEntry.id.in_(some), is_old)
            is_full = left.execute() == FORGOTTEN_AT_ONCE
            if not is_full:
                Playlist.delete().where(Playlist.id.in_(gone)).execute()
                is_full = len(gone) == FORGOTTEN_AT_ONCE


def own(actor: Person, playlist_id: int, *, with_deleted: bool = False) -> Playlist:
    """A playlist of one's own. Raises NotFound, NotAllowed for a guest."""
    need_account(actor)
    found = Playlist.get_or_none(Playlist.id == playlist_id, Playlist.user == actor.user_id)
    if found is None or (found.deleted_at is not None and not with_deleted):
        raise NotFound(GONE)
    return found


def shared(token: str) -> Playlist:
    """The playlist that a link opens. Raises NotFound."""
    found = Playlist.get_or_none(Playlist.share_token == token, Playlist.deleted_at.is_null())
    if found is None or not token:
        raise NotFound(GONE)
    return found


def in_order(playlist_id: int) -> list[tuple[int, str]]:
    """Ids and places of what a playlist holds, as it stands."""
    # Sorted here and not by the database: its collation need not be the keys' own byte order.
    query = PlaylistEntry.select(PlaylistEntry.id, PlaylistEntry.position)
    living = query.where(PlaylistEntry.playlist == playlist_id, PlaylistEntry.removed_at.is_null())
    return sorted(rows(living), key=lambda row: (row[1], row[0]))


def usable(user_id: int) -> Any:
    """The condition that a track may be kept by this person: listed for all, brought by them, or kept already."""
    mine = Holding.select(Holding.track).where(Holding.user == user_id)
    kept = PlaylistEntry.select(PlaylistEntry.track).join(Playlist).where(
        Playlist.user == user_id, PlaylistEntry.removed_at.is_null(), PlaylistEntry.track.is_null(False)
    )  # fmt: skip
    return ~Track.is_hidden & (Track.is_listed | Track.id.in_(mine) | Track.id.in_(kept))


def usable_track(actor: Person, track_id: int, room_id: int = 0) -> Track:
    """A track this person may keep. Raises NotFound."""
    track: Track | None = Track.get_or_none(Track.id == track_id, ~Track.is_hidden)
    # Room 0 is no room: what is held in none at all is its bringer's own.
    if track is None or not shelf.is_known(track, room_id, actor.user_id):
        raise NotFound("That track is not in the library.")
    return track


def line_of(track: Track) -> Line:
    """A track as a line of a playlist."""
    return Line(track.title, track.artist, track.album, track.duration_ms, "", track.id)


def append(playlist: Playlist, lines: Sequence[Line]) -> None:
    """Put lines at the end, in the open transaction. Raises TooMany."""
    _append_clean(playlist, [cleaned(line) for line in lines])


def _append_clean(playlist: Playlist, lines: Sequence[Line]) -> None:
    _hold(Playlist, playlist.id)
    places = in_order(playlist.id)
    refuse_too_long(len(places) + len(lines))
    last = places[-1][1] if places else None
    keys, now = ranks.several(len(lines), last), now_ms()
    entry_rows.insert(
        [
            (
                playlist.id,
                each.title,
                each.artist,
                each.album,
                each.duration_ms,
                each.link,
                key,
                now,
                each.track_id,
            )
            for each, key in zip(lines, keys, strict=True)
        ]
    )
    if lines:
        _touch(playlist)


def clean_name(text: str) -> str:
    """A playlist's name as kept. Raises Invalid."""
    return clean_title(text, "playlist", NAME_LONGEST)


def need_account(actor: Person) -> None:
    """Raise NotAllowed for a guest, with what to do."""
    user = User.get_or_none(User.id == actor.user_id)
    if user is None:
        raise NotKnown("Tell us your name first.")
    if user.email is None:
        raise NotAllowed(NEEDS_ACCOUNT)


def _made(actor: Person, name: str) -> Playlist:
    _refuse_many(actor)
    now = now_ms()
    made: Playlist = Playlist.create(user=actor.user_id, name=name, created_at=now, changed_at=now)
    return made


def _hold(table: type[Playlist] | type[User], number: int) -> None:
    """Keep others from giving out the same places, or counting the same playlists, meanwhile: user before playlist."""
    list(locking(table.select(table.id).where(table.id == number)))


def _refuse_many(actor: Person) -> None:
    _hold(User, actor.user_id)
    if (
        Playlist.select().where(Playlist.user == actor.user_id, Playlist.deleted_at.is_null()).count()
        >= PLAYLISTS_MOST
    ):
        raise TooMany(f"You have {PLAYLISTS_MOST} playlists, and more do not fit. Delete one first.")


def refuse_too_long(count: int) -> None:
    """Raise TooMany for more tracks than a playlist holds."""
    if count > ENTRIES_MOST:
        raise TooMany(
            f"A playlist holds {ENTRIES_MOST} tracks, and that would be {count}. Begin another one."
        )


def _touch(playlist: Playlist, **changes: object) -> None:
    Playlist.update(changed_at=now_ms(), **changes).where(Playlist.id == playlist.id).execute()


def _entry(playlist: Playlist, entry_id: int) -> PlaylistEntry:
    found = PlaylistEntry.get_or_none(PlaylistEntry.id == entry_id, PlaylistEntry.playlist == playlist)
    if found is None:
        raise NotFound(NO_ENTRY)
    return found


def entries_of(playlist_id: int) -> list[PlaylistEntry]:
    """What a playlist holds, in its order."""
    places = [entry_id for entry_id, _ in in_order(playlist_id)]
    living = PlaylistEntry.playlist == playlist_id, PlaylistEntry.removed_at.is_null()
    found = {entry.id: entry for entry in PlaylistEntry.select().where(*living)}
    return [found[entry_id] for entry_id in places]


def _line_of_entry(entry: PlaylistEntry) -> Line:
    return Line(entry.title, entry.artist, entry.album, entry.duration_ms, entry.link, entry.track_id)


def cleaned(line: Line) -> Line:
    """Words as they are kept: on one line, short, without signs that nobody sees."""
    title, artist, album = (
        one_line(text)[:TEXT_LONGEST].strip() for text in (line.title, line.artist, line.album)
    )
    link = "".join(ch for ch in line.link if ch.isprintable())
    return Line(
        title or "Untitled",
        artist,
        album,
        min(max(0, line.duration_ms), 2**31 - 1),
        link if len(link) <= LINK_LONGEST else "",
        line.track_id,
    )


def _after(key: str) -> str:
    return ranks.between(key, None)
