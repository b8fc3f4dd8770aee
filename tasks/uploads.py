"""What becomes of an uploaded file: its real kind, its tags and cover, and later, slowly, how loud it is.

Whatever is in a file, a task ends: with a track, or with a sentence to the person.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from config import settings
from media import artwork, filetypes, loudness, opus, posters, probing, tools, waveform
from media.filetypes import Kind
from media.probing import NotPlayable, Probed
from media.provider import Trouble
from media.storage import Store, open_store
from party import files, measuring, tracks, uploads, work
from party.change import connected
from party.names import one_line
from party.uploads import Whole
from tasks import huey

CHUNK_BYTES = 2**20
LONGEST_WORDS = 200
MOST_APART_MS = 200
"""So much of a length is what encoders put before and after the sound."""
BROKEN = "Something went wrong while we looked at that file. Please try again."
MISSING = "That file did not arrive whole. Choose it again."

LATER = -1
"""The priority of what can wait: deadlines of rooms go first."""
WAIT_SECONDS = 1
AT_ONCE = 2
"""So few of the worker's threads (Procfile): beside those that go outside, two are left for what rooms wait for."""

_slots = threading.Semaphore(AT_ONCE)
_under_way: set[int] = set()
_measuring = threading.Lock()
_found_no_place = threading.Event()
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """How loud a file is, how it looks as a line, and the name of its rendition, which may be raised."""

    lufs: float | None = None
    peaks: str = ""
    opus_file: str = ""
    opus_gain_db: float = 0.0


UNKNOWN = Measured()


@huey.task(priority=LATER)
def check_upload(upload_id: int) -> None:
    """Make a track of a file that came whole, or say why not."""
    if upload_id in _under_way:
        return
    if not _slots.acquire(blocking=False):
        check_upload.schedule((upload_id,), delay=WAIT_SECONDS)
        return
    _under_way.add(upload_id)
    try:
        _check(upload_id)
    finally:
        _under_way.discard(upload_id)
        _slots.release()
    if _found_no_place.is_set():
        _found_no_place.clear()
        with connected():
            measure_next()


@huey.task(priority=LATER)
def measure_track(track_id: int) -> None:
    """Find out how loud a track is, one at a time, then the next.

    What finds no place is found again as one gets free, or by the sweep.
    """
    if not tools.has_ffmpeg() or not _measuring.acquire(blocking=False):
        return
    try:
        if not _slots.acquire(blocking=False):
            _found_no_place.set()
            return
        try:
            _measure(track_id)
        finally:
            _slots.release()
    finally:
        _measuring.release()
    with connected():
        measure_next()


def measure_next() -> None:
    """Have the next track measured, if none is just now."""
    if not tools.has_ffmpeg() or _measuring.locked():
        return
    track_id = measuring.next_track()
    if track_id is not None:
        work.hand_over("measure_track", track_id)


def _check(upload_id: int) -> None:
    with connected():
        whole = uploads.to_check(upload_id)
    if whole is None:
        return
    try:
        _take_in(whole, open_store(settings))
    except (NotPlayable, Trouble) as trouble:
        _refuse(upload_id, trouble.sentence)
    except FileNotFoundError:
        _refuse(upload_id, MISSING)
    except BaseException:
        # Nobody is left waiting; what went wrong is the worker's log's.
        _refuse(upload_id, BROKEN)
        raise


def _measure(track_id: int) -> None:
    with connected():
        track = measuring.to_measure(track_id)
    if track is None:
        return
    store = open_store(settings)
    path = store.path(track.media_file)
    found = UNKNOWN
    if path is not None:
        found = _listen(path, track.media_file, track.duration_ms, track.is_video, store)
    lufs = loudness.SILENT_LUFS if found.lufs is None else found.lufs
    with connected():
        is_taken = measuring.measured(track_id, lufs, found.peaks, found.opus_file, found.opus_gain_db)
    if found.opus_file and not is_taken:
        store.delete(found.opus_file)


