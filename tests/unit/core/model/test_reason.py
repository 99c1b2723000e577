from typing import get_args

from scheduler.core.model.reason import (
    BackingOff,
    CannotServe,
    Limit,
    Mismatch,
    NeverFits,
    NoCluster,
    QuotaExceeded,
    Reason,
    Resource,
    most_binding_first,
)
from tests.builders.core import NOON

PAUSE = BackingOff(NOON, 1, 1)
OVER = QuotaExceeded("alpha", "h100", 1, 0, 2)
NEVER = NeverFits("mixed", "h100", 9, 1, 8, 8, Limit(Resource.DEVICES, 1, 8))
CANNOT = CannotServe("mixed", Mismatch.LEVEL, ("row",))


def test_equal_reasons_are_one_so_that_none_is_said_twice() -> None:
    assert len({BackingOff(NOON, 1, 2), BackingOff(NOON, 1, 2), NoCluster(), NoCluster()}) == 2


def test_every_reason_can_be_told_from_the_others_by_its_fields() -> None:
    kinds = get_args(Reason)
    assert len({tuple(kind.__dataclass_fields__) for kind in kinds}) == len(kinds)


def test_reasons_come_most_binding_first_and_each_once() -> None:
    found = most_binding_first([CANNOT, NEVER, NoCluster(), OVER, NEVER, PAUSE])
    assert found == (PAUSE, OVER, NoCluster(), NEVER, CANNOT)


def test_among_equals_the_jobs_liking_decides() -> None:
    other = QuotaExceeded("alpha", "a800", 1, 0, 2)
    assert most_binding_first([OVER, other]) == (OVER, other)
    assert most_binding_first([other, OVER]) == (other, OVER)
