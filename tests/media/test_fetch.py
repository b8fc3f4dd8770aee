"""Fetching from others: what an answer is, what goes along, and that everything that goes wrong ends soon and in one
sentence. Servers that trickle, loop and send bombs are on loopback; the numbers are small."""

from __future__ import annotations

import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from config import ROOT, settings
from media import fetch as fetching
from media.fetch import CIRCLES, CUT_OFF, GARBLED, OTHER_KIND, TOO_LARGE, fetch, stream
from media.net_address import NOT_HTTPS, NOT_THERE, TOO_LONG
from media.net_wire import BAD_CERTIFICATE, LONG_HEADER, NOBODY, SLOW, UNKNOWN, UNSAFE, Internet
from media.provider import Trouble
from tests.media.servers import (
    OTHER_PUBLIC,
    PUBLIC,
    Canary,
    Elsewhere,
    Roads,
    Speech,
    Talk,
    answer,
    certified,
    elsewhere,
)

SECONDS = 0.4
"""What the slow ones get; left alone, each would take minutes."""
SOON_SECONDS = 8.0
"""When everything that fails has failed, on a busy machine too; before the other side gives up by itself."""


@pytest.fixture
def server() -> Iterator[Elsewhere]:
    with elsewhere({}) as listening:
        yield listening


@pytest.fixture
def roads() -> Iterator[Roads]:
    canary = Canary(1)
    yield Roads(canary, {"files.example": [PUBLIC], "other.example": [OTHER_PUBLIC]})
    assert canary.count() == 0
    canary.close()


@pytest.fixture
def public(roads: Roads) -> Iterator[Elsewhere]:
    """files.example and other.example, with a good certificate."""
    served, roads.context = certified("files.example", "other.example")
    with elsewhere({}, tls=served) as listening:
        roads.ports = {PUBLIC: listening.port, OTHER_PUBLIC: listening.port}
        yield listening


def trouble(act: Callable[[], object]) -> Trouble:
    began = time.monotonic()
    with pytest.raises(Trouble) as raised:
        act()
    assert time.monotonic() - began < SOON_SECONDS
    return raised.value


def said(server: Elsewhere, path: str, **more) -> str:
    return trouble(lambda: fetch(server.url + path, server.settings(), **more)).sentence


# --- an answer -------------------------------------------------------------------------------------------------------


def test_an_answer_is_read_whole(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b'{"a": [1]}', Content_Type="Application/JSON; charset=utf-8", X_One="1")
    got = fetch(f"{server.url}/a?b=c#d", server.settings())
    assert (got.status, got.body, got.url) == (200, b'{"a": [1]}', f"{server.url}/a?b=c")
    assert got.json() == {"a": [1]} and got.mime == "application/json" and got.headers["x-one"] == "1"
    asked = server.asked[0]
    assert (asked.method, asked.target, asked.body) == ("GET", "/a?b=c", b"")
    assert asked.headers["host"] == f"127.0.0.1:{server.port}" and asked.headers["user-agent"] == "Partyline"


@pytest.mark.parametrize("status", [204, 400, 401, 404, 410, 429, 500, 503])
def test_a_refusal_is_an_answer(server: Elsewhere, status: int) -> None:
    server.says["/a"] = answer(status, retry_after="7", content_type="text/html")
    got = fetch(f"{server.url}/a", server.settings(), accept=("application/json",) if status != 204 else ())
    assert got.status == status and got.headers["retry-after"] == "7"


def test_what_is_posted_arrives_with_its_headers(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b"ok")
    more = {"Content-Type": "application/json", "Authorization": "Bearer t"}
    fetch(f"{server.url}/a", server.settings(), method="POST", data=b'{"a":1}', headers=more)
    asked = server.asked[0]
    assert (asked.method, asked.body) == ("POST", b'{"a":1}')
    assert (asked.headers["content-type"], asked.headers["authorization"]) == ("application/json", "Bearer t")


def test_an_answer_to_head_has_no_body_and_keeps_its_length(server: Elsewhere) -> None:
    server.says["/a"] = b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n"
    got = fetch(f"{server.url}/a", server.settings(), method="HEAD", most_bytes=10)
    assert got.body == b"" and got.headers["content-length"] == "900000000"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw"])
