"""Sending out, banning, muting: who may do it to whom, what it takes away, and how it ends."""

from __future__ import annotations

import threading

import pytest
from playhouse.test_utils import count_queries

from models import Ban, Item, Member, Presence, Suggestion
from party import chat, configuring, control, entry, invites, moderation, people, queue, rooms, suggestions
from party.change import Person, change
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal
from tests.ledger import every_row
from tests.party.test_races import at_once
from tests.stage import Cast

HOME = "a network"


def sits(cast: Cast, name: str) -> bool:
    return Member.get_by_id(cast.members[name]).left_at is None


ACTS = {
    "kick": lambda who, cast, whom: moderation.kick(who, cast.code, cast.members[whom]),
    "ban": lambda who, cast, whom: moderation.ban(who, cast.code, cast.members[whom], "enough"),
    "mute": lambda who, cast, whom: moderation.mute(who, cast.code, cast.members[whom]),
    "unmute": lambda who, cast, whom: moderation.unmute(who, cast.code, cast.members[whom]),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("who", "whom", "may"),
    [
        ("ada", "ada", False),
        ("ada", "ben", True),
        ("ada", "cleo", True),
        ("ben", "ada", False),
        ("ben", "ben", False),
        ("ben", "cleo", True),
        ("cleo", "ada", False),
        ("cleo", "ben", False),
        ("dan", "cleo", False),
    ],
)
def test_who_may_do_it_to_whom(cast: Cast, act: str, who: str, whom: str, may: bool) -> None:
    if act == "unmute" and may:
        moderation.mute(cast.ada, cast.code, cast.members[whom])
    before = every_row()
    if may:
        ACTS[act](getattr(cast, who), cast, whom)
        assert every_row() != before
    else:
        with pytest.raises(NotAllowed):
            ACTS[act](getattr(cast, who), cast, whom)
        assert every_row() == before


def test_a_cohost_does_nothing_to_another_cohost(cast: Cast) -> None:
    Member.update(role="cohost").where(Member.id == cast.members["cleo"]).execute()
    before = every_row()
    for act in ACTS.values():
        with pytest.raises(NotAllowed, match="Only the host may do that to a co-host"):
            act(cast.ben, cast, "cleo")
    assert every_row() == before


def test_whoever_opened_the_room_stays_though_another_hosts_it(cast: Cast) -> None:
    Member.update(role="cohost").where(Member.id == cast.members["ada"]).execute()
    Member.update(role="host").where(Member.id == cast.members["ben"]).execute()
    for act in ACTS.values():
        with pytest.raises(NotAllowed, match="opened this room stays"):
            act(cast.ben, cast, "ada")


def test_somebody_of_another_room_is_not_found(cast: Cast) -> None:
    other = rooms.open_room(cast.dan, "Saturday", 300)
    made = moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    before = every_row()
    for act in (
        lambda: moderation.kick(cast.dan, other, cast.members["ben"]),
        lambda: moderation.readmit(cast.dan, other, cast.members["cleo"]),
        lambda: moderation.ban(cast.dan, other, cast.members["ben"]),
        lambda: moderation.mute(cast.dan, other, cast.members["ben"]),
        lambda: moderation.lift_ban(cast.dan, other, made),
    ):
        with pytest.raises(NotFound):
            act()
    assert every_row() == before


# --- sending out -----------------------------------------------------------------------------------------------------


def test_who_is_sent_out_loses_the_seat_and_may_return(cast: Cast) -> None:
    cast.add(2, by=cast.cleo)
    people.screen_opened(cast.members["cleo"], "web")
    moderation.kick(cast.ben, cast.code, cast.members["cleo"])
    assert not sits(cast, "cleo") and cast.kinds()[-1] == "person_removed"
    assert Presence.select().count() == 0 and len(cast.line()) == 1
    with pytest.raises(NotAllowed):
        queue.cast_vote(cast.cleo, cast.code, cast.line()[0], 1)
    with pytest.raises(NotFound):
        moderation.kick(cast.ben, cast.code, cast.members["cleo"])
    people.join(cast.cleo, cast.code)
    assert sits(cast, "cleo")


def test_what_was_lent_goes_with_the_seat_and_a_cohost_returns_as_a_guest(cast: Cast) -> None:
    control.grant_control(cast.ada, cast.code, cast.members["cleo"], "while")
    before = cast.room().seq
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    assert cast.kinds(before) == ["control_ended", "person_removed"]
    before = cast.room().seq
    moderation.kick(cast.ada, cast.code, cast.members["ben"])
    assert cast.kinds(before) == ["role_changed", "person_removed"]
    people.join(cast.ben, cast.code)
    assert Member.get_by_id(cast.members["ben"]).role == "guest"
    for name in ("ben", "cleo"):
        member = Member.get_by_id(cast.members[name])
        assert (member.controls_until, member.asked_control_at, member.offered_host_at) == (None, None, None)


