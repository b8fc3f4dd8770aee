"""Where somebody stopped: the newest counts, never more than the whole, and the room plays on as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playhouse.test_utils import count_queries

from models import Item, Member, Playback, Progress, Room, Track, database
from party import hosting, people, playback, progress, queue, restart, rooms
from party.change import Person
from party.errors import Invalid, NotAllowed, NotFound, NotKnown, Over
from tests.ledger import every_row
from tests.stage import SONG_MS, Cast


def kept(person: Person) -> list[tuple[str, int, int, bool]]:
    rows = Progress.select().where(Progress.user == person.user_id).order_by(Progress.id)
    return [(row.content, row.position_ms, row.duration_ms, row.is_done) for row in rows]


def test_how_far_somebody_got_is_kept_for_each_person_room_and_work(cast: Cast, time) -> None:
    [item] = cast.add(1)
    track = Item.get_by_id(item).track_id
    assert progress.save_progress(cast.cleo, cast.code, item, 40_000)
    assert progress.save_progress(cast.ben, cast.code, item, 20_000)
    assert kept(cast.cleo) == [(f"track:{track}", 40_000, SONG_MS, False)]
    assert kept(cast.ben) == [(f"track:{track}", 20_000, SONG_MS, False)]
    found = progress.stopped_at(cast.cleo.user_id, cast.room().id, track)
    assert (found.percent, found.position_ms, found.is_done) == (40, 40_000, False)
    assert progress.stopped_at(cast.ada.user_id, cast.room().id, track) is None


def test_the_same_again_changes_nothing_and_an_older_place_may_be_the_newest_word(cast: Cast, time) -> None:
    [item] = cast.add(1)
    progress.save_progress(cast.cleo, cast.code, item, 40_000)
    before = every_row()
    assert not progress.save_progress(cast.cleo, cast.code, item, 40_000)
    time.move(4.9)
    assert not progress.save_progress(cast.cleo, cast.code, item, 45_000), "every five seconds at most"
    assert every_row() == before
    time.move(0.1)
    assert progress.save_progress(cast.cleo, cast.code, item, 10_000), "they went back to watch it again"
    assert kept(cast.cleo)[0][1] == 10_000


@pytest.mark.parametrize(("later_ms", "place"), [(2_000, 40_000), (-2_000, 70_000), (0, 70_000)])
def test_of_two_first_places_that_come_at_once_the_newer_counts(
    cast: Cast, time, monkeypatch: pytest.MonkeyPatch, later_ms: int, place: int
) -> None:
    """Two pages of one person, neither of which saw the other's row: PostgreSQL lets both go on to write theirs."""
    [item] = cast.add(1)
    progress.save_progress(cast.cleo, cast.code, item, 70_000)
    time.move(later_ms / 1_000)
    before = every_row()
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "get_or_none", lambda *_words: None)
        assert progress.save_progress(cast.cleo, cast.code, item, 40_000) == (later_ms > 0)
    assert [row[1] for row in kept(cast.cleo)] == [place]
    assert (every_row() == before) == (later_ms <= 0)
    assert Progress.get().saved_at == time.now_ms - min(later_ms, 0)


def test_the_end_is_written_at_once_and_is_never_more_than_the_whole(cast: Cast, time) -> None:
    [item] = cast.add(1)
    progress.save_progress(cast.cleo, cast.code, item, 94_000)
    assert progress.save_progress(cast.cleo, cast.code, item, 900_000)
    assert kept(cast.cleo) == [(f"track:{Item.get_by_id(item).track_id}", SONG_MS, SONG_MS, True)]
    found = progress.stopped_at(cast.cleo.user_id, cast.room().id, Item.get_by_id(item).track_id)
    assert found.percent == 100 and progress.unfinished(cast.cleo.user_id) == []


def test_one_film_is_one_work_and_each_episode_its_own(cast: Cast, time) -> None:
    items = cast.add(4)
    works = ("movie:603", "movie:603", "tv:1399:1:1", "tv:1399:1:2")
    for item, work in zip(items, works, strict=True):
        Track.update(content=work).where(Track.id == Item.get_by_id(item).track_id).execute()
        progress.save_progress(cast.cleo, cast.code, item, 20_000)
        time.move(6)
    assert [row[0] for row in kept(cast.cleo)] == ["movie:603", "tv:1399:1:1", "tv:1399:1:2"]


