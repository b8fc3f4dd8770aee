"""Lists between Spotify and the house: bringing one in, page by page, and keeping one of what a room played.

Both stand in the options of the account's Source, so that whatever the worker was doing when it went away is found
again. An import knows how many rows it has taken (`offset`), a kept list the last play that is in it (`after`). Spotify
cannot be told something “once”: what is about to be put in is written down before (`trying`), with the mark of what the
list held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import Item, Member, Play, Room, Source, Track, rows
from party import playlists, work
from party.change import Person, change
from party.clock import now_ms
from party.errors import Conflict, NotAllowed, NotFound, TooMany
from party.names import one_line
from party.playlists import ENTRIES_MOST, Line
from party.spotify import FAILURE_LONGEST, KIND, held, need, of_person, ready

IMPORTS_KEPT, IMPORTS_AT_ONCE = 5, 2
MIRRORS_MOST = 20
LEASE_MS = 60_000
"""So long a worker may be at one step before another takes it over."""
WAIT_MS, LONGEST_WAIT_MS = 15_000, 3_600_000
MOST_TRIES = 20
APPENDED_MOST = 50
ALREADY = "That playlist is being brought in already."
TWO_AT_ONCE = "Two playlists are being brought in just now. Wait for one of them."
CUT = f"A playlist holds {ENTRIES_MOST} tracks. The first {ENTRIES_MOST} are in."
DELETED = "You deleted the playlist meanwhile."
ONLY_HOSTS = "Only the host keeps a list of what a room played."
NOT_HOST = "You no longer host that room."
TOO_MANY_LISTS = f"You keep lists of {MIRRORS_MOST} rooms already. Stop one first."


@dataclass(frozen=True, slots=True)
class Song:
    """A row of a Spotify list. `key` is its id there, or nothing for a file of the person's own."""

    key: str
    title: str
    artist: str
    album: str
    duration_ms: int
    link: str


@dataclass(frozen=True, slots=True)
class Step:
    """What an import does next: the rows of `what` (playlist:ID or album:ID) from `offset` on."""

    what: str
    offset: int
    title: str


@dataclass(frozen=True, slots=True)
class ImportView:
    """A list that is brought in, or was. `total` None is not known yet."""

    id: int
    state: str
    title: str
    playlist_id: int | None
    done: int
    total: int | None
    lost: int
    failure: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Plays to put into a kept list. With `is_unsure` they may be in it: `mark` is what it held before."""

    playlist: str
    name: str
    mark: str
    is_unsure: bool
    plays: tuple[int, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MirrorView:
    """A room that somebody leads, and whether a list is kept of it. `key` is the list's id at Spotify, once made."""

    room_id: int
    code: str
    room_name: str
    is_on: bool
    key: str = ""
    failure: str = ""


# --- bringing one in -------------------------------------------------------------------------------------------------


def begin_import(actor: Person, what: str) -> None:
    """Bring a list of Spotify's in as a playlist of ours. The worker reads it."""
    with held(ready(actor).id) as source:
        if source is None:
            raise Conflict(ALREADY)
        known = source.options.get("imports", [])
        running = [each for each in known if each["state"] == "running"]
        if any(each["what"] == what for each in running):
            raise Conflict(ALREADY)
        if len(running) >= IMPORTS_AT_ONCE:
            raise TooMany(TWO_AT_ONCE)
        number = max((each["id"] for each in known), default=0) + 1
        fresh = {"id": number, "what": what, "state": "running", "offset": 0, "lost": 0, "tries": 0}
        source.options["imports"] = [*known, fresh][-IMPORTS_KEPT:]
        work.hand_over("spotify_import", source.id, number)


def imports(actor: Person) -> list[ImportView]:
    """What this person brings in, and brought in lately; the newest first."""
    source = of_person(actor.user_id)
    known = source.options.get("imports", []) if source else []
    return [
        ImportView(
            each["id"],
            each["state"],
            each.get("title", ""),
            each.get("playlist"),
            each["offset"],
            each.get("total"),
            each["lost"],
            each.get("failure", ""),
        )
        for each in reversed(known)
    ]


def claim_import(source_id: int, number: int) -> Step | None:
    """Begin the next step of an import. None when there is none, or another is at it, or it has to wait."""
    with held(source_id) as source:
        row = _import(source, number)
        if source is None or row is None or source.state != "ready" or row.get("again_at", 0) > now_ms():
            return None
        row["again_at"] = now_ms() + LEASE_MS
        return Step(row["what"], row["offset"], row.get("title", ""))


