"""What files do to a room: nothing while they are on their way, a row in line once they are checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Upload
from party import configuring, uploads

Step = Callable[[Any], object]
BYTES = 10


def bring(s: Any) -> None:
    """Cleo's file is here whole and waits to be checked."""
    token = uploads.begin(s.cast.cleo, s.code, "song.mp3", BYTES)
    uploads.receive(s.cast.cleo, token, 0, BYTES)


def finish(s: Any) -> None:
    """It is music."""
    _looked_at(Upload.get())


def _looked_at(row: Upload) -> None:
    uploads.finish(
        row.id,
        sha256="ab" * 32,
        mime="audio/mpeg",
        is_video=False,
        title="Night Bus",
        artist="Plum",
        album="",
        genre="dub",
        duration_ms=61_000,
        media_file="uploads/a.mp3",
        cover_file="covers/a.webp",
        hue="30",
        size_bytes=BYTES,
    )


def bring_for_approval(s: Any) -> None:
    configuring.change_settings(s.cast.ada, s.code, {"add": "approval"})
    bring(s)


def bring_two(s: Any) -> None:
    """Cleo's second file was looked at and waits for the first."""
    s.first = uploads.begin(s.cast.cleo, s.code, "before.mp3", BYTES)
    bring(s)
    _looked_at(Upload.get(Upload.state == "checking"))


def refuse_first(s: Any) -> None:
    uploads.receive(s.cast.cleo, s.first, 0, BYTES)
    uploads.refuse(Upload.get(Upload.token == s.first).id, "There is no music in that file.")


def leave_first(s: Any) -> None:
    """Nothing of the first came for long."""
    Upload.update(touched_at=0).where(Upload.token == s.first).execute()
    uploads.check_again()


COMMANDS: dict[str, tuple[Step, Step]] = {
    "uploads.finish": (bring, finish),
    "uploads.finish that suggests": (bring_for_approval, finish),
    "uploads.finish in a quiet room": (lambda s: [bring(s), s.fall_quiet()], finish),
    "uploads.cancel that lets the next go on": (bring_two, lambda s: uploads.cancel(s.cast.cleo, s.first)),
    "uploads.refuse that lets the next go on": (bring_two, refuse_first),
    "uploads.check_again that lets the next pass": (bring_two, leave_first),
}
