"""Skipping together: how many it takes, who counts, and what is safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import Member, Presence, SkipVote
from party import configuring, control, people, playback, skipping
from party.change import Person
from party.errors import Conflict, NotAllowed
from party.skipping import needed, vote_skip, withdraw_skip
from tests.ledger import every_row
from tests.stage import Cast

PROCESS = "a web process"


@given(st.integers(0, 100_000))
def test_it_takes_half_of_those_awake_and_two_where_there_are_two(awake: int) -> None:
    votes = needed(awake)
    assert votes == max(min(2, awake), (awake + 1) // 2, 1)
    assert 1 <= votes <= max(1, awake), "everybody together can always skip"
    assert 2 * votes >= awake
    assert needed(awake + 1) in (votes, votes + 1)
    assert awake < 2 or votes >= 2, "nobody skips alone in company"


class Crowd:
    """A room with Ada, Ben, Cleo and some guests looking, a track on for twenty seconds, and some waiting."""

    def __init__(self, cast: Cast, time, guests: int) -> None:
        self.cast, self.code, self.time = cast, cast.code, time
        cast.add(3)
        self.guests = [Person(people.enter(f"Guest {number}")[0]) for number in range(guests)]
        self.seats = {person: people.join(person, cast.code) for person in [cast.ada, cast.ben, cast.cleo]}
        self.seats |= {person: people.join(person, cast.code) for person in self.guests}
        for person in self.seats:
            self.look(person)
        time.move(20)

    @property
    def play(self) -> int:
        return int(self.cast.room().playback.get().play_id)

    def look(self, person: Person) -> None:
        people.screen_opened(self.seats[person], PROCESS)

    def go(self, person: Person) -> None:
        people.screens_closed(self.seats[person], PROCESS)

    def doze(self, person: Person) -> None:
        Presence.update(is_idle=True).where(Presence.member == self.seats[person]).execute()


@pytest.fixture
def crowd(cast: Cast, time) -> Crowd:
    """Six people look."""
    return Crowd(cast, time, 3)


def refused(kind, act, match: str = ".") -> None:
    before = every_row()
    with pytest.raises(kind, match=match):
        act()
    assert every_row() == before


def test_half_of_those_present_skip_together(crowd: Crowd) -> None:
    play, before = crowd.play, crowd.cast.room().seq
    one, two, three = crowd.guests
    assert vote_skip(one, crowd.code, play) is False
    assert vote_skip(two, crowd.code, play) is False
    shown = crowd.cast.seen().skip
    assert shown and (shown.votes, shown.needed) == (2, 3)
    assert vote_skip(three, crowd.code, play) is True
    assert crowd.play != play
    assert crowd.cast.kinds(before) == ["skip_voted"] * 3 + ["item_ended", "item_started"]
    assert crowd.cast.seen().history[0].was_skipped


def test_a_second_vote_of_one_person_is_none(crowd: Crowd) -> None:
    vote_skip(crowd.guests[0], crowd.code, crowd.play)
    before = every_row()
    for _ in range(3):
        assert vote_skip(crowd.guests[0], crowd.code, crowd.play) is False
    assert every_row() == before


def test_a_vote_is_for_one_play_and_not_for_the_next(crowd: Crowd) -> None:
    play = crowd.play
    for guest in crowd.guests:
        vote_skip(guest, crowd.code, play)
    crowd.time.move(20)
    assert crowd.cast.seen().skip.votes == 0
    refused(Conflict, lambda: vote_skip(crowd.guests[0], crowd.code, play), "over already")
    assert vote_skip(crowd.guests[0], crowd.code, crowd.play) is False


def test_the_first_fifteen_seconds_are_safe(cast: Cast, time) -> None:
    crowd = Crowd(cast, time, 3)
    playback.restart(cast.ada, cast.code, lead_ms=0)
    time.move(14.9)
    refused(Conflict, lambda: vote_skip(crowd.guests[0], crowd.code, crowd.play), "15 seconds")
    time.move(0.1)
    assert vote_skip(crowd.guests[0], crowd.code, crowd.play) is False


def test_leavers_votes_are_dropped_and_count_again_when_they_are_back(crowd: Crowd) -> None:
    one, two, three = crowd.guests
    vote_skip(one, crowd.code, crowd.play)
    vote_skip(two, crowd.code, crowd.play)
    crowd.go(one)
    assert (crowd.cast.seen().skip.votes, crowd.cast.seen().skip.needed) == (1, 3)
    assert vote_skip(three, crowd.code, crowd.play) is False
    crowd.look(one)
    assert vote_skip(crowd.cast.cleo, crowd.code, crowd.play) is True


def test_who_dozes_is_not_asked(crowd: Crowd) -> None:
    for person in (crowd.cast.ada, crowd.cast.ben, crowd.guests[2]):
        crowd.doze(person)
    assert crowd.cast.seen().skip.needed == 2
    assert vote_skip(crowd.guests[0], crowd.code, crowd.play) is False
    assert vote_skip(crowd.guests[1], crowd.code, crowd.play) is True


def test_a_vote_is_taken_back(crowd: Crowd) -> None:
    vote_skip(crowd.guests[0], crowd.code, crowd.play)
    before = crowd.cast.room().seq
    withdraw_skip(crowd.guests[0], crowd.code, crowd.play)
    withdraw_skip(crowd.guests[0], crowd.code, crowd.play)
    withdraw_skip(crowd.guests[1], crowd.code, crowd.play + 5)
    assert crowd.cast.kinds(before) == ["skip_withdrawn"]
    assert SkipVote.select().count() == 0


@pytest.mark.parametrize("rule", ["vote", "cohosts", "host"])
def test_whoever_put_it_on_takes_it_off_at_once(cast: Cast, time, rule: str) -> None:
    cast.add(1, by=cast.cleo)
    cast.add(2)
    crowd = Crowd(cast, time, 3)
    playback.restart(cast.ada, cast.code)
    configuring.change_settings(cast.ada, cast.code, {"skip": rule})
    assert vote_skip(cast.cleo, cast.code, crowd.play) is True


def test_where_nobody_votes_guests_do_not_skip_what_others_put_on(crowd: Crowd) -> None:
    configuring.change_settings(crowd.cast.ada, crowd.code, {"skip": "cohosts"})
    for act in (vote_skip, withdraw_skip):
        refused(NotAllowed, lambda act=act: act(crowd.guests[0], crowd.code, crowd.play), "no vote to skip")


def test_leaders_and_drivers_skip_alone_and_do_not_vote(crowd: Crowd) -> None:
    control.grant_control(crowd.cast.ada, crowd.code, crowd.cast.members["cleo"], "while")
    for person in (crowd.cast.ben, crowd.cast.cleo, crowd.cast.ada):
        if person != crowd.cast.ada:
            refused(NotAllowed, lambda person=person: vote_skip(person, crowd.code, crowd.play))
        play = crowd.play
        playback.skip(person, crowd.code)
        assert crowd.cast.room().playback.get().play_id != play
        crowd.cast.add(1)


def test_where_only_the_host_skips_a_cohost_does_not(crowd: Crowd) -> None:
    configuring.change_settings(crowd.cast.ada, crowd.code, {"skip": "host"})
    refused(NotAllowed, lambda: playback.skip(crowd.cast.ben, crowd.code))
    playback.skip(crowd.cast.ada, crowd.code)


def test_votes_that_became_enough_by_leaving_count_when_the_clock_looks(crowd: Crowd) -> None:
    play = crowd.play
    vote_skip(crowd.guests[0], crowd.code, play)
    vote_skip(crowd.guests[1], crowd.code, play)
    assert skipping.contested_rooms() == [crowd.code]
    assert skipping.settle_skip(crowd.code) is False
    crowd.go(crowd.cast.ben)
    crowd.go(crowd.guests[2])
    assert skipping.settle_skip(crowd.code) is True
    assert crowd.play != play
    assert skipping.settle_skip(crowd.code) is False
    assert skipping.contested_rooms() == []


def test_nobody_left_skips_nothing(crowd: Crowd) -> None:
    vote_skip(crowd.guests[0], crowd.code, crowd.play)
    for person in crowd.seats:
        crowd.go(person)
    assert skipping.settle_skip(crowd.code) is False


def test_a_guest_alone_with_nobody_awake_decides_alone(cast: Cast, time) -> None:
    crowd = Crowd(cast, time, 0)
    crowd.go(cast.ada)
    crowd.go(cast.ben)
    assert vote_skip(cast.cleo, crowd.code, crowd.play) is True


def test_a_new_role_is_no_second_vote(crowd: Crowd) -> None:
    vote_skip(crowd.guests[0], crowd.code, crowd.play)
    Member.update(role="cohost").where(Member.id == crowd.seats[crowd.guests[0]]).execute()
    refused(NotAllowed, lambda: vote_skip(crowd.guests[0], crowd.code, crowd.play))
    assert crowd.cast.seen().skip.votes == 1
