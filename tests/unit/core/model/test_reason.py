from typing import get_args

from scheduler.core.model.reason import BackingOff, NoCluster, Reason, Shortfall
from scheduler.core.model.resources import MAIN_ROLE
from scheduler.core.model.topology import CLUSTER
from tests.builders.core import NOON


def test_equal_reasons_are_one_so_that_none_is_said_twice() -> None:
    assert len({BackingOff(NOON, 1, 2), BackingOff(NOON, 1, 2), NoCluster(), NoCluster()}) == 2
    short = Shortfall("mixed", "h100", MAIN_ROLE, 8, CLUSTER, 3, 3)
    assert len({short, Shortfall(*short), short._replace(fit=2)}) == 2


def test_every_reason_can_be_told_from_the_others_by_its_fields() -> None:
    kinds = get_args(Reason)
    assert len({tuple(kind.__dataclass_fields__) for kind in kinds}) == len(kinds)
