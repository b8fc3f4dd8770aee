"""Files people bring: begun, received in pieces, cancelled, checked, put on the line; how much anybody may bring.

The bytes are in party.parts, what a file turns out to be is found in the worker. A row's `received_bytes` counts only
what is on the disk for good: after a crash the file may be longer, and is cut there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config import settings
from models import Room, Track, Upload, database, locking, rows
from party import files, library, parts, turns, work
from party.change import Actor, Change, Person, change, hold_known, locked_rooms, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from party.names import one_line

MEGABYTE = 2**20
MOST_OPEN = 50
NAME_LONGEST, WORDS_LONGEST = 200, 200
EXTENSIONS = ("mp3", "m4a", "flac", "ogg", "opus", "wav", "mp4", "webm")
"""A first look by name alone, so that nobody sends a gigabyte for nothing; what counts is found in the bytes."""
OPEN = files.UPLOADS_UNDER_WAY
UNCHECKED = (Upload.state == "checking") & Upload.track.is_null()
CHECK_AGAIN_MS = 60_000
ABANDONED_MS = 86_400_000
GONE = "That upload is not here any more. Choose the file again."


class TooLarge(Refusal):
    """More bytes than one file, one person or one room may have."""

    code, status = "too_large", 413


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an upload is. `kept_bytes` is how much of it is here for good; `reason` says what went wrong, if any.

    Its state is the row's, or `behind`: looked at, and waiting for a file chosen before it.
    """

    token: str
    name: str
    size_bytes: int
    kept_bytes: int
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is here whole and waits to be looked at."""

    upload_id: int
    path: Path
    name: str
    size_bytes: int


def begin(actor: Actor, code: str, name: str, size_bytes: int, goes_on_line: bool = True) -> str:
    """Announce a file for a room, which has to take files from this person and of this size. Returns its token."""
    name = clean_file_name(name)
    refuse_size(size_bytes)
    parts.refuse_full_disk(size_bytes)
    with change(actor, code, may="see") as c:
        _refuse_here(c, size_bytes)
        return _new_row(c.seat.user_id, c.room, name, size_bytes, goes_on_line)


def foresee(actor: Person, code: str | None, size_bytes: int) -> None:
    """Refuse, before a byte is read, what `begin` would refuse of files that make so many bytes together.

    Without a room it is chosen later, as `begin_shared` has it.
    """
    parts.refuse_full_disk(size_bytes)
    if code is None:
        with write():
            _refuse_person(actor.user_id, size_bytes)
        return
    with change(actor, code, may="see") as c:
        _refuse_here(c, size_bytes)


def begin_shared(actor: Person, name: str, size_bytes: int) -> str:
    """Announce a file whose room is chosen later. Returns its token."""
    name = clean_file_name(name)
    refuse_size(size_bytes)
    parts.refuse_full_disk(size_bytes)
    with write():
        _refuse_person(actor.user_id, size_bytes)
        return _new_row(actor.user_id, None, name, size_bytes, True)


def choose_room(actor: Person, code: str, tokens: list[str]) -> None:
    """Send files that came without a room to one. Sent already changes nothing."""
    with change(actor, code, may="see") as c:
        list(locking(Upload.select().where(Upload.token.in_(tokens)).order_by(Upload.id)))
        for token in tokens:
            row = _own(actor, token, held=True)
            if row.room_id is not None or row.state != "receiving":
                continue
            _refuse_here(c, row.size_bytes, has_row=True)
            row.room = c.room
            row.save(only=[Upload.room])
            if row.received_bytes == row.size_bytes:
                _hand_to_worker(row)


def standing(actor: Person, token: str) -> Standing:
    """How far one of your own uploads is. Raises NotFound."""
    return standing_of(_own(actor, token))


def standing_of(row: Upload) -> Standing:
    """How far this one is."""
    state = "behind" if turns.is_ready(row) else row.state
    return Standing(row.token, row.name, row.size_bytes, row.received_bytes, state, row.reason)


def receive(actor: Person, token: str, before: int, received: int) -> None:
    """Count what is on the disk for good; a whole file goes to the worker. `before` is what the row said.

    Raises Conflict when the upload moved on or was called off meanwhile.
    """
    with write():
        row = _own(actor, token, held=True)
        if row.state != "receiving" or row.received_bytes != before or received > row.size_bytes:
            raise Conflict("That upload went another way meanwhile.")
        row.received_bytes, row.touched_at = received, now_ms()
        row.save(only=[Upload.received_bytes, Upload.touched_at])
        if received == row.size_bytes and row.room_id is not None:
            _hand_to_worker(row)


@contextmanager
def apart() -> Iterator[None]:
    """Without the database connection while something slow lasts: there are fewer of those than of slow senders."""
    handle = database.obj
    handle.close()
    try:
        yield
    finally:
        handle.connect(reuse_if_open=True)


def cancel(actor: Person, token: str) -> None:
    """Call an upload off; its bytes go, and what waited for it goes on. Called off already changes nothing."""
    with write():
        room_id = _own(actor, token).room_id
        locked_rooms(Room.id == room_id)
        row = _own(actor, token, held=True)
        if row.state == "ready":
            raise Conflict("That file is here already. Take it off the line instead.")
        if row.state in OPEN:
            if turns.is_ready(row):
                work.hand_over("sweep_files")
            turns.close(row, "cancelled")
            turns.put_on_ready(room_id, row.user_id)
    parts.run(lambda: parts.remove(token))


# --- for the worker --------------------------------------------------------------------------------------------------


def to_check(upload_id: int) -> Whole | None:
    """The file to look at; None when nobody waits for it any more."""
    with write():
        row = _checked(upload_id)
        if row is None:
            return None
        row.touched_at = now_ms()
        row.save(only=[Upload.touched_at])
    return Whole(row.id, parts.path_of(row.token), row.name, row.size_bytes)


def finish(
    upload_id: int,
    *,
    sha256: str,
    mime: str,
    is_video: bool,
    title: str,
    artist: str,
    album: str,
    genre: str,
    duration_ms: int,
    media_file: str,
    cover_file: str,
    hue: str,
    size_bytes: int,
    loudness_lufs: float | None = None,
    peaks: str = "",
    opus_file: str = "",
    opus_gain_db: float = 0.0,
) -> None:
    """A checked file becomes a track, or the one made of the same bytes before, and goes where its person wanted it.

    On the line it goes in its turn. Again changes nothing.
    """
    words = {"title": title, "artist": artist, "album": album}
    values = {name: one_line(text)[:WORDS_LONGEST] for name, text in words.items()}
    with write():
        row = _checked(upload_id)
        if row is None:
            return
        row.track = _track_of(
            sha256,
            **values,
            slug=f"upload-{sha256[:32]}",
            genre=one_line(genre)[:60],
            duration_ms=duration_ms,
            media_file=media_file,
            cover_file=cover_file,
            hue=hue,
            search=library.fold(" ".join(values.values())),
            added_at=now_ms(),
            provider="upload",
            is_video=is_video,
            mime=mime,
            size_bytes=size_bytes,
            opus_file=opus_file,
            opus_gain_db=opus_gain_db,
            loudness_lufs=loudness_lufs,
            peaks=peaks,
        )
        if row.goes_on_line:
            row.touched_at = now_ms()
            row.save(only=[Upload.track, Upload.touched_at])
            turns.put_on_ready(row.room_id, row.user_id)
        else:
            turns.arrive(row)
    parts.run(lambda: parts.remove(row.token))


def refuse(upload_id: int, sentence: str) -> None:
    """A checked file is none that we play, and goes; the sentence says why, and what waited for it goes on.

    Again changes nothing.
    """
    with write():
        row = _checked(upload_id)
        if row is None:
            return
        turns.close(row, "refused", sentence)
        turns.put_on_ready(row.room_id, row.user_id)
    parts.run(lambda: parts.remove(row.token))


# --- for the sweep ---------------------------------------------------------------------------------------------------


def check_again() -> None:
    """Hand over once more what has been whole for a minute and is not checked; what waited long enough goes on."""
    late = UNCHECKED & (Upload.touched_at < now_ms() - CHECK_AGAIN_MS)
    if Upload.select().where(late).exists():
        with write():
            for row in locking(Upload.select().where(late).order_by(Upload.id)):
                _hand_to_worker(row)
    turns.put_on_stalled()


def forget_abandoned() -> int:
    """Let go of what nobody went on with for a day, and of bytes that belong to nothing. Returns how many went."""
    late = (Upload.state == "receiving") & (Upload.touched_at < now_ms() - ABANDONED_MS)
    with write():
        gone = [row.token for row in locking(Upload.select().where(late).order_by(Upload.id))]
        Upload.delete().where(Upload.token.in_(gone)).execute()
    for token in gone:
        parts.remove(token)
    open_tokens = {token for (token,) in rows(Upload.select(Upload.token).where(Upload.state.in_(OPEN)))}
    return len(gone) + parts.remove_strays(open_tokens)


# --- rules -----------------------------------------------------------------------------------------------------------


def clean_file_name(text: str) -> str:
    """The name of a file that may be music. Raises Invalid for what no player here takes by its ending."""
    name = own_name(text)
    stem, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in EXTENSIONS:
        raise Invalid("That kind of file won’t play here. Try mp3, m4a, flac, ogg, opus, wav, mp4 or webm.")
    return f"{stem[: NAME_LONGEST - 1 - len(ending)]}.{ending}"


def own_name(text: str) -> str:
    """The file's own name without folders, on one line."""
    return one_line(text.replace("\\", "/").rsplit("/", 1)[-1])


