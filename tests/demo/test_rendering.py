"""What the library sounds like, by numbers: one shortened piece of each genre, as a browser would decode it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tinytag

from demo import PIECES, Piece, render
from demo.loudness import integrated

SHORT = [replace(piece, form="A", bars=min(piece.bars, 4)) for piece in PIECES[:11]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Piece, Path, Path, int]]:
    folder = tmp_path_factory.mktemp("library")
    made = {}
    for piece in SHORT:
        audio, cover = folder / f"{piece.slug}.mp3", folder / f"{piece.slug}.webp"
        made[piece.genre] = (piece, audio, cover, render(piece, audio, cover).duration_ms)
    return made


@pytest.fixture(scope="module")
def sounds(library) -> dict[str, tuple[np.ndarray, int]]:
    return {genre: soundfile.read(audio, dtype="float32") for genre, (_, audio, _, _) in library.items()}


def test_nothing_clips(sounds):
    for genre, (sound, _) in sounds.items():
        assert np.abs(sound).max() <= 10 ** (-0.5 / 20), genre


def test_all_genres_are_equally_loud(sounds):
    loudness = [integrated(sound.T, rate) for sound, rate in sounds.values()]
    assert max(loudness) - min(loudness) < 2
    assert -18 < np.mean(loudness) < -14


def test_nothing_is_silent_for_long_in_the_middle(sounds):
    for genre, (sound, rate) in sounds.items():
        hop = rate // 100
        level = np.sqrt((sound[: len(sound) // hop * hop].reshape(-1, hop * 2) ** 2).mean(axis=1))
        heard = np.nonzero(level >= 10 ** (-50 / 20))[0]
        assert np.diff(heard).max() <= 50, genre


def test_pieces_begin_and_end_without_a_click(sounds):
    for genre, (sound, rate) in sounds.items():
        edge = rate // 1000
        assert np.abs(sound[:edge]).max() < 0.01, genre
        assert np.abs(sound[-edge:]).max() < 0.01, genre


def test_both_ears_hear_something_of_their_own(sounds):
    for genre, (sound, _) in sounds.items():
        difference = sound[:, 0] - sound[:, 1]
        assert np.sqrt((difference**2).mean()) > 0.05 * np.sqrt((sound**2).mean()), genre


def test_genres_differ_in_tempo_and_color(sounds):
    centres = []
    for sound, rate in sounds.values():
        power = np.abs(np.fft.rfft(sound.mean(axis=1)))
        centres.append((power * np.fft.rfftfreq(len(sound), 1 / rate)).sum() / power.sum())
    assert max(centres) > 2 * min(centres)
    assert len({piece.tempo for piece in SHORT}) >= 9


def test_the_stated_duration_is_what_players_find(library, sounds):
    for genre, (_, audio, _, duration_ms) in library.items():
        sound, rate = sounds[genre]
        assert abs(len(sound) * 1000 / rate - duration_ms) < 40
        assert abs(tinytag.TinyTag.get(audio).duration * 1000 - duration_ms) <= 1


def test_tags_come_back_as_they_were_given(library):
    for piece, audio, _, _ in library.values():
        found = tinytag.TinyTag.get(audio)
        assert (found.title, found.artist, found.album, found.genre) == (
            piece.title,
            piece.artist,
            piece.album,
            piece.genre,
        )


def test_the_bit_rate_is_constant_and_announced_so_that_seeking_is_exact(library):
    _, audio, _, duration_ms = library["City Pop"]
    data = audio.read_bytes()
    assert data[:3] == b"ID3"
    sound = data[10 + (data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]) :]
    heads = {sound[place : place + 3] for place in range(0, len(sound), 504)}
    assert len(sound) % 504 == 0 and len(heads) == 1 and heads.pop()[:1] == b"\xff"
    info = sound[sound.index(b"Info") :][:120]
    frames, size = int.from_bytes(info[8:12], "big"), int.from_bytes(info[12:16], "big")
    assert (frames + 1) * 504 == len(sound) and frames * 504 == size
    assert round(frames * 36) == duration_ms
    assert b"LAME" not in sound[:504]


def test_nothing_unfinished_is_left_beside_the_files(library):
    _, audio, _, _ = library["House"]
    assert {path.suffix for path in audio.parent.iterdir()} == {".mp3", ".webp"}


def test_the_same_piece_gives_the_same_bytes(tmp_path):
    piece = replace(SHORT[0], bars=2)
    first, second = tmp_path / "first.mp3", tmp_path / "second.mp3"
    for path in (first, second):
        render(piece, path, path.with_suffix(".webp"))
    assert first.read_bytes() == second.read_bytes()
    assert first.with_suffix(".webp").read_bytes() == second.with_suffix(".webp").read_bytes()
