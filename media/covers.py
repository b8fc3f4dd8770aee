"""Cover art: the hue a cover lends the room, and flat geometric art for tracks that come without a cover.

Plain values in and out; pictures are read and written by Pillow, so call this off the web's own thread.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from media.designs import DESIGNS, PALETTES, Canvas

SIZE = 640
MOST_PIXELS = 50_000_000

_STEP = 15
_LEAN = 3.5  # a hue just short of red still reads as pink, and a pink room suits it better than a red one
_GREY = 0.03  # OKLCH chroma below which the eye sees no hue


def draw_cover(seed: str, path: Path, look: str = "") -> None:
    """Writes a square WebP that is the same for the same seed. `look` asks for "design-palette" by name."""
    chance = np.random.default_rng(zlib.crc32(seed.encode()))
    design, palette = str(chance.choice(list(DESIGNS))), str(chance.choice(list(PALETTES)))
    if look:
        design, palette = look.split("-")
    canvas = Canvas(SIZE, PALETTES[palette], chance)
    DESIGNS[design](canvas)
    unfinished = path.with_name(f".{path.name}.part")
    canvas.image().save(unfinished, "WEBP", lossless=True, method=3, quality=50)
    os.replace(unfinished, path)


def hue_of(path: Path) -> str:
    """The cover's dominant OKLCH hue in steps of 15 degrees, "0" to "345"; "none" for greys or no picture."""
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return "none"
            picture.draft("RGB", (160, 160))
            small = picture.convert("RGB").resize((80, 80), Image.Resampling.BOX)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return "none"
    chroma, hue = _chroma_and_hue(np.asarray(small, np.float64).reshape(-1, 3) / 255)
    weight = np.where(chroma > _GREY, np.minimum(chroma, 0.1) ** 2, 0.0)
    if np.count_nonzero(weight) < 0.04 * len(weight):
        return "none"
    return str(int((_peak(hue, weight) + _LEAN) // _STEP) * _STEP % 360)


def _chroma_and_hue(colors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """sRGB to OKLCH by the matrices of Björn Ottosson, "A perceptual color space for image processing"."""
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    to_cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    to_ab = np.array(
        [[1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]
    )
    a, b = to_ab @ np.cbrt(to_cones @ linear.T)
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


def _peak(hue: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The middle of the 50 degrees that hold the most colour."""
    counts = np.bincount((hue // 5).astype(int) % 72, weight, 72)
    spread = sum(np.roll(counts, shift) * (1 - abs(shift) / 6) for shift in range(-5, 6))
    centre = float(np.argmax(spread)) * 5 + 2.5
    offset = (hue - centre + 180) % 360 - 180
    near = np.abs(offset) <= 25
    return (centre + float(np.average(offset[near], weights=weight[near]))) % 360
