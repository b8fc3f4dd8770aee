"""Files people bring: who may, how much, what is kept of them, and what becomes of them."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import settings
from models import Holding, Item, Playlist, PlaylistEntry, Room, Suggestion, Track, Upload
from party import change, configuring, files, health, parts, people, rooms, shelf, turns, uploads, work
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, Over, Refusal, TooMany
from party.uploads import MEGABYTE, TooLarge
from tests.conftest import MovableClock
from tests.ledger import every_row
from tests.party.test_races import at_once
from tests.stage import Cast

SHA = "ab" * 32


@pytest.fixture(autouse=True)
def small_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, files up to 2 MB, 5 MB a person, 8 MB a room."""
    small = replace(settings, data_dir=tmp_path, upload_mb=2, quota_person_mb=5, quota_room_mb=8)
    monkeypatch.setattr(uploads, "settings", small)
    monkeypatch.setattr(parts, "settings", small)
    # A loaded machine must not look like a fault.
    monkeypatch.setattr(change, "LOCK_WAIT_SECONDS", 60.0)
    return tmp_path


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """What was given to the worker."""
    given: list[int] = []
    monkeypatch.setitem(work.carriers, "check_upload", given.append)
    yield given


def begin(
    cast: Cast, by: Person | None = None, size: int = 10, name: str = "song.mp3", line: bool = True
) -> str:
    return uploads.begin(by or cast.cleo, cast.code, name, size, line)


def row(token: str) -> Upload:
    return Upload.get(Upload.token == token)


def arrive(cast: Cast, by: Person | None = None, **how: Any) -> Upload:
    """A file that is here whole."""
    by = by or cast.cleo
    token = begin(cast, by, **how)
    parts.folder().mkdir(exist_ok=True)
    parts.path_of(token).write_bytes(b"x" * row(token).size_bytes)
    uploads.receive(by, token, 0, row(token).size_bytes)
    return row(token)


def finish(upload: Upload, **facts: Any) -> None:
    """The worker found it to be music."""
    known: dict[str, Any] = dict(
        sha256=SHA, mime="audio/mpeg", is_video=False, title="Night Bus", artist="Plum", album="", genre="dub",
        duration_ms=61_000, media_file="uploads/a.mp3", cover_file="covers/a.webp", hue="30", size_bytes=10,
    )  # fmt: skip
    uploads.finish(upload.id, **(known | facts))


def refused(sentence: str, act: Any, kind: type[Refusal]) -> None:
    """The act is refused with these words and changes no row."""
    before = every_row()
    with pytest.raises(kind, match=sentence):
        act()
    assert every_row() == before


# --- beginning -------------------------------------------------------------------------------------------------------


def test_a_file_is_announced_with_its_clean_name_and_nothing_of_it_is_here(cast: Cast) -> None:
    token = begin(cast, name="C:\\music/../Ol\u00e9\u202e\n song.MP3")
    upload = row(token)
    assert (upload.name, upload.size_bytes, upload.received_bytes, upload.state) == (
        "Olé song.MP3",
        10,
        0,
        "receiving",
    )
    assert (upload.user_id, upload.room_id, upload.goes_on_line) == (cast.cleo.user_id, cast.room().id, True)
    assert len(token) == 32 and begin(cast) != token


@pytest.mark.parametrize("name", ["song.exe", "song", "mp3", "", "song.mp3.html", "song.mp3/", "a.svg"])
def test_what_no_player_takes_by_its_name_is_refused(cast: Cast, name: str) -> None:
    refused("won’t play here", lambda: begin(cast, name=name), Invalid)


@pytest.mark.parametrize("ending", uploads.EXTENSIONS)
def test_every_kind_that_plays_may_come_and_a_long_name_is_cut(cast: Cast, ending: str) -> None:
    assert row(begin(cast, name="n" * 500 + "." + ending)).name == "n" * (199 - len(ending)) + "." + ending


