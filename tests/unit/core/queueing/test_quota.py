from dataclasses import replace

import pytest

from scheduler.core.ledger.ledger import Ledger
from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.model.sharing.queue import (
    COMPUTE,
    Account,
    ChipGroup,
    ContradictoryQuota,
    Queue,
    QueueQuota,
    QuotaCause,
)
from scheduler.core.queueing.quota import QuotaBook, check_guarantees, over_quota
from scheduler.core.queueing.tree import QueueTree
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_share

LEDGER = make_ledger(make_node(devices={"h100": 8, "mlu": 8}))
LEDGER.apply(make_hold("a1", make_allocation((0, 1, 2))))
SHARED = make_ledger(make_node(devices={"h100": 8}))
SHARED.apply(make_hold("a1", make_allocation((0,)), make_share(1, 250)))
TREE = QueueTree([Queue("org"), Queue("alpha", "org"), Queue("beta", "org"), Queue("other")])


def over(
    *quotas: QueueQuota, asked: dict[str, int], ledger: Ledger = LEDGER, queue: str = "alpha"
) -> tuple[QuotaExceeded, ...]:
    return over_quota(
        QuotaBook(quotas=quotas), ledger.uses, queue=queue, devices_milli=tuple(asked.items()), free=lambda _: 0
    )


def in_tree(
    held: dict[str, int],
    quotas: list[QueueQuota],
    *,
    asked: int,
    queue: str = "alpha",
    chip: str = "h100",
    devices: int = 16,
) -> list[tuple[str, str, int, int, int, QuotaCause, tuple[str, ...]]]:
    """Return why a queue of the tree may not have so many devices, of 16 of which queues hold some."""
    ledger = make_ledger(make_node(devices={"h100": 64}))
    ledger.regroup(TREE.paths)
    first = 0
    for name, count in held.items():
        allocation = replace(make_allocation(tuple(range(first, first + count))), compute_milli=1_000_000 * count)
        hold = make_hold(f"of-{name}", allocation, tenant=name)
        ledger.apply(replace(hold, account=Account(name)))
        first += count
    book = QuotaBook(TREE, quotas, [ChipGroup("fast", ("h100", "h200"))], {"h100": 1_000, "t4": 65})
    charge = ((chip, asked * 1_000), (COMPUTE, asked * 1_000 * book.rates.get(chip, 0)))
    reasons = over_quota(book, ledger.uses, queue=queue, devices_milli=charge, free=lambda _: (devices - first) * 1_000)
    return [(one.queue, one.resource, one.limit, one.used, one.asked, one.cause, one.kept_for) for one in reasons]


def test_without_a_quota_there_is_no_limit() -> None:
    assert over(QueueQuota("beta", "h100", limit=0), asked={"h100": 10**12}) == ()


def test_a_queue_may_hold_exactly_its_limit() -> None:
    limit = QueueQuota("alpha", "h100", limit=5)
    assert over(limit, asked={"h100": 2_000}) == ()
    assert over(limit, asked={"h100": 3_000}) == (QuotaExceeded("alpha", "h100", limit=5, used=3, asked=3),)


def test_every_chip_type_of_a_mix_is_checked() -> None:
    limits = (QueueQuota("alpha", "h100", limit=3), QueueQuota("alpha", "mlu", limit=1))
    reasons = over(*limits, asked={"mlu": 2_000, "h100": 1_000})
    assert [(reason.resource, reason.used, reason.asked) for reason in reasons] == [("h100", 3, 1), ("mlu", 0, 2)]


def test_what_another_queue_holds_is_not_counted() -> None:
    assert over(QueueQuota("beta", "h100", limit=2), asked={"h100": 2_000}, queue="beta") == ()


def test_shares_count_to_the_thousandth() -> None:
    limit = QueueQuota("alpha", "h100", limit=2)
    assert over(limit, asked={"h100": 750}, ledger=SHARED) == ()
    assert over(limit, asked={"h100": 751}, ledger=SHARED) != ()


def test_a_reason_tells_whole_devices_shares_rounded_up() -> None:
    (reason,) = over(QueueQuota("alpha", "h100", limit=1), asked={"h100": 1_001}, ledger=SHARED)
    assert reason == QuotaExceeded("alpha", "h100", limit=1, used=2, asked=2)


