"""The library: what is found, in which order, how many at a time, and what stands on the line already."""

from __future__ import annotations

import pytest

from models import Track
from party import library, queue
from party.errors import Invalid
from party.library import fold
from tests import stage
from tests.stage import Cast

SONGS = [
    ("Café del Mar", "Zoë Straße", "Über", "jazz", 90_000),
    ("cafe noir", "ada", "", "jazz", 50_000),
    ("100% Pure", "Ben", "Half_way", "rock", 60_000),
    ("1000 Pure", "Ben", "Halfxway", "rock", 70_000),
    ("Back\\slash", "Cleo", "", "rock", 80_000),
    ("夜に駆ける", "東京", "", "city pop", 61_000),
    ("Нежность", "Майя", "", "waltz", 62_000),
    ("Ὀδύσσεια", "Ὅμηρος", "", "waltz", 63_000),
    ("ΣΊΣΥΦΟΣ", "x", "", "waltz", 64_000),
    ("ﬁnale", "ｆｕｌｌ", "", "rock", 65_000),
    ("안녕", "김민준", "", "pop", 66_000),
    ("İstanbul", "ı", "", "pop", 67_000),
]


@pytest.fixture
def songs(database, time) -> None:
    for number, (title, artist, album, genre, duration) in enumerate(SONGS):
        time.move(1)
        library.add_track(
            slug=f"s{number}",
            title=title,
            artist=artist,
            album=album,
            genre=genre,
            duration_ms=duration,
            media_file=f"audio/{number}.mp3",
            cover_file=f"covers/{number}.webp",
            hue="none",
        )


def found(search: str = "", genre: str = "", ordering: str = "title", page: int = 1) -> list[str]:
    return [row.track.title for row in library.browse(search, genre, ordering, page, None).rows]


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("cafe", ["Café del Mar", "cafe noir"]),
        ("CAFÉ", ["Café del Mar", "cafe noir"]),
        ("cafe\u0301", ["Café del Mar", "cafe noir"]),
        ("zoe STRASSE", ["Café del Mar"]),
        ("uber", ["Café del Mar"]),
        ("mar cafe", ["Café del Mar"]),
        ("afé de", ["Café del Mar"]),
        ("夜に", ["夜に駆ける"]),
        ("東京", ["夜に駆ける"]),
        ("НЕЖНОСТЬ", ["Нежность"]),
        ("майя", ["Нежность"]),
        ("οδυσσεια", ["Ὀδύσσεια"]),
        ("ΟΜΗΡΟΣ", ["Ὀδύσσεια"]),
        ("σισυφος", ["ΣΊΣΥΦΟΣ"]),
        ("finale", ["ﬁnale"]),
        ("full", ["ﬁnale"]),
        ("안녕", ["안녕"]),
        ("김민", ["안녕"]),
        ("istanbul", ["İstanbul"]),
        ("nothing like it", []),
        ("cafe zzz", []),
    ],
)
def test_the_search_is_blind_to_case_and_accents_in_every_script(
    songs, search: str, titles: list[str]
) -> None:
    assert sorted(found(search)) == sorted(titles)


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("100%", ["100% Pure"]),
        ("%", ["100% Pure"]),
        ("half_way", ["100% Pure"]),
        ("_", ["100% Pure"]),
        ("\\", ["Back\\slash"]),
        ("\\%", []),
        ("'", []),
        ('"', []),
        ("' OR '1'='1", []),
        ("back\0slash", []),
        ("100\0%", ["100% Pure"]),
    ],
)
def test_signs_that_mean_something_to_a_database_are_plain_text(
    songs, search: str, titles: list[str]
) -> None:
    assert found(search) == titles


def test_a_search_of_very_many_words_is_answered(songs) -> None:
    assert found("a " * 100) == found("a")
    assert found("cafe " * library.MOST_WORDS + "zzz") == found("cafe")


def test_an_empty_search_finds_everything(songs) -> None:
    for search in ("", "   ", "\u0301"):
        assert len(found(search)) == len(SONGS)


def test_orderings(songs) -> None:
    assert found(genre="rock") == ["100% Pure", "1000 Pure", "Back\\slash", "ﬁnale"]
    assert found(genre="jazz") == ["Café del Mar", "cafe noir"]
    assert found(ordering="newest")[:2] == ["İstanbul", "안녕"]
    assert found(ordering="duration")[:2] == ["cafe noir", "100% Pure"]
    for one, other in (("newest", "oldest"), ("duration", "longest")):
        assert found(ordering=other) == found(ordering=one)[::-1]
    assert found("pure", ordering="artist") == ["100% Pure", "1000 Pure"]
    with pytest.raises(Invalid, match="oldest, duration or longest"):
        found(ordering="random")


def test_artists_are_ordered_without_regard_to_case_and_then_by_title(songs) -> None:
    assert found(genre="jazz", ordering="artist") == ["cafe noir", "Café del Mar"]
    Track.update(artist="ADA").where(Track.title == "Café del Mar").execute()
    assert found(genre="jazz", ordering="artist") == ["Café del Mar", "cafe noir"]


def test_genres_filter_and_are_listed_once(songs) -> None:
    view = library.browse("", "waltz", "title", 1, None)
    assert {row.track.genre for row in view.rows} == {"waltz"}
    assert view.genres == ("city pop", "jazz", "pop", "rock", "waltz")
    assert library.browse("", "polka", "title", 1, None).rows == ()


def test_twenty_a_page_and_every_track_once(cast: Cast) -> None:
    stage.library(45)
    seen: list[int] = []
    for page, more in ((1, True), (2, True), (3, False), (4, False)):
        view = library.browse("", "", "title", page, None)
        assert (view.has_more, view.total, view.page) == (more, 45, page)
        seen += [row.track.id for row in view.rows]
    assert len(seen) == len(set(seen)) == 45


@pytest.mark.parametrize("page", [0, -1, 100_001, 10**12])
def test_there_is_no_such_page(cast: Cast, page: int) -> None:
    with pytest.raises(Invalid):
        library.browse("", "", "title", page, None)


def test_what_waits_is_shown_with_its_place_and_what_plays_or_played_is_not(cast: Cast) -> None:
    items = cast.add(4)
    queue.cast_vote(cast.cleo, cast.code, items[3], 1)
    rows = {row.track.id: row for row in library.browse("", "", "title", 1, cast.seen()).rows}
    assert [rows[track].queue_position for track in cast.tracks[:5]] == [None, 2, 3, 1, None]
    assert rows[cast.tracks[3]].item_id == items[3]
    queue.remove_item(cast.ada, cast.code, items[3])
    rows = {row.track.id: row for row in library.browse("", "", "title", 1, cast.seen()).rows}
    assert rows[cast.tracks[3]].queue_position is None


def test_a_track_comes_in_once(songs) -> None:
    count = Track.select().count()
    library.add_track(
        slug="s0",
        title="Other",
        artist="Other",
        album="",
        genre="",
        duration_ms=1,
        media_file="a",
        cover_file="c",
        hue="none",
    )
    assert (Track.select().count(), Track.get(Track.slug == "s0").title) == (count, "Café del Mar")
    assert library.known_slugs() == {f"s{number}" for number in range(len(SONGS))}


def test_the_demo_librarys_progress_is_shown_until_it_is_whole(cast: Cast) -> None:
    assert library.making() is None
    library.report_demo(0, 35)
    assert library.making() == (0, 35)
    library.report_demo(7, 35)
    assert library.browse("", "", "title", 1, None).making == (7, 35)
    library.report_demo(35, 35)
    assert library.making() is None


@pytest.mark.parametrize("text", [song[0] for song in SONGS])
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
