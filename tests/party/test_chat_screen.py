"""Screens that took every change of the talk say what a fresh page says."""

from __future__ import annotations

import pytest

import fragments
from party import chat, chat_log
from tests.scenes.chat import COMMANDS, many
from tests.stage import Cast
from tests.test_stale_screen import AUDIENCES, Scene, fresh, opened


@pytest.mark.parametrize("name", COMMANDS)
def test_the_talk_before_plus_what_since_says_is_the_talk_after(cast: Cast, time, name: str) -> None:
    fragments._recent.clear()
    scene = Scene(cast, time)
    prepare, act = COMMANDS[name]
    prepare(scene)
    screens = {role: opened(cast.code, role) for role in AUDIENCES}
    act(scene)
    for role, screen in screens.items():
        room = fragments.current(cast.code)
        frame = fragments.since(cast.code, room.audience(role), screen.applied, screen.epoch)
        assert frame.start > 0 and screen.apply(frame.html) == "applied"
        assert screen.shows("chat") == fresh(cast.code, role).shows("chat")


def test_far_behind_the_talk_comes_whole(cast: Cast, time) -> None:
    fragments._recent.clear()
    scene = Scene(cast, time)
    screen = opened(cast.code, "guest")
    many(scene)
    frame = fragments.since(cast.code, cast.seen().audience("guest"), screen.applied, screen.epoch)
    assert frame.start > 0 and 'id="chat"' in frame.html and 'id="chat-new"' not in frame.html
    screen.apply(frame.html)
    assert screen.shows("chat") == fresh(cast.code, "guest").shows("chat")


def test_the_talk_is_the_same_for_every_audience_and_costs_few_queries(cast: Cast, time, monkeypatch) -> None:
    from models import database

    fragments._recent.clear()
    scene = Scene(cast, time)
    many(scene)
    room = fragments.current(cast.code)
    asked: list[str] = []
    execute = database.obj.execute_sql
    monkeypatch.setattr(
        database.obj,
        "execute_sql",
        lambda sql, *rest, **more: asked.append(sql) or execute(sql, *rest, **more),
    )
    chat_log.latest(room.id, room.seq)
    assert len(asked) <= 8
    asked.clear()
    monkeypatch.undo()
    after = room.seq
    chat.say(cast.ben, cast.code, "hello")
    frames = {fragments.since(cast.code, room.audience(role), after, room.epoch).html for role in AUDIENCES}
    assert len(frames) == 1
