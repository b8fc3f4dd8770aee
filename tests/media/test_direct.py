"""Links to files: which are read as such, one key for one file, and what is found out from the first megabyte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from config import settings
from media import direct, link_tags, registry, tools
from media.direct import EMPTY, HEAD_BYTES, NOT_MEDIA
from media.fetch import CIRCLES, TOO_LARGE
from media.net_address import NOT_HTTPS, NOT_THERE, TOO_LONG
from media.net_wire import BAD_CERTIFICATE, LONG_HEADER, NOBODY, SLOW
from media.provider import Facts, Reference, Trouble
from media.weblinks import GONE, LOCKED, NOT_NOW, REFUSED
from tests.media import making
from tests.media.servers import Elsewhere, Talk, answer, elsewhere


@pytest.fixture
def server() -> Iterator[Elsewhere]:
    with elsewhere({}) as listening:
        yield listening


def look_up(server: Elsewhere, path: str = "/a.mp3") -> Facts:
    return direct.fetch(Reference("link", "u-0", server.url + path, "file", "a"), server.settings())


def serve(server: Elsewhere, data: bytes, path: str = "/a.mp3", mime: str = "audio/mpeg") -> None:
    """A server that knows ranges, as RFC 9110 section 14.2 has them."""

    def speak(talk: Talk) -> None:
        first, _, last = talk.asked.headers["range"].removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        where = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        talk.say(answer(206, part, content_type=mime, content_range=where))

    server.says[path] = speak


# --- reading a link --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mp3", "m4a", "flac", "ogg", "oga", "opus", "wav", "mp4", "webm", "MP3"])
def test_a_link_to_a_file_is_read(name: str) -> None:
    found = direct.recognise(f" https://files.example/music/A%20slow_dance.{name}?v=2 ", settings)
    assert found is not None
    assert (found.provider, found.player, found.title) == ("link", "file", "A slow dance")
    assert found.reference == f"https://files.example/music/A%20slow_dance.{name}?v=2"
    assert found.is_video == (name in ("mp4", "webm"))


@pytest.mark.parametrize("path", ["", "/", "/stream", "/live/radio.1", "/a.b/c", "/?file=a.mp3", "/.hidden"])
def test_a_name_that_does_not_say_is_left_to_the_look_up(path: str) -> None:
    found = direct.recognise(f"https://files.example{path}", settings)
    assert found is not None and not found.is_video and found.title


@pytest.mark.parametrize(
    "path", ["/a.html", "/a.php", "/a.jpg", "/a.pdf", "/a.mp3.exe", "/a.svg", "/a.avi", "/a.m3u8"]
)
def test_a_name_that_says_something_else_is_not_ours(path: str) -> None:
    assert direct.recognise(f"https://files.example{path}", settings) is None


@pytest.mark.parametrize(
    "text", ["", "a.mp3", "files.example/a.mp3", "ftp://files.example/a.mp3", "slow dance", "x:y"]
)
def test_what_is_no_web_address_is_not_ours(text: str) -> None:
    assert direct.recognise(text, settings) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http://files.example/a.mp3", NOT_HTTPS),
        ("https://127.0.0.1/a.mp3", NOT_THERE),
        ("https://user:secret@files.example/a.mp3", NOT_THERE),
        ("https://nas.lan/a.mp3", NOT_THERE),
        ("https://nas.lan:4533/a.mp3", NOT_THERE),
        ("http://nas.lan:4533/a.mp3", NOT_THERE),
        ("https://files.example/a b.mp3", NOT_THERE),
        ("https://files.example/" + "x" * 2_048, TOO_LONG),
        ("https://files.example/" + "é" * 400, NOT_THERE),
    ],
)
def test_a_link_that_leads_nowhere_is_refused_at_once(text: str, sentence: str) -> None:
    """Hosts that the operator named are for sources, whose addresses the operator's own people choose."""
    with pytest.raises(Trouble) as refused:
        direct.recognise(text, replace(settings, private_hosts=("nas.lan:4533",)))
    assert refused.value.sentence == sentence


def key(text: str) -> str:
    found = direct.recognise(text, settings)
    assert found is not None
    return found.key


