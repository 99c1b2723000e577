"""The production services on a real SQLite database, a fake cluster and a clock that the test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from scheduler.adapters.database.storage import Storage, open_storage
from scheduler.adapters.memory.clock import ManualClock
from scheduler.adapters.memory.cluster import FakeCluster, Script
from scheduler.adapters.memory.fake_worker import Behaviour
from scheduler.adapters.system.wake_up import InProcessWakeUp
from scheduler.core.model.identifiers import JobId
from scheduler.core.model.job import AnyOf, CommandProgram, JobKind, JobSpec
from scheduler.core.model.node import DeviceGroup, Node
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import Topology
from scheduler.ports.cluster import GangOrder
from scheduler.ports.journal import Rejected
from scheduler.ports.views import JobView
from scheduler.services.access.attempt_tokens import AttemptTokens
from scheduler.services.decide_once import Decider
from scheduler.services.follow_changes import FollowedState
from scheduler.services.keep_lead import Lead
from scheduler.services.reconcile_once import LaunchTerms, Reconciler
from scheduler.services.submit_job import Accepted, Submission, submit_job
from scheduler.services.sync_inventory import InventorySync
from tests.builders.database import NOON, empty_sqlite, make_chip

CHIP = "h100"
NODES = 2
DEVICES_PER_NODE = 4
TENANT = "alpha"


@dataclass
class NumberedNames:
    """Ids that sort by their making."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_job_id(self) -> JobId:
        return f"{next(self._numbers):016d}"

    def new_token_id(self) -> str:
        return self.new_job_id()


def runs_for_ever(_order: GangOrder, _rank: int) -> Behaviour:
    return Behaviour()


def make_spec(*, workers: int = 2, devices: int = 1, retries: int = 0, time_limit_s: int | None = None) -> JobSpec:
    return JobSpec(
        name="job",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=WorkerShape(devices, 1000, 1024),
        chips=AnyOf((CHIP,)),
        program=CommandProgram(("true",)),
        retries=retries,
        time_limit_s=time_limit_s,
    )


@dataclass
class Stage:
    """One leader with its cluster."""

    storage: Storage
    cluster: FakeCluster
    clock: ManualClock
    wake_up: InProcessWakeUp
    names: NumberedNames = field(default_factory=NumberedNames)

    def __post_init__(self) -> None:
        self.lead()

    def lead(self) -> None:
        """Start (or start again) as a process would: nothing is known but what the database and the cluster say."""
        self._lead = self.current_lead = lead = Lead.take(self.storage.leadership, "stage")
        self.followed = FollowedState(self.storage.views, self.clock)
        self.decider = Decider(self.followed, self.storage.journal, self.clock, self.wake_up, lead=lead)
        self.reconciler = self.reconciler_of(self.cluster)

    def reconciler_of(self, cluster: FakeCluster) -> Reconciler:
        return Reconciler(
            cluster,
            self.followed,
            self.storage.journal,
            self.storage.directory,
            clock=self.clock,
            terms=LaunchTerms("http://127.0.0.1:1", AttemptTokens(b"secret")),
            lead=self._lead,
        )

    def submit(self, spec: JobSpec) -> JobId:
        submission = Submission(TENANT, "somebody", spec, None)
        accepted = submit_job(self.storage.journal, self.clock, self.names, submission, clusters=(self.cluster,))
        assert isinstance(accepted, Accepted)
        assert not isinstance(accepted.outcome, Rejected)
        return accepted.outcome.job

    def turn(self) -> None:
        """Let everything happen that can happen now."""
        self.decider.decide_once()
        self.reconciler.reconcile_once()
        self.reconciler.reconcile_once()  # as the cluster's hint would bring it about
        self.decider.decide_once()

    def job(self, job: JobId) -> JobView:
        view = self.storage.views.job(job, tenant=None)
        assert view is not None
        return view

    def devices_held(self) -> int:
        return sum(pool.devices_held for pool in self.storage.views.pools())


@contextmanager
def stage(folder: Path, script: Script = runs_for_ever) -> Iterator[Stage]:
    """Open a stage with two nodes of four devices in one rack each."""
    wake_up = InProcessWakeUp()
    storage = open_storage(empty_sqlite(folder).url, wake_up)
    try:
        clock = ManualClock(NOON)
        storage.directory.define_chips([make_chip(CHIP)], clock.now())
        storage.directory.create_tenant(TENANT, clock.now())
        nodes = [
            Node("mixed", f"node-{number}", (DeviceGroup(CHIP, DEVICES_PER_NODE, 81_920),), 64_000, 65_536, 110,
                 Topology((("rack", f"r{number}"),)))
            for number in range(NODES)
        ]  # fmt: skip
        cluster = FakeCluster("mixed", nodes, clock=clock, script=script)
        InventorySync(storage.directory, clock, cluster, kind="local").sync_once()
        yield Stage(storage, cluster, clock, wake_up)
    finally:
        storage.close()
