"""What may be seen of a room, with the number it is true for; and a person's own share."""

from __future__ import annotations

import dataclasses
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import Playback, Room, Track
from party import hosting, people, playback, queue, rooms, snapshot, tracks
from party.change import Person, connected
from party.errors import NotFound
from party.views import PEOPLE_SHOWN, Audience, clock_text
from tests.stage import SONG_MS, Cast


def test_a_snapshot_carries_the_number_it_is_true_for(cast: Cast) -> None:
    for _ in range(3):
        cast.add(1)
        room = cast.seen()
        assert (room.seq, room.epoch) == (cast.room().seq, cast.room().epoch)
    assert snapshot.heads([cast.code, "ABCDEFGH"]) == [(cast.code, cast.room().seq)]
    assert snapshot.heads([]) == []
    with pytest.raises(NotFound):
        snapshot.take("ABCDEFGH")


def test_a_snapshot_reads_one_moment(cast: Cast) -> None:
    def change() -> None:
        with connected():
            Room.update(seq=Room.seq + 1, name="Changed").execute()

    cast.add(2)
    with snapshot.reading(), ThreadPoolExecutor(1) as other:
        before = cast.seen()
        other.submit(change).result(30)
        assert cast.seen() == before
    assert (cast.seen().seq, cast.seen().name) == (before.seq + 1, "Changed")


def test_equal_rooms_are_equal_snapshots_and_views_are_frozen(cast: Cast) -> None:
    cast.add(3)
    assert cast.seen() == cast.seen()
    with pytest.raises(dataclasses.FrozenInstanceError):
        cast.seen().items[0].net = 5


def test_a_files_address_is_another_one_when_its_number_is_given_out_again(cast: Cast) -> None:
    def addresses() -> set[str]:
        track = tracks.view_of(Track.get_by_id(cast.tracks[0]))
        return {track.media_url, track.cover_url}

    cast.add(1)
    first = addresses()
    assert first == addresses() == {cast.seen().now.track.media_url, cast.seen().now.track.cover_url}
    Track.update(added_at=Track.added_at + 1).where(Track.id == cast.tracks[0]).execute()
    assert not first & addresses()
    for address in first | addresses():
        assert re.fullmatch(rf"/media/{cast.tracks[0]}/[\w-]{{20}}/(file|cover)", address)


def own(cast: Cast, person: Person) -> tuple:
    """Seat, role, votes and waiting items of somebody in the cast's room."""
    share = snapshot.mine(cast.code, person.user_id)
    return share.member_id, share.role, share.votes, share.items


def test_a_persons_own_share_is_theirs_alone(cast: Cast) -> None:
    items = cast.add(3) + cast.add(2, by=cast.cleo)
    queue.cast_vote(cast.cleo, cast.code, items[1], 1)
    queue.cast_vote(cast.cleo, cast.code, items[2], -1)
    queue.cast_vote(cast.ben, cast.code, items[1], -1)
    assert own(cast, cast.cleo) == (cast.members["cleo"], "guest", {items[1]: 1, items[2]: -1}, items[3:])
    assert own(cast, cast.ben) == (cast.members["ben"], "cohost", {items[1]: -1}, [])
    assert snapshot.mine(cast.code, cast.dan.user_id) is None
    assert snapshot.mine("ABCDEFGH", cast.ada.user_id) is None
    queue.remove_item(cast.cleo, cast.code, items[3])
    queue.remove_item(cast.ada, cast.code, items[2])
    assert own(cast, cast.cleo)[2:] == ({items[1]: 1}, items[4:])


def test_a_share_in_another_room_does_not_show_here(cast: Cast) -> None:
    other = rooms.open_room(cast.cleo, "Other", 300)
    for track in cast.tracks[:2]:
        queue.add_item(cast.cleo, other, track)
    assert own(cast, cast.cleo)[2:] == ({}, [])


def test_who_left_has_no_share(cast: Cast) -> None:
    people.leave(cast.cleo, cast.code)
    assert snapshot.mine(cast.code, cast.cleo.user_id) is None


def test_people_stand_host_first_and_the_rest_are_counted(cast: Cast) -> None:
    for name in ("cleo", "ben", "ada"):
        people.screen_opened(cast.members[name], "web-1")
    assert [person.name for person in cast.seen().people] == ["Ada", "Ben", "Cleo"]
    for number in range(PEOPLE_SHOWN):
        seat = people.join(Person(people.enter(f"Guest {number}")[0]), cast.code)
        people.screen_opened(seat, "web-1")
    room = cast.seen()
    assert (len(room.people), room.people_count) == (PEOPLE_SHOWN, PEOPLE_SHOWN + 3)


def test_a_row_does_not_change_when_somebody_comes_or_goes(cast: Cast) -> None:
    cast.add(3, by=cast.cleo)
    before = cast.seen().items
    people.screen_opened(cast.members["cleo"], "web-1")
    hosting.screen_arrived(cast.cleo, cast.code)
    assert cast.seen().items == before


def test_the_line_adds_up(cast: Cast) -> None:
    cast.add(4)
    room = cast.seen()
    assert (room.total_ms, room.total_text) == (3 * SONG_MS, "5 min")
    assert (room.hue, room.mode_name, room.code_text) == ("0", "Charts", f"{cast.code[:4]} {cast.code[4:]}")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0:00"), (999, "0:00"), (61_000, "1:01"), (3_599_000, "59:59"), (3_727_000, "1:02:07")],
)
def test_times_are_written_as_people_read_them(milliseconds: int, text: str) -> None:
    assert clock_text(milliseconds) == text


def test_history_shows_the_newest_fifty(cast: Cast, time) -> None:
    track = cast.tracks[0]
    for _ in range(snapshot.HISTORY_SHOWN + 2):
        queue.add_item(cast.ada, cast.code, track)
        playback.skip(cast.ada, cast.code)
    history = cast.seen().history
    assert len(history) == snapshot.HISTORY_SHOWN
    assert [play.play_id for play in history] == sorted((play.play_id for play in history), reverse=True)


def test_only_the_first_row_says_why(cast: Cast) -> None:
    items = cast.add(4)
    queue.cast_vote(cast.cleo, cast.code, items[2], 1)
    rows = cast.seen().items
    assert rows[0].reason is not None and rows[0].voters
    assert all(row.reason is None and not row.voters for row in rows[1:])


def test_an_audience_may_what_its_role_may() -> None:
    assert Audience("host").can("control_playback")
    assert not Audience("guest").can("move_item")
    assert Audience("cohost").can("move_item")
    with pytest.raises(KeyError):
        Audience("host").can("fly")


def test_an_ended_room_is_silent_whatever_its_rows_say(cast: Cast, time) -> None:
    cast.add(2)
    Room.update(state="GRACE", host_grace_until=time.now_ms).execute()
    room = cast.seen()
    assert (room.state, room.now, room.playback.state, room.playback.item_id) == (
        "EXPIRED",
        None,
        "idle",
        None,
    )
    assert Playback.get().state == "playing"
