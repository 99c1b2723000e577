from scheduler.core.ledger.use_counts import UseCounts
from scheduler.core.model.reason import Holder


def test_a_tenants_use_is_the_sum_over_all_clusters_in_thousandths() -> None:
    counts = UseCounts()
    counts.add("alpha", [("east", "h100", 2_000)])
    counts.add("alpha", [("west", "h100", 250)])
    counts.add("alpha", [("west", "mlu", 1_000)])
    assert counts.tenant_devices_milli("alpha", "h100") == 2_250
    assert counts.tenant_devices_milli("beta", "h100") == 0


def test_holders_of_a_cluster_come_most_first_and_then_by_tenant() -> None:
    counts = UseCounts()
    for tenant, devices in (("b", 1), ("a", 1), ("c", 2)):
        counts.add(tenant, [("east", "h100", devices * 1_000)])
    assert counts.holders("east", "h100") == (Holder("c", 2), Holder("a", 1), Holder("b", 1))
    assert counts.holders("west", "h100") == ()
    assert counts.holders("east", "mlu") == ()


def test_shares_are_rounded_up_to_whole_devices_and_ordered_by_what_they_are() -> None:
    counts = UseCounts()
    counts.add("a", [("east", "h100", 1)])
    counts.add("b", [("east", "h100", 999)])
    counts.add("c", [("east", "h100", 1_001)])
    assert counts.holders("east", "h100") == (Holder("c", 2), Holder("b", 1), Holder("a", 1))


def test_a_tenant_that_gave_everything_back_is_no_holder() -> None:
    counts = UseCounts()
    counts.add("alpha", [("east", "h100", 1_250)])
    counts.add("alpha", [("east", "h100", 1_000)], -1)
    assert counts.holders("east", "h100") == (Holder("alpha", 1),)
    counts.add("alpha", [("east", "h100", 250)], -1)
    assert counts.holders("east", "h100") == ()
    assert counts.tenant_devices_milli("alpha", "h100") == 0


def test_all_that_is_held_is_told_by_cluster_chip_and_tenant() -> None:
    counts = UseCounts()
    counts.add("a", [("east", "h100", 1_500)])
    for sign in (1, -1):
        counts.add("b", [("east", "h100", 2_000)], sign)
    assert counts.all_held() == (("east", "h100", "a", 1_500),)
