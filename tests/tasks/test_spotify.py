"""The worker and a Spotify that expires, rotates, limits, loses answers and takes access away, all on loopback."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any

import pytest

import tasks as door
from config import Settings
from media import registry, spotify_api, spotify_login
from media.oembed import Busy
from media.provider import Reference, Trouble
from models import Item, Play, Playlist, SearchAnswer, Source, Track, User
from party import adding, playlists, searching, spotify, spotify_lists, work
from party.change import Person
from tasks import spotify as worker
from tests.media.fake_spotify import FakeSpotify, Listed, fake, key, track
from tests.stage import Cast

__all__ = ["fake"]
BACK = "https://party.example/spotify/callback"
SESSION = "a" * 64


@pytest.fixture(autouse=True)
def handed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Ada and Ben have accounts; what is handed over is kept and not done."""
    found: list[tuple[Any, ...]] = []
    carriers = {name: lambda *given, name=name: found.append((name, *given)) for name in door.CARRIERS}
    monkeypatch.setattr(work, "carriers", carriers)
    for name, person in (("ada", cast.ada), ("ben", cast.ben)):
        User.update(email=f"{name}@example.org").where(User.id == person.user_id).execute()
    return found


@pytest.fixture
def wanted(fake: FakeSpotify) -> Settings:
    return fake.settings()


def answered(person: Person, fake: FakeSpotify, wishes: tuple[str, ...] = spotify.WISHES) -> int:
    """Somebody said yes at Spotify, and their browser came back."""
    begun = spotify.begin(person, SESSION, BACK, wishes)
    address = spotify_login.sign_in_address(fake.settings(), BACK, begun.state, begun.verifier, wishes)
    spotify.finish(person, SESSION, begun.state, fake.sign_in(address))
    return int(Source.get(Source.user == person.user_id).id)


def connect(person: Person, fake: FakeSpotify, wishes: tuple[str, ...] = spotify.WISHES) -> int:
    source_id = answered(person, fake, wishes)
    worker.connect_here(source_id, fake.settings())
    assert spotify.connection(person).state == "ready"
    return source_id


def pasted(cast: Cast, person: Person, number: int) -> int:
    """A Spotify track on the line; its id."""
    adding.add_link(
        person, cast.code, provider="spotify", key=key(number), reference=key(number), player="spotify", title="A track"
    )  # fmt: skip
    return int(Track.get(Track.slug == f"spotify-{key(number)}").id)


def played(cast: Cast, *numbers: int) -> None:
    """The room played these tracks of Spotify."""
    for number in numbers:
        track_id, room = pasted(cast, cast.ada, number), cast.room()
        item = Item.get(Item.track == track_id, Item.room == room)
        Item.update(state="played").where(Item.id == item.id).execute()
        Play.create(room=room, item=item, started_at=1, ended_at=2)


def kept(fake: FakeSpotify) -> list[str]:
    """What is in the one list that is kept there."""
    [one] = fake.lists.values()
    return [row["id"] for row in one.rows]


# --- connecting ------------------------------------------------------------------------------------------------------


