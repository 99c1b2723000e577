from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.core.deciding.backfilling.overtaking import SEEING_OFF_S, STARTING_S, must_stop_by, stay_s
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import NO_PREEMPTION
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import NodeSeen
from scheduler.core.model.decision import Evicted, Placed
from scheduler.core.model.group import State, StopReason
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.queueing.policies.ordering import Ordering
from scheduler.core.queueing.run_times import ENOUGH
from tests.builders.core import make_job, make_node, make_state, seconds_after_noon
from tests.builders.preempting import Contended, evicted, placed

GRACE_S = 20
LIMIT_S = 1_000
LEARNT_S = 100.0


def named(job: Job, name: str, *, limit_s: int | None = None, preemptible: bool = True) -> Job:
    spec = replace(job.spec, name=name, time_limit_s=limit_s, grace_s=GRACE_S, preemptible=preemptible)
    return replace(job, spec=spec)


RUNNING = named(make_job(1, workers=4, tenant="beta"), "long", limit_s=LIMIT_S)
GANG = named(make_job(2, workers=8), "gang")
SMALL = named(make_job(3, workers=4), "sweep")
BEGINS_S = LIMIT_S + GRACE_S


def contended(*waiting: Job, learnt_s: float = LEARNT_S, runs: int = ENOUGH) -> Contended:
    """Return a node half of which is free and kept for a gang; of `SMALL` so many runs are known."""
    world = Contended(make_node(), rules=NO_PREEMPTION)
    world.passes = Passes(reserve_after_s=0)
    for _ in range(runs):
        world.state.run_times.note(SMALL, learnt_s)
    world.run(RUNNING)
    world.submit(GANG)
    world.decide()
    (kept,) = world.passes.promises.standing
    assert kept.begins == seconds_after_noon(BEGINS_S)
    world.submit(*waiting)
    return world


def test_who_may_be_stopped_and_did_not_run_so_long_before_uses_what_is_kept_and_is_to_be_gone_by_then() -> None:
    world = contended(SMALL)
    (decision,) = world.decide()
    assert isinstance(decision, Placed)
    by = seconds_after_noon(BEGINS_S - GRACE_S - SEEING_OFF_S)
    assert decision.stop_by == by
    assert world.state.overtakers == {decision.attempt: by}
    assert world.passes.next_due(world.state, world.now) == by


def test_who_ends_by_itself_before_is_never_stopped() -> None:
    world = contended(SMALL)
    world.decide()
    world.start()
    world.move(world.group(SMALL).id, Event.ALL_SUCCEEDED)
    assert not world.state.overtakers
    world.wait(BEGINS_S)
    assert evicted(world.decide()) == []


def test_who_runs_longer_than_was_learnt_is_stopped_for_whom_the_room_is_kept_who_starts_in_time() -> None:
    world = contended(SMALL)
    world.decide()
    world.start()
    world.wait(BEGINS_S - GRACE_S - SEEING_OFF_S - 1)
    assert world.decide() == []
    world.wait(1)
    (decision,) = world.decide()
    assert isinstance(decision, Evicted)
    eviction = decision.eviction
    assert (decision.group, eviction.cause) == (world.group(SMALL).id, EvictionCause.TIME_UP)
    assert (eviction.beneficiary, eviction.tenant, eviction.devices_milli) == (
        world.group(GANG).id,
        GANG.tenant,
        4_000,
    )
    assert world.decide() == [], "it is stopped once"
    world.wait(GRACE_S + SEEING_OFF_S)
    world.leave()
    world.move(world.group(RUNNING).id, Event.STOP, StopReason.TIME_LIMIT)
    world.leave()
    assert placed(world.decide()) == [world.group(GANG).id]
    assert world.now == seconds_after_noon(BEGINS_S)
    assert world.group(SMALL).state is State.QUEUED
    assert world.group(SMALL).preemptions == 1


def test_a_decision_to_stop_that_was_not_written_is_made_again() -> None:
    world = contended(SMALL)
    world.decide()
    world.start()
    world.wait(BEGINS_S - GRACE_S - SEEING_OFF_S)
    first = world.passes.decide(world.state, world.now)
    world.passes.take_back(first)
    assert [type(decision) for decision in first] == [Evicted]
    assert evicted(world.decide()) == evicted(first)


