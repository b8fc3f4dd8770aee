"""A small library of original music, composed and played here, so that a fresh house has something to put on.

`PIECES` is what there is; `render` writes one piece as an MP3 with tags and its cover, the same bytes every
time. Of the rest of the house it needs nothing but the painter of covers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from demo.catalogue import PIECES
from demo.genres import COMPOSERS
from demo.id3 import tag
from demo.mp3 import encoded
from demo.piece import Piece
from media.covers import draw_cover

__all__ = ["PIECES", "Piece", "Rendered", "render"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of it."""

    duration_ms: int


def render(piece: Piece, audio_path: Path, cover_path: Path) -> Rendered:
    """Writes the piece's MP3 and its cover (WebP); each appears whole or not at all."""
    stereo = COMPOSERS[piece.genre](piece)
    texts = {"title": piece.title, "artist": piece.artist, "album": piece.album, "genre": piece.genre}
    unfinished = audio_path.with_name(f".{audio_path.name}.part")
    frames, duration_ms = encoded(stereo)
    unfinished.write_bytes(tag(texts) + frames)
    os.replace(unfinished, audio_path)
    draw_cover(piece.slug, cover_path, piece.cover)
    return Rendered(duration_ms=duration_ms)
