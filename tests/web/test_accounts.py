"""The pages of accounts: equal answers, new tokens, fields that keep what was typed, passwords never written back."""

from __future__ import annotations

import json

import pyotp
import pytest

from models import Link, Session, User
from party import accounts, links, people
from party.change import Person
from tests.accounts import PASSWORD, known_secrets, make_account, posted
from tests.doors import COOKIE, Browser, tree, words
from tests.ledger import every_row
from tests.screen import Node
from tests.stage import Cast

__all__ = ["known_secrets", "posted"]
EMAIL, NEW = "ada@example.org", "three herons on a wire"


@pytest.fixture
def account(app, cast: Cast) -> Person:
    return make_account(EMAIL, "Ada Byron")


@pytest.fixture
def me(app, account: Person) -> Browser:
    return Browser(app, account)


def token(browser: Browser) -> str:
    cookie = browser.client.get_cookie(COOKIE)
    return cookie.value if cookie else ""


def sign_in(browser: Browser, password: str = PASSWORD, **more: str):
    return browser.post("/sign-in", email=EMAIL, password=password, **more)


# --- signing up ------------------------------------------------------------------------------------------------------


def test_signing_up_answers_alike_for_a_free_and_a_taken_address(nobody: Browser, account: Person) -> None:
    answers = []
    for email in ("free@example.org", EMAIL):
        answer = nobody.post("/sign-up", email=email, password=PASSWORD, display_name="Eve")
        assert not answer.headers.getlist("Set-Cookie")
        answers.append((answer.status_code, answer.text.replace(email, "")))
    assert answers[0] == answers[1] and answers[0][0] == 200
    assert "If that address was free, the account is yours" in answers[0][1]
    assert User.get(User.email == "free@example.org").display_name == "Eve"


def test_signing_up_by_letter_answers_alike_too(nobody: Browser, account: Person, posted: list) -> None:
    answers = []
    for email in ("free@example.org", EMAIL):
        nobody.client.delete_cookie(COOKIE, domain="localhost")
        answer = nobody.post("/sign-up", email=email, password=PASSWORD, display_name="Eve")
        answers.append((answer.status_code, answer.text, len(answer.headers.getlist("Set-Cookie"))))
    assert answers[0] == answers[1] and "Look into your mail" in answers[0][1]
    assert [order[:2] for order in posted] == [("confirm", "free@example.org"), ("confirm", EMAIL)]


def test_a_form_keeps_what_was_typed_but_never_a_password(nobody: Browser) -> None:
    before = every_row()
    answer = nobody.post(
        "/sign-up", email="no address", password="password", display_name="Eve", next="/library"
    )
    top = tree(answer)
    assert answer.status_code == 422 and every_row() == before
    assert (top.find("email").attrs["value"], top.find("display-name").attrs["value"]) == (
        "no address",
        "Eve",
    )
    assert "value" not in top.find("password").attrs and 'value="/library"' in answer.text
    assert top.find("email").attrs["aria-invalid"] == top.find("password").attrs["aria-invalid"] == "true"
    assert "first passwords anybody would try" in words(answer) and "does not look like" in words(answer)


def test_a_guest_who_signs_up_and_in_keeps_their_seat(cleo: Browser, cast: Cast) -> None:
    assert "You stay" in words(cleo.get("/sign-up"))
    cleo.post("/sign-up", email="cleo@example.org", password=PASSWORD)
    before = token(cleo)
    answer = cleo.post("/sign-in", email="cleo@example.org", password=PASSWORD, next=f"/rooms/{cast.code}")
    assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
    assert token(cleo) != before and people.signed_in(before) is None
    known = people.signed_in(token(cleo))
    assert (known.name, known.email) == ("Cleo", "cleo@example.org")
    assert people.join(Person(known.user_id), cast.code) == cast.members["cleo"]


