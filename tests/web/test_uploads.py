"""Uploads by URL: pieces and offsets, what is refused, what a broken connection leaves, forms, what phones share."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import TestResponse

from config import settings
from models import Holding, Outcome, Room, Track, Upload, database
from party import attempts, configuring, files, parts, people, rooms, under_way, uploads, work
from tests.conftest import MovableClock
from tests.doors import Browser, tree, words
from tests.ledger import every_row
from tests.party.test_files import bring
from tests.screen import Node
from tests.stage import Cast
from web import receiving
from web.places import Places, Share

PIECE = "application/offset+octet-stream"
SONG = bytes(range(256)) * 4_000


@pytest.fixture(autouse=True)
def small_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(settings, data_dir=tmp_path, upload_mb=2, quota_person_mb=5, quota_room_mb=8)
    monkeypatch.setattr(uploads, "settings", small)
    monkeypatch.setattr(parts, "settings", small)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    given: list[int] = []
    monkeypatch.setitem(work.carriers, "check_upload", given.append)
    yield given


def begin(browser: Browser, cast: Cast, size: int = len(SONG), **form: Any) -> str:
    answer = browser.post(f"/rooms/{cast.code}/uploads", **({"name": "song.mp3", "size": size} | form))
    assert answer.status_code == 201, answer.text
    return answer.json["token"]


def send(browser: Browser, token: str, offset: int, data: bytes, **rest: Any) -> TestResponse:
    headers = {"Upload-Offset": str(offset), "Content-Type": PIECE}
    return browser.ask("PATCH", f"/uploads/{token}", headers, data=data, **rest)


def row(token: str) -> Upload:
    return Upload.get(Upload.token == token)


# --- pieces ----------------------------------------------------------------------------------------------------------


def test_a_file_begins_goes_on_from_its_offset_and_is_handed_over_whole(
    cast: Cast, cleo: Browser, handed: list[int]
) -> None:
    answer = cleo.post(f"/rooms/{cast.code}/uploads", name="song.mp3", size=len(SONG))
    token = answer.json["token"]
    assert answer.status_code == 201 and answer.headers["Location"].endswith(f"/uploads/{token}")
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("0", str(len(SONG)))
    for start in range(0, len(SONG), 300_000):
        head = cleo.ask("HEAD", f"/uploads/{token}")
        assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(start))
        answer = send(cleo, token, start, SONG[start : start + 300_000])
        assert answer.status_code == 200, answer.text
    assert answer.headers["Upload-Offset"] == answer.headers["Upload-Length"] == str(len(SONG))
    assert (answer.json["state"], handed) == ("checking", [row(token).id])
    assert hashlib.sha256(parts.path_of(token).read_bytes()).digest() == hashlib.sha256(SONG).digest()
    assert cleo.get(f"/uploads/{token}").json == {
        "token": token, "name": "song.mp3", "size": len(SONG), "offset": len(SONG), "state": "checking", "reason": "",
    }  # fmt: skip


@pytest.mark.parametrize("offset", [0, 99, 101, 200])
def test_a_wrong_offset_is_answered_with_the_right_one_and_nothing_is_written(
    cast: Cast, cleo: Browser, offset: int
) -> None:
    token = begin(cleo, cast)
    send(cleo, token, 0, SONG[:100])
    before = every_row()
    answer = send(cleo, token, offset, b"wrong")
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "100")
    assert every_row() == before and parts.path_of(token).read_bytes() == SONG[:100]


def test_what_was_never_acknowledged_is_cut_off(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    send(cleo, token, 0, SONG[:100])
    # A crash between the disk and the row.
    with parts.path_of(token).open("ab") as file:
        file.write(b"?" * 50)
    assert cleo.ask("HEAD", f"/uploads/{token}").headers["Upload-Offset"] == "100"
    assert send(cleo, token, 100, SONG[100:200]).headers["Upload-Offset"] == "200"
    assert parts.path_of(token).read_bytes() == SONG[:200]


def test_a_file_the_disk_lost_a_part_of_goes_on_from_what_is_there(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    send(cleo, token, 0, SONG[:100])
    with parts.path_of(token).open("r+b") as file:
        file.truncate(40)
    assert cleo.ask("HEAD", f"/uploads/{token}").headers["Upload-Offset"] == "40"
    assert send(cleo, token, 100, SONG[100:]).headers["Upload-Offset"] == "40"
    assert send(cleo, token, 40, SONG[40:]).json["state"] == "checking"
    assert parts.path_of(token).read_bytes() == SONG


class Broken(io.BytesIO):
    """A body whose connection ends, or falls silent, after so many bytes."""

    def __init__(self, data: bytes, end: BaseException | None) -> None:
        super().__init__(data)
        self.end = end

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if not data and self.end:
            raise self.end
        return data


@pytest.mark.parametrize("end", [None, ConnectionResetError(), TimeoutError(), ClientDisconnected()])
def test_what_came_before_a_connection_broke_is_kept(
    cast: Cast, cleo: Browser, end: BaseException | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(cleo, cast)
    with monkeypatch.context() as patch:
        body = Broken(SONG[:70_000], end)
        patch.setattr(receiving.Patient, "read", lambda _self, size: body.read(size))
        send(cleo, token, 0, SONG)
    assert (row(token).received_bytes, row(token).state) == (70_000, "receiving")
    assert send(cleo, token, 70_000, SONG[70_000:]).json["state"] == "checking"
    assert parts.path_of(token).read_bytes() == SONG


def test_the_rest_of_a_broken_piece_may_be_sent_again_but_not_more_than_the_file_holds(
    cast: Cast, cleo: Browser
) -> None:
    token = begin(cleo, cast, size=10)
    before = every_row()
    answer = send(cleo, token, 0, b"01234567890")
    assert answer.status_code == 422 and "more than the file" in words(answer)
    assert every_row() == before and parts.size_of(token) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Offset": "0", "Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": "0"}, 415),
        ({"Content-Type": PIECE}, 422),
        ({"Upload-Offset": "-1", "Content-Type": PIECE}, 422),
        ({"Upload-Offset": "1e3", "Content-Type": PIECE}, 422),
        ({"Upload-Offset": "٣", "Content-Type": PIECE}, 422),
    ],
)
def test_a_piece_that_does_not_say_what_it_is_is_refused(
    cast: Cast, cleo: Browser, headers: dict[str, str], status: int
) -> None:
    token = begin(cleo, cast)
    before = every_row()
    assert cleo.ask("PATCH", f"/uploads/{token}", headers, data=b"x").status_code == status
    assert every_row() == before


def test_a_piece_holds_eight_megabytes_at_most_and_forms_stay_small(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast, size=2 * 2**20)
    assert send(cleo, token, 0, b"x" * (8 * 2**20 + 1)).status_code == 413
    assert send(cleo, token, 0, b"x" * 2**20).status_code == 200
    assert cleo.post(f"/rooms/{cast.code}/uploads", name="x" * 70_000, size=1).status_code == 413


def test_no_connection_to_the_database_is_held_while_bytes_come(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, closed = begin(cleo, cast), []
    read = receiving.Patient.read

    def watched(self: receiving.Patient, size: int = 1) -> bytes:
        closed.append(database.obj.is_closed())
        return read(self, size)

    monkeypatch.setattr(receiving.Patient, "read", watched)
    send(cleo, token, 0, SONG)
    cleo.ask("POST", f"/rooms/{cast.code}/files", data={"file": (io.BytesIO(SONG), "b.mp3")})
    assert len(closed) > 10 and all(closed)


def test_silence_and_endless_senders_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    import gevent

    class Silent:
        def read(self, _size: int) -> bytes:
            gevent.sleep(60)
            return b""

    monkeypatch.setattr(receiving, "IDLE_SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        receiving.Patient(Silent(), 60).read()
    monkeypatch.setattr(receiving, "IDLE_SECONDS", 60)
    with pytest.raises(TimeoutError):
        receiving.Patient(Silent(), 0.01).read()


def test_only_so_many_pieces_of_a_person_a_network_and_all_are_received_at_once(
    cast: Cast, cleo: Browser, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Places(Share(3, "Many"), person=Share(1, "Yours"), network=Share(2, "Where you are"))
    monkeypatch.setattr(receiving, "places", few)
    token, other = begin(cleo, cast), begin(ben, cast)
    here = {"environ_base": {"REMOTE_ADDR": "198.51.100.7"}}
    network = attempts.digest(attempts.network_of("198.51.100.7"))
    with few.held(person=cast.cleo.user_id, network="elsewhere"):
        answer = send(cleo, token, 0, b"a", **here)
        assert answer.status_code == 429 and "Yours" in words(answer) and answer.headers["Retry-After"]
        assert send(ben, other, 0, b"a", **here).status_code == 200
        with few.held(person=98, network=network):
            assert send(ben, other, 1, b"a", **here).status_code == 200
            form = {"file": (io.BytesIO(b"x"), "a.mp3")}
            with few.held(person=99, network=network):
                answer = ben.ask("POST", f"/rooms/{cast.code}/files", data=form, **here)
                assert answer.status_code == 429 and "Where you are" in words(answer)
                answer = send(ben, other, 2, b"a")
                assert answer.status_code == 503 and "Many" in words(answer)
    assert few.taken == 0 and send(cleo, token, 0, b"a").status_code == 200
    assert few.taken == 0 and not few._held


def test_a_second_request_for_the_same_file_waits_its_turn(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    part = parts.Part(token)
    answer = send(cleo, token, 0, b"a")
    assert answer.status_code == 409 and "Upload-Offset" not in answer.headers
    part.close()
    assert send(cleo, token, 0, b"a").status_code == 200


def test_f7_a_full_disk_is_a_sentence_and_the_file_goes_on_later(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(cleo, cast)
    send(cleo, token, 0, SONG[:1_000])
    write, written = parts.Part.write, []

    def full(self: parts.Part, data: bytes) -> None:
        if written:
            raise parts.DiskFull
        written.append(data)
        write(self, data)

    before = every_row()
    with monkeypatch.context() as patch:
        patch.setattr(parts.Part, "write", full)
        answer = send(cleo, token, 1_000, SONG[1_000:])
    assert answer.status_code == 507 and "There is no space left for files here just now" in words(answer)
    assert written and every_row() == before and parts.size_of(token) == 1_000
    assert send(cleo, token, 1_000, SONG[1_000:]).json["state"] == "checking"
    assert parts.path_of(token).read_bytes() == SONG


def test_f7_a_disk_about_to_be_full_is_said_before_a_piece_is_written(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(cleo, cast)
    usage = type("Usage", (), {"free": parts.KEPT_FREE_BYTES + 99})()
    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _path: usage)
    assert send(cleo, token, 0, SONG[:100]).status_code == 507 and parts.size_of(token) == 0
    assert send(cleo, token, 0, SONG[:99]).status_code == 200


# --- whose -----------------------------------------------------------------------------------------------------------


def test_an_upload_is_there_for_nobody_but_its_person(
    cast: Cast, cleo: Browser, ada: Browser, dan: Browser, nobody: Browser
) -> None:
    token = begin(cleo, cast)
    before = every_row()
    for browser, status in ((ada, 404), (dan, 404), (nobody, 401)):
        assert browser.get(f"/uploads/{token}").status_code == status
        assert browser.ask("HEAD", f"/uploads/{token}").status_code == status
        assert send(browser, token, 0, b"x").status_code == status
        assert browser.delete(f"/uploads/{token}").status_code == status
    assert every_row() == before and not parts.path_of(token).exists()
    assert send(cleo, "../../etc/passwd", 0, b"x").status_code == 404
    assert send(cleo, "0" * 32, 0, b"x").status_code == 404 and not parts.path_of("0" * 32).exists()


def test_t2_no_foreign_page_sends_a_piece(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    headers = {"Upload-Offset": "0", "Content-Type": PIECE, "Sec-Fetch-Site": "cross-site"}
    assert cleo.ask("PATCH", f"/uploads/{token}", headers, data=b"x").status_code == 403
    assert parts.size_of(token) == 0


def test_the_same_announcement_again_is_the_same_upload(cast: Cast, cleo: Browser) -> None:
    form = {"name": "song.mp3", "size": 10}
    tokens = {
        cleo.post(f"/rooms/{cast.code}/uploads", {"Idempotency-Key": "k"}, **form).json["token"]
        for _ in range(2)
    }
    assert len(tokens) == Upload.select().count() == Outcome.select().count() == 1


def test_a_refused_announcement_is_a_sentence_for_the_script(app: Flask, cast: Cast, dan: Browser) -> None:
    script = Browser(app, cast.cleo, htmx=True)
    answer = script.post(f"/rooms/{cast.code}/uploads", name="song.exe", size=10)
    assert answer.status_code == 422 and 'id="notice"' in answer.text
    assert "won’t play here" in words(answer)
    assert dan.post(f"/rooms/{cast.code}/uploads", name="a.mp3", size=1).status_code == 403
    for size in ("", "x", "-1", "1.5"):
        assert script.post(f"/rooms/{cast.code}/uploads", name="a.mp3", size=size).status_code == 422


def test_a_file_may_be_kept_off_the_line(cast: Cast, cleo: Browser) -> None:
    assert row(begin(cleo, cast)).goes_on_line and not row(begin(cleo, cast, line="no")).goes_on_line


def test_calling_off_lets_the_bytes_go(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    send(cleo, token, 0, SONG[:100])
    assert cleo.delete(f"/uploads/{token}").status_code == 204
    assert not parts.path_of(token).exists() and cleo.get(f"/uploads/{token}").json["state"] == "cancelled"
    answer = send(cleo, token, 100, SONG[100:])
    assert answer.status_code == 409 and row(token).state == "cancelled"


# --- whole forms -----------------------------------------------------------------------------------------------------


def test_a_plain_form_sends_files_whole(cast: Cast, cleo: Browser, handed: list[int]) -> None:
    sent = [(io.BytesIO(SONG), "a.mp3"), (io.BytesIO(b"tiny"), "b.ogg")]
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data={"file": sent})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rooms/{cast.code}")
    first, second = Upload.select().order_by(Upload.id)
    assert (first.name, first.size_bytes, first.received_bytes, first.state) == (
        "a.mp3", len(SONG), len(SONG), "checking",
    )  # fmt: skip
    assert (
        parts.path_of(first.token).read_bytes() == SONG
        and parts.path_of(second.token).read_bytes() == b"tiny"
    )
    assert handed == [first.id, second.id] and len(list(parts.folder().iterdir())) == 2


def test_of_a_form_what_may_come_comes_and_of_the_rest_it_is_said_why(cast: Cast, cleo: Browser) -> None:
    sent = form_of(("a.exe", b"x"), ("b.ogg", b"tiny"), ("", b""), ("<b>empty.mp3", b""))
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=sent)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rooms/{cast.code}")
    kept = [(upload.name, upload.state, upload.room_id) for upload in Upload.select().order_by(Upload.id)]
    room = cast.room().id
    assert kept == [
        ("b.ogg", "checking", room), ("a.exe", "refused", room), ("<b>empty.mp3", "refused", room),
    ]  # fmt: skip
    assert list(parts.folder().iterdir()) == [parts.path_of(Upload.get(Upload.name == "b.ogg").token)]
    assert told(cleo, cast.code) == [
        ("b.ogg", "Having a listen"),
        ("a.exe", "That kind of file won’t play here. Try mp3, m4a, flac, ogg, opus, wav, mp4 or webm."),
        ("<b>empty.mp3", "That file is empty."),
    ]


def test_a_form_of_which_nothing_is_taken_says_which_file_and_why(cast: Cast, cleo: Browser) -> None:
    before = every_row()
    sent = form_of(("a.exe", b"x"), ("<b>b.exe", b"x"), ("c.mp3", b""))
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=sent)
    assert answer.status_code == 422
    said = words(answer)
    assert "“a.exe”, “<b>b.exe”: That kind of file won’t play here." in said
    assert "“c.mp3”: That file is empty." in said and said.count("won’t play here") == 1
    assert every_row() == before and not list(parts.folder().iterdir())


def told(browser: Browser, code: str) -> list[tuple[str, str]]:
    """The files that a room's page tells its person of, and what of each."""
    page = tree(browser.get(f"/rooms/{code}"))
    box = page.find("uploads")
    rows = [node for node in page.find("uploads-list").all() if node.tag == "li"]
    assert ("hidden" in box.attrs) == (not rows)
    return [(text_of(row, "upload__name"), text_of(row, "upload__note")) for row in rows]


