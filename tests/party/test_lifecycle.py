"""Succession: who takes over when grace ends, by the room's setting, and that an ended room stays ended."""

from __future__ import annotations

import pytest

from models import Member, Presence, Room, User
from party import hosting, lifecycle, people, playback, rooms
from party.errors import Over, Refusal
from tests.ledger import every_row
from tests.party.test_hosting import GONE, GRACE, arrive, go
from tests.party.test_hosting_roles import hosts, lose_host, role, set_room, stay
from tests.stage import Cast


def run_out(cast: Cast, time, *present: str) -> None:
    """Grace passes while these people's screens stay open."""
    for name in present:
        arrive(cast, name)
        time.move(1)
    left = cast.room().host_grace_until / 1000 - time.seconds
    if present:
        for name in present:
            seen_until = cast.room().host_grace_until
            Presence.update(seen_at=seen_until).where(Presence.member == cast.members[name]).execute()
    time.move(left)


@pytest.mark.parametrize(
    ("succession", "present", "wanted"),
    [
        ("cohost", ("ben",), "ben"),
        ("cohost", ("cleo", "ben"), "ben"),
        ("cohost", ("cleo",), None),
        ("cohost", (), None),
        ("anybody", ("cleo", "ben"), "ben"),
        ("anybody", ("cleo",), "cleo"),
        ("anybody", (), None),
        ("nobody", ("ben", "cleo"), None),
    ],
)
def test_who_takes_over_when_grace_ends(
    cast: Cast, time, succession: str, present: tuple[str, ...], wanted
) -> None:
    set_room(cast, succession=succession)
    lose_host(cast, time)
    before = cast.room()
    run_out(cast, time, *present)
    expected = cast.members[wanted] if wanted else None
    assert lifecycle.heir(cast.room(), time.now_ms) == expected
    assert cast.seen().state == ("GRACE" if wanted else "EXPIRED")
    assert hosting.keep_promises(cast.code)
    assert not hosting.keep_promises(cast.code)
    if wanted:
        assert (cast.room().state, hosts(cast), role(cast, "ada")) == ("LIVE", [expected], "cohost")
        assert cast.kinds(before.seq) == ["host_changed"]
    else:
        assert (cast.room().state, hosts(cast)) == ("EXPIRED", [cast.members["ada"]])
    assert cast.room().fence == before.fence + 1


def test_the_banner_says_who_takes_over_as_people_come_and_go(cast: Cast, time) -> None:
    lose_host(cast, time)
    assert cast.seen().heir is None
    arrive(cast, "cleo")
    assert cast.seen().heir is None
    arrive(cast, "ben")
    assert cast.seen().heir.id == cast.members["ben"]
    go(cast, "ben")
    assert cast.seen().heir is None


def test_of_two_cohosts_the_one_who_was_here_longest_takes_over(cast: Cast, time) -> None:
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"])
    lose_host(cast, time)
    run_out(cast, time, "cleo", "ben")
    hosting.keep_promises(cast.code)
    assert hosts(cast) == [cast.members["cleo"]]


def test_a_reload_does_not_cost_a_cohost_their_place(cast: Cast, time) -> None:
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"])
    lose_host(cast, time)
    arrive(cast, "cleo")
    time.move(1)
    arrive(cast, "ben")
    arrive(cast, "cleo")
    assert cast.seen().heir.id == cast.members["cleo"]


def test_whoever_comes_after_grace_ended_cannot_bring_the_room_back(cast: Cast, time) -> None:
    lose_host(cast, time)
    time.move(GRACE)
    assert cast.seen().state == "EXPIRED"
    people.screen_opened(cast.members["ben"], "web-1")
    assert cast.seen().state == "EXPIRED"
    with pytest.raises(Over):
        hosting.claim_host(cast.ben, cast.code)
    assert cast.room().state == "EXPIRED"


def test_a_cohost_who_was_there_but_is_gone_when_it_is_written_down_does_not_lead(cast: Cast, time) -> None:
    lose_host(cast, time)
    run_out(cast, time, "ben")
    time.move(46)
    assert cast.seen().state == "EXPIRED"
    hosting.keep_promises(cast.code)
    assert cast.room().state == "EXPIRED"


