from scheduler.core.deciding.options import Blocked, find_place, most_binding_first
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.job import AnyOf, ExactMix, Job
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import BackingOff, Limit, NeverFits, NoCluster, QuotaExceeded, Resource, TooFewFree
from scheduler.core.model.tenant import Quota
from scheduler.core.placement.request import Placement
from scheduler.core.placement.room import Survey
from tests.builders.core import NOON, make_job, make_node, make_state

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))


def find(state: SchedulerState, job: Job) -> Placement | Blocked:
    return find_place(state, Survey(state.ledger), job)


def blocked(state: SchedulerState, job: Job) -> Blocked:
    found = find(state, job)
    assert isinstance(found, Blocked)
    return found


def test_the_option_liked_best_wins_where_it_can_be_had() -> None:
    found = find(make_state(*NODES), make_job(chips=AnyOf(("h100", "mlu")), workers=2))
    assert isinstance(found, Placement)
    assert {(note.chip, note.choice, note.choices) for note in found.notes} == {("h100", 1, 2)}


def test_the_next_option_is_taken_where_capacity_or_quota_bars_the_first() -> None:
    quota = Quota("alpha", "h100", 1)
    for state, workers in ((make_state(*NODES), 3), (make_state(*NODES, quotas=(quota,)), 2)):
        found = find(state, make_job(chips=AnyOf(("h100", "mlu")), workers=workers))
        assert isinstance(found, Placement)
        assert {(note.chip, note.choice) for note in found.notes} == {("mlu", 2)}


def test_a_quota_counts_devices_and_every_chip_type_of_a_mix() -> None:
    quotas = (Quota("alpha", "h100", 1), Quota("alpha", "mlu", 0))
    found = blocked(make_state(*NODES, quotas=quotas), make_job(chips=ExactMix((("h100", 2), ("mlu", 1)))))
    assert found == Blocked(
        (QuotaExceeded("alpha", "h100", 1, 0, 2), QuotaExceeded("alpha", "mlu", 0, 0, 1)), is_final=False
    )


def test_all_that_blocks_is_named_with_the_quota_before_capacity() -> None:
    state = make_state(*NODES, make_node("c", {"mlu": 8}, state=NodeState.DRAINED), quotas=(Quota("alpha", "mlu", 9),))
    found = blocked(state, make_job(chips=AnyOf(("h100", "mlu")), workers=16))
    assert [type(reason) for reason in found.reasons] == [QuotaExceeded, TooFewFree, NeverFits]
    assert not found.is_final


def test_blocked_is_final_only_where_every_option_needs_more_than_there_is() -> None:
    state = make_state(*NODES, quotas=(Quota("alpha", "h100", 0),))
    assert blocked(state, make_job(chips=AnyOf(("h100", "mlu")), workers=9)).is_final
    assert not blocked(state, make_job(workers=2)).is_final


def test_without_nodes_nothing_is_final() -> None:
    assert blocked(make_state(), make_job()) == Blocked((NoCluster(),), is_final=False)


def test_reasons_come_most_binding_first_and_each_once() -> None:
    pause, quota = BackingOff(NOON, 1, 1), QuotaExceeded("alpha", "h100", 1, 0, 2)
    never = NeverFits("mixed", "h100", 9, 1, 8, 8, Limit(Resource.DEVICES, 1, 8))
    assert most_binding_first([never, quota, never, pause]) == (pause, quota, never)