def text_of(row: Node, name: str) -> str:
    [found] = (node for node in row.all() if node.attrs.get("class") == name)
    assert found.tag == "bdi" or name != "upload__name"
    return " ".join(child for child in found.children if isinstance(child, str))


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("ready", "", "In line"),
        ("ready", "The line is full.", "Here, but not in line. The line is full."),
        ("refused", "That is no sound.", "That is no sound."),
        ("checking", "", "Having a listen"),
    ],
)
def test_a_room_tells_its_person_what_became_of_files_sent_whole(
    cast: Cast,
    cleo: Browser,
    ben: Browser,
    nobody: Browser,
    time: MovableClock,
    state: str,
    reason: str,
    words: str,
) -> None:
    cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(("a.mp3", b"x")))
    Upload.update(state=state, reason=reason).execute()
    other = rooms.open_room(cast.cleo, "Other", 300)
    assert told(cleo, cast.code) == [("a.mp3", words)]
    assert told(cleo, other) == told(ben, cast.code) == []
    assert 'id="uploads-list"' not in nobody.get(f"/rooms/{cast.code}").text
    time.move(under_way.SHOWN_MS / 1000 - 1)
    assert told(cleo, cast.code) == [("a.mp3", words)]
    time.move(1)
    assert told(cleo, cast.code) == ([("a.mp3", words)] if state == "checking" else [])


