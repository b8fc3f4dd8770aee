"""Files that nobody holds go from the store, at once or by the sweep, here and out of a bucket; nothing else does."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import tasks
from config import settings
from media import storage
from media.provider import Trouble
from media.storage import Store
from models import Holding, Subtitle, Track
from party import files, operating, personal, queue, rooms, shelf, work
from party.change import Person
from tasks import storing
from tests.ledger import every_row
from tests.stage import Cast

pytest_plugins = ["tests.media.s3"]

NAMES = [
    "uploads/aa/a.mp4",
    "uploads/aa/a.opus",
    "covers/a-640.webp",
    "covers/a-320.webp",
    "covers/a-96.webp",
]
DAY = 86_400


@pytest.fixture
def kept(cast: Cast, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the worker uses, a folder or a bucket; what is handed over is done at once."""
    monkeypatch.setattr(storing, "open_store", lambda _: store)
    for name in ("sweep_files", "delete_files"):
        monkeypatch.setitem(work.carriers, name, tasks.CARRIERS[name].call_local)
    return store


@pytest.fixture
def age(kept: Store, time) -> Callable[[float], None]:
    """Let everything that is in the store be so many seconds old by the rules' clock."""

    def move(seconds: float) -> None:
        time.seconds = max(each.at_ms for each in kept.names()) / 1000 + seconds

    return move


