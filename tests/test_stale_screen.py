"""The test behind live updates: for every command, the page before plus what `since` says is the page after."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import fragments
import stale
from models import Event, Item, Member, Track
from party import chat as chat_rules
from party import (
    configuring,
    control,
    entry,
    hosting,
    invites,
    knocks,
    moderation,
    people,
    playback,
    queue,
    rooms,
    skipping,
    snapshot,
    suggestions,
    undoing,
)
from party.change import Person
from party.errors import Refusal
from party.views import Audience
from tests.scenes import (
    accounts,
    audit,
    chat,
    doors,
    files,
    links,
    playlists,
    rules,
    sources,
    subtitles,
    uploads,
)
from tests.scenes import hosting as hosting_scenes
from tests.screen import PIECES, Screen
from tests.stage import SONG_MS, Cast

AUDIENCES = ("host", "cohost", "guest")
PROCESS = "a web process"


@pytest.fixture(autouse=True)
def forget_snapshots() -> Iterator[None]:
    """Rooms of other tests have the same numbers."""
    fragments._recent.clear()
    yield
    fragments._recent.clear()


def fresh(code: str, role: str, person: Person | None = None) -> Screen:
    """What a page loaded now shows, read past every memory."""
    room = snapshot.take(code)
    html = fragments.render(
        "fragments/frame.html", epoch=room.epoch, to=room.seq, oob="", **{"from": room.seq}
    )
    for name in stale.PIECES:
        html += fragments.piece(room, role, name, oob="")
    return Screen(html + (fragments.mine(code, person.user_id, oob="") if person else ""))


def opened(code: str, role: str, person: Person | None = None) -> Screen:
    """A page loaded now, by the way that leaves its snapshot in memory."""
    fragments.current(code)
    return fresh(code, role, person)


def show(cast: Cast, person: Person, is_on: bool = True) -> None:
    """A person's screen opens or closes in a web process."""
    seat = people.join(person, cast.code)
    if is_on:
        people.screen_opened(seat, PROCESS)
        hosting.screen_arrived(person, cast.code)
    else:
        people.screens_closed(seat, PROCESS)
        hosting.screens_gone(person, cast.code)


class Scene:
    """A live room: one track on, five waiting, some votes, everybody looking."""

    def __init__(self, cast: Cast, time) -> None:
        self.cast, self.time, self.code = cast, time, cast.code
        for person in (cast.ada, cast.ben, cast.cleo):
            show(cast, person)
        self.items = cast.add(3) + cast.add(2, by=cast.cleo) + cast.add(1, by=cast.ben)
        queue.cast_vote(cast.cleo, cast.code, self.items[4], 1)
        queue.cast_vote(cast.ben, cast.code, self.items[2], -1)

    @property
    def play(self) -> int:
        return self.cast.room().playback.get().play_id

    def spare(self) -> int:
        """A track that is not on the line."""
        used = Item.select(Item.track).where(Item.room == self.cast.room())
        return Track.select().where(Track.id.not_in(used)).order_by(Track.id).first().id

    def empty_line(self) -> None:
        for item in self.cast.line():
            queue.remove_item(self.cast.ada, self.code, item)

    def fall_quiet(self) -> None:
        self.empty_line()
        playback.skip(self.cast.ada, self.code)

    def lose_host(self) -> None:
        show(self.cast, self.cast.ada, is_on=False)
        self.time.move(5)

    def by_hand(self) -> None:
        queue.change_mode(self.cast.ada, self.code, "hand")


Step = Callable[[Scene], object]


def both(*steps: Step) -> Step:
    return lambda s: [step(s) for step in steps]


NOTHING: Step = lambda s: None  # noqa: E731
LATE: Step = lambda s: s.time.move(SONG_MS / 1000 - 5)  # noqa: E731

