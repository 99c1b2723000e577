from dataclasses import dataclass, replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.ledger.changes import Hold, PutNode, Release, Restore, Seat
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node, NodeState
from scheduler.core.model.topology import CLUSTER, NODE
from scheduler.core.placement.gang import place
from scheduler.core.placement.placement import GangPlace
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.request import request_of
from scheduler.core.placement.room.fitting import can_never_fit
from scheduler.core.placement.scoring.job_mix import mix_of, worker_kinds
from tests.builders import strategies as some
from tests.oracle.exhaustive import Fleet, domain_of, levels_of

MIX = mix_of(dict(worker_kinds(some.make_wishing_job().spec)))


@dataclass(frozen=True)
class Scene:
    """A tiny cluster, what is held there, and a gang that looks for its place."""

    nodes: list[Node]
    holds: list[Restore]
    job: Job
    avoided: tuple[str, ...] = ()

    def ledger(self) -> Ledger:
        ledger = Ledger()
        for node in self.nodes:
            ledger.apply(PutNode(node))
        for hold in self.holds:
            ledger.apply(hold)
        return ledger

    def fleet(self) -> Fleet:
        return Fleet(self.nodes, [one for hold in self.holds for one in hold.allocations])

    def place(self, ledger: Ledger | None = None) -> GangPlace | None:
        request = request_of(self.job)
        return place(Placer(ledger or self.ledger(), mix=MIX), request, request.options[0], self.avoided)

    def has_place(self) -> bool:
        return self.fleet().has_place(self.job, self.job.spec.options()[0], avoided=self.avoided)

    def when_empty(self) -> "Scene":
        ready = [replace(node, state=NodeState.READY) for node in self.nodes if node.state is not NodeState.GONE]
        return replace(self, nodes=ready, holds=[], avoided=())


@st.composite
def scenes(draw: st.DrawFn, *, parts: int = 2, most: int = 5, is_scarce: bool = False) -> Scene:
    nodes = draw(some.scarce_nodes() if is_scarce else some.nodes())
    holds = [] if is_scarce else draw(some.holds(nodes))
    job = draw(some.gangs(parts=parts, most=most))
    avoided = draw(st.lists(st.sampled_from([node.id for node in nodes]), max_size=2)) if job.spec.apart else []
    return Scene(nodes, holds, job, tuple(avoided))


any_scene = scenes() | scenes(is_scarce=True)


@some.fixed(600)
@given(any_scene)
def test_a_gang_has_a_place_exactly_where_an_exhaustive_search_finds_one(scene: Scene) -> None:
    assert (scene.place() is not None) == scene.has_place()


@some.fixed(200)
@given(any_scene)
def test_what_is_said_never_to_fit_has_no_place_in_the_empty_clusters_and_one_part_alone_is_always_told(
    scene: Scene,
) -> None:
    empty = scene.when_empty()
    if not empty.nodes:
        return
    is_never = can_never_fit(scene.ledger(), request_of(scene.job))
    if len(scene.job.spec.options()[0]) == 1:
        assert is_never != empty.has_place()
    assert not (is_never and empty.has_place())


@some.fixed(400)
@given(any_scene)
def test_a_placed_gang_is_whole_within_what_is_free_and_as_it_wished(scene: Scene) -> None:
    ledger = scene.ledger()
    before = ledger.digest()
    found = scene.place(ledger)
    assert ledger.digest() == before
    if found is None:
        return
    job, allocations = scene.job, found.allocations
    want = [part for part in job.spec.options()[0] for _ in range(part.workers)]
    assert [one.rank for one in allocations] == [note.rank for note in found.notes] == list(range(len(want)))
    assert [(one.chip, one.role) for one in allocations] == [(part.chip, part.role) for part in want]
    for one, part in zip(allocations, want, strict=True):
        shape = part.shape
        assert (one.devices, one.share_milli, one.share_memory_mib) == (
            shape.devices,
            shape.share_milli,
            shape.share_memory_mib,
        )
        assert (one.cpu_milli, one.memory_mib) == (shape.cpu_milli, shape.memory_mib)
    assert_as_wished(scene, allocations)
    ledger.apply(Hold("new", job.tenant, allocations))
    held = ledger.digest()
    ledger.apply(Release("new"))
    ledger.apply(Seat("new", job.tenant, found.seatings))
    assert ledger.digest() == held


def assert_as_wished(scene: Scene, allocations: tuple[Allocation, ...]) -> None:
    """Fail where a gang is not where its job wants to be; room is not looked at."""
    spec, fleet = scene.job.spec, scene.fleet()
    nodes = {node.id: node for node in scene.nodes}
    where = [nodes[one.node] for one in allocations]
    (cluster,) = {node.cluster for node in where}
    assert cluster not in spec.objecting_clusters
    present = [node for node in scene.nodes if node.cluster == cluster and node.state is not NodeState.GONE]
    usable = fleet.usable(scene.job, present, set(scene.avoided))
    assert all(node in usable for node in where)
    levels = (NODE, *levels_of(present), CLUSTER)
    required = spec.closeness.required or CLUSTER
    within = levels[: levels.index(required) + 1]
    assert any(
        len(places := {domain_of(node, level) for node in where}) == 1 and None not in places for level in within
    )
    if spec.spread is not None:
        taken = [domain_of(node, spec.spread.level) for node in where]
        assert None not in taken
        assert max(taken.count(domain) for domain in taken) <= spec.spread.most
    if spec.exclusive:
        for node in set(where):
            assert sum(one.pods for one in allocations if one.node == node.id) == node.pods


