"""Every promise about the order of the line, for any line Hypothesis can think of.

Lines are small and crowded on purpose: equal votes, ages and keys and fired guards are the rule here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from party import ranks
from party.ordering import (
    MAX_PINS,
    MODES,
    REASONS,
    Entry,
    Line,
    Reason,
    charts_key,
    guard_limit_for,
    lock_threshold_ms,
    next_up,
    order,
    overtaken_by,
)

thousand = settings(max_examples=1000)

SIDES = (4, 13, 4, 4, 4, 10, 10)


def facts(number: int) -> tuple[int, ...]:
    """One number thrown as seven small ones: drawn singly they would take most of the tests' time."""
    thrown = []
    for side in SIDES:
        number, fact = divmod(number, side)
        thrown.append(fact)
    return tuple(thrown)


small = st.integers(0, 3)
rows = st.integers(0, prod(SIDES) - 1).map(facts)


def entry(id: int, **changes: Any) -> Entry:
    """A row nobody voted on, added at the very start."""
    known = Entry(id, id, 0, 0, 0, f"a{id % 10}V", None, 12, 0)
    return replace(known, **changes)


def crowd(drawn: list[tuple[int, ...]], pins: bool = True) -> list[Entry]:
    """Rows of every kind. Ids fall while numbers rise, so that no test passes by counting on ids."""
    return [
        Entry(
            id=50 - number,
            added_seq=seq,
            added_at_advance=advance,
            up=up,
            down=down,
            position=f"a{place}V",
            pin_position=f"a{fate + 1}" if pins and fate in (0, 1, 8) else None,
            guard_limit=2,
            overtakes=2 if fate in (1, 2, 3) else 0,
            is_eligible=fate < 8,
        )
        for number, (seq, advance, up, down, place, fate, _) in enumerate(drawn)
    ]


def line_of(drawn: list[tuple[int, ...]], mode: str, weight: int = 3, pins: bool = True) -> Line:
    entries = crowd(drawn, pins)
    locked = next((row.id for row, more in zip(entries, drawn, strict=True) if more[-1] == 0), None)
    return Line(mode, entries, weight, locked)


def lines(modes: tuple[str, ...] = tuple(MODES), pins: bool = True) -> st.SearchStrategy[Line]:
    return st.builds(
        line_of, st.lists(rows, max_size=9), st.sampled_from(modes), st.integers(1, 10), st.just(pins)
    )


def ids(line: Line) -> list[int]:
    return [placed.entry_id for placed in order(line)]


def without(kept: list[int], *gone: int) -> list[int]:
    return [each for each in kept if each not in gone]


def voted(line: Line, change: Callable[[Entry], Entry]) -> Line:
    return replace(line, entries=[change(row) for row in line.entries])


# What holds in every mode.


@thousand
@given(lines())
def test_every_row_stands_exactly_once(line: Line) -> None:
    assert sorted(ids(line)) == sorted(row.id for row in line.entries)


@thousand
@given(lines(), st.randoms(use_true_random=False))
def test_the_order_is_total_whatever_order_the_rows_are_read_in(line: Line, chance: Any) -> None:
    shuffled = list(line.entries)
    chance.shuffle(shuffled)
    assert order(replace(line, entries=shuffled)) == order(line)


@thousand
@given(lines())
def test_the_first_row_is_what_plays_unless_nothing_can(line: Line) -> None:
    playable = {row.id for row in line.entries if row.is_eligible}
    assert next_up(line) == (ids(line)[0] if playable else None)
    assert set(ids(line)[: len(playable)]) == playable


@thousand
@given(lines())
def test_the_line_plays_down_in_the_order_shown_while_nobody_touches_it(line: Line) -> None:
    calm = replace(voted(line, lambda row: replace(row, overtakes=0, guard_limit=99)), locked_id=None)
    calm = replace(calm, entries=calm.entries[:MAX_PINS])
    shown, heard = ids(calm), []
    while (first := next_up(calm)) is not None:
        heard.append(first)
        late = overtaken_by(calm, first)
        left = [replace(row, overtakes=row.overtakes + (row.id in late)) for row in calm.entries]
        calm = replace(calm, entries=[row for row in left if row.id != first])
    assert heard == shown[: len(heard)]
    assert not any(row.is_eligible for row in calm.entries)


