"""What accounts add to the table of tests/test_stale_screen.py: guests who sign in, people who delete themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Member, Room, User
from party import chat, merging, people, personal, queue
from party.change import Person, write
from party.clock import now_ms

Step = Callable[[Any], object]


def account(s: Any) -> Person:
    """An account that is nowhere yet."""
    user = User.get_or_none(User.email == "eve@example.org") or User.create(
        display_name="Eve", created_at=1, email="eve@example.org"
    )
    return Person(user.id)


def account_inside(s: Any) -> None:
    """An account that sits in the room, put a track on and voted."""
    eve = account(s)
    people.join(eve, s.code)
    queue.add_item(eve, s.code, s.spare())
    queue.cast_vote(eve, s.code, s.items[4], -1)


def signs_in(who: str) -> Step:
    """Somebody of the cast signs in to the account."""

    def step(s: Any) -> None:
        with write():
            merging.merge(getattr(s.cast, who).user_id, account(s).user_id, now_ms())

    return step


def listed_for_accounts(s: Any) -> None:
    """A listed room in which only accounts take part."""
    Room.update(visibility="public", settings={"accounts_only": True}).where(Room.code == s.code).execute()


def becomes_account(s: Any) -> None:
    """Cleo follows the link that makes her an account."""
    with write():
        User.update(email="cleo@example.org").where(User.id == s.cast.cleo.user_id).execute()
        merging.note_account(s.cast.cleo.user_id, now_ms())


def talked(s: Any) -> None:
    """Ben and Cleo said something."""
    chat.say(s.cast.cleo, s.code, "one")
    chat.say(s.cast.ben, s.code, "two")


def no_cohost(s: Any) -> None:
    """Nobody is there who could take over."""
    Member.update(role="guest").where(Member.id == s.cast.members["ben"]).execute()


COMMANDS: dict[str, tuple[Step, Step]] = {
    "merge of a guest": (lambda s: None, signs_in("cleo")),
    "merge of the host": (lambda s: None, signs_in("ada")),
    "merge of two seats": (account_inside, signs_in("cleo")),
    "merge of two seats, one a cohost's": (account_inside, signs_in("ben")),
    "note_account": (listed_for_accounts, becomes_account),
    "delete of a guest": (talked, lambda s: personal.delete(s.cast.cleo, "")),
    "delete of the host": (talked, lambda s: personal.delete(s.cast.ada, "")),
    "delete of the host without a cohost": (no_cohost, lambda s: personal.delete(s.cast.ada, "")),
}
