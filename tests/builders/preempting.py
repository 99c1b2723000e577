"""A small cluster that does what passes with preemption decide, and lets time pass."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from scheduler.core.deciding.parts.live import LiveAttempt
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.lifecycle.events import Event
from scheduler.core.lifecycle.transitions import RetryRule, apply_event
from scheduler.core.model.attempt import Checkpoint, ResizeStep
from scheduler.core.model.change import (
    Change,
    ChangeBody,
    CheckpointSaved,
    GroupMoved,
    GroupPlaced,
    GroupResized,
    JobSubmitted,
    ResizeAdvanced,
)
from scheduler.core.model.decision import Effect, Evicted, Placed, Resized
from scheduler.core.model.group import Group, State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.resources import Elastic
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
                self.tell(GroupPlaced(placed, decision.attempt, decision.allocations, (), stop_by=decision.stop_by))
            elif isinstance(decision, Evicted):
                self.move(decision.group, Event.STOP, StopReason.PREEMPTED, decision.eviction)
            elif isinstance(decision, Resized):
                self._resize(decision)
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
        for attempt in sorted(self.state.sizes.leaving)[:most]:
            self.tell(ResizeAdvanced(attempt, self.state.live[attempt].generation, ResizeStep.FREED))

    def end(self, job: Job) -> None:
        """Let a job have succeeded."""
        self.move(self.group(job).id, Event.ALL_SUCCEEDED)

    def move(
        self, group: str, event: Event, reason: StopReason | None = None, eviction: Eviction | None = None
    ) -> None:
        after = self._after(group, event, reason)
        self.tell(GroupMoved(after, after.latest_attempt if after.attempts else None, eviction=eviction))

    def _resize(self, decision: Resized) -> None:
        """Let a gang meet at once as its next generation; who is too many goes when told to `leave`."""
        group, attempt, generation = self._after(decision.group, Event.RESIZE), decision.attempt, decision.generation
        what = (decision.allocations, decision.cause, decision.notes, decision.given_to)
        self.tell(GroupResized(group, attempt, generation, *what))
        for step in (ResizeStep.CALLED, ResizeStep.MET):
            self.tell(ResizeAdvanced(attempt, generation, step))

    def workers(self, job: Job) -> int:
        """Return how many workers a job's gang goes on with."""
        return len(self.live(job).allocations)

    def finish(self, group: str) -> None:
        """Let a group be done."""
        self.move(group, Event.ALL_SUCCEEDED)
        if group in self.in_state(State.STOPPING):
            self.move(group, Event.GONE)

    def live(self, job: Job) -> LiveAttempt:
        return self.state.live[self.group(job).latest_attempt]

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


def given(decisions: list[Effect]) -> dict[str, int]:
    """Return the groups that go on with fewer workers for others, with how many."""
    shrunk = [each for each in decisions if isinstance(each, Resized) and each.given_to is not None]
    return {each.group: len(each.allocations) for each in shrunk}


def elastic(job: Job, least: int, step: int = 1) -> Job:
    """Return a job that may have fewer workers."""
    return replace(job, spec=replace(job.spec, elastic=Elastic(least, step)))
