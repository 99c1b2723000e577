from dataclasses import dataclass, replace
from itertools import product
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.ledger.changes import Hold, PutNode, Restore
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.reason import NeverFits, NoCluster, TooFewFree
from scheduler.core.model.topology import RACK
from scheduler.core.placement.gang import place
from scheduler.core.placement.request import Placement, PlacementRequest
from scheduler.core.placement.room import Survey
from tests.builders import strategies as some


@dataclass(frozen=True)
class Scene:
    nodes: list[Node]
    holds: list[Restore]

    def ledger(self) -> Ledger:
        ledger = Ledger()
        for node in self.nodes:
            ledger.apply(PutNode(node))
        for hold in self.holds:
            ledger.apply(hold)
        return ledger

    def held(self) -> list[Allocation]:
        return [allocation for hold in self.holds for allocation in hold.allocations]

    def when_empty(self) -> "Scene":
        ready = [replace(node, state=NodeState.READY) for node in self.nodes if node.state is not NodeState.GONE]
        return Scene(ready, [])


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    nodes = draw(some.nodes())
    return Scene(nodes, draw(some.holds(nodes)))


scarce_scenes = some.scarce_nodes().map(lambda nodes: Scene(nodes, []))
questions = st.tuples(scenes(), some.requests) | st.tuples(scarce_scenes, some.scarce_requests)
one_chip_questions = st.tuples(scenes() | scarce_scenes, some.single_chip_requests)


def free_devices(node: Node, chip: str, held: list[Allocation]) -> int:
    """Return the lesser of what the slots and what the counts leave; they differ on a node that shrank."""
    own = node.slots(chip)
    by_slots = len(set(own) - {slot for allocation in held for slot in allocation.slots})
    return min(by_slots, len(own) - sum(len(allocation.slots) for allocation in held if allocation.chip == chip))


def workers_fit(scene: Scene, node: Node, request: PlacementRequest, seated: dict[str, int]) -> bool:
    """Say whether so many workers per chip type fit on a node, from first principles."""
    held = [allocation for allocation in scene.held() if allocation.node == node.id]
    count = sum(seated.values())
    devices_fit = all(
        not number or number * request.shape.devices <= free_devices(node, chip, held)
        for chip, number in seated.items()
    )
    return not count or (
        node.state is NodeState.READY
        and devices_fit
        and (request.shape.cpu_milli * count <= max(0, node.cpu_milli - sum(a.cpu_milli for a in held)))
        and (request.shape.memory_mib * count <= max(0, node.memory_mib - sum(a.memory_mib for a in held)))
        and len(held) + count <= node.pods
    )


def splits(workers: int, nodes: int) -> list[tuple[int, ...]]:
    return [split for split in product(range(workers + 1), repeat=nodes) if sum(split) == workers]


def has_a_place(scene: Scene, request: PlacementRequest) -> bool:
    """Try every way to spread the gang over the nodes of each cluster."""
    wanted = request.totals()
    for cluster in sorted({node.cluster for node in scene.nodes}):
        nodes = [node for node in scene.nodes if node.cluster == cluster]
        for spread in product(*(splits(workers, len(nodes)) for workers in wanted.values())):
            rows = zip(*spread, strict=True)
            seated = [dict(zip(wanted, row, strict=True)) for row in rows]
            if all(workers_fit(scene, node, request, seats) for node, seats in zip(nodes, seated, strict=True)):
                return True
    return False


@some.fixed(150)
@given(questions)
def test_a_gang_has_a_place_exactly_where_an_exhaustive_search_finds_one(
    question: tuple[Scene, PlacementRequest],
) -> None:
    scene, request = question
    found = place(Survey(scene.ledger()), request)
    assert isinstance(found, Placement) == has_a_place(scene, request)


@some.fixed(150)
@given(questions)
def test_a_gang_is_said_never_to_fit_exactly_where_it_does_not_fit_into_the_empty_clusters(
    question: tuple[Scene, PlacementRequest],
) -> None:
    scene, request = question
    found = place(Survey(scene.ledger()), request)
    if isinstance(found, Placement):
        return
    empty = scene.when_empty()
    want = TooFewFree if has_a_place(empty, request) else NeverFits if empty.nodes else NoCluster
    assert {type(reason) for reason in found} == {want}


@some.fixed(150)
@given(questions)
def test_a_placed_gang_is_whole_and_within_what_is_free(question: tuple[Scene, PlacementRequest]) -> None:
    scene, request = question
    ledger = scene.ledger()
    found = place(Survey(ledger), request)
    if not isinstance(found, Placement):
        return
    want_chips = [chip for chip, workers in request.workers for _ in range(workers)]
    assert [(a.rank, a.chip) for a in found.allocations] == list(enumerate(want_chips))
    assert {len(a.slots) for a in found.allocations} == {request.shape.devices}
    assert len({a.node.split("/")[0] for a in found.allocations}) == 1
    nodes = {node.id: node for node in scene.nodes}
    for name in {allocation.node for allocation in found.allocations}:
        here = [a for a in found.allocations if a.node == name]
        seated = {chip: sum(a.chip == chip for a in here) for chip in some.CHIPS}
        assert workers_fit(scene, nodes[name], request, seated)
        taken = [slot for a in [*here, *scene.held()] if a.node == name for slot in a.slots]
        assert len(taken) == len(set(taken))
        assert all(slot in nodes[name].slots(a.chip) for a in here for slot in a.slots)
    ledger.apply(Hold("new", "alpha", found.allocations))


@some.fixed(150)
@given(one_chip_questions)
def test_a_gang_of_one_chip_type_sits_in_the_smallest_domain_there_is(
    question: tuple[Scene, PlacementRequest],
) -> None:
    scene, request = question
    found = place(Survey(scene.ledger()), request)
    if not isinstance(found, Placement):
        return
    one_node = any(has_a_place(Scene([node], scene.holds), request) for node in scene.nodes)
    racks = {(node.cluster, node.topology.domain(RACK)) for node in scene.nodes}
    one_rack = any(
        has_a_place(
            Scene([n for n in scene.nodes if (n.cluster, n.topology.domain(RACK)) == rack], scene.holds), request
        )
        for rack in racks
        if rack[1] is not None
    )
    want_level = "node" if one_node else "rack" if one_rack else "cluster"
    assert {note.domain_level for note in found.notes} == {want_level}


@some.fixed(60)
@given(questions, st.randoms(use_true_random=False))
def test_the_order_in_which_nodes_and_holdings_appeared_does_not_matter(
    question: tuple[Scene, PlacementRequest], random: Random
) -> None:
    scene, request = question
    want = place(Survey(scene.ledger()), request)
    nodes, holds = list(scene.nodes), list(scene.holds)
    random.shuffle(nodes)
    random.shuffle(holds)
    assert place(Survey(Scene(nodes, holds).ledger()), request) == want
