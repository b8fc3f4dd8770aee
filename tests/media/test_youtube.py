"""YouTube: every form of link that people paste, those that only look like one, and what oEmbed may answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from config import Settings, settings
from media import oembed, youtube
from media.oembed import Busy
from media.provider import Reference, Trouble, Unreachable

ID = "dQw4w9WgXcQ"
FORMS = {
    "watch": f"https://www.youtube.com/watch?v={ID}",
    "watch, plain http": f"http://youtube.com/watch?v={ID}",
    "no scheme": f"youtube.com/watch?v={ID}",
    "no scheme, www": f"www.youtube.com/watch?v={ID}",
    "its port named": f"https://www.youtube.com:443/watch?v={ID}",
    "scheme left to the page": f"//www.youtube.com/watch?v={ID}",
    "capitals": f"HTTPS://WWW.YouTube.COM/watch?v={ID}",
    "blanks around": f"  https://www.youtube.com/watch?v={ID}\n",
    "feature before v": f"https://www.youtube.com/watch?feature=share&v={ID}",
    "in a playlist": f"https://www.youtube.com/watch?v={ID}&list=PL1234567890&index=3",
    "from a moment": f"https://www.youtube.com/watch?v={ID}&t=1h2m3s",
    "fragment": f"https://www.youtube.com/watch?v={ID}#t=30",
    "watch with a slash": f"https://www.youtube.com/watch/?v={ID}",
    "watch/ID": f"https://www.youtube.com/watch/{ID}",
    "at the root": f"https://www.youtube.com/?v={ID}",
    "popup": f"https://www.youtube.com/watch_popup?v={ID}",
    "short": f"https://youtu.be/{ID}",
    "short with si": f"https://youtu.be/{ID}?si=AbCdEfGhIjKlMnOp",
    "short with t and list": f"https://youtu.be/{ID}?t=42&list=PL123",
    "short, no scheme": f"youtu.be/{ID}",
    "shorts": f"https://www.youtube.com/shorts/{ID}?feature=share",
    "live": f"https://www.youtube.com/live/{ID}?si=xyz",
    "embed": f"https://www.youtube.com/embed/{ID}?autoplay=1&start=5",
    "v/": f"https://www.youtube.com/v/{ID}?version=3",
    "e/": f"https://www.youtube.com/e/{ID}",
    "vi/": f"https://www.youtube.com/vi/{ID}",
    "mobile": f"https://m.youtube.com/watch?v={ID}&app=desktop",
    "music": f"https://music.youtube.com/watch?v={ID}&list=RDAMVM{ID}",
    "no cookie": f"https://www.youtube-nocookie.com/embed/{ID}?rel=0",
    "no cookie, no www": f"https://youtube-nocookie.com/embed/{ID}",
    "attribution": f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3D{ID}%26feature%3Dshare",
    "named": f"youtube:{ID}",
    "named, with a blank": f"YouTube: {ID}",
}

NOT_OURS = (
    f"https://youtube.com.evil.example/watch?v={ID}",
    f"https://youtu.be.evil.example/{ID}",
    f"https://evilyoutube.com/watch?v={ID}",
    f"https://www.youtube.com@evil.example/watch?v={ID}",
    f"https://evil.example@www.youtube.com/watch?v={ID}",
    f"https://evil.example\\@www.youtube.com/watch?v={ID}",
    f"https://evil.example/https://www.youtube.com/watch?v={ID}",
    f"https://evil.example/?u=https://youtu.be/{ID}",
    f"https://evil.example#https://youtu.be/{ID}",
    f"https://www.youtube.com:8443/watch?v={ID}",
    f"https://www.youtube.com:80@evil.example/watch?v={ID}",
    f"https://www.youtube.com\t.evil.example/watch?v={ID}",
    f"https://ｙoutube.com/watch?v={ID}",
    f"https://уoutube.com/watch?v={ID}",
    f"https://[::1]/watch?v={ID}",
    f"javascript:alert('youtube.com/watch?v={ID}')",
    f"data:text/html,youtube.com/watch?v={ID}",
    f"ftp://www.youtube.com/watch?v={ID}",
    f"file:///youtube.com/watch?v={ID}",
    f"https:///www.youtube.com/watch?v={ID}",
    "https://www.youtube.com/" + "a" * 3000,
    ID,
    "youtube",
    "",
)

NO_VIDEO = {
    "https://www.youtube.com/watch": "no video",
    "https://www.youtube.com/watch?v=": "no video",
    "https://www.youtube.com/watch?v=short": "no video",
    f"https://www.youtube.com/watch?v={ID}x": "no video",
    "https://www.youtube.com/watch?v=dQw4w9WgXc%00": "no video",
    "https://www.youtube.com/watch?v=<script>xx": "no video",
    f"https://youtu.be/{ID}x": "no video",
    "https://youtu.be/": "no video",
    "https://www.youtube.com/": "no video",
    "https://www.youtube.com/attribution_link?u=https://evil.example/": "no video",
    "https://www.youtube.com/attribution_link": "no video",
    "youtube:abc": "no video",
    "https://www.youtube.com/playlist?list=PL1234567890": "whole playlist",
    "https://www.youtube.com/embed/videoseries?list=PL1234567890": "whole playlist",
    "https://www.youtube.com/watch?list=PL1234567890": "whole playlist",
    "https://www.youtube.com/@somebody": "a channel",
    "https://www.youtube.com/channel/UC1234567890": "a channel",
    "https://www.youtube.com/c/somebody/videos": "a channel",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_link_is_read(form: str) -> None:
    assert len(FORMS) >= 12
    assert youtube.recognise(FORMS[form], settings) == Reference(
        "youtube", ID, ID, "youtube", "A video on YouTube", is_video=True
    )


@pytest.mark.parametrize("text", NOT_OURS)
def test_what_only_looks_like_youtube_is_not_ours(text: str) -> None:
    assert youtube.recognise(text, settings) is None


@pytest.mark.parametrize("text", NO_VIDEO)
def test_a_link_without_a_video_says_why(text: str) -> None:
    with pytest.raises(Trouble, match=NO_VIDEO[text]) as refused:
        youtube.recognise(text, settings)
    assert not refused.value.again


# --- what it answers -------------------------------------------------------------------------------------------------

# The fields of a real answer, as https://oembed.com/ lists them for type video.
ANSWER = {
    "title": "Never Gonna\u202e Give\n You Up",
    "author_name": "Rick Astley - Topic",
    "author_url": "https://www.youtube.com/@RickAstleyYT",
    "type": "video",
    "height": 113,
    "width": 200,
    "version": "1.0",
    "provider_name": "YouTube",
    "provider_url": "https://www.youtube.com/",
    "thumbnail_height": 360,
    "thumbnail_width": 480,
    "thumbnail_url": "https://evil.example/track.png",
    "html": "<script>alert(1)</script>",
}


@pytest.fixture
def reach(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings by which the endpoint is one of this machine."""
    monkeypatch.setattr(youtube, "OEMBED", httpserver.url_for("/oembed"))
    return replace(settings, private_hosts=(f"{httpserver.host}:{httpserver.port}",))


