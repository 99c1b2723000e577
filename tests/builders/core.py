"""Values of the decision core with defaults, and a small world that tells its history and its present."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold, Overcommitted, PutCluster, PutNode
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.ledger.states.node_kind import Tier
from scheduler.core.ledger.trial import Trial
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.lifecycle.transitions import LONGEST_BACK_OFF_S, RetryRule, Verdict, apply_event
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, Attempt
from scheduler.core.model.change import (
    Change,
    ChangeBody,
    ChipGroupSet,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
    ReservationDropped,
    ReservationMade,
    StopWished,
)
from scheduler.core.model.chip import ChipType
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import FINAL, HOLDING, Group, State, StopReason
from scheduler.core.model.identifiers import group_id, node_id
from scheduler.core.model.job import (
    Alternative,
    AnyOf,
    ArrayMember,
    Choice,
    CommandProgram,
    Dependency,
    ExactMix,
    Job,
    JobKind,
    JobSpec,
    Wish,
    WorkerRole,
)
from scheduler.core.model.node import NO_FOREIGN_USE, Cluster, DeviceGroup, ForeignUse, Node, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueQuota, Shares
from scheduler.core.model.topology import ANYWHERE_CLOSE, RACK, Apart, Closeness, Spread, Topology
from scheduler.core.model.waiting.promise import DropReason, NodeRoom, Promise
from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING, Ordering
from tests.oracle.decisions import decide

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BIG_CPU_MILLI = 256_000
BIG_MEMORY_MIB = 2_048_000
DEVICE_MEMORY_MIB = 81_920


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
    topology: tuple[tuple[str, str], ...] | None = None,
    labels: tuple[tuple[str, str], ...] = (),
    tenant: str | None = None,
    foreign: ForeignUse = NO_FOREIGN_USE,
    device_memory_mib: int = DEVICE_MEMORY_MIB,
) -> Node:
    """Return a node; `topology` are its domains from the smallest up, `rack` is short for a single one."""
    counts = {"h100": 8} if devices is None else devices
    domains = topology if topology is not None else ((RACK, rack),) if rack else ()
    return Node(
        cluster=cluster,
        name=name,
        devices=tuple(DeviceGroup(chip, count, device_memory_mib) for chip, count in counts.items()),
        cpu_milli=cpu_milli,
        memory_mib=memory_mib,
        pods=pods,
        topology=Topology(domains),
        labels=labels,
        state=state,
        tenant=tenant,
        foreign=foreign,
    )


def make_shape(
    devices: int = 1,
    *,
    cpu_milli: int = 1_000,
    memory_mib: int = 1_024,
    share_milli: int = 0,
    share_memory_mib: int = 0,
) -> WorkerShape:
    """Return a shape; one with a share has no whole devices."""
    return WorkerShape(0 if share_milli else devices, cpu_milli, memory_mib, share_milli, share_memory_mib)


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
    labels: tuple[tuple[str, str], ...] = (),
    choice: Choice = Choice.ORDERED,
    alternatives: tuple[Alternative, ...] = (),
    roles: tuple[WorkerRole, ...] = (),
    closeness: Closeness = ANYWHERE_CLOSE,
    spread: Spread | None = None,
    apart: Apart | None = None,
    exclusive: bool = False,
    node_labels: tuple[tuple[str, str], ...] = (),
    after: tuple[Dependency, ...] = (),
    array: ArrayMember | None = None,
    queue: str | None = None,
    user: str = "someone",
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
        labels=labels,
        choice=choice,
        alternatives=alternatives,
        roles=roles,
        closeness=closeness,
        spread=spread,
        apart=apart,
        exclusive=exclusive,
        node_labels=node_labels,
        after=after,
        array=array,
        queue=queue,
    )
    at = submitted_at or seconds_after_noon(number)
    return Job(f"job{number:013d}", tenant, spec, user, at, wish)


def make_group(job: Job, state: State = State.QUEUED, *, index: int = 0) -> Group:
    attempts = 1 if state in HOLDING else 0
    return Group(group_id(job.id, index), job.id, index, state, version=1 + attempts, attempts=attempts, failures=0)


def make_allocation(
    slots: tuple[int, ...] = (),
    *,
    node: str = "mixed/n1",
    chip: str | None = "h100",
    rank: int = 0,
    cpu_milli: int = 1_000,
    memory_mib: int = 1_024,
    counted: int = 0,
    share_milli: int = 0,
    share_memory_mib: int = 0,
    pods: int = 1,
) -> Allocation:
    return Allocation(
        rank=rank,
        node=node,
        chip=chip,
        slots=slots,
        cpu_milli=cpu_milli,
        memory_mib=memory_mib,
        counted=counted,
        share_milli=share_milli,
        share_memory_mib=share_memory_mib,
        pods=pods,
    )


def make_share(slot: int, share_milli: int, share_memory_mib: int = 0, *, node: str = "mixed/n1") -> Allocation:
    """Return what a worker holds that has a share of one h100 and little else."""
    return make_allocation((slot,), node=node, share_milli=share_milli, share_memory_mib=share_memory_mib)


def make_hold(attempt: str, *allocations: Allocation, tenant: str = "alpha") -> Hold:
    ranked = tuple(replace(allocation, rank=rank) for rank, allocation in enumerate(allocations))
    return Hold(attempt, tenant, ranked)


def make_ledger(*nodes: Node, clusters: tuple[Cluster, ...] = ()) -> Ledger:
    ledger = Ledger()
    for cluster in clusters:
        ledger.apply(PutCluster(cluster))
    for node in nodes:
        ledger.apply(PutNode(node))
    return ledger


def room_for(ledger: Ledger, demand: Demand, *, cluster: str = "mixed", tier: Tier = (None, False)) -> int:
    """Return how many workers fit on a tier of a cluster's nodes now; 0 where there are no such nodes."""
    pool = ledger.inventory.pools.get((cluster, demand.chip), {}).get(tier)
    return 0 if pool is None else pool.room(ledger.inventory.fit(demand)).total


