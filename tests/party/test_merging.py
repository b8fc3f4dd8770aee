"""A guest signs in to an account with a seat in the same room: two seats become one, and nothing counts twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models import (
    Ban,
    Event,
    Holding,
    Item,
    Knock,
    Member,
    Message,
    Play,
    Presence,
    Progress,
    Reaction,
    Room,
    SkipVote,
    Suggestion,
    User,
    Vote,
)
from party import accounts, auditor, links, merging, moderation, people, queue, rooms
from party.change import Person
from party.errors import NotAllowed, NotKnown
from tests.accounts import HOME, PASSWORD, make_account, posted, seen_as
from tests.party.test_races import meanwhile
from tests.stage import Cast

__all__ = ["posted"]


@pytest.fixture
def eve(cast: Cast) -> Person:
    """An account with a seat in Ada's room."""
    person = make_account("eve@example.org", "Eve")
    people.join(person, cast.code)
    return person


def sign_in(guest: Person) -> str:
    return accounts.sign_in("eve@example.org", PASSWORD, HOME, seen_as(guest)).token or ""


def seat_of(person: Person, cast: Cast) -> Member:
    return Member.get(Member.user == person.user_id, Member.room == cast.room())


def test_tracks_and_votes_become_one_persons_and_the_later_vote_counts(cast: Cast, eve: Person, time) -> None:
    cast.add(3)
    [_, track] = cast.add(2, by=cast.cleo)
    first, second, third = cast.line()[:3]
    for person, item, value in ((eve, first, 1), (cast.cleo, second, -1), (eve, third, 1)):
        queue.cast_vote(person, cast.code, item, value)
    time.move(1)
    queue.cast_vote(cast.cleo, cast.code, third, -1)
    before = cast.room().seq
    sign_in(cast.cleo)
    seat = seat_of(eve, cast)
    assert Item.get_by_id(track).added_by_id == seat.id
    votes = {vote.item_id: vote.value for vote in Vote.select().where(Vote.member == seat.id)}
    assert votes == {first: 1, second: -1, third: -1}
    assert Vote.select().count() == 3
    assert Member.get_or_none(Member.id == cast.members["cleo"]) is None
    assert cast.kinds(before) == ["person_renamed", "role_changed"]


def test_the_host_stays_host_whichever_seat_it_was(cast: Cast, eve: Person) -> None:
    sign_in(cast.ada)
    seat = seat_of(eve, cast)
    assert seat.role == "host" and Room.get(Room.code == cast.code).owner_id == eve.user_id
    assert Member.select().where(Member.role == "host").count() == 1
    queue.change_mode(eve, cast.code, "hand")


def test_a_host_brings_no_mute_along(cast: Cast, eve: Person) -> None:
    moderation.mute(cast.ada, cast.code, seat_of(eve, cast).id, None)
    sign_in(cast.ada)
    seat = seat_of(eve, cast)
    assert (seat.role, seat.muted_until, seat.controls_until, seat.offered_host_at) == (
        "host",
        None,
        None,
        None,
    )


def test_words_signs_knocks_and_the_log_name_the_seat_that_stays(cast: Cast, eve: Person, time) -> None:
    guest, own, room = cast.members["cleo"], seat_of(eve, cast).id, cast.room()
    message = Message.create(room=room, member=guest, text="Hello", mentions=[guest, own], said_at=1)
    for member in (guest, own):
        Reaction.create(message=message, member=member, emoji="👍")
        Presence.create(member=member, process="web-1", seen_at=time.now_ms, since_at=time.now_ms)
    Reaction.create(message=message, member=guest, emoji="🎉")
    Suggestion.create(room=room, member=guest, track=cast.tracks[0], asked_at=1)
    Knock.create(room=room, user=cast.cleo.user_id, asked_at=1, deadline_at=time.now_ms + 1_000)
    sign_in(cast.cleo)
    fresh = Message.get_by_id(message.id)
    assert (fresh.member_id, fresh.mentions) == (own, [own])
    assert sorted(row.emoji for row in Reaction.select().where(Reaction.member == own)) == ["🎉", "👍"]
    assert Presence.select().where(Presence.member == own).count() == 1
    assert Suggestion.get().member_id == own
    assert (Knock.get().user_id, Knock.get().state) == (eve.user_id, "withdrawn")
    assert not [row for row in Event.select() if guest in (row.actor_id, row.data.get("member_id"))]


def test_votes_to_skip_are_one_persons(cast: Cast, eve: Person) -> None:
    cast.add(2)
    play = Play.get(Play.ended_at.is_null()).id
    for member in (cast.members["cleo"], seat_of(eve, cast).id):
        SkipVote.create(play=play, member=member, cast_at=1)
    sign_in(cast.cleo)
    assert [vote.member_id for vote in SkipVote.select()] == [seat_of(eve, cast).id]


