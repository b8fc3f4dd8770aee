"""Playlists in a room by URL: putting one on its line, keeping its music, files of it, and what plays on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from party import playing_on, playlist_views, playlists, putting_on
from party.errors import Invalid, NotFound
from web.addresses import HIGHEST_ID
from web.answers import Answer, command, room_code, tried, whole_number
from web.guard import is_htmx, theme
from web.list_files import as_facts, download
from web.viewer import actor, viewer

room_lists = Blueprint("room_lists", __name__)
PURPOSES = ("track", "tonight", "line", "empty")
SHARED = "/playlists/shared/"
LISTS = {"line": ("the line", playlist_views.line_of_room), "tonight": ("tonight", playlist_views.tonight)}


@room_lists.get("/rooms/<code>/playlists")
def show_sheet(code: str) -> str:
    """What can be done with playlists here: a piece for our scripts, a whole page otherwise."""
    purpose = request.args.get("for", "line")
    if purpose not in PURPOSES:
        raise Invalid("Playlists here are for a track, tonight, the line, or what plays on.")
    item_id = whole_number("item", required=False, high=HIGHEST_ID) or 0
    if not is_htmx():
        return _sheet_page(code, purpose, item_id)
    sheet = playlist_views.sheet(actor(), room_code(code), purpose, item_id)
    return fragments.render("fragments/playlist_sheet.html", sheet=sheet, oob="")


@room_lists.post("/rooms/<code>/playlists")
def keep_music(code: str) -> Answer:
    """Save a track of the room in a playlist, or everything that was played tonight in a new one."""
    name, item_id = request.form.get("name", ""), whole_number("item", required=False, high=HIGHEST_ID)
    to = whole_number("to", required=False, high=HIGHEST_ID) or 0
    told: list[str] = []

    def act(room: str) -> None:
        if item_id:
            room_id = playlist_views.need_seat(actor(), room)
            track = playlist_views.track_of(room_id, item_id)
            title, into = playlists.save_track(actor(), to, name, track.id, room_id)
            told.append(f"{title} is in {into}.")
        else:
            playlist_views.save_tonight(actor(), room, name)
            told.append(f"Tonight is kept as {playlists.clean_name(name)}.")

    return tried(
        lambda: _over(code, act) or command(code, act, said=lambda: "".join(told)),
        lambda said: _sheet_page(code, "track" if item_id else "tonight", item_id or 0, said, name),
    )


@room_lists.post(f"/rooms/<code>/playlists/<int(max={HIGHEST_ID}):playlist_id>")
def put_on_line(code: str, playlist_id: int) -> Answer:
    """Put all of a playlist on the line; the answer says how much went on, and why the rest did not."""
    return tried(lambda: put_all_on(code, playlist_id), lambda said: _sheet_page(code, "line", said=said))


def put_all_on(code: str, playlist_id: int) -> Response | str:
    """The same from wherever it was asked; the room follows. Raises the room's refusal."""
    room, person = room_code(code), actor()
    links = as_facts(putting_on.unknown_links(person, playlist_id))
    # Not within the command: that is one transaction, and a long list must let others in between. What a repeated
    # request finds on the line already, it leaves alone.
    told = putting_on.put_on_line(person, room, playlist_id, links).sentence
    return command(code, lambda _room: None, said=lambda: told)


@room_lists.post("/rooms/<code>/plays-on")
def choose_filler(code: str) -> Answer:
    """What plays on when the line is empty; a playlist is one's own, or named by its link."""
    when_empty, link = request.form.get("when_empty", ""), request.form.get("link", "").strip()
    playlist_id = whole_number("playlist_id", required=False, high=HIGHEST_ID) or 0
    token = link.rpartition(SHARED)[2].split("?")[0].strip("/")[:64] if link else ""
    if playlist_id or token:
        when_empty = "playlist"
    told: list[str] = []

    def choose() -> Answer:
        links: dict[str, dict[str, Any]] = {}
        if when_empty == "playlist":
            links = as_facts(playing_on.links_of(actor(), room_code(code), playlist_id, token))
        chosen = (when_empty, playlist_id, token, links)
        return command(
            code,
            lambda room: told.append(playing_on.choose_filler(actor(), room, *chosen)),
            said=lambda: "".join(told),
        )

    return tried(choose, lambda said: _sheet_page(code, "empty", said=said, typed=link))


@room_lists.get("/rooms/<code>/export/<what>.<format>")
def export_room(code: str, what: str, format: str) -> Response:
    """The line, or tonight, as a file."""
    if what not in LISTS:
        raise NotFound("A room’s line can be had as a file, and its tonight.")
    words, listed = LISTS[what]
    room = room_code(code)
    # Its addresses are keys to the files: for those inside, not for whoever looks in by the door.
    playlist_views.need_seat(actor(), room)
    return download(f"{playlist_views.name_of(room)[0]}, {words}", listed(room), format)


def _sheet_page(code: str, purpose: str, item_id: int = 0, said: str = "", typed: str = "") -> str:
    """A page of its own for what is a piece in the room, also again with the sentence and what was typed."""
    sheet = playlist_views.sheet(actor(), room_code(code), purpose, item_id)
    if said:
        sheet = replace(sheet, suggested=typed)
    values = {"sheet": sheet, "message": said, "undo": None, "oob": ""}
    return render_template("pages/playlist_room.html", theme=theme(), me=viewer(), **values)


def _over(code: str, act: Callable[[str], None]) -> Response | None:
    """In an ended room nothing changes any more, but its music may still be kept."""
    room = room_code(code)
    if not playlist_views.name_of(room)[1]:
        return None
    act(room)
    return redirect("/playlists", 303)
