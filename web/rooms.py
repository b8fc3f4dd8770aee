"""A room's page, what changed on it, leaving it, and how its line is ordered."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from party import chat_log, discovery, doorway, library, people, progress, queue, snapshot, under_way
from party.change import NOT_INSIDE, Person
from party.errors import NotAllowed, NotFound
from party.views import PersonView, Snapshot
from web.addresses import public_address
from web.answers import changes, command, network, room_code, said_before
from web.entry import show_closed
from web.guard import theme
from web.pages import as_person, no_room, render_over
from web.viewer import actor, viewer

room_pages = Blueprint("rooms", __name__)
TABS = ("line", "player", "add", "people")


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code as one SVG path on a square of `size` modules."""

    size: int
    path: str


@room_pages.get("/rooms/<code>")
def show_room(code: str) -> str | Response | tuple[str, int]:
    """The room, or its door, or its memory, or a friendly word that no room answers."""
    known = viewer()
    door = doorway.find(code, known.user_id if known else None, network())
    if door is None:
        return no_room(code), NotFound.status
    if door.door_code != code:
        tab = request.args.get("tab")
        return redirect(f"/rooms/{door.door_code}" + (f"?tab={tab}" if tab in TABS else ""), 302)
    if door.way == "over":
        return render_over(door.code)
    if door.way not in ("inside", "open"):
        return show_closed(door)
    if known is not None:
        people.join(Person(known.user_id), door.code, network())
    return _page(door.code, known)


@room_pages.get("/rooms/<code>/changes")
def show_changes(code: str) -> str:
    """What a screen without a socket lacks."""
    html = changes(room_code(code), actor().user_id)
    if not html:
        raise NotAllowed(NOT_INSIDE)
    return html


@room_pages.get("/rooms/<code>/qr.svg")
def show_qr(code: str) -> Response:
    """The room's link as a picture to scan. Any code makes one: it tells nobody whether a room answers."""
    drawing = picture(public_address(f"/rooms/{code}"))
    answer = Response(render_template("pages/qr.svg.html", qr=drawing), mimetype="image/svg+xml")
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer


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
        # Strangers see the line before they have a name, but not what people say.
        talk = chat_log.latest(room.id, room.seq) if mine else chat_log.NOTHING_SAID
    tab = request.args.get("tab", "line")
    plays = room.now.track.id if room.now else None
    begun, stopped = progress.in_room(known.user_id, room.id, plays) if known and mine else ([], None)
    return render_template(
        "pages/room.html",
        room=room,
        audience=room.audience(mine.role if mine else "guest", is_inside=mine is not None),
        theme=theme(),
        tab=tab if tab in TABS else "line",
        me=_me(room, mine, known),
        mine=mine,
        talk=talk,
        library=library.browse("", "", "title", 1, room, known.user_id if known else None),
        begun=begun,
        stopped=stopped,
        files=under_way.shown_in_room(known.user_id, room.id) if known and mine else (),
        origin=public_address(""),
        preview=discovery.card_of(room.door_code) if room.visibility == "public" else None,
        epoch=room.epoch,
        to=room.seq,
        message=said_before(known.user_id) if known and mine else "",
        undo=None,
        suggested_name=people.friendly_name(),
        form={},
        errors={},
        oob="",
        **{"from": room.seq},
    )


def _me(room: Snapshot, mine: snapshot.Share | None, known: people.SignedIn | None) -> PersonView | None:
    if mine is None:
        return None
    here = next((person for person in room.people if person.id == mine.member_id), None)
    return here or as_person(known)


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
