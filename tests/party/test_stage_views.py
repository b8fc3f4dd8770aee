"""What the stage shows of the playing track beside its name: its waveform as a path, and the words a person reads."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import fragments
from models import Item, Subtitle, SubtitleChoice
from party import playback, snapshot
from party.change import Person
from tests.stage import Cast

BAR = re.compile(r"M(\d+)\.5 ([\d.]+)V([\d.]+)")


@pytest.mark.parametrize(("peaks", "bars"), [("z", 1), ("0z" * 48, 96), ("09z" * 100, 96)])
def test_a_waveform_is_drawn_in_at_most_so_many_bars_about_the_middle(
    cast: Cast, peaks: str, bars: int
) -> None:
    room = replace(snapshot.take(cast.code), peaks=peaks)
    drawn = BAR.findall(room.peaks_path)
    assert room.peaks_width == bars
    assert "".join(f"M{at}.5 {top}V{foot}" for at, top, foot in drawn) == room.peaks_path
    assert [int(at) for at, *_ in drawn] == list(range(bars))
    for _, top, foot in drawn:
        assert abs(float(top) + float(foot) - 36) < 0.1
        assert 2 <= float(top) < 18 < float(foot) <= 34


def test_silence_is_a_dot_and_the_loudest_is_as_high_as_there_is_room(cast: Cast) -> None:
    [silence, loud] = BAR.findall(replace(snapshot.take(cast.code), peaks="0z").peaks_path)
    assert float(silence[2]) - float(silence[1]) == pytest.approx(2 * 2 * 16 / 35, abs=0.1)
    assert (loud[1], loud[2]) == ("2", "34")


def test_what_was_not_measured_is_not_drawn(cast: Cast) -> None:
    room = replace(snapshot.take(cast.code), peaks="")
    assert (room.peaks_width, room.peaks_path) == (0, "")


def read_with(person: Person, item_id: int) -> int:
    """Somebody reads words with an item's track; the words' number."""
    track = Item.get_by_id(item_id).track
    words = Subtitle.create(track=track, label="English", file="none", added_at=1)
    SubtitleChoice.create(user=person.user_id, track=track, subtitle=words)
    return int(words.id)


def test_words_are_ones_own_and_only_those_of_what_plays(cast: Cast) -> None:
    _, second, _ = cast.add(3)
    words = read_with(cast.cleo, second)
    assert [subtitle_of(cast, person) for person in (cast.ada, cast.cleo)] == [None, None]
    playback.skip(cast.ada, cast.code)
    assert cast.seen().playback.item_id == second
    assert [subtitle_of(cast, person) for person in (cast.ada, cast.cleo)] == [None, words]
    playback.skip(cast.ada, cast.code)
    assert [subtitle_of(cast, person) for person in (cast.ada, cast.cleo)] == [None, None]


def test_off_is_a_choice_that_reads_nothing(cast: Cast) -> None:
    [first] = cast.add(1)
    read_with(cast.cleo, first)
    SubtitleChoice.update(subtitle=None).execute()
    assert subtitle_of(cast, cast.cleo) is None


def test_when_their_track_starts_those_who_read_with_it_get_their_own_share(cast: Cast) -> None:
    _, second = cast.add(2)
    read_with(cast.cleo, second)
    before = cast.seen()
    playback.skip(cast.ada, cast.code)
    frame = fragments.since(cast.code, before.audience("guest"), before.seq, before.epoch)
    assert cast.members["cleo"] in frame.actors
    assert cast.members["ben"] not in frame.actors


def subtitle_of(cast: Cast, person: Person) -> int | None:
    """What somebody reads with the playing track."""
    share = snapshot.mine(cast.code, person.user_id)
    assert share is not None
    return share.subtitle
