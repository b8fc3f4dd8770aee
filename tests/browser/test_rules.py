"""Settings, suggestions, the controls and votes to skip, as two or three people see them on the real house."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.story import Party, Seat, held
from tests.browser.test_axe import ONE_WAY, OTHER_WAY, expect_no_faults
from tests.browser.test_playlists import become_account

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
PAYLOAD = "\"'><img src=x onerror=window.hit=1>"


def open_settings(seat: Seat) -> Page:
    seat.page.click("[data-open=settings]")
    expect(seat.page.locator("#settings")).to_be_visible()
    return seat.page


def toast(seat: Seat, words: str) -> None:
    expect(seat.page.locator("#toasts")).to_contain_text(words)


def test_settings_act_on_change_and_an_open_drawer_survives_whatever_comes(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    other = party.again(ada)
    page = open_settings(ada)
    page.locator("#set-name").fill("Half a na")
    page.locator("#set-name").press("End")
    open_settings(ben)
    open_settings(other)
    other.page.select_option("#set-control", "all")
    expect(ben.page.locator("#settings")).to_contain_text("Play and pauseEveryone")
    expect(page.locator("#set-control")).to_have_value("all")
    expect(page.locator("#set-name")).to_have_value("Half a na")
    expect(page.locator("#set-name")).to_be_focused()
    for seat in (ada, ben, other):
        expect(seat.page.locator("#settings")).to_be_visible()
    page.keyboard.type("me")
    page.keyboard.press("Enter")
    expect(ben.page.locator(".bar__name")).to_have_text("Half a name")
    page.check("#set-preset-class")
    for seat in (ada, other):
        expect(seat.page.locator("#set-add")).to_have_value("approval")
        expect(seat.page.locator("#set-explicit")).not_to_be_checked()
        expect(seat.page.locator("#set-preset-class")).to_be_checked()
    page.select_option("#set-add", "all")
    expect(other.page.locator("#set-preset-class")).not_to_be_checked()
    page.click("label[for=set-explicit]")
    expect(other.page.locator("#set-explicit")).to_be_checked()
    page.locator("#set-name").fill("   ")
    page.locator("#set-name").press("Tab")
    expect(page.locator("#set-name")).to_have_value("Half a name")
    assert [seat.loads for seat in (ada, ben, other)] == [1, 1, 1]


def test_a_suggestion_is_approved_and_another_declined_with_a_reason(party: Party) -> None:
    host = party.begin("Ada", tracks=2)
    host.post(f"/rooms/{party.code}/settings", add="approval")
    ada, ben = party.visit("Ada"), party.visit("Ben", viewport={"width": 390, "height": 844})
    expect(ada.page.locator("#requests-sum")).to_contain_text("Nobody just now")
    ada.page.click("#requests-sum")
    ben.page.click("#tabs [data-tab=add]")
    rows = ben.page.locator("#library-list [data-track]:has(button:not([hidden]))")
    titles = [rows.nth(at).locator(".result__title").inner_text() for at in range(3)]
    expect(rows.first.locator("button")).to_have_text("Suggest")
    for at in range(3):
        rows.nth(at).locator("button").click()
        expect(rows.nth(at).locator("button")).to_have_text("Suggested")
        expect(ada.page.locator(".tray__count")).to_have_text(str(at + 1))
    rows.nth(2).locator("button").click()
    expect(rows.nth(2).locator("button")).to_have_text("Suggest")
    asks = ada.page.locator("#requests .ask")
    expect(asks).to_have_count(2)
    asks.nth(1).locator(".ask__reason").fill(PAYLOAD)
    asks.nth(0).get_by_role("button", name=f"Approve {titles[0]}").click()
    toast(ben, f"Ada let {titles[0]} onto the line.")
    expect(asks).to_have_count(1)
    expect(ada.page.locator("#queue")).to_contain_text(titles[0])
    expect(asks.first.locator(".ask__reason")).to_have_value(PAYLOAD)
    asks.first.get_by_role("button", name=f"Not now, {titles[1]}").click()
    toast(ben, f"Ada declined {titles[1]}: {PAYLOAD}")
    assert ben.page.evaluate("() => [window.hit, document.querySelectorAll('#toasts img').length]") == [
        None,
        0,
    ]
    expect(ada.page.locator("#requests")).to_have_attribute("open", "")
    assert [seat.loads for seat in (ada, ben)] == [1, 1]
    for seat in (ada, ben):
        seat.is_fresh()


def test_a_badge_on_the_phones_tab_counts_who_waits(party: Party) -> None:
    host = party.begin("Ada", tracks=2)
    host.post(f"/rooms/{party.code}/settings", add="approval")
    ada, ben = party.visit("Ada", viewport={"width": 390, "height": 844}), party.visit("Ben")
    expect(ada.page.locator(".tabs__badge")).to_have_count(0)
    ben.page.click("#ask-control")
    expect(ada.page.locator(".tabs__badge")).to_have_text("1 waiting for your OK")
    ada.page.click("#requests-sum")
    ada.page.click("#requests .ask >> text=Not now")
    expect(ada.page.locator(".tabs__badge")).to_have_count(0)
    toast(ben, "The host keeps the controls for now.")


def test_a_guest_asks_for_the_controls_pauses_once_and_everybody_sees_who(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada, ben, cleo = party.visit("Ada").in_step(), party.visit("Ben").in_step(), party.visit("Cleo").in_step()
    ben.page.click("#ask-control")
    expect(ben.page.locator("#ask-control")).to_have_attribute("aria-pressed", "true")
    expect(cleo.page.locator("#ask-control")).to_have_attribute("aria-pressed", "false")
    ada.page.click("#requests-sum")
    ada.page.get_by_role("button", name="Once, for Ben").click()
    toast(ben, "The controls are yours")
    expect(cleo.page.locator("#now-playing")).to_contain_text("Ben has the controls")
    ben.page.click("#play")
    toast(ben, "The controls went back to the host.")
    for seat in (ada, ben, cleo):
        expect(seat.page.locator("#paused-by")).to_have_text("Paused by Ben")
    expect(ben.page.locator("#play")).to_have_count(0)
    ben.page.click("#ask-control")
    ada.page.get_by_role("button", name="For 10 minutes, Ben").click()
    expect(ben.page.locator("#play")).to_be_visible()
    ben.page.click("#play")
    expect(cleo.page.locator("#paused-by")).to_have_count(0)
    expect(cleo.page.locator("[id^=give-back]")).to_have_count(0)
    ada.page.get_by_role("button", name="Take the controls back from Ben").click()
    expect(ben.page.locator("#play")).to_have_count(0)
    for seat in (ada, ben, cleo):
        seat.is_fresh()
    assert [seat.loads for seat in (ada, ben, cleo)] == [1, 1, 1]


def test_the_room_skips_together(party: Party) -> None:
    party.begin("Ada", tracks=4)
    ada = party.visit("Ada").in_step()
    guests = [party.visit(name).in_step() for name in ("Ben", "Cleo", "Dan")]
    ben, cleo, dan = guests
    ada.page.locator("#seek").evaluate(
        "(seek) => { seek.value = 30000; seek.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    expect(dan.page.locator(".progress__elapsed")).to_have_text(re.compile("^0:[345]"))
    ben.page.click("#skip-vote")
    expect(ben.page.locator("#skip-vote")).to_have_attribute("aria-pressed", "true")
    for seat in (ada, ben, cleo):
        expect(seat.page.locator("#skip")).to_have_text("1 of 2 want the next track")
    expect(cleo.page.locator("#skip-vote")).to_have_attribute("aria-pressed", "false")
    ben.page.click("#skip-vote")
    expect(ben.page.locator("#skip-vote")).to_have_attribute("aria-pressed", "false")
    expect(cleo.page.locator("#skip")).to_be_hidden()
    title = ada.page.locator("#now-title").inner_text()
    with held(dan.page, "**/skip") as waiting:
        dan.page.click("#skip-vote")
        waiting.wait_for(1)
    cleo.page.click("#skip-vote")
    for seat in (ada, *guests):
        expect(seat.page.locator("#now-title")).not_to_have_text(title)
        expect(seat.page.locator("#skip")).to_be_hidden()
        seat.is_fresh()


def test_whoever_put_it_on_skips_it_at_once(party: Party) -> None:
    party.begin("Ada")
    ben = party.visit("Ben")
    party.guests["Ben"].add(party.code, party.tracks[:2])
    expect(ben.page.locator("#skip-words")).to_have_text("Skip your track")
    title = ben.page.locator("#now-title").inner_text()
    ben.page.click("#skip-vote")
    expect(ben.page.locator("#now-title")).not_to_have_text(title)


def test_without_script_all_of_it_works_by_forms(party: Party) -> None:
    host = party.begin("Ada", tracks=2)
    host.post(f"/rooms/{party.code}/settings", add="approval")
    guest = party.house.person("Ben")
    guest.join(party.code)
    guest.add(party.code, party.tracks[3:4])
    guest.post(f"/rooms/{party.code}/control")
    page = host.page(party.code)
    tray = page.pieces["requests"]
    assert tray.attrs["data-count"] == "2"
    actions = [node.attrs["action"] for node in tray.all() if node.tag == "form"]
    assert all("hx-post" in node.attrs for node in tray.all() if node.tag == "form")
    for action, answer in zip(actions, ({"grant": "while"}, {"decision": "approve"}), strict=True):
        host.post(action, **answer)
    assert len(party.items()) == 2


def test_the_tray_the_settings_and_the_stage_have_no_faults(party: Party) -> None:
    host = party.begin("Ada", tracks=3)
    host.post(f"/rooms/{party.code}/settings", add="approval")
    ada, ben = party.visit("Ada"), party.visit("Ben")
    party.guests["Ben"].add(party.code, party.tracks[5:7])
    ben.page.click("#ask-control")
    ada.page.click("#requests-sum")
    expect(ada.page.locator("#requests .ask")).to_have_count(3)
    for seat in (ada, ben):
        expect_no_faults(seat.page, ONE_WAY + OTHER_WAY)
    open_settings(ben)
    expect_no_faults(ben.page, ONE_WAY)
    ada.page.get_by_role("button", name="For 10 minutes, Ben").click()
    ada.page.click("#play")
    expect(ada.page.locator("#paused-by")).to_be_visible()
    expect_no_faults(ada.page, ((1440, "dark"), (1440, "light")))
    open_settings(ada)
    expect_no_faults(ada.page, ONE_WAY + OTHER_WAY)


def test_what_a_guest_may_do_changes_on_their_screen_with_the_kind_of_room(party: Party) -> None:
    party.begin("Ada", tracks=3)
    ada, ben = party.visit("Ada"), party.visit("Ben")
    ben.page.click("#search")
    add = ben.page.locator("#library-list button.btn--accent:not([hidden])")
    expect(add.first).to_have_text("Add")
    page = open_settings(ada)
    page.locator("#set-name").fill("Half a na")

    page.check("#set-preset-radio")
    expect(add).to_have_count(0)
    expect(ben.page.locator("#ask-control")).to_be_visible()
    expect(ben.page.locator("#skip-vote")).to_be_hidden()
    ben.page.reload()
    ben.live().page.click("#search")
    expect(add).to_have_count(0)
    ben.loads = 1
    page.check("#set-preset-party")
    expect(add.first).to_have_text("Add")
    expect(ben.page.locator("#play")).to_be_visible()
    page.check("#set-preset-class")
    expect(add.first).to_have_text("Suggest")
    expect(ben.page.locator("#play")).to_have_count(0)
    expect(ben.page.locator("#chat-closed")).to_have_text("Only the host and co-hosts talk just now.")
    expect(ben.page.locator("#chat-form")).to_be_hidden()
    page.select_option("#set-vote", "cohosts")
    expect(ben.page.locator("#queue .vote__up:enabled")).to_have_count(0)
    expect(page.locator("#queue .vote__up:enabled")).to_have_count(2)

    expect(page.locator("#settings")).to_be_visible()
    expect(page.locator("#set-name")).to_have_value("Half a na")
    assert [seat.loads for seat in (ada, ben)] == [1, 1]
    ben.is_fresh()


def words(page: Page) -> list[str]:
    """What an open menu of a row offers."""
    expect(page.locator("#track-menu")).to_be_visible()
    return page.locator("#track-menu [role=menuitem]").all_inner_texts()


def test_a_guest_with_an_account_saves_a_waiting_track_from_its_row_and_may_no_more_than_before(
    party: Party,
) -> None:
    party.begin("Ada", tracks=3)
    ben = party.visit("Ben", has_touch=True, viewport={"width": 390, "height": 844})
    party.guests["Ben"].add(party.code, party.tracks[5:6])
    become_account(party, "Ben")
    page = party.again(ben).page
    theirs, other, own = party.items()
    expect(page.locator(f"#queue-item-{own}")).to_have_class(re.compile("is-mine"))
    # What is in the menu of one's own row has no button beside it.
    expect(page.locator(f"#remove-{own}")).to_be_hidden()
    expect(page.locator(".track > .grip")).to_have_count(0)
    for item in (theirs, own):
        box = page.locator(f"#more-{item}").bounding_box()
        assert box and box["width"] >= 44 and box["height"] >= 44
        assert box["x"] + box["width"] <= 390
    page.locator(f"#more-{own}").tap()
    assert words(page) == ["Save this track", "Remove"]
    expect_no_faults(page, ((390, "light"), (390, "dark")))
    page.keyboard.press("Escape")
    page.focus(f"#more-{other}")
    page.keyboard.press("Enter")
    assert words(page) == ["Save this track"]
    expect(page.locator("#track-menu [data-save]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#playlist-sheet .keep__what")).to_have_text("Song 3")
    page.fill("#keep-name", "Mine")
    page.click("#keep-make")
    expect(page.locator("#notice")).to_contain_text("Song 3 is in Mine.")
    # A row that changed is marked anew.
    party.guests["Ada"].vote(party.code, other)
    expect(page.locator(f"#vote-{other} .vote__count")).to_have_text("Score 1")
    expect(page.locator(f"#more-{other}")).to_be_visible()
    party.guests["Ada"].add(party.code, party.tracks[6:7])
    expect(page.locator(f"#more-{party.items()[-1]}")).to_be_visible()
    page.locator(f"#more-{own}").tap()
    page.locator("#track-menu [data-remove]").tap()
    expect(page.locator(f"#queue-item-{own}")).to_have_count(0)
    expect(page.locator("#notice")).to_contain_text("Removed Song 6.")
    # Whoever may move rows, and may not take them off, has the handle; and that menu.
    party.guests["Ada"].post(f"/rooms/{party.code}/settings", reorder="all")
    expect(page.locator(f"#more-{theirs}")).to_have_count(0)
    page.locator(f"#grip-{theirs}").tap()
    assert words(page) == ["Move up", "Move down", "Play next", "Save this track"]


def test_a_guest_without_an_account_has_no_menu_on_a_row_and_takes_off_their_own(party: Party) -> None:
    party.begin("Ada", tracks=3)
    cleo = party.visit("Cleo")
    party.guests["Cleo"].add(party.code, party.tracks[5:6])
    theirs, _, own = party.items()
    expect(cleo.page.locator(f"#remove-{own}")).to_be_visible()
    for item in (theirs, own):
        expect(cleo.page.locator(f"#more-{item}")).to_be_hidden()
    expect(cleo.page.locator(f"#remove-{theirs}")).to_be_hidden()
    ada = party.visit("Ada").page
    ada.click(f"#grip-{theirs}")
    assert words(ada) == ["Move up", "Move down", "Play next", "Remove"]
    party.guests["Ada"].post(f"/rooms/{party.code}/settings", reorder="all")
    cleo.page.click(f"#grip-{own}")
    assert words(cleo.page) == ["Move up", "Move down", "Play next", "Remove"]
