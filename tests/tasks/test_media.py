"""The worker looks links up: what a provider says becomes a row with a cover, and what it refuses becomes a reason."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer

import tasks
from config import Settings, settings
from media import registry, storage, vimeo
from media.provider import Facts, Trouble
from models import Track, User, database
from party import adding, lookups, playing_on, playlists, work
from party.playlists import Line
from tasks import media
from tests.stage import Cast

LINK = "https://vimeo.com/76979871"
ANSWER = {
    "title": "The New Vimeo Player",
    "author_name": "Vimeo",
    "duration": 62,
    "thumbnail_url": "https://i.vimeocdn.com/video/1",
    "html": "<script>alert(1)</script>",
}


@pytest.fixture
def wanted(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Settings by which Vimeo, and its pictures, are on this machine."""
    monkeypatch.setattr(work, "carriers", {})
    monkeypatch.setattr(vimeo, "OEMBED", httpserver.url_for("/api/oembed.json"))
    monkeypatch.setattr(vimeo, "_cover", lambda address: httpserver.url_for("/cover") if address else "")
    host = f"{httpserver.host}:{httpserver.port}"
    return replace(settings, private_hosts=(host,), data_dir=tmp_path, media_url="")


def pasted(cast: Cast) -> int:
    found = registry.recognise(LINK, settings)
    adding.add_link(
        cast.cleo, cast.code, provider=found.provider, key=found.key, reference=found.reference,
        player=found.player, title=found.title, is_video=found.is_video, content=found.content,
    )  # fmt: skip
    return int(Track.get(Track.provider == "vimeo").id)


def picture(color: str = "#2667ff") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (800, 450), color).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_link_becomes_a_track_with_its_cover(cast: Cast, httpserver: HTTPServer, wanted: Settings) -> None:
    track_id = pasted(cast)
    httpserver.expect_request("/api/oembed.json").respond_with_json(ANSWER)
    httpserver.expect_request("/cover").respond_with_data(picture(), content_type="image/jpeg")
    media.look_up_here(track_id, wanted)
    track = Track.get_by_id(track_id)
    assert (track.state, track.title, track.artist, track.duration_ms) == (
        "ready",
        "The New Vimeo Player",
        "Vimeo",
        62_000,
    )
    assert track.hue not in ("none", "") and "script" not in repr(track.__data__)
    kept = storage.open_store(wanted).path(track.cover_file)
    assert kept is not None
    with Image.open(kept) as cover:
        assert cover.format == "WEBP" and cover.width == cover.height
    assert cast.seen().now.track.id == track_id


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"status": 200, "content_type": "text/html", "response_data": "<html>"},
        {"status": 200, "content_type": "image/jpeg", "response_data": b"no picture"},
        {"status": 200, "content_type": "image/jpeg", "response_data": b"x" * (media.COVER_BYTES + 1)},
    ],
)
def test_without_a_good_picture_a_cover_is_drawn(
    cast: Cast, httpserver: HTTPServer, wanted: Settings, answer: dict[str, object]
) -> None:
    track_id = pasted(cast)
    httpserver.expect_request("/api/oembed.json").respond_with_json(ANSWER)
    httpserver.expect_request("/cover").respond_with_data(**answer)
    media.look_up_here(track_id, wanted)
    track = Track.get_by_id(track_id)
    assert track.state == "ready" and storage.open_store(wanted).exists(track.cover_file)


def test_a_refusal_becomes_a_reason(cast: Cast, httpserver: HTTPServer, wanted: Settings) -> None:
    track_id = pasted(cast)
    httpserver.expect_request("/api/oembed.json").respond_with_data("", status=403)
    media.look_up_here(track_id, wanted)
    track = Track.get_by_id(track_id)
    assert (track.state, track.failure) == ("failed", vimeo.PRIVATE)
    assert cast.seen().items[0].track.failure == vimeo.PRIVATE


