"""The core by itself: the changes of a feed are made here, numbered as a database would, and decided on at once.

Nothing is written, no cluster is asked: what the reconciler would report of each worker is known beforehand. It steps
as the services do: first all reports of a moment, then passes until one finds nothing new, then starts, and again.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from heapq import heappop, heappush

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, Verdict, apply_event
from scheduler.core.model.attempt import ResizeStep
from scheduler.core.model.change import (
    Change,
    ChangeBody,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobSubmitted,
    NodeSeen,
    ReservationDropped,
    ReservationMade,
    ResizeAdvanced,
)
from scheduler.core.model.decision import Effect, Evicted, Placed, Resized
from scheduler.core.model.group import FINAL, Group, State, StopReason, first_group
from scheduler.core.model.identifiers import AttemptId, TenantName, job_named_by
from scheduler.core.model.job import Job
from scheduler.core.model.node import LOCAL_KIND, Cluster, Node, NodeState
from scheduler.core.model.reason import Reason
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.core.model.sharing.queue import Shares
from scheduler.core.model.waiting.promise import Dropped, Promise
from scheduler.core.placement.scoring.configuration import DEFAULT_SCORING, Scoring
from scheduler.services.submit_job import MOST_LIVE_JOBS
from scheduler.simulator.lives import Lives
from scheduler.simulator.stepping.engine import START, Listener, Numbered, Setting, moment, seconds_until


class _Turn(IntEnum):
    """What an attempt comes to by itself. Of several at one moment the greatest is seen."""

    CREATED = 0
    READY = 1
    SUCCEEDED = 2
    FAILED = 3
    TIME_LIMIT = 4
    LOST = 5
    GONE = 6


_EVENTS = {
    _Turn.CREATED: Event.WORKERS_CREATED,
    _Turn.READY: Event.ALL_READY,
    _Turn.SUCCEEDED: Event.ALL_SUCCEEDED,
    _Turn.GONE: Event.GONE,
}


_STOPS = {
    _Turn.FAILED: StopReason.WORKER_FAILED,
    _Turn.TIME_LIMIT: StopReason.TIME_LIMIT,
    _Turn.LOST: StopReason.LOST,
}


class CoreEngine:
    """Fulfils simulator.stepping.engine.Engine."""

    def __init__(
        self, setting: Setting, lives: Lives, listeners: Sequence[Listener] = (), scoring: Scoring = DEFAULT_SCORING
    ) -> None:
        self.passes = Passes(rules=setting.rules)
        self.state = SchedulerState.from_parts(
            clusters=[Cluster(setting.cluster, LOCAL_KIND)],
            nodes=setting.nodes,
            jobs=[],
            groups=[],
            attempts=[],
            chips=setting.chips,
            shares=Shares(setting.queues, setting.limits),
            scoring=scoring,
        )
        self.state.reorder(setting.ordering)
        self._lives = lives
        self._listeners = (lives.follow, *listeners)
        self.changes = 0
        """How many changes there were: the number of the latest."""
        self._seen = 0
        """The change up to which passes have looked."""
        self._now_s = 0
        self._now: datetime = START
        self._due: datetime | None = None
        """When a pass is to look again though nothing changes."""
        self._turns: list[tuple[int, AttemptId, _Turn]] = []
        self._placed: list[AttemptId] = []
        self._stopping: list[AttemptId] = []
        self._nodes: list[Node] = []
        self._living: Counter[TenantName] = Counter()

    @property
    def has_jobs(self) -> bool:
        """Whether there are jobs that are not over."""
        return bool(self.state.jobs)

    def advance(self, to_s: int) -> None:
        """Let it be so many seconds after the start."""
        self._now_s, self._now = to_s, moment(to_s)

    def submit(self, jobs: Sequence[Numbered]) -> int:
        """Submit jobs; return how many were turned away."""
        turned_away = 0
        for each in jobs:
            arrival = each.arrival
            spec = arrival.spec
            if self._living[arrival.tenant] + spec.replicas > MOST_LIVE_JOBS:
                turned_away += 1
                continue
            self._living[arrival.tenant] += spec.replicas
            self._lives.expect(each.id, arrival.life)
            job = Job(each.id, arrival.tenant, spec, arrival.by, self._now, replicas=spec.replicas)
            groups = tuple(first_group(job.id, index) for index in range(spec.replicas))
            self._tell(JobSubmitted(job, groups), job)
        return turned_away

    def change_nodes(self, nodes: Sequence[Node]) -> None:
        """Let nodes be as these when it settles; what runs on one that is GONE is lost."""
        self._nodes += nodes

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        self._report(self._seen_nodes())
        while True:
            self._decide()
            if not self._placed and not self._stopping:
                return
            self._report(self._start())

    def next_due_s(self) -> int | None:
        """Return when something happens by itself."""
        due = [self._turns[0][0]] if self._turns else []
        if self._due is not None:
            due.append(max(seconds_until(self._due), self._now_s + 1))
        return min(due, default=None)

    def close(self) -> None:
        """Nothing is held that would have to be let go of."""

    def _seen_nodes(self) -> dict[AttemptId, _Turn]:
        """Let nodes be otherwise, in their order; return what is lost on those that are gone."""
        if not self._nodes:
            return {}
        nodes, self._nodes = self._nodes, []
        gone = {node.id for node in nodes if node.state is NodeState.GONE}
        lost = {
            name: _Turn.LOST
            for name, live in self.state.live.items()
            if gone and any(held.node in gone for held in live.allocations)
        }
        for node in sorted(nodes, key=lambda node: (node.state is NodeState.GONE, node.id)):
            self._tell(NodeSeen(node), None)
        return lost

    def _report(self, turns: dict[AttemptId, _Turn]) -> None:
        """Report what attempts came to by now, and then that nothing is left of those that are stopped."""
        while self._turns and self._turns[0][0] <= self._now_s:
            _, attempt, turn = heappop(self._turns)
            live = self.state.live.get(attempt)
            if live is not None and live.group.state is not State.STOPPING:
                turns[attempt] = max(turn, turns.get(attempt, turn))
        turns |= dict.fromkeys(self._stopping, _Turn.GONE)
        self._stopping.clear()
        for attempt in sorted(turns):
            turn = turns[attempt]
            if turn in _EVENTS:
                self._move(attempt, _EVENTS[turn])
            else:
                self._move(attempt, Event.STOP, _STOPS[turn])
        stopping, self._stopping = self._stopping, []
        for attempt in sorted(stopping):
            self._move(attempt, Event.GONE)

    def _decide(self) -> None:
        """Let passes look until none finds anything new."""
        is_due = self._due is not None and self._due <= self._now
        while is_due or self._seen != self.changes:
            is_due = False
            decisions = self.passes.decide(self.state, self._now)
            promised = self.passes.promises.unwritten(self.state.promised)
            self._seen = self.changes
            for decision in decisions:
                self._carry_out(decision)
            for each in promised:
                self._write_down(each)
            self._due = self.passes.next_due(self.state, self._now)

    def _write_down(self, promised: Promise | Dropped) -> None:
        """Let it be known what room is kept for whom."""
        job = self.state.jobs.get(job_named_by(promised.group))
        if isinstance(promised, Dropped):
            self._tell(ReservationDropped(promised.group, promised.why), job)
        elif promised.group in self.state.waiting:
            self._tell(ReservationMade(promised), job)

    def _carry_out(self, decision: Effect) -> None:
        group = self.state.groups[decision.group]
        if isinstance(decision, Resized):
            self._resize(decision, self._after(group, Event.RESIZE))
        elif isinstance(decision, Placed):
            placed = self._after(group, Event.PLACE)
            self._placed.append(decision.attempt)
            body = GroupPlaced(placed, decision.attempt, decision.allocations, (), stop_by=decision.stop_by)
            self._tell(body, self.state.jobs[group.job_id])
        elif isinstance(decision, Evicted):
            stopped = self._after(group, Event.STOP, StopReason.PREEMPTED)
            self._tell_moved(stopped, decision.attempt, eviction=decision.eviction)
        else:
            self._tell_moved(self._after(group, Event.REFUSE), None, reasons=decision.reasons)

    def _resize(self, resized: Resized, group: Group) -> None:
        """Let a gang be of its next generation at once, with nothing lost on the way."""
        job, attempt, generation = self.state.jobs[group.job_id], resized.attempt, resized.generation
        self._tell(GroupResized(group, attempt, generation, resized.allocations, resized.cause), job)
        for step in ResizeStep:
            self._tell(ResizeAdvanced(attempt, generation, step), job)

    def _start(self) -> dict[AttemptId, _Turn]:
        """Start what was placed; return what is to be reported of it at once."""
        placed, self._placed = self._placed, []
        at_once: dict[AttemptId, _Turn] = {}
        for attempt in sorted(placed):
            live = self.state.live[attempt]
            fate = self._lives.fate(live.job.id, live.number, live.allocations)
            ends_s, limit_s = fate.ends_s, live.job.spec.time_limit_s
            turn = _Turn.FAILED if fate.has_failed else _Turn.SUCCEEDED
            if limit_s is not None and limit_s < ends_s:
                ends_s, turn = limit_s, _Turn.TIME_LIMIT
            heappush(self._turns, (self._now_s + ends_s, attempt, turn))
            if fate.ready_s:
                heappush(self._turns, (self._now_s + fate.ready_s, attempt, _Turn.READY))
            at_once[attempt] = _Turn.CREATED if fate.ready_s else _Turn.READY
        return at_once

    def _move(self, attempt: AttemptId, event: Event, reason: StopReason | None = None) -> None:
        live = self.state.live[attempt]
        self._tell_moved(self._after(live.group, event, reason), attempt)

    def _after(self, group: Group, event: Event, reason: StopReason | None = None) -> Group:
        rule = RetryRule(self.state.jobs[group.job_id].spec.retries)
        moved = apply_event(group, event, reason=reason, rule=rule, now=self._now)
        if isinstance(moved, Verdict):
            raise ValueError(f"{event} cannot happen to {group}: {moved}")  # noqa: TRY004 - it is the value that is wrong
        return moved

    def _tell_moved(
        self,
        group: Group,
        attempt: AttemptId | None,
        reasons: Iterable[Reason] = (),
        eviction: Eviction | None = None,
    ) -> None:
        job = self.state.jobs[group.job_id]
        if group.state is State.STOPPING and attempt is not None:
            self._stopping.append(attempt)
        if group.state in FINAL:
            self._living[job.tenant] -= 1
        self._tell(GroupMoved(group, attempt, reasons=tuple(reasons), eviction=eviction), job)

    def _tell(self, body: ChangeBody, job: Job | None) -> None:
        self.changes += 1
        tenant, name = (None, None) if job is None else (job.tenant, job.id)
        change = Change(self.changes, self._now, tenant, name, body)
        for listener in self._listeners:
            listener(change, self.state)
        self.state.apply(change)
