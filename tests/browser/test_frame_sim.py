"""Players in frames, in virtual time: how YouTube's and Vimeo's players are kept in step, ads and refusals included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import player_stage
from tests.browser.player_stage import HERE, SCRIPTS

pytestmark = pytest.mark.browser

PARTY = """([network, count, habits, seeds]) => {
  const { World, FrameMember, quantile, video } = sim, apart = [], joins = [];
  let fastest = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const world = new World(seed), members = [], start = video(world, { atMs: world.serverTime + 300 });
    for (let n = 0; n < count; n += 1) world.at(n * 3000, () => {
      const own = { ppm: world.luck.between(-20, 20), tellMs: world.luck.between(200, 500), ...habits };
      const member = new FrameMember(world, { network, ppm: world.luck.between(-60, 60), habits: own });
      members.push(member);
      member.player.follow(start);
    });
    for (let t = 0; t < 180000; t += 113) {
      world.run(t);
      for (const { frame } of members) fastest = Math.max(fastest, Math.abs(frame.speed - 1));
      if (t < count * 3000 + 15000) continue;
      const moving = members.filter(({ frame }) => frame.isMoving).map(({ frame }) => frame.nowMs);
      apart.push(Math.max(...moving) - Math.min(...moving));
    }
    joins.push(...members.map(({ joinedAt }) => joinedAt));
  }
  return { apart: quantile(apart, 0.95), half: quantile(apart, 0.5), p95: quantile(joins, 0.95), fastest };
}"""

ONE = """([steps, options]) => {
  const world = new sim.World(11), member = new sim.FrameMember(world, options), { player, frame } = member;
  const log = [];
  const off = () => frame.nowMs - player.wantedAt(world.serverTime);
  const go = (ms) => world.run(world.t + ms);
  const anchor = (change) => sim.video(world, change);
  const note = (what) => log.push(what ?? [player.state, Math.round(off())]);
  new Function('world', 'member', 'player', 'frame', 'off', 'go', 'anchor', 'note', steps)(
    world, member, player, frame, off, go, anchor, note);
  return log;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with player_stage.launcher() as launch:
        page = player_stage.open_simulation(launch())
        for script in (SCRIPTS / "framefollower.js", HERE / "frame_sim.js"):
            page.evaluate(script.read_text())
        yield page


def play(page: Page, steps: str, **options: Any) -> list[Any]:
    """What one member noted down while it went through the steps."""
    return list(page.evaluate(ONE, [steps, options]))


@pytest.mark.parametrize("habits", [{}, {"isCoarse": True}, {"hasFineRates": True}])
@pytest.mark.parametrize("network", ["lan", "wide", "lopsided"])
def test_a_party_of_four_on_youtube_is_in_step(page: Page, network: str, habits: dict[str, Any]) -> None:
    found = page.evaluate(PARTY, [network, 4, habits, 3])
    assert found["half"] <= 150
    assert found["apart"] <= 250
    assert found["p95"] <= (4500 if habits.get("isCoarse") else 3000)
    assert found["fastest"] <= 0.03 + 1e-9


def test_a_scheduled_start_happens_near_its_instant(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      player.follow(anchor({ state: 'paused', positionMs: 8000, version: 2 }));
      go(2000);
      note([player.state, frame.state, Math.abs(frame.nowMs - 8000) <= 50]);
      player.follow(anchor({ positionMs: 8000, atMs: world.serverTime + 400, version: 3 }));
      go(300);
      note([Math.abs(frame.nowMs - 8000) <= 50]);
      go(2000);
      note([player.state, Math.abs(off()) <= 120, player.starts]);
    """)  # fmt: skip
    assert notes[:2] == [["paused", "paused", True], [True]]
    assert notes[2][:2] == ["in step", True]


def test_pause_applies_at_once_and_stands_where_the_room_stands(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(6000);
      player.follow(anchor({ state: 'paused', positionMs: 4321, version: 2 }));
      go(20);
      note([frame.state]);
      go(1500);
      note([player.state, frame.nowMs, frame.sought.at(-1)]);
    """)  # fmt: skip
    assert notes == [["paused"], ["paused", 4321, 4321]]


def test_a_seek_to_zero_is_a_seek(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ positionMs: 60000 }));
      go(8000);
      player.follow(anchor({ positionMs: 0, atMs: world.serverTime + 300, version: 2 }));
      go(3300);
      note([player.state, Math.abs(frame.nowMs - 3000) <= 120]);
      player.follow(anchor({ state: 'paused', positionMs: 0, version: 3 }));
      go(1500);
      note([player.state, frame.nowMs]);
    """)  # fmt: skip
    assert notes == [["in step", True], ["paused", 0]]


def test_a_seek_within_the_band_interrupts_nothing(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      const { starts } = player, { length } = frame.sought;
      player.follow(anchor({ positionMs: 8000, atMs: world.serverTime, version: 2 }));
      go(3000);
      note([player.starts - starts, frame.sought.length - length, player.state]);
    """)  # fmt: skip
    assert notes == [[0, 0, "in step"]]


