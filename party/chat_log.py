"""What was said in a room and what happened meanwhile, as frozen values for templates; read, never written here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from models import Event, Item, Member, Message, Reaction, Room, Track, User, rows
from party import snapshot
from party.change import NO_ROOM, NOT_INSIDE, Person
from party.chat import EMOJI
from party.chat_text import Segment, segments
from party.errors import NotAllowed, NotFound
from party.views import PersonView

SHOWN = 50
LOOKED_THROUGH = 1_000
"""So many rows of the log are looked through for what happened between the newest messages."""
EXCERPT = 80
ACTION = "/me "

NOTES: dict[str, tuple[str, str, str]] = {
    "person_joined": ("member", "came in", ""),
    "person_left": ("member", "left", ""),
    "person_removed": ("member", "was sent out", ""),
    "host_changed": ("member", "is the host now", ""),
    "item_added": ("actor", "put", "on the line"),
    "item_moved": ("actor", "moved", ""),
    "item_started": ("", "Now playing", ""),
}
"""What is told between the messages: whose name begins the line, and the words before and after the track's title."""

TALK = frozenset({"message_sent", "message_deleted", "message_reacted"})
_TOLD = (*NOTES, "message_sent")


@dataclass(frozen=True, slots=True)
class SignView:
    """A sign under a message, and the seats that put it there. `number` is its place among EMOJI."""

    emoji: str
    number: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ReplyView:
    """What a message answers. An empty `excerpt` was deleted."""

    id: int
    name: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class SaidView:
    """A message. A deleted one has no `parts`; `is_action` reads as one sentence with the name."""

    id: int
    by: PersonView
    at: int
    parts: tuple[Segment, ...]
    is_deleted: bool
    is_action: bool
    reply: ReplyView | None
    mentions: tuple[int, ...]
    signs: tuple[SignView, ...]
    is_note: bool = False

    @property
    def at_text(self) -> str:
        """The time of day in UTC, for pages without our scripts."""
        return _time(self.at).strftime("%H:%M")

    @property
    def at_iso(self) -> str:
        return _time(self.at).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class NoteView:
    """Something that happened: `name` may be empty, `title` is a track's or empty."""

    seq: int
    by: PersonView | None
    name: str
    words: str
    title: str
    tail: str
    is_note: bool = True


Line = SaidView | NoteView


@dataclass(frozen=True, slots=True)
class Talk:
    """Lines in order. `older` is the id before which there is more, or None; `emoji` may be put under a message."""

    lines: tuple[Line, ...]
    older: int | None
    emoji: tuple[str, ...] = EMOJI


NOTHING_SAID = Talk((), None)


def latest(room_id: int, seq: int) -> Talk:
    """The newest messages and what happened between them, as of the room's number; read it with the snapshot."""
    messages = _messages(Message.room == room_id, SHOWN + 1)
    older = messages[1].id if len(messages) > SHOWN else None
    messages = messages[-SHOWN:]
    query = Event.select().where(
        Event.room == room_id, Event.seq > seq - LOOKED_THROUGH, Event.seq <= seq, Event.kind.in_(_TOLD)
    )
    told = list(query.order_by(Event.seq.desc()).limit(2 * SHOWN))[::-1]
    said = {view.id: view for view in _said(messages)}
    placed = [row.data["message_id"] for row in told if row.kind == "message_sent"]
    # A message older than the rows looked through stands before them all.
    lines: list[Line] = [view for message_id, view in said.items() if message_id not in set(placed)]
    if older is not None and not lines:
        first = next(at for at, row in enumerate(told) if row.data.get("message_id") in said)
        told = told[first:]
    notes = {note.seq: note for note in _notes([row for row in told if row.kind in NOTES][-SHOWN:])}
    for row in told:
        found: Line | None = notes.get(row.seq) or said.get(row.data.get("message_id", 0))
        if found is not None:
            lines.append(found)
    return Talk(tuple(lines), older)


def since(room_id: int, happened: Sequence[Event]) -> tuple[list[Line], list[SaidView]]:
    """What rows of the log add to the talk, in order, and the earlier messages that look different now."""
    new = [row.data["message_id"] for row in happened if row.kind == "message_sent"]
    touched = {row.data["message_id"] for row in happened if row.kind in TALK} - set(new)
    deleted = [row.data["message_id"] for row in happened if row.kind == "message_deleted"]
    if deleted:
        # Those who answered it quote it.
        answers = Message.select(Message.id).where(Message.room == room_id, Message.reply_to.in_(deleted))
        touched |= {message_id for (message_id,) in rows(answers.order_by(Message.id.desc()).limit(SHOWN))}
        touched -= set(new)
    wanted = [*new, *touched]
    said = {}
    if wanted:
        found = _messages((Message.room == room_id) & Message.id.in_(wanted), len(wanted))
        said = {view.id: view for view in _said(found)}
    notes = {note.seq: note for note in _notes([row for row in happened if row.kind in NOTES])}
    lines = [
        notes.get(row.seq) or (row.kind == "message_sent" and said.get(row.data["message_id"]))
        for row in happened
    ]
    return [line for line in lines if line], [said[each] for each in sorted(touched) if each in said]


