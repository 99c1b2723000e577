import pytest

from scheduler.core.ledger.changes import PutNode, Release, RemoveNode
from scheduler.core.ledger.index import pool as pool_module
from scheduler.core.ledger.index.pool import Pool
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.states.demand import Demand, demand_of
from scheduler.core.ledger.states.node_kind import Tier
from scheduler.core.model.node import ForeignUse, NodeState
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share, room_for


def pool_of(ledger: Ledger, chip: str | None = "h100", tier: Tier = (None, False)) -> Pool:
    return ledger.inventory.pools["mixed", chip][tier]


def of_devices(devices: int) -> Demand:
    return demand_of("h100", make_shape(devices))


def test_a_node_belongs_to_the_pool_of_each_of_its_chips_and_to_the_one_for_those_who_need_none() -> None:
    ledger = make_ledger(make_node("a", {"h100": 4, "mlu": 2}), make_node("b", {"mlu": 2}))
    nodes = {chip: sum(pool_of(ledger, chip).states().values()) for chip in ("h100", "mlu", None)}
    assert nodes == {"h100": 1, "mlu": 2, None: 2}


def test_tenants_nodes_and_degraded_ones_have_pools_of_their_own() -> None:
    ledger = make_ledger(
        make_node("a"),
        make_node("b", tenant="alpha"),
        make_node("c", state=NodeState.DEGRADED),
        make_node("d", tenant="alpha", state=NodeState.DEGRADED),
    )
    tiers = ledger.inventory.pools["mixed", "h100"]
    assert {tier: sum(pool.states().values()) for tier, pool in tiers.items()} == {
        (None, False): 1,
        ("alpha", False): 1,
        (None, True): 1,
        ("alpha", True): 1,
    }


def test_a_node_that_left_belongs_to_no_pool() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    ledger.apply(PutNode(make_node("a", state=NodeState.GONE)))
    ledger.apply(RemoveNode("mixed/b"))
    assert (pool_of(ledger).states(), pool_of(ledger).kinds, pool_of(ledger).domains) == ({}, {}, {})


def test_states_are_counted_however_many_nodes_are_in_them() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"), make_node("c"))
    ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/b")))
    counts = {leftover.free: nodes for leftover, nodes in pool_of(ledger).states().items()}
    assert counts == {(8,): 2, (7,): 1}


def test_free_devices_are_told_apart_by_whether_their_nodes_take_work() -> None:
    ledger = make_ledger(
        make_node("a"), make_node("b", {"h100": 4}, state=NodeState.DRAINED), make_node("c", {"h100": 2, "mlu": 9})
    )
    ledger.apply(make_hold("a1", make_allocation((0, 1), node="mixed/a"), make_share(2, 10, node="mixed/a")))
    pool = pool_of(ledger)
    assert pool.devices_free("h100", takes_work=True) == 5 + 2
    assert pool.devices_free("h100", takes_work=False) == 4
    assert pool_of(ledger, "mlu").devices_free("mlu", takes_work=True) == 9
    assert [pool.devices("h100"), pool_of(ledger, "mlu").devices("mlu")] == [10, 9]


def test_a_node_with_less_than_nothing_takes_no_free_devices_from_others() -> None:
    ledger = make_ledger(make_node("a", foreign=ForeignUse(devices=(("h100", 9),))), make_node("b"))
    assert pool_of(ledger).devices_free("h100", takes_work=True) == pool_of(ledger).devices("h100") == 8


def test_a_room_is_kept_for_those_who_ask_the_same() -> None:
    ledger = make_ledger(make_node())
    fit = ledger.inventory.fit(of_devices(1))
    assert pool_of(ledger).room(fit) is pool_of(ledger).room(fit)


def test_so_many_rooms_are_kept_and_the_longest_unasked_one_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MOST_ROOMS", 2)
    ledger = make_ledger(make_node())
    pool = pool_of(ledger)
    fits = [ledger.inventory.fit(of_devices(devices)) for devices in (1, 2, 4)]
    first = pool.room(fits[0])
    pool.room(fits[1])
    ledger.apply(make_hold("a1", make_allocation((0,))))
    assert pool.room(fits[0]) is first
    assert pool.room(fits[2]).total == 1
    assert set(pool.rooms) == {fits[0], fits[2]}
    assert pool.room(fits[1]).total == 3


def test_so_many_moves_are_kept_and_rooms_that_missed_forgotten_ones_are_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool_module, "MOST_MOVES", 8)
    ledger = make_ledger(make_node("a"), make_node("b"))
    for round_number in range(40):
        ledger.apply(make_hold("a1", make_allocation((0,), node="mixed/a")))
        assert room_for(ledger, of_devices(1)) == 15
        ledger.apply(PutNode(make_node("b", {"h100": round_number})))
        if not round_number % 7:
            assert room_for(ledger, of_devices(4)) == 1 + round_number // 4
        ledger.apply(Release("a1"))
        ledger.apply(PutNode(make_node("b")))
        assert len(pool_of(ledger).moves) <= 8


def test_nothing_is_remembered_for_rooms_that_nobody_asks_for() -> None:
    ledger = make_ledger(make_node())
    for _ in range(50):
        ledger.apply(make_hold("a1", make_allocation((0,))))
        ledger.apply(Release("a1"))
        ledger.apply(PutNode(make_node()))
    assert pool_of(ledger).moves == []


def test_whoever_has_a_room_that_was_dropped_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MOST_ROOMS", 1)
    ledger = make_ledger(make_node())
    pool = pool_of(ledger)
    rooms = [pool.room(ledger.inventory.fit(of_devices(devices))) for devices in (1, 2)]
    assert [room.is_dropped for room in rooms] == [True, False]
    pool.forget_rooms()
    assert [room.is_dropped for room in rooms] == [True, True]


def test_rooms_that_were_forgotten_are_made_anew() -> None:
    ledger = make_ledger(make_node())
    assert room_for(ledger, of_devices(1)) == 8
    pool_of(ledger).forget_rooms()
    ledger.apply(make_hold("a1", make_allocation((0,))))
    assert room_for(ledger, of_devices(1)) == 7


def test_a_room_that_was_asked_for_lately_is_brought_up_to_date_before_anybody_asks() -> None:
    ledger = make_ledger(make_node())
    pool = pool_of(ledger)
    room = pool.room(ledger.inventory.fit(of_devices(1)))
    ledger.apply(make_hold("a1", make_allocation((0,))))
    assert room.total == 8
    pool.catch_up()
    assert (room.total, room.seen) == (7, pool.moves_made)
