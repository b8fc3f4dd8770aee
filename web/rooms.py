"""A room's page, what changed on it, leaving it, and how its line is ordered."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from config import lan_address
from party import library, people, queue, rooms, snapshot
from party.change import Person
from party.errors import NotFound
from party.views import Audience, PersonView, Snapshot
from web.answers import changes, command, room_code
from web.guard import theme
from web.pages import as_person, no_room, render_over
from web.viewer import actor, viewer

room_pages = Blueprint("rooms", __name__)
LOOPBACK, EVERYWHERE = ("localhost", "127.0.0.1", "::1"), ("0.0.0.0", "::")
TABS = ("line", "player", "add", "people")


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code as one SVG path on a square of `size` modules."""

    size: int
    path: str


@room_pages.get("/rooms/<code>")
def show_room(code: str) -> str | Response | tuple[str, int]:
    """The room, or its memory, or a friendly word that no room answers."""
    found = rooms.find(code)
    if found is None:
        return no_room(code), NotFound.status
    if found.code != code:
        tab = request.args.get("tab")
        return redirect(f"/rooms/{found.code}" + (f"?tab={tab}" if tab in TABS else ""), 302)
    if rooms.is_over(found):
        return render_over(found.code)
    known = viewer()
    if known is not None:
        people.join(Person(known.user_id), found.code)
    return _page(found.code, known)


@room_pages.get("/rooms/<code>/changes")
def show_changes(code: str) -> str:
    """What a screen without a socket lacks."""
    return changes(room_code(code), actor().user_id)


@room_pages.post("/rooms/<code>/leave")
def leave(code: str) -> Response:
    """Give up the seat; the front page follows."""
    people.leave(actor(), room_code(code))
    return redirect("/", 303)


@room_pages.post("/rooms/<code>/mode")
def change_mode(code: str) -> Response | str:
    """Choose how the line is ordered."""
    mode = request.form.get("mode", "")
    return command(code, lambda room: queue.change_mode(actor(), room, mode))


def _page(code: str, known: people.SignedIn | None) -> str:
    # The page and its number are one read, so nothing falls between "loaded" and "listening".
    with snapshot.reading():
        room = fragments.current(code)
        mine = fragments.own_share(code, known.user_id) if known else None
    share_url = public_address(f"/rooms/{room.code}")
    tab = request.args.get("tab", "line")
    return render_template(
        "pages/room.html",
        room=room,
        audience=Audience(mine.role if mine else "guest"),
        theme=theme(),
        tab=tab if tab in TABS else "line",
        me=_me(room, mine, known),
        mine=mine,
        library=library.browse("", "", "title", 1, room),
        qr=picture(share_url),
        share_url=share_url,
        epoch=room.epoch,
        to=room.seq,
        message="",
        undo=None,
        suggested_name=people.friendly_name(),
        form={},
        errors={},
        oob="",
        **{"from": room.seq},
    )


def _me(room: Snapshot, mine: fragments.Share | None, known: people.SignedIn | None) -> PersonView | None:
    if mine is None:
        return None
    here = next((person for person in room.people if person.id == mine.member_id), None)
    return here or as_person(known)


def public_address(path: str) -> str:
    """A whole address that works on other people's machines."""
    settings = current_app.config["SETTINGS"]
    asked = urlsplit(request.host_url)
    if settings.public_url:
        return f"{settings.public_url}{path}"
    if asked.hostname in LOOPBACK and settings.host in EVERYWHERE and (lan := lan_address()):
        # Whoever hosts from this machine must not hand out an address that means the guest's own.
        return f"http://{lan}:{asked.port or 80}{path}"
    return f"{request.host_url.rstrip('/')}{path}"


def picture(text: str) -> Picture:
    """The text as a QR code, drawn in runs; blank when it is longer than any code can hold."""
    try:
        matrix = segno.make(text, error="m", micro=False).matrix
    except segno.DataOverflowError:
        return Picture(0, "")
    runs = []
    for y, row in enumerate(matrix):
        start = None
        for x, is_dark in enumerate([*row, 0]):
            if is_dark and start is None:
                start = x
            elif not is_dark and start is not None:
                runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
                start = None
    return Picture(len(matrix), "".join(runs))
