"""The frames of a room: made once per audience, small, and handed on without anybody waiting for a slow screen."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

import fragments
import models
from live import presence, screens, socket, tail, wire
from live.screens import RoomScreens, Screen, counters
from party import hosting, people, queue, ranks
from party.change import Person, connected
from party.errors import Busy
from tests import stage
from tests.live.rawsocket import PATIENCE_SECONDS, eventually
from tests.stage import Cast


class Line:
    """Stands for a socket: keeps what is sent, and takes nothing while it is stuck."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.is_open, self.is_stuck, self.code = True, False, 0

    def offer(self, data: bytes) -> bool:
        if self.is_open and not self.is_stuck:
            self.sent.append(data)
        return self.is_open and not self.is_stuck

    def send(self, data: bytes) -> None:
        if not self.is_open:
            raise wire.Closed(self.code)
        self.sent.append(data)

    def close(self, code: int, reason: str = "") -> None:
        self.is_open, self.code = False, code

    @property
    def frames(self) -> list[str]:
        """The HTML of the frames that were sent."""
        return [text for data in self.sent if (text := payload(data)).startswith('<div id="frame"')]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No rooms and no counts from other tests, and nothing that happens later."""
    for module in (screens, presence):
        monkeypatch.setattr(module, "later", lambda seconds, act: None)
    counters.clear()
    yield
    counters.clear()
    screens.rooms.clear()
    tail._rooms.clear()
    tail._heads.clear()


@pytest.fixture
def room(cast: Cast) -> RoomScreens:
    """The room's screens, after four tracks were added."""
    cast.add(4)
    watched = screens.of(cast.code)
    watched.refresh()
    return watched


def open_screen(room: RoomScreens, cast: Cast, name: str) -> Screen:
    """A page of somebody who has everything."""
    user = {"ada": cast.ada, "ben": cast.ben, "cleo": cast.cleo}[name].user_id
    screen = Screen(Line(), user, cast.members[name], room.head, room.epoch)
    screen.is_behind = False
    room.screens.add(screen)
    return screen


def moved_on(room: RoomScreens) -> None:
    """What a wake-up does, without its wait."""
    room._wake_all()


# Frames


def test_a_frame_is_made_once_for_an_audience_however_many_look(cast, room):
    crowd = [open_screen(room, cast, name) for name in ("ada", "ben", "cleo") for _ in range(30)]
    queue.cast_vote(cast.ada, cast.code, cast.line()[2], 1)
    moved_on(room)
    assert counters["delta"] == 3 and counters["full"] == 0
    others = [screen for screen in crowd if screen.user_id != cast.ada.user_id]
    assert all(len(screen.wire.frames) == 1 and screen.cursor == room.head for screen in others)
    by_role = {id(screen.wire.sent[0]) for screen in others}
    assert len(by_role) == 2, "the same bytes for everybody of an audience"


def test_whoever_acted_is_left_to_their_writer_for_their_own_share(cast, room):
    ada, ben = open_screen(room, cast, "ada"), open_screen(room, cast, "ben")
    queue.cast_vote(cast.ben, cast.code, cast.line()[1], 1)
    moved_on(room)
    assert ada.wire.frames and not ada.is_behind
    assert not ben.wire.sent and ben.is_behind and ben.wake.is_set()
    socket._catch_up(ben, room)
    frame, share = (payload(data) for data in ben.wire.sent)
    assert 'id="frame"' in frame and 'id="mine"' in share and ":1" in share
    assert not ben.is_behind


def test_screens_far_and_nowhere_behind_share_one_full_frame(cast, room):
    ready = [room.frame("guest", after, epoch) for after, epoch in
             ((0, room.epoch), (0, ""), (7, "elsewhere"), (10**9, room.epoch))]  # fmt: skip
    assert all(each is ready[0] for each in ready)
    assert counters["full"] == 1


