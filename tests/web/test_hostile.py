"""T3, T4: 150 hostile texts in every field, on every page, piece and frame, are text and change no tree."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote_plus

import pytest
from flask import Flask

from media import lists
from party import playlists, sessions
from tests.doors import Browser
from tests.payloads import PAYLOADS
from tests.screen import parse
from tests.stage import Cast
from tests.web.hostile_surfaces import SCRIPTED, Surface, forget, surfaces
from tests.web.hostile_tree import difference, tell, tell_json
from tests.web.hostile_world import (
    KEPT,
    STRIDE,
    World,
    keep_still,
    make_world,
    tokens_in,
)

# Alone on a machine they take a minute each; with others beside them they may take several.
pytestmark = pytest.mark.timeout(900)

DOCTYPE = "<!doctype html>"


def as_it_is(text: str) -> str:
    return text


@dataclass
class Tally:
    """What was compared. A cell is a payload in a field on a surface."""

    cells: set[tuple[int, str, str]] = field(default_factory=set)
    trees: int = 0
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def world(app: Flask, cast: Cast, time, monkeypatch: pytest.MonkeyPatch) -> World:
    keep_still(monkeypatch)
    return make_world(cast, time)


def read(name: str, show: Surface) -> Any:
    """The answer as a tree, or as what programs read."""
    answer = show()
    return json.loads(answer) if name.endswith(".json") else parse(answer.removeprefix(DOCTYPE))


def test_every_text_in_every_field_is_text_wherever_it_is_shown(app: Flask, world: World) -> None:
    narrow, wide = surfaces(app, world)
    tally, plain = Tally(), {}
    for name, show in (narrow | wide).items():
        forget()
        plain[name] = read(name, show)
    carried = {name: tokens_in(f"{tree}") for name, tree in plain.items()}
    assert all(carried.values()), [name for name, found in carried.items() if not found]
    for turn in range(len(PAYLOADS)):
        world.take_turn(turn)
        forget()
        for name, show in (narrow | wide if turn < STRIDE else narrow).items():
            tell_one = tell_json if name.endswith(".json") else tell
            wanted, found = tell_one(plain[name], world.said), tell_one(read(name, show), as_it_is)
            tally.trees += 1
            if wanted != found:
                tally.wrong.append(f"turn {turn}, {name}: {difference(wanted, found)}")
            tally.cells |= {
                (payload, kind, name)
                for kind, slot in carried[name]
                if KEPT[kind][payload := world.payload(slot)] is not None
            }
    report(tally)
    assert tally.wrong == []
    assert len(tally.cells) > 14_000


def report(tally: Tally) -> None:
    """The figures, for whoever runs this with -s."""
    refused = {name: kept.count(None) for name, kept in KEPT.items()}
    fields, places = {each[1] for each in tally.cells}, {each[2] for each in tally.cells}
    print(
        f"\n{len(PAYLOADS)} payloads, {len(fields)} fields, {len(places)} surfaces: {tally.trees} trees compared, "
        f"{len(tally.cells)} payloads in a field on a surface, {len(tally.wrong)} trees differ; refused: "
        + ", ".join(f"{name} {count}" for name, count in refused.items())
    )
    pairs = Counter((kind, place) for _, kind, place in tally.cells)
    for place in sorted(places):
        shown = ", ".join(f"{kind} {pairs[kind, place]}" for kind in KEPT if (kind, place) in pairs)
        print(f"  {place}: {shown}")


# What is not kept, but comes back on the answer.

TERM = "zzqxz"
ROOM_SEARCH = "/rooms/CODE/search"
ECHOES: dict[str, tuple[str, str, dict[str, str]]] = {
    "library search": ("GET", "/library", {"search": TERM}),
    "library genre": ("GET", "/library", {"genre": TERM}),
    "room search": ("GET", "/", {"search": TERM}),
    "room search, piece": ("GET", "/discover", {"search": TERM}),
    "admin room search": ("GET", "/admin/rooms", {"search": TERM}),
    "admin people search": ("GET", "/admin/people", {"search": TERM}),
    "admin library search": ("GET", "/admin/library", {"search": TERM}),
    "sign in": ("GET", "/sign-in", {"email": TERM, "next": f"/{TERM}"}),
    "sign up": ("GET", "/sign-up", {"email": TERM, "display_name": TERM}),
    "forgot": ("GET", "/forgot", {"email": TERM}),
    "code typed": ("POST", "/join", {"code": TERM}),
    "code in the address": ("GET", f"/rooms/{TERM}", {}),
    "nothing here": ("GET", f"/nothing/{TERM}", {}),
    "name too long": ("POST", "/guest", {"display_name": f"{TERM}{'x' * 60}"}),
    "room name too long": ("POST", "/rooms", {"name": f"{TERM}{'x' * 70}"}),
    "shared link": ("POST", "/share", {"text": f"https://example.org/{TERM}"}),
    "search in a room": ("GET", ROOM_SEARCH, {"search": TERM}),
    "playlist search": ("GET", "/playlists/2/matches", {"search": TERM}),
    "search for one line": ("GET", "/playlists/2/matches", {"search": TERM, "entry": "4"}),
    "playlist name too long": ("POST", "/playlists", {"name": f"{TERM}{'x' * 700}"}),
    "playlist's other name too long": ("POST", "/playlists/2", {"name": f"{TERM}{'x' * 700}"}),
    "playlist of nothing": ("POST", "/playlists/import", {"name": TERM}),
    "playlist of what is none": ("POST", "/playlists/import", {"text": f"<!DOCTYPE x><playlist>{TERM}"}),
    "playlist for a room": ("POST", "/playlists/2/line", {"room": TERM}),
    "link of what plays on": ("POST", "/rooms/CODE/plays-on", {"link": f"/playlists/shared/{TERM}"}),
    "link nobody knows": ("POST", "/rooms/CODE/links", {"link": f"https://{TERM}"}),
    "server": ("POST", "/sources", {"kind": "subsonic", "address": f"https://{TERM} x", "secret": "x"}),
    "kind of server": ("POST", "/sources", {"kind": TERM, "address": "https://music.example.org"}),
    "kind of file": ("GET", "/playlists/2/export.TERM".replace("TERM", TERM), {}),
}
SIGNED_IN = ("/admin", "/share", "/playlists", "/rooms/CODE/links", "/rooms/CODE/plays-on", "/sources")
"""What only somebody with a name, or with an account, is answered."""


def test_what_was_typed_comes_back_as_text(app: Flask, world: World) -> None:
    ada, nobody = Browser(app, world.persons["ada"]), Browser(app)
    wrong, compared = [], 0
    for name, (method, path, fields) in ECHOES.items():
        browser = ada if path.startswith(SIGNED_IN) else nobody
        path = path.replace("CODE", world.codes["open"])
        plain = {part: parse(echo(browser, method, path, fields, part)) for part in (TERM, f"{TERM}/{TERM}")}
        for payload in PAYLOADS:
            answer = parse(echo(browser, method, path, fields, payload.text))
            # An address with one more part is another address.
            kind = f"{TERM}/{TERM}" if "/" in payload.text and TERM in path else TERM
            wanted, found = tell(plain[kind], partial(again, payload.text)), tell(answer, as_it_is)
            compared += 1
            if outline(wanted) != outline(found):
                wrong.append(f"{name} {payload.text[:60]!r}: {difference(wanted, found)}")
    print(
        f"\n{len(PAYLOADS)} payloads in {len(ECHOES)} answers: {compared} trees compared, {len(wrong)} differ"
    )
    assert wrong == []


def echo(browser: Browser, method: str, path: str, fields: dict[str, str], term: str) -> str:
    path = path.replace(TERM, quote_plus(term))
    filled = {name: value.replace(TERM, term) for name, value in fields.items()}
    headers = SCRIPTED if path == "/discover" else {}
    answer = (
        browser.get(path, headers, **filled) if method == "GET" else browser.post(path, headers, **filled)
    )
    assert answer.status_code < 500
    return answer.text.removeprefix(DOCTYPE)


def again(term: str, text: str) -> str:
    return text.replace(TERM, term)


def outline(told: Any) -> Any:
    """Tags, attributes' names and ids: what was typed may be cut, refused or put into an address."""
    if isinstance(told, str):
        return ""
    tag, attrs, children = told
    names = tuple((name, value if name in ("id", "action", "type", "name") else "") for name, value in attrs)
    return (tag, names, tuple(outline(child) for child in children if not isinstance(child, str)))