def test_what_was_packed_is_unpacked(server: Elsewhere, coding: str) -> None:
    packed = {"deflate": zlib.compress(b"a" * 900)}.get(coding, gzip.compress(b"a" * 900))
    server.says["/a"] = answer(
        200, b"a" * 900 if coding == "raw" else packed, content_encoding=coding.replace("raw", "")
    )
    assert fetch(f"{server.url}/a", server.settings()).body == b"a" * 900


def test_chunks_and_an_end_without_a_length_are_read(server: Elsewhere) -> None:
    server.says["/chunks"] = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n"
    )
    server.says["/end"] = b"HTTP/1.0 200 OK\r\n\r\nabcde"
    for path in server.says:
        assert fetch(server.url + path, server.settings()).body == b"abcde"


def test_what_comes_after_the_promised_end_is_left(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b"abcde", content_length="3")
    assert fetch(f"{server.url}/a", server.settings()).body == b"abc"


def test_only_the_start_is_read_where_only_that_is_wanted(server: Elsewhere) -> None:
    server.says["/a"] = lambda talk: (
        talk.say(answer(200, content_length="9000000")),
        talk.endless(b"x" * 500),
    )
    server.says["/short"] = answer(200, b"abc")
    assert fetch(f"{server.url}/a", server.settings(), most_bytes=700, only_start=True).body == b"x" * 700
    assert fetch(f"{server.url}/short", server.settings(), most_bytes=700, only_start=True).body == b"abc"


def test_it_works_by_name_and_certificate_over_the_address_that_was_checked(
    public: Elsewhere, roads: Roads
) -> None:
    public.says["/a"] = answer(200, b"ok")
    assert fetch("https://files.example/a", settings, internet=roads.internet).body == b"ok"
    assert fetch("https://other.example:8443/a", settings, internet=roads.internet).body == b"ok"
    assert roads.went == [(PUBLIC, 443), (OTHER_PUBLIC, 8443)]
    assert [each.headers["host"] for each in public.asked] == ["files.example", "other.example:8443"]


def test_a_number_with_a_certificate_of_its_own_is_an_address_too(roads: Roads) -> None:
    served, roads.context = certified(PUBLIC)
    with elsewhere({"/": answer(200, b"ok")}, tls=served) as listening:
        roads.ports[PUBLIC] = listening.port
        assert fetch(f"https://{PUBLIC}", settings, internet=roads.internet).body == b"ok"
        assert roads.asked == []


def test_the_next_of_its_numbers_is_tried_when_one_is_silent(public: Elsewhere, roads: Roads) -> None:
    def connect(ip: str, port: int, seconds: float) -> socket.socket:
        if ip == PUBLIC:
            raise TimeoutError
        return roads.connect(ip, port, seconds)

    public.says["/a"] = answer(200, b"ok")
    roads.names["files.example"] = [PUBLIC, PUBLIC, OTHER_PUBLIC]
    internet = replace(roads.internet, connect=connect)
    assert fetch("https://files.example/a", settings, internet=internet).body == b"ok"
    assert roads.went == [(OTHER_PUBLIC, 443)]


# --- redirects -------------------------------------------------------------------------------------------------------


def test_three_redirects_are_followed_and_a_fourth_is_not(server: Elsewhere) -> None:
    for step, status in enumerate((301, 302, 303, 307)):
        server.says[f"/{step}"] = answer(status, b"moved", location=f"{step + 1}")
    server.says["/4"] = answer(200, b"here")
    got = fetch(f"{server.url}/1", server.settings())
    assert (got.body, got.url) == (b"here", f"{server.url}/4")
    assert said(server, "/0") == CIRCLES


def test_going_round_in_circles_ends(server: Elsewhere) -> None:
    server.says["/a"] = answer(302, location="/a")
    assert said(server, "/a") == CIRCLES
    assert server.connections == 4


def test_a_redirect_without_a_place_and_a_304_are_answers(server: Elsewhere) -> None:
    server.says |= {"/a": answer(302), "/b": answer(304, location="/c"), "/c": answer(300, location="/d")}
    assert [fetch(server.url + path, server.settings()).status for path in ("/a", "/b", "/c")] == [
        302,
        304,
        300,
    ]


