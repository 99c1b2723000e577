"""Queues and their quotas, on both databases."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.change import ChipGroupRemoved, ChipGroupSet, QueueQuotaSet, QueueRemoved, QueueSet
from scheduler.core.model.job import Job
from scheduler.core.model.sharing.queue import (
    COMPUTE,
    BadTree,
    ChipGroup,
    ContradictoryQuota,
    Queue,
    QueueCaps,
    QueueQuota,
)
from scheduler.core.model.tenant import Quota
from scheduler.core.queueing.quota import TooMuchGuaranteed
from scheduler.core.queueing.tree import CycleInQueues, ForeignParent, UnknownParent
from scheduler.ports.directory import AlreadyExists, DoesNotExist, InUse
from scheduler.ports.journal import ChangePriority, Rejected, Rejection, SubmitJob
from scheduler.services.follow_changes import state_of
from tests.builders.database import MANY_JOBS, NOON, Database, World, after_noon, make_world, take

NIGHT = Queue("night", "alpha", "alpha", 3, QueueCaps(4, 3, 2, 1))


@pytest.fixture
def tree(world: World) -> World:
    """The world with an organisation of both tenants, and a queue within one's own."""
    queues = world.storage.queues
    for queue in (Queue("org"), Queue("alpha", "org", "alpha"), Queue("beta", "org", "beta"), NIGHT):
        queues.set_queue(queue, NOON)
    return world


def rejected(world: World, job: Job) -> Rejection:
    outcome = world.write(SubmitJob(job, None, MANY_JOBS))
    assert isinstance(outcome, Rejected)
    return outcome.why


def test_every_tenant_has_a_queue_of_its_own_and_no_other_may_have_its_name(world: World) -> None:
    queues = world.storage.queues
    assert queues.queue("alpha") == Queue("alpha", tenant="alpha")
    queues.set_queue(Queue("gamma"), NOON)
    with pytest.raises(AlreadyExists):
        world.storage.directory.create_tenant("gamma", NOON)
    assert world.storage.directory.tenant("gamma") is None


def test_queues_are_kept_as_they_were_set_and_told_in_the_feed(tree: World) -> None:
    queues, views = tree.storage.queues, tree.storage.views
    assert queues.queue("night") == NIGHT
    assert [queue.name for queue in queues.queues()] == ["alpha", "beta", "night", "org"]
    assert [queue.name for queue in queues.queues(after="beta", limit=1)] == ["night"]
    last = views.last_change()
    queues.set_queue(NIGHT, NOON)
    assert views.last_change() == last
    queues.remove_queue("night", NOON)
    (change,) = views.changes_after(last, limit=9)
    assert (change.body, change.tenant) == (QueueRemoved("night"), "alpha")
    assert queues.queue("night") is None
    with pytest.raises(DoesNotExist):
        queues.remove_queue("night", NOON)


def test_queues_that_make_no_tree_are_refused(tree: World) -> None:
    queues = tree.storage.queues
    wrong: list[tuple[Queue, type[Exception]]] = [
        (Queue("x", "nowhere"), UnknownParent),
        (Queue("org", "org"), CycleInQueues),
        (Queue("x", "org", weight=0), BadTree),
        (Queue("x", "alpha", "beta"), ForeignParent),
        (Queue("x", "alpha"), ForeignParent),
        (Queue("x", tenant="nobody"), DoesNotExist),
        (Queue("night", "org", "beta"), AlreadyExists),
    ]
    for queue, error in wrong:
        with pytest.raises(error):
            queues.set_queue(queue, NOON)
    queues.set_queue(Queue("outer"), NOON)
    queues.set_queue(Queue("org", "outer"), NOON)
    with pytest.raises(CycleInQueues):
        queues.set_queue(Queue("outer", "org"), NOON)


def test_a_queue_that_is_used_stays(tree: World) -> None:
    queues = tree.storage.queues
    for name in ("alpha", "org"):
        with pytest.raises(InUse):
            queues.remove_queue(name, NOON)
    job = tree.submit(tree.make_job(queue="night"))
    with pytest.raises(InUse, match="1 of its jobs is not over"):
        queues.remove_queue("night", NOON)
    tree.cancel(job)
    queues.remove_queue("night", NOON)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE queues SET weight = 0",
        "UPDATE queues SET parent = name",
        "UPDATE queues SET parent = 'nowhere'",
        "UPDATE queues SET tenant = 'nobody'",
        "UPDATE queues SET most_running = -1",
        "INSERT INTO queue_quotas (queue, resource, guaranteed, \"limit\") VALUES ('alpha', 'h100', 2, 1)",
        "INSERT INTO queue_quotas (queue, resource, guaranteed, lending) VALUES ('alpha', 'h100', 2, 3)",
        "INSERT INTO queue_quotas (queue, resource, guaranteed) VALUES ('alpha', 'h100', -1)",
        "INSERT INTO queue_quotas (queue, resource, guaranteed) VALUES ('nobody', 'h100', 1)",
    ],
)
def test_the_schema_itself_refuses_what_must_not_be(world: World, database: Database, statement: str) -> None:
    assert world.storage.queues.queue("alpha") is not None
    with database.raw() as connection, pytest.raises(IntegrityError):
        connection.execute(text(statement))


