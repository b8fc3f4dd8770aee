"""When what plays ends: by its length; else, where the room put it on by itself, after a while at the latest."""

from __future__ import annotations

from models import Item, Playback, Track
from party.reads import LENGTH

TELLING = ("youtube", "vimeo", "spotify")
"""Players that know how long a track is once it plays."""
UNTOLD_MS = 900_000
"""What the room chose itself plays so long at most while nobody's player told its length: something must follow it."""


def end_of(playback: Playback) -> int | None:
    """The instant at which the item of a playing anchor ends, in epoch ms; None while that is not known."""
    found = Item.select(LENGTH, Item.is_filler).join(Track).where(Item.id == playback.item_id)
    length, is_filler = found.tuples().first() or (0, False)
    if length:
        return int(playback.at_ms + round((length - playback.position_ms) / playback.rate))
    return int(playback.at_ms) + UNTOLD_MS if is_filler else None
