import pytest

from scheduler.core.forecasting.projection import FREE_NOW, PROMISED, Projection, Start
from scheduler.core.forecasting.scene import Waiter
from scheduler.core.model.change import QueueSet
from scheduler.core.model.job import AnyOf
from scheduler.core.model.sharing.queue import Queue, QueueCaps
from scheduler.core.model.waiting.estimate import UnknownStart
from tests.builders.core import as_change, make_group, make_job, make_node
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


@pytest.mark.parametrize("caps", [QueueCaps(most_running=1), QueueCaps(most_running_per_user=1)])
def test_who_waits_for_a_cap_on_what_runs_starts_when_one_of_those_has_ended_though_there_is_room(
    caps: QueueCaps,
) -> None:
    first, second = limited(make_job(1), 100), limited(make_job(2), 100)
    state = busy(NODE, running={"n1": (4, 600)}, jobs=(first, second))
    state.apply(as_change(QueueSet(Queue("alpha", None, "alpha", caps=caps))))
    scene = looked(state)
    projection = Projection(scene, at_most=True)
    starts = [projection.start(waiter, is_new=True) for waiter in scene.waiters]
    ends_s = 600 + GRACE_S
    assert [start.at_s for start in starts if isinstance(start, Start)] == [ends_s, ends_s + 100 + GRACE_S]


def test_a_cap_that_is_nought_lets_nobody_start() -> None:
    state = busy(NODE, running={}, jobs=(make_job(1),))
    state.apply(as_change(QueueSet(Queue("alpha", None, "alpha", caps=QueueCaps(most_running=0)))))
    scene = looked(state)
    (waiter,) = scene.waiters
    assert Projection(scene, at_most=True).start(waiter, is_new=True) is UnknownStart.QUOTA
