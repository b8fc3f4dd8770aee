"""The builder of addresses at other people's players: every value checked, nothing configured by default."""

from __future__ import annotations

import itertools
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import settings
from media import embeds
from media.provider import Trouble

FILMS = {
    "films": (
        "https://films.example/embed/movie/{id}",
        "https://films.example/embed/tv/{id}/{season}/{episode}",
    ),
    "other": ("https://Other.example:8443/m-{id}.html", "https://tv.other.example/{season}x{episode}/{id}"),
}
SET_UP = replace(settings, embed_providers=FILMS)


def test_by_default_there_is_none() -> None:
    assert settings.embed_providers == {} and not embeds.PROVIDER.is_set_up(settings)
    assert embeds.recognise("films:movie:603", settings) is None
    with pytest.raises(Trouble, match="not set up"):
        embeds.build(settings, "films", "movie", "603")


def test_a_movie_and_an_episode_have_one_address() -> None:
    assert embeds.build(SET_UP, "films", "movie", "603") == "https://films.example/embed/movie/603"
    assert embeds.build(SET_UP, "films", "tv", "1399", 1, 2) == "https://films.example/embed/tv/1399/1/2"
    assert embeds.build(SET_UP, "other", "tv", "a_B-9", 3, 4) == "https://tv.other.example/3x4/a_B-9"


def test_every_choice_has_its_name() -> None:
    address = embeds.build(
        SET_UP, "films", "tv", "1399", 1, 2, color="e50914", auto_play=True, next_episode=False,
        episode_selector=True, progress_seconds=0,
    )  # fmt: skip
    assert dict(parse_qsl(urlsplit(address).query)) == {
        "color": "e50914",
        "autoPlay": "true",
        "nextEpisode": "false",
        "episodeSelector": "true",
        "progress": "0",
    }
    assert address.startswith("https://films.example/embed/tv/1399/1/2?color=")


@pytest.mark.parametrize("color", ["abc", "ABC", "e50914", "e50914ff"])
def test_a_colour_that_is_one(color: str) -> None:
    assert embeds.build(SET_UP, "films", "movie", "603", color=color).endswith(f"?color={color}")


