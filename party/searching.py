"""Searching beyond the own library: words are handed to the worker once for each source, whose answers are kept.

What a source says of some words is nobody's secret, so whoever asks the same soon after gets the same answer; only
who asked may look at their search. What others said is text to us: it is shortened and compared, never trusted.
"""

from __future__ import annotations

import functools
import operator
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from models import Room, Search, SearchAnswer, Track, locking, rows
from party import attempts, shelf, work
from party.adding import NO_LINKS
from party.attempts import Limit
from party.change import Person, change, write
from party.clock import now_ms
from party.errors import Invalid, NotAllowed, NotFound
from party.library import fold, places_of
from party.names import one_line
from party.views import Snapshot, clock_text

SHORTEST, LONGEST = 3, 200
LIMIT = Limit(20, 60_000)
REUSED_MS = 600_000
FAILED_REUSED_MS = 30_000
PATIENCE_MS = 15_000
"""How long a screen waits for an answer."""
GIVEN_UP_MS = 60_000
KEPT_MS = 3_600_000
MOST_ROWS = 20
TEXT_LONGEST, ADDRESS_LONGEST, LICENCE_LONGEST = 200, 2_048, 20
TOO_SHORT = "A little more, please. Three letters at least."
TOO_LONG = "That is too long to look for."
NOTHING_SAID = "It did not answer. Try again in a moment."

BY_ACCOUNT = ("spotify",)
"""Sources that are asked by somebody's account: that it fails says nothing of anybody else's."""

_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_COVER = re.compile(r"data:image/webp;base64,[A-Za-z0-9+/]{1,12000}={0,2}")


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row of somebody else's catalogue. Where the own library has the same song, `track_id` is that.

    `cover` is a small picture as a data: URL; `queue_position` is where it waits on the room's line.
    """

    provider: str
    key: str
    title: str
    artist: str
    album: str
    duration_text: str
    preview_url: str
    is_playable: bool
    track_id: int | None = None
    queue_position: int | None = None
    licence: str = ""
    cover: str = ""

    @property
    def words(self) -> str:
        """What to look for where somebody plays it."""
        return f"{self.artist} {self.title}".strip()[:LONGEST]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """What a source said. `state` is waiting, late (no longer waited for), ready or failed."""

    source: str
    state: str
    rows: tuple[FoundRow, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class SearchView:
    """Somebody's search and the answers so far."""

    id: int
    words: str
    answers: tuple[AnswerView, ...]


def is_searchable(words: str) -> bool:
    """True for words that may be looked for elsewhere: three letters, signs of Chinese or Japanese counting twice."""
    letters = (ch for ch in words if unicodedata.category(ch)[0] in "LN")
    width = sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in letters)
    return width >= SHORTEST and len(words) <= LONGEST


def ask(actor: Person, code: str, words: str, sources: tuple[str, ...]) -> int:
    """Look for words in these sources, for somebody in a room; the search's number. Answers come by and by."""
    words = one_line(words).casefold()
    if len(words) > LONGEST:
        raise Invalid(TOO_LONG)
    if not is_searchable(words):
        raise Invalid(TOO_SHORT)
    with change(actor, code, may="see") as c:
        if not c.settings.links:
            raise NotAllowed(NO_LINKS)
        attempts.spend("search", {f"person {actor.user_id}": LIMIT})
        search = Search.create(user=actor.user_id, room=c.room, words=words, asked_at=c.now)
        for source in sources:
            known = _known(words, source, actor.user_id)
            if known is not None and known.state != "waiting":
                _answer(search, source, known.state, known.results, known.failure, known.answered_at)
                continue
            answer_id = _answer(search, source, "waiting")
            # Whoever was asked the same a moment ago answers for both.
            if known is None:
                work.hand_over("ask_source", answer_id)
    return int(search.id)


def claim(answer_id: int) -> tuple[str, str] | None:
    """The source and the words to ask it for; None when that was answered."""
    answer = SearchAnswer.get_or_none(SearchAnswer.id == answer_id, SearchAnswer.state == "waiting")
    return (answer.source, answer.search.words) if answer else None


