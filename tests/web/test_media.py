"""Media by its own addresses: ranges, strict headers, no session, and nothing to whoever has no address."""

from __future__ import annotations

import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config import settings
from media import storage
from media.storage import LocalStore, open_store
from models import Item, Subtitle, Track, database
from party import tracks
from tests.doors import Browser, make_app
from tests.ledger import every_row
from tests.stage import Cast

pytest_plugins = ["tests.media.s3"]

SOUND = bytes(range(256)) * 1000
PICTURE = b"RIFF....WEBPVP8 "
POLICY = "default-src 'none'; sandbox"
FILES = {
    "audio/0.mp3": SOUND,
    "covers/0.webp": PICTURE,
    "uploads/film.mp4": SOUND[:3000],
    "uploads/film.opus": SOUND[:500],
    "covers/film-640.webp": PICTURE + b"640",
    "covers/film-320.webp": PICTURE + b"320",
    "covers/film-96.webp": PICTURE + b"96",
    "subtitles/film.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n",
}


@pytest.fixture
def files(cast: Cast, tmp_path: Path) -> Iterator[Path]:
    """The media folder with its files, emptied afterwards."""
    store, source = LocalStore(settings.data_dir / "media"), tmp_path / "source"
    for name, data in FILES.items():
        source.write_bytes(data)
        store.put(source, name)
        source.unlink()
    yield store.folder
    for name in FILES:
        store.delete(name)


def address(track_id: int, kind: str = "file") -> str:
    track = Track.get_by_id(track_id)
    facts = (track.id, track.media_file, track.cover_file, track.added_at)
    mark = tracks.mark(*facts, *(["cover"] if kind.startswith("cover") else []))
    return f"/media/{track_id}/{mark}/{kind}"


@pytest.fixture
def sound(cast: Cast, files: Path) -> str:
    """The address of a track of the library."""
    return address(cast.tracks[0])


@pytest.fixture
def film(cast: Cast, files: Path) -> int:
    """Somebody's film, with all its files."""
    Track.update(
        media_file="uploads/film.mp4",
        opus_file="uploads/film.opus",
        cover_file="covers/film-640.webp",
        mime="video/mp4",
        is_listed=False,
    ).where(Track.id == cast.tracks[1]).execute()
    return cast.tracks[1]


def queries(browser: Browser, path: str, **headers: str) -> tuple[TestResponse, list[str]]:
    """The answer, and the SQL that was run for it."""
    seen: list[str] = []
    run = database.obj.execute_sql

    def spy(sql: str, *rest: object, **more: object) -> object:
        seen.append(sql)
        return run(sql, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database.obj, "execute_sql", spy)
        answer = browser.get(path, headers=headers)
    return answer, seen


def parts(answer: TestResponse) -> list[tuple[str, str, bytes]]:
    """The parts of a multipart answer: type, range, bytes; read by the standard library."""
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    found = message_from_bytes(head + answer.data)
    assert found.get_content_type() == "multipart/byteranges" and found.is_multipart()
    return [
        (part["Content-Type"], part["Content-Range"], part.get_payload(decode=True))
        for part in found.get_payload()  # type: ignore[union-attr]
    ]


# --- what is sent ----------------------------------------------------------------------------------------------------


def test_sound_and_cover_come_with_their_types_and_may_be_kept(
    cast: Cast, files: Path, nobody: Browser
) -> None:
    cast.add(1)
    track = cast.seen().now.track
    for path, kind, data in (
        (track.media_url, "audio/mpeg", SOUND),
        (track.cover_url, "image/webp", PICTURE),
        (track.cover_small_url, "image/webp", PICTURE),
    ):
        answer = nobody.get(path)
        assert (answer.status_code, answer.headers["Content-Type"], answer.data) == (200, kind, data)
        assert answer.content_length == len(data)
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert re.fullmatch(r'"[0-9a-f]+-[0-9a-f]+"', answer.headers["ETag"])
        assert answer.headers["Content-Disposition"] == "inline"


