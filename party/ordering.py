"""The order of the line and the reason for each place: one pure function says what is shown and what plays.

Plain values in, plain values out: no database, no clock, only integers. Waiting is counted in advances
(songs started), so a pause starves nobody. Rows stand in these groups, each in its own order:

    pinned      at most MAX_PINS, in pin order: the host's hand goes before everything
    locked      the head as it was frozen shortly before the playing song ends; votes no longer move it
    guard       overtaken as often as their limit allows, the earliest added first
    wanted      everything else, as the mode says
    unwanted    more downs than ups, where downs count: plays only when nothing above is left
    fillers     put there by the room itself while the line was empty: they yield to whatever people want
    held back   cannot play now (`is_eligible` is false): shown, never played
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_PINS = 5
CHARTS_WEIGHT = 3
CHARTS_WEIGHTS = range(1, 11)

REASONS = (
    "only_one",
    "votes_ahead",
    "waited_ahead",
    "tie_loved",
    "tie_earlier",
    "pinned",
    "guard",
    "locked",
    "hand",
    "asked_for",
    "filler",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A waiting item.

    `added_at_advance` is the room's advance counter when it was added; `up` and `down` count people;
    `position` and `pin_position` are rank keys; `guard_limit` is G, fixed when added; `overtakes` is o(x),
    raised as `overtaken_by` says. `is_eligible` is all of eligibility but the votes: it can be played, is
    not parked and repeats nothing just heard. Nobody waits for an `is_filler`, so nothing overtakes it.
    """

    id: int
    added_seq: int
    added_at_advance: int
    up: int
    down: int
    position: str
    pin_position: str | None
    guard_limit: int
    overtakes: int
    is_eligible: bool = True
    is_filler: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """Everything the order depends on.

    `locked_id` is the head as it was frozen; one that no longer waits is passed over. The advance counter
    is not needed: all rows age alike.
    """

    mode: str
    entries: Sequence[Entry]
    charts_weight: int = CHARTS_WEIGHT
    locked_id: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"unknown mode {self.mode!r}; there are {', '.join(MODES)}")
        if self.charts_weight not in CHARTS_WEIGHTS:
            raise ValueError(f"one vote is worth 1 to 10 songs of waiting, not {self.charts_weight}")


class Reason(NamedTuple):
    """Why a row stands before the next one, `other_id`. `votes` counts net votes, for votes_ahead only.

    only_one means that nothing which could play stands behind it; then there is no other.
    """

    code: str
    votes: int
    other_id: int | None


class Placed(NamedTuple):
    """A row of the ordered line."""

    entry_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Mode:
    """How a room orders what no common rule has placed.

    `arrange` orders some of the line's entries; `explain` says why one of them stands before another.
    A mode that uses positions shows the host's own order, so neither guard nor lock stands above it.
    """

    name: str
    uses_positions: bool
    ignores_downvotes: bool
    arrange: Callable[[Line, list[Entry]], list[Entry]]
    explain: Callable[[Line, Entry, Entry], Reason]


def order(line: Line) -> list[Placed]:
    """The whole line, first to play first, each row with its reason."""
    mode = MODES[line.mode]
    ahead, free = _set_ahead(line, mode)
    wanted, unwanted, fillers, held_back = [], [], [], []
    for entry in free:
        if not entry.is_eligible:
            held_back.append(entry)
        elif entry.is_filler:
            fillers.append(entry)
        elif mode.ignores_downvotes or entry.up >= entry.down:
            wanted.append(entry)
        else:
            unwanted.append(entry)
    rows = [entry for entry, _ in ahead]
    for group in (wanted, unwanted, fillers, held_back):
        rows += mode.arrange(line, group)
    return _explained(line, mode, rows, [code for _, code in ahead])


def next_up(line: Line) -> int | None:
    """The item that plays next: the first row, unless nothing can play."""
    if not any(entry.is_eligible for entry in line.entries):
        return None
    return order(line)[0].entry_id


def overtaken_by(line: Line, played_id: int) -> list[int]:
    """Whose overtakes grow by one when `played_id` starts, the line being as it was just before.

    Where the host chose the song, by a pin or in a mode of positions, nobody was overtaken: a few pins would
    otherwise fill everyone's count, and the votes would stop mattering.
    """
    played = next(entry for entry in line.entries if entry.id == played_id)
    if MODES[line.mode].uses_positions or played in _pins(line.entries):
        return []
    return [
        entry.id
        for entry in line.entries
        if entry.up >= entry.down and not entry.is_filler and _age(entry) < _age(played)
    ]


