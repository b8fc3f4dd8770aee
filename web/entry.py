"""Ways in by URL: the door of a room, knocking, invitations, and what hosts do to the door."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

import fragments
from party import discovery, doorway, entry, invites, knocks, people
from party.change import Person
from party.doorway import Doorway
from party.errors import Conflict, NotAllowed, NotFound, NotKnown, Refusal
from party.people import NameTaken
from web.addresses import HIGHEST_ID, public_address
from web.answers import command, idempotency_key, network, room_code, whole_number
from web.guard import is_htmx, theme
from web.pages import as_person, come_as, no_room
from web.viewer import actor, remember, viewer

entry_pages = Blueprint("entry", __name__)
STATUSES = {"name": Conflict.status, "open": 200}
Answer = Response | str | tuple[str, int]


@entry_pages.get("/rooms/<code>/door")
def show_door(code: str) -> Answer:
    """What the door asks: also for somebody who was inside, or is not welcome."""
    door = _door(code)
    if door is None:
        return no_room(code), NotFound.status
    if door.way in ("inside", "over"):
        return redirect(f"/rooms/{door.door_code}", 303)
    return show_closed(door)


@entry_pages.post("/rooms/<code>/door")
def open_door(code: str) -> Answer:
    """Come in with a name and, where the room asks for one, a password."""
    door = _door(code)
    if door is None:
        return no_room(code), NotFound.status
    known, key = viewer(), None
    try:
        if door.way == "password":
            password, user_id = request.form.get("password", ""), known.user_id if known else None
            _, key = entry.check_password(door.door_code, password, user_id, network(), knew=True)
    except Refusal as refusal:
        return render_door(door, request.form, {"password": refusal.message}), refusal.status

    def act(person: Person) -> str:
        if door.way == "password":
            entry.enter_with_key(person, door.code, key, network())
        elif door.way != "inside":
            people.join(person, door.code, network())
        return f"/rooms/{door.door_code}"

    return _as_somebody(door, act)


@entry_pages.post("/rooms/<code>/knock")
def knock(code: str) -> Answer:
    """Ask to come in, and wait on the page that follows."""
    door = _door(code)
    if door is None:
        return no_room(code), NotFound.status

    def act(person: Person) -> str:
        if door.way not in ("inside", "open"):
            knocks.knock(person, door.code, network())
        return f"/rooms/{door.door_code}" + ("/knock" if door.way not in ("inside", "open") else "")

    return _as_somebody(door, act)


@entry_pages.get("/rooms/<code>/knock")
def show_knock(code: str) -> Answer:
    """How one's own knock stands: a page, or for our scripts the piece of it that changes."""
    door, known = _door(code), viewer()
    if door is None:
        return no_room(code), NotFound.status
    waiting = knocks.waiting(door.code, known.user_id) if known else None
    if waiting is None:
        return redirect(f"/rooms/{door.door_code}/door", 303)
    if is_htmx():
        return fragments.render("fragments/knock.html", door=door, knock=waiting, oob=fragments.IN_PLACE)
    if waiting.state in ("in", "over"):
        return redirect(f"/rooms/{door.door_code}", 303)
    return render_door(door, {}, {}, knock=waiting)


@entry_pages.post("/rooms/<code>/knock/withdrawal")
def withdraw_knock(code: str) -> Answer:
    """Stop knocking."""
    door = _door(code)
    if door is None:
        return no_room(code), NotFound.status
    knocks.withdraw_knock(actor(), door.code)
    return redirect(f"/rooms/{door.door_code}/knock", 303)


@entry_pages.post(f"/rooms/<code>/knocks/<int(max={HIGHEST_ID}):knock_id>")
def decide_knock(code: str, knock_id: int) -> Response | str:
    """Let somebody in, or tell them no."""
    decision = request.form.get("decision", "")
    return command(code, lambda room: knocks.decide_knock(actor(), room, knock_id, decision))


@entry_pages.get("/invites/<token>")
def show_invite(token: str) -> Answer:
    """What an invitation leads to, and the one button that takes it."""
    return _invitation(token, {}, {})


@entry_pages.post("/invites/<token>")
def enter_by_invite(token: str) -> Answer:
    """Take an invitation: into the room, or to its door where it is used up and the host opens."""
    try:
        person, token_of_session = _somebody()
    except Refusal as refusal:
        return _invitation(token, request.form, {"display_name": refusal.message}), refusal.status
    try:
        entered = invites.enter_by_invite(person, token, network())
        where = f"/rooms/{entered.code}" + ("/knock" if entered.has_knocked else "")
        answer = make_response(redirect(where, 303))
    except NameTaken as taken:
        answer = make_response(
            _invitation(token, request.form, {"display_name": taken.message}), taken.status
        )
    if token_of_session:
        remember(answer, token_of_session)
    return answer