FILES = {"m3u8": "m3u8", "xspf": "xspf", "jspf": "jspf", "csv": "csv", "json": "json", "txt": "txt"}


@pytest.mark.parametrize("format", FILES)
def test_lists_as_files_hold_every_text_and_are_read_as_they_were_written(
    app: Flask, world: World, format: str
) -> None:
    """T4, T5: no text ends its line, its cell or its element; a file of them comes back as the same lines."""
    ada, payloads = world.persons["ada"], [payload.text for payload in PAYLOADS]
    kept = [playlists.cleaned(playlists.Line(text, text, text)) for text in payloads]
    made = playlists.keep_lines(ada, playlists.clean_name(payloads[0]), kept)
    answer = Browser(app, ada).get(f"/playlists/{made}/export.{format}")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.mimetype != "text/html"
    assert not re.search(r"[<>\r\n]", answer.headers["Content-Disposition"])
    read = lists.read(answer.get_data())
    told = [(row.title, row.artist) for row in read.rows]
    if format in ("xspf", "jspf", "json", "csv"):
        assert told == [(line.title, line.artist) for line in kept]
    assert len(told) == len(kept)
    if format == "csv":
        cells = [cell for row in csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))) for cell in row]
        assert len(cells) > 3 * len(kept) and not [
            cell for cell in cells if cell.startswith(("=", "+", "-", "@"))
        ]


def test_nothing_of_what_a_browser_calls_itself_is_kept(cast: Cast) -> None:
    words = {
        sessions.device_words(f"{before}{payload.text}")
        for payload in PAYLOADS
        for before in ("", "Firefox/1 ")
    }
    assert all(re.fullmatch(r"[A-Z][A-Za-z ]+( on [A-Za-z ]+)?", each) for each in words), words
