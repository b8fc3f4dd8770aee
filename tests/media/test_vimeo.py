"""Vimeo: its forms of links, unlisted videos and their hash, and what oEmbed may answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

from config import Settings, settings
from media import vimeo
from media.provider import Trouble

FORMS = {
    "https://vimeo.com/76979871": "76979871",
    "http://www.vimeo.com/76979871/": "76979871",
    "vimeo.com/76979871?share=copy#t=10s": "76979871",
    "https://vimeo.com/076979871": "76979871",
    "https://vimeo.com/channels/staffpicks/76979871": "76979871",
    "https://vimeo.com/groups/shortfilms/videos/76979871": "76979871",
    "https://vimeo.com/album/2222222/video/76979871": "76979871",
    "https://vimeo.com/showcase/2222222/video/76979871": "76979871",
    "https://vimeo.com/ondemand/somefilm/76979871": "76979871",
    "https://vimeo.com/manage/videos/76979871": "76979871",
    "https://player.vimeo.com/video/76979871?autoplay=1": "76979871",
    "https://vimeo.com/76979871/8272103f6e": "76979871/8272103f6e",
    "https://player.vimeo.com/video/76979871?h=8272103f6e": "76979871/8272103f6e",
    "https://vimeo.com/manage/videos/76979871/8272103f6e": "76979871/8272103f6e",
    "vimeo:76979871": "76979871",
    "vimeo:76979871-8272103f6e": "76979871/8272103f6e",
}
NOT_OURS = (
    "https://vimeo.com.evil.example/76979871",
    "https://evilvimeo.com/76979871",
    "https://vimeo.com@evil.example/76979871",
    "https://evil.example/vimeo.com/76979871",
    "https://vimeo.com:8080/76979871",
    "javascript:vimeo.com/76979871",
    "76979871",
)
NO_VIDEO = (
    "https://vimeo.com/",
    "https://vimeo.com/staffpicks",
    "https://vimeo.com/channels/76979871",
    "https://vimeo.com/channels/staffpicks",
    "https://vimeo.com/album/76979871",
    "https://vimeo.com/groups/76979871/videos",
    "https://vimeo.com/ondemand/76979871",
    "https://vimeo.com/76979871/settings",
    "https://vimeo.com/9999999999999",
    "https://player.vimeo.com/video/76979871?h=../../evil",
    "vimeo:../76979871",
)


@pytest.mark.parametrize("link", FORMS)
def test_a_form_of_link_is_read(link: str) -> None:
    found = vimeo.recognise(link, settings)
    assert found is not None
    assert (found.provider, found.player, found.is_video) == ("vimeo", "vimeo", True)
    assert (found.reference, found.key) == (FORMS[link], FORMS[link].replace("/", "-"))


@pytest.mark.parametrize("text", NOT_OURS)
def test_what_only_looks_like_vimeo_is_not_ours(text: str) -> None:
    assert vimeo.recognise(text, settings) is None


@pytest.mark.parametrize("link", NO_VIDEO)
def test_a_link_without_a_video_says_so(link: str) -> None:
    with pytest.raises(Trouble, match="no video in that Vimeo link"):
        vimeo.recognise(link, settings)


def test_the_player_takes_an_unlisted_video_with_its_hash() -> None:
    assert vimeo.player_url("76979871") == "https://player.vimeo.com/video/76979871"
    assert vimeo.player_url("76979871/8272103f6e") == "https://player.vimeo.com/video/76979871?h=8272103f6e"


# --- what it answers -------------------------------------------------------------------------------------------------

# The fields of developer.vimeo.com/api/oembed/videos.
ANSWER = {
    "type": "video",
    "version": "1.0",
    "provider_name": "Vimeo",
    "provider_url": "https://vimeo.com/",
    "title": "The New Vimeo Player (You Know, For Videos)",
    "author_name": "Vimeo",
    "author_url": "https://vimeo.com/staff",
    "html": "<iframe src='https://evil.example'></iframe>",
    "width": 480,
    "height": 270,
    "duration": 62,
    "description": "It may look the same.",
    "thumbnail_url": "https://i.vimeocdn.com/video/452001751-8216e0571c251a09d7a8387550942d89f7f86f6398f8ed886e639b0dd50d3c90-d_295x166",
    "thumbnail_width": 295,
    "thumbnail_height": 166,
    "upload_date": "2013-10-15 14:08:29",
    "video_id": 76979871,
    "uri": "/videos/76979871",
}
# A video that is private to some sites, asked by a stranger: no names, no owner.
TRUNCATED = {
    "type": "video",
    "version": "1.0",
    "provider_name": "Vimeo",
    "provider_url": "https://vimeo.com/",
    "html": "<iframe></iframe>",
    "width": 480,
    "height": 270,
    "video_id": 76979871,
    "domain_status_code": 403,
}


@pytest.fixture
def reach(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings by which the endpoint is one of this machine."""
    monkeypatch.setattr(vimeo, "OEMBED", httpserver.url_for("/api/oembed.json"))
    return replace(settings, private_hosts=(f"{httpserver.host}:{httpserver.port}",))


