"""A room's log, and undoing from it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from party import roomlog, undoing
from web.addresses import HIGHEST_ID
from web.answers import room_code
from web.guard import theme
from web.listing import machine_time, positive, when
from web.pages import local_address
from web.viewer import actor, viewer

audit_pages = Blueprint("audit", __name__)


@audit_pages.get("/rooms/<code>/log")
def show_log(code: str) -> str:
    """Who did what, newest first."""
    kind, person, before = request.args.get("kind", ""), positive("person"), positive("before")
    log = roomlog.read(actor(), room_code(code), person, kind, before)
    return render_template(
        "pages/audit.html",
        theme=theme(),
        me=viewer(),
        log=log,
        groups=roomlog.GROUPS,
        here=request.full_path.rstrip("?"),
        when=when,
        machine_time=machine_time,
    )


@audit_pages.post(f"/rooms/<code>/log/<int(max={HIGHEST_ID}):seq>/undo")
def undo(code: str, seq: int) -> Response:
    """Undo what an entry tells, and show the log again."""
    room = room_code(code)
    undoing.undo(actor(), room, seq)
    typed = local_address(request.form.get("next", ""))
    return redirect(typed if typed.startswith(f"/rooms/{code}/log") else f"/rooms/{code}/log", 303)
