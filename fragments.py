"""The pieces of the room's screen, rendered: whole, or what a screen lacks after a number (stale.py names the pieces).

One function serves the answer to a click, the live push and the catch-up after a gap: `since`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from party import chat_log, events, snapshot
from party.errors import NotFound
from party.presence import StepView
from party.views import Audience, ItemView, Snapshot, clock_text
from stale import EVERYTHING, PIECES, STALE, TOUCHING_ALL, TOUCHING_ITEMS, TOUCHING_ONE

MOST_BEHIND = 200
"""A screen further behind than this is redrawn whole."""

MOST_ROWS = 40
"""More changed rows than this travel as the whole list."""

IN_PLACE = " hx-swap-oob=outerMorph"
"""How a piece goes home by its id: morphed in place, so focus and typed text stay. Unquoted: nothing to escape."""

environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
environment.filters["clock"] = clock_text


@dataclass(frozen=True, slots=True)
class Frame:
    """All that one audience lacks between two numbers. `actors` are the seats whose own share may have changed."""

    epoch: str
    start: int
    to: int
    html: str
    actors: frozenset[int]


def since(code: str, audience: Audience, after: int | None, epoch: str | None) -> Frame:
    """What a screen of this audience lacks after its number; every piece when that cannot be proved."""
    return lacking(current(code), audience, after, epoch)


def lacking(room: Snapshot, audience: Audience, after: int | None, epoch: str | None) -> Frame:
    """The same from a snapshot at hand."""
    audience = room.audience(audience.role)
    if after is not None and epoch == room.epoch and 0 < after <= room.seq <= after + MOST_BEHIND:
        rows = events.after(room.id, after, MOST_BEHIND + 1)
        rows = [row for row in rows if row.seq <= room.seq]
        if [row.seq for row in rows] == list(range(after + 1, room.seq + 1)):
            return _delta(room, audience, after, rows)
    actors = frozenset(member_id for member_id, _ in room.member_roles)
    return Frame(room.epoch, 0, room.seq, _header(room, 0) + pieces(room, audience, EVERYTHING), actors)


def pieces(room: Snapshot, audience: Audience, names: frozenset[str]) -> str:
    """The named pieces, each marked to go home by its id."""
    return "".join(piece(room, audience.role, name) for name in PIECES if name in names)


def piece(room: Snapshot, role: str, name: str, oob: str = IN_PLACE) -> str:
    """One piece of the screen as one class of viewers sees it."""
    # Beside the snapshot: what was said is too much to be read for every change.
    beside = {"talk": chat_log.latest(room.id, room.seq)} if name == "chat" else {}
    return render(f"fragments/{name}.html", room=room, audience=room.audience(role), oob=oob, **beside)


def people(room: Snapshot, audience: Audience) -> str:
    """Who is here, and what that means for skipping and succession: without a number, as presence is not in the log."""
    return pieces(room, audience, frozenset({"people", "skip", "banner"}))


def steps(views: tuple[StepView, ...]) -> str:
    """Who does not hear what everybody hears: for the host and co-hosts alone, and without a number."""
    return render("fragments/steps.html", steps=views, oob=IN_PLACE)


def mine(code: str, user_id: int, oob: str = IN_PLACE) -> str:
    """One person's own share as data; empty for somebody without a seat."""
    return own(own_share(code, user_id), oob)


def own(share: snapshot.Share | None, oob: str = IN_PLACE) -> str:
    """The same from a share at hand."""
    return render("fragments/mine.html", mine=share, oob=oob) if share else ""


def own_share(code: str, user_id: int) -> snapshot.Share | None:
    """One person's share, or None for somebody without a seat."""
    return snapshot.mine(code, user_id)


def notice(message: str, undo_url: str = "", undo_label: str = "") -> str:
    """A sentence to the person, out of band."""
    undo = {"url": undo_url, "label": undo_label} if undo_url else None
    return render("fragments/notice.html", message=message, undo=undo, oob=IN_PLACE)


def earlier(room: Snapshot, talk: chat_log.Talk) -> str:
    """Older messages for the top of the list, and the way further back."""
    return render("fragments/chat_earlier.html", room=room, talk=talk) + render(
        "fragments/chat_older.html", room=room, talk=talk, oob=IN_PLACE
    )


def render(template: str, **values: Any) -> str:
    """One template from the folder. Undefined names raise."""
    return environment.get_template(template).render(**values)


# Snapshots lately taken, by room and number: the newest is shared by all audiences, the older ones tell which
# rows a screen lacks. Losing one costs a whole list, never a wrong one.
_RECENT_ROOMS, _RECENT_NUMBERS = 200, 64
_recent: OrderedDict[str, OrderedDict[int, Snapshot]] = OrderedDict()


def current(code: str) -> Snapshot:
    """The room as it stands now, remembered by its number and read again only when it moved on."""
    known = _recent.get(code, OrderedDict())
    newest = next(reversed(known.values()), None)
    try:
        room = snapshot.take(code, newest)
    except NotFound:
        # Deleted: nothing of it stays in memory either.
        _recent.pop(code, None)
        raise
    if room is newest:
        _recent.move_to_end(code)
        return room
    if newest is not None:
        room = _sharing_rows(room, newest)
    _recent[code] = known
    _recent.move_to_end(code)
    known[room.seq] = room
    known.move_to_end(room.seq)
    while len(known) > _RECENT_NUMBERS:
        known.popitem(last=False)
    while len(_recent) > _RECENT_ROOMS:
        _recent.popitem(last=False)
    return room


