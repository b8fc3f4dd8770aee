"""Files in a real browser: sent in pieces, gone on with after what breaks, checked by the worker, and in line."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.patience import becomes, eventually
from tests.browser.story import Party, Seat
from tests.browser.story_fixtures import held, real_house  # noqa: F401
from tests.live.servers import House

SAMPLE_RATE, SECONDS = 44_100, 120
DROP = """async ({ base64, name }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const options = { dataTransfer, bubbles: true, cancelable: true };
  const fire = (type) => document.body.dispatchEvent(new DragEvent(type, options));
  fire('dragenter');
  const isShown = !document.getElementById('drop').hidden;
  fire('drop');
  return [isShown, document.getElementById('drop').hidden];
}"""

SEND_WHOLE = """async ({ base64, names }) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const body = new FormData();
  for (const name of names) body.append('file', new File([bytes], name));
  return (await fetch(`${partyline.base}files`, { method: 'POST', body })).status;
}"""
NAMES = "() => [...document.querySelectorAll('.upload__name')].map((name) => name.textContent)"
BUSY = '<div id="notice" role="alert"><span>Many people are sending files just now.</span></div>'


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of a tone, more than one piece."""
    path = tmp_path_factory.mktemp("files") / "Night Bus.wav"
    times = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 220 * times), SAMPLE_RATE)
    assert path.stat().st_size > 8 * 2**20
    return path


