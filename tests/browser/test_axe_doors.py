"""The front page, doors, accounts and the operator's desk as axe sees them: every page and state, no fault."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.story import Party
from tests.browser.test_axe import BOTH_WAYS, DESK, ONE_WAY, OTHER_WAY, PHONE, expect_no_faults
from tests.live.servers import ROOT, Guest

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
LONG = "Maximiliane Alexandra von und zu Hohenschwangau"
PASSWORD = "cordless telephone box"


def seat_of(party: Party, name: str) -> int:
    """The number of somebody's seat in the room."""
    return int(
        party.house.value(
            "SELECT member.id FROM member JOIN person ON person.id = user_id JOIN room ON room.id = room_id"
            " WHERE code = ? AND display_name = ?",
            party.code,
            name,
        )
    )


def look(page: Page, party: Party, *paths: str) -> None:
    """Each of these pages, on a phone in the dark and on a desk in the light."""
    for path in paths:
        page.goto(party.url + path)
        expect_no_faults(page, ONE_WAY)


def wide(page: Page) -> Page:
    """At a desk again."""
    page.set_viewport_size({"width": 1440, "height": 900})
    return page


def submit(page: Page) -> None:
    """The first form of the page."""
    page.click("main form button[type=submit] >> nth=0")


def sign_in(page: Page, party: Party, email: str) -> None:
    """By the form, with the one password all of them have."""
    page.goto(party.url + "/sign-in")
    page.fill("#email", email)
    page.fill("#password", PASSWORD)
    submit(page)


def known(party: Party, guest: Guest) -> Page:
    """A browser somebody has already used."""
    page = party.browse().page
    name, value = guest.cookie.split("=", 1)
    page.context.add_cookies([{"name": name, "value": value, "url": party.url}])
    return page


def test_the_front_page_with_rooms_has_no_faults(party: Party) -> None:
    for name, entry, tracks in (("Kitchen", "open", 3), ("مطبخ الأحد", "approval", 1), (LONG, "open", 0)):
        host = party.house.person(f"Host of {name[:8]}")
        code = host.open_room(name)
        host.add(code, party.tracks[:tracks])
        host.post(f"/rooms/{code}/access", visibility="public", entry=entry)
        party.code = code
        party.guests["Ada"] = host
        party.visit("Ada")
    page = known(party, host)
    page.goto(party.url)
    expect(page.locator("#rooms-list .open").first).to_be_visible()
    expect_no_faults(page, BOTH_WAYS)
    for text, shown in (("kitch", "#rooms-list .open"), ("zzzz", ".rooms__none")):
        wide(page).fill("#find-text", text)
        expect(page.locator("#room-cards")).to_have_attribute("data-search", text)
        expect(page.locator(shown)).to_have_count(1)
        expect_no_faults(page, ONE_WAY)


def test_doors_have_no_faults(party: Party) -> None:
    ada = party.begin("Ada", tracks=2)
    party.visit("Ada")
    room = f"/rooms/{party.code}"
    ada.post(f"{room}/access", visibility="unlisted", entry="password", password="open sesame")
    page = party.browse().page
    page.goto(party.url + room)
    expect_no_faults(page, BOTH_WAYS)
    page.fill("#display-name", "Ben")
    page.fill("#door-word", "nothing like it")
    submit(page)
    expect(page.locator("#door-word-error")).not_to_be_empty()
    expect_no_faults(page, ONE_WAY)

    ada.post(f"{room}/access", visibility="unlisted", entry="approval")
    page.goto(party.url + room)
    expect_no_faults(page, ONE_WAY)
    submit(page)
    expect(page.locator("#knock-stop")).to_be_visible()
    expect_no_faults(page, BOTH_WAYS)
    ada.post(f"{room}/knocks/{party.house.value('SELECT max(id) FROM knock')}", decision="decline")
    expect(page.get_by_role("heading", name="Not just now")).to_be_visible()
    expect_no_faults(page, ONE_WAY)

    ada.post(f"{room}/access", visibility="unlisted", entry="open")
    ben, cleo, other = (party.house.person(name) for name in ("Ben", "Cleo", "Ada"))
    for guest in (ben, cleo):
        guest.join(party.code)
    ada.post(f"{room}/people/{seat_of(party, 'Ben')}/ban", reason="Enough", minutes=60)
    ada.post(f"{room}/people/{seat_of(party, 'Cleo')}/kick")
    for guest, path, heading in (
        (ben, room, "Not this room"),
        (cleo, f"{room}/door", "You were sent out"),
        (other, room, "Almost in"),
    ):
        look(guest_page := known(party, guest), party, path)
        expect(guest_page.locator("h1")).to_contain_text(heading)
    made = ada.ask("POST", f"{room}/invites", {"quota": 3, "hours": 24}, {"HX-Request": "true"})
    link = re.search(r"/invites/[\w-]{20,}", made.text)
    assert link is not None
    stranger = party.browse().page
    look(stranger, party, link[0], "/invites/nothing-like-it")
    ada.post(f"{room}/lock", locked="yes")
    look(stranger, party, room)
    expect(stranger.locator("h1")).to_have_text("The door is locked")


