"""The controls by URL: asking for them, giving them, taking and giving them back."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from party import control
from web.addresses import HIGHEST_ID
from web.answers import command
from web.viewer import actor

control_pages = Blueprint("control", __name__)


@control_pages.post("/rooms/<code>/control")
def ask_control(code: str) -> Response | str:
    """Ask for the controls; with `wish=stop` give them back, or stop asking."""
    if request.form.get("wish") == "stop":
        return command(code, lambda room: control.give_back(actor(), room))
    return command(code, lambda room: control.ask_control(actor(), room))


@control_pages.post(f"/rooms/<code>/control/<int(max={HIGHEST_ID}):member_id>")
def grant_control(code: str, member_id: int) -> Response | str:
    """The answer in one tap: once, for a while, as a co-host, or no."""
    grant = request.form.get("grant", "")
    return command(code, lambda room: control.grant_control(actor(), room, member_id, grant))
