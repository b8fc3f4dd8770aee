"""A stand-in for the whole app: alive at once, with one socket that stays open."""

from flask import Flask, Response
from flask_sock import Sock

from live.socket import screens

app = Flask(__name__)
sock = Sock(app)


@app.get("/healthz")
def healthz() -> Response:
    return Response("alive")


@sock.route("/live")
def live(ws):  # type: ignore[no-untyped-def]
    screens.append(ws)
    ws.send(ws.receive(timeout=60))
    while ws.connected:
        ws.receive(timeout=1)
