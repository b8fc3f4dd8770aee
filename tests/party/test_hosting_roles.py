"""Who hosts: handing the room over, claiming it, naming co-hosts, ending it; one holder of authority, always."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from peewee import IntegrityError

from models import Member, Presence, Room, User
from party import hosting, lifecycle, people, playback, queue
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over, Refusal
from party.line import PRESENT_MS
from party.settings import changed, load, stored
from tests.ledger import every_row
from tests.party.test_hosting import GONE, GRACE, arrive, go
from tests.stage import Cast


def set_room(cast: Cast, **values: object) -> None:
    room = cast.room()
    Room.update(settings=stored(changed(load(room.settings), values))).where(Room.id == room.id).execute()


def role(cast: Cast, name: str) -> str:
    return str(Member.get_by_id(cast.members[name]).role)


def hosts(cast: Cast) -> list[int]:
    return [member.id for member in Member.select().where(Member.room == cast.room(), Member.role == "host")]


def lose_host(cast: Cast, time) -> None:
    arrive(cast)
    go(cast)
    time.move(GONE)
    hosting.keep_promises(cast.code)
    assert cast.room().state == "GRACE"


def hand_over(cast: Cast, to: str) -> None:
    hosting.offer_host(cast.ada, cast.code, cast.members[to])
    hosting.answer_offer(getattr(cast, to), cast.code, True)


# --- handing over ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["ben", "cleo"])
def test_a_host_hands_the_room_to_somebody_who_takes_it(cast: Cast, to: str) -> None:
    arrive(cast)
    arrive(cast, to)
    before = cast.room()
    hosting.offer_host(cast.ada, cast.code, cast.members[to])
    assert cast.seen().offered_host.id == cast.members[to]
    assert role(cast, "ada") == "host", "an offer changes nothing yet"
    hosting.answer_offer(getattr(cast, to), cast.code, True)
    assert (role(cast, "ada"), role(cast, to), cast.seen().offered_host) == ("cohost", "host", None)
    assert cast.kinds(before.seq) == ["host_offered", "host_changed"]
    assert (cast.room().fence, cast.room().state) == (before.fence + 1, "LIVE")
    assert cast.room().host_gone_at is None


def test_only_one_offer_stands_and_the_last_one_counts(cast: Cast) -> None:
    for name in ("ada", "ben", "cleo"):
        arrive(cast, name)
    hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
    before = every_row()
    hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
    assert every_row() == before, "the same offer again is nothing new"
    hosting.offer_host(cast.ada, cast.code, cast.members["cleo"])
    assert cast.seen().offered_host.id == cast.members["cleo"]
    refused(Conflict, lambda: hosting.answer_offer(cast.ben, cast.code, True))
    with pytest.raises(IntegrityError):
        Member.update(offered_host_at=1).where(Member.room == cast.room()).execute()


def test_an_offer_can_be_declined_and_withdrawn(cast: Cast) -> None:
    arrive(cast)
    arrive(cast, "ben")
    hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
    hosting.answer_offer(cast.ben, cast.code, False)
    assert cast.seen().offered_host is None
    unchanged(lambda: hosting.answer_offer(cast.ben, cast.code, False))
    hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
    hosting.offer_host(cast.ada, cast.code, None)
    unchanged(lambda: hosting.offer_host(cast.ada, cast.code, None))
    refused(Conflict, lambda: hosting.answer_offer(cast.ben, cast.code, True))
    assert role(cast, "ada") == "host"


def test_accepting_twice_changes_nothing_more(cast: Cast) -> None:
    arrive(cast)
    arrive(cast, "ben")
    hand_over(cast, "ben")
    unchanged(lambda: hosting.answer_offer(cast.ben, cast.code, True))


def test_an_offer_goes_to_somebody_else_who_is_here(cast: Cast) -> None:
    arrive(cast)
    refused(Invalid, lambda: hosting.offer_host(cast.ada, cast.code, cast.members["ada"]))
    refused(Conflict, lambda: hosting.offer_host(cast.ada, cast.code, cast.members["ben"]))
    refused(NotFound, lambda: hosting.offer_host(cast.ada, cast.code, 10_000))
    arrive(cast, "cleo")
    people.leave(cast.cleo, cast.code)
    refused(NotFound, lambda: hosting.offer_host(cast.ada, cast.code, cast.members["cleo"]))


def test_an_offer_can_be_taken_while_the_host_is_away(cast: Cast, time) -> None:
    arrive(cast)
    arrive(cast, "cleo")
    hosting.offer_host(cast.ada, cast.code, cast.members["cleo"])
    people.leave(cast.ada, cast.code)
    time.move(GONE)
    assert cast.seen().state == "GRACE"
    hosting.answer_offer(cast.cleo, cast.code, True)
    assert (cast.room().state, cast.room().host_grace_until) == ("LIVE", None)
    assert role(cast, "cleo") == "host"


def test_a_new_host_without_a_screen_has_five_seconds_to_open_one(cast: Cast, time) -> None:
    arrive(cast)
    arrive(cast, "cleo")
    hosting.offer_host(cast.ada, cast.code, cast.members["cleo"])
    people.screens_closed(cast.members["cleo"], "web-1")
    hosting.answer_offer(cast.cleo, cast.code, True)
    time.move(GONE - 0.001)
    assert cast.seen().state == "LIVE"
    time.move(0.001)
    assert cast.seen().state == "GRACE"
    arrive(cast, "cleo")
    assert cast.seen().state == "LIVE"


def test_a_muted_driver_who_becomes_host_is_neither_any_more(cast: Cast, time) -> None:
    arrive(cast)
    arrive(cast, "cleo")
    lent = {
        "muted_until": time.now_ms + 60_000,
        "controls_until": time.now_ms + 60_000,
        "controls_once": True,
    }
    Member.update(**lent).where(Member.id == cast.members["cleo"]).execute()
    hand_over(cast, "cleo")
    cleo = Member.get_by_id(cast.members["cleo"])
    assert (cleo.role, cleo.muted_until, cleo.controls_until, bool(cleo.controls_once)) == (
        "host",
        None,
        None,
        False,
    )


# --- claiming --------------------------------------------------------------------------------------------------------


def test_a_cohost_takes_the_line_while_the_host_is_away(cast: Cast, time) -> None:
    lose_host(cast, time)
    arrive(cast, "ben")
    hosting.claim_host(cast.ben, cast.code)
    assert (role(cast, "ada"), role(cast, "ben"), cast.room().state) == ("cohost", "host", "LIVE")
    assert cast.seen().grace_until_ms is None
    unchanged(lambda: hosting.claim_host(cast.ben, cast.code))


def test_a_cohost_takes_nothing_from_a_host_who_is_here_or_just_came_back(cast: Cast, time) -> None:
    arrive(cast)
    refused(Conflict, lambda: hosting.claim_host(cast.ben, cast.code))
    go(cast)
    time.move(GONE - 0.001)
    refused(Conflict, lambda: hosting.claim_host(cast.ben, cast.code))
    time.move(0.001)
    arrive(cast)
    refused(Conflict, lambda: hosting.claim_host(cast.ben, cast.code))
    assert role(cast, "ada") == "host"


def test_neither_a_guest_nor_a_stranger_takes_the_line(cast: Cast, time) -> None:
    lose_host(cast, time)
    arrive(cast, "cleo")
    refused(NotAllowed, lambda: hosting.claim_host(cast.cleo, cast.code))
    refused(NotAllowed, lambda: hosting.claim_host(cast.dan, cast.code))


@pytest.mark.parametrize("how", ["handed over", "claimed", "grace"])
def test_the_owner_has_the_line_back_with_one_tap_whoever_leads_meanwhile(cast: Cast, time, how: str) -> None:
    arrive(cast, "ben")
    if how == "handed over":
        arrive(cast)
        hand_over(cast, "ben")
    else:
        lose_host(cast, time)
        if how == "claimed":
            hosting.claim_host(cast.ben, cast.code)
        else:
            stay(cast, "ben", time, GRACE)
            hosting.keep_promises(cast.code)
    assert role(cast, "ben") == "host"
    arrive(cast)
    assert role(cast, "ben") == "host", "coming back alone takes nothing"
    hosting.claim_host(cast.ada, cast.code)
    assert (role(cast, "ada"), role(cast, "ben"), cast.room().state) == ("host", "cohost", "LIVE")
    unchanged(lambda: hosting.claim_host(cast.ada, cast.code))


def test_who_was_host_but_never_owner_comes_back_as_a_cohost(cast: Cast, time) -> None:
    for name in ("ada", "ben", "cleo"):
        arrive(cast, name)
    hand_over(cast, "ben")
    go(cast, "ben")
    time.move(GONE)
    hosting.claim_host(cast.ada, cast.code)
    arrive(cast, "ben")
    refused(Conflict, lambda: hosting.claim_host(cast.ben, cast.code))
    assert hosts(cast) == [cast.members["ada"]]


def test_where_it_is_set_so_the_owner_leads_again_as_soon_as_their_screen_opens(cast: Cast, time) -> None:
    set_room(cast, owner_returns="at_once")
    lose_host(cast, time)
    arrive(cast, "ben")
    hosting.claim_host(cast.ben, cast.code)
    arrive(cast)
    assert (role(cast, "ada"), role(cast, "ben")) == ("host", "cohost")
    before = cast.room().seq
    arrive(cast)
    assert cast.room().seq == before


def test_an_owner_who_gave_the_line_away_is_asked_even_then(cast: Cast) -> None:
    set_room(cast, owner_returns="at_once")
    arrive(cast)
    arrive(cast, "ben")
    hand_over(cast, "ben")
    go(cast)
    arrive(cast)
    assert role(cast, "ben") == "host", "a reload takes back nothing that was given away"
    hosting.claim_host(cast.ada, cast.code)
    assert role(cast, "ada") == "host"


def test_a_cohost_who_comes_back_takes_nothing_at_once(cast: Cast, time) -> None:
    set_room(cast, owner_returns="at_once")
    lose_host(cast, time)
    arrive(cast, "ben")
    assert role(cast, "ada") == "host"


# --- roles -----------------------------------------------------------------------------------------------------------


def test_the_host_names_cohosts_and_unnames_them(cast: Cast) -> None:
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"])
    assert role(cast, "cleo") == "cohost"
    unchanged(lambda: hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"]))
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"], "guest")
    assert role(cast, "cleo") == "guest"
    assert cast.kinds()[-2:] == ["role_changed", "role_changed"]


def test_roles_are_refused_with_a_reason(cast: Cast) -> None:
    refused(NotAllowed, lambda: hosting.name_cohost(cast.ben, cast.code, cast.members["cleo"]))
    refused(NotAllowed, lambda: hosting.name_cohost(cast.cleo, cast.code, cast.members["cleo"]))
    refused(Conflict, lambda: hosting.name_cohost(cast.ada, cast.code, cast.members["ada"], "guest"))
    refused(NotFound, lambda: hosting.name_cohost(cast.ada, cast.code, 10_000))
    for wrong in ("host", "driver", "", "Cohost"):
        refused(
            Invalid, lambda wrong=wrong: hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"], wrong)
        )


# --- T17, I9: one holder of authority --------------------------------------------------------------------------------


HOSTS_ONLY: dict[str, Callable[[Cast, Person], object]] = {
    "end_room": lambda c, who: hosting.end_room(who, c.code),
    "offer_host": lambda c, who: hosting.offer_host(who, c.code, c.members["cleo"]),
    "withdraw": lambda c, who: hosting.offer_host(who, c.code, None),
    "name_cohost": lambda c, who: hosting.name_cohost(who, c.code, c.members["cleo"]),
    "change_mode": lambda c, who: queue.change_mode(who, c.code, "hand"),
}


@pytest.mark.parametrize("name", HOSTS_ONLY)
@pytest.mark.parametrize("left", ["handed over", "claimed", "left the room"])
def test_t17_what_the_former_host_still_sends_changes_nothing(cast: Cast, time, name: str, left: str) -> None:
    for who in ("ada", "ben", "cleo"):
        arrive(cast, who)
    if left == "handed over":
        hand_over(cast, "ben")
    elif left == "claimed":
        go(cast)
        time.move(GONE)
        hosting.claim_host(cast.ben, cast.code)
    else:
        people.leave(cast.ada, cast.code)
    refused(Refusal, lambda: HOSTS_ONLY[name](cast, cast.ada))


@pytest.mark.parametrize("name", HOSTS_ONLY)
@pytest.mark.parametrize("who", ["ben", "cleo", "dan"])
def test_nobody_but_the_host_leads(cast: Cast, name: str, who: str) -> None:
    arrive(cast)
    refused(Refusal, lambda: HOSTS_ONLY[name](cast, getattr(cast, who)))


def test_the_database_itself_holds_one_host(cast: Cast) -> None:
    with pytest.raises(IntegrityError):
        Member.update(role="host").where(Member.id == cast.members["ben"]).execute()


def test_a_live_room_that_lost_its_host_altogether_is_found(cast: Cast, time) -> None:
    arrive(cast)
    Member.delete().where(Member.id == cast.members["ada"]).execute()
    assert hosting.find_lost_hosts() == [cast.code]
    hosting.note_lost_host(cast.code)
    time.move(GONE)
    assert cast.seen().state == "GRACE"
    arrive(cast, "ben")
    hosting.claim_host(cast.ben, cast.code)
    assert (cast.room().state, role(cast, "ben")) == ("LIVE", "host")


# --- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["CREATED", "LIVE", "GRACE"])
def test_the_host_ends_the_party_in_any_state(cast: Cast, time, state: str) -> None:
    cast.add(2)
    if state == "LIVE":
        arrive(cast)
    elif state == "GRACE":
        lose_host(cast, time)
    before = cast.room()
    hosting.end_room(cast.ada, cast.code)
    assert cast.kinds(before.seq) == ["room_ended", "item_ended", "room_expired"]
    assert (cast.room().state, cast.room().expired_at, cast.room().fence) == (
        "EXPIRED",
        time.now_ms,
        before.fence + 1,
    )
    refused(Over, lambda: hosting.end_room(cast.ada, cast.code))


# --- kept rooms ------------------------------------------------------------------------------------------------------


def keep(cast: Cast, **values: object) -> None:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    set_room(cast, keep=True, **values)


def test_a_room_may_be_kept_when_its_owner_has_an_account(cast: Cast) -> None:
    assert not hosting.may_keep(cast.room())
    keep(cast)
    assert hosting.may_keep(cast.room())
    Room.update(owner=None).execute()
    assert not hosting.may_keep(cast.room())


def test_a_kept_room_waits_for_days_and_ends_then(cast: Cast, time) -> None:
    items = cast.add(3)
    queue.cast_vote(cast.cleo, cast.code, items[2], 1)
    keep(cast, keep_days=7)
    lose_host(cast, time)
    time.move(7 * 86_400 - 0.001)
    assert cast.seen().state == "GRACE"
    assert cast.line() == [items[2], items[1]]
    queue.cast_vote(cast.ben, cast.code, items[1], 1)
    time.move(0.001)
    assert cast.seen().state == "EXPIRED"


def test_a_kept_room_lives_on_when_its_host_returns(cast: Cast, time) -> None:
    keep(cast)
    lose_host(cast, time)
    time.move(20 * 86_400)
    arrive(cast)
    assert cast.seen().state == "LIVE"


@pytest.mark.parametrize("back", ["the host returns", "a cohost claims"])
def test_a_kept_room_pauses_after_the_track_and_plays_on_with_a_host(cast: Cast, time, back: str) -> None:
    items = cast.add(3)
    keep(cast, when_away="pause")
    lose_host(cast, time)
    assert cast.seen().playback.state == "playing"
    time.move(100)
    assert playback.advance(cast.code, cast.room().playback.get().play_id)
    assert (cast.seen().playback.state, cast.seen().now.id, cast.seen().playback.position_ms) == (
        "paused",
        items[1],
        0,
    )
    time.move(86_400)
    before = cast.room().seq
    if back == "the host returns":
        arrive(cast)
    else:
        arrive(cast, "ben")
        hosting.claim_host(cast.ben, cast.code)
    anchor = cast.room().playback.get()
    assert (anchor.state, anchor.at_ms) == ("playing", time.now_ms + lifecycle.RESUME_LEAD_MS)
    assert anchor.ends_at == anchor.at_ms + 100_000
    assert anchor.play.started_at == anchor.at_ms
    assert cast.kinds(before)[-1] == "playback_changed"


def test_what_a_person_paused_stays_paused_when_the_host_returns(cast: Cast, time) -> None:
    cast.add(2)
    keep(cast, when_away="pause")
    lose_host(cast, time)
    playback.pause(cast.ben, cast.code)
    arrive(cast)
    assert cast.seen().playback.state == "paused"


def test_a_kept_room_with_an_empty_line_falls_quiet_and_stays_so(cast: Cast, time) -> None:
    cast.add(1)
    keep(cast, when_away="pause")
    lose_host(cast, time)
    time.move(100)
    playback.advance(cast.code, cast.room().playback.get().play_id)
    assert cast.seen().playback.state == "idle"
    arrive(cast)
    assert cast.seen().playback.state == "idle"


def test_keeping_switched_on_and_off_while_the_host_is_away_moves_the_end(cast: Cast, time) -> None:
    lose_host(cast, time)
    gone_at = cast.room().host_gone_at
    time.move(100)

    def switch(**values: object) -> int:
        keep(cast)
        set_room(cast, **values)
        room = cast.room()
        lifecycle.wait_anew(room, time.now_ms)
        room.save()
        return int(cast.seen().grace_until_ms)

    assert switch(keep=True, keep_days=2) == gone_at + 5_000 + 2 * 86_400_000
    assert switch(keep=True, keep_days=1) == gone_at + 5_000 + 86_400_000
    time.move(7_200)
    assert switch(keep=False) == time.now_ms + GRACE * 1000, "it does not end under everybody's feet"


def stay(cast: Cast, name: str, time, seconds: float) -> None:
    """Time passes while somebody's screen stays open."""
    while seconds > 0:
        step = min(seconds, PRESENT_MS / 3000)
        time.move(step)
        seconds -= step
        Presence.update(seen_at=time.now_ms).where(Presence.member == cast.members[name]).execute()


def refused(kind: type[Refusal], command: Callable[[], object]) -> None:
    """The command is refused with a sentence, and no row changes."""
    before = every_row()
    with pytest.raises(kind) as told:
        command()
    assert told.value.message[-1] in ".!"
    assert every_row() == before


def unchanged(command: Callable[[], object]) -> None:
    before = every_row()
    command()
    assert every_row() == before
