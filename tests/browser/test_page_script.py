"""The page scripts in a real Chromium: the guard, the word of the connection, dialogs and fields."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from party.source_shelf import ShelfRow, ShelfView
from tests.browser.harness import CODE, Stage
from tests.browser.harness_page import (
    CODE_FIELD,
    answered,
    applied,
    connection,
    count,
    move,
    order,
    push,
    run,
    shown_as_told,
    vote,
)

pytest_plugins = ["tests.browser.harness_fixtures"]

LOST_SOCKETS = [1000, 1006, 1008, 1011, 1012, 4400]


class TestGuard:
    def test_a_frame_that_follows_is_applied(self, screen: Page, stage: Stage) -> None:
        push(screen, stage, vote(stage, 3, 4))
        assert (count(screen, 3), applied(screen)) == ("4", 11)

    def test_an_older_frame_leaves_the_room_alone_but_not_what_is_personal(
        self, screen: Page, stage: Stage
    ) -> None:
        older = vote(stage, 3, 4)
        newer = vote(stage, 3, 5)
        stage.votes = {3: 1}
        push(screen, stage, older, newer, older + stage.piece("mine") + stage.piece("notice", message="Well"))
        assert (count(screen, 3), applied(screen)) == ("5", 12)
        expect(screen.locator("#notice")).to_contain_text("Well")

    def test_ones_own_library_is_marked_though_the_socket_was_faster(
        self, screen: Page, stage: Stage
    ) -> None:
        frame = vote(stage, 3, 4)
        screen.evaluate("document.body.insertAdjacentHTML('beforeend', '<div id=source-rows>Add</div>')")
        rows = '<div id="source-rows" hx-swap-oob="outerMorph">In line, 1st</div>'
        push(screen, stage, frame, frame + rows)
        expect(screen.locator("#source-rows")).to_have_text("In line, 1st")
        assert (count(screen, 3), applied(screen)) == ("4", 11)

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


class TestConnection:
    @pytest.mark.parametrize("code", LOST_SOCKETS)
    def test_a_lost_socket_comes_back_and_says_where_it_was(
        self, screen: Page, stage: Stage, code: int
    ) -> None:
        screen.evaluate("() => { Math.random = () => 0; }")
        push(screen, stage, vote(stage, 3, 1))
        if code == 1006:
            stage.cut()
        else:
            stage.close(code)
        stage.wait(lambda: {"epoch": "first", "after": "11"} in stage.joins)
        connection(screen, "live")

    def test_a_session_that_ended_stops_and_says_so(self, screen: Page, stage: Stage) -> None:
        stage.close(4401)
        connection(screen, "ended")
        expect(screen.locator("#status")).to_contain_text("Signed out")
        expect(screen.locator("#toasts button")).to_be_visible()
        expect(screen.locator("#grip-3")).to_be_disabled()

    def test_whoever_is_taken_off_the_line_stands_before_the_door(self, screen: Page, stage: Stage) -> None:
        stage.close(4403)
        screen.wait_for_url("**/door")
        expect(screen).to_have_title("The door")

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

    def test_too_many_messages_waits_at_least_half_a_minute(self, still: Page, stage: Stage) -> None:
        before = len(stage.joins)
        stage.close(4429)
        connection(still, "reconnecting")
        still.clock.run_for(29_000)
        connection(still, "reconnecting")
        assert len(stage.joins) == before
        still.clock.run_for(32_000)
        stage.wait(lambda: len(stage.joins) > before)

    def test_silence_takes_the_mark_away_and_then_reconnects(self, still: Page, stage: Stage) -> None:
        run(still, 14)
        connection(still, "live")
        run(still, 3)
        connection(still, "catching-up")
        before = len(stage.joins)
        run(still, 15)
        stage.wait(lambda: len(stage.joins) > before)
        connection(still, "live")

    def test_three_failed_connects_poll(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => { Math.random = () => 0; }")
        stage.refuses_sockets = True
        stage.ids, stage.seq = [3, 2, 1], 20
        stage.close(1011)
        stage.wait(lambda: stage.polls)
        shown_as_told(screen, stage)
        assert applied(screen) == 20
        connection(screen, "reconnecting")
        expect(screen.locator("#grip-3")).to_be_enabled()

    def test_nothing_pressed_while_offline_runs_later(self, screen: Page, stage: Stage) -> None:
        screen.context.set_offline(True)
        connection(screen, "offline")
        expect(screen.locator("#status")).to_contain_text("Offline")
        expect(screen.locator("#grip-3")).to_be_disabled()
        screen.locator("#up-3").click()
        expect(screen.locator("#toasts")).to_contain_text("You’re offline.")
        assert count(screen, 3) == "0"
        screen.context.set_offline(False)
        connection(screen, "live")
        expect(screen.locator("#grip-3")).to_be_enabled()
        assert stage.calls == []

    def test_waking_up_asks_and_trusts_only_an_answer(self, still: Page, stage: Stage) -> None:
        run(still, 1)
        still.evaluate("() => dispatchEvent(new Event('online'))")
        stage.wait(
            lambda: [message for message in stage.said if message["t"] == "clock" and message["id"] == 0]
        )
        before = len(stage.joins)
        run(still, 5)
        stage.wait(lambda: len(stage.joins) > before)

    def test_a_countdown_runs_while_the_host_is_away(self, still: Page, stage: Stage) -> None:
        stage.state, stage.seq = "GRACE", 11
        stage.grace_until_ms = still.evaluate("() => Math.round(Date.now()) + 125000")
        push(still, stage, stage.frame(stage.piece("banner"), stage.piece("status")))
        expect(still.locator("#banner")).to_contain_text("in 2:05")
        run(still, 2)
        expect(still.locator("#banner")).to_contain_text("in 2:04")
        expect(still.locator("#announcer")).to_contain_text("In 2 minutes the party ends")

    def test_the_player_is_told_when_its_orders_changed(self, screen: Page, stage: Stage) -> None:
        screen.evaluate(
            "() => { window.told = 0; document.addEventListener('partyline:playback', () => told += 1); }"
        )
        stage.seq += 1
        push(screen, stage, stage.frame(stage.piece("playback")), vote(stage, 3, 1))
        assert screen.evaluate("() => window.told") == 1


def show_library(page: Page, stage: Stage) -> None:
    """What one's own library elsewhere showed: a song that was put on once, one that never was, and an album."""
    rows = (
        ShelfRow("track", "s1", "Title 20", "Artist 20", "", "3:00", 0, True, 20),
        ShelfRow("track", "s2", "Title 21", "Artist 21", "", "3:00", 0, True),
        ShelfRow("album", "al", "An album", "Artist 20", "", "", 2, False),
    )
    shelf = ShelfView(5, 1, "title", "", "ready", rows=rows)
    page.evaluate(
        """(html) => {
          document.getElementById('library').insertAdjacentHTML('beforebegin', html);
          htmx.process(document.getElementById('source-rows'));
          document.dispatchEvent(new Event('htmx:after:swap'));
        }""",
        stage.piece("source_rows", shelf=shelf, code=CODE, oob=""),
    )


