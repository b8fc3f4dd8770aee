"""What plays on when nobody put anything on: what is chosen, that it yields, that it does not repeat, that it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Event, Item, Playlist, Presence, Room, Track, User, Vote, database
from party import (
    adding,
    ahead,
    auditor,
    chat_log,
    configuring,
    deadlines,
    discovery,
    filling,
    hosting,
    lengths,
    lookups,
    people,
    personal,
    playback,
    playing_on,
    playlist_views,
    playlists,
    queue,
    restart,
    rooms,
    suggestions,
    work,
)  # fmt: skip
from party.change import Person
from party.ends import UNTOLD_MS
from party.errors import Invalid, NotAllowed, NotFound, Refusal
from party.filling import ARTISTS_BACK, RECORDINGS_BACK, ROWS, Candidate, Heard, choose
from party.playlists import Line
from tests import stage
from tests.ledger import every_row
from tests.party.test_adding import link
from tests.stage import SONG_MS, Cast


@pytest.fixture(autouse=True)
def accounts(request: pytest.FixtureRequest) -> None:
    """Ada and Ben have accounts, and every room throws the same lots."""
    if "cast" in request.fixturenames:
        cast = request.getfixturevalue("cast")
        Room.update(epoch="tonight").execute()
        for name, person in (("ada", cast.ada), ("ben", cast.ben)):
            User.update(email=f"{name}@example.org").where(User.id == person.user_id).execute()


def playlist(person: Person, track_ids: list[int], name: str = "Late") -> int:
    return playlists.keep_lines(person, name, [Line("x", track_id=each) for each in track_ids])


def fillers(cast: Cast) -> list[int]:
    """The tracks that the room put on by itself, in order."""
    return [item.track.id for item in cast.seen().items if item.is_filler]


def wanted(cast: Cast) -> list[int]:
    return [item.track.id for item in cast.seen().items if not item.is_filler]


def turn(cast: Cast, time) -> int:
    """The song is over; the track that plays now."""
    time.move(SONG_MS / 1000 + 1)
    playback.advance(cast.code, cast.room().playback.get().play_id)
    now = cast.seen().now
    assert now is not None, "the room fell silent"
    return now.track.id


def play_on(cast: Cast, track_ids: list[int], person: Person | None = None) -> int:
    made = playlist(person or cast.ada, track_ids)
    playing_on.choose_filler(cast.ada, cast.code, "playlist", made)
    return made


# --- choosing it -----------------------------------------------------------------------------------------------------


def test_a_playlist_plays_on_at_once_and_goes_round(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    seen = cast.seen()
    assert seen.now is not None and len(seen.items) == ROWS == 3
    assert seen.now.is_filler and all(item.is_filler for item in seen.items)
    heard = [seen.now.track.id] + [turn(cast, time) for _ in range(11)]
    # Once through all before anything comes again.
    assert set(heard[:6]) == set(cast.tracks[:6]) == set(heard[6:])
    assert len(fillers(cast)) == 3


def test_what_plays_on_by_itself_is_in_nobodys_name(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    turn(cast, time)
    Room.update(visibility="public", state="LIVE", host_gone_at=None).execute()
    people.screen_opened(cast.members["ada"], "web")
    card = discovery.look().cards[cast.code]
    assert card.cord == () and card.track is not None
    notes = [line for line in chat_log.latest(cast.room().id, cast.room().seq).lines if line.is_note]
    assert [line.by for line in notes if line.words == "Now playing"] == [None, None]
    assert personal.export(cast.ada)["tracks_put_on"] == []


def test_the_order_is_by_lot_and_the_same_room_throws_the_same(cast: Cast) -> None:
    thrown = []
    for epoch in ("one", "one", "two", "three", "four"):
        with database.atomic() as undone:
            Room.update(epoch=epoch).execute()
            play_on(cast, cast.tracks[:9])
            thrown.append((cast.seen().now.track.id, *fillers(cast)))
            undone.rollback()
    assert thrown[0] == thrown[1] and len(set(thrown)) == 4


def test_nothing_is_chosen_by_default_and_the_line_falls_quiet(cast: Cast, time) -> None:
    cast.add(1)
    time.move(SONG_MS / 1000 + 1)
    playback.advance(cast.code, cast.room().playback.get().play_id)
    assert (cast.seen().now, cast.seen().items) == (None, ())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_even_the_shortest_playlist_never_falls_silent(cast: Cast, time, count: int) -> None:
    play_on(cast, cast.tracks[:count])
    heard = [cast.seen().now.track.id] + [turn(cast, time) for _ in range(5)]
    assert set(heard) == set(cast.tracks[:count])
    if count > 1:
        assert all(one != other for one, other in zip(heard, heard[1:], strict=False))


def test_the_favourites_are_those_with_the_most_votes_then_those_played_most(cast: Cast, time) -> None:
    items = cast.add(5)
    for item, value in ((items[2], 1), (items[3], 1), (items[4], -1)):
        queue.cast_vote(cast.ben, cast.code, item, value)
    queue.cast_vote(cast.cleo, cast.code, items[3], 1)
    order = [cast.seen().now.track.id]
    for _ in range(4):
        order.append(turn(cast, time))
    track_of = {item: Item.get_by_id(item).track_id for item in items}
    playing_on.choose_filler(cast.ada, cast.code, "favourites")
    chosen = fillers(cast)
    assert track_of[items[4]] not in chosen, "what people voted down is no favourite"
    # Of five recordings two are held back; the others stand by their votes.
    assert chosen[0] == next(
        each for each in (track_of[items[3]], track_of[items[2]]) if each not in order[-2:]
    )


def test_more_like_tonight_goes_by_genre_and_artist(cast: Cast, time) -> None:
    Track.update(artist="Somebody").execute()
    Track.update(genre="polka").where(Track.id.in_(cast.tracks[6:])).execute()
    Track.update(genre="rock").where(Track.id.in_(cast.tracks[:6])).execute()
    Track.update(artist="The band").where(Track.id.in_(cast.tracks[:2] + cast.tracks[5:6])).execute()
    [item] = [queue.add_item(cast.ada, cast.code, cast.tracks[0])]
    assert item
    playing_on.choose_filler(cast.ada, cast.code, "alike")
    chosen = fillers(cast)
    assert chosen and set(chosen) <= set(cast.tracks[1:6]), "polka is not like tonight"


def test_skipped_tracks_do_not_say_what_tonight_is_like(cast: Cast) -> None:
    Track.update(genre="polka", artist="Skipped").where(Track.id == cast.tracks[0]).execute()
    Track.update(genre="polka", artist="Alike").where(Track.id == cast.tracks[7]).execute()
    queue.add_item(cast.ada, cast.code, cast.tracks[0])
    playback.skip(cast.ada, cast.code)
    playing_on.choose_filler(cast.ada, cast.code, "alike")
    assert (fillers(cast), cast.seen().now) == ([], None)


@pytest.mark.parametrize(
    "facts",
    [
        {"is_explicit": True},
        {"is_hidden": True},
        {"state": "failed"},
        {"duration_ms": 0},
        {"duration_ms": 0, "player": "hls"},
        {"duration_ms": 0, "player": "embed"},
    ],
)
def test_what_the_room_does_not_take_or_what_has_no_end_is_left_out(
    cast: Cast, facts: dict[str, object]
) -> None:
    Track.update(**facts).where(Track.id == cast.tracks[0]).execute()
    configuring.change_settings(cast.ada, cast.code, {"explicit": False})
    made = playlist(cast.ada, cast.tracks[:1])
    before = every_row()
    with pytest.raises(Invalid, match="Nothing in that playlist can play on"):
        playing_on.choose_filler(cast.ada, cast.code, "playlist", made)
    assert every_row() == before and on_stage(cast) == (None, ())
    other = playlist(cast.ada, cast.tracks[:2])
    assert playing_on.choose_filler(cast.ada, cast.code, "playlist", other) == "1 of 2 can play on here."
    assert {cast.seen().now.track.id, *fillers(cast)} == {cast.tracks[1]}


def on_stage(cast: Cast) -> tuple[object, object]:
    return cast.seen().now, cast.seen().items


def test_what_is_still_looked_up_may_be_chosen_and_is_waited_for(cast: Cast) -> None:
    Track.update(state="looking_up").where(Track.id == cast.tracks[0]).execute()
    Room.update(state="LIVE").execute()
    play_on(cast, cast.tracks[:1])
    assert on_stage(cast) == (None, ())
    Track.update(state="ready").where(Track.id == cast.tracks[0]).execute()
    assert playing_on.quiet_codes() == [cast.code], "also where nothing ever played"
    assert playing_on.fill_line(cast.code) and cast.seen().now.track.id == cast.tracks[0]


@pytest.mark.parametrize("player", ["youtube", "vimeo", "spotify"])
def test_what_its_player_tells_the_length_of_plays_on_and_ends_at_the_latest_after_a_while(
    cast: Cast, time, player: str
) -> None:
    Track.update(duration_ms=0, player=player).where(Track.id.in_(cast.tracks[:4])).execute()
    play_on(cast, cast.tracks[:4])
    anchor = cast.room().playback.get()
    assert anchor.ends_at == anchor.at_ms + UNTOLD_MS == deadlines.of(cast.code).ends_at
    time.move(UNTOLD_MS / 1000 - 1)
    assert not playback.advance(cast.code, anchor.play_id)
    time.move(2)
    assert playback.advance(cast.code, anchor.play_id)
    second = cast.room().playback.get()
    lengths.report_length(cast.ada, cast.code, second.item_id, 3_600_000)
    assert cast.room().playback.get().ends_at == second.at_ms + 3_600_000, "a film may be longer than that"
    time.move(SONG_MS / 1000)
    playback.pause(cast.ada, cast.code)
    assert cast.room().playback.get().ends_at is None


def test_what_somebody_put_on_themselves_is_not_cut_off(cast: Cast) -> None:
    Track.update(duration_ms=0, player="youtube").where(Track.id == cast.tracks[0]).execute()
    queue.add_item(cast.cleo, cast.code, cast.tracks[0])
    assert cast.room().playback.get().ends_at is None


def play_again(cast: Cast, who: Person, player: str, told_ms: int) -> None:
    """A track of unknown length played for somebody, who told its length; now the room plays it by itself."""
    Track.update(duration_ms=0, player=player).where(Track.id == cast.tracks[0]).execute()
    item = queue.add_item(who, cast.code, cast.tracks[0])
    lengths.report_length(who, cast.code, item, told_ms)
    playback.skip(cast.ada, cast.code)
    play_on(cast, cast.tracks[:1])


def test_a_length_this_room_learnt_is_known_here_and_nowhere_else(cast: Cast, time) -> None:
    play_again(cast, cast.ada, "hls", 50_000)
    anchor = cast.room().playback.get()
    assert anchor.ends_at == anchor.at_ms + 50_000 and cast.seen().now.track.duration_ms == 50_000
    other = rooms.open_room(cast.ada, "Elsewhere", 300)
    with pytest.raises(Invalid):
        playing_on.choose_filler(cast.ada, other, "playlist", playlist(cast.ada, cast.tracks[:1]))


def test_what_a_player_tells_is_asked_anew_each_time(cast: Cast) -> None:
    play_again(cast, cast.cleo, "youtube", 1_000)
    anchor = cast.room().playback.get()
    assert anchor.ends_at == anchor.at_ms + UNTOLD_MS, "one word does not cut it short for the whole night"


# --- links -----------------------------------------------------------------------------------------------------------

KEYS = [f"video{number:06}" for number in range(12)]


def address(key: str) -> str:
    return f"https://youtu.be/{key}"


FACTS = {address(key): link(key) for key in KEYS}


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What was handed to the worker."""
    given: list[tuple[str, object]] = []
    for name in ("bring_links", "look_up"):
        monkeypatch.setitem(work.carriers, name, lambda what, name=name: given.append((name, what)))
    return given


