"""What becomes of a line when the file of something on it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Holding, Track
from party import files, queue, shelf

Step = Callable[[Any], object]


def brought(s: Any) -> int:
    """A film of Cleo's, put on the line by her."""
    track = Track.create(
        slug="upload-a", title="Film", artist="", search="film", added_at=1, duration_ms=100_000,
        media_file="uploads/a.mp4", cover_file="", provider="upload", mime="video/mp4",
    )  # fmt: skip
    shelf.bring(track, s.cast.room().id, s.cast.cleo.user_id, 1)
    return int(queue.add_item(s.cast.cleo, s.code, track.id))


def playing(s: Any) -> None:
    s.fall_quiet()
    brought(s)
    s.cast.add(1)


def give_up(s: Any) -> None:
    Holding.delete().execute()
    files.give_up_orphans()


COMMANDS: dict[str, tuple[Step, Step]] = {
    "give_up what waits": (brought, give_up),
    "give_up what plays": (playing, give_up),
}