def test_an_empty_file_and_one_that_is_too_large_are_refused(cast: Cast) -> None:
    begin(cast, size=2 * MEGABYTE)
    refused("Up to 2 MB fit", lambda: begin(cast, size=2 * MEGABYTE + 1), TooLarge)
    refused("empty", lambda: begin(cast, size=0), Invalid)


def test_strangers_and_the_unknown_bring_nothing(cast: Cast) -> None:
    refused("not in this room", lambda: begin(cast, cast.dan), NotAllowed)
    refused("name", lambda: begin(cast, Person(99_999)), NotKnown)
    refused("No room", lambda: uploads.begin(cast.cleo, "NOSUCHRM", "a.mp3", 1), NotFound)


def test_who_may_not_add_brings_nothing_and_who_may_suggest_does(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "cohosts"})
    refused("Only the host and co-hosts put tracks", lambda: begin(cast), NotAllowed)
    assert begin(cast, cast.ben)
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    assert begin(cast) and begin(cast, cast.ada)


def test_a_room_may_take_no_files(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"uploads": False})
    refused("takes no files", lambda: begin(cast, cast.ada), NotAllowed)
    refused("takes no files", lambda: uploads.foresee(cast.ada, cast.code, 5), NotAllowed)


def test_an_ended_room_takes_no_files(cast: Cast) -> None:
    Room.update(state="EXPIRED", expired_at=1).where(Room.code == cast.code).execute()
    refused("over", lambda: begin(cast), Over)


def test_what_a_person_keeps_and_what_is_coming_is_counted_against_them_everywhere(cast: Cast) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    people.join(cast.cleo, other)
    first = arrive(cast, size=2 * MEGABYTE)
    finish(first, size_bytes=2 * MEGABYTE)
    uploads.begin(cast.cleo, other, "b.mp3", 2 * MEGABYTE)
    begin(cast, size=MEGABYTE)
    refused("5 MB one person may keep", lambda: begin(cast, size=1), TooLarge)
    assert begin(cast, cast.ben, size=1)
    uploads.cancel(cast.cleo, Upload.get(Upload.name == "b.mp3").token)
    assert begin(cast, size=2 * MEGABYTE)


def test_who_carries_more_than_they_may_since_another_gave_it_up_loses_nothing_and_brings_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        facts = {
            "sha256": str(number) * 64,
            "media_file": f"uploads/{number}.mp3",
            "size_bytes": 2 * MEGABYTE,
        }
        finish(arrive(cast, cast.ben, size=2 * MEGABYTE), **facts)
    track = Track.get(Track.media_file == "uploads/1.mp3")
    monkeypatch.setattr(uploads, "settings", replace(uploads.settings, quota_person_mb=1))
    assert begin(cast)
    kept = Playlist.create(user=cast.cleo.user_id, name="Mine", created_at=1, changed_at=1)
    PlaylistEntry.create(playlist=kept, track=track, title="t", position="a", added_at=1)
    files.forget(cast.ben, track.id)
    assert files.give_up_orphans() == [] and Track.get_by_id(track.id).media_file
    refused("1 MB one person may keep", lambda: begin(cast), TooLarge)
    assert files.counted_for_person(cast.ben.user_id) == 2 * MEGABYTE


def test_what_a_room_keeps_is_counted_over_everybody(cast: Cast) -> None:
    for who in (cast.ada, cast.ada, cast.ben, cast.ben):
        begin(cast, who, size=2 * MEGABYTE)
    refused("8 MB it may keep", lambda: begin(cast, size=1), TooLarge)


def test_a_quota_of_nothing_is_no_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "settings", replace(uploads.settings, quota_person_mb=0, quota_room_mb=0))
    for _ in range(6):
        begin(cast, size=2 * MEGABYTE)


def test_fifty_files_of_one_person_may_be_on_their_way(cast: Cast) -> None:
    for _ in range(uploads.MOST_OPEN):
        last = begin(cast, size=1)
    refused("50 files of yours", lambda: begin(cast, size=1), TooMany)
    assert begin(cast, cast.ben, size=1)
    uploads.cancel(cast.cleo, last)
    assert begin(cast, size=1)


