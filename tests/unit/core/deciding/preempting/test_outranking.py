"""A guaranteed share against what is kept for those whose turn comes first."""

from dataclasses import replace

from scheduler.core.deciding.backfilling.hopes import TRY_SOON_S
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.queue import QueueQuota
from tests.builders.core import make_group, make_job, make_node
from tests.builders.preempting import Contended, evicted, placed

ALPHA = QueueQuota("alpha", "h100", guaranteed=5)
OWN = make_job(1)
"""It runs already, so it is the turn of those who have nothing yet."""


def names(*jobs: Job) -> list[str]:
    return sorted(make_group(job).id for job in jobs)


def first_in_line(first: Job, *running: Job, quotas: tuple[QueueQuota, ...] = (ALPHA,)) -> Contended:
    """Return a node of eight devices on which jobs run, and what comes free of it is promised to another one."""
    cluster = Contended(make_node(), quotas=quotas)
    cluster.run(OWN, *running)
    cluster.submit(first)
    cluster.wait(400)
    assert cluster.decide() == []
    assert [each.group for each in cluster.passes.promises.standing] == names(first)
    return cluster


def test_a_share_is_taken_back_from_attempts_whose_ends_are_promised_to_others() -> None:
    singles = [make_job(number, tenant="beta") for number in range(2, 9)]
    cluster = first_in_line(waits := make_job(10, tenant="delta", workers=8), *singles)
    cluster.submit(own := make_job(20, workers=4))
    assert len(evicted(cluster.decide())) == 4
    cluster.leave()
    assert placed(cluster.decide()) == names(own)
    cluster.start()
    cluster.wait(TRY_SOON_S)
    cluster.decide()
    assert [each.group for each in cluster.passes.promises.standing] == names(waits), "it goes on to wait, for longer"


def test_idle_devices_that_are_kept_for_others_are_had_and_nobody_is_stopped() -> None:
    cluster = first_in_line(make_job(10, tenant="delta", workers=8), make_job(2, tenant="beta", workers=3))
    cluster.submit(own := make_job(20, workers=4))
    assert evicted(first := cluster.decide()) == []
    assert placed([*first, *cluster.decide()]) == names(own)


def test_the_order_within_a_queue_stays_what_it_is() -> None:
    cluster = first_in_line(make_job(10, workers=7), make_job(2, tenant="beta", workers=3))
    cluster.submit(make_job(20, workers=4))
    assert [*cluster.decide(), *cluster.decide()] == []


def test_who_has_a_right_to_a_share_of_its_own_has_its_turn() -> None:
    ends, stays = (make_job(number, tenant="beta", workers=workers) for number, workers in ((2, 3), (3, 2)))
    ends = replace(ends, spec=replace(ends.spec, preemptible=False, time_limit_s=500))
    stays = replace(stays, spec=replace(stays.spec, preemptible=False))
    quotas = (replace(ALPHA, guaranteed=3), replace(ALPHA, queue="gamma"))
    cluster = first_in_line(make_job(10, tenant="gamma", workers=5), ends, stays, quotas=quotas)
    cluster.submit(make_job(20, workers=2))
    assert [*cluster.decide(), *cluster.decide()] == []


def test_without_a_guaranteed_share_whose_turn_it_is_goes_first() -> None:
    first, runs = make_job(10, tenant="delta", workers=8), make_job(2, tenant="beta", workers=3)
    cluster = first_in_line(first, runs, quotas=())
    cluster.submit(make_job(20, workers=4))
    assert [*cluster.decide(), *cluster.decide()] == []
