"""Gangs of several parts for which seating one part after the other finds no place."""

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.job import ExactMix, WorkerRole
from scheduler.core.model.node import NodeState
from scheduler.core.model.resources import WorkerShape
from scheduler.core.model.topology import NODE, RACK, Closeness, Spread
from scheduler.core.placement.placement import SeatedPart
from scheduler.core.placement.placer import Placer
from scheduler.core.placement.request import GangRequest
from scheduler.core.placement.search import seat_together
from tests.builders.core import make_ledger, make_node, make_shape
from tests.builders.placing import NO_DEVICE, ask, find, found

LAUNCHER = WorkerRole("launcher", 1, NO_DEVICE, ())
PAIR = ExactMix((("h100", 1), ("mlu", 1)))


def together(ledger: Ledger, request: GangRequest) -> tuple[SeatedPart, ...] | None:
    parts = request.options[0].parts
    return seat_together(Placer(ledger), "mixed", request, parts, [ledger.inventory.root("mixed")])


def nodes(seated: tuple[SeatedPart, ...] | None) -> list[list[str]]:
    return [[entry.id.partition("/")[2] for entry in part.seating.nodes] for part in seated or ()]


def test_no_more_is_reseated_than_another_part_needs() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 3, "mlu": 3}, cpu_milli=3_000),
        make_node("b", {"h100": 1}, cpu_milli=1_000),
        make_node("c", {"h100": 2}, cpu_milli=2_000),
    )
    seated = together(ledger, ask(chips=ExactMix((("h100", 3), ("mlu", 3))), shape=make_shape()))
    assert [sorted(set(names)) for names in nodes(seated)] == [["b", "c"], ["a"]]


def test_parts_that_each_have_to_give_way_are_seated() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000), make_node("b", {"h100": 1}, cpu_milli=1_000)
    )
    assert nodes(together(ledger, ask(chips=PAIR, shape=make_shape()))) == [["b"], ["a"]]


def test_where_there_is_no_way_none_is_found_and_the_ledger_is_as_it_was() -> None:
    ledger = make_ledger(make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000), make_node("b", {"t4": 1}))
    before = ledger.digest()
    assert together(ledger, ask(chips=PAIR, shape=make_shape())) is None
    assert ledger.digest() == before


def test_what_was_found_can_be_held() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000), make_node("b", {"h100": 4}, cpu_milli=4_000)
    )
    half = make_shape(share_milli=500)
    request = ask(chips=ExactMix((("h100", 3), ("mlu", 1))), shape=half)
    before = ledger.digest()
    seated = together(ledger, request)
    assert ledger.digest() == before
    assert nodes(seated) == [["b", "b", "b"], ["a"]]
    assert [mask.bit_count() for part in seated or () for mask in part.seating.masks] == [1, 1, 1, 1]


def test_degraded_nodes_are_used_only_where_all_others_have_no_room() -> None:
    sound = make_node("a", {"h100": 1, "mlu": 1}, cpu_milli=1_000)
    weak = make_node("b", {"h100": 4}, state=NodeState.DEGRADED)
    assert nodes(together(make_ledger(sound, weak), ask(chips=PAIR, shape=make_shape()))) == [["b"], ["a"]]
    plenty = make_node("c", {"h100": 4})
    assert nodes(together(make_ledger(sound, weak, plenty), ask(chips=PAIR, shape=make_shape()))) == [["c"], ["a"]]


def test_a_gang_that_must_sit_on_one_node_finds_the_one_with_room_for_all_its_parts() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1}, cpu_milli=1_000), make_node("b", {"h100": 8}), make_node("c", {}, cpu_milli=9_000)
    )
    request = ask(1, shape=make_shape(), roles=(LAUNCHER,), closeness=Closeness(NODE))
    assert {held.node for held in found(ledger, request).allocations} == {"mixed/b"}


def test_no_domain_gets_more_of_a_gang_than_its_spread_allows() -> None:
    ledger = make_ledger(
        make_node("a", {"h100": 1, "mlu": 1}, rack="r1"), make_node("b", {"h100": 1}, rack="r2"), make_node("c", {})
    )
    request = ask(chips=PAIR, spread=Spread(RACK, 1))
    assert [held.node for held in found(ledger, request).allocations] == ["mixed/b", "mixed/a"]
    over_nodes = ask(chips=PAIR, spread=Spread(NODE, 1))
    assert [held.node for held in found(ledger, over_nodes).allocations] == ["mixed/b", "mixed/a"]


def test_a_search_that_takes_too_long_ends_as_if_there_were_no_place() -> None:
    crowd = [make_node(f"n{number}", {"h100": 1, "mlu": 1}, cpu_milli=1_000 + number) for number in range(40)]
    shape = WorkerShape(1, 600, 0)
    assert find(make_ledger(*crowd), ask(chips=ExactMix((("h100", 21), ("mlu", 20))), shape=shape)) is None


def test_shares_say_whether_they_take_a_free_device_whoever_seated_them() -> None:
    half = make_shape(cpu_milli=0, memory_mib=0, share_milli=500)
    request = ask(chips=ExactMix((("h100", 3), ("mlu", 1))), shape=half)
    seated = together(make_ledger(make_node(devices={"h100": 4, "mlu": 1})), request)
    assert [sum(part.seating.opens) for part in seated or ()] == [2, 1]
