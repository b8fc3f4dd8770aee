"""The front page, coming in with a name, and choosing light or dark."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from party import hosting, people, rooms, snapshot
from party.change import Person
from party.errors import Invalid, NotFound, Over
from party.snapshot import initials
from party.views import PersonView
from web.guard import theme
from web.viewer import remember, viewer

pages = Blueprint("pages", __name__)


@pages.get("/")
def home() -> str:
    """Join by code, start a room, go back to one."""
    return _home({}, {})


@pages.post("/guest")
def enter() -> Response | tuple[str, int]:
    """Be somebody: one field, and you are in."""
    try:
        name = people.clean_name(request.form.get("display_name", ""))
    except Invalid as refusal:
        return _home(request.form, {"display_name": refusal.message}), refusal.status
    return come_in(name, local_address(request.form.get("next", "")))


@pages.post("/join")
def join() -> Response | tuple[str, int]:
    """Go to the room of a code, with the name given beside it."""
    typed = request.form.get("code", "")
    room = rooms.find(typed)
    if room is None:
        if not viewer() and not request.form.get("display_name"):
            return no_room(typed), NotFound.status
        return _home(
            request.form, {"code": "No room answers to that code. It may have changed: check the big screen."}
        ), 404
    if rooms.is_over(room):
        return render_over(room.code), Over.status
    return _named(lambda person: people.join(person, room.code), f"/rooms/{room.code}")


@pages.post("/rooms")
def open_room() -> Response | tuple[str, int]:
    """Open a room of one's own."""
    try:
        name = rooms.clean_room_name(request.form.get("name", ""))
    except Invalid as refusal:
        return _home(request.form, {"name": refusal.message}), refusal.status
    opened: list[str] = []

    def act(person: Person) -> None:
        opened.append(rooms.open_room(person, name, current_app.config["SETTINGS"].grace_seconds))

    return _named(act, lambda: f"/rooms/{opened[0]}")


@pages.post("/theme")
def choose_theme() -> Response:
    """Light, dark, or as the system says; kept in a cookie so that pages come in the right one."""
    chosen = request.form.get("theme", "")
    if chosen not in ("light", "dark", "system"):
        raise Invalid("A look is light, dark or system.")
    response = make_response(redirect(local_address(request.form.get("next", "")), 303))
    response.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", path="/")
    return response


def come_in(name: str, address: str) -> Response:
    """A session under this name, or the session's new name, and on to the address."""
    known = viewer()
    response = make_response(redirect(address, 303))
    if known is None:
        _, token = people.enter(name)
        remember(response, token)
    elif known.name != name:
        people.rename(Person(known.user_id), name)
    return response


def _named(act: Any, address: Any) -> Response | tuple[str, int]:
    """Do something as the person who asks; one without a session gives their name beside it."""
    known = viewer()
    typed = request.form.get("display_name", "").strip()
    if known is None and not typed:
        return _home(request.form, {"display_name": "What should we call you?"}), 401
    try:
        name = people.clean_name(typed) if typed else None
    except Invalid as refusal:
        return _home(request.form, {"display_name": refusal.message}), refusal.status
    token = None
    if known is None:
        user_id, token = people.enter(name or "")
        person = Person(user_id)
    else:
        person = Person(known.user_id)
        if name and name != known.name:
            people.rename(person, name)
    act(person)
    response = make_response(redirect(address() if callable(address) else address, 303))
    if token:
        remember(response, token)
    return response


def local_address(text: str) -> str:
    """Where to go next: an address of ours, or the front page."""
    is_local = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_local else "/"


def as_person(known: people.SignedIn | None) -> PersonView | None:
    """Somebody outside a room, as templates see people."""
    if known is None:
        return None
    return PersonView(0, known.name, initials(known.name), 1 + known.user_id % 10, False, "guest", True)


def _home(form: Any, errors: dict[str, str]) -> str:
    known = viewer()
    return render_template(
        "pages/home.html",
        theme=theme(),
        me=as_person(known),
        suggested_name=people.friendly_name(),
        form=form,
        errors=errors,
        my_rooms=rooms.open_rooms_of(known.user_id) if known else [],
    )


def no_room(code: str) -> str:
    """A friendly word that no room answers, and what to do."""
    return render_template(
        "pages/no_room.html",
        theme=theme(),
        code=code[:40],
        me=as_person(viewer()),
        suggested_name=people.friendly_name(),
    )


def render_over(code: str) -> str:
    """The memory of a room that ended."""
    # Should no worker have written the end down yet, what was on then is not yet among what was played.
    hosting.keep_promises(code)
    return render_template("pages/memory.html", theme=theme(), room=snapshot.take(code))
