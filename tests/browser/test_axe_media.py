"""Files, links, lists, libraries and where people stopped, as axe sees them: every page and state, no fault."""

from __future__ import annotations

import json
import secrets
import sqlite3
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from media import lists
from tests.browser.patience import PATIENCE_SECONDS
from tests.browser.story import Party, Seat, held
from tests.browser.test_axe import BOTH_WAYS, ONE_WAY, OTHER_WAY, PHONE, expect_no_faults
from tests.browser.test_axe_doors import known, look, wide
from tests.live.servers import House, running

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
FAR = 2**52
TALL = {"width": 390, "height": 844}
FOUND = [
    {"provider": "archive", "key": f"key-{number}", "title": title, "artist": artist, "album": "",
     "duration_ms": length, "preview_url": preview, "is_playable": is_playable}
    for number, (title, artist, length, preview, is_playable) in enumerate((
        ("Night Bus", "Plum", 185_000, "https://archive.org/a.mp3", True), ("مطبخ الأحد", "", 0, "", True),
        ("Only a name", "Somebody", 61_000, "", False),
    ))
]  # fmt: skip


def change(house: House, query: str, *values: object) -> int:
    """Change what the house holds, beside its processes; the number of the row that was made."""
    connection = sqlite3.connect(house.database, timeout=PATIENCE_SECONDS)
    with connection:
        made = connection.execute(query, values).lastrowid
    connection.close()
    return int(made or 0)


def become_account(party: Party, *, admin: bool = False) -> int:
    """As if the room's host had signed up; their number."""
    [(user,)] = party.house.rows(
        "SELECT user_id FROM member JOIN room ON room.id = room_id WHERE code = ? AND role = 'host'",
        party.code,
    )
    email = f"person-{user}@example.org"
    change(party.house, "UPDATE person SET email = ?, is_admin = ? WHERE id = ?", email, int(admin), user)
    return int(user)


def asked(party: Party, user: int) -> int:
    """A search of this person's in the room, with an answer of every kind."""
    room = party.house.value("SELECT id FROM room WHERE code = ?", party.code)
    search = change(
        party.house,
        "INSERT INTO search (user_id, room_id, words, asked_at) VALUES (?, ?, 'nothing', ?)", user, room, FAR,
    )  # fmt: skip
    for source, state, rows in (
        ("archive", "ready", FOUND), ("jamendo", "failed", []), ("musicbrainz", "waiting", []),
        ("youtube", "ready", []),
    ):  # fmt: skip
        change(
            party.house,
            "INSERT INTO search_answer (search_id, source, state, results, failure) VALUES (?, ?, ?, ?, ?)",
            search, source, state, json.dumps(rows), "Jamendo does not answer just now." if state == "failed" else "",
        )  # fmt: skip
    return search


def on_both_devices(seat: Seat, tab: str) -> None:
    """As it stands on a desk, and on the phone's tab."""
    expect_no_faults(wide(seat.page), BOTH_WAYS[1:2])
    seat.page.set_viewport_size(TALL)
    seat.page.click(f"#tabs [data-tab={tab}]")
    expect_no_faults(seat.page, PHONE)


def test_what_is_looked_up_and_what_failed_has_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=5)
    seat = party.visit("Ada")
    waiting, failed, endless, loud = (item for item in party.items()[:4])
    track = "(SELECT track_id FROM item WHERE id = ?)"
    state = (
        f"UPDATE track SET provider = 'youtube', state = ?, failure = ?, looked_up_at = ? WHERE id = {track}"
    )
    change(party.house, state, "looking_up", "", FAR, waiting)
    change(party.house, state, "failed", "That video is private.", FAR, failed)
    change(party.house, f"UPDATE track SET duration_ms = 0 WHERE id = {track}", endless)
    change(party.house, f"UPDATE track SET is_explicit = 1, is_video = 1 WHERE id = {track}", loud)
    # What changes beside the log is seen with the next thing that is in it.
    party.guests["Ada"].vote(party.code, loud)
    try:
        seat.page.reload()
        seat.live()
        expect(seat.page.locator(f"#queue-item-{failed}")).to_contain_text("private")
        expect_no_faults(seat.page, BOTH_WAYS)
        guest = party.visit("Ben")
        expect_no_faults(guest.page, ONE_WAY)
    finally:
        change(
            party.house,
            "UPDATE track SET provider = 'house', state = 'ready', failure = '', is_explicit = 0, is_video = 0,"
            " duration_ms = 100000",
        )


