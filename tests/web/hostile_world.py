"""A house full of what people wrote, each text a token of its own, and the same house with hostile texts in its rows.

A field is a kind of text with the rule by which it is kept; its slots are the rows that hold one. What a page should
say of the hostile house follows from what it says of the harmless one: the same tree, each token exchanged for the
text that stands in its row. So a text that breaks out, is changed or is lost anywhere shows as a difference.
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest

from models import (
    Ban,
    Holding,
    Item,
    Member,
    Message,
    Play,
    Playback,
    Playlist,
    PlaylistEntry,
    Room,
    Search,
    SearchAnswer,
    Session,
    SiteEvent,
    Source,
    Subtitle,
    Suggestion,
    Track,
    Upload,
    User,
)
from party import (
    adding,
    audit,
    chat,
    control,
    doorway,
    hosting,
    invites,
    knocks,
    lookups,
    matching,
    moderation,
    operating,
    people,
    playlists,
    progress,
    queue,
    rooms,
    sealing,
    sessions,
    spotify,
    subtitles,
    suggestions,
)
from party import playback as player
from party.change import Person
from party.clock import now_ms
from party.playlists import Line
from tests.payloads import PAYLOADS
from tests.stage import Cast, library
from tests.web.hostile_fields import BY_LETTER, FIELDS, KEPT, TOKEN, Field
from web import providers

STRIDE = 15
"""Two slots of one field are so many payloads apart, so that pages with many slots need few turns."""


@dataclass
class World:
    """The house, and which row holds each slot of each field."""

    cast: Cast
    codes: dict[str, str] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    slots: dict[str, list[int]] = field(default_factory=dict)
    invite: str = ""
    share: str = ""
    ids: dict[str, int] = field(default_factory=dict)
    since: int = 0
    texts: dict[tuple[str, int], str] = field(default_factory=dict)
    turn: int = -1

    def take_turn(self, turn: int) -> None:
        """Put the payloads of this turn where the tokens were; a refused one leaves the token."""
        self.turn, self.texts = turn, {}
        for each in FIELDS:
            for slot, row in enumerate(self.slots[each.name]):
                text = KEPT[each.name][self.payload(slot)]
                self.texts[each.letter, slot] = each.token(slot) if text is None else text
                self._write(each, row, self.texts[each.letter, slot])

    def put_tokens(self) -> None:
        """Every row holds its token."""
        for each in FIELDS:
            for slot, row in enumerate(self.slots[each.name]):
                self._write(each, row, each.token(slot))

    def payload(self, slot: int) -> int:
        """Which payload a slot has in this turn."""
        return (self.turn + STRIDE * slot) % len(PAYLOADS)

    def said(self, text: str) -> str:
        """What stands here in this turn, if a token stood here before."""
        if "q" not in text:
            return text
        return TOKEN.sub(lambda found: self.texts[found[1], int(found[2])], text)

    @staticmethod
    def _write(each: Field, row: int, text: str) -> None:
        column = {each.column.name: each.within(text)}
        each.table.update(column).where(each.table._meta.primary_key == row).execute()


def make_world(cast: Cast, time: Any) -> World:
    """Rooms in every state, with everything in them that carries words."""
    world = World(cast)
    library(8, first=12)
    crew = [Person(people.enter(f"Guest {number}")[0]) for number in range(12)]
    everybody = [cast.ada, cast.ben, cast.cleo, cast.dan, *crew]
    world.persons = {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo, "dan": cast.dan, "gus": crew[8]}
    User.update(is_admin=True, email="ada@example.org").where(User.id == cast.ada.user_id).execute()
    for number, person in enumerate(crew[9:]):
        User.update(email=f"guest{number}@example.org").where(User.id == person.user_id).execute()
    _fill_room(world, time, crew)
    _other_rooms(world, time, crew)
    for person in crew[9:]:
        operating.ban(cast.ada.user_id, person.user_id, None, "why")
    audit.note(cast.ada.user_id, "room_ended", room_id=Room.get(Room.code == world.codes["over"]).id)
    audit.note(cast.ben.user_id, "track_hidden", track_id=cast.tracks[0])
    assert SiteEvent.select().count() >= 5
    banned = [person.user_id for person in crew[9:]]
    world.slots = {
        "name": [person.user_id for person in everybody],
        "room name": [room.id for room in Room.select().order_by(Room.id)],
        "message": [row.id for row in Message.select().order_by(Message.id) if row.deleted_at is None],
        "ban reason": [row.id for row in Ban.select().order_by(Ban.id)],
        "decline reason": [row.id for row in Suggestion.select().where(Suggestion.state == "declined")],
        "site ban reason": banned,
        "e-mail address": [cast.ada.user_id, *banned],
        "failure": [row.id for row in Track.select().where(Track.state == "failed").order_by(Track.id)],
        "file name": [row.id for row in Upload.select().order_by(Upload.id)],
        "refused file": [row.id for row in Upload.select().where(Upload.state == "refused")],
        "subtitles": [row.id for row in Subtitle.select().order_by(Subtitle.id)],
        "playlist": [row.id for row in Playlist.select().order_by(Playlist.id)],
        "entry": [row.id for row in PlaylistEntry.select().order_by(PlaylistEntry.id)],
        "entry artist": [row.id for row in PlaylistEntry.select().order_by(PlaylistEntry.id)],
        "server": [row.id for row in Source.select().order_by(Source.id)],
        "name at a server": [row.id for row in Source.select().where(Source.kind != "spotify")],
        "server failure": [row.id for row in Source.select().where(Source.state == "failed")],
    }
    answers = SearchAnswer.select().order_by(SearchAnswer.id)
    for name, row in zip(("found", "found artist", "search failure", "on a server"), answers, strict=True):
        world.slots[name] = [row.id]
    tracks = [track.id for track in Track.select().order_by(Track.id)]
    world.slots |= dict.fromkeys(("title", "artist", "album"), tracks)
    # One more would have the first one's text, and two tracks of one genre are one choice.
    world.slots["genre"] = tracks[: len(PAYLOADS) // STRIDE]
    world.put_tokens()
    return world


def _fill_room(world: World, time: Any, crew: list[Person]) -> None:
    cast, code = world.cast, world.cast.code
    world.codes["open"] = code
    guests = crew[:7]
    for person in guests:
        people.join(person, code)
    seats = {row.user_id: row.id for row in Member.select().where(Member.room == cast.room())}
    for seat in seats.values():
        people.screen_opened(seat, "web")
    Room.update(state="LIVE", visibility="public").where(Room.code == code).execute()
    for number, person in enumerate([*guests, cast.ben, cast.cleo, cast.ada]):
        time.move(1)
        item = queue.add_item(person, code, cast.tracks[number])
        chat.say(person, code, f"Said {number}")
        if number > 1:
            queue.cast_vote(cast.ada, code, item, 1)
    for _ in range(2):
        time.move(1)
        player.skip(cast.ada, code)
    line = cast.line()
    queue.cast_vote(guests[5], code, line[0], 1)
    player.pause(cast.ben, code)
    first = Message.select().order_by(Message.id).first().id
    time.move(4)
    chat.say(cast.ben, code, "An answer", first)
    time.move(4)
    chat.react(cast.cleo, code, chat.say(cast.ben, code, "A message with a sign"), "🎉")
    chat.delete_message(cast.ada, code, chat.say(cast.cleo, code, "Soon gone"))
    people.still_here("web", set(seats.values()))
    for person, track in ((cast.cleo, 10), (guests[0], 11), (guests[1], 12)):
        suggestions_of(cast, person, track)
    declined = suggestions_of(cast, cast.cleo, 13)
    suggestions.decide_suggestion(cast.ada, code, declined, "decline", "why")
    for person in guests[2:4]:
        control.ask_control(person, code)
    control.grant_control(cast.ada, code, seats[guests[4].user_id], "while")
    hosting.offer_host(cast.ada, code, seats[cast.ben.user_id])
    people.rename(guests[1], "Another name")
    for person in (crew[7], cast.dan):
        moderation.ban(cast.ada, code, people.join(person, code), "why")
    world.invite = invites.make_invite(cast.ada, code)
    Room.update(entry="approval").where(Room.code == code).execute()
    for person in crew[8:10]:
        knocks.knock(person, code, "network")
    Room.update(entry="open").where(Room.code == code).execute()
    _bring(world)
    world.since = cast.room().seq
    chat.say(guests[0], code, "Something new")
    chat.react(cast.cleo, code, first, "🎉")
    queue.move_item(cast.ada, code, line[-1], line[1])
    chat.say(guests[2], code, "And new again", first)


def suggestions_of(cast: Cast, person: Person, track: int) -> int:
    """A suggestion that waits, made while the host lets tracks on."""
    before = cast.room().settings
    Room.update(settings={**before, "add": "approval"}).where(Room.code == cast.code).execute()
    made = suggestions.suggest_item(person, cast.code, Track.select().order_by(Track.id)[track].id)
    Room.update(settings=before).where(Room.code == cast.code).execute()
    return made


def _bring(world: World) -> None:
    """What people bring and keep, where others read of it: what cannot be played, words to a film, lists, servers."""
    cast, code, room = world.cast, world.codes["open"], world.cast.room()
    film = Item.get_by_id(Playback.get(Playback.room == room).item_id).track
    Track.update(is_video=True, is_listed=False, provider="upload").where(Track.id == film).execute()
    Holding.create(track=film, room=room, user=cast.ada.user_id, added_at=1)
    playing = Playback.get(Playback.room == room).item_id
    for number in range(2):
        subtitles.add_subtitles(cast.ada, code, playing, f"Words {number}", "en", f"subtitles/{number}.vtt")
    for key in ("dQw4w9WgXcQ", "aaaaaaaaaaa", "bbbbbbbbbbb"):
        link = adding.add_link(
            cast.cleo,
            code,
            provider="youtube",
            key=key,
            reference=key,
            player="youtube",
            title="A video",
            is_video=True,
        )
        if key != "bbbbbbbbbbb":
            lookups.give_up(Item.get_by_id(link.item_id).track_id, "That video is private.")
    progress.save_progress(cast.ada, code, playing, 5_000)
    lines = [
        Line("Words", "Somebody"),
        Line("Known", track_id=cast.tracks[2]),
        Line("Words again", "Somebody"),
    ]
    for name in ("Late", "Early"):
        world.ids["playlist"] = playlists.keep_lines(cast.ada, name, lines)
    world.share = playlists.share_playlist(cast.ada, world.ids["playlist"])
    for number, state in enumerate(("receiving", "refused")):
        Upload.create(
            token=f"upload{number}", user=cast.ada.user_id, room=room, name=f"{number}.mp3", size_bytes=10, state=state,
            reason="No" if number else "", began_at=now_ms(), touched_at=now_ms(),
        )  # fmt: skip
    keys = sealing.seal('{"access": "a", "refresh": "r", "ends_at": 0}', spotify.TOKENS)
    for kind, state in (("subsonic", "ready"), ("jellyfin", "failed"), ("spotify", "ready")):
        made = Source.create(
            user=cast.ada.user_id, kind=kind, name=kind, username="ada", address="https://music.example.org",
            state=state, failure="No" if state == "failed" else "", created_at=1, options={"may": ["keep", "lists"]},
            secret=keys if kind == "spotify" else "",
        )  # fmt: skip
        world.ids[kind] = made.id
    shelf = f"source:{world.ids['subsonic']}"
    for source, state in (
        ("archive", "ready"),
        ("jamendo", "ready"),
        ("musicbrainz", "failed"),
        (shelf, "ready"),
    ):
        kept = SearchAnswer.get_or_none(SearchAnswer.source == "archive")
        is_own = source == shelf or kept is None
        search = (
            Search.create(user=cast.ada.user_id, room=room, words="album:1", asked_at=1)
            if is_own
            else kept.search
        )
        SearchAnswer.create(search=search, source=source, state=state, failure="No", answered_at=1)
        world.ids["shelf" if source == shelf else "search"] = search.id


def keep_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page makes of a text by chance, or by comparing it with other texts, is no part of its tree."""
    monkeypatch.setattr(people, "friendly_name", lambda: "Gentle Otter")
    monkeypatch.setattr(doorway, "refuse_guessing", lambda _: None)
    monkeypatch.setattr(providers, "_storage", lambda _: "There is room.")
    # A token of chance may look like one of ours.
    numbers = itertools.count()
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _size: f"{next(numbers):022}")
    likely = [matching.Match(track_id, 70) for track_id in (1, 2)]
    monkeypatch.setattr(matching.Shelf, "best", lambda *_: likely)


