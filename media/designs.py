"""The generated covers' palettes and compositions: a few flat shapes, four colours, a square of 64 units."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

# Ground, main shape, accent, and the colour of small things.
PALETTES: dict[str, tuple[str, str, str, str]] = {
    "pink": ("#f7a6c6", "#d1225f", "#fff0d6", "#3b0a33"),
    "coral": ("#ffd9d0", "#e5484d", "#ffb224", "#2b1a3d"),
    "sea": ("#0b3c49", "#16b1b9", "#f4f1de", "#f25f5c"),
    "sun": ("#ffd23f", "#ee4266", "#3bceac", "#0e1c36"),
    "lilac": ("#e6d4ff", "#7a3ff2", "#ff6f91", "#1e0b3c"),
    "rose": ("#5b1038", "#ff8fb3", "#fff2ee", "#ffd36b"),
    "night": ("#14122b", "#514ed9", "#f4d58d", "#ef6f6c"),
    "iris": ("#2c1a64", "#8c6bff", "#ffcf56", "#ff86a8"),
    "teal": ("#cdf2ec", "#0d7a76", "#f76c5e", "#0c2f36"),
    "moss": ("#e4efc4", "#4b7f2f", "#f2a541", "#17301c"),
    "mono": ("#e9e9e7", "#1c1c1c", "#ffffff", "#8b8b88"),
    "sky": ("#bfe3ff", "#2667ff", "#fff7e6", "#ff7a59"),
    "sand": ("#f0e3c8", "#b5532a", "#e8a838", "#26473f"),
    "brick": ("#a8321e", "#ffb38a", "#fff3dc", "#2a0f0a"),
    "ochre": ("#e0a526", "#3a2a12", "#f6efe0", "#c84630"),
    "mint": ("#7ae2b7", "#0f3d3e", "#f5f5e6", "#ff9770"),
    "lime": ("#d6ee5a", "#2f5d1d", "#fdf8e1", "#ff6b4a"),
    "plum": ("#6b1f6e", "#f29bd4", "#ffe3b3", "#2a0a2e"),
    "cobalt": ("#1b3fa8", "#8fc7ff", "#fff3e0", "#ffb02e"),
    "forest": ("#123b2a", "#4fbf7b", "#f6ecc9", "#f28c5b"),
}


class Canvas:
    """A square drawn three times too large and scaled down, so edges are smooth. Coordinates run to 64."""

    def __init__(self, size: int, palette: tuple[str, str, str, str], chance: np.random.Generator) -> None:
        self.ground, self.main, self.accent, self.detail = palette
        self.chance = chance
        self._size, self._unit = size, size * 3 / 64
        self._picture = Image.new("RGB", (size * 3, size * 3), self.ground)
        self._draw = ImageDraw.Draw(self._picture)

    def image(self) -> Image.Image:
        """The finished picture."""
        return self._picture.resize((self._size, self._size), Image.Resampling.BOX)

    def swap(self, odds: float = 0.35) -> None:
        """Now and then the accent takes the main part: two covers of one palette need not be alike."""
        if self.chance.random() < odds:
            self.main, self.accent = self.accent, self.main

    def coin(self) -> bool:
        """One of two."""
        return bool(self.chance.random() < 0.5)

    def rect(self, x: float, y: float, width: float, height: float, color: str) -> None:
        """A rectangle by corner and size."""
        if width > 0 and height > 0:
            u = self._unit
            self._draw.rectangle((x * u, y * u, (x + width) * u - 1, (y + height) * u - 1), fill=color)

    def circle(self, x: float, y: float, radius: float, color: str) -> None:
        """A disc by centre."""
        self.ellipse(x, y, radius, radius, color)

    def ellipse(self, x: float, y: float, across: float, down: float, color: str) -> None:
        """An upright ellipse by centre."""
        u = self._unit
        self._draw.ellipse(((x - across) * u, (y - down) * u, (x + across) * u, (y + down) * u), fill=color)

    def pie(self, x: float, y: float, radius: float, start: float, end: float, color: str) -> None:
        """A slice by centre, from `start` to `end` degrees clockwise from three o'clock."""
        u = self._unit
        box = ((x - radius) * u, (y - radius) * u, (x + radius) * u, (y + radius) * u)
        self._draw.pieslice(box, start, end, fill=color)

    def shape(self, points: list[tuple[float, float]], color: str) -> None:
        """A polygon."""
        self._draw.polygon([(x * self._unit, y * self._unit) for x, y in points], fill=color)

    def stroke(self, points: list[tuple[float, float]], width: float, color: str) -> None:
        """A thick line with round joints."""
        scaled = [(x * self._unit, y * self._unit) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * self._unit), joint="curve")

    def turn(self) -> None:
        """Turns and mirrors what is drawn so far, by chance."""
        moves = [None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
        for move in (
            moves[int(self.chance.integers(4))],
            Image.Transpose.FLIP_LEFT_RIGHT if self.coin() else None,
        ):
            if move is not None:
                self._picture = self._picture.transpose(move)
        self._draw = ImageDraw.Draw(self._picture)


def _arcs(c: Canvas) -> None:
    x = float(c.chance.choice([32, 32, 16, 48]))
    for radius, color in ((32, c.main), (24, c.accent), (16, c.detail), (8, c.ground)):
        c.circle(x, 64, radius, color)
    c.circle(48 if x <= 32 else 16, 16, 8, c.accent)


def _bauhaus(c: Canvas) -> None:
    c.swap()
    c.pie(32, 0, 32, 90, 180, c.main)
    c.pie(48, 32, 16, 180, 360, c.detail)
    c.pie(64, 32, 32, 90, 180, c.accent)
    c.circle(16, 48, 10, c.detail)
    c.rect(40, 6, 18, 10, c.accent)
    c.turn()


def _waves(c: Canvas) -> None:
    depth = float(c.chance.uniform(4.5, 6.5))
    shift = float(c.chance.uniform(0, 2 * math.pi))
    for row, color in enumerate((c.main, c.accent, c.detail, c.main)):
        points = [
            (x / 2, 12 + row * 14 + depth * math.sin(x / 48 * 2 * math.pi + shift)) for x in range(-16, 146)
        ]
        c.stroke(points, 5, color)
    if c.coin():
        c.turn()


def _eye(c: Canvas) -> None:
    lid = [(x, 32 - 16 * math.cos((x - 32) / 30 * math.pi / 2) ** 0.8) for x in np.linspace(2, 62, 90)]
    c.shape([*lid, *[(x, 64 - y) for x, y in reversed(lid)]], c.main)
    c.circle(32, 32, 13, c.accent)
    c.circle(32 + float(c.chance.choice([-4, 0, 0, 4])), 32, 5.5, c.detail)
    if c.chance.random() < 0.3:
        c.turn()


def _dots(c: Canvas) -> None:
    odd = int(c.chance.integers(3, 6))
    for row in range(5):
        for column in range(5):
            color = c.accent if (row * 5 + column) % odd == 0 else c.main
            c.circle(8 + column * 12, 8 + row * 12, 1.6 + 0.5 * (row + column), color)
    c.turn()


def _diag(c: Canvas) -> None:
    c.swap()
    c.shape([(0, 32), (32, 0), (48, 0), (0, 48)], c.main)
    c.shape([(0, 64), (64, 0), (64, 16), (16, 64)], c.main)
    c.shape([(32, 64), (64, 32), (64, 48), (48, 64)], c.detail)
    c.shape([(0, 0), (16, 0), (0, 16)], c.accent)
    c.turn()


def _hills(c: Canvas) -> None:
    x = float(c.chance.choice([19, 45]))
    c.circle(x, 19, 10, c.accent)
    shift = float(c.chance.uniform(0, 6))
    far = [(x, 42 - 7 * math.sin(x / 32 * math.pi + shift)) for x in np.linspace(0, 64, 90)]
    near = [(x, 54 - 5 * math.sin(x / 22 * math.pi + shift * 2)) for x in np.linspace(0, 64, 90)]
    c.shape([(0, 64), *far, (64, 64)], c.detail)
    c.shape([(0, 64), *near, (64, 64)], c.main)


def _moon(c: Canvas) -> None:
    side = 1 if c.coin() else -1
    c.circle(32, 32, 24, c.main)
    c.circle(32 + 10 * side, 26, 20, c.ground)
    c.rect(0, 52, 64, 4, c.accent)
    c.rect(0, 58, 64, 6, c.detail)


def _loop(c: Canvas) -> None:
    turn = [(28 + 15 * math.sin(t), 31 + 15 * math.cos(t)) for t in np.linspace(0, 1.5 * math.pi, 60)]
    c.stroke([(34, 46), (68, 46)], 7, c.accent)
    c.stroke([(-4, 46), (28, 46), *turn, (13, 70)], 7, c.main)
    c.circle(50, 16, 8, c.detail)
    c.turn()


def _petals(c: Canvas) -> None:
    c.swap(0.5)
    for y in (16, 48):
        c.ellipse(32, y, 9, 14, c.main)
    for x in (16, 48):
        c.ellipse(x, 32, 14, 9, c.accent)
    if c.coin():
        for x, y in ((10, 10), (54, 10), (10, 54), (54, 54)):
            c.circle(x, y, 4, c.detail)
    c.circle(32, 32, 7, c.detail)


def _blocks(c: Canvas) -> None:
    for x, y, width, height, color in (
        (6, 6, 22, 34, c.main),
        (32, 6, 26, 16, c.detail),
        (32, 26, 12, 32, c.accent),
        (48, 26, 10, 14, c.main),
        (6, 44, 22, 14, c.detail),
        (48, 44, 10, 14, c.detail),
    ):
        c.rect(x, y, width, height, color)
    c.turn()


def _stripes(c: Canvas) -> None:
    for x, width in ((0, 6), (12, 8), (26, 10), (44, 12)):
        c.rect(x, 0, width, 64, c.main)
    y = float(c.chance.choice([26, 38]))
    c.circle(38, y, 17, c.detail)
    c.pie(38, y, 17, -90, 90, c.accent)
    c.turn()


def _target(c: Canvas) -> None:
    for radius, color in ((30, c.main), (23, c.ground), (16, c.accent), (7, c.detail)):
        c.circle(40, 28, radius, color)
    c.rect(0, 54, 64, 10, c.main)
    c.turn()


def _quarters(c: Canvas) -> None:
    c.swap()
    c.pie(0, 0, 32, 0, 90, c.main)
    c.pie(64, 64, 32, 180, 270, c.main)
    c.pie(64, 0, 32, 90, 180, c.accent)
    c.pie(0, 64, 32, 270, 360, c.accent)
    c.circle(32, 32, 9, c.detail)
    c.turn()


def _stairs(c: Canvas) -> None:
    for step in range(4):
        c.rect(step * 16, 48 - step * 16, 64, 64, c.main)
    for step in range(3):
        c.rect(16 + step * 14, 52 - step * 12, 64 - 14 - step * 14, 64, c.detail)
    c.circle(16, 16, 9, c.accent)
    if c.coin():
        c.turn()


def _checks(c: Canvas) -> None:
    for row in range(4):
        for column in range(4):
            if (row + column) % 2 == 0:
                c.rect(column * 16, row * 16, 16, 16, c.main)
    c.circle(24, 40, 16, c.accent)
    c.circle(48, 24, 8, c.detail)
    c.turn()


DESIGNS: dict[str, Callable[[Canvas], None]] = {
    "arcs": _arcs,
    "bauhaus": _bauhaus,
    "waves": _waves,
    "eye": _eye,
    "dots": _dots,
    "diag": _diag,
    "hills": _hills,
    "moon": _moon,
    "loop": _loop,
    "petals": _petals,
    "blocks": _blocks,
    "stripes": _stripes,
    "target": _target,
    "quarters": _quarters,
    "stairs": _stairs,
    "checks": _checks,
}
