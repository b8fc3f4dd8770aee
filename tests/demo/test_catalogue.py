"""What the library promises on paper."""

from __future__ import annotations

import unicodedata
from collections import Counter

from demo import PIECES
from demo.genres import COMPOSERS
from media.designs import DESIGNS, PALETTES


def test_there_are_thirty_five_pieces_in_at_least_seven_genres():
    genres = Counter(piece.genre for piece in PIECES)
    assert len(PIECES) == 35
    assert len(genres) >= 7
    assert min(genres.values()) >= 2
    assert set(genres) == set(COMPOSERS)


def test_no_two_pieces_share_a_slug_a_title_or_a_cover():
    for name in ("slug", "title", "cover", "seed"):
        values = [getattr(piece, name) for piece in PIECES]
        assert len(set(values)) == len(values), name


def test_every_piece_lasts_between_45_and_90_seconds():
    for piece in PIECES:
        assert piece.music_seconds >= 45, piece.slug
        assert piece.music_seconds + 4 <= 90, piece.slug


def test_some_artists_have_several_tracks():
    artists = Counter(piece.artist for piece in PIECES)
    assert sum(count > 1 for count in artists.values()) >= 4


def test_some_titles_are_long_and_some_are_written_in_other_scripts():
    scripts = {
        unicodedata.name(letter).split()[0] for piece in PIECES for letter in piece.title if letter.isalpha()
    }
    assert {"LATIN", "HIRAGANA", "ARABIC", "CYRILLIC", "HANGUL", "DEVANAGARI", "GREEK"} <= scripts
    assert max(len(piece.title) for piece in PIECES) > 70


def test_every_cover_asks_for_a_design_and_a_palette_there_are():
    for piece in PIECES:
        design, palette = piece.cover.split("-")
        assert design in DESIGNS and palette in PALETTES, piece.slug


def test_the_first_eleven_pieces_have_one_of_each_genre():
    assert len({piece.genre for piece in PIECES[:11]}) == 11
