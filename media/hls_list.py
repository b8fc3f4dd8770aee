"""Reading HLS lists (RFC 8216): what plays, how long, and that no address in them leads anywhere but the internet.

The m3u8 library reads their lines; this module fetches them, bounds the work and looks at every address. Nothing but
lists is ever fetched: never a key, a segment or a picture.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import m3u8  # type: ignore[import-untyped]

from config import Settings
from media import fetch as net
from media import weblinks
from media.net_address import NOT_THERE, Address, parse
from media.net_wire import SLOW
from media.provider import Facts, Trouble

MOST_BYTES, MOST_LINES, MOST_KEYS, LONGEST_LINE = 2_000_000, 60_000, 1_000, 8_000
SECONDS = 20.0
EACH_SECONDS = 8.0
MOST_VARIANTS = 3
LONGEST_SECONDS = 7 * 86_400.0
MIME = "application/vnd.apple.mpegurl"
NOT_A_STREAM = "That list is not a stream we can play."
TOO_LONG = "That list is longer than we read."
PROTECTED = "That stream is locked by copy protection, so it won’t play here."

_PICTURES = re.compile(r"\b(?:avc|hvc|hev|vp0?9|av01|dvh|mp4v)", re.I)
_SOUND_FILES = ("aac", "mp3", "m4a", "ac3", "ec3")
# RFC 8216, section 4.3.2.4: keys that a browser can fetch by itself.
_OPEN_METHODS = ("NONE", "AES-128")


def look_into(url: str, settings: Settings) -> Facts:
    """What a link to a list plays. Raises Trouble."""
    until = time.monotonic() + SECONDS
    address, known = _list_at(url, settings, until)
    is_video: bool | None = None
    if known["is_variant"]:
        variants = known["playlists"][:MOST_VARIANTS]
        if not variants:
            raise Trouble(NOT_A_STREAM)
        is_video = _has_pictures(known["playlists"])
        known = _first_that_plays(address, variants, settings, until)
    if not known["segments"]:
        raise Trouble(NOT_A_STREAM)
    if (
        is_video is None
        and weblinks.extension_of(_nested(address, known["segments"][0]["uri"], settings).url) in _SOUND_FILES
    ):
        is_video = False
    return Facts(
        title=weblinks.title_of(address),
        duration_ms=_duration(known),
        is_video=is_video,
        mime=MIME,
        player="hls",
    )


def _first_that_plays(
    base: Address, variants: list[dict[str, Any]], settings: Settings, until: float
) -> dict[str, Any]:
    """The list of segments of a variant. One of a few is enough: players leave out those that are gone."""
    trouble = Trouble(NOT_A_STREAM)
    for variant in variants:
        try:
            _, known = _list_at(_nested(base, variant["uri"], settings).url, settings, until)
        except Trouble as error:
            trouble = error
            continue
        # A list of lists inside a list of lists leads in circles.
        if not known["is_variant"] and known["segments"]:
            return known
    raise trouble


def _list_at(url: str, settings: Settings, until: float) -> tuple[Address, dict[str, Any]]:
    left = until - time.monotonic()
    if left <= 0:
        raise Trouble(SLOW, again=True)
    answer = net.fetch(url, settings, most_bytes=MOST_BYTES, seconds=min(left, EACH_SECONDS))
    weblinks.check_status(answer.status)
    address = parse(answer.url, settings)
    known = _read(answer.body)
    for each in _addresses(known):
        _nested(address, each, settings)
    return address, known


def _read(body: bytes) -> dict[str, Any]:
    """The list as m3u8 reads it, with more than lines in it: a target duration or variants."""
    text = body.decode("utf-8-sig", errors="replace")
    if not text.startswith("#EXTM3U"):
        raise Trouble(NOT_A_STREAM)
    lines = text.splitlines()
    keys = sum(line.strip().startswith(("#EXT-X-KEY", "#EXT-X-SESSION-KEY")) for line in lines)
    if len(lines) > MOST_LINES or keys > MOST_KEYS or max(map(len, lines)) > LONGEST_LINE:
        raise Trouble(TOO_LONG)
    try:
        known: dict[str, Any] = m3u8.parse(text)
    except (m3u8.ParseError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise Trouble(NOT_A_STREAM) from error
    # Lists of songs for other players have neither, and variables are not filled in by every player.
    if not (known["is_variant"] or known.get("targetduration")) or "{$" in text:
        raise Trouble(NOT_A_STREAM)
    for key in [*known["keys"], *known["session_keys"]]:
        if key and (key.get("method") not in _OPEN_METHODS or key.get("keyformat", "identity") != "identity"):
            raise Trouble(PROTECTED)
    # A segment cut off before its address is no segment.
    known["segments"] = [each for each in known["segments"] if each.get("uri")]
    return known


def _addresses(value: object) -> Iterator[str]:
    """Every address in what was read, wherever it hangs: segments, parts, keys, maps, renditions, hints."""
    if isinstance(value, dict):
        for name, inner in value.items():
            is_address = "uri" in str(name) or "asset_list" in str(name)
            if is_address and isinstance(inner, str):
                yield inner.strip("\"'")
            else:
                yield from _addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _addresses(inner)


def _nested(base: Address, uri: str, settings: Settings) -> Address:
    """Where an address of a list leads. Raises Trouble; only a list of the house may lead into the house."""
    try:
        address = parse(urljoin(base.url, uri.replace(" ", "%20")), settings)
    except ValueError as error:
        raise Trouble(NOT_THERE) from error
    if address.is_listed and not base.is_listed:
        raise Trouble(NOT_THERE)
    return address


def _duration(known: dict[str, Any]) -> int | None:
    """The sum of its segments; None for one that goes on, or that says nonsense."""
    seconds = [float(each.get("duration") or 0) for each in known["segments"]]
    if not known["is_endlist"] or not all(0 <= each <= LONGEST_SECONDS for each in seconds):
        return None
    total = math.fsum(seconds)
    return round(total * 1000) if 0 < total <= LONGEST_SECONDS else None


def _has_pictures(variants: list[dict[str, Any]]) -> bool | None:
    known = [each["stream_info"] for each in variants]
    if any(each.get("resolution") or _PICTURES.search(each.get("codecs") or "") for each in known):
        return True
    return False if any(each.get("codecs") for each in known) else None
