"""Rules of people's own libraries: who connects one, what becomes of its tracks, and that its keys stay here."""

from __future__ import annotations

import pytest

from models import Event, Holding, Item, Search, SearchAnswer, Source, Suggestion, Track, User
from party import configuring, personal, playback, queue, source_shelf, sources, suggestions, tracks, work
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, NotKnown, Refusal, TooMany
from party.sources import Elsewhere, Streamed
from tests.accounts import PASSWORD, make_account
from tests.conftest import POSTGRES_URL
from tests.ledger import every_row
from tests.party.test_races import meanwhile
from tests.stage import Cast

HOME, SECRET = "https://music.example.org", "Quokka word"
ROWS = [
    {"what": "track", "id": f"s{n}", "title": f"Tune {n}", "artist": "Herons", "album": "Wires", "duration_ms": 61_000,
     "mime": "audio/mpeg", "way": "raw", "is_video": False, "is_explicit": n == 2, "count": 0}
    for n in range(4)
]  # fmt: skip


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    given: list[tuple[str, object]] = []
    for name in ("check_source", "browse_source", "fetch_cover", "look_up"):
        monkeypatch.setitem(work.carriers, name, lambda each, name=name: given.append((name, each)))
    return given


@pytest.fixture
def owner(cast: Cast) -> Person:
    """Ada, with an account."""
    User.update(email="ada@example.org", password_hash="x").where(User.id == cast.ada.user_id).execute()
    return cast.ada


def connect(owner: Person, **other: str) -> int:
    given = {"kind": "subsonic", "address": HOME, "username": "ada", "secret": SECRET} | other
    return sources.connect(owner, **given)


def ready(owner: Person, **other: str) -> int:
    source_id = connect(owner, **other)
    keys = sources.claim(source_id)
    assert keys is not None
    sources.found_good(keys, password=keys.password, key=keys.key, user="")
    return source_id


def shown(owner: Person, cast: Cast, source_id: int, words: str = "album:a", rows: list[dict] = ROWS) -> int:
    search_id = source_shelf.ask(owner, cast.code, source_id, words)
    source_shelf.fill_in(SearchAnswer.get(SearchAnswer.search == search_id).id, rows, "Wires", "albums:1")
    return search_id


def put(owner: Person, cast: Cast, source_id: int, item: str = "s1") -> Track:
    source_shelf.put_on(owner, cast.code, shown(owner, cast, source_id), item)
    return Track.get(Track.slug == f"subsonic-{source_id}-{item}")


def refused(kind: type[Refusal], act: object) -> str:
    before = every_row()
    with pytest.raises(kind) as said:
        act()  # type: ignore[operator]
    assert every_row() == before
    return said.value.message


# --- connecting -------------------------------------------------------------------------------------------------------


def test_a_server_is_kept_sealed_and_looked_at(owner: Person, handed: list[object]) -> None:
    source_id = connect(owner)
    row = Source.get_by_id(source_id)
    assert (row.state, row.name, row.address, handed) == (
        "connecting",
        "music.example.org",
        HOME,
        [("check_source", source_id)],
    )
    assert SECRET not in repr(row.__data__)
    keys = sources.claim(source_id)
    assert keys is not None and (keys.password, keys.key, keys.username) == (SECRET, "", "ada")
    assert len(keys.device) == 16 and SECRET not in repr(keys)


def test_without_a_name_the_secret_is_a_key(owner: Person) -> None:
    keys = sources.claim(connect(owner, username=""))
    assert keys is not None and (keys.password, keys.key) == ("", SECRET)


