"""The auditor: a busy room has nothing to find, and every promise broken by hand is found, and only that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import models
from models import (
    Ban,
    Event,
    Invite,
    Item,
    Knock,
    Member,
    Message,
    Outcome,
    Play,
    Playback,
    Presence,
    Room,
    SkipVote,
    Suggestion,
    Vote,
)
from party import auditor, configuring, hosting, moderation, people, playback, queue, skipping, suggestions
from party.change import Person
from tests.ledger import every_row
from tests.stage import SONG_MS, Cast

PROCESS = "a web process"
NOW = 1_800_000_000_000


def log(cast: Cast, kind: str, actor: int | None = None, **data: Any) -> None:
    """A row of the log that no command wrote."""
    room = cast.room()
    Event.insert(room=room, seq=room.seq + 1, kind=kind, actor=actor, data=data, at=NOW).execute()
    Room.update(seq=Room.seq + 1).where(Room.id == room.id).execute()


@pytest.fixture
def busy(cast: Cast, time) -> Cast:
    """A room where nearly everything happened."""
    for person in (cast.ada, cast.ben, cast.cleo):
        people.screen_opened(people.join(person, cast.code), PROCESS)
        hosting.screen_arrived(person, cast.code)
    items = cast.add(5) + cast.add(2, by=cast.cleo)
    queue.cast_vote(cast.cleo, cast.code, items[3], 1)
    queue.cast_vote(cast.ben, cast.code, items[3], -1)
    queue.cast_vote(cast.ben, cast.code, items[4], 1)
    queue.withdraw_vote(cast.ben, cast.code, items[4])
    queue.move_item(cast.ada, cast.code, items[6], None)
    queue.remove_item(cast.ada, cast.code, items[2])
    queue.remove_item(cast.ada, cast.code, items[1])
    queue.restore_item(cast.ada, cast.code, items[1])
    time.move(20)
    skipping.vote_skip(cast.cleo, cast.code, cast.room().playback.get().play_id)
    playback.skip(cast.ada, cast.code)
    time.move(SONG_MS / 1000 + 1)
    playback.advance(cast.code, cast.room().playback.get().play_id)
    queue.change_mode(cast.ada, cast.code, "hand")
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    moderation.readmit(cast.ada, cast.code, cast.members["cleo"])
    people.join(cast.dan, cast.code)
    dan = Member.get(Member.user == cast.dan.user_id)
    ban = moderation.ban(cast.ada, cast.code, dan.id, "noise")
    moderation.lift_ban(cast.ada, cast.code, ban)
    people.join(cast.dan, cast.code)
    people.leave(cast.dan, cast.code)
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    suggestions.suggest_item(cast.cleo, cast.code, cast.tracks[9])
    wish = suggestions.suggest_item(cast.cleo, cast.code, cast.tracks[10])
    suggestions.decide_suggestion(cast.ada, cast.code, wish, "approve")
    time.move(1)
    for name in ("ada", "ben", "cleo"):
        people.screen_opened(cast.members[name], PROCESS)
    return cast


def found(cast: Cast) -> list[tuple[str, str]]:
    return [(each.invariant, each.sentence) for each in auditor.audit_all()]


def numbers(cast: Cast) -> set[str]:
    return {each.invariant for each in auditor.audit_room(cast.code)}


def test_a_busy_room_has_nothing_to_find(busy: Cast) -> None:
    assert found(busy) == []


def test_neither_has_a_room_in_grace_or_at_its_end(busy: Cast, time) -> None:
    people.screens_closed(busy.members["ada"], PROCESS)
    people.screens_closed(busy.members["ben"], PROCESS)
    hosting.screens_gone(busy.ada, busy.code)
    time.move(6)
    hosting.keep_promises(busy.code)
    assert busy.room().state == "GRACE" and found(busy) == []
    time.move(301)
    hosting.keep_promises(busy.code)
    assert busy.room().state == "EXPIRED" and found(busy) == []


def test_neither_has_a_room_whose_host_handed_over(busy: Cast) -> None:
    hosting.offer_host(busy.ada, busy.code, busy.members["ben"])
    hosting.answer_offer(busy.ben, busy.code, True)
    assert busy.room().fence == 2 and found(busy) == []


def test_neither_has_a_room_that_was_started_again(busy: Cast) -> None:
    from party import restart

    hosting.end_room(busy.ada, busy.code)
    code = restart.start_again(busy.ada, busy.code)
    assert [each for each in auditor.audit_all() if each.room == code] == []
    Room.delete().where(Room.code == busy.code).execute()
    assert found(busy) == []


@pytest.mark.parametrize("left", ["nothing", "what waited from the first"])
def test_neither_has_one_whose_first_room_is_gone_whatever_waited_there(cast: Cast, time, left: str) -> None:
    from party import restart

    items = cast.add(4)
    playback.skip(cast.ada, cast.code)
    playback.skip(cast.ada, cast.code)
    if left == "nothing":
        queue.remove_item(cast.ada, cast.code, items[3])
    hosting.end_room(cast.ada, cast.code)
    code = restart.start_again(cast.ada, cast.code)
    Room.delete().where(Room.code == cast.code).execute()
    assert (Room.get(Room.code == code).advance, found(cast)) == (3, [])
    queue.add_item(cast.ada, code, cast.tracks[9])
    assert Play.select().count() == 1 and found(cast) == []
    Room.update(advance=Room.advance + 1).where(Room.code == code).execute()
    assert [number for number, _ in found(cast)] == ["I11"]


def test_looking_changes_nothing(busy: Cast) -> None:
    before = every_row()
    auditor.audit_all()
    assert every_row() == before


def test_a_room_of_that_code_is_not_needed(cast: Cast) -> None:
    assert auditor.audit_room("ABCDEFGH") == []


def waiting(cast: Cast) -> Item:
    return Item.get(Item.id == cast.line()[0])


def other_room(cast: Cast) -> int:
    """Somebody's seat in another room."""
    from party import rooms

    code = rooms.open_room(cast.dan, "Elsewhere", 300)
    return int(people.join(cast.dan, code))