def test_who_left_the_room_is_no_heir(cast: Cast, time) -> None:
    lose_host(cast, time)
    arrive(cast, "ben")
    Member.update(left_at=time.now_ms).where(Member.id == cast.members["ben"]).execute()
    assert cast.seen().heir is None


def test_who_may_only_watch_is_no_heir(cast: Cast, time) -> None:
    set_room(cast, succession="anybody", accounts_only=True)
    lose_host(cast, time)
    arrive(cast, "cleo")
    assert cast.seen().heir.id == cast.members["cleo"], "it counts in listed rooms only"
    Room.update(visibility="public").execute()
    assert cast.seen().heir is None
    User.update(email="cleo@example.org").where(User.id == cast.cleo.user_id).execute()
    assert cast.seen().heir.id == cast.members["cleo"]


def test_the_music_goes_on_through_a_succession(cast: Cast, time) -> None:
    items = cast.add(5)
    lose_host(cast, time)
    run_out(cast, time, "ben")
    assert playback.advance(cast.code, cast.room().playback.get().play_id)
    assert cast.seen().now.id == items[1]
    assert cast.kinds()[-3:] == ["host_changed", "item_ended", "item_started"]


def test_a_host_by_succession_can_be_lost_too(cast: Cast, time) -> None:
    lose_host(cast, time)
    run_out(cast, time, "ben")
    hosting.keep_promises(cast.code)
    go(cast, "ben")
    time.move(GONE)
    assert cast.seen().state == "GRACE"
    time.move(GRACE)
    assert cast.seen().state == "EXPIRED"


def test_a_room_nobody_looked_after_for_a_day_has_no_heir(cast: Cast, time) -> None:
    arrive(cast)
    arrive(cast, "ben")
    go(cast)
    time.move(86_400)
    assert cast.seen().state == "EXPIRED"
    hosting.keep_promises(cast.code)
    assert cast.kinds()[-2:] == ["host_lost", "room_expired"]


@pytest.mark.parametrize("hours", [1, 24, -1, -24])
def test_f8_a_clock_that_jumps_ends_no_room_whose_host_is_here(cast: Cast, time, hours: int) -> None:
    arrive(cast)
    arrive(cast, "ben")
    time.move(hours * 3_600)
    hosting.keep_promises(cast.code)
    assert cast.seen().state == "LIVE"
    people.still_here("web-1", {cast.members["ada"], cast.members["ben"]})
    hosting.keep_promises(cast.code)
    assert (cast.seen().state, hosts(cast)) == ("LIVE", [cast.members["ada"]])
    time.move(-hours * 3_600)
    people.still_here("web-1", {cast.members["ada"], cast.members["ben"]})
    hosting.keep_promises(cast.code)
    assert cast.room().state == "LIVE"


def test_an_ended_room_answers_every_command_about_its_host_with_its_end(cast: Cast, time) -> None:
    lose_host(cast, time)
    time.move(GRACE)
    hosting.keep_promises(cast.code)
    before = every_row()
    for command in (
        lambda: hosting.claim_host(cast.ada, cast.code),
        lambda: hosting.claim_host(cast.ben, cast.code),
        lambda: hosting.answer_offer(cast.ben, cast.code, True),
        lambda: hosting.offer_host(cast.ada, cast.code, cast.members["ben"]),
        lambda: hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"]),
        lambda: arrive(cast),
    ):
        with pytest.raises(Refusal):
            command()
    Presence.delete().execute()
    assert {**every_row(), "Presence": []} == {**before, "Presence": []}
    assert rooms.is_over(cast.room())


def test_staying_is_what_presence_says(cast: Cast, time) -> None:
    lose_host(cast, time)
    arrive(cast, "ben")
    stay(cast, "ben", time, GRACE)
    hosting.keep_promises(cast.code)
    assert hosts(cast) == [cast.members["ben"]]


def test_a_cohost_whose_process_stalled_over_the_end_brings_nothing_back(cast: Cast, time) -> None:
    lose_host(cast, time)
    arrive(cast, "ben")
    time.move(GRACE)
    assert cast.seen().state == "EXPIRED"
    people.still_here("web-1", {cast.members["ben"]})
    assert cast.seen().state == "EXPIRED"