def test_only_accounts_connect(cast: Cast) -> None:
    assert refused(NotAllowed, lambda: connect(cast.cleo)) == sources.ACCOUNT_FIRST
    refused(NotKnown, lambda: connect(Person(999)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "spotify"}, {"kind": ""}, {"address": "http://music.example.org"}, {"address": "music.example.org"},
        {"address": "https://ada:secret@music.example.org"}, {"address": "https://music.example.org?x=1"},
        {"address": "https://music.example.org/" + "a" * 300}, {"address": "ftp://music.example.org"}, {"address": ""},
        {"secret": " "}, {"secret": "a" * 501}, {"username": "a" * 101},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(owner: Person, wrong: dict[str, str]) -> None:
    assert SECRET not in refused(Invalid, lambda: connect(owner, **wrong))


def test_a_house_of_the_operators_may_be_plain_http(owner: Person) -> None:
    sources.connect(
        owner,
        kind="jellyfin",
        address="http://nas:8096/",
        username="",
        secret="k",
        private_hosts=("nas:8096",),
    )
    assert Source.get().address == "http://nas:8096"


def test_five_are_enough_and_one_is_connected_once(owner: Person) -> None:
    for number in range(sources.MOST):
        connect(owner, address=f"{HOME}/{number}")
    assert "5 libraries" in refused(Conflict, lambda: connect(owner, address=f"{HOME}/5"))
    sources.disconnect(owner, sources.mine(owner.user_id)[0].id)
    assert (
        refused(Conflict, lambda: connect(owner, address=f"{HOME}/1")) == "That library is connected already."
    )


def test_keys_cannot_be_guessed_by_way_of_us(owner: Person) -> None:
    source_id = connect(owner)
    for number in range(sources.LIMIT.most - 1):
        sources.sign_in_again(owner, source_id, f"guess {number}")
    refused(TooMany, lambda: sources.sign_in_again(owner, source_id, "one more"))


def test_what_a_check_says_counts_for_the_keys_it_had(owner: Person) -> None:
    source_id = connect(owner)
    old = sources.claim(source_id)
    assert old is not None
    sources.sign_in_again(owner, source_id, "another")
    sources.found_bad(old, "No.")
    sources.found_good(old, password="x", key="", user="")
    assert Source.get().state == "connecting"
    new = sources.claim(source_id)
    assert new is not None and new.password == "another"
    sources.found_bad(new, "That name and password are not right there.")
    assert (Source.get().state, Source.get().failure) == (
        "failed",
        "That name and password are not right there.",
    )
    sources.sign_in_again(owner, source_id, "")
    again = sources.claim(source_id)
    assert again is not None and again.password == "another", "nothing typed: the keys we have"


def test_a_token_takes_the_place_of_a_password(owner: Person) -> None:
    source_id = connect(owner, kind="jellyfin")
    keys = sources.claim(source_id)
    assert keys is not None
    sources.found_good(keys, password="", key="a token", user="u1")
    kept = sources.keys_of(Source.get_by_id(source_id))
    assert kept is not None
    assert (kept.password, kept.key, kept.user, kept.device) == ("", "a token", "u1", keys.device)
    assert sources.claim(source_id) is None, "looked at already"


def test_keys_that_cannot_be_read_any_more_say_so(owner: Person) -> None:
    source_id = ready(owner)
    Source.update(secret="gAAAA").where(Source.id == source_id).execute()
    assert sources.keys_of(Source.get_by_id(source_id)) is None
    assert (Source.get().state, Source.get().failure) == ("failed", sources.LOST)


def test_what_was_lost_is_found_by_the_sweep(owner: Person, cast: Cast, time) -> None:
    source_id = connect(owner)
    assert sources.due() == []
    time.move(61)
    assert sources.due() == [source_id]
    assert sources.claim(source_id) and sources.due() == [], "it is being looked at"
    time.move(61)
    assert sources.due() == [source_id]
    track = put(owner, cast, ready(owner, address=f"{HOME}/2"))
    assert sources.coverless() == []
    time.move(61)
    assert sources.coverless() == [track.id]


def test_others_have_no_say_in_it(owner: Person, cast: Cast) -> None:
    source_id, other = ready(owner), make_account("ben@example.org", "Ben")
    search_id = shown(owner, cast, source_id)
    for act in (
        lambda: sources.disconnect(other, source_id),
        lambda: sources.sign_in_again(other, source_id, "x"),
        lambda: source_shelf.ask(cast.ben, cast.code, source_id, "words"),
        lambda: source_shelf.put_on(cast.ben, cast.code, search_id, "s1"),
        lambda: source_shelf.look(cast.ben, search_id, cast.seen()),
    ):
        refused(NotFound, act)
    assert sources.mine(other.user_id) == ()


# --- looking and putting on -------------------------------------------------------------------------------------------


def test_a_question_goes_to_the_worker_and_its_answer_is_the_owners(
    owner: Person, cast: Cast, handed: list[object]
) -> None:
    source_id = ready(owner)
    search_id = source_shelf.ask(owner, cast.code, source_id, "Night Bus")
    answer = SearchAnswer.get()
    assert (answer.source, handed[-1]) == (f"source:{source_id}", ("browse_source", answer.id))
    asked = source_shelf.claim(answer.id)
    assert asked is not None and asked[1] == "Night Bus"
    assert source_shelf.look(owner, search_id, cast.seen()).state == "waiting"
    source_shelf.fill_in(answer.id, ROWS, "Wires", "albums:1")
    view = source_shelf.look(owner, search_id, cast.seen())
    assert (view.state, view.title, view.more, len(view.rows), view.can_all) == (
        "ready",
        "Wires",
        "albums:1",
        4,
        False,
    )
    assert source_shelf.claim(answer.id) is None
    source_shelf.give_up(answer.id, "Too late.")
    assert source_shelf.look(owner, search_id, cast.seen()).state == "ready"


def test_an_answer_that_does_not_come_is_not_waited_for(owner: Person, cast: Cast, time) -> None:
    search_id = source_shelf.ask(owner, cast.code, ready(owner), "x")
    time.move(26)
    assert source_shelf.look(owner, search_id, cast.seen()).state == "late"
    source_shelf.give_up(SearchAnswer.get().id, "Busy.")
    view = source_shelf.look(owner, search_id, cast.seen())
    assert (view.state, view.failure) == ("failed", "Busy.")


def test_who_may_ask(owner: Person, cast: Cast) -> None:
    source_id = connect(owner)
    assert (
        refused(Conflict, lambda: source_shelf.ask(owner, cast.code, source_id, "x"))
        == source_shelf.STILL_LOOKED_AT
    )
    keys = sources.claim(source_id)
    assert keys is not None
    sources.found_bad(keys, "Sign in again.")
    assert refused(Conflict, lambda: source_shelf.ask(owner, cast.code, source_id, "x")) == "Sign in again."
    good = ready(owner, address=f"{HOME}/2")
    for words in ("", " ", "a" * 201):
        refused(Invalid, lambda words=words: source_shelf.ask(owner, cast.code, good, words))
    configuring.change_settings(cast.ada, cast.code, {"links": False})
    refused(NotAllowed, lambda: source_shelf.ask(owner, cast.code, good, "x"))


def test_a_track_is_made_of_what_the_worker_wrote_down(
    owner: Person, cast: Cast, handed: list[object]
) -> None:
    source_id = ready(owner)
    track = put(owner, cast, source_id)
    assert (track.title, track.duration_ms, track.mime, track.provider, track.player, track.state) == (
        "Tune 1", 61_000, "audio/mpeg", "subsonic", "file", "ready",
    )  # fmt: skip
    assert (track.reference, track.source_id, track.is_listed, handed[-1]) == (
        "raw/s1", source_id, False, ("fetch_cover", track.id),
    )  # fmt: skip
    assert Holding.get().user_id == owner.user_id
    now = cast.seen().now
    assert now is not None and now.track.media_url.startswith(f"/media/{track.id}/")
    refused(NotFound, lambda: source_shelf.put_on(owner, cast.code, Search.get().id, "s9"))
    found = source_shelf.look(owner, shown(owner, cast, source_id), cast.seen())
    assert [row.queue_position for row in found.rows] == [None] * 4, "it plays, and waits nowhere"


def test_the_same_track_twice_is_refused(owner: Person, cast: Cast) -> None:
    cast.add(1)
    search_id = shown(owner, cast, ready(owner))
    source_shelf.put_on(owner, cast.code, search_id, "s1")
    assert "already in line" in refused(
        Conflict, lambda: source_shelf.put_on(owner, cast.code, search_id, "s1")
    )
    [row] = [row for row in source_shelf.look(owner, search_id, cast.seen()).rows if row.queue_position]
    track = Track.get(Track.source.is_null(False))
    assert (row.id, row.queue_position, row.track_id) == ("s1", 1, track.id)
    # What the room put on by itself may be added, here as in the library.
    Item.update(is_filler=True).where(Item.track == track).execute()
    rows = source_shelf.look(owner, search_id, cast.seen()).rows
    assert [each.queue_position for each in rows] == [None] * 4
    assert [each.track_id for each in rows if each.id == "s1"] == [track.id]


def test_what_does_not_play_is_not_put_on(owner: Person, cast: Cast) -> None:
    search_id = shown(owner, cast, ready(owner), rows=[{**ROWS[0], "mime": ""}])
    assert (
        refused(Conflict, lambda: source_shelf.put_on(owner, cast.code, search_id, "s0"))
        == source_shelf.NOTHING_PLAYS
    )


def test_a_whole_album_goes_on_by_the_rooms_rules(owner: Person, cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"explicit": False})
    source_id = ready(owner)
    put(owner, cast, source_id, "s3")
    search_id = shown(owner, cast, source_id, rows=[*ROWS, {**ROWS[0], "id": "film", "mime": ""}])
    assert source_shelf.look(owner, search_id, cast.seen()).can_all
    done = source_shelf.put_on(owner, cast.code, search_id)
    assert (done.added, done.left, done.stopped) == (3, (("broken", 1), ("explicit", 1)), "")
    assert Item.select().count() == 4 and not Track.select().where(Track.is_explicit).exists()


