"""Which elastic jobs might go on with fewer workers for a gang."""

from scheduler.core.deciding.elastic.giving import Offer
from scheduler.core.deciding.preempting.candidates import Claimant
from scheduler.core.deciding.preempting.entitlement import Entitlement
from scheduler.core.deciding.preempting.givers import Givers, lent_in
from scheduler.core.deciding.preempting.rules import Rules
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.eviction import EvictionCause
from tests.builders.core import make_job, make_node, make_shape
from tests.builders.preempting import Contended, elastic

ANYBODY = Claimant(EvictionCause.PRIORITY, lambda _: True, lambda _: True, may_shrink=lambda *_: True)


def running(*jobs: Job) -> Contended:
    cluster = Contended(make_node("n1"), make_node("n2", {"a800": 8}))
    cluster.run(*jobs)
    cluster.wait(100)
    return cluster


def offered(cluster: Contended, job: Job, claimant: Claimant = ANYBODY) -> tuple[list[Offer], Givers]:
    state, rules = cluster.state, Rules()
    cluster.submit(job)
    givers = Givers(state, rules, cluster.passes.promises.claims, cluster.now)
    entitlement = Entitlement(state, rules, lambda _: False)
    return list(givers.offers(state.request(job.id), job, claimant, entitlement)), givers


def test_those_come_first_whose_regrouping_costs_least_for_what_they_give() -> None:
    dear, cheap = elastic(make_job(1, workers=5), 4), elastic(make_job(2, workers=3), 1)
    offers, _ = offered(running(dear, cheap), make_job(3))
    assert [(offer.live.job.id, offer.workers, offer.devices_milli) for offer in offers] == [
        (cheap.id, 1, 2_000),
        (dear.id, 4, 1_000),
    ]


def test_only_what_the_gang_can_use_is_offered() -> None:
    cluster = running(elastic(make_job(1, workers=4), 2), elastic(make_job(2, workers=4, chips="a800"), 2))
    offers, _ = offered(cluster, make_job(3, chips="a800"))
    assert [offer.live.job.id for offer in offers] == [make_job(2).id]


def test_as_many_stay_as_the_right_says() -> None:
    claimant = Claimant(EvictionCause.RECLAIM, lambda _: True, lambda _: True, may_shrink=lambda _, held: len(held) < 3)
    offers, _ = offered(running(elastic(make_job(1, workers=8), 2)), make_job(3), claimant)
    assert [(offer.workers, offer.cause) for offer in offers] == [(6, EvictionCause.RECLAIM)]


def test_who_began_just_now_is_left_and_it_is_known_until_when() -> None:
    cluster = Contended(make_node("n1"))
    cluster.run(elastic(make_job(1, workers=8), 2))
    offers, givers = offered(cluster, make_job(3))
    assert offers == []
    assert givers.spared_until is not None
    assert (givers.spared_until - cluster.now).total_seconds() == Rules().min_run_s


def test_what_came_by_growing_is_counted_where_it_is() -> None:
    cluster = Contended(make_node("n1"), make_node("n2", {"a800": 8}))
    cluster.run(make_job(9, shape=make_shape(6)))
    cluster.run(elastic(make_job(1, workers=6), 1))
    cluster.end(make_job(9))
    cluster.wait(130)
    cluster.decide()
    pools = (("mixed", "h100"), ("mixed", "a800"), ("mixed", None))
    assert [lent_in(cluster.state, pool) for pool in pools] == [4, 0, 4]
