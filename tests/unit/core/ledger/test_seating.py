from scheduler.core.ledger.ledger import Ledger
from scheduler.core.ledger.seating import Seating
from scheduler.core.ledger.states.demand import demand_of
from scheduler.core.model.resources import WorkerShape
from tests.builders.core import make_ledger, make_node, make_shape


def seat_on(ledger: Ledger, name: str, workers: int, shape: WorkerShape, *, chip: str | None = "h100") -> Seating:
    entry = ledger.inventory.entries[f"mixed/{name}"]
    return Seating(demand_of(chip, shape), [entry], [entry.leftover], [0], [workers])


def test_seats_are_taken_over_in_their_order() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    seating = seat_on(ledger, "b", 2, make_shape())
    seating.extend(seat_on(ledger, "a", 1, make_shape()))
    assert [entry.id for entry in seating.nodes] == ["mixed/b", "mixed/a"]
    assert (seating.workers, seating.masks) == ([2, 1], [0, 0])
    assert seating.before == [entry.leftover for entry in seating.nodes]


def test_the_devices_that_are_taken_are_told_by_cluster_and_chip_in_thousandths() -> None:
    ledger = make_ledger(make_node("a"), make_node("b"))
    whole = seat_on(ledger, "a", 2, make_shape(3))
    whole.extend(seat_on(ledger, "b", 1, make_shape(3)))
    assert whole.uses() == (("mixed", "h100", 9_000),)
    assert seat_on(ledger, "a", 1, make_shape(share_milli=250)).uses() == (("mixed", "h100", 250),)
    assert sum(milli for *_, milli in seat_on(ledger, "a", 2, make_shape(0), chip=None).uses()) == 0
