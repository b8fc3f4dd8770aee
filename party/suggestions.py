"""Suggestions: in a room where adding needs approval, what guests would like on the line and what leaders say to it."""

from __future__ import annotations

from typing import Any

from models import Item, Member, Room, Suggestion
from party import queue
from party.allowance import chosen_track, fitting_track, refuse_too_fast, refuse_too_many_suggestions
from party.change import Actor, Change, Person, ban_on, change, role_of
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from party.names import one_line
from party.permissions import can
from party.playback import hold_lock, start_if_idle
from party.settings import load

REASON_LONGEST = 200
DECIDED = {
    "approved": "That track was let onto the line a moment ago.",
    "declined": "That track was declined a moment ago.",
    "withdrawn": "That suggestion was taken back a moment ago.",
}


def offer_item(actor: Person, code: str, track_id: int) -> bool:
    """Put a track on the line, or suggest it where this person has to. True when it was suggested."""
    if _has_to_suggest(actor, code):
        suggest_item(actor, code, track_id)
        return True
    queue.add_item(actor, code, track_id)
    return False


def suggest_item(actor: Actor, code: str, track_id: int) -> int:
    """Ask for a track to be let onto the line. The same wish again changes nothing. Returns the suggestion's id."""
    with change(actor, code, may="suggest_item") as c:
        track = chosen_track(c, track_id)
        known = Suggestion.get_or_none(
            Suggestion.room == c.room, Suggestion.track == track, Suggestion.state == "waiting"
        )
        if known is not None:
            if known.member_id == c.seat.id:
                return int(known.id)
            raise Conflict(f"{track.title} is suggested already. The host will decide.")
        queue.refuse_duplicate(c, track)
        refuse_too_many_suggestions(c)
        refuse_too_fast(c)
        made = Suggestion.create(room=c.room, member=c.seat, track=track, asked_at=c.now)
        c.log("suggestion_made", suggestion_id=made.id)
        return int(made.id)


def withdraw_suggestion(actor: Actor, code: str, suggestion_id: int) -> None:
    """Take one's own suggestion back before it is decided. Taken back already changes nothing."""
    with change(actor, code, may="remove_own_item") as c:
        wish = _suggestion(c, suggestion_id)
        if wish.member_id != c.seat.id:
            raise NotAllowed("Only whoever suggested a track may take that back.")
        if _is_still_to_do(wish, "withdrawn"):
            _close(c, wish, "withdrawn")
            c.log("suggestion_withdrawn", suggestion_id=wish.id)


def decide_suggestion(actor: Actor, code: str, suggestion_id: int, decision: str, reason: str = "") -> None:
    """Let a suggested track onto the line, or decline it with a reason. Decided once; the same again is nothing."""
    if decision not in ("approve", "decline"):
        raise Invalid("A suggestion is approved or declined.")
    reason = one_line(reason)
    if len(reason) > REASON_LONGEST:
        raise Invalid(f"That reason is too long. Up to {REASON_LONGEST} letters fit.")
    with change(actor, code, may="decide_suggestions") as c:
        wish = _suggestion(c, suggestion_id)
        if not _is_still_to_do(wish, "approved" if decision == "approve" else "declined"):
            return
        if decision == "approve":
            _let_on(c, wish)
            return
        _close(c, wish, "declined", reason=reason)
        c.log("suggestion_declined", suggestion_id=wish.id)


def approve_all_from(actor: Actor, code: str, suggestion_id: int) -> int:
    """Let everything onto the line that the person behind a suggestion waits for. Returns how many went on.

    What may not go on stays in the tray; raises its reason when nothing at all may.
    """
    with change(actor, code, may="decide_suggestions") as c:
        member = _suggestion(c, suggestion_id).member
        wishes = _waiting(c).where(Suggestion.member == member).order_by(Suggestion.id)
        count, reason = 0, None
        for wish in list(wishes):
            try:
                _let_on(c, wish)
                count += 1
            except Refusal as refusal:
                reason = refusal
        if reason is not None and not count:
            raise reason
        return count


def withdraw_all_of(c: Change, member: Member) -> None:
    """Close what somebody who is sent out still waits for, in the open transaction."""
    for wish in list(_waiting(c).where(Suggestion.member == member)):
        _close(c, wish, "withdrawn")
        c.log("suggestion_withdrawn", suggestion_id=wish.id)


def _has_to_suggest(actor: Person, code: str) -> bool:
    room = Room.get_or_none(Room.code == code)
    member = room and Member.get_or_none(Member.room == room, Member.user == actor.user_id)
    return bool(member) and can(role_of(room, member, now_ms()), "suggest_item", load(room.settings))


def _let_on(c: Change, wish: Suggestion) -> None:
    """The host's word goes before one person's limits; a track that came onto the line meanwhile is that one."""
    if ban_on(c.room, wish.member.user_id, c.now) is not None:
        raise Conflict("Whoever suggested that is banned from this room.")
    track = fitting_track(c, wish.track_id)
    item = Item.get_or_none(
        Item.room == c.room, Item.track == track, Item.state == "waiting", ~Item.is_filler
    )
    if item is None:
        hold_lock(c)
        item = queue.new_item(c, track, wish.member)
        c.log("item_added", item_id=item.id)
    _close(c, wish, "approved", item=item)
    c.log("suggestion_approved", suggestion_id=wish.id)
    start_if_idle(c)


def _close(c: Change, wish: Suggestion, state: str, *, reason: str = "", item: Item | None = None) -> None:
    Suggestion.update(state=state, reason=reason, item=item, decided_at=c.now, decided_by=c.member).where(
        Suggestion.id == wish.id
    ).execute()


def _is_still_to_do(wish: Suggestion, wanted: str) -> bool:
    """False when it is as wanted already. Raises Conflict when it was decided otherwise."""
    if wish.state not in ("waiting", wanted):
        raise Conflict(DECIDED[wish.state])
    return bool(wish.state == "waiting")


def _suggestion(c: Change, suggestion_id: int) -> Suggestion:
    wish = Suggestion.get_or_none(Suggestion.id == suggestion_id, Suggestion.room == c.room)
    if wish is None:
        raise NotFound("There is no such suggestion in this room.")
    return wish


def _waiting(c: Change) -> Any:
    return Suggestion.select().where(Suggestion.room == c.room, Suggestion.state == "waiting")
