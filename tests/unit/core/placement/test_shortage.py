import pytest

from scheduler.core.ledger.changes import PutNode
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.reason import Holder, Limit, NeverFits, Resource, TooFewFree
from scheduler.core.placement.request import PlacementRequest
from scheduler.core.placement.room import Survey
from scheduler.core.placement.seating import Unseated, seat_gang
from scheduler.core.placement.shortage import shortages
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_request, make_shape


def why(ledger: Ledger, request: PlacementRequest) -> tuple[NeverFits, ...] | tuple[TooFewFree, ...]:
    survey = Survey(ledger)
    room = survey.now("mixed", request.totals(), request.shape)
    unseated = seat_gang(room, request.totals())
    assert isinstance(unseated, Unseated)
    return shortages(survey, request, room=room, unseated=unseated)


def test_too_few_free_says_what_is_free_and_who_holds_the_rest() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"), make_node("c"), make_node("d", state=NodeState.DRAINED))
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a"), tenant="beta"))
    ledger.apply(make_hold("a2", make_allocation((2,), node="mixed/a"), make_allocation((0,), node="mixed/b")))
    ledger.apply(make_hold("a3", make_allocation((7,), node="mixed/a"), tenant="beta"))
    want = TooFewFree(
        cluster="mixed",
        chip="h100",
        workers=3,
        devices_per_worker=8,
        workers_fit=1,
        nodes_fit=1,
        devices_free=4 + 7 + 8,
        devices_drained=8,
        holders=(Holder("beta", 3), Holder("alpha", 2)),
        limit=Limit(Resource.DEVICES, asked=8, most=8),
    )
    assert why(ledger, make_request(3, shape=make_shape(8))) == (want,)


LIMITS: dict[str, tuple[Node, PlacementRequest]] = {
    "devices": (make_node(), make_request(2, shape=make_shape(5))),
    "cpu": (make_node(cpu_milli=2_500), make_request(3)),
    "memory": (make_node(memory_mib=2_047), make_request(2)),
    "pods": (make_node(pods=4), make_request(5)),
}

LIMITED_BY = {
    "devices": Limit(Resource.DEVICES, asked=5, most=8),
    "cpu": Limit(Resource.CPU, asked=1_000, most=2_500),
    "memory": Limit(Resource.MEMORY, asked=1_024, most=2_047),
    "pods": Limit(Resource.PODS, asked=1, most=4),
}


@pytest.mark.parametrize("resource", LIMITS)
def test_what_never_fits_names_the_resource_that_runs_out(resource: str) -> None:
    node, request = LIMITS[resource]
    (reason,) = why(make_ledger(node), request)
    assert isinstance(reason, NeverFits)
    assert reason.limit == LIMITED_BY[resource]
    assert reason.workers_fit_empty == request.workers[0][1] - 1
    assert reason.largest_node_devices == 8


def test_a_chip_that_the_cluster_lacks_never_fits() -> None:
    (reason,) = why(make_ledger(make_node()), make_request(1, chip="mlu"))
    assert reason == NeverFits(
        "mixed", "mlu", 1, 1, workers_fit_empty=0, largest_node_devices=0, limit=Limit(Resource.DEVICES, 1, 0)
    )


def test_an_absurd_count_never_fits() -> None:
    (reason,) = why(make_ledger(make_node()), make_request(10**9, shape=make_shape(10**9)))
    assert isinstance(reason, NeverFits)
    assert reason.limit == Limit(Resource.DEVICES, 10**9, 8)


def test_a_drained_node_may_come_back_so_that_nothing_is_refused_for_it() -> None:
    (reason,) = why(make_ledger(make_node(state=NodeState.DRAINED)), make_request(1))
    assert isinstance(reason, TooFewFree)
    assert (reason.devices_free, reason.devices_drained) == (0, 8)


def test_a_mix_that_fits_part_by_part_but_not_together_is_limited_by_what_it_shares() -> None:
    node = make_node(devices={"h100": 2, "mlu": 2}, cpu_milli=3_000)
    (reason,) = why(make_ledger(node), make_request({"h100": 2, "mlu": 2}))
    assert isinstance(reason, NeverFits)
    assert (reason.chip, reason.workers_fit_empty, reason.limit.resource) == ("mlu", 1, Resource.CPU)


def test_only_the_part_of_a_mix_that_is_short_is_named() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b", chip="mlu")))
    (reason,) = why(ledger, make_request({"h100": 2, "mlu": 2}))
    assert isinstance(reason, TooFewFree)
    assert (reason.chip, reason.workers, reason.workers_fit) == ("mlu", 2, 1)


def test_a_part_that_never_fits_hides_one_that_is_only_short_now() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b", chip="mlu")))
    (reason,) = why(ledger, make_request({"h100": 3, "mlu": 2}))
    assert isinstance(reason, NeverFits)
    assert reason.chip == "h100"


def test_what_fits_again_after_a_node_grew_was_never_remembered_as_impossible() -> None:
    ledger = make_ledger(make_node(devices={"h100": 1}))
    request = make_request(2)
    assert isinstance(why(ledger, request)[0], NeverFits)
    ledger.apply(make_hold("a1", make_allocation((0,))))
    ledger.apply(PutNode(make_node(devices={"h100": 2})))
    assert isinstance(why(ledger, request)[0], TooFewFree)


@pytest.mark.parametrize(
    ("node", "held", "want"),
    [
        (make_node(cpu_milli=3_000), 2, Limit(Resource.CPU, asked=1_000, most=1_000)),
        (make_node(memory_mib=3_000), 2, Limit(Resource.MEMORY, asked=1_024, most=3_000 - 2 * 1_024)),
        (make_node(pods=3), 2, Limit(Resource.PODS, asked=1, most=1)),
        (make_node(), 7, Limit(Resource.DEVICES, asked=1, most=1)),
    ],
)
def test_what_is_short_now_is_named_even_where_devices_are_free(node: Node, held: int, want: Limit) -> None:
    ledger = make_ledger(node)
    ledger.apply(make_hold("a1", *(make_allocation((slot,), node=node.id, rank=slot) for slot in range(held))))
    (reason,) = why(ledger, make_request(2))
    assert isinstance(reason, TooFewFree)
    assert reason.limit == want
