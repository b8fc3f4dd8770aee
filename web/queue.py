"""The line by URL: adding, voting, moving, removing, bringing back."""

from __future__ import annotations

from flask import Blueprint
from werkzeug.wrappers import Response

import fragments
from party import queue, suggestions
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.suggestions import WAITING
from web.viewer import actor

queue_pages = Blueprint("queue", __name__)


@queue_pages.post("/rooms/<code>/queue")
def add_item(code: str) -> Response | str:
    """Put a track on the line, or suggest it where the host lets tracks on."""
    track_id = whole_number("track_id", high=HIGHEST_ID)
    told: list[str] = []

    def act(room: str) -> None:
        if suggestions.offer_item(actor(), room, track_id or 0):
            told.append(WAITING)

    return command(code, act, said=lambda: told[0] if told else None)


@queue_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/vote")
def cast_vote(code: str, item_id: int) -> Response | str:
    """Vote up (1), down (-1), or, from a plain form, take it back (0)."""
    value = whole_number("value", low=-1, high=1)
    if value == 0:
        return withdraw_vote(code, item_id)
    return command(code, lambda room: queue.cast_vote(actor(), room, item_id, value))


@queue_pages.delete(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/vote")
def withdraw_vote(code: str, item_id: int) -> Response | str:
    """Take a vote back."""
    return command(code, lambda room: queue.withdraw_vote(actor(), room, item_id))


@queue_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/move")
def move_item(code: str, item_id: int) -> Response | str:
    """Put an item right after another, or first."""
    after = whole_number("after", required=False, low=1, high=HIGHEST_ID)
    return command(code, lambda room: queue.move_item(actor(), room, item_id, after))


@queue_pages.delete(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>")
@queue_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/removal")
def remove_item(code: str, item_id: int) -> Response | str:
    """Take an item off the line; the answer offers to undo it."""

    def undo() -> str:
        title = queue.title_of(room_code(code), item_id)
        return fragments.notice(
            f"Removed {title}.", f"/rooms/{room_code(code)}/queue/{item_id}/restoration", "Undo"
        )

    return command(code, lambda room: queue.remove_item(actor(), room, item_id), undo)


@queue_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/restoration")
def restore_item(code: str, item_id: int) -> Response | str:
    """Undo a removal."""

    def cleared() -> str:
        return fragments.notice("")

    return command(code, lambda room: queue.restore_item(actor(), room, item_id), cleared)
