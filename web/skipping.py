"""Votes to skip by URL."""

from __future__ import annotations

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from party import skipping
from web.addresses import HIGHEST_ID
from web.answers import command, whole_number
from web.viewer import actor

skip_pages = Blueprint("skipping", __name__)


@skip_pages.post("/rooms/<code>/skip")
def vote_skip(code: str) -> Response | str:
    """Vote to hear the next track instead of the one that `play` names."""
    play_id = whole_number("play", high=HIGHEST_ID)

    def act(room: str) -> None:
        skipping.vote_skip(actor(), room, play_id or 0, lead_ms=current_app.config["START_LEAD_MS"](room))

    return command(code, act)


@skip_pages.delete("/rooms/<code>/skip")
def withdraw_skip(code: str) -> Response | str:
    """Take a vote to skip back."""
    play_id = whole_number("play", high=HIGHEST_ID)
    return command(code, lambda room: skipping.withdraw_skip(actor(), room, play_id or 0))
