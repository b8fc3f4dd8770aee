"""The picture on the stage: where it lies at every width, what disturbs it (nothing), its keys, words and forms."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import media_files, player_room
from tests.browser.patience import PATIENCE_MS, PATIENCE_SECONDS, becomes
from tests.browser.player_room import Stage, now_ms
from tests.browser.story import Party, Seat
from tests.browser.test_axe import BOTH_WAYS, DESK, expect_no_faults
from tests.live.servers import House

pytest_plugins = ["tests.browser.story_fixtures"]
pytestmark = pytest.mark.browser

PEAKS = "05az" * 40
IN_STEP = "() => partyline.player.state === 'in step'"
# The picture lies where the cover is that can be seen, to the pixel.
COVERS = """(selector) => {
  const [screen, cover] = ['#screen', selector].map((one) => document.querySelector(one).getBoundingClientRect());
  const isShown = getComputedStyle(document.getElementById('screen')).visibility === 'visible' && cover.width > 20;
  return isShown && ['left', 'top', 'width', 'height'].every((side) => Math.abs(screen[side] - cover[side]) <= 1);
}"""
ART, SMALL = "#now-playing .stage__art", "#mini-open .cover"
LOADS = """() => {
  window.one = partyline.player.media;
  one.addEventListener('emptied', () => { window.emptied = true; });
}"""
IS_WHOLE = "() => partyline.player.media === window.one && document.getElementById('media') === one && !window.emptied"
STARTS = "() => [partyline.player.starts, partyline.player.seeks]"
CUES = """() => [...partyline.player.media.textTracks].filter(({ mode }) => mode === 'showing')
  .flatMap(({ cues }) => [...(cues ?? [])].map(({ text }) => text))"""
WORDS = "WEBVTT\n\n00:00.000 --> 01:00.000\nGood evening\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    media_files.make_mp4(folder / "wide.mp4")
    media_files.make_webm(folder / "tall.webm")
    media_files.make_opus(folder / "tone.opus")
    media_files.make_noise(folder / "noise.mp4")
    return folder


@pytest.fixture(scope="module")
def videos(real_house: House, tracks: list[int], files: Path) -> dict[str, int]:
    """Four tracks of the library that are more than sound."""
    wide, tall, measured, audio = tracks[-4:]
    folder = real_house.folder / "media" / "video"
    folder.mkdir(exist_ok=True)
    for name in ("wide.mp4", "tall.webm"):
        (folder / name).write_bytes((files / name).read_bytes())
    set_track(real_house, wide, media_file="video/wide.mp4", mime="video/mp4", is_video=1, duration_ms=60_000)
    set_track(
        real_house, tall, media_file="video/tall.webm", mime="video/webm", is_video=1, duration_ms=20_000
    )
    set_track(real_house, measured, peaks=PEAKS)
    return {"wide": wide, "tall": tall, "measured": measured, "audio": audio}


def set_track(house: House, track: int, **values: object) -> None:
    connection = sqlite3.connect(house.database, timeout=PATIENCE_SECONDS)
    names = ", ".join(f"{name} = ?" for name in values)
    with connection:
        connection.execute(f"UPDATE track SET {names} WHERE id = ?", (*values.values(), track))
    connection.close()


def begin(party: Party, *tracks: int) -> None:
    """Ada opens a room with these, whatever another test made of them."""
    for track in tracks:
        set_track(party.house, track, is_listed=1)
    party.begin("Ada")
    party.guests["Ada"].add(party.code, list(tracks))


def make_own(party: Party, track: int) -> None:
    """As if Ada had brought it, since what is in everybody's library stays as it is.

    Held by somebody before it leaves the library: every ten minutes the worker gives up what nobody holds.
    """
    connection = sqlite3.connect(party.house.database, timeout=PATIENCE_SECONDS)
    with connection:
        connection.execute(
            "INSERT INTO holding (track_id, user_id, added_at) SELECT ?, user_id, 1 FROM member"
            " JOIN room ON room.id = room_id WHERE code = ? AND role = 'host'",
            (track, party.code),
        )
    connection.close()
    set_track(party.house, track, is_listed=0)


def covers(seat: Seat, selector: str) -> None:
    """Wait until the picture lies there."""
    seat.page.wait_for_function(COVERS, arg=selector)


def test_the_picture_lies_on_the_cover_and_comes_and_goes_with_the_track(
    party: Party, videos: dict[str, int]
) -> None:
    begin(party, videos["audio"], videos["wide"], videos["audio"])
    ada, ben = party.visit("Ada"), party.visit("Ben")
    refused: list[str] = []
    ada.page.on(
        "console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None
    )
    ada.in_step()
    expect(ada.page.locator("#screen")).to_be_hidden()
    ada.page.click("#skip-now")
    late = party.visit("Cleo")
    for seat in (ada, ben, late):
        expect(seat.page.locator("body")).to_have_class(re.compile(r"\broom--video\b"))
        covers(seat, ART)
        seat.in_step()
        expect(seat.page.locator("#screen-full")).to_be_visible()
    ada.page.click("#skip-now")
    for seat in (ada, ben, late):
        expect(seat.page.locator("body")).not_to_have_class(re.compile(r"\broom--video\b"))
        expect(seat.page.locator("#screen")).to_be_hidden()
        seat.in_step()
        assert seat.loads == 1
    assert refused == []


@pytest.mark.parametrize("width", [1440, 820])
def test_nothing_in_the_room_moves_or_reloads_the_picture(
    party: Party, videos: dict[str, int], width: int
) -> None:
    begin(party, videos["wide"], *party.tracks[:3])
    ada = party.visit("Ada", viewport={"width": width, "height": 900}).in_step()
    ben = party.visit("Ben").in_step()
    covers(ada, ART)
    ada.page.evaluate(LOADS)
    starts, seeks = ada.page.evaluate(STARTS)
    ben.page.click(f"#up-{ada.order()[-1]}")
    party.guests["Ben"].add(party.code, party.tracks[5:6])
    ada.page.wait_for_function("() => partyline.rows.shown().length === 4")
    ada.page.set_viewport_size({"width": width - 60, "height": 860})
    covers(ada, ART)
    assert ada.page.evaluate(IS_WHOLE)
    # A machine too busy to play on makes up for it by a seek, which is a start or two.
    now = ada.page.evaluate(STARTS)
    assert now[0] - starts <= 2 * (now[1] - seeks)


def test_on_a_phone_the_picture_follows_from_tab_to_tab(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["wide"])
    ada = party.visit("Ada", viewport={"width": 390, "height": 844}).in_step()
    covers(ada, SMALL)
    ada.page.evaluate(LOADS)
    ada.page.click("#tabs [data-tab=player]")
    covers(ada, ART)
    ada.page.click("#tabs [data-tab=people]")
    expect(ada.page.locator("#media")).to_be_hidden()
    at = ada.page.evaluate("partyline.player.media.currentTime")
    ada.page.wait_for_function("(at) => partyline.player.media.currentTime > at", arg=at)
    ada.page.click("#tabs [data-tab=line]")
    covers(ada, SMALL)
    ada.page.click("#media")
    covers(ada, ART)
    assert ada.page.evaluate(IS_WHOLE)


def test_an_upright_picture_gets_an_upright_place(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["tall"])
    ada = party.visit("Ada", viewport={"width": 1440, "height": 900}).in_step()
    covers(ada, ART)
    box = ada.page.locator("#media").bounding_box()
    assert box and abs(box["width"] / box["height"] - 9 / 16) < 0.01


def test_full_screen_by_key_by_button_and_by_two_clicks(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["wide"])
    ada = party.visit("Ada").in_step()
    page, is_full = ada.page, "() => document.fullscreenElement?.id === 'screen'"
    is_not = "() => !document.fullscreenElement"
    page.keyboard.press("f")
    page.wait_for_function(is_full)
    expect(page.locator("#screen-full")).to_have_attribute("aria-label", "Leave full screen")
    page.click("#screen-full")
    page.wait_for_function(is_not)
    page.dblclick("#media", position={"x": 40, "y": 40})
    page.wait_for_function(is_full)
    page.keyboard.press("f")
    page.wait_for_function(is_not)
    page.focus("#search")
    page.keyboard.press("f")
    assert page.evaluate(is_not)
    ada.in_step()


def test_words_are_brought_chosen_shown_and_remembered(
    party: Party, videos: dict[str, int], files: Path
) -> None:
    begin(party, videos["wide"])
    make_own(party, videos["wide"])
    ada = party.visit("Ada").in_step()
    ben = party.visit("Ben").in_step()
    page = ada.page
    for name in ("Evening.en.vtt", "Abend.de.vtt"):
        (files / name).write_text(WORDS)
        page.click("#words-open")
        page.locator("#words-file").set_input_files(files / name)
        expect(page.locator("#words")).to_contain_text(name.split(".")[0])
        page.keyboard.press("Escape")
    assert page.evaluate(CUES) == []
    ben.page.click("#words-open")
    expect(ben.page.locator("#words-add")).to_be_hidden()
    expect(ben.page.locator("#words-0")).to_be_checked()
    ben.page.get_by_label("Abend", exact=True).check()
    ben.page.wait_for_function(f"() => ({CUES})().join() === 'Good evening'")
    # What shows at once is kept a moment later.
    expect(ben.page.locator("#mine")).not_to_have_attribute("data-subtitle", "")
    assert ben.page.evaluate("() => document.querySelector('track').srclang") == "en"
    # Others' doings change the stage; the menu, and what was chosen, stay.
    page.click("#play")
    ben.page.wait_for_function("() => partyline.player.state === 'paused'")
    expect(ben.page.get_by_label("Abend", exact=True)).to_be_checked()
    expect(ben.page.locator("#words")).to_be_visible()
    again = party.again(ben)
    again.page.wait_for_function(f"() => ({CUES})().join() === 'Good evening'")
    again.page.click("#words-open")
    again.page.locator("#words-0").check()
    again.page.wait_for_function(f"() => !({CUES})().length")
    expect(again.page.locator("#mine")).to_have_attribute("data-subtitle", "")
    page.click("#words-open")
    page.locator(".words__remove button").last.click()
    expect(ben.page.locator("#words")).not_to_contain_text("Abend")
    ben.page.wait_for_function(f"() => !({CUES})().length")
    assert page.evaluate(CUES) == []


def test_the_stage_with_a_picture_has_no_faults(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["wide"])
    ada = party.visit("Ada").in_step()
    ada.page.click("#words-open")
    expect_no_faults(ada.page, BOTH_WAYS)


def test_a_file_that_is_gone_is_said_on_its_cover(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["measured"])
    set_track(party.house, videos["audio"], media_file="audio/gone.mp3", mime="audio/mpeg")
    party.guests["Ada"].add(party.code, [videos["audio"]])
    ada = party.visit("Ada").in_step()
    expect(ada.page.locator("#trouble")).to_be_hidden()
    ada.page.click("#skip-now")
    expect(ada.page.locator("#trouble")).to_contain_text("Can’t play this here. The file cannot be reached")
    href = ada.page.locator("#trouble-open").get_attribute("href")
    assert href and href.startswith("/media/")
    expect_no_faults(ada.page, DESK)
    set_track(party.house, videos["audio"], media_file="audio/tone.mp3", mime="")


def test_the_waveform_is_the_line_that_is_sought_on(party: Party, videos: dict[str, int]) -> None:
    begin(party, videos["measured"])
    ada = party.visit("Ada").in_step()
    bars = ada.page.locator("#progress-bars").get_attribute("d")
    assert bars and bars.count("M") == 96
    done = "() => parseFloat(document.querySelector('#progress-heard rect').getAttribute('width'))"
    assert ada.page.evaluate(done) < 40
    ada.page.locator("#seek").fill("60000")
    ada.page.wait_for_function(f"() => ({done})() > 59")
    ada.in_step()
    expect(ada.page.locator(".progress__elapsed")).to_have_text(re.compile(r"^1:[0-3]\d$"))


# --- without a house ---


@pytest.fixture
def stage(files: Path) -> Iterator[Stage]:
    with player_room.running(files) as running:
        yield running


def visit(browser: Browser, stage: Stage) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.url)
    return page


def test_a_form_this_browser_does_not_know_is_played_in_the_other(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(src="/media/none", mime="audio/x-unheard-of", opus="/media/tone.opus")
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    assert page.evaluate("partyline.player.media.getAttribute('src')") == "/media/tone.opus"


def test_a_form_that_turns_out_not_to_play_is_played_in_the_other(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(src="/media/noise.mp4", mime="audio/mpeg", opus="/media/tone.opus")
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    assert page.evaluate("partyline.player.media.getAttribute('src')") == "/media/tone.opus"


def test_a_raised_form_is_preferred_and_played_at_its_own_volume(browser: Browser, stage: Stage) -> None:
    raised = {
        "mime": "audio/wav",
        "opus": "/media/tone.opus",
        "gain": 0.9,
        "opusGain": 0.4,
        "lifted": "false",
    }
    stage.anchor.update(raised)
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    heard = "[partyline.player.media.getAttribute('src'), partyline.player.media.volume]"
    assert page.evaluate(heard) == ["/track/1", 0.9]
    # The same track may have been raised meanwhile; what plays goes on until it is put on again.
    stage.move(lifted="true")
    page.wait_for_function("() => document.getElementById('playback').dataset.lifted === 'true'")
    assert page.evaluate(heard) == ["/track/1", 0.9]
    stage.move(item="2", positionMs=0, atMs=int(now_ms()) + 300)
    page.wait_for_function("() => partyline.player.media.getAttribute('src') === '/media/tone.opus'")
    page.wait_for_function(IN_STEP)
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.4) < 1e-6")
    page.locator("#volume").fill("50")
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.2) < 1e-6")


def test_a_raised_form_that_does_not_play_gives_way_to_the_file(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(mime="audio/wav", opus="/media/noise.mp4", lifted="true", gain=0.9, opusGain=0.4)
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    assert page.evaluate("partyline.player.media.getAttribute('src')") == "/track/1"
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.9) < 1e-6")


def test_a_browser_without_ogg_opus_plays_the_file_as_it_is(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(mime="audio/wav", opus="/media/tone.opus", lifted="true", gain=0.9, opusGain=0.4)
    page = browser.new_context().new_page()
    page.add_init_script("""{
      const { canPlayType } = HTMLMediaElement.prototype;
      HTMLMediaElement.prototype.canPlayType = function (type) {
        return type.includes('opus') ? '' : canPlayType.call(this, type);
      };
    }""")
    page.set_default_timeout(PATIENCE_MS)
    page.goto(stage.url)
    page.wait_for_function(IN_STEP)
    heard = "[partyline.player.media.getAttribute('src'), partyline.player.media.volume]"
    assert page.evaluate(heard) == ["/track/1", 0.9]


def test_what_cannot_be_played_says_why_and_where_it_is(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(src="/media/noise.mp4", mime="video/x-unheard-of")
    page = visit(browser, stage)
    expect(page.locator("#sync-badge")).to_have_text("can’t play this here")
    problem = {"text": "This browser does not play video/x-unheard-of.", "url": "/media/noise.mp4"}
    assert page.evaluate("partyline.player.problem") == problem
    stage.move(item="2", src="/track/2", mime="audio/wav", positionMs=0, atMs=int(now_ms()) + 300)
    page.wait_for_function(IN_STEP)
    becomes(page, "partyline.player.problem", None)


def test_a_new_address_of_what_plays_interrupts_nothing(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    before = page.evaluate("partyline.player.starts")
    stage.move(src="/track/redrawn")
    page.wait_for_function("version => document.getElementById('playback').dataset.version === String(version)",
                           arg=stage.anchor["version"])  # fmt: skip
    assert page.evaluate("[partyline.player.media.getAttribute('src'), partyline.player.starts]") == [
        "/track/1",
        before,
    ]


def test_volume_is_what_the_person_set_times_the_tracks_gain(browser: Browser, stage: Stage) -> None:
    stage.anchor["gain"] = 0.5
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    becomes(page, "partyline.player.media.volume", 0.5)
    page.locator("#volume").fill("40")
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.2) < 1e-6")
    stage.move(gain=0)
    page.wait_for_function("() => partyline.player.media.volume === 0")
    expect(page.locator("#volume")).to_have_value("40")
    stage.move(gain=1)
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.4) < 1e-6")


def test_a_louder_track_fades_to_its_place(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    page.evaluate("""() => {
      window.volumes = [];
      partyline.player.media.addEventListener('volumechange', () => volumes.push(partyline.player.media.volume));
    }""")
    stage.move(gain=0.2)
    page.wait_for_function("() => Math.abs(partyline.player.media.volume - 0.2) < 1e-6")
    steps = page.evaluate("volumes")
    assert len(steps) >= 5
    assert steps == sorted(steps, reverse=True)


def test_a_length_nobody_knows_ends_where_the_file_does(browser: Browser, stage: Stage) -> None:
    stage.anchor.update(durationMs=0, positionMs=0, atMs=int(now_ms()) - 10_000)
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    expect(page.locator(".progress__elapsed")).to_have_text(re.compile(r"^0:[1-5]\d$"))
    expect(page.locator(".progress__left")).to_have_text("")
    stage.move(positionMs=57_000, atMs=int(now_ms()))
    page.wait_for_function("() => partyline.player.state === 'ended'")
    late = visit(browser, stage)
    late.wait_for_function("() => partyline.player.state === 'ended'")
    assert late.evaluate("partyline.player.starts") == 0
    assert "NaN" not in late.content()


def test_players_are_changed_one_after_the_other(browser: Browser, stage: Stage) -> None:
    page = visit(browser, stage)
    page.wait_for_function(IN_STEP)
    page.evaluate("""() => {
      window.log = [];
      partyline.players.register('youtube', ({ frame, onChange }) => {
        const one = { state: 'joining', drift: NaN, isBlocked: false, isHeld: false, words: 'in an ad' };
        for (const name of ['follow', 'destroy', 'setVolume', 'setMuted', 'setSpeaker', 'tap']) {
          const told = (value) => (name === 'follow' ? value.reference : value ?? null);
          one[name] = (value) => log.push([name, told(value), partyline.player.media.paused]);
        }
        frame.textContent = 'picture';
        setTimeout(() => onChange(one));
        return one;
      });
    }""")
    stage.move(
        item="2", player="youtube", reference="abc", src="", gain=0.5, positionMs=0, atMs=int(now_ms())
    )
    expect(page.locator("#sync-badge")).to_have_text("in an ad")
    log = page.evaluate("log")
    assert [[name, value] for name, value, _ in log] == [
        ["setVolume", 0.5], ["setMuted", False], ["setSpeaker", 0], ["follow", "abc"],
    ]  # fmt: skip
    assert all(is_paused for *_, is_paused in log)
    page.evaluate("log.length = 0")
    stage.move(item="3", player="file", src="/track/3", gain=1, positionMs=0, atMs=int(now_ms()) + 300)
    page.wait_for_function(IN_STEP)
    assert [name for name, *_ in page.evaluate("log")] == ["destroy"]