WRONG = {
    "provider": ({"provider": "nobody"}, "not set up"),
    "kind": ({"kind": "song"}, "neither a movie"),
    "no id": ({"id": ""}, "1 to 64"),
    "long id": ({"id": "x" * 65}, "1 to 64"),
    "path in id": ({"id": "../admin"}, "1 to 64"),
    "query in id": ({"id": "603?x=1"}, "1 to 64"),
    "template in id": ({"id": "{season}"}, "1 to 64"),
    "line end in id": ({"id": "603\n"}, "1 to 64"),
    "foreign digits": ({"id": "٦٠٣"}, "1 to 64"),
    "season of a movie": ({"season": 1}, "no seasons"),
    "episode of a movie": ({"episode": 1}, "no seasons"),
    "tv alone": ({"kind": "tv"}, "season and episode"),
    "tv without episode": ({"kind": "tv", "season": 1}, "season and episode"),
    "tv without season": ({"kind": "tv", "episode": 1}, "season and episode"),
    "season 0": ({"kind": "tv", "season": 0, "episode": 1}, "season and episode"),
    "season too high": ({"kind": "tv", "season": 10_000, "episode": 1}, "season and episode"),
    "episode below": ({"kind": "tv", "season": 1, "episode": -1}, "season and episode"),
    "season true": ({"kind": "tv", "season": True, "episode": 1}, "season and episode"),
    "season as words": ({"kind": "tv", "season": "1", "episode": 1}, "season and episode"),
    "colour with #": ({"color": "#abc"}, "without the #"),
    "colour of 4": ({"color": "abcd"}, "without the #"),
    "colour of no hex": ({"color": "ggg"}, "without the #"),
    "colour empty": ({"color": ""}, "without the #"),
    "colour with more": ({"color": "abc&x=1"}, "without the #"),
    "autoPlay as words": ({"auto_play": "true"}, "on or off"),
    "nextEpisode 1": ({"next_episode": 1}, "on or off"),
    "episodeSelector 0": ({"episode_selector": 0}, "on or off"),
    "progress below": ({"progress_seconds": -1}, "whole seconds"),
    "progress broken": ({"progress_seconds": 1.5}, "whole seconds"),
    "progress true": ({"progress_seconds": True}, "whole seconds"),
    "progress for ever": ({"progress_seconds": 10**9}, "whole seconds"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_a_sentence(case: str) -> None:
    values, words = WRONG[case]
    with pytest.raises(Trouble, match=words):
        embeds.build(SET_UP, **{"provider": "films", "kind": "movie", "id": "603", **values})


@given(st.text(max_size=80), st.text(max_size=9))
def test_no_id_and_no_colour_leads_anywhere_else(id: str, color: str) -> None:
    try:
        address = embeds.build(SET_UP, "films", "movie", id, color=color or None)
    except Trouble:
        return
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "films.example", "")
    assert parts.path == f"/embed/movie/{id}" and set(dict(parse_qsl(parts.query))) <= {"color"}


MOVIE = ("films:movie:603", "films-movie-603", "movie:603", "Movie 603")
EPISODE = ("films:tv:1399:1:2", "films-tv-1399-1-2", "tv:1399:1:2", "Series 1399, season 1, episode 2")
FORMS = {
    "films:movie:603": MOVIE,
    "https://films.example/embed/movie/603": MOVIE,
    "films.example/embed/movie/603/": MOVIE,
    " films:tv:1399:1:2 ": EPISODE,
    "films:tv:1399:01:002": EPISODE,
    "https://films.example/embed/tv/1399/1/2?autoPlay=true": EPISODE,
    "https://tv.other.example/2x7/55": (
        "other:tv:55:2:7",
        "other-tv-55-2-7",
        "tv:55:2:7",
        "Series 55, season 2, episode 7",
    ),
}


@pytest.mark.parametrize("text", FORMS)
def test_what_somebody_types_or_pastes_is_read(text: str) -> None:
    found = embeds.recognise(text, SET_UP)
    assert found is not None and (found.provider, found.player, found.is_video) == ("embed", "embed", True)
    assert (found.reference, found.key, found.content, found.title) == FORMS[text]
    facts = embeds.fetch(found, SET_UP)
    assert (facts.title, facts.duration_ms, facts.cover_url) == (found.title, None, "")


@pytest.mark.parametrize(
    "text",
    [
        "movie:603",
        "nobody:movie:603",
        "https://films.example.evil.example/embed/movie/603",
        "https://films.example/x",
        "x",
    ],
)
def test_what_is_none_of_theirs_is_not_ours(text: str) -> None:
    assert embeds.recognise(text, SET_UP) is None


@pytest.mark.parametrize(
    "text",
    [
        "films:",
        "films:movie",
        "films:movie:603:1:2",
        "films:tv:1399",
        "films:tv:1399:1:x",
        "films:tv:1:0:1",
        "films:movie:a/b",
    ],
)
def test_what_is_theirs_and_no_good_says_why(text: str) -> None:
    with pytest.raises(Trouble):
        embeds.recognise(text, SET_UP)


def test_one_that_is_not_set_up_any_more_is_refused_when_it_is_looked_up() -> None:
    found = embeds.recognise("films:movie:603", SET_UP)
    assert found is not None
    with pytest.raises(Trouble, match="not set up"):
        embeds.fetch(found, settings)


def test_a_room_gives_it_where_it_stands_and_its_colour() -> None:
    address = embeds.build_for(SET_UP, "films:tv:1399:1:2", hue="345", progress_seconds=75)
    assert dict(parse_qsl(urlsplit(address).query)) == {
        "color": embeds.COLORS[23],
        "autoPlay": "false",
        "nextEpisode": "false",
        "episodeSelector": "false",
        "progress": "75",
    }
    assert "color" not in embeds.build_for(SET_UP, "films:movie:603", hue="none", progress_seconds=0)


def test_the_colours_are_those_of_the_covers_hues() -> None:
    from media.cards import _oklch

    assert len(embeds.COLORS) == 24
    for step, color in enumerate(embeds.COLORS):
        assert color == bytes(_oklch(0.75, 0.15, step * 15)).hex()


def test_frames_are_allowed_by_origin_and_reached_by_way_of_us() -> None:
    assert embeds.sources(SET_UP) == (
        "'self'",
        "https://films.example",
        "https://other.example:8443",
        "https://tv.other.example",
    )
    for choices in itertools.product((True, False), repeat=2):
        address = embeds.build(SET_UP, "films", "movie", "1", auto_play=choices[0], next_episode=choices[1])
        assert f"https://{urlsplit(address).netloc}" in embeds.sources(SET_UP)
