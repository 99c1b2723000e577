from scheduler.core.forecasting.projection import FREE_NOW, PROMISED, Projection, Start
from scheduler.core.forecasting.scene import Waiter
from scheduler.core.model.job import AnyOf
from scheduler.core.model.waiting.estimate import UnknownStart
from tests.builders.core import make_group, make_job, make_node
from tests.unit.core.deciding.backfilling.test_beside import kept
from tests.unit.core.deciding.backfilling.test_promises import GRACE_S, NODE, busy, limited
from tests.unit.core.forecasting.test_scene import looked


def test_of_several_chip_types_the_one_that_is_free_first_is_taken() -> None:
    either = limited(make_job(1, AnyOf(("h100", "a800")), workers=8), 100)
    other = make_node("n2", {"a800": 8})
    scene = looked(busy(NODE, other, running={"n1": (8, 600)}, jobs=(either,)))
    projection = Projection(scene, at_most=True)
    (waiter,) = scene.waiters
    assert projection.start(waiter, is_new=True) == Start(0, FREE_NOW)
    assert projection.start(waiter, is_new=True) == Start(100 + GRACE_S, 0)


def test_who_has_room_kept_takes_nothing_else() -> None:
    scene = looked(kept())
    projection = Projection(scene, at_most=True)
    (waiter,) = scene.waiters
    assert projection.start(waiter) == projection.start(waiter) == Start(600 + GRACE_S, PROMISED)


def test_more_than_there_will_ever_be_is_never_free() -> None:
    scene = looked(busy(NODE, running={"n1": (8, 600)}, jobs=()))
    job = make_job(1, workers=9)
    state = busy(NODE, running={}, jobs=(job,))
    waiter = Waiter(make_group(job), job, state.request(job.id))
    assert Projection(scene, at_most=True).start(waiter) is UnknownStart.NO_ROOM
