"""Everything deciding needs, in memory: built from parts once, then kept equal to the change feed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count, takewhile
from typing import Self

from scheduler.core.deciding.live import LiveAttempt, LiveAttempts
from scheduler.core.deciding.requests import Requests
from scheduler.core.deciding.tally import Tally
from scheduler.core.deciding.wishes import JobWish, as_wished
from scheduler.core.ledger.changes import PutCluster, PutNode, RemoveNode
from scheduler.core.ledger.digest import digest_of
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.model.attempt import FIRST_GENERATION, Allocation, Attempt
from scheduler.core.model.change import (
    Change,
    CheckpointSaved,
    ChipDefined,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProgressReported,
    QuotaLifted,
    QuotaSet,
    ReplicasWished,
    StopWished,
    TenantCreated,
    WorkersNoted,
)
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import FINAL, HOLDING, Group, State
from scheduler.core.model.identifiers import (
    AttemptId,
    ChipName,
    ClusterName,
    GroupId,
    JobId,
    NodeId,
    TenantName,
    group_id,
)
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster, Node, NodeState
from scheduler.core.model.reason import Reason
from scheduler.core.model.tenant import Quota
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring, worth_of
from scheduler.core.placement.scoring.job_mix import LearntMix, worker_kinds
from scheduler.core.queueing.dependencies import Dependents


class SchedulerState:
    """The jobs that are not final, what they hold, and the capacity they share.

    Its mappings are for reading; `apply` alone changes them. The ledger may be tried out on, if put back.
    """

    def __init__(self, scoring: Scoring = DEFAULT_SCORING) -> None:
        self.ledger = Ledger()
        self.placer = Placer(self.ledger, scoring.weights, worth_of(scoring, ()))
        """Seats gangs on the ledger."""
        self._live = LiveAttempts(self.ledger)
        self.neighbours = self._live.neighbours
        """The attempts that hold something, by the labels of their jobs."""
        self.members_holding = self._live.members_holding
        """Of arrays of which only so many may."""
        self.tally = Tally()
        """How much waits, and how many devices there are."""
        self._scoring = scoring
        self._mix = LearntMix()
        self._requests = Requests(self.ledger)
        self._clusters: dict[ClusterName, Cluster] = {}
        self._chips: dict[ChipName, ChipType] = {}
        self._quotas: dict[tuple[TenantName, ChipName], int] = {}
        self._jobs: dict[JobId, Job] = {}
        self._groups: dict[GroupId, Group] = {}
        self._waiting: dict[GroupId, Group] = {}
        self.dependents = Dependents()
        """Who waits for whom, and how far the arrays are."""
        self._applied = 0
        """The number of the latest change that was applied."""

    @classmethod
    def from_parts(
        cls,
        *,
        clusters: Iterable[Cluster],
        nodes: Iterable[Node],
        quotas: Iterable[Quota],
        jobs: Iterable[Job],
        groups: Iterable[Group],
        attempts: Iterable[Attempt],
        chips: Iterable[ChipType] = (),
        scoring: Scoring = DEFAULT_SCORING,
    ) -> Self:
        """Build the state of one moment.

        `jobs` have at least one group that is not final, `groups` are all groups of these jobs, `attempts` are the
        latest of every group that holds devices, and `nodes` include all that these are on. `chips` are the catalogue.
        """
        state = cls(scoring)
        state._define(*chips)
        for cluster in clusters:
            state._put_cluster(cluster)
        state._quotas = {(quota.tenant, quota.chip): quota.devices for quota in quotas}
        state.ledger.add_nodes(state._counted(nodes))
        if scoring.job_mix is not None:
            state.placer.expect(scoring.job_mix)
        state._jobs = {job.id: job for job in jobs}
        state.dependents.add(*state._jobs.values())
        state._learn(*state._jobs.values())
        state._groups = {group.id: group for group in map(state._named, groups)}
        state._waiting = {name: group for name, group in state._groups.items() if group.state is State.QUEUED}
        for group in sorted(state._waiting.values(), key=lambda group: group.id):
            job = state._jobs[group.job_id]
            state.tally.wait(job, group, job.submitted_at)
        for attempt in attempts:
            state._hold(state._groups[attempt.group_id], attempt.id, attempt.generation, attempt.allocations)
            state._live.keep_checkpoint(attempt.id, attempt.checkpoint)
        for name in state.ledger.nodes_gone():
            state._forget_if_gone(name)
        return state

    def recall(self, ended_in_arrays: Iterable[tuple[JobId, Iterable[State]]]) -> None:
        """Take in what the final jobs became, of those arrays that jobs are left of; before the first change."""
        self.dependents.arrays.recall(ended_in_arrays)

    @property
    def clusters(self) -> Mapping[ClusterName, Cluster]:
        """All registered clusters, also those that reported no nodes yet."""
        return self._clusters

    @property
    def chips(self) -> Mapping[ChipName, ChipType]:
        """The chip catalogue."""
        return self._chips

    @property
    def has_all_nodes(self) -> bool:
        """Whether every cluster declares its nodes and has done so: what they cannot hold, no cluster will by itself.

        False where a cluster without nodes is registered: it may be about to report them.
        """
        present = self.ledger.clusters()
        return all(name in self._clusters for name in present) and all(
            cluster.declares_its_nodes and name in present for name, cluster in self._clusters.items()
        )

    @property
    def quotas(self) -> Mapping[tuple[TenantName, ChipName], int]:
        """The most devices per tenant and chip type; no entry is no limit."""
        return self._quotas

    @property
    def jobs(self) -> Mapping[JobId, Job]:
        """Jobs with a group that is not final."""
        return self._jobs

    @property
    def groups(self) -> Mapping[GroupId, Group]:
        """All groups of these jobs, final ones too."""
        return self._groups

    @property
    def waiting(self) -> Mapping[GroupId, Group]:
        """The queued groups, in no order that means anything."""
        return self._waiting

    @property
    def live(self) -> Mapping[AttemptId, LiveAttempt]:
        """The attempts that hold devices."""
        return self._live.by_id

    def request(self, name: JobId) -> GangRequest:
        """Return what a job asks of placement; jobs that ask for the same have the same one."""
        return self._requests.of(self._jobs[name])

    def reasons_why_never(self, request: GangRequest) -> tuple[Reason, ...]:
        """Return why no option would fit anywhere, if nothing ran and no node refused work; none where one would."""
        return self._requests.reasons_why_never(request)

    def apply(self, change: Change) -> None:
        """Follow one change of the feed. Changes come in order; one that came before has no effect again."""
        if change.number <= self._applied:
            return
        self._follow(change)
        self._applied = change.number

    def _follow(self, change: Change) -> None:
        match change.body:
            case JobSubmitted(job, groups):
                self._submit(job, groups)
            case StopWished() | ReplicasWished() | JobRevised() | PriorityChanged() as wished:
                self._wish(wished, change.at)
            case GroupPlaced() as placed:
                self._place(placed, change.at)
            case GroupMoved(group=group):
                self._move(group, change.at)
            case CheckpointSaved(attempt, checkpoint):
                self._live.keep_checkpoint(attempt, checkpoint)
            case QuotaSet(quota):
                self._quotas[quota.tenant, quota.chip] = quota.devices
            case QuotaLifted(tenant, chip):
                self._quotas.pop((tenant, chip), None)
            case ClusterSeen() | NodeSeen() | ChipDefined() as seen:
                self._see(seen)
            case WorkersNoted() | ProgressReported() | TenantCreated():
                pass  # Nothing is decided on these.

    def _see(self, seen: ClusterSeen | NodeSeen | ChipDefined) -> None:
        match seen:
            case ClusterSeen(cluster):
                self._put_cluster(cluster)
            case NodeSeen(node):
                self._put_node(node)
                self._forget_if_gone(node.id)
            case ChipDefined(chip):
                self._define(chip)

    def digest(self) -> str:
        """Return the SHA-256, in hex, of all that matters; equal for equal states, however they came about."""
        return digest_of(
            [
                self.ledger.digest(),
                *(self._clusters[name] for name in sorted(self._clusters)),
                *(self._chips[name] for name in sorted(self._chips)),
                *((*key, self._quotas[key]) for key in sorted(self._quotas)),
                *(self._jobs[name] for name in sorted(self._jobs)),
                *(self._groups[name] for name in sorted(self._groups)),
                *(self.live[name] for name in sorted(self.live)),
                *self.dependents.arrays.ended(),
            ]
        )

    def _put_cluster(self, cluster: Cluster) -> None:
        self._clusters[cluster.name] = cluster
        self.ledger.apply(PutCluster(cluster))

    def _put_node(self, node: Node) -> None:
        self.tally.put_node(self.ledger.node(node.id) if self.ledger.has_node(node.id) else None, node)
        self.ledger.apply(PutNode(node))

    def _counted(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """Yield new nodes, each counted by the tally: one after the other, for they may be read as they are taken."""
        for node in nodes:
            self.tally.put_node(None, node)
            yield node

    def _define(self, *chips: ChipType) -> None:
        self._chips.update((chip.name, chip) for chip in chips)
        self.placer.worth = worth_of(self._scoring, self._chips.values())

    def _submit(self, job: Job, groups: tuple[Group, ...]) -> None:
        if job.id in self._jobs:
            return
        self._jobs[job.id] = job
        self.dependents.add(job)
        self._learn(job)
        for group in groups:
            self._put_group(self._named(group), since=job.submitted_at)
        self.reasons_why_never(self.request(job.id))  # worked out now, so that the decision need not wait for it

    def _learn(self, *jobs: Job) -> None:
        """Let jobs be among those that are expected to come again, unless an operator said what to expect.

        Either way scores follow the nodes that there are by then, ever more seldom.
        """
        specs = Counter([job.spec for job in jobs])
        kinds = ((kind, workers * times) for spec, times in specs.items() for kind, workers in worker_kinds(spec))
        if self._mix.see(kinds):
            self.placer.expect(self._scoring.job_mix or self._mix.mix)

    def _wish(self, wished: JobWish, at: datetime) -> None:
        job = self._jobs.get(wished.job)
        if job is None:
            return
        self._put_job(as_wished(job, wished))
        for group in wished.groups if isinstance(wished, ReplicasWished) else ():
            if group.id not in self._groups:
                self._put_group(self._named(group), since=at)

    def _put_job(self, job: Job) -> None:
        self._jobs[job.id] = job
        for name in self._groups_of(job.id):
            self._live.put_job(self._groups[name].latest_attempt, job)

    def _place(self, placed: GroupPlaced, at: datetime) -> None:
        if self._is_news(placed.group):
            group = self._named(placed.group)
            self._hold(group, placed.attempt, FIRST_GENERATION, placed.allocations)
            self._put_group(group, since=at)

    def _move(self, group: Group, at: datetime) -> None:
        if not self._is_news(group):
            return
        group = self._named(group)
        self._put_group(group, since=at)
        live = self.live.get(group.latest_attempt)
        if live is not None and group.state in HOLDING:
            self._live.put_group(live, group)
        elif live is not None:
            self._release(live)
        if all(self._groups[name].state in FINAL for name in self._groups_of(group.job_id)):
            self._forget_job(group.job_id)

    def _is_news(self, group: Group) -> bool:
        known = self._groups.get(group.id)
        return known is not None and known.version < group.version

    def _put_group(self, group: Group, *, since: datetime) -> None:
        """Take over a group; `since` is when it came into its state."""
        name = group.id
        self._groups[name] = group
        is_new = name not in self._waiting
        if group.state is State.QUEUED:
            self._waiting[name] = group
            if is_new:
                self.tally.wait(self._jobs[group.job_id], group, since)
            return
        self._requests.forget(group.job_id)
        if not is_new:
            del self._waiting[name]
            self.tally.leave(self._jobs[group.job_id], group)

    def _named(self, group: Group) -> Group:
        """Return an equal group, named by the very strings by which it and its job are known already.

        Names are the larger part of what is kept of a small job, and one is read as often as it is referred to.
        """
        known, job = self._groups.get(group.id, group), self._jobs[group.job_id]
        if group.id is known.id and group.job_id is job.id:
            return group
        return replace(group, id=known.id, job_id=job.id)

    def _hold(self, group: Group, attempt: AttemptId, generation: int, allocations: tuple[Allocation, ...]) -> None:
        self._live.hold(group, self._jobs[group.job_id], attempt, generation, allocations)

    def _release(self, live: LiveAttempt) -> None:
        self._live.release(live)
        for allocation in live.allocations:
            self._forget_if_gone(allocation.node)

    def _forget_job(self, name: JobId) -> None:
        states = [self._groups.pop(group).state for group in list(self._groups_of(name))]
        job = self._jobs.pop(name)
        self._mix.forget(worker_kinds(job.spec))
        for ended, became, waiting in self.dependents.end(job, job_state(states)):
            for one in waiting:
                self._jobs[one] = self._jobs[one].with_settled(ended, job_state(became))

    def _groups_of(self, name: JobId) -> Iterator[GroupId]:
        """Yield all groups of a job: they are named by it and counted."""
        names = (group_id(name, index) for index in count())
        return takewhile(self._groups.__contains__, names)

    def _forget_if_gone(self, node: NodeId) -> None:
        """Drop a node that left its cluster once nothing is held on it."""
        if not self.ledger.has_node(node) or self.ledger.is_held(node):
            return
        if self.ledger.node(node).state is NodeState.GONE:
            self.ledger.apply(RemoveNode(node))  # nothing to the tally: one that is GONE counts for nothing
