"""The room's settings by URL."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from party import configuring
from party.errors import Invalid
from party.settings import CHOICES, RANGES, SWITCHES
from web.answers import command, whole_number
from web.viewer import actor

settings_pages = Blueprint("settings", __name__)
WORDS = {"yes": True, "on": True, "no": False, "off": False}


@settings_pages.post("/rooms/<code>/settings")
def change_settings(code: str) -> Response | str:
    """A new name, a preset, or any of the settings: what the form does not hold stays as it is."""
    name, preset, values = request.form.get("name"), request.form.get("preset"), _values()

    def act(room: str) -> None:
        if name is not None:
            configuring.rename_room(actor(), room, name)
        elif preset is not None:
            configuring.apply_preset(actor(), room, preset)
        else:
            configuring.change_settings(actor(), room, values)

    return command(code, act)


def _values() -> dict[str, Any]:
    """The settings that the form holds, each as its own kind of value."""
    values: dict[str, Any] = {name: request.form[name] for name in CHOICES if name in request.form}
    # Which playlist plays on is chosen where it is known whose it is (web/playlist_rooms.py).
    numbers = RANGES.keys() - {"empty_playlist"}
    values |= {name: whole_number(name) for name in numbers if name in request.form}
    return values | {name: _switch(name) for name in SWITCHES if name in request.form}


def _switch(name: str) -> bool:
    # A box that is not ticked is not sent: the form holds a hidden “no” before it, and the last word counts.
    word = request.form.getlist(name)[-1]
    if word not in WORDS:
        raise Invalid(f"“{name}” can be yes or no.")
    return WORDS[word]
