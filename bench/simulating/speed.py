"""How many events a second the simulator steps through: by the core alone, and through the production services."""

import gc
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from math import log

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import unit_cpu_ns
from bench.ledger.population import CHIPS, CLUSTER_NAME, DEVICES, make_nodes
from bench.report import Limit, Measurement
from scheduler.core.model.chip import ChipType
from scheduler.simulator.lives import Lives
from scheduler.simulator.observing import Observer
from scheduler.simulator.recording import Digest
from scheduler.simulator.simulation import Progress, Simulation
from scheduler.simulator.stepping.core_engine import CoreEngine
from scheduler.simulator.stepping.engine import Setting
from scheduler.simulator.stepping.service_engine import ServiceEngine
from scheduler.simulator.workloads.arrival import Life
from scheduler.simulator.workloads.spans import LogNormal
from scheduler.simulator.workloads.templates import HOUR_S, Choice, Drawn, Rate, Size, Template
from scheduler.simulator.workloads.templates import Limit as TimeLimit

GOALS = (
    Limit("core_units_per_event", "<=", 95),
    Limit("service_units_per_event", "<=", 1_430),
    Limit("exponent", "<=", 0.05),
)
MEDIAN_S, P90_S, LONGEST_S = 1_800, 5_400, 4 * HOUR_S
MEAN_S = 2_400
"""Of the run times, about."""
LOAD = 0.8
"""So much of all devices is asked for at a time, once it is filled."""
WORKERS = (1, 2, 3, 4)
TENANTS = tuple(f"team-{number:02}" for number in range(20))


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    small: int = 1_000
    large: int = 100_000
    """Nodes."""
    filling_s: int = 3 * HOUR_S
    """Virtual time in which a cluster of the core fills, unmeasured."""
    core_events: int = 60_000
    service_events: int = 2_000
    runs: int = 3
    """Of the core on the small cluster, of which the median counts; the large one runs once."""


FULL = Scale()


class _Enough(Exception):
    """So many events as were to be measured have happened."""


def measure(scale: Scale = FULL) -> Measurement:
    """Run the benchmark."""
    figures: dict[str, float] = {}
    units: dict[str, float] = {}
    for label, nodes in (("1k", scale.small), ("100k", scale.large)):
        core = _core(nodes, scale)
        services = _services(nodes, scale)
        units[label] = core.units
        figures |= {f"core_units_per_event_{label}": core.units, f"core_events_per_s_{label}": core.per_s}
        figures |= {f"service_units_per_event_{label}": services.units, f"service_events_per_s_{label}": services.per_s}
        say(f"simulate: {nodes} nodes: core {core.per_s:.0f}/s, services {services.per_s:.0f}/s")
    figures["core_units_per_event"] = max(units.values())
    figures["service_units_per_event"] = max(figures[f"service_units_per_event_{label}"] for label in units)
    figures["exponent"] = log(units["100k"] / units["1k"]) / log(scale.large / scale.small)
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


@dataclass(frozen=True, slots=True)
class _Found:
    units: float
    """Of processor time, per event."""
    per_s: float
    """Events per second of processor time."""


def workload(nodes: int) -> Drawn:
    """Return gangs of one to four whole nodes that keep a cluster of so many as busy as LOAD says."""
    mean_workers = sum(WORKERS) / len(WORKERS)
    per_hour = nodes * LOAD / mean_workers / MEAN_S * HOUR_S / len(CHIPS)
    sizes = Choice.of([(Size(workers, DEVICES), 1.0) for workers in WORKERS])
    return Drawn(
        tuple(
            Template(
                name=f"gang-{number}",
                tenants=Choice.of([(tenant, 1.0) for tenant in TENANTS]),
                user="someone",
                rate=Rate(per_hour),
                sizes=sizes,
                run=LogNormal(MEDIAN_S, P90_S, LONGEST_S),
                chips=(chip, CHIPS[(number + 1) % len(CHIPS)]),
                cpu_milli=32_000,
                memory_mib=262_144,
                limit=TimeLimit(times=1.5),
                life=Life(0.0, start_up_s=30.0),
            )
            for number, chip in enumerate(CHIPS)
        )
    )


def setting(nodes: int) -> Setting:
    """Return a cluster of so many nodes, which belong to everybody."""
    known = tuple(sorted((replace(node, tenant=None) for node in make_nodes(nodes)), key=lambda node: node.name))
    chips = tuple(ChipType(name, "none", name, 81_920, 100.0, None, None, None, None, "cuda", "NCCL") for name in CHIPS)
    return Setting(CLUSTER_NAME, known, chips, TENANTS)


def _core(nodes: int, scale: Scale) -> _Found:
    say(f"simulate: a cluster of {nodes} nodes fills")
    there, jobs, lives, digest = setting(nodes), workload(nodes), Lives(1), Digest()
    observer = Observer(there)
    engine = CoreEngine(there, lives, (digest.follow, observer.follow))
    arrivals = jobs.arrivals(seed=1, until_s=1e9)
    filling = Simulation(engine, arrivals, until_s=scale.filling_s)
    filling.run()
    return _timed(engine, Simulation(engine, arrivals, progress=filling.progress), scale.core_events)


def _services(nodes: int, scale: Scale) -> _Found:
    there, lives, digest = setting(nodes), Lives(1), Digest()
    observer = Observer(there)
    engine = ServiceEngine(there, lives, (digest.follow, observer.follow))
    try:
        arrivals = workload(nodes).arrivals(seed=1, until_s=1e9)
        return _timed(engine, Simulation(engine, arrivals), scale.service_events)
    finally:
        engine.close()


def _timed(engine: CoreEngine | ServiceEngine, simulation: Simulation, events: int) -> _Found:
    """Lead a simulation through so many changes more; return what one took, all threads of the process counted."""
    until = engine.changes + events

    def stop(_progress: Progress) -> None:
        if engine.changes >= until:
            raise _Enough

    simulation.on_moment = stop
    gc.collect()
    gc.freeze()
    unit, first = unit_cpu_ns(), engine.changes
    began = time.process_time_ns()
    with suppress(_Enough):
        simulation.run()
    spent = time.process_time_ns() - began
    gc.unfreeze()
    happened = engine.changes - first
    return _Found(spent / happened / unit, happened / spent * 1e9)
