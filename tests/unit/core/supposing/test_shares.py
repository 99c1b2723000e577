from scheduler.core.model.sharing.queue import Queue
from scheduler.core.supposing.shares import what_queues_have
from tests.builders.core import make_job, make_node, make_state, place_first
from tests.builders.simulating import catalogue

QUEUES = (Queue("alpha", tenant="alpha"), Queue("beta", tenant="beta", weight=3))


def test_queues_are_due_by_weight_and_have_what_they_hold_of_all_compute() -> None:
    chips = catalogue()
    node = make_node("n1", {chips[0].name: 8})
    state = make_state(node, queues=QUEUES, chips=chips, jobs=(make_job(1, chips[0].name, workers=4),))
    found = what_queues_have(place_first(state))
    assert found["alpha"] == (0.25, 0.5)
    assert found["beta"] == (0.75, 0.0)
    assert what_queues_have(make_state(queues=QUEUES))["alpha"] == (0.25, 0.0)
