"""Moves that would let a job start are told with what they cost, whether they are allowed or not."""

from dataclasses import replace

from scheduler.core.advising.moves import moves_to_start
from scheduler.core.model.asking.moves import Move
from scheduler.core.model.change import ReservationMade
from scheduler.core.model.waiting.promise import NodeRoom, Promise
from tests.builders.core import make_group, make_job, make_node, make_shape
from tests.builders.preempting import Contended

HALF = make_shape(4)


def test_a_move_says_from_where_to_where_and_at_what_cost() -> None:
    first, second = make_job(1, shape=HALF), make_job(2, shape=HALF, tenant="beta")
    second = replace(second, spec=replace(second.spec, movable=True))
    cluster = Contended(make_node("n1"), make_node("n2"))
    cluster.run(make_job(90, shape=HALF), first)
    cluster.run(second)
    cluster.end(make_job(90))
    cluster.wait(100)
    cluster.save(second)
    waiting = make_job(3, shape=make_shape(8))
    cluster.submit(waiting)
    (move,) = moves_to_start(cluster.state, waiting, cluster.now)
    assert move == Move(
        second.id, "beta", ("mixed/n2",), ("mixed/n1",), devices_milli=4_000, cost_device_s=240, is_allowed=True
    )
    assert moves_to_start(cluster.state, first, cluster.now) == (), "it has a place"


def test_nobody_is_moved_to_where_room_is_kept_for_others() -> None:
    cluster = Contended(make_node("n1"), make_node("n2"))
    cluster.run(make_job(90, shape=HALF), make_job(1, shape=HALF))
    cluster.run(make_job(2, shape=HALF, tenant="beta"))
    cluster.end(make_job(90))
    waiting, other = make_job(3, shape=make_shape(8)), make_job(4, workers=5)
    cluster.submit(waiting, other)
    assert len(moves_to_start(cluster.state, waiting, cluster.now)) == 1
    room = NodeRoom("mixed/n1", (("h100", 4),), pods=4)
    cluster.tell(ReservationMade(Promise(make_group(other).id, cluster.now, None, (room,))))
    assert moves_to_start(cluster.state, waiting, cluster.now) == ()
