from scheduler.core.queueing.policies.ordering import DEFAULT_ORDERING
from scheduler.core.queueing.policies.policy import Fair


def test_shares_are_fair_where_nobody_chose() -> None:
    assert DEFAULT_ORDERING.policy == Fair()
    assert DEFAULT_ORDERING.has_shares
    assert not DEFAULT_ORDERING.learns