def test_f7_a_disk_that_would_be_full_is_said_before_anything_is_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": parts.KEPT_FREE_BYTES + 100})()
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _path: usage)
    assert begin(cast, size=100)
    refused("no space left", lambda: begin(cast, size=101), parts.DiskFull)
    assert parts.DiskFull.status == 507 and not list(parts.folder().iterdir())


# --- receiving -------------------------------------------------------------------------------------------------------


def test_pieces_are_counted_and_a_whole_file_goes_to_the_worker(
    cast: Cast, handed: list[int], time: MovableClock
) -> None:
    token = begin(cast)
    time.move(60)
    uploads.receive(cast.cleo, token, 0, 4)
    assert (uploads.standing(cast.cleo, token).kept_bytes, row(token).state, handed) == (4, "receiving", [])
    assert row(token).touched_at == time.now_ms
    uploads.receive(cast.cleo, token, 4, 10)
    assert (row(token).received_bytes, row(token).state, handed) == (10, "checking", [row(token).id])


@pytest.mark.parametrize(("before", "received"), [(0, 6), (5, 6), (4, 11)])
def test_a_count_that_does_not_go_on_from_the_row_changes_nothing(
    cast: Cast, before: int, received: int
) -> None:
    token = begin(cast)
    uploads.receive(cast.cleo, token, 0, 4)
    refused("another way", lambda: uploads.receive(cast.cleo, token, before, received), Conflict)


def test_nobody_else_may_touch_an_upload(cast: Cast) -> None:
    token = begin(cast)
    for act in (
        lambda: uploads.standing(cast.ada, token),
        lambda: uploads.receive(cast.ada, token, 0, 4),
        lambda: uploads.cancel(cast.ada, token),
        lambda: uploads.standing(cast.cleo, "0" * 32),
    ):
        refused("not here any more", act, NotFound)


def test_calling_off_lets_the_bytes_go_and_again_changes_nothing(cast: Cast, handed: list[int]) -> None:
    token = begin(cast)
    part = parts.Part(token)
    part.write(b"half")
    uploads.cancel(cast.cleo, token)
    assert row(token).state == "cancelled" and not parts.path_of(token).exists()
    before = every_row()
    uploads.cancel(cast.cleo, token)
    assert every_row() == before
    # What was being written meanwhile counts for nothing.
    refused("another way", lambda: uploads.receive(cast.cleo, token, 0, 4), Conflict)
    part.close()
    assert handed == []


def test_a_file_that_is_ready_is_not_called_off(cast: Cast) -> None:
    upload = arrive(cast)
    finish(upload)
    refused("here already", lambda: uploads.cancel(cast.cleo, upload.token), Conflict)


# --- bytes -----------------------------------------------------------------------------------------------------------


def test_bytes_are_appended_cut_and_kept(cast: Cast) -> None:
    part = parts.Part("t")
    part.write(b"0123456789")
    assert part.keep() == 10
    part.cut(4)
    part.write(b"abc")
    assert (part.keep(), parts.size_of("t"), parts.path_of("t").read_bytes()) == (7, 7, b"0123abc")
    part.close()
    again = parts.Part("t")
    assert again.size == 7
    again.close()