def test_a_mailed_link_asks_for_a_button_and_works_once(cleo: Browser, cast: Cast, posted: list) -> None:
    cleo.post("/sign-up", email="cleo@example.org", password=PASSWORD)
    path = f"/confirm/{links.token_of(posted[0][2])}"
    before = every_row()
    for _ in range(2):
        assert "Is this your address?" in words(cleo.get(path))
    assert every_row() == before
    guests = token(cleo)
    answer = cleo.post(path)
    assert (answer.status_code, answer.location) == (303, "/account?done=made")
    assert token(cleo) != guests and people.signed_in(guests) is None
    assert people.signed_in(token(cleo)).user_id == cast.cleo.user_id
    assert cleo.post(path).status_code == 404


# --- signing in ------------------------------------------------------------------------------------------------------


def test_signing_in_is_refused_alike_whatever_was_wrong(nobody: Browser, account: Person) -> None:
    answers = []
    for email, password in ((EMAIL, NEW), ("nobody@example.org", PASSWORD)):
        answer = nobody.post("/sign-in", email=email, password=password)
        assert not answer.headers.getlist("Set-Cookie")
        answers.append((answer.status_code, answer.text.replace(email, "")))
    assert answers[0] == answers[1] and answers[0][0] == 422
    assert "do not fit together" in answers[0][1] and PASSWORD not in answers[1][1]


