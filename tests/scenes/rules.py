"""What changes the rules of a room, and what its people ask for: settings, suggestions, the controls, skips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models import Suggestion
from party import configuring, control, people, playback, skipping, suggestions

Step = Callable[[Any], object]
NOTHING: Step = lambda s: None  # noqa: E731


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


def settings(**values: object) -> Step:
    return lambda s: configuring.change_settings(s.cast.ada, s.code, values)


APPROVAL = settings(add="approval")
SUGGESTED = both(APPROVAL, lambda s: suggestions.suggest_item(s.cast.cleo, s.code, s.spare()))
ASKED: Step = lambda s: control.ask_control(s.cast.cleo, s.code)  # noqa: E731
LATER: Step = lambda s: s.time.move(20)  # noqa: E731


def wish(s: Any) -> int:
    return int(Suggestion.select().order_by(Suggestion.id.desc()).get().id)


def decide(decision: str, reason: str = "") -> Step:
    return lambda s: suggestions.decide_suggestion(s.cast.ben, s.code, wish(s), decision, reason)


def grant(how: str) -> Step:
    return lambda s: control.grant_control(s.cast.ada, s.code, s.cast.members["cleo"], how)


COMMANDS: dict[str, tuple[Step, Step]] = {
    "change_settings": (NOTHING, settings(skip="host", max_waiting=3)),
    "change_settings that ends a loan": (grant("while"), settings(control="host")),
    "change_settings while somebody asks": (ASKED, settings(control="all")),
    "apply_preset class": (NOTHING, lambda s: configuring.apply_preset(s.cast.ada, s.code, "class")),
    "rename_room": (NOTHING, lambda s: configuring.rename_room(s.cast.ada, s.code, "Saturday")),
    "suggest_item": (APPROVAL, lambda s: suggestions.suggest_item(s.cast.cleo, s.code, s.spare())),
    "offer_item that suggests": (APPROVAL, lambda s: suggestions.offer_item(s.cast.cleo, s.code, s.spare())),
    "withdraw_suggestion": (
        SUGGESTED,
        lambda s: suggestions.withdraw_suggestion(s.cast.cleo, s.code, wish(s)),
    ),
    "decide_suggestion: approve": (SUGGESTED, decide("approve")),
    "decide_suggestion: approve in a quiet room": (
        both(SUGGESTED, lambda s: s.fall_quiet()),
        decide("approve"),
    ),
    "decide_suggestion: decline": (SUGGESTED, decide("decline", "Not tonight")),
    "approve_all_from": (
        both(SUGGESTED, lambda s: suggestions.suggest_item(s.cast.cleo, s.code, s.spare() + 1)),
        lambda s: suggestions.approve_all_from(s.cast.ada, s.code, wish(s)),
    ),
    "ask_control": (NOTHING, ASKED),
    "give_back while asking": (ASKED, lambda s: control.give_back(s.cast.cleo, s.code)),
    "give_back": (grant("while"), lambda s: control.give_back(s.cast.cleo, s.code)),
    "leave while asking": (ASKED, lambda s: people.leave(s.cast.cleo, s.code)),
    "leave with the controls": (grant("while"), lambda s: people.leave(s.cast.cleo, s.code)),
    "grant_control: once": (ASKED, grant("once")),
    "grant_control: while": (ASKED, grant("while")),
    "grant_control: cohost": (ASKED, grant("cohost")),
    "grant_control: no": (ASKED, grant("no")),
    "grant_control: taken back": (grant("while"), grant("no")),
    "pause with controls given once": (
        both(grant("once"), LATER),
        lambda s: playback.pause(s.cast.cleo, s.code),
    ),
    "end_due_controls": (
        both(lambda s: playback.pause(s.cast.ada, s.code), grant("while")),
        lambda s: [s.time.move(control.GRANTED_MS / 1000), control.end_due_controls()],
    ),
    "vote_skip": (LATER, lambda s: skipping.vote_skip(s.cast.cleo, s.code, s.play)),
    "vote_skip that decides": (
        both(LATER, settings(skip="vote"), lambda s: _make_guest(s)),
        lambda s: [skipping.vote_skip(each, s.code, s.play) for each in (s.cast.cleo, s.cast.ben)],
    ),
    "vote_skip of one's own": (
        lambda s: _play_cleos(s),
        lambda s: skipping.vote_skip(s.cast.cleo, s.code, s.play),
    ),
    "withdraw_skip": (
        both(LATER, lambda s: skipping.vote_skip(s.cast.cleo, s.code, s.play)),
        lambda s: skipping.withdraw_skip(s.cast.cleo, s.code, s.play),
    ),
    "settle_skip": (
        both(LATER, lambda s: skipping.vote_skip(s.cast.cleo, s.code, s.play), lambda s: _go(s)),
        lambda s: skipping.settle_skip(s.code),
    ),
}


def _make_guest(s: Any) -> None:
    """Ben leads no more."""
    from models import Member

    Member.update(role="guest").where(Member.id == s.cast.members["ben"]).execute()


def _play_cleos(s: Any) -> None:
    """A track of Cleo's is on."""
    while s.cast.seen().now.by.id != s.cast.members["cleo"]:
        playback.skip(s.cast.ada, s.code)


def _go(s: Any) -> None:
    """Only Cleo is left looking."""
    from models import Presence

    Presence.delete().where(Presence.member != s.cast.members["cleo"]).execute()