def test_far_off_is_one_seek_that_lands(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      frame.rebase(frame.nowMs + 5000);
      frame.tell();
      const before = frame.sought.length;
      go(4000);
      note([player.state, player.seeks, frame.sought.length - before, Math.abs(off()) <= 120]);
    """)  # fmt: skip
    assert notes == [["in step", 1, 1, True]]


def test_fine_speeds_are_used_where_the_player_takes_them(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      frame.rebase(frame.nowMs + 300);
      frame.tell();
      go(600);
      note([Math.abs(frame.speed - 0.97) < 0.001]);
      go(16000);
      note([player.state, player.seeks, frame.speed, Math.abs(off()) <= 60]);
    """, habits={"hasFineRates": True})  # fmt: skip
    assert notes == [[True], ["in step", 0, 1, True]]


def test_where_fine_speeds_are_refused_they_are_asked_for_once_and_a_seek_does_it(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      const { length } = frame.rates;
      frame.rebase(frame.nowMs + 300);
      frame.tell();
      go(20000);
      note([player.state, player.canNudge, player.seeks, Math.abs(off()) <= 120]);
      const asked = frame.rates.filter((rate) => rate !== 1).length;
      frame.rebase(frame.nowMs - 300);
      go(20000);
      note([frame.rates.filter((rate) => rate !== 1).length - asked, player.seeks]);
    """)  # fmt: skip
    assert notes == [["in step", False, 1, True], [0, 2]]


def test_a_speed_that_is_agreed_to_and_does_nothing_is_given_up(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      Object.defineProperty(frame, 'told', { get() { return this.kept && { ...this.kept, speed: this.said ?? 1 }; },
        set(told) { this.kept = told; } });
      go(15000);
      frame.rebase(frame.nowMs + 300);
      frame.tell();
      go(60000);
      note([player.canNudge, player.state, Math.abs(off()) <= 120]);
    """, habits={"ignoresRates": True})  # fmt: skip
    assert notes == [[False, "in step", True]]


def test_a_player_that_drifts_is_seldom_sought_and_the_person_is_told(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(240000);
      note([player.seeks, player.band, member.told.length > 0]);
    """, habits={"ppm": 12000, "durationMs": 600000})  # fmt: skip
    # 12 ms a second: without a pause between seeks it would be one every ten seconds.
    seeks, band, is_told = notes[0]
    assert 3 <= seeks <= 14
    assert band > 120
    assert is_told


def test_a_stall_is_made_up_for_by_one_seek_and_said(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      frame.stall(1500);
      go(500);
      note([player.state]);
      go(5000);
      note([player.state, player.stalls, player.seeks, Math.abs(off()) <= 120]);
    """)  # fmt: skip
    assert notes == [["buffering"], ["in step", 1, 1, True]]


def test_an_ad_in_the_middle_is_left_alone_and_one_seek_follows(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      const before = frame.sought.length, { length } = frame.rates;
      frame.advertise(12000);
      go(3000);
      note([player.state, frame.sought.length - before, frame.rates.length - length]);
      go(8500);
      note([player.state, frame.sought.length - before, player.seeks]);
      go(6000);
      note([player.state, frame.sought.length - before, Math.abs(off()) <= 120, player.ads]);
    """)  # fmt: skip
    assert notes == [["in an ad", 0, 0], ["in an ad", 0, 0], ["in step", 1, True, 1]]


@pytest.mark.parametrize("habits", [{}, {"isCoarse": True}, {"adDurationMs": 15000}])
def test_an_ad_before_the_video_is_left_alone_too(page: Page, habits: dict[str, Any]) -> None:
    notes = play(page, """
      player.follow(anchor());
      frame.later(300, () => frame.advertise(10000));
      go(6000);
      const before = frame.sought.length;
      note([player.state]);
      go(4000);
      note([player.state, frame.sought.length - before]);
      go(6000);
      note([player.state, Math.abs(off()) <= 120]);
    """, habits=habits)  # fmt: skip
    assert notes == [["in an ad"], ["in an ad", 0], ["in step", True]]


def test_an_ad_of_another_length_is_seen_at_once(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      frame.advertise(9000);
      go(400);
      note([player.state]);
    """, habits={"adDurationMs": 20000})  # fmt: skip
    assert notes == [["in an ad"]]


def test_a_wrong_idea_of_the_length_is_no_ad_for_ever(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ durationMs: 600000 }));
      go(10000);
      note([player.state]);
      go(185000);
      note([player.state, Math.abs(off()) <= 120]);
    """, habits={"durationMs": 300000})  # fmt: skip
    assert notes == [["in an ad"], ["in step", True]]


def test_a_pause_of_the_room_during_an_ad_seeks_nothing(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(15000);
      const before = frame.sought.length;
      frame.advertise(20000);
      go(4000);
      player.follow(anchor({ state: 'paused', positionMs: 19000, version: 2 }));
      go(2000);
      note([player.state, frame.state, frame.sought.length - before]);
      player.follow(anchor({ positionMs: 19000, atMs: world.serverTime + 300, version: 3 }));
      go(3000);
      note([player.state, frame.state, frame.sought.length - before]);
      go(15000);
      note([player.state, Math.abs(off()) <= 120]);
    """)  # fmt: skip
    assert notes == [["paused", "paused", 0], ["in an ad", "playing", 0], ["in step", True]]


