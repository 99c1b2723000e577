"""How much memory the state of a large cluster takes: by how much a process grows that builds it.

Each state is built in a new process from rows as they come from the database, which share nothing until they are read.
The figure of jobs is what a state with as many nodes takes more than one without jobs.
"""

from dataclasses import dataclass

from bench.calibrate import unit_ns
from bench.kubernetes.bed import say
from bench.kubernetes.children import Child
from bench.report import Limit, Measurement

WITHIN_S = 600.0
GOALS = (Limit("bytes_per_node", "<=", 500), Limit("bytes_per_job", "<=", 1_024))


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    count: int = 100_000
    """Nodes, and jobs."""


FULL = Size()


def measure(size: Size = FULL) -> Measurement:
    """Run the benchmark."""
    count = size.count
    figures = {}
    for prefix, traced in (("", False), ("traced_", True)):
        nodes = _weigh(nodes=count, jobs=0, held=False, traced=traced)
        held = _weigh(nodes=count, jobs=count, held=True, traced=traced)
        waiting = _weigh(nodes=0, jobs=count, held=False, traced=traced)
        figures[f"{prefix}bytes_per_node"] = nodes / count
        figures[f"{prefix}bytes_per_job"] = (held - nodes) / count
        figures[f"{prefix}bytes_per_waiting_job"] = waiting / count
    return Measurement(figures, {"unit_ns": unit_ns()}, goals=GOALS)


def _weigh(*, nodes: int, jobs: int, held: bool, traced: bool) -> int:
    question = {"nodes": nodes, "jobs": jobs, "held": held, "traced": traced}
    with Child("bench.ledger.weighing") as child:
        found = child.ask(question, within_s=WITHIN_S)
    jobs_of = f"{jobs} jobs that {'run' if held else 'wait'}" if jobs else "no jobs"
    say(f"memory: {nodes} nodes and {jobs_of}: {found['bytes'] / 2**20:.1f} MiB{' by trace' if traced else ''}")
    for line in found.get("lines", ()):
        say(f"memory:   {line}")
    return int(found["bytes"])
