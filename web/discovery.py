"""The list of rooms for whoever looks for one, kept up to date without a socket, and pictures for links."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

import fragments
from media import cards
from party import discovery, library, rooms
from party.change import NO_ROOM
from party.discovery import FoundRooms, RoomCard
from party.errors import Busy, NotFound
from web.guard import is_htmx

discovery_pages = Blueprint("discovery", __name__)
PICTURE_SECONDS = 60.0
PICTURES_KEPT = 64
PATIENCE_SECONDS = 3.0

_pictures: OrderedDict[str, tuple[float, cards.Words, bytes]] = OrderedDict()
_slots = threading.BoundedSemaphore(2)


@discovery_pages.get("/discover")
def find_rooms() -> str | Response:
    """A part of the list, or with `shown` the cards of these rooms as they are now."""
    if not is_htmx():
        return redirect("/?" + request.query_string.decode("latin-1"), 302)
    if "shown" in request.args:
        fresh, gone = discovery.shown(request.args["shown"][:4_000].split(","))
        sum_of = fragments.render("fragments/rooms_sum.html", **totals(), oob=fragments.IN_PLACE)
        return sum_of + fragments.render(
            "layouts/fresh_cards.html", cards=fresh, counts=(), gone=gone, oob=fragments.IN_PLACE
        )
    return fragments.render("fragments/room_cards.html", found=asked_for(), oob="")


@discovery_pages.get("/rooms/<code>/card.png")
def show_card(code: str) -> Response:
    """The picture of a listed room for places that show links. Of any other room there is none, whoever asks."""
    room = rooms.find(code)
    card = discovery.card_of(room.spoken_code) if room and room.visibility == "public" else None
    if card is None:
        raise NotFound(NO_ROOM)
    answer = Response(_picture(card), mimetype="image/png")
    # Kept nowhere without asking again: a room may be taken off the list.
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


def asked_for() -> FoundRooms:
    """The rooms that the address asks for."""
    ask = request.args
    return discovery.find_rooms(ask.get("search", ""), ask.get("sort", "people"), ask.get("cursor", ""))


def totals() -> dict[str, int]:
    """How many rooms are listed and how many people listen in them."""
    now = discovery.listing()
    return {"rooms": len(now.cards), "people": now.people}


def _picture(card: RoomCard) -> bytes:
    """Drawn anew when a minute went by and something differs."""
    known, now, words = _pictures.get(card.code), time.monotonic(), _words(card)
    if known is not None and (known[1] == words or now - known[0] < PICTURE_SECONDS):
        return known[2]
    if not _slots.acquire(timeout=PATIENCE_SECONDS):
        raise Busy("Many pictures are being drawn just now. Please try again in a moment.")
    try:
        picture = cards.draw(words)
    finally:
        _slots.release()
    _pictures[card.code] = (now, words, picture)
    while len(_pictures) > PICTURES_KEPT:
        _pictures.popitem(last=False)
    return picture


def _cover(track_id: int) -> Path | None:
    name = library.cover_of(track_id)
    return current_app.config["SETTINGS"].data_dir / "media" / name if name else None


def _words(card: RoomCard) -> cards.Words:
    track = card.track
    cover = _cover(track.id) if track else None
    return cards.Words(
        room=card.name,
        host=card.host,
        title=track.title if track else "",
        artist=track.artist if track else "",
        people=card.people,
        hue=card.hue,
        cover=cover,
    )
