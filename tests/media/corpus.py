"""Hostile files by kind (T7, T8): what each is called, its bytes, and what has to become of it.

`refused` ends with that sentence and leaves nothing behind; `kept` is inert: the file as it was, under a type of ours,
and a cover of our own making. Some name a canary, which must never be asked.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from media.probing import DAMAGED, NOT_KNOWN, TOO_LONG
from tests.media import making as m

KEPT = "kept"
SCRIPT = b"<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file; `end` is KEPT or the sentence it is refused with; `is_drawn` says that its own cover is not taken."""

    kind: str
    name: str
    data: bytes
    end: str
    is_drawn: bool = True


def corpus(canary: str) -> list[Hostile]:
    """Every file; `canary` is an address that counts who asks."""
    made = [
        Hostile(kind, name, data, end, is_drawn)
        for kind, files in (
            ("active", _active()),
            ("polyglot", _polyglots(canary)),
            ("playlist", _playlists(canary)),
            ("cover", _covers(canary)),
            ("truncated", _truncated()),
            ("sizes", _sizes()),
            ("tags", _tags()),
        )
        for name, data, end, is_drawn in ((*each, True)[:4] for each in files)
    ]
    assert len({each.name for each in made}) == len(made)
    return made


def _active() -> Iterator[tuple[str, bytes, str]]:
    """Something else altogether under a name of ours."""
    yield "svg.mp3", SVG, NOT_KNOWN
    yield "svg with prolog.mp4", b'<?xml version="1.0"?>' + SVG, NOT_KNOWN
    yield "page.mp4", b"<!doctype html><title>x</title>" + SCRIPT, NOT_KNOWN
    yield "page behind spaces.webm", b" \n\t" * 200 + b"<HTML>" + SCRIPT, NOT_KNOWN
    yield "script.ogg", b"alert(document.domain)//" + bytes(500), NOT_KNOWN
    yield "archive.flac", _zip(), NOT_KNOWN
    yield "document.m4a", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", NOT_KNOWN
    yield "program.wav", b"MZ\x90\0" + bytes(60) + b"PE\0\0" + bytes(2_000), NOT_KNOWN
    yield "program.webm", b"\x7fELF\x02\x01\x01" + bytes(2_000), NOT_KNOWN
    yield "shell.mp3", b"#!/bin/sh\ntouch /tmp/partyline-was-here\n", NOT_KNOWN
    yield "page of php.mp4", b"<?php system($_GET[0]); ?>", NOT_KNOWN
    yield "class.ogg", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(500), NOT_KNOWN
    yield "picture.mp3", m.image("JPEG"), NOT_KNOWN
    yield "picture.wav", m.image("WEBP"), NOT_KNOWN
    yield "other film.webm", m.webm(doctype=b"matroska"), NOT_KNOWN
    yield "other film.mp4", m.mp4(brand=b"heic").replace(b"mp41", b"mif1"), NOT_KNOWN
    yield "film without tracks.mp4", m.mp4(kinds=()), NOT_KNOWN


def _polyglots(canary: str) -> Iterator[tuple[str, bytes, str]]:
    """A sound or a video and something that runs, in the same bytes."""
    yield "sound and archive.mp3", m.mp3() + _zip(), NOT_KNOWN
    yield "film and archive.mp4", m.mp4() + m.box(b"free", _zip()), NOT_KNOWN
    yield "archive in a comment.wav", m.wav() + _zip(), NOT_KNOWN
    yield "page before sound.mp3", b"<html>" + SCRIPT + m.mp3(), NOT_KNOWN
    yield "page in a tag.mp3", m.tagged(m.text("TIT2", "<html><script>alert(1)</script>")), NOT_KNOWN
    yield "page deep in a tag.mp3", m.tagged(m.frame("PRIV", bytes(2_000) + SCRIPT)), KEPT
    yield "document in a tag.mp3", m.tagged(m.frame("PRIV", b"%PDF-1.4")), NOT_KNOWN
    yield "script in a film.mp4", m.mp4(more=m.box(b"udta", bytes(1_200) + SCRIPT)), KEPT
    yield "script early in a film.mp4", m.box(b"ftyp", b"isom", SCRIPT) + m.mp4(), NOT_KNOWN
    yield "script in a sound.wav", m.wav(before=m.chunk(b"LIST", b"INFO" + SCRIPT)), NOT_KNOWN
    yield "script behind a film.webm", m.webm(more=m.element(0xEC, SCRIPT * 100)), KEPT
    yield "picture and sound.mp3", m.image("GIF") + m.mp3(), NOT_KNOWN
    yield "page after sound.mp3", m.mp3() + b"\n<html>" + SCRIPT, KEPT
    yield "film that names a film.mp4", _elsewhere(canary), KEPT


