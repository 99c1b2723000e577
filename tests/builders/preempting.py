"""A small cluster that does what passes with preemption decide, and lets time pass."""

from datetime import timedelta
from itertools import count

from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, apply_event
from scheduler.core.model.attempt import Checkpoint
from scheduler.core.model.change import Change, ChangeBody, CheckpointSaved, GroupMoved, GroupPlaced, JobSubmitted
from scheduler.core.model.decision import Effect, Evicted, Placed
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.measuring.throughput import JobFamily, Throughput
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.eviction import Eviction
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING, Ordering
from tests.builders.core import NOON, make_group, make_state


class Contended:
    """A cluster for which jobs contend: what is decided becomes true at once, workers go when they are told to."""

    def __init__(
        self,
        *nodes: Node,
        rules: Rules | None = None,
        quotas: tuple[QueueQuota, ...] = (),
        queues: tuple[Queue, ...] = (),
        ordering: Ordering = DEFAULT_ORDERING,
    ) -> None:
        self.state = make_state(*nodes, quotas=quotas, queues=queues, ordering=ordering)
        self.passes = Passes(rules=rules or Rules())
        self.now = NOON
        self._numbers = count(1)

    def tell(self, body: ChangeBody) -> None:
        """Let something happen."""
        self.state.apply(Change(next(self._numbers), self.now, None, None, body))

    def submit(self, *jobs: Job) -> None:
        for job in jobs:
            self.tell(JobSubmitted(job, (make_group(job),)))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def save(self, job: Job) -> None:
        """Let a job's attempt have saved itself now."""
        self.tell(CheckpointSaved(self.group(job).latest_attempt, Checkpoint(1, self.now)))

    def decide(self) -> list[Effect]:
        """Let a pass decide, and do it."""
        before = self.state.digest()
        decisions = self.passes.decide(self.state, self.now)
        assert self.state.digest() == before, "a pass changes nothing"
        for decision in decisions:
            if isinstance(decision, Placed):
                placed = self._after(decision.group, Event.PLACE)
                self.tell(GroupPlaced(placed, decision.attempt, decision.allocations, ()))
            elif isinstance(decision, Evicted):
                self.move(decision.group, Event.STOP, StopReason.PREEMPTED, decision.eviction)
            else:
                self.move(decision.group, Event.REFUSE)
        return decisions

    def run(self, *jobs: Job) -> None:
        """Submit jobs, place them and let them all run."""
        self.submit(*jobs)
        self.decide()
        self.start()

    def start(self) -> None:
        """Let all that was placed run."""
        for group in self.in_state(State.PLACED):
            self.move(group, Event.ALL_READY)

    def leave(self, *, most: int | None = None) -> None:
        """Let the workers of what stops be gone, of so many groups at most."""
        for group in self.in_state(State.STOPPING)[:most]:
            self.move(group, Event.GONE)

    def move(
        self, group: str, event: Event, reason: StopReason | None = None, eviction: Eviction | None = None
    ) -> None:
        after = self._after(group, event, reason)
        self.tell(GroupMoved(after, after.latest_attempt if after.attempts else None, eviction=eviction))

    def finish(self, group: str) -> None:
        """Let a group be done."""
        self.move(group, Event.ALL_SUCCEEDED)
        if group in self.in_state(State.STOPPING):
            self.move(group, Event.GONE)

    def group(self, job: Job) -> Group:
        return self.state.groups[make_group(job).id]

    def in_state(self, state: State) -> list[str]:
        return sorted(group.id for group in self.state.groups.values() if group.state is state)

    def _after(self, group: str, event: Event, reason: StopReason | None = None) -> Group:
        after = apply_event(self.state.groups[group], event, reason=reason, rule=RetryRule(0), now=self.now)
        assert isinstance(after, Group)
        return after


def evicted(decisions: list[Effect]) -> list[str]:
    """Return the groups that are stopped for others, in order."""
    return sorted(decision.group for decision in decisions if isinstance(decision, Evicted))


def placed(decisions: list[Effect]) -> list[str]:
    """Return the groups that were placed, in order."""
    return sorted(decision.group for decision in decisions if isinstance(decision, Placed))


def said(tenant: str, family: str, chip: str, units_per_s: float) -> Throughput:
    """Return what an operator said of a family on a chip type."""
    return Throughput(JobFamily(tenant, family), chip, None, 0, units_per_s, 1, NOON)
