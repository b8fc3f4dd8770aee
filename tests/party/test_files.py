"""A file goes once nobody holds it any more, with all that names it, and every line that had it hears of it."""

from __future__ import annotations

import pytest

from models import (
    Event,
    Holding,
    Item,
    Play,
    Playback,
    Playlist,
    PlaylistEntry,
    Room,
    SiteEvent,
    Subtitle,
    Suggestion,
    Track,
    Upload,
    User,
)
from party import files, health, operating, people, personal, playback, queue, rooms, shelf, tracks, work
from party.change import Person
from party.errors import Conflict, NotFound
from tests.accounts import PASSWORD, make_account
from tests.ledger import every_row
from tests.stage import Cast

NAMES = [
    "uploads/a.flac", "uploads/a.opus", "covers/a-640.webp", "covers/a-320.webp", "covers/a-96.webp", "subtitles/a.vtt",
]  # fmt: skip


@pytest.fixture
def handed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was handed to the worker."""
    seen: list[tuple[object, ...]] = []
    for name in ("sweep_files", "delete_files"):
        monkeypatch.setitem(work.carriers, name, lambda *words, name=name: seen.append((name, *words)))
    return seen


def bring(person: Person, code: str | None, key: str = "a", size: int = 1000) -> int:
    """A film that somebody uploaded, into a room or for themselves; its track."""
    track = Track.create(
        slug=f"upload-{key}", title=f"Film {key}", artist="", search=f"film {key}", added_at=1, duration_ms=100_000,
        media_file=f"uploads/{key}.flac", opus_file=f"uploads/{key}.opus", cover_file=f"covers/{key}-640.webp",
        provider="upload", mime="audio/flac", size_bytes=size, sha256=key * 64, peaks="0a", loudness_lufs=-9.0,
    )  # fmt: skip
    Subtitle.create(
        track=track, label="English", file=f"subtitles/{key}.vtt", added_by=person.user_id, added_at=1
    )
    hold(track.id, person, code)
    return int(track.id)


def hold(track_id: int, person: Person, code: str | None) -> None:
    room = Room.get_or_none(Room.code == code)
    shelf.bring(Track.get_by_id(track_id), room.id if room else None, person.user_id, 1)


def keep(person: Person, track_id: int, **more: object) -> PlaylistEntry:
    """A playlist of somebody's that has the track."""
    mine = Playlist.create(user=person.user_id, name="Mine", created_at=1, changed_at=1)
    return PlaylistEntry.create(playlist=mine, track=track_id, title="t", position="a", added_at=1, **more)


# --- who holds it ----------------------------------------------------------------------------------------------------


def test_what_somebody_or_some_room_holds_stays(cast: Cast, handed: list[object]) -> None:
    track = bring(cast.cleo, cast.code)
    before = every_row()
    assert files.orphans() == [] and files.give_up_orphans() == [] and files.give_up(track) == []
    assert every_row() == before


def test_what_nobody_holds_goes_with_all_its_files(cast: Cast) -> None:
    track, other = bring(cast.cleo, cast.code), bring(cast.ben, None, "b")
    Holding.delete().where(Holding.track == track).execute()
    assert files.orphans() == [track]
    assert sorted(files.give_up_orphans()) == sorted(NAMES)
    assert Track.get_or_none(Track.id == track) is None and Track.get_by_id(other).state == "ready"
    assert not Subtitle.select().where(Subtitle.track == track).exists()
    assert files.orphans() == [] and files.give_up(track) == []


def test_the_library_of_all_and_links_are_never_given_up(cast: Cast) -> None:
    Track.create(
        slug="link", title="Link", artist="", search="link", added_at=1, media_file="", cover_file="covers/l-640.webp",
        provider="direct", reference="https://example.org/a.mp3",
    )  # fmt: skip
    assert files.orphans() == []
    assert files.give_up(cast.tracks[0]) == [] and files.give_up(999) == []


