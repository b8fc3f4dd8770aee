"""The server's clock in the browser, over simulated networks in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import player_stage

pytestmark = pytest.mark.browser

MEASURE = """([network, ppm, minutes, seeds]) => {
  const { World, Member, quantile } = sim, errors = [], locked = [], first = [];
  let backwards = 0;
  for (let seed = 1; seed <= seeds; seed += 1) {
    const world = new World(seed);
    const member = new Member(world, { network, ppm: world.luck.between(-ppm, ppm), hasPlayer: false });
    let last = -Infinity, lockedAt = null, firstAt = null;
    for (let t = 1; t < 2000; t += 1) {
      world.run(t);
      if (firstAt === null && !Number.isNaN(member.clock.now())) firstAt = t;
      if (lockedAt === null && member.clock.isLocked) lockedAt = t;
    }
    locked.push(lockedAt ?? Infinity);
    first.push(firstAt ?? Infinity);
    for (let t = 2000; t < minutes * 60000; t += 97) {
      world.run(t);
      const now = member.clock.now();
      if (now < last) backwards += 1;
      last = now;
      errors.push(Math.abs(member.clockError));
    }
  }
  return { p95: quantile(errors, 0.95), locked: quantile(locked, 0.95), first: quantile(first, 0.95), backwards };
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with player_stage.launcher() as launch:
        yield player_stage.open_simulation(launch())


def measure(page: Page, network: str, ppm: float = 60, minutes: float = 3, seeds: int = 20) -> dict[str, Any]:
    return dict(page.evaluate(MEASURE, [network, ppm, minutes, seeds]))


@pytest.mark.parametrize(
    ("network", "error_ms", "first_ms"),
    [("lan", 3, 5), ("wide", 10, 135), ("lopsided", 10, 200), ("lossy", 10, 135)],
)
def test_the_clock_is_close_and_locked_soon(
    page: Page, network: str, error_ms: float, first_ms: float
) -> None:
    found = measure(page, network)
    assert found["p95"] <= error_ms
    assert found["first"] <= (first_ms if network != "lossy" else 600)
    assert found["locked"] <= (400 if network != "lossy" else 800)


@pytest.mark.parametrize("network", ["lan", "wide", "lopsided"])
def test_time_never_runs_backwards_between_updates(page: Page, network: str) -> None:
    assert measure(page, network)["backwards"] == 0


def test_a_crystal_that_runs_fast_is_followed_for_half_an_hour(page: Page) -> None:
    assert measure(page, "lan", ppm=120, minutes=30, seeds=2)["p95"] <= 3


def test_a_lost_answer_changes_nothing(page: Page) -> None:
    found = page.evaluate("""() => {
      const world = new sim.World(5), member = new sim.Member(world, { hasPlayer: false });
      member.link.isUp = false;
      world.run(3000);
      const before = member.clock.isLocked;
      member.link.isUp = true;
      world.run(20000);
      return [before, member.clock.isLocked, Math.abs(member.clockError)];
    }""")
    assert found[:2] == [False, True]
    assert found[2] < 2


def test_after_a_sleep_that_stopped_the_steady_clock_all_is_learned_anew(page: Page) -> None:
    found = page.evaluate("""() => {
      const world = new sim.World(7), member = new sim.Member(world, { network: 'wide', hasPlayer: false });
      world.run(30000);
      member.sleep(60000);
      world.run(90001);
      const trusted = [];
      for (let t = 90002; t < 92000; t += 1) {
        world.run(t);
        trusted.push([t, member.clock.isLocked, Math.abs(member.clockError)]);
      }
      const lostAt = trusted.find(([, isLocked]) => !isLocked)[0];
      const back = trusted.find(([t, isLocked]) => t > lostAt && isLocked);
      return { lost: lostAt - 90000, back: back[0] - lostAt, error: trusted.at(-1)[2] };
    }""")
    assert found["lost"] <= 1100
    assert found["back"] <= 450
    assert found["error"] <= 10


def test_a_server_whose_clock_jumped_is_believed_at_once(page: Page) -> None:
    found = page.evaluate("""() => {
      const world = new sim.World(9), member = new sim.Member(world, { network: 'lan', hasPlayer: false });
      world.run(60000);
      world.jump = -30000;
      world.run(66000);
      return Math.abs(member.clockError);
    }""")
    assert found < 2


def test_old_answers_and_answers_nobody_asked_for_are_ignored(page: Page) -> None:
    found = page.evaluate("""() => {
      const world = new sim.World(3), member = new sim.Member(world, { network: 'lan', hasPlayer: false });
      world.run(5000);
      const before = member.probe.filter.samples.length;
      member.probe.receive({ id: 1, r: 0, s: 0 });
      member.probe.receive({ id: 9999, r: 0, s: 0 });
      return [before, member.probe.filter.samples.length, Math.abs(member.clockError)];
    }""")
    assert found[0] == found[1]
    assert found[2] < 2


def test_answers_older_than_two_minutes_are_forgotten(page: Page) -> None:
    found = page.evaluate("""() => {
      const { ClockFilter } = partyline.timing, filter = new ClockFilter();
      for (let n = 0; n < 8; n += 1) filter.add({ c: n, r: 1000 + n + 1, s: 1000 + n + 1, d: n + 2 });
      filter.add({ c: 130000, r: 131003, s: 131003, d: 130006 });
      return [filter.samples.length, filter.rtt, filter.isLocked];
    }""")
    assert found == [1, 6, True]


def test_questions_come_as_eight_at_first_and_then_two_every_five_seconds(page: Page) -> None:
    found = page.evaluate("""() => {
      const world = new sim.World(4), member = new sim.Member(world, { network: 'lan', hasPlayer: false }), at = [];
      const send = member.probe.send;
      member.probe.send = (message) => { at.push([Math.round(world.t), message.rtt]); return send(message); };
      member.probe.burst();
      world.run(21000);
      return at;
    }""")
    times = [at for at, _ in found]
    assert sum(time < 1000 for time in times) == 8
    assert 35 <= times[1] - times[0] <= 45
    assert 6 <= sum(time > 1000 for time in times) <= 8
    assert found[-1][1] is not None
