"""Vimeo: its forms of links, unlisted videos with their hash, and what oEmbed says of a video.

A `reference` is the number, or number/hash for an unlisted video; the player's address is `player_url`.
By developer.vimeo.com/api/oembed/videos and help.vimeo.com, “Using oEmbed with private videos”: an unlisted video
without its hash is a 404, one that is private to some sites comes without its title.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from config import Settings
from media import oembed, pasted
from media.provider import Facts, Provider, Reference, Trouble

NAME = "vimeo"
OEMBED = "https://vimeo.com/api/oembed.json"
FRAMES = ("https://player.vimeo.com",)
COVER_HOST = "i.vimeocdn.com"
LONGEST_SECONDS = 86_400

PRIVATE = "That video is private, or plays on chosen sites only."
SENTENCES = {
    401: PRIVATE,
    403: PRIVATE,
    404: "Vimeo knows no such video. An unlisted one needs its whole link.",
}

_HOSTS = ("vimeo.com", "www.vimeo.com", "player.vimeo.com")
_PATH = re.compile(
    r"(?:channels/[^/]+/|groups/[^/]+/videos?/|(?:album|showcase)/[0-9]+/video/|ondemand/[^/]+/|(?:manage/)?videos?/)?"
    r"([0-9]{1,12})(?:/([0-9a-f]{6,40}))?"
)
_HASH = re.compile(r"[0-9a-f]{6,40}")


def recognise(text: str, settings: Settings) -> Reference | None:
    """The video that a link of Vimeo, or vimeo:NUMBER, names."""
    typed = pasted.named(text, NAME)
    if typed is not None:
        return _reference(typed.replace("-", "/", 1))
    link = pasted.address(text)
    if link is None or link.host not in _HOSTS:
        return None
    return _reference("/".join(link.parts), link.query.get("h", ""))


def fetch(reference: Reference, settings: Settings) -> Facts:
    """Title, owner, length and picture. What is private to some sites comes without its title."""
    link = f"https://vimeo.com/{reference.reference}"
    known = oembed.ask(OEMBED, link, SENTENCES, "Vimeo", settings)
    title = pasted.plain(known.get("title"))
    if not title or known.get("domain_status_code") == 403:
        raise Trouble(PRIVATE)
    return Facts(
        title=title,
        artist=pasted.plain(known.get("author_name")),
        duration_ms=_length_ms(known.get("duration")),
        cover_url=_cover(known.get("thumbnail_url")),
        is_video=True,
    )


def player_url(reference: str) -> str:
    """The address its player takes (its option `url`): developer.vimeo.com/player/sdk/embed"""
    number, _, unlisted = reference.partition("/")
    return f"{FRAMES[0]}/video/{number}" + (f"?h={unlisted}" if unlisted else "")


def _reference(path: str, unlisted: str = "") -> Reference:
    found = _PATH.fullmatch(path)
    if found is None or (unlisted and not _HASH.fullmatch(unlisted)):
        raise Trouble("There is no video in that Vimeo link.")
    number, unlisted = found[1].lstrip("0") or "0", unlisted or found[2] or ""
    key, reference = (f"{number}-{unlisted}", f"{number}/{unlisted}") if unlisted else (number, number)
    return Reference(NAME, key, reference, "vimeo", "A video on Vimeo", is_video=True)


def _length_ms(seconds: object) -> int | None:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds <= LONGEST_SECONDS:
        return None
    return seconds * 1000


def _cover(address: object) -> str:
    """The picture's address, where it lies on Vimeo's own host for pictures."""
    if not isinstance(address, str) or len(address) > pasted.LONGEST:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme == "https" and parts.netloc == COVER_HOST else ""


PROVIDER = Provider(
    name=NAME,
    title="Vimeo",
    recognise=recognise,
    fetch=fetch,
    frames=lambda settings: FRAMES,
    tries=(
        "https://vimeo.com/NUMBER",
        "https://vimeo.com/NUMBER/HASH",
        "https://player.vimeo.com/video/NUMBER?h=HASH",
    ),
)
