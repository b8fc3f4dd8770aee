"""People: names, sessions, seats, colours, and who is here."""

from __future__ import annotations

import unicodedata

import pytest

from models import Event, Member, Presence, Room, Session, User
from party import auditor, control, hosting, lifecycle, names, people, queue, rooms
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown
from party.line import PRESENT_MS
from party.snapshot import initials
from tests.party.test_races import meanwhile
from tests.stage import Cast

DAY_SECONDS = 86_400


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada", "Ada"),
        ("  Ada \t Lovelace\n", "Ada Lovelace"),
        ("Cafe\u0301", "Café"),
        ("A\u0000da\u0007", "A da"),
        ("\u200bAda\u200b", "Ada"),
        ("Ada \u200b Ada", "Ada Ada"),
        ("Ze\u200b\u0301e", "Zée"),
        ("\u202eadA", "adA"),
        ("민준 🎸", "민준 🎸"),
        ("<b>Ada</b>", "<b>Ada</b>"),
        ("x" * 50, "x" * 50),
    ],
)
def test_a_name_is_kept_on_one_line_in_one_form_without_invisible_signs(typed: str, kept: str) -> None:
    name = names.clean_name(typed)
    assert name == kept
    assert unicodedata.is_normalized("NFC", name)
    assert names.clean_name(name) == name


@pytest.mark.parametrize("typed", ["", "   ", "\u200b", "\u0000\u0007", "x" * 51, "\u202e \u2066"])
def test_no_name_and_too_long_a_name_are_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(Invalid, match=r"name.*\."):
        names.clean_name(typed)


def test_a_session_opens_for_its_token_alone_and_keeps_no_token(cast: Cast) -> None:
    user_id, token = people.enter("Eve")
    assert people.signed_in(token) == people.SignedIn(user_id, "Eve")
    assert people.signed_in(token + "x") is None
    assert people.signed_in("") is None
    assert token not in {session.token_hash for session in Session.select()}


def test_a_session_lasts_ninety_days_from_its_last_use(cast: Cast, time) -> None:
    _, token = people.enter("Eve")
    time.move(60 * DAY_SECONDS)
    assert people.signed_in(token)
    time.move(89 * DAY_SECONDS)
    assert people.signed_in(token)
    time.move(90 * DAY_SECONDS)
    assert people.signed_in(token) is None


def test_being_seen_again_within_the_hour_writes_nothing(cast: Cast, time) -> None:
    _, token = people.enter("Eve")
    before = [(row.token_hash, row.last_seen_at) for row in Session.select().order_by(Session.token_hash)]
    time.move(1_800)
    people.signed_in(token)
    assert before == [
        (row.token_hash, row.last_seen_at) for row in Session.select().order_by(Session.token_hash)
    ]


def test_signing_out_closes_this_session_and_no_other(cast: Cast) -> None:
    user_id, token = people.enter("Eve")
    people.sign_out(token)
    people.sign_out(token)
    assert people.signed_in(token) is None
    assert Session.select().count() == 4
    assert User.get_or_none(User.id == user_id)


def test_joining_twice_gives_the_same_seat_and_says_so_once(cast: Cast) -> None:
    before = cast.room().seq
    seat = people.join(cast.dan, cast.code)
    assert people.join(cast.dan, cast.code) == seat
    assert cast.kinds(before) == ["person_joined"]
    assert Member.get_by_id(seat).role == "guest"


def test_who_left_may_do_nothing_and_finds_their_seat_again(cast: Cast) -> None:
    item = cast.add(2, by=cast.cleo)[1]
    queue.cast_vote(cast.cleo, cast.code, item, 1)
    before = cast.room().seq
    people.leave(cast.cleo, cast.code)
    with pytest.raises(NotAllowed):
        people.leave(cast.cleo, cast.code)
    with pytest.raises(NotAllowed):
        queue.cast_vote(cast.cleo, cast.code, item, -1)
    assert cast.seen().items[0].net == 1
    assert people.join(cast.cleo, cast.code) == cast.members["cleo"]
    assert cast.kinds(before) == ["person_left", "person_joined"]
    queue.cast_vote(cast.cleo, cast.code, item, -1)


def test_who_leaves_takes_nothing_along_that_was_lent_or_offered(cast: Cast) -> None:
    people.screen_opened(cast.members["cleo"], "web")
    hosting.offer_host(cast.ada, cast.code, cast.members["cleo"])
    control.grant_control(cast.ada, cast.code, cast.members["cleo"], "while")
    before = cast.room().seq
    people.leave(cast.cleo, cast.code)
    assert cast.kinds(before) == ["control_ended", "host_declined", "person_left"]
    people.join(cast.cleo, cast.code)
    assert dict(cast.seen().member_roles)[cast.members["cleo"]] == "guest"
    with pytest.raises(Conflict):
        hosting.answer_offer(cast.cleo, cast.code, True)


def test_a_cohost_who_comes_back_is_cohost_again(cast: Cast) -> None:
    people.leave(cast.ben, cast.code)
    people.join(cast.ben, cast.code)
    assert Member.get_by_id(cast.members["ben"]).role == "cohost"


def test_nobody_in_particular_may_join_and_nobody_joins_nowhere(cast: Cast) -> None:
    with pytest.raises(NotKnown):
        people.join(Person(999), cast.code)
    with pytest.raises(NotFound):
        people.join(cast.dan, "ABCDEFGH")
    assert Member.select().count() == 3


