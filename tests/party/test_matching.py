"""Which track a line of words means: alike in letters, artist and length, and never too sure."""

from __future__ import annotations

import pytest

from party.matching import LIKELY, SURE, Known, Shelf, Wanted, alike, main_artist, rated, recording

TRACKS = (
    Known(1, "So What", "Miles Davis", 562_000),
    Known(2, "So What", "Metallica", 489_000),
    Known(3, "Für Elise", "Ludwig van Beethoven", 180_000),
    Known(4, "夜に駆ける", "YOASOBI", 258_000),
    Known(5, "Under Pressure (Remastered 2011)", "Queen & David Bowie", 248_000),
    Known(6, "Blue in Green", "Miles Davis", 337_000),
    Known(7, "Halo", "Beyoncé", 261_000),
    Known(8, "Halo", "Depeche Mode", 270_000),
    Known(9, "Take Five", "The Dave Brubeck Quartet", 324_000),
)
SHELF = Shelf(TRACKS)


def best(title: str, artist: str = "", duration_ms: int = 0) -> tuple[int, bool] | None:
    found = SHELF.best(Wanted(title, artist, duration_ms))
    return (found[0].track_id, found[0].is_sure) if found else None


@pytest.mark.parametrize(
    ("title", "artist", "duration_ms", "track"),
    [
        ("So What", "Miles Davis", 0, 1),
        ("so what", "MILES DAVIS", 0, 1),
        ("So What", "Metallica", 0, 2),
        ("Fur Elise", "Beethoven, Ludwig van", 0, 3),
        ("夜に駆ける", "YOASOBI", 258_000, 4),
        ("Under Pressure", "Queen", 0, 5),
        ("Under Pressure", "Queen feat. David Bowie", 248_000, 5),
        ("Halo", "Beyonce", 0, 7),
        ("Take Five", "Dave Brubeck Quartet", 0, 9),
        ("Take Fve", "The Dave Brubeck Quartet", 324_000, 9),
        ("Miles Davis So What", "", 0, 1),
        ("Blue in Green Miles Davis", "", 0, 6),
    ],
)
def test_what_is_surely_meant_is_found(title: str, artist: str, duration_ms: int, track: int) -> None:
    assert best(title, artist, duration_ms) == (track, True)


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("So What", "Pink"),
        ("Blue", "Miles Davis"),
        ("Green in Blue", "Somebody"),
        ("Take Fine", "The Dave Brubeck Quartet 5"),
        ("Under Pressure 2", "Queen"),
        ("Halo", "Depeche"),
        ("Halo", ""),
    ],
)
def test_what_is_only_alike_is_offered_and_not_taken(title: str, artist: str) -> None:
    found = SHELF.best(Wanted(title, artist))
    assert found and all(match.score >= LIKELY for match in found)
    assert not artist or all(match.score < SURE for match in found)
    assert rated([Wanted(title, artist)], SHELF) == [None]


@pytest.mark.parametrize("title", ["Something else entirely", "", "…", "!!!"])
def test_what_is_like_nothing_finds_nothing(title: str) -> None:
    assert best(title, "") is None


def test_of_two_by_the_same_name_the_length_decides() -> None:
    assert best("Halo", "", 270_000) == (8, True) or best("Halo", "", 270_000) == (8, False)
    assert best("Halo", "", 261_000)[0] == 7  # type: ignore[index]


def test_a_quite_different_length_makes_less_sure() -> None:
    [near, *_] = SHELF.best(Wanted("So What", "Miles Davis", 562_500))
    [far, *_] = SHELF.best(Wanted("So What", "Miles Davis", 100_000))
    assert near.score > far.score


def test_at_most_three_are_offered_the_likeliest_first() -> None:
    found = SHELF.best(Wanted("Halo So What Blue in Green Take Five"))
    assert len(found) <= 3 and [match.score for match in found] == sorted(
        (m.score for m in found), reverse=True
    )


@pytest.mark.parametrize(
    ("artist", "main"),
    [
        ("Queen & David Bowie", "queen"),
        ("Beyoncé feat. Jay-Z", "beyonce"),
        ("Jay-Z", "jay-z"),
        ("DJ X", "dj x"),
        ("AC/DC", "ac"),
        ("Maxwell", "maxwell"),
        ("& friends", "& friends"),
        ("", ""),
    ],
)
def test_the_main_artist_is_the_first(artist: str, main: str) -> None:
    assert main_artist(artist) == main


def test_a_recording_is_the_same_whoever_plays_along() -> None:
    assert (
        recording("Halo", "Beyoncé") == recording("HALO", "Beyonce feat. Nobody") != recording("Halo", "Mode")
    )


def test_alike_is_a_measure() -> None:
    assert alike("a b", "a b") == 1.0 and alike("", "a") == alike("a", "") == 0.0
    assert 0.9 < alike("b a", "a b") < 1.0 and alike("abcdef", "uvwxyz") < 0.2