# The command, and what comes before it.
COMMANDS: dict[str, tuple[Step, Step]] = {
    "add_item": (NOTHING, lambda s: queue.add_item(s.cast.cleo, s.code, s.spare())),
    "add_item to a line that is empty": (
        Scene.empty_line,
        lambda s: queue.add_item(s.cast.cleo, s.code, s.spare()),
    ),
    "add_item in a quiet room": (Scene.fall_quiet, lambda s: queue.add_item(s.cast.cleo, s.code, s.spare())),
    "add_item that locks the head": (LATE, lambda s: queue.add_item(s.cast.cleo, s.code, s.spare())),
    "remove_item at the top": (NOTHING, lambda s: queue.remove_item(s.cast.ada, s.code, s.cast.line()[0])),
    "remove_item at the end": (NOTHING, lambda s: queue.remove_item(s.cast.ada, s.code, s.cast.line()[-1])),
    "remove_item, one's own": (NOTHING, lambda s: queue.remove_item(s.cast.cleo, s.code, s.items[3])),
    "remove_item, the last one": (
        lambda s: [queue.remove_item(s.cast.ada, s.code, item) for item in s.cast.line()[1:]],
        lambda s: queue.remove_item(s.cast.ada, s.code, s.cast.line()[0]),
    ),
    "restore_item": (
        lambda s: queue.remove_item(s.cast.ada, s.code, s.items[3]),
        lambda s: queue.restore_item(s.cast.ada, s.code, s.items[3]),
    ),
    "cast_vote that moves nothing": (
        NOTHING,
        lambda s: queue.cast_vote(s.cast.cleo, s.code, s.cast.line()[-1], -1),
    ),
    "cast_vote that moves a row to the top": (
        NOTHING,
        lambda s: [
            queue.cast_vote(who, s.code, s.items[5], 1) for who in (s.cast.ada, s.cast.ben, s.cast.cleo)
        ],
    ),
    "cast_vote turned round": (NOTHING, lambda s: queue.cast_vote(s.cast.cleo, s.code, s.items[4], -1)),
    "withdraw_vote": (NOTHING, lambda s: queue.withdraw_vote(s.cast.cleo, s.code, s.items[4])),
    "move_item to the top": (NOTHING, lambda s: queue.move_item(s.cast.ada, s.code, s.items[3], None)),
    "move_item by hand": (
        Scene.by_hand,
        lambda s: queue.move_item(s.cast.ben, s.code, s.cast.line()[0], s.cast.line()[3]),
    ),
    "change_mode": (NOTHING, Scene.by_hand),
    "play": (lambda s: playback.pause(s.cast.ada, s.code), lambda s: playback.play(s.cast.ada, s.code)),
    "pause": (lambda s: s.time.move(7), lambda s: playback.pause(s.cast.ada, s.code)),
    "seek": (NOTHING, lambda s: playback.seek(s.cast.ada, s.code, 40_000)),
    "seek away from the lock": (
        both(LATE, lambda s: playback.lock_next(s.code, s.play)),
        lambda s: playback.seek(s.cast.ada, s.code, 1_000),
    ),
    "restart": (lambda s: s.time.move(7), lambda s: playback.restart(s.cast.ada, s.code)),
    "skip": (NOTHING, lambda s: playback.skip(s.cast.ada, s.code)),
    "skip the last, which had votes": (
        both(lambda s: playback.skip(s.cast.ada, s.code), Scene.empty_line),
        lambda s: playback.skip(s.cast.ada, s.code),
    ),
    "skip the last": (Scene.empty_line, lambda s: playback.skip(s.cast.ada, s.code)),
    "advance": (
        lambda s: s.time.move(SONG_MS / 1000 + 1),
        lambda s: playback.advance(s.code, s.play),
    ),
    "advance into silence": (
        both(Scene.empty_line, lambda s: s.time.move(SONG_MS / 1000 + 1)),
        lambda s: playback.advance(s.code, s.play),
    ),
    "lock_next": (LATE, lambda s: playback.lock_next(s.code, s.play)),
    "join": (NOTHING, lambda s: people.join(s.cast.dan, s.code)),
    "leave": (NOTHING, lambda s: people.leave(s.cast.cleo, s.code)),
    "leave as the host": (NOTHING, lambda s: people.leave(s.cast.ada, s.code)),
    "come back": (lambda s: people.leave(s.cast.cleo, s.code), lambda s: people.join(s.cast.cleo, s.code)),
    "rename": (NOTHING, lambda s: people.rename(s.cast.cleo, "Cleopatra")),
    "keep_promises: the host is lost": (Scene.lose_host, lambda s: hosting.keep_promises(s.code)),
    "screen_arrived: the host is back": (
        both(Scene.lose_host, lambda s: hosting.keep_promises(s.code)),
        lambda s: show(s.cast, s.cast.ada),
    ),
    "keep_promises: grace ran out": (
        both(Scene.lose_host, lambda s: hosting.keep_promises(s.code), lambda s: s.time.move(300)),
        lambda s: hosting.keep_promises(s.code),
    ),
    "keep_promises: lost and over at once": (
        both(Scene.lose_host, lambda s: s.time.move(3_000)),
        lambda s: hosting.keep_promises(s.code),
    ),
}
for scenes in (
    accounts,
    audit,
    chat,
    doors,
    files,
    hosting_scenes,
    links,
    playlists,
    rules,
    sources,
    subtitles,
    uploads,
):
    assert not COMMANDS.keys() & scenes.COMMANDS.keys()
    COMMANDS |= scenes.COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_before_plus_what_since_says_is_the_page_after(cast: Cast, time, name: str) -> None:
    scene = Scene(cast, time)
    prepare, act = COMMANDS[name]
    prepare(scene)
    persons = dict(zip(AUDIENCES, (cast.ada, cast.ben, cast.cleo), strict=True))
    screens = {role: opened(cast.code, role, person) for role, person in persons.items()}
    strangers = {role: fresh(cast.code, role) for role in AUDIENCES}
    before = cast.room().seq
    act(scene)
    assert cast.room().seq > before, "the command left no trace in the log"
    for role, person in persons.items():
        screen, share = screens[role], fragments.own_share(cast.code, person.user_id)
        frame = fragments.since(cast.code, Audience(role), screen.applied, screen.epoch)
        assert screen.apply(frame.html) == "applied"
        assert (screen.applied, screen.differences(fresh(cast.code, role))) == (cast.room().seq, {})
        # A person's own share is sent to those whom the frame names, and to nobody else.
        if share and "mine" in screen.pieces:
            if share.member_id in frame.actors:
                screen.apply(fragments.mine(cast.code, person.user_id))
            assert screen.shows("mine") == fresh(cast.code, role, person).shows("mine")
    fragments._recent.clear()
    for role, screen in strangers.items():
        frame = fragments.since(cast.code, Audience(role), screen.applied, screen.epoch)
        assert screen.apply(frame.html) == "applied"
        assert screen.differences(fresh(cast.code, role)) == {}


