"""A room's log as its host and co-hosts read it: who did what when, by person and kind, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from peewee import Cast

from models import Ban, Event, Item, Member, Room, Suggestion, Track, User, rows
from party import events, lifecycle
from party.audit import OPERATOR
from party.change import NO_ROOM, NOT_INSIDE, Person, refusal, role_of
from party.clock import now_ms
from party.doorway import sent_out
from party.errors import Invalid, NotAllowed, NotFound
from party.permissions import can
from party.settings import RoomSettings, load
from party.snapshot import reading

PAGE = 50
GROUPS: dict[str, tuple[str, ...]] = {
    "line": ("item_", "next_", "mode_"),
    "votes": ("vote_", "skip_"),
    "player": ("playback_", "control_", "length_", "subtitles_"),
    "people": ("person_", "host_", "role_"),
    "suggestions": ("suggestion_",),
    "door": ("knock_", "invite_", "ban_", "code_"),
    "room": ("room_", "settings_"),
    "chat": ("message_",),
}
"""What may be looked at alone, each with how its kinds begin."""

UNDO = {
    "item_removed": ("remove_item", "Put it back"),
    "person_removed": ("kick", "Let them back in"),
    "person_banned": ("ban", "Lift the ban"),
    "settings_changed": ("change_settings", "Set it back"),
}
"""Which kinds can be undone, by whom, and what the button says."""

DETAILS = {
    "playback_changed": "action",
    "mode_changed": "mode",
    "role_changed": "role",
    "item_ended": "reason",
    "host_changed": "how",
}
WORDS = {
    "charts": "by votes",
    "hand": "by hand",
    "handed_over": "handed over",
    "grace": "took over",
    "claimed": "taken back",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `who` did it; `words` follow their name, or stand alone; `about` names whom or what.

    `undo` is what the button says, empty where nothing can be undone.
    """

    seq: int
    kind: str
    at: int
    who: str
    words: str
    about: str
    detail: str
    undo: str


@dataclass(frozen=True, slots=True)
class LogView:
    """A page of the log. `people` are all who ever had a seat; `before` is where the next page goes on, or None."""

    code: str
    door_code: str
    name: str
    is_over: bool
    entries: tuple[Entry, ...]
    people: tuple[tuple[int, str], ...]
    person: int | None
    kind: str
    before: int | None
    total: int


def read(
    actor: Person, code: str, person: int | None = None, kind: str = "", before: int | None = None
) -> LogView:
    """A page of the log, newest first. Raises NotFound, and NotAllowed for guests. An ended room keeps its log."""
    if kind and kind not in GROUPS:
        raise Invalid("There is no such kind of entry.")
    with reading():
        room, member = reader(actor, code)
        now = now_ms()
        role, settings = role_of(room, member, now), load(room.settings)
        names = dict(rows(Member.select(Member.id, User.display_name).join(User).where(Member.room == room)))
        wanted = _wanted(room, person, kind)
        page = wanted.where(Event.seq < before) if before is not None else wanted
        found = list(page.order_by(Event.seq.desc()).limit(PAGE + 1))
        shown = found[:PAGE]
        is_over = lifecycle.effective(room, now)[0] == "EXPIRED"
        may = frozenset() if is_over else frozenset(k for k, (a, _) in UNDO.items() if can(role, a, settings))
        facts = _Facts(room, shown, names, now)
        return LogView(
            room.code,
            room.spoken_code,
            room.name,
            is_over,
            tuple(facts.entry(row, may) for row in shown),
            tuple(sorted(names.items(), key=lambda each: each[1].casefold())),
            person,
            kind,
            shown[-1].seq if len(found) > PAGE else None,
            wanted.count(),
        )


def reader(actor: Person, code: str) -> tuple[Room, Member]:
    """The room and the seat of somebody who may read its log. Raises NotFound, or NotAllowed with a sentence."""
    room = Room.get_or_none(Room.code == code)
    if room is None:
        raise NotFound(NO_ROOM)
    member = Member.get_or_none(Member.room == room, Member.user == actor.user_id, Member.left_at.is_null())
    if member is None:
        raise NotFound(NO_ROOM) if room.visibility == "private" else NotAllowed(NOT_INSIDE)
    if not can(role_of(room, member, now_ms()), "see_log", load(room.settings)):
        raise NotAllowed(refusal("see_log"))
    return room, member