def test_no_redirect_leads_from_https_to_http(public: Elsewhere, roads: Roads) -> None:
    public.says["/a"] = answer(301, location="http://files.example/b")
    refused = trouble(lambda: fetch("https://files.example/a", settings, internet=roads.internet))
    assert refused.sentence == NOT_HTTPS
    # Not even between the operator's own hosts.
    roads.names["nas.lan"], roads.ports["10.0.0.5"] = ["10.0.0.5"], public.port
    roads.context = certified("nas.lan")[1]
    public.says["/a"] = answer(301, location="http://nas.lan/b")
    listed = replace(settings, private_hosts=("nas.lan",))
    with elsewhere(public.says, tls=certified("nas.lan")[0]) as nas:
        roads.ports["10.0.0.5"] = nas.port
        refused = trouble(lambda: fetch("https://nas.lan/a", listed, internet=roads.internet))
    assert refused.sentence == NOT_THERE


SECRETS = {
    "Authorization": "Bearer t",
    "X-Emby-Token": "t",
    "Cookie": "a=b",
    "X-Anything": "t",
    "Range": "bytes=0-9",
}


def test_secrets_stay_with_the_host_they_were_for(public: Elsewhere, roads: Roads) -> None:
    public.says |= {
        "/near": answer(302, location="/b"),
        "/far": answer(302, location="https://other.example/b"),
        "/port": answer(302, location="https://files.example:8443/b"),
        "/b": answer(200, b"ok"),
    }
    for path, keeps in (("/near", True), ("/far", False), ("/port", False)):
        public.asked.clear()
        fetch(f"https://files.example{path}", settings, headers=SECRETS, internet=roads.internet)
        first, second = (each.headers for each in public.asked)
        for name, value in SECRETS.items():
            assert first[name.lower()] == value
            assert second.get(name.lower()) == (value if keeps or name == "Range" else None)


def test_what_was_posted_is_not_posted_elsewhere(public: Elsewhere, roads: Roads) -> None:
    public.says |= {
        "/303": answer(303, location="https://other.example/b"),
        "/307": answer(307, location="https://other.example/b"),
        "/308": answer(308, location="/b"),
        "/b": answer(200, b"ok"),
    }

    def post(path: str) -> None:
        fetch(
            f"https://files.example{path}", settings, method="POST", data=b"secret", internet=roads.internet
        )

    post("/303")
    assert (public.asked[-1].method, public.asked[-1].body) == ("GET", b"")
    post("/308")
    assert (public.asked[-1].method, public.asked[-1].body) == ("POST", b"secret")
    count = len(public.asked)
    with pytest.raises(Trouble):
        post("/307")
    assert len(public.asked) == count + 1


def test_no_cookie_comes_back(server: Elsewhere) -> None:
    server.says |= {
        "/a": answer(302, location="/b", set_cookie="id=1; Path=/"),
        "/b": answer(200, b"", set_cookie="x=y"),
    }
    for _ in range(2):
        fetch(f"{server.url}/a", server.settings())
    assert not any("cookie" in each.headers for each in server.asked) and len(server.asked) == 4


def test_a_place_in_other_letters_is_found(server: Elsewhere) -> None:
    server.says["/a"] = answer(302, location="?").replace(b"location: ?", "location: /dé jà".encode())
    server.says["/d%C3%A9%20j%C3%A0"] = answer(200, b"here")
    assert fetch(f"{server.url}/a", server.settings()).body == b"here"


