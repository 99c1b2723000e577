"""A small replay, decided by the core."""

import pytest

from bench.replay.arrivals import arrivals
from bench.replay.openb import CLUSTER, Ask, Pod, Trace
from bench.replay.rows import ROWS
from bench.replay.run import known_mix, replay
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape

WHOLE = Ask(WorkerShape(1, 1_000, 10), ("A10", "T4"))
SHARE = Ask(WorkerShape(0, 1_000, 10, share_milli=600), ("T4",))
CPU = Ask(WorkerShape(0, 1_000, 10), ())
NODES = tuple(
    Node(CLUSTER, name, (DeviceGroup(chip, 2, 0),), cpu_milli=8_000, memory_mib=1_000, pods=100)
    for name, chip in (("n1", "A10"), ("n2", "T4"), ("n3", "T4"))
)
PODS = (
    *(Pod(f"a{number}", WHOLE, 1000, 1000) for number in range(3)),
    *(Pod(f"b{number}", SHARE, 600, 600) for number in range(4)),
    Pod("c", CPU, 0, 0),
)
TRACE = Trace(NODES, PODS, ("A10", "T4"), 6_000)


@pytest.mark.parametrize("row", ROWS.values(), ids=str)
def test_every_row_fills_the_cluster_with_what_fits_and_drops_the_rest(row: object) -> None:
    arriving = arrivals(PODS, TRACE.capacity_milli, 42)
    run = replay(TRACE, arriving, ROWS[row.name], 42)  # type: ignore[attr-defined]
    assert len(run.held_milli) == len(run.arrived_milli) == len(arriving)
    assert run.held_milli == sorted(run.held_milli)
    assert all(held <= arrived for held, arrived in zip(run.held_milli, run.arrived_milli, strict=True))
    assert run.arrived_milli[-1] == sum(pod.devices_milli for pod in arriving)
    assert 0 < run.held_milli[-1] <= TRACE.capacity_milli


def test_a_pod_that_does_not_fit_holds_nothing_and_takes_nothing_from_those_after_it() -> None:
    too_much = Pod("x", Ask(WorkerShape(3, 1_000, 10), ("T4",)), 1000, 3000)
    run = replay(TRACE, (too_much, PODS[0], PODS[7], PODS[3]), ROWS["best_fit"], 42)
    assert run.arrived_milli == [3000, 4000, 4000, 4600]
    assert run.held_milli == [0, 1000, 1000, 1600]


def test_the_same_seed_draws_the_same_places() -> None:
    arriving = arrivals(PODS, TRACE.capacity_milli, 42)
    first, second = (replay(TRACE, arriving, ROWS["random"], 42).held_milli for _ in range(2))
    assert first == second


def test_the_known_mix_is_that_of_the_list() -> None:
    shares = {(kind.milli_per_device, kind.chips): share for kind, share in known_mix(PODS).shares}
    assert shares == {(600, ("T4",)): 4 / 8, (1000, ("A10", "T4")): 3 / 8, (0, ()): 1 / 8}
