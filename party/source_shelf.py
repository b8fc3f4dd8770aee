"""What is in somebody's own media server: asked for by its owner in a room, answered by the worker, put on the line.

A question is a Search with words like “album:ID” or plain ones, its answer a SearchAnswer of source “source:ID”. Pages
only name rows of an answer: titles, lengths and types are taken from what the worker wrote down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models import Item, Room, Search, SearchAnswer, Source, Track
from party import attempts, library, shelf, sources, suggestions, work
from party.adding import NO_LINKS
from party.attempts import Limit
from party.change import Change, Person, change, write
from party.clock import now_ms
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from party.line import LINE_FULL
from party.names import one_line
from party.putting_on import BROKEN, EXPLICIT, IN_LINE, PutOn
from party.sources import Keys
from party.views import Snapshot, clock_text

MOST_ROWS = 200
MOST_PUT_ON = 100
LIMIT = Limit(60, 60_000)
PATIENCE_MS = 25_000
WORDS_LONGEST, TEXT_LONGEST, FAILURE_LONGEST = 200, 200, 200
PAGE = "page"
OVER = "That look into your library is over. Look again."
STILL_LOOKED_AT = "We are still looking at that library. One moment."
NOT_THERE = "That is not in what your library showed. Look again."
NOTHING_PLAYS = "Nothing of that plays in a browser."


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """A track, an album or a playlist; `words` open the latter two, `queue_position` is where the former waits.

    `track_id` is the former's own track, once it was ever put on.
    """

    what: str
    id: str
    title: str
    artist: str
    album: str
    duration_text: str
    count: int
    is_playable: bool
    track_id: int | None = None
    queue_position: int | None = None

    @property
    def words(self) -> str:
        return f"{self.what}:{self.id}"


@dataclass(frozen=True, slots=True)
class ShelfView:
    """What a library showed. `state` is waiting, late (no longer waited for), ready or failed; `more` are words."""

    search_id: int
    source_id: int
    words: str
    title: str
    state: str
    failure: str = ""
    rows: tuple[ShelfRow, ...] = ()
    more: str = ""

    @property
    def can_all(self) -> bool:
        """True for an album or a playlist with something to put on."""
        is_list = self.words.startswith(("album:", "playlist:"))
        return is_list and any(row.is_playable for row in self.rows)


def ask(actor: Person, code: str, source_id: int, words: str) -> int:
    """Look into one's own library from a room one may put something on in; the search's number."""
    words = one_line(words)
    if not 0 < len(words) <= WORDS_LONGEST:
        raise Invalid("Say what to look for, in a few words.")
    with change(actor, code, may="see") as c:
        _need_to_add(c)
        source = sources.own(actor, source_id)
        if source.state == "connecting":
            raise Conflict(STILL_LOOKED_AT)
        if source.state == "failed":
            raise Conflict(source.failure)
        attempts.spend("shelf", {f"person {actor.user_id}": LIMIT})
        search = Search.create(user=actor.user_id, room=c.room, words=words, asked_at=c.now)
        answer = SearchAnswer.create(search=search, source=f"source:{source.id}")
        work.hand_over("browse_source", answer.id)
        return int(search.id)


def claim(answer_id: int) -> tuple[Keys, str] | None:
    """Whom to ask and for which words; None when that was answered, or there is nobody to ask."""
    answer = SearchAnswer.get_or_none(SearchAnswer.id == answer_id, SearchAnswer.state == "waiting")
    source = _source_of(answer) if answer else None
    keys = sources.keys_of(source) if source else None
    return (keys, answer.search.words) if keys else None


def fill_in(answer_id: int, found: Iterable[Mapping[str, Any]], title: str = "", more: str = "") -> None:
    """What a library has. Answered already: nothing."""
    answer = SearchAnswer.get_or_none(SearchAnswer.id == answer_id)
    source = _source_of(answer) if answer else None
    if source is None:
        return
    head = _kept(source, {"what": PAGE, "id": "", "title": title})
    kept = [_kept(source, row) for row in list(found)[:MOST_ROWS]]
    _settle(answer_id, state="ready", results=[head | {"more": more[:WORDS_LONGEST]}, *kept])


def give_up(answer_id: int, sentence: str) -> None:
    """Why a library shows nothing."""
    _settle(answer_id, state="failed", results=[], failure=one_line(sentence)[:FAILURE_LONGEST])


def look(actor: Person, search_id: int, room: Snapshot) -> ShelfView:
    """One's own question and its answer so far. Raises NotFound."""
    answer, source = _own(actor, search_id, room.id)
    search, (head, listed) = answer.search, _parts(answer)
    keys = [row["key"] for row in listed if row["what"] == "track"]
    slugs = {f"{source.kind}-{key}": key for key in keys}
    found = Track.select(Track.id, Track.slug).where(Track.source == source, Track.slug.in_(list(slugs)))
    known = {slugs[track.slug]: track.id for track in found}
    places = library.places_of(room)
    is_late = now_ms() - search.asked_at >= PATIENCE_MS
    return ShelfView(
        search.id,
        source.id,
        search.words,
        head["title"],
        "late" if answer.state == "waiting" and is_late else answer.state,
        answer.failure,
        tuple(_row(row, known.get(row["key"]), places) for row in listed),
        head["more"],
    )


def put_on(actor: Person, code: str, search_id: int, item: str = "") -> PutOn:
    """Put a track of an answer on the line, or without one all of an album or playlist, by the room's rules.

    Raises the refusal where nothing of one track can be put on.
    """
    room = Room.get_or_none(Room.code == code)
    answer, source = _own(actor, search_id, room.id if room else 0)
    listed = [row for row in _parts(answer)[1] if row["what"] == "track" and item in ("", row["id"])]
    if not listed:
        raise NotFound(NOT_THERE)
    if item and not listed[0]["is_playable"]:
        raise Conflict(NOTHING_PLAYS)
    if item:
        is_wish = _put(actor, code, source, listed[0])
        return PutOn(int(not is_wish), int(is_wish), (), "", 0)
    return _put_all(actor, code, source, listed[:MOST_PUT_ON])


