"""What a place says when it is spelt out: what each rank holds, and why it is there."""

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.attempt import Allocation
from scheduler.core.model.job import AnyOf, ExactMix, WorkerRole
from scheduler.core.model.node import ForeignUse
from scheduler.core.model.reason import PlacementNote
from scheduler.core.model.topology import CLUSTER, NODE, RACK, Spread
from scheduler.core.placement.placement import GangPlace, smallest_domain
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share
from tests.builders.placing import HALF_A_DEVICE, NO_DEVICE, ask, found, take

PAIRS = make_shape(2, cpu_milli=3_000, memory_mib=5_000)


def devices(place: GangPlace) -> list[tuple[int, int]]:
    return [(note.devices_free_before, note.devices_free_after) for note in place.notes]


def domains(place: GangPlace) -> list[tuple[str, str]]:
    return [(note.domain_level, note.domain) for note in place.notes]


def test_every_rank_holds_what_its_shape_asks_for() -> None:
    place = found(make_ledger(make_node()), ask(2, shape=PAIRS))
    assert place.allocations == (
        Allocation(0, "mixed/n1", "h100", (0, 1), 3_000, 5_000),
        Allocation(1, "mixed/n1", "h100", (2, 3), 3_000, 5_000),
    )


def test_a_share_holds_its_part_of_the_one_device() -> None:
    shape = make_shape(cpu_milli=500, memory_mib=600, share_milli=250, share_memory_mib=10_000)
    (held,) = found(make_ledger(make_node()), ask(1, shape=shape)).allocations
    assert held == Allocation(0, "mixed/n1", "h100", (0,), 500, 600, share_milli=250, share_memory_mib=10_000)


def test_ranks_follow_the_parts_as_the_job_has_them_whatever_was_seated_first() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1}), make_node("b", {"mlu": 4}), make_node("c", {}))
    heavy = WorkerRole("heavy", 2, PAIRS, ("mlu",))
    place = found(ledger, ask(1, roles=(WorkerRole("launcher", 1, NO_DEVICE, ()), heavy)))
    assert [(held.rank, held.role, held.chip) for held in place.allocations] == [
        (0, "worker", "h100"),
        (1, "launcher", None),
        (2, "heavy", "mlu"),
        (3, "heavy", "mlu"),
    ]
    assert [(note.rank, note.chip, note.node) for note in place.notes] == [
        (held.rank, held.chip, held.node) for held in place.allocations
    ]


def test_the_first_worker_on_an_exclusive_node_holds_all_that_the_node_may_run() -> None:
    ledger = make_ledger(make_node("a", {"h100": 2}, pods=10), make_node("b", {"h100": 1}, pods=3))
    place = found(ledger, ask(3, exclusive=True))
    assert [(held.node, held.pods) for held in place.allocations] == [("mixed/a", 9), ("mixed/a", 1), ("mixed/b", 3)]


def test_a_note_says_truthfully_why_a_rank_is_where_it_is() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 4}, rack="r1"),
        make_node("b", {"h100": 8}, rack="r1"),
        make_node("c", {"h100": 1}, rack="r2"),
    )
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b")))
    request = ask(5, chips=AnyOf(("mlu", "h100", "t4")), shape=make_shape(2))
    notes = found(ledger, request, option=2).notes
    assert [(note.rank, note.node) for note in notes] == [
        (0, "mixed/b"),
        (1, "mixed/b"),
        (2, "mixed/b"),
        (3, "mixed/a"),
        (4, "mixed/a"),
    ]
    assert notes[4] == PlacementNote(
        rank=4,
        node="mixed/a",
        chip="h100",
        choice=2,
        choices=3,
        domain_level=RACK,
        domain="r1",
        nodes_considered=2,
        devices_free_before=4,
        devices_free_after=0,
    )
    assert {(note.devices_free_before, note.devices_free_after) for note in notes[:3]} == {(7, 1)}


