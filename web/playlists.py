"""Saved playlists by URL: one's own, shared ones, files in and out. Those of a room: web/playlist_rooms.py."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from media import lists
from party import importing, playlist_views, playlists
from party.errors import Invalid
from party.playlists import Line
from web.addresses import HIGHEST_ID, public_address
from web.answers import whole_number
from web.guard import is_htmx, theme
from web.list_files import download, recognised, sent_list
from web.playlist_rooms import room_lists
from web.viewer import actor, viewer

playlist_pages = Blueprint("playlists", __name__)
playlist_pages.register_blueprint(room_lists)
Answer = Response | str
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
    known = viewer()
    cards = playlist_views.mine(actor()) if known else []
    gone = whole_number("gone", required=False, high=HIGHEST_ID)
    return _page("playlists", cards=cards, **_undo("Deleted.", gone and f"/playlists/{gone}/restoration"))


@playlist_pages.post("/playlists")
def create_playlist() -> Answer:
    """Begin an empty playlist."""
    made = playlists.create_playlist(actor(), request.form.get("name", ""))
    return redirect(f"/playlists/{made}", 303)


@playlist_pages.get("/playlists/import")
def show_import() -> Answer:
    """The form for a file or a pasted list."""
    return _page("playlist_import", most=lists.MOST_ROWS)


@playlist_pages.post("/playlists/import")
def import_playlist() -> Answer:
    """Make a playlist of a file or of what was pasted; its matching page follows."""
    person, found, name = actor(), sent_list(), request.form.get("name", "").strip()
    file = request.files.get("file")
    name = name or found.name or (file and (file.filename or "").rsplit(".", 1)[0]) or "From a file"
    slugs = {link: f"{known.provider}-{known.key}" for link, known in recognised(r.link for r in found.rows)}
    lines = [Line(row.title, row.artist, row.album, row.duration_ms, row.link) for row in found.rows]
    made, sure = importing.import_lines(person, name[: playlists.NAME_LONGEST], lines, slugs)
    return redirect(f"/playlists/{made}" + ("" if sure == len(lines) else "/matches"), 303)


@playlist_pages.get(OWN)
def show_playlist(playlist_id: int) -> Answer:
    """A page of one's own playlist."""
    view = playlist_views.view(actor(), playlist_id, _number("page", 1))
    gone = whole_number("gone", required=False, high=HIGHEST_ID)
    undo = gone and f"/playlists/{playlist_id}/entries/{gone}/restoration"
    others = [card for card in playlist_views.mine(actor()) if card.id != playlist_id]
    link = public_address(f"/playlists/shared/{view.token}") if view.token else ""
    return _page("playlist", playlist=view, others=others, link=link, **_undo("Taken out.", undo))


@playlist_pages.post(OWN)
def rename_playlist(playlist_id: int) -> Answer:
    """Another name."""
    playlists.rename_playlist(actor(), playlist_id, request.form.get("name", ""))
    return redirect(f"/playlists/{playlist_id}", 303)


@playlist_pages.post(f"{OWN}/removal")
def delete_playlist(playlist_id: int) -> Answer:
    """Take it away; the list offers to bring it back."""
    playlists.delete_playlist(actor(), playlist_id)
    return redirect(f"/playlists?gone={playlist_id}", 303)


@playlist_pages.post(f"{OWN}/restoration")
def restore_playlist(playlist_id: int) -> Answer:
    """Bring it back."""
    playlists.restore_playlist(actor(), playlist_id)
    return _moved_to("/playlists")


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
    source = playlists.own(actor(), playlist_id)
    target, _ = playlists.copy_playlist(actor(), source, _number("to", 0))
    return redirect(f"/playlists/{target}", 303)


@playlist_pages.post(f"{OWN}/entries")
def add_track(playlist_id: int) -> Answer:
    """Put a track of the library at the end."""
    title = playlists.add_track(actor(), playlist_id, _number("track_id"))
    return _answer(playlist_id, f"{title} is in.")


@playlist_pages.post(f"{ENTRY}/removal")
def remove_entry(playlist_id: int, entry_id: int) -> Answer:
    """Take a track out; the answer offers to undo it."""
    title = playlists.remove_entry(actor(), playlist_id, entry_id)
    undo = f"/playlists/{playlist_id}/entries/{entry_id}/restoration?page={_number('page', 1)}"
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
    title, name = playlists.copy_entry(actor(), playlist_id, entry_id, _number("to"))
    return _answer(playlist_id, f"{title} is in {name} too.")


@playlist_pages.get(f"{OWN}/matches")
def show_matches(playlist_id: int) -> Answer:
    """The lines that are words only, each with what it may mean; with `entry` and `search` what words find."""
    entry, words = whole_number("entry", required=False, high=HIGHEST_ID), request.args.get("search", "")
    found = importing.search(actor(), words) if words.strip() else []
    view, offers = playlist_views.view(actor(), playlist_id), importing.offers(actor(), playlist_id)
    plays = {link for link, _ in recognised(row.link for row in offers.rows)}
    return _page(
        "playlist_match",
        playlist=view,
        offers=offers,
        plays=plays,
        entry=entry,
        search=words[:200],
        found=found,
    )


@playlist_pages.post(f"{ENTRY}/match")
def match_entry(playlist_id: int, entry_id: int) -> Answer:
    """Say which track a line means; without one it is words again."""
    track_id = whole_number("track_id", required=False, high=HIGHEST_ID)
    playlists.match_entry(actor(), playlist_id, entry_id, track_id)
    return redirect(f"/playlists/{playlist_id}/matches", 303)


@playlist_pages.get(f"{OWN}/export.<format>")
def export_playlist(playlist_id: int, format: str) -> Response:
    """The playlist as a file."""
    playlist = playlists.own(actor(), playlist_id)
    return download(str(playlist.name), playlist_views.lines(playlist), format)


@playlist_pages.get("/playlists/shared/<token>")
def show_shared(token: str) -> Answer:
    """A playlist as whoever has its link sees it."""
    view = playlist_views.shared(token[:64], _number("page", 1))
    return _page("playlist_shared", playlist=view, token=token[:64])


@playlist_pages.post("/playlists/shared/<token>/copies")
def copy_shared(token: str) -> Answer:
    """Copy a shared playlist among one's own."""
    target, _ = playlists.copy_playlist(actor(), playlists.shared(token[:64]))
    return redirect(f"/playlists/{target}", 303)


def _answer(playlist_id: int, message: str = "", undo: str = "", gone: int | None = None) -> Answer:
    """The piece of the list that the screen shows, as it is now; for plain forms the page."""
    page = _number("page", 1)
    if not is_htmx():
        return redirect(f"/playlists/{playlist_id}?page={page}" + (f"&gone={gone}" if gone else ""), 303)
    view = playlist_views.view(actor(), playlist_id, page)
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


def _page(name: str, **values: Any) -> str:
    known = viewer()
    values = {"message": "", "undo": None, "oob": ""} | values
    return render_template(f"pages/{name}.html", theme=theme(), me=known, **values)


def _undo(message: str, address: str | int | None) -> dict[str, Any]:
    """What was taken away can be brought back from the page that follows."""
    return {"message": message, "undo": {"url": address, "label": "Undo"}} if address else {}


def _number(name: str, default: int | None = None) -> int:
    found = whole_number(name, required=default is None, high=HIGHEST_ID)
    return found if found is not None else int(default or 0)
