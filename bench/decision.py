"""How long one decision takes on clusters of 1,000 to 100,000 nodes, from the head of the queue to what is handed out.

Decisions of one case follow each other, with random departures between them, on a state that is the same at the
beginning of each batch; see docs/benchmarks.md for the cluster and the cases.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import log
from random import Random
from statistics import linear_regression, median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.asking import (
    HOPELESS,
    SHARE,
    SIZES,
    Ask,
    Case,
    Variant,
    asks,
    hopeless,
    infeasible,
    mixed,
    never_asked,
    one_of_each_chip,
    own_nodes,
    spec,
)
from bench.ledger.clock import unit_cpu_ns
from bench.ledger.population import CHIPS, TENANTS, Population, make_job, populate
from bench.ledger.traffic import Times, Traffic
from bench.report import Limit, Measurement
from bench.spread import percentile
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.placement.request import request_of

PLAIN = {members: Case(f"g{members}", members) for members in SIZES}
CLOSE = {
    (members, variant): Case(f"g{members}_{variant}", members, variant)
    for members in SIZES
    for variant in (Variant.REQUIRED, Variant.PREFERRED)
}
SHARES = Case("share", shape=SHARE)
INFEASIBLE = "infeasible"
FIRST = "first"

ARRIVALS: Mapping[str, Mapping[Case, int]] = {
    "1k": {PLAIN[1]: 60, PLAIN[8]: 100},
    "10k": {PLAIN[1]: 60, PLAIN[8]: 100, PLAIN[64]: 60},
    "100k": {
        **dict(zip(PLAIN.values(), (320, 100, 300, 50), strict=True)),
        **dict(zip(CLOSE.values(), (40, 40, 60, 60, 100, 100, 25, 25), strict=True)),
        SHARES: 100,
    },
}
"""Per run, and by how large the cluster is."""
INFEASIBLE_ARRIVALS = 300
FIRST_ARRIVALS = 20
HOPELESS_ARRIVALS = 210
MIXED_ARRIVALS = 400
MIXED = {PLAIN[1]: 60, PLAIN[8]: 25, PLAIN[64]: 13, PLAIN[1_024]: 2}
LARGEST = "100k"

GOALS = (
    Limit("g1_100k_p50_units", "<=", 100),
    Limit("g64_100k_p50_units", "<=", 600),
    Limit("g64_100k_p99_units", "<=", 3_000),
    Limit("g1024_100k_p99_units", "<=", 15_000),
    Limit("infeasible_100k_p99_units", "<=", 600),
    Limit("hopeless_100k_p99_units", "<=", 600),
    Limit("exponent_g8", "<=", 0.05),
    Limit("slowest_variant_ratio", "<=", 4),
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: Mapping[str, int] = field(default_factory=lambda: {"1k": 1_000, "10k": 10_000, "100k": 100_000})
    runs: int = 5
    part: float = 1.0
    """Of the arrivals."""


FULL = Size()


@dataclass(frozen=True, slots=True)
class Timed:
    """What the decisions of one case took in one run."""

    p50_ns: float
    p99_ns: float
    unit_ns: float


Runs = Mapping[str, list[Timed]]
"""By case and cluster, such as `g64_100k`."""


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    runs: dict[str, list[Timed]] = {}
    extra: dict[str, float] = {}
    for label, nodes in size.nodes.items():
        found, states = on_cluster(label, nodes, size)
        runs |= found
        extra = states
    return judged(runs, extra, size.nodes)


def on_cluster(label: str, nodes: int, size: Size) -> tuple[dict[str, list[Timed]], dict[str, float]]:
    """Return what decisions took on one cluster, by case and label, and what its nodes were like."""
    say(f"decision: a cluster of {nodes} nodes")
    population = populate(nodes)
    state = population.state()
    bench = _Bench(label, population, state, size)
    gc.collect()
    gc.freeze()  # as a server does that has loaded its state
    bench.look_around()
    runs: dict[str, list[Timed]] = defaultdict(list)
    for run in range(size.runs):
        for case, timed in bench.run():
            runs[f"{case}_{label}"].append(timed)
        say(f"decision: {label}, run {run + 1} of {size.runs}")
    gc.unfreeze()
    return dict(runs), _states(state)


class _Bench:
    """The cases of one cluster."""

    def __init__(self, label: str, population: Population, state: SchedulerState, size: Size) -> None:
        self._random = Random(1)
        self._arrivals = ARRIVALS[label]
        self._population = population
        self._is_largest = label == LARGEST
        self._size = size
        self._traffic = Traffic(population, state, self._random)
        self._infeasible = infeasible(population, self._random)
        self._first = never_asked(self._random, 1)
        self._hopeless = hopeless(self._random)

    def look_around(self) -> None:
        """Have single members decided for every tenant and chip type, whose time does not count."""
        self._traffic.look_around(own_nodes(PLAIN[1]))

    def run(self) -> Iterator[tuple[str, Timed]]:
        """Yield what the decisions of each case took; each has its own reading of the calibrator, just before."""
        traffic, random = self._traffic, self._random
        for case, count in self._arrivals.items():
            traffic.look_around(one_of_each_chip(case, self._population))
            unit = unit_cpu_ns()
            times = traffic.batch(self._some(asks(case, random), count))
            yield from _timed(case.name, times[case.name].placed, unit)
        if not self._is_largest:
            return
        traffic.look_around(self._some(self._infeasible, INFEASIBLE_ARRIVALS // 3))
        unit = unit_cpu_ns()
        waiting = traffic.batch_beside_others(self._some(self._infeasible, INFEASIBLE_ARRIVALS)).waiting
        yield from _timed(INFEASIBLE, waiting, unit)
        unit = unit_cpu_ns()
        first = traffic.batch(self._some(self._first, FIRST_ARRIVALS))
        yield from _timed(FIRST, first[FIRST].placed, unit)
        unit = unit_cpu_ns()
        refused = traffic.batch(self._some(self._hopeless, HOPELESS_ARRIVALS))[HOPELESS.name]
        yield from _timed(HOPELESS.name, refused.waiting, unit)
        yield from _timed(f"{HOPELESS.name}_learning", refused.learning, unit)
        for case in MIXED:
            traffic.look_around(one_of_each_chip(case, self._population))
        unit = unit_cpu_ns()
        together: Mapping[str, Times] = traffic.batch(self._some(mixed(MIXED, random), MIXED_ARRIVALS))
        for name, times_of_case in together.items():
            yield from _timed(f"mixed_{name}", times_of_case.placed, unit)

    def _some(self, jobs: Iterable[Ask], count: int) -> Iterable[Ask]:
        return islice(jobs, max(4, round(count * self._size.part)))


def _timed(case: str, times_ns: list[float], unit: float) -> Iterator[tuple[str, Timed]]:
    if times_ns:
        yield case, Timed(median(times_ns), percentile(times_ns, 99), unit)


def _states(state: SchedulerState) -> dict[str, float]:
    """Return how many different states nodes are in, and how many were ever scored for a member of half the types."""
    inventory = state.ledger.inventory
    left = [entry.leftover for entry in inventory.entries.values()]
    request = request_of(make_job(0, TENANTS[0], spec(PLAIN[1], CHIPS[0])))
    fits = [inventory.fit(part.demand) for option in request.options for part in option.parts]
    return {
        "distinct_states": inventory.distinct_states(),
        "distinct_signatures": len({(one.kind.labels, one.cpu_milli, one.memory_mib) for one in left}),
        "states_scored": sum(len(state.placer.scores(fit)) for fit in fits),
    }


def judged(runs: Runs, extra: Mapping[str, float], nodes: Mapping[str, int]) -> Measurement:
    """Return what the runs say: of each figure the median of the runs."""
    figures: dict[str, float] = {}
    for case, timed in runs.items():
        figures[f"{case}_p50_units"] = median(one.p50_ns / one.unit_ns for one in timed)
        figures[f"{case}_p99_units"] = median(one.p99_ns / one.unit_ns for one in timed)
        figures[f"{case}_p50_us"] = median(one.p50_ns for one in timed) / 1_000
        figures[f"{case}_p99_us"] = median(one.p99_ns for one in timed) / 1_000
    figures["exponent_g8"] = linear_regression(
        [log(count) for count in nodes.values()], [log(figures[f"g8_{label}_p50_units"]) for label in nodes]
    ).slope
    figures["slowest_variant_ratio"] = max(
        figures[f"g64_{variant}_{LARGEST}_p50_units"] / figures[f"g64_{LARGEST}_p50_units"]
        for variant in (Variant.REQUIRED, Variant.PREFERRED)
    )
    figures["first_of_a_shape_us"] = figures[f"{FIRST}_{LARGEST}_p50_us"]
    figures["share_p50_units"] = figures[f"{SHARES.name}_{LARGEST}_p50_units"]
    figures |= extra
    unit = median(one.unit_ns for timed in runs.values() for one in timed)
    return Measurement(figures, {"unit_cpu_ns": unit, "unit_ns": unit_ns()}, goals=GOALS)
