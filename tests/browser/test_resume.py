"""Where somebody stopped: kept while they listen, offered when they are back, watched alone, rejoined by a tap."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Route, expect

from tests.browser.frame_room import inside, make_embeds, serving
from tests.browser.patience import PATIENCE_SECONDS, eventually
from tests.browser.story import SAMPLE_RATE, Party, Seat
from tests.live.servers import House, running

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser

WANTED = "() => partyline.player.wantedMs()"
PLACE = "() => partyline.player.media.currentTime * 1000"
STARTS = "() => [partyline.player.starts, partyline.player.seeks]"
# As if so long had gone by on this device.
LATER = "(ms) => { const { now } = Date; Date.now = () => now.call(Date) + ms; }"
# This device keeps up no longer, or again.
STALLS = """() => {
  const state = Object.getOwnPropertyDescriptor(partyline.player, 'state');
  window.GOES_ON = () => Object.defineProperty(partyline.player, 'state', state);
  Object.defineProperty(partyline.player, 'state', { get: () => 'buffering', configurable: true });
}"""
GOES_ON = "() => GOES_ON()"


LONG_SECONDS = 400


@pytest.fixture(scope="module")
def real_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One that knows somebody's players of films and series."""
    with serving(make_embeds(), ssl_context="adhoc") as port:
        films = f"https://localhost:{port}"
        templates = f"fake={films}/movie/{{id}}|{films}/tv/{{id}}/{{season}}/{{episode}}"
        folder = tmp_path_factory.mktemp("house")
        with running(folder, worker=True, EMBED_PROVIDERS=templates) as house:
            yield house


@pytest.fixture(scope="module")
def long(real_house: House, tracks: list[int]) -> list[int]:
    """Tracks that do not end while a slow machine looks at their middle."""
    tone = 0.05 * np.sin(2 * np.pi * 220 * np.arange(LONG_SECONDS * SAMPLE_RATE) / SAMPLE_RATE)
    soundfile.write(real_house.folder / "media" / "audio" / "long.mp3", tone, SAMPLE_RATE, format="MP3")
    connection = sqlite3.connect(real_house.database, timeout=PATIENCE_SECONDS)
    with connection:
        for track in tracks[-2:]:
            connection.execute(
                "UPDATE track SET media_file = 'audio/long.mp3', duration_ms = ? WHERE id = ?",
                (LONG_SECONDS * 1000, track),
            )
    connection.close()
    return tracks[-2:]


def begin(party: Party, tracks: list[int]) -> None:
    """Ada opens a room with these."""
    party.begin("Ada")
    party.guests["Ada"].add(party.code, tracks)


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


def looked(seat: Seat) -> None:
    """The page has looked once a second at where its person is."""
    # Seconds as the page itself counts them, however busy the machine is.
    seat.page.evaluate("""async () => {
      for (let looks = 0; looks < 3; looks += 1) await new Promise((done) => setTimeout(done, 1000));
    }""")


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


def heard_on(seat: Seat, before: list[int]) -> None:
    """Nothing interrupted it. A machine too busy to play on makes up for that by a seek, which is a start or two."""
    starts, seeks = seat.page.evaluate(STARTS)
    assert starts - before[0] <= 2 * (seeks - before[1])


def test_whoever_comes_back_late_watches_alone_from_there_and_rejoins_with_one_tap(
    party: Party, long: list[int]
) -> None:
    begin(party, long)
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
    expect(box).to_contain_text(re.compile(r"You stopped at 0:\d\d\. The room is at [1-3]:\d\d\."))
    expect(cleo.page.locator("#alone-rejoin")).to_be_hidden()
    before = ada.page.evaluate(STARTS)
    cleo.page.click("#alone-start")
    expect(box).to_contain_text(re.compile(r"You’re watching alone, [1-3]:\d\d behind\."))
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
    heard_on(ada, before)
    assert ada.page.evaluate("() => document.getElementById('playback').dataset.version") == version

    cleo.page.click("#alone-rejoin")
    expect(box).to_be_hidden()
    cleo.in_step()
    apart = "() => Math.abs(partyline.player.wantedMs() - partyline.player.roomMs())"
    cleo.page.wait_for_function(f"() => ({apart})() < 1_000 && partyline.player.alone === null")
    heard_on(ada, before)


