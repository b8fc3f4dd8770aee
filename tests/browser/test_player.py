"""Playing in step, in virtual time: parties of members with their own networks, crystals and players."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import player_stage

pytestmark = pytest.mark.browser

PARTY = """([network, count, ppm, seeds]) => {
  const { World, Member, quantile, anchor } = sim, apart = [], joins = [], starts = [];
  let seeks = 0, fastest = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const world = new World(seed), members = [], start = anchor(world, { atMs: world.serverTime + 300 });
    for (let n = 0; n < count; n += 1) world.at(n * 1500, () => {
      const habits = { ppm: world.luck.between(-ppm, ppm) };
      const member = new Member(world, { network, ppm: world.luck.between(-60, 60), habits });
      members.push(member);
      member.player.follow(start);
    });
    for (let t = 0; t < 180000; t += 113) {
      world.run(t);
      for (const { media } of members) fastest = Math.max(fastest, Math.abs(media.speed - 1));
      if (t < count * 1500 + 3000) continue;
      const heard = members.map(({ media }) => media.heardMs);
      apart.push(Math.max(...heard) - Math.min(...heard));
    }
    for (const { joinedAt, player } of members) {
      joins.push(joinedAt);
      seeks += player.seeks;
      starts.push(player.starts);
    }
  }
  const [p50, p95] = [0.5, 0.95].map((q) => quantile(joins, q));
  return { apart: quantile(apart, 0.95), p50, p95, seeks, fastest, starts };
}"""

ONE = """([steps, options]) => {
  const world = new sim.World(11), member = new sim.Member(world, options), { player, media } = member;
  const log = [];
  const off = () => media.heardMs - player.wantedAt(world.serverTime);
  const go = (ms) => world.run(world.t + ms);
  const anchor = (change) => sim.anchor(world, change);
  const note = (what) => log.push(what ?? [player.state, Math.round(off())]);
  new Function('world', 'member', 'player', 'media', 'off', 'go', 'anchor', 'note', steps)(
    world, member, player, media, off, go, anchor, note);
  return log;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with player_stage.launcher() as launch:
        yield player_stage.open_simulation(launch())


def play(page: Page, steps: str, **options: Any) -> list[Any]:
    """What one member noted down while it went through the steps."""
    return list(page.evaluate(ONE, [steps, options]))


@pytest.mark.parametrize(
    ("network", "apart_ms"), [("lan", 40), ("wide", 60), ("lossy", 60), ("lopsided", 60)]
)
def test_a_party_of_six_is_in_step_and_nobody_is_disturbed_by_joins(
    page: Page, network: str, apart_ms: float
) -> None:
    found = page.evaluate(PARTY, [network, 6, 20, 4])
    assert found["apart"] <= apart_ms
    assert found["p50"] <= 700
    assert found["p95"] <= 1500
    assert found["seeks"] == 0
    assert max(found["starts"]) <= 3


def test_players_that_run_fast_or_slow_are_nudged_by_at_most_one_percent(page: Page) -> None:
    found = page.evaluate(PARTY, ["lan", 4, 300, 3])
    assert 0 < found["fastest"] <= 0.0101
    assert found["seeks"] == 0
    assert found["apart"] <= 60


def test_a_scheduled_start_happens_at_its_instant_everywhere(page: Page) -> None:
    heard = page.evaluate("""() => {
      const world = new sim.World(2);
      const members = ['lan', 'wide', 'lopsided'].map((network) => new sim.Member(world, { network }));
      const rest = sim.anchor(world, { state: 'paused', positionMs: 5000 });
      for (const member of members) member.player.follow(rest);
      world.run(20000);
      const start = sim.anchor(world, { positionMs: 5000, atMs: world.serverTime + 300, version: 2 });
      for (const member of members) member.player.follow(start);
      world.run(20290);
      const early = members.map(({ media }) => media.heardMs);
      world.run(20400);
      return [early, members.map(({ media }) => media.heardMs)];
    }""")
    assert heard[0] == [5000, 5000, 5000]
    assert all(abs(one - 5100) <= 20 for one in heard[1])


def test_pause_applies_at_once_and_everybody_stands_at_the_same_place(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(3000);
      player.follow(anchor({ state: 'paused', positionMs: 2987, version: 2 }));
      note([media.paused, media.heardMs]);
      go(500);
      note([player.state, media.heardMs]);
    """)  # fmt: skip
    assert notes == [[True, 2987], ["paused", 2987]]


def test_a_seek_to_zero_is_a_seek(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ positionMs: 60000 }));
      go(3000);
      player.follow(anchor({ positionMs: 0, atMs: world.serverTime + 300, version: 2 }));
      go(1300);
      note([player.state, Math.abs(media.heardMs - 1000) <= 20]);
      player.follow(anchor({ state: 'paused', positionMs: 0, version: 3 }));
      go(300);
      note([player.state, media.heardMs]);
    """)  # fmt: skip
    assert notes == [["in step", True], ["paused", 0]]


def test_an_anchor_that_says_the_same_differently_interrupts_nothing(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(5000);
      player.follow(anchor({ positionMs: 5000, version: 2 }));
      player.follow(anchor({ positionMs: 5200, atMs: world.serverTime + 200, version: 3 }));
      go(2000);
      note([player.starts, media.plays, player.state]);
    """)  # fmt: skip
    assert notes == [[1, 1, "in step"]]


def test_the_next_item_is_loaded_and_starts_in_step(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(5000);
      player.follow(anchor({ item: '2', src: '/b.mp3', atMs: world.serverTime + 300, version: 2 }));
      go(1300);
      note([player.state, media.src, Math.abs(off()) <= 20]);
      player.follow(anchor({ item: '', src: '', state: 'idle', version: 3 }));
      go(300);
      note([player.state, media.paused]);
    """)  # fmt: skip
    assert notes == [["in step", "/b.mp3", True], ["idle", True]]


def test_the_end_of_a_track_is_left_to_the_server(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ durationMs: 8000 }));
      go(9000);
      note();
      go(60000);
      note([player.state, player.starts, player.seeks]);
    """, habits={"durationMs": 8000})  # fmt: skip
    assert notes[1] == ["ended", 1, 0]


def test_someone_who_comes_after_the_end_does_not_start_it(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor({ positionMs: 0, atMs: world.serverTime - 300000 }));
      go(3000);
      note([player.state, player.starts]);
    """)  # fmt: skip
    assert notes == [["ended", 0]]