def guard_limit_for(active_seats: int) -> int:
    """G for an item added now: how often later ones may be played before it."""
    return max(12, 2 * active_seats)


def lock_threshold_ms(duration_ms: int) -> int:
    """The head is frozen while the playing song has at most this left."""
    return max(10_000, min(30_000, duration_ms * 15 // 100))


def charts_key(entry: Entry, weight: int) -> int:
    """When it was added, each net vote counting as `weight` songs of waiting; the smallest plays first."""
    return entry.added_at_advance - weight * (entry.up - entry.down)


def _set_ahead(line: Line, mode: Mode) -> tuple[list[tuple[Entry, str]], list[Entry]]:
    """The rows a common rule puts first, with that rule's code, and all the others."""
    ahead = [(entry, "pinned") for entry in _pins(line.entries) if entry.is_eligible]
    if not mode.uses_positions:
        pinned = {entry.id for entry, _ in ahead}
        stuck = [
            entry
            for entry in line.entries
            if entry.overtakes >= entry.guard_limit or entry.id == line.locked_id
            if entry.is_eligible and not entry.is_filler and entry.id not in pinned
        ]
        ahead += [(entry, "locked") for entry in stuck if entry.id == line.locked_id]
        ahead += [
            (entry, "guard")
            for entry in sorted(stuck, key=_age)
            if entry.up >= entry.down and entry.id != line.locked_id
        ]
    taken = {entry.id for entry, _ in ahead}
    return ahead, [entry for entry in line.entries if entry.id not in taken]


def _pins(entries: Sequence[Entry]) -> list[Entry]:
    """The pinned rows in pin order; a pin beyond the allowed number counts for nothing."""
    pinned = [
        (row.pin_position, *_age(row), row)
        for row in entries
        if row.pin_position is not None and not row.is_filler
    ]
    return [row for *_, row in sorted(pinned)[:MAX_PINS]]


def _age(entry: Entry) -> tuple[int, int]:
    return entry.added_seq, entry.id


def _explained(line: Line, mode: Mode, rows: list[Entry], codes: list[str]) -> list[Placed]:
    """Each row with its reason. `codes` are those of the first rows, which stand there by a common rule."""
    explain = mode.explain
    placed = []
    for place, (row, behind) in enumerate(zip(rows, rows[1:], strict=False)):
        if row.is_eligible and not behind.is_eligible:
            reason = Reason("only_one", 0, None)
        elif place < len(codes):
            reason = Reason(codes[place], 0, behind.id)
        elif row.is_filler or behind.is_filler:
            reason = Reason("filler" if row.is_filler else "asked_for", 0, behind.id)
        else:
            reason = explain(line, row, behind)
        placed.append(Placed(row.id, reason))
    placed += [Placed(row.id, Reason("only_one", 0, None)) for row in rows[-1:]]
    return placed


def _arrange_charts(line: Line, entries: list[Entry]) -> list[Entry]:
    weight = line.charts_weight
    return sorted(entries, key=lambda row: (charts_key(row, weight), -row.up, row.added_seq, row.id))


def _explain_charts(line: Line, row: Entry, behind: Entry) -> Reason:
    """The votes where they speak for it, else the waiting; with equal keys the tie-break that decided."""
    votes = row.up - row.down - behind.up + behind.down
    waiting = behind.added_at_advance - row.added_at_advance
    is_sunk = behind.up < behind.down and row.up >= row.down
    if line.charts_weight * votes + waiting == 0 and not is_sunk:
        return Reason("tie_loved" if row.up > behind.up else "tie_earlier", 0, behind.id)
    if votes > 0:
        return Reason("votes_ahead", votes, behind.id)
    return Reason("waited_ahead", 0, behind.id)


def _arrange_by_hand(line: Line, entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda row: (row.position, row.added_seq, row.id))


def _explain_by_hand(line: Line, row: Entry, behind: Entry) -> Reason:
    return Reason("hand", 0, behind.id)


MODES = {
    mode.name: mode
    for mode in (
        Mode("charts", False, False, _arrange_charts, _explain_charts),
        Mode("hand", True, True, _arrange_by_hand, _explain_by_hand),
    )
}
