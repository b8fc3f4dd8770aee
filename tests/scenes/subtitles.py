"""What changes the words of the video that plays, and what becomes known of a track after it was put on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Item, Playback, Subtitle, Track
from party import measuring, subtitles

Step = Callable[[Any], object]


def _film(s: Any) -> None:
    """What plays is a video that Ada brought."""
    Track.update(is_video=True, is_listed=False, provider="upload").where(Track.id == _track(s)).execute()


def _item(s: Any) -> int:
    return int(Playback.get(Playback.room == s.cast.room()).item_id)


def _track(s: Any) -> int:
    return int(Item.get_by_id(_item(s)).track_id)


def _add(s: Any) -> int:
    return subtitles.add_subtitles(s.cast.ada, s.code, _item(s), "English", "en", "subtitles/a.vtt")


def _worded(s: Any) -> None:
    _film(s)
    _add(s)


def _remove(s: Any) -> None:
    subtitles.remove_subtitles(s.cast.ada, s.code, _item(s), Subtitle.get().id)


COMMANDS: dict[str, tuple[Step, Step]] = {
    "add_subtitles": (_film, _add),
    "remove_subtitles": (_worded, _remove),
    "measured while it plays": (_film, lambda s: measuring.measured(_track(s), -9.0, "z" * 120)),
    "measured while it waits": (
        lambda s: None,
        lambda s: measuring.measured(Item.get_by_id(s.items[-1]).track_id, -9.0, "z" * 120),
    ),
}