def test_a_stall_is_made_up_for_by_one_start_and_the_state_says_so(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(5000);
      media.stall(700);
      note([player.state]);
      go(1500 + 700);
      note([player.state, player.seeks, player.stalls, Math.abs(off()) <= 20]);
    """)  # fmt: skip
    assert notes == [["buffering"], ["in step", 1, 1, True]]


def test_slow_loading_chooses_a_later_instant_and_still_hits_it(page: Page) -> None:
    notes = play(page, """
      media.bufferMs = 900;
      player.follow(anchor({ positionMs: 30000 }));
      go(2500);
      note([player.state, Math.abs(off()) <= 20]);
    """, habits={"loadMs": 800})  # fmt: skip
    assert notes == [["in step", True]]


def test_where_speed_cannot_change_seeks_are_rare_the_band_widens_and_the_person_is_told(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(60000);
      note([player.canNudge, player.seeks, player.band, member.told]);
      go(120000);
      note([player.seeks]);
    """, habits={"ppm": 4000, "canChangeSpeed": False})  # fmt: skip
    can_nudge, seeks, band, told = notes[0]
    assert not can_nudge
    assert seeks >= 3
    assert told[0] == 40
    assert band >= 40
    assert notes[1][0] - seeks <= 2 * seeks


def test_seeks_keep_their_distance(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(3000);
      for (let n = 0; n < 20; n += 1) { media.currentTime = media.heardMs / 1000 + 5; go(500); }
      note([player.seeks]);
    """)  # fmt: skip
    assert notes[0][0] <= 6


def test_the_latency_of_this_device_is_learned_and_used(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(3000);
      note([Math.round(player.latencyMs), player.starts, Math.abs(off()) <= 20]);
      player.follow(anchor({ positionMs: 50000, atMs: world.serverTime + 500, version: 2 }));
      go(2000);
      note([player.starts, Math.abs(off()) <= 20]);
    """, habits={"latency": 210})  # fmt: skip
    assert abs(notes[0][0] - 210) <= 10
    assert notes[0][1:] == [2, True]
    assert notes[1] == [3, True]


