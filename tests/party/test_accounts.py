"""Accounts: signing up and in, what is answered to whom, forgotten passwords, and what a guest keeps."""

from __future__ import annotations

import pytest

from models import Attempt, Link, Member, Room, Session, SiteEvent, User, Vote
from party import accounts, credentials, letters, links, passwords, people, queue, sessions
from party.accounts import Visit
from party.change import Person
from party.credentials import WrongPassword
from party.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from tests.accounts import HOME, PASSWORD, make_account, posted, seen_as
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast

__all__ = ["posted"]
EMAIL = "ada@example.org"
NEW = "three herons on a wire"


def token_of(person: Person) -> str:
    return accounts.sign_in(User.get_by_id(person.user_id).email, PASSWORD, HOME).token or ""


def rows_but_attempts() -> dict[str, list[tuple[object, ...]]]:
    return {name: rows for name, rows in every_row().items() if name not in ("Attempt", "SiteEvent")}


# --- signing up ------------------------------------------------------------------------------------------------------


def test_signing_up_without_letters_makes_the_account_at_once(cast: Cast) -> None:
    assert accounts.sign_up(" Ada@Example.ORG ", PASSWORD, HOME, "Ada Byron") is None
    user = User.get(User.email == EMAIL)
    assert user.display_name == "Ada Byron" and user.password_hash.startswith("$argon2id$")
    token = accounts.sign_in("ADA@example.org", PASSWORD, HOME).token
    assert people.signed_in(token).email == EMAIL
    assert SiteEvent.select().where(SiteEvent.kind == "account_made").count() == 1


def test_an_address_that_is_taken_is_not_said_and_not_taken_over(cast: Cast) -> None:
    make_account()
    before = User.get(User.email == EMAIL).password_hash
    assert accounts.sign_up(EMAIL, NEW, HOME, "Somebody") is None
    assert User.get(User.email == EMAIL).password_hash == before
    assert User.select().where(User.email.is_null(False)).count() == 1
    with pytest.raises(Invalid):
        accounts.sign_in(EMAIL, NEW, HOME)


@pytest.mark.parametrize(
    ("email", "password", "name"),
    [
        ("ada", PASSWORD, "Ada"),
        ("ada@", PASSWORD, "Ada"),
        ("a b@example.org", PASSWORD, "Ada"),
        ("ada@example.org\nBcc: ben@example.org", PASSWORD, "Ada"),
        ("ada@-example.org", PASSWORD, "Ada"),
        ("x" * 250 + "@example.org", PASSWORD, "Ada"),
        (EMAIL, "password1", "Ada"),
        (EMAIL, EMAIL, "Ada"),
        (EMAIL, PASSWORD, "x"),
    ],
)
def test_what_cannot_be_an_account_is_refused_and_changes_nothing(
    cast: Cast, email: str, password: str, name: str
) -> None:
    before = every_row()
    with pytest.raises(Invalid, match=r"\.$"):
        accounts.sign_up(email, password, HOME, name)
    assert every_row() == before


def test_an_address_of_another_script_is_kept_in_its_own_spelling(cast: Cast) -> None:
    assert letters.clean_address("ada@bücher.example") == "ada@xn--bcher-kva.example"


def test_by_letter_the_guest_who_asked_becomes_the_account(cast: Cast, posted: list) -> None:
    guest = seen_as(cast.cleo)
    assert accounts.sign_up("cleo@example.org", PASSWORD, HOME, "Cleo", guest) is None
    assert User.get_by_id(cast.cleo.user_id).email is None
    [(kind, address, handle)] = posted
    letter = letters.compose(kind, address, handle)
    assert letter.to == "cleo@example.org" and f"/confirm/{links.token_of(handle)}" in letter.text
    token = accounts.confirm(links.token_of(handle), HOME, guest)
    assert people.signed_in(token).user_id == cast.cleo.user_id
    assert User.get_by_id(cast.cleo.user_id).email == "cleo@example.org"
    # The guest's sessions before are worth nothing now.
    assert Session.select().where(Session.user == cast.cleo.user_id).count() == 1
    with pytest.raises(NotFound):
        accounts.confirm(links.token_of(handle), HOME, guest)


