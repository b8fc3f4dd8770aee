"""The library's page, its pieces, and its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings
from models import Track
from tests import stage
from tests.doors import Browser, tree, words
from tests.screen import Node, parse
from tests.stage import Cast

SOUND = bytes(range(256)) * 40
PICTURE = b"RIFF....WEBPVP8 " + bytes(100)


@pytest.fixture
def files(cast: Cast) -> Path:
    media = settings.data_dir / "media"
    for name, data in (("audio/0.mp3", SOUND), ("covers/0.webp", PICTURE)):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        (media / name).write_bytes(data)
    return media


def offered(top: Node) -> list[Node]:
    """The buttons that put a track on the line."""
    buttons = [node for node in top.all() if node.attrs.get("name") == "track_id"]
    return [button for button in buttons if not {"hidden", "disabled"} & set(button.attrs)]


def test_the_library_is_a_page_of_its_own(cast: Cast, nobody: Browser) -> None:
    page = nobody.get("/library")
    assert page.status_code == 200
    assert "12 tracks in the library" in words(page)
    assert offered(tree(page)) == []


def test_from_a_room_its_rows_can_be_added_without_scripts(cast: Cast, cleo: Browser) -> None:
    cast.add(2)
    page = cleo.get("/library", room=cast.code)
    buttons = offered(tree(page))
    assert {button.attrs["value"] for button in buttons} == {
        str(t) for t in cast.tracks if t != cast.tracks[1]
    }
    assert "In line, 1st" in words(page)
    form = tree(page).find(buttons[0].attrs["form"])
    assert (form.attrs["action"], form.attrs["method"]) == (f"/rooms/{cast.code}/queue", "post")


def test_our_scripts_get_the_results_alone(cast: Cast, app) -> None:
    browser = Browser(app, cast.cleo, htmx=True)
    top = parse(browser.get("/library", search="song 11", room=cast.code).text)
    assert [child.id for child in top.children] == ["library"]
    assert [button.attrs["value"] for button in offered(top)] == [str(cast.tracks[11])]


def test_more_keeps_the_search_and_leads_to_every_track(cast: Cast, nobody: Browser) -> None:
    stage.library(45)
    titles: list[str] = []
    address = "/library?search=song&genre=&ordering=newest"
    for _ in range(3):
        top = tree(nobody.get(address))
        titles += [" ".join(n.children) for n in top.all() if n.attrs.get("class") == "result__title"]
        more = top.find("more")
        address = more.attrs["href"] if more else ""
    assert len(titles) == len(set(titles)) == 45
    assert address == ""


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"page": "0"}, 422),
        ({"page": "-1"}, 422),
        ({"page": "x"}, 422),
        ({"page": ""}, 422),
        ({"page": "٣"}, 422),
        ({"page": "9" * 30}, 422),
        ({"ordering": "chaos"}, 422),
        ({"ordering": ""}, 422),
        ({"room": "ABCDEFGH"}, 404),
        ({"room": "\x00"}, 404),
        ({"page": "999"}, 200),
        ({"search": "\x00"}, 200),
        ({"search": "%_\\'\""}, 200),
        ({"search": "x" * 5_000}, 200),
        ({"genre": "\x00"}, 200),
        ({"genre": "<script>"}, 200),
    ],
)
def test_odd_questions_get_an_answer_or_a_sentence(
    cast: Cast, app, query: dict[str, str], status: int
) -> None:
    for htmx in (True, False):
        answer = Browser(app, cast.cleo, htmx=htmx).get("/library", **query)
        assert answer.status_code == status
        assert "<script>" not in answer.text
        assert len(words(answer)) > 10


def test_sound_and_cover_come_with_their_types_and_may_be_kept(
    cast: Cast, files: Path, nobody: Browser
) -> None:
    cast.add(1)
    track = cast.seen().now.track
    for address, kind, data in (
        (track.audio_url, "audio/mpeg", SOUND),
        (track.cover_url, "image/webp", PICTURE),
    ):
        answer = nobody.get(address)
        assert (answer.status_code, answer.mimetype, answer.data) == (200, kind, data)
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["ETag"]
        assert not answer.headers.getlist("Set-Cookie")


def test_an_address_without_a_version_works_and_is_asked_about_each_time(
    cast: Cast, files: Path, nobody: Browser
) -> None:
    for address in (f"/tracks/{cast.tracks[0]}/audio", f"/tracks/{cast.tracks[0]}/cover?v="):
        answer = nobody.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
        again = nobody.get(address, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


def test_head_tells_the_length_and_sends_nothing(cast: Cast, files: Path, nobody: Browser) -> None:
    answer = nobody.ask("HEAD", f"/tracks/{cast.tracks[0]}/audio")
    assert (answer.status_code, answer.content_length, answer.data) == (200, len(SOUND), b"")
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, len(SOUND) - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=5000-", 5000, len(SOUND) - 1),
        ("bytes=-100", len(SOUND) - 100, len(SOUND) - 1),
        ("bytes=10000-99999999", 10_000, len(SOUND) - 1),
    ],
)
def test_a_range_is_sent_alone(
    cast: Cast, files: Path, nobody: Browser, wanted: str, first: int, last: int
) -> None:
    answer = nobody.get(f"/tracks/{cast.tracks[0]}/audio", headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.data == SOUND[first : last + 1]
    assert answer.mimetype == "audio/mpeg"


def test_a_range_beyond_the_end_is_refused_with_the_length(cast: Cast, files: Path, nobody: Browser) -> None:
    for wanted in (f"bytes={len(SOUND)}-", "bytes=99999999-"):
        answer = nobody.get(f"/tracks/{cast.tracks[0]}/audio", headers={"Range": wanted})
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(SOUND)}"


@pytest.mark.parametrize(
    "wanted", ["", "bytes", "bytes=", "bytes=x-y", "bytes=5-1", "lines=0-1", "bytes=-", "bytes=\xe9-", "0-5"]
)
def test_a_range_that_is_none_never_breaks(cast: Cast, files: Path, nobody: Browser, wanted: str) -> None:
    answer = nobody.get(f"/tracks/{cast.tracks[0]}/audio", headers={"Range": wanted})
    assert answer.status_code in (200, 416)


def test_what_a_browser_has_is_not_sent_again(cast: Cast, files: Path, nobody: Browser) -> None:
    path = f"/tracks/{cast.tracks[0]}/audio"
    etag = nobody.get(path).headers["ETag"]
    answer = nobody.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")
    assert nobody.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_range_of_something_that_changed_is_sent_whole(cast: Cast, files: Path, nobody: Browser) -> None:
    path = f"/tracks/{cast.tracks[0]}/audio"
    etag = nobody.get(path).headers["ETag"]
    same = nobody.get(path, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert (same.status_code, len(same.data)) == (206, 10)
    other = nobody.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status_code, len(other.data)) == (200, len(SOUND))


@pytest.mark.parametrize("number", ["999", "0", "-1", "x", str(2**31), str(2**63), "9" * 50, "%00", "1.0"])
def test_a_track_that_is_not_there_is_not_found(
    cast: Cast, files: Path, nobody: Browser, number: str
) -> None:
    for path in ("audio", "cover"):
        assert nobody.get(f"/tracks/{number}/{path}").status_code == 404


def test_a_file_that_went_missing_is_not_found_and_not_kept(cast: Cast, files: Path, nobody: Browser) -> None:
    answer = nobody.get(f"/tracks/{cast.tracks[1]}/audio")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_name_in_the_database_never_leads_out_of_the_media_folder(
    cast: Cast, files: Path, nobody: Browser
) -> None:
    (files.parent / "secret.txt").write_text("secret")
    for name in ("../secret.txt", "/etc/hostname", "audio/../../secret.txt"):
        Track.update(audio_file=name).where(Track.id == cast.tracks[2]).execute()
        assert nobody.get(f"/tracks/{cast.tracks[2]}/audio").status_code == 404
