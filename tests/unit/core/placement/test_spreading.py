"""Gangs of which no domain of a level may hold more than so many workers."""

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import ExactMix, WorkerRole
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Closeness, Spread
from scheduler.core.placement.placement import GangPlace
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask, find, found, seats_of, slots


def racks(**sizes: int) -> Ledger:
    """Return racks of one node with so many devices each; a rack's name begins with that of its zone."""
    return make_ledger(
        *(
            make_node(f"n{rack}", {"h100": size}, topology=((RACK, rack), ("zone", rack[0])))
            for rack, size in sizes.items()
        )
    )


def per_rack(place: GangPlace) -> dict[str, int]:
    counts: dict[str, int] = {}
    for held in place.allocations:
        rack = held.node[-2:]
        counts[rack] = counts.get(rack, 0) + 1
    return counts


def test_no_rack_holds_more_workers_than_it_may() -> None:
    ledger = racks(a1=8, a2=8, b1=8)
    assert per_rack(found(ledger, ask(6, spread=Spread(RACK, 2)))) == {"a1": 2, "a2": 2, "b1": 2}
    assert sorted(per_rack(found(ledger, ask(3, spread=Spread(RACK, 2)))).values()) == [1, 2]
    assert find(ledger, ask(7, spread=Spread(RACK, 2))) is None


def test_racks_with_less_room_than_the_others_take_what_they_can() -> None:
    ledger = racks(a1=1, a2=4, b1=2)
    assert per_rack(found(ledger, ask(6, spread=Spread(RACK, 3)))) == {"a2": 3, "b1": 2, "a1": 1}
    assert find(ledger, ask(7, spread=Spread(RACK, 3))) is None


def test_nodes_outside_any_rack_take_no_part_in_a_spread_over_racks() -> None:
    ledger = make_ledger(make_node("a", rack="r1"), make_node("b"))
    assert seats_of(ledger, ask(1, spread=Spread(RACK, 1))) == {"a": 1}
    assert find(ledger, ask(2, spread=Spread(RACK, 1))) is None


def test_a_spread_gang_stays_within_one_domain_of_the_required_level() -> None:
    ledger = racks(a1=2, a2=2, b1=8, b2=1, b3=1, c1=64)
    request = ask(4, spread=Spread(RACK, 2), closeness=Closeness("zone"))
    assert set(per_rack(found(ledger, request))) in ({"a1", "a2"}, {"b1", "b2", "b3"})
    assert find(ledger, ask(5, spread=Spread(RACK, 2), closeness=Closeness("zone"))) is None


def test_over_nodes_no_node_holds_more_than_it_may() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 8}, rack="r1") for name in "abc"))
    assert sorted((seats_of(ledger, ask(3, spread=Spread(NODE, 1))) or {}).values()) == [1, 1, 1]
    assert sorted((seats_of(ledger, ask(5, spread=Spread(NODE, 2), closeness=Closeness(RACK))) or {}).values()) == [
        1, 2, 2
    ]  # fmt: skip
    assert find(ledger, ask(4, spread=Spread(NODE, 1))) is None


def test_a_gang_no_larger_than_what_a_node_may_hold_sits_on_one() -> None:
    ledger = make_ledger(*(make_node(name) for name in "ab"))
    assert seats_of(ledger, ask(3, spread=Spread(NODE, 3))) == {"a": 3}


def test_a_spread_over_clusters_is_a_limit_on_the_gang() -> None:
    ledger = make_ledger(make_node())
    assert seats_of(ledger, ask(2, spread=Spread(CLUSTER, 2))) == {"n1": 2}
    assert find(ledger, ask(3, spread=Spread(CLUSTER, 2))) is None


def test_workers_of_all_parts_count_together() -> None:
    ledger = make_ledger(*(make_node(f"n{rack}", {"h100": 8, "mlu": 8}, rack=rack) for rack in ("a1", "b1")))
    mix = ExactMix((("h100", 2), ("mlu", 2)))
    assert per_rack(found(ledger, ask(chips=mix, spread=Spread(RACK, 2)))) == {"a1": 2, "b1": 2}
    launcher = WorkerRole("launcher", 1, NO_DEVICE, ())
    assert find(ledger, ask(chips=mix, spread=Spread(RACK, 2), roles=(launcher,))) is None


def test_shares_are_spread_too() -> None:
    ledger = racks(a1=1, b1=1)
    place = found(ledger, ask(4, shape=HALF_A_DEVICE, spread=Spread(RACK, 2)))
    assert sorted(slots(place)) == [("na1", (0,)), ("na1", (0,)), ("nb1", (0,)), ("nb1", (0,))]


def test_what_is_held_counts_against_the_room_of_a_rack_and_not_against_the_spread() -> None:
    ledger = racks(a1=8, b1=2)
    ledger.apply(make_hold("a1", *(make_allocation((slot,), node="mixed/na1") for slot in range(6))))
    assert per_rack(found(ledger, ask(4, spread=Spread(RACK, 2)))) == {"a1": 2, "b1": 2}