def test_each_kind_of_file_has_its_address(film: int, nobody: Browser) -> None:
    for kind, name, mime in (
        ("file", "uploads/film.mp4", "video/mp4"),
        ("opus", "uploads/film.opus", "audio/ogg"),
        ("cover", "covers/film-640.webp", "image/webp"),
        ("cover/640", "covers/film-640.webp", "image/webp"),
        ("cover/320", "covers/film-320.webp", "image/webp"),
        ("cover/96", "covers/film-96.webp", "image/webp"),
    ):
        answer = nobody.get(address(film, kind))
        assert (answer.status_code, answer.mimetype, answer.data) == (200, mime, FILES[name]), kind
    for size in ("0", "95", "1000", "-96", "x", "96/96"):
        assert nobody.get(address(film, f"cover/{size}")).status_code == 404


def test_a_track_that_has_no_cover_yet_shows_a_drawn_one(cast: Cast, film: int, nobody: Browser) -> None:
    Track.update(cover_file="", media_file="", opus_file="", state="looking_up").where(
        Track.id == film
    ).execute()
    for kind in ("cover", "cover/96"):
        answer = nobody.get(address(film, kind))
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert answer.data.startswith(b"<svg") and answer.headers["Content-Security-Policy"] == POLICY
    assert nobody.get(address(film)).status_code == nobody.get(address(film, "opus")).status_code == 404


@pytest.mark.parametrize(
    "mime", ["text/html", "image/svg+xml", "application/javascript", "", "audio/x-strange"]
)
def test_t7_what_is_no_kind_of_media_is_a_download_of_unknown_bytes(
    film: int, nobody: Browser, mime: str
) -> None:
    Track.update(mime=mime).where(Track.id == film).execute()
    answer = nobody.get(address(film))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"


def test_t7_no_browser_takes_it_for_a_page_of_ours(cast: Cast, sound: str, nobody: Browser) -> None:
    asked = (
        (sound, {}),
        (sound, {"Range": "bytes=0-9"}),
        (sound, {"Range": "bytes=0-9,20-29"}),
        (sound, {"Range": "bytes=9999999-"}),
        (sound, {"If-None-Match": "*"}),
        (sound, {"If-Match": '"x"'}),
        (address(cast.tracks[0], "cover"), {}),
        (address(cast.tracks[0], "opus"), {}),
        ("/media/1/wrong/file", {}),
    )
    statuses = []
    for path, headers in asked:
        for method in ("GET", "HEAD"):
            answer = nobody.ask(method, path, headers)
            statuses.append(answer.status_code)
            assert answer.headers["Content-Security-Policy"] == POLICY
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
            assert not answer.headers.getlist("Set-Cookie")
    assert set(statuses) == {200, 206, 416, 304, 412, 404}


@pytest.fixture
def spoken(film: int) -> str:
    """The address of the film's subtitles."""
    made = Subtitle.create(track=film, label="English", file="subtitles/film.vtt", added_at=1)
    return f"/media/subtitles/{made.id}/{tracks.mark(made.id, made.file, made.added_at)}"


def test_words_come_to_whoever_has_their_address(spoken: str, nobody: Browser) -> None:
    answer = nobody.get(spoken)
    assert (answer.status_code, answer.mimetype) == (200, "text/vtt")
    assert answer.data == FILES["subtitles/film.vtt"] and answer.headers["Content-Security-Policy"] == POLICY
    assert nobody.get(spoken, headers={"Range": "bytes=0-5"}).data == b"WEBVTT"
    for wrong in (spoken[:-1], spoken.replace("/1/", "/2/"), "/media/subtitles/x/y"):
        assert nobody.get(wrong).status_code == 404
    Subtitle.update(file="../secret.vtt").execute()
    assert nobody.get(spoken).status_code == 404


# --- who is asked for -------------------------------------------------------------------------------------------------


def test_whoever_asks_is_not_looked_at(cast: Cast, sound: str, ada: Browser, nobody: Browser) -> None:
    before = every_row()
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
        for path in (sound, address(cast.tracks[0], "cover"), "/media/1/wrong/file"):
            answer, asked = queries(ada, path, **headers)
            assert len(asked) == 1 and '"track"' in asked[0] and '"session"' not in asked[0]
            stranger = nobody.get(path, headers=headers)
            assert (answer.status_code, answer.data) == (stranger.status_code, stranger.data)
    assert every_row() == before


