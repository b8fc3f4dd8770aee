"""The player by URL."""

from __future__ import annotations

import pytest

from live import screens
from models import Playback
from party import configuring, playback
from tests.doors import Browser, words
from tests.stage import Cast


def anchor() -> Playback:
    return Playback.get()


def test_the_host_plays_pauses_seeks_skips_and_starts_again(cast: Cast, time, ada: Browser) -> None:
    items = cast.add(3)
    path = f"/rooms/{cast.code}/playback"
    time.move(10)
    expected = [
        ({"action": "pause"}, ("paused", 9_700)),
        ({"action": "seek", "position_ms": "50000"}, ("paused", 50_000)),
        ({"action": "play"}, ("playing", 50_000)),
        ({"action": "seek", "position_ms": "0"}, ("playing", 0)),
        ({"action": "restart"}, ("playing", 0)),
    ]
    for form, state in expected:
        answer = ada.post(path, **form)
        assert (answer.status_code, answer.location) == (303, f"/rooms/{cast.code}")
        assert (anchor().state, anchor().position_ms) == state
    ada.post(path, action="skip")
    assert anchor().item_id == items[1]


def test_a_start_lies_as_far_ahead_as_the_rooms_screens_need(cast: Cast, time, ada: Browser) -> None:
    cast.add(1)
    ada.post(f"/rooms/{cast.code}/playback", action="restart")
    assert anchor().at_ms == time.now_ms + screens.LEAD_LEAST_MS


@pytest.mark.parametrize("action", ["play", "pause", "seek", "skip", "restart"])
def test_whoever_may_not_gets_a_sentence_and_nothing_happens(
    cast: Cast, ben: Browser, cleo: Browser, action: str
) -> None:
    cast.add(2)
    configuring.change_settings(cast.ada, cast.code, {"control": "host", "skip": "host"})
    version = anchor().version
    for browser in (ben, cleo):
        answer = browser.post(f"/rooms/{cast.code}/playback", action=action, position_ms="1")
        assert answer.status_code == 403
        assert f"Only the host may {'skip' if action == 'skip' else 'do that'}" in words(answer)
    assert anchor().version == version


@pytest.mark.parametrize("seen", [{"version": "1"}, {"item": "999"}, {"version": "0", "item": ""}])
def test_what_was_pressed_on_an_old_screen_is_refused_with_the_reason(
    cast: Cast, ada: Browser, seen: dict
) -> None:
    cast.add(2)
    playback.skip(cast.ada, cast.code)
    version = anchor().version
    answer = ada.post(f"/rooms/{cast.code}/playback", action="skip", **seen)
    assert answer.status_code == 409
    assert "moved on while you pressed" in words(answer)
    assert anchor().version == version


def test_what_was_pressed_on_a_fresh_screen_is_done(cast: Cast, ada: Browser) -> None:
    items = cast.add(2)
    answer = ada.post(f"/rooms/{cast.code}/playback", action="skip", version=anchor().version, item=items[0])
    assert answer.status_code == 303
    assert anchor().item_id == items[1]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"action": ""},
        {"action": "explode"},
        {"action": "PLAY"},
        {"action": "seek"},
        {"action": "seek", "position_ms": ""},
        {"action": "seek", "position_ms": "-1"},
        {"action": "seek", "position_ms": "--1"},
        {"action": "seek", "position_ms": "1.5"},
        {"action": "seek", "position_ms": "1e3"},
        {"action": "seek", "position_ms": "NaN"},
        {"action": "seek", "position_ms": "100001"},
        {"action": "seek", "position_ms": "9" * 40},
        {"action": "seek", "position_ms": "٣"},
        {"action": "pause", "version": "x"},
        {"action": "pause", "item": "\x00"},
    ],
)
def test_nonsense_is_refused_with_a_sentence(cast: Cast, ada: Browser, form: dict[str, str]) -> None:
    cast.add(1)
    version = anchor().version
    answer = ada.post(f"/rooms/{cast.code}/playback", **form)
    assert answer.status_code == 422
    assert anchor().version == version


def test_nothing_on_is_said(cast: Cast, ada: Browser) -> None:
    for action in ("play", "seek", "skip", "restart"):
        answer = ada.post(f"/rooms/{cast.code}/playback", action=action, position_ms="0")
        assert answer.status_code == 409
    assert ada.post(f"/rooms/{cast.code}/playback", action="pause").status_code == 303
