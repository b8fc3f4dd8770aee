"""The player by URL: play, pause, seek, skip, back to the start."""

from __future__ import annotations

from flask import Blueprint, current_app, request
from werkzeug.wrappers import Response

from party import playback
from party.errors import Invalid
from web.answers import command, whole_number
from web.viewer import actor

playback_pages = Blueprint("playback", __name__)


@playback_pages.post("/rooms/<code>/playback")
def change_playback(code: str) -> Response | str:
    """One of the five actions; `item` and `version` say what the person saw when they pressed."""
    action = request.form.get("action", "")
    version = whole_number("version", required=False)
    item_id = whole_number("item", required=False)
    position_ms = whole_number("position_ms") if action == "seek" else 0
    seen = playback.Seen(version=version, item_id=item_id)

    def act(room: str) -> None:
        lead_ms = current_app.config["START_LEAD_MS"](room)
        if action == "play":
            playback.play(actor(), room, seen=seen, lead_ms=lead_ms)
        elif action == "pause":
            playback.pause(actor(), room, seen=seen)
        elif action == "seek":
            playback.seek(actor(), room, position_ms or 0, seen=seen, lead_ms=lead_ms)
        elif action == "skip":
            playback.skip(actor(), room, seen=seen, lead_ms=lead_ms)
        elif action == "restart":
            playback.restart(actor(), room, seen=seen, lead_ms=lead_ms)
        else:
            raise Invalid("The player can play, pause, seek, skip and restart.")

    return command(code, act)