def test_sending_out_can_be_undone(cast: Cast) -> None:
    entry.set_access(cast.ada, cast.code, "private", "approval")
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    with pytest.raises(NotFound):
        people.join(cast.cleo, cast.code)
    moderation.readmit(cast.ben, cast.code, cast.members["cleo"])
    moderation.readmit(cast.ben, cast.code, cast.members["cleo"])
    assert sits(cast, "cleo") and cast.kinds().count("person_readmitted") == 1
    with pytest.raises(NotAllowed):
        moderation.readmit(cast.cleo, cast.code, cast.members["cleo"])
    people.leave(cast.cleo, cast.code)
    with pytest.raises(Conflict):
        moderation.readmit(cast.ben, cast.code, cast.members["cleo"])


# --- banning ---------------------------------------------------------------------------------------------------------


def test_who_is_banned_is_out_and_stays_out(cast: Cast) -> None:
    cast.add(3, by=cast.cleo)
    token = invites.make_invite(cast.ada, cast.code)
    made = moderation.ban(cast.ben, cast.code, cast.members["cleo"], "  too\nloud ")
    assert not sits(cast, "cleo") and cast.kinds()[-1] == "person_banned"
    # Their tracks stay, unless they are taken off too.
    assert len(cast.line()) == 2
    for act in (
        lambda: people.join(cast.cleo, cast.code),
        lambda: invites.enter_by_invite(cast.cleo, token, HOME),
    ):
        with pytest.raises(NotAllowed) as refusal:
            act()
        assert refusal.value.message == "You cannot come into this room. The host says: too loud"
    [shown] = moderation.bans(cast.ada, cast.code)
    assert (shown.id, shown.name, shown.reason, shown.until, shown.by_name) == (
        made,
        "Cleo",
        "too loud",
        None,
        "Ben",
    )
    with pytest.raises(Conflict, match="already"):
        moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    assert "too loud" not in str([row.data for row in cast.room().events])


def test_a_ban_ends_at_its_time_or_when_it_is_lifted(cast: Cast, time) -> None:
    made = moderation.ban(cast.ada, cast.code, cast.members["cleo"], minutes=60)
    with pytest.raises(NotAllowed, match="for another 60 min"):
        people.join(cast.cleo, cast.code)
    time.move(3_599)
    with pytest.raises(NotAllowed):
        people.join(cast.cleo, cast.code)
    time.move(1)
    people.join(cast.cleo, cast.code)
    assert moderation.bans(cast.ada, cast.code) == []
    made = moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    with pytest.raises(NotAllowed):
        moderation.lift_ban(cast.cleo, cast.code, made)
    moderation.lift_ban(cast.ben, cast.code, made)
    moderation.lift_ban(cast.ben, cast.code, made)
    assert cast.kinds().count("ban_lifted") == 1
    people.join(cast.cleo, cast.code)


def test_a_ban_by_network_keeps_newcomers_from_there_out_and_nobody_who_is_in(cast: Cast) -> None:
    troll, neighbour = (Person(people.enter(name)[0]) for name in ("Troll", "Neighbour"))
    seat = people.join(troll, cast.code, HOME)
    people.join(neighbour, cast.code, HOME)
    moderation.ban(cast.ada, cast.code, seat, with_network=True)
    assert moderation.bans(cast.ada, cast.code)[0].has_network
    again = Person(people.enter("Somebody else")[0])
    with pytest.raises(NotAllowed):
        people.join(again, cast.code, HOME)
    people.join(neighbour, cast.code, HOME)
    people.join(again, cast.code, "another network")
    assert Ban.select().where(Ban.network_hash == HOME).count() == 1


def test_a_banned_cohost_does_not_walk_back_in(cast: Cast) -> None:
    moderation.ban(cast.ada, cast.code, cast.members["ben"])
    with pytest.raises(NotAllowed, match="cannot come into this room"):
        people.join(cast.ben, cast.code)


