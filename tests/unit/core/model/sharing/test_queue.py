import pytest

from scheduler.core.model.sharing.queue import ContradictoryQuota, QueueQuota, check_quota


def test_the_most_a_queue_may_hold_is_the_smaller_of_its_limit_and_what_it_may_borrow() -> None:
    assert QueueQuota("a", "h100", guaranteed=8).most is None
    assert QueueQuota("a", "h100", guaranteed=8, limit=20).most == 20
    assert QueueQuota("a", "h100", guaranteed=8, borrowing=4).most == 12
    assert QueueQuota("a", "h100", guaranteed=8, limit=10, borrowing=4).most == 10
    assert QueueQuota("a", "h100", limit=0).most == 0


def test_what_a_queue_does_not_lend_stays_free_for_it() -> None:
    assert QueueQuota("a", "h100", guaranteed=8).kept_back == 0
    assert QueueQuota("a", "h100", guaranteed=8, lending=3).kept_back == 5
    assert QueueQuota("a", "h100", guaranteed=8, lending=0).kept_back == 8


@pytest.mark.parametrize(
    ("quota", "said"),
    [
        (QueueQuota("a", "h100", guaranteed=-1), "guaranteed is -1"),
        (QueueQuota("a", "h100", limit=-1), "limit is -1"),
        (QueueQuota("a", "h100", guaranteed=8, limit=7), "limit is 7, less than the guaranteed 8"),
        (QueueQuota("a", "h100", guaranteed=8, lending=9), "lending is 9, more than the guaranteed 8"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(quota: QueueQuota, said: str) -> None:
    with pytest.raises(ContradictoryQuota, match=said):
        check_quota(quota)


def test_figures_that_agree_are_not() -> None:
    check_quota(QueueQuota("a", "h100", guaranteed=8, limit=8, borrowing=0, lending=8))