def test_a_file_that_waits_for_one_before_it_says_so(cast: Cast, cleo: Browser) -> None:
    begin(cleo, cast)
    cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(("a.mp3", b"x")))
    token = Upload.get(Upload.name == "a.mp3").token
    Upload.update(track=cast.tracks[0]).where(Upload.token == token).execute()
    assert told(cleo, cast.code) == [("a.mp3", "Ready. Its turn comes after the ones before it.")]
    assert cleo.get(f"/uploads/{token}").get_json()["state"] == "behind"


@pytest.mark.parametrize("state", ["receiving", "cancelled"])
def test_what_is_half_here_or_called_off_is_told_by_no_room(cast: Cast, cleo: Browser, state: str) -> None:
    token = begin(cleo, cast)
    Upload.update(state=state).where(Upload.token == token).execute()
    assert told(cleo, cast.code) == []


def test_where_tracks_are_suggested_a_file_waits_for_the_host(cast: Cast, cleo: Browser) -> None:
    token = begin(cleo, cast)
    Upload.update(state="ready").where(Upload.token == token).execute()
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    assert told(cleo, cast.code) == [("song.mp3", "Here, and waiting for the host’s OK")]


def test_a_room_tells_of_the_latest_files_only(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_way, "MOST_SHOWN", 2)
    cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(*((f"{n}.mp3", b"x") for n in range(3))))
    assert [name for name, _ in told(cleo, cast.code)] == ["1.mp3", "2.mp3"]


