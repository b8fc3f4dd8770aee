"""How far two real browsers are apart: two Chromium pages in one room, one track, on one machine.

Both pages' media time is read beside the system's clock they share, interpolated and subtracted. Measured directly and
through a proxy with a round trip of 100 ± 30 ms: drift over a minute, 20 joins, the host's pause, corrective seeks.

    bin/bench sync                              starts the real web and worker processes in a fresh folder
    bin/bench sync --url http://127.0.0.1:8000  uses a running one
    bin/bench sync --media video                the same with pictures, as a file; hls: as a list of pieces
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from bench.proxy import Proxy
from demo.catalogue import PIECES
from tests.browser import media_files
from tests.live.servers import running

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
# Without a tap a browser would play muted; the muted start has its own tests.
FLAGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
PATIENCE_MS = 20_000
LIBRARY_SECONDS, QUIET_SECONDS = 240, 3
VIDEO_SECONDS = 300
VIDEO = "video/flash.mp4"
LIST = "/hls/list.m3u8"
"""The pieces are handed to the browser on their way, under the house's own address, as its policy wants it."""
NO_LIMITS = dict.fromkeys(
    ("MAX_SOCKETS_PER_PERSON", "MAX_SOCKETS_PER_NETWORK", "MAX_ACTIONS_PER_MINUTE"), "0"
)
IN_STEP = "() => window.partyline?.player?.state === 'in step'"
AT_ITS_SPEED = "() => partyline.player.state === 'in step' && partyline.player.rate === 1"


@dataclass(frozen=True)
class Asked:
    """What to measure."""

    url: str
    seconds: float
    joins: int
    pauses: int
    media: str


def quantiles(values: list[float] | np.ndarray) -> str:
    """Median, 95th percentile and largest, in one line."""
    if not len(values):
        return "no reading"
    p50, p95 = np.percentile(values, [50, 95])
    return f"median {p50:6.1f}   p95 {p95:6.1f}   max {max(values):6.1f} ms   ({len(values)} readings)"


def newcomer(browser: Browser, url: str, name: str, pieces: Path | None) -> Page:
    """A person with a browser of their own, past the name field."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    if pieces:
        page.route("**/hls/*", lambda route: route.fulfill(path=pieces / Path(route.request.url).name))
    page.add_init_script((HERE / "sync_probe.js").read_text())
    page.goto(f"{url}/")
    post(page, "/guest", display_name=name)
    return page


def post(page: Page, path: str, **fields: str) -> str:
    """Send a form as the page would, and say where it led."""
    return str(
        page.evaluate(
            """async ([path, fields]) => {
              const answer = await fetch(path, { method: 'POST', body: new URLSearchParams(fields) });
              if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
              return answer.url;
            }""",
            [path, fields],
        )
    )


def longest_tracks(page: Page) -> list[str]:
    """Ids of tracks, the longest first, so that a minute fits into one."""
    rows = page.evaluate(
        """async () => {
          const buttons = [];
          for (let page = 1, found = 1; found; page += 1) {
            const text = await (await fetch(`/library?ordering=duration&page=${page}`)).text();
            const more = new DOMParser().parseFromString(text, 'text/html').querySelectorAll('[name="track_id"]');
            found = more.length;
            buttons.push(...more);
          }
          const seconds = (row) => {
            const [m, s] = /(\\d+):(\\d\\d)/.exec(row?.textContent ?? '')?.slice(1) ?? [0, 0];
            return Number(m) * 60 + Number(s);
          };
          return buttons.map((b) => [b.value, seconds(b.closest('li, article, tr'))]).sort((a, b) => b[1] - a[1]);
        }"""
    )
    return [str(track_id) for track_id, _ in rows]


def room_of_two(
    browser: Browser, host_url: str, guest_url: str, pieces: Path | None
) -> tuple[Page, Page, str]:
    """Ada's room with something on, Ben in it; both in step."""
    ada = newcomer(browser, host_url, "Ada", pieces)
    room_path = urlsplit(post(ada, "/rooms", name="Bench")).path
    for track_id in longest_tracks(ada)[:3]:
        post(ada, f"{room_path}/queue", track_id=track_id)
    ada.goto(host_url + room_path)
    ada.wait_for_function(IN_STEP)
    ben = newcomer(browser, guest_url, "Ben", pieces)
    post(ben, "/join", code=room_path.rsplit("/", 1)[1])
    ben.goto(guest_url + room_path)
    ben.wait_for_function(IN_STEP)
    return ada, ben, room_path