def test_refused_sound_means_muted_and_in_step_and_one_tap_brings_it(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(1500);
      note([player.state, player.isBlocked, media.muted, Math.abs(off()) <= 20]);
      media.mayPlay = true;
      media.currentTime = media.heardMs / 1000 - 0.15;
      go(120);
      const before = player.starts;
      player.tap();
      go(300);
      note([media.muted, player.isBlocked]);
      go(300);
      note([player.state, Math.abs(off()) <= 20]);
    """, habits={"mayPlay": False})  # fmt: skip
    assert notes == [["in step", True, True, True], [False, False], ["in step", True]]


def test_where_even_muted_media_is_refused_it_waits_for_the_tap(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(5000);
      note([player.state, media.paused, player.starts]);
      media.mayPlay = true;
      player.tap();
      go(600);
      note([player.state, media.muted, Math.abs(off()) <= 20]);
    """, habits={"mayPlay": False, "mayPlayMuted": False})  # fmt: skip
    assert notes == [["held", True, 2], ["in step", False, True]]


def test_a_person_who_muted_this_device_stays_muted_after_the_tap(page: Page) -> None:
    notes = play(page, """
      player.setMuted(true);
      player.follow(anchor());
      go(1500);
      player.tap();
      go(500);
      note([player.state, media.muted]);
    """)  # fmt: skip
    assert notes == [["in step", True]]


def test_a_pause_made_on_this_device_is_respected_until_it_plays_again(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(3000);
      media.pause();
      go(5000);
      note([player.state, media.paused]);
      media.play();
      go(1500);
      note([player.state, Math.abs(off()) <= 20]);
    """)  # fmt: skip
    assert notes == [["held", True], ["in step", True]]


def test_a_late_speaker_is_answered_by_playing_early(page: Page) -> None:
    notes = play(page, """
      player.setSpeaker(200);
      player.follow(anchor({ positionMs: 10000 }));
      go(3000);
      note([player.state, Math.abs(media.heardMs - 13200) <= 20]);
      player.setSpeaker(-100);
      go(1500);
      note([player.state, Math.abs(media.heardMs - 14400) <= 20]);
    """)  # fmt: skip
    assert notes == [["in step", True], ["in step", True]]


def test_speed_is_part_of_the_anchor(page: Page) -> None:
    notes = play(page, """
      media.cost = 0;
      player.follow(anchor({ rate: 1.5 }));
      go(4000);
      note([Math.abs(media.speed / 1.5 - 1) <= 0.0101, Math.abs(media.heardMs - 6000) <= 60]);
    """)  # fmt: skip
    assert notes == [[True, True]]


def test_a_minute_of_sleep_ends_in_step_again(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(10000);
      member.sleep(60000);
      go(64000);
      note([player.state, Math.abs(off()) <= 20, player.seeks <= 1]);
    """)  # fmt: skip
    assert notes == [["in step", True, True]]


def test_a_broken_line_does_not_stop_the_music(page: Page) -> None:
    notes = play(page, """
      player.follow(anchor());
      go(10000);
      member.link.isUp = false;
      go(100000);
      note([player.state, Math.abs(off()) <= 25, player.starts]);
    """, ppm=40)  # fmt: skip
    assert notes == [["in step", True, 1]]


def test_a_slower_network_never_changes_what_is_wanted(page: Page) -> None:
    wanted = page.evaluate("""() => ['lan', 'lopsided'].map((network) => {
      const world = new sim.World(6), member = new sim.Member(world, { network });
      member.player.follow(sim.anchor(world, { positionMs: 0 }));
      world.run(30000);
      return Math.round(member.player.wantedAt(world.serverTime));
    })""")
    assert wanted == [30000, 30000]