def fill_in(answer_id: int, found: Iterable[Mapping[str, Any]]) -> None:
    """What a source found. All who wait for the same are told; what was given up may still come."""
    _settle(answer_id, state="ready", results=_bounded(found), failure="")


def give_up(answer_id: int, sentence: str) -> None:
    """Why a source says nothing."""
    _settle(answer_id, state="failed", results=[], failure=one_line(sentence)[:TEXT_LONGEST] or NOTHING_SAID)


def give_up_lost() -> None:
    """The clock: what nobody answered in a minute was lost."""
    lost = Search.select(Search.id).where(Search.asked_at <= now_ms() - GIVEN_UP_MS)
    is_lost = (SearchAnswer.state == "waiting") & SearchAnswer.search.in_(lost)
    if SearchAnswer.select().where(is_lost).exists():
        with write():
            _hold(is_lost)
            late = SearchAnswer.update(state="failed", failure=NOTHING_SAID, answered_at=now_ms())
            late.where(is_lost).execute()


def room_code_of(user_id: int, search_id: int) -> str:
    """The room that somebody's own search belongs to. Raises NotFound."""
    search = _own(user_id, search_id)
    if search.room_id is None:
        raise NotFound("That search is over.")
    return str(Room.get_by_id(search.room_id).code)


def title_of(user_id: int, source: str, key: str) -> str:
    """What a source called one of its rows when this person searched lately; nothing where it said nothing of it."""
    answers = (
        SearchAnswer.select(SearchAnswer.results)
        .join(Search)
        .where(Search.user == user_id, SearchAnswer.source == source, SearchAnswer.state == "ready")
        .order_by(SearchAnswer.id.desc())
        .limit(MOST_ROWS)
    )
    titles = (row["title"] for answer in answers for row in answer.results if row["key"] == key)
    return str(next(titles, ""))


def look(user_id: int, search_id: int, room: Snapshot, source: str = "") -> SearchView:
    """Somebody's own search in a room, with the answers so far; of one source, if one is named. Raises NotFound."""
    search = _own(user_id, search_id)
    if search.room_id != room.id:
        raise NotFound("That search is over.")
    answers = [each for each in search.answers.order_by(SearchAnswer.id) if source in ("", each.source)]
    if source and not answers:
        raise NotFound("Nobody was asked there.")
    known = [row for answer in answers for row in answer.results]
    own = _in_library(known, room, user_id)
    places = places_of(room)
    is_late = now_ms() - search.asked_at >= PATIENCE_MS
    views = []
    for answer in answers:
        state = "late" if answer.state == "waiting" and is_late else answer.state
        found = tuple(_row(row, own, places) for row in answer.results)
        views.append(AnswerView(answer.source, state, found, answer.failure))
    return SearchView(search.id, search.words, tuple(views))


def _own(user_id: int, search_id: int) -> Search:
    search = Search.get_or_none(Search.id == search_id, Search.user == user_id)
    if search is None:
        raise NotFound("That search is over.")
    return search


def _known(words: str, source: str, user_id: int) -> SearchAnswer | None:
    """What anybody was told, or is about to be told, of the same words lately."""
    found = _lately(words, source, user_id)
    if found is None or found.state != "waiting":
        return found
    # Whoever answers it waits until ours is there to be answered too, or has done so by now.
    return locking(SearchAnswer.select().where(SearchAnswer.id == found.id)).first()


def _lately(words: str, source: str, user_id: int) -> SearchAnswer | None:
    now = now_ms()
    is_open = (SearchAnswer.state == "failed") & (SearchAnswer.answered_at > now - FAILED_REUSED_MS)
    is_open |= (SearchAnswer.state == "waiting") & (Search.asked_at > now - PATIENCE_MS)
    if source in BY_ACCOUNT:
        is_open &= Search.user == user_id
    is_lately = is_open | (SearchAnswer.state == "ready") & (SearchAnswer.answered_at > now - REUSED_MS)
    found: SearchAnswer | None = (
        SearchAnswer.select(SearchAnswer, Search)
        .join(Search)
        .where(Search.words == words, SearchAnswer.source == source, is_lately)
        .order_by(SearchAnswer.id.desc())
        .first()
    )
    return found