def is_told(kind: str) -> bool:
    """True when rows of this kind show in the talk."""
    return kind in NOTES or kind in TALK


def page(actor: Person, code: str, before: int, limit: int = SHOWN) -> Talk:
    """Messages older than one, oldest first. Raises NotAllowed for those outside, NotFound where they may not look."""
    room = Room.get_or_none(Room.code == code)
    seat = snapshot.mine(code, actor.user_id)
    if room is None or (seat is None and room.visibility == "private"):
        raise NotFound(NO_ROOM)
    if seat is None:
        raise NotAllowed(NOT_INSIDE)
    messages = _messages((Message.room == room.id) & (Message.id < before), limit + 1)
    older = messages[1].id if len(messages) > limit else None
    return Talk(tuple(_said(messages[-limit:])), older)


def _messages(which: Any, limit: int) -> list[Message]:
    return list(Message.select().where(which).order_by(Message.id.desc()).limit(limit))[::-1]


def _said(messages: list[Message]) -> list[SaidView]:
    quoted = {message.reply_to_id for message in messages if message.reply_to_id is not None}
    answered = {one.id: one for one in Message.select().where(Message.id.in_(quoted))} if quoted else {}
    members = {message.member_id for message in [*messages, *answered.values()]}
    people = _people(members.union(*(message.mentions for message in messages)))
    signs = _signs([message.id for message in messages])
    return [
        _view(message, answered.get(message.reply_to_id), people, signs.get(message.id, ()))
        for message in messages
    ]


def _view(
    message: Message, answered: Message | None, people: dict[int, PersonView], signs: tuple[SignView, ...]
) -> SaidView:
    is_action = message.text.startswith(ACTION)
    text = message.text.removeprefix(ACTION)
    names = [(member_id, people[member_id].name) for member_id in message.mentions if member_id in people]
    reply = None
    if answered is not None:
        excerpt = " ".join(answered.text.removeprefix(ACTION).split())
        if len(excerpt) > EXCERPT:
            excerpt = excerpt[:EXCERPT].rstrip("\u200d") + "…"
        reply = ReplyView(answered.id, people[answered.member_id].name, excerpt)
    return SaidView(
        message.id,
        people[message.member_id],
        message.said_at,
        segments(text, names),
        message.deleted_at is not None,
        is_action,
        reply,
        tuple(message.mentions),
        signs,
    )


def _signs(message_ids: list[int]) -> dict[int, tuple[SignView, ...]]:
    query = Reaction.select(Reaction.message, Reaction.emoji, Reaction.member).where(
        Reaction.message.in_(message_ids)
    )
    found: dict[int, dict[str, list[int]]] = {}
    for message_id, emoji, member_id in rows(query.order_by(Reaction.id)):
        found.setdefault(message_id, {}).setdefault(emoji, []).append(member_id)
    return {
        message_id: tuple(
            SignView(emoji, number, tuple(by[emoji])) for number, emoji in enumerate(EMOJI) if emoji in by
        )
        for message_id, by in found.items()
    }


def _notes(happened: list[Event]) -> list[NoteView]:
    if not happened:
        return []
    members = {row.actor_id for row in happened} | {row.data.get("member_id") for row in happened}
    people = _people(members)
    items = {row.data["item_id"] for row in happened if "item_id" in row.data}
    query = Item.select(Item.id, Track.title, Item.added_by, Item.is_filler).join(Track)
    found = rows(query.where(Item.id.in_(items))) if items else ()
    # What the room plays on by itself is in nobody's name.
    titles = {item_id: (title, None if is_filler else adder) for item_id, title, adder, is_filler in found}
    people |= _people({adder for _, adder in titles.values()} - people.keys())
    notes = []
    for row in happened:
        whose, words, tail = NOTES[row.kind]
        title, adder = titles.get(row.data.get("item_id"), ("", None))
        by = people.get({"actor": row.actor_id, "member": row.data.get("member_id"), "": adder}[whose])
        name = (by.name if by else "Somebody") if whose else ""
        notes.append(NoteView(row.seq, by, name, words, title, tail))
    return notes


def _people(member_ids: Iterable[Any]) -> dict[int, PersonView]:
    wanted = [member_id for member_id in member_ids if member_id is not None]
    if not wanted:
        return {}
    query = Member.select(Member.id, User.display_name, Member.color, Member.is_ringed).join(User)
    return {
        member_id: PersonView(member_id, name, snapshot.initials(name), color, bool(is_ringed), "guest", True)
        for member_id, name, color, is_ringed in rows(query.where(Member.id.in_(wanted)))
    }


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
