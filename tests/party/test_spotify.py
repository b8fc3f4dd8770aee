"""A Spotify account: one browser's own sign-in, used once; tokens sealed, renewed by one; lists by their steps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet

from models import Item, Member, Play, Playlist, PlaylistEntry, Room, Source, Track, User, database
from party import (
    adding,
    configuring,
    lookups,
    personal,
    playlists,
    queue,
    rooms,
    spotify,
    spotify_finding,
    spotify_lists,
    work,
)
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotKnown, Refusal, TooMany
from party.spotify import Access, Renewal
from party.spotify_lists import Song
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast

BACK = "https://party.example/spotify/callback"
SESSION, OTHER_SESSION = "a" * 64, "b" * 64
CANARIES = ("canary-access", "canary-refresh", "canary-code")
ADA_LIST, ID = "playlist:" + "1" * 22, "1" * 22

Handed = list[tuple[Any, ...]]


@pytest.fixture(autouse=True)
def handed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Handed:
    """Ada and Ben have accounts; what was handed to the worker is kept and not done."""
    found: Handed = []
    names = ("spotify_connect", "spotify_renew", "spotify_import", "spotify_keep", "look_up")
    carriers = {name: lambda *given, name=name: found.append((name, *given)) for name in names}
    monkeypatch.setattr(work, "carriers", carriers)
    for name, person in (("ada", cast.ada), ("ben", cast.ben)):
        User.update(email=f"{name}@example.org").where(User.id == person.user_id).execute()
    return found


def refused(what: type[Refusal], act: Any) -> str:
    """What was asked is refused and changes nothing; the sentence."""
    before = every_row()
    with pytest.raises(what) as refusal:
        act()
    assert every_row() == before
    return refusal.value.message


def connect(person: Person, may: tuple[str, ...] = spotify.WISHES, lasts_seconds: int = 3600) -> int:
    """A connected account; its row's id."""
    begun = spotify.begin(person, SESSION, BACK, may)
    spotify.finish(person, SESSION, begun.state, "canary-code")
    [source] = Source.select().where(Source.user == person.user_id)
    assert spotify.claim_code(source.id) is not None
    spotify.keep_connected(
        source.id, access="canary-access", refresh="canary-refresh", lasts_seconds=lasts_seconds, may=may,
        username="ada", name="Ada\n there",
    )  # fmt: skip
    return int(source.id)


# --- connecting ------------------------------------------------------------------------------------------------------


def test_a_sign_in_is_answered_exchanged_and_then_connected(cast: Cast, handed: Handed, time) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, ["keep", "play", "nonsense"])
    assert len(begun.state) >= 32 and 43 <= len(begun.verifier) <= 128
    assert spotify.connection(cast.ada).state == "none" and handed == []
    spotify.finish(cast.ada, SESSION, begun.state, "the-code")
    assert spotify.connection(cast.ada).state == "connecting"
    [source] = Source.select()
    assert handed == [("spotify_connect", source.id)]
    grant = spotify.claim_code(source.id)
    assert grant is not None and (grant.code, grant.verifier, grant.redirect) == (
        "the-code",
        begun.verifier,
        BACK,
    )
    assert spotify.claim_code(source.id) is None, "a code is good for one use"
    assert connect(cast.ada) == source.id
    assert spotify.connection(cast.ada) == spotify.Connection("ready", "Ada there", ("play", "lists", "keep"))
    assert spotify.access(source.id) == Access("canary-access", time.now_ms + 3_600_000)


def test_guests_and_nobody_are_told_what_it_takes(cast: Cast) -> None:
    assert "account" in refused(NotAllowed, lambda: spotify.begin(cast.cleo, SESSION, BACK, []))
    refused(NotKnown, lambda: spotify.begin(Person(999_999), SESSION, BACK, []))
    refused(Conflict, lambda: spotify.access_for_page(cast.cleo))
    refused(Conflict, lambda: spotify_lists.begin_import(cast.cleo, ADA_LIST))


