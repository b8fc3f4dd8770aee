"""Suggestions: who makes and decides them, that they are decided once, and how much one person may put on."""

from __future__ import annotations

import pytest

from models import Ban, Item, Suggestion, Track
from party import configuring, people, playback, queue, shelf, snapshot, suggestions
from party.allowance import SUGGESTED_MOST
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Refusal, TooMany
from party.suggestions import decide_suggestion, suggest_item
from tests.ledger import every_row
from tests.stage import Cast, library


@pytest.fixture
def asking(cast: Cast, time) -> Cast:
    """A room in which guests' tracks need approval, with one track on and one waiting."""
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    cast.add(2)
    return cast


def refused(kind: type[Refusal], act, match: str = ".") -> None:
    """The command is refused and no row changes."""
    before = every_row()
    with pytest.raises(kind, match=match):
        act()
    assert every_row() == before


def share(cast: Cast) -> snapshot.Share:
    found = snapshot.mine(cast.code, cast.cleo.user_id)
    assert found
    return found


def test_a_guest_suggests_and_a_leader_lets_it_onto_the_line_in_the_guests_name(asking: Cast) -> None:
    refused(NotAllowed, lambda: queue.add_item(asking.cleo, asking.code, asking.tracks[5]))
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    [shown] = asking.seen().suggestions
    assert (shown.id, shown.track.id, shown.by.name) == (wish, asking.tracks[5], "Cleo")
    assert share(asking).suggested == {asking.tracks[5]: wish}
    before = asking.room().seq
    decide_suggestion(asking.ben, asking.code, wish, "approve")
    assert asking.kinds(before) == ["item_added", "suggestion_approved"]
    item = asking.seen().items[-1]
    assert (item.track.id, item.by.name) == (asking.tracks[5], "Cleo")
    row = Suggestion.get_by_id(wish)
    assert (row.state, row.item_id, row.decided_by_id) == ("approved", item.id, asking.members["ben"])
    assert share(asking).suggested == {}
    assert share(asking).answers == ((wish, "approved", "Song 5", "Ben", ""),)


