"""Which files are replayed, how often, and by how many processes."""

import gc
import os
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

from bench.ledger.clock import unit_cpu_ns
from bench.public.tables import data_folder
from bench.replay.arrivals import arrivals
from bench.replay.curve import COLUMNS, allocated_percent
from bench.replay.figures import Outcome, judged
from bench.replay.openb import POD_LIST, Trace, read_trace, variant_of
from bench.replay.published import published
from bench.replay.rows import ROWS
from bench.replay.run import replay
from bench.report import Measurement

FOLDER = Path("traces", "openb")
NODES = "openb_node_list_gpu_node.csv"
VARIANTS = (
    "default",
    "cpu050",
    "cpu100",
    "gpushare40",
    "gpushare60",
    "gpuspec10",
    "gpuspec25",
    "multigpu20",
    "multigpu30",
)
"""Those with published figures."""
FIRST_SEED = 42
SEEDS = 10

Task = tuple[Path, Path, str, int]
"""Node list, pod list, row, seed."""


def add_options(parser: ArgumentParser) -> None:
    """Declare what the command line may say."""
    parser.add_argument("trace", choices=["openb"], help="whose format the files have")
    parser.add_argument("--nodes", type=Path, help="a node list (default: the published one)")
    parser.add_argument("--pods", type=Path, nargs="+", help="pod lists (default: the nine with published figures)")
    parser.add_argument("--seeds", type=_positive, default=SEEDS, help=f"so many, from {FIRST_SEED} on ({SEEDS})")
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1, help="at once (one per core)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError("must be at least 1")
    return number


def measure(options: Namespace) -> Measurement:
    """Replay every pod list with every seed by every row. Exits where a file cannot be read, before any work."""
    folder = data_folder() / FOLDER
    nodes: Path = options.nodes or folder / NODES
    lists: list[Path] = options.pods or [folder / f"{POD_LIST}{variant}.csv.gz" for variant in VARIANTS]
    try:
        for pods in lists:
            _trace(nodes, pods)
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"replay: {type(error).__name__}: {error}") from error
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    tasks = [(nodes, pods, row, seed) for seed in seeds for pods in lists for row in ROWS]
    outcomes = list(_outcomes(tasks, options.processes))
    is_theirs = nodes == folder / NODES
    theirs = {variant_of(pods) for pods in lists if is_theirs and pods.parent == folder}
    figures = {key: mean for key, mean in published(folder).items() if key[0] in theirs}
    return judged(outcomes, figures)


def _outcomes(tasks: Sequence[Task], processes: int) -> Iterator[Outcome]:
    """Yield what all tasks come to, in their order, and say how far it is."""
    start = time.monotonic()
    with ProcessPoolExecutor(processes) as pool:
        for done, one in enumerate(pool.map(_outcome, tasks), start=1):
            left_min = (time.monotonic() - start) / done * (len(tasks) - done) / 60
            percents = ", ".join(
                f"{percent:.2f} % at {column} %" for column, percent in zip(COLUMNS, one.allocated, strict=True)
            )
            print(
                f"replay: {done} of {len(tasks)}, about {left_min:.0f} min left: "
                f"{one.variant}, seed {one.seed}, {one.row}: {percents}, {one.decision_us:.0f} us per decision",
                file=sys.stderr,
                flush=True,
            )
            yield one


def _outcome(task: Task) -> Outcome:
    """Run one replay, without the garbage collector, which the core makes no work for."""
    nodes, pods, row, seed = task
    trace = _trace(nodes, pods)
    arriving = arrivals(trace.pods, trace.capacity_milli, seed)
    gc.collect()
    gc.disable()
    run = replay(trace, arriving, ROWS[row], seed)
    gc.enable()
    allocated = tuple(
        allocated_percent(run.arrived_milli, run.held_milli, trace.capacity_milli, column) for column in COLUMNS
    )
    return Outcome(variant_of(pods), row, seed, allocated, 1e6 * run.seconds / len(arriving), unit_cpu_ns())


@cache
def _trace(nodes: Path, pods: Path) -> Trace:
    return read_trace(nodes, pods)
