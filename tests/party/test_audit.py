"""The site's log and a room's: what is written, who may read it, and what can be undone from it."""

from __future__ import annotations

import inspect
import re

import pytest

from models import Item, Member, Room, SiteEvent
from party import audit, configuring, events, hosting, moderation, people, queue, roomlog, rooms, undoing
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over
from tests.ledger import every_row
from tests.stage import Cast


def entries(cast: Cast, who: Person | None = None, **wanted) -> list[roomlog.Entry]:
    return list(roomlog.read(who or cast.ada, cast.code, **wanted).entries)


def entry(cast: Cast, kind: str) -> roomlog.Entry:
    return next(each for each in entries(cast) if each.kind == kind)


# --- the site's log --------------------------------------------------------------------------------------------------


def test_every_kind_of_the_sites_log_has_a_sentence() -> None:
    assert audit.KINDS.keys() == audit.SENTENCES.keys()
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", kind) for kind in audit.KINDS)


def test_a_row_holds_exactly_its_kinds_fields(cast: Cast) -> None:
    with pytest.raises(ValueError, match="takes"):
        audit.note(None, "room_ended")
    with pytest.raises(ValueError, match="takes"):
        audit.note(None, "signed_in", email="ada@example.org")
    audit.note(cast.ada.user_id, "signed_in")
    row = SiteEvent.get()
    assert (row.kind, row.actor_id, row.data) == ("signed_in", cast.ada.user_id, {})


def test_the_sites_log_names_who_and_what(cast: Cast, time) -> None:
    audit.note(None, "room_ended", room_id=cast.room().id)
    audit.note(cast.ada.user_id, "person_banned", user_id=cast.dan.user_id, until=None)
    audit.note(None, "sign_in_failed", user_id=None)
    audit.note(None, "account_deleted", user_id=999)
    found, has_more = audit.entries("", None, 1)
    assert [(each.who, each.words, each.about) for each in found] == [
        ("", "An account was deleted", "number 999"),
        ("", "Somebody could not sign in", ""),
        ("Ada", "banned a person", "Dan"),
        (audit.OPERATOR, "ended a room", "Friday"),
    ]
    assert not has_more and found[0].at == time.now_ms


def test_the_sites_log_is_read_by_kind_person_and_page(cast: Cast) -> None:
    for _ in range(audit.PAGE + 1):
        audit.note(cast.ada.user_id, "signed_in")
    audit.note(cast.ben.user_id, "sessions_ended", user_id=cast.ada.user_id, sessions=2)
    audit.note(cast.ben.user_id, "sessions_ended", user_id=100 + cast.ada.user_id, sessions=2)
    first, has_more = audit.entries("signed_in", None, 1)
    assert len(first) == audit.PAGE and has_more
    second, has_more = audit.entries("signed_in", None, 2)
    assert len(second) == 1 and not has_more
    assert audit.entries("", cast.ada.user_id, 1)[0][0].kind == "sessions_ended"
    assert [each.kind for each in audit.entries("", cast.ben.user_id, 1)[0]] == ["sessions_ended"] * 2
    assert audit.entries("sessions_ended", cast.ada.user_id, 1)[0][0].about == "Ada, 2"


# --- a room's log ----------------------------------------------------------------------------------------------------


def test_every_kind_of_entry_belongs_to_one_group() -> None:
    for kind in events.KINDS:
        groups = [name for name, starts in roomlog.GROUPS.items() if kind.startswith(starts)]
        assert len(groups) == 1, kind
    assert roomlog.UNDO.keys() <= events.KINDS.keys()


def test_an_entry_says_who_did_what_to_what(cast: Cast, time) -> None:
    first, second = cast.add(1), cast.add(1, by=cast.cleo)
    queue.cast_vote(cast.ben, cast.code, second[0], -1)
    moderation.kick(cast.ben, cast.code, cast.members["cleo"])
    newest, vote, added = (entry(cast, kind) for kind in ("person_removed", "vote_cast", "item_added"))
    assert (newest.who, newest.words, newest.about) == ("Ben", "sent somebody out", "Cleo")
    assert (vote.who, vote.words, vote.about, vote.detail) == ("Ben", "voted", "Song 1", "down")
    assert (added.who, added.about) == ("Cleo", "Song 1") and newest.at == time.now_ms
    assert entry(cast, "item_started").who == "" and first