def _answer(
    search: Search,
    source: str,
    state: str,
    results: list[Any] | None = None,
    failure: str = "",
    answered_at: int | None = None,
) -> int:
    made = SearchAnswer.create(
        search=search,
        source=source,
        state=state,
        results=results or [],
        failure=failure,
        answered_at=answered_at,
    )
    return int(made.id)


def _settle(answer_id: int, **values: object) -> None:
    with write():
        answer = SearchAnswer.get_or_none(SearchAnswer.id == answer_id)
        if answer is None or answer.state == "ready":
            return
        same = Search.select(Search.id).where(Search.words == answer.search.words)
        if answer.source in BY_ACCOUNT and values["state"] == "failed":
            same = same.where(Search.user == answer.search.user_id)
        is_same = (SearchAnswer.state == "waiting") & (SearchAnswer.source == answer.source)
        is_same &= SearchAnswer.search.in_(same)
        settled = (SearchAnswer.id == answer_id) | is_same
        # Before the update: who waits for one of these has written their own by then, and the update sees it.
        _hold(settled)
        SearchAnswer.update(answered_at=now_ms(), **values).where(settled).execute()


def _hold(which: Any) -> None:
    list(locking(SearchAnswer.select(SearchAnswer.id).where(which).order_by(SearchAnswer.id)))


def _bounded(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that are what rows have to be, shortened."""
    kept = []
    for row in found:
        texts = {
            name: one_line(str(row.get(name, "")))[:TEXT_LONGEST] for name in ("title", "artist", "album")
        }
        key, preview, cover = (str(row.get(name, "")) for name in ("key", "preview_url", "cover"))
        length = row.get("duration_ms")
        if not _KEY.fullmatch(key) or not texts["title"]:
            continue
        is_address = re.match(r"https?://", preview) and len(preview) <= ADDRESS_LONGEST
        kept.append(
            {
                "provider": str(row.get("provider", ""))[:16],
                "key": key,
                **texts,
                "duration_ms": length if isinstance(length, int) and 0 < length < 2**31 else 0,
                "preview_url": preview if is_address else "",
                "is_playable": row.get("is_playable") is True,
                "licence": one_line(str(row.get("licence", "")))[:LICENCE_LONGEST],
                "cover": cover if _COVER.fullmatch(cover) else "",
            }
        )
    return kept[:MOST_ROWS]


def _in_library(found: list[dict[str, Any]], room: Snapshot, user_id: int) -> dict[tuple[str, str], int]:
    """Tracks of the library that are one of these songs, by folded artist and title; and those it came as before."""
    wanted = {_same(row["artist"], row["title"]) for row in found if row["artist"]}
    slugs = {f"{row['provider']}-{row['key']}": (row["provider"], row["key"]) for row in found}
    if not found:
        return {}
    begins = [Track.search.startswith(f"{title} {artist}") for artist, title in sorted(wanted)]
    is_one = functools.reduce(operator.or_, begins, Track.slug.in_(list(slugs)))
    is_shown = ~Track.is_hidden & (Track.state == "ready") & shelf.shown(room.id, user_id)
    if not room.settings.explicit:
        is_shown &= ~Track.is_explicit
    query = Track.select(Track.id, Track.slug, Track.artist, Track.title).where(is_shown, is_one)
    own: dict[tuple[str, str], int] = {}
    for track_id, slug, artist, title in rows(query.order_by(Track.id)):
        own.setdefault(_same(artist, title), track_id)
        if slug in slugs:
            own[slugs[slug]] = track_id
    return own


def _same(artist: str, title: str) -> tuple[str, str]:
    return fold(artist), fold(title)


def _row(
    row: dict[str, Any], own: dict[tuple[str, str], int], places: dict[int, tuple[int, int]]
) -> FoundRow:
    track_id = own.get((row["provider"], row["key"]))
    if track_id is None and row["artist"]:
        track_id = own.get(_same(row["artist"], row["title"]))
    return FoundRow(
        row["provider"],
        row["key"],
        row["title"],
        row["artist"],
        row["album"],
        clock_text(row["duration_ms"]) if row["duration_ms"] else "",
        row["preview_url"],
        row["is_playable"],
        track_id,
        places.get(track_id or 0, (None, None))[0],
        row.get("licence", ""),
        row.get("cover", ""),
    )
