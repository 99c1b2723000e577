"""What it costs to say why one of 20,000 waiting jobs waits, and when it is expected to start."""

import gc
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.ledger.population import NOON
from bench.queueing.crowd import Crowd, Feed, crowd
from bench.report import Limit, Measurement
from bench.spread import percentile
from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.forecasting.forecast import Forecast
from scheduler.core.forecasting.scene import Scene, demands_of, line_up, look_for_rooms, take_scene
from scheduler.core.model.change import Change, ReservationMade
from scheduler.core.model.waiting.promise import Promise
from scheduler.services.collecting import nothing_collected

GOALS = (Limit("p99_units", "<=", 75_000),)
NOW = NOON + timedelta(minutes=10)
"""Room is kept for those who have waited longest."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 2_000
    waiting: int = 20_000
    runs: int = 5
    asked: int = 200
    """Jobs, in each run."""


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    say(f"explain: {size.waiting} jobs wait for {size.nodes} nodes")
    them = crowd(size.nodes, size.waiting)
    promise(them)
    state, random = them.state, Random(1)
    gc.collect()
    gc.freeze()  # as a server does that has loaded its state
    unit = unit_cpu_ns()
    scene, held_ns, made_ns, forecast = _forecast(state)
    groups = sorted(state.waiting)
    medians, tails = [], []
    for run in range(size.runs):
        unit = unit_cpu_ns()
        spent = []
        for group in random.sample(groups, min(size.asked, len(groups))):
            start = now_ns()
            explain(state, group, NOW)
            forecast.of(group, NOW)
            spent.append(now_ns() - start)
        medians.append(median(spent) / unit)
        tails.append(percentile(spent, 99) / unit)
        say(f"explain: run {run + 1} of {size.runs}")
    gc.unfreeze()
    figures = {
        "p50_units": median(medians),
        "p99_units": median(tails),
        "forecast_units_per_job": made_ns / unit / max(1, len(scene.waiters)),
        "forecast_ms": made_ns / 1e6,
        "held_ms": held_ns / 1e6,
        "promises": float(len(state.promised)),
    }
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


def promise(them: Crowd) -> None:
    """Let a leader look at all who wait, and keep room for the first."""
    passes = Passes()
    with nothing_collected():
        Feed(them.state).place(iter(passes.decide(them.state, NOW)), NOW)
    for number, promise in enumerate(passes.promises.unwritten(them.state.promised), start=10**9):
        if isinstance(promise, Promise):
            them.state.apply(Change(number, NOW, None, None, ReservationMade(promise)))


def _forecast(state: SchedulerState) -> tuple[Scene, int, int, Forecast]:
    """Return a forecast with its scene, for how long the state was held, and how long it took in all, in ns."""
    with nothing_collected():
        began = now_ns()
        scene = take_scene(state, NOW)
        held = now_ns() - began
        line_up(scene, state)
        demands = demands_of(scene)
        looked = now_ns()
        look_for_rooms(scene, state, demands)
        held += now_ns() - looked
        forecast = Forecast(scene)
        return scene, held, now_ns() - began, forecast
