"""Words to videos: who puts them there and takes them away, who is told, and what each person reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models import Event, Item, Room, Subtitle, SubtitleChoice, Track
from party import hosting, people, playback, queue, rooms, shelf, snapshot, subtitles, work
from party.change import Person
from party.errors import Conflict, Invalid, NotAllowed, NotFound, Over, Refusal, TooMany
from tests.ledger import every_row
from tests.stage import Cast


def video(cast: Cast, by: Person, code: str | None = None, **values: object) -> int:
    """An upload of somebody's on the line; the item's id."""
    made = Track.create(
        **{
            "slug": f"film-{Track.select().count()}",
            "title": "Film",
            "artist": "",
            "duration_ms": 60_000,
            "media_file": "uploads/x.mp4",
            "cover_file": "",
            "search": "film",
            "added_at": 1,
            "provider": "upload",
            "is_video": True,
            "mime": "video/mp4",
            **values,
        }
    )
    shelf.bring(made, cast.room().id, by.user_id, 1)
    return queue.add_item(by, code or cast.code, made.id)


def add(cast: Cast, by: Person, item: int, label: str = "English", language: str = "en") -> int:
    return subtitles.add_subtitles(by, cast.code, item, label, language, "subtitles/a.vtt")


def refused(kind: type[Refusal], act: Callable[[], object]) -> str:
    """The sentence; nothing may have changed."""
    before = every_row()
    with pytest.raises(kind) as error:
        act()
    assert every_row() == before
    return error.value.message


def test_whoever_put_the_video_on_or_leads_adds_words(cast: Cast) -> None:
    cast.add(1)
    item = video(cast, cast.cleo)
    before = cast.room().seq
    for person in (cast.cleo, cast.ben, cast.ada):
        add(cast, person, item)
    assert [row.added_by_id for row in Subtitle.select().order_by(Subtitle.id)] == [
        cast.cleo.user_id, cast.ben.user_id, cast.ada.user_id,
    ]  # fmt: skip
    # It only waits: no screen shows its words.
    assert cast.kinds(after=before) == []


def test_words_of_what_plays_are_seen_and_said(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    before = cast.room().seq
    made = add(cast, cast.cleo, item, " Deutsch\u202e ", "de")
    assert cast.kinds(after=before) == ["subtitles_changed"]
    [seen] = cast.seen().subtitles
    assert (seen.id, seen.label, seen.language) == (made, "Deutsch", "de")
    number, marked = seen.url.removeprefix("/media/subtitles/").split("/")
    assert subtitles.file_of(int(number), marked) == "subtitles/a.vtt"
    subtitles.remove_subtitles(cast.ada, cast.code, item, made)
    assert cast.kinds(after=before) == ["subtitles_changed"] * 2
    assert cast.seen().subtitles == ()


def test_other_rooms_where_it_plays_are_told(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    track_id = Item.get_by_id(item).track_id
    other = rooms.open_room(cast.cleo, "Elsewhere", 300)
    people.join(cast.cleo, other)
    there = queue.add_item(cast.cleo, other, track_id)
    made = add(cast, cast.cleo, item)
    assert [each.id for each in snapshot.take(other).subtitles] == [made]
    assert _last_kind(other) == "subtitles_changed"
    subtitles.remove_subtitles(cast.cleo, other, there, made)
    assert cast.kinds()[-1] == "subtitles_changed" and cast.seen().subtitles == ()


def _last_kind(code: str) -> str:
    return str(Event.select().join(Room).where(Room.code == code).order_by(Event.seq.desc()).first().kind)


def test_another_guest_may_neither_add_nor_remove(cast: Cast) -> None:
    item = video(cast, cast.ada)
    made = add(cast, cast.ada, item)
    assert refused(NotAllowed, lambda: add(cast, cast.cleo, item)) == subtitles.NOT_YOURS
    assert (
        refused(NotAllowed, lambda: subtitles.refuse_adding(cast.cleo, cast.code, item))
        == subtitles.NOT_YOURS
    )
    refused(NotAllowed, lambda: subtitles.remove_subtitles(cast.cleo, cast.code, item, made))
    refused(NotAllowed, lambda: add(cast, cast.dan, item))


def test_who_added_words_may_take_them_away_again(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[list[str]] = []
    monkeypatch.setitem(work.carriers, "delete_files", gone.append)
    item = video(cast, cast.ada)
    made = add(cast, cast.ada, item)
    Subtitle.update(added_by=cast.cleo.user_id).execute()
    subtitles.remove_subtitles(cast.cleo, cast.code, item, made)
    assert gone == [["subtitles/a.vtt"]] and Subtitle.select().count() == 0
    assert refused(NotFound, lambda: subtitles.remove_subtitles(cast.cleo, cast.code, item, made))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"is_video": False, "mime": "audio/mpeg"}, Invalid),
        ({"player": "youtube", "provider": "youtube", "media_file": ""}, Invalid),
        ({"is_listed": True}, NotAllowed),
    ],
)
def test_words_go_only_with_videos_of_ones_own(
    cast: Cast, values: dict[str, object], kind: type[Refusal]
) -> None:
    item = video(cast, cast.cleo, **values)
    refused(kind, lambda: add(cast, cast.cleo, item))
    refused(kind, lambda: subtitles.refuse_adding(cast.cleo, cast.code, item))


def test_a_stream_may_have_words_too(cast: Cast) -> None:
    item = video(
        cast, cast.cleo, is_video=False, player="hls", provider="link", reference="https://x.example/a"
    )
    assert add(cast, cast.cleo, item)


def test_what_was_played_or_taken_off_is_too_late(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    made = add(cast, cast.cleo, item)
    cast.add(1)
    playback.skip(cast.ada, cast.code)
    refused(Conflict, lambda: add(cast, cast.cleo, item))
    refused(Conflict, lambda: subtitles.remove_subtitles(cast.cleo, cast.code, item, made))
    refused(NotFound, lambda: add(cast, cast.cleo, 99_999))


def test_one_video_has_only_so_many_words(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subtitles, "MOST", 2)
    item = video(cast, cast.cleo)
    add(cast, cast.cleo, item)
    add(cast, cast.cleo, item)
    assert "2 subtitles" in refused(TooMany, lambda: add(cast, cast.cleo, item))


@pytest.mark.parametrize(
    ("label", "language", "shown"),
    [
        ("", "pt-BR", ("pt-BR", "pt-BR")),
        ("", "", ("Subtitles", "")),
        ("x" * 90, "english", ("x" * 60, "")),
        ("a", "de-<script>", ("a", "")),
        ("a", "e", ("a", "")),
        ("a", "zh-Hant-TW", ("a", "zh-Hant-TW")),
        ("a", "zh-Hant-TW-xxxx", ("a", "")),
        ("a", "en-", ("a", "")),
        ("a", "ру", ("a", "")),
    ],
)
def test_names_and_languages_are_kept_clean(
    cast: Cast, label: str, language: str, shown: tuple[str, str]
) -> None:
    add(cast, cast.cleo, video(cast, cast.cleo), label, language)
    [seen] = cast.seen().subtitles
    assert (seen.label, seen.language) == shown


def test_what_one_reads_is_remembered_for_oneself_and_said_to_nobody(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    made = add(cast, cast.cleo, item)
    before = cast.room().seq
    assert subtitles.choice_of(cast.ben, cast.code, item) == (False, None)
    subtitles.choose_subtitles(cast.ben, cast.code, item, made)
    subtitles.choose_subtitles(cast.ben, cast.code, item, made)
    assert subtitles.choice_of(cast.ben, cast.code, item) == (True, made)
    assert subtitles.choice_of(cast.cleo, cast.code, item) == (False, None)
    subtitles.choose_subtitles(cast.ben, cast.code, item, None)
    assert subtitles.choice_of(cast.ben, cast.code, item) == (True, None)
    assert SubtitleChoice.select().count() == 1 and cast.room().seq == before


def test_only_words_of_this_video_are_chosen_and_only_by_people_in_the_room(cast: Cast) -> None:
    item, other = video(cast, cast.cleo), video(cast, cast.cleo)
    made = add(cast, cast.cleo, item)
    refused(NotFound, lambda: subtitles.choose_subtitles(cast.ben, cast.code, other, made))
    refused(NotFound, lambda: subtitles.choose_subtitles(cast.ben, cast.code, item, 99_999))
    refused(NotFound, lambda: subtitles.choose_subtitles(cast.ben, cast.code, 99_999, None))
    refused(NotAllowed, lambda: subtitles.choose_subtitles(cast.dan, cast.code, item, made))
    assert subtitles.choice_of(cast.ben, "nowhere", item) == (False, None)


def test_words_that_go_are_nobodys_choice_any_more(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    made = add(cast, cast.cleo, item)
    subtitles.choose_subtitles(cast.ben, cast.code, item, made)
    subtitles.remove_subtitles(cast.cleo, cast.code, item, made)
    assert subtitles.choice_of(cast.ben, cast.code, item) == (False, None)


def test_an_address_without_its_mark_leads_nowhere(cast: Cast) -> None:
    made = add(cast, cast.cleo, video(cast, cast.cleo))
    marked = cast.seen().subtitles[0].url.rpartition("/")[2]
    for number, mark in ((made, ""), (made, marked[:-1] + "!"), (made + 1, marked), (99_999, marked)):
        with pytest.raises(NotFound):
            subtitles.file_of(number, mark)


def test_when_the_party_is_over_words_stay_as_they_are(cast: Cast) -> None:
    item = video(cast, cast.cleo)
    hosting.end_room(cast.ada, cast.code)
    refused(Over, lambda: add(cast, cast.cleo, item))
