"""Places for whole gangs: of one part or several, in one of the clusters."""

import pytest

from scheduler.core.ledger.changes import Hold, LedgerChange, Seat
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import AnyOf, ExactMix, WorkerRole
from scheduler.core.model.node import Cluster, NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Apart, Closeness, Spread
from scheduler.core.placement.request import GangRequest
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask, find, found, seats, seats_of

LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())
WEB = (("app", "web"),)


def by_role(ledger: Ledger, request: GangRequest) -> list[tuple[str, str]]:
    place = found(ledger, request)
    return [(held.role, held.node.partition("/")[2]) for held in place.allocations]


def test_a_gang_is_placed_whole_or_not_at_all() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}), make_node("b", {"h100": 1}))
    assert seats_of(ledger, ask(3)) == {"a": 2, "b": 1}
    assert find(ledger, ask(4)) is None


def test_the_ledger_is_afterwards_as_it_was() -> None:
    ledger = make_ledger(*(make_node(f"{rack}{at}", rack=rack) for rack in ("r1", "r2") for at in (1, 2)))
    before = ledger.digest()
    for request in (
        ask(9),
        ask(5, shape=HALF_A_DEVICE),
        ask(4, roles=(LAUNCHER,)),
        ask(4, roles=(LAUNCHER,), spread=Spread(NODE, 2)),
        ask(4, spread=Spread(RACK, 2)),
        ask(4, apart=Apart(RACK, WEB)),
        ask(40, roles=(LAUNCHER,), closeness=Closeness(RACK)),
    ):
        find(ledger, request, avoid=("mixed/r11",))
        assert ledger.digest() == before


def test_what_is_placed_can_be_held_as_allocations_and_as_seats_alike() -> None:
    request = ask(3, chips=ExactMix((("h100", 2), ("mlu", 1))), roles=(LAUNCHER,), exclusive=True)
    nodes = (make_node("a", {"h100": 2}), make_node("b", {"mlu": 2}), make_node("c", {"h100": 1}))
    spelt, seated = make_ledger(*nodes), make_ledger(*nodes)
    spelt.apply(Hold("a1", "alpha", found(spelt, request).allocations))
    seated.apply(Seat("a1", "alpha", found(seated, request).seatings))
    assert spelt.digest() == seated.digest()


def test_each_role_of_an_exclusive_gang_and_each_chip_type_of_its_mix_needs_nodes_of_its_own() -> None:
    both = ExactMix((("h100", 2), ("mlu", 1)))
    nodes = [make_node(name, {"h100": 8, "mlu": 8}) for name in "abc"]
    for request, kinds in ((ask(2, roles=(LAUNCHER,), exclusive=True), 2), (ask(chips=both, exclusive=True), 2)):
        assert find(make_ledger(*nodes[: kinds - 1]), request) is None
        assert sorted((seats_of(make_ledger(*nodes[:kinds]), request) or {}).values()) == [1, 2]
    three = ask(chips=both, roles=(LAUNCHER,), exclusive=True)
    assert find(make_ledger(*nodes[:2]), three) is None
    assert sorted((seats_of(make_ledger(*nodes), three) or {}).values()) == [1, 1, 2]


def test_a_mix_gets_exactly_its_numbers_of_each_chip_type_each_in_its_own_tightest_domain() -> None:
    ledger = make_ledger(make_node("a", {"h100": 8}), make_node("b", {"h100": 4}), make_node("c", {"mlu": 2}))
    request = ask(chips=ExactMix((("mlu", 1), ("h100", 4))))
    assert [(held.chip, held.node) for held in found(ledger, request).allocations] == [
        ("mlu", "mixed/c"),
        *[("h100", "mixed/b")] * 4,
    ]


def test_workers_of_two_chip_types_share_the_cpu_of_one_node() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2, "mlu": 2}, cpu_milli=3_000))
    assert seats_of(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 1))), shape=make_shape())) == {"a": 3}
    assert find(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 2))), shape=make_shape())) is None


def test_a_part_makes_room_for_another_that_can_sit_nowhere_else() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000), make_node("b", {"h100": 4}))
    request = ask(chips=ExactMix((("h100", 1), ("mlu", 1))), shape=make_shape())
    assert seats_of(ledger, request) == {"b": 1, "a": 1}


def test_room_is_made_along_a_row_of_parts() -> None:
    ledger = make_ledger(
        make_node("n1", {"a": 1, "b": 1}, cpu_milli=1_000),
        make_node("n2", {"b": 1, "c": 1}, cpu_milli=1_000),
        make_node("n3", {"a": 9}),
    )
    request = ask(chips=ExactMix((("a", 1), ("b", 1), ("c", 1))), shape=make_shape())
    assert seats_of(ledger, request) == {"n3": 1, "n1": 1, "n2": 1}


