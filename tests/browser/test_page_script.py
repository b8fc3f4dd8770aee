"""The page scripts in a real Chromium: the guard, rows that wait for hands, votes that count at once, the connection's word."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.harness import CODE, Call, House, Stage, serving

LOST_SOCKETS = [1000, 1006, 1008, 1011, 1012, 4400]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def desk(chromium: Browser) -> Iterator[BrowserContext]:
    """One browser for many pages, so that files are fetched once."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800}, reduced_motion="reduce")
    yield context
    context.close()


@pytest.fixture
def stage(house: House) -> Stage:
    return house.new_stage()


def watched(page: Page) -> Iterator[Page]:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(5000)
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def blank(desk: BrowserContext) -> Iterator[Page]:
    yield from watched(desk.new_page())


@pytest.fixture
def timed(chromium: Browser) -> Iterator[Page]:
    """A page whose time moves only when told."""
    context = chromium.new_context()
    context.clock.install()
    yield from watched(context.new_page())
    context.close()


@pytest.fixture
def screen(blank: Page, stage: Stage) -> Page:
    return opened(blank, stage)


def opened(page: Page, stage: Stage) -> Page:
    page.goto(f"{stage.url}/rooms/{CODE}")
    connection(page, "live")
    page.evaluate("() => { window.marks = 0; partyline.on('mark', () => { window.marks += 1; }); }")
    return page


def connection(page: Page, word: str) -> None:
    expect(page.locator("#status")).to_have_attribute("data-connection", word)


def read_out(page: Page, stage: Stage) -> None:
    """Return once the page has read everything pushed so far."""
    seen = page.evaluate("() => window.marks")
    stage.tell(t="mark")
    page.wait_for_function("(seen) => window.marks > seen", arg=seen)


def push(page: Page, stage: Stage, *frames: str) -> None:
    for frame in frames:
        stage.push(frame)
    read_out(page, stage)


def order(page: Page) -> list[int]:
    return page.evaluate("() => partyline.rows.shown().map((row) => Number(partyline.rows.idOf(row)))")


def applied(page: Page) -> int:
    return page.evaluate("() => partyline.applied()")


def count(page: Page, item: int) -> str:
    return page.locator(f"#vote-{item} .vote__count").evaluate("(box) => box.lastChild.data")


def vote(stage: Stage, item: int, net: int) -> str:
    stage.nets[item] = net
    stage.seq += 1
    return stage.frame(stage.row(item))


def move(stage: Stage, item: int, to: int) -> str:
    stage.ids.remove(item)
    stage.ids.insert(to, item)
    stage.seq += 1
    return stage.frame(stage.row(item))


def hover(page: Page, item: int) -> None:
    page.locator(f"#queue-item-{item} .track__title").hover()


def leave(page: Page) -> None:
    page.mouse.move(5, 5)


