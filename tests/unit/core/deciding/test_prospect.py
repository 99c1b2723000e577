from dataclasses import replace
from typing import Any

from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.model.change import JobSubmitted
from scheduler.core.model.decision import Placed
from scheduler.core.model.group import first_group
from scheduler.core.model.job import Job, JobKind
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import NeverFits, QuotaExceeded, TooFewFree
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import Apart
from tests.builders.core import NOON, as_change, make_job, make_node, make_state, place_first
from tests.oracle.decisions import decide

DECLARED = (Cluster("mixed", "local"),)


def test_a_job_would_get_the_place_that_a_cycle_gives_it() -> None:
    job = make_job(2, workers=3)
    nodes = (make_node("n1"), make_node("n2", {"h100": 4}))
    (decision,) = decide(make_state(*nodes, jobs=(job,)), NOON)
    assert isinstance(decision, Placed)
    prospect = prospect_of(make_state(*nodes), job, NOON)
    (place,) = prospect.places
    assert (place.allocations, place.notes) == (decision.place.allocations, decision.place.notes)
    assert (prospect.reasons, prospect.is_hopeless) == ((), False)


def server(number: int, replicas: int, **differing: Any) -> Job:
    job = make_job(number, **differing)
    return replace(job, spec=replace(job.spec, kind=JobKind.INFERENCE, replicas=replicas), replicas=replicas)


def test_each_replica_gets_the_place_that_a_cycle_gives_it_beside_the_others() -> None:
    job = server(1, 3, workers=3)
    nodes = (make_node("n1"), make_node("n2", {"h100": 4}))
    state = make_state(*nodes)
    state.apply(as_change(JobSubmitted(job, tuple(first_group(job.id, index) for index in range(3)))))
    decisions = decide(state, NOON)
    prospect = prospect_of(make_state(*nodes), job, NOON)
    decided = [decision.allocations for decision in decisions if isinstance(decision, Placed)]
    assert [place.allocations for place in prospect.places] == decided
    assert (len(decided), prospect.reasons) == (3, ())


def test_alike_jobs_that_come_together_are_placed_beside_each_other_up_to_the_first_without_a_place() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"h100": 4}))
    before = state.digest()
    fitting, too_many = (prospect_of(state, make_job(1, workers=2), NOON, jobs=jobs) for jobs in (6, 10_000))
    assert (len(fitting.places), fitting.reasons) == (6, ())
    (reason,) = too_many.reasons
    assert isinstance(reason, TooFewFree)
    assert (len(too_many.places), reason.devices_free) == (6, 0)
    assert state.digest() == before


def test_the_replicas_that_find_no_place_beside_the_others_say_why() -> None:
    state = make_state(make_node("n1"), make_node("n2", {"h100": 4}))
    before = state.digest()
    prospect = prospect_of(state, server(1, 5, workers=5), NOON)
    (reason,) = prospect.reasons
    assert isinstance(reason, TooFewFree)
    assert (len(prospect.places), reason.devices_free, prospect.is_hopeless) == (2, 2, False)
    assert state.digest() == before


def test_replicas_that_are_to_be_apart_are_apart_of_each_other() -> None:
    state = make_state(make_node("n1"), make_node("n2"))
    labels = (("app", "chat"),)
    prospect = prospect_of(state, server(1, 3, labels=labels, apart=Apart("node", labels)), NOON)
    (reason,) = prospect.reasons
    assert isinstance(reason, TooFewFree)
    assert reason.kept_apart is not None
    nodes = [place.allocations[0].node for place in prospect.places]
    assert (len(nodes), len(set(nodes)), reason.kept_apart.domains) == (2, 2, 2)


def test_a_quota_ends_with_the_replicas_that_it_is_for() -> None:
    prospect = prospect_of(
        make_state(make_node(), quotas=(QueueQuota("alpha", "h100", limit=3),)), server(1, 2, workers=2), NOON
    )
    assert (len(prospect.places), prospect.reasons) == (1, (QuotaExceeded("alpha", "h100", 3, 2, 2),))


def test_asking_leaves_no_trace() -> None:
    state = place_first(make_state(make_node("n1"), make_node("n2"), jobs=(make_job(1, workers=5), make_job(2))))
    before = state.digest()
    for asked in (
        make_job(3, workers=2),
        make_job(4, workers=12),
        make_job(5, workers=99),
        make_job(6, apart=Apart("node", (("service", "search"),)), exclusive=True),
    ):
        prospect_of(state, asked, NOON)
        assert state.digest() == before
        assert asked.id not in state.jobs


def test_what_is_held_is_counted_and_what_others_wait_for_is_not() -> None:
    jobs = tuple(make_job(number, workers=5) for number in (1, 2))
    state = place_first(make_state(make_node(), jobs=jobs))
    (place,) = prospect_of(state, make_job(3, workers=3), NOON).places
    assert len(place.allocations) == 3
    prospect = prospect_of(state, make_job(4, workers=4), NOON)
    (reason,) = prospect.reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.devices_free, prospect.places, prospect.is_hopeless) == (3, (), False)


def test_the_position_is_the_one_it_would_have() -> None:
    state = make_state(jobs=(make_job(1), make_job(2), make_job(3, priority=1)))
    assert [prospect_of(state, job, NOON).position for job in (make_job(4), make_job(5, priority=1))] == [4, 2]
    assert prospect_of(state, make_job(6, priority=2), NOON).position == 1


def test_a_quota_is_a_reason_and_no_end() -> None:
    prospect = prospect_of(
        make_state(make_node(), quotas=(QueueQuota("alpha", "h100", limit=1),)), make_job(workers=2), NOON
    )
    assert (prospect.reasons, prospect.is_hopeless) == ((QuotaExceeded("alpha", "h100", 1, 0, 2),), False)


def test_what_no_declared_node_could_hold_is_hopeless() -> None:
    prospect = prospect_of(make_state(make_node(), clusters=DECLARED), make_job(workers=9), NOON)
    (reason,) = prospect.reasons
    assert isinstance(reason, NeverFits)
    assert prospect.is_hopeless