def test_ranks_go_through_the_main_workers_first_and_then_through_each_role() -> None:
    ledger = make_ledger(make_node("a"), make_node("b", {}))
    assert [role for role, _ in by_role(ledger, ask(2, roles=(LAUNCHER,)))] == ["worker", "worker", "launcher"]


def test_a_launcher_may_be_anywhere_unless_a_level_is_required() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 8}, rack="r1"),
        make_node("big", {}, rack="r1"),
        make_node("small", {}, rack="r2", cpu_milli=1_000),
    )
    assert by_role(ledger, ask(8, roles=(LAUNCHER,)))[-1] == ("launcher", "small"), "the tightest node"
    near = ask(8, roles=(LAUNCHER,), closeness=Closeness(RACK))
    assert by_role(ledger, near)[-1][1] in {"a", "big"}


def test_all_parts_of_a_gang_share_a_domain_of_the_required_level_that_is_tightest_for_the_workers() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 4}, rack="r1", cpu_milli=0),
        make_node("b", {"h100": 5}, rack="r2", cpu_milli=0),
        make_node("c", {}, rack="r2"),
        make_node("d", {}, rack="r3"),
    )
    request = ask(4, roles=(LAUNCHER,), closeness=Closeness(RACK))
    assert seats_of(ledger, request) == {"b": 4, "c": 1}, "r1 is tighter and has no room for the launcher"
    assert find(ledger, ask(6, roles=(LAUNCHER,), closeness=Closeness(RACK))) is None


def test_a_gang_never_spans_two_clusters() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1}, cluster="east"), make_node("a", {"h100": 1}, cluster="west"))
    assert find(ledger, ask(2)) is None


def clusters(ledger: Ledger, request: GangRequest) -> set[str]:
    return {held.node.partition("/")[0] for held in found(ledger, request).allocations}


def test_the_cluster_where_the_gang_sits_closest_together_is_taken_and_among_equals_the_first_by_name() -> None:
    east = [make_node(name, {"h100": 1}, cluster="east", rack=rack) for name, rack in (("a", "r1"), ("b", "r2"))]
    north = [make_node(name, {"h100": 1}, cluster="north", rack="r1") for name in "ab"]
    west, south = (make_node("a", {"h100": 8}, cluster=name) for name in ("west", "south"))
    assert clusters(make_ledger(*east, *north), ask(2)) == {"north"}
    assert clusters(make_ledger(*east, *north, west), ask(2)) == {"west"}
    assert clusters(make_ledger(*east, *north, west, south), ask(2)) == {"south"}
    assert clusters(make_ledger(*east, *north, west, south), ask(1)) == {"east"}


def test_a_cluster_that_must_not_be_used_is_no_place() -> None:
    ledger = make_ledger(make_node("a", cluster="east"), make_node("a", cluster="west"))
    assert clusters(ledger, ask(1, objecting_clusters=("east",))) == {"west"}
    assert find(ledger, ask(1, objecting_clusters=("east", "west"))) is None


@pytest.mark.parametrize("cannot", [{"binds_devices": False}, {"enforces_shares": False}])
def test_a_cluster_that_cannot_share_gives_no_share_and_whole_devices_all_the_same(cannot: dict[str, bool]) -> None:
    cluster = Cluster("east", "kubernetes", **cannot)
    ledger = make_ledger(make_node("a", cluster="east"), make_node("a", cluster="west"), clusters=(cluster,))
    assert clusters(ledger, ask(1, shape=HALF_A_DEVICE)) == {"west"}
    assert find(ledger, ask(1, shape=HALF_A_DEVICE, objecting_clusters=("west",))) is None
    assert clusters(ledger, ask(1)) == {"east"}


def test_without_nodes_there_is_no_place() -> None:
    assert find(make_ledger(), ask(1)) is None
    assert find(make_ledger(make_node(state=NodeState.GONE)), ask(1)) is None


def test_every_option_is_placed_by_itself() -> None:
    ledger = make_ledger(make_node("a"), make_node("b", {"mlu": 8}))
    request = ask(1, chips=AnyOf(("mi300x", "mlu", "h100")))
    assert find(ledger, request, option=1) is None
    assert seats(find(ledger, request, option=2)) == {"b": 1}
    assert seats(find(ledger, request, option=3)) == {"a": 1}


@pytest.fixture
def racks() -> Ledger:
    return make_ledger(*(make_node(f"{rack}{at}", {"h100": 2}, rack=rack) for rack in ("r1", "r2") for at in (1, 2)))


def test_a_gang_keeps_off_the_nodes_that_it_wants_to_be_apart_from(racks: Ledger) -> None:
    request = ask(2, apart=Apart(NODE, WEB))
    assert seats_of(racks, request, avoid=("mixed/r11",)) == {"r12": 2}
    assert seats_of(racks, request, avoid=("mixed/r11", "mixed/r12", "mixed/r21")) == {"r22": 2}
    assert seats_of(racks, request) == {"r11": 2}


