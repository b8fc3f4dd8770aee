"""How loud tracks are and how their waveform looks: which are not measured yet, and taking in what was found."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from models import Item, Room, Track, rows
from party.change import CLOCK, change, write
from party.errors import Refusal


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A track's file, as it is named below the media folder."""

    track_id: int
    media_file: str
    duration_ms: int
    is_video: bool


def next_track() -> int | None:
    """A track with a file that nobody measured, those on a line first."""
    wanted = (Track.loudness_lufs.is_null(), Track.media_file != "", Track.state == "ready")
    on_line = Item.select(Item.track).where(Item.state.in_(("playing", "waiting")))
    for condition in ((*wanted, Track.id.in_(on_line)), wanted):
        found = rows(Track.select(Track.id).where(*condition).order_by(Track.id).limit(1))
        if found:
            return int(found[0][0])
    return None


def to_measure(track_id: int) -> Unmeasured | None:
    """What to look at; None when it is measured, or gone."""
    track = Track.get_or_none(Track.id == track_id, Track.loudness_lufs.is_null(), Track.media_file != "")
    if track is None:
        return None
    return Unmeasured(track.id, track.media_file, track.duration_ms, bool(track.is_video))


def file_of_upload(sha256: str) -> tuple[int, str] | None:
    """The track made of these very bytes, and its file's name."""
    track = Track.get_or_none(Track.sha256 == sha256)
    return (int(track.id), str(track.media_file)) if track else None


def measured(
    track_id: int, loudness_lufs: float, peaks: str, opus_file: str = "", opus_gain_db: float = 0.0
) -> bool:
    """Take in how loud a track is, how it looks, and its rendition, and say so on the lines that have it.

    False when it was measured before or its file is gone: then nothing changes.
    """
    values = {"loudness_lufs": loudness_lufs, "peaks": peaks} | (
        {"opus_file": opus_file, "opus_gain_db": opus_gain_db} if opus_file else {}
    )
    with write():
        # The file may have been given up while it was listened to.
        is_wanted = (Track.id == track_id, Track.loudness_lufs.is_null(), Track.media_file != "")
        if not Track.update(**values).where(*is_wanted).execute():
            return False
    for code, item_id in _places(track_id):
        # A room that ended meanwhile needs to know nothing.
        with suppress(Refusal), change(CLOCK, code, may="describe_item") as c:
            c.log("item_described", item_id=item_id)
    return True


def _places(track_id: int) -> list[tuple[str, int]]:
    on_line = Item.select(Room.code, Item.id).join(Room).where(
        Item.track == track_id, Item.state.in_(("playing", "waiting")), Room.state != "EXPIRED"
    )  # fmt: skip
    return rows(on_line.order_by(Room.id, Item.id))
