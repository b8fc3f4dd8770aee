"""What becomes of one's own uploads, as it is told: who is told what, how long, and what is kept of the refused."""

from __future__ import annotations

from models import Room, Upload
from party import files, health, rooms, under_way, uploads
from tests.conftest import MovableClock
from tests.stage import Cast


def names(cast: Cast, code: str = "") -> list[str]:
    room = cast.room() if not code else Room.get(Room.code == code)
    return [each.name for each in under_way.shown_in_room(cast.cleo.user_id, room.id)]


def test_what_was_refused_is_kept_in_its_bounds(cast: Cast) -> None:
    long = [("../" + "x" * 999, 0, "y" * 999), ("\u202e\n", 7, "No.")]
    under_way.note_refused(cast.cleo, cast.code, long)
    first, second = Upload.select().order_by(Upload.id)
    assert (first.name, first.size_bytes, first.reason) == ("x" * 200, 1, "y" * 200)
    assert (second.name, second.size_bytes, second.state) == ("A file without a name", 7, "refused")
    assert {first.room_id, second.room_id} == {cast.room().id}


def test_refused_before_a_room_was_chosen_it_is_told_in_each_and_to_nobody_else(cast: Cast) -> None:
    under_way.note_refused(cast.cleo, None, [("a.txt", 1, "No.")])
    under_way.note_refused(cast.ben, None, [("b.txt", 1, "No.")])
    other = rooms.open_room(cast.cleo, "Other", 300)
    assert names(cast) == names(cast, other) == ["a.txt"]


def test_what_is_refused_counts_against_nobody_and_goes_after_a_day(cast: Cast, time: MovableClock) -> None:

    under_way.note_refused(cast.cleo, cast.code, [("a.txt", 10**9, "No.")])
    assert files.counted_for_person(cast.cleo.user_id) == files.counted_for_room(cast.room().id) == 0
    assert under_way.unfinished(cast.cleo.user_id) == ()
    time.move(86_401)
    health.tidy()
    assert not Upload.select().exists()


def test_what_is_unfinished_is_ones_own_and_half_here(cast: Cast) -> None:
    token = uploads.begin(cast.cleo, cast.code, "a.mp3", 10)
    shared = uploads.begin_shared(cast.cleo, "b.mp3", 5)
    uploads.begin(cast.ben, cast.code, "c.mp3", 10)
    uploads.receive(cast.cleo, token, 0, 4)
    first, second = under_way.unfinished(cast.cleo.user_id)
    assert (first.token, first.kept_bytes, first.size_bytes) == (token, 4, 10)
    uploads.cancel(cast.cleo, token)
    assert [each.token for each in under_way.unfinished(cast.cleo.user_id)] == [second.token] == [shared]