def test_busy_is_tried_again_when_it_was_asked_to_be(
    cast: Cast, time, httpserver: HTTPServer, wanted: Settings
) -> None:
    from werkzeug import Response

    track_id = pasted(cast)
    httpserver.expect_ordered_request("/api/oembed.json").respond_with_response(
        Response("", 429, headers={"Retry-After": "90"})
    )
    httpserver.expect_ordered_request("/api/oembed.json").respond_with_json({**ANSWER, "thumbnail_url": ""})
    media.look_up_here(track_id, wanted)
    assert (Track.get_by_id(track_id).state, Track.get_by_id(track_id).tries) == ("looking_up", 1)
    time.move(89)
    media.look_up_here(track_id, wanted)
    assert len(httpserver.log) == 1, "too early"
    time.move(1)
    assert lookups.due() == [track_id]
    media.look_up_here(track_id, wanted)
    assert Track.get_by_id(track_id).state == "ready" and len(httpserver.log) == 2


def test_late_and_twice_nobody_is_asked(cast: Cast, httpserver: HTTPServer, wanted: Settings) -> None:
    track_id = pasted(cast)
    lookups.give_up(track_id, "Gone.")
    media.look_up_here(track_id, wanted)
    media.look_up_here(99_999, wanted)
    assert httpserver.log == [] and Track.get_by_id(track_id).failure == "Gone."


def test_no_connection_is_held_while_others_are_asked(
    cast: Cast, wanted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_id, seen = pasted(cast), []

    def ask(reference: object, wanted: Settings) -> Facts:
        seen.append(
            (database.obj.is_closed(), not database.obj.is_closed() and database.obj.in_transaction())
        )
        return Facts(title="Asked")

    monkeypatch.setattr(registry, "fetch", ask)
    database.obj.close()
    media.look_up_here(track_id, wanted)
    database.obj.connect(reuse_if_open=True)
    assert seen == [(True, False)] and Track.get_by_id(track_id).title == "Asked"


def test_a_provider_that_was_switched_off_meanwhile_is_a_reason(cast: Cast, wanted: Settings) -> None:
    track_id = pasted(cast)
    media.look_up_here(track_id, replace(wanted, providers_off=("vimeo",)))
    assert "switched off" in Track.get_by_id(track_id).failure


def test_what_a_provider_broke_is_left_to_the_sweep_and_given_up(
    cast: Cast, time, wanted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(reference: object, wanted: Settings) -> Facts:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(registry, "fetch", broken)
    track_id = pasted(cast)
    for wait in lookups.WAIT_MS[1:]:
        with pytest.raises(RuntimeError):
            media.look_up_here(track_id, wanted)
        time.move(wait / 1000)
    media.look_up_here(track_id, wanted)
    assert (Track.get_by_id(track_id).state, Track.get_by_id(track_id).failure) == ("failed", lookups.UNKNOWN)


def test_no_room_on_the_disk_is_a_reason(
    cast: Cast, httpserver: HTTPServer, wanted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*values: object) -> object:
        raise Trouble(storage.NO_SPACE)

    track_id = pasted(cast)
    httpserver.expect_request("/api/oembed.json").respond_with_json({**ANSWER, "thumbnail_url": ""})
    monkeypatch.setattr(media.artwork, "keep_cover", full)
    media.look_up_here(track_id, wanted)
    assert Track.get_by_id(track_id).failure == storage.NO_SPACE


def test_the_worker_takes_what_is_handed_over() -> None:
    assert tasks.CARRIERS["look_up"] is media.look_up


def test_links_that_are_to_play_on_become_tracks_a_few_at_a_time(cast: Cast, wanted: Settings) -> None:
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    links = ["gopher://example.org/", *(f"https://vimeo.com/{number}" for number in range(100, 108))]
    made = playlists.keep_lines(cast.ada, "Films", [Line("A film", link=link) for link in links])
    media.bring_links_here(cast.code, wanted)
    assert Track.select().where(Track.provider == "vimeo").count() == 0, "nothing plays on yet"
    playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links={links[1]: {"player": "vimeo"}})
    for _ in range(2):
        media.bring_links_here(cast.code, wanted)
        found = [
            track.reference for track in Track.select().where(Track.provider == "vimeo").order_by(Track.id)
        ]
        assert found == [str(number) for number in range(100, 105)]
    media.bring_links_here("NOSUCH99", wanted)
    assert tasks.CARRIERS["bring_links"] is media.bring_links