def drop_index(name: str) -> None:
    if not models.is_sqlite():
        pytest.skip("PostgreSQL keeps one schema for all tests")
    models.database.obj.execute_sql(f'DROP INDEX "{name}"')


def skip_number(cast: Cast) -> None:
    Event.update(seq=Event.seq + 1).where(Event.room == cast.room(), Event.seq == cast.room().seq).execute()


def lose_number(cast: Cast) -> None:
    Room.update(seq=Room.seq + 1).where(Room.code == cast.code).execute()


def forge_vote(cast: Cast) -> None:
    Vote.insert(item=waiting(cast), member=cast.members["ada"], value=1, cast_at=NOW).execute()


def lose_vote(cast: Cast) -> None:
    Vote.delete().execute()


def turn_vote(cast: Cast) -> None:
    Vote.update(value=0 - Vote.value).execute()


def leave_silently(cast: Cast) -> None:
    Member.update(left_at=NOW).where(Member.id == cast.members["cleo"]).execute()


def rise_silently(cast: Cast) -> None:
    hosting.name_cohost(cast.ada, cast.code, cast.members["cleo"])
    Member.update(role="guest").where(Member.id == cast.members["cleo"]).execute()


def remove_silently(cast: Cast) -> None:
    Item.update(state="removed").where(Item.id == waiting(cast).id).execute()


def add_silently(cast: Cast) -> None:
    room = cast.room()
    Item.insert(
        room=room,
        track=cast.tracks[11],
        added_by=cast.members["ada"],
        position="zz" + "a" * 25,
        added_seq=room.seq,
        added_at_advance=room.advance,
        guard_limit=12,
        added_at=NOW,
    ).execute()


def decide_silently(cast: Cast) -> None:
    Suggestion.update(state="approved", decided_at=NOW).where(Suggestion.state == "waiting").execute()


def speak_silently(cast: Cast) -> None:
    Message.insert(room=cast.room(), member=cast.members["ada"], text="hello", said_at=NOW).execute()


def change_mode_silently(cast: Cast) -> None:
    Room.update(mode="charts").where(Room.code == cast.code).execute()


def lift_silently(cast: Cast) -> None:
    dan = people.join(cast.dan, cast.code)
    ban = moderation.ban(cast.ada, cast.code, dan)
    Ban.update(lifted_at=NOW).where(Ban.id == ban).execute()


def stop_silently(cast: Cast) -> None:
    Playback.update(item=None, state="idle").execute()


def play_two(cast: Cast) -> None:
    drop_index("item_one_playing")
    log(cast, "item_started", item_id=waiting(cast).id, play_id=99)
    Item.update(state="playing").where(Item.id == waiting(cast).id).execute()


def vote_from_elsewhere(cast: Cast) -> None:
    Vote.insert(item=waiting(cast), member=other_room(cast), value=1, cast_at=NOW).execute()


def vote_twice(cast: Cast) -> None:
    table = Vote._meta.table_name
    for row in models.database.obj.get_indexes(table):
        if row.unique and set(row.columns) == {"item_id", "member_id"}:
            drop_index(row.name)
    vote = Vote.select().where(Vote.value == 1).first()
    Vote.insert(item=vote.item_id, member=vote.member_id, value=1, cast_at=NOW).execute()


def skip_from_elsewhere(cast: Cast) -> None:
    SkipVote.insert(play=Play.select().first(), member=other_room(cast), cast_at=NOW).execute()


def same_place(cast: Cast) -> None:
    drop_index("item_position")
    first, second, *_ = cast.line()
    place = Item.get_by_id(first).position
    Item.update(position=place).where(Item.id == second).execute()