@entry_pages.get("/rooms/<code>/invites")
def show_invites(code: str) -> str:
    """The invitations that still hold."""
    found = invites.open_invites(actor(), room := room_code(code))
    return fragments.render("fragments/invites.html", code=room, invites=found, oob=fragments.IN_PLACE)


@entry_pages.post("/rooms/<code>/invites")
def make_invite(code: str) -> Response | str:
    """Make an invitation; its link is shown this once."""
    quota, hours = whole_number("quota", required=False), whole_number("hours", required=False)
    token = invites.fresh_token(actor(), idempotency_key())
    link = f"/invites/{token}"

    def act(room: str) -> None:
        # Its answer is kept with the key; the link is not.
        invites.make_invite(actor(), room, quota or invites.QUOTA, hours or invites.HOURS, token)

    def shown() -> str:
        return fragments.render("fragments/new_invite.html", link=link, oob=fragments.IN_PLACE)

    answer = command(code, act, shown)
    return (
        answer
        if is_htmx()
        else render_template("pages/invite_made.html", theme=theme(), code=code, link=link)
    )


@entry_pages.delete(f"/rooms/<code>/invites/<int(max={HIGHEST_ID}):invite_id>")
@entry_pages.post(f"/rooms/<code>/invites/<int(max={HIGHEST_ID}):invite_id>/removal")
def revoke_invite(code: str, invite_id: int) -> Response | str:
    """Take an invitation back."""
    return command(code, lambda room: invites.revoke_invite(actor(), room, invite_id))


@entry_pages.post("/rooms/<code>/code")
def rotate_code(code: str) -> Response | str:
    """Give the room another code."""
    return command(code, lambda room: entry.rotate_code(actor(), room))


@entry_pages.post("/rooms/<code>/lock")
def lock_room(code: str) -> Response | str:
    """Let nobody new in, or open the door again."""
    is_locked = request.form.get("locked", "") == "yes"
    return command(code, lambda room: entry.lock_room(actor(), room, is_locked))


@entry_pages.post("/rooms/<code>/access")
def set_access(code: str) -> Response | str:
    """Choose who may see the room and how it is entered."""
    visibility, way = request.form.get("visibility", ""), request.form.get("entry", "")
    # Hashed before the command, which is a transaction from its first line.
    fresh = entry.new_password(actor(), room_code(code), way, request.form.get("password", ""))
    return command(code, lambda room: entry.set_access(actor(), room, visibility, way, fresh))


def show_closed(door: Doorway) -> Response | tuple[str, int]:
    """The page of a door somebody cannot simply walk through."""
    if door.has_knocked:
        return redirect(f"/rooms/{door.door_code}/knock", 303)
    return render_door(door, {}, {}), STATUSES.get(door.way, NotAllowed.status)


def render_door(door: Doorway, form: Any, errors: dict[str, str], knock: knocks.Waiting | None = None) -> str:
    """The door, with what was typed and what was wrong with it."""
    return render_template(
        "pages/door.html",
        theme=theme(),
        door=door,
        knock=knock,
        preview=discovery.card_of(door.door_code),
        origin=public_address(""),
        form=form,
        errors=errors | ({"display_name": door.sentence} if door.way == "name" and not errors else {}),
        me=as_person(viewer()),
        suggested_name=form.get("display_name") or people.friendly_name(),
    )


def _door(code: str) -> Doorway | None:
    known = viewer()
    return doorway.find(code, known.user_id if known else None, network(), knew=True)


def _somebody() -> tuple[Person, str | None]:
    typed = request.form.get("display_name", "").strip()
    if viewer() is None and not typed:
        raise NotKnown("What should we call you?")
    return come_as(typed)


def _as_somebody(door: Doorway, act: Any) -> Response | tuple[str, int]:
    """Do something at the door under the name typed beside it, and go where it leads; what is wrong is said there."""
    token = None
    try:
        person, token = _somebody()
        answer = make_response(redirect(act(person), 303))
    except Refusal as refusal:
        field = (
            "display_name" if isinstance(refusal, NotKnown | NameTaken) or refusal.status == 422 else "door"
        )
        answer = make_response(render_door(door, request.form, {field: refusal.message}), refusal.status)
    if token:
        remember(answer, token)
    return answer


def _invitation(token: str, form: Any, errors: dict[str, str]) -> str:
    return render_template(
        "pages/invite.html",
        theme=theme(),
        invited=invites.read_invite(token),
        token=token,
        form=form,
        errors=errors,
        me=as_person(viewer()),
        suggested_name=form.get("display_name") or people.friendly_name(),
    )
