"""The smallest application with sockets: one room whose frames everybody gets, and a count of handlers."""

from __future__ import annotations

import threading

from flask import Flask, request

from live import wire

app = Flask(__name__)
frames: list[bytes] = []
wakers: dict[int, threading.Event] = {}
# Long enough for a client that reads, on however busy a machine; short enough to wait for.
limits = wire.Limits(send_seconds=5, farewell_seconds=3)
patient = wire.Limits(send_seconds=60, farewell_seconds=60)


def allowed(origin: str, host: str) -> bool:
    return wire.is_own_origin(origin, host, "https://party.example/")


@wire.route(app, "/rooms/<code>/live", allowed, limits)
def live(socket: wire.Wire, code: str) -> None:
    write_frames(socket)


@wire.route(app, "/patient", allowed, patient)
def live_for_long(socket: wire.Wire) -> None:
    write_frames(socket)


def write_frames(socket: wire.Wire) -> None:
    wake = wakers[id(socket)] = threading.Event()
    cursor = len(frames)
    socket.listen(lambda text: answer(socket, text), wake.set)
    try:
        while socket.is_open:
            wake.wait()
            wake.clear()
            while cursor < len(frames):
                socket.send(frames[cursor])
                cursor += 1
    finally:
        del wakers[id(socket)]


def answer(socket: wire.Wire, text: str) -> None:
    """Do what a message asks: `close 4403`, `big 1000000`, `twice 200000`, `fail`; or send it back."""
    word, _, number = text.partition(" ")
    if word == "close":
        socket.close(int(number), "as asked")
    elif word == "big":
        socket.send(wire.frame("x" * int(number)))
    elif word == "twice":
        for letter in "ab":
            threading.Thread(target=send_many, args=(socket, letter * int(number)), daemon=True).start()
    elif word == "fail":
        raise RuntimeError("as asked")
    else:
        socket.send(wire.frame(text))


def send_many(socket: wire.Wire, text: str) -> None:
    data = wire.frame(text)
    for _ in range(20):
        socket.send(data)


@wire.route(app, "/failing", allowed, limits)
def failing(socket: wire.Wire) -> None:
    raise RuntimeError("as asked")


@wire.route(app, "/returning", allowed, limits)
def returning(socket: wire.Wire) -> None:
    pass


@wire.route(app, "/refusing", allowed, patient)
def refusing(socket: wire.Wire) -> None:
    socket.close(4404, "no such room")


@app.get("/handlers")
def handlers() -> dict[str, int]:
    return {"open": len(wakers)}


@app.post("/frames")
def publish() -> str:
    frames.append(wire.frame(request.args["letter"] * int(request.args["size"])))
    for wake in list(wakers.values()):
        wake.set()
    return ""
