"""What a cluster would do with a workload: simulated in this process, no server needed."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from medley.answers import Json
from medley.commands.connection import connected, drawn
from medley.errors import BadUsage
from medley.exit_codes import ExitCode
from medley.screens.amounts import duration
from medley.screens.output import is_terminal, print_json, print_table, say, talk, window_width
from medley.screens.simulated.chart import chart
from medley.screens.simulated.picture import picture
from medley.screens.simulated.tables import chips_table, compared, finish_line, headline, jobs_line, waits_table

if TYPE_CHECKING:
    from scheduler.simulator.planning import Plan, Progress

FROM_LIVE = "live"
_EVERY_S = 0.2
_BAR = 30
_WIDEST_CHART = 100
_PLAIN_CHART = 80


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Otherwise:
    """What the cluster is to be like."""

    add: Annotated[
        tuple[str, ...],
        Parameter(negative="", show_default=False, help="Nodes more, as NODESxDEVICESxCHIP; may be repeated."),
    ] = ()
    drain: Annotated[
        tuple[str, ...], Parameter(negative="", show_default=False, help="A node that takes no work; may be repeated.")
    ] = ()
    compare: Annotated[
        bool, Parameter(negative="", show_default=False, help="Simulate it without --add and --drain as well.")
    ] = False
    chips: Annotated[Path | None, Parameter(help="YAML file with further chip types.")] = None
    cluster_name: Annotated[
        str | None, Parameter(name="--cluster", help="Which of several live clusters (with `live`).")
    ] = None


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How it is simulated."""

    days: Annotated[
        float | None, Parameter(help="Virtual days (7; of a list of jobs until all are over).", show_default=False)
    ] = None
    seed: Annotated[int, Parameter(help="Of all chance: the same one gives the same decisions.")] = 1
    engine: Annotated[
        Literal["core", "services"],
        Parameter(help="Decisions alone, or all services on a database in memory: the same, and much slower."),
    ] = "core"
    order: Annotated[
        Literal["fair", "fifo", "las", "srtf", "srsf", "rounds"], Parameter(help="Who of those that wait is next.")
    ] = "fair"
    preemption: Annotated[
        Literal["off", "tenant", "everywhere"],
        Parameter(help="For whom running jobs may be stopped: for nobody, or for higher priority in a tenant, or any."),
    ] = "tenant"
    round_s: Annotated[float, Parameter(help="Seconds of a round (with --order rounds).")] = 360.0
    rounds_for: Annotated[
        Literal["fairness", "finish"], Parameter(help="What turns are given for (with --order rounds).")
    ] = "fairness"


_AS_IT_IS, _AS_USUAL = Otherwise(), Running()


def simulate(
    cluster: Annotated[str, Parameter(help="A cluster file, as `medley serve` takes it; or `live`: the server's.")],
    workload: Annotated[Path, Parameter(help="A YAML file with sorts of jobs, or a CSV file with jobs.")],
    /,
    otherwise: Otherwise = _AS_IT_IS,
    running: Running = _AS_USUAL,
    *,
    svg: Annotated[Path | None, Parameter(help="Write the chart to this file, too.")] = None,
    output: Annotated[
        Literal["table", "wide", "json", "yaml"],
        Parameter(name=["--output", "-o"], converter=drawn, help="As tables and a chart, JSON or YAML."),
    ] = "table",
) -> int:
    """Simulate what a cluster would do with a workload: who waits for how long, and what is used.

    Ctrl-C shows what there is so far.
    """
    from scheduler.simulator.planning import FAULTS  # noqa: PLC0415 - a client's machine need not load the scheduler

    plans = _plans(cluster, workload, otherwise, running)
    try:
        reports = _run_all(plans)
    except FAULTS as error:
        raise BadUsage(str(error), next_step="docs/simulating.md explains both files") from error
    if output == "json":
        print_json(reports[0] if len(plans) == 1 else {"items": reports})
    else:
        _print(reports)
    if svg is not None:  # last: what took so long is not lost for a folder that is not there
        svg.write_text(picture(reports), encoding="utf-8")
    return ExitCode.OK if all(report["is_whole"] for report in reports) else ExitCode.INTERRUPTED


def _plans(cluster: str, workload: Path, otherwise: Otherwise, running: Running) -> list["Plan"]:
    """Return what to simulate: one cluster, or what it is now and then what it would be."""
    from scheduler.simulator.planning import ClusterPlan, Plan  # noqa: PLC0415 - as above

    if otherwise.compare and not (otherwise.add or otherwise.drain):
        raise BadUsage("--compare has nothing to compare with", next_step="say what is otherwise by --add or --drain")
    if cluster == FROM_LIVE and not Path(cluster).exists():
        with connected() as client:
            nodes, chips = list(client.nodes(limit=200)), list(client.chips())
        base = ClusterPlan(live=nodes, live_chips=chips, live_cluster=otherwise.cluster_name)
    else:
        base = ClusterPlan(Path(cluster))
    changed = replace(base, add=otherwise.add, drain=otherwise.drain)
    clusters = [base, changed] if otherwise.compare else [changed]
    return [
        Plan(
            each,
            workload,
            otherwise.chips,
            running.days,
            running.seed,
            running.engine,
            order=running.order,
            preemption=running.preemption,
            round_s=running.round_s,
            rounds_for=running.rounds_for,
        )
        for each in clusters
    ]


def _run_all(plans: list["Plan"]) -> list[Json]:
    reports: list[Json] = []
    for number, plan in enumerate(plans, start=1):
        bar = _Bar(f"{number}/{len(plans)} " if len(plans) > 1 else "")
        try:
            reports.append(plan.run(bar.show))
        finally:
            bar.clear()
        if not reports[-1]["is_whole"]:
            break
    return reports


def _print(reports: list[Json]) -> None:
    for report in reports:
        if not report["is_whole"]:
            talk(f"interrupted after {duration(report['virtual_s'])} of virtual time; this is what there is so far")
        say(f"{headline(report)}\n{jobs_line(report)}\n{finish_line(report)}")
    say()
    print_table(chips_table(reports))
    for part, title in (("tenants", "TENANT"), ("sizes", "DEVICES OF A JOB")):
        say()
        print_table(waits_table(reports, part, title))
    width = min(window_width(), _WIDEST_CHART) if is_terminal(sys.stdout) else _PLAIN_CHART
    for report in reports:
        say()
        for line in chart(report, width=width):
            say(line)
    if len(reports) > 1:
        say(f"\n{compared(*reports)}")


class _Bar:
    """How far a simulation is, on stderr where that is a terminal."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._began_s = self._shown_s = clock()
        self._is_shown = sys.stderr is not None and is_terminal(sys.stderr)

    def show(self, progress: "Progress", until_s: float) -> None:
        """Show it, a few times a second."""
        now_s = self._clock()
        if not self._is_shown or now_s < self._shown_s + _EVERY_S:
            return
        self._shown_s = now_s
        part = min(1.0, progress.now_s / until_s) if until_s else 1.0
        left_s = (now_s - self._began_s) * (1 - part) / part if part else 0.0
        bar = "█" * round(part * _BAR)
        text = f"{self._title}{bar:·<{_BAR}} {part:4.0%}  {progress.submitted:,} jobs, {duration(left_s)} left"
        self._write(f"\r\x1b[2K{text[: window_width() - 1]}")

    def clear(self) -> None:
        """Leave no trace of it."""
        if self._is_shown:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
