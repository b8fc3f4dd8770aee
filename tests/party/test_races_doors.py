"""Who is let in, who leads and who is sent out, decided by several at the same instant: 200 rounds each, real file.

After every race the auditor reads the whole database.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from models import Ban, Event, Item, Knock, Member, Presence, Room, Vote
from party import auditor, change, entry, hosting, knocks, moderation, people, queue, rooms
from party.change import Person
from party.errors import Conflict, NotAllowed, Refusal
from tests.party.test_races import at_once
from tests.stage import Cast

ROUNDS = 200


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a fault."""
    monkeypatch.setattr(change, "LOCK_WAIT_SECONDS", 60.0)


def clean() -> None:
    """Not one invariant is broken."""
    assert list(auditor.audit_all()) == []


def ours(cast: Cast) -> Callable[[int], Person]:
    """The person who sits on a seat."""
    users = {member.id: member.user_id for member in Member.select().where(Member.room == cast.room())}
    return lambda member_id: Person(users[member_id])


def hosts(cast: Cast) -> list[Member]:
    return list(Member.select().where(Member.room == cast.room(), Member.role == "host"))


def here(*members: int) -> None:
    """These seats have a screen open."""
    for member in members:
        people.screen_opened(member, "web")


def in_grace(cast: Cast, time) -> None:
    """The host's last screen is gone for good; everybody else is here."""
    [host] = hosts(cast)
    Presence.delete().where(Presence.member == host).execute()
    hosting.screens_gone(Person(host.user_id), cast.code)
    time.move(6)
    hosting.keep_promises(cast.code)
    assert cast.room().state == "GRACE"


def test_t18_two_cohosts_take_the_line_and_one_has_it(cast: Cast, time) -> None:
    member = Member.update(role="cohost").where(Member.id == cast.members["cleo"])
    member.execute()
    here(*cast.members.values())
    hosting.screen_arrived(cast.ada, cast.code)
    for _ in range(ROUNDS):
        here(*cast.members.values())
        in_grace(cast, time)
        fence = cast.room().fence
        [host] = hosts(cast)
        others = [seat for seat in cast.members.values() if seat != host.id]
        who = ours(cast)
        # Whoever opened the room may take it from the one who was faster; of the rest one is first.
        answers = at_once(*(partial(hosting.claim_host, who(seat), cast.code) for seat in others))
        wins = sum(not isinstance(answer, Refusal) for answer in answers)
        owners = sum(who(seat) == cast.ada for seat in others)
        assert 1 <= wins <= 1 + owners
        assert len(hosts(cast)) == 1 and cast.room().state == "LIVE"
        assert cast.room().fence == fence + wins
        here(hosts(cast)[0].id)
        hosting.screen_arrived(who(hosts(cast)[0].id), cast.code)
    clean()


def test_t18_a_handover_against_the_owners_return(cast: Cast, time) -> None:
    here(*cast.members.values())
    hosting.screen_arrived(cast.ada, cast.code)
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"])
    for _ in range(ROUNDS):
        [host] = hosts(cast)
        if host.user_id == cast.ada.user_id:
            hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
            hosting.answer_offer(cast.ben, cast.code, True)
        [host] = hosts(cast)
        to = "cleo" if host.user_id == cast.ben.user_id else "ben"
        hosting.offer_host(Person(host.user_id), cast.code, cast.members[to])
        fence = cast.room().fence
        accept = partial(hosting.answer_offer, getattr(cast, to), cast.code, True)
        answers = at_once(accept, partial(hosting.claim_host, cast.ada, cast.code))
        changes = sum(not isinstance(answer, Refusal) for answer in answers)
        assert len(hosts(cast)) == 1 and cast.room().fence == fence + changes
        # The owner is never refused; an offer that was overtaken is.
        assert answers[1] is None and hosts(cast)[0].user_id in (cast.ada.user_id, getattr(cast, to).user_id)
        if isinstance(answers[0], Refusal):
            assert isinstance(answers[0], Conflict) and hosts(cast)[0].user_id == cast.ada.user_id
    clean()