@thousand
@given(lines(), st.lists(rows, min_size=9, max_size=9))
def test_at_most_five_pins_come_first_in_pin_order_whatever_the_votes(
    line: Line, votes: list[tuple[int, ...]]
) -> None:
    pinned = sorted((r.pin_position, r.added_seq, r.id) for r in line.entries if r.pin_position is not None)
    playable = {row.id for row in line.entries if row.is_eligible}
    held = [id for *_, id in pinned[:MAX_PINS] if id in playable]
    ballots = {row.id: each for row, each in zip(line.entries, votes, strict=False)}
    later = voted(line, lambda row: replace(row, up=ballots[row.id][2], down=ballots[row.id][3]))
    assert ids(line)[: len(held)] == ids(later)[: len(held)] == held


@thousand
@given(lines())
def test_rows_without_a_pin_stand_as_if_the_pinned_ones_were_not_there(line: Line) -> None:
    free = [row for row in line.entries if row.pin_position is None]
    pinned = [row.id for row in line.entries if row.pin_position is not None]
    if len(pinned) <= MAX_PINS:
        assert without(ids(line), *pinned) == ids(replace(line, entries=free))


@pytest.mark.parametrize("mode", MODES)
def test_a_sixth_pin_counts_for_nothing(mode: str) -> None:
    free = entry(1, position="a0", up=3)
    pinned = [entry(id, pin_position=f"b0{id}", position="a5") for id in range(2, 8)]
    assert ids(Line(mode, [free, *pinned])) == [2, 3, 4, 5, 6, 1, 7]


# The lock.


@thousand
@given(lines(("charts",)), st.lists(rows, min_size=9, max_size=9), st.lists(rows, max_size=3))
def test_neither_votes_nor_arrivals_move_a_locked_head(
    line: Line, ballots: list[tuple[int, ...]], arrivals: list[tuple[int, ...]]
) -> None:
    head = next_up(replace(line, locked_id=None))
    votes = {row.id: each for row, each in zip(line.entries, ballots, strict=False)}
    later = voted(line, lambda row: replace(row, up=votes[row.id][2], down=votes[row.id][3]))
    fresh = [replace(row, id=row.id + 100, overtakes=0) for row in crowd(arrivals, pins=False)]
    if head is not None:
        assert next_up(replace(later, entries=[*later.entries, *fresh], locked_id=head)) == head


@thousand
@given(lines(("charts",)))
def test_a_pin_made_after_the_lock_goes_first_and_a_removed_head_makes_room(line: Line) -> None:
    head = next_up(replace(line, locked_id=None))
    locked = replace(line, locked_id=head)
    for row in line.entries:
        pinned = voted(locked, lambda r, id=row.id: replace(r, pin_position="Zz") if r.id == id else r)  # type: ignore[misc]
        if row.is_eligible:
            assert next_up(pinned) == row.id
    left = [row for row in line.entries if row.id != head]
    assert ids(replace(locked, entries=left)) == ids(Line(line.mode, left, line.charts_weight))


@given(st.integers(1, 10**8))
def test_the_head_is_frozen_for_15_percent_of_a_song_between_10_and_30_seconds(duration_ms: int) -> None:
    wanted = max(Fraction(10_000), min(Fraction(30_000), Fraction(duration_ms * 15, 100)))
    assert lock_threshold_ms(duration_ms) == int(wanted)


@pytest.mark.parametrize(("seconds", "left"), [(45, 10), (90, 13.5), (200, 30), (3600, 30), (5, 10)])
def test_lock_of_usual_songs(seconds: int, left: float) -> None:
    assert lock_threshold_ms(seconds * 1000) == left * 1000


# The guard.


@thousand
@given(lines(("charts",)))
def test_overtaken_rows_come_before_all_but_pins_and_lock_earliest_first(line: Line) -> None:
    fired = [
        row
        for row in line.entries
        if row.overtakes >= row.guard_limit
        and row.up >= row.down
        and row.is_eligible
        and not row.pin_position
    ]
    held = [row.id for row in line.entries if row.pin_position is not None]
    if len(held) <= MAX_PINS:
        free = without(ids(line), *held, line.locked_id or 0)
        early = [row.id for row in sorted(fired, key=lambda row: (row.added_seq, row.id))]
        early = without(early, line.locked_id or 0)
        assert free[: len(early)] == early


@pytest.mark.parametrize(("seats", "limit"), [(0, 12), (1, 12), (6, 12), (7, 14), (100, 200)])
def test_the_limit_is_twelve_or_two_per_seat(seats: int, limit: int) -> None:
    assert guard_limit_for(seats) == limit


