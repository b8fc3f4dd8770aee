"""Who hosts, by URL: offering, answering, claiming, naming co-hosts; ending, deleting and starting again; My rooms."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from party import hosting, progress, restart, rooms
from party.errors import Invalid
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.guard import theme
from web.pages import as_person
from web.viewer import actor, viewer

hosting_pages = Blueprint("hosting", __name__)
MOST_PAGES = 10_000


@hosting_pages.post("/rooms/<code>/host")
def offer_host(code: str) -> Response | str:
    """Offer the host's place to the person `to` names; without it, take the offer back."""
    to = whole_number("to", required=False, low=1, high=HIGHEST_ID)
    return command(code, lambda room: hosting.offer_host(actor(), room, to))


@hosting_pages.post("/rooms/<code>/host/answer")
def answer_offer(code: str) -> Response | str:
    """Accept or decline the host's place."""
    answer = request.form.get("answer", "")
    if answer not in ("accept", "decline"):
        raise Invalid("An answer is accept or decline.")
    return command(code, lambda room: hosting.answer_offer(actor(), room, answer == "accept"))


@hosting_pages.post("/rooms/<code>/host/claim")
def claim_host(code: str) -> Response | str:
    """Take the line: a co-host whose host is away, or the room's owner."""
    return command(code, lambda room: hosting.claim_host(actor(), room))


@hosting_pages.post(f"/rooms/<code>/people/<int(max={HIGHEST_ID}):member_id>/role")
def name_cohost(code: str, member_id: int) -> Response | str:
    """Make somebody a co-host, or a guest again."""
    role = request.form.get("role", "")
    return command(code, lambda room: hosting.name_cohost(actor(), room, member_id, role))


@hosting_pages.post("/rooms/<code>/end")
def end_room(code: str) -> Response | str:
    """End the party; its memory follows."""
    return command(code, lambda room: hosting.end_room(actor(), room))


@hosting_pages.post("/rooms/<code>/deletion")
def delete_room(code: str) -> Response:
    """Delete the room and all that is in it; the name is typed in to be sure."""
    rooms.delete_room(actor(), room_code(code), request.form.get("name", ""))
    return redirect("/my-rooms", 303)


@hosting_pages.post("/rooms/<code>/again")
def start_again(code: str) -> Response:
    """Open a new room with what an ended one left, and go there."""
    return redirect(f"/rooms/{restart.start_again(actor(), room_code(code))}", 303)


@hosting_pages.get("/my-rooms")
def my_rooms() -> str:
    """The rooms one hosts or was in, open and ended."""
    page = whole_number("page", required=False, low=1, high=MOST_PAGES) or 1
    listed, has_more = rooms.my_rooms(actor().user_id, page)
    return render_template(
        "pages/my_rooms.html",
        theme=theme(),
        me=as_person(viewer()),
        rooms=listed,
        page=page,
        has_more=has_more,
        begun=progress.unfinished(actor().user_id) if page == 1 else [],
    )
