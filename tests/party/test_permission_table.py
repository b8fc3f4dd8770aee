"""Every action × role × room setting: what the table allows works, the rest changes no row and answers with a sentence.

The cases are made from party.permissions.ABILITIES and party.settings; the README shows the same table in print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

import models
from config import ROOT
from models import Ban, Invite, Item, Knock, Member, Message, Room, Subtitle, Suggestion, Track, User
from party import (
    adding,
    chat,
    configuring,
    control,
    entry,
    hosting,
    invites,
    knocks,
    lengths,
    moderation,
    people,
    playback,
    progress,
    queue,
    skipping,
    subtitles,
    suggestions,
    undoing,
    uploads,
)
from party.change import Person
from party.errors import NotAllowed, NotFound, NotKnown, Refusal
from party.permissions import ABILITIES, CLOCK_ROLE, Governed, can, printed
from party.settings import DEFAULTS, PRESETS, changed, stored
from tests.ledger import every_row
from tests.stage import Cast

SEATED = ("host", "cohost", "driver", "guest", "watcher")
OUTSIDE = ("stranger", "kicked", "banned", "unknown")


class Scene:
    """A live room with a track on, two waiting, somebody else's things to act on, and the actor in a role."""

    def __init__(self, cast: Cast, role: str, values: dict[str, object]) -> None:
        self.cast, self.code, self.role = cast, cast.code, role
        people.screen_opened(cast.members["ada"], "web")
        hosting.screen_arrived(cast.ada, cast.code)
        self.eve = Person(people.enter("Eve of the others")[0])
        self.eve_seat = people.join(self.eve, cast.code)
        people.screen_opened(self.eve_seat, "web")
        self.items = cast.add(3)
        self.actor = self._actor(role)
        self.settings = changed(DEFAULTS, values)
        Room.update(settings=stored(self.settings)).where(Room.code == cast.code).execute()
        if role == "watcher":
            self.settings = changed(self.settings, {"accounts_only": True})
            Room.update(settings=stored(self.settings), visibility="public").where(
                Room.code == cast.code
            ).execute()

    def _actor(self, role: str) -> Person:
        cast = self.cast
        if role in ("host", "cohost"):
            return cast.ada if role == "host" else cast.ben
        if role == "stranger":
            return cast.dan
        if role == "unknown":
            return Person(99_999)
        seat = Member.id == cast.members["cleo"]
        if role == "driver":
            Member.update(controls_until=2**52).where(seat).execute()
        if role in ("kicked", "banned"):
            Member.update(left_at=1).where(seat).execute()
        if role == "banned":
            Ban.create(room=cast.room(), user=cast.cleo.user_id, banned_at=1)
        return cast.cleo

    @property
    def seat(self) -> int:
        found = Member.get_or_none(Member.room == self.cast.room(), Member.user == self.actor.user_id)
        return int(found.id) if found else self.eve_seat

    def spare(self) -> int:
        free = Track.select().where(Track.id.not_in(Item.select(Item.track)))
        return int(free.order_by(Track.id).first().id)

    def wish(self, by: int | None = None) -> int:
        made = Suggestion.create(
            room=self.cast.room(), member=by or self.eve_seat, track=self.spare(), asked_at=1
        )
        return int(made.id)

    def message(self) -> int:
        made = Message.create(room=self.cast.room(), member=self.eve_seat, text="Hello", said_at=1)
        return int(made.id)

    def play(self) -> int:
        return int(self.cast.room().playback.get().play_id)


Call = Callable[[], object]


@dataclass(frozen=True)
class Action:
    """What is tried: the ability it needs, and how a scene makes the call ready."""

    ability: str
    ready: Callable[[Scene], Call]


def _own_item(s: Scene) -> Call:
    Item.update(added_by=s.seat).where(Item.id == s.items[1]).execute()
    return lambda: queue.remove_item(s.actor, s.code, s.items[1])


def _withdraw_vote(s: Scene) -> Call:
    models.Vote.create(item=s.items[1], member=s.seat, value=1, cast_at=1)
    return lambda: queue.withdraw_vote(s.actor, s.code, s.items[1])


def _removed(s: Scene) -> int:
    queue.remove_item(s.cast.ada, s.code, s.items[1])
    return s.items[1]


def _restore(s: Scene) -> Call:
    item = _removed(s)
    return lambda: queue.restore_item(s.actor, s.code, item)


