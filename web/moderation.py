"""Keeping the peace by URL: sending out, banning, muting, and taking each of them back."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

import fragments
from party import moderation
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.viewer import actor

moderation_pages = Blueprint("moderation", __name__)
PERSON = f"/rooms/<code>/people/<int(max={HIGHEST_ID}):member_id>"


@moderation_pages.post(f"{PERSON}/kick")
def kick(code: str, member_id: int) -> Response | str:
    """Send somebody out; the answer offers to undo it."""

    def undo() -> str:
        return fragments.notice(
            "They were sent out.", f"/rooms/{room_code(code)}/people/{member_id}/return", "Undo"
        )

    return command(code, lambda room: moderation.kick(actor(), room, member_id), undo)


@moderation_pages.post(f"{PERSON}/return")
def readmit(code: str, member_id: int) -> Response | str:
    """Undo sending somebody out."""

    def cleared() -> str:
        return fragments.notice("")

    return command(code, lambda room: moderation.readmit(actor(), room, member_id), cleared)


@moderation_pages.post(f"{PERSON}/ban")
def ban(code: str, member_id: int) -> Response | str:
    """Send somebody out and keep them out: `minutes`, or for good without; `network` and `items` are yes or not."""
    minutes = whole_number("minutes", required=False)
    reason = request.form.get("reason", "")
    chosen = {name: request.form.get(name) == "yes" for name in ("network", "items")}

    def act(room: str) -> None:
        moderation.ban(
            actor(),
            room,
            member_id,
            reason,
            minutes,
            with_network=chosen["network"],
            remove_items=chosen["items"],
        )

    return command(code, act)


@moderation_pages.post(f"{PERSON}/mute")
def mute(code: str, member_id: int) -> Response | str:
    """Let somebody hear but not talk: ten minutes, `minutes`, or with `minutes=0` for good."""
    minutes = whole_number("minutes", required=False)
    length = moderation.MUTE_MINUTES if minutes is None else minutes or None
    return command(code, lambda room: moderation.mute(actor(), room, member_id, length))


@moderation_pages.post(f"{PERSON}/unmute")
def unmute(code: str, member_id: int) -> Response | str:
    """Let somebody talk again."""
    return command(code, lambda room: moderation.unmute(actor(), room, member_id))


@moderation_pages.get("/rooms/<code>/bans")
def show_bans(code: str) -> str:
    """The bans that hold."""
    found = moderation.bans(actor(), room := room_code(code))
    return fragments.render("fragments/bans.html", code=room, bans=found, oob=fragments.IN_PLACE)


@moderation_pages.post(f"/rooms/<code>/bans/<int(max={HIGHEST_ID}):ban_id>/removal")
def lift_ban(code: str, ban_id: int) -> Response | str:
    """Let somebody through the door again."""
    return command(code, lambda room: moderation.lift_ban(actor(), room, ban_id))
