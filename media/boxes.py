"""The boxes of an MP4 (ISO/IEC 14496-12): what tracks it has and how long they play, and no more than that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_TOP, MOST_INNER = 20_000, 2_000
BRANDS = frozenset(
    b"isom iso2 iso3 iso4 iso5 iso6 mp41 mp42 avc1 dash M4A  M4B  M4V  MSNV f4v  mp71 hlsf cmfc cmfs".replace(
        b"  ", b"_ "
    ).split()
)


class Broken(Exception):
    """The boxes do not fit into one another, or what plays is not there."""


@dataclass(frozen=True, slots=True)
class Movie:
    """What a file plays; `seconds` 0 where it does not say."""

    is_known_brand: bool
    has_video: bool
    has_sound: bool
    seconds: float


def read(file: BinaryIO, size: int) -> Movie:
    """Read an open MP4. Raises Broken."""
    is_known = has_moov = has_data = False
    handlers: set[bytes] = set()
    seconds = 0.0
    for name, start, end in _children(file, 0, size, MOST_TOP):
        if name == b"ftyp":
            file.seek(start)
            brands = file.read(min(end - start, 512))
            named = {brands[at : at + 4].replace(b" ", b"_") for at in (0, *range(8, len(brands), 4))}
            is_known = bool(named & BRANDS)
        elif name == b"moov":
            has_moov = True
            seconds = _movie(file, start, end, handlers)
        elif name in (b"mdat", b"moof"):
            has_data = True
    if not (has_moov and has_data):
        raise Broken
    return Movie(is_known, b"vide" in handlers, b"soun" in handlers, seconds)


def _movie(file: BinaryIO, start: int, end: int, handlers: set[bytes]) -> float:
    scale = length = 0
    for name, inner, inner_end in _children(file, start, end, MOST_INNER):
        if name == b"mvhd":
            scale, length = _header(file, inner)
        elif name == b"mvex":
            # In a file made of fragments the movie itself has no length.
            length = length or sum(_fragments(file, inner, inner_end))
        elif name == b"trak":
            for part, at, until in _children(file, inner, inner_end, MOST_INNER):
                if part == b"mdia":
                    handlers |= set(_handlers(file, at, until))
    return length / scale if scale else 0.0


def _fragments(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    for name, at, _ in _children(file, start, end, MOST_INNER):
        if name == b"mehd":
            file.seek(at)
            header = file.read(12)
            yield int.from_bytes(header[4:12] if header[:1] == b"\1" else header[4:8], "big")


def _handlers(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    for name, at, _ in _children(file, start, end, MOST_INNER):
        if name == b"hdlr":
            file.seek(at + 8)
            yield file.read(4)


def _header(file: BinaryIO, start: int) -> tuple[int, int]:
    """The movie's units in a second, and its length in them; 0 where it does not say."""
    file.seek(start)
    header = file.read(32)
    if len(header) < 32:
        raise Broken
    is_long = header[0] == 1
    scale = int.from_bytes(header[20:24] if is_long else header[12:16], "big")
    length = int.from_bytes(header[24:32] if is_long else header[16:20], "big")
    return scale, 0 if length in (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) else length


def _children(file: BinaryIO, start: int, end: int, most: int) -> Iterator[tuple[bytes, int, int]]:
    """The boxes between two places: name, where its content starts and ends. Each is at least a header long."""
    at = start
    for _ in range(most):
        if at + 8 > end:
            return
        file.seek(at)
        header = file.read(16)
        length, name, begins = int.from_bytes(header[:4], "big"), header[4:8], at + 8
        if length == 1:
            length, begins = int.from_bytes(header[8:16], "big"), at + 16
        elif length == 0:
            length = end - at
        if len(header) < 8 or length < begins - at or at + length > end:
            raise Broken
        yield name, begins, at + length
        at += length
    raise Broken