def test_what_is_not_known_is_taken_from_the_player_and_bounded(cast: Cast, time) -> None:
    [item] = cast.add(1)
    Track.update(duration_ms=0).where(Track.id == Item.get_by_id(item).track_id).execute()
    progress.save_progress(cast.cleo, cast.code, item, 30_000, 60_000)
    assert kept(cast.cleo)[0][1:] == (30_000, 60_000, False)
    time.move(6)
    progress.save_progress(cast.cleo, cast.code, item, 70_000, 60_000)
    assert kept(cast.cleo)[0][1:] == (60_000, 60_000, True)


@pytest.mark.parametrize(
    ("position", "duration"), [(-1, 0), (-5_000, 0), (86_400_001, 0), (0, -1), (0, 2**60)]
)
def test_a_place_outside_is_refused(cast: Cast, time, position: int, duration: int) -> None:
    [item] = cast.add(1)
    before = every_row()
    with pytest.raises(Invalid):
        progress.save_progress(cast.cleo, cast.code, item, position, duration)
    assert every_row() == before


def test_only_those_who_take_part_save_and_only_tracks_of_the_room(cast: Cast, time) -> None:
    [item] = cast.add(1)
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, other)
    before = every_row()
    for act, refusal in (
        (lambda: progress.save_progress(cast.dan, cast.code, item, 1_000), NotAllowed),
        (lambda: progress.save_progress(cast.dan, other, item, 1_000), NotFound),
        (lambda: progress.save_progress(cast.cleo, "ABCDEFGH", item, 1_000), NotFound),
        (lambda: progress.save_progress(Person(99_999), cast.code, item, 1_000), NotKnown),
    ):
        with pytest.raises(refusal):
            act()
    assert every_row() == before
    Room.update(visibility="private").where(Room.code == cast.code).execute()
    with pytest.raises(NotFound, match="No room answers"):
        progress.save_progress(cast.dan, cast.code, item, 1_000)
    Room.update(state="EXPIRED").where(Room.code == cast.code).execute()
    with pytest.raises(Over):
        progress.save_progress(cast.cleo, cast.code, item, 1_000)


def test_saving_never_touches_what_the_room_plays(cast: Cast, time) -> None:
    [item] = cast.add(1)
    before = (cast.room().seq, list(Playback.select().tuples()))
    progress.save_progress(cast.cleo, cast.code, item, 99_000)
    assert (cast.room().seq, list(Playback.select().tuples())) == before


def test_what_was_begun_is_listed_newest_first_until_it_is_done_or_forgotten(cast: Cast, time) -> None:
    first, second, third = cast.add(3)
    for item, position in ((first, 30_000), (second, 50_000), (third, 10_000)):
        time.move(6)
        progress.save_progress(cast.cleo, cast.code, item, position)
    listed = progress.unfinished(cast.cleo.user_id)
    tracks = [Item.get_by_id(item).track_id for item in (second, first)]
    assert [row.track.id for row in listed] == tracks, "ten seconds are not worth going back to"
    assert (listed[0].room_code, listed[0].room_name) == (cast.room().spoken_code, "Friday")
    here = cast.room().id
    assert progress.in_room(cast.cleo.user_id, here, None) == ([], None), (
        "what is in line has not to be put on"
    )
    Item.update(state="played").where(Item.id.in_((first, second))).execute()
    assert [row.track.id for row in progress.in_room(cast.cleo.user_id, here, None)[0]] == tracks
    progress.forget(cast.cleo, cast.code, tracks[0])
    assert [row.track.id for row in progress.unfinished(cast.cleo.user_id)] == tracks[1:]
    Member.update(left_at=1).where(Member.id == cast.members["cleo"]).execute()
    assert progress.unfinished(cast.cleo.user_id) == [], "a room left is not looked into"


def test_what_has_just_been_played_is_still_said_to_be_done(cast: Cast, time) -> None:
    [item] = cast.add(1)
    progress.save_progress(cast.cleo, cast.code, item, 40_000)
    Item.update(state="played").where(Item.id == item).execute()
    assert progress.save_progress(cast.cleo, cast.code, item, SONG_MS)
    assert kept(cast.cleo)[0][1:] == (SONG_MS, SONG_MS, True)


def again(cast: Cast, code: str) -> str:
    """The room ends, and goes on in a new one."""
    hosting.end_room(cast.ada, code)
    return restart.start_again(cast.ada, code)


def test_a_page_looks_once_for_the_rooms_that_its_room_continues(cast: Cast) -> None:
    first, second = cast.add(2)
    for item in (first, second):
        progress.save_progress(cast.cleo, cast.code, item, 30_000)
    Item.update(state="played").where(Item.id == first).execute()
    tracks = [Item.get_by_id(item).track_id for item in (first, second)]
    room = Room.get(Room.code == again(cast, again(cast, cast.code)))
    with count_queries() as counted:
        begun, stopped = progress.in_room(cast.cleo.user_id, room.id, tracks[1])
    assert ([row.track.id for row in begun], stopped.track.id) == ([tracks[0]], tracks[1])
    before = [
        each for each in counted.get_queries() if each.msg[0].startswith('SELECT "t1"."continues_id" FROM')
    ]
    assert len(before) == 3


