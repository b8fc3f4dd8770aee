"""R1 and R2: what the WebSocket library gets wrong and our wire must not, under each server that runs us."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from live import protocol, wire
from tests.live.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PATIENCE_SECONDS,
    PING,
    PONG,
    TEXT,
    Gone,
    RawSocket,
    eventually,
    pack,
)
from tests.live.servers import START_SECONDS, free_port
from tests.live.wire_app import app

ROOM = "/rooms/friday/live"
PATIENT = "/patient"
HOME = Path(__file__).parents[2]


class Server:
    """A running server with the small application."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self, path: str = ROOM, **options) -> RawSocket:
        client = RawSocket(self.port, path, **options)
        assert client.status == 101
        return client

    def handlers(self) -> int:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/handlers", timeout=PATIENCE_SECONDS
        ) as answer:
            return json.load(answer)["open"]

    def handlers_are(self, count: int) -> None:
        eventually(lambda: self.handlers() == count)

    def publish(self, letter: str, size: int) -> None:
        address = f"http://127.0.0.1:{self.port}/frames?letter={letter}&size={size}"
        asked = urllib.request.Request(address, method="POST")
        urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS).close()


@contextlib.contextmanager
def gunicorn(*options: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1"]
    command += ["--no-control-socket", "--log-level", "critical", *options, "tests.live.wire_app:app"]
    with subprocess.Popen(command, cwd=HOME) as process:
        server = Server(port)
        try:
            eventually(lambda: process.poll() is not None or is_answering(server), START_SECONDS)
            yield server
        finally:
            process.terminate()


@contextlib.contextmanager
def werkzeug() -> Iterator[Server]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield Server(server.server_port)
    server.shutdown()
    server.server_close()


def is_answering(server: Server) -> bool:
    try:
        return server.handlers() == 0
    except OSError:
        return False


@pytest.fixture(scope="module", params=["gevent", "threads", "werkzeug"])
def running(request: pytest.FixtureRequest) -> Iterator[Server]:
    kinds = {
        "gevent": lambda: gunicorn("--worker-class", "gevent"),
        "threads": lambda: gunicorn("--worker-class", "gthread", "--threads", "16"),
        "werkzeug": werkzeug,
    }
    with kinds[request.param]() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    yield running
    running.handlers_are(0)


ORIGINS = [
    (None, True),
    ("http://{host}", True),
    ("https://{host}", True),
    ("https://party.example", True),
    ("https://evil.example", False),
    ("http://party.example", False),
    ("https://party.example:444", False),
    ("https://party.example.evil.example", False),
    ("http://{host}.evil.example", False),
    ("http://127.0.0.1:1", False),
    ("null", False),
    ("", False),
]
COOKIES = [None, "session=somebody", "session=somebody; session=else; other=1"]


@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize(("origin", "is_accepted"), ORIGINS)
def test_only_our_own_pages_open_a_socket(server, origin, is_accepted, cookie):
    if origin is not None:
        origin = origin.format(host=f"127.0.0.1:{server.port}")
    with RawSocket(server.port, ROOM, headers={"Origin": origin, "Cookie": cookie}) as client:
        assert client.status == (101 if is_accepted else 403)
        assert ("sec-websocket-accept" in client.headers) == is_accepted


def test_a_cross_site_request_opens_no_socket_whatever_its_origin_says(server):
    with RawSocket(server.port, ROOM, headers={"Sec-Fetch-Site": "cross-site"}) as client:
        assert client.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": None},
        {"Connection": "keep-alive"},
        {"Sec-WebSocket-Key": None},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Version": None},
        {"Host": "a" * 64 + ".example"},
    ],
)
def test_a_handshake_that_cannot_be_read_is_a_bad_request(server, headers):
    with RawSocket(server.port, ROOM, headers=headers) as client:
        assert client.status == 400