def _put_all(actor: Person, code: str, source: Source, listed: list[dict[str, Any]]) -> PutOn:
    added = suggested = seen = 0
    left: Counter[str] = Counter()
    stopped = ""
    with change(actor, code, may="see") as c:
        _need_to_add(c)
        room_id = c.room.id
    for row in listed:
        try:
            if not row["is_playable"]:
                raise NotFound(NOTHING_PLAYS)
            is_wish = _put(actor, code, source, row)
            added, suggested = added + (not is_wish), suggested + is_wish
        except (TooMany, Conflict) as refusal:
            if isinstance(refusal, TooMany) or _is_full(room_id):
                stopped = refusal.message
                break
            left[IN_LINE if "already" in refusal.message else BROKEN] += 1
        except NotAllowed:
            left[EXPLICIT] += 1
        except Refusal:
            left[BROKEN] += 1
        seen += 1
    return PutOn(added, suggested, tuple(sorted(left.items())), stopped, len(listed) - seen)


def _put(actor: Person, code: str, source: Source, row: dict[str, Any]) -> bool:
    """True when it was suggested. A refusal leaves nothing behind. Alone: two makers of tracks wait in no ring."""
    with write():
        with change(actor, code, may="see") as c:
            _need_to_add(c)
            if sources.own(actor, source.id, held=True).state == "failed":
                raise Conflict(source.failure)
            track = _found_or_made(c, source, row)
            shelf.hold(track, c.room.id, c.seat.user_id, c.now)
        return suggestions.offer_item(actor, code, track.id)


def _found_or_made(c: Change, source: Source, row: dict[str, Any]) -> Track:
    slug = f"{source.kind}-{row['key']}"
    track = Track.get_or_none(Track.slug == slug)
    if track is None:
        # Another screen of the same person may press the same at this moment: then that one's is the track.
        Track.insert(
            slug=slug,
            title=row["title"],
            artist=row["artist"],
            album=row["album"],
            duration_ms=row["duration_ms"],
            mime=row["mime"],
            is_video=row["is_video"],
            is_explicit=row["is_explicit"],
            media_file="",
            cover_file="",
            search=library.fold(f"{row['title']} {row['artist']} {row['album']}"),
            added_at=c.now,
            provider=source.kind,
            reference=f"{row['way']}/{row['id']}",
            player="file",
            state="ready",
            looked_up_at=c.now,
            source=source.id,
        ).on_conflict_ignore().execute()
        track = Track.get(Track.slug == slug)
        work.hand_over("fetch_cover", track.id)
    return track


def _need_to_add(c: Change) -> None:
    if not c.settings.links:
        raise NotAllowed(NO_LINKS)
    c.need_to_offer()


def _is_full(room_id: int) -> bool:
    return bool(Item.select().where(Item.room == room_id, Item.state == "waiting").count() >= LINE_FULL)


def _own(actor: Person, search_id: int, room_id: int) -> tuple[SearchAnswer, Source]:
    search = Search.get_or_none(Search.id == search_id, Search.user == actor.user_id, Search.room == room_id)
    answer: SearchAnswer | None = search.answers.first() if search else None
    source = _source_of(answer) if answer else None
    if answer is None or source is None or source.user_id != actor.user_id:
        raise NotFound(OVER)
    return answer, source


def _source_of(answer: SearchAnswer) -> Source | None:
    kind, _, number = answer.source.partition(":")
    source: Source | None = Source.get_or_none(Source.id == int(number)) if kind == "source" else None
    return source


def _parts(answer: SearchAnswer) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a page is called and where more of it is, and its rows."""
    if not answer.results:
        return {"title": "", "more": ""}, []
    head, *listed = answer.results
    return head, listed


def _settle(answer_id: int, **values: object) -> None:
    with write():
        SearchAnswer.update(answered_at=now_ms(), **values).where(
            SearchAnswer.id == answer_id, SearchAnswer.state != "ready"
        ).execute()


def _kept(source: Source, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it is written down: everything a row of an answer has, and what makes a track of it."""
    texts = {name: one_line(str(row.get(name, "")))[:TEXT_LONGEST] for name in ("title", "artist", "album")}
    length, item = row.get("duration_ms"), str(row.get("id", ""))[:64]
    return {
        "provider": source.kind,
        "key": f"{source.id}-{item}",
        **texts,
        "duration_ms": length if isinstance(length, int) and 0 < length < 2**31 else 0,
        "preview_url": "",
        "is_playable": row.get("what") == "track" and bool(row.get("mime")),
        "what": str(row.get("what", ""))[:10],
        "id": item,
        "count": int(row.get("count", 0)),
        "mime": str(row.get("mime", ""))[:60],
        "way": "mp3" if row.get("way") == "mp3" else "raw",
        "is_video": row.get("is_video") is True,
        "is_explicit": row.get("is_explicit") is True,
    }


def _row(row: dict[str, Any], track_id: int | None, places: dict[int, tuple[int, int]]) -> ShelfRow:
    position, _ = places.get(track_id or 0, (None, None))
    length = clock_text(row["duration_ms"]) if row["duration_ms"] else ""
    return ShelfRow(
        row["what"], row["id"], row["title"], row["artist"], row["album"], length, row["count"],
        row["is_playable"], track_id, position,
    )  # fmt: skip
