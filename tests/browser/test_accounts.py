"""Accounts in real browsers, letters by a real mail server: becoming one, a forgotten password, a second factor."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pyotp
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect

from tests.browser.patience import PATIENCE_SECONDS, eventually
from tests.browser.story import Party, Seat
from tests.live.servers import House, free_port

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
OLD, NEW = "two herons on a wire", "three owls in the hall"


class Postman:
    """A mail server's handler that keeps what it is handed."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.kept.append(envelope)
        return "250 Taken"

    def link(self, page: Page, address: str, kind: str) -> str:
        """Wait for a letter to this address with such a link in it."""
        found = eventually(page, lambda: self._links(address, kind), f"no {kind} letter for {address}")
        return found[-1]

    def _links(self, address: str, kind: str) -> list[str]:
        texts = [self._text(each) for each in list(self.kept) if each.rcpt_tos == [address]]
        return [link for text in texts for link in re.findall(rf"https?://\S+/{kind}/\S+", text)]

    @staticmethod
    def _text(envelope: Any) -> str:
        return str(message_from_bytes(envelope.content, policy=policy.default).get_content())


@pytest.fixture(scope="module")
def postman() -> Iterator[Postman]:
    handler = Postman()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE_SECONDS)
    controller.start()
    handler.port = controller.port
    yield handler
    controller.stop()


@pytest.fixture(scope="module")
def real_house(tmp_path_factory: pytest.TempPathFactory, postman: Postman) -> Iterator[House]:
    """A house that sends its letters to the postman."""
    house = House(tmp_path_factory.mktemp("house"))
    house.environment |= {
        "PUBLIC_URL": f"http://127.0.0.1:{house.port}",
        "SMTP_URL": f"smtp://127.0.0.1:{postman.port}",
    }
    try:
        house.start_web()
        house.start_worker()
        yield house
    finally:
        house.close()


def sign_up(page: Page, party: Party, address: str, postman: Postman, name: str = "") -> None:
    """Ask for an account and follow the letter's link in the same browser."""
    page.goto(f"{party.url}/sign-up")
    if name:
        page.fill("#display-name", name)
    page.fill("#email", address)
    page.fill("#password", OLD)
    page.click("text=Make the account")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    page.goto(postman.link(page, address, "confirm"))
    page.click("main button[type=submit]")
    expect(page.locator(".account__who")).to_have_text(address)


def sign_in(page: Page, party: Party, address: str, password: str) -> None:
    """Through the form."""
    page.goto(f"{party.url}/sign-in")
    page.fill("#email", address)
    page.fill("#password", password)
    page.click("main button[type=submit]")


def room(seat: Seat, party: Party) -> Seat:
    """Into the room by its link."""
    seat.page.goto(f"{party.url}/rooms/{party.code}")
    return seat.live()


def pressed(seat: Seat) -> list[str]:
    """The vote buttons that are down."""
    return seat.page.eval_on_selector_all('#queue [aria-pressed="true"]', "(all) => all.map(({ id }) => id)")


def test_a_guest_becomes_an_account_and_keeps_votes_tracks_and_role_on_another_device(
    party: Party, postman: Postman
) -> None:
    party.begin("Ada", tracks=4)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    party.guests["Ben"].add(party.code, party.tracks[8:9])
    own = party.items()[-1]
    first, second, *_ = ben.order()
    ben.page.click(f"#up-{own}")
    expect(ada.page.locator(f"#vote-{own} .vote__count")).to_have_text("Score 1")
    ben.page.click(f"#down-{second}")
    expect(ada.page.locator(f"#vote-{second} .vote__count")).to_have_text("Score −1")
    ada.page.locator("#people .person", has_text="Ben").locator(".person__more").click()
    ada.page.get_by_role("menuitem", name="Make co-host").click()
    expect(ben.page.locator("#mine")).to_have_attribute("data-role", "cohost")
    # Under a hand rows wait with their moves.
    ben.page.mouse.move(5, 5)
    ben.is_fresh()
    marks, before = sorted(pressed(ben)), ben.shows()

    sign_up(ben.page, party, "ben@example.org", postman)
    room(ben, party)
    assert sorted(pressed(ben)) == marks == sorted([f"up-{own}", f"down-{second}"])
    ben.shows_as(ada)
    assert ben.shows()["rows"] == before["rows"]

    # On a phone somebody votes as a guest first, and then signs in.
    phone = party.browse(viewport={"width": 390, "height": 844})
    phone.page.goto(f"{party.url}/rooms/{party.code}")
    phone.page.fill("#display-name", "Benny")
    phone.page.click("#hello button[type=submit]")
    phone.live()
    phone.page.click(f"#up-{first}")
    expect(ada.page.locator(f"#vote-{first} .vote__count")).to_have_text("Score 1")
    expect(ada.page.locator("#people .person")).to_have_count(3)
    sign_in(phone.page, party, "ben@example.org", OLD)
    phone.page.wait_for_url(party.url + "/")
    room(phone, party)
    expect(phone.page.locator("#mine")).to_have_attribute("data-role", "cohost")
    for seat in (phone, room(ben, party)):
        assert sorted(pressed(seat)) == sorted([*marks, f"up-{first}"])
        expect(seat.page.locator(f"#queue-item-{own}")).to_have_class(re.compile("is-mine"))
        seat.is_fresh()
    expect(ada.page.locator("#people .person")).to_have_count(2)
    expect(ada.page.locator(f"#vote-{first} .vote__count")).to_have_text("Score 1")
    ada.is_fresh()