def no_place(cast: Cast) -> None:
    Item.update(position="~7").where(Item.id == waiting(cast).id).execute()


def lock_what_plays(cast: Cast) -> None:
    Playback.update(locked_item=Playback.get().item_id).execute()


def two_hosts(cast: Cast) -> None:
    drop_index("member_one_host")
    Member.update(role="host").where(Member.id == cast.members["ben"]).execute()


def no_host(cast: Cast) -> None:
    Member.update(role="cohost").where(Member.id == cast.members["ada"]).execute()


def another_host(cast: Cast) -> None:
    no_host(cast)
    Member.update(role="host").where(Member.id == cast.members["ben"]).execute()


def low_fence(cast: Cast) -> None:
    hosting.offer_host(cast.ada, cast.code, cast.members["ben"])
    hosting.answer_offer(cast.ben, cast.code, True)
    Room.update(fence=1).where(Room.code == cast.code).execute()


def act_after_the_end(cast: Cast) -> None:
    hosting.end_room(cast.ada, cast.code)
    log(cast, "playback_changed", None, action="play", position_ms=0)


def add_after_the_end(cast: Cast) -> None:
    hosting.end_room(cast.ada, cast.code)
    Item.update(added_at=NOW * 2).where(Item.state == "waiting").execute()


def wrong_edge(cast: Cast) -> None:
    log(cast, "host_returned", cast.members["ada"])


def end_without_date(cast: Cast) -> None:
    hosting.end_room(cast.ada, cast.code)
    Room.update(expired_at=None).where(Room.code == cast.code).execute()


def start_twice(cast: Cast) -> None:
    play = Play.select().where(Play.ended_at.is_null()).get()
    log(cast, "item_started", item_id=play.item_id, play_id=play.id)


def end_twice(cast: Cast) -> None:
    play = Play.select().where(Play.ended_at.is_null(False)).first()
    log(cast, "item_ended", item_id=play.item_id, play_id=play.id, reason="finished")


def extra_advance(cast: Cast) -> None:
    Room.update(advance=Room.advance + 1).where(Room.code == cast.code).execute()


def forget_open_play(cast: Cast) -> None:
    Playback.update(play=None).execute()


def knock(cast: Cast, **facts: Any) -> int:
    values = {"state": "waiting", "asked_at": NOW, "deadline_at": NOW + 60_000} | facts
    made = Knock.insert(room=cast.room(), user=cast.dan.user_id, **values).execute()
    log(cast, "knock_made", None, knock_id=made)
    return int(made)


def decide_twice(cast: Cast) -> None:
    made = knock(cast, state="approved", decided_at=NOW + 1)
    log(cast, "knock_declined", None, knock_id=made)
    log(cast, "knock_approved", None, knock_id=made)


def decide_late(cast: Cast) -> None:
    log(cast, "knock_approved", None, knock_id=knock(cast, state="approved", decided_at=NOW + 60_001))


def approve_banned(cast: Cast) -> None:
    dan = people.join(cast.dan, cast.code)
    ban = moderation.ban(cast.ada, cast.code, dan)
    at = Ban.get_by_id(ban).banned_at + 5
    made = knock(cast, state="approved", decided_at=at, asked_at=at, deadline_at=at + 9)
    log(cast, "knock_approved", None, knock_id=made)


def half_decided(cast: Cast) -> None:
    log(cast, "knock_approved", None, knock_id=knock(cast, state="approved"))


def act_after_being_sent_out(cast: Cast) -> None:
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    log(cast, "playback_changed", cast.members["cleo"], action="play", position_ms=0)


def come_back_though_banned(cast: Cast) -> None:
    dan = people.join(cast.dan, cast.code)
    moderation.ban(cast.ada, cast.code, dan)
    Member.update(left_at=None).where(Member.id == dan).execute()
    log(cast, "person_joined", dan, member_id=dan)


def watch_though_banned(cast: Cast) -> None:
    dan = people.join(cast.dan, cast.code)
    ban = moderation.ban(cast.ada, cast.code, dan)
    seen = Ban.get_by_id(ban).banned_at + 60_000
    Presence.insert(member=dan, process=PROCESS, seen_at=seen, since_at=seen).execute()


def password_nobody_asks_for(cast: Cast) -> None:
    Room.update(password_hash="a hash").where(Room.code == cast.code).execute()


def crowded_invitation(cast: Cast) -> None:
    Invite.insert(
        room=cast.room(), token_hash="x", quota=2, used=3, made_at=NOW, expires_at=NOW * 2
    ).execute()


def lose_item(cast: Cast) -> None:
    Item.delete().where(Item.state == "removed").execute()


def lose_suggestion(cast: Cast) -> None:
    Suggestion.delete().where(Suggestion.state == "waiting").execute()


