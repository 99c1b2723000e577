"""Who asks what would be leaves nothing behind, and is told what would become of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.contest import Contest
from scheduler.core.deciding.cycle import Cycle
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.asking.suppositions import (
    AddNodes,
    CannotSuppose,
    DrainNodes,
    SetQuota,
    SetWeight,
    Supposition,
)
from scheduler.core.model.decision import Placed
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.queue import BadTree, ContradictoryQuota, QueueQuota
from scheduler.core.supposing.comparing import consequences_of
from scheduler.core.supposing.rehearsal import Rehearsal
from scheduler.core.supposing.rehearsing import rehearse
from tests.builders import strategies as some
from tests.builders.core import World, make_job, make_node, make_state
from tests.builders.preempting import Contended, elastic
from tests.builders.supposing import traces, what_if
from tests.property.test_state import worlds

REFUSALS = (CannotSuppose, ContradictoryQuota, BadTree)


@st.composite
def suppositions(draw: st.DrawFn, world: World) -> list[Supposition]:
    nodes, queues = sorted(world.nodes), sorted({*world.queues, *some.TENANTS})
    drains = st.builds(
        DrainNodes, st.lists(st.sampled_from(nodes), min_size=1, max_size=3).map(tuple), runs_on=st.booleans()
    )
    adds = st.builds(AddNodes, st.sampled_from(some.CHIPS), st.integers(1, 3))
    weights = st.builds(SetWeight, st.sampled_from(queues), st.integers(1, 9))
    one = st.one_of(drains, adds, weights, some.quota(queues).map(SetQuota))
    return draw(st.lists(one, min_size=1, max_size=4))


def asked(state: SchedulerState, world: World, supposed: Sequence[Supposition]) -> None:
    rules = Rules(Scope.EVERYWHERE, min_run_s=0)
    try:
        rehearsed = rehearse(state, supposed, world.now, rules=rules, job=make_job(9_999, "h100", workers=2))
    except REFUSALS:
        return
    found = consequences_of(rehearsed)
    assert found is not None
    assert found.placed_again <= found.leaving_count


@some.fixed(40)
@given(worlds(), st.data())
def test_what_if_leaves_no_trace(world: World, data: st.DataObject) -> None:
    state, supposed = world.present(), data.draw(suppositions(world))
    before = traces(state)
    asked(state, world, supposed)
    assert traces(state) == before


@st.composite
def elastic_ones(draw: st.DrawFn, number: int, priority: int) -> Job:
    """Draw a job that may be elastic, or moved, of one of two tenants."""
    workers, tenant = draw(st.integers(1, 8)), draw(st.sampled_from(("alpha", "beta")))
    job = make_job(number, workers=workers, tenant=tenant, priority=priority)
    job = replace(job, spec=replace(job.spec, movable=draw(st.booleans())))
    return job if draw(st.integers(0, 3)) == 3 else elastic(job, draw(st.integers(1, workers)))


@some.fixed(40)
@given(st.data())
def test_who_gives_workers_up_keeps_enough_of_them_and_whom_it_is_for_starts(data: st.DataObject) -> None:
    nodes = [make_node(name, {"h100": 4}) for name in "abcd"]
    cluster, rules = Contended(*nodes), Rules(Scope.EVERYWHERE, min_run_s=0)
    cluster.run(*(data.draw(elastic_ones(number, number % 2)) for number in range(1, data.draw(st.integers(4, 7)))))
    cluster.wait(10_000)
    cluster.submit(*(data.draw(elastic_ones(number, 1 + number % 2)) for number in range(10, 13)))
    drains = st.lists(st.sampled_from("abcd"), min_size=1, max_size=2, unique=True).map(tuple).map(DrainNodes)
    limits = st.sampled_from(("alpha", "beta")).map(lambda name: SetQuota(QueueQuota(name, "compute", limit=99)))
    supposed = data.draw(st.lists(st.one_of(limits, st.builds(AddNodes, st.just("h100"), st.just(1))), max_size=2))
    found = what_if(cluster.state, data.draw(drains), *supposed, rules=rules, now=cluster.now)
    for each in found.shrinking:
        assert each.workers_after in each.job.spec.sizes
        assert each.workers_after < each.workers_before
        assert (each.gives_milli + each.devices_milli) == 1_000 * each.workers_before
    make_way = {each.beneficiary for each in found.leaving} | {each.beneficiary for each in found.shrinking}
    moves_on = {each.job.id for each in found.leaving if each.after_others}
    assert make_way - {None} == moves_on | {each.job.id for each in found.starting if each.after_others}
    assert {each.group for each in found.leaving}.isdisjoint(each.group for each in found.shrinking)


STEPS = (
    (Rehearsal, "shrink"),
    (Rehearsal, "put_node"),
    (Rehearsal, "stop"),
    (Rehearsal, "place"),
    (Contest, "decide"),
    (Cycle, "decide"),
)


@some.fixed(30)
@given(worlds(), st.data())
def test_what_if_leaves_no_trace_though_it_fails_midway(world: World, data: st.DataObject) -> None:
    state, supposed = world.present(), data.draw(suppositions(world))
    (of, step), fails_at = data.draw(st.sampled_from(STEPS)), data.draw(st.integers(1, 3))
    before, done, calls = traces(state), getattr(of, step), count(1)

    def failing(*arguments: object) -> object:
        result = done(*arguments)
        if next(calls) == fails_at:
            raise MemoryError
        return result

    with pytest.MonkeyPatch.context() as patched, suppress(MemoryError):
        patched.setattr(of, step, failing)
        asked(state, world, supposed)
    assert traces(state) == before


@some.fixed(25)
@given(st.integers(1, 3), st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_who_is_told_to_start_on_added_nodes_starts_once_they_are_there(added: int, workers: list[int]) -> None:
    node = make_node("n1", {"h100": 4})
    jobs = tuple(make_job(number, workers=count) for number, count in enumerate(workers, start=1))
    state = make_state(node, jobs=(make_job(100, workers=4, priority=9), *jobs))
    rehearsed = rehearse(state, [AddNodes("h100", added)], make_job().submitted_at, rules=Rules())
    told = {group for group, _ in rehearsed.taken.placed}
    more = [replace(node, name=f"supposed-1-{number}") for number in range(1, added + 1)]
    truth = make_state(node, *more, jobs=(make_job(100, workers=4, priority=9), *jobs))
    decisions = Passes().decide(truth, make_job().submitted_at)
    assert told == {each.group for each in decisions if isinstance(each, Placed)}
