"""How long the search for a plan takes: Llama-70B on two, four and six chip types, from few chips to thousands."""

import gc
from collections.abc import Callable
from functools import partial
from math import log
from statistics import median

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.ledger.clock import now_ns, unit_cpu_ns
from bench.report import Limit, Measurement
from scheduler.core.mixing.asked.pools import ChipPool
from scheduler.core.mixing.asked.problem import Problem
from scheduler.core.mixing.asked.training import Training
from scheduler.core.mixing.catalogue import MODELS
from scheduler.core.mixing.known_plans import KnownPlans
from scheduler.core.mixing.search.finding import confirmed, leads
from scheduler.core.model.identifiers import ChipName
from scheduler.services.collecting import nothing_collected

REQUIRED = (Limit("exponent_chips", "<=", 0.1),)
GOALS = (
    Limit("cold_2_units", "<=", 75_000),
    Limit("cold_4_units", "<=", 150_000),
    Limit("cold_6_units", "<=", 225_000),
    Limit("confirm_units", "<=", 750_000),
    Limit("cached_units", "<=", 1_500),
)
KINDS = (
    ("a100", "nvidia", 312e12 * 0.87, 80, 300e9, 8 * 25e9),
    ("910b", "huawei", 304e12, 64, 200e9, 8 * 25e9),
    ("mi300x", "amd", 1307e12 * 0.51, 192, 400e9, 8 * 50e9),
    ("c500", "metax", 240e12, 64, 100e9, 4 * 25e9),
    ("h100", "nvidia", 989e12 * 0.8, 80, 450e9, 8 * 50e9),
    ("k100", "hygon", 134e12, 64, 64e9, 4 * 12.5e9),
)
"""Chip, vendor, operations a second, GiB, bytes a second between the devices of a node and of its network."""
CHIPS_PER_NODE = 8
CHIPS_OF_A_KIND = (128, 512, 4_096)
RUNS = 9


def measure(sizes: tuple[int, ...] = CHIPS_OF_A_KIND, runs: int = RUNS) -> Measurement:
    """Run the benchmark: processor time, the middle of the runs, the calibrator read anew before each."""
    figures: dict[str, float] = {}
    exponents = []
    for kinds in (2, 4, 6):
        units = [_units(partial(leads, problem(kinds, size)), runs) for size in sizes]
        figures[f"cold_{kinds}_smallest_units"], figures[f"cold_{kinds}_units"] = units[0], units[-1]
        exponents.append(log(units[-1] / units[0]) / log(sizes[-1] / sizes[0]))
        say(f"plan: {kinds} types, {', '.join(f'{unit:,.0f}' for unit in units)} units")
    figures["exponent_chips"] = max(exponents)
    largest = problem(6, sizes[-1])
    found = leads(largest)
    figures["confirm_units"] = _units(lambda: confirmed(largest, found, 3), runs)
    known = KnownPlans(lambda asked, _: leads(asked))
    known.ask(largest)
    figures["cached_units"] = _units(lambda: known.ask(problem(6, sizes[-1])), runs)
    return Measurement(figures, {"unit_ns": unit_ns(), "unit_cpu_ns": unit_cpu_ns()}, GOALS, REQUIRED)


def problem(kinds: int, chips: int) -> Problem:
    """Return Llama-70B with a batch of 2,048 sequences of 4,096 tokens, on so many chips of so many kinds each."""
    pools = tuple(_pool(kind, chips) for kind in KINDS[:kinds])
    return Problem(Training(MODELS["llama2-70b"], global_batch=2_048, sequence=4_096), pools)


def _pool(kind: tuple[str, str, float, int, float, float], chips: int) -> ChipPool:
    chip, vendor, flops_per_s, gibibytes, device_link, node_link = kind
    return ChipPool(
        name=chip,
        chip=ChipName(chip),
        vendor=vendor,
        nodes=chips // CHIPS_PER_NODE,
        chips_per_node=CHIPS_PER_NODE,
        memory_bytes=gibibytes << 30,
        flops_per_s=flops_per_s,
        device_link_bytes_per_s=device_link,
        node_link_bytes_per_s=node_link,
    )


def _units(asked: Callable[[], object], runs: int) -> float:
    """Return the middle of some runs, after one that counts for nothing."""
    asked()
    units = []
    for _ in range(runs):
        unit = unit_cpu_ns()
        gc.collect()
        with nothing_collected():
            began = now_ns()
            asked()
            units.append((now_ns() - began) / unit)
    return median(units)