def test_one_file_has_one_key_however_its_link_is_written() -> None:
    same = {
        key(text)
        for text in (
            "https://files.example/a.mp3",
            "HTTPS://FILES.example:443/a.mp3",
            "https://files.example./a.mp3#t=30",
            " https://files.example/a.mp3\n",
        )
    }
    assert same == {"u-" + same.copy().pop().removeprefix("u-")} and len(same.copy().pop()) == 34
    others = {
        key(f"https://files.example/{path}") for path in ("A.mp3", "a.mp3?", "a.mp3?x", "a.mp4", "b/a.mp3")
    }
    others |= {key("https://files.example:8443/a.mp3"), key("https://other.example/a.mp3")}
    assert len(others | same) == 8


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/%E5%A4%9C%E3%81%AE%E6%AD%8C.mp3", "夜の歌"),
        ("/a+b_c%20%20d.mp3", "a b c d"),
        ("/Tonight/stream.mp3", "Tonight"),
        ("/%3Cscript%3Ealert(1)%3C%2Fscript%3E.mp3", "<script>alert(1)</script>"),
        ("/%E2%80%AEgpj.mp3", "gpj"),
        ("/%00%01.mp3", "files.example"),
        ("/%FF%FE.mp3", "files.example"),
        ("/Mr.%20Smith.mp3", "Mr. Smith"),
        ("/" + "a" * 300 + ".mp3", "a" * 200),
        ("/", "files.example"),
    ],
)
def test_a_title_is_the_files_name_in_words(path: str, title: str) -> None:
    found = direct.recognise(f"https://files.example{path}", settings)
    assert found is not None and found.title == title


def test_the_registry_offers_it_links_that_nobody_else_knows() -> None:
    assert registry.recognise("https://files.example/a.mp3", settings).provider == "link"
    assert registry.recognise("https://youtu.be/dQw4w9WgXcQ", settings).provider == "youtube"
    assert registry.recognise("https://files.example/a.m3u8", settings).provider == "hls"
    with pytest.raises(Trouble, match="won’t play here"):
        registry.recognise("https://files.example/a.html", settings)


# --- looking it up ---------------------------------------------------------------------------------------------------

FLAC = (
    b"fLaC\x00\x00\x00\x22"
    + bytes(10)
    + ((44_100 << 44) | (1 << 41) | (15 << 36) | 44_100 * 30).to_bytes(8, "big")
    + bytes(16)
)
BYTES = [
    (making.mp3(), "audio/mpeg", "audio/mpeg", False),
    (making.mp3(), "application/octet-stream", "audio/mpeg", False),
    (making.mp3(), "", "audio/mpeg", False),
    (making.id3(making.text("TIT2", "x")) + making.mp3(), "text/plain", "audio/mpeg", False),
    (FLAC, "audio/x-flac", "audio/flac", False),
    (b"OggS" + bytes(60), "application/ogg", "audio/ogg", False),
    (b"RIFF\x24\0\0\0WAVEfmt " + bytes(40), "audio/x-wav", "audio/wav", False),
    (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42isom" + bytes(40), "audio/x-m4a", "audio/mp4", False),
    (b"\0\0\0\x18ftypisom\0\0\0\0isommp42avc1" + bytes(40), "video/mp4", "video/mp4", True),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(40), "video/webm", "video/webm", True),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm" + bytes(40), "audio/webm", "audio/webm", False),
    # No magic number that is known, and nothing that reads as text: the server's word is taken.
    (b"\0" * 600 + making.mp3(), "audio/mpeg", "audio/mpeg", False),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sent", "mime", "is_video"), BYTES)
def test_the_first_bytes_say_what_it_is(
    server: Elsewhere, data: bytes, sent: str, mime: str, is_video: bool
) -> None:
    serve(server, data, "/thing", sent)
    facts = look_up(server, "/thing")
    assert (facts.mime, facts.is_video) == (mime, is_video)


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (b"<!doctype html><title>hello</title>", "text/html"),
        (b"<!doctype html><script>alert(1)</script>", "audio/mpeg"),
        (b"plain words", "audio/mpeg"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "audio/mpeg"),
        (b"%PDF-1.7 " + bytes(40), "video/mp4"),
        (b"PK\x03\x04" + bytes(40), "application/octet-stream"),
        (b"\x7fELF" + bytes(60), "audio/mpeg"),
        (bytes(80), "application/octet-stream"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska" + bytes(40), "video/webm"),
        (b"RIFF\x24\0\0\0AVI LIST" + bytes(40), "video/x-msvideo"),
    ],
)
def test_what_is_neither_sound_nor_video_is_refused(server: Elsewhere, data: bytes, sent: str) -> None:
    serve(server, data, "/thing.mp3", sent)
    with pytest.raises(Trouble) as refused:
        look_up(server, "/thing.mp3")
    assert refused.value.sentence == NOT_MEDIA and not refused.value.again


def test_no_more_than_the_first_megabyte_is_read(server: Elsewhere) -> None:
    """Also from a server that knows no ranges and goes on for ever; the length follows from the size it promised."""
    whole = making.mp3(2_400)
    serve(server, whole)
    facts = look_up(server)
    assert server.asked[0].headers["range"] == f"bytes=0-{HEAD_BYTES - 1}" and len(whole) > HEAD_BYTES
    assert facts.duration_ms is not None and abs(facts.duration_ms - 2_400 * 1152 / 44.1) < 100
    sent = 0

    def deaf(talk: Talk) -> None:
        nonlocal sent
        talk.say(answer(200, content_type="audio/mpeg", content_length=str(100_000_000)))
        for at in range(0, 100_000_000, 41_700):
            talk.say(making.mp3(100))
            sent = at

    server.says["/a.mp3"] = deaf
    facts = look_up(server)
    assert facts.duration_ms is not None and abs(facts.duration_ms - 100_000_000 / 417 * 1152 / 44.1) < 100
    server.close()
    assert sent < 20_000_000