def links(person: Person, count: int = 12) -> int:
    """A playlist of that many links and nothing else."""
    return playlists.keep_lines(person, "Tube", [Line(key, link=address(key)) for key in KEYS[:count]])


def bring(cast: Cast) -> int:
    """The worker's turn."""
    return playing_on.bring_links(cast.code, {each: FACTS[each] for each in playing_on.next_links(cast.code)})


def look_up_all() -> None:
    for track in Track.select().where(Track.state == "looking_up"):
        lookups.fill_in(track.id, title=track.slug)


def test_a_playlist_of_links_alone_plays_on(cast: Cast, time, handed: list[tuple[str, object]]) -> None:
    assert playing_on.choose_filler(cast.ada, cast.code, "playlist", links(cast.ada), links=FACTS) == ""
    assert ("bring_links", cast.code) in handed and Track.select().where(
        Track.provider == "youtube"
    ).count() == 0
    assert bring(cast) == 5 and playing_on.next_links(cast.code) == [], "a few at a time"
    brought = list(Track.select().where(Track.provider == "youtube").order_by(Track.id))
    assert [track.reference for track in brought] == KEYS[:5]
    assert {track.state for track in brought} == {"looking_up"} and not any(
        track.is_listed for track in brought
    )
    assert handed[-5:] == [("look_up", track.id) for track in brought]
    assert bring(cast) == 0
    look_up_all()
    assert playing_on.fill_line(cast.code)
    assert {cast.seen().now.track.id, *fillers(cast)} <= {track.id for track in brought}
    heard = set()
    for _ in range(len(KEYS)):
        heard.add(cast.seen().now.track.reference)
        bring(cast)
        look_up_all()
        playback.skip(cast.ada, cast.code)
    assert heard == set(KEYS), "those that follow come in time, and each has its turn"


