"""Small files of each kind, made byte by byte, and the pieces that hostile ones are made of."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import soundfile
from PIL import Image

RATE = 44_100


def mp3(frames: int = 80) -> bytes:
    """Frames of silence: MPEG 1, layer III, 128 kbit/s, 44.1 kHz; 26 ms each."""
    return (b"\xff\xfb\x90\x64" + bytes(413)) * frames


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: str, body: bytes) -> bytes:
    """A frame of ID3v2.4."""
    return name.encode() + synchsafe(len(body)) + b"\0\0" + body


def text(name: str, words: str) -> bytes:
    """A text frame in UTF-8."""
    return frame(name, b"\x03" + words.encode("utf-8", "surrogatepass"))


def old_text(name: str, words: bytes, encoding: int = 0) -> bytes:
    """A text frame in Latin-1, as it says, or in UTF-16 (1 with a mark, 2 big-endian without)."""
    return frame(name, bytes((encoding,)) + words)


def id3v1(title: bytes, artist: bytes, album: bytes = b"", genre: int = 17) -> bytes:
    """The tag of 128 bytes at the end of a file."""
    texts = title[:30].ljust(30, b"\0") + artist[:30].ljust(30, b"\0") + album[:30].ljust(30, b"\0")
    return b"TAG" + texts + bytes(34) + bytes((genre,))


def picture(data: bytes, mime: str = "image/png") -> bytes:
    """A front cover."""
    return frame("APIC", b"\x00" + mime.encode() + b"\0\x03\0" + data)


def id3(*frames: bytes, size: int | None = None) -> bytes:
    """A tag, which may lie about its size."""
    body = b"".join(frames)
    return b"ID3\x04\0\0" + synchsafe(len(body) if size is None else size) + body


def tagged(*frames: bytes) -> bytes:
    """An MP3 with these frames in its tag."""
    return id3(*frames) + mp3()


def wave(seconds: float = 2.0, lufs_db: float = -20.0, seed: int = 1) -> np.ndarray:
    """Noise of this level, two channels."""
    chance = np.random.default_rng(seed)
    sound = chance.standard_normal((int(RATE * seconds), 2)) * 10 ** (lufs_db / 20)
    return np.clip(sound, -1, 1).astype(np.float32)


def sound(form: str, subtype: str | None = None, seconds: float = 2.0, rate: int = RATE) -> bytes:
    """Noise as soundfile writes it: FLAC, OGG (VORBIS, OPUS), WAV, MP3."""
    file = io.BytesIO()
    soundfile.write(file, wave(seconds), rate, format=form, subtype=subtype)
    return file.getvalue()


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    """A chunk of RIFF, which may lie about its size."""
    return name + struct.pack("<I", len(body) if size is None else size) + body


def wav(
    seconds: float = 2.0,
    *,
    rate: int = 8_000,
    code: int = 1,
    data_size: int | None = None,
    before: bytes = b"",
) -> bytes:
    """Silence of 8 bits, one channel."""
    form = chunk(b"fmt ", struct.pack("<HHIIHH", code, 1, rate & 0xFFFFFFFF, rate & 0xFFFFFFFF, 1, 8))
    body = b"WAVE" + form + before + chunk(b"data", b"\x80" * int(8_000 * seconds), data_size)
    return chunk(b"RIFF", body)


def box(name: bytes, *bodies: bytes, size: int | None = None) -> bytes:
    """A box of an MP4, which may lie about its size."""
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8 if size is None else size) + name + body


def mvhd(seconds: int, scale: int = 1_000) -> bytes:
    return box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, scale, seconds * scale), bytes(80))


def trak(kind: bytes, *more: bytes) -> bytes:
    handler = box(b"hdlr", bytes(8), kind, bytes(12), b"\0")
    return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"mdhd", bytes(24)), handler, *more))


def mp4(
    *,
    seconds: int = 2,
    kinds: tuple[bytes, ...] = (b"vide", b"soun"),
    brand: bytes = b"isom",
    more: bytes = b"",
) -> bytes:
    """The boxes of a film without its pictures: enough to know it by, nothing to play."""
    film = box(b"moov", mvhd(seconds), *(trak(kind) for kind in kinds), more)
    return box(b"ftyp", brand, bytes(4), brand, b"mp41") + film + box(b"mdat", bytes(4_000))


def element(name: int, body: bytes, *, is_endless: bool = False) -> bytes:
    """An element of EBML; an endless one says no size."""
    head = name.to_bytes((name.bit_length() + 7) // 8, "big")
    return head + (b"\x01" + b"\xff" * 7 if is_endless else struct.pack(">Q", len(body) | 1 << 56)) + body


def whole(name: int, number: int) -> bytes:
    return element(name, number.to_bytes(4, "big"))


def webm(
    *,
    doctype: bytes = b"webm",
    seconds: float | None = 2.0,
    kinds: tuple[int, ...] = (1, 2),
    is_endless: bool = False,
    more: bytes = b"",
) -> bytes:
    """The elements of a film without its pictures."""
    header = element(0x1A45DFA3, element(0x4282, doctype))
    length = b"" if seconds is None else element(0x4489, struct.pack(">d", seconds * 1000))
    info = element(0x1549A966, whole(0x2AD7B1, 1_000_000) + length)
    tracks = element(0x1654AE6B, b"".join(element(0xAE, whole(0x83, kind)) for kind in kinds))
    cluster = element(0x1F43B675, whole(0xE7, 1_500) + element(0xA3, bytes(4_000)), is_endless=is_endless)
    return header + element(0x18538067, info + tracks + cluster + more, is_endless=is_endless)


def image(form: str, size: tuple[int, int] = (300, 200), **more: object) -> bytes:
    """An orange picture."""
    file = io.BytesIO()
    Image.new("RGB", size, "#d2691e").save(file, form, **more)
    return file.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that says it is this large, with whatever is put into it."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IEND", b"")


def webp_claim(width: int, height: int) -> bytes:
    """A WebP of the extended form that says it is this large."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return chunk(b"RIFF", b"WEBP" + chunk(b"VP8X", b"\x02\0\0\0" + size) + chunk(b"ANIM", bytes(6)))


def gif_claim(width: int, height: int) -> bytes:
    """A GIF that says it is this large, with one tiny frame."""
    small = image("GIF", (2, 2))
    return small[:6] + struct.pack("<HH", width, height) + small[10:]
