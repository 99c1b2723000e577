from typing import get_args

import pytest

from api.text.capacity_errors import capacity_error_text
from scheduler.ports.views import AllocationError, CapacityError, CounterError, QuotaError, SlotError, SlotUse

CASES: list[tuple[CapacityError, str]] = [
    (
        CounterError("mixed/n1", "cpu_milli", 4_000, 3_000),
        "node mixed/n1: 4,000 of cpu_milli are counted, live attempts hold 3,000",
    ),
    (
        SlotError("mixed/n1", 3, SlotUse(500, 8_192, None), SlotUse(0, 0, None)),
        "device 3 of node mixed/n1: 500 thousandths with 8,192 MiB is counted, live attempts hold nothing",
    ),
    (
        SlotError("mixed/n1", 3, SlotUse(0, 0, None), SlotUse(1000, 0, "a-g0-a1")),
        "device 3 of node mixed/n1: nothing is counted, live attempts hold the whole of it by a-g0-a1",
    ),
    (
        QuotaError("demo", "h100", 2_000, 1_500),
        ("quota of queue demo for h100: 2,000 thousandths of devices are counted, live attempts hold 1,500"),
    ),
    (AllocationError("a-g0-a1", 2, is_held=True), "rank 2 of attempt a-g0-a1 is over and still holds its place"),
    (AllocationError("a-g0-a1", 2, is_held=False), "rank 2 of attempt a-g0-a1 is live and its place was given back"),
]


@pytest.mark.parametrize(("error", "want"), CASES)
def test_what_is_counted_and_what_is_held_are_told(error: CapacityError, want: str) -> None:
    assert capacity_error_text(error) == want


def test_every_kind_of_error_has_a_sentence() -> None:
    assert {type(error) for error, _ in CASES} == set(get_args(CapacityError))