def _sharing_rows(room: Snapshot, before: Snapshot) -> Snapshot:
    """The snapshot with equal rows taken over from the one before, so that keeping many is cheap."""
    rows = {item.id: item for item in before.items}
    shared = []
    for item in room.items:
        old = rows.get(item.id)
        shared.append(old if old == item else item)
    object.__setattr__(room, "items", tuple(shared))
    for name in ("people", "history", "member_roles"):
        if getattr(room, name) == getattr(before, name):
            object.__setattr__(room, name, getattr(before, name))
    return room


def _delta(room: Snapshot, audience: Audience, after: int, rows: list[Any]) -> Frame:
    stale: frozenset[str] = frozenset().union(*(STALE[row.kind] for row in rows))
    numbers = _recent.get(room.code)
    before = numbers.get(after) if numbers else None
    html = _header(room, after)
    if "queue" in stale and before is not None and before.epoch == room.epoch and stale != EVERYTHING:
        html += pieces(room, audience, stale - {"queue"}) + _rows_changed(room, before, audience)
    else:
        html += pieces(room, audience, stale)
    if "chat" not in stale:
        html += _talk_since(room, audience, rows)
    actors = frozenset(row.actor_id for row in rows if row.actor_id is not None)
    return Frame(room.epoch, after, room.seq, html, actors | _owners_affected(room, rows))


def _talk_since(room: Snapshot, audience: Audience, rows: list[Any]) -> str:
    """New lines of the talk, to be put at its end, and the messages that look different; the same for everybody."""
    told = [row for row in rows if chat_log.is_told(row.kind)]
    if len(told) > chat_log.SHOWN:
        return pieces(room, audience, frozenset({"chat"}))
    if not told:
        return ""
    lines, changed = chat_log.since(room.id, told)
    html = "".join(render("fragments/message.html", room=room, line=line, oob=IN_PLACE) for line in changed)
    return html + (render("fragments/chat_new.html", room=room, lines=lines) if lines else "")


def _owners_affected(room: Snapshot, rows: list[Any]) -> frozenset[int]:
    """Seats whose own share is another than before by what somebody else, or the clock, did."""
    if any(row.kind in TOUCHING_ALL for row in rows):
        return frozenset(member_id for member_id, _ in room.member_roles)
    named = frozenset(row.data["member_id"] for row in rows if row.kind in TOUCHING_ONE)
    items = {row.data["item_id"] for row in rows if row.kind in TOUCHING_ITEMS}
    plays = {row.data["play_id"] for row in rows if row.kind == "item_ended"}
    wishes = {row.data["suggestion_id"] for row in rows if "suggestion_id" in row.data}
    return named | (snapshot.stakeholders(items, plays, wishes) if items | plays | wishes else frozenset())


def _header(room: Snapshot, after: int) -> str:
    return render("fragments/frame.html", epoch=room.epoch, to=room.seq, oob=IN_PLACE, **{"from": after})


def _rows_changed(room: Snapshot, before: Snapshot, audience: Audience) -> str:
    """The rows that differ, in their new order; the moved and new ones name the row they stand after."""
    old = {item.id: item for item in before.items}
    new_ids = [item.id for item in room.items]
    if not old or not new_ids:
        return _whole_queue(room, audience)
    gone = [item_id for item_id in old if item_id not in set(new_ids)]
    moved = _moved([item.id for item in before.items], new_ids)
    html, count, after = [], len(gone), ""
    for item in room.items:
        if item.id in moved or old.get(item.id) is not item and old.get(item.id) != item:
            html.append(_row(room, item, audience, after if item.id in moved else None, item.id not in old))
            count += 1
        after = str(item.id)
    if count > MOST_ROWS:
        return _whole_queue(room, audience)
    return "".join(render("fragments/queue_item_gone.html", item_id=item_id) for item_id in gone) + "".join(
        html
    )


def _whole_queue(room: Snapshot, audience: Audience) -> str:
    return pieces(room, audience, frozenset({"queue"}))


def _row(room: Snapshot, item: ItemView, audience: Audience, after: str | None, is_new: bool) -> str:
    template = "fragments/queue_item_new.html" if is_new else "fragments/queue_item.html"
    return render(template, room=room, item=item, audience=audience, after=after, oob=IN_PLACE)


def _moved(old: list[int], new: list[int]) -> set[int]:
    """The fewest rows to place so that `old` becomes `new`: those outside a longest common increasing run."""
    place = {item_id: number for number, item_id in enumerate(old)}
    kept = [item_id for item_id in new if item_id in place]
    tails: list[int] = []
    tail_items: list[int] = []
    previous: dict[int, int | None] = {}
    for item_id in kept:
        at = bisect_left(tails, place[item_id])
        previous[item_id] = tail_items[at - 1] if at else None
        if at == len(tails):
            tails.append(place[item_id])
            tail_items.append(item_id)
        else:
            tails[at], tail_items[at] = place[item_id], item_id
    still: set[int] = set()
    walk = tail_items[-1] if tail_items else None
    while walk is not None:
        still.add(walk)
        walk = previous[walk]
    return set(new) - still
