"""Asking people's own media servers: whether their keys are good, what they have, and for covers.

No connection to the database is held while they are asked, and nothing of theirs is logged.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from config import Settings, settings
from media import artwork, registry, storage
from media.provider import Trouble
from media.servers import Login, SignInAgain
from party import source_shelf, sources
from party.change import connected
from party.sources import Coverless
from tasks.outside import goes_outside


@goes_outside("check_source")
def check_source(source_id: int) -> None:
    """Look at a server that was connected. Looked at already: nothing."""
    check_source_here(source_id, settings)


def check_source_here(source_id: int, wanted: Settings) -> None:
    """The same, with these settings."""
    with connected():
        keys = sources.claim(source_id)
    if keys is None:
        return
    try:
        kept = registry.server(keys.kind, wanted).sign_in(Login(**keys.login), wanted)
    except Trouble as trouble:
        with connected():
            sources.found_bad(keys, trouble.sentence)
        return
    with connected():
        sources.found_good(keys, password=kept.password, key=kept.key, user=kept.user)


@goes_outside("browse_source")
def browse_source(answer_id: int) -> None:
    """Ask a server what it has for the words of a question. Answered already: nothing."""
    browse_source_here(answer_id, settings)


def browse_source_here(answer_id: int, wanted: Settings) -> None:
    """The same, with these settings."""
    with connected():
        asked = source_shelf.claim(answer_id)
    if asked is None:
        return
    keys, words = asked
    try:
        page = registry.server(keys.kind, wanted).browse(Login(**keys.login), words, wanted)
    except Trouble as trouble:
        with connected():
            if isinstance(trouble, SignInAgain):
                sources.found_bad(keys, trouble.sentence)
            source_shelf.give_up(answer_id, trouble.sentence)
        return
    with connected():
        source_shelf.fill_in(answer_id, [asdict(row) for row in page.rows], page.title, page.more)


@goes_outside("fetch_cover")
def fetch_cover(track_id: int) -> None:
    """Fetch the cover of a track from where it comes from, or draw one. It has one already: nothing."""
    fetch_cover_here(track_id, settings)


def fetch_cover_here(track_id: int, wanted: Settings) -> None:
    """The same, with these settings. What may be had later is left to the sweep."""
    with connected():
        coverless = sources.claim_cover(track_id)
    if coverless is None:
        return
    try:
        picture = _picture(coverless, wanted)
        # A server that is connected later may get an earlier one's number, and its tracks their names.
        name = f"{coverless.slug} {coverless.added_at}"
        key = f"source-{hashlib.blake2b(name.encode(), digest_size=10).hexdigest()}"
        cover = artwork.keep_cover(picture, coverless.slug, key, storage.open_store(wanted))
    except Trouble:
        return
    with connected():
        sources.cover_found(track_id, cover.file, cover.hue)


def _picture(coverless: Coverless, wanted: Settings) -> bytes | None:
    """The cover that the server has; nothing when there is none. Raises Trouble where trying again may help."""
    if coverless.keys is None:
        return None
    try:
        client = registry.server(coverless.keys.kind, wanted)
        return client.picture(Login(**coverless.keys.login), coverless.item, wanted)
    except Trouble as trouble:
        if trouble.again:
            raise
        return None
