"""The list of open public rooms: which are in it, what is told of them, searching, order and paging."""

from __future__ import annotations

import pytest
from playhouse.test_utils import count_queries

from models import Member, Presence, Room, User, database
from party import discovery, people, playback, queue, rooms
from party.change import Person
from party.clock import now_ms
from party.discovery import HERE_MS, PAGE
from party.errors import Invalid
from tests.stage import Cast


def listed(room_code: str, **values: object) -> None:
    """Open the room to strangers, as its row says it."""
    wanted = {"visibility": "public", "state": "LIVE", **values}
    Room.update(wanted).where(Room.code == room_code).execute()


def listens(member_id: int, process: str = "web") -> None:
    people.screen_opened(member_id, process)


def public_room(number: int, people_here: int = 1) -> str:
    """A listed room with so many people in it."""
    host = Person(people.enter(f"Host {number}")[0])
    code = rooms.open_room(host, f"Room {number}", 300)
    listed(code)
    now = now_ms()
    seats = [Member.get(Member.user == host.user_id).id]
    for other in range(people_here - 1):
        user = User.create(display_name=f"Guest {number} {other}", created_at=now)
        room = Room.get(Room.code == code)
        seats.append(Member.create(room=room, user=user, color=1 + other % 10, joined_at=now).id)
    for seat in seats:
        listens(seat)
    return code


def codes(**asked: str) -> list[str]:
    discovery.look()
    found = discovery.find_rooms(**{"search": "", "sort": "people", "cursor": "", **asked})
    return [card.code for card in found.cards]


def card(code: str) -> discovery.RoomCard:
    return discovery.look().cards[code]


# Which rooms


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_only_a_public_room_is_listed(cast: Cast, visibility: str) -> None:
    listed(cast.code)
    assert codes() == [cast.code]
    listed(cast.code, visibility=visibility)
    assert codes() == [] and discovery.card_of(cast.code) is None
    assert discovery.shown([cast.code]) == ([], [cast.code])


def test_a_room_whose_host_never_came_is_not_listed(cast: Cast) -> None:
    listed(cast.code, state="CREATED")
    assert codes() == []


def test_a_room_in_grace_stays_listed_until_time_is_up_though_nobody_wrote_it_down(cast: Cast, time) -> None:
    listed(cast.code, state="GRACE", host_grace_until=time.now_ms + 60_000)
    assert not card(cast.code).is_hosted
    time.move(59)
    assert codes() == [cast.code]
    time.move(1)
    assert codes() == []


def test_a_host_who_is_gone_too_long_takes_the_room_off_the_list(cast: Cast, time) -> None:
    listed(cast.code, host_gone_at=time.now_ms)
    time.move(4)
    assert card(cast.code).is_hosted
    time.move(2)
    assert not card(cast.code).is_hosted
    time.move(300)
    assert codes() == []


def test_an_ended_room_is_not_listed(cast: Cast) -> None:
    listed(cast.code, state="EXPIRED")
    assert codes() == []


def test_a_kept_room_with_nobody_in_it_is_not_listed(cast: Cast, time) -> None:
    listed(cast.code, state="GRACE", host_grace_until=time.now_ms + 86_400_000, settings={"keep": True})
    assert codes() == []
    listens(cast.members["cleo"])
    assert codes() == [cast.code]


def test_a_locked_room_stays_listed_with_its_lock(cast: Cast) -> None:
    listed(cast.code, is_locked=True, entry="approval")
    assert (card(cast.code).is_locked, card(cast.code).entry) == (True, "approval")


def test_a_changed_code_is_the_one_that_is_listed(cast: Cast) -> None:
    listed(cast.code, door_code="ABCDEFGH")
    assert codes() == ["ABCDEFGH"]


# What is told


def test_a_card_tells_host_people_song_and_line(cast: Cast) -> None:
    listed(cast.code)
    for name in ("ada", "ben"):
        listens(cast.members[name])
    cast.add(3)
    cast.add(1, cast.ben)
    told = card(cast.code)
    assert (told.name, told.host, told.people, told.waiting) == ("Friday", "Ada", 2, 3)
    assert told.track and (told.track.title, told.hue, told.is_paused) == ("Song 0", "0", False)
    assert told.stretches == ((1, 0, 66), (2, 66, 34))
    playback.pause(cast.ada, cast.code)
    assert card(cast.code).is_paused


def test_people_count_once_however_many_screens_and_processes(cast: Cast) -> None:
    listed(cast.code)
    listens(cast.members["cleo"])
    listens(cast.members["cleo"], "another")
    assert card(cast.code).people == 1


def test_who_closed_the_last_screen_or_lost_the_process_no_longer_counts(cast: Cast, time) -> None:
    listed(cast.code)
    listens(cast.members["cleo"])
    listens(cast.members["ben"], "dying")
    people.screens_closed(cast.members["cleo"], "web")
    assert card(cast.code).people == 1
    time.move(HERE_MS / 1000)
    assert card(cast.code).people == 0


def test_who_left_by_the_door_does_not_count(cast: Cast) -> None:
    listed(cast.code)
    listens(cast.members["cleo"])
    people.leave(cast.cleo, cast.code)
    assert card(cast.code).people == 0