def test_a_link_that_cannot_be_had_makes_way_for_the_next(
    cast: Cast, handed: list[tuple[str, object]]
) -> None:
    playing_on.choose_filler(cast.ada, cast.code, "playlist", links(cast.ada), links=FACTS)
    bring(cast)
    for track in Track.select().where(Track.state == "looking_up"):
        lookups.give_up(track.id, "That video is private.")
    assert bring(cast) == 5


def test_a_link_that_is_known_already_plays_on_at_once(cast: Cast, handed: list[tuple[str, object]]) -> None:
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    people.join(cast.dan, other)
    adding.add_link(cast.dan, other, **link(KEYS[0]))
    look_up_all()
    playing_on.choose_filler(cast.ada, cast.code, "playlist", links(cast.ada), links=FACTS)
    bring(cast)
    assert cast.seen().now.track.reference == KEYS[0]
    assert Track.select().where(Track.reference == KEYS[0]).count() == 1


def test_no_more_and_nothing_else_is_brought_than_what_is_wanted(
    cast: Cast, handed: list[tuple[str, object]]
) -> None:
    made = links(cast.ada)
    before = every_row()
    assert playing_on.bring_links(cast.code, FACTS) == 0 and playing_on.next_links(cast.code) == []
    assert every_row() == before, "nothing plays on here"
    playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links=FACTS)
    before = every_row()
    assert playing_on.bring_links(cast.code, {"https://youtu.be/another": link("another0000")}) == 0
    assert every_row() == before
    assert playing_on.bring_links(cast.code, FACTS) == 5
    playlists.delete_playlist(cast.ada, made)
    before = every_row()
    assert playing_on.bring_links(cast.code, FACTS) == 0
    assert every_row() == before


