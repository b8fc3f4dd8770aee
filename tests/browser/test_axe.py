"""Every page and state, light and dark, on a phone and on a desk: no accessibility fault that axe knows."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.story import Party

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser

Look = tuple[int, Literal["light", "dark"]]
AXE = Axe()
ONE_WAY: tuple[Look, ...] = ((390, "dark"), (1440, "light"))
OTHER_WAY: tuple[Look, ...] = ((390, "light"), (1440, "dark"))
BOTH_WAYS = ONE_WAY + OTHER_WAY
PHONE, DESK = ONE_WAY[:1], ONE_WAY[1:]
HEIGHTS = {390: 844, 1440: 900}
ONLY_FAULTS = {"resultTypes": ["violations"]}
SETTLED = """async () => {
  await document.activeViewTransition?.finished;
  for (let frames = 0; frames < 3; frames += 1) await new Promise(requestAnimationFrame);
}"""


def expect_no_faults(page: Page, looks: tuple[Look, ...]) -> None:
    """Look at the page as it stands in each width and light."""
    # A page that is still fading in from the one before would say that its fading was cut short by the new width.
    page.evaluate(SETTLED)
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        page.emulate_media(color_scheme=scheme)
        # However short they are asked to be, colours on their way to the other theme are no fault.
        page.wait_for_function("() => document.getAnimations().every((one) => one.playState === 'finished')")
        faults = [
            (fault["id"], [(node["target"], node["failureSummary"]) for node in fault["nodes"]])
            for fault in AXE.run(page, options=ONLY_FAULTS).response["violations"]
        ]
        assert faults == [], f"{page.url} at {width}, {scheme}"


@pytest.mark.parametrize("path", ["/", "/rooms/ABCDEFGH", "/library", "/nowhere"])
def test_pages_outside_a_room_have_no_faults(party: Party, path: str) -> None:
    page = party.browse().page
    page.goto(party.url + path)
    expect_no_faults(page, ONE_WAY + OTHER_WAY)


def test_the_name_sheet_has_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=3)
    page = party.browse().page
    page.goto(f"{party.url}/rooms/{party.code}")
    expect(page.locator("#hello")).to_be_visible()
    expect_no_faults(page, ONE_WAY + OTHER_WAY)


@pytest.mark.parametrize("count", [0, 2, 24])
def test_a_room_with_few_tracks_or_many_has_no_faults(party: Party, count: int) -> None:
    party.begin("Ada", tracks=count)
    host = party.visit("Ada")
    expect_no_faults(host.page, ONE_WAY)
    guest = party.visit("Ben")
    if count == 24:
        guest.page.click(f"#up-{guest.order()[0]}")
        expect(guest.page.locator("#queue .is-pending")).to_have_count(0)
    expect_no_faults(guest.page, OTHER_WAY)


def test_dialogs_menus_and_panels_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=4)
    page = party.visit("Ada").page
    first = party.items()[0]
    for opener, opened, looks in (
        ("[data-open=share]", "#share", ONE_WAY),
        ("[data-open=settings]", "#settings", OTHER_WAY),
        (f"#grip-{first}", "#track-menu", ONE_WAY),
        ("#mode-open", "#mode-charts", ((1440, "dark"),)),
        ("#sound-open", "#sound", ((1440, "light"),)),
        ("#search", "#library-list", ((1440, "dark"), (1440, "light"))),
    ):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.click(opener)
        expect(page.locator(opened)).to_be_visible()
        expect_no_faults(page, looks)
        page.keyboard.press("Escape")


def test_the_tabs_of_a_phone_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=4)
    page = party.visit("Ada", viewport={"width": 390, "height": 844}).page
    for tab in ("player", "add", "people"):
        page.click(f"#tabs [data-tab={tab}]")
        expect_no_faults(page, ((390, "light"), (390, "dark")))


def test_the_banner_of_an_absent_host_and_the_memory_have_no_faults(party: Party) -> None:
    party.begin("Ada", tracks=3)
    party.visit("Ada").page.close()
    ben = party.visit("Ben")
    expect(ben.page.locator("#banner")).to_be_visible()
    ben.page.evaluate(
        "() => partyline.toast('That didn’t get through.', { isBad: true, action: 'Try again', stays: true })"
    )
    expect_no_faults(ben.page, ONE_WAY + OTHER_WAY)
    party.set_room("host_grace_until", 1)
    expect(ben.page.locator(".memory__over")).to_be_visible()
    expect_no_faults(ben.page, ONE_WAY + OTHER_WAY)