def test_staying_with_the_room_is_asked_once(party: Party, long: list[int]) -> None:
    begin(party, long)
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


STARTS_WITH_80 = re.compile(r"^You stopped at 1:20\. The room is at 0:\d\d\.")
STARTS_WITH = re.compile(r"^You stopped at 1:2\d\. The room is at 0:\d\d\.")


def test_what_was_begun_and_is_put_on_while_the_page_is_open_is_offered_and_one_takes_everybody_there(
    party: Party, long: list[int]
) -> None:
    begin(party, [party.tracks[0], long[0], party.tracks[1]])
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


def ends(party: Party, item: int) -> list[tuple[int, int]]:
    """How far Cleo got with an item, and whether that is its end."""
    return party.house.rows(
        "SELECT progress.position_ms, is_done FROM progress JOIN person ON person.id = user_id "
        "JOIN item ON item.track_id = progress.track_id AND item.room_id = progress.room_id "
        "WHERE display_name = 'Cleo' AND item.id = ?",
        item,
    )


def skip(party: Party, seat: Seat, item: int) -> None:
    """The host goes on to this item, which somebody hears."""
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    seat.page.wait_for_function("(item) => partyline.player.item === item", arg=str(item))
    seat.in_step()


def test_a_song_heard_to_its_end_is_done_and_one_begun_is_listed_until_the_room_skips_it(
    party: Party,
) -> None:
    party.begin("Ada", tracks=4)
    first, second, third = party.items()
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    skip(party, cleo, first)
    since = time.monotonic()
    seek(ada, 50_000)
    cleo.in_step()

    def said() -> bool:
        cleo.page.evaluate("() => dispatchEvent(new Event('pagehide'))")
        return any(ms >= 50_000 for ms, _ in ends(party, first))

    eventually(cleo.page, said)
    other = party.again(cleo).page
    other.goto(f"{party.url}/my-rooms")
    expect(other.locator(".begun__row")).to_have_count(1)
    expect(other.locator(".begun__meta")).to_contain_text(re.compile(r"[01]:\d\d of 1:40"))
    skip(party, cleo, second)
    most = 50_000 + (time.monotonic() - since) * 1000
    seek(ada, 85_000)
    cleo.in_step()
    # The room's own clock ends it, and the next one begins.
    cleo.page.wait_for_function("(item) => partyline.player.item === item", arg=str(third))
    eventually(cleo.page, lambda: ends(party, second) == [(100_000, 1)])
    [(left, is_done)] = ends(party, first)
    assert 50_000 <= left <= most and not is_done
    other.reload()
    expect(other.get_by_role("heading", name="My rooms")).to_be_visible()
    expect(other.locator(".begun__row")).to_have_count(0)


@pytest.mark.parametrize(("from_ms", "is_done"), [(71_000, 1), (94_000, 0)])
def test_who_follows_to_the_end_beside_an_offer_is_done_but_not_for_the_last_seconds(
    party: Party, from_ms: int, is_done: int
) -> None:
    party.begin("Ada", tracks=3)
    first, second = party.items()
    ada = party.visit("Ada").in_step()
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="skip")
    party.guests["Cleo"] = party.house.person("Cleo")
    party.guests["Cleo"].join(party.code)
    begun(party, "Cleo", first, 10_000)
    ada.page.wait_for_function("(item) => partyline.player.item === item", arg=str(first))
    # The room stands still until Cleo is there, however long that takes.
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="pause")
    ada.page.wait_for_function("() => partyline.player.state === 'paused'")
    seek(ada, from_ms)
    cleo = party.visit("Cleo")
    expect(cleo.page.locator("#alone-words")).to_contain_text("You stopped at 0:10.")
    with cleo.page.expect_request("**/progress?item=*"):
        party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="play")
        cleo.page.wait_for_function("(item) => partyline.player.item === item", arg=str(second))
    cleo.in_step()
    # What is played now is saved after what ended, if that is.
    eventually(cleo.page, lambda: ends(party, second))
    assert ends(party, first) == [(100_000 if is_done else 10_000, is_done)]


