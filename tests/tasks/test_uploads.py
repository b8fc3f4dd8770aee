"""What becomes of uploads in the worker: tracks with words and covers, refusals, repeats, and slow work afterwards."""

from __future__ import annotations

import errno
import hashlib
from pathlib import Path

import pytest

import tasks
from media import artwork, loudness, posters, probing, storage, tools, waveform
from media.provider import Trouble
from models import Item, Track, Upload
from party import measuring, queue, tracks, work
from party import uploads as rules
from tasks import huey, uploads
from tests.media import making as m
from tests.media.arrivals import Arrivals
from tests.stage import Cast

NEEDS_FFMPEG = pytest.mark.skipif(not tools.has_ffmpeg(), reason="ffmpeg is not installed")
SONG = m.tagged(
    m.text("TIT2", "Song \u202e"), m.text("TPE1", "Them"), m.text("TALB", "It"), m.text("TCON", "Dub")
)


@pytest.fixture
def arrivals(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Arrivals:
    return Arrivals(cast, tmp_path, monkeypatch)


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tracks whose measuring was handed to the worker."""
    asked: list[int] = []
    monkeypatch.setitem(work.carriers, "measure_track", asked.append)
    return asked


def work_off(most: int = 5) -> list[str]:
    """One thread of the worker does so much of what is in the queue; the names of what it took."""
    taken: list[str] = []
    while len(taken) < most and (task := huey.dequeue()) is not None:
        taken.append(task.name)
        huey.execute(task)
    return taken


def test_a_good_file_becomes_a_track_on_the_line(arrivals: Arrivals, handed: list[int]) -> None:
    row = arrivals.check("song.mp3", SONG)
    track, digest = row.track, hashlib.sha256(SONG).hexdigest()
    assert (row.state, row.reason) == ("ready", "")
    assert (track.title, track.artist, track.album, track.genre) == ("Song", "Them", "It", "Dub")
    assert (track.provider, track.mime, track.is_video, track.sha256) == (
        "upload",
        "audio/mpeg",
        False,
        digest,
    )
    assert track.size_bytes == len(SONG) and 2_000 < track.duration_ms < 2_200
    assert track.media_file.startswith(f"uploads/{digest[:2]}/{digest[:40]}-") and track.media_file.endswith(
        ".mp3"
    )
    assert track.cover_file.endswith("-640.webp") and track.hue != ""
    assert Item.get(Item.track == track).room_id == arrivals.cast.room().id
    assert handed == [track.id]
    # What arrived in pieces is gone, what is kept is whole.
    stem = track.cover_file.removesuffix("-640.webp")
    names = {track.media_file, *(f"{stem}-{size}.webp" for size in (640, 320, 96))}
    assert arrivals.files() == {f"media/{name}" for name in names}
    assert arrivals.stored(track.media_file).read_bytes() == SONG


@pytest.mark.parametrize(
    ("name", "data", "mime", "is_video"),
    [
        ("a.mp3", m.sound("FLAC"), "audio/flac", False),
        ("a.flac", m.sound("OGG", "OPUS", rate=48_000), "audio/ogg", False),
        ("a.wav", m.mp4(), "video/mp4", True),
        ("a.mp4", m.mp4(kinds=(b"soun",)), "audio/mp4", False),
        ("a.mp4", m.webm(), "video/webm", True),
        ("a.opus", m.wav(), "audio/wav", False),
    ],
)
def test_what_counts_is_the_content_and_not_the_name(
    name: str, data: bytes, mime: str, is_video: bool, arrivals: Arrivals
) -> None:
    track = arrivals.track(name, data)
    assert (track.mime, track.is_video) == (mime, is_video)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("my_first_song.mp3", "my first song"),
        ("../../etc/passwd.mp3", "passwd"),
        ("C:\\music\\a.b.mp3", "a.b"),
        (".mp3", ".mp3"),
        ("\u202e\u200b.mp3", "Untitled"),
        ("x" * 190 + ".mp3", "x" * 190),
    ],
)
def test_without_a_title_the_name_of_the_file_is_one(name: str, title: str, arrivals: Arrivals) -> None:
    assert arrivals.track(name, m.mp3()).title == title


def test_the_cover_in_the_file_is_taken_and_else_one_is_drawn(arrivals: Arrivals) -> None:
    own = arrivals.track("a.mp3", m.tagged(m.picture(m.image("PNG", (200, 200)))))
    assert own.hue == "45"
    drawn = arrivals.track("b.mp3", m.mp3())
    sizes = [arrivals.stored(track.cover_file).stat().st_size for track in (own, drawn)]
    assert sizes[0] != sizes[1]


def test_a_file_that_is_none_goes_with_a_sentence(arrivals: Arrivals, handed: list[int]) -> None:
    row = arrivals.check("a.mp3", b"<html>")
    assert (row.state, row.reason) == ("refused", "That is not a sound or a video we know.")
    assert arrivals.files() == set() and handed == []


def test_the_same_bytes_again_are_the_same_track(arrivals: Arrivals, handed: list[int]) -> None:
    first = arrivals.check("a.mp3", SONG)
    before = arrivals.files()
    again = arrivals.check("b.mp3", SONG)
    assert (again.state, again.track_id) == ("ready", first.track_id)
    assert Track.select().where(Track.provider == "upload").count() == 1
    assert arrivals.files() == before and handed == [first.track_id]


def test_looking_twice_changes_nothing(arrivals: Arrivals) -> None:
    upload_id = arrivals.send("a.mp3", SONG)
    uploads.check_upload.call_local(upload_id)
    before = (arrivals.files(), list(Track.select().tuples()), list(Upload.select().tuples()))
    uploads.check_upload.call_local(upload_id)
    uploads.check_upload.call_local(99_999)
    assert (arrivals.files(), list(Track.select().tuples()), list(Upload.select().tuples())) == before


def test_a_file_called_off_meanwhile_leaves_nothing(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = arrivals.send("a.mp3", SONG)
    keep = artwork.keep_cover

    def late(*words: object) -> artwork.Cover:
        rules.cancel(arrivals.cast.ada, Upload.get_by_id(upload_id).token)
        return keep(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(artwork, "keep_cover", late)
    uploads.check_upload.call_local(upload_id)
    assert Upload.get_by_id(upload_id).state == "cancelled"
    assert arrivals.files() == set() and not Track.select().where(Track.provider == "upload").exists()


def test_bytes_that_are_not_there_are_said_to_be_missing(arrivals: Arrivals) -> None:
    upload_id = arrivals.send("a.mp3", SONG)
    for path in (arrivals.folder / "uploads").iterdir():
        path.unlink()
    uploads.check_upload.call_local(upload_id)
    assert Upload.get_by_id(upload_id).reason == uploads.MISSING


def test_a_full_disk_is_said_and_nothing_is_left(arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_source: Path, _fresh: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(storage, "_place", full)
    row = arrivals.check("a.mp3", SONG)
    assert (row.state, row.reason) == ("refused", storage.NO_SPACE)
    assert arrivals.files() == set()


def test_what_nobody_foresaw_refuses_the_file_and_is_an_alarm(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall(_path: Path) -> probing.Probed:
        raise RuntimeError("a bug")

    monkeypatch.setattr(probing, "probe", fall)
    upload_id = arrivals.send("a.mp3", SONG)
    with pytest.raises(RuntimeError):
        uploads.check_upload.call_local(upload_id)
    row = Upload.get_by_id(upload_id)
    assert (row.state, row.reason) == ("refused", uploads.BROKEN)
    assert arrivals.files() == set()


def test_a_video_shows_one_of_its_frames(arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def take(_path: Path, demuxer: str, duration_ms: int) -> bytes:
        asked.append((demuxer, duration_ms))
        return m.image("JPEG", (90, 90))

    monkeypatch.setattr(posters, "take", take)
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    assert arrivals.track("a.mp4", m.mp4(seconds=3)).hue == "45"
    arrivals.track("b.mp3", SONG)
    assert asked == [("mov", 3_000)]


# --- how loud --------------------------------------------------------------------------------------------------------


@NEEDS_FFMPEG
def test_a_track_is_measured_drawn_and_made_smaller_and_the_line_is_told(arrivals: Arrivals) -> None:
    track = arrivals.track("a.wav", m.sound("WAV", seconds=4))
    seq = arrivals.cast.room().seq
    uploads.measure_track.call_local(track.id)
    track = Track.get_by_id(track.id)
    assert -25 < track.loudness_lufs < -14 and len(track.peaks) == waveform.BARS
    assert track.opus_file == track.media_file.replace(".wav", "-made.opus")
    assert arrivals.stored(track.opus_file).read_bytes()[:4] == b"OggS"
    assert arrivals.cast.kinds(after=seq) == ["item_described"]
    assert arrivals.cast.seen().peaks == track.peaks
    uploads.measure_track.call_local(track.id)
    assert arrivals.cast.kinds(after=seq) == ["item_described"]


@pytest.mark.parametrize(
    ("name", "data", "lufs", "gains"),
    [
        ("a.mp3", m.sound("MP3"), -30.1, [12.0]),
        ("a.mp3", m.sound("MP3"), -24.5, [6.5]),
        ("a.mp3", m.sound("MP3"), -19.0, []),
        ("a.mp3", m.sound("MP3"), -9.0, []),
        ("a.mp3", m.sound("MP3"), loudness.SILENT_LUFS, []),
        ("a.opus", m.sound("OGG", "OPUS", rate=48_000), -20.0, [2.0]),
        ("a.webm", m.webm(kinds=(2,)), -20.0, [2.0]),
        ("a.webm", m.webm(), -20.0, []),
        ("a.mp4", m.mp4(), -20.0, []),
        ("a.wav", m.wav(), -18.5, [0.0]),
        ("a.wav", m.wav(), -9.0, [0.0]),
        ("a.wav", m.wav(), -20.0, [2.0]),
    ],
)
def test_quiet_sound_is_raised_and_pictures_are_left_alone(
    name: str,
    data: bytes,
    lufs: float,
    gains: list[float],
    arrivals: Arrivals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []

    def render(_path: Path, _demuxer: str, _length: int, into: Path, gain_db: float) -> bool:
        given.append(gain_db)
        into.write_bytes(m.sound("OGG", "OPUS", rate=48_000))
        return True

    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(posters, "take", lambda *_words: None)
    monkeypatch.setattr(loudness, "measure", lambda *_words: lufs)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z")
    monkeypatch.setattr(uploads.opus, "render", render)
    track = arrivals.track(name, data)
    uploads.measure_track.call_local(track.id)
    track = Track.get_by_id(track.id)
    assert given == gains and track.opus_gain_db == sum(gains)
    assert track.opus_file == (f"{track.media_file.rpartition('.')[0]}-made.opus" if gains else "")
    view = tracks.view_of(track)
    assert view.is_lifted == (sum(gains) > 0)
    assert (view.gain, view.opus_gain) == ((0.355, 0.355) if lufs == -9.0 else (1.0, 1.0))


def test_the_house_s_own_tracks_stay_as_they_are(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loudness, "measure", lambda *_words: -30.0)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z")
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(Path, "exists", lambda _path: True)
    heard = uploads._listen(Path("x.mp3"), "audio/x.mp3", 2_000, False, storage.LocalStore(Path("/nowhere")))
    assert heard == uploads.Measured(-30.0, "z")


@pytest.mark.parametrize("made", [m.sound("OGG", "OPUS", rate=48_000, seconds=1.5), b"OggS"])
def test_a_raised_rendition_that_would_move_the_track_is_left_out(
    made: bytes, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def render(_path: Path, _demuxer: str, _length: int, into: Path, _gain_db: float) -> bool:
        into.write_bytes(made)
        return True

    track = arrivals.track("a.mp3", m.sound("MP3"))
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(loudness, "measure", lambda *_words: -30.0)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z")
    monkeypatch.setattr(uploads.opus, "render", render)
    uploads.measure_track.call_local(track.id)
    track = Track.get_by_id(track.id)
    assert (track.loudness_lufs, track.opus_file, track.opus_gain_db) == (-30.0, "", 0.0)
    assert not any(name.endswith(".opus") for name in arrivals.files())


@pytest.mark.parametrize("raised", [None, b"OggS", m.sound("OGG", "OPUS", rate=48_000, seconds=1.5)])
@pytest.mark.parametrize(("name", "data"), [("a.wav", m.wav()), ("a.flac", m.sound("FLAC"))])
def test_where_it_cannot_be_raised_there_is_opus_as_it_came_for_those_who_need_it(
    raised: bytes | None, name: str, data: bytes, arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    plain = m.sound("OGG", "OPUS", rate=48_000)

    def render(_path: Path, _demuxer: str, _length: int, into: Path, gain_db: float) -> bool:
        given.append(gain_db)
        made = raised if gain_db else plain
        if made is not None:
            into.write_bytes(made)
        return made is not None

    track = arrivals.track(name, data)
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(loudness, "measure", lambda *_words: -20.0)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z")
    monkeypatch.setattr(uploads.opus, "render", render)
    uploads.measure_track.call_local(track.id)
    track = Track.get_by_id(track.id)
    assert given == [2.0, 0.0] and track.opus_gain_db == 0.0
    assert arrivals.stored(track.opus_file).read_bytes() == plain
    assert not tracks.view_of(track).is_lifted


def test_a_track_given_up_while_it_is_measured_leaves_no_rendition(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = arrivals.track("a.wav", m.wav())

    def give_up(*_words: object) -> float:
        Track.update(media_file="", state="failed").where(Track.id == track.id).execute()
        return -20.0

    def render(_path: Path, _demuxer: str, _length: int, into: Path, _gain_db: float) -> bool:
        into.write_bytes(m.sound("OGG", "OPUS", rate=48_000))
        return True

    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(loudness, "measure", give_up)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "")
    monkeypatch.setattr(uploads.opus, "render", render)
    uploads.measure_track.call_local(track.id)
    assert Track.get_by_id(track.id).loudness_lufs is None
    assert not any(name.endswith(".opus") for name in arrivals.files())


def test_a_rendition_that_does_not_fit_is_left_out(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = arrivals.track("a.wav", m.wav())

    def put(_store: object, _path: Path, _name: str) -> None:
        raise Trouble(storage.NO_SPACE)

    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(loudness, "measure", lambda *_words: -9.0)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z")
    monkeypatch.setattr(uploads.opus, "render", lambda *_words: True)
    monkeypatch.setattr(storage.LocalStore, "put", put)
    uploads.measure_track.call_local(track.id)
    track = Track.get_by_id(track.id)
    assert (track.loudness_lufs, track.peaks, track.opus_file) == (-9.0, "z", "")


def test_what_cannot_be_measured_is_not_asked_again(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    [gone] = arrivals.cast.tracks[:1]
    uploads.measure_track.call_local(gone)
    assert Track.get_by_id(gone).loudness_lufs == loudness.SILENT_LUFS
    assert measuring.to_measure(gone) is None


def test_one_is_measured_after_the_other(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, handed: list[int]
) -> None:
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    first, second, *_ = arrivals.cast.tracks
    uploads.measure_track.call_local(first)
    assert handed == [second]


def test_only_one_is_measured_at_a_time(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, handed: list[int]
) -> None:
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    [first] = arrivals.cast.tracks[:1]
    with uploads._measuring:
        uploads.measure_track.call_local(first)
        uploads.measure_next()
    assert Track.get_by_id(first).loudness_lufs is None and handed == []
    uploads.measure_next()
    assert handed == [first]


def test_the_sweep_finds_what_nobody_measured(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, handed: list[int]
) -> None:
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    tasks.keeping.sweep.call_local()
    assert handed == arrivals.cast.tracks[:1]


def test_half_of_the_worker_stays_free(arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id, [first] = arrivals.send("a.mp3", SONG), arrivals.cast.tracks[:1]
    later: list[tuple[object, ...]] = []
    monkeypatch.setattr(uploads.check_upload, "schedule", lambda words, delay: later.append((*words, delay)))
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    with uploads._slots, uploads._slots:
        uploads.check_upload.call_local(upload_id)
        uploads.measure_track.call_local(first)
    assert Upload.get_by_id(upload_id).state == "checking"
    assert Track.get_by_id(first).loudness_lufs is None
    assert later == [(upload_id, uploads.WAIT_SECONDS)]
    uploads.check_upload.call_local(upload_id)
    assert Upload.get_by_id(upload_id).state == "ready"


def test_what_finds_no_place_to_be_measured_waits_for_one_without_asking_again_and_again(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id, [first] = arrivals.send("a.mp3", b"<html>"), arrivals.cast.tracks[:1]
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setitem(work.carriers, "measure_track", uploads.measure_track)
    huey.flush()
    with uploads._slots, uploads._slots:
        uploads.measure_track(first)
        assert work_off() == ["measure_track"]
        assert not [*huey.pending(), *huey.scheduled()], "nobody asks the queue again and again"
        assert Track.get_by_id(first).loudness_lufs is None
    uploads.check_upload(upload_id)
    assert work_off(2) == ["check_upload", "measure_track"], "whoever gives a place back has it measured"
    assert Track.get_by_id(first).loudness_lufs is not None
    huey.flush()
    uploads.check_upload(upload_id)
    assert work_off() == ["check_upload"], "and that once"


def test_one_file_is_looked_at_by_one(arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch) -> None:
    upload_id, seen = arrivals.send("a.mp3", SONG), []
    probe = probing.probe

    def twice(path: Path) -> probing.Probed:
        seen.append(path)
        uploads.check_upload.call_local(upload_id)
        return probe(path)

    monkeypatch.setattr(probing, "probe", twice)
    uploads.check_upload.call_local(upload_id)
    assert len(seen) == 1 and Upload.get_by_id(upload_id).state == "ready"


def test_what_is_on_a_line_is_measured_first_and_the_rest_in_turn(cast: Cast) -> None:
    first, second, third, *_ = cast.tracks
    assert measuring.next_track() == first
    queue.add_item(cast.ada, cast.code, third)
    assert measuring.next_track() == third
    assert measuring.measured(third, -18.0, "") and not measuring.measured(third, -9.0, "")
    assert measuring.next_track() == first
    Track.update(state="failed").where(Track.id == first).execute()
    assert measuring.next_track() == second
    Track.update(media_file="").execute()
    assert measuring.next_track() is None


def test_without_ffmpeg_nothing_is_measured_and_everything_else_works(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch, handed: list[int]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    track = arrivals.track("a.mp4", m.mp4())
    handed.clear()
    uploads.measure_track.call_local(track.id)
    uploads.measure_next()
    track = Track.get_by_id(track.id)
    assert (track.loudness_lufs, track.peaks, track.opus_file, handed) == (None, "", "", [])
    assert track.cover_file and track.duration_ms == 2_000


def test_what_is_kept_elsewhere_is_measured_while_it_is_here(
    arrivals: Arrivals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.LocalStore, "path", lambda _store, _name: None)
    monkeypatch.setattr(tools, "has_ffmpeg", lambda: True)
    monkeypatch.setattr(loudness, "measure", lambda path, *_words: -9.0 if path.exists() else 0.0)
    monkeypatch.setattr(waveform, "draw", lambda *_words: "z0")
    track = arrivals.track("a.mp3", SONG)
    assert (track.loudness_lufs, track.peaks) == (-9.0, "z0")


def test_the_worker_carries_both_tasks() -> None:
    assert tasks.CARRIERS["check_upload"] is uploads.check_upload
    assert tasks.CARRIERS["measure_track"] is uploads.measure_track
