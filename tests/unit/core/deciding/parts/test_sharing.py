from dataclasses import replace

import pytest

from scheduler.core.deciding.explanation import explain
from scheduler.core.deciding.passes import Passes
from scheduler.core.deciding.prospect import prospect_of
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import (
    ChangeBody,
    ChipDefined,
    ChipGroupRemoved,
    ChipGroupSet,
    NodeSeen,
    QueueQuotaLifted,
    QueueQuotaSet,
    QueueRemoved,
    QueueSet,
)
from scheduler.core.model.decision import Placed
from scheduler.core.model.job import Job
from scheduler.core.model.node import NodeState
from scheduler.core.model.reason import QueueIsFull, QuotaExceeded, TooFewFree
from scheduler.core.model.sharing.queue import ChipGroup, Queue, QueueCaps, QueueQuota, QuotaCause
from tests.builders.core import NOON, World, as_change, make_group, make_job, make_node, make_state, place_first
from tests.builders.database import make_chip

QUEUES = (
    Queue("org"),
    Queue("alpha", "org", "alpha"),
    Queue("beta", "org", "beta"),
    Queue("night", "alpha", "alpha"),
)


def placed(passes: Passes, state: SchedulerState) -> list[str]:
    return [decision.group for decision in passes.decide(state, NOON) if isinstance(decision, Placed)]


def groups(*jobs: Job) -> list[str]:
    return [make_group(job).id for job in jobs]


def tell(state: SchedulerState, *bodies: ChangeBody) -> None:
    for body in bodies:
        state.apply(as_change(body))


def test_a_job_waits_in_its_tenants_own_queue_unless_it_names_another() -> None:
    jobs = (make_job(1), make_job(2, queue="night"))
    state = make_state(make_node(), jobs=jobs, queues=QUEUES)
    assert [state.request(job.id).queue for job in jobs] == ["alpha", "night"]
    assert state.sharing.book.path("night") == ("night", "alpha", "org")


def test_a_queue_that_nobody_told_of_is_at_the_top_until_somebody_does() -> None:
    state = make_state(make_node(), jobs=(make_job(1, tenant="gamma"),))
    assert state.sharing.tree.path("gamma") == ("gamma",)
    assert dict(state.sharing.queues) == {}
    tell(state, QueueSet(Queue("org")), QueueSet(Queue("gamma", "org", "gamma")))
    assert state.sharing.tree.path("gamma") == ("gamma", "org")


def test_what_jobs_hold_is_counted_for_their_queue_and_those_that_it_is_in_wherever_they_are_moved() -> None:
    state = place_first(make_state(make_node(), jobs=(make_job(1, workers=3, queue="night"),), queues=QUEUES))
    uses = state.ledger.uses
    names = ("night", "alpha", "beta", "org")
    assert [uses.held_by(name).get("h100", 0) for name in names] == [3_000, 3_000, 0, 3_000]
    tell(state, QueueSet(Queue("night", "beta", "beta")))
    assert [uses.held_by(name).get("h100", 0) for name in names] == [3_000, 0, 3_000, 3_000]


def test_a_tree_with_all_that_is_in_it_is_followed_as_it_is_read() -> None:
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node())
    for queue in QUEUES:
        world.set_queue(queue)
    world.set_quota(QueueQuota("org", "fast", 2, 6, 1, 0))
    world.set_chip_group(ChipGroup("fast", ("h100", "a800")))
    world.submit(make_job(1, queue="night"))
    world.decide()
    world.set_queue(replace(QUEUES[1], parent=None))
    world.remove_queue("beta")
    followed = SchedulerState()
    for change in world.changes:
        followed.apply(change)
    assert followed.digest() == world.present().digest()
    assert followed.sharing.tree.path("night") == ("night", "alpha")
    assert followed.ledger.uses.held_by("alpha") == {"h100": 1_000}
    assert followed.ledger.uses.held_by("org") == {}


def test_each_thing_that_is_said_of_queues_makes_another_state() -> None:
    state = make_state(make_node())
    digests = {state.digest()}
    bodies: list[ChangeBody] = [
        QueueSet(Queue("org")),
        QueueSet(Queue("org", weight=2)),
        QueueQuotaSet(QueueQuota("org", "h100", limit=1)),
        QueueQuotaSet(QueueQuota("org", "h100", limit=2)),
        ChipGroupSet(ChipGroup("fast", ("h100",))),
        ChipGroupSet(ChipGroup("fast", ("h100", "a800"))),
        ChipGroupRemoved("fast"),
        QueueSet(Queue("other")),
    ]
    for body in bodies:
        tell(state, body)
        digests.add(state.digest())
    assert len(digests) == len(bodies)  # without the group it is what it was before there was one
    tell(state, QueueRemoved("other"), QueueQuotaLifted("org", "h100"), QueueRemoved("org"))
    assert state.digest() == make_state(make_node()).digest()


def test_a_queue_goes_with_its_quotas() -> None:
    state = make_state(make_node(), queues=QUEUES, quotas=(QueueQuota("beta", "h100", limit=1),))
    tell(state, QueueRemoved("beta"))
    assert dict(state.sharing.quotas) == {}


def test_who_is_over_the_quota_of_a_group_is_asked_once_that_counts_other_chip_types() -> None:
    job, group = make_job(1, workers=4), ChipGroup("fast", ("h100", "a800"))
    quotas = (QueueQuota("org", "fast", limit=3),)
    state, passes = make_state(make_node(), jobs=(job,), queues=QUEUES, quotas=quotas, chip_groups=(group,)), Passes()
    assert placed(passes, state) == []
    assert explain(state, groups(job)[0], NOON).reasons == (QuotaExceeded("org", "fast", 3, 0, 4),)
    tell(state, ChipGroupSet(ChipGroup("fast", ("a800",))))
    assert placed(passes, state) == groups(job)