def test_without_the_mark_a_track_is_as_if_it_were_not_there(film: int, nobody: Browser) -> None:
    good = address(film)
    mark = good.split("/")[3]
    other = nobody.get(f"/media/{2**31 - 1}/{mark}/file")
    assert other.status_code == 404 and nobody.get(good).status_code == 200
    for wrong in (mark[:-1], mark + "A", mark.swapcase(), "A" * 20, "%00", "é" * 20, "..", mark[::-1]):
        for kind in ("file", "opus", "cover", "cover/96"):
            answer = nobody.get(f"/media/{film}/{wrong}/{kind}")
            assert answer.status_code == 404
            assert answer.headers["Cache-Control"] == "no-store"
            assert not {"ETag", "Last-Modified", "Content-Range"} & set(answer.headers.keys())
            if wrong not in ("%00", ".."):
                assert answer.data == other.data


def test_another_tracks_mark_opens_nothing(cast: Cast, film: int, nobody: Browser) -> None:
    mark = address(cast.tracks[0]).split("/")[3]
    assert nobody.get(f"/media/{film}/{mark}/file").status_code == 404


def test_an_address_ends_with_what_it_led_to(film: int, nobody: Browser) -> None:
    before = address(film)
    Track.update(media_file="uploads/other.mp4").where(Track.id == film).execute()
    assert nobody.get(before).status_code == 404


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**31), str(2**63), "9" * 50, "%00", "1.0"])
def test_a_number_that_is_none_is_not_found(cast: Cast, files: Path, nobody: Browser, number: str) -> None:
    assert nobody.get(f"/media/{number}/{'A' * 20}/file").status_code == 404


def test_a_file_that_went_missing_is_not_found_and_not_kept(cast: Cast, files: Path, nobody: Browser) -> None:
    answer = nobody.get(address(cast.tracks[2]))
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_name_in_the_database_never_leads_out_of_the_media_folder(
    cast: Cast, files: Path, nobody: Browser
) -> None:
    (files.parent / "secret.txt").write_text("secret")
    os.symlink(files, files / "folder")
    for name in (
        "../secret.txt",
        "/etc/hostname",
        "audio/../../secret.txt",
        "audio",
        "folder",
        "audio\x00.mp3",
    ):
        Track.update(media_file=name).where(Track.id == cast.tracks[2]).execute()
        assert nobody.get(address(cast.tracks[2])).status_code == 404, name
    os.unlink(files / "folder")


# --- RFC 9110 --------------------------------------------------------------------------------------------------------


def test_head_tells_the_length_and_sends_nothing(sound: str, nobody: Browser) -> None:
    # Ranges are defined for GET alone (14.2).
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=9999999-"}):
        answer = nobody.ask("HEAD", sound, headers)
        assert (answer.status_code, answer.content_length, answer.data) == (200, len(SOUND), b"")
        assert answer.headers["Accept-Ranges"] == "bytes" and "Content-Range" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, len(SOUND) - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=5000-", 5000, len(SOUND) - 1),
        ("bytes=-100", len(SOUND) - 100, len(SOUND) - 1),
        ("bytes=10000-99999999", 10_000, len(SOUND) - 1),
        ("bytes=0-99,50-149", 0, 149),
    ],
)
def test_a_range_is_sent_alone(sound: str, nobody: Browser, wanted: str, first: int, last: int) -> None:
    answer = nobody.get(sound, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(SOUND)}"
    assert answer.data == SOUND[first : last + 1] and answer.content_length == last + 1 - first
    assert answer.mimetype == "audio/mpeg"
    whole = nobody.get(sound)
    # 15.3.7: what a 200 would have said of it.
    for name in ("ETag", "Last-Modified", "Cache-Control"):
        assert answer.headers[name] == whole.headers[name]


def test_several_ranges_are_sent_as_parts_in_the_order_asked(sound: str, nobody: Browser) -> None:
    answer = nobody.get(sound, headers={"Range": "bytes=70000-140000, 0-9,-5"})
    assert answer.status_code == 206 and "Content-Range" not in answer.headers
    assert answer.content_length == len(answer.data)
    size = len(SOUND)
    assert parts(answer) == [
        ("audio/mpeg", f"bytes 70000-140000/{size}", SOUND[70000:140001]),
        ("audio/mpeg", f"bytes 0-9/{size}", SOUND[:10]),
        ("audio/mpeg", f"bytes {size - 5}-{size - 1}/{size}", SOUND[-5:]),
    ]