def test_compression_is_never_agreed_to(server):
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    with server.connect(headers=offer) as client:
        assert "sec-websocket-extensions" not in client.headers
        client.send("a" * 5000)
        assert client.read() == "a" * 5000


def test_a_message_comes_through_in_fragments_with_a_ping_between(server):
    with server.connect() as client:
        client.send_frame(TEXT, "grüß".encode()[:3], final=False)
        client.send_frame(PING, b"still there?")
        client.send_frame(CONTINUATION, "grüß".encode()[3:])
        assert client.read_frame() == (0x80 | PONG, b"still there?")
        assert client.read() == "grüß"


def test_a_message_comes_through_byte_by_byte(server):
    with server.connect() as client:
        for byte in pack(TEXT, b"slowly"):
            client.send_bytes(bytes([byte]))
        assert client.read() == "slowly"


@pytest.mark.parametrize(("payload", "code"), [(b"\x03\xe8bye", 1000), (b"\x0f\xa0", 4000), (b"", 1005)])
def test_a_goodbye_is_returned_and_the_connection_ended(server, payload, code):
    with server.connect() as client:
        client.send_frame(CLOSE, payload)
        assert client.read_close() == code
        with pytest.raises(Gone):
            client.read_frame()


def test_our_goodbye_carries_its_code_and_nothing_follows_it(server):
    with server.connect() as client:
        client.send("close 4403")
        goodbye = client.read_frame()
        assert (goodbye.code, goodbye.payload[2:]) == (4403, b"as asked")
        client.send_frame(CLOSE, goodbye.payload)
        with pytest.raises(Gone):
            client.read_frame()


BAD = {
    "unmasked": (pack(TEXT, b"hello", masked=False), 4400),
    "compressed": (pack(TEXT, b"hello", reserved=4), 4400),
    "reserved bit": (pack(TEXT, b"hello", reserved=1), 4400),
    "unknown kind": (pack(3, b"hello"), 4400),
    "unknown control": (pack(0xB, b"hello"), 4400),
    "continues nothing": (pack(CONTINUATION, b"hello"), 4400),
    "new message inside a message": (pack(TEXT, b"a", final=False) + pack(TEXT, b"b"), 4400),
    "ping in fragments": (pack(PING, b"hello", final=False), 4400),
    "long ping": (pack(PING, b"a" * 126), 4400),
    "length written too long": (b"\x81\xfe\x00\x05" + b"\0" * 9, 4400),
    "negative length": (b"\x81\xff" + b"\xff" * 8, 4400),
    "garbage": (b"GET / HTTP/1.1\r\nHost: example\r\n\r\n", 4400),
    "half a close code": (pack(CLOSE, b"\x03"), 4400),
    "close code nobody may send": (pack(CLOSE, b"\x03\xee"), 4400),
    "binary": (pack(BINARY, b"hello"), 1003),
    "not UTF-8": (pack(TEXT, b"\xff\xfe"), 1007),
    "reason not UTF-8": (pack(CLOSE, b"\x03\xe8\xff"), 1007),
    "too big": (pack(TEXT, b"a" * 8193), 1009),
    "too big in fragments": (pack(TEXT, b"a" * 5000, final=False) + pack(CONTINUATION, b"a" * 5000), 1009),
    "far too big": (pack(TEXT, b"a" * 500_000), 1009),
    "declared huge": (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + b"\0" * 4, 1009),
    "endless fragments": (pack(TEXT, b"", final=False) + pack(CONTINUATION, b"", final=False) * 50, 4429),
    "flood of messages": (pack(TEXT, b"hello") * 21, 4429),
    "flood of pings": (pack(PING, b"hello") * 21, 4429),
}


@pytest.mark.parametrize(("data", "code"), BAD.values(), ids=BAD.keys())
def test_what_cannot_stand_is_told_why_and_the_handler_is_gone(server, data, code):
    with server.connect() as client:
        client.send_bytes(data)
        assert client.read_close() == code
    # The fixture waits for the handler to go.


