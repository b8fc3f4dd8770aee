"""Where somebody stopped: kept while they listen, offered when they are back, watched alone, rejoined by a tap."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.patience import eventually
from tests.browser.story import Party, Seat

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser

WANTED = "() => partyline.player.wantedMs()"
PLACE = "() => partyline.player.media.currentTime * 1000"
STARTS = "() => [partyline.player.starts, partyline.player.seeks]"


def seek(seat: Seat, ms: int) -> None:
    """The host moves the room to a place."""
    seat.page.evaluate(
        """(ms) => {
          const seek = document.getElementById('seek');
          seek.value = ms;
          seek.dispatchEvent(new Event('change', { bubbles: true }));
        }""",
        ms,
    )
    seat.page.wait_for_function(
        "(ms) => Number(document.getElementById('playback').dataset.positionMs) === ms", arg=ms
    )


def kept(party: Party) -> list[tuple[str, int]]:
    return party.house.rows(
        "SELECT display_name, position_ms FROM progress JOIN person ON person.id = user_id "
        "JOIN room ON room.id = room_id WHERE room.code = ? ORDER BY progress.id",
        party.code,
    )


def closes(party: Party, seat: Seat, least_ms: int) -> int:
    """The page says where it is as pages do that are closed; the house writes every five seconds at most."""

    def said() -> int:
        seat.page.evaluate("() => dispatchEvent(new Event('pagehide'))")
        at = dict(kept(party)).get("Cleo", -1)
        return at if at >= least_ms else 0

    stopped = eventually(seat.page, said)
    seat.page.goto("about:blank")
    return int(stopped)


def test_whoever_comes_back_late_watches_alone_from_there_and_rejoins_with_one_tap(party: Party) -> None:
    party.begin("Ada", tracks=2)
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    seek(ada, 8_000)
    cleo.in_step()
    stopped = closes(party, cleo, 8_000)
    # Ada goes on, a good minute further.
    seek(ada, (stopped // 1_000 + 70) * 1_000)
    ada.in_step()
    version = ada.page.evaluate("() => document.getElementById('playback').dataset.version")

    cleo.page.goto(f"{party.url}/rooms/{party.code}")
    cleo.live().in_step()
    box = cleo.page.locator("#alone")
    expect(box).to_contain_text(re.compile(r"You stopped at 0:\d\d\. The room is at 1:\d\d\."))
    expect(cleo.page.locator("#alone-rejoin")).to_be_hidden()
    before = ada.page.evaluate(STARTS)
    cleo.page.click("#alone-start")
    expect(box).to_contain_text(re.compile(r"You’re watching alone, 1:\d\d behind\."))
    expect(cleo.page.locator("#sync-badge")).to_have_text("watching alone")
    expect(cleo.page.locator("#alone-rejoin")).to_be_focused()
    cleo.page.wait_for_function(
        f"(stopped) => !partyline.player.media.paused && Math.abs(({PLACE})() - stopped) < 15_000",
        arg=stopped,
    )
    cleo.page.click("#alone-pause")
    cleo.page.wait_for_function("() => partyline.player.media.paused")
    expect(cleo.page.locator("#alone-play")).to_be_focused()
    cleo.page.click("#alone-play")
    cleo.page.wait_for_function("() => !partyline.player.media.paused")
    # What the room hears while somebody watches alone is what it heard before.
    assert ada.page.evaluate(STARTS) == before
    assert ada.page.evaluate("() => document.getElementById('playback').dataset.version") == version

    cleo.page.click("#alone-rejoin")
    expect(box).to_be_hidden()
    cleo.in_step()
    apart = "() => Math.abs(partyline.player.wantedMs() - partyline.player.roomMs())"
    cleo.page.wait_for_function(f"() => ({apart})() < 1_000 && partyline.player.alone === null")
    assert ada.page.evaluate(STARTS) == before


def test_staying_with_the_room_is_asked_once(party: Party) -> None:
    party.begin("Ada", tracks=1)
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    closes(party, cleo, 1)
    seek(ada, 80_000)
    cleo.page.goto(f"{party.url}/rooms/{party.code}")
    cleo.live()
    cleo.page.click("#alone-close")
    expect(cleo.page.locator("#alone")).to_be_hidden()
    cleo.in_step()
    assert cleo.page.evaluate("() => partyline.player.alone") is None


def begun(party: Party, name: str, item: int, ms: int) -> None:
    """Somebody got so far with an item another time."""
    answer = party.guests[name].post(f"/rooms/{party.code}/progress", item=item, position_ms=ms)
    assert answer.status == 204


STARTS_WITH = re.compile(r"^You stopped at 1:2\d\. The room is at 0:\d\d\.")


def test_what_was_begun_and_is_put_on_while_the_page_is_open_is_offered_and_one_takes_everybody_there(
    party: Party,
) -> None:
    party.begin("Ada", tracks=3)
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    first, second = party.items()
    begun(party, "Ada", first, 80_000)
    begun(party, "Cleo", first, 85_000)
    expect(ada.page.locator("#alone")).to_be_hidden()
    saved: list[str] = []
    for seat in (ada, cleo):
        seat.page.on("request", lambda request: saved.append(request.post_data or ""))
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    for seat in (ada, cleo):
        expect(seat.page.locator("#alone-words")).to_have_text(STARTS_WITH)
        expect(seat.page.locator("#alone-start")).to_be_visible()
        seat.in_step()
        # The page saves once a second; the first seconds of what plays do not take the place of what is offered.
        seat.page.wait_for_function("() => partyline.player.roomMs() > 2_500")
    assert not any(f"item={first}&" in body for body in saved)
    assert sorted(ms for _, ms in kept(party) if ms >= 80_000) == [80_000, 85_000]
    # Cleo may not move the room.
    expect(cleo.page.locator("#alone-everyone")).to_be_hidden()

    loads = [seat.loads for seat in (ada, cleo)]
    ada.page.get_by_role("button", name="Everyone from there").click()
    for seat in (ada, cleo):
        seat.page.wait_for_function(
            "() => document.getElementById('playback').dataset.positionMs === '80000'"
        )
    expect(ada.page.locator("#alone")).to_be_hidden()
    # The room plays on to where Cleo was, and then there is nothing to go back to.
    expect(cleo.page.locator("#alone")).to_be_hidden()
    for seat in (ada, cleo):
        seat.in_step()
        assert seat.page.evaluate("() => partyline.player.alone") is None
    assert [seat.loads for seat in (ada, cleo)] == loads

    # Neither who never began it nor who heard it to its end is asked.
    begun(party, "Cleo", second, 99_000)
    with cleo.page.expect_response("**/progress?item=*") as asked:
        party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    assert asked.value.status == 204
    for seat in (ada, cleo):
        seat.page.wait_for_function("(item) => partyline.player.item === item", arg=str(second))
        seat.in_step()
        expect(seat.page.locator("#alone")).to_be_hidden()


def test_everyone_from_there_does_nothing_to_a_room_that_was_moved_meanwhile(party: Party) -> None:
    party.begin("Ada", tracks=2)
    ada = party.visit("Ada").in_step()
    [second] = party.items()
    begun(party, "Ada", second, 80_000)
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    expect(ada.page.locator("#alone-words")).to_have_text(STARTS_WITH)
    seen = "() => document.getElementById('alone-everyone').elements.version.value"
    assert ada.page.evaluate(seen) == ada.page.evaluate(
        "() => document.getElementById('playback').dataset.version"
    )
    ada.page.evaluate("() => { document.getElementById('alone-everyone').elements.version.value = '1'; }")
    with ada.page.expect_response("**/playback") as answer:
        ada.page.evaluate("() => document.querySelector('#alone-everyone button').click()")
    assert answer.value.status == 409
    expect(ada.page.locator("#alone-start")).to_be_visible()
    assert ada.page.evaluate("() => partyline.player.roomMs()") < 60_000


def test_nobody_who_listened_along_is_asked_anything_and_my_rooms_leads_back(party: Party) -> None:
    party.begin("Ada", tracks=1)
    cleo = party.visit("Cleo").in_step()
    ada = party.visit("Ada").in_step()
    seek(ada, 40_000)
    cleo.in_step()
    expect(cleo.page.locator("#alone")).to_be_hidden()
    closes(party, cleo, 40_000)
    cleo.page.goto(f"{party.url}/my-rooms")
    expect(cleo.page.get_by_role("heading", name="Continue where you stopped")).to_be_visible()
    cleo.page.click(".begun__row a")
    cleo.live().in_step()