def test_too_many_ranges_get_the_whole(sound: str, nobody: Browser) -> None:
    for wanted in ("bytes=0-,0-,0-", "bytes=" + ",".join(f"{place * 2}-{place * 2}" for place in range(9))):
        answer = nobody.get(sound, headers={"Range": wanted})
        assert (answer.status_code, answer.data) == (200, SOUND)


def test_a_range_beyond_the_end_is_refused_with_the_length(sound: str, nobody: Browser) -> None:
    for wanted in (f"bytes={len(SOUND)}-", "bytes=99999999-", "bytes=-0"):
        answer = nobody.get(sound, headers={"Range": wanted})
        assert answer.status_code == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(SOUND)}"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "wanted", ["", "bytes", "bytes=", "bytes=x-y", "bytes=5-1", "lines=0-1", "bytes=-", "bytes=\xe9-", "0-5"]
)
def test_a_range_that_is_none_is_passed_over(sound: str, nobody: Browser, wanted: str) -> None:
    answer = nobody.get(sound, headers={"Range": wanted})
    assert (answer.status_code, answer.data) == (200, SOUND)


def test_what_a_browser_has_is_not_sent_again(sound: str, nobody: Browser) -> None:
    first = nobody.get(sound)
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f"W/{etag}"},
        {"If-None-Match": f'"x", {etag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": date},
        {"If-None-Match": etag, "Range": "bytes=0-9"},
    ):
        for method in ("GET", "HEAD"):
            answer = nobody.ask(method, sound, headers)
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == etag and "immutable" in answer.headers["Cache-Control"]
    assert (
        nobody.get(sound, headers={"If-None-Match": '"other"', "If-Modified-Since": date}).status_code == 200
    )
    assert nobody.get(sound, headers={"If-Match": '"other"'}).status_code == 412
    assert nobody.get(sound, headers={"If-Match": etag}).status_code == 200


def test_a_range_of_something_that_changed_is_sent_whole(sound: str, files: Path, nobody: Browser) -> None:
    os.utime(files / "audio/0.mp3", (1_700_000_000, 1_700_000_000))
    first = nobody.get(sound)
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    assert date == "Tue, 14 Nov 2023 22:13:20 GMT"
    for known in (etag, date):
        same = nobody.get(sound, headers={"Range": "bytes=0-9", "If-Range": known})
        assert (same.status_code, same.data) == (206, SOUND[:10])
    for other in (
        '"other"',
        f"W/{etag}",
        "Tue, 14 Nov 2023 22:13:21 GMT",
        "Tue, 14 Nov 2023 22:13:19 GMT",
        "x",
    ):
        answer = nobody.get(sound, headers={"Range": "bytes=0-9", "If-Range": other})
        assert (answer.status_code, answer.data) == (200, SOUND), other


# --- while bytes are sent --------------------------------------------------------------------------------------------


def test_the_database_is_given_back_before_the_first_byte_is_sent(app: Flask, sound: str) -> None:
    environ = app.test_client()._request_from_builder_args((sound,), {}).environ
    database.obj.close()
    sent: list[str] = []
    pieces = app.wsgi_app(environ, lambda status, headers: sent.append(status))
    try:
        assert sent == ["200 OK"] and database.obj.is_closed()
        assert b"".join(pieces) == SOUND
        assert database.obj.is_closed()
    finally:
        pieces.close()
        database.obj.connect(reuse_if_open=True)


def opened() -> set[str]:
    """The files of media that this process holds open."""
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(os.readlink(handle))
    here = f"{settings.data_dir / 'media'}/"
    return {path for path in found if path.startswith(here) and not path.endswith("(deleted)")}


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not list open files")
def test_no_file_stays_open_whatever_becomes_of_the_request(app: Flask, sound: str, nobody: Browser) -> None:
    for method in ("GET", "HEAD"):
        for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=9999999-"}, {"If-Match": '"x"'}):
            nobody.ask(method, sound, headers).close()
    assert opened() == set()
    # Somebody who goes away in the middle.
    answer = nobody.client.get(sound, buffered=False)
    assert next(iter(answer.response)) and opened()
    answer.close()
    assert opened() == set()


