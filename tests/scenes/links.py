"""What puts links on the line, and what the clock and the players find out about them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Item, Presence, Track
from party import adding, configuring, lengths, lookups, people, playback, queue, spotify_finding, suggestions

Step = Callable[[Any], object]
NOTHING: Step = lambda s: None  # noqa: E731


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


def link(key: str = "dQw4w9WgXcQ") -> dict[str, Any]:
    return {
        "provider": "youtube",
        "key": key,
        "reference": key,
        "player": "youtube",
        "title": "A video on YouTube",
        "is_video": True,
    }


def track() -> Track:
    return Track.select().where(Track.provider == "youtube").get()


def item() -> Item:
    return Item.select().where(Item.track == track()).order_by(Item.id.desc()).get()


def fill_in(duration_ms: int = 212_000) -> Step:
    return lambda s: lookups.fill_in(
        track().id, title="A film", artist="Somebody", duration_ms=duration_ms, cover_file="covers/x.webp", hue="30"
    )  # fmt: skip


ADDED: Step = lambda s: adding.add_link(s.cast.cleo, s.code, **link())  # noqa: E731
FAILED: Step = lambda s: lookups.give_up(track().id, "That video is private.")  # noqa: E731
APPROVAL: Step = lambda s: configuring.change_settings(s.cast.ada, s.code, {"add": "approval"})  # noqa: E731
CLEAN: Step = lambda s: configuring.change_settings(s.cast.ada, s.code, {"explicit": False})  # noqa: E731
SONG: Step = lambda s: adding.add_link(  # noqa: E731
    s.cast.cleo,
    s.code,
    provider="spotify",
    key="0" * 22,
    reference="0" * 22,
    player="spotify",
    title="A song",
)
EXPLICIT: Step = lambda s: spotify_finding.mark_explicit(Track.get(Track.provider == "spotify").id)  # noqa: E731
QUIET: Step = lambda s: s.fall_quiet()  # noqa: E731
PLAYED: Step = both(QUIET, ADDED, fill_in(duration_ms=0))


def _leave_guests(s: Any) -> None:
    """Nobody is here who leads, or put it on; two guests are, and their players play along."""
    Item.update(added_by=s.cast.members["ada"]).where(Item.id == item().id).execute()
    seats = [s.cast.members["cleo"], people.join(s.cast.dan, s.code)]
    Presence.delete().where(Presence.member.not_in(seats)).execute()
    people.screen_opened(seats[1], "another")
    Presence.update(step="in_step").execute()


COMMANDS: dict[str, tuple[Step, Step]] = {
    "add_link": (NOTHING, ADDED),
    "add_link in a quiet room": (QUIET, ADDED),
    "add_link that is known and begins": (
        both(QUIET, ADDED, lambda s: queue.remove_item(s.cast.cleo, s.code, item().id), fill_in()),
        ADDED,
    ),
    "add_link that suggests": (APPROVAL, ADDED),
    "add_link of one that failed": (both(ADDED, FAILED), ADDED),
    "look_again": (both(ADDED, FAILED), lambda s: adding.look_again(s.cast.ada, s.code, item().id)),
    "fill_in": (ADDED, fill_in()),
    "fill_in without a length": (ADDED, fill_in(0)),
    "fill_in in a quiet room": (both(QUIET, ADDED), fill_in()),
    "fill_in of a suggestion": (both(APPROVAL, ADDED), fill_in()),
    "fill_in that locks the head": (both(ADDED, lambda s: s.time.move(95)), fill_in()),
    "fill_in of one that people voted up": (
        both(
            ADDED,
            lambda s: [
                queue.cast_vote(who, s.code, item().id, 1) for who in (s.cast.ada, s.cast.ben, s.cast.cleo)
            ],
        ),
        fill_in(),
    ),
    "mark_explicit where that is left out": (both(CLEAN, SONG), EXPLICIT),
    "give_up": (ADDED, FAILED),
    "give_up in a quiet room": (both(QUIET, ADDED), FAILED),
    "give_up on a suggestion": (both(APPROVAL, ADDED), FAILED),
    "a suggested link is let on": (
        both(APPROVAL, ADDED),
        lambda s: suggestions.decide_suggestion(
            s.cast.ada, s.code, s.cast.seen().suggestions[0].id, "approve"
        ),
    ),
    "a failed link is taken off": (
        both(ADDED, FAILED),
        lambda s: queue.remove_item(s.cast.cleo, s.code, item().id),
    ),
    "report_length": (PLAYED, lambda s: lengths.report_length(s.cast.cleo, s.code, item().id, 90_000)),
    "report_length by a guest while nobody leads": (
        both(PLAYED, lambda s: _leave_guests(s)),
        lambda s: lengths.report_length(s.cast.cleo, s.code, item().id, 90_000),
    ),
    "report_length by a second guest": (
        both(
            PLAYED,
            lambda s: _leave_guests(s),
            lambda s: lengths.report_length(s.cast.cleo, s.code, item().id, 90_000),
        ),
        lambda s: lengths.report_length(s.cast.dan, s.code, item().id, 90_000),
    ),
    "report_length while paused": (
        both(PLAYED, lambda s: playback.pause(s.cast.ada, s.code)),
        lambda s: lengths.report_length(s.cast.ada, s.code, item().id, 90_000),
    ),
}
