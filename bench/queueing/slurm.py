"""What a job that waits costs Slurm's backfill, beside our own pass over the very same jobs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from bench.kubernetes.bed import say
from bench.ledger.population import make_nodes
from bench.queueing import backfill
from bench.queueing.backfill import IDLE
from bench.queueing.crowd import crowd
from bench.queueing.slurm_controller import Controller, Cycle, SlurmFailed, SlurmMissing, require_slurm
from bench.report import Limit, Measurement
from scheduler.core.deciding.backfilling.promises import MOST_PROMISES
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.job import AnyOf, JobSpec
from scheduler.core.model.node import Node

GOAL = Limit("slurm_ratio_per_job", ">=", 500)
NODES_PER_HOLDER = 100
"""Nodes that are full are held by jobs of so many. Fewer ends than one for each node are less work for Slurm."""
FIRST_END_MIN, LAST_END_MIN = 23 * 60, 24 * 60
PLACED_WITHIN_S, CYCLE_WITHIN_S = 300.0, 1_800.0
SCHEDULER = {
    "bf_continue": "",
    "bf_interval": "3",
    "bf_max_job_test": "100000",
    "bf_max_time": "3600",
    "bf_window": "2880",
    "default_queue_depth": "1",
    "sched_interval": "1000",
}
"""All who wait are looked at in one cycle of backfill, two days ahead; the main scheduler keeps out of its way."""
FEW = {"bf_job_part_count_reserve": str(MOST_PROMISES)}
"""As many reservations as we make; of itself Slurm makes one for each that waits."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    nodes: int = 10_000
    waiting: int = 1_000


FULL = Size()


def add_options(parser: ArgumentParser) -> None:
    """Declare what the command line may say of the benchmark of backfill."""
    parser.add_argument("--slurm", action="store_true", help="measure Debian's slurmctld beside it (minutes)")


def measure(options: Namespace) -> Measurement:
    """Measure our own pass, and Slurm's where that is asked for. Exits where it is not installed, before any work."""
    if not options.slurm:
        return backfill.measure()
    try:
        require_slurm()
        ours = backfill.measure()
        return beside(ours, FULL, cycle_of(FULL, SCHEDULER), cycle_of(FULL, SCHEDULER | FEW))
    except (SlurmMissing, SlurmFailed) as error:
        raise SystemExit(f"backfill --slurm: {error}") from error


def beside(ours: Measurement, size: Size, theirs: Cycle, few: Cycle) -> Measurement:
    """Return our figures with Slurm's beside them. Jobs are compared by what one that waits takes."""
    middle = backfill.FULL.waiting[1]
    of_many, alike = ours.figures[f"job_us_{middle}"], ours.figures[f"job_us_{size.waiting}"]
    figures = {
        "slurm_waiting": float(theirs.jobs),
        "slurm_ratio_per_job": theirs.job_us / of_many,
        "slurm_ratio_alike": theirs.job_us / alike,
        "slurm_few_ratio_per_job": few.job_us / of_many,
        "slurm_few_ratio_alike": few.job_us / alike,
    }
    for name, cycle in (("slurm", theirs), ("slurm_few", few)):
        figures |= {
            f"{name}_cycle_s": cycle.us / 1e6,
            f"{name}_processor_s": cycle.processor_us / 1e6,
            f"{name}_job_us": cycle.job_us,
            f"{name}_started": float(cycle.started),
        }
    return Measurement(ours.figures | figures, ours.calibrators, (*ours.goals, GOAL), ours.required)


def cycle_of(size: Size, scheduler: dict[str, str]) -> Cycle:
    """Return what one cycle takes Slurm on the cluster and with the jobs of our own pass. Raises SlurmFailed."""
    state = crowd(size.nodes, size.waiting, idle=IDLE).state
    nodes = list(make_nodes(size.nodes))
    with Controller(list(node_lines(nodes)), scheduler) as slurm:
        say(f"slurm: filling {size.nodes} nodes")
        holders = list(holding(nodes, state))
        for holder in holders:
            slurm.submit(*holder)
        slurm.wait_for_starts(len(holders), within_s=PLACED_WITHIN_S)
        slurm.open(is_open=False)
        say(f"slurm: handing in {size.waiting} jobs")
        for name in sorted(state.waiting):
            slurm.submit(*asking(state.jobs[state.groups[name].job_id].spec))
        say("slurm: one cycle of backfill over all of them")
        return slurm.cycle(size.waiting, within_s=CYCLE_WITHIN_S)


def node_lines(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield a line of slurm.conf for each row of nodes of one chip type: a device is a processor, a type a feature."""
    for (chip, devices), row in groupby(nodes, key=lambda node: (node.devices[0].chip, node.devices[0].count)):
        names = ",".join(node.name for node in row)
        yield f"NodeName={names} CPUs={devices} State=CLOUD Features={chip}"


def holding(nodes: Sequence[Node], state: SchedulerState) -> Iterator[tuple[str, ...]]:
    """Yield the options of jobs that hold every node on which something runs, and end within an hour of each other."""
    used = {held.node for live in state.live.values() for held in live.allocations}
    full = (node.name for node in nodes if node.id in used)
    rows = list(iter(lambda: list(islice(full, NODES_PER_HOLDER)), []))
    for number, row in enumerate(rows):
        end_min = FIRST_END_MIN + (LAST_END_MIN - FIRST_END_MIN) * number // len(rows)
        yield ("--exclusive", f"--nodes={len(row)}", f"--nodelist={','.join(row)}", f"--time={end_min}")


def asking(spec: JobSpec) -> tuple[str, ...]:
    """Return the options of a job that waits: so many workers of so many devices on any of its chip types."""
    assert isinstance(spec.chips, AnyOf)
    limit = () if spec.time_limit_s is None else (f"--time={spec.time_limit_s // 60}",)
    shape = (f"--ntasks={spec.workers}", f"--cpus-per-task={spec.shape.devices}")
    return (*shape, f"--constraint={'|'.join(spec.chips.chips)}", *limit)
