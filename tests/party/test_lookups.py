"""What the clock finds out about links: told once to every room that shows them; early, late and twice are nothing."""

from __future__ import annotations

from typing import Any

import pytest

from models import Item, Playback, Room, Track
from party import adding, configuring, lookups, people, playback, queue, rooms, snapshot, work
from party.lookups import MOST_TRIES, WAIT_MS, Tally
from tests.ledger import every_row
from tests.party.test_adding import VIDEO, add, link
from tests.party.test_races import meanwhile
from tests.stage import SONG_MS, Cast

FACTS = {
    "title": "Never Gonna Give You Up",
    "artist": "Rick Astley",
    "duration_ms": 212_000,
    "is_video": True,
    "cover_file": "covers/link-x-640.webp",
    "hue": "30",
}


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    given: list[int] = []
    monkeypatch.setitem(work.carriers, "look_up", given.append)
    return given


def track() -> Track:
    return Track.get(Track.slug == f"youtube-{VIDEO}")


def elsewhere(cast: Cast) -> str:
    """Dan's room, in which the same link waits."""
    code = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, code)
    adding.add_link(cast.dan, code, **link())
    return code


def kinds(code: str) -> list[str]:
    from models import Event

    room = Room.get(Room.code == code)
    return [row.kind for row in Event.select().where(Event.room == room).order_by(Event.seq)]


def test_the_facts_are_told_and_an_idle_room_begins(cast: Cast) -> None:
    add(cast)
    before = cast.room().seq
    assert lookups.fill_in(track().id, **FACTS)
    assert cast.kinds(before)[:1] == ["item_described"] and "item_started" in cast.kinds(before)
    now = cast.seen().now
    assert now is not None
    assert (now.track.title, now.track.artist, now.track.duration_ms) == (
        "Never Gonna Give You Up",
        "Rick Astley",
        212_000,
    )
    assert (now.track.state, now.track.hue, now.track.is_video, now.track.player) == (
        "ready",
        "30",
        True,
        "youtube",
    )
    assert track().search == "never gonna give you up rick astley"
    assert Playback.get_by_id(cast.room().id).ends_at is not None


def test_a_room_that_plays_goes_on_and_the_row_is_told(cast: Cast) -> None:
    cast.add(1)
    add(cast)
    before = cast.room().seq
    lookups.fill_in(track().id, **FACTS)
    assert cast.kinds(before) == ["item_described"]
    assert (
        cast.seen().items[0].track.title == "Never Gonna Give You Up" and cast.seen().items[0].track.is_ready
    )


def test_the_second_word_changes_nothing(cast: Cast) -> None:
    add(cast)
    number = track().id
    lookups.fill_in(number, **FACTS)
    before = every_row()
    assert not lookups.fill_in(number, title="Another")
    assert not lookups.give_up(number, "Gone.")
    assert not lookups.fill_in(99_999, title="Nothing") and not lookups.give_up(99_999, "Nothing.")
    assert lookups.claim(number) is None and lookups.claim(99_999) is None
    assert every_row() == before


def test_every_room_that_shows_it_is_told_once(cast: Cast) -> None:
    cast.add(1)
    add(cast)
    other = elsewhere(cast)
    lookups.fill_in(track().id, **FACTS)
    assert kinds(cast.code).count("item_described") == kinds(other).count("item_described") == 1
    assert kinds(other)[-1] == "item_started"


