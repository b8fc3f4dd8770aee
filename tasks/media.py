"""Looking up what links lead to: titles, lengths, covers. What comes of it is told to the rooms by party.lookups."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict
from itertools import islice

from config import Settings, settings
from media import artwork, registry, storage
from media.fetch import fetch
from media.oembed import Busy
from media.provider import Facts, Reference, Trouble
from party import lookups, playing_on
from party.change import connected
from party.errors import Refusal
from tasks import huey, spotify
from tasks.outside import BEHIND, goes_outside

COVER_BYTES = 5_000_000
PICTURES = ("image/",)
logger = logging.getLogger(__name__)


@goes_outside("look_up")
def look_up(track_id: int) -> None:
    """Find out what a pasted link leads to. Too late, too early or a second time: nothing."""
    look_up_here(track_id, settings)


@huey.task(name="bring_links", priority=BEHIND)
def bring_links(code: str) -> None:
    """Read the links that are to play on in a room soon, and have them looked up. Not needed any more: nothing."""
    bring_links_here(code, settings)


def bring_links_here(code: str, wanted: Settings) -> None:
    """The same, with these settings. No connection is held while links are read."""
    try:
        with connected():
            links = playing_on.next_links(code)
        # A frame of another site never says that it is over: nothing would follow it.
        found = (each for each in registry.recognise_all(links, wanted) if each[1].player != "embed")
        facts = {link: asdict(known) for link, known in islice(found, playing_on.AT_ONCE)}
        with connected():
            playing_on.bring_links(code, facts)
    except Refusal as refusal:
        logger.info("no links were brought in: %s", refusal.message)


def look_up_here(track_id: int, wanted: Settings) -> None:
    """The same, with these settings. No connection is held while others are asked."""
    with connected():
        lookup = lookups.claim(track_id)
    if lookup is None:
        return
    reference = Reference(
        lookup.provider,
        lookup.key,
        lookup.reference,
        lookup.player,
        lookup.title,
        lookup.is_video,
        lookup.content,
    )
    try:
        facts = _facts(track_id, reference, wanted)
        cover = artwork.keep_cover(
            _picture(facts, wanted), lookup.slug, _file_key(lookup.slug), storage.open_store(wanted)
        )
    except Trouble as trouble:
        wait = trouble.after_seconds if isinstance(trouble, Busy) else 0
        with connected():
            lookups.give_up(track_id, trouble.sentence, again=trouble.again, after_seconds=wait)
        return
    with connected():
        lookups.fill_in(
            track_id,
            title=facts.title,
            artist=facts.artist,
            album=facts.album,
            genre=facts.genre,
            duration_ms=facts.duration_ms,
            is_video=facts.is_video,
            mime=facts.mime,
            reference=facts.reference,
            player=facts.player,
            cover_file=cover.file,
            hue=cover.hue,
        )


def _facts(track_id: int, reference: Reference, wanted: Settings) -> Facts:
    """What its provider knows; of Spotify, what an account that is connected may be told."""
    if reference.provider == "spotify":
        return spotify.look_up(track_id, reference, wanted)
    return registry.fetch(reference, wanted)


def _picture(facts: Facts, wanted: Settings) -> bytes | None:
    """The cover that the provider names; without one, or when it cannot be had, one is drawn."""
    if not facts.cover_url:
        return None
    try:
        answer = fetch(facts.cover_url, wanted, accept=PICTURES, most_bytes=COVER_BYTES)
    except Trouble as trouble:
        logger.info("no cover: %s", trouble.sentence)
        return None
    return answer.body if answer.status == 200 else None


def _file_key(slug: str) -> str:
    """A name for files, in the letters that storage allows."""
    return f"link-{hashlib.blake2b(slug.encode(), digest_size=10).hexdigest()}"
