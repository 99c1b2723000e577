from dataclasses import replace

import pytest

from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.asking.consequences import LeavingCause
from scheduler.core.model.asking.suppositions import AddNodes, DrainNodes, SetQuota
from scheduler.core.model.change import ChipDefined
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.waiting.estimate import Estimate, NoEstimate, StartBasis
from scheduler.core.supposing.comparing import consequences_of, job_consequence_of
from scheduler.core.supposing.rehearsing import rehearse
from tests.builders.core import NOON, make_job, make_node
from tests.builders.preempting import Contended
from tests.builders.simulating import catalogue
from tests.builders.supposing import names, what_if
from tests.unit.core.deciding.backfilling.test_promises import busy, limited

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
