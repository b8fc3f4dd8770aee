"""What a file really is, read from its own bytes: one of the eight kinds we take, or nothing we know.

Neither its name nor the type it was sent with is looked at. Every reader here reads a bounded part of the file and
believes no size that the file itself does not bear out. Structures by: ID3v2.4.0 section 3.1, ISO/IEC 11172-3 section
2.4.2.3 (frames), RFC 9639 section 8 (FLAC), RFC 3533 (Ogg), RFC 7845 (Opus), ISO/IEC 14496-12 section 4 (boxes).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import BinaryIO

import filetype  # type: ignore[import-untyped]

from media import boxes, matroska

HEAD_BYTES = 4_096
SNIFFED_BYTES = 1_024
ZIP_TAIL_BYTES = 66_000
MOST_TAGS, MOST_PADDING = 4, 65_536
FRAMES_WANTED = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: our name for it (the extension it is kept under), its type, and what ffmpeg calls it."""

    name: str
    mime: str
    demuxer: str
    is_video: bool = False


MP3 = Kind("mp3", "audio/mpeg", "mp3")
M4A = Kind("m4a", "audio/mp4", "mov")
FLAC = Kind("flac", "audio/flac", "flac")
OGG = Kind("ogg", "audio/ogg", "ogg")
OPUS = Kind("opus", "audio/ogg", "ogg")
WAV = Kind("wav", "audio/wav", "wav")
MP4 = Kind("mp4", "video/mp4", "mov", True)
WEBM = Kind("webm", "video/webm", "matroska", True)
WEBM_SOUND = Kind("webm", "audio/webm", "matroska")
KINDS = (MP3, M4A, FLAC, OGG, OPUS, WAV, MP4, WEBM, WEBM_SOUND)

# What makes a browser, a shell or a viewer take the same bytes for something that runs.
_ACTIVE = re.compile(
    rb"<!doctype|<html|<head|<body|<script|<svg|<iframe|<object|<embed|<style|<\?xml|<\?php|<math|<meta|<base|<link"
    rb"|%PDF-|PK\x03\x04|#!/|#EXTM3U|ffconcat|javascript:",
    re.IGNORECASE,
)


class Damaged(Exception):
    """A file of a kind we know that cannot be played."""