class TestGuard:
    def test_a_frame_that_follows_is_applied(self, screen: Page, stage: Stage) -> None:
        push(screen, stage, vote(stage, 3, 4))
        assert (count(screen, 3), applied(screen)) == ("4", 11)

    def test_an_older_frame_leaves_the_room_alone_but_not_what_is_personal(self, screen: Page, stage: Stage) -> None:
        older = vote(stage, 3, 4)
        newer = vote(stage, 3, 5)
        stage.votes = {3: 1}
        push(screen, stage, older, newer, older + stage.piece("mine") + stage.piece("notice", message="Well"))
        assert (count(screen, 3), applied(screen)) == ("5", 12)
        expect(screen.locator("#notice")).to_contain_text("Well")

    def test_the_same_frame_twice_shows_once(self, screen: Page, stage: Stage) -> None:
        stage.ids.append(20)
        stage.seq += 1
        frame = stage.frame(stage.new(20))
        push(screen, stage, frame, frame)
        assert order(screen) == [1, 2, 3, 4, 5, 6, 7, 8, 20]
        assert screen.locator("#queue-item-20").count() == 1

    def test_a_new_row_that_is_there_already_is_not_doubled(self, screen: Page, stage: Stage) -> None:
        stage.seq += 1
        push(screen, stage, stage.frame(stage.new(8)))
        assert (order(screen), screen.locator("#queue-item-8").count()) == ([1, 2, 3, 4, 5, 6, 7, 8], 1)

    def test_whole_pieces_that_overlap_are_applied(self, screen: Page, stage: Stage) -> None:
        stage.seq, stage.ids = 12, [2, 1, 3]
        push(screen, stage, stage.frame(stage.piece("queue"), start=7))
        assert (order(screen), applied(screen)) == ([2, 1, 3], 12)
        assert stage.syncs() == []

    def test_rows_that_overlap_are_not_trusted(self, screen: Page, stage: Stage) -> None:
        stage.seq = 12
        stage.nets[3] = 9
        push(screen, stage, stage.frame(stage.row(3), start=7))
        assert (count(screen, 3), applied(screen)) == ("0", 10)
        assert stage.wait(stage.syncs)[0] == {"t": "sync", "epoch": "first", "after": 10}

    def test_a_gap_asks_for_what_is_missing(self, screen: Page, stage: Stage) -> None:
        stage.seq = 15
        push(screen, stage, stage.frame(stage.piece("queue"), start=14))
        assert applied(screen) == 10
        assert stage.wait(stage.syncs)[0] == {"t": "sync", "epoch": "first", "after": 10}
        connection(screen, "live")

    def test_another_epoch_counts_only_when_whole(self, screen: Page, stage: Stage) -> None:
        stage.epoch, stage.seq, stage.ids = "second", 4, [5, 4]
        push(screen, stage, stage.frame(stage.piece("queue"), start=3))
        assert (applied(screen), len(order(screen))) == (10, 8)
        stage.wait(stage.syncs)
        push(screen, stage, stage.whole())
        assert (applied(screen), order(screen)) == (4, [5, 4])

    def test_a_late_answer_does_not_take_a_vote_off_the_screen(self, screen: Page, stage: Stage) -> None:
        stage.votes = {3: 1}
        early = stage.frame(stage.piece("mine"), end=11)
        stage.votes, stage.seq = {3: 1, 4: 1}, 12
        push(screen, stage, stage.frame(stage.piece("mine"), start=10), early)
        expect(screen.locator("#up-4")).to_have_attribute("aria-pressed", "true")

    def test_a_head_that_stays_ahead_is_asked_about(self, screen: Page, stage: Stage) -> None:
        stage.tell(t="head", epoch="first", seq=14)
        assert stage.wait(stage.syncs)[0]["after"] == 10
        connection(screen, "catching-up")
        stage.seq = 14
        stage.push(stage.whole())
        connection(screen, "live")

    def test_a_changed_row_this_screen_never_had_is_taken_in(self, screen: Page, stage: Stage) -> None:
        stage.ids.insert(2, 30)
        stage.seq += 1
        push(screen, stage, stage.frame(stage.row(30)))
        assert order(screen) == [1, 2, 30, 3, 4, 5, 6, 7, 8]

    def test_a_row_with_nowhere_to_stand_has_everything_redrawn(self, screen: Page, stage: Stage) -> None:
        stage.seq += 1
        push(screen, stage, stage.frame(stage.row(3).replace('data-after="2"', 'data-after="999"')))
        assert stage.wait(stage.syncs)[0] == {"t": "sync", "epoch": "", "after": 0}
        push(screen, stage, stage.whole())
        assert order(screen) == [1, 2, 3, 4, 5, 6, 7, 8]


