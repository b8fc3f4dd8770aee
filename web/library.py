"""The library's page and its files."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, current_app, render_template, request, send_from_directory
from werkzeug.wrappers import Response

import fragments
from party import library, rooms, snapshot
from party.errors import Invalid, NotFound
from web.answers import room_code
from web.guard import is_htmx, theme
from web.viewer import viewer

library_pages = Blueprint("library", __name__)
YEAR_SECONDS = 31_536_000
TYPES = {".mp3": "audio/mpeg", ".webp": "image/webp"}


@library_pages.get("/library")
def show_library() -> str:
    """A page of the library: a piece for our scripts, a whole page otherwise."""
    page = request.args.get("page", "1")
    if not (page.isascii() and page.isdigit() and len(page) <= 6):
        raise Invalid("There is no such page.")
    code = room_code(request.args["room"]) if request.args.get("room") else _own_room()
    room = snapshot.take(code) if code else None
    view = library.browse(
        request.args.get("search", ""),
        request.args.get("genre", ""),
        request.args.get("ordering", "title"),
        int(page),
        room,
    )
    if is_htmx():
        return fragments.render("fragments/library.html", library=view, room=room, oob="")
    return render_template("pages/library.html", theme=theme(), library=view, room=room, oob="", me=viewer())


@library_pages.get("/tracks/<int:track_id>/audio")
def send_audio(track_id: int) -> Response:
    """The sound, by ranges."""
    return _send(library.files(_possible(track_id))[0])


@library_pages.get("/tracks/<int:track_id>/cover")
def send_cover(track_id: int) -> Response:
    """The cover."""
    return _send(library.files(_possible(track_id))[1])


def _own_room() -> str | None:
    """The newest open room of whoever asks, for a library opened on its own."""
    known = viewer()
    own = rooms.open_rooms_of(known.user_id) if known else []
    return own[0].code if own else None


def _possible(track_id: int) -> int:
    if track_id >= 2**31:
        raise NotFound("That track is not in the library.")
    return track_id


def _send(name: str) -> Response:
    """A file of the media folder with Range, ETag and its type; an address with a version never changes."""
    folder = current_app.config["SETTINGS"].data_dir / "media"
    # Said by us: what a system knows of file types differs, and browsers must not guess.
    kind = TYPES.get(Path(name).suffix, "application/octet-stream")
    response = send_from_directory(folder, name, mimetype=kind, conditional=True)
    kept = f"public, max-age={YEAR_SECONDS}, immutable" if request.args.get("v") else "no-cache"
    response.headers["Cache-Control"] = kept
    response.headers["Accept-Ranges"] = "bytes"
    return response