# --- too slow --------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\n"
LONG = b"x" * 10_000
SLOW_ONES: dict[str, Callable[[Talk], object]] = {
    "says nothing": lambda talk: talk.silence(),
    "spells its first line": lambda talk: talk.trickle(b"HTTP/1.1 200 " + LONG),
    "spells a header": lambda talk: (talk.say(HEAD), talk.trickle(b"A: " + LONG)),
    "has one header after another": lambda talk: (talk.say(HEAD), talk.trickle(b"A: b\r\n" * 2_000)),
    "stops before the body": lambda talk: (talk.say(HEAD + b"Content-Length: 5\r\n\r\n"), talk.silence()),
    "spells its body": lambda talk: (talk.say(HEAD + b"Content-Length: 9999\r\n\r\n"), talk.trickle(LONG)),
    "spells a body without end": lambda talk: (talk.say(HEAD + b"\r\n"), talk.trickle(LONG)),
    "spells its chunks": lambda talk: (
        talk.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        talk.trickle(b"1\r\nx\r\n" * 2_000),
    ),
    "spells the length of a chunk": lambda talk: (
        talk.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n"),
        talk.trickle(b"0" * 5_000),
    ),
    "spells what follows the chunks": lambda talk: (
        talk.say(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n"),
        talk.trickle(b"A: b\r\n" * 2_000),
    ),
    "says to go on, slowly": lambda talk: talk.trickle(b"HTTP/1.1 100 Continue\r\n\r\n" * 400),
    "redirects slowly": lambda talk: (talk.trickle(answer(302, location="/x")), None),
}


@pytest.mark.parametrize("habit", SLOW_ONES)
def test_a_slow_one_ends_by_the_deadline(server: Elsewhere, habit: str) -> None:
    server.says["/x"] = lambda talk: SLOW_ONES[habit](talk)
    refused = trouble(lambda: fetch(f"{server.url}/x", server.settings(), seconds=SECONDS))
    assert refused.sentence == SLOW and refused.again


@contextmanager
def wire(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A port where one connection after another is what `talk` makes of it, below TLS."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                sock, _ = listener.accept()
                with sock, suppress(OSError):
                    sock.settimeout(10)
                    talk(sock, over)

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def slowed(port: int) -> Callable[[socket.socket, threading.Event], None]:
    """What a server says, passed on; a large piece byte by byte, which is a record of TLS taken apart."""

    def talk(sock: socket.socket, over: threading.Event) -> None:
        def back() -> None:
            with suppress(OSError):
                while piece := there.recv(65_536):
                    for start in range(0, len(piece), 1 if len(piece) > 8_000 else len(piece)):
                        sock.sendall(piece[start : start + (1 if len(piece) > 8_000 else len(piece))])
                        if len(piece) > 8_000 and over.wait(0.02):
                            return

        with socket.create_connection(("127.0.0.1", port)) as there:
            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            with suppress(OSError):
                while piece := sock.recv(65_536):
                    there.sendall(piece)
            there.shutdown(socket.SHUT_RDWR)
            thread.join(5)

    return talk


@pytest.mark.parametrize(
    "start", [b"", b"\x16\x03\x03\x40\x00"], ids=["silence", "one byte of a record at a time"]
)
def test_a_handshake_counts_against_the_deadline(roads: Roads, start: bytes) -> None:
    def talk(sock: socket.socket, over: threading.Event) -> None:
        sock.recv(65_536)
        sock.sendall(start)
        while not over.wait(0.02):
            if start:
                sock.sendall(b"\0")

    with wire(talk) as port:
        roads.ports[PUBLIC] = port
        refused = trouble(
            lambda: fetch("https://files.example/", settings, seconds=SECONDS, internet=roads.internet)
        )
        assert refused.sentence == SLOW


def test_a_record_of_tls_that_is_spelled_counts_against_the_deadline(public: Elsewhere, roads: Roads) -> None:
    public.says["/"] = answer(200, b"x" * 9_000)
    with wire(slowed(public.port)) as port:
        roads.ports[PUBLIC] = port
        refused = trouble(
            lambda: fetch("https://files.example/", settings, seconds=SECONDS, internet=roads.internet)
        )
    assert refused.sentence == SLOW


def test_a_slow_resolver_counts_against_the_deadline(roads: Roads) -> None:
    over = threading.Event()
    roads.names["files.example"] = lambda: [PUBLIC] if over.wait(30) else []
    refused = trouble(
        lambda: fetch("https://files.example/", settings, seconds=SECONDS, internet=roads.internet)
    )
    over.set()
    assert refused.sentence == SLOW and roads.went == []


def test_redirects_share_one_deadline(server: Elsewhere) -> None:
    for step in range(3):
        server.says[f"/{step}"] = lambda talk, step=step: (
            (
                talk.over.wait(SECONDS / 2),
                talk.say(answer(302, location=f"/{step + 1}")),
            )
        )
    assert said(server, "/0", seconds=SECONDS) == SLOW


# --- too much --------------------------------------------------------------------------------------------------------


def test_more_than_is_taken_is_refused_and_as_much_is_not(server: Elsewhere) -> None:
    server.says |= {
        "/told": answer(200, b"x" * 101),
        "/untold": b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 101,
        "/endless": lambda talk: (talk.say(HEAD + b"\r\n"), talk.endless(b"x" * 50)),
        "/chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffff\r\n" + b"x" * 500,
        "/just": answer(200, b"x" * 100),
    }
    for path in ("/told", "/untold", "/endless", "/chunk"):
        assert said(server, path, most_bytes=100) == TOO_LARGE, path
    assert len(fetch(f"{server.url}/just", server.settings(), most_bytes=100).body) == 100


def test_a_bomb_is_stopped_while_it_goes_off(server: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand to one, and once more inside."""
    once = gzip.compress(bytes(50_000_000), 9)
    server.says["/a"] = answer(200, once, content_encoding="gzip")
    server.says["/b"] = answer(200, gzip.compress(once, 9), content_encoding="gzip, gzip")
    largest = 0

    class Watched:
        def __init__(self, bits: int) -> None:
            self.inner = zlib.decompressobj(bits)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal largest
            out = self.inner.decompress(data, most)
            largest = max(largest, len(out))
            return out

    monkeypatch.setattr(
        fetching, "zlib", type("Z", (), {"decompressobj": Watched, "MAX_WBITS": 15, "error": zlib.error})
    )
    assert said(server, "/a", most_bytes=100_000) == TOO_LARGE
    assert 0 < largest <= 100_001
    assert said(server, "/b", most_bytes=100_000) == GARBLED


@pytest.mark.parametrize(
    "header",
    [
        b"A: b\r\n" * 101,
        b"A: " + b"x" * 70_000 + b"\r\n",
        (b"A: " + b"x" * 60_000 + b"\r\n") * 3,
    ],
    ids=["many", "long", "much"],
)
def test_a_header_has_an_end(server: Elsewhere, header: bytes) -> None:
    server.says["/a"] = HEAD + header + b"\r\nbody"
    assert said(server, "/a") == LONG_HEADER


def test_endless_headers_and_endless_beginnings_end(server: Elsewhere) -> None:
    server.says["/a"] = lambda talk: (talk.say(HEAD), talk.endless(b"A: b\r\n" * 100))
    server.says["/b"] = lambda talk: talk.endless(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    server.says["/c"] = lambda talk: talk.endless(b"HTTP/1.1 200 " + LONG)
    assert [said(server, path) for path in ("/a", "/b", "/c")] == [LONG_HEADER] * 3


def test_a_long_address_is_not_gone_to(server: Elsewhere) -> None:
    assert said(server, "/" + "x" * 2_048) == TOO_LONG
    assert server.connections == 0


# --- nonsense --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("speech", "sentence"),
    [
        (answer(200, b"abc", content_length="9"), CUT_OFF),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", CUT_OFF),
        (answer(200, gzip.compress(b"abcdef" * 50)[:-20], content_encoding="gzip"), CUT_OFF),
        (answer(200, b"no gzip at all", content_encoding="gzip"), GARBLED),
        (answer(200, b"abc", content_encoding="br"), GARBLED),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc", CUT_OFF),
        (b"hello\r\n\r\n", GARBLED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", GARBLED),
        (b"HTTP/1.1 abc\r\n\r\n", GARBLED),
        (b"HTTP/9.1 200 OK\r\n\r\n", GARBLED),
        (b"\x16\x03\x03\x00\x02\x02\x28", GARBLED),
        (b"", NOBODY),
    ],
)
def test_nonsense_is_said_to_be_nonsense(server: Elsewhere, speech: bytes, sentence: str) -> None:
    server.says["/a"] = speech
    assert said(server, "/a") == sentence


def test_what_is_no_json_is_no_answer(server: Elsewhere) -> None:
    for body in (b"<html>", b"", b"\xff\xfe\xfd", b"[" * 200_000):
        server.says["/a"] = answer(200, body)
        with pytest.raises(Trouble, match=GARBLED):
            fetch(f"{server.url}/a", server.settings()).json()


def test_an_answer_of_another_kind_is_refused(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b"x", content_type="text/html; charset=utf-8")
    server.says["/b"] = answer(200, b"x", content_type="image/PNG")
    server.says["/none"] = answer(200, b"x")
    assert said(server, "/a", accept=("application/json", "image/")) == OTHER_KIND
    assert said(server, "/none", accept=("image/",)) == OTHER_KIND
    assert fetch(f"{server.url}/b", server.settings(), accept=("application/json", "image/")).body == b"x"
    assert server.asked[-1].headers["accept"] == "application/json, image/*"


def test_nobody_there_is_said_so(server: Elsewhere, roads: Roads) -> None:
    server.close()
    refused = trouble(lambda: fetch(server.url, server.settings()))
    assert refused.sentence == NOBODY and refused.again
    roads.names["gone.example"] = []
    refused = trouble(lambda: fetch("https://gone.example/", settings, internet=roads.internet))
    assert refused.sentence == UNKNOWN and refused.again

    def broken(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert (
        trouble(lambda: fetch("https://x.example/", settings, internet=Internet(broken))).sentence == UNKNOWN
    )


def test_a_bad_certificate_is_not_passed(public: Elsewhere, roads: Roads) -> None:
    public.says["/"] = answer(200, b"ok")
    roads.names["wrong.example"], roads.ports["1.1.1.1"] = ["1.1.1.1"], public.port

    def sentence(url: str) -> str:
        return trouble(lambda: fetch(url, settings, internet=roads.internet)).sentence

    assert sentence("https://wrong.example/") == BAD_CERTIFICATE
    assert sentence("https://1.1.1.1/") == BAD_CERTIFICATE
    roads.context = certified("somebody.example")[1]
    assert sentence("https://files.example/") == BAD_CERTIFICATE
    assert public.asked == []
    with wire(lambda sock, over: sock.sendall(answer(400, b"plain HTTP here"))) as port:
        roads.ports[PUBLIC] = port
        assert sentence("https://files.example/") == UNSAFE


@pytest.mark.parametrize("headers", [{"X": "a\r\nHost: evil"}, {"X\r\nY": "a"}, {"X": "\u2603"}])
def test_a_header_cannot_carry_another(server: Elsewhere, headers: dict[str, str]) -> None:
    assert said(server, "/a", headers=headers) == GARBLED
    assert server.asked == []


# --- streams ---------------------------------------------------------------------------------------------------------


IDLE_SECONDS = 2.5
"""How long a stream may stand still: longer than a busy machine keeps a server waiting for its turn."""


def test_a_stream_comes_in_pieces_before_it_ends(server: Elsewhere) -> None:
    go_on = threading.Event()
    server.says["/a"] = lambda talk: (
        (
            talk.say(b"HTTP/1.1 206 OK\r\nContent-Length: 6\r\nContent-Range: bytes 3-8/9\r\n\r\nabc"),
            go_on.wait(30),
            talk.say(b"def"),
        )
    )
    with stream(f"{server.url}/a", server.settings(), headers={"Range": "bytes=3-"}) as got:
        assert (got.status, got.headers["content-range"]) == (206, "bytes 3-8/9")
        assert next(got.chunks) == b"abc"
        go_on.set()
        assert b"".join(got.chunks) == b"def"
    assert server.asked[0].headers["range"] == "bytes=3-"
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_stream_may_take_long_and_may_not_stand_still(server: Elsewhere) -> None:
    server.says["/slow"] = lambda talk: (
        (talk.say(HEAD + b"Content-Length: 20\r\n\r\n"), talk.trickle(b"x" * 20, IDLE_SECONDS / 16))
    )
    server.says["/stands"] = lambda talk: (
        (talk.say(HEAD + b"Content-Length: 20\r\n\r\nabc"), talk.silence())
    )
    with stream(f"{server.url}/slow", server.settings(), seconds_idle=IDLE_SECONDS) as got:
        assert b"".join(got.chunks) == b"x" * 20

    def stands() -> None:
        with stream(f"{server.url}/stands", server.settings(), seconds_idle=SECONDS) as got:
            assert b"".join(got.chunks)

    assert trouble(stands).sentence == SLOW


def test_time_that_the_reader_takes_is_not_held_against_the_other_side(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b"x" * 500_000)
    with stream(f"{server.url}/a", server.settings(), seconds_idle=IDLE_SECONDS) as got:
        assert next(got.chunks)
        threading.Event().wait(IDLE_SECONDS * 1.25)
        assert b"".join(got.chunks)


def test_a_stream_that_breaks_says_so_and_one_left_early_is_let_go(server: Elsewhere) -> None:
    server.says["/a"] = answer(200, b"abc", content_length="9")
    with stream(f"{server.url}/a", server.settings()) as got, pytest.raises(Trouble, match=CUT_OFF):
        list(got.chunks)
    left = threading.Event()

    def endless(talk: Talk) -> None:
        try:
            talk.endless(b"x" * 10_000)
        except OSError:
            left.set()

    server.says["/b"] = lambda talk: (talk.say(HEAD + b"\r\n"), endless(talk))
    with stream(f"{server.url}/b", server.settings()) as got:
        assert next(got.chunks)
    assert left.wait(30)


def test_a_stream_keeps_to_the_same_rules(server: Elsewhere) -> None:
    server.says |= {
        "/a": answer(302, location="/b"),
        "/b": answer(200, b"here"),
        "/c": answer(302, location="https://[::1]/"),
    }
    with stream(f"{server.url}/a", server.settings()) as got:
        assert b"".join(got.chunks) == b"here"
    for url in (f"{server.url}/c", "http://files.example/"):
        with pytest.raises(Trouble), stream(url, server.settings()):
            pass


# --- under gevent ----------------------------------------------------------------------------------------------------

GREEN = """
from gevent import monkey; monkey.patch_all()
import json, sys, time, gevent
from config import settings
from media.fetch import fetch
from media.net_wire import INTERNET
from media.provider import Trouble
from dataclasses import replace
import ssl, socket
port, pem = int(sys.argv[1]), sys.argv[2]
ticks = 0
def tick():
    global ticks
    while True:
        gevent.sleep(0.02); ticks += 1
gevent.spawn(tick)
net = replace(INTERNET, resolve=lambda host, p: ["93.184.215.14"],
    connect=lambda ip, p, s: socket.create_connection(("127.0.0.1", port), s),
    context=lambda: ssl.create_default_context(cadata=pem))
said = {}
for path in ("/good", "/slow"):
    began, before = time.monotonic(), ticks
    try:
        seconds = 2.0 if path == "/slow" else 30
        said[path] = fetch("https://files.example" + path, settings, seconds=seconds, internet=net).body.decode()
    except Trouble as trouble:
        said[path] = trouble.sentence
    said[path + " took"], said[path + " ticks"] = time.monotonic() - began, ticks - before
print(json.dumps(said))
"""


def test_under_gevent_others_go_on_and_the_deadline_holds_inside_a_record(tmp_path) -> None:
    """A TLS record that comes byte by byte: a socket that waits anew for each would wait for hours."""
    served, trusting = certified("files.example", "other.example")
    pem = ssl.DER_cert_to_PEM_cert(trusting.get_ca_certs(binary_form=True)[0])
    says: dict[str, Speech] = {"/good": answer(200, b"ok"), "/slow": answer(200, b"x" * 9_000)}
    with elsewhere(says, tls=served) as server, wire(slowed(server.port)) as port:
        done = subprocess.run(
            [sys.executable, "-c", GREEN, str(port), pem],
            cwd=ROOT, env={**os.environ, "DATA_DIR": str(tmp_path)}, capture_output=True, timeout=90, check=True,
        )  # fmt: skip
    known = json.loads(done.stdout)
    assert known["/good"] == "ok" and known["/slow"] == SLOW
    assert 0.5 < known["/slow took"] < SOON_SECONDS and known["/slow ticks"] > 8
