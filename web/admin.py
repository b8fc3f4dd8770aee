"""The operator's pages, for admins only; for everybody else there is nothing at these addresses."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from party import audit, health, operating, overview, uploads
from party.clock import now_ms
from party.errors import Invalid
from web.addresses import HIGHEST_ID, public_address
from web.answers import whole_number
from web.guard import theme
from web.listing import machine_time, page_number, positive, when
from web.pages import local_address
from web.viewer import actor, viewer

admin_pages = Blueprint("admin", __name__, url_prefix="/admin")
DAY_MS = 86_400_000
PERSON = f"/people/<int(max={HIGHEST_ID}):user_id>"


@admin_pages.before_request
def refuse_others() -> None:
    """Admins with an account go on; whoever else asks learns nothing."""
    known = viewer()
    if known is None or not known.is_admin or known.email is None:
        abort(404)


@admin_pages.get("")
def start() -> Response:
    """The rooms come first."""
    return redirect("/admin/rooms", 302)


@admin_pages.get("/rooms")
def show_rooms() -> str:
    """Rooms, open and ended."""
    search, state = request.args.get("search", ""), request.args.get("state", "")
    return _page("rooms", found=overview.find_rooms(search, state, page_number()), state=state)


@admin_pages.post("/rooms/<code>/end")
def end_room(code: str) -> Response:
    """End a room for good."""
    operating.end_room(actor().user_id, code)
    return _back("/admin/rooms")


@admin_pages.get("/people")
def show_people() -> str:
    """People by name or address."""
    return _page("people", found=overview.find_people(request.args.get("search", ""), page_number()))


@admin_pages.post(f"{PERSON}/ban")
def ban(user_id: int) -> Response:
    """Close the site to a person, for some days or for good."""
    days = whole_number("days", required=False, low=1, high=3_650)
    until = now_ms() + days * DAY_MS if days else None
    operating.ban(actor().user_id, user_id, until, request.form.get("reason", ""))
    return _back("/admin/people")


@admin_pages.post(f"{PERSON}/ban/removal")
def unban(user_id: int) -> Response:
    """Open the site to them again."""
    operating.unban(actor().user_id, user_id)
    return _back("/admin/people")


@admin_pages.post(f"{PERSON}/sessions/removal")
def end_sessions(user_id: int) -> Response:
    """Sign a person out everywhere."""
    operating.end_sessions(actor().user_id, user_id)
    return _back("/admin/people")


@admin_pages.post(f"{PERSON}/reset-link")
def make_reset_link(user_id: int) -> str:
    """A link to a new password, shown this once."""
    path = operating.reset_link(actor().user_id, user_id)
    return _page("link", link=public_address(path))


@admin_pages.get("/library")
def show_library() -> str:
    """Every track, hidden ones too."""
    search, which = request.args.get("search", ""), request.args.get("which", "")
    found = overview.find_tracks(search, which, page_number())
    return _page("library", found=found, which=which, size_words=uploads.size_words)


@admin_pages.post(f"/library/<int(max={HIGHEST_ID}):track_id>")
def change_track(track_id: int) -> Response:
    """Hide or show a track; mark it explicit or not."""
    mark, value = request.form.get("mark", ""), request.form.get("value", "")
    act = {"hidden": operating.hide_track, "explicit": operating.mark_explicit}.get(mark)
    if act is None or value not in ("yes", "no"):
        raise Invalid("A track is hidden or explicit, yes or no.")
    act(actor().user_id, track_id, value == "yes")
    return _back("/admin/library")


@admin_pages.post(f"/library/<int(max={HIGHEST_ID}):track_id>/file/removal")
def delete_file(track_id: int) -> Response:
    """Delete the file that somebody brought, whoever holds it."""
    operating.delete_file(actor().user_id, track_id)
    return _back("/admin/library")


@admin_pages.get("/jobs")
def show_jobs() -> str:
    """The worker, its queue, and long work."""
    return _page(
        "jobs", jobs=overview.jobs(), is_alive=health.has_worker(), queues=current_app.config["QUEUE_SIZES"]()
    )


@admin_pages.get("/audit")
def show_audit() -> str:
    """What was done outside any one room."""
    kind, person, page = request.args.get("kind", ""), positive("person"), page_number()
    entries, has_more = audit.entries(kind, person, page)
    return _page(
        "audit", entries=entries, has_more=has_more, page=page, kind=kind, person=person, kinds=audit.KINDS
    )


def _page(name: str, **values: Any) -> str:
    return render_template(
        f"pages/admin_{name}.html",
        theme=theme(),
        me=viewer(),
        shown="people" if name == "link" else name,
        here=request.full_path.rstrip("?"),
        when=when,
        machine_time=machine_time,
        **values,
    )


def _back(address: str) -> Response:
    """To the list the button stood in, with its search."""
    typed = local_address(request.form.get("next", ""))
    return redirect(typed if typed.startswith(address) else address, 303)