def test_refused_sound_means_muted_and_in_step_and_one_tap_brings_it(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(5000);
      note([player.state, player.isBlocked, frame.isMuted, Math.abs(off()) <= 120]);
      frame.mayPlay = true;
      const { starts } = player;
      player.tap();
      go(500);
      note([player.state, player.isBlocked, frame.isMuted, player.starts - starts]);
    """, habits={"mayPlay": False})  # fmt: skip
    assert notes == [["in step", True, True, True], ["in step", False, False, 0]]


def test_a_refusal_that_nobody_tells_is_found_out(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(9000);
      note([player.state, player.isBlocked, frame.isMuted]);
    """, habits={"mayPlay": False, "saysBlocked": False})  # fmt: skip
    assert notes == [["in step", True, True]]


def test_where_even_muted_video_is_refused_it_waits_for_the_tap(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(9000);
      note([player.state, player.isHeld]);
      frame.mayPlay = true;
      player.tap();
      go(4000);
      note([player.state, frame.isMuted, Math.abs(off()) <= 120]);
    """, habits={"mayPlay": False, "mayPlayMuted": False})  # fmt: skip
    assert notes == [["held", True], ["in step", False, True]]


def test_a_slow_start_is_not_taken_for_a_refusal(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(9000);
      note([player.isBlocked, frame.isMuted]);
      go(4000);
      note([player.state]);
    """, habits={"coldMs": 7000})  # fmt: skip
    assert notes == [[False, False], ["in step"]]


def test_a_pause_made_on_this_device_is_respected_until_it_plays_again(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      frame.pause();
      go(5000);
      note([player.state, frame.state, player.isHeld]);
      frame.play();
      go(4000);
      note([player.state, player.isHeld, Math.abs(off()) <= 120]);
    """)  # fmt: skip
    assert notes == [["held", "paused", True], ["in step", False, True]]


def test_what_is_paused_for_everybody_cannot_be_played_by_one(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      player.follow(anchor({ state: 'paused', positionMs: 8000, version: 2 }));
      go(2000);
      frame.play();
      go(3000);
      note([player.state, frame.state]);
    """)  # fmt: skip
    assert notes == [["paused", "paused"]]


def test_the_next_video_is_loaded_and_starts_in_step(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      player.follow(anchor({ item: '2', reference: 'bbbbbbbbbbb', atMs: world.serverTime + 300, version: 2 }));
      go(5000);
      note([player.state, frame.video, Math.abs(off()) <= 120]);
      player.follow(anchor({ item: '', reference: '', state: 'idle', version: 3 }));
      go(500);
      note([player.state, frame.state]);
    """)  # fmt: skip
    assert notes == [["in step", "bbbbbbbbbbb", True], ["idle", "paused"]]


def test_the_end_is_left_to_the_server(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ durationMs: 12000 }));
      go(12500);
      const { starts } = player;
      frame.become('ended');
      go(30000);
      note([player.state, player.starts - starts]);
    """, habits={"durationMs": 12000})  # fmt: skip
    assert notes == [["ended", 0]]


def test_something_live_is_played_and_not_steered(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ durationMs: Infinity }));
      go(10000);
      note([player.state]);
      const { length } = frame.sought;
      frame.rebase(frame.nowMs + 9000);
      go(10000);
      note([player.state, frame.sought.length - length]);
    """, habits={"grows": True})  # fmt: skip
    assert notes == [["live"], ["live", 0]]


def test_a_failed_player_is_left_and_another_video_tries_anew(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(100);
      frame.fn('failed');
      go(3000);
      note([player.state, frame.plays]);
      player.follow(anchor({ item: '2', reference: 'bbbbbbbbbbb', version: 2 }));
      go(5000);
      note([player.state]);
    """)  # fmt: skip
    assert notes == [["failed", 0], ["in step"]]


def test_a_frame_that_was_left_is_asked_nothing_more(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(8000);
      const before = frame.sought.length;
      player.leave();
      frame.rebase(0);
      go(10000);
      note([frame.sought.length - before, player.state]);
    """)  # fmt: skip
    assert notes == [[0, "idle"]]


def test_a_minute_of_sleep_ends_in_step_again(page: Page) -> None:
    notes = play(page, """
      member.media = null;
      player.follow(anchor());
      go(10000);
      frame.pause();
      member.sleep(60000);
      frame.later(60010, () => frame.play());
      go(66000);
      note([player.state, Math.abs(off()) <= 120]);
    """)  # fmt: skip
    assert notes == [["in step", True]]


def test_a_late_speaker_is_answered_by_playing_early(page: Page) -> None:
    notes = play(page, """
      player.setSpeaker(400);
      player.follow(anchor({ positionMs: 10000 }));
      go(6000);
      note([player.state, Math.abs(frame.nowMs - 16400) <= 120]);
    """)  # fmt: skip
    assert notes == [["in step", True]]
