"""The front page, coming in with a name, and choosing light or dark."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from party import doorway, entry, hosting, names, people, restart, rooms, sessions, snapshot
from party.change import Person
from party.errors import Invalid, NotAllowed, NotFound, Over
from party.snapshot import initials
from party.views import PersonView
from web.answers import network
from web.discovery import asked_for
from web.guard import theme
from web.viewer import remember, viewer

pages = Blueprint("pages", __name__)
NO_ROOM_YET = "No room answers to that code. It may have changed: check the big screen."


@pages.get("/")
def home() -> str:
    """Join by code, start a room, go back to one."""
    return _home({}, {})


@pages.post("/guest")
def enter() -> Response | tuple[str, int]:
    """Be somebody: one field, and you are in."""
    try:
        name = names.clean_name(request.form.get("display_name", ""))
    except Invalid as refusal:
        return _home(request.form, {"display_name": refusal.message}), refusal.status
    return come_in(name, local_address(request.form.get("next", "")))


@pages.post("/join")
def join() -> Response | tuple[str, int]:
    """Go to the room of a code, with the name and, where the room asks for one, the password given beside it."""
    known, typed = viewer(), request.form.get("code", "")
    user_id, password = known.user_id if known else None, request.form.get("password", "")
    if password:
        return _join_with_password(typed, password, user_id)
    door = doorway.find(typed, user_id, network())
    if door is None:
        if not known and not request.form.get("display_name"):
            return no_room(typed), NotFound.status
        return _home(request.form, {"code": NO_ROOM_YET}), 404
    if door.way == "over":
        return render_over(door.code), Over.status

    def act(person: Person) -> None:
        # What else the door asks, the room's address says.
        if door.way == "open":
            people.join(person, door.code, network())

    return _named(act, f"/rooms/{door.door_code}")


def _join_with_password(typed: str, password: str, user_id: int | None) -> Response | tuple[str, int]:
    try:
        code, key = entry.check_password(typed, password, user_id, network())
    except NotFound:
        return _home(request.form, {"code": NO_ROOM_YET}), NotFound.status
    except NotAllowed as refusal:
        return _home(request.form, {"code": refusal.message}), refusal.status
    return _named(lambda person: entry.enter_with_key(person, code, key, network()), f"/rooms/{code}")


@pages.post("/rooms")
def open_room() -> Response | tuple[str, int]:
    """Open a room of one's own."""
    try:
        name = rooms.clean_room_name(request.form.get("name", ""))
    except Invalid as refusal:
        return _home(request.form, {"name": refusal.message}), refusal.status
    visibility = "public" if request.form.get("public") == "yes" else "unlisted"
    opened: list[str] = []

    def act(person: Person) -> None:
        grace_seconds = current_app.config["SETTINGS"].grace_seconds
        opened.append(rooms.open_room(person, name, grace_seconds, visibility))

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
        _, token = people.enter(name, device())
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
        person, token = come_as(typed)
    except Invalid as refusal:
        return _home(request.form, {"display_name": refusal.message}), refusal.status
    act(person)
    response = make_response(redirect(address() if callable(address) else address, 303))
    if token:
        remember(response, token)
    return response


def come_as(typed: str) -> tuple[Person, str | None]:
    """The person who asks, under the name typed beside it; somebody new gets a session, whose token is returned."""
    known, name = viewer(), names.clean_name(typed) if typed else None
    if known is None:
        user_id, token = people.enter(name or "", device())
        return Person(user_id), token
    if name and name != known.name:
        people.rename(Person(known.user_id), name)
    return Person(known.user_id), None


def device() -> str:
    """What this browser calls itself, in short words, for the list of sessions."""
    return sessions.device_words(request.headers.get("User-Agent", ""))


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
        found=asked_for(),
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
    known = viewer()
    memory = restart.memory_of(code, known.user_id if known else None)
    return render_template("pages/memory.html", theme=theme(), room=snapshot.take(code), memory=memory)