def form_of(*files: tuple[str, bytes]) -> dict[str, Any]:
    return {"file": [(io.BytesIO(data), name) for name, data in files]}


def test_a_form_brings_only_so_many_files_and_leaves_nothing_when_there_are_more(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "FORM_FILES", 2)
    files = [(f"{number}.mp3", b"x") for number in range(3)]
    before = every_row()
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(*files))
    assert answer.status_code == 422 and receiving.MANY_FILES in words(answer)
    assert every_row() == before and not list(parts.folder().iterdir())
    assert cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(*files[:2])).status_code == 303
    assert Upload.select().count() == 2


def test_a_file_in_a_form_may_have_the_beginning_of_an_end_anywhere(cast: Cast, cleo: Browser) -> None:
    lines = b"fifteen letters\n" * 60_000
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(("a.mp3", lines)))
    assert answer.status_code == 303
    assert parts.path_of(Upload.get().token).read_bytes() == lines


def test_a_form_with_endless_words_leaves_nothing(cast: Cast, cleo: Browser) -> None:
    form = form_of(("a.mp3", b"x" * 99)) | {"more": "y" * 100_000}
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=form)
    assert answer.status_code == 413 and not list(parts.folder().iterdir())


@pytest.mark.parametrize("path", ["/rooms/{code}/files", "/share"])
def test_a_form_of_more_than_may_be_kept_is_refused_before_a_byte_is_read(
    cast: Cast, cleo: Browser, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(cast.cleo, None, size=4 * uploads.MEGABYTE)
    before, read = every_row(), receiving.take_files
    monkeypatch.setattr(receiving, "take_files", lambda _person: pytest.fail("it was read"))
    large = b"x" * (uploads.MEGABYTE + receiving.FORM_WORDS)
    answer = cleo.ask("POST", path.format(code=cast.code), data=form_of(("a.mp3", large)))
    assert answer.status_code == 413 and "5 MB one person may keep" in words(answer)
    assert every_row() == before and not list(parts.folder().iterdir())
    # What its words take is not counted for its files.
    monkeypatch.setattr(receiving, "take_files", read)
    fits = b"x" * uploads.MEGABYTE
    assert cleo.ask("POST", path.format(code=cast.code), data=form_of(("a.mp3", fits))).status_code == 303
    assert cleo.ask("POST", path.format(code=cast.code), data=form_of(("a.mp3", b"x"))).status_code == 413
    assert [upload.size_bytes for upload in Upload.select()] == [uploads.MEGABYTE]
    assert len(list(parts.folder().iterdir())) == 1


def test_a_link_is_shared_by_whoever_has_no_space_left(cast: Cast, cleo: Browser) -> None:
    bring(cast.cleo, None, size=6 * uploads.MEGABYTE)
    assert share(cleo, text="https://music.example/a").status_code == 200


def test_f7_the_disk_is_asked_again_while_a_form_comes(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "PIECE_MOST", 300_000)
    asked: list[int] = []

    def ask(size_bytes: int) -> None:
        asked.append(size_bytes)
        if len(asked) == 5:
            raise parts.DiskFull

    monkeypatch.setattr(parts, "refuse_full_disk", ask)
    before = every_row()
    answer = cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(("a.mp3", SONG)))
    assert answer.status_code == 507 and "no space left" in words(answer)
    # Before it is read for what it says of itself, then for each piece of what comes.
    assert asked[1] > len(SONG) and asked[2:] == [300_000] * 3
    assert every_row() == before and not list(parts.folder().iterdir())
    asked[:] = [0] * 5
    assert cleo.ask("POST", f"/rooms/{cast.code}/files", data=form_of(("a.mp3", SONG))).status_code == 303
    # The last piece is what is left; the very last is asked for the row.
    assert asked[-2] < 300_000 and asked[-1] == len(SONG)


