"""Saved playlists by URL: one's own, shared ones, files in and out. Those of a room: web/playlist_rooms.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

import fragments
from media import lists
from party import importing, playlist_views, playlists
from party.change import Person
from party.errors import Invalid
from party.playlists import Line
from web import list_pages
from web.addresses import HIGHEST_ID
from web.answers import Answer, tried, whole_number
from web.guard import is_htmx
from web.list_files import download, recognised, sent_list
from web.list_pages import number
from web.playlist_rooms import put_all_on, room_lists
from web.viewer import actor

playlist_pages = Blueprint("playlists", __name__)
playlist_pages.register_blueprint(room_lists)
OWN = f"/playlists/<int(max={HIGHEST_ID}):playlist_id>"
ENTRY = f"{OWN}/entries/<int(max={HIGHEST_ID}):entry_id>"


MOST_FORM = lists.MOST_BYTES * 3 // 2
"""More than a file may have, so that a little too much is answered with a sentence."""


@playlist_pages.url_value_preprocessor
def allow_more(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything is read: a list may be longer than other forms."""
    if endpoint == "playlists.import_playlist":
        request.max_content_length = request.max_form_memory_size = MOST_FORM


@playlist_pages.get("/playlists")
def show_playlists() -> Answer:
    """One's own playlists; a guest reads how to get some."""
    gone = whole_number("gone", required=False, high=HIGHEST_ID)
    return list_pages.list_page(**_undo("Deleted.", gone and f"/playlists/{gone}/restoration"))


@playlist_pages.post("/playlists")
def create_playlist() -> Answer:
    """Begin an empty playlist."""
    person, name = actor(), request.form.get("name", "")

    def act() -> Answer:
        return redirect(f"/playlists/{playlists.create_playlist(person, name)}", 303)

    return tried(act, lambda said: list_pages.list_page(form=request.form, errors={"name": said}))


@playlist_pages.get("/playlists/import")
def show_import() -> Answer:
    """The form for a file or a pasted list."""
    return list_pages.import_page()


@playlist_pages.post("/playlists/import")
def import_playlist() -> Answer:
    """Make a playlist of a file or of what was pasted; its matching page follows."""
    person, form, file = actor(), request.form, request.files.get("file")
    sent = file.filename or "" if file else ""

    def again(field: str) -> Callable[[str], str]:
        return lambda said: list_pages.import_page(form=form, errors={field: said})

    def act() -> Answer:
        found = sent_list()
        name = form.get("name", "").strip() or found.name or sent.rsplit(".", 1)[0] or "From a file"
        return tried(lambda: _brought(person, name, found), again("name"))

    return tried(act, again("text" if form.get("text") and not sent else "file"))


@playlist_pages.get(OWN)
def show_playlist(playlist_id: int) -> Answer:
    """A page of one's own playlist."""
    gone = whole_number("gone", required=False, high=HIGHEST_ID)
    undo = gone and f"/playlists/{playlist_id}/entries/{gone}/restoration"
    return list_pages.own_page(playlist_id, **_undo("Taken out.", undo))


@playlist_pages.post(OWN)
def rename_playlist(playlist_id: int) -> Answer:
    """Another name."""
    name = request.form.get("name", "")

    def act() -> Answer:
        playlists.rename_playlist(actor(), playlist_id, name)
        return redirect(f"/playlists/{playlist_id}", 303)

    return tried(act, lambda said: list_pages.own_page(playlist_id, form=request.form, errors={"name": said}))


@playlist_pages.post(f"{OWN}/removal")
def delete_playlist(playlist_id: int) -> Answer:
    """Take it away; the list offers to bring it back."""
    playlists.delete_playlist(actor(), playlist_id)
    return redirect(f"/playlists?gone={playlist_id}", 303)


@playlist_pages.post(f"{OWN}/restoration")
def restore_playlist(playlist_id: int) -> Answer:
    """Bring it back."""

    def act() -> Answer:
        playlists.restore_playlist(actor(), playlist_id)
        return _moved_to("/playlists")

    return tried(act, lambda said: list_pages.list_page(message=said))


@playlist_pages.post(f"{OWN}/sharing")
def share_playlist(playlist_id: int) -> Answer:
    """A link for others (on), another one (anew), or none (off)."""
    wish = request.form.get("share", "")
    if wish not in ("on", "anew", "off"):
        raise Invalid("A link is made, made anew, or taken back.")
    if wish == "off":
        playlists.stop_sharing(actor(), playlist_id)
    else:
        playlists.share_playlist(actor(), playlist_id, anew=wish == "anew")
    return redirect(f"/playlists/{playlist_id}#sharing", 303)


@playlist_pages.post(f"{OWN}/copies")
def copy_playlist(playlist_id: int) -> Answer:
    """Copy all of it into another of one's own, or into a new one."""

    def act() -> Answer:
        source = playlists.own(actor(), playlist_id)
        target, _ = playlists.copy_playlist(actor(), source, number("to", 0))
        return redirect(f"/playlists/{target}", 303)

    return tried(act, lambda said: list_pages.own_page(playlist_id, message=said))


@playlist_pages.post(f"{OWN}/line")
def put_on_line_of(playlist_id: int) -> Answer:
    """Put all of it on the line of a room that the form names; the room follows."""
    code = request.form.get("room", "")

    def again(said: str) -> str:
        return list_pages.own_page(playlist_id, form=request.form, errors={"room": said})

    return tried(lambda: put_all_on(code, playlist_id), again)


