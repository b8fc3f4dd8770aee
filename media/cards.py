"""The picture other places show beside a link to a room: its name, what is on, how many listen.

Plain values in, a PNG out. Drawing takes a good part of a second, so where a hub serves everybody `run` is a thread.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
MARGIN, COVER = 72, 430
MOST_PIXELS = 50_000_000
FONTS = Path(__file__).parents[1] / "static/fonts"

# What the two files hold, as static/css/tokens.css says it.
_LATIN = (
    (0x20, 0xFF), (0x131, 0x131), (0x152, 0x153), (0x2BB, 0x2BC), (0x2C6, 0x2C6), (0x2DA, 0x2DA), (0x2DC, 0x2DC),
    (0x2010, 0x2027), (0x2030, 0x205E), (0x20AC, 0x20AC), (0x2122, 0x2122),
)  # fmt: skip
_EXTENDED = ((0x100, 0x2BA), (0x2BD, 0x2C5), (0x1E00, 0x1E9F), (0x1EF2, 0x1EFF), (0x20A0, 0x20C0))

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be said, and the cover's file and hue in degrees as text, or "none"."""

    room: str
    host: str
    title: str
    artist: str
    people: int
    hue: str
    cover: Path | None


def run_here(act: Callable[[], Any]) -> Any:
    """Draw in the thread that asks."""
    return act()


run: Callable[[Callable[[], Any]], Any] = run_here
"""Where drawing runs. A process that serves by gevent puts its hub's thread pool here (app.start)."""


def draw(words: Words) -> bytes:
    """The picture as PNG, 1200 by 630."""
    return bytes(run(lambda: _draw(words)))


def _draw(words: Words) -> bytes:
    stage, ink, soft = _colors(words.hue)
    picture = Image.new("RGB", (WIDTH, HEIGHT), stage)
    pen = ImageDraw.Draw(picture)
    left = MARGIN
    cover = _cover(words.cover)
    if cover is not None:
        picture.paste(cover, (MARGIN, (HEIGHT - COVER) // 2))
        left += COVER + 56
    room, title = _Type(68, 850, 116), _Type(40, 720, 100)
    width = WIDTH - MARGIN - left
    lines = room.wrapped(words.room, width, 3) or room.wrapped("A room on Partyline", width, 3)
    y = float((HEIGHT - COVER) // 2 - 8)
    for line in lines:
        room.put(pen, left, y, line, ink)
        y += 74
    y += 18
    for line in title.wrapped(words.title, width, 4 - len(lines)):
        title.put(pen, left, y, line, ink)
        y += 48
    small = _Type(34, 500, 97)
    for line in small.wrapped(words.artist, width, 1):
        small.put(pen, left, y + 4, line, soft)
    listening = f"{words.people} listening" if words.people else "The line is open"
    small.put(pen, left, (HEIGHT + COVER) // 2 - 44, listening, ink)
    brand = _Type(30, 800, 122)
    brand.put(pen, WIDTH - MARGIN - brand.length("Partyline"), HEIGHT - 66, "Partyline", ink)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _cover(path: Path | None) -> Image.Image | None:
    if path is None:
        return None
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            side = min(picture.size)
            left, top = (picture.width - side) // 2, (picture.height - side) // 2
            square = picture.convert("RGB").crop((left, top, left + side, top + side))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return square.resize((COVER, COVER), Image.Resampling.LANCZOS)


class _Type:
    """The house's face at one size, weight and width; signs of other scripts are passed over."""

    def __init__(self, size: int, weight: int, width: int) -> None:
        self._fonts = []
        for name in ("archivo-latin", "archivo-latin-ext"):
            font = ImageFont.truetype(FONTS / f"{name}.woff2", size)
            font.set_variation_by_axes([weight, width])
            self._fonts.append(font)

    def wrapped(self, text: str, width: float, most: int) -> list[str]:
        """The text on so many lines at most; what does not fit ends in an ellipsis."""
        words, lines = _drawable(text).split(" "), [""]
        for at, word in enumerate(words):
            longer = f"{lines[-1]} {word}".strip()
            if self.length(longer) <= width or not lines[-1]:
                lines[-1] = longer
            elif len(lines) < most:
                lines.append(word)
            else:
                lines[-1] += f" {' '.join(words[at:])}"
                break
        return [self._cut(line, width) for line in lines[:most] if line]

    def length(self, text: str) -> float:
        """How wide the text is."""
        return float(sum(font.getlength(part) for font, part in self._runs(text)))

    def put(self, pen: ImageDraw.ImageDraw, x: float, y: float, text: str, color: Color) -> None:
        """Write it."""
        for font, part in self._runs(text):
            pen.text((x, y), part, font=font, fill=color)
            x += font.getlength(part)

    def _cut(self, text: str, width: float) -> str:
        if self.length(text) <= width:
            return text
        while text and self.length(f"{text}…") > width:
            text = text[:-1].rstrip()
        return f"{text}…"

    def _runs(self, text: str) -> list[tuple[ImageFont.FreeTypeFont, str]]:
        runs: list[tuple[ImageFont.FreeTypeFont, str]] = []
        for sign in text:
            font = self._fonts[0 if _is_in(sign, _LATIN) else 1]
            if runs and runs[-1][0] is font:
                runs[-1] = (font, runs[-1][1] + sign)
            else:
                runs.append((font, sign))
        return runs


def _drawable(text: str) -> str:
    """What the face can show of a text; nothing when no letter or digit is left."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(sign for sign in composed if _is_in(sign, _LATIN) or _is_in(sign, _EXTENDED))
    return " ".join(kept.split()) if any(sign.isalnum() for sign in kept) else ""


def _is_in(sign: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(sign) <= last for first, last in ranges)


def _colors(hue: str) -> tuple[Color, Color, Color]:
    """Stage, ink and soft ink, as static/css/tokens.css makes them by day."""
    if not hue.isdigit():
        return _oklch(0.865, 0, 0), _oklch(0.21, 0, 0), _oklch(0.34, 0, 0)
    degrees = float(hue)
    return _oklch(0.865, 0.11, degrees), _oklch(0.21, 0.05, degrees), _oklch(0.34, 0.07, degrees)


def _oklch(light: float, chroma: float, degrees: float) -> Color:
    """OKLCH to sRGB by the matrices of Björn Ottosson, "A perceptual color space for image processing"."""
    a, b = chroma * math.cos(math.radians(degrees)), chroma * math.sin(math.radians(degrees))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return _byte(red), _byte(green), _byte(blue)


def _byte(linear: float) -> int:
    part = min(1.0, max(0.0, linear))
    return round(255 * (12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055))