def test_a_stuck_screen_keeps_nobody_waiting_and_gets_one_frame_for_all_it_missed(cast, room):
    stuck, well = open_screen(room, cast, "cleo"), open_screen(room, cast, "ben")
    stuck.wire.is_stuck = True
    start = room.head
    for item in cast.line():
        queue.cast_vote(cast.ada, cast.code, item, 1)
        moved_on(room)
    assert len(well.wire.frames) == 3 and stuck.wire.sent == [] and stuck.is_behind
    socket._catch_up(stuck, room)
    assert len(stuck.wire.frames) == 1
    assert f'data-from="{start}" data-to="{room.head}"' in stuck.wire.frames[0]


def test_a_screen_at_the_head_is_sent_nothing(cast, room):
    screen = open_screen(room, cast, "cleo")
    moved_on(room)
    assert not screen.wire.sent
    screen.is_behind = True
    assert socket._catch_up(screen, room)
    assert not screen.wire.sent and counters["lossless"] == 1


def test_what_is_asked_while_a_frame_is_on_its_way_is_not_forgotten(cast, room):
    screen = open_screen(room, cast, "cleo")
    start = room.head
    queue.cast_vote(cast.ada, cast.code, cast.line()[1], 1)
    room.refresh()
    send = screen.wire.send

    def send_and_be_asked(data: bytes) -> None:
        screen.wire.send = send
        send(data)
        screen.ask(start, room.epoch)

    screen.wire.send = send_and_be_asked
    socket._catch_up(screen, room)
    assert len(screen.wire.frames) == 2 and not screen.is_behind


def test_frames_are_forgotten_with_their_number_and_kept_in_bounds(cast, room):
    for after in range(1, room.head):
        room.frame("guest", after, room.epoch)
    assert len(room._frames) == room.head - 1
    cast.add(1)
    room.refresh()
    assert not room._frames
    for role in ("guest", "cohost", "host"):
        for after in range(room.head + 1):
            room.frame(role, after, room.epoch)
    assert len(room._frames) <= screens.FRAMES_KEPT


