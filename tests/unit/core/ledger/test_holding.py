from scheduler.core.ledger.changes import Seat
from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import demand_of
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_shape, make_share


def held(ledger: Ledger) -> str:
    return ledger.digest()


def test_a_holding_is_the_same_however_it_is_divided_among_workers() -> None:
    one, two = make_ledger(make_node()), make_ledger(make_node())
    one.apply(make_hold("a1", make_allocation((0, 1), cpu_milli=2_000, memory_mib=2_048, pods=2)))
    two.apply(make_hold("a1", make_allocation((1,)), make_allocation((0,))))
    assert held(one) == held(two)


def test_a_holding_is_the_same_whether_it_was_seated_or_spelt_out() -> None:
    seated, spelt_out = make_ledger(make_node()), make_ledger(make_node())
    entry = seated.inventory.entries["mixed/n1"]
    seating = Seating(demand_of("h100", make_shape(2)), [entry], [entry.leftover], [0b1111], [2])
    seated.apply(Seat("a1", "alpha", (seating,)))
    spelt_out.apply(make_hold("a1", make_allocation((0, 1)), make_allocation((2, 3))))
    assert held(seated) == held(spelt_out)


def test_holdings_of_other_slots_shares_or_tenants_are_others() -> None:
    holds = [
        make_hold("a1", make_allocation((0,))),
        make_hold("a1", make_allocation((1,))),
        make_hold("a1", make_allocation((0,)), tenant="beta"),
        make_hold("a1", make_allocation((0,), cpu_milli=999)),
        make_hold("a1", make_share(0, 500, 64)),
        make_hold("a1", make_share(0, 500, 65)),
        make_hold("a1", make_share(1, 500, 64)),
        make_hold("a1", make_share(0, 250, 32), make_share(1, 250, 32)),
    ]
    digests = set()
    for hold in holds:
        ledger = make_ledger(make_node())
        ledger.apply(hold)
        digests.add(held(ledger))
    assert len(digests) == len(holds)


def test_two_shares_of_one_slot_are_as_much_as_one_of_both() -> None:
    one, two = make_ledger(make_node()), make_ledger(make_node())
    one.apply(make_hold("a1", make_share(0, 300, 64), make_share(0, 200, 64)))
    two.apply(make_hold("a1", make_share(0, 200, 64), make_share(0, 300, 64)))
    assert held(one) == held(two)
