"""Commands that hold several rows wait for one another in no ring. PostgreSQL's: SQLite has one lock for all.

Each round everybody does at the same instant what takes rooms, people, files and tracks in every order there is; a
ring would end one of them with an error. What was brought is there afterwards, and the auditor finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from config import settings
from models import Holding, Item, Member, Playlist, Room, Track, Upload, User
from party import (
    accounts,
    auditor,
    files,
    lookups,
    parts,
    people,
    personal,
    playlists,
    putting_on,
    rooms,
    uploads,
)
from party.change import Person, once
from party.errors import Refusal
from party.playlists import Line
from party.sessions import begin as begin_session
from tests.accounts import HOME, PASSWORD, make_account
from tests.conftest import POSTGRES_URL
from tests.party.test_races import at_once
from tests.stage import Cast

ROUNDS = 6
ON_LINE = ("waiting", "playing", "played")

pytestmark = pytest.mark.skipif(not POSTGRES_URL, reason="SQLite has one lock for all")


@pytest.fixture(autouse=True)
def small_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own."""
    small = replace(settings, data_dir=tmp_path)
    monkeypatch.setattr(uploads, "settings", small)
    monkeypatch.setattr(parts, "settings", small)


@dataclass(frozen=True)
class Round:
    """Two rooms of Ada's with everybody in them, and what each is about to do there."""

    cast: Cast
    number: int
    codes: tuple[str, str]

    def guest(self, name: str) -> Person:
        """Somebody without an account and with a seat in both rooms."""
        person = Person(people.enter(f"{name} {self.number}")[0])
        for code in self.codes:
            people.join(person, code)
        return person

    def account(self, name: str) -> Person:
        """Somebody with an account and with a seat in both rooms."""
        person = make_account(f"{name}{self.number}@example.org", f"{name} {self.number}".title())
        for code in self.codes:
            people.join(person, code)
        return person

    def link(self, name: str) -> dict[str, Any]:
        key = f"{name}-{self.number}"
        return {"provider": "youtube", "key": key, "reference": key, "player": "youtube", "title": key}

    def playlist(self, owner: Person, names: str) -> int:
        """A playlist of links nobody has put on yet."""
        return playlists.keep_lines(owner, names, [Line(name, link=name) for name in names])

    def put_on(self, owner: Person, made: int, names: str, codes: tuple[str, ...]) -> None:
        """The same playlist on one room and then the other."""
        links = {name: self.link(name) for name in names}
        for code in codes:
            putting_on.put_on_line(owner, code, made, links)

    def upload(self, person: Person, code: str, *, is_finished: bool) -> str:
        """Bring a file as a page does, and have it looked at, or call it off."""
        token = once(
            person, f"{code} {self.number} {is_finished}", lambda: uploads.begin(person, code, "song.mp3", 10)
        )
        row = Upload.get(Upload.token == token)
        if is_finished:
            uploads.receive(person, token, 0, 10)
            uploads.finish(row.id, **self.facts(person.user_id))
        else:
            uploads.cancel(person, token)
        return str(token)

    def facts(self, number: int) -> dict[str, Any]:
        """What was found in a file; of one number it is the same file."""
        return {
            "sha256": f"{number:032}{self.number:032}", "mime": "audio/mpeg", "is_video": False,
            "title": f"Song {self.number} {number}", "artist": "Plum", "album": "", "genre": "dub",
            "duration_ms": 61_000, "media_file": f"uploads/{self.number}-{number}.mp3", "cover_file": "",
            "hue": "30", "size_bytes": 10,
        }  # fmt: skip


def begun(cast: Cast, number: int) -> Round:
    return Round(cast, number, (rooms.open_room(cast.ada, "One", 300), rooms.open_room(cast.ada, "Two", 300)))


def seen(person: Person) -> people.SignedIn:
    known = people.signed_in(begin_session(person.user_id, ""))
    assert known is not None
    return known