def keep_page(
    source_id: int,
    number: int,
    step: Step,
    title: str,
    songs: Sequence[Song],
    lost: int,
    total: int,
    has_more: bool,
) -> Step | None:
    """Put the rows of a step at the end of our playlist, which is made with the first. Returns the next step, if any.

    Rows that are in already are not put in again. Raises TooMany where a new playlist does not fit.
    """
    with held(source_id) as source:
        row = _import(source, number)
        if source is None or row is None or row["offset"] != step.offset:
            return None
        person = Person(source.user_id)
        if not row.get("playlist"):
            name = one_line(title)[: playlists.NAME_LONGEST].strip() or "From Spotify"
            row["playlist"], row["title"] = playlists.create_playlist(person, name), name
        try:
            playlist = playlists.own(person, row["playlist"])
        except NotFound:
            _end(row, "failed", DELETED)
            return None
        room = ENTRIES_MOST - len(playlists.in_order(playlist.id))
        playlists.append(playlist, _lines(person, songs[: max(0, room)]))
        row |= {"offset": step.offset + len(songs) + lost, "lost": row["lost"] + lost, "total": total}
        row |= {"again_at": now_ms() + LEASE_MS, "tries": 0}
        if len(songs) > room or (has_more and len(songs) == room):
            _end(row, "done", CUT)
        elif not has_more:
            _end(row, "done")
        return Step(row["what"], row["offset"], row["title"]) if row["state"] == "running" else None


def postpone_import(source_id: int, number: int, sentence: str, after_seconds: int) -> None:
    """It cannot go on just now; the sweep comes back to it. After many tries it is given up."""
    with held(source_id) as source:
        row = _import(source, number)
        if row is not None:
            _postpone(row, sentence, after_seconds)
            if row["tries"] >= MOST_TRIES:
                _end(row, "failed", sentence)


def fail_import(source_id: int, number: int, sentence: str) -> None:
    """It cannot go on at all. What is in stays in."""
    with held(source_id) as source:
        row = _import(source, number)
        if row is not None:
            _end(row, "failed", sentence)


# --- keeping one of what a room played -------------------------------------------------------------------------------


def keep_list(actor: Person, code: str) -> None:
    """Keep a Spotify playlist of what a room played, from its first track on: its host, with their own account.

    Kept already: what had stopped is tried again.
    """
    need(ready(actor), "keep")
    with change(actor, code, may="see") as c:
        if c.seat.role != "host":
            raise NotAllowed(ONLY_HOSTS)
        with held(ready(actor).id) as source:
            if source is None:
                raise Conflict(ALREADY)
            kept = source.options.setdefault("mirror", {})
            if str(c.room.id) not in kept and len(kept) >= MIRRORS_MOST:
                raise TooMany(TOO_MANY_LISTS)
            known = kept.get(
                str(c.room.id), {"playlist": "", "after": 0, "trying": [], "mark": "", "tries": 0}
            )
            kept[str(c.room.id)] = {**known, "failure": "", "is_stopped": False, "again_at": 0}
            work.hand_over("spotify_keep", source.id, c.room.id)


def stop_list(actor: Person, room_id: int) -> None:
    """Keep it no longer; what is at Spotify stays there. Not kept changes nothing."""
    source = of_person(actor.user_id)
    if source is None or str(room_id) not in source.options.get("mirror", {}):
        return
    with held(source.id) as mine:
        if mine is not None:
            mine.options.get("mirror", {}).pop(str(room_id), None)


def lists(actor: Person) -> list[MirrorView]:
    """The open rooms this person hosts, and those of which a list is kept."""
    source = of_person(actor.user_id)
    kept = source.options.get("mirror", {}) if source else {}
    seats = Member.select(Member.room).where(Member.user == actor.user_id, Member.left_at.is_null())
    hosted = seats.where(Member.role == "host")
    is_shown = Room.id.in_(hosted) & (Room.state != "EXPIRED")
    # A room may have become another's secret since: only those who sit in it are told how it is called.
    is_shown |= Room.id.in_([int(room_id) for room_id in kept]) & Room.id.in_(seats)
    found = []
    for room in Room.select().where(is_shown).order_by(Room.id.desc()).limit(50):
        row = kept.get(str(room.id))
        facts = (row["playlist"], row["failure"]) if row else ("", "")
        found.append(MirrorView(room.id, room.spoken_code, room.name, row is not None, *facts))
    return found


