"""The length of a track that came without one: the player says it once, and the room knows when it ends."""

from __future__ import annotations

import pytest

from models import Event, Item, Member, Playback, Presence, Track
from party import adding, configuring, deadlines, lengths, lookups, people, playback, rooms, work
from party.change import Person
from party.errors import Invalid, NotAllowed, NotFound, Refusal
from tests.ledger import every_row
from tests.party.test_adding import add, link
from tests.stage import Cast


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "carriers", {})


@pytest.fixture
def item(cast: Cast) -> int:
    """Cleo's video of unknown length is on."""
    added = add(cast)
    lookups.fill_in(track_of(added.item_id or 0), title="A film")
    return int(added.item_id or 0)


def track_of(item_id: int) -> int:
    return int(Item.get_by_id(item_id).track_id)


def stage(cast: Cast) -> Playback:
    return Playback.get_by_id(cast.room().id)


def test_a_length_that_is_told_ends_the_play_in_time(cast: Cast, time, item: int) -> None:
    assert stage(cast).ends_at is None and cast.seen().now.track.duration_text == ""
    anchor, before, version = stage(cast).at_ms, cast.room().seq, stage(cast).version
    time.move(10)
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert cast.kinds(before) == ["length_known"] and stage(cast).version == version
    assert stage(cast).ends_at == anchor + 90_500 and cast.seen().now.track.duration_ms == 90_500
    assert deadlines.of(cast.code).ends_at == anchor + 90_500
    time.move(100)
    assert playback.advance(cast.code, stage(cast).play_id)


def test_a_moved_anchor_counts(cast: Cast, time, item: int) -> None:
    Track.update(duration_ms=0).execute()
    playback.pause(cast.ada, cast.code)
    time.move(50)
    lengths.report_length(cast.ada, cast.code, item, 60_000)
    assert stage(cast).ends_at is None
    playback.play(cast.ada, cast.code)
    assert stage(cast).ends_at == stage(cast).at_ms + 60_000 - stage(cast).position_ms


def test_the_same_again_and_another_word_change_nothing(cast: Cast, item: int) -> None:
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    before = every_row()
    for value in (90_500, 1_000, 80_000_000):
        lengths.report_length(cast.ada, cast.code, item, value)
    assert every_row() == before


@pytest.mark.parametrize("value", [-1, 0, 999, 86_400_001, 2**40])
def test_a_length_that_cannot_be_is_refused(cast: Cast, item: int, value: int) -> None:
    before = every_row()
    with pytest.raises(Invalid, match="between a second and a day"):
        lengths.report_length(cast.cleo, cast.code, item, value)
    assert every_row() == before


def test_only_who_put_it_on_or_has_the_controls_is_believed(cast: Cast, item: int) -> None:
    Item.update(added_by=cast.members["ada"]).where(Item.id == item).execute()
    here(cast, "ada", "cleo")
    before = every_row()
    for person in (cast.cleo, cast.dan):
        with pytest.raises(NotAllowed):
            lengths.report_length(person, cast.code, item, 90_500)
    assert every_row() == before
    configuring.change_settings(cast.ada, cast.code, {"control": "all"})
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert cast.seen().now.track.duration_ms == 90_500


def here(cast: Cast, *names: str, step: str = "in_step") -> None:
    """These have a screen open whose player is like that; nobody else has."""
    Presence.delete().execute()
    for name in names:
        people.screen_opened(cast.members[name], "web")
    Presence.update(step=step).execute()


@pytest.fixture
def alone(cast: Cast, item: int) -> Person:
    """Ada, who put it on, and Ben are gone; Cleo and Dan are here. Dan."""
    Item.update(added_by=cast.members["ada"]).where(Item.id == item).execute()
    cast.members["dan"] = people.join(cast.dan, cast.code)
    configuring.change_settings(cast.ada, cast.code, {"control": "cohosts"})
    here(cast, "cleo", "dan")
    return cast.dan


def test_one_guest_among_several_cuts_nothing_short(cast: Cast, time, item: int, alone: Person) -> None:
    for value in (1_000, 2_000, 900_000):
        lengths.report_length(cast.cleo, cast.code, item, value)
        time.move(31)
        here(cast, "cleo", "dan")
    assert stage(cast).ends_at is None and Item.get_by_id(item).length_ms == 0
    lengths.report_length(alone, cast.code, item, 90_500)
    assert stage(cast).ends_at is None, "they do not say the same"
    lengths.report_length(cast.cleo, cast.code, item, 90_400)
    assert stage(cast).ends_at == stage(cast).at_ms + 90_500
    assert Item.get_by_id(item).length_ms == 90_500


@pytest.mark.parametrize(("apart", "is_known"), [(2_000, True), (2_001, False)])
def test_two_who_say_the_same_are_believed(
    cast: Cast, item: int, alone: Person, apart: int, is_known: bool
) -> None:
    before = cast.room().seq
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    lengths.report_length(alone, cast.code, item, 90_500 + apart)
    assert cast.kinds(before) == ["length_told", "length_known" if is_known else "length_told"]
    assert bool(stage(cast).ends_at) is is_known