def test_who_follows_the_link_elsewhere_has_to_know_the_password(cast: Cast, posted: list) -> None:
    guest = seen_as(cast.cleo)
    accounts.sign_up("cleo@example.org", PASSWORD, HOME, "Cleo", guest)
    assert accounts.confirm(links.token_of(posted[0][2]), HOME, None) is None
    assert sessions.gone([guest.session]) == {guest.session}
    assert accounts.sign_in("cleo@example.org", PASSWORD, HOME).token


def test_somebody_without_a_name_is_a_guest_while_the_letter_is_under_way(cast: Cast, posted: list) -> None:
    token = accounts.sign_up("eve@example.org", PASSWORD, HOME, "Eve")
    guest = people.signed_in(token)
    assert (guest.name, guest.email) == ("Eve", None)
    opened = accounts.confirm(links.token_of(posted[0][2]), HOME, guest)
    assert people.signed_in(opened).email == "eve@example.org"


def test_a_taken_address_gets_another_letter_and_its_link_makes_nothing(cast: Cast, posted: list) -> None:
    accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
    accounts.sign_up(EMAIL, NEW, HOME, "Ada Byron")
    first, second = (links.token_of(order[2]) for order in posted)
    accounts.confirm(first, HOME, None)
    assert "has an account already" in letters.compose(*posted[1]).text
    before = rows_but_attempts()
    with pytest.raises(Conflict):
        accounts.confirm(second, HOME, None)
    assert rows_but_attempts() == before


def test_a_link_is_good_for_a_day_and_kept_as_a_hash(cast: Cast, posted: list, time) -> None:
    accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
    token = links.token_of(posted[0][2])
    assert token not in str(every_row()) and posted[0][2] not in str(every_row())
    time.move(24 * 3_600)
    with pytest.raises(NotFound):
        accounts.confirm(token, HOME, None)
    assert letters.compose(*posted[0]) is None


# --- signing in ------------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_address_are_answered_alike_after_the_same_work(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_account()
    hashed: list[str] = []
    fits = passwords._fits
    monkeypatch.setattr(passwords, "_fits", lambda kept, text: hashed.append(kept) or fits(kept, text))
    said = []
    for email in (EMAIL, "nobody@example.org", "no address at all"):
        with pytest.raises(Invalid) as refusal:
            accounts.sign_in(email, NEW, HOME)
        said.append((refusal.value.message, refusal.value.status))
    assert len(set(said)) == 1 and len(hashed) == 3
    assert Session.select().join(User).where(User.email == EMAIL).count() == 0


def test_signing_in_is_limited_by_address_and_network_and_known_and_unknown_alike(cast: Cast, time) -> None:
    make_account()
    tries = {}
    for email in (EMAIL, "nobody@example.org"):
        for number in range(1, 30):
            try:
                accounts.sign_in(email, NEW, Visit("198.51.100.1"))
            except TooMany:
                tries[email] = number
                break
            except Invalid:
                pass
    assert tries == {EMAIL: 11, "nobody@example.org": 11}
    with pytest.raises(TooMany):
        accounts.sign_in(EMAIL, PASSWORD, Visit("198.51.100.1"))
    # Its owner comes from elsewhere, and is let in.
    assert accounts.sign_in(EMAIL, PASSWORD, HOME).token
    time.move(15 * 60)
    assert accounts.sign_in(EMAIL, PASSWORD, Visit("198.51.100.1")).token


def test_one_network_tries_so_many_addresses_and_no_more(cast: Cast) -> None:
    for number in range(60):
        with pytest.raises(Invalid):
            accounts.sign_in(f"somebody{number}@example.org", NEW, HOME)
    with pytest.raises(TooMany):
        accounts.sign_in("somebody@example.org", NEW, HOME)


def test_a_right_password_costs_the_network_nothing(cast: Cast) -> None:
    make_account()
    for _ in range(70):
        assert accounts.sign_in(EMAIL, PASSWORD, HOME).token
    assert Attempt.select().where(Attempt.kind == "sign_in").count() == 0


def test_signing_in_ends_the_session_the_browser_had(cast: Cast) -> None:
    person = make_account()
    first = token_of(person)
    second = accounts.sign_in(EMAIL, PASSWORD, HOME, people.signed_in(first)).token
    assert people.signed_in(first) is None and people.signed_in(second)