def kind_of(file: BinaryIO) -> Kind | None:
    """The kind of an open file, or None for what we do not know or do not want. Raises Damaged."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    guess = filetype.guess_mime(bytearray(head)) or ""
    if guess and not guess.startswith(("audio/", "video/")):
        return None
    if _ACTIVE.search(head[:SNIFFED_BYTES]) or _ends_as_zip(file, size):
        return None
    if head.startswith(b"OggS"):
        return _ogg(head, file)
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return WAV if wav_duration(file, size) else None
    if head[4:8] == b"ftyp":
        return _mp4(file, size)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _webm(file, size)
    return _flac_or_mp3(file, size)


def wav_duration(file: BinaryIO, size: int) -> float | None:
    """How many seconds a WAV holds, counted by the bytes that are there; None for a kind of WAV browsers do not play.

    Raises Damaged.
    """
    rate = 0
    at = 12
    for _ in range(100):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            break
        name, length = header[:4], int.from_bytes(header[4:], "little")
        if name == b"fmt ":
            rate = _bytes_per_second(file.read(40))
            if not rate:
                return None
        if name == b"data":
            if not rate:
                break
            # A recorder that never knew its length leaves 0 or the most there is.
            left = size - at - 8
            return (min(length, left) if 0 < length < 0xFFFFFF00 else left) / rate
        at += 8 + length + length % 2
    raise Damaged


def _bytes_per_second(form: bytes) -> int:
    code, channels = int.from_bytes(form[:2], "little"), int.from_bytes(form[2:4], "little")
    rate, bits = int.from_bytes(form[4:8], "little"), int.from_bytes(form[14:16], "little")
    is_plain = code in (1, 3, 0xFFFE) and bits in (8, 16, 24, 32, 64)
    if not (is_plain and 1 <= channels <= 8 and 4_000 <= rate <= 384_000):
        return 0
    return channels * rate * bits // 8


def _mp4(file: BinaryIO, size: int) -> Kind | None:
    try:
        movie = boxes.read(file, size)
    except boxes.Broken as broken:
        raise Damaged from broken
    if not movie.is_known_brand or not (movie.has_video or movie.has_sound):
        return None
    return MP4 if movie.has_video else M4A


def _webm(file: BinaryIO, size: int) -> Kind | None:
    try:
        film = matroska.read(file, size)
    except matroska.Broken as broken:
        raise Damaged from broken
    if film.doctype != "webm" or not (film.has_video or film.has_sound):
        return None
    return WEBM if film.has_video else WEBM_SOUND


def _ogg(head: bytes, file: BinaryIO) -> Kind | None:
    if len(head) < 28 or head[4] != 0 or not head[5] & 2:
        return None
    segments = head[26]
    start = 27 + segments
    body = sum(head[27:start])
    file.seek(0)
    page = file.read(start + body)
    if len(page) < start + body or _ogg_sum(page) != int.from_bytes(page[22:26], "little"):
        raise Damaged
    file.seek(start + body)
    if file.read(4) != b"OggS":
        raise Damaged
    if page[start:].startswith(b"OpusHead"):
        return OPUS
    return OGG if page[start:].startswith((b"\x01vorbis", b"\x7fFLAC")) else None


def _ogg_sum(page: bytes) -> int:
    """The sum over a page as RFC 3533 section 6 has it: CRC-32, not reflected, its own field counted as zero."""
    total = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        total ^= byte << 24
        for _ in range(8):
            total = (total << 1) ^ 0x04C11DB7 if total & 0x80000000 else total << 1
        total &= 0xFFFFFFFF
    return total


def _flac_or_mp3(file: BinaryIO, size: int) -> Kind | None:
    start, has_tag = _after_tags(file, size)
    file.seek(start)
    head = file.read(42)
    if head.startswith(b"fLaC"):
        return _flac(head)
    start += _padding(file, start)
    if _has_frames(file, start, size):
        return MP3
    if has_tag:
        raise Damaged
    return None


def _flac(head: bytes) -> Kind:
    rate = int.from_bytes(head[18:21], "big") >> 4
    if len(head) < 42 or head[4] & 0x7F or head[5:8] != b"\0\0\x22" or not rate:
        raise Damaged
    return FLAC


def _after_tags(file: BinaryIO, size: int) -> tuple[int, bool]:
    """Where the sound starts behind its ID3 tags, and whether there are any."""
    at = 0
    for _ in range(MOST_TAGS):
        file.seek(at)
        header = file.read(10)
        if len(header) < 10 or header[:3] != b"ID3":
            break
        if max(header[6:10]) > 0x7F:
            raise Damaged
        length = sum(byte << shift for byte, shift in zip(header[6:10], (21, 14, 7, 0), strict=True))
        at += 10 + length + (10 if header[5] & 0x10 else 0)
        if at >= size:
            raise Damaged
    return at, at > 0


def _padding(file: BinaryIO, start: int) -> int:
    file.seek(start)
    ahead = file.read(MOST_PADDING)
    return len(ahead) - len(ahead.lstrip(b"\0"))


def _has_frames(file: BinaryIO, at: int, size: int) -> bool:
    """True where one frame of layer III follows another, as often as chance does not make them."""
    first: tuple[int, int] | None = None
    for number in range(FRAMES_WANTED):
        file.seek(at)
        facts = _frame(file.read(4))
        if facts is None or (first is not None and facts[1:] != first):
            return False
        first = facts[1:]
        at += facts[0]
        if at >= size:
            return number > 0
    return True


_RATES = (44_100, 48_000, 32_000)
_BITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def _frame(header: bytes) -> tuple[int, int, int] | None:
    """A frame's length, version and rate."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return None
    version, bits, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    hertz = _RATES[rate] // {3: 1, 2: 2, 0: 4}[version]
    kilobits = _BITS_1[bits] if version == 3 else _BITS_2[bits]
    length = (144 if version == 3 else 72) * kilobits * 1000 // hertz + (header[2] >> 1 & 1)
    return length, version, hertz


def _ends_as_zip(file: BinaryIO, size: int) -> bool:
    """True for what a ZIP reader, which looks from the end, would open as well."""
    start = max(0, size - ZIP_TAIL_BYTES)
    file.seek(start)
    tail = file.read(ZIP_TAIL_BYTES)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        end = tail[at : at + 22]
        if len(end) == 22:
            length, comment = int.from_bytes(end[12:16], "little"), int.from_bytes(end[20:22], "little")
            if length <= start + at and at + 22 + comment <= len(tail):
                return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