def test_a_sign_in_becomes_an_account(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id = answered(cast.ada, fake, ("play",))
    worker.connect_here(source_id, wanted)
    assert spotify.connection(cast.ada) == spotify.Connection("ready", "Ada <b>", ("play",))
    access = spotify.access(source_id)
    assert access is not None and access.token in fake.access
    worker.connect_here(source_id, wanted)
    assert fake.count("POST", "/accounts/api/token") == 1, "once"


def test_a_code_that_is_refused_says_so(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id = answered(cast.ada, fake)
    fake.codes.clear()
    worker.connect_here(source_id, wanted)
    assert spotify.connection(cast.ada).failure == spotify_login.REFUSED


def test_a_busy_accounts_service_is_asked_again_by_the_sweep(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = answered(cast.ada, fake)
    fake.trouble("/accounts", 503)
    worker.connect_here(source_id, wanted)
    assert spotify.connection(cast.ada).state == "connecting"
    assert worker.left() == [("spotify_connect", (source_id,))]
    worker.connect_here(source_id, wanted)
    assert spotify.connection(cast.ada).state == "ready"


def test_a_code_that_is_used_up_is_not_used_again(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id = answered(cast.ada, fake)
    fake.trouble("/v1/me", 503)
    worker.connect_here(source_id, wanted)
    assert spotify.connection(cast.ada).state == "failed"
    worker.connect_here(source_id, wanted)
    assert fake.count("POST", "/accounts/api/token") == 1


# --- tokens ----------------------------------------------------------------------------------------------------------


def test_an_expired_token_is_renewed_and_the_question_asked_once_more(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = connect(cast.ada, fake)
    fake.access.clear()
    fake.tracks[key(1)] = track(1)
    song = worker.asked(source_id, lambda token: spotify_api.track(key(1), token, wanted), wanted)
    assert song.title == "Song 1" and len(fake.spent) == 1 and fake.count("GET", "/v1/tracks") == 2
    worker.asked(source_id, lambda token: spotify_api.track(key(1), token, wanted), wanted)
    assert len(fake.spent) == 1, "the new ones were kept"
    fake.access.clear()
    worker.asked(source_id, lambda token: spotify_api.track(key(1), token, wanted), wanted)
    assert len(set(fake.spent)) == 2, "each refresh token once"


def test_a_token_that_ends_soon_is_renewed_before(
    cast: Cast, time, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = connect(cast.ada, fake)
    worker.renew_here(source_id, wanted)
    assert fake.spent == []
    time.move(3_541)
    worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    assert len(fake.spent) == 1 and fake.count("GET", "/v1/me") == 2
    time.move(3_541)
    worker.renew_here(source_id, wanted)
    access = spotify.access(source_id)
    assert len(fake.spent) == 2 and access is not None and access.token in fake.access


def test_two_questions_at_once_renew_once(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id = connect(cast.ada, fake)
    old = spotify.access(source_id)
    assert old is not None
    fake.access.clear()
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(worker._renewed(source_id, old.token, wanted)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(fake.spent) == 1 and len(found) == 4 and set(found) == fake.access


def test_a_slow_renewal_keeps_nobody_elses_waiting(
    cast: Cast, fake: FakeSpotify, wanted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, other = connect(cast.ada, fake), connect(cast.ben, fake)
    begun, may_go_on, renew = threading.Event(), threading.Event(), spotify_login.renew
    old = [spotify.access(each) for each in (slow, other)]
    assert old[0] and old[1]

    def wait(refresh: str, settings: Settings) -> spotify_login.Tokens:
        begun.set()
        assert may_go_on.wait(20)
        return renew(refresh, settings)

    monkeypatch.setattr(spotify_login, "renew", wait)
    first = threading.Thread(target=worker._renewed, args=(slow, old[0].token, wanted))
    first.start()
    assert begun.wait(20)
    monkeypatch.setattr(spotify_login, "renew", renew)
    second = threading.Thread(target=worker._renewed, args=(other, old[1].token, wanted))
    second.start()
    second.join(20)
    is_done = not second.is_alive()
    may_go_on.set()
    first.join(20)
    second.join(20)
    assert is_done and len(fake.spent) == 2


def test_a_token_that_is_refused_twice_is_no_endless_round(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = connect(cast.ada, fake)
    fake.trouble("/v1/me", 401)
    fake.trouble("/v1/me", 401)
    with pytest.raises(Trouble):
        worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    assert fake.count("GET", "/v1/me") == 3


def test_access_that_was_taken_away_ends_with_a_sentence_and_no_token(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = connect(cast.ada, fake)
    fake.access.clear()
    fake.refresh.clear()
    with pytest.raises(spotify_login.Ended):
        worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    assert spotify.connection(cast.ada).failure == spotify_api.ENDED
    assert Source.get_by_id(source_id).secret == ""
    asked = len(fake.asked)
    with pytest.raises(spotify_login.Ended):
        worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    assert len(fake.asked) == asked


def test_keys_of_another_secret_key_end_the_access_and_ask_nobody(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id = connect(cast.ada, fake)
    for act in (
        lambda: worker.renew_here(source_id, wanted),
        lambda: worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted),
    ):
        Source.update(state="ready", failure="", secret="of another key").where(
            Source.id == source_id
        ).execute()
        before = len(fake.asked)
        with suppress(spotify_login.Ended):
            act()
        assert spotify.connection(cast.ada).failure == spotify.LOST
        assert Source.get_by_id(source_id).secret == "" and len(fake.asked) == before


def test_a_busy_renewal_ends_nothing(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id = connect(cast.ada, fake)
    fake.access.clear()
    fake.trouble("/accounts", 429, retry_after="9")
    with pytest.raises(Busy) as busy:
        worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    assert busy.value.after_seconds == 9 and spotify.connection(cast.ada).state == "ready"
    worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)


# --- looking up and searching ----------------------------------------------------------------------------------------


def reference(number: int) -> Reference:
    return Reference("spotify", key(number), key(number), "spotify", "A track")


def test_a_track_is_looked_up_by_the_account_of_who_brought_it(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    connect(cast.ben, fake)
    fake.tracks[key(1)] = track(1, explicit=True)
    track_id = pasted(cast, cast.ben, 1)
    facts = worker.look_up(track_id, reference(1), wanted)
    assert (facts.artist, facts.duration_ms) == ("Ada, Ben", 180_001) and fake.count("GET", "/oembed") == 0
    assert Track.get_by_id(track_id).is_explicit


def test_without_an_account_or_when_it_ended_oembed_answers(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    fake.tracks[key(1)] = track(1)
    track_id = pasted(cast, cast.cleo, 1)
    assert worker.look_up(track_id, reference(1), wanted).title == "Song 1"
    assert fake.count("GET", "/oembed") == 1
    connect(cast.ada, fake)
    fake.access.clear()
    fake.refresh.clear()
    assert worker.look_up(track_id, reference(1), wanted).duration_ms is None
    assert fake.count("GET", "/oembed") == 2


def test_what_spotify_does_not_know_or_not_now_is_told_as_it_is(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    connect(cast.ada, fake)
    track_id = pasted(cast, cast.ada, 1)
    with pytest.raises(Trouble, match="no") as gone:
        worker.look_up(track_id, reference(1), wanted)
    assert not gone.value.again
    fake.trouble("/v1/tracks", 429, retry_after="12")
    with pytest.raises(Busy) as busy:
        worker.look_up(track_id, reference(1), wanted)
    assert busy.value.after_seconds == 12


def test_a_switched_off_spotify_is_not_asked(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    from dataclasses import replace

    connect(cast.ada, fake)
    searching.ask(cast.ada, cast.code, "song", ("spotify",))
    asked, off = len(fake.asked), replace(wanted, providers_off=("spotify",))
    with pytest.raises(Trouble, match=registry.SWITCHED_OFF):
        worker.look_up(pasted(cast, cast.ada, 1), reference(1), off)
    with pytest.raises(Trouble):
        worker.search(1, "song", off)
    assert len(fake.asked) == asked


def test_a_search_goes_by_ones_own_account_or_the_hosts(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    fake.tracks[key(1)] = track(1)
    searching.ask(cast.cleo, cast.code, "song", ("spotify",))
    answer_id = SearchAnswer.get().id
    with pytest.raises(Trouble, match="Nobody here"):
        worker.search(answer_id, "song", wanted)
    connect(cast.ada, fake)
    [row] = worker.search(answer_id, "song", wanted)
    assert (row.provider, row.key, row.title) == ("spotify", key(1), "Song 1")


# --- lists -----------------------------------------------------------------------------------------------------------


def bring_in(cast: Cast, fake: FakeSpotify, number: int = 1) -> int:
    source_id = connect(cast.ada, fake)
    spotify_lists.begin_import(cast.ada, f"playlist:{key(number)}")
    return source_id


def test_a_list_of_several_pages_comes_in_whole(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    rows: list[Any] = [track(number) for number in range(130)]
    rows[60] = None
    fake.lists[key(1)] = Listed("Tonight", rows=rows)
    worker.bring_in_here(bring_in(cast, fake), 1, wanted)
    [view] = spotify_lists.imports(cast.ada)
    assert (view.state, view.title, view.done, view.lost) == ("done", "Tonight", 130, 1)
    entries = playlists.entries_of(view.playlist_id)
    assert [entry.title for entry in entries] == [f"Song {n}" for n in range(130) if n != 60]
    assert entries[0].link == f"https://open.spotify.com/track/{key(0)}" and entries[0].artist == "Ada, Ben"


def test_a_limit_in_the_middle_is_waited_for_and_nothing_comes_twice(
    cast: Cast, time, fake: FakeSpotify, wanted: Settings
) -> None:
    fake.lists[key(1)] = Listed("Tonight", rows=[track(number) for number in range(120)])
    source_id = bring_in(cast, fake)
    fake.trouble(
        f"/v1/playlists/{key(1)}/items",
        200,
        fake._page([{"item": track(n)} for n in range(120)], {"limit": "50"}),
    )
    fake.trouble(f"/v1/playlists/{key(1)}/items", 429, retry_after="40")
    worker.bring_in_here(source_id, 1, wanted)
    [view] = spotify_lists.imports(cast.ada)
    assert (view.state, view.done, view.total, view.failure) == ("running", 50, 120, spotify_api.BUSY)
    worker.bring_in_here(source_id, 1, wanted)
    assert spotify_lists.imports(cast.ada)[0].done == 50, "too early"
    time.move(40)
    worker.bring_in_here(source_id, 1, wanted)
    [view] = spotify_lists.imports(cast.ada)
    assert view.state == "done" and len(playlists.entries_of(view.playlist_id)) == 120
    assert Playlist.select().count() == 1


def test_a_list_of_somebody_else_or_none_ends_with_a_sentence(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    fake.lists[key(1)] = Listed("Theirs", owner="somebody")
    source_id = bring_in(cast, fake)
    worker.bring_in_here(source_id, 1, wanted)
    spotify_lists.begin_import(cast.ada, f"playlist:{key(2)}")
    worker.bring_in_here(source_id, 2, wanted)
    newest, oldest = spotify_lists.imports(cast.ada)
    assert (oldest.state, oldest.failure) == ("failed", spotify_api.NOT_YOURS)
    assert (newest.state, newest.failure) == ("failed", spotify_api.GONE)
    assert Playlist.select().count() == 0


def test_too_many_playlists_of_ours_is_said_too(
    cast: Cast, fake: FakeSpotify, wanted: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(playlists, "PLAYLISTS_MOST", 0)
    fake.lists[key(1)] = Listed("Tonight", rows=[track(1)])
    worker.bring_in_here(bring_in(cast, fake), 1, wanted)
    assert "playlists" in spotify_lists.imports(cast.ada)[0].failure


def test_an_import_goes_on_after_connecting_again(
    cast: Cast, time, fake: FakeSpotify, wanted: Settings
) -> None:
    fake.lists[key(1)] = Listed("Tonight", rows=[track(1)])
    source_id = bring_in(cast, fake)
    fake.access.clear()
    fake.refresh.clear()
    worker.bring_in_here(source_id, 1, wanted)
    assert spotify_lists.imports(cast.ada)[0].state == "running" and spotify_lists.due() == []
    connect(cast.ada, fake)
    time.move(60)
    assert spotify_lists.due() == [("spotify_import", source_id, 1)]
    worker.bring_in_here(source_id, 1, wanted)
    assert spotify_lists.imports(cast.ada)[0].state == "done"


def test_what_a_room_played_is_kept_in_a_private_list_and_grows(
    cast: Cast, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id, room = connect(cast.ada, fake), cast.room().id
    played(cast, 3, 1)
    spotify_lists.keep_list(cast.ada, cast.code)
    worker.keep_here(source_id, room, wanted)
    assert kept(fake) == [key(3), key(1)] and next(iter(fake.lists.values())).name == "Friday · Partyline"
    worker.keep_here(source_id, room, wanted)
    played(cast, 2)
    assert worker.left() == [("spotify_keep", (source_id, room))]
    worker.keep_here(source_id, room, wanted)
    assert kept(fake) == [key(3), key(1), key(2)] and len(fake.lists) == 1


def test_a_long_absence_is_caught_up_in_pieces(cast: Cast, fake: FakeSpotify, wanted: Settings) -> None:
    source_id, room = connect(cast.ada, fake), cast.room().id
    spotify_lists.keep_list(cast.ada, cast.code)
    track_ids = [pasted(cast, cast.ada, 1), pasted(cast, cast.ada, 2)]
    items = [Item.get(Item.track == track_id) for track_id in track_ids]
    for number in range(120):
        Play.create(room=room, item=items[number % 2], started_at=number, ended_at=number + 1)
    worker.keep_here(source_id, room, wanted)
    assert kept(fake) == [key(1 + number % 2) for number in range(120)]
    assert fake.count("POST", "/v1/playlists") == 3


@pytest.mark.parametrize("arrives", [True, False])
def test_an_answer_that_was_lost_puts_nothing_in_twice_and_leaves_nothing_out(
    cast: Cast, time, fake: FakeSpotify, wanted: Settings, arrives: bool
) -> None:
    source_id, room = connect(cast.ada, fake), cast.room().id
    played(cast, 1)
    spotify_lists.keep_list(cast.ada, cast.code)
    worker.keep_here(source_id, room, wanted)
    played(cast, 4, 5)
    if arrives:
        fake.loses_answers = True
    else:
        [made] = fake.lists
        fake.trouble(f"/v1/playlists/{made}/items", 502)
    worker.keep_here(source_id, room, wanted)
    assert spotify_lists.lists(cast.ada)[0].failure == spotify_api.BUSY
    time.move(61)
    played(cast, 6)
    worker.keep_here(source_id, room, wanted)
    assert kept(fake) == [key(number) for number in (1, 4, 5, 6)]
    assert spotify_lists.lists(cast.ada)[0].failure == ""


def test_a_list_that_is_gone_there_stops_and_access_that_ended_waits(
    cast: Cast, time, fake: FakeSpotify, wanted: Settings
) -> None:
    source_id, room = connect(cast.ada, fake), cast.room().id
    played(cast, 1)
    spotify_lists.keep_list(cast.ada, cast.code)
    fake.access.clear()
    fake.refresh.clear()
    worker.keep_here(source_id, room, wanted)
    assert spotify_lists.lists(cast.ada)[0].failure == spotify_api.ENDED
    connect(cast.ada, fake)
    time.move(61)
    worker.keep_here(source_id, room, wanted)
    assert kept(fake) == [key(1)]
    fake.lists.clear()
    played(cast, 2)
    worker.keep_here(source_id, room, wanted)
    assert spotify_lists.lists(cast.ada)[0].failure == spotify_api.GONE
    time.move(3_600)
    assert spotify_lists.due() == []


def test_no_log_holds_a_token_a_code_or_a_verifier(
    cast: Cast, fake: FakeSpotify, wanted: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source_id = answered(cast.ada, fake)
    secrets = [*fake.codes]
    worker.connect_here(source_id, wanted)
    secrets += [*fake.access, *fake.refresh]
    fake.access.clear()
    fake.refresh.clear()
    with pytest.raises(Trouble) as trouble:
        worker.asked(source_id, lambda token: spotify_api.profile(token, wanted), wanted)
    said = caplog.text + str(trouble.value) + spotify.connection(cast.ada).failure
    assert len(secrets) == 3 and not [each for each in secrets if each in said]


def test_the_worker_knows_these_tasks_and_its_sweep_finds_what_was_lost(
    cast: Cast, fake: FakeSpotify, handed: list[tuple[Any, ...]]
) -> None:
    from tasks import keeping

    source_id = answered(cast.ada, fake)
    handed.clear()
    door.huey.flush()
    keeping.sweep.call_local()
    assert ("spotify_connect", source_id) in handed
    ours = {name for name in door.CARRIERS if name.startswith("spotify_")}
    assert ours == {"spotify_connect", "spotify_renew", "spotify_import", "spotify_keep"}