def test_a_radio_station_has_no_length(server: Elsewhere) -> None:
    server.says["/live"] = lambda talk: (
        talk.say(b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Radio\r\n\r\n"),
        talk.endless(making.mp3(10)),
    )
    facts = look_up(server, "/live")
    assert (facts.duration_ms, facts.mime, facts.title) == (None, "audio/mpeg", "live")


def test_tags_in_front_are_read_as_text(server: Elsewhere) -> None:
    tags = making.id3(
        making.text("TIT2", "Slow\n dance <b>"),
        making.text("TPE1", "The \u202eRadiators"),
        making.text("TALB", "x" * 900),
        making.text("TCON", "Jazz"),
    )
    serve(server, tags + making.mp3())
    facts = look_up(server)
    assert (facts.title, facts.artist, facts.genre) == ("Slow dance <b>", "The Radiators", "Jazz")
    assert facts.album == "x" * 200 and facts.duration_ms is not None and 2_000 < facts.duration_ms < 2_200
    serve(server, making.mp3(), "/Some_name.mp3")
    assert look_up(server, "/Some_name.mp3").title == "Some name"


def test_the_length_of_a_flac_is_what_it_says_in_front(server: Elsewhere) -> None:
    serve(server, FLAC + bytes(2_000_000), "/a.flac", "audio/flac")
    assert look_up(server, "/a.flac").duration_ms == 30_000


def test_a_reader_of_tags_that_hangs_costs_only_the_tags(
    server: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_tags, "SECONDS", 0.01)
    monkeypatch.setattr(tools, "WAITING_SECONDS", 0)
    serve(server, making.mp3(), "/Name.mp3")
    facts = look_up(server, "/Name.mp3")
    assert (facts.title, facts.duration_ms, facts.mime) == ("Name", None, "audio/mpeg")


@pytest.mark.parametrize("size", [0, 1, 10, 1 << 50])
def test_a_size_that_is_a_lie_is_no_trouble(size: int) -> None:
    for data, mime in ((making.mp3(), "audio/mpeg"), (FLAC, "audio/flac")):
        known = link_tags.read(data, size, mime)
        assert known.duration_ms is None or 0 < known.duration_ms <= link_tags.LONGEST_SECONDS * 1000


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sentence", "again"),
    [
        (404, GONE, False), (410, GONE, False), (401, LOCKED, False), (403, LOCKED, False), (407, LOCKED, False),
        (429, NOT_NOW, True), (500, NOT_NOW, True), (503, NOT_NOW, True), (400, REFUSED, False), (416, EMPTY, False),
        (204, REFUSED, False), (304, REFUSED, False),
    ],
)  # fmt: skip
def test_a_status_becomes_a_sentence(server: Elsewhere, status: int, sentence: str, again: bool) -> None:
    server.says["/a.mp3"] = answer(status)
    with pytest.raises(Trouble) as refused:
        look_up(server)
    assert (refused.value.sentence, refused.value.again) == (sentence, again)


def test_every_trouble_is_a_sentence(server: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "SECONDS", 2.0)
    server.says |= {
        "/empty": answer(200),
        "/slow": lambda talk: talk.silence(),
        "/round": answer(302, location="/round"),
        "/inside": answer(302, location="http://127.0.0.1:1/"),
        "/header": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    }
    for path, sentence in (
        ("/empty", EMPTY), ("/slow", SLOW), ("/round", CIRCLES), ("/inside", NOT_HTTPS), ("/header", LONG_HEADER),
    ):  # fmt: skip
        with pytest.raises(Trouble) as refused:
            look_up(server, path)
        assert refused.value.sentence == sentence, path
    every = (
        GONE, LOCKED, NOT_NOW, REFUSED, NOT_MEDIA, EMPTY, SLOW, CIRCLES, NOT_HTTPS, NOT_THERE, TOO_LARGE, TOO_LONG,
        NOBODY, BAD_CERTIFICATE, LONG_HEADER,
    )  # fmt: skip
    assert len(set(every)) == len(every) and all(
        each.endswith(".") and each.count(".") == 1 or "://" in each for each in every
    )


def test_the_page_may_play_it_and_nothing_else_is_let_in() -> None:
    provider = direct.PROVIDER
    assert (provider.media, provider.connects, provider.scripts) == (("https:",), ("https:",), ())
    assert provider.frames(settings) == () and provider.controls == frozenset(
        {"play", "pause", "seek", "rate", "volume"}
    )
    for each in provider.tries:
        assert direct.recognise(each, settings)
