"""What is typed after a slash: each word calls the command that a button calls, and says nothing in the room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models import Member, Playback, Room, User, rows
from party import chat, moderation, playback, skipping, snapshot
from party.change import NOT_INSIDE, Person
from party.chat_log import ACTION
from party.chat_text import LONGEST_RAW
from party.errors import Conflict, Invalid, NotAllowed
from party.names import one_line, skeleton
from party.permissions import can
from party.settings import RoomSettings, load


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, by whom, where; `rest` follows the word after the slash."""

    actor: Person
    code: str
    rest: str
    role: str
    settings: RoomSettings
    lead_ms: int

    def can(self, ability: str) -> bool:
        """True when this person may, in this room as it is set."""
        return can(self.role, ability, self.settings)


@dataclass(frozen=True, slots=True)
class Slash:
    """A word after a slash: how it is written, one of which abilities it takes, and what it does."""

    usage: str
    abilities: tuple[str, ...]
    act: Callable[[Typed], str]


def say_or_do(actor: Person, code: str, text: str, reply_to: int | None = None, *, lead_ms: int = 150) -> str:
    """Say something, or do what stands after a slash. Returns a sentence for this person alone, or nothing.

    Two slashes say the rest as it stands.
    """
    if len(text) > LONGEST_RAW or not text.lstrip().startswith("/"):
        chat.say(actor, code, text, reply_to)
        return ""
    typed = text.lstrip()
    word, _, rest = typed[1:].partition(" ")
    if word.startswith("/"):
        chat.say(actor, code, typed[1:], reply_to)
        return ""
    share = snapshot.mine(code, actor.user_id)
    if share is None:
        raise NotAllowed(NOT_INSIDE)
    settings = load(Room.get(Room.code == code).settings)
    asked = Typed(actor, code, rest.strip(), share.role, settings, lead_ms)
    slash = SLASHES.get(word.casefold())
    if slash is None or not _may(asked, slash):
        raise Invalid(f"Nothing happens after that word. {_help(asked)}")
    return slash.act(asked)


def _may(asked: Typed, slash: Slash) -> bool:
    return not slash.abilities or any(asked.can(ability) for ability in slash.abilities)


def _help(asked: Typed) -> str:
    usages = [slash.usage for slash in SLASHES.values() if _may(asked, slash)]
    return f"You can write {', '.join(usages)}."


def _skip(asked: Typed) -> str:
    if asked.can("skip_item"):
        playback.skip(asked.actor, asked.code, lead_ms=asked.lead_ms)
        return ""
    play_id = Playback.select(Playback.play).join(Room).where(Room.code == asked.code).scalar()
    if play_id is None:
        raise Conflict("Nothing is on just now.")
    return "" if skipping.vote_skip(asked.actor, asked.code, play_id) else "Your vote to skip is in."


def _pause(asked: Typed) -> str:
    playback.pause(asked.actor, asked.code)
    return ""


def _play(asked: Typed) -> str:
    playback.play(asked.actor, asked.code, lead_ms=asked.lead_ms)
    return ""


def _mute(asked: Typed) -> str:
    member_id, name = _somebody(asked)
    moderation.mute(asked.actor, asked.code, member_id)
    return f"{name} is muted for {moderation.MUTE_MINUTES} minutes."


def _kick(asked: Typed) -> str:
    member_id, name = _somebody(asked)
    moderation.kick(asked.actor, asked.code, member_id)
    return f"{name} was sent out."


def _me(asked: Typed) -> str:
    if not asked.rest:
        raise Invalid("Say what you do: “/me dances”.")
    chat.say(asked.actor, asked.code, ACTION + asked.rest)
    return ""


def _somebody(asked: Typed) -> tuple[int, str]:
    """The one person in the room who goes by the name that was typed. Raises Invalid."""
    wanted = skeleton(one_line(asked.rest).removeprefix("@"))
    seats = Member.select(Member.id, User.display_name).join(User).switch(Member).join(Room)
    seats = seats.where(Room.code == asked.code, Member.left_at.is_null())
    found = [(member_id, name) for member_id, name in rows(seats) if wanted and skeleton(name) == wanted]
    if len(found) != 1:
        raise Invalid("Nobody here goes by that name." if not found else "Several people go by that name.")
    return found[0]


SLASHES: dict[str, Slash] = {
    "skip": Slash("/skip", ("skip_item", "vote_skip"), _skip),
    "pause": Slash("/pause", ("control_playback",), _pause),
    "play": Slash("/play", ("control_playback",), _play),
    "mute": Slash("/mute name", ("mute",), _mute),
    "kick": Slash("/kick name", ("kick",), _kick),
    "me": Slash("/me does something", ("chat",), _me),
    "help": Slash("/help", (), _help),
}