def asked(reach: Settings, link: str = "https://vimeo.com/76979871/8272103f6e") -> object:
    found = vimeo.recognise(link, settings)
    assert found is not None
    return vimeo.fetch(found, reach)


def test_the_facts_come_with_the_length(httpserver: HTTPServer, reach: Settings) -> None:
    httpserver.expect_request(
        "/api/oembed.json", query_string={"url": "https://vimeo.com/76979871/8272103f6e", "format": "json"}
    ).respond_with_json(ANSWER)
    facts = asked(reach)
    assert (facts.title, facts.artist, facts.duration_ms) == (ANSWER["title"], "Vimeo", 62_000)
    assert facts.cover_url == ANSWER["thumbnail_url"] and "iframe" not in repr(facts)


@pytest.mark.parametrize(
    "picture",
    [
        "https://evil.example/i.vimeocdn.com/x",
        "http://i.vimeocdn.com/x",
        "https://i.vimeocdn.com@evil.example/x",
        "https://i.vimeocdn.com:81/x",
        "//i.vimeocdn.com/x",
        "https://[",
        7,
        None,
    ],
)
def test_a_picture_from_anywhere_else_is_left(
    httpserver: HTTPServer, reach: Settings, picture: object
) -> None:
    httpserver.expect_request("/api/oembed.json").respond_with_json({**ANSWER, "thumbnail_url": picture})
    assert asked(reach).cover_url == ""


@pytest.mark.parametrize("length", [0, -1, True, "62", 10**12, None, 1.5])
def test_a_length_that_is_none_stays_unknown(httpserver: HTTPServer, reach: Settings, length: object) -> None:
    httpserver.expect_request("/api/oembed.json").respond_with_json({**ANSWER, "duration": length})
    assert asked(reach).duration_ms is None


@pytest.mark.parametrize(
    "answer", [TRUNCATED, {**ANSWER, "domain_status_code": 403}, {**ANSWER, "title": None}]
)
def test_one_that_plays_on_chosen_sites_only_says_so(
    httpserver: HTTPServer, reach: Settings, answer: dict[str, object]
) -> None:
    httpserver.expect_request("/api/oembed.json").respond_with_json(answer)
    with pytest.raises(Trouble, match="chosen sites only") as refused:
        asked(reach)
    assert not refused.value.again


@pytest.mark.parametrize(
    ("status", "words", "again"),
    [
        (401, "is private", False),
        (403, "is private", False),
        (404, "whole link", False),
        (418, "would not say", False),
        (429, "too busy", True),
        (502, "too busy", True),
    ],
)
def test_a_refusal_is_a_sentence(
    httpserver: HTTPServer, reach: Settings, status: int, words: str, again: bool
) -> None:
    httpserver.expect_request("/api/oembed.json").respond_with_data("", status=status)
    with pytest.raises(Trouble, match=words) as refused:
        asked(reach)
    assert refused.value.again is again
