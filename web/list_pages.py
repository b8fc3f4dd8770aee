"""The pages of playlists as they are shown: whole, and again with what was wrong with a form of theirs."""

from __future__ import annotations

from typing import Any

from flask import render_template

from media import lists
from party import importing, playlist_views, putting_on, rooms
from party.playlist_views import PlaylistView
from web.addresses import HIGHEST_ID, public_address
from web.answers import whole_number
from web.guard import theme
from web.list_files import playing
from web.viewer import actor, viewer


def list_page(**values: Any) -> str:
    """One's own playlists; a guest reads how to get some."""
    cards, deleted = (playlist_views.mine(actor()), playlist_views.deleted(actor())) if viewer() else ([], [])
    return page("playlists", cards=cards, deleted=deleted, **values)


def import_page(**values: Any) -> str:
    """The form for a file or a pasted list."""
    limits = {"most": lists.MOST_ROWS, "most_bytes": lists.MOST_BYTES, "too_much": lists.TOO_MUCH}
    return page("playlist_import", **limits, **values)


def own_page(playlist_id: int, **values: Any) -> str:
    """One of one's own. Raises NotFound, NotAllowed for a guest."""
    person = actor()
    view = seen(playlist_id, number("page", 1))
    others = [card for card in playlist_views.mine(person) if card.id != playlist_id]
    link = public_address(f"/playlists/shared/{view.token}") if view.token else ""
    lines = rooms.open_rooms_of(person.user_id) if view.count else []
    return page("playlist", playlist=view, others=others, link=link, rooms=lines, **values)


def match_page(playlist_id: int, entry: int | None = None, search: str = "", **values: Any) -> str:
    """What its words may mean, or what is found for more of it. Raises NotFound, NotAllowed for a guest."""
    found = importing.search(actor(), search) if search.strip() else []
    person, plays = actor(), _playing_of(playlist_id)
    view, offers = (
        playlist_views.view(person, playlist_id, plays=plays),
        importing.offers(person, playlist_id),
    )
    shown = {"entry": entry, "search": search, "found": found}
    return page("playlist_match", playlist=view, offers=offers, plays=plays, **shown, **values)


def seen(playlist_id: int, page: int = 1) -> PlaylistView:
    """A page of one of one's own, where lines that play from their link are known. Raises NotFound, NotAllowed."""
    return playlist_views.view(actor(), playlist_id, page, _playing_of(playlist_id))


def page(name: str, **values: Any) -> str:
    """A page of playlists; what it is not given is empty."""
    values = {"message": "", "undo": None, "oob": "", "form": {}, "errors": {}} | values
    return render_template(f"pages/{name}.html", theme=theme(), me=viewer(), **values)


def _playing_of(playlist_id: int) -> frozenset[str]:
    return playing(putting_on.unknown_links(actor(), playlist_id))


def number(name: str, default: int | None = None) -> int:
    """A whole number of the form or the address. Raises Invalid where it is missing and has no default."""
    found = whole_number(name, required=default is None, high=HIGHEST_ID)
    return found if found is not None else int(default or 0)
