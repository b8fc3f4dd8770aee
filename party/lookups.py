"""What the clock finds out about tracks that came by a link, told to every room that shows them.

Such a track is `looking_up` until its facts are known (`fill_in`) or why there are none (`give_up`). Its row says when
it was handed over or tried last, and how often, so that what a crash lost is found again (`due`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from peewee import SQL, fn

from models import Item, Room, Suggestion, Track, locking, rows
from party import work
from party.change import CLOCK, Change, change, hold_with_rooms, write
from party.clock import now_ms
from party.errors import NotFound, Over
from party.library import fold
from party.names import one_line
from party.playback import hold_lock, start_if_idle

MOST_TRIES = 4
WAIT_MS = (15_000, 30_000, 120_000, 600_000, 600_000)
"""How long after it was handed over, or tried so many times, a lookup is due again: lost, or worth another try."""

LONGEST_WAIT_MS = 3_600_000
SWEPT_AT_ONCE = 50
UNKNOWN = "We could not find out what that is."
WORDS_LONGEST, GENRE_LONGEST, MIME_LONGEST, FAILURE_LONGEST = 200, 60, 60, 200
LONGEST_MS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Lookup:
    """A track that is about to be looked up, as its provider names it."""

    slug: str
    provider: str
    key: str
    reference: str
    player: str
    title: str
    is_video: bool
    content: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How the tracks of one provider fare, and what went wrong last."""

    ready: int = 0
    looking_up: int = 0
    failed: int = 0
    failure: str = ""
    failed_at: int | None = None


def claim(track_id: int) -> Lookup | None:
    """Begin to look a track up. None when nobody has to: known, just begun by another, or too early.

    One that was tried often enough is given up.
    """
    with write():
        track = Track.get_or_none(Track.id == track_id, _is_looked_up())
        if track is None or (track.tries and now_ms() < _due_at(track)):
            return None
        if track.tries >= MOST_TRIES:
            give_up(track_id, UNKNOWN)
            return None
        mine = Track.update(tries=Track.tries + 1, looked_up_at=now_ms()).where(
            Track.id == track_id, _is_looked_up(), Track.tries == track.tries
        )
        if not mine.execute():
            return None
    key = track.slug.removeprefix(f"{track.provider}-")
    facts = (track.reference, track.player, track.title, bool(track.is_video), track.content)
    return Lookup(track.slug, track.provider, key, *facts)


def fill_in(
    track_id: int,
    *,
    title: str = "",
    artist: str = "",
    album: str = "",
    genre: str = "",
    duration_ms: int | None = None,
    is_video: bool | None = None,
    mime: str = "",
    reference: str = "",
    player: str = "",
    cover_file: str = "",
    hue: str = "none",
) -> bool:
    """What was found out about a track. Known already, or given up: nothing. True when it was told."""
    with write():
        track = hold((Track.id == track_id) & _is_looked_up())
        if track is None:
            return False
        for code, _ in places(track_id):
            # The head as it stands is frozen first: from now on this track may play before it.
            as_clock(code, hold_lock)
        words = [one_line(text)[:WORDS_LONGEST] for text in (title or track.title, artist, album)]
        return _settle(
            track_id,
            title=words[0] or track.title,
            artist=words[1],
            album=words[2],
            search=fold(" ".join(words)),
            genre=one_line(genre)[:GENRE_LONGEST],
            duration_ms=max(0, min(duration_ms or 0, LONGEST_MS)),
            is_video=track.is_video if is_video is None else is_video,
            mime=mime[:MIME_LONGEST],
            reference=reference or track.reference,
            player=player or track.player,
            cover_file=cover_file,
            hue=hue,
            state="ready",
            failure="",
        )


def give_up(track_id: int, sentence: str, *, again: bool = False, after_seconds: int = 0) -> bool:
    """Say why a track cannot be had. `again` leaves it to the sweep for some more tries, not before `after_seconds`.

    Known already, or given up: nothing. True when it failed for good.
    """
    with write():
        track = Track.get_or_none(Track.id == track_id, _is_looked_up())
        if track is None:
            return False
        if again and track.tries < MOST_TRIES:
            later = max(0, min(after_seconds * 1000, LONGEST_WAIT_MS) - WAIT_MS[track.tries])
            Track.update(looked_up_at=now_ms() + later).where(Track.id == track_id).execute()
            return False
        if hold(Track.id == track_id) is None:
            return False
        return _settle(track_id, state="failed", failure=one_line(sentence)[:FAILURE_LONGEST] or UNKNOWN)


