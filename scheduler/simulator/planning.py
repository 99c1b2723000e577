"""What somebody asks of a simulation, and its answer: which cluster, which jobs, for how long."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scheduler.adapters.files.catalogue_file import read_catalogue, shipped_catalogue
from scheduler.adapters.files.marked_yaml import FileError
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.node import TAKES_WORK
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.policy import DEFAULT_ROUND_S, PolicyName, RoundByRound, policy_of
from scheduler.core.queueing.rounds.allocating import Goal
from scheduler.simulator.cluster_plans import ClusterPlan, PlanError
from scheduler.simulator.lives import Lives
from scheduler.simulator.observing import Observer
from scheduler.simulator.recording import Digest
from scheduler.simulator.reporting import report
from scheduler.simulator.simulation import NodesChange, Progress, Simulation
from scheduler.simulator.stepping.core_engine import CoreEngine
from scheduler.simulator.stepping.engine import Engine, Setting
from scheduler.simulator.stepping.service_engine import NotRunnable, ServiceEngine
from scheduler.simulator.workloads.arrival import Workload
from scheduler.simulator.workloads.job_list import read_jobs
from scheduler.simulator.workloads.outages import in_order
from scheduler.simulator.workloads.templates import Drawn, Listed
from scheduler.simulator.workloads.workload_file import LONGEST_S, WorkloadFile, read_workload

__all__ = ["FAULTS", "ClusterPlan", "Plan", "Progress"]

FAULTS = (FileError, PlanError, NotRunnable)
"""What is wrong with what was asked, said in a sentence."""
DAY_S = 86_400
DEFAULT_DAYS = 7.0
_ENGINES: dict[str, Callable[..., Engine]] = {"core": CoreEngine, "services": ServiceEngine}


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation."""

    cluster: ClusterPlan
    workload: Path
    """YAML with sorts of jobs, or CSV with jobs."""
    chips: Path | None = None
    """Further chip types."""
    days: float | None = None
    """None: seven for jobs that are drawn, and until all is over for listed ones."""
    seed: int = 1
    engine: str = "core"
    """`core` or `services`."""
    order: str = PolicyName.FAIR
    """By which policy those who wait are asked."""
    preemption: str = Scope.TENANT
    """For whom running jobs may be stopped."""
    round_s: float = DEFAULT_ROUND_S
    """How long a round is, where the order goes by rounds."""
    rounds_for: str = Goal.FAIRNESS
    """What turns are given for then."""

    def run(self, on_moment: Callable[[Progress, float], None] = lambda _progress, _until_s: None) -> dict[str, Any]:
        """Simulate, and return the report; an interrupt ends it early, with what there is by then.

        `on_moment` is told how far it is, and of how many virtual seconds. Raises what is in FAULTS.
        """
        setting, described, workload = self._read()
        until_s = self._until_s(workload)
        expected_s = workload.jobs[-1].at_s if isinstance(workload, Listed) else float(until_s)
        lives, digest, observer = Lives(self.seed), Digest(), Observer(setting)
        engine = _ENGINES[self.engine](setting, lives, (digest.follow, observer.follow))
        simulation = Simulation(
            engine,
            workload.arrivals(seed=self.seed, until_s=until_s),
            self._node_changes(setting, described, until_s),
            until_s if self.days is not None or isinstance(workload, Drawn) else None,
            lambda progress: on_moment(progress, expected_s),
        )
        is_whole = True
        gc.collect()
        gc.freeze()  # as a server does that has loaded its state
        try:
            simulation.run()
        except KeyboardInterrupt:
            is_whole = False
        finally:
            gc.unfreeze()
            engine.close()
        found = report(setting, observer, simulation.progress)
        how = {"seed": self.seed, "engine": self.engine, "order": self.order, "preemption": self.preemption}
        how |= {"digest": digest.hexdigest(), "is_whole": is_whole}
        return {**found, **how, "expected_s": expected_s}

    def _read(self) -> tuple[Setting, WorkloadFile | None, Workload]:
        chips = {chip.name: chip for chip in (*shipped_catalogue(), *self.cluster.catalogue())}
        if self.chips is not None:
            chips |= {chip.name: chip for chip in read_catalogue(self.chips)}
        inventory = self.cluster.read(chips.values())
        present = sorted({group.chip for node in inventory.nodes for group in node.devices})
        nodes = tuple(sorted(inventory.nodes, key=lambda node: node.name))
        described = None
        workload: Workload
        if self.workload.suffix.lower() == ".csv":
            workload = read_jobs(self.workload, present)
        else:
            described = read_workload(self.workload, chips=present, nodes=nodes)
            workload = described.workload
        known = tuple(chips[name] for name in sorted(chips))
        there = Setting(
            inventory.cluster,
            nodes,
            known,
            workload.tenants,
            ordering=Ordering(policy_of(PolicyName(self.order), rounds=self._rounds())),
            rules=Rules(Scope(self.preemption)),
        )
        if described is not None:
            there = replace(there, quotas=described.quotas, weights=described.weights)
        return there, described, workload

    def _rounds(self) -> RoundByRound:
        if not 1 <= self.round_s <= DAY_S:
            raise PlanError(f"rounds of {self.round_s:g} s cannot be simulated; choose from 1 s to a day")
        return RoundByRound(self.round_s, Goal(self.rounds_for), moves_running=self.preemption != Scope.OFF)

    def _until_s(self, workload: Workload) -> int:
        if self.days is None:
            return round(DEFAULT_DAYS * DAY_S) if isinstance(workload, Drawn) else LONGEST_S
        if not 0 < self.days * DAY_S <= LONGEST_S:
            raise PlanError(f"{self.days:g} days cannot be simulated; choose more than 0 and at most 3650")
        return max(1, round(self.days * DAY_S))

    def _node_changes(self, setting: Setting, described: WorkloadFile | None, until_s: int) -> Iterator[NodesChange]:
        if described is None:
            return iter(())
        ready = [node for node in setting.nodes if node.state in TAKES_WORK]
        breaking = described.breaking
        broken = iter(()) if breaking is None else breaking.changes(ready, seed=self.seed, until_s=until_s)
        return in_order(broken, *(drain.changes() for drain in described.drains))