def test_no_more_than_a_hundred_go_on_at_once_and_a_limit_stops_it(owner: Person, cast: Cast) -> None:
    many = [{**ROWS[0], "id": f"m{n}"} for n in range(150)]
    search_id = shown(owner, cast, ready(owner), rows=many)
    assert source_shelf.put_on(owner, cast.code, search_id).added == source_shelf.MOST_PUT_ON
    User.update(email="cleo@example.org").where(User.id == cast.cleo.user_id).execute()
    configuring.change_settings(cast.ada, cast.code, {"max_waiting": 3})
    done = source_shelf.put_on(cast.cleo, cast.code, shown(cast.cleo, cast, ready(cast.cleo)))
    assert (done.added, done.behind) == (3, 1) and done.stopped


def test_where_the_host_decides_it_is_suggested(owner: Person, cast: Cast) -> None:
    configuring.change_settings(cast.ada, cast.code, {"add": "approval"})
    User.update(email="cleo@example.org").where(User.id == cast.cleo.user_id).execute()
    source_id = ready(cast.cleo)
    track = put(cast.cleo, cast, source_id)
    wish = Suggestion.get(Suggestion.track == track)
    sources.disconnect(cast.cleo, source_id)
    assert "item_described" in cast.kinds()
    with pytest.raises(Conflict, match=sources.GONE):
        suggestions.decide_suggestion(cast.ada, cast.code, wish.id, "approve")


