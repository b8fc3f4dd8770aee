"""Asking catalogues elsewhere, one task for each source."""

from __future__ import annotations

from dataclasses import asdict

from config import Settings, settings
from media import registry, thumbnails
from media.provider import Trouble
from party import searching
from party.change import connected
from tasks import spotify
from tasks.outside import goes_outside


@goes_outside("ask_source")
def ask_source(answer_id: int) -> None:
    """Ask one source for the words of a search. Answered meanwhile: nothing."""
    ask_source_here(answer_id, settings)


def ask_source_here(answer_id: int, wanted: Settings) -> None:
    """The same, with these settings. No connection is held while others are asked."""
    with connected():
        asked = searching.claim(answer_id)
    if asked is None:
        return
    source, words = asked
    try:
        if source == "spotify":
            found = spotify.search(answer_id, words, wanted)
        else:
            found = registry.search(source, words, wanted)
        covers = thumbnails.of([row.cover_url for row in found], wanted)
    except Trouble as trouble:
        with connected():
            searching.give_up(answer_id, trouble.sentence)
        return
    with connected():
        searching.fill_in(
            answer_id,
            [asdict(row) | {"cover": cover} for row, cover in zip(found, covers, strict=True)],
        )
