"""Searching everywhere at once: the own library first, the others as they answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from media import registry
from media import spotify as spotify_links
from party import library, searching, spotify_finding
from party.searching import AnswerView
from party.views import Snapshot
from web.addresses import HIGHEST_ID
from web.answers import room_code, whole_number
from web.guard import is_htmx, theme
from web.viewer import actor, viewer

search_pages = Blueprint("search", __name__)


@dataclass(frozen=True, slots=True)
class Block:
    """What one source said to a search, with the source's name to people."""

    search_id: int
    title: str
    answer: AnswerView


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What lies beyond the library: still to be asked (no blocks), or asked. `key` tells words from other words."""

    key: str
    blocks: tuple[Block, ...] = ()


@search_pages.get("/rooms/<code>/search")
def search_everywhere(code: str) -> str:
    """The library's tracks for these words, and what others have: to be asked yet, or as far as they answered."""
    room, known = fragments.current(room_code(code)), viewer()
    user_id = known.user_id if known else None
    words, form = request.args.get("search", ""), request.args
    view = library.browse(words, form.get("genre", ""), form.get("ordering", "title"), _page(), room, user_id)
    asked = whole_number("asked", required=False, high=HIGHEST_ID)
    elsewhere = _asked(asked, room, user_id) if asked and user_id else _to_ask(words, room, user_id)
    values = {"library": view, "room": room, "elsewhere": elsewhere, "oob": ""}
    if is_htmx():
        return fragments.render("fragments/library.html", **values)
    return render_template("pages/library.html", theme=theme(), me=known, **values)


@search_pages.post("/searches")
def ask() -> Response | str:
    """Ask everybody else for some words."""
    person, code = actor(), room_code(request.form.get("room", ""))
    words = request.form.get("search", "")
    room = fragments.current(code)
    search_id = searching.ask(person, code, words, _sources(room, person.user_id))
    if not is_htmx():
        return _back(code, words, search_id)
    elsewhere = _asked(search_id, room, person.user_id)
    return fragments.render("fragments/elsewhere.html", elsewhere=elsewhere, room=room, oob="")


@search_pages.get(f"/searches/<int(max={HIGHEST_ID}):search_id>/<source>")
def look(search_id: int, source: str) -> Response | str:
    """What one source said by now."""
    person = actor()
    room = fragments.current(room_code(searching.room_code_of(person.user_id, search_id)))
    found = searching.look(person.user_id, search_id, room, source)
    if not is_htmx():
        return _back(room.code, found.words, search_id)
    [block] = _blocks(found)
    return fragments.render("fragments/search_source.html", block=block, room=room, oob="")


def _page() -> int:
    return whole_number("page", required=False, low=1, high=100_000) or 1


def _sources(room: Snapshot, user_id: int | None) -> tuple[str, ...]:
    """Who can be asked: the catalogues that are open to everybody, and Spotify by one's own account or the host's."""
    wanted = current_app.config["SETTINGS"]
    names = tuple(each.name for each in registry.searched(wanted))
    if user_id is None or not registry.is_on(spotify_links.PROVIDER, wanted):
        return names
    return (*names, "spotify") if spotify_finding.account_for_room(user_id, room.id) else names


def _to_ask(words: str, room: Snapshot, user_id: int | None) -> Elsewhere | None:
    """What the page asks for next, where this person may, and somebody can be asked."""
    is_link = "://" in words
    may_ask = room.state != "EXPIRED" and room.settings.links and bool(_sources(room, user_id))
    if not may_ask or is_link or not searching.is_searchable(words):
        return None
    if user_id is None or fragments.own_share(room.code, user_id) is None:
        return None
    return Elsewhere(hashlib.sha256(words.encode(errors="replace")).hexdigest()[:16])


def _asked(search_id: int, room: Snapshot, user_id: int) -> Elsewhere:
    found = searching.look(user_id, search_id, room)
    return Elsewhere(str(found.id), _blocks(found))


def _blocks(found: searching.SearchView) -> tuple[Block, ...]:
    titles = {each.name: each.title for each in registry.PROVIDERS}
    return tuple(
        Block(found.id, titles.get(answer.source, answer.source), answer) for answer in found.answers
    )


def _back(code: str, words: str, search_id: int) -> Response:
    return redirect(f"/rooms/{code}/search?{urlencode({'search': words, 'asked': search_id})}", 303)