def test_a_forgotten_password_is_mended_by_a_letter_and_everybody_else_is_signed_out(
    party: Party, postman: Postman
) -> None:
    party.begin("Ada", tracks=2)
    laptop, phone = party.browse(), party.browse()
    sign_up(laptop.page, party, "cleo@example.org", postman, "Cleo")
    room(laptop, party)

    page = phone.page
    page.goto(f"{party.url}/sign-in")
    page.click("text=Forgot your password?")
    page.fill("#email", "cleo@example.org")
    page.click("text=Send the link")
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    link = postman.link(page, "cleo@example.org", "reset")
    page.goto(link)
    expect(page.locator("main")).to_contain_text("cleo@example.org")
    page.fill("#password", NEW)
    page.click("text=Set it")
    expect(page.locator("main")).to_contain_text("Your new password is set")
    expect(laptop.page.locator("#status .pill__word")).to_have_text("Signed out")
    expect(laptop.page.locator("#toasts")).to_contain_text("You’re signed out here.")

    sign_in(page, party, "cleo@example.org", OLD)
    expect(page.locator("#form-error")).to_contain_text("do not fit together")
    page.fill("#email", "cleo@example.org")
    page.fill("#password", NEW)
    page.click("main button[type=submit]")
    page.wait_for_url(party.url + "/")
    room(phone, party)
    expect(page.locator("#people")).to_contain_text("Cleo")
    assert page.goto(link).status == 404
    laptop.page.goto(f"{party.url}/account")
    expect(laptop.page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_a_second_factor_is_asked_for_and_signing_out_everywhere_closes_the_other_room(
    party: Party, postman: Postman
) -> None:
    party.begin("Ada", tracks=2)
    laptop, phone = party.browse(), party.browse()
    sign_up(laptop.page, party, "dan@example.org", postman, "Dan")
    page = laptop.page
    page.goto(f"{party.url}/account")
    page.fill("#second-factor #factor-password", OLD)
    page.click("text=Set it up")
    app = pyotp.TOTP(page.locator(".account__secret").inner_text().replace(" ", ""))
    page.fill("#factor-code", "000000" if app.now() != "000000" else "111111")
    page.click("text=Turn it on")
    expect(page.locator("#factor-code-error")).to_contain_text("does not fit")
    page.fill("#factor-code", app.now())
    page.click("text=Turn it on")
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes li").all_inner_texts()
    room(laptop, party)

    sign_in(phone.page, party, "dan@example.org", OLD)
    expect(phone.page.get_by_role("heading", name="One more step")).to_be_visible()
    phone.page.fill("#code", "nothing like it")
    phone.page.click("main button[type=submit]")
    expect(phone.page.locator("#code-error")).to_contain_text("does not fit")
    # Each code is good once; the next one is good already.
    phone.page.fill("#code", app.at(time.time() + 30))
    phone.page.click("main button[type=submit]")
    phone.page.wait_for_url(party.url + "/")
    room(phone, party)
    expect(laptop.page.locator("#people .person.is-here", has_text="Dan")).to_have_count(1)

    phone.page.goto(f"{party.url}/account")
    phone.page.click("text=Sign out everywhere")
    phone.page.wait_for_url(party.url + "/")
    expect(laptop.page.locator("#status .pill__word")).to_have_text("Signed out")
    expect(laptop.page.locator("#toasts")).to_contain_text("You’re signed out here.")
    assert laptop.page.evaluate("() => partyline.stopped()") == "signed-out"

    sign_in(laptop.page, party, "dan@example.org", OLD)
    laptop.page.fill("#code", codes[0])
    laptop.page.click("main button[type=submit]")
    laptop.page.wait_for_url(party.url + "/")
    expect(laptop.page.locator("#me, .me").first).to_contain_text("Dan")