def test_what_was_begun_in_a_room_is_shown_where_it_goes_on(cast: Cast, time) -> None:
    first, second = cast.add(2)
    for item, position in ((first, 30_000), (second, 50_000)):
        time.move(6)
        progress.save_progress(cast.cleo, cast.code, item, position)
    Item.update(state="played").where(Item.id == second).execute()
    tracks = [Item.get_by_id(item).track_id for item in (second, first)]
    code = again(cast, again(cast, cast.code))
    room = Room.get(Room.code == code)

    def listed(room_id: int | None = None) -> list[tuple[int, int, str]]:
        me = cast.cleo.user_id
        found = progress.in_room(me, room_id, None)[0] if room_id else progress.unfinished(me)
        return [(row.track.id, row.position_ms, row.room_code) for row in found]

    assert listed() == listed(room.id) == [(tracks[0], 50_000, code), (tracks[1], 30_000, code)]
    assert progress.stopped_at(cast.cleo.user_id, room.id, tracks[0]).position_ms == 50_000
    # What is heard of it there takes its place, also to the end.
    seat = Member.get(Member.room == room, Member.user == cast.cleo.user_id)
    heard = {
        track: Item.create(
            room=room,
            track=track,
            added_by=seat,
            state="played",
            position=place,
            added_seq=1,
            added_at_advance=0,
            guard_limit=1,
            added_at=0,
        )
        for track, place in zip(tracks, "ab", strict=True)
    }
    progress.save_progress(cast.cleo, code, heard[tracks[0]].id, SONG_MS)
    progress.save_progress(cast.cleo, code, heard[tracks[1]].id, 60_000)
    assert listed() == listed(room.id) == [(tracks[1], 60_000, code)]
    assert progress.stopped_at(cast.cleo.user_id, room.id, tracks[0]).is_done
    assert progress.stopped_at(cast.cleo.user_id, room.id, tracks[1]).position_ms == 60_000
    progress.forget(cast.cleo, code, tracks[1])
    assert listed() == listed(room.id) == [], "the older place does not come back"
    assert progress.stopped_at(cast.cleo.user_id, cast.room().id, tracks[1]) is None


def test_rooms_that_are_over_and_go_on_nowhere_are_not_offered_nor_those_somebody_is_out_of(
    cast: Cast, time
) -> None:
    [item] = cast.add(1)
    progress.save_progress(cast.cleo, cast.code, item, 40_000)
    assert progress.unfinished(cast.cleo.user_id) != []
    people.screen_opened(cast.members["ada"], "web-1")
    hosting.screen_arrived(cast.ada, cast.code)
    people.screens_closed(cast.members["ada"], "web-1")
    hosting.screens_gone(cast.ada, cast.code)
    time.move(400)
    assert cast.room().state == "LIVE" and progress.unfinished(cast.cleo.user_id) == []
    code = restart.start_again(cast.ada, cast.code)
    assert [row.room_code for row in progress.unfinished(cast.cleo.user_id)] == [code]
    new = Member.room == Room.get(Room.code == code)
    Member.update(left_at=1).where(new, Member.user == cast.cleo.user_id).execute()
    assert progress.unfinished(cast.cleo.user_id) == []
    Member.update(left_at=None).where(new, Member.user == cast.cleo.user_id).execute()
    hosting.end_room(cast.ada, code)
    assert progress.unfinished(cast.cleo.user_id) == []