class TestOwnLibrary:
    def test_what_waits_is_marked_anew_as_the_line_changes(self, screen: Page, stage: Stage) -> None:
        show_library(screen, stage)
        first, second, album = screen.locator("#source-rows .result").all()
        add, done = first.locator("button"), first.locator(".btn--done")
        expect(add).to_be_visible()
        expect(done).to_be_hidden()
        stage.ids.append(20)
        stage.seq += 1
        push(screen, stage, stage.frame(stage.new(20)))
        expect(done).to_have_text("In line, 9th")
        expect(add).to_be_hidden()
        push(screen, stage, move(stage, 20, 0))
        expect(done).to_have_text("In line, 1st")
        stage.ids.remove(20)
        stage.seq += 1
        push(screen, stage, stage.frame(stage.gone(20)))
        expect(add).to_be_visible()
        expect(done).to_be_hidden()
        for row in (second, album):
            expect(row.locator("button")).to_be_visible()

    def test_where_guests_suggest_a_row_says_so_and_takes_a_suggestion_back(
        self, screen: Page, stage: Stage
    ) -> None:
        show_library(screen, stage)
        first, second, _ = screen.locator("#source-rows .result button").all()
        stage.seq += 1
        wished = stage.piece("mine", mine=replace(stage.share(), suggested={20: 7}))
        queue = stage.piece("queue").replace('data-add="yes"', 'data-add="suggest"')
        push(screen, stage, stage.frame(queue, wished))
        expect(first).to_have_attribute("aria-label", "Take back the suggestion of Title 20")
        expect(second).to_have_attribute("aria-label", "Suggest Title 21")
        first.click()
        assert answered(stage).path == f"/rooms/{CODE}/suggestions/7/removal"
        second.click()
        assert answered(stage, 2).path == f"/rooms/{CODE}/shelf/5/tracks"


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