def test_the_smallest_domain_is_named_for_each_part_of_its_own() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, rack="r1"), make_node("b", {"h100": 1}, rack="r2"), make_node("c", {"mlu": 2})
    )
    place = found(ledger, ask(chips=ExactMix((("h100", 2), ("mlu", 2)))))
    assert domains(place) == [(CLUSTER, "mixed")] * 2 + [(NODE, "mixed/c")] * 2


def test_nodes_without_a_rack_are_only_together_in_their_cluster() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1}), make_node("b", {"h100": 1}))
    assert domains(found(ledger, ask(2))) == [(CLUSTER, "mixed")] * 2


def test_racks_of_one_name_in_two_zones_are_two_racks() -> None:
    ledger = make_ledger(
        *(make_node(zone, {"h100": 1}, topology=((RACK, "r1"), ("zone", zone))) for zone in ("z1", "z2"))
    )
    assert domains(found(ledger, ask(2))) == [(CLUSTER, "mixed")] * 2


def test_a_domain_that_holds_another_is_the_smallest_for_both() -> None:
    zone = ("zone", "z1")
    ledger = make_ledger(
        make_node("a", {"h100": 1}, topology=((RACK, "r1"), zone)), make_node("b", {"h100": 1}, topology=(zone,))
    )
    (part,) = found(ledger, ask(2)).parts
    assert smallest_domain(part.seating) == zone


def shared_ledger() -> Ledger:
    ledger = make_ledger(make_node(devices={"h100": 3}))
    ledger.apply(make_hold("a1", make_share(0, 500)))
    return ledger


def test_a_share_of_a_device_that_was_in_use_takes_no_free_one() -> None:
    assert devices(found(shared_ledger(), ask(1, shape=HALF_A_DEVICE))) == [(2, 2)]


def test_a_share_of_a_device_that_nobody_used_takes_a_free_one() -> None:
    most = make_shape(cpu_milli=0, memory_mib=0, share_milli=600)
    assert devices(found(shared_ledger(), ask(1, shape=most))) == [(2, 1)]


def test_shares_of_one_gang_tell_what_the_whole_gang_takes() -> None:
    assert devices(found(shared_ledger(), ask(2, shape=HALF_A_DEVICE))) == [(2, 1)] * 2
    assert devices(found(shared_ledger(), ask(3, shape=HALF_A_DEVICE))) == [(2, 1)] * 3
    assert devices(found(shared_ledger(), ask(5, shape=HALF_A_DEVICE))) == [(2, 0)] * 5


def test_shares_that_are_spread_tell_the_same_of_each_node() -> None:
    ledger = make_ledger(*(make_node(name, {"h100": 2}, rack=name) for name in "ab"))
    ledger.apply(make_hold("a1", make_share(0, 500, node="mixed/a")))
    place = found(ledger, ask(4, shape=HALF_A_DEVICE, spread=Spread(RACK, 2)))
    told = {note.node: (note.devices_free_before, note.devices_free_after) for note in place.notes}
    assert told == {"mixed/a": (1, 0), "mixed/b": (2, 1)}


def test_parts_on_one_node_tell_what_the_whole_gang_takes_there() -> None:
    other = WorkerRole("other", 1, make_shape(3), ("h100",))
    assert devices(found(make_ledger(make_node()), ask(2, roles=(other,)))) == [(8, 3)] * 3


def test_a_worker_without_devices_tells_of_none() -> None:
    place = found(make_ledger(make_node()), ask(1, roles=(WorkerRole("launcher", 1, NO_DEVICE, ()),)))
    assert devices(place)[1] == (0, 0)


def test_devices_in_foreign_hands_are_not_told_as_free() -> None:
    ledger = make_ledger(make_node(foreign=ForeignUse((("h100", 3),))))
    assert devices(found(ledger, ask(1))) == [(5, 4)]


def test_a_place_says_the_same_before_and_after_it_was_taken() -> None:
    ledger = shared_ledger()
    before = found(ledger, ask(3, shape=HALF_A_DEVICE))
    told = (before.allocations, before.notes)
    taken = take(ledger, ask(3, shape=HALF_A_DEVICE), "a2")
    assert (taken.allocations, taken.notes) == told