def reference() -> Reference:
    found = youtube.recognise(f"https://youtu.be/{ID}", settings)
    assert found is not None
    return found


def test_the_facts_are_text_and_the_picture_is_youtubes_own(httpserver: HTTPServer, reach: Settings) -> None:
    httpserver.expect_request(
        "/oembed", query_string={"url": f"https://www.youtube.com/watch?v={ID}", "format": "json"}
    ).respond_with_json(ANSWER)
    facts = youtube.fetch(reference(), reach)
    assert (facts.title, facts.artist) == ("Never Gonna Give You Up", "Rick Astley")
    assert facts.cover_url == f"https://i.ytimg.com/vi/{ID}/hqdefault.jpg"
    assert (facts.duration_ms, facts.is_video, facts.reference, facts.player) == (None, True, "", "")
    assert "script" not in repr(facts) and "evil" not in repr(facts)


def test_words_are_cut_to_what_fits(httpserver: HTTPServer, reach: Settings) -> None:
    httpserver.expect_request("/oembed").respond_with_json(
        {"title": "a" * 50_000, "author_name": ["no text"]}
    )
    facts = youtube.fetch(reference(), reach)
    assert (len(facts.title), facts.artist) == (200, "")


@pytest.mark.parametrize(
    ("status", "words", "again"),
    [
        (400, "knows no such video", False),
        (401, "on YouTube only", False),
        (403, "is private", False),
        (404, "gone from YouTube", False),
        (410, "would not say", False),
        (429, "too busy", True),
        (500, "too busy", True),
        (503, "too busy", True),
    ],
)
def test_a_refusal_is_a_sentence(
    httpserver: HTTPServer, reach: Settings, status: int, words: str, again: bool
) -> None:
    httpserver.expect_request("/oembed").respond_with_data("Forbidden", status=status)
    with pytest.raises(Trouble, match=words) as refused:
        youtube.fetch(reference(), reach)
    assert refused.value.again is again