def test_pieces_are_read_where_the_hub_is_not_held_up(
    sound: str, nobody: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []
    monkeypatch.setattr(storage, "run", lambda act: ran.append(1) or act())
    assert nobody.get(sound, headers={"Range": "bytes=0-199999"}).data == SOUND[:200_000]
    assert len(ran) == 1 + 2


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_answer_off(
    sound: str, files: Path, nobody: Browser
) -> None:
    answer = nobody.client.get(sound, buffered=False)
    os.truncate(files / "audio/0.mp3", 100_000)
    with pytest.raises(OSError, match="shorter"):
        b"".join(answer.response)
    answer.close()


# --- a bucket --------------------------------------------------------------------------------------------------------


@pytest.fixture
def far(cast: Cast, film: int, media_url: str, tmp_path: Path, files: Path) -> Browser:
    """A stranger's browser on a house whose uploads lie in a bucket, while the demo library lies here."""
    store, source = open_store(replace(settings, media_url=media_url)), tmp_path / "source"
    for name in FILES:
        if "film" in name:
            source.write_bytes(FILES[name])
            store.put(source, name)
    assert store.path("uploads/film.mp4") is None
    return Browser(make_app(media_url=media_url))


def followed(answer: TestResponse, **headers: str) -> tuple[int, bytes, str]:
    """What a browser gets at the address it is sent to."""
    assert answer.status_code == 302 and answer.headers["Location"].startswith("http://127.0.0.1:")
    request = urllib.request.Request(answer.headers["Location"], headers=headers)
    with urllib.request.urlopen(request) as found:
        return found.status, found.read(), found.headers["Content-Type"]


def test_from_a_bucket_each_file_is_had_by_a_signed_address(film: int, far: Browser) -> None:
    for kind, name, mime in (
        ("file", "uploads/film.mp4", "video/mp4"),
        ("opus", "uploads/film.opus", "audio/ogg"),
        ("cover", "covers/film-640.webp", "image/webp"),
        ("cover/96", "covers/film-96.webp", "image/webp"),
    ):
        assert followed(far.get(address(film, kind))) == (200, FILES[name], mime)
    assert followed(far.get(address(film)), Range="bytes=10-19")[:2] == (206, SOUND[10:20])


def test_a_redirect_to_a_bucket_is_kept_for_less_than_it_is_good_for(film: int, far: Browser) -> None:
    answer = far.get(address(film))
    assert answer.headers["Cache-Control"] == "private, max-age=300" and answer.data == b""
    assert "X-Amz-Expires=21600" in answer.headers["Location"]
    assert answer.headers["Content-Security-Policy"] == POLICY and not answer.headers.getlist("Set-Cookie")
    assert far.get(address(film)).headers["Location"] == answer.headers["Location"]
    head = far.ask("HEAD", address(film))
    with urllib.request.urlopen(urllib.request.Request(head.headers["Location"], method="HEAD")) as found:
        assert found.headers["Content-Length"] == "3000"


def test_from_a_bucket_too_what_is_no_kind_of_media_is_a_download(film: int, far: Browser) -> None:
    Track.update(mime="text/html").where(Track.id == film).execute()
    answer = far.get(address(film))
    assert followed(answer)[2] == "application/octet-stream"
    with urllib.request.urlopen(answer.headers["Location"]) as found:
        assert found.headers["Content-Disposition"] == 'attachment; filename="film.mp4"'


def test_beside_a_bucket_the_demo_library_is_sent_from_here(cast: Cast, far: Browser) -> None:
    answer = far.get(address(cast.tracks[0]), headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.data) == (206, SOUND[:10])


def test_out_of_a_bucket_words_come_by_way_of_us(spoken: str, far: Browser, media_url: str) -> None:
    answer = far.get(spoken)
    assert (answer.status_code, answer.mimetype, answer.data) == (
        200,
        "text/vtt",
        FILES["subtitles/film.vtt"],
    )
    assert (
        "immutable" in answer.headers["Cache-Control"] and answer.headers["Content-Security-Policy"] == POLICY
    )
    open_store(replace(settings, media_url=media_url)).delete("subtitles/film.vtt")
    assert far.get(spoken).status_code == 404


def test_without_the_mark_no_address_is_signed(film: int, far: Browser) -> None:
    answer = far.get(f"/media/{film}/{'A' * 20}/file")
    assert answer.status_code == 404 and "Location" not in answer.headers
    assert not Item.select().exists()