def refuse_size(size_bytes: int) -> None:
    """Raise Invalid for an empty file, TooLarge for more than one file may have."""
    if size_bytes <= 0:
        raise Invalid("That file is empty.")
    if size_bytes > settings.upload_mb * MEGABYTE:
        raise TooLarge(f"That file is too large. Up to {size_words(settings.upload_mb)} fit.")


def used_words(user_id: int) -> str:
    """How much somebody's files take up, of how much they may: 1.5 GB of 5 GB."""
    used = size_words(files.counted_for_person(user_id) / MEGABYTE)
    return f"{used} of {size_words(settings.quota_person_mb)}" if settings.quota_person_mb else used


def size_words(megabytes: float) -> str:
    """1.5 GB, 200 MB; what is less than one is called one."""
    if megabytes < 1024:
        return f"{max(1, round(megabytes)) if megabytes else 0} MB"
    return f"{megabytes / 1024:.1f}".removesuffix(".0") + " GB"


def _refuse_here(c: Change, size_bytes: int, *, has_row: bool = False) -> None:
    """Raise what keeps this person from bringing so many bytes into this room."""
    seat = c.seat
    c.need_to_offer()
    if not c.settings.uploads:
        raise NotAllowed("This room takes no files. Search, or paste a link.")
    if not has_row:
        _refuse_person(seat.user_id, size_bytes)
    if _is_over(settings.quota_room_mb, files.counted_for_room(c.room.id) + size_bytes):
        most = size_words(settings.quota_room_mb)
        raise TooLarge(f"This room’s files would be more than the {most} it may keep.")


