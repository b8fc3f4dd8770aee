"""What is done after a commit without keeping anybody waiting."""

from __future__ import annotations

from live.errands import Errands


def test_of_several_numbers_the_last_is_told_and_a_failure_stops_nothing() -> None:
    told: list[tuple[str, int]] = []

    def fail(code: str, seq: int) -> None:
        raise OSError("as asked")

    errands = Errands([fail, lambda code, seq: told.append((code, seq))])
    errands.take("ROOM2345", 1)
    errands.take("ROOM2345", 2)
    errands.take("ROOM6789", 7)
    errands.settle()
    errands.settle()
    assert told == [("ROOM2345", 2), ("ROOM6789", 7)]


def test_it_goes_on_until_it_is_told_to_stop() -> None:
    told: list[int] = []
    errands = Errands([lambda code, seq: told.append(seq)])
    errands.take("ROOM2345", 5)
    errands.run(lambda: not told)
    assert told == [5]
