from scheduler.core.model.reason import QuotaExceeded
from scheduler.core.queueing.quota import over_quota
from tests.builders.core import make_allocation, make_hold, make_ledger, make_node

LEDGER = make_ledger(make_node(devices={"h100": 8, "mlu": 8}))
LEDGER.apply(make_hold("a1", make_allocation((0, 1, 2))))


def test_without_a_quota_there_is_no_limit() -> None:
    assert over_quota(LEDGER, {("beta", "h100"): 0}, tenant="alpha", devices=[("h100", 10**9)]) == ()


def test_a_tenant_may_hold_exactly_its_quota() -> None:
    limits = {("alpha", "h100"): 5}
    assert over_quota(LEDGER, limits, tenant="alpha", devices=[("h100", 2)]) == ()
    want = QuotaExceeded("alpha", "h100", limit=5, used=3, asked=3)
    assert over_quota(LEDGER, limits, tenant="alpha", devices=[("h100", 3)]) == (want,)


def test_every_chip_type_of_a_mix_is_checked() -> None:
    limits = {("alpha", "h100"): 3, ("alpha", "mlu"): 1}
    reasons = over_quota(LEDGER, limits, tenant="alpha", devices=[("mlu", 2), ("h100", 1)])
    assert [(reason.chip, reason.used, reason.asked) for reason in reasons] == [("mlu", 0, 2), ("h100", 3, 1)]


def test_a_chip_type_named_twice_is_added_up() -> None:
    reasons = over_quota(LEDGER, {("alpha", "mlu"): 3}, tenant="alpha", devices=[("mlu", 2), ("mlu", 2)])
    assert [reason.asked for reason in reasons] == [4]
