"""The ledger beside an independent model that looks at everything each time."""

from typing import Any

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.model.job import WorkerRole
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import Apart, Closeness, Spread
from scheduler.core.placement.request import GangRequest, request_of
from tests.builders.strategies import make_wishing_job
from tests.oracle.full_scan import FullScan
from tests.oracle.operations import TENANTS, Operations

STEPS = 100_000
REBUILT_EVERY = 1_000
ONE = WorkerShape(1, 4_000, 8_000)
HALF = WorkerShape(0, 500, 1_000, 500, 40_000)
LIGHT = WorkerShape(0, 2_000, 1_000)
DEMANDS: tuple[Demand, ...] = (
    demand_of("h100", ONE),
    demand_of("h100", WorkerShape(4, 0, 0), most_per_node=1),
    demand_of("h100", HALF),
    demand_of("mi300x", WorkerShape(2, 500, 0), (("disk", "nvme"),)),
    demand_of("mi300x", WorkerShape(0, 0, 1_000, 300), is_exclusive=True),
    demand_of("mlu", WorkerShape(1, 0, 0), together=2),
    demand_of(None, LIGHT),
)


def requests() -> list[GangRequest]:
    launcher = WorkerRole("launcher", 1, LIGHT, ())
    wishes: list[dict[str, Any]] = [
        {"workers": 1},
        {"workers": 4},
        {"workers": 12},
        {"workers": 3, "shape": HALF},
        {"workers": 1, "shape": HALF},
        {"workers": 2, "shape": WorkerShape(8, 4_000, 8_000)},
        {"workers": 4, "closeness": Closeness(required="rack")},
        {"workers": 2, "closeness": Closeness(required="node")},
        {"workers": 4, "closeness": Closeness(preferred=("zone",))},
        {"workers": 4, "spread": Spread("rack", 1)},
        {"workers": 4, "spread": Spread("node", 1)},
        {"workers": 2, "exclusive": True},
        {"workers": 2, "apart": Apart("rack", (("app", "x"),))},
        {"workers": 3, "roles": (launcher,)},
        {"workers": 2, "roles": (launcher,), "closeness": Closeness(required="node")},
        {"workers": 2, "node_labels": (("disk", "nvme"),)},
    ]
    return [
        request_of(make_wishing_job(chip=chip, tenant=tenant, **{"shape": ONE, **wish}))
        for wish in wishes
        for chip in ("h100", "mi300x")
        for tenant in TENANTS
    ]


@pytest.mark.timeout(900)  # about a minute by itself, and several where the processors are shared
def test_the_ledger_says_what_a_full_scan_says_after_each_of_100_000_random_steps() -> None:
    operations = Operations(1, Ledger(), FullScan(DEMANDS), requests())
    for number in range(STEPS):
        if number % 50:
            operations.step()
        else:
            operations.try_out()
        if number % REBUILT_EVERY == 0:
            operations.comparison.check_rebuilt()
    assert min(operations.placed, operations.refused, operations.undone) > STEPS // 100
