"""Scenes for the stale-screen test: who hosts, and the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Room
from party import hosting, people, playback
from party.settings import changed, load, stored

PROCESS = "a web process"
Step = Callable[[Any], object]


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


def nothing(_scene: Any) -> None:
    pass


def opens(s: Any, name: str) -> None:
    """A person's screen opens."""
    person = getattr(s.cast, name)
    people.screen_opened(people.join(person, s.code), PROCESS)
    hosting.screen_arrived(person, s.code)


def closes(s: Any, name: str) -> None:
    people.screens_closed(s.cast.members[name], PROCESS)
    hosting.screens_gone(getattr(s.cast, name), s.code)


def lose_host(s: Any) -> None:
    closes(s, "ada")
    s.time.move(5)
    hosting.keep_promises(s.code)


def run_out(s: Any, *names: str) -> None:
    """Grace passes; these people stay, and nobody else."""
    while s.time.now_ms < s.cast.room().host_grace_until:
        s.time.move(min(15.0, s.cast.room().host_grace_until / 1000 - s.time.seconds))
        people.still_here(PROCESS, {s.cast.members[name] for name in names})


def set_room(s: Any, **values: object) -> None:
    settings = changed(load(s.cast.room().settings), values)
    Room.update(settings=stored(settings)).where(Room.code == s.code).execute()


def offer(s: Any, name: str) -> None:
    hosting.offer_host(s.cast.ada, s.code, s.cast.members[name])


def hand_over(s: Any, name: str) -> None:
    offer(s, name)
    hosting.answer_offer(getattr(s.cast, name), s.code, True)


def pause_away(s: Any) -> None:
    """A kept room that paused after its track, its host being away."""
    set_room(s, keep=True, when_away="pause")
    lose_host(s)
    s.time.move(100)
    playback.advance(s.code, s.play)


COMMANDS: dict[str, tuple[Step, Step]] = {
    "offer_host": (nothing, lambda s: offer(s, "ben")),
    "offer_host to another": (lambda s: offer(s, "ben"), lambda s: offer(s, "cleo")),
    "offer_host taken back": (
        lambda s: offer(s, "ben"),
        lambda s: hosting.offer_host(s.cast.ada, s.code, None),
    ),
    "answer_offer: accepted": (
        lambda s: offer(s, "cleo"),
        lambda s: hosting.answer_offer(s.cast.cleo, s.code, True),
    ),
    "answer_offer: declined": (
        lambda s: offer(s, "cleo"),
        lambda s: hosting.answer_offer(s.cast.cleo, s.code, False),
    ),
    "claim_host by a cohost": (lose_host, lambda s: hosting.claim_host(s.cast.ben, s.code)),
    "claim_host by the owner": (
        lambda s: hand_over(s, "ben"),
        lambda s: hosting.claim_host(s.cast.ada, s.code),
    ),
    "name_cohost": (nothing, lambda s: hosting.name_cohost(s.cast.ada, s.code, s.cast.members["cleo"])),
    "name_cohost: a guest again": (
        nothing,
        lambda s: hosting.name_cohost(s.cast.ada, s.code, s.cast.members["ben"], "guest"),
    ),
    "end_room": (nothing, lambda s: hosting.end_room(s.cast.ada, s.code)),
    "end_room while the host is away": (lose_host, lambda s: hosting.end_room(s.cast.ada, s.code)),
    "keep_promises: a cohost takes over": (
        both(lose_host, lambda s: run_out(s, "ben", "cleo")),
        lambda s: hosting.keep_promises(s.code),
    ),
    "keep_promises: somebody takes over": (
        both(
            lambda s: set_room(s, succession="anybody"),
            lose_host,
            lambda s: run_out(s, "cleo"),
        ),
        lambda s: hosting.keep_promises(s.code),
    ),
    "screen_arrived: the owner leads again at once": (
        both(
            lambda s: set_room(s, owner_returns="at_once"),
            lose_host,
            lambda s: hosting.claim_host(s.cast.ben, s.code),
        ),
        lambda s: opens(s, "ada"),
    ),
    "screen_arrived: a kept room plays on": (pause_away, lambda s: opens(s, "ada")),
    "claim_host in a kept room that paused": (pause_away, lambda s: hosting.claim_host(s.cast.ben, s.code)),
    "keep_promises: the host of a kept room is lost": (
        both(lambda s: set_room(s, keep=True), lambda s: closes(s, "ada"), lambda s: s.time.move(5)),
        lambda s: hosting.keep_promises(s.code),
    ),
}