def quietly(act: Callable[[], object]) -> None:
    """A room or a person that is gone meanwhile is no fault."""
    with suppress(Refusal):
        act()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_files_people_rooms_and_playlists_at_once_wait_in_no_ring(cast: Cast, time, number: int) -> None:
    here = begun(cast, number)
    one, two = here.codes
    cleo, leaving, guest = (here.guest(name) for name in ("Cleo", "Gus", "Hal"))
    eve, ivy, owner = (here.account(name) for name in ("eve", "ivy", "joe"))
    attic = rooms.open_room(owner, "Attic", 300)
    people.join(guest, attic)
    evas, ivys = here.playlist(eve, "abcdef"), here.playlist(ivy, "fedcba")
    guests_file = uploads.begin(guest, one, "hal.mp3", 10)
    uploads.receive(guest, guests_file, 0, 10)
    left = uploads.begin(leaving, two, "gus.mp3", 10)
    uploads.receive(leaving, left, 0, 10)
    rows = {token: Upload.get(Upload.token == token).id for token in (guests_file, left)}
    viewer = seen(guest)
    brought = [partial(here.upload, cleo, code, is_finished=True) for code in here.codes]
    answers = at_once(
        *brought,
        lambda: [here.upload(cleo, code, is_finished=False) for code in (two, one)],
        lambda: [quietly(act) for act in (
            partial(uploads.finish, rows[left], **here.facts(0)), lambda: personal.delete(leaving, "")
        )],
        lambda: accounts.sign_in(f"ivy{number}@example.org", PASSWORD, HOME, viewer).token,
        lambda: uploads.finish(rows[guests_file], **here.facts(0)),
        lambda: rooms.delete_room(owner, attic, "Attic"),
        lambda: here.put_on(eve, evas, "abcdef", (one, two)),
        lambda: here.put_on(ivy, ivys, "fedcba", (two, one)),
        lambda: people.rename(cleo, f"Cleopatra {number}"),
    )  # fmt: skip
    assert [answer for answer in answers if isinstance(answer, Refusal)] == []
    assert list(auditor.audit_all()) == []
    for code in here.codes:
        on = Item.select(Track.slug).join(Track).where(
            Item.room == Room.get(Room.code == code), Item.state.in_(ON_LINE)
        )  # fmt: skip
        slugs = {slug for (slug,) in on.tuples()}
        assert {f"youtube-{name}-{number}" for name in "abcdef"} <= slugs
    assert [Upload.get(Upload.token == token).state for token in answers[:2]] == ["ready", "ready"]
    assert [Upload.get(Upload.token == token).state for token in answers[2]] == ["cancelled", "cancelled"]
    own = Track.get(Track.sha256 == here.facts(cleo.user_id)["sha256"])
    assert {each.room.code for each in Holding.select().where(Holding.track == own)} == {one, two}
    # What the guest brought is the account's; who left and the room that was deleted are gone with what was theirs.
    assert Upload.get_by_id(rows[guests_file]).user_id == ivy.user_id
    assert User.get_or_none(User.id == guest.user_id) is None
    assert not Upload.select().where(Upload.user == leaving.user_id).exists()
    assert not Room.select().where(Room.code == attic).exists()
    assert Member.select().where(Member.user == ivy.user_id).count() == 2


@pytest.mark.parametrize("number", range(ROUNDS))
def test_what_becomes_of_tracks_in_two_rooms_waits_in_no_ring(cast: Cast, time, number: int) -> None:
    here = begun(cast, number)
    eve, ivy = here.account("eve"), here.account("ivy")
    made, turned = here.playlist(eve, "abcd"), here.playlist(ivy, "dcba")
    here.put_on(eve, made, "abcd", here.codes)
    known = {name: Track.get(Track.slug == f"youtube-{name}-{number}").id for name in "abcd"}
    for name in "ab":
        lookups.give_up(known[name], "Its site does not answer.")
    uploads.receive(eve, token := uploads.begin(eve, here.codes[0], "eve.mp3", 10), 0, 10)
    uploads.finish(Upload.get(Upload.token == token).id, **here.facts(1))
    file = Track.get(Track.sha256 == here.facts(1)["sha256"]).id
    at_once(
        lambda: [quietly(partial(lookups.fill_in, known[name], title="Found")) for name in "cdab"],
        lambda: [quietly(partial(lookups.give_up, known[name], "Gone.")) for name in "badc"],
        lambda: here.put_on(ivy, turned, "dcba", (here.codes[1], here.codes[0])),
        lambda: here.put_on(eve, made, "abcd", here.codes),
        lambda: [quietly(partial(people.rename, eve, f"Eve {turn}")) for turn in range(4)],
        lambda: files.give_up(file, by_force=True),
        lambda: quietly(lambda: personal.delete(ivy, PASSWORD)),
        lambda: [quietly(partial(here.upload, eve, code, is_finished=False)) for code in here.codes],
    )
    assert list(auditor.audit_all()) == []
    assert {Track.get_by_id(track_id).state for track_id in known.values()} <= {
        "ready",
        "failed",
        "looking_up",
    }
    assert (Track.get_by_id(file).media_file, Track.get_by_id(file).failure) == ("", files.GONE)
    assert not Playlist.select().where(Playlist.id == turned).exists()
