"""A library of one's own in real browsers: connected, looked into, heard by somebody without access, disconnected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, expect

from tests.browser.patience import PATIENCE_MS
from tests.browser.story import Party
from tests.browser.story_fixtures import held
from tests.browser.test_axe import ONE_WAY, OTHER_WAY, expect_no_faults
from tests.browser.test_playlists import become_account, shot
from tests.live.servers import House, running
from tests.media.home_servers import PASSWORD, USERNAME, Home, Song, subsonic_at_home

pytestmark = pytest.mark.browser
SAMPLE_RATE, SECONDS = 22_050, 90
HEARD = "() => document.getElementById('media').currentTime > 2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Ada's Navidrome, with two songs that sound."""
    path = tmp_path_factory.mktemp("home") / "tone.mp3"
    times = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    soundfile.write(path, 0.05 * np.sin(2 * np.pi * 220 * times), SAMPLE_RATE, format="MP3")
    songs = [
        Song(f"s{number}", title, seconds=SECONDS, body=path.read_bytes())
        for number, title in enumerate(("Night Bus", "Morning Tram"))
    ]
    with subsonic_at_home(Home(songs=songs)) as running_home:
        yield running_home


@pytest.fixture(scope="module")
def open_house(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose operator lets that server be reached."""
    folder = tmp_path_factory.mktemp("house")
    with running(folder, worker=True, PRIVATE_HOSTS=f"127.0.0.1:{home.port}") as house:
        yield house


@pytest.fixture
def party(
    open_house: House,
    browser: Browser,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Party]:
    with held(open_house, browser, [], request, tmp_path) as party:
        yield party


def test_a_song_from_home_is_heard_by_everybody_until_it_is_disconnected(party: Party, home: Home) -> None:
    party.begin("Ada")
    become_account(party, "Ada")
    ada, cleo = party.visit("Ada"), party.visit("Cleo")

    mine = party.again(ada).page
    mine.goto(f"{party.url}/sources")
    mine.fill("#source-address", home.url)
    mine.fill("#source-username", USERNAME)
    mine.fill("#source-secret", "not that one")
    mine.click("text=Connect >> nth=-1")
    expect(mine.locator("#source-list")).to_contain_text(
        "That name and password are not right there.", timeout=PATIENCE_MS
    )
    expect_no_faults(mine, ONE_WAY)
    shot(mine, "sources")
    mine.fill("#source-list input", PASSWORD)
    mine.click("text=Sign in again")
    expect(mine.locator("#source-list")).to_contain_text("Connected", timeout=PATIENCE_MS)

    page = ada.page
    page.focus("#own")
    page.keyboard.press("Enter")
    expect(page.locator("#source-summary")).to_be_focused()
    page.fill("#source-words", "night")
    page.click("#source-look")
    expect(page.locator("#source-rows")).to_contain_text("Night Bus", timeout=PATIENCE_MS)
    expect_no_faults(page, OTHER_WAY)
    shot(page, "sources-room")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.click("#source-albums")
    page.click("#source-rows >> text=Open")
    page.click("#source-put-all", timeout=PATIENCE_MS)
    expect(page.locator("#notice")).to_contain_text("2 went on.")
    expect(page.locator("#queue .track")).to_have_count(1)

    # Cleo has no access there, and hears it.
    expect(cleo.page.locator("#now-title")).to_contain_text("Night Bus", timeout=PATIENCE_MS)
    cleo.in_step()
    cleo.page.wait_for_function(HEARD, timeout=PATIENCE_MS)
    heard = cleo.page.evaluate("document.getElementById('media').currentSrc")
    assert heard.startswith(f"{party.url}/media/")
    assert f":{home.port}" not in cleo.page.content() and PASSWORD not in page.content()

    loads = (ada.loads, cleo.loads)
    mine.click("text=Disconnect >> nth=0")
    expect(mine.locator("#source-list")).not_to_contain_text("Connected")
    expect(cleo.page.locator("#queue")).to_contain_text("Its library was disconnected.", timeout=PATIENCE_MS)
    cleo.page.wait_for_function("() => document.getElementById('playback').dataset.state === 'idle'")
    assert (ada.loads, cleo.loads) == loads
