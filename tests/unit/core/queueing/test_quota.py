from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.queueing.quota import over_quota
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node, make_share

LEDGER = make_ledger(make_node(devices={"h100": 8, "mlu": 8}))
LEDGER.apply(make_hold("a1", make_allocation((0, 1, 2))))
SHARED = make_ledger(make_node(devices={"h100": 8}))
SHARED.apply(make_hold("a1", make_allocation((0,)), make_share(1, 250)))


def test_without_a_quota_there_is_no_limit() -> None:
    assert over_quota(LEDGER, {("beta", "h100"): 0}, tenant="alpha", devices_milli=[("h100", 10**12)]) == ()


def test_a_tenant_may_hold_exactly_its_quota() -> None:
    limits = {("alpha", "h100"): 5}
    assert over_quota(LEDGER, limits, tenant="alpha", devices_milli=[("h100", 2_000)]) == ()
    want = QuotaExceeded("alpha", "h100", limit=5, used=3, asked=3)
    assert over_quota(LEDGER, limits, tenant="alpha", devices_milli=[("h100", 3_000)]) == (want,)


def test_every_chip_type_of_a_mix_is_checked() -> None:
    limits = {("alpha", "h100"): 3, ("alpha", "mlu"): 1}
    reasons = over_quota(LEDGER, limits, tenant="alpha", devices_milli=[("mlu", 2_000), ("h100", 1_000)])
    assert [(reason.chip, reason.used, reason.asked) for reason in reasons] == [("mlu", 0, 2), ("h100", 3, 1)]


def test_what_another_tenant_holds_is_not_counted() -> None:
    assert over_quota(LEDGER, {("beta", "h100"): 2}, tenant="beta", devices_milli=[("h100", 2_000)]) == ()


def test_shares_count_to_the_thousandth() -> None:
    limits = {("alpha", "h100"): 2}
    assert over_quota(SHARED, limits, tenant="alpha", devices_milli=[("h100", 750)]) == ()
    assert over_quota(SHARED, limits, tenant="alpha", devices_milli=[("h100", 751)]) != ()


def test_a_reason_tells_whole_devices_shares_rounded_up() -> None:
    (reason,) = over_quota(SHARED, {("alpha", "h100"): 1}, tenant="alpha", devices_milli=[("h100", 1_001)])
    assert reason == QuotaExceeded("alpha", "h100", limit=1, used=2, asked=2)


def test_who_asks_for_no_devices_passes_no_quota() -> None:
    assert over_quota(LEDGER, {("alpha", "h100"): 0}, tenant="alpha", devices_milli=[]) == ()
