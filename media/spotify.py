"""Spotify: its links, and what oEmbed says of a track to whoever has no account there. With one: spotify_api.py.

Ids and addresses are as developer.spotify.com/documentation/web-api/concepts/spotify-uris-ids has them, oEmbed as
developer.spotify.com/documentation/embeds/reference/oembed. The player is Spotify's own, made in the page
(developer.spotify.com/documentation/web-playback-sdk/reference); it starts a track by the Web API.
"""

from __future__ import annotations

import re

from config import Settings
from media import oembed, pasted
from media.provider import Facts, Provider, Reference, Trouble

NAME = "spotify"
OEMBED = "https://open.spotify.com/oembed"
APPS = "https://www.spotify.com/account/apps/"
"""Where people see at Spotify what may use their account."""

SENTENCES = {
    400: "Spotify knows no such track.",
    403: "Spotify does not show that track to us.",
    404: "Spotify knows no such track.",
}
SHORT = "That short link does not say what it leads to. Open it, and paste the link you end up with."
WHOLE = "That is a whole {kind}. Bring it in on your Spotify page, at /spotify, and put it on from your playlists."
OTHER = "That Spotify link is no track. Paste the link of one track."
NO_LIST = "Paste the link of a playlist or an album on Spotify."

_HOSTS = ("open.spotify.com", "play.spotify.com")
_SHORT = ("spotify.link", "spotify.app.link", "spoti.fi")
_ID = re.compile(r"[0-9A-Za-z]{22}")
_LISTS = ("playlist", "album")


def recognise(text: str, settings: Settings) -> Reference | None:
    """The track that a link of Spotify, spotify:track:ID or spotify:ID names."""
    named = _named(text)
    if named is None:
        return None
    kind, key = named
    if kind in _LISTS:
        raise Trouble(WHOLE.format(kind=kind))
    if kind != "track":
        raise Trouble(OTHER)
    if not _ID.fullmatch(key):
        raise Trouble("There is no track in that Spotify link.")
    return Reference(NAME, key, key, "spotify", "A track on Spotify")


def list_of(text: str) -> str:
    """The playlist or album that a link names, as playlist:ID or album:ID. Raises Trouble for anything else."""
    kind, key = _named(text) or ("", "")
    if kind not in _LISTS or not _ID.fullmatch(key):
        raise Trouble(NO_LIST)
    return f"{kind}:{key}"


def link(key: str) -> str:
    """Where a track is found on the web."""
    return f"https://open.spotify.com/track/{key}"


def list_link(key: str) -> str:
    """Where a playlist is found on the web."""
    return f"https://open.spotify.com/playlist/{key}"


def fetch(reference: Reference, settings: Settings) -> Facts:
    """Title and picture, which need no account; how long it is and whose, only those who have one are told."""
    known = oembed.ask(OEMBED, link(reference.key), SENTENCES, "Spotify", settings)
    title = pasted.plain(known.get("title"))
    if not title:
        raise Trouble(SENTENCES[404])
    cover = known.get("thumbnail_url")
    return Facts(title=title, cover_url=cover if isinstance(cover, str) else "", is_video=False)


def _named(text: str) -> tuple[str, str] | None:
    """Of what kind a link or id is, and its id; None for what is not Spotify's."""
    typed = pasted.named(text, NAME)
    if typed is not None:
        # Playlists were once named with their owner: spotify:user:NAME:playlist:ID.
        *kinds, key = typed.split(":")
        return (kinds[-1] if kinds else "track"), key
    address = pasted.address(text)
    if address is None:
        return None
    if address.host in _SHORT:
        raise Trouble(SHORT)
    if address.host not in _HOSTS:
        return None
    parts = [part for part in address.parts if part != "embed" and not part.startswith("intl-")]
    if parts[:1] == ["user"]:
        parts = parts[2:]
    return (parts[0], parts[1]) if len(parts) > 1 else ("", "")


PROVIDER = Provider(
    name=NAME,
    title="Spotify",
    recognise=recognise,
    fetch=fetch,
    controls=frozenset({"play", "pause", "seek", "volume"}),
    frames=lambda settings: ("https://sdk.scdn.co",),
    scripts=("https://sdk.scdn.co/spotify-player.js",),
    connects=("https://api.spotify.com",),
    is_set_up=lambda settings: bool(settings.spotify_client_id),
    needs="SPOTIFY_CLIENT_ID",
    tries=("https://open.spotify.com/track/ID", "spotify:track:ID"),
)