def test_links_that_nobody_reads_are_handed_over_once_a_minute(
    cast: Cast, time, handed: list[tuple[str, object]]
) -> None:
    made = playlists.keep_lines(
        cast.ada, "Few", [Line("a", link=address(KEYS[0])), Line("b", link="gopher://example.org/")]
    )
    playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links=FACTS)
    assert playing_on.bring_links(cast.code, FACTS) == 1
    look_up_all()
    time.move(60)
    handed.clear()
    for _ in range(5):
        playing_on.fill_line(cast.code)
        time.move(5)
    assert handed == [("bring_links", cast.code)]
    left = playing_on.next_links(cast.code)
    assert left == ["gopher://example.org/"]
    assert not ahead.is_due(cast.room(), left, time.now_ms)
    assert ahead.is_due(cast.room(), left, time.now_ms + ahead.AGAIN_MS)
    assert not ahead.is_due(cast.room(), [], time.now_ms + 10 * ahead.AGAIN_MS)


def test_what_people_take_off_makes_way_for_the_next_links(
    cast: Cast, handed: list[tuple[str, object]]
) -> None:
    playing_on.choose_filler(cast.ada, cast.code, "playlist", links(cast.ada), links=FACTS)
    bring(cast)
    look_up_all()
    assert bring(cast) == 0
    playing_on.fill_line(cast.code)
    queue.remove_item(cast.ada, cast.code, Item.get(Item.is_filler, Item.state == "waiting").id)
    assert bring(cast) > 0


def test_where_links_are_off_none_are_brought_in(cast: Cast, handed: list[tuple[str, object]]) -> None:
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    made = links(cast.ada)
    with pytest.raises(Invalid, match="can play on by itself"):
        playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links=FACTS)
    configuring.change_settings(cast.ada, cast.code, {"when_empty": "playlist", "empty_playlist": made})
    before = every_row()
    assert playing_on.bring_links(cast.code, FACTS) == 0
    assert every_row() == before