@pytest.fixture
def short(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A minute of something nobody sent before."""
    path = tmp_path / "Short.wav"
    seed = list(request.node.name.encode())
    soundfile.write(path, np.random.default_rng(seed).uniform(-0.1, 0.1, 60 * 8_000), 8_000)
    return path


@pytest.fixture
def party(
    real_house: House,  # noqa: F811
    browser: Browser,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> Iterator[Party]:
    with held(real_house, browser, [], request, tmp_path) as party:
        yield party


def note(page: Page, name: str) -> object:
    """What the row of a file says."""
    return page.locator(".upload", has_text=name).locator(".upload__note")


def row_says(page: Page, name: str, words: str) -> None:
    expect(note(page, name)).to_contain_text(words)


def in_line(seat: Seat, title: str) -> None:
    """Wait until the line, or what plays, shows the title."""
    seat.page.locator(":is(#queue, #now-playing)", has_text=title).first.wait_for()


def test_a_file_cut_in_the_middle_goes_on_and_stands_in_line_with_the_same_bytes(
    party: Party, song: Path
) -> None:
    party.begin("Ada")
    ada, cleo = party.visit("Ada"), party.visit("Cleo")
    sent: list[tuple[str, str]] = []

    def cut(route: Route) -> None:
        request = route.request
        sent.append((request.method, request.headers.get("upload-offset", "")))
        is_second = [method for method, _ in sent].count("PATCH") == 2
        if request.method == "PATCH" and is_second:
            route.abort("connectionreset")
        else:
            route.continue_()

    ada.page.route("**/uploads/*", cut)
    ada.page.set_input_files("#upload-file", song)
    in_line(ada, "Night Bus")
    in_line(cleo, "Night Bus")
    row_says(ada.page, "Night Bus.wav", "In line")
    patches = [offset for method, offset in sent if method == "PATCH"]
    assert patches == ["0", str(8 * 2**20), str(8 * 2**20)]
    assert ("HEAD", "") in sent[2:]
    digest = hashlib.sha256(song.read_bytes()).hexdigest()
    assert (
        party.house.value("SELECT sha256 FROM track WHERE provider = 'upload' AND size_bytes > 8e6") == digest
    )
    assert ada.loads == 1


def test_after_a_reload_the_same_file_is_chosen_again_and_goes_on(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    held: list[Route] = []
    ada.page.route("**/uploads/*", lambda route: route.continue_() if held else held.append(route))
    ada.page.set_input_files("#upload-file", short)
    eventually(ada.page, lambda: held)
    token = held[0].request.url.rsplit("/", 1)[1]
    ada.page.reload()
    ada.live()
    row_says(ada.page, "Short.wav", "Choose the same file again to go on")
    with ada.page.expect_file_chooser() as chooser:
        ada.page.get_by_role("button", name="Choose again Short.wav").click()
    chooser.value.set_files(short)
    in_line(ada, "Short")
    row_says(ada.page, "Short.wav", "In line")
    assert party.house.value("SELECT state FROM upload WHERE token = ?", token) == "ready"
    assert ada.page.evaluate("() => localStorage.getItem(`partyline-uploads:${partyline.base}`)") == "[]"


def test_a_file_dropped_anywhere_shows_the_veil_and_is_sent(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    data = base64.b64encode(short.read_bytes()).decode()
    assert ada.page.evaluate(DROP, {"base64": data, "name": "Dropped.wav"}) == [True, True]
    in_line(ada, "Dropped")


def test_what_is_no_music_is_refused_with_a_sentence_that_stays(party: Party, tmp_path: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    for name, data in (("page.mp3", b"<!doctype html><script>alert(1)</script>"), ("notes.txt", b"hello")):
        (tmp_path / name).write_bytes(data)
    ada.page.set_input_files("#upload-file", [tmp_path / "page.mp3", tmp_path / "notes.txt"])
    row_says(ada.page, "notes.txt", "won’t play here")
    refused = ada.page.locator('.upload[data-state="refused"]', has_text="page.mp3")
    refused.wait_for()
    assert refused.locator(".upload__note").inner_text()
    ada.page.get_by_role("button", name="Call off page.mp3").click()
    expect(ada.page.locator(".upload")).to_have_count(1)


def test_files_sent_by_a_form_are_told_of_until_they_are_done_with(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    data = base64.b64encode(short.read_bytes()).decode()
    assert ada.page.evaluate(SEND_WHOLE, {"base64": data, "names": ["Shared.wav", "notes.txt"]}) == 200
    again = party.again(ada)
    row_says(again.page, "notes.txt", "won’t play here")
    in_line(again, "Shared")
    row_says(again.page, "Shared.wav", "In line")
    again.page.get_by_role("button", name="Call off notes.txt").click()
    again.page.get_by_role("button", name="Call off Shared.wav").click()
    expect(again.page.locator("#uploads")).to_be_hidden()
    last = party.again(again)
    expect(last.page.locator("#uploads")).to_be_hidden()
    expect(last.page.locator(".upload")).to_have_count(0)
    rows = party.house.rows("SELECT name, state FROM upload WHERE name IN ('Shared.wav', 'notes.txt')")
    assert sorted(rows) == [("Shared.wav", "ready"), ("notes.txt", "refused")]


def test_a_row_says_why_the_server_takes_nothing_just_now_and_goes_on(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    turned_away: list[int] = []
    is_free: list[bool] = []

    def refuse(route: Route) -> None:
        if route.request.method != "PATCH" or is_free:
            route.continue_()
            return
        turned_away.append(429 if turned_away else 503)
        route.fulfill(status=turned_away[-1], content_type="text/html", body=BUSY)

    ada.page.route("**/uploads/*", refuse)
    ada.page.set_input_files("#upload-file", short)
    eventually(ada.page, lambda: len(turned_away) > 1)
    row_says(ada.page, "Short.wav", "0 %, Many people are sending files just now.")
    is_free.append(True)
    row_says(ada.page, "Short.wav", "In line")


def test_two_are_sent_at_once_and_one_that_is_called_off_makes_room(party: Party, tmp_path: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    for name in "abc":
        (tmp_path / f"{name}.mp3").write_bytes(name.encode() * 100)
    held: list[Route] = []
    ada.page.route(
        "**/uploads/*",
        lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_(),
    )
    ada.page.set_input_files("#upload-file", [tmp_path / f"{name}.mp3" for name in "abc"])
    eventually(ada.page, lambda: len(held) == 2)
    row_says(ada.page, "c.mp3", "Waits its turn")
    ada.page.get_by_role("button", name="Call off a.mp3").click()
    eventually(ada.page, lambda: len(held) == 3)
    expect(ada.page.locator(".upload")).to_have_count(2)
    states = "SELECT state FROM upload WHERE name = 'a.mp3'"
    eventually(ada.page, lambda: party.house.value(states) == "cancelled")


def test_on_a_phone_the_add_tab_takes_files_and_nothing_is_wider_than_it(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada", viewport={"width": 390, "height": 844}, has_touch=True)
    ada.page.click('#tabs [data-tab="add"]')
    way = ada.page.locator(".uploads__way")
    expect(way).to_be_visible()
    box = way.bounding_box()
    assert box and box["height"] >= 44
    with ada.page.expect_file_chooser() as chooser:
        way.click()
    chooser.value.set_files(short)
    row_says(ada.page, "Short.wav", "In line")
    assert ada.page.evaluate("() => document.documentElement.scrollWidth") == 390


def test_where_no_files_are_taken_there_is_no_way_in(party: Party, short: Path) -> None:
    ada = party.begin("Ada")
    ada.post(f"/rooms/{party.code}/settings", uploads="no")
    seat = party.visit("Ada")
    expect(seat.page.locator(".add__upload")).to_be_hidden()
    seat.page.set_input_files("#upload-file", short)
    seat.page.locator(".toast", has_text="takes no files").wait_for()
    expect(seat.page.locator("#uploads")).to_be_hidden()


def drop_folder(page: Page, folder: Path, *names: str) -> None:
    """Make a folder with these files and drop it on the page, as a hand does."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})
    session.detach()


def test_a_dropped_folder_brings_what_plays_in_its_order_and_says_what_was_left_out(
    party: Party, tmp_path: Path
) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    ada.page.route("**/uploads", lambda route: None)
    others, bonus = ("cover.jpg", ".DS_Store"), ("3 Bonus/b.wav", "3 Bonus/a.opus", "3 Bonus/notes.txt")
    drop_folder(ada.page, tmp_path / "Album", "10 Last.MP3", "2 Second.flac", "1 First.ogg", *others, *bonus)
    in_order = ["1 First.ogg", "2 Second.flac", "a.opus", "b.wav", "10 Last.MP3"]
    becomes(ada.page, NAMES, in_order)
    ada.page.locator(".toast", has_text="2 other files in there won’t play here and were left out").wait_for()
    drop_folder(ada.page, tmp_path / "Deep", "1/2/3/4/5/6/7/8/9/a.mp3")
    ada.page.locator(".toast", has_text="Nothing in there plays here.").wait_for()
    assert ada.page.evaluate(NAMES) == in_order
    drop_folder(ada.page, tmp_path / "Many", *(f"{number}.mp3" for number in range(600)))
    ada.page.locator(".toast", has_text="500 files from it came along, the rest was left out").wait_for()
    assert ada.page.evaluate(NAMES)[5:] == [f"{number}.mp3" for number in range(500)]


def test_files_are_begun_in_the_order_they_were_chosen_and_the_first_is_waited_for(
    party: Party, tmp_path: Path
) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    chosen = [tmp_path / f"{name}.wav" for name in ("Zoe", "Moe", "Abe")]
    for number, path in enumerate(chosen):
        soundfile.write(path, np.random.default_rng(number).uniform(-0.1, 0.1, 20 * 8_000), 8_000)
    begun: list[Route] = []
    held: list[Route] = []

    def hold(route: Route) -> None:
        begun.append(route)
        if len(begun) > 1:
            route.continue_()

    def hold_first(route: Route) -> None:
        if route.request.method == "PATCH" and not held:
            held.append(route)
        else:
            route.continue_()

    ada.page.route("**/rooms/*/uploads", hold)
    ada.page.route("**/uploads/*", hold_first)
    ada.page.set_input_files("#upload-file", chosen)
    eventually(ada.page, lambda: begun)
    row_says(ada.page, "Moe.wav", "Waits its turn")
    assert len(begun) == 1
    begun[0].continue_()
    row_says(ada.page, "Moe.wav", "Its turn comes after the ones before it")
    row_says(ada.page, "Abe.wav", "Its turn comes after the ones before it")
    held[0].continue_()
    for path in chosen:
        row_says(ada.page, path.name, "In line")
    titles = "SELECT title FROM item JOIN track ON track.id = track_id WHERE title IN ('Zoe', 'Moe', 'Abe')"
    assert party.house.rows(f"{titles} ORDER BY item.id") == [("Zoe",), ("Moe",), ("Abe",)]


def test_a_second_tab_follows_what_the_first_sends_and_lets_go_of_what_is_done(
    party: Party, short: Path
) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    held: list[Route] = []
    is_free: list[bool] = []
    ada.page.route(
        "**/uploads/*",
        lambda route: route.continue_() if is_free or route.request.method != "PATCH" else held.append(route),
    )
    ada.page.set_input_files("#upload-file", short)
    eventually(ada.page, lambda: held)
    other = party.again(ada)
    row_says(other.page, "Short.wav", "sent from another tab")
    expect(other.page.get_by_role("button", name="Choose again Short.wav")).to_be_hidden()
    is_free.append(True)
    held[0].continue_()
    row_says(other.page, "Short.wav", "In line")
    row_says(ada.page, "Short.wav", "In line")
    expect(other.page.locator(".upload")).to_have_count(0)


def test_a_file_is_called_off_from_another_tab_and_waits_to_be_chosen_when_its_own_is_closed(
    party: Party, tmp_path: Path
) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    for name in "ab":
        (tmp_path / f"{name}.mp3").write_bytes(name.encode() * 100)
    ada.page.route(
        "**/uploads/*",
        lambda route: route.abort() if route.request.method == "PATCH" else route.continue_(),
    )
    ada.page.set_input_files("#upload-file", [tmp_path / "a.mp3", tmp_path / "b.mp3"])
    for name in "ab":
        row_says(ada.page, f"{name}.mp3", "waiting for the connection")
    other = party.again(ada)
    row_says(other.page, "b.mp3", "sent from another tab")
    other.page.get_by_role("button", name="Call off a.mp3").click()
    expect(ada.page.locator(".upload")).to_have_count(1)
    ada.page.close()
    row_says(other.page, "b.mp3", "Choose the same file again to go on")


def test_a_file_called_off_elsewhere_or_before_it_had_begun_is_not_sent_on(
    party: Party, tmp_path: Path
) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    for name in ("early", "late"):
        (tmp_path / f"{name}.mp3").write_bytes(name.encode() * 100)
    held: dict[str, Route] = {}

    def hold(route: Route) -> None:
        method = route.request.method
        if method in ("POST", "PATCH") and method not in held:
            held[method] = route
        else:
            route.continue_()

    for address in ("**/rooms/*/uploads", "**/uploads/*"):
        ada.page.route(address, hold)
    ada.page.set_input_files("#upload-file", tmp_path / "early.mp3")
    eventually(ada.page, lambda: held)
    ada.page.get_by_role("button", name="Call off early.mp3").click()
    held["POST"].continue_()
    state = "SELECT state FROM upload WHERE name = ?"
    eventually(ada.page, lambda: party.house.value(state, "early.mp3") == "cancelled")
    ada.page.set_input_files("#upload-file", tmp_path / "late.mp3")
    eventually(ada.page, lambda: len(held) == 2)
    ada.page.evaluate("(address) => fetch(address, { method: 'DELETE' })", held["PATCH"].request.url)
    assert party.house.value(state, "late.mp3") == "cancelled"
    held["PATCH"].continue_()
    row_says(ada.page, "late.mp3", "Called off")


def test_leaving_asks_first_while_something_is_sent_and_only_then(party: Party, short: Path) -> None:
    party.begin("Ada")
    ada = party.visit("Ada")
    would_ask = """() => {
      const event = new Event('beforeunload', { cancelable: true });
      dispatchEvent(event);
      return event.defaultPrevented;
    }"""
    held: list[Route] = []
    is_free: list[bool] = []
    ada.page.route(
        "**/uploads/*",
        lambda route: route.continue_() if is_free or route.request.method != "PATCH" else held.append(route),
    )
    assert not ada.page.evaluate(would_ask)
    ada.page.set_input_files("#upload-file", short)
    eventually(ada.page, lambda: held)
    assert ada.page.evaluate(would_ask)
    is_free.append(True)
    held[0].continue_()
    row_says(ada.page, "Short.wav", "In line")
    assert not ada.page.evaluate(would_ask)