def test_a_vote_travels_as_one_row_however_long_the_line(cast: Cast, time) -> None:
    Scene(cast, time)
    cast.add(4)
    screen = opened(cast.code, "guest")
    queue.cast_vote(cast.cleo, cast.code, cast.line()[-1], -1)
    frame = fragments.since(cast.code, Audience("guest"), screen.applied, screen.epoch)
    assert frame.html.count('class="track ') == 1
    assert 'id="queue"' not in frame.html


def test_no_frame_for_guests_carries_a_control_of_the_hosts(cast: Cast, time) -> None:
    Scene(cast, time)
    html = fragments.since(cast.code, Audience("guest"), None, None).html
    assert 'id="grip-' not in html
    assert 'id="play"' not in html
    assert 'data-can-control="false"' in html


def test_too_far_behind_or_of_another_log_is_redrawn_whole(cast: Cast, time) -> None:
    Scene(cast, time)
    room = cast.seen()
    assert fragments.since(cast.code, Audience("guest"), room.seq, room.epoch).start == room.seq
    for after, epoch in (
        (0, room.epoch),
        (-1, room.epoch),
        (room.seq + 1, room.epoch),
        (3, "other"),
        (None, None),
    ):
        frame = fragments.since(cast.code, Audience("guest"), after, epoch)
        assert (frame.start, frame.to) == (0, room.seq)
    first = cast.line()[0]
    for turn in range(fragments.MOST_BEHIND + 1):
        queue.cast_vote(cast.cleo, cast.code, first, 1 if turn % 2 else -1)
    now = cast.room().seq
    assert fragments.since(cast.code, Audience("guest"), now - fragments.MOST_BEHIND, room.epoch).start > 0
    assert (
        fragments.since(cast.code, Audience("guest"), now - fragments.MOST_BEHIND - 1, room.epoch).start == 0
    )