def test_every_kind_can_be_told(cast: Cast) -> None:
    from models import Event

    room, seq = cast.room(), cast.room().seq
    facts = {"names": ["vote"], "before": {"vote": "all"}, "value": 1, "reason": "finished", "mode": "hand"}
    for number, (kind, fields) in enumerate(events.KINDS.items(), 1):
        data = {name: facts.get(name, 12_345) for name in fields}
        Event.insert(room=room, seq=seq + number, kind=kind, actor=None, data=data, at=1).execute()
    told = [*entries(cast), *entries(cast, before=roomlog.read(cast.ada, cast.code).before)]
    assert {each.kind for each in told} == set(events.KINDS)
    assert not [each for each in told if "{" in each.words + each.who + each.about + each.detail]


def test_the_log_is_for_host_and_cohosts(cast: Cast) -> None:
    cast.add(1)
    assert entries(cast, cast.ada) == entries(cast, cast.ben)
    with pytest.raises(NotAllowed):
        entries(cast, cast.cleo)
    with pytest.raises(NotAllowed):
        entries(cast, cast.dan)
    Room.update(visibility="private").execute()
    with pytest.raises(NotFound):
        entries(cast, cast.dan)
    with pytest.raises(NotFound):
        roomlog.read(cast.ada, "ABCDEFGH")
    with pytest.raises(Invalid):
        entries(cast, kind="nonsense")


def test_the_log_is_filtered_by_person_and_kind(cast: Cast) -> None:
    item = cast.add(2, by=cast.cleo)[1]
    queue.cast_vote(cast.ben, cast.code, item, 1)
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    about = [each.kind for each in entries(cast, person=cast.members["cleo"])]
    assert about == ["person_removed", "item_added", "item_started", "item_added", "person_joined"]
    assert [each.kind for each in entries(cast, person=cast.members["ben"], kind="votes")] == ["vote_cast"]
    assert {each.kind for each in entries(cast, kind="line")} == {"item_added", "item_started"}


def test_the_log_is_read_in_pages_that_neither_overlap_nor_leave_gaps(cast: Cast) -> None:
    item = cast.add(2)[1]
    for number in range(roomlog.PAGE + 20):
        queue.cast_vote(cast.ben, cast.code, item, -1 if number % 2 else 1)
    first = roomlog.read(cast.ada, cast.code)
    second = roomlog.read(cast.ada, cast.code, before=first.before)
    numbers = [each.seq for each in (*first.entries, *second.entries)]
    assert numbers == list(range(cast.room().seq, 0, -1)) and second.before is None
    assert first.total == second.total == cast.room().seq


def test_a_page_of_many_entries_takes_few_queries(cast: Cast, monkeypatch) -> None:
    from models import database

    def queries() -> int:
        asked: list[str] = []
        real = database.obj.execute_sql
        with monkeypatch.context() as patch:
            patch.setattr(
                database.obj, "execute_sql", lambda sql, *a, **k: asked.append(sql) or real(sql, *a, **k)
            )
            entries(cast)
        return len(asked)

    items = cast.add(3)
    before = queries()
    cast.add(5)
    for item in items[1:]:
        queue.cast_vote(cast.ben, cast.code, item, 1)
    assert queries() == before
    sent_out = []
    for count in (1, 20):
        for number in range(count):
            person = Person(people.enter(f"Troll {count} {number}")[0])
            moderation.kick(cast.ben, cast.code, people.join(person, cast.code))
        sent_out.append(queries())
    assert sent_out[0] == sent_out[1]


# --- undoing ---------------------------------------------------------------------------------------------------------


def test_a_leader_puts_a_removed_track_back_however_late(cast: Cast, time) -> None:
    items = cast.add(3)
    queue.remove_item(cast.ada, cast.code, items[1])
    time.move(200)
    row = entry(cast, "item_removed")
    assert row.undo == "Put it back"
    undoing.undo(cast.ben, cast.code, row.seq)
    assert Item.get_by_id(items[1]).state == "waiting" and items[1] in cast.line()
    assert cast.kinds()[-1] == "item_restored" and entry(cast, "item_removed").undo == ""
    before = every_row()
    undoing.undo(cast.ben, cast.code, row.seq)
    assert every_row() == before


def test_a_place_that_was_taken_meanwhile_is_not_taken_again(cast: Cast) -> None:
    items = cast.add(4)
    queue.change_mode(cast.ada, cast.code, "hand")
    place = Item.get_by_id(items[3]).position
    queue.remove_item(cast.ada, cast.code, items[3])
    Item.update(position=place).where(Item.id == items[2]).execute()
    undoing.put_back(cast.ada, cast.code, items[3])
    assert cast.line()[-1] == items[3]


def test_what_played_or_waits_anew_is_not_put_back(cast: Cast) -> None:
    items = cast.add(3)
    queue.remove_item(cast.ada, cast.code, items[1])
    queue.add_item(cast.cleo, cast.code, Item.get_by_id(items[1]).track_id)
    before = every_row()
    with pytest.raises(Conflict):
        undoing.put_back(cast.ada, cast.code, items[1])
    with pytest.raises(Conflict):
        undoing.put_back(cast.ada, cast.code, items[0])
    with pytest.raises(NotFound):
        undoing.put_back(cast.ada, cast.code, 999)
    assert every_row() == before