def test_one_request_at_a_time_has_a_file(cast: Cast) -> None:
    part = parts.Part("t")
    with pytest.raises(Conflict, match="on its way already"):
        parts.Part("t")
    part.close()
    parts.Part("t").close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_f7_a_disk_that_fills_up_while_writing_is_said(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    part = parts.Part("t")

    def full(_file: int, _data: bytes) -> int:
        raise OSError(number, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(parts.DiskFull, match="goes on from there"):
            part.write(b"more")
    part.write(b"more")
    assert part.keep() == 4
    part.close()


def test_any_other_trouble_of_the_disk_is_ours(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    part = parts.Part("t")

    def broken(_file: int, _data: bytes) -> int:
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", broken)
        with pytest.raises(OSError, match="broken"):
            part.write(b"more")
    part.close()


# --- what becomes of it ----------------------------------------------------------------------------------------------


def test_the_worker_is_told_where_the_file_is_while_anybody_waits_for_it(cast: Cast) -> None:
    upload = arrive(cast)
    whole = uploads.to_check(upload.id)
    assert whole and (whole.path.read_bytes(), whole.name, whole.size_bytes) == (b"x" * 10, "song.mp3", 10)
    uploads.cancel(cast.cleo, upload.token)
    assert uploads.to_check(upload.id) is None and uploads.to_check(99) is None


def test_a_checked_file_becomes_a_track_of_its_person_and_room_and_stands_in_line(cast: Cast) -> None:
    upload, after = arrive(cast), cast.room().seq
    finish(upload, loudness_lufs=-9.5, peaks="09az", opus_file="uploads/a.opus")
    track = Track.get(Track.sha256 == SHA)
    assert (track.title, track.artist, track.slug, track.provider, track.is_listed, track.player, track.state) == (
        "Night Bus", "Plum", f"upload-{SHA[:32]}", "upload", False, "file", "ready",
    )  # fmt: skip
    assert (track.search, track.mime, track.loudness_lufs, track.peaks, track.opus_file) == (
        "night bus plum", "audio/mpeg", -9.5, "09az", "uploads/a.opus",
    )  # fmt: skip
    held = Holding.get(Holding.track == track)
    assert (held.room_id, held.user_id) == (cast.room().id, cast.cleo.user_id)
    item = Item.get(Item.track == track)
    assert item.added_by_id == cast.members["cleo"] and cast.kinds(after)[0] == "item_added"
    done = row(upload.token)
    assert (done.state, done.reason, done.track_id) == ("ready", "", track.id)
    assert not parts.path_of(upload.token).exists()
    before = every_row()
    finish(upload, title="Another")
    uploads.refuse(upload.id, "No")
    assert every_row() == before


def test_where_the_host_lets_tracks_on_a_file_is_suggested(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    upload = arrive(cast)
    finish(upload)
    wish = Suggestion.get()
    assert (wish.track_id, wish.member_id) == (row(upload.token).track_id, cast.members["cleo"])
    assert not Item.select().where(Item.track == wish.track_id).exists() and row(upload.token).reason == ""


def test_a_file_that_is_not_for_the_line_is_only_kept(cast: Cast) -> None:
    upload = arrive(cast, line=False)
    finish(upload)
    assert row(upload.token).state == "ready" and not Item.select().exists() and Holding.select().count() == 1


def test_when_the_line_does_not_take_it_the_file_is_ready_and_the_reason_kept(cast: Cast) -> None:
    cast.add(1, cast.cleo)
    cast.add(1, cast.cleo)
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 1})
    upload, seq = arrive(cast), cast.room().seq
    finish(upload)
    done = row(upload.token)
    assert done.state == "ready" and done.track_id and done.reason.startswith("One at a time.")
    assert not Item.select().where(Item.track == done.track_id).exists() and cast.room().seq == seq


def test_who_left_meanwhile_keeps_the_file_and_hears_why_it_is_not_in_line(cast: Cast) -> None:
    upload = arrive(cast)
    people.leave(cast.cleo, cast.code)
    finish(upload)
    assert (row(upload.token).state, row(upload.token).reason) == (
        "ready",
        "You are not in this room yet. Open its link to come in.",
    )
    assert not Item.select().exists()


def test_the_same_bytes_again_are_the_same_track(cast: Cast) -> None:
    finish(arrive(cast, cast.ben))
    known = Track.get(Track.sha256 == SHA).id
    upload = arrive(cast)
    finish(upload, title="Something else", media_file="uploads/b.mp3")
    assert Track.select().where(Track.provider == "upload").count() == 1
    assert row(upload.token).track_id == known and Track.get_by_id(known).title == "Night Bus"
    assert {held.user_id for held in Holding.select()} == {cast.ben.user_id, cast.cleo.user_id}


def test_the_same_bytes_in_line_already_are_said_with_their_place(cast: Cast) -> None:
    cast.add(1)
    finish(arrive(cast, cast.ben))
    upload = arrive(cast)
    finish(upload)
    assert row(upload.token).reason == "Night Bus is already in line, 1st. Vote it up."
    assert Item.select().where(Item.track == row(upload.token).track_id).count() == 1


def test_a_file_that_is_none_of_ours_goes_with_a_sentence(cast: Cast) -> None:
    upload = arrive(cast)
    uploads.refuse(upload.id, "There is no music in that file.")
    done = row(upload.token)
    assert (done.state, done.reason, done.track_id) == ("refused", "There is no music in that file.", None)
    assert not parts.path_of(upload.token).exists() and uploads.to_check(upload.id) is None
    before = every_row()
    uploads.refuse(upload.id, "Again.")
    finish(upload)
    assert every_row() == before


def test_words_from_a_file_are_on_one_line_and_no_longer_than_they_may_be(cast: Cast) -> None:
    finish(arrive(cast), title="a\nb\u202e" + "c" * 300, genre="g" * 99)
    track = Track.get(Track.sha256 == SHA)
    assert track.title == ("a b" + "c" * 300)[:200] and len(track.genre) == 60


# --- in the order they were chosen -----------------------------------------------------------------------------------


def look_at(upload: Upload) -> None:
    """The worker found it to be music that nobody brought before."""
    finish(upload, sha256=f"{upload.id:032}" * 2, title=upload.name, media_file=f"uploads/{upload.id}.mp3")


def several(cast: Cast, count: int, by: Person | None = None) -> list[Upload]:
    """Files chosen together, all here whole."""
    return [arrive(cast, by, name=f"{number}.mp3") for number in range(count)]


def in_line() -> list[str]:
    """What was put on, in that order."""
    return [item.track.title for item in Item.select().order_by(Item.id)]


def states(files: list[Upload]) -> list[str]:
    return [uploads.standing(Person(each.user_id), each.token).state for each in files]


@pytest.mark.parametrize("turn", range(3))
def test_files_chosen_together_stand_in_line_as_they_were_chosen(cast: Cast, turn: int) -> None:
    chosen = several(cast, 12)
    for upload in random.Random(turn).sample(chosen, len(chosen)):
        look_at(upload)
    assert in_line() == [each.name for each in chosen] and states(chosen) == ["ready"] * 12


def test_a_file_that_waits_for_one_before_it_is_told_so_and_is_nobodys_yet(
    cast: Cast, handed: list[int], time: MovableClock
) -> None:
    first, second = several(cast, 2)
    look_at(second)
    assert states([first, second]) == ["checking", "behind"] and in_line() == []
    assert not parts.path_of(second.token).exists() and not Holding.select().exists()
    assert files.orphans() == []
    assert files.counted_for_person(cast.cleo.user_id) == 20
    # It is looked at once.
    before = every_row()
    look_at(second)
    uploads.refuse(second.id, "No")
    assert uploads.to_check(second.id) is None and every_row() == before
    handed.clear()
    time.move(61)
    uploads.check_again()
    assert handed == [first.id]
    look_at(first)
    assert in_line() == ["0.mp3", "1.mp3"] and files.counted_for_person(cast.cleo.user_id) == 20


def test_a_refused_and_a_called_off_file_let_those_behind_them_go_on(cast: Cast) -> None:
    chosen = several(cast, 5)
    for upload in (chosen[4], chosen[2], chosen[3]):
        look_at(upload)
    uploads.cancel(cast.cleo, chosen[1].token)
    uploads.cancel(cast.cleo, chosen[3].token)
    assert in_line() == []
    uploads.refuse(chosen[0].id, "There is no music in that file.")
    assert in_line() == ["2.mp3", "4.mp3"]
    assert states(chosen) == ["refused", "cancelled", "ready", "cancelled", "ready"]


def test_calling_off_the_first_lets_the_others_on(cast: Cast) -> None:
    first, second = begin(cast), arrive(cast)
    look_at(second)
    assert in_line() == []
    uploads.cancel(cast.cleo, first)
    assert in_line() == ["song.mp3"]


def test_a_file_called_off_before_its_turn_leaves_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[int] = []
    monkeypatch.setitem(work.carriers, "sweep_files", lambda: swept.append(1))
    first, second = several(cast, 2)
    look_at(second)
    uploads.cancel(cast.cleo, second.token)
    look_at(first)
    assert swept and in_line() == ["0.mp3"]
    assert files.give_up_orphans() == [f"uploads/{second.id}.mp3", *files.cover_names("covers/a.webp")]


def test_one_that_comes_no_more_lets_the_others_pass_and_goes_on_the_line_when_it_comes(
    cast: Cast, time: MovableClock
) -> None:
    stalled, second = begin(cast, name="0.mp3"), arrive(cast, name="1.mp3")
    time.move(30)
    uploads.receive(cast.cleo, stalled, 0, 4)
    look_at(second)
    time.move(59)
    uploads.check_again()
    assert in_line() == []
    time.move(1)
    uploads.check_again()
    assert in_line() == ["1.mp3"]
    uploads.receive(cast.cleo, stalled, 4, 10)
    look_at(row(stalled))
    assert in_line() == ["1.mp3", "0.mp3"]


def test_one_that_comes_slowly_is_waited_for_and_one_looked_at_without_end_is_not(
    cast: Cast, time: MovableClock
) -> None:
    slow, second = begin(cast, size=900, name="0.mp3"), arrive(cast, name="1.mp3")
    look_at(second)
    for minute in range(20):
        uploads.receive(cast.cleo, slow, minute * 10, minute * 10 + 10)
        time.move(59)
        uploads.check_again()
    assert in_line() == []
    uploads.receive(cast.cleo, slow, 200, 900)
    uploads.check_again()
    assert in_line() == ["1.mp3"]
    looked_at, fourth, fifth = several(cast, 3)
    time.move(300)
    look_at(fourth)
    for _ in range(9):
        time.move(60)
        uploads.check_again()
        assert uploads.to_check(looked_at.id)
    look_at(fifth)
    assert states([fourth, fifth]) == ["behind"] * 2
    time.move(60)
    uploads.check_again()
    assert states([looked_at, fourth, fifth]) == ["checking", "ready", "behind"]


def test_what_was_ready_when_the_worker_died_is_put_on_by_the_sweep(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = several(cast, 2)
    look_at(second)
    with monkeypatch.context() as patch:
        patch.setattr(turns, "put_on_ready", lambda *_: None)
        look_at(first)
    assert in_line() == []
    uploads.check_again()
    assert in_line() == ["0.mp3", "1.mp3"]
    before = every_row()
    uploads.check_again()
    assert every_row() == before


def test_nobody_waits_for_anothers_file_nor_for_one_elsewhere_or_off_the_line(cast: Cast) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    begin(cast, cast.ben)
    begin(cast, line=False)
    uploads.begin(cast.cleo, other, "elsewhere.mp3", 10)
    uploads.begin_shared(cast.cleo, "shared.mp3", 10)
    look_at(arrive(cast, name="mine.mp3"))
    assert in_line() == ["mine.mp3"]
    # What stays off the line waits for nothing either.
    begin(cast)
    kept = arrive(cast, line=False)
    look_at(kept)
    assert states([kept]) == ["ready"] and Holding.select().count() == 2


def test_each_file_that_the_line_does_not_take_says_why(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 2})
    cast.add(1, cast.ben)
    chosen = several(cast, 4)
    for upload in reversed(chosen):
        look_at(upload)
    reasons = [row(each.token).reason for each in chosen]
    assert in_line()[1:] == ["0.mp3", "1.mp3"] and states(chosen) == ["ready"] * 4
    assert reasons[:2] == ["", ""] and all(each.startswith("Two at a time.") for each in reasons[2:])


@pytest.mark.parametrize("turn", range(3))
def test_two_people_s_files_looked_at_at_once_stand_in_each_ones_order(cast: Cast, turn: int) -> None:
    mine, theirs = several(cast, 4), several(cast, 4, cast.ben)
    acts = [lambda each=each: look_at(each) for each in [*reversed(mine), *reversed(theirs)]]
    assert at_once(*acts) == [None] * 8
    for person, chosen in (("cleo", mine), ("ben", theirs)):
        own = Item.select().where(Item.added_by == cast.members[person]).order_by(Item.id)
        assert [item.track.title for item in own] == [each.name for each in chosen]


# --- at the same instant ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", range(4))
def test_calling_off_a_file_that_is_just_finished_does_one_or_the_other(cast: Cast, turn: int) -> None:
    upload = arrive(cast)
    _, refusal = at_once(lambda: finish(upload), lambda: uploads.cancel(cast.cleo, upload.token))
    done = row(upload.token)
    assert not parts.path_of(upload.token).exists()
    if done.state == "ready":
        assert isinstance(refusal, Conflict) and done.track_id
    else:
        assert (done.state, done.track_id, refusal) == ("cancelled", None, None)
    assert Holding.select().count() == Item.select().count() == (done.state == "ready")


@pytest.mark.parametrize("turn", range(4))
def test_files_finished_at_once_all_arrive(cast: Cast, turn: int) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    people.join(cast.cleo, other)
    here = [arrive(cast, who) for who in (cast.cleo, cast.ben, cast.ada)]
    there = uploads.begin(cast.cleo, other, "b.mp3", 1)
    uploads.receive(cast.cleo, there, 0, 1)
    hashes = ["a" * 64, "b" * 64, SHA, SHA]
    done = [*here, row(there)]
    acts = [
        lambda each=each, sha=sha: finish(each, sha256=sha) for each, sha in zip(done, hashes, strict=True)
    ]
    assert at_once(*acts) == [None] * 4
    after = [row(each.token) for each in done]
    assert [(each.state, each.reason) for each in after] == [("ready", "")] * 4
    assert after[2].track_id == after[3].track_id and len({each.track_id for each in after}) == 3
    assert Item.select().where(Item.room == cast.room()).count() == 3


def meeting() -> Any:
    """Where two come together, if nothing keeps them apart; after a moment each goes on alone."""
    gate = threading.Barrier(2)

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):
            gate.wait(0.5)

    return meet


@pytest.mark.parametrize("comes_first", ["the bytes", "the giving up"])
@pytest.mark.parametrize("is_in_line", [True, False])
def test_the_same_bytes_come_while_they_are_given_up(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, is_in_line: bool, comes_first: str
) -> None:
    first = arrive(cast, cast.ben, line=is_in_line)
    finish(first)
    track = row(first.token).track_id
    Holding.delete().execute()
    second = arrive(cast)
    meet, names_of, bring = meeting(), files._names_of, shelf.bring
    has_track = threading.Event()

    def with_track(act: Any) -> Any:
        """The act, done by whoever has the track by now; the other comes to wait for it meanwhile."""
        return lambda *words: [has_track.set(), meet(), act(*words)][2]

    monkeypatch.setattr(files, "_names_of", with_track(names_of))
    monkeypatch.setattr(shelf, "bring", with_track(bring))
    acts = [lambda: finish(second), lambda: files.give_up(track)]
    late = 1 if comes_first == "the bytes" else 0
    late_act = acts[late]
    acts[late] = lambda: [has_track.wait(60), late_act()][1]
    refusal, names = at_once(*acts)
    now = Track.get(Track.sha256 == SHA)
    assert refusal is None and (row(second.token).state, row(second.token).track_id) == ("ready", now.id)
    assert now.state == "ready" and now.media_file and Holding.get().track_id == now.id
    assert bool(names) == (comes_first == "the giving up") and (names or now.id == track)


def test_quotas_hold_for_what_begins_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    people.join(cast.cleo, other)
    begin(cast, size=2 * MEGABYTE)
    meet, fresh_name = meeting(), parts.fresh_name
    monkeypatch.setattr(parts, "fresh_name", lambda: [meet(), fresh_name()][1])
    acts = [
        lambda code=code: uploads.begin(cast.cleo, code, "a.mp3", 2 * MEGABYTE) for code in (cast.code, other)
    ]
    answers = at_once(*acts)
    assert sum(isinstance(answer, TooLarge) for answer in answers) == 1 and Upload.select().count() == 2


# --- rooms chosen later ----------------------------------------------------------------------------------------------


def test_a_shared_file_waits_for_its_room_and_goes_there_once(cast: Cast, handed: list[int]) -> None:
    token = uploads.begin_shared(cast.cleo, "song.mp3", 10)
    uploads.receive(cast.cleo, token, 0, 10)
    assert (row(token).state, row(token).room_id, handed) == ("receiving", None, [])
    refused("not in this room", lambda: uploads.choose_room(cast.dan, cast.code, [token]), NotAllowed)
    refused("not here any more", lambda: uploads.choose_room(cast.ada, cast.code, [token]), NotFound)
    uploads.choose_room(cast.cleo, cast.code, [token])
    assert (row(token).state, row(token).room_id, handed) == ("checking", cast.room().id, [row(token).id])
    uploads.choose_room(cast.cleo, cast.code, [token])
    assert len(handed) == 1


def test_a_shared_file_is_counted_too_and_a_room_without_files_does_not_take_it(cast: Cast) -> None:
    token = uploads.begin_shared(cast.cleo, "song.mp3", 2 * MEGABYTE)
    begin(cast, size=2 * MEGABYTE)
    refused("one person", lambda: uploads.begin_shared(cast.cleo, "b.mp3", 2 * MEGABYTE), TooLarge)
    configuring.change_settings(cast.ada, cast.code, {"uploads": False})
    refused("takes no files", lambda: uploads.choose_room(cast.cleo, cast.code, [token]), NotAllowed)


# --- the sweep -------------------------------------------------------------------------------------------------------


def test_what_was_not_checked_within_a_minute_is_handed_over_again(
    cast: Cast, handed: list[int], time: MovableClock
) -> None:
    upload = arrive(cast)
    begin(cast)
    handed.clear()
    time.move(60)
    uploads.check_again()
    assert handed == []
    time.move(1)
    uploads.check_again()
    uploads.check_again()
    assert handed == [upload.id]
    time.move(61)
    assert uploads.to_check(upload.id)
    uploads.check_again()
    assert handed == [upload.id]


def test_what_nobody_went_on_with_for_a_day_goes_with_its_bytes(cast: Cast, time: MovableClock) -> None:
    left, going = begin(cast), begin(cast)
    for token in (left, going):
        parts.Part(token).close()
    waiting = arrive(cast)
    time.move(86_400)
    uploads.receive(cast.cleo, going, 0, 1)
    time.move(1)
    assert uploads.forget_abandoned() == 1
    assert {upload.token for upload in Upload.select()} == {going, waiting.token}
    assert {path.stem for path in parts.folder().iterdir()} == {going, waiting.token}


def test_bytes_of_no_upload_go_after_an_hour(cast: Cast) -> None:
    token = begin(cast)
    for name in (token, "stray", "fresh"):
        parts.Part(name).close()
    for name in (token, "stray"):
        os.utime(parts.path_of(name), (1, 1))
    assert uploads.forget_abandoned() == 1
    assert {path.stem for path in parts.folder().iterdir()} == {token, "fresh"}


def test_what_is_over_is_forgotten_after_a_day(cast: Cast, time: MovableClock) -> None:
    done, waiting, open_still = arrive(cast), arrive(cast), begin(cast)
    uploads.refuse(done.id, "No")
    time.move(86_401)
    health.tidy()
    assert {upload.token for upload in Upload.select()} == {waiting.token, open_still}


def test_a_room_that_goes_takes_its_uploads_along(cast: Cast) -> None:
    begin(cast)
    cast.room().delete_instance()
    assert not Upload.select().exists()