class TestRows:
    @pytest.mark.parametrize("seed", range(4))
    def test_rows_by_deltas_equal_a_full_redraw(self, blank: Page, stage: Stage, seed: int) -> None:
        dice = random.Random(seed)
        screen = opened(blank, stage)
        unused = iter(range(50, 200))
        for _ in range(12):
            before = {one: (stage.after(one), stage.nets.get(one, 0)) for one in stage.ids}
            for _ in range(dice.randint(1, 3)):
                random_change(stage, dice, unused)
            stage.seq += 1
            stage.push(stage.whole() if dice.random() < 0.1 else delta(stage, before, dice))
        read_out(screen, stage)
        assert order(screen) == stage.ids
        mine, fresh = screen.evaluate(ROWS_HERE), screen.evaluate(ROWS_OF_A_FRESH_PAGE)
        assert mine == fresh
        assert stage.syncs() == []

    def test_an_empty_line_is_quiet_and_comes_back(self, screen: Page, stage: Stage) -> None:
        stage.ids, stage.seq = [], 11
        push(screen, stage, stage.frame(stage.piece("queue")))
        expect(screen.locator("#queue")).to_contain_text("quiet")
        stage.ids, stage.seq = [4], 12
        push(screen, stage, stage.frame(stage.piece("queue")))
        assert order(screen) == [4]

    def test_moves_wait_under_a_hand_and_counts_do_not(self, screen: Page, stage: Stage) -> None:
        hover(screen, 4)
        stage.nets[6] = 3
        push(screen, stage, move(stage, 6, 0), vote(stage, 2, 5))
        assert order(screen) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert (count(screen, 6), count(screen, 2)) == ("3", "5")
        expect(screen.locator("#held")).to_contain_text("1 move waiting")
        leave(screen)
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-6'")
        assert order(screen) == stage.ids
        expect(screen.locator("#held")).to_be_hidden()

    def test_what_comes_and_goes_under_a_hand_waits_and_keeps_its_changes(self, screen: Page, stage: Stage) -> None:
        hover(screen, 4)
        stage.ids = [1, 40, 3, 4, 5, 6, 7, 8]
        stage.seq += 1
        push(screen, stage, stage.frame(stage.gone(2), stage.new(40)))
        assert screen.locator("#queue-item-2").is_visible() and screen.locator("#queue-item-40").is_hidden()
        expect(screen.locator("#held")).to_contain_text("2 moves waiting")
        push(screen, stage, vote(stage, 40, 7))
        assert screen.locator("#queue-item-40").is_hidden()
        leave(screen)
        expect(screen.locator("#queue-item-40")).to_be_visible()
        assert (order(screen), count(screen, 40)) == (stage.ids, "7")
        assert screen.locator("#queue-item-2").count() == 0

    def test_a_full_redraw_under_a_hand_waits_too(self, screen: Page, stage: Stage) -> None:
        hover(screen, 4)
        stage.ids, stage.seq, stage.nets = [8, 7, 41, 4, 1], 11, {8: 2}
        push(screen, stage, stage.whole(), vote(stage, 41, 3))
        assert (order(screen)[:4], count(screen, 8)) == ([1, 4, 7, 8], "2")
        leave(screen)
        expect(screen.locator("#queue-item-41")).to_be_visible()
        assert (order(screen), count(screen, 41)) == (stage.ids, "3")

    def test_a_line_emptied_under_a_hand_waits(self, screen: Page, stage: Stage) -> None:
        hover(screen, 4)
        stage.ids, stage.seq = [], 11
        push(screen, stage, stage.whole())
        assert screen.locator("#queue-item-4").is_visible()
        leave(screen)
        expect(screen.locator("#queue")).to_contain_text("quiet")
        assert screen.locator("#queue .track").count() == 0

    def test_moves_wait_for_the_keyboard_until_it_leaves(self, screen: Page, stage: Stage) -> None:
        screen.locator("#search").focus()
        screen.keyboard.press("Tab")
        screen.locator("#up-5").focus()
        push(screen, stage, move(stage, 8, 0))
        assert order(screen)[0] == 1
        screen.locator("#search").focus()
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-8'")

    def test_a_row_moves_with_its_focus(self, screen: Page, stage: Stage) -> None:
        screen.locator("#vote-5").click(position={"x": 2, "y": 2})
        leave(screen)
        screen.evaluate("() => document.getElementById('up-5').focus({ focusVisible: false })")
        push(screen, stage, move(stage, 5, 0), vote(stage, 5, 2))
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-5'")
        assert screen.evaluate("() => document.activeElement.id") == "up-5"

    def test_when_the_focused_row_goes_the_next_handle_has_the_focus(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => document.getElementById('up-5').focus({ focusVisible: false })")
        stage.ids.remove(5)
        stage.seq += 1
        push(screen, stage, stage.frame(stage.gone(5)))
        assert screen.evaluate("() => document.activeElement.id") == "grip-6"

    def test_what_a_person_is_at_survives_every_push(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => { window.media = document.getElementById('media'); }")
        screen.locator("#search").fill("half typ")
        screen.evaluate("() => document.getElementById('search').setSelectionRange(2, 5)")
        stage.playing, stage.seq, stage.ids = 3, 11, [8, 1, 2]
        names = ["status", "banner", "now_playing", "playback", "queue_sum", "queue", "people", "history", "mini", "mine"]
        push(screen, stage, stage.frame(*[stage.piece(name) for name in names], start=0))
        search = "() => { const box = document.activeElement; return [box.id, box.value, box.selectionStart, box.selectionEnd]; }"
        assert screen.evaluate(search) == ["search", "half typ", 2, 5]
        assert screen.evaluate("() => window.media === document.getElementById('media')")
        connection(screen, "live")
        assert "hue-45" in (screen.locator("body").get_attribute("class") or "")
        assert screen.title() == "Title 3 · Sunday Kitchen"

    def test_an_open_menu_survives_a_push_about_its_row(self, screen: Page, stage: Stage) -> None:
        screen.locator("#grip-3").click()
        push(screen, stage, vote(stage, 3, 2))
        expect(screen.locator("#track-menu")).to_be_visible()
        expect(screen.locator("#grip-3")).to_have_attribute("aria-expanded", "true")
        screen.keyboard.press("Escape")
        assert screen.evaluate("() => document.activeElement.id") == "grip-3"

    def test_scrolling_stays_where_it_is(self, blank: Page, stage: Stage) -> None:
        stage.ids = list(range(1, 61))
        screen = opened(blank, stage)
        top = "() => document.getElementById('queue-item-40').getBoundingClientRect().top"
        screen.locator("#queue-item-40").scroll_into_view_if_needed()
        leave(screen)
        before = screen.evaluate(top)
        push(screen, stage, vote(stage, 2, 9), move(stage, 60, 50))
        assert screen.evaluate(top) == before


class TestMoving:
    def test_a_drag_survives_pushes_and_says_after_whom(self, screen: Page, stage: Stage) -> None:
        stage.answer = moves(stage)
        drag(screen, 2, 5)
        stage.seq += 1
        stage.nets[7] = 4
        stage.ids = [7, 1, 2, 3, 4, 5, 6, 8]
        push(screen, stage, stage.frame(stage.row(7)), vote(stage, 2, 1))
        shown = order(screen)
        assert shown.index(7) > shown.index(2) and shown != stage.ids
        assert screen.locator("#queue-item-2.is-dragging").count() == 1
        screen.mouse.up()
        call = stage.wait(lambda: stage.calls)[0]
        assert call.path.endswith("/queue/2/move") and call.form["after"] in {"4", "5"}
        leave(screen)
        screen.wait_for_function("(ids) => String(partyline.rows.shown().map(partyline.rows.idOf)) === ids", arg=joined(stage))
        assert screen.locator(".is-dragging").count() == 0

    def test_escape_puts_a_dragged_row_back(self, screen: Page, stage: Stage) -> None:
        drag(screen, 2, 5)
        assert order(screen) != stage.ids
        screen.keyboard.press("Escape")
        screen.mouse.up()
        assert (order(screen), stage.calls) == (stage.ids, [])

    def test_a_refused_move_goes_back_with_a_sentence(self, screen: Page, stage: Stage) -> None:
        stage.answer = lambda call: (stage.piece("notice", message="Locked in."), 409)
        screen.locator("#grip-2").focus()
        screen.keyboard.press("ArrowDown")
        expect(screen.locator("#notice")).to_contain_text("Locked in.")
        screen.wait_for_function("() => partyline.rows.shown()[1].id === 'queue-item-2'")

    def test_arrows_move_a_row_keep_the_focus_and_say_where_it_is(self, screen: Page, stage: Stage) -> None:
        stage.answer = moves(stage)
        screen.locator("#grip-2").focus()
        for _ in range(3):
            screen.keyboard.press("ArrowDown")
        stage.wait(lambda: stage.ids.index(2) == 4)
        assert screen.evaluate("() => document.activeElement.id") == "grip-2"
        expect(screen.locator("#announcer")).to_have_text("Title 2: 5 of 8")
        assert stage.calls[-1].form == {"after": "5"}
        assert order(screen) == stage.ids

    def test_the_menu_plays_next_and_removes(self, screen: Page, stage: Stage) -> None:
        stage.answer = moves(stage)
        screen.locator("#grip-6").click()
        screen.get_by_role("menuitem", name="Play next").click()
        assert stage.wait(lambda: stage.calls)[0].form == {"after": ""}
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-6'")
        stage.answer = removes(stage)
        screen.locator("#grip-3").click()
        screen.get_by_role("menuitem", name="Remove").click()
        expect(screen.locator("#queue-item-3")).to_have_count(0)
        assert (stage.calls[-1].method, stage.calls[-1].path) == ("DELETE", f"/rooms/{CODE}/queue/3")
        expect(screen.locator("#undo")).to_be_visible()
        leave(screen)
        screen.wait_for_function("(ids) => String(partyline.rows.shown().map(partyline.rows.idOf)) === ids", arg=joined(stage))

    def test_a_refused_removal_brings_the_row_back(self, screen: Page, stage: Stage) -> None:
        stage.answer = lambda call: (stage.piece("notice", message="Not yours."), 403)
        screen.locator("#remove-3").click()
        expect(screen.locator("#notice")).to_contain_text("Not yours.")
        expect(screen.locator("#queue-item-3")).to_be_visible()


class TestVotes:
    def test_a_vote_counts_at_once_and_is_dotted_until_answered(self, screen: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            screen.locator("#up-3").click()
            assert count(screen, 3) == "1"
            expect(screen.locator("#up-3")).to_have_attribute("aria-pressed", "true")
            expect(screen.locator("#vote-3")).to_have_class(WITH_PENDING)
            release()
            expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert (count(screen, 3), stage.votes) == ("1", {3: 1})
        expect(screen.locator("#up-3")).to_have_attribute("aria-pressed", "true")

    def test_somebody_elses_vote_meanwhile_does_not_count_mine_twice(self, screen: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            screen.locator("#up-3").click()
            push(screen, stage, vote(stage, 3, 1))
            assert count(screen, 3) == "1"
            release()
            stage.wait(lambda: stage.votes == {3: 1})
            push(screen, stage, stage.frame(stage.row(3)))
            expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert count(screen, 3) == "2"

    def test_a_refused_vote_is_taken_back_with_the_sentence(self, screen: Page, stage: Stage) -> None:
        stage.answer = lambda call: (stage.piece("notice", message="Easy. You can vote again in 8 s"), 429)
        screen.locator("#down-3").click()
        expect(screen.locator("#notice")).to_contain_text("Easy.")
        expect(screen.locator("#down-3")).to_have_attribute("aria-pressed", "false")
        assert count(screen, 3) == "0"

    def test_pressing_again_takes_it_back_and_the_other_side_switches(self, screen: Page, stage: Stage) -> None:
        stage.answer = votes(stage)
        for button, net in (("#up-3", "1"), ("#down-3", "−1"), ("#down-3", "0")):
            screen.locator(button).click()
            expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
            assert count(screen, 3) == net
        assert [(call.method, call.form.get("value")) for call in stage.calls] == [("POST", "1"), ("POST", "-1"), ("DELETE", None)]
        assert len({call.headers["Idempotency-Key"] for call in stage.calls}) == 3
        assert stage.calls[0].headers["X-Partyline-Epoch"] == "first"
        assert [call.headers["X-Partyline-After"] for call in stage.calls] == ["10", "11", "12"]

    def test_many_quick_presses_end_as_the_last_one_said(self, screen: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            for _ in range(4):
                screen.locator("#up-3").click()
            screen.locator("#down-3").click()
            assert count(screen, 3) == "−1"
            release()
            stage.wait(lambda: stage.votes == {3: -1})
            expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert (len(stage.calls), count(screen, 3)) == (2, "−1")

    def test_own_votes_are_marked_again_after_every_swap(self, screen: Page, stage: Stage) -> None:
        stage.votes, stage.own, stage.seq = {3: 1, 4: -1}, [4], 11
        push(screen, stage, stage.whole() + stage.piece("mine"))
        push(screen, stage, vote(stage, 3, 8), vote(stage, 4, -8))
        expect(screen.locator("#up-3")).to_have_attribute("aria-pressed", "true")
        expect(screen.locator("#down-4")).to_have_attribute("aria-pressed", "true")
        assert "is-mine" in (screen.locator("#queue-item-4").get_attribute("class") or "")

    def test_a_guest_may_remove_only_what_is_theirs(self, blank: Page, stage: Stage) -> None:
        stage.role, stage.own = "guest", [4]
        screen = opened(blank, stage)
        push(screen, stage, vote(stage, 4, 1))
        assert screen.locator("#remove-4").is_visible() and screen.locator("#remove-3").is_hidden()

    def test_a_vote_counts_while_the_socket_is_down(self, screen: Page, stage: Stage) -> None:
        stage.refuses_sockets = True
        stage.answer = votes(stage)
        stage.close(1011)
        connection(screen, "reconnecting")
        screen.locator("#up-3").click()
        stage.wait(lambda: stage.votes == {3: 1})
        expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert (count(screen, 3), applied(screen)) == ("1", 11)

    def test_a_broken_line_is_tried_once_more_with_the_same_key(self, screen: Page, stage: Stage) -> None:
        keys: list[str] = []

        def cut(route: Any) -> None:
            keys.append(route.request.headers["idempotency-key"])
            route.abort()

        screen.route("**/vote", cut)
        screen.locator("#up-3").click()
        expect(screen.locator("#toasts")).to_contain_text("Your vote didn’t get through.")
        assert len(keys) == 2 and len(set(keys)) == 1
        assert count(screen, 3) == "0"
        screen.unroute("**/vote")
        stage.answer = votes(stage)
        screen.get_by_role("button", name="Try again").click()
        stage.wait(lambda: stage.votes == {3: 1})


class TestConnection:
    @pytest.mark.parametrize("code", LOST_SOCKETS)
    def test_a_lost_socket_comes_back_and_says_where_it_was(self, screen: Page, stage: Stage, code: int) -> None:
        push(screen, stage, vote(stage, 3, 1))
        if code == 1006:
            stage.cut()
        else:
            stage.close(code)
        assert stage.wait(lambda: stage.joins[1:])[0] == {"epoch": "first", "after": "11"}
        connection(screen, "live")

    @pytest.mark.parametrize(("code", "word"), [(4401, "Signed out"), (4403, "Removed")])
    def test_some_codes_stop_and_say_so(self, screen: Page, stage: Stage, code: int, word: str) -> None:
        stage.close(code)
        connection(screen, "ended")
        expect(screen.locator("#status")).to_contain_text(word)
        expect(screen.locator("#toasts button")).to_be_visible()
        assert screen.locator("#grip-3").is_disabled()

    def test_a_room_that_ended_becomes_its_memory_once(self, screen: Page, stage: Stage) -> None:
        stage.close_with = 4404
        stage.close(4404)
        connection(screen, "ended")
        stage.wait(lambda: len(stage.joins) == 2)
        connection(screen, "ended")
        assert stage.loads == 2

    def test_a_frame_that_says_the_room_is_over_flips_the_page(self, screen: Page, stage: Stage) -> None:
        stage.state, stage.seq = "EXPIRED", 11
        with screen.expect_navigation():
            stage.push(stage.frame(stage.piece("status")))

    def test_too_many_screens_offers_to_use_this_one(self, screen: Page, stage: Stage) -> None:
        stage.close(4409)
        connection(screen, "offline")
        screen.get_by_role("button", name="Use it here").click()
        connection(screen, "live")
        assert len(stage.joins) == 2

    def test_too_many_messages_waits_at_least_half_a_minute(self, timed: Page, stage: Stage) -> None:
        screen = opened(timed, stage)
        stage.close(4429)
        connection(screen, "reconnecting")
        screen.clock.run_for(29_000)
        assert len(stage.joins) == 1
        screen.clock.run_for(32_000)
        stage.wait(lambda: len(stage.joins) == 2)

    def test_silence_takes_the_mark_away_and_then_reconnects(self, timed: Page, stage: Stage) -> None:
        screen = opened(timed, stage)
        run(screen, 14)
        connection(screen, "live")
        run(screen, 3)
        connection(screen, "catching-up")
        run(screen, 15)
        stage.wait(lambda: len(stage.joins) == 2)
        connection(screen, "live")

    def test_three_failed_connects_poll(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => { Math.random = () => 0; }")
        stage.refuses_sockets = True
        stage.ids, stage.seq = [3, 2, 1], 20
        stage.close(1011)
        stage.wait(lambda: stage.polls)
        screen.wait_for_function("() => partyline.applied() === 20")
        assert order(screen) == [3, 2, 1]
        connection(screen, "reconnecting")
        assert screen.locator("#grip-3").is_enabled()

    def test_nothing_pressed_while_offline_runs_later(self, screen: Page, stage: Stage) -> None:
        screen.context.set_offline(True)
        connection(screen, "offline")
        expect(screen.locator("#status")).to_contain_text("Offline")
        assert screen.locator("#grip-3").is_disabled()
        screen.locator("#up-3").click()
        expect(screen.locator("#toasts")).to_contain_text("You’re offline.")
        assert count(screen, 3) == "0"
        screen.context.set_offline(False)
        connection(screen, "live")
        assert (stage.calls, screen.locator("#grip-3").is_enabled()) == ([], True)

    def test_waking_up_asks_and_trusts_only_an_answer(self, timed: Page, stage: Stage) -> None:
        screen = opened(timed, stage)
        screen.evaluate("() => dispatchEvent(new Event('online'))")
        stage.wait(lambda: [message for message in stage.said if message["t"] == "clock" and message["id"] == 0])
        run(screen, 5)
        stage.wait(lambda: len(stage.joins) == 2)

    def test_a_countdown_runs_while_the_host_is_away(self, screen: Page, stage: Stage) -> None:
        stage.state, stage.seq = "GRACE", 11
        stage.grace_until_ms = screen.evaluate("() => Math.round(Date.now()) + 125000")
        push(screen, stage, stage.frame(stage.piece("banner"), stage.piece("status")))
        expect(screen.locator("#banner")).to_contain_text("in 2:0")
        expect(screen.locator("#announcer")).to_contain_text("2 minutes until the party ends")

    def test_the_player_is_told_when_its_orders_changed(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => { window.told = 0; document.addEventListener('partyline:playback', () => { window.told += 1; }); }")
        stage.seq += 1
        push(screen, stage, stage.frame(stage.piece("playback")), vote(stage, 3, 1))
        assert screen.evaluate("() => window.told") == 1


class TestUi:
    def test_the_slash_key_goes_to_the_search(self, screen: Page, stage: Stage) -> None:
        screen.locator("body").press("/")
        assert screen.evaluate("() => document.activeElement.id") == "search"
        expect(screen.locator("#add")).to_have_class("add is-open")
        screen.keyboard.press("Escape")
        expect(screen.locator("#add")).not_to_have_class("add is-open")

    def test_a_code_is_shown_in_two_groups_as_it_is_typed(self, screen: Page) -> None:
        screen.evaluate(CODE_FIELD)
        screen.add_script_tag(url="/static/js/ui.js?again")
        field = screen.locator("#typed")
        field.press_sequentially("k7qm-4")
        assert field.input_value() == "K7QM 4"
        field.press("ArrowLeft")
        field.press_sequentially("9")
        assert field.input_value() == "K7QM 94"

    def test_the_theme_changes_at_once_and_is_kept(self, screen: Page, stage: Stage) -> None:
        screen.locator("[data-theme-toggle]").click()
        assert screen.evaluate("() => document.documentElement.dataset.theme") == "dark"
        assert stage.wait(lambda: stage.calls)[0].form == {"theme": "dark"}

    def test_the_share_dialog_opens_and_closes_by_its_edge(self, screen: Page) -> None:
        screen.get_by_role("button", name="Invite").first.click()
        expect(screen.locator("#share")).to_be_visible()
        screen.mouse.click(3, 3)
        expect(screen.locator("#share")).to_be_hidden()


WITH_PENDING = re.compile(r"\bis-pending\b")
CODE_FIELD = """() => {
  const field = document.createElement('input');
  Object.assign(field, { id: 'typed', name: 'code' });
  document.getElementById('main').prepend(field);
}"""
CLEAN = """(row) => {
  const copy = row.cloneNode(true);
  for (const el of [copy, ...copy.querySelectorAll('*')]) el.removeAttribute('data-htmx-powered');
  for (const name of ['data-after', 'hidden']) copy.removeAttribute(name);
  copy.classList.remove('is-new');
  for (const box of copy.querySelectorAll('.is-bumped')) box.classList.remove('is-bumped');
  return copy.outerHTML.replace(/ disabled=""/g, '').replace(/\\s+/g, ' ');
}"""
ROWS_HERE = f"() => [...document.querySelectorAll('#queue .track')].map({CLEAN})"
ROWS_OF_A_FRESH_PAGE = f"""async () => {{
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
  return [...page.querySelectorAll('#queue .track')].map({CLEAN});
}}"""


def joined(stage: Stage) -> str:
    return ",".join(map(str, stage.ids))


def run(page: Page, seconds: int) -> None:
    for _ in range(seconds):
        page.clock.run_for(1000)


def random_change(stage: Stage, dice: random.Random, unused: Iterator[int]) -> None:
    kind = dice.choice(["vote", "move", "move", "add", "remove"])
    one = dice.choice(stage.ids)
    if kind == "vote":
        stage.nets[one] = stage.nets.get(one, 0) + dice.choice([-1, 1])
    elif kind == "move":
        stage.ids.remove(one)
        stage.ids.insert(dice.randrange(len(stage.ids) + 1), one)
    elif kind == "add":
        stage.ids.insert(dice.randrange(len(stage.ids) + 1), next(unused))
    elif len(stage.ids) > 3:
        stage.ids.remove(one)


def delta(stage: Stage, before: dict[int, Any], dice: random.Random) -> str:
    pieces = [stage.gone(one) for one in before if one not in stage.ids]
    for one in stage.ids:
        if one not in before:
            pieces.append(stage.new(one))
        elif before[one] != (stage.after(one), stage.nets.get(one, 0)):
            pieces.append(stage.row(one))
    dice.shuffle(pieces)
    return stage.frame(*pieces)


def drag(page: Page, item: int, to: int) -> None:
    start, end = page.locator(f"#grip-{item}").bounding_box(), page.locator(f"#queue-item-{to}").bounding_box()
    assert start and end
    x = start["x"] + start["width"] / 2
    page.mouse.move(x, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, start["y"] + 30, steps=2)
    page.mouse.move(x, end["y"] + end["height"] / 2, steps=8)


def moves(stage: Stage) -> Any:
    def answer(call: Call) -> str:
        item, after = int(call.path.split("/")[-2]), call.form["after"]
        stage.ids.remove(item)
        stage.ids.insert(stage.ids.index(int(after)) + 1 if after else 0, item)
        start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
        with stage.changed:
            stage.changed.notify_all()
        return stage.frame(stage.row(item), stage.piece("mine"), start=start)

    return answer


def removes(stage: Stage) -> Any:
    def answer(call: Call) -> str:
        item = int(call.path.split("/")[-1])
        stage.ids.remove(item)
        start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
        undo = {"url": f"{call.path}/restoration", "label": "Undo"}
        notice = stage.piece("notice", message="Removed", undo=undo)
        return stage.frame(stage.gone(item), stage.piece("mine"), notice, start=start)

    return answer


def votes(stage: Stage) -> Any:
    def answer(call: Call) -> str:
        item = int(call.path.split("/")[-2])
        value = int(call.form["value"]) if call.method == "POST" else 0
        stage.nets[item] = stage.nets.get(item, 0) + value - stage.votes.pop(item, 0)
        if value:
            stage.votes[item] = value
        start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
        with stage.changed:
            stage.changed.notify_all()
        return stage.frame(stage.row(item), stage.piece("mine"), start=start)

    return answer


class HeldAnswer:
    """Answers wait until released, so that a test can look at what shows meanwhile."""

    def __init__(self, stage: Stage, answer: Any) -> None:
        self._stage, self._answer, self._may_go = stage, answer, threading.Event()

    def __enter__(self) -> Any:
        def answer(call: Call) -> Any:
            assert self._may_go.wait(5)
            return self._answer(call)

        self._stage.answer = answer
        return self._may_go.set

    def __exit__(self, *_error: object) -> None:
        self._may_go.set()
