"""Taking in how loud tracks are: once, and said wherever they wait or play."""

from __future__ import annotations

import pytest

from models import Event, Room, Track
from party import hosting, measuring, people, queue, rooms, tracks
from tests.stage import Cast


def kinds(code: str) -> list[str]:
    rows = Event.select().join(Room).where(Room.code == code).order_by(Event.seq)
    return [row.kind for row in rows if row.kind == "item_described"]


def test_what_was_found_is_kept_and_every_room_with_the_track_is_told(cast: Cast) -> None:
    track = cast.tracks[0]
    others = [rooms.open_room(cast.dan, name, 300) for name in ("One", "Two", "Three")]
    for code in others:
        people.join(cast.dan, code)
        queue.add_item(cast.dan, code, track)
    queue.add_item(cast.ada, cast.code, cast.tracks[1])
    queue.add_item(cast.ada, cast.code, track)
    hosting.end_room(cast.dan, others[2])
    assert measuring.measured(track, -9.0, "0z", "uploads/a.opus")
    row = Track.get_by_id(track)
    assert (row.loudness_lufs, row.peaks, row.opus_file) == (-9.0, "0z", "uploads/a.opus")
    assert [kinds(code) for code in (cast.code, *others)] == [["item_described"]] * 3 + [[]]
    # Nine louder than the target: a third of the volume.
    [seen] = [item for item in cast.seen().items if item.track.id == track]
    assert (seen.track.gain, seen.track.opus_url[-5:]) == (0.355, "/opus")
    assert (seen.track.opus_gain, seen.track.is_lifted) == (0.355, False)


@pytest.mark.parametrize(
    ("lufs", "raised_db", "opus_gain"), [(-30.0, 12.0, 1.0), (-24.0, 6.0, 1.0), (-20.0, 5.0, 0.708)]
)
def test_a_raised_rendition_is_told_with_the_volume_that_fits_it(
    cast: Cast, lufs: float, raised_db: float, opus_gain: float
) -> None:
    cast.add(1)
    track = cast.seen().now.track.id
    assert measuring.measured(track, lufs, "0z", "uploads/a.opus", raised_db)
    seen = cast.seen().now.track
    assert (seen.gain, seen.opus_gain, seen.is_lifted) == (1.0, opus_gain, True)
    Track.update(opus_file="").where(Track.id == track).execute()
    assert not cast.seen().now.track.is_lifted


def test_so_much_is_raised_and_no_more() -> None:
    for lufs, wanted in (
        (-69.0, 12.0),
        (-30.0, 12.0),
        (-29.99, 11.99),
        (-19.01, 1.01),
        (-19.0, 0.0),
        (-5.0, 0.0),
    ):
        assert tracks.lift(lufs) == wanted, lufs


def test_what_was_found_before_stays(cast: Cast) -> None:
    cast.add(1)
    track = cast.seen().now.track.id
    assert measuring.measured(track, -9.0, "0z")
    assert not measuring.measured(track, -20.0, "zz", "uploads/b.opus")
    row = Track.get_by_id(track)
    assert (row.loudness_lufs, row.peaks, row.opus_file) == (-9.0, "0z", "")
    assert kinds(cast.code) == ["item_described"]
    assert measuring.to_measure(track) is None


def test_a_track_whose_file_went_meanwhile_is_left_alone(cast: Cast) -> None:
    track = cast.tracks[0]
    Track.update(media_file="").where(Track.id == track).execute()
    assert measuring.to_measure(track) is None and not measuring.measured(track, -9.0, "0z")
    assert Track.get_by_id(track).loudness_lufs is None
    assert measuring.to_measure(99_999) is None and not measuring.measured(99_999, -9.0, "")


def test_what_there_is_to_measure(cast: Cast) -> None:
    known = measuring.to_measure(cast.tracks[0])
    assert known == measuring.Unmeasured(cast.tracks[0], "audio/0.mp3", 100_000, False)
    assert measuring.file_of_upload("0" * 64) is None
