from dataclasses import replace

from scheduler.core.deciding.state import SchedulerState
from scheduler.core.forecasting.scene import Scene, demands_of, line_up, look_for_rooms, take_scene
from scheduler.core.model.change import GroupMoved, NodeSeen
from scheduler.core.model.group import State
from scheduler.core.model.node import NodeState
from tests.builders.core import NOON, as_change, make_group, make_job, make_node, make_shape
from tests.unit.core.deciding.backfilling.test_beside import kept
from tests.unit.core.deciding.backfilling.test_promises import GANG, NODE, busy

JOBS = (make_job(1, workers=2), make_job(2, workers=8), make_job(3, workers=2, shape=make_shape(4), tenant="beta"))


def looked(state: SchedulerState) -> Scene:
    scene = take_scene(state, NOON)
    line_up(scene, state)
    look_for_rooms(scene, state, demands_of(scene))
    return scene


def test_a_scene_counts_what_is_free_and_names_nodes_that_take_no_work() -> None:
    state = busy(NODE, make_node("n2"), running={"n1": (5, 600)}, jobs=())
    assert take_scene(state, NOON).free == {("mixed", "h100"): 11_000}
    state.apply(as_change(NodeSeen(replace(make_node("n2"), state=NodeState.DRAINED))))
    scene = take_scene(state, NOON)
    assert (scene.free[("mixed", "h100")], sorted(scene.closed)) == (3_000, ["mixed/n2"])


def test_queues_take_turns_and_within_one_the_first_is_first() -> None:
    scene = looked(busy(NODE, running={}, jobs=JOBS))
    order = [waiter.job.id for waiter in scene.waiters]
    assert order.index(JOBS[0].id) < order.index(JOBS[1].id)
    assert sorted(order) == [job.id for job in JOBS]


def test_who_is_gone_by_the_time_that_they_are_lined_up_is_left_out() -> None:
    state = busy(NODE, running={}, jobs=JOBS)
    scene = take_scene(state, NOON)
    state.apply(as_change(GroupMoved(replace(make_group(JOBS[0]), state=State.CANCELLED, version=2), None)))
    line_up(scene, state)
    assert JOBS[0].id not in {waiter.job.id for waiter in scene.waiters}


def test_devices_in_pieces_are_told_for_workers_that_want_more_of_them_on_one_node() -> None:
    scene = looked(busy(NODE, make_node("n2"), running={"n1": (6, 600), "n2": (6, 600)}, jobs=JOBS))
    takes = {waiter.job.id: scene.takes(waiter.request)[0][1] for waiter in scene.waiters}
    assert takes[JOBS[0].id] == [(("mixed", "h100"), 2_000, 0)]
    assert takes[JOBS[2].id] == [(("mixed", "h100"), 8_000, 4_000)]


def test_what_is_kept_is_counted_by_pool_with_what_it_awaits_of_whom() -> None:
    (room,) = take_scene(kept(), NOON).kept
    assert room.kept.group == make_group(GANG).id
    assert (room.now, room.needs) == ({("mixed", "h100"): 4_000}, {("mixed", "h100"): 8_000})
    assert list(room.awaited.values()) == [{("mixed", "h100"): 4_000}]