def claim_batch(source_id: int, room_id: int) -> Batch | None:
    """The next plays for a kept list, written down as being put in. None when there are none, or it has to wait."""
    with held(source_id) as source:
        row = _mirror(source, room_id)
        if source is None or row is None or source.state != "ready" or row["again_at"] > now_ms():
            return None
        room = Room.get_or_none(Room.id == room_id)
        if room is None or not _is_host(source.user_id, room_id):
            row |= {"is_stopped": True, "failure": NOT_HOST}
            return None
        found = _played(room_id, row["after"])
        trying = row["trying"]
        if trying:
            found = [each for each in found if each[0] in trying]
        if not found:
            row["trying"] = []
            return None
        row["again_at"] = now_ms() + LEASE_MS
        row["trying"] = [play_id for play_id, _ in found]
        keys = tuple(key for _, key in found)
        return Batch(row["playlist"], room.name, row["mark"], bool(trying), tuple(row["trying"]), keys)


def note_list(source_id: int, room_id: int, key: str, mark: str) -> None:
    """The list is made at Spotify."""
    with held(source_id) as source:
        row = _mirror(source, room_id)
        if row is not None:
            row |= {"playlist": key, "mark": mark}


def keep_batch(source_id: int, room_id: int, batch: Batch, mark: str) -> None:
    """They are in the list, which has another mark now."""
    with held(source_id) as source:
        row = _mirror(source, room_id)
        if row is not None and row["trying"] == list(batch.plays):
            row |= {
                "after": batch.plays[-1],
                "trying": [],
                "mark": mark,
                "again_at": 0,
                "tries": 0,
                "failure": "",
            }


def postpone_list(source_id: int, room_id: int, sentence: str, after_seconds: int) -> None:
    """It cannot go on just now; the sweep comes back to it, however often."""
    with held(source_id) as source:
        row = _mirror(source, room_id)
        if row is not None:
            _postpone(row, sentence, after_seconds)


def fail_list(source_id: int, room_id: int, sentence: str) -> None:
    """It cannot go on until its owner says so."""
    with held(source_id) as source:
        row = _mirror(source, room_id)
        if row is not None:
            row |= {"is_stopped": True, "failure": sentence[:FAILURE_LONGEST], "trying": []}


def due() -> list[tuple[str, int, int]]:
    """What was lost, or waits for its time: (task, account, import or room)."""
    found = []
    for source in Source.select().where(Source.kind == KIND, Source.state == "ready"):
        for row in source.options.get("imports", []):
            if row["state"] == "running" and row.get("again_at", 0) <= now_ms():
                found.append(("spotify_import", int(source.id), int(row["id"])))
        for room_id, row in source.options.get("mirror", {}).items():
            is_due = not row["is_stopped"] and row["again_at"] <= now_ms()
            if is_due and _played(int(room_id), row["after"]):
                found.append(("spotify_keep", int(source.id), int(room_id)))
    return found


def _import(source: Source | None, number: int) -> dict[str, Any] | None:
    known = source.options.get("imports", []) if source else []
    return next((each for each in known if each["id"] == number and each["state"] == "running"), None)


def _mirror(source: Source | None, room_id: int) -> dict[str, Any] | None:
    row = source.options.get("mirror", {}).get(str(room_id)) if source else None
    return row if row and not row["is_stopped"] else None


def _end(row: dict[str, Any], state: str, sentence: str = "") -> None:
    row |= {"state": state, "failure": sentence[:FAILURE_LONGEST]}


def _postpone(row: dict[str, Any], sentence: str, after_seconds: int) -> None:
    wait = max(WAIT_MS, min(after_seconds * 1000, LONGEST_WAIT_MS))
    row |= {"again_at": now_ms() + wait, "tries": row["tries"] + 1, "failure": sentence[:FAILURE_LONGEST]}


def _lines(person: Person, songs: Sequence[Song]) -> list[Line]:
    """Rows as lines of a playlist; one that is a track of ours already means that."""
    slugs = {f"{KIND}-{song.key}" for song in songs if song.key}
    query = Track.select(Track.slug, Track.id).where(Track.slug.in_(slugs), playlists.usable(person.user_id))
    ours = dict(rows(query)) if slugs else {}
    return [
        Line(song.title, song.artist, song.album, song.duration_ms, song.link, ours.get(f"{KIND}-{song.key}"))
        for song in songs
    ]


def _played(room_id: int, after: int) -> list[tuple[int, str]]:
    """Plays of Spotify's tracks that are over, in their order, and the tracks' ids there."""
    query = (
        Play.select(Play.id, Track.reference)
        .join(Item)
        .join(Track)
        .where(Play.room == room_id, Play.id > after, Play.ended_at.is_null(False), Track.provider == KIND)
    )
    return [(int(play_id), str(key)) for play_id, key in rows(query.order_by(Play.id).limit(APPENDED_MOST))]


def _is_host(user_id: int, room_id: int) -> bool:
    seat = Member.select().where(
        Member.user == user_id, Member.room == room_id, Member.role == "host", Member.left_at.is_null()
    )
    return bool(seat.exists())