def test_who_is_over_its_compute_is_asked_once_its_chip_type_is_worth_less() -> None:
    job, chip = make_job(1, workers=4), make_chip("h100", measured_tflops=1_000.0)
    state = make_state(make_node(), jobs=(job,), chips=(chip,), quotas=(QueueQuota("alpha", "compute", limit=3_999),))
    passes = Passes()
    assert placed(passes, state) == []
    tell(state, ChipDefined(replace(chip, measured_tflops=999.0)))
    assert placed(passes, state) == groups(job)


def test_what_is_kept_back_is_to_be_had_once_there_is_more_or_it_is_lent() -> None:
    kept = QueueQuota("beta", "h100", guaranteed=6, lending=0)
    job = make_job(1, workers=4)
    for news in (
        NodeSeen(make_node("n2", {"h100": 2})),
        QueueQuotaSet(replace(kept, lending=2)),
        QueueQuotaLifted("beta", "h100"),
        QueueQuotaSet(QueueQuota("alpha", "h100", guaranteed=4)),
    ):
        state, passes = make_state(make_node(), jobs=(job,), queues=QUEUES, quotas=(kept,)), Passes()
        assert placed(passes, state) == []
        (reason,) = explain(state, groups(job)[0], NOON).reasons
        assert reason == QuotaExceeded("alpha", "h100", 2, 0, 4, QuotaCause.KEPT_BACK, ("beta",))
        asked = passes.asked
        tell(state, NodeSeen(make_node("other", {"a800": 8})))
        assert (placed(passes, state), passes.asked) == ([], asked)
        tell(state, news)
        assert placed(passes, state) == groups(job)


def test_devices_on_nodes_that_take_no_work_are_nothing_to_keep_back() -> None:
    kept = QueueQuota("beta", "h100", guaranteed=2, lending=0)
    jobs = (make_job(1, workers=4), make_job(2, workers=5))
    state = place_first(make_state(make_node(), jobs=jobs, queues=QUEUES, quotas=(kept,)))
    drained = make_node("n1", state=NodeState.DRAINED)
    tell(state, NodeSeen(drained), NodeSeen(make_node("n2", {"h100": 6})))
    (reason,) = explain(state, groups(jobs[1])[0], NOON).reasons
    assert reason == QuotaExceeded("alpha", "h100", 8, 4, 5, QuotaCause.KEPT_BACK, ("beta",))
    tell(state, NodeSeen(make_node("n2", {"h100": 7})))
    assert explain(state, groups(jobs[1])[0], NOON).reasons == ()


def capped(caps: QueueCaps) -> tuple[Queue, ...]:
    return (replace(QUEUES[0], caps=caps), *QUEUES[1:])


def test_a_queue_that_runs_as_many_jobs_as_it_may_lets_the_next_one_wait_until_one_ends() -> None:
    jobs = (make_job(1), make_job(2, tenant="beta"), make_job(3, queue="night"))
    world = World()
    world.see_cluster("mixed")
    world.see_node(make_node())
    for queue in capped(QueueCaps(most_running=2)):
        world.set_queue(queue)
    for job in jobs:
        world.submit(job)
    world.decide()
    state, passes = world.present(), Passes()
    assert [len(state.live), placed(passes, state)] == [2, []]
    assert explain(state, groups(jobs[2])[0], NOON).reasons == (QueueIsFull("org", 2),)
    assert prospect_of(state, make_job(9), NOON).reasons == (QueueIsFull("org", 2),)
    kinds = [type(reason) for reason in prospect_of(state, make_job(9, workers=8), NOON).reasons]
    assert kinds == [QueueIsFull, TooFewFree]
    seen = len(world.changes)
    world.move(groups(jobs[0])[0], Event.WORKERS_CREATED)
    world.move(groups(jobs[0])[0], Event.ALL_SUCCEEDED)
    for change in world.changes[seen:]:
        state.apply(change)
    assert placed(passes, state) == groups(jobs[2])


def test_a_user_at_the_cap_holds_up_nobody_else_who_asks_for_the_same() -> None:
    jobs = (make_job(1, user="ada"), make_job(2, user="ada"), make_job(3, user="bob"))
    state = make_state(make_node(), jobs=jobs, queues=capped(QueueCaps(most_running_per_user=1)))
    passes = Passes()
    assert placed(passes, state) == groups(jobs[0], jobs[2])
    assert len(state.waiters.classes.all) == len({"ada", "bob"})


@pytest.mark.parametrize("first", [QueueCaps(), QueueCaps(most_running_per_user=1)])
def test_users_are_told_apart_from_the_moment_that_they_are_limited(first: QueueCaps) -> None:
    jobs = (make_job(1, user="ada", workers=9), make_job(2, user="bob", workers=9))
    state = make_state(make_node(), jobs=jobs, queues=capped(first))
    second = QueueCaps() if first.most_running_per_user else QueueCaps(most_running_per_user=1)
    before = len(state.waiters.classes.all)
    tell(state, QueueSet(capped(second)[0]))
    assert {before, len(state.waiters.classes.all)} == {1, 2}


def test_a_cap_that_is_raised_is_looked_at() -> None:
    job = make_job(1)
    state, passes = make_state(make_node(), jobs=(job,), queues=capped(QueueCaps(most_running=0))), Passes()
    assert placed(passes, state) == []
    tell(state, QueueSet(QUEUES[0]))
    assert placed(passes, state) == groups(job)
