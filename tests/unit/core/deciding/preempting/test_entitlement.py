from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.decision import Evicted
from scheduler.core.model.sharing.eviction import EvictionCause
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from tests.builders.core import make_group, make_job, make_node, make_shape
from tests.builders.preempting import Contended, evicted, placed

ALPHA, BETA = QueueQuota("alpha", "h100", guaranteed=6), QueueQuota("beta", "h100", guaranteed=2)


def borrowed(*quotas: QueueQuota, rules: Rules | None = None, devices: int = 8) -> Contended:
    """Return a node of which tenant beta uses that many devices, in jobs of one each."""
    cluster = Contended(make_node(), quotas=quotas, rules=rules)
    cluster.run(*(make_job(number, tenant="beta", priority=9) for number in range(1, devices + 1)))
    cluster.wait(100)
    return cluster


def test_a_guaranteed_share_is_taken_back_from_those_who_borrowed_it_whatever_their_priority() -> None:
    cluster = borrowed(ALPHA, BETA)
    cluster.submit(make_job(20, workers=6))
    decisions = cluster.decide()
    assert len(evicted(decisions)) == 6
    causes = {each.eviction.cause for each in decisions if isinstance(each, Evicted)}
    assert causes == {EvictionCause.RECLAIM}
    cluster.leave()
    assert placed(cluster.decide()) == [make_group(make_job(20)).id]


def test_nobody_is_left_with_less_than_its_own_guaranteed_share() -> None:
    cluster = borrowed(ALPHA, QueueQuota("beta", "h100", guaranteed=3))
    cluster.submit(make_job(20, workers=6))
    assert cluster.decide() == []
    cluster.submit(make_job(21, workers=5))
    assert len(evicted(cluster.decide())) == 5


def test_a_gang_that_reaches_beyond_a_share_is_stopped_where_nothing_else_would_do() -> None:
    cluster = Contended(make_node(), quotas=(ALPHA, QueueQuota("beta", "h100", guaranteed=1)))
    cluster.run(wide := make_job(1, tenant="beta", workers=8))
    cluster.wait(100)
    cluster.submit(own := make_job(20, workers=6))
    assert evicted(cluster.decide()) == [make_group(wide).id]
    cluster.leave()
    assert placed(cluster.decide()) == [make_group(own).id]
    cluster.start()
    cluster.wait(100)
    assert evicted(cluster.decide()) == [], "it does not come back by its share, beyond which it reaches"


def test_a_gang_that_reaches_beyond_a_share_is_spared_where_others_hold_enough_of_what_was_borrowed() -> None:
    cluster = Contended(make_node(), quotas=(ALPHA, QueueQuota("beta", "h100", guaranteed=4)))
    singles = [make_job(number, tenant="beta") for number in (2, 3, 4)]
    cluster.run(make_job(1, tenant="beta", workers=5), *singles)
    cluster.wait(100)
    cluster.submit(make_job(20, workers=3))
    assert evicted(cluster.decide()) == sorted(make_group(job).id for job in singles)


def test_what_a_queue_may_have_again_at_any_time_is_not_taken_from_it_with_a_gang_that_reaches_beyond_that() -> None:
    queues = (
        Queue("west"),
        Queue("alpha", parent="west", tenant="alpha"),
        Queue("gamma", parent="west", tenant="gamma"),
        Queue("beta", tenant="beta"),
    )
    whole = QueueQuota("alpha", "h100", guaranteed=9, lending=0)
    own = QueueQuota("beta", "h100", guaranteed=2, lending=0)
    quotas = (QueueQuota("west", "h100", guaranteed=9), whole, own)
    cluster = Contended(make_node("n1"), make_node("n2", {"h100": 4}), quotas=quotas, queues=queues)
    cluster.run(make_job(1, tenant="alpha", workers=6), make_job(2, tenant="beta", workers=3))
    cluster.wait(100)
    cluster.submit(make_job(20, tenant="gamma", workers=3))
    assert cluster.decide() == [], "of six devices alpha keeps back three, and beta may have two again"
    cluster.submit(make_job(21, tenant="gamma"))
    assert evicted(cluster.decide()) == [make_group(make_job(2)).id], "but one of them is nobody's"


def test_several_gangs_together_take_no_more_than_is_guaranteed() -> None:
    cluster = borrowed(QueueQuota("alpha", "h100", guaranteed=5))
    cluster.submit(*(make_job(number, workers=2) for number in range(20, 24)))
    assert len(evicted(cluster.decide())) == 4
    cluster.leave(most=1)
    assert evicted(cluster.decide()) == []


def test_what_is_on_its_way_out_already_counts_as_gone() -> None:
    cluster = borrowed(QueueQuota("alpha", "h100", guaranteed=8), QueueQuota("beta", "h100", guaranteed=4))
    cluster.submit(make_job(20, workers=3))
    assert len(evicted(cluster.decide())) == 3
    cluster.submit(make_job(21, workers=2))
    assert evicted(cluster.decide()) == []
    cluster.submit(make_job(22))
    assert len(evicted(cluster.decide())) == 1


def test_without_a_guarantee_or_where_preemption_is_off_nothing_is_taken_back() -> None:
    for cluster in (borrowed(BETA), borrowed(ALPHA, rules=Rules(Scope.OFF))):
        cluster.submit(make_job(20, workers=2))
        assert cluster.decide() == []


def test_a_higher_priority_takes_nothing_from_the_guaranteed_share_of_others() -> None:
    cluster = Contended(make_node(), quotas=(QueueQuota("beta", "h100", guaranteed=8),), rules=Rules(Scope.EVERYWHERE))
    cluster.run(make_job(1, tenant="beta", shape=make_shape(8)))
    cluster.wait(100)
    cluster.submit(make_job(2, priority=5))
    assert cluster.decide() == []
    cluster.submit(make_job(3, tenant="beta", priority=5))
    assert len(evicted(cluster.decide())) == 1, "among its own it does"
