"""A host who is never missing: a laptop dies, somebody takes over, the host returns, the party ends and goes on."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.story import Party, Seat

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
MOVES_ON = (
    "(from) => { const { media } = partyline.player; return !media.paused && media.currentTime > from; }"
)
SECONDS_IN = "() => partyline.player.media.currentTime"


def person(seat: Seat, name: str) -> Locator:
    """Somebody's row in the list of people."""
    return seat.page.locator("#people .person", has_text=name)


def make_cohost(host: Seat, name: str) -> None:
    """By the menu beside their name."""
    person(host, name).locator(".person__more").click()
    host.page.get_by_role("menuitem", name="Make co-host").click()
    expect(person(host, name)).to_have_attribute("data-role", "cohost")


def lose(seat: Seat) -> None:
    """A laptop that dies: nothing says goodbye."""
    seat.page.context.close()


def test_the_hosts_laptop_dies_a_cohost_takes_the_line_and_the_host_takes_it_back(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada, ben, cleo = party.visit("Ada"), party.visit("Ben").in_step(), party.visit("Cleo").in_step()
    make_cohost(ada, "Ben")
    expect(person(cleo, "Ben")).to_have_attribute("data-role", "cohost")
    playing = ben.shows()["now"][2:4]
    heard = {seat: seat.page.evaluate(SECONDS_IN) for seat in (ben, cleo)}

    began = time.monotonic()
    lose(ada)
    for seat in (ben, cleo):
        expect(seat.page.locator("#banner")).to_contain_text("Ada stepped away. The music keeps going.")
        expect(seat.page.locator("#banner .grace__then")).to_have_text("Ben takes the line")
        expect(seat.page.locator("#banner time")).to_have_text(re.compile(r"in (5:00|4:[345]\d)"))
    print(f"\nfrom the laptop's end to the banner on both screens: {time.monotonic() - began:.1f} s")
    expect(cleo.page.locator("#claim-host")).to_be_hidden()
    # A co-host leads meanwhile.
    first, *_, last = ben.order()
    ben.page.click(f"#up-{last}")
    cleo.has_order([last, first])

    ben.page.click("#claim-host")
    for seat in (ben, cleo):
        expect(seat.page.locator("#banner .grace:visible")).to_have_count(0)
        expect(person(seat, "Ben")).to_have_attribute("data-role", "host")
        expect(person(seat, "Ada")).to_have_count(0)
        assert seat.shows()["now"][2:4] == playing
        seat.page.wait_for_function(MOVES_ON, arg=heard[seat])
        seat.is_fresh()

    ada = party.visit("Ada").in_step()
    expect(ada.page.locator("#banner")).to_contain_text("Ben has the line now.")
    expect(ben.page.locator("#take-back")).to_be_hidden()
    ada.page.click("#take-back")
    for seat in (ada, ben, cleo):
        expect(person(seat, "Ada")).to_have_attribute("data-role", "host")
        expect(person(seat, "Ben")).to_have_attribute("data-role", "cohost")
        expect(seat.page.locator("#banner .grace:visible")).to_have_count(0)
        seat.is_fresh()
    assert [seat.loads for seat in (ada, ben, cleo)] == [1, 1, 1]
    assert ben.shows()["now"][2:4] == playing


def test_when_nobody_presses_anything_the_cohost_has_the_line_after_grace(party: Party) -> None:
    party.begin("Ada", tracks=3)
    party.set_room("grace_seconds", 1)
    ada, ben, cleo = party.visit("Ada"), party.visit("Ben").in_step(), party.visit("Cleo")
    make_cohost(ada, "Ben")
    heard = ben.page.evaluate(SECONDS_IN)
    lose(ada)
    for seat in (ben, cleo):
        expect(person(seat, "Ben")).to_have_attribute("data-role", "host")
        expect(seat.page.locator("#banner .grace:visible")).to_have_count(0)
    ben.page.wait_for_function(MOVES_ON, arg=heard)
    ben.page.click("[data-open=settings]")
    ben.page.fill("#set-name", "Ben’s Friday")
    ben.page.keyboard.press("Enter")
    expect(cleo.page.locator(".bar__name")).to_have_text("Ben’s Friday")


def test_the_host_hands_the_room_over_and_the_other_accepts(party: Party) -> None:
    party.begin("Ada", tracks=2)
    ada, ben, cleo = party.visit("Ada"), party.visit("Ben"), party.visit("Cleo")
    person(ada, "Ben").locator(".person__more").click()
    ada.page.get_by_role("menuitem", name="Hand over the room").click()
    expect(ada.page.locator("#banner")).to_contain_text("You offered Ben the line.")
    expect(ben.page.locator("#banner")).to_contain_text("Ada offers you the line.")
    expect(cleo.page.locator("#banner .grace:visible")).to_have_count(0)
    ben.page.click("#offer-decline")
    expect(ada.page.locator("#banner .grace:visible")).to_have_count(0)
    person(ada, "Ben").locator(".person__more").click()
    ada.page.get_by_role("menuitem", name="Hand over the room").click()
    ben.page.click("#offer-accept")
    for seat in (ada, ben, cleo):
        expect(person(seat, "Ben")).to_have_attribute("data-role", "host")
        expect(person(seat, "Ada")).to_have_attribute("data-role", "cohost")
        seat.is_fresh()


def test_the_party_ends_for_everybody_and_goes_on_in_a_new_room_with_what_was_left(party: Party) -> None:
    party.begin("Ada", tracks=4)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    first, second, third = ada.order()
    ben.page.click(f"#up-{third}")
    ada.has_order([third, first, second])
    ben.has_order([third, first, second])
    titles = [row[1] for row in ben.shows()["rows"]]

    ada.page.click("[data-open=settings]")
    ada.page.click("#end-room")
    expect(ben.page.locator("#queue")).to_be_visible()
    ada.page.check("#end-sure")
    ada.page.click("#end-room")
    for seat in (ada, ben):
        expect(seat.page.locator(".memory__over")).to_have_text("This party is over")
        expect(seat.page.locator(".memory .track__title")).to_have_count(1)
    expect(ben.page.locator("button", has_text="Start again")).to_have_count(0)

    ada.page.get_by_role("button", name="Start again with what was left").click()
    ada.page.wait_for_url(lambda url: "/rooms/" in url and party.code not in url)
    ada.live()
    new_code = ada.page.url.rsplit("/", 1)[1]
    ben.page.reload()
    expect(ben.page.locator(".memory__next")).to_contain_text("It goes on in a new room.")
    ben.page.get_by_role("link", name="Go to the new room").click()
    ben.page.wait_for_url(f"**/rooms/{new_code}")
    ben.live()
    for seat in (ada, ben):
        seat.is_fresh()
        assert [row[1] for row in seat.shows()["rows"]] == titles
    ada.shows_as(ben)
    expect(person(ben, "Ada")).to_have_attribute("data-role", "host")
