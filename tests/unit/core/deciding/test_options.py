from dataclasses import replace

from scheduler.core.deciding.options import find_place, nodes_to_avoid
from scheduler.core.deciding.parts.neighbours import Neighbours
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.ledger.changes import Seat
from scheduler.core.model.job import Alternative, AnyOf, Choice, Job, WorkerRole
from scheduler.core.model.node import NodeState
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import NODE, RACK, Apart, Spread
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.request import request_of
from tests.builders.core import make_job, make_node, make_shape, make_state

NODES = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 8}))
EITHER = AnyOf(("h100", "mlu"))
SERVING = ("app", "serving")


def find(state: SchedulerState, job: Job, placed: Neighbours | None = None) -> GangPlace | None:
    return find_place(state, request_of(job), placed)


def found(state: SchedulerState, job: Job, placed: Neighbours | None = None) -> GangPlace:
    place = find(state, job, placed)
    assert isinstance(place, GangPlace)
    return place


def test_the_option_liked_best_wins_where_it_can_be_had() -> None:
    place = found(make_state(*NODES), make_job(chips=EITHER, workers=2))
    assert {(note.chip, note.choice, note.choices) for note in place.notes} == {("h100", 1, 2)}


def test_the_next_option_is_taken_where_capacity_or_quota_bars_the_first() -> None:
    quota = QueueQuota("alpha", "h100", limit=1)
    for state, workers in ((make_state(*NODES), 3), (make_state(*NODES, quotas=(quota,)), 2)):
        place = found(state, make_job(chips=EITHER, workers=workers))
        assert {(note.chip, note.choice) for note in place.notes} == {("mlu", 2)}


def test_another_size_is_taken_where_there_is_no_room_for_the_first() -> None:
    job = make_job(workers=4, alternatives=(Alternative(8, make_shape(1), ("mlu",)),))
    place = found(make_state(*NODES), job)
    assert [(note.chip, note.choice, note.choices) for note in place.notes] == [("mlu", 2, 2)] * 8


def test_where_the_choice_is_the_best_one_the_order_says_nothing() -> None:
    nodes = (make_node("a", {"h100": 1}), make_node("b", {"h100": 1}), make_node("c", {"mlu": 2}))
    ordered, best = (make_job(chips=EITHER, workers=2, choice=choice) for choice in (Choice.ORDERED, Choice.BEST))
    assert {allocation.chip for allocation in found(make_state(*nodes), ordered).allocations} == {"h100"}
    assert {allocation.node for allocation in found(make_state(*nodes), best).allocations} == {"mixed/c"}


def test_the_best_one_is_chosen_among_those_that_quota_and_capacity_allow() -> None:
    nodes = (make_node("a", {"h100": 1}), make_node("b", {"h100": 1}), make_node("c", {"mlu": 2}))
    job = make_job(chips=EITHER, workers=2, choice=Choice.BEST)
    place = found(make_state(*nodes, quotas=(QueueQuota("alpha", "mlu", limit=1),)), job)
    assert {allocation.chip for allocation in place.allocations} == {"h100"}


def test_a_quota_counts_the_chips_of_all_roles_together() -> None:
    job = make_job(workers=1, roles=(WorkerRole("launcher", 1, make_shape(1), ("h100",)),))
    assert find(make_state(*NODES, quotas=(QueueQuota("alpha", "h100", limit=1),)), job) is None
    assert len(found(make_state(*NODES, quotas=(QueueQuota("alpha", "h100", limit=2),)), job).allocations) == 2


def test_shares_pass_a_quota_that_whole_devices_would_not() -> None:
    state = make_state(*NODES, quotas=(QueueQuota("alpha", "h100", limit=1),))
    half = make_shape(share_milli=500)
    assert isinstance(find(state, make_job(workers=2, shape=half)), GangPlace)
    assert find(state, make_job(workers=3, shape=half)) is None


def test_neighbours_are_kept_off_whether_they_are_live_or_were_placed_just_now() -> None:
    state = make_state(make_node("a"), make_node("b"))
    server = make_job(1, labels=(SERVING,))
    place = found(state, server)
    state.ledger.apply(Seat("s1", "alpha", place.seatings))
    placed = Neighbours()
    placed.place(server, "s1")
    lone = make_job(2, apart=Apart(NODE, (SERVING,)))
    taken = place.allocations[0].node
    assert nodes_to_avoid(state, request_of(lone)) == ()
    assert nodes_to_avoid(state, request_of(lone), placed) == (taken,)
    assert found(state, lone, placed).allocations[0].node != taken
    state.neighbours.place(server, "s1")
    assert nodes_to_avoid(state, request_of(lone)) == (taken,)
    assert nodes_to_avoid(state, request_of(make_job(3))) == ()


def test_who_has_room_only_beside_those_it_keeps_off_has_no_place() -> None:
    state = make_state(make_node("a"), make_node("b", {"h100": 1}))
    server = make_job(1, workers=2, labels=(SERVING,))
    place = found(state, server)
    state.ledger.apply(Seat("s1", "alpha", place.seatings))
    state.neighbours.place(server, "s1")
    lone = make_job(2, workers=2, apart=Apart(NODE, (SERVING,)))
    assert {allocation.node for allocation in place.allocations} == {"mixed/a"}
    assert find(state, lone) is None
    assert isinstance(find(state, make_job(3, workers=2, apart=Apart(NODE, (SERVING,)), tenant="beta")), GangPlace)


def test_a_spread_counts_no_domain_that_takes_no_work() -> None:
    nodes = (make_node("a", rack="r1"), make_node("b", rack="r2", state=NodeState.DRAINED))
    assert find(make_state(*nodes), make_job(workers=2, spread=Spread(RACK, 1))) is None
    assert isinstance(find(make_state(*nodes), make_job(workers=1, spread=Spread(RACK, 1))), GangPlace)


def test_looking_leaves_the_state_as_it_was() -> None:
    state = make_state(*NODES, make_node("c", {"h100": 4, "mlu": 4}))
    before = state.digest()
    job = make_job(workers=2, chips=EITHER, choice=Choice.BEST, exclusive=True)
    for wish in (job, replace(job, tenant="beta"), make_job(workers=99), make_job(shape=make_shape(share_milli=300))):
        find(state, wish)
    assert state.digest() == before