def test_too_many_tries_are_told_how_long_to_wait(nobody: Browser, account: Person) -> None:
    for _ in range(10):
        assert sign_in(nobody, NEW).status_code == 422
    answer = sign_in(nobody)
    assert answer.status_code == 429 and "15 min" in words(answer)


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        ("/library", "/library"),
        ("", "/"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_one_is_led_on_to_addresses_of_this_house_alone(
    nobody: Browser, account: Person, asked: str, leads: str
) -> None:
    assert sign_in(nobody, next=asked).location == leads


def test_a_cookie_from_before_signing_in_or_out_opens_nothing(nobody: Browser, account: Person) -> None:
    nobody.client.set_cookie(COOKIE, "planted-by-somebody-else", domain="localhost")
    sign_in(nobody)
    first = token(nobody)
    assert first != "planted-by-somebody-else" and people.signed_in(first)
    answer = nobody.post("/sign-out")
    assert answer.location == "/" and token(nobody) == "" and people.signed_in(first) is None
    nobody.client.set_cookie(COOKIE, first, domain="localhost")
    assert nobody.get("/account").location == "/sign-in?next=/account"


def test_signing_out_everywhere_ends_the_other_browsers_too(me: Browser, account: Person) -> None:
    other = accounts.sign_in(EMAIL, PASSWORD, accounts.Visit("192.0.2.9")).token
    assert me.post("/sign-out-everywhere").location == "/"
    assert (
        people.signed_in(other) is None
        and not Session.select().where(Session.user == account.user_id).exists()
    )


@pytest.mark.usefixtures("known_secrets")
def test_the_second_step_comes_after_the_right_password_alone(nobody: Browser, me: Browser, time) -> None:
    page = me.post("/account/second-factor", factor_password=PASSWORD)
    assert page.location == "/account#second-factor"
    shown = me.get("/account")
    assert "QR code for your authenticator app" in shown.text
    secret = tree(shown).find("second-factor")
    text = next(node for node in secret.all() if node.tag == "code").children[0].replace(" ", "")
    wrong = me.post("/account/second-factor/confirmation", factor_code="no code")
    assert wrong.status_code == 422 and "does not fit" in words(wrong)
    codes = me.post("/account/second-factor/confirmation", factor_code=pyotp.TOTP(text).at(int(time.seconds)))
    assert codes.status_code == 200 and len([node for node in tree(codes).all() if node.tag == "code"]) == 10
    assert sign_in(nobody, NEW).status_code == 422
    asked = sign_in(nobody, next="/library")
    assert asked.status_code == 200 and not asked.headers.getlist("Set-Cookie")
    hidden = {
        node.attrs["name"]: node.attrs["value"]
        for node in tree(asked).all()
        if node.attrs.get("type") == "hidden"
    }
    assert nobody.post("/sign-in/code", code="111111", **hidden).status_code == 422
    time.move(30)
    done = nobody.post("/sign-in/code", code=pyotp.TOTP(text).at(int(time.seconds)), **hidden)
    assert (done.status_code, done.location) == (303, "/library") and people.signed_in(
        token(nobody)
    ).email == EMAIL
    assert nobody.client.get("/account").status_code == 200
    assert me.post("/account/second-factor/removal", factor_password=NEW).status_code == 422
    assert me.post("/account/second-factor/removal", factor_password=PASSWORD).location == "/account?done=off"


# --- a forgotten password --------------------------------------------------------------------------------------------


def test_without_letters_the_page_says_whom_to_ask(nobody: Browser) -> None:
    assert "Whoever runs it can make you a link" in words(nobody.get("/forgot"))


def test_a_reset_is_answered_alike_for_every_address(nobody: Browser, account: Person, posted: list) -> None:
    answers = [(answer.status_code, answer.text) for answer in (
        nobody.post("/forgot", email=email) for email in (EMAIL, "nobody@example.org")
    )]  # fmt: skip
    assert answers[0] == answers[1] and "Look into your mail" in answers[0][1]
    assert nobody.post("/forgot", email="no address").status_code == 422


def test_a_reset_link_sets_a_password_and_signs_everybody_out(nobody: Browser, me: Browser) -> None:
    path = accounts.make_reset_link(EMAIL)
    assert EMAIL in words(nobody.get(path)) and Link.get().used_at is None
    assert nobody.post(path, password="password").status_code == 422
    answer = nobody.post(path, password=NEW)
    assert "Your new password is set" in words(answer) and tree(answer).find("email").attrs["value"] == EMAIL
    assert me.get("/account").status_code == 302
    assert sign_in(nobody, NEW).status_code == 303
    assert nobody.get(path).status_code == nobody.post(path, password=PASSWORD).status_code == 404


# --- one's own account -----------------------------------------------------------------------------------------------


def test_a_new_password_keeps_this_browser_in_and_nobody_else(me: Browser, account: Person) -> None:
    before, other = token(me), accounts.sign_in(EMAIL, PASSWORD, accounts.Visit("192.0.2.9")).token
    wrong = me.post("/account/password", old_password=NEW, new_password=NEW)
    assert wrong.status_code == 422 and "That is not your password" in words(wrong) and token(me) == before
    assert tree(wrong).find("old-password").attrs["aria-invalid"] == "true"
    assert me.post("/account/password", old_password=PASSWORD, new_password="password").status_code == 422
    answer = me.post("/account/password", old_password=PASSWORD, new_password=NEW)
    assert answer.location == "/account?done=password" and token(me) != before
    assert people.signed_in(before) is None and people.signed_in(other) is None
    assert "Your password is changed" in words(me.get("/account?done=password"))


def test_name_and_address_are_changed_and_refused_beside_their_fields(
    me: Browser, account: Person, cast: Cast
) -> None:
    assert me.post("/account/name", display_name="Countess").location == "/account?done=name"
    assert (
        tree(me.post("/account/name", display_name="x")).find("display-name").attrs["aria-invalid"] == "true"
    )
    moved = me.post("/account/email", email="countess@example.org", email_password=PASSWORD)
    assert moved.location == "/account?done=email"
    wrong = me.post("/account/email", email="else@example.org", email_password=NEW)
    assert tree(wrong).find("email-password").attrs["aria-invalid"] == "true"
    assert tree(wrong).find("email").attrs["value"] == "else@example.org"
    assert User.get_by_id(account.user_id).email == "countess@example.org"


def test_sessions_are_listed_and_ended_one_by_one(me: Browser, account: Person, dan: Browser) -> None:
    accounts.sign_in(EMAIL, PASSWORD, accounts.Visit("192.0.2.9", "Safari on iPhone"))
    page = me.get("/account")
    assert "Safari on iPhone" in words(page) and "This browser" in words(page)
    [path] = [
        node.attrs["action"]
        for node in tree(page).all()
        if node.tag == "form" and "/removal" in node.attrs["action"] and "sessions" in node.attrs["action"]
    ]
    assert dan.post(path).status_code == 404
    assert me.post(path).location == "/account?done=session"
    assert "Safari on iPhone" not in words(me.get("/account"))
    assert me.get("/account/sessions").location == "/account#sessions"


def test_ones_data_comes_as_a_file_and_asking_changes_nothing(me: Browser, nobody: Browser) -> None:
    before = every_row()
    answer = me.get("/account/export.json")
    assert json.loads(answer.text)["account"]["email"] == EMAIL
    assert (
        "attachment" in answer.headers["Content-Disposition"]
        and answer.headers["Cache-Control"] == "no-store"
    )
    assert every_row() == before and nobody.get("/account/export.json").status_code == 401


def test_deleting_asks_twice_and_leaves_nobody_signed_in(me: Browser, account: Person) -> None:
    unsure = me.post("/account/delete", delete_password=PASSWORD)
    assert unsure.status_code == 422 and "Tick the box" in words(unsure)
    assert me.post("/account/delete", delete_password=NEW, sure="yes").status_code == 422
    answer = me.post("/account/delete", delete_password=PASSWORD, sure="yes")
    assert (answer.status_code, answer.location) == (303, "/") and token(me) == ""
    assert User.get_or_none(User.email == EMAIL) is None


def test_a_guest_has_a_page_of_their_own(cleo: Browser) -> None:
    page = words(cleo.get("/account"))
    assert "You are a guest on this browser" in page and "Your password" not in page
    assert cleo.post("/account/password", old_password=PASSWORD, new_password=NEW).status_code == 403


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-in", {"email": "username", "password": "current-password"}),
        ("/sign-up", {"email": "username", "password": "new-password", "display-name": "nickname"}),
        ("/account", {"old-password": "current-password", "new-password": "new-password"}),
    ],
)
def test_password_managers_are_told_what_each_field_is(
    me: Browser, nobody: Browser, path: str, fields: dict[str, str]
) -> None:
    top = tree((me if path == "/account" else nobody).get(path))
    assert {name: top.find(name).attrs["autocomplete"] for name in fields} == fields