def tiers(scene: Scene) -> list[list[Node]]:
    """Return the nodes to look at in turn: the tenant's own, everybody's, both, and then degraded ones as well."""
    tenant = scene.job.tenant
    sound = [node for node in scene.nodes if node.state is NodeState.READY]
    own, shared = ([node for node in sound if node.tenant == owner] for owner in (tenant, None))
    worse = [node for node in scene.nodes if node.state is NodeState.DEGRADED]
    gone = [node for node in scene.nodes if node.state is NodeState.GONE]
    return [[*tier, *gone] for tier in (own, shared, [*own, *shared], [*own, *shared, *worse])]


@some.fixed(300)
@given(scenes(parts=1, most=1))
def test_a_single_worker_gets_the_node_with_the_best_score_of_the_first_tier_that_has_room(scene: Scene) -> None:
    ledger = scene.ledger()
    found = scene.place(ledger)
    if found is None or len({node.cluster for node in scene.nodes}) > 1:
        return
    demand = request_of(scene.job).options[0].parts[0].demand
    entries = ledger.inventory.entries
    scores = Placer(ledger, mix=MIX).scores(ledger.inventory.fit(demand))
    fitting = next(
        fitting
        for tier in tiers(scene)
        if (fitting := [node.id for node in tier if replace(scene, nodes=others(scene, tier, node)).has_place()])
    )
    best = min(fitting, key=lambda name: (-scores[entries[name].leftover], name))
    assert found.allocations[0].node == best


def others(scene: Scene, tier: list[Node], node: Node) -> list[Node]:
    """Return all nodes, of which only one takes work."""
    assert node in tier
    return [
        one if one is node or one.state is NodeState.GONE else replace(one, state=NodeState.SUSPECT)
        for one in scene.nodes
    ]


@some.fixed(300)
@given(scenes(parts=1) | scenes(parts=1, is_scarce=True))
def test_a_gang_of_one_part_sits_in_the_smallest_domain_there_is_in_the_first_tier_that_has_room(scene: Scene) -> None:
    found = scene.place()
    spec = scene.job.spec
    is_spread = spec.spread is not None and spec.spread.level != NODE
    if found is None or spec.closeness.preferred is not None or is_spread:
        return
    (cluster,) = {note.node.split("/")[0] for note in found.notes}
    present = [node for node in scene.nodes if node.cluster == cluster and node.state is not NodeState.GONE]
    levels = (NODE, *levels_of(present), CLUSTER)
    for tier in tiers(scene):
        asleep = [node if node in tier else replace(node, state=NodeState.SUSPECT) for node in present]
        within = replace(scene, nodes=asleep)
        if not within.has_place():
            continue
        for level in levels:
            closeness = replace(spec.closeness, required=level)
            nearer = replace(scene.job, spec=replace(spec, closeness=closeness))
            if replace(within, job=nearer).has_place():
                assert {note.domain_level for note in found.notes} == {level}
                return
    raise AssertionError("there is no such place")


@some.fixed(150)
@given(any_scene, st.randoms(use_true_random=False))
def test_the_order_in_which_nodes_and_holdings_appeared_does_not_matter(scene: Scene, random: Random) -> None:
    want = scene.place()
    nodes, holds = list(scene.nodes), list(scene.holds)
    random.shuffle(nodes)
    random.shuffle(holds)
    ledger = replace(scene, nodes=nodes, holds=holds).ledger()
    for node in nodes:  # changes that are taken back leave no trace
        undo = ledger.apply(PutNode(replace(node, cpu_milli=1, state=NodeState.SUSPECT, topology=some.TOPOLOGIES[2])))
        scene.place(ledger)
        ledger.apply(undo)
    found = scene.place(ledger)
    assert (found is None) == (want is None)
    if found is not None and want is not None:
        assert (found.allocations, found.notes) == (want.allocations, want.notes)


@some.fixed(200)
@given(any_scene)
def test_degraded_nodes_are_used_only_where_all_others_have_no_room(scene: Scene) -> None:
    found = scene.place()
    if found is None:
        return
    degraded = {node.id for node in scene.nodes if node.state is NodeState.DEGRADED}
    without = [replace(node, state=NodeState.SUSPECT) if node.id in degraded else node for node in scene.nodes]
    if {one.node for one in found.allocations} & degraded:
        (cluster,) = {one.node.split("/")[0] for one in found.allocations}
        assert not replace(scene, nodes=[node for node in without if node.cluster == cluster]).has_place()