def test_an_offer_is_open_until_the_room_comes_there_or_was_followed_for_two_minutes(party: Party) -> None:
    party.begin("Ada", tracks=1)
    seat = party.visit("Ada")
    decide = """([seconds, leap, stopped]) => {
      const { followedMs, isOpen } = partyline.resume;
      let before = { item: '1', positionMs: 600_000, at: 0 }, offer = { item: '1', positionMs: stopped, followedMs: 0 };
      offer.isAhead = stopped > before.positionMs;
      for (let look = 1; look <= seconds; look += 1) {
        const positionMs = before.positionMs + 1_000 + (look === 30 ? leap : 0);
        const now = { item: '1', positionMs, at: before.at + 1_000 };
        offer.followedMs += followedMs(before, now);
        before = now;
      }
      return isOpen(offer, '1', before.positionMs);
    }"""
    for seconds, leap, stopped, is_open in (
        (119, 0, 100_000, True),
        (120, 0, 100_000, False),
        (120, 400_000, 100_000, True),
        (120, -300_000, 100_000, True),
        (121, 400_000, 100_000, False),
        (50, -550_000, 100_000, False),
        (60, 0, 700_000, True),
        (99, 0, 700_000, False),
    ):
        assert seat.page.evaluate(decide, [seconds, leap, stopped]) == is_open, (seconds, leap, stopped)
    both = "([one, other]) => partyline.resume.followedMs(one, other)"
    one = {"item": "1", "positionMs": 5_000, "at": 0}
    for other, followed in (
        ({"item": "1", "positionMs": 6_000, "at": 1_000}, 1_000),
        ({"item": "2", "positionMs": 6_000, "at": 1_000}, 0),
        ({"item": "1", "positionMs": 6_000, "at": 1_000, "isAlone": True}, 0),
        ({"item": "1", "positionMs": 5_000, "at": 900}, 0),
        ({"item": "1", "positionMs": 64_000, "at": 59_000}, 59_000),
        ({"item": "1", "positionMs": 65_000, "at": 60_000}, 0),
    ):
        assert seat.page.evaluate(both, [one, other]) == followed, other
    reaches = """([left, away]) => partyline.resume.reachesEnd(
      { durationMs: 200_000, positionMs: 200_000 - left, at: 0 }, away)"""
    for left, away, is_done in (
        (900, 0, True),
        (1_100, 0, False),
        (25_000, 1_000, False),
        (25_000, 24_000, True),
        (61_000, 900_000, True),
        (61_001, 900_000, False),
    ):
        assert seat.page.evaluate(reaches, [left, away]) == is_done, (left, away)
    assert not seat.page.evaluate(
        "() => partyline.resume.reachesEnd({ durationMs: 0, positionMs: 0, at: 0 }, 9)"
    )


def test_who_stays_with_the_room_is_asked_anew_after_another_absence(party: Party, long: list[int]) -> None:
    begin(party, long[:1])
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    words = cleo.page.locator("#alone-words")

    def is_away(from_ms: int, to_ms: int) -> None:
        seek(ada, from_ms)
        within = (
            "(from) => partyline.player.roomMs() > from + 2_500 && partyline.player.roomMs() < from + 50_000"
        )
        cleo.page.wait_for_function(within, arg=from_ms)
        cleo.in_step()
        looked(cleo)
        cleo.page.evaluate(STALLS)
        seek(ada, to_ms)
        cleo.page.wait_for_function("(ms) => partyline.player.roomMs() > ms", arg=to_ms)
        cleo.page.evaluate(LATER, 70_000)

    is_away(1_000, 80_000)
    expect(words).to_contain_text(re.compile(r"You stopped at 0:\d\d\. The room is at [1-4]:\d\d\."))
    cleo.page.click("#alone-close")
    looked(cleo)
    expect(cleo.page.locator("#alone")).to_be_hidden()
    cleo.page.evaluate(GOES_ON)
    is_away(12_000, 88_000)
    expect(words).to_contain_text(re.compile(r"You stopped at 0:[1-5]\d\. The room is at [1-4]:\d\d\."))


