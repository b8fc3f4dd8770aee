"""A room without a house: the real templates and scripts over an order kept in memory, frames pushed on demand.

A test says what the server would send, in any order, late, twice or wrongly, and looks at what the page made of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import SHUT_RDWR, SHUT_WR
from typing import Any

from flask import Flask, Response, render_template, request
from flask_sock import Sock
from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import WSGIRequestHandler, make_server
from wsproto.events import CloseConnection

import fragments
from party.chat_log import NOTHING_SAID
from party.settings import DEFAULTS
from party.snapshot import Share
from party.views import Audience, ItemView, PersonView, PlaybackView, Snapshot, TrackView
from tests.browser.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
CODE = "K7QM4TXD"
POLICY = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'"
Refusal = tuple[int, str]


@dataclass
class Call:
    """A command as the page sent it."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, str]


@dataclass
class Stage:
    """The room, everything the page said to it, and the means to answer."""

    ids: list[int] = field(default_factory=lambda: list(range(1, 9)))
    nets: dict[int, int] = field(default_factory=dict)
    votes: dict[int, int] = field(default_factory=dict)
    own: list[int] = field(default_factory=list)
    role: str = "host"
    epoch: str = "first"
    seq: int = 10
    state: str = "LIVE"
    playing: int | None = 100
    grace_until_ms: int | None = None
    refuses_sockets: bool = False
    close_with: int | None = None
    answer: Callable[[Call], Any] | None = None
    calls: list[Call] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    joins: list[dict[str, str]] = field(default_factory=list)
    polls: list[dict[str, str]] = field(default_factory=list)
    loads: int = 0
    sockets: list[Server] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    # what is there

    def snapshot(self) -> Snapshot:
        person = PersonView(7, "Ada", "Ad", 1, False, "host", True)
        items = tuple(self.item(one) for one in self.ids)
        now = self.item(self.playing) if self.playing else None
        playback = PlaybackView(self.playing, "playing" if now else "idle", 0, 1_700_000_000_000, 1.0, 1)
        return Snapshot(
            id=1, code=CODE, name="Sunday Kitchen", state=self.state, mode="charts", epoch=self.epoch, seq=self.seq,
            grace_until_ms=self.grace_until_ms, host=person, playback=playback, now=now,
            items=items, people=(person,), here=frozenset({7}), idle=frozenset(), history=(),
            member_roles=((7, "host"),), settings=DEFAULTS, visibility="unlisted", entry="open", is_locked=False,
            door_code=CODE, knocks=(), suggestions=(), control_asks=(), drivers=(), offered_host=None, heir=None,
            paused_by=None, skip=None, fence=1,
        )  # fmt: skip

    def item(self, one: int) -> ItemView:
        track = TrackView(
            one, f"Title {one}", f"Artist {one}", "", "", 180_000, str(one * 15 % 360), "/audio", "/cover"
        )
        person = PersonView(7, "Ada", "Ad", 1, False, "host", True)
        net = self.nets.get(one, 0)
        return ItemView(one, track, person, max(net, 0), max(-net, 0), net, False, False, None, ())

    def share(self) -> Share:
        return Share(7, self.role, self.votes, self.own, {}, None, None, None, True, False)

    def after(self, one: int) -> int | str:
        at = self.ids.index(one)
        return self.ids[at - 1] if at else ""

    # pieces

    def piece(self, name: str, **more: Any) -> str:
        context: dict[str, Any] = {
            "room": self.snapshot(),
            "audience": Audience(self.role),
            "talk": NOTHING_SAID,
            "message": "",
            "undo": None,
        }
        context["oob"] = fragments.IN_PLACE
        context["mine"] = self.share()
        return fragments.render(f"fragments/{name}.html", **context | more)

    def row(self, one: int) -> str:
        return self.piece("queue_item", item=self.item(one), after=self.after(one))

    def new(self, one: int) -> str:
        return self.piece("queue_item_new", item=self.item(one), after=self.after(one))

    def gone(self, one: int) -> str:
        return self.piece("queue_item_gone", item_id=one)

    def frame(
        self, *pieces: str, start: int | None = None, end: int | None = None, epoch: str | None = None
    ) -> str:
        end = self.seq if end is None else end
        numbers = {"epoch": epoch or self.epoch, "from": end - 1 if start is None else start, "to": end}
        return "\n".join([self.piece("frame", **numbers), *pieces])

    def whole(self, **numbers: Any) -> str:
        return self.frame(self.piece("queue"), self.piece("queue_sum"), start=0, **numbers)

    def notice(self, sentence: str) -> str:
        return self.piece("notice").replace("></div>", ">").split(">")[0] + f">{sentence}</div>"

    # the wire

    def push(self, text: str) -> None:
        for socket in list(self.sockets):
            socket.send(text)

    def tell(self, **message: Any) -> None:
        self.push(json.dumps(message))

    def head(self) -> str:
        return json.dumps({"t": "head", "epoch": self.epoch, "seq": self.seq})

    def close(self, code: int) -> None:
        with self.changed:
            for socket in list(self.sockets):
                say_goodbye(socket, code)

    def cut(self) -> None:
        """The line breaks without a word."""
        for socket in list(self.sockets):
            socket.sock.shutdown(SHUT_RDWR)

    def note(self, where: list[Any], what: Any) -> None:
        with self.changed:
            where.append(what)
            self.changed.notify_all()

    def wait(self, fact: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        with self.changed:
            assert self.changed.wait_for(fact, seconds), "the page did not do it in time"
            return fact()

    def syncs(self) -> list[dict[str, Any]]:
        return [message for message in self.said if message["t"] == "sync"]


def _page(stage: Stage) -> str:
    library = {
        "search": "",
        "genre": "",
        "ordering": "title",
        "page": 1,
        "total": 0,
        "rows": [],
        "genres": [],
    }
    person = stage.snapshot().host
    context: dict[str, Any] = {
        "room": stage.snapshot(), "audience": Audience(stage.role), "theme": "light", "tab": "line", "me": person,
        "mine": stage.share(),
        "library": library | {"has_more": False, "making": None}, "origin": stage.url, "preview": None,
        "talk": NOTHING_SAID,
        "epoch": stage.epoch, "from": 0, "to": stage.seq, "message": "", "undo": None, "oob": "",
        "suggested_name": "Bo", "form": {}, "errors": {},
    }  # fmt: skip
    return render_template("pages/room.html", **context)


def say_goodbye(socket: Server, code: int) -> None:
    """A close frame and nothing after it: flask-sock would write an HTTP answer behind it."""
    socket.sock.send(socket.ws.send(CloseConnection(code)))
    socket.sock.shutdown(SHUT_WR)


def _live(stage: Stage, socket: Server) -> None:
    stage.note(stage.joins, request.args.to_dict())
    stage.note(stage.sockets, socket)
    if stage.close_with:
        stage.close(stage.close_with)
    try:
        if not stage.close_with:
            socket.send(stage.head())
        while True:
            stage.note(stage.said, json.loads(socket.receive()))
    except ConnectionClosed:
        pass
    finally:
        with stage.changed:
            stage.sockets.remove(socket)
            stage.changed.notify_all()


def _command(stage: Stage) -> Response | str | Refusal:
    call = Call(request.method, request.path, dict(request.headers), request.form.to_dict())
    stage.note(stage.calls, call)
    said = stage.answer(call) if stage.answer else stage.frame(stage.piece("mine"), start=stage.seq)
    stage.note(stage.answers, said)
    return said


class House:
    """The served addresses; each test puts its own stage into them."""

    stage: Stage

    def __init__(self) -> None:
        self.server = make_server("127.0.0.1", 0, make_app(self), threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self.server.port}"

    def new_stage(self) -> Stage:
        self.stage = Stage(url=self.url)
        return self.stage


class Quiet(WSGIRequestHandler):
    """A hundred lines about stylesheets hide what failed."""

    def log(self, *_args: Any) -> None:
        pass


def make_app(house: House) -> Flask:
    """The few addresses a room's page asks for."""
    app = Flask("harness", root_path=str(ROOT))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.jinja_env.filters.update(fragments.environment.filters)
    # What the real app tells every page: who asks, and which frames are set up.
    app.jinja_env.globals.update(viewer=lambda: None, embed_names=(), embed_origins=())
    sock = Sock(app)

    @app.before_request
    def refuse_sockets() -> tuple[str, int] | None:
        return ("", 503) if house.stage.refuses_sockets and request.path.endswith("/live") else None

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    @app.get(f"/rooms/{CODE}")
    def room() -> str:
        house.stage.loads += 1
        return _page(house.stage)

    @app.get(f"/rooms/{CODE}/changes")
    def changes() -> str:
        house.stage.note(house.stage.polls, dict(request.headers))
        return house.stage.whole()

    @app.get(f"/rooms/{CODE}/door")
    def door() -> str:
        return '<title>The door</title><link rel="stylesheet" href="/static/css/base.css">'

    @app.get(f"/rooms/{CODE}/qr.svg")
    def picture() -> tuple[str, int]:
        return "", 204

    @app.route(f"/rooms/{CODE}/<path:rest>", methods=["POST", "DELETE"])
    @app.route("/theme", methods=["POST"], defaults={"rest": ""})
    def command(rest: str) -> Response | str | Refusal:
        return _command(house.stage)

    @app.get("/cover")
    @app.get("/audio")
    def media() -> tuple[str, int]:
        return "", 204

    @sock.route(f"/rooms/{CODE}/live")
    def live(socket: Server) -> None:
        _live(house.stage, socket)

    return app


@contextmanager
def serving() -> Iterator[House]:
    """A house on a free port."""
    house = House()
    thread = threading.Thread(target=house.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield house
    finally:
        house.server.shutdown()
        thread.join()
