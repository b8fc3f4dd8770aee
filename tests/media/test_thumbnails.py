"""Small pictures of rows found elsewhere: made anew, few, small, and never in the way of the words."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer

from config import Settings, settings
from media import catalogues, thumbnails


@pytest.fixture
def wanted(httpserver: HTTPServer) -> Settings:
    return replace(settings, private_hosts=(f"{httpserver.host}:{httpserver.port}",))


def picture(side: int = 200, form: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side), "#2667ff").save(made, form)
    return made.getvalue()


def test_a_picture_becomes_a_small_one_of_our_own_and_is_fetched_once(
    httpserver: HTTPServer, wanted: Settings
) -> None:
    httpserver.expect_request("/a").respond_with_data(picture(), content_type="image/png")
    here = httpserver.url_for("/a")
    first, none, again = thumbnails.of([here, "", here], wanted)
    assert (none, again, len(httpserver.log)) == ("", first, 1)
    assert first.startswith(thumbnails.HEAD) and len(first) <= thumbnails.LONGEST
    with Image.open(io.BytesIO(base64.b64decode(first.removeprefix(thumbnails.HEAD)))) as found:
        assert (found.format, found.size) == ("WEBP", (thumbnails.SIDE, thumbnails.SIDE))


@pytest.mark.parametrize(
    ("body", "mime", "status"),
    [
        (b"<svg onload='alert(1)'/>", "image/svg+xml", 200),
        (b"no picture", "image/png", 200),
        (picture(), "text/html", 200),
        (picture(), "image/png", 404),
        (picture(2_001), "image/png", 200),
        (b"x" * (thumbnails.MOST_BYTES + 1), "image/png", 200),
    ],
)
def test_what_is_no_good_picture_is_none(
    httpserver: HTTPServer, wanted: Settings, body: bytes, mime: str, status: int
) -> None:
    httpserver.expect_request("/a").respond_with_data(body, status, content_type=mime)
    assert thumbnails.of([httpserver.url_for("/a")], wanted) == [""]


def test_only_a_few_are_fetched_and_none_from_inside(httpserver: HTTPServer, wanted: Settings) -> None:
    httpserver.expect_request("/a").respond_with_data(picture(), content_type="image/png")
    many = [httpserver.url_for(f"/a?{number}") for number in range(thumbnails.MOST + 5)]
    found = thumbnails.of(many, wanted)
    assert [bool(each) for each in found] == [True] * thumbnails.MOST + [False] * 5
    assert len(httpserver.log) == thumbnails.MOST
    assert thumbnails.of(many[:1], replace(wanted, private_hosts=())) == [""]
    assert len(httpserver.log) == thumbnails.MOST


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://creativecommons.org/licenses/by-nc-nd/3.0/", "CC BY-NC-ND"),
        ("https://www.creativecommons.org/licenses/BY/4.0/", "CC BY"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "Public domain"),
        ("https://creativecommons.org/licenses/mine/1.0/", ""),
        ("https://creativecommons.org.example/licenses/by/4.0/", ""),
        ("javascript:alert(1)", ""),
        (None, ""),
        (["x"], ""),
    ],
)
def test_a_licence_is_called_by_its_short_name(address: object, name: str) -> None:
    assert catalogues.licence(address) == name
