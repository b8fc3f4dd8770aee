"""The strict policy on every page, nothing inline in any template or page, and no way to be led elsewhere (T33)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from config import ROOT
from media import registry
from models import User
from tests.doors import Browser, make_app
from tests.stage import Cast
from tests.web.walk import furnish, reading

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "media-src": "'self' blob:",
    "style-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'none'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
ALL_OFF = tuple(each.name for each in registry.PROVIDERS)
LEADING = (
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "data",
    "hx-get",
    "hx-post",
    "hx-delete",
    "xlink:href",
)


class Inline(HTMLParser):
    """Collects what a strict policy would refuse, and what leads to another machine."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "style" or (tag == "script" and not known.get("src")) or tag in ("base", "object", "embed"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith("on") or name == "srcdoc":
                self.found.append(f"{tag} {name}={value}")
            text = re.sub(r"\s", "", value or "").lower()
            if text.startswith(("javascript:", "vbscript:", "data:text")):
                self.found.append(f"{tag} {name}={value}")
            if (
                name in LEADING
                and re.match(r"https?:|//", text)
                and known.get("rel") != "noopener noreferrer"
            ):
                self.found.append(f"{tag} {name}={value}")

    handle_startendtag = handle_starttag


def inline(html: str) -> list[str]:
    """What is inline, or leads away, in this text."""
    reader = Inline()
    reader.feed(html)
    return reader.found


def policy(answer: TestResponse) -> dict[str, str]:
    """What an answer's pages may load, by directive."""
    said = answer.headers["Content-Security-Policy"]
    return {name: sources for name, _, sources in (each.strip().partition(" ") for each in said.split(";"))}


def allowing(*names: str, **wanted: object) -> dict[str, str]:
    """The policy of a house in which only these providers are on."""
    off = tuple(each for each in ALL_OFF if each not in names)
    return policy(Browser(make_app(providers_off=off, **wanted)).get("/"))


def test_with_every_provider_off_the_policy_lets_nothing_in(cast: Cast) -> None:
    assert allowing() == POLICY


def test_each_provider_that_is_on_lets_in_what_it_needs_and_no_more(cast: Cast) -> None:
    youtube = {
        "frame-src": "https://www.youtube.com https://www.youtube-nocookie.com",
        "script-src": "'self' https://www.youtube.com/iframe_api https://www.youtube.com/s/player/",
    }
    assert allowing("youtube") == POLICY | youtube
    assert allowing("vimeo") == POLICY | {"frame-src": "https://player.vimeo.com"}
    assert allowing("embed") == POLICY, "nothing is configured"
    films = {
        "films": ("https://films.example/movie/{id}", "https://tv.films.example/{id}/{season}/{episode}")
    }
    frames = {"frame-src": "'self' https://films.example https://tv.films.example"}
    assert allowing("embed", embed_providers=films) == POLICY | frames
    assert allowing(embed_providers=films) == POLICY, "switched off"


def test_a_bucket_lends_pictures_and_media_and_nothing_else(cast: Cast) -> None:
    files = "https://s3.example.org:9000"
    said = allowing(media_url="s3://key:secret@s3.example.org:9000/bucket")
    assert said == POLICY | {
        "img-src": f"{POLICY['img-src']} {files}",
        "media-src": f"{POLICY['media-src']} {files}",
    }


def test_no_provider_loosens_what_matters_most() -> None:
    """No inline script, no eval; scripts come from one address or folder and never from a whole host.

    Only sound and pictures come from whichever machine of a provider has them, and what a pasted link leads to.
    """
    films = {"films": ("https://films.example/movie/{id}", "https://films.example/{id}/{season}/{episode}")}
    said = allowing(*ALL_OFF, embed_providers=films, jamendo_client_id="x", spotify_client_id="x")
    for name in ("default-src", "style-src", "object-src", "base-uri", "form-action", "frame-ancestors"):
        assert said[name] == POLICY[name]
    for name, sources in said.items():
        for source in sources.split():
            assert source not in ("'unsafe-inline'", "'unsafe-eval'", "http:"), name
            assert source != "https:" or name in ("media-src", "connect-src")
            is_of_a_host = re.fullmatch(r"https://\*(\.[a-z0-9-]+){2,}", source)
            assert "*" not in source or (name in ("media-src", "img-src") and is_of_a_host), name
    assert all(urlsplit(each).path.strip("/") for each in said["script-src"].split() if each != "'self'")
    assert all(each == "'self'" or urlsplit(each).netloc for each in said["frame-src"].split())
    if "https:" in said["media-src"] + said["connect-src"]:
        without = allowing("youtube", "vimeo", "embed", embed_providers=films)
        assert "https: " not in " ".join([*without.values(), ""]), "only pasted links lead anywhere"