def test_the_mood_is_what_was_played_most(cast: Cast) -> None:
    listed(cast.code)
    assert card(cast.code).moods == ()
    # rock, jazz, waltz, rock, jazz, waltz ...
    for track in (0, 3, 6, 1, 4, 2):
        queue.add_item(cast.ada, cast.code, cast.tracks[track])
    assert card(cast.code).moods == ("rock",)
    for _ in range(3):
        playback.skip(cast.ada, cast.code)
    assert card(cast.code).moods == ("rock", "jazz")


def test_a_reading_that_another_overtook_still_knows_its_moods(cast: Cast, monkeypatch) -> None:
    listed(cast.code)
    queue.add_item(cast.ada, cast.code, cast.tracks[0])
    read = discovery._lately_played

    def overtaken(room_ids: list[int], now: int) -> list:
        monkeypatch.setattr(discovery, "_lately_played", read)
        monkeypatch.setattr(discovery, "_moods", {})
        return read(room_ids, now)

    other = rooms.open_room(cast.ben, "Saturday", 300, "public")
    discovery.look()
    listed(other)
    monkeypatch.setattr(discovery, "_lately_played", overtaken)
    assert discovery.look().cards[cast.code].moods == ("rock",)


# One reading for everybody


def test_within_a_second_everybody_gets_the_same_reading(cast: Cast, time) -> None:
    listed(cast.code)
    first = discovery.look()
    listens(cast.members["cleo"])
    time.move(0.999)
    assert discovery.listing() is first
    time.move(0.001)
    assert discovery.listing().cards[cast.code].people == 1


def test_three_hundred_rooms_cost_no_more_questions_than_ten(cast: Cast) -> None:
    costs = []
    for number in range(300):
        with database.atomic():
            public_room(number)
        if number in (9, 299):
            discovery.look()
            with count_queries() as cold:
                discovery._moods.clear()
                discovery.look()
            with count_queries() as warm:
                discovery.look()
            costs.append((cold.count, warm.count))
    assert costs[0] == costs[1] and costs[0][0] <= 5
    # A grace that ran out asks nothing more either.
    Room.update(host_gone_at=1, state="LIVE").execute()
    with count_queries() as late:
        assert discovery.look().cards == {}
    assert late.count <= costs[0][0]


# Searching


@pytest.mark.parametrize(
    "search", ["FRIDAY", "frìday", "  ada  ", "song 0", "artist", "rock", "ada ROCK friday"]
)
def test_every_word_is_looked_for_in_names_song_and_mood_blind_to_case_and_accents(
    cast: Cast, search: str
) -> None:
    listed(cast.code)
    cast.add(1)
    other = public_room(1)
    assert codes(search=search) == [cast.code]
    assert codes(search="room") == [other]
    assert codes(search="friday nowhere") == []


def test_an_accent_in_the_name_is_no_hindrance(cast: Cast) -> None:
    listed(cast.code, name="Fête à Århus")
    assert codes(search="fete arhus") == [cast.code]


@pytest.mark.parametrize("search", ["%", "_", "\0", "x" * 5_000, "a " * 5_000, "'\"<"])
def test_strange_searches_find_what_they_say_and_nothing_breaks(cast: Cast, search: str) -> None:
    listed(cast.code, name="Plain")
    assert codes(search=search) in ([], [cast.code])


def test_totals_count_public_rooms_only_whatever_is_searched(cast: Cast) -> None:
    public_room(1, 3)
    listens(cast.members["ada"])
    discovery.look()
    found = discovery.find_rooms("nothing like it", "newest", "")
    assert (found.found, found.rooms, found.people) == (0, 1, 3)


# Order and pages


def test_most_people_first_or_newest_first(cast: Cast, time) -> None:
    few = public_room(1, 1)
    time.move(1)
    many = public_room(2, 5)
    time.move(1)
    some = public_room(3, 3)
    assert codes() == [many, some, few]
    assert codes(sort="newest") == [some, many, few]
    with pytest.raises(Invalid):
        codes(sort="loudest")


@pytest.mark.parametrize("sort", ["people", "newest"])
def test_pages_hold_every_unmoved_room_once_though_others_come_go_and_grow(
    cast: Cast, time, sort: str
) -> None:
    made = []
    for number in range(PAGE * 2 + 5):
        time.move(0.01)
        made.append(public_room(number, 1 + number % 3))
    discovery.look()
    first = discovery.find_rooms("", sort, "")
    assert len(first.cards) == PAGE and first.next
    moved = {made[0], made[PAGE], made[-1]}
    for code in moved:
        seats = Member.select(Member.id).join(Room).where(Room.code == code)
        Presence.delete().where(Presence.member.in_(seats)).execute()
    Room.update(state="EXPIRED").where(Room.code == made[1]).execute()
    public_room(900, 2)
    seen, cursor = [each.code for each in first.cards], first.next
    while cursor:
        discovery.look()
        page = discovery.find_rooms("", sort, cursor)
        seen += [each.code for each in page.cards]
        cursor = page.next
    for code in set(made) - moved - {made[1]}:
        assert seen.count(code) == 1


@pytest.mark.parametrize(
    "cursor", ["x", "ä", "bnVsbA", "W10", "WzEsMiwzXQ", "WzEuNSwyLCJhIl0", "[" * 300, "eyJhIjoxfQ"]
)
def test_a_made_up_cursor_is_refused_with_a_sentence(cast: Cast, cursor: str) -> None:
    with pytest.raises(Invalid, match="Begin at the top"):
        discovery.find_rooms("", "people", cursor)