def test_quotas_are_kept_and_those_that_contradict_themselves_or_each_other_are_refused(tree: World) -> None:
    queues = tree.storage.queues
    quota = QueueQuota("alpha", "h100", guaranteed=6, limit=12, borrowing=3, lending=2)
    queues.set_quota(quota, NOON)
    assert queues.quotas("alpha") == [quota]
    wrong: list[tuple[QueueQuota, type[Exception]]] = [
        (QueueQuota("alpha", "h100", 4, limit=3), ContradictoryQuota),
        (QueueQuota("org", "h100", limit=5), ContradictoryQuota),
        (QueueQuota("org", "h100", guaranteed=3, borrowing=2), ContradictoryQuota),
        (QueueQuota("beta", "h100", guaranteed=11), TooMuchGuaranteed),
        (QueueQuota("alpha", "abacus", limit=3), DoesNotExist),
        (QueueQuota("nobody", "h100", limit=3), DoesNotExist),
    ]
    for one, error in wrong:
        with pytest.raises(error):
            queues.set_quota(one, NOON)
    queues.set_quota(QueueQuota("beta", "h100", guaranteed=10), NOON)
    queues.set_quota(QueueQuota("org", "h100", guaranteed=16, limit=16), NOON)
    queues.set_queue(Queue("other"), NOON)
    queues.set_quota(QueueQuota("org", "h100", guaranteed=8, limit=16), NOON)
    queues.lift_quota("alpha", "h100", NOON)
    with pytest.raises(DoesNotExist):
        queues.lift_quota("alpha", "h100", NOON)


def test_the_short_form_of_a_quota_is_the_limit_of_the_tenants_own_queue(world: World) -> None:
    directory, queues = world.storage.directory, world.storage.queues
    directory.set_quota(Quota("alpha", "h100", 4), NOON)
    assert queues.quotas("alpha") == [QueueQuota("alpha", "h100", limit=4)]
    queues.set_quota(QueueQuota("alpha", "h100", guaranteed=2, limit=4, lending=1), NOON)
    directory.set_quota(Quota("alpha", "h100", 6), NOON)
    assert queues.quotas("alpha") == [QueueQuota("alpha", "h100", 2, limit=6, lending=1)]
    with pytest.raises(ContradictoryQuota):
        directory.set_quota(Quota("alpha", "h100", 1), NOON)
    directory.lift_quota("alpha", "h100", NOON)
    assert queues.quotas("alpha") == [QueueQuota("alpha", "h100", 2, lending=1)]
    assert directory.quotas("alpha") == []
    with pytest.raises(DoesNotExist):
        directory.lift_quota("alpha", "h100", NOON)


def test_groups_of_chip_types_are_kept_while_a_quota_counts_them(world: World) -> None:
    queues = world.storage.queues
    queues.set_chip_group(ChipGroup("fast", ("mi300x", "h100", "h100")), NOON)
    assert queues.chip_groups() == [ChipGroup("fast", ("h100", "mi300x"))]
    for group in (ChipGroup("h100", ("mi300x",)), ChipGroup(COMPUTE, ("h100",))):
        with pytest.raises(AlreadyExists):
            queues.set_chip_group(group, NOON)
    with pytest.raises(DoesNotExist):
        queues.set_chip_group(ChipGroup("odd", ("abacus",)), NOON)
    queues.set_quota(QueueQuota("alpha", "fast", limit=1), NOON)
    with pytest.raises(InUse):
        queues.remove_chip_group("fast", NOON)
    queues.lift_quota("alpha", "fast", NOON)
    queues.remove_chip_group("fast", NOON)
    assert queues.chip_groups() == []
    bodies = [change.body for change in world.storage.views.changes_after(0, limit=99)]
    assert ChipGroupSet(ChipGroup("fast", ("h100", "mi300x"))) in bodies
    assert bodies[-1] == ChipGroupRemoved("fast")


def test_a_group_stays_that_a_quota_is_being_set_of(database: Database) -> None:
    with database.opened() as one, database.opened() as other, ThreadPoolExecutor(1) as threads:
        make_world(one)
        one.queues.set_chip_group(ChipGroup("fast", ("h100",)), NOON)
        removing: list[Future[None]] = []

        def remove_meanwhile(_present: object) -> None:
            removing.append(threads.submit(other.queues.remove_chip_group, "fast", NOON))
            wait(removing, timeout=0.2)

        one.queues.set_quota(QueueQuota("alpha", "fast", limit=1), NOON, remove_meanwhile)
        with pytest.raises(InUse):
            removing[0].result(20)
        assert [group.name for group in one.queues.chip_groups()] == ["fast"]