def test_what_is_only_just_being_looked_at_is_not_held_yet(cast: Cast) -> None:
    track = bring(cast.cleo, None)
    Holding.delete().execute()
    upload = Upload.create(
        token="t", user=cast.cleo.user_id, name="a", size_bytes=1, state="checking", track=track, began_at=1,
        touched_at=1,
    )  # fmt: skip
    assert files.orphans() == []
    Upload.update(state="ready").where(Upload.id == upload.id).execute()
    assert files.orphans() == [track]


def test_a_playlist_of_anybody_keeps_it(cast: Cast, time) -> None:
    track = bring(cast.cleo, None)
    Holding.delete().execute()
    entry = keep(cast.dan, track)
    assert files.orphans() == []
    # What was taken off may be put back for a day.
    PlaylistEntry.update(removed_at=time.now_ms).where(PlaylistEntry.id == entry.id).execute()
    assert files.orphans() == []
    time.move(86_401)
    assert files.orphans() == [track]
    PlaylistEntry.update(removed_at=None).where(PlaylistEntry.id == entry.id).execute()
    Playlist.update(deleted_at=time.now_ms).where(Playlist.id == entry.playlist_id).execute()
    assert files.orphans() == []
    time.move(86_401)
    assert files.orphans() == [track]


# --- what becomes of its lines ---------------------------------------------------------------------------------------


