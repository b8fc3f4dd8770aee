"""The room's rules: who sets them, what may be set, and what follows."""

from __future__ import annotations

import pytest

from models import Event, Member, Room, User
from party import configuring, control, people, queue, settings, suggestions
from party.errors import Conflict, Invalid, NotAllowed
from party.settings import RANGES, RoomSettings, load
from tests.ledger import every_row
from tests.stage import Cast


def kept(cast: Cast) -> RoomSettings:
    return load(cast.room().settings)


def last(cast: Cast) -> Event:
    return Event.select().where(Event.room == cast.room()).order_by(Event.seq.desc()).get()


def test_the_host_sets_what_they_name_and_nothing_else(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"skip": "host", "max_waiting": 5})
    assert (kept(cast).skip, kept(cast).max_waiting, kept(cast).add) == ("host", 5, "all")
    was = {"max_waiting": 0, "skip": "vote"}
    assert (last(cast).kind, last(cast).data) == (
        "settings_changed",
        {"names": ["max_waiting", "skip"], "before": was},
    )
    assert cast.room().settings == {"max_waiting": 5, "skip": "host"}


def test_only_what_became_different_is_named_in_the_log(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"skip": "vote", "vote": "host"})
    assert last(cast).data == {"names": ["vote"], "before": {"vote": "all"}}


def test_what_is_so_already_changes_nothing(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"chat": "off"})
    before = every_row()
    configuring.change_settings(cast.ada, cast.code, {"chat": "off", "add": "all"})
    configuring.change_settings(cast.ada, cast.code, {})
    configuring.rename_room(cast.ada, cast.code, "  Friday ")
    assert every_row() == before


@pytest.mark.parametrize("who", ["ben", "cleo"])
def test_nobody_but_the_host_sets_anything(cast: Cast, who: str) -> None:
    before = every_row()
    for act in (
        lambda actor: configuring.change_settings(actor, cast.code, {"chat": "off"}),
        lambda actor: configuring.apply_preset(actor, cast.code, "radio"),
        lambda actor: configuring.rename_room(actor, cast.code, "Mine"),
    ):
        with pytest.raises(NotAllowed, match="Only the host"):
            act(getattr(cast, who))
    assert every_row() == before


@pytest.mark.parametrize(
    "values",
    [
        {"add": "nobody"},
        {"chat": "approval"},
        {"unknown": 1},
        {"max_waiting": -1},
        {"max_waiting": 101},
        {"max_waiting": "5"},
        {"max_waiting": True},
        {"explicit": "yes"},
        {"chat": "off", "skip": ""},
        *({name: high + 1} for name, (_, high) in RANGES.items()),
    ],
)
def test_a_value_that_may_not_be_is_refused_and_nothing_is_kept(cast: Cast, values: dict) -> None:
    before = every_row()
    with pytest.raises(Invalid):
        configuring.change_settings(cast.ada, cast.code, values)
    assert every_row() == before


@pytest.mark.parametrize("name", settings.PRESETS)
def test_a_preset_sets_all_it_names_and_says_which_it_is(cast: Cast, name: str) -> None:
    configuring.change_settings(cast.ada, cast.code, {"vote": "host", "chat_kept": 100})
    configuring.apply_preset(cast.ada, cast.code, name)
    assert {key: getattr(kept(cast), key) for key in settings.PRESETS[name]} == settings.PRESETS[name]
    assert (kept(cast).preset, kept(cast).chat_kept) == (name, 100)
    before = every_row()
    configuring.apply_preset(cast.ada, cast.code, name)
    assert every_row() == before


def test_an_unknown_preset_is_refused(cast: Cast) -> None:
    with pytest.raises(Invalid):
        configuring.apply_preset(cast.ada, cast.code, "disco")


@pytest.mark.parametrize(
    ("visibility", "entry", "after"),
    [
        ("public", "open", "approval"),
        ("unlisted", "password", "approval"),
        ("private", "password", "approval"),
        ("unlisted", "approval", "approval"),
    ],
)
def test_into_a_class_people_knock_first(cast: Cast, visibility: str, entry: str, after: str) -> None:
    Room.update(
        visibility=visibility, entry=entry, password_hash="x" if entry == "password" else None
    ).execute()
    configuring.apply_preset(cast.ada, cast.code, "class")
    assert cast.room().entry == after
    assert ("entry" in last(cast).data["names"]) == (after != entry)
    assert cast.room().password_hash is None


def test_the_room_takes_another_name(cast: Cast) -> None:
    configuring.rename_room(cast.ada, cast.code, " Saturday   night ")
    assert (cast.seen().name, last(cast).data) == ("Saturday night", {"names": ["name"], "before": {}})
    for name in ("", "x" * 61):
        with pytest.raises(Invalid):
            configuring.rename_room(cast.ada, cast.code, name)


def test_a_room_is_kept_only_for_an_owner_with_an_account(cast: Cast) -> None:
    before = every_row()
    with pytest.raises(Conflict, match="account"):
        configuring.change_settings(cast.ada, cast.code, {"keep": True, "chat": "off"})
    assert every_row() == before
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    configuring.change_settings(cast.ada, cast.code, {"keep": True})
    assert kept(cast).keep


def test_stricter_controls_end_their_loans_and_say_so(cast: Cast) -> None:
    cleo = cast.members["cleo"]
    control.grant_control(cast.ada, cast.code, cleo, "while")
    before = cast.room().seq
    configuring.change_settings(cast.ada, cast.code, {"control": "host"})
    assert cast.kinds(before) == ["control_ended", "settings_changed"]
    assert dict(cast.seen().member_roles)[cleo] == "guest"


def test_wider_controls_leave_loans_alone_and_drop_what_was_asked_for(cast: Cast) -> None:
    dan = people.join(cast.dan, cast.code)
    control.grant_control(cast.ada, cast.code, cast.members["cleo"], "while")
    control.ask_control(cast.dan, cast.code)
    configuring.change_settings(cast.ada, cast.code, {"control": "all"})
    assert dict(cast.seen().member_roles)[cast.members["cleo"]] == "driver"
    assert Member.get_by_id(dan).asked_control_at is None


def test_opening_the_line_leaves_suggestions_in_the_tray(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    wish = suggestions.suggest_item(cast.cleo, cast.code, cast.tracks[0])
    configuring.change_settings(cast.ada, cast.code, {"add": "all"})
    assert [each.id for each in cast.seen().suggestions] == [wish]
    suggestions.decide_suggestion(cast.ada, cast.code, wish, "approve")
    assert cast.seen().suggestions == ()


def test_closing_the_chat_closes_nothing_else(cast: Cast, time) -> None:
    cast.add(2)
    before = cast.seen()
    configuring.change_settings(cast.ada, cast.code, {"chat": "off"})
    after = cast.seen()
    assert (after.playback, after.items, after.people) == (before.playback, before.items, before.people)
    assert queue.add_item(cast.cleo, cast.code, cast.tracks[9])
