"""Room under quotas: who holds what a gang's quotas have too little of is stopped, in whichever queue that is."""

from dataclasses import replace

from scheduler.core.deciding.preempting.rules import Rules, Scope
from scheduler.core.model.job import Job
from scheduler.core.model.node import Node
from scheduler.core.model.sharing.queue import Queue, QueueQuota
from tests.builders.core import make_group, make_job, make_node, make_shape
from tests.builders.preempting import Contended, elastic, evicted, given, placed

DEPARTMENT = (
    Queue("research"),
    Queue("alpha", parent="research", tenant="alpha"),
    Queue("beta", parent="research", tenant="beta"),
)
LIMITED = (QueueQuota("research", "h100", limit=8), QueueQuota("alpha", "h100", guaranteed=4))


def names(*jobs: Job) -> list[str]:
    return sorted(make_group(job).id for job in jobs)


def shared(
    *nodes: Node, queues: tuple[Queue, ...] = DEPARTMENT, quotas: tuple[QueueQuota, ...] = LIMITED, rules: Rules
) -> Contended:
    return Contended(*nodes, rules=rules, queues=queues, quotas=quotas)


def full_of(*jobs: Job, rules: Rules | None = None) -> Contended:
    """Return a cluster with room, of which jobs hold all that their department may have."""
    cluster = shared(make_node("n1"), make_node("n2"), rules=rules or Rules())
    cluster.run(*jobs)
    cluster.wait(100)
    return cluster


def test_a_share_is_taken_back_from_who_uses_up_the_limit_of_the_department_though_devices_are_free() -> None:
    cluster = full_of(*(make_job(number, tenant="beta") for number in range(1, 9)))
    cluster.submit(one := make_job(11, tenant="alpha"))
    assert len(evicted(cluster.decide())) == 1
    cluster.leave()
    assert placed(cluster.decide())[-1:] == names(one)


def test_no_more_are_stopped_than_leave_enough_for_all_who_take_their_share_back_at_once_and_later() -> None:
    cluster = full_of(*(make_job(number, tenant="beta") for number in range(1, 9)))
    cluster.submit(*(make_job(number, tenant="alpha") for number in (11, 12)))
    assert len(evicted(cluster.decide())) == 2
    cluster.submit(make_job(13, tenant="alpha"))
    assert len(evicted(cluster.decide())) == 1


def test_who_gives_workers_for_it_counts_once_too() -> None:
    cluster = full_of(elastic(make_job(1, workers=8, tenant="beta"), 1))
    cluster.submit(*(make_job(number, tenant="alpha") for number in (11, 12)))
    assert given(cluster.decide()) == {make_group(make_job(1)).id: 7}
    cluster.leave()
    cluster.wait(100)
    cluster.decide()
    cluster.start()
    cluster.leave()
    cluster.wait(100)
    cluster.decide()
    held = {tenant: cluster.state.ledger.uses.held_by(tenant)["h100"] for tenant in ("alpha", "beta")}
    assert held == {"alpha": 2_000, "beta": 6_000}


def test_a_higher_priority_has_those_stopped_who_use_up_the_limit_of_the_department() -> None:
    cluster = full_of(
        *(make_job(number, tenant="beta", shape=make_shape(4)) for number in (1, 2)), rules=Rules(Scope.EVERYWHERE)
    )
    cluster.submit(make_job(11, tenant="alpha", shape=make_shape(6), priority=1))
    assert len(evicted(cluster.decide())) == 2


def test_who_is_in_another_department_is_not_stopped_for_what_this_one_lacks() -> None:
    queues = (*DEPARTMENT, Queue("gamma", tenant="gamma"))
    cluster = shared(make_node("n1"), make_node("n2"), make_node("n3"), queues=queues, rules=Rules())
    cluster.run(*(make_job(number, tenant="gamma") for number in range(1, 9)))
    cluster.run(*(make_job(number, tenant="beta") for number in range(11, 19)))
    cluster.wait(100)
    cluster.submit(make_job(21, tenant="alpha"))
    (stopped,) = evicted(cluster.decide())
    assert stopped in names(*(make_job(number) for number in range(11, 19)))


def test_the_quota_of_a_queue_of_its_own_is_made_room_in_where_the_devices_are_free_elsewhere() -> None:
    cluster = shared(
        make_node("n1", labels=(("rack", "a"),)),
        make_node("n2", labels=(("rack", "b"),)),
        queues=(Queue("alpha", tenant="alpha"), Queue("alpha.nlp", parent="alpha", tenant="alpha")),
        quotas=(QueueQuota("alpha.nlp", "h100", limit=8),),
        rules=Rules(),
    )
    low = make_job(1, shape=make_shape(8), queue="alpha.nlp", node_labels=(("rack", "a"),))
    cluster.run(low)
    cluster.wait(100)
    cluster.submit(
        make_job(2, shape=make_shape(4), queue="alpha.nlp", node_labels=(("rack", "b"),), priority=1),
    )
    assert evicted(cluster.decide()) == names(low)


def test_the_quota_is_made_room_in_where_another_cluster_uses_it_up() -> None:
    cluster = shared(
        make_node("n1", cluster="east"),
        make_node("n1", cluster="west"),
        queues=(),
        quotas=(QueueQuota("alpha", "h100", limit=8),),
        rules=Rules(),
    )
    low = make_job(1, shape=make_shape(8), objecting_clusters=("west",))
    cluster.run(low)
    cluster.wait(100)
    cluster.submit(make_job(2, shape=make_shape(4), objecting_clusters=("east",), priority=1))
    assert evicted(cluster.decide()) == names(low)


def test_what_others_keep_back_is_made_up_for_by_whoever_may_be_stopped() -> None:
    cluster = shared(
        make_node("n1"),
        queues=(),
        quotas=(QueueQuota("gamma", "h100", guaranteed=4, lending=0),),
        rules=Rules(Scope.EVERYWHERE),
    )
    low = make_job(1, tenant="beta", shape=make_shape(4))
    cluster.run(low)
    cluster.wait(100)
    high = make_job(2, tenant="alpha", shape=make_shape(4), priority=1)
    cluster.submit(replace(high, spec=replace(high.spec, preemptible=False)))
    assert evicted(cluster.decide()) == names(low)
    cluster.leave()
    assert placed(cluster.decide()) == names(high)
