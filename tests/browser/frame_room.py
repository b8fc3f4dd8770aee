"""A room that only plays what lives in frames: the real scripts, the real addresses, a policy as the house sends it.

Requests to the providers' addresses are answered by the fakes beside this file, so nothing leaves the machine.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, redirect, send_from_directory
from playwright.sync_api import BrowserContext, Frame, Page, Route
from werkzeug.serving import make_server

from tests.browser import player_room
from tests.browser.harness import Quiet
from tests.browser.player_room import HERE, SCRIPTS, Stage, now_ms

STATIC = SCRIPTS.parent
PLAYERS = (
    "clock",
    "steering",
    "controller",
    "framefollower",
    "player",
    "native",
    "embeds",
    "youtube",
    "vimeo",
    "embed",
)
YOUTUBE, YOUTUBE_FRAMES, VIMEO = (
    "https://www.youtube.com",
    "https://www.youtube-nocookie.com",
    "https://player.vimeo.com",
)
POLICY = (
    f"default-src 'self'; script-src 'self' {YOUTUBE}/iframe_api {YOUTUBE}/s/player/; style-src 'self'; "
    f"frame-src 'self' {YOUTUBE} {YOUTUBE_FRAMES} {VIMEO} %s; connect-src 'self'; media-src 'self' blob:; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGE = """<!doctype html><title>room</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/css/tokens.css"><link rel="stylesheet" href="/css/base.css">
<link rel="stylesheet" href="/css/frame.css"><link rel="stylesheet" href="/own.css">
<output id="sync-badge"></output><button id="sound-chip" hidden>Tap for sound</button>
<input id="volume" type="range" min="0" max="100" value="100"><input id="mute" type="checkbox">
<div id="playback" hidden %s></div><section id="now-playing" data-by="7"></section><div id="mine" data-member="7"></div>
<div id="screen" data-origins="%s" data-vimeo="/vendor/vimeo-player-2.30.4.min.js">
<video id="media" playsinline hidden></video><div id="player-frame" class="screen__frame"></div></div>%s"""
OWN_CSS = "#screen { width: 640px; height: 420px; } .screen__frame { width: 100%; height: 100%; }"
LOADER = """var YT = window.YT ?? { loading: 0, loaded: 0, waiting: [] };
if (!YT.loading) {
  YT.loading = 1;
  YT.ready = (fn) => (YT.loaded ? fn() : YT.waiting.push(fn));
  const one = document.createElement('script');
  one.src = 'https://www.youtube.com/s/player/fake/www-widgetapi.js';
  document.head.append(one);
}"""


@dataclass
class FrameStage(Stage):
    """A stage, and the origin of somebody's embedded player."""

    embeds: str = ""


def page(stage: FrameStage) -> str:
    """The page with the anchor as it is now."""
    marks = " ".join(f'data-{_dashed(name)}="{value}"' for name, value in stage.anchor.items())
    tags = "".join(f'<script src="/js/{name}.js" defer></script>' for name in ("player_line", *PLAYERS))
    return PAGE % (marks, stage.embeds, tags)


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def make_app(stage: FrameStage) -> Flask:
    """The few addresses the page asks for; an embed's leads away, as the house's does."""
    app = player_room.make_app(stage)
    app.view_functions["room"] = lambda: page(stage)
    app.add_url_rule("/css/<name>", "css", lambda name: send_from_directory(STATIC / "css", name))
    app.add_url_rule("/own.css", "own", lambda: Response(OWN_CSS, mimetype="text/css"))
    app.add_url_rule("/embed/<item>", "embed", lambda item: redirect(f"{stage.embeds}/movie/{item}"))

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY % stage.embeds
        response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
        return response

    return app


def make_embeds() -> Flask:
    """Somebody else's site. Redirects pass by what Playwright intercepts, so this one is a server of its own."""
    app = Flask("fake-embeds")
    app.add_url_rule("/<path:_>", "player", lambda _: send_from_directory(HERE, "fake_embed.html"))
    return app


@contextmanager
def serving(app: Flask, ssl_context: str | None = None) -> Iterator[int]:
    """Its port, while it is served."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet, ssl_context=ssl_context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def running(**anchor: Any) -> Iterator[FrameStage]:
    """A served room on a free port, with a video of YouTube on unless told otherwise."""
    stage = FrameStage(
        {
            "item": "1", "state": "playing", "positionMs": 0, "atMs": int(now_ms()), "rate": 1, "version": 1,
            "durationMs": 240_000, "src": "", "player": "youtube", "reference": "aaaaaaaaaaa", "title": "Film",
            "artist": "Ada", "cover": "", "canControl": "true", "gain": 1,
        } | anchor
    )  # fmt: skip
    with serving(make_embeds()) as embeds, serving(make_app(stage)) as port:
        # Another name of this machine is another site.
        stage.embeds, stage.url = f"http://localhost:{embeds}", f"http://127.0.0.1:{port}"
        yield stage


def fake_providers(context: BrowserContext, **habits: Any) -> None:
    """Answer the providers' real addresses with the fakes; what is not known there does not exist."""

    def document(name: str) -> str:
        return (HERE / name).read_text().replace("HABITS", json.dumps(habits))

    def answer(route: Route, text: str, kind: str) -> None:
        route.fulfill(body=text, content_type=kind)

    context.route("https://**/*", lambda route: route.abort())
    context.route(f"{YOUTUBE}/iframe_api", lambda route: answer(route, LOADER, "text/javascript"))
    context.route(
        f"{YOUTUBE}/s/player/**",
        lambda route: answer(route, (HERE / "fake_youtube.js").read_text(), "text/javascript"),
    )
    context.route(
        f"{YOUTUBE_FRAMES}/embed/**", lambda route: answer(route, document("fake_youtube.html"), "text/html")
    )
    context.route(f"{VIMEO}/video/**", lambda route: answer(route, document("fake_vimeo.html"), "text/html"))


def inside(page: Page) -> Frame:
    """The frame on a page, once the fake in it can be asked."""
    page.wait_for_selector("#player-frame iframe")
    handle = page.query_selector("#player-frame iframe")
    frame = handle.content_frame() if handle else None
    assert frame is not None
    frame.wait_for_function("window.fake")
    return frame
