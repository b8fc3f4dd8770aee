"""Suggestions by URL: making one, taking it back, and the leaders' word on it."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from party import suggestions
from web.addresses import HIGHEST_ID
from web.answers import command, whole_number
from web.viewer import actor

suggestion_pages = Blueprint("suggestions", __name__)
WAITING = "You’re in. The host will let your track onto the line."


@suggestion_pages.post("/rooms/<code>/suggestions")
def suggest_item(code: str) -> Response | str:
    """Ask for a track to be let onto the line."""
    track_id = whole_number("track_id", high=HIGHEST_ID)
    return command(
        code,
        lambda room: suggestions.suggest_item(actor(), room, track_id),
        said=lambda: WAITING,
    )


@suggestion_pages.post(f"/rooms/<code>/suggestions/<int(max={HIGHEST_ID}):suggestion_id>")
def decide_suggestion(code: str, suggestion_id: int) -> Response | str:
    """Let it onto the line, or everything from the same person; or decline it, with a reason or without."""
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    if request.form.get("all") == "yes":
        return command(code, lambda room: suggestions.approve_all_from(actor(), room, suggestion_id))
    return command(
        code, lambda room: suggestions.decide_suggestion(actor(), room, suggestion_id, decision, reason)
    )


@suggestion_pages.post(f"/rooms/<code>/suggestions/<int(max={HIGHEST_ID}):suggestion_id>/removal")
def withdraw_suggestion(code: str, suggestion_id: int) -> Response | str:
    """Take one's own suggestion back."""
    return command(code, lambda room: suggestions.withdraw_suggestion(actor(), room, suggestion_id))