def test_a_hash_of_old_costs_is_made_again_at_signing_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_account()
    before = User.get_by_id(person.user_id).password_hash
    monkeypatch.setattr(
        passwords, "hasher", type(passwords.hasher)(time_cost=2, memory_cost=8, parallelism=1)
    )
    token_of(person)
    after = User.get_by_id(person.user_id).password_hash
    assert after != before and "t=2" in after
    token_of(person)
    assert User.get_by_id(person.user_id).password_hash == after


def test_a_banned_account_cannot_sign_in_and_its_sessions_open_nothing(cast: Cast, time) -> None:
    person = make_account()
    known = people.signed_in(token_of(person))
    token = token_of(person)
    User.update(banned_at=time.now_ms, banned_until=time.now_ms + 3_600_000).where(
        User.id == person.user_id
    ).execute()
    assert people.signed_in(token) is None
    assert sessions.gone([known.session]) == {known.session}
    with pytest.raises(NotAllowed, match="another 60 min"):
        token_of(person)
    with pytest.raises(Invalid):
        accounts.sign_in(EMAIL, NEW, HOME)
    time.move(3_600)
    assert token_of(person)


# --- a guest signs in ------------------------------------------------------------------------------------------------


def test_a_guest_who_signs_in_keeps_seat_tracks_votes_and_role(cast: Cast) -> None:
    [first, second] = cast.add(2, by=cast.ben)
    queue.cast_vote(cast.ben, cast.code, second, 1)
    account = make_account("ben@example.org", "Benjamin")
    before = cast.room().seq
    token = accounts.sign_in("ben@example.org", PASSWORD, HOME, seen_as(cast.ben)).token
    seat = Member.get_by_id(cast.members["ben"])
    assert (seat.user_id, seat.role) == (account.user_id, "cohost")
    assert User.get_or_none(User.id == cast.ben.user_id) is None
    assert people.signed_in(token).user_id == account.user_id
    assert cast.seen().items[0].by.name == "Benjamin" and cast.seen().items[0].net == 1
    assert cast.kinds(before) == ["person_renamed"]
    queue.cast_vote(account, cast.code, second, -1)
    assert Vote.select().count() == 1 and first


def test_the_owner_of_a_room_who_signs_in_owns_and_hosts_it_still(cast: Cast) -> None:
    account = make_account()
    accounts.sign_in(EMAIL, PASSWORD, HOME, seen_as(cast.ada))
    room = Room.get(Room.code == cast.code)
    assert room.owner_id == account.user_id
    assert Member.get(Member.room == room, Member.role == "host").user_id == account.user_id
    assert room.fence == 1


# --- a forgotten password --------------------------------------------------------------------------------------------


def test_a_reset_is_asked_for_alike_and_only_an_account_gets_a_letter(cast: Cast, posted: list) -> None:
    accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
    accounts.confirm(links.token_of(posted.pop()[2]), HOME, None)
    before = rows_but_attempts()
    for email in (EMAIL, "nobody@example.org"):
        accounts.request_reset(email, HOME)
    assert rows_but_attempts() == before
    known, unknown = posted
    assert letters.compose(*unknown) is None
    letter = letters.compose(*known)
    assert f"/reset/{links.token_of(known[2])}" in letter.text
    # Sent again after a failure it is the same link, not a second one.
    assert letters.compose(*known) == letter and Link.select().where(Link.purpose == "reset").count() == 1


def test_resets_are_limited_by_address_and_network(cast: Cast) -> None:
    for _ in range(3):
        accounts.request_reset(EMAIL, HOME)
    with pytest.raises(TooMany, match="go on in"):
        accounts.request_reset(EMAIL, HOME)
    accounts.request_reset(EMAIL, Visit("198.51.100.1"))


def test_a_reset_sets_the_password_once_and_ends_every_session(cast: Cast, time) -> None:
    person = make_account()
    session = token_of(person)
    path, other = accounts.make_reset_link(EMAIL), accounts.make_reset_link(EMAIL)
    token = path.removeprefix("/reset/")
    with pytest.raises(Invalid):
        accounts.reset_password(token, "password")
    assert accounts.reset_password(token, NEW) == EMAIL
    assert people.signed_in(session) is None
    assert accounts.sign_in(EMAIL, NEW, HOME).token
    for used in (token, other.removeprefix("/reset/"), "no token"):
        with pytest.raises(NotFound):
            accounts.reset_password(used, PASSWORD)