def readings(pages: tuple[Page, Page], seconds: float) -> tuple[list[np.ndarray], list[str]]:
    """Both pages' (system time, media time, item) at 20 readings a second, for so long."""
    for page in pages:
        page.evaluate("probe.begin()")
    pages[0].wait_for_timeout(seconds * 1000)
    taken = [page.evaluate("probe.end()") for page in pages]
    items = [str(row[2]) for row in taken[0]]
    return [np.array([[at, media] for at, media, _ in rows]) for rows in taken], items


def apart(taken: list[np.ndarray]) -> np.ndarray:
    """How far the first page is ahead of the second at each of its readings, in ms."""
    (first, second) = taken
    lag_first, lag_second = first[:, 1] - first[:, 0], second[:, 1] - second[:, 0]
    is_shared = (first[:, 0] >= second[0, 0]) & (first[:, 0] <= second[-1, 0])
    return lag_first[is_shared] - np.interp(first[is_shared, 0], second[:, 0], lag_second)


def measure_drift(pages: tuple[Page, Page], seconds: float) -> None:
    restart(pages)
    before = [page.evaluate("[partyline.player.seeks, partyline.player.stalls]") for page in pages]
    taken, items = readings(pages, seconds)
    if len(set(items)) > 1:
        sys.exit("The track ended while it was measured: ask for fewer seconds.")
    after = [page.evaluate("[partyline.player.seeks, partyline.player.stalls]") for page in pages]
    own = [
        page.evaluate("[partyline.player.driftMs(), partyline.clock.offsetErrorMs, partyline.clock.rtt]")
        for page in pages
    ]
    print(f"  apart          {quantiles(np.abs(apart(taken)))}")
    print(f"  corrective seeks {[b[0] - a[0] for a, b in zip(before, after, strict=True)]}, "
          f"stalls {[b[1] - a[1] for a, b in zip(before, after, strict=True)]}")  # fmt: skip
    for name, (drift, error, rtt) in zip(("Ada", "Ben"), own, strict=True):
        print(
            f"  {name} says       off by {drift:.1f} ms, clock within {error:.1f} ms, round trip {rtt:.1f} ms"
        )


def restart(pages: tuple[Page, Page]) -> None:
    """Back to the start, both in step again."""
    pages[0].click("#restart")
    pages[0].wait_for_timeout(1_000)
    for page in pages:
        page.wait_for_function(IN_STEP)


def measure_joins(pages: tuple[Page, Page], times: int) -> None:
    """Ben comes back again and again; Ada must not notice."""
    restart(pages)
    ada, ben = pages
    disturbed = ada.evaluate("partyline.player.starts")
    took = []
    for number in range(times):
        if number and number % 10 == 0:
            restart(pages)
            disturbed += 1
        ben.reload(wait_until="commit")
        ben.wait_for_function(IN_STEP)
        took.append(ben.evaluate("partyline.player.firstInStepAt"))
    print(f"  join to in step {quantiles(took)}")
    print(f"  starts of the others during joins: {ada.evaluate('partyline.player.starts') - disturbed}")


def measure_pauses(pages: tuple[Page, Page], times: int) -> None:
    """The host's pause and play, as both pages' media elements felt them."""
    restart(pages)
    spreads, delays, starts, standing = [], [], [], []
    for _ in range(times):
        clicked = pages[0].evaluate("probe.press()")
        for page in pages:
            page.wait_for_function(
                "() => partyline.player.state === 'paused' && !partyline.player.media.seeking"
            )
        pages[0].wait_for_timeout(200)
        paused = [page.evaluate("probe.pausedAt") for page in pages]
        where = [page.evaluate("partyline.player.media.currentTime * 1000") for page in pages]
        spreads.append(abs(paused[0] - paused[1]))
        delays.append(max(paused) - clicked)
        standing.append(abs(where[0] - where[1]))
        pages[0].evaluate("probe.press()")
        for page in pages:
            page.wait_for_function(AT_ITS_SPEED)
        starts.append(float(np.median(np.abs(apart(readings(pages, 0.5)[0])))))
    print(f"  pause: spread   {quantiles(spreads)}")
    print(f"  pause: click to all paused {quantiles(delays)}")
    print(f"  paused: apart   {quantiles(standing)}")
    print(f"  play: apart     {quantiles(starts)}")


