from scheduler.core.model.waiting.promise import NodeRoom, Promise
from tests.builders.core import NOON


def test_a_promise_names_the_nodes_that_it_is_on() -> None:
    assert Promise("g", NOON, None, (NodeRoom("mixed/n1"), NodeRoom("mixed/n2"))).nodes == ("mixed/n1", "mixed/n2")