def test_results_from_elsewhere_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=2)
    search = asked(party, become_account(party))
    seat = party.visit("Ada")
    seat.page.route("**/searches/**", lambda route: route.abort())
    address = f"/rooms/{party.code}/search?search=nothing&asked={search}"
    seat.page.click("#search")
    seat.page.evaluate(
        "(address) => htmx.ajax('GET', address, { target: '#library', swap: 'outerMorph' })", address
    )
    expect(seat.page.locator("[data-source-state=failed]")).to_be_visible()
    expect_no_faults(seat.page, ((1440, "light"), (1440, "dark")))
    seat.page.set_viewport_size(TALL)
    seat.page.click("#tabs [data-tab=add]")
    expect_no_faults(seat.page, ((390, "light"), (390, "dark")))
    look(seat.page, party, address)


def test_files_on_their_way_have_no_faults(party: Party, tmp_path: Path) -> None:
    party.begin("Ada", tracks=1)
    seat = party.visit("Ada")
    good, bad = tmp_path / "Night Bus.mp3", tmp_path / "letter.pdf"
    good.write_bytes(b"ID3" + bytes(200_000))
    bad.write_bytes(b"%PDF-")
    with held(seat.page, "**/uploads/*"):
        seat.page.set_input_files("#upload-file", [good, bad])
        expect(seat.page.locator("#uploads-list .upload")).to_have_count(2)
        on_both_devices(seat, "add")
        expect_no_faults(seat.page, ((390, "light"),))
    wide(seat.page).evaluate("() => { document.getElementById('drop').hidden = false; }")
    expect_no_faults(seat.page, ONE_WAY)


def test_what_became_of_files_and_what_was_left_half_way_has_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=1)
    seat, user = party.visit("Ada"), become_account(party)
    room = party.house.value("SELECT id FROM room WHERE code = ?", party.code)
    for state, reason, track in (
        ("receiving", "", None), ("checking", "", None), ("checking", "", party.tracks[0]), ("ready", "", None),
        ("ready", "The line is full.", None), ("refused", "That is not a sound or a video we know.", None),
    ):  # fmt: skip
        change(
            party.house,
            "INSERT INTO upload (token, user_id, room_id, name, size_bytes, received_bytes, state, reason,"
            " goes_on_line, track_id, began_at, touched_at) VALUES (?, ?, ?, ?, 9, 0, ?, ?, 1, ?, ?, ?)",
            secrets.token_hex(16), user, room, f"Night {state}.mp3", state, reason, track, FAR, FAR,
        )  # fmt: skip
    seat.page.reload()
    seat.live()
    expect(seat.page.locator("#uploads-list .upload")).to_have_count(5)
    on_both_devices(seat, "add")
    look(seat.page, party, "/account")
    expect(seat.page.get_by_role("button", name="Night receiving.mp3")).to_be_visible()