def begin_anew(track: Track) -> None:
    """Have a track that failed, and is held, looked up from the start, in the open transaction."""
    Track.update(state="looking_up", failure="", tries=0, looked_up_at=now_ms()).where(
        Track.id == track.id
    ).execute()
    work.hand_over("look_up", track.id)
    _tell(track.id)


def due() -> list[int]:
    """Tracks whose lookup was lost, or is worth another try by now."""
    is_old = Track.looked_up_at.is_null() | (Track.looked_up_at <= now_ms() - WAIT_MS[0])
    found = Track.select().where(_is_looked_up(), is_old).order_by(Track.looked_up_at, Track.id)
    return [int(track.id) for track in found if now_ms() >= _due_at(track)][:SWEPT_AT_ONCE]


def places(track_id: int) -> list[tuple[str, int | None]]:
    """Where a track waits or plays: the open room's code and the item, which is None where it is suggested only."""
    items = (
        Item.select(Room.code, Item.id)
        .join(Room)
        .where(Item.track == track_id, Item.state.in_(("waiting", "playing")), Room.state != "EXPIRED")
    )
    wishes = (
        Suggestion.select(Room.code)
        .join(Room)
        .where(Suggestion.track == track_id, Suggestion.state == "waiting", Room.state != "EXPIRED")
    )
    found: list[tuple[str, int | None]] = [(code, item_id) for code, item_id in rows(items)]
    known = {code for code, _ in found}
    found += [(code, None) for (code,) in rows(wishes) if code not in known]
    return sorted(found, key=lambda place: (place[0], place[1] or 0))


def hold(which: Any, *codes: str) -> Track | None:
    """Lock the rooms that show the track of this condition, and these, and then the track. None where there is none.

    Who puts it on a line at this moment is waited for: their room saw it as it was, and has to be told.
    """

    def shown() -> Any:
        track = Track.get_or_none(which)
        return Room.code.in_({code for code, _ in places(track.id)} | set(codes) if track else set(codes))

    held: list[Track] = []

    def take() -> None:
        held[:] = locking(Track.select().where(which), to_delete=True)

    hold_with_rooms(shown, take)
    return held[0] if held else None


def as_clock(code: str, act: Callable[[Change], object]) -> None:
    """Act as the clock in a room that shows a track; one that ends at this moment is passed over."""
    try:
        with change(CLOCK, code, may="describe_item") as c:
            act(c)
    except (Over, NotFound):
        return


def by_provider() -> dict[str, Tally]:
    """How the tracks of each provider fare, by its name."""
    tallies: dict[str, Tally] = {}
    counted = Track.select(Track.provider, Track.state, fn.COUNT(SQL("*"))).group_by(
        Track.provider, Track.state
    )
    for provider, state, count in rows(counted):
        tallies[provider] = replace(tallies.get(provider, Tally()), **{state: count})
    newest = Track.select(fn.MAX(Track.looked_up_at)).where(Track.state == "failed").group_by(Track.provider)
    last = Track.select(Track.provider, Track.failure, Track.looked_up_at).where(
        Track.state == "failed", Track.looked_up_at.in_(newest)
    )
    for provider, failure, failed_at in rows(last.order_by(Track.looked_up_at)):
        tallies[provider] = replace(tallies[provider], failure=failure, failed_at=failed_at)
    return tallies


def _is_looked_up() -> object:
    return (Track.state == "looking_up") & (Track.reference != "")


def _due_at(track: Track) -> int:
    return int(track.looked_up_at or 0) + WAIT_MS[min(track.tries, MOST_TRIES)]


def _settle(track_id: int, **values: object) -> bool:
    """The end of a lookup; False when somebody else ended it meanwhile."""
    ended = Track.update(looked_up_at=now_ms(), **values).where(Track.id == track_id, _is_looked_up())
    if not ended.execute():
        return False
    _tell(track_id)
    return True


def _tell(track_id: int) -> None:
    """Every room that shows the track is told; a silent one begins with it if it can."""
    for code, item_id in places(track_id):
        as_clock(code, partial(_note, item_id=item_id))


def _note(c: Change, item_id: int | None) -> None:
    c.log("item_described", item_id=item_id)
    start_if_idle(c)