def _playlists(canary: str) -> Iterator[tuple[str, bytes, str]]:
    """Texts that a media tool left to itself would follow, to our files and to other machines."""
    list_of = f"#EXTM3U\n#EXTINF:5,\n{canary}/a.ts\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n".encode()
    yield "list.mp4", list_of, NOT_KNOWN
    yield "list.mp3", list_of, NOT_KNOWN
    yield "list behind a tag.mp3", m.id3(m.text("TIT2", "x")) + list_of, NOT_KNOWN
    yield "list deep behind a tag.mp3", m.id3(m.frame("PRIV", bytes(3_000))) + list_of, DAMAGED
    yield "concat.mp4", f"ffconcat version 1.0\nfile {canary}/a\nfile /etc/passwd\n".encode(), NOT_KNOWN
    yield "concat.webm", b"# a remark\nffconcat version 1.0\nfile '/etc/passwd'\n", NOT_KNOWN
    yield "pls.mp3", f"[playlist]\nFile1={canary}/a.mp3\nNumberOfEntries=1\n".encode(), NOT_KNOWN
    yield "manifest.mp4", f"<MPD><BaseURL>{canary}/</BaseURL></MPD>".encode(), NOT_KNOWN
    yield (
        "stream.m4a",
        f"v=0\nc=IN IP4 127.0.0.1\nm=audio 1 RTP/AVP 0\na=control:{canary}".encode(),
        NOT_KNOWN,
    )
    yield "subtitles with files.mp4", b"[Script Info]\n[Fonts]\nfontname: ../../x.ttf\n", NOT_KNOWN
    yield "list in a film.mp4", m.box(b"ftyp", b"isom", bytes(4)) + m.box(b"mdat", list_of), NOT_KNOWN


def _covers(canary: str) -> Iterator[tuple[str, bytes, str, bool]]:
    """Good sound with a bad picture; the sound stays, the picture is drawn anew or made small."""
    bomb = m.png_chunk(b"IDAT", zlib.compress(bytes(30_000_000), 9))
    words = m.png_chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 90_000_000, 9))
    pixels = m.png_chunk(b"IDAT", zlib.compress((b"\0" + b"\xd2\x69\x1e" * 40) * 40))
    profile = m.png_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(90_000_000), 9))
    yield "bomb of pixels.mp3", m.tagged(m.picture(m.png(50_000, 50_000, bomb))), KEPT, True
    yield "bomb of words.mp3", m.tagged(m.picture(m.png(40, 40, words, pixels))), KEPT, True
    yield "bomb of a profile.mp3", m.tagged(m.picture(m.png(40, 40, profile, pixels))), KEPT, True
    yield "bomb of webp.mp3", m.tagged(m.picture(m.webp_claim(16_383, 16_383), "image/webp")), KEPT, True
    yield "bomb of gif.mp3", m.tagged(m.picture(m.gif_claim(65_535, 65_535), "image/gif")), KEPT, True
    yield "many pictures.mp3", m.tagged(m.picture(_frames(), "image/gif")), KEPT, False
    yield "wide picture.mp3", m.tagged(m.picture(m.image("PNG", (60_000, 1)))), KEPT, False
    yield "half a picture.mp3", m.tagged(m.picture(m.image("JPEG")[:300], "image/jpeg")), KEPT, True
    yield "no picture.mp3", m.tagged(m.picture(b"")), KEPT, True
    yield "svg as picture.mp3", m.tagged(m.picture(bytes(1_200) + SVG)), KEPT, True
    yield (
        "svg with a link.mp3",
        m.tagged(
            m.frame("PRIV", bytes(1_200)),
            m.picture(b'<svg><image href="%s/a"/></svg>' % canary.encode(), "image/svg+xml"),
        ),
        KEPT,
        True,
    )
    yield "address as picture.mp3", m.tagged(m.picture(f"{canary}/cover.png".encode(), "-->")), KEPT, True
    yield "psd as picture.mp3", m.tagged(m.picture(b"8BPS\0\1" + bytes(400), "image/jpeg")), KEPT, True
    yield "eps as picture.mp3", m.tagged(m.picture(_postscript(), "image/jpeg")), KEPT, True
    turned = Image.Exif()
    turned[0x010E], turned[0x0112] = "<script>alert(1)</script>" * 100, 6
    jpeg = m.image("JPEG", (640, 480), exif=turned, comment=SCRIPT)
    yield (
        "picture that tells.mp3",
        m.tagged(m.frame("PRIV", bytes(1_200)), m.picture(jpeg, "image/jpeg")),
        KEPT,
        False,
    )