def _put_back(s: Scene) -> Call:
    item = _removed(s)
    return lambda: undoing.put_back(s.actor, s.code, item)


def _resume(s: Scene) -> Call:
    playback.pause(s.cast.ada, s.code)
    return lambda: playback.play(s.actor, s.code)


def _withdraw_skip(s: Scene) -> Call:
    play = s.play()
    models.SkipVote.create(play=play, member=s.seat, cast_at=1)
    return lambda: skipping.withdraw_skip(s.actor, s.code, play)


def _vote_skip(s: Scene) -> Call:
    play = s.play()
    models.Playback.update(position_ms=20_000).execute()
    # Whoever put it on may always end it.
    Item.update(added_by=s.eve_seat).where(Item.state == "playing").execute()
    return lambda: skipping.vote_skip(s.actor, s.code, play)


def _knocking(s: Scene) -> int:
    return int(Knock.create(room=s.cast.room(), user=s.cast.dan.user_id, asked_at=1, deadline_at=2**52).id)


def _decide_knock(decision: str) -> Callable[[Scene], Call]:
    def ready(s: Scene) -> Call:
        if s.role == "stranger":
            s.actor = Person(people.enter("Somebody else")[0])
        knock = _knocking(s)
        return lambda: knocks.decide_knock(s.actor, s.code, knock, decision)

    return ready


def _revoke(s: Scene) -> Call:
    made = Invite.create(room=s.cast.room(), token_hash="x", quota=1, made_at=1, expires_at=2**52)
    return lambda: invites.revoke_invite(s.actor, s.code, made.id)


def _lift(s: Scene) -> Call:
    made = Ban.create(room=s.cast.room(), user=User.create(display_name="Gone", created_at=1), banned_at=1)
    return lambda: moderation.lift_ban(s.actor, s.code, made.id)


def _unmute(s: Scene) -> Call:
    Member.update(muted_until=2**52).where(Member.id == s.eve_seat).execute()
    return lambda: moderation.unmute(s.actor, s.code, s.eve_seat)


def _decide(decision: str) -> Callable[[Scene], Call]:
    def ready(s: Scene) -> Call:
        wish = s.wish()
        return lambda: suggestions.decide_suggestion(s.actor, s.code, wish, decision, "Later")

    return ready


def _approve_all(s: Scene) -> Call:
    wish = s.wish()
    return lambda: suggestions.approve_all_from(s.actor, s.code, wish)


def _withdraw_wish(s: Scene) -> Call:
    wish = s.wish(s.seat)
    return lambda: suggestions.withdraw_suggestion(s.actor, s.code, wish)


def _delete_message(s: Scene) -> Call:
    message = s.message()
    return lambda: chat.delete_message(s.actor, s.code, message)


def _react(s: Scene) -> Call:
    message = s.message()
    return lambda: chat.react(s.actor, s.code, message, "❤")


def _add(s: Scene) -> Call:
    track = s.spare()
    return lambda: queue.add_item(s.actor, s.code, track)


def _suggest(s: Scene) -> Call:
    track = s.spare()
    return lambda: suggestions.suggest_item(s.actor, s.code, track)


def _add_link(s: Scene) -> Call:
    link = {
        "provider": "youtube",
        "key": "dQw4w9WgXcQ",
        "reference": "dQw4w9WgXcQ",
        "player": "youtube",
        "title": "A video",
        "is_video": True,
    }
    return lambda: adding.add_link(s.actor, s.code, **link)


def _film(s: Scene) -> int:
    """The actor's own uploaded video waits."""
    Item.update(added_by=s.seat).where(Item.id == s.items[1]).execute()
    Track.update(is_video=True, is_listed=False).where(
        Track.id == Item.get_by_id(s.items[1]).track_id
    ).execute()
    return s.items[1]


def _add_words(s: Scene) -> Call:
    item = _film(s)
    return lambda: subtitles.add_subtitles(s.actor, s.code, item, "English", "en", "subtitles/a.vtt")


def _remove_words(s: Scene) -> Call:
    track = Item.get_by_id(_film(s)).track_id
    made = Subtitle.create(track=track, label="English", file="subtitles/a.vtt", added_at=1)
    return lambda: subtitles.remove_subtitles(s.actor, s.code, s.items[1], made.id)


def _report_length(s: Scene) -> Call:
    playing = Item.get(Item.state == "playing")
    Item.update(added_by=s.seat).where(Item.id == playing.id).execute()
    Track.update(duration_ms=0).where(Track.id == playing.track_id).execute()
    return lambda: lengths.report_length(s.actor, s.code, playing.id, 90_000)


