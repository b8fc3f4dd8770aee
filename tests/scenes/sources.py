"""What becomes of a line when somebody's own library goes, and when a cover of it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Source, Track
from party import queue, shelf, sources

Step = Callable[[Any], object]


def brought(s: Any) -> int:
    """A song of Cleo's own server, put on the line by her."""
    source = Source.create(
        user=s.cast.cleo.user_id, kind="subsonic", name="home", state="ready", created_at=1
    )
    track = Track.create(
        slug=f"subsonic-{source.id}-a", title="Night Bus", artist="", search="night bus", added_at=1,
        duration_ms=100_000, media_file="", cover_file="", provider="subsonic", reference="raw/a", mime="audio/mpeg",
        source=source,
    )  # fmt: skip
    shelf.bring(track, s.cast.room().id, s.cast.cleo.user_id, 1)
    return int(queue.add_item(s.cast.cleo, s.code, track.id))


def playing(s: Any) -> None:
    s.fall_quiet()
    brought(s)
    s.cast.add(1)


def disconnect(s: Any) -> None:
    sources.disconnect(s.cast.cleo, Source.get().id)


def cover(s: Any) -> None:
    sources.cover_found(Track.get(Track.provider == "subsonic").id, "covers/a-640.webp", "90")


COMMANDS: dict[str, tuple[Step, Step]] = {
    "disconnect what waits": (brought, disconnect),
    "disconnect what plays": (playing, disconnect),
    "cover_found": (brought, cover),
}
