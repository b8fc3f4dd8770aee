"""Subtitles as people bring them, SRT or WebVTT, and as they are kept: clean WebVTT, text and three tags, no more.

By "WebVTT: The Web Video Text Tracks Format" (W3C), sections 4 and 6; SRT has no standard and is read as players do:
a number, two times with a comma, lines of text. What a file says of styles, regions and places is left behind.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from media.charsets import text_of

MOST_BYTES = 1_000_000
MOST_CUES = 20_000
MOST_LETTERS = 2_000
LONGEST_MS = 86_400_000
KEPT_TAGS = ("b", "i", "u")

_CLOCK = r"(?:(\d{1,2}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMES = re.compile(rf"[ \t]*{_CLOCK}[ \t]*-->[ \t]*{_CLOCK}(?:[ \t].*)?", re.ASCII)
_ENTITY = re.compile(r"&amp;(amp|lt|gt|nbsp|lrm|rlm);")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})(?:[\s.][^<>]*)?>|</>|<[0-9:.]+>|\{\\[^{}]*\}")


class Unreadable(Exception):
    """A file that is no subtitles; `sentence` says why to the person."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Cue:
    """Some lines, and when they are shown."""

    start_ms: int
    end_ms: int
    text: str


def clean(data: bytes, language: str = "") -> str:
    """A file of subtitles, said to be in that language, as WebVTT of our own. Raises Unreadable."""
    cues = read(data, language)
    return "WEBVTT\n\n" + "\n".join(
        f"{_time(c.start_ms)} --> {_time(c.end_ms)}\n{_safe(c.text)}\n" for c in cues
    )


def read(data: bytes, language: str = "") -> list[Cue]:
    """What is shown when, in the order of time. Raises Unreadable."""
    if len(data) > MOST_BYTES:
        raise Unreadable("Those subtitles are too large. Up to 1 MB fits.")
    text = text_of(data, language).replace("\r\n", "\n").replace("\r", "\n")
    cues = sorted(_cues(text.split("\n")), key=lambda cue: cue.start_ms)
    if not cues:
        raise Unreadable("There are no subtitles in that file. SRT and WebVTT work.")
    return cues


def _cues(lines: list[str]) -> Iterator[Cue]:
    """Every pair of times with the lines under it, up to an empty one. What else is there is no cue."""
    count = at = 0
    while at < len(lines):
        times = _TIMES.fullmatch(lines[at]) if "-->" in lines[at] else None
        at += 1
        if times is None:
            continue
        start = at
        while at < len(lines) and lines[at].strip() and "-->" not in lines[at]:
            at += 1
        shown = lines[start:at]
        if at < len(lines) and "-->" in lines[at] and shown:
            # The next cue follows without an empty line: its number is none of our words.
            shown = shown[:-1] if shown[-1].strip().isdigit() else shown
        cue = _cue(times, "\n".join(shown))
        if cue is None:
            continue
        count += 1
        if count > MOST_CUES:
            raise Unreadable("Those are too many lines. Up to 20,000 fit.")
        yield cue


def _cue(times: re.Match[str], text: str) -> Cue | None:
    start, end = _milliseconds(times.groups()[:4]), _milliseconds(times.groups()[4:])
    shown = "".join(_seen(text[:MOST_LETTERS])).strip()
    return Cue(start, end, shown) if shown and start < end <= LONGEST_MS else None


def _seen(text: str) -> Iterator[str]:
    for sign in text:
        # Marks of direction are part of such texts; everything else that nobody sees is dropped.
        if sign == "\n" or sign in "\u200e\u200f\u200c\u200d" or unicodedata.category(sign) not in (
            "Cc", "Cf", "Cs", "Co", "Cn",
        ):  # fmt: skip
            yield sign
        elif sign == "\t":
            yield " "


def _milliseconds(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = parts
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole * 1000 + int((rest or "0").ljust(3, "0"))


def _safe(text: str) -> str:
    """The text with every sign that could mean something escaped, and the tags we keep in pairs."""
    kept: list[str] = []
    is_open: list[str] = []
    end = 0
    for tag in _TAG.finditer(text):
        kept.append(_escaped(text[end : tag.start()]))
        end = tag.end()
        name = (tag[2] or "").lower()
        if name not in KEPT_TAGS:
            continue
        if not tag[1]:
            is_open.append(name)
            kept.append(f"<{name}>")
        elif name in is_open:
            while is_open:
                last = is_open.pop()
                kept.append(f"</{last}>")
                if last == name:
                    break
    kept.append(_escaped(text[end:]))
    return "".join(kept) + "".join(f"</{name}>" for name in reversed(is_open))


def _escaped(text: str) -> str:
    return _ENTITY.sub(r"&\1;", html.escape(text, quote=False))


def _time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