def measure(
    browser: Browser, asked: Asked, title: str, host_url: str, guest_url: str, pieces: Path | None
) -> None:
    """One network: drift, joins, pauses."""
    print(title)
    ada, ben, _ = room_of_two(browser, host_url, guest_url, pieces)
    pages = (ada, ben)
    steps: list[tuple[Callable[..., None], Any]] = [
        (measure_drift, asked.seconds), (measure_joins, asked.joins), (measure_pauses, asked.pauses),
    ]  # fmt: skip
    for step, amount in steps:
        if amount:
            step(pages, amount)
            sys.stdout.flush()
    for page in pages:
        page.context.close()


@contextmanager
def house_with_library(folder: Path) -> Iterator[str]:
    """The address of a new house once its worker has nothing left to compose, which would disturb the players."""
    with running(folder, worker=True, DEMO="1", **NO_LIMITS) as house:
        deadline = time.monotonic() + LIBRARY_SECONDS
        while len(list(folder.glob("media/audio/*.mp3"))) < len(PIECES):
            if time.monotonic() > deadline:
                sys.exit("The demo library did not get ready.")
            time.sleep(0.2)
        time.sleep(QUIET_SECONDS)
        yield f"http://127.0.0.1:{house.port}"


@contextmanager
def house_with_pictures(media: str, folder: Path) -> Iterator[str]:
    """The address of a new house with three long videos, each a file or a list of pieces."""
    if media == "hls":
        media_files.make_hls(folder / "hls", VIDEO_SECONDS)
        known = {"player": "hls", "reference": LIST, "media_file": ""}
    else:
        (folder / "media" / "video").mkdir(parents=True)
        media_files.make_mp4(folder / "media" / VIDEO, VIDEO_SECONDS)
        known = {"player": "file", "mime": "video/mp4", "media_file": VIDEO}
    with running(folder, worker=True, **NO_LIMITS) as house:
        house.tracks(3, duration_ms=VIDEO_SECONDS * 1000)
        connection = sqlite3.connect(house.database)
        with connection:
            names = ", ".join(f"{name} = ?" for name in known)
            connection.execute(f"UPDATE track SET is_video = 1, {names}", tuple(known.values()))
        connection.close()
        time.sleep(QUIET_SECONDS)
        yield f"http://127.0.0.1:{house.port}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="", help="a running Partyline; without it one is started")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--joins", type=int, default=20)
    parser.add_argument("--pauses", type=int, default=10)
    parser.add_argument("--media", choices=("music", "video", "hls"), default="music")
    asked = Asked(**vars(parser.parse_args()))
    if asked.url and asked.media != "music":
        parser.error("A running house has no pictures of ours: leave --url out.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="partyline-bench-")))
        is_music, pieces = asked.media == "music", folder / "hls" if asked.media == "hls" else None
        url = asked.url.rstrip("/") or stack.enter_context(
            house_with_library(folder) if is_music else house_with_pictures(asked.media, folder)
        )
        port = urlsplit(url).port or 80
        browser = stack.enter_context(sync_playwright()).chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        measure(browser, asked, "direct", url, url, pieces)
        with (
            Proxy(port, delay_ms=50, jitter_ms=15) as one,
            Proxy(port, delay_ms=50, jitter_ms=15) as two,
        ):
            far = [f"http://127.0.0.1:{proxy.port}" for proxy in (one, two)]
            measure(browser, asked, "through 100 ± 30 ms", *far, pieces)
        browser.close()


if __name__ == "__main__":
    main()