def test_what_breaks_while_a_form_is_taken_in_leaves_nothing(
    cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "begin", lambda *_words: 1 / 0)
    form = form_of(("a.mp3", b"x"), ("b.mp3", b"y"))
    assert cleo.ask("POST", f"/rooms/{cast.code}/files", data=form).status_code == 500
    assert not list(parts.folder().iterdir())


def test_who_may_not_send_files_is_told_before_a_byte_is_read(
    cast: Cast, cleo: Browser, dan: Browser, nobody: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "take_files", lambda _person: pytest.fail("it was read"))
    configuring.change_settings(cast.ada, cast.code, {"uploads": False})
    for browser, status in ((cleo, 403), (dan, 403), (nobody, 401)):
        answer = browser.ask("POST", f"/rooms/{cast.code}/files", data={"file": (io.BytesIO(b"x"), "a.mp3")})
        assert answer.status_code == status


def test_a_form_that_breaks_off_leaves_nothing(cast: Cast, cleo: Browser) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nhalf of it'
    before = every_row()
    answer = cleo.ask(
        "POST", f"/rooms/{cast.code}/files", {"Content-Type": "multipart/form-data; boundary=x"}, data=body
    )
    assert answer.status_code == 422 and "one piece" in words(answer)
    assert every_row() == before and not list(parts.folder().iterdir())