def test_only_rows_added_earlier_and_not_disliked_are_overtaken() -> None:
    early, disliked, late = entry(1), entry(2, down=1), entry(4, up=1)
    assert overtaken_by(Line("charts", [late, disliked, early, entry(3, up=2)]), 3) == [1]


def test_nobody_is_overtaken_where_the_host_chose() -> None:
    early, pinned = entry(1), entry(2, pin_position="a0")
    assert overtaken_by(Line("charts", [early, pinned]), 2) == []
    assert overtaken_by(Line("hand", [replace(early, position="a3"), entry(2)]), 2) == []


@dataclass
class Party:
    """A room that lives through a script of bytes, checking the starvation bound and C1 at every start."""

    voters: int = 3
    weight: int = 2
    has_host: bool = True
    limits: tuple[int, ...] = (1, 2, 3, 4)
    mode: str = "charts"
    advance: int = 0
    born: int = 0
    locked: int | None = None
    entries: dict[int, Entry] = field(default_factory=dict)
    votes: dict[int, list[int]] = field(default_factory=dict)
    bound: dict[int, int] = field(default_factory=dict)
    waited: dict[int, int] = field(default_factory=dict)
    spoilt: set[int] = field(default_factory=set)

    def line(self) -> Line:
        return Line(self.mode, list(self.entries.values()), self.weight, self.locked)

    def run(self, script: bytes) -> Party:
        for act, detail in zip(script[::2], script[1::2], strict=False):
            kind = act % 12
            if kind < 4:
                self.add(detail)
            elif kind < 6:
                self.vote(detail)
            elif kind < 10:
                self.start()
            elif kind == 10 and self.has_host:
                self.host(detail)
            else:
                self.locked = self.locked or next_up(self.line())
        return self

    def add(self, detail: int) -> None:
        self.born += 1
        limit = self.limits[detail // 8 % len(self.limits)]
        self.entries[self.born] = Entry(
            self.born, self.born, self.advance, 0, 0, f"b{self.born:02}V", None, limit, 0
        )
        self.bound[self.born] = len(self.entries) - 1 + limit + 1
        self.waited[self.born] = 0
        # Half of the arrivals bring their friends, which is what starves the others.
        self.votes[self.born] = [detail % 2] * self.voters
        self.count(self.born)

    def vote(self, detail: int) -> None:
        if self.entries:
            id = list(self.entries)[detail // 9 % len(self.entries)]
            self.votes[id][detail // 3 % 3 % self.voters] = detail % 3 - 1
            self.count(id)

    def count(self, id: int) -> None:
        up, down = self.votes[id].count(1), self.votes[id].count(-1)
        self.entries[id] = replace(self.entries[id], up=up, down=down)
        if down > up:
            self.spoilt.add(id)

    def host(self, detail: int) -> None:
        """Pin, let go, or another mode. The host may move a locked head, so the lock is taken anew."""
        if detail % 3 == 0:
            self.mode = "hand" if self.mode == "charts" else "charts"
        elif self.entries:
            id = list(self.entries)[detail // 6 % len(self.entries)]
            is_room = sum(row.pin_position is not None for row in self.entries.values()) < MAX_PINS
            pin = f"b{detail:03}V" if detail % 3 == 1 and is_room else None
            self.entries[id] = replace(self.entries[id], pin_position=pin)
        if self.locked is not None:
            self.locked = None
            self.locked = next_up(self.line())

    def start(self) -> None:
        line = self.line()
        id = next_up(line)
        if id is None:
            return
        late, played = overtaken_by(line, id), self.entries.pop(id)
        self.advance += 1
        self.locked = None
        for each in late:
            self.entries[each] = replace(self.entries[each], overtakes=self.entries[each].overtakes + 1)
        if self.mode == "charts" and played.pin_position is None:
            self.check(played)

    def check(self, played: Entry) -> None:
        for id in self.entries.keys() - self.spoilt:
            self.waited[id] += 1
            assert self.waited[id] < self.bound[id], f"{id} should have been played by now"
            if not self.has_host:
                ahead = played.added_at_advance - self.entries[id].added_at_advance
                assert ahead <= self.weight * self.voters


scripts = st.binary(min_size=60, max_size=180)


@thousand
@given(scripts, st.integers(1, 10))
def test_an_item_that_stays_eligible_plays_within_q_plus_g_plus_one_songs(script: bytes, weight: int) -> None:
    """Arrivals, votes, locks, pins and changes of mode; what the host chose is not counted."""
    Party(weight=weight).run(script)


@thousand
@given(scripts, st.integers(1, 10))
def test_the_bound_holds_with_the_real_limit_too(script: bytes, weight: int) -> None:
    Party(weight=weight, limits=(guard_limit_for(3),)).run(script)


@pytest.mark.parametrize("earlier", [0, 1, 5])
def test_the_bound_is_reached_exactly_when_loved_songs_keep_arriving(earlier: int) -> None:
    party = Party(has_host=False, weight=10, limits=(12,))
    for _ in range(earlier + 1):
        party.add(0)
    unlucky = earlier + 1
    songs = 0
    while unlucky in party.entries:
        party.add(1)
        party.start()
        songs += 1
    assert songs == party.bound[unlucky] == earlier + 12 + 1


# Charts.


@thousand
@given(scripts, st.integers(1, 4), st.integers(1, 2))
def test_c1_nothing_much_younger_plays_before_an_item_that_is_not_disliked(
    script: bytes, weight: int, voters: int
) -> None:
    """From R · voters songs' distance no votes help; C5, the starvation bound, is checked as well."""
    Party(weight=weight, voters=voters, has_host=False).run(script)


@thousand
@given(lines(("charts",)), st.integers(0, 8), small, small, st.integers(0, 12))
def test_c2_the_order_of_two_items_changes_only_when_one_of_them_is_voted_on(
    line: Line, place: int, up: int, down: int, time: int
) -> None:
    if place < len(line.entries) and sum(row.pin_position is not None for row in line.entries) <= MAX_PINS:
        third = line.entries[place]
        others = without(ids(line), third.id)
        fresh = voted(line, lambda row: replace(row, up=up, down=down) if row == third else row)
        older = voted(line, lambda row: replace(row, added_at_advance=row.added_at_advance + time))
        assert without(ids(fresh), third.id) == others
        assert ids(replace(line, entries=[row for row in line.entries if row != third])) == others
        assert ids(older) == ids(line)


@thousand
@given(lines(("charts",)), st.integers(0, 8), st.booleans())
def test_c3_one_more_vote_for_an_item_never_moves_it_later(line: Line, place: int, turns: bool) -> None:
    if place < len(line.entries):
        loved = line.entries[place]
        more = replace(loved, up=loved.up + 1, down=max(0, loved.down - turns))
        after = voted(line, lambda row: more if row == loved else row)
        assert ids(after).index(loved.id) <= ids(line).index(loved.id)


@thousand
@given(lines(("charts",)), st.lists(st.integers(-1, 1), min_size=9, max_size=9))
def test_c4_one_voter_changes_no_difference_of_keys_by_more_than_two_r(line: Line, ballot: list[int]) -> None:
    def key(row: Entry, vote: int) -> int:
        return charts_key(
            replace(row, up=row.up + (vote > 0), down=row.down + (vote < 0)), line.charts_weight
        )

    pairs = list(zip(line.entries, ballot, strict=False))
    shifts = [key(row, vote) - key(row, 0) for row, vote in pairs]
    assert max(shifts, default=0) - min(shifts, default=0) <= 2 * line.charts_weight


@thousand
@given(lines(("charts",)), st.booleans())
def test_c4_the_same_vote_on_every_item_changes_nothing(line: Line, is_up: bool) -> None:
    """Rows that this very vote lifts out of the disliked, or sinks among them, are left out."""
    crossing = -1 if is_up else 0
    rows = [row for row in line.entries if row.up - row.down != crossing]
    after = [replace(row, up=row.up + is_up, down=row.down + (not is_up)) for row in rows]
    assert ids(replace(line, entries=after)) == ids(replace(line, entries=rows))


@thousand
@given(lines(("charts",), pins=False))
def test_charts_is_what_the_formula_says(line: Line) -> None:
    """The keys and tie-breaks once more, as pairwise contests of exact fractions."""

    def beats(one: Entry, two: Entry) -> bool:
        gain = Fraction(line.charts_weight) * ((one.up - one.down) - (two.up - two.down))
        gain -= one.added_at_advance - two.added_at_advance
        uppers = one.up - two.up
        return (gain, uppers, two.added_seq, two.id) > (0, 0, one.added_seq, one.id)

    wanted = [row for row in line.entries if row.up >= row.down and row.is_eligible]
    plain = replace(line, entries=[replace(row, overtakes=0) for row in wanted], locked_id=None)
    ranked = sorted(plain.entries, key=lambda row: sum(beats(other, row) for other in plain.entries))
    assert ids(plain) == [row.id for row in ranked]


@thousand
@given(lines(("charts",), pins=False))
def test_disliked_items_wait_below_all_others_and_still_beat_silence(line: Line) -> None:
    free = replace(line, locked_id=None)
    by_id = {row.id: row for row in line.entries}
    classes = [
        2 if not by_id[id].is_eligible else 1 if by_id[id].up < by_id[id].down else 0 for id in ids(free)
    ]
    assert classes == sorted(classes)
    assert (next_up(free) is None) == (2 in classes[:1] or not classes)


def test_large_numbers_are_compared_exactly() -> None:
    far = 2**60
    assert ids(Line("charts", [entry(1, added_at_advance=far + 1), entry(2, added_at_advance=far)])) == [2, 1]


@pytest.mark.parametrize(("mode", "weight"), [("charts", 0), ("charts", 11), ("turns", 3), ("", 3)])
def test_an_unknown_mode_or_weight_is_refused(mode: str, weight: int) -> None:
    with pytest.raises(ValueError, match="mode|worth"):
        Line(mode, [], weight)


# Hand.


@thousand
@given(lines(("hand",)))
def test_by_hand_only_pins_and_positions_count(line: Line) -> None:
    def stands(row: Entry) -> tuple[Any, ...]:
        pin = row.pin_position if row.id in held and row.is_eligible else None
        return not row.is_eligible, pin is None, pin or row.position, row.added_seq, row.id

    pinned = sorted((r.pin_position, r.added_seq, r.id) for r in line.entries if r.pin_position is not None)
    held = [id for *_, id in pinned[:MAX_PINS]]
    assert ids(line) == [row.id for row in sorted(line.entries, key=stands)]


@thousand
@given(st.integers(2, 6), st.binary(max_size=60), st.binary(max_size=20))
def test_by_hand_any_interleaving_of_moves_equals_one_after_the_other(
    size: int, schedule: bytes, wishes: bytes
) -> None:
    """Three hosts read, think and write; a write from a stale reading is made again."""
    keys = dict(enumerate(ranks.several(size)))
    serial, version, written = list(range(size)), 0, 0
    waiting = [[(wish % 16 % size, wish // 16 % (size + 1) - 1) for wish in wishes[n::3]] for n in range(3)]
    thinking: list[tuple[int, str] | None] = [None, None, None]
    for turn in [*(each % 3 for each in schedule), *[0, 1, 2] * (4 * len(wishes) + 2)]:
        if not waiting[turn]:
            continue
        item, after = waiting[turn][0]
        thought = thinking[turn]
        if thought is not None and thought[0] == version:
            before = dict(keys)
            keys[item], version, written = thought[1], version + 1, written + 1
            serial.remove(item)
            serial.insert(serial.index(after) + 1 if after in serial else 0, item)
            assert [id for id in keys if keys[id] != before.get(id)] in ([], [item])
            assert hand_order(keys) == serial
            waiting[turn].pop(0)
            thinking[turn] = None
        else:
            thinking[turn] = version, key_after(keys, item, after)
    assert written == len(wishes)
    assert sorted(keys) == sorted(hand_order(keys)) == list(range(size))


def hand_order(keys: dict[int, str]) -> list[int]:
    return ids(Line("hand", [entry(id, position=key, up=id % 3) for id, key in keys.items()]))


def key_after(keys: dict[int, str], item: int, after: int) -> str:
    """The rank for standing after a neighbour; first without one."""
    rest = without(hand_order(keys), item)
    place = rest.index(after) + 1 if after in rest else 0
    above = keys[rest[place - 1]] if place else None
    return ranks.between(above, keys[rest[place]] if place < len(rest) else None)


# The reasons.


@thousand
@given(lines())
def test_every_reason_is_true(line: Line) -> None:
    rows = {row.id: row for row in line.entries}
    placed = order(line)
    followers = [*ids(line)[1:], None]
    for (id, reason), behind in zip(placed, followers, strict=False):
        assert reason.code in REASONS
        if reason.code == "only_one":
            assert reason.other_id is None
            assert behind is None or (rows[id].is_eligible and not rows[behind].is_eligible)
        else:
            assert reason.other_id == behind is not None
            assert speaks_true(line, rows[id], rows[behind], reason)


def speaks_true(line: Line, row: Entry, behind: Entry, reason: Reason) -> bool:
    votes = row.up - row.down - behind.up + behind.down
    is_tie = charts_key(row, line.charts_weight) == charts_key(behind, line.charts_weight)
    is_earlier = (row.added_seq, row.id) < (behind.added_seq, behind.id)
    return {
        "votes_ahead": votes == reason.votes > 0,
        "waited_ahead": votes <= 0 and row.added_at_advance < behind.added_at_advance,
        "tie_loved": is_tie and row.up > behind.up,
        "tie_earlier": is_tie and row.up == behind.up and is_earlier,
        "pinned": row.pin_position is not None,
        "locked": row.id == line.locked_id,
        "guard": row.overtakes >= row.guard_limit and row.up >= row.down,
        "hand": line.mode == "hand",
    }[reason.code] and (reason.code == "votes_ahead" or reason.votes == 0)


@pytest.mark.parametrize(
    ("entries", "locked", "reason"),
    [
        ([entry(1)], None, Reason("only_one", 0, None)),
        ([entry(1, is_eligible=False, up=3), entry(2)], None, Reason("only_one", 0, None)),
        ([entry(1), entry(2, up=2)], None, Reason("votes_ahead", 2, 1)),
        ([entry(1, down=1), entry(2, added_at_advance=9)], None, Reason("votes_ahead", 1, 1)),
        ([entry(1, down=1), entry(2, added_at_advance=3)], None, Reason("votes_ahead", 1, 1)),
        ([entry(1), entry(2, up=1, added_at_advance=4)], None, Reason("waited_ahead", 0, 2)),
        ([entry(1), entry(2, up=1, added_at_advance=3)], None, Reason("tie_loved", 0, 1)),
        ([entry(1, up=1, down=1), entry(2)], None, Reason("tie_loved", 0, 2)),
        ([entry(1), entry(2)], None, Reason("tie_earlier", 0, 2)),
        ([entry(1, up=2), entry(2, pin_position="a0", down=3)], None, Reason("pinned", 0, 1)),
        ([entry(1, overtakes=12), entry(2, up=8)], None, Reason("guard", 0, 2)),
        ([entry(1, overtakes=12), entry(2)], 2, Reason("locked", 0, 1)),
    ],
)
def test_the_first_row_says_why_it_is_first(entries: list[Entry], locked: int | None, reason: Reason) -> None:
    assert order(Line("charts", entries, locked_id=locked))[0].reason == reason


def test_by_hand_the_hand_is_the_reason() -> None:
    placed = order(Line("hand", [entry(1, position="a5", up=9), entry(2, position="a1", down=9)]))
    assert [(each.entry_id, each.reason.code) for each in placed] == [(2, "hand"), (1, "only_one")]


# --- what the room put on by itself ----------------------------------------------------------------------------------


def with_fillers(line: Line, fillers: list[bool]) -> Line:
    """The same line, some of its rows put there by the room: pinned, locked or overdue as they come."""
    entries = [
        replace(row, is_filler=is_filler) for row, is_filler in zip(line.entries, fillers, strict=False)
    ]
    return replace(line, entries=[*entries, *line.entries[len(entries) :]])


@given(lines(), st.lists(st.booleans(), max_size=9))
@thousand
def test_whatever_people_want_stands_before_what_the_room_put_on(line: Line, fillers: list[bool]) -> None:
    line = with_fillers(line, fillers)
    known = {row.id: row for row in line.entries}
    rows = [known[each] for each in ids(line) if known[each].is_eligible]
    assert [row.is_filler for row in rows] == sorted(row.is_filler for row in rows)
    first = next_up(line)
    if first is not None and known[first].is_filler:
        assert all(row.is_filler for row in line.entries if row.is_eligible)


@given(lines(), st.lists(st.booleans(), max_size=9))
@thousand
def test_what_the_room_put_on_moves_nothing_that_people_want(line: Line, fillers: list[bool]) -> None:
    line = with_fillers(line, fillers)
    wanted = [row.id for row in line.entries if not row.is_filler]
    alone = replace(line, entries=[row for row in line.entries if not row.is_filler])
    assert [each for each in ids(line) if each in wanted] == ids(alone)