@pytest.mark.parametrize(
    "mixed", ["state", "session", "person", "nothing begun", "late", "replay", "older", "empty"]
)
def test_an_answer_that_was_not_asked_for_here_is_refused(cast: Cast, time, mixed: str) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    other = spotify.begin(cast.ben, SESSION, BACK, [])
    person, session, state, code = cast.ada, SESSION, begun.state, "c"
    if mixed == "state":
        state = state[:-1] + ("A" if state[-1] != "A" else "B")
    elif mixed == "session":
        session = OTHER_SESSION
    elif mixed == "person":
        state = other.state
    elif mixed == "nothing begun":
        person = cast.cleo
    elif mixed == "late":
        time.move(601)
    elif mixed == "replay":
        spotify.finish(person, session, state, "c")
    elif mixed == "older":
        spotify.begin(cast.ada, SESSION, BACK, [])
    else:
        code = ""
    assert refused(Invalid, lambda: spotify.finish(person, session, state, code)) == spotify.STRANGE
    if mixed in ("state", "session", "empty"):
        # Nobody who guesses takes the real answer away.
        spotify.finish(cast.ada, SESSION, begun.state, "c")


def test_saying_no_over_there_drops_what_was_begun_and_only_that(cast: Cast) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    refused(Invalid, lambda: spotify.decline(cast.ada, OTHER_SESSION, begun.state))
    spotify.decline(cast.ada, SESSION, begun.state)
    refused(Invalid, lambda: spotify.finish(cast.ada, SESSION, begun.state, "c"))
    assert spotify.connection(cast.ada).state == "none"
    source_id = connect(cast.ada)
    again = spotify.begin(cast.ada, SESSION, BACK, [])
    spotify.decline(cast.ada, SESSION, again.state)
    assert spotify.connection(cast.ada).state == "ready" and spotify.access(source_id)


def test_what_could_not_be_exchanged_is_tried_until_it_is_too_old(cast: Cast, time) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    spotify.finish(cast.ada, SESSION, begun.state, "c")
    [source] = Source.select()
    grant = spotify.claim_code(source.id)
    assert grant is not None and spotify.unfinished() == []
    spotify.give_code_back(source.id, grant, "Busy.")
    assert spotify.unfinished() == [source.id] and spotify.claim_code(source.id) == grant
    time.move(601)
    spotify.give_code_back(source.id, grant, "Busy.")
    assert spotify.connection(cast.ada) == spotify.Connection("failed", "Spotify", (), "Busy.")


def test_an_exchange_that_a_crash_lost_is_given_up(cast: Cast, time) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    spotify.finish(cast.ada, SESSION, begun.state, "c")
    [source] = Source.select()
    spotify.claim_code(source.id)
    time.move(600)
    spotify.unfinished()
    assert spotify.connection(cast.ada).state == "connecting"
    time.move(1)
    spotify.unfinished()
    assert spotify.connection(cast.ada).failure == spotify.SLOW


def test_what_was_begun_and_never_answered_goes(cast: Cast, time) -> None:
    spotify.begin(cast.ada, SESSION, BACK, [])
    time.move(600)
    assert spotify.unfinished() == [] and Source.select().count() == 1
    time.move(1)
    assert spotify.unfinished() == [] and Source.select().count() == 0


def test_a_second_connection_that_fails_leaves_the_first(cast: Cast) -> None:
    source_id = connect(cast.ada)
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    spotify.finish(cast.ada, SESSION, begun.state, "c")
    assert spotify.access(source_id) is None, "until it is known whose it is now"
    spotify.claim_code(source_id)
    spotify.fail_connecting(source_id, "No.")
    assert spotify.access(source_id) and spotify.connection(cast.ada).failure == "No."


def test_disconnecting_forgets_everything_and_what_is_under_way_finds_nothing(cast: Cast) -> None:
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    spotify.disconnect(cast.ben)
    assert spotify.access(source_id)
    spotify.disconnect(cast.ada)
    assert Source.select().count() == 0
    spotify.keep_renewed(source_id, "canary-refresh", access="a", refresh="r", lasts_seconds=1)
    spotify.keep_connected(source_id, access="a", refresh="r", lasts_seconds=1, may=(), username="", name="")
    assert spotify_lists.claim_import(source_id, 1) is None and Source.select().count() == 0
    before = every_row()
    spotify.disconnect(cast.ada)
    assert every_row() == before


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_nothing_that_opens_the_account_stands_in_the_database_or_an_export(cast: Cast) -> None:
    begun = spotify.begin(cast.ada, SESSION, BACK, [])
    spotify.finish(cast.ada, SESSION, begun.state, "canary-code")
    said = str(every_row())
    source_id = connect(cast.ada)
    said += str(every_row()) + json.dumps(personal.export(cast.ada), ensure_ascii=False)
    said += repr(spotify.connection(cast.ada)) + repr(spotify.access(source_id))
    said += repr(spotify.claim_renewal(source_id, "canary-access")) + repr(begun)
    for canary in (*CANARIES, begun.state, begun.verifier):
        assert canary not in said, canary