def test_a_new_name_reaches_every_open_room_and_no_ended_one(cast: Cast, time) -> None:
    other = rooms.open_room(cast.cleo, "Other", 1)
    cast.add(2, by=cast.cleo)
    people.rename(cast.cleo, "Cleopatra")
    assert cast.seen().items[0].by.name == "Cleopatra"
    assert cast.kinds()[-1] == "person_renamed"
    Room.update(state="EXPIRED").where(Room.code == other).execute()
    before = Room.get(Room.code == other).seq
    people.rename(cast.cleo, "Cleo")
    assert Room.get(Room.code == other).seq == before
    with pytest.raises(Invalid):
        people.rename(cast.cleo, " ")


def test_colours_go_to_whom_they_suit_first_and_repeat_ringed_beyond_ten(cast: Cast) -> None:
    for number in range(22):
        people.join(Person(people.enter(f"Guest {number}")[0]), cast.code)
    seats = list(Member.select().order_by(Member.id))
    assert [seat.color for seat in seats] == [*range(1, 11), *range(1, 11), *range(1, 6)]
    assert [bool(seat.is_ringed) for seat in seats] == [False] * 10 + [True] * 15


def test_presence_is_young_or_it_is_nothing(cast: Cast, time) -> None:
    seat = cast.members["cleo"]
    assert not people.is_here(seat, time.now_ms)
    people.screen_opened(seat, "web-1")
    assert people.is_here(seat, time.now_ms)
    time.move(PRESENT_MS / 1000 - 0.001)
    assert [person.name for person in cast.seen().people] == ["Cleo"]
    people.still_here("web-1", {seat})
    time.move(PRESENT_MS / 1000 - 0.001)
    assert people.is_here(seat, time.now_ms)
    people.still_here("another process", set())
    time.move(0.001)
    assert not people.is_here(seat, time.now_ms)
    assert cast.seen().people_count == 0


def test_a_person_with_screens_in_two_processes_is_one_person_until_both_are_gone(cast: Cast, time) -> None:
    seat = cast.members["cleo"]
    for process in ("web-1", "web-2", "web-1"):
        people.screen_opened(seat, process)
    assert (cast.seen().people_count, Presence.select().count()) == (1, 2)
    people.screens_closed(seat, "web-1")
    assert people.is_here(seat, time.now_ms)
    people.screens_closed(seat, "web-2")
    people.screens_closed(seat, "web-2")
    assert not people.is_here(seat, time.now_ms)


def test_presence_writes_nothing_into_the_log(cast: Cast) -> None:
    before = cast.room().seq
    people.screen_opened(cast.members["cleo"], "web-1")
    people.still_here("web-1", {cast.members["cleo"], cast.members["ben"]})
    people.screens_closed(cast.members["cleo"], "web-1")
    assert cast.room().seq == before


def test_leaving_ends_presence_at_once(cast: Cast, time) -> None:
    people.screen_opened(cast.members["cleo"], "web-1")
    people.leave(cast.cleo, cast.code)
    assert not people.is_here(cast.members["cleo"], time.now_ms)


def test_a_friendly_name_can_be_used_as_it_is() -> None:
    for _ in range(20):
        name = people.friendly_name()
        assert names.clean_name(name) == name
        assert name == name.title() or name[0].isupper()


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada", "Ad"),
        ("ada lovelace", "Al"),
        ("Ada King Lovelace", "AK"),
        ("민준", "민준"),
        ("x", "X"),
        ("DJ", "DJ"),
    ],
)
def test_a_face_shows_one_or_two_letters(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_a_room_that_ends_while_somebody_is_renamed_hears_nothing_more(cast: Cast, monkeypatch) -> None:
    end = lambda: hosting.end_room(cast.ada, cast.code)  # noqa: E731
    meanwhile(monkeypatch, (lifecycle, "expire"), end, lambda: people.rename(cast.cleo, "Cleopatra"))
    assert cast.kinds()[-1] == "room_expired" and list(auditor.audit_all()) == []
    assert User.get_by_id(cast.cleo.user_id).display_name == "Cleopatra"


def test_a_screen_that_opens_while_presence_is_renewed_is_written_once(cast: Cast, monkeypatch) -> None:
    seat = cast.members["cleo"]
    renew = lambda: people.still_here("web", {seat, cast.members["ben"]})  # noqa: E731
    opens = lambda: people.screen_opened(seat, "web")  # noqa: E731
    meanwhile(monkeypatch, (Presence, "insert_many"), renew, opens, is_before=True)
    assert sorted(row.member_id for row in Presence.select()) == [cast.members["ben"], seat]


def test_whoever_is_renamed_while_they_come_into_a_room_is_renamed_there_too(cast: Cast, monkeypatch) -> None:
    other = rooms.open_room(cast.ada, "Other", 300)
    comes = lambda: people.join(cast.cleo, other)  # noqa: E731
    meanwhile(monkeypatch, (people, "sit"), comes, lambda: people.rename(cast.cleo, "Cleopatra"))
    events = Event.select().where(Event.room == Room.get(Room.code == other)).order_by(Event.seq)
    assert [event.kind for event in events][-2:] == ["person_joined", "person_renamed"]
