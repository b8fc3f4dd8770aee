"""One's own data: all of it taken along, and all of it gone, while other people's history stands."""

from __future__ import annotations

import json

import pytest

from models import (
    TABLES,
    Holding,
    Item,
    Link,
    Member,
    Message,
    Playlist,
    PlaylistEntry,
    Presence,
    Progress,
    Reaction,
    RecoveryCode,
    Room,
    Search,
    Session,
    Source,
    Subtitle,
    SubtitleChoice,
    Track,
    Upload,
    User,
    Vote,
)
from party import (
    accounts,
    auditor,
    entry,
    knocks,
    people,
    personal,
    playlists,
    progress,
    queue,
    rooms,
    searching,
    secondfactor,
    sources,
    subtitles,
    uploads,
)
from party.change import Person
from party.credentials import WrongPassword
from party.errors import NotKnown
from tests.accounts import HOME, PASSWORD, make_account, seen_as
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast


@pytest.fixture
def eve(cast: Cast) -> Person:
    """An account that did a little of everything in Ada's room."""
    person = make_account("eve@example.org", "Eve Canary")
    seat = people.join(person, cast.code)
    [first, mine] = [*cast.add(1), *cast.add(1, by=person)]
    queue.cast_vote(person, cast.code, mine, 1)
    message = Message.create(room=cast.room(), member=seat, text="canary words", said_at=1)
    Reaction.create(message=message, member=seat, emoji="👍")
    people.screen_opened(seat, "web-1")
    seen_as(person, "Firefox on Linux")
    secondfactor.begin(person, PASSWORD)
    accounts.make_reset_link("eve@example.org")
    assert first
    return person


def test_everything_of_a_person_is_taken_along_and_nothing_that_opens_anything(
    cast: Cast, eve: Person
) -> None:
    before = every_row()
    taken = json.loads(json.dumps(personal.export(eve)))
    assert taken["account"]["email"] == "eve@example.org" and taken["account"]["name"] == "Eve Canary"
    assert [room["name"] for room in taken["rooms"]] == ["Friday"]
    assert len(taken["tracks_put_on"]) == len(taken["votes"]) == len(taken["reactions"]) == 1
    assert [message["text"] for message in taken["messages"]] == ["canary words"]
    assert "Firefox on Linux" in [session["device"] for session in taken["sessions"]]
    user, text = User.get_by_id(eve.user_id), json.dumps(taken)
    for secret in (user.password_hash, user.totp_secret, *(row.token_hash for row in Session.select())):
        assert secret not in text
    assert every_row() == before
    assert personal.export(cast.cleo)["account"]["email"] is None
    with pytest.raises(NotKnown):
        personal.export(Person(999))


def test_a_deleted_account_leaves_no_word_and_other_peoples_history_stands(cast: Cast, eve: Person) -> None:
    before, line = cast.room().seq, cast.line()
    personal.delete(eve, PASSWORD)
    kept = str(every_row())
    for canary in ("eve@example.org", "Eve Canary", "canary words", "Firefox on Linux", "$argon2id$"):
        assert canary not in kept, canary
    for table in (RecoveryCode, Link, Presence, Reaction):
        assert not table.select().exists(), table.__name__
    assert not Session.select().where(Session.user == eve.user_id).exists()
    assert cast.line() == line and Vote.select().count() == 1
    assert cast.seen().items[0].by.name == personal.NOBODY
    assert cast.kinds(before) == ["person_renamed", "person_left", "role_changed"]
    assert Member.get(Member.user == eve.user_id).left_at is not None
    assert accounts.sign_up("eve@example.org", PASSWORD, HOME, "Eve again") is None
    assert accounts.sign_in("eve@example.org", PASSWORD, HOME).token


@pytest.fixture
def brought(cast: Cast, eve: Person) -> Track:
    """A film that Eve brought, and one of everything else that people keep."""
    Room.update(state="LIVE").execute()
    film = Track.create(
        slug="upload-canary", title="Canary film", artist="Eve", media_file="uploads/canary.mp4", cover_file="",
        search="canary film eve", added_at=1, provider="upload", is_video=True, size_bytes=700, duration_ms=9_000,
    )  # fmt: skip
    Holding.create(track=film, room=cast.room(), user=eve.user_id, added_at=1)
    item = queue.add_item(eve, cast.code, film.id)
    words = subtitles.add_subtitles(eve, cast.code, item, "Canary words", "en", "subtitles/a.vtt")
    subtitles.choose_subtitles(eve, cast.code, item, words)
    uploads.begin(eve, cast.code, "canary.mp4", 700)
    uploads.begin_shared(eve, "canary two.mp4", 70)
    lines = [
        playlists.Line("A song", track_id=film.id),
        playlists.Line("Canary line", "Eve", link="https://a.example/"),
    ]
    playlists.share_playlist(eve, playlists.keep_lines(eve, "Canary list", lines))
    gone = playlists.keep_lines(eve, "Canary of before", [])
    playlists.delete_playlist(eve, gone)
    playing = cast.seen().now.id
    progress.save_progress(eve, cast.code, playing, 4_000)
    sources.connect(
        eve, kind="subsonic", address="https://canary.example", username="eve canary", secret="canary secret"
    )
    searching.ask(eve, cast.code, "canary search", ("archive",))
    return film


