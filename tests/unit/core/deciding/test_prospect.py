from scheduler.core.deciding.cycle import decide
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.model.decision import Placed
from scheduler.core.model.node import Cluster
from scheduler.core.model.reason import NeverFits, QuotaExceeded, TooFewFree
from scheduler.core.model.tenant import Quota
from scheduler.core.model.topology import Apart
from tests.builders.core import NOON, make_job, make_node, make_state, place_first

DECLARED = (Cluster("mixed", "local"),)


def test_a_job_would_get_the_place_that_a_cycle_gives_it() -> None:
    job = make_job(2, workers=3)
    nodes = (make_node("n1"), make_node("n2", {"h100": 4}))
    (decision,) = decide(make_state(*nodes, jobs=(job,)), NOON)
    assert isinstance(decision, Placed)
    prospect = prospect_of(make_state(*nodes), job)
    assert (prospect.allocations, prospect.notes) == (decision.place.allocations, decision.place.notes)
    assert (prospect.reasons, prospect.is_hopeless) == ((), False)


def test_asking_leaves_no_trace() -> None:
    state = place_first(make_state(make_node("n1"), make_node("n2"), jobs=(make_job(1, workers=5), make_job(2))))
    before = state.digest()
    for asked in (
        make_job(3, workers=2),
        make_job(4, workers=12),
        make_job(5, workers=99),
        make_job(6, apart=Apart("node", (("service", "search"),)), exclusive=True),
    ):
        prospect_of(state, asked)
        assert state.digest() == before
        assert asked.id not in state.jobs


def test_what_is_held_is_counted_and_what_others_wait_for_is_not() -> None:
    jobs = tuple(make_job(number, workers=5) for number in (1, 2))
    state = place_first(make_state(make_node(), jobs=jobs))
    assert len(prospect_of(state, make_job(3, workers=3)).allocations) == 3
    prospect = prospect_of(state, make_job(4, workers=4))
    (reason,) = prospect.reasons
    assert isinstance(reason, TooFewFree)
    assert (reason.devices_free, prospect.allocations, prospect.is_hopeless) == (3, (), False)


def test_the_position_is_the_one_it_would_have() -> None:
    state = make_state(jobs=(make_job(1), make_job(2), make_job(3, priority=1)))
    assert [prospect_of(state, job).position for job in (make_job(4), make_job(5, priority=1))] == [4, 2]
    assert prospect_of(state, make_job(6, priority=2)).position == 1


def test_a_quota_is_a_reason_and_no_end() -> None:
    prospect = prospect_of(make_state(make_node(), quotas=(Quota("alpha", "h100", 1),)), make_job(workers=2))
    assert (prospect.reasons, prospect.is_hopeless) == ((QuotaExceeded("alpha", "h100", 1, 0, 2),), False)


def test_what_no_declared_node_could_hold_is_hopeless() -> None:
    prospect = prospect_of(make_state(make_node(), clusters=DECLARED), make_job(workers=9))
    (reason,) = prospect.reasons
    assert isinstance(reason, NeverFits)
    assert prospect.is_hopeless