# --- shared by a phone -----------------------------------------------------------------------------------------------


def share(browser: Browser, **form: Any) -> TestResponse:
    # As Chromium sends what it was handed by the system.
    return browser.ask("POST", "/share", {"Sec-Fetch-Site": "none", "Origin": "null"}, data=form)


def test_a_shared_file_goes_to_the_one_room_somebody_is_in(
    cast: Cast, cleo: Browser, handed: list[int]
) -> None:
    answer = share(cleo, title="A song", file=(io.BytesIO(SONG), "a.mp3"))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/rooms/{cast.code}")
    upload = Upload.get()
    assert (upload.room_id, upload.state, handed) == (cast.room().id, "checking", [upload.id])
    assert parts.path_of(upload.token).read_bytes() == SONG


def test_with_several_rooms_it_is_asked_which(cast: Cast, cleo: Browser, handed: list[int]) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    people.join(cast.cleo, other)
    answer = share(cleo, file=[(io.BytesIO(b"one"), "a.mp3"), (io.BytesIO(b"two"), "b.mp3")])
    assert answer.status_code == 200 and "Which room?" in words(answer)
    assert "Friday" in words(answer) and "Other" in words(answer) and "2 files wait" in words(answer)
    assert handed == []
    tokens = [upload.token for upload in Upload.select().order_by(Upload.id)]
    assert all(token in answer.text for token in tokens)
    assert cleo.post("/share/room", code=other, token=tokens).status_code == 303
    assert {upload.room_id for upload in Upload.select()} == {Room.get(Room.code == other).id} and len(
        handed
    ) == 2


