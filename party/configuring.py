"""The room's rules: its name, its settings one by one, and the three presets."""

from __future__ import annotations

from typing import Any

from models import Member
from party import filling
from party.change import Actor, Change, change
from party.control import end_all_grants
from party.errors import Conflict, Invalid
from party.hosting import keep_changed, may_keep
from party.playback import start_if_idle
from party.rooms import clean_room_name
from party.settings import LEVELS, PRESETS, RoomSettings, changed, stored

NEEDS_ACCOUNT = "A room can be kept by somebody with an account. Sign in, and try again."


def change_settings(actor: Actor, code: str, values: dict[str, Any]) -> None:
    """Set some of the room's settings. What is so already changes nothing; stricter controls end their loans."""
    with change(actor, code, may="change_settings") as c:
        before = c.settings
        _note(c, _set(c, values), before)


def apply_preset(actor: Actor, code: str, preset: str) -> None:
    """Set the room up as a party, a radio or a class. Into a class people knock first."""
    if preset not in PRESETS:
        raise Invalid("A room can be set up as party, radio or class.")
    with change(actor, code, may="change_settings") as c:
        before, names = c.settings, _set(c, PRESETS[preset])
        if preset == "class" and c.room.entry != "approval":
            # Whoever needed a password now needs a person; two doors one behind the other help nobody.
            c.room.entry, c.room.password_hash = "approval", None
            names = sorted([*names, "entry"])
        _note(c, names, before)


def rename_room(actor: Actor, code: str, name: str) -> None:
    """Give the room another name. The same one changes nothing."""
    name = clean_room_name(name)
    with change(actor, code, may="change_settings") as c:
        if name != c.room.name:
            c.room.name = name
            c.log("settings_changed", names=["name"], before={})


def _set(c: Change, values: dict[str, Any]) -> list[str]:
    """The settings written into the open transaction; the names of those that are others than before."""
    before, after = c.settings, changed(c.settings, values)
    names = sorted(name for name in values if getattr(before, name) != getattr(after, name))
    if after.keep and not before.keep and not may_keep(c.room):
        raise Conflict(NEEDS_ACCOUNT)
    if not names:
        return names
    c.room.settings = stored(after)  # type: ignore[assignment]
    c.settings = after
    _follow_control(c, before, after)
    if "keep" in names or "keep_days" in names:
        keep_changed(c)
    return names


def _note(c: Change, names: list[str], before: RoomSettings) -> None:
    """Write down what is other than before, and what it was, so that the room's log can undo it; the line follows."""
    if not names:
        return
    was = {name: getattr(before, name) for name in names if hasattr(before, name)}
    c.log("settings_changed", names=names, before=was)
    if {"when_empty", "empty_playlist", "explicit"} & set(names):
        filling.follow(c)
        start_if_idle(c)


def _follow_control(c: Change, before: RoomSettings, after: RoomSettings) -> None:
    if LEVELS.index(after.control) > LEVELS.index(before.control):
        end_all_grants(c)
    elif after.control == "all":
        # What everybody has, nobody waits for.
        Member.update(asked_control_at=None).where(Member.room == c.room).execute()