def test_words_and_links_that_play_nowhere_are_said_when_it_is_chosen(
    cast: Cast, handed: list[tuple[str, object]]
) -> None:
    frame = {"https://films.example/1": link() | {"player": "embed"}}
    lines = [
        Line("Words"),
        Line("A page", link="https://example.org/"),
        Line("A film", link=next(iter(frame))),
    ]
    made = playlists.keep_lines(cast.ada, "Mixed", lines)
    before = every_row()
    with pytest.raises(Invalid, match="Nothing in that playlist can play on"):
        playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links=FACTS | frame)
    assert every_row() == before and handed == []
    playlists.append(Playlist.get_by_id(made), [Line("A video", link=address(KEYS[0]))])
    assert (
        playing_on.choose_filler(cast.ada, cast.code, "playlist", made, links=FACTS | frame)
        == "1 of 4 can play on here."
    )


def test_explicit_tracks_play_on_where_the_room_takes_them(cast: Cast) -> None:
    Track.update(is_explicit=True).where(Track.id == cast.tracks[0]).execute()
    play_on(cast, cast.tracks[:1])
    assert cast.seen().now.track.id == cast.tracks[0]


def test_somebody_elses_playlist_plays_on_by_its_link_alone(cast: Cast) -> None:
    made = playlist(cast.ben, cast.tracks[:4])
    before = every_row()
    for refused in (made, 9_999):
        with pytest.raises(NotFound):
            playing_on.choose_filler(cast.ada, cast.code, "playlist", refused)
    with pytest.raises(NotFound):
        playing_on.choose_filler(cast.ada, cast.code, "playlist", token="no such link")
    assert every_row() == before
    token = playlists.share_playlist(cast.ben, made)
    playing_on.choose_filler(cast.ada, cast.code, "playlist", token=token)
    assert len(fillers(cast)) == 3
    playlists.stop_sharing(cast.ben, made)
    assert fillers(cast) == []


@pytest.mark.parametrize("name", ["ben", "cleo", "dan"])
def test_only_the_host_chooses_what_plays_on(cast: Cast, name: str) -> None:
    before = every_row()
    with pytest.raises(NotAllowed):
        playing_on.choose_filler(getattr(cast, name), cast.code, "favourites")
    with pytest.raises(Invalid):
        playing_on.choose_filler(cast.ada, cast.code, "everything")
    assert every_row() == before


def test_an_id_set_past_the_door_does_not_open_a_private_playlist(cast: Cast) -> None:
    made = playlist(cast.ben, cast.tracks[:4])
    configuring.change_settings(cast.ada, cast.code, {"when_empty": "playlist", "empty_playlist": made})
    cast.add(1)
    assert fillers(cast) == []


# --- yielding --------------------------------------------------------------------------------------------------------


