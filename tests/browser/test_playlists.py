"""Playlists in a real browser: moved by hand and by keys, undone, brought in, matched, shared; and what plays on."""

from __future__ import annotations

import os
import sqlite3

import pytest
from playwright.sync_api import Page, expect

from tests.browser.patience import PATIENCE_SECONDS
from tests.browser.story import Party, Seat
from tests.browser.test_axe import ONE_WAY, OTHER_WAY, expect_no_faults

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
PICTURES = os.environ.get("PICTURES", "")
LINES = "Artist 1 – Song 1\nArtist 2 – Song 2\nArtist 3 – Song 3\nNobody – Knows this one\nArtist 5 – Song 5"


def become_account(party: Party, name: str) -> None:
    """As if the person had signed up."""
    connection = sqlite3.connect(party.house.database, timeout=PATIENCE_SECONDS)
    with connection:
        connection.execute(
            "UPDATE person SET email = 'person-' || id || '@example.org' WHERE display_name = ? AND email IS NULL",
            (name,),
        )
    connection.close()


def shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where PICTURES names a folder."""
    if not PICTURES:
        return
    for width, height, scheme in (
        (1440, 900, "light"),
        (820, 1180, "dark"),
        (390, 844, "light"),
        (390, 844, "dark"),
    ):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{PICTURES}/{name}-{width}-{scheme}.png", full_page="room" not in name)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


@pytest.fixture
def seat(party: Party) -> Seat:
    """Ada's page of her room; she has an account."""
    party.begin("Ada", tracks=2)
    become_account(party, "Ada")
    return party.visit("Ada")


def titles(page: Page) -> list[str]:
    return page.locator("#songs .song__title").all_inner_texts()


def bring(page: Page, party: Party) -> None:
    page.goto(f"{party.url}/playlists/import")
    page.fill("#bring-name", "Late nights")
    page.fill("#bring-text", LINES)
    page.click("text=Bring it in")
    expect(page.locator("h1")).to_have_text("What is meant?")


def test_a_file_too_long_is_not_sent_and_nothing_typed_is_lost(party: Party, seat: Seat) -> None:
    page = seat.page
    page.goto(f"{party.url}/playlists/import")
    page.fill("#bring-name", "Late nights")
    loads = seat.loads
    page.set_input_files(
        "#bring-file", {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"x" * 4_000_000}
    )
    page.click("text=Bring it in")
    wrong = "() => document.getElementById('bring-file').validationMessage"
    assert page.evaluate(wrong) == "That is too much for a playlist. Up to 2 MB fit."
    expect(page.locator("#bring-name")).to_have_value("Late nights")
    text = {"name": "list.txt", "mimeType": "text/plain", "buffer": "Artist 1 – Song 1".encode()}
    page.set_input_files("#bring-file", text)
    assert page.evaluate(wrong) == "" and seat.loads == loads
    page.click("text=Bring it in")
    expect(page.locator("h1")).to_have_text("Late nights")


def test_a_pasted_list_is_matched_by_hand_and_put_in_order(party: Party, seat: Seat) -> None:
    page = seat.page
    bring(page, party)
    expect(page.locator(".match__words")).to_have_text("Nobody – Knows this one")
    shot(page, "match")
    expect_no_faults(page, ONE_WAY)
    page.locator(".match__find input[type=search]").fill("song 7")
    page.locator(".match__find button").click()
    expect(page.locator(".match .song__title").first).to_have_text("Song 7")
    assert "search=" not in page.url, "the piece came alone"
    page.locator(".match button[name=track_id]").first.click()
    expect(page.locator(".mine__sum")).to_have_text("Every line has its track.")
    page.click("text=Done")
    expect(page.locator("#songs .song")).to_have_count(5)
    assert titles(page) == ["Song 1", "Song 2", "Song 3", "Song 7", "Song 5"]
    shot(page, "playlist")
    expect_no_faults(page, ONE_WAY + OTHER_WAY)
    page.set_viewport_size({"width": 1280, "height": 800})
    loads = seat.loads
    # By key: the handle keeps the focus, and the place is said.
    page.locator("#songs .song__grip").nth(4).focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#announcer")).to_have_text("Song 5: 4 of 5")
    expect(page.locator(".song__n").nth(3)).to_have_text("4")
    expect(page.locator("#songs .song__grip").nth(3)).to_be_focused()
    page.wait_for_function("() => document.querySelectorAll('#songs .song')[3].querySelector('[id^=down-]')")
    # By hand.
    start, end = (page.locator("#songs .song__grip").nth(at).bounding_box() for at in (4, 0))
    assert start and end
    with page.expect_response(lambda response: response.url.endswith("/move")):
        page.mouse.move(start["x"] + 20, start["y"] + 20)
        page.mouse.down()
        page.mouse.move(start["x"] + 20, start["y"] - 10, steps=3)
        page.mouse.move(start["x"] + 20, end["y"] - 6, steps=10)
        page.mouse.up()
    expect(page.locator("#songs .song__title").first).to_have_text("Song 7")
    # By menu, and undone.
    page.locator("#songs .song__grip").nth(1).click()
    page.locator("#song-menu [data-song=remove]").click()
    expect(page.locator("#songs .song")).to_have_count(4)
    expect(page.locator("#notice")).to_contain_text("Removed Song 1.")
    page.click("#undo")
    expect(page.locator("#songs .song")).to_have_count(5)
    assert seat.loads == loads, "nothing was loaded anew"
    page.reload()
    assert titles(page) == ["Song 7", "Song 1", "Song 2", "Song 3", "Song 5"]


