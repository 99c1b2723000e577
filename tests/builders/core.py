"""Values of the decision core with defaults, and a small world that tells its history and its present."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from scheduler.core.deciding.cycle import decide
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold, PutNode
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import LONGEST_BACK_OFF_S, RetryRule, Verdict, apply_event
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, Attempt
from scheduler.core.model.change import (
    Change,
    ChangeBody,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    JobSubmitted,
    NodeSeen,
    QuotaLifted,
    QuotaSet,
    StopWished,
)
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import FINAL, HOLDING, Group, State, StopReason
from scheduler.core.model.identifiers import group_id, node_id
from scheduler.core.model.job import AnyOf, CommandProgram, ExactMix, Job, JobKind, JobSpec, Wish
from scheduler.core.model.node import Cluster, DeviceGroup, Node, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.tenant import Quota
from scheduler.core.model.topology import RACK, Topology

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BIG_CPU_MILLI = 256_000
BIG_MEMORY_MIB = 2_048_000


def seconds_after_noon(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def make_node(
    name: str = "n1",
    devices: dict[str, int] | None = None,
    *,
    cluster: str = "mixed",
    rack: str | None = None,
    state: NodeState = NodeState.READY,
    cpu_milli: int = BIG_CPU_MILLI,
    memory_mib: int = BIG_MEMORY_MIB,
    pods: int = 110,
) -> Node:
    counts = {"h100": 8} if devices is None else devices
    return Node(
        cluster=cluster,
        name=name,
        devices=tuple(DeviceGroup(chip, count, 81_920) for chip, count in counts.items()),
        cpu_milli=cpu_milli,
        memory_mib=memory_mib,
        pods=pods,
        topology=Topology(((RACK, rack),)) if rack else Topology(),
        state=state,
    )


def make_shape(devices: int = 1, *, cpu_milli: int = 1_000, memory_mib: int = 1_024) -> WorkerShape:
    return WorkerShape(devices, cpu_milli, memory_mib)


def make_job(
    number: int = 1,
    chips: AnyOf | ExactMix | str = "h100",
    *,
    workers: int = 1,
    shape: WorkerShape | None = None,
    tenant: str = "alpha",
    priority: int = 0,
    retries: int = 0,
    submitted_at: datetime | None = None,
    wish: Wish = Wish.RUN,
    objecting_clusters: tuple[str, ...] = (),
) -> Job:
    request = AnyOf((chips,)) if isinstance(chips, str) else chips
    if isinstance(request, ExactMix):
        workers = sum(count for _, count in request.workers)
    spec = JobSpec(
        name="train",
        kind=JobKind.TRAINING,
        workers=workers,
        shape=shape or make_shape(),
        chips=request,
        program=CommandProgram(("true",)),
        retries=retries,
        priority=priority,
        objecting_clusters=objecting_clusters,
    )
    at = submitted_at or seconds_after_noon(number)
    return Job(f"job{number:013d}", tenant, spec, "someone", at, wish)


def make_group(job: Job, state: State = State.QUEUED, *, index: int = 0) -> Group:
    attempts = 1 if state in HOLDING else 0
    return Group(group_id(job.id, index), job.id, index, state, version=1 + attempts, attempts=attempts, failures=0)


def make_allocation(
    slots: tuple[int, ...], *, node: str = "mixed/n1", chip: str = "h100", rank: int = 0, cpu_milli: int = 1_000
) -> Allocation:
    return Allocation(rank, node, chip, slots, cpu_milli, 1_024)


def make_hold(attempt: str, *allocations: Allocation, tenant: str = "alpha") -> Hold:
    ranked = tuple(replace(allocation, rank=rank) for rank, allocation in enumerate(allocations))
    return Hold(attempt, tenant, ranked)


def make_ledger(*nodes: Node) -> Ledger:
    ledger = Ledger()
    for node in nodes:
        ledger.apply(PutNode(node))
    return ledger


def make_state(*nodes: Node, jobs: tuple[Job, ...] = (), quotas: tuple[Quota, ...] = ()) -> SchedulerState:
    """Return a state in which every job waits with one group."""
    return SchedulerState.from_parts(
        clusters=[Cluster(name, "local") for name in sorted({node.cluster for node in nodes})],
        nodes=nodes,
        quotas=quotas,
        jobs=jobs,
        groups=[make_group(job) for job in jobs],
        attempts=[],
    )


def place_first(state: SchedulerState, *, number: int = 1) -> SchedulerState:
    """Let the first waiting group have what a cycle decides for it, as its change in the feed."""
    placed = next(decision for decision in decide(state, NOON) if isinstance(decision, Placed))
    group = apply_event(state.groups[placed.group], Event.PLACE, rule=RetryRule(0), now=NOON)
    assert isinstance(group, Group)
    state.apply(as_change(GroupPlaced(group, placed.attempt, placed.allocations, placed.notes), number=number))
    return state


_LATER = count(1_000_000)


def as_change(body: ChangeBody, *, number: int | None = None) -> Change:
    """Return the change of a feed; without a number it comes after all that were made before."""
    return Change(next(_LATER) if number is None else number, NOON, None, None, body)


class World:
    """The truth as a database would keep it, beside the feed of how it came about."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.clusters: dict[str, Cluster] = {}
        self.nodes: dict[str, Node] = {}
        self.quotas: dict[tuple[str, str], Quota] = {}
        self.jobs: dict[str, Job] = {}
        self.groups: dict[str, Group] = {}
        self.attempts: dict[str, Attempt] = {}

    def present(self) -> SchedulerState:
        """Return the state built from what is true now, as a fresh process would."""
        living = {group.job_id for group in self.groups.values() if group.state not in FINAL}
        return SchedulerState.from_parts(
            clusters=list(self.clusters.values()),
            nodes=list(self.nodes.values()),
            quotas=list(self.quotas.values()),
            jobs=[job for job in self.jobs.values() if job.id in living],
            groups=[group for group in self.groups.values() if group.job_id in living],
            attempts=[attempt for attempt in self.attempts.values() if self._is_live(attempt)],
        )

    @property
    def now(self) -> datetime:
        """Later than every back-off that began before the last change."""
        return seconds_after_noon(2 * LONGEST_BACK_OFF_S * len(self.changes))

    def see_cluster(self, name: str) -> None:
        self.clusters[name] = Cluster(name, "local")
        self._tell(ClusterSeen(self.clusters[name]))

    def see_node(self, node: Node) -> None:
        self.nodes[node.id] = node
        self._tell(NodeSeen(node))

    def change_node(self, name: str, cluster: str, state: NodeState) -> None:
        node = self.nodes.get(node_id(cluster, name))
        if node is not None:
            self.see_node(replace(node, state=state))

    def set_quota(self, quota: Quota) -> None:
        self.quotas[quota.tenant, quota.chip] = quota
        self._tell(QuotaSet(quota))

    def lift_quota(self, tenant: str, chip: str) -> None:
        if self.quotas.pop((tenant, chip), None) is not None:
            self._tell(QuotaLifted(tenant, chip))

    def submit(self, job: Job) -> None:
        group = make_group(job)
        self.jobs[job.id] = job
        self.groups[group.id] = group
        self._tell(JobSubmitted(job, (group,)))

    def wish_stop(self, job_id: str) -> None:
        self.jobs[job_id] = replace(self.jobs[job_id], wish=Wish.STOP)
        self._tell(StopWished(job_id, "someone"))
        self.move(group_id(job_id, 0), Event.STOP, reason=StopReason.CANCELLED)

    def move(self, group_id: str, event: Event, *, reason: StopReason | None = None) -> None:
        """Let an event happen to a group, where the transition table lets it."""
        before = self.groups[group_id]
        rule = RetryRule(self.jobs[before.job_id].spec.retries)
        after = apply_event(before, event, reason=reason, rule=rule, now=self.now)
        if isinstance(after, Verdict) or event is Event.PLACE:
            return
        self.groups[group_id] = after
        self._tell(GroupMoved(after, after.latest_attempt if after.attempts else None))

    def decide(self) -> None:
        """Commit what a cycle places."""
        for decision in decide(self.present(), self.now):
            if isinstance(decision, Placed):
                self._place(decision)

    def _is_live(self, attempt: Attempt) -> bool:
        group = self.groups[attempt.group_id]
        return group.state in HOLDING and group.latest_attempt == attempt.id

    def _place(self, decision: Placed) -> None:
        group = apply_event(self.groups[decision.group], Event.PLACE, rule=RetryRule(0), now=NOON)
        assert isinstance(group, Group)
        self.groups[group.id] = group
        self.attempts[decision.attempt] = Attempt(
            id=decision.attempt,
            group_id=group.id,
            number=group.attempts,
            generation=FIRST_GENERATION,
            state=group.state,
            stop_reason=None,
            allocations=decision.allocations,
            notes=decision.notes,
            workers=(),
            placed_at=NOON,
        )
        self._tell(GroupPlaced(group, decision.attempt, decision.allocations, decision.notes))

    def _tell(self, body: ChangeBody) -> None:
        self.changes.append(as_change(body, number=len(self.changes) + 1))