def test_what_a_person_brought_and_keeps_is_taken_along(cast: Cast, eve: Person, brought: Track) -> None:
    before = every_row()
    taken = json.loads(json.dumps(personal.export(eve)))
    [film] = taken["tracks_brought"]
    assert (film["title"], film["bytes"]) == ("Canary film", 700)
    assert [(row["name"], row["bytes"], row["state"], row["room"]) for row in taken["uploads"]] == [
        ("canary.mp4", 700, "receiving", cast.code),
        ("canary two.mp4", 70, "receiving", None),
    ]
    [kept] = taken["playlists"]
    assert kept["name"] == "Canary list" and kept["is_shared"] is True
    assert [(row["title"], row["artist"], row["link"]) for row in kept["tracks"]] == [
        ("A song", "", ""),
        ("Canary line", "Eve", "https://a.example/"),
    ]
    [stopped] = taken["stopped_at"]
    assert (stopped["position_ms"], stopped["room"], stopped["is_done"]) == (4_000, cast.code, False)
    [library] = taken["libraries"]
    assert (library["address"], library["username"]) == ("https://canary.example", "eve canary")
    text = json.dumps(taken)
    tokens = [row.token for row in Upload.select()] + [
        row.share_token for row in Playlist.select() if row.share_token
    ]
    for secret in ("canary secret", "canary search", Source.get().secret, *tokens):
        assert secret not in text, secret
    assert every_row() == before
    others = json.dumps([personal.export(person) for person in (cast.ada, cast.cleo, cast.dan)])
    assert "canary" not in others.lower()


def test_a_left_rooms_code_is_not_told_with_what_was_kept(cast: Cast, eve: Person, brought: Track) -> None:
    people.leave(eve, cast.code)
    taken = personal.export(eve)
    assert taken["uploads"][0]["room"] is None and taken["stopped_at"][0]["room"] is None
    assert cast.code not in json.dumps(taken)


HISTORY = {("Member", "user"), ("Ban", "user"), ("Knock", "user"), ("SiteEvent", "actor")}
"""What others remember of a person, beside a neutral name."""


def test_nothing_of_a_deleted_person_is_left_in_any_table(cast: Cast, eve: Person, brought: Track) -> None:
    named = [
        (table, column)
        for table in TABLES
        for column in table._meta.sorted_fields
        if getattr(column, "rel_model", None) is User
    ]
    kept = (Holding, Upload, SubtitleChoice, Search, Playlist, Progress, Source)
    for table in kept:
        assert table.select().where(table.user == eve.user_id).exists(), table.__name__
    assert len(named) >= 17
    personal.delete(eve, PASSWORD)
    for table, column in named:
        if (table.__name__, column.name) not in HISTORY:
            assert not table.select().where(column == eve.user_id).exists(), (table.__name__, column.name)
    assert not Playlist.select().exists() and not PlaylistEntry.select().exists()
    # The film goes with its holdings by the sweep of files; the words to it are nobody's.
    assert Subtitle.get().added_by_id is None


def test_the_wrong_password_deletes_nothing(cast: Cast, eve: Person) -> None:
    before = every_row()
    with pytest.raises(WrongPassword):
        personal.delete(eve, "not the password")
    assert {**every_row(), "Attempt": []} == {**before, "Attempt": []}


def test_a_room_goes_to_the_cohost_who_is_here(cast: Cast) -> None:
    people.join(cast.dan, cast.code)
    Member.update(role="cohost").where(Member.user == cast.dan.user_id).execute()
    people.screen_opened(Member.get(Member.user == cast.dan.user_id).id, "web-1")
    personal.delete(cast.ada, "")
    room = cast.room()
    host = Member.get(Member.room == room, Member.role == "host")
    assert host.user_id == room.owner_id == cast.dan.user_id and room.state != "EXPIRED"
    assert Member.get_by_id(cast.members["ada"]).role == "guest" and room.fence == 2


def test_a_room_without_a_cohost_ends(cast: Cast) -> None:
    Member.update(role="guest").where(Member.id == cast.members["ben"]).execute()
    cast.add(2)
    personal.delete(cast.ada, "")
    assert cast.room().state == "EXPIRED" and cast.room().owner_id is None
    assert cast.kinds()[-1] == "room_expired" and "room_ended" in cast.kinds()
    assert cast.seen().history[0].by.name == personal.NOBODY


def test_a_kept_room_that_goes_to_a_guest_is_kept_no_longer(cast: Cast) -> None:
    Room.update(settings={"keep": True}).execute()
    personal.delete(cast.ada, "")
    assert "keep" not in cast.room().settings and cast.room().state != "EXPIRED"


def test_who_knocked_and_deleted_themselves_is_at_no_door_any_more(cast: Cast) -> None:
    entry.set_access(cast.ada, cast.code, "unlisted", "approval")
    knocks.knock(cast.dan, cast.code, "a network")
    assert len(cast.seen().knocks) == 1
    personal.delete(cast.dan, "")
    assert cast.seen().knocks == () and cast.kinds()[-1] == "knock_withdrawn"


def test_a_room_nobody_else_was_in_goes_with_its_person(cast: Cast) -> None:
    code = rooms.open_room(cast.dan, "Alone", 300)
    personal.delete(cast.dan, "")
    assert Room.get_or_none(Room.code == code) is None
    assert User.get_or_none(User.id == cast.dan.user_id) is None
    with pytest.raises(NotKnown):
        personal.delete(cast.dan, "")
    assert not Item.select().exists()


def test_a_room_opened_while_its_host_goes_for_good_goes_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = lambda: rooms.open_room(cast.cleo, "Mine", 300)  # noqa: E731
    leaving = lambda: personal.delete(cast.cleo, "")  # noqa: E731
    code, _ = meanwhile(monkeypatch, (rooms, "seat"), opening, leaving)
    assert not Room.select().where(Room.code == code).exists() and list(auditor.audit_all()) == []
