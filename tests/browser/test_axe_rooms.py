"""Talk, people, the host's sheets, the tray and the banners as axe sees them: every state of a room, no fault."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.story import Party, Seat
from tests.browser.test_axe import BOTH_WAYS, DESK, ONE_WAY, PHONE, expect_no_faults
from tests.browser.test_axe_doors import LONG, look, seat_of, wide
from tests.live.servers import Guest

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser


def talk(party: Party, host: Guest, ben: Guest) -> None:
    """A chat with everything in it."""
    room = f"/rooms/{party.code}"
    ben.post(f"{room}/messages", text="who put the accordion on")
    first = party.house.value("SELECT max(id) FROM message")
    host.post(f"{room}/messages", text="@Ben see https://example.org/tune", reply_to=first)
    last = party.house.value("SELECT max(id) FROM message")
    for guest in (host, ben):
        guest.post(f"{room}/messages/{last}/reactions", emoji="❤️")
    ben.post(f"{room}/messages", text="the wrong room")
    gone = party.house.value("SELECT max(id) FROM message")
    ben.post(f"{room}/messages/{gone}/removal")


def on_the_people_tab(seat: Seat) -> None:
    """As it stands on a desk, and on the phone's tab."""
    expect_no_faults(wide(seat.page), DESK)
    seat.page.set_viewport_size({"width": 390, "height": 844})
    seat.page.click("#tabs [data-tab=people]")
    expect_no_faults(seat.page, PHONE)


def test_talk_and_people_have_no_faults(party: Party) -> None:
    host = party.begin("Ada", tracks=4)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    talk(party, host, party.guests["Ben"])
    for name in (LONG, "ليلى"):
        party.visit(name)
    expect(ada.page.locator("#chat-list .sign").first).to_be_visible()
    on_the_people_tab(ada)
    on_the_people_tab(ben)
    expect_no_faults(ben.page, ((390, "light"),))
    wide(ben.page).fill("#chat-text", "hello")
    expect(ada.page.locator("#chat-typing")).to_contain_text("Ben")
    wide(ada.page).locator("#chat-list .msg__more").last.focus()
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("#message-menu")).to_be_visible()
    expect_no_faults(ada.page, DESK)
    ada.page.click("#message-answer")
    expect(ada.page.locator("#chat-reply")).to_be_visible()
    expect_no_faults(ada.page, DESK)
    ada.page.click("#chat-reply-end")

    row = ada.page.locator("#people .person", has_text="Ben")
    row.locator(".person__more").click()
    expect(ada.page.locator("#person-menu")).to_be_visible()
    expect_no_faults(ada.page, ((1440, "light"), (1440, "dark")))
    for item, sheet in (("Send out", "#kick"), ("Ban", "#ban")):
        if sheet == "#ban":
            row.locator(".person__more").click()
        ada.page.get_by_role("menuitem", name=item).click()
        expect(ada.page.locator(sheet)).to_be_visible()
        expect_no_faults(ada.page, ONE_WAY)
        wide(ada.page).keyboard.press("Escape")
    host.post(f"/rooms/{party.code}/people/{seat_of(party, 'Ben')}/mute")
    expect(ben.page.locator("#chat-text")).to_be_disabled()
    on_the_people_tab(ben)
    host.post(f"/rooms/{party.code}/settings", chat="off")
    expect(ben.page.locator("#chat-closed")).to_be_visible()
    expect_no_faults(ben.page, PHONE)


def test_the_hosts_sheets_and_tray_have_no_faults(party: Party) -> None:
    host = party.begin("Ada", tracks=4)
    room = f"/rooms/{party.code}"
    ada, ben, cleo = party.visit("Ada"), party.visit("Ben"), party.visit("Cleo")
    host.post(f"{room}/people/{seat_of(party, 'Cleo')}/ban", reason="Too loud", minutes=60)
    cleo.page.close()
    host.post(f"{room}/settings", add="approval")
    for track in party.tracks[5:7]:
        party.guests["Ben"].post(f"{room}/suggestions", track_id=track)
    host.post(f"{room}/access", visibility="unlisted", entry="approval")
    party.house.person(LONG).post(f"{room}/knock")
    ben.page.click("#ask-control")
    expect(ada.page.locator(".tray__count")).to_have_text("4")
    ada.page.click("#requests-sum")
    expect_no_faults(ada.page, BOTH_WAYS)
    wide(ada.page).click("[data-open=share]")
    ada.page.click("#invite-make")
    expect(ada.page.locator("#invites .invite")).to_have_count(1)
    expect_no_faults(ada.page, ONE_WAY)
    wide(ada.page).keyboard.press("Escape")
    ada.page.click("[data-open=settings]")
    ada.page.click("#banned summary")
    expect(ada.page.locator("#bans .ban")).to_have_count(1)
    expect_no_faults(ada.page, ONE_WAY)
    wide(ben.page).click("[data-open=settings]")
    expect_no_faults(ben.page, ONE_WAY)
    wide(ben.page).keyboard.press("Escape")

    host.post(f"{room}/control/{seat_of(party, 'Ben')}", grant="while")
    expect(ben.page.locator("#play")).to_be_visible()
    ben.page.click("#play")
    expect(ben.page.locator("#paused-by")).to_be_visible()
    for seat in (ada, ben):
        wide(seat.page).keyboard.press("Escape")
        expect_no_faults(seat.page, DESK)
        seat.page.set_viewport_size({"width": 390, "height": 844})
        seat.page.click("#tabs [data-tab=player]")
        expect_no_faults(seat.page, PHONE)
    look(ada.page, party, f"{room}/log")


def test_a_watcher_and_who_may_lead_have_no_faults(party: Party) -> None:
    host = party.begin("Ada", tracks=4)
    room = f"/rooms/{party.code}"
    ada, ben, cleo = party.visit("Ada"), party.visit("Ben"), party.visit("Cleo")
    host.post(f"{room}/people/{seat_of(party, 'Ben')}/role", role="cohost")
    host.post(f"{room}/host", to=seat_of(party, "Cleo"))
    expect(cleo.page.locator("#offer-accept")).to_be_visible()
    expect_no_faults(cleo.page, ONE_WAY)
    expect(ada.page.locator("#offer-withdraw")).to_be_visible()
    expect_no_faults(ada.page, DESK)
    ada.page.context.close()
    expect(ben.page.locator("#claim-host")).to_be_visible()
    expect_no_faults(ben.page, BOTH_WAYS)
    wide(ben.page).click("#claim-host")
    ada = party.visit("Ada")
    expect(ada.page.locator("#take-back")).to_be_visible()
    expect_no_faults(ada.page, ONE_WAY)
    lead = party.guests["Ben"]
    lead.post(f"{room}/access", visibility="public", entry="open")
    lead.post(f"{room}/settings", accounts_only="yes")
    expect(cleo.page.locator("#chat-closed")).to_contain_text("people with an account")
    expect_no_faults(cleo.page, ONE_WAY)
