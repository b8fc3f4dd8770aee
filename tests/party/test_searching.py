"""Searches beyond the library: who may ask, who is asked, what is kept, and which rows are the library's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from media.provider import Found
from models import Item, Search, SearchAnswer, Track
from party import configuring, health, hosting, lifecycle, searching, work
from party.errors import Invalid, NotAllowed, NotFound, Over, TooMany
from party.searching import FoundRow, SearchView
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast, set_access

SOURCES = ("archive", "jamendo")


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    given: list[int] = []
    monkeypatch.setattr(work, "carriers", {"ask_source": given.append})
    return given


def row(key: str = "1", title: str = "New song", artist: str = "Somebody", **more: Any) -> dict[str, Any]:
    return asdict(Found("jamendo", key, title, artist, **more))


def ask(cast: Cast, who: str = "cleo", words: str = "new song", sources: tuple[str, ...] = SOURCES) -> int:
    return searching.ask(getattr(cast, who), cast.code, words, sources)


def seen(cast: Cast, search_id: int, who: str = "cleo", source: str = "") -> SearchView:
    return searching.look(getattr(cast, who).user_id, search_id, cast.seen(), source)


def answered(cast: Cast, *found: dict[str, Any]) -> tuple[FoundRow, ...]:
    """The rows as Cleo sees them, of a source that found these."""
    search_id = ask(cast, sources=("jamendo",))
    searching.fill_in(SearchAnswer.select().order_by(SearchAnswer.id.desc()).get().id, found)
    return seen(cast, search_id).answers[0].rows


def test_every_source_is_asked_once_and_answers_for_itself(cast: Cast, handed: list[int]) -> None:
    search_id = ask(cast, words="  New   SONG ")
    assert handed == [answer.id for answer in SearchAnswer.select().order_by(SearchAnswer.id)]
    assert [searching.claim(answer_id) for answer_id in handed] == [(name, "new song") for name in SOURCES]
    assert [(each.source, each.state) for each in seen(cast, search_id).answers] == [
        ("archive", "waiting"),
        ("jamendo", "waiting"),
    ]
    searching.fill_in(handed[1], [row(duration_ms=61_000, preview_url="https://sound.example/1.mp3")])
    archive, jamendo = seen(cast, search_id).answers
    assert (archive.state, jamendo.state) == ("waiting", "ready")
    expected = FoundRow(
        "jamendo", "1", "New song", "Somebody", "", "1:01", "https://sound.example/1.mp3", is_playable=True
    )
    assert jamendo.rows == (expected,)
    assert searching.claim(handed[1]) is None
    assert seen(cast, search_id, source="jamendo").answers == (jamendo,)
    with pytest.raises(NotFound):
        seen(cast, search_id, source="nobody")


def test_the_worker_hears_of_it_only_when_it_is_kept(cast: Cast, handed: list[int]) -> None:
    from models import database

    with database.obj.atomic():
        ask(cast)
        assert handed == []
    assert len(handed) == 2


@pytest.mark.parametrize("words", ["", "ab", "  a b ", "!!??", "夜", "a" * 201])
def test_words_of_no_use_are_refused(cast: Cast, handed: list[int], words: str) -> None:
    before = every_row()
    with pytest.raises(Invalid):
        ask(cast, words=words)
    assert (every_row(), handed) == (before, [])
    assert not searching.is_searchable(words)


@pytest.mark.parametrize("words", ["abc", "夜の", "a1b", "a" * 200])
def test_three_letters_are_enough_and_two_of_chinese_or_japanese(cast: Cast, words: str) -> None:
    assert searching.is_searchable(words)
    assert ask(cast, words=words)


def test_a_stranger_asks_nobody(cast: Cast, handed: list[int]) -> None:
    before = every_row()
    with pytest.raises(NotAllowed):
        ask(cast, "dan")
    assert every_row() == before
    set_access(cast.ada, cast.code, "private", "approval")
    with pytest.raises(NotFound):
        ask(cast, "dan")
    assert handed == [] and Search.select().count() == 0


def test_a_room_without_links_and_one_that_is_over_ask_nobody(cast: Cast, handed: list[int]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    before = every_row()
    with pytest.raises(NotAllowed):
        ask(cast)
    assert every_row() == before
    hosting.end_room(cast.ada, cast.code)
    before = every_row()
    with pytest.raises(Over):
        ask(cast)
    assert (every_row(), handed) == (before, [])
    assert lifecycle.effective(cast.room(), 0)[0] == "EXPIRED"


def test_twenty_searches_a_minute_for_each_person(cast: Cast, time, handed: list[int]) -> None:
    for number in range(20):
        ask(cast, words=f"song {number}")
    before = every_row()
    with pytest.raises(TooMany):
        ask(cast, words="one more")
    assert (every_row(), len(handed)) == (before, 40)
    assert ask(cast, "ben", "one more")
    time.move(61)
    assert ask(cast, words="one more")


def test_the_same_words_soon_after_get_the_same_answer(cast: Cast, time, handed: list[int]) -> None:
    first = ask(cast)
    searching.fill_in(handed[0], [row()])
    searching.fill_in(handed[1], [])
    time.move(599)
    second = ask(cast, "ben", "NEW song")
    assert second != first and len(handed) == 2
    assert seen(cast, second, "ben").answers == seen(cast, first).answers
    time.move(2)
    third = ask(cast, "ben")
    assert len(handed) == 4 and seen(cast, third, "ben").answers[0].state == "waiting"


def test_whoever_asks_while_somebody_waits_gets_that_answer_too(cast: Cast, time, handed: list[int]) -> None:
    first = ask(cast, sources=("jamendo",))
    time.move(5)
    second = ask(cast, "ben", sources=("jamendo",))
    other = ask(cast, "ada", "another song", sources=("jamendo",))
    assert len(handed) == 2
    searching.fill_in(handed[0], [row()])
    assert seen(cast, first).answers == seen(cast, second, "ben").answers
    assert seen(cast, second, "ben").answers[0].state == "ready"
    assert seen(cast, other, "ada").answers[0].state == "waiting"


def test_a_source_that_failed_is_asked_again_a_little_later(cast: Cast, time, handed: list[int]) -> None:
    search_id = ask(cast, sources=("jamendo",))
    searching.give_up(handed[0], "Jamendo is too busy just now.\u202e")
    [answer] = seen(cast, search_id).answers
    assert (answer.state, answer.failure, answer.rows) == ("failed", "Jamendo is too busy just now.", ())
    time.move(29)
    ask(cast, sources=("jamendo",))
    assert len(handed) == 1
    time.move(2)
    ask(cast, sources=("jamendo",))
    assert len(handed) == 2


def test_what_failed_by_somebodys_account_says_nothing_to_others(cast: Cast, time, handed: list[int]) -> None:
    def state(search_id: int, who: str) -> tuple[str, str]:
        [answer] = seen(cast, search_id, who).answers
        return answer.state, answer.failure

    first, other = (ask(cast, who, sources=("spotify",)) for who in ("cleo", "ben"))
    assert len(handed) == 2, "each is asked by an account of their own"
    searching.give_up(handed[0], "Your account has ended.")
    assert state(first, "cleo") == ("failed", "Your account has ended.")
    assert state(other, "ben") == ("waiting", "")
    assert state(ask(cast, "ada", sources=("spotify",)), "ada") == ("waiting", "")
    again = ask(cast, "cleo", sources=("spotify",))
    assert state(again, "cleo") == ("failed", "Your account has ended.") and len(handed) == 3
    searching.fill_in(handed[1], [row()])
    assert state(other, "ben") == ("ready", "")
    time.move(31)
    assert state(ask(cast, "cleo", sources=("spotify",)), "cleo") == ("ready", ""), (
        "songs are the same to all"
    )
    assert len(handed) == 3


def test_a_screen_waits_fifteen_seconds_and_an_answer_may_still_come(
    cast: Cast, time, handed: list[int]
) -> None:
    search_id = ask(cast, sources=("jamendo",))
    time.move(14.9)
    assert seen(cast, search_id).answers[0].state == "waiting"
    time.move(0.1)
    assert seen(cast, search_id).answers[0].state == "late"
    searching.give_up_lost()
    assert SearchAnswer.get().state == "waiting"
    time.move(45)
    searching.give_up_lost()
    assert seen(cast, search_id).answers[0].failure == searching.NOTHING_SAID
    searching.fill_in(handed[0], [row()])
    assert seen(cast, search_id).answers[0].state == "ready"
    before = every_row()
    searching.give_up(handed[0], "No.")
    searching.fill_in(handed[0], [])
    searching.fill_in(10_000, [row()])
    searching.give_up_lost()
    assert every_row() == before


def test_only_who_asked_may_look(cast: Cast) -> None:
    search_id = ask(cast)
    assert searching.room_code_of(cast.cleo.user_id, search_id) == cast.code
    for who in ("ada", "ben", "dan"):
        with pytest.raises(NotFound):
            seen(cast, search_id, who)
        with pytest.raises(NotFound):
            searching.room_code_of(getattr(cast, who).user_id, search_id)
    with pytest.raises(NotFound):
        seen(cast, 10_000)


def test_a_song_of_the_library_leads_there(cast: Cast) -> None:
    cast.add(2)
    waiting = Track.get_by_id(cast.seen().items[0].track.id)
    other = Track.get_by_id(cast.tracks[5])
    found = answered(
        cast,
        row("1", waiting.title.upper(), waiting.artist),
        row("2", other.title, f" {other.artist}"),
        row("3", other.title, "Somebody else"),
        row("4", other.title[:-1], other.artist),
        row("5", other.title, ""),
    )
    assert [(each.track_id, each.queue_position) for each in found] == [
        (waiting.id, 1),
        (other.id, None),
        (None, None),
        (None, None),
        (None, None),
    ]


def test_what_the_room_put_on_by_itself_may_be_added(cast: Cast) -> None:
    cast.add(2)
    waiting = cast.seen().items[0]
    Item.update(is_filler=True).where(Item.id == waiting.id).execute()
    [found] = answered(cast, row("1", waiting.track.title, waiting.track.artist))
    assert (found.track_id, found.queue_position) == (waiting.track.id, None)


def test_accents_and_case_make_no_other_song(cast: Cast) -> None:
    Track.update(title="Café del Mar", artist="Énergie", search="cafe del mar energie an album").where(
        Track.id == cast.tracks[3]
    ).execute()
    assert answered(cast, row(title="CAFE DEL MAR", artist="energie"))[0].track_id == cast.tracks[3]


def test_what_was_added_from_there_before_is_known_again(cast: Cast) -> None:
    Track.update(slug="jamendo-7", provider="jamendo", title="Called otherwise").where(
        Track.id == cast.tracks[4]
    ).execute()
    assert answered(cast, row("7", "New song", ""))[0].track_id == cast.tracks[4]


def test_what_the_room_or_the_person_does_not_see_is_no_song_of_theirs(cast: Cast) -> None:
    track = Track.get_by_id(cast.tracks[4])
    for hidden in ({"is_hidden": True}, {"is_listed": False}, {"state": "failed"}):
        Track.update(is_hidden=False, is_listed=True, state="ready").execute()
        Track.update(**hidden).where(Track.id == track.id).execute()
        search_id = ask(cast, words=f"song {hidden}", sources=("jamendo",))
        searching.fill_in(SearchAnswer.select().order_by(SearchAnswer.id.desc()).get().id, [
            row(title=track.title, artist=track.artist)
        ])  # fmt: skip
        assert seen(cast, search_id).answers[0].rows[0].track_id is None, hidden


def test_what_a_source_says_is_shortened_and_what_is_no_row_is_dropped(cast: Cast) -> None:
    good = row("a.b_C-1", "t" * 500, "a\u202e\nb", preview_url="javascript:alert(1)", duration_ms=-4)
    found = answered(
        cast,
        good,
        {**good, "key": "../x"},
        {**good, "key": "k" * 101},
        {**good, "title": " \u200b "},
        {},
        {**good, "key": "2", "duration_ms": "9", "is_playable": "yes", "provider": "p" * 99},
        *({**good, "key": f"more-{number}"} for number in range(40)),
    )
    assert len(found) == 20
    assert (found[0].key, len(found[0].title), found[0].artist) == ("a.b_C-1", 200, "a b")
    assert (found[0].preview_url, found[0].duration_text, found[0].is_playable) == ("", "", True)
    assert (found[1].duration_text, found[1].is_playable, len(found[1].provider)) == ("", False, 16)


@pytest.mark.parametrize(
    ("cover", "is_kept"),
    [
        ("data:image/webp;base64,AAAA", True),
        ("https://stranger.example/a.jpg", False),
        ("data:image/svg+xml;base64,AAAA", False),
        ('data:image/webp;base64,AAAA" onerror="alert(1)', False),
        ("data:image/webp;base64," + "A" * 12_001, False),
    ],
)
def test_a_picture_is_one_of_ours_or_none(cast: Cast, cover: str, is_kept: bool) -> None:
    [found] = answered(cast, row(cover_url=cover, licence="CC BY\n" + "x" * 99) | {"cover": cover})
    assert found.cover == (cover if is_kept else "")
    assert found.licence.startswith("CC BY x") and len(found.licence) == 20


def test_what_to_look_for_is_the_song_by_its_artist(cast: Cast) -> None:
    [found] = answered(cast, row(title="Song", artist="Ada", is_playable=False))
    assert found.words == "Ada Song"


def test_old_searches_are_let_go_of(cast: Cast, time) -> None:
    ask(cast)
    time.move(3_599)
    ask(cast, "ben")
    health.tidy()
    assert Search.select().count() == 2
    time.move(2)
    health.tidy()
    assert [search.user_id for search in Search.select()] == [cast.ben.user_id]
    assert SearchAnswer.select().count() == 2


def test_whoever_asks_while_the_answer_comes_gets_it_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(cast, sources=("jamendo",))
    first = SearchAnswer.get().id
    asking = lambda: ask(cast, "ben", sources=("jamendo",))  # noqa: E731
    search_id, _ = meanwhile(
        monkeypatch, (searching, "_answer"), asking, lambda: searching.fill_in(first, [row()])
    )
    [answer] = seen(cast, search_id, "ben").answers
    assert (answer.state, len(answer.rows)) == ("ready", 1)