def lose_message(cast: Cast) -> None:
    for text in ("one", "two"):
        made = Message.insert(room=cast.room(), member=cast.members["ada"], text=text, said_at=NOW).execute()
        log(cast, "message_sent", cast.members["ada"], message_id=made)
    Message.delete().where(Message.text == "two").execute()


def answer_twice(cast: Cast) -> None:
    for row in models.database.obj.get_indexes(Outcome._meta.table_name):
        if row.unique and set(row.columns) == {"user_id", "key"}:
            drop_index(row.name)
    for _ in range(2):
        Outcome.insert(user=cast.ada.user_id, key="k", answer=1, at=NOW).execute()


def point_elsewhere(cast: Cast) -> None:
    Item.update(removed_by=other_room(cast)).where(Item.state == "removed").execute()


def say_elsewhere(cast: Cast) -> None:
    Suggestion.update(member=other_room(cast)).where(Suggestion.state == "waiting").execute()


def act_elsewhere(cast: Cast) -> None:
    Event.update(actor=other_room(cast)).where(
        Event.room == cast.room(), Event.kind == "item_moved"
    ).execute()


BREAKS: dict[str, list[Callable[[Cast], None]]] = {
    "I1": [skip_number, lose_number],
    "I2": [
        forge_vote,
        lose_vote,
        turn_vote,
        leave_silently,
        rise_silently,
        remove_silently,
        add_silently,
        decide_silently,
        speak_silently,
        change_mode_silently,
        lift_silently,
    ],
    "I6": [stop_silently, play_two],
    "I7": [vote_from_elsewhere, vote_twice, skip_from_elsewhere],
    "I8": [same_place, no_place, lock_what_plays],
    "I9": [two_hosts, no_host, another_host, low_fence],
    "I10": [act_after_the_end, add_after_the_end, wrong_edge, end_without_date],
    "I11": [start_twice, end_twice, extra_advance, forget_open_play],
    "I12": [decide_twice, decide_late, approve_banned, half_decided],
    "I13": [act_after_being_sent_out, come_back_though_banned, watch_though_banned],
    "I14": [password_nobody_asks_for, crowded_invitation],
    "I15": [lose_item, lose_suggestion, lose_message],
    "I16": [answer_twice],
    "keys": [point_elsewhere, say_elsewhere, act_elsewhere],
}
# What cannot be broken alone: a second track on needs a play that is not there, and so on.
ALSO = {
    "play_two": {"I15"},
    "stop_silently": set(),
    "wrong_edge": set(),
    "lock_what_plays": set(),
    "end_without_date": set(),
}


@pytest.mark.parametrize(
    ("invariant", "act"),
    [pytest.param(name, act, id=f"{name}-{act.__name__}") for name, acts in BREAKS.items() for act in acts],
)
def test_what_is_broken_is_found_and_nothing_else(busy: Cast, invariant: str, act) -> None:
    act(busy)
    seen = numbers(busy) | {each.invariant for each in auditor.audit_all() if not each.room}
    assert invariant in seen
    assert seen - {invariant} <= ALSO.get(act.__name__, set()), found(busy)


def test_a_room_brought_back_to_life_is_found(busy: Cast) -> None:
    if not models.is_sqlite():
        pytest.skip("PostgreSQL keeps one schema for all tests")
    models.database.obj.execute_sql("DROP TRIGGER room_stays_expired")
    hosting.end_room(busy.ada, busy.code)
    Room.update(state="LIVE", expired_at=None).where(Room.code == busy.code).execute()
    assert ("I2", "the room is LIVE, the log says EXPIRED") in found(busy)


def test_a_row_that_points_at_nothing_is_found(busy: Cast) -> None:
    if not models.is_sqlite():
        pytest.skip("PostgreSQL lets no row point at nothing")
    models.database.obj.execute_sql("PRAGMA foreign_keys = OFF")
    Message.insert(room=77, member=77, text="", said_at=NOW).execute()
    models.database.obj.execute_sql("PRAGMA foreign_keys = ON")
    assert {each.invariant for each in auditor.audit_all()} == {"keys"}


def test_a_large_room_takes_no_more_queries_than_a_small_one(busy: Cast, monkeypatch) -> None:
    def queries() -> int:
        asked: list[str] = []
        real = models.database.obj.execute_sql
        with monkeypatch.context() as patch:
            patch.setattr(
                models.database.obj,
                "execute_sql",
                lambda sql, *a, **k: asked.append(sql) or real(sql, *a, **k),
            )
            auditor.audit_room(busy.code)
        return len(asked)

    before = queries()
    for number in range(30):
        queue.cast_vote(busy.ada, busy.code, busy.line()[number % 3], 1 if number % 2 else -1)
        person = Person(people.enter(f"Guest {number}")[0])
        people.join(person, busy.code)
    assert queries() == before
