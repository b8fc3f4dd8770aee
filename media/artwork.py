"""Covers as they are kept: any picture that came with a track, or none, becomes three square WebP files of our own.

Only pixels survive: what else a picture held (places, names, scripts, further frames) is left behind. Decoding takes
its time, so call this off the web's own thread.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageOps

SIZES = (640, 320, 96)
MOST_BYTES = 24_000_000
MOST_PIXELS = 36_000_000
"""Larger pictures cost more memory than a cover is worth: 36 million pixels are 144 MB while they are decoded."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

# What Pillow's readers raise for bytes that are not what they claim to be.
_BROKEN = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, MemoryError, EOFError,
    NotImplementedError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


class Store(Protocol):
    """Where files are kept, as far as covers are concerned (media/storage.py)."""

    def put(self, path: Path, name: str) -> object: ...


@dataclass(frozen=True, slots=True)
class Cover:
    """The largest of a cover's files, and the hue it lends the room."""

    file: str
    hue: str


def keep_cover(picture: bytes | None, seed: str, key: str, store: Store) -> Cover:
    """Keep a track's picture in three sizes as covers/<key>-<size>.webp; without a good one, art is drawn by `seed`."""
    # The web process loads this module too, to hand work over; the numbers of drawing are the worker's alone.
    from media.covers import draw_cover

    with tempfile.TemporaryDirectory(prefix="partyline-cover-") as folder:
        square = read_square(picture) if picture else None
        if square is None:
            drawn = Path(folder) / "drawn.webp"
            draw_cover(seed, drawn)
            square = read_square(drawn.read_bytes())
            assert square is not None
        return _keep(square, Path(folder), key, store)


def read_square(picture: bytes, most_pixels: int | None = None) -> Image.Image | None:
    """The middle square of a picture's first frame, at most 640 pixels wide; None for what is no good picture."""
    most_pixels = most_pixels or MOST_PIXELS
    if len(picture) > MOST_BYTES or _webp_pixels(picture) > most_pixels:
        return None
    try:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as found:
            if not 0 < found.width * found.height <= most_pixels:
                return None
            found.draft("RGB", (SIZES[0] * 2, SIZES[0] * 2))
            return _square(found)
    except _BROKEN:
        return None


def _square(found: Image.Image) -> Image.Image:
    side = min(found.size)
    left, top = (found.width - side) // 2, (found.height - side) // 2
    # Cut and made small before anything else, so that further copies are small.
    small = found.crop((left, top, left + side, top + side))
    if small.mode in ("1", "P", "PA"):
        # Colours by number cannot be mixed, and what is made small is mixed.
        small = small.convert("RGBA")
    small.thumbnail((SIZES[0], SIZES[0]))
    # A camera's turn is in the metadata that goes.
    small.info["exif"] = found.info.get("exif", b"")
    turned = ImageOps.exif_transpose(small).convert("RGBA")
    plain = Image.new("RGB", turned.size, "white")
    plain.paste(turned, mask=turned.getchannel("A"))
    return plain


def _keep(square: Image.Image, folder: Path, key: str, store: Store) -> Cover:
    from media.covers import hue_of

    largest = folder / f"{SIZES[0]}.webp"
    for size in SIZES:
        path = folder / f"{size}.webp"
        # A small one is not blown up: browsers do that as well.
        width = min(size, square.width)
        square.resize((width, width), Image.Resampling.LANCZOS).save(path, "WEBP", quality=82, method=4)
    hue = hue_of(largest)
    for size in SIZES:
        store.put(folder / f"{size}.webp", f"covers/{key}-{size}.webp")
    return Cover(f"covers/{key}-{SIZES[0]}.webp", hue)


def _webp_pixels(data: bytes) -> int:
    """How large a WebP claims to be: its decoder takes that memory as soon as it opens one (RFC 9649, section 2)."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or data[12:16] != b"VP8X" or len(data) < 30:
        return 0
    width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    return width * height
