"""Whoever overtakes by what was learnt of it delays nobody, however wrong that was."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.backfilling.overtaking import SEEING_OFF_S
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.queueing.run_times import ENOUGH
from tests.builders import strategies as some
from tests.builders.core import NOON, make_job, make_node, make_shape
from tests.builders.preempting import Contended

DEVICES = 4
NODES = ("a", "b", "c")
MOST_STEPS = 500


class Wrong(Contended):
    """A cluster in which what has a limit runs up to it, and all else for ever, whatever was learnt of it."""

    def __init__(self) -> None:
        super().__init__(*(make_node(name, {"h100": DEVICES}) for name in NODES), rules=NO_PREEMPTION)
        self.passes = Passes(most_promises=1, reserve_after_s=0)

    def step(self) -> None:
        """Let pass as much time as it takes until something is to happen, and let it happen."""
        ends = {name: self._end(name) for name in (*self.in_state(State.RUNNING), *self.in_state(State.STOPPING))}
        due = [at for at in (*ends.values(), self.passes.next_due(self.state, self.now)) if at is not None]
        self.now = max(self.now + timedelta(seconds=1), min(due))
        for name, at in ends.items():
            if at is not None and at <= self.now:
                if self.state.groups[name].state is State.RUNNING:
                    self.move(name, Event.ALL_SUCCEEDED)
                else:
                    self.move(name, Event.GONE)
        self.decide()
        self.start()

    def _end(self, name: str) -> datetime | None:
        """Return when a group that runs ends by its limit, or one that is stopped is gone; as late as either may be."""
        live = self.state.live[self.state.groups[name].latest_attempt]
        spec = live.job.spec
        if live.group.state is State.STOPPING:
            return live.since + timedelta(seconds=spec.grace_s + SEEING_OFF_S)
        limit_s = spec.time_limit_s
        return None if limit_s is None else live.since + timedelta(seconds=limit_s + spec.grace_s)


@st.composite
def running(draw: st.DrawFn, number: int) -> Job:
    made = make_job(number, shape=make_shape(draw(st.integers(1, DEVICES))), tenant="beta")
    limit_s = draw(st.sampled_from((200, 400, 900, 1_500)))
    return replace(made, spec=replace(made.spec, name=f"limited-{number}-of", time_limit_s=limit_s, grace_s=5))


@st.composite
def overtaking(draw: st.DrawFn, number: int) -> tuple[Job, float]:
    made = make_job(number, workers=draw(st.integers(1, 4)), shape=make_shape(draw(st.sampled_from((1, 1, 2)))))
    spec = replace(made.spec, name=f"sweep-{number}-of", grace_s=draw(st.sampled_from((0, 5, 60, 300))))
    return replace(made, spec=spec), draw(st.sampled_from((0.0, 10.0, 100.0, 400.0, 1_000.0)))


@some.fixed(150)
@given(
    st.tuples(*(running(100 + number) for number in range(len(NODES)))),
    st.lists(st.integers(0, 5), min_size=1, max_size=6).flatmap(
        lambda which: st.tuples(*(overtaking(200 + number) for number in range(len(which))))
    ),
    st.integers(1, 12),
)
def test_a_reservation_begins_when_it_was_promised_though_nobody_who_overtook_ends_by_itself(
    holders: tuple[Job, ...], sweeps: tuple[tuple[Job, float], ...], workers: int
) -> None:
    cluster = Wrong()
    for job, learnt_s in sweeps:
        for _ in range(ENOUGH):
            cluster.state.run_times.note(job, learnt_s)
    for job in holders:
        cluster.run(job)
    gang = make_job(1, workers=workers, priority=50, submitted_at=NOON)
    cluster.submit(gang)
    if any(isinstance(each, Placed) for each in cluster.decide()):
        return
    (kept,) = cluster.passes.promises.standing
    cluster.submit(*(replace(job, submitted_at=NOON) for job, _ in sweeps))
    cluster.decide()
    cluster.start()
    for _ in range(MOST_STEPS):
        if cluster.group(gang).state is not State.QUEUED:
            break
        cluster.step()
    assert cluster.group(gang).state is not State.QUEUED
    assert cluster.now <= kept.begins
    stopped = [group for group in cluster.state.groups.values() if group.preemptions]
    assert all(group.stop_reason in {None, StopReason.PREEMPTED} for group in stopped)
