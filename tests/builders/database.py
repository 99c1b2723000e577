"""A database for tests, and a small cluster on it with jobs to run there."""

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from scheduler.adapters.database import migrate
from scheduler.adapters.database.engine import open_engines
from scheduler.adapters.database.storage import Storage, open_storage
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.attempt import Allocation, Progress, WorkerRecord
from scheduler.core.model.chip import ChipType
from scheduler.core.model.decision import GivenPlace, Placed, Refused
from scheduler.core.model.group import Group, StopReason
from scheduler.core.model.identifiers import attempt_id, group_id
from scheduler.core.model.job import AnyOf, ChipRequest, CommandProgram, Job, JobKind, JobSpec
from scheduler.core.model.node import Cluster, DeviceGroup, Node
from scheduler.core.model.reason import NoCluster, PlacementNote
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.tenant import Quota
from scheduler.core.model.topology import RACK, Topology
from scheduler.ports.journal import (
    IdempotencyKey,
    Observe,
    Outcome,
    Place,
    Refuse,
    Rejected,
    Rejection,
    SubmitJob,
    WishStop,
    Write,
    Written,
)
from scheduler.ports.wake_up import Waiter
from scheduler.ports.workers.reports import ReportProgress

NOON = datetime(2026, 11, 21, 12, 0, 0, 123456, tzinfo=UTC)
CLUSTER = "mixed"
PICKING_CLUSTER = "picking"
"""Picks the devices itself and gives no shares; a world has it once it was added."""
TENANT = "alpha"
MANY_JOBS = 1_000_000


def after_noon(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class CountingWakeUp:
    """Counts hints and wakes nobody."""

    def __init__(self) -> None:
        self.hints = 0

    decided = 0

    def notify(self, *, decided: int = 0) -> None:  # noqa: ARG002 - it only counts
        self.hints += 1

    def waiter(self) -> Waiter:
        raise NotImplementedError

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        raise NotImplementedError


@dataclass
class Database:
    """One database with the newest schema."""

    url: str
    wake_up: CountingWakeUp = field(default_factory=CountingWakeUp)

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @contextmanager
    def opened(self) -> Iterator[Storage]:
        storage = open_storage(self.url, self.wake_up)
        try:
            yield storage
        finally:
            storage.close()

    @contextmanager
    def raw(self) -> Iterator[Connection]:
        """Give a writing connection past all of Medley's checks but the schema's."""
        engines = open_engines(self.url)
        try:
            with engines.writing.connect() as connection:
                yield connection
        finally:
            engines.close()

    def ask(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.raw() as connection:
            return [tuple(row) for row in connection.execute(text(statement), parameters)]


def empty_sqlite(folder: Path) -> Database:
    """Return a database of its own with the newest schema, copied: to make one takes a second."""
    path = folder / "medley.db"
    shutil.copyfile(_sqlite_template(), path)
    return Database(f"sqlite:///{path}")


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="medley-template-"))
    atexit.register(shutil.rmtree, folder)
    path = folder / "medley.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


def make_chip(name: str, **differing: Any) -> ChipType:
    chip = ChipType(
        name=name,
        vendor="Vendor",
        model=name.upper(),
        memory_mib=81_920,
        dense_bf16_tflops=989.5,
        measured_tflops=None,
        memory_bandwidth_gb_s=3_350.0,
        link_bandwidth_gb_s=900.0,
        link="link",
        torch_device="cuda",
        collective_library="nccl",
        estimated_fields=("link_bandwidth_gb_s",),
    )
    return replace(chip, **differing)


def make_node(name: str, devices: dict[str, int] | None = None, **differing: Any) -> Node:
    counts = {"h100": 8} if devices is None else devices
    node = Node(
        cluster=CLUSTER,
        name=name,
        devices=tuple(DeviceGroup(chip, count, 81_920) for chip, count in counts.items()),
        cpu_milli=64_000,
        memory_mib=512_000,
        pods=16,
        topology=Topology(((RACK, "r1"),)),
        labels=(("zone", "z1"),),
    )
    return replace(node, **differing)


