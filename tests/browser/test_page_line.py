"""Rows that wait for hands, moving them, and votes that count at once, in a real Chromium."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import stale
from tests.browser.harness import CODE, Call, Stage
from tests.browser.harness_page import (
    ROWS_HERE,
    ROWS_OF_A_FRESH_PAGE,
    WITH_PENDING,
    HeldAnswer,
    answered,
    applied,
    connection,
    count,
    delta,
    drag,
    hover,
    leave,
    let_go,
    move,
    moves,
    opened,
    order,
    push,
    random_change,
    read_out,
    removes,
    run,
    shown_as_told,
    vote,
    votes,
)
from tests.browser.patience import eventually

pytest_plugins = ["tests.browser.harness_fixtures"]

COUNT_BROKEN_LINES = """() => {
  const fetched = window.fetch;
  window.broken = 0;
  window.fetch = async (...asked) => {
    try { return await fetched(...asked); } catch (error) { window.broken += 1; throw error; }
  };
}"""
BROKEN_LINES = "(count) => window.broken === count"


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

    def test_moves_wait_under_a_hand_and_counts_do_not(self, still: Page, stage: Stage) -> None:
        hover(still, 4)
        stage.nets[6] = 3
        push(still, stage, move(stage, 6, 0), vote(stage, 2, 5))
        assert order(still) == [1, 2, 3, 4, 5, 6, 7, 8]
        assert (count(still, 6), count(still, 2)) == ("3", "5")
        expect(still.locator("#held")).to_contain_text("1 move waiting")
        leave(still)
        run(still, 1)
        still.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-6'")
        assert order(still) == stage.ids
        expect(still.locator("#held")).to_be_hidden()

    def test_what_comes_and_goes_under_a_hand_waits_and_keeps_its_changes(
        self, still: Page, stage: Stage
    ) -> None:
        hover(still, 4)
        stage.ids = [1, 40, 3, 4, 5, 6, 7, 8]
        stage.seq += 1
        push(still, stage, stage.frame(stage.gone(2), stage.new(40)))
        assert still.locator("#queue-item-2").is_visible() and still.locator("#queue-item-40").is_hidden()
        expect(still.locator("#held")).to_contain_text("2 moves waiting")
        push(still, stage, vote(stage, 40, 7))
        assert still.locator("#queue-item-40").is_hidden()
        leave(still)
        run(still, 1)
        expect(still.locator("#queue-item-40")).to_be_visible()
        assert (order(still), count(still, 40)) == (stage.ids, "7")
        assert still.locator("#queue-item-2").count() == 0

    def test_a_full_redraw_under_a_hand_waits_too(self, still: Page, stage: Stage) -> None:
        hover(still, 4)
        stage.ids, stage.seq, stage.nets = [8, 7, 41, 4, 1], 11, {8: 2}
        push(still, stage, stage.whole(), vote(stage, 41, 3))
        assert (order(still)[:4], count(still, 8)) == ([1, 4, 7, 8], "2")
        leave(still)
        run(still, 1)
        expect(still.locator("#queue-item-41")).to_be_visible()
        assert (order(still), count(still, 41)) == (stage.ids, "3")

    def test_a_line_emptied_under_a_hand_waits(self, still: Page, stage: Stage) -> None:
        hover(still, 4)
        stage.ids, stage.seq = [], 11
        push(still, stage, stage.whole())
        assert still.locator("#queue-item-4").is_visible()
        leave(still)
        run(still, 1)
        expect(still.locator("#queue")).to_contain_text("quiet")
        assert still.locator("#queue .track").count() == 0

    def test_ones_own_vote_moves_its_row_at_once_and_a_second_press_hits_no_other(
        self, still: Page, stage: Stage
    ) -> None:
        def answer(call: Call) -> str:
            stage.ids, stage.nets[6], stage.votes, stage.seq = [6, 1, 2, 3, 4, 5, 7, 8], 1, {6: 1}, 11
            return stage.frame(stage.row(6), stage.piece("mine"), start=10)

        stage.answer = answer
        still.locator("#up-6").hover()
        run(still, 1)
        still.locator("#up-6").click()
        answered(stage)
        shown_as_told(still, stage)
        expect(still.locator("#vote-6")).not_to_have_class(WITH_PENDING)
        still.mouse.down()
        still.mouse.up()
        assert still.locator("#queue .is-pending").count() == 0
        read_out(still, stage)
        assert len(stage.calls) == 1

    def test_moves_wait_for_the_keyboard_until_it_leaves(self, screen: Page, stage: Stage) -> None:
        screen.locator("#search").focus()
        screen.keyboard.press("Tab")
        screen.locator("#up-5").focus()
        push(screen, stage, move(stage, 8, 0))
        assert order(screen)[0] == 1
        screen.locator("#search").focus()
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-8'")

    def test_a_row_moves_with_its_focus(self, screen: Page, stage: Stage) -> None:
        screen.locator("#up-5").focus()
        push(screen, stage, move(stage, 5, 0), vote(stage, 5, 2))
        let_go(screen)
        assert order(screen)[0] == 5
        assert screen.evaluate("() => document.activeElement.id") == "up-5"

    def test_when_the_focused_row_goes_the_next_handle_has_the_focus(
        self, screen: Page, stage: Stage
    ) -> None:
        screen.locator("#up-5").focus()
        stage.ids.remove(5)
        stage.seq += 1
        push(screen, stage, stage.frame(stage.gone(5)))
        assert screen.locator("#queue-item-5").is_visible()
        let_go(screen)
        assert screen.evaluate("() => document.activeElement.id") == "grip-6"

    def test_what_a_person_is_at_survives_every_push(self, screen: Page, stage: Stage) -> None:
        screen.evaluate("() => { window.media = document.getElementById('media'); }")
        screen.locator("#search").fill("half typ")
        screen.evaluate("() => document.getElementById('search').setSelectionRange(2, 5)")
        stage.playing, stage.seq, stage.ids = 3, 11, [8, 1, 2]
        names = [*stale.PIECES, "mine"]
        push(screen, stage, stage.frame(*[stage.piece(name) for name in names], start=0))
        typed = (
            "() => { const box = document.activeElement; return [box.id, box.value, box.selectionStart]; }"
        )
        assert screen.evaluate(typed) == ["search", "half typ", 2]
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
        call = answered(stage)
        assert call.path.endswith("/queue/2/move") and call.form["after"] in {"4", "5"}
        leave(screen)
        shown_as_told(screen, stage)
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
        assert answered(stage).form == {"after": ""}
        screen.wait_for_function("() => partyline.rows.shown()[0].id === 'queue-item-6'")
        stage.answer = removes(stage)
        screen.locator("#grip-3").click()
        screen.get_by_role("menuitem", name="Remove").click()
        expect(screen.locator("#queue-item-3")).to_have_count(0)
        assert (stage.calls[-1].method, stage.calls[-1].path) == ("DELETE", f"/rooms/{CODE}/queue/3")
        expect(screen.locator("#undo")).to_be_visible()
        leave(screen)
        shown_as_told(screen, stage)

    def test_a_refused_removal_brings_the_row_back(self, blank: Page, stage: Stage) -> None:
        stage.role, stage.own = "guest", [3]
        screen = opened(blank, stage)
        stage.answer = lambda call: (stage.piece("notice", message="Not yours."), 403)
        screen.locator("#remove-3").click()
        expect(screen.locator("#notice")).to_contain_text("Not yours.")
        expect(screen.locator("#queue-item-3")).to_be_visible()


class TestVotes:
    def test_a_vote_counts_at_once_and_is_dotted_until_answered(self, still: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            still.locator("#up-3").click()
            assert count(still, 3) == "1"
            expect(still.locator("#up-3")).to_have_attribute("aria-pressed", "true")
            expect(still.locator("#vote-3")).to_have_class(WITH_PENDING)
            release()
            expect(still.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert (count(still, 3), stage.votes) == ("1", {3: 1})
        expect(still.locator("#up-3")).to_have_attribute("aria-pressed", "true")

    def test_somebody_elses_vote_meanwhile_does_not_count_mine_twice(self, still: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            still.locator("#up-3").click()
            push(still, stage, vote(stage, 3, 1))
            assert count(still, 3) == "1"
            release()
            stage.wait(lambda: stage.votes == {3: 1})
            push(still, stage, stage.frame(stage.row(3)))
            expect(still.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert count(still, 3) == "2"

    def test_a_refused_vote_is_taken_back_with_the_sentence(self, screen: Page, stage: Stage) -> None:
        stage.answer = lambda call: (stage.piece("notice", message="Easy. You can vote again in 8 s"), 429)
        screen.locator("#down-3").click()
        expect(screen.locator("#notice")).to_contain_text("Easy.")
        expect(screen.locator("#down-3")).to_have_attribute("aria-pressed", "false")
        assert count(screen, 3) == "0"

    def test_pressing_again_takes_it_back_and_the_other_side_switches(
        self, screen: Page, stage: Stage
    ) -> None:
        stage.answer = votes(stage)
        for button, net in (("#up-3", "1"), ("#down-3", "−1"), ("#down-3", "0")):
            screen.locator(button).click()
            expect(screen.locator("#vote-3")).not_to_have_class(WITH_PENDING)
            assert count(screen, 3) == net
        said = [(call.method, call.form.get("value")) for call in stage.calls]
        assert said == [("POST", "1"), ("POST", "-1"), ("DELETE", None)]
        assert len({call.headers["Idempotency-Key"] for call in stage.calls}) == 3
        assert stage.calls[0].headers["X-Partyline-Epoch"] == "first"
        assert [call.headers["X-Partyline-After"] for call in stage.calls] == ["10", "11", "12"]

    def test_many_quick_presses_end_as_the_last_one_said(self, still: Page, stage: Stage) -> None:
        with HeldAnswer(stage, votes(stage)) as release:
            for _ in range(4):
                still.locator("#up-3").click()
            still.locator("#down-3").click()
            assert count(still, 3) == "−1"
            release()
            # The last press is sent a moment after the first one's answer.
            eventually(still, lambda: still.clock.run_for(10) or stage.votes == {3: -1})
            expect(still.locator("#vote-3")).not_to_have_class(WITH_PENDING)
        assert (len(stage.calls), count(still, 3)) == (2, "−1")

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

    def test_a_broken_line_is_tried_once_more_with_the_same_key(self, still: Page, stage: Stage) -> None:
        keys: list[str] = []

        def cut(route: Any) -> None:
            keys.append(route.request.headers["idempotency-key"])
            route.abort()

        still.evaluate(COUNT_BROKEN_LINES)
        still.route("**/vote", cut)
        still.locator("#up-3").click()
        still.wait_for_function(BROKEN_LINES, arg=1)
        assert len(keys) == 1
        run(still, 1)
        still.wait_for_function(BROKEN_LINES, arg=2)
        expect(still.locator("#toasts")).to_contain_text("Your vote didn’t get through.")
        assert len(keys) == 2 and len(set(keys)) == 1
        assert count(still, 3) == "0"
        still.unroute("**/vote")
        stage.answer = votes(stage)
        still.get_by_role("button", name="Try again").click()
        stage.wait(lambda: stage.votes == {3: 1})