def test_a_row_that_changed_and_changed_back_stays_right_on_a_screen_that_saw_it_change(
    cast: Cast, time
) -> None:
    scene = Scene(cast, time)
    screen = opened(cast.code, "guest")
    before = screen.applied
    for by, value in ((cast.ada, 1), (cast.ben, 1)):
        queue.cast_vote(by, cast.code, scene.items[5], value)
    assert screen.apply(fragments.since(cast.code, Audience("guest"), before, screen.epoch).html) == "applied"
    for by in (cast.ada, cast.ben):
        queue.withdraw_vote(by, cast.code, scene.items[5])
    queue.cast_vote(cast.cleo, cast.code, scene.items[3], 1)
    answer = fragments.since(cast.code, Audience("guest"), before, screen.epoch)
    assert screen.apply(answer.html) == "gap"
    assert (
        screen.apply(fragments.since(cast.code, Audience("guest"), screen.applied, screen.epoch).html)
        == "applied"
    )
    assert screen.differences(fresh(cast.code, "guest")) == {}


def test_a_hole_in_the_log_is_answered_with_everything(cast: Cast, time) -> None:
    Scene(cast, time)
    room = cast.seen()
    Event.delete().where(Event.room == room.id, Event.seq == room.seq - 1).execute()
    assert fragments.since(cast.code, Audience("guest"), room.seq - 3, room.epoch).start == 0


# --- any sequence, any screen -----------------------------------------------------------------------------------------

PEOPLE = ("ada", "ben", "cleo", "dan")
ACTS = ("add", "remove", "restore", "up", "down", "withdraw", "move", "mode", "play", "pause", "seek", "skip")
ACTS += (
    "up",
    "withdraw",
    "up",
    "withdraw",
    "move",
    "end",
    "lock",
    "leave",
    "join",
    "rename",
    "host goes",
    "host comes",
    "time",
)
step = st.tuples(
    st.sampled_from(ACTS),
    st.sampled_from(PEOPLE),
    st.integers(0, 5),
    st.integers(0, 5),
    # What each of the three screens is handed after the step.
    st.tuples(*(st.sampled_from(("nothing", "frame", "frame", "twice", "older", "lost")) for _ in AUDIENCES)),
)


class Party:
    """A room to which anything may happen."""

    def __init__(self, cast: Cast, time) -> None:
        ada, ben, cleo, dan = (Person(people.enter(name)[0]) for name in ("Ada", "Ben", "Cleo", "Dan"))
        code = rooms.open_room(ada, "Any", 60)
        members = {
            name: people.join(person, code) for name, person in zip(PEOPLE, (ada, ben, cleo), strict=False)
        }
        Member.update(role="cohost").where(Member.id == members["ben"]).execute()
        self.cast = Cast(code, ada, ben, cleo, dan, members, cast.tracks)
        self.code, self.time = code, time
        show(self.cast, ada)
        self.cast.add(4)

    def do(self, act: str, name: str, first: int, second: int) -> None:
        with contextlib.suppress(Refusal):
            self._do(act, getattr(self.cast, name), first, second)

    def _do(self, act: str, who: Person, first: int, second: int) -> None:
        code, line = self.code, self.cast.line()
        item = line[first % len(line)] if line else 0
        other = line[second % len(line)] if line else 0
        removed = (
            Item.select()
            .where(Item.room == self.cast.room(), Item.state == "removed")
            .order_by(Item.id.desc())
        )
        play_id = self.cast.room().playback.get().play_id or 0
        acts: dict[str, Callable[[], object]] = {
            "add": lambda: queue.add_item(who, code, self.cast.tracks[first + second]),
            "remove": lambda: queue.remove_item(who, code, item),
            "restore": lambda: queue.restore_item(who, code, removed.get().id) if removed else None,
            "up": lambda: queue.cast_vote(who, code, item, 1),
            "down": lambda: queue.cast_vote(who, code, item, -1),
            "withdraw": lambda: queue.withdraw_vote(who, code, item),
            "move": lambda: queue.move_item(who, code, item, other if second else None),
            "mode": lambda: queue.change_mode(who, code, ("charts", "hand")[second % 2]),
            "play": lambda: playback.play(who, code),
            "pause": lambda: playback.pause(who, code),
            "seek": lambda: playback.seek(who, code, first * 15_000),
            "skip": lambda: playback.skip(who, code),
            "end": lambda: [self.time.move(SONG_MS / 1000 + 1), playback.advance(code, play_id)],
            "lock": lambda: playback.lock_next(code, play_id),
            "leave": lambda: people.leave(who, code),
            "join": lambda: people.join(who, code),
            "rename": lambda: people.rename(who, f"Name {first}"),
            "host goes": lambda: show(self.cast, self.cast.ada, is_on=False),
            "host comes": lambda: show(self.cast, self.cast.ada),
            "time": lambda: [self.time.move(1 + 20 * first), hosting.keep_promises(code)],
        }
        acts[act]()


