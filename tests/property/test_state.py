from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scheduler.core.deciding.explanation import explain_all
from scheduler.core.deciding.state import SchedulerState
from scheduler.core.lifecycle.events import Event
from scheduler.core.model.group import StopReason
from scheduler.core.model.job import ArrayMember, Condition, Dependency, Job
from scheduler.core.model.node import NodeState
from tests.builders import strategies as some
from tests.builders.core import World
from tests.oracle.decisions import decide, spelt_out

STEPS = (
    *("submit", "decide", "move", "end", "end", "stop", "priority", "node", "node state"),
    *("quota", "quota", "lift", "queue", "group"),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a history of a small cluster and its jobs."""
    world = World()
    world.see_cluster("east")
    world.see_cluster("west")
    for node in draw(some.nodes()):
        world.see_node(node)
    for queue in draw(some.trees):
        world.set_queue(queue)
    waiting = [_queued(draw, world, job) for job in _chained(draw, draw(some.jobs()))]
    members = sum(job.spec.array is not None for job in waiting)
    for job in waiting[: max(2, members)]:  # an array is written at once
        world.submit(job)
    world.decide()
    for step in draw(st.lists(st.sampled_from(STEPS), max_size=20)):
        _do(draw, world, step)
        if step == "submit" and len(world.jobs) < len(waiting):
            world.submit(waiting[len(world.jobs)])
    return world


def _chained(draw: st.DrawFn, jobs: list[Job]) -> list[Job]:
    """Let the first jobs be of an array of which few may run at once, and others come after some, or after it."""
    chained: list[Job] = []
    most, members = draw(st.integers(1, 2)), draw(st.integers(0, len(jobs)))
    for index, job in enumerate(jobs):
        array = ArrayMember("a1", "sweep", index, members, most) if index < members else None
        names = [one.id for one in chained] + (["a1"] if 0 < members <= index else [])
        earlier = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
        after = tuple(Dependency(one, draw(st.sampled_from(Condition)), one == "a1") for one in earlier)
        chained.append(replace(job, spec=replace(job.spec, after=after, array=array)))
    return chained


def _queued(draw: st.DrawFn, world: World, job: Job) -> Job:
    """Let a job be somebody's, in a queue of its tenant's."""
    names = [None, *(name for name, queue in world.queues.items() if queue.tenant == job.tenant)]
    spec = replace(job.spec, queue=draw(st.sampled_from(names)))
    return replace(job, spec=spec, submitted_by=draw(st.sampled_from(("ada", "bob"))))


def _do(draw: st.DrawFn, world: World, step: str) -> None:
    chip, tenant = draw(st.sampled_from(some.CHIPS)), draw(st.sampled_from(some.TENANTS))
    match step:
        case "decide":
            world.decide()
        case "move":
            events = st.sampled_from(sorted(set(Event) - {Event.PLACE}))
            group = draw(st.sampled_from(sorted(world.groups)))
            world.move(group, draw(events), reason=draw(st.sampled_from(StopReason)))
        case "end":
            group = draw(st.sampled_from(sorted(world.groups)))
            world.move(group, Event.STOP, reason=draw(st.sampled_from(StopReason)))
            world.move(group, Event.GONE)
            world.decide()
        case "stop":
            world.wish_stop(draw(st.sampled_from(sorted(world.jobs))))
        case "priority":
            world.set_priority(draw(st.sampled_from(sorted(world.jobs))), draw(st.integers(-100, 100)))
        case "node":
            world.see_node(draw(some.nodes(most=1))[0])
        case "node state":
            node = world.nodes[draw(st.sampled_from(sorted(world.nodes)))]
            world.change_node(node.name, node.cluster, draw(st.sampled_from(NodeState)))
        case _:
            _share(draw, world, step, (tenant, chip))


def _share(draw: st.DrawFn, world: World, step: str, purse: tuple[str, str]) -> None:
    """Let the queues, or what they may have, be other ones."""
    match step:
        case "quota":
            world.set_quota(draw(some.quota(sorted({*world.queues, purse[0]}))))
        case "lift":
            world.lift_quota(*draw(st.sampled_from([purse, *world.quotas])))
        case "queue":
            for queue in draw(some.trees)[: draw(st.integers(1, 4))]:
                world.set_queue(queue)
        case "group":
            world.set_chip_group(draw(some.chip_group))


@some.fixed(90)
@given(worlds())
def test_the_state_that_followed_the_feed_is_the_state_built_from_what_is_true(world: World) -> None:
    followed = SchedulerState()
    for change in world.changes:
        followed.apply(change)
    present = world.present()
    assert followed.digest() == present.digest()
    limits = [job.spec.array.most_at_once or 0 for job in world.jobs.values() if job.spec.array is not None]
    assert followed.members_holding.of("a1") == present.members_holding.of("a1") <= max(limits, default=0)
    assert followed._expectations.mix.counts == present._expectations.mix.counts, "they learn from the same workers"
    assert followed.dependents.arrays.ended() == present.dependents.arrays.ended()
    assert set(followed.tally.capacity()) == set(present.tally.capacity())
    assert spelt_out(decide(followed, world.now)) == spelt_out(decide(present, world.now))
    told = [explain_all(state, sorted(state.waiting), world.now) for state in (followed, present)]
    assert told[0] == told[1]


@some.fixed(60)
@given(worlds(), st.data())
def test_changes_that_come_again_have_no_effect(world: World, data: st.DataObject) -> None:
    followed, repeated = SchedulerState(), SchedulerState()
    for change in world.changes:
        followed.apply(change)
        for _ in range(data.draw(st.integers(1, 2))):
            repeated.apply(change)
    assert repeated.digest() == followed.digest()
    repeat_from = data.draw(st.integers(0, len(world.changes)))
    for change in world.changes[repeat_from:]:
        repeated.apply(change)
    assert repeated.digest() == followed.digest()