def test_a_leap_of_the_hosts_after_a_long_pause_is_no_absence(party: Party, long: list[int]) -> None:
    begin(party, long[:1])
    ada, cleo = party.visit("Ada").in_step(), party.visit("Cleo").in_step()
    seek(ada, 1_000)
    cleo.in_step()
    looked(cleo)
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="pause")
    cleo.page.wait_for_function("() => partyline.player.state === 'paused'")
    cleo.page.evaluate(LATER, 70_000)
    looked(cleo)
    seek(ada, 85_000)
    party.guests["Ada"].post(f"/rooms/{party.code}/playback", action="play")
    cleo.page.wait_for_function("() => partyline.player.roomMs() > 85_000")
    looked(cleo)
    assert cleo.page.locator("#alone").is_hidden()


def test_a_house_in_trouble_is_asked_again_before_anything_is_saved(party: Party) -> None:
    party.begin("Ada", tracks=2)
    cleo = party.visit("Cleo").in_step()
    [second] = party.items()
    begun(party, "Cleo", second, 80_000)
    troubles = [429, 503]
    saved: list[str] = []
    cleo.page.on("request", lambda request: saved.append(request.post_data or ""))

    def answer(route: Route) -> None:
        if troubles:
            route.fulfill(status=troubles.pop(0), body="")
        else:
            route.continue_()

    cleo.page.route("**/progress?item=*", answer)
    skip(party, cleo, second)
    expect(cleo.page.locator("#alone-words")).to_have_text(STARTS_WITH_80)
    assert not troubles
    assert not any(f"item={second}&" in body for body in saved)
    assert ends(party, second) == [(80_000, 0)]
    known = {
        status: cleo.page.evaluate("(status) => partyline.resume.isAnswer(status)", status)
        for status in (None, 200, 204, 403, 404, 408, 410, 429, 500, 503)
    }
    assert [status for status, is_answer in known.items() if not is_answer] == [None, 408, 429, 500, 503]


def filmed(party: Party, name: str) -> list[tuple[int, int, int]]:
    """How far somebody got with what plays in a frame, how long it is, and whether that is its end."""
    return party.house.rows(
        "SELECT position_ms, progress.duration_ms, is_done FROM progress JOIN person ON person.id = user_id "
        "JOIN room ON room.id = room_id JOIN track ON track.id = track_id "
        "WHERE display_name = ? AND room.code = ? AND track.player = 'embed'",
        name,
        party.code,
    )


def test_what_a_frame_says_of_itself_is_kept_and_its_end_counts_as_seen(party: Party) -> None:
    ada = party.begin("Ada")
    ada.post(f"/rooms/{party.code}/links", link="fake:movie:603")
    seats = [party.visit(name, ignore_https_errors=True) for name in ("Cleo", "Ben")]
    cleo, ben = (inside(seat.page) for seat in seats)
    assert cleo.url.startswith("https://localhost:") and "/movie/603" in cleo.url
    cleo.evaluate("fake.say({ event: 'time', currentTime: 1200.5, duration: 6000 })")
    eventually(seats[0].page, lambda: filmed(party, "Cleo") == [(1_200_500, 6_000_000, 0)])
    assert "Continue where you stopped" in party.guests["Cleo"].ask("GET", "/my-rooms").text
    cleo.evaluate("fake.say({ event: 'ended' })")
    eventually(seats[0].page, lambda: filmed(party, "Cleo") == [(6_000_000, 6_000_000, 1)])
    # Ben’s frame said nothing: nobody knows how far he got.
    assert filmed(party, "Ben") == []
    ben.evaluate("fake.say({ event: 'ended' })")
    [(position, length, is_done)] = eventually(seats[1].page, lambda: filmed(party, "Ben"))
    assert is_done and position == length
    assert "Continue where you stopped" not in party.guests["Cleo"].ask("GET", "/my-rooms").text
