from dataclasses import replace

import pytest

from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.asking.consequences import LeavingCause
from scheduler.core.model.asking.suppositions import AddNodes, DrainNodes, SetQuota
from scheduler.core.model.change import ChipDefined
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.core.supposing.comparing import consequences_of, job_consequence_of
from scheduler.core.supposing.rehearsing import rehearse
from tests.builders.core import NOON, make_job, make_node
from tests.builders.preempting import Contended, elastic
from tests.builders.simulating import catalogue
from tests.builders.supposing import names, what_if
from tests.unit.core.deciding.backfilling.test_promises import busy, limited
from tests.unit.core.deciding.preempting.test_moving import WHOLE, two_halves

A, B = make_node("a"), make_node("b")


def crowded(*waiting: Job) -> Contended:
    cluster = Contended(A, B)
    cluster.run(limited(make_job(1, workers=8), 600), limited(make_job(2, workers=4), 600))
    cluster.submit(*waiting)
    return cluster


def test_who_runs_on_drained_nodes_goes_elsewhere_or_waits_and_who_waits_waits_longer() -> None:
    later = limited(make_job(3, workers=8), 60)
    cluster = crowded(later)
    (small,) = (live for live in cluster.state.live.values() if len(live.allocations) == 4)
    node = next(name for name in ("mixed/a", "mixed/b") if name != small.allocations[0].node)
    found = what_if(cluster.state, DrainNodes((node,)))
    (left,) = found.leaving
    assert (left.job.id, left.cause, left.devices_milli, left.nodes) == (
        make_job(1).id,
        LeavingCause.DRAIN,
        8_000,
        (node,),
    )
    assert left.goes_to == ()
    assert isinstance(left.waits, Estimate)
    assert (found.waits.waiting, found.waits.longer, found.waits.looked_at) == (1, 1, 1)
    (shift,) = found.waits.shifts
    assert shift.later_s is not None
    assert shift.later_s > 0
    assert [(one.chip, one.before, one.after) for one in found.capacity] == [("h100", 16, 8)]
    assert found.drained == (node,)


def test_who_leaves_a_drained_node_has_a_place_at_once_where_there_is_one() -> None:
    cluster = Contended(A, B)
    cluster.run(make_job(1, workers=8))
    (live,) = cluster.state.live.values()
    found = what_if(cluster.state, DrainNodes((live.allocations[0].node,)))
    (left,) = found.leaving
    assert found.placed_again == 1
    assert left.goes_to == tuple({"mixed/a", "mixed/b"} - {*left.nodes})
    assert found.starting == ()


def test_who_never_starts_then_is_told_of() -> None:
    state = busy(A, B, running={"a": (8, 600)}, jobs=(make_job(1, workers=16),))
    found = what_if(state, DrainNodes(("b",)))
    assert found.waits.never == 1
    assert isinstance(found.waits.shifts[0].after, NoEstimate)


def test_added_nodes_let_those_start_who_are_first_and_others_wait_shorter() -> None:
    cluster = crowded(*(limited(make_job(number, workers=8), 600) for number in (3, 4, 5)))
    found = what_if(cluster.state, AddNodes("h100", 1))
    assert names(found.starting) == [make_job(3).id]
    assert found.starting[0].nodes == ("mixed/supposed-1-1",)
    assert isinstance(found.starting[0].was, Estimate)
    assert (found.waits.shorter, found.waits.alike, found.added) == (1, 1, 1)


def test_a_guarantee_takes_back_what_was_lent_and_a_limit_keeps_others_waiting() -> None:
    cluster = Contended(A)
    cluster.tell(ChipDefined(replace(catalogue()[0], name="h100")))
    cluster.run(*(make_job(number, workers=4, tenant="alpha") for number in (1, 2)))
    cluster.submit(make_job(3, workers=4, tenant="beta"))
    cluster.wait(3_600)
    rehearsed = rehearse(
        cluster.state, [SetQuota(QueueQuota("beta", "h100", guaranteed=4))], cluster.now, rules=Rules()
    )
    found = consequences_of(rehearsed)
    assert found is not None
    (left,) = found.leaving
    assert (left.cause, left.beneficiary) == (LeavingCause.RECLAIM, make_job(3).id)
    assert [(one.job.id, one.after_others) for one in found.starting] == [(make_job(3).id, True)]


def giving_way() -> Contended:
    """Return a node that is full of an elastic job, where one of higher priority wants half of it."""
    cluster = Contended(A)
    cluster.run(elastic(limited(make_job(1, workers=8), 600), 2, 2))
    cluster.submit(limited(make_job(2, workers=4, priority=1), 60), limited(make_job(3, workers=8), 60))
    cluster.wait(100)
    return cluster


def test_who_gives_workers_up_for_whom_is_told_and_who_starts_then() -> None:
    cluster = giving_way()
    found = what_if(cluster.state, SetQuota(QueueQuota("alpha", "compute", limit=100)), now=cluster.now)
    (shrinks,) = found.shrinking
    assert (shrinks.job.id, shrinks.workers_before, shrinks.workers_after) == (make_job(1).id, 8, 4)
    assert (shrinks.cause, shrinks.beneficiary) == (EvictionCause.PRIORITY, make_job(2).id)
    assert (shrinks.gives_milli, shrinks.devices_milli, shrinks.nodes) == (4_000, 4_000, ("mixed/a",))
    assert (found.leaving, found.shrinking_count, found.starting_count) == ((), 1, 1)
    (starts,) = found.starting
    assert (starts.job.id, starts.nodes, starts.after_others) == (make_job(2).id, (), True)
    assert names(found.waits.shifts) == [make_job(3).id], "who starts waits no more"
    assert found.waits.shorter == 1


