"""A room that only plays: the player's real scripts, one track, and an anchor the test moves.

The page carries the ids the player knows and nothing else; anchors reach it over a plain socket.
"""

from __future__ import annotations

import io
import json
import math
import struct
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_file, send_from_directory
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import make_server

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "static" / "js"
PLAYER = ("clock", "steering", "controller", "player", "native", "transport")
SECONDS, SAMPLE_RATE = 60, 44100
PAGE = """<!doctype html><title>room</title><link rel="icon" href="data:,">
<output id="sync-badge"></output><button id="sound-chip" hidden>Tap for sound</button>
<section id="now-playing"><div id="progress"><svg><rect class="progress__gap" width="0"/><rect class="progress__done"
 width="0"/><circle class="progress__head" cx="0"/></svg>
<form action="/playback" method="post"><input id="seek" type="range" name="position_ms" min="0" max="60000" step="1000"
 value="0"></form>
<p><span class="progress__elapsed">0:00</span><span class="progress__left">0:00</span></p></div></section>
<form action="/playback" method="post"><button id="play" name="action" value="pause">Pause</button></form>
<input id="text"><output id="volume-words"></output><input id="volume" type="range" min="0" max="100" value="100">
<input id="mute" type="checkbox"><output id="delay-words"></output>
<input id="delay" type="range" min="-500" max="500" step="5" value="0">
<div id="playback" hidden %s></div><div id="screen" data-hls="/vendor/hls-light-1.7.4.min.js">
<video id="media" preload="auto" playsinline hidden></video></div><div id="player-frame"></div>%s"""


@dataclass
class Stage:
    """The anchor, and what the page sent.

    Media is found in `folder`, at /media/; `live` makes /media/live.m3u8; all of it fails while the place `is_away`.
    """

    anchor: dict[str, Any]
    said: list[str] = field(default_factory=list)
    posts: list[dict[str, str]] = field(default_factory=list)
    sockets: list[Server] = field(default_factory=list)
    url: str = ""
    folder: Path | None = None
    live: Callable[[], str] | None = None
    is_away: bool = False

    def move(self, **change: Any) -> None:
        """A new anchor, told to every open page."""
        self.anchor.update(change, version=self.anchor["version"] + 1)
        for socket in list(self.sockets):
            socket.send(json.dumps({"t": "playback", "anchor": self.anchor}))


def now_ms() -> float:
    return time.time() * 1000


def tone() -> bytes:
    """A quiet minute of a low tone."""
    wave_of = [round(3000 * math.sin(2 * math.pi * 220 * n / SAMPLE_RATE)) for n in range(SAMPLE_RATE)]
    second = struct.pack(f"<{SAMPLE_RATE}h", *wave_of)
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        out.writeframes(second * SECONDS)
    return file.getvalue()


def page(stage: Stage) -> str:
    """The page with the anchor as it is now."""
    marks = " ".join(f'data-{_dashed(name)}="{value}"' for name, value in stage.anchor.items())
    tags = "".join(f'<script src="/js/{name}.js" defer></script>' for name in ("player_line", *PLAYER))
    return PAGE % (marks, tags)


def _dashed(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)


def make_app(stage: Stage) -> Flask:
    """The few addresses the page asks for."""
    app = Flask("player-harness")
    sock = Sock(app)
    audio = tone()

    @app.get("/")
    def room() -> str:
        return page(stage)

    @app.get("/js/<name>")
    def script(name: str) -> Response:
        folder = HERE if name == "player_line.js" else SCRIPTS
        return send_file(folder / name)

    @app.get("/track/<name>")
    def track(name: str) -> Response:
        return send_file(io.BytesIO(audio), mimetype="audio/wav", conditional=True, etag=name, max_age=3600)

    @app.get("/media/<name>")
    def media(name: str) -> Response:
        if stage.is_away or stage.folder is None:
            return Response(status=503)
        if name == "live.m3u8" and stage.live:
            return Response(
                stage.live(), mimetype="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"}
            )
        return send_from_directory(stage.folder, name, conditional=True)

    @app.get("/vendor/<name>")
    def vendor(name: str) -> Response:
        return send_from_directory(SCRIPTS.parent / "vendor", name)

    @app.post("/playback")
    def playback() -> tuple[str, int]:
        stage.posts.append(request.form.to_dict())
        return "", 204

    @sock.route("/live")
    def live(socket: Server) -> None:
        _live(stage, socket)

    return app


def _live(stage: Stage, socket: Server) -> None:
    stage.sockets.append(socket)
    try:
        while True:
            text = socket.receive()
            received = now_ms()
            stage.said.append(text)
            question = json.loads(text)
            socket.send(json.dumps({**question, "r": received, "s": now_ms()}))
    except ConnectionClosed:
        pass
    finally:
        stage.sockets.remove(socket)


@contextmanager
def running(folder: Path | None = None, **anchor: Any) -> Iterator[Stage]:
    """A served room on a free port, with something playing unless told otherwise."""
    stage = Stage(
        {
            "item": "1", "state": "playing", "positionMs": 0, "atMs": int(now_ms()), "rate": 1, "version": 1,
            "durationMs": SECONDS * 1000, "src": "/track/1", "title": "Tone", "artist": "Ada", "cover": "",
            "canControl": "true",
        } | anchor,
        folder=folder,
    )  # fmt: skip
    server = make_server("127.0.0.1", 0, make_app(stage), threaded=True)
    stage.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stage
    finally:
        server.shutdown()
        thread.join()