@playlist_pages.post(f"{OWN}/entries")
def add_track(playlist_id: int) -> Answer:
    """Put a track of the library at the end."""

    def act() -> Answer:
        title = playlists.add_track(actor(), playlist_id, number("track_id"))
        return _answer(playlist_id, f"{title} is in.")

    return tried(act, lambda said: list_pages.own_page(playlist_id, message=said))


@playlist_pages.post(f"{ENTRY}/removal")
def remove_entry(playlist_id: int, entry_id: int) -> Answer:
    """Take a track out; the answer offers to undo it."""
    title = playlists.remove_entry(actor(), playlist_id, entry_id)
    undo = f"/playlists/{playlist_id}/entries/{entry_id}/restoration?page={number('page', 1)}"
    return _answer(playlist_id, f"Removed {title}.", undo, gone=entry_id)


@playlist_pages.post(f"{ENTRY}/restoration")
def restore_entry(playlist_id: int, entry_id: int) -> Answer:
    """Undo it."""
    playlists.restore_entry(actor(), playlist_id, entry_id)
    return _answer(playlist_id)


@playlist_pages.post(f"{ENTRY}/move")
def move_entry(playlist_id: int, entry_id: int) -> Answer:
    """Put a track right after another, or first."""
    after = whole_number("after", required=False, high=HIGHEST_ID)
    playlists.move_entry(actor(), playlist_id, entry_id, after or None)
    return _answer(playlist_id)


@playlist_pages.post(f"{ENTRY}/copies")
def copy_entry(playlist_id: int, entry_id: int) -> Answer:
    """Put it into another playlist as well."""
    title, name = playlists.copy_entry(actor(), playlist_id, entry_id, number("to"))
    return _answer(playlist_id, f"{title} is in {name} too.")


@playlist_pages.get(f"{OWN}/matches")
def show_matches(playlist_id: int) -> Answer:
    """The lines that are words only, each with what it may mean; with `entry` and `search` what words find."""
    entry, words = whole_number("entry", required=False, high=HIGHEST_ID), request.args.get("search", "")
    return list_pages.match_page(playlist_id, entry, words[:200])


@playlist_pages.post(f"{ENTRY}/match")
def match_entry(playlist_id: int, entry_id: int) -> Answer:
    """Say which track a line means; without one it is words again."""
    track_id = whole_number("track_id", required=False, high=HIGHEST_ID)

    def act() -> Answer:
        playlists.match_entry(actor(), playlist_id, entry_id, track_id)
        return redirect(f"/playlists/{playlist_id}/matches", 303)

    return tried(act, lambda said: list_pages.match_page(playlist_id, message=said))


@playlist_pages.get(f"{OWN}/export.<format>")
def export_playlist(playlist_id: int, format: str) -> Response:
    """The playlist as a file."""
    playlist = playlists.own(actor(), playlist_id)
    return download(str(playlist.name), playlist_views.lines(playlist), format)


@playlist_pages.get("/playlists/shared/<token>")
def show_shared(token: str) -> Answer:
    """A playlist as whoever has its link sees it."""
    view = playlist_views.shared(token[:64], number("page", 1))
    return list_pages.page("playlist_shared", playlist=view, token=token[:64])


@playlist_pages.post("/playlists/shared/<token>/copies")
def copy_shared(token: str) -> Answer:
    """Copy a shared playlist among one's own."""
    target, _ = playlists.copy_playlist(actor(), playlists.shared(token[:64]))
    return redirect(f"/playlists/{target}", 303)


def _brought(person: Person, name: str, found: lists.Listing) -> Answer:
    slugs = {link: f"{known.provider}-{known.key}" for link, known in recognised(r.link for r in found.rows)}
    lines = [Line(row.title, row.artist, row.album, row.duration_ms, row.link) for row in found.rows]
    made, sure = importing.import_lines(person, name[: playlists.NAME_LONGEST], lines, slugs)
    return redirect(f"/playlists/{made}" + ("" if sure == len(lines) else "/matches"), 303)


def _answer(playlist_id: int, message: str = "", undo: str = "", gone: int | None = None) -> Answer:
    """The piece of the list that the screen shows, as it is now; for plain forms the page."""
    page = number("page", 1)
    if not is_htmx():
        return redirect(f"/playlists/{playlist_id}?page={page}" + (f"&gone={gone}" if gone else ""), 303)
    view = list_pages.seen(playlist_id, page)
    pieces = [
        fragments.render(f"fragments/{name}.html", playlist=view, oob=fragments.IN_PLACE)
        for name in ("playlist_sum", "playlist_entries")
    ]
    return "".join(pieces) + fragments.notice(message, undo, "Undo")


def _moved_to(address: str) -> Response:
    """On to another page, also where a script of ours asked."""
    if not is_htmx():
        return redirect(address, 303)
    answer = Response("", mimetype="text/html")
    answer.headers["HX-Redirect"] = address
    return answer


def _undo(message: str, address: str | int | None) -> dict[str, Any]:
    """What was taken away can be brought back from the page that follows."""
    return {"message": message, "undo": {"url": address, "label": "Undo"}} if address else {}