def put(store: Store, tmp_path: Path, *names: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    for name in names:
        store.put(source, name)


def bring(store: Store, tmp_path: Path, person: Person, code: str | None, key: str = "a") -> int:
    """A film that somebody uploaded, with its files; its track."""
    track = Track.create(
        slug=f"upload-{key}", title="Film", artist="", search="film", added_at=1, duration_ms=100_000,
        media_file=f"uploads/aa/{key}.mp4", opus_file=f"uploads/aa/{key}.opus", cover_file=f"covers/{key}-640.webp",
        provider="upload", mime="video/mp4", size_bytes=5, sha256=key * 64,
    )  # fmt: skip
    room = rooms.find(code) if code else None
    shelf.bring(track, room.id if room else None, person.user_id, 1)
    put(store, tmp_path, *(name.replace("/a", f"/{key}") if key != "a" else name for name in NAMES))
    return int(track.id)


def here(store: Store) -> list[str]:
    return sorted(each.name for each in store.names())


# --- at once ---------------------------------------------------------------------------------------------------------


def test_with_a_room_its_files_go(cast: Cast, kept: Store, tmp_path: Path) -> None:
    bring(kept, tmp_path, cast.cleo, cast.code)
    put(kept, tmp_path, "uploads/other.mp3")
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert here(kept) == ["uploads/other.mp3"] and not Track.select().where(~Track.is_listed).exists()


def test_with_an_account_its_files_go(cast: Cast, kept: Store, tmp_path: Path) -> None:
    track = bring(kept, tmp_path, cast.cleo, cast.code)
    queue.add_item(cast.cleo, cast.code, track)
    personal.delete(cast.cleo, "")
    assert here(kept) == [] and Track.get_by_id(track).failure == files.GONE


def test_what_one_took_out_of_ones_library_goes(cast: Cast, kept: Store, tmp_path: Path) -> None:
    track = bring(kept, tmp_path, cast.cleo, None)
    files.forget(cast.cleo, track)
    assert here(kept) == []


def test_what_somebody_else_holds_stays(cast: Cast, kept: Store, tmp_path: Path) -> None:
    track = bring(kept, tmp_path, cast.cleo, cast.code)
    shelf.bring(Track.get_by_id(track), None, cast.dan.user_id, 1)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    personal.delete(cast.cleo, "")
    assert here(kept) == sorted(NAMES)


def test_what_an_admin_deletes_goes(cast: Cast, kept: Store, tmp_path: Path) -> None:
    operating.delete_file(None, bring(kept, tmp_path, cast.cleo, cast.code))
    assert here(kept) == []


def test_a_refused_deletion_deletes_no_file(cast: Cast, kept: Store, tmp_path: Path) -> None:
    bring(kept, tmp_path, cast.cleo, cast.code)
    before = every_row()
    with pytest.raises(Exception, match="letter for letter"):
        rooms.delete_room(cast.ada, cast.code, "Saturday")
    assert here(kept) == sorted(NAMES) and every_row() == before


def test_files_go_only_once_it_is_committed_that_nobody_has_them(
    cast: Cast, database: Path, kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = bring(kept, tmp_path, cast.cleo, cast.code)
    queue.add_item(cast.cleo, cast.code, track)
    seen = []

    def spy(name: str) -> None:
        with sqlite3.connect(database) as other:
            seen.append(
                other.execute("SELECT media_file, state FROM track WHERE id = ?", (track,)).fetchone()
            )

    monkeypatch.setattr(kept, "delete", spy)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    # With the room its items went, so the row goes too.
    assert seen == [None] * len(NAMES)


# --- what was lost ---------------------------------------------------------------------------------------------------


def test_a_hint_that_was_lost_is_made_up_for(
    cast: Cast, kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(kept, tmp_path, cast.cleo, cast.code)
    with monkeypatch.context() as away:
        away.delitem(work.carriers, "sweep_files")
        rooms.delete_room(cast.ada, cast.code, "Friday")
    assert here(kept) == sorted(NAMES)
    storing.sweep_files_again.call_local()
    assert here(kept) == []
    storing.sweep_files_again.call_local()


def test_a_crash_between_commit_and_deletion_heals(
    cast: Cast, kept: Store, tmp_path: Path, age: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(kept, tmp_path, cast.cleo, cast.code)
    with monkeypatch.context() as crashing:
        crashing.setattr(storing, "_delete", lambda names: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            rooms.delete_room(cast.ada, cast.code, "Friday")
    # The rows are gone for good, the files are still there.
    assert not Track.select().where(~Track.is_listed).exists() and here(kept) == sorted(NAMES)
    age(DAY - 60)
    assert storing.sweep_strays.call_local() == 0 and here(kept) == sorted(NAMES)
    age(DAY + 60)
    assert storing.sweep_strays.call_local() == len(NAMES) and here(kept) == []
    storing.sweep_strays_every_hour.call_local()


def test_a_store_that_is_away_loses_nothing_and_is_tried_again(
    cast: Cast, kept: Store, tmp_path: Path, age: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def away(*_: object) -> None:
        raise Trouble("The store for media does not answer just now.", again=True)

    bring(kept, tmp_path, cast.cleo, cast.code)
    age(DAY + 60)
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(kept, "delete", away)
        rooms.delete_room(cast.ada, cast.code, "Friday")
        broken.setattr(kept, "names", away)
        assert storing.sweep_strays.call_local() == 0
    assert "uploads/aa/a.mp4 was not deleted" in caplog.text and "was not swept" in caplog.text
    assert here(kept) == sorted(NAMES)
    assert storing.sweep_strays.call_local() == len(NAMES) and here(kept) == []


def test_the_sweep_takes_only_what_no_row_names_and_never_the_demo_library(
    cast: Cast, kept: Store, tmp_path: Path, age: Callable[[float], None]
) -> None:
    track = bring(kept, tmp_path, cast.cleo, cast.code)
    Subtitle.create(track=track, label="English", file="subtitles/a.vtt", added_at=1)
    Track.create(
        slug="link",
        title="Link",
        artist="",
        search="l",
        added_at=1,
        media_file="",
        cover_file="covers/l-640.webp",
    )
    named = ["subtitles/a.vtt", "covers/l-640.webp", "covers/l-320.webp", "covers/l-96.webp"]
    spared = ["audio/demo-x.mp3", "audio/x.mp3", "covers/demo-x.webp", "uploads/tok.part", "elsewhere/x.mp3"]
    strays = ["uploads/x.mp3", "uploads/bb/y.opus", "covers/x-96.webp", "subtitles/x.vtt"]
    put(kept, tmp_path, *named, *spared, *strays)
    age(DAY + 60)
    assert storing.sweep_strays.call_local() == len(strays)
    assert here(kept) == sorted([*NAMES, *named, *spared])
    assert Holding.select().count() == 1


def test_what_is_put_in_while_the_sweep_looks_is_spared(
    cast: Cast, kept: Store, tmp_path: Path, age: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(kept, tmp_path, "uploads/x.mp3")
    age(DAY + 60)
    ask = files.unnamed

    def late(names: list[str]) -> list[str]:
        # Its row is committed after the files were listed, before rows are asked.
        Track.create(
            slug="late",
            title="L",
            artist="",
            search="l",
            added_at=1,
            media_file="uploads/x.mp3",
            cover_file="",
        )
        put(kept, tmp_path, "uploads/y.mp3")
        return ask(names)

    monkeypatch.setattr(files, "unnamed", late)
    assert storing.sweep_strays.call_local() == 0
    assert here(kept) == ["uploads/x.mp3", "uploads/y.mp3"]


def test_a_name_that_is_none_is_passed_over(
    cast: Cast, kept: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(kept, tmp_path, "uploads/x.mp3", "uploads/y.mp3")
    storing.delete_files.call_local(["uploads/x.mp3", "../partyline.db", "uploads/y.mp3"])
    assert here(kept) == [] and "../partyline.db was not deleted" in caplog.text


def test_the_worker_uses_the_store_of_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "settings", replace(settings, data_dir=tmp_path))
    media = tmp_path / "media/uploads"
    media.mkdir(parents=True)
    (media / "x.mp3").write_bytes(b"x")
    os.utime(media / "x.mp3")
    storing.delete_files.call_local(["uploads/x.mp3"])
    assert not (media / "x.mp3").exists() and storage.open_store(settings) is not None
