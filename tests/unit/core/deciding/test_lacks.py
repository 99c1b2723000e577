from scheduler.core.deciding.lacks import LacksAnything, LacksDeparture, LacksQuota, LacksRoom, Numbers
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.model.job import AnyOf, Job
from scheduler.core.model.sharing.queue import QueueQuota
from scheduler.core.model.topology import NODE, RACK, Apart, Closeness
from tests.builders.core import make_job, make_node, make_shape, make_state, place_first


def lacked(state: SchedulerState, job: Job) -> list[tuple[object, object, int]]:
    return [
        (type(lack), lack.pool if isinstance(lack, LacksRoom | LacksAnything) else "", workers)
        for lack, workers in Numbers(state).lacks(state.request(job.id))
    ]


def test_a_gang_lacks_room_for_all_its_workers_wherever_it_may_be() -> None:
    job = make_job(chips=AnyOf(("h100", "a800")), workers=9)
    state = make_state(make_node("a"), make_node("b", {"a800": 8}, cluster="other"), jobs=(job,))
    pools = [(cluster, chip) for chip in ("h100", "a800") for cluster in ("mixed", "other")]
    assert lacked(state, job) == [(LacksRoom, pool, 9) for pool in pools]


def test_one_that_is_over_its_quota_waits_for_that_and_not_for_room() -> None:
    job = make_job(workers=9)
    state = make_state(make_node(), jobs=(job,), quotas=(QueueQuota("alpha", "h100", limit=4),))
    assert lacked(state, job) == [(LacksQuota, "", 0)]


def test_where_there_is_room_enough_that_lies_wrong_any_change_may_help() -> None:
    job = make_job(workers=9, closeness=Closeness(required=RACK))
    nodes = (make_node("a", rack="r1"), make_node("b", rack="r2"))
    assert lacked(make_state(*nodes, jobs=(job,)), job) == [(LacksAnything, ("mixed", "h100"), 0)]


def test_one_that_keeps_apart_waits_for_its_tenants_own_work_as_well() -> None:
    job = make_job(workers=9, apart=Apart(NODE, (("app", "web"),)))
    assert lacked(make_state(make_node(), jobs=(job,)), job)[0] == (LacksDeparture, "", 0)


def test_a_tenant_with_nodes_of_its_own_lacks_another_room_than_others() -> None:
    jobs = (make_job(1, workers=17), make_job(2, workers=17, tenant="beta"))
    state = make_state(make_node("a", tenant="alpha"), make_node("b"), jobs=jobs)
    own, others = (next(Numbers(state).lacks(state.request(job.id)))[0] for job in jobs)
    assert isinstance(own, LacksRoom)
    assert isinstance(others, LacksRoom)
    assert (own.owner, others.owner) == ("alpha", None)
    numbers = Numbers(state)
    assert [numbers.room(lack, state.request(job.id)) for lack, job in zip((own, others), jobs, strict=True)] == [16, 8]


def test_the_numbers_are_those_of_when_they_were_read_until_they_are_forgotten() -> None:
    jobs = (make_job(1, shape=make_shape(2)), make_job(2, workers=4, shape=make_shape(2)))
    state = make_state(make_node(), jobs=jobs)
    numbers, request = Numbers(state), state.request(jobs[1].id)
    assert numbers.allow(request)
    place_first(state)
    assert numbers.allow(request)
    numbers.forget()
    assert not numbers.allow(request)
    assert [workers for _, workers in numbers.lacks(request)] == [4]


def test_numbers_allow_what_is_over_quota_nowhere() -> None:
    job = make_job(workers=2)
    state = make_state(make_node(), jobs=(job,), quotas=(QueueQuota("alpha", "h100", limit=1),))
    assert not Numbers(state).allow(state.request(job.id))


def test_what_was_not_read_leaves_a_gang_open_and_what_was_may_shut_it_out() -> None:
    jobs = (make_job(1, workers=9), make_job(2, workers=8))
    state = make_state(make_node(), jobs=jobs)
    numbers, (nine, eight) = Numbers(state), (state.request(job.id) for job in jobs)
    assert numbers.leave_open(nine)
    list(numbers.lacks(nine))
    assert not numbers.leave_open(nine)
    assert numbers.leave_open(eight)
    numbers.forget()
    assert numbers.leave_open(nine)
