"""Whose library a track is in: everybody's, a room's, one person's. What nobody brought there is not found there."""

from __future__ import annotations

from typing import Any

from models import Holding, Playlist, PlaylistEntry, Track


def shown(room_id: int | None, user_id: int | None) -> Any:
    """The condition that a track is listed for all, or was brought into this room, or by this person anywhere."""
    return Track.is_listed | Track.id.in_(Holding.select(Holding.track).where(_is_near(room_id, user_id)))


def is_known(track: Track, room_id: int, user_id: int) -> bool:
    """True when the person may put this track on that room's line: it is shown to them, or in a playlist of theirs."""
    if track.is_listed:
        return True
    held = Holding.select().where(Holding.track == track, _is_near(room_id, user_id))
    kept = (
        PlaylistEntry.select()
        .join(Playlist)
        .where(PlaylistEntry.track == track, PlaylistEntry.removed_at.is_null(), Playlist.user == user_id)
    )
    return bool(held.exists() or kept.exists())


def hold(track: Track, room_id: int | None, user_id: int, now: int) -> None:
    """Remember who brought a track that is not listed, and where to; again changes nothing.

    An uploaded file stays its owner's: somebody else who puts it on does not come to hold it.
    """
    is_anothers = track.provider == "upload" and not _is_held_by(track, user_id)
    if not track.is_listed and not is_anothers:
        Holding.insert(track=track, room=room_id, user=user_id, added_at=now).on_conflict_ignore().execute()


def bring(track: Track, room_id: int | None, user_id: int, now: int) -> None:
    """From now on the person holds a file: theirs arrived, or its bringer gave up what they keep."""
    Holding.insert(track=track, room=room_id, user=user_id, added_at=now).on_conflict_ignore().execute()


def _is_near(room_id: int | None, user_id: int | None) -> Any:
    # Compared with nothing, a column would find what others hold in no room at all.
    return (Holding.room == (room_id or 0)) | (Holding.user == (user_id or 0))


def _is_held_by(track: Track, user_id: int) -> bool:
    return bool(Holding.select().where(Holding.track == track, Holding.user == user_id).exists())
