from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.explanation import Explanation, explain, explain_all
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Hold
from scheduler.core.model.decision import Decision, Effect, Placed, Refused
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.reason import CannotServe, NeverFits
from scheduler.core.model.resources import WHOLE_DEVICE_MILLI
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders import strategies as some
from tests.builders.core import NOON, make_group, make_state
from tests.oracle.decisions import decide, spelt_out


def answers(state: SchedulerState) -> tuple[list[Decision | Effect], list[Explanation]]:
    """Return what is decided, and what all who wait are told, of what is held now."""
    return spelt_out(decide(state, NOON)), explain_all(state, sorted(state.waiting), NOON)


@some.fixed(60)
@given(some.nodes(), some.jobs(), some.quotas, st.randoms(use_true_random=False))
def test_the_order_in_which_things_were_loaded_does_not_matter(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...], random: Random
) -> None:
    want = answers(make_state(*nodes, jobs=tuple(jobs), quotas=quotas))
    nodes, jobs, limits = list(nodes), list(jobs), list(quotas)
    for shuffled in (nodes, jobs, limits):
        random.shuffle(shuffled)
    assert answers(make_state(*nodes, jobs=tuple(jobs), quotas=tuple(limits))) == want


@some.fixed(60)
@given(some.nodes(), some.jobs(), some.quotas)
def test_deciding_and_explaining_leave_the_state_as_it_was(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...]
) -> None:
    state = make_state(*nodes, jobs=tuple(jobs), quotas=quotas)
    before = state.digest()
    want = answers(state)
    assert state.digest() == before
    assert answers(state) == want


@some.fixed(60)
@given(some.nodes(), some.jobs(), some.quotas)
def test_every_job_gets_one_decision_and_all_placements_can_be_held_together_within_quota(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...]
) -> None:
    state = make_state(*nodes, jobs=tuple(jobs), quotas=quotas)
    decisions = decide(state, NOON)
    assert sorted(decision.group for decision in decisions) == sorted(state.waiting)
    by_group = {make_group(job).id: job for job in jobs}
    for decision in decisions:
        match decision:
            case Placed():
                tenant = by_group[decision.group].tenant
                state.ledger.apply(Hold(decision.attempt, tenant, decision.allocations))
            case Refused():
                assert decision.reasons
                assert all(isinstance(reason, NeverFits | CannotServe) for reason in decision.reasons)
    for quota in quotas:
        assert state.ledger.queue_devices_milli(quota.queue, quota.resource) <= (quota.limit or 0) * WHOLE_DEVICE_MILLI


@some.fixed(60)
@given(some.nodes(), some.jobs(), some.quotas)
def test_who_waits_after_a_cycle_has_a_reason_once_the_others_hold_their_places(
    nodes: list[Node], jobs: list[Job], quotas: tuple[QueueQuota, ...]
) -> None:
    state = make_state(*nodes, jobs=tuple(jobs), quotas=quotas)
    decisions = decide(state, NOON)
    by_group = {make_group(job).id: job for job in jobs}
    for decision in decisions:
        if isinstance(decision, Placed):
            state.ledger.apply(Hold(decision.attempt, by_group[decision.group].tenant, decision.allocations))
    for decision in decisions:
        if not isinstance(decision, Placed):
            reasons = explain(state, decision.group, NOON).reasons
            assert reasons
            assert len(set(reasons)) == len(reasons)
