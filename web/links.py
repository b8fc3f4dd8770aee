"""Pasted links by URL: putting one on, trying a broken one again, how long it is, and frames of other sites."""

from __future__ import annotations

from dataclasses import asdict, replace

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from config import Settings
from media import embeds, registry
from media.provider import Reference, Trouble
from party import adding, lengths, searching
from party.errors import Invalid
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.suggestions import WAITING
from web.viewer import actor

link_pages = Blueprint("links", __name__)
NOTHING_PASTED = "Paste a link first."


@link_pages.post("/rooms/<code>/links")
def add_link(code: str) -> Response | str:
    """Put what a link names on the line, or suggest it; it is read here and looked up by the worker."""
    row = request.form.get("found", "")
    found = _by_key(row) if row else _recognised(_pasted())
    told = [""]

    def act(room: str) -> None:
        if adding.add_link(actor(), room, **asdict(found)).suggestion_id is not None:
            told[0] = WAITING

    # What was wrong with the link before this one is no news any more.
    return command(code, act, said=lambda: told[0])


@link_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/lookup")
def look_again(code: str, item_id: int) -> Response | str:
    """Try once more what could not be had."""
    return command(code, lambda room: adding.look_again(actor(), room, item_id))


@link_pages.post("/rooms/<code>/length")
def report_length(code: str) -> Response | str:
    """How long the player says the playing item is."""
    item_id = whole_number("item", high=HIGHEST_ID)
    duration_ms = whole_number("duration_ms")
    return command(code, lambda room: lengths.report_length(actor(), room, item_id or 0, duration_ms or 0))


@link_pages.get(f"/rooms/<code>/embed/<int(max={HIGHEST_ID}):item_id>")
def show_embed(code: str, item_id: int) -> Response:
    """To the player of another site, from where the room is; a frame of the room's page asks for it."""
    shown = adding.embedded(room_code(code), item_id)
    try:
        address = embeds.build_for(
            current_app.config["SETTINGS"],
            shown.reference,
            hue=shown.hue,
            progress_seconds=shown.position_ms // 1000,
        )
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
    return redirect(address, 302)


@link_pages.app_context_processor
def name_embeds() -> dict[str, tuple[str, ...]]:
    """For the form that names a movie or an episode, whose players are set up; for the page, whose messages count."""
    wanted: Settings = current_app.config["SETTINGS"]
    is_on = registry.is_on(embeds.PROVIDER, wanted)
    return {
        "embed_names": tuple(wanted.embed_providers) if is_on else (),
        "embed_origins": embeds.sources(wanted) if is_on else (),
    }


def _pasted() -> str:
    """The link as it was typed, pasted or put together from the fields of a movie or an episode."""
    form = request.form
    if not form.get("embed"):
        return form.get("link", "") or form.get("search", "")
    names = (
        ("embed", "kind", "id", "season", "episode") if form.get("kind") == "tv" else ("embed", "kind", "id")
    )
    return ":".join(form.get(name, "").strip() for name in names)


def _by_key(row: str) -> Reference:
    """The piece of media that a row of a search names, by its provider and key alone. Raises Invalid."""
    provider, _, key = row.partition(":")
    try:
        found = registry.by_key(provider, key, current_app.config["SETTINGS"])
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
    return replace(found, title=searching.title_of(actor().user_id, provider, key) or found.title)


def _recognised(text: str) -> Reference:
    """The piece of media that was pasted. Raises Invalid with its provider's sentence."""
    if not text.strip():
        raise Invalid(NOTHING_PASTED)
    try:
        return registry.recognise(text, current_app.config["SETTINGS"])
    except Trouble as trouble:
        raise Invalid(trouble.sentence) from trouble