def test_a_vote_costs_as_many_bytes_on_a_long_line_as_on_a_short_one(cast):
    sizes = {}
    host = cast.room()
    tracks = stage.library(601, 100)
    for length in (60, 600):
        fill(cast, host, tracks, length)
        room = RoomScreens(cast.code)
        room.refresh()
        fragments.current(cast.code)
        before = room.head
        queue.cast_vote(cast.ben, cast.code, cast.line()[length // 2], -1)
        room.refresh()
        sizes[length] = len(room.frame("guest", before, room.epoch).data)
    assert sizes[600] <= 1.2 * sizes[60]
    assert sizes[60] < 4_000


def fill(cast: Cast, room, tracks: list[int], length: int) -> None:
    """That many rows on the line, written at once."""
    waiting = models.Item.select().where(models.Item.room == room, models.Item.state == "waiting").count()
    keys = ranks.several(700)
    rows = [
        {"room": room, "track": tracks[place], "added_by": cast.members["ada"], "position": keys[place],
         "added_seq": 1, "added_at_advance": 0, "guard_limit": 1_000_000, "added_at": 0}
        for place in range(waiting, length)
    ]  # fmt: skip
    for start in range(0, len(rows), 50):
        models.Item.insert_many(rows[start : start + 50]).execute()
    models.Room.update(seq=models.Room.seq + 1).where(models.Room.id == room.id).execute()
    models.Event.insert(
        room=room.id,
        seq=models.Room.get_by_id(room.id).seq,
        kind="mode_changed",
        data={"mode": "charts"},
        at=0,
    ).execute()
    models.Playback.update(state="paused").where(models.Playback.room == room).execute()


# Standing


def test_whoever_gave_up_their_seat_is_told_and_the_others_go_on(cast, room):
    ben, cleo = open_screen(room, cast, "ben"), open_screen(room, cast, "cleo")
    people.leave(cast.cleo, cast.code)
    moved_on(room)
    assert cleo.is_behind and not cleo.wire.sent
    assert not socket._catch_up(cleo, room)
    assert cleo.wire.code == 4403 and not cleo.wire.sent, "no frame beyond the leaving"
    assert ben.wire.frames and ben.wire.is_open


def test_everybody_gets_the_last_frame_and_is_told_that_it_is_over(cast, room, time):
    screen = open_screen(room, cast, "cleo")
    models.Room.update(state="GRACE", host_grace_until=time.now_ms + 1).where(
        models.Room.code == cast.code
    ).execute()
    room.refresh()
    time.move(1)
    presence._keep_time(cast.code)
    moved_on(room)
    assert screen.is_behind
    assert not socket._catch_up(screen, room)
    assert screen.wire.code == 4404
    assert 'data-state="EXPIRED"' in screen.wire.frames[-1]


def test_time_alone_may_change_what_a_frame_says(cast, room, time):
    models.Room.update(state="LIVE").where(models.Room.code == cast.code).execute()
    room.refresh()
    assert 'data-state="LIVE"' in payload(room.frame("guest", 0, "").data)
    models.Room.update(host_gone_at=time.now_ms).where(models.Room.code == cast.code).execute()
    time.move(5)
    room.refresh()
    assert 'data-state="GRACE"' in payload(room.frame("guest", 0, "").data)


# Waking


def test_wake_ups_in_a_row_become_one(cast, room, monkeypatch):
    passes = []
    monkeypatch.setattr(
        room, "_wake_all", lambda: passes.append(1) or setattr(room, "_is_wake_planned", False)
    )
    planned = []
    monkeypatch.setattr(screens, "later", lambda seconds, act: planned.append((seconds, act)))
    for _ in range(100):
        room.wake()
    assert len(planned) == 1
    planned[0][1]()
    room.wake()
    assert len(planned) == 2


def test_frames_of_a_room_are_a_twentieth_of_a_second_apart(cast, room, monkeypatch):
    planned = []
    monkeypatch.setattr(screens, "later", lambda seconds, act: planned.append(seconds))
    watch = SimpleNamespace(monotonic=lambda: watch.now, now=1000.0)
    monkeypatch.setattr(screens, "time", watch)
    room.wake()
    assert planned[0] <= 0, "the first goes at once"
    room._wake_all()
    watch.now += 0.02
    room.wake()
    assert planned[1] == pytest.approx(screens.FRAME_SPACING - 0.02)


def test_a_lost_wake_up_is_found_by_the_look_at_people(cast, room, monkeypatch):
    woken = []
    monkeypatch.setattr(room, "wake", lambda: woken.append(1))
    room.look_at_people()
    assert not woken
    cast.add(1)
    room.look_at_people()
    assert woken


def test_coming_and_going_is_shown_once_and_only_when_it_differs(cast, room):
    screen = open_screen(room, cast, "ada")
    room.look_at_people()
    version = room.people_version
    room.look_at_people()
    assert room.people_version == version
    people.screen_opened(cast.members["cleo"], "a process")
    room.look_at_people()
    assert room.people_version == version + 1 and screen.wake.is_set()
    assert "Cleo" in payload(room.people_data)


def test_a_room_nobody_looks_at_is_forgotten(cast, room):
    screen = open_screen(room, cast, "ada")
    screens.forget_if_empty(room)
    assert screens.rooms
    room.screens.discard(screen)
    screens.forget_if_empty(room)
    assert not screens.rooms and not tail.watched()


def test_somebody_who_came_back_through_a_forgotten_room_stays_present(cast, room):
    screen = open_screen(room, cast, "cleo")
    people.screen_opened(cast.members["cleo"], presence.process)
    room.screens.discard(screen)
    screens.forget_if_empty(room)
    again = screens.of(cast.code)
    again.seats[cast.members["cleo"]] += 1
    presence._leave(screen, room)
    assert models.Presence.select().count() == 1


def test_a_host_who_only_seemed_gone_takes_grace_back(cast, room, time):
    open_screen(room, cast, "ada")
    room.seats[cast.members["ada"]] += 1
    people.screen_opened(cast.members["ada"], presence.process)
    hosting.screen_arrived(cast.ada, cast.code)
    time.move(60)
    assert hosting.find_lost_hosts() == [cast.code]
    hosting.note_lost_host(cast.code)
    time.move(6)
    hosting.keep_promises(cast.code)
    assert cast.seen().state == "GRACE"
    room.refresh()
    presence.renew()
    assert cast.seen().state == "LIVE"
    assert cast.kinds()[-2:] == ["host_lost", "host_returned"]
    presence.renew()
    assert cast.kinds()[-1] == "host_returned"


def test_what_this_process_sees_is_what_is_written_down(cast, room, time):
    people.screen_opened(cast.members["ben"], presence.process)
    people.screen_opened(cast.members["ben"], "another process")
    room.seats[cast.members["cleo"]] += 1
    presence.renew()
    rows = {(row.member_id, row.process) for row in models.Presence.select()}
    assert rows == {(cast.members["cleo"], presence.process), (cast.members["ben"], "another process")}


def test_people_are_sent_again_after_a_numbered_frame_showed_others(cast, room):
    people.screen_opened(cast.members["cleo"], presence.process)
    room.look_at_people()
    version = room.people_version
    people.leave(cast.cleo, cast.code)
    people.join(cast.cleo, cast.code)
    start = room.head
    room.refresh()
    assert 'id="people"' in payload(room.frame("guest", start, room.epoch).data)
    people.screen_opened(cast.members["cleo"], presence.process)
    room.look_at_people()
    assert room.people_version == version + 1


def test_a_room_whose_snapshots_were_let_go_still_gets_its_frames(cast, room):
    start = room.head
    queue.cast_vote(cast.cleo, cast.code, cast.line()[0], 1)
    room.refresh()
    fragments._recent.clear()
    assert 'id="queue"' in payload(room.frame("guest", start, room.epoch).data)


# The writer


def test_a_writer_beats_when_it_is_time_and_ends_with_its_socket(cast, room):
    models.database.obj.close()
    screen = open_screen(room, cast, "cleo")
    screen.people = room.people_version
    writer = threading.Thread(target=socket._write, args=(screen, room), daemon=True)
    writer.start()
    eventually(lambda: len(screen.wire.sent) == 1)
    screen.beat_at = 0.0
    screen.wake.set()
    eventually(lambda: len(screen.wire.sent) == 2)
    assert [json.loads(payload(data))["seq"] for data in screen.wire.sent] == [room.head] * 2
    screen.wire.is_open = False
    screen.wake.set()
    writer.join(PATIENCE_SECONDS)
    assert not writer.is_alive()


def test_heartbeats_are_ten_seconds_apart_and_spread():
    spread = set()
    for _ in range(200):
        screen = Screen(Line(), 1, 1, 0, "")
        screen.plan_beat(100.0)
        spread.add(screen.beat_at - 100.0)
    assert 8.0 <= min(spread) < 8.5 and 11.5 < max(spread) <= 12.0


def test_a_busy_database_sends_a_newcomer_away_for_a_moment(cast, room, monkeypatch):
    def busy(member_id: int, process: str) -> None:
        raise Busy("as asked")

    monkeypatch.setattr(people, "screen_opened", busy)
    screen = open_screen(room, cast, "cleo")
    assert not presence.arrived(screen, room, "guest")


# Starting together


def test_a_start_lies_far_enough_ahead_for_slow_screens(room):
    assert room.start_lead_ms() == 150
    for trip in [20.0] * 90 + [400.0] * 10:
        room.note_trip(trip)
    assert room.start_lead_ms() == 650
    for _ in range(200):
        room.note_trip(5_000.0)
    assert room.start_lead_ms() == 1000
    room.note_trip(float("nan"))
    room.note_trip(-5.0)
    assert room.start_lead_ms() == 1000
    assert screens.start_lead_ms("NOSUCHAB") == 150


def test_people_together_hold_no_connection_while_asleep(cast, room):
    models.database.obj.close()
    room.refresh()
    room.frame("guest", 0, "")
    room.own_share(cast.cleo.user_id)
    room.look_at_people()
    assert models.database.obj.is_closed()
    with connected():
        assert Person(cast.ada.user_id)


def payload(data: bytes) -> str:
    """The text of a server frame."""
    start = {126: 4, 127: 10}.get(data[1], 2)
    return re.sub(r"\s+$", "", data[start:].decode())
