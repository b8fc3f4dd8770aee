"""`python -m demo FOLDER PART OF [SLUG …]` renders every OF-th missing piece from PART on, a line about each.

A program of its own, so that whoever asks for it stays small and free while the music is made.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from demo import PIECES, render
from media.covers import hue_of


def main(folder: Path, part: int, of: int, known: frozenset[str]) -> None:
    """Write `audio/` and `covers/` below the folder; one JSON object a line on standard output."""
    os.nice(10)
    missing = [piece for piece in PIECES if piece.slug not in known]
    print(json.dumps({"total": len(PIECES), "missing": len(missing)}), flush=True)
    for piece in missing[part::of]:
        audio, cover = f"audio/demo-{piece.slug}.mp3", f"covers/demo-{piece.slug}.webp"
        rendered = render(piece, folder / audio, folder / cover)
        facts = {
            "slug": piece.slug,
            "title": piece.title,
            "artist": piece.artist,
            "album": piece.album,
            "genre": piece.genre,
            "duration_ms": rendered.duration_ms,
            "media_file": audio,
            "cover_file": cover,
            "hue": hue_of(folder / cover),
        }
        print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), frozenset(sys.argv[4:]))
