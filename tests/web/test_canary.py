"""T13, T16, I14: no byte of a private room reaches anybody outside, by any route, nor is an unlisted one told of.

Two hidden rooms are full of canaries: words and codes that occur nowhere else. Nine visitors of seven kinds ask every
route of the application, with every method, for the hidden rooms, for unknown ones, and for rooms of their own with
numbers of what is in the hidden ones. Before each request that may change something the database is put back. What
people bring and keep for themselves (files, lists, servers, searches, where they stopped) is hidden in the same way.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

import models
from live import lobby, socket
from live.lobby import Watcher
from models import (
    Ban,
    Holding,
    Invite,
    Item,
    Knock,
    Member,
    Message,
    Play,
    Playlist,
    PlaylistEntry,
    Progress,
    Reaction,
    Room,
    Search,
    SearchAnswer,
    Source,
    Subtitle,
    SubtitleChoice,
    Suggestion,
    Track,
    Upload,
    User,
    database,
)
from party import chat, discovery, people, playlists, queue, rooms, tracks
from party.change import Person
from tests.doors import Browser, tree
from tests.stage import Cast
from tests.stage import library as shelf
from web import discovery as door

# Alone on a machine they take a minute each; with others beside them they may take several.
pytestmark = pytest.mark.timeout(900)

UNKNOWN = "ABCDEFGH"
FORMER = ("banned", "kicked", "left")
KNEW = (*FORMER, "knocking", "declined")
DOORS = ("entry.show_door", "entry.open_door", "entry.knock", "entry.show_knock", "entry.withdraw_knock")
"""Who was inside or knocked knows that the room exists: its door answers them, without a word of what is behind."""

OWN_ACTS = ("/account/name", "/knock/withdrawal")
"""What people do to themselves is noted where they once were."""

OWN_PAGES = ("/my-rooms", "/account/export.json")
"""Whoever was in an unlisted room may find it there again."""

RANDOM_HEADERS = ("Date", "X-Request-ID")
SAFE = ("GET", "HEAD")
FORM = {
    "name": "Visitor", "display_name": "Visitor", "decision": "approve", "password": "a long password", "text": "hello",
    "emoji": "👍", "track_id": "1", "value": "1", "mode": "hand", "public": "yes", "visibility": "public", "to": "1",
    "answer": "accept", "role": "cohost", "locked": "no", "quota": "5", "hours": "1", "reason": "so", "preset": "party",
    "grant": "once", "email": "somebody@example.org", "theme": "dark", "action": "pause", "play": "1", "play_id": "1",
    "position_ms": "0", "after": "", "entry": "open", "minutes": "5", "all": "yes", "code": "", "next": "/",
    "item": "1", "share": "on", "size": "10", "link": "https://youtu.be/dQw4w9WgXcQ", "search": "zz", "room": "",
    "when_empty": "alike", "duration_ms": "90000", "label": "So", "subtitle": "1",
}  # fmt: skip


@dataclass
class Hidden:
    """A room that strangers must not learn of: its code, its words, the numbers of what is in it."""

    code: str
    words: list[str]
    ids: dict[str, object] = field(default_factory=dict)


BROUGHT = (
    "file", "failed", "subtitle", "list", "shared", "deleted", "entry", "server", "searched", "found", "work",
)  # fmt: skip
"""What people bring and keep, each with a canary of its own."""


def bring(mark: str, room: Room, host: int, guest: int, now: int) -> tuple[list[str], dict[str, object]]:
    """Files, links, lists, a server, a search and where people stopped: the words, and what leads to each."""
    said, number = {what: f"{mark}{what}" for what in BROUGHT}, 10_000 + 100 * ord(mark[0])
    film, broken = (
        Track.create(
            id=number + len(what), slug=f"upload-{mark}-{what}", title=said[what],
            artist=said[what], album=said[what], media_file=file,
            cover_file="", search=f"zz {said[what]}", added_at=now, provider="upload", is_video=True, state=state,
            failure=f"{said[what]} why" if state == "failed" else "", content=f"movie:{said['work']}", mime="video/mp4",
            peaks="abc", opus_file=f"uploads/{said[what]}.opus",
        )
        for what, file, state in (("file", f"uploads/{said['file']}.mp4", "ready"), ("failed", "", "failed"))
    )  # fmt: skip
    for track in (film, broken):
        Holding.create(track=track, room=room, user=guest, added_at=now)
        Holding.create(track=track, user=host, added_at=now)
    upload = Upload.create(
        token=f"{mark}uploadtoken", user=guest, room=room, name=f"{said['file']}.mp4", size_bytes=10, state="refused",
        reason=f"{said['failed']} so", track=film, began_at=now, touched_at=now,
    )  # fmt: skip
    words = Subtitle.create(
        id=number,
        track=film,
        label=said["subtitle"],
        file=f"subtitles/{said['subtitle']}.vtt",
        added_by=guest,
        added_at=now,
    )
    SubtitleChoice.create(user=host, track=film, subtitle=words)
    User.update(email=f"{mark.lower()}@example.org").where(User.id == host).execute()
    lists = [
        Playlist.create(
            id=number + len(what),
            user=host,
            name=said[what],
            share_token=token,
            created_at=now,
            changed_at=now,
            deleted_at=now if what == "deleted" else None,
        )
        for what, token in (("list", None), ("shared", f"{mark}sharetoken"), ("deleted", None))
    ]
    for each in lists:
        entry = PlaylistEntry.create(
            id=each.id, playlist=each, track=film, title=said["entry"], artist=said["entry"], album=said["entry"],
            added_at=now, link=f"https://{said['entry']}.example/", position="a",
        )  # fmt: skip
    source = Source.create(
        id=number, user=host, kind="subsonic", name=said["server"], address=f"https://{said['server']}.example",
        created_at=now, username=said["server"], secret=f"{said['server']} secret", state="ready",
        failure=said["server"],
    )  # fmt: skip
    search = Search.create(id=number, user=host, room=room, words=said["searched"].lower(), asked_at=now)
    row = {
        "provider": "archive", "key": "a", "title": said["found"], "artist": said["found"], "album": said["found"],
        "duration_ms": 5, "preview_url": f"https://{said['found']}.example/", "is_playable": True,
    }  # fmt: skip
    SearchAnswer.create(search=search, source="archive", state="ready", results=[row], answered_at=now)
    for user in (host, guest):
        Progress.create(
            user=user,
            room=room,
            content=f"movie:{said['work']}",
            track=film,
            position_ms=5,
            duration_ms=50,
            saved_at=now,
        )
    return [*said.values(), f"{mark}uploadtoken", f"{mark}sharetoken"], {
        "token": upload.token, "subtitle_id": words.id, "playlist_id": lists[0].id, "entry_id": entry.id,
        "search_id": search.id, "source": "archive", "source_id": source.id, "film": film.id, "room_id": room.id,
        "shared": lists[1].share_token, "marked": "A" * 20, "kind": "file", "size": "96",
        "format": "json", "what": "tonight",
    }  # fmt: skip


def fill(cast: Cast, mark: str, visibility: str) -> Hidden:
    """A room with a canary in everything that holds words."""
    words = [
        f"{mark}{what}" for what in ("room", "host", "guest", "chat", "reason", "playing", "waiting", "asked")
    ]
    host, guest = (Person(people.enter(name)[0]) for name in words[1:3])
    code = rooms.open_room(host, words[0], 300, visibility)
    room = Room.get(Room.code == code)
    now, seat = room.created_at, people.sit(room, guest.user_id, room.created_at)
    [host_seat] = Member.select().where(Member.user == host.user_id)
    for member in (host_seat, seat):
        people.screen_opened(member.id, "web")
    Room.update(state="LIVE").where(Room.code == code).execute()
    titles = shelf(3, first=100 * (1 + ord(mark[0])))
    for track_id, word in zip(titles, words[5:], strict=True):
        # Last of the whole library, so that its first page, which every room shows, does not hold them.
        models.Track.update(title=f"zz {word}", artist=word, album=word, search=f"zz {word}").where(
            models.Track.id == track_id
        ).execute()
    items = [queue.add_item(host, code, track_id) for track_id in titles[:2]]
    chat.say(guest, code, words[3])
    message = Message.select().order_by(Message.id.desc()).get()
    suggestion = Suggestion.create(room=room, member=seat, track=titles[2], reason=words[4], asked_at=now)
    Reaction.create(message=message, member=host_seat, emoji="👍")
    invite = Invite.create(
        room=room, token_hash=mark * 4, quota=5, made_by=host_seat, made_at=now, expires_at=now + 10**9
    )
    brought, led_to = bring(mark, room, host.user_id, guest.user_id, now)
    ids = led_to | {
        "item_id": items[1], "member_id": seat.id, "message_id": message.id, "suggestion_id": suggestion.id,
        "invite_id": invite.id, "track_id": 1, "seq": 3, "user_id": host.user_id,
        "guest_id": guest.user_id,
    }  # fmt: skip
    return Hidden(code, [*words, mark * 4, *brought], ids)


def outsiders(cast: Cast, private: Hidden, unlisted: Hidden) -> dict[str, tuple[Person | None, str]]:
    """Who asks, and a room of their own."""
    names = ("guest", "account", "host", "banned", "knocking", "declined", "kicked", "left")
    # All go by the name that forms give, since a new name is told in every room somebody ever sat in.
    persons = {name: Person(people.enter("Visitor")[0]) for name in names}
    User.update(email="visitor@example.org").where(User.id == persons["account"].user_id).execute()
    own = {name: cast.code for name in ("nobody", *names)}
    own["host"] = rooms.open_room(persons["host"], "A room of the visitor", 300, "public")
    for name in ("guest", "account"):
        people.join(persons[name], cast.code)
    for hidden in (private, unlisted):
        room = Room.get(Room.code == hidden.code)
        now = room.created_at
        for name in FORMER:
            member = people.seat(room, persons[name].user_id, "guest", now)
            Member.update(left_at=now).where(Member.id == member.id).execute()
        ban = Ban.create(room=room, user=persons["banned"].user_id, reason="an open reason", banned_at=now)
        hidden.ids["ban_id"] = ban.id
        for name, state in (("knocking", "waiting"), ("declined", "declined")):
            user = persons[name].user_id
            knock = Knock.create(room=room, user=user, state=state, asked_at=now, deadline_at=now + 600_000)
            hidden.ids["knock_id"] = knock.id
    return {"nobody": (None, own["nobody"])} | {name: (persons[name], own[name]) for name in names}


class Sweep:
    """Asks, and remembers what should not have been answered."""

    def __init__(self, cast: Cast, file: Path) -> None:
        self.private, self.unlisted = fill(cast, "Quokka", "unlisted"), fill(cast, "Numbat", "unlisted")
        Room.update(visibility="private").where(Room.code == self.private.code).execute()
        self.cast = cast
        self.visitors = outsiders(cast, self.private, self.unlisted)
        self.asked = 0
        self.found: list[str] = []
        self.rows = self.private_rows()
        self.file, self.kept = file, file.with_suffix(".kept")
        database.obj.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        database.obj.close()
        database.obj.close_all()
        shutil.copy(file, self.kept)
        database.obj.connect()

    def put_back(self) -> None:
        """The database as it was."""
        database.obj.close()
        database.obj.close_all()
        for end in ("-wal", "-shm"):
            self.file.with_name(self.file.name + end).unlink(missing_ok=True)
        shutil.copy(self.kept, self.file)
        database.obj.connect()

    def private_rows(self) -> list[object]:
        """What is in the private room, but for what strangers do on their side of its door."""
        room = Room.get(Room.code == self.private.code)
        tables = (Member, Item, Message, Suggestion, Play, Ban, Invite)
        own = [sorted(table.select().where(table.room == room).tuples(), key=str) for table in tables]
        # Of these, whoever belongs to the room has more than one in it, and nobody else may touch any of them.
        people_of = [self.private.ids[name] for name in ("user_id", "guest_id")]
        kept = (Holding, Upload, Search, Progress, Playlist, Source, SubtitleChoice)
        own += [sorted(table.select().where(table.user << people_of).tuples(), key=str) for table in kept]
        film = self.private.ids["film"]
        own += [
            sorted(table.select().where(table.track == film).tuples(), key=str)
            for table in (PlaylistEntry, Subtitle)
        ]
        return [list(Room.select().where(Room.id == room.id).tuples()), *own]

    def ask(self, browser: Browser, method: str, path: str, **more: object) -> TestResponse:
        self.asked += 1
        headers = {"HX-Request": "true"} if more.pop("htmx", False) else {}
        if method not in SAFE:
            more = {"data": FORM} | more
        return browser.ask(method, path, headers, **more)

    def check(self, who: str, method: str, path: str, answer: TestResponse, is_own: bool = False) -> None:
        """No canary in the body, in a header, or in what the answer points to."""
        held = answer.get_data() + str(answer.headers).encode() + f"status {answer.status_code}".encode()
        hidden = [self.private, *([] if is_own else [self.unlisted])]
        for room in hidden:
            for word in room.words:
                if word.lower().encode() in held.lower():
                    self.found.append(f"{who} {method} {path} ({answer.status_code}) holds {word}")
            typed = room.code.encode() in path.encode()
            if not typed and re.search(f"{room.code[:4]}[ -]?{room.code[4:]}".encode(), held):
                self.found.append(f"{who} {method} {path} ({answer.status_code}) holds a hidden code")
        if answer.status_code >= 500 and path != "/readyz":
            self.found.append(f"{who} {method} {path} failed with {answer.status_code}")


@pytest.fixture
def sweep(app: Flask, cast: Cast, tmp_path: Path, time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sweep]:
    monkeypatch.setattr(people, "friendly_name", lambda: "Gentle Otter")
    shelf(30, first=500)
    Room.update(visibility="public", state="LIVE").where(Room.code == cast.code).execute()
    for name in ("ada", "cleo"):
        people.screen_opened(cast.members[name], "web")
    door._pictures.clear()
    sweep = Sweep(cast, tmp_path / "partyline.db")
    time.move(1)
    yield sweep
    door._pictures.clear()


def filled(rule: Rule, code: str, ids: dict[str, object]) -> str:
    """The rule's address with a code and numbers in it."""
    path = str(rule)
    for name in rule.arguments:
        if name == "code":
            value: object = code
        elif name == "filename":
            value = "css/discover.css"
        else:
            value = ids.get(name, ids["member_id"] if path.find("<int") >= 0 else "x" * 43)
            if name == "token" and not path.startswith("/uploads/"):
                # Whoever has the link of a shared list may look at it.
                value = "x" * 43
        path = re.sub(rf"<(?:[^<>]*:)?{name}>", str(value), path)
    return path


