"""Links on the line: at once, by the same rules as any track, one track for one link, and again after it failed."""

from __future__ import annotations

from typing import Any

import pytest

from models import Holding, Item, Member, Room, Suggestion, Track
from party import adding, configuring, library, lookups, moderation, people, queue, rooms, suggestions, work
from party.change import Person
from party.errors import Conflict, NotAllowed, NotFound, Over, Refusal, TooMany
from tests.ledger import every_row
from tests.stage import Cast

VIDEO = "dQw4w9WgXcQ"


def link(key: str = VIDEO) -> dict[str, Any]:
    """What a provider made of a link."""
    return {
        "provider": "youtube",
        "key": key,
        "reference": key,
        "player": "youtube",
        "title": "A video on YouTube",
        "is_video": True,
    }


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tracks whose lookup was handed to the worker."""
    given: list[int] = []
    monkeypatch.setitem(work.carriers, "look_up", given.append)
    return given


def add(cast: Cast, by: Person | None = None, key: str = VIDEO) -> adding.Added:
    return adding.add_link(by or cast.cleo, cast.code, **link(key))


def fail(track_id: int) -> None:
    lookups.give_up(track_id, "That video is private.")


def test_a_link_is_on_the_line_at_once_and_handed_to_the_worker(cast: Cast, time, handed: list[int]) -> None:
    before = cast.room().seq
    added = add(cast)
    assert cast.kinds(before) == ["item_added"] and added.suggestion_id is None
    [item] = cast.seen().items
    assert (item.id, item.by.id, item.track.title) == (
        added.item_id,
        cast.members["cleo"],
        "A video on YouTube",
    )
    assert (item.track.state, item.track.player, item.track.reference) == ("looking_up", "youtube", VIDEO)
    track = Track.get(Track.slug == f"youtube-{VIDEO}")
    assert (track.provider, track.is_listed, track.duration_ms, track.tries) == ("youtube", False, 0, 0)
    assert track.looked_up_at == time.now_ms and handed == [track.id]
    assert Holding.select().where(Holding.track == track, Holding.user == cast.cleo.user_id).count() == 1
    assert cast.seen().now is None, "what is not known yet is shown, and not played"


def test_the_same_link_is_the_same_track_in_every_room(cast: Cast, handed: list[int]) -> None:
    add(cast)
    code = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, code)
    adding.add_link(cast.dan, code, **link())
    assert Track.select().where(Track.provider == "youtube").count() == 1 and len(handed) == 1
    assert Item.select().count() == 2 and Holding.select().count() == 2


def test_a_known_one_plays_at_once_in_a_quiet_room(cast: Cast, handed: list[int]) -> None:
    queue.remove_item(cast.cleo, cast.code, add(cast).item_id or 0)
    lookups.fill_in(handed[0], title="Known", cover_file="covers/x.webp")
    added = add(cast)
    assert handed == handed[:1] and len(handed) == 1
    assert cast.seen().now is not None and cast.seen().now.id == added.item_id


def test_a_link_that_waits_already_is_refused_with_where_it_stands(cast: Cast, handed: list[int]) -> None:
    cast.add(3)
    add(cast)
    before = every_row()
    with pytest.raises(Conflict, match="already in line, 3rd. Vote it up"):
        add(cast, cast.ben)
    assert every_row() == before and len(handed) == 1


def test_switched_off_in_a_room_nobody_adds_links_there(cast: Cast, handed: list[int]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    before = every_row()
    for person in (cast.ada, cast.ben, cast.cleo):
        with pytest.raises(NotAllowed, match="switched off in this room"):
            add(cast, person)
    assert every_row() == before and handed == []


def test_who_may_not_add_leaves_no_trace_of_the_link(cast: Cast, handed: list[int]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "host"})
    before = every_row()
    refused: list[tuple[Person, type[Refusal]]] = [
        (cast.ben, NotAllowed),
        (cast.cleo, NotAllowed),
        (cast.dan, NotAllowed),
    ]
    for person, kind in refused:
        with pytest.raises(kind):
            add(cast, person)
    Room.update(visibility="private").where(Room.code == cast.code).execute()
    with pytest.raises(NotFound):
        add(cast, cast.dan)
    with pytest.raises(NotFound):
        adding.add_link(cast.ada, "ABCDEFGH", **link())
    Room.update(visibility="unlisted").where(Room.code == cast.code).execute()
    assert every_row() == before and handed == []


def test_in_an_ended_room_nothing_is_added(cast: Cast, handed: list[int]) -> None:
    Room.update(state="EXPIRED", expired_at=1).where(Room.code == cast.code).execute()
    with pytest.raises(Over):
        add(cast, cast.ada)
    assert handed == [] and not Track.select().where(Track.provider == "youtube").exists()


def test_limits_count_links_as_tracks(cast: Cast, handed: list[int]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 1})
    add(cast)
    before = every_row()
    with pytest.raises(TooMany, match="One at a time"):
        add(cast, key="aaaaaaaaaaa")
    assert every_row() == before and len(handed) == 1
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 0, "adds_per_minute": 1})
    with pytest.raises(TooMany, match="Easy"):
        add(cast, key="aaaaaaaaaaa")


def test_where_adding_needs_approval_a_guest_suggests_the_link(cast: Cast, handed: list[int]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    before = cast.room().seq
    added = add(cast)
    assert cast.kinds(before) == ["suggestion_made"] and added.item_id is None
    wish = Suggestion.get_by_id(added.suggestion_id)
    assert wish.track_id == handed[0] and cast.seen().suggestions[0].track.state == "looking_up"
    assert add(cast) == added, "the same wish again changes nothing"
    suggestions.decide_suggestion(cast.ada, cast.code, wish.id, "approve")
    assert [item.track.id for item in cast.seen().items] == handed
    assert add(cast, cast.ben, "aaaaaaaaaaa").item_id is not None


def test_what_was_brought_by_link_is_found_there_and_by_them_only(cast: Cast, handed: list[int]) -> None:
    add(cast)
    lookups.fill_in(handed[0], title="Saxophone at dawn", cover_file="covers/x.webp")
    room = cast.seen()

    def found(user_id: int | None, shown: Any) -> int:
        return library.browse("saxophone", "", "title", 1, shown, user_id).total

    assert (found(cast.dan.user_id, room), found(cast.cleo.user_id, None), found(cast.dan.user_id, None)) == (
        1,
        1,
        0,
    )


# --- again -----------------------------------------------------------------------------------------------------------


def test_a_failed_one_pasted_again_is_looked_up_anew_where_it_stands(
    cast: Cast, time, handed: list[int]
) -> None:
    added = add(cast)
    fail(handed[0])
    assert cast.seen().items[0].track.state == "failed"
    before, seq = Item.select().count(), cast.room().seq
    time.move(60)
    assert add(cast, cast.ben) == added and Item.select().count() == before
    assert cast.kinds(seq) == ["item_described"] and handed == [handed[0]] * 2
    track = Track.get_by_id(handed[0])
    assert (track.state, track.failure, track.tries) == ("looking_up", "", 0)
    assert track.looked_up_at == time.now_ms


def test_a_failed_one_that_was_taken_off_goes_on_again(cast: Cast, handed: list[int]) -> None:
    queue.remove_item(cast.cleo, cast.code, add(cast).item_id or 0)
    fail(handed[0])
    added = add(cast, cast.ben)
    assert [item.id for item in cast.seen().items] == [added.item_id] and len(handed) == 2


def test_a_failed_one_pasted_in_another_room_is_told_in_both(cast: Cast, handed: list[int]) -> None:
    add(cast)
    fail(handed[0])
    code = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, code)
    before = cast.room().seq
    adding.add_link(cast.dan, code, **link())
    assert cast.kinds(before) == ["item_described"] and cast.seen().items[0].track.state == "looking_up"


def test_trying_again_from_the_row(cast: Cast, handed: list[int]) -> None:
    item_id = add(cast).item_id or 0
    fail(handed[0])
    before = cast.room().seq
    adding.look_again(cast.ben, cast.code, item_id)
    assert cast.kinds(before) == ["item_described"] and len(handed) == 2
    adding.look_again(cast.ben, cast.code, item_id)
    assert len(handed) == 2, "what is looked up already is left alone"


def test_trying_again_is_for_those_who_may_add_and_for_what_is_there(cast: Cast, handed: list[int]) -> None:
    item_id = add(cast).item_id or 0
    fail(handed[0])
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, other)
    configuring.change_settings(cast.ada, cast.code, {"add": "host"})
    before = every_row()
    for person, code, number, kind in (
        (cast.cleo, cast.code, item_id, NotAllowed),
        (cast.dan, cast.code, item_id, NotAllowed),
        (cast.dan, other, item_id, NotFound),
        (cast.ada, cast.code, 99_999, NotFound),
    ):
        with pytest.raises(kind):
            adding.look_again(person, code, number)
    with pytest.raises(NotAllowed):
        add(cast)
    assert every_row() == before and len(handed) == 1
    queue.remove_item(cast.ada, cast.code, item_id)
    with pytest.raises(Conflict):
        adding.look_again(cast.ada, cast.code, item_id)


def test_a_track_of_the_house_is_never_looked_up(cast: Cast, handed: list[int]) -> None:
    [item_id] = cast.add(2)[1:]
    Track.update(state="failed", failure="broken").where(
        Track.id == Item.get_by_id(item_id).track_id
    ).execute()
    before = every_row()
    adding.look_again(cast.ada, cast.code, item_id)
    assert every_row() == before and handed == []


def test_somebody_who_was_sent_out_adds_nothing(cast: Cast, handed: list[int]) -> None:
    moderation.ban(cast.ada, cast.code, cast.members["cleo"])
    with pytest.raises(NotAllowed):
        add(cast)
    assert handed == [] and Member.get_by_id(cast.members["cleo"]).left_at


# --- frames ----------------------------------------------------------------------------------------------------------


def embed(cast: Cast) -> int:
    """A movie of another site on the line, ready; its item."""
    added = adding.add_link(
        cast.cleo,
        cast.code,
        provider="embed",
        key="films-movie-603",
        reference="films:movie:603",
        player="embed",
        title="Movie 603",
        content="movie:603",
    )
    track = Item.get_by_id(added.item_id).track
    lookups.fill_in(track.id, title="Movie 603", hue="30")
    return int(added.item_id or 0)


def test_a_frame_is_told_where_the_room_stands(cast: Cast, time, handed: list[int]) -> None:
    cast.add(1)
    item_id = embed(cast)
    assert adding.embedded(cast.code, item_id) == adding.Embedded("films:movie:603", "30", 0)
    from party import playback

    playback.skip(cast.ada, cast.code)
    time.move(61)
    shown = adding.embedded(cast.code, item_id)
    assert shown.position_ms == 61_000 - playback.TOGETHER_LEAD_MS
    playback.pause(cast.ada, cast.code)
    time.move(61)
    assert adding.embedded(cast.code, item_id) == shown
    assert Track.get(Track.slug == "embed-films-movie-603").content == "movie:603"


def test_there_is_no_frame_of_what_is_elsewhere_gone_or_no_embed(cast: Cast, handed: list[int]) -> None:
    [song] = cast.add(1)
    item_id = embed(cast)
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    for code, number in ((cast.code, song), (other, item_id), (cast.code, 99_999)):
        with pytest.raises(NotFound):
            adding.embedded(code, number)
    queue.remove_item(cast.ada, cast.code, item_id)
    with pytest.raises(NotFound):
        adding.embedded(cast.code, item_id)
