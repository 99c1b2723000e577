from api.text.waiting.suppositions import consequences_text
from scheduler.core.model.asking.consequences import Consequences, Waits


def told(*, waiting: int, looked_at: int, starting: int) -> str:
    found = Consequences(
        leaving=(),
        leaving_count=0,
        placed_again=0,
        shrinking=(),
        shrinking_count=0,
        starting=(),
        starting_count=starting,
        waits=Waits(waiting, looked_at, longer=1, shorter=0, alike=looked_at - 1, never=0, shifts=()),
        shares=(),
        capacity=(),
        drained=(),
        drained_count=0,
        added=2,
    )
    return consequences_text(found).partition(". ")[2]


def test_it_is_said_of_whom_it_is_told_who_waits_longer() -> None:
    assert told(waiting=3, looked_at=3, starting=0) == "Of those that wait 1 would wait longer, 0 shorter."
    assert told(waiting=3, looked_at=2, starting=1) == "Of the others that wait 1 would wait longer, 0 shorter."
    assert told(waiting=900, looked_at=9, starting=1) == "Of the first 9 in the queue 1 would wait longer, 0 shorter."
    assert [told(waiting=n, looked_at=0, starting=n) for n in (0, 2)] == ["Nobody waits.", "Nobody else waits."]