def test_a_job_waits_only_in_a_queue_of_its_tenants(tree: World) -> None:
    for queue in ("beta", "org", "nowhere"):
        assert rejected(tree, tree.make_job(queue=queue)) is Rejection.UNKNOWN_QUEUE
    job = tree.submit(tree.make_job(queue="night"))
    view = tree.storage.views.job(job.id, tenant=None)
    assert view is not None
    assert view.job.queue == "night"


def test_a_queue_takes_so_many_waiting_jobs_and_none_that_are_too_urgent(tree: World) -> None:
    tree.storage.queues.set_queue(Queue("org", caps=QueueCaps(most_waiting=2, highest_priority=5)), NOON)
    first = tree.submit(tree.make_job(queue="night", priority=1))
    assert rejected(tree, tree.make_job(queue="night", priority=2)) is Rejection.TOO_URGENT
    assert rejected(tree, tree.make_job(priority=6)) is Rejection.TOO_URGENT
    tree.submit(tree.make_job(tenant="beta"))
    assert rejected(tree, tree.make_job()) is Rejection.QUEUE_FULL
    tree.place(first)
    tree.submit(tree.make_job())
    for priority, want in ((2, Rejection.TOO_URGENT), (1, None), (-1, None)):
        outcome = tree.storage.journal.change(ChangePriority(first.id, None, priority, "ann", after_noon(400)))
        assert (outcome.why if isinstance(outcome, Rejected) else None) is want


def test_a_placement_passes_no_quota_of_any_queue_that_the_job_is_in(tree: World) -> None:
    queues = tree.storage.queues
    queues.set_quota(QueueQuota("org", "h100", limit=3), NOON)
    tree.place(tree.submit(tree.make_job(queue="night")), take("n1", 0, 1))
    job = tree.submit(tree.make_job(tenant="beta"))
    outcome = tree.write(tree.placing(job, take("n1", 2, 3)))
    assert isinstance(outcome, Rejected)
    assert outcome.why is Rejection.OVER_QUOTA
    assert "org may hold 3 h100, 2 are held and 2 asked" in outcome.detail
    attempt = tree.place(job, take("n1", 2))
    other = tree.submit(tree.make_job())
    assert isinstance(tree.write(tree.placing(other, take("n1", 3))), Rejected)
    tree.end(attempt)
    tree.place(other, take("n1", 3))


def test_groups_and_compute_are_looked_at_when_a_placement_is_written(tree: World) -> None:
    queues = tree.storage.queues
    queues.set_chip_group(ChipGroup("all", ("h100", "mi300x")), NOON)
    for quota in (QueueQuota("org", "all", guaranteed=1, borrowing=1), QueueQuota("alpha", COMPUTE, limit=1_000)):
        queues.set_quota(quota, NOON)
    two = replace(take("n1", 0, 1), compute_milli=2 * 600_000)
    outcome = tree.write(tree.placing(tree.submit(), two))
    assert isinstance(outcome, Rejected)
    assert "alpha may hold 1000 compute, 0 are held and 1200 asked" in outcome.detail
    attempt = tree.place(tree.submit(), replace(take("n1", 0), compute_milli=600_000))
    assert [use.chip for use in tree.storage.views.tenant_use("alpha")] == ["h100"]
    assert tree.storage.views.capacity_errors() == []
    another = tree.submit()
    outcome = tree.write(tree.placing(another, replace(take("n1", 1), compute_milli=400_001)))
    assert isinstance(outcome, Rejected)
    tree.end(attempt)
    tree.place(another, replace(take("n1", 0), compute_milli=1_000_000))
    outcome = tree.write(
        tree.placing(tree.submit(tree.make_job("mi300x", tenant="beta")), take("n1", 8, 9, chip="mi300x"))
    )
    assert isinstance(outcome, Rejected)
    assert "org may hold 2 all" in outcome.detail


def test_what_a_tenant_uses_is_what_all_its_queues_hold(tree: World) -> None:
    tree.place(tree.submit(tree.make_job(queue="night")))
    tree.place(tree.submit(), take("n1", 1, 2))
    (use,) = tree.storage.views.tenant_use("alpha")
    assert (use.chip, use.devices_milli) == ("h100", 3_000)
    assert tree.storage.views.capacity_errors() == []


def test_the_state_that_is_read_is_the_one_that_was_told(tree: World) -> None:
    tree.storage.queues.set_chip_group(ChipGroup("fast", ("h100",)), NOON)
    tree.storage.queues.set_quota(QueueQuota("org", "fast", 4, 8, 2, 1), NOON)
    attempt = tree.place(tree.submit(tree.make_job(queue="night")))
    tree.see(attempt, Event.WORKERS_CREATED)
    tree.submit()
    followed, read = SchedulerState(), state_of(tree.storage.views.snapshot())
    for change in tree.storage.views.changes_after(0, limit=999):
        followed.apply(change)
    assert followed.digest() == read.digest()
    assert read.ledger.uses.held_by("org") == {"h100": 1_000}
    told = [change.body for change in tree.storage.views.changes_after(0, limit=999)]
    assert QueueSet(NIGHT) in told
    assert QueueQuotaSet(QueueQuota("org", "fast", 4, 8, 2, 1)) in told
