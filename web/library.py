"""The library's page."""

from __future__ import annotations

from flask import Blueprint, render_template, request

import fragments
from party import library, rooms, snapshot
from party.errors import Invalid
from web.answers import room_code
from web.guard import is_htmx, theme
from web.viewer import viewer

library_pages = Blueprint("library", __name__)


@library_pages.get("/library")
def show_library() -> str:
    """A page of the library: a piece for our scripts, a whole page otherwise."""
    page = request.args.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) <= 6):
        raise Invalid("There is no such page.")
    code = room_code(request.args["room"]) if request.args.get("room") else _own_room()
    room = snapshot.take(code) if code else None
    known = viewer()
    view = library.browse(
        request.args.get("search", ""),
        request.args.get("genre", ""),
        request.args.get("ordering", "title"),
        int(page),
        room,
        known.user_id if known else None,
    )
    if is_htmx():
        return fragments.render("fragments/library.html", library=view, room=room, oob="")
    return render_template("pages/library.html", theme=theme(), library=view, room=room, oob="", me=viewer())


def _own_room() -> str | None:
    """The newest open room of whoever asks, for a library opened on its own."""
    known = viewer()
    own = rooms.open_rooms_of(known.user_id) if known else []
    return own[0].code if own else None