def test_a_token_is_sealed_for_this_alone(cast: Cast) -> None:
    from party import sealing

    [secret] = [Source.get_by_id(connect(cast.ada)).secret]
    assert sealing.unseal(secret, spotify.CODE) is None and "canary" in (
        sealing.unseal(secret, spotify.TOKENS) or ""
    )


def test_the_own_page_gets_a_token_that_lasts_and_waits_for_one_that_does_not(
    cast: Cast, handed: Handed, time
) -> None:
    source_id = connect(cast.ada, ("play",))
    handed.clear()
    assert spotify.access_for_page(cast.ada) == Access("canary-access", time.now_ms + 3_600_000)
    assert handed == []
    time.move(3_541)
    assert spotify.access_for_page(cast.ada) is None and handed == [("spotify_renew", source_id)]
    refused(Conflict, lambda: spotify.access_for_page(cast.ben))


def test_an_account_that_was_not_connected_for_playing_gives_no_token(cast: Cast) -> None:
    connect(cast.ada, ("lists",))
    assert refused(NotAllowed, lambda: spotify.access_for_page(cast.ada)) == spotify.NOT_FOR_THIS


def with_another_key(source_id: int) -> str:
    """What an account's row holds is from before the house had another SECRET_KEY."""
    sealed = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    Source.update(secret=sealed).where(Source.id == source_id).execute()
    return sealed


@pytest.mark.parametrize("by", ["page", "worker", "renewal"])
def test_keys_that_cannot_be_read_any_more_are_said_to_be_lost(
    cast: Cast, handed: Handed, time, by: str
) -> None:
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    with_another_key(source_id)
    lost = spotify.Connection("failed", "Ada there", spotify.WISHES, spotify.LOST)
    before = every_row()
    assert spotify.connection(cast.ada) == lost and every_row() == before, "the page says so at once"
    handed.clear()
    if by == "page":
        with pytest.raises(Conflict) as refusal:
            spotify.access_for_page(cast.ada)
        assert refusal.value.message == spotify.LOST and handed == []
    else:
        known = (
            spotify.access(source_id) if by == "worker" else spotify.claim_renewal(source_id, "canary-access")
        )
        assert known is None
    source = Source.get_by_id(source_id)
    assert (source.state, source.failure, source.secret) == ("failed", spotify.LOST, "")
    assert spotify.connection(cast.ada) == lost and spotify_lists.due() == []
    assert refused(Conflict, lambda: spotify.access_for_page(cast.ada)) == spotify.NOT_CONNECTED
    assert connect(cast.ada) == source_id and spotify.access(source_id)
    assert spotify_lists.due() == [("spotify_import", source_id, 1)], "what was under way goes on"


