from collections.abc import Callable
from dataclasses import replace

from scheduler.core.deciding.parts.tally import CapacityCount, QueueCount, Tally, asked_devices_milli, wanted_chip
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import StopReason
from scheduler.core.model.job import AnyOf, ExactMix, WorkerRole
from scheduler.core.model.node import ForeignUse, NodeState
from tests.builders.core import NOON, World, make_group, make_job, make_node, make_shape, seconds_after_noon

FIRST, SECOND = make_job(1, workers=2, retries=1), make_job(2, workers=2)


def test_a_queue_is_counted_by_tenant_and_best_liked_chip_with_its_oldest() -> None:
    tally = Tally()
    tally.wait(FIRST, make_group(FIRST), NOON)
    tally.wait(SECOND, make_group(SECOND), seconds_after_noon(5))
    asked = asked_devices_milli(FIRST.spec) + asked_devices_milli(SECOND.spec)
    assert tally.queues() == (QueueCount("alpha", "h100", 2, asked, NOON),)
    tally.leave(FIRST, make_group(FIRST))
    assert [queue.oldest_since for queue in tally.queues()] == [seconds_after_noon(5)]
    tally.leave(SECOND, make_group(SECOND))
    assert tally.queues() == ()


def test_a_job_counts_for_the_chip_that_it_names_first() -> None:
    spec = FIRST.spec
    assert wanted_chip(replace(spec, chips=AnyOf(("mlu590", "h100")))) == "mlu590"
    assert wanted_chip(replace(spec, chips=AnyOf(()))) is None
    assert wanted_chip(replace(spec, chips=ExactMix((("a800", 1), ("h100", 1))))) == "a800"


def test_a_gang_asks_for_the_devices_of_all_its_roles() -> None:
    role = WorkerRole("launcher", 3, make_shape(1), ("h100",))
    spec = replace(FIRST.spec, shape=make_shape(4), roles=(role,))
    assert asked_devices_milli(spec) == 2 * 4_000 + 3 * 1_000


def test_devices_are_usable_unusable_or_foreign_and_those_of_a_gone_node_are_none() -> None:
    tally = Tally()
    node = make_node()
    count = node.devices[0].count
    tally.put_node(None, node)
    assert tally.capacity() == (CapacityCount("mixed", "h100", count, 0, 0),)
    drained = replace(node, state=NodeState.DRAINED, foreign=ForeignUse(devices=(("h100", 1),)))
    tally.put_node(node, drained)
    assert tally.capacity() == (CapacityCount("mixed", "h100", 0, count - 1, 1),)
    tally.put_node(drained, replace(drained, state=NodeState.GONE))
    assert tally.capacity() == ()


STEPS: list[Callable[[World], object]] = [
    lambda world: world.submit(FIRST),
    lambda world: world.submit(SECOND),
    lambda world: world.see_node(make_node()),
    lambda world: world.decide(),
    lambda world: world.move(make_group(FIRST).id, Event.ALL_READY),
    lambda world: world.move(make_group(FIRST).id, Event.STOP, reason=StopReason.PREEMPTED),
    lambda world: world.move(make_group(FIRST).id, Event.GONE),
    lambda world: world.wish_stop(FIRST.id),
    lambda world: world.see_node(replace(make_node(), state=NodeState.GONE)),
]


def counts(state: SchedulerState) -> tuple[object, ...]:
    queues = {(queue.tenant, queue.chip, queue.gangs, queue.devices_milli) for queue in state.tally.queues()}
    return queues, set(state.tally.capacity())


def test_a_followed_state_counts_as_one_that_was_built_anew_does() -> None:
    world, followed, applied = World(), SchedulerState(), 0
    world.see_cluster("mixed")
    for step in STEPS:
        step(world)
        for change in world.changes[applied:]:
            followed.apply(change)
        applied = len(world.changes)
        assert counts(followed) == counts(world.present())
        assert sum(queue.gangs for queue in followed.tally.queues()) == len(followed.waiting)
    assert followed.tally.capacity() == ()