def test_a_new_leader_stops_whom_the_one_before_it_let_overtake() -> None:
    world = contended(SMALL)
    world.decide()
    world.start()
    world.passes = Passes(reserve_after_s=0)
    world.decide()
    world.wait(BEGINS_S - GRACE_S - SEEING_OFF_S)
    assert evicted(world.decide()) == [world.group(SMALL).id]


def test_nobody_is_stopped_whose_room_nobody_needs_when_its_time_is_up() -> None:
    world = contended(SMALL)
    world.decide()
    world.start()
    world.move(world.group(GANG).id, Event.STOP, StopReason.CANCELLED)
    world.wait(BEGINS_S)
    assert world.decide() == []
    due = world.passes.next_due(world.state, world.now)
    assert due is not None
    assert due > world.now


@pytest.mark.parametrize(
    ("job", "runs", "why"),
    [
        (named(SMALL, "sweep", preemptible=False), ENOUGH, "it may not be stopped"),
        (SMALL, ENOUGH - 1, "too little is known"),
        (named(SMALL, "another"), ENOUGH, "others of its user say nothing of it"),
    ],
)
def test_of_whom_too_little_is_known_or_who_may_not_be_stopped_does_not_overtake(job: Job, runs: int, why: str) -> None:
    assert contended(job, runs=runs).decide() == [], why


def test_who_would_be_stopped_before_it_is_done_does_not_overtake() -> None:
    most = BEGINS_S - STARTING_S - GRACE_S - SEEING_OFF_S
    assert placed(contended(SMALL, learnt_s=most).decide())
    assert contended(SMALL, learnt_s=most + 1).decide() == []


def test_an_installation_that_stops_nobody_lets_limits_alone_overtake() -> None:
    world = contended()
    world.state.reorder(Ordering(stops_overtakers=False))
    world.submit(SMALL, named(make_job(4, workers=4), "sweep", limit_s=LIMIT_S - 10))
    (decision,) = world.decide()
    assert isinstance(decision, Placed)
    assert (decision.group, decision.stop_by) == ("job0000000000004-g0", None)


def test_who_is_certain_to_be_gone_by_its_limit_needs_nobody_to_stop_it() -> None:
    world = contended(named(SMALL, "sweep", limit_s=500))
    (decision,) = world.decide()
    assert isinstance(decision, Placed)
    assert decision.stop_by is None


def test_who_takes_nothing_that_is_kept_is_not_stopped() -> None:
    world = contended()
    for node in ("n2", "n3"):
        world.tell(NodeSeen(make_node(node)))
    world.submit(SMALL)
    (decision,) = [each for each in world.decide() if each.group == world.group(SMALL).id]
    assert isinstance(decision, Placed)
    assert decision.stop_by is None


def test_each_time_that_it_was_stopped_a_job_is_taken_to_run_twice_as_long() -> None:
    state = make_state(make_node())
    for _ in range(ENOUGH):
        state.run_times.note(SMALL, LEARNT_S)
    rest_s = STARTING_S + GRACE_S + SEEING_OFF_S
    assert [stay_s(SMALL, times, state) for times in (0, 1, 6, 9)] == [
        LEARNT_S + rest_s,
        2 * LEARNT_S + rest_s,
        64 * LEARNT_S + rest_s,
        64 * LEARNT_S + rest_s,
    ]


def test_the_shorter_of_limit_and_what_is_learnt_says_how_long_room_is_needed() -> None:
    state = make_state(make_node())
    assert stay_s(SMALL, 0, state) is None
    limited = named(SMALL, "sweep", limit_s=30)
    assert stay_s(limited, 0, state) == 30 + GRACE_S
    for _ in range(ENOUGH):
        state.run_times.note(SMALL, LEARNT_S)
    assert stay_s(limited, 0, state) == 30 + GRACE_S


def test_the_time_to_stop_counts_the_grace_and_is_in_whole_seconds() -> None:
    begins = seconds_after_noon(100) + timedelta(milliseconds=7)
    assert must_stop_by(SMALL, begins) == seconds_after_noon(100 - GRACE_S - SEEING_OFF_S)