def test_nobody_else_undoes_anything(cast: Cast) -> None:
    items = cast.add(3)
    queue.remove_item(cast.ada, cast.code, items[1])
    configuring.change_settings(cast.ada, cast.code, {"take_off": "host"})
    removed, changed = entry(cast, "item_removed").seq, entry(cast, "settings_changed").seq
    assert [each.undo for each in entries(cast, cast.ben) if each.undo] == []
    before = every_row()
    for who in (cast.ben, cast.cleo, cast.dan):
        for seq in (removed, changed):
            with pytest.raises(NotAllowed):
                undoing.undo(who, cast.code, seq)
        with pytest.raises(NotAllowed):
            undoing.put_back(who, cast.code, items[1])
    assert every_row() == before


def test_somebody_sent_out_is_let_back_in(cast: Cast) -> None:
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    row = entry(cast, "person_removed")
    assert row.undo == "Let them back in"
    undoing.undo(cast.ben, cast.code, row.seq)
    assert Member.get_by_id(cast.members["cleo"]).left_at is None
    newest = entries(cast)[0]
    assert (newest.kind, newest.who, newest.about) == ("person_readmitted", "Ben", "Cleo")
    assert entry(cast, "person_removed").undo == ""


def test_somebody_who_left_again_by_themselves_is_not_fetched(cast: Cast, time) -> None:
    moderation.kick(cast.ada, cast.code, cast.members["cleo"])
    time.move(1)
    people.join(cast.cleo, cast.code)
    people.leave(cast.cleo, cast.code)
    row = entry(cast, "person_removed")
    assert row.undo == ""
    before = every_row()
    with pytest.raises(Conflict):
        undoing.undo(cast.ada, cast.code, row.seq)
    assert every_row() == before


def test_a_ban_is_lifted_from_the_log(cast: Cast) -> None:
    moderation.ban(cast.ada, cast.code, cast.members["cleo"], "Too loud")
    row = entry(cast, "person_banned")
    assert (row.about, row.detail, row.undo) == ("Cleo", "Too loud", "Lift the ban")
    undoing.undo(cast.ada, cast.code, row.seq)
    assert entries(cast)[0].kind == "ban_lifted" and entry(cast, "person_banned").undo == ""


def test_settings_are_set_back_to_what_they_were(cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"vote": "host", "max_waiting": 3})
    row = entry(cast, "settings_changed")
    assert row.detail == "max waiting, vote" and row.undo == "Set it back"
    undoing.undo(cast.ada, cast.code, row.seq)
    assert cast.room().settings == {}
    # What undid it can be undone in its turn.
    assert [each.undo for each in entries(cast, kind="room")][:2] == ["Set it back", ""]


def test_a_new_name_cannot_be_set_back_since_names_are_not_kept(cast: Cast) -> None:
    configuring.rename_room(cast.ada, cast.code, "Saturday")
    row = entry(cast, "settings_changed")
    assert row.undo == "" and "Friday" not in str(row)
    with pytest.raises(Conflict):
        undoing.undo(cast.ada, cast.code, row.seq)


def test_entries_that_are_not_there_or_cannot_be_undone(cast: Cast) -> None:
    cast.add(1)
    other = rooms.open_room(cast.dan, "Elsewhere", 300)
    for seq in (entry(cast, "item_added").seq, 99_999):
        with pytest.raises(NotFound):
            undoing.undo(cast.ada, cast.code, seq)
    with pytest.raises(NotAllowed):
        undoing.undo(cast.ada, other, 1)


def test_an_ended_room_keeps_its_log_and_undoes_nothing(cast: Cast) -> None:
    items = cast.add(2)
    queue.remove_item(cast.ada, cast.code, items[1])
    seq = entry(cast, "item_removed").seq
    hosting.end_room(cast.ada, cast.code)
    assert roomlog.read(cast.ada, cast.code).is_over
    assert [each.undo for each in entries(cast) if each.undo] == []
    before = every_row()
    with pytest.raises(Over):
        undoing.undo(cast.ada, cast.code, seq)
    assert every_row() == before


def test_the_commands_are_in_the_table_of_scenes() -> None:
    from tests.scenes import audit as scenes

    for name, command in inspect.getmembers(undoing, inspect.isfunction):
        if command.__module__ == undoing.__name__ and ".log(" in inspect.getsource(command):
            assert any(name in title for title in scenes.COMMANDS), name
