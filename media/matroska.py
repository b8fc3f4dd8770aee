"""The elements of a WebM (RFC 8794, RFC 9559): what tracks it has and how long they play, and no more than that."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

MOST = 50_000
_EBML, _DOCTYPE, _SEGMENT, _INFO, _TRACKS, _CLUSTER = (
    0x1A45DFA3, 0x4282, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675,
)  # fmt: skip
_SCALE, _DURATION, _ENTRY, _TYPE, _TIMESTAMP = 0x2AD7B1, 0x4489, 0xAE, 0x83, 0xE7
_VIDEO, _SOUND = 1, 2


class Broken(Exception):
    """The elements do not fit into one another, or what plays is not there."""


@dataclass(slots=True)
class Film:
    """What a file plays; `seconds` 0 where it does not say."""

    doctype: str = ""
    scale: int = 1_000_000
    seconds: float = 0.0
    types: set[int] = field(default_factory=set)
    clusters: int = 0
    last_cluster: int = 0

    @property
    def has_video(self) -> bool:
        return _VIDEO in self.types

    @property
    def has_sound(self) -> bool:
        return _SOUND in self.types


def read(file: BinaryIO, size: int) -> Film:
    """Read an open WebM. One that was recorded and never closed is as long as its last cluster says. Raises Broken."""
    film = Film()
    duration = 0.0
    for name, start, end in _children(file, 0, size):
        if name == _EBML:
            film.doctype = _text(file, {key: place for key, *place in _children(file, start, end)})
        elif name == _SEGMENT:
            duration = _segment(file, start, end, film)
            break
    if not film.clusters:
        raise Broken
    film.seconds = (duration or film.last_cluster) * film.scale / 1e9
    return film


def _text(file: BinaryIO, places: dict[int, list[int]]) -> str:
    if _DOCTYPE not in places:
        raise Broken
    start, end = places[_DOCTYPE]
    file.seek(start)
    return file.read(min(end - start, 32)).rstrip(b"\0").decode("ascii", "replace")


def _segment(file: BinaryIO, start: int, end: int, film: Film) -> float:
    duration = 0.0
    for name, at, until in _children(file, start, end):
        if name == _INFO:
            for key, first, last in _children(file, at, until):
                if key == _SCALE:
                    film.scale = _whole(file, first, last) or film.scale
                elif key == _DURATION:
                    duration = _real(file, first, last)
        elif name == _TRACKS:
            film.types |= set(_types(file, at, until))
        elif name == _CLUSTER:
            film.clusters += 1
            if duration:
                break
            key, first, last = next(_children(file, at, until), (0, 0, 0))
            if key == _TIMESTAMP:
                film.last_cluster = max(film.last_cluster, _whole(file, first, last))
    return duration


def _types(file: BinaryIO, start: int, end: int) -> Iterator[int]:
    for name, at, until in _children(file, start, end):
        if name == _ENTRY:
            for part, first, last in _children(file, at, until):
                if part == _TYPE:
                    yield _whole(file, first, last)


def _children(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The elements between two places: id, where the content starts and ends.

    One of unknown size reaches to the end of what holds it: enough, since what follows a live cluster is not needed.
    """
    at = start
    for _ in range(MOST):
        if at >= end:
            return
        file.seek(at)
        head = file.read(12)
        id_length = _length(head, 4)
        size_length = _length(head[id_length:], 8) if id_length else 0
        begins = at + id_length + size_length
        if not size_length or begins > end:
            raise Broken
        raw = int.from_bytes(head[id_length : id_length + size_length], "big")
        size = raw & ((1 << 7 * size_length) - 1)
        is_unknown = size == (1 << 7 * size_length) - 1
        # What is cut off at the end plays up to there.
        until = end if is_unknown else min(begins + size, end)
        yield int.from_bytes(head[:id_length], "big"), begins, until
        at = until
    raise Broken


def _length(head: bytes, most: int) -> int:
    """How many bytes a number of variable size takes; 0 for one that is none."""
    if not head or not head[0]:
        return 0
    length = 9 - head[0].bit_length()
    return length if length <= most and len(head) >= length else 0


def _whole(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    return int.from_bytes(file.read(min(end - start, 8)), "big")


def _real(file: BinaryIO, start: int, end: int) -> float:
    file.seek(start)
    data = file.read(min(end - start, 8))
    if len(data) not in (4, 8):
        return 0.0
    number = float(struct.unpack(">f" if len(data) == 4 else ">d", data)[0])
    return number if 0 < number < 1e15 else 0.0