def test_a_refused_client_that_stays_does_not_keep_its_handler(server):
    with server.connect() as client:
        client.send_frame(TEXT, b"a" * 8193)
        assert client.read_close() == 1009
        # It stays, and would for ever.
        server.handlers_are(0)
        with pytest.raises(Gone):
            client.read_frame()


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        (PATIENT, BAD["far too big"][0], 1009),
        ("/refusing", BAD["far too big"][0], 4404),
        ("/refusing", pack(PING, b"hello"), 4404),
    ],
    ids=["big", "refused", "refused and asking"],
)
def test_a_refusal_reaches_a_client_that_is_still_talking(server, path, data, code):
    with server.connect(path) as client:
        client.send_bytes(data)
        assert client.read_close() == code
        # Closed now, the connection would be reset, and over a real network that can overtake the close code.
        for _ in range(10):
            client.send_bytes(b"a" * 10_000)
            server.handlers_are(0)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.sock.recv(1) == b""
        assert client.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_twenty_messages_at_once_are_welcome(server):
    with server.connect() as client:
        client.send_bytes(pack(TEXT, b"hello") * 20)
        assert [client.read() for _ in range(20)] == ["hello"] * 20


@pytest.mark.parametrize("path", ["/failing", "/returning"])
def test_a_handler_that_ends_early_closes_so_that_the_screen_comes_back(server, path):
    with server.connect(path) as client:
        assert client.read_close() == 1011
        client.send_frame(CLOSE, b"\x03\xf3")
        with pytest.raises(Gone):
            client.read_frame()


def test_a_failure_on_a_message_closes_so_that_the_screen_comes_back(server):
    with server.connect() as client:
        client.send("fail")
        assert client.read_close() == 1011


def test_a_reset_connection_leaves_no_handler(server):
    client = server.connect()
    server.handlers_are(1)
    client.reset()


def test_a_client_that_only_stops_sending_leaves_no_handler(server):
    with server.connect() as client:
        server.handlers_are(1)
        client.sock.shutdown(socket.SHUT_WR)
        server.handlers_are(0)


def test_a_big_frame_arrives_whole_through_a_small_window(server):
    with server.connect(PATIENT, receive_buffer=4096) as client:
        client.send("big 1000000")
        assert client.read() == "x" * 1_000_000


def test_two_senders_and_a_pong_never_mix_their_frames(server):
    with server.connect(PATIENT, receive_buffer=4096) as client:
        client.send("twice 100000")
        for _ in range(15):
            # A little room in the kernel's buffer: enough for a pong, too little to wake who waits for room.
            client.take_in(30_000)
            client.send_frame(PING, b"between")
            server.handlers_are(1)
        seen = [client.read_frame() for _ in range(55)]
        assert seen.count((0x80 | TEXT, b"a" * 100_000)) == 20
        assert seen.count((0x80 | TEXT, b"b" * 100_000)) == 20
        assert seen.count((0x80 | PONG, b"between")) == 15


def test_a_screen_that_does_not_read_is_cut_off_in_time(server):
    with server.connect(receive_buffer=4096) as slow, server.connect() as prompt:
        server.handlers_are(2)
        for letter in "abcde":
            server.publish(letter, 200_000)
            assert prompt.read() == letter * 200_000
        server.handlers_are(1)
        assert slow.read_close() == 1006


def test_a_screen_that_does_not_read_holds_nobody_up(server):
    with server.connect(PATIENT, receive_buffer=4096) as slow, server.connect() as prompt:
        server.handlers_are(2)
        for letter in "abcde":
            server.publish(letter, 200_000)
            assert prompt.read() == letter * 200_000
        assert server.handlers() == 2
        slow.reset()
        server.handlers_are(1)