def test_only_so_many_rooms_are_looked_back_through(cast: Cast, time) -> None:
    [item] = cast.add(1)
    track = Item.get_by_id(item).track_id
    progress.save_progress(cast.cleo, cast.code, item, 40_000)
    Item.update(state="removed").where(Item.id == item).execute()
    Playback.update(item=None, play=None, state="idle").execute()
    codes = [cast.code]
    while len(codes) < progress.ROOMS_IN_A_ROW + 1:
        codes.append(again(cast, codes[-1]))
        if len(codes) == progress.ROOMS_IN_A_ROW:
            assert [row.room_code for row in progress.unfinished(cast.cleo.user_id)] == codes[-1:]
            assert progress.stopped_at(cast.cleo.user_id, Room.get(Room.code == codes[-1]).id, track)
    last = Room.get(Room.code == codes[-1]).id
    assert progress.in_room(cast.cleo.user_id, last, track) == ([], None)
    assert progress.unfinished(cast.cleo.user_id) == []
    assert progress.stopped_at(cast.cleo.user_id, last, track) is None


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.integers(-60_000, 60_000),
            st.integers(0, 86_400_000),
            st.integers(0, 2),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_in_any_order_with_repeats_and_a_skewed_clock_the_newest_is_kept(cast: Cast, time, acts) -> None:
    """`acts`: how the clock moves (backwards too), the place sent, of which work, and whether it is sent twice."""
    with database.atomic() as transaction:
        items = [item.id for item in Item.select().order_by(Item.id)] or cast.add(3)
        heard: dict[int, tuple[int, bool, int]] = {}
        for move, position, which, twice in acts:
            time.move(move / 1000)
            for _ in range(2 if twice else 1):
                written = progress.save_progress(cast.cleo, cast.code, items[which], position)
                bounded = min(position, SONG_MS)
                before = heard.get(which)
                is_done = bounded * 100 >= SONG_MS * progress.DONE_PERCENT
                is_new = before is None or (
                    before[0] != bounded
                    and (
                        not 0 <= time.now_ms - before[2] < progress.SAVE_EVERY_MS
                        or (is_done and not before[1])
                    )
                )
                assert written == is_new
                if is_new:
                    heard[which] = (bounded, is_done, time.now_ms)
        rows = {row.track_id: row for row in Progress.select().where(Progress.user == cast.cleo.user_id)}
        assert len(rows) == len(heard) == Progress.select().count()
        for which, (position, is_done, at) in heard.items():
            row = rows[Item.get_by_id(items[which]).track_id]
            assert (row.position_ms, bool(row.is_done), row.saved_at) == (position, is_done, at)
            assert 0 <= row.position_ms <= row.duration_ms == SONG_MS
        transaction.rollback()


def begun(person: Person) -> list[int]:
    return [each.track.id for each in progress.unfinished(person.user_id)]


def test_a_song_that_the_room_skipped_is_not_offered_again(cast: Cast, time) -> None:
    song, after = cast.add(2)
    track = Item.get_by_id(song).track_id
    progress.save_progress(cast.cleo, cast.code, song, 42_000)
    assert begun(cast.cleo) == [track]
    playback.skip(cast.ada, cast.code)
    assert begun(cast.cleo) == [] and progress.in_room(cast.cleo.user_id, cast.room().id, None)[0] == []
    progress.save_progress(cast.cleo, cast.code, after, 42_000)
    time.move(SONG_MS / 1000 + 1)
    assert playback.advance(cast.code, cast.room().playback.get().play_id)
    assert begun(cast.cleo) == [Item.get_by_id(after).track_id], "it played to its end, and they went before"
    queue.add_item(cast.ada, cast.code, track)
    assert set(begun(cast.cleo)) == {track, Item.get_by_id(after).track_id}, "it is on again"


@pytest.mark.parametrize(
    ("facts", "is_kept"),
    [
        ({"is_video": True}, True),
        ({"duration_ms": 600_000}, True),
        ({"duration_ms": 599_999}, False),
        ({"content": "movie:603", "is_video": True}, True),
    ],
)
def test_films_and_long_talks_are_offered_also_where_the_room_skipped_them(
    cast: Cast, facts: dict[str, object], is_kept: bool
) -> None:
    [item] = cast.add(1)
    track = Item.get_by_id(item).track_id
    Track.update(**facts).where(Track.id == track).execute()
    progress.save_progress(cast.cleo, cast.code, item, 42_000)
    playback.skip(cast.ada, cast.code)
    assert begun(cast.cleo) == ([track] if is_kept else [])


def test_a_skip_in_another_room_takes_nothing_off_the_list(cast: Cast) -> None:
    [item] = cast.add(1)
    track = Item.get_by_id(item).track_id
    progress.save_progress(cast.ada, cast.code, item, 42_000)
    other = rooms.open_room(cast.ada, "Elsewhere", 300)
    queue.add_item(cast.ada, other, track)
    playback.skip(cast.ada, other)
    assert begun(cast.ada) == [track]


def test_skipped_songs_push_no_film_out(cast: Cast) -> None:
    items = cast.add(12)
    Track.update(is_video=True).where(Track.id == Item.get_by_id(items[0]).track_id).execute()
    for item in items:
        progress.save_progress(cast.cleo, cast.code, item, 42_000)
        playback.skip(cast.ada, cast.code)
    assert begun(cast.cleo) == [Item.get_by_id(items[0]).track_id]