class Watcher:
    """A screen whose frames come in any order, more than once, or never."""

    def __init__(self, party: Party, role: str) -> None:
        self.party, self.role = party, role
        self.screen = opened(party.code, role)
        self.seen = [(self.screen.applied, self.screen.epoch)]
        self.rnd = random.Random(role)

    def take(self, what: str) -> None:
        after, epoch = self.rnd.choice(self.seen) if what == "older" else self.seen[-1]
        if what == "nothing":
            return
        frame = fragments.since(self.party.code, Audience(self.role), after, epoch)
        if what == "lost":
            return
        for _ in range(2 if what == "twice" else 1):
            ruling = self.screen.apply(frame.html)
            assert ruling != "gap" or what == "older"
        self.seen.append((self.screen.applied, self.screen.epoch))

    def catch_up(self) -> None:
        self.take("frame")
        # Presence is not in the log: it is sent beside it whenever its piece differs.
        self.screen.apply(fragments.people(fragments.current(self.party.code), Audience("guest")))
        assert self.screen.differences(fresh(self.party.code, self.role)) == {}


@settings(
    max_examples=30,
    # Finding the shortest way to fail would take minutes; the first one is short enough to read.
    phases=[Phase.generate],
)
@given(steps=st.lists(step, min_size=8, max_size=24), restarts=st.sets(st.integers(0, 23), max_size=3))
def test_whatever_a_screen_missed_or_saw_twice_it_ends_as_a_fresh_page(
    cast: Cast, time, steps, restarts
) -> None:
    party = Party(cast, time)
    watchers = [Watcher(party, role) for role in AUDIENCES]
    for number, (act, name, first, second, takes) in enumerate(steps):
        party.do(act, name, first, second)
        if number in restarts:
            fragments._recent.clear()
        for watcher, take in zip(watchers, takes, strict=True):
            watcher.take(take)
    for watcher in watchers:
        watcher.catch_up()


STEPS_OF_COMMANDS = {
    "hold_lock", "start_next", "end_item", "end_grant", "end_all_grants", "spend_once", "withdraw_all_of", "reclaim",
    "take_off", "bring_back",
}  # fmt: skip
MODULES = (
    queue, playback, people, hosting, configuring, suggestions, control, skipping, chat_rules, moderation, entry,
    knocks, invites, undoing,
)  # fmt: skip


def test_every_piece_of_the_room_is_compared() -> None:
    assert {name.replace("_", "-") for name in stale.PIECES} == set(PIECES)


def test_the_table_above_knows_every_command() -> None:
    named = " ".join(COMMANDS)
    for module in MODULES:
        for name, command in inspect.getmembers(module, inspect.isfunction):
            is_command = command.__module__ == module.__name__ and ".log(" in inspect.getsource(command)
            if is_command and not name.startswith("_") and name not in STEPS_OF_COMMANDS:
                assert name in named, f"{name} is not in COMMANDS"