def _take_in(whole: Whole, store: Store) -> None:
    digest = _digest(whole.path)
    probed = probing.probe(whole.path)
    # A name of its own each time: the same bytes may just be on their way out under the other.
    key = f"{digest[:40]}-{secrets.token_hex(4)}"
    name = f"uploads/{digest[:2]}/{key}.{probed.kind.name}"
    picture = probed.picture
    if picture is None and probed.kind.is_video and tools.has_ffmpeg():
        picture = posters.take(whole.path, probed.kind.demuxer, probed.duration_ms)
    store.put(whole.path, name)
    cover = artwork.keep_cover(picture, digest, key, store)
    # What is kept elsewhere is listened to while it is still here.
    is_here = store.path(name) is not None
    found = UNKNOWN
    if not is_here:
        found = _listen(whole.path, name, probed.duration_ms, probed.kind.is_video, store)
    with connected():
        uploads.finish(
            whole.upload_id,
            sha256=digest,
            mime=probed.kind.mime,
            is_video=probed.kind.is_video,
            title=_title(probed, whole.name),
            artist=_words(probed.artist),
            album=_words(probed.album),
            genre=_words(probed.genre)[:60],
            duration_ms=probed.duration_ms,
            media_file=name,
            cover_file=cover.file,
            hue=cover.hue,
            size_bytes=whole.size_bytes,
            loudness_lufs=found.lufs,
            peaks=found.peaks,
            opus_file=found.opus_file,
            opus_gain_db=found.opus_gain_db,
        )
        kept = measuring.file_of_upload(digest)
    if kept is not None and kept[1] == name:
        work.hand_over("measure_track", kept[0])
        return
    # The same bytes were here before, or the upload was called off meanwhile: what we have just put there goes.
    for unwanted in (name, found.opus_file, *files.cover_names(cover.file)):
        if unwanted:
            store.delete(unwanted)


def _listen(path: Path, name: str, duration_ms: int, is_video: bool, store: Store) -> Measured:
    kind = next((kind for kind in filetypes.KINDS if name.endswith(f".{kind.name}")), None)
    if kind is None or not path.exists() or not tools.has_ffmpeg():
        return UNKNOWN
    lufs = loudness.measure(path, kind.demuxer, duration_ms)
    peaks = waveform.draw(path, kind.demuxer, duration_ms)
    is_ours = name.startswith("uploads/")
    lift = tracks.lift(lufs) if is_ours and not is_video and lufs > loudness.SILENT_LUFS else 0.0
    if not lift and not (is_ours and kind.name in opus.KINDS):
        return Measured(lufs, peaks)
    rendition = _render(path, kind, name, duration_ms, lift, store)
    if lift and not rendition and kind.name in opus.KINDS:
        # Browsers that need Opus have it as it came, then.
        rendition, lift = _render(path, kind, name, duration_ms, 0.0, store), 0.0
    return Measured(lufs, peaks, rendition, lift if rendition else 0.0)


def _render(path: Path, kind: Kind, name: str, duration_ms: int, lift: float, store: Store) -> str:
    """Keep a rendition, for browsers that need one or raised for all. Its name, or nothing where it cannot be had."""
    # What came as Opus has the plain name already.
    rendition = f"{name.rpartition('.')[0]}-made.opus"
    with tempfile.TemporaryDirectory(prefix="partyline-opus-") as folder:
        made = Path(folder) / "made.opus"
        try:
            if opus.render(path, kind.demuxer, duration_ms, made, lift) and _is_as_long(
                made, duration_ms, lift
            ):
                store.put(made, rendition)
                return rendition
        except Trouble as trouble:
            logger.warning("a rendition was not kept: %s", trouble.sentence)
    return ""


def _is_as_long(made: Path, duration_ms: int, lift: float) -> bool:
    """True when a rendition that plays instead of the file keeps its time; a damaged piece, left out, would move it."""
    if not lift:
        return True
    try:
        return abs(probing.probe(made).duration_ms - duration_ms) <= MOST_APART_MS
    except NotPlayable:
        return False


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _title(probed: Probed, file_name: str) -> str:
    stem = Path(file_name.replace("\\", "/")).stem.replace("_", " ")
    return _words(probed.title) or _words(stem) or "Untitled"


def _words(text: str) -> str:
    return one_line(text)[:LONGEST_WORDS]


def _refuse(upload_id: int, sentence: str) -> None:
    with connected():
        uploads.refuse(upload_id, sentence)
    logger.info("an upload was refused: %s", sentence)
