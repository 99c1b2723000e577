"""Everything deciding needs, in memory: built from parts once, then kept equal to the change feed."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import count, takewhile
from typing import Self

from scheduler.core.deciding.ordering.order import Order
from scheduler.core.deciding.parts.asked.expectations import Expectations
from scheduler.core.deciding.parts.asked.requests import Requests
from scheduler.core.deciding.parts.asked.speeds import Speeds
from scheduler.core.deciding.parts.asked.wishes import JobWish, as_wished
from scheduler.core.deciding.parts.fleet import Fleet
from scheduler.core.deciding.parts.live import LiveAttempt, LiveAttempts
from scheduler.core.deciding.parts.naming import as_known
from scheduler.core.deciding.parts.news import News
from scheduler.core.deciding.parts.promised import Promised
from scheduler.core.deciding.parts.sharing import Sharing, SharingChange
from scheduler.core.deciding.parts.tally import Tally
from scheduler.core.deciding.parts.waiters import Waiters
from scheduler.core.ledger.digest import digest_of
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.lifecycle.job_state import job_state
from scheduler.core.model.attempt import Attempt
from scheduler.core.model.change import (
    Change,
    CheckpointSaved,
    ChipDefined,
    ClusterSeen,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobRevised,
    JobSubmitted,
    NodeSeen,
    PriorityChanged,
    ProfilesChanged,
    ProgressReported,
    ReplicasWished,
    ResizeAdvanced,
    SpeedsChanged,
    StopWished,
    TenantCreated,
    WorkersNoted,
    WorkersWished,
)
from scheduler.core.model.chip import ChipType
from scheduler.core.model.group import FINAL, HOLDING, Group, State
from scheduler.core.model.identifiers import AttemptId, ChipName, ClusterName, GroupId, JobId, group_id
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster, Node
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.core.model.sharing.queue import NO_SHARES, Shares
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring, worth_of
from scheduler.core.queueing.dependencies import Dependents
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.policies.service import NOTHING_PAST, PastUse
from scheduler.core.queueing.run_times import RunTimes


class SchedulerState:
    """The jobs that are not final, what they hold, and the capacity they share.

    Its mappings are for reading; `apply` alone changes them. The ledger may be tried out on, if put back.
    """

    def __init__(self, scoring: Scoring = DEFAULT_SCORING) -> None:
        self.ledger = Ledger()
        self.placer = Placer(self.ledger, scoring.weights, worth_of(scoring, ()))
        """Seats gangs on the ledger."""
        self._live = LiveAttempts(self.ledger)
        self.sizes = self._live.sizes
        """The attempts of elastic jobs, by the sizes that they have and might have."""
        self.neighbours = self._live.neighbours
        """The attempts that hold something, by the labels of their jobs."""
        self.occupants = self._live.occupants
        """The attempts that hold something, by where they are."""
        self.losses = self._live.losses
        """Those of them that run on, by what would be lost with them."""
        self.overtakers: Mapping[AttemptId, datetime] = self._live.overtakers
        """Those of them that run on room that is kept for others, with when they are to be stopped for them."""
        self.members_holding = self._live.members_holding
        """Of arrays of which only so many may."""
        self.tally = Tally()
        """How much waits, and how many devices there are."""
        self._expectations = Expectations(self.placer, scoring)
        self.speeds = Speeds()
        """How fast families of jobs are, and what devices are worth to them."""
        self.requests = Requests(self.ledger, self.speeds)
        self._jobs: dict[JobId, Job] = {}
        self._groups: dict[GroupId, Group] = {}
        self.waiters = Waiters()
        """The queued groups."""
        self.news = News()
        """What came lately that they may have lacked."""
        self.fleet = Fleet(self.ledger, self.news, self.tally, self._expectations)
        """The capacity that the jobs share."""
        self.sharing = Sharing(self.ledger, self.tally, self.news)
        """What the queues that jobs wait in are due, and may have."""
        self.run_times = RunTimes()
        """How long jobs ran that succeeded."""
        self.promised = Promised()
        """The room that is kept for groups."""
        self.order = Order(self.ledger, self.sharing, self.tally, self.run_times)
        """Who of those that wait comes before whom."""
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
        jobs: Iterable[Job],
        groups: Iterable[Group],
        attempts: Iterable[Attempt],
        chips: Iterable[ChipType] = (),
        shares: Shares = NO_SHARES,
        scoring: Scoring = DEFAULT_SCORING,
    ) -> Self:
        """Build the state of one moment.

        `jobs` have at least one group that is not final, `groups` are all groups of these jobs, `attempts` are the
        latest of every group that holds devices, and `nodes` include all that these are on. `chips` are the catalogue.
        A queue of a job that is not among `shares` is taken to be its tenant's own.
        """
        state = cls(scoring)
        state.fleet.define(*chips)
        state.speeds.begin(state.chips.values(), shares.speeds, shares.layers)
        state.sharing.value(state.speeds.rates)
        state.fleet.begin(clusters, nodes)
        state._expectations.begin()
        state._jobs = {job.id: job for job in jobs}
        state.sharing.begin(shares, state._jobs.values())
        state.dependents.add(*state._jobs.values())
        state._expectations.learn(*state._jobs.values())
        state._groups = {group.id: group for group in map(state._named, groups)}
        waiting = [group for group in state._groups.values() if group.state is State.QUEUED]
        for group in sorted(waiting, key=lambda group: group.id):
            state._wait(group, since=state._jobs[group.job_id].submitted_at)
        for attempt in attempts:
            state._hold(LiveAttempt.of(attempt, group := state._groups[attempt.group_id], state._jobs[group.job_id]))
        for name in state.ledger.nodes_gone():
            state.fleet.forget_if_gone(name)
        return state

    def reorder(self, ordering: Ordering, past: PastUse = NOTHING_PAST) -> None:
        """Let those that wait come in another order from now on, with what was held before the state was made."""
        if ordering == self.order.ordering and past == NOTHING_PAST:
            return
        self.order.choose(ordering, past)
        self._sort()

    def reach(self, at: datetime) -> None:
        """Let those that wait stand where they do at a moment, where that changes as time passes."""
        if self.order.is_stale(at):
            asks_otherwise = self.order.step(self, at)
            self._sort()
            self._join_anew(lambda job: job.id in asks_otherwise)

    def _sort(self) -> None:
        for group in self.waiting.values():
            self.waiters.move(group.id, self.order.key(self._jobs[group.job_id], group))

    @property
    def clusters(self) -> Mapping[ClusterName, Cluster]:
        """All registered clusters, also those that reported no nodes yet."""
        return self.fleet.clusters

    @property
    def chips(self) -> Mapping[ChipName, ChipType]:
        """The chip catalogue."""
        return self.fleet.chips

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
        return self.waiters.by_id

    @property
    def live(self) -> Mapping[AttemptId, LiveAttempt]:
        """The attempts that hold devices."""
        return self._live.by_id

    def request(self, name: JobId) -> GangRequest:
        """Return what a job asks of placement; jobs that ask for the same have the same one."""
        return self.requests.of(self._jobs[name])

    def apply(self, change: Change) -> None:
        """Follow one change of the feed. Changes come in order; one that came before has no effect again."""
        if change.number <= self._applied:
            return
        self.news.follow(change, self.promised)
        self.reach(change.at)
        self._follow(change)
        self.promised.follow(change.body)
        self._applied = change.number

    def _follow(self, change: Change) -> None:
        match change.body:
            case JobSubmitted(job, groups):
                self._submit(job, groups)
            case StopWished() | ReplicasWished() | JobRevised() | PriorityChanged() | WorkersWished() as wished:
                self._wish(wished, change.at)
            case GroupPlaced() as placed:
                self._place(placed, change.at)
            case GroupMoved(group=group, eviction=eviction):
                self._move(group, change.at, eviction)
            case GroupResized() | ResizeAdvanced() as resized:
                self._resize(resized, change.at)
            case CheckpointSaved(attempt, checkpoint):
                self._live.keep_checkpoint(attempt, checkpoint)
            case said if isinstance(said, SharingChange):
                self._share(said)
            case ClusterSeen() | NodeSeen() | ChipDefined() | SpeedsChanged() | ProfilesChanged() as seen:
                self._see(seen)
            case WorkersNoted() | ProgressReported() | TenantCreated():
                pass  # Nothing is decided on these.

    def digest(self) -> str:
        """Return the SHA-256, in hex, of all that matters; equal for equal states, however they came about."""
        return digest_of(
            [
                self.ledger.digest(),
                *(self.clusters[name] for name in sorted(self.clusters)),
                *(self.chips[name] for name in sorted(self.chips)),
                *self.sharing.content(),
                *self.speeds.content(),
                *(self._jobs[name] for name in sorted(self._jobs)),
                *(self._groups[name] for name in sorted(self._groups)),
                *(self.live[name].content for name in sorted(self.live)),
                *self.dependents.arrays.ended(),
                *(self.promised[name] for name in sorted(self.promised)),
            ]
        )

    def _submit(self, job: Job, groups: tuple[Group, ...]) -> None:
        if job.id in self._jobs:
            return
        self._jobs[job.id] = job
        self.sharing.know(job)
        self.dependents.add(job)
        self._expectations.learn(job)
        for group in groups:
            self._put_group(self._named(group), since=job.submitted_at)
        self.requests.reasons_why_never(self.request(job.id))  # now, so that no decision waits for it

    def _wish(self, wished: JobWish, at: datetime) -> None:
        if (job := self._jobs.get(wished.job)) is None:
            return
        self._put_job(as_wished(job, wished))
        for group in wished.groups if isinstance(wished, ReplicasWished) else ():
            if group.id not in self._groups:
                self._put_group(self._named(group), since=at)

    def _put_job(self, job: Job) -> None:
        self._jobs[job.id] = job
        self.requests.forget(job.id)
        for name in self._groups_of(job.id):
            group = self._groups[name]
            self._live.put_job(group.latest_attempt, job)
            if group.state is State.QUEUED:
                self._join(group)

    def _place(self, placed: GroupPlaced, at: datetime) -> None:
        if self._is_news(placed.group):
            group = self._named(placed.group)
            self._hold(LiveAttempt.begun(placed, group, self._jobs[group.job_id], at))
            self._put_group(group, since=at)

    def _move(self, group: Group, at: datetime, eviction: Eviction | None) -> None:
        if not self._is_news(group):
            return
        group = self._named(group)
        live = self.live.get(group.latest_attempt)
        if live is not None and group.state not in HOLDING:
            self.order.serve(live, at)
        self._put_group(group, since=at)
        if live is not None and group.state is State.SUCCEEDED and live.group.state is State.RUNNING:
            self.run_times.note(live.job, (at - live.since).total_seconds())
        if live is not None and group.state in HOLDING:
            self._live.put_group(live, group, at, eviction)
        elif live is not None:
            self._release(live, at)
        if all(self._groups[name].state in FINAL for name in self._groups_of(group.job_id)):
            self._forget_job(group.job_id)

    def _resize(self, resized: GroupResized | ResizeAdvanced, at: datetime) -> None:
        live = self.live.get(resized.attempt)
        if live is None:
            return
        if isinstance(resized, ResizeAdvanced):
            after = live.advanced(resized.step, resized.generation)
        elif self._is_news(resized.group):
            group = self._named(resized.group)
            self._put_group(group, since=at)
            after = live.resized(resized.allocations, resized.generation, at, resized.given_to)
            after.group = group
        else:
            return
        self._live.put(after)
        self.order.note(live, at)
        if len(after.held) < len(live.held):
            self._tell_of_room(live)

    def _is_news(self, group: Group) -> bool:
        known = self._groups.get(group.id)
        return known is not None and known.version < group.version

    def _put_group(self, group: Group, *, since: datetime) -> None:
        """Take over a group; `since` is when it came into its state."""
        self._groups[group.id] = group
        if group.state is State.QUEUED:
            self._wait(group, since=since)
            return
        self.requests.forget(group.job_id)
        if group.id in self.waiters.by_id:
            self.waiters.remove(group.id)
            self.tally.leave(self._jobs[group.job_id], group)

    def _wait(self, group: Group, *, since: datetime) -> None:
        if group.id not in self.waiters.by_id:
            self.tally.wait(self._jobs[group.job_id], group, since)
        self._join(group)

    def _join(self, group: Group) -> None:
        """Let a group be among those that ask for the same as its job does now."""
        job = self._jobs[group.job_id]
        by_user, key = self.sharing.limits_users(job.queue), self.order.key(job, group)
        self.news.hopeful(self.waiters.put(group, job, self.request(job.id), key, by_user=by_user))

    def _share(self, said: SharingChange) -> None:
        """Follow a change of the queues; where other users are limited than before, whoever waits joins others."""
        if self.sharing.see(said):
            self._join_anew(lambda _: True)

    def _see(self, seen: ClusterSeen | NodeSeen | ChipDefined | SpeedsChanged | ProfilesChanged) -> None:
        """Follow what there is and what it is worth: who waits asks for so much of COMPUTE, and who runs stays."""
        if not isinstance(seen, SpeedsChanged | ProfilesChanged):
            self.fleet.see(seen)
        if (concerns := self.speeds.see(seen)) is not None:
            self.sharing.value(self.speeds.rates)
            self._join_anew(concerns)

    def _join_anew(self, concerns: Callable[[Job], bool]) -> None:
        for group in sorted(self.waiting.values(), key=lambda group: group.id):
            if concerns(self._jobs[group.job_id]):
                self._join(group)

    def _named(self, group: Group) -> Group:
        """Return an equal group, named by the very strings by which it and its job are known already."""
        return as_known(group, self._groups.get(group.id, group), self._jobs[group.job_id])

    def _hold(self, live: LiveAttempt) -> None:
        self._live.hold(live)
        self.order.note(live, live.held_since)

    def _release(self, live: LiveAttempt, at: datetime) -> None:
        self._live.release(live)
        self.order.note(live, at)
        self._tell_of_room(live)

    def _tell_of_room(self, before: LiveAttempt) -> None:
        """Note that there is more room where an attempt held something before."""
        self.news.freed(before.job, self.sharing.book.path(before.job.queue))
        for kind in dict.fromkeys(self.ledger.kind_of(allocation.node) for allocation in before.held):
            self.news.roomier(kind)
        for allocation in before.held:
            self.fleet.forget_if_gone(allocation.node)

    def _forget_job(self, name: JobId) -> None:
        self.order.service.forget(groups := list(self._groups_of(name)))
        states = [self._groups.pop(group).state for group in groups]
        job = self._jobs.pop(name)
        self._expectations.forget(job)
        for ended, became, waiting in self.dependents.end(job, job_state(states)):
            for one in waiting:
                self._jobs[one] = self._jobs[one].with_settled(ended, job_state(became))
                for group in self._groups_of(one):
                    self.news.hopeful(self.waiters.classes.of(group))

    def _groups_of(self, name: JobId) -> Iterator[GroupId]:
        """Yield all groups of a job: they are named by it and counted."""
        return takewhile(self._groups.__contains__, (group_id(name, index) for index in count()))
