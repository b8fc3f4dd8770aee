"""Playing: the anchor, who moves it, and the end of a track."""

from __future__ import annotations

import pytest

from models import Play, Playback
from party import playback, queue
from party.errors import Conflict, Invalid, NotAllowed
from party.playback import Seen, position_at
from tests.stage import SONG_MS, Cast

LEAD = playback.START_LEAD_MS


def anchor(cast: Cast) -> Playback:
    return Playback.get_by_id(cast.room().id)


def test_a_start_lies_a_little_ahead_so_that_all_begin_together(cast: Cast, time) -> None:
    cast.add(1)
    now = anchor(cast)
    assert (now.state, now.position_ms, now.at_ms) == ("playing", 0, time.now_ms + LEAD)
    assert now.ends_at == now.at_ms + SONG_MS
    assert position_at(now, time.now_ms) == 0
    assert position_at(now, time.now_ms + LEAD + 5_000) == 5_000


def test_pause_keeps_the_place_and_play_goes_on_from_it(cast: Cast, time) -> None:
    cast.add(1)
    time.move(10.3)
    playback.pause(cast.ada, cast.code)
    assert (anchor(cast).state, anchor(cast).position_ms, anchor(cast).ends_at) == ("paused", 10_000, None)
    time.move(60)
    playback.play(cast.ada, cast.code)
    assert (anchor(cast).state, anchor(cast).position_ms) == ("playing", 10_000)


def test_seeking_to_zero_works_and_goes_on_playing(cast: Cast, time) -> None:
    cast.add(1)
    time.move(20)
    playback.seek(cast.ada, cast.code, 0)
    assert (anchor(cast).state, anchor(cast).position_ms) == ("playing", 0)
    playback.pause(cast.ada, cast.code)
    playback.seek(cast.ada, cast.code, 42_000)
    assert (anchor(cast).state, anchor(cast).position_ms) == ("paused", 42_000)
    playback.restart(cast.ada, cast.code)
    assert anchor(cast).position_ms == 0


@pytest.mark.parametrize("position", [-1, SONG_MS + 1, 10**12])
def test_a_place_outside_the_track_is_refused(cast: Cast, position: int) -> None:
    cast.add(1)
    version = anchor(cast).version
    with pytest.raises(Invalid):
        playback.seek(cast.ada, cast.code, position)
    assert anchor(cast).version == version


def test_only_the_host_moves_the_player(cast: Cast) -> None:
    cast.add(2)
    version = anchor(cast).version
    for command in (playback.play, playback.pause, playback.skip, playback.restart):
        with pytest.raises(NotAllowed, match="Only the host"):
            command(cast.cleo, cast.code)
    with pytest.raises(NotAllowed):
        playback.seek(cast.cleo, cast.code, 0)
    assert anchor(cast).version == version


def test_repeats_change_nothing(cast: Cast) -> None:
    cast.add(1)
    version = anchor(cast).version
    playback.play(cast.ada, cast.code)
    assert anchor(cast).version == version
    playback.pause(cast.ada, cast.code)
    playback.pause(cast.ada, cast.code)
    assert anchor(cast).version == version + 1


def test_what_was_pressed_on_an_old_screen_is_refused(cast: Cast) -> None:
    first, second = cast.add(2)
    seen = Seen(version=anchor(cast).version, item_id=first)
    playback.skip(cast.ada, cast.code, seen=seen)
    assert cast.seen().now.id == second
    with pytest.raises(Conflict):
        playback.skip(cast.ada, cast.code, seen=seen)
    with pytest.raises(Conflict):
        playback.skip(cast.ada, cast.code, seen=Seen(item_id=first))
    assert cast.seen().now.id == second


def test_skipping_the_last_track_falls_quiet_and_the_next_add_starts_at_once(cast: Cast) -> None:
    cast.add(1)
    playback.skip(cast.ada, cast.code)
    assert (anchor(cast).state, cast.seen().now) == ("idle", None)
    for command in (playback.skip, playback.play):
        with pytest.raises(Conflict):
            command(cast.ada, cast.code)
    [item] = cast.add(1, by=cast.cleo)
    assert cast.seen().now.id == item


def test_the_end_advances_once_however_often_it_is_told(cast: Cast, time) -> None:
    first, second, third = cast.add(3)
    play = anchor(cast).play_id
    time.move(LEAD / 1000 + SONG_MS / 1000 - 0.001)
    assert not playback.advance(cast.code, play)
    time.move(0.001)
    assert playback.advance(cast.code, play)
    assert not playback.advance(cast.code, play)
    assert cast.seen().now.id == second
    assert cast.line() == [third]
    assert [(row.item_id, row.end_reason) for row in Play.select().order_by(Play.id)] == [
        (first, "finished"),
        (second, None),
    ]


def test_a_paused_track_does_not_end(cast: Cast, time) -> None:
    cast.add(2)
    play = anchor(cast).play_id
    playback.pause(cast.ada, cast.code)
    time.move(1_000)
    assert not playback.advance(cast.code, play)


def test_a_seek_moves_the_end(cast: Cast, time) -> None:
    cast.add(2)
    play = anchor(cast).play_id
    time.move(50)
    playback.seek(cast.ada, cast.code, 0)
    time.move(51)
    assert not playback.advance(cast.code, play)
    time.move(50)
    assert playback.advance(cast.code, play)


def test_what_plays_is_what_the_line_showed_first(cast: Cast, time) -> None:
    items = cast.add(6)
    for voter in (cast.ada, cast.ben, cast.cleo):
        queue.cast_vote(voter, cast.code, items[4], 1)
    queue.cast_vote(cast.cleo, cast.code, items[2], -1)
    while cast.line():
        first = cast.line()[0]
        playback.skip(cast.ada, cast.code)
        assert cast.seen().now.id == first


def test_the_lock_is_taken_once_and_let_go_by_a_seek_back(cast: Cast, time) -> None:
    _, a, b = cast.add(3)
    play = anchor(cast).play_id
    assert not playback.lock_next(cast.code, play)
    time.move(90)
    assert playback.lock_next(cast.code, play)
    assert not playback.lock_next(cast.code, play)
    assert not playback.lock_next(cast.code, play + 1)
    playback.seek(cast.ada, cast.code, 0)
    assert anchor(cast).locked_item_id is None
    queue.cast_vote(cast.cleo, cast.code, b, 1)
    assert cast.line() == [b, a]


def test_a_play_nobody_ended_is_found(cast: Cast, time) -> None:
    cast.add(1)
    assert playback.forgotten_play(cast.code) is None
    time.move(SONG_MS / 1000 + 5)
    assert playback.forgotten_play(cast.code) == anchor(cast).play_id


def test_history_keeps_what_was_played_by_whom(cast: Cast, time) -> None:
    [item] = cast.add(1, by=cast.cleo)
    cast.add(1)
    playback.skip(cast.ada, cast.code)
    [play] = cast.seen().history
    assert (play.item_id, play.by.name, play.was_skipped) == (item, "Cleo", True)
