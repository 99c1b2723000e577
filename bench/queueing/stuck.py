"""What it costs to look again at 10,000 jobs that are stuck when one node frees, or something that nobody waits for."""

import gc
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.ledger.population import CHIPS, NOON
from bench.queueing.crowd import NOBODY_ASKS_FOR, Crowd, Feed, crowd
from bench.report import Limit, Measurement
from bench.spread import percentile
from scheduler.core.deciding.passes import Passes
from scheduler.core.model.identifiers import ChipName
from scheduler.services.collecting import nothing_collected

GOALS = (Limit("one_node_units", "<=", 15_000), Limit("irrelevant_evaluations", "<=", 0))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 10_000
    waiting: int = 10_000
    runs: int = 5
    ends: int = 40
    """Of jobs, in each run."""


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    say(f"stuck: {size.waiting} jobs wait for {size.nodes} nodes")
    bench = _Bench(crowd(size.nodes, size.waiting))
    gc.collect()
    gc.freeze()  # as a server does that has loaded its state
    units, tails, evaluations, times_us = [], [], [], []
    irrelevant = 0
    for run in range(size.runs):
        unit = unit_cpu_ns()
        found = [bench.free(random_chip(bench.random)) for _ in range(size.ends)]
        units.append(median(spent for spent, _ in found) / unit)
        tails.append(percentile([spent for spent, _ in found], 99) / unit)
        times_us.append(median(spent for spent, _ in found) / 1_000)
        evaluations.append(median(asked for _, asked in found))
        irrelevant += sum(bench.free(NOBODY_ASKS_FOR)[1] for _ in range(size.ends))
        say(f"stuck: run {run + 1} of {size.runs}")
    gc.unfreeze()
    figures = {
        "one_node_units": median(units),
        "one_node_p99_units": median(tails),
        "one_node_us": median(times_us),
        "one_node_evaluations": median(evaluations),
        "irrelevant_evaluations": float(irrelevant),
        "first_pass_ms": bench.first_pass_ns / 1e6,
        "classes": float(bench.classes),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


def random_chip(random: Random) -> ChipName:
    """Return a chip type that somebody waits for."""
    return random.choice([chip for chip in CHIPS if chip != NOBODY_ASKS_FOR])


class _Bench:
    """A crowd that was looked at once."""

    def __init__(self, them: Crowd) -> None:
        self.random = Random(1)
        self._them = them
        self._feed = Feed(them.state)
        self._passes = Passes()
        self._now = NOON
        self.classes = len(them.state.waiters.classes.all)
        start = now_ns()
        with nothing_collected():
            decisions = self._passes.decide(them.state, self._now)
        self.first_pass_ns = now_ns() - start
        self._feed.place(iter(decisions), self._now)

    def free(self, chip: ChipName) -> tuple[int, int]:
        """Let a job on a node of a chip type end; return what the pass after it took, in ns, and how many it asked."""
        state, passes = self._them.state, self._passes
        self._now += timedelta(milliseconds=10)
        running = self._them.running[chip]
        self._feed.end(running.pop(self.random.randrange(len(running))), self._now)
        asked = passes.asked
        with nothing_collected():
            start = now_ns()
            decisions = passes.decide(state, self._now)
            spent = now_ns() - start
        asked = passes.asked - asked
        self._feed.place(iter(decisions), self._now)
        passes.decide(state, self._now)  # with what was placed, nobody is to be asked
        return spent, asked
