"""Somebody’s own media servers by URL: connected, looked into from a room, put on its line, disconnected."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from media import registry, servers
from media.provider import Trouble
from party import source_shelf, sources
from party.change import Person
from party.errors import Invalid
from party.views import Snapshot
from web.addresses import HIGHEST_ID
from web.answers import Answer, command, room_code, tried, whole_number
from web.guard import is_htmx, theme
from web.suggestions import WAITING
from web.viewer import actor, viewer

source_pages = Blueprint("sources", __name__)
ONE = f"/sources/<int(max={HIGHEST_ID}):source_id>"
SHELF = "/rooms/<code>/shelf"
LISTS = ("albums", "playlists")


@source_pages.get("/sources")
def show_sources() -> Answer:
    """One's own libraries, and the form that connects one; for our scripts the list alone."""
    known = viewer()
    if known is None:
        return redirect("/sign-in?next=/sources", 302)
    if is_htmx():
        return fragments.render("fragments/source_list.html", sources=sources.mine(known.user_id), oob="")
    return _own_page()


@source_pages.post("/sources")
def connect_source() -> Answer:
    """Connect a server; the worker sees whether its keys are good."""
    return tried(_connect, _own_page)


@source_pages.post(f"{ONE}/sign-in")
def sign_in_again(source_id: int) -> Answer:
    """Another password or key for a server, or another try with the same."""
    return tried(lambda: _sign_in_again(source_id), _own_page)


@source_pages.post(f"{ONE}/disconnection")
def disconnect_source(source_id: int) -> Answer:
    """Forget a server and its keys."""
    sources.disconnect(actor(), source_id)
    return _back()


@source_pages.get(SHELF)
def show_shelf(code: str) -> Answer:
    """One's own libraries, to look into from a room."""
    person, room = actor(), fragments.current(room_code(code))
    values = {"sources": sources.mine(person.user_id), "shelf": None, "code": room.code, "oob": ""}
    if is_htmx():
        return fragments.render("fragments/source_shelf.html", **values)
    return _page(room, values)


@source_pages.post(SHELF)
def look_into_source(code: str) -> Answer:
    """Ask a library for words, or for one of its lists; the answer comes by and by."""
    person, room = actor(), room_code(code)
    source_id, listed = whole_number("source", high=HIGHEST_ID) or 0, request.form.get("list", "")
    words = f"{listed}:0" if listed in LISTS else request.form.get("words", "").strip()
    search_id = source_shelf.ask(person, room, source_id, words or f"{LISTS[0]}:0")
    if not is_htmx():
        return redirect(f"/rooms/{room}/shelf/{search_id}", 303)
    return _rows(person, room, search_id, fragments.IN_PLACE)


@source_pages.get(f"{SHELF}/<int(max={HIGHEST_ID}):search_id>")
def show_answer(code: str, search_id: int) -> Answer:
    """What a library showed so far: a piece for our scripts, a whole page otherwise."""
    person, room = actor(), fragments.current(room_code(code))
    if is_htmx():
        return _rows(person, room.code, search_id)
    view = source_shelf.look(person, search_id, room)
    values = {"sources": sources.mine(person.user_id), "shelf": view, "code": room.code, "oob": ""}
    return _page(room, values)


@source_pages.post(f"{SHELF}/<int(max={HIGHEST_ID}):search_id>/tracks")
def put_on_from_source(code: str, search_id: int) -> Answer:
    """Put a track of what was shown on the line; without one all of the album or playlist."""
    item, told = request.form.get("item", ""), [""]

    def act(room: str) -> None:
        done = source_shelf.put_on(actor(), room, search_id, item)
        told[0] = done.sentence if not item else WAITING if done.suggested else ""

    def more() -> str:
        # What was just put on is marked so.
        return _rows(actor(), room_code(code), search_id, fragments.IN_PLACE)

    return command(code, act, more, said=lambda: told[0])


def _rows(person: Person, code: str, search_id: int, oob: str = "") -> str:
    room = fragments.current(code)
    view = source_shelf.look(person, search_id, room)
    return fragments.render("fragments/source_rows.html", shelf=view, code=room.code, oob=oob)


def _connect() -> Answer:
    form, wanted, kind = request.form, current_app.config["SETTINGS"], request.form.get("kind", "")
    try:
        registry.server(kind, wanted)
        address = servers.clean_address(form.get("address", ""), wanted)
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
    sources.connect(
        actor(),
        kind=kind,
        address=address,
        username=form.get("username", ""),
        secret=form.get("secret", ""),
        private_hosts=wanted.private_hosts,
    )
    return _back()


def _sign_in_again(source_id: int) -> Answer:
    sources.sign_in_again(actor(), source_id, request.form.get("secret", ""))
    return _back()


def _own_page(message: str = "") -> str:
    """The page of one's own libraries; what was typed comes back with what was wrong with it, but for passwords."""
    known, off = viewer(), current_app.config["SETTINGS"].providers_off
    return render_template(
        "pages/sources.html",
        theme=theme(),
        me=known,
        kinds={kind: title for kind, title in sources.KINDS.items() if kind not in off},
        sources=sources.mine(known.user_id) if known else (),
        form=request.form,
        message=message,
        undo=None,
        oob="",
    )


def _page(room: Snapshot, values: dict[str, Any]) -> str:
    return render_template("pages/source_room.html", theme=theme(), me=viewer(), room=room, **values)


def _back() -> Response:
    if not is_htmx():
        return redirect("/sources", 303)
    answer = Response("", mimetype="text/html")
    answer.headers["HX-Redirect"] = "/sources"
    return answer
