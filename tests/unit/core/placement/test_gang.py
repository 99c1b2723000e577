from dataclasses import replace

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import NeverFits, NoCluster, PlacementNote, Reason, TooFewFree
from scheduler.core.placement.gang import place
from scheduler.core.placement.request import Placement, PlacementRequest
from scheduler.core.placement.room import Survey
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_request, make_shape


def placed(ledger: Ledger, request: PlacementRequest) -> Placement:
    found = place(Survey(ledger), request)
    assert isinstance(found, Placement)
    return found


def blocked(ledger: Ledger, request: PlacementRequest) -> tuple[Reason, ...]:
    found = place(Survey(ledger), request)
    assert not isinstance(found, Placement)
    return found


def seats(placement: Placement) -> list[tuple[str, tuple[int, ...]]]:
    return [(allocation.node, allocation.slots) for allocation in placement.allocations]


def test_a_gang_is_placed_whole_or_not_at_all() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"h100": 1}))
    assert len(placed(ledger, make_request(3)).allocations) == 3
    assert [type(reason) for reason in blocked(ledger, make_request(4))] == [NeverFits]


def test_workers_of_one_node_get_its_lowest_free_slots_one_after_the_other() -> None:
    ledger = make_ledger(make_node())
    ledger.apply(make_hold("a1", make_allocation((0, 2))))
    assert seats(placed(ledger, make_request(2, shape=make_shape(3)))) == [
        ("mixed/n1", (1, 3, 4)),
        ("mixed/n1", (5, 6, 7)),
    ]


def test_every_rank_holds_what_its_shape_asks_for() -> None:
    shape = make_shape(2, cpu_milli=3_000, memory_mib=5_000)
    placement = placed(make_ledger(make_node()), make_request(2, shape=shape))
    assert placement.allocations[1] == Allocation(1, "mixed/n1", "h100", (2, 3), 3_000, 5_000)


def test_the_ranks_of_a_mix_come_in_the_order_of_the_mix() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("b", {"mlu": 8}))
    placement = placed(ledger, make_request({"mlu": 2, "h100": 1}))
    assert [(a.rank, a.chip, a.node) for a in placement.allocations] == [
        (0, "mlu", "mixed/b"),
        (1, "mlu", "mixed/b"),
        (2, "h100", "mixed/a"),
    ]


def test_a_note_says_truthfully_why_a_rank_is_where_it_is() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 4}, rack="r1"),
        make_node("b", {"h100": 8}, rack="r1"),
        make_node("c", {"h100": 1}, rack="r2"),
    )
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b")))
    request = PlacementRequest(make_shape(2), (("h100", 5),), choice=2, choices=3)
    notes = placed(ledger, request).notes
    assert notes[0] == PlacementNote(
        rank=0,
        node="mixed/a",
        chip="h100",
        choice=2,
        choices=3,
        domain_level="rack",
        domain="r1",
        nodes_considered=2,
        devices_free_before=4,
        devices_free_after=0,
    )
    assert [(note.rank, note.node) for note in notes[2:]] == [(2, "mixed/b"), (3, "mixed/b"), (4, "mixed/b")]
    assert {(note.devices_free_before, note.devices_free_after) for note in notes[2:]} == {(7, 1)}


def test_the_smallest_domain_is_named_for_each_chip_type_of_its_own() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, rack="r1"), make_node("b", {"h100": 1}, rack="r2"), make_node("c", {"mlu": 2})
    )
    notes = placed(ledger, make_request({"h100": 2, "mlu": 2})).notes
    assert [(note.domain_level, note.domain) for note in notes] == [
        ("cluster", "mixed"),
        ("cluster", "mixed"),
        ("node", "mixed/c"),
        ("node", "mixed/c"),
    ]


def test_nodes_without_a_rack_are_only_together_in_their_cluster() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1}), make_node("b", {"h100": 1}))
    assert {note.domain_level for note in placed(ledger, make_request(2)).notes} == {"cluster"}


def test_a_gang_never_spans_two_clusters() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1}, cluster="east"), make_node("a", {"h100": 1}, cluster="west"))
    reasons = blocked(ledger, make_request(2))
    assert [reason.cluster for reason in reasons if isinstance(reason, NeverFits)] == ["east", "west"]


def test_a_cluster_where_the_gang_sits_closer_together_is_preferred() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, cluster="east"),
        make_node("b", {"h100": 1}, cluster="east"),
        make_node("a", {"h100": 8}, cluster="west"),
    )
    assert {a.node for a in placed(ledger, make_request(2)).allocations} == {"west/a"}


def test_the_tighter_cluster_is_preferred_and_then_the_first_by_name() -> None:
    roomy, tight = make_node("a", cluster="east"), make_node("a", {"h100": 2}, cluster="west")
    assert placed(make_ledger(roomy, tight), make_request(2)).allocations[0].node == "west/a"
    twin = make_node("a", {"h100": 2}, cluster="north")
    assert placed(make_ledger(tight, twin), make_request(2)).allocations[0].node == "north/a"


def test_only_ready_nodes_take_new_work() -> None:
    ledger = make_ledger(make_node("a", state=NodeState.DRAINED), make_node("b"), make_node("c", state=NodeState.GONE))
    assert placed(ledger, make_request(8)).allocations[0].node == "mixed/b"


def test_clusters_where_it_could_fit_hide_those_where_it_never_does() -> None:
    ledger = make_ledger(make_node("a", {"mlu": 8}, cluster="east"), make_node("a", cluster="west"))
    ledger.apply(make_hold("a1", make_allocation((0,), node="west/a")))
    (reason,) = blocked(ledger, make_request(8))
    assert isinstance(reason, TooFewFree)
    assert reason.cluster == "west"


def test_without_any_nodes_there_is_no_cluster() -> None:
    assert blocked(make_ledger(), make_request(1)) == (NoCluster(),)
    assert blocked(make_ledger(make_node(state=NodeState.GONE)), make_request(1)) == (NoCluster(),)


def test_the_ledger_is_only_read() -> None:
    ledger = make_ledger(make_node())
    before = (ledger.digest(), ledger.changes)
    placed(ledger, make_request(2))
    blocked(ledger, make_request(9))
    assert (ledger.digest(), ledger.changes) == before


def test_a_cluster_that_must_not_be_used_is_no_place_and_no_reason() -> None:
    ledger = make_ledger(make_node("a", cluster="east"), make_node("a", cluster="west"))
    request = replace(make_request(1), without=("east",))
    assert {allocation.node for allocation in placed(ledger, request).allocations} == {"west/a"}
    (reason,) = blocked(ledger, replace(make_request(9), without=("east",)))
    assert isinstance(reason, NeverFits)
    assert reason.cluster == "west"
    assert blocked(ledger, replace(request, without=("east", "west"))) == (NoCluster(),)