def test_the_invitations_of_a_cohost_who_is_sent_out_lead_nowhere(cast: Cast) -> None:
    bens, adas = invites.make_invite(cast.ben, cast.code), invites.make_invite(cast.ada, cast.code)
    before = cast.room().seq
    moderation.ban(cast.ada, cast.code, cast.members["ben"])
    assert cast.kinds(before) == ["role_changed", "invite_revoked", "person_banned"]
    with pytest.raises(NotFound):
        invites.enter_by_invite(cast.dan, bens, "a network")
    assert invites.enter_by_invite(cast.dan, adas, "a network").code == cast.code


def test_thirty_bans_are_read_with_no_more_questions_than_one(cast: Cast) -> None:
    costs = []
    for count in (1, 29):
        for number in range(count):
            person = Person(people.enter(f"Troll {count} {number}")[0])
            moderation.ban(cast.ben, cast.code, people.join(person, cast.code))
        with count_queries() as counted:
            assert {view.by_name for view in moderation.bans(cast.ada, cast.code)} == {"Ben"}
        costs.append(counted.count)
    assert costs[0] == costs[1]


def test_what_a_banned_person_waits_for_is_taken_back(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    wish = suggestions.suggest_item(cast.cleo, cast.code, cast.tracks[0])
    control.ask_control(cast.cleo, cast.code)
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    assert Suggestion.get_by_id(wish).state == "withdrawn"
    assert Member.get_by_id(cast.members["cleo"]).asked_control_at is None
    assert (cast.seen().knocks, cast.seen().suggestions, cast.seen().control_asks) == ((), (), ())


def test_their_tracks_go_too_when_that_is_wanted(cast: Cast) -> None:
    cast.add(2)
    mine = cast.add(2, by=cast.cleo)
    moderation.ban(cast.ada, cast.code, cast.members["cleo"], remove_items=True)
    assert not set(mine) & set(cast.line())
    assert {Item.get_by_id(item).state for item in mine} == {"removed"}
    assert cast.kinds()[-3:] == ["item_removed", "item_removed", "person_banned"]


def test_somebody_who_left_before_can_be_banned(cast: Cast) -> None:
    people.leave(cast.cleo, cast.code)
    left_at = Member.get_by_id(cast.members["cleo"]).left_at
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    assert Member.get_by_id(cast.members["cleo"]).left_at == left_at
    with pytest.raises(NotAllowed):
        people.join(cast.cleo, cast.code)


def test_what_makes_no_sense_is_refused(cast: Cast) -> None:
    cleo, before = cast.members["cleo"], every_row()
    for act in (
        lambda: moderation.ban(cast.ada, cast.code, cleo, "x" * 201),
        lambda: moderation.ban(cast.ada, cast.code, cleo, minutes=0),
        lambda: moderation.ban(cast.ada, cast.code, cleo, minutes=10**9),
        lambda: moderation.mute(cast.ada, cast.code, cleo, 0),
    ):
        with pytest.raises(Invalid):
            act()
    assert every_row() == before


# --- muting ----------------------------------------------------------------------------------------------------------


def test_who_is_muted_may_not_talk_until_the_end(cast: Cast, time) -> None:
    moderation.mute(cast.ben, cast.code, cast.members["cleo"])
    assert cast.kinds()[-1] == "person_muted"
    with pytest.raises(Refusal):
        chat.say(cast.cleo, cast.code, "hello")
    cast.add(1, by=cast.cleo)
    time.move(600)
    chat.say(cast.cleo, cast.code, "hello")


def test_mute_for_good_and_unmute(cast: Cast, time) -> None:
    moderation.mute(cast.ben, cast.code, cast.members["cleo"], None)
    time.move(600_000)
    assert Member.get_by_id(cast.members["cleo"]).muted_until == moderation.FOR_GOOD
    moderation.unmute(cast.ben, cast.code, cast.members["cleo"])
    moderation.unmute(cast.ben, cast.code, cast.members["cleo"])
    assert cast.kinds().count("person_unmuted") == 1
    assert Member.get_by_id(cast.members["cleo"]).muted_until is None


@pytest.mark.parametrize("read", [moderation.bans, invites.open_invites])
def test_who_reads_what_is_out_waits_for_nobody(cast: Cast, read) -> None:
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    invites.make_invite(cast.ada, cast.code)
    is_held, is_read = threading.Event(), threading.Event()

    def change_slowly() -> bool:
        with change(cast.ada, cast.code, may="see"):
            is_held.set()
            return is_read.wait(30)

    def reads() -> list[object]:
        is_held.wait(30)
        found = read(cast.ben, cast.code)
        is_read.set()
        return found

    was_read, found = at_once(change_slowly, reads)
    assert was_read and len(found) == 1