def test_declined_with_a_reason_that_only_the_suggester_reads(asking: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    decide_suggestion(asking.ada, asking.code, wish, "decline", "  Not before\nmidnight ")
    assert share(asking).answers == ((wish, "declined", "Song 5", "Ada", "Not before midnight"),)
    assert "midnight" in share(asking).answers_text
    ben = snapshot.mine(asking.code, asking.ben.user_id)
    assert ben and ben.answers == ()


def test_offering_adds_for_leaders_and_suggests_for_guests(asking: Cast) -> None:
    assert suggestions.offer_item(asking.ben, asking.code, asking.tracks[5]) is False
    assert suggestions.offer_item(asking.cleo, asking.code, asking.tracks[6]) is True
    refused(NotAllowed, lambda: suggestions.offer_item(asking.dan, asking.code, asking.tracks[7]))


def test_nothing_is_suggested_where_everybody_adds_and_by_those_who_add(cast: Cast) -> None:
    for who in (cast.cleo, cast.ada):
        refused(NotAllowed, lambda who=who: suggest_item(who, cast.code, cast.tracks[0]))
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    for who in (cast.ben, cast.ada):
        refused(NotAllowed, lambda who=who: suggest_item(who, cast.code, cast.tracks[0]))


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_a_suggestion_is_decided_once(asking: Cast, decision: str) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    decide_suggestion(asking.ada, asking.code, wish, decision)
    before = every_row()
    decide_suggestion(asking.ben, asking.code, wish, decision)
    assert every_row() == before
    other = "decline" if decision == "approve" else "approve"
    refused(Conflict, lambda: decide_suggestion(asking.ben, asking.code, wish, other), "a moment ago")
    refused(Conflict, lambda: suggestions.withdraw_suggestion(asking.cleo, asking.code, wish), "a moment ago")


def test_one_takes_back_ones_own_before_it_is_decided(asking: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    for who in (asking.ada, asking.ben):
        refused(NotAllowed, lambda who=who: suggestions.withdraw_suggestion(who, asking.code, wish))
    before = asking.room().seq
    suggestions.withdraw_suggestion(asking.cleo, asking.code, wish)
    suggestions.withdraw_suggestion(asking.cleo, asking.code, wish)
    assert asking.kinds(before) == ["suggestion_withdrawn"]
    refused(Conflict, lambda: decide_suggestion(asking.ada, asking.code, wish, "approve"), "taken back")


def test_guests_decide_nothing_and_unknown_ones_are_not_found(asking: Cast, cast: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    refused(NotAllowed, lambda: decide_suggestion(asking.cleo, asking.code, wish, "approve"))
    refused(NotAllowed, lambda: suggestions.approve_all_from(asking.cleo, asking.code, wish))
    refused(NotFound, lambda: decide_suggestion(asking.ada, asking.code, wish + 1, "approve"))
    refused(Invalid, lambda: decide_suggestion(asking.ada, asking.code, wish, "maybe"))
    refused(Invalid, lambda: decide_suggestion(asking.ada, asking.code, wish, "decline", "x" * 201))
    other = people.enter("Eve")[0]
    from party import rooms
    from party.change import Person

    theirs = rooms.open_room(Person(other), "Elsewhere", 60)
    refused(NotFound, lambda: decide_suggestion(Person(other), theirs, wish, "approve"))


def test_the_same_wish_twice_is_one_and_of_two_people_the_first_ones(asking: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    before = every_row()
    assert suggest_item(asking.cleo, asking.code, asking.tracks[5]) == wish
    assert every_row() == before
    people.join(asking.dan, asking.code)
    refused(Conflict, lambda: suggest_item(asking.dan, asking.code, asking.tracks[5]), "suggested already")
    refused(Conflict, lambda: suggest_item(asking.dan, asking.code, asking.tracks[1]), "already in line, 1st")


def test_what_came_onto_the_line_meanwhile_is_what_was_approved(asking: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    item = queue.add_item(asking.ada, asking.code, asking.tracks[5])
    before = asking.room().seq
    decide_suggestion(asking.ben, asking.code, wish, "approve")
    assert asking.kinds(before) == ["suggestion_approved"]
    assert Suggestion.get_by_id(wish).item_id == item


def test_an_approved_track_starts_a_room_that_is_quiet(cast: Cast, time) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    wish = suggest_item(cast.cleo, cast.code, cast.tracks[0])
    decide_suggestion(cast.ada, cast.code, wish, "approve")
    assert cast.kinds()[-3:] == ["item_added", "suggestion_approved", "item_started"]


def test_all_from_one_person_go_on_together_and_nobody_elses(asking: Cast) -> None:
    people.join(asking.dan, asking.code)
    wishes = [suggest_item(asking.cleo, asking.code, track) for track in asking.tracks[5:8]]
    dans = suggest_item(asking.dan, asking.code, asking.tracks[8])
    assert suggestions.approve_all_from(asking.ben, asking.code, wishes[1]) == 3
    assert [item.track.id for item in asking.seen().items[-3:]] == asking.tracks[5:8]
    assert [wish.id for wish in asking.seen().suggestions] == [dans]
    before = every_row()
    assert suggestions.approve_all_from(asking.ben, asking.code, wishes[1]) == 0
    assert every_row() == before


def test_of_all_from_one_person_what_may_not_go_on_stays(asking: Cast) -> None:
    wishes = [suggest_item(asking.cleo, asking.code, track) for track in asking.tracks[5:7]]
    Track.update(is_explicit=True).where(Track.id == asking.tracks[5]).execute()
    configuring.change_settings(asking.ada, asking.code, {"explicit": False})
    assert suggestions.approve_all_from(asking.ada, asking.code, wishes[0]) == 1
    assert [wish.id for wish in asking.seen().suggestions] == [wishes[0]]
    refused(NotAllowed, lambda: suggestions.approve_all_from(asking.ada, asking.code, wishes[0]), "explicit")


def test_the_banned_get_nothing_onto_the_line(asking: Cast, time) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    Ban.create(room=asking.room(), user=asking.cleo.user_id, banned_at=time.now_ms)
    refused(Conflict, lambda: decide_suggestion(asking.ada, asking.code, wish, "approve"), "banned")
    decide_suggestion(asking.ada, asking.code, wish, "decline")


def test_whoever_left_still_gets_their_track_on(asking: Cast) -> None:
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    people.leave(asking.cleo, asking.code)
    decide_suggestion(asking.ada, asking.code, wish, "approve")
    assert asking.seen().items[-1].by.name == "Cleo"


def test_one_person_cannot_bury_the_host(asking: Cast) -> None:
    for track in library(SUGGESTED_MOST, first=100):
        suggest_item(asking.cleo, asking.code, track)
    refused(TooMany, lambda: suggest_item(asking.cleo, asking.code, asking.tracks[7]), "wait for the host")


# --- how much, and what ----------------------------------------------------------------------------------------------


def limit(cast: Cast, **values: object) -> None:
    configuring.change_settings(cast.ada, cast.code, values)


def test_as_many_tracks_wait_per_person_as_the_room_says_and_the_sentence_names_the_first(
    cast: Cast, time
) -> None:
    cast.add(1)
    limit(cast, max_waiting=2)
    first, second = (queue.add_item(cast.cleo, cast.code, track) for track in cast.tracks[1:3])
    sentence = "Two at a time. Your next spot opens after Song 1."
    refused(TooMany, lambda: queue.add_item(cast.cleo, cast.code, cast.tracks[3]), sentence)
    queue.cast_vote(cast.ben, cast.code, second, 1)
    refused(TooMany, lambda: queue.add_item(cast.cleo, cast.code, cast.tracks[3]), "after Song 2.")
    playback.skip(cast.ada, cast.code)
    assert queue.add_item(cast.cleo, cast.code, cast.tracks[3])


def test_the_host_puts_on_as_many_as_they_like_and_a_cohost_does_not(cast: Cast, time) -> None:
    limit(cast, max_waiting=1)
    cast.add(4)
    queue.add_item(cast.ben, cast.code, cast.tracks[5])
    refused(TooMany, lambda: queue.add_item(cast.ben, cast.code, cast.tracks[6]), "One at a time")


def test_undoing_a_removal_is_no_way_round_the_limit(cast: Cast, time) -> None:
    cast.add(1)
    limit(cast, max_waiting=1)
    item = queue.add_item(cast.cleo, cast.code, cast.tracks[1])
    queue.remove_item(cast.cleo, cast.code, item)
    queue.add_item(cast.cleo, cast.code, cast.tracks[2])
    refused(TooMany, lambda: queue.restore_item(cast.cleo, cast.code, item))


def test_suggestions_count_as_waiting_but_the_hosts_word_goes_before(asking: Cast) -> None:
    limit(asking, max_waiting=2)
    wishes = [suggest_item(asking.cleo, asking.code, track) for track in asking.tracks[5:7]]
    refused(
        TooMany, lambda: suggest_item(asking.cleo, asking.code, asking.tracks[7]), "once the host has decided"
    )
    limit(asking, max_waiting=1)
    for wish in wishes:
        decide_suggestion(asking.ada, asking.code, wish, "approve")
    assert Item.select().where(Item.added_by == asking.members["cleo"], Item.state == "waiting").count() == 2


def test_guests_put_on_so_many_a_minute_and_are_told_how_long_to_wait(cast: Cast, time) -> None:
    cast.add(1)
    limit(cast, adds_per_minute=2)
    queue.add_item(cast.cleo, cast.code, cast.tracks[1])
    time.move(18)
    queue.remove_item(cast.cleo, cast.code, queue.add_item(cast.cleo, cast.code, cast.tracks[2]))
    refused(TooMany, lambda: queue.add_item(cast.cleo, cast.code, cast.tracks[3]), "another in 42 s")
    for track in cast.tracks[4:8]:
        queue.add_item(cast.ben, cast.code, track)
    time.move(41.9)
    refused(TooMany, lambda: queue.add_item(cast.cleo, cast.code, cast.tracks[3]), "another in 1 s")
    time.move(0.1)
    assert queue.add_item(cast.cleo, cast.code, cast.tracks[3])


def test_a_suggestion_that_was_let_on_counts_once(asking: Cast, time) -> None:
    limit(asking, adds_per_minute=2)
    wish = suggest_item(asking.cleo, asking.code, asking.tracks[5])
    decide_suggestion(asking.ada, asking.code, wish, "approve")
    assert suggest_item(asking.cleo, asking.code, asking.tracks[6])
    refused(TooMany, lambda: suggest_item(asking.cleo, asking.code, asking.tracks[7]), "60 s")


def test_explicit_tracks_stay_off_a_line_that_leaves_them_out(cast: Cast, time) -> None:
    Track.update(is_explicit=True).where(Track.id == cast.tracks[3]).execute()
    item = queue.add_item(cast.ben, cast.code, cast.tracks[0])
    queue.remove_item(cast.ben, cast.code, queue.add_item(cast.ben, cast.code, cast.tracks[3]))
    limit(cast, explicit=False)
    for who in (cast.ada, cast.cleo):
        refused(NotAllowed, lambda who=who: queue.add_item(who, cast.code, cast.tracks[3]), "explicit")
    removed = Item.get(Item.track == cast.tracks[3]).id
    refused(NotAllowed, lambda: queue.restore_item(cast.ben, cast.code, removed), "explicit")
    assert item


def test_hidden_tracks_are_not_there(cast: Cast) -> None:
    Track.update(is_hidden=True).where(Track.id == cast.tracks[3]).execute()
    refused(NotFound, lambda: queue.add_item(cast.ada, cast.code, cast.tracks[3]))
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    refused(NotFound, lambda: suggest_item(cast.cleo, cast.code, cast.tracks[3]))


def test_the_host_lets_on_and_brings_back_what_only_the_guest_could_find(cast: Cast) -> None:
    cast.add(1)
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    brought = Track.get_by_id(cast.tracks[5])
    Track.update(is_listed=False, provider="upload").where(Track.id == brought.id).execute()
    brought = Track.get_by_id(brought.id)
    shelf.bring(brought, None, cast.cleo.user_id, 1)
    with pytest.raises(NotFound):
        queue.add_item(cast.ada, cast.code, brought.id)
    wish = suggestions.suggest_item(cast.cleo, cast.code, brought.id)
    suggestions.decide_suggestion(cast.ada, cast.code, wish, "approve")
    [item] = cast.line()
    queue.remove_item(cast.ada, cast.code, item)
    queue.restore_item(cast.ada, cast.code, item)
    assert cast.line() == [item]