def test_a_shared_list_is_copied_by_somebody_else(party: Party, seat: Seat) -> None:
    page = seat.page
    bring(page, party)
    page.click("text=Done")
    page.click("text=Share it by a link")
    link = page.locator("#share-link").input_value()
    ben = party.visit("Ben")
    become_account(party, "Ben")
    ben.page.goto(party.url + link[link.index("/playlists") :])
    expect(ben.page.locator(".song__title").first).to_have_text("Song 1")
    shot(ben.page, "shared")
    expect_no_faults(ben.page, ONE_WAY)
    ben.page.click("text=Copy to my playlists")
    expect(ben.page.locator("#songs .song")).to_have_count(5)
    ben.page.goto(f"{party.url}/playlists")
    expect(ben.page.locator(".mine__name")).to_have_text("Late nights")
    shot(ben.page, "playlists")
    expect_no_faults(ben.page, ONE_WAY)
    ben.page.locator("text=Delete").first.click()
    expect(ben.page.locator("#notice")).to_contain_text("Deleted.")
    ben.page.click("#undo")
    expect(ben.page.locator(".mine__name")).to_have_text("Late nights")


def test_a_track_is_saved_from_its_row_and_tonight_from_the_history(party: Party, seat: Seat) -> None:
    page, host = seat.page, party.guests["Ada"]
    [row] = party.items()
    page.locator(f"#grip-{row}").click()
    page.locator("#track-menu [data-save]").click()
    expect(page.locator("#playlist-box")).to_be_visible()
    page.fill("#keep-name", "Mine")
    page.click("#keep-make")
    expect(page.locator("#playlist-box")).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("is in Mine.")
    host.post(f"/rooms/{party.code}/playback", action="skip")
    expect(page.locator("#history .play")).to_have_count(1)
    page.click("#keep-tonight")
    expect(page.locator("#playlist-sheet h2")).to_have_text("Save tonight")
    page.fill("#keep-name", "Friday")
    page.click("#keep-make")
    expect(page.locator("#notice")).to_contain_text("Tonight is kept as Friday.")
    page.locator("#history .play__save").first.click()
    expect(page.locator("#playlist-sheet")).to_contain_text("Friday")
    shot(page, "room-sheet")
    assert seat.loads == 1


def test_what_plays_on_is_marked_and_yields(party: Party, seat: Seat) -> None:
    bring(party.again(seat).page, party)
    page = seat.page
    page.click("[data-open=settings]")
    page.click("#set-empty_playlist")
    expect(page.locator("#playlist-sheet h2")).to_have_text("When the line is empty")
    page.locator("#playlist-sheet .keep__one button").first.click()
    expect(page.locator("#set-when_empty")).to_have_value("playlist")
    shot(page, "room-settings")
    page.click("#settings-close")
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    fillers = page.locator("#queue .track--filler")
    expect(fillers.first).to_contain_text("Plays on")
    expect(fillers.first.locator(".track__by")).not_to_contain_text("Ada")
    count = fillers.count()
    assert 1 <= count <= 3
    shot(page, "room-plays-on")
    ben = party.visit("Ben")
    party.guests["Ben"].add(party.code, party.tracks[9:10])
    expect(ben.page.locator("#queue .track").first).not_to_have_class("track--filler")
    expect(ben.page.locator("#queue .track").first).to_contain_text("Ben")
    expect(ben.page.locator("#queue .track--filler")).to_have_count(count)
    # What moves with the music stands still.
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="pause")
    expect(page.locator("#playback")).to_have_attribute("data-state", "paused")
    expect_no_faults(page, ONE_WAY)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("[data-open=settings]")
    page.select_option("#set-when_empty", "nothing")
    expect(ben.page.locator("#queue .track")).to_have_count(1)
    seat.is_fresh()