def test_a_line_that_had_it_keeps_the_row_for_its_history(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    cast.add(1)
    [item] = [queue.add_item(cast.cleo, cast.code, track)]
    queue.remove_item(cast.cleo, cast.code, item)
    Holding.delete().execute()
    before = cast.room().seq
    assert sorted(files.give_up_orphans()) == sorted(NAMES)
    kept = Track.get_by_id(track)
    assert (kept.media_file, kept.opus_file, kept.cover_file, kept.peaks) == ("", "", "", "")
    assert (kept.sha256, kept.size_bytes, kept.state, kept.failure) == (
        None,
        0,
        "failed",
        "Its file was deleted.",
    )
    assert kept.title == "Film a" and not Subtitle.select().exists()
    # Nothing waits, so nobody has to look again.
    assert cast.kinds(before) == [] and files.orphans() == []


def test_where_it_waits_the_line_says_so_and_plays_the_next(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    cast.add(1)
    item = queue.add_item(cast.cleo, cast.code, track)
    [last] = cast.add(1)
    Holding.delete().execute()
    before = cast.room().seq
    files.give_up_orphans()
    assert cast.kinds(before) == ["item_described"]
    [row] = Event.select().where(Event.kind == "item_described")
    assert row.data == {"item_id": item} and row.actor_id is None
    [view] = [each for each in cast.seen().items if each.id == item]
    assert (view.track.state, view.track.failure) == ("failed", "Its file was deleted.")
    playback.skip(cast.ada, cast.code)
    assert cast.seen().now.id == last


def test_where_it_plays_the_room_goes_on_with_the_next(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    item = queue.add_item(cast.cleo, cast.code, track)
    [following] = cast.add(1)
    assert cast.seen().now.id == item
    Holding.delete().execute()
    before = cast.room().seq
    files.give_up_orphans()
    assert cast.kinds(before) == ["item_described", "item_ended", "item_started"]
    assert cast.seen().now.id == following and Item.get_by_id(item).state == "played"
    [ended] = Play.select().where(Play.item == item)
    assert ended.end_reason == "skipped" and ended.ended_at is not None


def test_where_it_plays_and_nothing_follows_the_room_falls_quiet(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    queue.add_item(cast.cleo, cast.code, track)
    Holding.delete().execute()
    files.give_up_orphans()
    assert cast.seen().now is None and Playback.get().state == "idle"


def test_every_room_that_has_it_hears_of_it_and_an_ended_one_does_not(cast: Cast, time) -> None:
    track = bring(cast.cleo, cast.code)
    codes = [rooms.open_room(cast.ada, name, 300) for name in ("Second", "Third")]
    for code in (cast.code, *codes):
        hold(track, cast.ada, code)
        queue.add_item(cast.ada, code, cast.tracks[0])
        queue.add_item(cast.ada, code, track)
    operating.end_room(None, codes[1])
    Holding.delete().execute()
    before = {code: Room.get(Room.code == code).seq for code in (cast.code, *codes)}
    files.give_up_orphans()
    told = {code: Room.get(Room.code == code).seq - before[code] for code in before}
    assert told == {cast.code: 1, codes[0]: 1, codes[1]: 0}
    assert Track.get_by_id(track).state == "failed"


def test_a_suggestion_keeps_the_row_too(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    Suggestion.create(room=cast.room(), member=cast.members["cleo"], track=track, asked_at=1)
    Holding.delete().execute()
    files.give_up_orphans()
    assert Track.get_by_id(track).state == "failed" and Suggestion.select().count() == 1


def test_what_was_given_up_is_not_taken_onto_a_line_again(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    queue.add_item(cast.cleo, cast.code, track)
    keep(cast.cleo, track, removed_at=1)
    Holding.delete().execute()
    files.give_up_orphans()
    PlaylistEntry.update(removed_at=None).execute()
    before = every_row()
    with pytest.raises(Conflict, match="Its file was deleted"):
        queue.add_item(cast.cleo, cast.code, track)
    assert every_row() == before


def test_the_same_bytes_may_come_again_and_are_another_track(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    queue.add_item(cast.cleo, cast.code, track)
    Holding.delete().execute()
    files.give_up_orphans()
    again = bring(cast.ben, cast.code)
    assert again != track and (Track.get_by_id(again).state, Track.get_by_id(track).state) == (
        "ready",
        "failed",
    )


# --- why nobody holds it ---------------------------------------------------------------------------------------------


def test_a_deleted_room_lets_go_of_its_files(cast: Cast, handed: list[tuple[object, ...]]) -> None:
    here, both = bring(cast.cleo, cast.code), bring(cast.ada, cast.code, "b")
    second = rooms.open_room(cast.ada, "Second", 300)
    hold(both, cast.ada, second)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert handed == [("sweep_files",)]
    assert files.orphans() == [here]
    assert sorted(files.give_up_orphans()) == sorted(NAMES)


def test_a_room_that_was_not_deleted_hands_nothing_over(cast: Cast, handed: list[object]) -> None:
    with pytest.raises(Exception, match="letter for letter"):
        rooms.delete_room(cast.ada, cast.code, "Saturday")
    assert handed == []


def test_a_deleted_account_lets_go_of_its_files_and_of_all_it_kept(
    cast: Cast, handed: list[tuple[object, ...]]
) -> None:
    eve = make_account("eve@example.org", "Eve")
    mine, shared, waiting = bring(eve, None), bring(eve, cast.code, "b"), bring(eve, cast.code, "c")
    hold(shared, cast.cleo, cast.code)
    queue.add_item(cast.ada, cast.code, cast.tracks[0])
    people.join(eve, cast.code)
    queue.add_item(eve, cast.code, waiting)
    keep(eve, cast.tracks[0])
    Upload.create(token="t", user=eve.user_id, name="half", size_bytes=9, began_at=1, touched_at=1)
    taken = personal.export(eve)["tracks_brought"]
    assert [(row["title"], row["bytes"]) for row in taken] == [
        ("Film a", 1000),
        ("Film b", 1000),
        ("Film c", 1000),
    ]
    personal.delete(eve, PASSWORD)
    assert handed == [("sweep_files",)]
    assert files.orphans() == [mine, waiting]
    assert (
        not Upload.select().exists()
        and not Playlist.select().exists()
        and not PlaylistEntry.select().exists()
    )
    files.give_up_orphans()
    assert Track.get_or_none(Track.id == mine) is None
    assert Track.get_by_id(waiting).failure == files.GONE and Track.get_by_id(shared).state == "ready"


def test_a_guest_who_sat_in_a_room_lets_go_too_though_a_name_stays(cast: Cast, handed: list[object]) -> None:
    track = bring(cast.cleo, cast.code)
    personal.delete(cast.cleo, "")
    assert User.get_by_id(cast.cleo.user_id).display_name == personal.NOBODY
    assert files.orphans() == [track]


def test_old_ended_rooms_let_go_of_their_files(cast: Cast, handed: list[tuple[object, ...]], time) -> None:
    track = bring(cast.cleo, cast.code)
    operating.end_room(None, cast.code)
    time.move(86_400 * 31)
    assert health.forget_ended_rooms(30) == 1
    assert handed == [("sweep_files",)] and files.orphans() == [track]


def test_whoever_brought_it_takes_it_out_of_their_library(
    cast: Cast, handed: list[tuple[object, ...]]
) -> None:
    track = bring(cast.cleo, cast.code)
    hold(track, cast.cleo, None)
    before = every_row()
    for other, number in ((cast.ada, track), (cast.cleo, cast.tracks[0]), (cast.cleo, 999)):
        with pytest.raises(NotFound, match="not among yours"):
            files.forget(other, number)
    assert every_row() == before and handed == []
    files.forget(cast.cleo, track)
    assert handed == [("sweep_files",)] and files.orphans() == [track]
    assert not Holding.select().exists()


def test_a_playlist_of_ones_own_does_not_keep_what_one_gave_up_and_anothers_does(cast: Cast) -> None:
    mine, theirs = bring(cast.cleo, cast.code), bring(cast.cleo, None, "b")
    entry, other, kept = keep(cast.cleo, mine), keep(cast.cleo, theirs), keep(cast.dan, theirs)
    files.forget(cast.cleo, mine)
    assert [PlaylistEntry.get_by_id(each.id).track_id for each in (entry, other)] == [None, theirs]
    files.forget(cast.cleo, theirs)
    assert files.orphans() == [mine] and PlaylistEntry.get_by_id(kept.id).track_id == theirs


def held(track_id: int) -> list[tuple[int, int | None]]:
    """Who holds a file, and in which room."""
    rows = Holding.select(Holding.user, Holding.room).where(Holding.track == track_id).order_by(Holding.user)
    return list(rows.tuples())


def test_what_its_bringer_gave_up_is_carried_by_all_who_keep_it(cast: Cast, time) -> None:
    track, other = bring(cast.cleo, cast.code), bring(cast.cleo, cast.code, "b")
    first = keep(cast.dan, track)
    keep(cast.dan, track)
    keep(cast.ben, track)
    assert files.give_up_orphans() == [] and held(track) == [(cast.cleo.user_id, cast.room().id)]
    files.forget(cast.cleo, track)
    time.move(5)
    assert files.give_up_orphans() == []
    assert held(track) == [(cast.ben.user_id, None), (cast.dan.user_id, None)]
    assert [files.counted_for_person(each.user_id) for each in (cast.ben, cast.dan, cast.cleo)] == [1000] * 3
    assert files.find_own(cast.dan).rows == (files.OwnFile(track, "Film a", "", 1000, time.now_ms),)
    assert files.counted_for_room(cast.room().id) == 1000 and held(other)
    before = every_row()
    assert files.give_up_orphans() == [] and every_row() == before
    # Off the playlist it is theirs still, until they give it up as well; the last one's file goes.
    PlaylistEntry.update(removed_at=1).where(PlaylistEntry.playlist == first.playlist).execute()
    files.forget(cast.ben, track)
    assert files.give_up_orphans() == [] and held(track) == [(cast.dan.user_id, None)]
    files.forget(cast.dan, track)
    assert sorted(files.give_up_orphans()) == sorted(NAMES)


def test_what_was_taken_off_a_playlist_is_carried_only_once_it_is_back(cast: Cast, time) -> None:
    track = bring(cast.cleo, cast.code)
    entry, gone = keep(cast.dan, track, removed_at=time.now_ms), keep(cast.ben, track)
    Playlist.update(deleted_at=time.now_ms).where(Playlist.id == gone.playlist_id).execute()
    files.forget(cast.cleo, track)
    assert files.give_up_orphans() == [] and held(track) == []
    PlaylistEntry.update(removed_at=None).where(PlaylistEntry.id == entry.id).execute()
    assert files.give_up_orphans() == [] and held(track) == [(cast.dan.user_id, None)]


def test_what_went_with_its_room_stays_with_a_bringer_who_keeps_it(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    keep(cast.cleo, track)
    rooms.delete_room(cast.ada, cast.code, "Friday")
    assert files.give_up_orphans() == [] and held(track) == [(cast.cleo.user_id, None)]


def test_what_is_looked_at_held_or_gone_meanwhile_is_not_handed_on(cast: Cast) -> None:
    track, theirs = bring(cast.cleo, None), bring(cast.cleo, cast.code, "b")
    Holding.delete().where(Holding.track == track).execute()
    upload = Upload.create(
        token="t", user=cast.ben.user_id, name="a", size_bytes=1, state="checking", track=track, began_at=1,
        touched_at=1,
    )  # fmt: skip
    keep(cast.dan, track)
    before = every_row()
    for number in (track, theirs, 999):
        files._hand_on(number, [cast.dan.user_id])
    assert every_row() == before
    Upload.update(state="cancelled").where(Upload.id == upload.id).execute()
    # Ben does not keep it any more, Cleo only came to since.
    keep(cast.cleo, track)
    files._hand_on(track, [cast.ben.user_id, cast.dan.user_id, 999])
    assert held(track) == [(cast.dan.user_id, None)]


def test_ones_own_files_are_listed_once_the_latest_first(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = bring(cast.cleo, cast.code, "a", 1000), bring(cast.cleo, None, "b", 20)
    Holding.update(added_at=5).where(Holding.track == first).execute()
    hold(first, cast.cleo, None)
    hold(second, cast.ben, None)
    bring(cast.ben, cast.code, "c")
    # A link takes no space, and what everybody has is nobody's to give up.
    link = Track.create(
        slug="l", title="Link", artist="", search="", added_at=1, media_file="", cover_file=""
    )
    for each in (link.id, cast.tracks[0]):
        hold(each, cast.cleo, cast.code)
    Track.update(is_listed=True).where(Track.id == cast.tracks[0]).execute()
    seen = files.find_own(cast.cleo)
    assert seen.rows == (
        files.OwnFile(first, "Film a", "", 1000, 5),
        files.OwnFile(second, "Film b", "", 20, 1),
    )
    assert (seen.page, seen.total, seen.has_more) == (1, 2, False)
    assert files.find_own(cast.dan) == files.OwnFiles((), 1, 0)
    monkeypatch.setattr(files, "PAGE", 1)
    pages = [files.find_own(cast.cleo, page) for page in (1, 2, 3)]
    assert [[row.track_id for row in page.rows] for page in pages] == [[first], [second], [second]]
    assert [(page.page, page.has_more) for page in pages] == [(1, True), (2, False), (2, False)]


def test_what_another_brought_too_is_theirs_still(cast: Cast) -> None:
    track = bring(cast.cleo, cast.code)
    hold(track, cast.ben, cast.code)
    files.forget(cast.cleo, track)
    assert files.orphans() == [] and Holding.select().count() == 1
    assert shelf.is_known(Track.get_by_id(track), cast.room().id, cast.ada.user_id)


def test_an_admin_deletes_a_file_whoever_holds_it(cast: Cast, handed: list[tuple[object, ...]]) -> None:
    User.update(is_admin=True, email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    track = bring(cast.cleo, cast.code)
    item = queue.add_item(cast.cleo, cast.code, track)
    before = every_row()
    for admin, number, refusal in (
        (cast.cleo.user_id, track, NotFound),
        (cast.ada.user_id, 999, NotFound),
        (cast.ada.user_id, cast.tracks[0], Conflict),
    ):
        with pytest.raises(refusal):
            operating.delete_file(admin, number)
    assert every_row() == before and handed == []
    operating.delete_file(cast.ada.user_id, track)
    [(name, names)] = handed
    assert name == "delete_files" and sorted(names) == sorted(NAMES)
    assert Track.get_by_id(track).failure == files.GONE and not Holding.select().exists()
    assert Item.get_by_id(item).state == "played" and cast.seen().now is None
    [note] = SiteEvent.select().where(SiteEvent.kind == "file_deleted")
    assert (note.actor_id, note.data) == (cast.ada.user_id, {"track_id": track})
    with pytest.raises(NotFound):
        operating.delete_file(cast.ada.user_id, track)


# --- what is held, and what is not named -----------------------------------------------------------------------------


def test_bytes_are_counted_once_for_a_person_and_once_for_a_room(cast: Cast) -> None:
    first, second = bring(cast.cleo, cast.code, "a", 1000), bring(cast.cleo, None, "b", 200)
    hold(first, cast.cleo, None)
    hold(first, cast.ben, cast.code)
    room = cast.room().id
    assert files.held_by_person(cast.cleo.user_id) == 1200
    assert files.held_by_person(cast.ben.user_id) == files.held_by_room(room) == 1000
    assert files.held_by_person(cast.dan.user_id) == files.held_by_room(999) == 0
    files.give_up(second, by_force=True)
    assert files.held_by_person(cast.cleo.user_id) == 1000


def test_names_that_rows_have_are_no_strays(cast: Cast) -> None:
    bring(cast.cleo, cast.code)
    strays = [f"uploads/{number:04}.mp3" for number in range(450)]
    strays += [
        "covers/b-640.webp",
        "covers/b-96.webp",
        "covers/a-97.webp",
        "covers/a.webp",
        "subtitles/b.vtt",
    ]
    known = [*NAMES, "audio/0.mp3", "covers/0.webp"]
    assert files.unnamed([*known, *strays]) == strays
    assert files.unnamed([]) == []


def test_an_address_leads_to_a_file_for_whoever_has_its_mark(cast: Cast) -> None:
    track_id = bring(cast.cleo, cast.code)
    track = Track.get_by_id(track_id)
    mark = tracks.mark(track_id, track.media_file, track.cover_file, track.added_at)
    assert files.file_of(track_id, mark, "file") == ("uploads/a.flac", "audio/flac")
    assert files.file_of(track_id, mark, "opus") == ("uploads/a.opus", "audio/ogg")
    cover = tracks.mark(track_id, track.media_file, track.cover_file, track.added_at, "cover")
    assert files.file_of(track_id, cover, "cover") == ("covers/a-640.webp", "image/webp")
    for marked, kind in ((mark, "cover"), (cover, "file"), (cover, "opus")):
        with pytest.raises(NotFound, match="not in the library"):
            files.file_of(track_id, marked, kind)
    for number, marked in ((track_id, "x" * 20), (track_id, ""), (cast.tracks[0], mark), (999, mark)):
        with pytest.raises(NotFound, match="not in the library"):
            files.file_of(number, marked, "file")
    Holding.delete().execute()
    queue_item = Item.select().count()
    files.give_up_orphans()
    assert queue_item == 0
    with pytest.raises(NotFound):
        files.file_of(track_id, mark, "file")


def test_a_cover_made_in_sizes_has_three_names_and_an_old_one_has_one() -> None:
    assert files.cover_names("covers/a-640.webp") == [f"covers/a-{size}.webp" for size in (640, 320, 96)]
    assert files.cover_names("covers/demo-x.webp") == ["covers/demo-x.webp"] and files.cover_names("") == []
