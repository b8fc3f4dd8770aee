"""A party as people see it: the real house, a track that sounds, and people with browsers of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

from media.covers import draw_cover
from tests.browser.patience import PATIENCE_MS, PATIENCE_SECONDS, eventually
from tests.live.servers import Guest, House

Launch = Callable[..., Browser]
SECONDS, SAMPLE_RATE = 100, 22_050
GENRES = ("waltz", "dub")

# What a screen, or the page a server has just sent, says to the person in front of it.
SHOWN = """(page) => {
  const text = (el) => el?.textContent.replace(/\\s+/g, ' ').trim() ?? null;
  const all = (selector, tell) => [...page.querySelectorAll(selector)].filter((el) => !el.hidden).map(tell);
  const votes = page.getElementById('mine')?.dataset.votes.split(' ').filter(Boolean).sort();
  const { item, state, version } = page.getElementById('playback')?.dataset ?? {};
  return {
    rows: all('#queue > .track', (row) => [row.id, text(row.querySelector('.track__title')),
      text(row.querySelector('.vote__count')), text(row.querySelector('.track__by')), text(row.querySelector('.why'))]),
    now: [text(page.getElementById('now-title')), text(page.querySelector('.stage__votes')), item, state, version],
    people: all('#people li', text).map((line) => line.replace(' you', '')).sort(),
    history: all('#history .play', text), sum: text(page.querySelector('.line__sum')), votes,
    mode: text(page.getElementById('mode-open')), banner: page.getElementById('banner')?.hidden,
  };
}"""
AS_A_FRESH_PAGE = f"""async () => {{
  const shown = {SHOWN};
  const fresh = new DOMParser().parseFromString(await (await fetch(location.pathname)).text(), 'text/html');
  const pressed = [...document.querySelectorAll('.vote [aria-pressed="true"]')]
    .map((button) => `${{button.id.split('-')[1]}}:${{button.value}}`).sort();
  const own = document.getElementById('mine').dataset.votes.split(' ').filter(Boolean).sort();
  const isMarked = String(pressed) === String(own);
  return isMarked && JSON.stringify(shown(document)) === JSON.stringify(shown(fresh));
}}"""
PATIENT = """() => addEventListener('htmx:config:request', ({ detail }) => {
  detail.ctx.request.timeout ??= 600_000;
}, true)"""
IN_STEP = "() => partyline.player.state === 'in step'"
ORDER = "() => partyline.rows.shown().map((row) => Number(partyline.rows.idOf(row)))"


def furnish(house: House, count: int) -> list[int]:
    """Tracks that sound, with covers; their ids."""
    media = house.folder / "media"
    for folder in ("audio", "covers"):
        (media / folder).mkdir(parents=True)
    tone = 0.05 * np.sin(2 * np.pi * 220 * np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE)
    soundfile.write(media / "audio" / "tone.mp3", tone, SAMPLE_RATE, format="MP3")
    draw_cover("tone", media / "covers" / "tone.webp")
    ids = house.tracks(count, duration_ms=SECONDS * 1000)
    connection = sqlite3.connect(house.database, timeout=PATIENCE_SECONDS)
    with connection:
        connection.execute("UPDATE track SET media_file = 'audio/tone.mp3', cover_file = 'covers/tone.webp'")
        connection.execute("UPDATE track SET genre = ? WHERE id % 2", GENRES[1:])
    connection.close()
    return ids


class Seat:
    """One person's open page: how often it was loaded, what went wrong in it, and what it shows."""

    def __init__(self, page: Page, code: str = "") -> None:
        self.page, self.code = page, code
        self.loads = 0
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._count)

    def live(self) -> Seat:
        """Wait until the page listens."""
        self.page.wait_for_selector('#status[data-connection="live"]')
        # Letters that arrive later would shift what a hand is about to take.
        self.page.evaluate("async () => { await document.fonts.ready; }")
        return self

    def in_step(self) -> Seat:
        """Wait until the page plays what everybody hears."""
        self.page.wait_for_function(IN_STEP)
        return self

    def order(self) -> list[int]:
        """The items of the line as they stand."""
        return self.page.evaluate(ORDER)

    def has_order(self, items: list[int]) -> None:
        """Wait until the line stands so."""
        same = "(items) => String(partyline.rows.shown().map(partyline.rows.idOf)) === items"
        self.page.wait_for_function(same, arg=",".join(map(str, items)))

    def is_fresh(self) -> None:
        """Wait until the screen says what a page loaded now would say."""
        self.page.wait_for_function(AS_A_FRESH_PAGE, polling=100)

    def shows(self) -> dict[str, Any]:
        """What the screen says, without what is this person's own."""
        shown = self.page.evaluate(f"() => ({SHOWN})(document)")
        return {name: value for name, value in shown.items() if name != "votes"}

    def shows_as(self, other: Seat) -> None:
        """Wait until both screens say the same."""
        with suppress(AssertionError):
            eventually(self.page, lambda: self.shows() == other.shows())
        assert self.shows() == other.shows()

    def _count(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.loads += 1


class Party:
    """A room and the people in it, each with a browser of their own."""

    def __init__(self, house: House, browser: Browser, tracks: list[int]) -> None:
        self.house, self.browser, self.tracks = house, browser, tracks
        self.contexts: list[BrowserContext] = []
        self.seats: list[Seat] = []
        self.guests: dict[str, Guest] = {}
        self.code = ""

    @property
    def url(self) -> str:
        """Where the house is."""
        return f"http://127.0.0.1:{self.house.port}"

    def browse(self, **options: Any) -> Seat:
        """A browser nobody has used yet."""
        options = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"} | options
        self.contexts.append(self.browser.new_context(**options))
        return self._sit(self.contexts[-1].new_page())

    def begin(self, name: str, tracks: int = 0) -> Guest:
        """Somebody opens the room and puts so many tracks on."""
        self.guests[name] = self.house.person(name)
        self.code = self.guests[name].open_room("Friday")
        self.guests[name].add(self.code, self.tracks[:tracks])
        return self.guests[name]

    def visit(self, name: str, port: int = 0, **options: Any) -> Seat:
        """Somebody's page of the room, with a name already."""
        guest = self.guests.setdefault(name, self.house.person(name))
        guest.join(self.code)
        seat = self.browse(**options)
        session, value = guest.cookie.split("=", 1)
        seat.page.context.add_cookies([{"name": session, "value": value, "url": self.url}])
        seat.page.goto(f"http://127.0.0.1:{port or self.house.port}/rooms/{self.code}")
        return seat.live()

    def again(self, seat: Seat) -> Seat:
        """One more page of the same person."""
        other = self._sit(seat.page.context.new_page())
        other.page.goto(f"{self.url}/rooms/{self.code}")
        return other.live()

    def items(self) -> list[int]:
        """The waiting items as the house knows them, by the order they came."""
        rows = self.house.rows(
            "SELECT id FROM item WHERE state = 'waiting' AND room_id = (SELECT id FROM room WHERE code = ?)"
            " ORDER BY added_seq",
            self.code,
        )
        return [item for (item,) in rows]

    def set_room(self, column: str, value: int) -> None:
        """Turn a knob of the room that no door has: `grace_seconds`, `host_grace_until`."""
        connection = sqlite3.connect(self.house.database, timeout=PATIENCE_SECONDS)
        with connection:
            connection.execute(f"UPDATE room SET {column} = ? WHERE code = ?", (value, self.code))
        connection.close()

    def close(self, pictures: Path | None) -> None:
        """Everybody leaves; a failed test leaves pictures."""
        for number, seat in enumerate(self.seats, 1):
            if pictures and not seat.page.is_closed():
                seat.page.screenshot(path=pictures / f"page-{number}.png", timeout=PATIENCE_MS)
        for context in self.contexts:
            context.close()

    def _sit(self, page: Page) -> Seat:
        self.seats.append(Seat(page, self.code))
        return self.seats[-1]


class Held(list[Route]):
    """Requests on their way that have not been let through yet."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page

    def wait_for(self, count: int) -> None:
        """Wait until so many have come; a page says that it has sent one before it gets here."""
        eventually(self._page, lambda: len(self) >= count, f"{len(self)} of {count} requests came")
        assert len(self) == count


@contextmanager
def held(page: Page, address: str) -> Iterator[Held]:
    """Requests to an address wait until the block ends, and the page waits for them as long as it takes."""
    waiting = Held(page)
    page.evaluate(PATIENT)
    page.route(address, lambda route: waiting.append(route))
    try:
        yield waiting
    finally:
        for route in waiting:
            route.continue_()
        page.unroute(address)


def drag(page: Page, item: int, to_item: int, *, drop: bool = True) -> None:
    """Carry a row by its handle to where another row stands."""
    start = page.locator(f"#grip-{item}").bounding_box()
    end = page.locator(f"#queue-item-{to_item}").bounding_box()
    assert start and end
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    is_up = end["y"] < start["y"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + (-12 if is_up else 12), steps=2)
    page.mouse.move(x, end["y"] + (2 if is_up else end["height"] - 2), steps=8)
    if drop:
        page.mouse.up()