def test_of_what_is_shared_it_is_said_which_files_were_not_taken(cast: Cast, cleo: Browser) -> None:
    both = [("<b>notes.txt", b"x"), ("a.mp3", b"one")]
    assert share(cleo, **form_of(*both)).status_code == 303
    why = "That kind of file won’t play here."
    [(first, listens), (second, sentence)] = told(cleo, cast.code)
    assert (first, listens, second) == ("a.mp3", "Having a listen", "<b>notes.txt") and why in sentence
    other = rooms.open_room(cast.cleo, "Other", 300)
    answer = share(cleo, **form_of(*both))
    assert "1 file waits" in words(answer) and f"<b>notes.txt {why}" in words(answer)
    token = Upload.select(Upload.token).where(Upload.state == "receiving").scalar()
    cleo.post("/share/room", code=other, token=token)
    assert told(cleo, other)[-2:] == [("a.mp3", "Having a listen"), ("<b>notes.txt", sentence)]


def test_a_shared_link_is_offered_to_the_links_of_a_room(cast: Cast, cleo: Browser) -> None:
    answer = share(cleo, title="Night Bus", text="Listen: https://music.example/a?b=1&c=<2> now")
    assert answer.status_code == 200 and f'action="/rooms/{cast.code}/links"' in answer.text
    assert 'name="link" value="https://music.example/a?b=1&amp;c=&lt;2&gt;"' in answer.text


def test_nothing_shared_no_room_and_nobody_are_told_so(
    cast: Cast, cleo: Browser, dan: Browser, nobody: Browser
) -> None:
    before = every_row()
    assert "no link and no file" in words(share(cleo, title="hello"))
    assert "You are in no room" in words(share(dan, file=(io.BytesIO(b"x"), "a.mp3")))
    assert share(nobody, file=(io.BytesIO(b"x"), "a.mp3")).status_code == 401
    assert every_row() == before and not list(parts.folder().glob("*"))


def test_the_manifest_says_how_to_share_and_its_pictures_are_there(cast: Cast, nobody: Browser) -> None:
    answer = nobody.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    said = answer.json
    assert (said["start_url"], said["display"], said["share_target"]["action"]) == (
        "/",
        "standalone",
        "/share",
    )
    assert said["share_target"]["params"]["files"] == [{"name": "file", "accept": ["audio/*", "video/*"]}]
    assert [nobody.get(icon["src"]).mimetype for icon in said["icons"]] == ["image/png"] * 3
    assert 'rel="manifest" href="/manifest.webmanifest"' in nobody.get("/").text


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_has_the_ways_in_where_files_are_taken(cast: Cast, cleo: Browser, nobody: Browser) -> None:
    page = cleo.get(f"/rooms/{cast.code}").text
    assert 'data-takes="yes"' in page and f'action="/rooms/{cast.code}/files"' in page
    configuring.change_settings(cast.ada, cast.code, {"uploads": False})
    page = cleo.get(f"/rooms/{cast.code}").text
    assert 'data-takes="no"' in page and "/files" not in page
    assert 'id="uploads"' not in nobody.get(f"/rooms/{cast.code}").text


# --- one's own files -------------------------------------------------------------------------------------------------


