"""The second factor: set up by a code, asked for at signing in, each code good once, recovery codes, turning it off."""

from __future__ import annotations

import pyotp
import pytest

from models import RecoveryCode, User
from party import accounts, people, sealing, secondfactor
from party.accounts import WrongCode
from party.change import Person
from party.credentials import WrongPassword
from party.errors import Conflict, Invalid, NotAllowed, TooMany
from tests.accounts import HOME, PASSWORD, known_secrets, make_account
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast

__all__ = ["known_secrets"]
pytestmark = pytest.mark.usefixtures("known_secrets")
EMAIL = "ada@example.org"


def code_at(secret: str, time, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(time.seconds) // 30 + steps)


def ticket() -> str:
    arrival = accounts.sign_in(EMAIL, PASSWORD, HOME)
    assert arrival.token is None and arrival.ticket
    return arrival.ticket


@pytest.fixture
def ada(cast: Cast) -> Person:
    return make_account()


@pytest.fixture
def armed(ada: Person, time) -> tuple[str, list[str]]:
    """Ada's account with its second factor on: the secret and the recovery codes. The next code is a new one."""
    secret = secondfactor.begin(ada, PASSWORD).secret
    codes = secondfactor.confirm(ada, code_at(secret, time))
    time.move(30)
    return secret, codes


def test_it_counts_once_a_code_was_typed(ada: Person, time) -> None:
    setup = secondfactor.begin(ada, PASSWORD)
    assert setup.address.startswith("otpauth://totp/Partyline:ada%40example.org?secret=" + setup.secret)
    assert accounts.sign_in(EMAIL, PASSWORD, HOME).token
    assert secondfactor.state(ada).setup == setup
    before = every_row()
    with pytest.raises(Invalid):
        secondfactor.confirm(ada, "000000" if code_at(setup.secret, time) != "000000" else "000001")
    assert {**every_row(), "Attempt": []} == {**before, "Attempt": []}
    assert len(secondfactor.confirm(ada, code_at(setup.secret, time))) == 10
    assert accounts.sign_in(EMAIL, PASSWORD, HOME).token is None
    assert secondfactor.state(ada).is_on


def test_beginning_and_ending_ask_for_the_password(ada: Person, armed) -> None:
    before = every_row()
    for act in (secondfactor.begin, secondfactor.turn_off, secondfactor.renew_codes):
        with pytest.raises(WrongPassword):
            act(ada, "not the password")
    with pytest.raises(Conflict):
        secondfactor.begin(ada, PASSWORD)
    assert {**every_row(), "Attempt": []} == {**before, "Attempt": []}


def test_a_secret_that_was_replaced_meanwhile_is_not_turned_on(ada: Person, time, monkeypatch) -> None:
    first = secondfactor.begin(ada, PASSWORD)
    fits = secondfactor._fits_app

    def begun_anew(user: User, typed: str) -> bool:
        secondfactor.begin(ada, PASSWORD)
        return fits(user, typed)

    monkeypatch.setattr(secondfactor, "_fits_app", begun_anew)
    with pytest.raises(Conflict):
        secondfactor.confirm(ada, code_at(first.secret, time))
    assert not secondfactor.state(ada).is_on and accounts.sign_in(EMAIL, PASSWORD, HOME).token


def test_a_setup_that_was_cancelled_is_forgotten(ada: Person, cast: Cast, time) -> None:
    secret = secondfactor.begin(ada, PASSWORD).secret
    secondfactor.cancel(ada)
    assert secondfactor.state(ada).setup is None
    with pytest.raises(Conflict):
        secondfactor.confirm(ada, code_at(secret, time))
    with pytest.raises(NotAllowed):
        secondfactor.begin(cast.cleo, PASSWORD)


def test_the_secret_and_the_codes_are_not_in_the_tables(ada: Person, armed) -> None:
    secret, codes = armed
    kept = str(every_row())
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    assert sealing.unseal(User.get_by_id(ada.user_id).totp_secret, "second factor") == secret


def test_the_wrong_password_never_tells_that_there_is_a_second_factor(ada: Person, armed) -> None:
    with pytest.raises(Invalid, match="do not fit together"):
        accounts.sign_in(EMAIL, "not the password", HOME)


def test_a_code_opens_once_and_so_does_none_before_it(ada: Person, armed, time) -> None:
    secret, _ = armed
    code, older = code_at(secret, time), code_at(secret, time, -1)
    assert (
        people.signed_in(accounts.answer_second_step(ticket(), f" {code[:3]} {code[3:]} ", HOME)).email
        == EMAIL
    )
    for used in (code, older):
        with pytest.raises(WrongCode):
            accounts.answer_second_step(ticket(), used, HOME)
    assert accounts.answer_second_step(ticket(), code_at(secret, time, 1), HOME)


def test_codes_of_a_minute_ago_and_of_a_minute_hence_open_nothing(ada: Person, armed, time) -> None:
    secret, _ = armed
    time.move(600)
    for steps in (-2, 2):
        with pytest.raises(WrongCode):
            accounts.answer_second_step(ticket(), code_at(secret, time, steps), HOME)
    assert accounts.answer_second_step(ticket(), code_at(secret, time, -1), HOME)


def test_a_recovery_code_opens_once_however_it_is_typed(ada: Person, armed) -> None:
    _, codes = armed
    assert accounts.answer_second_step(ticket(), codes[0].lower().replace("-", " "), HOME)
    with pytest.raises(WrongCode):
        accounts.answer_second_step(ticket(), codes[0], HOME)
    assert secondfactor.state(ada).codes_left == 9
    renewed = secondfactor.renew_codes(ada, PASSWORD)
    with pytest.raises(WrongCode):
        accounts.answer_second_step(ticket(), codes[1], HOME)
    assert accounts.answer_second_step(ticket(), renewed[1], HOME)


def test_codes_are_guessed_a_few_times_and_no_more(ada: Person, armed, time) -> None:
    secret, _ = armed
    asked = ticket()
    for _ in range(8):
        with pytest.raises(WrongCode):
            accounts.answer_second_step(asked, "ABCD-EFGH-JKLM", HOME)
    with pytest.raises(TooMany):
        accounts.answer_second_step(asked, code_at(secret, time), HOME)


def test_a_ticket_is_good_for_ten_minutes_and_for_this_password(ada: Person, armed, time) -> None:
    secret, _ = armed
    old = ticket()
    time.move(601)
    for stale in (old, "no ticket", ""):
        with pytest.raises(NotAllowed, match="again"):
            accounts.answer_second_step(stale, code_at(secret, time), HOME)
    young = ticket()
    path = accounts.make_reset_link(EMAIL)
    accounts.reset_password(path.removeprefix("/reset/"), "three herons on a wire")
    with pytest.raises(NotAllowed):
        accounts.answer_second_step(young, code_at(secret, time), HOME)


def test_a_new_password_by_link_leaves_the_second_factor_on(ada: Person, armed) -> None:
    path = accounts.make_reset_link(EMAIL)
    accounts.reset_password(path.removeprefix("/reset/"), "three herons on a wire")
    assert accounts.sign_in(EMAIL, "three herons on a wire", HOME).token is None


def test_once_off_the_password_is_enough_and_nothing_of_it_is_kept(ada: Person, armed) -> None:
    secondfactor.turn_off(ada, PASSWORD)
    user = User.get_by_id(ada.user_id)
    assert (user.totp_secret, user.totp_since, user.totp_last_step) == (None, None, None)
    assert not RecoveryCode.select().exists()
    assert accounts.sign_in(EMAIL, PASSWORD, HOME).token


def test_recovery_codes_made_anew_twice_at_once_are_ten(ada: Person, armed, monkeypatch) -> None:
    twice = [lambda: secondfactor.renew_codes(ada, PASSWORD)] * 2
    _, last = meanwhile(monkeypatch, (RecoveryCode, "insert_many"), *twice, is_before=True)
    assert secondfactor.state(ada).codes_left == 10 and accounts.answer_second_step(ticket(), last[0], HOME)