def test_a_word_again_and_too_soon_is_not_written(cast: Cast, time, item: int, alone: Person) -> None:
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    before = every_row()
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    lengths.report_length(cast.cleo, cast.code, item, 60_000)
    assert every_row() == before
    time.move(31)
    here(cast, "cleo", "dan")
    before = every_row()
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert every_row() == before, "the same, much later"


@pytest.mark.parametrize("step", ["", "waiting", "alone"])
def test_the_only_one_who_plays_along_is_believed(cast: Cast, item: int, alone: Person, step: str) -> None:
    Presence.update(step=step).where(Presence.member == cast.members["dan"]).execute()
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert stage(cast).ends_at == stage(cast).at_ms + 90_500


def test_the_word_of_somebody_who_left_does_not_count(cast: Cast, item: int, alone: Person) -> None:
    eve = guest(cast)
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    here(cast, "dan", "eve")
    lengths.report_length(alone, cast.code, item, 90_500)
    assert stage(cast).ends_at is None
    lengths.report_length(eve, cast.code, item, 90_500)
    assert stage(cast).ends_at is not None


def guest(cast: Cast) -> Person:
    eve = Person(people.enter("Eve")[0])
    cast.members["eve"] = people.join(eve, cast.code)
    return eve


@pytest.mark.parametrize("name", ["ada", "ben", "driver", "bringer"])
def test_while_somebody_is_here_whose_word_counts_nobody_elses_does(
    cast: Cast, time, item: int, alone: Person, name: str
) -> None:
    if name == "driver":
        Member.update(controls_until=time.now_ms + 60_000).where(Member.id == cast.members["dan"]).execute()
    elif name == "bringer":
        Item.update(added_by=cast.members["dan"]).where(Item.id == item).execute()
    else:
        here(cast, name, "cleo", "dan")
    before = every_row()
    with pytest.raises(NotAllowed, match="Whoever put it on"):
        lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert every_row() == before
    time.move(61)
    here(cast, "cleo")
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert stage(cast).ends_at is not None, "they went"


@pytest.mark.parametrize("step", ["", "waiting"])
def test_whose_own_player_does_not_play_along_is_not_believed_alone(
    cast: Cast, item: int, alone: Person, step: str
) -> None:
    here(cast, "cleo", step=step)
    lengths.report_length(cast.cleo, cast.code, item, 1_000)
    assert stage(cast).ends_at is None


def test_whoever_hosted_when_the_room_put_it_on_is_not_its_bringer(
    cast: Cast, item: int, alone: Person
) -> None:
    Item.update(is_filler=True, added_by=cast.members["dan"]).where(Item.id == item).execute()
    lengths.report_length(alone, cast.code, item, 1_000)
    assert stage(cast).ends_at is None


def test_only_what_plays_has_a_length_to_tell(cast: Cast, item: int) -> None:
    waiting = add(cast, key="aaaaaaaaaaa").item_id or 0
    lookups.fill_in(track_of(waiting), title="Next")
    before = every_row()
    lengths.report_length(cast.ada, cast.code, waiting, 90_500)
    assert every_row() == before, "too early"
    playback.skip(cast.ada, cast.code)
    before = every_row()
    lengths.report_length(cast.ada, cast.code, item, 90_500)
    assert every_row() == before, "too late"


def test_an_item_of_another_room_is_not_there(cast: Cast, item: int) -> None:
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, other)
    before = every_row()
    wrong: list[tuple[str, int, type[Refusal]]] = [(other, item, NotFound), (other, 99_999, NotFound)]
    for code, number, kind in wrong:
        with pytest.raises(kind):
            lengths.report_length(cast.dan, code, number, 90_500)
    with pytest.raises(NotFound):
        lengths.report_length(cast.dan, "ABCDEFGH", item, 90_500)
    assert every_row() == before


def test_a_library_track_keeps_its_length(cast: Cast) -> None:
    [song] = cast.add(1)
    before = every_row()
    lengths.report_length(cast.ada, cast.code, song, 5_000)
    assert every_row() == before


def test_what_one_room_is_told_ends_the_track_in_no_other(cast: Cast, time, item: int) -> None:
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, other)
    adding.add_link(cast.dan, other, **link())
    theirs = Playback.select().where(Playback.item.is_null(False), Playback.room != cast.room().id).get()
    lengths.report_length(cast.dan, other, theirs.item_id, 1_000)
    lengths.report_length(cast.cleo, cast.code, item, 90_500)
    assert stage(cast).ends_at == stage(cast).at_ms + 90_500
    theirs = Playback.get_by_id(theirs.room_id)
    assert theirs.ends_at == theirs.at_ms + 1_000
    assert Track.get_by_id(track_of(item)).duration_ms == 0
    assert Event.select().where(Event.kind == "length_known").count() == 2
