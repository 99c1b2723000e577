from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.reason import Holder
from tests.builders.core import make_allocation


def test_a_tenants_use_is_the_sum_over_all_clusters() -> None:
    counts = UseCounts()
    counts.add("alpha", "east", [make_allocation((0, 1))])
    counts.add("alpha", "west", [make_allocation((0,)), make_allocation((0,), chip="mlu")])
    assert counts.tenant_devices("alpha", "h100") == 3
    assert counts.tenant_devices("beta", "h100") == 0


def test_holders_of_a_cluster_come_most_first_and_then_by_tenant() -> None:
    counts = UseCounts()
    for tenant, slots in (("b", (0,)), ("a", (1,)), ("c", (2, 3))):
        counts.add(tenant, "east", [make_allocation(slots)])
    assert counts.holders("east", "h100") == (Holder("c", 2), Holder("a", 1), Holder("b", 1))
    assert counts.holders("west", "h100") == ()


def test_a_tenant_that_gave_everything_back_is_no_holder() -> None:
    counts = UseCounts()
    counts.add("alpha", "east", [make_allocation((0,))])
    counts.remove("alpha", "east", [make_allocation((0,))])
    assert counts.holders("east", "h100") == ()
    assert counts.tenant_devices("alpha", "h100") == 0