def _other_rooms(world: World, time: Any, crew: list[Person]) -> None:
    cast = world.cast
    for what in (
        "away",
        "over",
        "taken",
        "password",
        "approval",
        "locked",
        "listed 1",
        "listed 2",
        "listed 3",
    ):
        code = world.codes[what] = rooms.open_room(cast.ada, what, 300, "public")
        where = Room.code == code
        if what in ("password", "approval"):
            Room.update(entry=what).where(where).execute()
        elif what == "locked":
            Room.update(is_locked=True).where(where).execute()
        elif what in ("away", "over", "taken"):
            seat = people.join(cast.ben, code)
            queue.add_item(cast.ben, code, cast.tracks[9])
            player.skip(cast.ada, code)
            queue.add_item(cast.ada, code, cast.tracks[10])
            if what == "away":
                hosting.name_cohost(cast.ada, code, seat)
                people.screen_opened(seat, "web")
                Room.update(
                    state="GRACE", host_gone_at=time.now_ms, host_grace_until=time.now_ms + 200_000
                ).where(where).execute()
            elif what == "over":
                hosting.end_room(cast.ada, code)
            else:
                people.screen_opened(people.join(crew[8], code), "web")
        else:
            people.join(cast.cleo, code)
            queue.add_item(cast.cleo, code, cast.tracks[11])
            Room.update(state="LIVE").where(where).execute()
    for row in Member.select().where(Member.user == cast.ada.user_id, Member.room != cast.room()):
        if row.room.code not in (world.codes["away"], world.codes["over"]):
            people.screen_opened(row.id, "web")
    Room.update(state="LIVE").where(Room.code << [world.codes["taken"]]).execute()
    sessions.begin(cast.ada.user_id, "Firefox on Linux")
    assert Play.select().count() >= 4 and Playback.select().count() >= 9 and Session.select().count() >= 2


def tokens_in(told: object) -> set[tuple[str, int]]:
    """The fields and slots whose words a harmless page carries."""
    return {(BY_LETTER[found[1]].name, int(found[2])) for found in TOKEN.finditer(str(told))}