def test_everybody_sees_what_they_brought_and_deletes_it(
    cast: Cast, cleo: Browser, ben: Browser, nobody: Browser
) -> None:
    assert "0 MB of 5 MB used. Songs and films that you upload" in words(cleo.get("/account"))
    brought = [bring(cast.cleo, cast.code, key, 2 * uploads.MEGABYTE) for key in ("a", "b")]
    Track.update(title="<i>Night</i> Bus").where(Track.id == brought[0]).execute()
    page = tree(cleo.get("/account"))
    assert "4 MB of 5 MB used." in str(page.find("files"))
    assert str(page.find(f"file-{brought[0]}")).count("<i>Night</i> Bus") == 3
    forms = [node.attrs["action"] for node in page.all() if node.tag == "form"]
    addresses = [f"/uploads/tracks/{track}/removal" for track in brought]
    assert set(addresses) <= set(forms)
    before = every_row()
    assert ben.post(addresses[0]).status_code == cleo.post("/uploads/tracks/999/removal").status_code == 404
    assert nobody.post(addresses[0]).status_code == 401 and every_row() == before
    assert "file-" not in ben.get("/account").text
    answer = cleo.post(addresses[0], page="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?done=file&page=1#files")
    page = cleo.get("/account?done=file&page=1")
    assert "Its space is free again" in words(page) and "2 MB of 5 MB used." in words(page)
    assert f"file-{brought[0]}" not in page.text and f"file-{brought[1]}" in page.text
    assert files.orphans() == [brought[0]]
    assert cleo.post(addresses[0]).status_code == 404


def test_what_was_begun_and_left_is_listed_with_its_bytes_and_called_off(
    cast: Cast, cleo: Browser, ben: Browser, nobody: Browser
) -> None:
    assert "Not here yet" not in words(cleo.get("/account"))
    token, shared = (
        begin(cleo, cast, name="<b>a.mp3", size=2**21),
        uploads.begin_shared(cast.cleo, "b.mp3", 9),
    )
    send(cleo, token, 0, b"x" * 2**20)
    done = begin(cleo, cast, name="done.mp3", size=1)
    send(cleo, done, 0, b"x")
    page = cleo.get("/account")
    said = words(page)
    assert "<b>a.mp3" in said and "1 MB of 2 MB came" in said and "b.mp3" in said
    assert "done.mp3" not in said and "Not here yet" not in words(ben.get("/account"))
    address = f"/uploads/{token}/cancellation"
    assert page.text.count("/cancellation") == 2 and f'action="{address}"' in page.text
    before = every_row()
    assert (ben.post(address).status_code, nobody.post(address).status_code) == (404, 401)
    assert every_row() == before
    answer = cleo.post(address)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?done=upload#files")
    assert (row(token).state, parts.path_of(token).exists()) == ("cancelled", False)
    page = cleo.get("/account?done=upload")
    assert "That upload is called off." in words(page) and token not in page.text and shared in page.text


def test_the_library_leads_to_ones_own_files(cast: Cast, cleo: Browser, nobody: Browser) -> None:
    assert 'href="/account#files"' in cleo.get("/library").text
    assert "/account#files" not in nobody.get("/library").text


def test_many_files_come_in_pages(cast: Cast, cleo: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PAGE", 1)
    newer, older = bring(cast.cleo, cast.code, "b"), bring(cast.cleo, cast.code, "a")
    Holding.update(added_at=9).where(Holding.track == newer).execute()
    first, second = cleo.get("/account").text, cleo.get("/account?page=2").text
    assert f'id="file-{newer}"' in first and f'id="file-{older}"' not in first
    assert 'href="/account?page=2#files"' in first and 'rel="prev"' not in first
    assert "A file that you keep in a playlist is yours too once whoever brought it deletes it." in first
    assert f'id="file-{older}"' in second and 'name="page" value="2"' in second and 'rel="next"' not in second
    # The last of a page that is gone then leads to the one before.
    assert (
        cleo.post(f"/uploads/tracks/{older}/removal", page="2").headers["Location"].endswith("page=2#files")
    )
    assert f'id="file-{newer}"' in cleo.get("/account?page=2").text
    assert cleo.get("/account?page=x").status_code == 422
