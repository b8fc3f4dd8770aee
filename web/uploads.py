"""Uploads by URL: begun, continued from where they stopped, cancelled; or sent whole, by a form or from a phone.

Pieces travel by the core of the tus protocol 1.0 (tus.io/protocols/resumable-upload): HEAD says by Upload-Offset how
much is here, PATCH goes on from exactly there with application/offset+octet-stream, and another place is answered 409.
What phones share is a form that the browser sends, by the Web Share Target draft (w3c.github.io/web-share-target).
"""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from party import files, parts, rooms, uploads
from party.change import Person, once
from party.errors import Invalid, NotFound
from web import receiving
from web.addresses import HIGHEST_ID
from web.answers import idempotency_key, room_code, whole_number
from web.guard import theme
from web.pages import as_person
from web.viewer import actor, viewer

upload_pages = Blueprint("uploads", __name__)
PIECE_TYPE = "application/offset+octet-stream"
LINK = re.compile(r"https?://\S+")
DAY_SECONDS = 86_400
ICONS = (
    ("logo-192.png", "192x192", "image/png", "any"),
    ("logo-512.png", "512x512", "image/png", "any"),
    ("logo-full-512.png", "512x512", "image/png", "maskable"),
)


@upload_pages.url_value_preprocessor
def allow_more(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything is read: what is streamed to the disk may be larger than a form."""
    if endpoint in receiving.STREAMED:
        request.max_content_length = receiving.STREAMED[endpoint]


@upload_pages.post("/rooms/<code>/uploads")
def begin(code: str) -> Response:
    """Announce a file: name, size, and whether it goes on the line."""
    person, room = actor(), room_code(code)
    name, goes_on_line = request.form.get("name", ""), request.form.get("line") != "no"
    size = whole_number("size") or 0
    token = once(person, idempotency_key(), lambda: uploads.begin(person, room, name, size, goes_on_line))
    answer = _told(uploads.standing(person, token), 0)
    answer.status_code, answer.headers["Location"] = 201, url_for("uploads.show_upload", token=token)
    return answer


@upload_pages.get("/uploads/<token>")
def show_upload(token: str) -> Response:
    """How far it is, and what became of it; asked by HEAD, where to go on."""
    seen = uploads.standing(actor(), token)
    is_coming = seen.state == "receiving"
    return _told(
        seen, min(seen.kept_bytes, parts.run(lambda: parts.size_of(token))) if is_coming else seen.kept_bytes
    )


@upload_pages.patch("/uploads/<token>")
def receive_piece(token: str) -> Response:
    """The next piece, from exactly where the file stopped."""
    person, offset, length = actor(), request.headers.get("Upload-Offset", ""), request.content_length
    if request.mimetype != PIECE_TYPE:
        abort(415)
    if length is not None and length > receiving.PIECE_MOST:
        abort(413)
    if not re.fullmatch("[0-9]{1,16}", offset) or length is None:
        raise Invalid("A piece says where it goes and how long it is.")
    seen, kept, is_taken = receiving.receive(person, token, int(offset), length)
    answer = _told(seen, kept)
    answer.status_code = 200 if is_taken else 409
    return answer


@upload_pages.delete("/uploads/<token>")
def cancel(token: str) -> Response:
    """Call it off; what was here of it goes."""
    uploads.cancel(actor(), token)
    return Response(status=204)


@upload_pages.post("/uploads/<token>/cancellation")
def call_off(token: str) -> Response:
    """The same by a plain form, for what was begun in a window that is gone."""
    uploads.cancel(actor(), token)
    return redirect("/account?done=upload#files", 303)


@upload_pages.post(f"/uploads/tracks/<int(max={HIGHEST_ID}):track_id>/removal")
def forget(track_id: int) -> Response:
    """Give up a file of one's own, which is here already."""
    page = whole_number("page", required=False, low=1, high=HIGHEST_ID) or 1
    files.forget(actor(), track_id)
    return redirect(f"/account?done=file&page={page}#files", 303)


@upload_pages.post("/rooms/<code>/files")
def send_files(code: str) -> Response:
    """Files sent whole by a plain form."""
    person, room = actor(), room_code(code)
    uploads.foresee(person, room, receiving.form_bytes())
    _, sent = receiving.take_files(person)
    receiving.settle(person, room, sent)
    return redirect(f"/rooms/{room}", 303)


@upload_pages.post("/share")
def take_share() -> Response | str:
    """What a phone shares to the installed page: files, or a link; which room is asked where there are several."""
    person = actor()
    if not (mine := rooms.open_rooms_of(person.user_id)):
        raise NotFound("You are in no room just now. Come into one, then share it again.")
    if size := receiving.form_bytes():
        uploads.foresee(person, None, size)
    form, sent = receiving.take_files(person)
    tokens, refused = receiving.settle(person, None, sent)
    link = LINK.search(" ".join(form.get(name, "") for name in ("url", "text", "title")))
    if tokens and len(mine) == 1:
        return _send_on(person, mine[0].code, tokens)
    if not tokens and link is None:
        raise Invalid("There was no link and no file in that.")
    return render_template(
        "pages/share_target.html",
        theme=theme(),
        me=as_person(viewer()),
        rooms=mine,
        tokens=tokens,
        refused=refused,
        link=link.group() if link else "",
    )


@upload_pages.post("/share/room")
def choose_room() -> Response:
    """The room that shared files go to."""
    return _send_on(actor(), request.form.get("code", ""), request.form.getlist("token")[: uploads.MOST_OPEN])


@upload_pages.get("/manifest.webmanifest")
def show_manifest() -> Response:
    """What makes the page one that phones install and share to (w3.org/TR/appmanifest)."""
    icons = [
        {"src": url_for("static", filename=f"icons/{name}"), "sizes": size, "type": kind, "purpose": purpose}
        for name, size, kind, purpose in ICONS
    ]
    answer = jsonify(
        id="/",
        name="Partyline",
        short_name="Partyline",
        description="One line, everyone’s say.",
        lang="en",
        start_url="/",
        scope="/",
        display="standalone",
        theme_color="#f6d64c",
        background_color="#f6d64c",
        icons=icons,
        share_target={
            "action": "/share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "url": "url",
                "files": [{"name": "file", "accept": ["audio/*", "video/*"]}],
            },
        },
    )
    answer.mimetype = "application/manifest+json"
    answer.headers["Cache-Control"] = f"public, max-age={DAY_SECONDS}"
    return answer


def _send_on(person: Person, typed: str, tokens: list[str]) -> Response:
    code = room_code(typed)
    uploads.choose_room(person, code, tokens)
    return redirect(f"/rooms/{code}", 303)


def _told(seen: uploads.Standing, kept: int) -> Response:
    answer = jsonify(
        token=seen.token,
        name=seen.name,
        size=seen.size_bytes,
        offset=kept,
        state=seen.state,
        reason=seen.reason,
    )
    answer.headers["Upload-Offset"], answer.headers["Upload-Length"] = str(kept), str(seen.size_bytes)
    return answer