def _truncated() -> Iterator[tuple[str, bytes, str]]:
    """The first half of each kind, as a lost connection leaves it."""
    yield "half.mp3", _half(m.mp3()), KEPT
    yield "half.flac", _half(m.sound("FLAC")), KEPT
    yield "half.wav", _half(m.wav()), KEPT
    yield "half.ogg", m.sound("OGG", "VORBIS")[:40], DAMAGED
    yield "half.opus", m.sound("OGG", "OPUS", rate=48_000)[:47], DAMAGED
    yield "half.mp4", _half(m.mp4()), DAMAGED
    yield "half.m4a", m.mp4(kinds=(b"soun",), brand=b"M4A ")[:200], DAMAGED
    yield "half.webm", m.webm()[:90], DAMAGED
    yield "head.flac", m.sound("FLAC")[:20], DAMAGED
    yield "tag alone.mp3", m.id3(m.text("TIT2", "Alone")), DAMAGED


def _sizes() -> Iterator[tuple[str, bytes, str]]:
    """Sizes, rates and lengths that are lies."""
    yield "nothing.mp3", b"", NOT_KNOWN
    yield "one byte.wav", b"R", NOT_KNOWN
    yield "huge tag.mp3", m.id3(m.text("TIT2", "x"), size=268_435_455) + m.mp3(), DAMAGED
    yield "impossible tag.mp3", b"ID3\x04\0\0\xff\xff\xff\xff" + m.mp3(), DAMAGED
    yield "tags without end.mp3", m.id3(m.text("TIT2", "x")) * 200 + m.mp3(), DAMAGED
    yield "huge frame of a tag.mp3", m.tagged(b"APIC\x7f\x7f\x7f\x7f\0\0"), KEPT
    yield "box without length.mp4", m.mp4() + m.box(b"free", size=4), DAMAGED
    yield (
        "box that loops.mp4",
        m.box(b"ftyp", b"isom", bytes(4)) + m.box(b"moov", m.box(b"trak", size=1)),
        DAMAGED,
    )
    yield "box without end.mp4", m.mp4() + struct.pack(">I4sQ", 1, b"free", 2**63), DAMAGED
    yield "boxes without end.mp4", m.mp4() + m.box(b"free") * 20_000, DAMAGED
    yield "boxes in boxes.mp4", _nested(), NOT_KNOWN
    yield "a thousand years.mp4", m.mp4(seconds=4_000_000), DAMAGED
    yield "two days.webm", m.webm(seconds=172_800, more=m.element(0xEC, bytes(2_200_000))), TOO_LONG
    yield "bad page.ogg", _spoilt(m.sound("OGG", "VORBIS"), 40), DAMAGED
    yield "page without page.ogg", _first_page(m.sound("OGG", "VORBIS")) + bytes(4_000), DAMAGED
    yield "bad pages later.ogg", _zeroed(m.sound("OGG", "VORBIS")), DAMAGED
    yield "elements without end.webm", m.webm(is_endless=True, seconds=None), KEPT
    yield "elements of nothing.webm", m.element(0x1A45DFA3, m.element(0x4282, b"webm")) + bytes(500), DAMAGED
    yield "elements without number.webm", m.webm()[:60] + b"\0" * 4_000, DAMAGED
    yield "length of no number.webm", m.webm(seconds=float("nan")), KEPT
    yield "endless length.webm", m.webm(seconds=float("inf")), KEPT
    yield "absurd length.webm", m.webm(seconds=1e8), DAMAGED
    yield "impossible length.webm", m.webm(seconds=1e13), KEPT
    yield "rate of nothing.wav", m.wav(rate=0), NOT_KNOWN
    yield "absurd rate.wav", m.wav(rate=4_000_000_000), NOT_KNOWN
    yield "other codec.wav", m.wav(code=0x55), NOT_KNOWN
    yield "four gigabytes.wav", m.wav(data_size=0xFFFFFFF0), KEPT
    yield "chunks without end.wav", m.wav(before=m.chunk(b"junk", b"") * 200), DAMAGED
    yield "rate of nothing.flac", _flac(rate=0), DAMAGED
    yield "absurd length.flac", _flac(samples=2**36 - 1), DAMAGED
    yield "absurd length.mp3", _xing(), KEPT