def test_a_place_that_does_not_answer_is_named_and_tried_again(
    reach: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise Unreachable("Nobody knows that address.")

    monkeypatch.setattr(oembed, "fetch", nobody)
    with pytest.raises(Trouble, match="^YouTube cannot be reached just now.$") as refused:
        youtube.fetch(reference(), reach)
    assert refused.value.again


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("120", 120), ("999999", 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), ("-5", 0), ("", 0)],
)
def test_how_long_to_wait_is_heard(httpserver: HTTPServer, reach: Settings, said: str, seconds: int) -> None:
    httpserver.expect_request("/oembed").respond_with_response(
        Response("slow down", 429, headers={"Retry-After": said} if said else {})
    )
    with pytest.raises(Busy) as refused:
        youtube.fetch(reference(), reach)
    assert refused.value.after_seconds == seconds


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Forbidden", "is private"),
        ("Unauthorized", "on YouTube only"),
        ("Not Found", "gone from YouTube"),
        ("[]", "cannot read"),
        ('"title"', "cannot read"),
        ("{}", "gone from YouTube"),
        ('{"title": " \\u200b "}', "gone from YouTube"),
        ('{"title": 7}', "gone from YouTube"),
    ],
)
def test_an_answer_that_is_none_is_a_sentence(
    httpserver: HTTPServer, reach: Settings, body: str, words: str
) -> None:
    httpserver.expect_request("/oembed").respond_with_data(body, content_type="application/json")
    with pytest.raises(Trouble, match=words):
        youtube.fetch(reference(), reach)


@pytest.mark.parametrize("body", ["<html>", '{"title": ', "[" * 10_000])
def test_broken_json_is_trouble_and_nothing_worse(httpserver: HTTPServer, reach: Settings, body: str) -> None:
    httpserver.expect_request("/oembed").respond_with_data(body, content_type="application/json")
    with pytest.raises(Trouble):
        youtube.fetch(reference(), reach)


def test_nobody_there_is_trouble_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(youtube, "OEMBED", "http://127.0.0.1:9/oembed")
    with pytest.raises(Trouble) as refused:
        youtube.fetch(reference(), replace(settings, private_hosts=("127.0.0.1:9",)))
    assert refused.value.again


def test_what_the_page_has_to_allow_is_exact() -> None:
    assert youtube.PROVIDER.frames(settings) == (
        "https://www.youtube.com",
        "https://www.youtube-nocookie.com",
    )
    assert youtube.PROVIDER.scripts == (
        "https://www.youtube.com/iframe_api",
        "https://www.youtube.com/s/player/",
    )
    assert (youtube.PROVIDER.media, youtube.PROVIDER.connects) == ((), ())
