"""YouTube: its many forms of links, what oEmbed says of a video, and what its player needs of our policy.

Its oEmbed endpoint is the one that https://oembed.com/providers.json lists; it says 400 and 404 for what is not there,
401 where embedding is switched off, 403 for what is private (extractus/oembed-extractor, issue 168; ruby-oembed, issue
79). The player is described at developers.google.com/youtube/iframe_api_reference.
"""

from __future__ import annotations

import re

from config import Settings
from media import oembed, pasted
from media.provider import Facts, Provider, Reference, Trouble

NAME = "youtube"
OEMBED = "https://www.youtube.com/oembed"
COVER = "https://i.ytimg.com/vi/{id}/hqdefault.jpg"
EMBED_HOST = "https://www.youtube-nocookie.com"
FRAMES = ("https://www.youtube.com", EMBED_HOST)
SCRIPTS = ("https://www.youtube.com/iframe_api", "https://www.youtube.com/s/player/")
"""The loader, and the folder of the versions it loads; nothing else of that host may run here."""

SENTENCES = {
    400: "YouTube knows no such video.",
    401: "Its owner lets that video play on YouTube only.",
    403: "That video is private.",
    404: "That video is gone from YouTube, or private.",
}

_HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "gaming.youtube.com")
_NO_COOKIE = ("youtube-nocookie.com", "www.youtube-nocookie.com")
_SHORT = ("youtu.be", "www.youtu.be")
_FOLDERS = ("shorts", "live", "embed", "v", "e", "vi", "watch")
_ID = re.compile(r"[A-Za-z0-9_-]{11}")


def recognise(text: str, settings: Settings) -> Reference | None:
    """The video that a link of YouTube, or youtube:ID, names."""
    typed = pasted.named(text, NAME)
    if typed is not None:
        return _reference(typed)
    link = pasted.address(text)
    if link is None or link.host not in (*_HOSTS, *_NO_COOKIE, *_SHORT):
        return None
    if link.parts[:1] == ("attribution_link",):
        inner = link.query.get("u", "")
        link = pasted.address(f"https://www.youtube.com{inner}") if inner.startswith("/") else None
    return _reference(_video_of(link) if link else "")


def fetch(reference: Reference, settings: Settings) -> Facts:
    """Title, channel and picture; how long it is, only the player says."""
    link = f"https://www.youtube.com/watch?v={reference.reference}"
    known = oembed.ask(OEMBED, link, SENTENCES, "YouTube", settings)
    title = pasted.plain(known.get("title"))
    if not title:
        raise Trouble(SENTENCES[404])
    return Facts(
        title=title,
        # Channels that are made for an artist's records carry this after the name.
        artist=pasted.plain(known.get("author_name")).removesuffix(" - Topic"),
        cover_url=COVER.format(id=reference.reference),
        is_video=True,
    )


def _video_of(link: pasted.Address) -> str:
    first, *rest = [*link.parts, ""]
    if link.host in _SHORT:
        return first
    if first in _FOLDERS and rest[0]:
        _refuse_lists(rest[0])
        return rest[0]
    if first in ("watch", "watch_popup", "") and "v" in link.query:
        return link.query["v"]
    _refuse_lists("videoseries" if first == "playlist" or "list" in link.query else "")
    if first.startswith("@") or first in ("channel", "c", "user"):
        raise Trouble("That link leads to a channel. Paste the link of one video.")
    return ""


def _refuse_lists(word: str) -> None:
    if word == "videoseries":
        raise Trouble("That link is a whole playlist. Paste the link of one video.")


def _reference(video: str) -> Reference:
    if not _ID.fullmatch(video):
        raise Trouble("There is no video in that YouTube link.")
    return Reference(NAME, video, video, "youtube", "A video on YouTube", is_video=True)


PROVIDER = Provider(
    name=NAME,
    title="YouTube",
    recognise=recognise,
    fetch=fetch,
    frames=lambda settings: FRAMES,
    scripts=SCRIPTS,
    tries=(
        "https://youtu.be/ID",
        "https://www.youtube.com/watch?v=ID",
        "youtube.com/shorts/ID",
        "youtube:ID",
    ),
)
