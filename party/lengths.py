"""How long a track is that came without a length: its player says so once it plays, to this room alone."""

from __future__ import annotations

from models import Item
from party.change import Actor, change, refusal
from party.errors import Invalid, NotAllowed

SHORTEST_MS, LONGEST_MS = 1_000, 86_400_000


def report_length(actor: Actor, code: str, item_id: int, duration_ms: int) -> None:
    """Say how long the item is that plays: whoever may control the playback, or put it on. Known already is nothing.

    What one room's players say ends the track in that room and nowhere else, or anybody could cut it short for all.
    """
    if not SHORTEST_MS <= duration_ms <= LONGEST_MS:
        raise Invalid("A length lies between a second and a day.")
    with change(actor, code, may="report_length") as c:
        item, playback = c.item(item_id), c.playback
        if item.added_by_id != c.seat.id and not c.can("control_playback"):
            raise NotAllowed(refusal("control_playback"))
        if playback.item_id != item.id or item.track.duration_ms or item.length_ms:
            return
        Item.update(length_ms=duration_ms).where(Item.id == item.id).execute()
        if playback.state == "playing":
            playback.ends_at = playback.at_ms + round((duration_ms - playback.position_ms) / playback.rate)
            playback.save()
        c.log("length_known", item_id=item.id, duration_ms=duration_ms)