def requests_of(app: Flask) -> list[tuple[Rule, str]]:
    """Every rule with each of its methods; sockets are asked for elsewhere."""
    rules = sorted(app.url_map.iter_rules(), key=str)
    return [
        (rule, method)
        for rule in rules
        if not rule.websocket and not rule.rule.endswith(("/live", "/live/lobby"))
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


def test_no_route_tells_any_stranger_of_a_hidden_room(app: Flask, sweep: Sweep) -> None:
    every = requests_of(app)
    for who, (person, own) in sweep.visitors.items():
        for rule, method in every:
            codes = [own, sweep.private.code, sweep.unlisted.code] if "code" in rule.arguments else [own]
            for code in codes:
                if method not in SAFE:
                    sweep.put_back()
                path = filled(rule, code, sweep.private.ids)
                answer = sweep.ask(Browser(app, person), method, path)
                # What an unlisted room shows to whoever has its address is its own affair.
                is_own = code == sweep.unlisted.code or (who in FORMER and path in OWN_PAGES)
                sweep.check(who, method, path, answer, is_own)
                is_own_act = who in KNEW and path.endswith(OWN_ACTS)
                if method not in SAFE and not is_own_act and sweep.private_rows() != sweep.rows:
                    sweep.found.append(
                        f"{who} {method} {path} ({answer.status_code}) changed the private room"
                    )
        sweep.put_back()
    print(f"\n{len(sweep.visitors)} visitors, {len(every)} routes and methods, {sweep.asked} requests")
    assert not sweep.found, "\n".join(sweep.found)


def test_the_sweep_sees_what_somebody_inside_is_shown(app: Flask, sweep: Sweep) -> None:
    for room in (sweep.private, sweep.unlisted):
        page = sweep.ask(Browser(app, Person(room.ids["user_id"])), "GET", f"/rooms/{room.code}")
        sweep.check("host", "GET", "/", page)
        for word in room.words[:4]:
            assert any(line.endswith(f"holds {word}") for line in sweep.found), word
        assert any(line.endswith("a hidden code") for line in sweep.found)


def same(answer: TestResponse, code: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without what differs by chance or because it repeats what was typed."""

    def plain(text: str) -> str:
        for shown in (code, f"{code[:4]} {code[4:]}", code.lower()):
            text = text.replace(shown, "CODE")
        return text

    headers = sorted((name, plain(value)) for name, value in answer.headers if name not in RANDOM_HEADERS)
    return answer.status_code, headers, plain(answer.get_data(as_text=True)).encode()


def test_a_private_room_is_answered_like_one_that_does_not_exist(app: Flask, sweep: Sweep) -> None:
    every = [(rule, method) for rule, method in requests_of(app) if "code" in rule.arguments]
    different = []
    for who, (person, _) in sweep.visitors.items():
        for rule, method in every:
            if who == "knocking" or (who in KNEW and rule.endpoint in DOORS):
                # Whoever knocks just now stands at the door, and is told that it is one.
                continue
            for htmx in (False, True):
                answers = []
                for code in (sweep.private.code, UNKNOWN):
                    if method not in SAFE:
                        sweep.put_back()
                    path = filled(rule, code, sweep.private.ids)
                    answers.append((code, sweep.ask(Browser(app, person), method, path, htmx=htmx)))
                if rule.endpoint == "rooms.show_qr":
                    # A picture of the address that was typed: the two can only be as different as those.
                    answers = [(code, answer) for code, answer in answers if answer.status_code != 200]
                told = [same(answer, code) for code, answer in answers]
                if len(told) == 2 and told[0] != told[1]:
                    what = [
                        part
                        for part, one, two in zip(("status", "headers", "body"), *told, strict=True)
                        if one != two
                    ]
                    different.append(
                        f"{who} {method} {rule} htmx={htmx}: {told[0][0]}, {told[1][0]}; {', '.join(what)}"
                    )
        sweep.put_back()
    print(f"\n{sweep.asked} requests in pairs")
    assert not different, "\n".join(different)


def test_neither_searches_nor_typed_codes_find_a_hidden_room(app: Flask, sweep: Sweep) -> None:
    for who, (person, own) in sweep.visitors.items():
        for room in (sweep.private, sweep.unlisted):
            for word in [*room.words, room.code]:
                for path in (
                    "/",
                    "/discover",
                    "/my-rooms",
                    f"/rooms/{own}/log",
                    "/admin/rooms",
                    "/admin/people",
                ):
                    for htmx in (False, True):
                        query = {"search": word, "q": word, "kind": word, "person": word}
                        answer = sweep.ask(Browser(app, person), "GET", path, query_string=query, htmx=htmx)
                        text = answer.get_data(as_text=True).replace(f"{word}", "")
                        others = [each for each in room.words if each != word and each in text]
                        if who in FORMER and path in OWN_PAGES and room is sweep.unlisted:
                            continue
                        if others or f"room-card-{room.code}" in text:
                            sweep.found.append(f"{who} {path} searched for {word}: {others}")
        for path in ("/library", "/library?search=zz", "/discover?shown="):
            tail = sweep.private.code if path.endswith("=") else ""
            answer = sweep.ask(Browser(app, person), "GET", path + tail, query_string=None, htmx=True)
            if sweep.private.words[0] in answer.get_data(as_text=True):
                sweep.found.append(f"{who} {path}")
        if who == "knocking":
            continue
        asked = [
            same(sweep.ask(Browser(app, person), "GET", f"/library?room={code}"), code)
            for code in (sweep.private.code, UNKNOWN)
        ]
        joined = []
        for code in (sweep.private.code, UNKNOWN):
            sweep.put_back()
            form = {"code": code, "display_name": "Visitor"}
            joined.append(same(sweep.ask(Browser(app, person), "POST", "/join", data=form), code))
        if asked[0] != asked[1] or joined[0] != joined[1]:
            sweep.found.append(
                f"{who}: /library {asked[0][0]} {asked[1][0]}, /join {joined[0][0]} {joined[1][0]}"
            )
        sweep.put_back()
    assert not sweep.found, "\n".join(sweep.found)


class Ear:
    """A socket that keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.is_open = True

    def offer(self, data: bytes) -> bool:
        self.heard.append(data)
        return True

    def close(self, code: int, reason: str = "") -> None:
        self.heard.append((code, reason))


def test_no_socket_tells_a_stranger_of_a_hidden_room(app: Flask, sweep: Sweep) -> None:
    different = []
    for who, (person, _) in sweep.visitors.items():
        told = []
        for code in (sweep.private.code, UNKNOWN):
            ear, browser = Ear(), Browser(app, person)
            cookie = browser.client.get_cookie("partyline_session")
            headers = {"Cookie": f"partyline_session={cookie.value}"} if cookie else {}
            database.obj.close()
            with app.test_request_context(f"/rooms/{code}/live", headers=headers):
                socket._serve(ear, code)
            database.obj.connect(reuse_if_open=True)
            told.append(ear.heard)
        if told[0] != told[1] and who != "knocking":
            different.append(f"{who}: {told}")
    assert not different, "\n".join(different)


def test_the_live_list_never_tells_of_a_hidden_room(
    cast: Cast, sweep: Sweep, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear = Ear()
    watcher = Watcher(ear, "here")  # type: ignore[arg-type]
    monkeypatch.setattr(lobby, "_watchers", {watcher: None})
    known = discovery.look()
    hidden = (sweep.private, sweep.unlisted)
    for number, room in enumerate((*hidden, *hidden)):
        members = Member.select().where(Member.user == room.ids["user_id"])
        host = Person(room.ids["user_id"])
        queue.add_item(host, room.code, cast.tracks[number])
        people.screen_opened(members[0].id, f"process {number}")
        people.rename(host, f"{room.words[1]} again {number}")
        time.move(1)
        watcher.asked = ([room.code, cast.code], 0)
        known = lobby._tick(known, is_beat_due=True)
    Room.update(visibility="unlisted").where(Room.code == cast.code).execute()
    lobby._tick(known, is_beat_due=False)
    held = b"".join(data for data in ear.heard if isinstance(data, bytes))
    assert len(held) > 1_000
    for room in hidden:
        assert not [word for word in room.words if word.encode() in held]
        # What was asked for is answered as gone, and says no more than the question did.
        assert (
            re.findall(rb'[^"]*%s[^"]*' % room.code.encode(), held)
            == [b"room-card-" + room.code.encode()] * 2
        )


# What belongs to one person: nobody else can tell whether it is there.

KEPT = {
    "playlist_id": ("/playlists",),
    "entry_id": ("/playlists/<int",),
    "token": ("/uploads/",),
    "search_id": ("/searches/", "/rooms/"),
    "source_id": ("/sources/",),
    "subtitle_id": ("/media/",),
    "track_id": ("/media/", "/uploads/"),
}
"""The names of what is kept, and where the addresses that lead to it begin."""
NOWHERE: dict[str, object] = {
    "playlist_id": 99_001, "entry_id": 99_002, "token": "Quollsuploadtoken", "search_id": 99_003, "source_id": 99_004,
    "subtitle_id": 99_005, "track_id": 99_006,
}  # fmt: skip


def test_nobody_learns_whether_anothers_things_are_there(app: Flask, sweep: Sweep) -> None:
    """Lists, files on their way, searches, servers, media without their mark: answered like what never was."""
    real = sweep.private.ids | {"track_id": sweep.private.ids["film"]}
    every = [(rule, method) for rule, method in requests_of(app) if KEPT.keys() & rule.arguments]
    different, seen = [], set()
    for who, (person, own) in sweep.visitors.items():
        for rule, method in every:
            for name in sorted(KEPT.keys() & rule.arguments):
                if not str(rule).startswith(KEPT[name]):
                    continue
                seen.add(str(rule))
                for htmx in (False, True):
                    answers = []
                    for value in (real[name], NOWHERE[name]):
                        if method not in SAFE:
                            sweep.put_back()
                        path = filled(rule, own, real | {name: value})
                        answers.append(
                            same(sweep.ask(Browser(app, person), method, path, htmx=htmx), str(value))
                        )
                    if answers[0] != answers[1]:
                        different.append(f"{who} {method} {rule} {name}: {answers[0][0]}, {answers[1][0]}")
        sweep.put_back()
    print(f"\n{len(seen)} routes to what one person keeps, {sweep.asked} requests in pairs")
    assert len(seen) > 20
    assert not different, "\n".join(different)


def test_nobody_puts_on_or_keeps_what_is_not_theirs_to_see(app: Flask, sweep: Sweep) -> None:
    film, entry, different = sweep.private.ids["film"], sweep.private.ids["entry_id"], []
    for who, (person, own) in sweep.visitors.items():
        if person is None:
            continue
        User.update(email=f"{who}@example.org").where(User.id == person.user_id).execute()
        mine = playlists.keep_lines(person, "Mine", [playlists.Line("Words")])
        line = PlaylistEntry.get(PlaylistEntry.playlist == mine).id
        for path, name in (
            (f"/rooms/{own}/queue", "track_id"),
            (f"/rooms/{own}/suggestions", "track_id"),
            (f"/playlists/{mine}/entries", "track_id"),
            (f"/playlists/{mine}/entries/{line}/match", "track_id"),
            (f"/rooms/{own}/plays-on", "playlist_id"),
            (f"/playlists/{mine}/entries/{line}/copies", "to"),
            (f"/playlists/{mine}/copies", "to"),
            (f"/rooms/{own}/playlists", "to"),
            (f"/rooms/{own}/shelf", "source"),
            (f"/playlists/{mine}/line", "room"),
        ):
            if name == "room" and who in KNEW:
                continue
            real = {"track_id": film, "source": sweep.private.ids["source_id"], "room": sweep.private.code}
            hidden, nowhere = (
                real.get(name, sweep.private.ids["playlist_id"]),
                {"room": UNKNOWN}.get(name, 99_001),
            )
            told = []
            for value in (hidden, nowhere):
                form = {name: str(value), "words": "x", "when_empty": "playlist", "item": "1"}
                answer = sweep.ask(Browser(app, person), "POST", path, data=form)
                assert answer.status_code >= 400, (who, path, answer.status_code)
                told.append(same(answer, str(value)))
            if told[0] != told[1]:
                different.append(f"{who} {path}: {told[0][0]}, {told[1][0]}")
        for path in (
            f"/playlists/{mine}/entries/{entry}/removal",
            f"/playlists/{mine}/entries/{entry}/restoration",
            f"/playlists/{mine}/entries/{entry}/match",
            f"/playlists/{mine}/entries/{entry}/move",
        ):
            assert sweep.ask(Browser(app, person), "POST", path, data={"track_id": "1"}).status_code == 404
    assert sweep.private_rows() == sweep.rows
    assert not different, "\n".join(different)


def test_no_search_finds_what_others_brought(app: Flask, sweep: Sweep) -> None:
    for who, (person, own) in sweep.visitors.items():
        mine = None
        if person is not None:
            User.update(email=f"{who}@example.org").where(User.id == person.user_id).execute()
            mine = playlists.keep_lines(person, "Mine", [playlists.Line("Words")])
        for hidden in (sweep.private, sweep.unlisted):
            for word in hidden.words:
                typed = word.lower()
                asked = [
                    f"/library?search={typed}", f"/rooms/{own}/search?search={typed}",
                    f"/library?room={own}&search={typed}",
                    *([f"/playlists/{mine}/matches?search={typed}&entry=1"] if mine else []),
                ]  # fmt: skip
                for path in asked:
                    answer = sweep.ask(Browser(app, person), "GET", path, htmx=True)
                    # What the library holds for everybody is found by everybody: the three titles of `fill`.
                    others = [each for each in hidden.words if each not in hidden.words[5:8] and each != word]
                    text = answer.get_data(as_text=True)
                    found = [each for each in others if each.lower() in text.lower().replace(typed, "")]
                    if found:
                        sweep.found.append(f"{who} {path}: {found}")
    assert not sweep.found, "\n".join(sweep.found)


def test_an_address_of_media_is_its_own_key(app: Flask, sweep: Sweep) -> None:
    """Without its mark nobody is served, not even who brought it; with the mark everybody is, session or none."""
    film, words = (
        Track.get_by_id(sweep.private.ids["film"]),
        Subtitle.get_by_id(sweep.private.ids["subtitle_id"]),
    )
    mark = tracks.mark(film.id, film.media_file, film.cover_file, film.added_at)
    cover = tracks.mark(film.id, film.media_file, film.cover_file, film.added_at, "cover")
    own_mark = tracks.mark(words.id, words.file, words.added_at)
    owner = Person(sweep.private.ids["guest_id"])
    guesses = [
        "A" * 20,
        own_mark,
        mark[:-1] + ("A" if mark[-1] != "A" else "B"),
        mark.swapcase(),
        mark + "A",
        "é",
    ]
    everybody = [owner, *(person for person, _ in sweep.visitors.values())]
    for person in everybody:
        for guess in guesses:
            for kind in ("file", "opus", "cover", "cover/96"):
                answer = sweep.ask(Browser(app, person), "GET", f"/media/{film.id}/{guess}/{kind}")
                assert answer.status_code == 404, (guess, kind)
        answer = sweep.ask(Browser(app, person), "GET", f"/media/subtitles/{words.id}/{mark}")
        assert answer.status_code == 404
        for kind, other in (("file", cover), ("opus", cover), ("cover", mark)):
            answer = sweep.ask(Browser(app, person), "GET", f"/media/{film.id}/{other}/{kind}")
            assert answer.status_code == 404, "who sees a cover has no file yet"
        shown = sweep.ask(Browser(app, person), "GET", f"/media/{film.id}/{cover}/cover")
        assert shown.status_code == 200 and "Set-Cookie" not in shown.headers


MEDIA_ADDRESS = re.compile(rb"/media/[0-9]+/[^/\"' &<]+/(?:file|opus)\b")


def test_whoever_only_looks_into_an_open_room_is_given_nothing_to_play(app: Flask, sweep: Sweep) -> None:
    """Not in the room's page, its lists, a search or what changed; whoever sits there is, where the page uses it."""
    cast, code = sweep.cast, sweep.cast.code
    Track.update(opus_file="uploads/raised.opus", opus_gain_db=6.0, loudness_lufs=-24.0).execute()
    items = cast.add(3)

    def told(person: Person | None, path: str, *, htmx: bool = False) -> list[bytes]:
        return MEDIA_ADDRESS.findall(sweep.ask(Browser(app, person), "GET", path, htmx=htmx).get_data())

    searches = [f"/rooms/{code}/search?search=song", f"/library?room={code}&search=song"]
    rules = [rule for rule, method in requests_of(app) if method == "GET" and "code" in rule.arguments]
    for person in (None, cast.dan):
        for rule in rules:
            # By opening the page whoever has a name takes a seat.
            if person is None or rule.endpoint != "rooms.show_room":
                path = filled(
                    rule, code, sweep.private.ids | {"item_id": items[1], "track_id": cast.tracks[1]}
                )
                assert told(person, path) == told(person, path, htmx=True) == [], (person, path)
        for path in searches:
            assert told(person, path) == told(person, path, htmx=True) == [], (person, path)
    assert not Member.select().where(Member.user == cast.dan.user_id).exists()

    page = tree(sweep.ask(Browser(app, cast.cleo), "GET", f"/rooms/{code}"))
    rows = [node.attrs for node in page.all() if (node.id or "").startswith("queue-item-")]
    assert len(rows) == 2
    assert rows[0]["data-src"].endswith("/file") and rows[0]["data-opus"].endswith("/opus")
    assert not any(MEDIA_ADDRESS.search(value.encode()) for value in rows[1].values() if value), (
        "only what comes next"
    )
    assert all(told(cast.cleo, path, htmx=True) for path in searches)


def test_a_shared_list_tells_its_name_and_songs_and_nothing_else(app: Flask, sweep: Sweep) -> None:
    """Its link is its key. It leads to no file, no room, no other list of the same person."""
    token, told = sweep.private.ids["shared"], {"shared", "entry", "host", "file"}
    for who, (person, _) in sweep.visitors.items():
        answer = sweep.ask(Browser(app, person), "GET", f"/playlists/shared/{token}")
        assert answer.status_code == 200, who
        words = [w for w in sweep.private.words if not any(w.endswith(each) for each in told) and w != token]
        text = answer.get_data(as_text=True).lower()
        assert not [word for word in words if word.lower() in text], who
        for number, mark in re.findall(r"/media/([0-9]+)/([^/]+)/cover", answer.get_data(as_text=True)):
            told_by = sweep.ask(Browser(app, person), "GET", f"/media/{number}/{mark}/file")
            assert told_by.status_code == 404, who
        assert sweep.ask(Browser(app, person), "GET", "/playlists/shared/x" + token[1:]).status_code == 404
    Playlist.update(share_token=None).where(Playlist.share_token == token).execute()
    assert sweep.ask(Browser(app), "GET", f"/playlists/shared/{token}").status_code == 404