def test_no_account_field_can_be_set_by_naming_it(me: Browser, account: Person) -> None:
    before = User.get_by_id(account.user_id)
    extra = {
        "is_admin": "1",
        "email": "x@example.org",
        "password_hash": "x",
        "totp_since": "1",
        "banned_at": "",
        "user_id": "1",
        "id": "1",
    }
    me.post("/account/name", display_name="Countess", **extra)
    after = User.get_by_id(account.user_id)
    assert (after.email, after.is_admin, after.password_hash, after.totp_since) == (
        before.email, before.is_admin, before.password_hash, before.totp_since,
    )  # fmt: skip


def test_ones_own_pages_lead_to_one_another_and_say_which_is_shown(app, cast: Cast, account: Person) -> None:
    everywhere = ["/my-rooms", "/playlists", "/sources", "/spotify", "/account"]
    for person, addresses in (
        (account, everywhere),
        (cast.cleo, ["/my-rooms", "/playlists", "/spotify", "/account", "/sign-in"]),
    ):
        browser = Browser(app, person)
        for path, current in (*((each, "page") for each in everywhere), ("/playlists/import", "true")):
            [bar] = [each for each in tree(browser.get(path)).all() if each.attrs.get("class") == "places"]
            links = [each.attrs for each in bar.children if isinstance(each, Node)]
            assert [each["href"] for each in links] == addresses, path
            shown = {each["href"]: each["aria-current"] for each in links if "aria-current" in each}
            of = "/" + path.split("/")[1]
            assert shown == ({of: current} if of in addresses else {}), path
    stranger = Browser(app).get("/playlists")
    assert 'class="places"' not in stranger.text and 'href="/sign-in"' in stranger.text


def test_a_header_offers_signing_in_or_ones_own_menu(app, cast: Cast, account: Person) -> None:
    User.update(is_admin=True).where(User.id == account.user_id).execute()
    shown = {}
    for who, person in (("nobody", None), ("guest", cast.cleo), ("admin", account)):
        browser = Browser(app, person)
        with app.test_request_context("/", headers={"Cookie": f"{COOKIE}={token(browser)}"}):
            shown[who] = app.jinja_env.get_template("layouts/me.html").render()
    assert "/sign-in" in shown["nobody"] and "/account" not in shown["nobody"]
    assert "Cleo" in shown["guest"] and "/sign-in" in shown["guest"] and "/sign-out" not in shown["guest"]
    assert all(address in shown["admin"] for address in ("/account", "/my-rooms", "/admin", "/sign-out"))