def test_the_policy_is_the_same_on_every_answer(cast: Cast, app: Flask) -> None:
    User.update(is_admin=True, email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    addresses = reading(app, furnish(cast)) + ["/nowhere", "/rooms/ABCDEFGH", "/reset/x", "/admin/nowhere"]
    pages, house = 0, policy(Browser(app).get("/"))
    assert house.keys() == POLICY.keys()
    for browser in (
        Browser(app),
        Browser(app, cast.ada),
        Browser(app, cast.cleo),
        Browser(app, cast.ada, htmx=True),
    ):
        for path in addresses:
            answer = browser.get(path)
            # What people brought has a policy of its own: it may do nothing at all.
            assert policy(answer) == house or path.startswith("/media/"), path
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Referrer-Policy"] and "Server" not in answer.headers
            if answer.mimetype == "text/html":
                pages += 1
                assert inline(answer.get_data(as_text=True)) == [], path
                assert answer.headers["Cache-Control"] == "no-store", path
    assert pages > 60


def test_refusals_carry_the_policy_too(cast: Cast, app: Flask) -> None:
    ada, code = Browser(app, cast.ada), cast.code
    for answer in (
        ada.post("/rooms", name=""),
        ada.post(f"/rooms/{code}/queue", track_id="x"),
        ada.post(f"/rooms/{code}/queue", {"Sec-Fetch-Site": "cross-site"}),
        ada.ask("PUT", f"/rooms/{code}"),
        ada.post("/sign-in", email="x", password="x"),
        ada.post("/sign-up", email="<script>", password="x"),
    ):
        assert answer.status_code >= 400
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert inline(answer.get_data(as_text=True)) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_nothing_is_inline_in_any_template(path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", path.read_text(), flags=re.S)
    text = re.sub(r"\{\{.*?\}\}", "x", text, flags=re.S)
    assert inline(text) == []


@pytest.mark.parametrize(
    "html",
    [
        "<script>x()</script>",
        "<style>a{}</style>",
        '<p style="color:red">',
        '<a onclick="x()">',
        '<a href="java\nscript:x()">',
        '<img src="//evil.example/x">',
        '<iframe srcdoc="x">',
        '<base href="/">',
    ],
)
def test_what_is_inline_would_be_found(html: str) -> None:
    assert inline(html)


ELSEWHERE = [
    "https://evil.example",
    "http://evil.example/",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    ".evil.example",
    "?next=//evil.example",
    "/\x00/evil.example",
    "/\u2028/evil.example",
    "/\r\nLocation: https://evil.example",
    "/\u200b/evil.example\u202e",
    "//localhost@evil.example",
    "//evil.example\\@localhost",
    "/%0d%0aLocation:https://evil.example",
    "ftp://evil.example",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_t33_no_form_of_next_leads_elsewhere(cast: Cast, app: Flask, address: str) -> None:
    assert len(ELSEWHERE) >= 30
    ada = Browser(app, cast.ada)
    answers = [
        ada.post("/theme", theme="dark", next=address),
        Browser(app).post("/guest", display_name="Eve", next=address),
        Browser(app).get("/sign-in", next=address),
        Browser(app).post("/sign-in", email="a@example.org", password="wrong", next=address),
        ada.post("/sign-out", next=address),
    ]
    for answer in answers:
        where = answer.headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", where) and "\n" not in where and "\r" not in where, where
        assert not answer.headers.getlist("X-Injected")
    for answer in answers:
        led = re.findall(r'(?:href|action)="([^"]*)"', answer.get_data(as_text=True))
        assert not [each for each in led if not re.match(r"/(?![/\\])|#|\?", each)]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example", "evil.example:8000"]
)
def test_t33_a_forged_host_is_repeated_nowhere_where_the_address_is_known(cast: Cast, host: str) -> None:
    browser = Browser(make_app(public_url="https://party.example"))
    for path in ("/", f"/rooms/{cast.code}", "/library", "/sign-in", "/forgot", f"/rooms/{cast.code}/qr.svg"):
        for headers in ({"Host": host}, {"X-Forwarded-Host": host}, {"Forwarded": f"host={host}"}):
            answer = browser.get(path, headers)
            assert answer.status_code < 500
            assert "evil.example" not in answer.get_data(as_text=True) + str(answer.headers), (path, headers)


@pytest.mark.parametrize(
    ("public_url", "forwarded", "seen"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("", "203.0.113.9, 198.51.100.7", "127.0.0.1"),
        ("https://party.example", "203.0.113.9", "203.0.113.9"),
        ("https://party.example", "10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("https://party.example", "127.0.0.1, 10.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("https://party.example", "", "127.0.0.1"),
    ],
)
def test_t33_exactly_one_hop_is_believed(cast: Cast, public_url: str, forwarded: str, seen: str) -> None:
    app, told = make_app(public_url=public_url), []
    app.before_request(lambda: told.append(request.remote_addr))
    Browser(app).get("/healthz", {"X-Forwarded-For": forwarded} if forwarded else {})
    assert told == [seen]