def devices_free(ledger: Ledger, chip: str = "h100", *, cluster: str = "mixed", tier: Tier = (None, False)) -> int:
    """Return the whole devices that workers could still get which ask for a device and nothing else."""
    return room_for(ledger, demand_of(chip, WorkerShape(1, 0, 0)), cluster=cluster, tier=tier)


def can_hold(ledger: Ledger, *allocations: Allocation, tenant: str = "alpha") -> bool:
    """Say whether an attempt more could hold this now; the ledger is afterwards as it was."""
    try:
        with Trial(ledger) as trial:
            trial.apply(make_hold("one-more", *allocations, tenant=tenant))
    except Overcommitted:
        return False
    return True


def slots_free(ledger: Ledger, node: str = "mixed/n1", chip: str = "h100", *, tenant: str = "alpha") -> list[int]:
    """Return the slots of a node each of which somebody could still hold as a whole device."""
    return [
        slot
        for slot in ledger.node(node).slots(chip)
        if can_hold(ledger, make_allocation((slot,), node=node, chip=chip, cpu_milli=0, memory_mib=0), tenant=tenant)
    ]


def make_state(
    *nodes: Node,
    jobs: tuple[Job, ...] = (),
    quotas: tuple[QueueQuota, ...] = (),
    queues: tuple[Queue, ...] = (),
    chip_groups: tuple[ChipGroup, ...] = (),
    chips: tuple[ChipType, ...] = (),
    clusters: tuple[Cluster, ...] | None = None,
    ordering: Ordering = DEFAULT_ORDERING,
) -> SchedulerState:
    """Return a state in which every job waits with one group; without `clusters` those of the nodes are local."""
    local = tuple(Cluster(name, "local") for name in sorted({node.cluster for node in nodes}))
    state = SchedulerState.from_parts(
        clusters=local if clusters is None else clusters,
        nodes=nodes,
        shares=Shares(queues, quotas, chip_groups),
        chips=chips,
        jobs=jobs,
        groups=[make_group(job) for job in jobs],
        attempts=[],
    )
    state.reorder(ordering)
    return state


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
        self.quotas: dict[tuple[str, str], QueueQuota] = {}
        self.queues: dict[str, Queue] = {}
        self.chip_groups: dict[str, ChipGroup] = {}
        self.jobs: dict[str, Job] = {}
        self.groups: dict[str, Group] = {}
        self.attempts: dict[str, Attempt] = {}
        self.promises: dict[str, Promise] = {}

    def present(self) -> SchedulerState:
        """Return the state built from what is true now, as a fresh process would."""
        living = {group.job_id for group in self.groups.values() if group.state not in FINAL}
        state = SchedulerState.from_parts(
            clusters=list(self.clusters.values()),
            nodes=list(self.nodes.values()),
            shares=Shares(
                queues=tuple(self.queues.values()),
                quotas=tuple(self.quotas.values()),
                chip_groups=tuple(self.chip_groups.values()),
            ),
            jobs=[job for job in self.jobs.values() if job.id in living],
            groups=[group for group in self.groups.values() if group.job_id in living],
            attempts=[attempt for attempt in self.attempts.values() if self._is_live(attempt)],
        )
        state.promised.update(self.promises)
        state.dependents.arrays.recall(self._ended_in_arrays())
        return state

    def _ended_in_arrays(self) -> list[tuple[str, set[State]]]:
        arrays = {job.spec.array.array for job in self.jobs.values() if job.spec.array is not None}
        states = [(array, self._states(array)) for array in arrays]
        return [(array, found & FINAL) for array, found in states if found & FINAL and found - FINAL]

    def _states(self, name: str) -> set[State]:
        """Return what a job is, or what the jobs of an array are."""
        return {
            self.groups[group_id(job.id, 0)].state
            for job in self.jobs.values()
            if job.id == name or (job.spec.array is not None and job.spec.array.array == name)
        }

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

    def set_quota(self, quota: QueueQuota) -> None:
        self.quotas[quota.queue, quota.resource] = quota
        self._tell(QueueQuotaSet(quota))

    def set_queue(self, queue: Queue) -> None:
        self.queues[queue.name] = queue
        self._tell(QueueSet(queue))

    def remove_queue(self, name: str) -> None:
        """Remove a queue that nobody uses."""
        del self.queues[name]
        self.quotas = {key: quota for key, quota in self.quotas.items() if key[0] != name}
        self._tell(QueueRemoved(name))

    def set_chip_group(self, group: ChipGroup) -> None:
        self.chip_groups[group.name] = group
        self._tell(ChipGroupSet(group))

    def lift_quota(self, tenant: str, chip: str) -> None:
        if self.quotas.pop((tenant, chip), None) is not None:
            self._tell(QueueQuotaLifted(tenant, chip))

    def promise(self, group: str, *nodes: str) -> None:
        """Keep room for a group in place of what was, or none where no nodes are named."""
        if not nodes:
            if self.promises.pop(group, None) is not None:
                self._tell(ReservationDropped(group, DropReason.NOT_NEEDED))
            return
        room = tuple(NodeRoom(node, (("h100", 1),), pods=1) for node in nodes)
        self.promises[group] = Promise(group, self.now, None, room)
        self._tell(ReservationMade(self.promises[group]))

    def submit(self, job: Job) -> None:
        job = self._settled(job)
        group = make_group(job)
        self.jobs[job.id] = job
        self.groups[group.id] = group
        self._tell(JobSubmitted(job, (group,)))

    def wish_stop(self, job_id: str) -> None:
        self.jobs[job_id] = replace(self.jobs[job_id], wish=Wish.STOP)
        self._tell(StopWished(job_id, "someone"))
        self.move(group_id(job_id, 0), Event.STOP, reason=StopReason.CANCELLED)

    def set_priority(self, job_id: str, priority: int) -> None:
        self.jobs[job_id] = self.jobs[job_id].with_priority(priority)
        self._tell(PriorityChanged(job_id, priority, "someone"))

    def move(self, group_id: str, event: Event, *, reason: StopReason | None = None) -> None:
        """Let an event happen to a group, where the transition table lets it."""
        before = self.groups[group_id]
        rule = RetryRule(self.jobs[before.job_id].spec.retries)
        after = apply_event(before, event, reason=reason, rule=rule, now=self.now)
        if isinstance(after, Verdict) or event is Event.PLACE:
            return
        self.groups[group_id] = after
        self._tell(GroupMoved(after, after.latest_attempt if after.attempts else None))
        if after.state in FINAL:
            self.jobs = {name: self._settled(job) for name, job in self.jobs.items()}

    def _settled(self, job: Job) -> Job:
        """Return a job with what became of those that it comes after."""
        for one in job.spec.after:
            if (states := self._states(one.job)) and states <= FINAL:
                job = job.with_settled(one.job, job_state(states))
        return job

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