def test_t19_approve_against_ban_and_expiry(cast: Cast, time) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    room = cast.room()
    for number in range(ROUNDS):
        person = Person(people.enter(f"Knocker {number:03}")[0])
        # Known already as somebody who was here, so that a ban can name their seat.
        seat = Member.create(room=room, user=person.user_id, joined_at=0, left_at=1)
        deadline = time.now_ms + (1_000 if number % 2 else 600_000)
        knock = Knock.create(room=room, user=person.user_id, asked_at=time.now_ms, deadline_at=deadline)
        if number % 2:
            time.move(2)
        answers = at_once(
            partial(knocks.decide_knock, cast.ada, cast.code, knock.id, "approve"),
            partial(moderation.ban, cast.ben, cast.code, seat.id, "no"),
            partial(knocks.decide_knock, cast.ben, cast.code, knock.id, "decline"),
            partial(knocks.expire_knocks, cast.code),
        )
        states = {Knock.get_by_id(knock.id).state}
        decided = Event.select().where(
            Event.room == room,
            Event.kind.in_(("knock_approved", "knock_declined", "knock_expired", "knock_withdrawn")),
        )
        ends = [row for row in decided if row.data["knock_id"] == knock.id]
        assert len(ends) == 1 and states != {"waiting"}, "decided exactly once"
        is_in = Member.get_by_id(seat.id).left_at is None
        assert not is_in, "a banned person sits in the room"
        if number % 2:
            assert isinstance(answers[0], Conflict), "approved after its deadline"
    clean()


def test_i12_one_person_knocks_twice_at_once(cast: Cast, time) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    for number in range(ROUNDS):
        person = Person(people.enter(f"Twice {number:03}")[0])
        first, second = at_once(*[partial(knocks.knock, person, cast.code, f"net {number}")] * 2)
        assert first == second
        assert Knock.select().where(Knock.user == person.user_id).count() == 1
    clean()


def test_i7_one_person_votes_twice_at_once(cast: Cast, time) -> None:
    item = cast.add(2)[1]
    for number in range(ROUNDS):
        value = 1 if number % 2 else -1
        at_once(*[partial(queue.cast_vote, cast.cleo, cast.code, item, value)] * 2)
        assert [vote.value for vote in Vote.select().where(Vote.item == item)] == [value]
        log = [kind for kind in cast.kinds() if kind == "vote_cast"]
        assert len(log) == number + 1
    clean()


def test_i13_kick_against_vote(cast: Cast, time) -> None:
    item = cast.add(2)[1]
    seat = cast.members["cleo"]
    for _ in range(ROUNDS):
        before = cast.room().seq
        # Another value than the one that stands: the same again would be nothing to write down.
        stands = Vote.select(Vote.value).where(Vote.item == item).scalar() or 1
        vote = partial(queue.cast_vote, cast.cleo, cast.code, item, -stands)
        voted, kicked = at_once(vote, partial(moderation.kick, cast.ada, cast.code, seat))
        assert kicked is None and Member.get_by_id(seat).left_at is not None
        kinds = cast.kinds(before)
        if isinstance(voted, NotAllowed):
            assert kinds == ["person_removed"]
        else:
            assert kinds == ["vote_cast", "person_removed"], "a vote counted after its person was sent out"
        people.join(cast.cleo, cast.code)
    clean()


def test_both_decisions_of_one_knock_at_once(cast: Cast, time) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    for number in range(ROUNDS):
        person = Person(people.enter(f"Either {number:03}")[0])
        knock = knocks.knock(person, cast.code, f"net {number}")
        answers = at_once(
            partial(knocks.decide_knock, cast.ada, cast.code, knock, "approve"),
            partial(knocks.decide_knock, cast.ben, cast.code, knock, "decline"),
            partial(knocks.withdraw_knock, person, cast.code),
        )
        state = Knock.get_by_id(knock).state
        is_in = Member.select().where(Member.user == person.user_id, Member.left_at.is_null()).exists()
        assert is_in == (state == "approved") and state in ("approved", "declined", "withdrawn")
        assert sum(isinstance(answer, Conflict) for answer in answers[:2]) == (
            1 if state != "withdrawn" else 2
        )
    clean()


def test_t20_nothing_brings_an_ended_room_back(cast: Cast, time) -> None:
    """Everybody tries at once in the instant a room ends."""
    cast.add(2)
    for number in range(20):
        host = Person(people.enter(f"Host {number:03}")[0])
        code = rooms.open_room(host, "Short", 300)
        seat = people.join(host, code)
        guest = people.join(cast.dan, code)
        people.screen_opened(seat, "web")
        hosting.screen_arrived(host, code)
        at_once(
            partial(hosting.end_room, host, code),
            partial(hosting.offer_host, host, code, guest),
            partial(hosting.claim_host, host, code),
            partial(people.join, cast.cleo, code),
            partial(queue.add_item, cast.dan, code, cast.tracks[number % 12]),
        )
        room = Room.get(Room.code == code)
        assert room.state == "EXPIRED"
        last = Event.select().where(Event.room == room).order_by(Event.seq.desc()).first()
        assert last.kind == "room_expired"
        assert not Item.select().where(Item.room == room, Item.state == "playing").exists()
    assert Ban.select().count() == 0
    clean()