def test_a_room_where_it_is_only_suggested_is_told_for_its_tray(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    add(cast)
    before = cast.room().seq
    lookups.fill_in(track().id, **FACTS)
    assert cast.kinds(before) == ["item_described"] and cast.seen().now is None
    assert cast.seen().suggestions[0].track.title == "Never Gonna Give You Up"


def test_rooms_that_ended_are_left_as_they_are(cast: Cast, time) -> None:
    add(cast)
    other = elsewhere(cast)
    # Ended in its row, and ended by the time that has gone by.
    Room.update(state="EXPIRED", expired_at=time.now_ms).where(Room.code == cast.code).execute()
    Room.update(state="GRACE", host_gone_at=1, host_grace_until=2).where(Room.code == other).execute()
    lookups.fill_in(track().id, **FACTS)
    assert "item_described" not in kinds(cast.code) + kinds(other) and track().state == "ready"


def test_gone_from_the_line_it_is_described_all_the_same(cast: Cast) -> None:
    item_id = add(cast).item_id or 0
    queue.remove_item(cast.cleo, cast.code, item_id)
    before = cast.room().seq
    assert lookups.fill_in(track().id, **FACTS)
    assert cast.kinds(before) == [] and track().title == "Never Gonna Give You Up"


def test_the_head_that_was_about_to_be_frozen_stays_first(cast: Cast, time) -> None:
    """Ready in the last seconds of a song, a link that everybody voted up does not push ahead of what was next."""
    cast.add(2)
    waiting = cast.line()[0]
    item_id = add(cast).item_id or 0
    for person in (cast.ada, cast.ben):
        queue.cast_vote(person, cast.code, item_id, 1)
    time.move(SONG_MS / 1000 - 5)
    lookups.fill_in(track().id, **FACTS)
    assert cast.line() == [waiting, item_id]
    assert Playback.get_by_id(cast.room().id).locked_item_id == waiting


def test_hostile_and_endless_words_become_short_lines(cast: Cast) -> None:
    add(cast)
    lookups.fill_in(
        track().id, title="<b>a</b>\u202e\n" + "x" * 500, artist="y" * 500, genre="z" * 500, mime="m" * 500,
        duration_ms=10**15,
    )  # fmt: skip
    row = track()
    assert row.title.startswith("<b>a</b> xx") and len(row.title) == 200 and "\n" not in row.title
    assert (len(row.artist), len(row.genre), len(row.mime), row.duration_ms) == (200, 60, 60, 2**31 - 1)


def test_without_facts_the_name_it_had_stays(cast: Cast) -> None:
    add(cast)
    lookups.fill_in(track().id, title=" \u200b ")
    assert (track().title, track().state, track().reference, track().player) == (
        "A video on YouTube",
        "ready",
        VIDEO,
        "youtube",
    )


# --- giving up -------------------------------------------------------------------------------------------------------


def test_a_failure_stays_on_the_line_with_its_reason_and_never_plays(cast: Cast) -> None:
    add(cast)
    before = cast.room().seq
    assert lookups.give_up(track().id, "That video is private.")
    assert cast.kinds(before) == ["item_described"]
    [item] = cast.seen().items
    assert (item.track.state, item.track.failure) == ("failed", "That video is private.")
    [song] = cast.add(1)
    assert cast.seen().now is not None and cast.seen().now.id == song
    playback.skip(cast.ada, cast.code)
    assert cast.seen().now is None and cast.line() == [item.id]
    queue.remove_item(cast.cleo, cast.code, item.id)
    assert cast.line() == []


def test_trouble_that_may_pass_is_left_to_the_sweep(cast: Cast, time) -> None:
    add(cast)
    number, before = track().id, cast.room().seq
    for tries in range(1, MOST_TRIES):
        assert lookups.claim(number) is not None
        assert not lookups.give_up(number, "YouTube is too busy.", again=True)
        assert (track().state, track().tries) == ("looking_up", tries)
        assert lookups.claim(number) is None and lookups.due() == [], "too early"
        time.move(WAIT_MS[tries] / 1000 - 1)
        assert lookups.claim(number) is None and lookups.due() == [], "still too early"
        time.move(1)
        assert lookups.due() == [number]
    assert lookups.claim(number) is not None
    assert cast.kinds(before) == []
    assert lookups.give_up(number, "YouTube is too busy.", again=True)
    assert (track().state, track().failure) == ("failed", "YouTube is too busy.")
    assert cast.kinds(before) == ["item_described"] and lookups.due() == []


@pytest.mark.parametrize(("asked", "waits"), [(0, 30), (10, 30), (300, 300), (10**9, 3_600)])
def test_a_provider_may_ask_for_more_time(cast: Cast, time, asked: int, waits: int) -> None:
    add(cast)
    lookups.claim(track().id)
    lookups.give_up(track().id, "Busy.", again=True, after_seconds=asked)
    time.move(waits - 1)
    assert lookups.due() == [] and lookups.claim(track().id) is None
    time.move(1)
    assert lookups.due() == [track().id]


def test_what_a_crash_lost_is_found_again_and_given_up_in_the_end(cast: Cast, time) -> None:
    add(cast)
    number = track().id
    assert lookups.due() == []
    time.move(WAIT_MS[0] / 1000)
    assert lookups.due() == [number], "it was never begun"
    for tries in range(1, MOST_TRIES + 1):
        assert lookups.claim(number) is not None
        time.move(WAIT_MS[tries] / 1000)
        assert lookups.due() == [number], "the worker died"
    assert lookups.claim(number) is None
    assert (track().state, track().failure) == ("failed", lookups.UNKNOWN) and lookups.due() == []


def test_two_workers_do_not_look_up_the_same(cast: Cast) -> None:
    add(cast)
    first = lookups.claim(track().id)
    assert first is not None and lookups.claim(track().id) is None
    assert (first.provider, first.key, first.reference, first.player) == ("youtube", VIDEO, VIDEO, "youtube")
    assert (first.title, first.is_video, first.slug) == ("A video on YouTube", True, f"youtube-{VIDEO}")


def test_a_key_with_dashes_comes_back_whole(cast: Cast) -> None:
    add(cast, key="-a-b-c-d-e_")
    found = lookups.claim(Track.get(Track.slug == "youtube--a-b-c-d-e_").id)
    assert found is not None and found.key == "-a-b-c-d-e_"


def test_what_is_no_link_is_not_looked_up(cast: Cast) -> None:
    Track.update(state="looking_up").where(Track.id == cast.tracks[0]).execute()
    assert lookups.due() == [] and lookups.claim(cast.tracks[0]) is None
    assert not lookups.fill_in(cast.tracks[0], title="x") and not lookups.give_up(cast.tracks[0], "x")


def test_the_sweep_hands_over_what_is_due(cast: Cast, time, handed: list[int]) -> None:
    import tasks

    add(cast)
    time.move(WAIT_MS[0] / 1000)
    handed.clear()
    tasks.huey.flush()
    tasks.keeping.sweep.call_local()
    assert handed == [track().id]


def test_the_operator_sees_how_each_provider_fares(cast: Cast, time) -> None:
    for key in ("aaaaaaaaaaa", "bbbbbbbbbbb", "ccccccccccc", "ddddddddddd"):
        add(cast, key=key)
    ids = [row.id for row in Track.select().where(Track.provider == "youtube").order_by(Track.id)]
    lookups.fill_in(ids[0], **FACTS)
    lookups.give_up(ids[1], "The first.")
    time.move(5)
    lookups.give_up(ids[2], "The last.")
    tally = lookups.by_provider()
    assert tally["youtube"] == Tally(1, 1, 2, "The last.", time.now_ms)
    assert tally["house"] == Tally(ready=12)


def test_two_sides_at_once_end_it_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else ends the lookup between reading and writing: then theirs stands, and nothing is told twice."""
    add(cast)
    number, before = track().id, cast.room().seq
    held = lookups.hold

    def late(*words: Any) -> Track | None:
        Track.update(state="failed", failure="Theirs.").where(Track.id == number).execute()
        return held(*words)

    monkeypatch.setattr(lookups, "hold", late)
    assert not lookups.fill_in(number, **FACTS)
    assert (track().state, track().failure) == ("failed", "Theirs.") and cast.kinds(before) == []
    assert Item.select().count() == 1


def test_a_room_that_takes_a_link_while_its_facts_come_is_told_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(cast)
    number = track().id
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    adding_there = lambda: adding.add_link(cast.dan, other, **link())  # noqa: E731
    facts_come = lambda: lookups.fill_in(number, **FACTS)  # noqa: E731
    meanwhile(monkeypatch, (queue, "start_if_idle"), adding_there, facts_come)
    for code in (cast.code, other):
        now = snapshot.take(code).now
        assert now is not None and now.track.id == number and "item_described" in kinds(code)
