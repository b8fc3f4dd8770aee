"""The chat by URL: saying, reading further back, deleting, reacting, and tapping along with the track."""

from __future__ import annotations

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

import fragments
from party import chat, chat_commands, chat_log
from party.limits import Minute
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.guard import is_htmx
from web.viewer import actor

chat_pages = Blueprint("chat", __name__)
TAPS_MOST = 20
"""So many taps may be sent together."""
taps_allowed = Minute(150)


@chat_pages.post("/rooms/<code>/messages")
def say(code: str) -> Response | str:
    """Say something, or do what stands after a slash."""
    text = request.form.get("text", "")
    reply_to = whole_number("reply_to", required=False, low=1, high=HIGHEST_ID)
    notes: list[str] = []

    def act(room: str) -> None:
        lead_ms = current_app.config["START_LEAD_MS"](room)
        notes.append(chat_commands.say_or_do(actor(), room, text, reply_to, lead_ms=lead_ms))

    return command(code, act, said=lambda: notes[0] or None if notes else None)


@chat_pages.get("/rooms/<code>/messages")
def show_earlier(code: str) -> Response | str:
    """Messages before one, for the top of the list."""
    before = whole_number("before", low=1, high=HIGHEST_ID) or 0
    room = room_code(code)
    talk = chat_log.page(actor(), room, before)
    if not is_htmx():
        return redirect(f"/rooms/{room}?tab=people", 303)
    return fragments.earlier(fragments.current(room), talk)


@chat_pages.delete(f"/rooms/<code>/messages/<int(max={HIGHEST_ID}):message_id>")
@chat_pages.post(f"/rooms/<code>/messages/<int(max={HIGHEST_ID}):message_id>/removal")
def delete_message(code: str, message_id: int) -> Response | str:
    """Take a message's words away."""
    return command(code, lambda room: chat.delete_message(actor(), room, message_id))


@chat_pages.post(f"/rooms/<code>/messages/<int(max={HIGHEST_ID}):message_id>/reactions")
def react(code: str, message_id: int) -> Response | str:
    """Put a sign under a message."""
    emoji = request.form.get("emoji", "")
    return command(code, lambda room: chat.react(actor(), room, message_id, emoji))


@chat_pages.delete(f"/rooms/<code>/messages/<int(max={HIGHEST_ID}):message_id>/reactions")
def take_back(code: str, message_id: int) -> Response | str:
    """Take one's sign back; the sign stands in the address or in the form."""
    emoji = request.args.get("emoji") or request.form.get("emoji", "")
    return command(code, lambda room: chat.take_back(actor(), room, message_id, emoji))


@chat_pages.post("/rooms/<code>/taps")
def tap(code: str) -> Response | tuple[str, int]:
    """Signs that float over the track for a moment; kept nowhere."""
    emoji = chat.known_emoji(request.form.get("emoji", ""))
    count = whole_number("count", required=False, low=1, high=TAPS_MOST) or 1
    room, person = room_code(code), actor()
    taps_allowed.spend(str(person.user_id))
    chat.check_taps(person, room)
    current_app.config["TAPS"](room, emoji, count)
    return ("", 204) if is_htmx() else redirect(f"/rooms/{room}", 303)