# --- disconnecting ----------------------------------------------------------------------------------------------------


def test_tracks_of_a_disconnected_library_say_so_and_playing_goes_on(owner: Person, cast: Cast) -> None:
    source_id = ready(owner)
    playing = put(owner, cast, source_id, "s1")
    [after] = cast.add(1)
    waiting = put(owner, cast, source_id, "s3")
    before = cast.room().seq
    sources.disconnect(owner, source_id)
    assert not Source.select().exists() and not SearchAnswer.select().exists()
    for track in (playing, waiting):
        row = Track.get_by_id(track.id)
        assert (row.state, row.failure, row.reference, row.source_id) == ("failed", sources.GONE, "", None)
    seen = cast.seen()
    assert seen.now is not None and seen.playback.item_id == after
    assert [item.track.failure for item in seen.items] == [sources.GONE]
    assert cast.kinds(before) == ["item_described", "item_described", "item_ended", "item_started"]
    with pytest.raises(Conflict, match=sources.GONE):
        queue.add_item(cast.ada, cast.code, playing.id)


def test_a_new_library_is_not_taken_for_the_old_one(owner: Person, cast: Cast) -> None:
    old = put(owner, cast, ready(owner))
    sources.disconnect(owner, old.source_id)
    new = put(owner, cast, ready(owner))
    assert new.id != old.id and new.state == "ready"


@pytest.mark.skipif(bool(POSTGRES_URL), reason="only SQLite gives a number again")
def test_a_cover_of_the_old_one_is_not_the_new_ones(owner: Person, cast: Cast, time) -> None:
    old = put(owner, cast, ready(owner))
    first = sources.claim_cover(old.id)
    sources.disconnect(owner, old.source_id)
    time.move(1)
    new = put(owner, cast, ready(owner))
    second = sources.claim_cover(new.id)
    assert first and second and first.slug == second.slug, "the number is given again"
    assert (first.slug, first.added_at) != (second.slug, second.added_at)


def test_an_account_that_goes_takes_its_library_along(owner: Person, cast: Cast) -> None:
    person = make_account("eve@example.org", "Eve")
    from party import people

    people.join(person, cast.code)
    track = put(person, cast, ready(person))
    personal.delete(person, PASSWORD)
    assert not Source.select().exists()
    assert (Track.get_by_id(track.id).state, Track.get_by_id(track.id).failure) == ("failed", sources.GONE)
    assert cast.seen().now is None