def test_a_gang_keeps_off_the_racks_that_it_wants_to_be_apart_from(racks: Ledger) -> None:
    request = ask(2, apart=Apart(RACK, WEB))
    assert seats_of(racks, request, avoid=("mixed/r11",)) == {"r21": 2}
    assert find(racks, request, avoid=("mixed/r11", "mixed/r22")) is None


def test_who_wants_to_be_apart_over_clusters_goes_to_another_one() -> None:
    ledger = make_ledger(make_node("a", cluster="east"), make_node("a", cluster="west"))
    request = ask(1, apart=Apart(CLUSTER, WEB))
    assert [held.node for held in found(ledger, request, avoid=("east/a",)).allocations] == ["west/a"]
    assert find(ledger, request, avoid=("east/a", "west/a")) is None


def test_who_wants_to_be_apart_by_a_level_that_a_cluster_has_not_gets_no_place_there(racks: Ledger) -> None:
    assert find(racks, ask(1, apart=Apart("moon", WEB))) is None


def test_a_gang_with_roles_that_is_spread_over_nodes_has_no_more_on_a_node_than_it_may() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 8}) for name in "abc"))
    one_each = ask(2, roles=(LAUNCHER,), spread=Spread(NODE, 1))
    assert sorted((seats_of(ledger, one_each) or {}).values()) == [1, 1, 1]
    assert find(ledger, ask(3, roles=(LAUNCHER,), spread=Spread(NODE, 1))) is None
    assert sorted((seats_of(ledger, ask(5, roles=(LAUNCHER,), spread=Spread(NODE, 2))) or {}).values()) == [2, 2, 2]
    assert find(ledger, ask(6, roles=(LAUNCHER,), spread=Spread(NODE, 2))) is None


HUGE = 10**9
ABSURD = {
    "workers": ask(HUGE),
    "workers without devices": ask(HUGE, shape=NO_DEVICE),
    "workers with shares": ask(HUGE, shape=HALF_A_DEVICE),
    "devices": ask(1, shape=make_shape(10**6)),
    "cpu": ask(1, shape=make_shape(cpu_milli=10**15)),
    "spread workers": ask(HUGE, spread=Spread(RACK, HUGE)),
    "workers spread over nodes": ask(HUGE, spread=Spread(NODE, 1)),
    "exclusive workers": ask(HUGE, exclusive=True),
    "workers of a role": ask(1, roles=(WorkerRole("crowd", HUGE, NO_DEVICE, ()),)),
    "a mix": ask(chips=ExactMix((("h100", HUGE), ("mlu", HUGE)))),
    "a chip type nobody has": ask(1, chips="moon"),
    "labels nobody has": ask(1, node_labels=(("moon", "yes"),)),
    "a required level nobody has": ask(1, closeness=Closeness("moon")),
    "a spread over a level nobody has": ask(1, spread=Spread("moon", 1)),
    "together and spread over nodes": ask(2, closeness=Closeness(NODE), spread=Spread(NODE, 1)),
    "together and spread over racks": ask(2, closeness=Closeness(RACK), spread=Spread(RACK, 1)),
    "more than any domain holds": ask(5, closeness=Closeness(RACK)),
    "a share of more than a device": ask(1, shape=make_shape(share_milli=1_001)),
    "a share that is a whole device": ask(1, shape=make_shape(share_milli=1_000)),
    "a share of less than nothing": ask(1, shape=make_shape(share_milli=-1)),
    "a share without size": ask(1, shape=WorkerShape(0, 0, 0, 0, 1_024)),
    "a share beside whole devices": ask(1, shape=WorkerShape(1, 0, 0, 500, 0)),
    "a share with more memory than a device": ask(1, shape=make_shape(share_milli=1, share_memory_mib=10**9)),
}


@pytest.mark.parametrize("what", ABSURD)
def test_what_nobody_can_have_is_no_place_and_no_error_and_takes_no_longer_for_being_much(
    what: str, racks: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[LedgerChange] = []
    apply = racks.apply

    def counting(change: LedgerChange) -> LedgerChange:
        calls.append(change)
        return apply(change)

    monkeypatch.setattr(racks, "apply", counting)
    assert find(racks, ABSURD[what]) is None
    assert len(calls) < 20


def test_a_hold_of_somebody_else_is_never_given_away() -> None:
    ledger = make_ledger(make_node(devices={"h100": 2}))
    ledger.apply(make_hold("a1", make_allocation((1,)), tenant="beta"))
    (held,) = found(ledger, ask(1)).allocations
    assert held.slots == (0,)
