"""Talking: saying something, taking it back, reacting to it. What was said is read in party.chat_log."""

from __future__ import annotations

from models import Member, Message, Reaction, Room, User, rows
from party import snapshot
from party.change import NOT_INSIDE, Actor, Change, Person, change, refusal
from party.chat_text import clean_message, mentioned
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from party.people import words_for
from party.permissions import can
from party.settings import load

BURST_MOST, BURST_MS, PAUSE_MS = 5, 3_000, 10_000
"""So many messages within so short a time, then a pause."""
SAME_MS = 3_000
LONG_MS = 366 * 86_400_000
"""Longer than this is for good."""
EMOJI = ("👍", "❤️", "😂", "🎉", "🔥", "👏", "😮", "😢")
"""What may stand under a message or float over a track."""


def say(actor: Actor, code: str, text: str, reply_to: int | None = None) -> int:
    """Say something in the room. Returns the message's id.

    Five within three seconds are followed by a pause of ten; the same words at once are refused, and so is what
    comes too early in slow mode.
    """
    text = clean_message(text)
    with change(actor, code, may="chat") as c:
        _refuse_muted(c)
        _refuse_haste(c, text)
        if reply_to is not None and _message(c, reply_to).deleted_at is not None:
            raise Conflict("That message was deleted a moment ago.")
        message_id = int(
            Message.insert(
                room=c.room.id,
                member=c.seat.id,
                text=text,
                reply_to=reply_to,
                mentions=_mentioned(c, text),
                said_at=c.now,
            ).execute()
        )
        _forget_old(c)
        c.log("message_sent", message_id=message_id)
        return message_id


def delete_message(actor: Actor, code: str, message_id: int) -> None:
    """Take the words of a message away, one's own or, for the host and co-hosts, anybody's. Its place stays."""
    with change(actor, code, may="see") as c:
        message = _message(c, message_id)
        if message.member_id != c.seat.id:
            c.need("moderate_chat")
        if message.deleted_at is not None:
            return
        Message.update(text="", mentions=[], deleted_at=c.now, deleted_by=c.seat.id).where(
            Message.id == message_id
        ).execute()
        Reaction.delete().where(Reaction.message == message_id).execute()
        c.log("message_deleted", message_id=message_id)


def react(actor: Actor, code: str, message_id: int, emoji: str) -> None:
    """Put a sign under a message. The same one again changes nothing."""
    emoji = known_emoji(emoji)
    with change(actor, code, may="react") as c:
        _refuse_muted(c)
        if _message(c, message_id).deleted_at is not None:
            raise Conflict("That message was deleted a moment ago.")
        own = Reaction.get_or_none(
            Reaction.message == message_id, Reaction.member == c.seat.id, Reaction.emoji == emoji
        )
        if own is None:
            Reaction.insert(message=message_id, member=c.seat.id, emoji=emoji).execute()
            c.log("message_reacted", message_id=message_id)


def take_back(actor: Actor, code: str, message_id: int, emoji: str) -> None:
    """Take one's sign from under a message again. None there changes nothing."""
    emoji = known_emoji(emoji)
    with change(actor, code, may="see") as c:
        _message(c, message_id)
        gone = (
            Reaction.delete()
            .where(Reaction.message == message_id, Reaction.member == c.seat.id, Reaction.emoji == emoji)
            .execute()
        )
        if gone:
            c.log("message_reacted", message_id=message_id)


def known_emoji(text: str) -> str:
    """One of EMOJI, however it was written. Raises Invalid."""
    bare = text[:16].strip().replace("\ufe0f", "")
    for emoji in EMOJI:
        if emoji.replace("\ufe0f", "") == bare:
            return emoji
    raise Invalid(f"React with one of {' '.join(EMOJI)}.")


def check_taps(actor: Person, code: str) -> None:
    """Raise NotAllowed for somebody who may not react in this room just now; nothing is written."""
    share = snapshot.mine(code, actor.user_id)
    if share is None:
        raise NotAllowed(NOT_INSIDE)
    if not can(share.role, "react", load(Room.get(Room.code == code).settings)):
        raise NotAllowed(refusal("react"))
    if share.muted_until is not None:
        raise NotAllowed(_muted_sentence(share.muted_until - now_ms()))


def _message(c: Change, message_id: int) -> Message:
    message: Message | None = Message.get_or_none(Message.id == message_id, Message.room == c.room)
    if message is None:
        raise NotFound("That message is not here any more.")
    return message


def _refuse_muted(c: Change) -> None:
    until = c.seat.muted_until
    if until is not None and until > c.now:
        raise NotAllowed(_muted_sentence(until - c.now))


def _muted_sentence(left_ms: int) -> str:
    span = f" for another {words_for(left_ms)}" if left_ms < LONG_MS else " in this room"
    return f"You are muted{span}. Everything else works as before."


def _refuse_haste(c: Change, text: str) -> None:
    """The limits follow from what was said, so they hold for all doors and processes together."""
    own = (Message.room == c.room) & (Message.member == c.seat.id)
    query = Message.select(Message.said_at, Message.text).where(own).order_by(Message.id.desc())
    latest = rows(query.limit(BURST_MOST))
    if not latest:
        return
    said_at, said = latest[0]
    # A clock set back must silence nobody.
    since = c.now - said_at if said_at <= c.now else PAUSE_MS
    if len(latest) == BURST_MOST and said_at - latest[-1][0] < BURST_MS and since < PAUSE_MS:
        raise TooMany(f"Easy. You can write again in {words_for(PAUSE_MS - since)}.")
    if said == text and since < SAME_MS:
        raise TooMany("You said that a moment ago. Once is enough.")
    slow_ms = c.settings.slow_seconds * 1000
    if since < slow_ms and said_at <= c.now and not c.can("moderate_chat"):
        raise TooMany(f"Slow mode is on. You can write again in {words_for(slow_ms - since)}.")


def _mentioned(c: Change, text: str) -> list[int]:
    if "@" not in text:
        return []
    seats = Member.select(Member.id, User.display_name).join(User)
    return mentioned(
        text, rows(seats.where(Member.room == c.room, Member.left_at.is_null()).order_by(Member.id))
    )


def _forget_old(c: Change) -> None:
    """Only the newest messages are kept, as many as the room's settings say."""
    of_room = Message.room == c.room
    oldest = (
        Message.select(Message.id).where(of_room).order_by(Message.id.desc()).offset(c.settings.chat_kept)
    )
    newest_gone = oldest.limit(1).scalar()
    if newest_gone is not None:
        Message.delete().where(of_room, Message.id <= newest_gone).execute()
