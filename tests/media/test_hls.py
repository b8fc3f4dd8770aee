"""HLS links: what a list says plays, and that hostile lists cost little and lead nowhere. By RFC 8216."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from config import settings
from media import direct, hls, hls_list
from media.fetch import CIRCLES, TOO_LARGE, Fetched
from media.hls_list import NOT_A_STREAM, PROTECTED
from media.hls_list import TOO_LONG as LIST_TOO_LONG
from media.net_address import NOT_HTTPS, NOT_THERE, ODD_PORT
from media.net_wire import SLOW
from media.provider import Facts, Reference, Trouble
from media.weblinks import GONE
from tests.media.servers import Elsewhere, Talk, answer, elsewhere


@pytest.fixture
def server() -> Iterator[Elsewhere]:
    with elsewhere({}) as listening:
        yield listening


def listed(*lines: str, start: str = "#EXTM3U") -> bytes:
    return answer(200, "\n".join((start, *lines, "")).encode(), content_type="application/vnd.apple.mpegurl")


def segments(
    count: int = 3, seconds: str = "4.0", *, is_over: bool = True, name: str = "s{}.ts"
) -> list[str]:
    lines = ["#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:4"]
    for number in range(count):
        lines += [f"#EXTINF:{seconds},", name.format(number)]
    return [*lines, "#EXT-X-ENDLIST"] if is_over else lines


def look_up(server: Elsewhere, path: str = "/film/master.m3u8") -> Facts:
    return hls.fetch(Reference("hls", "u-0", server.url + path, "hls", "a", True), server.settings())


def said(server: Elsewhere, *lines: str) -> str:
    server.says["/film/master.m3u8"] = listed(*lines)
    with pytest.raises(Trouble) as refused:
        look_up(server)
    return refused.value.sentence


def test_a_link_to_a_list_is_read() -> None:
    found = hls.recognise(" https://films.example/Night%20train/index.M3U8?token=1 ", settings)
    assert found is not None
    assert (found.provider, found.player, found.title, found.is_video) == ("hls", "hls", "Night train", True)
    assert found.reference == "https://films.example/Night%20train/index.M3U8?token=1"
    assert found.key.startswith("u-") and len(found.key) == 34


@pytest.mark.parametrize(
    "text", ["https://films.example/a.m3u", "https://films.example/", "a.m3u8", "films/a.m3u8", ""]
)
def test_what_is_no_such_link_is_not_ours(text: str) -> None:
    assert hls.recognise(text, settings) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "user@films.example"])
def test_a_list_of_the_house_is_refused_at_once(host: str) -> None:
    with pytest.raises(Trouble, match=NOT_THERE):
        hls.recognise(f"https://{host}/a.m3u8", settings)
    with pytest.raises(Trouble, match=ODD_PORT):
        hls.recognise("https://films.example:22/a.m3u8", settings)


def test_a_finished_list_is_as_long_as_its_segments(server: Elsewhere) -> None:
    server.says["/film/master.m3u8"] = listed(*segments(900, "4.004"))
    facts = look_up(server)
    assert (facts.duration_ms, facts.player, facts.title) == (3_603_600, "hls", "film")
    assert facts.is_video is None and facts.mime == "application/vnd.apple.mpegurl"
    assert server.connections == 1


def test_a_live_list_has_no_length(server: Elsewhere) -> None:
    server.says["/film/master.m3u8"] = listed(*segments(is_over=False))
    assert look_up(server).duration_ms is None


@pytest.mark.parametrize("seconds", ["nan", "inf", "-4", "1e308"])
def test_a_length_that_is_nonsense_is_no_length(server: Elsewhere, seconds: str) -> None:
    server.says["/film/master.m3u8"] = listed(*segments(3, seconds))
    assert look_up(server).duration_ms is None


@pytest.mark.parametrize(
    ("info", "is_video"),
    [
        ('BANDWIDTH=1,CODECS="avc1.4d401f,mp4a.40.2"', True),
        ("BANDWIDTH=1,RESOLUTION=1280x720", True),
        ('BANDWIDTH=1,CODECS="hvc1.1.6.L93"', True),
        ('BANDWIDTH=1,CODECS="mp4a.40.2"', False),
        ("BANDWIDTH=1", None),
    ],
)
def test_a_master_list_says_whether_there_are_pictures(
    server: Elsewhere, info: str, is_video: bool | None
) -> None:
    server.says |= {
        "/film/master.m3u8": listed(f"#EXT-X-STREAM-INF:{info}", "../other/low.m3u8?x=1"),
        "/other/low.m3u8": listed(*segments(10)),
    }
    facts = look_up(server)
    assert (facts.is_video, facts.duration_ms) == (is_video, 40_000)
    assert [each.target for each in server.asked] == ["/film/master.m3u8", "/other/low.m3u8?x=1"]


def test_sound_files_in_a_list_are_sound(server: Elsewhere) -> None:
    server.says["/film/master.m3u8"] = listed(*segments(name="s{}.aac"))
    assert look_up(server).is_video is False


def test_one_variant_that_plays_is_enough(server: Elsewhere) -> None:
    variants = [line for name in "abc" for line in ("#EXT-X-STREAM-INF:BANDWIDTH=1", f"{name}.m3u8")]
    server.says |= {
        "/film/master.m3u8": listed(*variants),
        "/film/b.m3u8": answer(200, b"<html>"),
        "/film/c.m3u8": listed(*segments(2)),
    }
    assert look_up(server).duration_ms == 8_000
    del server.says["/film/c.m3u8"]
    with pytest.raises(Trouble, match=GONE):
        look_up(server)


def test_keys_that_a_browser_fetches_are_no_trouble(server: Elsewhere) -> None:
    server.says["/film/master.m3u8"] = listed('#EXT-X-KEY:METHOD=AES-128,URI="key.bin"', *segments())
    assert look_up(server).duration_ms == 12_000
    assert [each.target for each in server.asked] == ["/film/master.m3u8"]


def test_a_link_whose_name_does_not_say_may_lead_to_a_list(server: Elsewhere) -> None:
    server.says["/live"] = listed(*segments(is_over=False))
    facts = direct.fetch(Reference("link", "u-0", f"{server.url}/live", "file", "a"), server.settings())
    assert (facts.player, facts.duration_ms, facts.title) == ("hls", None, "live")


# --- hostile lists ---------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "http://films.example/s.ts", "file:///etc/passwd", "ftp://films.example/s.ts", "data:video/mp2t;base64,AAAA",
    "javascript:alert(1)", "concat:a|b", "https://127.0.0.1/s.ts", "https://[::1]/s.ts", "//localhost/s.ts",
    "https://user@films.example/s.ts", "https://films.example:22/s.ts", "https://169.254.169.254/latest/",
    "https://0x7f.1/s.ts", "https://2130706433/s.ts", "https://[::1/s.ts", "\\\\nas\\share", "skd://key", "blob:x",
]  # fmt: skip


@pytest.mark.parametrize("uri", ELSEWHERE)
def test_no_address_in_a_list_leads_into_the_house_or_off_https(server: Elsewhere, uri: str) -> None:
    places = (
        segments(name=uri),
        ['#EXT-X-KEY:METHOD=AES-128,URI="' + uri + '"', *segments()],
        ['#EXT-X-MAP:URI="' + uri + '"', *segments()],
        [f'#EXT-X-PART:DURATION=1,URI="{uri}"', *segments()],
        ["#EXT-X-PRELOAD-HINT:TYPE=PART,URI=" + f'"{uri}"', *segments()],
        [f'#EXT-X-RENDITION-REPORT:URI="{uri}"', *segments()],
        [f'#EXT-X-DATERANGE:ID="a",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="{uri}"', *segments()],
        ["#EXT-X-STREAM-INF:BANDWIDTH=1", uri],
        [
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",URI="{uri}"',
            "#EXT-X-STREAM-INF:BANDWIDTH=1",
            "ok.m3u8",
        ],
        [f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="{uri}"', "#EXT-X-STREAM-INF:BANDWIDTH=1", "ok.m3u8"],
        [f'#EXT-X-SESSION-KEY:METHOD=AES-128,URI="{uri}"', "#EXT-X-STREAM-INF:BANDWIDTH=1", "ok.m3u8"],
        [f'#EXT-X-SESSION-DATA:DATA-ID="a",URI="{uri}"', "#EXT-X-STREAM-INF:BANDWIDTH=1", "ok.m3u8"],
        [f'#EXT-X-CONTENT-STEERING:SERVER-URI="{uri}"', "#EXT-X-STREAM-INF:BANDWIDTH=1", "ok.m3u8"],
    )
    server.says["/film/ok.m3u8"] = listed(*segments())
    for lines in places:
        server.asked.clear()
        assert said(server, *lines) in (NOT_THERE, NOT_HTTPS, ODD_PORT, NOT_A_STREAM, PROTECTED), lines
        assert [each.target for each in server.asked] == ["/film/master.m3u8"]


def test_the_same_addresses_in_a_variant_are_found_too(server: Elsewhere) -> None:
    server.says["/film/bad.m3u8"] = listed(*segments(name="https://10.0.0.1/{}.ts"))
    assert said(server, "#EXT-X-STREAM-INF:BANDWIDTH=1", "bad.m3u8") == NOT_THERE


def test_a_list_of_the_internet_does_not_lead_to_a_host_of_the_operators(
    server: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = "\n".join(("#EXTM3U", *segments(name=server.url + "/s.ts"))).encode()
    url = "https://films.example/a.m3u8"
    monkeypatch.setattr(hls_list.net, "fetch", lambda *_, **__: Fetched(200, {}, body, url))
    with pytest.raises(Trouble, match=NOT_THERE):
        hls_list.look_into(url, server.settings())


def test_lists_that_lead_in_circles_end(server: Elsewhere) -> None:
    assert said(server, *["#EXT-X-STREAM-INF:BANDWIDTH=1", "master.m3u8"] * 50) == NOT_A_STREAM
    assert server.connections == 1 + hls_list.MOST_VARIANTS
    server.says["/film/both.m3u8"] = listed("#EXT-X-STREAM-INF:BANDWIDTH=1", "both.m3u8", *segments())
    assert said(server, "#EXT-X-STREAM-INF:BANDWIDTH=1", "both.m3u8") == NOT_A_STREAM
    server.says["/film/master.m3u8"] = answer(302, location="/film/master.m3u8")
    with pytest.raises(Trouble, match=CIRCLES):
        look_up(server)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["#EXT-X-TARGETDURATION:4"],
        ["#EXT-X-STREAM-INF:BANDWIDTH=1"],
        ["#EXTINF:-1,A song", "https://files.example/a.mp3"],
        ["#EXT-X-TARGETDURATION:4", "#EXTINF:abc,", "s.ts"],
        ["#EXT-X-TARGETDURATION:four", "#EXTINF:4,", "s.ts"],
        ["#EXT-X-TARGETDURATION:4", "#EXTINF:4,"],
        ["#EXT-X-KEY:METHOD", *segments()],
        ["#EXT-X-BYTERANGE:1@2", "s.ts"],
        ["#EXT-X-PROGRAM-DATE-TIME:yesterday", *segments()],
        ["#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1", *segments()],
        ['#EXT-X-DEFINE:NAME="h",VALUE="127.0.0.1"', *segments(name="{{$h}}.ts")],
        ["#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z", *segments(3, "1e300")],
        ["#EXT-X-TARGETDURATION:" + "9" * 5_000, "#EXTINF:4,", "s.ts"],
    ],
)
def test_what_makes_no_sense_is_no_stream(server: Elsewhere, lines: list[str]) -> None:
    assert said(server, *lines) == NOT_A_STREAM


@pytest.mark.parametrize("body", [b"", b"<html>", b"#EXTINF:4,\ns.ts", b"\x00\xff" * 500, b"\xef\xbb\xbf"])
def test_what_is_no_list_is_no_stream(server: Elsewhere, body: bytes) -> None:
    server.says["/film/master.m3u8"] = answer(200, body)
    with pytest.raises(Trouble, match=NOT_A_STREAM):
        look_up(server)


@pytest.mark.parametrize(
    "key", ["METHOD=SAMPLE-AES", "METHOD=SAMPLE-AES-CTR", 'METHOD=AES-128,KEYFORMAT="com.apple"', 'URI="k"']
)
def test_copy_protection_is_said_to_be_that(server: Elsewhere, key: str) -> None:
    assert said(server, f"#EXT-X-KEY:{key}", *segments()) == PROTECTED


def test_a_list_that_is_large_or_long_costs_little(server: Elsewhere) -> None:
    began = time.process_time()
    assert said(server, *segments(hls_list.MOST_LINES)) == LIST_TOO_LONG
    assert said(server, *[f'#EXT-X-KEY:METHOD=AES-128,URI="{n}"' for n in range(20_000)]) == LIST_TOO_LONG
    assert said(server, "#EXTINF:" + "9" * 100_000 + ",", "s.ts") == LIST_TOO_LONG
    server.says["/film/master.m3u8"] = lambda talk: (
        talk.say(b"HTTP/1.1 200 OK\r\n\r\n#EXTM3U\n#EXT-X-TARGETDURATION:4\n"),
        talk.endless(b"#EXTINF:4,\ns.ts\n" * 1_000),
    )
    with pytest.raises(Trouble, match=TOO_LARGE):
        look_up(server)
    # A billion segments in few bytes there cannot be; as many as fit are read in the blink of an eye.
    server.says["/film/master.m3u8"] = listed(*segments(29_000, name="s"))
    assert look_up(server).duration_ms == 29_000 * 4_000
    assert time.process_time() - began < 5


def test_all_lists_of_a_stream_share_one_deadline(server: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls_list, "SECONDS", 2.0)
    hanging: list[Talk] = []

    def hang(talk: Talk) -> None:
        hanging.append(talk)
        talk.silence()

    variants = [line for name in "abc" for line in ("#EXT-X-STREAM-INF:BANDWIDTH=1", f"{name}.m3u8")]
    server.says |= {f"/film/{name}.m3u8": hang for name in "abc"}
    began = time.monotonic()
    assert said(server, *variants) == SLOW
    # Three times that, had each its own.
    assert time.monotonic() - began < 5.5 and len(hanging) == 1


def test_the_page_may_fetch_and_play_it() -> None:
    assert (hls.PROVIDER.media, hls.PROVIDER.connects, hls.PROVIDER.scripts) == (("https:",), ("https:",), ())
    assert all(hls.recognise(each, settings) for each in hls.PROVIDER.tries)
