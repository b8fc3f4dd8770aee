"""Length and tags from the first part of a file elsewhere, read in a process of its own with bounds.

`read` starts this very module as a program, as media.probing does: whatever a reader of tags makes of a stranger's
bytes ends with that process. The rest of the file is never there; only how long it is said to be.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import tempfile
from dataclasses import dataclass

from tinytag import TinyTag, TinyTagException

from media import tools
from media.pasted import plain

SECONDS = 4.0
LONGEST_SECONDS = 86_400.0
MOST_BYTES = 1 << 40
TEXTS = ("title", "artist", "album", "genre")
# Formats whose length is written down in front, or follows from the size of the whole.
_KNOWS_LENGTH = ("audio/mpeg", "audio/flac", "audio/wav", "audio/mp4", "video/mp4")


@dataclass(frozen=True, slots=True)
class Tags:
    """What the beginning of a file says of the whole; empty and None where it does not."""

    title: str = ""
    artist: str = ""
    album: str = ""
    genre: str = ""
    duration_ms: int | None = None


def read(head: bytes, size: int | None, mime: str) -> Tags:
    """Tags of a file of which only `head` is here and which is `size` bytes long."""
    if mime.endswith("webm"):
        return Tags()
    whole = min(size or len(head), MOST_BYTES)
    with tempfile.NamedTemporaryFile(prefix="partyline-link-") as file:
        file.write(head)
        file.flush()
        try:
            words = [sys.executable, "-m", "media.link_tags", file.name, str(whole)]
            known = json.loads(tools.run(words, seconds=SECONDS).out)
        except (tools.Failed, ValueError):
            return Tags()
    texts = {name: plain(known.get(name)) for name in TEXTS}
    is_sure = size is not None and (mime in _KNOWS_LENGTH or len(head) >= size)
    return Tags(**texts, duration_ms=_milliseconds(known.get("seconds")) if is_sure else None)


def _milliseconds(seconds: object) -> int | None:
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    return round(seconds * 1000) if 0 < seconds <= LONGEST_SECONDS else None


class _Beginning(io.FileIO):
    """A file that says it is longer than what there is of it."""

    def __init__(self, path: str, size: int) -> None:
        super().__init__(path)
        self._size = size

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END:
            return super().seek(self._size + offset)
        return super().seek(offset, whence)


def main(path: str, size: int) -> dict[str, object]:
    """What `read` gets from the process."""
    with io.BufferedReader(_Beginning(path, size)) as file:
        try:
            tag = TinyTag.get(file_obj=file)
        except (TinyTagException, MemoryError, RecursionError, OSError):
            return {}
    texts = {name: (getattr(tag, name) or "")[:2_000] for name in TEXTS}
    return {"seconds": tag.duration, **texts}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