ACTIONS: dict[str, Action] = {
    "uploads.begin": Action("add_item", lambda s: lambda: uploads.begin(s.actor, s.code, "song.mp3", 10)),
    "add_link": Action("add_item", _add_link),
    "add_subtitles": Action("set_subtitles", _add_words),
    "remove_subtitles": Action("set_subtitles", _remove_words),
    "report_length": Action("report_length", _report_length),
    "save_progress": Action(
        "save_progress", lambda s: lambda: progress.save_progress(s.actor, s.code, s.items[0], 30_000)
    ),
    "add_item": Action("add_item", _add),
    "suggest_item": Action("suggest_item", _suggest),
    "withdraw_suggestion": Action("remove_own_item", _withdraw_wish),
    "decide_suggestion, approve": Action("decide_suggestions", _decide("approve")),
    "decide_suggestion, decline": Action("decide_suggestions", _decide("decline")),
    "approve_all_from": Action("decide_suggestions", _approve_all),
    "cast_vote": Action("vote", lambda s: lambda: queue.cast_vote(s.actor, s.code, s.items[1], 1)),
    "withdraw_vote": Action("vote", _withdraw_vote),
    "remove_item, one's own": Action("remove_own_item", _own_item),
    "remove_item": Action("remove_item", lambda s: lambda: queue.remove_item(s.actor, s.code, s.items[1])),
    "restore_item": Action("remove_item", _restore),
    "move_item": Action("move_item", lambda s: lambda: queue.move_item(s.actor, s.code, s.items[2], None)),
    "change_mode": Action("change_mode", lambda s: lambda: queue.change_mode(s.actor, s.code, "hand")),
    "pause": Action("control_playback", lambda s: lambda: playback.pause(s.actor, s.code)),
    "play": Action("control_playback", _resume),
    "seek": Action("control_playback", lambda s: lambda: playback.seek(s.actor, s.code, 40_000)),
    "restart": Action("control_playback", lambda s: lambda: playback.restart(s.actor, s.code)),
    "skip": Action("skip_item", lambda s: lambda: playback.skip(s.actor, s.code)),
    "vote_skip": Action("vote_skip", _vote_skip),
    "withdraw_skip": Action("vote_skip", _withdraw_skip),
    "ask_control": Action("ask_control", lambda s: lambda: control.ask_control(s.actor, s.code)),
    "grant_control, once": Action(
        "grant_control", lambda s: lambda: control.grant_control(s.actor, s.code, s.eve_seat, "once")
    ),
    "grant_control, cohost": Action(
        "name_cohost", lambda s: lambda: control.grant_control(s.actor, s.code, s.eve_seat, "cohost")
    ),
    "say": Action("chat", lambda s: lambda: chat.say(s.actor, s.code, "Hello")),
    "react": Action("react", _react),
    "delete_message, another's": Action("moderate_chat", _delete_message),
    "set_access": Action(
        "change_settings", lambda s: lambda: entry.set_access(s.actor, s.code, "unlisted", "approval")
    ),
    "rotate_code": Action("rotate_code", lambda s: lambda: entry.rotate_code(s.actor, s.code)),
    "lock_room": Action("lock_room", lambda s: lambda: entry.lock_room(s.actor, s.code, True)),
    "make_invite": Action("invite", lambda s: lambda: invites.make_invite(s.actor, s.code)),
    "revoke_invite": Action("invite", _revoke),
    "decide_knock, approve": Action("decide_knocks", _decide_knock("approve")),
    "decide_knock, decline": Action("decide_knocks", _decide_knock("decline")),
    "kick": Action("kick", lambda s: lambda: moderation.kick(s.actor, s.code, s.eve_seat)),
    "ban": Action("ban", lambda s: lambda: moderation.ban(s.actor, s.code, s.eve_seat)),
    "lift_ban": Action("ban", _lift),
    "mute": Action("mute", lambda s: lambda: moderation.mute(s.actor, s.code, s.eve_seat)),
    "unmute": Action("mute", _unmute),
    "put_back": Action("see_log", _put_back),
    "change_settings": Action(
        "change_settings", lambda s: lambda: configuring.change_settings(s.actor, s.code, {"max_waiting": 7})
    ),
    "apply_preset": Action("change_settings", lambda s: lambda: _other_preset(s)),
    "rename_room": Action(
        "change_settings", lambda s: lambda: configuring.rename_room(s.actor, s.code, "Another name")
    ),
    "name_cohost": Action(
        "name_cohost", lambda s: lambda: hosting.name_cohost(s.actor, s.code, s.eve_seat, "cohost")
    ),
    "offer_host": Action("hand_over", lambda s: lambda: hosting.offer_host(s.actor, s.code, s.eve_seat)),
    "end_room": Action("end_room", lambda s: lambda: hosting.end_room(s.actor, s.code)),
    "leave": Action("leave", lambda s: lambda: people.leave(s.actor, s.code)),
}

