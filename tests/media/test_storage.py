"""Files of media are kept whole or not at all, in a folder and in a bucket alike, and trouble is said in a sentence."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import ROOT, settings
from media import bucket, storage
from media.bucket import S3Store
from media.provider import Trouble
from media.storage import LocalStore, Store, open_store

pytest_plugins = ["tests.media.s3"]

HOUR_MS, YEAR_MS = 3_600_000, 31_536_000_000
WRONG = (
    "", "/etc/passwd", "../secret", "a/../b", "a//b", "a/", ".hidden", "a/.b", "Upper", "a b", "a\\b", "a\x00b", "a\n",
    "ä.mp3", "a" * 201, "covers/%2e%2e",
)  # fmt: skip


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "incoming"
    path.write_bytes(bytes(range(256)) * 400)
    return path


def names(store: Store, prefix: str = "") -> list[str]:
    return sorted(each.name for each in store.names(prefix))


def refused(act: object) -> Trouble:
    with pytest.raises(Trouble) as caught:
        act()  # type: ignore[operator]
    return caught.value


# --- both places -----------------------------------------------------------------------------------------------------


def test_what_is_put_in_is_there_whole_and_the_file_stays(store: Store, sound: Path) -> None:
    assert not store.exists("uploads/a.mp3")
    store.put(sound, "uploads/a.mp3")
    assert sound.read_bytes() == bytes(range(256)) * 400
    assert store.exists("uploads/a.mp3") and store.size("uploads/a.mp3") == 102_400
    assert store.read("uploads/a.mp3", 200_000) == sound.read_bytes()
    [kept] = store.names("uploads/")
    assert (kept.name, kept.size_bytes) == ("uploads/a.mp3", 102_400)
    assert abs(kept.at_ms - os.path.getmtime(sound) * 1000) < HOUR_MS


def test_its_time_is_when_it_was_put_in(store: Store, sound: Path) -> None:
    os.utime(sound, (1_000_000_000, 1_000_000_000))
    store.put(sound, "uploads/a.mp3")
    [kept] = store.names()
    assert kept.at_ms > 1_700_000_000_000


def test_putting_again_replaces(store: Store, sound: Path, tmp_path: Path) -> None:
    store.put(sound, "uploads/a.mp3")
    other = tmp_path / "other"
    other.write_bytes(b"other")
    store.put(other, "uploads/a.mp3")
    assert store.read("uploads/a.mp3", 10) == b"other" and names(store) == ["uploads/a.mp3"]
    # What the first file's owner has is not written over.
    assert sound.stat().st_size == 102_400


def test_what_is_deleted_is_gone_and_again_is_no_trouble(store: Store, sound: Path) -> None:
    store.put(sound, "uploads/a.mp3")
    store.put(sound, "uploads/b.mp3")
    store.delete("uploads/a.mp3")
    store.delete("uploads/a.mp3")
    store.delete("uploads/never.mp3")
    assert not store.exists("uploads/a.mp3") and names(store) == ["uploads/b.mp3"]


def test_names_are_listed_by_how_they_begin(store: Store, sound: Path) -> None:
    for name in ("uploads/a.mp3", "covers/a-640.webp", "covers/a-96.webp", "coversong.mp3"):
        store.put(sound, name)
    assert names(store, "covers/") == ["covers/a-640.webp", "covers/a-96.webp"]
    assert names(store, "covers/a-9") == ["covers/a-96.webp"]
    assert names(store, "cover") == ["covers/a-640.webp", "covers/a-96.webp", "coversong.mp3"]
    assert names(store, "nothing/") == [] and len(names(store)) == 4


def test_more_names_than_one_page_has_are_all_listed(store: Store, sound: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"x")
    for number in range(12):
        store.put(small, f"uploads/{number:02}.mp3")
    assert names(store, "uploads/") == [f"uploads/{number:02}.mp3" for number in range(12)]


@pytest.mark.parametrize("name", WRONG)
def test_a_name_never_leads_anywhere_else(store: Store, sound: Path, name: str) -> None:
    for act in (
        lambda: store.put(sound, name),
        lambda: store.delete(name),
        lambda: store.exists(name),
        lambda: store.size(name),
        lambda: store.read(name, 10),
        lambda: store.path(name),
        lambda: store.url(name, mime="audio/mpeg", seconds=60),
    ):
        with pytest.raises(ValueError):
            act()


def test_what_is_not_there_is_said_so(store: Store, sound: Path, tmp_path: Path) -> None:
    for act in (lambda: store.size("uploads/x.mp3"), lambda: store.read("uploads/x.mp3", 10)):
        trouble = refused(act)
        assert trouble.sentence == "That file is not here any more." and not trouble.again
    assert not refused(lambda: store.put(tmp_path / "nothing", "uploads/x.mp3")).again
    assert names(store) == []


def test_a_file_larger_than_was_asked_for_is_not_read(store: Store, sound: Path) -> None:
    store.put(sound, "subtitles/a.vtt")
    assert refused(lambda: store.read("subtitles/a.vtt", 102_399)).sentence == "That file is too large."
    assert len(store.read("subtitles/a.vtt", 102_400)) == 102_400


def test_the_operator_is_told_where_files_lie_and_never_a_secret(store: Store) -> None:
    said = store.says()
    assert "media folder" in said or said.startswith("The bucket party-") and said.endswith("answers.")
    assert "secret" not in said and "\n" not in said


def test_one_installation_has_one_store(tmp_path: Path, media_url: str) -> None:
    local, far = (
        replace(settings, data_dir=tmp_path),
        replace(settings, data_dir=tmp_path, media_url=media_url),
    )
    assert open_store(local) is open_store(replace(settings, data_dir=tmp_path))
    assert isinstance(open_store(local), LocalStore) and isinstance(open_store(far), S3Store)
    assert open_store(far) is open_store(far) and open_store(far) is not open_store(local)


def test_without_a_bucket_its_library_is_not_loaded() -> None:
    words = "import sys, config; from media.storage import open_store; open_store(config.settings); "
    done = subprocess.run(
        [sys.executable, "-c", words + "print('boto3' in sys.modules)"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.strip() == "False", done.stderr


# --- the folder ------------------------------------------------------------------------------------------------------


def test_locally_a_file_lies_below_the_folder_and_has_no_address_elsewhere(
    tmp_path: Path, sound: Path
) -> None:
    store = LocalStore(tmp_path / "media")
    store.put(sound, "uploads/a.mp3")
    assert store.path("uploads/a.mp3") == tmp_path / "media/uploads/a.mp3"
    assert store.url("uploads/a.mp3", mime="audio/mpeg", seconds=60) is None and store.origin() == ""
    assert [path.name for path in (tmp_path / "media").rglob("*")] == ["uploads", "a.mp3"]


def test_from_another_disk_a_file_is_copied(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", link)
    store = LocalStore(tmp_path / "media")
    store.put(sound, "uploads/a.mp3")
    target = tmp_path / "media/uploads/a.mp3"
    assert target.read_bytes() == sound.read_bytes() and target.stat().st_ino != sound.stat().st_ino


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_put_that_breaks_off_leaves_what_was_there(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store, old = LocalStore(tmp_path / "media"), tmp_path / "old"
    old.write_bytes(b"old")
    store.put(old, "uploads/a.mp3")

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "the disk broke")

    with monkeypatch.context() as context:
        context.setattr(os, step, broken)
        assert refused(lambda: store.put(sound, "uploads/a.mp3")).again
    assert store.read("uploads/a.mp3", 10) == b"old"
    assert [path.name for path in (tmp_path / "media").rglob("*")] == ["uploads", "a.mp3"]


def test_what_a_crash_left_unfinished_is_never_listed_and_goes_after_a_while(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    (tmp_path / "uploads").mkdir()
    left, young = tmp_path / "uploads/.0123.new", tmp_path / "uploads/.4567.new"
    for path in (left, young):
        path.write_bytes(b"half")
    os.utime(left, (1_000_000_000, 1_000_000_000))
    assert names(store) == [] and store.tidy(HOUR_MS) == 1
    assert not left.exists() and young.exists()


# --- F7: a full disk -------------------------------------------------------------------------------------------------


def test_f7_a_disk_that_is_nearly_full_takes_no_file_and_keeps_room_for_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, free = LocalStore(tmp_path), [storage.RESERVE_BYTES + 1000]
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free[0]}))
    assert store.free_bytes() == 1000
    store.refuse_full(1000)
    trouble = refused(lambda: store.refuse_full(1001))
    assert trouble.sentence == storage.NO_SPACE and trouble.again
    free[0] = storage.RESERVE_BYTES - 1
    assert store.free_bytes() == 0 and refused(lambda: store.refuse_full(1)) and "full" in store.says()
    free[0] = storage.RESERVE_BYTES + 5 * 10**9
    store.refuse_full(10**9)
    assert "5.0 GB" in store.says()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_f7_simulated_a_disk_that_fills_up_half_way_refuses_and_heals(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    store = LocalStore(tmp_path / "media")
    store.put(sound, "uploads/kept.mp3")

    def copy(source: object, target: object, length: int = 0) -> None:
        target.write(source.read(1000))  # type: ignore[attr-defined]
        raise OSError(number, "full after a thousand bytes")

    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    with monkeypatch.context() as full:
        full.setattr(os, "link", link)
        full.setattr(storage.shutil, "copyfileobj", copy)
        trouble = refused(lambda: store.put(sound, "uploads/b.mp3"))
    assert trouble.sentence == storage.NO_SPACE and trouble.again
    assert [path.name for path in (tmp_path / "media").rglob("*.*")] == ["kept.mp3"]
    assert store.read("uploads/kept.mp3", 200_000) == sound.read_bytes()
    store.put(sound, "uploads/b.mp3")
    assert names(store) == ["uploads/b.mp3", "uploads/kept.mp3"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this machine lets us have one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("no small disk can be had here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_f7_a_disk_that_is_really_full_refuses_and_heals(small_disk: Path, tmp_path: Path) -> None:
    store, sound = LocalStore(small_disk), tmp_path / "sound"
    sound.write_bytes(os.urandom(600_000))
    digest = hashlib.sha256(sound.read_bytes()).hexdigest()
    store.put(sound, "uploads/kept.mp3")
    assert refused(lambda: store.put(sound, "uploads/b.mp3")).sentence == storage.NO_SPACE
    assert [path.name for path in small_disk.rglob("*.*")] == ["kept.mp3"]
    assert hashlib.sha256(store.read("uploads/kept.mp3", 10**6)).hexdigest() == digest
    store.delete("uploads/kept.mp3")
    store.put(sound, "uploads/b.mp3")
    assert hashlib.sha256(store.read("uploads/b.mp3", 10**6)).hexdigest() == digest


# --- the bucket ------------------------------------------------------------------------------------------------------


@pytest.fixture
def far(media_url: str, tmp_path: Path) -> S3Store:
    return S3Store(media_url, LocalStore(tmp_path / "media"))


def test_a_signed_address_gives_the_file_with_the_type_we_say(far: S3Store, sound: Path) -> None:
    far.put(sound, "uploads/a.mp3")
    address = far.url("uploads/a.mp3", mime="audio/mpeg", seconds=60)
    assert address and address.startswith(far.origin() + "/party-")
    assert "X-Amz-Expires=60" in address and "secret" not in address
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == sound.read_bytes()
        assert answer.headers["Content-Type"] == "audio/mpeg"
        assert answer.headers["Content-Disposition"] == "inline"
    part = urllib.request.Request(address, headers={"Range": "bytes=100-199"})
    with urllib.request.urlopen(part) as answer:
        assert answer.status == 206 and answer.read() == sound.read_bytes()[100:200]
        assert answer.headers["Content-Range"] == "bytes 100-199/102400"


def test_a_head_and_a_download_are_signed_as_such(far: S3Store, sound: Path) -> None:
    far.put(sound, "uploads/a.bin")
    get = far.url("uploads/a.bin", mime="audio/mpeg", seconds=60)
    head = far.url("uploads/a.bin", mime="audio/mpeg", seconds=60, method="HEAD")
    saved = far.url("uploads/a.bin", mime="application/octet-stream", seconds=60, download_name="a.bin")
    assert len({get, head, saved}) == 3 and head and saved
    with urllib.request.urlopen(urllib.request.Request(head, method="HEAD")) as answer:
        assert answer.headers["Content-Length"] == "102400"
    with urllib.request.urlopen(saved) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a.bin"'


def test_an_address_stays_the_same_for_half_its_life(
    far: S3Store, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, made = [1000.0], []
    monkeypatch.setattr(bucket.time, "monotonic", lambda: now[0])
    sign = far._client.generate_presigned_url
    monkeypatch.setattr(
        far._client, "generate_presigned_url", lambda *a, **k: made.append(1) or sign(*a, **k)
    )
    first = far.url("uploads/a.mp3", mime="audio/mpeg", seconds=60)
    now[0] += 29
    assert far.url("uploads/a.mp3", mime="audio/mpeg", seconds=60) == first and len(made) == 1
    now[0] += 1
    far.url("uploads/a.mp3", mime="audio/mpeg", seconds=60)
    assert len(made) == 2


def test_a_large_file_goes_in_parts_and_arrives_whole(
    far: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(bucket.PART_BYTES + 5_000_000))
    far.put(large, "uploads/large.mp4")
    found = hashlib.sha256(far.read("uploads/large.mp4", bucket.PART_BYTES * 2)).digest()
    assert found == hashlib.sha256(large.read_bytes()).digest()
    etag = far._client.head_object(Bucket=far.bucket, Key="deep/er/uploads/large.mp4")["ETag"]
    assert etag.endswith('-2"')


def test_what_lies_here_already_is_served_from_here_and_deleted_here(far: S3Store, sound: Path) -> None:
    far.here.put(sound, "audio/demo.mp3")
    assert (
        far.path("audio/demo.mp3") and far.exists("audio/demo.mp3") and far.size("audio/demo.mp3") == 102_400
    )
    far.put(sound, "uploads/a.mp3")
    assert far.path("uploads/a.mp3") is None
    assert names(far) == ["audio/demo.mp3", "uploads/a.mp3"]
    far.delete("audio/demo.mp3")
    assert far.path("audio/demo.mp3") is None and names(far) == ["uploads/a.mp3"]


def test_names_below_another_prefix_are_not_ours(far: S3Store, sound: Path) -> None:
    far._client.put_object(Bucket=far.bucket, Key="uploads/foreign.mp3", Body=b"x")
    far._client.put_object(Bucket=far.bucket, Key="deep/errand.mp3", Body=b"x")
    assert names(far) == [] and names(far, "uploads/") == []


def test_parts_that_a_crash_left_in_the_bucket_go_after_a_while(far: S3Store) -> None:
    far._client.create_multipart_upload(Bucket=far.bucket, Key="deep/er/uploads/half.mp4")
    # moto says of every upload that it began in 2010.
    assert far.tidy(40 * YEAR_MS) == 0
    assert far.tidy(HOUR_MS) == 1 and far.tidy(HOUR_MS) == 0


def test_a_bucket_that_is_not_there_is_said_so(s3_endpoint: str, tmp_path: Path, sound: Path) -> None:
    store = S3Store(f"s3://key:secret@{s3_endpoint}/nobody?insecure=1", LocalStore(tmp_path / "media"))
    for act in (
        lambda: store.put(sound, "uploads/a.mp3"),
        lambda: list(store.names("uploads/")),
        lambda: store.read("uploads/a.mp3", 10),
        lambda: store.tidy(1),
    ):
        trouble = refused(act)
        assert trouble.sentence == bucket.NO_BUCKET and not trouble.again
    assert store.says() == f"The bucket nobody at {s3_endpoint}: {bucket.NO_BUCKET}"


ERRORS = [
    (403, "InvalidAccessKeyId", bucket.NO_KEY, False),
    (403, "SignatureDoesNotMatch", bucket.NO_KEY, False),
    (403, "AccessDenied", bucket.NO_KEY, False),
    (404, "NoSuchBucket", bucket.NO_BUCKET, False),
    (507, "XMinioStorageFull", bucket.NO_SPACE, True),
    (403, "QuotaExceeded", bucket.NO_SPACE, True),
    (507, "SomethingElse", bucket.NO_SPACE, True),
    (400, "EntityTooLarge", "That file is larger than the store for media takes.", False),
    (500, "InternalError", bucket.NO_ANSWER, True),
    (503, "SlowDown", bucket.NO_ANSWER, True),
]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[tuple[S3Store, list[bytes]]]:
    """A bucket that answers each request with the same bytes; an empty answer is none at all."""
    listener, said = socket.create_server(("127.0.0.1", 0)), [b""]
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if not said[0]:
                held.append(client)
                continue
            with client:
                client.recv(65_536)
                client.sendall(said[0])

    threading.Thread(target=serve, daemon=True).start()
    address = f"s3://key:secret@127.0.0.1:{listener.getsockname()[1]}/party?insecure=1"
    yield S3Store(address, LocalStore(tmp_path / "media")), said
    listener.close()
    for client in held:
        client.close()


@pytest.mark.parametrize(("status", "code", "sentence", "again"), ERRORS)
def test_each_refusal_of_a_bucket_has_its_sentence(
    answering: tuple[S3Store, list[bytes]],
    sound: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    sentence: str,
    again: bool,
) -> None:
    store, said = answering
    monkeypatch.setattr("time.sleep", lambda _: None)
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    said[0] = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )
    trouble = refused(lambda: store.read("uploads/a.mp3", 10))
    assert (trouble.sentence, trouble.again) == (sentence, again)


def test_a_bucket_that_does_not_answer_is_given_up_on(
    answering: tuple[S3Store, list[bytes]], sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = answering
    impatient = bucket._CONFIG.merge(bucket.Config(read_timeout=0.05, retries={"total_max_attempts": 2}))
    monkeypatch.setattr(bucket, "_CONFIG", impatient)
    monkeypatch.setattr("time.sleep", lambda _: None)
    for act in (lambda: store.put(sound, "uploads/a.mp3"), lambda: store.exists("uploads/a.mp3")):
        trouble = refused(act)
        assert trouble.sentence == bucket.NO_ANSWER and trouble.again


def test_a_bucket_that_nobody_runs_is_said_so(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    store = S3Store(f"s3://key:secret@127.0.0.1:{port}/party?insecure=1", LocalStore(tmp_path / "media"))
    assert refused(lambda: store.put(sound, "uploads/a.mp3")).sentence == bucket.NO_ANSWER
    assert store.says().endswith(bucket.NO_ANSWER)


def test_a_bucket_is_reached_by_https_unless_it_says_otherwise(tmp_path: Path) -> None:
    here = LocalStore(tmp_path)
    plain = S3Store("s3://key:secret@s3.example.org:9000/party/a/b?region=eu-central-1", here)
    assert (plain.origin(), plain.bucket, plain.prefix) == ("https://s3.example.org:9000", "party", "a/b/")
    address = plain.url("uploads/a.mp3", mime="audio/mpeg", seconds=60)
    assert address and address.startswith("https://s3.example.org:9000/party/a/b/uploads/a.mp3?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in address and "%2Feu-central-1%2Fs3%2F" in address
