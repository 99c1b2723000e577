"""How long it takes to build the state of a large cluster from what was read: 100,000 nodes and as many allocations."""

import gc
from dataclasses import dataclass
from statistics import median
from sys import intern

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.asking import Case, spec
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.ledger.population import CPU_AND_MEMORY, TENANTS, Population, make_attempt, make_group, make_job, make_nodes
from bench.report import Limit, Measurement
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.group import State
from scheduler.core.model.node import Node
from scheduler.core.model.resources import WorkerShape
from scheduler.services.collecting import nothing_collected

GOALS = (Limit("units_per_node", "<=", 150),)
SHAPES = tuple(WorkerShape(4, 4 * cpu_milli, 4 * memory_mib) for cpu_milli, memory_mib in CPU_AND_MEMORY)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 100_000
    runs: int = 5


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    population = one_job_per_node(size.nodes)
    gc.collect()
    units, times_us = [], []
    for run in range(size.runs):
        before = unit_cpu_ns()
        start = now_ns()
        with nothing_collected():  # as the service loads it
            state = population.state()
        spent_ns = now_ns() - start
        unit = (before + unit_cpu_ns()) / 2
        assert len(state.live) == size.nodes
        units.append(spent_ns / unit / size.nodes)
        times_us.append(spent_ns / 1_000 / size.nodes)
        del state
        gc.collect()
        say(f"ledger_load: run {run + 1} of {size.runs}: {spent_ns / 1e9:.2f} s, {units[-1]:.0f} units per node")
    figures = {"units_per_node": median(units), "us_per_node": median(times_us)}
    calibrators = {"unit_cpu_ns": median(times_us) * 1_000 / median(units), "unit_ns": unit_ns()}
    return Measurement(figures, calibrators, goals=GOALS)


def one_job_per_node(count: int) -> Population:
    """Return nodes on each of which one worker holds half of the devices."""
    nodes = list(make_nodes(count))
    jobs = []
    attempts = []
    for number, node in enumerate(nodes):
        shape = SHAPES[number % len(SHAPES)]
        tenant = node.tenant or TENANTS[number % len(TENANTS)]
        job = make_job(number, tenant, spec(Case("train", shape=shape), node.devices[0].chip))
        jobs.append(job)
        attempts.append(make_attempt(job, (_held(node, shape),)))
    groups = [make_group(job, State.RUNNING) for job in jobs]
    return Population(nodes, (), jobs, groups, attempts, devices_used=4 * count)


def _held(node: Node, shape: WorkerShape) -> Allocation:
    slots = tuple(range(shape.devices))
    return Allocation(0, intern(node.id), node.devices[0].chip, slots, shape.cpu_milli, shape.memory_mib)
