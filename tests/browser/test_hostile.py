"""T3, T4 in Chromium: hostile texts arrive live and on fresh pages of the real house; nothing runs, no tree changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.hostile_page import PARSED, TRAP, UNGUARDED, Hostile, caught, guard, outline, same
from tests.browser.story import Party, Seat
from tests.doors import make_app
from tests.live.servers import Guest
from tests.payloads import PAYLOADS
from tests.stage import Cast
from tests.web.hostile_fields import KEPT
from tests.web.hostile_surfaces import forget, surfaces
from tests.web.hostile_world import World, keep_still, make_world

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser
# Every fourth of them: all 150 go through Chromium's parser above, here it is about how they arrive.
NAMES, ROOMS, TITLES, SAID = (
    [text for text in KEPT[kind] if text][::4] for kind in ("name", "room name", "title", "message")
)
CREW = len(NAMES)
RENAMES, LINE = 4, 16

PIECES = [
    "#title",
    "#banner",
    "#now-playing",
    "#queue > *",
    "#queue-sum",
    "#requests",
    "#people",
    "#history",
    "#mini",
]
TALK = "#chat-list > [id^=message-]"
ROOM = [
    *PIECES,
    TALK,
    "head > :not(script)",
    "#settings",
    "#share",
    "#chat-list > li",
    "#library",
    "#history",
    "#mine",
]
WHOLE = ["html"]
# A page marks itself as painted two frames after its scripts (ui.js); those without scripts never do.
IS_PAINTED = """() => document.documentElement.classList.contains('is-ready')
  || !document.querySelector('script[src*="/js/ui"]')"""


def sit(party: Party, guest: Guest | None) -> tuple[Seat, list[str]]:
    """A browser of this person, or of nobody yet, with the trap in every page; and what it asked for elsewhere."""
    seat = party.browse()
    seat.page.context.add_init_script(TRAP)
    if guest:
        session, value = guest.cookie.split("=", 1)
        seat.page.context.add_cookies([{"name": session, "value": value, "url": party.url}])
    return seat, guard(party, seat)


@pytest.fixture
def world(cast: Cast, time: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    keep_still(monkeypatch)
    forget()
    yield make_world(cast, time)
    forget()


@pytest.mark.timeout(900)
def test_every_page_of_every_turn_is_one_tree_to_a_real_parser(browser: Browser, world: World) -> None:
    page = browser.new_page()
    page.add_init_script(TRAP)
    page.goto("about:blank")
    narrow, _ = surfaces(make_app(), world)
    # What is sent as JSON no browser takes for a page.
    narrow = {name: show for name, show in narrow.items() if not name.endswith(".json")}
    plain, wrong = {name: show() for name, show in narrow.items()}, []
    for turn in range(len(PAYLOADS)):
        world.take_turn(turn)
        forget()
        found = {name: show() for name, show in narrow.items()}
        wrong += [
            (turn, name)
            for name in page.evaluate(PARSED, {"plain": plain if not turn else {}, "found": found})
        ]
    ran = caught(page)
    print(
        f"\n{len(PAYLOADS)} turns, {len(narrow)} surfaces: {len(PAYLOADS) * len(narrow)} trees, "
        f"{len(wrong)} differ, {len(ran)} ran"
    )
    assert (wrong, ran) == ([], {})
    # The same texts as they are do run here: the trap would have told.
    page.evaluate(UNGUARDED, [payload.text for payload in PAYLOADS])
    page.wait_for_function("() => trap.ran.length >= 10 && trap.foreign.length >= 100")
    page.close()


@pytest.mark.timeout(300)
def test_hostile_texts_run_nothing_live_and_leave_every_page_its_tree(party: Party) -> None:
    hostile, house = Hostile(party.house), party.house
    crew, tracks = hostile.crew(NAMES), hostile.tracks()
    host, *guests = crew
    party.code = code = host.open_room(ROOMS[0])
    (ada, ada_asked), (ben, ben_asked) = sit(party, host), sit(party, guests[0])
    for seat in (ada, ben):
        seat.page.goto(f"{party.url}/rooms/{code}")
        seat.live()
    everybody_talks_and_adds(code, crew, tracks)
    the_host_is_busy(party, ada, host, guests[0])
    others = the_host_refuses(party, host, guests, tracks)
    head = house.head(code)
    for seat, person in ((ada, host), (ben, guests[0])):
        seat.page.wait_for_function(
            "(head) => Number(document.getElementById('frame').dataset.to) >= head", arg=head
        )
        is_as_a_fresh_page(party, seat, person)
    heard = ada.page.evaluate("() => [...trap.heard]")
    counts = [sum(each.startswith(kind) for each in heard) for kind in ("message-", "queue-item-")]
    assert counts[0] >= CREW and counts[1] >= LINE, counts
    paths = walk_of(party, host, others)
    # A track that ended between the two walks would change pages, and the order of one's rooms.
    host.post(f"/rooms/{code}/playback", action="pause")
    before = walked(party, paths)
    hostile.make_harmless()
    after = walked(party, paths)
    for name, trees in before.items():
        for selector, found in trees.items():
            same(f"{name} {selector}", found, after[name][selector])
    for seat in (ada, ben):
        # Both were open all the time, so that nobody counts as away.
        assert (caught(seat.page), seat.loads) == ({}, 1)
    assert ada_asked == ben_asked == []
    print(
        f"\nlive: {CREW} names, {CREW} messages, {LINE + 1} titles, {RENAMES} room names, 2 screens; "
        f"fresh: {len(paths)} pages, hostile and harmless; scripts run 0, stopped 0, trees that differ 0"
    )


def everybody_talks_and_adds(code: str, crew: list[Guest], tracks: list[int]) -> None:
    """Each says one of the texts, and puts on a track whose title is one."""
    for number, guest in enumerate(crew):
        # A message beginning with a slash is a command; none of them does.
        guest.post(f"/rooms/{code}/messages", text=SAID[number])
        if number <= LINE:
            guest.add(code, [tracks[number]])


def the_host_is_busy(party: Party, seat: Seat, host: Guest, guest: Guest) -> None:
    """New names for the room and its host, votes and skips, each seen on the screen before the next."""
    for number, item in enumerate(party.items()[:RENAMES]):
        host.post(f"/rooms/{party.code}/settings", name=ROOMS[number + 1])
        host.post("/guest", display_name=f"{NAMES[-1 - number][:45]} zq")
        guest.vote(party.code, item)
        host.post(f"/rooms/{party.code}/playback", action="skip")
        name = party.house.value("SELECT name FROM room WHERE code = ?", party.code)
        seat.page.wait_for_function(
            "(name) => document.querySelector('#title h1').textContent === name", arg=name
        )


def the_host_refuses(party: Party, host: Guest, guests: list[Guest], tracks: list[int]) -> dict[str, Any]:
    """Bans and declined wishes with hostile reasons, somebody at the door, an invitation, a room that ended."""
    code, rows = party.code, party.house.rows
    seats = {
        name: seat
        for seat, name in rows("SELECT m.id, p.display_name FROM member m JOIN person p ON p.id = m.user_id")
    }
    for number, guest in enumerate(guests[1:11]):
        host.post(f"/rooms/{code}/people/{seats[guest.name]}/ban", reason=TITLES[number * 3][:200])
    host.post(f"/rooms/{code}/settings", add="approval")
    wishes = [track for (track,) in rows("SELECT id FROM track WHERE id NOT IN (SELECT track_id FROM item)")]
    wishes += [track for (track,) in rows("SELECT track_id FROM item WHERE state = 'played'")]
    for guest, track in zip([guests[0], *guests[20:24]], wishes[:5], strict=True):
        guest.post(f"/rooms/{code}/suggestions", track_id=track)
    first = rows("SELECT id FROM suggestion ORDER BY id")[0][0]
    host.post(f"/rooms/{code}/suggestions/{first}", decision="decline", reason=TITLES[15])
    host.post(f"/rooms/{code}/access", visibility="unlisted", entry="approval")
    knocker = Hostile(party.house).crew([NAMES[30]])[0]
    knocker.post(f"/rooms/{code}/knock")
    made = host.ask("POST", f"/rooms/{code}/invites", {}, {})
    over = host.open_room(ROOMS[-1])
    host.add(over, tracks[:2])
    host.post(f"/rooms/{over}/end")
    link = made.text.split('href="/invites/')[1].split('"')[0]
    return {
        "banned": guests[1],
        "knocker": knocker,
        "guest": guests[0],
        "invite": f"/invites/{link}",
        "over": over,
    }


def is_as_a_fresh_page(party: Party, seat: Seat, person: Guest) -> None:
    """What came by pushes stands as it would on a page loaded now."""
    fresh, asked = sit(party, person)
    fresh.page.goto(f"{party.url}/rooms/{party.code}")
    fresh.live()
    live, wanted = outline(seat.page, [*PIECES, TALK]), outline(fresh.page, [*PIECES, TALK])
    live[TALK] = live[TALK][-len(wanted[TALK]) :]
    for selector in [*PIECES, TALK]:
        same(selector, live[selector], wanted[selector])
    assert (caught(fresh.page), asked) == ({}, [])
    fresh.page.close()


def walk_of(party: Party, host: Guest, others: dict[str, Any]) -> list[tuple[str, Guest | None]]:
    """Every page that shows somebody's words, and who opens it."""
    with Hostile(party.house).database() as connection:
        name = connection.execute("SELECT user_id FROM member WHERE role = 'host' LIMIT 1").fetchone()[0]
        connection.execute("UPDATE person SET is_admin = 1, email = 'ada@example.org' WHERE id = ?", (name,))
    room, shared = f"/rooms/{party.code}", Hostile(party.house).bring(name)
    own = [
        "/playlists",
        "/playlists/1",
        "/playlists/1?page=2",
        f"{room}/playlists",
        "/sources",
        f"{room}/shelf",
        "/admin/providers",
        "/",
        "/my-rooms",
        "/account",
        "/library",
        f"/library?room={party.code}",
        f"{room}/log",
        f"/rooms/{others['over']}",
    ]
    own += [f"/admin/{name}" for name in ("rooms", "people", "people?page=2", "people?page=3", "audit")]
    own += [f"/admin/library?page={page}" for page in (1, 2, 3)] + [f"{room}?tab=people"]
    own += [f"/library?search={quote_plus(text)}" for text in (TITLES[14], TITLES[20], TITLES[30])]
    strangers: list[tuple[str, Guest | None]] = [
        (f"/playlists/shared/{shared}", None),
        (room, others["banned"]),
        (f"{room}/knock", others["knocker"]),
        (room, others["guest"]),
        (others["invite"], None),
    ]
    return [*((path, host) for path in own), *strangers, (room, None), ("/?search=%22%3E%3Cscript%3E", None)]


