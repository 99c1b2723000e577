from scheduler.core.ledger.index.domain import Domain
from scheduler.core.ledger.index.order import Order
from scheduler.core.model.topology import CLUSTER, RACK

ROOT = Domain(CLUSTER, "mixed", None)
RACKS = {name: Domain(RACK, name, ROOT) for name in "abcd"}


def make_order(**workers: int) -> Order:
    order = Order()
    for name, count in workers.items():
        order.put(RACKS[name], count)
    return order


def names(order: Order, workers: int) -> list[str]:
    return [domain.name for domain in order.from_tightest(workers)]


def test_domains_come_tightest_first_and_then_by_path() -> None:
    assert names(make_order(d=2, c=8, b=8, a=4), 1) == ["d", "a", "b", "c"]


def test_only_domains_with_room_enough_are_named() -> None:
    order = make_order(a=4, b=8, c=2)
    assert names(order, 3) == ["a", "b"]
    assert names(order, 9) == []
    assert [domain and domain.name for domain in (order.tightest(1), order.tightest(4), order.tightest(9))] == [
        "c",
        "a",
        None,
    ]


def test_a_domain_without_room_is_not_among_them() -> None:
    order = make_order(a=4, b=0)
    assert len(order) == 1
    order.put(RACKS["a"], 0)
    assert (len(order), order.most, order.tightest(1)) == (0, 0, None)
    order.put(RACKS["a"], 0)
    assert len(order) == 0


def test_a_domain_whose_room_changes_moves_and_stands_there_once() -> None:
    order = make_order(a=4, b=8)
    order.put(RACKS["a"], 9)
    assert (names(order, 1), order.most) == (["b", "a"], 9)
    order.put(RACKS["a"], 9)
    order.put(RACKS["a"], 1)
    assert (names(order, 1), order.most, len(order)) == (["a", "b"], 8, 2)


def test_the_rows_are_room_path_and_domain() -> None:
    assert make_order(b=1, a=2).rows == [(1, RACKS["b"].path, RACKS["b"]), (2, RACKS["a"].path, RACKS["a"])]