def _refuse_person(user_id: int, size_bytes: int) -> None:
    # The room's lock does not hold off the same person's files in another room.
    hold_known(user_id)
    if Upload.select().where(Upload.user == user_id, Upload.state.in_(OPEN)).count() >= MOST_OPEN:
        raise TooMany(f"{MOST_OPEN} files of yours are on their way already. Let them arrive first.")
    if _is_over(settings.quota_person_mb, files.counted_for_person(user_id) + size_bytes):
        most = size_words(settings.quota_person_mb)
        raise TooLarge(f"Your files would be more than the {most} one person may keep here.")


def _is_over(most_mb: int, size_bytes: int) -> bool:
    return bool(most_mb) and size_bytes > most_mb * MEGABYTE


def _new_row(user_id: int, room: Room | None, name: str, size_bytes: int, goes_on_line: bool) -> str:
    now, token = now_ms(), parts.fresh_name()
    Upload.insert(
        token=token,
        user=user_id,
        room=room,
        name=name,
        size_bytes=size_bytes,
        goes_on_line=goes_on_line,
        began_at=now,
        touched_at=now,
    ).execute()
    return token


def _own(actor: Person, token: str, *, held: bool = False) -> Upload:
    query = Upload.select().where(Upload.token == token, Upload.user == actor.user_id)
    row: Upload | None = (locking(query) if held else query).first()
    if row is None:
        raise NotFound(GONE)
    return row


def _checked(upload_id: int) -> Upload | None:
    """An upload that is looked at, held in the open transaction: its room first, as everybody does."""
    row = Upload.get_or_none(Upload.id == upload_id, UNCHECKED)
    if row is not None:
        locked_rooms(Room.id == row.room_id)
    held = Upload.select().where(Upload.id == upload_id, UNCHECKED)
    known: Upload | None = locking(held).first()
    return known


def _track_of(sha256: str, **facts: Any) -> Track:
    """The track of these very bytes, new or made of them before, held in the open transaction."""
    for _ in range(2):
        # Made before, it may have been given up while we waited for it; then it comes anew.
        Track.insert(sha256=sha256, **facts).on_conflict_ignore().execute()
        track: Track | None = locking(Track.select().where(Track.sha256 == sha256)).first()
        if track is not None:
            return track
    raise Conflict("That upload went another way meanwhile.")


def _hand_to_worker(row: Upload) -> None:
    row.state, row.touched_at = "checking", now_ms()
    row.save(only=[Upload.state, Upload.touched_at])
    work.hand_over("check_upload", row.id)