def test_lists_have_no_faults(party: Party) -> None:
    guest = party.begin("Ada", tracks=3)
    seat = party.visit("Ada")
    page = seat.page
    look(page, party, "/playlists", "/playlists/import")
    become_account(party)
    look(page, party, "/playlists")
    page.goto(f"{party.url}/playlists/import")
    page.fill("#bring-name", "Late nights")
    page.click("text=Bring it in")
    expect(page.locator("#bring-file-error")).to_have_text("Choose a file, or paste a list.")
    expect(page.locator("#bring-file")).to_be_focused()
    expect(page.locator("#bring-name")).to_have_value("Late nights")
    expect_no_faults(page, BOTH_WAYS)
    page.fill(
        "#bring-text", "Artist 1 – Song 1\nNobody – Knows this one\nمطبخ – أحد\nhttps://youtu.be/dQw4w9WgXcQ"
    )
    page.click("text=Bring it in")
    expect(page.locator("h1")).to_have_text("What is meant?")
    expect_no_faults(page, BOTH_WAYS)
    made = party.house.value("SELECT max(id) FROM playlist")
    guest.post("/playlists", name="Empty one")
    empty = party.house.value("SELECT max(id) FROM playlist")
    guest.post("/playlists", name="Not needed any more")
    deleted = party.house.value("SELECT max(id) FROM playlist")
    guest.post(f"/playlists/{deleted}/removal")
    guest.post(f"/playlists/{made}/sharing", share="on")
    token = party.house.value("SELECT share_token FROM playlist WHERE id = ?", made)
    entry = party.house.value("SELECT min(id) FROM playlist_entry WHERE playlist_id = ?", made)
    room = f"/rooms/{party.code}/playlists"
    look(
        page, party, "/playlists", f"/playlists/{made}", f"/playlists/{empty}", f"/playlists/{empty}/matches",
        f"/playlists/{made}/matches?search=song", f"/playlists/{made}/matches?search=song&entry={entry + 1}",
        f"/playlists?gone={deleted}", f"/playlists/{made}?gone={entry}", f"/playlists/shared/{token}",
        "/playlists/999999",
        *(f"{room}?for={purpose}" for purpose in ("line", "tonight", "empty")),
        f"{room}?for=track&item={party.items()[0]}",
    )  # fmt: skip
    guest.open_room("A second room")
    page.goto(f"{party.url}/playlists")
    expect(page.locator(f"#deleted-{deleted}")).to_contain_text("Bring back")
    page.goto(f"{party.url}/playlists/{made}")
    expect(page.locator("#playlist-sum")).to_contain_text("1 line plays from its link")
    expect(page.locator("#put-room option")).to_have_text(["A second room", "Friday"])
    expect_no_faults(page, BOTH_WAYS)
    page.click(".formats summary")
    assert page.locator(".formats a").count() == len(lists.FORMATS)
    expect_no_faults(page, OTHER_WAY)
    stranger = party.browse().page
    look(stranger, party, f"/playlists/shared/{token}", "/playlists")


def test_what_is_shared_from_a_phone_has_no_faults(party: Party) -> None:
    guest = party.begin("Ada", tracks=1)
    page = party.visit("Ada").page
    for number, words in enumerate(
        ("https://example.org/a/rather/long/address?of=a%20link", "no link at all")
    ):
        if number == 0:
            guest.open_room("A second room")
        page.goto(party.url + "/playlists/import")
        page.evaluate(
            """(text) => {
              const form = document.createElement('form');
              Object.assign(form, { method: 'post', action: '/share', enctype: 'multipart/form-data' });
              form.append(Object.assign(document.createElement('input'), { name: 'text', value: text }));
              document.body.append(form);
              form.submit();
            }""",
            words,
        )
        page.wait_for_url("**/share")
        expect_no_faults(page, BOTH_WAYS)


def test_where_people_stopped_has_no_faults(party: Party) -> None:
    guest = party.begin("Ada", tracks=2)
    seat = party.visit("Ada")
    playing = party.house.value(
        "SELECT item_id FROM playback JOIN room ON room.id = room_id WHERE code = ?", party.code
    )
    guest.post(f"/rooms/{party.code}/progress", item=playing, position_ms=40_000, duration_ms=100_000)
    assert party.house.value("SELECT count(*) FROM progress") >= 1
    look(seat.page, party, "/my-rooms")
    expect(seat.page.locator(".begun__row").first).to_be_visible()
    expect_no_faults(seat.page, OTHER_WAY)
    guest.post(f"/rooms/{party.code}/playback", action="skip")
    seat.page.goto(f"{party.url}/rooms/{party.code}")
    seat.live()
    expect_no_faults(seat.page, ONE_WAY)