def test_a_reset_link_is_good_for_an_hour_and_for_accounts_only(cast: Cast, time) -> None:
    make_account()
    token = accounts.make_reset_link(EMAIL).removeprefix("/reset/")
    with pytest.raises(NotFound):
        accounts.make_reset_link("nobody@example.org")
    time.move(3_600)
    with pytest.raises(NotFound, match="too old"):
        accounts.reset_password(token, NEW)


# --- what one signs in with ------------------------------------------------------------------------------------------


def test_a_new_password_ends_every_session_and_begins_one(cast: Cast) -> None:
    person = make_account()
    first, second = token_of(person), token_of(person)
    kept = credentials.change_password(person, PASSWORD, NEW, "Safari on iPhone")
    assert people.signed_in(first) is people.signed_in(second) is None
    assert people.signed_in(kept)
    assert accounts.sign_in(EMAIL, NEW, HOME).token
    with pytest.raises(Invalid):
        accounts.sign_in(EMAIL, PASSWORD, HOME)


def test_a_change_asks_for_the_password_and_not_too_often(cast: Cast) -> None:
    person = make_account()
    before = rows_but_attempts()
    for _ in range(10):
        with pytest.raises(WrongPassword):
            credentials.change_password(person, NEW, NEW, "")
    with pytest.raises(TooMany):
        credentials.change_password(person, PASSWORD, NEW, "")
    with pytest.raises(NotAllowed, match="account"):
        credentials.change_password(cast.cleo, PASSWORD, NEW, "")
    assert rows_but_attempts() == before


def test_an_address_moves_at_once_where_no_letters_are_sent(cast: Cast) -> None:
    person = make_account()
    make_account("ben@example.org", "Benjamin")
    assert credentials.change_email(person, PASSWORD, "Countess@example.org")
    assert User.get_by_id(person.user_id).email == "countess@example.org"
    with pytest.raises(Conflict):
        credentials.change_email(person, PASSWORD, "ben@example.org")
    with pytest.raises(WrongPassword):
        credentials.change_email(person, NEW, "else@example.org")


def test_an_address_moves_by_its_own_link_where_letters_are_sent(cast: Cast, posted: list) -> None:
    accounts.sign_up(EMAIL, PASSWORD, HOME, "Ada Byron")
    accounts.confirm(links.token_of(posted.pop()[2]), HOME, None)
    person = Person(User.get(User.email == EMAIL).id)
    assert not credentials.change_email(person, PASSWORD, "countess@example.org")
    assert User.get_by_id(person.user_id).email == EMAIL
    [(kind, address, handle)] = posted
    assert address == "countess@example.org" and "/confirm/" in letters.compose(kind, address, handle).text
    credentials.confirm_email(links.token_of(handle))
    assert User.get_by_id(person.user_id).email == "countess@example.org"
    assert posted[1][:2] == ("email_changed", EMAIL)
    with pytest.raises(NotFound):
        credentials.confirm_email(links.token_of(handle))


# --- at the same instant ----------------------------------------------------------------------------------------------


def test_who_signs_in_with_the_old_password_while_it_is_changed_stays_out(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_account()
    arrival, token = meanwhile(
        monkeypatch,
        (sessions, "begin"),
        lambda: accounts.sign_in(EMAIL, PASSWORD, HOME),
        lambda: credentials.change_password(person, PASSWORD, NEW, ""),
    )
    assert people.signed_in(token) and people.signed_in(arrival.token) is None


def test_two_letters_of_one_guest_opened_at_once_make_two_accounts(
    cast: Cast, posted: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest, addresses = seen_as(cast.cleo), ("cleo@example.org", "also@example.org")
    for address in addresses:
        accounts.sign_up(address, PASSWORD, HOME, "Cleo", guest)
    first, second = (links.token_of(order[2]) for order in posted)
    meanwhile(
        monkeypatch,
        (links, "spend"),
        lambda: accounts.confirm(first, HOME, None),
        lambda: accounts.confirm(second, HOME, None),
    )
    assert User.get_by_id(cast.cleo.user_id).email == addresses[0]
    assert all(accounts.sign_in(address, PASSWORD, HOME).token for address in addresses)