@pytest.fixture
def pair() -> Iterator[tuple[wire.Wire, socket.socket]]:
    """A wire and the bare socket at its other end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        far, _ = listener.accept()
    far.settimeout(PATIENCE_SECONDS)
    with near, far:
        yield wire.Wire(near, wire.Limits(send_seconds=60, farewell_seconds=0.1)), far


def test_a_goodbye_does_not_wait_for_a_sender_that_is_stuck(pair):
    stuck, _ = pair
    ended: list[int] = []

    def send_for_ever() -> None:
        try:
            while True:
                stuck.send(b"x" * 1_000_000)
        except wire.Closed as closed:
            ended.append(closed.code)

    sender = threading.Thread(target=send_for_ever)
    sender.start()
    eventually(stuck._lock.locked)
    stuck.close(1012)
    sender.join(PATIENCE_SECONDS)
    assert ended == [1012]


def test_an_offer_never_waits_and_what_it_began_goes_out_whole(pair):
    line, far = pair
    letters = "abcdefgh"
    offered = []
    for letter in letters:
        # Nobody takes anything yet: to wait here would be to wait until the line is given up.
        if not line.offer(wire.frame(letter * 1_000_000)):
            break
        offered.append(letter)
    assert 1 <= len(offered) < len(letters), "the buffers take no eight million bytes"
    assert not line.offer(wire.frame("in between"))
    assert line.is_open
    sender = threading.Thread(target=line.send, args=(wire.frame("the end"),))
    sender.start()
    end = wire.frame("the end")
    received = b""
    while not received.endswith(end):
        received += far.recv(1 << 20)
    sender.join(PATIENCE_SECONDS)
    assert received == b"".join(wire.frame(letter * 1_000_000) for letter in offered) + end
    assert line.offer(wire.frame("again"))


def test_nothing_is_offered_to_a_closed_line(pair):
    line, far = pair
    far.close()
    eventually(lambda: not line.offer(wire.frame("a" * 1000)))
    assert not line.offer(wire.frame("b"))
    assert not line._lock.locked()


def test_the_owner_is_woken_once_when_the_other_side_goes(pair):
    line, far = pair
    woken: list[bool] = []
    line.listen(lambda text: None, lambda: woken.append(line.is_open))
    far.close()
    eventually(lambda: woken)
    line.finish()
    assert woken == [False]
    assert line.code == 1006
    with pytest.raises(wire.Closed):
        line.send(wire.frame("too late"))


def test_the_kernel_gives_up_on_a_dead_network_in_twenty_seconds(pair):
    _, far = pair
    kept = pair[0]._sock
    assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_its_header_and_its_text(size):
    lengths = {0: b"\x00", 125: b"\x7d", 126: b"\x7e\x00\x7e", 65_535: b"\x7e\xff\xff"}
    head = b"\x81" + lengths.get(size, b"\x7f" + size.to_bytes(8, "big"))
    assert wire.frame("a" * size) == head + b"a" * size


def test_any_cut_of_the_bytes_gives_the_same_messages():
    text = "größer ".encode() * 100
    data = (
        pack(TEXT, text[:301], final=False) + pack(PING, b"p") + pack(CONTINUATION, text[301:]) + pack(TEXT)
    )
    for step in (1, 2, 3, 7, 64, len(data)):
        inbound = protocol.Inbound(8192, 20, 10.0)
        cuts = [data[start : start + step] for start in range(0, len(data), step)]
        found = [message for cut in cuts for message in inbound.take(cut, 1.0)]
        assert found == [(PING, b"p"), (TEXT, text), (TEXT, b"")]


def test_the_count_of_messages_starts_again_after_its_time():
    inbound = protocol.Inbound(8192, 2, 10.0)
    for now in (100.0, 101.0, 111.0, 112.0):
        assert len(list(inbound.take(pack(TEXT, b"beat"), now))) == 1
    with pytest.raises(protocol.Refused):
        list(inbound.take(pack(TEXT, b"beat"), 113.0))
