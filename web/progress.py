"""Where somebody stopped, by URL."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect
from werkzeug.wrappers import Response

from party import progress
from web.addresses import HIGHEST_ID
from web.answers import room_code, whole_number
from web.guard import is_htmx
from web.viewer import actor

progress_pages = Blueprint("progress", __name__)


@progress_pages.get("/rooms/<code>/progress")
def stopped_in(code: str) -> Response | tuple[str, int]:
    """Where the person stopped with a track; nothing where they did not begin it, or heard it to its end."""
    found = progress.stopped_in(actor(), room_code(code), whole_number("item", low=1, high=HIGHEST_ID) or 0)
    if found is None or found.is_done:
        return "", 204
    return jsonify(position_ms=found.position_ms)


@progress_pages.post("/rooms/<code>/progress")
def save_progress(code: str) -> tuple[str, int]:
    """How far the person's own player got with a track. Their page says so every few seconds; nobody else is told."""
    item = whole_number("item", low=1, high=HIGHEST_ID) or 0
    position = whole_number("position_ms") or 0
    duration = whole_number("duration_ms", required=False) or 0
    progress.save_progress(actor(), room_code(code), item, position, duration)
    return "", 204


@progress_pages.post(f"/rooms/<code>/progress/<int(max={HIGHEST_ID}):track_id>/removal")
def forget(code: str, track_id: int) -> Response | str:
    """Take a work off the list of what was begun."""
    progress.forget(actor(), room_code(code), track_id)
    return "" if is_htmx() else redirect("/my-rooms", 303)