@pytest.mark.parametrize("banned", ["guest", "account"])
def test_banned_under_either_name_is_banned(cast: Cast, eve: Person, banned: str, time) -> None:
    person, other = (cast.cleo, eve) if banned == "guest" else (eve, cast.cleo)
    Ban.create(room=cast.room(), user=person.user_id, banned_at=time.now_ms)
    Member.update(left_at=time.now_ms).where(Member.user == person.user_id).execute()
    assert Member.get(Member.user == other.user_id).left_at is None
    before = cast.room().seq
    sign_in(cast.cleo)
    assert seat_of(eve, cast).left_at is not None
    assert Ban.get().user_id == eve.user_id
    assert "person_removed" in cast.kinds(before)
    with pytest.raises(NotAllowed):
        people.join(eve, cast.code)


def test_an_ended_room_keeps_its_log_as_it_was_and_names_the_account(cast: Cast, eve: Person) -> None:
    Room.update(state="EXPIRED").where(Room.code == cast.code).execute()
    before = cast.room().seq
    sign_in(cast.ben)
    assert cast.room().seq == before
    assert seat_of(eve, cast).role == "cohost"


def test_a_name_like_somebody_heres_is_not_brought_in_by_signing_in(cast: Cast, time) -> None:
    make_account("eve@example.org", "Аda")
    people.screen_opened(cast.members["ada"], "web-1")
    sign_in(cast.cleo)
    assert User.get(User.email == "eve@example.org").display_name == "Cleo"


def test_a_watcher_takes_part_as_soon_as_they_have_an_account(cast: Cast, posted: list) -> None:
    Room.update(visibility="public", settings={"accounts_only": True}).where(Room.code == cast.code).execute()
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    item = cast.add(2)[1]
    with pytest.raises(NotAllowed, match="account"):
        queue.cast_vote(cast.cleo, cast.code, item, 1)
    guest = seen_as(cast.cleo)
    accounts.sign_up("cleo@example.org", PASSWORD, HOME, "Cleo", guest)
    before = cast.room().seq
    accounts.confirm(links.token_of(posted[0][2]), HOME, guest)
    assert cast.kinds(before) == ["role_changed"]
    queue.cast_vote(cast.cleo, cast.code, item, 1)


def test_what_was_brought_and_begun_becomes_the_accounts_and_the_newer_counts(
    cast: Cast, eve: Person
) -> None:
    room, (first, second) = cast.room(), cast.tracks[:2]
    for person, track, at in (
        (cast.cleo, first, 5),
        (eve, first, 3),
        (eve, second, 4),
        (cast.cleo, second, 2),
    ):
        Holding.create(track=track, room=room, user=person.user_id, added_at=at)
        Progress.create(
            user=person.user_id, room=room, content=f"track:{track}", track=track, position_ms=at, duration_ms=9,
            saved_at=at,
        )  # fmt: skip
    Holding.create(track=first, room=None, user=cast.cleo.user_id, added_at=1)
    sign_in(cast.cleo)
    held = Holding.select(Holding.track, Holding.room, Holding.added_at).order_by(Holding.added_at)
    assert list(held.tuples()) == [(first, None, 1), (second, room.id, 4), (first, room.id, 5)]
    begun = Progress.select(Progress.user, Progress.position_ms).order_by(Progress.track)
    assert list(begun.tuples()) == [(eve.user_id, 5), (eve.user_id, 4)]


# --- at the same instant ----------------------------------------------------------------------------------------------


def test_a_seat_taken_while_its_guest_signs_in_becomes_the_accounts(
    cast: Cast, eve: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = rooms.open_room(cast.ada, "Other", 300)
    join = lambda: people.join(cast.cleo, other)  # noqa: E731
    seat_id, _ = meanwhile(monkeypatch, (people, "seat"), join, lambda: sign_in(cast.cleo))
    assert Member.get_by_id(seat_id).user_id == eve.user_id
    assert list(auditor.audit_all()) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda cast, code: people.join(cast.cleo, code),
        lambda cast, _: rooms.open_room(cast.cleo, "Mine", 300),
    ],
)
def test_a_guest_who_has_just_signed_in_takes_no_seat_as_a_guest(
    cast: Cast, eve: Person, monkeypatch: pytest.MonkeyPatch, act: Callable[[Cast, str], object]
) -> None:
    other = rooms.open_room(cast.ada, "Other", 300)
    signing_in = lambda: sign_in(cast.cleo)  # noqa: E731
    _, refusal = meanwhile(monkeypatch, (merging, "merge"), signing_in, lambda: act(cast, other))
    assert isinstance(refusal, NotKnown)