def test_nobody_gives_workers_up_where_preemption_is_off() -> None:
    cluster, raised = giving_way(), SetQuota(QueueQuota("alpha", "compute", limit=100))
    found = what_if(cluster.state, raised, rules=Rules(Scope.OFF), now=cluster.now)
    assert (found.shrinking, found.starting) == ((), ())


def test_an_elastic_job_leaves_a_drained_node_as_a_whole_and_goes_on_with_fewer_workers() -> None:
    cluster = Contended(A, B)
    cluster.run(elastic(make_job(1, workers=16), 2, 2))
    found = what_if(cluster.state, DrainNodes(("a",)))
    (left,) = found.leaving
    assert (left.workers, left.goes_on_with, left.goes_to) == (16, 8, ("mixed/b",))
    assert (found.placed_again, found.shrinking) == (1, ())


def test_who_leaves_a_drained_node_gives_nothing_up_to_others_besides() -> None:
    cluster, wide = Contended(*(make_node(name) for name in "abcdef")), make_job(1, workers=16, priority=1)
    cluster.run(wide, *(elastic(make_job(number, workers=16), 8, 2) for number in (2, 3)))
    cluster.wait(100)
    first, second, third = ([held.node for held in cluster.live(make_job(number)).allocations] for number in (1, 2, 3))
    found = what_if(cluster.state, DrainNodes((*dict.fromkeys(first), second[0])), now=cluster.now)
    (shrinks,) = found.shrinking
    assert (shrinks.job.id, shrinks.workers_after, shrinks.beneficiary) == (make_job(3).id, 8, wide.id)
    assert {*shrinks.nodes} <= {*third}
    left = {one.job.id: (one.goes_on_with, one.after_others) for one in found.leaving}
    assert left == {wide.id: (0, True), make_job(2).id: (0, False)}


def test_others_give_way_to_who_leaves_a_drained_node() -> None:
    cluster, first = Contended(A, B), make_job(1, workers=4, priority=1)
    cluster.run(make_job(3, workers=4), elastic(make_job(2, workers=8), 2), first)
    cluster.wait(100)
    found = what_if(cluster.state, DrainNodes((cluster.live(first).allocations[0].node,)), now=cluster.now)
    (shrinks,) = found.shrinking
    assert (shrinks.workers_after, shrinks.beneficiary) == (4, first.id)
    (left,) = (one for one in found.leaving if one.job.id == first.id)
    assert (left.goes_to, left.waits, left.after_others) == ((), None, True)
    assert first.id not in names(found.starting), "it only moves"


def test_who_is_moved_for_another_one_is_told_of() -> None:
    cluster, first, second = two_halves(may_move=True)
    cluster.submit(make_job(3, shape=WHOLE))
    cluster.wait(10_000)
    found = what_if(cluster.state, SetQuota(QueueQuota("alpha", "compute", limit=100)), now=cluster.now)
    (left,) = found.leaving
    assert left.job.id in (first.id, second.id)
    assert (left.cause, left.beneficiary) == (LeavingCause.MOVE, make_job(3).id)
    assert [(one.job.id, one.after_others) for one in found.starting] == [(make_job(3).id, True)]


def test_preemption_that_is_off_stops_nobody() -> None:
    cluster = Contended(A)
    cluster.run(make_job(1, workers=8))
    cluster.submit(make_job(2, workers=8, priority=5))
    found = what_if(cluster.state, SetQuota(QueueQuota("alpha", "compute", limit=100)), rules=Rules(Scope.OFF))
    assert found.leaving == ()


def test_a_job_is_told_where_it_would_run_or_when_and_the_same_of_other_chip_types() -> None:
    other = make_node("c", {"a800": 8})
    state = busy(A, other, running={"a": (8, 600)}, jobs=())
    before = state.digest()
    job = replace(make_job(7, workers=8), submitted_at=NOON)
    found = job_consequence_of(rehearse(state, [], NOON, rules=Rules(), job=job))
    assert state.digest() == before
    assert found is not None
    assert found.prospect.places == ()
    assert isinstance(found.prospect.expected, Estimate)
    assert (found.prospect.expected.latest - NOON).total_seconds() == pytest.approx(610)
    (elsewhere,) = found.others
    assert elsewhere.places == (("mixed/c",),)
    assert isinstance(elsewhere.expected, Estimate)
    assert elsewhere.expected.basis is StartBasis.FREE


def test_nothing_is_told_of_what_was_not_asked() -> None:
    state = busy(A, running={"a": (8, 600)}, jobs=())
    rehearsed = rehearse(state, [], NOON, rules=Rules(), job=make_job(1))
    assert consequences_of(rehearsed) is None
    assert job_consequence_of(rehearse(state, [AddNodes("h100", 1)], NOON, rules=Rules())) is None