@pytest.mark.parametrize("meanwhile", ["connected", "connecting", "disconnected"])
def test_keys_that_were_replaced_meanwhile_are_not_lost(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    source_id, hold = connect(cast.ada), spotify.held
    with_another_key(source_id)

    def late(held_id: int) -> Any:
        monkeypatch.setattr(spotify, "held", hold)
        if meanwhile == "disconnected":
            spotify.disconnect(cast.ada)
        elif meanwhile == "connected":
            connect(cast.ada)
        else:
            begun = spotify.begin(cast.ada, SESSION, BACK, [])
            spotify.finish(cast.ada, SESSION, begun.state, "c")
        late.rows = every_row()
        return hold(held_id)

    monkeypatch.setattr(spotify, "held", late)
    assert spotify.access(source_id) is None
    assert every_row() == late.rows


def test_a_token_is_renewed_by_one_at_a_time(cast: Cast, time) -> None:
    source_id = connect(cast.ada)
    assert spotify.claim_renewal(source_id, "canary-access") == Renewal("canary-refresh")
    assert refused(Conflict, lambda: spotify.claim_renewal(source_id, "canary-access")) == spotify.RENEWING
    time.move(31)
    assert isinstance(spotify.claim_renewal(source_id, "canary-access"), Renewal), "the other one crashed"
    spotify.keep_renewed(source_id, "canary-refresh", access="new", refresh="new-r", lasts_seconds=10)
    assert spotify.claim_renewal(source_id, "canary-access") == Access("new", time.now_ms + 10_000)
    assert spotify.claim_renewal(source_id, "new") == Renewal("new-r")
    claim = spotify.claim_renewal
    time.move(31)
    mine = claim(source_id, "new")
    assert isinstance(mine, Renewal)
    spotify.drop_renewal(source_id, mine)
    assert claim(source_id, "new") == Renewal("new-r")


def interleaved(cast: Cast, time) -> tuple[int, Renewal, Renewal]:
    """A renewal so slow that it was taken for crashed, and the one that took its place."""
    source_id = connect(cast.ada)
    slow = spotify.claim_renewal(source_id, "canary-access")
    time.move(31)
    second = spotify.claim_renewal(source_id, "canary-access")
    assert isinstance(slow, Renewal) and isinstance(second, Renewal)
    return source_id, slow, second


@pytest.mark.parametrize("is_kept_first", [True, False])
def test_two_renewals_by_one_refresh_token_do_not_lose_the_account(
    cast: Cast, time, is_kept_first: bool
) -> None:
    source_id, slow, second = interleaved(cast, time)
    acts = [
        lambda: spotify.keep_renewed(source_id, slow.refresh, access="a", refresh="r", lasts_seconds=10),
        lambda: spotify.end_access(source_id, second.refresh, "Gone."),
    ]
    for act in acts if is_kept_first else reversed(acts):
        act()
    account = spotify.connection(cast.ada)
    assert (account.state, account.failure) == ("ready", "")
    assert spotify.access(source_id) == Access("a", time.now_ms + 10_000)
    assert spotify.claim_renewal(source_id, "a") == Renewal("r")


def test_who_was_slow_does_not_take_the_seconds_turn(cast: Cast, time) -> None:
    source_id, slow, second = interleaved(cast, time)
    spotify.drop_renewal(source_id, slow)
    assert refused(Conflict, lambda: spotify.claim_renewal(source_id, "canary-access")) == spotify.RENEWING
    spotify.drop_renewal(source_id, second)
    assert spotify.claim_renewal(source_id, "canary-access") == Renewal("canary-refresh")


def test_an_access_that_ended_is_opened_by_no_other_tokens_late_answer(cast: Cast) -> None:
    source_id = connect(cast.ada)
    spotify.end_access(source_id, "canary-refresh", "Gone.")
    before = every_row()
    spotify.keep_renewed(source_id, "an older one", access="a", refresh="r", lasts_seconds=1)
    assert every_row() == before
    connect(cast.ada)
    assert "ended" not in Source.get_by_id(source_id).options


def test_news_of_tokens_that_were_replaced_meanwhile_changes_nothing(cast: Cast) -> None:
    source_id = connect(cast.ada)
    before = every_row()
    spotify.end_access(source_id, "an older one", "Gone.")
    spotify.keep_renewed(source_id, "an older one", access="a", refresh="r", lasts_seconds=1)
    spotify.drop_renewal(source_id, Renewal("an older one", 1))
    assert every_row() == before
    spotify.end_access(source_id, "canary-refresh", "Gone.")
    assert spotify.connection(cast.ada).state == "failed" and spotify.connection(cast.ada).failure == "Gone."
    assert Source.get_by_id(source_id).secret == "" and spotify.access(source_id) is None


def test_whose_account_looks_a_track_up(cast: Cast) -> None:
    track_id = pasted(cast, cast.ben)
    assert spotify_finding.account_for_track(track_id) is None
    hosts = connect(cast.ada)
    assert spotify_finding.account_for_track(track_id) == hosts, "the host’s, where who brought it has none"
    own = connect(cast.ben)
    assert spotify_finding.account_for_track(track_id) == own
    assert spotify_finding.account_for_track(cast.tracks[0]) is None
    room = cast.room().id
    assert spotify_finding.account_for_room(cast.cleo.user_id, room) == hosts
    assert spotify_finding.account_for_room(cast.ben.user_id, room) == own
    assert spotify_finding.account_for_room(cast.cleo.user_id, None) is None
    spotify.end_access(own, "canary-refresh", "Gone.")
    assert spotify_finding.account_for_track(track_id) == hosts


# --- bringing a list in ----------------------------------------------------------------------------------------------


def test_an_explicit_track_found_late_leaves_lines_that_leave_such_tracks_out(cast: Cast) -> None:
    track_id = pasted(cast, cast.cleo)
    other = rooms.open_room(cast.ada, "Another room", 300)
    adding.add_link(cast.ada, other, provider="spotify", key="0" * 21 + "1", reference="x", player="spotify",
                    title="Song 1")  # fmt: skip
    configuring.change_settings(cast.ada, cast.code, {"explicit": False})
    before = cast.room().seq
    spotify_finding.mark_explicit(track_id)
    assert Track.get_by_id(track_id).is_explicit
    states = {item.room.code: item.state for item in Item.select().where(Item.track == track_id)}
    assert states == {cast.code: "removed", other: "waiting"}
    assert cast.kinds(before) == ["item_removed"]
    with pytest.raises(NotAllowed):
        queue.restore_item(cast.ada, cast.code, Item.get(Item.track == track_id, Item.state == "removed").id)
    rows = every_row()
    spotify_finding.mark_explicit(track_id)
    spotify_finding.mark_explicit(cast.tracks[0])
    assert every_row() == rows, "known already, or not Spotify’s"


def test_an_explicit_track_is_not_put_on_while_it_is_found_to_be(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    track_id = pasted(cast, cast.cleo)
    queue.remove_item(cast.cleo, cast.code, Item.get(Item.track == track_id).id)
    configuring.change_settings(cast.ada, cast.code, {"explicit": False})
    _, refusal = meanwhile(
        monkeypatch,
        (lookups, "hold"),
        lambda: spotify_finding.mark_explicit(track_id),
        lambda: queue.add_item(cast.cleo, cast.code, track_id),
    )
    assert isinstance(refusal, NotAllowed)
    assert [item.state for item in Item.select().where(Item.track == track_id)] == ["removed"]


def pasted(cast: Cast, person: Person, number: int = 1) -> int:
    """A Spotify track on the line; its id."""
    key = f"{number:022d}"
    adding.add_link(
        person,
        cast.code,
        provider="spotify",
        key=key,
        reference=key,
        player="spotify",
        title=f"Song {number}",
    )
    return int(Track.get(Track.slug == f"spotify-{key}").id)


def songs(first: int, count: int) -> list[Song]:
    return [
        Song(f"{n:022d}", f"Song {n}", "Ada", "Album", 1_000 + n, f"https://open.spotify.com/track/{n:022d}")
        for n in range(first, first + count)
    ]


def test_a_list_comes_in_page_by_page_and_a_doubled_task_changes_nothing(cast: Cast, handed: Handed) -> None:
    source_id = connect(cast.ada)
    ours = pasted(cast, cast.ada, 2)
    handed.clear()
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    assert handed == [("spotify_import", source_id, 1)]
    step = spotify_lists.claim_import(source_id, 1)
    assert step == spotify_lists.Step(ADA_LIST, 0, "")
    assert spotify_lists.claim_import(source_id, 1) is None, "another is at it"
    following = spotify_lists.keep_page(source_id, 1, step, " Late\nnight ", songs(0, 3), 2, 7, True)
    assert following == spotify_lists.Step(ADA_LIST, 5, "Late night")
    before = every_row()
    assert spotify_lists.keep_page(source_id, 1, step, "Late night", songs(0, 3), 2, 7, True) is None
    assert every_row() == before
    [view] = spotify_lists.imports(cast.ada)
    assert (view.state, view.done, view.total, view.lost) == ("running", 5, 7, 2)
    assert spotify_lists.keep_page(source_id, 1, following, "", songs(3, 2), 0, 7, False) is None
    [view] = spotify_lists.imports(cast.ada)
    assert (view.state, view.done, view.failure, view.title) == ("done", 7, "", "Late night")
    entries = playlists.entries_of(view.playlist_id)
    assert [entry.title for entry in entries] == [f"Song {n}" for n in range(5)]
    assert [entry.track_id for entry in entries] == [None, None, ours, None, None]
    assert entries[0].link == f"https://open.spotify.com/track/{0:022d}" and entries[0].duration_ms == 1_000
    assert Playlist.select().count() == 1 and spotify_lists.claim_import(source_id, 1) is None


def test_a_track_that_somebody_else_brought_is_not_shown_in_a_list(cast: Cast) -> None:
    source_id = connect(cast.ben)
    pasted(cast, cast.ada, 2)
    spotify_lists.begin_import(cast.ben, ADA_LIST)
    step = spotify_lists.claim_import(source_id, 1)
    assert step is not None
    spotify_lists.keep_page(source_id, 1, step, "Mine", songs(2, 1), 0, 1, False)
    [entry] = PlaylistEntry.select()
    assert entry.track_id is None and entry.link


def test_no_more_than_a_playlist_holds_comes_in(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spotify_lists, "ENTRIES_MOST", 4)
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    step = spotify_lists.claim_import(source_id, 1)
    assert step is not None
    assert spotify_lists.keep_page(source_id, 1, step, "Long", songs(0, 5), 0, 9, True) is None
    [view] = spotify_lists.imports(cast.ada)
    assert view.state == "done" and view.failure == spotify_lists.CUT and PlaylistEntry.select().count() == 4


def test_two_lists_at_once_and_none_twice(cast: Cast) -> None:
    connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    assert refused(Conflict, lambda: spotify_lists.begin_import(cast.ada, ADA_LIST)) == spotify_lists.ALREADY
    spotify_lists.begin_import(cast.ada, ADA_LIST + "0")
    refused(TooMany, lambda: spotify_lists.begin_import(cast.ada, ADA_LIST + "2"))


def test_an_import_waits_comes_back_and_is_given_up_at_last(cast: Cast, time) -> None:
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    assert spotify_lists.due() == [("spotify_import", source_id, 1)]
    assert spotify_lists.claim_import(source_id, 1) and spotify_lists.due() == []
    spotify_lists.postpone_import(source_id, 1, "Busy.", 90)
    time.move(89)
    assert spotify_lists.due() == [] and spotify_lists.claim_import(source_id, 1) is None
    time.move(1)
    assert spotify_lists.due() == [("spotify_import", source_id, 1)]
    for _ in range(spotify_lists.MOST_TRIES - 1):
        spotify_lists.postpone_import(source_id, 1, "Busy.", 0)
    assert spotify_lists.imports(cast.ada)[0].state == "failed" and spotify_lists.due() == []


def test_a_playlist_that_is_deleted_meanwhile_ends_its_import(cast: Cast) -> None:
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    step = spotify_lists.claim_import(source_id, 1)
    assert step is not None
    step = spotify_lists.keep_page(source_id, 1, step, "Late", songs(0, 1), 0, 2, True)
    assert step is not None
    playlists.delete_playlist(cast.ada, spotify_lists.imports(cast.ada)[0].playlist_id)
    assert spotify_lists.keep_page(source_id, 1, step, "Late", songs(1, 1), 0, 2, False) is None
    assert spotify_lists.imports(cast.ada)[0].failure == spotify_lists.DELETED


# --- keeping one -----------------------------------------------------------------------------------------------------


def played(cast: Cast, number: int, *, is_over: bool = True) -> int:
    """A Spotify track that the room played; the play's id."""
    track_id, room = pasted(cast, cast.ada, number), cast.room()
    item = Item.get(Item.track == track_id, Item.room == room)
    Item.update(state="played").where(Item.id == item.id).execute()
    now = room.created_at
    return int(Play.create(room=room, item=item, started_at=now, ended_at=now + 1 if is_over else None).id)


def test_only_a_host_with_an_account_that_may_keeps_a_list(cast: Cast) -> None:
    refused(Conflict, lambda: spotify_lists.keep_list(cast.ada, cast.code))
    connect(cast.ada, ("play",))
    assert refused(NotAllowed, lambda: spotify_lists.keep_list(cast.ada, cast.code)) == spotify.NOT_FOR_THIS
    connect(cast.ben)
    assert (
        refused(NotAllowed, lambda: spotify_lists.keep_list(cast.ben, cast.code)) == spotify_lists.ONLY_HOSTS
    )
    connect(cast.ada)
    spotify_lists.keep_list(cast.ada, cast.code)
    [view] = spotify_lists.lists(cast.ada)
    assert (view.is_on, view.code, view.room_name) == (True, cast.code, "Friday")
    assert spotify_lists.lists(cast.ben) == []


def test_what_was_played_is_put_in_once_in_its_order(cast: Cast, time) -> None:
    source_id = connect(cast.ada)
    first, second = played(cast, 7), played(cast, 5)
    played(cast, 6, is_over=False)
    room = cast.room().id
    spotify_lists.keep_list(cast.ada, cast.code)
    assert spotify_lists.due() == [("spotify_keep", source_id, room)]
    batch = spotify_lists.claim_batch(source_id, room)
    assert batch is not None and batch.plays == (first, second) and batch.keys == (f"{7:022d}", f"{5:022d}")
    assert (batch.playlist, batch.is_unsure, batch.name) == ("", False, "Friday")
    assert spotify_lists.claim_batch(source_id, room) is None and spotify_lists.due() == []
    spotify_lists.note_list(source_id, room, ID, "m0")
    time.move(61)
    third = played(cast, 8)
    again = spotify_lists.claim_batch(source_id, room)
    assert again is not None and again.is_unsure and (again.playlist, again.mark) == (ID, "m0")
    assert again.plays == (first, second), "nobody knows yet whether these are in"
    spotify_lists.keep_batch(source_id, room, again, "m1")
    spotify_lists.keep_batch(source_id, room, batch, "m2")
    last = spotify_lists.claim_batch(source_id, room)
    assert last is not None and (last.plays, last.is_unsure, last.mark) == ((third,), False, "m1")
    spotify_lists.keep_batch(source_id, room, last, "m2")
    assert spotify_lists.claim_batch(source_id, room) is None and spotify_lists.due() == []


def test_a_list_stops_with_its_host_with_a_sentence_or_by_hand(cast: Cast) -> None:
    source_id, room = connect(cast.ada), cast.room().id
    played(cast, 1)
    spotify_lists.keep_list(cast.ada, cast.code)
    spotify_lists.fail_list(source_id, room, "Gone there.")
    assert spotify_lists.due() == [] and spotify_lists.lists(cast.ada)[0].failure == "Gone there."
    spotify_lists.keep_list(cast.ada, cast.code)
    assert spotify_lists.due() and spotify_lists.lists(cast.ada)[0].failure == ""
    Member.update(role="guest").where(Member.id == cast.members["ada"]).execute()
    assert spotify_lists.claim_batch(source_id, room) is None
    assert spotify_lists.lists(cast.ada)[0].failure == spotify_lists.NOT_HOST and spotify_lists.due() == []
    spotify_lists.stop_list(cast.ada, room)
    assert spotify_lists.lists(cast.ada) == []
    before = every_row()
    spotify_lists.stop_list(cast.ada, room)
    spotify_lists.stop_list(cast.cleo, room)
    assert every_row() == before


def test_a_list_waits_while_the_account_is_not_open_and_goes_on_afterwards(cast: Cast) -> None:
    source_id, room = connect(cast.ada), cast.room().id
    spotify_lists.keep_list(cast.ada, cast.code)
    spotify.end_access(source_id, "canary-refresh", "Gone.")
    played(cast, 1)
    assert spotify_lists.due() == [] and spotify_lists.claim_batch(source_id, room) is None
    connect(cast.ada)
    assert spotify_lists.due() == [("spotify_keep", source_id, room)]


def test_a_room_that_is_gone_is_named_to_nobody(cast: Cast) -> None:
    connect(cast.ada)
    spotify_lists.keep_list(cast.ada, cast.code)
    Member.update(left_at=1, role="guest").where(Member.id == cast.members["ada"]).execute()
    assert spotify_lists.lists(cast.ada) == []
    Room.delete().where(Room.code == cast.code).execute()
    assert spotify_lists.lists(cast.ada) == [] and database.obj is not None


def test_an_import_that_begins_its_playlist_and_a_new_sign_in_wait_in_no_ring(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = connect(cast.ada)
    spotify_lists.begin_import(cast.ada, ADA_LIST)
    step = spotify_lists.claim_import(source_id, 1)
    assert step is not None
    keep = lambda: spotify_lists.keep_page(source_id, 1, step, "Late", songs(0, 3), 0, 3, False)  # noqa: E731
    again = lambda: spotify.begin(cast.ada, SESSION, BACK, ["play"])  # noqa: E731
    meanwhile(monkeypatch, (playlists, "create_playlist"), keep, again, is_before=True)
    [view] = spotify_lists.imports(cast.ada)
    assert view.done == 3 and Source.get().options["begun"]["wishes"] == ["play"]