def test_libraries_and_providers_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=1)
    seat = party.visit("Ada")
    look(seat.page, party, "/sources", "/spotify")
    user = become_account(party, admin=True)
    look(seat.page, party, "/sources", f"/rooms/{party.code}/shelf")
    for kind, state in (("subsonic", "ready"), ("jellyfin", "failed"), ("subsonic", "connecting")):
        change(
            party.house,
            "INSERT INTO source (user_id, kind, name, address, username, secret, options, state, failure, created_at,"
            " checked_at) VALUES (?, ?, ?, 'https://music.example.org', ?, 'x', '{}', ?, ?, 1, ?)",
            user, kind, f"{state}.example.org", "" if state == "connecting" else "ada", state,
            "That name and password are not right there." if state == "failed" else "", FAR,
        )  # fmt: skip
    failed = "UPDATE track SET provider = 'youtube', state = 'failed', failure = 'That video is private.' WHERE id = ?"
    change(party.house, failed, party.tracks[-1])
    try:
        look(seat.page, party, "/sources", f"/rooms/{party.code}/shelf", "/admin/providers")
        seat.page.goto(f"{party.url}/rooms/{party.code}")
        seat.live()
        wide(seat.page).click("#own")
        expect(seat.page.locator("#source-shelf")).to_be_visible()
        expect_no_faults(seat.page, ONE_WAY)
    finally:
        change(party.house, "UPDATE track SET provider = 'house', state = 'ready', failure = ''")


def test_files_that_may_be_deleted_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=1)
    page = party.visit("Ada").page
    user, brought = become_account(party, admin=True), party.tracks[-2:]
    for track, title in zip(brought, ("Night Bus", "مطبخ الأحد"), strict=True):
        held_by = "INSERT INTO holding (track_id, user_id, added_at) VALUES (?, ?, ?)"
        named = "UPDATE track SET is_listed = 0, title = ?, size_bytes = 7000000 WHERE id = ?"
        # In this order: at any moment the worker may give up what nobody holds.
        change(party.house, held_by, track, user, track)
        change(party.house, named, title, track)
    try:
        for path, asked in (("/account", "#files"), ("/admin/library?which=brought", ".desk__sure")):
            look(page, party, path)
            delete = page.locator(f"{asked} summary").first
            delete.scroll_into_view_if_needed()
            where = delete.bounding_box()
            delete.click()
            if path == "/account":
                assert delete.bounding_box() == where, "it stays where it was pressed"
            expect(page.locator(f"{asked} .btn--bad").first).to_be_visible()
            expect_no_faults(page, BOTH_WAYS)
    finally:
        change(party.house, "UPDATE track SET is_listed = 1, size_bytes = 0")
        change(party.house, "DELETE FROM holding")


@pytest.mark.parametrize("state", ["none", "ready", "failed", "connecting"])
def test_a_spotify_account_has_no_faults(browser: Browser, tmp_path: Path, state: str) -> None:
    with running(tmp_path, SPOTIFY_CLIENT_ID="a" * 32) as house:
        party = Party(house, browser, [])
        guest = party.begin("Ada")
        page = known(party, guest)
        look(page, party, "/spotify")
        user = become_account(party)
        options = {"may": ["play", "lists", "keep"], "code_at": FAR}
        if state != "none":
            change(
                house,
                "INSERT INTO source (user_id, kind, name, address, username, secret, options, state, failure,"
                " created_at) VALUES (?, 'spotify', 'Ada at Spotify', '', '', '', ?, ?, ?, 1)",
                user, json.dumps(options), state, "Spotify said no." if state == "failed" else "",
            )  # fmt: skip
        look(page, party, "/spotify")
        expect_no_faults(page, OTHER_WAY)
        party.close(None)