def test_an_account_has_no_faults(party: Party) -> None:
    page = party.browse().page
    look(page, party, "/sign-in", "/forgot", "/sign-up")
    expect_no_faults(page, OTHER_WAY)
    page.fill("#display-name", "Ana Maria")
    page.fill("#email", "ana@example.org")
    page.fill("#password", "password1")
    submit(page)
    expect(page.locator("#password-error")).not_to_be_empty()
    expect_no_faults(page, ONE_WAY)
    page.fill("#password", PASSWORD)
    submit(page)
    expect(page.locator("main")).to_contain_text("Sign in with the password you chose")
    expect_no_faults(page, ONE_WAY)
    page.fill("#email", "ana@example.org")
    page.fill("#password", PASSWORD)
    submit(page)
    page.wait_for_url(party.url + "/")
    wide(page).click("#me")
    expect(page.locator("#me-menu")).to_be_visible()
    expect_no_faults(page, DESK + PHONE)

    sign_in(phone := party.browse().page, party, "ana@example.org")
    look(page, party, "/account")
    expect_no_faults(page, OTHER_WAY)
    page.fill("#factor-password", PASSWORD)
    page.click("text=Set it up")
    expect_no_faults(page, ONE_WAY)
    app = pyotp.TOTP(page.locator(".account__secret").inner_text().replace(" ", ""))
    page.fill("#factor-code", app.now())
    page.click("text=Turn it on")
    expect(page.locator(".codes li")).to_have_count(10)
    expect_no_faults(page, ONE_WAY)
    look(page, party, "/account")
    phone.context.clear_cookies()
    sign_in(phone, party, "ana@example.org")
    expect(phone.locator("#code")).to_be_visible()
    expect_no_faults(phone, ONE_WAY)
    guest = known(party, party.house.person(LONG))
    look(guest, party, "/account", "/my-rooms")

    for name in ("Friday", "مطبخ الأحد"):
        page.request.post(party.url + "/rooms", form={"name": name})
    code = party.house.value("SELECT code FROM room WHERE name = 'Friday' ORDER BY id DESC LIMIT 1")
    for track in party.tracks[:3]:
        page.request.post(f"{party.url}/rooms/{code}/queue", form={"track_id": str(track)})
    page.request.post(f"{party.url}/rooms/{code}/end")
    page.goto(party.url + "/my-rooms")
    page.click(".mine__delete summary >> nth=0")
    expect_no_faults(page, BOTH_WAYS)
    look(page, party, f"/rooms/{code}")
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    page.request.post(f"{party.url}/rooms/{code}/again")
    look(page, party, f"/rooms/{code}")


def test_the_operators_desk_has_no_faults(party: Party, tmp_path: Path) -> None:
    party.begin(LONG, tracks=2)
    (tmp_path / "word").write_text(PASSWORD)
    command = [sys.executable, "-m", "cli", "create-admin", "op@example.org"]
    command += ["--password-file", str(tmp_path / "word")]
    subprocess.run(command, cwd=ROOT, env=party.house.environment, check=True, capture_output=True)
    page = party.browse().page
    sign_in(page, party, "op@example.org")
    page.wait_for_url(party.url + "/")
    for name in ("rooms", "people", "library", "jobs", "audit"):
        page.goto(f"{party.url}/admin/{name}")
        for summary in page.locator("details summary").all()[:3]:
            summary.click()
        expect_no_faults(page, BOTH_WAYS if name == "people" else ONE_WAY)