@dataclass
class World:
    """A storage with a tenant, chips and nodes, led by epoch 1; it makes the writes that tests need."""

    storage: Storage
    epoch: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def make_job(self, chips: ChipRequest | str = "h100", *, workers: int = 1, **differing: Any) -> Job:
        """Return a job that was not submitted; `differing` are fields of its specification, or its tenant."""
        with self._lock:
            number = next(self._numbers)
        spec = JobSpec(
            name="train",
            kind=JobKind.TRAINING,
            workers=workers,
            shape=WorkerShape(devices=1, cpu_milli=1_000, memory_mib=2_000),
            chips=AnyOf((chips,)) if isinstance(chips, str) else chips,
            program=CommandProgram(("true",)),
        )
        tenant = differing.pop("tenant", TENANT)
        submitted_by = differing.pop("submitted_by", "ann")
        return Job(f"{number:09d}abcdefg", tenant, replace(spec, **differing), submitted_by, after_noon(number))

    def write(self, item: Write) -> Outcome:
        (outcome,) = self.storage.journal.write([item])
        return outcome

    def submit(self, job: Job | None = None, *, key: IdempotencyKey | None = None) -> Job:
        job = job or self.make_job()
        written(self.write(SubmitJob(job, key, MANY_JOBS)))
        return job

    def group(self, job: Job) -> Group:
        view = self.storage.views.job(job.id, tenant=None)
        assert view is not None
        return view.groups[0]

    def placing(self, job: Job, *ranks: Allocation, **differing: Any) -> Place:
        """Return the placement of a queued job on these ranks, as its group is now."""
        group = self.group(job)
        notes = tuple(make_note(rank) for rank in ranks)
        decision = Placed(group.id, group.version, group.next_attempt, GivenPlace(ranks, notes))
        decided = {name: value for name, value in differing.items() if name not in ("epoch", "at")}
        return Place(
            replace(decision, **decided), differing.get("epoch", self.epoch), differing.get("at", after_noon(100))
        )

    def place(self, job: Job, *ranks: Allocation) -> str:
        """Place a job, by default on slot 0 of n1, and return its attempt."""
        written(self.write(self.placing(job, *(ranks or (take("n1", 0),)))))
        return self.group(job).latest_attempt

    def seeing(self, attempt: str, event: Event, *workers: WorkerRecord, **differing: Any) -> Observe:
        item = Observe(attempt, 1, event, None, workers, self.epoch, after_noon(200))
        return replace(item, **differing)

    def see(self, attempt: str, event: Event, *workers: WorkerRecord, **differing: Any) -> Written:
        return written(self.write(self.seeing(attempt, event, *workers, **differing)))

    def end(self, attempt: str, reason: StopReason = StopReason.WORKER_FAILED, **differing: Any) -> None:
        """Stop an attempt and see it gone."""
        self.see(attempt, Event.STOP, reason=reason, **differing)
        self.see(attempt, Event.GONE, **differing)

    def refusing(self, job: Job, **differing: Any) -> Refuse:
        decision = Refused(group_id(job.id, 0), self.group(job).version, (NoCluster(),))
        return replace(Refuse(decision, self.epoch, after_noon(100)), **differing)

    def cancel(self, job: Job, *, by: str = "ann") -> Outcome:
        return self.write(WishStop(job.id, job.tenant, by, after_noon(300)))

    def report(self, attempt: str, step: int, *, loss: float = 1.5) -> Outcome:
        return self.write(ReportProgress(attempt, 1, Progress(step, 10_000, loss, 1_000.0, after_noon(200 + step))))

    def set_quota(self, devices: int, *, chip: str = "h100", tenant: str = TENANT) -> None:
        self.storage.directory.set_quota(Quota(tenant, chip, devices), NOON)

    def add_picking_cluster(self, *nodes: Node) -> None:
        """Add the cluster that picks the devices itself, with these nodes, by default n1 with eight h100."""
        cluster = Cluster(PICKING_CLUSTER, "kubernetes", binds_devices=False, enforces_shares=False)
        self.storage.directory.register_cluster(cluster, NOON)
        recorded = [replace(node, cluster=PICKING_CLUSTER) for node in nodes or (make_node("n1"),)]
        self.storage.directory.record_nodes(PICKING_CLUSTER, recorded, NOON)

    def record(self, *nodes: Node) -> Any:
        return self.storage.directory.record_nodes(CLUSTER, nodes, after_noon(50))


def make_world(storage: Storage, nodes: Sequence[Node] | None = None) -> World:
    """Set up two tenants, three chip types and two nodes of eight h100 and four mi300x each."""
    directory = storage.directory
    for tenant in (TENANT, "beta"):
        directory.create_tenant(tenant, NOON)
    directory.define_chips([make_chip("h100"), make_chip("mi300x"), make_chip("ascend-910b")], NOON)
    directory.register_cluster(Cluster(CLUSTER, "local"), NOON)
    usual = [make_node(name, {"h100": 8, "mi300x": 4}) for name in ("n1", "n2")]
    directory.record_nodes(CLUSTER, usual if nodes is None else nodes, NOON)
    return World(storage, storage.leadership.take("test"))


def take(node: str, *slots: int, rank: int = 0, chip: str = "h100") -> Allocation:
    """Return what a rank takes on a node of the test's cluster."""
    return Allocation(rank, f"{CLUSTER}/{node}", chip, slots, 1_000, 2_000)


def take_share(node: str, slot: int, milli: int, memory_mib: int = 0, *, rank: int = 0) -> Allocation:
    """Return what a rank takes that gets a share of one h100."""
    return replace(take(node, slot, rank=rank), share_milli=milli, share_memory_mib=memory_mib)


def take_counted(node: str, devices: int, *, rank: int = 0, chip: str = "h100") -> Allocation:
    """Return what a rank takes on a node whose cluster picks the devices."""
    return replace(take(node, rank=rank, chip=chip), node=f"{PICKING_CLUSTER}/{node}", counted=devices)


def take_no_devices(node: str, *, rank: int = 0, role: str = "launcher") -> Allocation:
    """Return what a rank takes that needs no devices."""
    return replace(take(node, rank=rank), chip=None, role=role)


def make_note(allocation: Allocation) -> PlacementNote:
    return PlacementNote(
        rank=allocation.rank,
        node=allocation.node,
        chip=allocation.chip,
        choice=1,
        choices=1,
        domain_level="rack",
        domain="r1",
        nodes_considered=2,
        devices_free_before=8,
        devices_free_after=8 - len(allocation.slots),
    )


def first_attempt(job: Job) -> str:
    return attempt_id(group_id(job.id, 0), 1)


def written(outcome: Outcome) -> Written:
    """Return the outcome of an item that must have been written."""
    assert isinstance(outcome, Written), outcome
    return outcome


def refused(outcome: Outcome) -> Rejection:
    """Return why an item was refused; it must have been."""
    assert isinstance(outcome, Rejected), outcome
    return outcome.why
