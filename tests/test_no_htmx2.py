"""Spellings of htmx 2 that htmx 4 ignores without a word may not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OLD = {
    "extensions are named in the meta tag": r"\bhx-ext\b",
    "sockets are opened by hx-ws:connect": r"\bws-connect\b|\bws-send\b|\bhx-ws\s*=",
    "events have colons and small letters": r"htmx:[a-z]+[A-Z]\w*",
    "hx-on carries no event in the old spelling": r"\bhx-on::?[a-z]+[A-Z]\w*|\bhx-on:+htmx:[a-z]+-",
    "values are hx-vals": r"\bhx-vars\b",
    "inheritance is by :inherited": r"\bhx-disinherit\b|\bhx-inherit\b",
    "disabling is hx-disable, ignoring hx-ignore": r"\bhx-disabled-elt\b",
    "request settings are hx-config": r"\bhx-request\b(?!-)",
    "parameters are chosen by names": r"\bhx-params\b",
    "history is off": r"\bhx-history\b|\bhx-history-elt\b",
    "the morph extension is built in": r"\bmorph:(?:inner|outer)HTML\b|\bidiomorph\b",
    "settings have new names": (
        r"\b(?:includeIndicatorStyles|defaultSwapStyle|globalViewTransitions|responseHandling|wsReconnectDelay)\b"
    ),
    "the old helpers are gone": (
        r"\bhtmx\.(?:addClass|removeClass|toggleClass|takeClass|closest|remove|off|defineExtension|logAll)\b"
    ),
}


def ours() -> list[Path]:
    return sorted([*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "js").glob("*.js")])


@pytest.mark.parametrize("reason", OLD)
def test_no_file_of_ours_speaks_htmx_2(reason: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in ours()
        for match in re.finditer(OLD[reason], path.read_text("utf-8"))
    ]
    assert found == [], reason


def test_the_patterns_find_what_they_are_for() -> None:
    old = [
        '<div hx-ext="ws" ws-connect="/x">',
        'hx-ws="connect:/x"',
        "addEventListener('htmx:afterSwap')",
        'hx-vars="a:1"',
        'hx-disinherit="*"',
        'hx-swap="morph:outerHTML"',
        'hx-on::afterRequest="x"',
        "htmx.addClass(el)",
        'hx-disabled-elt="this"',
    ]
    assert [text for text in old if not any(re.search(pattern, text) for pattern in OLD.values())] == []


def test_the_vendored_files_are_the_pinned_ones() -> None:
    vendor = ROOT / "static" / "vendor"
    assert "4.0.1" in (vendor / "htmx-4.0.1.min.js").read_text("utf-8")
    assert {path.name for path in vendor.iterdir()} >= {
        "htmx-4.0.1.min.js",
        "hx-ws-4.0.1.min.js",
        "htmx-LICENSE.txt",
    }
    base = (ROOT / "templates" / "layouts" / "base.html").read_text("utf-8")
    assert "vendor/htmx-4.0.1.min.js" in base and "vendor/hx-ws-4.0.1.min.js" in base


@pytest.mark.parametrize("script", sorted((ROOT / "static" / "js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_stay_within_the_policy(script: Path) -> None:
    text = script.read_text("utf-8")
    forbidden = (
        r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|setAttribute\('style'|\.cssText"
    )
    assert re.findall(forbidden, text) == []