def _wanted(room: Room, person: int | None, kind: str) -> Any:
    query = Event.select().where(Event.room == room)
    if person is not None:
        query = query.where((Event.actor == person) | _names(person))
    if kind:
        kinds = [each for each in events.KINDS if each.startswith(GROUPS[kind])]
        query = query.where(Event.kind.in_(kinds))
    return query


def _names(member_id: int) -> Any:
    """True for rows whose facts name this seat; they are kept as text with sorted names and no spaces."""
    facts = Cast(Event.data, "text")
    return facts.contains(f'"member_id":{member_id},') | facts.contains(f'"member_id":{member_id}}}')


class _Facts:
    """What a page of rows is about, read once for all of them."""

    def __init__(self, room: Room, log: Sequence[Event], names: dict[int, str], now: int) -> None:
        self.names, self.now = names, now
        self.settings = load(room.settings)
        self.items = self._read_items(_named(log, "item_id"))
        wishes = Suggestion.select(Suggestion.id, Track.title).join(Track)
        self.suggestions = dict(rows(wishes.where(Suggestion.id.in_(_named(log, "suggestion_id")))))
        banned = Ban.select(Ban, User).join(User).where(Ban.id.in_(_named(log, "ban_id")))
        self.bans = {ban.id: ban for ban in banned}
        gone = Member.select(Member.id).where(Member.room == room, Member.left_at.is_null(False))
        absent = {member_id for (member_id,) in rows(gone)}
        is_asked = any(row.kind == "person_removed" for row in log)
        self.sent_out = absent & sent_out(room) if is_asked else set()
        self.told: set[tuple[str, int]] = set()

    def entry(self, row: Event, may: frozenset[str]) -> Entry:
        """The row in words, and whether it can be undone now."""
        sentence = events.SENTENCES[row.kind]
        who = self.names.get(row.actor_id, "") if row.actor_id is not None else ""
        if "{who}" in sentence and not who:
            who = OPERATOR if row.kind == "room_ended" else "Somebody"
        return Entry(
            row.seq,
            row.kind,
            row.at,
            who if "{who}" in sentence else "",
            sentence.replace("{who}", "").strip(),
            self._about(row),
            self._detail(row),
            UNDO[row.kind][1] if row.kind in may and self._can_be_undone(row) else "",
        )

    def _about(self, row: Event) -> str:
        data = row.data
        if "item_id" in data:
            return self.items.get(data["item_id"], ("", ""))[0]
        if "suggestion_id" in data:
            return self.suggestions.get(data["suggestion_id"], "")
        if "ban_id" in data and data["ban_id"] in self.bans:
            return str(self.bans[data["ban_id"]].user.display_name)
        if data.get("member_id") is not None and data["member_id"] != row.actor_id:
            return self.names.get(data["member_id"], "")
        return ""

    def _detail(self, row: Event) -> str:
        if row.kind == "settings_changed":
            return ", ".join(str(name).replace("_", " ") for name in row.data["names"])
        if row.kind == "vote_cast":
            return "up" if row.data["value"] > 0 else "down"
        if row.kind == "person_banned" and row.data["ban_id"] in self.bans:
            return str(self.bans[row.data["ban_id"]].reason)
        value = row.data.get(DETAILS.get(row.kind, ""), "")
        return WORDS.get(value, str(value))

    def _can_be_undone(self, row: Event) -> bool:
        """True when it stands as the row says. Of two rows about one thing the newer has the button."""
        if row.kind == "settings_changed":
            return bool(_differing(row.data["before"], self.settings))
        number = row.data.get("ban_id") or row.data.get("item_id") or row.data.get("member_id")
        if (row.kind, number) in self.told:
            return False
        self.told.add((row.kind, number))
        if row.kind == "item_removed":
            return self.items.get(number, ("", ""))[1] == "removed"
        if row.kind == "person_banned":
            ban = self.bans.get(number)
            return ban is not None and ban.lifted_at is None and (ban.until is None or ban.until > self.now)
        return number in self.sent_out

    @staticmethod
    def _read_items(ids: Iterable[int]) -> dict[int, tuple[str, str]]:
        query = Item.select(Item.id, Track.title, Item.state).join(Track).where(Item.id.in_(list(ids)))
        return {item_id: (title, state) for item_id, title, state in rows(query)}


def _named(log: Sequence[Event], field: str) -> list[int]:
    return list({row.data[field] for row in log if field in row.data})


def _differing(before: dict[str, Any], settings: RoomSettings) -> dict[str, Any]:
    now = asdict(settings)
    return {name: value for name, value in before.items() if name in now and now[name] != value}
