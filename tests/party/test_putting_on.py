"""A playlist goes on a line a few at a time: nobody waits long, and what it says of the rest is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from models import Item, PlaylistEntry, Room, Track, User
from party import change, hosting, lifecycle, moderation, playlists, putting_on, queue
from party.errors import Busy, NotAllowed
from party.playlists import Line, line_of
from party.putting_on import AT_ONCE, PutOn, put_on_line
from tests.ledger import every_row
from tests.stage import Cast

LINK = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
FACTS = {
    "provider": "youtube",
    "key": "dQw4w9WgXcQ",
    "reference": "dQw4w9WgXcQ",
    "player": "youtube",
    "title": "dQw4w9WgXcQ",
    "is_video": True,
}


@pytest.fixture
def made(cast: Cast) -> int:
    """A playlist of Ada's with twelve tracks."""
    User.update(email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    return playlists.keep_lines(
        cast.ada, "Late", [line_of(Track.get_by_id(track_id)) for track_id in cast.tracks]
    )


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tracks each transaction put on."""
    counted: list[int] = []

    @contextmanager
    def counting() -> Iterator[None]:
        before = Item.select().count()
        with change.write():
            yield
        counted.append(Item.select().count() - before)

    monkeypatch.setattr(putting_on, "write", counting)
    return counted


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen once, after the first transaction and before the second."""

    def arrange(act: Callable[[], object]) -> None:
        left = [act]
        monkeypatch.setattr(putting_on.time, "sleep", lambda _seconds: left.pop()() if left else None)

    return arrange


def put_on(cast: Cast, made: int, **more: object) -> PutOn:
    return put_on_line(cast.ada, cast.code, made, **more)  # type: ignore[arg-type]


def test_a_few_share_a_transaction_and_all_go_on_in_order(cast: Cast, made: int, sizes: list[int]) -> None:
    done = put_on(cast, made)
    assert sizes == [5, 5, 2] and max(sizes) <= AT_ONCE
    assert (done.added, done.sentence) == (12, "12 went on.")
    assert [item.track_id for item in Item.select().order_by(Item.added_seq)] == cast.tracks


def test_a_link_has_a_transaction_of_its_own(cast: Cast, made: int, sizes: list[int]) -> None:
    linked = playlists.keep_lines(
        cast.ada,
        "Mixed",
        [Line("One", track_id=cast.tracks[0]), Line("It", link=LINK), Line("Two", track_id=cast.tracks[1])],
    )
    done = put_on(cast, linked, links={LINK: FACTS})
    assert (sizes, done.added) == ([1, 1, 1], 3)
    [entry] = PlaylistEntry.select().where(PlaylistEntry.link == LINK)
    assert entry.track.provider == "youtube"


def test_a_party_that_ends_in_the_middle_stops_it_with_its_sentence(cast: Cast, made: int, between) -> None:
    between(lambda: hosting.end_room(cast.ada, cast.code))
    done = put_on(cast, made)
    assert done.sentence == f"5 of 12 were put on: {change.OVER}"
    assert (done.added, done.behind, done.left) == (5, 7, ())
    assert Item.select().count() == 5 and lifecycle.effective(cast.room(), 0)[0] == "EXPIRED"


def test_somebody_who_is_sent_out_in_the_middle_is_told_so(cast: Cast, made: int, between) -> None:
    User.update(email="cleo@example.org").where(User.id == cast.cleo.user_id).execute()
    hers = playlists.keep_lines(cast.cleo, "Hers", [Line("x", track_id=each) for each in cast.tracks[:8]])
    Room.update(settings={"max_waiting": 0, "adds_per_minute": 0}).execute()
    between(lambda: moderation.kick(cast.ada, cast.code, cast.members["cleo"]))
    done = put_on_line(cast.cleo, cast.code, hers)
    assert done.sentence == f"5 of 8 were put on: {change.NOT_INSIDE}"


def test_what_is_on_stays_on_when_the_database_cannot_be_had(cast: Cast, made: int, monkeypatch) -> None:
    turns = iter((change.write, change.write))

    @contextmanager
    def busy() -> Iterator[None]:
        turn = next(turns, None)
        if turn is None:
            raise Busy("The line is very busy just now. Please try again in a moment.")
        with turn():
            yield

    monkeypatch.setattr(putting_on, "write", busy)
    done = put_on(cast, made)
    assert done.sentence == (
        "10 of 12 were put on: The line is very busy just now. Please try again in a moment."
    )
    assert Item.select().count() == 10


def test_a_limit_says_how_far_it_came_and_what_else_stayed_behind(cast: Cast, made: int) -> None:
    User.update(email="ben@example.org").where(User.id == cast.ben.user_id).execute()
    Track.update(is_explicit=True).where(Track.id == cast.tracks[1]).execute()
    Room.update(settings={"max_waiting": 3, "explicit": False}).execute()
    bens = playlists.keep_lines(cast.ben, "Ben's", [Line("x", track_id=each) for each in cast.tracks[:9]])
    said = put_on_line(cast.ben, cast.code, bens).sentence
    # One plays, three wait.
    assert said == (
        "4 of 9 were put on: Three at a time. Your next spot opens after Song 2. 1 is too explicit for this room."
    )


def test_what_changes_in_the_middle_counts_as_it_is_then(cast: Cast, made: int, between) -> None:
    def meanwhile() -> None:
        Track.update(is_hidden=True).where(Track.id == cast.tracks[5]).execute()
        Track.update(is_explicit=True).where(Track.id == cast.tracks[6]).execute()
        Room.update(settings={"explicit": False}).execute()
        queue.add_item(cast.ben, cast.code, cast.tracks[7])

    between(meanwhile)
    done = put_on(cast, made)
    assert (done.added, done.left, done.stopped) == (9, (("broken", 1), ("explicit", 1), ("in_line", 1)), "")


def test_nobody_who_may_not_put_anything_on_changes_a_row(cast: Cast, made: int) -> None:
    User.update(email="dan@example.org").where(User.id == cast.dan.user_id).execute()
    dans = playlists.keep_lines(cast.dan, "Dan's", [Line("x", track_id=cast.tracks[0])])
    before = every_row()
    with pytest.raises(NotAllowed) as refusal:
        put_on_line(cast.dan, cast.code, dans)
    assert refusal.value.message == change.NOT_INSIDE and every_row() == before


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (PutOn(12, 0, (), "", 0), "12 went on."),
        (PutOn(0, 3, (), "", 0), "3 wait for the host’s word."),
        (PutOn(0, 0, (("broken", 2),), "", 0), "0 went on. 2 cannot be played here."),
        (PutOn(12, 0, (), "Enough.", 28), "12 of 40 were put on: Enough."),
        (PutOn(0, 2, (), "Enough.", 3), "2 of 5 were suggested: Enough."),
        (PutOn(0, 0, (("words", 1),), "Enough.", 3), "0 of 4 were put on: Enough. 1 is words only so far."),
    ],
)
def test_the_sentence_tells_the_whole_story(outcome: PutOn, sentence: str) -> None:
    assert outcome.sentence == sentence
