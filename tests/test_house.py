"""The house itself: who may import whom, what every kind of event and every fragment has, and how large things grow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from jinja2 import meta

import fragments
import stale
from config import ROOT
from party import events, playback, queue
from party.views import Snapshot
from tests.fragment_values import IDS, values_for
from tests.screen import Node, roots
from tests.stage import Cast

DOORS = ("web", "live", "api", "tasks")
HOUSE = {
    "app", "cli", "config", "demo", "fragments", "logs", "media", "migrations", "models", "party", "stale", *DOORS,
}  # fmt: skip
OURS = sorted(
    path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0].removesuffix(".py") in HOUSE
)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FRAGMENTS = sorted((ROOT / "templates/fragments").glob("*.html"))

# Who may know whom; config may be read anywhere.
MAY_IMPORT: dict[str, set[str]] = {
    "config": set(),
    "models": set(),
    "party": {"models"},
    "stale": set(),
    "logs": set(),
    "cli": {"party", "tasks"},
    "fragments": {"party", "stale"},
    "media": set(),
    "demo": {"media"},
    "migrations": {"party"},
    "web": {"party", "fragments", "media"},
    "live": {"party", "fragments"},
    "api": {"party", "media"},
    "tasks": {"party", "media", "logs"},
    "app": HOUSE,
}
# What is outside the house and must not come into a part of it.
FRAMES = {"flask", "flask_login", "flask_sock", "werkzeug", "jinja2", "simple_websocket"}
NETWORK = {"requests", "httpx", "urllib.request", "http.client", "socket", "redis"}
MUST_NOT_IMPORT: dict[str, set[str]] = {
    "models": FRAMES | NETWORK | {"huey"},
    "party": FRAMES | NETWORK | {"huey", "gevent"},
    "fragments": (FRAMES - {"jinja2"}) | NETWORK | {"huey", "peewee"},
    "media": FRAMES | {"huey", "peewee", "playhouse"},
    "demo": FRAMES | NETWORK | {"huey", "peewee", "playhouse"},
    "web": {"peewee", "playhouse", "huey"},
    "live": {"peewee", "playhouse", "huey"},
    "api": {"peewee", "playhouse", "huey"},
    "tasks": FRAMES | {"peewee", "playhouse"},
}
LARGEST = {"app": 120, "fragments": 250, "models": 900, "party": 400, **dict.fromkeys(DOORS, 300)}
LARGEST_ELSEWHERE = 300


@cache
def source(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def part(path: Path) -> str:
    """Which part of the house a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, by its whole name; inside functions too."""
    for node in ast.walk(source(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name} imports by dots"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def wrong_arrows(path: Path, here: str) -> list[str]:
    """What a file of this part of the house imports and must not."""
    wrong = []
    for name in imported(path):
        there = name.partition(".")[0]
        is_ours = there in HOUSE | {"tests"} and there not in (here, "config")
        is_banned = any(name == word or name.startswith(f"{word}.") for word in MUST_NOT_IMPORT.get(here, ()))
        if is_banned or (is_ours and there not in MAY_IMPORT[here]):
            wrong.append(f"{path.name} of {here} imports {name}")
    return wrong


def test_no_arrow_points_the_wrong_way() -> None:
    assert [wrong for path in OURS for wrong in wrong_arrows(path, part(path))] == []


def test_a_migration_keeps_its_own_copy_of_the_tables() -> None:
    for path in sorted((ROOT / "migrations").glob("[0-9]*.py")):
        assert not {name.partition(".")[0] for name in imported(path)} & HOUSE, path.name


def test_a_wrong_arrow_is_seen_wherever_it_hides(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "def late():\n    from models import Room\n    import flask.json\n    from web import queue\n"
    )
    for here, count in (("web", 2), ("party", 3), ("live", 4), ("app", 0)):
        assert len(wrong_arrows(wrong, here)) == count, here


# --- kinds of event --------------------------------------------------------------------------------------------------


def test_every_kind_of_event_has_fields_a_stale_line_and_a_sentence() -> None:
    assert events.KINDS.keys() == stale.STALE.keys() == events.SENTENCES.keys()
    for kind, pieces in stale.STALE.items():
        # What is said travels line by line, not as a piece; one player's word shows nothing before it is believed.
        assert (
            pieces or kind.startswith("message_") or kind == "length_told"
        ) and pieces <= stale.EVERYTHING, kind
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", kind)


def test_every_kind_of_event_happens_and_nothing_unknown_does() -> None:
    logged = set()
    for path in OURS:
        for node in ast.walk(source(path)):
            if isinstance(node, ast.Call) and part(path) == "party":
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                words = [
                    arg.value
                    for arg in node.args
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                ]
                if name in ("log", "append") and words:
                    logged.add(words[0])
    assert logged == set(events.KINDS)


# --- fragments -------------------------------------------------------------------------------------------------------


@pytest.fixture
def scenes(cast: Cast, time) -> list[Snapshot]:
    """Rooms in which every branch of every fragment is taken."""
    empty = cast.seen()
    cast.add(6)
    for person in (cast.ada, cast.ben, cast.cleo):
        queue.cast_vote(person, cast.code, cast.line()[-1], 1)
    queue.move_item(cast.ada, cast.code, cast.line()[2], None)
    full = cast.seen()
    playback.skip(cast.ada, cast.code)
    later = cast.seen()
    return [
        empty,
        full,
        later,
        replace(later, state="GRACE", grace_until_ms=time.now_ms + 1_000),
        replace(later, state="EXPIRED", now=None, items=()),
    ]


def rendered(path: Path, room: Snapshot, role: str, oob: str) -> str:
    """A fragment with everything it may ask for."""
    return fragments.render(f"fragments/{path.name}", **values_for(room, role), oob=oob)


def wanted_id(path: Path, room: Snapshot) -> str:
    if path.stem == "queue_item":
        return f"queue-item-{room.items[0].id if room.items else ''}"
    return IDS.get(path.stem, path.stem.replace("_", "-"))


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_fragment_is_one_element_whose_id_is_the_files_name(path: Path, scenes: list[Snapshot]) -> None:
    for room in scenes:
        if path.stem.startswith("queue_item") and not room.items:
            continue
        for role in ("host", "cohost", "guest"):
            [root] = roots(rendered(path, room, role, ""))
            assert root.id == wanted_id(path, room)
            [root] = roots(rendered(path, room, role, fragments.IN_PLACE))
            assert root.attrs.get("hx-swap-oob"), f"{path.name} does not say how it goes home"
            ids = [node.id for node in root.all() if node.id]
            assert len(ids) == len(set(ids)), f"{path.name} uses an id twice"
            assert not any("hx-swap-oob" in node.attrs for node in list(root.all())[1:])


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.stem)
def test_a_fragment_says_what_it_needs_and_needs_nothing_else(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    said = re.fullmatch(r"\{# needs: ([a-z_, ]+) #\}", lines[0])
    assert said, "the first line says what it needs"
    needs = set(said[1].split(", "))
    asked = meta.find_undeclared_variables(fragments.environment.parse(text))
    made = set(re.findall(r"\{% set (\w+)", text))
    assert asked - made - {"oob"} <= needs
    assert not needs & {"request", "g", "current_user", "session", "config"}
    assert len(lines) < 80


NEVER_MORPHED = {
    "queue_item_gone", "queue_item_new", "library", "history", "people", "chat", "message", "chat_new", "chat_earlier",
    "room_card", "room_card_gone", "room_cards",
}  # fmt: skip
"""Added, taken away, or found by what is around them; links in what people said are theirs."""


def test_whatever_can_hold_the_focus_keeps_its_id(scenes: list[Snapshot]) -> None:
    for path in FRAGMENTS:
        if path.stem in NEVER_MORPHED:
            continue
        for node in focusable(roots(rendered(path, scenes[1], "host", ""))[0]):
            assert node.id, f"{path.name}: a {node.tag} without an id loses the focus when it is swapped"


def focusable(root: Node) -> Iterator[Node]:
    for node in root.all():
        is_control = node.tag in ("button", "select", "textarea") or (
            node.tag == "a" and "href" in node.attrs
        )
        is_field = node.tag == "input" and node.attrs.get("type") != "hidden"
        if is_control or is_field:
            yield node


# --- every template --------------------------------------------------------------------------------------------------


def test_every_template_ends_in_html_since_only_those_are_escaped() -> None:
    assert [
        path.name for path in (ROOT / "templates").rglob("*") if path.is_file() and path.suffix != ".html"
    ] == []
    assert fragments.environment.autoescape("fragments/queue.html")


FORBIDDEN = {
    "text that is not escaped": r"\|\s*safe\b|autoescape\s+false|Markup\(",
    "inline style": r"\sstyle\s*=|<style\b",
    "inline script": r"<script(?![^>]*\bsrc=)|\son[a-z]+\s*=|javascript:|hx-on\b|hx-vals\s*=\s*.?js:",
    "another machine": r"(?:src|href|action)\s*=\s*.?https?://",
    # Once everything in quotes is gone, and what Jinja does.
    "an attribute without quotes": r"<[a-z][^<>]*=(?!\")[^>\s]",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_template_holds_what_the_policy_forbids(what: str) -> None:
    found = []
    for path in TEMPLATES:
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
        if what == "an attribute without quotes":
            text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.S)
            text = re.sub(r"=\"[^\"]*\"|='[^']*'", '=""', text)
        found += [f"{named(path)}: {each[0]}" for each in re.finditer(FORBIDDEN[what], text)]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("text that is not escaped", "{{ name|safe }}"),
        ("inline style", '<p style="color:red">'),
        ("inline script", "<script>alert(1)</script>"),
        ("inline script", '<a onclick="x()">'),
        ("another machine", '<img src="https://elsewhere.example/x.png">'),
        ("an attribute without quotes", "<a href=x>"),
    ],
)
def test_what_is_forbidden_would_be_found(what: str, text: str) -> None:
    assert re.search(FORBIDDEN[what], text)


def test_no_module_makes_html_that_is_not_escaped() -> None:
    banned, found = {"Markup", "render_template_string"}, []
    for path in OURS:
        for node in ast.walk(source(path)):
            if isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                found += [named(path)] if name in banned else []
    assert found == []


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_no_function_is_longer_than_sixty_lines() -> None:
    found = []
    for path in OURS:
        for node in ast.walk(source(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                found += [f"{named(path)}: {node.name} has {length}"] if length > 60 else []
    assert found == []


def test_no_module_grows_out_of_the_house() -> None:
    found = []
    for path in OURS:
        # A signal, not a law: a tenth more is let pass.
        most = LARGEST.get(part(path), LARGEST_ELSEWHERE) * 11 // 10
        length = len(path.read_text().splitlines())
        found += [f"{named(path)} has {length} lines of {most}"] if length > most else []
    assert found == []


def test_every_module_says_what_lives_in_it() -> None:
    for path in OURS:
        if path.read_text().strip():
            said = ast.get_docstring(source(path)) or ""
            assert said.partition("\n\n")[0].endswith("."), f"{named(path)} does not start with a sentence"


def test_every_stylesheet_is_short() -> None:
    for path in (ROOT / "static/css").glob("*.css"):
        assert len(path.read_text().splitlines()) < 400, path.name