def walked(party: Party, paths: list[tuple[str, Guest | None]]) -> dict[str, dict[str, list[str]]]:
    """The tree of each page; nothing ran on any."""
    found: dict[str, dict[str, list[str]]] = {}
    for who in {person for _, person in paths}:
        seat, asked = sit(party, who)
        for path in [path for path, person in paths if person is who]:
            seat.page.goto(f"{party.url}{path}", wait_until="load")
            is_room = seat.page.locator("#live").count() > 0
            if is_room:
                seat.live()
                open_what_is_closed(seat.page)
            seat.page.wait_for_function(IS_PAINTED)
            found[f"{who.name if who else 'nobody'} {path}"] = outline(seat.page, ROOM if is_room else WHOLE)
            assert caught(seat.page) == {}, path
        assert asked == []
        seat.page.close()
    return found


def open_what_is_closed(page: Page) -> None:
    """The dialogs whose lists are fetched when they open: invitations and bans."""
    if page.locator("#invites-place").count() == 0:
        return
    for dialog, inside in (("share", "#invites > li"), ("settings", "#bans > li")):
        page.evaluate("(id) => document.querySelector(`[data-open=${id}]`).click()", dialog)
        if dialog == "settings":
            page.evaluate("() => { document.getElementById('banned').open = true; }")
        page.locator(inside).first.wait_for(state="attached")
        page.keyboard.press("Escape")
