"""The controls on loan: asked for, given, spent, taken back, ended by time."""

from __future__ import annotations

import pytest

import fragments
from models import Member, Room
from party import configuring, control, people, playback
from party.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from party.views import Audience
from tests.ledger import every_row
from tests.stage import Cast


@pytest.fixture
def on(cast: Cast, time) -> Cast:
    """A track is on and one waits."""
    cast.add(3)
    return cast


def role(cast: Cast, name: str = "cleo") -> str:
    return dict(cast.seen().member_roles)[cast.members[name]]


def give(cast: Cast, how: str, by: str = "ada") -> None:
    control.grant_control(getattr(cast, by), cast.code, cast.members["cleo"], how)


def refused(kind, act, match: str = ".") -> None:
    before = every_row()
    with pytest.raises(kind, match=match):
        act()
    assert every_row() == before


def test_asking_is_seen_by_the_leaders_once(on: Cast) -> None:
    before = on.room().seq
    control.ask_control(on.cleo, on.code)
    control.ask_control(on.cleo, on.code)
    assert on.kinds(before) == ["control_asked"]
    assert [person.name for person in on.seen().control_asks] == ["Cleo"]


def test_nobody_asks_for_what_they_have_or_what_everybody_has(on: Cast) -> None:
    for who in (on.ada, on.ben, on.dan):
        refused(NotAllowed, lambda who=who: control.ask_control(who, on.code))
    configuring.change_settings(on.ada, on.code, {"control": "all"})
    refused(NotAllowed, lambda: control.ask_control(on.cleo, on.code))


@pytest.mark.parametrize(
    "press",
    [
        lambda on: playback.pause(on.cleo, on.code),
        lambda on: playback.seek(on.cleo, on.code, 5_000),
        lambda on: playback.restart(on.cleo, on.code),
        lambda on: playback.skip(on.cleo, on.code),
    ],
)
@pytest.mark.parametrize("by", ["ada", "ben"])
def test_controls_given_once_are_good_for_one_press(on: Cast, press, by: str) -> None:
    refused(NotAllowed, lambda: press(on))
    control.ask_control(on.cleo, on.code)
    give(on, "once", by)
    assert (role(on), on.seen().control_asks) == ("driver", ())
    press(on)
    assert (role(on), on.kinds()[-1]) == ("guest", "control_ended")
    refused(NotAllowed, lambda: press(on))


def test_starting_what_was_paused_is_a_press_too(on: Cast) -> None:
    playback.pause(on.ada, on.code)
    give(on, "once")
    playback.play(on.cleo, on.code)
    assert role(on) == "guest"


def test_what_changes_nothing_and_what_is_refused_spends_nothing(on: Cast) -> None:
    give(on, "once")
    playback.play(on.cleo, on.code)
    with pytest.raises(Conflict):
        playback.pause(on.cleo, on.code, seen=playback.Seen(version=0))
    assert role(on) == "driver"


def test_ten_minutes_are_ten_minutes(on: Cast, time) -> None:
    give(on, "while")
    for _ in range(3):
        playback.pause(on.cleo, on.code)
        playback.play(on.cleo, on.code)
    playback.pause(on.cleo, on.code)
    time.move(599.9)
    playback.seek(on.cleo, on.code, 1_000)
    assert control.end_due_controls() == []
    time.move(0.1)
    refused(NotAllowed, lambda: playback.play(on.cleo, on.code))
    before = on.room().seq
    assert control.end_due_controls() == [on.code]
    assert control.end_due_controls() == []
    assert on.kinds(before) == ["control_ended"]
    assert Member.get_by_id(on.members["cleo"]).controls_until is None


def test_a_room_that_is_over_is_left_as_it_is(on: Cast, time) -> None:
    give(on, "while")
    Room.update(state="EXPIRED").execute()
    time.move(700)
    before = every_row()
    assert control.end_due_controls() == []
    assert every_row() == before


def test_a_cohosts_place_is_the_hosts_to_give(on: Cast) -> None:
    control.ask_control(on.cleo, on.code)
    refused(NotAllowed, lambda: give(on, "cohost", "ben"), "Only the host names co-hosts")
    give(on, "cohost")
    assert (role(on), on.kinds()[-1], on.seen().control_asks) == ("cohost", "role_changed", ())
    refused(Conflict, lambda: give(on, "while"), "lead this room")


def test_a_cohost_lends_nothing_they_do_not_have_themselves(on: Cast) -> None:
    configuring.change_settings(on.ada, on.code, {"control": "host"})
    control.ask_control(on.cleo, on.code)
    refused(NotAllowed, lambda: give(on, "while", "ben"), "have the controls themselves")
    tray = frozenset({"requests"})
    assert "asks for the controls" in fragments.pieces(on.seen(), Audience("host"), tray)
    assert "asks for the controls" not in fragments.pieces(on.seen(), Audience("cohost"), tray)
    give(on, "while")
    assert role(on) == "driver"


def test_no_is_told_and_holds_for_a_minute(on: Cast, time) -> None:
    control.ask_control(on.cleo, on.code)
    give(on, "no", "ben")
    assert on.kinds()[-1] == "control_declined"
    before = every_row()
    give(on, "no")
    assert every_row() == before
    time.move(18)
    refused(TooMany, lambda: control.ask_control(on.cleo, on.code), "in 42 s")
    time.move(42)
    control.ask_control(on.cleo, on.code)


def test_the_controls_are_taken_back_and_given_back(on: Cast) -> None:
    for back in (lambda: give(on, "no", "ben"), lambda: control.give_back(on.cleo, on.code)):
        give(on, "while")
        assert [person.name for person in on.seen().drivers] == ["Cleo"]
        back()
        assert (role(on), on.kinds()[-1], on.seen().drivers) == ("guest", "control_ended", ())
    before = every_row()
    control.give_back(on.cleo, on.code)
    control.give_back(on.ada, on.code)
    assert every_row() == before


def test_whoever_stops_asking_may_ask_again_at_once(on: Cast) -> None:
    control.ask_control(on.cleo, on.code)
    control.give_back(on.cleo, on.code)
    assert on.seen().control_asks == ()
    control.ask_control(on.cleo, on.code)


def test_guests_give_nothing_away_and_nonsense_is_refused(on: Cast) -> None:
    refused(NotAllowed, lambda: give(on, "while", "cleo"))
    refused(NotFound, lambda: control.grant_control(on.ada, on.code, 9_999, "while"))
    refused(Invalid, lambda: give(on, "for ever"))
    people.leave(on.cleo, on.code)
    refused(NotFound, lambda: give(on, "while"))


def test_whoever_only_watches_is_given_nothing_to_hold(on: Cast) -> None:
    Room.update(visibility="public").execute()
    configuring.change_settings(on.ada, on.code, {"accounts_only": True})
    refused(NotAllowed, lambda: control.ask_control(on.cleo, on.code), "Sign in")
    refused(Conflict, lambda: give(on, "while"), "account")


def test_everybody_sees_who_paused_until_it_goes_on(on: Cast) -> None:
    give(on, "once")
    playback.pause(on.cleo, on.code)
    paused = on.seen().paused_by
    assert paused and paused.name == "Cleo"
    playback.seek(on.ada, on.code, 3_000)
    assert on.seen().paused_by == paused
    playback.play(on.ada, on.code)
    assert on.seen().paused_by is None
