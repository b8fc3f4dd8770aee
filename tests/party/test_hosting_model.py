"""Any sequence of people coming, going, offering, claiming, and time: one host always, an end that stays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from models import Event, Member, Presence, Room
from party import hosting, lifecycle, people, rooms
from party.change import Person
from party.clock import now_ms
from party.errors import Refusal
from party.line import PRESENT_MS
from tests.party.test_hosting_roles import set_room
from tests.stage import Cast

NAMES = ("ada", "ben", "cleo", "dan")
ACTS = (
    "opens",
    "closes",
    "opens",
    "closes",
    "offer",
    "offer",
    "accept",
    "accept",
    "decline",
    "withdraw",
    "claim",
    "claim",
    "name",
    "unname",
)
ACTS += ("leave", "join", "time", "time", "time", "keep", "worker", "end")
EDGES = {
    ("CREATED", "LIVE"),
    ("CREATED", "EXPIRED"),
    ("LIVE", "GRACE"),
    ("LIVE", "EXPIRED"),
    ("GRACE", "LIVE"),
    ("GRACE", "EXPIRED"),
}
WAITS = (0.5, 4.999, 5.0, 5.0, 15.0, 44.0, 61.0, 130.0)
step = st.tuples(
    st.sampled_from(ACTS), st.sampled_from(NAMES), st.sampled_from(NAMES), st.sampled_from(WAITS)
)


class Model:
    """A room to which anything may happen, and what must hold after each step."""

    def __init__(self, cast: Cast, time, succession: str, owner_returns: str) -> None:
        people_here = {name: Person(people.enter(name.capitalize())[0]) for name in NAMES}
        code = rooms.open_room(people_here["ada"], "Any", 60)
        members = {name: people.join(person, code) for name, person in people_here.items()}
        self.cast = Cast(code, *people_here.values(), members, cast.tracks)
        self.code, self.time, self.open = code, time, set[str]()
        set_room(self.cast, succession=succession, owner_returns=owner_returns)
        self.room = self.cast.room()
        self.seen = self.effective()

    def effective(self) -> str:
        return lifecycle.effective(self.cast.room(), now_ms())[0]

    def do(self, act: str, name: str, other: str, wait: float) -> None:
        if wait != WAITS[-1]:
            # Mostly those who may; now and then anybody.
            name = self.one_who_may(act, name)
        who, seat = getattr(self.cast, name), self.cast.members[other]
        own = self.cast.members[name]
        acts: dict[str, Callable[[], object]] = {
            "opens": lambda: self.opens(name, who, own),
            "closes": lambda: self.closes(name, who, own),
            "offer": lambda: hosting.offer_host(who, self.code, seat),
            "accept": lambda: hosting.answer_offer(who, self.code, True),
            "decline": lambda: hosting.answer_offer(who, self.code, False),
            "withdraw": lambda: hosting.offer_host(who, self.code, None),
            "claim": lambda: hosting.claim_host(who, self.code),
            "name": lambda: hosting.name_cohost(who, self.code, seat),
            "unname": lambda: hosting.name_cohost(who, self.code, seat, "guest"),
            "leave": lambda: self.leaves(name, who),
            "join": lambda: people.join(who, self.code),
            "time": lambda: self.passes(wait),
            "keep": lambda: hosting.keep_promises(self.code),
            "worker": self.worker,
            # Most sequences should be long ones.
            "end": lambda: hosting.end_room(who, self.code) if wait == WAITS[0] else None,
        }
        with contextlib.suppress(Refusal):
            acts[act]()

    def one_who_may(self, act: str, name: str) -> str:
        wanted = {
            "accept": Member.offered_host_at.is_null(False),
            "decline": Member.offered_host_at.is_null(False),
        }
        wanted |= dict.fromkeys(("offer", "withdraw", "name", "unname"), Member.role == "host")
        member = Member.get_or_none(Member.room == self.room, wanted[act]) if act in wanted else None
        seats = {seat: each for each, seat in self.cast.members.items()}
        return seats[member.id] if member else name

    def opens(self, name: str, who: Person, own: int) -> None:
        if Member.get_by_id(own).left_at is None:
            people.screen_opened(own, "web")
            self.open.add(name)
            hosting.screen_arrived(who, self.code)

    def closes(self, name: str, who: Person, own: int) -> None:
        if name in self.open:
            self.open.discard(name)
            people.screens_closed(own, "web")
            hosting.screens_gone(who, self.code)

    def leaves(self, name: str, who: Person) -> None:
        people.leave(who, self.code)
        self.open.discard(name)

    def passes(self, seconds: float) -> None:
        """Time, in the steps in which a web process says who is here."""
        while seconds > 0:
            part = min(seconds, 15.0)
            self.time.move(part)
            seconds -= part
            people.still_here("web", {self.cast.members[name] for name in self.open})

    def worker(self) -> None:
        for code in hosting.find_lost_hosts():
            hosting.note_lost_host(code)
        for code in hosting.overdue_codes():
            hosting.keep_promises(code)
        for code in hosting.doubted([self.code]):
            hosting.note_host_here(code)

    def check(self) -> None:
        before, self.room = self.room, self.cast.room()
        hosts = Member.select().where(Member.room == self.room, Member.role == "host").count()
        assert hosts == 1, "I9: exactly one holder of authority"
        offers = Member.select().where(Member.room == self.room, Member.offered_host_at.is_null(False))
        assert offers.count() <= 1
        assert self.room.fence >= before.fence, "I9: the fence only grows"
        changes = Event.select().where(
            Event.room == self.room, Event.kind.in_(("host_changed", "room_expired"))
        )
        assert self.room.fence == 1 + changes.count(), "each change of authority moves the fence by one"
        assert before.state != "EXPIRED" or self.room.seq == before.seq, "I10: nothing changes after the end"
        self.check_states()
        self.check_heirs(before.seq)
        now, self.seen = self.effective(), self.seen
        assert self.seen != "EXPIRED" or now == "EXPIRED", "T20: an ended room came back"
        self.seen = now

    def check_states(self) -> None:
        """The log's states follow the listed edges and lead to the stored one."""
        state = "CREATED"
        leads = {
            "room_went_live": "LIVE",
            "host_lost": "GRACE",
            "host_returned": "LIVE",
            "room_expired": "EXPIRED",
        }
        for row in Event.select().where(Event.room == self.room).order_by(Event.seq):
            to = leads.get(row.kind, "LIVE" if row.kind == "host_changed" and state == "GRACE" else state)
            assert to == state or (state, to) in EDGES, f"{state} to {to} by {row.kind}"
            state = to
        assert state == self.room.state

    def check_heirs(self, after: int) -> None:
        """Whoever grace made host was there when it ended."""
        rows = list(Event.select().where(Event.room == self.room).order_by(Event.seq))
        for number, row in enumerate(rows):
            if row.seq <= after or row.kind != "host_changed" or row.data["how"] != "grace":
                continue
            until = next(each.data["until"] for each in reversed(rows[:number]) if each.kind == "host_lost")
            [presence] = Presence.select().where(Presence.member == row.data["member_id"])
            assert presence.since_at < until <= row.at
            assert presence.seen_at > until - PRESENT_MS
            assert load_succession(self.room) != "nobody"


def load_succession(room: Room) -> str:
    return str(room.settings.get("succession", "cohost"))


@settings(max_examples=60, phases=[Phase.generate])
@given(
    steps=st.lists(step, min_size=20, max_size=60),
    succession=st.sampled_from(("cohost", "anybody", "nobody")),
    owner_returns=st.sampled_from(("asks", "at_once")),
)
def test_there_is_one_host_and_an_end_that_stays(
    cast: Cast, time, steps, succession: str, owner_returns: str
) -> None:
    model = Model(cast, time, succession, owner_returns)
    model.do("opens", "ada", "ada", 0)
    model.do("name", "ada", "ben", 0)
    for act, name, other, wait in steps:
        model.do(act, name, other, wait)
        model.check()
