"""Ways in: who may see a room, passwords, knocks, invitations, the code and the lock; and what guessing comes to."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from models import Attempt, Invite, Knock, Member, Room
from party import attempts, doorway, entry, invites, knocks, moderation, passwords, people, rooms
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over, Refusal, TooMany
from party.events import after
from tests.ledger import every_row
from tests.stage import Cast, enter_with_password, set_access

HOME, ELSEWHERE = "a network", "another network"
PASSWORD = "moss and lichen"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield


def somebody(name: str) -> Person:
    return Person(people.enter(name)[0])


def seat_of(cast: Cast, person: Person) -> Member | None:
    return Member.get_or_none(
        Member.room == cast.room(), Member.user == person.user_id, Member.left_at.is_null()
    )


def names_changed(cast: Cast) -> list[str]:
    room = cast.room()
    [row] = after(room.id, room.seq - 1, 1)
    assert row.kind == "settings_changed"
    return row.data["names"]


# --- who may see it, and how it is entered ---------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
@pytest.mark.parametrize("way", ["open", "password", "approval"])
def test_every_combination_that_makes_sense_can_be_set(cast: Cast, visibility: str, way: str) -> None:
    if (visibility, way) == ("private", "open"):
        before = every_row()
        with pytest.raises(Invalid, match="contradict each other"):
            entry.set_access(cast.ada, cast.code, visibility, way)
        assert every_row() == before
        return
    set_access(cast.ada, cast.code, visibility, way, PASSWORD)
    room = cast.room()
    assert (room.visibility, room.entry) == (visibility, way)
    assert (room.password_hash is not None) is (way == "password")


def test_setting_what_is_set_leaves_no_trace_and_a_new_password_does(cast: Cast) -> None:
    set_access(cast.ada, cast.code, "unlisted", "password", PASSWORD)
    assert names_changed(cast) == ["entry", "password"]
    seq, kept = cast.room().seq, cast.room().password_hash
    set_access(cast.ada, cast.code, "unlisted", "password", "")
    assert (cast.room().seq, cast.room().password_hash) == (seq, kept)
    set_access(cast.ada, cast.code, "unlisted", "password", "another sentence")
    assert names_changed(cast) == ["password"]
    assert PASSWORD not in str(every_row())
    entry.set_access(cast.ada, cast.code, "public", "open")
    assert cast.room().password_hash is None


@pytest.mark.parametrize("password", ["", "short", "x" * 129, "password", "aaaaaaaa"])
def test_what_is_no_password_is_refused(cast: Cast, password: str) -> None:
    before = every_row()
    with pytest.raises(Invalid):
        set_access(cast.ada, cast.code, "unlisted", "password", password)
    assert every_row() == before


def test_only_the_host_sets_the_door_and_nobody_else_makes_us_hash(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(passwords, "hash_password", lambda text: pytest.fail("hashed"))
    before = every_row()
    for person in (cast.ben, cast.cleo, cast.dan):
        with pytest.raises(NotAllowed):
            set_access(person, cast.code, "unlisted", "password", PASSWORD)
    for visibility, way in (("hidden", "open"), ("public", "ajar")):
        with pytest.raises(Invalid):
            entry.set_access(cast.ada, cast.code, visibility, way)
    assert every_row() == before


# --- the password ----------------------------------------------------------------------------------------------------


def with_password(cast: Cast, visibility: str = "unlisted") -> None:
    set_access(cast.ada, cast.code, visibility, "password", PASSWORD)


def test_the_password_opens_the_door_and_a_wrong_one_does_not(cast: Cast) -> None:
    with_password(cast)
    with pytest.raises(NotAllowed, match="asks for a password"):
        people.join(cast.dan, cast.code)
    with pytest.raises(NotAllowed, match="not this room’s password"):
        enter_with_password(cast.dan, cast.code, "moss and liken", HOME)
    assert seat_of(cast, cast.dan) is None
    seat = enter_with_password(cast.dan, cast.code, PASSWORD, HOME)
    assert seat_of(cast, cast.dan).id == seat
    assert seat_of(cast, cast.dan).network_hash == HOME
    assert enter_with_password(cast.dan, cast.code, PASSWORD, HOME) == seat


def test_a_password_that_changed_meanwhile_opens_nothing(cast: Cast) -> None:
    with_password(cast)
    code, key = entry.check_password(cast.code, PASSWORD, cast.dan.user_id, HOME)
    set_access(cast.ada, cast.code, "unlisted", "password", "another sentence")
    with pytest.raises(Conflict, match="changed a moment ago"):
        entry.enter_with_key(cast.dan, code, key, HOME)


def test_a_private_room_is_entered_by_code_and_password_together(cast: Cast) -> None:
    with_password(cast, "private")
    assert doorway.find(cast.code, cast.dan.user_id, HOME) is None
    for typed in (cast.code, "ABCDEFGH", "no code at all"):
        with pytest.raises(NotFound) as refusal:
            entry.check_password(typed, "wrong words", cast.dan.user_id, HOME)
        assert refusal.value.message == entry.NO_ROOM
    code, key = entry.check_password(cast.code, PASSWORD, cast.dan.user_id, HOME)
    entry.enter_with_key(cast.dan, code, key, HOME)
    assert seat_of(cast, cast.dan)


def test_a_thousand_passwords_are_mostly_not_even_looked_at(cast: Cast, monkeypatch) -> None:
    with_password(cast)
    evaluated = []
    monkeypatch.setattr(passwords, "is_right", lambda kept, text: bool(evaluated.append(text)))
    people_trying = [cast.dan.user_id + 1_000 + number for number in range(100)]
    limited = 0
    for number in range(1_000):
        try:
            entry.check_password(
                cast.code, f"guess {number}", people_trying[number % 100], f"net {number % 50}"
            )
        except TooMany:
            limited += 1
        except NotAllowed:
            pass
    assert len(evaluated) == 1_000 - limited
    assert len(evaluated) <= 200


@pytest.mark.parametrize(("person", "network", "most"), [(True, False, 10), (False, True, 30)])
def test_one_person_and_one_network_are_limited_sooner(
    cast: Cast, person: bool, network: bool, most: int
) -> None:
    with_password(cast)
    tried = 0
    with pytest.raises(TooMany):
        for number in range(200):
            try:
                entry.check_password(
                    cast.code,
                    "wrong words",
                    cast.dan.user_id if person else 1_000 + number,
                    HOME if network else f"net {number}",
                )
            except NotAllowed:
                tried += 1
    assert tried == most


def test_who_is_inside_is_never_locked_out_and_right_passwords_cost_nothing(cast: Cast) -> None:
    with_password(cast)
    for number in range(60):
        newcomer = somebody(f"Guest number {number}")
        enter_with_password(newcomer, cast.code, PASSWORD, HOME)
    assert Attempt.select().where(Attempt.kind == entry.WRONG_PASSWORD).count() == 0
    for _ in range(40):
        with pytest.raises(Refusal):
            entry.check_password(cast.code, "wrong words", None, HOME)
    assert people.join(cast.cleo, cast.code) == cast.members["cleo"]
    assert doorway.find(cast.code, cast.ada.user_id, HOME).way == "inside"


# --- the code --------------------------------------------------------------------------------------------------------


def test_ten_thousand_guesses_find_nothing_and_are_limited_from_the_21st_on(cast: Cast) -> None:
    generator, found, first = random.Random(11), 0, None
    for number in range(1, 10_001):
        typed = "".join(generator.choice(rooms.ALPHABET) for _ in range(8))
        try:
            found += doorway.find(typed, None, HOME) is not None
        except TooMany:
            first = first or number
    assert (found, first) == (0, 21)
    # The same for a hit, for somebody who is not inside; elsewhere nothing is different.
    with pytest.raises(TooMany):
        doorway.find(cast.code, cast.dan.user_id, HOME)
    assert doorway.find(cast.code, cast.cleo.user_id, HOME).way == "inside"
    assert doorway.find(cast.code, cast.dan.user_id, ELSEWHERE).way == "open"


def test_the_limit_ends_after_ten_minutes(cast: Cast, time) -> None:
    for number in range(20):
        doorway.find(f"nothing {number}", None, HOME)
    with pytest.raises(TooMany, match="You can go on in 10 min"):
        doorway.find(cast.code, None, HOME)
    time.move(601)
    assert doorway.find(cast.code, None, HOME).way == "open"


def test_many_screens_that_ask_for_one_room_that_went_are_one_guess(cast: Cast) -> None:
    for _ in range(50):
        assert doorway.find("ABCDEFGH", None, HOME) is None
    assert doorway.find(cast.code, None, HOME).way == "open"


def test_guessing_from_everywhere_leaves_every_network_one_slip(cast: Cast, monkeypatch) -> None:
    monkeypatch.setattr(doorway, "CODES_OVERALL", attempts.Limit(30, 600_000))
    for number in range(30):
        doorway.find(f"guess {number}", None, f"net {number}")
    assert doorway.find(cast.code, None, HOME).way == "open"
    assert doorway.find("a slip", None, HOME) is None
    with pytest.raises(TooMany):
        doorway.find(cast.code, None, HOME)


def test_a_private_room_counts_as_a_wrong_code_like_none(cast: Cast) -> None:
    entry.set_access(cast.ada, cast.code, "private", "approval")
    for number in range(19):
        doorway.find(f"nothing {number}", None, HOME)
    assert doorway.find(cast.code, cast.dan.user_id, HOME) is None
    with pytest.raises(TooMany):
        doorway.find("one more", cast.dan.user_id, HOME)


def test_another_code_opens_the_door_and_the_old_one_is_nobodys(cast: Cast) -> None:
    entry.rotate_code(cast.ada, cast.code)
    fresh = cast.room().spoken_code
    assert fresh != cast.code and cast.kinds()[-1] == "code_changed"
    assert doorway.find(cast.code, cast.dan.user_id, HOME) is None
    assert doorway.find(fresh, cast.dan.user_id, HOME).code == cast.code
    # Who is inside keeps everything, the old address too.
    assert doorway.find(cast.code, cast.cleo.user_id, HOME).way == "inside"
    cast.add(1, by=cast.cleo)
    for person in (cast.ben, cast.cleo, cast.dan):
        with pytest.raises(NotAllowed):
            entry.rotate_code(person, cast.code)


def test_a_changed_code_is_not_told_at_the_door_of_the_old_one(cast: Cast) -> None:
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    declined = somebody("Declined")
    knocks.decide_knock(cast.ada, cast.code, knocks.knock(declined, cast.code, HOME), "decline")
    knocks.knock(cast.dan, cast.code, HOME)
    entry.rotate_code(cast.ada, cast.code)
    fresh = cast.room().spoken_code
    for person in (cast.cleo, declined):
        assert doorway.find(cast.code, person.user_id, HOME, knew=True) is None
        assert doorway.find(fresh, person.user_id, HOME, knew=True).door_code == fresh
    # Who waits goes on waiting where they stand, and learns the new code by being let in.
    door = doorway.find(cast.code, cast.dan.user_id, HOME, knew=True)
    assert (door.code, door.door_code, door.has_knocked) == (cast.code, cast.code, True)
    people.leave(cast.ada, cast.code)
    assert doorway.find(cast.code, cast.ada.user_id, HOME, knew=True).door_code == fresh


def test_a_school_class_knocks_from_one_network_and_is_let_in(cast: Cast) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    for number in range(40):
        pupil = somebody(f"Pupil number {number}")
        knocks.decide_knock(cast.ben, cast.code, knocks.knock(pupil, cast.code, HOME), "approve")
    assert Member.select().where(Member.room == cast.room()).count() == 43


def test_a_locked_room_lets_nobody_new_in_by_any_way(cast: Cast) -> None:
    set_access(cast.ada, cast.code, "unlisted", "password", PASSWORD)
    token = invites.make_invite(cast.ada, cast.code)
    entry.lock_room(cast.ben, cast.code, True)
    seq = cast.room().seq
    entry.lock_room(cast.ben, cast.code, True)
    assert cast.room().seq == seq
    for act in (
        lambda: people.join(cast.dan, cast.code),
        lambda: enter_with_password(cast.dan, cast.code, PASSWORD, HOME),
        lambda: knocks.knock(cast.dan, cast.code, HOME),
        lambda: invites.enter_by_invite(cast.dan, token, HOME),
    ):
        with pytest.raises(NotAllowed, match="locked"):
            act()
    assert Invite.get().used == 0
    people.join(cast.cleo, cast.code)
    with pytest.raises(NotAllowed):
        entry.lock_room(cast.cleo, cast.code, False)
    entry.lock_room(cast.ada, cast.code, False)
    invites.enter_by_invite(cast.dan, token, HOME)
    assert seat_of(cast, cast.dan)


# --- knocks ----------------------------------------------------------------------------------------------------------


def by_approval(cast: Cast, visibility: str = "unlisted") -> None:
    entry.set_access(cast.ada, cast.code, visibility, "approval")


def test_who_knocks_is_let_in(cast: Cast) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    assert [each.name for each in cast.seen().knocks] == ["Dan"]
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "waiting"
    assert seat_of(cast, cast.dan) is None
    before = cast.room().seq
    knocks.decide_knock(cast.ben, cast.code, knock, "approve")
    assert cast.kinds(before) == ["knock_approved", "person_joined"]
    assert seat_of(cast, cast.dan).role == "guest"
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "in"
    assert cast.seen().knocks == ()
    seq = cast.room().seq
    knocks.decide_knock(cast.ada, cast.code, knock, "approve")
    assert cast.room().seq == seq


def test_a_knock_is_decided_once(cast: Cast) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    knocks.decide_knock(cast.ada, cast.code, knock, "decline")
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "declined"
    before = every_row()
    with pytest.raises(Conflict):
        knocks.decide_knock(cast.ben, cast.code, knock, "approve")
    knocks.decide_knock(cast.ben, cast.code, knock, "decline")
    with pytest.raises(Invalid):
        knocks.decide_knock(cast.ada, cast.code, knock, "ponder")
    for person in (cast.cleo, cast.dan):
        with pytest.raises(NotAllowed):
            knocks.decide_knock(person, cast.code, knock, "approve")
    assert every_row() == before


def test_a_knock_of_another_room_is_not_found(cast: Cast) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    other = rooms.open_room(cast.ben, "Saturday", 300)
    with pytest.raises(NotFound):
        knocks.decide_knock(cast.ben, other, knock, "approve")
    assert Knock.get_by_id(knock).state == "waiting"


@pytest.mark.parametrize("is_swept", [True, False])
def test_a_knock_is_never_approved_after_its_deadline(cast: Cast, time, is_swept: bool) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    time.move(599.9)
    assert knocks.overdue_codes() == [] and knocks.expire_knocks(cast.code) == 0
    time.move(0.1)
    assert knocks.overdue_codes() == [cast.code]
    if is_swept:
        assert (knocks.expire_knocks(cast.code), knocks.expire_knocks(cast.code)) == (1, 0)
        assert cast.kinds()[-1] == "knock_expired"
    before = every_row()
    with pytest.raises(Conflict, match="waited too long"):
        knocks.decide_knock(cast.ada, cast.code, knock, "approve")
    assert every_row() == before
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "expired"
    again = knocks.knock(cast.dan, cast.code, HOME)
    assert again != knock and Knock.get_by_id(knock).state == "expired"


def test_a_withdrawn_knock_is_not_approved(cast: Cast) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    knocks.withdraw_knock(cast.dan, cast.code)
    knocks.withdraw_knock(cast.dan, cast.code)
    assert cast.kinds().count("knock_withdrawn") == 1
    with pytest.raises(Conflict, match="stopped knocking"):
        knocks.decide_knock(cast.ada, cast.code, knock, "approve")
    assert seat_of(cast, cast.dan) is None


def test_a_banned_persons_knock_is_not_approved(cast: Cast) -> None:
    by_approval(cast)
    people.leave(cast.cleo, cast.code)
    knock = knocks.knock(cast.cleo, cast.code, HOME)
    moderation.ban(cast.ada, cast.code, cast.members["cleo"], "enough")
    assert Knock.get_by_id(knock).state == "withdrawn"
    with pytest.raises(Conflict):
        knocks.decide_knock(cast.ada, cast.code, knock, "approve")
    # Should a ban and a waiting knock ever stand side by side, the ban holds.
    Knock.update(state="waiting").execute()
    with pytest.raises(Conflict, match="banned"):
        knocks.decide_knock(cast.ada, cast.code, knock, "approve")
    assert knocks.waiting(cast.code, cast.cleo.user_id).state == "banned"
    with pytest.raises(NotAllowed, match="enough"):
        knocks.knock(cast.cleo, cast.code, HOME)


def test_a_knock_at_a_room_that_ended_is_over(cast: Cast) -> None:
    by_approval(cast)
    knock = knocks.knock(cast.dan, cast.code, HOME)
    Room.update(state="EXPIRED").execute()
    for act in (
        lambda: knocks.decide_knock(cast.ada, cast.code, knock, "approve"),
        lambda: knocks.withdraw_knock(cast.dan, cast.code),
        lambda: knocks.knock(cast.dan, cast.code, HOME),
    ):
        with pytest.raises(Over):
            act()
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "over"


def test_one_waits_once_and_cannot_knock_without_end(cast: Cast) -> None:
    by_approval(cast)
    first = knocks.knock(cast.dan, cast.code, HOME)
    assert knocks.knock(cast.dan, cast.code, HOME) == first
    assert Knock.select().count() == 1
    for _ in range(4):
        knocks.withdraw_knock(cast.dan, cast.code)
        knocks.knock(cast.dan, cast.code, HOME)
    knocks.withdraw_knock(cast.dan, cast.code)
    before = every_row()
    with pytest.raises(TooMany):
        knocks.knock(cast.dan, cast.code, HOME)
    assert every_row() == before


def test_a_door_that_needs_no_knock_says_so_and_sends_the_waiting_on(cast: Cast) -> None:
    with pytest.raises(Conflict, match="Nobody has to knock"):
        knocks.knock(cast.dan, cast.code, HOME)
    by_approval(cast)
    with pytest.raises(Conflict, match="already"):
        knocks.knock(cast.cleo, cast.code, HOME)
    knocks.knock(cast.dan, cast.code, HOME)
    entry.set_access(cast.ada, cast.code, "unlisted", "open")
    assert cast.kinds()[-2:] == ["knock_withdrawn", "settings_changed"]
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "open"
    people.join(cast.dan, cast.code)
    assert knocks.waiting(cast.code, cast.dan.user_id).state == "in"


def test_nobody_knocks_at_a_private_room_they_were_not_invited_to(cast: Cast) -> None:
    by_approval(cast, "private")
    before = every_row()
    with pytest.raises(NotFound):
        knocks.knock(cast.dan, cast.code, HOME)
    assert every_row() == before
    assert knocks.waiting(cast.code, cast.dan.user_id) is None


def test_a_knock_under_a_name_somebody_took_meanwhile_is_a_sentence_to_the_host(cast: Cast) -> None:
    by_approval(cast)
    first, second = somebody("Eva"), somebody("Éva")
    knocked = [knocks.knock(person, cast.code, HOME) for person in (first, second)]
    knocks.decide_knock(cast.ada, cast.code, knocked[0], "approve")
    people.screen_opened(seat_of(cast, first).id, "web")
    before = every_row()
    with pytest.raises(Conflict, match="goes by that name"):
        knocks.decide_knock(cast.ada, cast.code, knocked[1], "approve")
    assert every_row() == before


# --- invitations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("visibility", "way"), [("private", "password"), ("private", "approval"), ("unlisted", "open")]
)
def test_an_invitation_opens_every_door_for_as_many_as_it_says(cast: Cast, visibility: str, way: str) -> None:
    set_access(cast.ada, cast.code, visibility, way, PASSWORD)
    token = invites.make_invite(cast.ben, cast.code, quota=2)
    assert len(token) >= 22 and token not in str(every_row())
    guests = [somebody(name) for name in ("Eve", "Finn", "Gus")]
    for person in guests[:2]:
        assert invites.enter_by_invite(person, token, HOME).has_knocked is False
        invites.enter_by_invite(person, token, HOME)
    assert Invite.get().used == 2
    assert invites.read_invite(token).is_used_up
    if way == "approval":
        assert invites.enter_by_invite(guests[2], token, HOME).has_knocked is True
        assert [each.name for each in cast.seen().knocks] == ["Gus"]
        assert doorway.find(cast.code, guests[2].user_id, HOME).has_knocked
    else:
        before = every_row()
        with pytest.raises(NotAllowed, match="used up"):
            invites.enter_by_invite(guests[2], token, HOME)
        assert every_row() == before
    assert Invite.get().used == 2


def test_an_invitation_ends_and_can_be_taken_back(cast: Cast, time) -> None:
    short, long = (invites.make_invite(cast.ada, cast.code, hours=hours) for hours in (1, 24))
    assert [each.left for each in invites.open_invites(cast.ben, cast.code)] == [3, 3]
    time.move(3_600)
    with pytest.raises(NotFound, match="leads nowhere"):
        invites.enter_by_invite(cast.dan, short, HOME)
    [shown] = invites.open_invites(cast.ada, cast.code)
    invites.revoke_invite(cast.ada, cast.code, shown.id)
    invites.revoke_invite(cast.ada, cast.code, shown.id)
    assert cast.kinds().count("invite_revoked") == 1
    for act in (invites.read_invite, lambda token: invites.enter_by_invite(cast.dan, token, HOME)):
        with pytest.raises(NotFound, match="leads nowhere"):
            act(long)
        with pytest.raises(NotFound, match="leads nowhere"):
            act("a wrong link")
    assert seat_of(cast, cast.dan) is None


def test_only_who_leads_invites_and_nobody_without_end(cast: Cast) -> None:
    token = invites.make_invite(cast.ada, cast.code)
    invite = Invite.get().id
    other = rooms.open_room(cast.dan, "Saturday", 300)
    before = every_row()
    for act in (
        lambda: invites.make_invite(cast.cleo, cast.code),
        lambda: invites.open_invites(cast.cleo, cast.code),
        lambda: invites.revoke_invite(cast.cleo, cast.code, invite),
        lambda: invites.make_invite(cast.ada, cast.code, quota=0),
        lambda: invites.make_invite(cast.ada, cast.code, quota=51),
        lambda: invites.make_invite(cast.ada, cast.code, hours=169),
        lambda: invites.revoke_invite(cast.dan, other, invite),
    ):
        with pytest.raises(Refusal):
            act()
    assert every_row() == before
    for _ in range(19):
        invites.make_invite(cast.ada, cast.code)
    with pytest.raises(Conflict):
        invites.make_invite(cast.ada, cast.code)
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    with pytest.raises(NotAllowed, match="cannot come into this room"):
        invites.enter_by_invite(cast.cleo, token, HOME)


def test_the_same_request_again_makes_the_same_link(cast: Cast) -> None:
    first, again = (invites.fresh_token(cast.ada, "a key") for _ in range(2))
    assert first == again != invites.fresh_token(cast.ben, "a key")
    assert invites.fresh_token(cast.ada, None) != invites.fresh_token(cast.ada, None)


# --- whom the door shows itself to -----------------------------------------------------------------------------------


def test_a_private_room_is_no_room_to_strangers_and_the_door_knows_those_who_were_inside(cast: Cast) -> None:
    with_password(cast, "private")
    people.leave(cast.cleo, cast.code)
    for person in (cast.dan, cast.cleo):
        assert doorway.find(cast.code, person.user_id, HOME) is None
        with pytest.raises(NotFound):
            doorway.look(cast.code, person.user_id, HOME)
    assert doorway.find(cast.code, cast.dan.user_id, HOME, knew=True) is None
    door = doorway.find(cast.code, cast.cleo.user_id, HOME, knew=True)
    assert (door.way, door.name) == ("password", "")


def test_what_the_door_says(cast: Cast) -> None:
    assert doorway.find(cast.code, None, HOME).way == "open"
    assert doorway.look(cast.code, None, HOME) == cast.code
    double = somebody("Cleo")
    people.screen_opened(cast.members["cleo"], "web")
    door = doorway.find(cast.code, double.user_id, HOME)
    assert door.way == "name" and "goes by Cleo" in door.sentence
    with_password(cast)
    assert doorway.find(cast.code, None, HOME).way == "password"
    with pytest.raises(NotAllowed):
        doorway.look(cast.code, cast.dan.user_id, HOME)
    moderation.ban(cast.ada, cast.code, cast.members["cleo"], "enough", 60)
    assert doorway.find(cast.code, cast.cleo.user_id, HOME).sentence.endswith("The host says: enough")


@pytest.mark.parametrize(
    ("visibility", "way", "seen_by"),
    [
        ("public", "open", {"cleo", "gone", "dan"}),
        ("unlisted", "open", {"cleo", "gone", "dan"}),
        ("unlisted", "approval", {"cleo", "gone"}),
        ("private", "password", {"cleo", "gone"}),
    ],
)
def test_the_memory_of_a_room_is_for_those_who_were_there(
    cast: Cast, visibility: str, way: str, seen_by: set[str]
) -> None:
    gone, banned, kicked = somebody("Eve"), somebody("Finn"), somebody("Gus")
    for person in (gone, banned, kicked):
        people.join(person, cast.code)
    people.leave(gone, cast.code)
    moderation.kick(cast.ada, cast.code, seat_of(cast, kicked).id)
    moderation.ban(cast.ada, cast.code, seat_of(cast, banned).id)
    set_access(cast.ada, cast.code, visibility, way, PASSWORD)
    Room.update(state="EXPIRED").execute()
    persons = {"cleo": cast.cleo, "gone": gone, "dan": cast.dan, "banned": banned, "kicked": kicked}
    found = {name for name, person in persons.items() if doorway.find(cast.code, person.user_id, HOME)}
    assert found - {"banned", "kicked"} == seen_by
    assert ("banned" in found) is ("kicked" in found) is (way == "open")
