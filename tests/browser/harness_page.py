"""What the tests of the page scripts do again and again: push, look, act, and answer like the real door."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.harness import CODE, Call, Stage
from tests.browser.patience import PATIENCE_SECONDS

WITH_PENDING = re.compile(r"\bis-pending\b")
READY = """async () => {
  window.marks = 0;
  partyline.on('mark', () => { window.marks += 1; });
  await document.fonts.ready;
  partyline.send({ t: 'ready' });
}"""
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


def opened(page: Page, stage: Stage, *, is_timed: bool = False) -> Page:
    page.goto(f"{stage.url}/rooms/{CODE}")
    if is_timed:
        # What the page puts off until after loading.
        page.clock.run_for(100)
    connection(page, "live")
    page.evaluate(READY)
    # On a busy machine a page may have asked already what it lacks; no test is about that.
    stage.wait(lambda: {"t": "ready"} in stage.said)
    stage.said.clear()
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


def let_go(page: Page) -> None:
    """Press the chip that says how many moves wait, without taking the focus there."""
    page.evaluate("() => document.getElementById('held').click()")


def answered(stage: Stage, count: int = 1) -> Call:
    """Wait until so many commands have their answers; the last of them."""
    stage.wait(lambda: len(stage.answers) >= count)
    return stage.calls[count - 1]


def shown_as_told(page: Page, stage: Stage) -> None:
    """Wait until the rows stand as the stage has them, which must not be about to change."""
    told = ",".join(map(str, stage.ids))
    page.wait_for_function(
        "(ids) => String(partyline.rows.shown().map(partyline.rows.idOf)) === ids", arg=told
    )


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
    start, end = (
        page.locator(f"#grip-{item}").bounding_box(),
        page.locator(f"#queue-item-{to}").bounding_box(),
    )
    assert start and end
    x = start["x"] + start["width"] / 2
    page.mouse.move(x, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, start["y"] + 30, steps=2)
    page.mouse.move(x, end["y"] + end["height"] / 2, steps=8)


Answer = Callable[[Call], Any]


def moves(stage: Stage) -> Answer:
    def answer(call: Call) -> str:
        item, after = int(call.path.split("/")[-2]), call.form["after"]
        with stage.changed:
            stage.ids.remove(item)
            stage.ids.insert(stage.ids.index(int(after)) + 1 if after else 0, item)
            start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
            stage.changed.notify_all()
            return stage.frame(stage.row(item), stage.piece("mine"), start=start)

    return answer


def removes(stage: Stage) -> Answer:
    def answer(call: Call) -> str:
        item = int(call.path.split("/")[-1])
        with stage.changed:
            stage.ids.remove(item)
            start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
            undo = {"url": f"{call.path}/restoration", "label": "Undo"}
            notice = stage.piece("notice", message="Removed", undo=undo)
            return stage.frame(stage.gone(item), stage.piece("mine"), notice, start=start)

    return answer


def votes(stage: Stage) -> Answer:
    def answer(call: Call) -> str:
        item = int(call.path.split("/")[-2])
        value = int(call.form["value"]) if call.method == "POST" else 0
        with stage.changed:
            stage.nets[item] = stage.nets.get(item, 0) + value - stage.votes.pop(item, 0)
            if value:
                stage.votes[item] = value
            start, stage.seq = int(call.headers["X-Partyline-After"]), stage.seq + 1
            stage.changed.notify_all()
            return stage.frame(stage.row(item), stage.piece("mine"), start=start)

    return answer


class HeldAnswer:
    """Answers wait until released, so that a test can look at what shows meanwhile."""

    def __init__(self, stage: Stage, answer: Any) -> None:
        self._stage, self._answer, self._may_go = stage, answer, threading.Event()

    def __enter__(self) -> Any:
        def answer(call: Call) -> Any:
            assert self._may_go.wait(PATIENCE_SECONDS)
            return self._answer(call)

        self._stage.answer = answer
        return self._may_go.set

    def __exit__(self, *_error: object) -> None:
        self._may_go.set()
