from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold, Release
from scheduler.core.model.attempt import FIRST_GENERATION, Attempt
from scheduler.core.model.change import JobSubmitted, ReservationMade
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import State
from scheduler.core.model.identifiers import attempt_id
from scheduler.core.model.job import Job
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import KeptForOthers
from scheduler.core.model.waiting.promise import Promise
from tests.builders import strategies as some
from tests.builders.core import (
    NOON,
    as_change,
    make_allocation,
    make_group,
    make_job,
    make_node,
    make_shape,
    seconds_after_noon,
)

DEVICES = 4
NODES = ("a", "b", "c")


@st.composite
def jobs(draw: st.DrawFn, first: int, *, must_have_limit: bool = False) -> list[Job]:
    found = []
    for number in range(first, first + draw(st.integers(1, 6))):
        made = make_job(number, workers=draw(st.integers(1, 6)), shape=make_shape(draw(st.sampled_from((1, 1, 2, 4)))))
        limits = st.sampled_from((10, 50, 100, 200))
        limit = draw(limits if must_have_limit else st.none() | limits)
        found.append(replace(made, spec=replace(made.spec, time_limit_s=limit, grace_s=0)))
    return found


@st.composite
def busy_states(draw: st.DrawFn) -> SchedulerState:
    """Draw a state in which jobs with limits hold devices of some nodes, one on each, and others wait."""
    running = dict(zip(NODES, draw(jobs(100, must_have_limit=True)), strict=False))
    groups = {node: replace(make_group(job, State.RUNNING), attempts=1) for node, job in running.items()}
    waiting = draw(jobs(1))
    attempts = [
        Attempt(
            id=attempt_id(group.id, 1),
            group_id=group.id,
            number=1,
            generation=FIRST_GENERATION,
            state=State.RUNNING,
            stop_reason=None,
            allocations=(make_allocation(tuple(range(draw(st.integers(1, DEVICES)))), node=f"mixed/{node}"),),
            notes=(),
            workers=(),
            placed_at=NOON,
        )
        for node, group in groups.items()
    ]
    return SchedulerState.from_parts(
        clusters=[Cluster("mixed", "local")],
        nodes=[make_node(name, {"h100": DEVICES}) for name in NODES],
        jobs=[*running.values(), *waiting],
        groups=[*groups.values(), *map(make_group, waiting)],
        attempts=attempts,
    )


@some.fixed(300)
@given(busy_states())
def test_what_is_placed_beside_reservations_leaves_each_its_room_when_it_begins(state: SchedulerState) -> None:
    passes = Passes(reserve_after_s=0)
    ends = {live.attempt: live.job.spec.time_limit_s for live in state.live.values()}
    for decision in passes.decide(state, NOON):
        if isinstance(decision, Placed):
            job = state.jobs[state.groups[decision.group].job_id]
            state.ledger.apply(Hold(decision.attempt, job.tenant, decision.allocations))
            ends[decision.attempt] = job.spec.time_limit_s
    for kept in passes.promises.standing:
        for attempt, end_s in ends.items():
            if end_s is not None and state.ledger.has_hold(attempt) and seconds_after_noon(end_s) <= kept.begins:
                state.ledger.apply(Release(attempt))
        needs = Counter({entry.id: sums["h100"] for entry, sums in kept.needs.items()})
        for other in passes.promises.standing:
            if other is not kept and other.begins <= kept.begins and (other.ends is None or other.ends > kept.begins):
                needs.update({entry.id: sums["h100"] for entry, sums in other.needs.items()})
        for node, devices in needs.items():
            assert state.ledger.inventory.entries[node].leftover.free[0] >= devices


@some.fixed(100)
@given(busy_states())
def test_what_was_decided_and_not_done_is_decided_again_beside_what_was_promised(state: SchedulerState) -> None:
    passes = Passes(reserve_after_s=0)
    first = passes.decide(state, NOON)
    before = state.digest()
    passes.take_back(first)
    assert [spelt.group for spelt in passes.decide(state, NOON)] == [spelt.group for spelt in first]
    assert state.digest() == before


@some.fixed(200)
@given(busy_states())
def test_who_is_told_a_limit_that_lets_it_overtake_is_placed_with_it_and_nobody_waits_for_nothing(
    state: SchedulerState,
) -> None:
    passes = Passes(reserve_after_s=0)
    if passes.decide(state, NOON):
        return  # what is decided is not written here
    for promise in passes.promises.unwritten(state.promised):
        assert isinstance(promise, Promise)
        state.apply(as_change(ReservationMade(promise)))
    for number, group in enumerate(sorted(state.waiting), start=500):
        reasons = explain(state, group, NOON).reasons
        assert reasons
        for reason in reasons:
            if isinstance(reason, KeptForOthers) and reason.overtakes_s is not None:
                job = state.jobs[state.groups[group].job_id]
                short = replace(
                    make_job(number), spec=replace(job.spec, time_limit_s=reason.overtakes_s), submitted_at=NOON
                )
                state.apply(as_change(JobSubmitted(short, (make_group(short),))))
                placed = passes.decide(state, NOON)
                assert make_group(short).id in [decision.group for decision in placed]
                return
