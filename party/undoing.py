"""Undoing from a room's log what a leader may undo: a removed track, somebody sent out, a ban, changed settings."""

from __future__ import annotations

from models import Event
from party import configuring, moderation
from party.allowance import fitting_track
from party.change import Actor, Person, change
from party.errors import Conflict, NotFound
from party.playback import hold_lock
from party.queue import bring_back, refuse_duplicate
from party.roomlog import UNDO, reader


def undo(actor: Person, code: str, seq: int) -> None:
    """Undo what an entry of the room's log tells. Undone already changes nothing. Raises NotFound for no such entry."""
    room, _ = reader(actor, code)
    row = Event.get_or_none(Event.room == room, Event.seq == seq)
    if row is None or row.kind not in UNDO:
        raise NotFound("There is nothing to undo in that entry.")
    if row.kind == "item_removed":
        put_back(actor, code, row.data["item_id"])
    elif row.kind == "person_removed":
        moderation.readmit(actor, code, row.data["member_id"])
    elif row.kind == "person_banned":
        moderation.lift_ban(actor, code, row.data["ban_id"])
    elif not row.data["before"]:
        raise Conflict("That cannot be set back from here.")
    else:
        configuring.change_settings(actor, code, row.data["before"])


def put_back(actor: Actor, code: str, item_id: int) -> None:
    """A leader puts a removed track back on the line, however long ago. On the line already changes nothing."""
    with change(actor, code, may="see_log") as c:
        c.need("remove_item")
        item = c.item(item_id)
        if item.state == "waiting":
            return
        if item.state != "removed":
            raise Conflict("That track already had its turn.")
        hold_lock(c)
        refuse_duplicate(c, fitting_track(c, item.track_id))
        bring_back(c, item)