def test_who_asks_for_no_devices_passes_no_quota() -> None:
    assert over(QueueQuota("alpha", "h100", limit=0), asked={}) == ()


def test_what_a_queue_holds_counts_for_those_that_it_is_in() -> None:
    limit = [QueueQuota("org", "h100", limit=8)]
    assert in_tree({"beta": 5}, limit, asked=3) == []
    assert in_tree({"beta": 5}, limit, asked=4) == [("org", "h100", 8, 5, 4, QuotaCause.LIMIT, ())]
    assert in_tree({"beta": 5}, limit, asked=12, queue="other") == []


def test_who_may_borrow_so_much_holds_no_more_than_that_above_its_guaranteed_share() -> None:
    quota = [QueueQuota("alpha", "h100", guaranteed=4, limit=9, borrowing=2)]
    assert in_tree({"alpha": 3}, quota, asked=3) == []
    assert in_tree({"alpha": 3}, quota, asked=4) == [("alpha", "h100", 6, 3, 4, QuotaCause.BORROWING, ())]


def test_a_group_counts_its_chip_types_together_and_compute_counts_what_they_are_worth() -> None:
    assert in_tree({"alpha": 3}, [QueueQuota("alpha", "fast", limit=4)], asked=2, chip="h200")[0][:5] == (
        ("alpha", "fast", 4, 3, 2)
    )
    compute = [QueueQuota("alpha", COMPUTE, limit=3_130)]
    assert in_tree({"alpha": 3}, compute, asked=2, chip="t4") == []
    assert in_tree({"alpha": 3}, compute, asked=3, chip="t4")[0][:5] == ("alpha", COMPUTE, 3_130, 3_000, 195)


def test_what_a_sibling_does_not_lend_stays_free_for_it() -> None:
    quotas = [QueueQuota("beta", "h100", guaranteed=6, lending=2)]
    assert in_tree({}, quotas, asked=12) == []
    assert in_tree({}, quotas, asked=13) == [("alpha", "h100", 12, 0, 13, QuotaCause.KEPT_BACK, ("beta",))]
    assert in_tree({"beta": 3, "alpha": 1}, quotas, asked=12) == [
        ("alpha", "h100", 12, 1, 12, QuotaCause.KEPT_BACK, ("beta",))
    ]
    assert in_tree({"beta": 4}, quotas, asked=12) == []


def test_nothing_is_kept_back_from_who_takes_its_own_guaranteed_share() -> None:
    quotas = [
        QueueQuota("beta", "h100", guaranteed=10, lending=0),
        QueueQuota("alpha", "h100", guaranteed=10),
        QueueQuota("other", "h100", guaranteed=2, lending=0),
    ]
    assert in_tree({}, quotas, asked=10) == []
    assert in_tree({}, quotas, asked=11)[0][5:] == (QuotaCause.KEPT_BACK, ("beta", "other"))
    assert in_tree({}, quotas, asked=16, queue="beta")[0][5:] == (QuotaCause.KEPT_BACK, ("other",))


def test_where_queues_within_each_other_keep_back_the_outer_one_speaks_for_both() -> None:
    quotas = [
        QueueQuota("org", "h100", guaranteed=8, lending=0),
        QueueQuota("beta", "h100", guaranteed=6, lending=0),
    ]
    assert in_tree({}, quotas, asked=9, queue="other")[0][2:] == (8, 0, 9, QuotaCause.KEPT_BACK, ("org",))
    assert in_tree({}, quotas, asked=3, devices=8)[0][2:] == (2, 0, 3, QuotaCause.KEPT_BACK, ("beta",))


@pytest.mark.parametrize(
    ("org", "said"),
    [
        (QueueQuota("org", "h100", limit=5), "more than its limit of 5"),
        (
            QueueQuota("org", "h100", guaranteed=2, borrowing=3),
            "more than what is guaranteed to it and it may borrow, 5",
        ),
    ],
)
def test_no_more_may_be_guaranteed_in_a_queue_than_it_may_hold(org: QueueQuota, said: str) -> None:
    within = [QueueQuota("alpha", "h100", guaranteed=4), QueueQuota("beta", "h100", guaranteed=2)]
    with pytest.raises(ContradictoryQuota, match=said):
        check_guarantees(TREE, [org, *within], capacity=None)
    check_guarantees(TREE, [org, within[0]], capacity=None)