# --- bytes and covers -------------------------------------------------------------------------------------------------


def mark(track: Track, cover: str) -> str:
    return tracks.mark(track.id, track.media_file, cover, track.added_at)


def test_bytes_are_for_whoever_has_the_address(owner: Person, cast: Cast) -> None:
    source_id = ready(owner)
    track = put(owner, cast, source_id)
    found = sources.served(track.id, mark(track, ""))
    assert isinstance(found, Streamed) and (found.item, found.way, found.mime) == ("s1", "raw", "audio/mpeg")
    assert found.keys.password == SECRET and SECRET not in repr(found)
    with pytest.raises(NotFound):
        sources.served(track.id, "x" * 20)
    here = Track.get_by_id(cast.tracks[0])
    assert sources.served(here.id, mark(here, here.cover_file)) == (here.media_file, here.mime)
    for wrong in (mark(here, ""), "x" * 20):
        with pytest.raises(NotFound):
            sources.served(here.id, wrong)
    sources.found_bad(found.keys, "Sign in again.")
    with pytest.raises(Elsewhere, match="Sign in again."):
        sources.served(track.id, mark(track, ""))
    sources.disconnect(owner, source_id)
    with pytest.raises(NotFound, match=sources.GONE):
        sources.served(track.id, mark(track, ""))


def test_a_cover_is_told_once_and_what_plays_keeps_its_address(owner: Person, cast: Cast) -> None:
    track = put(owner, cast, ready(owner))
    coverless = sources.claim_cover(track.id)
    assert coverless is not None and coverless.item == "s1" and coverless.keys is not None
    before = cast.room().seq
    assert sources.cover_found(track.id, "covers/a-640.webp", "90")
    assert not sources.cover_found(track.id, "covers/b-640.webp", "10")
    assert cast.kinds(before) == ["item_described"]
    now = cast.seen().now
    assert now is not None and now.track.hue == "90"
    for cover in ("", "covers/a-640.webp"):
        assert sources.served(track.id, mark(track, cover)) is not None
    with pytest.raises(NotFound):
        sources.served(track.id, mark(track, "covers/b-640.webp"))
    assert sources.claim_cover(track.id) is None and sources.coverless() == []


def test_a_cover_that_cannot_be_had_is_drawn_in_the_end(owner: Person, cast: Cast) -> None:
    track = put(owner, cast, ready(owner))
    asked = [sources.claim_cover(track.id) for _ in range(sources.MOST_COVER_TRIES + 1)]
    assert [each is not None and each.keys is not None for each in asked] == [True, True, True, False]


def test_keys_are_in_no_event_and_in_no_export(owner: Person, cast: Cast) -> None:
    source_id = ready(owner)
    put(owner, cast, source_id)
    playback.pause(cast.ada, cast.code)
    sources.disconnect(owner, source_id)
    logged = repr([row.data for row in Event.select()])
    taken = repr(personal.export(owner))
    for secret in (SECRET, "music.example.org"):
        assert secret not in logged
    assert SECRET not in taken and "Tune 1" in taken


# --- at the same instant ----------------------------------------------------------------------------------------------


def test_a_library_that_is_connected_twice_at_once_is_connected_once(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    twice = [lambda: connect(owner)] * 2
    _, refusal = meanwhile(monkeypatch, (sources.attempts, "spend"), *twice)
    assert isinstance(refusal, Conflict) and Source.select().count() == 1


def test_a_track_that_is_put_on_while_its_library_goes_says_so(
    owner: Person, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.add(1)
    source_id = ready(owner)
    search_id = shown(owner, cast, source_id)
    putting = lambda: source_shelf.put_on(owner, cast.code, search_id, "s1")  # noqa: E731
    meanwhile(monkeypatch, (queue, "start_if_idle"), putting, lambda: sources.disconnect(owner, source_id))
    [item] = cast.seen().items
    assert item.track.failure == sources.GONE and cast.kinds()[-1] == "item_described"


def test_a_library_that_goes_while_a_track_of_it_is_put_on_gives_none(
    owner: Person, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = ready(owner)
    search_id = shown(owner, cast, source_id)
    _, refusal = meanwhile(
        monkeypatch,
        (sources, "hold_of"),
        lambda: sources.disconnect(owner, source_id),
        lambda: source_shelf.put_on(owner, cast.code, search_id, "s1"),
    )
    assert isinstance(refusal, NotFound) and not Item.select().exists()
