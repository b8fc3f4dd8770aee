"""Links to HLS streams (.m3u8), played by the browser from where they are; their lists are read by media.hls_list."""

from __future__ import annotations

from config import Settings
from media import hls_list, weblinks
from media.provider import Facts, Provider, Reference


def recognise(text: str, settings: Settings) -> Reference | None:
    """A link to a list, by its name."""
    if not weblinks.looks_like_one(text):
        return None
    address = weblinks.address_of(text, settings)
    if weblinks.extension_of(address.url) != "m3u8":
        return None
    # A picture until its list says that there is none: a stage may stay empty, a film may not stay unseen.
    return Reference(
        "hls", weblinks.key_of(address), address.url, "hls", weblinks.title_of(address), is_video=True
    )


def fetch(reference: Reference, settings: Settings) -> Facts:
    """What its list plays."""
    return hls_list.look_into(reference.reference, settings)


PROVIDER = Provider(
    name="hls",
    title="HLS streams",
    recognise=recognise,
    fetch=fetch,
    media=("https:",),
    connects=("https:",),
    tries=("https://films.example/live/master.m3u8",),
)
