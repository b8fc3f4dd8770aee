"""Playlists: kept by accounts, in their order, shared by link, copied; nothing is lost by accident."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import Holding, Playlist, PlaylistEntry, Track, User, database, is_sqlite
from party import hosting, importing, people, playlist_views, playlists, ranks, shelf
from party.change import Person, write
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, Refusal, TooMany
from party.playlists import KEPT_MS, Line, line_of
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast


@pytest.fixture(autouse=True)
def accounts(cast: Cast) -> None:
    """Ada and Ben have accounts; Cleo and Dan are guests."""
    for name, person in (("ada", cast.ada), ("ben", cast.ben)):
        User.update(email=f"{name}@example.org").where(User.id == person.user_id).execute()


@pytest.fixture
def made(cast: Cast) -> int:
    """A playlist of Ada's with five tracks."""
    lines = [line_of(Track.get_by_id(track_id)) for track_id in cast.tracks[:5]]
    return playlists.keep_lines(cast.ada, "Late", lines)


@pytest.fixture
def statements(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The SQL that was run."""
    run: list[str] = []
    handle = database.obj
    execute = handle.execute_sql
    monkeypatch.setattr(
        handle, "execute_sql", lambda sql, *args, **more: run.append(sql) or execute(sql, *args, **more)
    )
    return run


def ids(made: int) -> list[int]:
    return [entry_id for entry_id, _ in playlists.in_order(made)]


def titles(made: int) -> list[str]:
    return [entry.title for entry in playlists.entries_of(made)]


def crowd(made: int, first: int, second: int) -> None:
    """Leave no room for a short key between two neighbours."""
    places = dict(playlists.in_order(made))
    while not ranks.needs_renumbering(key := ranks.between(places[first], places[second])):
        places[second] = key
    PlaylistEntry.update(position=places[second]).where(PlaylistEntry.id == second).execute()


def refused(what: type[Refusal], act: object) -> str:
    """What was asked is refused and changes nothing; the sentence."""
    before = every_row()
    with pytest.raises(what) as refusal:
        act()  # type: ignore[operator]
    assert every_row() == before
    return refusal.value.message


# --- keeping them ----------------------------------------------------------------------------------------------------


def test_guests_are_told_that_an_account_keeps_playlists(cast: Cast, made: int) -> None:
    for act in (
        lambda: playlists.create_playlist(cast.cleo, "Mine"),
        lambda: playlists.rename_playlist(cast.cleo, made, "Mine"),
        lambda: playlist_views.save_tonight(cast.cleo, cast.code, "Mine"),
        lambda: importing.import_lines(cast.cleo, "Mine", [Line("x")]),
    ):
        assert "kept with an account" in refused(NotAllowed, act)
    refused(NotKnown, lambda: playlists.create_playlist(Person(99_999), "Mine"))


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 101])
def test_a_playlist_has_a_name_that_fits(cast: Cast, name: str) -> None:
    refused(Invalid, lambda: playlists.create_playlist(cast.ada, name))


def test_renaming_deleting_and_bringing_back_may_be_done_twice(cast: Cast, made: int) -> None:
    playlists.rename_playlist(cast.ada, made, "Nights")
    before = every_row()
    playlists.rename_playlist(cast.ada, made, " Nights ")
    assert every_row() == before
    playlists.delete_playlist(cast.ada, made)
    gone = every_row()
    playlists.delete_playlist(cast.ada, made)
    assert every_row() == gone
    refused(NotFound, lambda: playlists.rename_playlist(cast.ada, made, "x"))
    assert playlist_views.mine(cast.ada) == []
    playlists.restore_playlist(cast.ada, made)
    playlists.restore_playlist(cast.ada, made)
    assert [(card.name, card.count, card.total_text) for card in playlist_views.mine(cast.ada)] == [
        ("Nights", 5, "8:20")
    ]


def test_what_was_deleted_goes_for_good_after_thirty_days(cast: Cast, made: int, time) -> None:
    entry = ids(made)[0]
    playlists.remove_entry(cast.ada, made, entry)
    other = playlists.create_playlist(cast.ada, "Other")
    playlists.delete_playlist(cast.ada, other)
    time.move(KEPT_MS / 1000)
    playlists.forget_deleted()
    assert Playlist.get_or_none(Playlist.id == other) and PlaylistEntry.get_or_none(PlaylistEntry.id == entry)
    time.move(1)
    playlists.forget_deleted()
    playlists.forget_deleted()
    assert Playlist.get_or_none(Playlist.id == other) is None
    assert PlaylistEntry.get_or_none(PlaylistEntry.id == entry) is None and len(ids(made)) == 4


def test_what_can_still_be_brought_back_is_listed_the_one_deleted_last_first(
    cast: Cast, made: int, time
) -> None:
    other = playlists.create_playlist(cast.ada, "Empty")
    assert playlist_views.deleted(cast.ada) == []
    playlists.delete_playlist(cast.ada, other)
    time.move(1)
    playlists.delete_playlist(cast.ada, made)
    shown = playlist_views.deleted(cast.ada)
    assert [card.id for card in shown] == [made, other] and shown[0].count == len(titles(made))
    assert playlist_views.deleted(cast.ben) == []
    time.move(KEPT_MS / 1000 - 1)
    assert [card.id for card in playlist_views.deleted(cast.ada)] == [made, other]
    # The worker may take it at any moment.
    time.move(1)
    assert [card.id for card in playlist_views.deleted(cast.ada)] == [made]
    playlists.restore_playlist(cast.ada, made)
    assert playlist_views.deleted(cast.ada) == []
    assert [card.id for card in playlist_views.mine(cast.ada)] == [made]


def test_lines_whose_link_plays_are_counted_apart(cast: Cast) -> None:
    lines = [Line("One", link="https://a.example/1"), Line("Two", link="https://b.example/2"), Line("Three")]
    made = playlists.keep_lines(cast.ada, "Links", [*lines, line_of(Track.get_by_id(cast.tracks[0]))])
    seen = playlist_views.view(cast.ada, made)
    assert (seen.words, seen.linked) == (3, 0)
    seen = playlist_views.view(cast.ada, made, plays={"https://a.example/1"})
    assert (seen.count, seen.words, seen.linked) == (4, 2, 1)
    assert [entry.plays for entry in seen.entries] == [True, False, False, False]


def test_much_that_was_deleted_goes_a_few_rows_at_a_time(cast: Cast, made: int, time, monkeypatch) -> None:
    monkeypatch.setattr(playlists, "FORGOTTEN_AT_ONCE", 3)
    removed = ids(made)[:4]
    for entry in removed:
        playlists.remove_entry(cast.ada, made, entry)
    for number in range(4):
        lines = [Line(f"Line {each}") for each in range(4)]
        playlists.delete_playlist(cast.ada, playlists.keep_lines(cast.ada, f"Old {number}", lines))
    time.move(KEPT_MS / 1000 + 1)
    playlists.forget_deleted()
    assert [each.id for each in Playlist.select()] == [made] and PlaylistEntry.select().count() == 1


def test_two_hundred_playlists_are_the_most(cast: Cast) -> None:
    rows = [{"user": cast.ada.user_id, "name": "x", "created_at": 1, "changed_at": 1} for _ in range(200)]
    Playlist.insert_many(rows).execute()
    first = Playlist.select().order_by(Playlist.id).first()
    assert "200 playlists" in refused(TooMany, lambda: playlists.create_playlist(cast.ada, "One more"))
    playlists.delete_playlist(cast.ada, first.id)
    playlists.create_playlist(cast.ada, "One more")
    refused(TooMany, lambda: playlists.restore_playlist(cast.ada, first.id))


def test_two_thousand_tracks_are_the_most(cast: Cast, made: int) -> None:
    big = playlists.keep_lines(cast.ada, "Big", [Line(f"Line {number}") for number in range(1_996)])
    source = Playlist.get_by_id(made)
    said = refused(TooMany, lambda: playlists.copy_playlist(cast.ada, source, big))
    assert said == "A playlist holds 2000 tracks, and that would be 2001. Begin another one."
    for _ in range(4):
        playlists.add_track(cast.ada, big, cast.tracks[0])
    refused(TooMany, lambda: playlists.add_track(cast.ada, big, cast.tracks[0]))
    assert len(ids(big)) == 2_000 and titles(big)[:2] == ["Line 0", "Line 1"]


# --- what is in them -------------------------------------------------------------------------------------------------


def test_taking_out_and_bringing_back_keeps_the_place(cast: Cast, made: int) -> None:
    before = ids(made)
    assert playlists.remove_entry(cast.ada, made, before[2]) == "Song 2"
    playlists.remove_entry(cast.ada, made, before[2])
    assert ids(made) == [*before[:2], *before[3:]]
    playlists.restore_entry(cast.ada, made, before[2])
    playlists.restore_entry(cast.ada, made, before[2])
    assert ids(made) == before


def test_what_comes_back_to_a_taken_place_goes_to_the_end(cast: Cast, made: int) -> None:
    first, second, third, *rest = ids(made)
    playlists.remove_entry(cast.ada, made, second)
    playlists.move_entry(cast.ada, made, rest[-1], first)
    place = dict(playlists.in_order(made))[rest[-1]]
    PlaylistEntry.update(position=place).where(PlaylistEntry.id == second).execute()
    playlists.restore_entry(cast.ada, made, second)
    assert ids(made) == [first, rest[-1], third, *rest[:-1], second]


def test_only_the_last_of_all_can_come_back_to_an_empty_list(cast: Cast) -> None:
    made = playlists.keep_lines(cast.ada, "One", [Line("Alone")])
    [entry] = ids(made)
    playlists.remove_entry(cast.ada, made, entry)
    playlists.restore_entry(cast.ada, made, entry)
    assert ids(made) == [entry]


def test_moving_says_after_which_neighbour(cast: Cast, made: int) -> None:
    one, two, three, four, five = ids(made)
    playlists.move_entry(cast.ada, made, five, None)
    assert ids(made) == [five, one, two, three, four]
    playlists.move_entry(cast.ada, made, five, two)
    assert ids(made) == [one, two, five, three, four]
    before = every_row()
    playlists.move_entry(cast.ada, made, five, two)
    assert every_row() == before, "there already is nothing to do"
    playlists.remove_entry(cast.ada, made, two)
    playlists.move_entry(cast.ada, made, one, two)
    assert ids(made) == [five, three, four, one], "behind a neighbour that is gone is the end"
    refused(Invalid, lambda: playlists.move_entry(cast.ada, made, one, one))
    refused(Conflict, lambda: playlists.move_entry(cast.ada, made, two, one))
    refused(NotFound, lambda: playlists.move_entry(cast.ada, made, 999, one))


def test_one_row_is_written_by_a_move(cast: Cast, made: int) -> None:
    before = dict(playlists.in_order(made))
    playlists.move_entry(cast.ada, made, ids(made)[4], ids(made)[0])
    after = dict(playlists.in_order(made))
    assert sum(before[entry] != after[entry] for entry in before) == 1


def test_a_crowded_place_is_numbered_afresh(cast: Cast, made: int) -> None:
    dice = random.Random(1)
    for _ in range(400):
        order = ids(made)
        moved = dice.choice(order[1:])
        playlists.move_entry(cast.ada, made, moved, order[0] if order[1] != moved else None)
    places = [place for _, place in playlists.in_order(made)]
    assert len(set(places)) == 5 and max(map(len, places)) <= ranks.MAX_LENGTH + 1


def test_in_a_long_list_few_rows_make_room(cast: Cast) -> None:
    long = playlists.keep_lines(cast.ada, "Long", [Line(f"Line {number}") for number in range(2_000)])
    order = ids(long)
    crowd(long, order[900], order[901])
    before = dict(playlists.in_order(long))
    playlists.move_entry(cast.ada, long, order[5], order[900])
    after = dict(playlists.in_order(long))
    assert ids(long) == [*order[:5], *order[6:901], order[5], *order[901:]]
    assert sum(before[entry] != after[entry] for entry in order) <= 10
    assert max(map(len, after.values())) <= ranks.MAX_LENGTH // 2


def test_where_all_is_crowded_all_is_numbered_afresh(cast: Cast) -> None:
    crowded = playlists.keep_lines(cast.ada, "Crowded", [Line(f"Line {number}") for number in range(600)])
    order, high = ids(crowded), "a1"
    while len(high) < 24:
        high = ranks.between("a0", high)
    for entry, place in zip(order, ranks.several(600, "a0", high), strict=True):
        PlaylistEntry.update(position=place).where(PlaylistEntry.id == entry).execute()
    crowd(crowded, order[299], order[300])
    playlists.move_entry(cast.ada, crowded, order[0], order[299])
    assert ids(crowded) == [*order[1:300], order[0], *order[300:]]
    assert max(len(place) for _, place in playlists.in_order(crowded)) <= 4


def test_a_whole_list_is_copied_by_a_few_statements(cast: Cast, statements: list[str]) -> None:
    big = playlists.keep_lines(cast.ada, "Big", [Line(f"Line {number}") for number in range(1_990)])
    other = playlists.keep_lines(cast.ada, "Other", [Line("Before")])
    statements.clear()
    into, count = playlists.copy_playlist(cast.ada, Playlist.get_by_id(big), other)
    assert (into, count) == (other, 1_990) and titles(other) == ["Before", *titles(big)]
    assert sum("INSERT" in each for each in statements) == 10 and len(statements) < 30
    copied, _ = playlists.copy_playlist(cast.ada, Playlist.get_by_id(big))
    assert titles(copied) == titles(big)


def test_where_a_transaction_does_not_hold_others_off_the_playlist_is_held(
    cast: Cast, made: int, statements: list[str]
) -> None:
    first, second, *_ = ids(made)
    playlists.remove_entry(cast.ada, made, second)
    for act in (
        lambda: playlists.add_track(cast.ada, made, cast.tracks[0]),
        lambda: playlists.move_entry(cast.ada, made, first, ids(made)[-1]),
        lambda: playlists.restore_entry(cast.ada, made, second),
        lambda: playlists.create_playlist(cast.ada, "Another"),
    ):
        statements.clear()
        act()
        assert is_sqlite() or any(each.endswith("FOR NO KEY UPDATE") for each in statements)


def test_a_track_that_goes_while_a_list_is_kept_leaves_its_words(cast: Cast, made: int) -> None:
    kept = playlists.keep_lines(
        cast.ada, "Kept", [Line("Gone", track_id=9_999), Line("There", track_id=cast.tracks[0])]
    )
    assert [(e.title, e.track_id) for e in playlists.entries_of(kept)] == [
        ("Gone", None),
        ("There", cast.tracks[0]),
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(-1, 9)), max_size=25))
@settings(max_examples=40)
def test_whatever_is_done_the_list_is_what_a_plain_list_would_be(cast: Cast, made: int, steps) -> None:
    with database.atomic() as undone:
        model, removed = ids(made), []
        for kind, at, to in steps:
            if kind == 0:
                playlists.add_track(cast.ada, made, cast.tracks[at])
                model.append(ids(made)[-1])
            elif kind == 1 and model:
                removed.append(model.pop(at % len(model)))
                playlists.remove_entry(cast.ada, made, removed[-1])
            elif kind == 2 and removed:
                playlists.restore_entry(cast.ada, made, removed.pop())
                back = [entry for entry in ids(made) if entry not in model]
                assert len(back) == 1
                model = ids(made)
            elif model and len(model) > 1:
                entry = model[at % len(model)]
                after = None if to < 0 else model[to % len(model)]
                if entry != after:
                    playlists.move_entry(cast.ada, made, entry, after)
                    model.remove(entry)
                    model.insert(0 if after is None else model.index(after) + 1, entry)
            assert ids(made) == model
        undone.rollback()


# --- whose tracks ----------------------------------------------------------------------------------------------------


def test_only_what_somebody_may_use_gets_into_their_playlists(cast: Cast) -> None:
    made = playlists.create_playlist(cast.ben, "Ben's")
    hidden, private, elsewhere = cast.tracks[:3]
    Track.update(is_hidden=True).where(Track.id == hidden).execute()
    Track.update(is_listed=False).where(Track.id.in_((private, elsewhere))).execute()
    shelf.bring(Track.get_by_id(elsewhere), None, cast.ada.user_id, 1)
    for track_id in (hidden, private, elsewhere, 9_999):
        refused(NotFound, lambda track_id=track_id: playlists.add_track(cast.ben, made, track_id))
    Holding.create(track=private, room=cast.room().id, user=cast.cleo.user_id, added_at=1)
    refused(NotFound, lambda: playlists.add_track(cast.ben, made, private))
    assert playlists.add_track(cast.ben, made, private, cast.room().id) == "Song 1"
    playlists.add_track(cast.ben, made, private)
    assert shelf.is_known(Track.get_by_id(private), 0, cast.ben.user_id)


def test_a_shared_playlist_hands_its_tracks_on(cast: Cast, made: int) -> None:
    Track.update(is_listed=False).where(Track.id == cast.tracks[0]).execute()
    token = playlists.share_playlist(cast.ada, made)
    assert token == playlists.share_playlist(cast.ada, made) and len(token) == 22
    target, count = playlists.copy_playlist(cast.ben, playlists.shared(token))
    assert count == 5 and titles(target) == titles(made) and Playlist.get_by_id(target).name == "Late"
    assert shelf.is_known(Track.get_by_id(cast.tracks[0]), 0, cast.ben.user_id)
    assert Playlist.get_by_id(target).share_token is None
    other = playlists.share_playlist(cast.ada, made, anew=True)
    assert other != token
    refused(NotFound, lambda: playlists.shared(token))
    playlists.delete_playlist(cast.ada, made)
    refused(NotFound, lambda: playlists.shared(other))
    refused(NotFound, lambda: playlists.shared(""))


def test_copying_between_ones_own(cast: Cast, made: int) -> None:
    other = playlists.create_playlist(cast.ada, "Other")
    assert playlists.copy_entry(cast.ada, made, ids(made)[3], other) == ("Song 3", "Other")
    playlists.copy_playlist(cast.ada, playlists.own(cast.ada, made), other)
    assert titles(other) == ["Song 3", *titles(made)]
    bens = playlists.create_playlist(cast.ben, "Ben's")
    refused(NotFound, lambda: playlists.copy_entry(cast.ada, made, ids(made)[0], bens))
    refused(NotFound, lambda: playlists.copy_playlist(cast.ada, playlists.own(cast.ada, made), bens))


def test_a_track_that_goes_leaves_its_words(cast: Cast, made: int) -> None:
    Track.delete().where(Track.id == cast.tracks[0]).execute()
    [first, *_] = playlist_views.view(cast.ada, made).entries
    assert (first.title, first.artist, first.track) == ("Song 0", "Artist 0", None)
    assert playlist_views.view(cast.ada, made).words == 1


# --- bringing in -----------------------------------------------------------------------------------------------------


def test_nothing_of_a_file_is_lost(cast: Cast) -> None:
    lines = [
        Line("Song 1", "Artist 1"),
        Line("Who", "Knows", "That", 61_000, "https://x.example/1"),
        Line("  "),
    ]
    made, sure = importing.import_lines(cast.ada, "File", lines)
    assert sure == 1
    told = [
        (e.title, e.artist, e.album, e.duration_ms, e.link, e.track_id) for e in playlists.entries_of(made)
    ]
    assert told == [
        ("Song 1", "Artist 1", "", 0, "", cast.tracks[1]),
        ("Who", "Knows", "That", 61_000, "https://x.example/1", None),
        ("Untitled", "", "", 0, "", None),
    ]
    offered = importing.offers(cast.ada, made)
    assert (offered.left, [row.title for row in offered.rows]) == (2, ["Who", "Untitled"])


def test_a_link_that_is_known_is_its_track_and_not_one_called_alike(cast: Cast) -> None:
    Track.update(slug="youtube-abc").where(Track.id == cast.tracks[5]).execute()
    lines = [
        Line("Song 1", "Artist 1", link="https://youtu.be/abc"),
        Line("Song 1", "Artist 1", link="https://youtu.be/d"),
    ]
    slugs = {"https://youtu.be/abc": "youtube-abc", "https://youtu.be/d": "youtube-d"}
    made, _ = importing.import_lines(cast.ada, "File", lines, slugs)
    assert [entry.track_id for entry in playlists.entries_of(made)] == [cast.tracks[5], None]


def test_what_others_brought_is_not_matched(cast: Cast) -> None:
    Track.update(is_listed=False).where(Track.id == cast.tracks[1]).execute()
    shelf.bring(Track.get_by_id(cast.tracks[1]), None, cast.ben.user_id, 1)
    made, sure = importing.import_lines(cast.ada, "File", [Line("Song 1", "Artist 1")])
    assert sure == 0 and importing.search(cast.ada, "song 1")[0].title != "Song 1"
    assert importing.import_lines(cast.ben, "File", [Line("Song 1", "Artist 1")])[1] == 1


def test_a_match_may_be_taken_back(cast: Cast, made: int) -> None:
    entry = ids(made)[0]
    playlists.match_entry(cast.ada, made, entry, None)
    assert PlaylistEntry.get_by_id(entry).track_id is None and titles(made)[0] == "Song 0"
    before = every_row()
    playlists.match_entry(cast.ada, made, entry, None)
    assert every_row() == before
    refused(NotFound, lambda: playlists.match_entry(cast.ada, made, entry, 9_999))


def test_words_are_kept_on_one_line_and_short(cast: Cast) -> None:
    made = playlists.keep_lines(
        cast.ada, "x", [Line("a\nb\0c" + "x" * 300, "\u202eevil", link="https://x/\0\n1")]
    )
    [entry] = playlists.entries_of(made)
    assert entry.title.startswith("a b c") and len(entry.title) == 200
    assert (entry.artist, entry.link) == ("evil", "https://x/1")


def test_what_an_ended_room_played_is_kept_by_those_who_were_there_to_the_end(cast: Cast) -> None:
    people.leave(cast.ben, cast.code)
    hosting.end_room(cast.ada, cast.code)
    assert playlist_views.need_seat(cast.cleo, cast.code) == cast.room().id
    for person in (cast.ben, cast.dan):
        refused(NotAllowed, lambda person=person: playlist_views.need_seat(person, cast.code))


def test_a_list_that_is_shared_twice_at_once_has_one_link(cast: Cast, made: int, monkeypatch) -> None:
    twice = [lambda: playlists.share_playlist(cast.ada, made)] * 2
    one, other = meanwhile(monkeypatch, (playlists.secrets, "token_urlsafe"), *twice)
    assert one == other == Playlist.get_by_id(made).share_token


def test_what_is_brought_back_while_it_is_forgotten_stays(cast: Cast, made: int, time, monkeypatch) -> None:
    playlists.delete_playlist(cast.ada, made)
    time.move(KEPT_MS / 1000 + 1)
    point = SimpleNamespace(is_back=lambda: None)

    def restore() -> None:
        with write():
            playlists.restore_playlist(cast.ada, made)
            point.is_back()

    meanwhile(monkeypatch, (point, "is_back"), restore, playlists.forget_deleted)
    assert Playlist.get_by_id(made).deleted_at is None and len(titles(made)) == 5
