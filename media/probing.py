"""What is in an uploaded file: its kind, length, tags and picture, read in a process of its own with bounds.

`probe` starts this very module as a program; readers of tags are made for files of friends, so whatever one of
strangers makes of them (loops, gigabytes) ends with that process.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tinytag import TinyTag, TinyTagException

from media import boxes, filetypes, matroska, tools
from media.charsets import read_again
from media.filetypes import KINDS, Damaged, Kind

READ_SECONDS, ASK_SECONDS = 6.0, 3.0
LONGEST_SECONDS = 86_400.0
LEAST_BYTES_PER_SECOND = 12.0
"""Less than a hundred bits a second is no sound: the length is a lie."""
LONGEST_TEXT = 2_000
MOST_PICTURE_BYTES = 24_000_000
TEXTS = ("title", "artist", "album", "genre")
NOT_KNOWN = "That is not a sound or a video we know."
DAMAGED = "That file is damaged."
TOO_LONG = "That is longer than a day. A shorter one fits."


class NotPlayable(Exception):
    """A file that is not taken; `sentence` says why to the person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Probed:
    """What a file says of itself, as it says it. `duration_ms` 0 is not known."""

    kind: Kind
    duration_ms: int
    title: str
    artist: str
    album: str
    genre: str
    picture: bytes | None


def probe(path: Path) -> Probed:
    """Look into a file. Raises NotPlayable."""
    with tempfile.TemporaryDirectory(prefix="partyline-probe-") as folder:
        picture = Path(folder) / "picture"
        words = [sys.executable, "-m", "media.probing", str(path.resolve()), str(picture)]
        try:
            facts = json.loads(tools.run(words, seconds=READ_SECONDS).out)
        except (tools.Failed, ValueError) as error:
            raise NotPlayable(DAMAGED) from error
        if "refusal" in facts:
            raise NotPlayable(facts["refusal"])
        found = picture.read_bytes() if picture.exists() else None
    kind = KINDS[facts["kind"]]
    seconds = facts["seconds"] or _asked(path, kind)
    if seconds > LONGEST_SECONDS:
        raise NotPlayable(TOO_LONG)
    texts = {name: str(facts[name]) for name in TEXTS}
    return Probed(kind, round(seconds * 1000), **texts, picture=found)


def _asked(path: Path, kind: Kind) -> float:
    """The length by ffprobe, where it is installed; 0 where nobody knows."""
    if not tools.has_ffmpeg():
        return 0.0
    words = ["-show_entries", "format=duration", "-of", "json"]
    try:
        said = json.loads(tools.ffprobe(path, kind.demuxer, words, seconds=ASK_SECONDS))
        return _sane(float(said["format"]["duration"]))
    except (tools.Failed, ValueError, KeyError, TypeError):
        return 0.0


def main(path: Path, picture: Path) -> dict[str, Any]:
    """What `probe` reads from the process: the number of the kind, seconds and texts, or why it is refused."""
    with path.open("rb") as file:
        try:
            kind = filetypes.kind_of(file)
            if kind is None:
                return {"refusal": NOT_KNOWN}
            return _facts(file, kind, picture)
        except (Damaged, TinyTagException, MemoryError, RecursionError, OSError):
            return {"refusal": DAMAGED}


def _facts(file: BinaryIO, kind: Kind, picture: Path) -> dict[str, Any]:
    size = _size_of(file)
    # tinytag reads no WebM; there is nothing in one that it would need.
    tag = TinyTag() if kind.name == "webm" else _tag(file)
    seconds = _sane(_seconds(file, size, kind, tag))
    if not seconds and kind.name not in ("webm", "mp4", "m4a"):
        raise Damaged
    if seconds and size / seconds < LEAST_BYTES_PER_SECOND:
        raise Damaged
    image = tag.images.front_cover or tag.images.any
    if image is not None and 0 < len(image.data) <= MOST_PICTURE_BYTES:
        picture.write_bytes(image.data)
    texts = read_again({name: (getattr(tag, name) or "")[:LONGEST_TEXT] for name in TEXTS})
    return {"kind": KINDS.index(kind), "seconds": seconds, **texts}


def _size_of(file: BinaryIO) -> int:
    """How many bytes an open file has."""
    return file.seek(0, 2)


def _tag(file: BinaryIO) -> TinyTag:
    file.seek(0)
    return TinyTag.get(file_obj=file, image=True)


def _seconds(file: BinaryIO, size: int, kind: Kind, tag: TinyTag) -> float:
    if kind.name == "wav":
        return filetypes.wav_duration(file, size) or 0.0
    if kind.name == "webm":
        return matroska.read(file, size).seconds
    if kind.demuxer == "mov":
        return boxes.read(file, size).seconds
    return tag.duration or 0.0


def _sane(seconds: float) -> float:
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
