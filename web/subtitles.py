"""Subtitles by URL: put there, chosen, taken away."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from flask import Blueprint, jsonify, request
from werkzeug.wrappers import Response

from config import settings
from media import words
from media.provider import Trouble
from media.storage import open_store
from party import files, parts, subtitles
from party.errors import Busy, Invalid
from web.addresses import HIGHEST_ID
from web.answers import command, room_code, whole_number
from web.viewer import actor

subtitle_pages = Blueprint("subtitles", __name__)
MOST_FORM = words.MOST_BYTES + 16 * 1024


@subtitle_pages.url_value_preprocessor
def allow_more(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before anything is read: a file of words may be larger than other forms."""
    if endpoint == "subtitles.add_subtitles":
        request.max_content_length = MOST_FORM


@subtitle_pages.post(f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/subtitles")
def add_subtitles(code: str, item_id: int) -> Response | str:
    """Put words to a video: a file of SRT or WebVTT, what to call it, its language."""
    label, language = request.form.get("label", ""), request.form.get("language", "")
    subtitles.refuse_adding(actor(), room_code(code), item_id)
    # Before the command, which holds the room.
    with _kept(language) as file:

        def act(room: str) -> None:
            subtitles.add_subtitles(actor(), room, item_id, label, language, file)

        return command(code, act, said=lambda: "Subtitles added.")


@subtitle_pages.post(
    f"/rooms/<code>/queue/<int(max={HIGHEST_ID}):item_id>/subtitles/<int(max={HIGHEST_ID}):subtitle_id>/removal"
)
def remove_subtitles(code: str, item_id: int, subtitle_id: int) -> Response | str:
    """Take words away from a video."""

    def act(room: str) -> None:
        subtitles.remove_subtitles(actor(), room, item_id, subtitle_id)

    return command(code, act, said=lambda: "Subtitles removed.")


@subtitle_pages.post("/rooms/<code>/subtitles/choice")
def choose_subtitles(code: str) -> Response | str:
    """Choose what you read with a video; without a subtitle, nothing."""
    item_id = whole_number("item", high=HIGHEST_ID) or 0
    subtitle_id = whole_number("subtitle", required=False, low=1, high=HIGHEST_ID)
    return command(code, lambda room: subtitles.choose_subtitles(actor(), room, item_id, subtitle_id))


@subtitle_pages.get("/rooms/<code>/subtitles/choice")
def show_choice(code: str) -> Response:
    """What you chose to read with a video: {"is_chosen": …, "subtitle": id or null}."""
    item_id = whole_number("item", high=HIGHEST_ID) or 0
    is_chosen, subtitle_id = subtitles.choice_of(actor(), room_code(code), item_id)
    answer = jsonify(is_chosen=is_chosen, subtitle=subtitle_id)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@contextmanager
def _kept(language: str) -> Iterator[str]:
    """The sent file as clean WebVTT in the store; its name. Raises Invalid, Busy.

    It goes again when it was not taken after all: refused, or sent a second time.
    """
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("Choose a file of subtitles first. SRT and WebVTT work.")
    data, name = sent.read(words.MOST_BYTES + 1), f"subtitles/{secrets.token_hex(16)}.vtt"
    try:
        parts.run(lambda: _keep(data, name, language))
    except words.Unreadable as error:
        raise Invalid(error.sentence) from error
    except Trouble as trouble:
        raise Busy(trouble.sentence) from trouble
    try:
        yield name
    finally:
        if files.unnamed([name]):
            # What cannot be deleted now is found by the sweep.
            with suppress(Trouble):
                parts.run(lambda: open_store(settings).delete(name))


def _keep(data: bytes, name: str, language: str) -> None:
    with tempfile.TemporaryDirectory(prefix="partyline-words-") as folder:
        path, store = Path(folder) / "words.vtt", open_store(settings)
        path.write_text(words.clean(data, language), encoding="utf-8")
        store.refuse_full(path.stat().st_size)
        store.put(path, name)