ALSO_NEEDS = {
    # Undoing from the log is doing it again the other way: whoever reads the log needs that ability too.
    "put_back": "remove_item",
    "grant_control, cohost": "grant_control",
}
# Where tracks are let on by the host, whoever may only suggest brings files and links all the same.
OR_ELSE = {"uploads.begin": "suggest_item", "add_link": "suggest_item"}


def _other_preset(s: Scene) -> None:
    configuring.apply_preset(s.actor, s.code, "radio" if s.settings.add != "cohosts" else "party")


def variations(ability: str) -> Iterator[tuple[str, dict[str, object]]]:
    """The room's settings worth trying: every value of the one that governs the ability, else two whole presets."""
    rule = ABILITIES[ability]
    if isinstance(rule, Governed):
        from party.settings import CHOICES

        for value in CHOICES[rule.setting]:
            yield f"{rule.setting}={value}", {rule.setting: value}
        return
    yield "as made", {}
    yield "class", dict(PRESETS["class"])


CASES = [
    (name, role, label, values)
    for name, action in ACTIONS.items()
    for role in (*SEATED, *OUTSIDE)
    for label, values in variations(action.ability)
]


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside leaves no trace."""
    with models.database.obj.atomic() as transaction:
        yield
        transaction.rollback()


@pytest.mark.parametrize("name", ACTIONS)
def test_the_table_and_nothing_else_decides(name: str, cast: Cast, time) -> None:
    action = ACTIONS[name]
    for _, role, label, values in (case for case in CASES if case[0] == name):
        with undone():
            scene = Scene(cast, role, values)
            call = action.ready(scene)
            needs = [action.ability, *([ALSO_NEEDS[name]] if name in ALSO_NEEDS else [])]
            may = all(can(role, need, scene.settings) for need in needs)
            may = may or (name in OR_ELSE and can(role, OR_ELSE[name], scene.settings))
            if role in SEATED and may:
                before = every_row()
                call()
                assert every_row() != before, f"{name} by {role} in a room with {label} did nothing"
                continue
            _refused(call, role, f"{name} by {role} in a room with {label}")


def _refused(call: Call, role: str, case: str) -> None:
    before = every_row()
    with pytest.raises(Refusal) as caught:
        call()
    refusal = caught.value
    wanted = NotKnown if role == "unknown" else NotAllowed
    assert isinstance(refusal, wanted), f"{case}: {refusal.status} {refusal.message}"
    assert refusal.message.endswith(".") and len(refusal.message) > 15, case
    assert every_row() == before, f"{case} changed something"


@pytest.mark.parametrize("name", ACTIONS)
def test_in_a_private_room_a_stranger_hears_that_there_is_none(name: str, cast: Cast, time) -> None:
    for role in ("stranger", "kicked", "banned"):
        with undone():
            scene = Scene(cast, role, {})
            call = ACTIONS[name].ready(scene)
            Room.update(visibility="private", entry="approval").execute()
            before = every_row()
            with pytest.raises(NotFound, match="No room answers"):
                call()
            assert every_row() == before


def test_every_ability_of_people_has_an_action() -> None:
    tried = {action.ability for action in ACTIONS.values()} | set(ALSO_NEEDS.values())
    # Whose turn it is to claim or to start again depends on who somebody was: tests of hosting and restart.
    elsewhere = {"see", "claim_host", "start_again"}
    of_people = {
        ability
        for ability, rule in ABILITIES.items()
        if isinstance(rule, Governed) or rule != frozenset({CLOCK_ROLE})
    }
    assert tried | elsewhere == of_people


def test_the_number_of_cases_is_what_the_readme_says() -> None:
    assert len(CASES) + 3 * len(ACTIONS) > 1_000
    readme = (ROOT / "README.md").read_text()
    assert printed() in readme, "the README's permission table is not the code's"
