"""A full pass with reservations: all who wait are looked at, some begin, and some have room promised."""

import gc
from dataclasses import dataclass, replace
from datetime import timedelta
from math import log
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.ledger.population import NOON
from bench.queueing.crowd import crowd
from bench.report import Limit, Measurement
from scheduler.core.deciding.passes import Passes
from scheduler.core.model.decision import Placed
from scheduler.services.collecting import nothing_collected

GOALS = (Limit("pass_units", "<=", 1_500_000), Limit("exponent_pending", "<=", 1.2))
IDLE = 0.02
"""This part of the nodes is free, for the first in the queue and for those that may overtake."""
WAITED = timedelta(hours=1)
"""Long enough for a reservation."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 10_000
    waiting: tuple[int, ...] = (1_000, 10_000, 50_000)
    """The middle one is the size of `pass_units`; the growth is from the first to the last."""
    runs: int = 3


FULL = Size()


@dataclass(frozen=True, slots=True)
class _Pass:
    units: float
    ns: float
    placed: int
    promised: int
    asked: int


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    found = {waiting: _measured(size, waiting) for waiting in size.waiting}
    first, middle, last = size.waiting
    growth = log(found[last].units / found[first].units) / log(last / first)
    figures = {"pass_units": found[middle].units, "exponent_pending": growth}
    for waiting, each in found.items():
        figures |= {
            f"pass_ms_{waiting}": each.ns / 1e6,
            f"job_us_{waiting}": each.ns / 1e3 / waiting,
            f"placed_{waiting}": float(each.placed),
            f"promised_{waiting}": float(each.promised),
            f"asked_{waiting}": float(each.asked),
        }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


def _measured(size: Size, waiting: int) -> _Pass:
    """Return the median of passes, each by somebody who has seen nothing of the state before."""
    say(f"backfill: {waiting} jobs wait for {size.nodes} nodes")
    state = crowd(size.nodes, waiting, idle=IDLE).state
    gc.collect()
    gc.freeze()  # as a server does that has loaded its state
    passes: list[_Pass] = []
    for _ in range(size.runs):
        looking, unit = Passes(), unit_cpu_ns()
        with nothing_collected():
            began = now_ns()
            decisions = looking.decide(state, NOON + WAITED)
            spent = now_ns() - began
        placed = sum(isinstance(decision, Placed) for decision in decisions)
        passes.append(_Pass(spent / unit, spent, placed, len(looking.promises), looking.asked))
    gc.unfreeze()
    return replace(passes[0], units=median(one.units for one in passes), ns=median(one.ns for one in passes))
