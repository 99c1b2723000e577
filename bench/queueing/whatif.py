"""What it costs to ask what would be if a hundred nodes were drained, while many wait."""

import gc
from dataclasses import dataclass
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.queueing.crowd import crowd
from bench.queueing.explain import NOW, promise
from bench.report import Limit, Measurement
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.asking.suppositions import DrainNodes
from scheduler.core.supposing.comparing import consequences_of
from scheduler.core.supposing.rehearsing import rehearse
from scheduler.services.collecting import nothing_collected

GOALS = (Limit("units", "<=", 3_000_000),)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 1_024
    waiting: int = 20_000
    drained: int = 100
    runs: int = 5


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    say(f"whatif: {size.waiting} jobs wait for {size.nodes} nodes, of which {size.drained} are drained")
    them = crowd(size.nodes, size.waiting)
    promise(them)
    state = them.state
    drain = DrainNodes(
        nodes=tuple(sorted(state.ledger.inventory.entries)[:: size.nodes // size.drained][: size.drained])
    )
    gc.collect()
    gc.freeze()  # as a server does that has loaded its state
    units, held, leaving = [], [], 0
    for run in range(size.runs):
        unit = unit_cpu_ns()
        with nothing_collected():
            began = now_ns()
            rehearsed = rehearse(state, [drain], NOW, rules=Rules())
            let_go = now_ns()
            found = consequences_of(rehearsed)
            ended = now_ns()
        units.append((ended - began) / unit)
        held.append((let_go - began) / unit)
        leaving = 0 if found is None else found.leaving_count
        say(f"whatif: run {run + 1} of {size.runs}")
    gc.unfreeze()
    figures = {"units": median(units), "held_units": median(held), "leaving": float(leaving)}
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)