def _tags() -> Iterator[tuple[str, bytes, str]]:
    """Words that are none."""
    yield "signs nobody sees.mp3", m.tagged(m.text("TIT2", "\u202egpj\u2066.exe\0\x1b[31m\u200b")), KEPT
    yield (
        "words without end.mp3",
        m.tagged(m.text("TIT2", "A" * 1_000_000), m.text("TPE1", "B" * 900_000)),
        KEPT,
    )
    yield "marks without end.mp3", m.tagged(m.text("TIT2", "Z" + "\u0301" * 5_000)), KEPT
    yield (
        "words of script.mp3",
        m.tagged(
            m.frame("PRIV", bytes(1_200)), m.text("TIT2", SCRIPT.decode()), m.text("TALB", "' onload='x")
        ),
        KEPT,
    )
    yield "half a letter.mp3", m.tagged(m.text("TIT2", "a\ud800b")), KEPT
    yield "a path.mp3", m.tagged(m.text("TIT2", "../../../../etc/passwd"), m.text("TPE1", "C:\\x\\y")), KEPT
    yield "frames without end.mp3", m.tagged(m.text("TXXX", "a\0b") * 30_000), KEPT
    yield "packed frame.mp3", m.tagged(_packed()), KEPT
    yield "comments without end.flac", _comments(), DAMAGED
    yield "nothing but spaces.mp3", m.tagged(m.text("TIT2", " \t\n\u3000 ")), KEPT


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Main-Class: X")
    return file.getvalue()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _elsewhere(canary: str) -> bytes:
    """A film whose samples lie, it says, in a file elsewhere (a data reference)."""
    reference = m.box(b"url ", bytes(4) + canary.encode() + b"/film.mp4\0")
    data = m.box(b"dinf", m.box(b"dref", struct.pack(">II", 0, 1), reference))
    track = m.box(b"trak", m.box(b"mdia", m.box(b"hdlr", bytes(8), b"vide", bytes(13)), m.box(b"minf", data)))
    return m.mp4(more=track)


def _frames() -> bytes:
    file = io.BytesIO()
    pictures = [Image.new("P", (400, 400), number) for number in range(120)]
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:])
    return file.getvalue()


def _postscript() -> bytes:
    return bytes(1_200) + b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file\n"


def _nested() -> bytes:
    inner = b""
    for _ in range(5_000):
        inner = m.box(b"trak", m.box(b"mdia", inner))
    return m.box(b"ftyp", b"isom", bytes(4)) + m.box(b"moov", m.mvhd(2), inner) + m.box(b"mdat", bytes(8))


def _first_page(data: bytes) -> bytes:
    return data[: data.index(b"OggS", 4)]


def _spoilt(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


def _zeroed(data: bytes) -> bytes:
    """Pages with nothing in them behind the first, which no reader comes to the end of."""
    return _first_page(data) + (b"OggS" + bytes(23)) * 50


def _flac(rate: int = 44_100, samples: int = 88_200) -> bytes:
    packed = rate << 44 | 1 << 41 | 15 << 36 | samples
    block = struct.pack(">HH", 4_096, 4_096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    return b"fLaC\x80\0\0\x22" + block + bytes(4_000)


def _comments() -> bytes:
    words = (
        struct.pack("<I", 4)
        + b"none"
        + struct.pack("<I", 0xFFFFFFFF)
        + struct.pack("<I", 0xFFFFFFF0)
        + b"a=b"
    )
    sound = _flac(samples=2**35)
    return sound[:4] + b"\0" + sound[5:42] + b"\x84" + len(words).to_bytes(3, "big") + words


def _xing() -> bytes:
    """A first frame that counts more frames than any file has."""
    first = b"\xff\xfb\x90\x64" + bytes(32) + b"Xing" + struct.pack(">III", 3, 0xFFFFFFFE, 0xFFFFFFFE)
    return first + bytes(417 - len(first)) + m.mp3()


def _packed() -> bytes:
    body = struct.pack(">I", 200_000_000) + zlib.compress(bytes(50_000_000), 9)
    return b"TXXX" + m.synchsafe(len(body)) + b"\0\x09" + body