def test_whatever_somebody_puts_on_stands_before_and_plays_first(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    for item in cast.line():
        queue.cast_vote(cast.ada, cast.code, item, 1)
    added = queue.add_item(cast.cleo, cast.code, cast.tracks[9])
    assert cast.line()[0] == added and len(cast.line()) == 4
    assert turn(cast, time) == cast.tracks[9]
    assert len(fillers(cast)) == 3


def test_votes_order_the_rows_among_themselves(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    last = cast.line()[-1]
    queue.cast_vote(cast.cleo, cast.code, last, 1)
    assert cast.line()[0] == last


def test_no_new_rows_come_while_something_waits_that_people_want(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    added = [queue.add_item(cast.ada, cast.code, each) for each in cast.tracks[8:11]]
    turn(cast, time)
    turn(cast, time)
    assert wanted(cast) == [Item.get_by_id(added[2]).track_id] and len(fillers(cast)) == 3
    first = next(item for item in cast.seen().items if item.is_filler)
    queue.remove_item(cast.ada, cast.code, first.id)
    assert len(fillers(cast)) == 2


def test_what_is_still_looked_up_does_not_keep_the_room_silent(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    Track.update(state="looking_up").where(Track.id == cast.tracks[9]).execute()
    queue.add_item(cast.cleo, cast.code, cast.tracks[9])
    for _ in range(4):
        assert turn(cast, time) in cast.tracks[:6]
    assert wanted(cast) == [cast.tracks[9]] and len(fillers(cast)) >= 2


def test_putting_on_what_plays_on_makes_the_row_ones_own(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    row = cast.seen().items[2]
    queue.cast_vote(cast.ben, cast.code, row.id, 1)
    before = cast.room().seq
    assert queue.add_item(cast.cleo, cast.code, row.track.id) == row.id
    item = Item.get_by_id(row.id)
    assert (item.is_filler, item.added_by_id, item.added_seq) == (False, cast.members["cleo"], before + 1)
    assert cast.line()[0] == row.id and Vote.select().where(Vote.item == row.id).count() == 1
    assert cast.kinds(before) == ["item_added"]


def test_a_row_that_plays_on_may_be_suggested(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    assert suggestions.suggest_item(cast.cleo, cast.code, cast.seen().items[0].track.id)


def test_moving_a_row_that_plays_on_makes_it_the_movers(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    last = cast.line()[-1]
    queue.move_item(cast.ada, cast.code, last, None)
    assert not Item.get_by_id(last).is_filler and cast.line()[0] == last


def test_who_may_put_nothing_on_cannot_do_so_by_moving(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    configuring.change_settings(cast.ada, cast.code, {"add": "host", "reorder": "all"})
    before = every_row()
    with pytest.raises(NotAllowed):
        queue.move_item(cast.cleo, cast.code, cast.line()[-1], None)
    assert every_row() == before


@pytest.mark.parametrize("mode", ["charts", "hand"])
def test_a_track_dragged_below_the_rows_still_stands_before_them(cast: Cast, mode: str) -> None:
    play_on(cast, cast.tracks[:6])
    queue.change_mode(cast.ada, cast.code, mode)
    added = queue.add_item(cast.ada, cast.code, cast.tracks[9])
    queue.move_item(cast.ada, cast.code, added, cast.line()[-1])
    assert cast.line()[0] == added and len(fillers(cast)) == 3


def test_the_head_is_never_locked_while_the_room_put_it_there(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    time.move(SONG_MS / 1000 - 5)
    assert playback.lock_next(cast.code, cast.room().playback.get().play_id) is False
    added = queue.add_item(cast.cleo, cast.code, cast.tracks[9])
    assert cast.line()[0] == added


def test_the_rows_count_for_nobodys_limits(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 1, "adds_per_minute": 1})
    queue.add_item(cast.cleo, cast.code, cast.tracks[9])
    queue.add_item(cast.ada, cast.code, cast.tracks[10])


# --- going -----------------------------------------------------------------------------------------------------------


def test_the_rows_vanish_when_the_setting_goes_off(cast: Cast) -> None:
    play_on(cast, cast.tracks[:6])
    before = cast.room().seq
    playing_on.choose_filler(cast.ada, cast.code, "nothing")
    assert fillers(cast) == []
    assert cast.kinds(before) == ["settings_changed"] + 3 * ["item_removed"]
    removed = Event.select().where(Event.kind == "item_removed")
    assert {row.actor_id for row in removed} == {None}


def test_the_rows_vanish_when_the_playlist_goes_and_come_back_with_it(cast: Cast, time) -> None:
    made = play_on(cast, cast.tracks[:6])
    playlists.delete_playlist(cast.ada, made)
    assert fillers(cast) == []
    playlists.restore_playlist(cast.ada, made)
    time.move(SONG_MS / 1000 + 1)
    playback.advance(cast.code, cast.room().playback.get().play_id)
    assert cast.seen().now is not None and len(fillers(cast)) == 3


def test_another_choice_brings_other_rows(cast: Cast) -> None:
    play_on(cast, cast.tracks[:4])
    play_on(cast, cast.tracks[6:10])
    assert set(fillers(cast)) <= set(cast.tracks[6:10]) and len(fillers(cast)) == 3


def test_what_somebody_took_off_does_not_come_back_by_itself(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:8])
    gone = cast.seen().items[0]
    queue.remove_item(cast.ada, cast.code, gone.id)
    assert gone.track.id not in fillers(cast) and len(fillers(cast)) == 3
    assert gone.track.id not in [turn(cast, time) for _ in range(12)]


def test_bringing_one_back_keeps_no_more_than_three(cast: Cast) -> None:
    play_on(cast, cast.tracks[:8])
    gone = cast.line()[0]
    queue.remove_item(cast.ada, cast.code, gone)
    queue.restore_item(cast.ada, cast.code, gone)
    assert len(fillers(cast)) == 3 and gone in cast.line()


def test_somebodys_own_row_comes_back_in_place_of_the_rooms(cast: Cast) -> None:
    cast.add(1)
    added = queue.add_item(cast.cleo, cast.code, cast.tracks[5])
    queue.remove_item(cast.cleo, cast.code, added)
    play_on(cast, [cast.tracks[5]])
    assert fillers(cast) == [cast.tracks[5]]
    queue.restore_item(cast.cleo, cast.code, added)
    assert cast.line() == [added] and fillers(cast) == []


def test_a_room_that_waits_for_its_host_plays_to_nobody(cast: Cast, time) -> None:
    configuring.change_settings(cast.ada, cast.code, {"keep": True})
    play_on(cast, cast.tracks[:6])
    Room.update(state="GRACE", host_gone_at=time.now_ms, host_grace_until=time.now_ms + 10**9).execute()
    Presence.delete().execute()
    for _ in range(4):
        time.move(SONG_MS / 1000 + 1)
        if play_id := cast.room().playback.get().play_id:
            playback.advance(cast.code, play_id)
    assert (cast.seen().now, cast.line()) == (None, [])
    assert playing_on.quiet_codes() == [cast.code]
    people.screen_opened(cast.members["cleo"], "web")
    assert playing_on.fill_line(cast.code) is True
    assert playing_on.quiet_codes() == []


def test_an_ended_room_is_left_as_it_was(cast: Cast) -> None:
    made = play_on(cast, cast.tracks[:6])
    Room.update(state="EXPIRED", expired_at=1).execute()
    before = list(Item.select().order_by(Item.id).tuples())
    playlists.delete_playlist(cast.ada, made)
    assert list(Item.select().order_by(Item.id).tuples()) == before


# --- promises --------------------------------------------------------------------------------------------------------

names = st.integers(0, 5).map(lambda number: f"artist {number}")
recordings = st.tuples(st.integers(0, 20).map(lambda number: f"song {number}"), names)
plays_before = st.lists(recordings, max_size=40)
pools = st.lists(
    st.tuples(st.integers(1, 60), recordings, st.integers(0, 3)), max_size=40, unique_by=lambda row: row[0]
)


@given(
    pools,
    st.lists(recordings, max_size=40),
    st.lists(recordings, max_size=2),
    st.frozensets(recordings, max_size=4),
)
@settings(max_examples=500)
def test_nothing_comes_again_within_the_window(pool, plays, waiting, refused) -> None:
    pool = [Candidate(track_id, recording, (place,)) for track_id, recording, place in pool]
    chosen = choose(pool, Heard(plays, waiting, refused), ROWS - len(waiting))
    assert len(chosen) <= ROWS - len(waiting) and len(set(chosen)) == len(chosen)
    by_id = {each.track_id: each for each in pool}
    known = {each.recording for each in pool} | set(waiting)
    held = set(plays[: min(RECORDINGS_BACK, len(known) // 2)])
    new = [by_id[track_id].recording for track_id in chosen]
    assert not set(new) & (held | set(waiting) | refused)
    assert len(set(new)) == len(new), "one recording, one row"
    artists = [artist for _, artist in [*reversed(plays[:ARTISTS_BACK]), *waiting, *new]]
    for at in range(len(artists) - len(new), len(artists)):
        is_forced = not waiting and at == len(artists) - len(new)
        others = {each.artist for each in pool if each.recording not in held | set(waiting) | refused}
        is_free = artists[at] not in artists[max(0, at - ARTISTS_BACK) : at]
        assert is_free or (is_forced and others <= set(artists[max(0, at - ARTISTS_BACK) : at]))


@given(pools, plays_before)
@settings(max_examples=300)
def test_as_long_as_there_is_anything_to_choose_something_is_chosen(pool, plays) -> None:
    pool = [Candidate(track_id, recording, (place,)) for track_id, recording, place in pool]
    assert bool(choose(pool, Heard(plays), ROWS)) is bool(pool)


def test_a_long_playlist_keeps_the_whole_window() -> None:
    pool = [
        Candidate(number, (f"song {number}", f"artist {number % 9}"), (0, number)) for number in range(80)
    ]
    plays: list[tuple[str, str]] = []
    for _ in range(200):
        [track_id, *_] = choose(pool, Heard(plays), 1)
        assert pool[track_id].recording not in plays[:30]
        assert pool[track_id].artist not in [artist for _, artist in plays[:2]]
        plays.insert(0, pool[track_id].recording)


Step = Callable[["Night"], object]


@dataclass
class Night:
    """A room in which anything happens."""

    cast: Cast
    time: object
    made: int
    kinds: list[str] = field(default_factory=list)

    def any_item(self, at: int) -> int:
        line = self.cast.line()
        return line[at % len(line)] if line else 0

    def step(self, kind: str, at: int) -> None:
        cast, person = self.cast, (self.cast.ada, self.cast.ben, self.cast.cleo)[at % 3]
        code = cast.code
        steps: dict[str, Callable[[], object]] = {
            "add": lambda: queue.add_item(person, code, cast.tracks[at % len(cast.tracks)]),
            "remove": lambda: queue.remove_item(cast.ada, code, self.any_item(at)),
            "restore": lambda: self._restore(),
            "vote": lambda: queue.cast_vote(person, code, self.any_item(at), 1 if at % 2 else -1),
            "move": lambda: queue.move_item(
                cast.ada, code, self.any_item(at), self.any_item(at // 2) or None
            ),
            "skip": lambda: playback.skip(cast.ada, code),
            "advance": lambda: turn(cast, self.time),
            "hand": lambda: queue.change_mode(cast.ada, code, "hand" if at % 2 else "charts"),
            "favourites": lambda: playing_on.choose_filler(cast.ada, code, "favourites"),
            "alike": lambda: playing_on.choose_filler(cast.ada, code, "alike"),
            "playlist": lambda: playing_on.choose_filler(cast.ada, code, "playlist", self.made),
            "nothing": lambda: playing_on.choose_filler(cast.ada, code, "nothing"),
            "unlist": lambda: playlists.delete_playlist(cast.ada, self.made),
            "list": lambda: playlists.restore_playlist(cast.ada, self.made),
        }
        try:
            steps[kind]()
        except (Refusal, AssertionError):
            return

    def _restore(self) -> None:
        latest = Item.removed_at.desc(), Item.id.desc()
        gone = Item.select().where(Item.state == "removed").order_by(*latest).first()
        if gone is not None:
            queue.restore_item(self.cast.ada, self.cast.code, gone.id)

    def check(self) -> None:
        seen = self.cast.seen()
        order = [item.is_filler for item in seen.items]
        assert order == sorted(order), "a row of the room's own stands before somebody's"
        assert sum(order) <= ROWS
        if sum(order) and seen.settings.when_empty == "nothing":
            raise AssertionError("rows are left though nothing plays on")
        assert not (seen.items and seen.now is None), "something waits and nothing plays"


KINDS = (
    "add", "add", "remove", "restore", "vote", "move", "skip", "advance", "advance", "hand", "favourites", "alike",
    "playlist", "nothing", "unlist", "list",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 40)), min_size=5, max_size=25))
@settings(max_examples=30)
def test_whatever_happens_people_come_first_and_three_rows_are_the_most(cast: Cast, time, steps) -> None:
    with database.atomic() as undone:
        night = Night(cast, time, play_on(cast, cast.tracks[:7]))
        for kind, at in steps:
            night.step(kind, at)
            night.check()
        undone.rollback()


def test_the_auditor_finds_nothing_to_say(cast: Cast, time) -> None:
    play_on(cast, cast.tracks[:6])
    queue.add_item(cast.cleo, cast.code, fillers(cast)[1])
    queue.remove_item(cast.ada, cast.code, cast.line()[-1])
    turn(cast, time)
    turn(cast, time)
    assert auditor.audit_room(cast.code) == []


def test_the_rows_are_found_by_a_handful_of_queries(cast: Cast, time) -> None:
    stage.library(300, 100)
    ids = [track.id for track in Track.select().order_by(Track.id)]
    play_on(cast, ids)
    assert Playlist.select().count() == 1
    with database.obj.atomic():
        assert len(fillers(cast)) == filling.ROWS


def test_the_history_says_what_the_room_played_by_itself(cast: Cast, time) -> None:
    [item] = cast.add(1, by=cast.cleo)
    play_on(cast, cast.tracks[4:])
    playback.skip(cast.ada, cast.code)
    playback.skip(cast.ada, cast.code)
    told = [(play.item_id == item, play.is_filler) for play in cast.seen().history]
    assert told == [(False, True), (True, False)]
    assert [row.by for row in playlist_views.tonight(cast.code)][:2] == ["Cleo", "Played on by itself"]
    assert {row.by for row in playlist_views.line_of_room(cast.code)} == {"Plays on"}


def test_what_the_room_put_on_is_not_offered_to_a_new_room(cast: Cast, time) -> None:
    cast.add(1, by=cast.cleo)
    play_on(cast, cast.tracks[4:])
    assert len(cast.line()) == 3
    hosting.end_room(cast.ada, cast.code)
    assert restart.memory_of(cast.code, cast.ada.user_id).left == 0
